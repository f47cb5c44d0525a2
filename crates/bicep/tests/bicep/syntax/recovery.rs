//! What is wrong costs as little as can be.

use bicep::source::FileId;
use bicep::syntax::{self, *};
use bumpalo::Bump;

use super::problems;

/// The names of the statements that could be read.
fn names(text: &str) -> Vec<String> {
    let bump = Bump::new();
    let (program, _) = syntax::parse(&bump, text, FileId(0));
    program
        .statements
        .iter()
        .map(|statement| match statement.kind {
            StatementKind::Parameter(it) => it.name.name.to_owned(),
            StatementKind::Variable(it) => it.name.name.to_owned(),
            StatementKind::Resource(it) => it.name.name.to_owned(),
            StatementKind::Module(it) => it.name.name.to_owned(),
            StatementKind::Output(it) => it.name.name.to_owned(),
            StatementKind::Skipped => "?".to_owned(),
            _ => "…".to_owned(),
        })
        .collect()
}

#[test]
fn a_wrong_statement_does_not_spoil_its_neighbours() {
    for (text, expected, count) in [
        ("param a string\nparm b int\nparam c int", "a ? c", 1),
        ("param a\nparam b int", "a b", 1),
        ("param = 1\nparam b int", " b", 1),
        ("var a = \nvar b = 1", "a b", 1),
        ("var a = (\nvar b = 1", "a b", 1),
        ("var a = f(1,\nvar b = 1", "a b", 1),
        ("var a = [\n  1\nvar b = 1", "a b", 1),
        ("var a = {\n  b: 1\n\nvar b = 1", "a b", 1),
        ("var a = 'x\nvar b = 1", "a b", 1),
        ("var a = '${x\nvar b = 1", "a b", 1),
        ("var a = \"x\"\nvar b = 1", "a b", 2),
        (
            "resource a 'b@1' = {\n  name: \n  x: 1 2\n}\nvar b = 1",
            "a b",
            2,
        ),
        (
            "resource a 'x/y@1' = {\n  name: 'x'\nresource b 'x/y@1' = {\n}",
            "a b",
            1,
        ),
        (
            "resource a 'x/y@1' = {\nresource b 'z' = {\n}\n}\nvar c = 1",
            "a c",
            0,
        ),
        ("@secure(\nparam a string\nvar b = 1", "a b", 1),
        ("@description('x')\n\n@secure()\n", "?", 1),
        ("}\nvar a = 1", "? a", 1),
        ("module a = {\n}\nvar b = 1", "a b", 1),
        ("output a string\nvar b = 1", "a b", 1),
        ("var a = [for x of y: x]\nvar b = 1", "a b", 1),
    ] {
        assert_eq!(names(text).join(" "), expected, "{text}");
        assert_eq!(problems(text).len(), count, "{text}: {:#?}", problems(text));
    }
}

#[test]
fn a_wrong_property_does_not_spoil_the_object() {
    let bump = Bump::new();
    let text = "resource a 'x/y@1' = {\n  name: 'a'\n  bad: = {\n    x: 1\n  }\n  : 1\n  \
                location: 'here'\n}\n";
    let (program, problems) = syntax::parse(&bump, text, FileId(0));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let StatementKind::Resource(resource) = program.statements[0].kind else {
        panic!("{program:#?}");
    };
    let body = resource.value.body().unwrap();
    assert_eq!(
        body.property("location").unwrap().value.as_str(),
        Some("here")
    );
    assert!(matches!(
        body.property("bad").unwrap().value.kind,
        ExpressionKind::Skipped
    ));
}

#[test]
fn problems_say_what_to_do() {
    let bump = Bump::new();
    let (_, problems) = syntax::parse(&bump, "var a = \"x\"\nvar b = '\\x'\n", FileId(0));
    let helps: Vec<_> = problems
        .iter()
        .map(|problem| problem.help.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        helps,
        [
            "write `'…'` instead of `\"…\"`",
            "write `'…'` instead of `\"…\"`",
            "there are `\\n`, `\\r`, `\\t`, `\\\\`, `\\'`, `\\${` and `\\u{…}`",
        ]
    );
}
