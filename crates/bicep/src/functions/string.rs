//! Functions of strings. Lengths and places count UTF-16 code units, as in .NET.

use crate::evaluate::compare::family;
use crate::evaluate::text::{Builder, Part, known_ends, parts, sole_hole};
use crate::functions::{ANY, Args, Fault, Function, Outcome, format, plain};
use crate::value::{Data, Shape, Unknown, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("format", 1, ANY, Shape::String, format::format),
    plain("join", 2, 2, Shape::String, join),
    plain("split", 2, 2, Shape::Array, split),
    plain("replace", 3, 3, Shape::String, replace),
    plain("substring", 2, 3, Shape::String, substring),
    plain("toLower", 1, 1, Shape::String, |args| {
        cased(args, str::to_lowercase)
    }),
    plain("toUpper", 1, 1, Shape::String, |args| {
        cased(args, str::to_uppercase)
    }),
    plain("trim", 1, 1, Shape::String, trim),
    plain("padLeft", 2, 3, Shape::String, pad_left),
    plain("startsWith", 2, 2, Shape::Bool, starts_with),
    plain("endsWith", 2, 2, Shape::Bool, ends_with),
    plain("indexOf", 2, 2, Shape::Int, index_of),
    plain("lastIndexOf", 2, 2, Shape::Int, last_index_of),
    plain("like", 2, 2, Shape::Bool, like),
];

/// Values joined to one string.
pub(crate) fn joined<'a>(args: &Args<'_, 'a>, values: &[Value<'a>]) -> Outcome<'a> {
    if let [one] = values
        && let Data::Unknown(unknown) = one.data
        && family(unknown.shape) == Shape::String
    {
        return Ok(Value {
            span: args.span,
            ..*one
        });
    }
    let mut builder = Builder::new(args.engine);
    values.iter().for_each(|value| builder.push(value));
    Ok(builder.finish(args.engine, args.span))
}

fn join<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let items = args.as_array(0)?;
    let delimiter = args.get(1);
    if !matches!(delimiter.data, Data::Str(_) | Data::Unknown(_)) {
        return args.mismatch(1, "a string");
    }
    let mut builder = Builder::new(args.engine);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            builder.push(&delimiter);
        }
        builder.push(item);
    }
    Ok(builder.finish(args.engine, args.span))
}

/// By one delimiter or by several.
fn split<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let delimiters = match args.get(1).data {
        Data::Str(text) => vec![text],
        Data::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().ok_or(Fault::Open));
            texts.collect::<Result<Vec<_>, _>>()?
        }
        Data::Unknown(_) => return Err(Fault::Open),
        _ => return args.mismatch(1, "a string or a list of strings"),
    };
    match args.get(0).data {
        Data::Str(text) => {
            args.spend(text.len().saturating_mul(delimiters.len()))?;
            let pieces = pieces(text, &delimiters);
            args.fits(pieces.len())?;
            let pieces: Vec<_> = pieces
                .into_iter()
                .map(|piece| args.value(Data::Str(args.engine.bump.alloc_str(piece))))
                .collect();
            args.list(&pieces)
        }
        Data::Unknown(unknown) if unknown.shape == Shape::Id && delimiters == ["/"] => {
            args.list(&split_id(args, unknown))
        }
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            split_open(args, unknown, &delimiters)
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string"),
    }
}

/// The open parts of an id are names: none has a `/`.
fn split_id<'a>(args: &Args<'_, 'a>, unknown: &Unknown<'a>) -> Vec<Value<'a>> {
    let mut segments = vec![Builder::new(args.engine)];
    for part in parts(unknown.text) {
        match part {
            Part::Hole(hole) => {
                if let Some(last) = segments.last_mut() {
                    last.push_part(hole, unknown);
                }
            }
            Part::Literal(text) => {
                for (at, piece) in text.split('/').enumerate() {
                    if at > 0 {
                        segments.push(Builder::new(args.engine));
                    }
                    if let Some(last) = segments.last_mut() {
                        last.literal(piece);
                    }
                }
            }
        }
    }
    segments
        .into_iter()
        .map(|segment| segment.finish(args.engine, args.span))
        .collect()
}

