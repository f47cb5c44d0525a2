//! Macros over lists and maps: by functions of sets where they say it, else as a step that goes over the elements.

use cel::ast::{BinaryOp, Expr, ExprKind, Literal, Macro};

use super::super::cond::{Cond, Truth};
use super::super::value::{self, Term, Type, Value};
use super::{Said, Translator, constants, refuse};

impl Translator<'_> {
    pub(super) fn over(
        &mut self,
        kind: Macro,
        target: &Expr,
        vars: &[Box<str>],
        args: &[Expr],
    ) -> Said<Term> {
        let ([var], [body]) = (vars, args) else {
            return refuse(format!(
                "`{}` with several variables",
                kind.name(vars.len())
            ));
        };
        if let (Macro::Exists | Macro::All, ExprKind::List(elements)) = (kind, &target.kind) {
            let mut truths = Vec::new();
            for element in elements {
                let term = self.term(&element.value)?;
                truths.push(self.with(var, term, |own| own.truth(body))?);
            }
            return Ok(Term::Truth(if kind == Macro::All {
                Truth::all(truths)
            } else {
                Truth::any(truths)
            }));
        }
        let target = self.value(target)?;
        if !matches!(target.kind, Type::List | Type::Map) {
            return refuse("a macro over what is no list");
        }
        match kind {
            Macro::Exists => match simple(var, body) {
                Some(simple) => Ok(Term::Truth(exists_simply(&target, &simple))),
                None => self.loops(&target, var, body).map(Term::Truth),
            },
            Macro::All => {
                let negated = Expr::new(ExprKind::Not(body.clone().into()), body.span);
                Ok(Term::Truth(self.loops(&target, var, &negated)?.negated()))
            }
            Macro::Map => self.mapped(&target, var, body).map(Term::Value),
            other => refuse(format!("`{}` has no form in Kusto yet", other.name(1))),
        }
    }

    fn with<T>(&mut self, name: &str, term: Term, f: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push((name.into(), term));
        let out = f(self);
        self.locals.pop();
        out
    }

    /// A loop's element, and what it goes over.
    fn element(&mut self, target: &Value, var: &str) -> (String, String, Value) {
        let mut letters = var.chars();
        let first = letters.next().unwrap_or('x').to_ascii_uppercase();
        let column = self.fresh(&format!("{first}{}", letters.as_str()));
        let items = if target.kind == Type::Map {
            format!("bag_keys({})", target.text)
        } else {
            target.text.clone()
        };
        // `mv-apply` over nothing gives no row; one null stands for no element.
        let over = format!("iff(array_length({items}) > 0, {items}, dynamic([null]))");
        let element = Value {
            open: target.open,
            ..Value::new(column.clone(), Type::Json)
        };
        (column, over, element)
    }

    /// `list.exists(x, body)` where no function of Kusto says it.
    fn loops(&mut self, target: &Value, var: &str, body: &Expr) -> Said<Truth> {
        let (column, over, element) = self.element(target, var);
        self.steps.push(Vec::new());
        let said = self.with(var, Term::Value(element), |own| own.truth(body));
        let before = self.steps.pop().unwrap_or_default();
        let said = said?;
        let there = Cond::is(format!("isnotnull({column})"));
        let (any, open) = (self.fresh("Any"), self.fresh("Open"));
        let holds = Cond::all([there.clone(), said.holds.clone()]);
        let mut aggregates = format!("{any} = countif({holds}) > 0");
        let known = said.is_known();
        if !known {
            let undecided = Cond::all([there, said.fails.negated()]);
            aggregates.push_str(&format!(", {open} = countif({undecided}) > 0"));
        }
        let mut inner: Vec<String> = before.iter().map(|step| indented(step)).collect();
        inner.push(format!("summarize {aggregates}"));
        self.step(format!(
            "mv-apply {column} = {over} on (\n    {}\n)",
            inner.join("\n    | ")
        ));
        let holds = Cond::all([target.known.clone(), Cond::is(any.clone())]);
        let none = if known {
            Cond::is(any).negated()
        } else {
            Cond::is(open).negated()
        };
        let fails = Cond::all([target.whole(), none]);
        if target.known == Cond::Always && !target.open && known {
            return Ok(Truth::known(holds));
        }
        Ok(Truth { holds, fails })
    }

    /// `list.map(x, text)`, in the order of the list.
    fn mapped(&mut self, target: &Value, var: &str, body: &Expr) -> Said<Value> {
        let (column, over, element) = self.element(target, var);
        self.steps.push(Vec::new());
        let said = self.with(var, Term::Value(element), |own| own.text(body));
        let before = self.steps.pop().unwrap_or_default();
        let (text, known) = said?;
        let made = self.fresh("List");
        let (at, open) = (format!("At{made}"), format!("Open{made}"));
        let mut inner: Vec<String> = before.iter().map(|step| indented(step)).collect();
        inner.push(format!("where isnotnull({column})"));
        inner.push(format!("sort by {at} asc"));
        inner.push(format!(
            "summarize {made} = make_list({text}), {open} = countif({}) > 0",
            known.negated()
        ));
        self.step(format!(
            "mv-apply with_itemindex={at} {column} = {over} on (\n    {}\n)",
            inner.join("\n    | ")
        ));
        let mut list = Value::new(made, Type::List);
        list.known = Cond::all([target.whole(), Cond::is(open).negated()]);
        Ok(list)
    }
}

fn indented(step: &str) -> String {
    step.replace('\n', "\n    ")
}

/// A body of a macro that asks whether an element is one of some texts, or is not one.
struct Simple {
    among: Vec<String>,
    is: bool,
}

fn simple(var: &str, body: &Expr) -> Option<Simple> {
    let ExprKind::Binary { op, left, right } = &body.kind else {
        return None;
    };
    if left.as_ident() != Some(var) {
        return None;
    }
    let text = |literal: &Literal| match literal {
        Literal::Str(text) => Some(text.to_string()),
        _ => None,
    };
    match (op, &right.kind) {
        (BinaryOp::In, ExprKind::List(elements)) => Some(Simple {
            among: constants(elements, text)?,
            is: true,
        }),
        (BinaryOp::Eq | BinaryOp::Ne, ExprKind::Literal(literal)) => Some(Simple {
            among: vec![text(literal)?],
            is: *op == BinaryOp::Eq,
        }),
        _ => None,
    }
}

/// Whether a list has one of some texts, or one that is none of them, by the functions of sets.
fn exists_simply(target: &Value, simple: &Simple) -> Truth {
    let among = value::json_list(simple.among.iter().map(String::as_str));
    let holds = if target.kind == Type::Map && simple.is {
        // A key whose value is null is one that a patch takes away.
        Cond::any(
            simple
                .among
                .iter()
                .map(|key| Cond::is(format!("isnotnull({})", target.field(key)))),
        )
    } else {
        let items = if target.kind == Type::Map {
            format!("coalesce(bag_keys({}), dynamic([]))", target.text)
        } else {
            target.listed()
        };
        let function = if simple.is {
            "set_intersect"
        } else {
            "set_difference"
        };
        Cond::is(format!("array_length({function}({items}, {among})) > 0"))
    };
    if target.known == Cond::Always && !target.open {
        return Truth::known(holds);
    }
    Truth {
        fails: Cond::all([target.whole(), holds.clone().negated()]),
        holds: Cond::all([target.known.clone(), holds]),
    }
}
