//! What the language leaves open, and that it says why.

use bicep::source::Sources;
use bicep::value::{Shape, Why};
use bumpalo::Bump;
use terraform::reading::{Assumed, Options, configuration};

use crate::given::{Memory, outputs, outputs_of, read, words};

/// Declarations that the cases share.
const GIVEN: &str = r#"
variable "name" { type = string }
variable "flag" { type = bool }
variable "size" { type = number }
variable "list" { type = list(string) }
variable "any" {}
variable "object" {
  type = object({ on = bool, inner = object({ name = string }), names = list(string) })
}
variable "known" { default = "k" }
variable "pool" {
  type = object({
    name  = string
    count = optional(number, 3)
    zones = optional(set(string), ["1", "2"])
    extra = optional(string)
  })
  default = { name = "p", count = "5" }
}
variable "secret" {
  sensitive = true
  default   = "s3cr3t"
}
variable "nonnull" {
  nullable = false
  default  = "d"
}
data "azurerm_client_config" "me" {}
resource "azurerm_subnet" "one" {
  name             = "one"
  address_prefixes = ["10.0.0.0/24"]
  delegation {
    name = "d"
  }
}
resource "azurerm_subnet" "two" {
  count = 2
  name  = "two-${count.index}"
}
resource "azurerm_subnet" "each" {
  for_each = { a = "x", b = "y" }
  name     = "${each.key}-${each.value}"
}
resource "azurerm_subnet" "maybe" {
  count = var.flag ? 1 : 0
  name  = "maybe"
}
resource "azurerm_subnet" "none" {
  count = 0
  name  = "none"
}
"#;

