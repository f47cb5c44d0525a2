//! Shows that guidelines take away the steps that they name in `cuts`.
//!
//! The pages of steps have estates in which a step is there, and changes of which each takes it away. A claim is shown
//! where the guideline fails on what the step rests on, and a change after which it no longer does takes the
//! step away. It is false where a change after which the guideline holds leaves the step as it is, or with a doubt.
//!
//! Not shown here: that *every* way to follow a guideline takes the step away. What options claim is shown in
//! [`options`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use analysis::Analyses;
use analysis::paths::{Edge, Graph, Node, NodeNo, Object, Wishes};
use model::finding::{Finding, Outcome};
use model::{Estate, Scope};

use crate::Guide;
use crate::edges::{Change, EdgeExample, Wanted, as_wanted, changed, estate, rests_on_builtin};
use crate::facts;
use crate::guideline::ExampleFile;
use crate::judge::{Judge, Judged};
use crate::options::{Recognition, TopicOption, recognise};
use crate::setting::setting;

mod options;

/// What no example can show, and why it is true all the same.
const NOT_SHOWN: &[(&str, &str, &str)] = &[];

/// A variable that asks for the claims that could be made as well.
const SURVEY: &str = "SEAWALL_TEST_CUTS";

/// The estate as a whole, among objects.
const ESTATE: &str = "";

/// Objects, and the guidelines that fail on each.
type Failing = BTreeMap<String, BTreeSet<u16>>;

/// An estate: the steps of a kind, with what they rest on.
struct Look {
    steps: Vec<(Wanted, BTreeSet<String>)>,
    failing: Failing,
    /// Rights that some of the steps give, and that nothing but steps of the kind needs.
    halves: BTreeSet<Box<str>>,
    /// Options that the estate shows, by topic and number.
    chosen: BTreeSet<(u16, u16)>,
}

/// An example of a page, before and after each of its changes.
struct Shown<'a> {
    edge: Edge,
    example: &'a EdgeExample,
    before: Look,
    after: Vec<(&'a Change, Look)>,
}

/// What examples say about claims.
#[derive(Default)]
struct Verdicts {
    shown: BTreeSet<(u16, Edge)>,
    refuted: BTreeMap<(u16, Edge), String>,
}

fn not_followed(guide: &Guide, judged: &Judged) -> BTreeSet<u16> {
    let number = |finding: &Finding| {
        let mut all = guide.guidelines.iter();
        all.position(|own| own.id == finding.guideline)
    };
    judged
        .findings
        .iter()
        .filter(|finding| matches!(finding.outcome, Outcome::Fail))
        .filter_map(|finding| Some(number(finding)? as u16))
        .collect()
}

fn failing(guide: &Guide, judge: &Judge<'_>, estate: &Estate, analyses: &Analyses<'_>) -> Failing {
    let mut failing = Failing::new();
    for resource in estate.resources() {
        let mut found = not_followed(guide, &judge.local(resource));
        found.extend(not_followed(guide, &judge.joined(resource, analyses)));
        failing.entry(resource.name.id()).or_default().extend(found);
    }
    if let Some(witness) = estate.resources().first() {
        let found = not_followed(guide, &judge.estate(witness, analyses));
        failing.insert(ESTATE.to_owned(), found);
    }
    failing
}

/// What guidelines ask of some only is asked of those in the examples: pods are of strangers, `jane` is a pipeline and
/// the support.
const PARAMS: &str = "\
untrustedLabels: {tenancy: untrusted}
untrustedPodLabels: {}
deployers: ['User:jane']
supporters: ['User:jane']
";

/// The namespace of an example that does not say it, as one of strangers.
fn strangers(files: &[ExampleFile]) -> Option<ExampleFile> {
    let says = |text: &str| files.iter().any(|file| file.text.contains(text));
    if says("kind: Namespace\n") || !says("kind: Pod\n") && !says("kind: DaemonSet\n") {
        return None;
    }
    let own = files.iter().find(|file| &*file.language == "yaml")?;
    let name = own
        .text
        .split("namespace: ")
        .nth(1)?
        .split(['}', ',', '\n'])
        .next()?;
    let labels = "labels: {tenancy: untrusted}";
    let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, {labels}}}\n");
    Some(ExampleFile {
        text: text.into(),
        ..own.clone()
    })
}

fn look(guide: &Guide, edge: Edge, example: &EdgeExample, files: &[ExampleFile]) -> Look {
    let namespace = strangers(files);
    let files: Vec<&ExampleFile> = files.iter().chain(&namespace).collect();
    let scope = if example.open {
        Scope::Open
    } else {
        Scope::Whole
    };
    let estate = estate(guide, &files, scope).unwrap();
    let setting = setting(guide, Some(PARAMS), example.kubernetes).unwrap();
    let analyses = facts::analyses(guide, &setting, &estate);
    let judge = Judge::new(guide, &setting, |guideline| {
        std::env::var_os(SURVEY).is_some()
            || super::cuts_something(guideline)
            || options::is_of_a_level(guideline)
    });
    let graph = Graph::build(&analyses, &Wishes::default());
    let steps = graph
        .steps()
        .filter(|step| step.edge == edge)
        // What every cluster has shows in each of them.
        .filter(|step| !rests_on_builtin(step) || example.steps.contains(&as_wanted(&graph, step)))
        .map(|step| {
            let objects = step.evidence.iter().filter_map(|seen| match seen.object {
                Object::Estate(object) => Some(estate.get(object)?.name.id()),
                _ => None,
            });
            (as_wanted(&graph, &step), objects.collect())
        })
        .collect();
    let own = graph.steps().filter(|step| step.edge == edge);
    let halves = own
        .filter(|step| {
            matches!(graph.node(step.gives), Node::Right(..))
                && serves_only(&graph, step.gives, edge)
        })
        .map(|step| graph.id(step.gives).into())
        .collect();
    let failing = failing(guide, &judge, &estate, &analyses);
    let is_chosen = |option: &TopicOption| {
        let program = option.recognised.as_ref();
        program.is_some_and(|program| {
            recognise(guide, &setting, &analyses, program) == Recognition::Chosen
        })
    };
    let chosen = options::all(guide)
        .filter(|(_, option)| !option.cuts.is_empty() && is_chosen(option))
        .map(|(number, _)| number)
        .collect();
    Look {
        steps,
        failing,
        halves,
        chosen,
    }
}

