//! Whatever a template says, evaluating it ends and gives the same answer twice.

use super::outcome;

/// A generator of numbers that is the same on every machine (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

const TEMPLATE: &str = r##"{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","languageVersion":"2.0",
"definitions":{"pool":{"type":"object","properties":{"name":{"type":"string"},"count":{"type":"int","nullable":true}}}},
"functions":[{"namespace":"f","members":{"g":{"parameters":[{"name":"x","type":"string"}],"output":{"type":"string","value":"[concat('<', parameters('x'), '>')]"}}}}],
"parameters":{"name":{"type":"string"},"flag":{"type":"bool"},"pools":{"type":"array","items":{"$ref":"#/definitions/pool"},"defaultValue":[{"name":"a","count":2},{"name":"b"}]},
"secret":{"type":"secureString"}},
"variables":{"names":"[map(parameters('pools'), lambda('p', toLower(lambdaVariables('p').name)))]","copy":[{"name":"squares","count":3,"input":"[mul(copyIndex('squares'), copyIndex('squares'))]"}],
"map":{"a":1,"b":[1,2,3]},"range":"[cidrSubnet('10.0.0.0/16', 24, length(variables('names')))]"},
"resources":{
"one":{"condition":"[parameters('flag')]","type":"Microsoft.Network/virtualNetworks","apiVersion":"2024-05-01","name":"[format('{0}-vnet', parameters('name'))]","properties":{"subnets":[{"name":"s","properties":{"addressPrefix":"[variables('range')]"}}]}},
"many":{"copy":{"name":"many","count":"[length(parameters('pools'))]"},"type":"A.B/c/d","apiVersion":"1","name":"[concat(parameters('name'), '/', parameters('pools')[copyIndex()].name)]","properties":{"copy":[{"name":"x","count":2,"input":"[add(copyIndex('x'), copyIndex())]"}],"n":"[tryGet(parameters('pools')[copyIndex()], 'count')]"}},
"mod":{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"mod","resourceGroup":"[parameters('name')]","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"parameters":{"id":{"value":"[reference('one').subnets[0].id]"}},
"template":{"parameters":{"id":{"type":"string"},"other":{"type":"int","defaultValue":5}},"resources":[{"type":"A.B/e","apiVersion":"1","name":"[last(split(parameters('id'), '/'))]","properties":{"g":"[resourceGroup().name]","h":"[uniqueString(parameters('id'))]"}}],"outputs":{"o":{"type":"string","value":"[parameters('id')]"}}}}}},
"outputs":{"a":{"type":"string","value":"[f.g(reference('mod').outputs.o.value)]"},"b":{"type":"array","value":"[sort(variables('names'), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))]"},
"c":{"type":"object","value":"[union(variables('map'), if(parameters('flag'), createObject('c', parameters('secret')), createObject()))]"},"d":{"type":"string","value":"[dateTimeAdd('2024-01-01T00:00:00Z', 'P1D')]"}}}"##;

const PIECES: [&str; 38] = [
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ":",
    ".",
    "null",
    "true",
    "-1",
    "0",
    "99999999999",
    "1.5",
    "'x'",
    "[parameters('pools')]",
    "parameters('flag')",
    "parameters('secret')",
    "variables('map')",
    "copyIndex()",
    "createArray(1, 'a')",
    "createObject('k', 2)",
    "reference('one')",
    "reference('mod')",
    "resourceGroup()",
    "length(",
    "split(",
    "format('{0:N2}{1}', ",
    "substring(",
    "range(0, 9999)",
    "if(parameters('flag'), 1, 2)",
    "json('[1]')",
    "\u{e9}\u{1f600}",
    "parameters('name')",
    "/",
];

/// The template with a few places cut, repeated or replaced.
fn mutated(numbers: &mut Numbers) -> String {
    let mut text: Vec<char> = TEMPLATE.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(text.len());
        let end = (at + numbers.below(12)).min(text.len());
        match numbers.below(4) {
            0 => {
                text.drain(at..end);
            }
            1 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                text.splice(at..at, piece.chars());
            }
            2 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                text.splice(at..end, piece.chars());
            }
            _ => {
                let part: Vec<char> = text[at..end].to_vec();
                let to = numbers.below(text.len());
                text.splice(to..to, part);
            }
        }
    }
    text.into_iter().collect()
}

