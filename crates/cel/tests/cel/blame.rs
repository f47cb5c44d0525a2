//! Which values decide: by example. A decision is shown as the path of its value.

use crate::tree::{At, Tree};
use cel::{Budget, Bump, Decision, Env, Node, Program, Scope, Slot, Val};
use serde_json::{Value, json};

struct Defined<'a> {
    values: Vec<(Slot, Val<'a, At<'a>>)>,
    programs: Vec<(Slot, &'a Program)>,
    bump: &'a Bump,
}

impl<'a> Scope<'a, At<'a>> for Defined<'a> {
    fn variable(&self, slot: Slot) -> Val<'a, At<'a>> {
        if let Some((_, p)) = self.programs.iter().find(|(s, _)| *s == slot) {
            return p.eval(self, &[], self.bump, &Budget::default());
        }
        self.values
            .iter()
            .find(|(s, _)| *s == slot)
            .map_or(Val::Null, |(_, v)| *v)
    }
    fn definition(&self, slot: Slot) -> Option<&'a Program> {
        self.programs
            .iter()
            .find(|(s, _)| *s == slot)
            .map(|(_, p)| *p)
    }
}

/// The path of a node below a root, found by looking everywhere.
fn path<'a>(root: At<'a>, wanted: At<'a>, here: &str) -> Option<String> {
    if root.same(wanted) {
        return Some(here.to_owned());
    }
    let items = (0..).map_while(|i| root.item(i).map(|v| (i.to_string(), v)));
    let entries = (0..).map_while(|i| root.entry(i).map(|(k, v)| (k.to_owned(), v)));
    items
        .chain(entries)
        .find_map(|(step, v)| path(v, wanted, &format!("{here}.{step}")))
}

fn blame(source: &str, object: &Value, definitions: &[(&str, &str)]) -> String {
    let mut env = Env::new();
    let o = env.declare("o");
    let slots: Vec<Slot> = definitions
        .iter()
        .map(|(n, _)| env.declare_member("variables", n))
        .collect();
    let programs: Vec<Program> = definitions
        .iter()
        .map(|(_, s)| env.compile(s).unwrap())
        .collect();
    let program = env.compile(source).unwrap();
    let tree = Tree::new(object, env.symbols());
    let bump = Bump::new();
    let scope = Defined {
        values: vec![(o, Val::Node(tree.root()))],
        programs: slots.into_iter().zip(&programs).collect(),
        bump: &bump,
    };
    let value = program.eval(&scope, &[], &bump, &Budget::default());
    let blame = program.blame(&scope, &[], &bump, &Budget::default());
    let at = |n| path(tree.root(), n, "o").unwrap();
    let parts: Vec<String> = blame
        .decisions
        .iter()
        .map(|d| match d {
            Decision::Value(n) => at(*n),
            Decision::Missing { within, key } => format!("{} lacks {key}", at(*within)),
            Decision::Unknown(u, n) => format!("unknown {} {}", u.0, n.map_or("-".into(), at)),
        })
        .collect();
    let kind = match value.resolve() {
        Val::Error(_) => "error".to_owned(),
        v => format!("{v:?}"),
    };
    format!("{kind}: {}", parts.join(", "))
}

fn pod() -> Value {
    json!({
        "spec": {
            "hostNetwork": true,
            "replicas": 3,
            "containers": [
                {"name": "a", "securityContext": {"privileged": false}},
                {"name": "b", "securityContext": {"privileged": true}},
                {"name": "c"},
            ],
        },
        "open": {"$open": [{"name": "x"}]},
        "secret": {"$unknown": 3},
        "text": {"$text": "*-sn"},
    })
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let definitions = [
        ("containers", "o.spec.containers.filter(c, c.name != 'a')"),
        (
            "hostNetwork",
            "has(o.spec.hostNetwork) && o.spec.hostNetwork",
        ),
        ("windows", "has(o.spec.os) && o.spec.os == 'windows'"),
    ];
    for (source, expected) in cases {
        assert_eq!(blame(source, &pod(), &definitions), *expected, "{source}");
    }
}

