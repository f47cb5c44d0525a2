//! The language by example: unknowns, open lists, errors, messages of the compiler.

use crate::tree::{At, show};
use cel::Val;
use serde_json::{Value, json};

#[track_caller]
fn check(vars: &Value, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(show(source, vars), *expected, "{source}");
    }
}

#[test]
fn reads_fields_and_compares() {
    let vars = json!({"o": {"a": {"b": [1, 2, {"c": "x"}]}, "n": 3, "s": "text"}});
    check(
        &vars,
        &[
            ("o.a.b[2].c == 'x'", "true"),
            ("has(o.a.z)", "false"),
            ("has(o.n) && o.n >= 3.0", "true"),
            ("o.a.z", "error(no such key: `z`)"),
            ("o.?a.?z.orValue('none')", "\"none\""),
            ("o.a.b.exists(x, x == 2)", "true"),
            ("o.a.b[?9].hasValue()", "false"),
            ("o.s + '!'", "\"text!\""),
            ("'n' in o", "true"),
            ("o['n'] in [1, 2, 3]", "true"),
            ("1 / 0 == 1 || true", "true"),
            ("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
            ("o.filter(k, k != 's')", "[\"a\", \"n\"]"),
            ("{'a': 1}.transformMap(k, v, v + 1)", "{\"a\": 2}"),
        ],
    );
}

#[test]
fn unknowns_pass_unless_something_decides() {
    let vars = json!({"u": {"$unknown": 1}, "t": true, "m": {"$open": {"a": 1}}, "x": {"k": {"$unknown": 2}, "p": {"$maybe": 3}}});
    check(
        &vars,
        &[
            ("u || t", "true"),
            ("u && !t", "false"),
            ("u && t", "unknown(1)"),
            ("u || 1 / 0 == 1", "unknown(1)"),
            ("u + 1 == 2", "unknown(1)"),
            ("!u", "unknown(1)"),
            ("u ? 1 : 1", "1"),
            ("u ? 1 : 2", "unknown(1)"),
            ("has(m.a)", "true"),
            ("has(m.b)", "unknown(7)"),
            ("m.b == 1", "unknown(7)"),
            ("m.?b.orValue(1)", "unknown(7)"),
            ("'b' in m", "unknown(7)"),
            ("has(u.f)", "unknown(1)"),
            ("has(x.k)", "true"),
            ("x.k == 3", "unknown(2)"),
            ("has(x.p)", "unknown(3)"),
            ("'p' in x", "unknown(3)"),
            ("x.?p.hasValue()", "unknown(3)"),
            ("x.?k.hasValue()", "true"),
            ("x.p == 3", "unknown(3)"),
            ("[1, x.k].exists(i, i == 1)", "true"),
            ("[1, x.k].all(i, i == 1)", "unknown(2)"),
            ("[1, x.k] == [2, 3]", "false"),
            ("[1, x.k] == [1, 3]", "unknown(2)"),
            ("m == {'a': 2}", "false"),
            ("size(m)", "unknown(7)"),
            ("u.matches('a')", "unknown(1)"),
        ],
    );
}

#[test]
fn known_ends_of_a_text_decide_where_they_suffice() {
    let vars = json!({
        "o": {
            "sn": {"$text": "*-Nodes-SN"},
            "tag": {"$text": "AzureCloud.*"},
            "both": {"$text": "ab*bc"},
            "space": {"$text": " a *\t"},
            "blank": {"$text": " * "},
            "range": {"$text": "10.1.*"},
            "any": {"$text": "*"},
            "names": ["x", {"$text": "*-Nodes-SN"}],
            "u": {"$unknown": 1},
        },
    });
    let unknown = "unknown(5)";
    check(
        &vars,
        &[
            // Equality, either way round.
            ("o.sn == 'gatewaysubnet'", "false"),
            ("'gatewaysubnet' != o.sn", "true"),
            ("o.sn == 'x-Nodes-SN'", unknown),
            ("o.sn != '-Nodes-SN'", unknown),
            ("o.sn == ''", "false"),
            ("o.any == ''", unknown),
            ("o.any == 'x'", unknown),
            ("o.sn == 1", "false"),
            ("o.sn == null", "false"),
            ("o.both == 'abc'", "false"),
            ("o.both == 'abbc'", unknown),
            ("o.sn == o.tag", unknown),
            ("o.tag == o.both", "false"),
            ("o.sn == o.u", unknown),
            ("o.u == o.sn", "unknown(1)"),
            ("o.sn == quantity('1')", unknown),
            ("o.sn == o.sn", unknown),
            // In lists, maps and sets.
            ("o.sn in ['gatewaysubnet', '*']", "false"),
            ("o.sn in ['gatewaysubnet', 'a-Nodes-SN']", unknown),
            ("o.sn in ['gatewaysubnet', 'a' + 'b']", "false"),
            ("o.sn in ['gatewaysubnet', o.u]", unknown),
            ("o.sn in []", "false"),
            ("'y' in o.names", "false"),
            ("'x' in o.names", "true"),
            ("'a-Nodes-SN' in o.names", unknown),
            ("o.tag in o.names", unknown),
            ("o.both in o.names", "false"),
            ("o.sn in {'a': 1}", "false"),
            ("o.sn in {'a-Nodes-SN': 1}", unknown),
            ("o.names == ['x', 'y']", "false"),
            ("{'a': o.sn} == {'a': 'b'}", "false"),
            ("optional.of(o.sn) == optional.of('b')", "false"),
            ("sets.intersects(o.names, ['y', 'z'])", "false"),
            ("sets.contains(['x', 'y'], o.names)", "false"),
            ("o.names.exists(n, n == 'y')", "false"),
            ("o.names.filter(n, n != 'y').size()", "2"),
            // The ends themselves.
            ("o.tag.startsWith('Azure')", "true"),
            ("o.tag.startsWith('Storage')", "false"),
            ("o.tag.startsWith('AzureCloud.eu')", unknown),
            ("o.sn.startsWith('a')", unknown),
            ("o.sn.endsWith('-SN')", "true"),
            ("o.sn.endsWith('-sn')", "false"),
            ("o.sn.endsWith('aks-Nodes-SN')", unknown),
            ("o.sn.contains('Nodes')", "true"),
            ("o.sn.contains('aks')", unknown),
            ("'AzureCloud'.startsWith(o.tag)", unknown),
            // Letters and spaces.
            ("o.sn.lowerAscii() in ['gatewaysubnet', 'b']", "false"),
            ("o.sn.lowerAscii() == 'a-nodes-sn'", unknown),
            ("o.sn.upperAscii().endsWith('-NODES-SN')", "true"),
            ("o.sn.lowerAscii().lowerAscii().endsWith('-sn')", "true"),
            ("string(dyn(o.sn)).trim() == ''", "false"),
            ("o.space.trim() == 'a'", unknown),
            ("o.space.trim() == 'b'", "false"),
            ("o.blank.trim() == 'b'", unknown),
            ("o.blank == 'b'", "false"),
            // Length.
            ("o.sn.size() > 0", "true"),
            ("size(o.sn) == 0", "false"),
            ("size(o.sn) == 9", unknown),
            ("0 < size(o.sn)", "true"),
            ("size(o.sn) >= 9", "true"),
            ("size(o.sn) <= 8", "false"),
            ("9 > size(o.sn)", "false"),
            ("8 >= size(o.sn)", "false"),
            ("size(o.sn) < 10", unknown),
            ("size(o.any) > 0", unknown),
            // Presence and passing on.
            ("has(o.sn)", "true"),
            ("o.?sn.orValue('') == ''", "false"),
            ("type(o.sn) == string", "true"),
            ("(true ? o.sn : 'b') == 'b'", "false"),
            (
                "cel.bind(n, o.sn.lowerAscii(), n == 'b' || n == 'c')",
                "false",
            ),
            ("isCIDR(o.tag) || isIP(o.tag)", "false"),
            ("isCIDR(o.range)", unknown),
            // What stays unknown.
            ("o.sn.matches('^a')", unknown),
            ("o.sn < 'a'", unknown),
            ("o.sn + 'x' == 'y'", unknown),
            ("o.sn.replace('a', 'b') == 'c'", unknown),
            ("o.sn.lowerAscii()", unknown),
            ("o.sn.name", unknown),
        ],
    );
}

#[test]
fn open_lists_have_one_more_unknown_element() {
    let vars = json!({"l": {"$open": [1, 2]}, "e": {"$open": []}, "u": {"$unknown": 1}});
    check(
        &vars,
        &[
            ("l.exists(x, x == 2)", "true"),
            ("l.exists(x, x == 3)", "unknown(7)"),
            ("l.all(x, x < 2)", "false"),
            ("l.all(x, x < 3)", "unknown(7)"),
            ("l.exists_one(x, x == 1)", "unknown(7)"),
            ("l.exists_one(x, x > 0)", "false"),
            ("2 in l", "true"),
            ("3 in l", "unknown(7)"),
            ("size(l) == 2", "unknown(7)"),
            ("l[1]", "2"),
            ("l[2]", "unknown(7)"),
            ("l[-1]", "error(index out of range: -1)"),
            ("l == [1]", "false"),
            ("l == [1, 2]", "unknown(7)"),
            ("l.filter(x, x > 1)", "[2, …]"),
            ("l.map(x, x * 2)", "[2, 4, …]"),
            ("l.filter(x, x > 1).exists(x, x == 2)", "true"),
            ("[1, 2, 3].filter(x, x > 1 && u)", "[…]"),
            ("[1, 2, 3].filter(x, x == 1 || u).exists(x, x == 1)", "true"),
            ("(l + [3]).exists(x, x == 3)", "true"),
            ("(l + [3]).all(x, x > 0)", "unknown(7)"),
            ("e.all(x, false)", "unknown(7)"),
            ("e.exists(x, true)", "unknown(7)"),
            ("sets.contains(l, [1])", "true"),
            ("sets.contains(l, [5])", "unknown(7)"),
            ("l.sum()", "unknown(7)"),
            ("[l, [3]].flatten()", "[1, 2, 3, …]"),
        ],
    );
}

#[test]
fn messages_say_what_to_write() {
    let vars = json!({"object": {}, "params": {}});
    check(
        &vars,
        &[
            (
                "objct.spec",
                "does not compile: unknown variable `objct` at 0..5 (did you mean `object`?)",
            ),
            (
                "object.startWith('a')",
                "does not compile: unknown function `startWith()` at 0..21 (did you mean `startsWith`?)",
            ),
            (
                "object.all(true)",
                "does not compile: unknown function `all()` at 0..16 (`all` declares a variable: `list.all(x, …)`)",
            ),
            (
                "has(object)",
                "does not compile: `has()` takes a field selection at 4..10 (write `has(object.field)`)",
            ),
            (
                "object.a = 1",
                "does not compile: unexpected character `=` at 9..10 (write `==` to compare)",
            ),
            (
                "object.contains()",
                "does not compile: `contains()` takes 1 argument, not 0 at 0..17",
            ),
            (
                "object.a.matches('[')",
                "does not compile: `[` is no regular expression: unclosed character class at 17..20",
            ),
            (
                "duration('5 minutes')",
                "does not compile: `5 minutes` is no duration at 0..21",
            ),
            ("", "does not compile: the expression is empty at 0..0"),
        ],
    );
}

#[test]
fn nothing_exhausts_the_stack() {
    for deep in [
        "(".repeat(100_000),
        "!(".repeat(50_000),
        "[".repeat(100_000),
        "-".repeat(100_000),
        "a.b(".repeat(40_000),
    ] {
        assert!(cel::parse(&deep).is_err());
    }
    let long = format!("1{}", " + 1".repeat(100_000));
    assert!(cel::parse(&long).is_err());
    let wide = format!("true{}", " && true".repeat(10_000));
    assert_eq!(show(&wide, &json!({})), "true");
    assert_eq!(
        show(
            &format!("{}1{}", "(".repeat(80), ")".repeat(80)),
            &json!({})
        ),
        "1"
    );
}

#[test]
fn broken_sources_are_refused_quietly() {
    use crate::generate::{Generator, Kind};
    let mut compiled = 0;
    for seed in 0..4_000 {
        let mut g = Generator::new(seed);
        let vars = g.data();
        let mut chars: Vec<char> = g.expr(Kind::Any, 3).chars().collect();
        for _ in 0..g.random.next(4) {
            let (at, from) = (g.random.next(chars.len()), g.random.next(chars.len()));
            match g.random.next(3) {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, chars[from]),
                _ => chars[at] = ['\\', '`', '"', '.', '?', '(', 'é', '0'][g.random.next(8)],
            }
            if chars.is_empty() {
                break;
            }
        }
        let source: String = chars.into_iter().collect();
        if let Ok(e) = cel::parse(&source) {
            let printed = e.to_string();
            assert_eq!(
                cel::parse(&printed).as_ref(),
                Ok(&e),
                "{source} prints as {printed}"
            );
            compiled += 1;
        }
        for mutant in cel::mutate::mutants(&source) {
            assert!(cel::parse(&mutant.source).is_ok());
        }
        show(&source, &vars);
    }
    assert!(compiled > 500);
}

