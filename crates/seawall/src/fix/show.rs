//! What would be written, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use ::guide::Guide;
use model::Safety;
use report::{clean, count, wrap};
use serde_json::json;

use super::beside::Beside;
use super::cure::{About, Cure, Left, Numbered, Waiting};
use super::hidden::Hidden;
use super::hunks::{Hunk, Line, hunks};
use super::languages::is_template;
use super::prove::Proved;
use super::waiting;

/// Everything that is shown.
pub(crate) struct Shown<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) hidden: &'a Hidden,
    pub(crate) cures: &'a [Cure],
    pub(crate) proved: &'a Proved,
    pub(crate) left: &'a [Left],
    /// Findings whose fixes wait for answers.
    pub(crate) waiting: &'a [Waiting],
    /// It has been written.
    pub(crate) written: bool,
    /// Findings whose cures were held back because they may break a workload.
    pub(crate) held_back: usize,
}

/// A document that changes, with what cures it.
struct Part<'a> {
    path: &'a Arc<str>,
    /// The file does not exist yet.
    new: bool,
    /// It is deleted.
    gone: bool,
    cures: Vec<Numbered<'a>>,
    hunks: Vec<Hunk>,
}

impl Shown<'_> {
    /// The documents that change, in order.
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let mut by_file = self.by_file();
        for (path, file) in &self.proved.texts.files {
            let cures = by_file.remove(path).unwrap_or_default();
            let mut hidden = self.hidden.texts(path, &file.before);
            if cures.iter().any(|(_, cure)| cure.rendered_by.is_some()) {
                hidden.extend(Hidden::of_source(self.guide, &file.before));
            }
            for (_, cure) in &cures {
                hidden.extend(cure.defaults_in(path, &file.before));
            }
            let mut all = hunks(&file.before, &file.edits);
            for line in all.iter_mut().flat_map(|hunk| &mut hunk.lines) {
                let (Line::Same(text) | Line::Gone(text) | Line::New(text)) = line;
                for secret in &hidden {
                    if text.contains(secret) {
                        *text = text.replace(secret, "****");
                    }
                }
            }
            // What is inserted before the `---` of a document stands in the one before.
            let template = cures.iter().any(|(_, cure)| is_template(cure));
            let starts: Vec<u32> = if template {
                vec![1]
            } else {
                yaml::documents(&file.before)
                    .map(|raw| raw.line + u32::from(raw.text.starts_with("---")))
                    .collect()
            };
            let document_of = |line: usize, goes: bool| {
                // A `---` that goes, goes with its document.
                let line = line + usize::from(goes);
                let begun = starts.partition_point(|start| *start as usize <= line);
                begun.saturating_sub(1) as u32
            };
            let mut by_document: BTreeMap<u32, Part<'_>> = BTreeMap::new();
            let part = || Part {
                path,
                new: file.new,
                gone: file.gone,
                cures: Vec::new(),
                hunks: Vec::new(),
            };
            for (number, cure) in cures {
                let document = if cure.makes(path) { 0 } else { cure.document };
                by_document
                    .entry(document)
                    .or_insert_with(part)
                    .cures
                    .push((number, cure));
            }
            for hunk in all {
                // A hunk may begin with lines of the document before.
                let first = hunk
                    .lines
                    .iter()
                    .position(|line| !matches!(line, Line::Same(_)))
                    .unwrap_or(0);
                let goes = matches!(hunk.lines.get(first), Some(Line::Gone(line)) if line.starts_with("---"));
                let document = document_of(hunk.old + first, goes);
                let key = by_document
                    .range(..=document)
                    .next_back()
                    .map_or(document, |(key, _)| *key);
                by_document.entry(key).or_insert_with(part).hunks.push(hunk);
            }
            parts.extend(by_document.into_values());
        }
        parts
    }

    /// The cures that hold, by the files that they change. One that changes nothing is told where it makes something.
    fn by_file(&self) -> BTreeMap<&Arc<str>, Vec<Numbered<'_>>> {
        let mut by_file: BTreeMap<&Arc<str>, Vec<Numbered<'_>>> = BTreeMap::new();
        for number in &self.proved.held {
            let Some(cure) = self.cures.get(*number) else {
                continue;
            };
            let mut files = self.proved.texts.changed((*number, cure));
            if cure.changes.is_empty() {
                files.extend(cure.beside.iter().map(|beside| &beside.path));
            }
            for path in files {
                by_file.entry(path).or_default().push((*number, cure));
            }
        }
        by_file
    }

    fn numbers(&self) -> (usize, usize) {
        let cures = self.proved.held.iter();
        let cured = cures.filter_map(|number| self.cures.get(*number));
        cured.fold((0, 0), |(safe, other), cure| {
            let findings = cure.cured.len();
            if cure.safety == Safety::Safe {
                (safe + findings, other)
            } else {
                (safe, other + findings)
            }
        })
    }
}

