//! One guideline, as its file says it, with its programs compiled.

use cel::Program;
use model::{Cost, GuidelineId, Safety, Severity};

use crate::fix::{ByHand, Fix};
use crate::message::Template;
use crate::options::TopicOption;

/// The seed's six technical aspects, in its order.
pub const ASPECTS: [(&str, &str); 6] = [
    ("api-server", "API server: authentication and authorisation"),
    ("traffic", "Traffic into and out of the cluster"),
    ("images", "Images"),
    ("secrets", "Secrets and connection strings"),
    (
        "network-isolation",
        "Network isolation of pods and resources",
    ),
    ("pods", "Pods and their capabilities"),
];

/// The seed's seven principles, in its order.
pub const PRINCIPLES: [(&str, &str); 7] = [
    ("minimise-attack-surface", "Minimise attack surface"),
    ("defense-in-depth", "Defense in depth"),
    ("secure-defaults", "Establish secure defaults"),
    ("least-privilege", "Apply least privileged access"),
    (
        "segregation-of-responsibility",
        "Segregation of responsibility",
    ),
    (
        "security-in-every-process",
        "Integrate security in every process",
    ),
    ("keep-security-simple", "Keep security simple"),
];

/// What a guideline is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applies {
    /// Everything that carries a pod.
    Workload,
    /// Kubernetes kinds or Azure resource types, as [`model::kinds::Kind::is`] reads them.
    Kinds(Vec<Box<str>>),
    /// The estate as a whole.
    Estate,
}

/// Where a fact was read, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Address.
    pub url: Box<str>,
    /// ISO date.
    pub seen: Box<str>,
}

/// A clause of the check with what is said when it does not hold.
#[derive(Debug)]
pub struct Check {
    /// Must be true.
    pub program: Program,
    /// What is wrong otherwise.
    pub message: Template,
    /// Line of the guideline's file on which the expression begins.
    pub line: u32,
}

/// The items that are judged one by one.
#[derive(Debug)]
pub struct Each {
    /// The list.
    pub program: Program,
    /// The name of an item.
    pub name: Box<str>,
}

/// What an example must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Exactly the findings in its comments.
    Bad,
    /// At least one pass, no finding.
    Good,
    /// Exactly the unknowns in its comments.
    Unknown,
    /// Not applicable to anything in it.
    NotApplicable,
}

/// One file of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// `yaml` or `json`
    pub language: Box<str>,
    /// Its text.
    pub text: Box<str>,
    /// Line of the guideline's file on which it begins.
    pub line: u32,
    /// Read as what a running cluster (`yaml`) or Azure (`json`) returned.
    pub live: bool,
}

/// A tiny estate that shows the guideline at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What it must show.
    pub expectation: Expectation,
    /// Declared whole.
    pub whole: bool,
    /// An API server would not take it as it is; a file may say it all the same.
    pub invalid: bool,
    /// Judged against this Kubernetes minor.
    pub kubernetes: Option<u8>,
    /// Judged on this day (ISO date).
    pub as_of: Option<Box<str>>,
    /// Configuration, as YAML flow.
    pub params: Option<Box<str>>,
    /// One or more.
    pub files: Vec<ExampleFile>,
}

/// A framework's id and one of its controls.
pub type Mapping = (Box<str>, Box<str>);

/// One checkable statement.
#[derive(Debug)]
pub struct Guideline {
    /// Stable name.
    pub id: GuidelineId,
    /// What holds when it is followed.
    pub title: Box<str>,
    /// How bad it is when it is not.
    pub severity: Severity,
    /// One of [`ASPECTS`].
    pub aspect: Box<str>,
    /// Some of [`PRINCIPLES`].
    pub principles: Vec<Box<str>>,
    /// What it is about.
    pub applies: Applies,
    /// Where it is false, the guideline does not apply.
    pub when: Option<Program>,
    /// Judged item by item.
    pub each: Option<Each>,
    /// All must hold.
    pub checks: Vec<Check>,
    /// What following it costs.
    pub cost: Cost,
    /// Framework and control.
    pub frameworks: Vec<Mapping>,
    /// Attack edges it removes.
    pub cuts: Vec<Box<str>>,
    /// Where its facts come from.
    pub references: Vec<Reference>,
    /// What a machine can do. Of several for the same checks the first counts that has something to offer.
    pub fixes: Vec<Fix>,
    /// What only a person can do.
    pub by_hand: Vec<ByHand>,
    /// The values it points to are never shown.
    pub sensitive: bool,
    /// It judges files, not what a cluster holds: no cluster enforces it.
    pub files_only: bool,
    /// Why, when not, what it costs: Markdown.
    pub prose: Box<str>,
    /// Its tests.
    pub examples: Vec<Example>,
    /// `workloads`
    pub chapter: Box<str>,
    /// `pod-security`
    pub topic: Box<str>,
    /// Path below `guide/`.
    pub file: Box<str>,
    /// What it reads, found out from its references.
    pub needs: Needs,
}

