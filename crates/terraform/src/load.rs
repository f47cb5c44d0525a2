//! The files of one folder as one module: native and JSON syntax, override files merged. It
//! leaves out everything that says how Terraform runs (`terraform`, `provider`, `moved`, …).

use std::collections::BTreeMap;

use bicep::deployment::{Problem, ProblemKind};
use bicep::source::{Source, Sources};
use bumpalo::Bump;

use crate::files::{Files, join};
use crate::json;
use crate::lower::{Lower, Place, Refused};
use crate::syntax::{Attribute, Block, Body, Expr, Kind};

/// The address of a resource within its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceKey<'a> {
    pub(crate) data: bool,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

/// What makes resources, in the order in which it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Declared<'a> {
    Resource(ResourceKey<'a>),
    Call(&'a str),
}

/// A folder's declarations by name.
#[derive(Debug, Default)]
pub(crate) struct Module<'a> {
    pub(crate) folder: String,
    pub(crate) variables: BTreeMap<&'a str, Block<'a>>,
    pub(crate) locals: BTreeMap<&'a str, Attribute<'a>>,
    pub(crate) outputs: BTreeMap<&'a str, Block<'a>>,
    pub(crate) resources: BTreeMap<ResourceKey<'a>, Block<'a>>,
    pub(crate) calls: BTreeMap<&'a str, Block<'a>>,
    pub(crate) order: Vec<Declared<'a>>,
    pub(crate) output_order: Vec<&'a str>,
    /// What it says of the version of azurerm.
    pub(crate) azurerm: Vec<&'a str>,
}

/// What reads files.
pub(crate) struct Loader<'a, 'f> {
    pub(crate) arena: &'a Bump,
    pub(crate) files: &'f dyn Files,
    pub(crate) sources: &'f mut Sources<'a>,
    pub(crate) problems: Vec<Problem>,
}

/// A message that names what cannot be read.
pub(crate) fn unreadable(path: &str, message: String) -> String {
    if message.contains(path) {
        message
    } else {
        format!("`{path}` cannot be read: {message}")
    }
}

impl<'a> Loader<'a, '_> {
    /// A file's text, once: a second time the same number is given.
    pub(crate) fn text(&mut self, path: &str) -> Result<(bicep::source::FileId, &'a str), String> {
        if let Some(file) = self.sources.find(path)
            && let Some(source) = self.sources.get(file)
        {
            return Ok((file, source.text));
        }
        let bytes = self
            .files
            .read(path)
            .map_err(|message| unreadable(path, message))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("`{path}` is no UTF-8 text"))?;
        let text: &'a str = self
            .arena
            .alloc_str(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let file = self.sources.add(Source {
            name: self.arena.alloc_str(path),
            text,
            published: path.contains(".terraform/modules/"),
        });
        Ok((file, text))
    }

    pub(crate) fn refused(&mut self, refused: Refused) {
        self.problems.push(Problem {
            span: refused.span,
            message: refused.message,
            help: None,
            kind: ProblemKind::Syntax,
        });
    }

    /// Reads a file of any of the two syntaxes.
    pub(crate) fn body(&mut self, path: &str) -> Result<Body<'a>, String> {
        let (file, text) = self.text(path)?;
        if path.ends_with(".json") {
            let mut refused = Vec::new();
            let body = match json::read(self.arena, file, text) {
                Ok(root) => json::configuration(self.arena, &root, &mut refused),
                Err(error) => {
                    refused.push(error);
                    Body::default()
                }
            };
            for error in refused {
                self.refused(error);
            }
            return Ok(body);
        }
        let lower = Lower {
            arena: self.arena,
            place: Place::File(file),
        };
        let body = self.files.body(path, text);
        Ok(lower.read(text, body).unwrap_or_else(|error| {
            self.refused(error);
            Body::default()
        }))
    }

    /// Reads a folder.
    pub(crate) fn module(&mut self, folder: &str) -> Result<Module<'a>, String> {
        let mut names = self
            .files
            .list(folder)
            .map_err(|message| unreadable(folder, message))?;
        names.retain(|name| name.ends_with(".tf") || name.ends_with(".tf.json"));
        names.sort();
        if names.is_empty() {
            return Err(format!("no `.tf` file in `{folder}`"));
        }
        let (overrides, plain): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| {
            let stem = name
                .strip_suffix(".json")
                .unwrap_or(name)
                .trim_end_matches(".tf");
            stem == "override" || stem.ends_with("_override")
        });
        let mut module = Module {
            folder: folder.to_owned(),
            ..Module::default()
        };
        for name in plain {
            let body = self.body(&join(folder, &name))?;
            module.add(body);
        }
        for name in overrides {
            let body = self.body(&join(folder, &name))?;
            module.replace(self.arena, body);
        }
        Ok(module)
    }
}

