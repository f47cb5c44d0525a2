//! Ways to write the posture in Terraform.

use super::posture::{Files, Literal, POSTURE, Property, Twin, Way, each, hcl, map, mark};

/// All of them.
pub(crate) const WAYS: &[&[Way]] = &[VALUES, CHOICES, COLLECTIONS, REPEATED, MODULES, OTHER];

fn main(text: impl AsRef<str>) -> Files {
    Files::of("main.tf", text)
}

/// `variable "…" {` with a default.
fn variables(default: impl Fn(&Property) -> String) -> String {
    each(|p| format!("variable \"{}\" {{\n  default = {}\n}}", p.key, default(p)))
}

/// Variables that must be given.
fn required() -> String {
    each(|p| {
        let ty = match Twin::Good.azurerm(p) {
            Literal::List(_) => "list(string)",
            _ => "bool",
        };
        format!("variable \"{}\" {{\n  type = {ty}\n}}", p.key)
    })
}

fn locals(value: impl Fn(&Property) -> String) -> String {
    format!("locals {{\n{}}}\n", entries(value))
}

fn entries(value: impl Fn(&Property) -> String) -> String {
    each(|p| format!("  {} = {}", p.key, value(p)))
}

/// `locals { name = { … } }`
fn object(name: &str, value: impl Fn(&Property) -> String) -> String {
    format!("locals {{\n  {name} = {{\n{}  }}\n}}\n", entries(value))
}

fn variable(name: &str, default: &str) -> String {
    format!("variable \"{name}\" {{\n  default = {default}\n}}\n")
}

fn from(prefix: &str) -> String {
    hcl("", |p| format!("{prefix}{}", p.key))
}

fn plain(t: Twin, p: &Property) -> String {
    t.azurerm(p).json()
}

fn other(t: Twin, p: &Property) -> String {
    plain(t.other(), p)
}

fn good(p: &Property) -> String {
    plain(Twin::Good, p)
}

/// The bad value, which decides where it is chosen; what is chosen stands elsewhere.
fn bad(p: &Property) -> String {
    Twin::Bad.hcl(p)
}

fn logic(t: Twin, p: &Property, write: impl Fn(bool) -> String) -> String {
    match t.azurerm(p) {
        Literal::Bool(value) => mark(p, &write(value)),
        _ => t.hcl(p),
    }
}

fn place(p: &Property) -> usize {
    POSTURE.iter().position(|known| known.key == p.key).unwrap()
}

const VALUES: &[Way] = &[
    ("literal", |t| main(hcl("", |p| t.hcl(p)))),
    ("default of a variable", |t| {
        main(variables(|p| t.hcl(p)) + &from("var."))
    }),
    ("local", |t| main(locals(|p| t.hcl(p)) + &from("local."))),
    ("local of a local", |t| {
        let second = locals(|p| format!("local.first_{}", p.key));
        let first = each(|p| format!("  first_{} = {}", p.key, t.hcl(p)));
        main(format!("{second}locals {{\n{first}}}\n") + &from("local."))
    }),
    ("local of a variable, in another file", |t| {
        main(from("local."))
            .and("locals.tf", locals(|p| format!("var.{}", p.key)))
            .and("variables.tf", variables(|p| t.hcl(p)))
    }),
    ("text of a boolean, converted", |t| {
        main(hcl("", |p| {
            logic(t, p, |value| format!("tobool(\"{value}\")"))
        }))
    }),
    ("decoded JSON", |t| {
        main(hcl("", |p| {
            let text = plain(t, p).replace('"', "\\\"");
            mark(p, &format!("jsondecode(\"{text}\")"))
        }))
    }),
];

