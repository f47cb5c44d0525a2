//! Plans and states as `terraform show -json` prints them.
//! <https://developer.hashicorp.com/terraform/internals/json-format>
//!
//! Everything is known there but what only Azure knows; what such a value refers to is found in
//! the plan's own `configuration`, through outputs and variables of modules. Places are places
//! in the plan. Resources that the plan deletes are left out, as it leaves them out itself.

use std::collections::BTreeMap;

use bicep::deployment::{Problem, ProblemKind};
use bicep::source::{Source, Sources, Span};
use bicep::value::{Shape, Why};
use bumpalo::Bump;

use crate::identity::{self, Piece};
use crate::json;
use crate::output::{Out, Reading, Resource};
use crate::table::{Id, Table};
use crate::value::{Data, Entry, Map, Seq, Unknown, Val, reasons};
use crate::version;

/// Modules within modules, references through references.
const MAX_LEVELS: usize = 32;

/// Reads a plan or a state.
pub fn read<'a>(
    arena: &'a Bump,
    sources: &mut Sources<'a>,
    table: &Table,
    name: &str,
    text: &str,
) -> Reading<'a> {
    let text: &'a str = arena.alloc_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let file = sources.add(Source {
        name: arena.alloc_str(name),
        text,
        published: false,
    });
    let mut reading = Reading {
        azurerm: version::ANY,
        ..Reading::default()
    };
    let mut problem = |span: Span, message: String, help: Option<&str>| {
        reading.problems.push(Problem {
            span,
            message,
            help: help.map(str::to_owned),
            kind: ProblemKind::Syntax,
        });
    };
    let root = match json::read(arena, file, text) {
        Ok(root) => root,
        Err(refused) => {
            problem(refused.span, refused.message, None);
            return reading;
        }
    };
    let Some(values) = root.get("planned_values").or_else(|| root.get("values")) else {
        problem(
            root.span,
            "this plan has no `planned_values`".to_owned(),
            Some("write it with `terraform show -json PLAN`"),
        );
        return reading;
    };
    let mut plan = Plan {
        arena,
        table,
        out: Out::new(arena),
        configuration: root
            .get("configuration")
            .and_then(|configuration| configuration.get("root_module")),
        changes: changes(&root),
        found: Vec::new(),
    };
    if let Some(root_module) = values.get("root_module") {
        plan.module(&root_module, false, 0);
    }
    let prior = root
        .get("prior_state")
        .and_then(|state| state.get("values"))
        .and_then(|values| values.get("root_module"));
    if let Some(prior) = prior {
        plan.module(&prior, true, 0);
    }
    reading.azurerm = plan.majors(&root);
    reading.resources = plan.finish();
    reading.outputs = outputs(arena, &values);
    reading
}

/// `after_unknown` and `after_sensitive` of each address.
fn changes<'a>(root: &Val<'a>) -> BTreeMap<&'a str, Val<'a>> {
    let list = root.get("resource_changes").and_then(|list| list.seq());
    list.unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            let address = string(entry, "address")?;
            Some((address, entry.get("change")?))
        })
        .collect()
}

fn outputs<'a>(arena: &'a Bump, values: &Val<'a>) -> Vec<(&'a str, bicep::value::Value<'a>)> {
    let mut out = Out::new(arena);
    let entries = values.get("outputs").and_then(|outputs| outputs.entries());
    entries
        .unwrap_or_default()
        .iter()
        .map(|entry| {
            let sensitive = entry
                .value
                .get("sensitive")
                .is_some_and(|flag| matches!(flag.data, Data::Bool(true)));
            let name: &'a str = arena.alloc_str(&format!("output.{}", entry.key));
            let value = entry.value.get("value").unwrap_or_else(|| {
                let unknown = arena.alloc(Unknown {
                    text: name,
                    partial: false,
                    shape: Shape::Any,
                    why: arena.alloc_slice_copy(&[Why::Reference(name)]),
                    secret: sensitive,
                    not: &[],
                    of: None,
                    fields: &[],
                    items: &[],
                });
                Val::new(entry.value.span, Data::Unknown(unknown))
            });
            let value = value.marked(sensitive.then_some(name));
            (entry.key, out.value(&value))
        })
        .collect()
}

