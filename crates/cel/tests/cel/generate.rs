//! Random expressions with data: typed enough to reach deep, loose enough to fail often.

use crate::samples::{
    CIDRS, DOUBLES, DURATIONS, INTS, IPS, QUANTITIES, SEMVERS, STRINGS, TIMESTAMPS, URLS,
};
use serde_json::{Value, json};

/// A small generator of random numbers (xorshift64*): the same seed, the same tests.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % below
    }

    pub(crate) fn pick<'x, T: ?Sized>(&mut self, from: &[&'x T]) -> &'x T {
        from[self.next(from.len())]
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.next(100) < percent
    }
}

/// The kinds of value that are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Bool,
    Int,
    Uint,
    Double,
    Str,
    Bytes,
    Ints,
    Strs,
    Maps,
    Map,
    Duration,
    Timestamp,
    Quantity,
    Ip,
    Cidr,
    Url,
    Semver,
    OptInt,
    OptStr,
    Any,
}

use Kind::{
    Any, Bool, Bytes, Cidr, Double, Duration, Int, Ints, Ip, Map, Maps, OptInt, OptStr, Quantity,
    Semver, Str, Strs, Timestamp, Uint, Url,
};

pub(crate) struct Generator {
    pub(crate) random: Random,
    vars: Vec<(String, Kind)>,
    count: usize,
    /// other kinds than asked for may come
    pub(crate) loose: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            vars: Vec::new(),
            count: 0,
            loose: true,
        }
    }

    /// The data of one case.
    pub(crate) fn data(&mut self) -> Value {
        let r = &mut self.random;
        let containers: Vec<Value> = (0..r.next(4))
            .map(|i| {
                let mut c = json!({"name": format!("c{i}"), "image": r.pick(&["nginx:1.25", "example.azurecr.io/web:1.2.3", "busybox", "redis@sha256:0a"])});
                if r.chance(50) {
                    c["securityContext"] = json!({"runAsUser": r.next(3) * 500});
                    if r.chance(50) {
                        c["securityContext"]["privileged"] = json!(r.chance(50));
                    }
                }
                if r.chance(40) {
                    c["ports"] = json!([{"containerPort": 80 + r.next(3)}]);
                }
                c
            })
            .collect();
        json!({
            "o": {
                "kind": r.pick(&["Pod", "Deployment"]),
                "metadata": {"name": r.pick(&["web", "db", "my-name"]), "labels": {"app": "web", "tier": r.pick(&["a", "b"])}},
                "spec": {"replicas": r.next(6), "containers": containers, "ratio": r.next(8) as f64 / 4.0 + 0.125, "hostNetwork": r.chance(50)},
            },
            "l": (0..r.next(5)).map(|_| r.next(6) as i64 - 1).collect::<Vec<_>>(),
            "m": {"a": r.next(4), "b": r.next(4), "x y": "z"},
            "s": r.pick(&["", "abc", "Hello World", "a,b,c", "äöü", "42"]),
            "t": r.pick(&["a", "b", "web", "o W", "ö"]),
            "n": r.next(12) as i64 - 3,
            "k": r.pick(&["0", "1", "9223372036854775807", "-9223372036854775808", "2"]).parse::<i64>().unwrap(),
            "u": ["x", "y", "a"],
            "d": r.next(10) as f64 / 4.0 + 0.0625,
            "b": r.chance(50),
        })
    }

    pub(crate) fn any_kind(&mut self) -> Kind {
        const ALL: &[Kind] = &[
            Bool, Bool, Int, Int, Uint, Double, Str, Str, Bytes, Ints, Strs, Maps, Map, Duration,
            Timestamp, Quantity, Ip, Cidr, Url, Semver, OptInt, OptStr,
        ];
        ALL[self.random.next(ALL.len())]
    }

    /// An expression of a kind most of the time.
    pub(crate) fn expr(&mut self, kind: Kind, depth: usize) -> String {
        let kind = if kind == Any || (self.loose && self.random.chance(2)) {
            self.any_kind()
        } else {
            kind
        };
        if self.random.chance(8) && depth > 0 {
            let (c, a, b) = (
                self.expr(Bool, depth - 1),
                self.expr(kind, depth - 1),
                self.expr(kind, depth - 1),
            );
            return format!("({c} ? {a} : {b})");
        }
        let bound: Vec<String> = self
            .vars
            .iter()
            .filter(|(_, k)| *k == kind)
            .map(|(v, _)| v.clone())
            .collect();
        if !bound.is_empty() && self.random.chance(40) {
            return bound[self.random.next(bound.len())].clone();
        }
        if depth == 0 || self.random.chance(10) {
            return self.leaf(kind);
        }
        self.compound(kind, depth - 1)
    }

    /// An expression of just this kind: the order of a map's entries is open in cel-go.
    pub(crate) fn strict(&mut self, kind: Kind, d: usize) -> String {
        let loose = std::mem::replace(&mut self.loose, false);
        let text = self.expr(kind, d);
        self.loose = loose;
        text
    }

    /// A value that may stand in a map: cel-go takes maps to be equal where their values are of
    /// Kubernetes' own types and other ones.
    fn plain(&mut self, d: usize) -> String {
        let kind = self.plain_kind();
        self.strict(kind, d)
    }

    fn plain_kind(&mut self) -> Kind {
        const PLAIN: &[Kind] = &[Bool, Int, Uint, Double, Str, Bytes, Ints, Strs, OptInt];
        PLAIN[self.random.next(PLAIN.len())]
    }

    pub(crate) fn leaf(&mut self, kind: Kind) -> String {
        let r = &mut self.random;
        match kind {
            Bool => r
                .pick(&[
                    "true",
                    "false",
                    "b",
                    "o.spec.hostNetwork",
                    "has(o.spec.x)",
                    "has(o.metadata.labels)",
                ])
                .into(),
            Int => match r.next(3) {
                0 => r
                    .pick(&[
                        "n",
                        "k",
                        "o.spec.replicas",
                        "m.a",
                        "m['b']",
                        "l[0]",
                        "size(s)",
                        "o.spec.missing",
                    ])
                    .into(),
                _ => r.pick(INTS).into(),
            },
            Uint => r
                .pick(&["0u", "1u", "5u", "18446744073709551615u", "uint(n)", "42u"])
                .into(),
            Double => match r.next(3) {
                0 => r.pick(&["d", "o.spec.ratio", "double(n)"]).into(),
                _ => r.pick(DOUBLES).into(),
            },
            Str => match r.next(3) {
                0 => r
                    .pick(&[
                        "s",
                        "t",
                        "o.kind",
                        "o.metadata.name",
                        "o.metadata.labels.app",
                        "u[0]",
                    ])
                    .into(),
                _ => r.pick(STRINGS).into(),
            },
            Bytes => r
                .pick(&["b'abc'", "b''", "b'\\xff\\x00'", "bytes(s)"])
                .into(),
            Ints => r
                .pick(&["l", "[1, 2, 3]", "[3, 1, 2, 3]", "[]", "lists.range(3)"])
                .into(),
            Strs => r
                .pick(&[
                    "u",
                    "['a', 'b']",
                    "['c', 'a', 'b', 'a']",
                    "['x']",
                    "s.split(',')",
                ])
                .into(),
            Maps => r
                .pick(&["o.spec.containers", "o.spec.containers", "[m, m]"])
                .into(),
            Map => r
                .pick(&["m", "o.metadata.labels", "{'a': 1, 'b': 2}", "o", "{}"])
                .into(),
            Duration => r.pick(DURATIONS).into(),
            Timestamp => r.pick(TIMESTAMPS).into(),
            Quantity => format!("quantity({})", r.pick(QUANTITIES)),
            Ip => format!("ip({})", r.pick(IPS)),
            Cidr => format!("cidr({})", r.pick(CIDRS)),
            Url => format!("url({})", r.pick(URLS)),
            Semver => match r.next(3) {
                0 => format!(
                    "semver({}, {})",
                    r.pick(SEMVERS),
                    r.pick(&["true", "false"])
                ),
                _ => format!("semver({})", r.pick(SEMVERS)),
            },
            OptInt => r
                .pick(&[
                    "optional.of(1)",
                    "optional.none()",
                    "m.?a",
                    "m[?'q']",
                    "l[?1]",
                    "o.?spec.?replicas",
                ])
                .into(),
            OptStr => r
                .pick(&[
                    "optional.of('x')",
                    "o.?kind",
                    "o.?none.?more",
                    "u[?0]",
                    "optional.ofNonZeroValue(s)",
                ])
                .into(),
            Any => "null".into(),
        }
    }

    /// A body with a variable of the items' kind.
    pub(crate) fn within(&mut self, item: Kind, body: Kind, depth: usize) -> (String, String) {
        let name = format!("v{}", self.count);
        self.count += 1;
        self.vars.push((name.clone(), item));
        let text = self.expr(body, depth);
        self.vars.pop();
        (name, text)
    }

    pub(crate) fn list_kind(&mut self) -> (Kind, Kind) {
        [(Ints, Int), (Strs, Str), (Maps, Map)][self.random.next(3)]
    }

    fn compound(&mut self, kind: Kind, d: usize) -> String {
        match kind {
            Bool => self.boolean(d),
            Int => self.int(d),
            Str => self.string(d),
            Uint => match self.random.next(3) {
                0 => format!("uint({})", self.expr(Any, d)),
                _ => self.operator(Uint, &["+", "-", "*", "/", "%"], d),
            },
            Double => match self.random.next(4) {
                0 => format!("double({})", self.expr(Any, d)),
                1 => format!("{}.asApproximateFloat()", self.expr(Quantity, d)),
                2 => format!("-({})", self.expr(Double, d)),
                _ => self.operator(Double, &["+", "-", "*", "/"], d),
            },
            Bytes => match self.random.next(2) {
                0 => format!("bytes({})", self.expr(Str, d)),
                _ => self.operator(Bytes, &["+"], d),
            },
            Ints | Strs | Maps => self.list(kind, d),
            Map => match self.random.next(5) {
                // cel-go lets the last of repeated keys win, the specification refuses them.
                0 => format!(
                    "{{'p': {}, {}: {}}}",
                    self.plain(d),
                    self.random.pick(&["'a'", "'q'", "1", "true"]),
                    self.plain(d)
                ),
                1 => format!("{}[{}]", self.expr(Maps, d), self.random.next(3)),
                2 => {
                    let kind = self.plain_kind();
                    let loose = std::mem::replace(&mut self.loose, false);
                    let body = self.within(Int, kind, d);
                    self.loose = loose;
                    format!(
                        "{}.transformMap({}k, {}, {})",
                        self.expr(Map, d),
                        body.0,
                        body.0,
                        body.1
                    )
                }
                3 => format!("{}.getQuery()", self.expr(Url, d)),
                _ => format!(
                    "{{?{}: {}, 'z': {}}}",
                    self.leaf(Str),
                    self.expr(OptInt, d),
                    self.plain(d)
                ),
            },
            Duration => match self.random.next(4) {
                0 => format!(
                    "({} - {})",
                    self.expr(Timestamp, d),
                    self.expr(Timestamp, d)
                ),
                1 => format!("duration({})", self.expr(Str, d)),
                _ => self.operator(Duration, &["+", "-"], d),
            },
            Timestamp => match self.random.next(4) {
                0 => format!("timestamp({})", self.expr(Any, d)),
                1 => format!("({} + {})", self.expr(Duration, d), self.expr(Timestamp, d)),
                _ => format!(
                    "({} {} {})",
                    self.expr(Timestamp, d),
                    self.random.pick(&["+", "-"]),
                    self.expr(Duration, d)
                ),
            },
            Quantity => match self.random.next(3) {
                0 => format!("quantity({})", self.expr(Str, d)),
                n => {
                    let f = ["add", "sub"][self.random.next(2)];
                    // Sums beyond 64 bits wrap in places.
                    let other = if n == 1 {
                        self.expr(Quantity, d)
                    } else {
                        self.random.pick(&["1", "0", "-7", "42", "n"]).into()
                    };
                    format!("{}.{f}({other})", self.expr(Quantity, d))
                }
            },
            Ip => match self.random.next(2) {
                0 => format!("{}.ip()", self.expr(Cidr, d)),
                _ => format!("ip({})", self.expr(Str, d)),
            },
            Cidr => match self.random.next(2) {
                0 => format!("{}.masked()", self.expr(Cidr, d)),
                _ => format!("cidr({})", self.expr(Str, d)),
            },
            Url => format!("url({})", self.expr(Str, d)),
            Semver => format!(
                "semver({}{})",
                self.expr(Str, d),
                self.random.pick(&["", ", true"])
            ),
            OptInt => match self.random.next(5) {
                0 => format!("optional.of({})", self.expr(Int, d)),
                1 => format!("optional.ofNonZeroValue({})", self.expr(Int, d)),
                2 => format!("{}.or({})", self.expr(OptInt, d), self.expr(OptInt, d)),
                3 => {
                    // cel-go flattens an optional within an optional here.
                    let loose = std::mem::replace(&mut self.loose, false);
                    let (v, body) = self.within(Int, Int, d);
                    let target = self.expr(OptInt, d);
                    self.loose = loose;
                    format!("{target}.optMap({v}, {body})")
                }
                _ => format!("{}[?{}]", self.expr(Ints, d), self.expr(Int, d)),
            },
            OptStr => match self.random.next(4) {
                0 => format!(
                    "{}.?{}",
                    self.expr(Map, d),
                    self.random.pick(&["app", "name", "kind", "q"])
                ),
                1 => {
                    let (v, body) = self.within(Str, OptStr, d);
                    format!("{}.optFlatMap({v}, {body})", self.expr(OptStr, d))
                }
                2 => format!(
                    "{}.{}()",
                    self.expr(Strs, d),
                    self.random.pick(&["first", "last"])
                ),
                _ => format!("optional.of({})", self.expr(Str, d)),
            },
            Any => self.expr(Any, d),
        }
    }

    pub(crate) fn operator(&mut self, kind: Kind, ops: &[&str], d: usize) -> String {
        let op = ops[self.random.next(ops.len())];
        format!("({} {op} {})", self.expr(kind, d), self.expr(kind, d))
    }
}
