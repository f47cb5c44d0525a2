//! Fixes that wait for an answer which only the owner has: what is asked, how the answer is given, and asking for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write};

use ::guide::Guide;
use ::guide::answers::{Given, Question, question};
use model::remedy::Wanted;
use report::{clean, count, wrap};

use super::cure::{About, Waiting};

/// A question, with the findings whose fixes wait for its answer.
pub(super) struct Asked<'a> {
    pub(super) question: &'a Question,
    pub(super) about: Option<&'a str>,
    pub(super) findings: Vec<&'a About>,
}

impl Asked<'_> {
    /// What is asked.
    pub(super) fn asks(&self) -> String {
        self.question.asks_about(self.about)
    }

    /// What is typed to answer it. The answer is left to whoever types: one that stands there would be taken.
    pub(super) fn option(&self) -> String {
        let name = &self.question.name;
        match self.about {
            None => format!("--answer {name}=…"),
            Some(about) => format!("--answer '{name}[{}]=…'", about.replace('\'', "'\\''")),
        }
    }
}

/// What is asked, each question once, in the order of the guide's questions.
pub(super) fn questions<'a>(guide: &'a Guide, waiting: &'a [Waiting]) -> Vec<Asked<'a>> {
    let mut by: BTreeMap<(usize, Option<&str>), Asked<'_>> = BTreeMap::new();
    for one in waiting {
        for Wanted { name, about } in &one.wanted {
            let Ok(question) = question(guide, name) else {
                continue;
            };
            let order = guide.questions.iter().position(|own| own.name == *name);
            let about = about.as_deref();
            let asked = by
                .entry((order.unwrap_or_default(), about))
                .or_insert_with(|| Asked {
                    question,
                    about,
                    findings: Vec::new(),
                });
            asked.findings.push(&one.about);
        }
    }
    by.into_values().collect()
}

/// The questions for people.
pub(super) fn page(guide: &Guide, waiting: &[Waiting], width: usize) -> String {
    let mut page = String::new();
    let asked = questions(guide, waiting);
    if asked.is_empty() {
        return page;
    }
    let _ = writeln!(page, "Fixed with an answer that only you know");
    for same in asked.chunk_by(|one, other| one.question.name == other.question.name) {
        let [first, rest @ ..] = same else { continue };
        let asks = if rest.is_empty() {
            first.asks()
        } else {
            first.question.asks.replace("{}", "…")
        };
        let findings: usize = same.iter().map(|one| one.findings.len()).sum();
        let said = format!(
            "{}: {} Such as {}",
            count(findings, "finding"),
            clean(&asks),
            first.question.shown_example()
        );
        for (at, line) in wrap(&said, width.saturating_sub(4)).iter().enumerate() {
            let indent = if at == 0 { "  " } else { "    " };
            let _ = writeln!(page, "{indent}{line}");
        }
        for one in same {
            // Whoever copies it must get all of it.
            let _ = writeln!(page, "    {}", clean(&one.option()));
            let shown = if rest.is_empty() { 3 } else { 1 };
            for about in one.findings.iter().take(shown) {
                let place = format!("{}:{} {}", about.path, about.line, about.guideline);
                let _ = writeln!(page, "      {}", clean(&place));
            }
            if one.findings.len() > shown {
                let _ = writeln!(page, "      and {} more", one.findings.len() - shown);
            }
        }
    }
    page.push('\n');
    page
}

/// Asks what fixes wait for, a line each; an empty line leaves a question open. Says whether anything was answered.
pub(crate) fn ask(
    guide: &Guide,
    waiting: &[Waiting],
    given: &mut Given,
    asked_before: &mut Vec<Wanted>,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> std::io::Result<bool> {
    let mut answered = false;
    for one in questions(guide, waiting) {
        let wanted = Wanted {
            name: one.question.name.clone(),
            about: one.about.map(Into::into),
        };
        if asked_before.contains(&wanted) {
            continue;
        }
        asked_before.push(wanted);
        let findings = count(one.findings.len(), "finding");
        writeln!(out, "{} ({findings})", clean(&one.asks()))?;
        loop {
            write!(
                out,
                "{}, for instance {} [leave it]: ",
                one.question.name,
                one.question.shown_example()
            )?;
            out.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
                writeln!(out)?;
                break;
            }
            match one.question.typed(&line) {
                Ok(value) => {
                    given.put(&one.question.name, one.about, value);
                    answered = true;
                    break;
                }
                Err(why) => writeln!(out, "{why}")?,
            }
        }
    }
    Ok(answered)
}
