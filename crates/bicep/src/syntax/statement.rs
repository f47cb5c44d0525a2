//! Statements.

use super::expression::{Expression, ExpressionKind, PropertyName};
use super::types::{Type, TypedLambda};
use crate::source::Span;

/// A whole file.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// In the order in which they are written.
    pub statements: &'a [Statement<'a>],
    /// `#disable-next-line …` and its relatives, in order.
    pub directives: &'a [Directive<'a>],
    /// Every comment, in order.
    pub comments: &'a [Comment<'a>],
    /// The whole text.
    pub span: Span,
}

/// `// …` or `/* … */`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    /// With its slashes and stars.
    pub text: &'a str,
    /// Where it stands.
    pub span: Span,
}

/// `#disable-next-line BCP037 no-hardcoded-location`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive<'a> {
    /// What it asks for.
    pub kind: DirectiveKind,
    /// About which rules.
    pub codes: &'a [Identifier<'a>],
    /// Where it stands.
    pub span: Span,
}

/// What a [`Directive`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectiveKind {
    /// `#disable-next-line`
    DisableNextLine,
    /// `#disable-diagnostics`
    DisableDiagnostics,
    /// `#restore-diagnostics`
    RestoreDiagnostics,
}

/// A name. Empty when it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// As written.
    pub name: &'a str,
    /// Where it stands.
    pub span: Span,
}

/// A statement with its decorators.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Above it, in order.
    pub decorators: &'a [Decorator<'a>],
    /// Its first word: `param`, `resource`, …
    pub keyword: Span,
    /// What it is.
    pub kind: StatementKind<'a>,
    /// From its first decorator to its end.
    pub span: Span,
}

