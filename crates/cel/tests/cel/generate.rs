//! Random expressions with data: typed enough to reach deep, loose enough to fail often.

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

    fn pick<'x, T: ?Sized>(&mut self, from: &[&'x T]) -> &'x T {
        from[self.next(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
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
    loose: bool,
}

const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "5",
    "7",
    "10",
    "42",
    "100",
    "-7",
    "9223372036854775807",
    "-9223372036854775808",
    "1000000007",
    "60",
    "3600",
];
const DOUBLES: &[&str] = &[
    "0.0",
    "1.0",
    "1.5",
    "-2.25",
    "3.0",
    "0.1",
    "1e10",
    "1e21",
    "-1e300",
    "9223372036854775808.0",
    "2.5",
    "1e-7",
    "-0.0",
];
const STRINGS: &[&str] = &[
    "''",
    "'a'",
    "'abc'",
    "'web'",
    "'a,b,c'",
    "'Hello World'",
    "'äöü'",
    "'日本語'",
    "' x '",
    "'app=web'",
    "'10.0.0.1'",
    "'10.0.0.0/8'",
    "'100m'",
    "'1.2.3'",
    "'https://example.com:8080/a/b?x=1&y=2'",
    "'true'",
    "'42'",
    "'1.5'",
    "'2023-01-02T03:04:05Z'",
    "'5m'",
    "'my-name'",
    "'My_Name'",
    "'a/b~c'",
    "'%d items'",
    "'\\n\\t\"'",
    "'nginx:1.25'",
    "'docker.io/library/nginx@sha256:abc'",
    "'e'",
    "'bc'",
    "','",
    "'-'",
];
const PATTERNS: &[&str] = &[
    "'^a'",
    "'b+'",
    "'[a-z]+'",
    "'\\\\d+'",
    "'\\\\w+'",
    "'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
    "'(a|b)c?'",
    "'.'",
    "'\\\\s'",
    "'[^:]+:'",
    "''",
    "'[[:alpha:]]+'",
    "'(?i)HELLO'",
    "'\\\\bweb\\\\b'",
    "'[a'",
    "'a{2,}'",
    "'[&~-]'",
];
const DURATIONS: &[&str] = &[
    "duration('1h')",
    "duration('90s')",
    "duration('-1.5s')",
    "duration('0')",
    "duration('100ms')",
    "duration('1h30m5s')",
    "duration('bad')",
    "duration('2540400h')",
];
const TIMESTAMPS: &[&str] = &[
    "timestamp('2023-01-02T03:04:05Z')",
    "timestamp('1970-01-01T00:00:00Z')",
    "timestamp('2024-02-29T23:59:59.123456789Z')",
    "timestamp(0)",
    "timestamp('0001-01-01T00:00:00Z')",
    "timestamp('9999-12-31T23:59:59Z')",
    "timestamp('2023-13-01T00:00:00Z')",
];
const QUANTITIES: &[&str] = &[
    "'1'",
    "'100m'",
    "'1Gi'",
    "'1.5Gi'",
    "'1k'",
    "'500M'",
    "'-2'",
    "'0'",
    "'1e3'",
    "'12E'",
    "'1n'",
    "'0.5'",
    "'Mi'",
    "'1.000'",
    "'1000m'",
    "'1Ki'",
    "'1024'",
    "'9223372036854775807'",
    "'1e-3'",
    "'3.5u'",
    "'100000000000000000000'",
    "'1.23456789012'",
    "'8Ei'",
    "'+5'",
    "'1i'",
    "'5Pi'",
];
const IPS: &[&str] = &[
    "'10.0.0.1'",
    "'192.168.1.255'",
    "'127.0.0.1'",
    "'::1'",
    "'2001:db8::1'",
    "'fe80::1'",
    "'224.0.0.1'",
    "'ff02::1'",
    "'0.0.0.0'",
    "'169.254.1.1'",
    "'256.1.1.1'",
    "'::ffff:1.2.3.4'",
    "'255.255.255.255'",
    "'2001:DB8:0:0:0:0:0:1'",
    "'1.2.3'",
    "'01.2.3.4'",
    "'fe80::1%eth0'",
    "'::'",
];
const CIDRS: &[&str] = &[
    "'10.0.0.0/8'",
    "'192.168.0.0/16'",
    "'10.1.2.3/24'",
    "'0.0.0.0/0'",
    "'::/0'",
    "'2001:db8::/32'",
    "'10.0.0.0/33'",
    "'10.0.0.0'",
    "'10.0.0.0/08'",
    "'127.0.0.0/8'",
    "'2001:db8::1/128'",
];
const URLS: &[&str] = &[
    "'https://example.com'",
    "'https://user:pw@example.com:8443/a%20b/c?x=1&y=2&x=3'",
    "'http://[::1]:80/p'",
    "'/path/only?q=a+b%20c'",
    "'example.com'",
    "'mailto:a@b.c'",
    "'https://example.com/a b'",
    "'HTTP://EXAMPLE.com/%zz'",
    "'https://example.com/ä#frag'",
    "'://bad'",
    "'https://exa mple.com/'",
    "'https://example.com:port/'",
    "'ftp://h/x;y=1?a=b;c=d&e'",
    "'*'",
    "'https://h?x#y'",
    "'//h/p'",
    "'https://[::1'",
    "'https://h/a%2Fb'",
];
const SEMVERS: &[&str] = &[
    "'1.2.3'",
    "'1.2.4-alpha'",
    "'1.2.4-alpha.1'",
    "'2.0.0+build'",
    "'v1.2.3'",
    "'1.2'",
    "'01.2.3'",
    "'1.2.3-beta.2'",
    "'0.0.0'",
    "'10.20.30'",
    "'1.2.3-01'",
    "'v1'",
    "'1.2.3-alpha-x.y'",
    "''",
    "'1.2.3-'",
];

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

    fn any_kind(&mut self) -> Kind {
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
    fn strict(&mut self, kind: Kind, d: usize) -> String {
        let loose = std::mem::replace(&mut self.loose, false);
        let text = self.expr(kind, d);
        self.loose = loose;
        text
    }

    fn leaf(&mut self, kind: Kind) -> String {
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
    fn within(&mut self, item: Kind, body: Kind, depth: usize) -> (String, String) {
        let name = format!("v{}", self.count);
        self.count += 1;
        self.vars.push((name.clone(), item));
        let text = self.expr(body, depth);
        self.vars.pop();
        (name, text)
    }

    fn list_kind(&mut self) -> (Kind, Kind) {
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
                    self.expr(Any, d),
                    self.random.pick(&["'a'", "'q'", "1", "true"]),
                    self.expr(Any, d)
                ),
                1 => format!("{}[{}]", self.expr(Maps, d), self.random.next(3)),
                2 => {
                    let body = self.within(Int, Any, d);
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
                    self.expr(Any, d)
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

    fn operator(&mut self, kind: Kind, ops: &[&str], d: usize) -> String {
        let op = ops[self.random.next(ops.len())];
        format!("({} {op} {})", self.expr(kind, d), self.expr(kind, d))
    }

    fn boolean(&mut self, d: usize) -> String {
        match self.random.next(22) {
            0..=2 => self.operator(Bool, &["&&", "||"], d),
            3 => format!("!{}", self.expr(Bool, d)),
            4..=6 => {
                // cel-go has no equality of two quantities that were computed.
                let kind = match self.any_kind() {
                    Quantity => Semver,
                    kind => kind,
                };
                let loose = std::mem::replace(&mut self.loose, false);
                let text = self.operator(kind, &["==", "!=", "<", "<=", ">", ">="], d);
                self.loose = loose;
                text
            }
            7 => {
                let (a, b) = (
                    [Int, Uint, Double][self.random.next(3)],
                    [Int, Uint, Double][self.random.next(3)],
                );
                let op = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({} {op} {})", self.expr(a, d), self.expr(b, d))
            }
            8..=10 => {
                let (list, item) = self.list_kind();
                let f = self.random.pick(&["all", "exists", "exists_one"]);
                let (v, body) = self.within(item, Bool, d);
                format!("{}.{f}({v}, {body})", self.expr(list, d))
            }
            11 => {
                let f = self.random.pick(&["all", "exists", "existsOne"]);
                let (v, body) = self.within(Any, Bool, d);
                let target = if self.random.chance(50) { Ints } else { Map };
                format!("{}.{f}(i{v}, {v}, {body})", self.expr(target, d))
            }
            12 => {
                let f = self.random.pick(&["contains", "startsWith", "endsWith"]);
                format!("{}.{f}({})", self.expr(Str, d), self.expr(Str, d))
            }
            13 => format!(
                "{}.matches({})",
                self.expr(Str, d),
                self.random.pick(PATTERNS)
            ),
            14 => {
                let (list, item) = self.list_kind();
                format!("({} in {})", self.expr(item, d), self.expr(list, d))
            }
            15 => format!("({} in {})", self.expr(Str, d), self.expr(Map, d)),
            16 => {
                let f = self
                    .random
                    .pick(&["sets.contains", "sets.intersects", "sets.equivalent"]);
                let list = self.list_kind().0;
                format!("{f}({}, {})", self.expr(list, d), self.expr(list, d))
            }
            // Made lists of dynamic type have no such function in cel-go.
            17 => format!("{}.isSorted()", {
                let k = [Ints, Strs][self.random.next(2)];
                self.leaf(k)
            }),
            18 => {
                let (list, values) = [
                    ("isQuantity", QUANTITIES),
                    ("isIP", IPS),
                    ("isCIDR", CIDRS),
                    ("isURL", URLS),
                    ("isSemver", SEMVERS),
                ][self.random.next(5)];
                let arg = if self.random.chance(70) {
                    self.random.pick(values).to_owned()
                } else {
                    self.expr(Str, d)
                };
                format!("{list}({arg})")
            }
            19 => match self.random.next(5) {
                0 => format!(
                    "{}.{}({})",
                    self.expr(Quantity, d),
                    self.random.pick(&["isGreaterThan", "isLessThan"]),
                    self.expr(Quantity, d)
                ),
                1 => format!(
                    "{}.{}({})",
                    self.expr(Semver, d),
                    self.random.pick(&["isGreaterThan", "isLessThan"]),
                    self.expr(Semver, d)
                ),
                2 => format!(
                    "{}.containsIP({})",
                    self.expr(Cidr, d),
                    if self.random.chance(50) {
                        self.expr(Ip, d)
                    } else {
                        self.random.pick(IPS).into()
                    }
                ),
                3 => format!(
                    "{}.containsCIDR({})",
                    self.expr(Cidr, d),
                    self.expr(Cidr, d)
                ),
                _ => format!(
                    "{}.{}()",
                    self.expr(Ip, d),
                    self.random.pick(&[
                        "isUnspecified",
                        "isLoopback",
                        "isLinkLocalMulticast",
                        "isLinkLocalUnicast",
                        "isGlobalUnicast"
                    ])
                ),
            },
            20 => match self.random.next(4) {
                0 => format!("{}.isInteger()", self.expr(Quantity, d)),
                1 => format!("{}.hasValue()", self.expr(OptInt, d)),
                2 => format!("ip.isCanonical({})", self.random.pick(IPS)),
                _ => format!("bool({})", self.expr(Str, d)),
            },
            _ => format!(
                "has({}.{})",
                self.expr(Map, d),
                self.random
                    .pick(&["a", "app", "securityContext", "name", "spec"])
            ),
        }
    }

    fn int(&mut self, d: usize) -> String {
        match self.random.next(15) {
            0..=3 => self.operator(Int, &["+", "-", "*", "/", "%"], d),
            4 => format!("size({})", {
                let k = [Str, Ints, Strs, Map, Bytes][self.random.next(5)];
                self.expr(k, d)
            }),
            5 => format!("int({})", self.expr(Any, d)),
            6 => format!(
                "{}.{}({})",
                self.expr(Str, d),
                self.random.pick(&["indexOf", "lastIndexOf"]),
                self.expr(Str, d)
            ),
            7 => format!(
                "{}.{}({}, {})",
                self.expr(Str, d),
                self.random.pick(&["indexOf", "lastIndexOf"]),
                self.expr(Str, d),
                self.random.next(6) as i64 - 1
            ),
            8 => format!(
                "{}.{}()",
                self.expr(Ints, d),
                self.random.pick(&["sum", "min", "max"])
            ),
            9 => format!(
                "{}.{}({})",
                self.expr(Ints, d),
                self.random.pick(&["indexOf", "lastIndexOf"]),
                self.expr(Int, d)
            ),
            10 => format!("{}.orValue({})", self.expr(OptInt, d), self.expr(Int, d)),
            11 => match self.random.next(6) {
                0 => format!(
                    "{}.compareTo({})",
                    self.expr(Quantity, d),
                    self.expr(Quantity, d)
                ),
                1 => format!(
                    "{}.compareTo({})",
                    self.expr(Semver, d),
                    self.expr(Semver, d)
                ),
                2 => format!(
                    "{}.{}()",
                    self.expr(Semver, d),
                    self.random.pick(&["major", "minor", "patch"])
                ),
                3 => format!("{}.prefixLength()", self.expr(Cidr, d)),
                4 => format!("{}.family()", self.expr(Ip, d)),
                _ => format!("{}.asInteger()", self.expr(Quantity, d)),
            },
            12 => {
                let f = self.random.pick(&[
                    "getFullYear",
                    "getMonth",
                    "getDate",
                    "getDayOfMonth",
                    "getDayOfWeek",
                    "getDayOfYear",
                    "getHours",
                    "getMinutes",
                    "getSeconds",
                    "getMilliseconds",
                ]);
                let zone = self.random.pick(&[
                    "",
                    "",
                    "'UTC'",
                    "'+02:00'",
                    "'America/New_York'",
                    "'-09:30'",
                    "'Mars/Base'",
                ]);
                format!("{}.{f}({zone})", self.expr(Timestamp, d))
            }
            13 => format!(
                "{}.{}()",
                self.expr(Duration, d),
                self.random
                    .pick(&["getHours", "getMinutes", "getSeconds", "getMilliseconds"])
            ),
            _ => format!("-({})", self.expr(Int, d)),
        }
    }

    fn string(&mut self, d: usize) -> String {
        match self.random.next(17) {
            0 | 1 => self.operator(Str, &["+"], d),
            2 => format!("string({})", self.expr(Any, d)),
            3 => format!(
                "{}.{}()",
                self.expr(Str, d),
                self.random.pick(&["lowerAscii", "upperAscii", "trim"])
            ),
            4 => format!("{}.charAt({})", self.expr(Str, d), self.expr(Int, d)),
            5 => format!(
                "{}.substring({})",
                self.expr(Str, d),
                self.random.next(6) as i64 - 1
            ),
            6 => format!(
                "{}.substring({}, {})",
                self.expr(Str, d),
                self.random.next(5),
                self.random.next(8)
            ),
            7 => format!(
                "{}.replace({}, {})",
                self.expr(Str, d),
                self.expr(Str, d),
                self.expr(Str, d)
            ),
            8 => format!(
                "{}.replace({}, {}, {})",
                self.expr(Str, d),
                self.expr(Str, d),
                self.expr(Str, d),
                self.random.next(4) as i64 - 1
            ),
            9 => format!(
                "{}.join({})",
                self.expr(Strs, d),
                if self.random.chance(50) {
                    self.expr(Str, d)
                } else {
                    String::new()
                }
            ),
            10 => format!("strings.quote({})", self.expr(Str, d)),
            11 => format!("{}.find({})", self.expr(Str, d), self.random.pick(PATTERNS)),
            12 => format!("{}.orValue({})", self.expr(OptStr, d), self.expr(Str, d)),
            13 => format!(
                "{}.{}()",
                self.expr(Url, d),
                self.random.pick(&[
                    "getScheme",
                    "getHost",
                    "getHostname",
                    "getPort",
                    "getEscapedPath"
                ])
            ),
            14 => format!("{}[{}]", self.expr(Map, d), self.expr(Str, d)),
            15 => {
                // Lists, maps and doubles are written differently since version 4 of the library.
                let loose = std::mem::replace(&mut self.loose, false);
                let (a, b, c) = (self.expr(Str, d), self.expr(Int, d), self.expr(Int, d));
                self.loose = loose;
                format!("'%s and %d, %x'.format([{a}, {b}, {c}])")
            }
            _ => format!("{}[{}]", self.expr(Strs, d), self.strict(Int, d)),
        }
    }

    fn list(&mut self, kind: Kind, d: usize) -> String {
        let item = match kind {
            Ints => Int,
            Strs => Str,
            _ => Map,
        };
        match self.random.next(15) {
            0 | 1 => format!("[{}, {}]", self.expr(item, d), self.expr(item, d)),
            2 => self.operator(kind, &["+"], d),
            3 | 4 => {
                let (v, body) = self.within(item, Bool, d);
                format!("{}.filter({v}, {body})", self.strict(kind, d))
            }
            5 | 6 => {
                let (from, inner) = self.list_kind();
                let (v, body) = self.within(inner, item, d);
                format!("{}.map({v}, {body})", self.strict(from, d))
            }
            7 => {
                let (from, inner) = self.list_kind();
                let (v, body) = self.within(inner, item, d);
                let (w, test) = self.within(inner, Bool, d);
                format!(
                    "{}.map({v}, {}, {body})",
                    self.strict(from, d),
                    test.replace(&w, &v)
                )
            }
            8 => format!(
                "{}.slice({}, {})",
                self.expr(kind, d),
                self.random.next(3),
                self.random.next(4)
            ),
            9 => format!(
                "{}.{}()",
                self.strict(kind, d),
                self.random.pick(&["distinct", "reverse", "sort"])
            ),
            10 => format!("[{}, {}].flatten()", self.expr(kind, d), self.expr(kind, d)),
            11 => {
                let (v, body) = self.within(item, Int, d);
                format!("{}.sortBy({v}, {body})", self.expr(kind, d))
            }
            12 => {
                let (v, body) = self.within(item, item, d);
                format!("{}.transformList(i{v}, {v}, {body})", self.strict(kind, d))
            }
            13 => format!(
                "[?{}, {}]",
                self.expr(if item == Str { OptStr } else { OptInt }, d),
                self.expr(item, d)
            ),
            _ if kind == Strs => match self.random.next(3) {
                0 => format!("{}.split({})", self.expr(Str, d), self.expr(Str, d)),
                1 => format!(
                    "{}.split({}, {})",
                    self.expr(Str, d),
                    self.expr(Str, d),
                    self.random.next(4) as i64 - 1
                ),
                _ => format!(
                    "{}.findAll({}{})",
                    self.expr(Str, d),
                    self.random.pick(PATTERNS),
                    self.random.pick(&["", ", 1", ", 2"])
                ),
            },
            _ => format!("{} + [{}]", self.expr(kind, d), self.expr(item, d)),
        }
    }
}

/// Named formats and the texts they are tried with.
pub(crate) fn format_case(r: &mut Random) -> String {
    let format = r.pick(&[
        "dns1123Label",
        "dns1123Subdomain",
        "dns1035Label",
        "qualifiedName",
        "dns1123LabelPrefix",
        "dns1123SubdomainPrefix",
        "dns1035LabelPrefix",
        "labelValue",
        "uri",
        "uuid",
        "byte",
        "date",
        "datetime",
    ]);
    let pieces = [
        "a",
        "A",
        "0",
        "-",
        ".",
        "/",
        "_",
        "my-name",
        "example.com",
        "2023-01-02",
        "T03:04:05Z",
        "123e4567-e89b-12d3-a456-426614174000",
        "YWJj",
        "=",
        "==",
        "https://",
        " ",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    let text: String = (0..r.next(4))
        .map(|_| pieces[r.next(pieces.len())])
        .collect();
    let value = ["uri", "uuid", "byte", "date", "datetime"].contains(&format);
    let tail = if value { ".hasValue()" } else { "" };
    match r.next(2) {
        0 => format!("format.{format}().validate('{text}'){tail}"),
        _ => format!("format.named('{format}').value().validate('{text}'){tail}"),
    }
}
