//! What is imported from Bicep files and from compiled templates.

use bicep::deployment::ProblemKind;
use serde_json::json;

use super::compile_with;

const SHARED: &str = "@export()
@description('the kind')
type kind = 'a' | inner
type inner = 'b'
var base = 'p'
@export()
var prefix = '${base}-'
@export()
var list = [for i in range(0, 2): '${prefix}${i}']
@export()
func named(n string) string => '${prefix2()}${n}'
func prefix2() string => 'q'
";

#[test]
fn parts_of_bicep_files_bring_what_they_use() {
    let compiled = compile_with(
        "import { kind as k, prefix, named } from 'shared.bicep'
param p k
output o string = '${prefix}${named('x')}'
",
        &[("shared.bicep", SHARED)],
    );
    assert_eq!(compiled.messages(), [""; 0]);
    let from = json!({ "sourceTemplate": "shared.bicep" });
    assert_eq!(
        *compiled.at("/parameters/p"),
        json!({ "$ref": "#/definitions/k" })
    );
    assert_eq!(
        *compiled.at("/definitions"),
        json!({
            "_1.inner": {
                "type": "string",
                "allowedValues": ["b"],
                "metadata": { "__bicep_imported_from!": from }
            },
            "k": {
                "type": "string",
                "allowedValues": ["a", "b"],
                "metadata": {
                    "description": "the kind",
                    "__bicep_imported_from!": { "sourceTemplate": "shared.bicep", "originalIdentifier": "kind" }
                }
            }
        })
    );
    assert_eq!(
        *compiled.at("/variables"),
        json!({ "_1.base": "p", "prefix": "[format('{0}-', variables('_1.base'))]" })
    );
    assert_eq!(*compiled.at("/functions/0/namespace"), "__bicep");
    assert_eq!(
        *compiled.at("/functions/0/members/named/output/value"),
        "[format('{0}{1}', _1.prefix2(), parameters('n'))]"
    );
    assert_eq!(*compiled.at("/functions/1/namespace"), "_1");
    assert_eq!(
        *compiled.at("/outputs/o/value"),
        "[format('{0}{1}', variables('prefix'), __bicep.named('x'))]"
    );
}

#[test]
fn wildcards_bring_all_that_is_exported() {
    let compiled = compile_with(
        "import * as s from 'shared.bicep'
param p s.kind
output o array = [s.list, s.named('x')]
",
        &[("shared.bicep", SHARED)],
    );
    assert_eq!(
        *compiled.at("/parameters/p"),
        json!({ "$ref": "#/definitions/_1.kind" })
    );
    assert_eq!(
        *compiled.at("/variables/copy"),
        json!([{
            "name": "_1.list",
            "count": "[length(range(0, 2))]",
            "input": "[format('{0}{1}', variables('_1.prefix'), range(0, 2)[copyIndex('_1.list')])]"
        }])
    );
    assert_eq!(
        *compiled.at("/outputs/o/value"),
        json!(["[variables('_1.list')]", "[_1.named('x')]"])
    );
}

#[test]
fn parts_of_compiled_templates_too() {
    let published = r##"{
      "metadata": { "__bicep_exported_variables!": [{ "name": "v" }] },
      "definitions": {
        "t": { "type": "object", "properties": { "a": { "$ref": "#/definitions/_1.u" } }, "metadata": { "__bicep_export!": true } },
        "_1.u": { "type": "string", "nullable": true, "metadata": { "description": "d", "__bicep_imported_from!": { "sourceTemplate": "x.bicep" } } }
      },
      "functions": [{ "namespace": "__bicep", "members": { "f": {
        "parameters": [{ "name": "n", "type": "string" }],
        "output": { "type": "string", "value": "[concat(variables('w'), __bicep.g())]" },
        "metadata": { "__bicep_export!": true }
      }, "g": { "parameters": [], "output": { "type": "string", "value": "g" } } } }],
      "variables": { "w": "w", "v": { "x": "[variables('w')]" } },
      "resources": []
    }"##;
    let compiled = compile_with(
        "import { t, v as value, f } from 'br/public:m:1'\nparam p t.a\noutput o string = f(value.x)\n",
        &[("br/public:m:1", published)],
    );
    assert_eq!(compiled.messages(), [""; 0]);
    let from = json!({ "sourceTemplate": "br/public:m:1" });
    assert_eq!(
        *compiled.at("/parameters/p"),
        json!({ "$ref": "#/definitions/t/properties/a" })
    );
    assert_eq!(
        *compiled.at("/definitions/t"),
        json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/definitions/_1._2" } },
            "metadata": { "__bicep_imported_from!": from }
        })
    );
    assert_eq!(
        *compiled.at("/definitions/_1._2"),
        json!({
            "type": "string",
            "nullable": true,
            "metadata": {
                "description": "d",
                "__bicep_imported_from!": { "sourceTemplate": "br/public:m:1", "originalIdentifier": "#/definitions/_1.u" }
            }
        })
    );
    assert_eq!(
        *compiled.at("/variables"),
        json!({ "_1.w": "w", "value": { "x": "[variables('_1.w')]" } })
    );
    assert_eq!(
        *compiled.at("/functions/0/members/f/output/value"),
        "[concat(variables('_1.w'), _1.g())]"
    );
    assert_eq!(
        *compiled.at("/outputs/o/value"),
        "[__bicep.f(variables('value').x)]"
    );
}

#[test]
fn exported_variables_are_listed() {
    let compiled = compile_with(
        "@export()\n@description('d')\nvar b string = 'b'\n@export()\nvar a = 1\n",
        &[],
    );
    assert_eq!(
        *compiled.at("/metadata/__bicep_exported_variables!"),
        json!([{ "name": "a" }, { "name": "b", "description": "d", "type": { "type": "string" } }])
    );
}

#[test]
fn imports_that_lead_nowhere_are_said_once() {
    let compiled = compile_with(
        "import { a } from 'none.bicep'\nimport { b } from 'shared.bicep'\nparam p a\nparam q b\nparam r string\n",
        &[("shared.bicep", SHARED)],
    );
    assert!(compiled.kinds().contains(&ProblemKind::Unresolved));
    assert!(
        compiled
            .messages()
            .contains(&"`shared.bicep` exports nothing called `b`")
    );
    assert_eq!(*compiled.at("/parameters/r"), json!({ "type": "string" }));
}
