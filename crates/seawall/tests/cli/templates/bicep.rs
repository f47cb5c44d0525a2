//! Ways to write the posture in Bicep.

use super::posture::{Files, Literal, POSTURE, Property, Twin, Way, bicep, bicep_with, each, mark};

#[path = "bicep/files.rs"]
mod files;

/// All of them.
pub(crate) const WAYS: &[&[Way]] = &[
    VALUES,
    CHOICES,
    OBJECTS,
    LISTS,
    LAMBDAS,
    LOOPS,
    files::SHARED,
    files::MODULES,
    files::GIVEN,
];

fn parameters(line: impl Fn(&Property) -> String) -> String {
    each(|p| format!("param {} {} = {}", p.key, p.ty, line(p)))
}

fn variables(line: impl Fn(&Property) -> String) -> String {
    each(|p| format!("var {} = {}", p.key, line(p)))
}

/// `var name = { key: value … }`
fn object(name: &str, value: impl Fn(&Property) -> String) -> String {
    format!("var {name} = {{\n{}}}\n", entries(value))
}

fn entries(value: impl Fn(&Property) -> String) -> String {
    each(|p| format!("  {}: {}", p.key, value(p)))
}

fn key(p: &Property) -> String {
    p.key.to_owned()
}

/// The three resources with `prefix` and a property's name.
fn from(prefix: &str) -> String {
    bicep(|p| format!("{prefix}{}", p.key))
}

fn other(t: Twin, p: &Property) -> String {
    t.other().value(p).bicep()
}

fn good(p: &Property) -> String {
    Twin::Good.value(p).bicep()
}

/// The bad value, which decides where it is chosen; what is chosen stands elsewhere.
fn bad(p: &Property) -> String {
    mark(p, &Twin::Bad.value(p).bicep())
}

/// An operator over booleans; a plain literal for what is none.
fn logic(t: Twin, p: &Property, write: impl Fn(bool) -> String) -> String {
    match t.value(p) {
        Literal::Bool(value) => mark(p, &write(value)),
        _ => t.bicep(p),
    }
}

const VALUES: &[Way] = &[
    ("literal", |t| Files::main(bicep(|p| t.bicep(p)))),
    ("default of a parameter", |t| {
        Files::main(parameters(|p| t.bicep(p)) + &bicep(key))
    }),
    ("variable", |t| {
        Files::main(variables(|p| t.bicep(p)) + &bicep(key))
    }),
    ("variable of a variable", |t| {
        let first = each(|p| format!("var first_{} = {}", p.key, t.bicep(p)));
        let second = each(|p| format!("var second_{0} = first_{0}", p.key));
        Files::main(bicep(|p| format!("second_{}", p.key)) + &second + &first)
    }),
    ("default that is another parameter", |t| {
        let first = each(|p| format!("param first_{} {} = {}", p.key, p.ty, t.bicep(p)));
        Files::main(first + &parameters(|p| format!("first_{}", p.key)) + &bicep(key))
    }),
    ("parentheses and any", |t| {
        Files::main(bicep(|p| format!("any(({}))", t.bicep(p))))
    }),
    ("typed variable", |t| {
        let variables = each(|p| format!("var {} {} = {}", p.key, p.ty, t.bicep(p)));
        Files::main(variables + &bicep(key))
    }),
    ("type with a default", |t| {
        let members = each(|p| format!("  {}: {}", p.key, p.ty));
        let entries = entries(|p| t.bicep(p));
        let head =
            format!("type settings = {{\n{members}}}\nparam posture settings = {{\n{entries}}}\n");
        Files::main(head + &from("posture."))
    }),
    ("text of a boolean", |t| {
        Files::main(bicep(|p| logic(t, p, |value| format!("bool('{value}')"))))
    }),
    ("text of JSON", |t| {
        Files::main(bicep(|p| {
            mark(p, &format!("json('{}')", t.value(p).json()))
        }))
    }),
    ("text with holes", |t| {
        let head = "var able = 'able'\n";
        Files::main(
            head.to_owned()
                + &bicep(|p| match t.value(p) {
                    Literal::Text("Disabled") => mark(p, "'Dis${able}d'"),
                    Literal::Text(_) => mark(p, "'En${able}d'"),
                    _ => t.bicep(p),
                }),
        )
    }),
];

