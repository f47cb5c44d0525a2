"""One posture of a cluster, a registry and a vault, written in many ways, each with a good and a bad twin.

A way is a function of a twin and gives its files. Nobody is told what it means: a judge learns from the plain literals
which of its rules are about which setting (see templates.py).
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    key: str
    good: object
    bad: object
    # The same in azurerm, where it is another.
    azurerm: tuple = None


SETTINGS = [
    Setting("noLocalAccounts", True, False),
    Setting("rbac", True, False),
    Setting("noRunCommand", True, False, (False, True)),
    Setting("ranges", ["203.0.113.0/28"], ["0.0.0.0/0"]),
    Setting("policy", True, False),
    Setting("adminUser", False, True),
    Setting("registryAccess", "Disabled", "Enabled", (False, True)),
    Setting("purgeProtection", True, False),
    Setting("vaultRbac", True, False),
    Setting("vaultAccess", "Disabled", "Enabled", (False, True)),
]


@dataclass(frozen=True)
class Twin:
    """Which settings are bad: all, none, or one alone."""

    name: str
    bad: frozenset

    def value(self, setting, hcl=False):
        good, bad = setting.azurerm if hcl and setting.azurerm else (setting.good, setting.bad)
        return bad if setting.key in self.bad else good

    def other(self, setting, hcl=False):
        good, bad = setting.azurerm if hcl and setting.azurerm else (setting.good, setting.bad)
        return good if setting.key in self.bad else bad

    def pick(self, good, bad):
        return bad if self.bad else good


GOOD = Twin("good", frozenset())
BAD = Twin("bad", frozenset(setting.key for setting in SETTINGS))


def arm_literal(value):
    """Inside an expression of a template."""
    if isinstance(value, bool):
        return f"{str(value).lower()}()"
    return f"createArray('{value[0]}')" if isinstance(value, list) else f"'{value}'"


def bicep_literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f"['{value[0]}']" if isinstance(value, list) else f"'{value}'"


def kind(value):
    return "bool" if isinstance(value, bool) else ("array" if isinstance(value, list) else "string")


# --- ARM JSON ---

def arm_resources(value, extra=None, suffix=""):
    v = {setting.key: value(setting) for setting in SETTINGS}
    resources = [
        {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop" + suffix,
         "location": "westeurope", "identity": {"type": "SystemAssigned"},
         "properties": {"dnsPrefix": "shop", "disableLocalAccounts": v["noLocalAccounts"], "enableRBAC": v["rbac"],
                        "apiServerAccessProfile": {"disableRunCommand": v["noRunCommand"],
                                                   "authorizedIPRanges": v["ranges"]},
                        "addonProfiles": {"azurepolicy": {"enabled": v["policy"]}}}},
        {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2025-11-01", "name": "shopregistry" + suffix,
         "location": "westeurope", "sku": {"name": "Premium"},
         "properties": {"adminUserEnabled": v["adminUser"], "publicNetworkAccess": v["registryAccess"]}},
        {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2024-11-01", "name": "shopvault" + suffix,
         "location": "westeurope",
         "properties": {"tenantId": "[tenant().tenantId]", "sku": {"family": "A", "name": "standard"},
                        "enablePurgeProtection": v["purgeProtection"], "enableRbacAuthorization": v["vaultRbac"],
                        "publicNetworkAccess": v["vaultAccess"]}},
    ]
    return [{**resource, **(extra or {})} for resource in resources]


def arm(resources, **sections):
    head = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0"}
    return {"main.json": json.dumps({**head, **sections, "resources": resources}, indent=2) + "\n"}


def arm_map(twin):
    return {setting.key: twin.value(setting) for setting in SETTINGS}


def arm_parameters(twin):
    return {setting.key: {"type": kind(setting.good), "defaultValue": twin.value(setting)} for setting in SETTINGS}


def arm_nested(twin):
    inner = json.loads(arm(arm_resources(lambda s: f"[parameters('{s.key}')]"),
                           parameters={s.key: {"type": kind(s.good)} for s in SETTINGS})["main.json"])
    given = {s.key: {"value": twin.value(s)} for s in SETTINGS}
    return arm([{"type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "inner",
                 "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
                                "parameters": given, "template": inner}}])


def arm_symbolic(twin):
    resources = arm_resources(twin.value)
    named = dict(zip(("cluster", "registry", "vault"), resources))
    return arm(named, languageVersion="2.0")


ENVIRONMENT = {"type": "string"}

ARM = {
    "literal": lambda t: arm(arm_resources(t.value)),
    "default of a parameter": lambda t: arm(
        arm_resources(lambda s: f"[parameters('{s.key}')]"), parameters=arm_parameters(t)),
    "variable": lambda t: arm(arm_resources(lambda s: f"[variables('{s.key}')]"), variables=arm_map(t)),
    "property of a variable": lambda t: arm(
        arm_resources(lambda s: f"[variables('posture').{s.key}]"), variables={"posture": arm_map(t)}),
    "default that is an object": lambda t: arm(
        arm_resources(lambda s: f"[parameters('posture').{s.key}]"),
        parameters={"posture": {"type": "object", "defaultValue": arm_map(t)}}),
    "map by a parameter": lambda t: arm(
        arm_resources(lambda s: f"[variables('all')[parameters('environment')].{s.key}]"),
        parameters={"environment": {**ENVIRONMENT, "defaultValue": t.pick("prod", "dev")}},
        variables={"all": {"prod": arm_map(GOOD), "dev": arm_map(BAD)}}),
    "if": lambda t: arm(arm_resources(
        lambda s: f"[if(equals(1, 1), {arm_literal(t.value(s))}, {arm_literal(t.other(s))})]")),
    "if by a parameter": lambda t: arm(
        arm_resources(lambda s: f"[if(equals(parameters('environment'), 'prod'), {arm_literal(s.good)}, {arm_literal(s.bad)})]"),
        parameters={"environment": {**ENVIRONMENT, "defaultValue": t.pick("prod", "dev")}}),
    "coalesce": lambda t: arm(arm_resources(
        lambda s: f"[coalesce(null(), {arm_literal(t.value(s))}, {arm_literal(t.other(s))})]")),
    "union of objects": lambda t: arm(
        arm_resources(lambda s: f"[variables('posture').{s.key}]"),
        variables={"base": {s.key: t.other(s) for s in SETTINGS}, "own": arm_map(t),
                   "posture": "[union(variables('base'), variables('own'))]"}),
    "copy of resources": lambda t: arm(
        [{**r, "name": f"[format('{r['name']}{{0}}', copyIndex())]"} for r in arm_resources(
            lambda s: f"[variables('all')[copyIndex()].{s.key}]",
            {"copy": {"name": "all", "count": "[length(variables('all'))]"}})],
        variables={"all": [arm_map(t), arm_map(GOOD)]}),
    "resource that is not deployed": lambda t: arm(
        arm_resources(lambda s: s.good)
        + arm_resources(lambda s: s.bad, {"condition": "[parameters('legacy')]"}, suffix="old"),
        parameters={"legacy": {"type": "bool", "defaultValue": t.pick(False, True)}}),
    "nested deployment": arm_nested,
    "symbolic names (what Bicep makes today)": arm_symbolic,
    "symbolic names, defaults of parameters": lambda t: arm(
        dict(zip(("cluster", "registry", "vault"), arm_resources(lambda s: f"[parameters('{s.key}')]"))),
        languageVersion="2.0", parameters=arm_parameters(t)),
}


# --- Bicep ---

def bicep(value, head="", condition=""):
    v = {setting.key: value(setting) for setting in SETTINGS}
    return {"main.bicep": f"""{head}resource cluster 'Microsoft.ContainerService/managedClusters@2025-10-01' = {condition}{{
  name: 'shop'
  location: 'westeurope'
  identity: {{ type: 'SystemAssigned' }}
  properties: {{
    dnsPrefix: 'shop'
    disableLocalAccounts: {v['noLocalAccounts']}
    enableRBAC: {v['rbac']}
    apiServerAccessProfile: {{
      disableRunCommand: {v['noRunCommand']}
      authorizedIPRanges: {v['ranges']}
    }}
    addonProfiles: {{
      azurepolicy: {{
        enabled: {v['policy']}
      }}
    }}
  }}
}}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {condition}{{
  name: 'shopregistry'
  location: 'westeurope'
  sku: {{ name: 'Premium' }}
  properties: {{
    adminUserEnabled: {v['adminUser']}
    publicNetworkAccess: {v['registryAccess']}
  }}
}}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {condition}{{
  name: 'shopvault'
  location: 'westeurope'
  properties: {{
    tenantId: tenant().tenantId
    sku: {{ family: 'A', name: 'standard' }}
    enablePurgeProtection: {v['purgeProtection']}
    enableRbacAuthorization: {v['vaultRbac']}
    publicNetworkAccess: {v['vaultAccess']}
  }}
}}
"""}


def bicep_object(name, value, word="var"):
    lines = "".join(f"  {s.key}: {bicep_literal(value(s))}\n" for s in SETTINGS)
    return f"{word} {name} = {{\n{lines}}}\n"


def bicep_parameters(value):
    return "".join(f"param {s.key} {kind(s.good)} = {bicep_literal(value(s))}\n" for s in SETTINGS)


def bicep_module(twin):
    required = "".join(f"param {s.key} {kind(s.good)}\n" for s in SETTINGS)
    given = "".join(f"    {s.key}: {bicep_literal(twin.value(s))}\n" for s in SETTINGS)
    inner = bicep(lambda s: s.key, required)["main.bicep"]
    return {"main.bicep": f"module inner 'inner.bicep' = {{\n  name: 'inner'\n  params: {{\n{given}  }}\n}}\n",
            "inner.bicep": inner}


def bicep_old(twin):
    head = f"param legacy bool = {twin.pick('false', 'true')}\n"
    old = bicep(lambda s: bicep_literal(s.bad), condition="if (legacy) ")["main.bicep"]
    for name in ("cluster", "registry", "vault"):
        old = old.replace(f"resource {name} ", f"resource {name}Old ")
    old = old.replace("name: 'shop", "name: 'old")
    return {"main.bicep": head + bicep(lambda s: bicep_literal(s.good))["main.bicep"] + "\n" + old}


def bicep_loop(twin):
    head = bicep_object("own", twin.value) + bicep_object("safe", lambda s: s.good) + "var all = [\n  own\n  safe\n]\n"
    text = bicep(lambda s: f"one.{s.key}", condition="[for (one, i) in all: ")["main.bicep"]
    text = text.replace("\n}\n", "\n}]\n").replace("name: 'shop", "name: '${i}shop")
    return {"main.bicep": head + text}


BICEP = {
    "literal": lambda t: bicep(lambda s: bicep_literal(t.value(s))),
    "default of a parameter": lambda t: bicep(lambda s: s.key, bicep_parameters(t.value)),
    "variable": lambda t: bicep(
        lambda s: s.key, "".join(f"var {s.key} = {bicep_literal(t.value(s))}\n" for s in SETTINGS)),
    "property of a variable": lambda t: bicep(lambda s: f"posture.{s.key}", bicep_object("posture", t.value)),
    "default that is an object": lambda t: bicep(
        lambda s: f"posture.{s.key}", bicep_object("posture object", t.value, "param")),
    "map by a parameter": lambda t: bicep(
        lambda s: f"all[environment].{s.key}",
        f"param environment string = '{t.pick('prod', 'dev')}'\n" + bicep_object("prod", lambda s: s.good)
        + bicep_object("dev", lambda s: s.bad) + "var all = {\n  prod: prod\n  dev: dev\n}\n"),
    "choice": lambda t: bicep(lambda s: f"1 == 1 ? {bicep_literal(t.value(s))} : {bicep_literal(t.other(s))}"),
    "choice by a parameter": lambda t: bicep(
        lambda s: f"environment == 'prod' ? {bicep_literal(s.good)} : {bicep_literal(s.bad)}",
        f"param environment string = '{t.pick('prod', 'dev')}'\n"),
    "coalesce": lambda t: bicep(
        lambda s: f"none ?? {bicep_literal(t.value(s))}", "var none = null\n"),
    "union of objects": lambda t: bicep(
        lambda s: f"posture.{s.key}",
        bicep_object("base", t.other) + bicep_object("own", t.value) + "var posture = union(base, own)\n"),
    "spread of an object": lambda t: bicep(
        lambda s: f"posture.{s.key}",
        bicep_object("base", t.other) + bicep_object("own", t.value) + "var posture = {\n  ...base\n  ...own\n}\n"),
    "loop over resources": bicep_loop,
    "resource that is not deployed": bicep_old,
    "module": bicep_module,
    "file of parameters": lambda t: {
        **bicep(lambda s: s.key, bicep_parameters(t.other)),
        "main.bicepparam": "using 'main.bicep'\n" + "".join(
            f"param {s.key} = {bicep_literal(t.value(s))}\n" for s in SETTINGS)},
}


# --- Terraform ---

def hcl(value, head="", each=""):
    v = {setting.key: value(setting) for setting in SETTINGS}
    return {"main.tf": f"""{head}resource "azurerm_kubernetes_cluster" "shop" {{
{each}  name                = "shop"
  location            = "westeurope"
  resource_group_name = "shop"
  dns_prefix          = "shop"

  local_account_disabled            = {v['noLocalAccounts']}
  role_based_access_control_enabled = {v['rbac']}
  run_command_enabled               = {v['noRunCommand']}
  azure_policy_enabled              = {v['policy']}

  api_server_access_profile {{
    authorized_ip_ranges = {v['ranges']}
  }}

  default_node_pool {{
    name       = "system"
    vm_size    = "Standard_D4ds_v5"
    node_count = 3
  }}

  identity {{
    type = "SystemAssigned"
  }}
}}

