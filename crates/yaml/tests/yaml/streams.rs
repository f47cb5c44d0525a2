//! Where documents begin and end.

use std::io::BufReader;

use yaml::{DecodeError, SplitError, Splitter, decode, documents};

use crate::generate::{self, Random};

/// Line, emptiness and text of each document, from memory and, the same, from a stream.
fn split(text: &str) -> Vec<(u32, bool, String)> {
    let whole: Vec<_> = documents(text).collect();
    for capacity in [1, 7, 4096] {
        let reader = BufReader::with_capacity(capacity, text.as_bytes());
        let streamed: Vec<_> = Splitter::new(reader).map(Result::unwrap).collect();
        assert_eq!(whole, streamed, "{text:?}");
    }
    let mut end = whole.first().map_or(0, |raw| raw.offset as usize);
    for (index, raw) in whole.iter().enumerate() {
        assert_eq!(raw.index as usize, index);
        assert_eq!(raw.offset as usize, end, "{text:?}");
        let line = text[..end].matches('\n').count() as u32 + 1;
        assert_eq!(raw.line, line, "{text:?}");
        assert_eq!(&text[end..end + raw.text.len()], raw.text);
        end += raw.text.len();
    }
    whole
        .into_iter()
        .map(|raw| (raw.line, raw.empty, raw.text.into_owned()))
        .collect()
}

fn texts(text: &str) -> Vec<String> {
    split(text).into_iter().map(|(_, _, text)| text).collect()
}

#[test]
fn documents_end_at_lines_of_three_dashes() {
    assert_eq!(texts("a: 1\n---\nb: 2\n"), ["a: 1\n", "---\nb: 2\n"]);
    assert_eq!(texts("a: 1\r\n---\r\nb: 2"), ["a: 1\r\n", "---\r\nb: 2"]);
    assert_eq!(
        texts("--- # x\na: 1\n--- {b: 2}\n---"),
        ["--- # x\na: 1\n", "--- {b: 2}\n", "---"]
    );
    assert_eq!(
        texts("a: 1\n---b\n ---\n----\n"),
        ["a: 1\n---b\n ---\n----\n"]
    );
    assert_eq!(
        texts("a: |\n  ---\n  b\n--- |\n x\n"),
        ["a: |\n  ---\n  b\n", "--- |\n x\n"]
    );
}

#[test]
fn documents_end_after_lines_of_three_points() {
    assert_eq!(
        texts("a: 1\n...\n---\nb: 2\n...\n"),
        ["a: 1\n...\n", "---\nb: 2\n...\n"]
    );
    assert_eq!(texts("a: 1\n...\nb: 2\n"), ["a: 1\n...\n", "b: 2\n"]);
    assert_eq!(
        texts("a: 1\n...\n%YAML 1.1\n---\nb: 2\n"),
        ["a: 1\n...\n", "%YAML 1.1\n---\nb: 2\n"]
    );
    assert_eq!(
        texts("%YAML 1.1\n# c\n---\na: 1\n"),
        ["%YAML 1.1\n# c\n---\na: 1\n"]
    );
}

#[test]
fn comments_belong_to_the_first_document_and_are_empty_later() {
    assert_eq!(
        split("# licence\n\n---\na: 1\n---\n# nothing\n\n---\n---\nb: 2\n"),
        [
            (1, false, "# licence\n\n---\na: 1\n".to_owned()),
            (5, true, "---\n# nothing\n\n".to_owned()),
            (8, true, "---\n".to_owned()),
            (9, false, "---\nb: 2\n".to_owned()),
        ]
    );
    assert_eq!(split("\n# only\n"), [(1, true, "\n# only\n".to_owned())]);
    assert_eq!(split(""), []);
    assert_eq!(split("\u{feff}a: 1\n"), [(1, false, "a: 1\n".to_owned())]);
}

