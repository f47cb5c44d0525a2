//! Trying a guideline's fix on its own bad examples.

use model::finding::{Finding, Outcome};
use model::remedy::{Addition, Change, NewObject, Step, addition};
use yaml::edit::{self, Editor};

use super::{Outcomes, judged};
use crate::catalogue::Guide;
use crate::guideline::{Example, ExampleFile, Expectation, Guideline};
use crate::remedy;

/// What a fix did for one example.
#[derive(Debug, Default)]
pub struct Tried {
    /// Findings that it takes away.
    pub cured: usize,
    /// Findings that it was tried on and that stay, with why.
    pub stays: Vec<String>,
    /// The example after it, with the objects that it made as further files.
    pub after: Option<Example>,
    /// The Azure resources that it added, each once.
    pub added: Vec<Addition>,
}

/// Applies the fix of a guideline to each finding in a bad example, all at once.
///
/// # Errors
/// When the example cannot be judged, before or after.
pub fn fixed(guide: &Guide, guideline: &Guideline, example: &Example) -> Result<Tried, String> {
    let mut tried = Tried::default();
    let written = example.files.iter().all(|file| !file.live);
    if guideline.fixes.is_empty() || example.expectation != Expectation::Bad || !written {
        return Ok(tried);
    }
    let before = judged(guide, guideline, example, false, true)?;
    let mut after = example.clone();
    let mut done: Vec<&Finding> = Vec::new();
    let mut all_added: Vec<Addition> = Vec::new();
    for (number, file) in after.files.iter_mut().enumerate() {
        let template = &*file.language == "json";
        let mut editor = Editor::new(&file.text, options(template));
        let mut seen = Vec::new();
        let mut added: Vec<&Addition> = Vec::new();
        for finding in &before.findings {
            let Some(remedy) = finding.remedy.as_deref() else {
                continue;
            };
            let nothing = remedy.changes.is_empty() && remedy.added.is_empty();
            if remedy.origin.path.parse() != Ok(number) || nothing {
                continue;
            }
            if remedy.added.iter().any(|one| !added.contains(&one)) {
                let path = &*remedy.origin.path;
                let operations = addition::operations(&remedy.added, path, &file.text)?;
                if let Err(refusal) = editor.apply(0, &operations) {
                    return Err(format!("{}: {refusal}", finding.message));
                }
                added.extend(&remedy.added);
                all_added.extend(remedy.added.iter().cloned());
            }
            let document = if template { 0 } else { remedy.origin.index };
            if !remedy.changes.is_empty() && !seen.contains(&(document, &remedy.changes)) {
                let of_template = finding.resource.kind == model::azure::template::kind();
                let operations = if of_template {
                    declarations(&file.text, &remedy.changes)
                } else if template {
                    in_template(&mut editor, &remedy.changes)
                } else {
                    remedy::operations(&remedy.changes)
                }?;
                if let Err(refusal) = editor.apply(document, &operations) {
                    let refused = format!("{}: {refusal}", finding.message);
                    tried.stays.push(refused);
                    continue;
                }
                seen.push((document, &remedy.changes));
            }
            done.push(finding);
        }
        let outcome = editor.finish();
        if let Some((_, refusal)) = outcome.refused.first() {
            return Err(format!("the fix was not made: {refusal}"));
        }
        file.text = edit::apply(&file.text, &outcome.edits).into();
    }
    done.extend(add_new(&before.findings, &mut after)?);
    if done.is_empty() {
        return Ok(tried);
    }
    let again = judged(guide, guideline, &after, false, false)?;
    if let Some(why) = again.unread.first() {
        return Err(format!("after the fix the example cannot be read: {why}"));
    }
    for finding in done {
        let about = |other: &&Finding| {
            other.outcome == Outcome::Fail
                && other.resource == finding.resource
                && other.check == finding.check
        };
        let counts = |outcomes: &Outcomes| outcomes.findings.iter().filter(about).count();
        let same = |other: &Finding| about(&other) && other.message == finding.message;
        if again.findings.iter().any(same) && counts(&again) >= counts(&before) {
            tried.stays.push(finding.message.clone());
        } else {
            tried.cured += 1;
        }
    }
    tried.after = Some(after);
    tried.added = all_added;
    Ok(tried)
}

