//! What verdicts depend on besides the estate: the version judged against, the configuration that
//! guidelines read, Kubernetes' own roles.

mod default_roles;

use std::collections::{BTreeMap, BTreeSet};

use model::Ref;
use model::doc::{Dialect, Doc, DocBuilder};
use yaml::Limits;

use crate::answers::Answers;
use crate::catalogue::Guide;
use crate::judge::{AksVersions, Setting};

pub use default_roles::default_roles;

/// The newest Kubernetes minor that the guide knows (`data/kubernetes.yaml`): what is judged
/// against when neither the estate nor the user says a version.
#[must_use]
pub fn newest_minor(guide: &Guide) -> u8 {
    guide
        .data
        .get("kubernetes.yaml")
        .and_then(|text| crate::front_matter::read(text, 1).ok())
        .and_then(|doc| crate::parse_minor(doc.root().get("newest")?.as_str()?))
        .unwrap_or_default()
}

/// What AKS supports on a day (ISO date), by `data/kubernetes.yaml`; without a day, on the one on
/// which that table was checked.
#[must_use]
pub fn aks_versions(guide: &Guide, day: Option<&str>) -> AksVersions {
    let mut versions = AksVersions::default();
    let Some(doc) = guide
        .data
        .get("kubernetes.yaml")
        .and_then(|text| crate::front_matter::read(text, 1).ok())
    else {
        return versions;
    };
    let root = doc.root();
    let text = |value: Option<Ref<'_>>| value.and_then(Ref::as_str).map(str::to_owned);
    let Some(day) = day.map(str::to_owned).or_else(|| text(root.get("date"))) else {
        return versions;
    };
    // A month stands for all its days.
    let reached = |from: &str| day.get(..from.len()).is_some_and(|day| day >= from);
    let over = |end: &str| day.get(..end.len()).is_some_and(|day| day > end);
    for minor in root.get("minors").into_iter().flat_map(Ref::items) {
        let aks = |key: &str| text(minor.path(&["aks", key]));
        let Some(name) = text(minor.get("minor")) else {
            continue;
        };
        let ends = [
            (&mut versions.ends, aks("end")),
            (&mut versions.long_term_ends, aks("ltsEnd")),
        ];
        for (all, end) in ends {
            if let Some(end) = end.as_deref().and_then(midnight) {
                all.insert(name.as_str().into(), end);
            }
        }
        if !aks("available").is_some_and(|from| reached(&from)) {
            continue;
        }
        if aks("end").is_some_and(|end| !over(&end)) {
            versions.supported.push(name.as_str().into());
        }
        if aks("ltsEnd").is_some_and(|end| !over(&end)) {
            versions.long_term.push(name.as_str().into());
        }
    }
    versions
}

/// The beginning of a day (ISO date), UTC.
#[must_use]
pub fn midnight(day: &str) -> Option<cel::Timestamp> {
    cel::Timestamp::parse(&format!("{day}T00:00:00Z"))
}

/// The settings of an example or of a plain run.
///
/// # Errors
/// When the parameters do not parse.
pub fn setting(
    guide: &Guide,
    params: Option<&str>,
    kubernetes: Option<u8>,
) -> Result<Setting, String> {
    let (params, set) = params_doc(guide, params)?;
    if let Some(list) = params.root().get("intent") {
        analysis::reach::Intent::read(list)?;
    }
    Ok(Setting {
        kubernetes_minor: kubernetes.unwrap_or_else(|| newest_minor(guide)),
        params,
        set,
        severities: BTreeMap::new(),
        aks: aks_versions(guide, None),
        answers: Answers::default(),
        default_roles: default_roles(guide),
        today: None,
        roots: Vec::new(),
    })
}

/// The configuration that guidelines read: the defaults of `data/params.yaml`, overridden by
/// the keys of `given` (a YAML map).
///
/// # Errors
/// When `given` does not parse or is no map.
pub fn params_doc(guide: &Guide, given: Option<&str>) -> Result<(Doc, BTreeSet<Box<str>>), String> {
    let mut text = String::new();
    let mut set = BTreeSet::new();
    let given_doc = given
        .map(|given| {
            crate::front_matter::read(given, 1)
                .map_err(|(_, message)| format!("in params: {message}"))
        })
        .transpose()?;
    if let Some(doc) = &given_doc {
        if !doc.root().is_map() {
            return Err("params must be a map".to_owned());
        }
        for (key, _, value) in doc.root().entries() {
            set.insert(Box::from(key));
            let json = to_json(value);
            text.push_str(&format!("{}: {json}\n", serde_json::Value::from(key)));
        }
    }
    for param in &guide.params {
        if let Some(default) = &param.default
            && set.insert(param.key.clone())
        {
            text.push_str(&format!("{}: {default}\n", param.key));
        }
    }
    if text.is_empty() {
        text.push_str("{}");
    }
    // Read with the guide's symbols, since programs compare keys by number.
    let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, text.as_str().into(), 1);
    let root = yaml::parse(&text, &Limits::default(), &mut builder)
        .map_err(|error| format!("in params: {}", error.message))?
        .ok_or_else(|| "params are empty".to_owned())?;
    Ok((builder.finish(root), set))
}

/// A value as JSON.
#[must_use]
pub fn to_json(value: Ref<'_>) -> serde_json::Value {
    use cel::{Node as _, View};
    match value.view() {
        View::Null | View::Unknown(_) => serde_json::Value::Null,
        View::Bool(value) => value.into(),
        View::Int(value) => value.into(),
        View::Uint(value) => value.into(),
        View::Double(value) => value.into(),
        View::Str(value) => value.into(),
        View::List(_) => value.items().map(to_json).collect(),
        View::Map(_) => serde_json::Value::Object(
            value
                .entries()
                .map(|(key, _, value)| (key.to_owned(), to_json(value)))
                .collect(),
        ),
    }
}
