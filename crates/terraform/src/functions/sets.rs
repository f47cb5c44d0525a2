//! Functions on lists and maps whose every value is known.

use super::Args;
use crate::engine::{Engine, Eval};
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Val};

/// What `range` of Terraform gives at most.
const MAX_RANGE: usize = 1024;

impl<'a> Engine<'a, '_> {
    pub(super) fn sets(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "index" => self.position(call),
            "sort" => self.sorted(call),
            "sum" => self.sum(call),
            "range" => self.range(call),
            "setintersection" | "setsubtract" => self.set_less(call),
            "transpose" => self.transpose(call),
            "matchkeys" => self.match_keys(call),
            _ => return None,
        };
        Some(result)
    }

    fn position(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let items = self.list_arg(call, 0)?;
        let wanted = call.get(1).copied().unwrap_or(Val::null(call.span));
        for (at, item) in items.iter().enumerate() {
            if self.same(item, &wanted, 0) == Some(true) {
                let at = i64::try_from(at).unwrap_or(i64::MAX);
                return Ok(Val::new(call.span, Data::Int(at)));
            }
        }
        Err(self.fault(call.span, "the list does not hold this value"))
    }

    fn sorted(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let mut texts = Vec::new();
        for item in self.list_arg(call, 0)? {
            match types::to_string(self.arena, item) {
                Some(Data::Str(text)) => texts.push((text, *item)),
                _ => return Err(self.fault(call.span, "`sort` takes a list of strings")),
            }
        }
        texts.sort_by_key(|(text, _)| *text);
        let items = texts
            .into_iter()
            .map(|(text, item)| Val {
                data: Data::Str(text),
                ..item
            })
            .collect();
        Ok(self.seq(Seq::List, items, call.span))
    }

    fn sum(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let mut sum = 0.0;
        for item in self.list_arg(call, 0)? {
            match types::to_number(item).and_then(|data| Val::new(call.span, data).number_value()) {
                Some(number) => sum += number,
                None => return Err(self.fault(call.span, "`sum` takes a list of numbers")),
            }
        }
        Ok(Val::number(call.span, sum))
    }

    fn range(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let (start, end) = match call.args.len() {
            1 => (0.0, self.number_arg(call, 0)?),
            _ => (self.number_arg(call, 0)?, self.number_arg(call, 1)?),
        };
        let step = match call.args.len() {
            3 => self.number_arg(call, 2)?,
            _ if end < start => -1.0,
            _ => 1.0,
        };
        if step == 0.0 {
            return Err(self.fault(call.span, "the step of `range` must not be zero"));
        }
        let mut items = Vec::new();
        let mut next = start;
        while (step > 0.0 && next < end) || (step < 0.0 && next > end) {
            if items.len() >= MAX_RANGE {
                return Err(self.fault(call.span, "`range` gives at most 1024 numbers"));
            }
            items.push(Val::number(call.span, next));
            next += step;
        }
        Ok(self.seq(Seq::List, items, call.span))
    }

    fn set_less(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let common = call.name == "setintersection";
        let mut kept = self.list_arg(call, 0)?.to_vec();
        for at in 1..call.args.len() {
            let other: Vec<String> = self.list_arg(call, at)?.iter().map(Val::text).collect();
            kept.retain(|item| other.contains(&item.text()) == common);
        }
        let items = types::set(self.arena, kept);
        Ok(Val::new(call.span, Data::Seq(Seq::Set, items)))
    }

    fn transpose(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let mut lists: Vec<(String, Vec<Val<'a>>)> = Vec::new();
        let entries = call.get(0).and_then(Val::entries).unwrap_or_default();
        for entry in entries {
            for item in entry.value.seq().unwrap_or_default() {
                let Some(Data::Str(key)) = types::to_string(self.arena, item) else {
                    return Err(
                        self.fault(call.span, "`transpose` takes a map of lists of strings")
                    );
                };
                match lists.iter_mut().find(|(known, _)| known == key) {
                    Some((_, list)) => list.push(entry.key_value()),
                    None => lists.push((key.to_owned(), vec![entry.key_value()])),
                }
            }
        }
        lists.sort_by(|left, right| left.0.cmp(&right.0));
        let entries: Vec<Entry<'a>> = lists
            .into_iter()
            .map(|(key, items)| Entry {
                key: self.arena.alloc_str(&key),
                key_span: call.span,
                open: None,
                value: self.seq(Seq::List, items, call.span),
            })
            .collect();
        Ok(self.map(Map::Map, &entries, call.span))
    }

    fn match_keys(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let (values, keys) = (self.list_arg(call, 0)?, self.list_arg(call, 1)?);
        let wanted: Vec<String> = self.list_arg(call, 2)?.iter().map(Val::text).collect();
        let kept = values
            .iter()
            .zip(keys)
            .filter(|(_, key)| wanted.contains(&key.text()))
            .map(|(value, _)| *value)
            .collect();
        Ok(self.seq(Seq::List, kept, call.span))
    }
}
