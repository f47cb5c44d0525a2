//! One posture of a cluster, a registry and a vault: ten settings, each judged by one guideline,
//! each with a value that follows it and one that does not. A way to write it gives the files of
//! both twins; the literal that decides is marked where it stands.

use std::collections::BTreeSet;

/// A setting.
pub(crate) struct Property {
    pub(crate) guideline: &'static str,
    /// Its name, as a parameter or variable.
    pub(crate) key: &'static str,
    /// Its type in Bicep.
    pub(crate) ty: &'static str,
    good: Literal,
    bad: Literal,
}

/// A value that can be written in every language.
#[derive(Clone, Copy)]
pub(crate) enum Literal {
    Bool(bool),
    Text(&'static str),
    /// A list with one text.
    List(&'static str),
}

use Literal::{Bool, List, Text};

/// In the order in which they stand in [`bicep`] and [`json`].
pub(crate) const POSTURE: [Property; 10] = [
    Property {
        guideline: "api-local-accounts-off",
        key: "noLocalAccounts",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "api-kubernetes-rbac-on",
        key: "rbac",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "api-run-command-off",
        key: "noRunCommand",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "api-private-or-restricted",
        key: "ranges",
        ty: "array",
        good: List("203.0.113.0/28"),
        bad: List("0.0.0.0/0"),
    },
    Property {
        guideline: "adm-azure-policy-on",
        key: "policy",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "acr-no-shared-credentials",
        key: "adminUser",
        ty: "bool",
        good: Bool(false),
        bad: Bool(true),
    },
    Property {
        guideline: "paas-registry-private",
        key: "registryAccess",
        ty: "string",
        good: Text("Disabled"),
        bad: Text("Enabled"),
    },
    Property {
        guideline: "sec-vault-recoverable",
        key: "purgeProtection",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "sec-vault-rbac",
        key: "vaultRbac",
        ty: "bool",
        good: Bool(true),
        bad: Bool(false),
    },
    Property {
        guideline: "paas-vault-private",
        key: "vaultAccess",
        ty: "string",
        good: Text("Disabled"),
        bad: Text("Enabled"),
    },
];

impl Literal {
    pub(crate) fn bicep(self) -> String {
        match self {
            Bool(value) => value.to_string(),
            Text(text) => format!("'{text}'"),
            List(text) => format!("['{text}']"),
        }
    }

    /// As a value of JSON; also of HCL and of YAML.
    pub(crate) fn json(self) -> String {
        match self {
            Bool(value) => value.to_string(),
            Text(text) => format!("\"{text}\""),
            List(text) => format!("[\"{text}\"]"),
        }
    }

    /// Inside an expression of a template.
    pub(crate) fn arm(self) -> String {
        match self {
            Bool(value) => format!("{value}()"),
            Text(text) => format!("'{text}'"),
            List(text) => format!("createArray('{text}')"),
        }
    }
}

/// The one or the other of a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    Good,
    Bad,
}

impl Twin {
    /// The value that decides here.
    pub(crate) fn value(self, property: &Property) -> Literal {
        match self {
            Self::Good => property.good,
            Self::Bad => property.bad,
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Good => Self::Bad,
            Self::Bad => Self::Good,
        }
    }

    /// One text for each twin.
    pub(crate) fn pick(self, good: &'static str, bad: &'static str) -> &'static str {
        match self {
            Self::Good => good,
            Self::Bad => bad,
        }
    }

    /// The literal that decides, in Bicep, marked.
    pub(crate) fn bicep(self, property: &Property) -> String {
        mark(property, &self.value(property).bicep())
    }

    pub(crate) fn json(self, property: &Property) -> String {
        mark(property, &self.value(property).json())
    }

    pub(crate) fn arm(self, property: &Property) -> String {
        mark(property, &self.value(property).arm())
    }

    /// The value as azurerm has it: commands and public access are switched on, not off.
    pub(crate) fn azurerm(self, property: &Property) -> Literal {
        match (property.key, self.value(property)) {
            ("noRunCommand", Bool(value)) => Bool(!value),
            (_, Text(text)) => Bool(text == "Enabled"),
            (_, value) => value,
        }
    }

    pub(crate) fn hcl(self, property: &Property) -> String {
        mark(property, &self.azurerm(property).json())
    }
}

/// Says that what stands on this line decides about a property.
pub(crate) fn mark(property: &Property, text: &str) -> String {
    let at = POSTURE
        .iter()
        .position(|known| known.guideline == property.guideline)
        .unwrap();
    format!("\u{1}{at}\u{2}{text}")
}

