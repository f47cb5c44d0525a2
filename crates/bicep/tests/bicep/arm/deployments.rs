//! Resources, loops, scopes, nested and linked deployments, references.

use super::{lines, outcome, template};
use bicep::Options;
use bicep::source::{Files, Found};

/// The lines of an outcome without the head that every id of a resource group has.
fn short(text: &str) -> String {
    outcome(text)
        .replace(
            "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/",
            "~/",
        )
        .replace("/subscriptions/{subscription}/", "^/")
}

#[test]
fn resources_have_ids_names_and_bodies() {
    let text = template(
        r#""variables":{"vnet":"hub","tags":{"team":"a"}},
"resources":[{"type":"Microsoft.Network/virtualNetworks","apiVersion":"2024-05-01","name":"[variables('vnet')]",
 "location":"[resourceGroup().location]","tags":"[variables('tags')]","dependsOn":["x"],"comments":"c",
 "properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/8"]}},
 "resources":[{"type":"subnets","apiVersion":"2024-05-01","name":"aks","properties":{"addressPrefix":"10.1.0.0/16"}},
  {"type":"Microsoft.Authorization/locks","apiVersion":"2020-05-01","name":"keep","properties":{"level":"CanNotDelete"}}]}]"#,
    );
    assert_eq!(
        short(&text),
        "~/Microsoft.Network/virtualNetworks/hub\n  \
         {\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/8\"]}}\n\
         ~/Microsoft.Network/virtualNetworks/hub/subnets/aks\n  \
         {\"addressPrefix\":\"10.1.0.0/16\"}\n\
         ~/Microsoft.Network/virtualNetworks/hub/providers/Microsoft.Authorization/locks/keep\n  \
         {\"level\":\"CanNotDelete\"}\n"
    );
    super::expand(&text, |expansion, sources| {
        let vnet = &expansion.resources[0];
        let keys: Vec<_> = vnet.body.fields().iter().map(|field| field.key).collect();
        assert_eq!(
            keys,
            [
                "type",
                "apiVersion",
                "name",
                "location",
                "tags",
                "properties"
            ]
        );
        assert_eq!(
            (vnet.kind, vnet.api_version, vnet.name),
            ("Microsoft.Network/virtualNetworks", "2024-05-01", "hub")
        );
        let subnet = &expansion.resources[1];
        assert_eq!(
            (subnet.kind, subnet.name),
            ("Microsoft.Network/virtualNetworks/subnets", "hub/aks")
        );
        // A value stands where its literal does.
        let tags = vnet.body.get("tags").unwrap();
        assert_eq!(sources.line_column(tags.get("team").unwrap().span), (2, 69));
    });
}

#[test]
fn conditions_leave_out_or_stay() {
    let text = template(
        r#""parameters":{"flag":{"type":"bool"}},"resources":[
{"condition":false,"type":"A.B/c","apiVersion":"1","name":"never"},
{"condition":"[parameters('flag')]","type":"A.B/c","apiVersion":"1","name":"maybe","properties":{"x":"[if(parameters('flag'), 'a', 'b')]"}},
{"condition":"[or(true(), parameters('flag'))]","type":"A.B/c","apiVersion":"1","name":"always"}]"#,
    );
    assert_eq!(
        short(&text),
        "~/A.B/c/maybe\n  if <flag>\n  {\"x\":<{flag ? 'a' : 'b'}>}\n~/A.B/c/always\n\
         open flag allowed [true,false] compared []\n"
    );
}