/// Whether what somebody holds is needed by nothing but steps of a kind.
fn serves_only(graph: &Graph, held: NodeNo, edge: Edge) -> bool {
    let mut seen = BTreeSet::from([held]);
    let mut left = vec![held];
    while let Some(node) = left.pop() {
        for next in graph.from(node) {
            if next.edge == Edge::Implied {
                if seen.insert(next.gives) {
                    left.push(next.gives);
                }
            } else if next.edge != edge {
                return false;
            }
        }
    }
    true
}

/// All examples of the pages that are asked for.
fn shown(guide: &Guide) -> impl Iterator<Item = Shown<'_>> {
    let only = std::env::var("SEAWALL_TEST_EDGE").unwrap_or_default();
    let pages = guide.edge_pages.values();
    pages
        .filter(move |page| page.id.contains(&*only))
        .flat_map(|page| page.examples.iter().map(move |example| (page, example)))
        .map(|(page, example)| {
            let edge = Edge::find(&page.id).unwrap();
            let changes = example.without.iter();
            Shown {
                edge,
                example,
                before: look(guide, edge, example, &example.files),
                after: changes
                    .map(|change| {
                        let files = changed(example, change).unwrap();
                        (change, look(guide, edge, example, &files))
                    })
                    .collect(),
            }
        })
}

/// Whether a step is gone: none of its kind leads to the same any more.
fn is_gone(example: &EdgeExample, step: &Wanted, after: &Look) -> bool {
    let same_end =
        |other: &Wanted| other.gives == step.gives && (!example.some || other.needs == step.needs);
    !after.steps.iter().any(|(other, _)| same_end(other))
}

/// Whether what fails on objects holds after a change. Who takes a binding away follows what is asked of it; who takes
/// away something else has nothing that could.
fn followed(guideline: u16, objects: &BTreeSet<String>, after: &Failing) -> bool {
    objects.iter().all(|object| match after.get(object) {
        Some(fails) => !fails.contains(&guideline),
        None => object.contains("Binding/"),
    })
}

fn judge_example(shown: &Shown<'_>, verdicts: &mut Verdicts) {
    let Shown {
        edge,
        example,
        before,
        after,
    } = shown;
    let edge = *edge;
    for (step, objects) in &before.steps {
        if !example.steps.contains(step) {
            continue;
        }
        let mut fails_on: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
        let estate = ESTATE.to_owned();
        for object in objects.iter().chain([&estate]) {
            for guideline in before.failing.get(object).into_iter().flatten() {
                fails_on
                    .entry(*guideline)
                    .or_default()
                    .insert(object.clone());
            }
        }
        for (change, after) in after {
            let gone = is_gone(example, step, after);
            let stays = after
                .steps
                .iter()
                .any(|(other, _)| other.gives == step.gives && other.needs == step.needs);
            for (guideline, objects) in &fails_on {
                if !followed(*guideline, objects, &after.failing) {
                    continue;
                }
                if gone {
                    verdicts.shown.insert((*guideline, edge));
                } else if stays {
                    verdicts
                        .refuted
                        .entry((*guideline, edge))
                        .or_insert_with(|| change.title.to_string());
                }
            }
        }
    }
}

/// The guide as it lies in the folder: the one built in may be older.
fn from_folder() -> Guide {
    fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide"));
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            (name.to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let (guide, errors) = Guide::load(texts.iter().map(|(path, text)| (&**path, &**text)));
    assert!(errors.is_empty(), "{errors:?}");
    guide
}

#[test]
fn guidelines_take_away_the_steps_that_they_name() {
    let guide = from_folder();
    let only = std::env::var("SEAWALL_TEST_EDGE").unwrap_or_default();
    let mut verdicts = Verdicts::default();
    for shown in shown(&guide) {
        judge_example(&shown, &mut verdicts);
    }
    let mut wrong = String::new();
    for (number, guideline) in (0u16..).zip(&guide.guidelines) {
        for id in guideline.cuts.iter().filter(|id| id.contains(&*only)) {
            let Some(edge) = Edge::find(id).filter(|_| guide.edge_pages.contains_key(id)) else {
                continue;
            };
            let excused = NOT_SHOWN
                .iter()
                .any(|(own, of, _)| guideline.id.to_string() == *own && *of == &**id);
            if let Some(change) = verdicts.refuted.get(&(number, edge)) {
                wrong.push_str(&format!(
                    "\n{} is followed after `{change}`, and {id} is still there",
                    guideline.id
                ));
            } else if !excused && !verdicts.shown.contains(&(number, edge)) {
                wrong.push_str(&format!("\n{} is not shown to cut {id}", guideline.id));
            }
        }
    }
    if std::env::var_os(SURVEY).is_some() {
        for (number, edge) in &verdicts.shown {
            let guideline = &guide.guidelines[usize::from(*number)];
            if !guideline.cuts.iter().any(|id| &**id == edge.id())
                && !verdicts.refuted.contains_key(&(*number, *edge))
            {
                println!("{} may cut {}", guideline.id, edge.id());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
