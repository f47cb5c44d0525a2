//! From an intent to what is set up: each question has an answer, answers fit each other, and clusters, namespaces
//! and addresses are laid out.

use std::collections::{BTreeMap, BTreeSet};

use guide::Guide;
use serde::Serialize;

use crate::address::Range;
use crate::intent::{Intent, Profile, Workload};
use crate::questions::{Accept, NONE, Question, Questions, option, topic_of};

/// What is set up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What was asked for.
    pub intent: Intent,
    /// In the order of questions.
    pub answers: Vec<Answer>,
    /// As `topic/option`, what is always set up too.
    pub chosen: BTreeSet<String>,
    /// Each a cluster with its network and services.
    pub clusters: Vec<Cluster>,
    /// What is accepted with the choices.
    pub waivers: Vec<Waiver>,
    /// The day until which it is.
    pub review: Box<str>,
}

/// How a question was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question.
    pub question: Box<str>,
    /// In words.
    pub asks: Box<str>,
    /// The topic's title.
    pub title: Box<str>,
    /// The topic's page, below `guide/`.
    pub page: String,
    /// What was chosen; empty: none of them.
    pub options: Vec<Choice>,
    /// What else could have been.
    pub others: Vec<Choice>,
    /// What is set up anyhow.
    pub always: Vec<Choice>,
    /// Who chose: `intent`, `guide`, or `nobody` where it was not asked.
    pub by: &'static str,
}

/// An option with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Without the topic.
    pub id: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// One sentence.
    pub trade_off: Box<str>,
}

/// A cluster with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// The environment's name; `shared` where it holds several.
    pub name: Box<str>,
    /// The strictest of its environments.
    pub profile: Profile,
    /// The environments in it.
    pub environments: Vec<Box<str>>,
    /// The name of its registry: letters and digits only.
    pub registry: String,
    /// Addresses of its network.
    pub range: Box<str>,
    /// Parts of the range by what they are for.
    pub subnets: BTreeMap<&'static str, String>,
    /// Addresses that are known beforehand.
    pub addresses: BTreeMap<&'static str, String>,
    /// Its namespaces.
    pub namespaces: Vec<Namespace>,
}

/// A namespace for a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// Its name: the workload's, with the environment where a cluster holds several.
    pub name: String,
    /// The environment, where a cluster holds several; nothing stands for whichever cluster it is in.
    pub environment: Option<Box<str>>,
    /// What runs in it.
    pub workload: Workload,
    /// Namespaces that it calls, with their ports.
    pub calls: Vec<Peer>,
    /// Namespaces that call it.
    pub called_by: Vec<String>,
    /// The variable that stands for the client id of its identity.
    pub client_id: String,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Namespace.
    pub namespace: String,
    /// Workload.
    pub workload: Box<str>,
    /// Port.
    pub port: u16,
}

/// What is accepted with a choice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Waiver {
    /// Which guideline.
    pub guideline: Box<str>,
    /// Which resources.
    pub resource: Option<Box<str>>,
    /// Which item.
    pub container: Option<Box<str>>,
    /// Why, with the choice.
    pub reason: String,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// The key below `decisions`, where one is to blame.
    pub question: Option<Box<str>>,
    /// A sentence.
    pub message: String,
}

impl PlanError {
    fn of(question: &str, message: String) -> Self {
        Self {
            question: Some(question.into()),
            message,
        }
    }
}

impl Plan {
    /// Answers what the intent leaves open and lays out the rest. `year` is the current one: what is accepted is so
    /// until the end of the next, where the intent names no day.
    ///
    /// # Errors
    /// When decisions name what there is not, or do not fit each other.
    pub fn of(
        intent: Intent,
        guide: &Guide,
        questions: &Questions,
        year: i16,
    ) -> Result<Self, PlanError> {
        let rules = Rules { guide, questions };
        let decided = rules.decided(&intent)?;
        let chosen = rules.chosen(&intent, &decided)?;
        let all = questions.questions.iter().map(|question| &*question.id);
        if let Some(error) = rules.error(&chosen, &all.collect()) {
            return Err(error);
        }
        rules.given(&intent, &chosen)?;
        let answers = rules.answers(&intent, &decided, &chosen);
        let clusters = clusters(&intent, chosen.contains("separation/namespaces"))?;
        let waivers = rules.waivers(&intent, &chosen);
        let review = intent
            .review
            .clone()
            .unwrap_or_else(|| format!("{}-12-31", year + 1).into());
        Ok(Self {
            intent,
            answers,
            chosen,
            clusters,
            waivers,
            review,
        })
    }
}

