//! The options of topics for the terminal: what each costs, shares, needs, rules out and cuts off.

use std::fmt::Write as _;

use guide::Guide;
use guide::guideline::Topic;
use guide::options::{Charge, Quantities, TopicOption};
use guide::prices::Prices;
use model::Range;

use crate::text::{self, wrap};

/// Every option of the guide, by topic: a line with its name and one with its cost.
#[must_use]
pub fn list(guide: &Guide, width: usize) -> String {
    let width = width.max(40);
    let prices = Prices::builtin(guide);
    let mut page = String::new();
    for topic in &guide.topics {
        if !page.is_empty() {
            page.push('\n');
        }
        let _ = writeln!(page, "{}/{}  {}", topic.chapter, topic.id, topic.title);
        for option in &topic.options {
            paragraph(
                &mut page,
                &format!("  {:24} ", option.id),
                &named(option),
                width,
            );
            paragraph(&mut page, "      ", &cost(guide, &prices, option), width);
        }
    }
    let _ = writeln!(
        page,
        "\n{} options; `seawall explain TOPIC` compares those of a topic",
        guide.options().count()
    );
    page
}

/// A topic: its question, its options and its text.
#[must_use]
pub fn topic(guide: &Guide, topic: &Topic, width: usize) -> String {
    let width = width.max(40);
    let prices = Prices::builtin(guide);
    let mut page = String::new();
    paragraph(&mut page, "", &topic.title, width);
    paragraph(&mut page, "  ", &topic.question, width);
    let _ = writeln!(page, "\nOptions");
    for option in &topic.options {
        one(&mut page, guide, &prices, option, width);
    }
    if topic
        .options
        .iter()
        .any(|option| open(guide, &prices, option))
    {
        let note = "“no price”: nobody gave an amount; docs/prices.md says how to fetch them";
        paragraph(&mut page, "  ", note, width);
        page.push('\n');
    }
    for part in topic.prose.split("\n\n") {
        match part.strip_prefix('#') {
            Some(heading) if heading.starts_with('#') => {
                let _ = writeln!(
                    page,
                    "{}",
                    text::plain(heading.trim_start_matches('#').trim())
                );
            }
            // The title of the page is said above.
            Some(_) => {}
            None => {
                paragraph(&mut page, "  ", &text::plain(part), width);
                page.push('\n');
            }
        }
    }
    let own: Vec<&guide::Guideline> = guide
        .guidelines
        .iter()
        .filter(|guideline| guideline.chapter == topic.chapter && guideline.topic == topic.id)
        .collect();
    if !own.is_empty() {
        let _ = writeln!(page, "Guidelines");
        for guideline in own {
            paragraph(
                &mut page,
                &format!("  {:8} {:30} ", guideline.severity.word(), guideline.id.0),
                &guideline.title,
                width,
            );
        }
    }
    if !topic.references.is_empty() {
        let _ = writeln!(page, "\nReferences");
        for reference in &topic.references {
            let _ = writeln!(page, "  {} (seen {})", reference.url, reference.seen);
        }
    }
    page
}

fn one(page: &mut String, guide: &Guide, prices: &Prices, option: &TopicOption, width: usize) {
    let _ = writeln!(page, "  {}", option.id);
    paragraph(page, "    ", &named(option), width);
    paragraph(page, "    ", &text::plain(&option.trade_off), width);
    field(
        page,
        "costs",
        &work(option.effort_days, option.upkeep_hours),
        width,
    );
    for own in &option.price {
        field(page, "charged", &charge(guide, prices, own), width);
    }
    for shared in option.shared.iter().filter_map(|id| guide.shared_cost(id)) {
        let mut said = vec![work(shared.effort_days, shared.upkeep_hours)];
        said.extend(shared.price.iter().map(|own| charge(guide, prices, own)));
        let said = format!(
            "{}: {}, paid once by all that share it",
            shared.title,
            said.join("; ")
        );
        field(page, "shares", &said, width);
    }
    for any in &option.requires {
        field(page, "needs", &any.join(" or "), width);
    }
    if !option.conflicts.is_empty() {
        field(page, "excludes", &option.conflicts.join(", "), width);
    }
    for edge in &option.cuts {
        let title = guide.edges.get(edge).map_or(&**edge, |title| title);
        field(page, "cuts", title, width);
    }
    match (&option.recognised, &option.unseen) {
        (Some(program), _) => {
            let _ = writeln!(page, "    seen by  {}", program.source());
        }
        (None, Some(why)) => field(page, "unseen", &text::plain(why), width),
        (None, None) => {}
    }
    page.push('\n');
}

