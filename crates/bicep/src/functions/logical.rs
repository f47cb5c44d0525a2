//! `if`, `and`, `or`, `not`, `equals` and the other comparisons, `coalesce`, `bool`.

use crate::evaluate::compare;
use crate::evaluate::text::unknown_text;
use crate::functions::{ANY, Args, Call, Fault, Function, Outcome, plain, special};
use crate::value::{Data, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    special("if", 3, 3, if_),
    special("and", 2, ANY, and),
    special("or", 2, ANY, or),
    special("coalesce", 1, ANY, coalesce),
    plain("not", 1, 1, Shape::Bool, not),
    plain("equals", 2, 2, Shape::Bool, equals),
    plain("less", 2, 2, Shape::Bool, less),
    plain("lessOrEquals", 2, 2, Shape::Bool, less_or_equals),
    plain("greater", 2, 2, Shape::Bool, greater),
    plain("greaterOrEquals", 2, 2, Shape::Bool, greater_or_equals),
    plain("true", 0, 0, Shape::Bool, |args| args.bool(true)),
    plain("false", 0, 0, Shape::Bool, |args| args.bool(false)),
    plain("null", 0, 0, Shape::Any, |args| Ok(args.value(Data::Null))),
    plain("bool", 1, 1, Shape::Bool, bool),
];

fn if_<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let condition = call.eval(0);
    match condition.data {
        Data::Bool(true) => Ok(call.eval(1)),
        Data::Bool(false) => Ok(call.eval(2)),
        Data::Unknown(_) => {
            let (a, b) = (call.guess(1), call.guess(2));
            Ok(call.engine.either(&condition, a, b, call.span))
        }
        _ => {
            let found = compare::kind_name(&condition);
            Fault::error(format!("`if`: argument 1 must be a boolean, not {found}"))
        }
    }
}

fn and<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    junction(call, false, "&&")
}

fn or<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    junction(call, true, "||")
}

/// A conjunction (which `false` decides) or a disjunction (which `true` decides). Arguments after
/// the one that decides are not evaluated; an open one does not keep a later one from deciding.
fn junction<'a>(call: &Call<'_, 'a>, decisive: bool, operator: &str) -> Outcome<'a> {
    let mut open: Vec<Value<'a>> = Vec::new();
    for at in 0..call.exprs.len() {
        let value = if open.is_empty() {
            call.eval(at)
        } else {
            call.guess(at)
        };
        match value.data {
            Data::Bool(bool) if bool == decisive => return Ok(call.value(Data::Bool(decisive))),
            Data::Bool(_) => {}
            Data::Unknown(_) => {
                let repeated = open.iter().any(|other| compare::identical(other, &value));
                if !repeated {
                    open.push(value);
                }
            }
            _ => {
                let found = compare::kind_name(&value);
                let name = call.name;
                return Fault::error(format!(
                    "`{name}`: argument {} must be a boolean, not {found}",
                    at + 1
                ));
            }
        }
    }
    match open.as_slice() {
        [] => Ok(call.value(Data::Bool(!decisive))),
        [one] => Ok(Value {
            span: call.span,
            ..*one
        }),
        _ => {
            // `a && !a` is false.
            for one in &open {
                let negated = call.engine.negated(one, call.span);
                if open.iter().any(|other| compare::identical(other, &negated)) {
                    return Ok(call.value(Data::Bool(decisive)));
                }
            }
            let texts: Vec<_> = open
                .iter()
                .map(|value| {
                    let text = call.engine.expr_text(value);
                    let plain = !text.contains('?') && !text.contains("&&") && !text.contains("||");
                    if plain { text } else { format!("({text})") }
                })
                .collect();
            let text = texts.join(&format!(" {operator} "));
            Ok(call.engine.opened(call.span, &text, Shape::Bool, &open))
        }
    }
}

fn coalesce<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let mut open: Vec<Value<'a>> = Vec::new();
    for at in 0..call.exprs.len() {
        let value = if open.is_empty() {
            call.eval(at)
        } else {
            call.guess(at)
        };
        match value.data {
            Data::Null => {}
            Data::Unknown(unknown) if never_null(unknown) || at + 1 == call.exprs.len() => {
                if open.is_empty() {
                    return Ok(value);
                }
                open.push(value);
                break;
            }
            Data::Unknown(_) => open.push(value),
            _ if open.is_empty() => return Ok(value),
            _ => {
                open.push(value);
                break;
            }
        }
    }
    let Some((last, before)) = open.split_last() else {
        return Ok(call.value(Data::Null));
    };
    if before.is_empty() {
        return Ok(*last);
    }
    let texts: Vec<_> = open
        .iter()
        .map(|value| call.engine.operand(value))
        .collect();
    let shape = before.iter().fold(compare::shape(last), |shape, value| {
        compare::common_shape(shape, compare::shape(value))
    });
    let result = call
        .engine
        .opened(call.span, &texts.join(" ?? "), shape, &open);
    let null = call.value(Data::Null);
    if compare::equal(last, &null) != Some(false) {
        return Ok(result);
    }
    let not = call.engine.bump.alloc_slice_copy(&[null]);
    Ok(call.engine.with(result, |unknown| unknown.not = not))
}

