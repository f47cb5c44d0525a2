//! A compiled template that is imported from: what it exports, and its parts with the names that
//! they get where they are imported.

use std::collections::HashMap;

use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};

use super::expr::{self, Maker, entry};
use super::imports::Kind;
use super::lower::split_function;

/// A compiled template and what its parts are called elsewhere.
#[derive(Debug)]
pub(crate) struct Compiled<'a> {
    pub(crate) root: Node<'a>,
    /// Types by their pointer, functions with their namespace.
    pub(crate) names: HashMap<(Kind, String), &'a str>,
}

/// Before the name of a type.
const DEFINITIONS: &str = "#/definitions/";

impl<'a> Compiled<'a> {
    /// The kind of what is exported under a name, and how it is called inside.
    pub(crate) fn export(root: &Node<'a>, name: &str) -> Option<(Kind, String)> {
        let exported = |node: &Node<'a>| {
            matches!(
                node.get("metadata")
                    .and_then(|metadata| metadata.get("__bicep_export!"))
                    .map(|flag| flag.kind),
                Some(NodeKind::Bool(true))
            )
        };
        if root
            .get("definitions")
            .and_then(|all| exact(all, name))
            .is_some_and(exported)
        {
            return Some((Kind::Type, format!("{DEFINITIONS}{name}")));
        }
        let variable = root
            .get("metadata")
            .and_then(|metadata| metadata.get("__bicep_exported_variables!"))
            .into_iter()
            .flat_map(Node::items)
            .any(|item| item.get("name").and_then(Node::as_str) == Some(name));
        if variable {
            return Some((Kind::Variable, name.to_owned()));
        }
        let (namespace, member) = split_function(name);
        function(root, namespace, member)
            .is_some_and(exported)
            .then(|| (Kind::Function, format!("{namespace}.{member}")))
    }

    /// The names of all that is exported.
    pub(crate) fn exports(root: &Node<'a>) -> Vec<&'a str> {
        let mut names = Vec::new();
        for entry in root.get("definitions").into_iter().flat_map(Node::entries) {
            names.push(entry.key);
        }
        let variables = root
            .get("metadata")
            .and_then(|metadata| metadata.get("__bicep_exported_variables!"));
        for item in variables.into_iter().flat_map(Node::items) {
            names.extend(item.get("name").and_then(Node::as_str));
        }
        for space in root.get("functions").into_iter().flat_map(Node::items) {
            if space.get("namespace").and_then(Node::as_str) == Some("__bicep") {
                let members = space.get("members").into_iter().flat_map(Node::entries);
                names.extend(members.map(|member| member.key));
            }
        }
        names.retain(|name| Self::export(root, name).is_some());
        names
    }

    /// What the part refers to in turn.
    pub(crate) fn references(root: &Node<'a>, kind: Kind, name: &str) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        match kind {
            Kind::Type => {
                if let Some(node) = at_pointer(root, name) {
                    collect(node, &mut found);
                }
            }
            Kind::Variable => {
                if let Some((node, count)) = variable(root, name) {
                    collect(node, &mut found);
                    if let Some(count) = count {
                        collect(count, &mut found);
                    }
                }
            }
            Kind::Function => {
                let (namespace, member) = split_function(name);
                if let Some(node) = function(root, namespace, member) {
                    collect(node, &mut found);
                }
            }
            Kind::Load(_) => {}
        }
        found
    }

    /// How a part was called where it was written, when that is a name.
    pub(crate) fn original(kind: Kind, identifier: &str) -> &str {
        let stripped = match kind {
            Kind::Type => identifier.strip_prefix(DEFINITIONS),
            Kind::Function => identifier.strip_prefix("__bicep."),
            _ => None,
        };
        stripped
            .filter(|name| crate::expression::is_name(name))
            .unwrap_or(identifier)
    }

    fn name(&self, kind: Kind, identifier: &str) -> Option<&'a str> {
        self.names.get(&(kind, identifier.to_owned())).copied()
    }

    /// Where a pointer leads to, and at which place that is in the template that imports.
    pub(crate) fn follow(&self, pointer: &str) -> Option<(Vec<String>, Node<'a>)> {
        let node = *at_pointer(&self.root, pointer)?;
        let name = self.name(Kind::Type, pointer)?;
        Some((vec!["definitions".to_owned(), name.to_owned()], node))
    }

    /// What a schema leads to.
    pub(crate) fn dereferenced(&self, node: Node<'a>) -> Node<'a> {
        let mut at = node;
        for _ in 0..64 {
            match at
                .get("$ref")
                .and_then(Node::as_str)
                .and_then(|pointer| at_pointer(&self.root, pointer))
            {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }

    pub(crate) fn type_node(&self, pointer: &str) -> Option<Node<'a>> {
        at_pointer(&self.root, pointer).copied()
    }

    /// A type as it is declared where it is imported.
    pub(crate) fn declared_type(&self, make: Maker<'a>, pointer: &str) -> Option<Vec<Entry<'a>>> {
        let node = self.rewritten(make, at_pointer(&self.root, pointer)?);
        Some(node.entries().to_vec())
    }

    /// A variable's value, or what each of its items is and how many there are.
    pub(crate) fn variable(
        &self,
        make: Maker<'a>,
        name: &str,
    ) -> Option<(Node<'a>, Option<Node<'a>>)> {
        let (value, count) = variable(&self.root, name)?;
        Some((
            self.rewritten(make, value),
            count.map(|count| self.rewritten(make, count)),
        ))
    }

    /// A function as it is declared where it is imported.
    pub(crate) fn function(&self, make: Maker<'a>, identifier: &str) -> Option<Node<'a>> {
        let (namespace, member) = split_function(identifier);
        let node = function(&self.root, namespace, member)?;
        Some(self.rewritten(make, node))
    }

    /// With the names that parts have where they are imported; nothing imported is exported again.
    pub(crate) fn rewritten(&self, make: Maker<'a>, node: &Node<'a>) -> Node<'a> {
        let span = node.span;
        match node.kind {
            NodeKind::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.rewritten(make, item))
                    .collect();
                make.array(span, &items)
            }
            NodeKind::Object(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for old in entries {
                    if let ("$ref", Some(pointer)) = (old.key, old.value.as_str()) {
                        let name = self.name(Kind::Type, pointer).unwrap_or(pointer);
                        let name = make.text(&format!("{DEFINITIONS}{name}"));
                        out.push(entry(
                            "$ref",
                            old.key_span,
                            expr::text(old.value.span, name),
                        ));
                        continue;
                    }
                    if old.key == "__bicep_export!" {
                        continue;
                    }
                    out.push(Entry {
                        key_expr: old
                            .key_expr
                            .map(|key| make.expr(self.rewritten_expr(make, key))),
                        value: self.rewritten(make, &old.value),
                        ..*old
                    });
                }
                out.retain(|entry| {
                    entry.key != "metadata" || !matches!(entry.value.kind, NodeKind::Object([]))
                });
                complete(make, node, &mut out);
                in_order(&mut out);
                make.object(span, &out)
            }
            NodeKind::Expr(expr) => Node {
                span,
                kind: NodeKind::Expr(make.expr(self.rewritten_expr(make, expr))),
            },
            _ => *node,
        }
    }

    fn rewritten_expr(&self, make: Maker<'a>, expr: &Expr<'a>) -> Expr<'a> {
        let kind = match expr.kind {
            ExprKind::Call {
                namespace,
                name,
                args,
            } => {
                let renamed = |kind, args: &[Expr<'a>]| match args.first().map(|first| first.kind) {
                    Some(ExprKind::Str(variable)) => self.name(kind, variable),
                    _ => None,
                };
                let new = match namespace {
                    None if name.eq_ignore_ascii_case("variables")
                        || name.eq_ignore_ascii_case("copyIndex") =>
                    {
                        renamed(Kind::Variable, args)
                    }
                    _ => None,
                };
                let args: Vec<_> = args
                    .iter()
                    .enumerate()
                    .map(|(at, arg)| match new {
                        Some(new) if at == 0 => expr::string(arg.span, new),
                        _ => self.rewritten_expr(make, arg),
                    })
                    .collect();
                if let Some(namespace) = namespace
                    && let Some(new) = self.name(Kind::Function, &format!("{namespace}.{name}"))
                {
                    let (namespace, name) = split_function(new);
                    return make.call_in(expr.span, Some(namespace), name, &args);
                }
                return make.call_in(expr.span, namespace, name, &args);
            }
            ExprKind::Prop(base, name) => {
                ExprKind::Prop(make.expr(self.rewritten_expr(make, base)), name)
            }
            ExprKind::Index(base, index) => ExprKind::Index(
                make.expr(self.rewritten_expr(make, base)),
                make.expr(self.rewritten_expr(make, index)),
            ),
            other => other,
        };
        Expr { kind, ..*expr }
    }
}

