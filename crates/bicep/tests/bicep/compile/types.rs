//! Types of parameters, outputs and declarations.

use serde_json::{Value, json};

use super::compile;

/// The schema of the parameter `p`.
#[track_caller]
fn parameter(text: &str) -> Value {
    compile(text).at("/parameters/p").clone()
}

#[test]
fn decorators_become_keywords() {
    assert_eq!(
        parameter(
            "@description('''two
    lines
      more''')
@metadata({ a: 1 })
@minLength(3)
@maxLength(24)
@allowed(['abc', 'def'])
param p string = 'abc'
"
        ),
        json!({
            "type": "string",
            "defaultValue": "abc",
            "allowedValues": ["abc", "def"],
            "metadata": { "a": 1, "description": "two\nlines\n  more" },
            "minLength": 3,
            "maxLength": 24
        })
    );
    assert_eq!(
        parameter("@secure()\nparam p object\n"),
        json!({ "type": "secureObject" })
    );
    assert_eq!(
        parameter("@secure()\nparam p string?\n"),
        json!({ "type": "securestring", "nullable": true })
    );
    assert_eq!(
        parameter("@minValue(-1)\n@maxValue(5)\nparam p int = -1\n"),
        json!({ "type": "int", "defaultValue": -1, "minValue": -1, "maxValue": 5 })
    );
}

#[test]
fn unions_are_sorted_and_say_what_they_are_of() {
    assert_eq!(
        parameter("param p 'b' | 'a' | 'b'\n"),
        json!({ "type": "string", "allowedValues": ["a", "b"] })
    );
    assert_eq!(
        parameter("param p 10 | 2 | -1\n"),
        json!({ "type": "int", "allowedValues": [-1, 10, 2] })
    );
    assert_eq!(
        parameter("param p ('a' | null)\n"),
        json!({ "type": "string", "allowedValues": ["a"], "nullable": true })
    );
    assert_eq!(
        parameter("param p ('b' | 'a')[]?\n"),
        json!({ "type": "array", "allowedValues": ["a", "b"], "nullable": true })
    );
    assert_eq!(
        parameter("param p true\n"),
        json!({ "type": "bool", "allowedValues": [true] })
    );
    assert_eq!(
        parameter("type t = 'x' | 'y'\nparam p t | 'z'\n"),
        json!({ "type": "string", "allowedValues": ["x", "y", "z"] })
    );
}

#[test]
fn objects_and_tuples() {
    assert_eq!(
        parameter(
            "@sealed()\nparam p {\n  @description('a')\n  a: string[]\n  b: [int, bool?]\n  *: int\n}\n"
        ),
        json!({
            "type": "object",
            "properties": {
                "a": { "type": "array", "items": { "type": "string" }, "metadata": { "description": "a" } },
                "b": { "type": "array", "prefixItems": [{ "type": "int" }, { "type": "bool", "nullable": true }], "items": false }
            },
            "additionalProperties": false
        })
    );
    assert_eq!(parameter("param p any\n"), json!({}));
    assert_eq!(
        parameter("param p sys.string\n"),
        json!({ "type": "string" })
    );
}

#[test]
fn names_are_references() {
    let compiled = compile(
        "@export()
type t = { a: { b: u[] }?, c: [string, int] }
type u = { d: 'x' }
type v = t
param p v.c[1]
param q u.d
param r t.c
param s t?
",
    );
    assert_eq!(
        *compiled.at("/parameters/p"),
        json!({ "$ref": "#/definitions/t/properties/c/prefixItems/1" })
    );
    assert_eq!(
        *compiled.at("/parameters/q"),
        json!({ "$ref": "#/definitions/u/properties/d" })
    );
    assert_eq!(
        *compiled.at("/parameters/s"),
        json!({ "$ref": "#/definitions/t", "nullable": true })
    );
    assert_eq!(
        *compiled.at("/definitions/t/metadata"),
        json!({ "__bicep_export!": true })
    );
    assert_eq!(
        *compiled.at("/definitions/v"),
        json!({ "$ref": "#/definitions/t" })
    );
}

#[test]
fn alternatives_are_told_apart_by_a_property() {
    let compiled = compile(
        "type a = { kind: 'a', x: int }
@discriminator('kind')
type both = a | { kind: 'b' }
@discriminator('kind')
param p (both | { kind: 'c' })?
",
    );
    let own = |kind: &str| json!({ "type": "object", "properties": { "kind": { "type": "string", "allowedValues": [kind] } } });
    assert_eq!(
        *compiled.at("/definitions/both"),
        json!({
            "type": "object",
            "discriminator": {
                "propertyName": "kind",
                "mapping": { "a": { "$ref": "#/definitions/a" }, "b": own("b") }
            }
        })
    );
    assert_eq!(
        *compiled.at("/parameters/p"),
        json!({
            "type": "object",
            "discriminator": {
                "propertyName": "kind",
                "mapping": { "a": { "$ref": "#/definitions/a" }, "b": own("b"), "c": own("c") }
            },
            "nullable": true
        })
    );
}

#[test]
fn types_of_resources_are_named() {
    let derived = |source: &str| json!({ "__bicep_resource_derived_type!": { "source": source } });
    assert_eq!(
        parameter(
            "param p resourceInput<'Microsoft.Storage/storageAccounts@2023-01-01'>.properties.networkAcls.ipRules[*]\n"
        ),
        json!({ "metadata": derived("Microsoft.Storage/storageAccounts@2023-01-01#properties/properties/properties/networkAcls/properties/ipRules/items") })
    );
    // Every resource of Azure has these.
    assert_eq!(
        parameter("@description('d')\nparam p resourceInput<'My.Rp/a@2023-01-01'>.tags?\n"),
        json!({
            "type": "object",
            "metadata": {
                "__bicep_resource_derived_type!": { "source": "My.Rp/a@2023-01-01#properties/tags" },
                "description": "d"
            },
            "nullable": true
        })
    );
    assert_eq!(
        parameter("param p resourceOutput<'My.Rp/a@2023-01-01'>.id\n"),
        json!({ "type": "string", "metadata": { "__bicep_resource_derived_type!": { "source": "My.Rp/a@2023-01-01#properties/id", "output": true } } })
    );
}
