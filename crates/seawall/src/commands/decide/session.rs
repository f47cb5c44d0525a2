//! A talk about the plan, a line at a time: in a terminal, or from a pipe.

use std::io::{self, IsTerminal as _, Write as _};

use report::decide::advice::{self, Advice, Settled};
use report::decide::{Problem, id_of, words};

use super::{POINTS, find, lines, shown, text};
use crate::output;

const HELP: &str = "\
list PART   measures that cut something here: all, or with PART in their IDs
take ID     have a measure in the plan     leave ID    keep it out
free ID     let seawall decide it again    why ID      why it is in or out
budget N    money a month at most, `budget none` for no limit
effort N    days of work at most, `effort none` for no limit
plan        the plan again                 all         and what it rests on
frontier    what less would buy            quit        end
A part of an ID is enough where only one measure has it. A pair is a start and
something worth reaching; its points of risk are what that is worth times how
likely the start is (`all` says the weights).
";

pub(super) fn run(problem: &mut Problem<'_>, settled: &mut Settled) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    let prompts = io::stdin().is_terminal();
    let mut advice = shown(problem, settled, 0)?;
    let brief = text::brief(problem, settled, &advice, output::width());
    out.write_all(brief.as_bytes())?;
    out.write_all(b"`help` lists the commands.\n")?;
    let mut input = lines();
    loop {
        if prompts {
            out.write_all(b"decide> ")?;
        }
        out.flush()?;
        let Some(line) = input.next() else { break };
        let line = line?;
        let mut words = line.split_whitespace();
        let (word, rest) = (words.next().unwrap_or_default(), words.next());
        let said = match word {
            "" => String::new(),
            "quit" | "exit" | "q" => break,
            "help" | "?" => help(),
            "list" => list(problem, settled, &advice, rest.unwrap_or_default()),
            "plan" => text::brief(problem, settled, &advice, output::width()),
            "all" => {
                advice = shown(problem, settled, POINTS)?;
                text::write(problem, settled, &advice, output::width())
            }
            "frontier" => {
                advice = shown(problem, settled, POINTS)?;
                text::frontier(problem, &advice, output::width())
            }
            "why" => match rest {
                Some(id) => why(problem, settled, &advice, id),
                None => "why what? `why ID`\n".to_owned(),
            },
            _ => match change(problem, settled, word, rest) {
                Ok(()) => {
                    let before: Vec<usize> = advice.measures(problem).collect();
                    advice = shown(problem, settled, 0)?;
                    match changed(problem, &advice, &before) {
                        Some(said) => {
                            said + &text::brief(problem, settled, &advice, output::width())
                        }
                        None => text::unchanged(problem, settled, &advice, output::width()),
                    }
                }
                Err(message) => format!("{message}\n"),
            },
        };
        out.write_all(said.as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

fn change(
    problem: &Problem<'_>,
    settled: &mut Settled,
    word: &str,
    rest: Option<&str>,
) -> Result<(), String> {
    let number = |rest: Option<&str>, times: f64| -> Result<Option<f64>, String> {
        match rest {
            Some("none") => Ok(None),
            Some(text) => text
                .replace(',', "")
                .parse::<f64>()
                .ok()
                .filter(|number| (0.0..=1e9).contains(number))
                .map(|number| Some((number * times).round()))
                .ok_or_else(|| format!("`{text}` is no amount")),
            None => Err(format!("how much? `{word} N` or `{word} none`")),
        }
    };
    match word {
        "budget" => settled.money = number(rest, 100.0)?.map(|cents| cents as i64),
        "effort" => settled.effort = number(rest, 10.0)?.map(|tenths| tenths as u32),
        "take" | "leave" | "free" => {
            let id = rest.ok_or_else(|| format!("what? `{word} ID`"))?;
            let place = meant(problem, id)?;
            settled.taken.remove(&place);
            settled.left.remove(&place);
            match word {
                "take" => drop(settled.taken.insert(place)),
                "leave" => drop(settled.left.insert(place)),
                _ => {}
            }
        }
        _ => return Err(format!("`{word}` is no command; `help` lists them")),
    }
    Ok(())
}

/// What can be said; a line that fits keeps its columns.
fn help() -> String {
    let width = output::width();
    let mut text = String::new();
    for line in HELP.lines() {
        if line.chars().count() <= width {
            text.push_str(line);
        } else {
            text.push_str(&output::folded(line, width.saturating_sub(2).max(20)).join("\n  "));
        }
        text.push('\n');
    }
    text
}

/// The measure that an id, or a part of one, names.
fn meant(problem: &Problem<'_>, id: &str) -> Result<usize, String> {
    let guide = problem.matter.guide;
    let message = match find(problem, id) {
        Ok(place) => return Ok(place),
        Err(message) if guide.guideline(id).is_some() || guide.option(id).is_some() => message,
        Err(message) => {
            let part: Vec<(usize, &str)> = offered(problem, id).collect();
            match part.as_slice() {
                [(place, _)] => return Ok(*place),
                [] => format!("{message}; `list` names those that cut something here"),
                several => {
                    let ids: Vec<&str> = several.iter().take(6).map(|(_, id)| *id).collect();
                    let more = if several.len() > 6 { " and others" } else { "" };
                    format!("it could be {}{more}", ids.join(", "))
                }
            }
        }
    };
    let lines = output::folded(&format!("`{id}`: {message}"), output::width() - 2);
    Err(lines.join("\n  "))
}

/// The measures that can be taken or left and have this in their ids.
fn offered<'p>(problem: &'p Problem<'_>, part: &'p str) -> impl Iterator<Item = (usize, &'p str)> {
    problem
        .question
        .measures
        .iter()
        .zip(&problem.offers)
        .enumerate()
        .filter(move |(_, (measure, offer))| !offer.kept && measure.id.contains(part))
        .map(|(place, (measure, _))| (place, measure.id.as_str()))
}

/// The measures that there are, those of the plan first.
fn list(problem: &Problem<'_>, settled: &Settled, advice: &Advice, part: &str) -> String {
    let plan: Vec<usize> = advice.measures(problem).collect();
    let mut found: Vec<(bool, &str, usize)> = offered(problem, part)
        .map(|(place, id)| (!plan.contains(&place), id, place))
        .collect();
    found.sort_unstable();
    let mut text = String::new();
    let mut before = None;
    for (out, id, place) in found {
        if before != Some(out) {
            before = Some(out);
            text.push_str(if out {
                "Not in the plan\n"
            } else {
                "In the plan\n"
            });
        }
        let Some(measure) = problem.question.measures.get(place) else {
            continue;
        };
        let why = match (
            settled.taken.contains(&place),
            settled.left.contains(&place),
        ) {
            (true, _) => "; you took it",
            (_, true) => "; you left it",
            _ => "",
        };
        let cost = words::money(words::overall(&measure.cost, &settled.rates));
        let said = format!(
            "{id}: {} ({cost} {}{why})",
            measure.title, problem.costs.currency
        );
        for (at, line) in output::folded(&said, output::width() - 4)
            .iter()
            .enumerate()
        {
            let pad = if at == 0 { 2 } else { 4 };
            text.push_str(&format!("{:pad$}{line}\n", ""));
        }
    }
    if text.is_empty() {
        text.push_str(if part.is_empty() {
            "Nothing that the guide still asks for cuts anything here.\n"
        } else {
            "No measure that cuts something here has that in its name.\n"
        });
    }
    text
}

/// What is new in the plan, and what has gone; nothing where it stays.
fn changed(problem: &Problem<'_>, advice: &Advice, before: &[usize]) -> Option<String> {
    let now: Vec<usize> = advice.measures(problem).collect();
    let names = |those: Vec<&usize>| -> String {
        let ids: Vec<&str> = those.iter().map(|place| id_of(problem, **place)).collect();
        ids.join(", ")
    };
    let new = names(now.iter().filter(|place| !before.contains(place)).collect());
    let gone = names(before.iter().filter(|place| !now.contains(place)).collect());
    let mut text = String::new();
    for (word, ids) in [("New in the plan", new), ("No more in it", gone)] {
        if !ids.is_empty() {
            for line in output::folded(&format!("{word}: {ids}"), output::width()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
    text.push('\n');
    (text.len() > 1).then_some(text)
}

fn why(problem: &Problem<'_>, settled: &Settled, advice: &Advice, id: &str) -> String {
    let place = match meant(problem, id) {
        Ok(place) => place,
        Err(message) => return format!("{message}\n"),
    };
    let amount = |cents: i64| format!("{} {}", words::money(cents), problem.costs.currency);
    let mut said = Vec::new();
    if let Some(measure) = problem.question.measures.get(place) {
        said.push(format!(
            "{}: {}. It costs {} a month, {} and {} a month: {} over {}.",
            measure.id,
            measure.title,
            amount(measure.cost.money),
            words::with_unit(&words::days(measure.cost.effort), "day", "days"),
            words::with_unit(&words::hours(measure.cost.upkeep), "hour", "hours"),
            amount(words::overall(&measure.cost, &settled.rates)),
            words::count(settled.rates.months as usize, "month", "months")
        ));
    }
    if let Some(offer) = problem.offers.get(place) {
        let kinds: Vec<&str> = offer.edges.iter().map(|edge| edge.id()).collect();
        said.push(format!("It takes away {}.", kinds.join(", ")));
    }
    let chosen = advice
        .decision
        .chosen
        .iter()
        .find(|chosen| chosen.measure == place);
    if settled.left.contains(&place) {
        said.push("It is out because you left it.".to_owned());
    } else if let Some(chosen) = chosen {
        said.push(format!(
            "It is in the plan: without it {} would be open, and {} saved.",
            words::count(problem.count(&chosen.cuts), "pair", "pairs"),
            amount(chosen.saves.middle)
        ));
        for at in chosen.cuts.iter().take(5) {
            if let Some(pairs) = problem.threats.get(*at) {
                let from = pairs.entries.first().map(|node| problem.graph.title(*node));
                said.push(format!(
                    "  {} to {}{}",
                    from.unwrap_or_default(),
                    problem.graph.title(pairs.jewel),
                    match pairs.entries.len().saturating_sub(1) {
                        0 => String::new(),
                        more => format!(" (and {more} alike)"),
                    }
                ));
            }
        }
        if settled.taken.contains(&place) {
            said.push("You took it.".to_owned());
        }
        for other in &chosen.needed_by {
            said.push(format!("{} requires it.", id_of(problem, *other)));
        }
    } else if let Some(passed) = advice
        .decision
        .passed
        .iter()
        .find(|passed| passed.measure == place)
    {
        said.push(format!(
            "It is not in the plan: {}.",
            advice::why(problem, passed, amount)
        ));
    }
    let mut text = String::new();
    for one in said {
        let indent = one.len() - one.trim_start().len();
        for (at, line) in output::folded(one.trim_start(), output::width() - 4)
            .iter()
            .enumerate()
        {
            let pad = if at == 0 { indent } else { indent + 2 };
            text.push_str(&format!("{:pad$}{line}\n", ""));
        }
    }
    text
}
