//! Our values are those of `sigs.k8s.io/yaml` v1.6, the library of `kubectl` and the API server.

use crate::{canonical, generate, oracle};

const DOCUMENTS: u64 = 100_000;

/// What the comparison counted.
#[derive(Debug, Default)]
struct Counts {
    /// documents that both accept
    accepted: usize,
    /// of these, documents whose value depends on Go's random order
    ambiguous: usize,
    /// documents that only Go accepts, see [`is_exception`]
    exceptions: usize,
}

/// The one reason for which we refuse what Go accepts: a value that JSON cannot hold. Go
/// notices it when it writes the JSON, so not if a duplicate key has replaced it by then.
/// Nobody wants such a value, so we name it always.
fn is_exception(error: &str) -> bool {
    error.contains("a key must not be null")
        || error.contains("so large a number as a key")
        || error.contains("cannot be written in JSON")
}

/// Whether two texts of JSON say the same: of two shortest forms of a number Rust and Go may
/// choose different ones.
fn same(a: &str, b: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e');
    let parts = |text: &str| -> Vec<String> {
        text.split_inclusive(|c| !number(c))
            .map(|part| {
                let digits = part.trim_end_matches(|c| !number(c));
                match digits.parse::<f64>() {
                    Ok(value) if digits.contains('.') && digits.len() > 16 => {
                        format!("{value:?}{}", &part[digits.len()..])
                    }
                    _ => part.to_owned(),
                }
            })
            .collect()
    };
    a == b || parts(a) == parts(b)
}

/// Reads documents with both; panics with the first few differences.
fn compare(documents: &[String]) -> Counts {
    let answers = oracle::ask(documents);
    assert_eq!(answers.len(), documents.len());
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for (text, answer) in documents.iter().zip(&answers) {
        let ours = canonical::read(text);
        let same = match (&answer.json, &ours) {
            (Ok(theirs), Ok(ours)) => {
                counts.accepted += 1;
                counts.ambiguous += usize::from(answer.ambiguous);
                // Go escapes what it puts in the place of bytes that are no UTF-8.
                answer.ambiguous || same(&theirs.replace("\\ufffd", "\u{fffd}"), ours)
            }
            (Err(_), Err(_)) => true,
            (Ok(_), Err(error)) if is_exception(error) => {
                counts.exceptions += 1;
                true
            }
            _ => false,
        };
        if !same {
            differences.push(format!(
                "{text:?}\n  Go:   {:?}\n  ours: {ours:?}",
                answer.json
            ));
        }
    }
    differences.sort_by_key(String::len);
    assert!(
        differences.is_empty(),
        "{} of {} documents differ:\n{}",
        differences.len(),
        documents.len(),
        differences[..differences.len().min(12)].join("\n")
    );
    counts
}

#[test]
fn random_documents_read_as_in_go() {
    let from: u64 = std::env::var("SEAWALL_SEED").map_or(1, |seed| seed.parse().unwrap());
    let documents: Vec<String> = (from..from + DOCUMENTS).map(generate::document).collect();
    let counts = compare(&documents);
    println!("{DOCUMENTS} documents: {counts:?}");
    assert!(counts.accepted > DOCUMENTS as usize / 4);
    assert!(counts.ambiguous < counts.accepted / 20);
    assert!(counts.exceptions < DOCUMENTS as usize / 1000);
}
