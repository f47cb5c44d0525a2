//! Lines of a container's log as container runtimes keep them: a time, a stream, whether the line goes on, and what was
//! written (kubernetes pkg/kubelet/kuberuntime/logs, `parseCRILog`).
//!
//! ```text
//! 2025-10-07T16:19:19.647880072Z stdout F {"kind":"Event",…
//! ```
//!
//! A runtime cuts what is longer than 16 KiB into parts, of which all but the last are marked `P`.

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'l> {
    pub(crate) stream: &'l [u8],
    /// The next line of the stream goes on with it.
    pub(crate) partial: bool,
    pub(crate) text: &'l [u8],
}

/// Reads a line; `None` where it is written in another way.
pub(crate) fn line(line: &[u8]) -> Option<Line<'_>> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag) = (parts.next()?, parts.next()?, parts.next()?);
    if time.get(10) != Some(&b'T') || !matches!(stream, b"stdout" | b"stderr") {
        return None;
    }
    // Tags are divided by colons; the first says whether the line goes on.
    let partial = match tag.split(|byte| *byte == b':').next()? {
        b"P" => true,
        b"F" => false,
        _ => return None,
    };
    Some(Line {
        stream,
        partial,
        text: parts.next().unwrap_or_default(),
    })
}

/// Parts of lines that are not all there yet, one for each stream.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    begun: Vec<(Box<[u8]>, u64, Vec<u8>)>,
}

impl Parts {
    /// Takes a line, and hands on what is whole now, with the number of its first line.
    pub(crate) fn take(&mut self, line: Line<'_>, number: u64, each: &mut dyn FnMut(&[u8], u64)) {
        let known = self
            .begun
            .iter()
            .position(|(stream, ..)| **stream == *line.stream);
        match (known, line.partial) {
            (None, false) => each(line.text, number),
            (None, true) => self
                .begun
                .push((line.stream.into(), number, line.text.to_vec())),
            (Some(at), partial) => {
                if let Some((_, _, text)) = self.begun.get_mut(at) {
                    text.extend_from_slice(line.text);
                }
                if !partial {
                    let (_, first, text) = self.begun.remove(at);
                    each(&text, first);
                }
            }
        }
    }

    /// Hands on what was begun and never ended.
    pub(crate) fn end(&mut self, each: &mut dyn FnMut(&[u8], u64)) {
        for (_, first, text) in self.begun.drain(..) {
            each(&text, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, line};

    #[test]
    fn only_lines_of_a_runtime_are_taken_for_such() {
        let read = line(b"2025-10-07T16:19:19.647880072Z stdout F {\"a\": 1}").unwrap();
        let expected = Line {
            stream: b"stdout",
            partial: false,
            text: b"{\"a\": 1}",
        };
        assert_eq!(read, expected);
        assert!(line(b"2025-10-07T16:19:19Z stderr P:x {").unwrap().partial);
        for other in [
            "{}",
            "",
            "2025",
            "2025-10-07T16:19:19Z stdout X {}",
            "2025-10-07 16:19:19 F {}",
        ] {
            assert_eq!(line(other.as_bytes()), None, "{other}");
        }
    }
}