/// A line for each property.
pub(crate) fn each(line: impl Fn(&Property) -> String) -> String {
    POSTURE
        .iter()
        .map(|property| line(property) + "\n")
        .collect()
}

/// The files of one way to write one twin.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) files: Vec<(String, String)>,
    /// What is given to the program beside the first file, as `--parameters`.
    pub(crate) explicit: Option<&'static str>,
    /// `file:line guideline` of each literal that decides.
    pub(crate) marked: BTreeSet<String>,
}

impl Files {
    pub(crate) fn of(name: &str, text: impl AsRef<str>) -> Self {
        Self::default().and(name, text)
    }

    pub(crate) fn main(text: impl AsRef<str>) -> Self {
        Self::of("main.bicep", text)
    }

    /// Adds a file: its marks become comments, where the language has some.
    pub(crate) fn and(mut self, name: &str, text: impl AsRef<str>) -> Self {
        let comment = match name.rsplit('.').next() {
            Some("bicep" | "bicepparam") => Some("//"),
            // Templates are lenient JSON, data are not.
            Some("json") if !name.contains("data") && !name.contains("tfvars") => Some("//"),
            Some("tf" | "tfvars" | "yaml") => Some("#"),
            _ => None,
        };
        let mut out = String::new();
        for (at, line) in text.as_ref().lines().enumerate() {
            let mut decides = Vec::new();
            let mut rest = line;
            while let Some((before, marked)) = rest.split_once('\u{1}') {
                let (index, after) = marked.split_once('\u{2}').unwrap();
                out.push_str(before);
                decides.push(POSTURE[index.parse::<usize>().unwrap()].guideline);
                rest = after;
            }
            out.push_str(rest);
            for guideline in &decides {
                self.marked.insert(format!("{name}:{} {guideline}", at + 1));
            }
            if let (Some(comment), false) = (comment, decides.is_empty()) {
                out.push_str(&format!(" {comment} decides: {}", decides.join(", ")));
            }
            out.push('\n');
        }
        self.files.push((name.to_owned(), out));
        self
    }

    /// Parameters whose name says nothing.
    pub(crate) fn given(self, name: &'static str, text: impl AsRef<str>) -> Self {
        let mut files = self.and(name, text);
        files.explicit = Some(name);
        files
    }
}

/// A way to write the posture.
pub(crate) type Way = (&'static str, fn(Twin) -> Files);

/// The three resources in Bicep, with an expression for each property.
pub(crate) fn bicep(value: impl Fn(&Property) -> String) -> String {
    bicep_with("", value)
}

/// The same, each only under a condition (`if (…) `) or not.
pub(crate) fn bicep_with(condition: &str, value: impl Fn(&Property) -> String) -> String {
    let [
        accounts,
        rbac,
        command,
        ranges,
        policy,
        admin,
        registry,
        purge,
        vault_rbac,
        vault,
    ] = POSTURE.each_ref().map(value);
    format!(
        "resource cluster 'Microsoft.ContainerService/managedClusters@2025-10-01' = {condition}{{
  name: 'shop'
  location: 'westeurope'
  identity: {{ type: 'SystemAssigned' }}
  properties: {{
    dnsPrefix: 'shop'
    disableLocalAccounts: {accounts}
    enableRBAC: {rbac}
    apiServerAccessProfile: {{
      disableRunCommand: {command}
      authorizedIPRanges: {ranges}
    }}
    addonProfiles: {{
      azurepolicy: {{
        enabled: {policy}
      }}
    }}
  }}
}}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {condition}{{
  name: 'shopregistry'
  location: 'westeurope'
  sku: {{ name: 'Premium' }}
  properties: {{
    adminUserEnabled: {admin}
    publicNetworkAccess: {registry}
  }}
}}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {condition}{{
  name: 'shopvault'
  location: 'westeurope'
  properties: {{
    tenantId: tenant().tenantId
    sku: {{ family: 'A', name: 'standard' }}
    enablePurgeProtection: {purge}
    enableRbacAuthorization: {vault_rbac}
    publicNetworkAccess: {vault}
  }}
}}
"
    )
}

/// A template in JSON around the three resources: what stands before `resources`, and a value
/// for each property.
pub(crate) fn json(head: &str, value: impl Fn(&Property) -> String) -> String {
    template(head, &format!("[{}]", json_resources("", value).join(",")))
}

/// A template in JSON.
pub(crate) fn template(head: &str, resources: &str) -> String {
    format!(
        "{{
  \"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\",
  \"contentVersion\": \"1.0.0.0\",
{head}  \"resources\": {resources}
}}
"
    )
}