/// The official compiler writes `properties` whenever it says more of an object than that.
fn complete<'a>(make: Maker<'a>, node: &Node<'a>, out: &mut Vec<Entry<'a>>) {
    let is_object = matches!(node.get("type").and_then(Node::as_str), Some(kind) if kind.eq_ignore_ascii_case("object") || kind.eq_ignore_ascii_case("secureObject"));
    if is_object
        && node.get("additionalProperties").is_some()
        && node.get("properties").is_none()
        && node.get("discriminator").is_none()
    {
        out.push(entry("properties", node.span, make.object(node.span, &[])));
    }
}

/// The order in which the official compiler writes a type: what it is, then what is said of it. A
/// description comes last, other metadata before the bounds.
fn in_order(schema: &mut [Entry<'_>]) {
    if !schema.iter().any(|entry| entry.key == "nullable") {
        return;
    }
    schema.sort_by_key(|entry| match entry.key {
        "metadata" => {
            let told = entry.value.entries();
            let only = told.iter().all(|entry| entry.key == "description");
            if only { 6 } else { 1 }
        }
        "minLength" => 2,
        "maxLength" => 3,
        "minValue" => 4,
        "maxValue" => 5,
        _ => 0,
    });
}

fn exact<'a>(node: &Node<'a>, key: &str) -> Option<&'a Node<'a>> {
    node.entries()
        .iter()
        .find(|entry| entry.key == key)
        .map(|entry| &entry.value)
}