/// What a guideline reads beyond the object itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// It joins objects, so it is judged when all are read.
    pub joined: bool,
    /// It reads Azure resources.
    pub azure: bool,
    /// It reads Kubernetes objects.
    pub kubernetes: bool,
    /// It reads who can talk to whom.
    pub network: bool,
    /// Keys of `params` it reads.
    pub params: Vec<Box<str>>,
    /// Kinds it reads through `facts.all` and `facts.namespace`.
    pub kinds: Vec<Box<str>>,
    /// The lowest Kubernetes minor whose API server can evaluate it.
    pub minimum_minor: u8,
    /// Why the cluster itself cannot enforce it; `None` when it can.
    pub not_enforceable: Option<&'static str>,
    /// What its fixes need besides.
    pub fixes: FixNeeds,
}

/// What the fixes of a guideline need, where somebody asks for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixNeeds {
    /// They join objects.
    pub joined: bool,
    /// They read who can talk to whom.
    pub network: bool,
    /// Kinds that they read.
    pub kinds: Vec<Box<str>>,
}

impl Guideline {
    /// Whether it is about resources of this kind.
    #[must_use]
    pub fn is_about(&self, kind: &model::kinds::Kind, workload: bool) -> bool {
        match &self.applies {
            Applies::Workload => workload,
            Applies::Kinds(kinds) => kinds.iter().any(|name| kind.is(name)),
            Applies::Estate => false,
        }
    }

    /// All programs of the guideline.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.judging()
            .chain(self.fixes.iter().flat_map(Fix::programs))
    }

    /// The programs that judge.
    pub fn judging(&self) -> impl Iterator<Item = &Program> {
        self.when
            .iter()
            .chain(self.each.iter().map(|each| &each.program))
            .chain(
                self.checks.iter().flat_map(|check| {
                    std::iter::once(&check.program).chain(check.message.programs())
                }),
            )
    }

    /// The control of a framework it maps to.
    pub fn controls<'a>(&'a self, framework: &'a str) -> impl Iterator<Item = &'a str> {
        self.frameworks
            .iter()
            .filter(move |(id, _)| &**id == framework)
            .map(|(_, control)| &**control)
    }

    /// Which of its checks one is, from 0.
    pub(crate) fn number_of(&self, check: &Check) -> Option<usize> {
        self.checks.iter().position(|one| one.line == check.line)
    }

    /// The fixes for findings of one of its checks: the first counts that has something to offer.
    pub fn fixes_of(&self, check: &Check) -> impl Iterator<Item = &Fix> {
        let number = self.number_of(check).unwrap_or(usize::MAX);
        let covers = move |fix: &&Fix| fix.checks.contains(&number);
        self.fixes.iter().filter(covers)
    }

    /// Whether there is a machine fix, and whether all there are are safe.
    #[must_use]
    pub fn fix_safety(&self) -> Option<Safety> {
        let is_safe = |fix: &Fix| fix.safety == Safety::Safe;
        self.fixes.first().map(|_| {
            if self.fixes.iter().all(is_safe) {
                Safety::Safe
            } else {
                Safety::Unsafe
            }
        })
    }
}

/// A decision with its options.
#[derive(Debug)]
pub struct Topic {
    /// Folder name.
    pub id: Box<str>,
    /// Chapter's folder name.
    pub chapter: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// Lines of the seed's contents that it covers.
    pub seed: Vec<Box<str>>,
    /// The seed's rating; `None` where it rates nothing.
    pub rating: Option<Severity>,
    /// Place in the chapter.
    pub order: u32,
    /// The decision as a question.
    pub question: Box<str>,
    /// Compared.
    pub options: Vec<TopicOption>,
    /// Tiny estates by which its options are recognised.
    pub examples: Vec<OptionExample>,
    /// Where its facts come from.
    pub references: Vec<Reference>,
    /// Markdown.
    pub prose: Box<str>,
}

/// A tiny estate that shows, or does not show, that options of a topic were chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionExample {
    /// Ids of options of the topic.
    pub options: Vec<Box<str>>,
    /// The estate. `Good`: they were chosen, `Bad`: they were not, `Unknown`: it leaves that open.
    pub example: Example,
}

/// A chapter of the guide.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Folder name.
    pub id: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// Place in the guide.
    pub order: u32,
    /// Markdown.
    pub prose: Box<str>,
}

/// A framework with its controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framework {
    /// Stable name.
    pub id: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Where it was read, and when.
    pub source: Option<Reference>,
    /// What to know about ids, titles and mapping; empty when there is nothing.
    pub note: Box<str>,
    /// Id and title of each control, in the framework's order.
    pub controls: Vec<(Box<str>, Box<str>)>,
}
