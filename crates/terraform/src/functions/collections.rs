//! Functions on lists and maps that may hold open values.

use bicep::value::Shape;

use super::{Args, result_shape};
use crate::engine::{Engine, Eval};
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Unknown, Val};

impl<'a> Engine<'a, '_> {
    pub(super) fn collections(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "merge" => self.merge(call),
            "concat" => self.concat(call),
            "flatten" => self.flatten(call),
            "coalesce" => self.coalesce(call),
            "coalescelist" => self.coalesce_list(call),
            "compact" => self.compact(call),
            "lookup" => self.lookup(call),
            "element" => self.element(call),
            "contains" => self.contains(call),
            "length" => self.length(call),
            "keys" | "values" => self.keys_values(call),
            "one" => self.one(call),
            "distinct" => self.distinct(call),
            "reverse" => self.reversed(call),
            "slice" => self.slice(call),
            "zipmap" => self.zipmap(call),
            "alltrue" | "anytrue" => self.truths(call),
            "setunion" => self.set_union(call),
            "setproduct" => self.set_product(call),
            "chunklist" => self.chunks(call),
            "list" => Ok(self.seq(Seq::List, call.args.to_vec(), call.span)),
            "map" => self.map_of_pairs(call),
            _ => return None,
        };
        Some(result)
    }

    fn opened(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        Ok(self.open_call(call.name, call.args, result_shape(call.name), call.span))
    }

    /// An unknown of which parts are certain.
    fn with(&self, open: Val<'a>, fields: &'a [Entry<'a>], items: &'a [Val<'a>]) -> Val<'a> {
        match open.data {
            Data::Unknown(unknown) => Val {
                data: Data::Unknown(self.arena.alloc(Unknown {
                    fields,
                    items,
                    ..*unknown
                })),
                ..open
            },
            _ => open,
        }
    }

    fn takes(&self, call: &Args<'_, 'a>, what: &str) -> Eval<'a> {
        Err(self.fault(call.span, format!("`{}` takes {what}", call.name)))
    }

    fn any_open(call: &Args<'_, 'a>) -> bool {
        call.args.iter().any(|arg| arg.unknown().is_some())
    }

    fn merge(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if let Some(last) = call.args.iter().rposition(|arg| arg.unknown().is_some()) {
            // What comes after the last open one is certainly there.
            let rest = call.args.get(last + 1..).unwrap_or_default();
            let certain: Vec<Entry<'a>> = rest
                .iter()
                .flat_map(|arg| arg.entries().unwrap_or_default())
                .copied()
                .collect();
            let fields = self.arena.alloc_slice_copy(&certain);
            return Ok(self.with(self.opened(call)?, fields, &[]));
        }
        let mut merged: Vec<Entry<'a>> = Vec::new();
        for arg in call.args.iter().filter(|arg| !arg.is_null()) {
            let Some(entries) = arg.entries() else {
                return self.takes(call, "maps and objects");
            };
            for entry in entries {
                let entry = Entry {
                    value: entry.value.marked(arg.secret),
                    ..*entry
                };
                match merged.iter_mut().find(|old| old.key == entry.key) {
                    Some(old) => *old = entry,
                    None => merged.push(entry),
                }
            }
        }
        let maps = call
            .args
            .iter()
            .all(|arg| matches!(arg.data, Data::Map(Map::Map, _)));
        let kind = if maps { Map::Map } else { Map::Object };
        Ok(self.map(kind, &merged, call.span))
    }

    fn map_of_pairs(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let mut entries = Vec::new();
        for pair in call.args.chunks(2) {
            if let [key, value] = pair {
                entries.push(self.entry(key, *value, call.span)?);
            }
        }
        Ok(self.map(Map::Map, &entries, call.span))
    }

    fn concat(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            let certain: Vec<Val<'a>> = call
                .args
                .iter()
                .flat_map(|arg| arg.seq().unwrap_or_default())
                .copied()
                .collect();
            let items = self.arena.alloc_slice_copy(&certain);
            return Ok(self.with(self.opened(call)?, &[], items));
        }
        let mut all = Vec::new();
        for arg in call.args {
            match arg.seq() {
                Some(items) => all.extend(items.iter().map(|item| item.marked(arg.secret))),
                None => return self.takes(call, "lists"),
            }
        }
        let lists = call
            .args
            .iter()
            .all(|arg| matches!(arg.data, Data::Seq(Seq::List, _)));
        let kind = if lists { Seq::List } else { Seq::Tuple };
        Ok(self.seq(kind, all, call.span))
    }

    /// A list stays a list, a tuple a tuple.
    fn kind(call: &Args<'_, 'a>) -> Seq {
        match call.get(0).map(|arg| arg.data) {
            Some(Data::Seq(Seq::List | Seq::Set, _)) => Seq::List,
            _ => Seq::Tuple,
        }
    }

    fn flatten(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        fn walk<'a>(items: &[Val<'a>], out: &mut Vec<Val<'a>>, depth: usize) -> bool {
            for item in items {
                match item.data {
                    Data::Seq(_, inner) if depth < crate::value::MAX_DEPTH => {
                        if !walk(inner, out, depth + 1) {
                            return false;
                        }
                    }
                    Data::Uncertain(_) => return false,
                    Data::Unknown(unknown)
                        if matches!(unknown.shape, Shape::Any | Shape::Array) =>
                    {
                        return false;
                    }
                    _ => out.push(*item),
                }
            }
            true
        }
        if Self::any_open(call) {
            return self.opened(call);
        }
        let items = self.list_arg(call, 0)?;
        let mut out = Vec::new();
        if walk(items, &mut out, 0) {
            Ok(self.seq(Seq::Tuple, out, call.span))
        } else {
            self.opened(call)
        }
    }

    /// A value that may be null or empty, one that cannot be, or one that is.
    fn presence(value: &Val<'a>, empty: bool) -> Option<bool> {
        if let Some(unknown) = value.unknown() {
            let solid = unknown.shape == Shape::Id
                || unknown.partial && !unknown.text.starts_with('{')
                || unknown.partial && !unknown.text.ends_with('}');
            return solid.then_some(true);
        }
        match value.data {
            Data::Null => Some(false),
            Data::Str("") if empty => Some(false),
            _ => Some(true),
        }
    }

    fn coalesce(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let mut left = Vec::new();
        for arg in call.args {
            match Self::presence(arg, true) {
                Some(false) => {}
                Some(true) if left.is_empty() => return Ok(*arg),
                Some(true) => {
                    left.push(*arg);
                    break;
                }
                None => left.push(*arg),
            }
        }
        match left.as_slice() {
            [] => Err(self.fault(call.span, "no argument of `coalesce` has a value")),
            // The last that is left is it, or the call is refused.
            [only] => Ok(*only),
            several => {
                let shape =
                    crate::evaluate::shape(several.first().unwrap_or(&Val::null(call.span)));
                let same = several
                    .iter()
                    .all(|value| crate::evaluate::shape(value) == shape);
                let shape = if same { shape } else { Shape::Any };
                Ok(self.open_call("coalesce", several, shape, call.span))
            }
        }
    }

    fn coalesce_list(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        for arg in call.args {
            if arg.unknown().is_some() {
                return self.opened(call);
            }
            match arg.data {
                Data::Seq(_, items) if !items.is_empty() => return Ok(*arg),
                _ => {}
            }
        }
        Err(self.fault(call.span, "no argument of `coalescelist` has items"))
    }

    fn compact(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let mut kept = Vec::new();
        for item in self.list_arg(call, 0)? {
            match Self::presence(item, true) {
                Some(true) => kept.push(*item),
                Some(false) => {}
                None => return self.opened(call),
            }
        }
        Ok(self.seq(Seq::List, kept, call.span))
    }

    fn lookup(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let (Some(map), Some(key)) = (call.get(0), call.get(1)) else {
            return self.takes(call, "a map and a key");
        };
        if map.unknown().is_some() {
            return self.opened(call);
        }
        let Some(entries) = map.entries() else {
            return self.takes(call, "a map and a key");
        };
        if let Some(open) = key.unknown() {
            for entry in entries.iter().filter(|entry| entry.open.is_none()) {
                self.compares(open, entry.key_value());
            }
            let found = entries
                .iter()
                .find(|entry| entry.open.is_some_and(|key| key.text == open.text));
            return match found {
                Some(entry) => Ok(entry.value),
                None => self.opened(call),
            };
        }
        let key = self.string_arg(call, 1)?;
        match (map.get(key), call.get(2)) {
            (Some(value), _) => Ok(value.marked(map.secret)),
            (None, _) if entries.iter().any(|entry| entry.open.is_some()) => self.opened(call),
            (None, Some(default)) => Ok(*default),
            (None, None) => Err(self.fault(call.span, format!("there is no key `{key}`"))),
        }
    }

    fn element(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let items = self.list_arg(call, 0)?;
        let at = self.int_arg(call, 1)?;
        if at < 0 {
            return self.takes(call, "an index that is not negative");
        }
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return self.takes(call, "a list that is not empty");
        }
        let at = usize::try_from(at.rem_euclid(count)).unwrap_or_default();
        items
            .get(at)
            .copied()
            .ok_or_else(|| self.fault(call.span, "there is no such item"))
    }

    fn contains(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let (Some(list), Some(value)) = (call.get(0).copied(), call.get(1).copied()) else {
            return self.takes(call, "a list and a value");
        };
        if list.unknown().is_some() {
            return self.opened(call);
        }
        let Some(items) = list.seq() else {
            return self.takes(call, "a list and a value");
        };
        let mut open = false;
        for item in items {
            match self.same(item, &value, 0) {
                Some(true) => return Ok(Val::bool(call.span, true).marked(list.secret)),
                Some(false) => {}
                None => open = true,
            }
        }
        if open {
            return self.opened(call);
        }
        Ok(Val::bool(call.span, false).marked(list.secret.or(value.secret)))
    }

    fn length(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let Some(value) = call.get(0) else {
            return self.takes(call, "a list, a map or a string");
        };
        let count = match value.data {
            Data::Seq(_, items) => items.len(),
            Data::Map(_, entries) => entries.len(),
            Data::Str(text) => text.chars().count(),
            _ if value.unknown().is_some() => return self.opened(call),
            _ => return self.takes(call, "a list, a map or a string"),
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Ok(Val::new(call.span, Data::Int(count)).marked(value.secret))
    }

    fn keys_values(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let Some(entries) = call.get(0).and_then(Val::entries) else {
            return self.takes(call, "a map");
        };
        let mut entries: Vec<&Entry<'a>> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.key);
        let kind = match call.get(0).map(|arg| arg.data) {
            Some(Data::Map(Map::Map, _)) => Seq::List,
            _ => Seq::Tuple,
        };
        let items = entries
            .into_iter()
            .map(|entry| match call.name {
                "keys" => entry.key_value(),
                _ => entry.value,
            })
            .collect();
        Ok(self.seq(kind, items, call.span))
    }

    fn one(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        match self.list_arg(call, 0)? {
            [] => Ok(Val::null(call.span)),
            [only] => Ok(*only),
            _ => self.takes(call, "a list of at most one item"),
        }
    }

    fn distinct(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let mut kept: Vec<(String, Val<'a>)> = Vec::new();
        for item in self.unified(self.list_arg(call, 0)?) {
            let text = item.text();
            if !kept.iter().any(|(known, _)| *known == text) {
                kept.push((text, *item));
            }
        }
        let items = kept.into_iter().map(|(_, item)| item).collect();
        Ok(self.seq(Seq::List, items, call.span))
    }

    fn reversed(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let items = self.list_arg(call, 0)?.iter().rev().copied().collect();
        Ok(self.seq(Self::kind(call), items, call.span))
    }

    fn slice(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let items = self.list_arg(call, 0)?;
        let start = usize::try_from(self.int_arg(call, 1)?).unwrap_or(usize::MAX);
        let end = usize::try_from(self.int_arg(call, 2)?).unwrap_or(usize::MAX);
        match items.get(start..end) {
            Some(items) => Ok(self.seq(Self::kind(call), items.to_vec(), call.span)),
            None => self.takes(call, "a range within the list"),
        }
    }

    fn zipmap(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let (keys, values) = (self.list_arg(call, 0)?, self.list_arg(call, 1)?);
        if keys.len() != values.len() {
            return self.takes(call, "as many keys as values");
        }
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for (key, value) in keys.iter().zip(values) {
            let entry = self.entry(key, *value, call.span)?;
            entries.retain(|old| old.key != entry.key);
            entries.push(entry);
        }
        entries.sort_by_key(|entry| entry.key);
        Ok(self.map(Map::Map, &entries, call.span))
    }

    fn truths(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let decisive = call.name == "anytrue";
        let mut open = false;
        for item in self.list_arg(call, 0)? {
            match types::to_bool(item) {
                Some(Data::Bool(value)) if value == decisive => {
                    return Ok(Val::bool(call.span, decisive));
                }
                Some(_) => {}
                None if item.unknown().is_some() => open = true,
                // A null counts as false.
                None if item.is_null() && !decisive => return Ok(Val::bool(call.span, false)),
                None if item.is_null() => {}
                None => return self.takes(call, "a list of booleans"),
            }
        }
        if open {
            return self.opened(call);
        }
        Ok(Val::bool(call.span, !decisive))
    }

    fn set_union(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let mut all = Vec::new();
        for at in 0..call.args.len() {
            all.extend_from_slice(self.list_arg(call, at)?);
        }
        let items = types::set(self.arena, all);
        Ok(Val::new(call.span, Data::Seq(Seq::Set, items)))
    }

    fn set_product(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let mut rows: Vec<Vec<Val<'a>>> = vec![Vec::new()];
        for at in 0..call.args.len() {
            let items = self.list_arg(call, at)?;
            if rows.len().saturating_mul(items.len()) > 100_000 {
                return self.takes(call, "sets with fewer combinations");
            }
            rows = rows
                .iter()
                .flat_map(|row| {
                    items.iter().map(|item| {
                        let mut row = row.clone();
                        row.push(*item);
                        row
                    })
                })
                .collect();
        }
        let rows = rows
            .into_iter()
            .map(|row| self.seq(Seq::Tuple, row, call.span))
            .collect();
        Ok(self.seq(Seq::List, rows, call.span))
    }

    fn chunks(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        if Self::any_open(call) {
            return self.opened(call);
        }
        let items = self.list_arg(call, 0)?;
        let size = usize::try_from(self.int_arg(call, 1)?).unwrap_or_default();
        let size = if size == 0 { items.len().max(1) } else { size };
        let chunks = items
            .chunks(size)
            .map(|chunk| self.seq(Seq::List, chunk.to_vec(), call.span))
            .collect();
        Ok(self.seq(Seq::List, chunks, call.span))
    }
}
