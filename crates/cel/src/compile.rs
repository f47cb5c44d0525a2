//! Syntax tree to program: names to slots, fields to symbols, functions checked by name and
//! number of arguments, constant patterns checked.
//!
//! There is no static type check: data of custom kinds is dynamically typed in Kubernetes too.

mod fold;
mod similar;

use crate::ast::{BinaryOp, Expr, ExprKind, Literal, Macro};
use crate::env::Env;
use crate::functions::{self, Form, Func};
use crate::ir::{Const, Ir, MacroIr, Op};
use crate::library::regex::Pattern;
use crate::parser::qualified_name;
use crate::{CompileError, Key, Program, Slot, Span};
use similar::similar;
use std::sync::OnceLock;

/// Types that expressions can name.
const TYPES: [&str; 19] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "net.IP",
    "net.CIDR",
    "kubernetes.Quantity",
    "kubernetes.URL",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
];

pub(crate) struct Compiler<'e> {
    env: &'e mut Env,
    locals: Vec<Box<str>>,
    /// the most locals alive at once
    frame: usize,
    since: u8,
    /// the first local of the innermost `cel.block`
    block: Option<(usize, usize)>,
}

type Result<T> = std::result::Result<T, CompileError>;

impl<'e> Compiler<'e> {
    pub(crate) fn compile(
        env: &'e mut Env,
        source: &str,
        expr: Expr,
        locals: &[&str],
    ) -> Result<Program> {
        let mut c = Self {
            env,
            locals: locals.iter().map(|l| (*l).into()).collect(),
            frame: locals.len(),
            since: functions::FIRST,
            block: None,
        };
        let ir = c.expr(&expr)?;
        let given = u16::try_from(locals.len()).unwrap_or(u16::MAX);
        Ok(Program {
            source: source.into(),
            expr,
            ir,
            frame: c.frame,
            since: c.since,
            given,
            references: OnceLock::new(),
            apart: OnceLock::new(),
        })
    }

    fn need(&mut self, minor: u8) {
        self.since = self.since.max(minor);
    }

    fn key(&mut self, text: &str) -> Key {
        Key {
            text: text.into(),
            symbol: self.env.intern(text),
        }
    }

    fn boxed(&mut self, e: &Expr) -> Result<Box<Ir>> {
        Ok(Box::new(self.expr(e)?))
    }

    fn pair(&mut self, a: &Expr, b: &Expr) -> Result<Box<[Ir; 2]>> {
        Ok(Box::new([self.expr(a)?, self.expr(b)?]))
    }

    fn all(&mut self, es: &[Expr]) -> Result<Box<[Ir]>> {
        es.iter().map(|e| self.expr(e)).collect()
    }

    fn local(&self, name: &str) -> Option<u16> {
        let at = self.locals.iter().rposition(|l| &**l == name)?;
        u16::try_from(at).ok()
    }

    fn push(&mut self, name: &str) -> u16 {
        self.locals.push(name.into());
        self.frame = self.frame.max(self.locals.len());
        u16::try_from(self.locals.len() - 1).unwrap_or(u16::MAX)
    }

