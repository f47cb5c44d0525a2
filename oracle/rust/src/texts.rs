//! Oracles that read whole texts, each behind its length, and answer each with a line.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use crate::{Error, Result, part};

/// Asks a part such as `oracle-hcl` about all texts, in one run: its line on each.
pub fn answers<T: AsRef<str> + Sync>(name: &str, texts: &[T]) -> Result<Vec<String>> {
    let program = part(name)?;
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io(&program))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::Answer(format!("`{name}` has no pipes")));
    };
    let answers: Vec<String> = thread::scope(|scope| {
        // What it did not read explains less than what it did not answer.
        scope.spawn(move || -> std::io::Result<()> {
            let mut input = BufWriter::new(input);
            for text in texts {
                let text = text.as_ref();
                write!(input, "{}\n{text}", text.len())?;
            }
            input.flush()
        });
        BufReader::new(output)
            .lines()
            .collect::<std::io::Result<_>>()
    })
    .map_err(Error::io(&program))?;
    let ended = child.wait().map_err(Error::io(&program))?;
    if !ended.success() || answers.len() != texts.len() {
        return Err(Error::Answer(format!(
            "`{name}` ended with {ended} after {} of {} answers",
            answers.len(),
            texts.len()
        )));
    }
    Ok(answers)
}
