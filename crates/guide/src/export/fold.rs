//! Rewrites an expression of the guide into one that an API server knows: what seawall adds
//! becomes constants, and what is then constant disappears.
//!
//! It folds only what constants of the version and of the configuration leave behind. It is no
//! optimiser.

use cel::ast::{BinaryOp, Element, Entry, Expr, ExprKind, Literal, Macro};
use cel::{Node as _, Span, View};
use model::Ref;

use super::settings;

/// What stands for the variables that no API server has.
#[derive(Clone, Copy)]
pub(crate) struct Constants<'a> {
    /// For `facts.kubernetes.minor`.
    pub(crate) minor: u8,
    /// For `params`: a map.
    pub(crate) params: Ref<'a>,
    /// Whether what a ConfigMap can say is read from there, and not put in.
    pub(crate) live: bool,
    /// Whether an Azure resource is judged.
    pub(crate) resource: bool,
}

/// The expression with constants put in and folded away.
///
/// # Errors
/// Says what no API server knows.
pub(crate) fn rewrite(expr: &Expr, constants: Constants<'_>) -> Result<Expr, String> {
    let mut expr = expr.clone();
    replace(&mut expr, constants)?;
    Ok(expr)
}

/// A string constant.
pub(crate) fn text(value: &str) -> Expr {
    new(ExprKind::Literal(Literal::Str(value.into())))
}

/// A name.
pub(crate) fn ident(name: &str) -> Expr {
    new(ExprKind::Ident(name.into()))
}

/// `operand.field`
pub(crate) fn select(operand: Expr, field: &str) -> Expr {
    new(ExprKind::Select {
        operand: operand.into(),
        field: field.into(),
        optional: false,
    })
}

/// `target.function(args)`
pub(crate) fn call(target: Expr, function: &str, args: Vec<Expr>) -> Expr {
    new(ExprKind::Call {
        target: Some(target.into()),
        function: function.into(),
        args,
    })
}

/// `target.kind(variable, body)`
pub(crate) fn over(kind: Macro, target: Expr, variable: &str, body: Expr) -> Expr {
    new(ExprKind::Macro {
        kind,
        target: target.into(),
        vars: vec![variable.into()],
        args: vec![body],
    })
}

/// `!x`, folded.
pub(crate) fn not(x: Expr) -> Expr {
    match x.kind {
        ExprKind::Literal(Literal::Bool(value)) => boolean(!value),
        ExprKind::Not(inner) => *inner,
        _ => new(ExprKind::Not(x.into())),
    }
}

/// `a || b`, folded.
pub(crate) fn either(a: Expr, b: Expr) -> Expr {
    let mut expr = new(ExprKind::Or(vec![a, b]));
    fold(&mut expr);
    expr
}

/// The value of an expression that is `true` or `false` whatever is judged.
pub(crate) fn constant(expr: &Expr) -> Option<bool> {
    match expr.kind {
        ExprKind::Literal(Literal::Bool(value)) => Some(value),
        _ => None,
    }
}

/// Whether it gives a string, as far as can be told without types.
pub(crate) fn is_text(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Literal::Str(_)) => true,
        ExprKind::Binary {
            op: BinaryOp::Add,
            left,
            right,
        } => is_text(left) || is_text(right),
        ExprKind::Ternary {
            then, otherwise, ..
        } => is_text(then) && is_text(otherwise),
        ExprKind::Call {
            target: Some(_),
            function,
            ..
        } => [
            "join",
            "lowerAscii",
            "upperAscii",
            "replace",
            "substring",
            "trim",
        ]
        .contains(&&**function),
        ExprKind::Call {
            target: None,
            function,
            ..
        } => &**function == "string",
        _ => false,
    }
}

/// The same as what is a truth value by its type too: Kyverno takes no other (`IsExactType` in
/// `pkg/cel/compiler/compiler.go` of kyverno 1.19).
pub(crate) fn truth(expr: Expr) -> Expr {
    if is_truth(&expr) {
        return expr;
    }
    new(ExprKind::Binary {
        op: BinaryOp::Eq,
        left: expr.into(),
        right: boolean(true).into(),
    })
}

