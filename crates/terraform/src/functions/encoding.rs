//! Functions that encode, decode and hash.

use bicep::value::Shape;
use sha2::Digest;

use super::{Args, yaml_text};
use crate::engine::{Engine, Eval};
use crate::json::Values;
use crate::lower::Place;
use crate::value::{Data, Entry, Map, Seq, Val};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl<'a> Engine<'a, '_> {
    pub(super) fn encoding(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "jsonencode" => return self.json_encode(call),
            "jsondecode" => self.json_decode(call),
            "yamldecode" => self.yaml_decode(call),
            "yamlencode" => match call.get(0).and_then(yaml_text::encode) {
                Some(text) => Ok(self.str(call.span, &text)),
                None => self.unevaluated(call),
            },
            "csvdecode" => self.csv_decode(call),
            "urlencode" => self
                .string_arg(call, 0)
                .map(|text| self.str(call.span, &url(text))),
            "base64encode" => self
                .string_arg(call, 0)
                .map(|text| self.str(call.span, &base64(text.as_bytes()))),
            "base64decode" => self.base64_decode(call),
            "md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512" => self
                .string_arg(call, 0)
                .map(|text| self.str(call.span, &hash(call.name, text.as_bytes()))),
            "uuidv5" => self.uuid_v5(call),
            _ => return None,
        };
        Some(result)
    }

    /// The text of what is partly open stands for it: whoever decodes it gets it back.
    pub(super) fn json_encode(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let value = *call.get(0)?;
        // What is sensitive in it keeps its place, which a marked text would lose.
        let (mut why, mut secret) = (Vec::new(), None);
        let open = value.gather(&mut why, &mut secret);
        let made = if open || secret.is_some() {
            self.open_call(call.name, call.args, Shape::String, call.span)
        } else {
            self.str(call.span, &json_text(&value))
        };
        let text = match made.data {
            Data::Str(text) => text,
            Data::Unknown(unknown) => unknown.text,
            _ => return Some(Ok(made)),
        };
        self.encoded.insert(text, value);
        Some(Ok(made))
    }

    pub(super) fn json_decode(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        if let Some(value) = self.encoded.get(text) {
            return Ok(*value);
        }
        let mut values = Values {
            arena: self.arena,
            place: Place::Fixed(call.span),
        };
        let (options, limits) = (yaml::json::Options::default(), yaml::Limits::default());
        yaml::json::parse(text, options, &limits, &mut values)
            .map_err(|error| self.fault(call.span, format!("this is no JSON: {}", error.message)))
    }

    fn yaml_decode(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let mut values = Values {
            arena: self.arena,
            place: Place::Fixed(call.span),
        };
        match yaml::parse(text, &yaml::Limits::default(), &mut values) {
            Ok(value) => Ok(value.unwrap_or(Val::null(call.span))),
            Err(error) => Err(self.fault(call.span, format!("this is no YAML: {}", error.message))),
        }
    }

    fn csv_decode(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let rows = csv(self.string_arg(call, 0)?);
        let Some((head, rows)) = rows.split_first() else {
            return Ok(self.seq(Seq::List, Vec::new(), call.span));
        };
        let mut made = Vec::new();
        for row in rows {
            if row.len() != head.len() {
                return Err(self.fault(call.span, "all rows must have as many fields as the first"));
            }
            let entries: Vec<Entry<'a>> = head
                .iter()
                .zip(row)
                .map(|(key, field)| Entry {
                    key: self.arena.alloc_str(key),
                    key_span: call.span,
                    open: None,
                    value: self.str(call.span, field),
                })
                .collect();
            made.push(self.map(Map::Object, &entries, call.span));
        }
        Ok(self.seq(Seq::List, made, call.span))
    }

    fn base64_decode(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let decoded =
            unbase64(self.string_arg(call, 0)?).and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded {
            Some(text) => Ok(self.str(call.span, &text)),
            None => Err(self.fault(call.span, "this is no base64 of a text")),
        }
    }

    /// RFC 4122: version 5 of a namespace and a name.
    fn uuid_v5(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let namespace = match self.string_arg(call, 0)? {
            "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
            "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
            "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
            other => other,
        };
        let name = self.string_arg(call, 1)?;
        let digits: String = namespace.chars().filter(|next| *next != '-').collect();
        let Some(number) = (digits.len() == 32)
            .then(|| u128::from_str_radix(&digits, 16).ok())
            .flatten()
        else {
            return Err(self.fault(call.span, "the namespace of `uuidv5` is no UUID"));
        };
        let digest = sha1::Sha1::new()
            .chain_update(number.to_be_bytes())
            .chain_update(name.as_bytes())
            .finalize();
        let mut bytes = [0_u8; 16];
        for (to, from) in bytes.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        let number = u128::from_be_bytes(bytes);
        let number = number & !(0xf << 76) | (5 << 76);
        let number = number & !(0b11 << 62) | (0b10 << 62);
        let text = format!("{number:032x}");
        let mut made = String::new();
        for (at, digit) in text.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                made.push('-');
            }
            made.push(digit);
        }
        Ok(self.str(call.span, &made))
    }
}

/// JSON as Terraform writes it: keys sorted, `<`, `>` and `&` escaped.
pub(super) fn json_text(value: &Val<'_>) -> String {
    let mut out = String::new();
    write_json(&mut out, value);
    out
}

fn write_json(out: &mut String, value: &Val<'_>) {
    match value.data {
        Data::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Data::Int(number) => out.push_str(&number.to_string()),
        Data::Float(number) => out.push_str(&number.to_string()),
        Data::Str(text) => quote(out, text),
        Data::Seq(_, items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        Data::Map(..) | Data::Instance(_) => {
            let mut entries: Vec<&Entry<'_>> = value.entries().unwrap_or_default().iter().collect();
            entries.sort_by_key(|entry| entry.key);
            out.push('{');
            for (at, entry) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(out, entry.key);
                out.push(':');
                write_json(out, &entry.value);
            }
            out.push('}');
        }
        _ => out.push_str("null"),
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for next in text.chars() {
        match next {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(next)));
            }
            next if u32::from(next) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(next))),
            next => out.push(next),
        }
    }
    out.push('"');
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0_u8; 3];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        let [first, second, third] = word.map(u32::from);
        let bits = first << 16 | second << 8 | third;
        for at in 0..4_u32 {
            let index = (bits >> (18 - 6 * at)) & 63;
            let kept = (at as usize) <= chunk.len();
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(if kept { char::from(letter) } else { '=' });
        }
    }
    out
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

/// The hash functions by their names.
pub(super) fn hash(name: &str, bytes: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match name {
        "md5" => hex(&md5::Md5::digest(bytes)),
        "sha1" => hex(&sha1::Sha1::digest(bytes)),
        "sha256" => hex(&sha2::Sha256::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        "base64sha256" => base64(&sha2::Sha256::digest(bytes)),
        _ => base64(&sha2::Sha512::digest(bytes)),
    }
}

/// As Go's `url.QueryEscape`.
fn url(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                if !(row.is_empty() && field.is_empty()) {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
            }
            next => field.push(next),
        }
    }
    if !(row.is_empty() && field.is_empty()) {
        row.push(field);
        rows.push(row);
    }
    rows
}
