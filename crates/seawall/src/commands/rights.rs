//! What `can` and `who-can` have in common: an estate's rights, ready to be asked.

use std::path::PathBuf;
use std::sync::OnceLock;

use analysis::ask::{Answer, Attributes, Question, Requester, Target, Why, Within};
use analysis::rbac::resources::Resources;
use analysis::rbac::{Escalations, PolicyRule, Rbac, add_bootstrap};
use analysis::roles::kubernetes::{Cluster, WhoCan};
use analysis::roles::{Roles, Who};
use guide::Guide;
use guide::facts::{builtin_objects, builtin_roles};
use model::Estate;
use model::coverage::Coverage;
use model::kinds::Kind;

use super::estate::{self, EstateArgs};
use super::load_guide;
use crate::choices;
use crate::failure::Failure;
use crate::output;

/// What rights are read from.
#[derive(Debug, clap::Args)]
pub(crate) struct RightsArgs {
    #[command(flatten)]
    pub(crate) estate: EstateArgs,
    /// Add the ClusterRoles, Roles and bindings that Kubernetes makes itself (those of v1.34.4)
    #[arg(long)]
    pub(crate) bootstrap_roles: bool,
    /// The AKS cluster (name or id) that the objects are of, where several are given
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) aks: Option<String>,
    /// Kubernetes version to judge against [default: the cluster's, else the newest known]
    #[arg(long, value_name = "1.N")]
    pub(crate) kubernetes: Option<String>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    pub(crate) guide: Option<PathBuf>,
}

/// The rights of an estate.
pub(crate) struct Rights {
    pub(crate) estate: Estate,
    pub(crate) coverage: Coverage,
    pub(crate) rbac: Rbac,
    pub(crate) roles: Roles,
    pub(crate) resources: Resources,
    pub(crate) kubernetes_minor: u8,
    /// The number of the cluster that the objects are of, among those of `roles`.
    cluster: Option<usize>,
    /// Clusters were given, but nobody said which one is meant.
    pub(crate) which_cluster: Vec<String>,
    /// What the Node authorizer lets nodes do, for what their own pods use
    /// (kubernetes plugin/pkg/auth/authorizer/node: the rules of ClusterRole `system:node`).
    of_nodes: Vec<PolicyRule>,
    administrators: OnceLock<Administrators>,
}

/// Who does everything in a cluster because Azure says so.
#[derive(Debug, Default)]
pub(crate) struct Administrators {
    /// Those who act as its administrator as they are.
    pub(crate) known: WhoCan,
    /// How many can make themselves administrators.
    more: usize,
}

/// Group of all nodes; with a user name that begins with [`NODE`], the Node authorizer takes somebody for a node
/// (kubernetes pkg/auth/nodeidentifier/default.go).
const NODES: &str = "system:nodes";
const NODE: &str = "system:node:";

const KINDS: [&str; 6] = [
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ServiceAccount",
    "CustomResourceDefinition",
];

impl Rights {
    /// Reads what is given.
    pub(crate) fn read(args: &RightsArgs) -> anyhow::Result<Self> {
        let guide = load_guide(args.guide.as_deref())?;
        let mut opened = args.estate.open()?;
        let config = opened.configuration(None, &args.estate.paths, guide)?;
        let kubernetes_minor =
            choices::kubernetes(args.kubernetes.as_deref(), &config, guide, || {
                opened.kubernetes_minor()
            })?;
        let whole = choices::whole(&args.estate, None, &config)?;
        let wants = |kind: &Kind| match kind {
            Kind::Azure(_) => true,
            Kind::Kubernetes { .. } => KINDS.iter().any(|name| kind.is(name)),
        };
        let (mut estate, coverage) =
            estate::read(&args.estate, opened, guide, kubernetes_minor, whole, &wants)?;
        if args.bootstrap_roles {
            bootstrap(&mut estate, guide);
        }
        let roles = Roles::build(&estate, builtin_roles(guide));
        let named = guide.data.get("kubernetes-resources.txt");
        let mut resources = Resources::parse(named.map_or("", |text| text));
        resources.add_custom(&estate);
        let (cluster, which_cluster) = cluster(&roles, args.aks.as_deref())?;
        let rbac = Rbac::new(&estate);
        resources.add_named(&rbac);
        let rights = Self {
            rbac,
            estate,
            coverage,
            roles,
            resources,
            kubernetes_minor,
            cluster,
            which_cluster,
            of_nodes: of_nodes(guide),
            administrators: OnceLock::new(),
        };
        rights.tell_unread()?;
        Ok(rights)
    }

