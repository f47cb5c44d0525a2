//! Values: small, copied freely, borrowing from the caller's tree, the program or the arena.

use crate::error::{ErrorKind, EvalError};
use crate::time::{Duration, Timestamp};
use crate::{Node, Partial, Program, Slot, Span, Unknown, View};
use bumpalo::Bump;
use std::fmt;
use std::net::IpAddr;

pub use crate::library::format::Format;
pub use crate::library::quantity::Quantity;
pub use crate::library::semver::Semver;
pub use crate::library::url::Url;

/// A value of the language.
#[derive(Clone, Copy)]
pub enum Val<'a, N: Node<'a>> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    Str(&'a str),
    /// `bytes`
    Bytes(&'a [u8]),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// a type, by its name
    Type(&'a str),
    /// a list made while evaluating
    List(&'a List<'a, N>),
    /// a map made while evaluating
    Map(&'a Map<'a, N>),
    /// a place in the caller's tree; scalars too, until an operation looks at them
    Node(N),
    /// `optional`
    Optional(Option<&'a Self>),
    /// `kubernetes.Quantity`
    Quantity(&'a Quantity),
    /// `net.IP`
    Ip(&'a IpAddr),
    /// `net.CIDR`
    Cidr(&'a Cidr),
    /// `kubernetes.URL`
    Url(&'a Url<'a>),
    /// `kubernetes.Semver`
    Semver(&'a Semver<'a>),
    /// `kubernetes.NamedFormat`
    Format(Format),
    /// not known, and why
    Unknown(Unknown),
    /// not known but for a part of it
    Partial(&'a Partial<'a>),
    /// an evaluation that failed
    Error(&'a EvalError<'a>),
    /// something the caller computes on demand
    Host(&'a dyn Host<'a, N>),
}

/// A list made while evaluating.
#[derive(Clone, Copy)]
pub struct List<'a, N: Node<'a>> {
    /// What it shows.
    pub items: &'a [Val<'a, N>],
    /// `Some`: there may be more, unknown for this reason.
    pub rest: Option<Unknown>,
}

/// A map made while evaluating; entries in the order they were made.
#[derive(Clone, Copy)]
pub struct Map<'a, N: Node<'a>> {
    /// What it shows.
    pub entries: &'a [(Val<'a, N>, Val<'a, N>)],
    /// `Some`: there may be more, unknown for this reason.
    pub rest: Option<Unknown>,
}

/// An address range in CIDR notation; the address keeps its host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// The length of the prefix in bits.
    pub prefix: u8,
}

/// A map whose fields the caller computes on demand.
pub trait Host<'a, N: Node<'a>> {
    /// The value of a field; `None` when it is absent.
    fn field(&self, name: &str, bump: &'a Bump) -> Option<Val<'a, N>>;
    /// Where a finding about the whole should point.
    fn node(&self) -> Option<N> {
        None
    }
}

/// Where an evaluation finds its variables.
pub trait Scope<'a, N: Node<'a>> {
    /// The value of a declared variable. Called once for every mention: compute lazily, cache.
    fn variable(&self, slot: Slot) -> Val<'a, N>;
    /// The program that computed the variable, when one did: blame looks through it.
    fn definition(&self, slot: Slot) -> Option<&'a Program> {
        let _ = slot;
        None
    }
}

impl<'a, N: Node<'a>> Val<'a, N> {
    /// A list of these items; `rest` says that there may be more and why that is unknown.
    pub fn list(bump: &'a Bump, items: &[Self], rest: Option<Unknown>) -> Self {
        let items = bump.alloc_slice_copy(items);
        Self::List(bump.alloc(List { items, rest }))
    }

    /// A map of these entries.
    pub fn map(bump: &'a Bump, entries: &[(Self, Self)], rest: Option<Unknown>) -> Self {
        let entries = bump.alloc_slice_copy(entries);
        Self::Map(bump.alloc(Map { entries, rest }))
    }

    /// A string copied to the arena.
    pub fn string(bump: &'a Bump, text: &str) -> Self {
        Self::Str(bump.alloc_str(text))
    }

    /// What a scope answers for a variable or member that is declared but not there:
    /// `has()` of it is false, `.?` gives none, reading it fails.
    pub fn absent(bump: &'a Bump, name: &str) -> Self {
        Self::error(bump, ErrorKind::Absent, name, Span { start: 0, end: 0 })
    }

    pub(crate) fn error(bump: &'a Bump, kind: ErrorKind, detail: &str, span: Span) -> Self {
        let detail = bump.alloc_str(detail);
        Self::Error(bump.alloc(EvalError { kind, detail, span }))
    }

    /// The same value with a scalar of the caller's tree turned into a scalar.
    #[inline]
    #[must_use]
    pub fn resolve(self) -> Self {
        match self {
            Self::Node(n) => match n.view() {
                View::Null => Self::Null,
                View::Bool(b) => Self::Bool(b),
                View::Int(i) => Self::Int(i),
                View::Uint(u) => Self::Uint(u),
                View::Double(d) => Self::Double(d),
                View::Str(s) => Self::Str(s),
                View::List(_) | View::Map(_) => self,
                View::Unknown(u) => Self::Unknown(u),
            },
            Self::Partial(p) => Self::Unknown(p.why),
            other => other,
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.resolve() {
            Self::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.resolve() {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The place in the caller's tree, if it is one.
    #[must_use]
    pub fn as_node(self) -> Option<N> {
        match self {
            Self::Node(n) => Some(n),
            Self::Host(h) => h.node(),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_list(self) -> Option<Seq<'a, N>> {
        Seq::of(self)
    }

    /// The name of the value's type, as `type()` gives it.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self.resolve() {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::List(_) => "list",
            Self::Map(_) | Self::Host(_) => "map",
            Self::Node(n) => match n.view() {
                View::List(_) => "list",
                _ => "map",
            },
            Self::Optional(_) => "optional_type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Unknown(_) | Self::Partial(_) => "unknown",
            Self::Error(_) => "error",
        }
    }
}

/// The items of a list, wherever they stand.
#[derive(Clone, Copy)]
pub struct Seq<'a, N: Node<'a>> {
    kind: SeqKind<'a, N>,
    len: usize,
    rest: Option<Unknown>,
}

#[derive(Clone, Copy)]
enum SeqKind<'a, N: Node<'a>> {
    Node(N),
    Items(&'a [Val<'a, N>]),
}

impl<'a, N: Node<'a>> Seq<'a, N> {
    #[inline]
    pub(crate) fn of(v: Val<'a, N>) -> Option<Self> {
        match v {
            Val::List(l) => Some(Self {
                kind: SeqKind::Items(l.items),
                len: l.items.len(),
                rest: l.rest,
            }),
            Val::Node(n) => match n.view() {
                View::List(len) => Some(Self {
                    kind: SeqKind::Node(n),
                    len,
                    rest: n.rest(),
                }),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many items it shows.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it shows none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// `Some`: there may be more.
    #[inline]
    #[must_use]
    pub fn rest(self) -> Option<Unknown> {
        self.rest
    }

    /// One item.
    #[inline]
    #[must_use]
    pub fn get(self, index: usize) -> Option<Val<'a, N>> {
        match self.kind {
            SeqKind::Node(n) => n.item(index).map(Val::Node),
            SeqKind::Items(items) => items.get(index).copied(),
        }
    }

    /// All items it shows.
    pub fn iter(self) -> impl Iterator<Item = Val<'a, N>> {
        (0..self.len).filter_map(move |i| self.get(i))
    }
}

/// The entries of a map, wherever they stand.
#[derive(Clone, Copy)]
pub(crate) enum Entries<'a, N: Node<'a>> {
    Node(N, usize),
    Items(&'a Map<'a, N>),
}

impl<'a, N: Node<'a>> Entries<'a, N> {
    #[inline]
    pub(crate) fn of(v: Val<'a, N>) -> Option<Self> {
        match v {
            Val::Map(m) => Some(Self::Items(m)),
            Val::Node(n) => match n.view() {
                View::Map(len) => Some(Self::Node(n, len)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Node(_, len) => len,
            Self::Items(m) => m.entries.len(),
        }
    }

    pub(crate) fn rest(self) -> Option<Unknown> {
        match self {
            Self::Node(n, _) => n.rest(),
            Self::Items(m) => m.rest,
        }
    }

    pub(crate) fn get(self, index: usize) -> Option<(Val<'a, N>, Val<'a, N>)> {
        match self {
            Self::Node(n, _) => n.entry(index).map(|(k, v)| (Val::Str(k), Val::Node(v))),
            Self::Items(m) => m.entries.get(index).copied(),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (Val<'a, N>, Val<'a, N>)> {
        (0..self.len()).filter_map(move |i| self.get(i))
    }
}

/// The value in CEL's notation as far as it has one: for messages and tests.
impl<'a, N: Node<'a>> fmt::Display for Val<'a, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // A string at the top is shown as it is; inside lists and maps it is quoted.
            Val::Str(s) => f.write_str(s),
            Val::Node(n) => match n.view() {
                View::Str(s) => f.write_str(s),
                _ => write!(f, "{self:?}"),
            },
            _ => write!(f, "{self:?}"),
        }
    }
}

impl<'a, N: Node<'a>> fmt::Debug for Val<'a, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.resolve();
        if let Some(seq) = Seq::of(v) {
            let mut list = f.debug_list();
            list.entries(seq.iter());
            if seq.rest().is_some() {
                list.entry(&format_args!("…"));
            }
            return list.finish();
        }
        if let Some(entries) = Entries::of(v) {
            let mut map = f.debug_map();
            map.entries(entries.iter());
            if entries.rest().is_some() {
                map.entry(&format_args!("…"), &format_args!("…"));
            }
            return map.finish();
        }
        match v {
            Val::Null => f.write_str("null"),
            Val::Bool(b) => write!(f, "{b}"),
            Val::Int(i) => write!(f, "{i}"),
            Val::Uint(u) => write!(f, "{u}"),
            Val::Double(d) => f.write_str(&crate::library::convert::double_text(d)),
            Val::Str(s) => write!(f, "{s:?}"),
            Val::Bytes(b) => write!(f, "b\"{}\"", b.escape_ascii()),
            Val::Duration(d) => write!(f, "{d}"),
            Val::Timestamp(t) => write!(f, "{t}"),
            Val::Type(t) => f.write_str(t),
            Val::Optional(None) => f.write_str("optional.none()"),
            Val::Optional(Some(v)) => write!(f, "optional.of({v:?})"),
            Val::Quantity(q) => write!(f, "{q}"),
            Val::Ip(ip) => write!(f, "{ip}"),
            Val::Cidr(c) => write!(f, "{}/{}", c.address, c.prefix),
            Val::Url(u) => write!(f, "{u}"),
            Val::Semver(s) => write!(f, "{s}"),
            Val::Format(n) => f.write_str(n.name()),
            Val::Unknown(u) => write!(f, "unknown({})", u.0),
            Val::Error(e) => write!(f, "error({e})"),
            Val::Host(_) => f.write_str("{…}"),
            Val::List(_) | Val::Map(_) | Val::Node(_) | Val::Partial(_) => Ok(()),
        }
    }
}
