//! `seawall.yaml`, beside the code that is assessed: what is expected of it, and what is accepted.

use std::collections::BTreeMap;

use analysis::paths::Wish;
use guide::Guide;
use guide::answers::Given;
use guide::front_matter::{self, Fields};
use guide::setting::to_json;
use model::{Doc, Ref, Severity};

mod budget;
mod serve;

pub use budget::Budget;
pub use serve::{Asked, Serve};

/// The file's name.
pub const FILE: &str = "seawall.yaml";
/// The name of the file beside it that holds waivers and nothing else, for whoever signs them off.
pub const WAIVERS: &str = "seawall-waivers.yaml";

/// What the file says; absent keys leave the defaults.
#[derive(Debug, Default)]
pub struct Config {
    /// The files beside it are the whole estate.
    pub whole: Option<bool>,
    /// Findings at or above it trip the exit code; `Some(None)`: never.
    pub fail_on: Option<Option<Severity>>,
    /// Unknown verdicts trip it too.
    pub fail_on_unknown: Option<bool>,
    /// Where `seawall guide build` put the guide: findings lead there.
    pub site: Option<Box<str>>,
    /// Kubernetes minor judged against.
    pub kubernetes: Option<u8>,
    /// Frameworks that select the guidelines.
    pub frameworks: Vec<Box<str>>,
    /// Severities that differ from the guide's.
    pub severities: BTreeMap<Box<str>, Severity>,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
    /// The cluster that the manifests go to, where several are given.
    pub cluster: Option<Box<str>>,
    /// What is worth reaching besides what always is.
    pub jewels: Vec<Wish>,
    /// How much there is of what prices scale with, where the estate does not show it.
    pub quantities: BTreeMap<String, f64>,
    /// What a plan may cost.
    pub budget: Budget,
    /// How the webhook answers.
    pub serve: Serve,
    /// What fixes ask.
    pub answers: Given,
    /// What guidelines read as `params`, as a YAML map.
    pub params: Option<String>,
    /// The file, for messages.
    pub path: Box<str>,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Which guideline.
    pub guideline: Box<str>,
    /// Which resources: `Deployment/shop/web`, with `*` for anything; none: all.
    pub resource: Option<Box<str>>,
    /// Which container or other item.
    pub container: Option<Box<str>>,
    /// Why.
    pub reason: Box<str>,
    /// Who answers for it.
    pub owner: Box<str>,
    /// Until when, an ISO date.
    pub until: Option<Box<str>>,
    /// The file it stands in, for messages.
    pub path: Box<str>,
    /// Where it stands.
    pub line: u32,
    /// The text of that line.
    pub source: Box<str>,
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {message}")]
pub struct ConfigError {
    /// The file.
    pub path: Box<str>,
    /// from 1
    pub line: u32,
    /// A sentence.
    pub message: String,
}

/// An address that a link may have: nothing that a browser would run.
fn is_site(address: &str) -> bool {
    let relative = !address.is_empty() && !address.contains(':') && !address.starts_with("//");
    let plain = !address.chars().any(|c| c.is_whitespace() || c.is_control());
    plain && (relative || address.starts_with("https://") || address.starts_with("http://"))
}

const KEYS: [&str; 14] = [
    "whole",
    "fail-on",
    "fail-on-unknown",
    "kubernetes",
    "frameworks",
    "severities",
    "quantities",
    "waivers",
    "cluster",
    "jewels",
    "budget",
    "serve",
    "answers",
    "site",
];

impl Config {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Says the line and what is expected there.
    pub fn parse(path: &str, text: &str, guide: &Guide) -> Result<Self, ConfigError> {
        let error = |line, message| ConfigError {
            path: path.into(),
            line,
            message,
        };
        if is_blank(text) {
            return Ok(Self {
                path: path.into(),
                ..Self::default()
            });
        }
        let doc = front_matter::read(text, 1).map_err(|(line, message)| error(line, message))?;
        let root = doc.root();
        let params: Vec<&str> = guide.params.iter().map(|param| &*param.key).collect();
        let known: Vec<&str> = KEYS.iter().copied().chain(params.iter().copied()).collect();
        let mut config = Self {
            path: path.into(),
            ..Self::default()
        };
        let mut given = serde_json::Map::new();
        if !root.is_map() {
            return Err(error(1, "a map is expected".to_owned()));
        }
        if let Some((key, again)) = doc.duplicates.first() {
            return Err(error(
                doc.line_column(again.start).0,
                format!("`{key}` stands here twice"),
            ));
        }
        for (key, span, value) in root.entries() {
            let line = doc.line_column(span.start).0;
            let wrong = |what: &str| error(line, format!("`{key}` must be {what}"));
            match key {
                "whole" => {
                    config.whole = Some(value.as_bool().ok_or_else(|| wrong("true or false"))?)
                }
                "fail-on-unknown" => {
                    config.fail_on_unknown =
                        Some(value.as_bool().ok_or_else(|| wrong("true or false"))?);
                }
                "fail-on" => {
                    let floor = value.as_str().and_then(parse_floor);
                    config.fail_on =
                        Some(floor.ok_or_else(|| wrong("critical, high, medium, low or none"))?);
                }
                "site" => {
                    let address = value.as_str().filter(|address| is_site(address));
                    config.site = Some(
                        address
                            .ok_or_else(|| {
                                wrong("an address that begins with https://, or a folder beside the reports")
                            })?
                            .into(),
                    );
                }
                "kubernetes" => {
                    let version = front_matter::texts(value)
                        .and_then(|texts| guide::parse_minor(texts.first()?));
                    config.kubernetes =
                        Some(version.ok_or_else(|| wrong("a version such as \"1.34\""))?);
                }
                "quantities" => {
                    for (id, span, amount) in value.entries() {
                        let line = doc.line_column(span.start).0;
                        if guide.quantity(id).is_none() {
                            let known: Vec<&str> =
                                guide.quantities.iter().map(|own| &*own.id).collect();
                            let known = known.join(", ");
                            let message = format!("`{id}` is no quantity; there are {known}");
                            return Err(error(line, message));
                        }
                        let amount = front_matter::number(amount).filter(|amount| *amount >= 0.0);
                        let amount = amount.ok_or_else(|| {
                            error(line, format!("`{id}` must be a number from 0 on"))
                        })?;
                        config.quantities.insert(id.to_owned(), amount);
                    }
                    if !value.is_map() {
                        return Err(wrong("a map of quantities to numbers"));
                    }
                }
                "frameworks" => {
                    let ids = front_matter::texts(value)
                        .ok_or_else(|| wrong("a list of framework ids"))?;
                    if let Some(id) = ids.iter().find(|id| guide.framework(id).is_none()) {
                        return Err(error(line, unknown_framework(guide, id)));
                    }
                    config.frameworks = ids;
                }
                "severities" if !value.is_map() => {
                    return Err(wrong("a map of guideline ids to severities"));
                }
                "waivers" if !value.is_list() => return Err(wrong("a list of waivers")),
                "severities" => {
                    for (id, span, word) in value.entries() {
                        let line = doc.line_column(span.start).0;
                        if guide.guideline(id).is_none() {
                            return Err(error(
                                line,
                                format!(
                                    "there is no guideline `{id}`; `seawall guide list` shows all"
                                ),
                            ));
                        }
                        let severity = word.as_str().and_then(Severity::parse).ok_or_else(|| {
                            error(line, format!("the severity of `{id}` must be critical, high, medium or low"))
                        })?;
                        config.severities.insert(id.into(), severity);
                    }
                }
                "waivers" => config.waivers = waivers(&doc, value, path, guide)?,
                "cluster" => {
                    let name = value.as_str().filter(|name| !name.is_empty());
                    config.cluster = Some(
                        name.ok_or_else(|| wrong("the name or id of an AKS cluster"))?
                            .into(),
                    );
                }
                "budget" if !value.is_map() => {
                    return Err(wrong("a map such as { money: 500, effort: 10 }"));
                }
                "budget" => {
                    config.budget = Budget::read(value, path)
                        .map_err(|(at, message)| error(doc.line_column(at).0, message))?;
                }
                "serve" if !value.is_map() => {
                    return Err(wrong("a map such as { deny: [critical, high] }"));
                }
                "serve" => {
                    config.serve = Serve::read(value)
                        .map_err(|(at, message)| error(doc.line_column(at).0, message))?;
                }
                "answers" => {
                    config.answers =
                        Given::read(guide, value).map_err(|message| error(line, message))?;
                }
                "jewels" if !value.is_list() => return Err(wrong("a list of jewels")),
                "jewels" => {
                    for item in value.items() {
                        let line = doc.line_column(item.span().start).0;
                        config
                            .jewels
                            .push(jewel(item).map_err(|message| error(line, message))?);
                    }
                }
                _ if params.contains(&key) => {
                    given.insert(key.to_owned(), to_json(value));
                }
                _ => {
                    let known = match nearest(key, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known are: {}", known.join(", ")),
                    };
                    return Err(error(line, format!("unknown key `{key}`; {known}")));
                }
            }
        }
        if !given.is_empty() {
            config.params = Some(serde_json::Value::Object(given).to_string());
        }
        Ok(config)
    }