#[test]
fn loops() {
    let text = template(
        r#""parameters":{"names":{"type":"array"}},
"variables":{"copy":[{"name":"ranges","count":2,"input":"[concat('10.', copyIndex('ranges', 1), '.0.0/16')]"}]},
"resources":[
{"copy":{"name":"loop","count":"[length(variables('ranges'))]"},"type":"A.B/c","apiVersion":"1","name":"[format('n{0}', copyIndex(1))]",
 "properties":{"range":"[variables('ranges')[copyIndex()]]",
  "copy":[{"name":"inner","count":2,"input":{"i":"[copyIndex('inner')]","o":"[copyIndex('loop')]","d":"[copyIndex()]"}}]}},
{"copy":{"name":"open","count":"[length(parameters('names'))]"},"type":"A.B/d","apiVersion":"1","name":"[parameters('names')[copyIndex()]]","properties":{}},
{"copy":{"name":"none","count":0},"type":"A.B/e","apiVersion":"1","name":"x"}],
"outputs":{"list":{"type":"array","copy":{"count":2,"input":"[copyIndex()]"}},
 "open":{"type":"array","copy":{"count":"[length(parameters('names'))]","input":"[parameters('names')[copyIndex()]]"}}}"#,
    );
    assert_eq!(
        short(&text),
        "~/A.B/c/n1\n  {\"range\":\"10.1.0.0/16\",\"inner\":[{\"i\":0,\"o\":0,\"d\":0},{\"i\":1,\"o\":0,\"d\":0}]}\n\
         ~/A.B/c/n2\n  {\"range\":\"10.2.0.0/16\",\"inner\":[{\"i\":0,\"o\":1,\"d\":1},{\"i\":1,\"o\":1,\"d\":1}]}\n\
         ~/A.B/d/{names[i]}\n  if <length(names) > 0>\n  {}\n\
         list = [0,1]\n\
         open = <map(range(0, length(names)), i => names[i])>\n\
         open names allowed [] compared []\n"
    );
}

