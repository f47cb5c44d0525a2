//! Expressions.

use serde_json::json;

use super::{compile, compile_with};

/// The variable `x` of a text.
#[track_caller]
fn variable(text: &str) -> serde_json::Value {
    compile(text).at("/variables/x").clone()
}

#[test]
fn literals_stand_as_they_are() {
    assert_eq!(
        variable("var x = 'it''s'\n".replace("''", "\\'").as_str()),
        "it's"
    );
    assert_eq!(
        variable("var x = '\\u{D801}\\u{DC37}\\u{10437}'\n"),
        "\u{10437}\u{10437}"
    );
    assert_eq!(variable("var x = '\\u{D801}-'\n"), "\u{fffd}-");
    assert_eq!(variable("var x = -12\n"), -12);
    assert_eq!(variable("var x = 4000000000\n"), 4_000_000_000_i64);
    assert_eq!(
        variable("var x = [true, null, {a: 1}]\n"),
        json!([true, null, {"a": 1}])
    );
    assert_eq!(variable("var x = '''\na\n  b'''\n"), "a\n  b");
}

#[test]
fn what_looks_like_an_expression_is_escaped() {
    assert_eq!(variable("var x = '[a]'\n"), "[[a]");
    assert_eq!(variable("var x = '[a'\n"), "[a");
    assert_eq!(
        variable("var x = concat('[', 'it\\'s')\n"),
        "[concat('[', 'it''s')]"
    );
    assert_eq!(
        variable("param p string\nvar x = '[${p}]'\n"),
        "[format('[{0}]', parameters('p'))]"
    );
    assert_eq!(
        variable("param p string\nvar x = '{${p}}'\n"),
        "[format('{{{0}}}', parameters('p'))]"
    );
}

#[test]
fn operators_are_functions() {
    let p = "param p int\nparam s string\nparam o object\n";
    let x = |text: &str| variable(&format!("{p}var x = {text}\n"));
    assert_eq!(
        x("p + 1 * -p"),
        "[add(parameters('p'), mul(1, sub(0, parameters('p'))))]"
    );
    assert_eq!(
        x("s != 'a' && s =~ 'B'"),
        "[and(not(equals(parameters('s'), 'a')), equals(toLower(parameters('s')), toLower('B')))]"
    );
    assert_eq!(
        x("p > 2 ? 'a' : null"),
        "[if(greater(parameters('p'), 2), 'a', null())]"
    );
    assert_eq!(
        x("p == 3000000000"),
        "[equals(parameters('p'), json('3000000000'))]"
    );
    assert_eq!(x("o.?a.b[0]"), "[tryGet(parameters('o'), 'a', 'b', 0)]");
    assert_eq!(x("(o.?a).b"), "[tryGet(parameters('o'), 'a').b]");
    assert_eq!(x("o['a-b'].c"), "[parameters('o')['a-b'].c]");
    assert_eq!(x("o.a[^1]"), "[indexFromEnd(parameters('o').a, 1)]");
    assert_eq!(
        x("o[?s] ?? []"),
        "[coalesce(tryGet(parameters('o'), parameters('s')), createArray())]"
    );
    assert_eq!(x("o!.a!"), "[parameters('o').a]");
    assert_eq!(x("sys.any(s)"), "[parameters('s')]");
    assert_eq!(x("nameof(o.a)"), "a");
    assert_eq!(
        x("map([1], (i, n) => i + n)"),
        "[map(createArray(1), lambda('i', 'n', add(lambdaVariables('i'), lambdaVariables('n'))))]"
    );
}

#[test]
fn spreads_merge() {
    let p = "param a array\nparam o object\n";
    let x = |text: &str| variable(&format!("{p}var x = {text}\n"));
    assert_eq!(
        x("[1, ...a, 2]"),
        "[flatten(createArray(createArray(1), parameters('a'), createArray(2)))]"
    );
    assert_eq!(
        x("{ ...o, b: 1 }"),
        "[shallowMerge(createArray(parameters('o'), createObject('b', 1)))]"
    );
}

#[test]
fn loops_are_copies() {
    let compiled = compile(
        "param n array
var x = [for (a, i) in n: '${a}${i}']
var y = { p: [for b in n: { q: [for c in b: [c]] }], copy: 1 }
output o array = [for d in n: d]
",
    );
    assert_eq!(
        *compiled.at("/variables"),
        json!({
            "copy": [{
                "name": "x",
                "count": "[length(parameters('n'))]",
                "input": "[format('{0}{1}', parameters('n')[copyIndex('x')], copyIndex('x'))]"
            }],
            "y": {
                "copy": [{
                    "name": "p",
                    "count": "[length(parameters('n'))]",
                    "input": { "copy": [{
                        "name": "q",
                        "count": "[length(parameters('n')[copyIndex('p')])]",
                        "input": "[createArray(parameters('n')[copyIndex('p')][copyIndex('q')])]"
                    }] }
                }],
                "[string('copy')]": 1
            }
        })
    );
    assert_eq!(
        *compiled.at("/outputs/o/copy"),
        json!({ "count": "[length(parameters('n'))]", "input": "[parameters('n')[copyIndex()]]" })
    );
}

