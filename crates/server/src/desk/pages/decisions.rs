//! What to do about attack paths, for who may see everything: the plan, what each measure cuts, and what less would buy.

use maud::{Markup, PreEscaped, html};
use report::html::words;
use report::{clean, count};

use super::super::decisions::{Decisions, Limits, Line, Told};
use super::super::request::Replied;
use super::export::{self, Form};
use super::{Content, Frame, files, shell, time};

/// Amounts that somebody may limit a plan to.
const MOST: u32 = 10_000_000;

fn limits(frame: &Frame<'_>) -> Limits {
    let number = |name: &str| {
        let number = frame.asked.query.get(name).trim().parse().ok();
        number.filter(|number| *number <= MOST)
    };
    Limits {
        money: number("money"),
        days: number("days"),
    }
}

fn fields(limits: Limits) -> [(&'static str, String); 2] {
    let shown = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    [("money", shown(limits.money)), ("days", shown(limits.days))]
}

pub(super) fn page(frame: &Frame<'_>) -> Option<Markup> {
    if !frame.sight.is_everything() {
        return None;
    }
    let limits = limits(frame);
    let decisions = frame.desk.decisions(&frame.sight.picture, limits);
    let fields = fields(limits);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let body = html! {
        (form(frame, &fields))
        @match decisions.as_deref() {
            None => { p role="status" data-waits { "It is being decided. " a href=(super::address("/decisions", &fields)) { "Look again" } } },
            Some(decisions) => {
                (age(frame, decisions))
                @match &decisions.told {
                    Ok(told) => {
                        (shown(frame, told))
                        p.help { "Usual limits, rates and files of prices stand under " code { "budget" } " in seawall.yaml." }
                        (files("/decisions", &fields)) },
                    Err((why, help)) => { p.notice { "Nothing can be decided: " (words(why)) @if let Some(help) = help { ". " (words(help)) } } },
                }
            },
        }
    };
    Some(shell(
        frame,
        &Content {
            title: "Decisions",
            within: "/decisions",
            body,
        },
    ))
}

/// The answer, for scripts; of CSV only the plan.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    if !frame.sight.is_everything() {
        return None;
    }
    let decisions = frame.desk.decisions(&frame.sight.picture, limits(frame))?;
    let told = decisions.told.as_ref().ok()?;
    match form {
        Form::Json => Some(export::json("decisions", &told.value)),
        Form::Csv => {
            let rows = told.measures.iter().map(|line| {
                let mut row = vec![line.id.clone()];
                row.extend(line.cells.iter().cloned());
                row.push(line.about.join("; "));
                row
            });
            let head = ["measure", "monthly", "days", "hours", "overall", "about"];
            export::file(form, "decisions", &head, rows)
        }
    }
}

fn form(frame: &Frame<'_>, fields: &[(&str, &str)]) -> Markup {
    let config = frame.desk.options.config.now();
    let currency = config.budget.currency.as_deref();
    let value = |name: &str| {
        let own = fields.iter().find(|(own, _)| *own == name);
        own.map_or("", |(_, value)| value)
    };
    html! {
        form.filter method="get" action="/decisions" aria-label="Limits" data-submits {
            label { "At most " (currency.unwrap_or("EUR")) " a month" input type="number" name="money" min="0" max=(MOST) value=(value("money")) placeholder="no limit"; }
            label { "At most days of work" input type="number" name="days" min="0" max=(MOST) value=(value("days")) placeholder="no limit"; }
            button type="submit" { "Decide" }
        }
    }
}

fn age(frame: &Frame<'_>, decisions: &Decisions) -> Markup {
    let newer = frame.sight.picture.number > decisions.number;
    html! {
        p.found role="status" {
            "By what ran " (time::ago(frame.now - decisions.at.as_second())) " (" (time::moment(decisions.at)) ")."
            @if newer { " Something has changed since; it is being decided anew." }
        }
    }
}

fn shown(frame: &Frame<'_>, told: &Told) -> Markup {
    html! {
        div.verdict.open { @for (at, line) in told.answer.iter().enumerate() { @if at == 0 { strong { (words(line)) } } @else { span { (words(line)) } } } }
        @if !told.measures.is_empty() { (plan(frame, told)) }
        @if let Some(chart) = &told.chart {
            section aria-labelledby="less" {
                h2 #less { "What less would buy" }
                // Made of numbers and escaped words alone.
                div.scroll tabindex="0" role="region" aria-label="The frontier, drawn" { (PreEscaped(chart)) }
                (points(told))
            }
        }
        @for (at, (title, items)) in told.sections.iter().enumerate() {
            section aria-labelledby=(format!("section-{at}")) {
                h2 id=(format!("section-{at}")) { (title) }
                ul { @for item in items { li { (words(item)) } } }
            }
        }
    }
}

fn plan(frame: &Frame<'_>, told: &Told) -> Markup {
    html! {
        section aria-labelledby="plan" {
            h2 #plan { "Do this" }
            table.cards.numbers {
                caption.unseen { "The plan" }
                thead { tr {
                    th scope="col" { "Measure" }
                    th.count scope="col" { (told.currency) " a month" }
                    th.count scope="col" { "Days" }
                    th.count scope="col" { "Hours a month" }
                    th.count scope="col" { "All over " (count(told.months as usize, "month")) }
                } }
                tbody {
                    @for line in &told.measures { (measure(frame, told, line)) }
                    tr.sum { th scope="row" { "In all" } (cells(told, &told.totals)) }
                }
            }
            @if let Some(unpriced) = &told.unpriced { p.help { (words(unpriced)) } }
        }
    }
}

fn measure(frame: &Frame<'_>, told: &Told, line: &Line) -> Markup {
    let (title, rest) = line
        .about
        .split_first()
        .map_or((&*line.id, &[][..]), |(title, rest)| (title, rest));
    html! {
        tr {
            th scope="row" {
                @if frame.guide().guideline(&line.id).is_some() { a href={ "/guide/" (line.id) } { (words(title)) } } @else { (words(title)) }
                " " code.quiet { (clean(&line.id)) }
                @for said in rest { p.message { (words(said)) } }
            }
            (cells(told, &line.cells))
        }
    }
}

fn cells(told: &Told, cells: &[String; 4]) -> Markup {
    let months = format!("over {}", count(told.months as usize, "month"));
    let labels = ["a month", "days", "hours a month", &months];
    html! { @for (cell, label) in cells.iter().zip(labels) { td.count data-label=(label) { (cell) } } }
}

fn points(told: &Told) -> Markup {
    let labels = ["a month", "days", "hours a month", "risk left"];
    html! {
        table.cards.numbers {
            caption { "The points" }
            thead { tr {
                th scope="col" { "Measures" }
                th.count scope="col" { (told.currency) " a month" }
                th.count scope="col" { "Days" }
                th.count scope="col" { "Hours a month" }
                th.count scope="col" { "Risk left" }
            } }
            tbody { @for (number, point) in told.points.iter().enumerate() { tr {
                th scope="row" {
                    (number + 1) ". " @if point.is_plan { strong { "the plan above" } } @else if point.measures.is_empty() { "nothing" } @else {
                        (count(point.measures.len(), "measure"))
                        details { summary { "Which" span.unseen { " at point " (number + 1) } } ul { @for id in &point.measures { li { code { (clean(id)) } } } } }
                    }
                }
                @for (cell, label) in point.cells.iter().zip(labels) { td.count data-label=(label) { (cell) } }
            } } }
        }
    }
}