#[test]
fn what_is_open_says_what_it_is() {
    for (expression, expected) in [
        // Strings that are partly known.
        ("\"${var.name}-aks\"", "<{var.name}-aks>"),
        ("\"${\"${var.name}-aks\"}-x\"", "<{var.name}-aks-x>"),
        ("var.name", "<var.name>"),
        ("lower(var.name)", "<lower(var.name)>"),
        ("lower(\"${var.name}-A\")", "<lower(\"‹var.name›-A\")>"),
        ("join(\"-\", [\"a\", var.name, \"b\"])", "<a-{var.name}-b>"),
        ("format(\"%s-%s\", \"a\", var.name)", "<a-{var.name}>"),
        ("startswith(\"aks-${var.name}\", \"aks\")", "true"),
        ("startswith(\"aks-${var.name}\", \"vm\")", "false"),
        (
            "startswith(\"aks-${var.name}\", \"aks-x\")",
            "<startswith(\"aks-{var.name}\", \"aks-x\")>",
        ),
        ("split(\"/\", \"/a/${var.name}/c\")[3]", "\"c\""),
        ("split(\"/\", \"/a/${var.name}/c\")[2]", "<{var.name}>"),
        ("trim(\"a-${var.name}-b\", \"-\")", "<a-{var.name}-b>"),
        ("trim(\"-a-${var.name}-b\", \"-\")", "<a-{var.name}-b>"),
        (
            "trim(\"a-${var.name}\", \"-\")",
            "<trim(\"a-‹var.name›\", \"-\")>",
        ),
        ("trimspace(\" a${var.name}b \")", "<a{var.name}b>"),
        ("trimprefix(\"a-${var.name}\", \"a-\")", "<{var.name}>"),
        (
            "trimprefix(\"${var.name}-a\", \"x\")",
            "<trimprefix(\"‹var.name›-a\", \"x\")>",
        ),
        (
            "trimprefix(\"a-${var.name}\", \"a-b\")",
            "<trimprefix(\"a-‹var.name›\", \"a-b\")>",
        ),
        ("trimprefix(\"a-${var.name}\", \"b\")", "<a-{var.name}>"),
        ("trimsuffix(\"${var.name}-a\", \"-a\")", "<{var.name}>"),
        ("substr(\"worker${var.name}\", 0, 4)", "\"work\""),
        ("substr(\"worker${var.name}\", 0, 6)", "\"worker\""),
        (
            "substr(\"worker${var.name}\", 1, 8)",
            "<orker{substr(var.name, 0, 3)}>",
        ),
        (
            "substr(\"worker${var.name}-a\", 2, -1)",
            "<rker{var.name}-a>",
        ),
        (
            "substr(\"worker${var.name}-a\", 0, 8)",
            "<substr(\"worker‹var.name›-a\", 0, 8)>",
        ),
        (
            "substr(\"a${var.name}\", 3, 2)",
            "<substr(\"a‹var.name›\", 3, 2)>",
        ),
        // Conditions.
        ("var.flag ? 1 : 2", "<var.flag ? 1 : 2>"),
        ("var.flag ? 1 : 1", "1"),
        ("var.flag ? true : false", "<var.flag>"),
        ("var.flag ? false : true", "<!(var.flag)>"),
        ("(var.flag ? { a = 1, b = 2 } : { a = 1, b = 3 }).a", "1"),
        ("var.flag ? [1, 2] : [1, 3]", "[1,<var.flag ? 2 : 3>]"),
        ("!var.flag", "<!var.flag>"),
        ("var.flag && false", "false"),
        ("var.flag || true", "true"),
        ("var.flag && true", "<var.flag>"),
        ("var.size > 3", "<var.size > 3>"),
        ("var.name == \"prod\"", "<var.name == \"prod\">"),
        ("\"aks-${var.name}\" == \"vm\"", "false"),
        ("var.name == var.name", "true"),
        // Lists and maps.
        ("length([var.name, \"b\"])", "2"),
        ("contains([\"a\", var.name], \"a\")", "true"),
        (
            "contains([\"a\", var.name], \"b\")",
            "<contains([\"a\", var.name], \"b\")>",
        ),
        ("merge({ a = 1 }, { b = var.name })", "{a:1,b:<var.name>}"),
        (
            "merge({ a = 1 }, var.any, { b = 2 })",
            "<merge({a = 1}, var.any, {b = 2}) b:2>",
        ),
        ("merge(var.any, { b = 2 }).b", "2"),
        (
            "concat(var.list, [\"x\"])",
            "<concat(var.list, [\"x\"]) \"x\">",
        ),
        ("keys({ \"${var.name}\" = 1, b = 2 })", "[\"b\",<var.name>]"),
        (
            "{ for s in [\"${var.name}-a\", \"b\"] : s => upper(s) }[\"b\"]",
            "\"B\"",
        ),
        (
            "{ for s in [\"${var.name}-a\"] : s => 1 }[\"${var.name}-a\"]",
            "1",
        ),
        ("{ a = 1, b = 2 }[var.name]", "<{a = 1, b = 2}[var.name]>"),
        ("flatten([[var.name], [\"b\"]])", "[<var.name>,\"b\"]"),
        (
            "flatten([var.list, [\"b\"]])",
            "<flatten([var.list, [\"b\"]])>",
        ),
        ("[for s in var.list : upper(s)]", "<for(var.list)>"),
        ("coalesce(null, \"\", var.name)", "<var.name>"),
        ("coalesce(var.name, \"x\")", "<coalesce(var.name, \"x\")>"),
        ("coalesce(\"${var.name}-a\", \"x\")", "<{var.name}-a>"),
        ("toset([var.name, \"a\"])", "[\"a\",<var.name>]"),
        ("jsondecode(jsonencode({ a = var.name })).a", "<var.name>"),
        // Braces of an expression are not the borders of open parts.
        (
            "jsonencode({ a = var.name })",
            "<jsonencode(‹a = var.name›)>",
        ),
        // Types.
        ("var.object.on", "<var.object.on>"),
        ("var.object.inner.name", "<var.object.inner.name>"),
        ("var.object.names[0]", "<var.object.names[0]>"),
        (
            "var.pool",
            "{name:\"p\",count:5,zones:[\"1\",\"2\"],extra:null}",
        ),
        ("var.known", "\"k\""),
        ("var.nonnull", "\"d\""),
        // Resources.
        ("azurerm_subnet.one.id", "<azurerm_subnet.one.id>"),
        ("azurerm_subnet.one.name", "\"one\""),
        ("azurerm_subnet.one.address_prefixes[0]", "\"10.0.0.0/24\""),
        ("azurerm_subnet.one.delegation[0].name", "\"d\""),
        (
            "azurerm_subnet.one.delegation[0].other",
            "<azurerm_subnet.one.delegation[0].other>",
        ),
        ("azurerm_subnet.one.id != null", "true"),
        ("azurerm_subnet.one.id == \"\"", "false"),
        ("azurerm_subnet.two[1].name", "\"two-1\""),
        (
            "azurerm_subnet.two[*].id",
            "[<azurerm_subnet.two[0].id>,<azurerm_subnet.two[1].id>]",
        ),
        ("azurerm_subnet.two.*.name", "[\"two-0\",\"two-1\"]"),
        ("azurerm_subnet.each[\"b\"].name", "\"b-y\""),
        (
            "[for k, s in azurerm_subnet.each : s.id]",
            "[<azurerm_subnet.each[\"a\"].id>,<azurerm_subnet.each[\"b\"].id>]",
        ),
        ("values(azurerm_subnet.each)[*].name", "[\"a-x\",\"b-y\"]"),
        ("azurerm_subnet.maybe[0].id", "<azurerm_subnet.maybe[0].id>"),
        ("azurerm_subnet.maybe[0].name", "\"maybe\""),
        (
            "length(azurerm_subnet.maybe)",
            "<length(azurerm_subnet.maybe)>",
        ),
        (
            "one(azurerm_subnet.maybe[*].id)",
            "<one(azurerm_subnet.maybe[*].id)>",
        ),
        (
            "try(azurerm_subnet.maybe[0].id, null)",
            "<try(azurerm_subnet.maybe[0].id, null)>",
        ),
        ("try(azurerm_subnet.none[0].id, \"x\")", "\"x\""),
        ("one(azurerm_subnet.none[*].id)", "null"),
        ("can(azurerm_subnet.none[0].id)", "false"),
        (
            "data.azurerm_client_config.me.tenant_id",
            "<data.azurerm_client_config.me.tenant_id>",
        ),
        // What is not evaluated names itself.
        ("timestamp()", "<timestamp()>"),
        ("bcrypt(\"x\")", "<bcrypt()>"),
        ("base64gzip(\"x\")", "<base64gzip(\"x\")>"),
        (
            "provider::azurerm::normalise_resource_id(\"x\")",
            "<provider::azurerm::normalise_resource_id(\"x\")>",
        ),
        ("terraform.workspace", "<terraform.workspace>"),
        (
            "file(\"~/.ssh/id_rsa.pub\")",
            "<file(\"~/.ssh/id_rsa.pub\")>",
        ),
        ("try(file(\"missing\"), \"x\")", "\"x\""),
        ("can(file(\"missing\"))", "false"),
        // Sensitive values are never shown.
        ("var.secret", "<!var.secret>"),
        ("\"${var.secret}-x\"", "<!{var.secret}-x>"),
        (
            "\"${var.secret}-${var.name}\"",
            "<!{var.secret}-{var.name}>",
        ),
        (
            "join(\",\", [var.secret, var.name])",
            "<!{var.secret},{var.name}>",
        ),
        (
            "jsonencode({ a = var.secret })",
            "<!jsonencode(‹a = var.secret›)>",
        ),
        (
            "jsondecode(jsonencode({ a = var.secret, b = 1 }))",
            "{a:<!var.secret>,b:1}",
        ),
        (
            "upper(\"${var.secret}-${var.name}\")",
            "<!upper(\"‹var.secret›-‹var.name›\")>",
        ),
        ("upper(var.secret)", "<!var.secret>"),
        ("var.secret == \"\"", "<!var.secret>"),
        ("nonsensitive(var.secret)", "\"s3cr3t\""),
        ("{ a = var.secret, b = 1 }", "{a:<!var.secret>,b:1}"),
        ("sensitive(\"a\")", "<!sensitive() of main.tf:54>"),
        (
            "azurerm_subnet.one.primary_access_key",
            "<!azurerm_subnet.one.primary_access_key>",
        ),
    ] {
        let text = format!("{GIVEN}\noutput \"o\" {{\n  value = {expression}\n}}");
        let found = outputs(&text);
        let expected = [("o".to_owned(), expected.to_owned())].into();
        assert_eq!(found, expected, "{expression}");
        let shown = found["o"].contains("s3cr3t");
        assert_eq!(
            shown,
            expression.starts_with("nonsensitive"),
            "{expression}"
        );
    }
}

