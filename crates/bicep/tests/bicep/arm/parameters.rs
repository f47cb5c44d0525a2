//! Parameters: files, types, constraints, case analysis.

use super::{lines, outcome, template};
use bicep::source::{NoFiles, Source};
use bicep::value::{Data, Value};
use bicep::{Assumption, Options};

const CLUSTER: &str = r#""parameters":{
"environment":{"type":"string","allowedValues":["dev","prod"]},
"size":{"type":"string"},"count":{"type":"int","defaultValue":3},"password":{"type":"secureString","defaultValue":"canary"}},
"variables":{"private":"[equals(parameters('environment'), 'prod')]","sizes":{"small":1,"large":3}},
"resources":[],"outputs":{
"private":{"type":"bool","value":"[variables('private')]"},
"nodes":{"type":"int","value":"[variables('sizes')[toLower(parameters('size'))]]"},
"is":{"type":"bool","value":"[equals(toLower(parameters('size')), 'huge')]"},
"count":{"type":"int","value":"[parameters('count')]"},
"password":{"type":"string","value":"[concat('p-', parameters('password'))]"}}"#;

/// The outcome with parameter files and values.
fn with(
    text: &str,
    files: &[&str],
    given: &[(&str, &str)],
    assume: &[(&str, &[&str], bool)],
) -> String {
    let literal = |text: &str| match text {
        "true" => Data::Bool(true),
        "null" => Data::Null,
        _ => text.parse::<i64>().map_or(Data::Str(""), Data::Int),
    };
    bicep::expand_text(
        "main.json",
        text,
        &NoFiles,
        |bump, sources| {
            let value = |text: &str| {
                let data = match literal(text) {
                    Data::Str(_) => Data::Str(bump.alloc_str(text)),
                    Data::Bool(bool) => Data::Bool(bool),
                    Data::Int(int) => Data::Int(int),
                    _ => Data::Null,
                };
                Value {
                    span: Default::default(),
                    data,
                }
            };
            let mut options = Options::default();
            for file in files {
                let text = bump.alloc_str(file);
                let id = sources.add(Source {
                    name: "p.json",
                    text,
                    published: false,
                });
                options
                    .parameter_files
                    .push(bicep::json::parse(bump, text, id).root);
            }
            for (name, text) in given {
                options.given.push((bump.alloc_str(name), value(text)));
            }
            for (name, texts, is) in assume {
                let values: Vec<_> = texts.iter().map(|text| value(text)).collect();
                let assumption = if *is {
                    Assumption::Is(values[0])
                } else {
                    Assumption::NoneOf(values)
                };
                options.assume.push((bump.alloc_str(name), assumption));
            }
            options
        },
        lines,
    )
}

#[test]
fn open_parameters_say_what_they_are_compared_with() {
    assert_eq!(
        outcome(&template(CLUSTER)),
        "private = <environment == 'prod'>\nnodes = <sizes[toLower(size)]>\n\
         is = <toLower(size) == 'huge'>\ncount = 3\npassword = !<p-{password}>\n\
         open environment allowed [\"dev\",\"prod\"] compared [\"prod\"]\n\
         open size allowed [] compared [\"small\",\"large\",\"huge\"]\n"
    );
}

#[test]
fn cases() {
    let text = template(CLUSTER);
    let found = with(
        &text,
        &[],
        &[],
        &[("environment", &["prod"], true), ("size", &["LARGE"], true)],
    );
    assert!(
        found.starts_with("private = true\nnodes = 3\nis = false\n"),
        "{found}"
    );
    let found = with(
        &text,
        &[],
        &[],
        &[
            ("environment", &["prod"], false),
            ("size", &["small", "huge"], false),
        ],
    );
    assert!(
        found.starts_with("private = false\nnodes = 3\nis = false\n"),
        "{found}"
    );
    let found = with(&text, &[], &[], &[("environment", &["dev"], false)]);
    assert!(found.starts_with("private = true\n"), "{found}");
}

