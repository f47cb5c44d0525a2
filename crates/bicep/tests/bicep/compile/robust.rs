//! Whatever the text, compiling it ends, soon, and costs only what is broken.

use std::time::{Duration, Instant};

use bicep::deployment::ProblemKind;
use bicep::source::{Source, Sources};
use bumpalo::Bump;
use serde_json::json;

use super::{Texts, compile_with};

#[test]
fn a_broken_statement_costs_only_itself() {
    let compiled = compile_with(
        "param a string
var b =
resource c 'My.Rp/c@2024-01-01' = {
  name: nothing
  properties: { x: 1, y: }
}
output d string = a
",
        &[],
    );
    assert!(compiled.kinds().contains(&ProblemKind::Syntax));
    assert!(compiled.messages().contains(&"nothing is called `nothing`"));
    assert_eq!(*compiled.at("/parameters/a"), json!({ "type": "string" }));
    assert_eq!(*compiled.at("/resources/0/properties/x"), 1);
    assert_eq!(*compiled.at("/outputs/d/value"), "[parameters('a')]");
}

#[test]
fn of_a_hopeless_file_the_first_problems_are_listed() {
    let compiled = compile_with(&"var a = (\n".repeat(5_000), &[]);
    let messages = compiled.messages();
    assert_eq!(messages.len(), 101);
    assert_eq!(
        messages.last(),
        Some(&"4900 more problems of this file are not listed")
    );
}

#[test]
fn circles_end() {
    for text in [
        "var a = b\nvar b = a\noutput o object = a\n",
        "resource r 'My.Rp/a@1' existing = { name: 'x' }\nvar a = { x: b, y: r.properties }\nvar b = { x: a }\noutput o object = b\n",
        "resource a 'My.Rp/a/b@1' = { name: 'a', parent: b }\nresource b 'My.Rp/a/b@1' = { name: 'b', parent: a }\n",
        "resource a 'My.Rp/a@1' = { name: 'a', scope: b }\nresource b 'My.Rp/a@1' = { name: 'b', scope: a }\n",
        "type a = b\ntype b = a\nparam p a.x\nparam q a | 'x'\n",
        "type a = { b: a? }\nparam p a\noutput o a = p\n",
        "import { x } from 'main.bicep'\n@export()\nvar x = 1\n",
    ] {
        compile_with(text, &[("main.bicep", text)]);
    }
    for text in [
        "resource a 'My.Rp/a@1' = { name: b.properties.x }\nresource b 'My.Rp/b@1' = { name: a.name }\n",
        "resource a 'My.Rp/a@1' = { name: a.id }\n",
        "module a 'a.bicep' = { name: a.outputs.x }\n",
    ] {
        let compiled = compile_with(text, &[("a.bicep", "output x string = 'x'\n")]);
        assert_eq!(
            compiled.kinds().first(),
            Some(&ProblemKind::Expression),
            "{text}"
        );
        assert!(
            compiled.messages().contains(&"this leads back to itself"),
            "{text}"
        );
    }
}

#[test]
fn variables_that_double_do_not_fill_the_memory() {
    let mut text =
        "resource r 'My.Rp/a@1' existing = { name: 'x' }\nvar a0 = r.properties\n".to_owned();
    for at in 1..60 {
        text.push_str(&format!("var a{at} = [a{0}, a{0}]\n", at - 1));
    }
    text.push_str("output o array = a59\n");
    let start = Instant::now();
    let compiled = compile_with(&text, &[]);
    assert!(start.elapsed() < Duration::from_secs(60));
    assert!(!compiled.problems.is_empty());
}

#[test]
fn modules_that_double_do_not_fill_the_memory() {
    let mut files = Vec::new();
    let filler = "x".repeat(100_000);
    for at in 0..20 {
        let next = at + 1;
        let text = format!(
            "module a 'm{next}.bicep' = {{ name: 'a' }}\nmodule b 'm{next}.bicep' = {{ name: 'b' }}\nvar c = '{filler}'\n"
        );
        files.push((format!("m{at}.bicep"), text));
    }
    files.push(("m20.bicep".to_owned(), "var a = 1\n".to_owned()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: "module a 'm0.bicep' = { name: 'a' }\n",
        published: false,
    });
    let (_, problems) = bicep::compile::compile(&bump, &mut sources, &Texts::with(&files), file);
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("too large"))
    );
}

#[test]
fn deep_nesting_ends() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{ a: ", " }"),
        ("!", ""),
        ("any(", ")"),
    ] {
        let text = format!("var x = {}1{}\n", open.repeat(190), close.repeat(190));
        compile_with(&text, &[]);
    }
    let mut text =
        "resource r 'My.Rp/a@1' existing = { name: 'x' }\nvar a0 = r.properties\n".to_owned();
    for at in 1..2000 {
        text.push_str(&format!("var a{at} = a{}.x\n", at - 1));
    }
    text.push_str("output o array = a1999\n");
    compile_with(&text, &[]);
}