    fn expr(&mut self, e: &Expr) -> Result<Ir> {
        let op = match &e.kind {
            ExprKind::Literal(l) => Op::Const(constant(l)),
            ExprKind::Ident(name) => self.ident(name, e.span)?,
            ExprKind::Select {
                operand,
                field,
                optional,
            } => self.select(e, operand, field, *optional)?,
            ExprKind::Has { operand, field } => self.has(operand, field, e.span)?,
            ExprKind::Index {
                operand,
                index,
                optional,
            } => self.index(operand, index, *optional)?,
            ExprKind::Call {
                target,
                function,
                args,
            } => self.call(target.as_deref(), function, args, e.span)?,
            ExprKind::Not(x) => Op::Not(self.boxed(x)?),
            ExprKind::Neg(x) => Op::Neg(self.boxed(x)?),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right)?,
            ExprKind::And(xs) => Op::And(self.all(xs)?),
            ExprKind::Or(xs) => Op::Or(self.all(xs)?),
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => Op::Ternary(Box::new([
                self.expr(condition)?,
                self.expr(then)?,
                self.expr(otherwise)?,
            ])),
            ExprKind::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for i in items {
                    self.need(if i.optional { 28 } else { 0 });
                    out.push((i.optional, self.expr(&i.value)?));
                }
                Op::List(out.into())
            }
            ExprKind::Map(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for x in entries {
                    self.need(if x.optional { 28 } else { 0 });
                    out.push((x.optional, self.expr(&x.key)?, self.expr(&x.value)?));
                }
                Op::Map(out.into())
            }
            ExprKind::Message(name, _) => {
                return Err(CompileError::new(
                    format!("unknown message type `{name}`"),
                    e.span,
                ));
            }
            ExprKind::Macro {
                kind,
                target,
                vars,
                args,
            } => self.macro_call(*kind, target, vars, args)?,
            ExprKind::Bind { name, value, body } => {
                self.need(functions::NEVER);
                let value = self.expr(value)?;
                let at = self.push(name);
                let body = self.boxed(body);
                self.locals.pop();
                Op::Bind(at, Box::new([value]), body?)
            }
        };
        Ok(Ir { op, span: e.span })
    }

    fn ident(&self, name: &str, span: Span) -> Result<Op> {
        if let Some(local) = self.local(name) {
            return Ok(Op::Local(local));
        }
        if let Some(slot) = self.env.resolve(name) {
            return Ok(Op::Var(slot));
        }
        let bare = name.strip_prefix('.').unwrap_or(name);
        if let Some(t) = TYPES.iter().find(|t| **t == bare) {
            return Ok(Op::Const(Const::Type(t)));
        }
        if self.env.has_dotted(bare) && self.env.names().any(|n| starts_dotted(n, bare)) {
            return Err(
                CompileError::new(format!("`{name}` cannot be used as a whole"), span)
                    .with_help(Some(format!("name a member: {}", self.members(bare)))),
            );
        }
        let known = self.env.names().chain(self.locals.iter().map(|l| &**l));
        Err(
            CompileError::new(format!("unknown variable `{name}`"), span)
                .with_help(similar(bare, known)),
        )
    }

    fn members(&self, root: &str) -> String {
        let mut names: Vec<String> = self
            .env
            .names()
            .filter(|n| starts_dotted(n, root))
            .map(|n| format!("`{n}`"))
            .collect();
        names.sort();
        names.truncate(12);
        names.join(", ")
    }

    /// The slot when the selection is a declared dotted name, or the type it names.
    fn dotted(&self, e: &Expr) -> Result<Option<Op>> {
        let mut root = e;
        while let ExprKind::Select { operand, .. } = &root.kind {
            root = operand;
        }
        let Some(name) = root.as_ident() else {
            return Ok(None);
        };
        let bare = name.strip_prefix('.').unwrap_or(name);
        let is_type = matches!(bare, "google" | "net" | "kubernetes");
        if !(self.env.has_dotted(bare) || is_type) || self.local(name).is_some() {
            return Ok(None);
        }
        let Some(full) = qualified_name(e) else {
            return Ok(None);
        };
        if let Some(slot) = self.env.resolve(&full) {
            return Ok(Some(Op::Var(slot)));
        }
        let full = full.strip_prefix('.').unwrap_or(&full);
        if let Some(t) = TYPES.iter().find(|t| **t == full) {
            return Ok(Some(Op::Const(Const::Type(t))));
        }
        let ExprKind::Select { operand, field, .. } = &e.kind else {
            return Ok(None);
        };
        if operand.as_ident().is_some()
            && self.env.resolve(name).is_none()
            && self.env.names().any(|n| starts_dotted(n, bare))
        {
            if self.env.names().any(|n| starts_dotted(n, full)) {
                return Ok(None);
            }
            let known = self.env.names().filter(|n| starts_dotted(n, bare));
            return Err(
                CompileError::new(format!("`{bare}` has no member `{field}`"), e.span).with_help(
                    similar(full, known).or_else(|| Some(format!("it has {}", self.members(bare)))),
                ),
            );
        }
        Ok(None)
    }

    fn select(&mut self, e: &Expr, operand: &Expr, field: &str, optional: bool) -> Result<Op> {
        if optional {
            self.need(28);
            if let Some(slot) = self.member_slot(operand, field) {
                return Ok(Op::OptVar(slot));
            }
            let x = self.boxed(operand)?;
            return Ok(Op::OptField(x, self.key(field)));
        }
        if let Some(op) = self.dotted(e)? {
            return Ok(op);
        }
        let x = self.boxed(operand)?;
        if !is_plain(field) {
            // Kubernetes does not enable backticks.
            self.need(functions::NEVER);
        }
        Ok(Op::Field(x, self.key(field)))
    }

    fn member_slot(&self, operand: &Expr, field: &str) -> Option<Slot> {
        let root = qualified_name(operand)?;
        if self
            .local(root.split('.').next().unwrap_or(&root))
            .is_some()
        {
            return None;
        }
        self.env.resolve(&format!("{root}.{field}"))
    }

    fn has(&mut self, operand: &Expr, field: &str, span: Span) -> Result<Op> {
        if let Some(slot) = self.member_slot(operand, field) {
            return Ok(Op::HasVar(slot));
        }
        if let (Some(root), None) = (
            operand.as_ident(),
            self.local(operand.as_ident().unwrap_or("")),
        ) && self.env.resolve(root).is_none()
            && self.env.has_dotted(root)
        {
            let probe = ExprKind::Select {
                operand: operand.clone().into(),
                field: field.into(),
                optional: false,
            };
            self.dotted(&Expr::new(probe, span))?;
        }
        let x = self.boxed(operand)?;
        Ok(Op::Has(x, self.key(field)))
    }

    fn index(&mut self, operand: &Expr, index: &Expr, optional: bool) -> Result<Op> {
        let x = self.boxed(operand)?;
        if optional {
            self.need(28);
            return Ok(Op::OptIndex(x, self.index_value(index)?));
        }
        if let ExprKind::Literal(Literal::Str(s)) = &index.kind {
            return Ok(Op::IndexKey(x, self.key(s)));
        }
        Ok(Op::Index(x, self.index_value(index)?))
    }

    /// An index; cel-go refuses constants that can be none.
    fn index_value(&mut self, index: &Expr) -> Result<Box<Ir>> {
        let i = self.boxed(index)?;
        let possible = match &i.op {
            Op::Const(c) => matches!(
                c,
                Const::Bool(_) | Const::Int(_) | Const::Uint(_) | Const::Double(_) | Const::Str(_)
            ),
            op => !matches!(op, Op::List(_) | Op::Map(_)),
        };
        if possible {
            return Ok(i);
        }
        Err(CompileError::new(
            "an index is a number, a string or a boolean",
            index.span,
        ))
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Op> {
        if let (BinaryOp::In, ExprKind::List(items)) = (op, &right.kind) {
            let constants: Option<Vec<Const>> = items
                .iter()
                .map(|i| match (&i.value.kind, i.optional) {
                    (ExprKind::Literal(l), false) => Some(constant(l)),
                    _ => None,
                })
                .collect();
            if let Some(c) = constants {
                return Ok(Op::InConsts(self.boxed(left)?, c.into()));
            }
        }
        let pair = self.pair(left, right)?;
        Ok(match op {
            BinaryOp::Eq => Op::Eq(pair),
            BinaryOp::Ne => Op::Ne(pair),
            BinaryOp::In => Op::In(pair),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => Op::Compare(op, pair),
            _ => Op::Arith(op, pair),
        })
    }

    fn macro_call(
        &mut self,
        kind: Macro,
        target: &Expr,
        vars: &[Box<str>],
        args: &[Expr],
    ) -> Result<Op> {
        self.need(match kind {
            Macro::TransformList | Macro::TransformMap | Macro::TransformMapEntry => 32,
            Macro::All | Macro::Exists | Macro::ExistsOne if vars.len() == 2 => 32,
            Macro::OptMap | Macro::OptFlatMap => 28,
            Macro::SortBy => 34,
            _ => 0,
        });
        let target = self.expr(target)?;
        let depth = self.locals.len();
        let mut local = 0;
        for (i, v) in vars.iter().enumerate() {
            let at = self.push(v);
            if i == 0 {
                local = at;
            }
        }
        let args = self.all(args);
        self.locals.truncate(depth);
        Ok(Op::Macro(Box::new(MacroIr {
            kind,
            target,
            local,
            two: vars.len() == 2,
            args: args?,
        })))
    }

    fn call(&mut self, target: Option<&Expr>, name: &str, args: &[Expr], span: Span) -> Result<Op> {
        let Some(target) = target else {
            let bare = name.strip_prefix('.').unwrap_or(name);
            let entry = match functions::find(bare, Form::Global) {
                Some(e) => e,
                None => return Err(unknown_function(bare, Form::Global, span)),
            };
            return self.function(entry, None, args, span);
        };
        if let Some(ns) = qualified_name(target) {
            let root = ns.split('.').next().unwrap_or("");
            if self.local(root).is_none() {
                if ns == "cel"
                    && let Some(op) = self.block(name, args, span)?
                {
                    return Ok(op);
                }
                let full = format!("{}.{name}", ns.strip_prefix('.').unwrap_or(&ns));
                if let Some(entry) = functions::find(&full, Form::Global) {
                    return self.function(entry, None, args, span);
                }
                let is_namespace = functions::names(Form::Global).any(|n| starts_dotted(n, &ns));
                if is_namespace && self.env.resolve(&ns).is_none() {
                    return Err(unknown_function(&full, Form::Global, span));
                }
            }
        }
        match functions::find(name, Form::Member) {
            Some(entry) => self.function(entry, Some(target), args, span),
            None => Err(unknown_function(name, Form::Member, span)),
        }
    }

    /// `cel.block([…], body)` and `cel.index(n)`.
    fn block(&mut self, name: &str, args: &[Expr], span: Span) -> Result<Option<Op>> {
        match (name, args) {
            ("block", [list, body]) => {
                self.need(functions::NEVER);
                let ExprKind::List(items) = &list.kind else {
                    return Err(CompileError::new(
                        "`cel.block()` takes a list literal",
                        span,
                    ));
                };
                let depth = self.locals.len();
                let outer = self.block;
                self.block = Some((depth, 0));
                let mut values = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    // An item sees the ones before it; while it runs, its macros' variables
                    // must not take the places of the ones that are still to come.
                    values.push(self.expr(&item.value)?);
                    self.push("@index");
                    self.block = Some((depth, i + 1));
                }
                let body = self.boxed(body)?;
                self.locals.truncate(depth);
                self.block = outer;
                let at = u16::try_from(depth).unwrap_or(u16::MAX);
                Ok(Some(Op::Bind(at, values.into(), body)))
            }
            ("index", [n]) => match (&n.kind, self.block) {
                (ExprKind::Literal(Literal::Int(i)), Some((first, count))) => {
                    match usize::try_from(*i) {
                        Ok(i) if i < count => Ok(Some(Op::Local(
                            u16::try_from(first + i).unwrap_or(u16::MAX),
                        ))),
                        _ => Err(CompileError::new("the block has no such index", span)),
                    }
                }
                _ => Err(CompileError::new(
                    "`cel.index()` takes a number within `cel.block()`",
                    span,
                )),
            },
            _ => Ok(None),
        }
    }

    fn function(
        &mut self,
        entry: &functions::Entry,
        target: Option<&Expr>,
        args: &[Expr],
        span: Span,
    ) -> Result<Op> {
        let n = args.len();
        let takes = if entry.max == u8::MAX {
            usize::MAX
        } else {
            entry.max as usize
        };
        if n < entry.min as usize || n > takes {
            let wanted = match (entry.min, entry.max) {
                (a, b) if a == b => format!("{a}"),
                (a, u8::MAX) => format!("at least {a}"),
                (a, b) => format!("{a} to {b}"),
            };
            let s = if wanted == "1" { "" } else { "s" };
            return Err(CompileError::new(
                format!("`{}()` takes {wanted} argument{s}, not {n}", entry.name),
                span,
            ));
        }
        self.need(entry.since);
        let regex = matches!(
            entry.func,
            Func::Matches | Func::MatchesGlobal | Func::Find | Func::FindAll
        );
        let mut values: Vec<&Expr> = target.into_iter().chain(args).collect();
        if let (
            true,
            Some(Expr {
                kind: ExprKind::Literal(Literal::Str(p)),
                span,
            }),
        ) = (regex, values.get(1))
        {
            let pattern = Pattern::new(p).map_err(|why| {
                CompileError::new(format!("`{p}` is no regular expression: {why}"), *span)
            })?;
            let limit = match values.get(2) {
                Some(l) => Some(self.boxed(l)?),
                None => None,
            };
            values.truncate(1);
            if let Some(receiver) = values.pop() {
                return Ok(Op::Regex(
                    entry.func,
                    self.boxed(receiver)?,
                    Box::new(pattern),
                    limit,
                ));
            }
        }
        let args = values
            .into_iter()
            .map(|e| self.expr(e))
            .collect::<Result<Box<[Ir]>>>()?;
        fold::conversion(entry.func, args, span)
    }
}

