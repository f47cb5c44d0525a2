//! Where things are found by what they are called, however many there are: declarations by name,
//! resources by id or name. Ids and names of resources are only evaluated when a look-up gets as
//! far as them, in the order in which they are written. What a found resource comes to is in
//! [`super::references`].

use std::collections::{BTreeMap, HashMap};

use bumpalo::Bump;

use crate::evaluate::compare::{family, same_unknown};
use crate::evaluate::engine::Engine;
use crate::evaluate::text::sole_hole;
use crate::expand::instance::{Decl, Instance, Item, State};
use crate::node::Node;
use crate::value::{Data, Shape, Value};

/// Names, whatever their case, and where in a list they stand.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a>(&'a [(&'a str, usize)]);

impl<'a> Places<'a> {
    pub(crate) fn new(bump: &'a Bump, names: impl Iterator<Item = Option<&'a str>>) -> Self {
        let named = names
            .enumerate()
            .filter_map(|(at, name)| Some((name?, at)))
            .collect::<Vec<_>>();
        let places = bump.alloc_slice_copy(&named);
        // Of equal names the first one counts: the order of places is kept.
        places.sort_by(|(a, _), (b, _)| folded(a).cmp(folded(b)));
        Self(places)
    }

    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        let first = self
            .0
            .partition_point(|(own, _)| folded(own).lt(folded(name)));
        self.0
            .get(first)
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, at)| *at)
    }
}

fn folded(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// By what a resource is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'k> {
    /// Its id; the last segment of its type in lower case.
    Id(&'k str),
    Name,
}

/// Which declaration, and which of its iterations.
type Place = (usize, usize);

#[derive(Clone, Copy)]
enum Waiting<'a> {
    Decl(&'a Decl<'a>),
    Item(&'a Item<'a>),
}

/// Resources of one template by what they are called, as far as that was needed.
#[derive(Default)]
struct Index<'a> {
    waiting: BTreeMap<Place, Waiting<'a>>,
    known: HashMap<String, Vec<(Place, &'a Item<'a>)>>,
}

/// The resources of one template.
pub(crate) struct Directory<'a> {
    by_id: HashMap<String, Index<'a>>,
    by_name: Index<'a>,
}

impl<'a> Directory<'a> {
    fn new(instance: &Instance<'a>) -> Self {
        let mut by_id: HashMap<String, Index<'a>> = HashMap::new();
        let mut by_name = Index::default();
        for (at, decl) in instance.decls.iter().enumerate() {
            let kind = decl.node.get("type").and_then(Node::as_str);
            let last = last_segment(kind.unwrap_or_default()).to_ascii_lowercase();
            let waiting = Waiting::Decl(decl);
            let own = by_id.entry(last).or_default();
            own.waiting.insert((at, 0), waiting);
            by_name.waiting.insert((at, 0), waiting);
        }
        Self { by_id, by_name }
    }

    fn index(&mut self, way: Way<'_>) -> Option<&mut Index<'a>> {
        match way {
            Way::Id(last) => self.by_id.get_mut(last),
            Way::Name => Some(&mut self.by_name),
        }
    }
}

/// Resources of modules by the ids that are known.
#[derive(Default)]
pub(crate) struct Made<'a>(HashMap<String, Vec<&'a Item<'a>>>);

impl<'a> Made<'a> {
    pub(crate) fn add(&mut self, id: &Value<'a>, item: &'a Item<'a>) {
        for key in keys(id) {
            self.0.entry(key).or_default().push(item);
        }
    }

