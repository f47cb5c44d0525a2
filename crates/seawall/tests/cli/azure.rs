//! `--azure` from the command line to findings, against a server on loopback.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;

use oracle::azure::{Azure as Server, Trouble, What, World};
use serde_json::{Value, json};

use crate::run::{DAY, Folder, Json, Ran};

const CLUSTER: &str = "aaaaaaaa-0000-4000-8000-000000000001";

pub(crate) fn world() -> World {
    let text = include_str!("../../../sources/tests/sources/azure-estate.json");
    let estate: Value = serde_json::from_str(text).unwrap();
    let list = |key: &str| estate[key].as_array().unwrap().clone();
    World {
        subscriptions: list("subscriptions")
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect(),
        resources: list("resources"),
        directory: list("directory"),
        page: 20,
        assertion: "a service account's token".to_owned(),
        versions: vec![(
            "Microsoft.Insights/diagnosticSettings".to_owned(),
            vec!["2021-05-01-preview".to_owned()],
        )],
        ..World::default()
    }
}

/// `seawall assess --azure` as a pod with workload identity runs it.
fn assess(server: &Server, folder: &Folder, args: &[&str]) -> Ran {
    run(
        server,
        folder,
        &[&["assess", "--as-of", DAY, "--azure"], args].concat(),
    )
}

/// Any command, as such a pod runs it.
pub(crate) fn run(server: &Server, folder: &Folder, args: &[&str]) -> Ran {
    folder.write("token", "a service account's token");
    folder.write("ca.pem", server.certificate());
    let output = Command::new(env!("CARGO_BIN_EXE_seawall"))
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", OsString::new())
        .env("COLUMNS", "80")
        .env("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111")
        .env("AZURE_CLIENT_ID", CLUSTER)
        .env("AZURE_FEDERATED_TOKEN_FILE", folder.path().join("token"))
        .env("AZURE_AUTHORITY_HOST", server.address())
        .env("SEAWALL_AZURE_ENDPOINT", server.address())
        .env("SEAWALL_GRAPH_ENDPOINT", server.address())
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn assess_json(server: &Server, folder: &Folder, args: &[&str]) -> Json {
    let all = ["--verdicts", "all", "--format", "json"];
    assess(server, folder, &[args, &all].concat()).json()
}

/// Guideline and resource of every verdict of a kind.
fn verdicts(json: &Json, wanted: &str) -> BTreeSet<(String, String)> {
    json.list("/verdicts")
        .iter()
        .filter(|verdict| verdict["verdict"] == wanted)
        .map(|verdict| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&verdict["guideline"]), verdict["resource"].to_string())
        })
        .collect()
}

