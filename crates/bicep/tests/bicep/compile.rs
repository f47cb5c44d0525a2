//! Compiling Bicep: what stands in the template, and where it comes from.

#[path = "compile/imports.rs"]
mod imports;
#[path = "compile/mistakes.rs"]
mod mistakes;
#[path = "compile/modules.rs"]
mod modules;
#[path = "compile/parameters_file.rs"]
mod parameters_file;
#[path = "compile/places.rs"]
mod places;
#[path = "compile/resources.rs"]
mod resources;
#[path = "compile/robust.rs"]
mod robust;
#[path = "compile/types.rs"]
mod types;
#[path = "compile/values.rs"]
mod values;

use std::collections::HashMap;

use bicep::deployment::{Problem, ProblemKind};
use bicep::source::{FileId, Files, Found, Source, Sources};
use bumpalo::Bump;
use serde_json::Value;

/// Files that are only texts.
#[derive(Debug, Default)]
struct Texts(HashMap<String, Vec<u8>>);

impl Texts {
    fn with(files: &[(&str, &str)]) -> Self {
        let texts = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        Self(texts.collect())
    }
}

impl Files for Texts {
    fn file(&self, _from: &str, path: &str) -> Result<Found, String> {
        let name = path.trim_start_matches("./").to_owned();
        let bytes = self.0.get(&name).cloned().ok_or("there is none")?;
        Ok(Found {
            name,
            bytes,
            published: false,
        })
    }

    fn list(&self, _from: &str, folder: &str) -> Result<Vec<String>, String> {
        let names = self.0.keys().filter(|name| name.starts_with(folder));
        Ok(names.cloned().collect())
    }

    fn module(&self, _from: &str, reference: &str) -> Result<Found, String> {
        let bytes = self.0.get(reference).cloned().ok_or("it is nowhere")?;
        Ok(Found {
            name: reference.to_owned(),
            bytes,
            published: true,
        })
    }
}

/// A template as it is printed, and what went wrong.
struct Compiled {
    template: Value,
    problems: Vec<Problem>,
}

impl Compiled {
    /// The value at a pointer.
    #[track_caller]
    fn at(&self, pointer: &str) -> &Value {
        self.template
            .pointer(pointer)
            .unwrap_or_else(|| panic!("nothing at {pointer} in {:#}", self.template))
    }

    #[track_caller]
    fn has_not(&self, pointer: &str) {
        let found = self.template.pointer(pointer);
        assert!(found.is_none(), "{found:?} at {pointer}");
    }

    fn messages(&self) -> Vec<&str> {
        self.problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect()
    }

    fn kinds(&self) -> Vec<ProblemKind> {
        self.problems.iter().map(|problem| problem.kind).collect()
    }
}

/// Compiles `main.bicep`, with other files beside it.
fn compile_with(text: &str, files: &[(&str, &str)]) -> Compiled {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: bump.alloc_str(text),
        published: false,
    });
    let (node, problems) = bicep::compile::compile(&bump, &mut sources, &Texts::with(files), file);
    let printed = bicep::emit::emit(&node);
    // What is printed is read as the tree that it was printed from.
    let text: &str = bump.alloc_str(&printed);
    let read = bicep::json::parse(&bump, text, FileId(9));
    let deep = |problem: &Problem| problem.message.contains("too deeply");
    if !read.problems.iter().any(deep) {
        assert!(read.problems.is_empty(), "{:?} in {text}", read.problems);
        assert_eq!(bicep::emit::emit(&read.root), printed);
    }
    Compiled {
        template: serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{e}: {printed}")),
        problems,
    }
}

/// Compiles a text that has no problems.
#[track_caller]
fn compile(text: &str) -> Compiled {
    let compiled = compile_with(text, &[]);
    assert!(compiled.problems.is_empty(), "{:#?}", compiled.problems);
    compiled
}
