//! Go templates that were taken for manifests: charts and other text that must be rendered
//! first. It leaves out braces in quotes, comments and block scalars, which Argo workflows,
//! Prometheus rules and Grafana dashboards hold for their own purposes.

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
    /// the indentation of the line that began a block scalar
    block: Option<usize>,
}

impl State {
    /// Whether an action stands in the line.
    fn line(&mut self, line: &str) -> bool {
        let trimmed = line.trim_start_matches(' ');
        let indent = line.len() - trimmed.len();
        if let Some(parent) = self.block {
            if trimmed.trim().is_empty() || indent > parent {
                return false;
            }
            self.block = None;
        }
        let bytes = line.as_bytes();
        let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
        let mut i = indent;
        // Whether a value may begin here, so that a quote is a quote.
        let mut starts = true;
        let mut last_token = indent;
        while i < bytes.len() {
            let byte = at(i);
            if let Some(quote) = self.quote {
                if byte == b'\\' && quote == b'"' {
                    i += 1;
                } else if byte == quote {
                    if quote == b'\'' && at(i + 1) == b'\'' {
                        i += 1;
                    } else {
                        self.quote = None;
                        starts = false;
                    }
                }
                i += 1;
                continue;
            }
            match byte {
                b' ' | b'\t' => {}
                b'#' if i == 0 || at(i - 1).is_ascii_whitespace() => return false,
                b'"' | b'\'' if starts => self.quote = Some(byte),
                b'{' if at(i + 1) == b'{' => {
                    let inner = line.get(i + 2..).unwrap_or_default();
                    if starts && closes(inner) || is_action(inner) {
                        return true;
                    }
                    starts = true;
                    i += 1;
                }
                b'-' | b'?' | b':' if at(i + 1).is_ascii_whitespace() => {
                    starts = true;
                    if byte == b'-' {
                        last_token = i;
                    }
                }
                b'[' | b',' | b'{' => starts = true,
                b'|' | b'>' if starts && is_block_header(line.get(i + 1..).unwrap_or_default()) => {
                    // A list item's block may be indented from the dash on.
                    let key = line
                        .get(last_token..i)
                        .unwrap_or_default()
                        .trim_start_matches(['-', ' ']);
                    self.block = Some(if key.is_empty() {
                        last_token
                    } else {
                        i - key.len()
                    });
                    self.block = self.block.map(|b| b.min(indent_of(line, last_token)));
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

/// The column of the first character from `from` on that is neither a dash nor a blank.
fn indent_of(line: &str, from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    from + rest.len() - rest.trim_start_matches(['-', ' ']).len()
}

/// `}}` follows on the line, with something that is no YAML flow map between.
fn closes(inner: &str) -> bool {
    inner
        .split_once("}}")
        .is_some_and(|(action, _)| !action.contains(": ") && !action.trim().is_empty())
        || is_action(inner)
}

fn is_action(inner: &str) -> bool {
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_start();
    if inner.starts_with(['.', '$']) || inner.starts_with("/*") {
        return true;
    }
    let word = inner
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    matches!(
        word,
        "if" | "else"
            | "end"
            | "range"
            | "with"
            | "define"
            | "template"
            | "block"
            | "include"
            | "toYaml"
            | "tpl"
            | "default"
            | "quote"
            | "required"
            | "printf"
            | "lookup"
            | "fail"
    )
}

fn is_block_header(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}