#[test]
fn scopes() {
    let text = r#"{"$schema":"https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
"parameters":{"rg":{"type":"string"}},
"resources":[
{"type":"Microsoft.Resources/resourceGroups","apiVersion":"2024-03-01","name":"[parameters('rg')]","location":"westeurope"},
{"type":"Microsoft.Authorization/policyAssignments","apiVersion":"1","name":"p"},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"in","resourceGroup":"[parameters('rg')]","properties":{"mode":"Incremental",
 "expressionEvaluationOptions":{"scope":"inner"},"template":{"resources":[{"type":"A.B/c","apiVersion":"1","name":"x","location":"[resourceGroup().location]","properties":{"g":"[resourceGroup().name]","l":"[resourceGroup().location]"}}]}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"far","subscriptionId":"S","resourceGroup":"G","properties":{"mode":"Incremental",
 "expressionEvaluationOptions":{"scope":"inner"},"template":{"resources":[{"type":"A.B/c","apiVersion":"1","name":"y"}]}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"mg","location":"x","scope":"Microsoft.Management/managementGroups/corp","properties":{"mode":"Incremental",
 "expressionEvaluationOptions":{"scope":"inner"},"template":{"resources":[{"type":"Microsoft.Authorization/policyDefinitions","apiVersion":"1","name":"d"}]}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"tenant","location":"x","scope":"/","properties":{"mode":"Incremental",
 "expressionEvaluationOptions":{"scope":"inner"},"template":{"resources":[{"type":"Microsoft.Management/managementGroups","apiVersion":"1","name":"m"}]}}},
{"type":"Microsoft.Authorization/roleAssignments","apiVersion":"1","name":"r","scope":"[resourceId('S2', 'G2', 'A.B/c', 'z')]"}],
"outputs":{"id":{"type":"string","value":"[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('rg'))]"}}}"#;
    assert_eq!(
        short(text),
        "^/resourceGroups/{rg}\n\
         ^/providers/Microsoft.Authorization/policyAssignments/p\n\
         ^/resourceGroups/{rg}/providers/A.B/c/x\n  {\"g\":<{rg}>,\"l\":\"westeurope\"}\n\
         /subscriptions/S/resourceGroups/G/providers/A.B/c/y\n\
         /providers/Microsoft.Management/managementGroups/corp/providers/Microsoft.Authorization/policyDefinitions/d\n\
         /providers/Microsoft.Management/managementGroups/m\n\
         /subscriptions/S2/resourceGroups/G2/providers/A.B/c/z/providers/Microsoft.Authorization/roleAssignments/r\n\
         id = <^/resourceGroups/{rg}>\n\
         open rg allowed [] compared []\n"
    );
}

#[test]
fn nested_templates_see_their_own_or_the_outer_values() {
    let nested = |scope: &str| {
        template(&format!(
            r#""parameters":{{"p":{{"type":"string","defaultValue":"outer"}}}},"variables":{{"v":"outer"}},
"resources":[{{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"n","properties":{{"mode":"Incremental",
"expressionEvaluationOptions":{{"scope":"{scope}"}},"parameters":{{"p":{{"value":"[concat(parameters('p'), '-given')]"}}}},
"template":{{"parameters":{{"p":{{"type":"string"}}}},"variables":{{"v":"inner"}},
"resources":[{{"type":"A.B/c","apiVersion":"1","name":"x","properties":{{"p":"[parameters('p')]","v":"[variables('v')]"}}}}]}}}}}}]"#
        ))
    };
    assert_eq!(
        short(&nested("inner")),
        "~/A.B/c/x\n  {\"p\":\"outer-given\",\"v\":\"inner\"}\n"
    );
    assert_eq!(
        short(&nested("outer")),
        "~/A.B/c/x\n  {\"p\":\"outer\",\"v\":\"outer\"}\n"
    );
}

const SYMBOLIC: &str = r#""languageVersion":"2.0","parameters":{"subnets":{"type":"array"},"flag":{"type":"bool"}},
"resources":{
"vnet":{"type":"Microsoft.Network/virtualNetworks","apiVersion":"2024-05-01","name":"v","properties":{
 "subnets":[{"name":"nodes","properties":{"addressPrefix":"10.0.0.0/24"}}],"dhcpOptions":null}},
"existingVault":{"existing":true,"type":"Microsoft.KeyVault/vaults","apiVersion":"2023-07-01","resourceGroup":"shared","name":"kv"},
"aks":{"type":"Microsoft.ContainerService/managedClusters","apiVersion":"2025-05-01","name":"aks","identity":{"type":"SystemAssigned"},"properties":{
 "oidcIssuerProfile":{"enabled":true},"agentPoolProfiles":[{"vnetSubnetID":"[reference('vnet').subnets[0].id]"}],
 "vault":"[reference('existingVault').vaultUri]","prefix":"[reference('vnet').subnets[0].properties.addressPrefix]"}},
"loop":{"copy":{"name":"loop","count":2},"type":"A.B/c","apiVersion":"1","name":"[format('l{0}', copyIndex())]","properties":{"n":"[copyIndex()]"}},
"role":{"type":"Microsoft.Authorization/roleAssignments","apiVersion":"2022-04-01","scope":"[resourceId('Microsoft.Network/virtualNetworks', 'v')]","name":"[guid('a')]",
 "properties":{"principalId":"[reference('aks', '2025-05-01', 'full').identity.principalId]"}},
"mod":{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"mod","properties":{"expressionEvaluationOptions":{"scope":"inner"},"mode":"Incremental",
 "parameters":{"issuer":{"value":"[reference('aks').oidcIssuerProfile.issuerURL]"}},
 "template":{"languageVersion":"2.0","parameters":{"issuer":{"type":"string"}},
  "resources":{"fic":{"type":"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials","apiVersion":"1","name":"id/f","properties":{"issuer":"[parameters('issuer')]"}}},
  "outputs":{"out":{"type":"string","value":"[concat('x-', parameters('issuer'))]"},"known":{"type":"int","value":5},"secret":{"type":"secureString","value":"[listKeys('a', '1').key]"}}}}}},
"outputs":{"known":{"type":"int","value":"[reference('mod').outputs.known.value]"},"out":{"type":"string","value":"[reference('mod').outputs.out.value]"},
"loops":{"type":"array","value":"[map(references('loop', 'full'), lambda('r', lambdaVariables('r').properties.n))]"},
"second":{"type":"int","value":"[reference('loop[1]').n]"},
"info":{"type":"string","value":"[resourceInfo('loop[1]').id]"},
"dhcp":{"type":"object","value":"[reference('vnet').dhcpOptions]"},
"keys":{"type":"string","value":"[listCredentials('aks', '1').kubeconfigs[0].value]"},
"secret":{"type":"string","value":"[listOutputsWithSecureValues('mod', '1').secret]"}}"#;

#[test]
fn symbolic_names_and_references() {
    let found = short(&template(SYMBOLIC));
    let expected = "~/Microsoft.Network/virtualNetworks/v\n  \
{\"subnets\":[{\"name\":\"nodes\",\"properties\":{\"addressPrefix\":\"10.0.0.0/24\"}}],\"dhcpOptions\":null}\n\
existing ^/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/kv\n\
~/Microsoft.ContainerService/managedClusters/aks\n  \
{\"oidcIssuerProfile\":{\"enabled\":true},\"agentPoolProfiles\":[{\"vnetSubnetID\":<~/Microsoft.Network/virtualNetworks/v/subnets/nodes>}],\
\"vault\":<existingVault.properties.vaultUri>,\"prefix\":\"10.0.0.0/24\"}\n\
~/A.B/c/l0\n  {\"n\":0}\n~/A.B/c/l1\n  {\"n\":1}\n\
~/Microsoft.Network/virtualNetworks/v/providers/Microsoft.Authorization/roleAssignments/3703365d-5a9f-59b4-bca7-b9681389e4c1\n  \
{\"principalId\":<aks.identity.principalId>}\n\
~/Microsoft.ManagedIdentity/userAssignedIdentities/id/federatedIdentityCredentials/f\n  \
{\"issuer\":<{aks.properties.oidcIssuerProfile.issuerURL}>}\n\
known = 5\nout = <x-{aks.properties.oidcIssuerProfile.issuerURL}>\nloops = [0,1]\nsecond = 1\n\
info = <~/A.B/c/l1>\ndhcp = <vnet.properties.dhcpOptions>\n\
keys = !<aks.listCredentials().kubeconfigs[0].value>\nsecret = !<{mod.outputs.secret}>\n";
    assert!(found.starts_with(expected), "{found}");
    super::expand(&template(SYMBOLIC), |expansion, sources| {
        let fic = expansion
            .resources
            .iter()
            .find(|one| one.name == "id/f")
            .unwrap();
        assert_eq!(fic.through.len(), 1);
        assert_eq!(sources.line_column(fic.through[0]).0, 13);
        let issuer = fic.body.get("properties").unwrap().get("issuer").unwrap();
        let why = issuer.unknown().unwrap().why;
        assert_eq!(
            why,
            [bicep::value::Why::Reference(
                "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.ContainerService/managedClusters/aks"
            )]
        );
    });
}

#[test]
fn references_by_id_and_by_name() {
    let text = template(
        r#""parameters":{"n":{"type":"string"}},"resources":[
{"type":"A.B/c","apiVersion":"1","name":"[parameters('n')]","properties":{"x":7}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"mod","properties":{"mode":"Incremental","template":{"resources":[],"outputs":{"o":{"type":"int","value":9}}}}}],
"outputs":{"a":{"type":"int","value":"[reference(resourceId('A.B/c', parameters('n'))).x]"},
"b":{"type":"int","value":"[reference(parameters('n'), '1').x]"},
"c":{"type":"int","value":"[reference(resourceId('Microsoft.Resources/deployments', 'mod')).outputs.o.value]"},
"d":{"type":"string","value":"[reference(resourceId('A.B/other', 'q'), '1').y.z]"}}"#,
    );
    assert_eq!(
        short(&text),
        "~/A.B/c/{n}\n  {\"x\":7}\na = 7\nb = 7\nc = 9\n\
         d = <reference('/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/A.B/other/q').y.z>\n\
         open n allowed [] compared []\n"
    );
}

