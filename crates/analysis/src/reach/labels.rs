//! Labels and the selectors over them, three-valued: a label whose value a template leaves open, or
//! that of a namespace nobody gave, may or may not match.

use std::collections::{BTreeMap, HashMap};

use model::Ref;

use super::bits::{Bits, TriBits};

/// The label that the API server puts on every namespace (`NamespaceDefaultLabelName`,
/// k8s.io/api/core/v1 well-known labels).
pub(crate) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The labels of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Labels {
    /// `None`: the source leaves the value open.
    pub(crate) known: BTreeMap<Box<str>, Option<Box<str>>>,
    /// There may be others: they were not given.
    pub(crate) open: bool,
}

impl Labels {
    pub(crate) fn read(labels: Option<Ref<'_>>) -> Self {
        let Some(labels) = labels else {
            return Self::default();
        };
        Self {
            known: labels
                .entries()
                .map(|(key, _, value)| (key.into(), value.as_str().map(Into::into)))
                .collect(),
            open: labels.is_open(),
        }
    }
}

/// One condition of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) key: Box<str>,
    pub(crate) operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operator {
    In(Vec<Box<str>>),
    NotIn(Vec<Box<str>>),
    Exists,
    DoesNotExist,
    /// The source leaves open what is asked for.
    Open,
    /// No operator that the API server accepts: matches nothing.
    Invalid,
}

/// A label selector; an empty one matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selector(pub(crate) Vec<Requirement>);

impl Selector {
    pub(crate) fn read(selector: Ref<'_>) -> Self {
        if selector.is_open() {
            return Self(vec![Requirement {
                key: "".into(),
                operator: Operator::Open,
            }]);
        }
        let plain = selector
            .get("matchLabels")
            .into_iter()
            .flat_map(Ref::entries)
            .map(|(key, _, value)| Requirement {
                key: key.into(),
                operator: match value.as_str() {
                    Some(value) => Operator::In(vec![value.into()]),
                    None => Operator::Open,
                },
            });
        let expressions = selector
            .get("matchExpressions")
            .into_iter()
            .flat_map(Ref::items)
            .map(expression);
        Self(plain.chain(expressions).collect())
    }
}

fn expression(expression: Ref<'_>) -> Requirement {
    let values = || -> Option<Vec<Box<str>>> {
        expression.get("values").map_or_else(
            || Some(Vec::new()),
            |values| {
                if values.is_open() {
                    return None;
                }
                values
                    .items()
                    .map(|value| value.as_str().map(Into::into))
                    .collect()
            },
        )
    };
    let key = expression.get("key").and_then(Ref::as_str);
    let operator = match expression.get("operator").map(Ref::as_str) {
        Some(Some("In")) => values().map_or(Operator::Open, Operator::In),
        Some(Some("NotIn")) => values().map_or(Operator::Open, Operator::NotIn),
        Some(Some("Exists")) => Operator::Exists,
        Some(Some("DoesNotExist")) => Operator::DoesNotExist,
        Some(None) => Operator::Open,
        _ => Operator::Invalid,
    };
    Requirement {
        operator: if key.is_none() && expression.get("key").is_some_and(Ref::is_open) {
            Operator::Open
        } else {
            operator
        },
        key: key.unwrap_or_default().into(),
    }
}

/// Which of a numbered list of objects have which labels, so that a selector costs what it finds.
#[derive(Debug, Default)]
pub(crate) struct Index {
    size: usize,
    keys: HashMap<Box<str>, Key>,
    /// Objects that may have labels nobody gave.
    open: Vec<u32>,
}

#[derive(Debug, Default)]
struct Key {
    /// everything that has the key, whatever its value
    has: Vec<u32>,
    /// of those, the ones whose value is open
    open: Vec<u32>,
    values: HashMap<Box<str>, Vec<u32>>,
}

impl Index {
    pub(crate) fn new<'l>(size: usize, labels: impl Iterator<Item = (usize, &'l Labels)>) -> Self {
        let mut index = Self {
            size,
            ..Self::default()
        };
        for (at, labels) in labels {
            let at = at as u32;
            if labels.open {
                index.open.push(at);
            }
            for (key, value) in &labels.known {
                let key = index.keys.entry(key.clone()).or_default();
                key.has.push(at);
                match value {
                    Some(value) => key.values.entry(value.clone()).or_default().push(at),
                    None => key.open.push(at),
                }
            }
        }
        index
    }

    /// Those that a selector matches, out of `among`.
    pub(crate) fn select(&self, selector: &Selector, among: &TriBits) -> TriBits {
        let mut selected = among.clone();
        for requirement in &selector.0 {
            let (values, negated) = match &requirement.operator {
                Operator::In(values) => (Some(values), false),
                Operator::NotIn(values) => (Some(values), true),
                Operator::Exists => (None, false),
                Operator::DoesNotExist => (None, true),
                Operator::Open => {
                    selected.sure = Bits::none(self.size);
                    continue;
                }
                Operator::Invalid => return TriBits::none(self.size),
            };
            let matching = self.matching(&requirement.key, values.map(Vec::as_slice));
            if negated {
                selected.minus(&matching);
            } else {
                selected.and(&matching);
            }
        }
        selected
    }

    /// Those that have a key, with one of these values where some are given.
    fn matching(&self, key: &str, values: Option<&[Box<str>]>) -> TriBits {
        let mut matching = TriBits::none(self.size);
        let known = self.keys.get(key);
        if let Some(known) = known {
            match values {
                None => {
                    for at in &known.has {
                        matching.sure.set(*at as usize);
                    }
                }
                Some(values) => {
                    for at in values
                        .iter()
                        .filter_map(|value| known.values.get(value))
                        .flatten()
                    {
                        matching.sure.set(*at as usize);
                    }
                    for at in &known.open {
                        matching.may.set(*at as usize);
                    }
                }
            }
        }
        matching.may.or(&matching.sure);
        // What nobody gave may have the key, unless it is known to have it with another value.
        let known = known.map(|known| &known.has);
        for at in &self.open {
            if known.is_none_or(|known| known.binary_search(at).is_err()) {
                matching.may.set(*at as usize);
            }
        }
        matching
    }
}
