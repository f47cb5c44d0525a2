//! Bytes that wait until what stands before them is known.
//!
//! JSON and SARIF say totals first and findings after; findings come first. Up to a few
//! megabytes wait in memory, more in an unnamed temporary file that vanishes with the process.
//!
//! What it deliberately leaves out: any format.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek, SeekFrom, Write};

use crate::enables::Mark;

/// Bytes kept in memory before they move to a file.
const IN_MEMORY: usize = 8 << 20;

/// Bytes in the order they were written.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
    items: usize,
}

impl Spool {
    /// Starts an item of a list: the comma and line break between items.
    pub(crate) fn item(&mut self) -> io::Result<&mut Self> {
        let separator: &[u8] = if self.items == 0 { b"\n" } else { b",\n" };
        self.items += 1;
        self.write_all(separator)?;
        Ok(self)
    }

    /// Copies everything to its place. A list ends with a line break before its bracket.
    pub(crate) fn copy_into(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, out)?;
        }
        out.write_all(&self.memory)?;
        self.memory = Vec::new();
        if self.items > 0 {
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Spool {
    /// Starts an item of which more is known in the end, by its mark. It must be written as one line.
    pub(crate) fn marked(&mut self, mark: Mark) -> io::Result<&mut Self> {
        let item = self.item()?;
        mark.write(item)?;
        Ok(item)
    }

    /// As [`Spool::copy_into`], of marked items: `add` writes what comes before the bracket that closes an item.
    pub(crate) fn complete_into(
        &mut self,
        out: &mut dyn Write,
        mut add: impl FnMut(Mark, &mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let memory = std::mem::take(&mut self.memory);
        let mut lines: Box<dyn BufRead> = match self.file.take() {
            None => Box::new(io::Cursor::new(memory)),
            Some(file) => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.seek(SeekFrom::Start(0))?;
                Box::new(BufReader::with_capacity(
                    1 << 16,
                    file.chain(io::Cursor::new(memory)),
                ))
            }
        };
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            match line.strip_suffix(b"\n").unwrap_or(&line) {
                // The first item begins with a line break too.
                [] => {}
                written => {
                    let (item, end) = match written.strip_suffix(b",") {
                        Some(item) => (item, &b"},"[..]),
                        None => (written, &b"}"[..]),
                    };
                    out.write_all(b"\n")?;
                    match Mark::read(item) {
                        Some((mark, item)) => {
                            out.write_all(item.strip_suffix(b"}").unwrap_or(item))?;
                            add(mark, out)?;
                            out.write_all(end)?;
                        }
                        None => out.write_all(written)?,
                    }
                }
            }
            line.clear();
        }
        if self.items > 0 {
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
            let mut file = BufWriter::with_capacity(1 << 16, tempfile::tempfile()?);
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_when_it_moves_to_disk() {
        let mut spool = Spool::default();
        let line = "x".repeat(1 << 20);
        let mut expected = String::new();
        for number in 0..20 {
            spool
                .item()
                .unwrap()
                .write_all(format!("{number}{line}").as_bytes())
                .unwrap();
            expected.push_str(if number == 0 { "\n" } else { ",\n" });
            expected.push_str(&format!("{number}{line}"));
        }
        expected.push('\n');
        let mut out = Vec::new();
        spool.copy_into(&mut out).unwrap();
        assert!(out == expected.as_bytes());
    }
    #[test]
    fn items_are_completed_by_their_marks() {
        let guide = crate::testing::guide();
        let mut finding = crate::testing::finding();
        for (count, length) in [(0u32, 0), (3, 1), (20, 1 << 20)] {
            let mut spool = Spool::default();
            let mut expected = String::new();
            let text = "x".repeat(length);
            for number in 0..count {
                finding.object = Some(model::ResourceRef(number));
                let mark = Mark::of(&finding, &guide);
                let item = format!("{{\"text\":\"{text},\",\"number\":{number}");
                spool
                    .marked(mark)
                    .unwrap()
                    .write_all(format!("{item}}}").as_bytes())
                    .unwrap();
                let comma = if number == 0 { "" } else { "," };
                let more = if number % 2 == 0 {
                    ",\"even\":true"
                } else {
                    ""
                };
                expected.push_str(&format!("{comma}\n{item}{more}}}"));
            }
            if count > 0 {
                expected.push('\n');
            }
            let even: Vec<Mark> = (0..count)
                .step_by(2)
                .map(|number| {
                    finding.object = Some(model::ResourceRef(number));
                    Mark::of(&finding, &guide)
                })
                .collect();
            let mut out = Vec::new();
            spool
                .complete_into(&mut out, |mark, out| {
                    if even.contains(&mark) {
                        out.write_all(b",\"even\":true")?;
                    }
                    Ok(())
                })
                .unwrap();
            assert!(out == expected.as_bytes(), "{count} of {length}");
        }
    }
}