    /// Whether it sets a key of what guidelines read as `params`.
    #[must_use]
    pub fn sets_param(&self, key: &str) -> bool {
        let params = self.params.as_deref().unwrap_or("{}");
        let params = serde_json::from_str::<serde_json::Value>(params);
        params.is_ok_and(|params| params.get(key).is_some())
    }

    /// Adds keys to what guidelines read as `params`, over those of the same name.
    pub fn add_params(&mut self, more: &serde_json::Value) {
        let known = self.params.as_deref().unwrap_or("{}");
        let mut all: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(known).unwrap_or_default();
        let more = more.as_object().into_iter().flatten();
        all.extend(more.map(|(key, value)| (key.clone(), value.clone())));
        self.params = Some(serde_json::Value::Object(all).to_string());
    }

    /// Adds what the text of [`WAIVERS`] says: a map with `waivers`.
    ///
    /// # Errors
    /// Says the line and what is expected there.
    pub fn accept(&mut self, path: &str, text: &str, guide: &Guide) -> Result<(), ConfigError> {
        if is_blank(text) {
            return Ok(());
        }
        let error = |line, message: &str| ConfigError {
            path: path.into(),
            line,
            message: message.to_owned(),
        };
        let doc = front_matter::read(text, 1).map_err(|(line, message)| error(line, &message))?;
        for (key, span, value) in doc.root().entries() {
            if key != "waivers" || !value.is_list() {
                let line = doc.line_column(span.start).0;
                return Err(error(line, "it holds a list of `waivers` and nothing else"));
            }
            self.waivers.extend(waivers(&doc, value, path, guide)?);
        }
        if !doc.root().is_map() {
            return Err(error(1, "a map with a list of `waivers` is expected"));
        }
        Ok(())
    }
}

/// Whether a text says nothing.
fn is_blank(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// The waivers of a list.
fn waivers(
    doc: &Doc,
    list: Ref<'_>,
    path: &str,
    guide: &Guide,
) -> Result<Vec<Waiver>, ConfigError> {
    let mut waivers = Vec::new();
    for item in list.items() {
        let (source, _) = doc.line_at(item.span().start);
        let line = doc.line_column(item.span().start).0;
        let error = |message| ConfigError {
            path: path.into(),
            line,
            message,
        };
        let waiver = waiver(item, (path, line), source).map_err(error)?;
        if guide.guideline(&waiver.guideline).is_none() {
            return Err(error(format!(
                "a waiver for `{}`, which is no guideline; `seawall guide list` shows all",
                waiver.guideline
            )));
        }
        waivers.push(waiver);
    }
    Ok(waivers)
}

/// `secret:shop/db`, or with a title and a weight.
fn jewel(item: Ref<'_>) -> Result<Wish, String> {
    if let Some(id) = item.as_str() {
        return Ok(Wish {
            id: id.into(),
            title: None,
            weight: USUAL_WEIGHT,
        });
    }
    let fields = Fields::of(item, &["id", "title", "weight"])?;
    let weight = match fields.get("weight") {
        None => USUAL_WEIGHT,
        Some(value) => value
            .as_int()
            .and_then(|weight| u32::try_from(weight).ok())
            .filter(|weight| (1..=100).contains(weight))
            .ok_or("`weight` must be a whole number from 1 to 100")?,
    };
    Ok(Wish {
        id: fields.text("id")?.into(),
        title: fields.get("title").and_then(Ref::as_str).map(Into::into),
        weight,
    })
}

/// The known word that somebody who wrote another most probably means.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    /// Three letters in ten are others.
    const ALIKE: f64 = 0.7;
    let alike = |own: &str| strsim::normalized_damerau_levenshtein(word, own);
    let best = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= ALIKE).then_some(*best)
}

