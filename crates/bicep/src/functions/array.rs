//! Functions of lists, and those that take a list, a string or an object alike.

use crate::evaluate::compare::{self, family};
use crate::evaluate::member::is_split;
use crate::evaluate::merge::{has_open_keys, may_be_absent};
use crate::evaluate::text::{Part, parts};
use crate::functions::object::contains as list_contains;
use crate::functions::{ANY, Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("array", 1, 1, Shape::Array, array),
    plain("createArray", 0, ANY, Shape::Array, |args| {
        args.list(args.values)
    }),
    plain("concat", 1, ANY, Shape::Any, concat),
    plain("contains", 2, 2, Shape::Bool, contains),
    plain("distinct", 1, 1, Shape::Array, distinct),
    plain("empty", 1, 1, Shape::Bool, empty),
    plain("first", 1, 1, Shape::Any, |args| end(args, true)),
    plain("last", 1, 1, Shape::Any, |args| end(args, false)),
    plain("length", 1, 1, Shape::Int, length),
    plain("skip", 2, 2, Shape::Any, skip),
    plain("take", 2, 2, Shape::Any, take),
    plain("flatten", 1, 1, Shape::Array, flatten),
    plain("indexFromEnd", 2, 2, Shape::Any, index_from_end),
    plain("tryIndexFromEnd", 2, 2, Shape::Any, try_index_from_end),
];

/// A list stays, anything else becomes its only item.
fn array<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    match value.data {
        Data::Array(_) => Ok(value),
        Data::Unknown(unknown) if unknown.shape == Shape::Array => Ok(value),
        Data::Unknown(unknown) if unknown.shape == Shape::Any => Err(Fault::Open),
        _ => args.list(&[value]),
    }
}

fn concat<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let lists = args
        .values
        .iter()
        .any(|value| compare::shape(value) == Shape::Array);
    if lists {
        return concat_lists(args);
    }
    if args
        .values
        .iter()
        .all(|value| compare::shape(value) == Shape::Any && value.unknown().is_some())
    {
        return Err(Fault::Open);
    }
    for (at, value) in args.values.iter().enumerate() {
        if matches!(value.data, Data::Object(_) | Data::Null) {
            return args.mismatch(at, "a string or a list");
        }
    }
    crate::functions::string::joined(args, args.values)
}

fn concat_lists<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    args.fits(certain_items(args.values))?;
    let mut all: Vec<Value<'a>> = Vec::new();
    let mut open = false;
    for (at, value) in args.values.iter().enumerate() {
        match value.data {
            Data::Array(items) => all.extend_from_slice(items),
            Data::Unknown(unknown) => {
                open = true;
                all.extend_from_slice(unknown.items);
            }
            _ => return args.mismatch(at, "a list"),
        }
    }
    if !open {
        return args.list(&all);
    }
    let some: Vec<_> = args
        .values
        .iter()
        .filter(|value| !matches!(value.data, Data::Array([])))
        .copied()
        .collect();
    if let [one] = some.as_slice() {
        return Ok(*one);
    }
    let known = args.engine.bump.alloc_slice_copy(&all);
    let open = args.engine.opaque(args.span, "concat", &some, Shape::Array);
    Ok(args.engine.with(open, |unknown| unknown.items = known))
}

