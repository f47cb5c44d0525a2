//! Live Azure, read with the least rights: subscription by subscription, type by type, from Resource
//! Manager; who is in which group from Microsoft Graph, where that is asked for.
//!
//! What was read to the end is said for each type and subscription, and so is what was not, with the reason:
//! a verdict that would rest on it is unknown. Nothing is written, no keys are listed, and values that look
//! like credentials are dropped before anything else sees them ([`clean`]).
//!
//! ```text
//! subscriptions ─▶ for each: providers (API versions), own rights, Resource Graph
//!               ─▶ for each type of the table: lists, children, what is attached ─▶ events
//!               ─▶ role assignments, with the resource whose identity they name
//!               ─▶ roles that assignments name ─▶ Entra
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(crate) mod auth;
mod clean;
pub(crate) mod client;
mod cloud;
mod entra;
mod graph;
mod health;
pub(crate) mod http;
mod permissions;
pub(crate) mod plane;
mod principals;
mod subscription;
mod table;
mod versions;

pub use auth::{Auth, Surroundings};
pub use client::Pace;
pub use cloud::{Cloud, CloudName};
pub use http::Trust;
pub use plane::SignIn;
pub use table::actions;

use crate::live::{Event, LiveError, Patience, Source, Unread};
use auth::Tokens;
use client::{Client, Failure};
use health::Health;
use principals::Principals;
use subscription::{Subscription, Told};
use table::{ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, Row};

/// What is read, and how.
#[derive(Clone)]
pub struct Options {
    /// The cloud.
    pub cloud: Cloud,
    /// How to sign in.
    pub auth: Auth,
    /// Who one is, by the environment.
    pub surroundings: Surroundings,
    /// Ids of subscriptions; none: all that can be seen.
    pub subscriptions: Vec<String>,
    /// Whether Microsoft Graph is asked for groups and names.
    pub entra: bool,
    /// Which certificates are trusted.
    pub trust: Trust,
    /// How long to wait, and how often.
    pub pace: Pace,
    /// Who is told what is waited for.
    pub patience: Patience,
}

/// Live Azure as a source.
pub struct Azure {
    options: Options,
    /// What of it was read, once it was.
    found: Option<Found>,
    /// Principals that were named before.
    principals: BTreeSet<String>,
}

/// Which subscriptions were read, and of which tenants they are.
struct Found {
    subscriptions: usize,
    tenants: BTreeSet<String>,
}

impl Azure {
    /// With what is to be read.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            found: None,
            principals: BTreeSet::new(),
        }
    }
}

impl Source for Azure {
    fn name(&self) -> String {
        let count = self
            .found
            .as_ref()
            .map_or(self.options.subscriptions.len(), |found| {
                found.subscriptions
            });
        let name = match (count, self.options.subscriptions.as_slice()) {
            (0, _) => "Azure".to_owned(),
            (1, [one]) => format!("subscription {one}"),
            (1, _) => "1 subscription".to_owned(),
            (count, _) => format!("{count} subscriptions"),
        };
        let tenants = self.found.iter().flat_map(|found| &found.tenants);
        let tenants: Vec<&str> = tenants.map(String::as_str).collect();
        match tenants.as_slice() {
            [] => name,
            [one] => format!("{name} of tenant {one}"),
            several => format!("{name} of {} tenants", several.len()),
        }
    }

    fn principals(&mut self, ids: &BTreeSet<String>) {
        let ids = ids.iter().filter(|id| is_guid(id));
        self.principals
            .extend(ids.map(|id| id.to_ascii_lowercase()));
    }

    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| fatal(format!("no runtime: {error}"), None))?;
        let options = &self.options;
        let tokens = Tokens::new(
            options.auth,
            &options.cloud,
            &options.trust,
            options.pace.timeout,
            &options.surroundings,
        )
        .map_err(|error| {
            let help = auth::help(options.auth);
            fatal(format!("cannot sign in to Azure: {error}"), Some(help))
        })?;
        let http = http::client(&options.trust, options.pace.timeout, false)
            .map_err(|error| fatal(error, None))?;
        let arm = Client {
            base: options.cloud.manager.clone(),
            audience: options.cloud.audience.clone(),
            tokens: &tokens,
            http: http.clone(),
            pace: options.pace,
            patience: options.patience.clone(),
            health: Health::default(),
        };
        let mut reading = Reading {
            runtime: &runtime,
            arm: &arm,
            principals: Principals::default(),
            known: BTreeSet::new(),
            entra: entra::Wanted::of(&self.principals),
            roles: BTreeMap::new(),
        };
        let found = reading.all(options, tell)?;
        if options.entra {
            let graph = Client {
                base: options.cloud.graph.clone(),
                audience: options
                    .cloud
                    .graph
                    .as_str()
                    .trim_end_matches('/')
                    .to_owned(),
                tokens: &tokens,
                http,
                pace: options.pace,
                patience: options.patience.clone(),
                health: Health::default(),
            };
            tell(Event::Doing("asking Microsoft Graph".to_owned()))?;
            for event in runtime.block_on(entra::read(&graph, &reading.entra)) {
                tell(event)?;
            }
        } else {
            for kind in entra::KINDS {
                tell(Event::Gap(Unread {
                    kind: kind.into(),
                    within: Box::default(),
                    address: "https://graph.microsoft.com".into(),
                    why: "who is in which group was not asked for".into(),
                    help: Some("`--entra` reads it".into()),
                    by_choice: true,
                }))?;
            }
        }
        self.found = Some(found);
        Ok(())
    }
}

