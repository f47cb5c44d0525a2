//! Ids of Azure resources, composed of arguments as Bicep composes them: what is not known
//! stands in braces.

use bicep::value::{Shape, Value, Why};
use bumpalo::Bump;

use crate::table::{Id, Kind};
use crate::value::{Data, Unknown, Val, reasons};

/// A string of which parts may be open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece<'a> {
    pub(crate) text: String,
    pub(crate) why: Vec<Why<'a>>,
}

impl<'a> Piece<'a> {
    pub(crate) fn of_val(value: &Val<'a>) -> Option<Self> {
        match value.data {
            Data::Str(text) => Some(Self {
                text: text.to_owned(),
                why: Vec::new(),
            }),
            Data::Int(number) => Some(Self {
                text: number.to_string(),
                why: Vec::new(),
            }),
            _ => {
                let unknown = value.unknown()?;
                let composed = unknown.partial || unknown.text.starts_with('/');
                Some(Self::open(unknown.text, composed, unknown.why))
            }
        }
    }

    pub(crate) fn of_value(value: &Value<'a>) -> Option<Self> {
        match value.data {
            bicep::value::Data::Str(text) => Some(Self {
                text: text.to_owned(),
                why: Vec::new(),
            }),
            bicep::value::Data::Int(number) => Some(Self {
                text: number.to_string(),
                why: Vec::new(),
            }),
            bicep::value::Data::Unknown(unknown) => {
                let composed = unknown.text.starts_with('/')
                    || unknown.shape == Shape::String && unknown.text.contains('{');
                Some(Self::open(unknown.text, composed, unknown.why))
            }
            _ => None,
        }
    }

    fn open(text: &str, composed: bool, why: &[Why<'a>]) -> Self {
        Self {
            text: if composed {
                text.to_owned()
            } else {
                format!("{{{text}}}")
            },
            why: why.to_vec(),
        }
    }

    fn push(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.why.extend_from_slice(&other.why);
    }

    /// As a value: an id is never empty.
    pub(crate) fn id(self, arena: &'a Bump) -> Data<'a> {
        let text = arena.alloc_str(&self.text);
        if self.why.is_empty() {
            return Data::Str(text);
        }
        Data::Unknown(arena.alloc(Unknown {
            text,
            partial: true,
            shape: Shape::Id,
            why: reasons(arena, self.why),
            secret: false,
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        }))
    }
}

/// The subscription of a configuration of the provider.
fn subscription<'a>(arena: &'a Bump, provider: &str) -> Piece<'a> {
    let name = match provider.split_once('.') {
        Some(_) => &*arena.alloc_str(&format!("{provider}.subscription")),
        None => "subscription",
    };
    Piece {
        text: format!("/subscriptions/{{{name}}}"),
        why: vec![Why::Scope("subscription")],
    }
}

/// The form of its id that its arguments fit.
fn form<'k, 'a>(kind: &'k Kind, get: &dyn Fn(&str) -> Option<Piece<'a>>) -> (&'k Id, &'k [String]) {
    if let (Id::Child(arguments), Some((id, names))) = (&kind.id, &kind.or)
        && arguments.iter().all(|argument| get(argument).is_none())
    {
        return (id, names);
    }
    (&kind.id, &kind.names)
}

/// The whole name of a resource, segments joined by `/`.
pub(crate) fn name<'a>(
    kind: &Kind,
    address: &'a str,
    get: &dyn Fn(&str) -> Option<Piece<'a>>,
) -> Piece<'a> {
    let mut whole = Piece::default();
    let (id, names) = form(kind, get);
    if let Id::Child(arguments) = id {
        // The names of its parents stand in the parent's id.
        if let Some(parent) = arguments.iter().find_map(|argument| get(argument)) {
            let parts = segments(&parent.text);
            let after = parts.iter().rposition(|part| part == "providers");
            let names = after.map_or(Vec::new(), |at| {
                parts
                    .iter()
                    .skip(at + 3)
                    .step_by(2)
                    .cloned()
                    .collect::<Vec<String>>()
            });
            let text = if names.is_empty() {
                parent.text
            } else {
                names.join("/")
            };
            whole.text = format!("{text}/");
            whole.why = parent.why;
        }
    }
    for (at, part) in names.iter().enumerate() {
        if at > 0 {
            whole.text.push('/');
        }
        whole.push(&segment(part, address, get));
    }
    whole
}