/// Whether it gives a truth value, as far as can be told without types.
fn is_truth(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Literal::Bool(_))
        | ExprKind::Has { .. }
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_) => true,
        ExprKind::Binary { op, .. } => matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::Ne
                | BinaryOp::Lt
                | BinaryOp::Le
                | BinaryOp::Gt
                | BinaryOp::Ge
                | BinaryOp::In
        ),
        ExprKind::Macro { kind, .. } => {
            matches!(kind, Macro::All | Macro::Exists | Macro::ExistsOne)
        }
        ExprKind::Ternary {
            then, otherwise, ..
        } => is_truth(then) && is_truth(otherwise),
        ExprKind::Call {
            target: Some(_),
            function,
            ..
        } => ["contains", "endsWith", "matches", "startsWith"].contains(&&**function),
        ExprKind::Bind { body, .. } => is_truth(body),
        _ => false,
    }
}

fn new(kind: ExprKind) -> Expr {
    Expr::new(kind, Span { start: 0, end: 0 })
}

fn boolean(value: bool) -> Expr {
    new(ExprKind::Literal(Literal::Bool(value)))
}

fn int(value: i64) -> Expr {
    new(ExprKind::Literal(Literal::Int(value)))
}

fn replace(expr: &mut Expr, constants: Constants<'_>) -> Result<(), String> {
    if let Some(constant) = lookup(expr, constants)? {
        *expr = constant;
        return Ok(());
    }
    let mut failed = None;
    expr.children_mut(&mut |child| {
        if failed.is_none() {
            failed = replace(child, constants).err();
        }
    });
    if let Some(reason) = failed {
        return Err(reason);
    }
    respell(expr)?;
    fold(expr);
    Ok(())
}

/// The constant behind `params.KEY` or `facts.kubernetes.minor`.
fn lookup(expr: &Expr, constants: Constants<'_>) -> Result<Option<Expr>, String> {
    match &expr.kind {
        ExprKind::Select {
            operand,
            field,
            optional: false,
        } => match (operand.as_ident(), &operand.kind) {
            (Some("params"), _) => match constants.params.get(field) {
                Some(value) if constants.live && settings::is_live(value) => {
                    Ok(Some(select(ident("variables"), &settings::variable(field))))
                }
                Some(value) => literal(value).map(Some),
                None => Err(format!("`{field}` is not set in seawall.yaml")),
            },
            (
                _,
                ExprKind::Select {
                    operand: root,
                    field: middle,
                    optional: false,
                },
            ) if root.as_ident() == Some("facts")
                && &**middle == "kubernetes"
                && &**field == "minor" =>
            {
                Ok(Some(int(i64::from(constants.minor))))
            }
            _ => Ok(None),
        },
        ExprKind::Ident(name) if constants.resource && &**name == "resource" => Ok(None),
        ExprKind::Ident(name) if ["params", "facts", "resource", "links"].contains(&&**name) => {
            Err(format!(
                "it reads `{name}`, which an API server does not have"
            ))
        }
        _ => Ok(None),
    }
}

/// A value of the configuration as CEL.
pub(crate) fn literal(value: Ref<'_>) -> Result<Expr, String> {
    Ok(new(match value.view() {
        View::Null => ExprKind::Literal(Literal::Null),
        View::Bool(value) => ExprKind::Literal(Literal::Bool(value)),
        View::Int(value) => ExprKind::Literal(Literal::Int(value)),
        View::Uint(value) => ExprKind::Literal(Literal::Uint(value)),
        View::Double(value) => ExprKind::Literal(Literal::Double(value)),
        View::Str(value) => ExprKind::Literal(Literal::Str(value.into())),
        View::List(_) => {
            let items = value.items().map(literal).collect::<Result<Vec<_>, _>>()?;
            let items = alike(items).into_iter().map(|value| Element {
                optional: false,
                value,
            });
            ExprKind::List(items.collect())
        }
        View::Map(_) => {
            let values = value
                .entries()
                .map(|(_, _, value)| literal(value))
                .collect::<Result<Vec<_>, _>>()?;
            let keys = value.entries().map(|(key, _, _)| text(key));
            let entries = keys.zip(alike(values)).map(|(key, value)| Entry {
                optional: false,
                key,
                value,
            });
            ExprKind::Map(entries.collect())
        }
        View::Unknown(_) => return Err("a value in seawall.yaml is not known".to_owned()),
    }))
}

