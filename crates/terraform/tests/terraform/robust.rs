//! Whatever is written, reading ends, and every place lies in its text.

use bicep::source::{Sources, Span};
use bicep::value::{Data, Value};
use bumpalo::Bump;
use terraform::reading::Options;
use terraform::table::Table;

use crate::given::Memory;
use crate::table::table;

const MAIN: &str = r#"
terraform {
  required_providers { azurerm = { source = "hashicorp/azurerm", version = "~> 4.0" } }
}
variable "prefix" {}
variable "pools" {
  type = map(object({ size = optional(string, "Standard_D4s_v5"), zones = optional(set(string), ["1"]) }))
  default = { a = {}, b = { size = "x" } }
}
variable "flag" { type = bool }
locals {
  tags = merge({ env = "x" }, var.flag ? { a = "b" } : {})
  text = <<-EOT
    %{ for k, v in var.pools ~}
    ${k}: ${v.size}
    %{ endfor ~}
  EOT
  nets = { for i, name in ["nodes", "pods"] : name => cidrsubnet("10.0.0.0/16", 8, i) }
}
data "azurerm_client_config" "me" {}
resource "azurerm_resource_group" "main" {
  name     = "${var.prefix}-rg"
  location = "westeurope"
}
resource "azurerm_virtual_network" "main" {
  name                = "vnet"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "all" {
  for_each             = local.nets
  name                 = each.key
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [each.value]
}
resource "azurerm_kubernetes_cluster" "main" {
  count               = var.flag ? 1 : 0
  name                = "aks-${lower(var.prefix)}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  dns_prefix          = try(local.missing, "aks")
  default_node_pool {
    name           = "system"
    vm_size        = "Standard_D4s_v5"
    vnet_subnet_id = azurerm_subnet.all["nodes"].id
  }
  dynamic "identity" {
    for_each = var.flag ? ["SystemAssigned"] : []
    content { type = identity.value }
  }
}
module "child" {
  source = "./child"
  id     = azurerm_subnet.all["nodes"].id
  names  = [for k, s in azurerm_subnet.all : s.name if k != "pods"]
}
output "id" { value = one(azurerm_kubernetes_cluster.main[*].id) }
"#;

const CHILD: &str = r#"
variable "id" { type = string }
variable "names" { type = list(string) }
resource "azapi_resource" "pool" {
  type      = "Microsoft.ContainerService/managedClusters/agentPools@2025-10-01"
  parent_id = var.id
  name      = join("", var.names)
  body      = jsonencode({ properties = { count = length(var.names), mode = "User" } })
}
"#;

const JSON: &str = r#"{
  "variable": { "n": { "type": "number", "default": 2 } },
  "resource": { "azurerm_public_ip": { "a": { "count": "${var.n}", "name": "ip${count.index}",
    "location": "x", "resource_group_name": "r", "allocation_method": "Static" } } }
}"#;

/// As fixed as chance can be.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % (limit.max(1) as u64)) as usize
    }
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutate(text: &str, chance: &mut Chance) -> String {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "${",
        "%{",
        "<<EOT\n",
        "=",
        ".",
        "*",
        "each.value",
        "count.index",
        "null",
        "var.flag",
        "for x in",
        "...",
        "true",
        "-1",
        "local.tags",
        "?",
        ":",
        "é",
        "\\u",
        "1e999",
        "jsonencode(",
        "file(\"main.tf\")",
        "azurerm_subnet.all",
        "\r\n",
        "#",
    ];
    let mut text = text.to_owned();
    for _ in 0..=chance.below(4) {
        let one = boundary(&text, chance.below(text.len() + 1));
        let other = boundary(&text, chance.below(text.len() + 1));
        let (start, end) = (one.min(other), one.max(other));
        let near = boundary(&text, (start + chance.below(40)).min(text.len()));
        match chance.below(4) {
            0 => text.replace_range(start..near, ""),
            1 => text.insert_str(start, PIECES[chance.below(PIECES.len())]),
            2 => {
                let piece = text[start..near].to_owned();
                text.insert_str(end, &piece);
            }
            _ => text.replace_range(start..near, PIECES[chance.below(PIECES.len())]),
        }
    }
    text
}

fn check(span: Span, sources: &Sources<'_>) {
    if let Some(source) = sources.get(span.file) {
        assert!(
            span.start <= span.end && span.end as usize <= source.text.len(),
            "{span:?}"
        );
    }
}

fn check_value(value: &Value<'_>, sources: &Sources<'_>) {
    check(value.span, sources);
    match value.data {
        Data::Array(items) => items.iter().for_each(|item| check_value(item, sources)),
        Data::Object(fields) => {
            for field in fields {
                check(field.key_span, sources);
                check_value(&field.value, sources);
            }
        }
        Data::Unknown(unknown) => assert!(!unknown.why.is_empty(), "{}", unknown.text),
        _ => {}
    }
}