const CHOICES: &[Way] = &[
    ("branch of a choice", |t| {
        Files::main(bicep(|p| {
            format!("length('abc') == 3 ? {} : {}", t.bicep(p), other(t, p))
        }))
    }),
    ("other branch of a choice", |t| {
        Files::main(bicep(|p| {
            format!("length('abc') > 3\n? {}\n: {}", other(t, p), t.bicep(p))
        }))
    }),
    ("choice by a parameter", |t| {
        let head = format!("param environment string = '{}'\n", t.pick("prod", "dev"));
        Files::main(head + &bicep(|p| format!("environment == 'prod' ? {} : {}", good(p), bad(p))))
    }),
    ("choice by a parameter, whatever its case", |t| {
        let head = format!("param environment string = '{}'\n", t.pick("PROD", "DEV"));
        Files::main(head + &bicep(|p| format!("environment =~ 'prod' ? {} : {}", good(p), bad(p))))
    }),
    ("choice in a choice", |t| {
        let head = format!("param stage int = {}\n", t.pick("2", "3"));
        Files::main(
            head + &bicep(|p| format!("stage == 1 ? null : stage == 2 ? {} : {}", good(p), bad(p))),
        )
    }),
    ("choice of whole objects", |t| {
        let head = format!("param strict bool = {}\n", t.pick("true", "false"));
        let objects = format!(
            "var posture = strict ? {{\n{}}} : {{\n{}}}\n",
            entries(good),
            entries(bad)
        );
        Files::main(head + &objects + &from("posture."))
    }),
    ("negation", |t| {
        Files::main(bicep(|p| logic(t, p, |value| format!("!{}", !value))))
    }),
    ("negation of a parameter", |t| {
        let head = format!("param lax bool = {}\n", t.pick("false", "true"));
        Files::main(
            head + &bicep(|p| match Twin::Good.value(p) {
                Literal::Bool(true) => mark(p, "!lax"),
                Literal::Bool(false) => mark(p, "!(!lax)"),
                _ => t.bicep(p),
            }),
        )
    }),
    ("and", |t| {
        Files::main(bicep(|p| logic(t, p, |value| format!("true && {value}"))))
    }),
    ("or", |t| {
        Files::main(bicep(|p| logic(t, p, |value| format!("{value} || false"))))
    }),
    ("comparison of numbers", |t| {
        Files::main(bicep(|p| {
            logic(t, p, |value| format!("2 > {}", if value { 1 } else { 3 }))
        }))
    }),
    ("emptiness", |t| {
        Files::main(bicep(|p| {
            logic(t, p, |value| {
                format!("empty({})", if value { "''" } else { "'x'" })
            })
        }))
    }),
    ("membership in a list", |t| {
        let head = format!("param features array = ['{}']\n", t.pick("strict", "lax"));
        Files::main(
            head + &bicep(|p| format!("contains(features, 'strict') ? {} : {}", good(p), bad(p))),
        )
    }),
    ("start of a text", |t| {
        let head = format!("param name string = '{}-west'\n", t.pick("prod", "dev"));
        Files::main(
            head + &bicep(|p| {
                format!(
                    "startsWith(toLower(name), 'prod') && endsWith(name, 'WEST') ? {} : {}",
                    good(p),
                    bad(p)
                )
            }),
        )
    }),
    ("null and what stands in for it", |t| {
        let head = each(|p| format!("param {} {}? = null", p.key, p.ty));
        Files::main(head + &bicep(|p| format!("{} ?? {}", p.key, t.bicep(p))))
    }),
    ("nullable parameter without a value", |t| {
        let head = each(|p| format!("param {} {}?", p.key, p.ty));
        Files::main(head + &bicep(|p| format!("{} ?? {}", p.key, t.bicep(p))))
    }),
    ("value that is not null", |t| {
        let head = each(|p| format!("param {} {}? = {}", p.key, p.ty, t.bicep(p)));
        Files::main(head + &bicep(|p| format!("{}! ?? {}", p.key, other(t, p))))
    }),
    ("condition that holds not", |t| {
        let condition = format!("if ({}) ", t.pick("false", "true"));
        // Without the resource nothing is judged; a good one stands beside it.
        Files::main(
            bicep_with(&condition, bad)
                .replace("'shop", "'second")
                .replace("resource ", "resource second_")
                + &bicep(good),
        )
    }),
    ("condition on a parameter", |t| {
        let head = format!("param legacy string = '{}'\n", t.pick("no", "yes"));
        Files::main(
            head + &bicep_with("if (legacy == 'yes') ", bad)
                .replace("'shop", "'second")
                .replace("resource ", "resource second_")
                + &bicep(good),
        )
    }),
];

