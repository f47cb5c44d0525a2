//! ARM templates: any text is read and evaluated to its end, every place is a place in it, and
//! an expression that was read is printed so that it is read the same.

#![no_main]

use bicep::expand::{self, Options};
use bicep::expression::{self, Place};
use bicep::json;
use bicep::node::{Node, NodeKind};
use bicep::source::{FileId, NoFiles, Span};
use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let bump = Bump::new();
    let parsed = json::parse(&bump, text, FileId(0));
    for problem in &parsed.problems {
        inside(text, problem.span);
    }
    node(text, &parsed.root);
    node(text, &json::parse_data(&bump, text, FileId(0)).root);
    expand::expand_text(
        "main.json",
        text,
        &NoFiles,
        |_, _| Options::default(),
        |expansion, sources| {
            for span in expansion
                .problems
                .iter()
                .map(|problem| problem.span)
                .chain(expansion.resources.iter().map(|resource| resource.span))
            {
                let text = sources.get(span.file).map_or("", |source| source.text);
                inside(text, span);
            }
        },
    );
});

fn inside(text: &str, span: Span) {
    let place = span.start as usize..span.end as usize;
    assert!(text.get(place).is_some(), "{span:?}");
}

fn node(text: &str, at: &Node<'_>) {
    inside(text, at.span);
    for item in at.items() {
        node(text, item);
    }
    for entry in at.entries() {
        inside(text, entry.key_span);
        node(text, &entry.value);
    }
    if let NodeKind::Expr(expr) = at.kind {
        let bump = Bump::new();
        let printed = expression::print(expr);
        let place = Place::Whole(Span::default());
        match expression::parse(&bump, &printed, place) {
            Ok(again) => assert_eq!(printed, expression::print(&again)),
            Err(problem) => panic!("{problem:?} in {printed}"),
        }
    }
}
