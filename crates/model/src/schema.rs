//! The types of Kubernetes' own objects. A value of another type is refused by the API server;
//! to a rule it would look like an absent one, so such an object is reported and not judged.
//!
//! Left out: unknown fields, enumerations, formats, and whatever depends on two fields.

use std::collections::HashMap;

use cel::{Node as _, View};

use crate::value::Ref;

/// Field types by API version and kind, as `guide/data/kubernetes-types.txt` lists them.
#[derive(Debug, Default)]
pub struct Schema {
    kinds: HashMap<(Box<str>, Box<str>), usize>,
    structs: Vec<Struct>,
}

/// Fields by name.
#[derive(Debug, Default)]
struct Struct {
    fields: HashMap<Box<str>, Type>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    Any,
    Bool,
    Int,
    Number,
    Text,
    IntOrText,
    Quantity,
    List(Box<Self>),
    Map(Box<Self>),
    Struct(usize),
}

impl Schema {
    /// Reads the data file. Lines that are not understood are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut schema = Self::default();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let (kinds, structs) = text.split_once("[structs]\n").unwrap_or((text, ""));
        for line in structs.lines() {
            if let Some(name) = line.split(' ').next() {
                numbers.insert(name, numbers.len());
            }
        }
        schema.structs = structs
            .lines()
            .map(|line| {
                let fields = line
                    .split(' ')
                    .skip(1)
                    .filter_map(|field| field.split_once('='))
                    .map(|(name, kind)| (name.into(), Type::parse(kind, &numbers)))
                    .collect();
                Struct { fields }
            })
            .collect();
        for line in kinds.lines().filter(|line| !line.starts_with(['#', '['])) {
            let mut words = line.split(' ');
            if let (Some(version), Some(kind), Some(name)) =
                (words.next(), words.next(), words.next())
                && let Some(number) = numbers.get(name)
            {
                schema.kinds.insert((version.into(), kind.into()), *number);
            }
        }
        schema
    }

    /// The first value whose type the API server would refuse, with a sentence about it.
    #[must_use]
    pub fn problem<'d>(
        &self,
        api_version: &str,
        kind: &str,
        object: Ref<'d>,
    ) -> Option<(String, Ref<'d>)> {
        let number = self.kinds.get(&(Box::from(api_version), Box::from(kind)))?;
        let mut route = Vec::new();
        let (expected, at) = self.check_struct(*number, object, &mut route, 0)?;
        let mut path = String::new();
        for step in route {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(&step);
        }
        Some((format!("`{path}` must be {expected}, not {}", name(at)), at))
    }

    fn check_struct<'d>(
        &self,
        number: usize,
        value: Ref<'d>,
        route: &mut Vec<String>,
        depth: usize,
    ) -> Option<(&'static str, Ref<'d>)> {
        let fields = &self.structs.get(number)?.fields;
        for (key, _, entry) in value.entries() {
            let Some(kind) = fields.get(key) else {
                continue;
            };
            if let Some(found) = self.check(kind, entry, route, depth + 1) {
                route.insert(0, key.to_owned());
                return Some(found);
            }
        }
        None
    }

    fn check<'d>(
        &self,
        kind: &Type,
        value: Ref<'d>,
        route: &mut Vec<String>,
        depth: usize,
    ) -> Option<(&'static str, Ref<'d>)> {
        if depth > 60 {
            return None;
        }
        let view = value.view();
        // What was struck out, left open or is null does not tell its type.
        if matches!(view, View::Unknown(_) | View::Null) {
            return None;
        }
        let wrong = |expected| Some((expected, value));
        match kind {
            Type::Any => None,
            Type::Bool if !matches!(view, View::Bool(_)) => wrong("true or false"),
            Type::Int if !is_integer(view) => wrong("an integer"),
            Type::Number if !matches!(view, View::Int(_) | View::Uint(_) | View::Double(_)) => {
                wrong("a number")
            }
            Type::Text if !matches!(view, View::Str(_)) => wrong("a string"),
            Type::IntOrText if !(is_integer(view) || matches!(view, View::Str(_))) => {
                wrong("an integer or a string")
            }
            Type::Quantity
                if !matches!(
                    view,
                    View::Int(_) | View::Uint(_) | View::Double(_) | View::Str(_)
                ) =>
            {
                wrong("a quantity")
            }
            Type::List(item) => {
                if !value.is_list() {
                    return wrong("a list");
                }
                for (index, each) in value.items().enumerate() {
                    if let Some(found) = self.check(item, each, route, depth + 1) {
                        route.insert(0, format!("[{index}]"));
                        return Some(found);
                    }
                }
                None
            }
            Type::Map(item) => {
                if !value.is_map() {
                    return wrong("a map");
                }
                for (key, _, each) in value.entries() {
                    if let Some(found) = self.check(item, each, route, depth + 1) {
                        route.insert(0, format!("[\"{key}\"]"));
                        return Some(found);
                    }
                }
                None
            }
            Type::Struct(_) if !value.is_map() => wrong("a map"),
            Type::Struct(number) => self.check_struct(*number, value, route, depth),
            Type::Bool
            | Type::Int
            | Type::Number
            | Type::Text
            | Type::IntOrText
            | Type::Quantity => None,
        }
    }
}

