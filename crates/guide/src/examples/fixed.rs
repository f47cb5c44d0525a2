//! Trying a guideline's fix on its own bad examples.

use model::finding::{Finding, Outcome};
use model::remedy::NewObject;
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
}

/// Applies the fix of a guideline to each finding in a bad example of manifests, all at once.
///
/// # Errors
/// When the example cannot be judged, before or after.
pub fn fixed(guide: &Guide, guideline: &Guideline, example: &Example) -> Result<Tried, String> {
    let mut tried = Tried::default();
    let manifests = example
        .files
        .iter()
        .all(|file| &*file.language == "yaml" && !file.live);
    if guideline.fixes.is_empty() || example.expectation != Expectation::Bad || !manifests {
        return Ok(tried);
    }
    let before = judged(guide, guideline, example, false, true)?;
    let mut after = example.clone();
    let mut done: Vec<&Finding> = Vec::new();
    for (number, file) in after.files.iter_mut().enumerate() {
        let mut editor = Editor::new(&file.text, edit::Options::default());
        let mut seen = Vec::new();
        for finding in &before.findings {
            let Some(remedy) = finding.remedy.as_deref() else {
                continue;
            };
            if remedy.origin.path.parse() != Ok(number) || remedy.changes.is_empty() {
                continue;
            }
            if !seen.contains(&(remedy.origin.index, &remedy.changes)) {
                let operations = remedy::operations(&remedy.changes)?;
                if let Err(refusal) = editor.apply(remedy.origin.index, &operations) {
                    let refused = format!("{}: {refusal}", finding.message);
                    tried.stays.push(refused);
                    continue;
                }
                seen.push((remedy.origin.index, &remedy.changes));
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

#[cfg(test)]
mod tests {
    use super::fixed;
    use crate::catalogue::Guide;

    #[test]
    fn fixes_cure_what_they_are_for() {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let (mut cured, mut wrong) = (0, Vec::new());
        for guideline in &guide.guidelines {
            for example in &guideline.examples {
                let line = example.files.first().map_or(0, |file| file.line);
                match fixed(&guide, guideline, example) {
                    Ok(tried) => {
                        cured += tried.cured;
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
        }
        assert!(wrong.is_empty(), "{cured} cured, but\n{}", wrong.join("\n"));
        assert!(cured > 200, "{cured}");
    }
}
