//! Words and widths that several formats share.
//!
//! Whatever comes from the input passes through [`clean`] before a person sees it: a manifest
//! must not be able to move the cursor, change colours or reverse the reading direction.
//!
//! What it deliberately leaves out: layout, which each format does in its own way.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use guide::Guideline;
use guide::fix::{Fix, Given, Key, New, Operation, Places, Route};
use model::finding::{Cost, Finding, Location, Range};
use model::resource::ResourceName;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character would do something to a terminal or a reader instead of being seen.
pub(crate) fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with line breaks as spaces and hostile characters spelled out.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hostile) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' => seen.push(' '),
            '\r' => {}
            c if hostile(c) => seen.extend(c.escape_unicode()),
            c => seen.push(c),
        }
    }
    Cow::Owned(seen)
}

/// Columns on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Columns of one character.
pub(crate) fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Breaks a text at spaces (not at no-break spaces) so that no line is wider; what has no space is
/// broken anywhere.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        let wide = width(word);
        if used > 0 && used + 1 + wide <= columns {
            line.push(' ');
            line.push_str(word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            if used + char_width(c) > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += char_width(c);
        }
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// `1 finding`, `2 findings`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ if one.ends_with('y') && !one.ends_with("ay") => {
            format!("{number} {}ies", one.trim_end_matches('y'))
        }
        _ => format!("{number} {one}s"),
    }
}

/// The first sentence of a guideline's prose, as plain text on one line.
pub(crate) fn first_sentence(prose: &str) -> String {
    let paragraph = prose.trim().split("\n\n").next().unwrap_or_default();
    let text = plain(paragraph);
    let mut code = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == '`' {
            code = !code;
        }
        let ends = matches!(c, '.' | '!' | '?') && !code;
        let followed = characters.peek().is_none_or(|(_, next)| *next == ' ');
        if !ends || !followed {
            continue;
        }
        let (sentence, rest) = text.split_at(at + c.len_utf8());
        let abbreviation = ["e.g.", "i.e.", "etc.", "vs.", "cf."]
            .iter()
            .any(|short| sentence.ends_with(short));
        if !abbreviation
            && rest
                .trim_start()
                .chars()
                .next()
                .is_none_or(|next| !next.is_lowercase())
        {
            return sentence.to_owned();
        }
    }
    text
}

