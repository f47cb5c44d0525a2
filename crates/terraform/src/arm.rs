//! azurerm's and azapi's resources as Azure Resource Manager has them, by the table: from here
//! on everything is as for a Bicep file. What the table does not map is listed, never dropped
//! silently.

mod rules;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use bicep::deployment::Resource as ArmResource;
use bicep::source::Span;
use bicep::value::{Data, Value};
use bumpalo::Bump;

use crate::identity::{self, Piece, azapi_type};
use crate::json::Values;
use crate::lower::Place;
use crate::output::{Out, Reading, Resource};
use crate::table::{Id, Kind, Table};
use rules::{Child, Rest};
use tree::Tree;
pub(crate) use tree::words as tree_words;

/// What azapi writes beside the body.
const AZAPI: &[(&str, &str)] = &[("location", "location"), ("tags", "tags")];

/// Providers whose resources lie nowhere but in Terraform's state or on the machine that runs it.
const NOWHERE: &[&str] = &[
    "archive",
    "cloudinit",
    "local",
    "null",
    "random",
    "template",
    "terraform",
    "time",
    "tls",
];

/// An argument that the table does not map: what it sets in Azure is not known.
#[derive(Debug, Clone, Copy)]
pub struct Unmapped<'a> {
    /// The resource.
    pub address: &'a str,
    /// Its type: `azurerm_subnet`.
    pub kind: &'a str,
    /// The argument, with the blocks that it stands in: `network_profile.x`; nothing when the
    /// whole type is not in the table.
    pub argument: &'a str,
    /// It is of another provider than azurerm and azapi.
    pub foreign: bool,
    /// Where it stands.
    pub span: Span,
}

/// Azure's view of a configuration or plan.
#[derive(Debug, Default)]
pub struct Mapped<'a> {
    /// In the order of the configuration; a child that is written as a block follows its parent.
    pub resources: Vec<ArmResource<'a>>,
    /// What is not mapped.
    pub unmapped: Vec<Unmapped<'a>>,
    /// What says something of each resource.
    pub(crate) origins: Vec<Vec<Origin>>,
}

/// What says something of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Its number among the resources as Terraform has them.
    pub(crate) resource: usize,
    /// Where the block stands in it that makes a resource of its own.
    pub(crate) block: Option<Span>,
}

/// A resource that can still be changed by another.
struct Work<'a> {
    made: ArmResource<'a>,
    tree: Tree<'a>,
    origins: Vec<Origin>,
}

/// What says something of another resource.
struct Patch<'a> {
    target: Piece<'a>,
    kind: &'a str,
    api: &'a str,
    append: Option<&'a str>,
    tree: Tree<'a>,
    from: Resource<'a>,
    /// The number of that resource.
    number: usize,
}

struct Mapper<'a, 't> {
    arena: &'a Bump,
    table: &'t Table,
    /// Texts of `jsonencode` and what they encode.
    encoded: &'t BTreeMap<&'a str, Value<'a>>,
    versions: (u64, u64),
    works: Vec<Work<'a>>,
    /// Where resources stand in `works`, by their ids in lower case; what is made before what
    /// is only named.
    places: BTreeMap<String, usize>,
    patches: Vec<Patch<'a>>,
    unmapped: Vec<Unmapped<'a>>,
    /// Types of other providers that are listed.
    foreign: BTreeSet<&'a str>,
    /// The number of the resource that is being mapped.
    number: usize,
}

/// Maps what was read.
pub(crate) fn map<'a>(
    arena: &'a Bump,
    table: &Table,
    reading: &Reading<'a>,
    encoded: &BTreeMap<&'a str, Value<'a>>,
) -> Mapped<'a> {
    let mut mapper = Mapper {
        arena,
        table,
        encoded,
        versions: reading.azurerm,
        works: Vec::new(),
        places: BTreeMap::new(),
        patches: Vec::new(),
        unmapped: Vec::new(),
        foreign: BTreeSet::new(),
        number: 0,
    };
    for (number, resource) in reading.resources.iter().enumerate() {
        mapper.number = number;
        mapper.resource(resource);
    }
    for patch in std::mem::take(&mut mapper.patches) {
        mapper.patch(patch);
    }
    let (mut resources, mut origins) = (Vec::new(), Vec::new());
    for work in mapper.works {
        resources.push(ArmResource {
            body: work.tree.freeze(arena, 0),
            ..work.made
        });
        origins.push(work.origins);
    }
    Mapped {
        resources,
        unmapped: mapper.unmapped,
        origins,
    }
}

