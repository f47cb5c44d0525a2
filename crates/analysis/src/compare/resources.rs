//! Which resources were added, removed, changed, and where in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::{Node as _, View};
use model::{Estate, Ref, Resource, ResourceName, secrets};
use yaml::Span;

/// What became of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is called.
    pub name: ResourceName,
    /// Where it stands: in the new estate, if it is there.
    pub path: Arc<str>,
    /// Its line; nothing for what is live.
    pub line: Option<u32>,
    /// What happened.
    pub what: What,
}

/// What happened to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It differs in these places, and in so many more.
    Changed(Vec<Field>, usize),
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `spec.template.spec.containers[app].image`: items with a name by their names.
    pub route: String,
    /// What stood there, as short JSON; `None`: nothing.
    pub old: Option<String>,
    /// What stands there now.
    pub new: Option<String>,
}

/// Places kept of a resource.
const KEPT: usize = 12;
/// Characters of a value.
const LONGEST: usize = 100;
/// Levels that are compared.
const DEEPEST: usize = 200;

/// What the server writes, and what says nothing of what is wanted.
const IGNORED: [&[&str]; 12] = [
    &["status"],
    &["etag"],
    &["systemData"],
    &["metadata", "resourceVersion"],
    &["metadata", "uid"],
    &["metadata", "generation"],
    &["metadata", "creationTimestamp"],
    &["metadata", "managedFields"],
    &["metadata", "selfLink"],
    &[
        "metadata",
        "annotations",
        "kubectl.kubernetes.io/last-applied-configuration",
    ],
    &[
        "metadata",
        "annotations",
        "deployment.kubernetes.io/revision",
    ],
    &["properties", "provisioningState"],
];

/// The path as it is below one of the roots that were given: the same for the same file of two folders.
#[must_use]
pub fn relative(path: &str, roots: &[String]) -> Option<String> {
    roots.iter().find_map(|root| {
        let root = root.trim_start_matches("./").trim_end_matches('/');
        if root.is_empty() || root == "." {
            return None;
        }
        let rest = path.strip_prefix(root)?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(rest.to_owned()),
            // The file itself was given: whatever it is called, it stands for the other.
            None if rest.is_empty() => Some(String::new()),
            None => None,
        }
    })
}

/// An estate, and the paths that it was read from.
pub type Side<'a> = (&'a Estate, &'a [String]);

/// Compares all resources; sorted by kind, namespace and name.
#[must_use]
pub fn compare(old: Side<'_>, new: Side<'_>) -> Vec<Change> {
    let before = by_id(old.0);
    let after = by_id(new.0);
    let roots = (old.1, new.1);
    let mut changes = Vec::new();
    for (id, olds) in &before {
        let news = after.get(id).map_or(&[][..], Vec::as_slice);
        pairs(olds, news, roots, &mut changes);
    }
    for (id, news) in &after {
        if !before.contains_key(id) {
            pairs(&[], news, roots, &mut changes);
        }
    }
    changes.sort_by(|one, other| {
        let key = |change: &Change| {
            (
                change.name.kind.name().to_owned(),
                change.name.namespace.clone(),
                change.name.name.clone(),
                Arc::clone(&change.path),
            )
        };
        key(one).cmp(&key(other))
    });
    changes
}

/// The resources that people wrote, by id.
fn by_id(estate: &Estate) -> BTreeMap<String, Vec<&Resource>> {
    let template = model::azure::template::kind();
    let mut all: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for resource in estate.resources() {
        if resource.implied || resource.name.kind == template || estate.is_owned(resource) {
            continue;
        }
        let id = match &resource.azure {
            Some(azure) => azure.id.to_ascii_lowercase(),
            None => resource.name.id(),
        };
        all.entry(id).or_default().push(resource);
    }
    all
}