    /// The first one with an id.
    pub(crate) fn find(
        &self,
        target: &Value<'a>,
        fits: impl Fn(&'a Item<'a>) -> bool,
    ) -> Option<&'a Item<'a>> {
        let keys = keys(target);
        let found = keys.iter().filter_map(|key| self.0.get(key)).flatten();
        found.copied().find(|item| match item.id.get() {
            State::Done(id) => same_text(&id, target) && fits(item),
            _ => false,
        })
    }
}

impl<'a> Engine<'a> {
    /// The resources of a template that are called like something, in their order, until one is
    /// taken.
    pub(crate) fn look_up(
        &self,
        instance: &'a Instance<'a>,
        way: Way<'_>,
        target: &Value<'a>,
        take: &mut dyn FnMut(&'a Item<'a>) -> bool,
    ) -> bool {
        let keys = keys(target);
        if keys.is_empty() {
            return false;
        }
        let mut from = (0, 0);
        let mut seen = (0, 0);
        loop {
            let next = self.with_index(instance, way, |index| {
                index
                    .waiting
                    .range(from..)
                    .next()
                    .map(|(at, of)| (*at, *of))
            });
            let until = next.map_or((usize::MAX, 0), |(at, _)| at);
            for item in self.known(instance, way, &keys, seen, until) {
                if self.is_called(way, item, target) && take(item) {
                    return true;
                }
            }
            seen = seen.max(until);
            let Some((at, waiting)) = next else {
                return false;
            };
            from = (at.0, at.1 + 1);
            match waiting {
                Waiting::Decl(decl) => {
                    if decl.counting.get() {
                        continue;
                    }
                    let items = self.items(instance, decl);
                    self.with_index(instance, way, |index| {
                        // Counting them may have led here as well.
                        if index.waiting.remove(&at).is_some() {
                            let items = items.iter().enumerate();
                            let items = items.map(|(of, item)| ((at.0, of), Waiting::Item(item)));
                            index.waiting.extend(items);
                        }
                    });
                    from = at;
                }
                Waiting::Item(item) => {
                    let busy = matches!(item.name.get(), State::Doing)
                        || matches!((way, item.id.get()), (Way::Id(_), State::Doing));
                    if busy {
                        continue;
                    }
                    self.with_index(instance, way, |index| index.waiting.remove(&at));
                    let called = self.called(way, item);
                    self.with_index(instance, way, |index| {
                        for key in self::keys(&called) {
                            index.known.entry(key).or_default().push((at, item));
                        }
                    });
                }
            }
        }
    }

    fn called(&self, way: Way<'_>, item: &'a Item<'a>) -> Value<'a> {
        match way {
            Way::Id(_) => self.id(item),
            Way::Name => self.name(item),
        }
    }

    fn is_called(&self, way: Way<'_>, item: &'a Item<'a>, target: &Value<'a>) -> bool {
        same_text(&self.called(way, item), target)
    }

    /// What is known between two places.
    fn known(
        &self,
        instance: &'a Instance<'a>,
        way: Way<'_>,
        keys: &[String],
        from: Place,
        until: Place,
    ) -> Vec<&'a Item<'a>> {
        let mut found = Vec::new();
        self.with_index(instance, way, |index| {
            for key in keys {
                let known = index.known.get(key).into_iter().flatten();
                found.extend(known.filter(|(at, _)| (from..until).contains(at)));
            }
        });
        found.sort_by_key(|(at, _)| *at);
        found.dedup_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, item)| item).collect()
    }

    fn with_index<R: Default>(
        &self,
        instance: &'a Instance<'a>,
        way: Way<'_>,
        with: impl FnOnce(&mut Index<'a>) -> R,
    ) -> R {
        let mut directories = self.directories.borrow_mut();
        directories
            .entry(std::ptr::from_ref(instance).addr())
            .or_insert_with(|| Directory::new(instance))
            .index(way)
            .map(with)
            .unwrap_or_default()
    }
}

/// Under what a name or id is found: what is the same as another has a key in common with it.
fn keys(value: &Value<'_>) -> Vec<String> {
    match value.data {
        Data::Str(text) => vec![format!("={}", text.to_ascii_lowercase())],
        Data::Unknown(unknown) => {
            let mut keys = vec![format!("?{}", unknown.text.to_ascii_lowercase())];
            let hole = match family(unknown.shape) {
                Shape::String => sole_hole(unknown.text),
                _ => Some(unknown.text),
            };
            keys.extend(hole.map(|hole| format!("!{hole}")));
            keys
        }
        _ => Vec::new(),
    }
}

/// Names and ids: equal whatever the case of letters.
pub(crate) fn same_text(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a.data, b.data) {
        (Data::Str(a), Data::Str(b)) => a.eq_ignore_ascii_case(b),
        (Data::Unknown(a), Data::Unknown(b)) => {
            a.text.eq_ignore_ascii_case(b.text) || same_unknown(a, b)
        }
        _ => false,
    }
}

/// The last segment of a type.
pub(crate) fn last_segment(kind: &str) -> &str {
    kind.rsplit('/').next().unwrap_or_default()
}
