//! `intent.yaml`: what is wanted, as somebody writes it down.

use std::collections::BTreeMap;

use guide::front_matter::{self, Fields};
use model::Ref;
use serde::Serialize;

use crate::address::Range;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intent {
    /// Part of every name.
    pub name: Box<str>,
    /// The Azure region.
    pub region: Box<str>,
    /// The minor of Kubernetes, such as `1.34`.
    pub kubernetes: Box<str>,
    /// Who answers for it; goes into tags and waivers.
    pub owner: Box<str>,
    /// Who hears of attacks.
    pub mail: Box<str>,
    /// `bicep`, `terraform`.
    pub infrastructure: Vec<Box<str>>,
    /// `github`, `azure-devops` or `none`.
    pub pipeline: Box<str>,
    /// The repository that the pipeline runs in, as `organisation/name`.
    pub repository: Option<Box<str>>,
    /// Ids of frameworks that count; any makes every environment a regulated one.
    pub compliance: Vec<Box<str>>,
    /// Euro a month, for all.
    pub budget: Option<f64>,
    /// The day until which what the choices imply is accepted.
    pub review: Option<Box<str>>,
    /// At least one.
    pub environments: Vec<Environment>,
    /// Who may do what.
    pub access: Access,
    /// What is there already.
    pub network: Network,
    /// What runs.
    pub workloads: Vec<Workload>,
    /// By question: what was chosen.
    pub decisions: BTreeMap<Box<str>, Vec<Box<str>>>,
}

/// How much care something needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nobody minds when it is down, and nothing in it is secret.
    Development,
    /// People depend on it.
    Production,
    /// Somebody looks after the fact.
    Regulated,
}

/// Production, development and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Part of names.
    pub name: Box<str>,
    /// How much care.
    pub profile: Profile,
    /// Its addresses.
    pub range: Box<str>,
}

/// Entra groups by what they may do, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Object id of the Entra group of administrators.
    pub administrators: Box<str>,
    /// of those who deploy
    pub deployers: Box<str>,
    /// of those who read logs
    pub readers: Box<str>,
    /// Addresses from which people and pipelines come.
    pub ranges: Vec<Box<str>>,
}

/// What is there already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Resource id of the hub's network.
    pub hub: Option<Box<str>>,
    /// Private address of the hub's firewall.
    pub firewall: Option<Box<str>>,
}

/// What kind of thing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Answers people outside.
    Web,
    /// Answers others in the cluster.
    Internal,
    /// Runs and ends.
    Batch,
    /// Runs code of others.
    Untrusted,
}

/// Something that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// Its name, which its namespace has too.
    pub name: Box<str>,
    /// What kind.
    pub class: Class,
    /// The port it listens on; batch and untrusted ones may have none.
    pub port: Option<u16>,
    /// Names under which people outside reach it.
    pub hosts: Vec<Box<str>>,
    /// Azure services it uses: `vault`, `storage`.
    pub uses: Vec<Box<str>>,
    /// Other workloads that it calls.
    pub calls: Vec<Box<str>>,
    /// Names outside of Azure and the cluster that it calls, over HTTPS.
    pub egress: Vec<Box<str>>,
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct IntentError {
    /// from 1
    pub line: u32,
    /// A sentence.
    pub message: String,
}

const KEYS: [&str; 14] = [
    "name",
    "region",
    "kubernetes",
    "owner",
    "mail",
    "infrastructure",
    "pipeline",
    "repository",
    "compliance",
    "budget",
    "review",
    "environments",
    "access",
    "network",
];

/// Namespaces that are there, or that the way in takes; a workload's namespace has its name.
const TAKEN: [&str; 4] = [
    "default",
    "gateway",
    "gatekeeper-system",
    "azure-alb-system",
];

/// Azure services that workloads can use.
const SERVICES: [&str; 2] = ["vault", "storage"];

/// What Azure allows of the names that are made of it: a vault's has 24 characters, and a registry's at least five.
const LONGEST_NAME: usize = 10;
const SHORTEST_NAME: usize = 2;

type Read<T> = Result<T, IntentError>;