#[test]
fn what_terraform_refuses_is_a_problem_at_its_place() {
    for (expression, expected) in [
        ("var.missing", "variable `missing` is not declared"),
        ("local.missing", "local `missing` is not declared"),
        (
            "azurerm_subnet.missing.id",
            "`azurerm_subnet.missing` is not declared",
        ),
        ("data.a.b.c", "`data.a.b` is not declared"),
        ("module.m.x", "module `m` is not declared"),
        ("nothing", "`nothing` is not declared"),
        ("each.key", "there is no `for_each` here"),
        ("[1][3]", "there is no item 3 of 1"),
        ("{ a = 1 }.b", "there is no attribute `b`"),
        ("null.a", "`null` has no attribute `a`"),
        ("1 + \"x\"", "`+` takes numbers"),
        ("1 / 0", "division by zero"),
        (
            "\"x${[1]}\"",
            "only strings, numbers and booleans have a text",
        ),
        ("\"a\" ? 1 : 2", "the condition must be a boolean"),
        (
            "regex(\"x\", \"a\")",
            "the regular expression matches nothing",
        ),
        (
            "cidrsubnet(\"10.0.0.0/16\", 20, 1)",
            "there is no such subnet in this range",
        ),
        ("file(\"missing\")", "there is no file `missing`"),
        (
            "templatefile(\"missing\", {})",
            "there is no file `missing`",
        ),
        ("azurerm_subnet.none[0].id", "there is no item 0 of 0"),
        (
            "{ for x in [1, 1] : \"k\" => x }",
            "two items have the key `k`",
        ),
        ("tonumber(\"x\")", "`tonumber` cannot convert this"),
        (
            "cidrhost(var.secret, 1)",
            "`cidrhost` refuses its arguments",
        ),
    ] {
        let text = format!("{GIVEN}\noutput \"o\" {{\n  value = {expression}\n}}");
        let line = text.lines().count() - 1;
        let found = outputs(&text);
        let problem = found
            .get("problem 0")
            .map(String::as_str)
            .unwrap_or_default();
        let (place, message) = problem.split_once(": ").unwrap_or_default();
        assert_eq!(message, expected, "{expression}");
        assert!(
            place.starts_with(&format!("{line}:")),
            "{expression}: {place}"
        );
        assert!(found["o"].starts_with('<'), "{expression}: {}", found["o"]);
    }
}

