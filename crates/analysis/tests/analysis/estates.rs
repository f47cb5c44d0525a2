//! Estates from text and from JSON objects, and random numbers that are the same every time.

use cel::Symbols;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::{Estate, Origin, Resource, Scope};
use serde_json::Value;

/// Reads documents as files would be read.
pub(crate) fn resources<'t>(texts: impl IntoIterator<Item = &'t str>, form: Form) -> Vec<Resource> {
    let symbols = Symbols::default();
    let (managed, defaults) = (Managed::default(), model::azure::Defaults::default());
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut all = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        let origin = Origin {
            path: "estate.yaml".into(),
            index: index as u32,
            rendered_by: None,
            live: false,
        };
        all.extend(reader.read(text, form, 1, &origin).resources);
    }
    all
}

/// Resources as Azure answers with them.
pub(crate) fn azure(resources: &[Value]) -> Vec<Resource> {
    let symbols = Symbols::default();
    let (managed, defaults) = (Managed::default(), model::azure::Defaults::default());
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let read = |resource: &Value| {
        let origin = Origin {
            path: resource["id"].as_str().unwrap().into(),
            index: 0,
            rendered_by: None,
            live: true,
        };
        model::azure::live::read(&reader, &resource.to_string(), &origin).resources
    };
    resources.iter().flat_map(read).collect()
}

pub(crate) fn estate(scope: Scope, resources: Vec<Resource>) -> Estate {
    let mut estate = Estate::new(scope);
    for resource in resources {
        estate.add(resource);
    }
    estate
}

/// YAML documents between `---`.
pub(crate) fn yaml(text: &str) -> Vec<Resource> {
    resources(text.split("\n---\n"), Form::Yaml)
}

/// API objects.
pub(crate) fn json<'v>(objects: impl IntoIterator<Item = &'v Value>) -> Vec<Resource> {
    let texts: Vec<String> = objects.into_iter().map(Value::to_string).collect();
    resources(texts.iter().map(String::as_str), Form::Json)
}

/// SplitMix64: the same numbers for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Once in `of` times.
    pub(crate) fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }
}

/// A number from the environment: how many random estates a test takes.
pub(crate) fn rounds(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