/// Colours of the diff.
struct Paint(bool);

impl Paint {
    fn on(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The page for people.
pub(crate) fn text(shown: &Shown<'_>, options: report::terminal::Options) -> String {
    let (paint, width) = (Paint(options.colour), options.width);
    let mut page = parts(shown, options);
    not_fixed(&mut page, shown, width);
    page.push_str(&waiting::page(shown.guide, shown.waiting, width));
    summary(&mut page, shown, &paint, width);
    page
}

/// The documents that change: what is cured, and the diff.
pub(crate) fn parts(shown: &Shown<'_>, options: report::terminal::Options) -> String {
    let (paint, width) = (Paint(options.colour), options.width);
    let mut page = String::new();
    for part in shown.parts() {
        let about = part.cures.first().and_then(|(_, cure)| cure.cured.first());
        let name = match about {
            Some(about) => format!("{}  {}", clean(part.path), clean(&objects(&part, about))),
            None if part.new => format!("{}  belongs to it", clean(part.path)),
            None => continue,
        };
        let _ = writeln!(page, "{}", paint.on("1", &name));
        for line in cured(&part, shown.guide, &paint, width) {
            let _ = writeln!(page, "{line}");
        }
        if part.new {
            let _ = writeln!(page, "  {}", paint.on("1", "--- /dev/null"));
            let to = format!("+++ {}", clean(part.path));
            let _ = writeln!(page, "  {}", paint.on("1", &to));
        }
        if part.gone {
            let from = format!("--- {}", clean(part.path));
            let _ = writeln!(page, "  {}", paint.on("1", &from));
            let _ = writeln!(page, "  {}", paint.on("1", "+++ /dev/null"));
        }
        for hunk in &part.hunks {
            diff(&mut page, hunk, &paint);
        }
        page.push('\n');
    }
    page
}

/// The object that a part is about; how many, when there are several.
fn objects(part: &Part<'_>, about: &About) -> String {
    let cured = part.cures.iter().flat_map(|(_, cure)| &cure.cured);
    let names: BTreeSet<String> = cured.map(|about| about.resource.id()).collect();
    match names.len() {
        0 | 1 => resource(about),
        many => format!(
            "{} and {}",
            resource(about),
            count(many - 1, "other object")
        ),
    }
}

/// `Deployment shop/web`.
fn resource(about: &About) -> String {
    let name = &about.resource;
    match &name.namespace {
        Some(namespace) => format!("{} {namespace}/{}", name.kind.name(), name.name),
        None => format!("{} {}", name.kind.name(), name.name),
    }
}

fn title<'g>(guide: &'g Guide, about: &About) -> &'g str {
    let guideline = guide.guideline(&about.guideline);
    guideline.map_or("", |guideline| &guideline.title)
}