    /// The AKS cluster that the objects are of, where one is known.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.roles.clusters().get(self.cluster?)
    }

    /// Whether there is anything to answer from.
    pub(crate) fn is_empty(&self) -> bool {
        let (roles, bindings) = self.rbac.size();
        roles + bindings == 0 && self.cluster.is_none()
    }

    /// Whether somebody may, by Kubernetes' roles or by Azure's.
    pub(crate) fn can(&self, requester: &Requester<'_>, attributes: &Attributes<'_>) -> Answer {
        let own = self.rbac.can(requester, attributes);
        let answer = match self.cluster() {
            Some(cluster) if !own.is_yes() => {
                own.or(self.roles.may(cluster, requester, attributes))
            }
            _ => own,
        };
        let is_node = requester.user.len() > NODE.len()
            && requester.user.starts_with(NODE)
            && requester.groups.iter().any(|group| group == NODES);
        match answer {
            Answer::No(_) if is_node && self.concerns_nodes(attributes) => {
                Answer::Unknown(vec![Why {
                    text:
                        "the Node authorizer decides by the pods of the node; it is not evaluated"
                            .into(),
                    resource: None,
                }])
            }
            answer => answer,
        }
    }

    /// Whether the Node authorizer may allow it to a node.
    fn concerns_nodes(&self, attributes: &Attributes<'_>) -> bool {
        let Target::Resource(target) = attributes.target else {
            return false;
        };
        let is = |own: &[Box<str>], asked: &str| {
            asked == "*" || own.iter().any(|own| **own == *asked || &**own == "*")
        };
        let resource = match target.subresource {
            "" => target.resource.to_owned(),
            subresource => format!("{}/{subresource}", target.resource),
        };
        self.of_nodes.iter().any(|rule| {
            is(&rule.verbs, attributes.verb)
                && is(&rule.groups, target.group)
                && is(&rule.resources, &resource)
        })
    }

    /// Whose rights amount to more, by Kubernetes' roles and Azure's.
    pub(crate) fn escalations(&self) -> Escalations {
        let mut all = self.rbac.escalations(self.kubernetes_minor);
        if self.cluster().is_some() {
            Rbac::add_escalations(&mut all, |question| self.who_can_by_azure(question).holders);
        }
        all
    }

    /// Who may beside those whom roles and bindings name, in words.
    pub(crate) fn others(&self, attributes: &Attributes<'_>) -> Vec<String> {
        let mut others = Vec::new();
        if self.concerns_nodes(attributes) {
            others.push(format!(
                "group {NODES}: a node may by what its own pods use; the Node authorizer, which decides that, \
                 is not evaluated"
            ));
        }
        if let Some(cluster) = self.cluster() {
            let more = match self.administrators().more {
                0 => return others,
                1 => "1 more can make itself administrator".to_owned(),
                more => format!("{more} more can make themselves administrators"),
            };
            others.push(format!(
                "{more} of cluster `{}` through Azure; `seawall who-can --takeover` lists them",
                cluster.name
            ));
        }
        others
    }

    /// What was not given, a clause each; empty where a *no* is final.
    pub(crate) fn gaps(&self, within: Within<'_>) -> Vec<String> {
        let mut gaps = self.rbac.gaps(within);
        if !self.which_cluster.is_empty() {
            gaps.push(format!(
                "Azure's roles do not count, for nobody said with `--aks` which of the clusters {} is meant",
                self.which_cluster.join(", ")
            ));
        }
        if let Some(cluster) = self.cluster()
            && !self.roles.knows_assignments(&cluster.id)
        {
            gaps.push("not every assignment of an Azure role was given".to_owned());
        }
        gaps
    }

    /// Who may by Azure's roles, those who act as the cluster's administrator among them.
    pub(crate) fn who_can_by_azure(&self, question: &Question<'_>) -> WhoCan {
        let Some(cluster) = self.cluster() else {
            return WhoCan::default();
        };
        let mut found = self.roles.who_can(cluster, question);
        let administrators = &self.administrators().known;
        found.holders.extend(administrators.holders.iter().cloned());
        found.unknown.extend(administrators.unknown.iter().cloned());
        found.unknown.sort();
        found.unknown.dedup();
        found
    }

    /// Who acts as the cluster's administrator through Azure. It is the same for every question.
    pub(crate) fn administrators(&self) -> &Administrators {
        self.administrators.get_or_init(|| {
            let Some(cluster) = self.cluster() else {
                return Administrators::default();
            };
            Administrators {
                known: self.roles.administrators(cluster),
                more: self.roles.other_takeovers(cluster),
            }
        })
    }

    /// What people call a principal of Entra, where that is known.
    pub(crate) fn name(&self, id: &str) -> Option<String> {
        let name = self.roles.name(&Who::Id(id.into()));
        (name != id).then_some(name)
    }

    /// The exit code of an answer: 4 when something that was given could not be read.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.coverage.incomplete() { 4 } else { 0 }
    }

    /// Says what could not be read, a line each, on standard error.
    fn tell_unread(&self) -> anyhow::Result<()> {
        let unread = self.coverage.documents.iter();
        for entry in unread.filter(|entry| entry.status.incomplete()).take(20) {
            let reason = entry.reason.as_deref().unwrap_or("not read");
            output::say("warning", &format!("{}: {reason}", entry.path))?;
        }
        Ok(())
    }
}

