//! Whether an estate shows that an option was chosen.

use std::collections::BTreeSet;

use analysis::Analyses;
use bumpalo::Bump;
use cel::{Program, Step, Val};
use model::prune::Keep;
use model::{Estate, unknown};

use crate::catalogue::Guide;
use crate::context::{CLUSTERS, Context, FACTS, is_of_cluster};
use crate::examples::{Failure, estate_of};
use crate::facts;
use crate::guideline::{Expectation, OptionExample, Topic};
use crate::judge::Setting;

/// What an estate says of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// It was chosen.
    Chosen,
    /// It was not.
    NotChosen,
    /// It was in some of the AKS clusters: in how many, and of how many.
    Partly(usize, usize),
    /// What was given leaves it open, and why.
    Open(String),
}

/// Asks an estate; where the question is about AKS clusters and there are several, of each of them.
#[must_use]
pub fn recognise(
    guide: &Guide,
    setting: &Setting,
    analyses: &Analyses<'_>,
    program: &Program,
) -> Recognition {
    let estate = analyses.estate;
    let clusters: Vec<&str> = estate
        .of_kind(CLUSTERS)
        .iter()
        .filter_map(|id| Some(&*estate.get(*id)?.azure.as_ref()?.id))
        .collect();
    let asks = || kinds(guide, program).any(is_of_cluster);
    if clusters.len() < 2 || !asks() {
        return ask(guide, setting, analyses, program, None);
    }
    let said: Vec<Recognition> = clusters
        .iter()
        .map(|cluster| ask(guide, setting, analyses, program, Some(*cluster)))
        .collect();
    let chosen = said
        .iter()
        .filter(|one| **one == Recognition::Chosen)
        .count();
    match chosen {
        // Some are about all clusters together: one for each environment.
        0 => ask(guide, setting, analyses, program, None),
        all if all == said.len() => Recognition::Chosen,
        // In those of which it is open it is not said to be.
        some => Recognition::Partly(some, said.len()),
    }
}

/// The kinds that a program asks for.
fn kinds<'p>(guide: &Guide, program: &'p Program) -> impl Iterator<Item = &'p str> {
    let facts = guide.roots.facts;
    program
        .references()
        .iter()
        .filter_map(move |reference| match reference.path.as_slice() {
            [Step::Key(all), Step::Key(kind), ..] if reference.root == facts && &**all == "all" => {
                Some(&**kind)
            }
            _ => None,
        })
}

fn ask(
    guide: &Guide,
    setting: &Setting,
    analyses: &Analyses<'_>,
    program: &Program,
    cluster: Option<&str>,
) -> Recognition {
    let Some(witness) = analyses.estate.resources().first() else {
        return Recognition::Open("nothing was given".to_owned());
    };
    let bump = Bump::new();
    let mut context = Context::unbounded(guide, setting, witness, analyses, &bump);
    if let Some(cluster) = cluster {
        context = context.of_cluster(cluster);
    }
    match program
        .eval(&context, &[], &bump, &context.budget)
        .resolve()
    {
        Val::Bool(true) => Recognition::Chosen,
        Val::Bool(false) => Recognition::NotChosen,
        Val::Unknown(reason) => Recognition::Open(describe(analyses.estate, reason)),
        Val::Error(error) => Recognition::Open(format!(
            "an object does not have the expected form ({error})"
        )),
        _ => Recognition::Open("the question gives neither true nor false".to_owned()),
    }
}

pub(super) fn describe(estate: &Estate, reason: cel::Unknown) -> String {
    match reason {
        unknown::NOT_WHOLE => unknown::describe(reason).to_owned(),
        _ => estate.describe(reason).to_owned(),
    }
}

impl Guide {
    /// The kinds that options and quantities ask for.
    #[must_use]
    pub fn choice_kinds(&self) -> BTreeSet<&str> {
        self.choice_programs()
            .flat_map(|program| kinds(self, program))
            .collect()
    }

    /// Keeps what options and quantities read of workloads.
    pub fn keep_choices(&self, keep: &mut Keep) {
        for program in self.choice_programs() {
            self.keep_program(program, keep);
        }
    }

    /// What programs of options read that there is not.
    pub(crate) fn choice_gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for program in self.choice_programs() {
            for reference in program.references() {
                let Some(Step::Key(key)) = reference.path.first() else {
                    continue;
                };
                let known = if reference.root == self.roots.facts {
                    FACTS.contains(&&**key)
                } else if reference.root == self.roots.params {
                    self.params.iter().any(|param| param.key == *key)
                } else {
                    reference.root != self.roots.object && reference.root != self.roots.resource
                };
                if !known {
                    gaps.push(format!(
                        "`{key}` is nothing that an option can ask for: {}",
                        program.source()
                    ));
                }
            }
        }
        gaps
    }
}

/// Runs one example of a topic's README and says what is wrong with it.
#[must_use]
pub fn run(guide: &Guide, topic: &Topic, example: &OptionExample) -> Option<Failure> {
    let problems = match estate_of(guide, &example.example) {
        Err(problem) => vec![problem],
        Ok((setting, estate, unread)) => {
            let mut problems: Vec<String> = unread
                .iter()
                .map(|reason| format!("the example cannot be read: {reason}"))
                .collect();
            let analyses = facts::analyses(guide, &setting, &estate);
            for id in &example.options {
                let option = topic.options.iter().find(|option| option.id == *id);
                let Some(program) = option.and_then(|option| option.recognised.as_ref()) else {
                    problems.push(format!("`{id}` is no option that can be recognised"));
                    continue;
                };
                let said = recognise(guide, &setting, &analyses, program);
                let met = matches!(
                    (&said, example.example.expectation),
                    (Recognition::Chosen, Expectation::Good)
                        | (Recognition::NotChosen, Expectation::Bad)
                        | (Recognition::Open(_), Expectation::Unknown)
                );
                if !met {
                    problems.push(match said {
                        Recognition::Chosen => format!("`{id}` is recognised"),
                        Recognition::Partly(some, of) => {
                            format!("`{id}` is recognised in {some} of {of} clusters")
                        }
                        Recognition::NotChosen => format!("`{id}` is not recognised"),
                        Recognition::Open(reason) => format!("`{id}` stays open: {reason}"),
                    });
                }
            }
            problems
        }
    };
    (!problems.is_empty()).then(|| Failure {
        file: format!("{}/{}/README.md", topic.chapter, topic.id).into(),
        line: example.example.files.first().map_or(1, |file| file.line),
        problems,
    })
}
