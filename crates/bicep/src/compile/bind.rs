//! Says what the names in a file's expressions stand for where loops, lambdas, functions and
//! resources within resources give them a meaning of their own; and notes on the way what must be
//! known of the file as a whole.

use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, Identifier, Object, ObjectItem, Program,
    PropertyNameKind, Statement, StatementKind, StringLiteral, Type, TypeKind,
};

use super::unit::{Bound, Load, Symbol, Unit};

/// Functions whose lambdas get the items of what stands before them.
const OVER_ITEMS: [&str; 7] = [
    "map",
    "filter",
    "sort",
    "reduce",
    "toObject",
    "groupBy",
    "mapValues",
];

pub(crate) fn bind<'a>(unit: &mut Unit<'a>, program: &Program<'a>) {
    let mut binder = Binder {
        unit,
        names: Vec::new(),
        in_function: false,
        in_depends_on: false,
    };
    for statement in program.statements {
        binder.statement(statement);
    }
}

struct Binder<'u, 'a> {
    unit: &'u mut Unit<'a>,
    /// Innermost last.
    names: Vec<(&'a str, Bound)>,
    in_function: bool,
    /// Names in `dependsOn` do not read what they name.
    in_depends_on: bool,
}

/// What an expression is the whole value of.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// A resource, a module, an output: loops have no name.
    Nameless,
    Variable(&'a str),
    Property(&'a str),
    /// `base.property`, `base[index]`
    Access,
    Other,
}

impl<'a> Binder<'_, 'a> {
    fn statement(&mut self, statement: &'a Statement<'a>) {
        for decorator in statement.decorators {
            self.expression(&decorator.expression, Of::Other);
        }
        match statement.kind {
            StatementKind::TargetScope(value) | StatementKind::Extends(value) => {
                self.expression(&value, Of::Other);
            }
            StatementKind::Metadata(of) | StatementKind::Assert(of) => {
                self.expression(&of.value, Of::Other);
            }
            StatementKind::ParameterAssignment(of) => {
                self.expression(&of.value, Of::Nameless);
            }
            StatementKind::Parameter(of) => {
                self.ty(&of.ty);
                if let Some(default) = of.default {
                    self.expression(&default, Of::Other);
                }
            }
            StatementKind::Variable(of) => {
                if let Some(ty) = &of.ty {
                    self.ty(ty);
                    self.unit.traits.types = true;
                }
                self.expression(&of.value, Of::Variable(of.name.name));
            }
            StatementKind::Type(of) => self.ty(&of.ty),
            StatementKind::Function(of) => self.function(&of),
            StatementKind::Resource(of) => {
                let Some(at) = self.unit.resource_of(statement) else {
                    return;
                };
                let before = self.names.len();
                // The names of resources within are known in the whole body.
                let within: Vec<_> = self
                    .unit
                    .nested(at)
                    .map(|(number, nested)| (nested.of.name.name, Bound::Resource(number)))
                    .collect();
                self.names.extend(within);
                self.body(&of.value);
                self.names.truncate(before);
            }
            StatementKind::Module(of) => self.body(&of.value),
            StatementKind::Output(of) => {
                self.ty(&of.ty);
                self.expression(&of.value, Of::Nameless);
            }
            StatementKind::Extension(of) => {
                if let Some(with) = &of.with {
                    self.expression(with, Of::Other);
                }
            }
            StatementKind::ExtensionConfig(of) => self.expression(&of.with, Of::Other),
            StatementKind::Test(of) => self.expression(&of.value, Of::Other),
            StatementKind::Import(_) | StatementKind::Using(_) | StatementKind::Skipped => {}
        }
    }

    fn function(&mut self, of: &crate::syntax::FunctionDeclaration<'a>) {
        let Some(lambda) = of.lambda else {
            return;
        };
        let before = self.names.len();
        for parameter in lambda.parameters {
            self.ty(&parameter.ty);
            self.names
                .push((parameter.name.name, Bound::FunctionParameter));
        }
        self.ty(&lambda.return_type);
        self.in_function = true;
        self.expression(&lambda.body, Of::Other);
        self.in_function = false;
        self.names.truncate(before);
    }

    /// The value of a resource or module.
    fn body(&mut self, value: &Expression<'a>) {
        match value.kind {
            ExpressionKind::Object(object) => self.object(&object, true),
            ExpressionKind::If(condition) => {
                self.expression(&condition.condition, Of::Other);
                self.body(&condition.body);
            }
            ExpressionKind::For(each) => {
                let before = self.names.len();
                self.enter_loop(each, None);
                self.body(&each.body);
                self.names.truncate(before);
            }
            _ => self.expression(value, Of::Nameless),
        }
    }

    fn enter_loop(&mut self, each: &'a crate::syntax::ForExpression<'a>, copy: Option<&'a str>) {
        self.expression(&each.expression, Of::Other);
        let number = self.unit.add_loop(each, copy);
        self.names.push((each.item.name, Bound::Item(number)));
        if let Some(index) = each.index {
            self.names.push((index.name, Bound::Index(number)));
        }
    }

    fn object(&mut self, object: &Object<'a>, body: bool) {
        for item in object.items {
            match item {
                ObjectItem::Property(property) => {
                    if let PropertyNameKind::String(string) = property.key.kind {
                        self.string(&string);
                    }
                    let key = property.key.as_str();
                    self.in_depends_on |= body && key == Some("dependsOn");
                    self.expression(&property.value, key.map_or(Of::Other, Of::Property));
                    self.in_depends_on &= !body;
                }
                ObjectItem::Spread(spread) => self.expression(&spread.expression, Of::Other),
                ObjectItem::Resource(statement) => self.statement(statement),
                ObjectItem::Skipped(_) => {}
            }
        }
    }

    fn string(&mut self, string: &StringLiteral<'a>) {
        for expression in string.expressions {
            self.expression(expression, Of::Other);
        }
    }

    fn expression(&mut self, expression: &Expression<'a>, of: Of<'a>) {
        match expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Integer(_)
            | ExpressionKind::Skipped => {}
            ExpressionKind::String(string) => self.string(&string),
            ExpressionKind::Array(items) => {
                for item in items {
                    match item {
                        ArrayItem::Item(item) => self.expression(item, Of::Other),
                        ArrayItem::Spread(spread) => self.expression(&spread.expression, Of::Other),
                    }
                }
            }
            ExpressionKind::Object(object) => self.object(&object, false),
            ExpressionKind::For(each) => {
                let before = self.names.len();
                let copy = match of {
                    Of::Variable(name) | Of::Property(name) => Some(name),
                    _ => None,
                };
                self.enter_loop(each, copy);
                self.expression(&each.body, Of::Other);
                self.names.truncate(before);
            }
            ExpressionKind::If(condition) => {
                self.expression(&condition.condition, Of::Other);
                self.expression(&condition.body, Of::Other);
            }
            ExpressionKind::Parenthesized(inner) => self.expression(inner, of),
            ExpressionKind::VariableAccess(name) => self.variable(expression, name, of),
            ExpressionKind::FunctionCall(call) => {
                self.load(expression, call.name, of);
                let module = OVER_ITEMS
                    .contains(&call.name.name)
                    .then(|| call.arguments.first().and_then(|first| self.module(first)))
                    .flatten();
                for argument in call.arguments {
                    self.argument(argument, module);
                }
            }
            ExpressionKind::InstanceFunctionCall(call) => {
                self.load(expression, call.name, of);
                self.expression(&call.base, Of::Access);
                for argument in call.arguments {
                    self.argument(argument, None);
                }
            }
            ExpressionKind::PropertyAccess(access) => self.expression(&access.base, Of::Access),
            ExpressionKind::ArrayAccess(access) => {
                self.expression(&access.base, Of::Access);
                self.expression(&access.index, Of::Other);
            }
            ExpressionKind::ResourceAccess(access) => self.expression(&access.base, Of::Access),
            ExpressionKind::NonNullAssertion(inner) => self.expression(inner, Of::Other),
            ExpressionKind::Unary(unary) => self.expression(&unary.operand, Of::Other),
            ExpressionKind::Binary(binary) => {
                self.expression(&binary.left, Of::Other);
                self.expression(&binary.right, Of::Other);
            }
            ExpressionKind::Ternary(ternary) => {
                self.expression(&ternary.condition, Of::Other);
                self.expression(&ternary.true_expression, Of::Other);
                self.expression(&ternary.false_expression, Of::Other);
            }
            ExpressionKind::Lambda(_) => self.argument(expression, None),
        }
    }