/// How many items some lists certainly have together.
fn certain_items(lists: &[Value<'_>]) -> usize {
    let each = lists.iter().map(|list| match list.data {
        Data::Unknown(unknown) => unknown.items.len(),
        _ => list.items().len(),
    });
    each.fold(0, usize::saturating_add)
}

/// A list's item, an object's key (whatever its case), a string's part (by case).
fn contains<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let (container, item) = (args.get(0), args.get(1));
    match container.data {
        Data::Array(items) => {
            if let Data::Unknown(unknown) = item.data {
                for known in items {
                    args.engine.note_compared(unknown, *known);
                }
            }
            let mut sum = Some(false);
            for own in items {
                match args.engine.equals(own, &item) {
                    Some(true) => return args.bool(true),
                    Some(false) => {}
                    None => sum = None,
                }
            }
            match sum.or_else(|| args.engine.among(&item, items)) {
                Some(found) => args.bool(found),
                None => Err(Fault::Open),
            }
        }
        Data::Object(fields) => match item.data {
            Data::Str(key) => has_key(args, &container, key),
            Data::Int(int) => has_key(args, &container, &int.to_string()),
            Data::Unknown(unknown) => {
                for field in fields {
                    let key = Value {
                        span: field.key_span,
                        data: Data::Str(field.key),
                    };
                    args.engine.note_compared(unknown, key);
                }
                if args.engine.possible(fields, &item, unknown).is_empty() {
                    args.bool(false)
                } else {
                    Err(Fault::Open)
                }
            }
            _ => args.mismatch(1, "a string"),
        },
        Data::Str(text) => match item.data {
            Data::Str(part) => args.bool(text.contains(part)),
            Data::Int(int) => args.bool(text.contains(&int.to_string())),
            Data::Unknown(_) => Err(Fault::Open),
            _ => args.mismatch(1, "a string"),
        },
        Data::Unknown(unknown) => {
            let certainly = match (family(unknown.shape), item.data) {
                (Shape::String, Data::Str("")) => true,
                (Shape::String, Data::Str(part)) => parts(unknown.text)
                    .any(|own| matches!(own, Part::Literal(text) if text.contains(part))),
                (Shape::Array | Shape::Any, _) if !unknown.items.is_empty() => {
                    list_contains(args, unknown.items, &item)? == Some(true)
                }
                (_, Data::Str(key)) => unknown.fields.iter().any(|field| {
                    field.key.eq_ignore_ascii_case(key) && !may_be_absent(&field.value)
                }),
                _ => false,
            };
            if certainly {
                args.bool(true)
            } else {
                Err(Fault::Open)
            }
        }
        // https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array#contains
        _ => args.mismatch(0, "a list, an object or a string"),
    }
}

fn has_key<'a>(args: &Args<'_, 'a>, object: &Value<'a>, key: &str) -> Outcome<'a> {
    match object.get(key) {
        Some(value) if may_be_absent(value) => Err(Fault::Open),
        found => args.bool(found.is_some()),
    }
}

fn distinct<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let items = args.as_array(0)?;
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in items {
        match list_contains(args, &kept, item)? {
            Some(true) => {}
            Some(false) => kept.push(*item),
            None => return Err(Fault::Open),
        }
    }
    args.list(&kept)
}

fn empty<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match args.get(0).data {
        Data::Null => args.bool(true),
        Data::Str(text) => args.bool(text.is_empty()),
        Data::Array(items) => args.bool(items.is_empty()),
        Data::Object(fields) if fields.iter().any(|own| !may_be_absent(&own.value)) => {
            args.bool(false)
        }
        Data::Object(fields) if has_open_keys(fields) => Err(Fault::Open),
        Data::Object(fields) => args.bool(fields.is_empty()),
        Data::Unknown(unknown) => {
            let known = match unknown.shape {
                Shape::Id => true,
                Shape::String => parts(unknown.text).any(|part| matches!(part, Part::Literal(_))),
                _ => !unknown.fields.is_empty() || !unknown.items.is_empty(),
            };
            let never = |data: Data<'a>| {
                let empty = Value {
                    span: args.span,
                    data,
                };
                compare::equal(&args.get(0), &empty) == Some(false)
            };
            let never_string = family(unknown.shape) == Shape::String && never(Data::Str(""));
            if known || never_string {
                args.bool(false)
            } else {
                Err(Fault::Open)
            }
        }
        _ => args.mismatch(0, "a list, an object or a string"),
    }
}

fn end<'a>(args: &Args<'_, 'a>, first: bool) -> Outcome<'a> {
    match args.get(0).data {
        Data::Array(items) => {
            let item = if first { items.first() } else { items.last() };
            Ok(item.copied().unwrap_or(args.value(Data::Null)))
        }
        Data::Str(text) => {
            let found = if first {
                text.chars().next()
            } else {
                text.chars().next_back()
            };
            args.text(&found.map(String::from).unwrap_or_default())
        }
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            let mut own = parts(unknown.text);
            let part = if first { own.next() } else { own.last() };
            match part {
                Some(Part::Literal(text)) => {
                    let found = if first {
                        text.chars().next()
                    } else {
                        text.chars().next_back()
                    };
                    args.text(&found.map(String::from).unwrap_or_default())
                }
                _ => Ok(args.opaque(Shape::String)),
            }
        }
        Data::Unknown(unknown) if is_split(unknown) => Ok(args.opaque(Shape::String)),
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a list or a string"),
    }
}

