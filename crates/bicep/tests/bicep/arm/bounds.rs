//! Texts of a few lines that ask for more than a machine has: they are refused early, and it is
//! said once.

use super::{expand, problems, show, template};
use bicep::Options;
use bicep::source::{Files, Found, NoFiles, Source, Sources};
use bumpalo::Bump;

const EXHAUSTED: &str = "the template takes too much time or space to evaluate";

/// The problems of a template with variables, of which the last is put out; and that it took no
/// more memory than it may.
fn refused(variables: &[(&str, &str)]) -> Vec<String> {
    let list: Vec<_> = variables
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"[{value}]\""))
        .collect();
    let (last, _) = variables.last().unwrap();
    let text = template(&format!(
        r#""parameters":{{"flag":{{"type":"bool"}},"count":{{"type":"int"}}}},"variables":{{{}}},"resources":[],
"outputs":{{"o":{{"type":"array","value":"[variables('{last}')]"}}}}"#,
        list.join(",")
    ));
    let bump = Bump::new();
    let mut sources = Sources::default();
    let text: &str = bump.alloc_str(&text);
    let file = sources.add(Source {
        name: "main.json",
        text,
        published: false,
    });
    let parsed = bicep::json::parse(&bump, text, file);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let root = bump.alloc(parsed.root);
    let expansion = bicep::expand(&bump, &mut sources, &NoFiles, root, Options::default());
    assert!(bump.allocated_bytes() < 700 << 20);
    problems(&expansion, &sources)
        .iter()
        .map(|problem| problem.split_once(' ').unwrap().1.to_owned())
        .collect()
}

#[test]
fn a_string_that_would_be_too_long_is_not_made() {
    let bomb = [
        ("a", "'aaaaaaaaaaaaaaaa'"),
        ("b", "replace(variables('a'), 'a', variables('a'))"),
        ("c", "replace(variables('b'), 'a', variables('b'))"),
        ("d", "replace(variables('c'), 'a', variables('c'))"),
        ("e", "replace(variables('d'), 'a', variables('d'))"),
    ];
    assert_eq!(refused(&bomb), ["`replace`: the string is too long"]);
    let numbers = ("r", "range(0, 10000)");
    let big = (
        "big",
        "string(map(variables('r'), lambda('i', padLeft('', 300, 'x'))))",
    );
    let joined = (
        "j",
        "join(map(variables('r'), lambda('i', variables('big'))), ',')",
    );
    assert_eq!(refused(&[numbers, big, joined]), ["the string is too long"]);
    // One that is known in part.
    let open = ("o", "replace(variables('big'), 'x', newGuid())");
    assert_eq!(refused(&[numbers, big, open]), ["the string is too long"]);
}

#[test]
fn a_list_that_would_be_too_long_is_not_made() {
    let numbers = ("r", "range(0, 10000)");
    let message = "a list of 100000000 items is too long";
    let flat = (
        "f",
        "flatten(map(variables('r'), lambda('i', variables('r'))))",
    );
    assert_eq!(refused(&[numbers, flat]), [format!("`flatten`: {message}")]);
    let some = (
        "s",
        "flatten(map(range(0, 20), lambda('i', variables('r'))))",
    );
    let twice = (
        "t",
        "concat(variables('s'), variables('s'), variables('s'))",
    );
    assert_eq!(
        refused(&[numbers, some, twice]),
        ["`concat`: a list of 600000 items is too long"]
    );
}

