//! A running cluster, read through its API with the least rights.
//!
//! ```text
//! connect ─▶ version ─▶ discovery ─▶ for each kind of the table: pages ─▶ condensed objects
//!                                    └─ refused: namespace by namespace, else a gap with its reason
//! ```
//!
//! Every request is a GET, but for what [`Writer`] is asked to write. Values of Secrets are never asked for.

mod admitted;
mod ask;
mod certificates;
mod condense;
mod connect;
mod describe;
mod discovery;
pub mod kinds;
mod listing;
#[cfg(test)]
mod tests;
pub mod watch;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::completeness::{ELSEWHERE, EVERY_KIND};

use self::ask::{Asker, Trouble};
use self::condense::Versions;
use self::describe::Described;
use self::discovery::{Discovered, Served};
use self::kinds::{SECRETS, WANTED, Wanted};
use self::listing::{List, METADATA, OBJECTS};
use crate::live::{Event, LiveError, Object, Of, Patience, Source, Unread};

pub use self::condense::VALUES_WRITTEN;
pub use self::write::{Refused, Writer};

/// Which cluster is read, and what of it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A kubeconfig instead of `$KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context of it instead of the current one.
    pub context: Option<String>,
    /// Only these namespaces; none: all.
    pub namespaces: Vec<String>,
    /// Metadata of Secrets too.
    pub secrets: bool,
    /// Who is told what is waited for.
    pub patience: Patience,
}

/// A cluster.
pub struct Cluster {
    options: Options,
    target: connect::Target,
    connected: Option<Connected>,
}

struct Connected {
    asker: Arc<Asker>,
    described: Described,
}

type Tell<'t> = &'t mut dyn FnMut(Event) -> Result<(), LiveError>;

impl Cluster {
    /// Reads the kubeconfig; nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it does not have the context.
    pub fn new(options: Options) -> Result<Self, LiveError> {
        let choice = connect::Choice {
            kubeconfig: options.kubeconfig.clone(),
            context: options.context.clone(),
        };
        Ok(Self {
            target: connect::Target::of(&choice)?,
            options,
            connected: None,
        })
    }

    /// Connects and asks for the version, once.
    fn connect(&mut self) -> Result<&Connected, LiveError> {
        if self.connected.is_none() {
            let asker = asker(&self.target, &self.options.patience, connect::SILENCE)?;
            let described = Described::ask(&asker)?;
            self.connected = Some(Connected {
                asker: Arc::new(asker),
                described,
            });
        }
        self.connected.as_ref().ok_or_else(LiveError::stopped)
    }
}

/// A client of a cluster, with a thread of its own: this one. An answer may pause for so long.
fn asker(
    target: &connect::Target,
    patience: &Patience,
    silence: Duration,
) -> Result<Asker, LiveError> {
    // Another part of the program may have chosen one; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LiveError {
            message: format!("no connection can be made: {error}"),
            help: None,
        })?;
    let mut config = runtime.block_on(target.config())?;
    config.read_timeout = Some(silence);
    Asker::connect(runtime, config, patience)
}

impl Source for Cluster {
    fn name(&self) -> String {
        format!("cluster {}", self.target.name)
    }

    fn kubernetes_minor(&mut self) -> Result<Option<u8>, LiveError> {
        Ok(self.connect()?.described.minor())
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), LiveError> {
        self.connect()?;
        let Some(connected) = &mut self.connected else {
            return Err(LiveError::stopped());
        };
        tell(Event::Doing("asking what the cluster serves".to_owned()))?;
        let asker = &*connected.asker;
        let discovered = asker
            .wait(discovery::discover(asker))
            .map_err(|trouble| fatal(trouble, asker.url()))?;
        let mut reading = Reading {
            asker,
            options: &self.options,
            discovered: &discovered,
            namespaces: None,
            closed: BTreeMap::new(),
            versions: Versions::default(),
        };
        if let Some(part) = part(self.options.namespaces.as_slice()) {
            tell(Event::Gap(part))?;
        }
        for wanted in WANTED {
            reading.kind(wanted, tell)?;
        }
        reading.secrets(tell)?;
        for served in discovered.others(is_known) {
            tell(Event::Other {
                api_version: served.api_version().into(),
                kind: served.kind.as_str().into(),
            })?;
        }
        tell(Event::Doing("asking as nobody".to_owned()))?;
        let written = reading.versions.values();
        let describing = connected
            .described
            .object(&self.target.name, asker, written);
        let object = asker.wait(describing);
        tell(Event::Object(object))?;
        tell(Event::Complete {
            kind: describe::KIND.into(),
            within: "".into(),
        })
    }
}

