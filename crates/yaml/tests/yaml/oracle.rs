//! Asks the Go program `oracle/yaml`, which the test set-up builds.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: Result<String, String>,
    pub(crate) ambiguous: bool,
}

fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("SEAWALL_ORACLE_YAML") {
        return path.into();
    }
    let cache = std::env::var_os("SEAWALL_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/seawall"),
        PathBuf::from,
    );
    cache.join("bin/oracle-yaml")
}

/// What `sigs.k8s.io/yaml` makes of each document.
pub(crate) fn ask(documents: &[String]) -> Vec<Answer> {
    let program = program();
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "the oracle `{}` does not start ({error}): build it from oracle/yaml, \
                 or name it in SEAWALL_ORACLE_YAML",
                program.display()
            )
        });
    let input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut input = BufWriter::new(input);
            for document in documents {
                writeln!(input, "{}", document.len()).unwrap();
                input.write_all(document.as_bytes()).unwrap();
            }
            input.flush().unwrap();
        });
        output.lines().map(|line| answer(&line.unwrap())).collect()
    });
    assert!(child.wait().unwrap().success());
    answers
}

fn answer(line: &str) -> Answer {
    let (line, ambiguous) = match line.strip_suffix(r#","ambiguous":true}"#) {
        Some(rest) => (rest, true),
        None => (line.strip_suffix('}').unwrap(), false),
    };
    let json = match line.strip_prefix(r#"{"json":"#) {
        Some(json) => Ok(json.to_owned()),
        None => Err(line.to_owned()),
    };
    Answer { json, ambiguous }
}
