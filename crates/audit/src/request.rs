//! What the authorizer was asked about a request: the attributes of `SubjectAccessReview`, from what a record says
//! or from the path that was asked for (apiserver/pkg/endpoints/request/requestinfo.go).

use std::borrow::Cow;

use crate::event::{Event, Field};

/// A question to the authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// `get`, or the method in lower case
    pub verb: Cow<'a, str>,
    /// to what
    pub target: Asked<'a>,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Objects. What is empty is not said.
    Resource(Object<'a>),
    /// A path that is no resource, decoded.
    Path(Cow<'a, str>),
}

/// Objects of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object<'a> {
    /// API group; empty for the core group
    pub group: Cow<'a, str>,
    /// `v1`
    pub version: Cow<'a, str>,
    /// `pods`
    pub resource: Cow<'a, str>,
    /// `exec`
    pub subresource: Cow<'a, str>,
    /// its namespace
    pub namespace: Cow<'a, str>,
    /// Its name; none where the authorizer was asked about none, as for `create`.
    pub name: Cow<'a, str>,
}

impl<'a> Request<'a> {
    /// What an event says of it.
    pub(crate) fn of(event: &'a Event<'_>) -> Field<Self> {
        let verb = match &event.verb {
            Field::Known(verb) => verb.as_ref(),
            Field::Absent => return Field::Absent,
            Field::Begun(_) | Field::Cut => return Field::Cut,
        };
        let target = match Self::asked(event) {
            Field::Known(target) => target,
            _ => return Field::Cut,
        };
        Field::Known(Self {
            verb: verb.into(),
            target: nameless(verb, target),
        })
    }

    /// What it was about, with the name of what a `create` made; the verb may be missing.
    pub(crate) fn asked(event: &'a Event<'_>) -> Field<Asked<'a>> {
        if let Field::Known(object) = &event.object_ref {
            let said = |field: &'a crate::event::Text<'_>| Cow::Borrowed(field.as_str());
            return Field::Known(Asked::Resource(Object {
                group: said(&object.group),
                version: said(&object.version),
                resource: said(&object.resource),
                subresource: said(&object.subresource),
                namespace: said(&object.namespace),
                name: said(&object.name),
            }));
        }
        let uri = match &event.request_uri {
            Field::Known(uri) => uri.as_ref(),
            // The query may be cut, the path is whole before it.
            Field::Begun(uri) if uri.contains('?') => uri.as_ref(),
            _ => return Field::Cut,
        };
        let known_path = matches!(event.object_ref, Field::Absent);
        Field::Known(target(event.verb.as_str(), uri, known_path))
    }
}

/// The authorizer is asked about the name in the path, and a `create` has none but for a subresource.
fn nameless<'a>(verb: &str, target: Asked<'a>) -> Asked<'a> {
    match target {
        Asked::Resource(mut object) if verb == "create" && object.subresource.is_empty() => {
            object.name = Cow::Borrowed("");
            Asked::Resource(object)
        }
        other => other,
    }
}

/// What a path asks for.
fn target<'a>(verb: &str, uri: &'a str, is_path: bool) -> Asked<'a> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let object = if is_path {
        None
    } else {
        object(verb, path, query)
    };
    object.map_or_else(|| Asked::Path(decoded(path)), Asked::Resource)
}

fn object<'a>(verb: &str, path: &'a str, query: &'a str) -> Option<Object<'a>> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let mut object = Object::default();
    match parts.next()? {
        "api" => {}
        "apis" => object.group = decoded(parts.next()?),
        _ => return None,
    }
    object.version = decoded(parts.next()?);
    // Old forms that name a verb in the path.
    if matches!(parts.peek(), Some(&("watch" | "proxy"))) {
        parts.next();
    }
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let below = |at: usize| rest.get(at).copied().unwrap_or_default();
    let within = first == "namespaces" && rest.len() > 1 && !is_of_namespace(below(1));
    let (resource, name, subresource) = if first == "namespaces" {
        object.namespace = decoded(below(0));
        if within {
            (below(1), below(2), below(3))
        } else {
            (first, below(0), below(1))
        }
    } else {
        (first, below(0), below(1))
    };
    object.resource = decoded(resource);
    object.name = decoded(name);
    object.subresource = decoded(subresource);
    if object.name.is_empty() && matches!(verb, "list" | "watch" | "deletecollection") {
        object.name = selected(query).unwrap_or_default();
    }
    Some(object)
}

/// `namespaceSubresources` in requestinfo.go.
fn is_of_namespace(part: &str) -> bool {
    matches!(part, "status" | "finalize")
}

/// The name that a field selector asks for.
fn selected(query: &str) -> Option<Cow<'_, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, selector) = pairs.find(|(key, _)| *key == "fieldSelector")?;
    let selector = decoded(selector);
    let name = selector.split(',').find_map(|term| {
        let (field, value) = term.split_once('=')?;
        let value = value.trim_start_matches('=');
        (field == "metadata.name" && !value.is_empty()).then(|| value.to_owned())
    })?;
    Some(Cow::Owned(name))
}

/// A path without its percent signs.
fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let code = (byte == b'%')
            .then(|| {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(ahead.next())?, digit(ahead.next())?);
                u8::try_from(high * 16 + low).ok()
            })
            .flatten();
        match code {
            Some(code) => {
                bytes = ahead;
                out.push(code);
            }
            None => out.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}
