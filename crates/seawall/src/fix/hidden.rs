//! Which texts of files are never shown: values of Secrets, and what looks like a credential.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::guide::Guide;
use model::doc::{Dialect, DocBuilder};
use model::{Estate, Ref, secrets};
use yaml::Span;

use super::rendered::masked;

/// Places of hidden values by file: first line and column, last line and column (from 1; the last is past the end).
#[derive(Debug, Default)]
pub(crate) struct Hidden(BTreeMap<Arc<str>, Vec<[u32; 4]>>);

impl Hidden {
    pub(crate) fn of(estate: &Estate) -> Self {
        let mut hidden = Self::default();
        let mut seen = BTreeSet::new();
        for resource in estate.resources() {
            // What is rendered has the lines of its source, and columns of its own: see `of_source`.
            if resource.origin.rendered_by.is_some() {
                continue;
            }
            // What Secrets hold was dropped when they were read; where it stands is known.
            let mut spans = values(resource.object());
            // The items of a list share its document.
            if seen.insert(Arc::as_ptr(&resource.doc)) {
                spans.extend(secrets::secret_spans(resource.doc.root()));
            }
            for span in spans {
                let (first, column) = resource.doc.line_column(span.start);
                let (last, end) = resource.doc.line_column(span.end);
                hidden
                    .0
                    .entry(resource.origin.path.clone())
                    .or_default()
                    .push([first, column, last, end]);
            }
        }
        hidden
    }

    /// The same of a file that objects are rendered from, which was not read as one of objects.
    pub(crate) fn of_source(guide: &Guide, text: &str) -> Vec<String> {
        let text = masked(text);
        let mut hidden = BTreeSet::new();
        for raw in yaml::documents(&text) {
            let copy = (&*raw.text).into();
            let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, copy, raw.line);
            let Ok(Some(root)) = raw.parse(&yaml::Limits::default(), &mut builder) else {
                continue;
            };
            let doc = builder.finish(root);
            let root = doc.root();
            let items = root.get("items").map(|list| list.items());
            let mut spans = values(root);
            spans.extend(items.into_iter().flatten().flat_map(values));
            spans.extend(secrets::secret_spans(root));
            for span in spans {
                let part = raw.text.get(span.start as usize..span.end as usize);
                let lines = part.unwrap_or_default().lines().map(str::trim);
                hidden.extend(lines.filter(|line| line.len() > 2).map(str::to_owned));
            }
        }
        longest_first(hidden)
    }

    /// The texts themselves, line by line, longest first.
    pub(crate) fn texts(&self, path: &Arc<str>, text: &str) -> Vec<String> {
        let Some(places) = self.0.get(path) else {
            return Vec::new();
        };
        let lines: Vec<&str> = text.lines().collect();
        let mut hidden = BTreeSet::new();
        for [first, column, last, end] in places {
            for number in *first..=*last {
                let Some(line) = lines.get((number as usize).saturating_sub(1)) else {
                    continue;
                };
                let from = if number == *first { *column } else { 1 };
                let to = if number == *last { *end } else { u32::MAX };
                let part: String = line
                    .chars()
                    .skip(from as usize - 1)
                    .take(to.saturating_sub(from) as usize)
                    .collect();
                let part = part.trim();
                // Striking out `0` or `no` everywhere would hide the page.
                if part.len() > 2 {
                    hidden.insert(part.to_owned());
                }
            }
        }
        longest_first(hidden)
    }
}

/// Where a Secret says what it holds; nothing for other objects.
fn values(object: Ref<'_>) -> Vec<Span> {
    if object.get("kind").and_then(Ref::as_str) != Some("Secret") {
        return Vec::new();
    }
    // `kubectl apply` keeps a copy of the whole object in an annotation.
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    let data = [object.get("data"), object.get("stringData")];
    let data = data.into_iter().flatten();
    let entries = data.flat_map(|data| data.entries().map(|(_, _, value)| value.span()));
    let copy = object.path(&["metadata", "annotations", applied]);
    entries.chain(copy.map(|copy| copy.span())).collect()
}

fn longest_first(hidden: BTreeSet<String>) -> Vec<String> {
    let mut hidden: Vec<String> = hidden.into_iter().collect();
    hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
    hidden
}