const CHOICES: &[Way] = &[
    ("branch of a choice", |t| {
        main(hcl("", |p| {
            format!("1 == 1 ? {} : {}", t.hcl(p), other(t, p))
        }))
    }),
    ("choice by a variable", |t| {
        let head = variable("environment", t.pick("\"prod\"", "\"dev\""));
        main(
            head + &hcl("", |p| {
                format!("var.environment == \"prod\" ? {} : {}", good(p), bad(p))
            }),
        )
    }),
    ("choice by a local over several lines", |t| {
        let head = variable("environment", t.pick("\"PROD\"", "\"DEV\""))
            + "locals {\n  strict = (\n    lower(var.environment) == \"prod\"\n  )\n}\n";
        main(
            head + &hcl("", |p| {
                format!(
                    "(\n    local.strict\n    ? {}\n    : {}\n  )",
                    good(p),
                    bad(p)
                )
            }),
        )
    }),
    ("negation", |t| {
        main(hcl("", |p| logic(t, p, |value| format!("!{}", !value))))
    }),
    ("and, or", |t| {
        main(hcl("", |p| {
            logic(t, p, |value| format!("true && ({value} || false)"))
        }))
    }),
    ("membership in a list", |t| {
        let head = variable("features", t.pick("[\"strict\"]", "[\"lax\"]"));
        main(
            head + &hcl("", |p| {
                format!(
                    "contains(var.features, \"strict\") ? {} : {}",
                    good(p),
                    bad(p)
                )
            }),
        )
    }),
    ("first that is not null", |t| {
        let head = each(|p| format!("variable \"{}\" {{\n  default = null\n}}", p.key));
        main(head + &hcl("", |p| format!("coalesce(var.{}, {})", p.key, t.hcl(p))))
    }),
    ("first that can be had", |t| {
        let head = "locals {\n  posture = {}\n}\n";
        main(
            head.to_owned()
                + &hcl("", |p| {
                    format!("try(local.posture.{}, {})", p.key, t.hcl(p))
                }),
        )
    }),
    ("whether it can be had", |t| {
        let head = object("posture", |p| t.hcl(p));
        main(
            head + &hcl("", |p| {
                format!(
                    "can(local.posture.{0}) ? local.posture.{0} : {1}",
                    p.key,
                    other(t, p)
                )
            }),
        )
    }),
];

const COLLECTIONS: &[Way] = &[
    ("attribute of an object", |t| {
        main(object("posture", |p| t.hcl(p)) + &from("local.posture."))
    }),
    ("index of an object", |t| {
        main(
            object("posture", |p| t.hcl(p)) + &hcl("", |p| format!("local.posture[\"{}\"]", p.key)),
        )
    }),
    ("map by a variable", |t| {
        let head = variable("environment", t.pick("\"prod\"", "\"dev\""))
            + &format!(
                "locals {{\n  postures = {{\n    prod = {{\n{}    }}\n    dev = {{\n{}    }}\n  }}\n}}\n",
                entries(good),
                entries(bad)
            );
        main(head + &from("local.postures[var.environment]."))
    }),
    ("look-up with a default", |t| {
        main(
            object("posture", |p| t.hcl(p))
                + &hcl("", |p| {
                    format!("lookup(local.posture, \"{}\", {})", p.key, other(t, p))
                }),
        )
    }),
    ("merged maps", |t| {
        let head = object("base", |p| other(t, p)) + &object("own", |p| t.hcl(p));
        main(
            head + "locals {\n  posture = merge(local.base, local.own)\n}\n"
                + &from("local.posture."),
        )
    }),
    ("default that is an object", |t| {
        let head = format!(
            "variable \"posture\" {{\n  default = {{\n{}  }}\n}}\n",
            entries(|p| t.hcl(p))
        );
        main(head + &from("var.posture."))
    }),
    ("type with optional attributes", |t| {
        let members = each(|p| {
            let ty = match Twin::Good.azurerm(p) {
                Literal::List(_) => "list(string)",
                _ => "bool",
            };
            format!("    {} = optional({ty}, {})", p.key, t.hcl(p))
        });
        let head = format!(
            "variable \"posture\" {{\n  type = object({{\n{members}  }})\n  default = {{}}\n}}\n"
        );
        main(head + &from("var.posture."))
    }),
    ("item of a list", |t| {
        let list = each(|p| format!("    {},", t.hcl(p)));
        let head = format!("locals {{\n  list = [\n{list}  ]\n}}\n");
        main(head + &hcl("", |p| format!("local.list[{}]", place(p))))
    }),
    ("element, one, flatten", |t| {
        main(hcl("", |p| match (place(p) % 3, Twin::Good.azurerm(p)) {
            (0, _) => format!("element([{}, {}], 1)", other(t, p), t.hcl(p)),
            // Flattening takes lists of lists apart.
            (1, _) | (_, Literal::List(_)) => format!("one([{}])", t.hcl(p)),
            _ => format!("flatten([[{}], [[{}]]])[1]", other(t, p), t.hcl(p)),
        }))
    }),
    ("for over pairs", |t| {
        let pairs = each(|p| format!("    {{ name = \"{}\", value = {} }},", p.key, t.hcl(p)));
        let head = format!(
            "locals {{\n  pairs = [\n{pairs}  ]\n  posture = {{ for pair in local.pairs : pair.name => pair.value }}\n}}\n"
        );
        main(head + &from("local.posture."))
    }),
    ("for with a condition", |t| {
        let pairs = each(|p| format!("    {{ name = \"{}\", value = {} }},", p.key, t.hcl(p)));
        let head = format!("locals {{\n  pairs = [\n{pairs}  ]\n}}\n");
        main(
            head + &hcl("", |p| {
                format!(
                    "[for pair in local.pairs : pair.value if pair.name == \"{}\"][0]",
                    p.key
                )
            }),
        )
    }),
    ("splat", |t| {
        let pairs = each(|p| format!("    {{ value = {} }},", t.hcl(p)));
        let head =
            format!("locals {{\n  pairs = [\n{pairs}  ]\n  all = local.pairs[*].value\n}}\n");
        main(head + &hcl("", |p| format!("local.all[{}]", place(p))))
    }),
];