fn fatal(message: String, help: Option<&str>) -> LiveError {
    LiveError {
        message,
        help: help.map(str::to_owned),
    }
}

/// Who signed in to a tenant is nobody in another one.
const OTHER_TENANT: &str = "InvalidAuthenticationTokenTenant";

/// The subscriptions that are to be read.
struct Wanted {
    subscriptions: Vec<String>,
    /// They are all that can be seen.
    whole: bool,
    tenants: BTreeSet<String>,
}

/// All subscriptions while they are read.
struct Reading<'r, 't> {
    runtime: &'r tokio::runtime::Runtime,
    arm: &'r Client<'t>,
    principals: Principals,
    /// Ids that were told: what is inherited stands in every subscription's list.
    known: BTreeSet<String>,
    entra: entra::Wanted,
    /// Roles that assignments name, by GUID: the first subscription that does.
    roles: BTreeMap<String, usize>,
}

impl<'r, 't> Reading<'r, 't> {
    fn all(
        &mut self,
        options: &Options,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<Found, LiveError> {
        let Wanted {
            subscriptions: wanted,
            whole,
            tenants,
        } = self.subscriptions(options, tell)?;
        self.chains(&wanted, tell)?;
        let rows: Vec<&'static Row> = table::rows().collect();
        let mut open = Vec::new();
        for (index, id) in wanted.iter().enumerate() {
            let at = format!("subscription {} of {}", index + 1, wanted.len());
            tell(Event::Doing(format!("{at}: what it has")))?;
            let (mut subscription, events) =
                self.runtime.block_on(Subscription::open(self.arm, id));
            self.alive()?;
            for event in events.into_iter().chain(subscription.others(&rows)) {
                tell(event)?;
            }
            for row in &table::ROWS {
                tell(Event::Doing(format!("{at}: {}", row.kind)))?;
                let told = self.runtime.block_on(subscription.row(row));
                self.alive()?;
                self.tell(row, told, index, tell)?;
            }
            open.push(subscription);
        }
        // The identities of all subscriptions are known only now.
        for (index, subscription) in open.iter_mut().enumerate() {
            for row in &table::SCOPED {
                tell(Event::Doing(format!(
                    "subscription {} of {}: {}",
                    index + 1,
                    wanted.len(),
                    row.kind
                )))?;
                let told = self.runtime.block_on(subscription.row(row));
                self.alive()?;
                self.tell(row, told, index, tell)?;
            }
        }
        self.referenced(&open, tell)?;
        if whole {
            for row in rows {
                if open.iter().all(|one| one.complete.contains(row.kind)) {
                    tell(Event::Complete {
                        kind: row.kind.into(),
                        within: Box::default(),
                    })?;
                }
            }
        }
        Ok(Found {
            subscriptions: wanted.len(),
            tenants,
        })
    }

    /// Which management groups are above the subscriptions. Of one alone that is known without: what its lists hold
    /// of management groups is above it.
    fn chains(
        &mut self,
        wanted: &[String],
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        if wanted.len() < 2 {
            return Ok(());
        }
        tell(Event::Doing("management groups".to_owned()))?;
        let (found, failure) = self.runtime.block_on(graph::chains(self.arm, wanted));
        self.alive()?;
        for (id, value) in &found {
            tell(subscription::object(id, value))?;
        }
        match failure {
            Some(failure) => tell(subscription::gap(
                table::SUBSCRIPTION,
                "",
                "/providers/Microsoft.ResourceGraph/resources",
                &failure,
                "Microsoft.Resources/subscriptions/read",
            )),
            None => Ok(()),
        }
    }

    /// Whether it is worth asking on. What was read already is worth something even if nothing follows.
    fn alive(&self) -> Result<(), LiveError> {
        match self.arm.health.lost() {
            Some(failure) if failure.is_final() || self.known.is_empty() => {
                Err(self.cannot(&failure))
            }
            _ => Ok(()),
        }
    }

    /// Why Azure cannot be read at all.
    fn cannot(&self, failure: &Failure) -> LiveError {
        let host = self.arm.base.as_str().trim_end_matches('/');
        let shown = failure.shown();
        if failure.no_token() {
            return fatal(
                format!("cannot sign in to Azure: {shown}"),
                Some(self.arm.tokens.help()),
            );
        }
        if failure.code == OTHER_TENANT {
            return fatal(
                format!("a subscription belongs to another tenant than you ({shown})"),
                Some("sign in to its tenant: `az login --tenant ID`"),
            );
        }
        if failure.status == 401 {
            return fatal(
                format!("{host} does not accept who you are ({shown})"),
                Some(self.arm.tokens.help()),
            );
        }
        if failure.is_strange() {
            return fatal(
                format!("cannot read Azure: {host} gives {shown}"),
                Some(
                    "a proxy or a firewall seems to answer: look at the page in a browser, and at HTTPS_PROXY and \
                     NO_PROXY",
                ),
            );
        }
        let again = if failure.general && failure.status != 0 {
            ", again and again"
        } else {
            ""
        };
        fatal(
            format!("cannot read Azure: {host}: {shown}{again}"),
            failure.general.then_some(
                "is this machine connected? https://azure.status.microsoft says whether Azure is disturbed",
            ),
        )
    }

    /// The subscriptions to read, and whether those are all that can be seen.
    fn subscriptions(
        &self,
        options: &Options,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<Wanted, LiveError> {
        tell(Event::Doing("signing in to Azure".to_owned()))?;
        let listed = self
            .runtime
            .block_on(async {
                let url = self.arm.address("/subscriptions?api-version=2022-12-01")?;
                Ok(self.arm.list(url).await)
            })
            .map_err(|failure: Failure| fatal(failure.shown(), None))?;
        let mut seen: Vec<String> = listed
            .items
            .iter()
            .filter_map(|item| item.get("subscriptionId").and_then(Value::as_str))
            .filter(|id| is_guid(id))
            .map(str::to_ascii_lowercase)
            .collect();
        seen.sort();
        seen.dedup();
        let mut wanted: Vec<String> = options
            .subscriptions
            .iter()
            .map(|id| id.to_ascii_lowercase())
            .collect();
        wanted.sort();
        wanted.dedup();
        if let Some(failure) = &listed.failure {
            let nothing = wanted.is_empty() && seen.is_empty();
            if failure.status == 0 || failure.is_final() || failure.is_strange() || nothing {
                return Err(self.cannot(failure));
            }
            tell(subscription::gap(
                table::SUBSCRIPTION,
                "",
                "/subscriptions",
                failure,
                "Microsoft.Resources/subscriptions/read",
            ))?;
        }
        if wanted.is_empty() {
            if seen.is_empty() {
                return Err(fatal(
                    "this identity can see no subscription".to_owned(),
                    Some(
                        "assign the role in deploy/azure to it on a subscription, or name one with `--subscription`",
                    ),
                ));
            }
            wanted.clone_from(&seen);
        }
        let whole = listed.failure.is_none() && wanted == seen;
        tell(Event::Doing(format!(
            "reading {} of {} subscriptions that can be seen",
            wanted.len(),
            seen.len()
        )))?;
        let tenants = listed
            .items
            .iter()
            .filter(|item| {
                let id = item.get("subscriptionId").and_then(Value::as_str);
                id.is_some_and(|id| wanted.contains(&id.to_ascii_lowercase()))
            })
            .filter_map(|item| item.get("tenantId").and_then(Value::as_str))
            .filter(|id| is_guid(id))
            .map(str::to_ascii_lowercase)
            .collect();
        Ok(Wanted {
            subscriptions: wanted,
            whole,
            tenants,
        })
    }

    /// Tells what a type came to.
    fn tell(
        &mut self,
        row: &'static Row,
        mut told: Told,
        index: usize,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        subscription::learn(&mut self.principals, &told, row);
        for (id, mut value) in told.objects.drain(..) {
            if !self.known.insert(id.to_ascii_lowercase()) {
                continue;
            }
            if row.kind == ROLE_ASSIGNMENTS {
                self.principals.say(&mut value);
            }
            self.entra.learn(row.kind, &value);
            let role = value
                .pointer("/properties/roleDefinitionId")
                .and_then(Value::as_str)
                .and_then(|id| id.rsplit('/').next())
                .filter(|guid| is_guid(guid));
            if let Some(guid) = role {
                self.roles.entry(guid.to_ascii_lowercase()).or_insert(index);
            }
            if row.kind == ROLE_DEFINITIONS
                && let Some(guid) = id.rsplit('/').next()
            {
                // Known: not to be asked for.
                self.roles.insert(guid.to_ascii_lowercase(), usize::MAX);
            }
            tell(subscription::object(&id, &value))?;
        }
        told.events.into_iter().try_for_each(tell)
    }

    /// The roles that assignments name and that are not custom ones of the subscription.
    fn referenced(
        &mut self,
        open: &[Subscription<'_, '_>],
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let Some(row) = table::rows().find(|row| row.kind == ROLE_DEFINITIONS) else {
            return Ok(());
        };
        tell(Event::Doing("roles that assignments name".to_owned()))?;
        let roles = std::mem::take(&mut self.roles);
        let asked: Vec<(&Subscription<'_, '_>, String)> = roles
            .into_iter()
            .filter_map(|(guid, index)| Some((open.get(index)?, guid)))
            .collect();
        let read: Vec<Told> = self.runtime.block_on(async {
            use futures::stream::{self, StreamExt as _};
            stream::iter(&asked)
                .map(|(subscription, guid)| subscription.role(row, guid))
                .buffered(8)
                .collect()
                .await
        });
        for told in read {
            self.tell(row, told, usize::MAX, tell)?;
        }
        Ok(())
    }
}

/// Whether a text is a GUID, as ids of subscriptions and principals are.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
