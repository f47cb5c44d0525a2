//! `map`, `filter`, `reduce`, `sort`, `toObject`, `mapValues`, `groupBy` and their lambdas.

use crate::evaluate::compare;
use crate::evaluate::engine::{Env, FrameKind};
use crate::evaluate::merge::has_open_keys;
use crate::evaluate::object::Fields;
use crate::functions::{Call, Fault, Function, Outcome, special};
use crate::node::{Expr, ExprKind};
use crate::value::{Data, Shape, Value, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    special("map", 2, 2, map),
    special("filter", 2, 2, filter),
    special("reduce", 3, 3, reduce),
    special("sort", 2, 2, sort),
    special("toObject", 2, 3, to_object),
    special("mapValues", 2, 2, map_values),
    special("groupBy", 2, 3, group_by),
    special("lambda", 1, crate::functions::ANY, |_| {
        Fault::error("a lambda has no value of its own")
    }),
    special("lambdaVariables", 1, 1, variable),
];

/// `lambda('a', 'b', body)`
struct Lambda<'e, 'a> {
    call: &'e Call<'e, 'a>,
    params: &'a [Expr<'a>],
    body: &'a Expr<'a>,
}

impl<'a> Lambda<'_, 'a> {
    fn name(&self, at: usize) -> Option<&'a str> {
        match self.params.get(at)?.kind {
            ExprKind::Str(name) => Some(name),
            _ => None,
        }
    }

    /// Its value for some arguments; those it has no parameter for are left out.
    fn apply(&self, values: &[Value<'a>]) -> Value<'a> {
        let mut env = self.call.env;
        for (at, value) in values.iter().enumerate() {
            if let Some(name) = self.name(at) {
                env = env.push(
                    self.call.engine.bump,
                    FrameKind::Lambda {
                        name,
                        value: *value,
                    },
                );
            }
        }
        self.call.engine.expr(env, self.body)
    }

    /// Its value for items that are not known, and its text.
    fn open(&self, why: &[Why<'a>], secret: bool) -> (Value<'a>, String) {
        let engine = self.call.engine;
        let _guess = engine.guess();
        let names: Vec<_> = (0..self.params.len())
            .filter_map(|at| self.name(at))
            .collect();
        let values: Vec<_> = names
            .iter()
            .map(|name| engine.unknown(self.call.span, name, Shape::Any, why, secret))
            .collect();
        let value = self.apply(&values);
        let head = match names.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("({})", many.join(", ")),
        };
        let text = format!("{head} => {}", engine.expr_text(&value));
        (value, text)
    }
}

fn lambda<'e, 'a>(call: &'e Call<'e, 'a>, at: usize) -> Result<Lambda<'e, 'a>, Fault> {
    let Some(Expr {
        kind: ExprKind::Call { name, args, .. },
        ..
    }) = call.exprs.get(at)
    else {
        return not_lambda(call, at);
    };
    match args.split_last() {
        Some((body, params)) if name.eq_ignore_ascii_case("lambda") => {
            Ok(Lambda { call, params, body })
        }
        _ => not_lambda(call, at),
    }
}

fn not_lambda<T>(call: &Call<'_, '_>, at: usize) -> Result<T, Fault> {
    Fault::error(format!(
        "`{}`: argument {} must be a lambda",
        call.name,
        at + 1
    ))
}

/// The list that is the first argument.
enum List<'a> {
    Known(&'a [Value<'a>]),
    Open(Value<'a>),
}

fn list<'a>(call: &Call<'_, 'a>) -> Result<List<'a>, Fault> {
    let value = call.eval(0);
    match value.data {
        Data::Array(items) => Ok(List::Known(items)),
        Data::Unknown(_) => Ok(List::Open(value)),
        _ => {
            let found = compare::kind_name(&value);
            Fault::error(format!(
                "`{}`: argument 1 must be a list, not {found}",
                call.name
            ))
        }
    }
}

/// A call on a list that is open, with the lambdas in its text.
fn opened<'a>(
    call: &Call<'_, 'a>,
    list: Value<'a>,
    lambdas: &[usize],
    shape: Shape,
) -> Outcome<'a> {
    let (why, secret) = list
        .unknown()
        .map_or((&[][..], false), |own| (own.why, own.secret));
    let mut from = vec![list];
    let mut text = format!("{}({}", call.name, call.engine.expr_text(&list));
    for at in lambdas {
        let (value, own) = lambda(call, *at)?.open(why, secret);
        text.push_str(", ");
        text.push_str(&own);
        from.push(value);
    }
    text.push(')');
    Ok(call.engine.opened(call.span, &text, shape, &from))
}

fn index<'a>(call: &Call<'_, 'a>, at: usize) -> Value<'a> {
    call.value(Data::Int(at as i64))
}

