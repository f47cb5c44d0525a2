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
/// other actions are words. A line that alone makes the value of the key before it is a word too, so that what is
/// written beside the key comes behind it.
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
    let lines = lines(text, &bytes);
    let values = values(&lines);
    for (number, line) in lines.iter().enumerate() {
        if !matches!(line.holds, Holds::Actions { .. }) {
            continue;
        }
        let own = bytes.get_mut(line.start..line.end).unwrap_or_default();
        match values.iter().find(|(value, _)| *value == number) {
            // A word, and deeper than its key.
            Some((_, column)) => own.iter_mut().take(*column).for_each(|byte| *byte = b' '),
            None => {
                if let Some(first) = own.iter_mut().find(|byte| **byte == MASK) {
                    *first = b'#';
                }
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// A line of a template.
struct Line<'t> {
    start: usize,
    /// Without its end.
    end: usize,
    text: &'t str,
    holds: Holds,
}

enum Holds {
    /// Actions and nothing else; whether they write something where they stand.
    Actions {
        output: bool,
    },
    /// Nothing, or a comment.
    Nothing,
    Content,
}

fn lines<'t>(text: &'t str, masked: &[u8]) -> Vec<Line<'t>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\n', '\r']);
        let end = start + line.len();
        let own = masked.get(start..end).unwrap_or_default();
        let only = own
            .iter()
            .all(|byte| byte.is_ascii_whitespace() || *byte == MASK);
        let trimmed = line.trim();
        let holds = if only && own != line.as_bytes() {
            let output = trimmed.starts_with("{{") && trimmed.ends_with("}}") && writes(trimmed);
            Holds::Actions { output }
        } else if trimmed.is_empty() || trimmed.starts_with('#') {
            Holds::Nothing
        } else {
            Holds::Content
        };
        lines.push(Line {
            start,
            end,
            text: line,
            holds,
        });
        start += whole.len();
    }
    lines
}

/// Whether an action writes something: it is no block, definition, comment or assignment.
fn writes(action: &str) -> bool {
    let inner = action.trim_matches(['{', '}', '-', ' ', '\t']);
    let first = inner.split_whitespace().next().unwrap_or_default();
    let blocks = [
        "if", "else", "end", "with", "range", "define", "block", "break", "continue",
    ];
    let assigns = first.starts_with('$') && inner.contains('=');
    !blocks.contains(&first) && !inner.starts_with("/*") && !assigns
}

/// The lines of actions that are the value of a key, by number, each with the column that it must stand behind.
fn values(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut values = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_key = matches!(line.holds, Holds::Content) && line.text.trim_end().ends_with(':');
        if !is_key {
            continue;
        }
        let column = key_column(line.text);
        let after = lines.iter().enumerate().skip(number + 1);
        let mut value = None;
        let mut has_more = false;
        for (number, line) in after {
            match line.holds {
                Holds::Actions { output: true } if value.is_none() => value = Some((number, line)),
                Holds::Actions { .. } | Holds::Nothing => {}
                Holds::Content => {
                    let own = line.text.len() - line.text.trim_start_matches(' ').len();
                    let item = line.text.trim_start().starts_with('-');
                    has_more = own > column || own == column && item;
                    break;
                }
            }
        }
        if let Some((number, line)) = value.filter(|_| !has_more) {
            let stands = line.text.len() - line.text.trim_start_matches(' ').len();
            let needs = stands.max(column + 1);
            if needs + 4 <= line.text.len() {
                values.push((number, needs));
            }
        }
    }
    values
}

/// Where the key of a line stands, behind the dashes of items.
fn key_column(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

const MASK: u8 = b'_';

/// One past the end of an action: its `}}`, not one that stands in a text or a comment.
pub(crate) fn action_end(text: &str, start: usize) -> usize {
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
            "#___________________\nkind: Pod\n  #____________\n#________\nname: ___________________-é\nx: \"__________________\"\n________: ________\n#_________\n"
        );
    }

    #[test]
    fn an_action_that_is_a_value_is_a_word_behind_its_key() {
        let text = "spec:\n  - resources:\n{{ toYaml .Values.resources | indent 6 }}\n    labels:\n      {{- include \"labels\" . | nindent 6 }}\n      own: x\n    {{- with .Values.more }}\n    more:\n      {{- toYaml . | nindent 6 }}\n    {{- end }}\n";
        assert_eq!(
            masked(text),
            "spec:\n  - resources:\n     ____________________________________\n    labels:\n      #____________________________________\n      own: x\n    #_______________________\n    more:\n      ___________________________\n    #_________\n"
        );
    }
}
