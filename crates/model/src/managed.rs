//! Which objects AKS itself makes and keeps: nobody who reads a report can change them.

use crate::resource::ResourceName;
use crate::value::Ref;

/// How they are recognised; the facts stand in `guide/data/provider-managed.yaml`.
#[derive(Debug, Default, Clone)]
pub struct Managed {
    /// Namespaces that AKS owns altogether.
    pub namespaces: Vec<Box<str>>,
    /// Label keys with the values that tell it; no value: any.
    pub labels: Vec<(Box<str>, Vec<Box<str>>)>,
    /// Namespace and name patterns (`coredns*`) of objects that carry no such label.
    pub names: Vec<(Box<str>, Box<str>)>,
}

impl Managed {
    /// Reads the data file's form: `namespaces`, `labels`, `namesInNamespace`.
    #[must_use]
    pub fn from_data(root: Ref<'_>) -> Self {
        let text = |value: Ref<'_>| value.as_str().map(Box::<str>::from);
        let mut managed = Self {
            namespaces: root
                .get("namespaces")
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(text)
                .collect(),
            ..Self::default()
        };
        for label in root.get("labels").into_iter().flat_map(Ref::items) {
            if let Some(key) = label.get("key").and_then(text) {
                let values = label
                    .get("values")
                    .into_iter()
                    .flat_map(Ref::items)
                    .filter_map(text)
                    .collect();
                managed.labels.push((key, values));
            }
        }
        for (namespace, _, names) in root
            .get("namesInNamespace")
            .into_iter()
            .flat_map(Ref::entries)
        {
            managed.names.extend(
                names
                    .items()
                    .filter_map(text)
                    .map(|name| (namespace.into(), name)),
            );
        }
        managed
    }

    /// Whether an object is one of them.
    #[must_use]
    pub fn holds(&self, name: &ResourceName, object: Ref<'_>) -> bool {
        let namespace = match name.kind.name() {
            "Namespace" => Some(&*name.name),
            _ => name.namespace.as_deref(),
        };
        if namespace
            .is_some_and(|namespace| self.namespaces.iter().any(|known| &**known == namespace))
        {
            return true;
        }
        let labels = object.path(&["metadata", "labels"]);
        let labelled = |(key, values): &(Box<str>, Vec<Box<str>>)| {
            labels
                .and_then(|labels| labels.get(key))
                .is_some_and(|value| {
                    values.is_empty()
                        || value
                            .as_str()
                            .is_some_and(|value| values.iter().any(|known| &**known == value))
                })
        };
        // Whoever may write an object may write its labels: within a namespace they count only
        // where AKS puts its own.
        let trusted = namespace
            .is_none_or(|namespace| self.names.iter().any(|(within, _)| &**within == namespace));
        (trusted && self.labels.iter().any(labelled))
            || self.names.iter().any(|(within, pattern)| {
                namespace == Some(within)
                    && name.kind.name() != "Namespace"
                    && matches(pattern, &name.name)
            })
    }
}

/// `*` at the end stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |prefix| name.starts_with(prefix))
}
