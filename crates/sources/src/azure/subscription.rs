//! One subscription, type by type: what is read, what was read to the end, what was not.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use model::azure::type_of_id;
use serde_json::{Value, json};

use super::clean::clean;
use super::client::{Client, Failure, Listed};
use super::graph::{self, Inventory};
use super::permissions::Permissions;
use super::principals::Principals;
use super::table::{How, ROLE_DEFINITIONS, Row, SUBSCRIPTION};
use super::versions::{Versions, rejects_version};
use crate::live::{Event, Object, Of, Unread};

/// So many requests are under way at once.
const AT_ONCE: usize = 8;
/// Resources that a list left out are looked at one by one, as many as this.
const MOST_LEFT_OUT: usize = 200;

/// A subscription while it is read.
pub(crate) struct Subscription<'c, 't> {
    arm: &'c Client<'t>,
    /// `/subscriptions/{id}`
    pub(crate) scope: String,
    versions: Versions,
    permissions: Permissions,
    inventory: Inventory,
    /// What children are read of, by type in lower case.
    parents: BTreeMap<String, Vec<Parent>>,
    /// Types of which everything in the subscription was read.
    pub(crate) complete: BTreeSet<&'static str>,
}

/// What is remembered of a resource that others belong to.
struct Parent {
    id: String,
    /// The SKU's name.
    sku: String,
}

/// What reading a type came to.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) objects: Vec<(String, Value)>,
    pub(crate) events: Vec<Event>,
}

impl<'c, 't> Subscription<'c, 't> {
    /// Asks what there is and what the caller may do.
    pub(crate) async fn open(arm: &'c Client<'t>, id: &str) -> (Self, Vec<Event>) {
        let scope = format!("/subscriptions/{id}");
        let mut events = Vec::new();
        let providers = get_list(arm, &format!("{scope}/providers?api-version=2022-12-01")).await;
        if let Some(failure) = &providers.failure {
            events.push(gap(
                "Microsoft.Resources/providers",
                &scope,
                &format!("{scope}/providers"),
                failure,
                "Microsoft.Resources/subscriptions/providers/read",
            ));
        }
        let permissions = Permissions::read(arm, &scope).await;
        if let Some(failure) = &permissions.failure {
            events.push(gap(
                "Microsoft.Authorization/permissions",
                &scope,
                &format!("{scope}/providers/Microsoft.Authorization/permissions"),
                failure,
                "Microsoft.Authorization/permissions/read",
            ));
        }
        let inventory = graph::inventory(arm, id).await;
        if let Some(failure) = &inventory.failure {
            events.push(gap(
                "Microsoft.ResourceGraph/resources",
                &scope,
                "/providers/Microsoft.ResourceGraph/resources",
                failure,
                "Microsoft.ResourceGraph/resources/read",
            ));
        }
        let own = Parent {
            id: scope.clone(),
            sku: String::new(),
        };
        let subscription = Self {
            arm,
            versions: Versions::of(&providers.items),
            permissions,
            inventory,
            parents: BTreeMap::from([(SUBSCRIPTION.to_ascii_lowercase(), vec![own])]),
            complete: BTreeSet::new(),
            scope,
        };
        (subscription, events)
    }

    /// The types that the subscription has and nobody reads.
    pub(crate) fn others(&self, rows: &[&Row]) -> Vec<Event> {
        let read: BTreeSet<String> = rows
            .iter()
            .map(|row| row.kind.to_ascii_lowercase())
            .collect();
        self.inventory
            .by_type
            .keys()
            .filter(|kind| kind.contains('/') && !read.contains(*kind))
            .map(|kind| Event::Other {
                api_version: self.scope.trim_start_matches('/').into(),
                kind: kind.as_str().into(),
            })
            .collect()
    }