/// The version of a required provider.
fn constraint<'a>(value: &Expr<'a>) -> Option<&'a str> {
    match value.kind {
        Kind::Str(text) => Some(text),
        _ => match entry(value, "version")?.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        },
    }
}

fn entry<'a>(object: &Expr<'a>, name: &str) -> Option<Expr<'a>> {
    match object.kind {
        Kind::Object(items) => items
            .iter()
            .find(|item| matches!(item.key.kind, Kind::Str(key) if key == name))
            .map(|item| item.value),
        _ => None,
    }
}

impl<'a> Module<'a> {
    fn add(&mut self, body: Body<'a>) {
        for block in body.blocks {
            match (block.kind, block.labels) {
                ("locals", _) => {
                    for attribute in block.body.attributes {
                        self.locals.entry(attribute.name).or_insert(*attribute);
                    }
                }
                ("variable", [name, ..]) => {
                    self.variables.entry(name).or_insert(*block);
                }
                ("output", [name, ..]) => {
                    self.output_order.push(name);
                    self.outputs.entry(name).or_insert(*block);
                }
                ("module", [name, ..]) if !self.calls.contains_key(name) => {
                    self.order.push(Declared::Call(name));
                    self.calls.insert(name, *block);
                }
                ("resource" | "data", [kind, name, ..]) => {
                    let key = ResourceKey {
                        data: block.kind == "data",
                        kind,
                        name,
                    };
                    if !self.resources.contains_key(&key) {
                        self.order.push(Declared::Resource(key));
                        self.resources.insert(key, *block);
                    }
                }
                ("terraform", _) => {
                    for required in block.body.blocks {
                        if let Some(found) = required.body.attribute("azurerm") {
                            self.azurerm.extend(constraint(&found.value));
                        }
                    }
                    // The JSON syntax has no blocks here.
                    if let Some(required) = block.body.attribute("required_providers")
                        && let Some(found) = entry(&required.value, "azurerm")
                    {
                        self.azurerm.extend(constraint(&found));
                    }
                }
                // The data sources of a check are read like others.
                ("check", _) => self.add(block.body),
                _ => {}
            }
        }
    }

    /// <https://developer.hashicorp.com/terraform/language/files/override>: attributes replace
    /// attributes, blocks of a kind replace all blocks of that kind.
    fn replace(&mut self, arena: &'a Bump, body: Body<'a>) {
        for block in body.blocks {
            let found = match (block.kind, block.labels) {
                ("locals", _) => {
                    for attribute in block.body.attributes {
                        self.locals.insert(attribute.name, *attribute);
                    }
                    continue;
                }
                ("variable", [name, ..]) => self.variables.get_mut(name),
                ("output", [name, ..]) => self.outputs.get_mut(name),
                ("module", [name, ..]) => self.calls.get_mut(name),
                ("resource" | "data", [kind, name, ..]) => self.resources.get_mut(&ResourceKey {
                    data: block.kind == "data",
                    kind,
                    name,
                }),
                _ => continue,
            };
            if let Some(found) = found {
                let mut attributes: Vec<Attribute<'a>> = found
                    .body
                    .attributes
                    .iter()
                    .filter(|old| block.body.attribute(old.name).is_none())
                    .copied()
                    .collect();
                attributes.extend_from_slice(block.body.attributes);
                let mut blocks: Vec<Block<'a>> = found
                    .body
                    .blocks
                    .iter()
                    .filter(|old| block.body.block(old.kind).is_none())
                    .copied()
                    .collect();
                blocks.extend_from_slice(block.body.blocks);
                found.body.attributes = arena.alloc_slice_copy(&attributes);
                found.body.blocks = arena.alloc_slice_copy(&blocks);
            }
        }
    }
}
