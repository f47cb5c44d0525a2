//! One Bicep file with what it declares: which name stands for what, where loops and lambdas bind
//! names of their own, and in which order things are declared. Reads no other file.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::source::FileId;
use crate::syntax::{
    Assignment, Expression, ExpressionKind, ForExpression, FunctionDeclaration, ImportDeclaration,
    Imported, ImportedSymbol, ModuleDeclaration, Object, OutputDeclaration, ParameterDeclaration,
    Program, ResourceDeclaration, Statement, StatementKind, TypeDeclaration, UsingDeclaration,
    VariableDeclaration,
};

use super::bind;

/// One file.
#[derive(Debug)]
pub(crate) struct Unit<'a> {
    /// Its text.
    pub(crate) file: FileId,
    /// How it is called.
    pub(crate) name: &'a str,
    /// What is deployed to, by default a resource group.
    pub(crate) target: Scope,
    pub(crate) metadata: Vec<Declared<'a, Assignment<'a>>>,
    pub(crate) parameters: Vec<Declared<'a, ParameterDeclaration<'a>>>,
    pub(crate) variables: Vec<Declared<'a, VariableDeclaration<'a>>>,
    pub(crate) types: Vec<Declared<'a, TypeDeclaration<'a>>>,
    pub(crate) functions: Vec<Declared<'a, FunctionDeclaration<'a>>>,
    /// Also those inside others, after the one they stand in.
    pub(crate) resources: Vec<Resource<'a>>,
    pub(crate) modules: Vec<Declared<'a, ModuleDeclaration<'a>>>,
    pub(crate) outputs: Vec<Declared<'a, OutputDeclaration<'a>>>,
    pub(crate) asserts: Vec<Declared<'a, Assignment<'a>>>,
    pub(crate) imports: Vec<Declared<'a, ImportDeclaration<'a>>>,
    pub(crate) extensions: Vec<Extension<'a>>,
    /// Of a parameters file: what is given, the template it is for, the file it goes on from.
    pub(crate) assignments: Vec<Declared<'a, Assignment<'a>>>,
    pub(crate) using: Option<UsingDeclaration<'a>>,
    pub(crate) extends: Option<Expression<'a>>,
    /// The resources in the bodies of others.
    children: HashMap<usize, Vec<usize>>,
    /// The numbers of resources by where they start, and of loops by themselves.
    resource_numbers: HashMap<u32, usize>,
    loop_numbers: HashMap<*const ForExpression<'a>, usize>,
    /// What a name at the top stands for.
    pub(crate) symbols: HashMap<&'a str, Symbol>,
    /// What the names in expressions stand for that are not declared at the top, by where they
    /// start.
    pub(crate) bound: BTreeMap<u32, Bound>,
    /// All loops, in the order in which they are written.
    pub(crate) loops: Vec<Loop<'a>>,
    /// Calls of `load…` functions outside functions, by where they start.
    pub(crate) loads: Vec<Load<'a>>,
    /// What decides whether resources are named symbolically.
    pub(crate) traits: Traits,
}

/// A declaration and the statement it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a, T> {
    pub(crate) statement: &'a Statement<'a>,
    pub(crate) of: T,
}

/// A resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) statement: &'a Statement<'a>,
    pub(crate) of: ResourceDeclaration<'a>,
    /// The resource in whose body it stands.
    pub(crate) within: Option<usize>,
}

/// An extension that is used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extension<'a> {
    pub(crate) statement: &'a Statement<'a>,
    /// How it is called here.
    pub(crate) alias: &'a str,
    /// What is asked for: `kubernetes`, `br:…/microsoftgraph/v1.0:1.0.0`.
    pub(crate) specification: &'a str,
    pub(crate) with: Option<Expression<'a>>,
}

/// A loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loop<'a> {
    pub(crate) of: &'a ForExpression<'a>,
    /// How `copyIndex` calls it; those of resources, modules and outputs have no name.
    pub(crate) copy: Option<&'a str>,
}

/// A call of a `load…` function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) call: Expression<'a>,
    /// It is all that a variable is.
    pub(crate) direct: bool,
}

/// What a name at the top of a file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    Parameter(usize),
    Variable(usize),
    Type(usize),
    Function(usize),
    Resource(usize),
    Module(usize),
    /// An import and which of its symbols.
    Import(usize, usize),
    Wildcard(usize),
    Extension(usize),
    /// What a parameters file gives.
    Assignment(usize),
}

/// What a name inside an expression stands for, when it is not declared at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The item of a loop.
    Item(usize),
    /// The number of the item of a loop.
    Index(usize),
    /// The parameter of a lambda; the module whose loop gives its values.
    Lambda(Option<usize>),
    /// The parameter of a function.
    FunctionParameter,
    /// A resource in the body of another.
    Resource(usize),
}

/// What is deployed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Tenant,
    ManagementGroup,
    Subscription,
    ResourceGroup,
}

/// Forms whose use makes the compiler name resources symbolically.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits {
    /// Object, array, tuple, union or nullable types are written.
    pub(crate) types: bool,
    /// A whole collection of resources or modules is read.
    pub(crate) collections: bool,
    /// `this` is used.
    pub(crate) this: bool,
}

