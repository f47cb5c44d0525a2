//! Expressions, loosest first.

use bumpalo::collections::Vec as BumpVec;

use super::lists::{ARGUMENT_END, ITEM_END};
use super::{Allowed, Complaint, Dialect, Failure, Kinds, Parsed, Parser};
use crate::source::Span;
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::{
    ArrayAccess, ArrayItem, BinaryOperation, BinaryOperator, Expression, ExpressionKind,
    ForExpression, FunctionCall, Identifier, IfCondition, InstanceFunctionCall, Lambda, Object,
    ObjectItem, ObjectProperty, PropertyAccess, PropertyName, PropertyNameKind, ResourceAccess,
    Spread, TernaryOperation, UnaryOperation, UnaryOperator,
};

/// Where a body ends that could not be read.
const BODY_END: Kinds = Kinds::of(&[TokenKind::RightSquare, TokenKind::NewLine]);

impl<'a> Parser<'a> {
    fn make(&mut self, kind: ExpressionKind<'a>, start: Span) -> Expression<'a> {
        Expression {
            kind,
            span: self.since(start),
        }
    }

    fn leaf(&mut self, kind: ExpressionKind<'a>) -> Expression<'a> {
        let start = self.here();
        self.next();
        self.height = 1;
        self.make(kind, start)
    }

    /// An expression. Before `?` and `:` of a choice lines may break.
    pub(super) fn expression(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        self.nested(|parser| parser.ternary(allowed))
    }

    fn ternary(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        let condition = self.binary(allowed, 0)?;
        let mut height = self.height;
        if self.ahead_of_lines(0).kind != TokenKind::Question {
            return Ok(condition);
        }
        self.new_lines();
        self.next();
        let true_expression = self.expression(allowed)?;
        height = height.max(self.height);
        if self.ahead_of_lines(0).kind == TokenKind::Colon {
            self.new_lines();
        }
        self.expect(TokenKind::Colon, "`:`")?;
        let false_expression = self.expression(allowed)?;
        self.raise(height.max(self.height))?;
        let ternary = self.bump.alloc(TernaryOperation {
            condition,
            true_expression,
            false_expression,
        });
        Ok(self.make(ExpressionKind::Ternary(ternary), start))
    }

    fn binary(&mut self, allowed: Allowed, above: u8) -> Parsed<Expression<'a>> {
        let start = self.here();
        let mut left = self.unary(allowed)?;
        let mut height = self.height;
        while let Some((operator, precedence)) = binary_operator(self.peek().kind) {
            if precedence <= above {
                break;
            }
            let token = self.next();
            let right = self.binary(allowed, precedence)?;
            self.raise(height.max(self.height))?;
            height = self.height;
            let operation = self.bump.alloc(BinaryOperation {
                operator,
                operator_span: self.span(token),
                left,
                right,
            });
            left = self.make(ExpressionKind::Binary(operation), start);
        }
        self.height = height;
        Ok(left)
    }

    fn unary(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        let Some(operator) = unary_operator(self.peek().kind) else {
            return self.member(allowed);
        };
        let token = self.next();
        let operand = if unary_operator(self.peek().kind).is_some() {
            let help = "put the inner one in parentheses";
            self.wrong(self.peek(), "two operators follow each other", help);
            self.nested(|parser| parser.unary(allowed))?
        } else {
            self.member(allowed)?
        };
        self.raise(self.height)?;
        let operation = self.bump.alloc(UnaryOperation {
            operator,
            operator_span: self.span(token),
            operand,
        });
        Ok(self.make(ExpressionKind::Unary(operation), start))
    }

    /// Accesses, calls and `!` behind an expression.
    fn member(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        let mut base = self.primary(allowed)?;
        let mut height = self.height;
        loop {
            // What the link itself contains is measured too.
            self.height = 0;
            let kind = match self.peek().kind {
                TokenKind::LeftSquare => self.array_access(base, allowed)?,
                TokenKind::Dot => self.dot(base, allowed)?,
                TokenKind::DoubleColon => {
                    self.next();
                    let name = self.name("the name of a nested resource");
                    let access = self.bump.alloc(ResourceAccess { base, name });
                    ExpressionKind::ResourceAccess(access)
                }
                TokenKind::Exclamation => {
                    self.next();
                    ExpressionKind::NonNullAssertion(self.bump.alloc(base))
                }
                _ => break,
            };
            self.raise(height.max(self.height))?;
            height = self.height;
            base = self.make(kind, start);
        }
        self.height = height;
        Ok(base)
    }

    fn array_access(
        &mut self,
        base: Expression<'a>,
        allowed: Allowed,
    ) -> Parsed<ExpressionKind<'a>> {
        self.next();
        let safe = self.eat(TokenKind::Question);
        let from_end = self.eat(TokenKind::Hat);
        let index = self.expression(allowed)?;
        self.expect(TokenKind::RightSquare, "`]`")?;
        let access = self.bump.alloc(ArrayAccess {
            base,
            safe,
            from_end,
            index,
        });
        Ok(ExpressionKind::ArrayAccess(access))
    }

