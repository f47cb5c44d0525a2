//! Images with what they are exposed to, the worst first: vulnerabilities that count, reachable from the internet, as
//! root, on a way to what is worth reaching.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use analysis::Analyses;
use analysis::paths::{Allowed, Efforts, Graph, Node, NodeNo};
use model::finding::{Finding, Outcome};
use model::image::Reference;
use model::{Ref, Resource, ResourceRef};

/// An image.
pub(crate) struct Picture {
    pub(crate) name: String,
    /// What guidelines say, the worst first.
    pub(crate) findings: Vec<Finding>,
    /// Vulnerabilities that count: by severity, and how many of them have a fix.
    pub(crate) vulnerable: Option<Vulnerable>,
    pub(crate) digest: Option<String>,
    pub(crate) platforms: Vec<String>,
    pub(crate) size: Option<i64>,
    pub(crate) created: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) signatures: Option<Vec<Said>>,
    /// What somebody states of it: where it was built, what is in it.
    pub(crate) attestations: Option<Vec<Said>>,
    /// Why nothing is known of it.
    pub(crate) unknown: Option<String>,
    /// Who runs it.
    pub(crate) users: Vec<User>,
}

/// A signature, or a statement about an image.
pub(crate) struct Said {
    /// `notation`, `cosign`; of a statement what it is about: `provenance`, `bom`.
    pub(crate) kind: String,
    /// `verified`, `wrong`, …
    pub(crate) outcome: String,
    pub(crate) signer: String,
    /// Why, as a clause; empty where there is nothing to say.
    pub(crate) why: String,
    /// Who built it, of a provenance.
    pub(crate) builder: Option<String>,
}

/// How many vulnerabilities count.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vulnerable {
    pub(crate) critical: usize,
    pub(crate) high: usize,
    pub(crate) others: usize,
    /// Critical and high ones that an update closes.
    pub(crate) fixable: usize,
    /// What does not count, by VEX or by the scanner.
    pub(crate) excused: usize,
}

/// A workload that runs an image.
pub(crate) struct User {
    pub(crate) name: String,
    /// Whether the internet reaches it: surely, or perhaps.
    pub(crate) exposed: Option<bool>,
    /// Whether a container of the image runs as root; nobody knows where it hangs on the image.
    pub(crate) root: Option<bool>,
    /// What somebody who breaks into it comes to, surely.
    pub(crate) jewels: Vec<String>,
}

impl Picture {
    pub(crate) fn exposed(&self) -> bool {
        self.users.iter().any(|user| user.exposed == Some(true))
    }

    pub(crate) fn root(&self) -> bool {
        self.users.iter().any(|user| user.root == Some(true))
    }

    pub(crate) fn jewels(&self) -> BTreeSet<&str> {
        let jewels = self.users.iter().flat_map(|user| &user.jewels);
        jewels.map(String::as_str).collect()
    }

    /// The worst first: how bad the vulnerabilities are, then how near somebody is to them.
    fn order(&self) -> impl Ord + use<> {
        let found = self.vulnerable.unwrap_or_default();
        let grade = match found {
            Vulnerable { critical: 1.., .. } => 3,
            Vulnerable { high: 1.., .. } => 2,
            _ => 0,
        };
        let near = [self.exposed(), self.root(), !self.jewels().is_empty()];
        let near = near.into_iter().filter(|yes| *yes).count();
        let fails = self
            .findings
            .iter()
            .filter(|one| one.outcome == Outcome::Fail);
        let worst = fails.map(|one| one.severity).max();
        std::cmp::Reverse((grade, near, found.critical, found.high, worst))
    }
}

/// All images of an estate.
pub(super) fn all(
    analyses: &Analyses<'_>,
    graph: &Graph,
    efforts: &Efforts,
    findings: Vec<Finding>,
) -> Vec<Picture> {
    let estate = analyses.estate;
    let mut about: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        about
            .entry(finding.resource.name.to_string())
            .or_default()
            .push(finding);
    }
    let users = users(analyses);
    let nodes: HashMap<ResourceRef, NodeNo> = graph
        .nodes()
        .filter_map(|(number, node)| {
            let Node::Workload(at) = node else {
                return None;
            };
            Some((graph.workloads().get(at as usize)?.resource, number))
        })
        .collect();
    let mut ways: HashMap<ResourceRef, Vec<String>> = HashMap::new();
    let mut pictures: Vec<Picture> = estate
        .of_kind("Image.seawall.dev")
        .iter()
        .filter_map(|id| estate.get(*id))
        .map(|image| {
            let mut picture = picture(image);
            picture.findings = about.remove(&picture.name).unwrap_or_default();
            picture.findings.sort_by(|one, other| {
                let key = |one: &Finding| {
                    (
                        one.outcome != Outcome::Fail,
                        std::cmp::Reverse(one.severity),
                    )
                };
                key(one)
                    .cmp(&key(other))
                    .then_with(|| one.guideline.cmp(&other.guideline))
            });
            let own = users.get(&picture.name).into_iter().flatten();
            for (id, containers) in own {
                let Some(workload) = estate.get(*id) else {
                    continue;
                };
                let jewels = ways.entry(*id).or_insert_with(|| {
                    nodes
                        .get(id)
                        .map_or_else(Vec::new, |node| jewels(graph, efforts, *node))
                });
                picture.users.push(User {
                    name: shown(workload),
                    exposed: exposed(analyses, *id),
                    root: root(workload, containers, picture.user.as_deref()),
                    jewels: jewels.clone(),
                });
            }
            picture
        })
        .collect();
    pictures.sort_by(|one, other| {
        one.order()
            .cmp(&other.order())
            .then_with(|| one.name.cmp(&other.name))
    });
    pictures
}