fn constant(l: &Literal) -> Const {
    match l {
        Literal::Null => Const::Null,
        Literal::Bool(b) => Const::Bool(*b),
        Literal::Int(i) => Const::Int(*i),
        Literal::Uint(u) => Const::Uint(*u),
        Literal::Double(d) => Const::Double(*d),
        Literal::Str(s) => Const::Str(s.clone()),
        Literal::Bytes(b) => Const::Bytes(b.clone()),
    }
}

/// Whether a field's name needs no backticks.
fn is_plain(field: &str) -> bool {
    !field.starts_with(|c: char| c.is_ascii_digit())
        && field
            .bytes()
            .all(|b| b == b'_' || b.is_ascii_alphanumeric())
}

fn starts_dotted(name: &str, root: &str) -> bool {
    name.strip_prefix(root)
        .is_some_and(|rest| rest.starts_with('.'))
}

fn unknown_function(name: &str, form: Form, span: Span) -> CompileError {
    let macros = [
        "all",
        "exists",
        "exists_one",
        "map",
        "filter",
        "transformList",
        "transformMap",
        "optMap",
        "optFlatMap",
        "sortBy",
    ];
    let help = if form == Form::Member && macros.contains(&name) {
        Some(format!("`{name}` declares a variable: `list.{name}(x, …)`"))
    } else {
        let other = if form == Form::Member {
            Form::Global
        } else {
            Form::Member
        };
        if functions::find(name, other).is_some() {
            Some(match form {
                Form::Member => format!("write `{name}(x)`"),
                Form::Global => format!("write `x.{name}()`"),
            })
        } else {
            similar(
                name,
                functions::names(form).chain(macros.into_iter().filter(|_| form == Form::Member)),
            )
        }
    };
    CompileError::new(format!("unknown function `{name}()`"), span).with_help(help)
}