#[test]
fn a_subscription_is_assessed_live() {
    let server = Server::start(world()).unwrap();
    let folder = Folder::new();
    let ran = assess(&server, &folder, &["--subscription", CLUSTER]);
    assert!(
        ran.out.contains("local accounts"),
        "{}\n{}",
        ran.out,
        ran.err
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    // What was read is called by what it is.
    let report = assess_json(&server, &folder, &[]);
    let tenant = "11111111-1111-1111-1111-111111111111";
    assert_eq!(
        report.value["subject"],
        json!([format!("3 subscriptions of tenant {tenant}")])
    );
}

/// A proxy's page, and a token that is not accepted: one error, one help, nothing of sixty types.
#[test]
fn where_azure_cannot_be_read_one_error_says_so() {
    for (what, wanted, help) in [
        (
            What::Page(200),
            "a web page instead of Azure's answer",
            "HTTPS_PROXY",
        ),
        (
            What::Status(401, "InvalidAuthenticationToken", Vec::new()),
            "does not accept who you are (401 InvalidAuthenticationToken)",
            "federated credential",
        ),
    ] {
        let mut world = world();
        world.troubles.push(Trouble {
            request: "api-version=".to_owned(),
            times: usize::MAX,
            what,
        });
        let server = Server::start(world).unwrap();
        let ran = assess(&server, &Folder::new(), &["--subscription", CLUSTER]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(
            ran.err.contains(wanted) && ran.err.contains(help),
            "{}",
            ran.err
        );
        assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    }
}

/// Where a part of the estate cannot be seen, what fails with full rights never passes: it fails still,
/// or is unknown, or is not there to be judged.
#[test]
fn without_a_right_nothing_that_fails_passes() {
    let mut world = world();
    world.page = 1000;
    let server = Server::start(world.clone()).unwrap();
    let folder = Folder::new();
    let full = assess_json(&server, &folder, &[]);
    let failing = verdicts(&full, "fail");
    let passing = verdicts(&full, "pass");
    assert!(failing.len() > 40, "{}: a flawed estate", failing.len());
    let guidelines: BTreeSet<&String> = failing.iter().map(|(guideline, _)| guideline).collect();
    assert!(guidelines.len() > 25, "{guidelines:?}");
    // Types that the estate has; the others make no difference.
    let mut kinds: Vec<String> = world
        .resources
        .iter()
        .map(|resource| resource["type"].as_str().unwrap().to_lowercase())
        .collect();
    kinds.push("microsoft.authorization/permissions".to_owned());
    kinds.push("microsoft.resources/subscriptions/providers".to_owned());
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        // There where the first of the type is; of the others everything is known.
        let place = world
            .resources
            .iter()
            .find(|resource| {
                resource["type"]
                    .as_str()
                    .unwrap()
                    .eq_ignore_ascii_case(&kind)
            })
            .and_then(|resource| resource["id"].as_str().unwrap().split('/').nth(2))
            .unwrap_or(CLUSTER);
        world.denied = vec![(format!("{kind}/read"), format!("/subscriptions/{place}"))];
        server.set(world.clone());
        let less = assess_json(&server, &folder, &[]);
        let passes = verdicts(&less, "pass");
        let wrong: Vec<_> = passes.intersection(&failing).collect();
        assert_eq!(wrong, Vec::<&(String, String)>::new(), "without {kind}");
        // Nor does anything fail that passes: absence is not taken for a lack.
        let fails = verdicts(&less, "fail");
        let wrong: Vec<_> = fails.intersection(&passing).collect();
        assert_eq!(wrong, Vec::<&(String, String)>::new(), "without {kind}");
    }
}

/// The evaluated template of the hardened example as Azure would answer it, once deployed.
struct Deployed {
    subscription: &'static str,
    guids: Vec<String>,
}

const ISSUER: &str = "https://westeurope.oic.prod-aks.azure.com/11111111-1111-1111-1111-111111111111/22222222-2222-2222-2222-222222222222/";

impl Deployed {
    /// A GUID for a text, the same for the same.
    fn guid(&mut self, text: &str) -> String {
        let at = self
            .guids
            .iter()
            .position(|known| known == text)
            .unwrap_or_else(|| {
                self.guids.push(text.to_owned());
                self.guids.len() - 1
            });
        format!("a0000000-0000-4000-8000-{at:012x}")
    }

    /// A text of the template, with what it leaves open.
    fn text(&mut self, text: &str) -> String {
        let known = text
            .replace("${subscription}", self.subscription)
            .replace("{subscription}", self.subscription)
            .replace("${resourceGroup}", "rg-store")
            .replace("{resourceGroup}", "rg-store")
            .replace("{tenant}", "11111111-1111-1111-1111-111111111111");
        let Some((before, open)) = known.split_once('{') else {
            return known;
        };
        let before = before.to_owned();
        let open = open.to_owned();
        format!("{before}{}", self.guid(&open))
    }

    fn value(&mut self, value: &Value) -> Value {
        let unknown = value
            .get("$unknown")
            .and_then(Value::as_str)
            .map(|text| (text, value["because"][0].as_str().unwrap_or_default()));
        match (unknown, value) {
            (Some((text, because)), _) => {
                let of = because.split("sets it on ").nth(1).map(|id| self.text(id));
                let known = match of {
                    Some(id) if text.ends_with("principalId") => self.guid(&id),
                    Some(id) if text.ends_with("kubeletidentity.objectId") => {
                        self.guid(&format!("kubelet of {id}"))
                    }
                    Some(id) if text.ends_with("clientId") => self.guid(&format!("client of {id}")),
                    Some(_) if text.ends_with("issuerURL") => ISSUER.to_owned(),
                    // The one parameter that the aks-store example leaves to its pipeline.
                    None if text == "privateCluster" => return false.into(),
                    Some(_) => "https://shop-example.vault.azure.net/keys/cluster-secrets/0a1b2c"
                        .to_owned(),
                    None => self.text(text),
                };
                known.into()
            }
            (None, Value::String(text)) => self.text(text).into(),
            (None, Value::Array(items)) => items.iter().map(|item| self.value(item)).collect(),
            (None, Value::Object(map)) => map
                .iter()
                .map(|(key, item)| (self.text(key), self.value(item)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            _ => value.clone(),
        }
    }

    /// With what Azure itself adds to it.
    fn resource(&mut self, entry: &Value) -> Value {
        let id = self.text(entry["id"].as_str().unwrap());
        let mut value = self.value(&entry["resource"]);
        value["id"] = id.clone().into();
        value["name"] = id.rsplit('/').next().unwrap().into();
        match value["type"].as_str().unwrap() {
            "Microsoft.ManagedIdentity/userAssignedIdentities" => {
                value["properties"]["principalId"] = self.guid(&id).into();
                value["properties"]["clientId"] = self.guid(&format!("client of {id}")).into();
            }
            "Microsoft.ContainerService/managedClusters" => {
                value["properties"]["oidcIssuerProfile"]["issuerURL"] = ISSUER.into();
                if let Some(identities) =
                    value["identity"]["userAssignedIdentities"].as_object_mut()
                {
                    for (id, says) in identities {
                        says["principalId"] = self.guid(id).into();
                        says["clientId"] = self.guid(&format!("client of {id}")).into();
                    }
                } else {
                    value["identity"]["principalId"] = self.guid(&id).into();
                }
                if value["properties"]["identityProfile"].is_null() {
                    value["properties"]["identityProfile"] = json!({"kubeletidentity": {
                        "resourceId": format!("/subscriptions/{CLUSTER}/resourceGroups/nodes/providers/Microsoft.ManagedIdentity/userAssignedIdentities/agentpool"),
                        "objectId": self.guid(&format!("kubelet of {id}")),
                    }});
                }
            }
            // Set to true where nothing is said, and answered ever since (KeyVault, openapi.json,
            // VaultProperties.enableSoftDelete).
            "Microsoft.KeyVault/vaults" if value["properties"]["enableSoftDelete"].is_null() => {
                value["properties"]["enableSoftDelete"] = true.into();
            }
            _ => {}
        }
        value
    }
}

/// Guideline, verdict, resource and message of each finding.
fn findings(json: &Json) -> BTreeSet<String> {
    json.list("/findings")
        .iter()
        // Waivers stand beside the files, and templates are files.
        .filter(|finding| {
            !["Waiver", "Template"].contains(&finding["resource"]["kind"].as_str().unwrap())
        })
        .map(|finding| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = text(&finding["resource"]["name"]);
            // Where the subscription is known the names of role assignments are, too.
            let name = if name.contains("{guid(") || name.starts_with("a0000000-") {
                "GUID".to_owned()
            } else {
                name
            };
            format!(
                "{} {} {} {}",
                text(&finding["guideline"]),
                text(&finding["verdict"]),
                text(&finding["resource"]["kind"]),
                name.rsplit('/').next().unwrap()
            )
        })
        .collect()
}

/// What the built-in roles of the examples allow, as far as it matters
/// (<https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>).
fn allowed(guid: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match guid {
        // AcrPull
        "7f951dda-4ed3-4680-a7ca-43fe172d538d" => {
            (&["Microsoft.ContainerRegistry/registries/pull/read"], &[])
        }
        // Azure Kubernetes Service RBAC Cluster Admin
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b" => (
            &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"],
            &["Microsoft.ContainerService/managedClusters/*"],
        ),
        // Managed Identity Operator
        "f1a07417-d97a-45cb-824c-7a7467783830" => (
            &["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"],
            &[],
        ),
        // Network Contributor
        "4d97b98b-1d4f-4787-a291-c67834d212e7" => (&["Microsoft.Network/*"], &[]),
        // Key Vault Contributor, Crypto User, Secrets User
        "f25e0fa2-a7c8-4377-a976-54943a77a395" => (&["Microsoft.KeyVault/*"], &[]),
        "12338af0-0e69-4776-bea7-57ae8d297424" => {
            (&[], &["Microsoft.KeyVault/vaults/keys/encrypt/action"])
        }
        "4633458b-17de-408a-b874-0445c86b69e6" => {
            (&[], &["Microsoft.KeyVault/vaults/secrets/getSecret/action"])
        }
        // Contributor
        "b24988ac-6180-42a0-ab88-20f7382dd24c" => (&["*"], &[]),
        other => panic!("what does role {other} allow?"),
    }
}

fn deployed(template: &str) -> (World, Json) {
    let path = crate::run::repository(template);
    let path = path.to_str().unwrap();
    let folder = Folder::new();
    let expanded = folder.run(&["template", "expand", path]);
    let expanded: Value = serde_json::from_str(&expanded.out).unwrap();
    let mut deployed = Deployed {
        subscription: CLUSTER,
        guids: Vec::new(),
    };
    let mut resources: Vec<Value> = expanded["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["resource"]["type"] != "Microsoft.Resources/resourceGroups")
        .map(|entry| deployed.resource(entry))
        .collect();
    // Roles that Azure has from the start.
    let roles: BTreeSet<String> = resources
        .iter()
        .filter_map(|resource| resource.pointer("/properties/roleDefinitionId")?.as_str())
        .map(str::to_owned)
        .collect();
    resources.extend(roles.into_iter().map(|id| {
        let guid = id.rsplit('/').next().unwrap();
        let (actions, data) = allowed(guid);
        json!({
            "id": id,
            "type": "Microsoft.Authorization/roleDefinitions",
            "name": guid,
            "properties": {
                "roleName": guid, "type": "BuiltInRole", "assignableScopes": ["/"],
                "permissions": [{"actions": actions, "notActions": [], "dataActions": data, "notDataActions": []}]
            }
        })
    }));
    let world = World {
        subscriptions: vec![CLUSTER.to_owned()],
        resources,
        page: 7,
        directory: Vec::new(),
        ..world()
    };
    let files = folder.json(&[path, "--whole"]);
    (world, files)
}

#[test]
fn a_deployment_is_judged_as_its_template_is() {
    // Settings of other resources may send logs there, too: Azure lists settings resource by resource,
    // and they are read for some types only.
    let elsewhere =
        "live: mon-log-tamper unknown Microsoft.OperationalInsights/workspaces log-shop";
    // Deployed with a public API server; the template alone does not say which.
    let open = [
        "template: api-private-cluster unknown Microsoft.ContainerService/managedClusters shop",
        "template: api-private-fqdn-not-public unknown Microsoft.ContainerService/managedClusters shop",
        "template: api-private-or-restricted unknown Microsoft.ContainerService/managedClusters shop",
        "template: host-bastion unknown Microsoft.ContainerService/managedClusters shop",
        "live: api-private-cluster fail Microsoft.ContainerService/managedClusters shop",
        "live: api-private-or-restricted fail Microsoft.ContainerService/managedClusters shop",
        elsewhere,
    ];
    let cases: [(&str, &[&str]); 2] = [
        ("examples/hardened/infra/main.bicepparam", &[elsewhere]),
        ("examples/aks-store/infra/bicep/main.bicepparam", &open),
    ];
    for (template, wanted) in cases {
        let (world, files) = deployed(template);
        let server = Server::start(world).unwrap();
        let folder = Folder::new();
        let live = assess_json(&server, &folder, &[]);
        let told = live.list("/findings").to_vec();
        let (files, live) = (findings(&files), findings(&live));
        // The example's own configuration names the group of administrators; the deployed world has none.
        let named = |line: &String| {
            template.contains("/hardened/")
                && line.starts_with("live: rbac-azure-cluster-admins-named fail ")
        };
        let differences: Vec<String> = files
            .difference(&live)
            .map(|line| format!("template: {line}"))
            .chain(live.difference(&files).map(|line| format!("live: {line}")))
            .filter(|line| !named(line))
            .collect();
        let told: Vec<&Value> = told
            .iter()
            .filter(|finding| {
                let guideline = finding["guideline"].as_str().unwrap();
                differences.iter().any(|line| line.contains(guideline))
            })
            .map(|finding| &finding["message"])
            .collect();
        assert_eq!(differences, *wanted, "{template}: {told:?}");
    }
}