/// Adds the objects that findings ask for, each once, and says which findings ask for nothing else.
fn add_new<'f>(findings: &'f [Finding], after: &mut Example) -> Result<Vec<&'f Finding>, String> {
    let mut made: Vec<&NewObject> = Vec::new();
    let mut done = Vec::new();
    for finding in findings {
        let Some(remedy) = finding.remedy.as_deref() else {
            continue;
        };
        for new in &remedy.new {
            let same = |other: &&&NewObject| {
                (&other.kind, &other.namespace, &other.name)
                    == (&new.kind, &new.namespace, &new.name)
            };
            match made.iter().find(same) {
                Some(other) if *other == new => {}
                Some(_) => {
                    return Err(format!(
                        "two findings ask for different {} `{}`",
                        new.kind, new.name
                    ));
                }
                None => made.push(new),
            }
        }
        if remedy.changes.is_empty() && !remedy.new.is_empty() {
            done.push(finding);
        }
    }
    let files = made.iter().map(|new| ExampleFile {
        language: "yaml".into(),
        text: (&*new.text).into(),
        line: 1,
        live: false,
    });
    after.files.extend(files);
    Ok(done)
}

fn options(template: bool) -> edit::Options {
    if template {
        edit::Options {
            format: edit::Format::Jsonc,
            any_case: true,
            ..edit::Options::default()
        }
    } else {
        edit::Options::default()
    }
}

/// Changes of how the parameters of a template are declared.
fn declarations(text: &str, changes: &[Change]) -> Result<Vec<edit::Operation>, String> {
    let mut operations = Vec::new();
    for change in changes {
        let (act, name) = model::remedy::declared(change).ok_or("no declaration is changed")?;
        let place = name.span.start as usize..name.span.end as usize;
        operations.extend(model::remedy::declaration::operations(text, &place, act)?);
    }
    Ok(operations)
}

/// Changes of an Azure resource as operations on the template that it is written in.
fn in_template(
    editor: &mut Editor<'_>,
    changes: &[Change],
) -> Result<Vec<edit::Operation>, String> {
    let mut moved = Vec::new();
    for change in changes {
        let found = change.written.iter().rev().find_map(|written| {
            let below = change
                .at
                .get(written.steps..)
                .filter(|below| !below.is_empty())?;
            let route = editor.route_to(0, written.span.start as usize).ok()?;
            Some((route, below))
        });
        let (route, below) = found.ok_or("nothing on its way is written in the template")?;
        let steps = route.into_iter().map(|step| match step {
            edit::Step::Key(key) => Step::Key(key),
            edit::Step::Index(index) => Step::Index(index),
        });
        moved.push(Change {
            at: steps.chain(below.iter().cloned()).collect(),
            ..change.clone()
        });
    }
    remedy::operations(&moved)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::fixed;
    use crate::catalogue::Guide;
    use crate::fix::{Fix, New};

    /// The guide as it lies in the repository: whoever writes a fix need not build anything to try it.
    fn guide() -> Guide {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide"));
        let files = oracle::texts_below(root).unwrap();
        let (guide, errors) = Guide::load(files.iter().map(|(name, text)| (&**name, &**text)));
        assert!(errors.is_empty(), "{errors:?}");
        guide
    }

    /// With `SEAWALL_TEST_GUIDELINE`, a part of an id, only some are tried, and what becomes of them is printed.
    #[test]
    fn fixes_cure_what_they_are_for() {
        let guide = guide();
        let only = std::env::var("SEAWALL_TEST_GUIDELINE").unwrap_or_default();
        let some: Vec<&str> = only.split(',').collect();
        let (mut cured, mut wrong) = (0, Vec::new());
        for guideline in &guide.guidelines {
            if !some.iter().any(|part| guideline.id.0.contains(part)) {
                continue;
            }
            let mut of_it = 0;
            for example in &guideline.examples {
                let line = example.files.first().map_or(0, |file| file.line);
                match fixed(&guide, guideline, example) {
                    Ok(tried) => {
                        of_it += tried.cured;
                        if !only.is_empty() {
                            for file in tried.after.iter().flat_map(|after| &after.files) {
                                println!("{}:{line}\n{}", guideline.id, file.text);
                            }
                        }
                        // Where the guide knows no newer version, there is none to write.
                        let stays = tried.stays.iter().filter(|says| {
                            !(says.contains("flowcontrol.apiserver")
                                || says.contains("extensions/"))
                        });
                        wrong.extend(stays.map(|says| format!("{}:{line}: {says}", guideline.id)));
                    }
                    Err(error) => wrong.push(format!("{}:{line}: {error}", guideline.id)),
                }
            }
            // Those that only live examples show need a running estate; what an analysis writes may need more.
            let written = guideline
                .examples
                .iter()
                .any(|example| example.files.iter().all(|file| !file.live));
            let analysed = |fix: &Fix| fix.new.iter().any(|new| matches!(new, New::From(_)));
            let asks = guideline.fixes.iter().any(|fix| !analysed(fix));
            if of_it == 0 && written && asks {
                wrong.push(format!(
                    "{}: its fix cures nothing in its examples",
                    guideline.id
                ));
            }
            cured += of_it;
        }
        assert!(wrong.is_empty(), "{cured} cured, but\n{}", wrong.join("\n"));
        assert!(cured > 300 || !only.is_empty(), "{cured}");
    }
}