/// The three resources in JSON; `extra` stands at the start of each.
pub(crate) fn json_resources(extra: &str, value: impl Fn(&Property) -> String) -> [String; 3] {
    let [
        accounts,
        rbac,
        command,
        ranges,
        policy,
        admin,
        registry,
        purge,
        vault_rbac,
        vault,
    ] = POSTURE.each_ref().map(value);
    let head = |kind: &str, version: &str, name: &str| {
        format!(
            "{{{extra}
      \"type\": \"{kind}\",
      \"apiVersion\": \"{version}\",
      \"name\": \"{name}\",
      \"location\": \"westeurope\","
        )
    };
    [
        format!(
            "{}
      \"identity\": {{\"type\": \"SystemAssigned\"}},
      \"properties\": {{
        \"dnsPrefix\": \"shop\",
        \"apiServerAccessProfile\": {{
          \"authorizedIPRanges\": {ranges},
          \"disableRunCommand\": {command}
        }},
        \"addonProfiles\": {{
          \"azurepolicy\": {{
            \"enabled\": {policy}
          }}
        }},
        \"disableLocalAccounts\": {accounts},
        \"enableRBAC\": {rbac}
      }}
    }}",
            head(
                "Microsoft.ContainerService/managedClusters",
                "2025-10-01",
                "shop"
            )
        ),
        format!(
            "{}
      \"sku\": {{\"name\": \"Premium\"}},
      \"properties\": {{
        \"adminUserEnabled\": {admin},
        \"publicNetworkAccess\": {registry}
      }}
    }}",
            head(
                "Microsoft.ContainerRegistry/registries",
                "2025-11-01",
                "shopregistry"
            )
        ),
        format!(
            "{}
      \"properties\": {{
        \"tenantId\": \"[tenant().tenantId]\",
        \"sku\": {{\"family\": \"A\", \"name\": \"standard\"}},
        \"enablePurgeProtection\": {purge},
        \"enableRbacAuthorization\": {vault_rbac},
        \"publicNetworkAccess\": {vault}
      }}
    }}",
            head("Microsoft.KeyVault/vaults", "2024-11-01", "shopvault")
        ),
    ]
}

/// A map of `"key": value` lines, without the last comma.
pub(crate) fn map(line: impl Fn(&Property) -> String) -> String {
    let mut lines = each(|p| format!("    \"{}\": {},", p.key, line(p)));
    let end = lines.rfind(',').unwrap();
    lines.replace_range(end..=end, "");
    format!("{{\n{lines}  }}")
}

/// A parameter file in JSON with the whole posture.
pub(crate) fn parameter_file(t: Twin) -> String {
    format!(
        "{{
  \"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\",
  \"contentVersion\": \"1.0.0.0\",
  \"parameters\": {}
}}
",
        map(|p| format!("{{\"value\": {}}}", t.json(p)))
    )
}

/// The three resources in HCL, with an expression for each property; `each` stands at the start
/// of each. Where the provider's argument means the opposite, so does the value: see
/// [`Twin::hcl`].
pub(crate) fn hcl(each: &str, value: impl Fn(&Property) -> String) -> String {
    let [
        accounts,
        rbac,
        command,
        ranges,
        policy,
        admin,
        registry,
        purge,
        vault_rbac,
        vault,
    ] = POSTURE.each_ref().map(value);
    format!(
        "resource \"azurerm_kubernetes_cluster\" \"shop\" {{
{each}  name                = \"shop\"
  location            = \"westeurope\"
  resource_group_name = \"shop\"
  dns_prefix          = \"shop\"

  local_account_disabled            = {accounts}
  role_based_access_control_enabled = {rbac}
  run_command_enabled               = {command}
  azure_policy_enabled              = {policy}

  api_server_access_profile {{
    authorized_ip_ranges = {ranges}
  }}

  default_node_pool {{
    name       = \"system\"
    vm_size    = \"Standard_D4ds_v5\"
    node_count = 3
  }}

  identity {{
    type = \"SystemAssigned\"
  }}
}}

resource \"azurerm_container_registry\" \"shop\" {{
{each}  name                = \"shopregistry\"
  location            = \"westeurope\"
  resource_group_name = \"shop\"
  sku                 = \"Premium\"

  admin_enabled                 = {admin}
  public_network_access_enabled = {registry}
}}

resource \"azurerm_key_vault\" \"shop\" {{
{each}  name                = \"shopvault\"
  location            = \"westeurope\"
  resource_group_name = \"shop\"
  tenant_id           = \"00000000-0000-0000-0000-000000000000\"
  sku_name            = \"standard\"

  purge_protection_enabled      = {purge}
  rbac_authorization_enabled    = {vault_rbac}
  public_network_access_enabled = {vault}
}}
"
    )
}
