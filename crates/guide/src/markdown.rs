//! The Markdown of the guide, split into the parts that mean something: front matter, prose,
//! fenced blocks, quotes. Not a Markdown renderer.

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The words after the opening backticks.
    pub info: String,
    /// The lines between the fences.
    pub text: String,
    /// Line of the file on which the text begins, from 1.
    pub line: u32,
}

/// A piece of a file, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading with its level.
    Heading(u8, String),
    /// A fenced block.
    Fence(Fence),
    /// A quote, its lines joined by a space.
    Quote(String, u32),
    /// Anything else, as written.
    Prose(String),
}

/// A file of the guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The YAML between the first two `---` lines.
    pub front_matter: String,
    /// What follows.
    pub blocks: Vec<Block>,
}

/// Why a file is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageError {
    /// What is wrong.
    pub message: &'static str,
    /// Line of the file.
    pub line: u32,
}

/// A line, without its end.
struct Line<'t> {
    number: u32,
    text: &'t str,
    /// Where it begins, and the next.
    start: usize,
    end: usize,
}

/// The lines between two.
fn between(text: &str, open: &Line<'_>, close: &Line<'_>) -> String {
    let lines = text.get(open.end..close.start).unwrap_or_default();
    if lines.contains('\r') {
        return lines.replace("\r\n", "\n");
    }
    lines.to_owned()
}

/// Splits a file.
///
/// # Errors
/// When front matter is missing or a fence is not closed.
pub fn parse(text: &str) -> Result<Page, PageError> {
    let mut end = 0;
    let mut lines = (1_u32..)
        .zip(text.split_inclusive('\n'))
        .map(|(number, line)| {
            let start = end;
            end += line.len();
            let line = line.strip_suffix('\n').unwrap_or(line);
            Line {
                number,
                text: line.strip_suffix('\r').unwrap_or(line),
                start,
                end,
            }
        });
    let first = lines.next().filter(|line| line.text.trim_end() == "---");
    let Some(first) = first else {
        return Err(PageError {
            message: "the file does not begin with front matter (`---`)",
            line: 1,
        });
    };
    let Some(close) = lines.find(|line| line.text.trim_end() == "---") else {
        return Err(PageError {
            message: "front matter is not closed by `---`",
            line: 1,
        });
    };
    let front_matter = between(text, &first, &close);
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut quote: Option<(String, u32)> = None;
    while let Some(at) = lines.next() {
        let (number, line) = (at.number, at.text);
        if let Some(rest) = line.strip_prefix('>') {
            flush(&mut prose, &mut blocks);
            let rest = rest.trim();
            match &mut quote {
                Some((text, _)) => {
                    text.push(' ');
                    text.push_str(rest);
                }
                None => quote = Some((rest.to_owned(), number)),
            }
            continue;
        }
        if let Some((text, at)) = quote.take() {
            blocks.push(Block::Quote(text, at));
        }
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks >= 3 {
            flush(&mut prose, &mut blocks);
            let info = line.trim_start_matches('`').trim().to_owned();
            let closes = |line: &Line<'_>| {
                let line = line.text.trim_end();
                line.len() >= ticks && line.bytes().all(|byte| byte == b'`')
            };
            let Some(close) = lines.find(closes) else {
                return Err(PageError {
                    message: "a fenced block is not closed",
                    line: number,
                });
            };
            blocks.push(Block::Fence(Fence {
                info,
                text: between(text, &at, &close),
                line: number + 1,
            }));
            continue;
        }
        let level = line.len() - line.trim_start_matches('#').len();
        if level > 0 && level <= 6 && line.get(level..=level) == Some(" ") {
            flush(&mut prose, &mut blocks);
            blocks.push(Block::Heading(
                level as u8,
                line.trim_start_matches('#').trim().to_owned(),
            ));
            continue;
        }
        prose.push_str(line);
        prose.push('\n');
    }
    if let Some((text, at)) = quote {
        blocks.push(Block::Quote(text, at));
    }
    flush(&mut prose, &mut blocks);
    Ok(Page {
        front_matter,
        blocks,
    })
}

fn flush(prose: &mut String, blocks: &mut Vec<Block>) {
    if !prose.trim().is_empty() {
        blocks.push(Block::Prose(prose.trim().to_owned()));
    }
    prose.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_guideline() {
        let page = parse("---\nid: x\n---\nWhy.\n\n```cel\na\n```\n> one\n> two\n## Examples\n````yaml bad\n```\n````\n").unwrap();
        assert_eq!(page.front_matter, "id: x\n");
        assert_eq!(page.blocks.len(), 5);
        assert_eq!(page.blocks[2], Block::Quote("one two".into(), 9));
        assert_eq!(
            page.blocks[4],
            Block::Fence(Fence {
                info: "yaml bad".into(),
                text: "```\n".into(),
                line: 13
            })
        );
    }

    #[test]
    fn says_where_a_fence_stays_open() {
        assert_eq!(parse("---\n---\n```cel\n").unwrap_err().line, 3);
    }
}
