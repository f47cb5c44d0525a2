//! How long compiling and evaluating takes: `cargo bench -p seawall-cel`.
//!
//! The input is ten containers in an arena whose keys are numbered by the programs' symbols.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark stops and prints"
)]

use cel::{Budget, Bump, Env, Key, Node, Scope, Slot, Symbol, Symbols, Unknown, Val, View};
use std::hint::black_box;
use std::time::Instant;

enum Data {
    Bool(bool),
    Int(i64),
    Str(&'static str),
    List(Vec<u32>),
    Map(Vec<(Symbol, &'static str, u32)>),
}

#[derive(Clone, Copy)]
struct At<'a>(&'a [Data], u32);

impl<'a> At<'a> {
    fn data(self) -> &'a Data {
        &self.0[self.1 as usize]
    }
}

impl<'a> Node<'a> for At<'a> {
    #[inline]
    fn view(self) -> View<'a> {
        match self.data() {
            Data::Bool(b) => View::Bool(*b),
            Data::Int(i) => View::Int(*i),
            Data::Str(s) => View::Str(s),
            Data::List(items) => View::List(items.len()),
            Data::Map(items) => View::Map(items.len()),
        }
    }
    #[inline]
    fn field(self, key: &Key) -> Option<Self> {
        match self.data() {
            Data::Map(items) => items
                .iter()
                .find(|(s, ..)| *s == key.symbol)
                .map(|(.., id)| At(self.0, *id)),
            _ => None,
        }
    }
    fn field_named(self, key: &str) -> Option<Self> {
        match self.data() {
            Data::Map(items) => items
                .iter()
                .find(|(_, k, _)| *k == key)
                .map(|(.., id)| At(self.0, *id)),
            _ => None,
        }
    }
    #[inline]
    fn item(self, index: usize) -> Option<Self> {
        match self.data() {
            Data::List(items) => items.get(index).map(|id| At(self.0, *id)),
            _ => None,
        }
    }
    fn entry(self, index: usize) -> Option<(&'a str, Self)> {
        match self.data() {
            Data::Map(items) => items.get(index).map(|(_, k, id)| (*k, At(self.0, *id))),
            _ => None,
        }
    }
    fn rest(self) -> Option<Unknown> {
        None
    }
    fn same(self, other: Self) -> bool {
        self.1 == other.1
    }
}

struct One<'a>(Val<'a, At<'a>>);

impl<'a> Scope<'a, At<'a>> for One<'a> {
    fn variable(&self, _: Slot) -> Val<'a, At<'a>> {
        self.0
    }
}

/// Ten containers with the keys that containers usually have.
fn containers(symbols: &Symbols) -> (Vec<Data>, u32) {
    let mut nodes = Vec::new();
    let mut add = |d: Data| {
        nodes.push(d);
        nodes.len() as u32 - 1
    };
    let mut ids = Vec::new();
    for _ in 0..10 {
        let scalars = [
            "name",
            "image",
            "imagePullPolicy",
            "workingDir",
            "command",
            "args",
            "env",
            "resources",
        ];
        let mut entries: Vec<(Symbol, &'static str, u32)> = scalars
            .iter()
            .map(|k| {
                (
                    symbols.get(k),
                    *k,
                    add(Data::Str("example.azurecr.io/shop/web:1.2.3")),
                )
            })
            .collect();
        let no = add(Data::Bool(false));
        let user = add(Data::Int(1000));
        let security = add(Data::Map(
            [
                ("runAsUser", user),
                ("readOnlyRootFilesystem", no),
                ("allowPrivilegeEscalation", no),
            ]
            .map(|(k, id)| (symbols.get(k), k, id))
            .into(),
        ));
        entries.push((symbols.get("securityContext"), "securityContext", security));
        ids.push(add(Data::Map(entries)));
    }
    let list = add(Data::List(ids));
    (nodes, list)
}

/// The best of many runs, in nanoseconds a call.
fn time(mut f: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..2000 {
            f();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 2000.0);
    }
    best
}

const CASES: [(&str, &str); 4] = [
    (
        "all/has (E1)",
        "containers.all(c, has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && c.securityContext.allowPrivilegeEscalation == false)",
    ),
    (
        "optionals",
        "containers.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)",
    ),
    (
        "strings (E3)",
        "containers.all(c, c.image.startsWith('example.azurecr.io/') && !c.image.endsWith(':latest') && c.image.matches('^[a-z0-9./-]+:[0-9.]+$'))",
    ),
    (
        "filter and size",
        "containers.filter(c, c.imagePullPolicy != 'Always').size() == 10",
    ),
];

fn main() {
    for (name, source) in CASES {
        let mut env = Env::new();
        env.declare("containers");
        let program = env.compile(source).expect("the expression compiles");
        let (nodes, list) = containers(env.symbols());
        let compile = time(|| {
            black_box(env.compile(black_box(source)).is_ok());
        });
        let evaluate = {
            let mut bump = Bump::with_capacity(1 << 16);
            time(|| {
                {
                    let budget = Budget::default();
                    let scope = One(Val::Node(At(&nodes, list)));
                    black_box(
                        program
                            .eval(black_box(&scope), &[], &bump, &budget)
                            .as_bool(),
                    );
                }
                bump.reset();
            })
        };
        println!(
            "{name:16} compile {compile:7.0} ns   evaluate over 10 containers {evaluate:7.0} ns"
        );
    }
}
