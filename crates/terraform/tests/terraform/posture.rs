//! One posture said in every way that the language has: each way with `true` and with `false`
//! must give just that in Azure.

use bicep::source::Sources;
use bumpalo::Bump;
use terraform::reading::Options;

use crate::given::{Memory, words};
use crate::table::table;

const CLUSTER: &str = "resource \"azurerm_kubernetes_cluster\" \"c\" {\n  name = \"aks\"\n  resource_group_name = \"rg\"\n  local_account_disabled = ";

/// Ways to write the value of `local_account_disabled`; `@` is `true` or `false`.
const WAYS: &[(&str, &str, &str)] = &[
    ("literal", "@", ""),
    ("negation", "!!@", ""),
    ("text", "\"@\"", ""),
    ("template", "\"${@}\"", ""),
    ("default", "var.a", "variable \"a\" { default = @ }"),
    (
        "default of a type",
        "var.a",
        "variable \"a\" {\n type = bool\n default = \"@\"\n}",
    ),
    ("local", "local.a", "locals { a = @ }"),
    (
        "locals",
        "local.c",
        "locals {\n a = @\n b = local.a\n c = local.b\n}",
    ),
    (
        "condition",
        "var.e == \"prod\" ? @ : null",
        "variable \"e\" { default = \"prod\" }",
    ),
    (
        "condition otherwise",
        "var.e == \"prod\" ? null : @",
        "variable \"e\" { default = \"dev\" }",
    ),
    (
        "object",
        "var.o.security.locals",
        "variable \"o\" { default = { security = { locals = @ } } }",
    ),
    (
        "optional attribute",
        "var.o.locals",
        "variable \"o\" {\n type = object({ name = string, locals = optional(bool, @) })\n default = { name = \"x\" }\n}",
    ),
    (
        "nested optional attribute",
        "var.o.in.locals",
        "variable \"o\" {\n type = object({ in = optional(object({ locals = optional(bool, @) }), {}) })\n default = {}\n}",
    ),
    (
        "map",
        "local.m[\"prod\"]",
        "locals { m = { prod = @, dev = null } }",
    ),
    (
        "map by a variable",
        "local.m[var.e]",
        "variable \"e\" { default = \"prod\" }\nlocals { m = { prod = @, dev = null } }",
    ),
    (
        "lookup",
        "lookup(local.m, \"prod\", null)",
        "locals { m = { prod = @ } }",
    ),
    ("lookup of what is missing", "lookup({}, \"prod\", @)", ""),
    ("list", "[null, @][1]", ""),
    ("element", "element([null, @], 3)", ""),
    ("splat", "([{ a = @ }, { a = null }][*].a)[0]", ""),
    (
        "splat of attributes",
        "[{ a = @ }, { a = null }].*.a[0]",
        "",
    ),
    ("for", "[for x in [@] : x][0]", ""),
    (
        "for with a key",
        "{ for k, v in { a = @ } : upper(k) => v }[\"A\"]",
        "",
    ),
    (
        "filter",
        "[for k, v in { a = @, b = null } : v if k == \"a\"][0]",
        "",
    ),
    ("grouping", "{ for x in [@] : \"k\" => x... }[\"k\"][0]", ""),
    ("merge", "merge({ a = null }, { a = @ }).a", ""),
    ("coalesce", "coalesce(null, @)", ""),
    (
        "try",
        "try(local.m.missing, local.m.a)",
        "locals { m = { a = @ } }",
    ),
    (
        "can",
        "can(local.m.a) ? local.m.a : null",
        "locals { m = { a = @ } }",
    ),
    ("contains", "contains([\"true\"], \"@\")", ""),
    ("alltrue", "alltrue([true, @])", ""),
    ("anytrue", "anytrue([false, @])", ""),
    ("and", "@ && true", ""),
    ("or", "@ || false", ""),
    ("length", "length(@ ? [1] : []) > 0", ""),
    ("compare", "\"@\" == \"true\"", ""),
    ("tobool", "tobool(\"@\")", ""),
    ("one", "one([@])", ""),
    ("flatten", "flatten([[[@]]])[0]", ""),
    ("concat", "concat([], [@])[0]", ""),
    ("values", "values({ a = @ })[0]", ""),
    ("zipmap", "zipmap([\"a\"], [@])[\"a\"]", ""),
    ("jsondecode", "jsondecode(\"{\\\"a\\\": @}\").a", ""),
    ("jsonencode", "jsondecode(jsonencode({ a = @ })).a", ""),
    ("yamldecode", "yamldecode(\"a: @\").a", ""),
    ("regex", "can(regex(\"^t\", \"@\"))", ""),
    ("startswith", "startswith(\"@\", \"t\")", ""),
    ("format", "format(\"%t\", @)", ""),
    ("replace", "tobool(replace(\"x@\", \"x\", \"\"))", ""),
    ("trim", "tobool(trimspace(\" @ \"))", ""),
    (
        "directive",
        "tobool(\"%{ if @ }true%{ else }false%{ endif }\")",
        "",
    ),
    ("nonsensitive", "nonsensitive(sensitive(@))", ""),
    (
        "output of a module",
        "module.m.out",
        "module \"m\" {\n source = \"./m\"\n in = @\n}",
    ),
    (
        "output of one of modules",
        "module.m[\"a\"].out",
        "module \"m\" {\n source = \"./m\"\n for_each = { a = @ }\n in = each.value\n}",
    ),
    (
        "output of counted modules",
        "module.m[0].out",
        "module \"m\" {\n source = \"./m\"\n count = 1\n in = @\n}",
    ),
    (
        "another resource",
        "azurerm_kubernetes_cluster.other.local_account_disabled",
        "resource \"azurerm_kubernetes_cluster\" \"other\" {\n name = \"o\"\n local_account_disabled = @\n}",
    ),
    ("a variable file", "var.f", "variable \"f\" { type = bool }"),
    (
        "a file",
        "jsondecode(file(\"${path.module}/values.json\")).a",
        "",
    ),
    (
        "a template file",
        "tobool(trimspace(templatefile(\"t.tpl\", { a = @ })))",
        "",
    ),
];

