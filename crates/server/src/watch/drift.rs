//! Where what runs differs from what it is to be: a snapshot, or the files that are deployed.
//!
//! The base is read and judged as an assessment does, at first and then from time to time. Its files are in other places
//! than what runs, so findings are compared by what they say of which object, not by their fingerprints. Objects
//! are compared by what they are called; those that a controller made, that AKS keeps or that every cluster has are not.
//! Only kinds and namespaces that the base has count: a repository says nothing of the rest. Nor is anything gone of a
//! kind that is not read to the end.
//!
//! What it deliberately leaves out: which values changed (`seawall diff` tells it of two snapshots).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ::guide::{Guide, Judge, Setting};
use jiff::Timestamp;
use model::finding::{Finding, Outcome};
use model::kinds::Kind;
use model::manifest::{Reader, Reading};
use model::ownership;
use model::resource::{Resource, ResourceName};
use model::{Estate, Ref, Scope};
use report::config::Config;
use report::owners::Owners;
use report::triage::Triage;
use serde_json::json;
use sources::live::{LiveError, Source};
use sources::{Given, Input};

mod declared;

pub use self::declared::{Declared, Line};

use super::judging::is_asked;
use super::{Level, Options, Shared, TICK, rest};

/// What is read as the base.
#[derive(Default)]
pub struct Base {
    /// What it is called.
    pub name: String,
    /// Files.
    pub inputs: Vec<Input>,
    /// Snapshots.
    pub live: Vec<Box<dyn Source>>,
    /// How files are read.
    pub options: sources::Options,
    /// It is everything that is to be there.
    pub whole: bool,
}

/// Opens the base anew, to be judged against a Kubernetes minor.
pub type Basing = Arc<dyn Fn(u8) -> Result<Base, LiveError> + Send + Sync>;

/// What differs. Lists are cut; the counts are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What the base is called.
    pub base: String,
    /// When the base was read.
    pub read: Timestamp,
    /// The moment of what runs.
    pub at: Timestamp,
    /// Failures that the base does not have.
    pub findings_new: Difference,
    /// Failures that only the base has.
    pub findings_gone: Difference,
    /// Objects that the base does not have.
    pub objects_new: Difference,
    /// Objects that only the base has.
    pub objects_gone: Difference,
    /// Where the base has what.
    pub declared: Arc<Declared>,
}

/// One way in which they differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many.
    pub count: usize,
    /// The first of them, in order.
    pub first: Vec<String>,
}

impl Difference {
    fn of<'w>(words: impl Iterator<Item = &'w String>) -> Self {
        let mut difference = Self::default();
        for word in words {
            difference.count += 1;
            if difference.first.len() < NAMED {
                difference.first.push(word.clone());
            }
        }
        difference
    }
}

/// Of each difference so many are named.
const NAMED: usize = 200;
/// In a line of the log so many.
const LOGGED: usize = 5;

impl Drift {
    /// The four differences by their words.
    #[must_use]
    pub fn differences(&self) -> [(&'static str, &Difference); 4] {
        [
            ("findings-new", &self.findings_new),
            ("findings-gone", &self.findings_gone),
            ("objects-new", &self.objects_new),
            ("objects-gone", &self.objects_gone),
        ]
    }
}

/// What was said, in words that are the same wherever an object stands.
#[derive(Default)]
struct Words {
    /// with guideline and object
    failures: BTreeMap<String, (String, Arc<ResourceName>)>,
    /// Guideline and object of what could not be said.
    unknown: BTreeSet<String>,
}

impl Words {
    fn note(&mut self, finding: &Finding) {
        if !finding.counts() {
            return;
        }
        if finding.outcome == Outcome::Fail {
            let about = (subject(finding), Arc::clone(&finding.resource));
            self.failures.insert(word(finding), about);
        } else {
            self.unknown.insert(subject(finding));
        }
    }

