//! CEL to expressions of Kusto: operators, macros, functions and the shared definitions. What the names of an event
//! are in a table is the module `names`' matter.
//!
//! What a macro (`macros`) goes over becomes a step before the expression (`mv-apply`), since Kusto's scalar expressions have no
//! loops; the step gives columns that the expression reads. Whatever cannot be said exactly is refused with a
//! sentence.
//!
//! Values of JSON are read as the type that they are compared with: the API server refuses an object whose fields have
//! other types, so that what was allowed has them. Kusto's `null` is absence, as the documents of events have no nulls.

mod macros;

use std::collections::BTreeMap;

use cel::ast::{BinaryOp, Expr, ExprKind, Literal};
use guide::Guide;

use super::Table;
use super::cond::{Cond, Truth};
use super::value::{Term, Type, Value, quoted};

/// Why something cannot be said in Kusto.
pub(super) type Refusal = String;
pub(super) type Said<T> = Result<T, Refusal>;

/// Deeper nesting than any page has.
const DEPTH: usize = 64;

/// What expressions become, and the steps that they need before them.
pub(super) struct Translator<'g> {
    pub(super) guide: &'g Guide,
    pub(super) table: Table,
    pub(super) activity: bool,
    /// Steps of the query, and of the subqueries around the expression.
    steps: Vec<Vec<String>>,
    /// Each with whether it tells what was asked for, which a hidden request does not.
    defined: BTreeMap<Box<str>, (Term, bool)>,
    locals: Vec<(Box<str>, Term)>,
    columns: u32,
    depth: usize,
    /// The expression reads the object that is made.
    pub(super) reads_object: bool,
    /// It reads what a record that is cut early does not say.
    pub(super) reads_head: bool,
    /// It reads by whom the request was taken for.
    pub(super) reads_identity: [bool; 2],
    /// Set while a message is written.
    pub(super) in_message: bool,
    /// Whether requests that hide what they ask for are looked at.
    pub(super) may_be_hidden: bool,
    /// What is being written tells what was asked for.
    pub(super) asks_request: bool,
}

pub(super) fn refuse<T>(why: impl Into<String>) -> Said<T> {
    Err(why.into())
}

impl<'g> Translator<'g> {
    pub(super) fn new(guide: &'g Guide, table: Table, activity: bool) -> Self {
        Self {
            guide,
            table,
            activity,
            steps: vec![Vec::new()],
            defined: BTreeMap::new(),
            locals: Vec::new(),
            columns: 0,
            depth: 0,
            reads_object: false,
            reads_head: false,
            reads_identity: [false; 2],
            in_message: false,
            may_be_hidden: false,
            asks_request: false,
        }
    }