fn string<'a>(value: &Val<'a>, key: &str) -> Option<&'a str> {
    match value.get(key)?.data {
        Data::Str(text) => Some(text),
        _ => None,
    }
}

/// A resource before references are resolved.
struct Found<'a> {
    resource: Resource<'a>,
    body: Val<'a>,
}

struct Plan<'a, 't> {
    arena: &'a Bump,
    table: &'t Table,
    out: Out<'a>,
    configuration: Option<Val<'a>>,
    changes: BTreeMap<&'a str, Val<'a>>,
    found: Vec<Found<'a>>,
}

/// Where a value stands in the configuration.
#[derive(Clone, Copy)]
struct At<'s, 'a> {
    /// The module's own address: `module.a[0]`.
    module: &'s str,
    /// The resource's block or expression there.
    expressions: Option<Val<'a>>,
}

impl<'a> Plan<'a, '_> {
    fn module(&mut self, module: &Val<'a>, data: bool, depth: usize) {
        if depth > MAX_LEVELS {
            return;
        }
        let address = string(module, "address").unwrap_or_default();
        let list = module.get("resources").and_then(|list| list.seq());
        for resource in list.unwrap_or_default() {
            let existing = string(resource, "mode") == Some("data");
            if existing || !data {
                self.resource(resource, address, existing);
            }
        }
        let list = module.get("child_modules").and_then(|list| list.seq());
        for child in list.unwrap_or_default() {
            self.module(child, data, depth + 1);
        }
    }

    fn resource(&mut self, resource: &Val<'a>, module: &'a str, existing: bool) {
        let (Some(address), Some(kind), Some(name)) = (
            string(resource, "address"),
            string(resource, "type"),
            string(resource, "name"),
        ) else {
            return;
        };
        if self
            .found
            .iter()
            .any(|found| found.resource.address == address)
        {
            return;
        }
        let values = resource.get("values").unwrap_or(Val::null(resource.span));
        let change = self.changes.get(address).copied();
        let unknown = change.and_then(|change| change.get("after_unknown"));
        let sensitive = change
            .and_then(|change| change.get("after_sensitive"))
            .or_else(|| resource.get("sensitive_values"));
        let configured = self.configured(module, kind, name, existing);
        let provider = configured
            .and_then(|configured| string(&configured, "provider_config_key"))
            .map_or("azurerm", |key| key.rsplit(':').next().unwrap_or(key));
        let at = At {
            module,
            expressions: configured.and_then(|configured| configured.get("expressions")),
        };
        let body = self.merged(
            &values,
            unknown.as_ref(),
            sensitive.as_ref(),
            &at,
            address,
            0,
        );
        self.found.push(Found {
            resource: Resource {
                address,
                kind,
                id: None,
                name,
                provider,
                body: self.out.value(&Val::null(resource.span)),
                condition: None,
                existing,
                span: resource.span,
                through: &[],
            },
            body,
        });
    }

    /// The module's part of the configuration, from its address without the keys of instances.
    fn module_configuration(&self, module: &str) -> Option<Val<'a>> {
        let mut found = self.configuration?;
        for call in calls(module) {
            found = found.get("module_calls")?.get(&call)?.get("module")?;
        }
        Some(found)
    }

    fn configured(&self, module: &str, kind: &str, name: &str, data: bool) -> Option<Val<'a>> {
        let mode = if data { "data" } else { "managed" };
        let list = self.module_configuration(module)?.get("resources")?.seq()?;
        list.iter()
            .find(|entry| {
                string(entry, "type") == Some(kind)
                    && string(entry, "name") == Some(name)
                    && string(entry, "mode") == Some(mode)
            })
            .copied()
    }

    /// Values with what is not known until they are applied, and marks of what is sensitive.
    fn merged(
        &self,
        value: &Val<'a>,
        unknown: Option<&Val<'a>>,
        sensitive: Option<&Val<'a>>,
        at: &At<'_, 'a>,
        text: &str,
        depth: usize,
    ) -> Val<'a> {
        if depth > crate::value::MAX_DEPTH {
            return *value;
        }
        let yes = |value: Option<&Val<'a>>| {
            value.is_some_and(|value| matches!(value.data, Data::Bool(true)))
        };
        let secret = yes(sensitive).then(|| &*self.arena.alloc_str(text));
        if yes(unknown) {
            return self.open(value.span, at, text, secret);
        }
        let entries = match value.data {
            Data::Map(_, entries) => entries,
            Data::Seq(_, items) => {
                let items: Vec<Val<'a>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let inner = At {
                            expressions: step(at.expressions, index),
                            ..*at
                        };
                        let text = format!("{text}[{index}]");
                        let unknown = unknown.and_then(|list| nth(list, index));
                        let sensitive = match sensitive {
                            Some(all) if all.seq().is_some() => nth(all, index),
                            _ => None,
                        };
                        self.merged(
                            item,
                            unknown.as_ref(),
                            sensitive.as_ref(),
                            &inner,
                            &text,
                            depth + 1,
                        )
                    })
                    .collect();
                let items = self.arena.alloc_slice_copy(&items);
                return Val::new(value.span, Data::Seq(Seq::Tuple, items)).marked(secret);
            }
            Data::Null if unknown.and_then(|unknown| unknown.entries()).is_some() => &[],
            _ => return value.marked(secret),
        };
        let mut made: Vec<Entry<'a>> = Vec::with_capacity(entries.len());
        for entry in entries {
            let inner = At {
                expressions: at.expressions.and_then(|all| all.get(entry.key)),
                ..*at
            };
            let text = format!("{text}.{}", entry.key);
            let unknown = unknown.and_then(|all| all.get(entry.key));
            let sensitive = sensitive.and_then(|all| all.get(entry.key));
            made.push(Entry {
                value: self.merged(
                    &entry.value,
                    unknown.as_ref(),
                    sensitive.as_ref(),
                    &inner,
                    &text,
                    depth + 1,
                ),
                ..*entry
            });
        }
        // What is not known at all is not among the values.
        let open = unknown.and_then(|unknown| unknown.entries());
        for entry in open.unwrap_or_default() {
            if made.iter().any(|known| known.key == entry.key) {
                continue;
            }
            let inner = At {
                expressions: at.expressions.and_then(|all| all.get(entry.key)),
                ..*at
            };
            let text = format!("{text}.{}", entry.key);
            if has_true(&entry.value, 0) {
                let sensitive = sensitive.and_then(|all| all.get(entry.key));
                let secret = yes(sensitive.as_ref()).then(|| &*self.arena.alloc_str(&text));
                made.push(Entry {
                    key: entry.key,
                    key_span: value.span,
                    open: None,
                    value: self.open(value.span, &inner, &text, secret),
                });
            }
        }
        let made = self.arena.alloc_slice_copy(&made);
        Val::new(value.span, Data::Map(Map::Object, made)).marked(secret)
    }

    /// A value that is known after apply: what it refers to, when that is one thing.
    fn open(&self, span: Span, at: &At<'_, 'a>, text: &str, secret: Option<&'a str>) -> Val<'a> {
        let target = at
            .expressions
            .and_then(|expression| self.target(&expression, at.module, 0));
        let text = target.unwrap_or_else(|| text.to_owned());
        let shape = if text.ends_with(".id") {
            Shape::Id
        } else {
            Shape::Any
        };
        let address = self.arena.alloc_str(owner(&text));
        let why = match text.starts_with("var.") {
            true => Why::Parameter(self.arena.alloc_str(text.trim_start_matches("var."))),
            false => Why::Reference(address),
        };
        let unknown = self.arena.alloc(Unknown {
            text: self.arena.alloc_str(&text),
            partial: false,
            shape,
            why: reasons(self.arena, vec![why]),
            secret: secret.is_some(),
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }

    /// The attribute that an expression refers to, as an absolute address.
    fn target(&self, expression: &Val<'a>, module: &str, depth: usize) -> Option<String> {
        if depth > MAX_LEVELS {
            return None;
        }
        let references: Vec<&str> = expression
            .get("references")?
            .seq()?
            .iter()
            .filter_map(|item| match item.data {
                Data::Str(text) => Some(text),
                _ => None,
            })
            .collect();
        // The longest comes first; the others are its beginnings.
        let first = *references.first()?;
        if references.iter().any(|other| !first.starts_with(other)) {
            return None;
        }
        self.resolved(first, module, depth)
    }

    fn resolved(&self, reference: &str, module: &str, depth: usize) -> Option<String> {
        if let Some(name) = reference.strip_prefix("var.") {
            let name = name.split(['.', '[']).next()?;
            let (outer, call) = outer(module)?;
            let expression = self
                .module_configuration(outer)?
                .get("module_calls")?
                .get(&call)?
                .get("expressions")?
                .get(name)?;
            return self.target(&expression, outer, depth + 1);
        }
        if let Some(rest) = reference.strip_prefix("module.") {
            let (call, output) = rest.rsplit_once('.')?;
            let inner = match module {
                "" => format!("module.{call}"),
                outer => format!("{outer}.module.{call}"),
            };
            let output = self
                .module_configuration(&inner)?
                .get("outputs")?
                .get(output)?
                .get("expression")?;
            return self.target(&output, &inner, depth + 1);
        }
        let local = ["each.", "count.", "local.", "path.", "self."];
        if local.iter().any(|prefix| reference.starts_with(prefix)) {
            return None;
        }
        Some(match module {
            "" => reference.to_owned(),
            outer => format!("{outer}.{reference}"),
        })
    }

    fn majors(&self, root: &Val<'a>) -> version::Majors {
        let configs = root
            .get("configuration")
            .and_then(|configuration| configuration.get("provider_config"))
            .and_then(|configs| configs.entries());
        configs
            .unwrap_or_default()
            .iter()
            .filter(|config| string(&config.value, "name") == Some("azurerm"))
            .filter_map(|config| string(&config.value, "version_constraint"))
            .fold(version::ANY, |all, one| {
                version::both(all, version::majors(one))
            })
    }

    /// Composes ids, again until those that hang on others are there too.
    fn finish(mut self) -> Vec<Resource<'a>> {
        let mut ids: BTreeMap<String, Piece<'a>> = BTreeMap::new();
        for _ in 0..MAX_LEVELS {
            let before = ids.len();
            for found in &self.found {
                if ids.contains_key(found.resource.address) {
                    continue;
                }
                if let Some(id) = self.id(found, &ids) {
                    ids.insert(found.resource.address.to_owned(), id);
                }
            }
            if ids.len() == before {
                break;
            }
        }
        let mut resources = Vec::with_capacity(self.found.len());
        for found in std::mem::take(&mut self.found) {
            let body = self.linked(&found.body, &ids, 0);
            let id = ids.get(found.resource.address);
            resources.push(Resource {
                id: id.map(|id| &*self.arena.alloc_str(&id.text)),
                body: self.out.value(&body),
                ..found.resource
            });
        }
        resources
    }

    fn id(&self, found: &Found<'a>, ids: &BTreeMap<String, Piece<'a>>) -> Option<Piece<'a>> {
        let open = std::cell::Cell::new(false);
        let get = |name: &str| {
            let value = found.body.get(name).filter(|value| !value.is_null())?;
            let linked = self.linked(&value, ids, 0);
            let waits = linked
                .unknown()
                .is_some_and(|unknown| unknown.text.ends_with(".id") && !unknown.partial);
            if waits && self.found.iter().any(|other| linked_to(&linked, other)) {
                open.set(true);
            }
            Piece::of_val(&linked)
        };
        let known = match found.body.get("id").map(|id| id.data) {
            Some(Data::Str(id)) if id.starts_with('/') => Some(Piece {
                text: id.to_owned(),
                why: Vec::new(),
            }),
            _ => None,
        };
        let resource = &found.resource;
        let id = known.or_else(|| {
            if resource.kind.starts_with("azapi_") {
                return identity::azapi(self.arena, resource.address, &get);
            }
            let kind = self.table.kinds.get(resource.kind)?;
            if matches!(kind.id, Id::PatchNamed(_)) {
                return None;
            }
            identity::id(self.arena, kind, resource.address, resource.provider, &get)
        });
        id.filter(|_| !open.get())
    }

    /// A value whose references are ids.
    fn linked(&self, value: &Val<'a>, ids: &BTreeMap<String, Piece<'a>>, depth: usize) -> Val<'a> {
        if depth > crate::value::MAX_DEPTH {
            return *value;
        }
        let data = match value.data {
            Data::Unknown(unknown) => {
                let found = unknown
                    .text
                    .rsplit_once('.')
                    .and_then(|(address, name)| Some((ids.get(address)?, address, name)));
                match found {
                    Some((id, address, name)) if self.holds_id(address, name) => {
                        id.clone().id(self.arena)
                    }
                    _ => {
                        let mut address = unknown.text;
                        let mut owned = None;
                        while let Some((before, _)) = address.rsplit_once('.') {
                            address = before;
                            owned = owned.or_else(|| ids.get(address));
                        }
                        match owned {
                            Some(id) => {
                                let why = vec![Why::Reference(self.arena.alloc_str(&id.text))];
                                Data::Unknown(self.arena.alloc(Unknown {
                                    why: reasons(self.arena, why),
                                    ..*unknown
                                }))
                            }
                            None => value.data,
                        }
                    }
                }
            }
            Data::Seq(kind, items) => {
                let items: Vec<Val<'a>> = items
                    .iter()
                    .map(|item| self.linked(item, ids, depth + 1))
                    .collect();
                Data::Seq(kind, self.arena.alloc_slice_copy(&items))
            }
            Data::Map(kind, entries) => {
                let entries: Vec<Entry<'a>> = entries
                    .iter()
                    .map(|entry| Entry {
                        value: self.linked(&entry.value, ids, depth + 1),
                        ..*entry
                    })
                    .collect();
                Data::Map(kind, self.arena.alloc_slice_copy(&entries))
            }
            data => data,
        };
        Val { data, ..*value }
    }

    /// Whether an attribute holds the id in Azure.
    fn holds_id(&self, address: &str, name: &str) -> bool {
        let found = self
            .found
            .iter()
            .find(|found| found.resource.address == address);
        let kind = found.and_then(|found| self.table.kinds.get(found.resource.kind));
        name == kind.map_or("id", |kind| kind.attribute.as_str())
    }
}

