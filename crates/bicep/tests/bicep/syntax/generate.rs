//! Printing a random tree and reading it again gives the same tree.

use bicep::source::{FileId, Span};
use bicep::syntax::{self, *};
use bumpalo::Bump;

use super::shape;

#[test]
fn printed_trees_read_the_same() {
    for seed in 0..600 {
        let bump = Bump::new();
        let mut generator = Generator::new(&bump, seed);
        let parameters = generator.chance(20);
        let statements = generator.many(6, |generator| generator.statement(parameters));
        let program = Program {
            statements,
            directives: &[],
            comments: &[],
            span: Span::default(),
        };
        let text = syntax::print(&program);
        let (again, problems) = if parameters {
            syntax::parse_parameters(&bump, &text, FileId(0))
        } else {
            syntax::parse(&bump, &text, FileId(0))
        };
        assert!(
            problems.is_empty(),
            "seed {seed}: {problems:#?}\nin\n{text}"
        );
        let (wanted, found) = (shape(&program), shape(&again));
        if let Some((line, other)) = wanted.lines().zip(found.lines()).find(|(a, b)| a != b) {
            panic!("seed {seed}: `{line}` became `{other}`\nin\n{text}");
        }
        assert_eq!(wanted, found, "seed {seed}:\n{text}");
        assert_eq!(text, syntax::print(&again), "seed {seed}");
    }
}

/// The same seed, the same tree (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % below
    }
}

/// Words that mean something in some places are names in others.
const NAMES: [&str; 14] = [
    "a", "b", "cluster", "resource", "param", "if", "in", "existing", "as", "from", "with", "type",
    "_x1", "this",
];

const TYPES: [&str; 6] = ["string", "int", "bool", "object", "array", "Mine"];

const TEXTS: [&str; 12] = [
    "",
    "x",
    "it's",
    "a\\b",
    "$",
    "${no hole}",
    "line\nline",
    "\r\n\t",
    "grüße 🦀",
    "\u{1}\u{7f}",
    "$$",
    "// no comment",
];

/// None of these ends its string or opens a hole.
const LONG_TEXTS: [&str; 9] = [
    "",
    "x",
    "\n",
    "\r\nx",
    "it''s",
    "'",
    "a $ b {}",
    "\\n ${",
    "// no comment\n",
];

/// How tightly an expression holds together; see `TokenTypeHelper`.
const LOOSE: u8 = 0;
const UNARY: u8 = 110;
const TIGHT: u8 = 120;

struct Generator<'a> {
    bump: &'a Bump,
    random: Random,
    depth: usize,
}

impl<'a> Generator<'a> {
    fn new(bump: &'a Bump, seed: u64) -> Self {
        Self {
            bump,
            random: Random::new(seed),
            depth: 0,
        }
    }