/// Those of one id: the same file first, then what is left in its order.
fn pairs(
    olds: &[&Resource],
    news: &[&Resource],
    roots: (&[String], &[String]),
    changes: &mut Vec<Change>,
) {
    let below = |resource: &Resource, roots: &[String]| {
        let path = &resource.origin.path;
        relative(path, roots).unwrap_or_else(|| path.to_string())
    };
    let mut left: Vec<Option<&Resource>> = news.iter().copied().map(Some).collect();
    let mut unmatched = Vec::new();
    for old in olds {
        let path = below(old, roots.0);
        let same = left
            .iter_mut()
            .find(|new| new.is_some_and(|new| below(new, roots.1) == path));
        match same.and_then(Option::take) {
            Some(new) => changes.extend(changed(old, new)),
            None => unmatched.push(*old),
        }
    }
    for old in unmatched {
        match left
            .iter_mut()
            .find(|new| new.is_some())
            .and_then(Option::take)
        {
            Some(new) => changes.extend(changed(old, new)),
            None => changes.push(change(old, What::Removed)),
        }
    }
    for new in left.into_iter().flatten() {
        changes.push(change(new, What::Added));
    }
}

fn change(resource: &Resource, what: What) -> Change {
    let object = resource.object();
    let place = object
        .get("kind")
        .or_else(|| object.get("type"))
        .unwrap_or(object)
        .written_holder()
        .span();
    let path = resource.doc.path_at(place.start);
    Change {
        name: resource.name.clone(),
        path: Arc::clone(path.unwrap_or(&resource.origin.path)),
        line: (!resource.origin.live).then(|| resource.doc.line_column(place.start).0),
        what,
    }
}

fn changed(old: &Resource, new: &Resource) -> Option<Change> {
    let mut comparing = Comparing {
        hidden: [
            secrets::secret_spans(old.object()),
            secrets::secret_spans(new.object()),
        ],
        secret: old.name.kind.is("Secret"),
        route: Vec::new(),
        fields: Vec::new(),
        more: 0,
    };
    comparing.values(Some(old.object()), Some(new.object()));
    let Comparing { fields, more, .. } = comparing;
    (!fields.is_empty()).then(|| change(new, What::Changed(fields, more)))
}

struct Comparing {
    /// what is never shown, of both
    hidden: [Vec<Span>; 2],
    /// they are Secrets
    secret: bool,
    /// keys, and items in brackets
    route: Vec<String>,
    fields: Vec<Field>,
    more: usize,
}

impl Comparing {
    fn values(&mut self, old: Option<Ref<'_>>, new: Option<Ref<'_>>) {
        let ignored = IGNORED.iter().any(|keys| {
            keys.len() == self.route.len()
                && keys.iter().zip(&self.route).all(|(key, own)| key == own)
        });
        // Of annotations of Secrets only the keys are kept.
        let noted = match self.route.as_slice() {
            [metadata, annotations, key] if self.secret => {
                metadata == "metadata"
                    && annotations == "annotations"
                    && !secrets::is_public_annotation(key)
                    && old.is_some()
                    && new.is_some()
            }
            _ => false,
        };
        if ignored || noted || self.route.len() > DEEPEST {
            return;
        }
        match (old, new) {
            (None, None) => {}
            (Some(old), Some(new)) => match (old.view(), new.view()) {
                (View::Map(_), View::Map(_)) => self.maps(old, new),
                (View::List(_), View::List(_)) => self.lists(old, new),
                _ if same(old, new) => {}
                _ => self.differs(Some(old), Some(new)),
            },
            (old, new) => self.differs(old, new),
        }
    }

    fn maps(&mut self, old: Ref<'_>, new: Ref<'_>) {
        for (key, _, value) in old.entries() {
            self.at(key.to_owned(), Some(value), new.get(key));
        }
        for (key, _, value) in new.entries() {
            if old.get(key).is_none() {
                self.at(key.to_owned(), None, Some(value));
            }
        }
    }

    fn lists(&mut self, old: Ref<'_>, new: Ref<'_>) {
        if let (Some(olds), Some(news)) = (named(old), named(new)) {
            for (name, value) in &olds {
                self.at(format!("[{name}]"), Some(*value), news.get(name).copied());
            }
            for (name, value) in &news {
                if !olds.contains_key(name) {
                    self.at(format!("[{name}]"), None, Some(*value));
                }
            }
            return;
        }
        let pairs = old.items().zip(new.items());
        let alike = old.items().len() == new.items().len();
        if old.equals(new) || (alike && pairs.into_iter().all(|(one, other)| same(one, other))) {
            return;
        }
        if old.items().chain(new.items()).all(is_scalar) {
            self.differs(Some(old), Some(new));
            return;
        }
        let length = old.items().len().max(new.items().len());
        for index in 0..length {
            self.at(format!("[{index}]"), old.item(index), new.item(index));
        }
    }