/// The kinds that are read, or left out by choice.
fn is_known(served: &Served) -> bool {
    WANTED
        .iter()
        .chain([&SECRETS])
        .any(|wanted| wanted.group == served.group && wanted.resource == served.resource)
}

/// Why nothing can be read at all.
fn fatal(trouble: Trouble, url: &str) -> LiveError {
    match trouble {
        Trouble::Lost(error) => error,
        Trouble::Refused { status: 401, .. } => LiveError {
            message: format!("{url} does not accept who you are (401): the token may have expired"),
            help: Some(
                "sign in again: `az login`, or write the kubeconfig again with `az aks get-credentials`"
                    .to_owned(),
            ),
        },
        Trouble::Refused { status: 403, .. } => LiveError {
            message: format!("{url} lets you read nothing at all (403)"),
            help: Some(HELP.to_owned()),
        },
        // As Go's net/http answers plain HTTP on a port of TLS.
        Trouble::Refused { status: 400, .. } if url.starts_with("http:") => LiveError {
            message: format!("{url} does not speak plain HTTP (400)"),
            help: Some("write `server: https://…` in the kubeconfig".to_owned()),
        },
        Trouble::Refused {
            status, message, ..
        } => LiveError {
            message: format!(
                "{url} answers with an error ({status}){}{message}",
                if message.is_empty() { "" } else { ": " }
            ),
            help: Some("`kubectl get namespaces` says whether kubectl can read it".to_owned()),
        },
    }
}

/// A namespace that refused this many kinds and gave none is not asked for more: somebody who may read one
/// namespace of hundreds should not wait for thousands of refusals.
const CLOSED: usize = 6;

/// What such a namespace would say.
fn closed(namespace: &str) -> Trouble {
    Trouble::Refused {
        status: 0,
        message: format!("namespace `{namespace}` refused the first {CLOSED} kinds (403)"),
        go_on: None,
    }
}

const HELP: &str = "bind the ClusterRole `seawall-reader` (deploy/rbac/reader.yaml)";
const HELP_SECRETS: &str =
    "bind the ClusterRole `seawall-reader-secrets` (deploy/rbac/reader-secrets.yaml)";

/// A pass over the cluster.
struct Reading<'r> {
    asker: &'r Asker,
    options: &'r Options,
    discovered: &'r Discovered,
    /// The names of all namespaces, once they were listed.
    namespaces: Option<Vec<String>>,
    /// Of namespaces that were asked one by one: how many kinds were refused; none, once one was not.
    closed: BTreeMap<String, Option<usize>>,
    versions: Versions,
}

