//! Edits far from a resource: of what several share, of what lacks an entry, of one of several with the same name.

use std::collections::BTreeMap;

use terraform::edit::{Editor, Input, Outcome, Wanted};
use terraform::reading::Options;
use yaml::edit::{Operation, Value, apply};

use crate::edit::{route, set};
use crate::given::Memory;
use crate::table::table;

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

/// What became of wishes, and the files after them.
fn edited(
    files: &[(&str, &str)],
    folder: &str,
    wishes: &[Wanted<'_>],
) -> (Vec<Outcome>, BTreeMap<String, String>) {
    let memory = Memory::of(files);
    let table = table();
    let options = Options::default();
    let input = Input {
        files: &memory,
        table: &table,
        folder,
        options: &options,
    };
    let mut editor = Editor::default();
    let outcomes = editor.apply(&input, wishes);
    let mut texts = memory.0;
    for (path, edits) in editor.finish() {
        let text = texts.get_mut(&path).unwrap();
        *text = apply(text, &edits);
    }
    (outcomes, texts)
}

fn wish<'w>(kind: &'w str, name: &'w str, operations: &'w [Operation]) -> Wanted<'w> {
    Wanted {
        kind,
        name,
        place: None,
        operations,
        within: None,
        at_call: false,
    }
}

fn cluster(label: &str, name: &str, rest: &str) -> String {
    format!(
        "resource \"azurerm_kubernetes_cluster\" \"{label}\" {{\n  name                = \"{name}\"\n  resource_group_name = \"rg\"\n{rest}}}\n"
    )
}

#[test]
fn what_has_the_same_name_is_told_apart_by_its_place() {
    // The last wish is refused, so that the others are made again, a few at a time.
    let text = [
        cluster("a", "aks", ""),
        cluster("b", "aks", ""),
        cluster("c", "aks", ""),
        cluster(
            "d",
            "other",
            "  local_account_disabled = var.on\n  azure_policy_enabled = var.on\n",
        ),
        "variable \"on\" {\n  default = false\n}\n".to_owned(),
    ]
    .concat();
    let operations = [set("properties.disableLocalAccounts", "true")];
    let starts: Vec<usize> = text
        .match_indices("resource \"")
        .map(|(at, _)| at)
        .collect();
    let wishes: Vec<Wanted<'_>> = starts
        .iter()
        .zip(["aks", "aks", "aks", "other"])
        .map(|(start, name)| Wanted {
            place: Some(("main.tf", *start)),
            ..wish(CLUSTER, name, &operations)
        })
        .collect();
    let (outcomes, texts) = edited(&[("main.tf", &text)], ".", &wishes);
    let made: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, true, true, false], "{outcomes:?}");
    let after = &texts["main.tf"];
    assert_eq!(after.matches("local_account_disabled = true").count(), 3);
    for part in after.split("resource \"").skip(1).take(3) {
        assert!(part.contains("local_account_disabled = true"), "{after}");
    }
}

#[test]
fn an_object_gets_the_entry_that_it_lacks() {
    let main = "module \"pools\" {\n  source = \"./pools\"\n  pools = {\n    for i in range(2) : \"w${i}\" => {\n      name = \"w${i}\"\n    }\n  }\n}\n";
    let module = "variable \"pools\" {\n  type = map(object({\n    name      = string\n    encrypted = optional(bool)\n    fips      = optional(bool, false)\n  }))\n}\nresource \"azurerm_kubernetes_cluster_node_pool\" \"p\" {\n  for_each                = var.pools\n  kubernetes_cluster_id   = \"/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks\"\n  name                    = each.value.name\n  host_encryption_enabled = each.value.encrypted\n  fips_enabled            = each.value.fips\n}\n";
    let operations = [
        set("properties.enableEncryptionAtHost", "true"),
        set("properties.enableFIPS", "true"),
    ];
    let wishes = [
        wish(POOL, "aks/w0", &operations),
        wish(POOL, "aks/w1", &operations),
    ];
    let (outcomes, texts) = edited(
        &[("main.tf", main), ("pools/main.tf", module)],
        ".",
        &wishes,
    );
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(
        texts["main.tf"],
        main.replace(
            "      name = \"w${i}\"\n",
            "      name      = \"w${i}\"\n      encrypted = true\n"
        )
    );
    assert_eq!(
        texts["pools/main.tf"],
        module.replace("optional(bool, false)", "optional(bool, true)")
    );
}