    fn at(&mut self, step: String, old: Option<Ref<'_>>, new: Option<Ref<'_>>) {
        self.route.push(step);
        self.values(old, new);
        self.route.pop();
    }

    fn differs(&mut self, old: Option<Ref<'_>>, new: Option<Ref<'_>>) {
        if self.fields.len() >= KEPT {
            self.more += 1;
            return;
        }
        let [olds, news] = &self.hidden;
        let field = Field {
            route: route(&self.route),
            old: old.map(|value| short(value, olds)),
            new: new.map(|value| short(value, news)),
        };
        self.fields.push(field);
    }
}

/// Equal, or one is what a snapshot keeps of the other: of a credential only its form.
fn same(old: Ref<'_>, new: Ref<'_>) -> bool {
    let kept = |of: &str, form: &str| {
        secrets::scrub::text(of) == form || secrets::scrub::whole(of) == form
    };
    old.equals(new)
        || match (old.view(), new.view()) {
            (View::Str(old), View::Str(new)) => kept(old, new) || kept(new, old),
            _ => false,
        }
}

fn is_scalar(value: Ref<'_>) -> bool {
    !value.is_map() && !value.is_list()
}

/// Items by their names, when each has one of its own.
fn named<'a>(list: Ref<'a>) -> Option<BTreeMap<&'a str, Ref<'a>>> {
    let mut items = BTreeMap::new();
    for item in list.items() {
        let name = item.get("name").and_then(Ref::as_str)?;
        if items.insert(name, item).is_some() {
            return None;
        }
    }
    Some(items)
}

fn route(steps: &[String]) -> String {
    let mut route = String::new();
    for step in steps {
        let plain = step
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'));
        if step.starts_with('[') {
            route.push_str(step);
        } else if plain {
            if !route.is_empty() {
                route.push('.');
            }
            route.push_str(step);
        } else {
            route.push_str(&format!("[\"{step}\"]"));
        }
    }
    route
}

/// A value as JSON of one short line.
fn short(value: Ref<'_>, hidden: &[Span]) -> String {
    let mut out = String::new();
    write(value, hidden, &mut out, 0);
    if out.chars().count() <= LONGEST {
        return out;
    }
    let mut cut: String = out.chars().take(LONGEST).collect();
    cut.push('…');
    cut
}

fn write(value: Ref<'_>, hidden: &[Span], out: &mut String, depth: usize) {
    use std::fmt::Write as _;
    if out.len() > 4 * LONGEST || depth > DEEPEST {
        return;
    }
    match value.view() {
        View::List(_) => {
            out.push('[');
            for (index, item) in value.items().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(item, hidden, out, depth + 1);
            }
            out.push(']');
        }
        View::Map(_) => {
            out.push('{');
            for (index, (key, _, entry)) in value.entries().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                let _ = write!(out, "{key}: ");
                write(entry, hidden, out, depth + 1);
            }
            out.push('}');
        }
        View::Unknown(reason) => match value.open_shown() {
            Some(text) => {
                let _ = write!(out, "(depends on {})", secrets::scrub::text(text));
            }
            None => {
                let _ = write!(out, "({})", model::unknown::describe(reason));
            }
        },
        _ if secrets::hides(hidden, value.span()) => out.push_str("(not shown)"),
        View::Null => out.push_str("null"),
        View::Bool(bit) => {
            let _ = write!(out, "{bit}");
        }
        View::Int(number) => {
            let _ = write!(out, "{number}");
        }
        View::Uint(number) => {
            let _ = write!(out, "{number}");
        }
        View::Double(number) => {
            let _ = write!(out, "{number}");
        }
        // A text may hold a credential among other things.
        View::Str(text) => {
            let text = secrets::scrub::text(text);
            let _ = write!(out, "{}", serde_json::Value::from(&*text));
        }
    }
}