#[test]
fn user_functions_see_only_their_parameters() {
    let text = template(
        r#""functions":[{"namespace":"__bicep","members":{
"hello":{"parameters":[{"type":"string","name":"who"}],"output":{"type":"string","value":"[format('hi {0}', parameters('who'))]"}},
"twice":{"parameters":[{"type":"string","name":"x"}],"output":{"type":"string","value":"[concat(__bicep.hello(parameters('x')), __bicep.hello('b'))]"}}}}],
"parameters":{"who":{"type":"string","defaultValue":"outer"}},"resources":[],
"outputs":{"a":{"type":"string","value":"[__bicep.twice('a')]"},"b":{"type":"string","value":"[__bicep.none()]"},"c":{"type":"string","value":"[__bicep.hello()]"}}"#,
    );
    let found = short(&text);
    assert!(
        found.starts_with("a = \"hi ahi b\"\nb = <error>\nc = <error>\n"),
        "{found}"
    );
    assert!(
        found.contains("there is no function `__bicep.none`"),
        "{found}"
    );
    assert!(
        found.contains("`__bicep.hello` takes 1 arguments, not 0"),
        "{found}"
    );
}

#[test]
fn what_leads_back_to_itself_is_a_problem() {
    let text = template(
        r#""variables":{"a":"[variables('b')]","b":"[variables('a')]"},
"parameters":{"p":{"type":"string","defaultValue":"[parameters('p')]"}},"resources":[],
"outputs":{"a":{"type":"string","value":"[variables('a')]"},"p":{"type":"string","value":"[parameters('p')]"}}"#,
    );
    let found = short(&text);
    assert!(
        found.contains("the variable `a` leads back to itself"),
        "{found}"
    );
    assert!(
        found.contains("the parameter `p` leads back to itself"),
        "{found}"
    );
}

