//! Resources: how they are named, where they are deployed, what they wait for.

use serde_json::json;

use super::compile;

const ROOT: &str =
    "resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {\n  name: 'v'\n";

#[test]
fn a_resource_in_a_list() {
    let compiled = compile(&format!(
        "@description('the net')\n{ROOT}  location: 'x'\n  properties: {{}}\n}}\n"
    ));
    assert_eq!(
        *compiled.at("/resources"),
        json!([{
            "type": "Microsoft.Network/virtualNetworks",
            "apiVersion": "2024-05-01",
            "name": "v",
            "location": "x",
            "properties": {},
            "metadata": { "description": "the net" }
        }])
    );
    compiled.has_not("/languageVersion");
}

#[test]
fn children_come_first_and_wait_for_their_parents() {
    let compiled = compile(&format!(
        "{ROOT}
  resource one 'subnets' = {{ name: 'one' }}
}}
resource two 'Microsoft.Network/virtualNetworks/subnets@2023-01-01' = {{
  parent: vnet
  name: 'two'
  properties: {{ other: vnet::one.id }}
}}
output a string = vnet::one.name
output b string = two.id
"
    ));
    let id = "[resourceId('Microsoft.Network/virtualNetworks', 'v')]";
    let one = "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 'one')]";
    assert_eq!(
        *compiled.at("/resources/0/name"),
        "[format('{0}/{1}', 'v', 'one')]"
    );
    assert_eq!(*compiled.at("/resources/0/apiVersion"), "2024-05-01");
    assert_eq!(*compiled.at("/resources/0/dependsOn"), json!([id]));
    assert_eq!(*compiled.at("/resources/1/name"), "v");
    assert_eq!(*compiled.at("/resources/2/properties/other"), one);
    assert_eq!(*compiled.at("/resources/2/dependsOn"), json!([id, one]));
    assert_eq!(*compiled.at("/outputs/a/value"), "one");
    assert_eq!(
        *compiled.at("/outputs/b/value"),
        "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 'two')]"
    );
}

#[test]
fn names_are_moved_out_of_loops() {
    let compiled = compile(
        "param names array
@batchSize(2)
resource a 'My.Rp/as@2024-01-01' = [for (n, i) in names: if (n != 'x') {
  name: '${n}${i}'
}]
resource b 'My.Rp/as/bs@2024-01-01' = [for k in range(0, 3): {
  parent: a[k]
  name: 'b${k}'
  properties: { id: a[k + 1].id }
}]
output all array = [for j in range(0, 2): b[j].properties.x]
",
    );
    assert_eq!(
        *compiled.at("/resources/0/copy"),
        json!({ "name": "a", "count": "[length(parameters('names'))]", "mode": "serial", "batchSize": 2 })
    );
    assert_eq!(
        *compiled.at("/resources/0/condition"),
        "[not(equals(parameters('names')[copyIndex()], 'x'))]"
    );
    let parent = "range(0, 3)[copyIndex()]";
    assert_eq!(
        *compiled.at("/resources/1/name"),
        format!(
            "[format('{{0}}/{{1}}', format('{{0}}{{1}}', parameters('names')[{parent}], {parent}), format('b{{0}}', {parent}))]"
        )
    );
    assert_eq!(
        *compiled.at("/resources/1/dependsOn"),
        json!([
            format!(
                "[resourceId('My.Rp/as', format('{{0}}{{1}}', parameters('names')[{parent}], {parent}))]"
            ),
            format!(
                "[resourceId('My.Rp/as', format('{{0}}{{1}}', parameters('names')[add({parent}, 1)], add({parent}, 1)))]"
            )
        ])
    );
    let j = "range(0, 2)[copyIndex()]";
    let k = format!("range(0, 3)[{j}]");
    assert_eq!(
        *compiled.at("/outputs/all/copy/input"),
        format!(
            "[reference(resourceId('My.Rp/as/bs', format('{{0}}{{1}}', parameters('names')[{k}], {k}), format('b{{0}}', {k})), '2024-01-01').x]"
        )
    );
}