#[test]
fn an_item_of_a_list_is_a_block() {
    let head = "resource \"azurerm_key_vault_key\" \"k\" {\n  name         = \"k\"\n  key_vault_id = \"/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v\"\n";
    let operations = [
        Operation::Add {
            route: route("properties.rotationPolicy.lifetimeActions"),
            value: Value::read("{trigger: {timeBeforeExpiry: P30D}, action: {type: rotate}}")
                .unwrap(),
        },
        set("properties.rotationPolicy.attributes.expiryTime", "P1Y"),
    ];
    let key = [wish("Microsoft.KeyVault/vaults/keys", "v/k", &operations)];
    let (outcomes, texts) = edited(&[("main.tf", &format!("{head}}}\n"))], ".", &key);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(
        texts["main.tf"],
        format!(
            "{head}\n  rotation_policy {{\n    expire_after = \"P1Y\"\n\n    automatic {{\n      time_before_expiry = \"P30D\"\n    }}\n  }}\n}}\n"
        )
    );
    // Many blocks may be there once only.
    let other = format!(
        "{head}\n  rotation_policy {{\n    automatic {{\n      time_after_creation = \"P90D\"\n    }}\n  }}\n}}\n"
    );
    let (outcomes, _) = edited(&[("main.tf", &other)], ".", &key);
    assert_eq!(
        outcomes[0].as_ref().unwrap_err(),
        "there is a `automatic` block already, and perhaps no room for another"
    );
    let unsaid = [Operation::Add {
        route: route("properties.rotationPolicy.lifetimeActions"),
        value: Value::read("{action: {type: notify}}").unwrap(),
    }];
    let key = [wish("Microsoft.KeyVault/vaults/keys", "v/k", &unsaid)];
    let (outcomes, _) = edited(&[("main.tf", &format!("{head}}}\n"))], ".", &key);
    assert_eq!(
        outcomes[0].as_ref().unwrap_err(),
        "`automatic` makes no such item: azurerm always sends `rotate` there"
    );
}

#[test]
fn the_call_says_what_a_module_must_not_say_for_all() {
    let module = "variable \"locals\" {\n  default = false\n}\nresource \"azurerm_kubernetes_cluster\" \"c\" {\n  name                   = \"aks\"\n  resource_group_name    = \"rg\"\n  local_account_disabled = var.locals\n}\n";
    let call = "module \"aks\" {\n  source = \"../aks\"\n}\n";
    let operations = [set("properties.disableLocalAccounts", "true")];
    let wanted = wish(CLUSTER, "aks", &operations);
    for (at_call, caller, called) in [
        (
            true,
            "module \"aks\" {\n  source = \"../aks\"\n\n  locals = true\n}\n".to_owned(),
            module.to_owned(),
        ),
        (
            false,
            call.to_owned(),
            module.replace("default = false", "default = true"),
        ),
    ] {
        let (outcomes, texts) = edited(
            &[("one/main.tf", call), ("aks/main.tf", module)],
            "one",
            &[Wanted {
                at_call,
                ..wanted.clone()
            }],
        );
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(texts["one/main.tf"], caller);
        assert_eq!(texts["aks/main.tf"], called);
    }
    // What has no argument stays.
    let plain = cluster("c", "aks", "");
    let (outcomes, texts) = edited(
        &[("one/main.tf", call), ("aks/main.tf", &plain)],
        "one",
        &[Wanted {
            at_call: true,
            ..wanted
        }],
    );
    assert!(outcomes[0].is_err());
    assert_eq!(texts["aks/main.tf"], plain);
}

#[test]
fn a_condition_is_decided_where_it_comes_from() {
    let main = |tier: &str| {
        format!(
            "variable \"paid\" {{\n  default = false\n}}\n\nlocals {{\n  paid = var.paid\n}}\n\nresource \"azurerm_kubernetes_cluster\" \"c\" {{\n  name                = \"aks\"\n  resource_group_name = \"rg\"\n  sku_tier            = {tier}\n}}\n"
        )
    };
    let operations = [set("sku.tier", "Standard")];
    let wanted = [wish(CLUSTER, "aks", &operations)];
    for (tier, expected) in [
        // The other one is wanted: two that are the same would be no choice.
        (
            "local.paid ? \"Standard\" : \"Free\"",
            Some(("default = false", "default = true")),
        ),
        // Neither is.
        (
            "local.paid ? \"Premium\" : \"Free\"",
            Some(("\"Free\"", "\"Standard\"")),
        ),
        ("1 > 2 ? \"Standard\" : \"Free\"", None),
    ] {
        let text = main(tier);
        let (outcomes, texts) = edited(&[("main.tf", &text)], ".", &wanted);
        match expected {
            Some((old, new)) => {
                assert!(outcomes[0].is_ok(), "{outcomes:?}");
                assert_eq!(texts["main.tf"], text.replace(old, new));
            }
            None => {
                assert_eq!(
                    outcomes[0].as_ref().unwrap_err(),
                    "`sku_tier`: `1 > 2 ? \"Standard\" : \"Free\"` is computed: `1 > 2` decides it"
                );
                assert_eq!(texts["main.tf"], text);
            }
        }
    }
}
