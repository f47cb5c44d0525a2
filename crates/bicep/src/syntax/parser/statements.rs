//! Statements and their decorators.

use bumpalo::collections::Vec as BumpVec;

use super::{Allowed, Complaint, Dialect, Failure, Kinds, LINE, Parsed, Parser};
use crate::source::Span;
use crate::syntax::lexer::TokenKind;
use crate::syntax::{
    Assignment, Decorator, Expression, ExpressionKind, ExtensionConfigAssignment,
    ExtensionDeclaration, FunctionCall, FunctionDeclaration, Identifier, ImportDeclaration,
    Imported, ImportedSymbol, InstanceFunctionCall, ModuleDeclaration, OutputDeclaration,
    ParameterDeclaration, PropertyAccess, ResourceDeclaration, Statement, StatementKind,
    TestDeclaration, TypeDeclaration, UsingDeclaration, VariableDeclaration,
};

/// A type is over.
const TYPE_END: Kinds = LINE.and(TokenKind::Assignment);

/// The type of a resource, or the path of a module, is over.
const HEAD_END: Kinds = TYPE_END.and(TokenKind::LeftBrace);

impl<'a> Parser<'a> {
    /// A statement with its decorators. At the top, and inside a resource.
    pub(super) fn statement(&mut self, dialect: Dialect) -> Statement<'a> {
        let start = self.here();
        let decorators = self.decorators();
        let mut height = self.height;
        let token = self.peek();
        let keyword = self.span(token);
        let result = match dialect {
            Dialect::Template => self.template_statement(!decorators.is_empty()),
            Dialect::Parameters => self.parameters_statement(),
        };
        height = height.max(self.height);
        let kind = result.unwrap_or_else(|failure| {
            self.recover(failure, LINE);
            StatementKind::Skipped
        });
        self.height = height;
        Statement {
            decorators,
            keyword,
            kind,
            span: self.since(start),
        }
    }

    fn template_statement(&mut self, decorated: bool) -> Parsed<StatementKind<'a>> {
        let token = self.peek();
        let word = match token.kind {
            TokenKind::Identifier => self.slice(token),
            _ => "",
        };
        self.height = 1;
        match word {
            "targetScope" => self.target_scope(),
            "metadata" => self.assignment().map(StatementKind::Metadata),
            "param" => self.parameter_declaration(),
            "var" => self.variable(),
            "type" => self.type_declaration(),
            "func" => self.function(),
            "resource" => self.resource(),
            "module" => self.module(),
            "output" => self.output(),
            "import" if !self.string_follows() => self.import(),
            "extension" | "import" => self.extension(),
            // What extensions were declared with before there was `extension`.
            "provider" if self.string_follows() => self.extension(),
            "assert" => self.assignment().map(StatementKind::Assert),
            "test" => self.test(),
            _ if decorated => Err(self.failure("a statement after the decorators")),
            _ => Err(Failure {
                token,
                what: Complaint::Wrong(
                    "no statement starts like this",
                    "statements start with `param`, `var`, `resource`, `module`, `output`, \
                     `type`, `func`, `import`, `metadata`, `targetScope`, …",
                ),
            }),
        }
    }

    fn parameters_statement(&mut self) -> Parsed<StatementKind<'a>> {
        let token = self.peek();
        let word = match token.kind {
            TokenKind::Identifier => self.slice(token),
            _ => "",
        };
        self.height = 1;
        match word {
            "using" => self.using(),
            "extends" => {
                self.next();
                let path = self.required_string("the path of a parameters file", LINE);
                Ok(StatementKind::Extends(path))
            }
            "param" => self.assignment().map(StatementKind::ParameterAssignment),
            "var" => self.variable(),
            "type" => self.type_declaration(),
            "import" => self.import(),
            "extension" => self.extension(),
            "extensionConfig" => {
                self.next();
                let alias = self.name("the alias of an extension");
                let with = self.with()?;
                let config = ExtensionConfigAssignment { alias, with };
                Ok(StatementKind::ExtensionConfig(config))
            }
            _ => Err(Failure {
                token,
                what: Complaint::Wrong(
                    "no statement of a parameters file starts like this",
                    "its statements start with `using`, `extends`, `param`, `var`, `type` or \
                     `import`",
                ),
            }),
        }
    }

    fn string_follows(&self) -> bool {
        matches!(
            self.ahead(1).kind,
            TokenKind::StringComplete | TokenKind::StringLeftPiece
        )
    }

    /// Decorators stand on lines of their own.
    pub(super) fn decorators(&mut self) -> &'a [Decorator<'a>] {
        self.height = 1;
        if !self.check(TokenKind::At) {
            return &[];
        }
        let mut height = 0;
        let mut decorators = BumpVec::new_in(self.bump);
        while self.check(TokenKind::At) {
            let start = self.here();
            self.next();
            let from = self.here();
            let result = self.nested(Self::decorator);
            let expression = self.or_skip(result, from, LINE);
            height = height.max(self.height);
            decorators.push(Decorator {
                expression,
                span: self.since(start),
            });
            if !self.check(TokenKind::NewLine) {
                let failure = self.failure("a new line");
                self.report(&failure);
            }
            self.new_lines();
        }
        self.height = height;
        decorators.into_bump_slice()
    }

    fn decorator(&mut self) -> Parsed<Expression<'a>> {
        let start = self.here();
        let name = self.identifier("the name of a decorator")?;
        let mut height = 1;
        let mut kind = if self.check(TokenKind::LeftParen) {
            let arguments = self.call_arguments(Allowed::COMPLEX);
            height = self.height + 1;
            ExpressionKind::FunctionCall(self.bump.alloc(FunctionCall { name, arguments }))
        } else {
            ExpressionKind::VariableAccess(name.name)
        };
        while self.check(TokenKind::Dot) {
            let base = Expression {
                kind,
                span: self.since(start),
            };
            self.next();
            let name = self.name("the name of a decorator");
            self.height = 0;
            kind = if self.check(TokenKind::LeftParen) {
                let arguments = self.call_arguments(Allowed::COMPLEX);
                ExpressionKind::InstanceFunctionCall(self.bump.alloc(InstanceFunctionCall {
                    base,
                    name,
                    arguments,
                }))
            } else {
                ExpressionKind::PropertyAccess(self.bump.alloc(PropertyAccess {
                    base,
                    safe: false,
                    property: name,
                }))
            };
            self.raise(height.max(self.height))?;
            height = self.height;
        }
        self.height = height;
        Ok(Expression {
            kind,
            span: self.since(start),
        })
    }

    /// `=` and a value, up to the end of the line.
    fn assigned(&mut self) -> Expression<'a> {
        let height = self.height;
        let start = self.here();
        let result = self
            .expect(TokenKind::Assignment, "`=`")
            .and_then(|_| self.expression(Allowed::COMPLEX));
        let start = match &result {
            Ok(value) => value.span,
            Err(_) => start,
        };
        let value = self.or_skip(result, start, LINE);
        self.height = height.max(self.height);
        value
    }

    /// `keyword name = value`
    fn assignment(&mut self) -> Parsed<Assignment<'a>> {
        self.next();
        let name = self.name("a name");
        let value = self.assigned();
        Ok(Assignment { name, value })
    }

    fn target_scope(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        Ok(StatementKind::TargetScope(self.assigned()))
    }

    fn parameter_declaration(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the parameter");
        let from = self.here();
        let result = self.declared_type(false);
        let ty = self.type_or_skip(result, from, TYPE_END);
        let default = self.check(TokenKind::Assignment).then(|| self.assigned());
        Ok(StatementKind::Parameter(ParameterDeclaration {
            name,
            ty,
            default,
        }))
    }

    fn variable(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the variable");
        let from = self.here();
        let ty = if TYPE_END.has(self.peek().kind) || self.check(TokenKind::EndOfFile) {
            None
        } else {
            let result = self.declared_type(false);
            Some(self.type_or_skip(result, from, TYPE_END))
        };
        let value = self.assigned();
        Ok(StatementKind::Variable(VariableDeclaration {
            name,
            ty,
            value,
        }))
    }

    fn type_declaration(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the type");
        let from = self.here();
        let result = self
            .expect(TokenKind::Assignment, "`=`")
            .and_then(|_| self.declared_type(false));
        let ty = self.type_or_skip(result, from, LINE);
        Ok(StatementKind::Type(TypeDeclaration { name, ty }))
    }

    fn function(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the function");
        let lambda = match self.typed_lambda() {
            Ok(lambda) => Some(lambda),
            Err(failure) => {
                self.recover(failure, LINE);
                None
            }
        };
        Ok(StatementKind::Function(FunctionDeclaration {
            name,
            lambda,
        }))
    }

    fn output(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the output");
        let from = self.here();
        let result = self.declared_type(true);
        let ty = self.type_or_skip(result, from, TYPE_END);
        let value = self.assigned();
        Ok(StatementKind::Output(OutputDeclaration { name, ty, value }))
    }

    fn required_string(&mut self, what: &'static str, until: Kinds) -> Expression<'a> {
        let start = self.here();
        let result = self.string_expression(what);
        self.or_skip(result, start, until)
    }

    fn resource(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the resource");
        let ty = self.required_string("the type of the resource, as a string", HEAD_END);
        let word = self.peek();
        let existing = self.check_word("existing").then(|| {
            self.next();
            self.span(word)
        });
        let value = self.body(Allowed::RESOURCES);
        Ok(StatementKind::Resource(ResourceDeclaration {
            name,
            ty,
            existing,
            value,
        }))
    }

    fn module(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the module");
        let path = self.required_string("the path of the module, as a string", HEAD_END);
        let value = self.body(Allowed::COMPLEX);
        Ok(StatementKind::Module(ModuleDeclaration {
            name,
            path,
            value,
        }))
    }

    /// `=` and the value of a resource or module. Before `if` lines may break.
    fn body(&mut self, allowed: Allowed) -> Expression<'a> {
        let height = self.height;
        if let Err(failure) = self.expect(TokenKind::Assignment, "`=`") {
            self.recover(failure, HEAD_END);
        }
        if self.is_word(self.ahead_of_lines(0), "if") {
            self.new_lines();
        }
        let start = self.here();
        let result = if self.check(TokenKind::LeftSquare) {
            self.for_expression(allowed, true)
        } else if self.check(TokenKind::LeftBrace) || self.check_word("if") {
            self.object_or_if(allowed)
        } else {
            Err(self.failure("`{`, `if` or `[for`"))
        };
        let value = self.or_skip(result, start, LINE);
        self.height = height.max(self.height);
        value
    }

    fn test(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let name = self.name("the name of the test");
        let path = self.required_string("the path of the file to test, as a string", HEAD_END);
        let height = self.height;
        if let Err(failure) = self.expect(TokenKind::Assignment, "`=`") {
            self.recover(failure, HEAD_END);
        }
        let start = self.here();
        let result = self.object(Allowed::COMPLEX);
        let value = self.or_skip(result, start, LINE);
        self.height = height.max(self.height);
        Ok(StatementKind::Test(TestDeclaration { name, path, value }))
    }

    fn import(&mut self) -> Parsed<StatementKind<'a>> {
        const FROM: &str = "`from` and a path";
        self.next();
        let what = match self.peek().kind {
            TokenKind::LeftBrace => self.imported_symbols(),
            TokenKind::Asterisk => {
                self.next();
                self.expect_word("as", "`as` and a name")?;
                Imported::Wildcard(self.name("a name"))
            }
            _ => {
                let failure = self.failure("`{ … }` or `* as` and a name");
                self.report(&failure);
                while !LINE.and(TokenKind::EndOfFile).has(self.peek().kind)
                    && !self.check_word("from")
                {
                    self.next();
                }
                Imported::Skipped
            }
        };
        let from = match self.expect_word("from", FROM) {
            Ok(_) => self.required_string("a path, as a string", LINE),
            Err(failure) => {
                let start = self.here();
                self.or_skip(Err(failure), start, LINE)
            }
        };
        Ok(StatementKind::Import(ImportDeclaration { what, from }))
    }

    fn imported_symbols(&mut self) -> Imported<'a> {
        self.next();
        let mut symbols = BumpVec::new_in(self.bump);
        self.items(
            TokenKind::RightBrace,
            "`}`",
            Allowed::COMPLEX,
            |parser| match parser.imported_symbol() {
                Ok(symbol) => symbols.push(symbol),
                Err(failure) => parser.skip_item(failure),
            },
        );
        Imported::Symbols(symbols.into_bump_slice())
    }

    fn imported_symbol(&mut self) -> Parsed<ImportedSymbol<'a>> {
        let start = self.here();
        let quoted = self.at_string();
        let name = self.property_name("the name of what is imported")?;
        let alias = if self.check_word("as") {
            self.next();
            Some(self.name("a name"))
        } else if quoted {
            return Err(self.failure("`as` and a name"));
        } else {
            None
        };
        Ok(ImportedSymbol {
            name,
            alias,
            span: self.since(start),
        })
    }

    fn extension(&mut self) -> Parsed<StatementKind<'a>> {
        const CLAUSE: &str = "`with`, `as` or a new line";
        self.next();
        let specification = if self.check(TokenKind::Identifier) {
            let start = self.here();
            let name = self.identifier("a name")?;
            Expression {
                kind: ExpressionKind::VariableAccess(name.name),
                span: self.since(start),
            }
        } else {
            self.required_string("the name of an extension", LINE)
        };
        let mut height = self.height;
        let with = if self.check_word("with") {
            let with = self.with()?;
            height = height.max(self.height);
            Some(with)
        } else {
            None
        };
        let alias: Option<Identifier<'a>> = if self.check_word("as") {
            self.next();
            Some(self.name("a name"))
        } else if self.check(TokenKind::NewLine) || self.check(TokenKind::EndOfFile) {
            None
        } else {
            let failure = self.failure(CLAUSE);
            self.recover(failure, LINE);
            None
        };
        self.height = height;
        Ok(StatementKind::Extension(ExtensionDeclaration {
            specification,
            with,
            alias,
        }))
    }

    /// `with { … }`
    fn with(&mut self) -> Parsed<Expression<'a>> {
        self.expect_word("with", "`with` or a new line")?;
        let start: Span = self.here();
        let result = self.object(Allowed::COMPLEX);
        Ok(self.or_skip(result, start, LINE))
    }

    fn using(&mut self) -> Parsed<StatementKind<'a>> {
        self.next();
        let path = if self.check_word("none") {
            self.next();
            None
        } else {
            let what = "the path of a template, or `none`";
            Some(self.required_string(what, LINE))
        };
        let height = self.height;
        let with = if self.check(TokenKind::NewLine) || self.check(TokenKind::EndOfFile) {
            None
        } else {
            Some(self.with()?)
        };
        self.height = height.max(self.height);
        Ok(StatementKind::Using(UsingDeclaration { path, with }))
    }
}
