//! Expressions.

use super::statement::{Identifier, Statement};
use crate::source::Span;

/// An expression.
#[derive(Debug, Clone, Copy)]
pub struct Expression<'a> {
    /// What it is.
    pub kind: ExpressionKind<'a>,
    /// Where it stands.
    pub span: Span,
}

/// What an [`Expression`] is.
#[derive(Debug, Clone, Copy)]
pub enum ExpressionKind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// `12`; a sign is a [`UnaryOperation`].
    Integer(u64),
    /// `'text'`, `'a${b}c'`, `'''…'''`, `$'''…'''`
    String(StringLiteral<'a>),
    /// `[ … ]`
    Array(&'a [ArrayItem<'a>]),
    /// `{ … }`
    Object(Object<'a>),
    /// `[for … in …: …]`
    For(&'a ForExpression<'a>),
    /// `if (…) { … }`: only as the value of a resource or module, or of a loop that is one.
    If(&'a IfCondition<'a>),
    /// `( … )`
    Parenthesized(&'a Expression<'a>),
    /// A name: of a parameter, a variable, a resource, a namespace, …; `this` is one too.
    VariableAccess(&'a str),
    /// `name( … )`
    FunctionCall(&'a FunctionCall<'a>),
    /// `base.name( … )`
    InstanceFunctionCall(&'a InstanceFunctionCall<'a>),
    /// `base.name`, `base.?name`
    PropertyAccess(&'a PropertyAccess<'a>),
    /// `base[index]`, `base[?index]`, `base[^index]`
    ArrayAccess(&'a ArrayAccess<'a>),
    /// `base::name`
    ResourceAccess(&'a ResourceAccess<'a>),
    /// `base!`
    NonNullAssertion(&'a Expression<'a>),
    /// `!a`, `-a`
    Unary(&'a UnaryOperation<'a>),
    /// `a && b`
    Binary(&'a BinaryOperation<'a>),
    /// `a ? b : c`
    Ternary(&'a TernaryOperation<'a>),
    /// `x => …`, `(a, b) => …`
    Lambda(&'a Lambda<'a>),
    /// Could not be read.
    Skipped,
}

/// A string with its holes: one more segment than there are expressions.
#[derive(Debug, Clone, Copy)]
pub struct StringLiteral<'a> {
    /// The text around the holes, escapes resolved.
    pub segments: &'a [StringSegment<'a>],
    /// What stands in the holes.
    pub expressions: &'a [Expression<'a>],
    /// How it is written.
    pub form: StringForm,
}

/// Text between two holes of a string.
#[derive(Debug, Clone, Copy)]
pub struct StringSegment<'a> {
    /// Escapes resolved.
    pub text: &'a str,
    /// Where it stands, with what surrounds it (`'`, `${`, `}`).
    pub span: Span,
}

/// How a [`StringLiteral`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringForm {
    /// `'…'`
    SingleLine,
    /// `'''…'''` with so many `$` before it.
    MultiLine(u32),
}

/// `{ … }`
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// In order.
    pub items: &'a [ObjectItem<'a>],
    /// With its braces.
    pub span: Span,
}

/// What stands in an [`Object`].
#[derive(Debug, Clone, Copy)]
pub enum ObjectItem<'a> {
    /// `key: value`
    Property(ObjectProperty<'a>),
    /// `...expression`
    Spread(Spread<'a>),
    /// `resource …`, in the body of a resource.
    Resource(&'a Statement<'a>),
    /// Could not be read.
    Skipped(Span),
}

/// `key: value`
#[derive(Debug, Clone, Copy)]
pub struct ObjectProperty<'a> {
    /// The key.
    pub key: PropertyName<'a>,
    /// The value.
    pub value: Expression<'a>,
    /// Both.
    pub span: Span,
}

/// A key, of an object or of an object type.
#[derive(Debug, Clone, Copy)]
pub struct PropertyName<'a> {
    /// How it is written.
    pub kind: PropertyNameKind<'a>,
    /// Where it stands.
    pub span: Span,
}

/// How a [`PropertyName`] is written.
#[derive(Debug, Clone, Copy)]
pub enum PropertyNameKind<'a> {
    /// `key`
    Identifier(&'a str),
    /// `'key'`, `'${prefix}-key'`
    String(StringLiteral<'a>),
    /// Could not be read.
    Skipped,
}

/// `...expression`
#[derive(Debug, Clone, Copy)]
pub struct Spread<'a> {
    /// What is spread.
    pub expression: Expression<'a>,
    /// From the dots on.
    pub span: Span,
}

/// What stands in an array.
#[derive(Debug, Clone, Copy)]
pub enum ArrayItem<'a> {
    /// A value.
    Item(Expression<'a>),
    /// `...expression`
    Spread(Spread<'a>),
}

/// `[for (item, index) in expression: body]`
#[derive(Debug, Clone, Copy)]
pub struct ForExpression<'a> {
    /// The name of each item.
    pub item: Identifier<'a>,
    /// The name of its number.
    pub index: Option<Identifier<'a>>,
    /// What it goes over.
    pub expression: Expression<'a>,
    /// What is made of each.
    pub body: Expression<'a>,
}

