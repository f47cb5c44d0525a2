//! `seawall probe plan`: which probes to run where, as manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use ::analysis::reach::{self, Door, End, Options, Protocol, Reach, Workload};
use model::{Estate, Ref, Resource};
use sources::probe::{self, Target, WELL_KNOWN};

use super::manifest::Job;
use super::readme;
use crate::commands::estate::{self, EstateArgs};
use crate::commands::load_guide;
use crate::commands::reach::place::Place;
use crate::failure::Failure;
use crate::generate::{Change, Folder};
use crate::{choices, output};

/// Writes Jobs that try from inside what network policies say.
///
/// One Job for each position in the network that policies tell apart: with the labels and in the namespace of a
/// workload there, without its account or any token, under the restricted Pod Security Standard, never ready (so that no
/// Service sends it anything), for five minutes at most. Nothing is applied: read what was written, then `kubectl apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall probe plan --cluster --image IMAGE --out probes
  seawall probe plan deploy --from shop/ --image IMAGE --out probes
  seawall probe plan . --internet 192.0.2.7:443 --image IMAGE --out probes

Exit code: 0 written; 2 wrong use; 3 there is no workload to stand in for; 4
something could not be read.")]
pub(crate) struct Args {
    #[command(flatten)]
    estate: EstateArgs,
    /// Folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// seawall's own image, best by digest, where the cluster gets it from (`cargo xtask image` makes it)
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// Only from here: a workload (shop/web) or a namespace (shop/); repeatable
    #[arg(long, value_name = "W")]
    from: Vec<String>,
    /// A host outside to try; repeatable [default: mcr.microsoft.com:443, which nodes need]
    #[arg(long, value_name = "HOST:PORT")]
    internet: Vec<String>,
    /// So many other workloads are tried from each position
    #[arg(long, value_name = "N", default_value_t = 12)]
    neighbours: usize,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Overwrite files that were changed since they were written
    #[arg(long)]
    force: bool,
}

/// What AKS itself pulls images from.
const OUTSIDE: &str = "mcr.microsoft.com:443";

/// What is planned.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    /// Workloads that nothing stands in for, and why.
    pub(super) left_out: Vec<(String, String)>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(None)?;
    let opened = args.estate.open()?;
    let config = opened.configuration(args.config.as_deref(), &args.estate.paths, guide)?;
    let minor = choices::kubernetes(None, &config, guide, || Ok(None))?;
    let whole = choices::whole(&args.estate, args.config.as_deref(), &config)?;
    let outside = outside(&args.internet)?;
    let wants = |kind: &model::kinds::Kind| reach::reads(kind) || kind.is("PodDisruptionBudget");
    let (estate, coverage) = estate::read(&args.estate, opened, guide, minor, whole, &wants)?;
    let reach = Reach::build(&estate, &Options::default());
    let places: Vec<Place> = args.from.iter().map(|word| Place::parse(word)).collect();
    for (word, place) in args.from.iter().zip(&places) {
        if !matches!(place, Place::Namespace(_) | Place::Workload { .. }) {
            return Err(
                Failure::new(format!("`{word}` is no workload and no namespace"))
                    .help("write `--from shop/web` or `--from shop/`")
                    .into(),
            );
        }
        place.must_exist(word, &reach)?;
    }
    let plan = Planner {
        estate: &estate,
        reach: &reach,
        places: &places,
        outside: &outside,
        doors: reach.doors(&estate),
        args,
    }
    .plan();
    if plan.jobs.is_empty() {
        return nothing(&plan, coverage.incomplete());
    }
    write(args, &plan)?;
    if coverage.incomplete() {
        let unread = coverage.documents.iter();
        for entry in unread.filter(|entry| entry.status.incomplete()).take(20) {
            let reason = entry.reason.as_deref().unwrap_or("not read");
            output::say("warning", &format!("{}: {reason}", entry.path))?;
        }
        return Ok(4);
    }
    Ok(0)
}

/// The hosts outside that are tried.
fn outside(given: &[String]) -> anyhow::Result<Vec<Target>> {
    let default = [OUTSIDE.to_owned()];
    let given = if given.is_empty() {
        default.as_slice()
    } else {
        given
    };
    let read = |text: &String| {
        let target = format!("internet={text}").parse::<Target>();
        target.map_err(|_| {
            anyhow::Error::from(
                Failure::new(format!("`{text}` is no host with a port"))
                    .help("write `--internet example.com:443`"),
            )
        })
    };
    given.iter().map(read).collect()
}

fn nothing(plan: &Plan, incomplete: bool) -> anyhow::Result<u8> {
    output::say(
        "error",
        "there is no workload that a probe could stand in for",
    )?;
    for (workload, why) in plan.left_out.iter().take(5) {
        output::say("  because", &format!("{workload}: {why}"))?;
    }
    output::say(
        "  help",
        "give manifests, a chart, a snapshot, or `--cluster`",
    )?;
    Ok(if incomplete { 4 } else { 3 })
}