    fn dot(&mut self, base: Expression<'a>, allowed: Allowed) -> Parsed<ExpressionKind<'a>> {
        self.next();
        let question = self.peek();
        let safe = self.eat(TokenKind::Question);
        let name = self.name("the name of a property or function");
        if !self.check(TokenKind::LeftParen) {
            let access = self.bump.alloc(PropertyAccess {
                base,
                safe,
                property: name,
            });
            return Ok(ExpressionKind::PropertyAccess(access));
        }
        if safe {
            let help = "leave out the `?`";
            self.wrong(question, "a function cannot be called with `.?`", help);
        }
        let arguments = self.call_arguments(allowed);
        let call = self.bump.alloc(InstanceFunctionCall {
            base,
            name,
            arguments,
        });
        Ok(ExpressionKind::InstanceFunctionCall(call))
    }

    pub(super) fn call_arguments(&mut self, allowed: Allowed) -> &'a [Expression<'a>] {
        self.next();
        let mut arguments = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.arguments(TokenKind::RightParen, "`)`", |parser| {
            let start = parser.here();
            let result = parser.expression(allowed);
            arguments.push(parser.or_skip(result, start, ARGUMENT_END));
            height = height.max(parser.height);
        });
        self.height = height;
        arguments.into_bump_slice()
    }

    fn primary(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let token = self.peek();
        match token.kind {
            TokenKind::Null => Ok(self.leaf(ExpressionKind::Null)),
            TokenKind::True => Ok(self.leaf(ExpressionKind::Boolean(true))),
            TokenKind::False => Ok(self.leaf(ExpressionKind::Boolean(false))),
            TokenKind::Integer => {
                let value = self.integer(token);
                Ok(self.leaf(ExpressionKind::Integer(value)))
            }
            TokenKind::StringComplete | TokenKind::StringLeftPiece => {
                self.string_expression("a string")
            }
            TokenKind::LeftBrace | TokenKind::LeftSquare if !allowed.complex => Err(Failure {
                token,
                what: Complaint::Wrong(
                    "arrays and objects cannot stand in a string",
                    "give it a name with `var`",
                ),
            }),
            TokenKind::LeftBrace => self.object(allowed),
            TokenKind::LeftSquare => {
                if self.is_word(self.ahead_of_lines(1), "for") {
                    self.for_expression(allowed, false)
                } else {
                    self.array()
                }
            }
            TokenKind::LeftParen => self.parenthesized_or_lambda(allowed),
            TokenKind::Identifier => self.call_or_variable(allowed),
            _ => Err(self.failure("a value")),
        }
    }

    /// The value of a whole number. What is too large is reported.
    pub(super) fn integer(&mut self, token: Token) -> u64 {
        self.slice(token).parse().unwrap_or_else(|_| {
            let help = "the largest is 9223372036854775807";
            self.wrong(token, "this number is too large", help);
            0
        })
    }