/// Markdown's inline marks removed, except code; one line.
pub(crate) fn plain(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    for piece in inline(markdown) {
        match piece {
            Inline::Text(part)
            | Inline::Strong(part)
            | Inline::Emphasis(part)
            | Inline::Link(part, _) => text.push_str(&part),
            Inline::Code(part) => {
                text.push('`');
                text.push_str(&part);
                text.push('`');
            }
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run of Markdown text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    /// as it is
    Text(String),
    /// between backticks
    Code(String),
    /// between two stars
    Strong(String),
    /// between single stars
    Emphasis(String),
    /// text and address
    Link(String, String),
}

/// Splits a paragraph of the guide's Markdown. What is not closed is text.
pub(crate) fn inline(markdown: &str) -> Vec<Inline> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = markdown;
    while let Some(c) = rest.chars().next() {
        let found = match c {
            '`' => between(rest, "`", "`").map(|(inner, after)| (Inline::Code(inner), after)),
            '*' => between(rest, "**", "**")
                .map(|(inner, after)| (Inline::Strong(inner), after))
                .or_else(|| {
                    between(rest, "*", "*").map(|(inner, after)| (Inline::Emphasis(inner), after))
                }),
            '[' => between(rest, "[", "](").and_then(|(label, after)| {
                let (address, after) = after.split_once(')')?;
                Some((Inline::Link(label, address.to_owned()), after))
            }),
            _ => None,
        };
        if let Some((piece, after)) = found {
            if !text.is_empty() {
                pieces.push(Inline::Text(std::mem::take(&mut text)));
            }
            pieces.push(piece);
            rest = after;
        } else {
            text.push(if c == '\n' { ' ' } else { c });
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if !text.is_empty() {
        pieces.push(Inline::Text(text));
    }
    pieces
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<(String, &'t str)> {
    let (inner, after) = text.strip_prefix(open)?.split_once(close)?;
    (!inner.is_empty() && !inner.starts_with(' ')).then(|| (inner.replace('\n', " "), after))
}

/// What a machine would do, an operation each, in the words of the guide's fix blocks.
pub(crate) fn operations(fix: &Fix) -> Vec<String> {
    let own = fix.each.as_deref();
    let new = fix.new.iter().map(|new| match new {
        New::Written(object) => format!("add a {} beside it", object.kind),
        New::Azure(added) if added.is_patch() => format!("refer to it from {}", added.kind),
        New::Azure(added) => format!("add a resource {} beside it", added.kind),
        New::From(writer) => format!("add {} beside it", writer.makes),
    });
    fix.operations
        .iter()
        .map(|operation| {
            let at = route_words(operation.route(), own);
            match operation {
                Operation::Set { value, .. } => match value {
                    Given::Written(value) => format!("set {at} to {value}"),
                    Given::Computed(_, expression) => format!("set {at} from {expression}"),
                },
                Operation::Add { value, .. } => {
                    let (Given::Written(text) | Given::Computed(_, text)) = value;
                    format!("add {text} to {at}")
                }
                Operation::Remove { .. } => format!("remove {at}"),
                Operation::Replace { key, value, .. } => {
                    format!("replace {at} with {key}: {value}")
                }
                Operation::Wrap { within, around, .. } => {
                    let (Given::Written(text) | Given::Computed(_, text)) = around;
                    format!("wrap {at} as {} in {text}", within.join("."))
                }
            }
        })
        .chain(new)
        .collect()
}

/// A fix in full: where it is offered, what it is repeated for, and its operations.
pub(crate) fn fix_lines(fix: &Fix) -> Vec<String> {
    let one_line = |source: &str| source.split_whitespace().collect::<Vec<_>>().join(" ");
    let when = fix.when.iter();
    let when = when.map(|when| format!("only when {}", one_line(when.source())));
    let each = fix.each.iter();
    let each = each.map(|each| {
        let list = one_line(each.program.source());
        format!("for each {} of {list}", each.name)
    });
    let unless = fix.unless.iter();
    let unless =
        unless.map(|(unless, why)| format!("not when {}: {why}", one_line(unless.source())));
    let with = fix.with.iter();
    let with =
        with.map(|with| format!("with {} as {}", one_line(with.program.source()), with.name));
    let asks = fix.asks.iter().map(|asks| match &asks.about {
        Some(about) => format!("asks {} for {}", asks.name, one_line(about.source())),
        None => format!("asks {}", asks.name),
    });
    when.chain(unless)
        .chain(asks)
        .chain(with)
        .chain(each)
        .chain(operations(fix))
        .collect()
}

/// Which checks of a guideline a fix is for, unless it is for all of them.
pub(crate) fn checks_of(guideline: &Guideline, checks: &std::ops::Range<usize>) -> Option<String> {
    let all = guideline.checks.len();
    (checks.len() < all).then(|| {
        let numbers: Vec<String> = checks.clone().map(|at| (at + 1).to_string()).collect();
        let word = if numbers.len() == 1 {
            "check"
        } else {
            "checks"
        };
        format!("{word} {} of {all}", numbers.join(", "))
    })
}

/// The fixes that matter to findings of these checks, without alternatives; all of them where a guideline has one
/// check.
pub(crate) fn fixes<'g>(
    guideline: &'g Guideline,
    checks: &BTreeSet<usize>,
) -> impl Iterator<Item = &'g Fix> {
    let other_way = move |at: usize, fix: &Fix| {
        let before = at.checked_sub(1).and_then(|at| guideline.fixes.get(at));
        before.is_some_and(|before| before.checks == fix.checks)
    };
    let fixes = guideline.fixes.iter().enumerate();
    fixes
        .filter(move |(at, fix)| {
            let matters =
                checks.is_empty() || checks.iter().any(|check| fix.checks.contains(check));
            matters && !other_way(*at, fix)
        })
        .map(|(_, fix)| fix)
}

/// The route below its root; the place that is shown beside it says where that is. What hangs on an item of the
/// fix's own list says so.
fn route_words(route: &Route, own: Option<&Places>) -> String {
    let mut words = String::new();
    if &*route.root == "podMetadata" {
        words.push_str("metadata");
    } else if own.is_some_and(|own| own.name == route.root) {
        let _ = write!(words, "each {}", route.root);
    }
    for key in &route.keys {
        match key {
            Key::Item(name) => {
                let _ = write!(words, "[each {name}]");
            }
            Key::Written(key) if key.contains(['.', '/']) => {
                let _ = write!(words, "[\"{key}\"]");
            }
            Key::Written(key) => {
                if !words.is_empty() {
                    words.push('.');
                }
                words.push_str(key);
            }
        }
    }
    if words.is_empty() {
        "this entry".to_owned()
    } else {
        words
    }
}

/// What following a guideline costs, in words; `None` when nothing is known to cost anything.
pub(crate) fn cost(cost: &Cost) -> Option<String> {
    let mut parts = Vec::new();
    if cost.monthly > 0.0 {
        parts.push(format!("{} EUR a month", cost.monthly));
    }
    if cost.effort_days.high > 0.0 {
        parts.push(effort(cost.effort_days));
    }
    if cost.upkeep_hours > 0.0 {
        let hours = if cost.upkeep_hours == 1.0 {
            "hour"
        } else {
            "hours"
        };
        parts.push(format!("{} {hours} of upkeep a month", cost.upkeep_hours));
    }
    if let Some(breaks) = &cost.breaks {
        let breaks = plain(breaks);
        let verb = if breaks.starts_with("nothing") {
            "breaks"
        } else {
            "may break"
        };
        parts.push(format!("{verb} {breaks}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// An amount in millionths of a currency, rounded to its hundredths; more places where that is nothing.
pub(crate) fn money(micro: i64, currency: &str) -> String {
    let amount = micro as f64 / guide::prices::MICRO;
    if micro != 0 && micro.abs() < 10_000 {
        format!("{amount} {currency}")
    } else {
        format!("{amount:.2} {currency}")
    }
}

pub(crate) fn effort(days: Range) -> String {
    if days.low < days.high {
        format!("{days} days of work")
    } else if days.low == 0.5 {
        "half a day of work".to_owned()
    } else if days.low == 1.0 {
        "a day of work".to_owned()
    } else {
        format!("{days} days of work")
    }
}

/// `path:line:column`, or the address alone where there are no lines.
pub(crate) fn place(location: &Location) -> String {
    if location.live || location.line == 0 {
        return clean(&location.path).into_owned();
    }
    format!(
        "{}:{}:{}",
        clean(&location.path),
        location.line,
        location.column
    )
}

/// `Deployment shop/web`.
pub(crate) fn resource(name: &ResourceName) -> String {
    match name.namespace.as_deref() {
        Some(namespace) => format!(
            "{} {}/{}",
            clean(name.kind.name()),
            clean(namespace),
            clean(&name.name)
        ),
        None => format!("{} {}", clean(name.kind.name()), clean(&name.name)),
    }
}

/// Why a finding does not count, when it does not.
pub(crate) fn set_aside(finding: &Finding) -> Option<String> {
    if let Some(waiver) = &finding.waiver {
        let mut words = format!("waived: {}", clean(&waiver.reason));
        if !waiver.owner.is_empty() {
            let _ = write!(words, " ({})", clean(&waiver.owner));
        }
        if let Some(until) = &waiver.until {
            let _ = write!(words, ", until {}", clean(until));
        }
        return Some(words);
    }
    if finding.in_baseline {
        return Some("known from the baseline".to_owned());
    }
    finding
        .provider_managed
        .then(|| "AKS makes and keeps this object".to_owned())
}

/// Lines below one another: the first behind `label`, which is as wide as the others stand to the right.
#[must_use]
pub fn hanging(label: &str, indent: usize, lines: &[String]) -> String {
    let below = " ".repeat(indent);
    let mut page = String::new();
    for (at, line) in lines.iter().enumerate() {
        let before = if at == 0 { label } else { &below };
        page.push_str(format!("{before}{line}").trim_end());
        page.push('\n');
    }
    page
}

/// A word of a command line, quoted where a shell needs it.
#[must_use]
pub fn shell_word(word: &str) -> String {
    guide::message::shell_word(&clean(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_out_what_would_act_on_a_terminal() {
        assert_eq!(
            clean("a\u{1b}[31mb\u{9b}c\u{202e}d\ne"),
            "a\\u{1b}[31mb\\u{9b}c\\u{202e}d e"
        );
        assert!(matches!(clean("plain ä 漢"), Cow::Borrowed(_)));
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "way"), "1 way");
        assert_eq!(count(2, "way"), "2 ways");
        assert_eq!(count(0, "policy"), "0 policies");
        assert_eq!(count(3, "file"), "3 files");
    }

    #[test]
    fn wraps_by_columns() {
        assert_eq!(
            wrap("aaaa bbbb cc dddddddddddd", 10),
            ["aaaa bbbb", "cc", "dddddddddd", "dd"]
        );
        assert_eq!(wrap("漢字漢字漢字", 8), ["漢字漢字", "漢字"]);
    }

    #[test]
    fn finds_the_first_sentence() {
        assert_eq!(
            first_sentence("Take `a. B` and\n[this](x) e.g. that. More.\n\nRest."),
            "Take `a. B` and this e.g. that."
        );
        assert_eq!(first_sentence("No end"), "No end");
    }

    #[test]
    fn quotes_for_a_shell() {
        assert_eq!(shell_word("deploy/web.yaml"), "deploy/web.yaml");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
    }
}
