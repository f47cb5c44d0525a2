//! What a guideline asks of an Azure resource as conditions on fields, where no built-in definition
//! asks for it.
//!
//! A condition of Azure Policy compares one field with constants. What compares two fields, counts,
//! or reads other resources has no such form; nor has a property whose name in Azure Policy (its
//! alias) is not known, or that has a default which nobody writes down.

use std::collections::BTreeMap;

use cel::ast::{BinaryOp, Expr, ExprKind, Literal, Macro};
use model::Ref;
use serde_json::{Value, json};

use super::fold::{self, Constants};
use crate::catalogue::Guide;
use crate::front_matter;
use crate::guideline::{Applies, Guideline};
use crate::judge::Setting;

/// Properties of every resource: <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule#fields>
const FIELDS: [&str; 6] = ["name", "type", "location", "kind", "id", "identity.type"];

/// How deep conditions may be.
const DEPTH: usize = 32;

/// `policyRule.if` for what does not follow a guideline.
///
/// # Errors
/// Says what conditions cannot express.
pub(crate) fn condition(
    guide: &Guide,
    guideline: &Guideline,
    setting: &Setting,
) -> Result<Value, String> {
    let Applies::Kinds(kinds) = &guideline.applies else {
        return Err(cannot("it judges the estate as a whole"));
    };
    let types: Vec<&str> = kinds.iter().map(|kind| &**kind).collect();
    let [kind] = types.as_slice() else {
        return Err(cannot("it is about several types of resources"));
    };
    if !kind.contains('/') {
        return Err(cannot("it is about no type of resources"));
    }
    if guideline.each.is_some() {
        return Err(cannot("it judges items of a resource"));
    }
    let constants = Constants {
        minor: setting.kubernetes_minor,
        params: setting.params.root(),
        live: false,
        resource: true,
    };
    let translator = Translator {
        kind,
        aliases: aliases(guide),
    };
    let mut all = vec![json!({"field": "type", "equals": kind})];
    if let Some(when) = &guideline.when {
        let when = fold::rewrite(when.expr(), constants)?;
        all.push(translator.condition(&when, true, 0)?);
    }
    let mut any = Vec::new();
    for check in &guideline.checks {
        let check = fold::rewrite(check.program.expr(), constants)?;
        any.push(translator.condition(&check, false, 0)?);
    }
    all.push(joined("anyOf", any));
    Ok(json!({"allOf": all}))
}

fn cannot(why: &str) -> String {
    format!("no built-in definition asks for it, and {why}")
}

/// Names as they are written, by name in small letters.
fn aliases(guide: &Guide) -> BTreeMap<String, String> {
    let doc = guide
        .data
        .get("azure-policy-aliases.yaml")
        .and_then(|text| front_matter::read(text, 1).ok());
    let Some(doc) = doc else {
        return BTreeMap::new();
    };
    let names = doc.root().get("aliases").into_iter().flat_map(Ref::items);
    names
        .filter_map(Ref::as_str)
        .map(|name| (name.to_ascii_lowercase(), name.to_owned()))
        .collect()
}

struct Translator<'k> {
    kind: &'k str,
    aliases: BTreeMap<String, String>,
}

/// A value of the resource.
struct Field {
    name: String,
    /// What counts when it is not there.
    default: Option<Literal>,
}

