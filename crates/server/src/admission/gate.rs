//! From a review to a decision: which guidelines are asked, and what follows from what they say.

use std::collections::BTreeSet;
use std::time::Duration;

use analysis::Analyses;
use analysis::compare::rights::Escalated;
use guide::admission::{Admission, Operation};
use guide::guideline::Applies;
use guide::{Guide, Guideline, Judge, Setting};
use model::finding::{Finding, Outcome};
use model::kinds::Kind;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::resource::Origin;
use model::{Resource, Severity};
use report::config::Serve;
use report::triage::Triage;

use super::completes::{Completed, NoTime, Ways};
use super::opens;
use super::owners;
use super::review::{Review, User};

/// Which guidelines a question is about. Where some fail closed and others open, an API server asks twice: what it
/// does without an answer is said of each webhook as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// Those without whose answer nothing is let in.
    Closed,
    /// The others.
    Open,
    /// All.
    Both,
}

/// What follows from findings.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// By severity.
    pub serve: Serve,
    /// Everything is let in, with what would be refused as warnings.
    pub dry_run: bool,
}

/// A finding and what became of it.
#[derive(Debug, Clone)]
pub struct Said {
    /// What is wrong, or cannot be said.
    pub finding: Finding,
    /// What became of it.
    pub why: Why,
    /// It rests on other objects, as they were when the cluster was last looked at.
    pub rests: bool,
}

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The object is refused.
    Refused,
    /// It is let in with a warning, as the severity says.
    Warned,
    /// It would be refused if this were no dry run.
    WouldBeRefused,
    /// It was so before; refusing the change would not make it better.
    WasSoBefore,
    /// It rests on other objects, which may have changed since.
    RestsOnOthers,
    /// It is accepted by a waiver.
    Waived,
}

/// What is answered.
#[derive(Debug, Default)]
pub struct Decision {
    /// Whether the object may be written.
    pub allowed: bool,
    /// What was said about it, in the order of guidelines.
    pub said: Vec<Said>,
    /// How many guidelines judged it.
    pub judged: usize,
    /// Guidelines that could not be asked, and why.
    pub not_asked: Vec<(String, &'static str)>,
    /// What people call the object: `Pod shop/web`.
    pub name: String,
    /// Why it could not be judged at all.
    pub unreadable: Option<String>,
    /// What somebody could take who cannot now.
    pub opens: Vec<Escalated>,
    /// Ways of attackers that are there with it, and were not.
    pub completes: Vec<Completed>,
    /// What of them refuses it, by the weight of what is reached; in a dry run it would.
    pub refused_from: Option<u32>,
}

/// Decides about objects.
pub struct Gate<'g> {
    guide: &'g Guide,
    ways: Option<Ways<'g>>,
    closed: Judge<'g>,
    open: Judge<'g>,
    triage: Triage,
    rules: Rules,
    /// By namespaces, labels and names.
    managed: Managed,
    /// By namespaces and names alone: whoever writes an object writes its labels.
    unlabelled: Managed,
}

impl std::fmt::Debug for Gate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// Why a guideline is not asked of an object that is not there yet.
const NETWORK: &str = "who can talk to it is only known once it runs";
const AZURE: &str = "it reads Azure resources";
const NOT_READ: &str = "the cluster has not been read yet";
const NO_TIME: &str = "there was no time left";
/// What stands for a guideline where ways of attackers were not looked for.
const WAYS: &str = "ways";

/// Those who may remove the webhook itself: what they label as AKS's own is believed.
const MASTERS: &str = "system:masters";

impl<'g> Gate<'g> {
    /// A gate for the guidelines that `select` chooses, those that judge no cluster left out.
    #[must_use]
    pub fn new(
        guide: &'g Guide,
        setting: &'g Setting,
        rules: Rules,
        triage: Triage,
        managed: Managed,
        select: impl Fn(&Guideline) -> bool,
    ) -> Self {
        let asked = |guideline: &Guideline| {
            select(guideline) && !guideline.files_only && guideline.applies != Applies::Estate
        };
        let severity = |guideline: &Guideline| {
            setting
                .severities
                .get(&*guideline.id.0)
                .copied()
                .unwrap_or(guideline.severity)
        };
        let is_closed =
            |guideline: &Guideline| rules.serve.fail_closed.contains(&severity(guideline));
        Self {
            closed: Judge::new(guide, setting, |guideline| {
                asked(guideline) && is_closed(guideline)
            }),
            open: Judge::new(guide, setting, |guideline| {
                asked(guideline) && !is_closed(guideline)
            }),
            guide,
            ways: None,
            triage,
            rules,
            unlabelled: Managed {
                labels: Vec::new(),
                ..managed.clone()
            },
            managed,
        }
    }