fn function<'a>(root: &Node<'a>, namespace: &str, member: &str) -> Option<&'a Node<'a>> {
    root.get("functions")?
        .items()
        .iter()
        .filter(|space| {
            space
                .get("namespace")
                .and_then(Node::as_str)
                .is_some_and(|name| name.eq_ignore_ascii_case(namespace))
        })
        .find_map(|space| space.get("members")?.get(member))
}

/// What a variable is: its value, or of a loop what each item is and their number.
fn variable<'a>(root: &Node<'a>, name: &str) -> Option<(&'a Node<'a>, Option<&'a Node<'a>>)> {
    let variables = root.get("variables")?;
    if !name.eq_ignore_ascii_case("copy")
        && let Some(value) = variables.get(name)
    {
        return Some((value, None));
    }
    variables
        .get("copy")?
        .items()
        .iter()
        .find(|copy| {
            copy.get("name")
                .and_then(Node::as_str)
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        })
        .and_then(|copy| Some((copy.get("input")?, Some(copy.get("count")?))))
}

pub(crate) fn at_pointer<'a>(root: &Node<'a>, pointer: &str) -> Option<&'a Node<'a>> {
    let mut segments = pointer
        .strip_prefix("#/")?
        .split('/')
        .map(|segment| unescaped(segment).replace("~1", "/").replace("~0", "~"));
    let first = segments.next()?;
    let mut at = root.get(&first)?;
    for segment in segments {
        at = match at.kind {
            NodeKind::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
            _ => exact(at, &segment)?,
        };
    }
    Some(at)
}

/// `%2A` → `*`
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut rest = bytes.clone();
        let code = (byte == b'%')
            .then(|| {
                let high = (rest.next()? as char).to_digit(16)?;
                let low = (rest.next()? as char).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()
            })
            .flatten();
        match code {
            Some(code) => {
                out.push(code);
                bytes = rest;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn collect(node: &Node<'_>, out: &mut Vec<(Kind, String)>) {
    match node.kind {
        NodeKind::Array(items) => {
            for item in items {
                collect(item, out);
            }
        }
        NodeKind::Object(entries) => {
            for entry in entries {
                if let ("$ref", Some(pointer)) = (entry.key, entry.value.as_str()) {
                    out.push((Kind::Type, pointer.to_owned()));
                    continue;
                }
                if let Some(key) = entry.key_expr {
                    collect_expr(key, out);
                }
                collect(&entry.value, out);
            }
        }
        NodeKind::Expr(expr) => collect_expr(expr, out),
        _ => {}
    }
}

fn collect_expr(expr: &Expr<'_>, out: &mut Vec<(Kind, String)>) {
    let mut open = vec![expr];
    while let Some(next) = open.pop() {
        match next.kind {
            ExprKind::Call {
                namespace,
                name,
                args,
            } => {
                if let Some(namespace) = namespace {
                    out.push((Kind::Function, format!("{namespace}.{name}")));
                } else if name.eq_ignore_ascii_case("variables")
                    && let Some(ExprKind::Str(variable)) = args.first().map(|arg| arg.kind)
                {
                    out.push((Kind::Variable, variable.to_owned()));
                }
                open.extend(args.iter().rev());
            }
            ExprKind::Prop(base, _) => open.push(base),
            ExprKind::Index(base, index) => {
                open.push(index);
                open.push(base);
            }
            _ => {}
        }
    }
}