/// Its title, with what its provider says of it.
fn named(option: &TopicOption) -> String {
    let mut name = option.title.to_string();
    if option.preview {
        name.push_str(" (preview)");
    }
    if let Some(ends) = &option.ends {
        let _ = write!(name, " (ends {ends})");
    }
    name
}

/// `1 to 4 days of work; 1 hour of upkeep a month`
fn work(effort: Range, upkeep: f64) -> String {
    let mut parts = Vec::new();
    if effort.high > 0.0 {
        parts.push(text::effort(effort));
    }
    if upkeep > 0.0 {
        let hours = if upkeep == 1.0 { "hour" } else { "hours" };
        parts.push(format!("{upkeep} {hours} of upkeep a month"));
    }
    if parts.is_empty() {
        return "no work".to_owned();
    }
    parts.join("; ")
}

/// The cost of an option on one line.
fn cost(guide: &Guide, prices: &Prices, option: &TopicOption) -> String {
    let mut parts = vec![work(option.effort_days, option.upkeep_hours)];
    parts.extend(option.price.iter().map(|own| charge(guide, prices, own)));
    let shared = option.shared.iter().filter_map(|id| guide.shared_cost(id));
    parts.extend(shared.map(|shared| format!("shares {}", shared.title)));
    parts.join("; ")
}

/// `Advanced Container Networking Services: 1 × node month per node (6 assumed), no price`
fn charge(guide: &Guide, prices: &Prices, charge: &Charge) -> String {
    let Some(meter) = prices.meter(&charge.meter) else {
        return format!("{}: {}", charge.meter, charge.units);
    };
    let mut said = format!("{}: {} × {}", meter.about, charge.units, meter.unit);
    let amount = Quantities::assumed(guide).get(charge.per.as_deref()).units;
    if let Some(per) = &charge.per {
        let _ = write!(said, " per {per} ({amount} assumed)");
    }
    match prices.of(&charge.meter) {
        Some(price) => {
            let total = text::money(price.of(charge.units * amount), &price.currency);
            let _ = write!(said, ", {total} (seen {})", price.date);
        }
        None => said.push_str(", no price"),
    }
    said
}

/// Whether it is charged by something that nobody priced.
fn open(guide: &Guide, prices: &Prices, option: &TopicOption) -> bool {
    let shared = option.shared.iter().filter_map(|id| guide.shared_cost(id));
    option
        .price
        .iter()
        .chain(shared.flat_map(|shared| &shared.price))
        .any(|charge| prices.of(&charge.meter).is_none())
}

fn field(page: &mut String, name: &str, value: &str, width: usize) {
    paragraph(page, &format!("    {name:8} "), value, width);
}

/// Wrapped text; the lead stands on the first line, later lines are indented as far.
fn paragraph(page: &mut String, lead: &str, text: &str, width: usize) {
    let indent = lead.chars().count();
    for (index, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        let line = if index == 0 {
            format!("{lead}{line}")
        } else {
            format!("{:indent$}{line}", "")
        };
        let _ = writeln!(page, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use guide::Guide;

    use super::{list, topic};

    #[test]
    fn every_option_is_shown_with_what_it_costs() {
        let (guide, _) = Guide::builtin();
        let all = list(&guide, 80);
        let long = all.lines().find(|line| line.chars().count() > 80);
        assert_eq!(long, None);
        for (own, option) in guide.options() {
            assert!(all.contains(&*option.id), "{}", option.id);
            let page = topic(&guide, own, 80);
            let text = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&*option.title), "{}", option.id);
            for charge in &option.price {
                let said = format!("{} ×", charge.units);
                assert!(text.contains(&said), "{} {said}", option.id);
            }
            for any in &option.requires {
                assert!(
                    text.contains(&format!("needs {}", any.join(" or "))),
                    "{}",
                    option.id
                );
            }
            if let Some(program) = &option.recognised {
                // As it is written, so that it can be copied.
                assert!(page.contains(program.source()), "{}", option.id);
            }
        }
        let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(all.contains("Docker Content Trust of the registry (ends 2028-03-31)"));
        assert!(
            all.contains("GB per audit-gb (300 assumed), no price"),
            "{all}"
        );
    }
}