    /// The same gate, that also asks which ways of attackers an object completes.
    #[must_use]
    pub fn looking_for(mut self, ways: Ways<'g>) -> Self {
        self.ways = Some(ways);
        self
    }

    /// What looks for ways of attackers, where that is asked.
    #[must_use]
    pub const fn ways(&self) -> Option<&Ways<'g>> {
        self.ways.as_ref()
    }

    /// Whether the answer to this half is a refusal where there is none.
    #[must_use]
    pub fn fails_closed(&self, half: Half) -> bool {
        half == Half::Closed && !self.rules.dry_run
    }

    /// Whether some guideline of a half is about a kind.
    #[must_use]
    pub fn is_asked_about(&self, half: Half, kind: &Kind) -> bool {
        self.judges(half)
            .any(|(judge, _)| judge.is_asked_about(kind))
    }

    fn judges(&self, half: Half) -> impl Iterator<Item = (&Judge<'g>, Half)> {
        [(&self.closed, Half::Closed), (&self.open, Half::Open)]
            .into_iter()
            .filter(move |(_, own)| half == Half::Both || half == *own)
    }

    /// Decides about an object. `namespace` is its Namespace as it is now, `beside` what is known of the cluster;
    /// `late` tells whether an answer after so long would come too late.
    #[must_use]
    pub fn decide(
        &self,
        review: &Review<'_>,
        half: Half,
        namespace: Option<&Resource>,
        beside: Option<&Analyses<'_>>,
        late: &dyn Fn(Duration) -> bool,
    ) -> Decision {
        let mut decision = Decision {
            allowed: true,
            name: shown(review),
            ..Decision::default()
        };
        // A deletion makes nothing; what is only talked through is no object that a guideline is about.
        let Some(text) = review.object else {
            return decision;
        };
        if matches!(review.operation, Operation::Delete | Operation::Connect) {
            return decision;
        }
        let resources = match self.read(review, text) {
            Ok(resources) => resources,
            Err(why) => {
                decision.unreadable = Some(why);
                decision.allowed = !self.refuses_unknown(half);
                return decision;
            }
        };
        let mut admission = Admission::of(
            &self.guide.symbols,
            review.operation,
            &review.request,
            review.old,
        );
        admission.namespace = namespace.cloned();
        let asked = Asked {
            gate: self,
            review,
            half,
            beside,
            late,
            admission: &admission,
        };
        for resource in &resources {
            asked.judge(resource, &mut decision);
        }
        if decision.said.iter().any(|said| said.why == Why::Refused) {
            asked.forgive(&mut decision);
        }
        // Asked twice, it is said once; of what is refused nothing comes.
        if let Some(beside) = beside.filter(|_| half != Half::Closed && !late(Duration::ZERO)) {
            for resource in &resources {
                decision.opens.extend(opens::of(resource, beside));
            }
        }
        decision.allowed = !decision.said.iter().any(|said| said.why == Why::Refused);
        decision
    }

    /// Whether it is to be looked for ways of attackers that an object completes: [`Gate::complete`]. What a controller
    /// makes was asked about when its owner was written.
    #[must_use]
    pub fn is_to_complete(&self, review: &Review<'_>, half: Half, beside: &Analyses<'_>) -> bool {
        // Asked twice, it is looked for once.
        half != Half::Closed && !self.completing(review, beside).is_empty()
    }

    fn completing(&self, review: &Review<'_>, beside: &Analyses<'_>) -> Vec<Resource> {
        let writes = matches!(review.operation, Operation::Create | Operation::Update);
        let (Some(ways), Some(text)) = (&self.ways, review.object.filter(|_| writes)) else {
            return Vec::new();
        };
        if !ways.is_about(&review.kind.group, &review.kind.kind) {
            return Vec::new();
        }
        let mut resources = self.read(review, text).unwrap_or_default();
        resources.retain(|resource| {
            !resource.provider_managed
                && owners::of(resource, &review.user, Some(beside.estate)).is_empty()
        });
        resources
    }

    /// Adds to a decision which ways of attackers the object completes. It may take as long as a pass over everything.
    pub fn complete(
        &self,
        review: &Review<'_>,
        beside: &Analyses<'_>,
        late: &dyn Fn(Duration) -> bool,
        decision: &mut Decision,
    ) {
        let Some(ways) = &self.ways else {
            return;
        };
        for resource in self.completing(review, beside) {
            match ways.of(&resource, beside, late) {
                Ok(completed) => decision.completes.extend(completed),
                Err(NoTime) => decision.not_completed(),
            }
        }
        let from = self.rules.serve.deny_ways;
        let refuses = !self.rules.dry_run && !is_the_cluster(&review.user);
        decision.refused_from = from.filter(|_| refuses);
        let refused = decision.ways_that_refuse().next().is_some();
        decision.allowed &= !refused;
    }

    fn refuses_unknown(&self, half: Half) -> bool {
        let severities = &self.rules.serve.deny_unknown;
        let closed = &self.rules.serve.fail_closed;
        !self.rules.dry_run
            && severities.iter().any(|severity| match half {
                Half::Both => true,
                Half::Closed => closed.contains(severity),
                Half::Open => !closed.contains(severity),
            })
    }

    /// What the text holds: one object, unless something odd was sent.
    fn read(&self, review: &Review<'_>, text: &str) -> Result<Vec<Resource>, String> {
        let wants = |_: &Kind| true;
        let trusted = review.user.groups.iter().any(|group| group == MASTERS);
        let reader = Reader {
            symbols: &self.guide.symbols,
            wants: &wants,
            managed: if trusted {
                &self.managed
            } else {
                &self.unlabelled
            },
            defaults: &self.guide.defaults,
            limits: yaml::Limits::default(),
            // The API server has decoded the object by types of its own version.
            schema: None,
        };
        let origin = Origin {
            path: review.address().into(),
            index: 0,
            rendered_by: None,
            // What is over is known of what was read from a cluster; this is not there yet.
            live: false,
        };
        let mut reading = reader.read(text, Form::Json, 1, &origin);
        if reading.resources.is_empty() {
            let why = reading.entries.into_iter().find_map(|entry| entry.reason);
            return Err(why.map_or_else(|| "it is no object".to_owned(), String::from));
        }
        for resource in &mut reading.resources {
            let name = &mut resource.name;
            if name.namespace.is_none()
                && !review.namespace.is_empty()
                && !model::kinds::is_cluster_scoped(name.kind.name())
            {
                name.namespace = Some(review.namespace.as_ref().into());
            }
        }
        Ok(reading.resources)
    }
}