    /// Reads a type.
    pub(crate) async fn row(&mut self, row: &'static Row) -> Told {
        let mut told = Told::default();
        if !self.versions.registered(row.kind) {
            self.done(row, &mut told);
            return told;
        }
        match row.how {
            How::Listed(query) => self.listed(row, query, None, &mut told).await,
            How::ListedOf(kinds) => self.listed(row, "", Some(kinds), &mut told).await,
            How::Indexed => self.indexed(row, &mut told).await,
            How::Inside(_) => {
                let parent = row.parent().unwrap_or_default();
                if self.complete.contains(parent) {
                    self.done(row, &mut told);
                } else {
                    let parents = [parent];
                    let each = self.of_types(&parents);
                    told.events.extend(each.map(|one| complete(row, &one.id)));
                }
            }
            How::Below | How::Single(_) => {
                let parents: Vec<&str> = row.parent().into_iter().collect();
                self.attached(row, &parents, &mut told).await;
            }
            How::On(kinds) => self.attached(row, kinds, &mut told).await,
            How::SingleOn(_) => {
                self.attached(row, &[super::table::CLUSTERS], &mut told)
                    .await
            }
        }
        told.objects
            .sort_by_cached_key(|(id, _)| id.to_ascii_lowercase());
        told.objects
            .dedup_by(|one, two| one.0.eq_ignore_ascii_case(&two.0));
        for (id, value) in &told.objects {
            self.remember(row, id, value);
        }
        told
    }

    /// Everything of the type in the subscription is known.
    fn done(&mut self, row: &'static Row, told: &mut Told) {
        if row.whole() {
            self.complete.insert(row.kind);
            told.events.push(complete(row, &self.scope));
        }
    }

    fn remember(&mut self, row: &Row, id: &str, value: &Value) {
        let sku = value.pointer("/sku/name").and_then(Value::as_str);
        let parent = Parent {
            id: id.to_owned(),
            sku: sku.unwrap_or_default().to_owned(),
        };
        self.parents
            .entry(row.kind.to_ascii_lowercase())
            .or_default()
            .push(parent);
        // Pools stand in the cluster and have children of their own.
        for inside in super::table::rows() {
            let How::Inside(list) = inside.how else {
                continue;
            };
            if inside.parent() != Some(row.kind) {
                continue;
            }
            let items = value
                .pointer(&format!("/properties/{list}"))
                .and_then(Value::as_array);
            let names = items
                .into_iter()
                .flatten()
                .filter_map(|item| item.get("name").and_then(Value::as_str))
                .filter(|name| is_segment(name));
            let children = names.map(|name| Parent {
                id: format!("{id}/{}/{name}", inside.own()),
                sku: String::new(),
            });
            self.parents
                .entry(inside.kind.to_ascii_lowercase())
                .or_default()
                .extend(children);
        }
    }