fn map<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    match list(call)? {
        List::Known(items) => {
            let lambda = lambda(call, 1)?;
            let mapped = items
                .iter()
                .enumerate()
                .map(|(at, item)| lambda.apply(&[*item, index(call, at)]));
            Ok(call.value(Data::Array(call.engine.bump.alloc_slice_fill_iter(mapped))))
        }
        List::Open(value) => {
            let open = opened(call, value, &[1], Shape::Array)?;
            let known = value
                .unknown()
                .map(|unknown| unknown.items)
                .unwrap_or_default();
            if known.is_empty() {
                return Ok(open);
            }
            let lambda = lambda(call, 1)?;
            let _guess = call.engine.guess();
            let index = call
                .engine
                .unknown(call.span, "index", Shape::Int, open_why(&open), false);
            let items = known.iter().map(|item| lambda.apply(&[*item, index]));
            let items = call.engine.bump.alloc_slice_fill_iter(items);
            Ok(call.engine.with(open, |unknown| unknown.items = items))
        }
    }
}

fn open_why<'a>(value: &Value<'a>) -> &'a [Why<'a>] {
    value
        .unknown()
        .map(|unknown| unknown.why)
        .unwrap_or_default()
}

fn filter<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let (items, whole, value) = match list(call)? {
        List::Known(items) => (items, true, call.value(Data::Array(items))),
        List::Open(value) => (
            value
                .unknown()
                .map(|unknown| unknown.items)
                .unwrap_or_default(),
            false,
            value,
        ),
    };
    let lambda = lambda(call, 1)?;
    let mut kept = Vec::new();
    let mut open = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let keep = lambda.apply(&[*item, index(call, at)]);
        match keep.data {
            Data::Bool(true) => kept.push(*item),
            Data::Bool(false) => {}
            Data::Unknown(_) => open.push((keep, *item)),
            _ => {
                let found = compare::kind_name(&keep);
                return Fault::error(format!("`filter`: the lambda gives {found}, no boolean"));
            }
        }
    }
    let kept = call.engine.bump.alloc_slice_copy(&kept);
    if whole && open.is_empty() {
        return Ok(call.value(Data::Array(kept)));
    }
    let result = if whole {
        let (reasons, _): (Vec<_>, Vec<_>) = open.iter().copied().unzip();
        let why = open_why(reasons.first().unwrap_or(&value));
        let (body, text) = lambda.open(why, false);
        let text = format!("filter({}, {text})", call.engine.expr_text(&value));
        let mut from = reasons;
        from.push(body);
        from.push(value);
        call.engine.opened(call.span, &text, Shape::Array, &from)
    } else {
        opened(call, value, &[1], Shape::Array)?
    };
    Ok(call.engine.with(result, |unknown| unknown.items = kept))
}

fn reduce<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let lambda = lambda(call, 2)?;
    let initial = call.eval(1);
    match list(call)? {
        List::Known(items) => {
            let mut sum = initial;
            for (at, item) in items.iter().enumerate() {
                // What is gathered may grow with every step.
                sum = call
                    .engine
                    .bounded(lambda.apply(&[sum, *item, index(call, at)]));
            }
            Ok(sum)
        }
        List::Open(value) => {
            let (body, text) = lambda.open(open_why(&value), false);
            let text = format!(
                "reduce({}, {}, {text})",
                call.engine.expr_text(&value),
                call.engine.expr_text(&initial)
            );
            let shape = match initial.data {
                Data::Null => Shape::Any,
                _ => compare::common_shape(compare::shape(&initial), compare::shape(&body)),
            };
            Ok(call
                .engine
                .opened(call.span, &text, shape, &[value, initial, body]))
        }
    }
}

/// By a lambda that says whether its first argument comes before its second. Keeps the order of
/// equals.
fn sort<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    match list(call)? {
        List::Known(items) => {
            let lambda = lambda(call, 1)?;
            let mut open = None;
            let mut before = |a: &Value<'a>, b: &Value<'a>| match lambda.apply(&[*a, *b]).data {
                Data::Bool(bool) => bool,
                Data::Unknown(unknown) => {
                    open = Some(unknown);
                    false
                }
                _ => false,
            };
            let sorted = merge_sort(items.to_vec(), &mut before);
            match open {
                None => Ok(call.value(Data::Array(call.engine.bump.alloc_slice_copy(&sorted)))),
                Some(unknown) => {
                    let value = call.value(Data::Array(items));
                    let (body, text) = lambda.open(unknown.why, unknown.secret);
                    let text = format!("sort({}, {text})", call.engine.expr_text(&value));
                    let result = call
                        .engine
                        .opened(call.span, &text, Shape::Array, &[value, body]);
                    Ok(call.engine.with(result, |unknown| unknown.items = items))
                }
            }
        }
        List::Open(value) => {
            let known = value
                .unknown()
                .map(|unknown| unknown.items)
                .unwrap_or_default();
            let result = opened(call, value, &[1], Shape::Array)?;
            Ok(call.engine.with(result, |unknown| unknown.items = known))
        }
    }
}

