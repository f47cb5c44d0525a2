//! From the values that decided to places in files.

use std::sync::Arc;

use cel::{Decision, Node as _, Unknown, View};
use model::finding::{Evidence, Location};
use model::{Estate, Ref, Resource, secrets};
use yaml::Span;

/// What a document hides.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    secrets: Vec<Span>,
}

impl Shown {
    pub(crate) fn of(resource: &Resource) -> Self {
        Self {
            secrets: hidden_in(resource),
        }
    }
}

/// The places that are never shown on the lines of a resource.
fn hidden_in(resource: &Resource) -> Vec<Span> {
    if resource.doc.is_azure() {
        return resource.doc.hidden().to_vec();
    }
    let object = resource.object();
    let length = resource.doc.text().len();
    if length <= SMALL {
        return secrets::secret_spans(resource.doc.root());
    }
    // Looking through a list of thousands for every object in it would take too long: what
    // stands outside the object on its lines is not shown at all.
    let mut hidden = secrets::secret_spans(object);
    let own = object.span();
    hidden.push(Span {
        start: 0,
        end: own.start,
    });
    hidden.push(Span {
        start: own.end,
        end: length as u32,
    });
    hidden
}

/// Documents up to this length are looked through as a whole.
const SMALL: usize = 64 << 10;

/// Where a verdict came from.
pub(crate) struct Decided {
    pub(crate) place: Location,
    pub(crate) more_places: Vec<Location>,
    pub(crate) evidence: Vec<Evidence>,
    /// The expression of the first value that the source leaves open.
    pub(crate) open_expression: Option<Box<str>>,
    pub(crate) unknowns: Vec<Unknown>,
    /// File and line of the anchor that holds the place, when it is used elsewhere too.
    pub(crate) anchor: Option<(Arc<str>, u32)>,
    /// No value of the object itself decided, only other objects (or their absence).
    pub(crate) only_joined: bool,
}

/// Longer lines are not shown.
const LONGEST_SHOWN: usize = 4000;

/// The same in templates and plans: a longer line is a whole template without line breaks, with
/// whatever secrets it holds.
const LONGEST_OF_TEMPLATE: usize = 400;

/// How many further places and how much evidence a finding keeps.
const KEEP: usize = 4;