    /// An argument of a call; when it is a lambda, what its parameters are items of.
    fn argument(&mut self, argument: &Expression<'a>, module: Option<usize>) {
        let ExpressionKind::Lambda(lambda) = argument.kind else {
            self.expression(argument, Of::Other);
            return;
        };
        let before = self.names.len();
        for parameter in lambda.parameters {
            self.names.push((parameter.name, Bound::Lambda(module)));
        }
        self.expression(&lambda.body, Of::Other);
        self.names.truncate(before);
    }

    fn variable(&mut self, expression: &Expression<'a>, name: &'a str, of: Of<'a>) {
        let local = self.names.iter().rev().find(|(found, _)| *found == name);
        if let Some((_, bound)) = local {
            let bound = *bound;
            self.unit.bound.insert(expression.span.start, bound);
            if let Bound::Resource(at) = bound {
                self.collection(Symbol::Resource(at), of);
            }
        } else if let Some(symbol) = self.unit.symbols.get(name) {
            self.collection(*symbol, of);
        } else {
            self.unit.traits.this |= name == "this";
        }
    }

    fn collection(&mut self, symbol: Symbol, of: Of<'a>) {
        if self.in_depends_on || matches!(of, Of::Access) {
            return;
        }
        let many = match symbol {
            Symbol::Resource(at) => self
                .unit
                .resources
                .get(at)
                .is_some_and(|resource| resource.is_collection()),
            Symbol::Module(at) => self
                .unit
                .modules
                .get(at)
                .is_some_and(|module| module.is_collection()),
            _ => false,
        };
        self.unit.traits.collections |= many;
    }