fn linked_to(value: &Val<'_>, other: &Found<'_>) -> bool {
    value.unknown().is_some_and(|unknown| {
        unknown
            .text
            .rsplit_once('.')
            .is_some_and(|(address, _)| address == other.resource.address)
    })
}

/// The resource of an attribute: `module.a.azurerm_subnet.x[0].id` to its address.
fn owner(text: &str) -> &str {
    text.rsplit_once('.').map_or(text, |(owner, _)| owner)
}

fn nth<'a>(value: &Val<'a>, index: usize) -> Option<Val<'a>> {
    value.seq()?.get(index).copied()
}

/// Blocks are lists in the configuration, arguments are expressions.
fn step<'a>(expressions: Option<Val<'a>>, index: usize) -> Option<Val<'a>> {
    let expressions = expressions?;
    match expressions.seq() {
        Some(blocks) => blocks.get(index).copied(),
        None => Some(expressions),
    }
}

fn has_true(value: &Val<'_>, depth: usize) -> bool {
    match value.data {
        Data::Bool(flag) => flag,
        _ if depth > crate::value::MAX_DEPTH => false,
        Data::Seq(_, items) => items.iter().any(|item| has_true(item, depth + 1)),
        Data::Map(_, entries) => entries
            .iter()
            .any(|entry| has_true(&entry.value, depth + 1)),
        _ => false,
    }
}

/// `module.a["x"].module.b[0]`: the names of the calls, without keys.
fn calls(address: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut plain = String::new();
    let (mut depth, mut quoted) = (0_usize, false);
    for next in address.chars() {
        match next {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !quoted => plain.push(next),
            _ => {}
        }
    }
    let mut parts = plain.split('.');
    while let (Some("module"), Some(name)) = (parts.next(), parts.next()) {
        names.push(name.to_owned());
    }
    names
}

/// The module around a module, and the name of the call.
fn outer(module: &str) -> Option<(&str, String)> {
    let name = calls(module).pop()?;
    let at = module.rfind(&format!("module.{name}"))?;
    let before = module.get(..at)?.trim_end_matches('.');
    Some((before, name))
}
