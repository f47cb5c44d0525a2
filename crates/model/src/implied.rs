//! Objects that nobody gave and that others name.

use std::sync::Arc;

use cel::Symbols;
use yaml::{Build as _, Entry, Span};

use crate::doc::{Dialect, Doc, DocBuilder};
use crate::resource::Resource;

/// The object of a namespace that others name and that was not read: its labels are unknown,
/// or absent when the estate is whole.
pub(crate) fn namespace(
    symbols: &Symbols,
    name: &str,
    witness: &Resource,
    whole: bool,
) -> Arc<Doc> {
    // Every value stands where the witness says the namespace.
    let object = witness.object();
    let place = object
        .path(&["metadata", "namespace"])
        .unwrap_or(object)
        .span();
    let (line, start) = witness.doc.line_at(place.start);
    let number = witness.doc.line_column(place.start).0;
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, line.into(), number);
    let none = Span {
        start: place.start - start,
        end: (place.end - start).min(line.len() as u32),
    };
    let text = |builder: &mut DocBuilder<'_>, value: &str| builder.string(value, none);
    let entry = |key: &'static str, value| Entry {
        key: key.into(),
        key_span: none,
        value,
        merged: false,
    };
    let api_version = text(&mut builder, "v1");
    let kind = text(&mut builder, "Namespace");
    let name = text(&mut builder, name);
    let metadata = if whole {
        builder.map(&[entry("name", name)], none)
    } else {
        let labels = builder.not_given(none);
        let annotations = builder.not_given(none);
        builder.map(
            &[
                entry("name", name),
                entry("labels", labels),
                entry("annotations", annotations),
            ],
            none,
        )
    };
    let root = builder.map(
        &[
            entry("apiVersion", api_version),
            entry("kind", kind),
            entry("metadata", metadata),
        ],
        none,
    );
    Arc::new(builder.finish(root))
}
