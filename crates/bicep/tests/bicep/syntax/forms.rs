//! Every form of the language is read as what it is.

use bicep::source::FileId;
use bicep::syntax::{self, *};
use bumpalo::Bump;

use super::{clean, problems};

/// Printed again, an expression shows how it was grouped.
fn grouped(text: &str) -> String {
    let bump = Bump::new();
    let text = format!("var x = {text}");
    let program = clean(&bump, &text);
    match program.statements {
        [
            Statement {
                kind: StatementKind::Variable(variable),
                ..
            },
        ] => brackets(&variable.value),
        other => panic!("{other:#?}"),
    }
}

fn brackets(expression: &Expression<'_>) -> String {
    match expression.kind {
        ExpressionKind::Binary(it) => {
            let text = syntax::print_expression(expression);
            let left = syntax::print_expression(&it.left);
            let right = syntax::print_expression(&it.right);
            let operator = text[left.len()..text.len() - right.len()].trim();
            format!("({}{operator}{})", brackets(&it.left), brackets(&it.right))
        }
        ExpressionKind::Ternary(it) => format!(
            "({}?{}:{})",
            brackets(&it.condition),
            brackets(&it.true_expression),
            brackets(&it.false_expression)
        ),
        ExpressionKind::Unary(it) => {
            let operator = match it.operator {
                UnaryOperator::Not => "!",
                UnaryOperator::Minus => "-",
            };
            format!("({operator}{})", brackets(&it.operand))
        }
        ExpressionKind::NonNullAssertion(base) => format!("({}!)", brackets(base)),
        ExpressionKind::Lambda(it) => format!("(λ{})", brackets(&it.body)),
        _ => syntax::print_expression(expression),
    }
}

#[test]
fn operators_bind_as_in_the_official_compiler() {
    for (text, expected) in [
        ("a + b * c", "(a+(b*c))"),
        ("a - b - c", "((a-b)-c)"),
        ("a || b && c", "(a||(b&&c))"),
        ("a ?? b || c", "(a??(b||c))"),
        ("a == b < c + d", "(a==(b<(c+d)))"),
        ("!a && -b > c", "((!a)&&((-b)>c))"),
        ("a ? b : c ? d : e", "(a?b:(c?d:e))"),
        ("a ?? b ? c : d", "((a??b)?c:d)"),
        ("a! == b", "((a!)==b)"),
        ("!a!", "(!(a!))"),
        ("a =~ b !~ c", "((a=~b)!~c)"),
        ("x => x + 1", "(λ(x+1))"),
        ("(a, b) =>\n  a ? b : 1", "(λ(a?b:1))"),
    ] {
        assert_eq!(grouped(text), expected, "{text}");
    }
}

#[test]
fn a_choice_may_break_before_its_marks() {
    assert_eq!(grouped("a\n  ? b\n  : c"), "(a?b:c)");
    assert_eq!(grouped("a\n// why\n  ? b\n\n  : c"), "(a?b:c)");
}