fn shown(workload: &Resource) -> String {
    let (kind, name) = (workload.name.kind.name(), &workload.name.name);
    match &workload.name.namespace {
        Some(namespace) => format!("{namespace}/{kind}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// Workloads by the images that they name, with the names of the containers.
type Users = BTreeMap<String, Vec<(ResourceRef, BTreeSet<String>)>>;

fn users(analyses: &Analyses<'_>) -> Users {
    let estate = analyses.estate;
    let mut all: BTreeMap<String, BTreeMap<ResourceRef, BTreeSet<String>>> = BTreeMap::new();
    for id in estate.workloads() {
        let Some(pod) = estate.get(id).and_then(Resource::pod_spec) else {
            continue;
        };
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in pod.get(list).into_iter().flat_map(Ref::items) {
                let text = |key| container.get(key).and_then(Ref::as_str);
                let image = text("image").and_then(Reference::read);
                if let Some(image) = image {
                    let own = all.entry(image.to_string()).or_default();
                    let name = text("name").unwrap_or_default().to_owned();
                    own.entry(id).or_default().insert(name);
                }
            }
        }
    }
    all.into_iter()
        .map(|(image, users)| (image, users.into_iter().collect()))
        .collect()
}

/// Whether the internet reaches a workload; `None` where it surely does not.
fn exposed(analyses: &Analyses<'_>, id: ResourceRef) -> Option<bool> {
    let number = analyses.workload(id)?;
    let found = analyses
        .reach()
        .exposures_of(number)
        .filter(|exposure| exposure.to_internet());
    found.map(|exposure| exposure.hangs_on.is_none()).max()
}

/// What somebody who holds a workload comes to.
fn jewels(graph: &Graph, efforts: &Efforts, node: NodeNo) -> Vec<String> {
    let held = graph.derive(&[node], efforts, Allowed::SURE);
    let nothing = graph.derive(&[], efforts, Allowed::SURE);
    let own = graph
        .jewels
        .iter()
        .filter(|jewel| jewel.node != node && held.holds(jewel.node) && !nothing.holds(jewel.node))
        .map(|jewel| jewel.title.to_string());
    own.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether a container runs as root (https://kubernetes.io/docs/tasks/configure-pod-container/security-context/): what
/// the manifest says, else what the image says.
fn root(workload: &Resource, containers: &BTreeSet<String>, user: Option<&str>) -> Option<bool> {
    let pod = workload.pod_spec()?;
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let own = lists
        .into_iter()
        .filter_map(|list| pod.get(list))
        .flat_map(Ref::items)
        .filter(|container| {
            let name = container
                .get("name")
                .and_then(Ref::as_str)
                .unwrap_or_default();
            containers.contains(name)
        });
    let mut all = own.map(|container| {
        let says = |key: &str| {
            container
                .path(&["securityContext", key])
                .or_else(|| pod.path(&["securityContext", key]))
        };
        match says("runAsUser").and_then(Ref::as_int) {
            Some(number) => Some(number == 0),
            None if says("runAsNonRoot").and_then(Ref::as_bool) == Some(true) => Some(false),
            None => user.map(is_root),
        }
    });
    all.try_fold(false, |any, one| Some(any || one?))
}

/// `USER` of an image: empty is root.
fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    matches!(name, "" | "root") || name.parse() == Ok(0)
}

/// What the object says.
fn picture(image: &Resource) -> Picture {
    let object = image.object();
    let text = |value: Option<Ref<'_>>| value.and_then(Ref::as_str).map(str::to_owned);
    let said = |list: &str, kind: &str| -> Option<Vec<Said>> {
        let list = object.get(list).filter(|list| !list.is_open())?;
        let said = list.items().map(|one| Said {
            kind: text(one.get(kind)).unwrap_or_default(),
            outcome: text(one.get("outcome")).unwrap_or_else(|| "unknown".to_owned()),
            signer: text(one.get("signer")).unwrap_or_default(),
            why: text(one.get("why")).unwrap_or_default(),
            builder: text(one.get("builder")),
        });
        Some(said.collect())
    };
    let found = object.get("vulnerabilities").filter(|list| !list.is_open());
    Picture {
        name: image.name.name.to_string(),
        findings: Vec::new(),
        vulnerable: found.map(|list| vulnerable(list.items())),
        digest: text(object.get("digest").filter(|value| !value.is_open())),
        platforms: object
            .get("platforms")
            .filter(|list| !list.is_open())
            .into_iter()
            .flat_map(Ref::items)
            .filter_map(|one| text(Some(one)))
            .collect(),
        size: object.get("size").and_then(Ref::as_int),
        created: text(object.get("created").filter(|value| !value.is_open())),
        user: text(object.path(&["config", "user"])),
        signatures: said("signatures", "kind"),
        attestations: said("attestations", "about"),
        unknown: object
            .get("found")
            .and_then(|found| found.open_shown().map(str::to_owned)),
        users: Vec::new(),
    }
}

fn vulnerable<'a>(found: impl Iterator<Item = Ref<'a>>) -> Vulnerable {
    let mut count = Vulnerable::default();
    for one in found {
        let text = |key| one.get(key).and_then(Ref::as_str).unwrap_or_default();
        if one.get("excused").is_some() {
            count.excused += 1;
            continue;
        }
        let fixable = usize::from(!text("fixed").is_empty());
        match text("severity") {
            "critical" => {
                count.critical += 1;
                count.fixable += fixable;
            }
            "high" => {
                count.high += 1;
                count.fixable += fixable;
            }
            _ => count.others += 1,
        }
    }
    count
}