impl<'a> Unit<'a> {
    /// Reads what a file declares.
    pub(crate) fn new(file: FileId, name: &'a str, program: &Program<'a>) -> Self {
        let mut unit = Self {
            file,
            name,
            target: Scope::ResourceGroup,
            metadata: Vec::new(),
            parameters: Vec::new(),
            variables: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            resources: Vec::new(),
            modules: Vec::new(),
            outputs: Vec::new(),
            asserts: Vec::new(),
            imports: Vec::new(),
            extensions: Vec::new(),
            assignments: Vec::new(),
            using: None,
            extends: None,
            children: HashMap::new(),
            resource_numbers: HashMap::new(),
            loop_numbers: HashMap::new(),
            symbols: HashMap::new(),
            bound: BTreeMap::new(),
            loops: Vec::new(),
            loads: Vec::new(),
            traits: Traits::default(),
        };
        for statement in program.statements {
            unit.declare(statement);
        }
        bind::bind(&mut unit, program);
        unit
    }

    fn name(&mut self, name: &'a str, symbol: Symbol) {
        if !name.is_empty() {
            self.symbols.entry(name).or_insert(symbol);
        }
    }

    fn declare(&mut self, statement: &'a Statement<'a>) {
        match statement.kind {
            StatementKind::TargetScope(value) => {
                self.target = match value.as_str() {
                    Some("tenant") => Scope::Tenant,
                    Some("managementGroup") => Scope::ManagementGroup,
                    Some("subscription") => Scope::Subscription,
                    _ => Scope::ResourceGroup,
                };
            }
            StatementKind::Metadata(of) => self.metadata.push(Declared { statement, of }),
            StatementKind::Parameter(of) => {
                self.name(of.name.name, Symbol::Parameter(self.parameters.len()));
                self.parameters.push(Declared { statement, of });
            }
            StatementKind::Variable(of) => {
                self.name(of.name.name, Symbol::Variable(self.variables.len()));
                self.variables.push(Declared { statement, of });
            }
            StatementKind::Type(of) => {
                self.name(of.name.name, Symbol::Type(self.types.len()));
                self.types.push(Declared { statement, of });
            }
            StatementKind::Function(of) => {
                self.name(of.name.name, Symbol::Function(self.functions.len()));
                self.functions.push(Declared { statement, of });
            }
            StatementKind::Resource(of) => {
                let at = self.resource(statement, of, None);
                self.name(of.name.name, Symbol::Resource(at));
            }
            StatementKind::Module(of) => {
                self.name(of.name.name, Symbol::Module(self.modules.len()));
                self.modules.push(Declared { statement, of });
            }
            StatementKind::Output(of) => self.outputs.push(Declared { statement, of }),
            StatementKind::Assert(of) => self.asserts.push(Declared { statement, of }),
            StatementKind::Import(of) => self.import(statement, of),
            StatementKind::Extension(of) => {
                let specification = match of.specification.kind {
                    ExpressionKind::VariableAccess(name) => name,
                    _ => of.specification.as_str().unwrap_or_default(),
                };
                let alias = of
                    .alias
                    .map_or_else(|| extension_name(specification), |alias| alias.name);
                self.name(alias, Symbol::Extension(self.extensions.len()));
                self.extensions.push(Extension {
                    statement,
                    alias,
                    specification,
                    with: of.with,
                });
            }
            StatementKind::ParameterAssignment(of) => {
                self.name(of.name.name, Symbol::Assignment(self.assignments.len()));
                self.assignments.push(Declared { statement, of });
            }
            StatementKind::Using(of) => self.using = Some(of),
            StatementKind::Extends(of) => self.extends = Some(of),
            StatementKind::ExtensionConfig(_) | StatementKind::Test(_) | StatementKind::Skipped => {
            }
        }
    }

    fn import(&mut self, statement: &'a Statement<'a>, of: ImportDeclaration<'a>) {
        let at = self.imports.len();
        match of.what {
            Imported::Wildcard(name) => self.name(name.name, Symbol::Wildcard(at)),
            Imported::Symbols(symbols) => {
                for (number, symbol) in symbols.iter().enumerate() {
                    self.name(imported_as(symbol), Symbol::Import(at, number));
                }
            }
            Imported::Skipped => {}
        }
        self.imports.push(Declared { statement, of });
    }

    /// A resource and those in its body.
    fn resource(
        &mut self,
        statement: &'a Statement<'a>,
        of: ResourceDeclaration<'a>,
        within: Option<usize>,
    ) -> usize {
        let at = self.resources.len();
        self.resource_numbers.insert(statement.span.start, at);
        if let Some(within) = within {
            self.children.entry(within).or_default().push(at);
        }
        self.resources.push(Resource {
            statement,
            of,
            within,
        });
        for (nested, declaration) in of.value.body().into_iter().flat_map(nested_resources) {
            self.resource(nested, declaration, Some(at));
        }
        at
    }

