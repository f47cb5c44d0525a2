//! One self-contained page: the plan as a table, the frontier as a chart, what stays and what was not worth
//! it. Nothing is loaded, nothing is run.

use std::fmt::Write as _;

use analysis::decide::Cost;

use maud::{PreEscaped, html};
use report::decide::advice::{self, Advice, Settled};
use report::decide::chart::escape;
use report::decide::costs::Bill;
use report::decide::{Problem, chart, id_of, sentences, words};
use report::html::{ALONE, Head, Style, document};

pub(crate) const STYLE: &str = include_str!("page/style.css");
const TITLE: &str = "What to do about attack paths";

pub(super) fn page(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    subject: &[String],
) -> String {
    let mut page = String::new();
    let subject = subject.join(", ");
    page.push_str("<header>\n<p class=\"brand\">seawall</p>\n");
    let _ = writeln!(page, "<h1>{TITLE}</h1>");
    for line in sentences::answer(problem, settled, advice) {
        let _ = writeln!(page, "<p class=\"lead\">{}</p>", escape(&line));
    }
    let _ = writeln!(
        page,
        "<p class=\"meta\">{} as of {}</p>\n</header>\n<main>",
        escape(&subject),
        escape(problem.matter.as_of)
    );
    page.push_str(&body(problem, settled, advice, "h2"));
    page.push_str("</main>\n<footer>Made by <code>seawall decide --format html</code>. Nothing is loaded from anywhere.</footer>\n");
    let head = Head {
        title: TITLE,
        policy: Some(ALONE),
        style: Style::Within(&[STYLE]),
    };
    // Every text in it is escaped above.
    let mut page = document(&head, &html! {}, None, &PreEscaped(page)).into_string();
    page.push('\n');
    page
}

/// The plan, what less would buy, and what the answer rests on; headings are of a level.
pub(crate) fn body(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    level: &str,
) -> String {
    let mut page = String::new();
    plan(problem, settled, advice, level, &mut page);
    if advice.points(problem).len() > 1 {
        let _ = writeln!(page, "<{level}>What less would buy</{level}>");
        page.push_str(&chart::chart(problem, settled, advice));
        points(problem, advice, &mut page);
    }
    for section in sentences::sections(problem, settled, advice) {
        let _ = writeln!(
            page,
            "<{level}>{}</{level}>\n<ul class=\"plain\">",
            escape(section.title)
        );
        for item in &section.items {
            let _ = writeln!(page, "<li>{}</li>", escape(item));
        }
        page.push_str("</ul>\n");
    }
    page
}

fn plan(problem: &Problem<'_>, settled: &Settled, advice: &Advice, level: &str, page: &mut String) {
    let measures: Vec<usize> = advice.measures(problem).collect();
    if measures.is_empty() {
        return;
    }
    let months = words::count(settled.rates.months as usize, "month", "months");
    let _ = writeln!(
        page,
        "<{level}>Do this</{level}>\n<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>Measure</th><th>{} a month</th><th>Days of work</th><th>Hours a month</th><th>All over {months}</th></tr></thead><tbody>",
        escape(&problem.costs.currency)
    );
    for place in measures {
        if let (Some(measure), Some(offer)) = (
            problem.question.measures.get(place),
            problem.offers.get(place),
        ) {
            let why = sentences::about(problem, settled, advice, place);
            row(&measure.id, &why, &measure.cost, &offer.bill, settled, page);
        }
    }
    for at in &advice.decision.plan.shared {
        if let (Some(shared), Some(bill)) =
            (problem.question.shared.get(*at), problem.shared.get(*at))
        {
            let why = sentences::about_shared(problem, advice, *at);
            row(
                &format!("shared: {}", shared.id),
                &why,
                &shared.cost,
                bill,
                settled,
                page,
            );
        }
    }
    let totals = &advice.decision.plan.totals;
    let unpriced = advice.unpriced(problem);
    let star = if unpriced.is_empty() { "" } else { "*" };
    let _ = writeln!(
        page,
        "</tbody><tfoot><tr><td>In all</td>{}</tr></tfoot></table></div>",
        cells(&totals.cost, star, settled)
    );
    if let Some(note) = sentences::without_price(&unpriced) {
        let _ = writeln!(page, "<p class=\"help\">{}</p>", escape(&note));
    }
}

fn row(id: &str, why: &[String], cost: &Cost, bill: &Bill, settled: &Settled, page: &mut String) {
    let star = if sentences::lacks(bill) { "*" } else { "" };
    let why: Vec<String> = why.iter().map(|line| escape(line)).collect();
    let _ = writeln!(
        page,
        "<tr><td><span class=\"id\">{}</span><br><span class=\"why\">{}</span></td>{}</tr>",
        escape(id),
        why.join("<br>"),
        cells(cost, star, settled)
    );
}

/// The numbers of a row, each with what it is where the head of the table is not shown.
fn cells(cost: &Cost, star: &str, settled: &Settled) -> String {
    format!(
        "<td data-label=\"a month\">{}{star}</td><td data-label=\"days\">{}</td><td data-label=\"hours a month\">{}</td><td data-label=\"all over {} months\">{}{star}</td>",
        words::money(cost.money),
        words::days(cost.effort),
        words::hours(cost.upkeep),
        settled.rates.months,
        words::money(words::overall(cost, &settled.rates))
    )
}

fn points(problem: &Problem<'_>, advice: &Advice, page: &mut String) {
    let _ = writeln!(
        page,
        "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>Measures</th><th>{} a month</th><th>Days of work</th><th>Hours a month</th><th>Risk left</th></tr></thead><tbody>",
        escape(&problem.costs.currency)
    );
    let fixed = advice.fixed_risk(problem);
    for (number, point) in advice.points(problem).iter().enumerate() {
        let ids: Vec<String> = advice::without_kept(problem, &point.measures)
            .map(|place| escape(id_of(problem, place)))
            .collect();
        let names = if ids.is_empty() {
            "nothing".to_owned()
        } else {
            ids.join(", ")
        };
        let unpriced = advice::unpriced(problem, &point.measures, &point.shared);
        let star = if unpriced.is_empty() { "" } else { "*" };
        let here = if advice.is_plan(point) {
            " (the plan above)"
        } else {
            ""
        };
        let _ = writeln!(
            page,
            "<tr><td><span class=\"id\">{}.</span>{here} <span class=\"why\">{names}</span></td><td data-label=\"a month\">{}{star}</td><td data-label=\"days\">{}</td><td data-label=\"hours a month\">{}</td><td data-label=\"risk left\">{}</td></tr>",
            number + 1,
            words::money(point.totals.cost.money),
            words::days(point.totals.cost.effort),
            words::hours(point.totals.cost.upkeep),
            words::risk(u64::try_from(point.risk).unwrap_or_default() + fixed)
        );
    }
    page.push_str("</tbody></table></div>\n");
}