/// The guide's options as rules for answers.
pub(crate) struct Rules<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) questions: &'a Questions,
}

/// What an intent says, as `topic/option`, by question.
type Decided = BTreeMap<Box<str>, BTreeSet<String>>;

impl Rules<'_> {
    fn decided(&self, intent: &Intent) -> Result<Decided, PlanError> {
        let mut decided = Decided::new();
        for (id, options) in &intent.decisions {
            let Some(question) = self.questions.question(id) else {
                let known: Vec<&str> = self
                    .questions
                    .questions
                    .iter()
                    .map(|question| &*question.id)
                    .collect();
                return Err(PlanError::of(
                    id,
                    format!("`{id}` is no question; there are {}", known.join(", ")),
                ));
            };
            let options: Vec<&str> = match options.as_slice() {
                [one] if **one == *NONE && question.any => Vec::new(),
                options => options.iter().map(|option| &**option).collect(),
            };
            if let Some(option) = options
                .iter()
                .find(|option| !question.options.iter().any(|known| **known == ***option))
            {
                return Err(PlanError::of(
                    id,
                    format!(
                        "`{option}` is no answer to `{id}`; there are {}",
                        question.options.join(", ")
                    ),
                ));
            }
            if !question.any && options.len() != 1 {
                return Err(PlanError::of(
                    id,
                    format!(
                        "`{id}` must have one answer of {}",
                        question.options.join(", ")
                    ),
                ));
            }
            decided.insert(
                id.clone(),
                options
                    .iter()
                    .filter(|option| **option != NONE)
                    .map(|option| question.full(option))
                    .collect(),
            );
        }
        Ok(decided)
    }

    /// What was decided, and what the guide adds: for each open question the first default that fits.
    fn chosen(&self, intent: &Intent, decided: &Decided) -> Result<BTreeSet<String>, PlanError> {
        let mut chosen = self.questions.always();
        let mut answered: BTreeSet<&str> = BTreeSet::new();
        for question in &self.questions.questions {
            if let Some(options) = decided.get(&question.id) {
                chosen.extend(options.iter().cloned());
                answered.insert(&question.id);
            }
        }
        // What was decided is told apart from what the guide adds to it.
        if let Some(error) = self.error(&chosen, &answered) {
            return Err(error);
        }
        let profile = intent.strictest();
        for question in &self.questions.questions {
            if !answered.insert(&question.id) {
                continue;
            }
            if !question.is_asked(intent) {
                continue;
            }
            let fitting = question
                .defaults(profile)
                .iter()
                .chain(&question.options)
                .filter(|option| {
                    let mut with = chosen.clone();
                    if ***option != *NONE {
                        with.insert(question.full(option));
                    }
                    self.trouble(&with, &answered).is_none()
                });
            if question.any {
                for option in question.defaults(profile) {
                    let mut with = chosen.clone();
                    with.insert(question.full(option));
                    if self.trouble(&with, &answered).is_none() {
                        chosen = with;
                    }
                }
            } else {
                let first = fitting.into_iter().next();
                let Some(option) = first else {
                    return Err(PlanError::of(
                        &question.id,
                        format!("no answer to `{}` fits the other decisions", question.id),
                    ));
                };
                if **option != *NONE {
                    chosen.insert(question.full(option));
                }
            }
        }
        Ok(chosen)
    }

    /// What does not fit, with the question that is to blame.
    fn error(&self, chosen: &BTreeSet<String>, answered: &BTreeSet<&str>) -> Option<PlanError> {
        let (option, message) = self.trouble(chosen, answered)?;
        Some(PlanError {
            question: self
                .question_of(&option)
                .map(|question| question.id.clone()),
            message,
        })
    }

    /// Whether the intent says what the choices need.
    fn given(&self, intent: &Intent, chosen: &BTreeSet<String>) -> Result<(), PlanError> {
        for (full, lacks, what) in [
            (
                "api-server/public-ranges",
                intent.access.ranges.is_empty(),
                "`access.ranges`: the addresses from which people and pipelines come",
            ),
            (
                "private-endpoints/public-firewall",
                intent.access.ranges.is_empty(),
                "`access.ranges`: the addresses from which people and pipelines come",
            ),
            (
                "virtual-network/hub-and-spoke",
                intent.network.hub.is_some() && intent.network.firewall.is_none(),
                "`network.firewall`: the private address of the firewall in the hub",
            ),
        ] {
            if lacks && chosen.contains(full) {
                return Err(PlanError {
                    question: self.question_of(full).map(|question| question.id.clone()),
                    message: format!("{} needs {what}", self.written(full)),
                });
            }
        }
        Ok(())
    }

    fn question_of(&self, full: &str) -> Option<&Question> {
        self.questions.questions.iter().find(|question| {
            question
                .options
                .iter()
                .any(|option| question.full(option) == *full)
        })
    }

    /// As people write it: `question: option`.
    fn written(&self, full: &str) -> String {
        match (self.question_of(full), full.split_once('/')) {
            (Some(question), Some((_, option))) => format!("`{}: {option}`", question.id),
            _ => format!("`{full}`"),
        }
    }

    /// Two options that exclude each other, or one whose requirement nothing can meet any more; the questions that
    /// are not among `answered` may still bring it.
    pub(crate) fn trouble(
        &self,
        chosen: &BTreeSet<String>,
        answered: &BTreeSet<&str>,
    ) -> Option<(String, String)> {
        for exclude in &self.questions.excludes {
            let [one, other] = &exclude.options;
            if chosen.contains(&**one) && chosen.contains(&**other) {
                let message = format!(
                    "{} and {} do not go together: {}",
                    self.written(one),
                    self.written(other),
                    exclude.because
                );
                return Some((one.to_string(), message));
            }
        }
        for full in chosen {
            let Some(known) = option(self.guide, full) else {
                continue;
            };
            if let Some(other) = known
                .conflicts
                .iter()
                .find(|other| chosen.contains(&***other))
            {
                let message = format!(
                    "{} and {} do not go together",
                    self.written(full),
                    self.written(other)
                );
                return Some((full.clone(), message));
            }
            for group in &known.requires {
                let met = group.iter().any(|other| chosen.contains(&**other));
                let open = group.iter().any(|other| {
                    self.question_of(other)
                        .is_some_and(|question| !answered.contains(&*question.id))
                });
                if !met && !open && group.iter().any(|other| self.question_of(other).is_some()) {
                    let names: Vec<String> =
                        group.iter().map(|other| self.written(other)).collect();
                    let message = format!("{} needs {}", self.written(full), names.join(" or "));
                    return Some((full.clone(), message));
                }
            }
        }
        None
    }

    fn answers(
        &self,
        intent: &Intent,
        decided: &Decided,
        chosen: &BTreeSet<String>,
    ) -> Vec<Answer> {
        let answer = |question: &Question| {
            let topic = topic_of(self.guide, &question.topic);
            let choice = |id: &str| {
                let known = option(self.guide, &question.full(id));
                Choice {
                    id: id.into(),
                    title: known.map_or_else(|| "None of them".into(), |known| known.title.clone()),
                    trade_off: known
                        .map(|known| known.trade_off.clone())
                        .unwrap_or_default(),
                }
            };
            let (options, others): (Vec<&Box<str>>, Vec<&Box<str>>) = question
                .options
                .iter()
                .partition(|option| chosen.contains(&question.full(option)));
            Answer {
                question: question.id.clone(),
                asks: question.asks.clone(),
                title: topic.map(|topic| topic.title.clone()).unwrap_or_default(),
                page: topic
                    .map(|topic| format!("{}/{}", topic.chapter, topic.id))
                    .unwrap_or_default(),
                options: options.into_iter().map(|id| choice(id)).collect(),
                others: others.into_iter().map(|id| choice(id)).collect(),
                always: question.always.iter().map(|id| choice(id)).collect(),
                by: if decided.contains_key(&question.id) {
                    "intent"
                } else if question.is_asked(intent) {
                    "guide"
                } else {
                    "nobody"
                },
            }
        };
        self.questions.questions.iter().map(answer).collect()
    }

    fn waivers(&self, intent: &Intent, chosen: &BTreeSet<String>) -> Vec<Waiver> {
        let accepts = self.questions.accepts.iter();
        let mut waivers: Vec<Waiver> = accepts
            .filter(|accept| holds(accept, intent, chosen))
            .map(|accept| {
                let names = |options: &[Box<str>]| {
                    let names = options.iter().map(|full| self.written(full));
                    names.collect::<Vec<_>>().join(", ").replace('`', "")
                };
                let reason = match (accept.options.as_slice(), accept.without.as_slice()) {
                    ([], []) => accept.reason.to_string(),
                    ([], without) => {
                        format!("not chosen: {}; {}", names(without), accept.reason)
                    }
                    (options, _) => format!("chosen: {}; {}", names(options), accept.reason),
                };
                Waiver {
                    guideline: accept.guideline.clone(),
                    resource: accept.resource.clone(),
                    container: accept.container.clone(),
                    reason,
                }
            })
            .collect();
        waivers.sort();
        // One reason suffices.
        waivers.dedup_by(|one, other| {
            one.guideline == other.guideline
                && one.resource == other.resource
                && one.container == other.container
        });
        waivers
    }
}