#[test]
fn work_is_limited() {
    let many = "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))";
    assert_eq!(show(many, &json!({})), "error(cost limit exceeded)");
    assert_eq!(
        show("lists.range(9223372036854775807).size()", &json!({})),
        "error(cost limit exceeded)"
    );
    assert_eq!(
        show("true || lists.range(100000000).size() > 0", &json!({})),
        "true"
    );
}

#[test]
fn members_have_slots_of_their_own() {
    let mut env = cel::Env::new();
    let containers = env.declare_member("variables", "containers");
    let program = env
        .compile("variables.containers.all(c, has(c.name))")
        .unwrap();
    assert_eq!(program.references()[0].root, containers);
    let bare = env.compile("variables").unwrap_err();
    assert_eq!(
        bare.help.as_deref(),
        Some("name a member: `variables.containers`")
    );
    let wrong = env.compile("variables.container").unwrap_err();
    assert_eq!(wrong.message, "`variables` has no member `container`");
    assert_eq!(
        wrong.help.as_deref(),
        Some("did you mean `variables.containers`?")
    );
}

#[test]
fn references_cover_what_is_read() {
    let show = |source: &str| {
        let mut env = cel::Env::new();
        env.declare("o");
        let program = env.compile(source).unwrap();
        let parts: Vec<String> = program
            .references()
            .iter()
            .map(|r| {
                let steps: String = r
                    .path
                    .iter()
                    .map(|s| match s {
                        cel::Step::Key(k) => format!(".{k}"),
                        cel::Step::Any => ".*".to_owned(),
                    })
                    .collect();
                format!("o{steps}{}", if r.whole { " whole" } else { "" })
            })
            .collect();
        parts.join(", ")
    };
    assert_eq!(show("has(o.a) && o.a.b == 1"), "o, o.a, o.a.b whole");
    assert_eq!(
        show("o.l.all(c, has(c.x) && c.y[0].z > 1)"),
        "o, o.l, o.l.*, o.l.*.x, o.l.*.y, o.l.*.y.*, o.l.*.y.*.z whole"
    );
    assert_eq!(
        show("o.l.filter(c, c.on).map(c, c.name)"),
        "o, o.l, o.l.*, o.l.*.name whole, o.l.*.on whole"
    );
    assert_eq!(
        show("cel.bind(s, o.spec, s.?a.orValue(2) > 1)"),
        "o, o.spec, o.spec.a whole"
    );
    assert_eq!(
        show("(o.a + o.b).exists(x, x.n == o.m['k'])"),
        "o, o.a, o.a.*, o.a.*.n whole, o.b, o.b.*, o.b.*.n whole, o.m, o.m.k whole"
    );
    assert_eq!(show("o"), "o whole");
}