/// Kubernetes refuses literals that mix types (cel-go's `ValidateHomogeneousAggregateLiterals`),
/// unless the values are `dyn`.
fn alike(values: Vec<Expr>) -> Vec<Expr> {
    let kind = |value: &Expr| match &value.kind {
        ExprKind::Literal(literal) => Some(std::mem::discriminant(literal)),
        _ => None,
    };
    let scalars = values.windows(2).all(|pair| match pair {
        [a, b] => kind(a).is_some() && kind(a) == kind(b),
        _ => true,
    });
    if values.len() < 2 || scalars {
        return values;
    }
    let dynamic = |value| {
        new(ExprKind::Call {
            target: None,
            function: "dyn".into(),
            args: vec![value],
        })
    };
    values.into_iter().map(dynamic).collect()
}

/// Whether a field can be written behind a dot in every version of Kubernetes.
fn is_plain(field: &str) -> bool {
    let letters = field.bytes().enumerate().all(|(at, byte)| {
        byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit())
    });
    letters && !["", "in", "true", "false", "null"].contains(&field)
}

/// What an API server spells differently: fields in backticks, `cel.bind`.
fn respell(expr: &mut Expr) -> Result<(), String> {
    let kind = std::mem::replace(&mut expr.kind, ExprKind::Literal(Literal::Null));
    expr.kind = match kind {
        ExprKind::Select {
            operand,
            field,
            optional,
        } if !is_plain(&field) => ExprKind::Index {
            operand,
            index: text(&field).into(),
            optional,
        },
        ExprKind::Has { operand, field } if !is_plain(&field) => ExprKind::Binary {
            op: BinaryOp::In,
            left: text(&field).into(),
            right: operand,
        },
        ExprKind::Bind { name, value, body } => {
            let one = new(ExprKind::List(vec![Element {
                optional: false,
                value: *value,
            }]));
            let target = over(Macro::Map, one, &name, *body);
            ExprKind::Index {
                operand: target.into(),
                index: int(0).into(),
                optional: false,
            }
        }
        ExprKind::Call {
            target: Some(target),
            function,
            mut args,
        } if &*function == "orValue" && args.len() == 1 && may_be_null(&target) => {
            let null = new(ExprKind::Literal(Literal::Null));
            let any = new(ExprKind::Call {
                target: None,
                function: "dyn".into(),
                args: vec![null.clone()],
            });
            let missing = ExprKind::Binary {
                op: BinaryOp::Eq,
                left: call((*target).clone(), "orValue", vec![any]).into(),
                right: null.into(),
            };
            ExprKind::Ternary {
                condition: new(missing).into(),
                then: args
                    .pop()
                    .unwrap_or_else(|| new(ExprKind::Literal(Literal::Null)))
                    .into(),
                otherwise: present(*target).into(),
            }
        }
        ExprKind::Message(name, _) => return Err(format!("it makes a message of type `{name}`")),
        other => other,
    };
    Ok(())
}

/// Fields that the API server shows to admission as `null` when they are absent, and that it
/// accepts so: Go's encoder writes them without `omitempty` (`Rules` of `ClusterRole` and `Role`
/// in `k8s.io/api/rbac/v1`, `Sources` of `ProjectedVolumeSource` in `k8s.io/api/core/v1`).
const NULL_WHEN_ABSENT: [&str; 2] = ["rules", "sources"];