    fn call_or_variable(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        let name = self.identifier("a name")?;
        self.height = 1;
        if self.check(TokenKind::LeftParen) {
            let arguments = self.call_arguments(allowed);
            self.raise(self.height)?;
            let call = self.bump.alloc(FunctionCall { name, arguments });
            return Ok(self.make(ExpressionKind::FunctionCall(call), start));
        }
        if self.check(TokenKind::Arrow) {
            let parameters = self.bump.alloc_slice_copy(&[name]);
            return self.lambda(start, parameters);
        }
        Ok(self.make(ExpressionKind::VariableAccess(name.name), start))
    }

    /// From the arrow on.
    fn lambda(&mut self, start: Span, parameters: &'a [Identifier<'a>]) -> Parsed<Expression<'a>> {
        let body = self.lambda_body()?;
        self.raise(self.height)?;
        let lambda = self.bump.alloc(Lambda { parameters, body });
        Ok(self.make(ExpressionKind::Lambda(lambda), start))
    }

    /// From the arrow on. Lines may break behind it, unless a statement starts there.
    pub(super) fn lambda_body(&mut self) -> Parsed<Expression<'a>> {
        const STATEMENTS: [&str; 9] = [
            "assert", "import", "metadata", "param", "var", "resource", "output", "module", "type",
        ];
        self.expect(TokenKind::Arrow, "`=>`")?;
        let next = self.ahead_of_lines(0);
        if !STATEMENTS.contains(&self.slice(next)) {
            self.new_lines();
        }
        self.expression(Allowed::COMPLEX)
    }

    fn parenthesized_or_lambda(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        let open = self.peek();
        let mut items = BumpVec::new_in(self.bump);
        let mut height = 0;
        let seen = self.parenthesized(
            true,
            |parser| {
                let item = parser.expression(allowed)?;
                height = height.max(parser.height);
                Ok(item)
            },
            |item| items.push(item),
        )?;
        if self.check(TokenKind::Arrow) {
            let mut names = BumpVec::with_capacity_in(items.len(), self.bump);
            for item in items {
                names.push(self.parameter(item));
            }
            return self.lambda(start, names.into_bump_slice());
        }
        let help = "write the whole of it on one line, without a comma";
        match items.as_slice() {
            [only] => {
                if seen.commas > 0 || seen.lines {
                    self.wrong(open, "parentheses hold exactly one expression", help);
                }
                self.raise(height)?;
                let inner = self.bump.alloc(*only);
                Ok(self.make(ExpressionKind::Parenthesized(inner), start))
            }
            _ => Err(Failure {
                token: open,
                what: Complaint::Wrong("parentheses hold exactly one expression", help),
            }),
        }
    }

    /// What was read as an expression turns out to be the name of a parameter.
    fn parameter(&mut self, item: Expression<'a>) -> Identifier<'a> {
        let name = match item.kind {
            ExpressionKind::VariableAccess(name) => name,
            _ => {
                let token = Token {
                    start: item.span.start,
                    end: item.span.end,
                    kind: TokenKind::Identifier,
                    broken: false,
                    form: 0,
                };
                self.report(&Failure {
                    token,
                    what: Complaint::Expected("the name of a parameter"),
                });
                ""
            }
        };
        Identifier {
            name,
            span: item.span,
        }
    }

    fn array(&mut self) -> Parsed<Expression<'a>> {
        let start = self.here();
        self.next();
        let mut items = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.items(TokenKind::RightSquare, "`]`", Allowed::COMPLEX, |parser| {
            let start = parser.here();
            let item = if parser.check(TokenKind::Ellipsis) {
                ArrayItem::Spread(parser.spread())
            } else {
                let result = parser.expression(Allowed::COMPLEX);
                ArrayItem::Item(parser.or_skip(result, start, ITEM_END))
            };
            height = height.max(parser.height);
            items.push(item);
        });
        self.raise(height)?;
        Ok(self.make(ExpressionKind::Array(items.into_bump_slice()), start))
    }

    fn spread(&mut self) -> Spread<'a> {
        let start = self.here();
        self.next();
        let from = self.here();
        let result = self.expression(Allowed::COMPLEX);
        let expression = self.or_skip(result, from, ITEM_END);
        Spread {
            expression,
            span: self.since(start),
        }
    }

    /// An object as an expression.
    pub(super) fn object(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        let start = self.here();
        self.expect(TokenKind::LeftBrace, "`{`")?;
        let mut items = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.items(TokenKind::RightBrace, "`}`", allowed, |parser| {
            match parser.object_item(allowed) {
                Ok(item) => items.push(item),
                Err(failure) => {
                    let start = parser.here();
                    parser.skip_item(failure);
                    items.push(ObjectItem::Skipped(parser.since(start)));
                }
            }
            height = height.max(parser.height);
        });
        self.raise(height)?;
        let span = self.since(start);
        let items = items.into_bump_slice();
        Ok(self.make(ExpressionKind::Object(Object { items, span }), start))
    }

    fn object_item(&mut self, allowed: Allowed) -> Parsed<ObjectItem<'a>> {
        if self.check(TokenKind::Ellipsis) {
            return Ok(ObjectItem::Spread(self.spread()));
        }
        let resource = self.check_word("resource") && {
            // Otherwise it is a key of that name.
            self.ahead(1).kind == TokenKind::Identifier
        };
        if allowed.resources && (resource || self.check(TokenKind::At)) {
            let resource = self.nested(|parser| Ok(parser.statement(Dialect::Template)))?;
            return Ok(ObjectItem::Resource(self.bump.alloc(resource)));
        }
        let start = self.here();
        let key = self.property_name("the name of a property")?;
        let height = self.height;
        self.expect(TokenKind::Colon, "`:`")?;
        let from = self.here();
        let result = self.expression(Allowed::COMPLEX);
        let value = self.or_skip(result, from, ITEM_END);
        self.height = height.max(self.height);
        Ok(ObjectItem::Property(ObjectProperty {
            key,
            value,
            span: self.since(start),
        }))
    }

    pub(super) fn property_name(&mut self, what: &'static str) -> Parsed<PropertyName<'a>> {
        let start = self.here();
        self.height = 1;
        let kind = if self.at_string() {
            PropertyNameKind::String(self.string()?)
        } else {
            PropertyNameKind::Identifier(self.identifier(what)?.name)
        };
        Ok(PropertyName {
            kind,
            span: self.since(start),
        })
    }

    /// `[for … in …: …]`. As the value of a resource or module its body is an object or a
    /// condition.
    pub(super) fn for_expression(
        &mut self,
        allowed: Allowed,
        declaration: bool,
    ) -> Parsed<Expression<'a>> {
        let start = self.here();
        self.expect(TokenKind::LeftSquare, "`[`")?;
        self.new_lines();
        self.expect_word("for", "`for`")?;
        let (item, index) = self.loop_variables()?;
        self.expect_word("in", "`in`")?;
        let expression = self.expression(Allowed::COMPLEX)?;
        let height = self.height;
        self.expect(TokenKind::Colon, "`:`")?;
        let from = self.here();
        let result = if declaration {
            self.nested(|parser| parser.object_or_if(allowed))
        } else {
            self.expression(Allowed::COMPLEX)
        };
        let body = self.or_skip(result, from, BODY_END);
        let height = height.max(self.height);
        self.new_lines();
        if !self.eat(TokenKind::RightSquare) {
            let failure = self.failure("`]`");
            self.recover(failure, BODY_END);
            self.eat(TokenKind::RightSquare);
        }
        self.raise(height)?;
        let each = self.bump.alloc(ForExpression {
            item,
            index,
            expression,
            body,
        });
        Ok(self.make(ExpressionKind::For(each), start))
    }

    fn loop_variables(&mut self) -> Parsed<(Identifier<'a>, Option<Identifier<'a>>)> {
        const WHAT: &str = "the name of the item";
        if !self.check(TokenKind::LeftParen) {
            return Ok((self.identifier(WHAT)?, None));
        }
        self.next();
        let item = self.identifier(WHAT)?;
        self.expect(TokenKind::Comma, "`,` and the name of the number")?;
        let index = self.identifier("the name of the number")?;
        self.expect(TokenKind::RightParen, "`)`")?;
        Ok((item, Some(index)))
    }

    /// The value of a resource or module, but for its loop.
    pub(super) fn object_or_if(&mut self, allowed: Allowed) -> Parsed<Expression<'a>> {
        if self.check(TokenKind::LeftBrace) {
            return self.object(allowed);
        }
        let start = self.here();
        let token = self.expect_word("if", "`{` or `if`")?;
        let keyword = self.span(token);
        let from = self.here();
        let result = self.condition();
        let until = Kinds::of(&[TokenKind::LeftBrace]).and(TokenKind::NewLine);
        let condition = self.or_skip(result, from, until);
        let height = self.height;
        let from = self.here();
        let result = self.object(allowed);
        let body = self.or_skip(result, from, BODY_END);
        self.raise(height.max(self.height))?;
        let condition = self.bump.alloc(IfCondition {
            keyword,
            condition,
            body,
        });
        Ok(self.make(ExpressionKind::If(condition), start))
    }

    /// `( … )` behind `if`.
    fn condition(&mut self) -> Parsed<Expression<'a>> {
        let open = self.expect(TokenKind::LeftParen, "`(`")?;
        let line = self.check(TokenKind::NewLine);
        self.new_lines();
        let condition = self.expression(Allowed::COMPLEX)?;
        if line || self.check(TokenKind::NewLine) {
            let help = "write the whole of it on one line";
            self.wrong(open, "parentheses hold exactly one expression", help);
        }
        self.new_lines();
        self.expect(TokenKind::RightParen, "`)`")?;
        Ok(condition)
    }
}

