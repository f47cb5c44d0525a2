//! Running a guideline's examples: each is a tiny estate, its comments say what must be found.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::finding::{Finding, Outcome};
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::prune::Keep;
use model::resource::Origin;
use model::{Estate, Resource, Scope, Status};
use yaml::Limits;

use crate::answers::Answers;
use crate::catalogue::Guide;
use crate::facts;
use crate::guideline::{Applies, Example, ExampleFile, Expectation, Guideline};
use crate::judge::{Judge, Judged, Setting, VerdictWord};
use crate::setting::{self, setting};

mod fixed;

pub use fixed::{Tried, fixed};

/// An example that does not behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Path below `guide/`.
    pub file: Box<str>,
    /// Line of the example in it.
    pub line: u32,
    /// What is expected and what came, a line each.
    pub problems: Vec<String>,
}

/// Everything an assessment of one estate says: used by examples, tests and mutation.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// All findings.
    pub findings: Vec<Finding>,
    /// All verdicts.
    pub verdicts: Vec<VerdictWord>,
    /// Documents that could not be read, with the reason.
    pub unread: Vec<String>,
}

impl Outcomes {
    fn take(&mut self, judged: Judged) {
        self.findings.extend(judged.findings);
        self.verdicts
            .extend(judged.verdicts.iter().map(|(_, verdict)| *verdict));
    }
}

/// Runs one example and says what is wrong with it.
#[must_use]
pub fn run(guide: &Guide, guideline: &Guideline, example: &Example) -> Option<Failure> {
    let line = example.files.first().map_or(1, |file| file.line);
    let fail = |problems| {
        Some(Failure {
            file: guideline.file.clone(),
            line,
            problems,
        })
    };
    let outcomes = match assess(guide, guideline, example) {
        Ok(outcomes) => outcomes,
        Err(problem) => return fail(vec![problem]),
    };
    let mut problems: Vec<String> = outcomes
        .unread
        .iter()
        .map(|reason| format!("the example cannot be read: {reason}"))
        .collect();
    compare(example, &outcomes, &mut problems);
    if problems.is_empty() {
        None
    } else {
        fail(problems)
    }
}

/// Judges an example's estate by one guideline.
///
/// # Errors
/// When its parameters do not parse.
pub fn assess(guide: &Guide, guideline: &Guideline, example: &Example) -> Result<Outcomes, String> {
    assess_with(guide, guideline, example, true)
}

/// The same, with a choice whether workloads are pruned before joining.
///
/// # Errors
/// When its parameters do not parse.
pub fn assess_with(
    guide: &Guide,
    guideline: &Guideline,
    example: &Example,
    prunes: bool,
) -> Result<Outcomes, String> {
    judged(guide, guideline, example, prunes, false)
}

/// The same, with a choice whether findings carry what would cure them.
fn judged(
    guide: &Guide,
    guideline: &Guideline,
    example: &Example,
    prunes: bool,
    remedies: bool,
) -> Result<Outcomes, String> {
    let mut setting = setting_of(guide, example)?;
    if remedies {
        // Whoever tries a fix answers what it asks.
        setting.answers = Answers::examples(guide, setting.params.root().get("answers"))?;
    }
    let mut judge = Judge::new(guide, &setting, |other| other.id == guideline.id);
    if remedies {
        judge = judge.with_remedies();
    }
    if judge.selected().next().is_none() {
        return Err(format!(
            "the guideline needs `params`: {}",
            guideline.needs.params.join(", ")
        ));
    }
    let keep = if prunes {
        judge.keep()
    } else {
        Keep::everything()
    };
    let mut outcomes = Outcomes::default();
    let (mut estate, unread) = read(guide, example.files.iter(), scope_of(example), |resource| {
        outcomes.take(judge.local(resource));
        if resource.is_workload() {
            resource.prune(&keep);
        }
    });
    outcomes.unread = unread;
    estate.imply_namespaces(&guide.symbols);
    let analyses = facts::analyses(guide, &setting, &estate);
    for resource in estate.resources() {
        outcomes.take(judge.joined(resource, &analyses));
    }
    if guideline.applies == Applies::Estate
        && let Some(witness) = estate.resources().first()
    {
        outcomes.take(judge.estate(witness, &analyses));
    }
    Ok(outcomes)
}