fn length<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match args.get(0).data {
        // .NET counts UTF-16 code units.
        Data::Str(text) => args.int(text.encode_utf16().count() as i64),
        Data::Array(items) => args.int(items.len() as i64),
        Data::Object(fields) if has_open_keys(fields) => Err(Fault::Open),
        Data::Object(fields) => args.int(fields.len() as i64),
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a list, an object or a string"),
    }
}

fn skip<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    cut(args, |count, length| (count.min(length), length))
}

fn take<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    cut(args, |count, length| (0, count.min(length)))
}

/// A count below 0 is 0, one above the length is the length.
fn cut<'a>(args: &Args<'_, 'a>, range: impl Fn(usize, usize) -> (usize, usize)) -> Outcome<'a> {
    let value = args.get(0);
    let shape = compare::shape(&value);
    let Ok(count) = args.as_int(1) else {
        return match args.as_int(1) {
            Err(Fault::Error(message)) => Err(Fault::Error(message)),
            _ => Ok(args.opaque(if shape == Shape::Id {
                Shape::String
            } else {
                shape
            })),
        };
    };
    let count = usize::try_from(count).unwrap_or(0);
    match value.data {
        Data::Array(items) => {
            let (from, to) = range(count, items.len());
            Ok(args.value(Data::Array(items.get(from..to).unwrap_or_default())))
        }
        Data::Str(text) => {
            let units: Vec<u16> = text.encode_utf16().collect();
            let (from, to) = range(count, units.len());
            args.text(&String::from_utf16_lossy(
                units.get(from..to).unwrap_or_default(),
            ))
        }
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            // `take` of no more than what is known at the start, `skip` within it.
            let (start, _) = crate::evaluate::text::known_ends(unknown.text);
            let units: Vec<u16> = start.encode_utf16().collect();
            let (from, to) = range(count, usize::MAX);
            if to <= units.len() {
                let known = units.get(from..to).unwrap_or_default();
                return args.text(&String::from_utf16_lossy(known));
            }
            if to == usize::MAX && from <= units.len() {
                let known = String::from_utf16_lossy(units.get(from..).unwrap_or_default());
                let rest = unknown.text.get(start.len()..).unwrap_or_default();
                let text = known + rest;
                return Ok(args.engine.unknown(
                    args.span,
                    &text,
                    Shape::String,
                    unknown.why,
                    unknown.secret,
                ));
            }
            Ok(args.opaque(Shape::String))
        }
        Data::Unknown(unknown) => Ok(args.opaque(unknown.shape)),
        _ => args.mismatch(0, "a list or a string"),
    }
}

fn flatten<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let lists = match args.get(0).data {
        Data::Array(lists) => lists,
        Data::Unknown(unknown) => {
            args.fits(certain_items(unknown.items))?;
            let known: Vec<_> = unknown
                .items
                .iter()
                .flat_map(Value::items)
                .copied()
                .collect();
            let known = args.engine.bump.alloc_slice_copy(&known);
            return Ok(args
                .engine
                .with(args.opaque(Shape::Array), |open| open.items = known));
        }
        _ => return args.mismatch(0, "a list"),
    };
    args.fits(certain_items(lists))?;
    let mut all: Vec<Value<'a>> = Vec::new();
    let mut open = false;
    for list in lists {
        match list.data {
            Data::Array(items) => all.extend_from_slice(items),
            Data::Unknown(unknown) => {
                open = true;
                all.extend_from_slice(unknown.items);
            }
            _ => return Fault::error("every item must be a list"),
        }
    }
    if !open {
        return args.list(&all);
    }
    if let [one] = lists {
        return Ok(*one);
    }
    let known = args.engine.bump.alloc_slice_copy(&all);
    Ok(args
        .engine
        .with(args.opaque(Shape::Array), |unknown| unknown.items = known))
}

/// The item at a place counted from the end, which is 1.
fn from_end<'a>(args: &Args<'_, 'a>) -> Result<Option<Value<'a>>, Fault> {
    let items = args.as_array(0)?;
    let at = usize::try_from(args.as_int(1)?).ok();
    Ok(at
        .and_then(|at| items.len().checked_sub(at))
        .and_then(|at| items.get(at))
        .copied())
}

fn index_from_end<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match from_end(args)? {
        Some(item) => Ok(item),
        None => Fault::error("the list has no item there"),
    }
}

fn try_index_from_end<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    if matches!(args.get(0).data, Data::Null) {
        return Ok(args.value(Data::Null));
    }
    Ok(from_end(args)?.unwrap_or(args.value(Data::Null)))
}
