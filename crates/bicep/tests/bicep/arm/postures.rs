//! One posture, said in every way the language allows: what counts is what is deployed.

use super::expand;
use bicep::value::Data;

/// A way to say that a cluster is private, or that it is not: `$` stands for `true` or `false`,
/// `!$` for the other.
const WAYS: &[(&str, &str)] = &[
    ("literal", r#""resources":[AKS($)]"#),
    (
        "default of a parameter",
        r#""parameters":{"p":{"type":"bool","defaultValue":$}},"resources":[AKS("[parameters('p')]")]"#,
    ),
    (
        "default that is an expression",
        r#""parameters":{"q":{"type":"bool","defaultValue":!$},"p":{"type":"bool","defaultValue":"[not(parameters('q'))]"}},"resources":[AKS("[parameters('p')]")]"#,
    ),
    (
        "condition",
        r#""resources":[AKS("[if(equals('$', 'true'), true(), false())]")]"#,
    ),
    ("negation", r#""resources":[AKS("[not(bool('!$'))]")]"#),
    (
        "object in a variable",
        r#""variables":{"cluster":{"api":{"private":$}}},"resources":[AKS("[variables('cluster').api.private]")]"#,
    ),
    (
        "map that is looked up",
        r#""parameters":{"env":{"type":"string","defaultValue":"e$"}},"variables":{"map":{"etrue":true,"efalse":false}},"resources":[AKS("[variables('map')[parameters('env')]]")]"#,
    ),
    (
        "list that is looked up",
        r#""variables":{"list":[!$,$]},"resources":[AKS("[last(variables('list'))]")]"#,
    ),
    (
        "union",
        r#""resources":[AKS("[union(createObject('x', createObject('y', bool('!$'))), createObject('x', createObject('y', bool('$')))).x.y]")]"#,
    ),
    (
        "shallow merge",
        r#""resources":[AKS("[shallowMerge(createArray(createObject('y', bool('!$')), createObject('y', bool('$')))).y]")]"#,
    ),
    (
        "coalesce",
        r#""parameters":{"p":{"type":"bool","nullable":true}},"resources":[AKS("[coalesce(parameters('p'), bool('$'))]")]"#,
    ),
    (
        "safe access",
        r#""variables":{"o":{"a":{}}},"resources":[AKS("[coalesce(tryGet(variables('o'), 'a', 'b'), bool('$'))]")]"#,
    ),
    (
        "loop over a variable",
        r#""variables":{"copy":[{"name":"v","count":2,"input":"[equals(equals(copyIndex('v'), 1), bool('$'))]"}]},"resources":[AKS("[variables('v')[1]]")]"#,
    ),
    (
        "filter",
        r#""variables":{"all":[{"n":"a","v":!$},{"n":"b","v":$}]},"resources":[AKS("[first(filter(variables('all'), lambda('x', equals(lambdaVariables('x').n, 'b')))).v]")]"#,
    ),
    (
        "map and reduce",
        r#""variables":{"all":["$","$"]},"resources":[AKS("[reduce(map(variables('all'), lambda('x', bool(lambdaVariables('x')))), true(), lambda('a', 'b', and(lambdaVariables('a'), lambdaVariables('b'))))]")]"#,
    ),
    (
        "list made an object",
        r#""variables":{"all":[{"n":"a","v":$}]},"resources":[AKS("[toObject(variables('all'), lambda('x', lambdaVariables('x').n), lambda('x', lambdaVariables('x').v)).a]")]"#,
    ),
    (
        "text that is JSON",
        r#""variables":{"text":"{\"private\": $}"},"resources":[AKS("[json(variables('text')).private]")]"#,
    ),
    (
        "function",
        r#""functions":[{"namespace":"f","members":{"is":{"parameters":[{"name":"x","type":"string"}],"output":{"type":"bool","value":"[equals(parameters('x'), 'true')]"}}}}],"resources":[AKS("[f.is('$')]")]"#,
    ),
    (
        "comparison",
        r#""parameters":{"n":{"type":"int","defaultValue":3}},"resources":[AKS("[if(bool('$'), greater(parameters('n'), 2), less(parameters('n'), 2))]")]"#,
    ),
    (
        "one of two resources",
        r#""parameters":{"p":{"type":"bool","defaultValue":$}},"resources":[WHEN("[parameters('p')]",AKS(true)),WHEN("[not(parameters('p'))]",AKS(false))]"#,
    ),
    (
        "properties as a whole",
        r#""variables":{"properties":{"apiServerAccessProfile":{"enablePrivateCluster":$}}},"resources":[{"type":"Microsoft.ContainerService/managedClusters","apiVersion":"2025-05-01","name":"a","properties":"[variables('properties')]"}]"#,
    ),
    (
        "loop over a property",
        r#""resources":[{"type":"Microsoft.ContainerService/managedClusters","apiVersion":"2025-05-01","name":"a","properties":{"apiServerAccessProfile":"[createObject('enablePrivateCluster', bool('$'))]","copy":[{"name":"agentPoolProfiles","count":2,"input":{"name":"[format('p{0}', copyIndex('agentPoolProfiles'))]"}}]}}]"#,
    ),
    (
        "loop over resources",
        r#""variables":{"all":[$]},"resources":[{"copy":{"name":"c","count":"[length(variables('all'))]"},"type":"Microsoft.ContainerService/managedClusters","apiVersion":"2025-05-01","name":"[format('a{0}', copyIndex())]","properties":{"apiServerAccessProfile":{"enablePrivateCluster":"[variables('all')[copyIndex()]]"}}}]"#,
    ),
    (
        "symbolic names",
        r#""languageVersion":"2.0","resources":{"aks":AKS($)}"#,
    ),
    (
        "argument of a module",
        r#""resources":[MODULE("inner",$,"parameters":{"p":{"type":"bool"}},"resources":[AKS("[parameters('p')]")])]"#,
    ),
    (
        "argument that falls back",
        r#""resources":[MODULE("inner",null,"parameters":{"p":{"type":"bool","defaultValue":$}},"resources":[AKS("[parameters('p')]")])]"#,
    ),
    (
        "outer values in a nested template",
        r#""parameters":{"p":{"type":"bool","defaultValue":$}},"resources":[MODULE("outer",null,"resources":[AKS("[parameters('p')]")])]"#,
    ),
    (
        "output of a module",
        r#""languageVersion":"2.0","resources":{"m":MODULE("inner",$,"parameters":{"p":{"type":"bool"}},"resources":[],"outputs":{"o":{"type":"bool","value":"[not(not(parameters('p')))]"}}),"aks":AKS("[reference('m').outputs.o.value]")}"#,
    ),
    (
        "property of another resource",
        r#""languageVersion":"2.0","resources":{"other":{"type":"A.B/c","apiVersion":"1","name":"o","properties":{"x":[$]}},"aks":AKS("[reference('other').x[0]]")}"#,
    ),
    (
        "modules in a loop",
        r#""languageVersion":"2.0","resources":{"m":{"copy":{"name":"m","count":1},"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"[format('m{0}', copyIndex())]","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"parameters":{"p":{"value":"[equals(equals(copyIndex(), 0), bool('$'))]"}},"template":{"parameters":{"p":{"type":"bool"}},"resources":[AKS("[parameters('p')]")]}}}}"#,
    ),
];

/// Replaces the short forms by what they stand for.
fn written(way: &str, private: bool) -> String {
    let value = private.to_string();
    let other = (!private).to_string();
    let mut text = way.replace("!$", &other).replace('$', &value);
    while let Some(at) = text.find("MODULE(") {
        let open = at + "MODULE(".len();
        let close = closing(&text, open);
        let inner = text[open..close].to_owned();
        let mut parts = inner.splitn(3, ',');
        let (scope, argument, rest) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let module = format!(
            r#"{{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","properties":{{"mode":"Incremental","expressionEvaluationOptions":{{"scope":{scope}}},"parameters":{{"p":{{"value":{argument}}}}},"template":{{{rest}}}}}}}"#
        );
        text.replace_range(at..=close, &module);
    }
    while let Some(at) = text.find("AKS(") {
        let open = at + "AKS(".len();
        let close = closing(&text, open);
        let argument = text[open..close].to_owned();
        let cluster = format!(
            r#"{{"type":"Microsoft.ContainerService/managedClusters","apiVersion":"2025-05-01","name":"a","properties":{{"apiServerAccessProfile":{{"enablePrivateCluster":{argument}}}}}}}"#
        );
        text.replace_range(at..=close, &cluster);
    }
    while let Some(at) = text.find("WHEN(") {
        let open = at + "WHEN(".len();
        let close = closing(&text, open);
        let inner = text[open..close].to_owned();
        let (condition, resource) = inner.split_once(",{").unwrap();
        text.replace_range(
            at..=close,
            &format!(r#"{{"condition":{condition},{resource}"#),
        );
    }
    super::template(&text)
}

/// Where the parenthesis closes that was opened before a place.
fn closing(text: &str, from: usize) -> usize {
    let mut depth = 1;
    for (at, char) in text[from..].char_indices() {
        depth += match char {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return from + at;
        }
    }
    panic!("{text}");
}

#[test]
fn every_way_to_say_it_is_understood() {
    let mut wrong = Vec::new();
    for (name, way) in WAYS {
        for private in [true, false] {
            let text = written(way, private);
            expand(&text, |expansion, sources| {
                let problems = super::problems(expansion, sources);
                let clusters: Vec<_> = expansion
                    .resources
                    .iter()
                    .filter(|one| one.kind == "Microsoft.ContainerService/managedClusters")
                    .map(|one| {
                        assert!(one.condition.is_none(), "{name}");
                        let profile = one.body.get("properties").unwrap();
                        let profile = profile.get("apiServerAccessProfile").unwrap();
                        match profile.get("enablePrivateCluster").unwrap().data {
                            Data::Bool(bool) => Some(bool),
                            _ => None,
                        }
                    })
                    .collect();
                if clusters != [Some(private)] || !problems.is_empty() {
                    wrong.push(format!(
                        "{name}, {private}: {clusters:?} {problems:?}\n{text}"
                    ));
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
