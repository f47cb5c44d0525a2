//! Conditions of role assignments and of roles (attribute-based access control), as far as the action alone
//! and what is known of the request decide them; what remains is said in words.
//!
//! A condition can only take away. The language is that of
//! <https://learn.microsoft.com/azure/role-based-access-control/conditions-format>; a text that it does not
//! explain is kept as it is and decides nothing.

use model::Ref;

mod parse;
mod say;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: Box<str>,
    /// None where the text could not be read.
    expression: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    /// `ActionMatches{'…'}`
    Action(Box<str>),
    /// `SubOperationMatches{'…'}`
    SubOperation(Box<str>),
    /// `Exists @…`
    Exists(Attribute),
    Compare(Comparison),
}

/// `@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]`
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    /// `Request`, `Resource`, `Principal`, `Environment`
    source: Box<str>,
    name: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    attribute: Attribute,
    /// `ForAnyOfAnyValues`; empty where none is written.
    quantifier: Box<str>,
    operator: Box<str>,
    values: Vec<Box<str>>,
    /// An attribute on the other side, which nothing here knows.
    other: Option<Attribute>,
}

/// What is known of the request that a condition is asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The action or data action.
    pub action: &'a str,
    /// Attributes of the request by name, and their value: `None` for one that the request certainly lacks.
    pub attributes: &'a [(&'a str, Option<&'a str>)],
}

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It hangs on more: what remains to be fulfilled, in words.
    Hangs(Box<str>),
}

/// The attribute that constrained delegation looks at.
pub const ROLE_GIVEN: &str = "Microsoft.Authorization/roleAssignments:RoleDefinitionId";

impl Condition {
    /// Reads a condition.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            expression: parse::parse(text),
        }
    }

    /// Whether its text is understood.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.expression.is_some()
    }

    /// Its text.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Reads a condition from where a template or Azure writes it; one that is empty is none.
    pub(super) fn of(value: Ref<'_>) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return (!text.trim().is_empty()).then(|| Self::read(text));
        }
        value.is_open().then(|| Self {
            text: value.open_shown().unwrap_or("an open value").into(),
            expression: None,
        })
    }

    /// What it comes to. `role` names a role by its id.
    #[must_use]
    pub fn outcome(&self, asked: &Asked<'_>, role: &dyn Fn(&str) -> Option<String>) -> Outcome {
        let Some(expression) = &self.expression else {
            return Outcome::Hangs(self.text.clone());
        };
        match reduce(expression, asked) {
            Reduced::Known(true) => Outcome::Holds,
            Reduced::Known(false) => Outcome::Fails,
            Reduced::Rest(rest) => Outcome::Hangs(say::say(&rest, role).into()),
        }
    }
}

enum Reduced {
    Known(bool),
    Rest(Expression),
}

/// Decides what can be decided. The parser bounds the depth.
fn reduce(expression: &Expression, asked: &Asked<'_>) -> Reduced {
    match expression {
        Expression::Or(parts) => join(parts, asked, true),
        Expression::And(parts) => join(parts, asked, false),
        Expression::Not(inner) => match reduce(inner, asked) {
            Reduced::Known(value) => Reduced::Known(!value),
            Reduced::Rest(rest) => Reduced::Rest(Expression::Not(Box::new(rest))),
        },
        Expression::Action(pattern) => {
            Reduced::Known(super::pattern::matches(pattern, asked.action))
        }
        Expression::SubOperation(_) => {
            // Only storage has suboperations: of reading and writing blobs and queues
            // (conditions-authorization-actions-attributes in its documentation).
            let storage = asked
                .action
                .to_ascii_lowercase()
                .starts_with("microsoft.storage/");
            if storage {
                Reduced::Rest(expression.clone())
            } else {
                Reduced::Known(false)
            }
        }
        Expression::Exists(attribute) => match known(attribute, asked) {
            Some(value) => Reduced::Known(value.is_some()),
            None => Reduced::Rest(expression.clone()),
        },
        Expression::Compare(comparison) => {
            let decided = match known(&comparison.attribute, asked) {
                Some(Some(value)) if comparison.other.is_none() => comparison.decide(value),
                // What a negation says of something absent is not documented.
                Some(None) => (!comparison.is_negated()).then_some(false),
                _ => None,
            };
            decided.map_or_else(|| Reduced::Rest(expression.clone()), Reduced::Known)
        }
    }
}

/// `stop` is the value that decides: true for a disjunction.
fn join(parts: &[Expression], asked: &Asked<'_>, stop: bool) -> Reduced {
    let mut rest = Vec::new();
    for part in parts {
        match reduce(part, asked) {
            Reduced::Known(value) if value == stop => return Reduced::Known(stop),
            Reduced::Known(_) => {}
            Reduced::Rest(part) => rest.push(part),
        }
    }
    match rest.len() {
        0 => Reduced::Known(!stop),
        1 => rest.pop().map_or(Reduced::Known(!stop), Reduced::Rest),
        _ if stop => Reduced::Rest(Expression::Or(rest)),
        _ => Reduced::Rest(Expression::And(rest)),
    }
}

/// What is known of an attribute: nothing, that it is absent, or its value.
fn known<'a>(attribute: &Attribute, asked: &Asked<'a>) -> Option<Option<&'a str>> {
    asked
        .attributes
        .iter()
        .find(|(name, _)| attribute.name.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

impl Comparison {
    fn is_negated(&self) -> bool {
        self.operator.to_ascii_lowercase().contains("not")
    }

    /// Whether one value fulfils it; `None` for operators that are not read.
    fn decide(&self, value: &str) -> Option<bool> {
        // A request's attribute has one value, so "any of" and "all of" its values are the same.
        let all = self.quantifier.to_ascii_lowercase().ends_with("allvalues");
        let mut answer = all;
        for wanted in &self.values {
            let holds = self.compare(value, wanted)?;
            if holds != all {
                answer = holds;
            }
        }
        (!self.values.is_empty()).then_some(answer)
    }

    fn compare(&self, value: &str, wanted: &str) -> Option<bool> {
        let operator = self.operator.to_ascii_lowercase();
        let (operator, negated) = match operator.strip_prefix("stringnot") {
            Some(rest) => (format!("string{rest}"), true),
            None => match operator.strip_prefix("guidnot") {
                Some(rest) => (format!("guid{rest}"), true),
                None => match operator.strip_prefix("boolnot") {
                    Some(rest) => (format!("bool{rest}"), true),
                    None => (operator, false),
                },
            },
        };
        let lower = |text: &str| text.to_lowercase();
        let holds = match operator.as_str() {
            "stringequals" => value == wanted,
            "stringequalsignorecase" => lower(value) == lower(wanted),
            "stringlike" => super::pattern::string_like(wanted, value, false),
            "stringlikeignorecase" => super::pattern::string_like(wanted, value, true),
            "stringstartswith" => value.starts_with(wanted),
            "stringstartswithignorecase" => lower(value).starts_with(&lower(wanted)),
            "guidequals" => {
                let same = |text: &str| super::builtin::guid(text).unwrap_or_else(|| lower(text));
                same(value) == same(wanted)
            }
            "boolequals" => lower(value) == lower(wanted),
            _ => return None,
        };
        Some(holds != negated)
    }
}
