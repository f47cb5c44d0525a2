//! Parameters files: what they give, evaluated.

use bicep::deployment::ProblemKind;
use bicep::source::{Source, Sources};
use bicep::value::Why;
use bumpalo::Bump;
use serde_json::{Value, json};

use super::Texts;

/// The `parameters` of a file, the path of its template, and what went wrong.
fn parameters(text: &str, files: &[(&str, &str)]) -> (Value, Option<String>, Vec<ProblemKind>) {
    let bump = Bump::new();
    let files = Texts::with(files);
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicepparam",
        text: bump.alloc_str(text),
        published: false,
    });
    let made = bicep::compile::compile_parameters(&bump, &mut sources, bump.alloc(files), file);
    let root: Value = serde_json::from_str(&bicep::emit::emit(&made.root)).unwrap();
    let kinds = made.problems.iter().map(|problem| problem.kind).collect();
    (
        root["parameters"].clone(),
        made.using.map(str::to_owned),
        kinds,
    )
}

const MAIN: &str = "param a string\nparam b object = {}\nparam c array = []\n";

#[test]
fn expressions_are_evaluated() {
    let (given, using, problems) = parameters(
        "using 'main.bicep'
var prefix = toUpper('x')
var many = [for i in range(0, 2): '${prefix}${i}']
param a = '${prefix}-${length(many)}'
param b = { n: { m: a }, j: loadJsonContent('j.json').k }
param c = [for m in many: { m: m }]
",
        &[("main.bicep", MAIN), ("j.json", "{ \"k\": [1] }")],
    );
    assert_eq!(problems, []);
    assert_eq!(using.as_deref(), Some("main.bicep"));
    assert_eq!(
        given,
        json!({
            "a": { "value": "X-2" },
            "b": { "value": { "n": { "m": "X-2" }, "j": [1] } },
            "c": { "value": [{ "m": "X0" }, { "m": "X1" }] }
        })
    );
}

#[test]
fn what_only_the_machine_knows_stays_an_expression() {
    let (given, _, problems) = parameters(
        "using none
var who = readEnvironmentVariable('WHO', 'me')
param a = 'by-${who}'
param b = { x: who, y: 1 }
param c = az.getSecret('sub', 'rg', 'kv', 'name', '1')
",
        &[],
    );
    assert_eq!(problems, []);
    assert_eq!(
        given,
        json!({
            "a": { "value": "[format('by-{0}', readEnvironmentVariable('WHO', 'me'))]" },
            "b": { "value": { "x": "[readEnvironmentVariable('WHO', 'me')]", "y": 1 } },
            "c": { "reference": {
                "keyVault": { "id": "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv" },
                "secretName": "name",
                "secretVersion": "1"
            } }
        })
    );
}

#[test]
fn one_file_goes_on_from_another() {
    let (given, _, problems) = parameters(
        "using 'main.bicep'
extends 'base.bicepparam'
param b = { ...base.b, z: base.a }
",
        &[
            ("main.bicep", MAIN),
            (
                "base.bicepparam",
                "using none\nparam a = concat('a', 'b')\nparam b = { y: 1 }\nparam other = 1\n",
            ),
        ],
    );
    assert_eq!(problems, []);
    assert_eq!(
        given,
        json!({ "a": { "value": "ab" }, "b": { "value": { "y": 1, "z": "ab" } } })
    );
}

#[test]
fn files_that_are_not_there_are_said() {
    let (given, _, problems) = parameters(
        "using 'none.bicep'\nextends 'none.bicepparam'\nparam a = 1\n",
        &[],
    );
    assert_eq!(problems, [ProblemKind::Unresolved, ProblemKind::Unresolved]);
    assert_eq!(given, json!({ "a": { "value": 1 } }));
    let own = "using none\nextends 'main.bicepparam'\nparam a = 1\n";
    let (_, _, problems) = parameters(own, &[("main.bicepparam", own)]);
    assert_eq!(problems, [ProblemKind::Unresolved]);
}

#[test]
fn a_deployment_takes_them_as_they_are() {
    let bump = Bump::new();
    let files: &Texts = bump.alloc(Texts::with(&[(
        "main.bicep",
        "param a string\nparam b string\noutput o array = [a, b]\n",
    )]));
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicepparam",
        text: "using 'main.bicep'\nparam a = 'x'\nparam b = readEnvironmentVariable('B')\n",
        published: false,
    });
    let given = bicep::compile::compile_parameters(&bump, &mut sources, files, file);
    let (root, problems) =
        bicep::compile::compile(&bump, &mut sources, files, given.template.unwrap());
    assert!(problems.is_empty(), "{problems:?}");
    let expansion = bicep::expand(
        &bump,
        &mut sources,
        files,
        bump.alloc(root),
        bicep::Options::from(&given),
    );
    let (_, output) = expansion.outputs[0];
    assert_eq!(output.items()[0].as_str(), Some("x"));
    let place = sources.get(output.items()[0].span.file).unwrap();
    assert_eq!(place.name, "main.bicepparam");
    let open = output.items()[1].unknown().unwrap();
    assert_eq!(open.why, [Why::Parameter("b")], "{open:?}");
    let names: Vec<_> = expansion.open.iter().map(|open| open.name).collect();
    assert_eq!(names, ["b"]);
}
