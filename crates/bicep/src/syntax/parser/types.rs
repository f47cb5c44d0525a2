//! Types, loosest first.

use bumpalo::collections::Vec as BumpVec;

use super::expressions::unary_operator;
use super::lists::ITEM_END;
use super::{Allowed, Kinds, Parsed, Parser};
use crate::source::Span;
use crate::syntax::lexer::TokenKind;
use crate::syntax::types::{
    ObjectTypeItem, ParameterizedType, TupleTypeItem, Type, TypeKind, TypedLambda,
    TypedLocalVariable, UnaryType,
};
use crate::syntax::{Identifier, PropertyName, PropertyNameKind};

/// Where an argument of a type ends when it cannot be read.
const TYPE_ARGUMENT_END: Kinds = Kinds::of(&[
    TokenKind::Comma,
    TokenKind::NewLine,
    TokenKind::RightChevron,
]);

impl<'a> Parser<'a> {
    fn make_type(&mut self, kind: TypeKind<'a>, start: Span) -> Type<'a> {
        Type {
            kind,
            span: self.since(start),
        }
    }

    fn leaf_type(&mut self, kind: TypeKind<'a>) -> Type<'a> {
        let start = self.here();
        self.next();
        self.height = 1;
        self.make_type(kind, start)
    }

    /// The type, or what stands for it, up to the next token of one of these kinds.
    pub(super) fn type_or_skip(
        &mut self,
        result: Parsed<Type<'a>>,
        start: Span,
        until: Kinds,
    ) -> Type<'a> {
        match result {
            Ok(ty) => ty,
            Err(failure) => {
                self.recover(failure, until);
                self.make_type(TypeKind::Skipped, start)
            }
        }
    }

    /// A type of a declaration: also `resource 'type@version'`, of an output also without the
    /// string.
    pub(super) fn declared_type(&mut self, output: bool) -> Parsed<Type<'a>> {
        let resource = self.check_word("resource");
        if !resource || self.ahead(1).kind == TokenKind::LeftChevron {
            return self.ty();
        }
        let start = self.here();
        self.next();
        let string = if output && !self.at_string() {
            self.height = 1;
            None
        } else {
            let string = self.string_expression("the type of a resource, as a string")?;
            Some(&*self.bump.alloc(string))
        };
        Ok(self.make_type(TypeKind::Resource(string), start))
    }

