//! Modules: their deployments, scopes and parameters, and those that are not found.

use bicep::deployment::ProblemKind;
use serde_json::json;

use super::{Compiled, compile_with};

const PART: &str = "param name string\nparam many array = []\n@secure()\nparam password string = ''\noutput o string = name\n";

#[track_caller]
fn with_part(text: &str) -> Compiled {
    let compiled = compile_with(text, &[("part.bicep", PART)]);
    assert!(compiled.problems.is_empty(), "{:#?}", compiled.problems);
    compiled
}

#[test]
fn a_module_is_a_deployment() {
    let compiled = with_part(
        "resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: 'kv' }
param fast bool
@description('d')
module one './part.bicep' = if (fast) {
  name: 'one'
  params: {
    name: fast ? 'a' : 'b'
    many: [for i in range(0, 2): { n: i }]
    password: kv.getSecret('s', 'v')
  }
}
output o string = one.outputs.o
output n string = one.name
",
    );
    let one = compiled.at("/resources/0");
    assert_eq!(one["type"], "Microsoft.Resources/deployments");
    assert_eq!(one["apiVersion"], "2025-04-01");
    assert_eq!(one["name"], "one");
    assert_eq!(one["condition"], "[parameters('fast')]");
    assert_eq!(one["metadata"], json!({ "description": "d" }));
    assert_eq!(
        one["properties"]["expressionEvaluationOptions"],
        json!({ "scope": "inner" })
    );
    assert_eq!(
        one["properties"]["parameters"],
        json!({
            "name": "[if(parameters('fast'), createObject('value', 'a'), createObject('value', 'b'))]",
            "many": { "copy": [{ "name": "value", "count": "[length(range(0, 2))]", "input": "[createObject('n', range(0, 2)[copyIndex('value')])]" }] },
            "password": { "reference": {
                "keyVault": { "id": "[resourceId('Microsoft.KeyVault/vaults', 'kv')]" },
                "secretName": "s",
                "secretVersion": "v"
            } }
        })
    );
    assert_eq!(
        one["properties"]["template"]["outputs"]["o"]["value"],
        "[parameters('name')]"
    );
    assert_eq!(
        *compiled.at("/outputs/o/value"),
        "[reference(resourceId('Microsoft.Resources/deployments', 'one'), '2025-04-01').outputs.o.value]"
    );
    assert_eq!(*compiled.at("/outputs/n/value"), "one");
}

#[test]
fn modules_are_deployed_elsewhere() {
    let compiled = with_part(
        "targetScope = 'subscription'
resource rg 'Microsoft.Resources/resourceGroups@2024-03-01' = { name: 'rg', location: 'x' }
module a './part.bicep' = { name: 'a', scope: rg, params: { name: 'a' } }
module b './part.bicep' = { name: 'b', scope: resourceGroup('s', 'g'), params: { name: a.outputs.o } }
module c './part.bicep' = { name: 'c', params: { name: 'c' } }
module d './part.bicep' = { name: 'd', scope: tenant(), params: { name: 'd' } }
module e './part.bicep' = { name: 'e', scope: managementGroup('m'), params: { name: 'e' } }
",
    );
    let schema = compiled.at("/$schema").as_str().unwrap();
    assert!(schema.ends_with("2018-05-01/subscriptionDeploymentTemplate.json#"));
    assert_eq!(*compiled.at("/resources/1/resourceGroup"), "rg");
    compiled.has_not("/resources/1/location");
    assert_eq!(
        *compiled.at("/resources/1/dependsOn"),
        json!(["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg')]"])
    );
    assert_eq!(*compiled.at("/resources/2/subscriptionId"), "s");
    assert_eq!(*compiled.at("/resources/2/resourceGroup"), "g");
    let id = "extensionResourceId(format('/subscriptions/{0}/resourceGroups/{1}', subscription().subscriptionId, 'rg'), 'Microsoft.Resources/deployments', 'a')";
    assert_eq!(
        *compiled.at("/resources/2/dependsOn"),
        json!([format!("[{id}]")])
    );
    assert_eq!(
        *compiled.at("/resources/2/properties/parameters/name/value"),
        format!("[reference({id}, '2025-04-01').outputs.o.value]")
    );
    assert_eq!(
        *compiled.at("/resources/3/location"),
        "[deployment().location]"
    );
    assert_eq!(*compiled.at("/resources/4/scope"), "/");
    assert_eq!(
        *compiled.at("/resources/5/scope"),
        "[tenantResourceId('Microsoft.Management/managementGroups', 'm')]"
    );
}