#[test]
fn keys_may_be_computed() {
    assert_eq!(
        variable("param p string\nvar x = { '${p}-a': 1, 'b c': 2 }\n"),
        json!({ "[format('{0}-a', parameters('p'))]": 1, "b c": 2 })
    );
}

#[test]
fn functions_are_members_of_a_namespace() {
    let compiled = compile(
        "@export()\n@description('says it')\nfunc hi(name string) string => 'hi ${name}'\nvar x = hi('you')\n",
    );
    assert_eq!(
        *compiled.at("/functions"),
        json!([{ "namespace": "__bicep", "members": { "hi": {
            "parameters": [{ "type": "string", "name": "name" }],
            "output": { "type": "string", "value": "[format('hi {0}', parameters('name'))]" },
            "metadata": { "description": "says it", "__bicep_export!": true }
        } } }])
    );
    assert_eq!(*compiled.at("/variables/x"), "[__bicep.hi('you')]");
    assert_eq!(*compiled.at("/languageVersion"), "2.0");
}

#[test]
fn variables_that_read_resources_are_written_out() {
    let compiled = compile(
        "resource a 'My.Rp/a@2024-01-01' = { name: 'a' }
var id = a.id
var p = a.properties.x
var q = { r: p }
output o object = { id: id, q: q }
",
    );
    assert_eq!(
        *compiled.at("/variables"),
        json!({ "id": "[resourceId('My.Rp/a', 'a')]" })
    );
    assert_eq!(
        *compiled.at("/outputs/o/value"),
        json!({ "id": "[variables('id')]", "q": { "r": "[reference(resourceId('My.Rp/a', 'a'), '2024-01-01').x]" } })
    );
}

#[test]
fn files_are_loaded() {
    let files = [
        ("a.txt", "text\n"),
        ("b.json", r#"{ "k": { "l": ["[x]", 1.5, "[[y]"] } }"#),
        ("c.yaml", "k:\n  - 1\n  - on\n"),
    ];
    let compiled = compile_with(
        "var direct = loadTextContent('a.txt')
var indirect = { t: loadTextContent('a.txt'), b: loadFileAsBase64('a.txt') }
var j = loadJsonContent('b.json', '$.k.l')
var y = loadYamlContent('c.yaml').k[0]
",
        &files,
    );
    assert_eq!(compiled.messages(), [""; 0]);
    assert_eq!(
        *compiled.at("/variables"),
        json!({
            "$fxv#0": "text\n",
            "$fxv#1": "dGV4dAo=",
            "$fxv#2": ["[[x]", "[json('1.5')]", "[[[y]"],
            "$fxv#3": { "k": [1, true] },
            "direct": "text\n",
            "indirect": { "t": "[variables('$fxv#0')]", "b": "[variables('$fxv#1')]" },
            "j": "[variables('$fxv#2')]",
            "y": "[variables('$fxv#3').k[0]]"
        })
    );
}

#[test]
fn paths_select_parts_of_json() {
    let file = r#"{ "a": [{ "n": "x", "p": 1 }, { "n": "y", "p": 5 }, { "n": "z", "p": 7 }], "b": { "n": "w" } }"#;
    let select = |path: &str| {
        let text = format!("var x = loadJsonContent('f.json', '{path}')\n");
        let compiled = compile_with(&text, &[("f.json", file)]);
        let found = compiled.template.pointer("/variables/$fxv#0").cloned();
        (found, compiled.problems.len())
    };
    let some = |value| (Some(value), 0);
    assert_eq!(select("$.a[1].n"), some(json!("y")));
    assert_eq!(select(".a[*].n"), some(json!(["x", "y", "z"])));
    assert_eq!(select("$[\\'b\\'].n"), some(json!("w")));
    assert_eq!(select(".a[?(@.p > 3)].n"), some(json!(["y", "z"])));
    assert_eq!(select(".a[?(@.n == \\'x\\')].p"), some(json!(1)));
    assert_eq!(select("$..n"), some(json!(["x", "y", "z", "w"])));
    assert_eq!(select("$.none"), (None, 1));
}

#[test]
fn folders_are_listed() {
    let files = [
        ("d/b.txt", ""),
        ("d/A.txt", ""),
        ("d/c", ""),
        ("e/f.txt", ""),
    ];
    let compiled = compile_with(
        "var x = loadDirectoryFileInfo('d', '?.t*')\nvar y = loadDirectoryFileInfo('d')\n",
        &files,
    );
    let info = |path: &str, name: &str, extension: &str| json!({ "relativePath": path, "baseName": name, "extension": extension });
    let texts = [
        info("d/A.txt", "A.txt", ".txt"),
        info("d/b.txt", "b.txt", ".txt"),
    ];
    assert_eq!(*compiled.at("/variables/$fxv#0"), json!(texts));
    assert_eq!(compiled.at("/variables/$fxv#1/2"), &info("d/c", "c", ""));
}