#[test]
fn what_takes_too_long_is_given_up_and_said_once() {
    let numbers = ("r", "range(0, 10000)");
    let texts = (
        "t",
        "map(variables('r'), lambda('i', format('name-{0}', variables('i'))))",
    );
    let texts = (
        texts.0,
        &*texts.1.replace("variables('i')", "lambdaVariables('i')"),
    );
    let objects = (
        "o",
        "map(variables('r'), lambda('i', createObject(format('k{0}', lambdaVariables('i')), 1)))",
    );
    let rows: &[&[(&str, &str)]] = &[
        &[
            numbers,
            texts,
            (
                "x",
                "map(variables('r'), lambda('i', map(variables('r'), lambda('j', equals(variables('t'), concat(variables('t'), createArray(1)))))))",
            ),
        ],
        &[
            numbers,
            texts,
            (
                "x",
                "map(variables('r'), lambda('i', distinct(variables('t'))))",
            ),
        ],
        &[
            numbers,
            texts,
            (
                "x",
                "map(variables('r'), lambda('i', map(variables('r'), lambda('j', indexOf(string(variables('t')), 'z')))))",
            ),
        ],
        &[numbers, objects, ("x", "shallowMerge(variables('o'))")],
        // Values that are open have texts, and what they are compared with is noted.
        &[
            numbers,
            (
                "x",
                "map(variables('r'), lambda('i', if(parameters('flag'), variables('r'), 5)))",
            ),
        ],
        &[
            numbers,
            (
                "x",
                "map(variables('r'), lambda('i', filter(variables('r'), lambda('j', equals(lambdaVariables('j'), parameters('count'))))))",
            ),
        ],
        &[
            numbers,
            (
                "x",
                "map(variables('r'), lambda('i', padLeft('', 60000, 'a')))",
            ),
        ],
    ];
    for row in rows {
        let found = refused(row);
        assert_eq!(found, [EXHAUSTED], "{row:?}");
    }
}

/// Templates that link to one another twice, and that is the answer to any path.
struct Doubling;

impl Files for Doubling {
    fn file(&self, _from: &str, path: &str) -> Result<Found, String> {
        let level: u32 = path.trim_end_matches(".json").parse().unwrap();
        let link = |name: &str| {
            format!(
                r#"{{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"{name}",
"properties":{{"mode":"Incremental","templateLink":{{"relativePath":"{}.json"}}}}}}"#,
                level + 1
            )
        };
        let resources = match level {
            24 => r#"{"type":"A.B/c","apiVersion":"1","name":"x"}"#.to_owned(),
            _ => format!("{},{}", link("a"), link("b")),
        };
        Ok(Found {
            name: path.to_owned(),
            bytes: template(&format!(r#""resources":[{resources}]"#)).into_bytes(),
            published: false,
        })
    }

    fn module(&self, _from: &str, reference: &str) -> Result<Found, String> {
        Err(format!("`{reference}` is not in the cache"))
    }
}

#[test]
fn templates_that_double_with_every_level_are_given_up() {
    let text = String::from_utf8(Doubling.file("", "0.json").unwrap().bytes).unwrap();
    let found = bicep::expand_text(
        "0.json",
        &text,
        &Doubling,
        |_, _| Options::default(),
        |expansion, sources| {
            assert!(expansion.resources.len() < 4000);
            problems(expansion, sources)
        },
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("the template deploys more than 4000 others"),
        "{found:?}"
    );
}

#[test]
fn loops_within_loops_of_templates_are_given_up() {
    let inner = r#"{"$schema":"x","resources":[{"type":"A.B/c","apiVersion":"1","copy":{"name":"c","count":800},"name":"[copyIndex()]","properties":{"n":"[range(5, 800)[copyIndex()]]"}}]}"#;
    let text = template(&format!(
        r#""resources":[{{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","copy":{{"name":"m","count":800}},
"properties":{{"mode":"Incremental","expressionEvaluationOptions":{{"scope":"inner"}},"template":{inner}}}}}]"#
    ));
    expand(&text, |expansion, sources| {
        assert_eq!(expansion.resources.len(), 20_000);
        let last = expansion.resources.last().unwrap();
        assert_eq!(show(last.body.get("properties").unwrap()), r#"{"n":804}"#);
        let found = problems(expansion, sources);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with("the template makes more than 20000 resources"),
            "{found:?}"
        );
    });
}
