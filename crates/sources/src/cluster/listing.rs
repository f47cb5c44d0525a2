//! Lists of a kind to the end, a page at a time; namespace by namespace where the whole is refused.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ask::{Asker, Trouble};
use super::discovery::Served;

/// An object as the API gives it in a list.
pub(super) type Item = Map<String, Value>;

/// A part of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) metadata: PageMeta,
    #[serde(default)]
    pub(super) items: Option<Vec<Item>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageMeta {
    /// What asks for the next part; empty at the end.
    #[serde(default, rename = "continue")]
    pub(super) go_on: String,
    /// What the list is as of.
    #[serde(default)]
    pub(super) resource_version: String,
}

/// One list.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'l> {
    pub(super) served: &'l Served,
    /// Empty: everywhere.
    pub(super) namespace: &'l str,
    pub(super) page: u32,
    pub(super) accept: &'static str,
    /// Empty: all.
    pub(super) field_selector: &'l str,
}

/// Whole objects.
pub(super) const OBJECTS: &str = "application/json";
/// Nothing but what stands under `metadata`.
pub(super) const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// How often an expired list is begun again.
const RESTARTS: u32 = 3;

impl List<'_> {
    /// The address of the list.
    pub(super) fn address(&self) -> String {
        let base = self.served.base();
        let resource = &self.served.resource;
        if self.namespace.is_empty() {
            format!("{base}/{resource}")
        } else {
            format!("{base}/namespaces/{}/{resource}", self.namespace)
        }
    }

    /// The address of one of its objects.
    pub(super) fn address_of(&self, item: &Item) -> String {
        let (namespace, name) = names(item);
        let base = self.served.base();
        let resource = &self.served.resource;
        if namespace.is_empty() {
            format!("{base}/{resource}/{name}")
        } else {
            format!("{base}/namespaces/{namespace}/{resource}/{name}")
        }
    }

    fn path(&self, go_on: &str) -> String {
        let mut path = format!("{}?limit={}", self.address(), self.page);
        for (key, value) in [("fieldSelector", self.field_selector), ("continue", go_on)] {
            if !value.is_empty() {
                let _ = write!(path, "&{key}={}", escaped(value));
            }
        }
        path
    }

    /// One page: the first, or the one that `go_on` stands for.
    pub(super) async fn part(&self, asker: &Asker, go_on: &str) -> Result<Page, Trouble> {
        let text = asker.fetch(&self.path(go_on), self.accept).await?;
        serde_json::from_str(&text).map_err(|error| Trouble::Refused {
            status: 200,
            message: format!("the answer is no list: {error}"),
            go_on: None,
        })
    }

    /// What tells the changes from a version on.
    pub(super) fn watch_path(&self, version: &str, seconds: u64) -> String {
        let mut path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
            self.address(),
            escaped(version)
        );
        if !self.field_selector.is_empty() {
            let _ = write!(path, "&fieldSelector={}", escaped(self.field_selector));
        }
        path
    }

    /// Reads every page. `tell` stops it by returning an error.
    pub(super) fn read<E>(
        &self,
        asker: &Asker,
        tell: &mut dyn FnMut(Item) -> Result<(), E>,
    ) -> Result<Result<(), Trouble>, E> {
        let mut again = false;
        let mut go_on = String::new();
        let mut last = String::new();
        let mut restarts = 0;
        loop {
            let page = match asker.wait(self.part(asker, &go_on)) {
                Ok(page) => page,
                // The list took longer than the server keeps its past (`etcd` compacts after five
                // minutes). It gives a token that goes on with what is there now; without one the
                // list is begun again, and what was told stays told.
                Err(Trouble::Refused {
                    status: 410,
                    message,
                    go_on: next,
                }) => {
                    restarts += 1;
                    if restarts > RESTARTS {
                        return Ok(Err(Trouble::Refused {
                            status: 410,
                            message,
                            go_on: None,
                        }));
                    }
                    go_on = next.unwrap_or_default();
                    again |= go_on.is_empty();
                    continue;
                }
                Err(trouble) => return Ok(Err(trouble)),
            };
            for item in page.items.unwrap_or_default() {
                // Lists are in the order of etcd's keys: `namespace/name`.
                let (namespace, name) = names(&item);
                let key = format!("{namespace}/{name}");
                if !again || key > last {
                    last = key;
                    tell(item)?;
                }
            }
            go_on = page.metadata.go_on;
            if go_on.is_empty() {
                return Ok(Ok(()));
            }
        }
    }
}

/// Namespace and name.
pub(super) fn names(item: &Item) -> (&str, &str) {
    let text = |key: &str| {
        item.get("metadata")
            .and_then(|metadata| metadata.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    (text("namespace"), text("name"))
}

/// A value of a query.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(byte as char);
            }
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
