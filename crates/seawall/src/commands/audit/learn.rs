//! `seawall audit learn`: the least role for everybody in a log.

mod manifests;
mod table;
mod unused;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::PathBuf;

use ::audit::Losses;
use ::audit::learn::{Atom, AtomWhat, Grant, Identity, Learned, Limits, Rule, compose};
use ::audit::time;
use analysis::ask::{Attributes, MASTERS, Requester, ResourceTarget, Target, service_account};
use analysis::rbac::{Rbac, add_bootstrap};
use guide::Pages;
use guide::facts::builtin_objects;
use model::Estate;
use serde_json::{Value, json};

use super::logs::{LogArgs, Logs};
use crate::commands::attack::AttackArgs;
use crate::commands::estate::EstateArgs;
use crate::commands::load_pages;
use crate::failure::Failure;
use crate::output;

/// Learns from audit logs the least role that everybody needs.
///
/// Reads the API server's own audit files, what AKS's diagnostic settings keep in a storage account, bodies of an
/// Event Hub and exports of Log Analytics (AKSAudit, AKSAuditAdmin, AzureDiagnostics; JSON or CSV), compressed or
/// not, and folders of them. Writes Roles, ClusterRoles and their bindings: what was allowed and nothing else.
/// Denied requests are listed apart and never become rights. What everybody may anyway by Kubernetes' own roles
/// is left out.
///
/// A role is as good as the log: what somebody does once a year is in no log of a month.
///
/// With `--with` or `--cluster` it also tells what everybody holds by the roles and bindings there and never used, the
/// rights that open most to an attacker first, and how much the log says of each holder.
///
/// Exit code: 0 roles were written; 2 wrong use; 3 no audit event in what was given; 4 some records nobody can
/// read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit learn audit.log > roles.yaml
  seawall audit learn --user system:serviceaccount:shop:web insights-logs-kube-audit
  seawall audit learn --format table --namespace shop audit.jsonl.gz
  seawall audit learn insights-logs-kube-audit --cluster
  seawall audit learn audit.log --with manifests/ --format json
  az monitor log-analytics query -w ID --analytics-query 'AKSAudit' | seawall audit learn -")]
pub(crate) struct Args {
    #[command(flatten)]
    logs: LogArgs,
    /// Only this user, by the name that authentication gives; repeatable
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// Only what is used in this namespace; repeatable
    #[arg(long, short, value_name = "NAME")]
    namespace: Vec<String>,
    /// Names of objects to keep in a rule; with more it holds for any name
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_names: usize,
    /// Namespaces to keep apart; with more the right is cluster-wide
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_namespaces: usize,
    /// Who reads in one way may read in all (get, list, watch), and who changes too (update, patch)
    #[arg(long)]
    expand: bool,
    /// Manifests with the roles and bindings that are there: tells what was never used; repeatable
    #[arg(long, value_name = "PATH")]
    with: Vec<PathBuf>,
    /// The same from the running cluster: the kubeconfig's current context
    #[arg(long)]
    cluster: bool,
    /// Context of the kubeconfig to use with `--cluster`
    #[arg(long, value_name = "NAME", requires = "cluster")]
    context: Option<String>,
    /// Kubeconfig to use with `--cluster` [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,
    /// The same from a snapshot that `seawall snapshot` took; repeatable
    #[arg(long, value_name = "FILE")]
    snapshot: Vec<PathBuf>,
    /// yaml, json or table, with `=FILE` to a file [default: yaml; table where unused rights are asked for]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

/// What one identity needs.
pub(super) struct Needs<'l> {
    pub(super) user: &'l str,
    pub(super) identity: &'l Identity,
    pub(super) grants: Vec<Grant>,
    /// Rights that were used and that Kubernetes' own roles give.
    pub(super) built_in: usize,
    /// No authorizer is asked about them.
    pub(super) master: bool,
    pub(super) notes: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let asks_unused = args.cluster || !args.with.is_empty() || !args.snapshot.is_empty();
    let format = args.format.clone();
    let format = format.unwrap_or_else(|| if asks_unused { "table" } else { "yaml" }.to_owned());
    let format = output::parse_of(std::slice::from_ref(&format), &["yaml", "json", "table"])?;
    if asks_unused && is_stdin(&args.with) && is_stdin(&args.logs.sources) {
        return Err(
            Failure::new("standard input is read once: it is the log or the manifests")
                .help("write one of them to a file first")
                .into(),
        );
    }
    let guide = load_pages(args.guide.as_deref(), Pages::None)?;
    let logs = args.logs.open()?;
    let limits = Limits {
        names: args.max_names,
        namespaces: args.max_namespaces,
    };
    let (learned, losses) = logs.read(|| Learned::new(limits))?;
    logs.tell(&losses)?;
    if losses.events == 0 {
        output::say("error", "no audit event in what was given")?;
        return Ok(3);
    }
    let built_in = BuiltIn::new(guide);
    let identities = learned.identities();
    if let Some(user) = args
        .user
        .iter()
        .find(|user| !asks_unused && !identities.contains_key(user.as_str()))
    {
        return Err(
            Failure::new(format!("nobody called `{user}` is in the log"))
                .help("`--format table` without `--user` lists everybody")
                .into(),
        );
    }
    let needs: Vec<Needs<'_>> = identities
        .iter()
        .filter(|(user, _)| {
            args.user.is_empty() || args.user.iter().any(|wanted| wanted.as_str() == **user)
        })
        .map(|(user, identity)| needs(user, identity, args, &built_in))
        .filter(|needs| args.namespace.is_empty() || !needs.grants.is_empty())
        .collect();
    let unused = asks_unused
        .then(|| {
            let wanted =
                |user: &str| args.user.is_empty() || args.user.iter().any(|own| own == user);
            unused::read(&args.estate(), &learned, &losses, &wanted)
        })
        .transpose()?;
    let log = Log {
        logs: &logs,
        unused,
        losses: &losses,
        unattributed: learned.unattributed,
        limits,
    };
    for one in &format {
        let text = match one.format.as_str() {
            "json" => format!("{:#}\n", log.json(&needs)),
            "table" => table::shown(&needs, &log),
            _ => manifests::shown(&needs, &log),
        };
        match &one.file {
            Some(file) => std::fs::write(file, text)
                .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?,
            None => io::stdout().lock().write_all(text.as_bytes())?,
        }
    }
    Ok(if losses.unreadable > 0 { 4 } else { 0 })
}