const OBJECTS: &[Way] = &[
    ("property of an object", |t| {
        Files::main(object("posture", |p| t.bicep(p)) + &from("posture."))
    }),
    ("index of an object", |t| {
        Files::main(object("posture", |p| t.bicep(p)) + &bicep(|p| format!("posture['{}']", p.key)))
    }),
    ("object in an object", |t| {
        let head = format!(
            "var all = {{\n  inner: {{\n{}  }}\n}}\nvar inner = all.inner\n",
            entries(|p| t.bicep(p))
        );
        Files::main(head + &from("inner."))
    }),
    ("map by a parameter", |t| {
        let head = format!(
            "param environment string = '{}'\nvar postures = {{\n  prod: {{\n{}  }}\n  dev: {{\n{}  }}\n}}\n",
            t.pick("prod", "dev"),
            entries(good),
            entries(bad)
        );
        Files::main(head + &from("postures[environment]."))
    }),
    ("map by a text with holes", |t| {
        let head = format!(
            "param environment string = '{}'\nvar postures = {{\n  'is-prod': {{\n{}  }}\n  'is-dev': {{\n{}  }}\n}}\n",
            t.pick("prod", "dev"),
            entries(good),
            entries(bad)
        );
        Files::main(head + &from("postures['is-${environment}']."))
    }),
    ("default that is an object", |t| {
        let head = format!("param posture object = {{\n{}}}\n", entries(|p| t.bicep(p)));
        Files::main(head + &from("posture."))
    }),
    ("safe access", |t| {
        Files::main(
            object("posture", |p| t.bicep(p))
                + &bicep(|p| format!("posture.?{} ?? {}", p.key, other(t, p))),
        )
    }),
    ("safe access to what is not there", |t| {
        let head = "param posture object = {}\n";
        Files::main(
            head.to_owned() + &bicep(|p| format!("posture.?inner.?{} ?? {}", p.key, t.bicep(p))),
        )
    }),
    ("safe index", |t| {
        Files::main(
            object("posture", |p| t.bicep(p))
                + &bicep(|p| format!("posture[?'{}'] ?? posture[?'nothing']", p.key)),
        )
    }),
    ("union", |t| {
        let head = object("base", |p| other(t, p)) + &object("own", |p| t.bicep(p));
        Files::main(head + "var posture = union(base, own)\n" + &from("posture."))
    }),
    ("union of what is deep", |t| {
        let wrap = |text: String| {
            text.replacen("{\n", "{\n  deep: {\n", 1)
                .replacen("\n}", "\n  }\n}", 1)
        };
        let head = wrap(object("base", |p| other(t, p))) + &wrap(object("own", |p| t.bicep(p)));
        Files::main(head + "var posture = union(base, {}, own)\n" + &from("posture.deep."))
    }),
    ("shallow merge", |t| {
        let head = object("base", |p| other(t, p)) + &object("own", |p| t.bicep(p));
        Files::main(head + "var posture = shallowMerge([base, own])\n" + &from("posture."))
    }),
    ("spread", |t| {
        let head = object("own", |p| t.bicep(p));
        Files::main(head + "var posture = {\n  ...own\n}\n" + &from("posture."))
    }),
    ("spread over what stands before it", |t| {
        let head = object("base", |p| other(t, p)) + &object("own", |p| t.bicep(p));
        Files::main(head + "var posture = {\n  ...base\n  ...own\n}\n" + &from("posture."))
    }),
    ("what stands behind a spread", |t| {
        let head = object("base", |p| other(t, p));
        let posture = format!(
            "var posture = {{\n  ...base\n{}}}\n",
            entries(|p| t.bicep(p))
        );
        Files::main(head + &posture + &from("posture."))
    }),
    ("whole properties in a variable", |t| {
        let text = bicep(|p| t.bicep(p));
        let mut head = String::new();
        let mut body = String::new();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with("resource ") {
                let name = line.split(' ').nth(1).unwrap();
                body += &format!("{line}\n");
                head += &format!("var {name}Properties = ");
            } else if line.starts_with("  properties: {") {
                let name = head
                    .rsplit("var ")
                    .next()
                    .unwrap()
                    .trim_end_matches(" = ")
                    .to_owned();
                body += &format!("  properties: {name}\n");
                head += "{\n";
                inside = true;
            } else if inside && line == "  }" {
                head += "}\n";
                inside = false;
            } else {
                let to = if inside { &mut head } else { &mut body };
                *to += &format!("{line}\n");
            }
        }
        Files::main(head + &body)
    }),
    ("properties of another resource", |t| {
        let paths = [
            "cluster.properties.disableLocalAccounts",
            "cluster.properties.enableRBAC",
            "cluster.properties.apiServerAccessProfile.disableRunCommand",
            "cluster.properties.apiServerAccessProfile.authorizedIPRanges",
            "cluster.properties.addonProfiles.azurepolicy.enabled",
            "registry.properties.adminUserEnabled",
            "registry.properties.publicNetworkAccess",
            "vault.properties.enablePurgeProtection",
            "vault.properties.enableRbacAuthorization",
            "vault.properties.publicNetworkAccess",
        ];
        let second = bicep(|p| {
            let at = POSTURE.iter().position(|known| known.key == p.key).unwrap();
            paths[at].to_owned()
        });
        let second = second
            .replace("'shop", "'second")
            .replace("resource ", "resource second_");
        Files::main(bicep(|p| t.bicep(p)) + &second)
    }),
    ("keys with holes", |t| {
        let head = "var all = 'all'\n".to_owned()
            + &format!(
                "var posture = {{\n{}}}\n",
                each(|p| format!("  '{}-${{all}}': {}", p.key, t.bicep(p)))
            );
        Files::main(head + &bicep(|p| format!("posture['{}-all']", p.key)))
    }),
];

