//! A small tree to evaluate over: nodes in a `Vec`, keys numbered by the program's symbols.

use cel::{Bump, Key, Node, Scope, Slot, Symbol, Symbols, Unknown, Val, View};
use serde_json::Value;

/// A document.
#[derive(Default)]
pub(crate) struct Tree {
    nodes: Vec<Data>,
}

enum Data {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Str(String),
    List(Vec<u32>, Option<Unknown>),
    Map(Vec<(Symbol, String, u32)>, Option<Unknown>),
    Unknown(Unknown),
    /// unknown, and perhaps absent
    Maybe(Unknown),
    /// a string that is known before and after a `*`
    Text(String, String),
}

impl Tree {
    /// From JSON. `{"$unknown": n}` is unknown, `{"$maybe": n}` perhaps absent too,
    /// `{"$text": "a*b"}` a string with known ends, `{"$open": x}` is `x` with more to it.
    pub(crate) fn new(json: &Value, symbols: &Symbols) -> Self {
        let mut tree = Self::default();
        tree.nodes.push(Data::Null);
        let root = tree.add(json, symbols);
        tree.nodes.swap(0, root as usize);
        tree
    }

    fn add(&mut self, json: &Value, symbols: &Symbols) -> u32 {
        let data = match json {
            Value::Null => Data::Null,
            Value::Bool(b) => Data::Bool(*b),
            Value::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Data::Int(i),
                (None, Some(u)) => Data::Uint(u),
                _ => Data::Double(n.as_f64().unwrap()),
            },
            Value::String(s) => Data::Str(s.clone()),
            Value::Array(items) => {
                Data::List(items.iter().map(|v| self.add(v, symbols)).collect(), None)
            }
            Value::Object(map) => {
                if let Some(n) = map.get("$unknown") {
                    Data::Unknown(Unknown(n.as_u64().unwrap() as u32))
                } else if let Some(n) = map.get("$maybe") {
                    Data::Maybe(Unknown(n.as_u64().unwrap() as u32))
                } else if let Some(text) = map.get("$text") {
                    let (start, end) = text.as_str().unwrap().split_once('*').unwrap();
                    Data::Text(start.to_owned(), end.to_owned())
                } else if let Some(inner) = map.get("$open") {
                    let at = self.add(inner, symbols);
                    match std::mem::replace(&mut self.nodes[at as usize], Data::Null) {
                        Data::List(items, _) => Data::List(items, Some(Unknown(7))),
                        Data::Map(items, _) => Data::Map(items, Some(Unknown(7))),
                        other => other,
                    }
                } else {
                    Data::Map(
                        map.iter()
                            .map(|(k, v)| (symbols.get(k), k.clone(), self.add(v, symbols)))
                            .collect(),
                        None,
                    )
                }
            }
        };
        self.nodes.push(data);
        self.nodes.len() as u32 - 1
    }

    pub(crate) fn root(&self) -> At<'_> {
        At { tree: self, id: 0 }
    }
}

/// A place in a [`Tree`].
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    tree: &'a Tree,
    id: u32,
}

impl<'a> At<'a> {
    fn data(self) -> &'a Data {
        &self.tree.nodes[self.id as usize]
    }

    fn at(self, id: u32) -> Self {
        Self {
            tree: self.tree,
            id,
        }
    }
}

impl<'a> Node<'a> for At<'a> {
    fn view(self) -> View<'a> {
        match self.data() {
            Data::Null => View::Null,
            Data::Bool(b) => View::Bool(*b),
            Data::Int(i) => View::Int(*i),
            Data::Uint(u) => View::Uint(*u),
            Data::Double(d) => View::Double(*d),
            Data::Str(s) => View::Str(s),
            Data::List(items, _) => View::List(items.len()),
            Data::Map(items, _) => View::Map(items.len()),
            Data::Unknown(u) | Data::Maybe(u) => View::Unknown(*u),
            Data::Text(..) => View::Unknown(Unknown(5)),
        }
    }

    fn field(self, key: &Key) -> Option<Self> {
        match self.data() {
            Data::Map(items, _) if key.symbol != Symbol::NONE => items
                .iter()
                .find(|(s, ..)| *s == key.symbol)
                .map(|(.., id)| self.at(*id)),
            _ => self.field_named(&key.text),
        }
    }

    fn field_named(self, key: &str) -> Option<Self> {
        match self.data() {
            Data::Map(items, _) => items
                .iter()
                .find(|(_, k, _)| k == key)
                .map(|(.., id)| self.at(*id)),
            _ => None,
        }
    }

    fn item(self, index: usize) -> Option<Self> {
        match self.data() {
            Data::List(items, _) => items.get(index).map(|id| self.at(*id)),
            _ => None,
        }
    }

    fn entry(self, index: usize) -> Option<(&'a str, Self)> {
        match self.data() {
            Data::Map(items, _) => items
                .get(index)
                .map(|(_, k, id)| (k.as_str(), self.at(*id))),
            _ => None,
        }
    }

    fn rest(self) -> Option<Unknown> {
        match self.data() {
            Data::List(_, rest) | Data::Map(_, rest) => *rest,
            _ => None,
        }
    }

    fn certain(self) -> bool {
        !matches!(self.data(), Data::Maybe(_))
    }

    fn known_ends(self) -> Option<(&'a str, &'a str)> {
        match self.data() {
            Data::Text(start, end) => Some((start, end)),
            _ => None,
        }
    }

    fn same(self, other: Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

/// A scope of given values.
pub(crate) struct Values<'a>(pub(crate) Vec<(Slot, Val<'a, At<'a>>)>);

impl<'a> Scope<'a, At<'a>> for Values<'a> {
    fn variable(&self, slot: Slot) -> Val<'a, At<'a>> {
        self.0
            .iter()
            .find(|(s, _)| *s == slot)
            .map_or(Val::Null, |(_, v)| *v)
    }
}

/// Evaluates with these variables and shows the result.
pub(crate) fn show(source: &str, vars: &Value) -> String {
    let mut env = cel::Env::new();
    let empty = serde_json::Map::new();
    let vars = vars.as_object().unwrap_or(&empty);
    let slots: Vec<Slot> = vars.keys().map(|k| env.declare(k)).collect();
    let program = match env.compile(source) {
        Ok(p) => p,
        Err(e) => {
            let help = e.help.map(|h| format!(" ({h})")).unwrap_or_default();
            return format!("does not compile: {} at {}{help}", e.message, e.span);
        }
    };
    let trees: Vec<Tree> = vars.values().map(|v| Tree::new(v, env.symbols())).collect();
    let bump = Bump::new();
    let scope = Values(
        slots
            .into_iter()
            .zip(trees.iter().map(|t| Val::Node(t.root())))
            .collect(),
    );
    let budget = cel::Budget::default();
    let value = program.eval(&scope, &[], &bump, &budget);
    format!("{value:?}")
}
