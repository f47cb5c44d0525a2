//! The types of Azure's resources, from a folder laid out as the repository `bicep-types-az`:
//! `generated/GROUP/PROVIDER/VERSION/types.json`. Only what kind of value a property takes is
//! read of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bumpalo::Bump;

use crate::node::{Node, NodeKind};
use crate::source::FileId;

/// How deep types may refer to others in one question.
const MAX_STEPS: usize = 64;

/// A folder of types. A file of it is read when its provider and version are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// By provider and version, both in lower case.
    places: HashMap<(String, String), Vec<PathBuf>>,
    read: RefCell<HashMap<PathBuf, Rc<[Type]>>>,
}

/// A type; numbers are those of other types of the file.
#[derive(Debug)]
enum Type {
    /// `string`, `int`, `bool`
    Plain(&'static str),
    Array(Option<usize>),
    Object {
        properties: HashMap<String, usize>,
        others: Option<usize>,
    },
    Union(Vec<usize>),
    Resource {
        name: String,
        body: usize,
    },
    Unknown,
}

impl Types {
    /// Looks which providers and versions there are.
    pub(crate) fn new(root: &Path) -> Self {
        let mut places: HashMap<(String, String), Vec<PathBuf>> = HashMap::new();
        for group in folders(&root.join("generated")) {
            for provider in folders(&group) {
                for version in folders(&provider) {
                    places
                        .entry((lower_name(&provider), lower_name(&version)))
                        .or_default()
                        .push(version.join("types.json"));
                }
            }
        }
        Self {
            places,
            read: RefCell::default(),
        }
    }

    fn file(&self, path: &Path) -> Rc<[Type]> {
        if let Some(known) = self.read.borrow().get(path) {
            return Rc::clone(known);
        }
        let types: Rc<[Type]> = super::read(path)
            .ok()
            .map(|bytes| types_of(&bytes))
            .unwrap_or_default()
            .into();
        self.read
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&types));
        types
    }

    /// The file that defines a resource type, its name there, and the number of its body.
    fn find(&self, resource: &str) -> Option<(Rc<[Type]>, String, usize)> {
        let (kind, version) = resource.split_once('@')?;
        let provider = kind.split('/').next()?.to_lowercase();
        let places = self.places.get(&(provider, version.to_lowercase()))?;
        places.iter().find_map(|place| {
            let file = self.file(place);
            let (name, body) = file.iter().find_map(|of| match of {
                Type::Resource { name, body } if name.eq_ignore_ascii_case(resource) => {
                    Some((name.clone(), *body))
                }
                _ => None,
            })?;
            Some((file, name, body))
        })
    }

    /// A resource type with the capitals of its definition.
    pub(crate) fn name(&self, resource: &str) -> Option<String> {
        self.find(resource).map(|(_, name, _)| name)
    }

    /// The kind of a property, by the segments of a schema's pointer.
    pub(crate) fn kind(&self, resource: &str, pointer: &[&str]) -> Option<&'static str> {
        let (file, _, body) = self.find(resource)?;
        let mut at = body;
        let mut segments = pointer.iter();
        while let Some(segment) = segments.next() {
            at = match (*segment, file.get(at)?) {
                ("properties", Type::Object { properties, others }) => {
                    properties.get(*segments.next()?).copied().or(*others)?
                }
                ("additionalProperties", Type::Object { others, .. }) => (*others)?,
                ("items", Type::Array(item)) => (*item)?,
                _ => return None,
            };
        }
        kind_of(&file, at, MAX_STEPS)
    }
}

fn kind_of(file: &[Type], at: usize, steps: usize) -> Option<&'static str> {
    match file.get(at)? {
        Type::Plain(name) => Some(name),
        Type::Array(_) => Some("array"),
        Type::Object { .. } => Some("object"),
        Type::Union(members) => {
            let steps = steps.checked_sub(1)?;
            let mut kinds = members.iter().map(|member| kind_of(file, *member, steps));
            let first = kinds.next()??;
            kinds.all(|kind| kind == Some(first)).then_some(first)
        }
        Type::Resource { .. } | Type::Unknown => None,
    }
}

fn types_of(bytes: &[u8]) -> Vec<Type> {
    let bump = Bump::new();
    let text: &str = bump.alloc_str(std::str::from_utf8(bytes).unwrap_or_default());
    let root = crate::json::parse(&bump, text, FileId::default()).root;
    root.items().iter().map(type_of).collect()
}

fn type_of(node: &Node<'_>) -> Type {
    match node.get("$type").and_then(Node::as_str) {
        Some("StringType" | "StringLiteralType") => Type::Plain("string"),
        Some("IntegerType") => Type::Plain("int"),
        Some("BooleanType") => Type::Plain("bool"),
        Some("ArrayType") => Type::Array(node.get("itemType").and_then(reference)),
        Some("ObjectType" | "DiscriminatedObjectType") => {
            let properties = ["properties", "baseProperties"]
                .iter()
                .filter_map(|key| node.get(key))
                .flat_map(Node::entries)
                .filter_map(|entry| {
                    let of = entry.value.get("type").and_then(reference)?;
                    Some((entry.key.to_owned(), of))
                });
            Type::Object {
                properties: properties.collect(),
                others: node.get("additionalProperties").and_then(reference),
            }
        }
        Some("UnionType") => {
            let members = node.get("elements").into_iter().flat_map(Node::items);
            Type::Union(members.filter_map(reference).collect())
        }
        Some("ResourceType") => match (
            node.get("name").and_then(Node::as_str),
            node.get("body").and_then(reference),
        ) {
            (Some(name), Some(body)) => Type::Resource {
                name: name.to_owned(),
                body,
            },
            _ => Type::Unknown,
        },
        _ => Type::Unknown,
    }
}

/// `{ "$ref": "#/12" }`
fn reference(node: &Node<'_>) -> Option<usize> {
    match node.kind {
        NodeKind::Object(_) => node
            .get("$ref")
            .and_then(Node::as_str)?
            .strip_prefix("#/")?
            .parse()
            .ok(),
        _ => None,
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn lower_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}