/// What a document is cured of: each guideline once, with how often.
fn cured(part: &Part<'_>, guide: &Guide, paint: &Paint, width: usize) -> Vec<String> {
    let mut by: BTreeMap<(std::cmp::Reverse<model::Severity>, &str), (Safety, &About, usize)> =
        BTreeMap::new();
    for (_, cure) in &part.cures {
        for about in &cure.cured {
            let key = (std::cmp::Reverse(about.severity), &*about.guideline);
            let entry = by.entry(key).or_insert((cure.safety, about, 0));
            entry.2 += 1;
            if cure.safety == Safety::Unsafe {
                entry.0 = Safety::Unsafe;
            }
        }
    }
    let mut lines = Vec::new();
    for ((_, id), (safety, about, number)) in by {
        let (word, code) = match safety {
            Safety::Safe => ("safe  ", "32"),
            Safety::Unsafe => ("unsafe", "33"),
        };
        let times = if number > 1 {
            format!(" (×{number})")
        } else {
            String::new()
        };
        let said = format!("{id}: {}{times}", clean(title(guide, about)));
        for (at, line) in wrap(&said, width.saturating_sub(10)).iter().enumerate() {
            lines.push(if at == 0 {
                format!("  {}  {line}", paint.on(code, word))
            } else {
                format!("          {line}")
            });
        }
    }
    let whys = part.cures.iter().filter_map(|(_, cure)| cure.way.why());
    for why in whys.collect::<BTreeSet<_>>() {
        for line in wrap(&clean(why), width.saturating_sub(10)) {
            lines.push(format!("          {line}"));
        }
    }
    lines
}

fn diff(page: &mut String, hunk: &Hunk, paint: &Paint) {
    let (old, new) = hunk.sizes();
    // What comes into an empty file comes behind its line 0, and what leaves nothing leaves its line 0.
    let first = hunk.old - usize::from(old == 0);
    let then = hunk.new - usize::from(new == 0);
    let head = format!("@@ -{first},{old} +{then},{new} @@");
    let _ = writeln!(page, "  {}", paint.on("36", &head));
    for line in &hunk.lines {
        let line = match line {
            Line::Same(text) => format!(" {}", visible(text)),
            Line::Gone(text) => paint.on("31", &format!("-{}", visible(text))),
            Line::New(text) => paint.on("32", &format!("+{}", visible(text))),
        };
        let _ = writeln!(page, "  {line}");
    }
}

/// A line as it stands, but what would move the cursor spelled out.
fn visible(line: &str) -> String {
    line.split('\t').map(clean).collect::<Vec<_>>().join("\t")
}

/// The findings with a fix that stay, by reason.
fn not_fixed(page: &mut String, shown: &Shown<'_>, width: usize) {
    let mut by: BTreeMap<&str, Vec<&About>> = BTreeMap::new();
    for left in shown.left {
        by.entry(&left.why).or_default().push(&left.about);
    }
    for (number, why) in &shown.proved.dropped {
        if let Some(cure) = shown.cures.get(*number) {
            by.entry(why).or_default().extend(&cure.cured);
        }
    }
    if by.is_empty() {
        return;
    }
    let _ = writeln!(page, "Not fixed here");
    for (why, findings) in by {
        let said = format!("{}: {}", count(findings.len(), "finding"), clean(why));
        for (at, line) in wrap(&said, width.saturating_sub(4)).iter().enumerate() {
            let indent = if at == 0 { "  " } else { "    " };
            let _ = writeln!(page, "{indent}{line}");
        }
        for about in findings.iter().take(3) {
            let place = format!("{}:{} {}", about.path, about.line, about.guideline);
            let _ = writeln!(page, "    {}", clean(&place));
        }
        if findings.len() > 3 {
            let _ = writeln!(page, "    and {} more", findings.len() - 3);
        }
    }
    page.push('\n');
}

fn summary(page: &mut String, shown: &Shown<'_>, paint: &Paint, width: usize) {
    let (safe, other) = shown.numbers();
    let files = shown.proved.texts.files.len();
    let say = |page: &mut String, text: &str| {
        for line in wrap(text, width) {
            let _ = writeln!(page, "{line}");
        }
    };
    let held = shown.held_back;
    if safe + other == 0 && shown.written && held > 0 {
        let (findings, has, them) = if held == 1 {
            (count(held, "finding"), "has", "it")
        } else {
            (count(held, "finding"), "have", "them")
        };
        say(
            page,
            &format!(
                "Nothing was written: {findings} {has} a fix that may break a workload. `seawall fix PATH` shows {them}, `--write --unsafe` writes {them}."
            ),
        );
    } else if safe + other == 0 {
        say(
            page,
            if shown.waiting.is_empty() {
                "Nothing to fix here."
            } else {
                "Nothing to fix here without an answer."
            },
        );
    } else {
        let verb = if shown.written { "Fixed" } else { "Would fix" };
        let kinds = match (safe, other) {
            (_, 0) => "all safe".to_owned(),
            (0, _) => "which may break a workload: read them".to_owned(),
            _ => format!("{safe} safe, {other} that may break a workload"),
        };
        let line = format!(
            "{verb} {} in {} ({kinds}). Each was tried: the finding is gone, and no other verdict is worse.",
            count(safe + other, "finding"),
            count(files, "file"),
        );
        for (at, line) in wrap(&line, width).iter().enumerate() {
            let line = if at == 0 {
                paint.on("1", line)
            } else {
                line.clone()
            };
            let _ = writeln!(page, "{line}");
        }
    }
    if !shown.written && safe > 0 {
        say(page, "`seawall fix PATH --write` writes the safe ones.");
    }
    if !shown.written && other > 0 {
        say(
            page,
            "`seawall fix PATH --write --unsafe` writes all; `--interactive` asks for each.",
        );
    }
    if shown.written && held > 0 && safe + other > 0 {
        let held = count(held, "finding");
        say(
            page,
            &format!(
                "{held} more have a fix that may break a workload: `seawall fix PATH` shows them, `--unsafe` writes them."
            ),
        );
    }
}