#[test]
fn files_and_values() {
    let files = [
        r#"{"parameters":{"environment":{"value":"dev"},"size":{"value":"small"},"count":{"value":5}}}"#,
        r#"{"parameters":{"environment":{"value":"prod"},"password":{"reference":{"keyVault":{"id":"x"},"secretName":"s"}}}}"#,
    ];
    assert_eq!(
        with(&template(CLUSTER), &files, &[("count", "7")], &[]),
        "private = true\nnodes = 1\nis = false\ncount = 7\npassword = !<p-{password}>\n"
    );
    let found = with(
        &template(CLUSTER),
        &[r#"{"parameters":{"enviroment":{"value":1}}}"#],
        &[],
        &[],
    );
    assert!(
        found.contains("the template has no parameter `enviroment`"),
        "{found}"
    );
}

#[test]
fn secrets_of_files_do_not_flow_out() {
    let file = r#"{"parameters":{"password":{"value":"canary-secret"}}}"#;
    let found = with(
        &template(CLUSTER),
        &[file],
        &[("password", "canary-other")],
        &[],
    );
    assert!(!found.contains("canary"), "{found}");
    assert!(found.contains("password = !<p-{password}>"), "{found}");
}

/// What a type declares a secret within an object does not flow out either.
#[test]
fn secrets_within_objects_do_not_flow_out() {
    let text = template(
        r##""definitions":{"user":{"type":"object","properties":{"name":{"type":"string"},"password":{"type":"secureString"}}}},
"parameters":{"users":{"type":"array","items":{"$ref":"#/definitions/user"},"defaultValue":[{"name":"a","password":"canary-default"}]},
"whole":{"type":"secureObject"},"env":{"type":"string","allowedValues":["prod"]},"list":{"type":"array","allowedValues":["x","y"]}},
"resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
"parameters":{"p":{"value":"[concat('canary-', parameters('env'))]"}},"template":{"parameters":{"p":{"type":"secureString"}},"resources":[{"type":"A.B/c","apiVersion":"1","name":"x","properties":{"p":"[parameters('p')]"}}]}}}],
"outputs":{"users":{"type":"array","value":"[parameters('users')]"},"whole":{"type":"object","value":"[parameters('whole').a]"},
"list":{"type":"bool","value":"[equals(parameters('list'), createArray('x', 'y'))]"}}"##,
    );
    let found = with(
        &text,
        &[
            r#"{"parameters":{"users":{"value":[{"name":"b","password":"canary-file"}]},"whole":{"value":{"a":"canary-whole"}}}}"#,
        ],
        &[],
        &[],
    );
    for found in [outcome(&text), found] {
        assert!(!found.contains("canary"), "{found}");
        assert!(
            found.contains(r#""password":!<{users[0].password}>"#),
            "{found}"
        );
        assert!(found.contains("whole = !<whole.a>"), "{found}");
        assert!(found.contains("list = <list == ['x', 'y']>"), "{found}");
    }
}

