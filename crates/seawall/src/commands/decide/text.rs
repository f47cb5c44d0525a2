//! The plan as a table whose sums can be followed by hand, for a terminal.

use analysis::decide::Cost;

use report::decide::advice::{self, Advice, Settled};
use report::decide::sentences::{
    Section, about, about_shared, amount, answer, lacks, sections, stays, without_price,
};
use report::decide::{Problem, words};

use crate::output::folded;

/// Everything.
pub(super) fn write(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    width: usize,
) -> String {
    let mut page = Page::new(width);
    page.plan(problem, settled, advice);
    page.frontier(problem, advice);
    for section in sections(problem, settled, advice) {
        page.section(&section);
    }
    page.text
}

/// Only the answer, for a session.
pub(super) fn brief(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    width: usize,
) -> String {
    let mut page = Page::new(width);
    page.plan(problem, settled, advice);
    if let Some(section) = stays(problem, advice) {
        page.section(&section);
    }
    page.text
}

/// That nothing changed, for a session.
pub(super) fn unchanged(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    width: usize,
) -> String {
    let mut page = Page::new(width);
    page.line("The plan stays.");
    for said in answer(problem, settled, advice) {
        page.wrap(0, &said);
    }
    page.text
}

/// Only the frontier.
pub(super) fn frontier(problem: &Problem<'_>, advice: &Advice, width: usize) -> String {
    let mut page = Page::new(width);
    page.frontier(problem, advice);
    if page.text.is_empty() {
        page.line("Nothing lies between doing nothing and the plan.");
    }
    page.text
}

struct Page {
    width: usize,
    text: String,
}

impl Page {
    const fn new(width: usize) -> Self {
        Self {
            width,
            text: String::new(),
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A paragraph; what follows its first line is set further in.
    fn wrap(&mut self, indent: usize, text: &str) {
        let room = self.width.saturating_sub(indent + 2).max(20);
        for (at, line) in folded(text, room).iter().enumerate() {
            let pad = if at == 0 { indent } else { indent + 2 };
            self.line(&format!("{:pad$}{line}", ""));
        }
    }

    fn section(&mut self, section: &Section) {
        self.line(section.title);
        for item in &section.items {
            self.wrap(2, item);
        }
        self.line("");
    }

    /// How wide the first column is.
    const fn first(&self) -> usize {
        self.width.saturating_sub(43)
    }

    fn row(&mut self, id: &str, cells: [String; 4]) {
        let room = self.first();
        let [money, days, hours, all] = cells;
        let numbers = format!("{money:>10} {days:>10} {hours:>8} {all:>11}");
        if id.chars().count() > room {
            self.line(id);
            self.line(&format!("{:room$} {numbers}", ""));
        } else {
            self.line(&format!("{id:room$} {numbers}"));
        }
    }

    fn cost(&mut self, id: &str, cost: &Cost, lacks: bool, settled: &Settled) {
        let star = if lacks { "*" } else { "" };
        let all = words::money(words::overall(cost, &settled.rates));
        self.row(
            id,
            [
                format!("{}{star}", words::money(cost.money)),
                words::days(cost.effort),
                words::hours(cost.upkeep),
                format!("{all}{star}"),
            ],
        );
    }

    fn plan(&mut self, problem: &Problem<'_>, settled: &Settled, advice: &Advice) {
        for line in answer(problem, settled, advice) {
            for line in folded(&line, self.width) {
                self.line(&line);
            }
        }
        self.line("");
        let measures: Vec<usize> = advice.measures(problem).collect();
        if measures.is_empty() {
            return;
        }
        let months = words::count(settled.rates.months as usize, "month", "months");
        let currency = &problem.costs.currency;
        let words = ["days of", "hours a", "all over"].map(str::to_owned);
        let [days, hours, all] = words;
        self.row("", [format!("{currency} a"), days, hours, all]);
        let words = ["month", "work", "month"].map(str::to_owned);
        let [month, work, upkeep] = words;
        self.row("Do this", [month, work, upkeep, months]);
        for place in measures {
            let (Some(measure), Some(offer)) = (
                problem.question.measures.get(place),
                problem.offers.get(place),
            ) else {
                continue;
            };
            self.cost(&measure.id, &measure.cost, lacks(&offer.bill), settled);
            for line in about(problem, settled, advice, place) {
                self.wrap(2, &line);
            }
        }
        for at in &advice.decision.plan.shared {
            let (Some(shared), Some(bill)) =
                (problem.question.shared.get(*at), problem.shared.get(*at))
            else {
                continue;
            };
            let id = format!("shared: {}", shared.id);
            self.cost(&id, &shared.cost, lacks(bill), settled);
            for line in about_shared(problem, advice, *at) {
                self.wrap(2, &line);
            }
        }
        self.totals(problem, settled, advice);
    }

    fn totals(&mut self, problem: &Problem<'_>, settled: &Settled, advice: &Advice) {
        let unpriced = advice.unpriced(problem);
        let total = advice.decision.plan.totals;
        self.line(&"-".repeat(self.width));
        self.cost("In all", &total.cost, !unpriced.is_empty(), settled);
        if total.low != total.high {
            let text = format!(
                "from {} to {}, by the two ends of the work",
                amount(problem, total.low),
                amount(problem, total.high)
            );
            self.wrap(2, &text);
        }
        if let Some(note) = without_price(&unpriced) {
            self.wrap(0, &note);
        }
        self.line("");
    }

    fn frontier(&mut self, problem: &Problem<'_>, advice: &Advice) {
        let frontier = &advice.decision.frontier;
        let points = advice.points(problem);
        if points.len() < 2 {
            return;
        }
        let fixed = advice.fixed_risk(problem);
        let all = problem.weight(0..problem.threats.len()).max(1);
        self.line("What less would buy");
        self.line(&format!(
            "  {:>11} {:>12} {:>8} {:>16} {:>9}",
            format!("{} a month", problem.costs.currency),
            "days of work",
            "hours",
            "risk left",
            "measures"
        ));
        let mut starred = false;
        for point in &points {
            let risk = u64::try_from(point.risk).unwrap_or_default() + fixed;
            let lacks = !advice::unpriced(problem, &point.measures, &point.shared).is_empty();
            starred |= lacks;
            let star = if lacks { "*" } else { "" };
            let share = 100.0 * risk as f64 / all as f64;
            self.line(&format!(
                "  {:>11} {:>12} {:>8} {:>16} {:>9}{}",
                format!("{}{star}", words::money(point.totals.cost.money)),
                words::days(point.totals.cost.effort),
                words::hours(point.totals.cost.upkeep),
                format!("{} ({share:.0} %)", words::risk(risk)),
                advice::without_kept(problem, &point.measures).count(),
                match (advice.is_plan(point), point.proven) {
                    (true, _) => " this plan",
                    (false, true) => "",
                    (false, false) => " unproven",
                }
            ));
        }
        if starred {
            self.line("  * plus meters without a price");
        }
        if !frontier.complete {
            self.line("  There are others between these.");
        }
        self.line("");
    }
}
