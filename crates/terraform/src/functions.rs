//! The functions of the language. Each file holds some; a function that is not there gives an
//! unknown that names it. <https://developer.hashicorp.com/terraform/language/functions>

mod collections;
mod dates;
mod encoding;
mod files;
mod formats;
mod network;
mod numbers;
mod sets;
mod strings;
mod yaml_text;

use bicep::source::Span;
use bicep::value::{Shape, Why};

use crate::engine::{Engine, Eval, Scope};
use crate::types;
use crate::value::{Data, Seq, Unknown, Val};

/// A call of a function with its evaluated arguments.
#[derive(Clone, Copy)]
pub(crate) struct Args<'s, 'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'s [Val<'a>],
    pub(crate) span: Span,
}

impl<'a> Args<'_, 'a> {
    fn get(&self, at: usize) -> Option<&Val<'a>> {
        self.args.get(at)
    }
}

impl<'a> Engine<'a, '_> {
    /// Calls a function.
    pub(crate) fn call(
        &mut self,
        scope: &Scope<'_, 'a>,
        name: &'a str,
        args: &[Val<'a>],
        span: Span,
    ) -> Eval<'a> {
        let name = name.strip_prefix("core::").unwrap_or(name);
        let call = Args { name, args, span };
        let (mut why, mut secret) = (Vec::new(), None);
        if let Some(result) = self.lenient(&call) {
            if result.is_err() {
                args.iter().for_each(|arg| {
                    arg.gather(&mut why, &mut secret);
                });
            }
            return match result {
                // A message may hold what must not be shown.
                Err(fault) if secret.is_some() && !fault.reported => {
                    Err(self.fault(span, format!("`{name}` refuses its arguments")))
                }
                result => result,
            };
        }
        let mut open = false;
        for arg in args {
            open |= arg.gather(&mut why, &mut secret);
        }
        if open {
            return Ok(self.open_call(name, args, result_shape(name), span));
        }
        if let "timestamp" | "plantimestamp" | "uuid" | "bcrypt" = name {
            let why = vec![Why::Chance(name)];
            return Ok(self.unknown(span, &format!("{name}()"), Shape::String, why, secret));
        }
        let found = self
            .numbers(&call)
            .or_else(|| self.strings(&call))
            .or_else(|| self.sets(&call))
            .or_else(|| self.encoding(&call))
            .or_else(|| self.dates(&call))
            .or_else(|| self.network(&call))
            .or_else(|| self.file_functions(scope, &call));
        match found {
            // A message may hold what must not be shown.
            Some(Err(_)) if secret.is_some() => {
                Err(self.fault(span, format!("`{name}` refuses its arguments")))
            }
            Some(result) => result.map(|value| value.marked(secret)),
            None => Ok(self.open_call(name, args, result_shape(name), span)),
        }
    }

    /// Functions that work on values that are partly open.
    fn lenient(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        self.open_json(call)
            .or_else(|| self.conversions(call))
            .or_else(|| self.collections(call))
            .or_else(|| self.open_strings(call))
    }

    /// What is encoded with open parts comes back when it is decoded.
    fn open_json(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let first = call.get(0)?;
        match call.name {
            "jsonencode" => self.json_encode(call),
            "jsondecode" => self.encoded.get(first.unknown()?.text).copied().map(Ok),
            _ => None,
        }
    }

    fn conversions(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let span = call.span;
        let first = *call.get(0)?;
        let result = match call.name {
            "sensitive" => {
                let place = self.loader.sources.line_column(span);
                let file = self.loader.sources.get(span.file);
                let name = file.map_or("", |file| file.name);
                let text = format!("sensitive() of {name}:{}", place.0);
                Ok(first.marked(Some(self.arena.alloc_str(&text))))
            }
            "nonsensitive" => Ok(self.shown(first)),
            "issensitive" => {
                let known = first.unknown().is_some_and(|unknown| unknown.secret);
                Ok(Val::bool(span, first.secret.is_some() || known))
            }
            "ephemeralasnull" => Ok(first),
            "tostring" | "tonumber" | "tobool" => self.scalar(call, first),
            "tolist" | "toset" | "tomap" => {
                if first.is_null() || first.unknown().is_some() {
                    return Some(Ok(self.shaped(first, result_shape(call.name))));
                }
                self.collection_of(call, first)
            }
            _ => return None,
        };
        Some(result)
    }

    fn scalar(&mut self, call: &Args<'_, 'a>, value: Val<'a>) -> Eval<'a> {
        if value.is_null() {
            return Ok(value);
        }
        if value.unknown().is_some() {
            return Ok(self.shaped(value, result_shape(call.name)));
        }
        let data = match call.name {
            "tostring" => types::to_string(self.arena, &value),
            "tonumber" => types::to_number(&value),
            _ => types::to_bool(&value),
        };
        match data {
            Some(data) => Ok(Val { data, ..value }),
            None => Err(self.fault(call.span, format!("`{}` cannot convert this", call.name))),
        }
    }

    fn collection_of(&mut self, call: &Args<'_, 'a>, value: Val<'a>) -> Eval<'a> {
        let data = match (call.name, value.data) {
            ("tomap", Data::Map(..) | Data::Instance(_)) => {
                let mut entries = value.entries().unwrap_or_default().to_vec();
                entries.sort_by_key(|entry| entry.key);
                let strings = entries
                    .iter()
                    .any(|entry| matches!(entry.value.data, Data::Str(_)));
                for entry in entries.iter_mut().filter(|_| strings) {
                    if let Some(data) = types::to_string(self.arena, &entry.value) {
                        entry.value.data = data;
                    }
                }
                Data::Map(
                    crate::value::Map::Map,
                    self.arena.alloc_slice_copy(&entries),
                )
            }
            ("tolist", Data::Seq(_, items)) => Data::Seq(Seq::List, self.unified(items)),
            ("toset", Data::Seq(_, items)) => {
                let items = self.unified(items);
                Data::Seq(Seq::Set, types::set(self.arena, items.to_vec()))
            }
            _ => {
                let message = format!("`{}` cannot convert this", call.name);
                return Err(self.fault(call.span, message));
            }
        };
        Ok(Val::new(value.span, data).marked(value.secret))
    }

    /// Items of one type: strings, where some are.
    pub(crate) fn unified(&self, items: &'a [Val<'a>]) -> &'a [Val<'a>] {
        let strings = items.iter().any(|item| matches!(item.data, Data::Str(_)));
        if !strings {
            return items;
        }
        let items: Vec<Val<'a>> = items
            .iter()
            .map(|item| match types::to_string(self.arena, item) {
                Some(data) => Val { data, ..*item },
                None => *item,
            })
            .collect();
        self.arena.alloc_slice_copy(&items)
    }

    /// The same unknown, of which something is known.
    pub(crate) fn shaped(&self, value: Val<'a>, shape: Shape) -> Val<'a> {
        match value.data {
            Data::Unknown(unknown) if unknown.shape == Shape::Any => Val {
                data: Data::Unknown(self.arena.alloc(Unknown { shape, ..*unknown })),
                ..value
            },
            _ => value,
        }
    }

    fn shown(&self, value: Val<'a>) -> Val<'a> {
        let data = match value.data {
            Data::Unknown(unknown) if unknown.secret => Data::Unknown(self.arena.alloc(Unknown {
                secret: false,
                ..*unknown
            })),
            data => data,
        };
        Val {
            secret: None,
            data,
            ..value
        }
    }

    /// A string argument.
    pub(crate) fn string_arg(
        &self,
        call: &Args<'_, 'a>,
        at: usize,
    ) -> Result<&'a str, crate::engine::Fault<'a>> {
        match call
            .get(at)
            .and_then(|arg| types::to_string(self.arena, arg))
        {
            Some(Data::Str(text)) => Ok(text),
            _ => {
                let message = format!("argument {} of `{}` must be a string", at + 1, call.name);
                Err(self.fault(call.span, message))
            }
        }
    }

    /// A number argument.
    pub(crate) fn number_arg(
        &self,
        call: &Args<'_, 'a>,
        at: usize,
    ) -> Result<f64, crate::engine::Fault<'a>> {
        call.get(at)
            .and_then(types::to_number)
            .and_then(|data| Val::new(call.span, data).number_value())
            .ok_or_else(|| {
                let message = format!("argument {} of `{}` must be a number", at + 1, call.name);
                self.fault(call.span, message)
            })
    }

    /// A whole number argument.
    pub(crate) fn int_arg(
        &self,
        call: &Args<'_, 'a>,
        at: usize,
    ) -> Result<i64, crate::engine::Fault<'a>> {
        let number = self.number_arg(call, at)?;
        if number.fract() != 0.0 || number.abs() > 9e15 {
            let message = format!(
                "argument {} of `{}` must be a whole number",
                at + 1,
                call.name
            );
            return Err(self.fault(call.span, message));
        }
        Ok(number as i64)
    }

    /// A list argument.
    pub(crate) fn list_arg(
        &self,
        call: &Args<'_, 'a>,
        at: usize,
    ) -> Result<&'a [Val<'a>], crate::engine::Fault<'a>> {
        call.get(at).and_then(Val::seq).ok_or_else(|| {
            let message = format!("argument {} of `{}` must be a list", at + 1, call.name);
            self.fault(call.span, message)
        })
    }

    /// A string as a result.
    pub(crate) fn str(&self, span: Span, text: &str) -> Val<'a> {
        Val::new(span, Data::Str(self.arena.alloc_str(text)))
    }
}

