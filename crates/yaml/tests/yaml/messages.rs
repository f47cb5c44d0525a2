//! Errors say where and what, and what to do.

use yaml::{Limits, documents};

use crate::canonical::Canonical;

/// All errors of a file, as they are shown.
fn errors(text: &str) -> String {
    let limits = Limits {
        depth: 6,
        bytes: 400,
        expanded: 50,
        ..Limits::default()
    };
    let mut out = String::new();
    for raw in documents(text) {
        if let Err(error) = raw.parse(&limits, &mut Canonical::default()) {
            out += &format!("{error}\n");
            if let Some(help) = error.help {
                out += &format!("  {help}\n");
            }
        }
    }
    out
}

fn check(text: &str, expected: &str) {
    assert_eq!(errors(text), expected, "{text}");
}

#[test]
fn an_error_concerns_one_document_and_counts_lines_of_the_file() {
    check(
        "a: 1\n---\nb:\n\tc: 2\n---\nd: 3\n--- # x\ne: \"4\n",
        "line 4, column 1: a tab stands where YAML wants spaces\n  \
         indent with spaces: YAML does not allow tabs for indentation\n\
         line 8, column 4: the text that this quote begins does not end\n  \
         add the missing quote\n",
    );
}

#[test]
fn a_template_is_named_as_one() {
    check(
        "kind: A\n---\nmetadata:\n  name: {{ .Release.Name }}\n",
        "line 4, column 10: a key must be a single value, not a list or a map\n  \
         line 4 holds a template action (`{{ … }}`): render the template first, for example with \
         `helm template`, and read what comes out\n",
    );
}

#[test]
fn common_mistakes() {
    check(
        "a: b: c\n",
        "line 1, column 5: `:` is not allowed here\n  a value that holds `: ` needs quotes; \
         otherwise look whether this line is indented too far\n",
    );
    check(
        "a: 1\nname\nb: 2\n",
        "line 2, column 1: this line should be `key: value`, but has no `:`\n  add the `:` and a \
         space, or indent the line if it continues the one above\n",
    );
    check(
        "a:\n    b: 1\n  c: 2\n",
        "line 3, column 3: a key should stand here: the indentation fits nothing above; it began \
         on line 1\n  keys of one map, and `-` of one list, begin in the same column\n",
    );
    check(
        "é: *x\n",
        "line 1, column 4: no anchor of that name stands above\n  put the value in quotes if it is \
         a pattern such as `\"*\"`\n",
    );
    check(
        "a: *\n",
        "line 1, column 5: `*` must be followed by the name of an anchor\n  put the value in \
         quotes if it is a pattern such as `\"*\"`\n",
    );
    check(
        "a: @x\n",
        "line 1, column 4: a value must not begin with `@` or a backtick\n  put the value in \
         quotes\n",
    );
    check(
        "a: [1, 2\nb: 3\n",
        "line 2, column 2: a `,` or `]` is missing in a `[…]` list; it began on line 1\n",
    );
    check(
        "a: \"\\d\"\n",
        "line 1, column 5: an unknown escape follows `\\` in double quotes\n  write `\\\\` for a \
         backslash, or use single quotes\n",
    );
    check(
        "a: .nan\n",
        "line 1, column 4: infinity and not-a-number cannot be written in JSON, so Kubernetes \
         refuses them\n  put the value in quotes if a text is meant\n",
    );
    check(
        "a: x\u{1b}\n",
        "line 1, column 5: a control character stands here\n  remove it, or write it as an escape \
         in double quotes\n",
    );
}

#[test]
fn limits_are_errors() {
    check(
        "[[[[[[[a]]]]]]]",
        "line 1, column 7: lists and maps are nested too deeply\n",
    );
    check(
        "a: &a [[[[1]]]]\nb: [[*a]]\n",
        "line 2, column 6: lists and maps are nested too deeply\n",
    );
    check(
        &format!("a: {}\n", "x".repeat(500)),
        "line 1, column 1: the document is too large\n",
    );
    check(
        "a: &a [*a]\n",
        "line 1, column 8: the anchor's value contains itself\n",
    );
}

#[test]
fn alias_bombs_cost_nothing() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..90 {
        let before = format!("*a{}", level - 1);
        text += &format!(
            "a{level}: &a{level} [{}]\n",
            [before.as_str(); 10].join(", ")
        );
    }
    let mut build = Canonical::default();
    let error = yaml::parse(&text, &Limits::default(), &mut build).unwrap_err();
    assert_eq!(
        error.message,
        "aliases make the document too large when they are written out"
    );
    assert!(build.spans.len() < 1000);
}
