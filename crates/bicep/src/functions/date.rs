//! Dates: `utcNow`, `dateTimeAdd`, `dateTimeFromEpoch`, `dateTimeToEpoch`.

use crate::functions::{Args, Function, Outcome, plain};
use crate::value::{Shape, Why};

pub(crate) const FUNCTIONS: &[Function] = &[plain("utcNow", 0, 1, Shape::String, utc_now)];

fn utc_now<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let text = args.opaque(Shape::String);
    let why = args.engine.bump.alloc_slice_copy(&[Why::Chance("utcNow")]);
    Ok(args.engine.with(text, |unknown| unknown.why = why))
}
