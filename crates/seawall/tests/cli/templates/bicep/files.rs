//! Ways that take several files: imports, loaded data, modules, parameter files.

use super::super::posture::{Files, Property, Twin, Way, bicep, each, json, map, parameter_file};
use super::{bad, entries, from, good, key, object, other, parameters, variables};

pub(super) const SHARED: &[Way] = &[
    ("imported variable", |t| {
        let shared = format!(
            "@export()\nvar posture = {{\n{}}}\n",
            entries(|p| t.bicep(p))
        );
        Files::main("import { posture } from 'shared.bicep'\n".to_owned() + &from("posture."))
            .and("shared.bicep", shared)
    }),
    ("imported variable under another name", |t| {
        let shared = each(|p| format!("@export()\nvar {} = {}", p.key, t.bicep(p)));
        let import = format!(
            "import {{\n{}}} from './folder/shared.bicep'\n",
            each(|p| format!("  {0} as my_{0}", p.key))
        );
        Files::main(import + &from("my_")).and("folder/shared.bicep", shared)
    }),
    ("imported file", |t| {
        let shared = each(|p| format!("@export()\nvar {} = {}", p.key, t.bicep(p)));
        Files::main("import * as shared from 'shared.bicep'\n".to_owned() + &from("shared."))
            .and("shared.bicep", shared)
    }),
    ("imported variable that hangs on another", |t| {
        let shared = object("inner", |p| t.bicep(p)) + "@export()\nvar posture = inner\n";
        Files::main("import { posture } from 'shared.bicep'\n".to_owned() + &from("posture."))
            .and("shared.bicep", shared)
    }),
    ("imported function", |t| {
        let shared =
            "@export()\nfunc choose(strict bool, yes array, no array) array => strict ? yes : no\n";
        let strict = t.pick("true", "false");
        Files::main(
            "import { choose } from 'shared.bicep'\n".to_owned()
                + &bicep(|p| format!("choose({strict}, [{}], [{}])[0]", good(p), bad(p))),
        )
        .and("shared.bicep", shared)
    }),
    ("loaded JSON", |t| {
        let data = posture_data(t, "", "");
        Files::main("var posture = loadJsonContent('data.json')\n".to_owned() + &from("posture."))
            .and("data.json", data)
    }),
    ("loaded part of JSON", |t| {
        let data = posture_data(t, "{\"deep\": ", "}");
        Files::main(
            "var posture = loadJsonContent('data.json', 'deep')\n".to_owned() + &from("posture."),
        )
        .and("data.json", data)
    }),
    ("loaded YAML", |t| {
        let data = each(|p| format!("{}: {}", p.key, t.json(p)));
        Files::main("var posture = loadYamlContent('data.yaml')\n".to_owned() + &from("posture."))
            .and("data.yaml", data)
    }),
];

fn posture_data(t: Twin, open: &str, close: &str) -> String {
    format!("{open}{}{close}\n", map(|p| t.json(p)))
}

/// A file that takes the posture as parameters.
fn taking() -> String {
    each(|p| format!("param {} {}", p.key, p.ty)) + &bicep(key)
}

fn module(path: &str, value: impl Fn(&Property) -> String) -> String {
    format!(
        "module inner '{path}' = {{\n  name: 'inner'\n  params: {{\n{}  }}\n}}\n",
        entries(value)
    )
}