#[test]
fn json_is_split_after_each_value() {
    assert_eq!(
        texts("{\"a\": 1}\n{\"b\":\n 2}\n"),
        ["{\"a\": 1}\n", "{\"b\":\n 2}\n"]
    );
    assert_eq!(
        texts("{\"a\":\"}\\\"{\"}{\"b\":2} [\"x\"]"),
        ["{\"a\":\"}\\\"{\"}", "{\"b\":2} ", "[\"x\"]"]
    );
    assert_eq!(
        texts("{\"a\": 1}\n---\nb: 2\n"),
        ["{\"a\": 1}\n", "---\nb: 2\n"]
    );
    assert_eq!(texts("{a: '}'}\n"), ["{a: '}'}\n"]);
    assert_eq!(
        texts("{\"a\": 1\n---\nb: 2\n"),
        ["{\"a\": 1\n", "---\nb: 2\n"]
    );
    let json: Vec<bool> = documents("{\"a\": 1}\n---\nb: 2\n")
        .map(|raw| raw.json)
        .collect();
    assert_eq!(json, [true, false]);
}

#[test]
fn streams_and_texts_split_alike() {
    let mut random = Random::new(7);
    for seed in 0..3000 {
        let mut text = String::new();
        for part in 0..4 {
            text += &generate::document(seed * 4 + part);
            text += random.pick(&[
                "\n---\n",
                "---\n",
                "\n",
                "\n...\n",
                "\n{\"a\": [1]}",
                "\n# c\n",
            ]);
        }
        split(&text);
    }
}

#[test]
fn a_document_that_is_too_large_is_one_error() {
    let big = format!("a: 1\n---\nb: |\n{}---\nc: 3\n", "  xxxxxxxxx\n".repeat(50));
    for capacity in [1, 64, 4096] {
        let reader = BufReader::with_capacity(capacity, big.as_bytes());
        let found: Vec<_> = Splitter::with_limit(reader, 100).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].as_ref().unwrap().text, "a: 1\n");
        assert!(matches!(
            found[1],
            Err(SplitError::TooLarge {
                line: 2,
                limit: 100
            })
        ));
        let last = found[2].as_ref().unwrap();
        assert_eq!((last.line, &*last.text), (54, "---\nc: 3\n"));
        assert_eq!(last.offset as usize, big.len() - last.text.len());
    }
    let line = format!("{}\n---\na: 1\n", "x".repeat(10_000));
    let found: Vec<_> = Splitter::with_limit(line.as_bytes(), 100).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].as_ref().unwrap().line, 2);
}

#[test]
fn a_document_that_is_no_text_is_one_error() {
    let bytes = b"a: 1\n---\nb: \xff\n---\nc: 3\n";
    let found: Vec<_> = Splitter::new(&bytes[..]).collect();
    assert_eq!(found.len(), 3);
    let error = found[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "line 3: the text is not valid UTF-8");
    assert!(matches!(
        error,
        SplitError::Encoding(DecodeError::Utf8 { offset: 12, .. })
    ));
}

#[test]
fn encodings() {
    let utf16 = |text: &str, little: bool, mark: bool| -> Vec<u8> {
        let text = if mark {
            format!("\u{feff}{text}")
        } else {
            text.to_owned()
        };
        text.encode_utf16()
            .flat_map(|u| {
                if little {
                    u.to_le_bytes()
                } else {
                    u.to_be_bytes()
                }
            })
            .collect()
    };
    let text = "a: ä😀\n";
    for (little, mark) in [(true, true), (true, false), (false, true), (false, false)] {
        assert_eq!(decode(&utf16(text, little, mark)).unwrap(), text);
    }
    assert_eq!(decode(text.as_bytes()).unwrap(), text);
    assert_eq!(decode(format!("\u{feff}{text}").as_bytes()).unwrap(), text);
    assert_eq!(decode(b"").unwrap(), "");
    assert_eq!(
        decode(b"a\nb\xc3"),
        Err(DecodeError::Utf8 { offset: 3, line: 2 })
    );
    assert_eq!(
        decode(b"\xff\xfea\0\0\xd8"),
        Err(DecodeError::Utf16 { offset: 4, line: 1 })
    );
    assert_eq!(
        decode(b"\x1f\x8b\x08\0\xff").unwrap_err().to_string(),
        "the file is a gzip archive, not text"
    );
    assert_eq!(
        decode(b"abc\0def").unwrap_err().to_string(),
        "the file is a binary file, not text"
    );
}