#[test]
fn violated_declarations_are_problems() {
    let rows = [
        (
            r#"{"type":"string","allowedValues":["a","b"]}"#,
            "\"c\"",
            "it is none of 'a', 'b'",
        ),
        (r#"{"type":"string","allowedValues":["Aa"]}"#, "\"aA\"", ""),
        (
            r#"{"type":"string","minLength":3}"#,
            "\"ab\"",
            "its length is 2, the least is 3",
        ),
        (
            r#"{"type":"array","maxLength":1}"#,
            "[1,2]",
            "its length is 2, the most is 1",
        ),
        (r#"{"type":"int","minValue":1}"#, "0", "it is less than 1"),
        (
            r#"{"type":"int","maxValue":10}"#,
            "11",
            "it is more than 10",
        ),
        (
            r#"{"type":"int"}"#,
            "\"11\"",
            "a string where a whole number is expected",
        ),
        (r#"{"type":"array","allowedValues":[1,2,3]}"#, "[1,3]", ""),
        (
            r##"{"$ref":"#/definitions/pool"}"##,
            r#"{"name":"a"}"#,
            "the property `count` is missing",
        ),
        (
            r##"{"$ref":"#/definitions/pool"}"##,
            r#"{"name":"a","count":2}"#,
            "",
        ),
        (
            r##"{"$ref":"#/definitions/pool"}"##,
            r#"{"name":"a","count":2,"x":1}"#,
            "there is no property `x`",
        ),
        (
            r##"{"$ref":"#/definitions/pool"}"##,
            r#"{"name":"a","count":"2"}"#,
            "a string where a whole number is expected",
        ),
        (
            r##"{"$ref":"#/definitions/either"}"##,
            r#"{"kind":"b","x":1}"#,
            "",
        ),
        (
            r##"{"$ref":"#/definitions/either"}"##,
            r#"{"kind":"c"}"#,
            "`kind` is none of `a`, `b`",
        ),
        (
            r##"{"$ref":"#/definitions/either"}"##,
            r#"{"kind":"a","y":1}"#,
            "a number where a string is expected",
        ),
        (
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            r#"{"a":1}"#,
            "a number where a string is expected",
        ),
    ];
    for (declaration, value, expected) in rows {
        let text = template(&format!(
            r##""definitions":{{"pool":{{"type":"object","properties":{{"name":{{"type":"string"}},"count":{{"type":"int"}},"note":{{"type":"string","nullable":true}}}},"additionalProperties":false}},
"either":{{"type":"object","discriminator":{{"propertyName":"kind","mapping":{{"a":{{"type":"object","properties":{{"kind":{{"type":"string"}},"y":{{"type":"string"}}}}}},"b":{{"type":"object"}}}}}}}}}},
"parameters":{{"p":{declaration}}},"resources":[],"outputs":{{"o":{{"type":"object","value":"[parameters('p')]"}}}}"##
        ));
        let file = format!(r#"{{"parameters":{{"p":{{"value":{value}}}}}}}"#);
        let found = with(&text, &[&file], &[], &[]);
        let problem = found
            .split("is not allowed: ")
            .nth(1)
            .unwrap_or_default()
            .trim();
        assert_eq!(problem, expected, "{declaration} {value}\n{found}");
    }
}

#[test]
fn null_is_nothing() {
    let text = template(
        r#""resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
"parameters":{"a":{"value":null},"b":{"value":"[null()]"},"c":"[if(true(), createObject(), createObject('value', 1))]"},
"template":{"parameters":{"a":{"type":"string","defaultValue":"d"},"b":{"type":"string","nullable":true},"c":{"type":"int","defaultValue":4}},"resources":[],
"outputs":{"o":{"type":"array","value":"[createArray(parameters('a'), parameters('b'), parameters('c'))]"}}}}}],
"outputs":{"o":{"type":"array","value":"[reference('m').outputs.o.value]"}}"#,
    );
    assert_eq!(outcome(&text), "o = [\"d\",null,4]\n");
}

#[test]
fn an_open_condition_of_an_argument_chooses_between_values_and_the_default() {
    let text = template(
        r#""parameters":{"flag":{"type":"bool"}},"resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
"parameters":{"a":{"value":"[if(parameters('flag'), 'x', null())]"},"b":"[if(parameters('flag'), createObject('value', 5), createObject())]","c":{"value":"[if(parameters('flag'), 'same', null())]"},
"s":{"reference":{"keyVault":{"id":"/v"},"secretName":"n"}}},
"template":{"parameters":{"a":{"type":"string","defaultValue":"d"},"b":{"type":"int","defaultValue":4},"c":{"type":"string","defaultValue":"same"},"s":{"type":"secureString"}},"resources":[],
"outputs":{"o":{"type":"array","value":"[createArray(parameters('a'), parameters('b'), parameters('c'), parameters('s'))]"}}}}}],
"outputs":{"o":{"type":"array","value":"[reference('m').outputs.o.value]"}}"#,
    );
    let found = outcome(&text);
    assert!(
        found.starts_with(
            "o = [<{flag ? 'x' : 'd'}>,<flag ? 5 : 4>,\"same\",!<{getSecret('/v', 'n')}>]\n"
        ),
        "{found}"
    );
}

/// A parameter that is called like what it is deployed to is another thing.
#[test]
fn parameters_called_subscription_are_parameters() {
    let text = template(
        r#""parameters":{"subscription":{"type":"string","allowedValues":["a","b"]}},"resources":[],"outputs":{
"same":{"type":"bool","value":"[equals(parameters('subscription'), subscription().subscriptionId)]"},
"a":{"type":"bool","value":"[equals(parameters('subscription'), 'a')]"},
"c":{"type":"bool","value":"[equals(parameters('subscription'), 'c')]"}}"#,
    );
    assert_eq!(
        outcome(&text),
        "same = <parameters('subscription') == subscription>\na = <parameters('subscription') == 'a'>\nc = false\n\
         open subscription allowed [\"a\",\"b\"] compared [\"a\",\"c\"]\n"
    );
}