/// One object before the gate.
struct Asked<'a, 'g> {
    gate: &'a Gate<'g>,
    review: &'a Review<'a>,
    half: Half,
    beside: Option<&'a Analyses<'a>>,
    late: &'a dyn Fn(Duration) -> bool,
    admission: &'a Admission,
}

impl Asked<'_, '_> {
    fn judge(&self, resource: &Resource, decision: &mut Decision) {
        let estate = self.beside.map(|beside| beside.estate);
        let owners = owners::of(resource, &self.review.user, estate);
        for (judge, _) in self.gate.judges(self.half) {
            let judged = judge.local_at(resource, self.admission);
            decision.judged += judged.verdicts.len();
            let joined: BTreeSet<&str> = judge
                .joined_about(resource)
                .iter()
                .map(|(_, guideline)| &*guideline.id.0)
                .collect();
            let mut findings = judged.findings;
            if !joined.is_empty() {
                findings.extend(self.joined(judge, resource, decision));
            }
            for finding in findings {
                let rests = joined.contains(&*finding.guideline.0);
                decision.say(self.weigh(finding, rests, &owners));
            }
        }
    }

    /// What was so before the change is no reason to refuse it: finalizers, labels and replicas of what is there
    /// must stay within reach, or nobody could mend or remove it.
    fn forgive(&self, decision: &mut Decision) {
        let Some(old) = self.review.old else {
            return;
        };
        let Ok(old) = self.gate.read(self.review, old) else {
            return;
        };
        let mut before = Decision::default();
        for resource in &old {
            self.judge(resource, &mut before);
        }
        let refused = decision.said.iter_mut();
        for said in refused.filter(|said| said.why == Why::Refused) {
            let was_so = |old: &Said| same(&old.finding, &said.finding);
            if before.said.iter().any(was_so) {
                said.why = Why::WasSoBefore;
            }
        }
    }

