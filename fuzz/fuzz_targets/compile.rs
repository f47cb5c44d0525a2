//! Compiling any Bicep text ends, every place is a place in it, and what is printed is read as the
//! tree that it was printed from.

#![no_main]

use bicep::node::{Node, NodeKind};
use bicep::source::{FileId, Files, Found, Source, Sources};
use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;

/// The text is also every file and module that it names.
struct Itself<'t>(&'t str);

impl Files for Itself<'_> {
    fn file(&self, _from: &str, path: &str) -> Result<Found, String> {
        Ok(Found {
            name: path.to_owned(),
            bytes: self.0.as_bytes().to_vec(),
            published: false,
        })
    }

    fn module(&self, from: &str, reference: &str) -> Result<Found, String> {
        self.file(from, reference)
    }
}

fuzz_target!(|text: &str| {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text,
        published: false,
    });
    let (node, problems) = bicep::compile::compile(&bump, &mut sources, &Itself(text), file);
    for problem in &problems {
        assert!(inside(&sources, problem.span), "{problem:?}");
    }
    places(&sources, &node);
    let printed: &str = bump.alloc_str(&bicep::emit::emit(&node));
    let read = bicep::json::parse(&bump, printed, FileId(u32::MAX));
    assert_eq!(bicep::emit::emit(&read.root), printed);
});

fn inside(sources: &Sources<'_>, span: bicep::source::Span) -> bool {
    sources.get(span.file).is_some_and(|source| {
        source
            .text
            .get(span.start as usize..span.end as usize)
            .is_some()
    })
}

fn places(sources: &Sources<'_>, root: &Node<'_>) {
    let mut open = vec![*root];
    while let Some(node) = open.pop() {
        assert!(inside(sources, node.span), "{node:?}");
        match node.kind {
            NodeKind::Array(items) => open.extend(items),
            NodeKind::Object(entries) => open.extend(entries.iter().map(|entry| entry.value)),
            _ => {}
        }
    }
}