    /// Failures of which the others say that it is otherwise: what is unknown there may be the same.
    fn without(&self, others: &Self, is_known: impl Fn(&ResourceName) -> bool) -> Difference {
        let differ = self.failures.iter().filter(|(word, (subject, name))| {
            !others.failures.contains_key(*word)
                && !others.unknown.contains(subject)
                && is_known(name)
        });
        Difference::of(differ.map(|(word, _)| word))
    }
}

/// What is compared of an estate.
struct Known {
    name: String,
    read: Timestamp,
    said: Words,
    objects: BTreeMap<String, ResourceName>,
    /// Kinds with the namespaces that have them.
    scopes: BTreeSet<(String, Box<str>)>,
    declared: Arc<Declared>,
}

/// Compares after each pass, until it is time to stop.
pub(super) fn follow(
    guide: &Guide,
    options: &Options,
    shared: &Shared,
    basing: &Basing,
    stop: &AtomicBool,
) {
    let mut base: Option<(Known, Instant)> = None;
    let mut compared = 0;
    let mut told = None;
    while !stop.load(Ordering::Relaxed) {
        rest(TICK, stop);
        let picture = shared.picture();
        if picture.number == 0 {
            continue;
        }
        let due = base
            .as_ref()
            .is_none_or(|(_, read)| read.elapsed() >= options.drift_every);
        if due {
            let now = (options.clock)();
            let read = basing(picture.setting.kubernetes_minor)
                .and_then(|base| known(guide, &options.config.now(), &picture.setting, base, now));
            match read {
                Ok(known) => base = Some((known, Instant::now())),
                Err(error) => {
                    (options.log)(
                        Level::Error,
                        "what should run cannot be read",
                        json!({"why": error.message, "help": error.help}),
                    );
                    rest(Duration::from_secs(30).min(options.drift_every), stop);
                    continue;
                }
            }
        }
        let Some((known, _)) = base.as_ref().filter(|_| due || picture.number != compared) else {
            continue;
        };
        compared = picture.number;
        let drift = compare(known, shared, &picture.estate, picture.at);
        let numbers = drift.differences().map(|(_, one)| one.count);
        if told != Some(numbers) {
            told = Some(numbers);
            tell(options, &drift);
        }
        let mut last = shared.drift.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::new(drift));
    }
}

fn tell(options: &Options, drift: &Drift) {
    let mut fields = serde_json::Map::new();
    fields.insert("base".to_owned(), drift.base.as_str().into());
    for (word, difference) in drift.differences() {
        let first: Vec<&String> = difference.first.iter().take(LOGGED).collect();
        fields.insert(
            word.to_owned(),
            json!({"count": difference.count, "first": first}),
        );
    }
    let same = drift.differences().iter().all(|(_, one)| one.count == 0);
    let (level, what) = if same {
        (Level::Info, "what runs is as it should be")
    } else {
        (Level::Warn, "what runs differs from what should")
    };
    (options.log)(level, what, fields.into());
}

/// The guideline and the object.
fn subject(finding: &Finding) -> String {
    format!("{} {}", finding.guideline.0, finding.resource.id())
}

/// What a finding says of which object, whatever file that stands in.
fn word(finding: &Finding) -> String {
    let mut word = subject(finding);
    if let Some(item) = &finding.item {
        word.push(' ');
        word.push_str(item);
    }
    if let Some(check) = finding.check {
        word.push_str(&format!(" #{check}"));
    }
    word
}

fn scope(name: &ResourceName) -> (String, Box<str>) {
    let kind = match &name.kind {
        Kind::Kubernetes { group, kind } => format!("{group}/{kind}"),
        Kind::Azure(kind) => kind.to_ascii_lowercase(),
    };
    (kind, name.namespace.clone().unwrap_or_default())
}

/// Whether somebody wrote an object, as far as it shows: no controller, not AKS, not Kubernetes itself.
fn is_written(resource: &Resource) -> bool {
    let label = resource
        .object()
        .path(&["metadata", "labels", "kubernetes.io/bootstrapping"]);
    let given = matches!(
        (resource.name.kind.name(), &*resource.name.name),
        ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt")
    );
    !resource.implied
        && !resource.provider_managed
        && !given
        && label.and_then(Ref::as_str).is_none()
        && ownership::controller(resource).is_none()
        && !resource.name.kind.is("Cluster.seawall.dev")
}

