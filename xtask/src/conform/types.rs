//! The types of resources' properties, from a checkout of bicep-types-az.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::places::entries;

/// All types of one provider and version.
type File = Rc<Value>;

pub(crate) struct Types {
    /// By provider and version, both in lower case.
    places: HashMap<(String, String), Vec<PathBuf>>,
    read: RefCell<HashMap<PathBuf, Option<File>>>,
}

impl Types {
    pub(crate) fn new(root: &Path) -> Self {
        let mut places: HashMap<(String, String), Vec<PathBuf>> = HashMap::new();
        let name = |path: &Path| {
            path.file_name()
                .map(|name| name.to_string_lossy().to_lowercase())
                .unwrap_or_default()
        };
        let below = |path: &Path| entries(path).unwrap_or_default();
        for group in below(&root.join("generated")) {
            for provider in group.is_dir().then(|| below(&group)).into_iter().flatten() {
                for version in provider
                    .is_dir()
                    .then(|| below(&provider))
                    .into_iter()
                    .flatten()
                {
                    places
                        .entry((name(&provider), name(&version)))
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

    fn file(&self, path: &Path) -> Option<File> {
        if let Some(known) = self.read.borrow().get(path) {
            return known.clone();
        }
        let file = fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .map(Rc::new);
        self.read.borrow_mut().insert(path.to_owned(), file.clone());
        file
    }

    /// The file that defines a type, and its number there.
    fn find(&self, resource: &str) -> Option<(File, usize)> {
        let (kind, version) = resource.split_once('@')?;
        let provider = kind.split('/').next()?.to_lowercase();
        let places = self.places.get(&(provider, version.to_lowercase()))?;
        places.iter().find_map(|place| {
            let file = self.file(place)?;
            let at = file.as_array()?.iter().position(|of| {
                of.get("$type").and_then(Value::as_str) == Some("ResourceType")
                    && of
                        .get("name")
                        .and_then(Value::as_str)
                        .is_some_and(|name| name.eq_ignore_ascii_case(resource))
            })?;
            Some((file, at))
        })
    }

    /// The name of a type as it is defined.
    pub(crate) fn name(&self, resource: &str) -> Option<String> {
        let (file, at) = self.find(resource)?;
        let name = file.get(at)?.get("name")?.as_str()?;
        Some(name.to_owned())
    }

    /// `string`, `int`, `bool`, `array` or `object`.
    pub(crate) fn kind(&self, resource: &str, pointer: &[&str]) -> Option<String> {
        {
            let (file, at) = self.find(resource)?;
            let found = file.get(at)?;
            let mut at = follow(&file, found.get("body")?)?;
            let mut segments = pointer.iter();
            while let Some(segment) = segments.next() {
                let next = match *segment {
                    "properties" => property(&file, at, segments.next()?)?,
                    "additionalProperties" => at.get("additionalProperties")?,
                    "items" => at.get("itemType")?,
                    _ => return None,
                };
                at = follow(&file, next)?;
            }
            name(&file, at)
        }
    }
}

fn follow<'f>(file: &'f Value, reference: &Value) -> Option<&'f Value> {
    let number = reference.get("$ref")?.as_str()?.strip_prefix("#/")?;
    file.as_array()?.get(number.parse::<usize>().ok()?)
}

fn property<'f>(file: &'f Value, of: &'f Value, key: &str) -> Option<&'f Value> {
    ["properties", "baseProperties"]
        .iter()
        .find_map(|all| of.get(all)?.get(key)?.get("type"))
        .or_else(|| of.get("additionalProperties").filter(|_| !file.is_null()))
}

fn name(file: &Value, of: &Value) -> Option<String> {
    let name = match of.get("$type").and_then(Value::as_str)? {
        "StringType" | "StringLiteralType" => "string",
        "IntegerType" => "int",
        "BooleanType" => "bool",
        "ArrayType" => "array",
        "ObjectType" | "DiscriminatedObjectType" => "object",
        "UnionType" => {
            let members = of.get("elements")?.as_array()?;
            let names: Vec<_> = members
                .iter()
                .map(|member| name(file, follow(file, member)?))
                .collect::<Option<_>>()?;
            let first = names.first()?.clone();
            return names.iter().all(|name| *name == first).then_some(first);
        }
        _ => return None,
    };
    Some(name.to_owned())
}