impl Intent {
    /// Reads the file's text. `newest` is the Kubernetes version where it names none.
    ///
    /// # Errors
    /// Says the line and what is expected there.
    pub fn parse(text: &str, newest: &str) -> Result<Self, IntentError> {
        let doc =
            front_matter::read(text, 1).map_err(|(line, message)| IntentError { line, message })?;
        let root = doc.root();
        if let Some((key, again)) = doc.duplicates.first() {
            return Err(IntentError {
                line: doc.line_column(again.start).0,
                message: format!("`{key}` stands here twice"),
            });
        }
        let keys: Vec<&str> = KEYS
            .iter()
            .copied()
            .chain(["workloads", "decisions"])
            .collect();
        let at = At(root);
        let fields = at.fields(&keys)?;
        let region = at.required(&fields, "region")?;
        if !region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        {
            return Err(at.key(
                "region",
                "`region` must be the short name of an Azure region, such as westeurope",
            ));
        }
        let compliance = at.texts(&fields, "compliance")?;
        let environments = environments(at, &fields, !compliance.is_empty())?;
        let workloads = workloads(at, &fields)?;
        let mut infrastructure = at.texts(&fields, "infrastructure")?;
        if infrastructure.is_empty() {
            infrastructure.push("bicep".into());
        }
        at.among("infrastructure", &infrastructure, &["bicep", "terraform"])?;
        let pipeline = at
            .text(&fields, "pipeline")?
            .unwrap_or_else(|| "github".into());
        at.among(
            "pipeline",
            std::slice::from_ref(&pipeline),
            &["github", "azure-devops", "none"],
        )?;
        let review = at.text(&fields, "review")?;
        if review.as_deref().is_some_and(|day| !is_day(day)) {
            return Err(at.key("review", "`review` must be a day such as 2027-12-31"));
        }
        let kubernetes = match fields
            .texts("kubernetes")
            .map_err(|message| at.key("kubernetes", &message))?
        {
            texts if texts.is_empty() => newest.into(),
            texts => texts
                .first()
                .filter(|version| guide::parse_minor(version).is_some())
                .cloned()
                .ok_or_else(|| {
                    at.key(
                        "kubernetes",
                        "`kubernetes` must be a version such as \"1.34\"",
                    )
                })?,
        };
        let budget = match fields.get("budget") {
            None => None,
            Some(value) => Some(
                front_matter::number(value)
                    .filter(|euro| *euro >= 0.0)
                    .ok_or_else(|| at.key("budget", "`budget` must be euro a month, a number"))?,
            ),
        };
        Ok(Self {
            name: at.name(&fields, LONGEST_NAME)?,
            region,
            kubernetes,
            owner: at.required(&fields, "owner")?,
            mail: at.required(&fields, "mail")?,
            infrastructure,
            pipeline,
            repository: at.text(&fields, "repository")?,
            compliance,
            budget,
            review,
            environments,
            access: access(at, &fields)?,
            network: network(&fields)?,
            workloads,
            decisions: decisions(at, &fields)?,
        })
    }

    /// The greatest care that any environment needs.
    #[must_use]
    pub fn strictest(&self) -> Profile {
        let profiles = self
            .environments
            .iter()
            .map(|environment| environment.profile);
        profiles.max().unwrap_or(Profile::Production)
    }
}

/// A map of the file, for errors with lines.
#[derive(Clone, Copy)]
struct At<'a>(Ref<'a>);

impl<'a> At<'a> {
    fn here(self, message: impl Into<String>) -> IntentError {
        IntentError {
            line: self.0.doc.line_column(self.0.span().start).0,
            message: message.into(),
        }
    }

    /// An error at a key's value; at the map where the key is missing.
    fn key(self, key: &str, message: &str) -> IntentError {
        match self.0.get(key) {
            Some(value) => Self(value).here(message),
            None => self.here(message),
        }
    }