    /// Takes the steps that were needed so far.
    pub(super) fn take_steps(&mut self) -> Vec<String> {
        self.steps
            .first_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn step(&mut self, step: String) {
        if let Some(steps) = self.steps.last_mut() {
            steps.push(step);
        }
    }

    /// A step of the query itself, before whatever is being written.
    pub(super) fn first_step(&mut self, step: String) {
        if let Some(steps) = self.steps.first_mut() {
            steps.push(step);
        }
    }

    fn fresh(&mut self, name: &str) -> String {
        self.columns += 1;
        format!("{name}{}", self.columns)
    }

    /// A statement.
    pub(super) fn truth(&mut self, expr: &Expr) -> Said<Truth> {
        match self.term(expr)? {
            Term::Truth(truth) => Ok(truth),
            Term::Value(_) => refuse(format!("`{expr}` is no statement")),
        }
    }

    pub(super) fn value(&mut self, expr: &Expr) -> Said<Value> {
        match self.term(expr)? {
            Term::Value(value) => Ok(value),
            Term::Truth(_) => refuse(format!("`{expr}` is used as a value")),
        }
    }

    /// A text, and when it is known.
    pub(super) fn text(&mut self, expr: &Expr) -> Said<(String, Cond)> {
        let value = self.value(expr)?;
        let known = value.known.clone();
        match value.texted() {
            Some(text) => Ok((text, known)),
            None => refuse(format!("`{expr}` has no text in Kusto")),
        }
    }

    fn term(&mut self, expr: &Expr) -> Said<Term> {
        self.depth += 1;
        let term = if self.depth > DEPTH {
            refuse("it is nested too deeply")
        } else {
            self.expression(expr)
        };
        self.depth -= 1;
        term
    }

    fn expression(&mut self, expr: &Expr) -> Said<Term> {
        Ok(match &expr.kind {
            ExprKind::Literal(literal) => literal_term(literal)?,
            ExprKind::Ident(name) => self.ident(name)?,
            ExprKind::Select {
                operand,
                field,
                optional,
            } => self.select(operand, field, *optional)?,
            ExprKind::Index {
                operand,
                index,
                optional,
            } => Term::Value(self.index(operand, index, *optional)?),
            ExprKind::Has { operand, field } => {
                let inner = self.select(operand, field, true)?;
                let Term::Value(value) = inner else {
                    return refuse("`has()` of a statement");
                };
                let there = match value.kind {
                    Type::OptionalText => Cond::is(format!("isnotempty({})", value.text)),
                    _ => Cond::is(format!("isnotnull({})", value.text)),
                };
                Term::Truth(Truth::where_known(&value.known_or_absent(), there))
            }
            ExprKind::Not(inner) => Term::Truth(self.truth(inner)?.negated()),
            ExprKind::And(parts) => Term::Truth(Truth::all(self.truths(parts)?)),
            ExprKind::Or(parts) => Term::Truth(Truth::any(self.truths(parts)?)),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right)?,
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => self.ternary(condition, then, otherwise)?,
            ExprKind::Macro {
                kind,
                target,
                vars,
                args,
            } => self.over(*kind, target, vars, args)?,
            ExprKind::Call {
                target,
                function,
                args,
            } => self.call(target.as_deref(), function, args)?,
            ExprKind::Neg(_)
            | ExprKind::List(_)
            | ExprKind::Map(_)
            | ExprKind::Message(..)
            | ExprKind::Bind { .. } => return refuse(format!("`{expr}` has no form in Kusto yet")),
        })
    }

    fn truths(&mut self, parts: &[Expr]) -> Said<Vec<Truth>> {
        parts.iter().map(|part| self.truth(part)).collect()
    }

    fn ident(&mut self, name: &str) -> Said<Term> {
        if let Some((_, term)) = self.locals.iter().rev().find(|(own, _)| **own == *name) {
            return Ok(term.clone());
        }
        match name {
            "object" => Ok(Term::Value(self.object())),
            "oldObject" => refuse("what was there before (`oldObject`) is not in these tables"),
            other => refuse(format!("`{other}` is no column")),
        }
    }

    /// The object that a request makes.
    fn object(&mut self) -> Value {
        self.reads_object = true;
        self.reads_head = true;
        Value {
            known: Cond::is("isnotnull(Manifest)"),
            open: true,
            ..Value::new("Manifest", Type::Json)
        }
    }

    fn select(&mut self, operand: &Expr, field: &str, optional: bool) -> Said<Term> {
        match operand.as_ident() {
            Some("variables") => return self.defined(field),
            Some("event") => return self.event(field, optional).map(Term::Value),
            Some("request") => return self.request(field),
            Some("facts") => return self.fact(field),
            _ => {}
        }
        if let ExprKind::Select {
            operand: inner,
            field: outer,
            ..
        } = &operand.kind
            && inner.as_ident() == Some("request")
            && &**outer == "resource"
        {
            return self.resource(field).map(Term::Value);
        }
        let base = self.value(operand)?;
        let base = self.claims(base, field)?;
        Ok(Term::Value(match base {
            Ok(claims) => claims,
            Err(base) if base.kind == Type::Query => {
                base.as_kind(base.text.clone(), Type::QueryKey(field.to_owned()))
            }
            Err(base) => self.part(&base, base.field(field), optional)?,
        }))
    }

