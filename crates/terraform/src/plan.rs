//! Plans and states as `terraform show -json` prints them.
//! <https://developer.hashicorp.com/terraform/internals/json-format>
//!
//! Everything is known there but what only Azure knows; what such a value refers to is found in
//! the plan's own `configuration`, through outputs and variables of modules. Places are places
//! in the plan. Resources that the plan deletes are left out, as it leaves them out itself.

mod ids;
mod references;

use std::collections::BTreeMap;

use bicep::deployment::{Problem, ProblemKind};
use bicep::source::{Source, Sources, Span};
use bicep::value::{Shape, Why};
use bumpalo::Bump;

use crate::json;
use crate::output::{Out, Reading, Resource};
use crate::table::{Kind, Rules, Table};
use crate::value::{Data, Entry, Map, Seq, Unknown, Val};
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
        kinds: BTreeMap::new(),
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
    /// The kinds of resources by address.
    kinds: BTreeMap<&'a str, &'a str>,
}

/// Where a value stands in the configuration.
#[derive(Clone, Copy)]
struct At<'s, 'a> {
    /// The module's own address: `module.a[0]`.
    module: &'s str,
    /// The resource's block or expression there.
    expressions: Option<Val<'a>>,
    /// What the table says of the resource, when this is its body.
    kind: Option<&'s Kind>,
    /// What it says of this block.
    rules: Option<&'s Rules>,
}

impl<'s, 'a> At<'s, 'a> {
    fn entry(&self, key: &str) -> Self {
        Self {
            expressions: self.expressions.and_then(|all| all.get(key)),
            kind: None,
            rules: self.rules.and_then(|rules| rules.block(key)),
            ..*self
        }
    }

    /// Whether nobody wrote this attribute: what Azure gives is no argument.
    fn given_by_azure(&self, key: &str, marks: Marks<'a>) -> bool {
        let written = match self.expressions {
            Some(all) if all.entries().is_some() => all.get(key).is_some(),
            // A dynamic block, or a state: it may be written or not.
            _ => self.rules.is_none() || !matches!(marks.unknown, Some(open) if yes(Some(open))),
        };
        let mapped = match (self.kind, self.rules) {
            (Some(kind), _) => key == "id" || kind.holds(key),
            (None, rules) => rules.is_none_or(|rules| rules.holds(key)),
        };
        !written && (yes(marks.unknown) || !mapped)
    }
}

/// What a plan says of a value: which parts are not known, and which are sensitive.
#[derive(Clone, Copy)]
struct Marks<'a> {
    unknown: Option<Val<'a>>,
    sensitive: Option<Val<'a>>,
}

impl<'a> Marks<'a> {
    fn entry(self, key: &str) -> Self {
        Self {
            unknown: self.unknown.and_then(|all| all.get(key)),
            sensitive: self.sensitive.and_then(|all| all.get(key)),
        }
    }

    fn item(self, index: usize) -> Self {
        Self {
            unknown: self.unknown.and_then(|all| nth(&all, index)),
            sensitive: self.sensitive.and_then(|all| nth(&all, index)),
        }
    }
}

fn yes(mark: Option<Val<'_>>) -> bool {
    mark.is_some_and(|mark| matches!(mark.data, Data::Bool(true)))
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
        if self.kinds.insert(address, kind).is_some() {
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
            kind: self.table.kinds.get(kind),
            rules: self.table.kinds.get(kind).map(|kind| &kind.body),
        };
        let marks = Marks { unknown, sensitive };
        let body = self.merged(&values, marks, &at, address, 0);
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

    /// Values with what is not known until they are applied, and marks of what is sensitive.
    fn merged(
        &self,
        value: &Val<'a>,
        marks: Marks<'a>,
        at: &At<'_, 'a>,
        text: &str,
        depth: usize,
    ) -> Val<'a> {
        if depth > crate::value::MAX_DEPTH {
            return *value;
        }
        let secret = yes(marks.sensitive).then(|| &*self.arena.alloc_str(text));
        if yes(marks.unknown) {
            return self.open(value.span, at, text, secret);
        }
        let open = marks.unknown.and_then(|unknown| unknown.entries());
        let data = match value.data {
            Data::Map(_, entries) => {
                let made = self.merged_entries(value, entries, marks, at, text, depth);
                Data::Map(Map::Object, self.arena.alloc_slice_copy(&made))
            }
            Data::Null if open.is_some() => {
                let made = self.merged_entries(value, &[], marks, at, text, depth);
                Data::Map(Map::Object, self.arena.alloc_slice_copy(&made))
            }
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
                        self.merged(item, marks.item(index), &inner, &text, depth + 1)
                    })
                    .collect();
                Data::Seq(Seq::Tuple, self.arena.alloc_slice_copy(&items))
            }
            _ => return value.marked(secret),
        };
        Val::new(value.span, data).marked(secret)
    }

    fn merged_entries(
        &self,
        value: &Val<'a>,
        entries: &[Entry<'a>],
        marks: Marks<'a>,
        at: &At<'_, 'a>,
        text: &str,
        depth: usize,
    ) -> Vec<Entry<'a>> {
        let mut made: Vec<Entry<'a>> = Vec::with_capacity(entries.len());
        for entry in entries {
            let marks = marks.entry(entry.key);
            if at.given_by_azure(entry.key, marks) {
                continue;
            }
            let inner = at.entry(entry.key);
            let text = format!("{text}.{}", entry.key);
            made.push(Entry {
                value: self.merged(&entry.value, marks, &inner, &text, depth + 1),
                ..*entry
            });
        }
        // What is not known at all is not among the values.
        let open = marks.unknown.and_then(|unknown| unknown.entries());
        for entry in open.unwrap_or_default() {
            let marks = marks.entry(entry.key);
            let known = made.iter().any(|known| known.key == entry.key);
            if known || !has_true(&entry.value, 0) || at.given_by_azure(entry.key, marks) {
                continue;
            }
            let text = format!("{text}.{}", entry.key);
            let secret = yes(marks.sensitive).then(|| &*self.arena.alloc_str(&text));
            made.push(Entry {
                key: entry.key,
                key_span: value.span,
                open: None,
                value: self.open(value.span, &at.entry(entry.key), &text, secret),
            });
        }
        made
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