const LISTS: &[Way] = &[
    ("item of a list", |t| {
        let head = format!("var list = [\n{}]\n", each(|p| format!("  {}", t.bicep(p))));
        Files::main(head + &bicep(|p| format!("list[{}]", place(p))))
    }),
    ("item from the end", |t| {
        let head = format!("var list = [\n{}]\n", each(|p| format!("  {}", t.bicep(p))));
        Files::main(head + &bicep(|p| format!("list[^{}]", POSTURE.len() - place(p))))
    }),
    ("first of a list", |t| {
        Files::main(bicep(|p| {
            format!("first([{}, {}])", t.bicep(p), other(t, p))
        }))
    }),
    ("last of a list", |t| {
        Files::main(bicep(|p| {
            format!("last([{}, {}])", other(t, p), t.bicep(p))
        }))
    }),
    ("rest of a list", |t| {
        Files::main(bicep(|p| {
            format!(
                "take(skip([{0}, {1}, {0}], 1), 1)[0]",
                other(t, p),
                t.bicep(p)
            )
        }))
    }),
    ("lists in one", |t| {
        Files::main(bicep(|p| {
            format!("flatten([[{}], [{}]])[1]", other(t, p), t.bicep(p))
        }))
    }),
    ("spread of a list", |t| {
        let head = "var none = []\n";
        Files::main(head.to_owned() + &bicep(|p| format!("[...none, {}][0]", t.bicep(p))))
    }),
    ("concatenation", |t| {
        Files::main(bicep(|p| match t.value(p) {
            Literal::List(text) => mark(p, &format!("concat([], ['{text}'])")),
            Literal::Text(text) => {
                let (start, end) = text.split_at(3);
                mark(p, &format!("concat('{start}', '{end}')"))
            }
            _ => t.bicep(p),
        }))
    }),
];

