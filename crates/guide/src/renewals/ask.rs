//! What of an estate ends, and when.

use std::collections::BTreeSet;

use analysis::Analyses;
use bumpalo::Bump;
use cel::{Program, Timestamp, Val};
use model::finding::Location;
use model::{Estate, Resource, unknown};

use super::{Renewal, RenewalExample, Step};
use crate::catalogue::Guide;
use crate::context::{Context, Value};
use crate::examples::{Failure, shown_estate_of};
use crate::guideline::Each;
use crate::judge::Setting;
use crate::message::Quoting;
use crate::{facts, place};

/// Something that ends, or has to be renewed.
#[derive(Debug)]
pub struct Due<'g> {
    /// Its kind.
    pub renewal: &'g Renewal,
    /// `Microsoft.KeyVault/vaults/secrets/shop/db`
    pub resource: String,
    /// The namespace of a Kubernetes object that says it.
    pub namespace: Option<Box<str>>,
    /// Where it stands.
    pub place: Location,
    /// What it is.
    pub says: String,
    /// When.
    pub ends: Ends,
    /// Whether a machine renews it.
    pub itself: bool,
    /// What to do.
    pub steps: Vec<ShownStep>,
}

/// When something ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// At this moment, in seconds since 1970.
    At(i64),
    /// Never by itself.
    Never,
    /// That cannot be told, and why.
    Unknown(String),
}

/// A step with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStep {
    /// A sentence.
    pub text: String,
    /// To be typed into a shell, a line each.
    pub commands: Vec<String>,
}

/// Everything of an estate that ends or has to be renewed, in the order of the estate.
#[must_use]
pub fn due<'g>(guide: &'g Guide, setting: &Setting, analyses: &Analyses<'_>) -> Vec<Due<'g>> {
    let mut found = Vec::new();
    for resource in analyses.estate.resources() {
        // What AKS keeps, AKS renews.
        if resource.provider_managed || resource.implied {
            continue;
        }
        let kind = &resource.name.kind;
        for renewal in &guide.renewals {
            if renewal.applies.iter().any(|name| kind.is(name)) {
                found.extend(of(guide, setting, analyses, resource, renewal));
            }
        }
    }
    found
}

/// What a page says of a resource.
fn of<'g>(
    guide: &'g Guide,
    setting: &Setting,
    analyses: &Analyses<'_>,
    resource: &Resource,
    renewal: &'g Renewal,
) -> Vec<Due<'g>> {
    let bump = Bump::new();
    let context = Context::unbounded(guide, setting, resource, analyses, &bump);
    let asking = Asking {
        context,
        estate: analyses.estate,
        resource,
    };
    let Some(each) = &renewal.each else {
        return asking.item(renewal, &[]).into_iter().collect();
    };
    let list = asking.eval(&each.program, &[]);
    let Some(items) = list.as_list() else {
        let reason = asking.reason(list);
        return reason
            .map(|reason| asking.due(renewal, Ends::Unknown(reason), &[]))
            .into_iter()
            .collect();
    };
    let mut found = Vec::new();
    for index in 0..items.len() {
        if let Some(item) = items.get(index) {
            found.extend(asking.item(renewal, &[item]));
        }
    }
    // Of files nobody expects that they hold every item; of what runs, one that was not read may end.
    if let Some(reason) = items.rest()
        && (resource.origin.live || reason.0 >= unknown::GAP.0)
        && let Some(reason) = asking.reason(Val::Unknown(reason))
    {
        found.push(asking.due(renewal, Ends::Unknown(reason), &[]));
    }
    found
}

struct Asking<'a> {
    context: Context<'a>,
    estate: &'a Estate,
    resource: &'a Resource,
}

