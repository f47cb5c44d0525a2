//! `createObject`, `union`, `intersection`, `items`, `objectKeys`, `shallowMerge`, `tryGet`.

use crate::evaluate::compare;
use crate::evaluate::merge::has_open_keys;
use crate::evaluate::object::Fields;
use crate::evaluate::text::is_compound;
use crate::functions::{ANY, Args, Call, Fault, Function, Outcome, plain, special};
use crate::value::{Data, Field, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("createObject", 0, ANY, Shape::Object, create_object),
    plain("union", 1, ANY, Shape::Any, union),
    plain("intersection", 2, ANY, Shape::Any, intersection),
    plain("items", 1, 1, Shape::Array, items),
    plain("objectKeys", 1, 1, Shape::Array, object_keys),
    plain("shallowMerge", 1, 1, Shape::Object, shallow_merge),
    special("tryGet", 2, ANY, try_get),
];

fn create_object<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut fields = Fields::new(args.engine.bump, args.len() / 2);
    let mut pairs = args.values.chunks_exact(2);
    for pair in &mut pairs {
        let [key, value] = pair else { continue };
        match key.data {
            Data::Str(_) | Data::Unknown(_) => {
                fields.put(args.engine.key_text(key), key.span, *value);
            }
            _ => {
                let found = compare::kind_name(key);
                return Fault::error(format!("a key must be a string, not {found}"));
            }
        }
    }
    if !pairs.remainder().is_empty() {
        return Fault::error("every key needs a value");
    }
    Ok(args.value(Data::Object(fields.finish())))
}

/// Lists without repetition, or objects merged deeply: the later one counts, lists in them are
/// replaced.
fn union<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let is = |shape: Shape| {
        args.values
            .iter()
            .any(|value| compare::shape(value) == shape)
    };
    if is(Shape::Array) {
        return union_lists(args);
    }
    if !is(Shape::Object) {
        return if args.values.iter().any(|value| value.unknown().is_some()) {
            Err(Fault::Open)
        } else {
            Fault::error("the arguments must all be lists or all be objects")
        };
    }
    let mut sum: Option<Value<'a>> = None;
    for (at, value) in args.values.iter().enumerate() {
        let next = match (sum, value.data) {
            (_, Data::Null) => continue,
            (_, Data::Object(_) | Data::Unknown(_)) if sum.is_none() => *value,
            (Some(sum), Data::Object(_) | Data::Unknown(_)) => merge(args, &sum, value),
            _ => return args.mismatch(at, "an object"),
        };
        sum = Some(next);
    }
    Ok(sum.map_or(args.value(Data::Null), |sum| Value {
        span: args.span,
        ..sum
    }))
}

/// Two objects merged deeply.
fn merge<'a>(args: &Args<'_, 'a>, a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    let engine = args.engine;
    let Some(_guard) = engine.enter() else {
        return engine.opaque(b.span, "union", &[*a, *b], Shape::Object);
    };
    match (a.data, b.data) {
        (Data::Object(left), Data::Object(right)) => {
            let mut fields = Fields::of(engine.bump, left);
            for field in right {
                let merged = match fields.get(field.key) {
                    Some(old) if both_objects(old, &field.value) => merge(args, old, &field.value),
                    Some(old) if may_be_object(old, &field.value) => {
                        let why = old.unknown().and_then(|own| own.why.first());
                        let both = engine.opaque(b.span, "union", &[*old, field.value], Shape::Any);
                        let text = engine.expr_text(&both);
                        why.map_or(field.value, |why| engine.extended(field.value, &text, *why))
                    }
                    old => engine.over(old, field.value),
                };
                fields.put(field.key, field.key_span, merged);
            }
            Value {
                span: b.span,
                data: Data::Object(fields.finish()),
            }
        }
        (Data::Object([]), Data::Unknown(_)) => *b,
        (Data::Unknown(_), Data::Object([])) => *a,
        _ => {
            let open = engine.opaque(b.span, "union", &[*a, *b], Shape::Object);
            let (known, later) = match (a.data, b.data) {
                (Data::Unknown(unknown), Data::Object(right)) => (unknown.fields, right),
                (Data::Unknown(a), Data::Unknown(b)) => (a.fields, b.fields),
                // What the unknown says of a key counts more than what is known here.
                (_, Data::Unknown(b)) => (&[][..], b.fields),
                _ => (&[][..], &[][..]),
            };
            let mut fields = Fields::new(engine.bump, later.len());
            for field in known.iter().chain(later) {
                let merged = match fields.get(field.key) {
                    Some(old) if both_objects(old, &field.value) => merge(args, old, &field.value),
                    _ => field.value,
                };
                fields.put(field.key, field.key_span, merged);
            }
            // A nested object may have got more from the unknown.
            let why = open.unknown().and_then(|unknown| unknown.why.first());
            let text = engine.expr_text(&open);
            let fields = fields.finish().iter().map(|field| {
                let mut field = *field;
                if let (Data::Object(_), Some(why)) = (field.value.data, why) {
                    let text = format!("{text}.{}", field.key);
                    field.value = engine.extended(field.value, &text, *why);
                }
                field
            });
            let fields: Vec<_> = fields.collect();
            let fields = engine.bump.alloc_slice_copy(&fields);
            engine.with(open, |unknown| unknown.fields = fields)
        }
    }
}