    /// The module whose loop an expression gives the items of.
    fn module(&self, of: &Expression<'a>) -> Option<usize> {
        match of.inner().kind {
            ExpressionKind::VariableAccess(name) => match self.unit.symbols.get(name) {
                Some(Symbol::Module(at)) => Some(*at),
                _ => None,
            },
            ExpressionKind::FunctionCall(call)
                if matches!(call.name.name, "filter" | "sort" | "take" | "skip") =>
            {
                call.arguments.first().and_then(|first| self.module(first))
            }
            _ => None,
        }
    }

    fn load(&mut self, expression: &Expression<'a>, name: Identifier<'a>, of: Of<'a>) {
        if !self.in_function && super::load::is_load(name.name) {
            self.unit.loads.push(Load {
                call: *expression,
                direct: matches!(of, Of::Variable(_)),
            });
        }
    }

    /// Only looks for forms that need the newer language.
    fn ty(&mut self, ty: &Type<'a>) {
        match ty.kind {
            TypeKind::Object(_)
            | TypeKind::Tuple(_)
            | TypeKind::Array(_)
            | TypeKind::Nullable(_)
            | TypeKind::Union(_) => self.unit.traits.types = true,
            TypeKind::Parenthesized(inner) | TypeKind::NonNullable(inner) => self.ty(inner),
            TypeKind::PropertyAccess(base, _)
            | TypeKind::AdditionalPropertiesAccess(base)
            | TypeKind::ItemsAccess(base)
            | TypeKind::ArrayAccess(base, _) => self.ty(base),
            _ => {}
        }
    }
}