impl Type {
    fn parse(text: &str, numbers: &HashMap<&str, usize>) -> Self {
        if let Some(item) = text.strip_prefix("[]") {
            return Self::List(Box::new(Self::parse(item, numbers)));
        }
        if let Some(item) = text.strip_prefix("{}") {
            return Self::Map(Box::new(Self::parse(item, numbers)));
        }
        if let Some(name) = text.strip_prefix('#') {
            return numbers
                .get(name)
                .map_or(Self::Any, |number| Self::Struct(*number));
        }
        match text {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" | "number" => Self::Number,
            "string" | "time" | "microtime" | "duration" | "bytes" => Self::Text,
            "intOrString" => Self::IntOrText,
            "quantity" => Self::Quantity,
            _ => Self::Any,
        }
    }
}

/// Whether Go would read it as an integer: `1.0` reaches it as `1`.
fn is_integer(view: View<'_>) -> bool {
    match view {
        View::Int(_) | View::Uint(_) => true,
        View::Double(value) => value.fract() == 0.0,
        _ => false,
    }
}

fn name(value: Ref<'_>) -> &'static str {
    match value.view() {
        View::Null | View::Unknown(_) => "nothing",
        View::Bool(_) => "true or false",
        View::Int(_) | View::Uint(_) => "an integer",
        View::Double(_) => "a number",
        View::Str(_) => "a string",
        View::List(_) => "a list",
        View::Map(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use cel::Symbols;

    use super::Schema;
    use crate::doc::{Dialect, DocBuilder};

    const TYPES: &str = "[kinds]\nv1 Pod Pod\n[structs]\nPod spec=#Spec metadata=#Meta\nSpec hostPID=bool containers=[]#C\nC name=string args=[]string\nMeta annotations={}string\n";

    fn problem(text: &str) -> Option<String> {
        let symbols = Symbols::default();
        let mut builder = DocBuilder::new(&symbols, Dialect::Plain, text.into(), 1);
        let root = yaml::parse(text, &yaml::Limits::default(), &mut builder)
            .unwrap()
            .unwrap();
        let doc = builder.finish(root);
        Schema::parse(TYPES)
            .problem("v1", "Pod", doc.root())
            .map(|(message, _)| message)
    }

    #[test]
    fn names_the_first_wrong_value() {
        assert_eq!(
            problem("spec: {hostPID: true, containers: [{name: a, args: [b]}]}"),
            None
        );
        assert_eq!(
            problem("spec: {hostPID: 'true'}").unwrap(),
            "`spec.hostPID` must be true or false, not a string"
        );
        assert_eq!(
            problem("spec: {containers: [{name: a, args: [1]}]}").unwrap(),
            "`spec.containers[0].args[0]` must be a string, not an integer"
        );
        assert_eq!(
            problem("metadata: {annotations: {a/b: true}}").unwrap(),
            "`metadata.annotations[\"a/b\"]` must be a string, not true or false"
        );
        assert_eq!(
            problem("spec: {containers: {}}").unwrap(),
            "`spec.containers` must be a list, not a map"
        );
    }
}
