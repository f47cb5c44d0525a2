//! Judging: one resource, all selected guidelines, four-valued verdicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

use analysis::Analyses;
use analysis::compare::resources::relative;
use bumpalo::Bump;
use cel::{Program, Val};
use model::doc::Doc;
use model::finding::{Because, Finding, Fingerprint, GuidelineId, Outcome, Severity};
use model::kinds::Kind;
use model::prune::Keep;
use model::resource::ResourceName;
use model::{Estate, Resource, unknown};

use crate::admission::Admission;
use crate::answers::Answers;
use crate::beside::Cache;
use crate::cases;
use crate::catalogue::Guide;
use crate::context::{Context, Value};
use crate::guideline::{Applies, Check, Guideline};
use crate::message::Quoting;
use crate::place::{self, Decided};
use crate::remedy;

/// What verdicts depend on besides the estate.
#[derive(Debug)]
pub struct Setting {
    /// The Kubernetes minor judged against.
    pub kubernetes_minor: u8,
    /// The configuration that guidelines read: a map.
    pub params: Doc,
    /// Keys of `params` that have a value.
    pub set: BTreeSet<Box<str>>,
    /// Severities that the configuration changes.
    pub severities: BTreeMap<Box<str>, Severity>,
    /// The minors that AKS supports on the day of the assessment, and those under long-term
    /// support.
    pub aks: AksVersions,
    /// What fixes asked, and was answered.
    pub answers: Answers,
    /// Kubernetes' own ClusterRoles.
    pub default_roles: BTreeMap<Box<str>, Doc>,
    /// The day of the assessment, at midnight UTC.
    pub today: Option<cel::Timestamp>,
    /// The paths that were given, where findings must be the same below others: fingerprints leave
    /// them out.
    pub roots: Vec<String>,
}

/// Kubernetes minors of AKS, as texts (`1.34`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AksVersions {
    /// Generally available and patched.
    pub supported: Vec<Box<str>>,
    /// Patched for clusters with the long-term plan.
    pub long_term: Vec<Box<str>>,
    /// The day on which support of each minor ends.
    pub ends: BTreeMap<Box<str>, cel::Timestamp>,
    /// The day on which long-term support ends.
    pub long_term_ends: BTreeMap<Box<str>, cel::Timestamp>,
}

/// A verdict without its reason, for counts and `--verdicts all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerdictWord {
    /// does not apply
    NotApplicable,
    /// holds
    Pass,
    /// cannot be said
    Unknown,
    /// does not hold
    Fail,
}

impl VerdictWord {
    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// What was said about one resource.
#[derive(Debug, Default)]
pub struct Judged {
    /// In the order of guidelines and items.
    pub findings: Vec<Finding>,
    /// One for each guideline that was asked: its number in [`Guide::guidelines`] and the verdict.
    pub verdicts: Vec<(u16, VerdictWord)>,
}

/// Judges resources by a selection of the guide.
#[derive(Debug)]
pub struct Judge<'g> {
    /// The guide.
    pub guide: &'g Guide,
    /// What verdicts depend on.
    pub setting: &'g Setting,
    /// Guidelines in question, by number; those that need an unset parameter are left out.
    selected: Vec<u16>,
    /// Findings carry what would cure them.
    remedies: bool,
    /// What was found out for them about the estate.
    beside: Cache,
    /// Guidelines about a kind: local ones, joined ones.
    by_kind: RwLock<HashMap<Kind, Arc<Plan>>>,
}

/// Which guidelines are asked about a kind.
#[derive(Debug, Default)]
struct Plan {
    local: Vec<u16>,
    joined: Vec<u16>,
}

impl<'g> Judge<'g> {
    /// A judge for the guidelines that `select` chooses.
    #[must_use]
    pub fn new(
        guide: &'g Guide,
        setting: &'g Setting,
        select: impl Fn(&Guideline) -> bool,
    ) -> Self {
        let selected = guide
            .guidelines
            .iter()
            .enumerate()
            .filter(|(_, guideline)| select(guideline))
            .filter(|(_, guideline)| {
                guideline
                    .needs
                    .params
                    .iter()
                    .all(|key| setting.set.contains(key))
            })
            .map(|(index, _)| index as u16)
            .collect();
        Self {
            guide,
            setting,
            selected,
            remedies: false,
            beside: Cache::default(),
            by_kind: RwLock::default(),
        }
    }