impl Translator<'_> {
    /// A condition that holds when the expression is what is wanted.
    fn condition(&self, expr: &Expr, wanted: bool, depth: usize) -> Result<Value, String> {
        if depth > DEPTH {
            return Err(cannot("it is too deep"));
        }
        let all = |parts: &[Expr], every: bool| -> Result<Value, String> {
            let parts = parts
                .iter()
                .map(|part| self.condition(part, wanted, depth + 1));
            let word = if every == wanted { "allOf" } else { "anyOf" };
            Ok(joined(word, parts.collect::<Result<Vec<_>, _>>()?))
        };
        match &expr.kind {
            ExprKind::Literal(Literal::Bool(value)) => {
                Ok(json!({"value": value, "equals": wanted}))
            }
            ExprKind::Not(x) => self.condition(x, !wanted, depth + 1),
            ExprKind::And(parts) => all(parts, true),
            ExprKind::Or(parts) => all(parts, false),
            ExprKind::Macro {
                kind: kind @ (Macro::All | Macro::Exists),
                target,
                vars,
                args,
            } => {
                let (ExprKind::List(items), [name], [body]) =
                    (&target.kind, vars.as_slice(), args.as_slice())
                else {
                    return Err(cannot("it goes through a list of the resource"));
                };
                let parts: Vec<Expr> = items
                    .iter()
                    .map(|item| replaced(body, name, &item.value, 0))
                    .collect();
                all(&parts, *kind == Macro::All)
            }
            ExprKind::Binary { op, left, right } => self.comparison(*op, left, right, wanted),
            ExprKind::Has { operand, field } => {
                let way = fold::select((**operand).clone(), field);
                let field = self.field(&way)?;
                Ok(json!({"field": field.name, "exists": wanted}))
            }
            _ => {
                let field = self.field(expr)?;
                compared(
                    &field,
                    "equals",
                    "notEquals",
                    &json!(true),
                    wanted,
                    |value| value == &Literal::Bool(true),
                )
            }
        }
    }

    fn comparison(
        &self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        wanted: bool,
    ) -> Result<Value, String> {
        match (op, &right.kind) {
            (BinaryOp::Eq, ExprKind::Literal(value)) => {
                let field = self.field(left)?;
                let plain = constant(value)?;
                if value == &Literal::Str("".into()) {
                    // Nothing is an empty text to Azure Policy.
                    return Ok(if wanted == (field.default.as_ref() == Some(value)) {
                        json!({"field": field.name, "equals": ""})
                    } else {
                        json!({"field": field.name, "notEquals": ""})
                    });
                }
                compared(&field, "equals", "notEquals", &plain, wanted, |default| {
                    default == value
                })
            }
            (BinaryOp::Ne, ExprKind::Literal(_)) => {
                self.comparison(BinaryOp::Eq, left, right, !wanted)
            }
            (BinaryOp::In, ExprKind::List(items)) => {
                let field = self.field(left)?;
                let values: Option<Vec<&Literal>> = items
                    .iter()
                    .map(|item| match &item.value.kind {
                        ExprKind::Literal(value) => Some(value),
                        _ => None,
                    })
                    .collect();
                let values =
                    values.ok_or_else(|| cannot("it compares with what is no constant"))?;
                let plain: Vec<Value> = values
                    .iter()
                    .map(|value| constant(value))
                    .collect::<Result<_, _>>()?;
                compared(&field, "in", "notIn", &json!(plain), wanted, |default| {
                    values.contains(&default)
                })
            }
            _ => Err(cannot("it does more than to compare with constants")),
        }
    }

    /// The field behind `resource.properties.a.?b.orValue(c).lowerAscii()`: Azure Policy compares
    /// without regard to case.
    fn field(&self, expr: &Expr) -> Result<Field, String> {
        let mut expr = expr;
        let mut default = None;
        let mut keys: Vec<&str> = Vec::new();
        loop {
            match &expr.kind {
                ExprKind::Call {
                    target: Some(target),
                    function,
                    args,
                } if &**function == "lowerAscii" && args.is_empty() => expr = target,
                ExprKind::Call {
                    target: Some(target),
                    function,
                    args,
                } if &**function == "orValue" && keys.is_empty() => {
                    let [
                        Expr {
                            kind: ExprKind::Literal(value),
                            ..
                        },
                    ] = args.as_slice()
                    else {
                        return Err(cannot("a default of it is no constant"));
                    };
                    default = Some(value.clone());
                    expr = target;
                }
                ExprKind::Select { operand, field, .. } => {
                    keys.push(field);
                    expr = operand;
                }
                ExprKind::Index { operand, index, .. } => match &index.kind {
                    ExprKind::Literal(Literal::Str(key)) => {
                        keys.push(key);
                        expr = operand;
                    }
                    _ => return Err(cannot("it looks up what is no constant")),
                },
                ExprKind::Ident(name) if &**name == "resource" => break,
                _ => return Err(cannot("it does more than to compare fields with constants")),
            }
        }
        keys.reverse();
        Ok(Field {
            name: self.name(&keys)?,
            default,
        })
    }

    fn name(&self, keys: &[&str]) -> Result<String, String> {
        if let ["tags", key] = keys {
            return Ok(format!("tags['{key}']"));
        }
        let way = keys.join(".");
        if FIELDS.contains(&way.as_str()) {
            return Ok(way);
        }
        let below = keys.strip_prefix(&["properties"]).unwrap_or(keys).join(".");
        let alias = format!("{}/{below}", self.kind);
        self.aliases
            .get(&alias.to_ascii_lowercase())
            .cloned()
            .ok_or_else(|| cannot(&format!("Azure Policy is not known to read `{below}`")))
    }
}

/// A comparison that counts a missing value as its default.
fn compared(
    field: &Field,
    word: &str,
    opposite: &str,
    value: &Value,
    wanted: bool,
    holds: impl Fn(&Literal) -> bool,
) -> Result<Value, String> {
    let default = field
        .default
        .as_ref()
        .ok_or_else(|| cannot("a condition does not know what a missing value means"))?;
    let word = if wanted { word } else { opposite };
    let there = json!({"field": field.name, word: value});
    // Of a missing field, `notEquals` and `notIn` hold, the others do not.
    Ok(match (holds(default) == wanted, wanted) {
        (true, true) => json!({"anyOf": [{"field": field.name, "exists": false}, there]}),
        (false, false) => json!({"allOf": [{"field": field.name, "exists": true}, there]}),
        _ => there,
    })
}

fn constant(value: &Literal) -> Result<Value, String> {
    Ok(match value {
        Literal::Bool(value) => json!(value),
        Literal::Int(value) => json!(value),
        Literal::Str(value) => json!(&**value),
        _ => return Err(cannot("it compares with what is no constant")),
    })
}

fn joined(word: &str, mut parts: Vec<Value>) -> Value {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => json!({word: parts}),
    }
}

/// The expression with a constant for a name.
fn replaced(expr: &Expr, name: &str, value: &Expr, depth: usize) -> Expr {
    if expr.as_ident() == Some(name) {
        return value.clone();
    }
    let mut expr = expr.clone();
    if depth < DEPTH {
        expr.children_mut(&mut |child| *child = replaced(child, name, value, depth + 1));
    }
    expr
}