pub(crate) fn decide<'a>(
    decisions: &[Decision<'a, Ref<'a>>],
    resource: &'a Resource,
    estate: Option<&'a Estate>,
    item: Option<Ref<'a>>,
    sensitive: bool,
    shown: &mut Shown,
) -> Decided {
    let root = resource.object();
    let mut places: Vec<Place> = Vec::new();
    let mut evidence = Vec::new();
    let mut open_expression = None;
    let mut unknowns = Vec::new();
    for decision in decisions {
        let (node, absent) = match *decision {
            Decision::Value(node) => (Some(node), None),
            Decision::Missing { within, key } => (Some(within), Some(key)),
            Decision::Unknown(reason, node) => {
                unknowns.push(reason);
                if open_expression.is_none() {
                    open_expression = node.and_then(Ref::open_shown).map(Into::into);
                }
                (node, None)
            }
        };
        let Some(node) = node else { continue };
        let Some((holder, route)) = locate(node, resource, root, estate) else {
            continue;
        };
        let own = std::ptr::eq(holder, resource);
        let full = match absent {
            Some(key) if route.is_empty() => key.to_owned(),
            Some(key) => format!("{route}.{key}"),
            None => route.clone(),
        };
        if evidence.len() < KEEP {
            let hidden = sensitive || secrets::hides(&shown.secrets, node.span());
            let value = match absent {
                Some(_) => "absent".to_owned(),
                None if hidden => "(not shown)".to_owned(),
                None if node.is_filled_in() => format!("{} (the default)", text_of(node)),
                None => text_of(node),
            };
            evidence.push(Evidence {
                route: full.clone(),
                value,
            });
        }
        if places.len() <= KEEP {
            let filled_in = absent.is_none() && node.is_filled_in();
            let span = if filled_in || absent.is_some() {
                span_of_holder(node.written_holder(), root)
            } else {
                span_of_value(node)
            };
            let other;
            let hidden: &[Span] = if own {
                &shown.secrets
            } else {
                other = hidden_in(holder);
                &other
            };
            // The whole value, also where its key is the place; but a name is no credential.
            let strike =
                (sensitive && absent.is_none() && !full.ends_with(".name")).then(|| node.span());
            let mut at = location(holder, span, full, hidden, strike);
            at.note = absent.map(|key| format!("no `{key}` here").into());
            if filled_in {
                let key = full_key(&at.route);
                at.note = Some(format!("no `{key}` here; Azure sets {}", text_of(node)).into());
            }
            let known = places.iter().any(|place| {
                place.at.path == at.path && place.at.line == at.line && place.at.route == at.route
            });
            if !known {
                places.push(Place {
                    at,
                    span,
                    own,
                    present: absent.is_none() && !filled_in,
                });
            }
        }
    }
    // The own object comes first: a finding is about it, whatever else decided. Of a value and
    // what it holds, what it holds says more.
    let first = places.iter().position(|place| place.own);
    let first = first.map(|first| deepest(&places, first));
    let only_joined = first.is_none();
    let Place {
        at: mut place,
        span,
        ..
    } = match first {
        Some(first) => places.remove(first),
        None => {
            let node = item.filter(|item| std::ptr::eq(item.doc, &*resource.doc));
            let beside = item.filter(|_| node.is_none());
            match beside.and_then(|item| Some((item, part_of_deployment(item, resource, estate?)?)))
            {
                Some((item, holder)) => {
                    let span = span_of_holder(item, holder.object());
                    let hidden = hidden_in(holder);
                    let at = location(holder, span, String::new(), &hidden, None);
                    Place {
                        at,
                        span,
                        own: true,
                        present: true,
                    }
                }
                None => {
                    let span = node
                        .map_or_else(|| span_of_object(root), |item| span_of_holder(item, root));
                    let route = node
                        .and_then(|item| root.route_to(item))
                        .unwrap_or_default();
                    let at = location(resource, span, route, &shown.secrets, None);
                    Place {
                        at,
                        span,
                        own: true,
                        present: true,
                    }
                }
            }
        }
    };
    // The message says what is wrong there; the other places on its line say nothing more.
    place.note = None;
    places.retain(|other| other.at.path != place.path || other.at.line != place.line);
    called_from(resource, &place, &mut places, &shown.secrets);
    let anchor = resource.doc.shared_anchor(span.start).map(|span| {
        (
            resource.origin.path.clone(),
            resource.doc.line_column(span.start).0,
        )
    });
    Decided {
        place,
        more_places: places.into_iter().map(|place| place.at).collect(),
        evidence,
        open_expression,
        unknowns,
        anchor,
        only_joined,
    }
}

/// The resource that holds an item, when it is one of the same deployment. The resources of a template share
/// a document; those of one that was kept in a snapshot do not.
fn part_of_deployment<'e>(
    item: Ref<'_>,
    resource: &Resource,
    estate: &'e Estate,
) -> Option<&'e Resource> {
    resource.azure.as_ref().filter(|_| !resource.origin.live)?;
    let holder = estate.holder_of(item)?;
    (holder.azure.is_some() && holder.origin == resource.origin).then_some(holder)
}

/// Adds the call of the module that a resource stands in: what decides may have to be mended there.
fn called_from(resource: &Resource, place: &Location, places: &mut Vec<Place>, hidden: &[Span]) {
    let Some(span) = resource
        .azure
        .as_ref()
        .and_then(|azure| azure.through.last())
    else {
        return;
    };
    let mut at = location(resource, *span, String::new(), hidden, None);
    if at.path == place.path && at.line == place.line {
        return;
    }
    at.note = Some("called as a module here".into());
    places.push(Place {
        at,
        span: *span,
        own: false,
        present: true,
    });
}

/// A place on the way to a decision.
struct Place {
    at: Location,
    span: Span,
    /// It stands in the object that is judged.
    own: bool,
    /// A value stands there; otherwise it is where one is missing.
    present: bool,
}

/// Among the own values that lie below the one at `first`, the deepest.
fn deepest(places: &[Place], first: usize) -> usize {
    let mut best = first;
    for (index, place) in places.iter().enumerate().skip(first) {
        let Some(current) = places.get(best) else {
            break;
        };
        let below = place
            .at
            .route
            .strip_prefix(current.at.route.as_str())
            .is_some_and(|rest| {
                rest.starts_with(['.', '[']) || (current.at.route.is_empty() && !rest.is_empty())
            });
        if place.own && place.present && current.present && below {
            best = index;
        }
    }
    best
}

