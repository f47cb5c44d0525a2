//! What a template says itself: its text is read as YAML with its actions masked, so that an edit of what stands there
//! literally keeps every other byte.

use std::path::Path;

use yaml::edit::Value;

use super::super::cure::{Cure, Way};
use super::values::{MASKED, get, string};
use super::{Candidate, Object, Rendered, Try, candidates};

/// A cure as an edit of the template's text.
pub(super) fn candidate(
    rendered: &Rendered<'_>,
    folder: &Path,
    cure: &Cure,
    object: &Object,
) -> Vec<Candidate> {
    let Some(source) = &object.source else {
        return Vec::new();
    };
    let path = folder.join(source);
    let shown = sources::shown(&path);
    if source.starts_with("charts/") {
        return vec![Err(format!(
            "`{shown}` is a template of another chart, and no value leads to it"
        ))];
    }
    let Some(text) = Some(&path)
        .filter(|path| rendered.may_edit(path))
        .and_then(|path| std::fs::read_to_string(path).ok())
    else {
        return Vec::new();
    };
    let text = masked(&text);
    let mut found = Vec::new();
    for raw in yaml::documents(&text) {
        let Ok(value @ Value::Map(_)) = Value::read(&raw.text) else {
            continue;
        };
        let name = get(&value, "metadata").and_then(|metadata| string(metadata, "name"));
        let is_it = string(&value, "kind") == Some(object.kind())
            && name.is_none_or(|name| name.contains(MASKED) || name == object.name());
        if !is_it {
            continue;
        }
        if let Some(changes) = candidates::moved(cure, object, &value) {
            found.push(Ok((
                Try::Together,
                Cure {
                    path: shown.as_str().into(),
                    document: raw.index,
                    changes,
                    way: Way::Template,
                    ..cure.clone()
                },
            )));
        }
    }
    found
}

/// A template with its actions masked, byte for byte as long as it was: lines that hold nothing else are comments,
/// other actions are words.
pub(crate) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    while let Some(start) = text
        .get(at..)
        .and_then(|rest| rest.find("{{"))
        .map(|found| at + found)
    {
        let end = action_end(text, start);
        for byte in bytes.get_mut(start..end).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = MASK;
            }
        }
        at = end;
    }
    // Lines on which nothing but actions stood.
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let had = bytes.get(start..end).unwrap_or_default();
        let only = had
            .iter()
            .all(|byte| byte.is_ascii_whitespace() || *byte == MASK)
            && had.iter().filter(|byte| **byte == MASK).count() > 1
            && line.as_bytes() != had;
        if only
            && let Some(first) = bytes
                .get_mut(start..end)
                .and_then(|line| line.iter_mut().find(|byte| **byte == MASK))
        {
            *first = b'#';
        }
        start = end;
    }
    String::from_utf8(bytes).unwrap_or_default()
}

const MASK: u8 = b'_';

/// One past the end of an action: its `}}`, not one that stands in a text or a comment.
fn action_end(text: &str, start: usize) -> usize {
    let mut at = start + 2;
    let mut quote = None;
    let inside = text.get(at..).unwrap_or_default();
    let body = inside.trim_start_matches(['-', ' ', '\t', '\n', '\r']);
    if body.starts_with("/*") {
        let close = inside.find("*/").map_or(text.len(), |found| at + found + 2);
        let end = text.get(close..).and_then(|rest| rest.find("}}"));
        return end.map_or(text.len(), |found| close + found + 2);
    }
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'"' | b'`') => quote = Some(*byte),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return at + 2,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn actions_are_masked_byte_for_byte() {
        let text = "{{- if .Values.on }}\nkind: Pod\n  {{- /* a }} b\n c */ -}}\nname: {{ .Release.Name }}-é\nx: \"{{ \"}}\" | quote }}\"\n{{ $k }}: {{ $v }}\n{{- end }}\n";
        let masked = masked(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(
            masked,
            "#___________________\nkind: Pod\n  #__________\n#________\nname: ___________________-é\nx: \"________________\"\n________: ________\n#_________\n"
        );
    }
}