    fn fields(self, known: &[&str]) -> Read<Fields<'a>> {
        Fields::of(self.0, known).map_err(|message| {
            let unknown = self.0.entries().find(|(key, _, _)| !known.contains(key));
            match unknown {
                Some((_, span, _)) => IntentError {
                    line: self.0.doc.line_column(span.start).0,
                    message,
                },
                None => self.here(message),
            }
        })
    }

    fn text(self, fields: &Fields<'a>, key: &str) -> Read<Option<Box<str>>> {
        match fields.get(key) {
            None => Ok(None),
            Some(_) => self.required(fields, key).map(Some),
        }
    }

    /// One line of text.
    fn required(self, fields: &Fields<'a>, key: &str) -> Read<Box<str>> {
        let text = fields
            .text(key)
            .map_err(|message| self.key(key, &message))?;
        // It is written into other languages: what could end a quoted text there is no name of anything.
        if text.trim().is_empty()
            || text.contains(|c: char| c.is_control() || "\"'\\${}`".contains(c))
        {
            return Err(self.key(
                key,
                &format!("`{key}` must be one line without quotes, backslashes, braces or `$`"),
            ));
        }
        Ok(text.into())
    }

    fn texts(self, fields: &Fields<'a>, key: &str) -> Read<Vec<Box<str>>> {
        let texts = fields
            .texts(key)
            .map_err(|message| self.key(key, &message))?;
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte))
        };
        match texts.iter().find(|text| !plain(text)) {
            Some(text) => Err(self.key(
                key,
                &format!("`{}` cannot stand in `{key}`", text.escape_debug()),
            )),
            None => Ok(texts),
        }
    }

    /// Names of hosts.
    fn hosts(self, fields: &Fields<'a>, key: &str) -> Read<Vec<Box<str>>> {
        let hosts = self.texts(fields, key)?;
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let wrong = hosts
            .iter()
            .find(|host| !host.contains('.') || !host.split('.').all(part));
        match wrong {
            Some(host) => Err(self.key(
                key,
                &format!(
                    "`{host}` in `{key}` must be the name of a host, such as shop.example.com"
                ),
            )),
            None => Ok(hosts),
        }
    }

    fn among(self, key: &str, texts: &[Box<str>], known: &[&str]) -> Read<()> {
        match texts.iter().find(|text| !known.contains(&&***text)) {
            Some(text) => Err(self.key(
                key,
                &format!(
                    "`{text}` cannot stand in `{key}`: it is one of {}",
                    known.join(", ")
                ),
            )),
            None => Ok(()),
        }
    }

    /// A name that DNS and Azure take.
    fn name(self, fields: &Fields<'a>, longest: usize) -> Read<Box<str>> {
        let name = self.required(fields, "name")?;
        let fits = (SHORTEST_NAME..=longest).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits {
            Ok(name)
        } else {
            Err(self.key(
                "name",
                &format!("`name` must be {SHORTEST_NAME} to {longest} lower case letters, digits and hyphens, a letter first: it is part of other names"),
            ))
        }
    }

    fn items(self, fields: &Fields<'a>, key: &str) -> Read<Vec<Self>> {
        match fields.get(key) {
            None => Ok(Vec::new()),
            Some(list) if list.is_list() => Ok(list.items().map(At).collect()),
            Some(_) => Err(self.key(key, &format!("`{key}` must be a list"))),
        }
    }
}

fn environments(at: At<'_>, fields: &Fields<'_>, regulated: bool) -> Read<Vec<Environment>> {
    let mut environments: Vec<Environment> = Vec::new();
    let mut ranges: Vec<Range> = Vec::new();
    for item in at.items(fields, "environments")? {
        let own = item.fields(&["name", "profile", "range"])?;
        let name = item.name(&own, LONGEST_NAME)?;
        let profile = match own.get("profile").map(|_| own.text("profile")) {
            None => Profile::Production,
            Some(Ok("development")) => Profile::Development,
            Some(Ok("production")) => Profile::Production,
            Some(Ok("regulated")) => Profile::Regulated,
            Some(_) => {
                return Err(item.key(
                    "profile",
                    "`profile` must be development, production or regulated",
                ));
            }
        };
        let text = item.required(&own, "range")?;
        let range = Range::parse(&text).filter(|range| (16..=21).contains(&range.bits()));
        let range = range.ok_or_else(|| {
            item.key("range", "`range` must be a range of private addresses such as 10.20.0.0/16, no smaller than /21")
        })?;
        if ranges.iter().any(|other| other.overlaps(range)) {
            return Err(item.key("range", "`range` overlaps that of another environment: their networks could never be joined"));
        }
        if environments.iter().any(|other| other.name == name) {
            return Err(item.key("name", &format!("there are two environments `{name}`")));
        }
        ranges.push(range);
        environments.push(Environment {
            name,
            profile: if regulated {
                Profile::Regulated
            } else {
                profile
            },
            range: text,
        });
    }
    if environments.is_empty() {
        return Err(at.here(
            "`environments` must have at least one, such as { name: prod, range: 10.20.0.0/16 }",
        ));
    }
    Ok(environments)
}

