//! The tables of a document, which documents of one shape may share: hundreds of Pods of one maker differ in the
//! letters of their text, and in nothing else.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Doc, MapEntry, Node};

/// A list that is a document's own until it is shared.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// Empty where it is shared.
    own: Vec<T>,
    shared: Option<Arc<[T]>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Table<T> {
    fn from(own: Vec<T>) -> Self {
        Self { own, shared: None }
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.shared.as_deref().unwrap_or(&self.own)
    }
}

impl<T: Clone> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.own()
    }
}

impl<'t, T> IntoIterator for &'t Table<T> {
    type Item = &'t T;
    type IntoIter = std::slice::Iter<'t, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Clone> Table<T> {
    /// The list to change it: a shared one is copied.
    fn own(&mut self) -> &mut Vec<T> {
        if let Some(list) = self.shared.take() {
            self.own = list.to_vec();
        }
        &mut self.own
    }

    pub(crate) fn push(&mut self, item: T) {
        self.own().push(item);
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        self.own().extend(items);
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.own().shrink_to_fit();
    }
}

/// Lists that documents share, and from time to time those that none uses any more are let go.
#[derive(Debug)]
struct Lists<T> {
    known: HashSet<Arc<[T]>>,
    next: usize,
}

/// As many lists are known before it is looked for the first time which are used.
const FIRST: usize = 1024;

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            next: FIRST,
        }
    }
}

impl<T: Hash + Eq + Clone> Lists<T> {
    fn shared(&mut self, list: &[T]) -> Arc<[T]> {
        if let Some(known) = self.known.get(list) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.next {
            self.known.retain(|list| Arc::strong_count(list) > 1);
            self.next = FIRST.max(2 * self.known.len());
        }
        let list: Arc<[T]> = list.into();
        self.known.insert(Arc::clone(&list));
        list
    }

    fn share(&mut self, table: &mut Table<T>) {
        let shared = Some(self.shared(table));
        let own = Vec::new();
        *table = Table { own, shared };
    }
}

/// The shapes of documents that are kept for long.
#[derive(Debug, Default)]
pub struct Shapes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    nodes: Lists<Node>,
    entries: Lists<MapEntry>,
    numbers: Lists<u32>,
}

impl Shapes {
    /// Lets a document share what it has in common with others. Whoever changes it makes it its own again.
    pub fn share(&self, doc: &mut Doc) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.nodes.share(&mut doc.nodes);
        known.entries.share(&mut doc.entries);
        known.numbers.share(&mut doc.items);
        if let Some(lines) = &mut doc.led_lines {
            *lines = known.numbers.shared(lines);
        }
    }
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let numbers = [self.a, self.b, self.span.start, self.span.end];
        (self.kind as u8, numbers).hash(state);
    }
}

impl Hash for MapEntry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (a, b) = self.key;
        let span = self.key_span;
        let symbol = u32::from(self.symbol.0);
        [symbol, a, b, span.start, span.end, self.value].hash(state);
    }
}

#[cfg(test)]
mod tests {
    use cel::Env;

    use super::Shapes;
    use crate::doc::{Dialect, Doc, DocBuilder};
    use crate::value::Ref;

    fn doc(env: &Env, name: &str) -> Doc {
        let text = format!("kind: Pod\nname: {name}\nlist: [1, {{a: b}}]\n");
        let mut builder = DocBuilder::new(env.symbols(), Dialect::Plain, text.as_str().into(), 1);
        let root = yaml::parse(&text, &yaml::Limits::default(), &mut builder)
            .unwrap()
            .unwrap();
        builder.finish(root)
    }

    #[test]
    fn documents_of_one_shape_share_it_and_keep_their_words() {
        let env = Env::new();
        let shapes = Shapes::default();
        let (mut one, mut two, mut other) =
            (doc(&env, "web-1"), doc(&env, "web-2"), doc(&env, "w"));
        for doc in [&mut one, &mut two, &mut other] {
            shapes.share(doc);
        }
        let same = |a: &Doc, b: &Doc| std::ptr::eq(&*a.nodes, &*b.nodes);
        assert!(same(&one, &two) && !same(&one, &other));
        for (doc, name) in [(&one, "web-1"), (&two, "web-2"), (&other, "w")] {
            assert_eq!(doc.root().get("name").and_then(Ref::as_str), Some(name));
        }
        // What is changed is its own again.
        two.redact(two.root);
        assert!(!same(&one, &two));
        assert_eq!(one.root().get("name").and_then(Ref::as_str), Some("web-1"));
        assert_eq!(two.root().get("name").and_then(Ref::as_str), None);
    }

    #[test]
    fn shapes_that_nobody_uses_are_let_go() {
        let env = Env::new();
        let shapes = Shapes::default();
        for number in 0..3000 {
            shapes.share(&mut doc(&env, &"x".repeat(1 + number)));
        }
        assert!(shapes.0.lock().unwrap().nodes.known.len() <= super::FIRST);
    }
}