/// The log that needs were learned from.
pub(super) struct Log<'l> {
    logs: &'l Logs,
    losses: &'l Losses,
    unattributed: u64,
    limits: Limits,
    /// What is held and was never used, where that was asked.
    unused: Option<unused::Unused>,
}

impl Args {
    /// Where roles and bindings are.
    fn estate(&self) -> AttackArgs {
        AttackArgs {
            estate: EstateArgs {
                paths: self.with.clone(),
                cluster: self.cluster,
                context: self.context.clone(),
                kubeconfig: self.kubeconfig.clone(),
                snapshot: self.snapshot.clone(),
                ..EstateArgs::default()
            },
            aks: None,
            kubernetes: None,
            as_of: None,
            config: None,
            guide: self.guide.clone(),
        }
    }
}

fn is_stdin(paths: &[PathBuf]) -> bool {
    paths.iter().any(|path| path.as_os_str() == "-")
}

/// What every cluster gives.
pub(super) struct BuiltIn(Rbac);

impl BuiltIn {
    pub(super) fn new(guide: &guide::Guide) -> Self {
        let mut estate = Estate::default();
        add_bootstrap(&mut estate, builtin_objects(guide, |_| true));
        Self(Rbac::new(&estate))
    }

    /// Whether somebody may that much without any role of their own.
    fn gives(&self, requester: &Requester<'_>, atom: &Atom) -> bool {
        let allows = |target| {
            let attributes = Attributes {
                verb: &atom.verb,
                target,
            };
            self.0.can(requester, &attributes).is_yes()
        };
        match &atom.what {
            AtomWhat::Path(path) => allows(Target::Path(path)),
            AtomWhat::Resource {
                group,
                resource,
                names,
            } => {
                let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
                let of = |name| {
                    allows(Target::Resource(ResourceTarget {
                        group,
                        version: "",
                        resource,
                        subresource,
                        namespace: atom.namespace.as_deref().unwrap_or_default(),
                        name,
                    }))
                };
                match names {
                    None => of(""),
                    Some(names) => names.iter().all(|name| of(name)),
                }
            }
        }
    }
}

fn needs<'l>(user: &'l str, identity: &'l Identity, args: &Args, built_in: &BuiltIn) -> Needs<'l> {
    let requester = Requester {
        user,
        groups: identity
            .groups
            .iter()
            .map(|group| group.as_ref().into())
            .collect(),
        object_id: None,
    }
    .with_implied_groups();
    let master = requester.is_master();
    let all = identity.atoms();
    let used = all.len();
    let mut atoms: Vec<Atom> = all
        .into_iter()
        .filter(|atom| master || !built_in.gives(&requester, atom))
        .collect();
    let built_in = used - atoms.len();
    atoms.retain(|atom| {
        let within = atom.namespace.as_deref();
        args.namespace.is_empty()
            || within.is_some_and(|within| args.namespace.iter().any(|wanted| wanted == within))
    });
    let notes = notes(identity, &atoms, master);
    let grants = if master {
        Vec::new()
    } else {
        compose(&atoms, args.expand)
    };
    Needs {
        user,
        identity,
        grants,
        built_in,
        master,
        notes,
    }
}