const fn scope_of(example: &Example) -> Scope {
    if example.whole {
        Scope::Whole
    } else {
        Scope::Open
    }
}

fn setting_of(guide: &Guide, example: &Example) -> Result<Setting, String> {
    let mut setting = setting(guide, example.params.as_deref(), example.kubernetes)?;
    if let Some(day) = example.as_of.as_deref() {
        setting.aks = setting::aks_versions(guide, Some(day));
        setting.today = setting::midnight(day);
    }
    Ok(setting)
}

/// An example's estate with what it is judged by, and why what of it could not be read.
///
/// # Errors
/// When its parameters do not parse.
pub fn estate_of(
    guide: &Guide,
    example: &Example,
) -> Result<(Setting, Estate, Vec<String>), String> {
    let mut keep = Keep::indexed(&guide.symbols);
    guide.keep_choices(&mut keep);
    shown_estate_of(guide, example, |resource| {
        if resource.is_workload() {
            resource.prune(&keep);
        }
    })
}

/// The same, showing each resource before it enters the estate.
pub(crate) fn shown_estate_of(
    guide: &Guide,
    example: &Example,
    show: impl FnMut(&mut Resource),
) -> Result<(Setting, Estate, Vec<String>), String> {
    let setting = setting_of(guide, example)?;
    let (mut estate, unread) = read(guide, example.files.iter(), scope_of(example), show);
    estate.imply_namespaces(&guide.symbols);
    Ok((setting, estate, unread))
}

/// Reads the files of an example, showing each resource before it enters the estate.
pub(crate) fn read<'f>(
    guide: &Guide,
    files: impl Iterator<Item = &'f ExampleFile>,
    scope: Scope,
    mut show: impl FnMut(&mut Resource),
) -> (Estate, Vec<String>) {
    let managed = Managed::default();
    let wants = |_: &model::kinds::Kind| true;
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &wants,
        managed: &managed,
        defaults: &guide.defaults,
        limits: Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(scope);
    let mut unread = Vec::new();
    for (index, file) in files.enumerate() {
        let path: Arc<str> = format!("{index}").into();
        for (text, first_line, number) in documents(file) {
            let origin = Origin {
                path: path.clone(),
                index: number,
                rendered_by: None,
                live: file.live,
            };
            let form = if &*file.language == "json" {
                Form::Json
            } else {
                Form::Yaml
            };
            let reading = if file.live && form == Form::Json {
                model::azure::live::read(&reader, &text, &origin)
            } else {
                reader.read(&text, form, first_line, &origin)
            };
            for entry in &reading.entries {
                if !matches!(entry.status, Status::Assessed | Status::UnknownKind) {
                    unread.push(entry.reason.as_deref().unwrap_or_default().to_owned());
                }
            }
            for mut resource in reading.resources {
                show(&mut resource);
                estate.add(resource);
            }
        }
    }
    (estate, unread)
}

fn documents(file: &ExampleFile) -> Vec<(String, u32, u32)> {
    if &*file.language == "json" {
        return vec![(file.text.to_string(), 1, 0)];
    }
    yaml::documents(&file.text)
        .enumerate()
        .map(|(index, raw)| (raw.text.into_owned(), raw.line, index as u32))
        .collect()
}