/// `if (condition) { … }`
#[derive(Debug, Clone, Copy)]
pub struct IfCondition<'a> {
    /// The word `if`.
    pub keyword: Span,
    /// Without its parentheses.
    pub condition: Expression<'a>,
    /// An object, or skipped.
    pub body: Expression<'a>,
}

/// `name( … )`
#[derive(Debug, Clone, Copy)]
pub struct FunctionCall<'a> {
    /// Which function.
    pub name: Identifier<'a>,
    /// In order.
    pub arguments: &'a [Expression<'a>],
}

/// `base.name( … )`
#[derive(Debug, Clone, Copy)]
pub struct InstanceFunctionCall<'a> {
    /// On what: a namespace, a resource.
    pub base: Expression<'a>,
    /// Which function.
    pub name: Identifier<'a>,
    /// In order.
    pub arguments: &'a [Expression<'a>],
}

/// `base.name`, `base.?name`
#[derive(Debug, Clone, Copy)]
pub struct PropertyAccess<'a> {
    /// Of what.
    pub base: Expression<'a>,
    /// `.?`: null when it is not there.
    pub safe: bool,
    /// Which.
    pub property: Identifier<'a>,
}

/// `base[index]`, `base[?index]`, `base[^index]`, `base[?^index]`
#[derive(Debug, Clone, Copy)]
pub struct ArrayAccess<'a> {
    /// Of what.
    pub base: Expression<'a>,
    /// `[?`: null when it is not there.
    pub safe: bool,
    /// `[^`: counted from the end, from 1.
    pub from_end: bool,
    /// Which.
    pub index: Expression<'a>,
}

/// `base::name`
#[derive(Debug, Clone, Copy)]
pub struct ResourceAccess<'a> {
    /// In which resource.
    pub base: Expression<'a>,
    /// Which nested one.
    pub name: Identifier<'a>,
}

/// `!a`, `-a`
#[derive(Debug, Clone, Copy)]
pub struct UnaryOperation<'a> {
    /// Which.
    pub operator: UnaryOperator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// Of what.
    pub operand: Expression<'a>,
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Minus,
}

/// `a && b`
#[derive(Debug, Clone, Copy)]
pub struct BinaryOperation<'a> {
    /// Which.
    pub operator: BinaryOperator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// The one before it.
    pub left: Expression<'a>,
    /// The one after it.
    pub right: Expression<'a>,
}

/// An operator between its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `||`
    LogicalOr,
    /// `&&`
    LogicalAnd,
    /// `==`
    Equals,
    /// `!=`
    NotEquals,
    /// `=~`
    EqualsInsensitive,
    /// `!~`
    NotEqualsInsensitive,
    /// `<`
    LessThan,
    /// `<=`
    LessThanOrEqual,
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `??`
    Coalesce,
}

/// `condition ? yes : no`
#[derive(Debug, Clone, Copy)]
pub struct TernaryOperation<'a> {
    /// What decides.
    pub condition: Expression<'a>,
    /// When it holds.
    pub true_expression: Expression<'a>,
    /// When it does not.
    pub false_expression: Expression<'a>,
}

/// `x => …`, `(a, b) => …`
#[derive(Debug, Clone, Copy)]
pub struct Lambda<'a> {
    /// The names of what it takes.
    pub parameters: &'a [Identifier<'a>],
    /// What it gives.
    pub body: Expression<'a>,
}

impl<'a> Expression<'a> {
    /// What is inside parentheses, however many.
    #[must_use]
    pub fn inner(&self) -> Self {
        let mut at = *self;
        while let ExpressionKind::Parenthesized(inner) = at.kind {
            at = *inner;
        }
        at
    }

    /// The text, when this is a string without holes.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.kind {
            ExpressionKind::String(string) => string.as_str(),
            _ => None,
        }
    }

    /// The object, when this is one, also within `if` and `for`: the body of a resource or module.
    #[must_use]
    pub fn body(&self) -> Option<Object<'a>> {
        match self.kind {
            ExpressionKind::Object(object) => Some(object),
            ExpressionKind::If(condition) => condition.body.body(),
            ExpressionKind::For(each) => each.body.body(),
            _ => None,
        }
    }
}

impl<'a> StringLiteral<'a> {
    /// The text, when there are no holes.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.segments {
            [only] => Some(only.text),
            _ => None,
        }
    }
}

impl<'a> PropertyName<'a> {
    /// The key, when it has no holes.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.kind {
            PropertyNameKind::Identifier(name) => Some(name),
            PropertyNameKind::String(string) => string.as_str(),
            PropertyNameKind::Skipped => None,
        }
    }
}

impl<'a> Object<'a> {
    /// The property of a key without holes.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&'a ObjectProperty<'a>> {
        self.items.iter().find_map(|item| match item {
            ObjectItem::Property(property) if property.key.as_str() == Some(key) => Some(property),
            _ => None,
        })
    }
}