/// The one cluster, or the one that is named; else the names of all.
fn cluster(roles: &Roles, wanted: Option<&str>) -> anyhow::Result<(Option<usize>, Vec<String>)> {
    let clusters = roles.clusters();
    let names = || clusters.iter().map(|one| one.name.to_string()).collect();
    match (wanted, clusters.len()) {
        (None, 0) => Ok((None, Vec::new())),
        (None, 1) => Ok((Some(0), Vec::new())),
        (None, _) => Ok((None, names())),
        (Some(wanted), _) => {
            let is = |one: &Cluster| {
                one.name.eq_ignore_ascii_case(wanted) || one.id.eq_ignore_ascii_case(wanted)
            };
            match clusters.iter().position(is) {
                Some(at) => Ok((Some(at), Vec::new())),
                None => {
                    let known: Vec<String> = names();
                    let help = if known.is_empty() {
                        "give the template of the cluster, or `--azure`".to_owned()
                    } else {
                        format!("there are {}", known.join(", "))
                    };
                    Err(Failure::new(format!("there is no AKS cluster `{wanted}`"))
                        .help(help)
                        .into())
                }
            }
        }
    }
}

/// Adds what every cluster has.
fn bootstrap(estate: &mut Estate, guide: &Guide) {
    add_bootstrap(estate, builtin_objects(guide, |_| true));
}

/// The rules of ClusterRole `system:node`, which no binding gives to anybody.
fn of_nodes(guide: &Guide) -> Vec<PolicyRule> {
    let mut estate = Estate::default();
    let is_role =
        |text: &str| text.contains("kind: ClusterRole\n") && text.contains("name: system:node\n");
    add_bootstrap(&mut estate, builtin_objects(guide, is_role));
    Rbac::new(&estate)
        .rules_of_cluster_role("system:node")
        .unwrap_or_default()
}