#[test]
fn no_message_quotes_what_is_sensitive() {
    let cases = [
        (
            "{ x = 1 }[var.pw]",
            "there is no item with this index, which is sensitive",
        ),
        (
            "[1][var.pw]",
            "there is no item with this index, which is sensitive",
        ),
        (
            "file(var.pw)",
            "`file` names a file that is not here by a sensitive value",
        ),
        (
            "filesha256(var.pw)",
            "`filesha256` names a file that is not here by a sensitive value",
        ),
        (
            "lookup({ x = 1 }, var.pw)",
            "`lookup` refuses its arguments",
        ),
        ("parseint(var.pw, 10)", "`parseint` refuses its arguments"),
        ("tonumber(var.pw)", "`tonumber` refuses its arguments"),
        (
            "{ for x in [var.pw, var.pw] : x => x }",
            "two items have the same key",
        ),
    ];
    for (expression, message) in cases {
        let text = format!(
            "variable \"pw\" {{\n  sensitive = true\n  default   = \"CANARY\"\n}}\n\
             output \"o\" {{\n  sensitive = true\n  value     = {expression}\n}}\n"
        );
        let files = Memory::of(&[("main.tf", &text)]);
        let arena = Bump::new();
        let mut sources = Sources::default();
        let reading = read(&arena, &mut sources, &files);
        let messages: Vec<_> = reading.problems.iter().map(|own| &*own.message).collect();
        assert_eq!(messages, [message], "{expression}");
        let values = format!("{:?}", reading.outputs);
        assert!(!values.contains("CANARY"), "{expression}: {values}");
    }
}

