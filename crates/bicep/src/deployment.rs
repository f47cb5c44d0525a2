//! What a deployment would make: resources with their evaluated bodies, and what it leaves open.

use crate::source::Span;
use crate::value::Value;

/// A resource that a deployment makes, or names as existing.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its whole id; open parts in braces: `/subscriptions/{subscription}/resourceGroups/…`.
    pub id: &'a str,
    /// Its whole type: `Microsoft.Network/virtualNetworks/subnets`.
    pub kind: &'a str,
    /// The API version it is written for.
    pub api_version: &'a str,
    /// Its whole name, segments joined by `/`, open parts in braces.
    pub name: &'a str,
    /// An object as the API has it: `type`, `apiVersion`, `name`, `location`, `tags`, `identity`,
    /// `sku`, `properties`, …; without `condition`, `copy`, `dependsOn`, `resources`. Children
    /// written inside it are resources of their own.
    pub body: Value<'a>,
    /// The condition under which it is made, when it is not known to hold. What is known not to
    /// hold is not listed.
    pub condition: Option<Value<'a>>,
    /// It is only named, not made, by the template.
    pub existing: bool,
    /// Where it is declared.
    pub span: Span,
    /// Where the modules stand that lead to it, outermost first.
    pub through: &'a [Span],
}

/// A parameter of the outermost template without a value.
#[derive(Debug, Clone)]
pub struct OpenParameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is declared.
    pub span: Span,
    /// Its value must not be shown.
    pub secret: bool,
    /// The values its declaration allows; for a boolean both.
    pub allowed: Vec<Value<'a>>,
    /// Values that the template compares it with.
    pub compared: Vec<Value<'a>>,
}

/// Something that went wrong, at a place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What, in words for the user: lower case, no final period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// How much of the answer it costs.
    pub kind: ProblemKind,
}

/// How much a [`Problem`] costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// The text cannot be read; what could be was.
    Syntax,
    /// An expression that Azure would refuse; its value is unknown.
    Expression,
    /// A module or linked template that was not found: what it makes is missing.
    Unresolved,
    /// Something that has no known form in Azure Resource Manager: it was read and says nothing.
    Unmapped,
}

/// What a deployment comes to.
#[derive(Debug, Default)]
pub struct Expansion<'a> {
    /// In the order in which they are written; loops in order, modules where they stand.
    pub resources: Vec<Resource<'a>>,
    /// The outermost template's outputs by name.
    pub outputs: Vec<(&'a str, Value<'a>)>,
    /// The outermost template's parameters that have no value.
    pub open: Vec<OpenParameter<'a>>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}