/// Whether something is accepted with what was chosen.
fn holds(accept: &Accept, intent: &Intent, chosen: &BTreeSet<String>) -> bool {
    let mut workloads = intent.workloads.iter();
    let uses = match &accept.uses {
        Some(service) => workloads.any(|workload| workload.uses.contains(service)),
        None => true,
    };
    let alone = match intent.environments.as_slice() {
        [one] => accept.alone.contains(&one.name),
        _ => false,
    };
    let quiet = intent
        .workloads
        .iter()
        .all(|workload| workload.uses.is_empty() && workload.egress.is_empty());
    let mut options = accept.options.iter();
    let mut without = accept.without.iter();
    options.all(|option| chosen.contains(&**option))
        && (accept.alone.is_empty() || alone)
        && !without.any(|option| chosen.contains(&**option))
        && uses
        && (quiet || !accept.quiet)
        && accept.from <= intent.strictest()
        && accept
            .hub
            .is_none_or(|given| given == intent.network.hub.is_some())
        && accept
            .language
            .as_ref()
            .is_none_or(|language| intent.infrastructure.contains(language))
}

/// The clusters: one for each environment, or one for all.
fn clusters(intent: &Intent, shared: bool) -> Result<Vec<Cluster>, PlanError> {
    let environments = &intent.environments;
    let mut clusters = Vec::new();
    if shared {
        let names: Vec<Box<str>> = environments
            .iter()
            .map(|environment| environment.name.clone())
            .collect();
        let name = match names.as_slice() {
            [one] => one.clone(),
            _ => "shared".into(),
        };
        if let Some(first) = environments.first() {
            clusters.push(cluster(
                intent,
                name,
                intent.strictest(),
                names,
                &first.range,
            )?);
        }
    } else {
        for environment in environments {
            let own = vec![environment.name.clone()];
            clusters.push(cluster(
                intent,
                environment.name.clone(),
                environment.profile,
                own,
                &environment.range,
            )?);
        }
    }
    Ok(clusters)
}