/// What a [`Statement`] is.
#[derive(Debug, Clone, Copy)]
pub enum StatementKind<'a> {
    /// `targetScope = 'subscription'`
    TargetScope(Expression<'a>),
    /// `metadata name = value`
    Metadata(Assignment<'a>),
    /// `param name type = default`
    Parameter(ParameterDeclaration<'a>),
    /// `param name = value`, in a parameters file
    ParameterAssignment(Assignment<'a>),
    /// `var name type = value`
    Variable(VariableDeclaration<'a>),
    /// `type name = …`
    Type(TypeDeclaration<'a>),
    /// `func name(a string) string => …`
    Function(FunctionDeclaration<'a>),
    /// `resource name 'type@version' = { … }`
    Resource(ResourceDeclaration<'a>),
    /// `module name 'path' = { … }`
    Module(ModuleDeclaration<'a>),
    /// `output name type = value`
    Output(OutputDeclaration<'a>),
    /// `import … from 'path'`
    Import(ImportDeclaration<'a>),
    /// `extension name with { … } as alias`; also the older `import 'name'` and `provider 'name'`
    Extension(ExtensionDeclaration<'a>),
    /// `extensionConfig alias with { … }`, in a parameters file
    ExtensionConfig(ExtensionConfigAssignment<'a>),
    /// `assert name = condition`
    Assert(Assignment<'a>),
    /// `test name 'path' = { … }`
    Test(TestDeclaration<'a>),
    /// `using 'path'`, `using none`, in a parameters file
    Using(UsingDeclaration<'a>),
    /// `extends 'path'`, in a parameters file
    Extends(Expression<'a>),
    /// What could not be read, or decorators over nothing.
    Skipped,
}

/// `@description('…')`, `@sys.secure()`
#[derive(Debug, Clone, Copy)]
pub struct Decorator<'a> {
    /// A call, as a rule; the namespace is a [`ExpressionKind::VariableAccess`] it is called on.
    pub expression: Expression<'a>,
    /// From the `@` on.
    pub span: Span,
}

/// A name and the value it is given.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The name.
    pub name: Identifier<'a>,
    /// The value.
    pub value: Expression<'a>,
}

/// `param name type = default`
#[derive(Debug, Clone, Copy)]
pub struct ParameterDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// Its type.
    pub ty: Type<'a>,
    /// What it is when nothing is given.
    pub default: Option<Expression<'a>>,
}

/// `var name type = value`
#[derive(Debug, Clone, Copy)]
pub struct VariableDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// Its type, when it is written.
    pub ty: Option<Type<'a>>,
    /// Its value.
    pub value: Expression<'a>,
}

/// `type name = …`
#[derive(Debug, Clone, Copy)]
pub struct TypeDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// What it stands for.
    pub ty: Type<'a>,
}

/// `func name(a string) string => …`
#[derive(Debug, Clone, Copy)]
pub struct FunctionDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// What it takes, gives and does; nothing when it could not be read.
    pub lambda: Option<TypedLambda<'a>>,
}

/// `resource name 'type@version' existing = …`, at the top or inside another resource
#[derive(Debug, Clone, Copy)]
pub struct ResourceDeclaration<'a> {
    /// Its symbolic name.
    pub name: Identifier<'a>,
    /// `'Microsoft.Network/virtualNetworks@2024-05-01'`; a string, or skipped.
    pub ty: Expression<'a>,
    /// The word `existing`, when it is there.
    pub existing: Option<Span>,
    /// An object, an [`ExpressionKind::If`], an [`ExpressionKind::For`] over either, or skipped.
    pub value: Expression<'a>,
}

/// `module name 'path' = …`
#[derive(Debug, Clone, Copy)]
pub struct ModuleDeclaration<'a> {
    /// Its symbolic name.
    pub name: Identifier<'a>,
    /// `'./network.bicep'`, `'br/public:avm/res/…:1.0'`; a string, or skipped.
    pub path: Expression<'a>,
    /// As of a [`ResourceDeclaration`].
    pub value: Expression<'a>,
}

/// `test name 'path' = { … }`
#[derive(Debug, Clone, Copy)]
pub struct TestDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// The file it is about; a string, or skipped.
    pub path: Expression<'a>,
    /// An object, or skipped.
    pub value: Expression<'a>,
}

/// `output name type = value`
#[derive(Debug, Clone, Copy)]
pub struct OutputDeclaration<'a> {
    /// Its name.
    pub name: Identifier<'a>,
    /// Its type.
    pub ty: Type<'a>,
    /// Its value.
    pub value: Expression<'a>,
}

/// `import { a, b as c } from 'path'`, `import * as ns from 'path'`
#[derive(Debug, Clone, Copy)]
pub struct ImportDeclaration<'a> {
    /// What is imported.
    pub what: Imported<'a>,
    /// From where; a string, or skipped.
    pub from: Expression<'a>,
}

/// What an [`ImportDeclaration`] imports.
#[derive(Debug, Clone, Copy)]
pub enum Imported<'a> {
    /// `* as name`
    Wildcard(Identifier<'a>),
    /// `{ … }`
    Symbols(&'a [ImportedSymbol<'a>]),
    /// Could not be read.
    Skipped,
}

/// `name`, `name as alias`, `'name' as alias`
#[derive(Debug, Clone, Copy)]
pub struct ImportedSymbol<'a> {
    /// How it is called where it comes from.
    pub name: PropertyName<'a>,
    /// How it is called here.
    pub alias: Option<Identifier<'a>>,
    /// The whole.
    pub span: Span,
}

/// `extension 'br:…' with { … } as alias`
#[derive(Debug, Clone, Copy)]
pub struct ExtensionDeclaration<'a> {
    /// An [`ExpressionKind::VariableAccess`], a string, or skipped.
    pub specification: Expression<'a>,
    /// An object, or skipped.
    pub with: Option<Expression<'a>>,
    /// How it is called here.
    pub alias: Option<Identifier<'a>>,
}

/// `extensionConfig alias with { … }`
#[derive(Debug, Clone, Copy)]
pub struct ExtensionConfigAssignment<'a> {
    /// Of which extension.
    pub alias: Identifier<'a>,
    /// An object, or skipped.
    pub with: Expression<'a>,
}

/// `using 'main.bicep' with { … }`
#[derive(Debug, Clone, Copy)]
pub struct UsingDeclaration<'a> {
    /// A string; nothing for `none`; or skipped.
    pub path: Option<Expression<'a>>,
    /// An object, or skipped.
    pub with: Option<Expression<'a>>,
}

impl<'a> Decorator<'a> {
    /// The name of what is called: `secure` for `@secure()` and `@sys.secure()`.
    #[must_use]
    pub fn name(&self) -> Option<Identifier<'a>> {
        match self.expression.kind {
            ExpressionKind::FunctionCall(call) => Some(call.name),
            ExpressionKind::InstanceFunctionCall(call) => Some(call.name),
            _ => None,
        }
    }

    /// What it is called with.
    #[must_use]
    pub fn arguments(&self) -> &'a [Expression<'a>] {
        match self.expression.kind {
            ExpressionKind::FunctionCall(call) => call.arguments,
            ExpressionKind::InstanceFunctionCall(call) => call.arguments,
            _ => &[],
        }
    }
}

impl<'a> Statement<'a> {
    /// The decorator of a name, from whatever namespace.
    #[must_use]
    pub fn decorator(&self, name: &str) -> Option<&'a Decorator<'a>> {
        self.decorators
            .iter()
            .find(|decorator| decorator.name().is_some_and(|found| found.name == name))
    }
}