    /// The same, whose findings carry what would cure them.
    #[must_use]
    pub fn with_remedies(mut self) -> Self {
        self.remedies = true;
        self
    }

    /// The guidelines in question.
    pub fn selected(&self) -> impl Iterator<Item = (u16, &'g Guideline)> + '_ {
        self.selected
            .iter()
            .filter_map(|index| Some((*index, self.guide.guidelines.get(*index as usize)?)))
    }

    /// Whether any guideline in question is about this kind or reads it.
    #[must_use]
    pub fn wants(&self, kind: &Kind) -> bool {
        let plan = self.plan(kind);
        !plan.local.is_empty() || !plan.joined.is_empty() || self.reads(kind)
    }

    /// Whether what guidelines say of the estate as a whole may hang on an object of this kind.
    #[must_use]
    pub fn joins_read(&self, kind: &Kind) -> bool {
        !self.plan(kind).joined.is_empty() || self.reads(kind)
    }

    /// Whether a guideline in question reads this kind while judging something else.
    fn reads(&self, kind: &Kind) -> bool {
        const LINKED: [&str; 12] = [
            "Namespace",
            "ServiceAccount",
            "Service",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "RoleBinding",
            "ClusterRoleBinding",
            "Role",
            "ClusterRole",
            "Ingress",
            "Secret",
            "ConfigMap",
        ];
        // Workloads use what is judged, are selected by it, and name the namespaces that nothing else
        // declares.
        let workload = matches!(kind, Kind::Kubernetes { group, kind } if model::kinds::pod_route(group, kind).is_some());
        LINKED.iter().any(|name| kind.is(name))
            || (workload && self.joins())
            || (analysis::reach::KINDS.iter().any(|name| kind.is(name))
                && self
                    .selected()
                    .any(|(_, guideline)| self.looks_at_network(guideline)))
            || self
                .selected()
                .any(|(_, guideline)| self.looks_at(guideline).any(|name| kind.is(name)))
    }

    /// Whether it takes other objects to judge by a guideline, or to say what would cure its findings.
    fn is_joined(&self, guideline: &Guideline) -> bool {
        guideline.needs.joined || (self.remedies && guideline.needs.fixes.joined)
    }

    fn looks_at_network(&self, guideline: &Guideline) -> bool {
        guideline.needs.network || (self.remedies && guideline.needs.fixes.network)
    }

    fn looks_at<'n>(&self, guideline: &'n Guideline) -> impl Iterator<Item = &'n Box<str>> {
        let of_fixes = guideline.needs.fixes.kinds.iter();
        let of_fixes = of_fixes.filter(move |_| self.remedies);
        guideline.needs.kinds.iter().chain(of_fixes)
    }

    /// Whether any guideline in question joins objects.
    #[must_use]
    pub fn joins(&self) -> bool {
        self.selected()
            .any(|(_, guideline)| self.is_joined(guideline))
    }

    /// What of a workload the guidelines that join objects can read.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let mut keep = Keep::indexed(&self.guide.symbols);
        for (_, guideline) in self
            .selected()
            .filter(|(_, guideline)| self.is_joined(guideline))
        {
            self.guide.reads_of(guideline, &mut keep);
        }
        keep
    }

    fn plan(&self, kind: &Kind) -> Arc<Plan> {
        if let Some(plan) = self
            .by_kind
            .read()
            .ok()
            .and_then(|plans| plans.get(kind).cloned())
        {
            return plan;
        }
        let workload = match kind {
            Kind::Kubernetes { group, kind } => model::kinds::pod_route(group, kind).is_some(),
            Kind::Azure(_) => false,
        };
        let mut plan = Plan::default();
        for (index, guideline) in self.selected() {
            if guideline.is_about(kind, workload) {
                if self.is_joined(guideline) {
                    plan.joined.push(index)
                } else {
                    plan.local.push(index)
                }
            }
        }
        let plan = Arc::new(plan);
        if let Ok(mut plans) = self.by_kind.write() {
            plans.insert(kind.clone(), Arc::clone(&plan));
        }
        plan
    }

    /// Judges a resource by the guidelines that need nothing but it.
    #[must_use]
    pub fn local(&self, resource: &Resource) -> Judged {
        let plan = self.plan(&resource.name.kind);
        self.judge(resource, None, None, &plan.local)
    }

    /// What a resource surely fails of them. Nothing is found out about what decided, which takes longest.
    #[must_use]
    pub fn failing(&self, resource: &Resource) -> Failing {
        let bump = Bump::new();
        let context = Context::new(self.guide, self.setting, resource, None, &bump);
        let mut asking = Asking::new(self, context, resource, None);
        asking.brief = Some(Failing::default());
        for index in &self.plan(&resource.name.kind).local {
            if let Some(guideline) = self.guide.guidelines.get(*index as usize) {
                asking.context.refill();
                asking.ask(guideline);
            }
        }
        asking.brief.unwrap_or_default()
    }

    /// The same for the object of a request before an API server.
    #[must_use]
    pub fn local_at(&self, resource: &Resource, admission: &Admission) -> Judged {
        let plan = self.plan(&resource.name.kind);
        self.judge(resource, None, Some(admission), &plan.local)
    }

    /// Judges a resource of a complete estate by the guidelines that join objects.
    #[must_use]
    pub fn joined(&self, resource: &Resource, analyses: &Analyses<'_>) -> Judged {
        let plan = self.plan(&resource.name.kind);
        self.judge(resource, Some(analyses), None, &plan.joined)
    }

    /// Judges the object of a request before an API server beside what the cluster holds. Guidelines that
    /// `asks` refuses are left out: what they read is not known of an object that is not there yet.
    #[must_use]
    pub fn joined_at(
        &self,
        resource: &Resource,
        analyses: &Analyses<'_>,
        admission: &Admission,
        asks: impl Fn(&Guideline) -> bool,
    ) -> Judged {
        let asked: Vec<u16> = self
            .joined_about(resource)
            .into_iter()
            .filter(|(_, guideline)| asks(guideline))
            .map(|(number, _)| number)
            .collect();
        self.judge(resource, Some(analyses), Some(admission), &asked)
    }

    /// The guidelines about a resource that join objects.
    #[must_use]
    pub fn joined_about(&self, resource: &Resource) -> Vec<(u16, &'g Guideline)> {
        let plan = self.plan(&resource.name.kind);
        let numbers = plan.joined.iter();
        numbers
            .filter_map(|number| Some((*number, self.guide.guidelines.get(*number as usize)?)))
            .collect()
    }

    /// Whether any guideline in question is about this kind.
    #[must_use]
    pub fn is_asked_about(&self, kind: &Kind) -> bool {
        let plan = self.plan(kind);
        !plan.local.is_empty() || !plan.joined.is_empty()
    }

    /// Judges the estate as a whole. `witness` stands for it: where its findings point.
    #[must_use]
    pub fn estate(&self, witness: &Resource, analyses: &Analyses<'_>) -> Judged {
        let about: Vec<u16> = self
            .selected()
            .filter(|(_, guideline)| guideline.applies == Applies::Estate)
            .map(|(index, _)| index)
            .collect();
        let mut judged = self.judge(witness, Some(analyses), None, &about);
        // Nothing that was read is to blame: the place is only where the estate begins.
        let name = Arc::new(ResourceName {
            kind: Kind::Kubernetes {
                group: "seawall.dev".into(),
                kind: "Estate".into(),
            },
            api_version: "seawall.dev/v1".into(),
            namespace: None,
            name: "estate".into(),
        });
        for finding in &mut judged.findings {
            finding.resource = Arc::clone(&name);
            finding.provider_managed = false;
            finding.fingerprint = Fingerprint::of(&[&finding.guideline.0, "estate"]);
        }
        judged
    }

    /// A guideline's severity, which the configuration may change.
    #[must_use]
    pub fn severity(&self, guideline: &Guideline) -> Severity {
        self.setting
            .severities
            .get(&*guideline.id.0)
            .copied()
            .unwrap_or(guideline.severity)
    }

    /// Asks one guideline about a resource.
    pub(crate) fn ask_one(
        &self,
        resource: &Resource,
        analyses: Option<&Analyses<'_>>,
        guideline: u16,
    ) -> Judged {
        self.judge(resource, analyses, None, &[guideline])
    }

    fn judge(
        &self,
        resource: &Resource,
        analyses: Option<&Analyses<'_>>,
        admission: Option<&Admission>,
        guidelines: &[u16],
    ) -> Judged {
        let mut judged = Judged::default();
        if guidelines.is_empty() {
            return judged;
        }
        judged.verdicts.reserve_exact(guidelines.len());
        let bump = Bump::new();
        let context = Context::new(self.guide, self.setting, resource, analyses, &bump)
            .at_admission(admission);
        let estate = analyses.map(|analyses| analyses.estate);
        let mut asking = Asking::new(self, context, resource, estate);
        for index in guidelines {
            if let Some(guideline) = self.guide.guidelines.get(*index as usize) {
                asking.context.refill();
                let from = asking.findings.len();
                let mut verdict = asking.ask(guideline);
                if let Some(settled) =
                    cases::settle(self, *index, resource, analyses, &mut asking.findings, from)
                {
                    verdict = settled;
                }
                judged.verdicts.push((*index, verdict));
            }
        }
        judged.findings = asking.findings;
        judged
    }
}