fn write(args: &Args, plan: &Plan) -> anyhow::Result<()> {
    let files = readme::files(plan, &args.out, &args.image);
    let shown = args.out.display();
    let failed = |error: std::io::Error| Failure::new(format!("cannot write `{shown}`: {error}"));
    let folder = Folder::compare(&args.out, &files).map_err(failed)?;
    let theirs: Vec<&str> = folder.of(Change::Theirs).collect();
    if let (Some(first), false) = (theirs.first(), args.force) {
        return Err(Failure::new(format!(
            "nothing was written: `{first}` in `{shown}` is not as it was written"
        ))
        .help("choose another folder, or overwrite it: `--force`")
        .into());
    }
    folder.write().map_err(failed)?;
    anstream::stdout()
        .lock()
        .write_all(readme::summary(plan, &args.out, output::width()).as_bytes())?;
    Ok(())
}

struct Planner<'a> {
    estate: &'a Estate,
    reach: &'a Reach,
    places: &'a [Place],
    outside: &'a [Target],
    doors: Vec<Door>,
    args: &'a Args,
}

/// Labels that controllers add to the pods that they make, and those that make webhooks put something into a pod: a token
/// (Azure workload identity, concepts/mutating-admission-webhook), a proxy that accepts every connection (Istio).
const NOT_TAKEN: [&str; 12] = [
    "azure.workload.identity/use",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "apps.kubernetes.io/pod-index",
    "statefulset.kubernetes.io/pod-name",
    "sidecar.istio.io/inject",
    "seawall.dev/probe",
];

/// Namespaces of the cluster itself: a probe goes there when it is asked for.
const SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