/// An argument of a function, by chance one that calls another function.
fn argument(numbers: &mut Numbers, names: &[&str], depth: usize) -> String {
    const LEAVES: [&str; 14] = [
        "'a'",
        "''",
        "0",
        "-1",
        "3",
        "true()",
        "null()",
        "createArray(1, 'b')",
        "createObject('k', 'v')",
        "parameters('prefix')",
        "parameters('list')",
        "parameters('config')",
        "parameters('password')",
        "'10.0.0.0/24'",
    ];
    if depth == 0 || numbers.below(3) > 0 {
        return LEAVES[numbers.below(LEAVES.len())].to_owned();
    }
    call(numbers, names, depth - 1)
}

fn call(numbers: &mut Numbers, names: &[&str], depth: usize) -> String {
    let name = names[numbers.below(names.len())];
    let mut args: Vec<String> = (0..numbers.below(4))
        .map(|_| argument(numbers, names, depth))
        .collect();
    if [
        "map",
        "filter",
        "sort",
        "reduce",
        "groupBy",
        "toObject",
        "mapValues",
    ]
    .contains(&name)
    {
        let body = argument(numbers, names, depth);
        args.truncate(if name == "reduce" { 2 } else { 1 });
        args.push(format!("lambda('x', 'y', {body})"));
    }
    format!("{name}({})", args.join(", "))
}

#[test]
fn the_template_itself_has_no_problem() {
    let found = outcome(TEMPLATE);
    assert!(!found.contains("problem"), "{found}");
}

#[test]
fn mutated_templates_are_evaluated() {
    let mut numbers = Numbers(0x5ea3_a11d);
    let mut read = 0;
    for _ in 0..4000 {
        let text = mutated(&mut numbers);
        let found = outcome(&text);
        read += usize::from(found.contains("A.B/e"));
    }
    // Most mutations leave something to evaluate, or this would test the JSON alone.
    assert!(read > 1000, "{read}");
}

#[test]
fn random_calls_are_evaluated() {
    let mut numbers = Numbers(0x00c0_ffee);
    let names = bicep::functions::names();
    let (mut values, mut errors) = (0, 0);
    for _ in 0..20_000 {
        let expression = call(&mut numbers, &names, 3);
        if super::eval(&expression).starts_with('!') {
            errors += 1
        } else {
            values += 1
        }
    }
    assert!(values > 1000 && errors > 1000, "{values} {errors}");
}

/// What was read is printed so that it is read and printed the same.
#[test]
fn expressions_are_printed_as_they_are_read() {
    use bicep::expression::{Place, parse, print};
    let mut numbers = Numbers(0xfeed);
    let names = bicep::functions::names();
    let mut read = 0;
    for _ in 0..20_000 {
        let mut text: Vec<char> = format!("[{}]", call(&mut numbers, &names, 3))
            .chars()
            .collect();
        for _ in 0..numbers.below(3) {
            let at = 1 + numbers.below(text.len() - 1);
            let pieces = [
                ".a",
                "['b-c']",
                "[0]",
                "''",
                "1.50",
                "-",
                " ",
                "\n",
                "ns.f(",
                ")",
                "99999999999999999999",
            ];
            text.splice(at..at, pieces[numbers.below(pieces.len())].chars());
        }
        let text: String = text.into_iter().collect();
        let bump = bumpalo::Bump::new();
        let place = Place::Whole(Default::default());
        let Ok(first) = parse(&bump, &text, place) else {
            continue;
        };
        read += 1;
        let printed = bump.alloc_str(&print(&first));
        let again = parse(&bump, printed, place)
            .unwrap_or_else(|problem| panic!("{text}\n{printed}\n{problem:?}"));
        assert_eq!(print(&again), *printed, "{text}");
    }
    assert!(read > 5000, "{read}");
}

#[test]
fn the_same_text_gives_the_same_answer() {
    assert_eq!(outcome(TEMPLATE), outcome(TEMPLATE));
}