/// What somebody should know before they use it.
fn notes(identity: &Identity, atoms: &[Atom], master: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if master {
        notes.push(format!(
            "is in `{MASTERS}`: no authorizer is asked, and no role narrows it"
        ));
    }
    let wide: BTreeSet<String> = atoms
        .iter()
        .filter(|atom| atom.any_name)
        .map(what_of)
        .collect();
    if !wide.is_empty() {
        notes.push(format!(
            "more names than `--max-names`, so any: {}",
            joined(&wide)
        ));
    }
    let everywhere: BTreeSet<String> = atoms
        .iter()
        .filter(|atom| atom.everywhere)
        .map(what_of)
        .collect();
    if !everywhere.is_empty() {
        notes.push(format!(
            "more namespaces than `--max-namespaces`, so cluster-wide: {}",
            joined(&everywhere)
        ));
    }
    if identity.grants_rights && !master {
        notes.push(
            "writes roles or bindings: that takes the rights in them too, or `bind` and `escalate`, which no \
             log shows"
                .to_owned(),
        );
    }
    if identity.undecided > 0 {
        notes.push(format!(
            "{} of its events are cut off before they say enough: the role may lack what they needed",
            identity.undecided
        ));
    }
    if identity.too_many {
        notes
            .push("used more kinds of objects than are told apart: the role lacks some".to_owned());
    }
    notes
}

/// A right in short.
pub(super) fn what_of(atom: &Atom) -> String {
    match &atom.what {
        AtomWhat::Path(path) => format!("{} {path}", atom.verb),
        AtomWhat::Resource {
            group, resource, ..
        } => {
            let group = if group.is_empty() {
                String::new()
            } else {
                format!(".{group}")
            };
            format!("{} {resource}{group}", atom.verb)
        }
    }
}

/// The first few, and how many more.
fn joined(all: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = all.iter().take(6).map(String::as_str).collect();
    let more = all.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

impl Log<'_> {
    /// From when to when, and over how many days.
    pub(super) fn window(&self, identity: &Identity) -> String {
        let days = match identity.days.len() {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        let requests = match identity.requests {
            1 => "1 request".to_owned(),
            requests => format!("{requests} requests"),
        };
        match identity.first.zip(identity.last) {
            Some((first, last)) => format!(
                "{requests} on {days}, {} to {}",
                time::shown(first),
                time::shown(last)
            ),
            None => format!("{requests} at no known time"),
        }
    }

    /// Whether reads are in the log at all.
    pub(super) fn has_reads(&self) -> bool {
        self.losses.without_reads == 0 && self.losses.reads > 0
    }

    fn json(&self, needs: &[Needs<'_>]) -> Value {
        let identities: Vec<Value> = needs.iter().map(|needs| self.one(needs)).collect();
        json!({
            "schema": "seawall.audit.learn/v1",
            "limits": {"names": self.limits.names, "namespaces": self.limits.namespaces},
            "identities": identities,
            "unused": self.unused.as_ref().map(unused::Unused::json),
            "unattributed": self.unattributed,
            "losses": self.logs.losses(self.losses),
        })
    }

    fn one(&self, needs: &Needs<'_>) -> Value {
        let identity = needs.identity;
        let (denied, more) = identity.denied();
        let denied: Vec<Value> = denied
            .iter()
            .map(|one| {
                json!({
                    "verb": one.verb,
                    "what": one.what,
                    "namespace": one.namespace,
                    "requests": one.count,
                })
            })
            .collect();
        let grants: Vec<Value> = needs
            .grants
            .iter()
            .map(|grant| {
                let rules: Vec<Value> = grant.rules.iter().map(rule).collect();
                json!({"namespace": grant.namespace, "rules": rules})
            })
            .collect();
        let (kind, name, namespace) = subject(needs.user);
        json!({
            "user": needs.user,
            "subject": {"kind": kind, "name": name, "namespace": namespace},
            "groups": identity.groups,
            "requests": identity.requests,
            "deniedRequests": identity.denied_requests,
            "undecided": identity.undecided,
            "first": identity.first.map(time::shown),
            "last": identity.last.map(time::shown),
            "days": identity.days.len(),
            "readsLogged": self.has_reads(),
            "grants": grants,
            "givenByKubernetes": needs.built_in,
            "denied": denied,
            "deniedNotListed": more,
            "notes": needs.notes,
        })
    }
}

/// A rule as RBAC writes it.
pub(in crate::commands::audit) fn rule(rule: &Rule) -> Value {
    let mut fields: BTreeMap<&str, &BTreeSet<Box<str>>> = BTreeMap::new();
    fields.insert("verbs", &rule.verbs);
    if rule.urls.is_empty() {
        fields.insert("apiGroups", &rule.groups);
        fields.insert("resources", &rule.resources);
        if !rule.names.is_empty() {
            fields.insert("resourceNames", &rule.names);
        }
    } else {
        fields.insert("nonResourceURLs", &rule.urls);
    }
    json!(fields)
}

/// How a binding names somebody.
pub(super) fn subject(user: &str) -> (&'static str, &str, Option<&str>) {
    match service_account(user) {
        Some((namespace, name)) => ("ServiceAccount", name, Some(namespace)),
        None => ("User", user, None),
    }
}