impl Planner<'_> {
    /// A job for each class of pods that somebody can stand in for.
    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let mut names: BTreeSet<(String, String)> = BTreeSet::new();
        for (_, end) in self.reach.ends() {
            let (End::Pods(class) | End::Host(class)) = end else {
                continue;
            };
            let members: Vec<&Workload> = self
                .reach
                .members(class)
                .filter(|one| {
                    self.places.is_empty() || self.places.iter().any(|place| place.holds(one))
                })
                .collect();
            let mut reasons = Vec::new();
            let stands = members
                .iter()
                .find_map(|one| match self.standing(one, end) {
                    Ok(stands) => Some((*one, stands)),
                    Err(why) => {
                        reasons.push((one.label(), why));
                        None
                    }
                });
            let Some((workload, labels)) = stands else {
                plan.left_out.extend(reasons);
                continue;
            };
            let (targets, more) = self.targets(workload, end);
            plan.jobs.push(Job {
                name: named(workload, &mut names),
                alike: members
                    .iter()
                    .filter(|one| one.label() != workload.label())
                    .map(|one| one.label())
                    .collect(),
                of: reported(workload),
                labels,
                node_selector: self.node_selector(workload),
                targets,
                more,
                held: self.budgets(workload),
                image: self.args.image.clone(),
            });
        }
        plan
    }

    fn resource(&self, workload: &Workload) -> Option<&Resource> {
        self.estate.get(workload.resource)
    }

    /// The labels that a probe takes on to stand where a workload's pods stand, or why it cannot.
    fn standing(&self, workload: &Workload, end: End) -> Result<BTreeMap<String, String>, String> {
        let resource = self.resource(workload).ok_or("it was not given")?;
        if matches!(end, End::Host(_)) {
            return Err("its pods are on the network of their node, where no policy counts".into());
        }
        if SYSTEM.contains(&&*workload.namespace) && self.places.is_empty() {
            return Err(format!(
                "`{}` is the cluster's own namespace; `--from` names it",
                workload.namespace
            ));
        }
        let holder = resource.pod_holder().ok_or("it has no pods")?;
        let spec = holder.get("spec");
        let text = |keys: &[&str]| spec.and_then(|spec| spec.path(keys)?.as_str());
        let windows = text(&["os", "name"]) == Some("windows")
            || text(&["nodeSelector", "kubernetes.io/os"]) == Some("windows");
        if windows {
            return Err("its pods run on Windows, and the probe on Linux".into());
        }
        let own = resource.object().path(&["metadata", "namespace"]);
        if own.is_some_and(Ref::is_open) {
            return Err("a template leaves its namespace open".into());
        }
        let given = holder.path(&["metadata", "labels"]);
        if given.is_some_and(Ref::is_open) {
            return Err("a template leaves its labels open".into());
        }
        let mut labels = BTreeMap::new();
        for (key, _, value) in given.into_iter().flat_map(Ref::entries) {
            let Some(value) = value.as_str() else {
                return Err(format!("its label `{key}` is left open"));
            };
            if !NOT_TAKEN.contains(&key) {
                labels.insert(key.to_owned(), value.to_owned());
            }
        }
        // Who publishes pods that are not ready would publish the probe.
        let publishes = |service: &&Resource| {
            let object = service.object();
            let by_annotation = object.path(&["metadata", "annotations"]).and_then(|all| {
                all.get("service.alpha.kubernetes.io/tolerate-unready-endpoints")?
                    .as_str()
            });
            let spec = object.path(&["spec", "publishNotReadyAddresses"]);
            spec.is_some_and(|value| value.as_bool() != Some(false))
                || by_annotation == Some("true")
        };
        let services = self.estate.selecting(resource, "Service");
        let mut services = services.iter().filter_map(|id| self.estate.get(*id));
        if let Some(service) = services.find(publishes) {
            return Err(format!(
                "Service `{}` publishes pods that are not ready, so it would send traffic to the probe",
                service.name.name
            ));
        }
        Ok(labels)
    }

    /// PodDisruptionBudgets that cannot count while the probe is there.
    fn budgets(&self, workload: &Workload) -> Vec<String> {
        let Some(resource) = self.resource(workload) else {
            return Vec::new();
        };
        let budgets = self.estate.selecting(resource, "PodDisruptionBudget");
        let counts = |budget: &&Resource| {
            let at_least = budget.object().path(&["spec", "minAvailable"]);
            at_least.and_then(Ref::as_int).is_none()
        };
        budgets
            .iter()
            .filter_map(|id| self.estate.get(*id))
            .filter(counts)
            .map(|budget| format!("{}/{}", workload.namespace, budget.name.name))
            .collect()
    }

    fn node_selector(&self, workload: &Workload) -> BTreeMap<String, String> {
        let spec = self.resource(workload).and_then(Resource::pod_spec);
        let selector = spec.and_then(|spec| spec.get("nodeSelector"));
        let own = selector.into_iter().flat_map(Ref::entries);
        let own =
            own.filter_map(|(key, _, value)| Some((key.to_owned(), value.as_str()?.to_owned())));
        let linux = ("kubernetes.io/os".to_owned(), "linux".to_owned());
        own.chain([linux]).collect()
    }

    /// What is tried from a position, and how many other workloads are not.
    fn targets(&self, workload: &Workload, own: End) -> (Vec<Target>, usize) {
        let mut targets: Vec<Target> = WELL_KNOWN
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect();
        targets.extend(self.outside.iter().cloned());
        let (mut closed, mut open, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for door in &self.doors {
            let Some(to) = self.reach.workloads().get(door.workload) else {
                continue;
            };
            let end = self.reach.end_of(to);
            if door.protocol != Protocol::Tcp || end == own || !seen.insert((end, door.target)) {
                continue;
            }
            let Some(target) = self.neighbour(door, to) else {
                continue;
            };
            let conn = self.reach.conn(self.reach.end_of(workload), end);
            if !conn.may.contains(door.protocol, door.target) {
                closed.push(target);
            } else if conn.sure.contains(door.protocol, door.target) {
                open.push(target);
            } else {
                doubtful.push(target);
            }
        }
        let all = closed.len() + open.len() + doubtful.len();
        // Some of each: what should not get through, and what should.
        let most = self.args.neighbours;
        let opens = open.len().min(most / 2);
        closed.truncate(most - opens);
        open.truncate(most - closed.len());
        doubtful.truncate(most - closed.len() - open.len());
        let taken = [closed, open, doubtful].concat();
        let left = all - taken.len();
        targets.extend(taken);
        (targets, left)
    }

    /// A Service as a target: by its address where it is known, so that no server for names is needed.
    fn neighbour(&self, door: &Door, to: &Workload) -> Option<Target> {
        let service = self.estate.get(door.service)?;
        let address = service
            .object()
            .path(&["spec", "clusterIP"])
            .and_then(Ref::as_str);
        let named = format!("{}.{}.svc", service.name.name, to.namespace);
        let (host, port) = match address {
            // The name of a headless Service leads to the pods themselves.
            Some("None") => (named, door.target),
            Some(address) if !address.is_empty() => (address.to_owned(), door.port),
            _ => (named, door.port),
        };
        let text = Target::Workload(reported(to), door.target, host, port).to_string();
        // A name that the probe would not take for one (a template's) is nothing to try.
        text.parse().ok()
    }
}

/// A workload as reports name it.
fn reported(workload: &Workload) -> probe::Workload {
    probe::Workload {
        namespace: workload.namespace.to_string(),
        kind: workload.kind.to_string(),
        name: workload.name.to_string(),
    }
}

/// A name of a Job that no other one has there; a pod's name is longer by six letters.
fn named(workload: &Workload, names: &mut BTreeSet<(String, String)>) -> String {
    let short: String = workload.name.chars().take(36).collect();
    let short = short.trim_end_matches(['-', '.']).replace('.', "-");
    let mut name = format!("seawall-probe-{short}");
    let mut number = 1;
    while !names.insert((workload.namespace.to_string(), name.clone())) {
        number += 1;
        name = format!("seawall-probe-{short}-{number}");
    }
    name
}