fn both_objects(a: &Value<'_>, b: &Value<'_>) -> bool {
    compare::shape(a) == Shape::Object && compare::shape(b) == Shape::Object
}

/// Whether an object is set over something of which it is not known whether it is one.
fn may_be_object(old: &Value<'_>, new: &Value<'_>) -> bool {
    matches!(new.data, Data::Object(_))
        && old.unknown().is_some()
        && compare::shape(old) == Shape::Any
}

fn union_lists<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut all: Vec<Value<'a>> = Vec::new();
    let mut open = false;
    for (at, value) in args.values.iter().enumerate() {
        let items = match value.data {
            Data::Array(items) => items,
            Data::Unknown(unknown) => {
                open = true;
                unknown.items
            }
            Data::Null => &[],
            _ => return args.mismatch(at, "a list"),
        };
        for item in items {
            args.spend(all.len())?;
            if all.iter().all(|other| !args.engine.identical(other, item)) {
                all.push(*item);
            }
        }
    }
    if !open {
        // Two items that may turn out to be the same leave only the length open.
        return args.list(&all);
    }
    let known = args.engine.bump.alloc_slice_copy(&all);
    Ok(args
        .engine
        .with(args.opaque(Shape::Array), |unknown| unknown.items = known))
}

fn intersection<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let open = |value: &Value<'a>| value.unknown().is_some() || has_open_keys(value.fields());
    if args.values.iter().any(open) {
        return Err(Fault::Open);
    }
    let (first, rest) = args.values.split_first().ok_or(Fault::Open)?;
    match first.data {
        Data::Array(items) => {
            let mut kept: Vec<Value<'a>> = Vec::new();
            for item in items {
                let mut everywhere = Some(true);
                for (at, other) in rest.iter().enumerate() {
                    let Data::Array(others) = other.data else {
                        return args.mismatch(at + 1, "a list");
                    };
                    everywhere = both(everywhere, contains(args, others, item)?);
                }
                match everywhere {
                    Some(true) if contains(args, &kept, item)? != Some(true) => {
                        kept.push(*item);
                    }
                    None => return Err(Fault::Open),
                    _ => {}
                }
            }
            args.list(&kept)
        }
        Data::Object(fields) => {
            let mut kept = Fields::new(args.engine.bump, fields.len());
            for field in fields {
                let mut everywhere = Some(true);
                for (at, other) in rest.iter().enumerate() {
                    args.spend(other.fields().len())?;
                    if !matches!(other.data, Data::Object(_)) {
                        return args.mismatch(at + 1, "an object");
                    }
                    let same = other
                        .get(field.key)
                        .map(|value| args.engine.equal(value, &field.value));
                    everywhere = both(everywhere, same.unwrap_or(Some(false)));
                }
                match everywhere {
                    Some(true) => kept.put(field.key, field.key_span, field.value),
                    Some(false) => {}
                    None => return Err(Fault::Open),
                }
            }
            Ok(args.value(Data::Object(kept.finish())))
        }
        _ => args.mismatch(0, "a list or an object"),
    }
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether a list contains a value.
pub(crate) fn contains<'a>(
    args: &Args<'_, 'a>,
    items: &[Value<'a>],
    value: &Value<'a>,
) -> Result<Option<bool>, Fault> {
    args.spend(items.len())?;
    let mut sum = Some(false);
    for item in items {
        match args.engine.equal(item, value) {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => sum = None,
        }
    }
    Ok(sum)
}

/// The fields of an object of which it is certain that it has them all.
fn certain_keys<'a>(args: &Args<'_, 'a>) -> Result<&'a [Field<'a>], Fault> {
    let fields = args.as_object(0)?;
    if has_open_keys(fields) {
        return Err(Fault::Open);
    }
    Ok(fields)
}