resource "azurerm_container_registry" "shop" {{
{each}  name                = "shopregistry"
  location            = "westeurope"
  resource_group_name = "shop"
  sku                 = "Premium"

  admin_enabled                 = {v['adminUser']}
  public_network_access_enabled = {v['registryAccess']}
}}

resource "azurerm_key_vault" "shop" {{
{each}  name                = "shopvault"
  location            = "westeurope"
  resource_group_name = "shop"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  soft_delete_retention_days    = 90
  purge_protection_enabled      = {v['purgeProtection']}
  rbac_authorization_enabled    = {v['vaultRbac']}
  public_network_access_enabled = {v['vaultAccess']}
}}
"""}


def tf(value):
    return json.dumps(value)


def own(twin):
    return lambda s: tf(twin.value(s, hcl=True))


def opposite(twin):
    return lambda s: tf(twin.other(s, hcl=True))


def entries(value):
    return "".join(f"  {s.key} = {value(s)}\n" for s in SETTINGS)


def local(name, value):
    return f"locals {{\n  {name} = {{\n{entries(value)}  }}\n}}\n"


def variables(value=None):
    default = (lambda s: f"\n  default = {value(s)}") if value else (lambda s: "")
    return "".join(f'variable "{s.key}" {{{default(s)}\n}}\n' for s in SETTINGS)


def environment(twin):
    return f'variable "environment" {{\n  default = "{twin.pick("prod", "dev")}"\n}}\n'


def tf_old(twin):
    head = f'variable "legacy" {{\n  default = {twin.pick("false", "true")}\n}}\n'
    old = hcl(own(BAD), each="  count               = var.legacy ? 1 : 0\n")["main.tf"]
    old = old.replace('" "shop" {', '" "old" {').replace('= "shop', '= "old')
    return {"main.tf": head + hcl(own(GOOD))["main.tf"] + "\n" + old}


TERRAFORM = {
    "literal": lambda t: hcl(own(t)),
    "default of a variable": lambda t: hcl(lambda s: f"var.{s.key}", variables(own(t))),
    "local": lambda t: hcl(lambda s: f"local.{s.key}", f"locals {{\n{entries(own(t))}}}\n"),
    "attribute of an object": lambda t: hcl(lambda s: f"local.posture.{s.key}", local("posture", own(t))),
    "default that is an object": lambda t: hcl(
        lambda s: f"var.posture.{s.key}", f'variable "posture" {{\n  default = {{\n{entries(own(t))}  }}\n}}\n'),
    "map by a variable": lambda t: hcl(
        lambda s: f"local.all[var.environment].{s.key}",
        environment(t) + f"locals {{\n  all = {{\n    prod = {{\n{entries(own(GOOD))}    }}\n"
        f"    dev = {{\n{entries(own(BAD))}    }}\n  }}\n}}\n"),
    "choice": lambda t: hcl(lambda s: f"1 == 1 ? {own(t)(s)} : {opposite(t)(s)}"),
    "choice by a variable": lambda t: hcl(
        lambda s: f'var.environment == "prod" ? {own(GOOD)(s)} : {own(BAD)(s)}', environment(t)),
    "coalesce": lambda t: hcl(
        lambda s: f"coalesce(var.{s.key}, {own(t)(s)})", variables(lambda s: "null")),
    "merged maps": lambda t: hcl(
        lambda s: f"local.posture.{s.key}",
        local("base", opposite(t)) + local("own", own(t)) + "locals {\n  posture = merge(local.base, local.own)\n}\n"),
    "type with optional attributes": lambda t: hcl(
        lambda s: f"var.posture.{s.key}",
        'variable "posture" {\n  default = {}\n  type = object({\n' + "".join(
            f"    {s.key} = optional({'list(string)' if s.key == 'ranges' else 'bool'}, {own(t)(s)})\n"
            for s in SETTINGS) + "  })\n}\n"),
    "for_each": lambda t: {"main.tf": hcl(
        lambda s: f"each.value.{s.key}",
        f"locals {{\n  all = {{\n    one = {{\n{entries(own(t))}    }}\n    two = {{\n{entries(own(GOOD))}    }}\n  }}\n}}\n",
        "  for_each            = local.all\n")["main.tf"].replace('= "shop', '= "${each.key}shop')},
    "resource that is not created": tf_old,
    "module": lambda t: {
        "main.tf": f'module "inner" {{\n  source = "./inner"\n{entries(own(t))}}}\n',
        "inner/main.tf": hcl(lambda s: f"var.{s.key}", variables())["main.tf"]},
    "file of values": lambda t: {
        **hcl(lambda s: f"var.{s.key}", variables(opposite(t))),
        "terraform.tfvars": "".join(f"{s.key} = {own(t)(s)}\n" for s in SETTINGS)},
}

LANGUAGES = {"arm": ARM, "bicep": BICEP, "terraform": TERRAFORM}
