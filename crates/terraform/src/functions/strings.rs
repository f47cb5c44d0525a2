//! Functions on strings.

use bicep::value::Shape;
use regex::{Regex, RegexBuilder};

use super::{Args, result_shape};
use crate::engine::{Engine, Eval, Fault};
use crate::evaluate::Text;
use crate::identity::segments;
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Unknown, Val};

/// Bytes of a result.
const MAX_RESULT: usize = 4 << 20;

impl<'a> Engine<'a, '_> {
    /// Those that have something to say of partly open strings.
    pub(super) fn open_strings(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        if !call.args.iter().any(Val::is_open) {
            return None;
        }
        match call.name {
            "join" => self.open_join(call),
            "format" => self.open_format(call),
            "startswith" | "endswith" => self.open_edge(call),
            "split" => self.open_split(call),
            "trim" | "trimspace" | "trimprefix" | "trimsuffix" => self.open_trim(call),
            "substr" => self.open_substring(call),
            _ => None,
        }
    }

    fn open_join(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let separator = match call.get(0)?.data {
            Data::Str(text) => text,
            _ => return None,
        };
        let mut text = Text::default();
        let mut first = true;
        for list in call.args.iter().skip(1) {
            for item in list.seq()? {
                if let Some(unknown) = item.unknown()
                    && matches!(unknown.shape, Shape::Array | Shape::Object)
                {
                    return None;
                }
                if !first {
                    text.push(separator);
                }
                first = false;
                if let Err(fault) = self.append(&mut text, item) {
                    return Some(Err(fault));
                }
            }
        }
        Some(Ok(self.text_value(text, call.span)))
    }

    /// Only `%s`, `%v` and `%d` are followed.
    fn open_format(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let pattern = match call.get(0)?.data {
            Data::Str(text) => text,
            _ => return None,
        };
        let mut text = Text::default();
        let mut args = call.args.iter().skip(1);
        let mut chars = pattern.chars();
        while let Some(next) = chars.next() {
            if next != '%' {
                text.push(next.encode_utf8(&mut [0; 4]));
                continue;
            }
            match chars.next()? {
                '%' => text.push("%"),
                's' | 'v' | 'd' => {
                    if let Err(fault) = self.append(&mut text, args.next()?) {
                        return Some(Err(fault));
                    }
                }
                _ => return None,
            }
        }
        Some(Ok(self.text_value(text, call.span)))
    }

    /// What is written at the edge of a partly known string decides.
    fn open_edge(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let unknown = call.get(0)?.unknown().filter(|unknown| unknown.partial)?;
        let Data::Str(wanted) = call.get(1)?.data else {
            return None;
        };
        let start = call.name == "startswith";
        let known = if start {
            unknown.text.split('{').next()?
        } else {
            unknown.text.rsplit('}').next()?
        };
        let fits = |text: &str, edge: &str| match start {
            true => text.starts_with(edge),
            false => text.ends_with(edge),
        };
        if fits(known, wanted) {
            return Some(Ok(Val::bool(call.span, true)));
        }
        (!fits(wanted, known)).then(|| Ok(Val::bool(call.span, false)))
    }

    /// Where both ends are known, trimming changes nothing or only them.
    fn open_trim(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let value = *call.get(0)?;
        let unknown = value.unknown().filter(|unknown| unknown.partial)?;
        let cut = match call.get(1).map(|cut| cut.data) {
            Some(Data::Str(cut)) => cut,
            None if call.name == "trimspace" => " \t\r\n",
            _ => return None,
        };
        let text = unknown.text;
        let left = match call.name {
            "trimprefix" => text.strip_prefix(cut).unwrap_or(text),
            "trimsuffix" => text.strip_suffix(cut).unwrap_or(text),
            _ => text.trim_matches(|next| cut.contains(next)),
        };
        // What is open may begin or end with what is cut.
        let before = text.split('{').next().unwrap_or_default();
        let after = text.rsplit('}').next().unwrap_or_default();
        let loose = match call.name {
            "trimprefix" => left == text && cut.starts_with(before),
            "trimsuffix" => left == text && cut.ends_with(after),
            _ => left.starts_with('{') || left.ends_with('}'),
        };
        if loose || cut.contains(['{', '}']) {
            return None;
        }
        let open = Unknown {
            text: self.arena.alloc_str(left),
            shape: Shape::String,
            ..*unknown
        };
        Some(Ok(Val::new(
            call.span,
            Data::Unknown(self.arena.alloc(open)),
        )))
    }

    /// What is known of the beginning is cut as it is; what follows is cut when it is one value.
    fn open_substring(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let value = *call.get(0)?;
        let unknown = value.unknown().filter(|unknown| unknown.partial)?;
        let start = usize::try_from(self.int_arg(call, 1).ok()?).ok()?;
        let length = usize::try_from(self.int_arg(call, 2).ok()?).ok();
        let known = unknown.text.split('{').next()?;
        let rest = unknown.text.get(known.len()..)?;
        let left = known.chars().count().checked_sub(start)?;
        let cut: String = known
            .chars()
            .skip(start)
            .take(length.unwrap_or(left))
            .collect();
        let text = match length.map(|length| length.checked_sub(left)) {
            Some(None | Some(0)) => return Some(Ok(self.str(call.span, &cut))),
            Some(Some(more)) => {
                let hole = rest.strip_prefix('{')?.strip_suffix('}')?;
                if hole.contains(['{', '}']) {
                    return None;
                }
                format!("{cut}{{substr({hole}, 0, {more})}}")
            }
            None => format!("{cut}{rest}"),
        };
        let open = Unknown {
            text: self.arena.alloc_str(&text),
            shape: Shape::String,
            ..*unknown
        };
        Some(Ok(Val::new(
            call.span,
            Data::Unknown(self.arena.alloc(open)),
        )))
    }

    /// What stands in braces is not split.
    fn open_split(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let value = call.get(1)?;
        let unknown = value.unknown().filter(|unknown| unknown.partial)?;
        let Data::Str("/") = call.get(0)?.data else {
            return None;
        };
        let parts = segments(unknown.text)
            .into_iter()
            .map(|part| {
                if !part.contains('{') {
                    return self.str(call.span, &part);
                }
                let open = Unknown {
                    text: self.arena.alloc_str(&part),
                    shape: Shape::String,
                    ..*unknown
                };
                Val::new(call.span, Data::Unknown(self.arena.alloc(open)))
            })
            .collect();
        Some(Ok(self.seq(Seq::List, parts, call.span)))
    }

    pub(super) fn strings(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "lower" | "upper" | "title" | "trimspace" | "chomp" | "strrev" => self.changed(call),
            "trim" | "trimprefix" | "trimsuffix" => self.trimmed(call),
            "startswith" | "endswith" | "strcontains" => self.tested(call),
            "indent" => self.indented(call),
            "substr" => self.substring(call),
            "join" => self.joined(call),
            "split" => self.split(call),
            "replace" => self.replaced(call),
            "regex" => self.regex_first(call),
            "regexall" => self.regex_all(call),
            "format" => self.formatted(call),
            "formatlist" => self.format_list(call),
            _ => return None,
        };
        Some(result)
    }

    fn changed(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let changed = match call.name {
            "lower" => text
                .chars()
                .map(|next| one(next, next.to_lowercase()))
                .collect(),
            "upper" => text
                .chars()
                .map(|next| one(next, next.to_uppercase()))
                .collect(),
            "trimspace" => text.trim().to_owned(),
            "chomp" => text.trim_end_matches(['\r', '\n']).to_owned(),
            "strrev" => text.chars().rev().collect(),
            _ => {
                let mut before = ' ';
                text.chars()
                    .map(|next| {
                        let starts = !before.is_alphanumeric() && before != '_';
                        before = next;
                        if starts {
                            next.to_uppercase().next().unwrap_or(next)
                        } else {
                            next
                        }
                    })
                    .collect()
            }
        };
        Ok(self.str(call.span, &changed))
    }

    fn trimmed(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let cut = self.string_arg(call, 1)?;
        let trimmed = match call.name {
            "trimprefix" => text.strip_prefix(cut).unwrap_or(text),
            "trimsuffix" => text.strip_suffix(cut).unwrap_or(text),
            _ => text.trim_matches(|next| cut.contains(next)),
        };
        Ok(self.str(call.span, trimmed))
    }

    fn tested(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let wanted = self.string_arg(call, 1)?;
        let holds = match call.name {
            "startswith" => text.starts_with(wanted),
            "endswith" => text.ends_with(wanted),
            _ => text.contains(wanted),
        };
        Ok(Val::bool(call.span, holds))
    }

    fn indented(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let spaces = usize::try_from(self.int_arg(call, 0)?).unwrap_or_default();
        let text = self.string_arg(call, 1)?;
        if spaces > 1000 {
            return Err(self.fault(call.span, "this is too much space to be evaluated"));
        }
        let replaced = text.replace('\n', &format!("\n{}", " ".repeat(spaces)));
        Ok(self.str(call.span, &replaced))
    }

    fn substring(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let chars: Vec<char> = self.string_arg(call, 0)?.chars().collect();
        let (start, length) = (self.int_arg(call, 1)?, self.int_arg(call, 2)?);
        let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
        let start = if start < 0 { count + start } else { start };
        let start = usize::try_from(start.max(0)).unwrap_or_default();
        let part = chars.into_iter().skip(start);
        let part: String = match usize::try_from(length) {
            Ok(length) => part.take(length).collect(),
            Err(_) => part.collect(),
        };
        Ok(self.str(call.span, &part))
    }

    fn joined(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let separator = self.string_arg(call, 0)?;
        let mut texts = Vec::new();
        for at in 1..call.args.len() {
            for item in self.list_arg(call, at)? {
                match types::to_string(self.arena, item) {
                    Some(Data::Str(text)) => texts.push(text),
                    _ => return Err(self.fault(call.span, "`join` takes lists of strings")),
                }
            }
        }
        self.long(call, &texts.join(separator))
    }

    fn long(&self, call: &Args<'_, 'a>, text: &str) -> Eval<'a> {
        if text.len() > MAX_RESULT {
            return Err(self.fault(call.span, "this text is too long to be evaluated"));
        }
        Ok(self.str(call.span, text))
    }

    fn split(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let separator = self.string_arg(call, 0)?;
        let text = self.string_arg(call, 1)?;
        let parts: Vec<Val<'a>> = match (separator, text) {
            (_, "") => vec![self.str(call.span, "")],
            ("", _) => text
                .chars()
                .map(|next| self.str(call.span, next.encode_utf8(&mut [0; 4])))
                .collect(),
            _ => text
                .split(separator)
                .map(|part| self.str(call.span, part))
                .collect(),
        };
        Ok(self.seq(Seq::List, parts, call.span))
    }

    fn pattern(&self, call: &Args<'_, 'a>, pattern: &str) -> Result<Regex, Fault<'a>> {
        RegexBuilder::new(pattern)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| self.fault(call.span, format!("`{pattern}` is no regular expression")))
    }

    fn replaced(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let search = self.string_arg(call, 1)?;
        let by = self.string_arg(call, 2)?;
        let inner = search
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let replaced = match inner {
            Some(pattern) => self
                .pattern(call, pattern)?
                .replace_all(text, by)
                .into_owned(),
            None => {
                let growth = text.matches(search).count().saturating_mul(by.len());
                if growth > MAX_RESULT {
                    return Err(self.fault(call.span, "this text is too long to be evaluated"));
                }
                text.replace(search, by)
            }
        };
        self.long(call, &replaced)
    }

    fn regex_first(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let pattern = self.pattern(call, self.string_arg(call, 0)?)?;
        match pattern.captures(self.string_arg(call, 1)?) {
            Some(found) => Ok(self.captured(call, &pattern, &found)),
            None => Err(self.fault(call.span, "the regular expression matches nothing")),
        }
    }

    fn regex_all(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let pattern = self.pattern(call, self.string_arg(call, 0)?)?;
        let text = self.string_arg(call, 1)?;
        let found = pattern
            .captures_iter(text)
            .map(|found| self.captured(call, &pattern, &found))
            .collect();
        Ok(self.seq(Seq::List, found, call.span))
    }

    /// The whole match, its groups in order, or its groups by name.
    fn captured(
        &self,
        call: &Args<'_, 'a>,
        pattern: &Regex,
        found: &regex::Captures<'_>,
    ) -> Val<'a> {
        let group = |group: Option<regex::Match<'_>>| match group {
            Some(group) => self.str(call.span, group.as_str()),
            None => Val::null(call.span),
        };
        if found.len() == 1 {
            return group(found.get(0));
        }
        let names: Vec<&str> = pattern.capture_names().flatten().collect();
        if names.is_empty() {
            let items = found.iter().skip(1).map(group).collect();
            return self.seq(Seq::Tuple, items, call.span);
        }
        let entries: Vec<Entry<'a>> = names
            .into_iter()
            .map(|name| Entry {
                key: self.arena.alloc_str(name),
                key_span: call.span,
                open: None,
                value: group(found.name(name)),
            })
            .collect();
        self.map(Map::Object, &entries, call.span)
    }

    fn format_list(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let count = call
            .args
            .iter()
            .skip(1)
            .filter_map(Val::seq)
            .map(<[Val<'_>]>::len)
            .max()
            .unwrap_or(1);
        let mut made = Vec::new();
        for at in 0..count {
            let mut args = Vec::with_capacity(call.args.len());
            for arg in call.args {
                args.push(match arg.seq() {
                    Some(items) => items.get(at).copied().ok_or_else(|| {
                        self.fault(call.span, "`formatlist` takes lists of one length")
                    })?,
                    None => *arg,
                });
            }
            let one = Args {
                args: &args,
                ..*call
            };
            made.push(self.formatted(&one)?);
        }
        Ok(self.seq(Seq::List, made, call.span))
    }

    /// A result that names the function, for what is not evaluated.
    pub(super) fn unevaluated(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        Ok(self.open_call(call.name, call.args, result_shape(call.name), call.span))
    }
}

/// Letter for letter, as Go does it: `ß` has no capital.
fn one(next: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(changed), None) => changed,
        _ => next,
    }
}
