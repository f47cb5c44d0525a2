//! What a boolean, a number, a string and a list can be made from.

use crate::generate::Generator;
use crate::generate::Kind;
use crate::generate::Kind::{
    Any, Bool, Bytes, Cidr, Double, Duration, Int, Ints, Ip, Map, OptInt, OptStr, Quantity, Semver,
    Str, Strs, Timestamp, Uint, Url,
};
use crate::samples::{CIDRS, IPS, PATTERNS, QUANTITIES, SEMVERS, URLS};

impl Generator {
    pub(crate) fn boolean(&mut self, d: usize) -> String {
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

    pub(crate) fn int(&mut self, d: usize) -> String {
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

    pub(crate) fn string(&mut self, d: usize) -> String {
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

    pub(crate) fn list(&mut self, kind: Kind, d: usize) -> String {
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