fn string(text: &str) -> (Vec<String>, usize) {
    let bump = Bump::new();
    let text = format!("var x = {text}");
    let program = clean(&bump, &text);
    match program.statements[0].kind {
        StatementKind::Variable(VariableDeclaration {
            value:
                Expression {
                    kind: ExpressionKind::String(string),
                    ..
                },
            ..
        }) => (
            string
                .segments
                .iter()
                .map(|segment| segment.text.to_owned())
                .collect(),
            string.expressions.len(),
        ),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn strings_have_the_value_that_the_official_lexer_gives_them() {
    for (text, segments) in [
        ("''", &[""][..]),
        (
            "'it\\'s \\\\ \\n\\r\\t \\$ \\${x}'",
            &["it's \\ \n\r\t $ ${x}"],
        ),
        ("'\\u{1F600}\\u{0041}'", &["😀A"]),
        ("'a${b}c'", &["a", "c"]),
        ("'${a}${b}'", &["", "", ""]),
        ("'$${a}$'", &["$", "$"]),
        ("'${'in ${'in'} ner'}'", &["", ""]),
        ("'''a\\nb'''", &["a\\nb"]),
        ("'''\nline\n'''", &["line\n"]),
        ("'''\r\nline'''", &["line"]),
        ("''''quoted''''", &["'quoted'"]),
        ("''''''", &[""]),
        ("'''${a}'''", &["${a}"]),
        ("$'''a ${b} c'''", &["a ", " c"]),
        ("$$'''a ${b} $${c} d'''", &["a ${b} ", " d"]),
        ("$'''$${b}'''", &["$", ""]),
        ("'${map(a, b => { c: 'd' })}'", &["", ""]),
    ] {
        let (found, holes) = string(text);
        assert_eq!(found, segments, "{text}");
        assert_eq!(holes + 1, segments.len(), "{text}");
    }
}

#[test]
fn whole_files_are_read() {
    let bump = Bump::new();
    let program = clean(&bump, WHOLE);
    let kinds: Vec<String> = program
        .statements
        .iter()
        .map(|statement| {
            assert!(!matches!(statement.kind, StatementKind::Skipped));
            WHOLE[statement.keyword.start as usize..statement.keyword.end as usize].to_owned()
        })
        .collect();
    let expected = "targetScope metadata import import import extension extension type type type \
                    func param param param var var resource resource resource module module test \
                    assert output output";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(program.comments.len(), 2);
    assert_eq!(program.directives.len(), 1);
    assert_eq!(program.directives[0].codes.len(), 2);
}

/// Something of everything.
const WHOLE: &str = r"targetScope = 'subscription'
metadata owner = { team: 'a' }
import { a, b as c, 'd-e' as f } from 'shared.bicep'
import * as types from 'br/public:avm/utl/types/avm-common-types:0.5.1'
import {
  g
} from 'ts:x'
extension microsoftGraphV1 as graph
extension 'br:example.azurecr.io/k8s:1.0' with { namespace: 'default' } as k8s
@export()
@sealed()
type settings = {
  @description('its name')
  name: string?
  'sku-name': ('Basic' | 'Standard')[]
  pair: [int, bool]
  *: settings.name | types.roleAssignmentType | null
}
type union =
  | 'a'
  | -1
  | true
type derived = resourceInput<'Microsoft.Storage/storageAccounts@2023-01-01'>.properties[*].*[0]!
func double(x int, y string) string => '${x * 2}${y}'
@secure()
@minLength(3)
param password string
param list array = [ 1, 2 ]
param account resource 'Microsoft.Storage/storageAccounts@2023-01-01'
var count int = length(list) // how many
@batchSize(1)
var names = [for (item, i) in range(0, count): '${item}-${i}']
resource group 'Microsoft.Resources/resourceGroups@2024-03-01' existing = {
  name: 'rg'
}
resource net 'Microsoft.Network/virtualNetworks@2024-05-01' = if (count > 0 && !empty(list)) {
  name: names[0]
  ...settings
  properties: {
    resource: 1
    subnets: map(list, item => { name: item.?name ?? item[?0][^1] })
  }
  #disable-next-line BCP081 no-unused
  resource subnet 'subnets' = [for i in list: if (i > 1) {
    name: 'x'
    @onlyIfNotExists()
    resource deep 'deeper@2024-01-01' existing = { name: 'y' }
  }]
}
resource exists 'a/b@1' =
  if (this.exists()) {
    name: net::subnet[0].name /* not
      here */
  }
module one 'one.bicep' = {
  name: 'one'
  params: { x: sys.concat('a', 'b') }
}
module many 'br:x.azurecr.io/many:v1' = [for x in list: {
  name: x
}]
test t 'one.bicep' = { params: {} }
assert positive = count > 0
output id resource = net
output flags bool[] = [for x in list: x!]
";

#[test]
fn parameter_files_are_read() {
    let text = "using 'main.bicep' with { mode: 'stack' }\nextends 'base.bicepparam'\n\
                import { a } from 'x.bicep'\nvar y string = 'z'\nparam x = { y: [1] }\n\
                type t = string\nextensionConfig k8s with { a: 1 }\nparam z = readEnvironmentVariable('Z')\n";
    let bump = Bump::new();
    let (program, problems) = syntax::parse_parameters(&bump, text, FileId(0));
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(matches!(
        program.statements,
        [
            Statement {
                kind: StatementKind::Using(UsingDeclaration {
                    path: Some(_),
                    with: Some(_)
                }),
                ..
            },
            Statement {
                kind: StatementKind::Extends(_),
                ..
            },
            Statement {
                kind: StatementKind::Import(_),
                ..
            },
            Statement {
                kind: StatementKind::Variable(_),
                ..
            },
            Statement {
                kind: StatementKind::ParameterAssignment(_),
                ..
            },
            Statement {
                kind: StatementKind::Type(_),
                ..
            },
            Statement {
                kind: StatementKind::ExtensionConfig(_),
                ..
            },
            Statement {
                kind: StatementKind::ParameterAssignment(_),
                ..
            },
        ]
    ));
    let (program, problems) = syntax::parse_parameters(&bump, "using none", FileId(0));
    assert!(problems.is_empty());
    assert!(matches!(
        program.statements[0].kind,
        StatementKind::Using(UsingDeclaration {
            path: None,
            with: None
        })
    ));
}

#[test]
fn places_are_exact() {
    let bump = Bump::new();
    let text = "@secure()\nparam name string = 'a${ b . c }'\n";
    let program = clean(&bump, text);
    let at = |span: bicep::source::Span| &text[span.start as usize..span.end as usize];
    let statement = &program.statements[0];
    assert_eq!(at(statement.span), text.trim_end());
    assert_eq!(at(statement.decorators[0].span), "@secure()");
    let StatementKind::Parameter(parameter) = statement.kind else {
        panic!("{statement:#?}");
    };
    assert_eq!(at(parameter.name.span), "name");
    assert_eq!(at(parameter.ty.span), "string");
    let default = parameter.default.unwrap();
    assert_eq!(at(default.span), "'a${ b . c }'");
    let ExpressionKind::String(string) = default.kind else {
        panic!("{default:#?}");
    };
    assert_eq!(at(string.segments[0].span), "'a${");
    assert_eq!(at(string.expressions[0].span), "b . c");
    assert_eq!(at(string.segments[1].span), "}'");
}

#[test]
fn lines_break_where_the_official_parser_lets_them() {
    for text in [
        "var x = concat(\n  'a',\n  'b'\n)",
        "var x = concat(a,\n\n b // why\n // and\n)",
        "var x = ['a', 'b'\n'c'\n]",
        "var x = ['a', 'b',]",
        "var x = { a: 1, b: 2,}",
        "var x = {\n\n  a: 1\n\n}",
        "var x = map(a, (\n  b,\n  c\n) =>\n  b)",
        "var x = [\n  for a in b: a\n]",
        "type x =\n  | 'a'\n  | 'b'",
        "module x 'y' =\nif (true) {}",
    ] {
        assert_eq!(problems(text), [""; 0], "{text}");
    }
    for (text, expected) in [
        (
            "var x =\n  1",
            "1:8 expected a value, found the end of the line",
        ),
        (
            "var x = 1 +\n  1",
            "1:12 expected a value, found the end of the line",
        ),
        ("var x = ['a',\n'b']", "1:13 a comma cannot end a line here"),
        (
            "var x = f('a'\n'b')",
            "1:14 expected `)`, found the end of the line",
        ),
        (
            "var x = f('a',)",
            "1:14 a comma cannot stand after the last argument",
        ),
        (
            "var x = (\n  a\n)",
            "1:9 parentheses hold exactly one expression",
        ),
        (
            "var x = '${\na}'",
            "1:12 this string does not end on its line",
        ),
        (
            "var x = '${[1]}'",
            "1:12 arrays and objects cannot stand in a string",
        ),
        ("var x = !!a", "1:10 two operators follow each other"),
        (
            "@secure() param x string",
            "1:11 expected a new line, found `param`",
        ),
    ] {
        assert_eq!(
            problems(text).first().map(String::as_str),
            Some(expected),
            "{text}"
        );
    }
}