impl Reading<'_> {
    fn kind(&mut self, wanted: &Wanted, tell: Tell<'_>) -> Result<(), LiveError> {
        let Some(served) = self.discovered.find(wanted) else {
            return tell(not_served(wanted, self.discovered));
        };
        tell(Event::Doing(format!("listing {}", served.resource)))?;
        if self.options.namespaces.is_empty() {
            self.everywhere(wanted, served, tell)
        } else if wanted.resource == "namespaces" {
            self.chosen_namespaces(wanted, served, tell)
        } else if served.namespaced {
            let chosen = self.options.namespaces.clone();
            self.one_by_one(wanted, served, &chosen, false, tell)
        } else {
            self.everywhere(wanted, served, tell)
        }
    }

    fn everywhere(
        &mut self,
        wanted: &Wanted,
        served: &Served,
        tell: Tell<'_>,
    ) -> Result<(), LiveError> {
        let mut names = Vec::new();
        let keep = wanted.resource == "namespaces";
        let trouble = match self.list(wanted, served, "", "", keep.then_some(&mut names), tell)? {
            Ok(()) => {
                if keep {
                    self.namespaces = Some(names);
                }
                return self.complete(wanted, "", tell);
            }
            Err(trouble) => trouble,
        };
        match trouble.status() {
            // Withdrawn since discovery.
            Some(404) => self.complete(wanted, "", tell),
            Some(403) if served.namespaced => match self.namespaces.clone() {
                Some(all) => self.one_by_one(wanted, served, &all, true, tell),
                None => tell(Event::Gap(unread(wanted, served, "", &trouble))),
            },
            _ => tell(Event::Gap(unread(wanted, served, "", &trouble))),
        }
    }

    /// Namespace by namespace. `all`: they are all there are.
    fn one_by_one(
        &mut self,
        wanted: &Wanted,
        served: &Served,
        namespaces: &[String],
        all: bool,
        tell: Tell<'_>,
    ) -> Result<(), LiveError> {
        let mut gaps = Vec::new();
        let mut complete = Vec::new();
        for namespace in namespaces {
            if let Some(Some(CLOSED)) = self.closed.get(namespace) {
                gaps.push((namespace, closed(namespace)));
                continue;
            }
            let answer = self.list(wanted, served, namespace, "", None, tell)?;
            let state = self.closed.entry(namespace.clone()).or_insert(Some(0));
            match answer {
                Ok(()) => {
                    *state = None;
                    complete.push(namespace);
                }
                Err(trouble) => {
                    *state = state.map(|refused| refused + 1);
                    gaps.push((namespace, trouble));
                }
            }
        }
        if all && complete.is_empty() {
            // Refused in each: that is refused.
            if let Some((_, trouble)) = gaps.first() {
                return tell(Event::Gap(unread(wanted, served, "", trouble)));
            }
        }
        if all && gaps.is_empty() {
            return self.complete(wanted, "", tell);
        }
        for namespace in complete {
            self.complete(wanted, namespace, tell)?;
        }
        for (namespace, trouble) in gaps {
            tell(Event::Gap(unread(wanted, served, namespace, &trouble)))?;
        }
        Ok(())
    }

    /// The namespaces that were named: each is asked for, the list of all is not.
    fn chosen_namespaces(
        &mut self,
        wanted: &Wanted,
        served: &Served,
        tell: Tell<'_>,
    ) -> Result<(), LiveError> {
        for name in &self.options.namespaces {
            let address = format!("{}/namespaces/{name}", served.base());
            match self.asker.get(&address, OBJECTS) {
                Ok(text) => {
                    let mut item: listing::Item =
                        serde_json::from_str(&text).map_err(|error| LiveError {
                            message: format!("{address} is no object: {error}"),
                            help: None,
                        })?;
                    let api_version = served.api_version();
                    condense::condense(wanted, &api_version, &mut item, &mut self.versions);
                    tell(Event::Object(object(address, item)))?;
                }
                Err(trouble) if trouble.status() == Some(404) => {
                    return Err(LiveError {
                        message: format!("there is no namespace `{name}` in the cluster"),
                        help: Some("`kubectl get namespaces` lists them".to_owned()),
                    });
                }
                Err(trouble) => {
                    let mut gap = unread(wanted, served, "", &trouble);
                    gap.address = address.into();
                    tell(Event::Gap(gap))?;
                }
            }
        }
        Ok(())
    }

    /// Secrets, where they were asked for: metadata, a list for each type, so that the type is known
    /// although it does not stand in the metadata.
    fn secrets(&mut self, tell: Tell<'_>) -> Result<(), LiveError> {
        let Some(served) = self.discovered.find(&SECRETS) else {
            return tell(not_served(&SECRETS, self.discovered));
        };
        if !self.options.secrets {
            return tell(Event::Gap(secrets_left_out()));
        }
        tell(Event::Doing("listing secrets".to_owned()))?;
        let namespaces = match (self.options.namespaces.is_empty(), &self.namespaces) {
            (false, _) => self.options.namespaces.clone(),
            (true, _) => vec![String::new()],
        };
        for namespace in &namespaces {
            match self.secrets_within(served, namespace, tell)? {
                Ok(()) => self.complete(&SECRETS, namespace, tell)?,
                Err(trouble) => {
                    let mut gap = unread(&SECRETS, served, namespace, &trouble);
                    if trouble.status() == Some(403) {
                        gap.help = Some(HELP_SECRETS.into());
                    }
                    tell(Event::Gap(gap))?;
                }
            }
        }
        Ok(())
    }

    fn secrets_within(
        &mut self,
        served: &Served,
        namespace: &str,
        tell: Tell<'_>,
    ) -> Result<Result<(), Trouble>, LiveError> {
        for kind in SECRET_TYPES {
            let selector = format!("type={kind}");
            let done = self.list(&SECRETS, served, namespace, &selector, None, tell)?;
            if let Err(trouble) = done {
                return Ok(Err(trouble));
            }
        }
        let rest: Vec<String> = SECRET_TYPES
            .iter()
            .map(|kind| format!("type!={kind}"))
            .collect();
        self.list(&SECRETS, served, namespace, &rest.join(","), None, tell)
    }

    /// Tells every object of one list.
    fn list(
        &mut self,
        wanted: &Wanted,
        served: &Served,
        namespace: &str,
        selector: &str,
        mut names: Option<&mut Vec<String>>,
        tell: Tell<'_>,
    ) -> Result<Result<(), Trouble>, LiveError> {
        let secret = wanted.resource == SECRETS.resource;
        let list = List {
            served,
            namespace,
            page: wanted.page(),
            accept: if secret { METADATA } else { OBJECTS },
            field_selector: selector,
        };
        let api_version = served.api_version();
        let versions = &mut self.versions;
        list.read(self.asker, &mut |mut item| {
            if let Some(names) = names.as_deref_mut() {
                names.push(listing::names(&item).1.to_owned());
            }
            if secret && let Some(kind) = selector.strip_prefix("type=") {
                item.insert("type".to_owned(), kind.into());
            }
            let address = list.address_of(&item);
            condense::condense(wanted, &api_version, &mut item, versions);
            tell(Event::Object(object(address, item)))
        })
    }

    #[expect(clippy::unused_self, reason = "reads as its siblings do")]
    fn complete(&self, wanted: &Wanted, within: &str, tell: Tell<'_>) -> Result<(), LiveError> {
        tell(Event::Complete {
            kind: wanted.name().into(),
            within: within.into(),
        })
    }
}