const REPEATED: &[Way] = &[
    ("for_each over a map", |t| {
        let head = format!(
            "locals {{\n  all = {{\n    one = {{\n{}    }}\n    two = {{\n{}    }}\n  }}\n}}\n",
            entries(|p| t.hcl(p)),
            entries(good)
        );
        let text = hcl("  for_each            = local.all\n", |p| {
            format!("each.value.{}", p.key)
        });
        main(head + &text.replace("= \"shop", "= \"${each.key}shop"))
    }),
    ("for_each over a set", |t| {
        let head = object("posture", |p| t.hcl(p));
        let text = hcl("  for_each            = toset([\"one\", \"two\"])\n", |p| {
            format!(
                "each.key == \"one\" ? local.posture.{} : {}",
                p.key,
                good(p)
            )
        });
        main(head + &text.replace("= \"shop", "= \"${each.key}shop"))
    }),
    ("count with an index", |t| {
        let head = format!(
            "locals {{\n  all = [\n    {{\n{}    }},\n    {{\n{}    }},\n  ]\n}}\n",
            entries(good),
            entries(|p| t.hcl(p))
        );
        let text = hcl("  count               = length(local.all)\n", |p| {
            format!("local.all[count.index].{}", p.key)
        });
        main(head + &text.replace("= \"shop", "= \"${count.index}shop"))
    }),
    ("count of none", |t| {
        let head = variable("legacy", t.pick("false", "true"));
        let second =
            hcl("  count               = var.legacy ? 1 : 0\n", bad).replace("\"shop", "\"second");
        main(head + &second + &hcl("", good))
    }),
    ("for_each over nothing", |t| {
        let head = variable("names", t.pick("[]", "[\"second\"]"));
        let second = hcl("  for_each            = toset(var.names)\n", bad)
            .replace("\"shop\" {", "\"second\" {")
            .replace("= \"shop", "= \"${each.value}");
        main(head + &second + &hcl("", good))
    }),
    ("dynamic block", |t| {
        let text = hcl("", |p| t.hcl(p));
        let ranges = t.hcl(&POSTURE[3]);
        let fixed =
            format!("  api_server_access_profile {{\n    authorized_ip_ranges = {ranges}\n  }}\n");
        let dynamic = "  dynamic \"api_server_access_profile\" {\n    for_each = [local.ranges]\n    content {\n      authorized_ip_ranges = api_server_access_profile.value\n    }\n  }\n";
        assert!(text.contains(&fixed));
        main(text.replace(&fixed, dynamic) + &format!("locals {{\n  ranges = {ranges}\n}}\n"))
    }),
    ("dynamic block with an iterator", |t| {
        let text = hcl("", |p| t.hcl(p));
        let ranges = t.hcl(&POSTURE[3]);
        let fixed =
            format!("  api_server_access_profile {{\n    authorized_ip_ranges = {ranges}\n  }}\n");
        let dynamic = "  dynamic \"api_server_access_profile\" {\n    for_each = local.profiles\n    iterator = it\n    content {\n      authorized_ip_ranges = it.value.ranges\n    }\n  }\n";
        main(
            text.replace(&fixed, dynamic)
                + &format!(
                    "locals {{\n  profiles = {{\n    only = {{ ranges = {ranges} }}\n  }}\n}}\n"
                ),
        )
    }),
];

fn module(source: &str, value: impl Fn(&Property) -> String) -> String {
    format!(
        "module \"inner\" {{\n  source = \"{source}\"\n{}}}\n",
        entries(value)
    )
}

fn taking() -> String {
    required() + &from("var.")
}

