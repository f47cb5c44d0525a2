//! Configurations in memory, and values in words.

use std::collections::BTreeMap;

use bicep::source::Sources;
use bicep::value::{Data, Value};
use bumpalo::Bump;
use terraform::files::Files;
use terraform::output::Reading;
use terraform::reading::{Options, configuration};

/// Files by path.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Memory {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }
}

impl Files for Memory {
    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let prefix = match folder {
            "." => String::new(),
            folder => format!("{folder}/"),
        };
        let names: Vec<String> = self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            return Err(format!("there is no folder `{folder}`"));
        }
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0
            .get(path)
            .map(|text| text.clone().into_bytes())
            .ok_or_else(|| format!("there is no file `{path}`"))
    }
}

/// What a configuration comes to.
pub(crate) fn read<'a>(arena: &'a Bump, sources: &mut Sources<'a>, files: &Memory) -> Reading<'a> {
    configuration(arena, files, sources, ".", &Options::default(), None)
}

/// A value as JSON; what is open as `<text>`, what is secret as `<!text>`.
pub(crate) fn words(value: &Value<'_>) -> String {
    match value.data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => value.to_string(),
        Data::Str(text) => format!("{text:?}"),
        Data::Array(items) => {
            let items: Vec<String> = items.iter().map(words).collect();
            format!("[{}]", items.join(","))
        }
        Data::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.key, words(&field.value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Data::Unknown(unknown) => {
            let mark = if unknown.secret { "!" } else { "" };
            let certain: Vec<String> = unknown
                .fields
                .iter()
                .map(|field| format!(" {}:{}", field.key, words(&field.value)))
                .chain(unknown.items.iter().map(|item| format!(" {}", words(item))))
                .collect();
            format!("<{mark}{}{}>", unknown.text, certain.concat())
        }
    }
}

/// The outputs of a configuration of one file, or what is wrong with it.
pub(crate) fn outputs(text: &str) -> BTreeMap<String, String> {
    outputs_of(&Memory::of(&[("main.tf", text)]))
}

/// The outputs of a configuration, or what is wrong with it.
pub(crate) fn outputs_of(files: &Memory) -> BTreeMap<String, String> {
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, files);
    let mut found: BTreeMap<String, String> = reading
        .outputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), words(value)))
        .collect();
    for (at, problem) in reading.problems.iter().enumerate() {
        let (line, column) = sources.line_column(problem.span);
        let text = format!("{line}:{column}: {}", problem.message);
        found.insert(format!("problem {at}"), text);
    }
    found
}