/// Depth and size are bounded: what would not end is given up.
#[test]
fn hostile_templates_end() {
    let chain: Vec<_> = (0..5000)
        .map(|at| format!("\"v{at}\":\"[variables('v{}')]\"", at + 1))
        .collect();
    let text = super::template(&format!(
        r#""variables":{{{},"v5000":1}},"resources":[],"outputs":{{"o":{{"type":"int","value":"[variables('v0')]"}}}}"#,
        chain.join(",")
    ));
    assert!(outcome(&text).contains("leads through too many others"));

    // Modules that take what the next one gives.
    let module = |at: usize| {
        format!(
            r#""m{at}":{{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m{at}","properties":{{"mode":"Incremental","expressionEvaluationOptions":{{"scope":"inner"}},"parameters":{{"p":{{"value":"[reference('m{}').outputs.o.value]"}}}},"template":{{"parameters":{{"p":{{"type":"string"}}}},"resources":[],"outputs":{{"o":{{"type":"string","value":"[if(true(), map(createArray(parameters('p')), lambda('x', lambdaVariables('x')))[0], '')]"}}}}}}}}}}"#,
            at + 1
        )
    };
    let modules: Vec<_> = (0..1000).map(module).collect();
    let text = super::template(&format!(
        r#""languageVersion":"2.0","resources":{{{}}},"outputs":{{"o":{{"type":"string","value":"[reference('m0').outputs.o.value]"}}}}"#,
        modules.join(",")
    ));
    assert!(outcome(&text).contains("leads through too many others"));

    let mut nested = "1".to_owned();
    for depth in 0..6 {
        nested = format!("map(range(0, 1000), lambda('x{depth}', {nested}))");
    }
    let text = super::template(&format!(
        r#""resources":[],"outputs":{{"o":{{"type":"array","value":"[length({nested})]"}}}}"#
    ));
    assert!(outcome(&text).contains("too much"));

    let doubled: Vec<_> = (0..60)
        .map(|at| {
            format!(
                "\"v{at}\":\"[concat(variables('v{0}'), variables('v{0}'))]\"",
                at + 1
            )
        })
        .collect();
    let text = super::template(&format!(
        r#""variables":{{{},"v60":"x"}},"resources":[],"outputs":{{"o":{{"type":"string","value":"[variables('v0')]"}}}}"#,
        doubled.join(",")
    ));
    assert!(outcome(&text).contains("too long"));
}

/// Values share their parts: a few variables could make one that no memory holds when it is
/// written out, or that is too deep to walk through.
#[test]
fn values_stay_small_enough_to_be_written() {
    let variables = |form: &str| {
        let each: Vec<_> = (0..200)
            .map(|at| {
                format!(
                    "\"v{}\":\"[{}]\"",
                    at + 1,
                    form.replace("$", &format!("variables('v{at}')"))
                )
            })
            .collect();
        // From the first on, so that none leads through many others.
        let outputs: Vec<_> = (0..200)
            .map(|at| format!(r#""o{at}":{{"type":"array","value":"[variables('v{at}')]"}}"#))
            .collect();
        super::template(&format!(
            r#""variables":{{"v0":["x"],{}}},"resources":[{{"type":"A.B/c","apiVersion":"1","name":"n","properties":{{"list":"[variables('v0')]"}}}}],"outputs":{{{}}}"#,
            each.join(","),
            outputs.join(",")
        ))
    };
    for form in [
        "createArray($)",
        "createArray($, $)",
        "createObject('a', $, 'b', $)",
        "union(createObject('a', 1), createObject('b', $))",
    ] {
        let text = variables(form);
        let largest = super::expand(&text, |expansion, _| {
            let sizes = expansion
                .outputs
                .iter()
                .map(|(_, value)| super::show(value).len());
            assert!(
                expansion
                    .problems
                    .iter()
                    .any(|problem| problem.message.contains("too large or too deep"))
            );
            sizes.max().unwrap()
        });
        assert!(largest < 10_000_000, "{form}: {largest}");
    }
    let gathered = super::eval(
        "reduce(range(0, 5000), createArray(), lambda('sum', 'at', createArray(lambdaVariables('sum'))))",
    );
    assert!(gathered.contains("too large or too deep"), "{gathered}");
    let long = super::eval("length(string(map(range(0, 2000), lambda('x', range(0, 2000)))))");
    assert!(long.contains("too long"), "{long}");
}

/// A template that links to itself, twice.
struct Itself;

impl bicep::source::Files for Itself {
    fn file(&self, _from: &str, path: &str) -> Result<bicep::source::Found, String> {
        Ok(bicep::source::Found {
            name: path.to_owned(),
            bytes: LINKED.into(),
            published: false,
        })
    }

    fn module(&self, _from: &str, reference: &str) -> Result<bicep::source::Found, String> {
        Err(reference.to_owned())
    }
}

const LINKED: &str = r#"{"resources":[
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"[concat('a', 'b')]","properties":{"mode":"Incremental","templateLink":{"relativePath":"self.json"}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"[concat('a', 'c')]","properties":{"mode":"Incremental","templateLink":{"relativePath":"self.json"}}}]}"#;

#[test]
fn templates_that_link_to_themselves_end() {
    bicep::expand_text(
        "main.json",
        LINKED,
        &Itself,
        |_, _| bicep::Options::default(),
        |expansion, sources| {
            assert!(expansion.resources.is_empty());
            assert_eq!(
                super::problems(expansion, sources),
                [
                    "2:138 `self.json` links to itself",
                    "3:138 `self.json` links to itself"
                ]
            );
        },
    );
}