    /// A part of a value of JSON.
    fn part(&mut self, base: &Value, text: String, optional: bool) -> Said<Value> {
        match base.kind {
            Type::Json if !optional => {
                let there = Cond::is(format!("isnotnull({text})"));
                let mut part = base.as_kind(text, Type::Json);
                part.known = Cond::all([base.known.clone(), there]);
                Ok(part)
            }
            Type::Json | Type::Map | Type::Optional => Ok(base.as_kind(text, Type::Optional)),
            _ => refuse(format!("`{text}` is not read out of JSON")),
        }
    }

    fn index(&mut self, operand: &Expr, index: &Expr, optional: bool) -> Said<Value> {
        let base = self.value(operand)?;
        match &index.kind {
            ExprKind::Literal(Literal::Str(key)) => {
                let text = base.field(key);
                self.part(&base, text, optional)
            }
            ExprKind::Literal(Literal::Int(at)) if *at >= 0 => {
                let text = format!("{}[{at}]", base.text);
                match base.kind {
                    // Of a split text there is always a first part.
                    Type::List if *at == 0 && base.text.starts_with("split(") => {
                        Ok(base.as_kind(text, Type::Json))
                    }
                    Type::List => {
                        self.part(&base.as_kind(base.text.clone(), Type::Json), text, optional)
                    }
                    _ => self.part(&base, text, optional),
                }
            }
            _ => refuse(format!("`[{index}]` is no constant")),
        }
    }

    /// A shared definition, as a column of its name.
    fn defined(&mut self, name: &str) -> Said<Term> {
        if let Some((term, asks)) = self.defined.get(name) {
            return Ok(self.shown(term.clone(), *asks));
        }
        let guide = self.guide;
        let Some(variable) = guide.variables.iter().find(|own| *own.name == *name) else {
            return refuse(format!("there is no definition `{name}`"));
        };
        let locals = std::mem::take(&mut self.locals);
        let in_message = std::mem::take(&mut self.in_message);
        let asked = std::mem::take(&mut self.asks_request);
        // Whatever it needs stands before the query's own steps, not within a subquery.
        let within = self.steps.split_off(1);
        let term = self.term(variable.program.expr());
        self.steps.extend(within);
        self.in_message = in_message;
        let asks = self.asks_request;
        self.asks_request |= asked;
        self.locals = locals;
        let column = match name {
            // The activity log has a column of this name.
            "caller" => "Who".to_owned(),
            _ => {
                let mut letters = name.chars();
                let first = letters.next().unwrap_or_default().to_ascii_uppercase();
                format!("{first}{}", letters.as_str())
            }
        };
        let term = match term? {
            Term::Value(value) if is_column(&value.text) => Term::Value(value),
            Term::Value(value) => {
                self.first_step(format!("extend {column} = {}", value.text));
                Term::Value(Value {
                    text: column,
                    ..value
                })
            }
            Term::Truth(truth) if truth.is_known() => {
                self.first_step(format!("extend {column} = {}", truth.holds));
                Term::Truth(Truth::known(Cond::is(column)))
            }
            other => other,
        };
        self.defined.insert(name.into(), (term.clone(), asks));
        Ok(self.shown(term, asks))
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Said<Term> {
        match op {
            BinaryOp::Eq | BinaryOp::Ne => {
                let (a, b) = (self.value(left)?, self.value(right)?);
                let known = Cond::all([a.known.clone(), b.known.clone()]);
                let (a, b) = comparable(&a, &b)?;
                let holds = Cond::compared(&a, op == BinaryOp::Eq, &b);
                Ok(Term::Truth(Truth::where_known(&known, holds)))
            }
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                let (a, b) = (self.value(left)?, self.value(right)?);
                if a.kind != Type::Number || b.kind != Type::Number {
                    return refuse("only numbers are compared by size");
                }
                let known = Cond::all([a.known.clone(), b.known.clone()]);
                let holds = Cond::is(format!("{} {} {}", a.text, op.text(), b.text));
                Ok(Term::Truth(Truth::where_known(&known, holds)))
            }
            BinaryOp::In => self.contained(left, right),
            BinaryOp::Add => {
                let mut parts = Vec::new();
                let known = self.sum(left, &mut parts)?;
                let known = Cond::all([known, self.sum(right, &mut parts)?]);
                let mut value = Value::new(format!("strcat({})", parts.join(", ")), Type::Text);
                value.known = known;
                Ok(Term::Value(value))
            }
            other => refuse(format!("`{}` has no form in Kusto yet", other.text())),
        }
    }

