//! Which reports are wanted, and where they go.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use model::GuidelineId;
use report::Sink;

use crate::failure::Failure;

/// One `--format F[=FILE]`.
pub(crate) struct Wanted {
    pub(crate) format: String,
    pub(crate) file: Option<String>,
}

const KNOWN: [&str; 8] = [
    "terminal",
    "json",
    "sarif",
    "html",
    "junit",
    "markdown",
    "csv",
    "policyreport",
];

pub(crate) fn parse(words: &[String]) -> anyhow::Result<Vec<Wanted>> {
    parse_of(words, &KNOWN)
}

/// The formats that are wanted of those that a command knows; the first is the default.
pub(crate) fn parse_of(words: &[String], known: &[&str]) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for word in words {
        let (format, file) = match word.split_once('=') {
            Some((format, file)) => (format, Some(file.to_owned())),
            None => (word.as_str(), None),
        };
        if !known.contains(&format) {
            return Err(Failure::new(format!(
                "there is no format `{format}`; there are {}",
                known.join(", ")
            ))
            .into());
        }
        wanted.push(Wanted {
            format: format.to_owned(),
            file,
        });
    }
    if wanted.iter().filter(|one| one.file.is_none()).count() > 1 {
        return Err(
            Failure::new("two formats would be written to standard output")
                .help(format!(
                    "give the others a file: `--format {0}=out.{0}`",
                    known.get(2).copied().unwrap_or("json")
                ))
                .into(),
        );
    }
    if wanted.is_empty() {
        wanted.push(Wanted {
            format: known.first().copied().unwrap_or_default().to_owned(),
            file: None,
        });
    }
    Ok(wanted)
}

/// Opens a sink for each; `selected` are the guidelines in question.
pub(crate) fn open(
    wanted: &[Wanted],
    selected: &[GuidelineId],
    baseline: bool,
) -> anyhow::Result<Vec<Box<dyn Sink>>> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    for one in wanted {
        let out: Box<dyn Write> = match &one.file {
            Some(file) => {
                let created = std::fs::File::create(file)
                    .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?;
                Box::new(BufWriter::new(created))
            }
            None => Box::new(BufWriter::new(io::stdout())),
        };
        sinks.push(match one.format.as_str() {
            "json" => Box::new(report::json::new(out)),
            "sarif" => Box::new(report::sarif::new(out, baseline)),
            "html" => Box::new(report::html::new(out, selected.to_vec())),
            "junit" => Box::new(report::junit::new(out, selected.to_vec())),
            "markdown" => Box::new(report::markdown::new(out)),
            "csv" => Box::new(report::csv::new(out)),
            "policyreport" => Box::new(report::policyreport::new(out)),
            _ => Box::new(report::terminal::new(out, terminal(one.file.is_some()))),
        });
    }
    Ok(sinks)
}

/// Colours only on a terminal that wants them; the width of the terminal, at most 120.
pub(crate) fn terminal(to_file: bool) -> report::terminal::Options {
    let here = !to_file && io::stdout().is_terminal();
    let colour = here
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        || !to_file && std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    report::terminal::Options {
        width: if to_file { 80 } else { width() },
        colour,
    }
}

/// The columns to wrap at: what `COLUMNS` says, else the terminal's, at most 120; 80 in a pipe.
pub(crate) fn width() -> usize {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let measured = || {
        terminal_size::terminal_size()
            .map(|(width, _)| usize::from(width.0))
            .filter(|_| io::stdout().is_terminal())
    };
    said.or_else(measured).unwrap_or(80).min(120)
}

/// Says something to people on standard error: `error: …`. On a terminal it is broken at spaces, but never
/// within a command in backticks; a pipe gets it in one line, to be searched.
pub(crate) fn say(first: &str, text: &str) -> io::Result<()> {
    let mut stderr = anstream::stderr().lock();
    let columns = io::stderr().is_terminal().then(width);
    stderr.write_all(said(first, text, columns).as_bytes())
}

fn said(first: &str, text: &str, columns: Option<usize>) -> String {
    let text = format!("{first}: {text}");
    let Some(columns) = columns else {
        return format!("{text}\n");
    };
    let indent = text.len() - text.trim_start().len();
    let lines = folded(text.trim_start(), columns.saturating_sub(indent + 2));
    let mut page = String::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = if at == 0 { indent } else { indent + 2 };
        page.push_str(&" ".repeat(indent));
        page.push_str(line);
        page.push('\n');
    }
    page
}

/// A text in lines of so many columns; what stands in backticks stays in one where it fits.
pub(crate) fn folded(text: &str, columns: usize) -> Vec<String> {
    const TIED: char = '\u{a0}';
    // Every second part stands between quotes; what is longer than a line has to be broken somewhere.
    let parts = text.split('`').enumerate().map(|(at, part)| {
        let fits = part.chars().count() + 2 <= columns;
        if at % 2 == 1 && fits {
            part.replace(' ', &TIED.to_string())
        } else {
            part.to_owned()
        }
    });
    let tied = parts.collect::<Vec<_>>().join("`");
    report::wrap(&tied, columns)
        .iter()
        .map(|line| line.replace(TIED, " "))
        .collect()
}

/// A text as the dot language writes it.
pub(crate) fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text within the quotes of Mermaid, which reads entities there.
pub(crate) fn mermaid_text(text: &str) -> String {
    text.replace('&', "#amp;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_command_that_fits_in_no_line_is_broken_between_words() {
        let text = "renewed `cargo xtask azure-roles --from LIST.json --seen DATE`, by hand";
        assert_eq!(
            super::folded(text, 30),
            [
                "renewed `cargo xtask",
                "azure-roles --from LIST.json",
                "--seen DATE`, by hand"
            ]
        );
    }

    #[test]
    fn a_command_stays_in_one_line_where_it_fits() {
        let text =
            "choose another cluster, or write it again: `az aks get-credentials --name shop`";
        assert_eq!(said("  help", text, None), format!("  help: {text}\n"));
        assert_eq!(
            said("  help", text, Some(60)),
            "  help: choose another cluster, or write it again:\n    `az aks get-credentials --name shop`\n"
        );
    }
}