/// What a cure does, a sentence each.
pub(crate) fn operations(cure: &Cure) -> Vec<String> {
    let changes = cure.changes.iter().map(super::cure::in_words);
    let made = cure.beside.iter().map(Beside::in_words);
    let added = cure.added.iter().map(super::cure::added_in_words);
    changes.chain(made).chain(added).collect()
}

/// `seawall.fix/v1`.
pub(crate) fn json(shown: &Shown<'_>) -> anyhow::Result<String> {
    let finding = |about: &About| {
        json!({
            "guideline": &*about.guideline,
            "title": title(shown.guide, about),
            "severity": about.severity.word(),
            "message": about.message,
            "resource": about.resource.id(),
            "path": &*about.path,
            "line": about.line,
        })
    };
    let mut changes = Vec::new();
    for part in shown.parts() {
        let cures: Vec<_> = part
            .cures
            .iter()
            .map(|(_, cure)| {
                json!({
                    "safety": cure.safety.word(),
                    "renderedBy": cure.rendered_by.as_deref(),
                    "why": cure.way.why(),
                    "operations": operations(cure),
                    "findings": cure.cured.iter().map(finding).collect::<Vec<_>>(),
                })
            })
            .collect();
        let mut diff_text = String::new();
        for hunk in &part.hunks {
            diff(&mut diff_text, hunk, &Paint(false));
        }
        let diff_lines: Vec<&str> = diff_text
            .lines()
            .map(|line| line.strip_prefix("  ").unwrap_or(line))
            .collect();
        changes.push(json!({
            "path": &**part.path,
            "new": part.new,
            "deleted": part.gone,
            "fixes": cures,
            "diff": diff_lines,
        }));
    }
    let mut left: Vec<_> = shown
        .left
        .iter()
        .map(|left| {
            json!({ "finding": finding(&left.about), "safety": left.safety.word(), "why": left.why })
        })
        .collect();
    for (number, why) in &shown.proved.dropped {
        if let Some(cure) = shown.cures.get(*number) {
            for about in &cure.cured {
                left.push(
                    json!({ "finding": finding(about), "safety": cure.safety.word(), "why": why }),
                );
            }
        }
    }
    let waits: Vec<_> = waiting::questions(shown.guide, shown.waiting)
        .into_iter()
        .map(|asked| {
            json!({
                "answer": asked.question.name,
                "about": asked.about,
                "asks": asked.asks(),
                "must": asked.question.must.1,
                "option": asked.option(),
                "example": asked.question.example,
                "findings": asked.findings.iter().map(|about| finding(about)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let (safe, other) = shown.numbers();
    let report = json!({
        "schema": "seawall.fix/v1",
        "tool": { "name": "seawall", "version": env!("CARGO_PKG_VERSION") },
        "written": shown.written,
        "changes": changes,
        "notFixed": left,
        "waiting": waits,
        "summary": {
            "files": shown.proved.texts.files.len(),
            "safe": safe,
            "unsafe": other,
            "heldBack": shown.held_back,
            "notFixed": left.len(),
            "waiting": shown.waiting.len(),
        },
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}