/// What is certain of the pieces of a string that is known in part: nothing but the whole.
fn split_open<'a>(args: &Args<'_, 'a>, unknown: &Unknown<'a>, delimiters: &[&str]) -> Outcome<'a> {
    // `split(split(x, '/')[2], '/')`: a piece has none of its own delimiters.
    if let Some(hole) = sole_hole(unknown.text)
        && let [delimiter] = delimiters
        && (hole.starts_with("split(") || hole.starts_with("last(split("))
        && hole.contains(&format!(", '{delimiter}')"))
        && hole.matches("split(").count() == 1
    {
        return args.list(&[args.get(0)]);
    }
    Err(Fault::Open)
}

/// .NET's `String.Split`: an empty delimiter does not split.
fn pieces<'t>(text: &'t str, delimiters: &[&str]) -> Vec<&'t str> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        match delimiters
            .iter()
            .find(|own| !own.is_empty() && rest.starts_with(**own))
        {
            Some(delimiter) => {
                out.push(text.get(start..at).unwrap_or_default());
                at += delimiter.len();
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

fn replace<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let (old, new) = (args.as_str(1), args.get(2));
    let old = old?;
    if old.is_empty() {
        return Fault::error("the text to replace must not be empty");
    }
    match (args.get(0).data, new.data) {
        (Data::Str(text), Data::Str(new)) => {
            let count = text.matches(old).count();
            let kept = text.len() - count * old.len();
            args.fits_text(count.saturating_mul(new.len()).saturating_add(kept))?;
            args.text(&text.replace(old, new))
        }
        (Data::Str(text), Data::Unknown(_)) => {
            let mut builder = Builder::new(args.engine);
            for (at, piece) in text.split(old).enumerate() {
                if at > 0 {
                    builder.push(&new);
                }
                builder.literal(piece);
            }
            Ok(builder.finish(args.engine, args.span))
        }
        (Data::Unknown(_), Data::Str(_) | Data::Unknown(_)) => Err(Fault::Open),
        (Data::Str(_) | Data::Unknown(_), _) => args.mismatch(2, "a string"),
        _ => args.mismatch(0, "a string"),
    }
}

fn substring<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let start = args.as_int(1)?;
    let length = if args.len() > 2 {
        Some(args.as_int(2)?)
    } else {
        None
    };
    if start < 0 || length.is_some_and(|length| length < 0) {
        return Fault::error("start and length must not be negative");
    }
    let text = match args.get(0).data {
        Data::Str(text) => text,
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            let (known, _) = known_ends(unknown.text);
            let end = start + length.unwrap_or(i64::MAX / 2);
            if end > known.encode_utf16().count() as i64 {
                return if start == 0 && length.is_none() {
                    Ok(args.get(0))
                } else {
                    Err(Fault::Open)
                };
            }
            known
        }
        Data::Unknown(_) => return Err(Fault::Open),
        _ => return args.mismatch(0, "a string"),
    };
    let units: Vec<u16> = text.encode_utf16().collect();
    let end = length.map_or(units.len() as i64, |length| start.saturating_add(length));
    let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match part.and_then(|(start, end)| units.get(start..end)) {
        Some(part) => args.text(&String::from_utf16_lossy(part)),
        None => Fault::error(format!(
            "start {start} and length {} lead out of a string of {} characters",
            length.unwrap_or_default(),
            units.len()
        )),
    }
}

/// A string in other letters; of one that is known in part, each part for itself.
fn cased<'a>(args: &Args<'_, 'a>, change: impl Fn(&str) -> String) -> Outcome<'a> {
    match args.get(0).data {
        Data::Str(text) => args.text(&change(text)),
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            let mut text = String::new();
            for part in parts(unknown.text) {
                match part {
                    Part::Literal(literal) => text.push_str(&change(literal)),
                    Part::Hole(hole) if hole.starts_with(args.name) => {
                        text.push_str(&format!("{{{hole}}}"));
                    }
                    Part::Hole(hole) => text.push_str(&format!("{{{}({hole})}}", args.name)),
                }
            }
            let shape = unknown.shape;
            let (why, secret) = (unknown.why, unknown.secret);
            let open = args.engine.unknown(args.span, &text, shape, why, secret);
            // What it is not, it is in no letters.
            Ok(args.engine.with(open, |own| own.not = unknown.not))
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string"),
    }
}

