//! `format`: .NET's composite formatting.
//! <https://learn.microsoft.com/dotnet/standard/base-types/composite-formatting>

use std::fmt::Write as _;

use crate::evaluate::text::Builder;
use crate::functions::{Args, Fault, Outcome};
use crate::value::{Data, Value};

pub(crate) fn format<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let pattern = args.as_str(0)?;
    let mut builder = Builder::new(args.engine);
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        builder.literal(rest.get(..at).unwrap_or_default());
        let brace = rest.get(at..=at).unwrap_or_default();
        let tail = rest.get(at + 1..).unwrap_or_default();
        if let Some(after) = tail.strip_prefix(brace) {
            builder.literal(brace);
            rest = after;
        } else if brace == "{" {
            let Some((item, after)) = tail.split_once('}') else {
                return Fault::error("a `{` has no `}`");
            };
            place(args, item, &mut builder)?;
            rest = after;
        } else {
            return Fault::error("a `}` has no `{`");
        }
    }
    builder.literal(rest);
    Ok(builder.finish(args.engine, args.span))
}

/// `index[,alignment][:format]`
fn place<'a>(args: &Args<'_, 'a>, item: &str, builder: &mut Builder<'a>) -> Result<(), Fault> {
    let (head, spec) = match item.split_once(':') {
        Some((head, spec)) => (head, Some(spec)),
        None => (item, None),
    };
    let (index, width) = match head.split_once(',') {
        Some((index, width)) => (index, width.trim().parse::<i32>().ok()),
        None => (head, Some(0)),
    };
    let (Ok(index), Some(width)) = (index.trim().parse::<usize>(), width) else {
        return Fault::error(format!("`{{{item}}}` is no place for an argument"));
    };
    if index + 1 >= args.len() {
        return Fault::error(format!("there is no argument for `{{{item}}}`"));
    }
    let value = args.get(index + 1);
    if spec.is_none() && width == 0 {
        builder.push(&value);
        return Ok(());
    }
    if value.unknown().is_some() {
        let text = args.engine.expr_text(&value);
        builder.push_open(&value, &format!("format('{{{item}}}', {text})"));
        return Ok(());
    }
    let mut text = formatted(args, &value, spec.unwrap_or_default())?;
    let missing = (width.unsigned_abs().min(4096) as usize).saturating_sub(text.chars().count());
    let pad = " ".repeat(missing);
    text = if width < 0 { text + &pad } else { pad + &text };
    builder.literal(&text);
    Ok(())
}

fn formatted<'a>(args: &Args<'_, 'a>, value: &Value<'a>, spec: &str) -> Result<String, Fault> {
    match value.data {
        Data::Int(int) if !spec.is_empty() => number(int as f64, Some(int), spec),
        Data::Float(float) if !spec.is_empty() => number(float, None, spec),
        _ => {
            let mut plain = Builder::new(args.engine);
            plain.push(value);
            let text = plain.finish(args.engine, args.span);
            Ok(text.as_str().unwrap_or_default().to_owned())
        }
    }
}

/// Standard and custom numeric format strings in the invariant culture.
/// <https://learn.microsoft.com/dotnet/standard/base-types/standard-numeric-format-strings>
fn number(value: f64, int: Option<i64>, spec: &str) -> Result<String, Fault> {
    let mut chars = spec.chars();
    let letter = chars.next().unwrap_or('G');
    let precision = chars.as_str();
    let standard = letter.is_ascii_alphabetic()
        && (precision.is_empty() || precision.bytes().all(|byte| byte.is_ascii_digit()))
        && precision.len() < 3;
    if !standard {
        return Ok(custom(value, spec));
    }
    let digits = precision.parse::<usize>().ok();
    let text = match (letter.to_ascii_uppercase(), int) {
        ('D', Some(int)) => {
            let body = format!(
                "{:0width$}",
                int.unsigned_abs(),
                width = digits.unwrap_or(0)
            );
            if int < 0 { format!("-{body}") } else { body }
        }
        ('X', Some(int)) if letter == 'X' => format!("{int:0width$X}", width = digits.unwrap_or(0)),
        ('X', Some(int)) => format!("{int:0width$x}", width = digits.unwrap_or(0)),
        ('B', Some(int)) => format!("{int:0width$b}", width = digits.unwrap_or(0)),
        ('F', _) => format!("{value:.*}", digits.unwrap_or(2)),
        ('N', _) => grouped(&format!("{value:.*}", digits.unwrap_or(2))),
        ('C', _) => {
            let body = grouped(&format!("{:.*}", digits.unwrap_or(2), value.abs()));
            if value < 0.0 {
                format!("(¤{body})")
            } else {
                format!("¤{body}")
            }
        }
        ('P', _) => format!(
            "{} %",
            grouped(&format!("{:.*}", digits.unwrap_or(2), value * 100.0))
        ),
        ('E', _) => exponential(value, digits.unwrap_or(6), letter),
        ('G' | 'R', Some(int)) => int.to_string(),
        ('G' | 'R', None) => value.to_string(),
        _ => return Fault::error(format!("`{spec}` is no format of a number")),
    };
    Ok(text)
}

fn exponential(value: f64, digits: usize, letter: char) -> String {
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{letter}{sign}{:03}", exponent.abs())
}

/// Digits in groups of three.
fn grouped(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        let _ = write!(out, ".{fraction}");
    }
    out
}

/// Custom formats: `0`, `#`, `.`, `,`, `%` and literal text.
fn custom(value: f64, spec: &str) -> String {
    let sections: Vec<&str> = spec.split(';').collect();
    let (section, value) = match sections.as_slice() {
        [_, negative, ..] if value < 0.0 => (*negative, value.abs()),
        [_, _, zero] if value == 0.0 => (*zero, value),
        [first, ..] => (*first, value),
        [] => (spec, value),
    };
    let is_place = |char: char| matches!(char, '0' | '#');
    let (Some(first), Some(last)) = (
        section.find(is_place),
        section.rfind(|char| is_place(char) || char == '.'),
    ) else {
        return unquoted(section);
    };
    let head = section.get(..first).unwrap_or_default();
    let body = section.get(first..=last).unwrap_or_default();
    let tail = section.get(last + 1..).unwrap_or_default();
    let value = if section.contains('%') {
        value * 100.0
    } else {
        value
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let least = fraction.rfind('0').map_or(0, |at| at + 1);
    let text = format!("{:.*}", fraction.len(), value.abs());
    let (int, mut rest) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |parts| parts);
    while rest.len() > least && rest.ends_with('0') {
        rest = rest.strip_suffix('0').unwrap_or_default();
    }
    let zeros = whole
        .chars()
        .skip_while(|char| *char != '0')
        .filter(|char| is_place(*char))
        .count();
    let int = if int == "0" { "" } else { int };
    let mut int = format!("{int:0>zeros$}");
    if whole.contains(',') {
        int = grouped(&int);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!(
        "{sign}{}{int}{point}{rest}{}",
        unquoted(head),
        unquoted(tail)
    )
}

fn unquoted(text: &str) -> String {
    text.chars()
        .filter(|char| !matches!(char, '\'' | '"' | '\\'))
        .collect()
}
