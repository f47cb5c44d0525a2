//! Which calls are macros. A call with a macro's name and number of arguments is that macro;
//! its variables must then be plain names, as in cel-go.

use super::{Parsed, Parser};
use crate::CompileError;
use crate::ast::{Expr, ExprKind, Literal, Macro};

/// The macro of this name with this number of arguments, and how many variables it declares.
fn receiver_macro(name: &str, args: usize) -> Option<(Macro, usize)> {
    Some(match (name, args) {
        ("all", 2) => (Macro::All, 1),
        ("all", 3) => (Macro::All, 2),
        ("exists", 2) => (Macro::Exists, 1),
        ("exists", 3) => (Macro::Exists, 2),
        ("exists_one" | "existsOne", 2) => (Macro::ExistsOne, 1),
        ("exists_one" | "existsOne", 3) => (Macro::ExistsOne, 2),
        ("map", 2 | 3) => (Macro::Map, 1),
        ("filter", 2) => (Macro::Filter, 1),
        ("transformList", 3 | 4) => (Macro::TransformList, 2),
        ("transformMap", 3 | 4) => (Macro::TransformMap, 2),
        ("transformMapEntry", 3 | 4) => (Macro::TransformMapEntry, 2),
        ("optMap", 2) => (Macro::OptMap, 1),
        ("optFlatMap", 2) => (Macro::OptFlatMap, 1),
        ("sortBy", 2) => (Macro::SortBy, 1),
        _ => return None,
    })
}

fn variable(e: &Expr) -> Result<Box<str>, CompileError> {
    match e.as_ident() {
        Some(name) if !name.starts_with('.') => Ok(name.into()),
        _ => Err(CompileError::new(
            "a macro's variable must be a simple name",
            e.span,
        )),
    }
}

impl Parser<'_> {
    /// `name(args)`
    pub(super) fn global_call(
        &mut self,
        name: Box<str>,
        mut args: Vec<Expr>,
        start: u32,
        height: u16,
    ) -> Parsed {
        let bare = name.strip_prefix('.').unwrap_or(&name);
        if bare == "has"
            && args.len() == 1
            && let Some(arg) = args.pop()
        {
            let span = arg.span;
            if let ExprKind::Select {
                operand,
                field,
                optional: false,
            } = arg.kind
            {
                return self.node(ExprKind::Has { operand, field }, start, height);
            }
            return Err(CompileError::new("`has()` takes a field selection", span)
                .with_help(Some("write `has(object.field)`".into())));
        }
        let kind = ExprKind::Call {
            target: None,
            function: name,
            args,
        };
        self.node(kind, start, height)
    }

    /// `target.name(args)`
    pub(super) fn member_call(
        &mut self,
        target: Expr,
        name: Box<str>,
        args: Vec<Expr>,
        start: u32,
        height: u16,
    ) -> Parsed {
        if target.as_ident() == Some("cel") {
            return self.cel_call(target, name, args, start, height);
        }
        if let Some((kind, count)) = receiver_macro(&name, args.len()) {
            if kind == Macro::SortBy
                && matches!(target.kind, ExprKind::Literal(_) | ExprKind::Map(_))
            {
                return Err(CompileError::new("`sortBy()` sorts lists", target.span));
            }
            let mut rest = args;
            let bodies = rest.split_off(count);
            let vars = rest.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
            if let [a, b] = vars.as_slice()
                && a == b
            {
                return Err(CompileError::new(
                    format!("both variables are named `{a}`"),
                    self.since(start),
                ));
            }
            let kind = ExprKind::Macro {
                kind,
                target: target.into(),
                vars,
                args: bodies,
            };
            return self.node(kind, start, height);
        }
        let kind = ExprKind::Call {
            target: Some(target.into()),
            function: name,
            args,
        };
        self.node(kind, start, height)
    }

    /// `cel.bind(…)` and what the optimisers of other implementations write: `cel.block(…)`,
    /// `cel.index(n)`, `cel.iterVar(n, m)`, `cel.accuVar(n, m)`.
    fn cel_call(
        &mut self,
        target: Expr,
        name: Box<str>,
        mut args: Vec<Expr>,
        start: u32,
        height: u16,
    ) -> Parsed {
        if &*name == "bind"
            && args.len() == 3
            && let (Some(body), Some(value), Some(var)) = (args.pop(), args.pop(), args.pop())
        {
            let name = variable(&var)?;
            let kind = ExprKind::Bind {
                name,
                value: value.into(),
                body: body.into(),
            };
            return self.node(kind, start, height);
        }
        if let ("iterVar" | "accuVar", [a, b]) = (&*name, args.as_slice())
            && let (ExprKind::Literal(Literal::Int(n)), ExprKind::Literal(Literal::Int(m))) =
                (&a.kind, &b.kind)
        {
            let prefix = if &*name == "iterVar" { "@it" } else { "@ac" };
            let kind = ExprKind::Ident(format!("{prefix}:{n}:{m}").into());
            return self.node(kind, start, 0);
        }
        let kind = ExprKind::Call {
            target: Some(target.into()),
            function: name,
            args,
        };
        self.node(kind, start, height)
    }
}
