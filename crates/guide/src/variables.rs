//! The shared definitions of `guide/variables.cel`: `name = expression`, continued on lines
//! that are indented, with `//` comments.

/// Name, expression and line of each definition, in order.
#[must_use]
pub(crate) fn split(text: &str) -> Vec<(String, String, u32)> {
    let mut definitions: Vec<(String, String, u32)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with("//") {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            if let Some((_, source, _)) = definitions.last_mut() {
                source.push('\n');
                source.push_str(line.trim());
            }
        } else if let Some((name, source)) = line.split_once('=') {
            definitions.push((
                name.trim().to_owned(),
                source.trim().to_owned(),
                index as u32 + 1,
            ));
        }
    }
    definitions
}