fn survive(files: &Memory, table: &Table) -> usize {
    let arena = Bump::new();
    let mut sources = Sources::default();
    let found = terraform::read(&arena, files, &mut sources, table, ".", &Options::default());
    for resource in &found.resources {
        check(resource.span, &sources);
        check_value(&resource.body, &sources);
    }
    for problem in &found.reading.problems {
        check(problem.span, &sources);
        assert!(!problem.message.is_empty());
    }
    found.resources.len()
}

#[test]
fn mutated_configurations_are_read_to_the_end() {
    let table = table();
    let whole = Memory::of(&[
        ("main.tf", MAIN),
        ("child/main.tf", CHILD),
        ("ips.tf.json", JSON),
    ]);
    assert_eq!(survive(&whole, &table), 8);
    let mut chance = Chance(0x5ea_3a11);
    let mut read = 0;
    for _ in 0..700 {
        let mut files = whole.clone();
        let path = ["main.tf", "main.tf", "child/main.tf", "ips.tf.json"][chance.below(4)];
        let text = mutate(&files.0[path], &mut chance);
        files.0.insert(path.to_owned(), text);
        read += survive(&files, &table);
    }
    // Most of what is not touched is still read.
    assert!(read > 1500, "{read}");
}

#[test]
fn mutated_plans_are_read_to_the_end() {
    let table = table();
    let mut chance = Chance(77);
    for _ in 0..400 {
        let text = mutate(include_str!("plan.json"), &mut chance);
        let arena = Bump::new();
        let mut sources = Sources::default();
        let found = terraform::read_plan(&arena, &mut sources, &table, "plan.json", &text);
        for resource in &found.resources {
            check_value(&resource.body, &sources);
        }
    }
}

#[test]
fn deep_and_large_input_ends() {
    let table = table();
    let chain: String = (0..2000)
        .map(|at| format!("  l{at} = local.l{}\n", at + 1))
        .collect();
    let doubled: String = (1..60)
        .map(|at| format!("  d{at} = [local.d{0}, local.d{0}]\n  s{at} = \"${{local.s{0}}}${{local.s{0}}}\"\n", at - 1))
        .collect();
    let attributes = ".a".repeat(5000);
    let nested = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let sum = vec!["1"; 120].join(" + ");
    let conditional = format!("{}1", "var.x ? 2 : ".repeat(60));
    let calls = format!("{}1{}", "abs(".repeat(60), ")".repeat(60));
    for text in [
        format!("locals {{\n{chain}\n}}\noutput \"o\" {{ value = local.l0 }}"),
        format!("locals {{\n  d0 = [1]\n  s0 = \"ab\"\n{doubled}\n}}\noutput \"o\" {{ value = [local.d59, local.s59] }}"),
        format!("variable \"x\" {{}}\noutput \"o\" {{ value = var.x{attributes} }}"),
        format!("output \"o\" {{ value = {nested} }}"),
        format!("output \"o\" {{ value = {sum} }}"),
        format!("variable \"x\" {{}}\noutput \"o\" {{ value = {conditional} }}"),
        format!("output \"o\" {{ value = {calls} }}"),
        "locals {\n a = local.b\n b = local.a\n}\noutput \"o\" { value = local.a }".to_owned(),
        "module \"m\" { source = \"./\" }".to_owned(),
        "module \"m\" {\n source = \".\"\n count = 3\n}".to_owned(),
        "resource \"azurerm_subnet\" \"s\" { count = 1000000000 }".to_owned(),
        "output \"o\" { value = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]] }".to_owned(),
        "output \"o\" { value = setproduct(range(1000), range(1000), range(1000)) }".to_owned(),
        "output \"o\" { value = replace(join(\"\", range(1000)), \"\", join(\"\", range(1000))) }".to_owned(),
        "output \"o\" { value = format(\"%999999999d\", 1) }".to_owned(),
        "output \"o\" { value = indent(999999999, \"\\n\") }".to_owned(),
        "output \"o\" { value = regex(\"(a{1000}){1000}\", \"a\") }".to_owned(),
        "output \"o\" { value = pow(10, 400) }".to_owned(),
        "resource \"azurerm_subnet\" \"s\" { name = azurerm_subnet.s.name }".to_owned(),
        format!("a {{ {} {} }}", "b {\n".repeat(5000), "}\n".repeat(5000)),
    ] {
        let files = Memory::of(&[("main.tf", &text)]);
        survive(&files, &table);
    }
    let brackets = "[".repeat(100_000);
    survive(&Memory::of(&[("main.tf.json", &brackets)]), &table);
}
