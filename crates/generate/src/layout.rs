//! Terraform files laid out as `terraform fmt` does: the equals signs of neighbouring arguments stand below each other.
//! Templates bring the rest, indentation and empty lines, by themselves.

/// Aligns what stands in neighbouring lines.
pub(crate) fn terraform(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut group: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        if let Some(parts) = assignment(line) {
            group.push(parts);
            continue;
        }
        flush(&mut group, &mut out);
        out.push_str(line);
        out.push('\n');
    }
    flush(&mut group, &mut out);
    out
}

fn flush(group: &mut Vec<(&str, &str)>, out: &mut String) {
    let width = group.iter().map(|(name, _)| name.chars().count()).max();
    for (name, value) in group.drain(..) {
        let gap = width.unwrap_or(0) - name.chars().count();
        out.push_str(name);
        out.extend(std::iter::repeat_n(' ', gap));
        out.push_str(" = ");
        out.push_str(value);
        out.push('\n');
    }
}

/// Name and value of a line that holds a whole argument; `None` where a bracket stays open or was open before, as in
/// HCL's own formatter (hclwrite, `linesForFormat`).
fn assignment(line: &str) -> Option<(&str, &str)> {
    let mut previous = ' ';
    let mut quoted = false;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quoted => {
                characters.next();
            }
            '"' => quoted = !quoted,
            '#' if !quoted => return None,
            '=' if !quoted => {
                let next = characters.peek().map(|(_, next)| *next);
                if matches!(next, Some('=' | '>')) || matches!(previous, '!' | '<' | '>' | '=') {
                    previous = character;
                    continue;
                }
                let name = line.get(..at)?.trim_end();
                let value = line.get(at + 1..)?.trim_start();
                return (!name.trim().is_empty() && balanced(value)).then_some((name, value));
            }
            _ => {}
        }
        previous = character;
    }
    None
}

/// Whether as many brackets open as close.
fn balanced(text: &str) -> bool {
    let mut open = 0_i32;
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => {
                characters.next();
            }
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => open += 1,
            ')' | ']' | '}' if !quoted => open -= 1,
            _ => {}
        }
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use super::terraform;

    #[test]
    fn aligns_neighbours() {
        let text = "a {\n  x = 1\n  long = \"=\"\n\n  list = [\n    { b = 1, cc = 2 },\n  ]\n  if = a == b ? [1] : []\n  # c = 1\n  \"q.r\" = { a = 1 }\n  s = 2\n}\n";
        let expected = "a {\n  x    = 1\n  long = \"=\"\n\n  list = [\n    { b = 1, cc = 2 },\n  ]\n  if = a == b ? [1] : []\n  # c = 1\n  \"q.r\" = { a = 1 }\n  s     = 2\n}\n";
        assert_eq!(terraform(text), expected);
        assert_eq!(terraform(expected), expected);
    }
}