/// What a named jewel is worth where nobody says it: as much as cluster-admin.
const USUAL_WEIGHT: u32 = 10;

/// A severity, or none.
#[must_use]
pub fn parse_floor(word: &str) -> Option<Option<Severity>> {
    if word == "none" {
        Some(None)
    } else {
        Severity::parse(word).map(Some)
    }
}

/// The sentence for a framework that does not exist.
#[must_use]
pub fn unknown_framework(guide: &Guide, id: &str) -> String {
    let known: Vec<&str> = guide
        .frameworks
        .iter()
        .map(|framework| &*framework.id)
        .collect();
    format!(
        "there is no framework `{id}`; known are: {}",
        known.join(", ")
    )
}

fn waiver(item: Ref<'_>, (path, line): (&str, u32), source: &str) -> Result<Waiver, String> {
    let fields = Fields::of(
        item,
        &[
            "guideline",
            "resource",
            "container",
            "reason",
            "owner",
            "until",
        ],
    )?;
    let text = |key| fields.get(key).and_then(Ref::as_str).map(Box::<str>::from);
    let until = text("until");
    if let Some(until) = &until
        && until.parse::<jiff::civil::Date>().is_err()
    {
        return Err(format!(
            "`until: {until}` is no date; write it as 2027-01-31"
        ));
    }
    Ok(Waiver {
        guideline: fields.text("guideline")?.into(),
        resource: text("resource"),
        container: text("container"),
        reason: text("reason").unwrap_or_default(),
        owner: text("owner").unwrap_or_default(),
        until,
        path: path.into(),
        line,
        source: source.into(),
    })
}
