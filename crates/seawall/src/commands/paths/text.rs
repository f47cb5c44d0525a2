//! Ways as stories.

use super::*;

pub(super) fn write(answer: &Answer<'_>, width: usize) -> String {
    let graph = answer.graph;
    let mut text = String::new();
    let (sure, possible) = answer.counts;
    if answer.pairs.is_empty() {
        text.push_str("No way from an entry to a jewel");
        text.push_str(if sure + possible == 0 {
            " by what was given.\n"
        } else {
            " that was asked for.\n"
        });
    }
    let mut part = None;
    for (number, pair) in answer.pairs.iter().enumerate() {
        let possible = pair.ways.iter().all(|way| way.possible);
        if part != Some(possible) {
            part = Some(possible);
            text.push_str(if possible {
                "Possible ways\n\n"
            } else {
                "Sure ways\n\n"
            });
        }
        for way in &pair.ways {
            story(answer, number + 1, pair, way, width, &mut text);
            text.push('\n');
        }
        if pair.more {
            text.push_str("   more ways between these: --limit N\n\n");
        }
    }
    if answer.left_out > 0 {
        text.push_str(&format!(
            "{} more pairs of an entry and a jewel: --limit N, --from E, --to J\n\n",
            answer.left_out
        ));
    }
    chokes(answer, &mut text);
    totals(answer, &mut text);
    for gap in &graph.gaps {
        wrap(&format!("Not judged: {gap}."), "", width, &mut text);
    }
    text
}

fn story(
    answer: &Answer<'_>,
    number: usize,
    pair: &Pair,
    way: &Way,
    width: usize,
    text: &mut String,
) {
    let graph = answer.graph;
    let jewel = pair
        .jewel
        .and_then(|jewel| graph.jewels.get(jewel))
        .map_or_else(|| graph.title(pair.to), |jewel| jewel.title.to_string());
    let head = format!("{number}. {} to {jewel}", graph.title(pair.from));
    wrap(&head, "", width, text);
    let entry = pair.entry.and_then(|entry| graph.entries.get(entry));
    if let Some(entry) = entry {
        wrap(&format!("{}.", capital(&entry.because)), "   ", width, text);
        if let Some(doubt) = &entry.doubt {
            wrap(&format!("Perhaps: {doubt}."), "   ", width, text);
        }
    }
    let mut count = 0;
    for step in way.steps.iter().filter_map(|step| graph.step(*step)) {
        if step.edge == Edge::Implied {
            continue;
        }
        count += 1;
        let reached = graph.title(find::lands_on(graph, way, step.gives));
        wrap(
            &format!("{count}) {}", capital(&reached)),
            "   ",
            width,
            text,
        );
        deed(answer, &step, width, text);
    }
    if !pair.alike.is_empty() {
        let names: Vec<String> = pair
            .alike
            .iter()
            .take(5)
            .map(|node| graph.title(*node))
            .collect();
        let more = pair.alike.len().saturating_sub(names.len());
        let mut line = format!("The same from {}", names.join(", "));
        if more > 0 {
            line.push_str(&format!(" and {more} more"));
        }
        line.push('.');
        wrap(&line, "   ", width, text);
    }
}

/// What is done in a step, on what it rests, and what takes it away.
fn deed(answer: &Answer<'_>, step: &Step<'_>, width: usize, text: &mut String) {
    const INDENT: &str = "      ";
    let title = answer.attack.guide.edges.get(step.edge.id());
    let title = title.map_or(step.edge.id(), |title| title);
    wrap(
        &format!("{title} [{}]", step.edge.id()),
        INDENT,
        width,
        text,
    );
    for need in step.needs.iter().skip(1) {
        let held = format!("and holds {}", answer.graph.title(*need));
        wrap(&held, INDENT, width, text);
    }
    for evidence in step.evidence {
        let line = match answer.attack.place(answer.analyses, evidence) {
            Some(place) => format!("{place}  {}", evidence.says),
            None => evidence.says.to_string(),
        };
        wrap(&line, INDENT, width, text);
    }
    if let Some(doubt) = step.doubt {
        wrap(&format!("perhaps: {doubt}"), INDENT, width, text);
    }
    let cut = answer
        .cut_by
        .get(&step.number)
        .map_or(&[][..], Vec::as_slice);
    let mut ids: Vec<String> = cut
        .iter()
        .take(MOST_CUTS)
        .map(|measure| ::guide::measures::id(&answer.attack.guide, *measure))
        .collect();
    if cut.len() > MOST_CUTS {
        ids.push(format!("{} more", cut.len() - MOST_CUTS));
    }
    if !ids.is_empty() {
        wrap(&format!("cut by {}", ids.join(", ")), INDENT, width, text);
    }
}

/// How many measures a step shows.
const MOST_CUTS: usize = 6;

fn chokes(answer: &Answer<'_>, text: &mut String) {
    if answer.chokes.is_empty() {
        return;
    }
    text.push_str("What parts the most, each alone\n");
    for choke in answer.chokes.iter().take(5) {
        text.push_str(&format!(
            "   {:>5} of {}  {}\n",
            choke.parts,
            answer.counts.0,
            ::guide::measures::id(&answer.attack.guide, choke.measure)
        ));
    }
    text.push_str("   `seawall decide` finds the cheapest set that parts them all\n\n");
}

fn totals(answer: &Answer<'_>, text: &mut String) {
    let (sure, possible) = answer.counts;
    text.push_str(&format!(
        "{sure} sure and {possible} possible pairs of an entry and a jewel.\n"
    ));
    for (kind, (all, surely, perhaps)) in &answer.totals {
        text.push_str(&format!(
            "   {:<11} {all:>5} entries, {surely} surely reach a jewel, {perhaps} perhaps\n",
            kind.id()
        ));
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A paragraph; what follows its first line is set further in.
fn wrap(line: &str, indent: &str, width: usize, text: &mut String) {
    let mut column = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if column == 0 {
            text.push_str(indent);
            column = indent.len();
        } else if column + 1 + length > width {
            text.push('\n');
            text.push_str(indent);
            text.push_str("  ");
            column = indent.len() + 2;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