    pub(super) fn ty(&mut self) -> Parsed<Type<'a>> {
        self.nested(Self::union)
    }

    fn at_pipe(&self) -> bool {
        self.check(TokenKind::Pipe)
            || (self.check(TokenKind::NewLine) && self.ahead(1).kind == TokenKind::Pipe)
    }

    /// `a | b`: before each `|` a line may break, and the first type may have one too.
    fn union(&mut self) -> Parsed<Type<'a>> {
        let start = self.here();
        let leading = self.at_pipe();
        if leading {
            self.new_lines();
            self.next();
        }
        let first = self.unary_type()?;
        if !leading && !self.at_pipe() {
            return Ok(first);
        }
        let mut height = self.height;
        let mut members = BumpVec::new_in(self.bump);
        members.push(first);
        while self.at_pipe() {
            self.new_lines();
            self.next();
            members.push(self.unary_type()?);
            height = height.max(self.height);
        }
        self.raise(height)?;
        Ok(self.make_type(TypeKind::Union(members.into_bump_slice()), start))
    }

    fn unary_type(&mut self) -> Parsed<Type<'a>> {
        let start = self.here();
        let mut ty = match unary_operator(self.peek().kind) {
            Some(operator) => {
                let token = self.next();
                let operand = self.member_type()?;
                self.raise(self.height)?;
                let unary = self.bump.alloc(UnaryType {
                    operator,
                    operator_span: self.span(token),
                    operand,
                });
                self.make_type(TypeKind::Unary(unary), start)
            }
            None => self.member_type()?,
        };
        loop {
            let kind = if self.eat(TokenKind::Question) {
                TypeKind::Nullable(self.bump.alloc(ty))
            } else if self.eat(TokenKind::Exclamation) {
                TypeKind::NonNullable(self.bump.alloc(ty))
            } else {
                return Ok(ty);
            };
            self.raise(self.height)?;
            ty = self.make_type(kind, start);
        }
    }

    fn member_type(&mut self) -> Parsed<Type<'a>> {
        let start = self.here();
        let mut base = self.primary_type()?;
        let mut height = self.height;
        loop {
            self.height = 0;
            let kind = if self.eat(TokenKind::LeftSquare) {
                self.square(base)?
            } else if self.eat(TokenKind::Dot) {
                self.dot_type(base)?
            } else {
                break;
            };
            self.raise(height.max(self.height))?;
            height = self.height;
            base = self.make_type(kind, start);
        }
        self.height = height;
        Ok(base)
    }

    fn square(&mut self, base: Type<'a>) -> Parsed<TypeKind<'a>> {
        let base = self.bump.alloc(base);
        if self.eat(TokenKind::RightSquare) {
            return Ok(TypeKind::Array(base));
        }
        let kind = if self.eat(TokenKind::Asterisk) {
            TypeKind::ItemsAccess(base)
        } else {
            let index = self.expression(Allowed::SIMPLE)?;
            TypeKind::ArrayAccess(base, self.bump.alloc(index))
        };
        self.expect(TokenKind::RightSquare, "`]`")?;
        Ok(kind)
    }

    fn dot_type(&mut self, base: Type<'a>) -> Parsed<TypeKind<'a>> {
        if self.eat(TokenKind::Asterisk) {
            return Ok(TypeKind::AdditionalPropertiesAccess(self.bump.alloc(base)));
        }
        let name = self.name("the name of a property or type");
        if self.check(TokenKind::LeftChevron) {
            return Ok(self.parameterized_type(Some(base), name));
        }
        Ok(TypeKind::PropertyAccess(self.bump.alloc(base), name))
    }

    fn parameterized_type(&mut self, base: Option<Type<'a>>, name: Identifier<'a>) -> TypeKind<'a> {
        self.next();
        let mut arguments = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.arguments(TokenKind::RightChevron, "`>`", |parser| {
            let start = parser.here();
            let result = parser.ty();
            arguments.push(parser.type_or_skip(result, start, TYPE_ARGUMENT_END));
            height = height.max(parser.height);
        });
        self.height = height;
        TypeKind::Parameterized(self.bump.alloc(ParameterizedType {
            base,
            name,
            arguments: arguments.into_bump_slice(),
        }))
    }

    fn primary_type(&mut self) -> Parsed<Type<'a>> {
        let token = self.peek();
        let start = self.here();
        match token.kind {
            TokenKind::Null => Ok(self.leaf_type(TypeKind::Null)),
            TokenKind::True => Ok(self.leaf_type(TypeKind::Boolean(true))),
            TokenKind::False => Ok(self.leaf_type(TypeKind::Boolean(false))),
            TokenKind::Integer => {
                let value = self.integer(token);
                Ok(self.leaf_type(TypeKind::Integer(value)))
            }
            TokenKind::StringComplete | TokenKind::StringLeftPiece => {
                let string = self.string()?;
                Ok(self.make_type(TypeKind::String(string), start))
            }
            TokenKind::LeftBrace => self.object_type(),
            TokenKind::LeftSquare => self.tuple_type(),
            TokenKind::LeftParen => {
                self.next();
                let inner = self.ty()?;
                self.expect(TokenKind::RightParen, "`)`")?;
                self.raise(self.height)?;
                let inner = self.bump.alloc(inner);
                Ok(self.make_type(TypeKind::Parenthesized(inner), start))
            }
            TokenKind::Identifier => {
                let name = self.identifier("the name of a type")?;
                self.height = 1;
                if self.check(TokenKind::LeftChevron) {
                    let kind = self.parameterized_type(None, name);
                    self.raise(self.height)?;
                    return Ok(self.make_type(kind, start));
                }
                Ok(self.make_type(TypeKind::Name(name.name), start))
            }
            _ => Err(self.failure("a type")),
        }
    }

    fn object_type(&mut self) -> Parsed<Type<'a>> {
        let start = self.here();
        self.next();
        let mut items = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.items(TokenKind::RightBrace, "`}`", Allowed::COMPLEX, |parser| {
            let start = parser.here();
            match parser.object_type_item() {
                Ok(item) => items.push(item),
                Err(failure) => {
                    parser.skip_item(failure);
                    let span = parser.since(start);
                    items.push(ObjectTypeItem {
                        decorators: &[],
                        key: Some(PropertyName {
                            kind: PropertyNameKind::Skipped,
                            span,
                        }),
                        ty: parser.make_type(TypeKind::Skipped, start),
                        span,
                    });
                }
            }
            height = height.max(parser.height);
        });
        self.raise(height)?;
        Ok(self.make_type(TypeKind::Object(items.into_bump_slice()), start))
    }

    fn object_type_item(&mut self) -> Parsed<ObjectTypeItem<'a>> {
        let start = self.here();
        let decorators = self.decorators();
        let mut height = self.height;
        let key = if self.eat(TokenKind::Asterisk) {
            None
        } else {
            let key = self.property_name("the name of a property, or `*`")?;
            height = height.max(self.height);
            Some(key)
        };
        self.expect(TokenKind::Colon, "`:`")?;
        let from = self.here();
        let result = self.ty();
        let ty = self.type_or_skip(result, from, ITEM_END);
        self.height = height.max(self.height);
        Ok(ObjectTypeItem {
            decorators,
            key,
            ty,
            span: self.since(start),
        })
    }

    fn tuple_type(&mut self) -> Parsed<Type<'a>> {
        let start = self.here();
        self.next();
        let mut items = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.items(TokenKind::RightSquare, "`]`", Allowed::COMPLEX, |parser| {
            let start = parser.here();
            let decorators = parser.decorators();
            height = height.max(parser.height);
            let from = parser.here();
            let result = parser.ty();
            let ty = parser.type_or_skip(result, from, ITEM_END);
            height = height.max(parser.height);
            items.push(TupleTypeItem {
                decorators,
                ty,
                span: parser.since(start),
            });
        });
        self.raise(height)?;
        Ok(self.make_type(TypeKind::Tuple(items.into_bump_slice()), start))
    }

    /// `(a string, b int) string => …`
    pub(super) fn typed_lambda(&mut self) -> Parsed<TypedLambda<'a>> {
        const TYPE_END: Kinds =
            Kinds::of(&[TokenKind::Comma, TokenKind::RightParen, TokenKind::NewLine]);
        const RETURN_END: Kinds = Kinds::of(&[TokenKind::Arrow, TokenKind::NewLine]);
        let mut parameters = BumpVec::new_in(self.bump);
        let mut height = 0;
        self.parenthesized(
            true,
            |parser| {
                let name = parser.identifier("the name of a parameter")?;
                let from = parser.here();
                let result = parser.declared_type(false);
                let ty = parser.type_or_skip(result, from, TYPE_END);
                height = height.max(parser.height);
                Ok(TypedLocalVariable { name, ty })
            },
            |parameter| parameters.push(parameter),
        )?;
        let from = self.here();
        let result = self.declared_type(false);
        let return_type = self.type_or_skip(result, from, RETURN_END);
        let height = height.max(self.height);
        let body = self.lambda_body()?;
        self.raise(height.max(self.height))?;
        Ok(TypedLambda {
            parameters: parameters.into_bump_slice(),
            return_type,
            body,
        })
    }
}