const MODULES: &[Way] = &[
    ("argument of a module", |t| {
        main(module("./inner", |p| t.hcl(p))).and("inner/main.tf", taking())
    }),
    ("default of a module", |t| {
        main("module \"inner\" {\n  source = \"./inner\"\n}\n")
            .and("inner/main.tf", variables(|p| t.hcl(p)) + &from("var."))
    }),
    ("object as an argument", |t| {
        let call = format!(
            "module \"inner\" {{\n  source = \"./inner\"\n  posture = {{\n{}  }}\n}}\n",
            entries(|p| t.hcl(p))
        );
        main(call).and(
            "inner/main.tf",
            "variable \"posture\" {\n  type = any\n}\n".to_owned() + &from("var.posture."),
        )
    }),
    ("module in a module", |t| {
        main(module("./middle", |p| t.hcl(p)))
            .and(
                "middle/main.tf",
                required() + &module("../inner", |p| format!("var.{}", p.key)),
            )
            .and("inner/main.tf", taking())
    }),
    ("module with for_each", |t| {
        let call = format!(
            "locals {{\n  all = {{\n    one = {{\n{}    }}\n    two = {{\n{}    }}\n  }}\n}}\n{}",
            entries(good),
            entries(|p| t.hcl(p)),
            module("./inner", |p| format!("each.value.{}", p.key)).replace(
                "source",
                "for_each = local.all\n  prefix = each.key\n  source"
            )
        );
        let inner = "variable \"prefix\" {}\n".to_owned()
            + &taking().replace("= \"shop", "= \"${var.prefix}shop");
        main(call).and("inner/main.tf", inner)
    }),
    ("output of a module", |t| {
        let given = each(|p| format!("output \"{}\" {{\n  value = {}\n}}", p.key, t.hcl(p)));
        main("module \"given\" {\n  source = \"./given\"\n}\n".to_owned() + &from("module.given."))
            .and("given/main.tf", given)
    }),
    ("module that is not called", |t| {
        main(
            module("./inner", |p| t.hcl(p)).replace("source", "count = 1\n  source")
                + &module("./inner", |p| other(t, p))
                    .replace("\"inner\"", "\"never\"")
                    .replace("source", "count = 0\n  source"),
        )
        .and("inner/main.tf", taking())
    }),
];

const OTHER: &[Way] = &[
    ("file of values", |t| {
        main(variables(|p| other(t, p)) + &from("var.")).and(
            "terraform.tfvars",
            each(|p| format!("{} = {}", p.key, t.hcl(p))),
        )
    }),
    ("file of values that is found", |t| {
        main(required() + &from("var.")).and(
            "prod.auto.tfvars",
            each(|p| format!("{} = {}", p.key, t.hcl(p))),
        )
    }),
    ("file of values in JSON", |t| {
        main(required() + &from("var.")).and("terraform.tfvars.json", map(|p| t.hcl(p)))
    }),
    ("attribute of another resource", |t| {
        let paths = [
            "azurerm_kubernetes_cluster.shop.local_account_disabled",
            "azurerm_kubernetes_cluster.shop.role_based_access_control_enabled",
            "azurerm_kubernetes_cluster.shop.run_command_enabled",
            "azurerm_kubernetes_cluster.shop.api_server_access_profile[0].authorized_ip_ranges",
            "azurerm_kubernetes_cluster.shop.azure_policy_enabled",
            "azurerm_container_registry.shop.admin_enabled",
            "azurerm_container_registry.shop.public_network_access_enabled",
            "azurerm_key_vault.shop.purge_protection_enabled",
            "azurerm_key_vault.shop.rbac_authorization_enabled",
            "azurerm_key_vault.shop.public_network_access_enabled",
        ];
        let second = hcl("", |p| paths[place(p)].to_owned()).replace("\"shop", "\"second");
        main(hcl("", |p| t.hcl(p)) + &second)
    }),
    ("Azure's own words through azapi", |t| {
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
        ] = POSTURE.each_ref().map(|p| t.json(p));
        main(format!(
            "resource \"azapi_resource\" \"cluster\" {{
  type      = \"Microsoft.ContainerService/managedClusters@2025-10-01\"
  name      = \"shop\"
  location  = \"westeurope\"
  parent_id = \"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop\"
  body = {{
    properties = {{
      disableLocalAccounts = {accounts}
      enableRBAC           = {rbac}
      apiServerAccessProfile = {{
        disableRunCommand  = {command}
        authorizedIPRanges = {ranges}
      }}
      addonProfiles = {{
        azurepolicy = {{
          enabled = {policy}
        }}
      }}
    }}
  }}
}}

resource \"azapi_resource\" \"registry\" {{
  type      = \"Microsoft.ContainerRegistry/registries@2025-11-01\"
  name      = \"shopregistry\"
  location  = \"westeurope\"
  parent_id = \"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop\"
  body = {{
    sku = {{ name = \"Premium\" }}
    properties = {{
      adminUserEnabled    = {admin}
      publicNetworkAccess = {registry}
    }}
  }}
}}

resource \"azapi_resource\" \"vault\" {{
  type      = \"Microsoft.KeyVault/vaults@2024-11-01\"
  name      = \"shopvault\"
  location  = \"westeurope\"
  parent_id = \"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop\"
  body = {{
    properties = {{
      enablePurgeProtection   = {purge}
      enableRbacAuthorization = {vault_rbac}
      publicNetworkAccess     = {vault}
    }}
  }}
}}
"
        ))
    }),
];