/// Whether it is `x.?field` of such a field.
fn may_be_null(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Select { field, optional: true, .. } if NULL_WHEN_ABSENT.contains(&&**field))
}

/// `a.?b.?c` as `a.b.c`, where it is known to be there.
fn present(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::Select {
            operand,
            field,
            optional: true,
        } => select(present(*operand), &field),
        kind => Expr::new(kind, expr.span),
    }
}

/// Folds the root; its parts are folded already.
fn fold(expr: &mut Expr) {
    let folded = match &mut expr.kind {
        ExprKind::Not(x) => constant(x).map(|value| boolean(!value)),
        ExprKind::And(parts) => fold_chain(parts, true),
        ExprKind::Or(parts) => fold_chain(parts, false),
        ExprKind::Ternary {
            condition,
            then,
            otherwise,
        } => constant(condition).map(|value| {
            let chosen = if value { then } else { otherwise };
            std::mem::replace(&mut **chosen, boolean(false))
        }),
        ExprKind::Binary { op, left, right } => fold_binary(*op, left, right),
        ExprKind::Call {
            target: Some(x),
            function,
            args,
        } if &**function == "size" && args.is_empty() => size(x),
        ExprKind::Call {
            target: None,
            function,
            args,
        } if &**function == "size" => args.first().and_then(size),
        ExprKind::Macro { kind, target, .. }
            if size(target).is_some_and(|size| size.kind == int(0).kind) =>
        {
            match kind {
                Macro::All => Some(boolean(true)),
                Macro::Exists | Macro::ExistsOne => Some(boolean(false)),
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(folded) = folded {
        *expr = folded;
    }
}

/// `&&` (neutral: true) and `||` (neutral: false). One side that decides decides, whatever the
/// others are, errors included.
fn fold_chain(parts: &mut Vec<Expr>, neutral: bool) -> Option<Expr> {
    let mut flat = Vec::with_capacity(parts.len());
    for part in std::mem::take(parts) {
        match part.kind {
            ExprKind::And(inner) if neutral => flat.extend(inner),
            ExprKind::Or(inner) if !neutral => flat.extend(inner),
            kind => flat.push(Expr::new(kind, part.span)),
        }
    }
    if flat.iter().any(|part| constant(part) == Some(!neutral)) {
        return Some(boolean(!neutral));
    }
    flat.retain(|part| constant(part).is_none());
    *parts = flat;
    match parts.len() {
        0 => Some(boolean(neutral)),
        1 => parts.pop(),
        _ => None,
    }
}

fn fold_binary(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Expr> {
    if let (BinaryOp::In, ExprKind::List(items)) = (op, &right.kind) {
        return items.is_empty().then(|| boolean(false));
    }
    let (ExprKind::Literal(left), ExprKind::Literal(right)) = (&left.kind, &right.kind) else {
        return None;
    };
    let order = match (left, right) {
        (Literal::Int(a), Literal::Int(b)) => match op {
            BinaryOp::Add => return a.checked_add(*b).map(int),
            BinaryOp::Sub => return a.checked_sub(*b).map(int),
            _ => a.cmp(b),
        },
        (Literal::Str(a), Literal::Str(b)) => match op {
            BinaryOp::Add => return Some(text(&format!("{a}{b}"))),
            _ => a.cmp(b),
        },
        (Literal::Bool(a), Literal::Bool(b)) => a.cmp(b),
        _ => return None,
    };
    Some(boolean(match op {
        BinaryOp::Eq => order.is_eq(),
        BinaryOp::Ne => order.is_ne(),
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        BinaryOp::Ge => order.is_ge(),
        _ => return None,
    }))
}

/// The size of a list or map that is written out.
fn size(expr: &Expr) -> Option<Expr> {
    let count = match &expr.kind {
        ExprKind::List(items) if items.iter().all(|item| !item.optional) => items.len(),
        ExprKind::Map(entries) if entries.iter().all(|entry| !entry.optional) => entries.len(),
        _ => return None,
    };
    i64::try_from(count).ok().map(int)
}