/// What a cluster's range is cut into: what for, the distance from its first address, and the mask. All ends within
/// a /21. The names of some are Azure's own.
const SUBNETS: [(&str, u32, u8); 9] = [
    ("nodes", 0, 22),
    ("ingress", 1024, 24),
    ("firewall", 1280, 26),
    ("firewall_management", 1344, 26),
    ("endpoints", 1408, 26),
    ("api_server", 1472, 28),
    ("load_balancers", 1536, 26),
    ("runners", 1600, 26),
    ("bastion", 1664, 26),
];

fn cluster(
    intent: &Intent,
    name: Box<str>,
    profile: Profile,
    environments: Vec<Box<str>>,
    range: &str,
) -> Result<Cluster, PlanError> {
    let wrong = || PlanError {
        question: None,
        message: format!("`{range}` is too small for the subnets of a cluster"),
    };
    let all = Range::parse(range).ok_or_else(wrong)?;
    let mut subnets = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    for (what, distance, bits) in SUBNETS {
        let subnet = all.subnet(distance, bits).ok_or_else(wrong)?;
        subnets.insert(what, subnet.to_string());
        // Azure keeps the first four addresses of a subnet.
        addresses.insert(what, subnet.address(4).to_string());
    }
    let many = environments.len() > 1;
    let mut namespaces = Vec::new();
    for environment in &environments {
        let named = |workload: &str| {
            if many {
                format!("{workload}-{environment}")
            } else {
                workload.to_owned()
            }
        };
        for workload in &intent.workloads {
            let calls = intent
                .workloads
                .iter()
                .filter(|other| workload.calls.contains(&other.name));
            let calls = calls.filter_map(|other| {
                Some(Peer {
                    namespace: named(&other.name),
                    workload: other.name.clone(),
                    port: other.port?,
                })
            });
            let callers = intent
                .workloads
                .iter()
                .filter(|other| other.calls.contains(&workload.name));
            namespaces.push(Namespace {
                name: named(&workload.name),
                environment: many.then(|| environment.clone()),
                calls: calls.collect(),
                called_by: callers.map(|other| named(&other.name)).collect(),
                client_id: format!(
                    "{}_CLIENT_ID",
                    named(&workload.name).to_ascii_uppercase().replace('-', "_")
                ),
                workload: workload.clone(),
            });
        }
    }
    Ok(Cluster {
        registry: format!("cr{}{name}", intent.name).replace('-', ""),
        name,
        profile,
        environments,
        range: range.into(),
        subnets,
        addresses,
        namespaces,
    })
}