pub(super) const MODULES: &[Way] = &[
    ("argument of a module", |t| {
        Files::main(module("inner.bicep", |p| t.bicep(p))).and("inner.bicep", taking())
    }),
    ("default of a module", |t| {
        Files::main("module inner 'inner.bicep' = {\n  name: 'inner'\n}\n")
            .and("inner.bicep", parameters(|p| t.bicep(p)) + &bicep(key))
    }),
    ("literal in a module", |t| {
        Files::main("module inner './folder/inner.bicep' = {\n  name: 'inner'\n}\n")
            .and("folder/inner.bicep", bicep(|p| t.bicep(p)))
    }),
    ("object as an argument", |t| {
        let main = format!(
            "module inner 'inner.bicep' = {{\n  params: {{\n    posture: {{\n{}    }}\n  }}\n}}\n",
            entries(|p| t.bicep(p))
        );
        Files::main(main).and(
            "inner.bicep",
            "param posture object\n".to_owned() + &from("posture."),
        )
    }),
    ("module in a module", |t| {
        let middle = each(|p| format!("param {} {}", p.key, p.ty)) + &module("../inner.bicep", key);
        Files::main(module("folder/middle.bicep", |p| t.bicep(p)))
            .and("folder/middle.bicep", middle)
            .and("inner.bicep", taking())
    }),
    ("parameter of the outer file, in a module", |t| {
        Files::main(parameters(|p| t.bicep(p)) + &module("inner.bicep", key))
            .and("inner.bicep", taking())
    }),
    ("module in a loop", |t| {
        let main = format!(
            "var all = [\n  {{\n    prefix: 'one'\n{}  }}\n  {{\n    prefix: 'two'\n{}  }}\n]\n\
             module inner 'inner.bicep' = [for it in all: {{\n  name: it.prefix\n  params: {{\n    prefix: it.prefix\n{}  }}\n}}]\n",
            entries(good),
            entries(|p| t.bicep(p)),
            entries(|p| format!("it.{}", p.key))
        );
        let inner = "param prefix string\n".to_owned()
            + &taking().replace("  name: 'shop", "  name: '${prefix}shop");
        Files::main(main).and("inner.bicep", inner)
    }),
    ("module under a condition", |t| {
        let main = format!(
            "param legacy bool = {}\n{}{}",
            t.pick("false", "true"),
            module("inner.bicep", bad).replace("= {\n  name", "= if (legacy) {\n  name"),
            bicep(good)
        );
        Files::main(main).and("inner.bicep", taking().replace("'shop", "'second"))
    }),
    ("output of a module", |t| {
        let given = each(|p| format!("output {} {} = {}", p.key, p.ty, t.bicep(p)));
        let main = "module given 'given.bicep' = {\n  name: 'given'\n}\n".to_owned()
            + &module("inner.bicep", |p| format!("given.outputs.{}", p.key));
        Files::main(main)
            .and("given.bicep", given)
            .and("inner.bicep", taking())
    }),
    ("output of a module that is an object", |t| {
        let given = format!(
            "output posture object = {{\n{}}}\n",
            entries(|p| t.bicep(p))
        );
        let main = "module given 'given.bicep' = {\n  name: 'given'\n}\n".to_owned()
            + &module("inner.bicep", |p| {
                format!("given.outputs.posture.{}", p.key)
            });
        Files::main(main)
            .and("given.bicep", given)
            .and("inner.bicep", taking())
    }),
    ("module in a group of a subscription", |t| {
        let main = "targetScope = 'subscription'\n\
            resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {\n  name: 'shop'\n  location: 'westeurope'\n}\n"
            .to_owned()
            + &module("inner.bicep", |p| t.bicep(p)).replace("  params", "  scope: group\n  params");
        Files::main(main).and("inner.bicep", taking())
    }),
    ("module that is a template in JSON", |t| {
        let head = format!(
            "\"parameters\": {{\n{}\"unused\": {{\"type\": \"string\", \"defaultValue\": \"\"}}\n}},\n",
            each(|p| format!("\"{}\": {{\"type\": \"{}\"}},", p.key, p.ty))
        );
        Files::main(module("inner.json", |p| t.bicep(p))).and(
            "inner.json",
            json(&head, |p| format!("\"[parameters('{}')]\"", p.key)),
        )
    }),
    ("argument by the default of a nullable parameter", |t| {
        let inner = each(|p| format!("param {} {}?", p.key, p.ty))
            + &bicep(|p| format!("{} ?? {}", p.key, t.bicep(p)));
        Files::main("module inner 'inner.bicep' = {\n  name: 'inner'\n  params: {}\n}\n")
            .and("inner.bicep", inner)
    }),
    ("parent that exists", |t| {
        // What exists is not judged: its own words say nothing about it.
        let main = "resource outside 'Microsoft.KeyVault/vaults@2024-11-01' existing = {\n  name: 'outside'\n}\n\
            resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {\n  parent: outside\n  name: 'x'\n  properties: {}\n}\n"
            .to_owned()
            + &variables(|p| t.bicep(p))
            + &bicep(key);
        Files::main(main)
    }),
];

pub(super) const GIVEN: &[Way] = &[
    ("parameter file in Bicep", |t| {
        Files::main(parameters(|p| other(t, p)) + &bicep(key)).and(
            "main.bicepparam",
            "using 'main.bicep'\n".to_owned()
                + &each(|p| format!("param {} = {}", p.key, t.bicep(p))),
        )
    }),
    ("parameter file with variables", |t| {
        let given = "using './main.bicep'\n".to_owned()
            + &object("posture", |p| t.bicep(p))
            + &each(|p| format!("param {0} = posture.{0}", p.key));
        Files::main(each(|p| format!("param {} {}", p.key, p.ty)) + &bicep(key))
            .and("main.bicepparam", given)
    }),
    ("parameter file that extends another", |t| {
        let base =
            "using none\n".to_owned() + &each(|p| format!("param {} = {}", p.key, t.bicep(p)));
        Files::main(parameters(|p| other(t, p)) + &bicep(key))
            .and(
                "main.bicepparam",
                "using 'main.bicep'\nextends 'base.bicepparam'\n",
            )
            .and("base.bicepparam", base)
    }),
    ("parameter file that imports", |t| {
        let shared = format!(
            "@export()\nvar posture = {{\n{}}}\n",
            entries(|p| t.bicep(p))
        );
        let given = "using 'main.bicep'\nimport { posture } from 'shared.bicep'\n".to_owned()
            + &each(|p| format!("param {0} = posture.{0}", p.key));
        Files::main(parameters(|p| other(t, p)) + &bicep(key))
            .and("main.bicepparam", given)
            .and("shared.bicep", shared)
    }),
    ("parameter file in JSON", |t| {
        Files::main(parameters(|p| other(t, p)) + &bicep(key))
            .and("main.parameters.json", parameter_file(t))
    }),
    ("parameter file of any name", |t| {
        Files::main(parameters(|p| other(t, p)) + &bicep(key))
            .given("production.json", parameter_file(t))
    }),
];
