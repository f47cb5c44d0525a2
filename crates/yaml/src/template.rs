//! Go templates that were taken for manifests: charts and other text that must be rendered
//! first. It leaves out braces in quotes, comments and block scalars, which Argo workflows,
//! Prometheus rules and Grafana dashboards hold for their own purposes, and braces inside a
//! plain value that need not be Helm's (`summary: {{ $value }} is high` begins with them and is
//! no YAML; `summary: value {{ $value }}` is).

/// The line (1-based) of the first Go-template action outside of quotes, comments and block
/// scalars, if there is one.
#[must_use]
pub fn looks_like_template(text: &str) -> Option<u32> {
    memchr::memmem::find(text.as_bytes(), b"{{")?;
    let mut state = State::default();
    for (index, line) in text.lines().enumerate() {
        if state.line(line) {
            return Some(index as u32 + 1);
        }
    }
    None
}

#[derive(Default)]
struct State {
    /// the quote that is open
    quote: Option<u8>,
    /// a block scalar is open: lines that are indented deeper belong to it
    block: Option<usize>,
}

impl State {
    /// Whether an action stands in the line.
    fn line(&mut self, line: &str) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if let Some(parent) = self.block {
            if line.trim().is_empty() || indent > parent {
                return false;
            }
            self.block = None;
        }
        let bytes = line.as_bytes();
        let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
        let rest = |i: usize| line.get(i..).unwrap_or_default();
        let mut i = indent;
        // Whether a value may begin here: only there a quote is a quote.
        let mut starts = true;
        while i < bytes.len() {
            let byte = at(i);
            if let Some(quote) = self.quote {
                let doubled = quote == b'\'' && byte == quote && at(i + 1) == quote;
                if doubled || (quote == b'"' && byte == b'\\') {
                    i += 1;
                } else if byte == quote {
                    self.quote = None;
                    starts = false;
                }
                i += 1;
                continue;
            }
            match byte {
                b' ' | b'\t' => {}
                b'#' if i == 0 || at(i - 1).is_ascii_whitespace() => return false,
                b'"' | b'\'' if starts => self.quote = Some(byte),
                b'{' if at(i + 1) == b'{' => {
                    if is_action(rest(i + 2), starts) {
                        return true;
                    }
                    i += 1;
                }
                b'-' | b'?' | b':' if at(i + 1).is_ascii_whitespace() => starts = true,
                b'[' | b',' | b'{' => starts = true,
                b'|' | b'>' if starts && is_block_header(rest(i + 1)) => {
                    self.block = Some(block_parent(line, indent, i));
                    return false;
                }
                b'&' | b'!' if starts => {
                    while i + 1 < bytes.len() && !at(i + 1).is_ascii_whitespace() {
                        i += 1;
                    }
                }
                _ => starts = false,
            }
            i += 1;
        }
        false
    }
}

/// Bytes within which an action ends.
const ACTION: usize = 256;

/// The column of the key or dash whose value is the block scalar at `at`.
fn block_parent(line: &str, indent: usize, at: usize) -> usize {
    let bytes = line.as_bytes();
    let (mut column, mut dash) = (indent, 0);
    while bytes.get(column) == Some(&b'-')
        && bytes.get(column + 1).is_some_and(u8::is_ascii_whitespace)
    {
        dash = column;
        column += 1;
        while bytes.get(column) == Some(&b' ') {
            column += 1;
        }
    }
    let has_key = line.get(column..at).is_some_and(|key| key.contains(':'));
    if has_key { column } else { dash }
}

/// Whether `inner`, which follows `{{`, is a template's. Where a value begins it is, unless
/// it looks like a flow map in a flow map.
fn is_action(inner: &str, starts: bool) -> bool {
    // An action is short; looking further costs too much where many braces stand.
    let inner = inner
        .get(..inner.floor_char_boundary(ACTION))
        .unwrap_or_default();
    if starts
        && inner
            .split_once("}}")
            .is_some_and(|(action, _)| !action.trim().is_empty() && !action.contains(": "))
    {
        return true;
    }
    let trimmed = inner.strip_prefix('-').unwrap_or(inner).trim_start();
    let helm = [
        ".Values",
        ".Release",
        ".Chart",
        ".Capabilities",
        ".Files",
        ".Template",
    ];
    if helm.iter().any(|object| trimmed.starts_with(object)) {
        return true;
    }
    if starts
        && (inner.starts_with("- ") || trimmed.starts_with(['.', '$']) || trimmed.starts_with("/*"))
    {
        return true;
    }
    let word = trimmed
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    matches!(word, "include" | "toYaml" | "tpl" | "lookup")
}

fn is_block_header(rest: &str) -> bool {
    let rest = rest.trim_start_matches(|c: char| matches!(c, '+' | '-' | '1'..='9'));
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}