/// That only some namespaces are to be read.
fn part(namespaces: &[String]) -> Option<Unread> {
    let names: Vec<String> = namespaces.iter().map(|name| format!("`{name}`")).collect();
    let read = match names.as_slice() {
        [] => return None,
        [one] => format!("only namespace {one} of the cluster was read"),
        [some @ .., last] => format!(
            "only namespaces {} and {last} of the cluster were read",
            some.join(", ")
        ),
    };
    Some(Unread {
        kind: EVERY_KIND.into(),
        within: ELSEWHERE.into(),
        address: "/api/v1/namespaces".into(),
        why: format!("{read} (`--namespace`)").into(),
        help: Some("leave `--namespace` out to read all".into()),
        by_choice: true,
    })
}

/// A kind that is not served has no objects, unless the server that serves it is away.
fn not_served(wanted: &Wanted, discovered: &Discovered) -> Event {
    let group = wanted.group;
    if !discovered.stale.iter().any(|stale| stale == group) {
        return Event::Complete {
            kind: wanted.name().into(),
            within: "".into(),
        };
    }
    let what = wanted.resource;
    let why = format!(
        "the server of `{group}` does not answer, so nobody knows whether it serves {what}"
    );
    let help = format!("`kubectl get apiservices` shows why `{group}` is away");
    Event::Gap(Unread {
        kind: wanted.name().into(),
        within: "".into(),
        address: format!("/apis/{group}").into(),
        why: why.into(),
        help: Some(help.into()),
        by_choice: false,
    })
}

fn secrets_left_out() -> Unread {
    Unread {
        kind: "Secret".into(),
        within: "".into(),
        address: "/api/v1/secrets".into(),
        why: "Secrets were not asked for".into(),
        help: Some(
            "`--secrets` reads their names and labels, never their values; it needs the \
             ClusterRole `seawall-reader-secrets`"
                .into(),
        ),
        by_choice: true,
    }
}

/// Why a kind was not listed.
fn unread(wanted: &Wanted, served: &Served, within: &str, trouble: &Trouble) -> Unread {
    let list = List {
        served,
        namespace: within,
        page: 0,
        accept: OBJECTS,
        field_selector: "",
    };
    let place = if within.is_empty() {
        String::new()
    } else {
        format!(" in namespace `{within}`")
    };
    let what = &served.resource;
    let (why, help) = match trouble {
        Trouble::Refused { status: 403, .. } => (
            format!("the cluster refused to list {what}{place} (403)"),
            Some(HELP.to_owned()),
        ),
        Trouble::Refused {
            status: 0, message, ..
        } => (
            format!("{what} were not asked for: {message}"),
            Some(HELP.to_owned()),
        ),
        Trouble::Refused { status: 401, .. } => (
            format!("the token was no longer accepted when {what}{place} were listed (401)"),
            Some("sign in again, and read the cluster again".to_owned()),
        ),
        Trouble::Refused {
            status, message, ..
        } => (
            format!("the cluster could not list {what}{place} ({status}): {message}"),
            Some("read the cluster again; what is unread stays unknown".to_owned()),
        ),
        Trouble::Lost(error) => (
            format!("{what}{place} could not be listed: {}", error.message),
            error.help.clone(),
        ),
    };
    Unread {
        kind: wanted.name().into(),
        within: within.into(),
        address: list.address().into(),
        why: why.into(),
        help: help.map(Into::into),
        by_choice: false,
    }
}

/// Kubernetes' own types of Secrets (k8s.io/api/core/v1/types.go) and Helm's. The type of any other
/// Secret is not known.
const SECRET_TYPES: [&str; 9] = [
    "Opaque",
    "kubernetes.io/service-account-token",
    "kubernetes.io/dockercfg",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/basic-auth",
    "kubernetes.io/ssh-auth",
    "kubernetes.io/tls",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
];

fn object(address: impl Into<Arc<str>>, item: listing::Item) -> Object {
    Object {
        of: Of::Kubernetes,
        address: address.into(),
        json: serde_json::Value::Object(item).to_string(),
    }
}