/// The number of a property.
fn place(p: &Property) -> usize {
    POSTURE.iter().position(|known| known.key == p.key).unwrap()
}

/// A list of names and values.
fn pairs(t: Twin) -> String {
    format!(
        "var pairs = [\n{}]\n",
        each(|p| format!("  {{ name: '{}', value: {} }}", p.key, t.bicep(p)))
    )
}

const LAMBDAS: &[Way] = &[
    ("map", |t| {
        let head = pairs(t) + "var values = map(pairs, pair => pair.value)\n";
        Files::main(head + &bicep(|p| format!("values[{}]", place(p))))
    }),
    ("map with a number", |t| {
        let head =
            pairs(t) + "var values = map(pairs, (pair, i) => { at: i, value: pair.value })\n";
        Files::main(head + &bicep(|p| format!("values[{}].value", place(p))))
    }),
    ("filter", |t| {
        Files::main(
            pairs(t)
                + &bicep(|p| format!("filter(pairs, pair => pair.name == '{}')[0].value", p.key)),
        )
    }),
    ("filter and count", |t| {
        let head = format!("param flags array = ['x', '{}']\n", t.pick("strict", "lax"));
        Files::main(
            head + &bicep(|p| {
                format!(
                    "length(filter(flags, flag => flag == 'strict')) > 0 ? {} : {}",
                    good(p),
                    bad(p)
                )
            }),
        )
    }),
    ("reduce", |t| {
        let head = pairs(t)
            + "var posture = reduce(pairs, {}, (all, pair) => union(all, { '${pair.name}': pair.value }))\n";
        Files::main(head + &from("posture."))
    }),
    ("to an object", |t| {
        let head =
            pairs(t) + "var posture = toObject(pairs, pair => pair.name, pair => pair.value)\n";
        Files::main(head + &from("posture."))
    }),
    ("items of an object", |t| {
        let head = object("posture", |p| t.bicep(p))
            + "var back = toObject(items(posture), item => item.key, item => item.value)\n";
        Files::main(head + &from("back."))
    }),
    ("values mapped", |t| {
        let head = object("posture", |p| format!("{{ value: {} }}", t.bicep(p)))
            + "var back = mapValues(posture, each => each.value)\n";
        Files::main(head + &from("back."))
    }),
    ("groups", |t| {
        let head = pairs(t) + "var groups = groupBy(pairs, pair => pair.name)\n";
        Files::main(head + &bicep(|p| format!("groups['{}'][0].value", p.key)))
    }),
    ("sorted", |t| {
        let head = format!(
            "var pairs = [\n{}]\nvar sorted = sort(pairs, (a, b) => a.at < b.at)\n",
            each(|p| format!("  {{ at: {}, value: {} }}", 10 - place(p), t.bicep(p)))
        );
        Files::main(head + &bicep(|p| format!("sorted[{}].value", 9 - place(p))))
    }),
    ("function", |t| {
        let head = "func choose(strict bool, yes array, no array) array => strict ? yes : no\n";
        let strict = t.pick("true", "false");
        Files::main(
            head.to_owned()
                + &bicep(|p| format!("choose({strict}, [{}], [{}])[0]", good(p), bad(p))),
        )
    }),
    ("function with a literal", |t| {
        let head = each(|p| format!("func {}Of() {} => {}", p.key, p.ty, t.bicep(p)));
        Files::main(head + &bicep(|p| format!("{}Of()", p.key)))
    }),
    ("function of a function", |t| {
        let head = "func same(value array) array => value\nfunc twice(value array) array => same(same(value))\n";
        Files::main(head.to_owned() + &bicep(|p| format!("twice([{}])[0]", t.bicep(p))))
    }),
];