fn trim<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    args.text(args.as_str(0)?.trim())
}

fn pad_left<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    let text = match value.data {
        Data::Str(text) => text.to_owned(),
        Data::Int(int) => int.to_string(),
        Data::Unknown(_) => return Err(Fault::Open),
        _ => return args.mismatch(0, "a string or a number"),
    };
    let width = usize::try_from(args.as_int(1)?).unwrap_or(0);
    if width > 1 << 16 {
        return Fault::error("the width is too large");
    }
    let pad = if args.len() > 2 { args.as_str(2)? } else { " " };
    let mut chars = pad.chars();
    let (Some(pad), None) = (chars.next(), chars.next()) else {
        return Fault::error("argument 3 must be one character");
    };
    let missing = width.saturating_sub(text.encode_utf16().count());
    args.fits_text(missing * pad.len_utf8() + text.len())?;
    args.text(&(String::from(pad).repeat(missing) + &text))
}

/// Whatever the case of letters, as documented.
fn starts_with<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let wanted = args.as_str(1)?.to_lowercase();
    match args.get(0).data {
        Data::Str(text) => args.bool(text.to_lowercase().starts_with(&wanted)),
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            let known = known_ends(unknown.text).0.to_lowercase();
            if known.starts_with(&wanted) {
                args.bool(true)
            } else if !wanted.starts_with(&known) {
                args.bool(false)
            } else {
                Err(Fault::Open)
            }
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string"),
    }
}

fn ends_with<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let wanted = args.as_str(1)?.to_lowercase();
    match args.get(0).data {
        Data::Str(text) => args.bool(text.to_lowercase().ends_with(&wanted)),
        Data::Unknown(unknown) if family(unknown.shape) == Shape::String => {
            let known = known_ends(unknown.text).1.to_lowercase();
            if known.ends_with(&wanted) {
                args.bool(true)
            } else if !wanted.ends_with(&known) {
                args.bool(false)
            } else {
                Err(Fault::Open)
            }
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string"),
    }
}

/// In a string whatever the case of letters, in a list by equality.
fn index_of<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match args.get(0).data {
        Data::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                match args.engine.equals(item, &args.get(1)) {
                    Some(true) => return args.int(at as i64),
                    Some(false) => {}
                    None => return Err(Fault::Open),
                }
            }
            args.int(-1)
        }
        Data::Str(text) => {
            let (text, wanted) = (text.to_lowercase(), args.as_str(1)?.to_lowercase());
            args.int(text.find(&wanted).map_or(-1, |at| units_before(&text, at)))
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string or a list"),
    }
}

fn last_index_of<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match args.get(0).data {
        Data::Array(items) => {
            for (at, item) in items.iter().enumerate().rev() {
                match args.engine.equals(item, &args.get(1)) {
                    Some(true) => return args.int(at as i64),
                    Some(false) => {}
                    None => return Err(Fault::Open),
                }
            }
            args.int(-1)
        }
        Data::Str(text) => {
            let (text, wanted) = (text.to_lowercase(), args.as_str(1)?.to_lowercase());
            args.int(text.rfind(&wanted).map_or(-1, |at| units_before(&text, at)))
        }
        Data::Unknown(_) => Err(Fault::Open),
        _ => args.mismatch(0, "a string or a list"),
    }
}

fn units_before(text: &str, at: usize) -> i64 {
    text.get(..at).unwrap_or_default().encode_utf16().count() as i64
}

/// `*` stands for any characters, `?` for one; letters whatever their case.
fn like<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let text: Vec<char> = args.as_str(0)?.to_lowercase().chars().collect();
    let pattern: Vec<char> = args.as_str(1)?.to_lowercase().chars().collect();
    args.spend(text.len().saturating_mul(pattern.len()))?;
    args.bool(matches(&text, &pattern))
}

fn matches(text: &[char], pattern: &[char]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some('*') => {
                star = Some((at, of));
                of += 1;
            }
            Some(char) if *char == '?' || Some(char) == text.get(at) => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((from, star_at)) => {
                    at = from + 1;
                    of = star_at + 1;
                    star = Some((from + 1, star_at));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(of..)
        .unwrap_or_default()
        .iter()
        .all(|char| *char == '*')
}