/// Reads the base and judges it.
fn known(
    guide: &Guide,
    config: &Config,
    setting: &Setting,
    base: Base,
    now: Timestamp,
) -> Result<Known, LiveError> {
    let judge = Judge::new(guide, setting, |guideline| is_asked(config, guideline)).with_remedies();
    let mut declared = Declared::default();
    let managed = guide.managed();
    let schema = guide.schema();
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: schema.as_ref(),
    };
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut triage = Triage::new(config, &day);
    let mut owners = Owners::default();
    let mut said = Words::default();
    let mut say = |triage: &mut Triage, some: Vec<Finding>| {
        for mut finding in some {
            triage.apply(&mut finding);
            said.note(&finding);
        }
    };
    let mut estate = Estate::new(if base.whole {
        Scope::Whole
    } else {
        Scope::Open
    });
    let given = Given {
        inputs: &base.inputs,
        live: base.live,
    };
    let read = sources::read(
        given,
        &base.options,
        &reader,
        |reading: &mut Reading| {
            let resources = reading.resources.iter();
            resources
                .map(|resource| judge.local(resource).findings)
                .collect::<Vec<_>>()
        },
        |reading, judged| {
            let path = reading.entries.first().map(|entry| &entry.path);
            if let Some(path) = path.or_else(|| Some(&reading.resources.first()?.origin.path)) {
                triage.add_inline(path, reading.waivers);
            }
            for (resource, own) in reading.resources.into_iter().zip(judged) {
                owners.note(&resource);
                declared.object(&resource);
                own.iter()
                    .for_each(|finding| declared.finding(&resource, finding));
                say(&mut triage, owners.sort(&resource, own));
                estate.add(resource);
            }
            Ok::<(), LiveError>(())
        },
        |_| {},
    )?;
    estate.completeness = read.completeness;
    estate.imply_namespaces(&guide.symbols);
    let analyses = ::guide::facts::analyses(guide, setting, &estate);
    for resource in estate.resources() {
        let own = judge.joined(resource, &analyses).findings;
        own.iter()
            .for_each(|finding| declared.finding(resource, finding));
        say(&mut triage, owners.sort(resource, own));
    }
    say(&mut triage, owners.rest());
    let written = || estate.resources().iter().filter(|one| is_written(one));
    Ok(Known {
        name: base.name,
        read: now,
        objects: written()
            .map(|resource| (resource.name.id(), resource.name.clone()))
            .collect(),
        scopes: written().map(|resource| scope(&resource.name)).collect(),
        declared: Arc::new(declared),
        said,
    })
}

fn compare(known: &Known, shared: &Shared, estate: &Estate, at: Timestamp) -> Drift {
    let within = |name: &ResourceName| known.scopes.contains(&scope(name));
    // Of a kind that is not read, as Azure's where only the cluster is, nothing is missing.
    let is_known = |name: &ResourceName| {
        let within = match name.namespace.as_deref() {
            Some(namespace) if !namespace.is_empty() => {
                model::completeness::Within::Namespace(namespace)
            }
            _ => model::completeness::Within::Everywhere,
        };
        estate.absent_of(&name.kind, within).is_none()
    };
    let mut said = Words::default();
    shared.visit(|finding| {
        if within(&finding.resource) {
            said.note(finding);
        }
    });
    let objects: BTreeSet<String> = estate
        .resources()
        .iter()
        .filter(|resource| within(&resource.name) && is_written(resource))
        .map(|resource| resource.name.id())
        .collect();
    Drift {
        base: known.name.clone(),
        read: known.read,
        at,
        findings_new: said.without(&known.said, |_| true),
        findings_gone: known.said.without(&said, is_known),
        objects_new: Difference::of(objects.iter().filter(|id| !known.objects.contains_key(*id))),
        objects_gone: Difference::of(
            known
                .objects
                .iter()
                .filter(|(id, name)| !objects.contains(*id) && is_known(name))
                .map(|(id, _)| id),
        ),
        declared: Arc::clone(&known.declared),
    }
}
