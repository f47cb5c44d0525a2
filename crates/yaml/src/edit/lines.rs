//! Lines of a document as the YAML scanner sees them: `\n`, `\r\n`, `\r`, NEL and the line and
//! paragraph separators end one. It leaves out what stands on them.

/// Bytes after which a new line begins at `at`; 0 if none ends here.
fn break_length(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        [0xC2, 0x85, ..] => 2,
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => 3,
        _ => 0,
    }
}

/// What begins on a line after its indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// white space only
    Blank,
    /// a `#` comment, after so many spaces
    Comment(usize),
    /// anything else, after so many spaces
    Content(usize),
}

#[derive(Debug)]
pub(crate) struct Lines<'t> {
    pub(crate) text: &'t str,
    /// where lines begin
    starts: Vec<u32>,
}

impl<'t> Lines<'t> {
    /// `json` counts `\n`, `\r\n` and `\r` only: the others may stand in strings.
    pub(crate) fn new(text: &'t str, json: bool) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let length = match byte {
                b'\n' | b'\r' => break_length(bytes, at),
                0xC2 | 0xE2 if !json => break_length(bytes, at),
                _ => 0,
            };
            if length > 0 {
                starts.push((at + length) as u32);
            }
            at += length.max(1);
        }
        Lines { text, starts }
    }

    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// 0-based number of the line of an offset.
    pub(crate) fn number(&self, at: usize) -> usize {
        let after = self.starts.partition_point(|s| *s as usize <= at);
        after.saturating_sub(1)
    }

    /// Where a line begins; past the last one, the end of the text.
    pub(crate) fn begin(&self, line: usize) -> usize {
        self.starts.get(line).map_or(self.len(), |s| *s as usize)
    }

    /// Where the line of an offset begins.
    pub(crate) fn start(&self, at: usize) -> usize {
        self.begin(self.number(at))
    }

    /// Where the next line begins, or the end of the text.
    pub(crate) fn next(&self, at: usize) -> usize {
        self.begin(self.number(at) + 1)
    }

    /// Where the line of an offset ends, before its line break.
    pub(crate) fn end(&self, at: usize) -> usize {
        let next = self.next(at);
        let bytes = self.bytes();
        for length in [2, 1, 3] {
            if let Some(from) = next.checked_sub(length)
                && from >= self.start(at)
                && break_length(bytes, from) == length
            {
                return from;
            }
        }
        next
    }

    /// Bytes from the beginning of its line.
    pub(crate) fn column(&self, at: usize) -> usize {
        at - self.start(at)
    }

    /// Whether both stand on one line.
    pub(crate) fn same(&self, a: usize, b: usize) -> bool {
        self.number(a) == self.number(b)
    }

    /// Whether nothing but white space stands before an offset on its line.
    pub(crate) fn first_on_line(&self, at: usize) -> bool {
        let start = self.start(at);
        self.skip_back(at) <= start
    }

    /// Goes back over blanks.
    pub(crate) fn skip_back(&self, at: usize) -> usize {
        let before = self.bytes().get(..at).unwrap_or_default();
        let blank = before.iter().rev();
        at - blank.take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// Goes over blanks.
    pub(crate) fn skip(&self, at: usize) -> usize {
        let rest = self.bytes().get(at..).unwrap_or_default();
        let blank = rest.iter();
        at + blank.take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// The white space a line begins with.
    pub(crate) fn indentation(&self, at: usize) -> &'t str {
        let start = self.start(at);
        self.text.get(start..self.skip(start)).unwrap_or_default()
    }

    /// What begins on the line that starts at `start`.
    pub(crate) fn begins(&self, start: usize) -> Begins {
        let rest = self.bytes().get(start..).unwrap_or_default();
        let spaces = rest.iter().take_while(|b| **b == b' ').count();
        let content = self.skip(start + spaces);
        match self.bytes().get(content) {
            None => Begins::Blank,
            Some(b'#') => Begins::Comment(spaces),
            Some(_) if break_length(self.bytes(), content) > 0 => Begins::Blank,
            Some(_) => Begins::Content(spaces),
        }
    }

    /// The line break that ends the line of an offset, or else the text's first one.
    pub(crate) fn line_break(&self, at: usize) -> &'static str {
        let of = |line_end: usize| match self.bytes().get(line_end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => Some("\r\n"),
            [b'\r', ..] => Some("\r"),
            [] => None,
            _ => Some("\n"),
        };
        of(self.end(at)).or_else(|| of(self.end(0))).unwrap_or("\n")
    }
}
