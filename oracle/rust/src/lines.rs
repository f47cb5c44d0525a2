//! An oracle that reads JSON lines and answers each with one.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::{Error, Result};

/// A running oracle process, for instance `part("oracle-pss")`.
#[derive(Debug)]
pub struct Lines {
    program: PathBuf,
    child: Child,
    questions: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
}

impl Lines {
    /// Starts the oracle. It ends when this is dropped, or with this process,
    /// since its input ends.
    pub fn spawn(program: impl AsRef<Path>) -> Result<Self> {
        let program = program.as_ref().to_owned();
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io(&program))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Answer("the oracle has no pipes".to_owned()));
        };
        Ok(Self {
            program,
            child,
            questions: Some(BufWriter::new(stdin)),
            answers: BufReader::new(stdout),
        })
    }

    /// One question, one answer.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{question}")
                .and_then(|()| questions.flush())
                .map_err(Error::io(&self.program))?;
        }
        self.read()
    }

    /// Many questions at once, which is faster than one at a time: a thread
    /// writes them while the answers are read. The oracle has then ended.
    pub fn ask_all(mut self, questions: &[Value]) -> Result<Vec<Value>> {
        let input = self.questions.take();
        thread::scope(|scope| {
            let writer = scope.spawn(move || -> std::io::Result<()> {
                if let Some(mut input) = input {
                    for question in questions {
                        writeln!(input, "{question}")?;
                    }
                    input.flush()?;
                }
                Ok(())
            });
            let answers = questions.iter().map(|_| self.read()).collect();
            match writer.join() {
                Ok(written) if answers_are_whole(&answers) => {
                    written.map_err(Error::io(&self.program))?;
                    answers
                }
                _ => answers,
            }
        })
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(Error::io(&self.program))?;
        if line.is_empty() {
            let name = self.program.display();
            return Err(Error::Answer(format!(
                "`{name}` ended instead of answering"
            )));
        }
        serde_json::from_str(&line).map_err(|error| {
            let name = self.program.display();
            Error::Answer(format!("`{name}` answered `{}`: {error}", line.trim_end()))
        })
    }
}

/// A missing answer explains more than the broken pipe that it causes.
fn answers_are_whole(answers: &Result<Vec<Value>>) -> bool {
    answers.is_ok()
}

impl Drop for Lines {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