#[test]
fn a_loop_may_make_an_argument() {
    let text = template(
        r#""resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
"parameters":{"a":{"copy":[{"name":"value","count":2,"input":"[copyIndex('value')]"}]}},
"template":{"parameters":{"a":{"type":"array"}},"resources":[],"outputs":{"o":{"type":"array","value":"[parameters('a')]"}}}}}],
"outputs":{"o":{"type":"array","value":"[reference('m').outputs.o.value]"}}"#,
    );
    assert_eq!(outcome(&text), "o = [0,1]\n");
}

#[test]
fn a_module_without_a_needed_value_is_a_problem() {
    let text = template(
        r#""resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
"parameters":{"extra":{"value":1}},"template":{"parameters":{"a":{"type":"string"}},"resources":[{"type":"A.B/c","apiVersion":"1","name":"[parameters('a')]"}]}}}]"#,
    );
    let found = outcome(&text);
    assert!(
        found.contains("problem 2:41 the parameter `a` of the module has no value"),
        "{found}"
    );
    assert!(
        found.contains("problem 3:15 the module has no parameter `extra`"),
        "{found}"
    );
}

#[test]
fn a_value_that_is_refused_is_not_used() {
    let text = template(
        r#""parameters":{"n":{"type":"int","maxValue":5},"b":{"type":"bool"},"o":{"type":"object","properties":{"x":{"type":"int"},"y":{"type":"string"}}},
"p":{"type":"object","properties":{"x":{"type":"int"},"y":{"type":"string"}}}},
"resources":[],"outputs":{"n":{"type":"string","value":"[string(parameters('n'))]"},"b":{"type":"string","value":"[if(parameters('b'), 'on', 'off')]"},
"o":{"type":"object","value":"[parameters('o')]"},"y":{"type":"string","value":"[parameters('o').y]"},
"z":{"type":"string","value":"[concat(parameters('p').x, parameters('p').y)]"}}"#,
    );
    let file = r#"{"parameters":{"n":{"value":99},"b":{"value":"yes"},"o":{"value":{"x":"1","y":"a"}},"p":{"value":{"x":1}}}}"#;
    assert_eq!(
        with(&text, &[file], &[], &[]),
        "n = <{string(n)}>\nb = <{b ? 'on' : 'off'}>\no = {\"x\":<o.x>,\"y\":\"a\"}\ny = \"a\"\nz = <1{p.y}>\n\
         problem 1:29 the value of `n` is not allowed: it is more than 5\n\
         problem 1:46 the value of `b` is not allowed: a string where a boolean is expected\n\
         problem 1:71 the value of `o` is not allowed: a string where a whole number is expected\n\
         problem 1:98 the value of `p` is not allowed: the property `y` is missing\n"
    );
}

#[test]
fn values_are_not_quoted_where_they_are_refused() {
    let text = template(
        r#""parameters":{"adminPassword":{"type":"string","allowedValues":["canary-a"]},"sku":{"type":"string","allowedValues":["S","P"]},
"s":{"type":"secureString","minLength":50},"number":{"type":"string"},"kind":{"type":"object","discriminator":{"propertyName":"k","mapping":{"a":{"type":"object"}}}}},
"resources":[],"outputs":{"o":{"type":"array","value":"[createArray(parameters('adminPassword'), parameters('sku'), parameters('s'))]"},
"i":{"type":"int","value":"[int(parameters('number'))]"},"b":{"type":"bool","value":"[bool(parameters('number'))]"},"k":{"type":"object","value":"[parameters('kind')]"}}"#,
    );
    let file = r#"{"parameters":{"adminPassword":{"value":"canary-b"},"sku":{"value":"canary-c"},"s":{"value":"canary-d"},"number":{"value":"canary-e"},"kind":{"value":{"k":"canary-f"}}}}"#;
    let found = with(&text, &[file], &[], &[]);
    let said: Vec<_> = found
        .lines()
        .filter(|line| line.starts_with("problem"))
        .collect();
    assert_eq!(said.len(), 6, "{found}");
    assert!(said.iter().all(|line| !line.contains("canary")), "{found}");
    assert!(
        found.contains("the value of `sku` is not allowed: it is none of 'S', 'P'"),
        "{found}"
    );
}

#[test]
fn a_default_that_nobody_asks_for_may_compare() {
    let text = template(
        r#""parameters":{"a":{"type":"string"},"b":{"type":"bool","defaultValue":"[equals(parameters('a'), 'x')]"}},"resources":[]"#,
    );
    assert_eq!(outcome(&text), "open a allowed [] compared [\"x\"]\n");
}
