//! Documents that go as a whole.

use yaml::documents;
use yaml::edit::{Editor, Operation, Options, Outcome, Value, apply};

use super::operations;
use crate::generate::{self, Random};
use crate::oracle;

fn removal() -> [Operation; 1] {
    [Operation::Remove {
        route: Vec::new(),
        prune: false,
    }]
}

fn without(text: &str, gone: &[u32]) -> Outcome {
    let mut editor = Editor::new(text, Options::default());
    for document in gone {
        editor.apply(*document, &removal()).unwrap();
    }
    editor.finish()
}

#[track_caller]
fn becomes(text: &str, gone: &[u32], expected: &str) {
    let outcome = without(text, gone);
    assert_eq!(outcome.refused, []);
    assert_eq!(apply(text, &outcome.edits), expected);
    assert_eq!(outcome.emptied, expected.is_empty());
}

#[test]
fn a_document_goes_with_its_marker_and_its_comments() {
    const THREE: &str = "\
# Copyright

# the web
a: 1
---
# the queue
b: 2 # two
# below
---
c: 3
";
    becomes(THREE, &[1], "# Copyright\n\n# the web\na: 1\n---\nc: 3\n");
    becomes(
        THREE,
        &[2],
        "# Copyright\n\n# the web\na: 1\n---\n# the queue\nb: 2 # two\n# below\n",
    );
    // What is said of the file stays, and parts it from what follows.
    becomes(
        THREE,
        &[0],
        "# Copyright\n\n---\n# the queue\nb: 2 # two\n# below\n---\nc: 3\n",
    );
    becomes(THREE, &[0, 1], "# Copyright\n\n---\nc: 3\n");
    becomes(THREE, &[2, 0, 1], "");
}

#[test]
fn the_first_marker_stays_where_there_was_one() {
    becomes("a: 1\n---\nb: 2\n", &[0], "b: 2\n");
    becomes("# of a\na: 1\n---\nb: 2\n", &[0], "b: 2\n");
    becomes("---\na: 1\n---\nb: 2\n", &[0], "---\nb: 2\n");
    becomes(
        "# file\n---\na: 1\n---\nb: 2\n",
        &[0],
        "# file\n---\nb: 2\n",
    );
    becomes("a: 1\n--- # b\nb: 2\n", &[0], "--- # b\nb: 2\n");
    becomes("a: 1\n--- {b: 2}\n", &[0], "--- {b: 2}\n");
    becomes("\u{feff}a: 1\n---\nb: 2", &[0], "\u{feff}b: 2");
    becomes("a: 1\r\n---\r\nb: 2\r\n", &[0], "b: 2\r\n");
    becomes("a: 1\n---\nb: 2", &[1], "a: 1\n");
    becomes("a: 1\n...\n---\nb: 2\n...\n", &[0], "b: 2\n...\n");
    becomes("{\"a\": 1}\n{\"b\": 2}\n", &[0], "{\"b\": 2}\n");
    becomes("{\"a\": 1}\n{\"b\": 2}\n", &[1], "{\"a\": 1}\n");
}

#[test]
fn a_text_of_comments_only_is_empty() {
    becomes("# file\n\na: 1\n", &[0], "");
    becomes("---\n# none\n---\na: 1\n---\n", &[1], "");
    becomes("{\"a\": 1}", &[0], "");
    let mut editor = Editor::new("# none\n---\n# none\n---\na: 1\n", Options::default());
    assert!(editor.apply(0, &removal()).is_err());
    assert!(editor.apply(4, &removal()).is_err());
    assert!(
        without("a: 1\n", &[]).edits.is_empty(),
        "nothing goes that nobody asked for"
    );
}

#[test]
fn a_directive_is_no_comment() {
    let mut editor = Editor::new("%YAML 1.1\n---\na: 1\n---\nb: 2\n", Options::default());
    let refusal = editor.apply(0, &removal()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "line 1: a directive stands in front of the document"
    );
}

#[test]
fn other_documents_may_be_edited_beside_it() {
    let text = "a: 1\n---\nb: 2\n---\nc: 3\n";
    let mut editor = Editor::new(text, Options::default());
    editor.apply(2, &operations("set c to 4")).unwrap();
    editor.apply(0, &operations("set a to 4")).unwrap();
    editor.apply(0, &removal()).unwrap();
    editor
        .apply(1, &operations("set b to 4\nset d to 5"))
        .unwrap();
    let outcome = editor.finish();
    assert_eq!(outcome.refused, []);
    assert_eq!(apply(text, &outcome.edits), "b: 4\nd: 5\n---\nc: 4\n");
}

/// Streams of random documents: what stays is what it was, for a second parser too, and in its own bytes.
#[test]
fn what_stays_is_what_it_was() {
    let mut random = Random::new(20_261_127);
    let (mut tried, mut refused, mut asked) = (0, 0, Vec::new());
    while tried < 2000 {
        let mut text = random
            .pick(&["", "", "---\n", "# file\n\n", "# file\n---\n"])
            .to_owned();
        for number in 0..=random.below(4) {
            if number > 0 {
                text.push_str(random.pick(&[
                    "---\n",
                    "---\n",
                    "---\r\n",
                    "--- # next\n",
                    "...\n---\n",
                ]));
            }
            text.push_str(&generate::document(random.next()));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        let raws: Vec<_> = documents(&text).collect();
        let gone: Vec<u32> = raws
            .iter()
            .filter(|raw| !raw.empty && random.below(3) == 0)
            .map(|raw| raw.index)
            .collect();
        if gone.is_empty() || raws.iter().any(|raw| raw.text.contains('%')) {
            continue;
        }
        tried += 1;
        let outcome = without(&text, &gone);
        // What an end (`...`) parts may run together without it; then nothing is done.
        if !outcome.refused.is_empty() {
            assert!(text.contains("\n..."), "{gone:?} of\n{text}");
            assert!(outcome.edits.is_empty() && !outcome.emptied);
            refused += 1;
            continue;
        }
        let after = apply(&text, &outcome.edits);
        let stays: Vec<_> = raws
            .iter()
            .filter(|raw| !raw.empty && !gone.contains(&raw.index))
            .collect();
        assert_eq!(outcome.emptied, stays.is_empty(), "{gone:?} of\n{text}");
        let found: Vec<_> = documents(&after).filter(|raw| !raw.empty).collect();
        assert_eq!(found.len(), stays.len(), "{gone:?} of\n{text}\nis\n{after}");
        for (was, is) in stays.iter().zip(&found) {
            assert_eq!(
                Value::read(&was.text).ok(),
                Value::read(&is.text).ok(),
                "{gone:?} of\n{text}\nis\n{after}"
            );
            let body = was
                .text
                .trim_start_matches("---\n")
                .trim_start_matches("---\r\n");
            assert!(is.text.ends_with(body), "{body}\nis\n{}", is.text);
            asked.push(was.text.to_string());
            asked.push(is.text.to_string());
        }
    }
    let answers = oracle::ask(&asked);
    for (pair, texts) in answers.chunks(2).zip(asked.chunks(2)) {
        assert_eq!(pair[0].json.is_ok(), pair[1].json.is_ok(), "{texts:?}");
        // Of keys that mean the same, it takes any.
        if let (Ok(was), Ok(is)) = (&pair[0].json, &pair[1].json)
            && !pair[0].ambiguous
        {
            assert_eq!(was, is, "{texts:?}");
        }
    }
    assert!(asked.len() > 2000 && refused < 100, "{refused}");
}