#[test]
fn long_chains_end_soon() {
    const LONG: usize = 5000;
    let chain = |first: &str, each: &dyn Fn(usize) -> String, last: &str| {
        let mut text = first.to_owned();
        for at in 1..LONG {
            text.push_str(&each(at));
        }
        text + last
    };
    let resource = "resource r 'My.Rp/a@2024-01-01' = { name: 'r' }\n";
    let variable = |at: usize| format!("var v{at} = v{}\n", at - 1);
    let last = format!(
        "resource x 'My.Rp/a@2024-01-01' = {{ name: 'x', p: v{} }}\n",
        LONG - 1
    );
    for text in [
        chain(&format!("{resource}var v0 = r.id\n"), &variable, &last),
        chain(&format!("{resource}var v0 = r\n"), &variable, &last),
        chain(
            "var v0 = 'x.txt'\n",
            &variable,
            &format!("var w = loadTextContent(v{})\n", LONG - 1),
        ),
        chain(
            "var v0 = resourceGroup('x')\n",
            &variable,
            &format!(
                "module m 'm.bicep' = {{ name: 'm', scope: v{} }}\n",
                LONG - 1
            ),
        ),
        chain(
            "type t0 = 'x'\n",
            &|at| format!("type t{at} = t{} | 'y'\n", at - 1),
            "",
        ),
        chain(
            resource,
            &|at| {
                format!(
                    "resource r{at} 'My.Rp/a@2024-01-01' = {{ name: 'r{at}', dependsOn: [r] }}\n"
                )
            },
            "",
        ),
        chain(
            "resource e0 'My.Rp/a@2024-01-01' existing = { name: 'e' }\n",
            &|at| {
                format!(
                    "resource e{at} 'My.Rp/a@2024-01-01' existing = {{ name: 'e{at}', scope: e{} }}\n",
                    at - 1
                )
            },
            &last.replace('v', "e"),
        ),
    ] {
        let start = Instant::now();
        compile_with(&text, &[("m.bicep", "")]);
        assert!(start.elapsed() < Duration::from_secs(30), "{}", &text[..80]);
    }
}

const SEEDS: [&str; 4] = [
    "targetScope = 'subscription'
param n string[] = ['a']
@secure()
param s string?
var v = [for (x, i) in n: { a: '${x}-${i}', b: vs[i].id }]
var w = vs[0].properties.?x ?? s!
resource vs 'My.Rp/a@2024-01-01' = [for x in n: if (x != 'b') { name: x, properties: { v: w } }]
output o array = map(vs, z => z.id)
",
    "resource a 'My.Rp/a@2024-01-01' = {
  name: 'a'
  resource b 'b' existing = { name: 'b' }
  resource c 'c@2023-01-01' = [for i in range(0, 2): { name: 'c${i}', properties: b.properties }]
}
resource d 'My.Rp/d@2024-01-01' = { name: 'd', scope: a::b, dependsOn: [a, a::c] }
output e object = a::c[0].properties
",
    "import { t, f as g } from 'part.bicep'
import * as all from 'part.bicep'
@discriminator('k')
type u = { k: 'a', x: t[] } | { k: 'b', *: all.t }
param p (u | null)?
@batchSize(1)
module m 'part.bicep' = [for i in range(0, 3): { name: 'm${i}', scope: resourceGroup('x'), params: { q: g(p.k) } }]
output o string = m[1].?outputs.?r ?? all.f('x')
",
    "extension kubernetes with { namespace: 'x', kubeConfig: loadTextContent('part.bicep') }
resource k 'core/Pod@v1' = { metadata: { name: 'x' } }
func h(a int) string => a > 1 ? 'x' : string(-a)
metadata about = { by: 'me' }
assert ok = h(1) == '''x'''
output o object = { ...k, '${h(2)}': [for x in [1]: [...[x], null]] }
",
];

const PART: &str = "@export()\ntype t = { a: 'x' | 'y' }\n@export()\nfunc f(a string) string => v\nvar v = 'x'\nparam q string\noutput r string = q\n";

/// A generator that is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Words and signs of a text, with the white space before them.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in text.chars() {
        let joins = words.last().is_some_and(|last| {
            letter.is_alphanumeric() && last.chars().all(char::is_alphanumeric)
        });
        match words.last_mut() {
            Some(last) if joins => last.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

#[test]
fn changed_programs_compile_to_something() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let all: Vec<Vec<String>> = SEEDS.iter().map(|seed| words(seed)).collect();
    for round in 0..2000 {
        let mut text = all[round % all.len()].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            let other = &all[random.below(all.len())];
            match random.below(4) {
                0 => {
                    text.remove(at);
                }
                1 => text.insert(at, other[random.below(other.len())].clone()),
                2 => {
                    let to = random.below(text.len());
                    text.swap(at, to);
                }
                _ => text[at] = other[random.below(other.len())].clone(),
            }
        }
        let text = text.concat();
        compile_with(&text, &[("part.bicep", PART), ("main.bicep", &text)]);
    }
}