    /// The parts of a sum of texts.
    fn sum(&mut self, expr: &Expr, parts: &mut Vec<String>) -> Said<Cond> {
        if let ExprKind::Binary {
            op: BinaryOp::Add,
            left,
            right,
        } = &expr.kind
        {
            let known = self.sum(left, parts)?;
            return Ok(Cond::all([known, self.sum(right, parts)?]));
        }
        let value = self.value(expr)?;
        let known = value.known.clone();
        match (&value.kind, value.texted()) {
            (Type::Text | Type::Json, Some(text)) => {
                parts.push(text);
                Ok(known)
            }
            _ => refuse(format!("`{expr}` is added and is no text")),
        }
    }

    /// `value in [constants]`
    fn contained(&mut self, left: &Expr, right: &Expr) -> Said<Term> {
        let value = self.value(left)?;
        let known = value.known.clone();
        let ExprKind::List(elements) = &right.kind else {
            return refuse(format!("`in {right}` is no list of constants"));
        };
        let numbers = constants(elements, |literal| match literal {
            Literal::Int(number) => Some(number.to_string()),
            _ => None,
        });
        let texts = constants(elements, |literal| match literal {
            Literal::Str(text) => Some(quoted(text)),
            _ => None,
        });
        let (text, among) = match (numbers, texts, value.texted()) {
            (Some(numbers), _, _) if value.kind == Type::Number => (value.text.clone(), numbers),
            (_, Some(texts), Some(text)) if value.kind != Type::Number => (text, texts),
            _ => return refuse(format!("`{left} in {right}` mixes types")),
        };
        let among = among.join(", ");
        let holds = Cond::Is(
            format!("{text} in ({among})"),
            Some(format!("{text} !in ({among})")),
        );
        Ok(Term::Truth(Truth::where_known(&known, holds)))
    }

