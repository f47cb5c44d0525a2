//! `parameters`, `variables`, `copyIndex`, `reference`, `list…`, and the functions that make ids.

use crate::evaluate::engine::FrameKind;
use crate::evaluate::text::Builder;
use crate::expand::scope::{ScopeKind, join_id};
use crate::functions::{ANY, Args, Call, Fault, Function, Outcome, plain, special};
use crate::value::{Data, Shape, Value, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    special("parameters", 1, 1, parameters),
    special("variables", 1, 1, variables),
    special("copyIndex", 0, 2, copy_index),
    special("reference", 1, 3, reference),
    special("references", 1, 3, references),
    special("resourceInfo", 1, 1, resource_info),
    plain("resourceId", 2, ANY, Shape::String, resource_id),
    plain(
        "subscriptionResourceId",
        2,
        ANY,
        Shape::String,
        subscription_resource_id,
    ),
    plain(
        "managementGroupResourceId",
        2,
        ANY,
        Shape::String,
        management_group_resource_id,
    ),
    plain(
        "tenantResourceId",
        2,
        ANY,
        Shape::String,
        tenant_resource_id,
    ),
    plain(
        "extensionResourceId",
        3,
        ANY,
        Shape::String,
        extension_resource_id,
    ),
    plain("roleDefinitions", 1, 1, Shape::Object, role_definitions),
    plain("providers", 1, 2, Shape::Object, runtime),
    plain("pickZones", 3, 5, Shape::Array, runtime),
    plain("toLogicalZone", 3, 3, Shape::String, runtime),
    plain("toLogicalZones", 3, 3, Shape::Array, runtime),
    plain("toPhysicalZone", 3, 3, Shape::String, runtime),
    plain("toPhysicalZones", 3, 3, Shape::Array, runtime),
];

fn name_of<'a>(call: &Call<'_, 'a>) -> Result<&'a str, Fault> {
    let name = call.eval(0);
    match name.data {
        Data::Str(name) => Ok(name),
        Data::Unknown(_) => Fault::error(format!("`{}`: the name must be known", call.name)),
        _ => Fault::error(format!("`{}`: the name must be a string", call.name)),
    }
}

fn parameters<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let name = name_of(call)?;
    for frame in call.env.frames() {
        if let FrameKind::Function { params } = frame.kind {
            let found = params
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name));
            return match found {
                Some((_, value)) => Ok(*value),
                None => Fault::error(format!("the function has no parameter `{name}`")),
            };
        }
    }
    call.engine.parameter(call.env.template, name)
}

fn variables<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let name = name_of(call)?;
    call.engine.variable(call.env.template, name, call.span)
}

/// `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')`, `copyIndex('loop', offset)`.
fn copy_index<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let first = call.eval(0);
    let (name, offset) = match first.data {
        Data::Str(name) => (Some(name), call.eval(1)),
        _ => (None, first),
    };
    let loops = || {
        call.env.frames().filter_map(|frame| match frame.kind {
            FrameKind::Loop {
                name,
                index,
                resource,
            } => Some((name, index, resource)),
            _ => None,
        })
    };
    let found = match name {
        Some(name) => loops().find(|(own, ..)| own.eq_ignore_ascii_case(name)),
        None => loops()
            .find(|(_, _, resource)| *resource)
            .or_else(|| loops().next()),
    };
    let Some((_, index, _)) = found else {
        return match name {
            Some(name) => Fault::error(format!("`copyIndex`: there is no loop `{name}` here")),
            None => Fault::error("`copyIndex`: there is no loop here"),
        };
    };
    let index = Value {
        span: call.span,
        ..index
    };
    match (index.data, offset.data) {
        (_, Data::Null | Data::Int(0)) => Ok(index),
        (Data::Int(index), Data::Int(offset)) => {
            Ok(call.value(Data::Int(index.saturating_add(offset))))
        }
        _ => {
            let text = format!(
                "{} + {}",
                call.engine.operand(&index),
                call.engine.operand(&offset)
            );
            Ok(call
                .engine
                .opened(call.span, &text, Shape::Int, &[index, offset]))
        }
    }
}

/// `reference(nameOrId, [apiVersion], ['Full'])`
fn reference<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let target = call.eval(0);
    let full = call
        .eval(2)
        .as_str()
        .is_some_and(|mode| mode.eq_ignore_ascii_case("full"));
    if !matches!(target.data, Data::Str(_) | Data::Unknown(_)) {
        return Fault::error("`reference`: argument 1 must be a string");
    }
    Ok(call.engine.reference(call.env, &target, full, call.span))
}

/// `references('loop', ['Full'])`: what `reference` gives, for every iteration.
fn references<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let target = call.eval(0);
    let full = [1, 2].into_iter().any(|at| {
        call.eval(at)
            .as_str()
            .is_some_and(|mode| mode.eq_ignore_ascii_case("full"))
    });
    let Some(name) = target.as_str() else {
        return Fault::error("`references`: argument 1 must be the name of a loop");
    };
    call.engine.references(call.env, name, full, call.span)
}

/// `resourceInfo('symbolicName')`: id, name, type and API version, without the runtime.
fn resource_info<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let target = call.eval(0);
    match call.engine.find_resource(call.env, &target) {
        Some(item) => Ok(call.engine.resource_info(item, call.span)),
        None => Fault::error("`resourceInfo`: there is no such resource"),
    }
}