/// What is known of what a function returns.
fn result_shape(name: &str) -> Shape {
    match name {
        "abs" | "ceil" | "floor" | "length" | "index" | "parseint" | "signum" | "sum"
        | "tonumber" | "timecmp" => Shape::Int,
        "alltrue" | "anytrue" | "contains" | "startswith" | "endswith" | "strcontains"
        | "fileexists" | "tobool" | "can" | "cidrcontains" => Shape::Bool,
        "chomp" | "format" | "indent" | "join" | "lower" | "replace" | "strrev" | "substr"
        | "title" | "trim" | "trimprefix" | "trimsuffix" | "trimspace" | "upper"
        | "base64decode" | "base64encode" | "base64gzip" | "jsonencode" | "urlencode"
        | "yamlencode" | "textdecodebase64" | "textencodebase64" | "abspath" | "dirname"
        | "pathexpand" | "basename" | "file" | "filebase64" | "templatefile" | "templatestring"
        | "formatdate" | "timeadd" | "base64sha256" | "base64sha512" | "md5" | "sha1"
        | "sha256" | "sha512" | "uuidv5" | "filemd5" | "filesha1" | "filesha256" | "filesha512"
        | "filebase64sha256" | "filebase64sha512" | "rsadecrypt" | "cidrhost" | "cidrnetmask"
        | "cidrsubnet" | "tostring" => Shape::String,
        "chunklist" | "coalescelist" | "compact" | "concat" | "distinct" | "flatten"
        | "formatlist" | "keys" | "matchkeys" | "range" | "regexall" | "reverse"
        | "setintersection" | "setproduct" | "setsubtract" | "setunion" | "slice" | "sort"
        | "split" | "values" | "cidrsubnets" | "csvdecode" | "fileset" | "tolist" | "toset" => {
            Shape::Array
        }
        "merge" | "zipmap" | "transpose" | "tomap" => Shape::Object,
        _ => Shape::Any,
    }
}