fn local_accounts(files: &Memory) -> String {
    let arena = Bump::new();
    let mut sources = Sources::default();
    let found = terraform::read(
        &arena,
        files,
        &mut sources,
        &table(),
        ".",
        &Options::default(),
    );
    assert_eq!(found.reading.problems, [], "{files:?}");
    let cluster = found
        .resources
        .iter()
        .rfind(|one| one.name == "aks")
        .unwrap();
    let properties = cluster.body.get("properties").unwrap();
    words(properties.get("disableLocalAccounts").unwrap())
}

fn files(main: &str, value: &str) -> Memory {
    Memory::of(&[
        ("main.tf", &main.replace('@', value)),
        (
            "m/main.tf",
            "variable \"in\" { type = bool }\noutput \"out\" { value = var.in }",
        ),
        ("terraform.tfvars", &format!("f = {value}")),
        ("values.json", &format!("{{\"a\": {value}}}")),
        ("t.tpl", "${a}\n"),
    ])
}

#[test]
fn every_way_to_say_it_is_understood() {
    assert!(WAYS.len() > 50);
    for (way, value, rest) in WAYS {
        let main = format!("{rest}\n{CLUSTER}{value}\n}}\n");
        for truth in ["true", "false"] {
            let found = local_accounts(&files(&main, truth));
            assert_eq!(found.trim_matches('"'), truth, "{way}");
        }
    }
}

#[test]
fn it_is_understood_wherever_the_cluster_is_made() {
    let body = "name = \"aks\"\n resource_group_name = \"rg\"\n local_account_disabled = ";
    for (way, main) in [
        ("count", format!("resource \"azurerm_kubernetes_cluster\" \"c\" {{\n count = 1\n {body}[@][count.index]\n}}")),
        ("for_each", format!("resource \"azurerm_kubernetes_cluster\" \"c\" {{\n for_each = {{ a = @ }}\n {body}each.value\n}}")),
        ("a set", format!("resource \"azurerm_kubernetes_cluster\" \"c\" {{\n for_each = toset([\"@\"])\n {body}tobool(each.key)\n}}")),
        ("a module", "module \"k\" {\n source = \"./k\"\n off = @\n}".to_owned()),
        ("modules", "module \"k\" {\n source = \"./k\"\n for_each = { a = { off = @ } }\n off = each.value.off\n}".to_owned()),
    ] {
        for truth in ["true", "false"] {
            let mut files = files(&main, truth);
            files.0.insert(
                "k/main.tf".to_owned(),
                format!("variable \"off\" {{ type = bool }}\nresource \"azurerm_kubernetes_cluster\" \"c\" {{\n {body}var.off\n}}"),
            );
            assert_eq!(local_accounts(&files).trim_matches('"'), truth, "{way}");
        }
    }
}

#[test]
fn blocks_are_understood_in_every_way() {
    let head = "resource \"azurerm_kubernetes_cluster\" \"c\" {\n name = \"aks\"\n resource_group_name = \"rg\"\n";
    let rules = [
        (
            "plain",
            "api_server_access_profile {\n authorized_ip_ranges = [\"@\"]\n }",
            "",
        ),
        (
            "dynamic",
            "dynamic \"api_server_access_profile\" {\n for_each = [\"@\"]\n content { authorized_ip_ranges = [api_server_access_profile.value] }\n }",
            "",
        ),
        (
            "dynamic over a map",
            "dynamic \"api_server_access_profile\" {\n for_each = { \"@\" = 1 }\n iterator = it\n content { authorized_ip_ranges = [it.key] }\n }",
            "",
        ),
        (
            "dynamic over a condition",
            "dynamic \"api_server_access_profile\" {\n for_each = var.r == null ? [] : [1]\n content { authorized_ip_ranges = var.r }\n }",
            "variable \"r\" { default = [\"@\"] }",
        ),
        (
            "dynamic over a splat",
            "dynamic \"api_server_access_profile\" {\n for_each = var.r[*]\n content { authorized_ip_ranges = [api_server_access_profile.value] }\n }",
            "variable \"r\" { default = \"@\" }",
        ),
        (
            "before version 4",
            "api_server_authorized_ip_ranges = [\"@\"]",
            "",
        ),
    ];
    for (way, block, rest) in rules {
        let text = format!("{rest}\n{head} {block}\n}}").replace('@', "1.2.3.4/32");
        let arena = Bump::new();
        let mut sources = Sources::default();
        let files = Memory::of(&[("main.tf", &text)]);
        let found = terraform::read(
            &arena,
            &files,
            &mut sources,
            &table(),
            ".",
            &Options::default(),
        );
        assert_eq!(found.reading.problems, [], "{way}");
        let profile = found.resources[0].body.get("properties").unwrap();
        let profile = profile.get("apiServerAccessProfile").unwrap();
        assert_eq!(
            words(profile.get("authorizedIPRanges").unwrap()),
            "[\"1.2.3.4/32\"]",
            "{way}"
        );
    }
}
