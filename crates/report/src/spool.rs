//! Bytes that wait until what stands before them is known.
//!
//! JSON and SARIF say totals first and findings after; findings come first. Up to a few
//! megabytes wait in memory, more in an unnamed temporary file that vanishes with the process.
//!
//! What it deliberately leaves out: any format.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

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
}