fn workloads(at: At<'_>, fields: &Fields<'_>) -> Read<Vec<Workload>> {
    let mut workloads: Vec<Workload> = Vec::new();
    for item in at.items(fields, "workloads")? {
        let own = item.fields(&["name", "class", "port", "hosts", "uses", "calls", "egress"])?;
        let name = item.name(&own, 20)?;
        if TAKEN.contains(&&*name) || name.starts_with("kube-") || name.starts_with("aks-") {
            return Err(item.key(
                "name",
                &format!("`{name}` is a namespace already, of Kubernetes, AKS or the way in"),
            ));
        }
        let class = match own.text("class") {
            Ok("web") => Class::Web,
            Ok("internal") => Class::Internal,
            Ok("batch") => Class::Batch,
            Ok("untrusted") => Class::Untrusted,
            _ => return Err(item.key("class", "`class` must be web, internal, batch or untrusted")),
        };
        let port = match own.get("port") {
            None if matches!(class, Class::Web | Class::Internal) => Some(8080),
            None => None,
            Some(value) => {
                let number = front_matter::number(value)
                    .filter(|number| number.fract() == 0.0 && (1024.0..=65_535.0).contains(number));
                let number = number.ok_or_else(|| {
                    item.key("port", "`port` must be a number from 1024 to 65535: a container that is not root cannot listen below")
                })?;
                Some(number as u16)
            }
        };
        let hosts = item.hosts(&own, "hosts")?;
        if class == Class::Web && hosts.is_empty() {
            return Err(item.key(
                "hosts",
                &format!("`hosts` must say under which names people reach `{name}`"),
            ));
        }
        let uses = item.texts(&own, "uses")?;
        item.among("uses", &uses, &SERVICES)?;
        if workloads.iter().any(|other| other.name == name) {
            return Err(item.key("name", &format!("there are two workloads `{name}`")));
        }
        workloads.push(Workload {
            name,
            class,
            port,
            hosts,
            uses,
            calls: item.texts(&own, "calls")?,
            egress: item.hosts(&own, "egress")?,
        });
    }
    for (item, workload) in at.items(fields, "workloads")?.into_iter().zip(&workloads) {
        for call in &workload.calls {
            let Some(called) = workloads.iter().find(|other| other.name == *call) else {
                return Err(item.key("calls", &format!("`{call}` is no workload of this file")));
            };
            if called.port.is_none() {
                return Err(item.key("calls", &format!("`{call}` has no `port` to call")));
            }
        }
    }
    Ok(workloads)
}

fn access(at: At<'_>, fields: &Fields<'_>) -> Read<Access> {
    let Some(map) = fields.get("access").map(At) else {
        return Err(at.here(
            "`access` must name three Entra groups by their object ids: administrators, deployers, readers",
        ));
    };
    let own = map.fields(&["administrators", "deployers", "readers", "ranges"])?;
    let group = |key: &str| -> Read<Box<str>> {
        let id = own.text(key).ok().filter(|id| is_guid(id));
        id.map(Into::into).ok_or_else(|| {
            let message = format!(
                "`{key}` must be the object id of an Entra group: `az ad group show --group NAME --query id`"
            );
            map.key(key, &message)
        })
    };
    let ranges = map.texts(&own, "ranges")?;
    if let Some(range) = ranges.iter().find(|range| Range::parse(range).is_none()) {
        let message = format!("`{range}` is no range of addresses such as 203.0.113.0/24");
        return Err(map.key("ranges", &message));
    }
    Ok(Access {
        administrators: group("administrators")?,
        deployers: group("deployers")?,
        readers: group("readers")?,
        ranges,
    })
}

fn network(fields: &Fields<'_>) -> Read<Network> {
    let Some(map) = fields.get("network").map(At) else {
        return Ok(Network::default());
    };
    let own = map.fields(&["hub", "firewall"])?;
    let hub = map.text(&own, "hub")?;
    let is_network = |id: &str| {
        id.starts_with("/subscriptions/")
            && id
                .to_ascii_lowercase()
                .contains("/providers/microsoft.network/virtualnetworks/")
    };
    if hub.as_deref().is_some_and(|id| !is_network(id)) {
        return Err(map.key("hub", "`hub` must be the resource id of a virtual network"));
    }
    let firewall = map.text(&own, "firewall")?;
    if firewall
        .as_deref()
        .is_some_and(|address| address.parse::<std::net::Ipv4Addr>().is_err())
    {
        return Err(map.key(
            "firewall",
            "`firewall` must be the private address of the hub's firewall",
        ));
    }
    if firewall.is_some() && hub.is_none() {
        return Err(map.key(
            "firewall",
            "`firewall` stands in a hub: `hub` must name its network",
        ));
    }
    Ok(Network { hub, firewall })
}

fn decisions(at: At<'_>, fields: &Fields<'_>) -> Read<BTreeMap<Box<str>, Vec<Box<str>>>> {
    let Some(map) = fields.get("decisions") else {
        return Ok(BTreeMap::new());
    };
    if !map.is_map() {
        return Err(at.key(
            "decisions",
            "`decisions` must be a map from questions to options",
        ));
    }
    map.entries()
        .map(|(key, _, value)| {
            let options = front_matter::texts(value).ok_or_else(|| {
                At(value).here(format!("`{key}` must be an option or a list of options"))
            })?;
            Ok((key.into(), options))
        })
        .collect()
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([4, 2, 2])
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}