impl<'a> Asking<'a> {
    fn eval(&self, program: &'a Program, locals: &[Value<'a>]) -> Value<'a> {
        let (context, bump) = (&self.context, self.context.bump);
        program
            .eval(context, locals, bump, &context.budget)
            .resolve()
    }

    /// Why a value says nothing; `None` where it does.
    fn reason(&self, value: Value<'a>) -> Option<String> {
        match value.resolve() {
            Val::Unknown(reason) if reason == unknown::NOT_WHOLE => {
                Some(unknown::describe(reason).to_owned())
            }
            Val::Unknown(reason) => Some(self.estate.describe(reason).to_owned()),
            Val::Error(error) => Some(format!("it does not have the expected form ({error})")),
            _ => None,
        }
    }

    fn item<'g: 'a>(&self, renewal: &'g Renewal, locals: &[Value<'a>]) -> Option<Due<'g>> {
        if let Some(when) = &renewal.when {
            let there = self.eval(when, locals);
            if let Some(reason) = self.reason(there) {
                return Some(self.due(renewal, Ends::Unknown(reason), locals));
            }
            if !matches!(there, Val::Bool(true)) {
                return None;
            }
        }
        let ends = match &renewal.ends {
            None => Ends::Never,
            Some(program) => match self.eval(program, locals) {
                Val::Timestamp(Timestamp { seconds, .. }) => Ends::At(seconds),
                other => Ends::Unknown(
                    self.reason(other)
                        .unwrap_or_else(|| "its end is no point in time".to_owned()),
                ),
            },
        };
        Some(self.due(renewal, ends, locals))
    }

    fn due<'g: 'a>(&self, renewal: &'g Renewal, ends: Ends, locals: &[Value<'a>]) -> Due<'g> {
        let itself = renewal.itself.as_ref();
        let whole = renewal.each.is_none() || !locals.is_empty();
        Due {
            renewal,
            resource: self.resource.name.id(),
            namespace: self.resource.name.namespace.clone(),
            place: place::whole(self.resource),
            says: if whole {
                self.context.message(&renewal.says, locals, Quoting::None)
            } else {
                // The items are not known, so nothing can be said of one.
                renewal.title.to_string()
            },
            ends,
            itself: itself
                .is_some_and(|program| matches!(self.eval(program, locals), Val::Bool(true))),
            steps: if whole {
                let steps = renewal.steps.iter();
                steps.flat_map(|step| self.step(step, locals)).collect()
            } else {
                Vec::new()
            },
        }
    }

    fn step(&self, step: &'a Step, locals: &[Value<'a>]) -> Vec<ShownStep> {
        let Some(Each { program, .. }) = &step.each else {
            return self.shown(step, locals).into_iter().collect();
        };
        let list = self.eval(program, locals);
        let Some(items) = list.as_list() else {
            return Vec::new();
        };
        let with = |item| locals.iter().copied().chain([item]).collect::<Vec<_>>();
        (0..items.len())
            .filter_map(|index| self.shown(step, &with(items.get(index)?)))
            .collect()
    }

    fn shown(&self, step: &'a Step, locals: &[Value<'a>]) -> Option<ShownStep> {
        let left_out = |program| matches!(self.eval(program, locals), Val::Bool(false));
        if step.when.as_ref().is_some_and(left_out) {
            return None;
        }
        let command = |line| self.context.message(line, locals, Quoting::Shell);
        Some(ShownStep {
            text: self.context.message(&step.text, locals, Quoting::None),
            commands: step.commands.iter().map(command).collect(),
        })
    }
}

/// Runs the examples of a page; what is wrong with each.
#[must_use]
pub fn run(guide: &Guide, renewal: &Renewal) -> Vec<Failure> {
    let examples = renewal.examples.iter();
    examples
        .filter_map(|example| {
            let problems = check(guide, renewal, example).unwrap_or_else(|problem| vec![problem]);
            (!problems.is_empty()).then(|| Failure {
                file: renewal.file.clone(),
                line: example.example.files.first().map_or(1, |file| file.line),
                problems,
            })
        })
        .collect()
}

fn check(
    guide: &Guide,
    renewal: &Renewal,
    example: &RenewalExample,
) -> Result<Vec<String>, String> {
    let (setting, estate, unread) = shown_estate_of(guide, &example.example, |_| ())?;
    let mut problems: Vec<String> = unread
        .iter()
        .map(|reason| format!("the example cannot be read: {reason}"))
        .collect();
    let analyses = facts::analyses(guide, &setting, &estate);
    let found: Vec<Due<'_>> = due(guide, &setting, &analyses)
        .into_iter()
        .filter(|due| due.renewal.id == renewal.id)
        .collect();
    let said: BTreeSet<String> = found.iter().map(said).collect();
    let texts = example.example.files.iter().map(|file| &*file.text);
    let wanted: BTreeSet<String> = texts.flat_map(str::lines).filter_map(wanted).collect();
    for missing in wanted.difference(&said) {
        problems.push(format!("is not found: {missing}"));
    }
    for more in said.difference(&wanted) {
        problems.push(format!("is found besides: {more}"));
    }
    if let Some(wanted) = &example.steps {
        let mut steps = String::new();
        for step in found.iter().flat_map(|due| &due.steps) {
            steps.push_str(&step.text);
            steps.push('\n');
            for command in &step.commands {
                steps.push_str(command);
                steps.push('\n');
            }
        }
        if steps.trim_end() != &**wanted {
            problems.push(format!("the steps are:\n{steps}"));
        }
    }
    Ok(problems)
}

/// A line of what was found, as comments of examples have it.
fn said(due: &Due<'_>) -> String {
    let itself = if due.itself { " (renews itself)" } else { "" };
    match &due.ends {
        Ends::At(seconds) => format!("ends: {} {}{itself}", day(*seconds), due.says),
        Ends::Never => format!("renew: {}{itself}", due.says),
        Ends::Unknown(_) => format!("unknown: {}", due.says),
    }
}

/// What a comment of an example asks for.
fn wanted(line: &str) -> Option<String> {
    let marks = ["ends: ", "renew: ", "unknown: "];
    let starts = ["# ", "// "];
    starts
        .iter()
        .flat_map(|start| marks.map(|mark| format!("{start}{mark}")))
        .find_map(|mark| Some(line.get(line.find(&mark)?..)?.to_owned()))
        .map(|text| {
            text.trim_start_matches(['#', '/', ' '])
                .trim_end()
                .to_owned()
        })
}

/// The day of a moment, UTC: `2027-01-31`.
#[must_use]
pub fn day(seconds: i64) -> String {
    let text = Timestamp { seconds, nanos: 0 }.to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}