#[test]
fn resources_of_extensions_keep_their_type() {
    let text = template(
        r#""languageVersion":"2.0","extensions":{"graph":{"name":"MicrosoftGraph","version":"1.0.0"}},
"resources":{"group":{"extension":"graph","type":"Microsoft.Graph/groups@v1.0","properties":{"uniqueName":"admins","displayName":"Admins"}}},
"outputs":{"id":{"type":"string","value":"[reference('group').id]"}}"#,
    );
    assert_eq!(
        outcome(&text),
        "graph:Microsoft.Graph/groups/providers/Microsoft.Graph/groups/admins\n  {\"uniqueName\":\"admins\",\"displayName\":\"Admins\"}\nid = <group.properties.id>\n"
            .replace("/providers/Microsoft.Graph/groups", "")
    );
}

#[test]
fn an_open_place_in_a_loop_is_what_all_have_in_common() {
    let text = template(
        r#""languageVersion":"2.0","parameters":{"at":{"type":"int"}},"resources":{
"loop":{"copy":{"name":"loop","count":2},"type":"A.B/c","apiVersion":"1","name":"[format('l{0}', copyIndex())]","properties":{"same":"x","n":"[copyIndex()]"}}},
"outputs":{"same":{"type":"string","value":"[reference(format('loop[{0}]', parameters('at'))).same]"},
"n":{"type":"int","value":"[reference(format('loop[{0}]', parameters('at'))).n]"}}"#,
    );
    let found = short(&text);
    assert!(
        found.contains("same = \"x\"\nn = <loop[at].n>\n"),
        "{found}"
    );
}

#[test]
fn a_module_sees_what_an_earlier_one_makes() {
    let text = template(
        r#""languageVersion":"2.0","resources":{
"net":{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"net","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"template":{"resources":[
 {"type":"Microsoft.Network/virtualNetworks","apiVersion":"1","name":"v","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/8"]}}}]}}},
"vnet":{"existing":true,"type":"Microsoft.Network/virtualNetworks","apiVersion":"1","name":"v"}},
"outputs":{"range":{"type":"string","value":"[reference('vnet').addressSpace.addressPrefixes[0]]"},"guid":{"type":"string","value":"[reference('vnet').resourceGuid]"}}"#,
    );
    let found = short(&text);
    assert!(
        found.ends_with("range = \"10.0.0.0/8\"\nguid = <vnet.properties.resourceGuid>\n"),
        "{found}"
    );
}

#[test]
fn an_object_that_a_module_gives_out_is_all_there_is_of_it() {
    let text = template(
        r#""languageVersion":"2.0","resources":{
"net":{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"[format('{0}-net', deployment().name)]","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"template":{
 "resources":[],"outputs":{"rules":{"type":"object","value":{"group":{"id":"[resourceId('A.B/c', 'x')]"}}}}}}}},