#[test]
fn what_a_sensitive_index_chooses_is_sensitive() {
    let files = Memory::of(&[(
        "main.tf",
        "variable \"pw\" {\n  sensitive = true\n  default   = \"a\"\n}\n\
         output \"o\" {\n  value = { a = \"CANARY\" }[var.pw]\n}\n\
         resource \"azurerm_key_vault\" \"k\" {\n  for_each = toset([var.pw])\n  name = \"k\"\n}\n",
    )]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files);
    let values = format!("{:?}", reading.outputs);
    assert!(!values.contains("CANARY"), "{values}");
    let messages: Vec<_> = reading.problems.iter().map(|own| &*own.message).collect();
    assert_eq!(
        messages,
        ["`for_each` takes no sensitive keys: addresses would show them"]
    );
}

#[test]
fn texts_of_files_are_read_through_the_given_files() {
    let files = Memory::of(&[
        (
            "main.tf",
            "output \"a\" { value = file(\"${path.module}/a.txt\") }\n\
             output \"b\" { value = templatefile(\"t.tftpl\", { names = [\"x\", \"y\"], on = true }) }\n\
             output \"c\" { value = fileexists(\"no\") }\n\
             output \"d\" { value = yamldecode(file(\"v.yaml\")).a[1] }\n\
             output \"e\" { value = filesha256(\"a.txt\") }\n\
             output \"f\" { value = filebase64(\"a.txt\") }\n",
        ),
        ("a.txt", "hello"),
        (
            "t.tftpl",
            "%{ for n in names ~}\n${n}=${on ? \"1\" : \"0\"}\n%{ endfor ~}\n",
        ),
        ("v.yaml", "a: [1, yes]\n"),
    ]);
    let found = outputs_of(&files);
    let expected = [
        ("a", "\"hello\""),
        ("b", "\"x=1\\ny=1\\n\""),
        ("c", "false"),
        ("d", "true"),
        (
            "e",
            "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"",
        ),
        ("f", "\"aGVsbG8=\""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found, expected.into());
}

#[test]
fn variables_come_from_files_in_order() {
    let files = Memory::of(&[
        (
            "main.tf",
            "variable \"a\" {}\nvariable \"b\" {}\nvariable \"c\" {}\nvariable \"d\" { default = 0 }\n\
             output \"all\" { value = [var.a, var.b, var.c, var.d] }",
        ),
        ("terraform.tfvars", "a = 1\nb = 1\nc = 1\n"),
        ("z.auto.tfvars", "b = 2\n"),
        ("y.auto.tfvars.json", "{\"b\": 9, \"c\": 3}"),
        ("given.tfvars", "d = \"g\""),
    ]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let options = Options {
        var_files: vec!["given.tfvars".to_owned()],
        ..Options::default()
    };
    let reading = configuration(&arena, &files, &mut sources, ".", &options, None);
    let value = reading.outputs[0].1;
    assert_eq!(words(&value), "[1,2,3,\"g\"]");
    let place = value.items()[2].span;
    assert_eq!(sources.get(place.file).unwrap().name, "y.auto.tfvars.json");
    assert!(reading.open.is_empty());
}

#[test]
fn open_variables_tell_what_they_are_compared_with() {
    let text = r#"
variable "environment" {
  type = string
}
variable "tier" {
  type = string
  validation {
    condition     = contains(["Free", "Standard"], var.tier)
    error_message = "x"
  }
}
variable "private" { type = bool }
variable "secret" {
  type      = string
  sensitive = true
}
variable "unused" {}
variable "given" { default = 1 }
locals {
  size = { dev = 1, prod = 5 }[var.environment]
}
resource "azurerm_kubernetes_cluster" "a" {
  private_cluster_enabled = var.environment == "prod" || var.environment != "test"
  sku_tier                = var.tier
  run_command_enabled     = !var.private
}
"#;
    let files = Memory::of(&[("main.tf", text)]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files);
    let open: Vec<(&str, bool, String, String)> = reading
        .open
        .iter()
        .map(|open| {
            let list = |values: &[_]| values.iter().map(words).collect::<Vec<_>>().join(" ");
            (
                open.name,
                open.secret,
                list(&open.allowed),
                list(&open.compared),
            )
        })
        .collect();
    let of = |name, secret, allowed: &str, compared: &str| {
        (name, secret, allowed.to_owned(), compared.to_owned())
    };
    assert_eq!(
        open,
        [
            of("environment", false, "", "\"prod\" \"test\" \"dev\""),
            of("private", false, "true false", ""),
            of("secret", true, "", ""),
            of("tier", false, "\"Free\" \"Standard\"", ""),
            of("unused", false, "", ""),
        ]
    );
    let body = reading.resources[0].body;
    let private = body
        .get("private_cluster_enabled")
        .unwrap()
        .unknown()
        .unwrap();
    assert_eq!(private.shape, Shape::Bool);
    assert_eq!(private.why, [Why::Parameter("environment")]);
}

#[test]
fn variables_can_be_assumed() {
    let text = r#"
variable "environment" {}
resource "azurerm_kubernetes_cluster" "a" {
  count                   = var.environment == "test" ? 0 : 1
  private_cluster_enabled = var.environment == "prod"
}
"#;
    let files = Memory::of(&[("main.tf", text)]);
    let arena = Bump::new();
    let value = |text| bicep::value::Value {
        span: bicep::source::Span::default(),
        data: bicep::value::Data::Str(text),
    };
    let not = [value("prod"), value("test")];
    for (assumed, expected) in [
        (None, "<var.environment == \"prod\">"),
        (Some(Assumed::Value(value("prod"))), "true"),
        (Some(Assumed::Value(value("dev"))), "false"),
        (Some(Assumed::Value(value("test"))), "nothing"),
        (Some(Assumed::Other(&not)), "false"),
    ] {
        let mut sources = Sources::default();
        let options = Options {
            assumed: assumed
                .into_iter()
                .map(|one| ("environment", one))
                .collect(),
            ..Options::default()
        };
        let reading = configuration(&arena, &files, &mut sources, ".", &options, None);
        let found = reading
            .resources
            .first()
            .map_or("nothing".to_owned(), |resource| {
                words(resource.body.get("private_cluster_enabled").unwrap())
            });
        assert_eq!(found, expected);
        let uncertain = reading
            .resources
            .first()
            .is_some_and(|one| one.condition.is_some());
        assert_eq!(uncertain, assumed.is_none());
        let named = matches!(assumed, None | Some(Assumed::Other(_)));
        assert_eq!(reading.open.len(), usize::from(named));
    }
}

#[test]
fn blocks_are_lists_of_objects() {
    let text = r#"
variable "pools" { default = ["a", "b"] }
variable "flag" { type = bool }
resource "x_y" "z" {
  plain { a = 1 }
  plain { a = 2 }
  dynamic "made" {
    for_each = var.pools
    content {
      name = made.value
      at   = made.key
      dynamic "inner" {
        for_each = { k = made.value }
        iterator = it
        content { text = "${it.key}-${it.value}-${made.value}" }
      }
    }
  }
  dynamic "absent" {
    for_each = []
    content {}
  }
  dynamic "open" {
    for_each = var.flag ? [1] : []
    content { a = 1 }
  }
  nothing = null
  lifecycle { ignore_changes = [plain] }
  depends_on = [x_y.other]
}
"#;
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &Memory::of(&[("main.tf", text)]));
    assert_eq!(reading.problems, []);
    assert_eq!(
        words(&reading.resources[0].body),
        "{plain:[{a:1},{a:2}],\
         made:[{name:\"a\",at:0,inner:[{text:\"k-a-a\"}]},{name:\"b\",at:1,inner:[{text:\"k-b-b\"}]}],\
         open:<dynamic open for var.flag ? [1] : []>}"
    );
}

#[test]
fn the_json_syntax_is_the_same_language() {
    let files = Memory::of(&[
        (
            "main.tf.json",
            r#"{
  "//": "a comment",
  "variable": { "n": { "type": "number", "default": "2" }, "flag": [{ "type": "bool" }] },
  "locals": [{ "a": "x" }, { "b": "${local.a}-y" }],
  "resource": [
    { "x_y": { "z": [{ "count": "${var.n}", "name": "${local.b}${count.index}", "on": "${var.flag}",
      "inner": { "k": "$${v}" }, "dynamic": { "made": { "for_each": ["p"], "content": { "v": "${made.value}" } } } }] } }
  ],
  "output": { "all": { "value": "${x_y.z[*].name}" } }
}"#,
        ),
        (
            "more_override.tf",
            "resource \"x_y\" \"z\" {\n  extra = true\n  count = 1\n}\n",
        ),
    ]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files);
    assert_eq!(reading.problems, []);
    assert_eq!(words(&reading.outputs[0].1), "[\"x-y0\"]");
    assert_eq!(
        words(&reading.resources[0].body),
        "{name:\"x-y0\",on:<var.flag>,inner:{k:\"${v}\"},extra:true,made:[{v:\"p\"}]}"
    );
}