    fn ternary(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Said<Term> {
        let condition = self.truth(condition)?;
        match (self.term(then)?, self.term(otherwise)?) {
            (Term::Truth(a), Term::Truth(b)) => Ok(Term::Truth(condition.choice(a, b))),
            (Term::Value(a), Term::Value(b)) => {
                let known = if a.known.clone() == Cond::Always
                    && b.known.clone() == Cond::Always
                    && condition.is_known()
                {
                    Cond::Always
                } else {
                    Cond::any([
                        Cond::all([condition.holds.clone(), a.known.clone()]),
                        Cond::all([condition.fails.clone(), b.known.clone()]),
                    ])
                };
                let (kind, a_text, b_text) = if a.kind == b.kind {
                    (a.kind, a.text, b.text)
                } else {
                    match (a.texted(), b.texted()) {
                        (Some(a), Some(b)) => (Type::Text, a, b),
                        _ => return refuse("the two sides of `?:` are of different types"),
                    }
                };
                let mut value = Value::new(
                    format!("iff({}, {a_text}, {b_text})", condition.holds),
                    kind,
                );
                value.known = known;
                value.open = a.open || b.open;
                Ok(Term::Value(value))
            }
            _ => refuse("the two sides of `?:` are of different types"),
        }
    }

    fn call(&mut self, target: Option<&Expr>, function: &str, args: &[Expr]) -> Said<Term> {
        let Some(target) = target else {
            return match (function, args) {
                ("size", [of]) => self.call(Some(of), "size", &[]),
                ("url", [of]) => {
                    let value = self.value(of)?;
                    Ok(Term::Value(value.as_kind(value.text.clone(), Type::Url)))
                }
                _ => refuse(format!("`{function}()` has no form in Kusto yet")),
            };
        };
        let value = self.value(target)?;
        match (function, args) {
            ("orValue", [default]) => self.or_value(&value, default).map(Term::Value),
            ("size", []) => {
                let size = match value.kind {
                    Type::List => format!("coalesce(array_length({}), 0)", value.text),
                    Type::Text => format!("strlen({})", value.text),
                    _ => return refuse(format!("the size of `{target}` is of an unknown type")),
                };
                let mut size = Value::new(size, Type::Number);
                size.known = if value.kind == Type::List {
                    value.whole()
                } else {
                    value.known.clone()
                };
                Ok(Term::Value(size))
            }
            ("getQuery", []) if value.kind == Type::Url => {
                Ok(Term::Value(value.as_kind(value.text.clone(), Type::Query)))
            }
            ("join", rest) if value.kind == Type::List && rest.len() < 2 => {
                let between = match rest {
                    [expr] => self.value(expr)?.text,
                    _ => "''".to_owned(),
                };
                let text = format!("strcat_array({}, {between})", value.listed());
                Ok(Term::Value(value.as_kind(text, Type::Text)))
            }
            _ => self.text_call(&value, function, args),
        }
    }

    /// Functions of texts.
    fn text_call(&mut self, value: &Value, function: &str, args: &[Expr]) -> Said<Term> {
        let Some(text) = value.texted() else {
            return refuse(format!(
                "`{function}()` has no form in Kusto for what it is called on"
            ));
        };
        let known = value.known.clone();
        let compared = match function {
            "startsWith" => Some(("startswith_cs", "!startswith_cs")),
            "endsWith" => Some(("endswith_cs", "!endswith_cs")),
            "contains" => Some(("contains_cs", "!contains_cs")),
            _ => None,
        };
        match (function, args) {
            ("matches", [pattern]) => {
                let Some(pattern) = self.value(pattern)?.constant else {
                    return refuse("a pattern that is no constant");
                };
                let holds = Cond::is(format!("{text} matches regex {}", quoted(&pattern)));
                Ok(Term::Truth(Truth::where_known(&known, holds)))
            }
            (_, [other]) if let Some((yes, no)) = compared => {
                let other = self.value(other)?;
                let Some(word) = other.texted() else {
                    return refuse(format!("`{function}()` of something that is no text"));
                };
                let known = Cond::all([known, other.known.clone()]);
                let holds = Cond::Is(
                    format!("{text} {yes} {word}"),
                    Some(format!("{text} {no} {word}")),
                );
                Ok(Term::Truth(Truth::where_known(&known, holds)))
            }
            ("lowerAscii", []) => Ok(Term::Value(
                value.as_kind(format!("tolower({text})"), Type::Text),
            )),
            ("split", [by]) => {
                let by = self.value(by)?.text;
                Ok(Term::Value(
                    value.as_kind(format!("split({text}, {by})"), Type::List),
                ))
            }
            _ => refuse(format!("`{function}()` has no form in Kusto yet")),
        }
    }

    /// `optional.orValue(default)`
    fn or_value(&mut self, value: &Value, default: &Expr) -> Said<Value> {
        if let Type::QueryKey(key) = &value.kind {
            let (text, key) = (value.text.clone(), key.clone());
            return match &default.kind {
                ExprKind::List(elements) if elements.is_empty() => {
                    Ok(self.query_values(&text, &key))
                }
                _ => refuse("a key of a query that has another default than none"),
            };
        }
        let mut known = value.known_or_absent();
        let p = &value.text;
        let absent = match value.kind {
            Type::OptionalText => format!("isempty({p})"),
            Type::Optional => format!("isnull({p})"),
            _ => return refuse("`orValue()` of what is no optional"),
        };
        let text = value.texted().unwrap_or_else(|| format!("tostring({p})"));
        let (text, kind, open) = match &default.kind {
            ExprKind::List(elements) if elements.is_empty() => (p.clone(), Type::List, value.open),
            ExprKind::Map(entries) if entries.is_empty() => (p.clone(), Type::Map, value.open),
            // What is absent is the empty text already.
            ExprKind::Literal(Literal::Str(default)) if default.is_empty() => {
                (text, Type::Text, false)
            }
            ExprKind::Literal(Literal::Int(number)) => (
                format!("coalesce(tolong({p}), {number})"),
                Type::Number,
                false,
            ),
            _ => {
                let default = self.value(default)?;
                let Some(default_text) = default.texted() else {
                    return refuse("`orValue()` with a default of an unknown type");
                };
                known = Cond::all([known, default.known.clone()]);
                (
                    format!("iff({absent}, {default_text}, {text})"),
                    Type::Text,
                    false,
                )
            }
        };
        // Of a list or map it matters later whether all of it is known, so only the way to it counts here.
        if matches!(kind, Type::List | Type::Map) {
            known = value.known.clone();
        }
        Ok(Value {
            text,
            kind,
            known,
            open,
            constant: None,
        })
    }

    /// What the query of a path says of a key, decoded (net/url's `ParseQuery`): every time that it stands there.
    fn query_values(&mut self, path: &str, key: &str) -> Value {
        let column = self.fresh("Query");
        let decoded = |text: &str| format!("url_decode(replace_string({text}, '+', ' '))");
        let name = decoded("tostring(split(Part, '=')[0])");
        let rest =
            decoded("iff(indexof(Part, '=') < 0, '', substring(Part, indexof(Part, '=') + 1))");
        self.first_step(format!(
            "mv-apply with_itemindex=At{column} Part = split(iff(indexof({path}, '?') < 0, '', substring({path}, indexof({path}, '?') + 1)), '&') to typeof(string) on (\n    where {name} == {}\n    | sort by At{column} asc\n    | summarize {column} = make_list({rest})\n)",
            quoted(key)
        ));
        Value::new(column, Type::List)
    }
}

fn is_column(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn literal_term(literal: &Literal) -> Said<Term> {
    Ok(match literal {
        Literal::Str(text) => Term::Value(Value::constant(text)),
        Literal::Int(number) => Term::Value(Value::new(number.to_string(), Type::Number)),
        Literal::Bool(true) => Term::Truth(Truth::known(Cond::Always)),
        Literal::Bool(false) => Term::Truth(Truth::known(Cond::Never)),
        Literal::Null | Literal::Uint(_) | Literal::Double(_) | Literal::Bytes(_) => {
            return refuse("a constant of a type that has no form in Kusto yet");
        }
    })
}

/// Both sides of an equation, of one type.
fn comparable(a: &Value, b: &Value) -> Said<(String, String)> {
    let number = |value: &Value| match value.kind {
        Type::Number => Some(value.text.clone()),
        Type::Json => Some(format!(
            "coalesce(tolong({}), -9223372036854775807)",
            value.text
        )),
        _ => None,
    };
    let sides = if a.kind == Type::Number || b.kind == Type::Number {
        number(a).zip(number(b))
    } else if a.kind == Type::Json && b.kind == Type::Json {
        None
    } else {
        a.texted().zip(b.texted())
    };
    sides.ok_or_else(|| "an equation between values of unknown types".to_owned())
}

fn constants(
    elements: &[cel::ast::Element],
    write: impl Fn(&Literal) -> Option<String>,
) -> Option<Vec<String>> {
    elements
        .iter()
        .map(|element| match &element.value.kind {
            ExprKind::Literal(literal) if !element.optional => write(literal),
            _ => None,
        })
        .collect()
}