/// Whether an unknown certainly has a value.
fn never_null(unknown: &crate::value::Unknown<'_>) -> bool {
    unknown.shape != Shape::Any || unknown.not.iter().any(|not| matches!(not.data, Data::Null))
}

fn not<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    match value.data {
        Data::Bool(bool) => args.bool(!bool),
        Data::Unknown(_) => Ok(args.engine.negated(&value, args.span)),
        _ => args.mismatch(0, "a boolean"),
    }
}

fn equals<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let (a, b) = (args.get(0), args.get(1));
    if let Some(equal) = args.engine.equals(&a, &b) {
        return args.bool(equal);
    }
    // `flag == true` is `flag`.
    for (open, other) in [(a, b), (b, a)] {
        if let (Data::Unknown(unknown), Data::Bool(bool)) = (open.data, other.data)
            && unknown.shape == Shape::Bool
        {
            return Ok(if bool {
                Value {
                    span: args.span,
                    ..open
                }
            } else {
                args.engine.negated(&open, args.span)
            });
        }
    }
    args.operator("==", Shape::Bool)
}

/// Numbers, or strings by ordinal comparison.
fn order(args: &Args<'_, '_>) -> Result<std::cmp::Ordering, Fault> {
    match (args.get(0).data, args.get(1).data) {
        (Data::Int(a), Data::Int(b)) => Ok(a.cmp(&b)),
        (Data::Str(a), Data::Str(b)) => Ok(a.encode_utf16().cmp(b.encode_utf16())),
        (Data::Int(_) | Data::Float(_), Data::Int(_) | Data::Float(_)) => {
            let number = |at: usize| match args.get(at).data {
                Data::Int(int) => int as f64,
                Data::Float(float) => float,
                _ => 0.0,
            };
            Ok(number(0).total_cmp(&number(1)))
        }
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => Err(Fault::Open),
        _ => Fault::error("the arguments must be two numbers or two strings"),
    }
}

fn ordered<'a>(
    args: &Args<'_, 'a>,
    operator: &str,
    holds: impl Fn(std::cmp::Ordering) -> bool,
) -> Outcome<'a> {
    match order(args) {
        Ok(order) => args.bool(holds(order)),
        Err(Fault::Open) => {
            let (a, b) = (args.get(0), args.get(1));
            if let Some(known) = by_length(&a, &b) {
                return args.bool(holds(known));
            }
            args.operator(operator, Shape::Bool)
        }
        Err(fault) => Err(fault),
    }
}

/// Lengths are at least 0: `length(x) < 0` is false, `length(x) >= 0` is true.
fn by_length(a: &Value<'_>, b: &Value<'_>) -> Option<std::cmp::Ordering> {
    let is_length = |value: &Value<'_>| {
        value.unknown().is_some_and(|unknown| {
            unknown.shape == Shape::Int && unknown_text(unknown).starts_with("length(")
        })
    };
    match (a.data, b.data) {
        (_, Data::Int(int)) if int < 0 && is_length(a) => Some(std::cmp::Ordering::Greater),
        (Data::Int(int), _) if int < 0 && is_length(b) => Some(std::cmp::Ordering::Less),
        _ => None,
    }
}

fn less<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    ordered(args, "<", std::cmp::Ordering::is_lt)
}

fn less_or_equals<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    ordered(args, "<=", std::cmp::Ordering::is_le)
}

fn greater<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    ordered(args, ">", std::cmp::Ordering::is_gt)
}

fn greater_or_equals<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    ordered(args, ">=", std::cmp::Ordering::is_ge)
}

fn bool<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    match value.data {
        Data::Bool(bool) => args.bool(bool),
        Data::Int(int) => args.bool(int != 0),
        Data::Str(text) if text.eq_ignore_ascii_case("true") || text == "1" => args.bool(true),
        Data::Str(text) if text.eq_ignore_ascii_case("false") || text == "0" => args.bool(false),
        Data::Str(_) => Fault::error("the text is neither `true` nor `false`"),
        Data::Unknown(unknown) if unknown.shape == Shape::Bool => Ok(value),
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a boolean, a number or a string"),
    }
}