fn segment<'a>(part: &str, address: &'a str, get: &dyn Fn(&str) -> Option<Piece<'a>>) -> Piece<'a> {
    if let Some(fixed) = part.strip_prefix('=') {
        return Piece {
            text: fixed.to_owned(),
            why: Vec::new(),
        };
    }
    get(part).unwrap_or_else(|| Piece {
        text: format!("{{{address}.{part}}}"),
        why: vec![Why::Reference(address)],
    })
}

/// The parts of an id; what stands in braces is one.
pub(crate) fn segments(id: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for next in id.chars() {
        match next {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if next == '/' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(next);
        }
    }
    parts
}

/// The id of a resource.
pub(crate) fn id<'a>(
    arena: &'a Bump,
    kind: &Kind,
    address: &'a str,
    provider: &str,
    get: &dyn Fn(&str) -> Option<Piece<'a>>,
) -> Option<Piece<'a>> {
    let argument = |name: &str| segment(name, address, get);
    let (form, names) = form(kind, get);
    let mut id = match form {
        Id::Group(group) => {
            let mut id = subscription(arena, provider);
            id.text.push_str("/resourceGroups/");
            id.push(&argument(group));
            id
        }
        Id::ResourceGroup => {
            let mut id = subscription(arena, provider);
            id.text.push_str("/resourceGroups/");
            id.push(&argument("name"));
            return Some(id);
        }
        Id::Subscription => subscription(arena, provider),
        Id::Itself => {
            return Some(match get("subscription_id") {
                Some(known) => Piece {
                    text: format!("/subscriptions/{}", known.text),
                    why: known.why,
                },
                None => subscription(arena, provider),
            });
        }
        Id::Child(parents) => match parents.iter().find_map(|parent| get(parent)) {
            Some(parent) => parent,
            None => argument(parents.first().map_or("", String::as_str)),
        },
        Id::Extension(parent) => argument(parent),
        Id::PatchNamed(name) => {
            let mut id = subscription(arena, provider);
            id.text.push_str("/resourceGroups/");
            id.push(&argument("resource_group_name"));
            id.text.push_str(&format!("/providers/{}/", kind.arm));
            id.push(&argument(name));
            return Some(id);
        }
        Id::Patch(_) | Id::None => return None,
    };
    let mut types = kind.arm.split('/');
    let namespace = types.next().unwrap_or_default();
    let types: Vec<&str> = types.collect();
    if matches!(form, Id::Child(_)) {
        let skip = types.len().saturating_sub(names.len());
        for (segment, part) in types.iter().skip(skip).zip(names) {
            id.text.push_str(&format!("/{segment}/"));
            id.push(&argument(part));
        }
        return Some(id);
    }
    id.text.push_str(&format!("/providers/{namespace}"));
    for (segment, part) in types.iter().zip(names) {
        id.text.push_str(&format!("/{segment}/"));
        id.push(&argument(part));
    }
    Some(id)
}

/// The type and API version in `Microsoft.X/y@2025-01-01`.
pub(crate) fn azapi_type(text: &str) -> (&str, &str) {
    text.split_once('@').unwrap_or((text, ""))
}

/// The id of an `azapi_resource`.
pub(crate) fn azapi<'a>(
    arena: &'a Bump,
    address: &'a str,
    get: &dyn Fn(&str) -> Option<Piece<'a>>,
) -> Option<Piece<'a>> {
    if let Some(id) = get("resource_id") {
        return Some(id);
    }
    let kind = get("type")?;
    let (kind, _) = azapi_type(&kind.text);
    let mut types = kind.split('/');
    let namespace = types.next().unwrap_or_default();
    let types: Vec<&str> = types.collect();
    let last = types.last()?;
    let mut id = match get("parent_id") {
        Some(parent) => parent,
        // Without a parent it lies in the subscription of the provider.
        None => subscription(arena, "azapi"),
    };
    if kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") {
        id.text.push_str("/resourceGroups/");
    } else if types.len() > 1 {
        id.text.push_str(&format!("/{last}/"));
    } else {
        id.text.push_str(&format!("/providers/{namespace}/{last}/"));
    }
    id.push(&segment("name", address, get));
    Some(id)
}