/// Operators before an operand.
pub(super) fn unary_operator(kind: TokenKind) -> Option<UnaryOperator> {
    match kind {
        TokenKind::Exclamation => Some(UnaryOperator::Not),
        TokenKind::Minus => Some(UnaryOperator::Minus),
        _ => None,
    }
}

/// Operators between operands, and how tightly they bind (`TokenTypeHelper`).
fn binary_operator(kind: TokenKind) -> Option<(BinaryOperator, u8)> {
    Some(match kind {
        TokenKind::Asterisk => (BinaryOperator::Multiply, 100),
        TokenKind::Slash => (BinaryOperator::Divide, 100),
        TokenKind::Modulo => (BinaryOperator::Modulo, 100),
        TokenKind::Plus => (BinaryOperator::Add, 90),
        TokenKind::Minus => (BinaryOperator::Subtract, 90),
        TokenKind::LeftChevron => (BinaryOperator::LessThan, 80),
        TokenKind::LessThanOrEqual => (BinaryOperator::LessThanOrEqual, 80),
        TokenKind::RightChevron => (BinaryOperator::GreaterThan, 80),
        TokenKind::GreaterThanOrEqual => (BinaryOperator::GreaterThanOrEqual, 80),
        TokenKind::Equals => (BinaryOperator::Equals, 70),
        TokenKind::NotEquals => (BinaryOperator::NotEquals, 70),
        TokenKind::EqualsInsensitive => (BinaryOperator::EqualsInsensitive, 70),
        TokenKind::NotEqualsInsensitive => (BinaryOperator::NotEqualsInsensitive, 70),
        TokenKind::LogicalAnd => (BinaryOperator::LogicalAnd, 50),
        TokenKind::LogicalOr => (BinaryOperator::LogicalOr, 40),
        TokenKind::DoubleQuestion => (BinaryOperator::Coalesce, 30),
        _ => return None,
    })
}
