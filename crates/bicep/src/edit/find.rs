//! Every expression of a program by its place.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::ops::Range;

use crate::source::Span;
use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, ObjectItem, Program, PropertyNameKind, Statement,
    StatementKind, TernaryOperation,
};

/// What kind of expression stands at a place.
pub(super) type Kind<'a> = Discriminant<ExpressionKind<'a>>;

#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    /// In the order in which they are met, outer ones first.
    all: Vec<Expression<'a>>,
    by_place: HashMap<(u32, u32), usize>,
    /// What a condition chooses, and whether when it holds, by its place.
    choices: HashMap<(u32, u32), (TernaryOperation<'a>, bool)>,
    /// The value of a resource, by the place of its statement.
    statements: HashMap<(u32, u32), Expression<'a>>,
}

pub(super) fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

fn key(place: &Range<usize>) -> Option<(u32, u32)> {
    Some((
        u32::try_from(place.start).ok()?,
        u32::try_from(place.end).ok()?,
    ))
}

impl<'a> Index<'a> {
    pub(super) fn new(program: &Program<'a>) -> Self {
        let mut index = Self::default();
        for statement in program.statements {
            index.statement(statement);
        }
        index
    }

    /// What is edited at a place: the expression there, or the body of the resource declared there.
    pub(super) fn at(&self, place: &Range<usize>) -> Option<Expression<'a>> {
        self.literal(place)
            .or_else(|| self.statements.get(&key(place)?).copied())
    }

    /// The expression at a place.
    pub(super) fn literal(&self, place: &Range<usize>) -> Option<Expression<'a>> {
        let at = self.by_place.get(&key(place)?)?;
        self.all.get(*at).copied()
    }

    /// The condition that chooses what stands at a place, and whether it does so when it holds.
    pub(super) fn choice(&self, place: &Range<usize>) -> Option<(TernaryOperation<'a>, bool)> {
        self.choices.get(&key(place)?).copied()
    }

    /// The expressions that are not in a place, with what holds it.
    pub(super) fn outside<'i>(
        &'i self,
        place: &'i Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, Kind<'a>)> + 'i {
        self.all
            .iter()
            .map(|expression| (range(expression.span), discriminant(&expression.kind)))
            .filter(|(own, _)| !(place.start <= own.start && own.end <= place.end))
    }

    fn statement(&mut self, statement: &Statement<'a>) {
        for decorator in statement.decorators {
            self.expression(&decorator.expression);
        }
        match statement.kind {
            StatementKind::TargetScope(value) | StatementKind::Extends(value) => {
                self.expression(&value)
            }
            StatementKind::Metadata(of)
            | StatementKind::ParameterAssignment(of)
            | StatementKind::Assert(of) => self.expression(&of.value),
            StatementKind::Parameter(of) => {
                if let Some(default) = of.default {
                    self.expression(&default);
                }
            }
            StatementKind::Variable(of) => self.expression(&of.value),
            StatementKind::Output(of) => self.expression(&of.value),
            StatementKind::Test(of) => self.expression(&of.value),
            StatementKind::ExtensionConfig(of) => self.expression(&of.with),
            StatementKind::Function(of) => {
                if let Some(lambda) = of.lambda {
                    self.expression(&lambda.body);
                }
            }
            StatementKind::Module(of) => self.expression(&of.value),
            StatementKind::Resource(of) => {
                let place = (statement.span.start, statement.span.end);
                self.statements.insert(place, of.value);
                self.expression(&of.value);
            }
            StatementKind::Type(_)
            | StatementKind::Import(_)
            | StatementKind::Extension(_)
            | StatementKind::Using(_)
            | StatementKind::Skipped => {}
        }
    }

    fn each(&mut self, all: &[Expression<'a>]) {
        for expression in all {
            self.expression(expression);
        }
    }

    /// The reader bounds how deep a tree is.
    fn expression(&mut self, expression: &Expression<'a>) {
        let span = expression.span;
        // What nests at one place (`a` in `a`) is found by its outermost.
        self.by_place
            .entry((span.start, span.end))
            .or_insert(self.all.len());
        self.all.push(*expression);
        match expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Integer(_)
            | ExpressionKind::VariableAccess(_)
            | ExpressionKind::Skipped => {}
            ExpressionKind::String(string) => self.each(string.expressions),
            ExpressionKind::Array(items) => {
                for item in items {
                    match item {
                        ArrayItem::Item(item) => self.expression(item),
                        ArrayItem::Spread(spread) => self.expression(&spread.expression),
                    }
                }
            }
            ExpressionKind::Object(object) => {
                for item in object.items {
                    self.item(item);
                }
            }
            ExpressionKind::For(of) => self.each(&[of.expression, of.body]),
            ExpressionKind::If(of) => self.each(&[of.condition, of.body]),
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.expression(inner);
            }
            ExpressionKind::FunctionCall(call) => self.each(call.arguments),
            ExpressionKind::InstanceFunctionCall(call) => {
                self.expression(&call.base);
                self.each(call.arguments);
            }
            ExpressionKind::PropertyAccess(access) => self.expression(&access.base),
            ExpressionKind::ArrayAccess(access) => self.each(&[access.base, access.index]),
            ExpressionKind::ResourceAccess(access) => self.expression(&access.base),
            ExpressionKind::Unary(unary) => self.expression(&unary.operand),
            ExpressionKind::Binary(binary) => self.each(&[binary.left, binary.right]),
            ExpressionKind::Ternary(of) => {
                for (chosen, holds) in [(of.true_expression, true), (of.false_expression, false)] {
                    let span = chosen.inner().span;
                    self.choices.insert((span.start, span.end), (*of, holds));
                }
                self.each(&[of.condition, of.true_expression, of.false_expression]);
            }
            ExpressionKind::Lambda(lambda) => self.expression(&lambda.body),
        }
    }

    fn item(&mut self, item: &ObjectItem<'a>) {
        match item {
            ObjectItem::Property(property) => {
                if let PropertyNameKind::String(string) = property.key.kind {
                    self.each(string.expressions);
                }
                self.expression(&property.value);
            }
            ObjectItem::Spread(spread) => self.expression(&spread.expression),
            ObjectItem::Resource(statement) => self.statement(statement),
            ObjectItem::Skipped(_) => {}
        }
    }
}