/// Sorted by key, as documented.
fn items<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut fields = certain_keys(args)?.to_vec();
    fields.sort_by_key(|field| field.key.to_lowercase());
    let items: Vec<_> = fields
        .iter()
        .map(|field| {
            let key = Value {
                span: field.key_span,
                data: Data::Str(field.key),
            };
            args.engine
                .object_of(args.span, &[("key", key), ("value", field.value)])
        })
        .collect();
    args.list(&items)
}

fn object_keys<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let mut fields = certain_keys(args)?.to_vec();
    fields.sort_by_key(|field| field.key.to_lowercase());
    let keys: Vec<_> = fields
        .iter()
        .map(|field| Value {
            span: field.key_span,
            data: Data::Str(field.key),
        })
        .collect();
    args.list(&keys)
}

/// Objects merged at their first level only.
fn shallow_merge<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let engine = args.engine;
    let mut sum = Value {
        span: args.span,
        data: Data::Object(&[]),
    };
    for item in args.as_array(0)? {
        // Each step copies what there is, also in the arena.
        args.spend((sum.fields().len() + item.fields().len()) * 16)?;
        sum = match (sum.data, item.data) {
            (_, Data::Null) => sum,
            (Data::Object([]), Data::Object(_) | Data::Unknown(_)) => *item,
            (_, Data::Object([])) => sum,
            (Data::Object(left), Data::Object(right)) => {
                let mut fields = Fields::of(engine.bump, left);
                for field in right {
                    let value = engine.over(fields.get(field.key), field.value);
                    fields.put(field.key, field.key_span, value);
                }
                args.value(Data::Object(fields.finish()))
            }
            (_, Data::Object(_) | Data::Unknown(_)) => {
                let before = sum
                    .unknown()
                    .map(|unknown| unknown.fields)
                    .unwrap_or_default();
                let (before, later) = match item.data {
                    Data::Unknown(unknown) => (&[][..], unknown.fields),
                    _ => (before, item.fields()),
                };
                let mut fields = Fields::of(engine.bump, before);
                for field in later {
                    fields.put(field.key, field.key_span, field.value);
                }
                let list = engine.bump.alloc_slice_copy(&[sum, *item]);
                let list = args.value(Data::Array(list));
                let open = engine.opaque(args.span, "shallowMerge", &[list], Shape::Object);
                let fields = fields.finish();
                engine.with(open, |unknown| unknown.fields = fields)
            }
            _ => return Fault::error("every item must be an object"),
        };
    }
    Ok(Value {
        span: args.span,
        ..sum
    })
}

/// `tryGet(base, key, …)`: `null` where a key or an index leads nowhere.
fn try_get<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let mut value = call.eval(0);
    for at in 1..call.exprs.len() {
        let key = call.eval(at);
        value = match try_step(call, value, &key)? {
            Some(value) => value,
            None => return Ok(call.value(Data::Null)),
        };
    }
    Ok(value)
}

fn try_step<'a>(
    call: &Call<'_, 'a>,
    base: Value<'a>,
    key: &Value<'a>,
) -> Result<Option<Value<'a>>, Fault> {
    let engine = call.engine;
    if !engine.spend(base.fields().len() / 4) {
        return Err(Fault::Exhausted);
    }
    match (base.data, key.data) {
        (Data::Null, _) => Ok(None),
        (Data::Object(_), Data::Str(name)) => {
            Ok(base.get(name).map(|value| engine.present(*value)))
        }
        (Data::Array(items), Data::Int(at)) => Ok(usize::try_from(at)
            .ok()
            .and_then(|at| items.get(at))
            .copied()),
        (Data::Unknown(unknown), Data::Str(name)) => {
            Ok(Some(engine.open_property(unknown, name, call.span, ".?")))
        }
        (Data::Object(fields), Data::Unknown(open))
            if engine.possible(fields, key, open).is_empty() =>
        {
            Ok(None)
        }
        (Data::Object(_) | Data::Array(_) | Data::Unknown(_), Data::Unknown(_))
        | (Data::Unknown(_), Data::Int(_)) => {
            let base_text = engine.expr_text(&base);
            let base_text = if is_compound(&base_text) {
                format!("({base_text})")
            } else {
                base_text
            };
            let text = format!("{base_text}[?{}]", engine.expr_text(key));
            Ok(Some(engine.opened(
                call.span,
                &text,
                Shape::Any,
                &[base, *key],
            )))
        }
        // A scalar has no members; Azure answers `null`.
        _ => Ok(None),
    }
}