/// `list…(nameOrId, apiVersion, [body])`: keys, tokens and the like.
pub(crate) fn list<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let target = call.eval(0);
    if !matches!(target.data, Data::Str(_) | Data::Unknown(_)) {
        return Fault::error(format!("`{}`: argument 1 must be a string", call.name));
    }
    Ok(call.engine.list(call.env, call.name, &target, call.span))
}

/// Splits arguments at the type of a resource: what stands before it, the type, the names.
type Split<'e, 'a> = (&'e [Value<'a>], &'a str, &'e [Value<'a>]);

fn at_type<'e, 'a>(args: &Args<'e, 'a>, most_before: usize) -> Result<Split<'e, 'a>, Fault> {
    for at in 0..=most_before {
        if let Some(Data::Str(text)) = args.values.get(at).map(|value| value.data)
            && text.contains('/')
            && !text.starts_with('/')
        {
            let before = args.values.get(..at).unwrap_or_default();
            let names = args.values.get(at + 1..).unwrap_or_default();
            // Azure overlooks a `/` at the end of a type.
            let text = text.trim_end_matches('/');
            let wanted = text.split('/').count() - 1;
            if names.len() != wanted {
                return Fault::error(format!(
                    "a `{text}` has {wanted} names, not {}",
                    names.len()
                ));
            }
            return Ok((before, text, names));
        }
    }
    if args.values.iter().any(|value| value.unknown().is_some()) {
        return Err(Fault::Open);
    }
    Fault::error("there is no resource type such as `Microsoft.Network/virtualNetworks`")
}

fn check_names(args: &Args<'_, '_>) -> Result<(), Fault> {
    for at in 0..args.len() {
        if !matches!(args.get(at).data, Data::Str(_) | Data::Unknown(_)) {
            return args.mismatch(at, "a string");
        }
    }
    Ok(())
}

/// `resourceId([subscription], [resourceGroup], type, name, …)`
fn resource_id<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    check_names(args)?;
    let (before, kind, names) = at_type(args, 2)?;
    let mut scope = args.env.template.scope;
    match before {
        [] => {}
        [one] if scope.kind == ScopeKind::ResourceGroup => scope.group = *one,
        [one] => {
            scope.kind = ScopeKind::Subscription;
            scope.subscription = *one;
        }
        [subscription, group, ..] => {
            scope.kind = ScopeKind::ResourceGroup;
            scope.subscription = *subscription;
            scope.group = *group;
        }
    }
    let mut builder = Builder::new(args.engine);
    scope.write(&mut builder);
    join_id(&mut builder, kind, names);
    Ok(builder.finish(args.engine, args.span))
}

fn subscription_resource_id<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    check_names(args)?;
    let (before, kind, names) = at_type(args, 1)?;
    let mut scope = args.env.template.scope;
    scope.kind = ScopeKind::Subscription;
    if let [one] = before {
        scope.subscription = *one;
    }
    let mut builder = Builder::new(args.engine);
    scope.write(&mut builder);
    join_id(&mut builder, kind, names);
    Ok(builder.finish(args.engine, args.span))
}

fn management_group_resource_id<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    check_names(args)?;
    let (before, kind, names) = at_type(args, 1)?;
    let mut scope = args.env.template.scope;
    scope.kind = ScopeKind::ManagementGroup;
    if let [one] = before {
        scope.management_group = *one;
    }
    let mut builder = Builder::new(args.engine);
    scope.write(&mut builder);
    join_id(&mut builder, kind, names);
    Ok(builder.finish(args.engine, args.span))
}

fn tenant_resource_id<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    check_names(args)?;
    let (_, kind, names) = at_type(args, 0)?;
    let mut builder = Builder::new(args.engine);
    builder.is_id();
    join_id(&mut builder, kind, names);
    Ok(builder.finish(args.engine, args.span))
}

fn extension_resource_id<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    check_names(args)?;
    let Some((base, _)) = args.values.split_first() else {
        return Err(Fault::Open);
    };
    let rest = Args {
        engine: args.engine,
        env: args.env,
        span: args.span,
        name: args.name,
        values: args.values.get(1..).unwrap_or_default(),
    };
    let (_, kind, names) = at_type(&rest, 0)?;
    let mut builder = Builder::new(args.engine);
    builder.is_id();
    match base.data {
        Data::Str(text) => builder.literal(text.trim_end_matches('/')),
        _ => builder.push(base),
    }
    join_id(&mut builder, kind, names);
    Ok(builder.finish(args.engine, args.span))
}

/// The ids of built-in roles are Azure's.
fn role_definitions<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let name = args.as_str(0)?;
    let text = format!("roleDefinitions('{name}')");
    let why = [Why::Scope("tenant")];
    Ok(args
        .engine
        .unknown(args.span, &text, Shape::Object, &why, false))
}

/// What only Azure knows.
fn runtime<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let open = args.opaque(shape_of_runtime(args.name));
    let why = args
        .engine
        .bump
        .alloc_slice_copy(&[Why::Scope("subscription")]);
    Ok(args.engine.with(open, |unknown| {
        if matches!(unknown.why, [Why::Unsupported(_)]) {
            unknown.why = why;
        }
    }))
}

fn shape_of_runtime(name: &str) -> Shape {
    match name {
        "providers" => Shape::Object,
        "toLogicalZone" | "toPhysicalZone" => Shape::String,
        _ => Shape::Array,
    }
}