    fn next(&mut self, below: usize) -> usize {
        self.random.next(below)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.next(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len())]
    }

    fn many<T: Copy>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> &'a [T] {
        let count = self.next(most + 1);
        let items: Vec<T> = (0..count).map(|_| one(self)).collect();
        self.bump.alloc_slice_copy(&items)
    }

    fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(50).then(|| one(self))
    }

    fn name(&mut self) -> Identifier<'a> {
        Identifier {
            name: self.pick(&NAMES),
            span: Span::default(),
        }
    }

    fn at<K>(kind: K) -> (K, Span) {
        (kind, Span::default())
    }

    fn expression_of(kind: ExpressionKind<'a>) -> Expression<'a> {
        let (kind, span) = Self::at(kind);
        Expression { kind, span }
    }

    fn type_of(kind: TypeKind<'a>) -> Type<'a> {
        let (kind, span) = Self::at(kind);
        Type { kind, span }
    }

    fn statement(&mut self, parameters: bool) -> Statement<'a> {
        let decorators = self.decorators();
        let kind = if parameters {
            self.parameters_kind()
        } else {
            self.kind()
        };
        Statement {
            decorators,
            keyword: Span::default(),
            kind,
            span: Span::default(),
        }
    }

    fn decorators(&mut self) -> &'a [Decorator<'a>] {
        self.many(2, |generator| {
            let name = generator.name();
            let arguments = generator.many(2, |generator| generator.expression(true));
            let kind = match generator.next(4) {
                0 => ExpressionKind::VariableAccess(name.name),
                1 => {
                    let base = Self::expression_of(ExpressionKind::VariableAccess("sys"));
                    ExpressionKind::InstanceFunctionCall(generator.bump.alloc(
                        InstanceFunctionCall {
                            base,
                            name,
                            arguments,
                        },
                    ))
                }
                _ => ExpressionKind::FunctionCall(
                    generator.bump.alloc(FunctionCall { name, arguments }),
                ),
            };
            Decorator {
                expression: Self::expression_of(kind),
                span: Span::default(),
            }
        })
    }

    fn assignment(&mut self) -> Assignment<'a> {
        Assignment {
            name: self.name(),
            value: self.expression(true),
        }
    }

    fn kind(&mut self) -> StatementKind<'a> {
        match self.next(14) {
            0 => StatementKind::TargetScope(self.expression(true)),
            1 => StatementKind::Metadata(self.assignment()),
            2 => StatementKind::Assert(self.assignment()),
            3 | 4 => StatementKind::Parameter(ParameterDeclaration {
                name: self.name(),
                ty: self.declared_type(false),
                default: self.maybe(|generator| generator.expression(true)),
            }),
            5 => StatementKind::Variable(self.variable()),
            6 => StatementKind::Type(TypeDeclaration {
                name: self.name(),
                ty: self.declared_type(false),
            }),
            7 => StatementKind::Function(FunctionDeclaration {
                name: self.name(),
                lambda: Some(TypedLambda {
                    parameters: self.many(2, |generator| TypedLocalVariable {
                        name: generator.name(),
                        ty: generator.declared_type(false),
                    }),
                    return_type: self.declared_type(false),
                    body: self.expression(true),
                }),
            }),
            8 | 9 => StatementKind::Resource(self.resource()),
            10 => StatementKind::Module(ModuleDeclaration {
                name: self.name(),
                path: self.string_expression(),
                value: self.body(false),
            }),
            11 => StatementKind::Output(OutputDeclaration {
                name: self.name(),
                ty: self.declared_type(true),
                value: self.expression(true),
            }),
            12 => StatementKind::Test(TestDeclaration {
                name: self.name(),
                path: self.string_expression(),
                value: Self::expression_of(ExpressionKind::Object(self.object(false))),
            }),
            _ => self.outside(),
        }
    }

    fn variable(&mut self) -> VariableDeclaration<'a> {
        VariableDeclaration {
            name: self.name(),
            ty: self.maybe(|generator| generator.declared_type(false)),
            value: self.expression(true),
        }
    }

    fn outside(&mut self) -> StatementKind<'a> {
        if self.chance(50) {
            return StatementKind::Extension(ExtensionDeclaration {
                specification: if self.chance(50) {
                    Self::expression_of(ExpressionKind::VariableAccess("kubernetes"))
                } else {
                    self.string_expression()
                },
                with: self.maybe(Self::object_expression),
                alias: self.maybe(Self::name),
            });
        }
        let what = if self.chance(30) {
            Imported::Wildcard(self.name())
        } else {
            Imported::Symbols(self.many(3, |generator| {
                let quoted = generator.chance(30);
                let kind = if quoted {
                    PropertyNameKind::String(generator.string())
                } else {
                    PropertyNameKind::Identifier(generator.pick(&NAMES))
                };
                ImportedSymbol {
                    name: PropertyName {
                        kind,
                        span: Span::default(),
                    },
                    alias: (quoted || generator.chance(50)).then(|| generator.name()),
                    span: Span::default(),
                }
            }))
        };
        StatementKind::Import(ImportDeclaration {
            what,
            from: self.string_expression(),
        })
    }

    fn parameters_kind(&mut self) -> StatementKind<'a> {
        match self.next(7) {
            0 => StatementKind::Using(UsingDeclaration {
                path: self.maybe(Self::string_expression),
                with: self.maybe(Self::object_expression),
            }),
            1 => StatementKind::Extends(self.string_expression()),
            2 => StatementKind::Variable(self.variable()),
            3 => StatementKind::ExtensionConfig(ExtensionConfigAssignment {
                alias: self.name(),
                with: self.object_expression(),
            }),
            4 => self.outside(),
            _ => StatementKind::ParameterAssignment(self.assignment()),
        }
    }

    fn resource(&mut self) -> ResourceDeclaration<'a> {
        ResourceDeclaration {
            name: self.name(),
            ty: self.string_expression(),
            existing: self.maybe(|_| Span::default()),
            value: self.body(true),
        }
    }

    fn body(&mut self, resources: bool) -> Expression<'a> {
        match self.next(4) {
            0 => {
                let body = self.object_or_if(resources);
                self.each(body)
            }
            _ => self.object_or_if(resources),
        }
    }

    fn object_or_if(&mut self, resources: bool) -> Expression<'a> {
        let body = Self::expression_of(ExpressionKind::Object(self.object(resources)));
        if self.chance(60) {
            return body;
        }
        let condition = self.expression(true);
        Self::expression_of(ExpressionKind::If(self.bump.alloc(IfCondition {
            keyword: Span::default(),
            condition,
            body,
        })))
    }

    fn each(&mut self, body: Expression<'a>) -> Expression<'a> {
        let each = ForExpression {
            item: self.name(),
            index: self.maybe(Self::name),
            expression: self.expression(true),
            body,
        };
        Self::expression_of(ExpressionKind::For(self.bump.alloc(each)))
    }

    fn object_expression(&mut self) -> Expression<'a> {
        Self::expression_of(ExpressionKind::Object(self.object(false)))
    }

    fn object(&mut self, resources: bool) -> Object<'a> {
        self.depth += 1;
        let most = if self.depth > 5 { 1 } else { 4 };
        let items = self.many(most, |generator| match generator.next(8) {
            0 => ObjectItem::Spread(generator.spread()),
            1 if resources && generator.depth < 5 => {
                let decorators = generator.decorators();
                let resource = generator.resource();
                ObjectItem::Resource(generator.bump.alloc(Statement {
                    decorators,
                    keyword: Span::default(),
                    kind: StatementKind::Resource(resource),
                    span: Span::default(),
                }))
            }
            _ => ObjectItem::Property(ObjectProperty {
                key: generator.property_name(),
                value: generator.expression(true),
                span: Span::default(),
            }),
        });
        self.depth -= 1;
        Object {
            items,
            span: Span::default(),
        }
    }

    fn property_name(&mut self) -> PropertyName<'a> {
        let kind = if self.chance(60) {
            PropertyNameKind::Identifier(self.pick(&NAMES))
        } else {
            PropertyNameKind::String(self.string())
        };
        PropertyName {
            kind,
            span: Span::default(),
        }
    }

    fn spread(&mut self) -> Spread<'a> {
        Spread {
            expression: self.expression(true),
            span: Span::default(),
        }
    }

    fn string_expression(&mut self) -> Expression<'a> {
        let string = self.string();
        Self::expression_of(ExpressionKind::String(string))
    }

    fn string(&mut self) -> StringLiteral<'a> {
        let form = match self.next(5) {
            0 => StringForm::MultiLine(self.next(4) as u32),
            _ => StringForm::SingleLine,
        };
        let holes = match form {
            StringForm::MultiLine(0) => 0,
            _ if self.depth > 5 => 0,
            _ => [0, 0, 0, 1, 2][self.next(5)],
        };
        let texts: &[&'static str] = match form {
            StringForm::SingleLine => &TEXTS,
            // `${` opens a hole behind one dollar.
            StringForm::MultiLine(1) => &LONG_TEXTS[..7],
            StringForm::MultiLine(_) => &LONG_TEXTS,
        };
        let segments: Vec<_> = (0..=holes)
            .map(|_| StringSegment {
                text: self.pick(texts),
                span: Span::default(),
            })
            .collect();
        let expressions: Vec<_> = (0..holes).map(|_| self.expression(false)).collect();
        StringLiteral {
            segments: self.bump.alloc_slice_copy(&segments),
            expressions: self.bump.alloc_slice_copy(&expressions),
            form,
        }
    }

    fn expression(&mut self, complex: bool) -> Expression<'a> {
        self.depth += 1;
        let (expression, _) = self.any(complex);
        self.depth -= 1;
        expression
    }

    /// An expression that holds together at least so tightly; in parentheses if need be.
    fn operand(&mut self, least: u8, complex: bool) -> Expression<'a> {
        self.depth += 1;
        let (expression, tightness) = self.any(complex);
        self.depth -= 1;
        if tightness >= least {
            return expression;
        }
        let inner = self.bump.alloc(expression);
        Self::expression_of(ExpressionKind::Parenthesized(inner))
    }

    fn any(&mut self, complex: bool) -> (Expression<'a>, u8) {
        let (kind, tightness) = if self.depth > 5 {
            (self.small(), TIGHT)
        } else {
            match self.next(20) {
                0..=4 => (self.small(), TIGHT),
                5 | 6 => (ExpressionKind::String(self.string()), TIGHT),
                7 if complex => {
                    let items = self.many(3, |generator| match generator.next(5) {
                        0 => ArrayItem::Spread(generator.spread()),
                        _ => ArrayItem::Item(generator.expression(true)),
                    });
                    (ExpressionKind::Array(items), TIGHT)
                }
                8 if complex => (ExpressionKind::Object(self.object(false)), TIGHT),
                9 if complex => {
                    let body = self.expression(true);
                    (self.each(body).kind, TIGHT)
                }
                10 => {
                    let inner = self.expression(complex);
                    (ExpressionKind::Parenthesized(self.bump.alloc(inner)), TIGHT)
                }
                11 => {
                    let lambda = Lambda {
                        parameters: self.many(2, Self::name),
                        body: self.expression(true),
                    };
                    (ExpressionKind::Lambda(self.bump.alloc(lambda)), LOOSE)
                }
                12 => {
                    let ternary = TernaryOperation {
                        condition: self.operand(LOOSE + 1, complex),
                        true_expression: self.expression(complex),
                        false_expression: self.expression(complex),
                    };
                    (ExpressionKind::Ternary(self.bump.alloc(ternary)), LOOSE)
                }
                13 => {
                    let unary = UnaryOperation {
                        operator: self.pick(&[UnaryOperator::Not, UnaryOperator::Minus]),
                        operator_span: Span::default(),
                        operand: self.operand(TIGHT, complex),
                    };
                    (ExpressionKind::Unary(self.bump.alloc(unary)), UNARY)
                }
                14 | 15 => self.binary(complex),
                _ => (self.member(complex), TIGHT),
            }
        };
        (Self::expression_of(kind), tightness)
    }

    fn small(&mut self) -> ExpressionKind<'a> {
        match self.next(8) {
            0 => ExpressionKind::Null,
            1 => ExpressionKind::Boolean(self.chance(50)),
            2 => ExpressionKind::Integer(self.next(1000) as u64),
            _ => ExpressionKind::VariableAccess(self.pick(&NAMES)),
        }
    }

    fn binary(&mut self, complex: bool) -> (ExpressionKind<'a>, u8) {
        let (operator, tightness) = self.pick(&[
            (BinaryOperator::Multiply, 100),
            (BinaryOperator::Divide, 100),
            (BinaryOperator::Modulo, 100),
            (BinaryOperator::Add, 90),
            (BinaryOperator::Subtract, 90),
            (BinaryOperator::LessThan, 80),
            (BinaryOperator::LessThanOrEqual, 80),
            (BinaryOperator::GreaterThan, 80),
            (BinaryOperator::GreaterThanOrEqual, 80),
            (BinaryOperator::Equals, 70),
            (BinaryOperator::NotEquals, 70),
            (BinaryOperator::EqualsInsensitive, 70),
            (BinaryOperator::NotEqualsInsensitive, 70),
            (BinaryOperator::LogicalAnd, 50),
            (BinaryOperator::LogicalOr, 40),
            (BinaryOperator::Coalesce, 30),
        ]);
        let operation = BinaryOperation {
            operator,
            operator_span: Span::default(),
            left: self.operand(tightness, complex),
            right: self.operand(tightness + 1, complex),
        };
        (
            ExpressionKind::Binary(self.bump.alloc(operation)),
            tightness,
        )
    }

    fn member(&mut self, complex: bool) -> ExpressionKind<'a> {
        let bump = self.bump;
        let choice = self.next(6);
        if choice == 0 {
            let name = self.name();
            let arguments = self.many(3, |generator| generator.expression(complex));
            return ExpressionKind::FunctionCall(bump.alloc(FunctionCall { name, arguments }));
        }
        let base = self.operand(TIGHT, complex);
        let name = self.name();
        match choice {
            1 => ExpressionKind::PropertyAccess(bump.alloc(PropertyAccess {
                base,
                safe: self.chance(50),
                property: name,
            })),
            2 => ExpressionKind::ArrayAccess(bump.alloc(ArrayAccess {
                base,
                safe: self.chance(50),
                from_end: self.chance(50),
                index: self.expression(complex),
            })),
            3 => ExpressionKind::ResourceAccess(bump.alloc(ResourceAccess { base, name })),
            4 => ExpressionKind::NonNullAssertion(bump.alloc(base)),
            _ => {
                let arguments = self.many(2, |generator| generator.expression(complex));
                ExpressionKind::InstanceFunctionCall(bump.alloc(InstanceFunctionCall {
                    base,
                    name,
                    arguments,
                }))
            }
        }
    }

    fn declared_type(&mut self, output: bool) -> Type<'a> {
        match self.next(8) {
            0 => {
                let string = self.string_expression();
                Self::type_of(TypeKind::Resource(Some(self.bump.alloc(string))))
            }
            1 if output => Self::type_of(TypeKind::Resource(None)),
            _ => self.ty(),
        }
    }

    fn ty(&mut self) -> Type<'a> {
        if self.chance(25) {
            let members = self.many(3, |generator| generator.type_operand(1));
            if !members.is_empty() {
                return Self::type_of(TypeKind::Union(members));
            }
        }
        self.any_type().0
    }

    /// A type that holds together at least so tightly: 1 in a union, 2 before `?`, 3 before `.`.
    fn type_operand(&mut self, least: u8) -> Type<'a> {
        let (ty, tightness) = self.any_type();
        if tightness >= least {
            return ty;
        }
        Self::type_of(TypeKind::Parenthesized(self.bump.alloc(ty)))
    }

    fn any_type(&mut self) -> (Type<'a>, u8) {
        self.depth += 1;
        let bump = self.bump;
        let choice = if self.depth > 5 { 0 } else { self.next(18) };
        let (kind, tightness) = match choice {
            // `??` is another operator.
            4 => (TypeKind::Nullable(bump.alloc(self.type_operand(3))), 2),
            5 => (TypeKind::NonNullable(bump.alloc(self.type_operand(2))), 2),
            6 => {
                let unary = UnaryType {
                    operator: self.pick(&[UnaryOperator::Not, UnaryOperator::Minus]),
                    operator_span: Span::default(),
                    operand: self.type_operand(3),
                };
                (TypeKind::Unary(bump.alloc(unary)), 2)
            }
            7 => (TypeKind::Array(bump.alloc(self.type_operand(3))), 3),
            8 => (TypeKind::ItemsAccess(bump.alloc(self.type_operand(3))), 3),
            9 => {
                let base = self.type_operand(3);
                (TypeKind::AdditionalPropertiesAccess(bump.alloc(base)), 3)
            }
            10 => {
                let base = self.type_operand(3);
                (TypeKind::PropertyAccess(bump.alloc(base), self.name()), 3)
            }
            11 => {
                let base = self.type_operand(3);
                let index = self.expression(false);
                (
                    TypeKind::ArrayAccess(bump.alloc(base), bump.alloc(index)),
                    3,
                )
            }
            12 => {
                let parameterized = ParameterizedType {
                    base: self.chance(30).then(|| self.type_operand(3)),
                    name: self.name(),
                    arguments: self.many(2, Self::ty),
                };
                (TypeKind::Parameterized(bump.alloc(parameterized)), 3)
            }
            13 => (TypeKind::Parenthesized(bump.alloc(self.ty())), 3),
            14 => {
                let items = self.many(3, |generator| ObjectTypeItem {
                    decorators: generator.decorators(),
                    key: generator.chance(80).then(|| generator.property_name()),
                    ty: generator.ty(),
                    span: Span::default(),
                });
                (TypeKind::Object(items), 3)
            }
            15 => {
                let items = self.many(3, |generator| TupleTypeItem {
                    decorators: generator.decorators(),
                    ty: match generator.ty() {
                        // `|` at the start of a line goes on with the item before it.
                        union @ Type {
                            kind: TypeKind::Union([_]),
                            ..
                        } => Self::type_of(TypeKind::Parenthesized(bump.alloc(union))),
                        other => other,
                    },
                    span: Span::default(),
                });
                (TypeKind::Tuple(items), 3)
            }
            _ => (self.small_type(), 3),
        };
        self.depth -= 1;
        (Self::type_of(kind), tightness)
    }

    fn small_type(&mut self) -> TypeKind<'a> {
        match self.next(8) {
            0 => TypeKind::Null,
            1 => TypeKind::Boolean(self.chance(50)),
            2 => TypeKind::Integer(self.next(1000) as u64),
            3 => TypeKind::String(self.string()),
            _ => TypeKind::Name(self.pick(&TYPES)),
        }
    }
}