#[test]
fn names_are_made_up_when_none_is_given() {
    let compiled = with_part(
        "module net './part.bicep' = { params: { name: 'a' } }
module nets './part.bicep' = [for i in range(0, 2): { params: { name: 'a' } }]
output one string = nets[1].outputs.o
output all array = map(nets, n => n.outputs.o)
output safe string = net.?outputs.?o ?? ''
",
    );
    assert_eq!(*compiled.at("/languageVersion"), "2.0");
    assert_eq!(
        *compiled.at("/resources/net/name"),
        "[format('net-{0}', uniqueString('net', deployment().name))]"
    );
    assert_eq!(
        *compiled.at("/resources/nets/name"),
        "[format('nets-{0}-{1}', copyIndex(), uniqueString('nets', deployment().name))]"
    );
    assert_eq!(
        *compiled.at("/outputs/one/value"),
        "[reference(format('nets[{0}]', 1)).outputs.o.value]"
    );
    assert_eq!(
        *compiled.at("/outputs/all/value"),
        "[map(references('nets'), lambda('n', lambdaVariables('n').outputs.o.value))]"
    );
    assert_eq!(
        *compiled.at("/outputs/safe/value"),
        "[coalesce(tryGet(tryGet(tryGet(reference('net'), 'outputs'), 'o'), 'value'), '')]"
    );
}

#[test]
fn secret_outputs_are_listed() {
    let part = "@secure()\noutput s string = 'x'\noutput o string = 'y'\n";
    let compiled = compile_with(
        "module m './part.bicep' = { name: 'm' }
resource a 'My.Rp/a@2024-01-01' = { name: 'a', properties: { s: m.outputs.s, o: m.outputs.o } }
",
        &[("part.bicep", part)],
    );
    assert_eq!(
        *compiled.at("/resources/a/properties"),
        json!({
            "s": "[listOutputsWithSecureValues('m', '2025-04-01').s]",
            "o": "[reference('m').outputs.o.value]"
        })
    );
    assert_eq!(*compiled.at("/resources/a/dependsOn"), json!(["m"]));
}

#[test]
fn what_is_not_found_stays_without_a_template() {
    let compiled = compile_with(
        "module gone 'br/public:avm/res/x/y:1.0.0' = { name: 'gone', params: { a: 1 } }
module here './none.bicep' = { name: 'here' }
output o string = gone.outputs.z
",
        &[],
    );
    assert_eq!(
        compiled.kinds(),
        [ProblemKind::Unresolved, ProblemKind::Unresolved]
    );
    assert!(
        compiled
            .problems
            .iter()
            .all(|problem| problem.help.is_some())
    );
    assert_eq!(
        *compiled.at("/resources/0/properties/parameters/a/value"),
        1
    );
    compiled.has_not("/resources/0/properties/template");
    assert_eq!(*compiled.at("/resources/1/name"), "here");
    assert!(
        compiled
            .at("/outputs/o/value")
            .as_str()
            .unwrap()
            .ends_with(".outputs.z.value]")
    );
}

#[test]
fn published_modules_stand_as_they_were_compiled() {
    let published = r#"{ "resources": [{ "name": "[[x]", "n": 1.50 }] }"#;
    let compiled = compile_with(
        "module m 'br/public:a/b:1' = { name: 'm' }\n",
        &[("br/public:a/b:1", published)],
    );
    assert_eq!(compiled.messages(), [""; 0]);
    assert_eq!(
        *compiled.at("/resources/0/properties/template"),
        json!({ "resources": [{ "name": "[[x]", "n": 1.5 }] })
    );
}

#[test]
fn template_specs_are_linked() {
    let compiled = compile_with(
        "module m 'ts:s/g/spec:1.0' = { name: 'm' }\n",
        &[("ts:s/g/spec:1.0", "{ \"resources\": [] }")],
    );
    assert_eq!(
        compiled.at("/resources/0/properties")["templateLink"],
        json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/templateSpecs/spec/versions/1.0" })
    );
    compiled.has_not("/resources/0/properties/template");
}

#[test]
fn circles_of_modules_end() {
    let compiled = compile_with(
        "module a './a.bicep' = { name: 'a' }\n",
        &[
            ("a.bicep", "module b './b.bicep' = { name: 'b' }\n"),
            ("b.bicep", "module a './a.bicep' = { name: 'a' }\n"),
        ],
    );
    assert_eq!(compiled.kinds(), [ProblemKind::Unresolved]);
}