    async fn listed(
        &mut self,
        row: &'static Row,
        query: &str,
        only: Option<&[&str]>,
        told: &mut Told,
    ) {
        let path = format!("{}/providers/{}", self.scope, row.kind);
        let (version, listed) = self.list(row, &path, query).await;
        let mut failure = listed.failure;
        let mut listed_ids = BTreeSet::new();
        for item in listed.items {
            match self.accept(row, &version, None, item) {
                Ok((id, value)) => {
                    listed_ids.insert(id.to_ascii_lowercase());
                    told.objects.push((id, value));
                }
                Err(wrong) => failure = Some(wrong),
            }
        }
        if let Some(kinds) = only {
            let kept: Vec<String> = self
                .of_types(kinds)
                .map(|parent| parent.id.to_ascii_lowercase())
                .collect();
            told.objects.retain(|(id, _)| {
                let id = id.to_ascii_lowercase();
                kept.iter().any(|parent| {
                    id.strip_prefix(parent.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
                })
            });
        } else {
            // What Resource Graph shows and the list does not.
            let left_out: Vec<String> = self
                .inventory
                .by_type
                .get(&row.kind.to_ascii_lowercase())
                .into_iter()
                .flatten()
                .filter(|id| !listed_ids.contains(&id.to_ascii_lowercase()))
                .take(MOST_LEFT_OUT)
                .cloned()
                .collect();
            let there = self.one_by_one(row, &left_out, told).await;
            if there && failure.is_none() {
                failure = Some(Failure::of("the list leaves out resources that exist"));
            }
        }
        match failure {
            Some(failure) => told.events.push(refused(row, &self.scope, &path, &failure)),
            None => match self.permissions.allow(&row.action()) {
                Some(true) => {
                    self.done(row, told);
                    if let Some(kinds) = only {
                        let each = self.of_types(kinds);
                        told.events
                            .extend(each.map(|parent| complete(row, &parent.id)));
                    }
                }
                // Resource Manager may answer with the part that can be read.
                Some(false) => told.events.push(refused(
                    row,
                    &self.scope,
                    &path,
                    &Failure::of("the right to read holds for a part of the subscription only"),
                )),
                None => told.events.push(refused(
                    row,
                    &self.scope,
                    &path,
                    &Failure::of("whether the list is whole cannot be known without the right to see one's own rights"),
                )),
            },
        }
    }

    async fn indexed(&mut self, row: &'static Row, told: &mut Told) {
        let path = format!("{}/resources", self.scope);
        let address = format!(
            "{path}?$filter=resourceType%20eq%20%27{}%27&api-version=2021-04-01",
            row.kind
        );
        let index = get_list(self.arm, &address).await;
        let mut failure = index.failure;
        let mut ids = Vec::new();
        for item in &index.items {
            match item.get("id").and_then(Value::as_str) {
                Some(id) if self.is_own(row, id) => ids.push(id.to_owned()),
                _ => failure = Some(Failure::of("the list holds something that is no resource")),
            }
        }
        self.one_by_one(row, &ids, told).await;
        let allowed = self.permissions.allow(&row.action());
        if failure.is_none() && allowed != Some(true) {
            failure = Some(Failure::of(
                "the index shows only what may be read, and there is no right for the whole subscription",
            ));
        }
        match failure {
            Some(failure) => told.events.push(refused(row, &self.scope, &path, &failure)),
            None => self.done(row, told),
        }
    }

    /// Reads resources by their ids; true when there was any.
    async fn one_by_one(&self, row: &'static Row, ids: &[String], told: &mut Told) -> bool {
        let read: Vec<(String, String, Result<Value, Failure>)> = stream::iter(ids)
            .map(|id| async move {
                let (version, value) = self.single(row, id).await;
                (id.clone(), version, value)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut any = false;
        for (asked, version, value) in read {
            let value = value.and_then(|value| self.accept(row, &version, Some(&asked), value));
            match value {
                Ok((id, value)) => {
                    any = true;
                    told.objects.push((id, value));
                }
                // Deleted meanwhile: Resource Graph lags behind.
                Err(failure) if failure.status == 404 => {}
                Err(failure) => {
                    any = true;
                    told.events.push(refused(row, &asked, &asked, &failure));
                }
            }
        }
        any
    }

    /// What hangs on resources, or is a child of them.
    async fn attached(&mut self, row: &'static Row, parents: &[&str], told: &mut Told) {
        let whole = parents
            .iter()
            .all(|kind| *kind == SUBSCRIPTION || self.complete.contains(kind));
        let ids: Vec<String> = self
            .of_types(parents)
            .filter(|parent| suits(row, parent))
            .map(|parent| parent.id.clone())
            .collect();
        let read: Vec<(String, String, String, Listed)> = stream::iter(&ids)
            .map(|id| {
                let this = &*self;
                async move {
                    let path = match row.how {
                        How::On(_) | How::SingleOn(_) => format!("{id}/providers/{}", row.kind),
                        _ => format!("{id}/{}", row.own()),
                    };
                    let (version, listed) = match row.how {
                        How::Single(name) | How::SingleOn(name) => {
                            let (version, value) =
                                this.single(row, &format!("{path}/{name}")).await;
                            (version, one(value))
                        }
                        _ => this.list(row, &path, "").await,
                    };
                    (id.clone(), path, version, listed)
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut all = true;
        let mut completed = Vec::new();
        for (id, path, version, listed) in read {
            let mut failure = listed.failure;
            for item in listed.items {
                let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
                let child = name
                    .filter(|name| is_segment(name))
                    .map(|name| format!("{path}/{name}"));
                match self.accept(row, &version, child.as_deref(), item) {
                    Ok(read) => told.objects.push(read),
                    Err(wrong) => failure = Some(wrong),
                }
            }
            if let Some(failure) = failure {
                all = false;
                told.events.push(refused(row, &id, &path, &failure));
            } else if id != self.scope {
                completed.push(complete(row, &id));
            }
        }
        if all && whole && row.whole() {
            self.done(row, told);
        } else {
            told.events.extend(completed);
        }
    }

    fn of_types<'s>(&'s self, kinds: &'s [&str]) -> impl Iterator<Item = &'s Parent> {
        kinds.iter().flat_map(|kind| {
            self.parents
                .get(&kind.to_ascii_lowercase())
                .into_iter()
                .flatten()
        })
    }

    /// A list in the version of its type, and in another one when that is rejected.
    async fn list(&self, row: &Row, path: &str, query: &str) -> (String, Listed) {
        let mut tried = BTreeSet::new();
        let mut version = self.versions.choose(row.kind, row.version);
        loop {
            let more = if query.is_empty() { "" } else { "&" };
            let address = format!("{path}?{query}{more}api-version={version}");
            let listed = get_list(self.arm, &address).await;
            match self.next_version(row, &mut tried, &version, listed.failure.as_ref()) {
                Some(next) => version = next,
                None => return (version, listed),
            }
        }
    }

    async fn single(&self, row: &Row, path: &str) -> (String, Result<Value, Failure>) {
        let mut tried = BTreeSet::new();
        let mut version = self.versions.choose(row.kind, row.version);
        loop {
            let address = self.arm.address(&format!("{path}?api-version={version}"));
            let value = match address {
                Ok(url) => self.arm.get(&url).await,
                Err(failure) => Err(failure),
            };
            match self.next_version(row, &mut tried, &version, value.as_ref().err()) {
                Some(next) => version = next,
                None => return (version, value),
            }
        }
    }

    fn next_version(
        &self,
        row: &Row,
        tried: &mut BTreeSet<String>,
        version: &str,
        failure: Option<&Failure>,
    ) -> Option<String> {
        let failure = failure.filter(|failure| rejects_version(&failure.code))?;
        tried.insert(version.to_owned());
        if tried.len() > 3 {
            return None;
        }
        self.versions
            .after_rejection(row.kind, tried, &failure.message)
    }

    /// Whether an id is one of the type, in this subscription.
    fn is_own(&self, row: &Row, id: &str) -> bool {
        let lower = id.to_ascii_lowercase();
        lower.starts_with(&format!("{}/", self.scope.to_ascii_lowercase())) && is_of(row, id)
    }

    /// A resource as it is told: with its id, its type and the version it was read with, without what
    /// must not be kept. `path` is the id that follows from where it was asked for.
    fn accept(
        &self,
        row: &Row,
        version: &str,
        path: Option<&str>,
        mut value: Value,
    ) -> Result<(String, Value), Failure> {
        let wrong = || Failure::of("the answer holds something that is no resource of this type");
        let map = value.as_object_mut().ok_or_else(wrong)?;
        let says = map.get("id").and_then(Value::as_str).unwrap_or_default();
        // Some providers leave the first slash out, or say an id of another form.
        let says = format!("/{}", says.trim_start_matches('/'));
        let inherited =
            matches!(row.how, How::Listed(_)) && row.kind.starts_with("Microsoft.Authorization/");
        let id = match path {
            Some(path) if !says.eq_ignore_ascii_case(path) => path.to_owned(),
            Some(_) => says,
            None if inherited && is_of(row, &says) => says,
            None if self.is_own(row, &says) => says,
            None => return Err(wrong()),
        };
        map.insert("id".to_owned(), json!(id));
        map.insert("type".to_owned(), json!(row.kind));
        map.insert("apiVersion".to_owned(), json!(version));
        if row.own() == "tables" {
            // Hundreds of columns each, which say nothing of who sees them or how long.
            if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove("schema");
            }
        }
        clean(row.kind, &mut value);
        Ok((id, value))
    }

    /// A role that an assignment names and that is not the subscription's own.
    pub(crate) async fn role(&self, row: &'static Row, guid: &str) -> Told {
        let mut told = Told::default();
        let path = format!("{}/providers/{ROLE_DEFINITIONS}/{guid}", self.scope);
        let (version, value) = self.single(row, &path).await;
        match value.and_then(|value| self.accept(row, &version, Some(&path), value)) {
            Ok(read) => told.objects.push(read),
            Err(failure) => told.events.push(refused(row, &path, &path, &failure)),
        }
        told
    }
}

/// Whether children of a type exist for a resource: only the newer Front Door has them.
fn suits(row: &Row, parent: &Parent) -> bool {
    !row.kind.starts_with("Microsoft.Cdn/profiles/")
        || !parent
            .id
            .to_ascii_lowercase()
            .contains("/microsoft.cdn/profiles/")
        || parent.sku.is_empty()
        || parent.sku.to_ascii_lowercase().contains("azurefrontdoor")
}

/// A single resource as a list: absent is empty.
fn one(value: Result<Value, Failure>) -> Listed {
    match value {
        Ok(value) => Listed {
            items: vec![value],
            failure: None,
        },
        Err(failure) if failure.status == 404 && failure.code.ends_with("NotFound") => {
            Listed::default()
        }
        Err(failure) => Listed {
            items: Vec::new(),
            failure: Some(failure),
        },
    }
}

/// Whether a text can stand between two slashes of an id.
fn is_segment(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 300
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|c| matches!(c, '/' | '?' | '#' | '%' | '\\' | '{' | '}') || c.is_control())
}

fn is_of(row: &Row, id: &str) -> bool {
    id.split('/').skip(1).all(is_segment)
        && type_of_id(id).is_some_and(|kind| kind.eq_ignore_ascii_case(row.kind))
}

async fn get_list(arm: &Client<'_>, address: &str) -> Listed {
    match arm.address(address) {
        Ok(url) => arm.list(url).await,
        Err(failure) => Listed {
            items: Vec::new(),
            failure: Some(failure),
        },
    }
}

fn complete(row: &Row, within: &str) -> Event {
    Event::Complete {
        kind: row.kind.into(),
        within: within.into(),
    }
}

/// A type that was not read, or not to the end.
fn refused(row: &Row, within: &str, address: &str, failure: &Failure) -> Event {
    gap(row.kind, within, address, failure, &row.action())
}

pub(crate) fn gap(
    kind: &str,
    within: &str,
    address: &str,
    failure: &Failure,
    action: &str,
) -> Event {
    let verb = if failure.refused() {
        "Azure refused to show"
    } else {
        "Azure did not show all"
    };
    Event::Gap(Unread {
        kind: kind.into(),
        within: within.into(),
        address: address.into(),
        why: format!("{verb} {kind} ({})", failure.shown()).into(),
        help: failure.refused().then(|| {
            format!("assign the role in deploy/azure there: it has the right `{action}`").into()
        }),
        by_choice: false,
    })
}

/// The event of an object.
pub(crate) fn object(id: &str, value: &Value) -> Event {
    Event::Object(Object {
        of: Of::Azure,
        address: id.into(),
        json: value.to_string(),
    })
}

/// Learns whose identity is whose.
pub(crate) fn learn(principals: &mut Principals, told: &Told, row: &Row) {
    for (id, value) in &told.objects {
        principals.learn(row.kind, id, value);
    }
}
