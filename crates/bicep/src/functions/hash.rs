//! `uniqueString`, `guid`, `newGuid`.

use crate::functions::{ANY, Args, Function, Outcome, plain};
use crate::value::{Shape, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("uniqueString", 1, ANY, Shape::String, unique_string),
    plain("guid", 1, ANY, Shape::String, guid),
    plain("newGuid", 0, 0, Shape::String, new_guid),
];

fn unique_string<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    Ok(args.opaque(Shape::String))
}

fn guid<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    Ok(args.opaque(Shape::String))
}

fn new_guid<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let why = [Why::Chance("newGuid")];
    Ok(args
        .engine
        .unknown(args.span, "{newGuid()}", Shape::String, &why, false))
}