#[test]
fn only_the_false_operand_decides() {
    check(&[
        (
            "o.spec.replicas > 1 && !o.spec.hostNetwork",
            "false: o.spec.hostNetwork",
        ),
        (
            "o.spec.replicas > 5 || !o.spec.hostNetwork",
            "false: o.spec.replicas, o.spec.hostNetwork",
        ),
        (
            "!(o.spec.replicas == 3 && o.spec.hostNetwork)",
            "false: o.spec.replicas, o.spec.hostNetwork",
        ),
        ("o.spec.replicas in [1, 2]", "false: o.spec.replicas"),
        (
            "o.spec.hostNetwork ? o.spec.replicas < 2 : true",
            "false: o.spec.replicas, o.spec.hostNetwork",
        ),
    ]);
}

#[test]
fn the_items_that_fail_decide() {
    check(&[
        (
            "o.spec.containers.all(c, c.?securityContext.?privileged.orValue(false) != true)",
            "false: o.spec.containers.1.securityContext.privileged",
        ),
        (
            "o.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsUser))",
            "false: o.spec.containers.0.securityContext lacks runAsUser, o.spec.containers.1.securityContext lacks runAsUser, o.spec.containers.2 lacks securityContext",
        ),
        (
            "o.spec.containers.all(c, c.?securityContext.?runAsUser.orValue(0) != 0)",
            "false: o.spec.containers.0.securityContext lacks runAsUser, o.spec.containers.1.securityContext lacks runAsUser, o.spec.containers.2 lacks securityContext",
        ),
        (
            "o.spec.containers.exists(c, c.name == 'z')",
            "false: o.spec.containers.0.name, o.spec.containers.1.name, o.spec.containers.2.name",
        ),
        (
            "!o.spec.containers.exists(c, c.name == 'b')",
            "false: o.spec.containers.1.name",
        ),
        ("size(o.spec.containers) == 1", "false: o.spec.containers"),
        (
            "o.spec.containers.filter(c, c.name != 'a').size() == 0",
            "false: o.spec.containers.1.name, o.spec.containers.2.name",
        ),
        (
            "o.spec.containers.map(c, c.name).all(n, n < 'c')",
            "false: o.spec.containers.2.name",
        ),
        (
            "o.spec.containers.all(c, false)",
            "false: o.spec.containers.0, o.spec.containers.1, o.spec.containers.2",
        ),
    ]);
}

#[test]
fn absence_points_at_the_nearest_map() {
    check(&[
        ("has(o.spec.template.spec)", "error: o.spec lacks template"),
        ("has(o.spec.template)", "false: o.spec lacks template"),
        (
            "o.?metadata.?labels.?app.orValue('') == 'web'",
            "false: o lacks metadata",
        ),
        (
            "o.spec.containers[2].securityContext.privileged",
            "error: o.spec.containers.2 lacks securityContext",
        ),
        ("'app' in o.spec", "false: o.spec"),
    ]);
}

#[test]
fn definitions_are_looked_through() {
    check(&[
        ("!variables.hostNetwork", "false: o.spec.hostNetwork"),
        ("variables.windows", "false: o.spec lacks os"),
        (
            "variables.windows || !variables.hostNetwork",
            "false: o.spec lacks os, o.spec.hostNetwork",
        ),
        (
            "variables.containers.all(c, has(c.securityContext))",
            "false: o.spec.containers.2 lacks securityContext",
        ),
        (
            "cel.bind(n, o.spec.replicas, n > 3 && n < 9)",
            "false: o.spec.replicas",
        ),
    ]);
}

#[test]
fn unknowns_say_why_and_where() {
    check(&[
        (
            "o.text.lowerAscii() in ['a-sn', 'b']",
            "unknown(5): unknown 5 o.text",
        ),
        (
            "o.text.lowerAscii() in ['a', 'b']",
            "false: unknown 5 o.text",
        ),
        (
            "o.text.size() == 3 || o.text == 'a'",
            "unknown(5): unknown 5 o.text",
        ),
        ("o.secret == 1", "unknown(3): unknown 3 o.secret"),
        (
            "o.open.exists(c, c.name == 'y')",
            "unknown(7): unknown 7 o.open",
        ),
        (
            "o.open.exists(c, c.name == 'x') && o.secret == 2",
            "unknown(3): unknown 3 o.secret",
        ),
        (
            "o.spec.containers.all(c, c.name == o.secret)",
            "unknown(3): o.spec.containers.0.name, unknown 3 o.secret, o.spec.containers.1.name, o.spec.containers.2.name",
        ),
    ]);
}
