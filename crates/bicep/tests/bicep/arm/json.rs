//! JSON as Azure reads it, and the expression language's text.

use bicep::expression;
use bicep::json;
use bicep::node::{Node, NodeKind};
use bicep::source::FileId;
use bumpalo::Bump;

fn kinds(node: &Node<'_>, out: &mut String) {
    match node.kind {
        NodeKind::Null => out.push_str("null"),
        NodeKind::Bool(bool) => out.push_str(&bool.to_string()),
        NodeKind::Int(int) => out.push_str(&int.to_string()),
        NodeKind::Float(float) => out.push_str(&float.to_string()),
        NodeKind::Str(text) => out.push_str(&format!("{text:?}")),
        NodeKind::Expr(expr) => out.push_str(&expression::print(expr)),
        NodeKind::Array(items) => {
            out.push('(');
            for item in items {
                kinds(item, out);
                out.push(' ');
            }
            out.push(')');
        }
        NodeKind::Object(entries) => {
            out.push('{');
            for entry in entries {
                out.push_str(&format!("{}=", entry.key));
                kinds(&entry.value, out);
                out.push(' ');
            }
            out.push('}');
        }
    }
}

fn read(text: &str) -> String {
    let bump = Bump::new();
    let parsed = json::parse(&bump, text, FileId(0));
    let mut out = String::new();
    kinds(&parsed.root, &mut out);
    for problem in parsed.problems {
        out.push_str(&format!(" !{} {}", problem.span.start, problem.message));
    }
    out
}

#[test]
fn lenient_forms() {
    let rows = [
        ("\u{feff}{\"a\": 1,}", "{a=1 }"),
        (
            "// line\n{ /* block\n */ \"a\" : [1, 2.5, -3, 1e2, ], // end\n}",
            "{a=(1 2.5 -3 100 ) }",
        ),
        ("{\"a\": \"two\nlines\"}", "{a=\"two\\nlines\" }"),
        ("{'a': 'b'}", "{a=\"b\" }"),
        ("{\"a\": 1, \"A\": 2, \"a\": 3}", "{a=1 A=2 a=3 }"),
        (r#"["\u00e9\t\"\ud83d\ude00"]"#, "(\"é\\t\\\"😀\" )"),
        ("[true, false, null]", "(true false null )"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn mistakes_have_a_place_and_leave_what_was_read() {
    let rows = [
        ("{\"a\": 1", "{a=1 } !0 the object has no end"),
        (
            "{\"a\": 1 \"b\": 2}",
            "{a=1 } !8 `,` or `}` is expected here",
        ),
        ("{\"a\" 1}", "{} !5 `:` is expected after a key"),
        ("[1, x]", "(1 null ) !4 a value is expected here"),
        ("\"abc", "\"abc\" !0 the string has no end"),
        ("{} {}", "{} !3 there is text after the end of the JSON"),
        ("", "null !0 the text ends where a value is expected"),
        ("\"\\x\"", "\"\" !1 the escape is not one of JSON"),
        ("/* a", "null !0 the comment has no end"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(read(&deep).contains("lists and objects are nested too deeply"));
}

#[test]
fn what_is_an_expression() {
    let rows = [
        (r#""[parameters('x')]""#, "[parameters('x')]"),
        (r#""[[parameters('x')]""#, r#""[parameters('x')]""#),
        (r#""[not closed""#, r#""[not closed""#),
        (r#"" [x()]""#, r#"" [x()]""#),
        (
            r#""[ Concat ( 'a' , 'it''s', -3 ) ]""#,
            "[Concat('a', 'it''s', -3)]",
        ),
        (r#""[a().b['c-d'][0].e]""#, "[a().b['c-d'][0].e]"),
        (r#""[ns.fn(1)]""#, "[ns.fn(1)]"),
        ("\"[concat(\n  'a',\n  'b')]\"", "[concat('a', 'b')]"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn mistakes_in_expressions_have_a_place() {
    let rows = [
        (r#""[a(]""#, "!4 a name is expected here"),
        (r#""[a('x]""#, "!4 the string has no end"),
        (r#""[a() b]""#, "!6 the expression should end here"),
        (
            r#""[a]""#,
            "!3 `(` is expected after the name of a function",
        ),
        (r#""[a(1 2)]""#, "!6 `,` or `)` is expected here"),
        (r#""[]""#, "!2 a name is expected here"),
    ];
    for (text, expected) in rows {
        let found = read(text);
        assert!(found.ends_with(expected), "{text}: {found}");
    }
    let deep = format!("\"[{}]\"", "a(".repeat(1000));
    assert!(read(&deep).contains("calls are nested too deeply"));
}

#[test]
fn spans_are_those_of_the_text() {
    let text = r#"{"a": "[concat('x', parameters('y').z)]"}"#;
    let bump = Bump::new();
    let parsed = json::parse(&bump, text, FileId(0));
    let entry = &parsed.root.entries()[0];
    let at = |span: bicep::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(entry.key_span), "\"a\"");
    assert_eq!(at(entry.value.span), "\"[concat('x', parameters('y').z)]\"");
    let NodeKind::Expr(expr) = entry.value.kind else {
        panic!()
    };
    assert_eq!(at(expr.span), "concat('x', parameters('y').z)");
    let bicep::node::ExprKind::Call { args, .. } = expr.kind else {
        panic!()
    };
    assert_eq!(at(args[0].span), "'x'");
    assert_eq!(at(args[1].span), "parameters('y').z");
}