#[test]
fn existing_resources_are_only_named() {
    let compiled = compile(
        "param sub string
resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: 'kv'
  scope: resourceGroup(sub, 'rg')
}
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'l'
  scope: st
  properties: { notes: kv.properties.vaultUri, keys: st.listKeys() }
}
resource st 'Microsoft.Storage/storageAccounts@2023-01-01' = { name: 's' }
",
    );
    assert_eq!(compiled.at("/resources").as_array().unwrap().len(), 2);
    let vault = "extensionResourceId(format('/subscriptions/{0}/resourceGroups/{1}', parameters('sub'), 'rg'), 'Microsoft.KeyVault/vaults', 'kv')";
    assert_eq!(
        *compiled.at("/resources/0/scope"),
        "[resourceId('Microsoft.Storage/storageAccounts', 's')]"
    );
    assert_eq!(
        *compiled.at("/resources/0/properties"),
        json!({
            "notes": format!("[reference({vault}, '2023-07-01').vaultUri]"),
            "keys": "[listKeys(resourceId('Microsoft.Storage/storageAccounts', 's'), '2023-01-01')]"
        })
    );
    assert_eq!(
        *compiled.at("/resources/0/dependsOn"),
        json!(["[resourceId('Microsoft.Storage/storageAccounts', 's')]"])
    );
}

#[test]
fn symbolic_names_when_the_newer_language_is_used() {
    let compiled = compile(
        "param names string[]
resource old 'My.Rp/a@2024-01-01' existing = {
  name: 'old'
  resource child 'b' = { name: 'c' }
}
resource many 'My.Rp/a@2024-01-01' = [for n in names: { name: n }]
output one object = many[0].properties
output all array = map(many, m => m.id)
output child string = old.?id ?? ''
",
    );
    assert_eq!(*compiled.at("/languageVersion"), "2.0");
    assert_eq!(*compiled.at("/resources/old/existing"), true);
    assert_eq!(
        *compiled.at("/resources/old::child/name"),
        "[format('{0}/{1}', 'old', 'c')]"
    );
    compiled.has_not("/resources/old::child/dependsOn");
    assert_eq!(
        *compiled.at("/outputs/one/value"),
        "[reference(format('many[{0}]', 0))]"
    );
    assert_eq!(
        *compiled.at("/outputs/all/value"),
        "[map(references('many', 'full'), lambda('m', lambdaVariables('m').id))]"
    );
    assert_eq!(
        *compiled.at("/outputs/child/value"),
        "[coalesce(resourceId('My.Rp/a', 'old'), '')]"
    );
}

#[test]
fn safe_access_asks_for_the_condition() {
    let compiled = compile(
        "param on bool
param t string?
resource a 'My.Rp/a@2024-01-01' = if (on) { name: 'a' }
output p string = a.?properties.?x ?? ''
output n string = a.?name ?? ''
",
    );
    assert_eq!(
        *compiled.at("/outputs/p/value"),
        "[coalesce(tryGet(tryGet(if(parameters('on'), reference('a', '2024-01-01', 'full'), null()), 'properties'), 'x'), '')]"
    );
    assert_eq!(
        *compiled.at("/outputs/n/value"),
        "[coalesce(if(parameters('on'), 'a', null()), '')]"
    );
}

#[test]
fn dependencies_lead_through_variables() {
    let compiled = compile(
        "resource a 'My.Rp/a@2024-01-01' = [for i in range(0, 2): { name: 'a${i}' }]
var ids = [for i in range(0, 2): a[i].id]
var one = { first: a[0].id }
resource b 'My.Rp/b@2024-01-01' = { name: 'b', properties: ids }
resource c 'My.Rp/c@2024-01-01' = { name: 'c', properties: one, dependsOn: [b] }
",
    );
    assert_eq!(*compiled.at("/resources/1/dependsOn"), json!(["a"]));
    assert_eq!(
        *compiled.at("/resources/2/dependsOn"),
        json!([
            "[resourceId('My.Rp/a', format('a{0}', range(0, 2)[0]))]",
            "[resourceId('My.Rp/b', 'b')]"
        ])
    );
}

#[test]
fn extensions_have_resources_of_their_own() {
    let compiled = compile(
        "extension kubernetes with { namespace: 'default', kubeConfig: 'x' } as k8s
resource ns 'core/Namespace@v1' = { metadata: { name: 'a' } }
",
    );
    assert_eq!(
        *compiled.at("/imports/k8s"),
        json!({ "provider": "Kubernetes", "version": "1.0.0", "config": { "namespace": "default", "kubeConfig": "x" } })
    );
    assert_eq!(
        *compiled.at("/resources/ns"),
        json!({ "import": "k8s", "type": "core/Namespace@v1", "properties": { "metadata": { "name": "a" } } })
    );
}