/// The resources in a loop over a list.
fn looped(head: &str, each: &str, name: &str, value: impl Fn(&Property) -> String) -> String {
    let mut out = head.to_owned();
    for line in bicep(value).lines() {
        if line.starts_with("resource ") {
            out += &line.replace("= {", &format!("= [for {each}: {{"));
        } else if line == "}" {
            out += "}]";
        } else if let Some(shop) = line.strip_prefix("  name: 'shop") {
            out += &format!("  name: '{name}{shop}");
        } else {
            out += line;
        }
        out.push('\n');
    }
    out
}

const LOOPS: &[Way] = &[
    ("loop over objects", |t| {
        let head = format!(
            "var all = [\n  {{\n    prefix: 'shop'\n{}  }}\n  {{\n    prefix: 'other'\n{}  }}\n]\n",
            entries(|p| t.bicep(p)),
            entries(good)
        );
        Files::main(looped(&head, "it in all", "${it.prefix}", |p| {
            format!("it.{}", p.key)
        }))
    }),
    ("loop with a number", |t| {
        let head = format!(
            "var all = [\n  {{\n{}  }}\n  {{\n{}  }}\n]\n",
            entries(good),
            entries(|p| t.bicep(p))
        );
        Files::main(looped(&head, "(it, i) in all", "shop${i}", |p| {
            format!("all[i].{}", p.key)
        }))
    }),
    ("loop over a range", |t| {
        Files::main(looped("", "i in range(0, 2)", "shop${i}", |p| {
            format!("i == 0 ? {} : {}", good(p), t.bicep(p))
        }))
    }),
    ("loop over the items of an object", |t| {
        let head = format!(
            "var all = {{\n  shop: {{\n{}  }}\n}}\n",
            entries(|p| t.bicep(p))
        );
        Files::main(looped(&head, "it in items(all)", "${it.key}", |p| {
            format!("it.value.{}", p.key)
        }))
    }),
    ("loop under a condition", |t| {
        let head = format!(
            "var all = [\n  {{\n    on: true\n{}  }}\n  {{\n    on: {}\n{}  }}\n]\n",
            entries(good),
            t.pick("false", "true"),
            entries(bad)
        );
        let text = looped(&head, "(it, i) in all", "shop${i}", |p| {
            format!("it.{}", p.key)
        });
        Files::main(text.replace("in all: {", "in all: if (it.on) {"))
    }),
    ("loop in a variable", |t| {
        let head = format!(
            "var keys = [0]\nvar all = [for key in keys: {{\n{}}}]\n",
            entries(|p| t.bicep(p))
        );
        Files::main(head + &from("all[0]."))
    }),
    ("loop in a property", |t| {
        let head = "var one = ['x']\n";
        Files::main(
            head.to_owned()
                + &bicep(|p| match t.value(p) {
                    Literal::List(text) => {
                        format!("[for each in one: {}]", mark(p, &format!("'{text}'")))
                    }
                    _ => t.bicep(p),
                }),
        )
    }),
    ("resource of a loop", |t| {
        let head = format!("var all = [\n  {{\n{}  }}\n]\n", entries(|p| t.bicep(p)));
        let first = looped(&head, "it in all", "shop", |p| format!("it.{}", p.key));
        let second = bicep(good)
            .replace("'shop", "'second")
            .replace("resource ", "resource second_")
            .replace("dnsPrefix: 'second'", "dnsPrefix: cluster[0].name");
        Files::main(first + &second)
    }),
];
