//! Where values stand, comments, anchors and duplicates.

use yaml::{Limits, Lines, Place, comments};

use crate::canonical::Canonical;

/// The text of each value's span, in the order of building.
fn spans(text: &str) -> Vec<&str> {
    let mut build = Canonical::default();
    yaml::parse(text, &Limits::default(), &mut build).unwrap();
    let slice = |span: &yaml::Span| &text[span.start as usize..span.end as usize];
    build.spans.iter().map(slice).collect()
}

#[test]
fn spans_hold_the_value_alone() {
    assert_eq!(spans("ä: &x \"b\" # c\n"), ["\"b\"", "ä: &x \"b\""]);
    assert_eq!(
        spans("a: !!str 12\nb:\nc: 'd'\n"),
        ["12", "", "'d'", "a: !!str 12\nb:\nc: 'd'"]
    );
    assert_eq!(
        spans("a:\n- x  y\n- [ z, {k: v} ]\n\n# end\n"),
        [
            "x  y",
            "z",
            "v",
            "{k: v}",
            "[ z, {k: v} ]",
            "- x  y\n- [ z, {k: v} ]",
            "a:\n- x  y\n- [ z, {k: v} ]"
        ]
    );
    assert_eq!(
        spans("a: |\n  b\n  c\n\n\nd: e\n"),
        ["|\n  b\n  c", "e", "a: |\n  b\n  c\n\n\nd: e"]
    );
    assert_eq!(
        spans("a: b\n  c\n\nd: 1\r\n"),
        ["b\n  c", "1", "a: b\n  c\n\nd: 1"]
    );
    assert_eq!(spans("a: &m\n  b: 1\n"), ["1", "b: 1", "a: &m\n  b: 1"]);
}

#[test]
fn an_empty_value_stands_behind_its_key() {
    let mut build = Canonical::default();
    yaml::parse("a:\n\nb:\n  c: # x\n", &Limits::default(), &mut build).unwrap();
    let starts: Vec<u32> = build.spans.iter().map(|s| s.start).collect();
    assert_eq!(starts, [2, 11, 9, 0]);
}

#[test]
fn anchors_aliases_and_duplicates_are_told() {
    let text = "a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2, k: 3}\n&y d: *y\n";
    let mut build = Canonical::default();
    let root = yaml::parse(text, &Limits::default(), &mut build)
        .unwrap()
        .unwrap();
    assert_eq!(build.names, ["&x", "*x", "*x", "&y", "*y"]);
    assert_eq!(build.duplicates, ["k"]);
    assert_eq!(
        build.render(root),
        "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":{\"k\":3},\"d\":\"d\"}"
    );
}

#[test]
fn wide_maps_find_duplicates_too() {
    let mut text: String = (0..40).map(|i| format!("k{i}: {i}\n")).collect();
    text += "k7: x\n";
    let mut build = Canonical::default();
    yaml::parse(&text, &Limits::default(), &mut build).unwrap();
    assert_eq!(build.duplicates, ["k7"]);
}

#[test]
fn comments_stand_outside_of_scalars() {
    let text = "# one\na: b # two\nc: \"# no\"\nd: |  # three\n  # no\n  x\n# four\ne: f#no\n\
                g: [1, # five\n  2]\nh: 'x\n  # no'\n";
    let found: Vec<_> = comments(text).collect();
    assert_eq!(
        found,
        [
            (1, "# one"),
            (2, "# two"),
            (4, "# three"),
            (7, "# four"),
            (9, "# five")
        ]
    );
    assert_eq!(comments("a: b\n").count(), 0);
}

#[test]
fn lines_count_characters() {
    let lines = Lines::new("aä\r\n日b\n");
    let places: Vec<Place> = [0, 1, 3, 5, 8, 9, 10, 99].map(|at| lines.at(at)).into();
    let expected = [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
        (3, 1),
        (3, 1),
    ];
    assert_eq!(
        places,
        expected.map(|(line, column)| Place { line, column })
    );
    assert_eq!(lines.text(1), Some("aä"));
    assert_eq!(lines.text(2), Some("日b"));
    assert_eq!(lines.text(4), None);
}
