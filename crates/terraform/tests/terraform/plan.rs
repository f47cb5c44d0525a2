//! Plans: one written by hand to the documented form, and one that Terraform makes.

use std::process::Command;

use bicep::source::Sources;
use bumpalo::Bump;

use crate::given::{Memory, words};
use crate::table::table;

#[test]
fn a_plan_gives_the_same_resources() {
    let text = include_str!("plan.json");
    let arena = Bump::new();
    let mut sources = Sources::default();
    assert!(terraform::looks_like_plan(text));
    let found = terraform::read_plan(&arena, &mut sources, &table(), "plan.json", text);
    assert_eq!(found.reading.problems, []);
    assert_eq!(found.reading.azurerm, (4, 4));
    let ids: Vec<&str> = found.resources.iter().map(|one| one.id).collect();
    let group = "/subscriptions/{subscription}/resourceGroups/rg";
    assert_eq!(
        ids,
        [
            group.to_owned(),
            format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks"),
            format!("{group}/providers/Microsoft.Network/virtualNetworks/vnet"),
            format!("{group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes"),
            format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks"),
        ]
    );
    let cluster = &found.resources[1];
    let properties = cluster.body.get("properties").unwrap();
    let pool = properties.get("agentPoolProfiles").unwrap().items()[0];
    assert_eq!(
        words(pool.get("vnetSubnetID").unwrap()),
        format!("<{group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes>")
    );
    let access = properties.get("apiServerAccessProfile").unwrap();
    assert_eq!(
        words(access),
        "{enablePrivateCluster:true,enablePrivateClusterPublicFQDN:false,disableRunCommand:true}"
    );
    assert_eq!(
        words(cluster.body.get("identity").unwrap()),
        format!(
            "{{type:\"UserAssigned\",userAssignedIdentities:<{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks>}}"
        )
    );
    // The association changes the subnet.
    let subnet = found.resources[3].body.get("properties").unwrap();
    assert!(
        words(subnet.get("networkSecurityGroup").unwrap()).contains("networkSecurityGroups/old")
    );
    // Places are places in the plan.
    let place = access.get("enablePrivateCluster").unwrap().span;
    let line = text
        .lines()
        .nth(sources.line_column(place).0 as usize - 1)
        .unwrap();
    assert!(line.contains("\"private_cluster_enabled\": true"), "{line}");
    let outputs: Vec<(&str, String)> = found
        .reading
        .outputs
        .iter()
        .map(|(name, value)| (*name, words(value)))
        .collect();
    assert_eq!(outputs[0], ("fqdn", "<output.fqdn>".to_owned()));
    assert_eq!(outputs[1], ("key", "<!output.key>".to_owned()));
    // What only Azure gives is no argument.
    let body = found.reading.resources[1].body;
    assert!(body.get("kube_config").is_none() && body.get("fqdn").is_none());
    assert!(found.unmapped.is_empty(), "{:?}", found.unmapped);
}

#[test]
fn what_is_no_plan_is_told() {
    for (text, expected) in [
        ("{", ""),
        ("{}", "planned_values"),
        ("[1]", "planned_values"),
    ] {
        let arena = Bump::new();
        let mut sources = Sources::default();
        let found = terraform::read_plan(&arena, &mut sources, &table(), "p", text);
        assert!(
            found.reading.problems[0].message.contains(expected),
            "{text}"
        );
        assert!(!terraform::looks_like_plan(text));
    }
}

/// `terraform_data` is built in, so that a real plan can be made without a provider.
#[test]
fn a_plan_of_terraform_itself_is_read() {
    let folder = std::env::temp_dir().join(format!("seawall-plan-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("m")).unwrap();
    let run = |args: &[&str]| {
        Command::new("terraform")
            .args(args)
            .current_dir(&folder)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
    };
    // Without the program there is nobody to ask.
    if run(&["version"]).is_err() {
        std::fs::remove_dir_all(&folder).unwrap();
        return;
    }
    let main = "module \"m\" {\n  source = \"./m\"\n  for_each = { a = 1 }\n  input = terraform_data.one.id\n}\n\
         resource \"terraform_data\" \"one\" { input = { known = [1, true], secret = sensitive(\"s3cr3t\") } }\n\
         resource \"terraform_data\" \"two\" { input = module.m[\"a\"].id }\n\
         resource \"terraform_data\" \"many\" {\n  for_each = { for n in range(3) : \"k${n}\" => n if n != 1 }\n  input = [each.key, each.value * 2]\n}\n";
    let inner = "variable \"input\" {}\nresource \"terraform_data\" \"inner\" {\n  count = 2\n  input = var.input\n}\n\
         output \"id\" { value = terraform_data.inner[1].id }\n";
    std::fs::write(folder.join("main.tf"), main).unwrap();
    std::fs::write(folder.join("m/main.tf"), inner).unwrap();
    for args in [&["init", "-no-color"][..], &["plan", "-no-color", "-out=p"]] {
        let done = run(args).unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    let shown = run(&["show", "-json", "p"]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let arena = Bump::new();
    let mut sources = Sources::default();
    assert!(terraform::looks_like_plan(&text));
    let found = terraform::read_plan(&arena, &mut sources, &table(), "p.json", &text);
    assert_eq!(found.reading.problems, []);
    let read: Vec<(&str, String)> = found
        .reading
        .resources
        .iter()
        .map(|one| (one.address, words(one.body.get("input").unwrap())))
        .collect();
    // The configuration alone gives the same, in its own order.
    let files = Memory::of(&[("main.tf", main), ("m/main.tf", inner)]);
    let direct = crate::given::read(&arena, &mut sources, &files);
    let mut evaluated: Vec<(&str, String)> = direct
        .resources
        .iter()
        .map(|one| (one.address, words(one.body.get("input").unwrap())))
        .collect();
    evaluated.sort();
    let mut planned = read.clone();
    planned.sort();
    for ((address, planned), (own, evaluated)) in planned.iter().zip(&evaluated) {
        assert_eq!(address, own);
        if !planned.contains('!') {
            assert_eq!(planned, evaluated, "{address}");
        }
    }
    assert_eq!(planned.len(), evaluated.len());
    assert_eq!(
        read,
        [
            ("terraform_data.many[\"k0\"]", "[\"k0\",0]".to_owned()),
            ("terraform_data.many[\"k2\"]", "[\"k2\",4]".to_owned()),
            (
                "terraform_data.one",
                "{known:[1,true],secret:<!terraform_data.one.input.secret>}".to_owned()
            ),
            (
                "terraform_data.two",
                "<module.m[\"a\"].terraform_data.inner[1].id>".to_owned()
            ),
            (
                "module.m[\"a\"].terraform_data.inner[0]",
                "<terraform_data.one.id>".to_owned()
            ),
            (
                "module.m[\"a\"].terraform_data.inner[1]",
                "<terraform_data.one.id>".to_owned()
            ),
        ]
    );
}
