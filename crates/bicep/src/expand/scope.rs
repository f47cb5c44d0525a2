//! Where a deployment goes, and ids of resources.

use crate::evaluate::engine::Engine;
use crate::evaluate::text::Builder;
use crate::node::Node;
use crate::source::Span;
use crate::value::{Data, Shape, Value, Why};

/// At which level of Azure's hierarchy a template is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ScopeKind {
    /// the whole directory
    Tenant,
    /// a management group
    ManagementGroup,
    /// a subscription
    Subscription,
    /// a resource group
    #[default]
    ResourceGroup,
}

impl ScopeKind {
    /// What the `$schema` of a template says.
    #[must_use]
    pub fn of_schema(schema: &str) -> Self {
        let schema = schema.to_ascii_lowercase();
        if schema.contains("tenantdeploymenttemplate") {
            Self::Tenant
        } else if schema.contains("managementgroupdeploymenttemplate") {
            Self::ManagementGroup
        } else if schema.contains("subscriptiondeploymenttemplate") {
            Self::Subscription
        } else {
            Self::ResourceGroup
        }
    }
}

/// Where a deployment goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) kind: ScopeKind,
    pub(crate) management_group: Value<'a>,
    pub(crate) subscription: Value<'a>,
    pub(crate) group: Value<'a>,
}

impl<'a> Scope<'a> {
    /// Somewhere.
    pub(crate) fn open(engine: &Engine<'a>, kind: ScopeKind, span: Span) -> Self {
        let open = |text: &str, why: &'static str| {
            engine.unknown(span, text, Shape::String, &[Why::Scope(why)], false)
        };
        Self {
            kind,
            management_group: open("{managementGroup}", "managementGroup"),
            subscription: open("{subscription}", "subscription"),
            group: open("{resourceGroup}", "resourceGroup"),
        }
    }

    /// Writes its id.
    pub(crate) fn write(&self, builder: &mut Builder<'a>) {
        builder.is_id();
        match self.kind {
            ScopeKind::Tenant => {}
            ScopeKind::ManagementGroup => {
                builder.literal("/providers/Microsoft.Management/managementGroups/");
                builder.push(&self.management_group);
            }
            ScopeKind::Subscription => {
                builder.literal("/subscriptions/");
                builder.push(&self.subscription);
            }
            ScopeKind::ResourceGroup => {
                builder.literal("/subscriptions/");
                builder.push(&self.subscription);
                builder.literal("/resourceGroups/");
                builder.push(&self.group);
            }
        }
    }

    /// Where a nested deployment goes that says so by a `scope`: an id, relative or not.
    pub(crate) fn of_id(&self, engine: &Engine<'a>, id: &Value<'a>) -> Self {
        let text = match id.data {
            Data::Str(text) => text,
            Data::Unknown(unknown) if unknown.shape != Shape::Any => unknown.text,
            _ => return self.somewhere(engine, id),
        };
        let segments = segments(engine, id, text);
        let name = |at: usize| segments.get(at).and_then(Value::as_str).unwrap_or_default();
        let get = |at: usize| segments.get(at).copied().unwrap_or(*id);
        let mut new = *self;
        if segments.is_empty() {
            new.kind = ScopeKind::Tenant;
        } else if name(0).eq_ignore_ascii_case("subscriptions") && segments.len() >= 4 {
            new.kind = ScopeKind::ResourceGroup;
            new.subscription = get(1);
            new.group = get(3);
        } else if name(0).eq_ignore_ascii_case("subscriptions") {
            new.kind = ScopeKind::Subscription;
            new.subscription = get(1);
        } else if name(0).eq_ignore_ascii_case("providers") && segments.len() >= 4 {
            new.kind = ScopeKind::ManagementGroup;
            new.management_group = get(3);
        } else if name(0).eq_ignore_ascii_case("Microsoft.Management") && segments.len() >= 3 {
            new.kind = ScopeKind::ManagementGroup;
            new.management_group = get(2);
        } else {
            return self.somewhere(engine, id);
        }
        new
    }

    /// A scope of which nothing but its text is known.
    fn somewhere(&self, engine: &Engine<'a>, id: &Value<'a>) -> Self {
        let text = engine.expr_text(id);
        let part = |at: u8| {
            engine.opened(
                id.span,
                &format!("split({text}, '/')[{at}]"),
                Shape::String,
                &[*id],
            )
        };
        Self {
            subscription: part(2),
            group: part(4),
            ..*self
        }
    }
}

/// The segments of an id, those that are open as unknowns.
fn segments<'a>(engine: &Engine<'a>, id: &Value<'a>, text: &str) -> Vec<Value<'a>> {
    let mut out = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    let mut push = |segment: &str| {
        if segment.is_empty() {
            return;
        }
        let value = match id.data {
            Data::Unknown(unknown) if segment.contains('{') => {
                engine.unknown(id.span, segment, Shape::String, unknown.why, unknown.secret)
            }
            _ => engine.str(id.span, segment),
        };
        out.push(value);
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'/' if depth == 0 => {
                push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    push(text.get(start..).unwrap_or_default());
    out
}

/// Writes `/providers/{namespace}/{type}/{name}/…` after a scope. What stands directly in
/// Azure's hierarchy has its own form.
pub(crate) fn join_id<'a>(builder: &mut Builder<'a>, kind: &str, names: &[Value<'a>]) {
    let mut types = kind.split('/');
    let namespace = types.next().unwrap_or_default();
    let types: Vec<&str> = types.collect();
    let mut pairs = types.iter().zip(names);
    if namespace.eq_ignore_ascii_case("Microsoft.Resources")
        && let Some(first) = types.first()
        && ["resourceGroups", "subscriptions"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(first))
    {
        let own = if first.eq_ignore_ascii_case("resourceGroups") {
            "/resourceGroups/"
        } else {
            "/subscriptions/"
        };
        builder.literal(own);
        if let Some((_, name)) = pairs.next() {
            builder.push(name);
        }
    } else {
        builder.literal("/providers/");
        builder.literal(namespace);
    }
    for (kind, name) in pairs {
        builder.literal("/");
        builder.literal(kind);
        builder.literal("/");
        builder.push(name);
    }
}

/// The level that a template's schema names.
pub(crate) fn of_template(root: &Node<'_>) -> Option<ScopeKind> {
    root.get("$schema")
        .and_then(Node::as_str)
        .map(ScopeKind::of_schema)
}

/// The type of the resource of an id: what follows the last `/providers/`.
pub(crate) fn kind_of_id(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let Some(at) = lower.rfind("/providers/") else {
        return lower
            .contains("/resourcegroups/")
            .then(|| "microsoft.resources/resourcegroups".into());
    };
    let rest = lower.get(at + "/providers/".len()..)?;
    let mut depth = 0_u32;
    let mut kind = String::new();
    let mut segment = 0;
    for char in rest.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                segment += 1;
                if segment % 2 == 1 {
                    kind.push('/');
                }
                continue;
            }
            _ => {}
        }
        // Namespace and types: segments 0, 1, 3, 5, …
        if segment == 0 || segment % 2 == 1 {
            kind.push(char);
        }
    }
    Some(kind)
}
