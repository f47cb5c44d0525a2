//! Types as they are written.

use super::{Decorator, Expression, Identifier, PropertyName, StringLiteral, UnaryOperator};
use crate::source::Span;

/// A type.
#[derive(Debug, Clone, Copy)]
pub struct Type<'a> {
    /// What it is.
    pub kind: TypeKind<'a>,
    /// Where it stands.
    pub span: Span,
}

/// What a [`Type`] is.
#[derive(Debug, Clone, Copy)]
pub enum TypeKind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// `12`
    Integer(u64),
    /// `'text'`
    String(StringLiteral<'a>),
    /// `-12`, `!true`
    Unary(&'a UnaryType<'a>),
    /// A name: `string`, `int`, `object`, or one that is declared or imported.
    Name(&'a str),
    /// `resourceInput<'…'>`, `resourceOutput<'…'>`, `resource<'…'>`
    Parameterized(&'a ParameterizedType<'a>),
    /// `resource 'type@version'` of a parameter or output; of an output also without a string.
    Resource(Option<&'a Expression<'a>>),
    /// `{ … }`
    Object(&'a [ObjectTypeItem<'a>]),
    /// `[ … ]`
    Tuple(&'a [TupleTypeItem<'a>]),
    /// `item[]`
    Array(&'a Type<'a>),
    /// `base?`
    Nullable(&'a Type<'a>),
    /// `base!`
    NonNullable(&'a Type<'a>),
    /// `a | b | c`, `| a`
    Union(&'a [Type<'a>]),
    /// `( … )`
    Parenthesized(&'a Type<'a>),
    /// `base.property`, also of a namespace or of a wildcard import
    PropertyAccess(&'a Type<'a>, Identifier<'a>),
    /// `base.*`
    AdditionalPropertiesAccess(&'a Type<'a>),
    /// `base[*]`
    ItemsAccess(&'a Type<'a>),
    /// `base[0]`
    ArrayAccess(&'a Type<'a>, &'a Expression<'a>),
    /// Could not be read.
    Skipped,
}

/// `-12`, `!true`
#[derive(Debug, Clone, Copy)]
pub struct UnaryType<'a> {
    /// Which.
    pub operator: UnaryOperator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// Of what.
    pub operand: Type<'a>,
}

/// `name<argument, …>`, `base.name<argument, …>`
#[derive(Debug, Clone, Copy)]
pub struct ParameterizedType<'a> {
    /// The namespace before the dot.
    pub base: Option<Type<'a>>,
    /// Which.
    pub name: Identifier<'a>,
    /// In order.
    pub arguments: &'a [Type<'a>],
}

/// What stands in an object type.
#[derive(Debug, Clone, Copy)]
pub struct ObjectTypeItem<'a> {
    /// Above it, in order.
    pub decorators: &'a [Decorator<'a>],
    /// Its key; nothing for `*`: any other key.
    pub key: Option<PropertyName<'a>>,
    /// Its type.
    pub ty: Type<'a>,
    /// From its first decorator to its end.
    pub span: Span,
}

/// What stands in a tuple type.
#[derive(Debug, Clone, Copy)]
pub struct TupleTypeItem<'a> {
    /// Above it, in order.
    pub decorators: &'a [Decorator<'a>],
    /// Its type.
    pub ty: Type<'a>,
    /// From its first decorator to its end.
    pub span: Span,
}

/// `(a string, b int) string => …`: of a function.
#[derive(Debug, Clone, Copy)]
pub struct TypedLambda<'a> {
    /// What it takes.
    pub parameters: &'a [TypedLocalVariable<'a>],
    /// What it gives.
    pub return_type: Type<'a>,
    /// What it does.
    pub body: Expression<'a>,
}

/// `name type`
#[derive(Debug, Clone, Copy)]
pub struct TypedLocalVariable<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// Its type.
    pub ty: Type<'a>,
}