impl<'a> Mapper<'a, '_> {
    fn resource(&mut self, resource: &Resource<'a>) {
        match resource.kind {
            "azapi_resource" | "azapi_update_resource" | "azapi_data_plane_resource" => {
                self.azapi(resource);
            }
            kind => match self.table.kinds.get(kind) {
                Some(kind) => self.azurerm(resource, kind),
                None => self.unknown_kind(resource),
            },
        }
    }

    /// Each resource that lies in Azure is missed; of another provider each type, once.
    fn unknown_kind(&mut self, resource: &Resource<'a>) {
        let provider = resource.kind.split('_').next().unwrap_or_default();
        let foreign = !matches!(provider, "azurerm" | "azapi");
        let missed = if foreign {
            !NOWHERE.contains(&provider) && self.foreign.insert(resource.kind)
        } else {
            !resource.existing
        };
        if missed {
            self.unmapped.push(Unmapped {
                address: resource.address,
                kind: resource.kind,
                argument: "",
                foreign,
                span: resource.span,
            });
        }
    }

    fn azurerm(&mut self, resource: &Resource<'a>, kind: &Kind) {
        let get = |name: &str| resource.body.get(name).and_then(Piece::of_value);
        if kind.arm.is_empty() {
            return;
        }
        let mut tree = Tree::object(resource.body.span);
        let mut rest = Rest {
            arena: self.arena,
            encoded: self.encoded,
            versions: self.versions,
            resource: *resource,
            own: resource.id.unwrap_or(resource.address),
            children: Vec::new(),
            unmapped: Vec::new(),
        };
        if let Id::Patch(argument) | Id::PatchNamed(argument) = &kind.id {
            return self.association(resource, kind, argument, rest, tree);
        }
        let name = identity::name(kind, resource.address, &get);
        let composed = identity::id(self.arena, kind, resource.address, resource.provider, &get);
        let own = resource
            .body
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| id.starts_with('/'));
        let id = own.map(str::to_owned).or(composed.map(|id| id.text));
        let Some(id) = id else {
            return;
        };
        self.head(&mut tree, &kind.arm, &kind.api, &name, resource);
        if !resource.existing {
            if let Data::Unknown(_) = resource.body.data {
                tree.set(
                    self.arena,
                    "properties",
                    resource.span,
                    Tree::Leaf(resource.body),
                );
            }
            rest.identified(kind);
            rest.apply(&kind.body, &resource.body, resource.span, &mut tree, "");
        }
        self.unmapped.append(&mut rest.unmapped);
        let id: &'a str = self.arena.alloc_str(&id);
        let name: &'a str = self.arena.alloc_str(&name.text);
        let kind_name: &'a str = self.arena.alloc_str(&kind.arm);
        let api: &'a str = self.arena.alloc_str(&kind.api);
        self.push(resource, id, kind_name, api, name, tree);
        for child in rest.children {
            self.child(resource, id, kind_name, api, name, child);
        }
    }

    /// What only says something of another resource.
    fn association(
        &mut self,
        resource: &Resource<'a>,
        kind: &Kind,
        argument: &str,
        mut rest: Rest<'a, '_>,
        mut tree: Tree<'a>,
    ) {
        let get = |name: &str| resource.body.get(name).and_then(Piece::of_value);
        rest.identified(kind);
        rest.apply(&kind.body, &resource.body, resource.span, &mut tree, "");
        let target = match kind.id {
            Id::Patch(_) => get(argument),
            _ => identity::id(self.arena, kind, resource.address, resource.provider, &get),
        };
        let target = target.unwrap_or_else(|| Piece {
            text: format!("{{{}.{argument}}}", resource.address),
            why: Vec::new(),
        });
        self.unmapped.append(&mut rest.unmapped);
        if !resource.existing {
            self.patches.push(Patch {
                target,
                kind: self.arena.alloc_str(&kind.arm),
                api: self.arena.alloc_str(&kind.api),
                append: kind
                    .append
                    .as_deref()
                    .map(|path| &*self.arena.alloc_str(path)),
                tree,
                from: *resource,
                number: self.number,
            });
        }
    }

    fn push(
        &mut self,
        resource: &Resource<'a>,
        id: &'a str,
        kind: &'a str,
        api_version: &'a str,
        name: &'a str,
        tree: Tree<'a>,
    ) {
        let (key, place) = (id.to_ascii_lowercase(), self.works.len());
        let known = self.places.get(&key).and_then(|at| self.works.get(*at));
        if known.is_none_or(|known| known.made.existing && !resource.existing) {
            self.places.insert(key, place);
        }
        self.works.push(Work {
            made: ArmResource {
                id,
                kind,
                api_version,
                name,
                body: resource.body,
                condition: resource.condition,
                existing: resource.existing,
                span: resource.span,
                through: resource.through,
            },
            tree,
            origins: vec![Origin {
                resource: self.number,
                block: None,
            }],
        });
    }

    fn child(
        &mut self,
        resource: &Resource<'a>,
        id: &str,
        kind: &str,
        api: &'a str,
        name: &str,
        child: Child<'a>,
    ) {
        let id = self
            .arena
            .alloc_str(&format!("{id}/{}/{}", child.segment, child.name.text));
        let kind = self.arena.alloc_str(&format!("{kind}/{}", child.segment));
        let name = Piece {
            text: format!("{name}/{}", child.name.text),
            why: child.name.why,
        };
        let mut tree = Tree::object(child.span);
        self.head(&mut tree, kind, api, &name, resource);
        tree.merge(child.tree, 0);
        let name = self.arena.alloc_str(&name.text);
        let from = Resource {
            span: child.span,
            ..*resource
        };
        self.push(&from, id, kind, api, name, tree);
        for origin in self
            .works
            .last_mut()
            .iter_mut()
            .flat_map(|work| &mut work.origins)
        {
            origin.block = Some(child.span);
        }
    }

    fn head(
        &self,
        tree: &mut Tree<'a>,
        kind: &str,
        api: &str,
        name: &Piece<'a>,
        resource: &Resource<'a>,
    ) {
        let span = resource.span;
        let text = |text: &str| {
            Tree::Leaf(Value {
                span,
                data: Data::Str(self.arena.alloc_str(text)),
            })
        };
        tree.set(self.arena, "type", span, text(kind));
        tree.set(self.arena, "apiVersion", span, text(api));
        let place = resource.body.get("name").map_or(span, |name| name.span);
        let name = if name.why.is_empty() {
            Value {
                span: place,
                data: Data::Str(self.arena.alloc_str(&name.text)),
            }
        } else {
            tree::open(
                self.arena,
                place,
                &name.text,
                bicep::value::Shape::String,
                name.why.clone(),
            )
        };
        tree.set(self.arena, "name", place, Tree::Leaf(name));
    }

    /// `azapi_resource`: the body is what Azure gets.
    fn azapi(&mut self, resource: &Resource<'a>) {
        let get = |name: &str| resource.body.get(name).and_then(Piece::of_value);
        let Some(kind) = resource.body.get("type").and_then(Value::as_str) else {
            return self.unknown_kind(resource);
        };
        let (kind, api) = azapi_type(kind);
        let (kind, api): (&'a str, &'a str) =
            (self.arena.alloc_str(kind), self.arena.alloc_str(api));
        let Some(id) = identity::azapi(self.arena, resource.address, &get) else {
            return self.unknown_kind(resource);
        };
        let mut tree = Tree::object(resource.body.span);
        if let Some(body) = resource.body.get("body") {
            match self.decoded(body) {
                Some(body) => tree.merge(Tree::of(&body, 0), 0),
                None => tree.set(self.arena, "properties", body.span, Tree::Leaf(*body)),
            }
        }
        if let Some(sensitive) = resource.body.get("sensitive_body") {
            tree.merge(Tree::of(sensitive, 0), 0);
        }
        if resource.kind == "azapi_update_resource" {
            self.patches.push(Patch {
                target: id,
                kind,
                api,
                append: None,
                tree,
                from: *resource,
                number: self.number,
            });
            return;
        }
        let name = match get("name") {
            Some(name) => name,
            None => Piece {
                text: identity::segments(&id.text).pop().unwrap_or_default(),
                why: Vec::new(),
            },
        };
        let name = self.azapi_name(kind, &name, get("parent_id"));
        for (argument, path) in AZAPI {
            if let Some(value) = resource.body.get(argument) {
                tree.set(self.arena, path, value.span, Tree::of(value, 0));
            }
        }
        rules::azapi_identity(self.arena, &resource.body, &mut tree);
        self.head(&mut tree, kind, api, &name, resource);
        let id = self.arena.alloc_str(&id.text);
        let name = self.arena.alloc_str(&name.text);
        self.push(resource, id, kind, api, name, tree);
    }

    fn azapi_name(&self, kind: &str, name: &Piece<'a>, parent: Option<Piece<'a>>) -> Piece<'a> {
        let Some(parent) = parent.filter(|_| kind.split('/').count() > 2) else {
            return name.clone();
        };
        let parts = identity::segments(&parent.text);
        let count = kind.split('/').count() - 2;
        let mut names: Vec<&str> = parts
            .iter()
            .rev()
            .step_by(2)
            .take(count)
            .map(String::as_str)
            .collect();
        names.reverse();
        names.push(&name.text);
        Piece {
            text: names.join("/"),
            why: [parent.why, name.why.clone()].concat(),
        }
    }

    /// What a string of JSON holds, with the places of its parts when it was encoded here.
    fn decoded(&self, value: &Value<'a>) -> Option<Value<'a>> {
        let text = match value.data {
            Data::Object(_) => return Some(*value),
            Data::Str(text) => text,
            Data::Unknown(unknown) => return self.encoded.get(unknown.text).copied(),
            _ => return None,
        };
        if let Some(known) = self.encoded.get(text) {
            return Some(*known);
        }
        let mut values = Values {
            arena: self.arena,
            place: Place::Fixed(value.span),
        };
        let (options, limits) = (yaml::json::Options::default(), yaml::Limits::default());
        let parsed = yaml::json::parse(text, options, &limits, &mut values).ok()?;
        Some(Out::new(self.arena).value(&parsed))
    }

    /// Lays what is said of a resource over it; what is said of one that is not here is a
    /// resource that exists.
    fn patch(&mut self, patch: Patch<'a>) {
        let mut tree = patch.tree;
        if let Some(condition) = &patch.from.condition {
            tree = tree.unless(self.arena, condition, 0);
        }
        let target = patch.target.text.to_ascii_lowercase();
        let place = self.places.get(&target).copied();
        let place = place.unwrap_or_else(|| {
            let id: &'a str = self.arena.alloc_str(&patch.target.text);
            let parts = identity::segments(id);
            let mut names: Vec<&str> = parts
                .iter()
                .rev()
                .step_by(2)
                .take(patch.kind.split('/').count().saturating_sub(1))
                .map(String::as_str)
                .collect();
            names.reverse();
            let name = Piece {
                text: names.join("/"),
                why: patch.target.why.clone(),
            };
            let mut head = Tree::object(patch.from.span);
            self.head(&mut head, patch.kind, patch.api, &name, &patch.from);
            let name = self.arena.alloc_str(&name.text);
            let from = Resource {
                existing: true,
                condition: None,
                ..patch.from
            };
            self.push(&from, id, patch.kind, patch.api, name, head);
            // Nothing of it is written but the patch.
            if let Some(work) = self.works.last_mut() {
                work.origins.clear();
            }
            self.works.len() - 1
        });
        let span = patch.from.span;
        if let Some(work) = self.works.get_mut(place) {
            work.origins.push(Origin {
                resource: patch.number,
                block: None,
            });
            match patch.append {
                Some(path) => work.tree.append(self.arena, path, span, tree),
                None => {
                    // Only what the association says stands there, not what that is in.
                    tree.place_at(work.made.span);
                    work.tree.merge(tree, 0);
                }
            }
        }
    }
}
