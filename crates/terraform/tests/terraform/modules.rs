//! Modules: on disk, downloaded, missing; repeated; references through them.

use bicep::deployment::ProblemKind;
use bicep::source::Sources;
use bumpalo::Bump;

use terraform::files::Files;
use terraform::reading::{Options, configuration};

use crate::given::{Memory, outputs_of, read, words};

const NETWORK: &str = r#"
variable "name" { type = string }
variable "nets" {
  type    = map(string)
  default = { nodes = "10.0.0.0/24" }
}
resource "azurerm_subnet" "all" {
  for_each         = var.nets
  name             = "${var.name}-${each.key}"
  address_prefixes = [each.value]
}
output "ids" { value = { for k, s in azurerm_subnet.all : k => s.id } }
output "first" {
  value     = values(azurerm_subnet.all)[0].address_prefixes[0]
  sensitive = false
}
"#;

fn files(main: &str) -> Memory {
    Memory::of(&[("main.tf", main), ("modules/network/main.tf", NETWORK)])
}

#[test]
fn modules_are_repeated_and_referred_to() {
    let main = r#"
variable "on" { type = bool }
module "one" {
  source = "./modules/network"
  name   = "one"
}
module "many" {
  source   = "./modules/network"
  for_each = { x = { a = "10.1.0.0/24" }, y = {} }
  name     = each.key
  nets     = each.value
}
module "twice" {
  source = "./modules/network"
  count  = 2
  name   = "t${count.index}"
}
module "maybe" {
  source = "./modules/network"
  count  = var.on ? 1 : 0
  name   = module.one.first
}
output "o" {
  value = [
    module.one.ids["nodes"], module.many["x"].ids.a, module.twice[*].first,
    { for k, m in module.many : k => length(m.ids) }, module.maybe[0].first,
    try(module.maybe[0].first, null), one(module.maybe[*].first)
  ]
}
"#;
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files(main));
    assert_eq!(reading.problems, []);
    assert_eq!(
        words(&reading.outputs[0].1),
        "[<module.one.azurerm_subnet.all[\"nodes\"].id>,\
         <module.many[\"x\"].azurerm_subnet.all[\"a\"].id>,[\"10.0.0.0/24\",\"10.0.0.0/24\"],\
         {x:1,y:0},\"10.0.0.0/24\",<try(\"10.0.0.0/24\", null)>,<one(module.maybe[*].first)>]"
    );
    let addresses: Vec<(&str, usize, bool)> = reading
        .resources
        .iter()
        .map(|one| (one.address, one.through.len(), one.condition.is_some()))
        .collect();
    assert_eq!(
        addresses,
        [
            ("module.one.azurerm_subnet.all[\"nodes\"]", 1, false),
            ("module.many[\"x\"].azurerm_subnet.all[\"a\"]", 1, false),
            ("module.twice[0].azurerm_subnet.all[\"nodes\"]", 1, false),
            ("module.twice[1].azurerm_subnet.all[\"nodes\"]", 1, false),
            ("module.maybe[0].azurerm_subnet.all[\"nodes\"]", 1, true),
        ]
    );
    let maybe = &reading.resources[4];
    assert_eq!(words(&maybe.condition.unwrap()), "<var.on>");
    assert_eq!(
        words(maybe.body.get("name").unwrap()),
        "\"10.0.0.0/24-nodes\""
    );
    assert_eq!(sources.line_column(maybe.through[0]), (18, 1));
}

#[test]
fn downloaded_modules_are_found_and_missing_ones_told() {
    let main = r#"
module "found" {
  source  = "Azure/network/azurerm"
  version = "1.0.0"
  name    = "f"
}
module "missing" {
  source = "git::https://example.org/m.git"
}
module "lost" {
  source = "./lost"
}
output "o" { value = [module.found.first, module.missing.id] }
"#;
    let files = Memory::of(&[
        ("main.tf", main),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Source":"","Dir":"."},
                {"Key":"found","Source":"registry.terraform.io/Azure/network/azurerm","Dir":".terraform/modules/found"}]}"#,
        ),
        (".terraform/modules/found/main.tf", NETWORK),
    ]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files);
    assert_eq!(
        words(&reading.outputs[0].1),
        "[\"10.0.0.0/24\",<module.missing.id>]"
    );
    let source = sources.get(reading.resources[0].span.file).unwrap();
    assert!(source.published);
    let told: Vec<(u32, &str)> = reading
        .problems
        .iter()
        .map(|problem| {
            assert_eq!(problem.kind, ProblemKind::Unresolved);
            (
                sources.line_column(problem.span).0,
                problem.message.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                8,
                "module `missing` (`git::https://example.org/m.git`) is not on disk: what it makes is missing"
            ),
            (11, "there is no folder `lost`"),
        ]
    );
    assert!(
        reading.problems[0]
            .help
            .as_ref()
            .unwrap()
            .contains("terraform get")
    );
    assert_eq!(
        reading.problems[1].help.as_deref(),
        Some("check the path that `source` of module `lost` gives")
    );
}

#[test]
fn paths_are_those_of_terraform() {
    let files = Memory::of(&[
        (
            "main.tf",
            "module \"a\" { source = \"./modules/a\" }\noutput \"o\" { value = module.a.o }",
        ),
        (
            "modules/a/main.tf",
            "module \"b\" { source = \"../b\" }\noutput \"o\" { value = [path.module, path.root, module.b.o] }",
        ),
        (
            "modules/b/main.tf",
            "output \"o\" { value = [path.module, file(\"${path.module}/x\")] }",
        ),
        ("modules/b/x", "text"),
    ]);
    let found = outputs_of(&files);
    assert_eq!(found["o"], "[\"modules/a\",\".\",[\"modules/b\",\"text\"]]");
}