    /// What guidelines say that read other objects.
    fn joined(
        &self,
        judge: &Judge<'_>,
        resource: &Resource,
        decision: &mut Decision,
    ) -> Vec<Finding> {
        let late = (self.late)(Duration::ZERO);
        let hindrance = |guideline: &Guideline| {
            if guideline.needs.azure {
                Some(AZURE)
            } else if guideline.needs.network {
                Some(NETWORK)
            } else if self.beside.is_none() {
                Some(NOT_READ)
            } else if late {
                Some(NO_TIME)
            } else {
                None
            }
        };
        for (_, guideline) in judge.joined_about(resource) {
            if let Some(why) = hindrance(guideline) {
                decision
                    .not_asked
                    .push((guideline.id.0.as_ref().to_owned(), why));
            }
        }
        let Some(beside) = self.beside else {
            return Vec::new();
        };
        let judged = judge.joined_at(resource, beside, self.admission, |guideline| {
            hindrance(guideline).is_none()
        });
        decision.judged += judged.verdicts.len();
        judged.findings
    }

    fn weigh(
        &self,
        mut finding: Finding,
        rests: bool,
        owners: &[model::resource::ResourceName],
    ) -> Option<Said> {
        // AKS's own: nobody else can mend it.
        if finding.provider_managed {
            return None;
        }
        finding.waiver = self.gate.triage.accepted(&finding, owners);
        let rules = &self.gate.rules;
        let severities = match finding.outcome {
            Outcome::Fail => &rules.serve.deny,
            Outcome::Unknown { .. } => &rules.serve.deny_unknown,
        };
        let why = if finding.waiver.is_some() {
            Why::Waived
        } else if !severities.contains(&finding.severity) {
            Why::Warned
        } else if rests && !rules.serve.deny_joined {
            Why::RestsOnOthers
        } else if rules.dry_run {
            Why::WouldBeRefused
        } else {
            Why::Refused
        };
        Some(Said {
            finding,
            why,
            rests,
        })
    }
}

impl Decision {
    /// The ways that refuse the object.
    pub fn ways_that_refuse(&self) -> impl Iterator<Item = &Completed> {
        let from = self.refused_from;
        let refuses = move |way: &&Completed| from.is_some_and(|from| way.weight >= from);
        self.completes.iter().filter(refuses)
    }

    /// Notes that nobody had the time to look for ways.
    pub fn not_completed(&mut self) {
        self.not_asked.push((WAYS.to_owned(), NO_TIME));
    }

    fn say(&mut self, said: Option<Said>) {
        self.said.extend(said);
    }

    /// What has become of findings in one way.
    pub fn those(&self, why: Why) -> impl Iterator<Item = &Finding> {
        self.said
            .iter()
            .filter(move |said| said.why == why)
            .map(|said| &said.finding)
    }

    /// The worst severity of what was said.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.said.iter().map(|said| said.finding.severity).max()
    }
}

/// Whether it is those who may remove the webhook, or what the cluster itself consists of: who refuses them breaks it.
fn is_the_cluster(user: &User<'_>) -> bool {
    let own = ["system:kube-controller-manager", "system:kube-scheduler"];
    let groups = [MASTERS, "system:serviceaccounts:kube-system"];
    own.contains(&&*user.username) || user.groups.iter().any(|group| groups.contains(&&**group))
}

/// Whether two findings say the same, for the same reasons.
fn same(a: &Finding, b: &Finding) -> bool {
    let values = |finding: &Finding| -> Vec<String> {
        let evidence = finding.evidence.iter();
        evidence.map(|evidence| evidence.value.clone()).collect()
    };
    a.fingerprint == b.fingerprint
        && a.outcome == b.outcome
        && a.message == b.message
        && values(a) == values(b)
}

fn shown(review: &Review<'_>) -> String {
    let mut name = review.kind.kind.to_string();
    name.push(' ');
    if !review.namespace.is_empty() && review.resource.resource != "namespaces" {
        name.push_str(&review.namespace);
        name.push('/');
    }
    name.push_str(if review.name.is_empty() {
        "(to be named)"
    } else {
        &review.name
    });
    name.chars().take(400).collect()
}
