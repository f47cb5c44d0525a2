//! Asks the Go program `oracle/yaml`, which the test set-up builds.

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: Result<String, String>,
    pub(crate) ambiguous: bool,
}

/// What `sigs.k8s.io/yaml` makes of each document.
pub(crate) fn ask(documents: &[String]) -> Vec<Answer> {
    let answers = oracle::answers("oracle-yaml", documents).unwrap();
    answers.iter().map(|line| answer(line)).collect()
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
