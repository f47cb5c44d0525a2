//! From what `hcl-edit` parses to [`crate::syntax`]: the native syntax, and the templates in
//! strings of the JSON syntax. Strip markers (`~`) are resolved here.

use std::rc::Rc;

use bicep::source::{FileId, Span};
use bumpalo::Bump;
use bumpalo::collections::Vec as List;
use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOperator, Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure::{Body as HclBody, Structure};
use hcl_edit::template::{Directive, Element, Strip, Template};

use crate::syntax::{Attribute, Block, Body, Call, Expr, For, Item, Kind, Operator, Part, Step};

/// Where a piece of text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// At the beginning of this file.
    File(FileId),
    /// Inside a JSON string: all of it has the string's place.
    Fixed(Span),
}

/// What makes the tree.
pub(crate) struct Lower<'a> {
    pub(crate) arena: &'a Bump,
    pub(crate) place: Place,
}

/// Why a text could not be read.
pub(crate) struct Refused {
    pub(crate) span: Span,
    pub(crate) message: String,
}

type Range = Option<std::ops::Range<usize>>;

impl<'a> Lower<'a> {
    /// Reads a file.
    pub(crate) fn body_text(&self, text: &str) -> Result<Body<'a>, Refused> {
        self.read(text, hcl_edit::parser::parse_body(text).map(Rc::new))
    }

    /// Reads a file that was parsed.
    pub(crate) fn read(
        &self,
        text: &str,
        parsed: Result<Rc<HclBody>, hcl_edit::parser::Error>,
    ) -> Result<Body<'a>, Refused> {
        parsed
            .map(|body| self.body(&body))
            .map_err(|error| self.refused(text, &error))
    }

    /// Reads a template, as `templatefile` and JSON strings hold them.
    pub(crate) fn template_text(&self, text: &str) -> Result<Expr<'a>, Refused> {
        let template =
            hcl_edit::parser::parse_template(text).map_err(|error| self.refused(text, &error))?;
        Ok(self.template_expr(&template, Some(0..text.len())))
    }

    /// Reads an expression.
    pub(crate) fn expr_text(&self, text: &str) -> Result<Expr<'a>, Refused> {
        hcl_edit::parser::parse_expr(text)
            .map(|expr| self.expr(&expr))
            .map_err(|error| self.refused(text, &error))
    }

    fn refused(&self, text: &str, error: &hcl_edit::parser::Error) -> Refused {
        let location = error.location();
        let start: usize = text
            .split_inclusive('\n')
            .take(location.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let line = text.get(start..).unwrap_or_default();
        let column = line
            .char_indices()
            .nth(location.column().saturating_sub(1))
            .map_or(0, |(at, _)| at);
        let at = (start + column).min(text.len());
        Refused {
            span: self.span(Some(at..at)),
            message: error.message().replace('\n', "; "),
        }
    }

    fn span(&self, range: Range) -> Span {
        match self.place {
            Place::Fixed(span) => span,
            Place::File(file) => {
                let range = range.unwrap_or_default();
                Span {
                    file,
                    start: u32::try_from(range.start).unwrap_or(u32::MAX),
                    end: u32::try_from(range.end).unwrap_or(u32::MAX),
                }
            }
        }
    }

    fn str(&self, text: &str) -> &'a str {
        self.arena.alloc_str(text)
    }

    fn body(&self, body: &HclBody) -> Body<'a> {
        let mut attributes = List::new_in(self.arena);
        let mut blocks = List::new_in(self.arena);
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => attributes.push(Attribute {
                    name: self.str(attribute.key.as_str()),
                    name_span: self.span(attribute.key.span()),
                    value: self.expr(&attribute.value),
                }),
                Structure::Block(block) => {
                    let mut labels = List::new_in(self.arena);
                    let mut head = self.span(block.ident.span());
                    for label in &block.labels {
                        labels.push(self.str(label.as_str()));
                        head = head.to(self.span(label.span()));
                    }
                    blocks.push(Block {
                        kind: self.str(block.ident.as_str()),
                        labels: labels.into_bump_slice(),
                        head,
                        body: self.body(&block.body),
                    });
                }
            }
        }
        Body {
            attributes: attributes.into_bump_slice(),
            blocks: blocks.into_bump_slice(),
        }
    }

    fn expr(&self, expr: &Expression) -> Expr<'a> {
        let span = self.span(expr.span());
        let kind = match expr {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(value) => Kind::Bool(*value.value()),
            Expression::Number(number) => {
                let number = number.value();
                match number.as_i64() {
                    Some(int) => Kind::Int(int),
                    None => Kind::Float(number.as_f64().unwrap_or_default()),
                }
            }
            Expression::String(text) => Kind::Str(self.str(text.as_str())),
            Expression::Array(items) => {
                let items = items.iter().map(|item| self.expr(item));
                Kind::Tuple(self.list(items))
            }
            Expression::Object(object) => Kind::Object(self.object(object)),
            Expression::StringTemplate(template) => {
                return self.parts_expr(self.parts(template.iter(), false, false), span);
            }
            Expression::HeredocTemplate(heredoc) => {
                return self.parts_expr(self.parts(heredoc.template.iter(), false, false), span);
            }
            Expression::Parenthesis(inner) => {
                return Expr {
                    span,
                    ..self.expr(inner.inner())
                };
            }
            Expression::Variable(name) => Kind::Name(self.str(name.as_str())),
            Expression::Conditional(conditional) => Kind::Conditional(self.arena.alloc([
                self.expr(&conditional.cond_expr),
                self.expr(&conditional.true_expr),
                self.expr(&conditional.false_expr),
            ])),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => {
                return self.traversal(&traversal.expr, &traversal.operators);
            }
            Expression::UnaryOp(unary) => {
                let inner = self.arena.alloc(self.expr(&unary.expr));
                match unary.operator.value() {
                    UnaryOperator::Neg => Kind::Minus(inner),
                    UnaryOperator::Not => Kind::Not(inner),
                }
            }
            Expression::BinaryOp(binary) => Kind::Binary(
                operator(*binary.operator.value()),
                self.arena
                    .alloc([self.expr(&binary.lhs_expr), self.expr(&binary.rhs_expr)]),
            ),
            Expression::ForExpr(repeat) => Kind::For(self.arena.alloc(For {
                key: repeat.intro.key_var.as_ref().map(|key| self.str(key)),
                value: self.str(&repeat.intro.value_var),
                collection: self.expr(&repeat.intro.collection_expr),
                result_key: repeat.key_expr.as_ref().map(|key| self.expr(key)),
                result: self.expr(&repeat.value_expr),
                condition: repeat.cond.as_ref().map(|cond| self.expr(&cond.expr)),
                grouping: repeat.grouping,
            })),
        };
        Expr { span, kind }
    }

    fn list<T: Copy>(&self, items: impl Iterator<Item = T>) -> &'a [T] {
        List::from_iter_in(items, self.arena).into_bump_slice()
    }

    fn object(&self, object: &hcl_edit::expr::Object) -> &'a [Item<'a>] {
        let items = object.iter().map(|(key, value)| Item {
            key: match key {
                ObjectKey::Ident(name) => Expr {
                    span: self.span(name.span()),
                    kind: Kind::Str(self.str(name.as_str())),
                },
                // A name in key position is a string however the parser sees it.
                ObjectKey::Expression(Expression::Variable(name)) => Expr {
                    span: self.span(name.span()),
                    kind: Kind::Str(self.str(name.as_str())),
                },
                ObjectKey::Expression(expr) => self.expr(expr),
            },
            value: self.expr(value.expr()),
        });
        self.list(items)
    }

    fn call(&self, call: &hcl_edit::expr::FuncCall) -> Kind<'a> {
        let mut name = String::new();
        for part in &call.name.namespace {
            name.push_str(part.as_str());
            name.push_str("::");
        }
        name.push_str(call.name.name.as_str());
        let args = call.args.iter().map(|arg| self.expr(arg));
        Kind::Call(self.arena.alloc(Call {
            name: self.str(&name),
            args: self.list(args),
            spread: call.args.expand_final(),
        }))
    }

    fn traversal(
        &self,
        base: &Expression,
        operators: &[hcl_edit::Decorated<TraversalOperator>],
    ) -> Expr<'a> {
        let mut expr = self.expr(base);
        let mut rest = operators.iter().peekable();
        while let Some(operator) = rest.next() {
            let span = expr.span.to(self.span(operator.span()));
            let inner: &'a Expr<'a> = self.arena.alloc(expr);
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => Kind::Attr(inner, self.str(name.as_str())),
                TraversalOperator::Index(index) => {
                    Kind::Index(inner, self.arena.alloc(self.expr(index)))
                }
                TraversalOperator::LegacyIndex(index) => {
                    Kind::Index(inner, self.arena.alloc(self.legacy(**index, span)))
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let full = matches!(operator.value(), TraversalOperator::FullSplat(_));
                    let mut steps = List::new_in(self.arena);
                    while let Some(next) = rest.peek() {
                        let place = self.span(next.span());
                        let step = match next.value() {
                            TraversalOperator::GetAttr(name) => {
                                Step::Attr(self.str(name.as_str()), place)
                            }
                            TraversalOperator::Index(index) if full => {
                                Step::Index(self.expr(index))
                            }
                            TraversalOperator::LegacyIndex(index) if full => {
                                Step::Index(self.legacy(**index, place))
                            }
                            _ => break,
                        };
                        steps.push(step);
                        rest.next();
                    }
                    Kind::Splat(inner, steps.into_bump_slice())
                }
            };
            expr = Expr { span, kind };
        }
        expr
    }

    fn legacy(&self, index: u64, span: Span) -> Expr<'a> {
        Expr {
            span,
            kind: Kind::Int(i64::try_from(index).unwrap_or(i64::MAX)),
        }
    }

    fn template_expr(&self, template: &Template, range: Range) -> Expr<'a> {
        self.parts_expr(self.parts(template.iter(), false, false), self.span(range))
    }

    /// A template that is one interpolation is that value; one that is text is a string.
    fn parts_expr(&self, parts: &'a [Part<'a>], span: Span) -> Expr<'a> {
        let kind = match parts {
            [] => Kind::Str(""),
            [Part::Literal(text)] => Kind::Str(text),
            [Part::Value(inner)] => {
                return Expr { span, ..*inner };
            }
            _ => Kind::Template(parts),
        };
        Expr { span, kind }
    }

    /// The pieces; `start` and `end`: what encloses them strips white space there.
    fn parts<'t>(
        &self,
        elements: impl Iterator<Item = &'t Element>,
        start: bool,
        end: bool,
    ) -> &'a [Part<'a>] {
        let elements: Vec<&Element> = elements.collect();
        let mut parts = List::new_in(self.arena);
        for (at, element) in elements.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| elements.get(at));
            let after = elements.get(at + 1);
            match element {
                Element::Literal(text) => {
                    let mut text = text.as_str();
                    if before.map_or(start, |element| strips(element).1) {
                        text = strip_start(text);
                    }
                    if after.map_or(end, |element| strips(element).0) {
                        text = strip_end(text);
                    }
                    if !text.is_empty() {
                        parts.push(Part::Literal(self.str(text)));
                    }
                }
                Element::Interpolation(inner) => parts.push(Part::Value(self.expr(&inner.expr))),
                Element::Directive(directive) => parts.push(self.directive(directive)),
            }
        }
        parts.into_bump_slice()
    }

    fn directive(&self, directive: &Directive) -> Part<'a> {
        match directive {
            Directive::If(found) => {
                let next = found
                    .else_expr
                    .as_ref()
                    .map_or(found.endif_expr.strip, |other| other.strip);
                Part::If {
                    condition: self.expr(&found.if_expr.cond_expr),
                    then: self.parts(
                        found.if_expr.template.iter(),
                        found.if_expr.strip.strip_end(),
                        next.strip_start(),
                    ),
                    otherwise: found.else_expr.as_ref().map_or(&[], |other| {
                        self.parts(
                            other.template.iter(),
                            other.strip.strip_end(),
                            found.endif_expr.strip.strip_start(),
                        )
                    }),
                }
            }
            Directive::For(found) => Part::For {
                key: found.for_expr.key_var.as_ref().map(|key| self.str(key)),
                value: self.str(&found.for_expr.value_var),
                collection: self.expr(&found.for_expr.collection_expr),
                parts: self.parts(
                    found.for_expr.template.iter(),
                    found.for_expr.strip.strip_end(),
                    found.endfor_expr.strip.strip_start(),
                ),
            },
        }
    }
}

/// Whether an element strips the text before it, and the text behind it.
fn strips(element: &Element) -> (bool, bool) {
    let (first, last): (Strip, Strip) = match element {
        Element::Literal(_) => return (false, false),
        Element::Interpolation(inner) => (inner.strip, inner.strip),
        Element::Directive(directive) => match &**directive {
            Directive::If(found) => (found.if_expr.strip, found.endif_expr.strip),
            Directive::For(found) => (found.for_expr.strip, found.endfor_expr.strip),
        },
    };
    (first.strip_start(), last.strip_end())
}

fn strip_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches([' ', '\t', '\r', '\n'])
}

fn operator(operator: BinaryOperator) -> Operator {
    match operator {
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::LessEq => Operator::LessEqual,
        BinaryOperator::GreaterEq => Operator::GreaterEqual,
        BinaryOperator::Less => Operator::Less,
        BinaryOperator::Greater => Operator::Greater,
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Mul => Operator::Multiply,
        BinaryOperator::Div => Operator::Divide,
        BinaryOperator::Mod => Operator::Modulo,
        BinaryOperator::And => Operator::And,
        BinaryOperator::Or => Operator::Or,
    }
}