fn compare(example: &Example, outcomes: &Outcomes, problems: &mut Vec<String>) {
    let wanted = expected(example);
    let found: BTreeSet<(usize, u32, bool, String)> = outcomes
        .findings
        .iter()
        .map(|finding| {
            let file = finding.place.path.parse().unwrap_or_default();
            let (fails, text) = match &finding.outcome {
                Outcome::Fail => (true, finding.message.clone()),
                Outcome::Unknown { reason, .. } => (false, reason.to_string()),
            };
            (file, finding.place.line, fails, text)
        })
        .collect();
    let at = |file: usize, line: u32| {
        let base = example.files.get(file).map_or(1, |file| file.line);
        format!("line {}", base + line - 1)
    };
    for (file, line, fails, text) in &found {
        let met = wanted
            .iter()
            .any(|(wanted_file, wanted_line, wanted_fails, wanted_text)| {
                wanted_file == file
                    && wanted_line == line
                    && wanted_fails == fails
                    && if *fails {
                        wanted_text == text
                    } else {
                        text.contains(wanted_text.as_str())
                    }
            });
        if !met {
            let word = if *fails { "finding" } else { "unknown" };
            problems.push(format!("{}: unexpected {word}: {text}", at(*file, *line)));
        }
    }
    for (file, line, fails, text) in &wanted {
        let met = found
            .iter()
            .any(|(found_file, found_line, found_fails, found_text)| {
                found_file == file
                    && found_line == line
                    && found_fails == fails
                    && if *fails {
                        found_text == text
                    } else {
                        found_text.contains(text.as_str())
                    }
            });
        if !met {
            let word = if *fails { "finding" } else { "unknown" };
            problems.push(format!("{}: missing {word}: {text}", at(*file, *line)));
        }
    }
    let has = |word| outcomes.verdicts.contains(&word);
    match example.expectation {
        Expectation::Bad if !has(VerdictWord::Fail) => {
            problems.push("a `bad` example without a fail".to_owned())
        }
        Expectation::Unknown if !has(VerdictWord::Unknown) => {
            problems.push("an `unknown` example without an unknown".to_owned());
        }
        Expectation::Good if !has(VerdictWord::Pass) => {
            problems.push("a `good` example without a pass".to_owned())
        }
        Expectation::NotApplicable
            if outcomes
                .verdicts
                .iter()
                .any(|word| *word != VerdictWord::NotApplicable) =>
        {
            problems.push("a `na` example to which the guideline applies".to_owned());
        }
        _ => {}
    }
}

/// File, line, whether it is a fail, text.
fn expected(example: &Example) -> BTreeSet<(usize, u32, bool, String)> {
    let mut wanted = BTreeSet::new();
    for (file, text) in example.files.iter().enumerate() {
        let (comment, end) = if &*text.language == "json" {
            ("//", "")
        } else {
            ("#", "")
        };
        for (index, line) in text.text.lines().enumerate() {
            for (word, fails) in [("finding: ", true), ("unknown: ", false)] {
                let Some(at) = line.find(&format!("{comment} {word}")) else {
                    continue;
                };
                let message = line
                    .get(at + comment.len() + 1 + word.len()..)
                    .unwrap_or_default();
                // Several findings on one line are separated by ` | `.
                for message in message.trim_end_matches(end).trim().split(" | ") {
                    wanted.insert((file, index as u32 + 1, fails, message.trim().to_owned()));
                }
            }
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::assess_with;
    use crate::catalogue::Guide;

    #[test]
    fn dropping_what_joins_cannot_read_changes_no_finding() {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let mut compared = 0;
        for guideline in guide
            .guidelines
            .iter()
            .filter(|guideline| guideline.needs.joined)
        {
            for example in &guideline.examples {
                let [pruned, whole] = [true, false].map(|prunes| {
                    let outcomes = assess_with(&guide, guideline, example, prunes).unwrap();
                    let findings: Vec<_> = outcomes
                        .findings
                        .iter()
                        .map(|finding| {
                            (
                                finding.message.clone(),
                                finding.place.clone(),
                                finding.evidence.clone(),
                            )
                        })
                        .collect();
                    (findings, outcomes.verdicts)
                });
                assert_eq!(pruned, whole, "{}", guideline.id);
                compared += 1;
            }
        }
        assert!(compared > 50, "{compared}");
    }
}