#[test]
fn values_of_variables_are_converted_and_checked() {
    for (argument, expected) in [
        ("n = \"5\"", "[5,null]"),
        ("n = null", "[null,null]"),
        ("n = 1\n  o = { a = \"x\" }", "[1,{a:\"x\",b:true}]"),
        (
            "n = 1\n  o = { a = 1, b = null, c = 2 }",
            "[1,{a:\"1\",b:true}]",
        ),
        (
            "n = 1\n  o = { b = false }",
            "[1,<variable `o`: attribute `a` is required>]",
        ),
        ("n = \"x\"", "[<variable `n`: a number is required>,null]"),
        ("", "[<variable `n` of this module has no value>,null]"),
    ] {
        let child = "variable \"n\" { type = number }\nvariable \"o\" {\n  type = object({ a = string, b = optional(bool, true) })\n  default = null\n}\noutput \"n\" { value = var.n }\noutput \"o\" { value = var.o }";
        let main = format!(
            "module \"m\" {{\n  source = \"./m\"\n  {argument}\n}}\noutput \"o\" {{ value = [try(module.m.n, \"x\"), module.m.o] }}\noutput \"p\" {{ value = module.m.n }}"
        );
        let files = Memory::of(&[("main.tf", &main), ("m/main.tf", child)]);
        let found = outputs_of(&files);
        let (n, o) = expected.trim_matches(['[', ']']).split_once(',').unwrap();
        if n.starts_with('<') {
            assert_eq!(found["p"], n, "{argument}");
        } else if o.starts_with('<') {
            assert_eq!(found["o"], o, "{argument}");
        } else {
            assert_eq!(found["o"], expected, "{argument}");
        }
    }
}

/// Addresses of what is made, and line, message and help of the problems.
fn made_and_told(files: &Memory) -> (Vec<String>, Vec<(u32, String, String)>) {
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, files);
    let made = reading
        .resources
        .iter()
        .map(|one| one.address.to_owned())
        .collect();
    let told = reading
        .problems
        .iter()
        .map(|problem| {
            (
                sources.line_column(problem.span).0,
                problem.message.clone(),
                problem.help.clone().unwrap_or_default(),
            )
        })
        .collect();
    (made, told)
}

#[test]
fn a_module_that_calls_itself_is_told_once_and_made_once() {
    let files = Memory::of(&[(
        "main.tf",
        r#"
module "self" {
  source = "./"
  count  = 3
}
resource "azurerm_subnet" "s" { name = module.self[0].name }
"#,
    )]);
    let (made, told) = made_and_told(&files);
    assert_eq!(made, ["azurerm_subnet.s"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, 3);
    assert_eq!(told[0].1, "module `self` calls itself");
    assert_eq!(told[0].2, "give the `source` of another module");
}

#[test]
fn a_ring_of_modules_is_told_once_with_its_chain() {
    let subnet = "resource \"azurerm_subnet\" \"s\" { name = \"s\" }\n";
    let a = format!("{subnet}module \"b\" {{ source = \"../b\" }}\n");
    let b = format!("{subnet}module \"a\" {{ source = \"../a\" }}\n");
    let main =
        "module \"a\" {\n  source = \"./a\"\n  count = 2\n}\nmodule \"b\" { source = \"./b\" }\n";
    let files = Memory::of(&[("main.tf", main), ("a/main.tf", &a), ("b/main.tf", &b)]);
    let (made, told) = made_and_told(&files);
    assert_eq!(
        made,
        [
            "module.a[0].azurerm_subnet.s",
            "module.a[0].module.b.azurerm_subnet.s",
            "module.a[1].azurerm_subnet.s",
            "module.a[1].module.b.azurerm_subnet.s",
            "module.b.azurerm_subnet.s",
            "module.b.module.a.azurerm_subnet.s",
        ]
    );
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].1,
        "module `a` leads back to itself: `a` calls `b` calls `a`"
    );
}

#[test]
fn an_absolute_path_is_looked_at() {
    struct Elsewhere(Memory);
    impl Files for Elsewhere {
        fn list(&self, folder: &str) -> Result<Vec<String>, String> {
            if folder.starts_with('/') {
                return Err(format!("`{folder}` is not read: it lies outside"));
            }
            self.0.list(folder)
        }
        fn read(&self, path: &str) -> Result<Vec<u8>, String> {
            self.0.read(path)
        }
    }
    let files = Memory::of(&[("main.tf", "module \"m\" { source = \"/etc\" }\n")]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let options = Options::default();
    let reading = configuration(&arena, &Elsewhere(files), &mut sources, ".", &options, None);
    assert_eq!(reading.problems.len(), 1);
    assert_eq!(
        reading.problems[0].message,
        "`/etc` is not read: it lies outside"
    );
    let help = reading.problems[0].help.as_deref();
    assert_eq!(
        help,
        Some("check the path that `source` of module `m` gives")
    );
}

#[test]
fn repetition_is_bounded_in_all() {
    let files = Memory::of(&[
        (
            "main.tf",
            "module \"m\" {\n  source = \"./m\"\n  count = 1000\n}\n",
        ),
        (
            "m/main.tf",
            "module \"n\" {\n  source = \"../n\"\n  count = 1000\n}\n",
        ),
        (
            "n/main.tf",
            "resource \"azurerm_key_vault\" \"k\" {\n  count = 1000\n  name = \"k\"\n}\n",
        ),
    ]);
    let (made, told) = made_and_told(&files);
    assert_eq!(made.len(), 20_000);
    let messages: Vec<&str> = told
        .iter()
        .map(|(_, message, _)| message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "there are more than 4000 instances of modules: these are not evaluated",
            "there are more than 20000 resources: the rest is not evaluated",
        ]
    );
}