"outputs":{"subnet":{"type":"object","value":"[union(createObject('name', 'nodes'), reference('net').outputs.rules.value)]"}}"#,
    );
    let found = short(&text);
    assert!(
        found.ends_with("subnet = {\"name\":\"nodes\",\"group\":{\"id\":<~/A.B/c/x>}}\n"),
        "{found}"
    );
}

/// Two files beside the template.
struct Beside;

impl Files for Beside {
    fn file(&self, from: &str, path: &str) -> Result<Found, String> {
        assert_eq!(from, "main.json");
        let text = match path {
            "nested/link.json" => {
                r#"{"parameters":{"a":{"type":"string"},"b":{"type":"string"}},"resources":[{"type":"A.B/c","apiVersion":"1","name":"[concat(parameters('a'), parameters('b'))]"}]}"#
            }
            "nested/link.parameters.json" => r#"{"parameters":{"b":{"value":"file"}}}"#,
            "nested/beside.json" => {
                r#"{"resources":[{"type":"A.B/c","apiVersion":"1","name":"beside"}]}"#
            }
            _ => return Err(format!("`{path}` was not found")),
        };
        Ok(Found {
            name: path.to_owned(),
            bytes: text.into(),
            published: false,
        })
    }

    fn module(&self, _from: &str, reference: &str) -> Result<Found, String> {
        Err(format!("`{reference}` is not in the cache"))
    }
}

#[test]
fn a_template_on_another_machine_is_not_fetched() {
    let text = template(
        r#""resources":[
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"a","properties":{"mode":"Incremental","templateLink":{"uri":"https://example.blob.core.windows.net/t/a.json?sv=2020&sig=canary"},
"parametersLink":{"uri":"https://example.org/p.json"}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"b","properties":{"mode":"Incremental","templateLink":{"relativePath":"gone.json"}}}]"#,
    );
    let found = bicep::expand_text("main.json", &text, &Empty, |_, _| Options::default(), lines);
    assert_eq!(
        found,
        "problem 3:121 `https://example.blob.core.windows.net/t/a.json` is not fetched\n\
         problem 5:121 `gone.json` was not found: there is no such file\n"
    );
}

/// A folder without files.
struct Empty;

impl Files for Empty {
    fn file(&self, _from: &str, _path: &str) -> Result<Found, String> {
        Err("there is no such file".to_owned())
    }

    fn module(&self, _from: &str, _reference: &str) -> Result<Found, String> {
        Err("there is none".to_owned())
    }
}

#[test]
fn linked_templates_are_read_or_reported() {
    let text = template(
        r#""resources":[
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"a","properties":{"mode":"Incremental","templateLink":{"relativePath":"nested/link.json"},"parameters":{"a":{"value":"x-"},"b":{"value":"given"}}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"b","properties":{"mode":"Incremental","templateLink":{"relativePath":"missing.json"}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"d","properties":{"mode":"Incremental","templateLink":{"uri":"[uri(deployment().properties.templateLink.uri, concat('nested/', 'beside.json'))]"}}},
{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"c","properties":{"mode":"Incremental","templateLink":{"id":"[resourceId('s','g','Microsoft.Resources/templateSpecs/versions','t','1')]"}}}],
"outputs":{"o":{"type":"string","value":"[reference('b').outputs.x.value]"}}"#,
    );
    let found = bicep::expand_text(
        "main.json",
        &text,
        &Beside,
        |_, _| Options::default(),
        lines,
    );
    assert!(found.contains("/providers/A.B/c/x-given\n"), "{found}");
    assert!(found.contains("/providers/A.B/c/beside\n"), "{found}");
    assert!(
        found.contains("problem 4:121 `missing.json` was not found\n"),
        "{found}"
    );
    assert!(
        found.contains("templateSpecs/t/versions/1` is not in the cache\n"),
        "{found}"
    );
    assert!(
        found.contains("o = <deployments['b'].outputs.x.value>\n"),
        "{found}"
    );
}