#[test]
fn values_stand_where_they_are_written() {
    let text = "variable \"a\" {\n  default = \"here\"\n}\nlocals {\n  b = var.a\n}\n\
                resource \"x_y\" \"z\" {\n  name = local.b\n  other = \"${local.b}!\"\n}\n";
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &Memory::of(&[("main.tf", text)]));
    let body = reading.resources[0].body;
    let line = |name: &str| sources.line_column(body.get(name).unwrap().span);
    assert_eq!(line("name"), (2, 13));
    assert_eq!(line("other"), (9, 11));
    assert_eq!(sources.line_column(body.fields()[0].key_span), (8, 3));
    assert_eq!(sources.line_column(reading.resources[0].span), (7, 1));
}

#[test]
fn what_cannot_be_parsed_is_told_and_the_rest_is_read() {
    let files = Memory::of(&[
        ("a.tf", "resource \"x_y\" \"a\" {\n  name = \n}\n"),
        ("b.tf", "resource \"x_y\" \"b\" {\n  name = \"b\"\n}\n"),
    ]);
    let arena = Bump::new();
    let mut sources = Sources::default();
    let reading = read(&arena, &mut sources, &files);
    assert_eq!(reading.resources.len(), 1);
    assert_eq!(reading.problems.len(), 1);
    let place = reading.problems[0].span;
    assert_eq!(sources.get(place.file).unwrap().name, "a.tf");
    assert_eq!(sources.line_column(place).0, 2);
}
