//! The frontier as a picture: what remains of the risk over what is spent, all counted in one.

use std::fmt::Write as _;

use super::advice::{Advice, Settled};
use super::problem::Problem;
use super::words;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 56.0;

/// The picture, as a `figure` that styles of its page draw.
#[must_use]
pub fn chart(problem: &Problem<'_>, settled: &Settled, advice: &Advice) -> String {
    let all = problem.weight(0..problem.threats.len()).max(1) as f64;
    let fixed = advice.fixed_risk(problem) as f64;
    let mut points: Vec<(f64, f64, usize, bool)> = advice
        .points(problem)
        .iter()
        .enumerate()
        .map(|(number, point)| {
            let cost = words::overall(&point.totals.cost, &settled.rates) as f64 / 100.0;
            let risk = (point.risk as f64 + fixed) / all * 100.0;
            (cost, risk, number + 1, advice.is_plan(point))
        })
        .collect();
    points.sort_by(|one, two| one.0.total_cmp(&two.0).then(two.1.total_cmp(&one.1)));
    let step = step(points.iter().map(|point| point.0).fold(1.0, f64::max));
    let ticks = (points.iter().map(|point| point.0).fold(1.0, f64::max) / step).ceil();
    let most = step * ticks;
    let x = |cost: f64| LEFT + cost.max(0.0) / most * (WIDTH - LEFT - RIGHT);
    let y = |risk: f64| TOP + (100.0 - risk) / 100.0 * (HEIGHT - TOP - BOTTOM);
    let mut svg = String::new();
    let currency = escape(&problem.costs.currency);
    let _ = write!(
        svg,
        "<figure class=\"chart\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Risk left over what is spent\">"
    );
    for share in [0, 25, 50, 75, 100] {
        let at = y(f64::from(share));
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{share} %</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    for tick in 0..=ticks as usize {
        let cost = step * tick as f64;
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{2:.1}\"/><text class=\"tick\" x=\"{0:.1}\" y=\"{3:.1}\" text-anchor=\"middle\">{4}</text>",
            x(cost),
            y(0.0),
            y(0.0) + 5.0,
            y(0.0) + 20.0,
            words::money((cost * 100.0) as i64)
        );
    }
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{2:.1}\" y2=\"{2:.1}\"/><text x=\"{1:.1}\" y=\"{3}\" text-anchor=\"middle\">{currency} over {4}, all counted</text><text x=\"4\" y=\"14\" text-anchor=\"start\">risk left</text>",
        WIDTH - RIGHT,
        (LEFT + WIDTH - RIGHT) / 2.0,
        y(0.0),
        HEIGHT - 12.0,
        words::count(settled.rates.months as usize, "month", "months")
    );
    // The best that can be had up to each cost.
    let mut run = String::new();
    let mut best = f64::INFINITY;
    for (cost, risk, ..) in &points {
        if *risk < best {
            if run.is_empty() {
                let _ = write!(run, "M{:.1} {:.1}", x(*cost), y(*risk));
            } else {
                let _ = write!(run, " H{:.1} V{:.1}", x(*cost), y(*risk));
            }
            best = *risk;
        }
    }
    let _ = write!(svg, "<path class=\"run\" d=\"{run}\"/>");
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (cost, risk, number, here) in &points {
        let (left, top) = (x(*cost), y(*risk));
        let _ = write!(
            svg,
            "<circle class=\"point{}\" cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"5.5\"><title>{number}. {} {currency}, {risk:.0} % left</title></circle>",
            if *here { " here" } else { "" },
            words::money((*cost * 100.0).round() as i64)
        );
        let crowded = taken
            .iter()
            .any(|(one, other)| (one - left).abs() < 16.0 && (other - top).abs() < 14.0);
        if !crowded {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\">{number}</text>",
                left + 8.0,
                top - 8.0
            );
            taken.push((left, top));
        }
    }
    svg.push_str("</svg><figcaption>Each point is a plan of the table below; the line is the least risk that can be had for the cost. The filled point is the plan above. Meters without a price are not in it.</figcaption></figure>\n");
    svg
}

/// A round step of which four to ten lead to a number.
fn step(most: f64) -> f64 {
    let power = 10f64.powf(most.max(1.0).log10().floor());
    [0.1, 0.2, 0.5, 1.0]
        .into_iter()
        .map(|part| part * power)
        .find(|step| most / step <= 10.0)
        .unwrap_or(power)
        .max(1.0)
}

/// What stands in a page as itself.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