    /// The resources that stand directly in the body of one.
    pub(crate) fn nested(&self, of: usize) -> impl Iterator<Item = (usize, &Resource<'a>)> {
        self.children
            .get(&of)
            .into_iter()
            .flatten()
            .filter_map(|at| Some((*at, self.resources.get(*at)?)))
    }

    /// The resources in the order in which a template has them: those within others come first,
    /// the innermost before all.
    pub(crate) fn written_order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.resources.len());
        let top = |resource: &Resource<'a>| resource.within.is_none();
        for (at, _) in self.resources.iter().enumerate().filter(|(_, of)| top(of)) {
            self.within_first(at, &mut order);
        }
        order.extend(
            self.resources
                .iter()
                .enumerate()
                .filter(|(_, of)| top(of))
                .map(|(at, _)| at),
        );
        order
    }

    fn within_first(&self, of: usize, order: &mut Vec<usize>) {
        for (at, _) in self.nested(of) {
            self.within_first(at, order);
        }
        order.extend(self.nested(of).map(|(at, _)| at));
    }

    /// The number of the loop that starts at an expression.
    pub(crate) fn loop_of(&self, of: &ForExpression<'a>) -> Option<usize> {
        self.loop_numbers.get(&std::ptr::from_ref(of)).copied()
    }

    /// A loop, and how `copyIndex` calls it.
    pub(crate) fn add_loop(&mut self, of: &'a ForExpression<'a>, copy: Option<&'a str>) -> usize {
        let number = self.loops.len();
        self.loops.push(Loop { of, copy });
        self.loop_numbers.insert(of, number);
        number
    }

    /// The number of the resource that a statement declares.
    pub(crate) fn resource_of(&self, statement: &Statement<'a>) -> Option<usize> {
        self.resource_numbers.get(&statement.span.start).copied()
    }

    /// The loops that an expression's names belong to and that lie outside it.
    pub(crate) fn free_loops(&self, within: Range<u32>) -> Vec<usize> {
        let mut found = Vec::new();
        for bound in self.bound.range(within.clone()).map(|(_, bound)| bound) {
            let (Bound::Item(number) | Bound::Index(number)) = *bound else {
                continue;
            };
            let outside = self.loops.get(number).is_some_and(|of| {
                !(within.start <= of.of.item.span.start && of.of.item.span.end <= within.end)
            });
            if outside && !found.contains(&number) {
                found.push(number);
            }
        }
        found.sort_unstable();
        found
    }
}

/// The name that an imported symbol has here.
pub(crate) fn imported_as<'a>(symbol: &ImportedSymbol<'a>) -> &'a str {
    symbol
        .alias
        .map(|alias| alias.name)
        .filter(|alias| !alias.is_empty())
        .or_else(|| symbol.name.as_str())
        .unwrap_or_default()
}

/// The resources that stand directly in a body.
pub(crate) fn nested_resources<'a>(
    body: Object<'a>,
) -> impl Iterator<Item = (&'a Statement<'a>, ResourceDeclaration<'a>)> {
    body.items.iter().filter_map(|item| match item {
        crate::syntax::ObjectItem::Resource(statement) => match statement.kind {
            StatementKind::Resource(of) => Some((*statement, of)),
            _ => None,
        },
        _ => None,
    })
}

/// `kubernetes` of `kubernetes@1.0.0`, `microsoftgraph` of `br:…/microsoftgraph/v1.0:1.0.0`.
fn extension_name(specification: &str) -> &str {
    let name = specification.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((path, _)) => path.rsplit('/').next().unwrap_or(path),
        None => name,
    }
}

impl<'a> Resource<'a> {
    /// It is many.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self.of.value.kind, ExpressionKind::For(_))
    }

    /// `'Microsoft.Network/virtualNetworks@2024-05-01'`, without quotes.
    pub(crate) fn written_type(&self) -> &'a str {
        unqualified(self.of.ty.as_str().unwrap_or_default())
    }

    /// The value of a key of its body.
    pub(crate) fn property(&self, key: &str) -> Option<Expression<'a>> {
        self.of
            .value
            .body()
            .and_then(|body| body.property(key))
            .map(|property| property.value)
    }
}

impl<'a> Declared<'a, ModuleDeclaration<'a>> {
    /// It is many.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self.of.value.kind, ExpressionKind::For(_))
    }

    /// The value of a key of its body.
    pub(crate) fn property(&self, key: &str) -> Option<Expression<'a>> {
        self.of
            .value
            .body()
            .and_then(|body| body.property(key))
            .map(|property| property.value)
    }
}

/// `Microsoft.Storage/storageAccounts@…` of `az:Microsoft.Storage/storageAccounts@…`.
pub(crate) fn unqualified(kind: &str) -> &str {
    match kind.split_once(':') {
        Some((namespace, rest)) if !namespace.contains(['/', '@', '.']) => rest,
        _ => kind,
    }
}

/// The loop that the value of a resource, module or variable is.
pub(crate) fn for_of<'a>(value: &Expression<'a>) -> Option<&'a ForExpression<'a>> {
    match value.kind {
        ExpressionKind::For(each) => Some(each),
        _ => None,
    }
}