/// The resource that holds a value, and the way to it.
fn locate<'a>(
    node: Ref<'a>,
    resource: &'a Resource,
    root: Ref<'a>,
    estate: Option<&'a Estate>,
) -> Option<(&'a Resource, String)> {
    if std::ptr::eq(node.doc, &*resource.doc) {
        // A template's resources share its document.
        let own = root.route_to(node);
        if own.is_some() || resource.azure.is_none() {
            return Some((resource, own.unwrap_or_default()));
        }
    }
    let estate = estate?;
    let other = estate.holder_of(node)?;
    if other.implied {
        return None;
    }
    Some((other, other.object().route_to(node).unwrap_or_default()))
}

/// The last key of a route.
fn full_key(route: &str) -> &str {
    route.rsplit('.').next().unwrap_or(route)
}

/// A scalar's own place; a map's or list's key.
fn span_of_value(node: Ref<'_>) -> Span {
    match node.view() {
        View::List(_) | View::Map(_) => node.key_span().unwrap_or_else(|| first_line(node)),
        _ => node.span(),
    }
}

/// Where something is missing: the key that holds the map, or the first line of the list item.
fn span_of_holder(node: Ref<'_>, root: Ref<'_>) -> Span {
    if node == root {
        return span_of_object(root);
    }
    node.key_span().unwrap_or_else(|| first_line(node))
}

/// An object as a whole: its `kind`.
fn span_of_object(root: Ref<'_>) -> Span {
    root.get("kind")
        .filter(|_| !root.doc.is_azure())
        .or_else(|| root.get("type"))
        .filter(|key| !key.is_filled_in())
        .map_or_else(|| first_line(root), Ref::span)
}

fn first_line(node: Ref<'_>) -> Span {
    let span = node.span();
    let (line, start) = node.doc.line_at(span.start);
    let end = start + line.trim_end().len() as u32;
    Span {
        start: span.start,
        end: end.max(span.start).min(span.end.max(span.start)),
    }
}

fn location(
    resource: &Resource,
    span: Span,
    route: String,
    hidden: &[Span],
    strike: Option<Span>,
) -> Location {
    let doc = &resource.doc;
    let (line, column) = doc.line_column(span.start);
    let (end_line, end_column) = doc.line_column(span.end.max(span.start));
    let (text, start) = doc.line_at(span.start);
    let hidden: Vec<Span> = hidden.iter().copied().chain(strike).collect();
    // A line of a megabyte (minified JSON) is no help, and every finding would carry it.
    let longest = if doc.is_azure() {
        LONGEST_OF_TEMPLATE
    } else {
        LONGEST_SHOWN
    };
    let hides = doc.part_at(span.start).is_some_and(|part| part.hidden);
    let only_line = doc.knows_only_lines();
    let source = if hides || only_line || resource.origin.live || text.len() > longest {
        Box::default()
    } else {
        secrets::strike_out(text, start, &hidden)
    };
    Location {
        path: doc
            .path_at(span.start)
            .unwrap_or(&resource.origin.path)
            .clone(),
        live: resource.origin.live,
        line,
        column: if only_line { 1 } else { column },
        end_line: if only_line { line } else { end_line },
        end_column: if only_line { 1 } else { end_column },
        route,
        source,
        note: None,
    }
}

/// Where a resource begins.
pub(crate) fn whole(resource: &Resource) -> Location {
    let root = resource.object();
    let span = span_of_holder(root, root);
    location(resource, span, String::new(), &hidden_in(resource), None)
}

/// The name of an item: what people call a container, a volume, a port, a rule.
pub(crate) fn item_name<'a>(item: Ref<'a>) -> Option<&'a str> {
    ["name", "host", "key", "path"]
        .into_iter()
        .find_map(|key| item.get(key).and_then(Ref::as_str))
}

/// A value as short JSON.
fn text_of(node: Ref<'_>) -> String {
    match node.view() {
        View::Null => "null".to_owned(),
        View::Bool(value) => value.to_string(),
        View::Int(value) => value.to_string(),
        View::Uint(value) => value.to_string(),
        View::Double(value) => value.to_string(),
        View::Str(text) => serde_json::Value::from(shorten(text)).to_string(),
        View::List(0) => "[]".to_owned(),
        View::List(1) => "[1 item]".to_owned(),
        View::List(count) => format!("[{count} items]"),
        View::Map(0) => "{}".to_owned(),
        View::Map(1) => "{1 key}".to_owned(),
        View::Map(count) => format!("{{{count} keys}}"),
        View::Unknown(reason) => node.open_shown().map_or_else(
            || model::unknown::describe(reason).to_owned(),
            |text| format!("depends on {text}"),
        ),
    }
}

fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LIMIT).collect();
    short.push('…');
    short
}
