//! One mistake, one problem: what uses something that is wrong says nothing more, neither when it
//! is compiled nor when it is evaluated.

use super::Texts;
use bicep::Options;
use bicep::source::{Source, Sources};
use bumpalo::Bump;

/// The problems of a file that is compiled and evaluated, as `line:column message`.
fn said(text: &str) -> Vec<String> {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: bump.alloc_str(text),
        published: false,
    });
    let files = Texts::with(&[]);
    let (node, mut problems) = bicep::compile::compile(&bump, &mut sources, &files, file);
    let root = bump.alloc(node);
    let files = bump.alloc(files);
    let expansion = bicep::expand(&bump, &mut sources, files, root, Options::default());
    problems.extend(expansion.problems);
    problems
        .iter()
        .map(|problem| {
            let (line, column) = sources.line_column(problem.span);
            format!("{line}:{column} {}", problem.message)
        })
        .collect()
}

#[test]
fn what_uses_an_unknown_name_says_nothing_more() {
    let text =
        "resource s 'A.B/c@2020-01-01' = { name: 'x', location: foo.bar, tags: { y: '${foo}-x' } }
output o string = s.location
";
    assert_eq!(
        said(text),
        [
            "1:56 nothing is called `foo`",
            "1:79 nothing is called `foo`"
        ]
    );
}

#[test]
fn a_default_that_cannot_be_read_is_not_refused_too() {
    assert_eq!(
        said("param x string = 'a\noutput o string = x\n"),
        ["1:18 this string does not end on its line"]
    );
}

#[test]
fn circles_of_variables_and_names_are_said_where_they_are() {
    let text = "var a = b
var b = c
var c = a
param p string = q
param q string = p
resource s 'A.B/c@2020-01-01' = { name: t.name }
resource t 'A.B/c@2020-01-01' = { name: s.name }
output o string = a
";
    assert_eq!(
        said(text),
        [
            "6:41 this leads back to itself",
            "7:41 this leads back to itself",
            "3:9 the variable `a` leads back to itself",
            "5:18 the parameter `p` leads back to itself",
        ]
    );
}

#[test]
fn a_module_that_is_not_found_is_said_once() {
    let text = "module m 'missing.bicep' = { name: 'm' }\noutput o string = m.outputs.x\n";
    assert_eq!(
        said(text),
        ["1:10 `missing.bicep` was not found: there is none"]
    );
}

#[test]
fn what_is_wrong_is_said_where_it_stands_and_not_where_it_is_used() {
    let text = "var a = flatten(1)
resource s 'A.B/c@2020-01-01' = { name: 'x', tags: { a: a, b: a } }
output o array = a
";
    let found = said(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("1:9 `flatten`"), "{found:?}");
}

#[test]
fn a_type_of_a_property_that_is_not_at_hand_is_no_mistake() {
    let text = "param mode resourceInput<'Microsoft.Network/virtualNetworks@2024-05-01'>.properties.dhcpOptions?\n\
                resource net 'Microsoft.Network/virtualNetworks@2024-05-01' = {\n  name: 'n'\n  properties: { dhcpOptions: mode }\n}\n";
    let found = said(text);
    assert!(found.is_empty(), "{found:?}");
}