/// A map that is computed when it is read.
struct Facts;

impl<'a> cel::Host<'a, At<'a>> for Facts {
    fn field(&self, name: &str, bump: &'a cel::Bump) -> Option<Val<'a, At<'a>>> {
        match name {
            "NetworkPolicy" => Some(Val::list(bump, &[Val::Int(1)], Some(cel::Unknown(9)))),
            _ => None,
        }
    }
}

struct World<'a>(Vec<Val<'a, At<'a>>>);

impl<'a> cel::Scope<'a, At<'a>> for World<'a> {
    fn variable(&self, slot: cel::Slot) -> Val<'a, At<'a>> {
        self.0[slot.0 as usize]
    }
}

#[test]
fn hosts_locals_and_absent_members() {
    let mut env = cel::Env::new();
    env.declare_member("facts", "namespace");
    env.declare_member("facts", "serviceAccount");
    let check = |env: &mut cel::Env, source: &str, expected: &str| {
        let program = env.compile_in(source, &["v", "w"]).unwrap();
        let bump = cel::Bump::new();
        // What the arena holds must not outlive it, so the scope is made beside it.
        let value = {
            let scope = World(vec![
                Val::Host(bump.alloc(Facts)),
                Val::absent(&bump, "serviceAccount"),
            ]);
            let locals = [Val::Int(4), Val::Str("x")];
            format!(
                "{:?}",
                program.eval(&scope, &locals, &bump, &cel::Budget::default())
            )
        };
        assert_eq!(value, expected, "{source}");
    };
    check(&mut env, "v + 1", "5");
    check(
        &mut env,
        "[1, 2].map(v, v * 2) == [2, 4] && w == 'x' && v == 4",
        "true",
    );
    check(
        &mut env,
        "facts.namespace.NetworkPolicy.exists(p, p == 1)",
        "true",
    );
    check(
        &mut env,
        "facts.namespace.NetworkPolicy.exists(p, p == 2)",
        "unknown(9)",
    );
    check(&mut env, "has(facts.namespace.Service)", "false");
    check(&mut env, "has(facts.serviceAccount)", "false");
    check(
        &mut env,
        "facts.?serviceAccount.?name.orValue('default')",
        "\"default\"",
    );
    check(
        &mut env,
        "facts.serviceAccount.name == 'x'",
        "error(`serviceAccount` is absent)",
    );
    let program = env.compile_in("v.a.all(x, x.n > w)", &["v", "w"]).unwrap();
    let roots: Vec<u16> = program
        .local_references()
        .iter()
        .map(|r| r.root.0)
        .collect();
    assert_eq!(roots, [0, 0, 0, 1]);
    assert!(program.references().is_empty());
}

#[test]
fn values_are_small() {
    assert_eq!(size_of::<Val<'_, At<'_>>>(), 24);
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<cel::Program>();
    shared::<cel::Env>();
}

#[test]
fn the_lowest_version_is_found_out() {
    let minor = |source: &str| {
        let mut env = cel::Env::new();
        env.declare("o");
        env.compile(source).unwrap().minimum_minor()
    };
    assert_eq!(minor("o.a == 1 && o.l.all(x, x > 0)"), 26);
    assert_eq!(minor("o.?a.orValue(1) == 1"), 28);
    assert_eq!(minor("sets.contains(o.l, [1])"), 29);
    assert_eq!(minor("cidr('10.0.0.0/8').containsIP(o.ip)"), 30);
    assert_eq!(minor("!format.dns1123Label().validate(o.n).hasValue()"), 31);
    assert_eq!(minor("o.l.all(i, x, x > i)"), 32);
    assert_eq!(minor("semver(o.v).major() == 1"), 33);
    assert_eq!(minor("o.l.distinct().size() == 1"), 34);
    assert_eq!(minor("math.abs(o.n) == 1"), cel::Program::NO_MINOR);
    assert_eq!(minor("o.`a.b/c` == 1"), cel::Program::NO_MINOR);
}
