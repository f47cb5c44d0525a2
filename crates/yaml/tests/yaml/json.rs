//! JSON, strict and lenient.

use yaml::json::{Options, parse};
use yaml::{Build, Limits};

use crate::canonical::Canonical;

fn read(text: &str, lenient: bool) -> Result<String, String> {
    let mut build = Canonical::default();
    parse(text, Options { lenient }, &Limits::default(), &mut build)
        .map(|node| build.render(node))
        .map_err(|error| error.to_string())
}

#[test]
fn strict_reads_what_go_reads() {
    for (text, value) in [
        (
            " {\"b\": [1, -2.5e3, true, null], \"a\": {}} \n",
            "{\"a\":{},\"b\":[1,-2500,true,null]}",
        ),
        ("[]", "[]"),
        (
            "\"\\u00e4\\ud83d\\ude00\\ud800x\\/\\n\"",
            "\"ä😀\u{fffd}x/\\n\"",
        ),
        ("\"\\ud800\\u0041\"", "\"\u{fffd}A\""),
        ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551616", "18446744073709552000"),
        ("-0", "0"),
        ("1E2", "100"),
    ] {
        assert_eq!(read(text, false).as_deref(), Ok(value), "{text}");
        assert_eq!(read(text, true).as_deref(), Ok(value), "{text}");
    }
}

#[test]
fn strict_names_what_is_wrong() {
    for (text, error) in [
        ("", "line 1, column 1: the JSON ends too early"),
        ("{\"a\": 1", "line 1, column 8: the JSON ends too early"),
        (
            "{\"a\": 1,}",
            "line 1, column 8: JSON allows no `,` before a closing bracket",
        ),
        ("{\"a\" 1}", "line 1, column 6: a `:` should stand here"),
        (
            "{a: 1}",
            "line 1, column 2: a key in double quotes should stand here",
        ),
        ("[1 2]", "line 1, column 4: a `,` or `]` should stand here"),
        (
            "[\n1,\n\n2 \"x\"]",
            "line 4, column 3: a `,` or `]` should stand here; it began on line 1",
        ),
        ("[01]", "line 1, column 3: a `,` or `]` should stand here"),
        ("[1.]", "line 1, column 4: this is no JSON number"),
        ("[1e999]", "line 1, column 2: the number is out of range"),
        ("nul", "line 1, column 1: a JSON value should stand here"),
        (
            "1 // x",
            "line 1, column 3: text follows the end of the JSON value",
        ),
        (
            "\"a\nb\"",
            "line 1, column 3: a line break or control character stands in a string",
        ),
        ("\"a", "line 1, column 3: a string does not end"),
        (
            "\"\\x\"",
            "line 1, column 2: an unknown escape follows `\\`",
        ),
    ] {
        assert_eq!(
            read(text, false).as_ref().map_err(|e| &**e),
            Err(error),
            "{text}"
        );
    }
}

#[test]
fn lenient_reads_what_azure_reads() {
    let text = "// head\n{ /* x */ \"a\": [1, 2,], // y\n \"b\": \"two\nlines\",\n}\n/* end */";
    assert_eq!(
        read(text, true).as_deref(),
        Ok("{\"a\":[1,2],\"b\":\"two\\nlines\"}")
    );
    assert!(read("[1,,2]", true).is_err());
    assert!(read("[1] /* x", true).is_err());
}

#[test]
fn depth_and_duplicates() {
    let deep = "[".repeat(101) + &"]".repeat(101);
    assert!(
        read(&deep, false)
            .unwrap_err()
            .contains("nested too deeply")
    );
    let mut build = Canonical::default();
    let text = "{\"a\":1,\"b\":2,\"a\":3}";
    parse(text, Options::default(), &Limits::default(), &mut build).unwrap();
    assert_eq!(build.duplicates, ["a"]);
    let _ = build.null(yaml::Span::default());
}
