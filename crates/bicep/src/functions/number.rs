//! Whole numbers: 64 bits, division and remainder towards zero.

use crate::functions::{ANY, Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("add", 2, 2, Shape::Int, |args| {
        arithmetic(args, "+", i64::checked_add)
    }),
    plain("sub", 2, 2, Shape::Int, |args| {
        arithmetic(args, "-", i64::checked_sub)
    }),
    plain("mul", 2, 2, Shape::Int, |args| {
        arithmetic(args, "*", i64::checked_mul)
    }),
    plain("div", 2, 2, Shape::Int, |args| {
        arithmetic(args, "/", i64::checked_div)
    }),
    plain("mod", 2, 2, Shape::Int, |args| {
        arithmetic(args, "%", i64::checked_rem)
    }),
    plain("int", 1, 1, Shape::Int, int),
    plain("float", 1, 1, Shape::Any, float),
    plain("min", 1, ANY, Shape::Int, |args| extreme(args, i64::min)),
    plain("max", 1, ANY, Shape::Int, |args| extreme(args, i64::max)),
    plain("range", 2, 2, Shape::Array, range),
];

fn arithmetic<'a>(
    args: &Args<'_, 'a>,
    operator: &str,
    compute: impl Fn(i64, i64) -> Option<i64>,
) -> Outcome<'a> {
    let zero = |at: usize| matches!(args.get(at).data, Data::Int(0));
    let one = |at: usize| matches!(args.get(at).data, Data::Int(1));
    match (args.as_int(0), args.as_int(1)) {
        (Ok(a), Ok(b)) => match compute(a, b) {
            Some(result) => args.int(result),
            None if b == 0 => Fault::error("it divides by zero"),
            None => Fault::error("the result does not fit into 64 bits"),
        },
        (Err(Fault::Error(message)), _) | (_, Err(Fault::Error(message))) => {
            Err(Fault::Error(message))
        }
        _ if matches!(operator, "+" | "-") && zero(1) => Ok(args.get(0)),
        _ if operator == "+" && zero(0) => Ok(args.get(1)),
        _ if matches!(operator, "*" | "/") && one(1) => Ok(args.get(0)),
        _ => args.operator(operator, Shape::Int),
    }
}

fn int<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    match value.data {
        Data::Int(_) => Ok(value),
        Data::Float(float) => args.int(float as i64),
        Data::Str(text) => match text.trim().parse::<i64>() {
            Ok(int) => args.int(int),
            Err(_) => Fault::error("the text is no whole number"),
        },
        Data::Unknown(unknown) if unknown.shape == Shape::Int => Ok(value),
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a number or a string"),
    }
}

fn float<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match args.get(0).data {
        Data::Int(int) => Ok(args.value(Data::Float(int as f64))),
        Data::Float(float) => Ok(args.value(Data::Float(float))),
        Data::Str(text) => match text.trim().parse::<f64>() {
            Ok(float) => Ok(args.value(Data::Float(float))),
            Err(_) => Fault::error("the text is no number"),
        },
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a number or a string"),
    }
}

/// Of the arguments, or of the one list that is given.
fn extreme<'a>(args: &Args<'_, 'a>, choose: impl Fn(i64, i64) -> i64) -> Outcome<'a> {
    let values: &[Value<'a>] = match args.values {
        [
            Value {
                data: Data::Array(items),
                ..
            },
        ] => items,
        values => values,
    };
    let mut best: Option<i64> = None;
    let mut open = false;
    for value in values {
        match value.data {
            Data::Int(int) => best = Some(best.map_or(int, |best| choose(best, int))),
            Data::Unknown(_) => open = true,
            _ => return Fault::error("all values must be whole numbers"),
        }
    }
    match best {
        _ if open => Err(Fault::Open),
        Some(best) => args.int(best),
        None => Fault::error("the list is empty"),
    }
}

/// Azure makes at most 10,000 numbers.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array#range>
fn range<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let (start, count) = match (args.as_int(0), args.as_int(1)) {
        (_, Ok(0)) => return args.list(&[]),
        (start, count) => (start?, count?),
    };
    if !(0..=10_000).contains(&count) {
        return Fault::error(format!("the count must be from 0 to 10000, not {count}"));
    }
    let Some(end) = start
        .checked_add(count)
        .filter(|end| *end <= i64::from(i32::MAX) + 1)
    else {
        return Fault::error("the numbers exceed 2147483647");
    };
    let items: Vec<_> = (start..end).map(|int| args.value(Data::Int(int))).collect();
    args.list(&items)
}