/// What a resource fails.
#[derive(Debug, Default)]
pub struct Failing {
    /// The guidelines, each as often as it has something to say, with what it says.
    pub fails: Vec<(GuidelineId, String)>,
    /// Some could not be decided.
    pub open: bool,
}

/// One resource before all its guidelines.
struct Asking<'a, 'g> {
    judge: &'a Judge<'g>,
    context: Context<'a>,
    resource: &'a Resource,
    estate: Option<&'a Estate>,
    name: Option<Arc<ResourceName>>,
    shown: Option<place::Shown>,
    findings: Vec<Finding>,
    /// Where just this is asked for, nothing is found.
    brief: Option<Failing>,
}

impl<'a, 'g> Asking<'a, 'g> {
    const fn new(
        judge: &'a Judge<'g>,
        context: Context<'a>,
        resource: &'a Resource,
        estate: Option<&'a Estate>,
    ) -> Self {
        Self {
            judge,
            context,
            resource,
            estate,
            name: None,
            shown: None,
            findings: Vec::new(),
            brief: None,
        }
    }

    fn eval(&self, program: &'a Program, locals: &[Value<'a>]) -> Value<'a> {
        program
            .eval(
                &self.context,
                locals,
                self.context.bump,
                &self.context.budget,
            )
            .resolve()
    }

    fn ask(&mut self, guideline: &'a Guideline) -> VerdictWord {
        let Some(each) = &guideline.each else {
            return self.ask_item(guideline, None, &[]);
        };
        let list = self.eval(&each.program, &[]);
        let Some(items) = list.as_list() else {
            return match list.resolve() {
                Val::Unknown(_) | Val::Error(_) => {
                    self.report(guideline, None, None, &each.program, &[], Some(list))
                }
                _ => VerdictWord::NotApplicable,
            };
        };
        let mut worst = VerdictWord::NotApplicable;
        for index in 0..items.len() {
            let Some(item) = items.get(index) else {
                continue;
            };
            worst = worst.max(self.ask_item(guideline, Some((index, item)), &[item]));
        }
        // Of files nobody expects that they hold every item; of what runs, one that was not read may be
        // the bad one.
        if let Some(reason) = items.rest()
            && (self.resource.origin.live || reason.0 >= unknown::GAP.0)
        {
            let more = Some(Val::Unknown(reason));
            worst = worst.max(self.report(guideline, None, None, &each.program, &[], more));
        }
        worst
    }

    fn ask_item(
        &mut self,
        guideline: &'a Guideline,
        item: Option<(usize, Value<'a>)>,
        locals: &[Value<'a>],
    ) -> VerdictWord {
        if let Some(when) = &guideline.when {
            match self.eval(when, locals) {
                Val::Bool(true) => {}
                Val::Bool(false) => return VerdictWord::NotApplicable,
                other => return self.report(guideline, None, item, when, locals, Some(other)),
            }
        }
        let mut worst = VerdictWord::Pass;
        let mut reasons: Vec<cel::Unknown> = Vec::new();
        for check in &guideline.checks {
            let verdict = match self.eval(&check.program, locals) {
                Val::Bool(true) => continue,
                Val::Bool(false) => {
                    self.report(guideline, Some(check), item, &check.program, locals, None)
                }
                // Two clauses that are unknown for one reason say it once.
                Val::Unknown(reason) if reasons.contains(&reason) => VerdictWord::Unknown,
                other => {
                    if let Val::Unknown(reason) = other {
                        reasons.push(reason);
                    }
                    self.report(guideline, None, item, &check.program, locals, Some(other))
                }
            };
            worst = worst.max(verdict);
        }
        worst
    }

    /// Makes the finding. `undecided` is the value that was neither true nor false.
    fn report(
        &mut self,
        guideline: &'a Guideline,
        failed: Option<&'a Check>,
        item: Option<(usize, Value<'a>)>,
        program: &'a Program,
        locals: &[Value<'a>],
        undecided: Option<Value<'a>>,
    ) -> VerdictWord {
        if let Some(brief) = &mut self.brief {
            let message =
                |check: &'a Check| self.context.message(&check.message, locals, Quoting::None);
            match failed.filter(|_| undecided.is_none()) {
                Some(check) => brief.fails.push((guideline.id.clone(), message(check))),
                None => brief.open = true,
            }
            return VerdictWord::Unknown;
        }
        let blame = program.blame(
            &self.context,
            locals,
            self.context.bump,
            &self.context.budget,
        );
        let item_node = item.and_then(|(_, value)| value.as_node());
        let mut shown = self
            .shown
            .take()
            .unwrap_or_else(|| place::Shown::of(self.resource));
        let decided: Decided = place::decide(
            &blame.decisions,
            self.resource,
            self.estate,
            item_node,
            guideline.sensitive,
            &mut shown,
        );
        let reason = undecided.map(|value| reason(guideline, value, &decided, self.estate));
        let (message, outcome, word) = match reason {
            None => {
                let message = failed
                    .map(|check| self.context.message(&check.message, locals, Quoting::None))
                    .unwrap_or_default();
                (message, Outcome::Fail, VerdictWord::Fail)
            }
            Some((reason, because)) => {
                let what = item_node
                    .and_then(place::item_name)
                    .map(|name| format!("`{name}`: "))
                    .unwrap_or_default();
                let message = format!("{what}cannot tell: {reason}");
                (
                    message,
                    Outcome::Unknown {
                        reason: reason.into(),
                        because,
                    },
                    VerdictWord::Unknown,
                )
            }
        };
        let name = self
            .name
            .get_or_insert_with(|| Arc::new(self.resource.name.clone()))
            .clone();
        let item_name: Option<Box<str>> = item.map(|(index, value)| {
            value
                .as_node()
                .and_then(place::item_name)
                .or_else(|| computed_name(value))
                .map_or_else(|| index.to_string().into(), Into::into)
        });
        let check = failed
            .filter(|_| guideline.checks.len() > 1)
            .and_then(|check| guideline.number_of(check));
        let path = &self.resource.origin.path;
        let relative = relative(path, &self.judge.setting.roots);
        let fingerprint = Fingerprint::of_finding(
            &guideline.id,
            relative.as_deref().unwrap_or(path),
            // Two Azure resources may be shown under one name; their ids differ.
            self.resource
                .azure
                .as_ref()
                .map_or_else(|| self.relative_id(&name), |azure| azure.id.to_string())
                .as_str(),
            item_name.as_deref(),
            check,
        );
        let root_cause = self.root_cause(guideline, &decided);
        // An unknown may turn out to be any of the checks' failures.
        let mut safety = match failed {
            Some(check) => guideline.fixes_of(check).next().map(|fix| fix.safety),
            None => guideline.fix_safety(),
        };
        let mut remedy = None;
        if let Some(check) = failed.filter(|_| self.judge.remedies) {
            let item = item.map(|(_, value)| value);
            let ask = self.context.ask(&self.judge.beside);
            remedy = guideline.fixes_of(check).find_map(|fix| {
                let bind = |answers: Vec<remedy::Answer<'a>>| self.context.answer(&answers);
                remedy::of(fix, &ask, item, bind, |program, own| {
                    let locals: Vec<Value<'a>> = locals.iter().copied().chain(own).collect();
                    self.eval(program, &locals)
                })
            });
            safety = remedy.as_ref().map_or(safety, |remedy| Some(remedy.safety));
        }
        self.findings.push(Finding {
            guideline: guideline.id.clone(),
            severity: self.judge.severity(guideline),
            outcome,
            message,
            resource: name,
            object: None,
            item: item_name,
            check,
            provider_managed: self.resource.provider_managed,
            fingerprint,
            place: decided.place,
            more_places: decided.more_places,
            evidence: decided.evidence,
            fix: safety,
            remedy: remedy.map(Box::new),
            waiver: None,
            in_baseline: false,
            root_cause,
        });
        self.shown = Some(shown);
        word
    }

    /// The id of a resource; that of a template, whose name is its path, below what was given.
    fn relative_id(&self, name: &ResourceName) -> String {
        if name.kind == model::azure::template::kind()
            && let Some(below) = relative(&name.name, &self.judge.setting.roots)
        {
            return below;
        }
        name.id()
    }

    fn root_cause(&self, guideline: &Guideline, decided: &Decided) -> Option<Box<str>> {
        if let Some((path, line)) = &decided.anchor {
            return Some(format!("anchor at {path}:{line}").into());
        }
        if let Some(source) = &self.resource.origin.rendered_by {
            return Some(format!("{source}: {}", self.resource.origin.path).into());
        }
        if guideline.needs.joined
            && decided.only_joined
            && let Some(namespace) = &self.resource.name.namespace
        {
            return Some(format!("namespace {namespace}").into());
        }
        None
    }
}

/// The name of an item that was computed: a text, or what a map says of who it is about.
fn computed_name<'a>(item: Value<'a>) -> Option<&'a str> {
    match item.resolve() {
        Val::Str(text) => Some(text),
        Val::Map(map) => ["id", "name", "of", "from"].into_iter().find_map(|wanted| {
            map.entries
                .iter()
                .find_map(|(key, value)| match (key, value) {
                    (Val::Str(key), Val::Str(text)) if *key == wanted && !text.is_empty() => {
                        Some(*text)
                    }
                    _ => None,
                })
        }),
        _ => None,
    }
}

/// Why a value is neither true nor false, and what that rests on.
fn reason(
    guideline: &Guideline,
    value: Value<'_>,
    decided: &Decided,
    estate: Option<&Estate>,
) -> (String, Because) {
    let unread = |reason: &cel::Unknown| reason.0 >= unknown::GAP.0;
    let absence = |reason: &cel::Unknown| {
        matches!(
            *reason,
            unknown::NOT_WHOLE
                | unknown::NOT_GIVEN
                | unknown::NAMESPACE_NOT_GIVEN
                | unknown::NAMESPACE_AT_APPLY
        )
    };
    match value {
        Val::Unknown(reason) => {
            if let Some(expression) = &decided.open_expression {
                return (format!("it depends on `{expression}`"), Because::Content);
            }
            let all = || decided.unknowns.iter().chain(std::iter::once(&reason));
            let because = if !all().all(|one| absence(one) || unread(one)) {
                Because::Content
            } else if all().any(unread) {
                Because::Unread
            } else {
                Because::Absence
            };
            let text = match guideline.needs.kinds.as_slice() {
                kinds if reason == unknown::NOT_WHOLE && !kinds.is_empty() => {
                    let kinds: Vec<&str> = kinds
                        .iter()
                        .map(|kind| {
                            if &**kind == "workloads" {
                                "workload"
                            } else {
                                kind
                            }
                        })
                        .collect();
                    format!(
                        "{}; there may be another {}",
                        unknown::describe(reason),
                        kinds.join(" or ")
                    )
                }
                _ => estate
                    .map_or_else(
                        || unknown::describe(reason),
                        |estate| estate.describe(reason),
                    )
                    .to_owned(),
            };
            (text, because)
        }
        Val::Error(error) => (
            format!("the object does not have the expected form ({error})"),
            Because::Content,
        ),
        _ => (
            "the check gives neither true nor false".to_owned(),
            Because::Content,
        ),
    }
}