/// A lambda need not be an order, so that the library's sorts may not be used.
fn merge_sort<'a>(
    mut items: Vec<Value<'a>>,
    before: &mut impl FnMut(&Value<'a>, &Value<'a>) -> bool,
) -> Vec<Value<'a>> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for chunk in items.chunks(width * 2) {
            let (mut left, mut right) = chunk.split_at(width.min(chunk.len()));
            while let (Some((a, a_rest)), Some((b, b_rest))) =
                (left.split_first(), right.split_first())
            {
                if before(b, a) && !before(a, b) {
                    merged.push(*b);
                    right = b_rest;
                } else {
                    merged.push(*a);
                    left = a_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        items = merged;
        width *= 2;
    }
    items
}

fn to_object<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let with_values = call.exprs.len() > 2;
    match list(call)? {
        List::Known(items) => {
            let key_of = lambda(call, 1)?;
            let mut fields = Fields::new(call.engine.bump, items.len());
            for item in items {
                let key = key_of.apply(&[*item]);
                match key.data {
                    Data::Str(_) | Data::Unknown(_) => {}
                    _ => {
                        let found = compare::kind_name(&key);
                        return Fault::error(format!("`toObject`: a key is {found}, no string"));
                    }
                }
                let value = if with_values {
                    lambda(call, 2)?.apply(&[*item])
                } else {
                    *item
                };
                fields.put(call.engine.key_text(&key), key.span, value);
            }
            Ok(call.value(Data::Object(fields.finish())))
        }
        List::Open(value) => {
            let lambdas: &[usize] = if with_values { &[1, 2] } else { &[1] };
            opened(call, value, lambdas, Shape::Object)
        }
    }
}

fn map_values<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let object = call.eval(0);
    match object.data {
        Data::Object(fields) if has_open_keys(fields) => opened(call, object, &[1], Shape::Object),
        Data::Object(fields) => {
            let lambda = lambda(call, 1)?;
            let mapped = fields.iter().map(|field| {
                let key = Value {
                    span: field.key_span,
                    data: Data::Str(field.key),
                };
                crate::value::Field {
                    value: lambda.apply(&[field.value, key]),
                    ..*field
                }
            });
            Ok(call.value(Data::Object(call.engine.bump.alloc_slice_fill_iter(mapped))))
        }
        Data::Unknown(_) => opened(call, object, &[1], Shape::Object),
        _ => Fault::error("`mapValues`: argument 1 must be an object"),
    }
}

fn group_by<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    match list(call)? {
        List::Known(items) => {
            let value_of = if call.exprs.len() > 2 {
                Some(self::lambda(call, 2)?)
            } else {
                None
            };
            let lambda = lambda(call, 1)?;
            let mut groups: Vec<(&'a str, Value<'a>, Vec<Value<'a>>)> = Vec::new();
            let mut open = false;
            for item in items {
                let key = lambda.apply(&[*item]);
                open |= key.unknown().is_some();
                if !call.engine.spend(groups.len()) {
                    return Err(Fault::Exhausted);
                }
                let text = call.engine.key_text(&key);
                let item = match &value_of {
                    Some(value_of) => value_of.apply(&[*item]),
                    None => *item,
                };
                match groups
                    .iter_mut()
                    .find(|(own, ..)| own.eq_ignore_ascii_case(text))
                {
                    Some((.., members)) => members.push(item),
                    None => groups.push((text, key, vec![item])),
                }
            }
            if open && items.len() > 1 {
                let value = call.value(Data::Array(items));
                let why: Vec<_> = groups
                    .iter()
                    .flat_map(|(_, key, _)| open_why(key))
                    .copied()
                    .collect();
                let (body, text) = lambda.open(&why, false);
                let text = format!("groupBy({}, {text})", call.engine.expr_text(&value));
                return Ok(call
                    .engine
                    .opened(call.span, &text, Shape::Object, &[value, body]));
            }
            let mut fields = Fields::new(call.engine.bump, groups.len());
            for (text, key, members) in groups {
                let members = call.engine.bump.alloc_slice_copy(&members);
                fields.put(text, key.span, call.value(Data::Array(members)));
            }
            Ok(call.value(Data::Object(fields.finish())))
        }
        List::Open(value) => {
            let lambdas: &[usize] = if call.exprs.len() > 2 { &[1, 2] } else { &[1] };
            opened(call, value, lambdas, Shape::Object)
        }
    }
}

fn variable<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let name = call.eval(0);
    let Some(name) = name.as_str() else {
        return Fault::error("`lambdaVariables`: the name must be a string");
    };
    let found = crate::evaluate::engine::Engine::lambda_variable(Env { ..call.env }, name);
    found.ok_or_else(|| Fault::Error(format!("there is no lambda variable `{name}` here")))
}
