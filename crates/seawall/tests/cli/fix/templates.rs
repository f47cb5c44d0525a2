//! Fixes of templates: written where the value comes from, proved by what all templates come to then.

use std::fs;

use serde_json::Value;

use crate::run::{Folder, Ran};
use crate::schemas::{errors, schema};

use super::{changed, fix, read};

const MAIN: &str = "\
// The platform.
param noLocalAccounts bool = false // for a while
param adminUser bool

module cluster 'modules/cluster.bicep' = {
  name: 'cluster'
  params: {
    noLocalAccounts: noLocalAccounts
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'shop'
  location: 'westeurope'
  sku: { name: 'Premium' }
  properties: {
    adminUserEnabled: adminUser
  }
}
";

const VALUES: &str = "\
using 'main.bicep'

param adminUser = true // the pipeline pushes with it
";

const CLUSTER: &str = "\
param noLocalAccounts bool

resource cluster 'Microsoft.ContainerService/managedClusters@2025-10-01' = {
  name: 'shop'
  location: 'westeurope'
  identity: { type: 'SystemAssigned' }
  properties: {
    dnsPrefix: 'shop'
    disableLocalAccounts: noLocalAccounts
    aadProfile: { managed: true, enableAzureRBAC: true }
    apiServerAccessProfile: {
      disableRunCommand: length('abc') == 0
    }
    agentPoolProfiles: [
      {
        name: 'system' // the first
        mode: 'System'
        count: 3
        vmSize: 'Standard_D4ds_v5'
      }
    ]
  }
}
";

const GUIDELINES: [&str; 8] = [
    "--guideline",
    "api-local-accounts-off",
    "--guideline",
    "api-run-command-off",
    "--guideline",
    "acr-no-shared-credentials",
    "--guideline",
    "wi-enabled",
];

fn cure(folder: &Folder, args: &[&str]) -> Ran {
    fix(folder, &[&GUIDELINES, args].concat())
}

fn bicep() -> Folder {
    let folder = Folder::of(&[("main.bicep", MAIN), ("main.bicepparam", VALUES)]);
    fs::create_dir(folder.path().join("modules")).unwrap();
    folder.write("modules/cluster.bicep", CLUSTER);
    folder
}

#[test]
fn bicep_is_fixed_where_the_value_comes_from() {
    let folder = bicep();
    let shown = cure(&folder, &["."]);
    assert_eq!(shown.code, 1, "{}{}", shown.out, shown.err);
    for line in [
        "-param noLocalAccounts bool = false // for a while",
        "+param noLocalAccounts bool = true // for a while",
        "-param adminUser = true // the pipeline pushes with it",
        "+param adminUser = false // the pipeline pushes with it",
    ] {
        assert!(shown.out.contains(line), "{line}\n{}", shown.out);
    }
    assert!(
        shown.out.contains("is decided by `length('abc') == 0`"),
        "{}",
        shown.out
    );
    assert_eq!(read(&folder, "main.bicep"), MAIN);

    let ran = cure(&folder, &[".", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let main = read(&folder, "main.bicep");
    let values = read(&folder, "main.bicepparam");
    let cluster = read(&folder, "modules/cluster.bicep");
    assert_eq!(main, MAIN.replace("bool = false", "bool = true"));
    assert_eq!(values, VALUES.replace("= true", "= false"));
    let (gone, new) = changed(CLUSTER, &cluster);
    assert!(gone.is_empty(), "{gone:?}");
    assert_eq!(
        new,
        [
            "    oidcIssuerProfile: {",
            "      enabled: true",
            "    }",
            "    securityProfile: {",
            "      workloadIdentity: {",
            "        enabled: true",
            "      }",
            "    }",
        ]
    );

    // What is said to be cured is, and the same once more has nothing to do.
    let ran = cure(&folder, &[".", "--write", "--unsafe"]);
    assert!(ran.out.contains("Nothing to fix here."), "{}", ran.out);
    assert_eq!(read(&folder, "main.bicep"), main);
    assert_eq!(read(&folder, "modules/cluster.bicep"), cluster);
    let args = [&["assess", "."][..], &GUIDELINES, &["--format", "json"]].concat();
    let report: Value = serde_json::from_str(&folder.run(&args).out).unwrap();
    let fails: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "fail")
        .map(|finding| &finding["guideline"])
        .collect();
    assert_eq!(fails, ["api-run-command-off"]);
}

/// The same in JSON, with a parameter file, a comment and a byte order mark.
const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "adminUser": { "type": "bool" }, "local": { "type": "bool", "defaultValue": false } },
  "resources": [
    {
      "type": "Microsoft.ContainerRegistry/registries",
      "apiVersion": "2025-11-01",
      "name": "shop", // it is the only one
      "sku": { "name": "Premium" },
      "properties": { "AdminUserEnabled": "[parameters('adminUser')]" }
    },
    {
      "type": "Microsoft.ContainerService/managedClusters",
      "apiVersion": "2025-10-01",
      "name": "shop",
      "properties": {
        "dnsPrefix": "shop",
        "disableLocalAccounts": "[parameters('local')]",
        "apiServerAccessProfile": { "disableRunCommand": "[equals(1, 2)]" }
      }
    }
  ]
}
"#;

const PARAMETERS: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "adminUser": { "value": true } }
}
"#;

#[test]
fn arm_templates_are_fixed_where_the_value_comes_from() {
    let template = format!("\u{feff}{TEMPLATE}");
    let folder = Folder::of(&[
        ("azuredeploy.json", &template),
        ("azuredeploy.parameters.json", PARAMETERS),
    ]);
    let shown = cure(&folder, &[".", "--format", "json"]);
    let report: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(
        errors(&schema("fix-v1.json"), &report),
        Vec::<String>::new()
    );
    let why = report["notFixed"][0]["why"].as_str().unwrap();
    assert!(
        why.ends_with("is decided by `[equals(1, 2)]`") && report["notFixed"][1].is_null(),
        "{}",
        report["notFixed"]
    );
    let ran = cure(&folder, &[".", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(
        read(&folder, "azuredeploy.parameters.json"),
        PARAMETERS.replace("true", "false")
    );
    let after = read(&folder, "azuredeploy.json");
    assert!(after.starts_with('\u{feff}'));
    assert!(after.contains("\"defaultValue\": true }"), "{after}");
    assert!(after.contains("\"shop\", // it is the only one"), "{after}");
    assert!(after.contains("\"[equals(1, 2)]\""), "{after}");
    assert!(after.contains("\"workloadIdentity\": {"), "{after}");
    let ran = cure(&folder, &[".", "--write", "--unsafe"]);
    assert!(ran.out.contains("Nothing to fix here."), "{}", ran.out);
}

#[test]
fn what_a_parameter_does_not_allow_is_taken_back_alone() {
    let main = MAIN.replace(
        "param noLocalAccounts bool = false",
        "@allowed([false])\nparam noLocalAccounts bool = false",
    );
    let folder = Folder::of(&[("main.bicep", &main), ("main.bicepparam", VALUES)]);
    fs::create_dir(folder.path().join("modules")).unwrap();
    folder.write("modules/cluster.bicep", CLUSTER);
    let ran = cure(&folder, &[".", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let said: Vec<&str> = ran.out.split_whitespace().collect();
    let why = "`main.bicep` could not be read after it: the value of `noLocalAccounts` is not allowed: it is none of false";
    assert!(said.join(" ").contains(why), "{}", ran.out);
    assert_eq!(read(&folder, "main.bicep"), main);
    assert_eq!(
        read(&folder, "main.bicepparam"),
        VALUES.replace("= true", "= false")
    );
}
