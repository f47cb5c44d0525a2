//! The language by example: unknowns, open lists, errors, messages of the compiler.

use crate::tree::show;
use serde_json::{Value, json};

#[track_caller]
fn check(vars: &Value, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(show(source, vars), *expected, "{source}");
    }
}

#[test]
fn reads_fields_and_compares() {
    let vars = json!({"o": {"a": {"b": [1, 2, {"c": "x"}]}, "n": 3, "s": "text"}});
    check(
        &vars,
        &[
            ("o.a.b[2].c == 'x'", "true"),
            ("has(o.a.z)", "false"),
            ("has(o.n) && o.n >= 3.0", "true"),
            ("o.a.z", "error(no such key: `z`)"),
            ("o.?a.?z.orValue('none')", "\"none\""),
            ("o.a.b.exists(x, x == 2)", "true"),
            ("o.a.b[?9].hasValue()", "false"),
            ("o.s + '!'", "\"text!\""),
            ("'n' in o", "true"),
            ("o['n'] in [1, 2, 3]", "true"),
            ("1 / 0 == 1 || true", "true"),
            ("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
            ("o.filter(k, k != 's')", "[\"a\", \"n\"]"),
            ("{'a': 1}.transformMap(k, v, v + 1)", "{\"a\": 2}"),
        ],
    );
}
