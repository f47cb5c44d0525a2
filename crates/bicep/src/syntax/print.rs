//! Writes a tree as Bicep. Read again, it is the same tree; comments and directives are left out.
//!
//! Made for trees as the parser makes them: parentheses are where the tree has them, and nowhere
//! else.

mod types;

use super::text;
use super::types::Type;
use super::{
    ArrayItem, BinaryOperator, Decorator, Expression, ExpressionKind, Identifier, Imported, Object,
    ObjectItem, Program, PropertyName, PropertyNameKind, Spread, Statement, StatementKind,
    StringForm, StringLiteral, UnaryOperator,
};

/// Writes a program as Bicep.
#[must_use]
pub fn print(program: &Program<'_>) -> String {
    let mut printer = Printer::default();
    for statement in program.statements {
        printer.statement(statement);
        printer.out.push('\n');
    }
    printer.out
}

/// Writes an expression as Bicep.
#[must_use]
pub fn print_expression(expression: &Expression<'_>) -> String {
    let mut printer = Printer::default();
    printer.expression(expression);
    printer.out
}

/// Writes a type as Bicep.
#[must_use]
pub fn print_type(ty: &Type<'_>) -> String {
    let mut printer = Printer::default();
    printer.ty(ty);
    printer.out
}

#[derive(Default)]
struct Printer {
    out: String,
    indent: usize,
    /// How many holes of strings surround this: inside one, a line must not break.
    holes: usize,
}

impl Printer {
    fn word(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// Items in brackets, each on a line of its own where that can be.
    fn block<T>(&mut self, open: &str, close: &str, items: &[T], item: impl Fn(&mut Self, &T)) {
        self.word(open);
        if items.is_empty() {
            self.word(close);
            return;
        }
        let flat = self.holes > 0;
        self.indent += 1;
        for (at, each) in items.iter().enumerate() {
            match (flat, at) {
                (true, 0) => {}
                (true, _) => self.word(", "),
                (false, _) => self.line(),
            }
            item(self, each);
        }
        self.indent -= 1;
        if !flat {
            self.line();
        }
        self.word(close);
    }

    fn list<T>(&mut self, items: &[T], item: impl Fn(&mut Self, &T)) {
        for (at, each) in items.iter().enumerate() {
            if at > 0 {
                self.word(", ");
            }
            item(self, each);
        }
    }

    fn decorators(&mut self, decorators: &[Decorator<'_>]) {
        for decorator in decorators {
            self.word("@");
            self.expression(&decorator.expression);
            self.line();
        }
    }

    /// `keyword name`
    fn head(&mut self, keyword: &str, name: Identifier<'_>) {
        self.word(keyword);
        self.word(" ");
        self.word(name.name);
    }

    fn assigned(&mut self, value: &Expression<'_>) {
        self.word(" = ");
        self.expression(value);
    }

    fn clause(&mut self, word: &str, value: Option<&Expression<'_>>) {
        if let Some(value) = value {
            self.word(word);
            self.expression(value);
        }
    }

    fn alias(&mut self, alias: Option<Identifier<'_>>) {
        if let Some(alias) = alias {
            self.head(" as", alias);
        }
    }

    fn statement(&mut self, statement: &Statement<'_>) {
        self.decorators(statement.decorators);
        match &statement.kind {
            StatementKind::TargetScope(value) => {
                self.word("targetScope");
                self.assigned(value);
            }
            StatementKind::Metadata(it) => {
                self.head("metadata", it.name);
                self.assigned(&it.value);
            }
            StatementKind::ParameterAssignment(it) => {
                self.head("param", it.name);
                self.assigned(&it.value);
            }
            StatementKind::Assert(it) => {
                self.head("assert", it.name);
                self.assigned(&it.value);
            }
            StatementKind::Parameter(it) => {
                self.head("param", it.name);
                self.word(" ");
                self.ty(&it.ty);
                self.clause(" = ", it.default.as_ref());
            }
            StatementKind::Variable(it) => {
                self.head("var", it.name);
                if let Some(ty) = &it.ty {
                    self.word(" ");
                    self.ty(ty);
                }
                self.assigned(&it.value);
            }
            StatementKind::Type(it) => {
                self.head("type", it.name);
                self.word(" = ");
                self.ty(&it.ty);
            }
            StatementKind::Function(it) => {
                self.head("func", it.name);
                if let Some(lambda) = &it.lambda {
                    self.typed_lambda(lambda);
                }
            }
            StatementKind::Resource(it) => {
                self.head("resource", it.name);
                self.word(" ");
                self.expression(&it.ty);
                if it.existing.is_some() {
                    self.word(" existing");
                }
                self.assigned(&it.value);
            }
            StatementKind::Module(it) => {
                self.head("module", it.name);
                self.clause(" ", Some(&it.path));
                self.assigned(&it.value);
            }
            StatementKind::Test(it) => {
                self.head("test", it.name);
                self.clause(" ", Some(&it.path));
                self.assigned(&it.value);
            }
            StatementKind::Output(it) => {
                self.head("output", it.name);
                self.word(" ");
                self.ty(&it.ty);
                self.assigned(&it.value);
            }
            other => self.outside(other),
        }
    }

    /// What is about other files.
    fn outside(&mut self, kind: &StatementKind<'_>) {
        match kind {
            StatementKind::Import(it) => {
                self.word("import ");
                self.imported(&it.what);
                self.clause(" from ", Some(&it.from));
            }
            StatementKind::Extension(it) => {
                self.clause("extension ", Some(&it.specification));
                self.clause(" with ", it.with.as_ref());
                self.alias(it.alias);
            }
            StatementKind::ExtensionConfig(it) => {
                self.head("extensionConfig", it.alias);
                self.clause(" with ", Some(&it.with));
            }
            StatementKind::Using(it) => {
                self.word("using ");
                match &it.path {
                    Some(path) => self.expression(path),
                    None => self.word("none"),
                }
                self.clause(" with ", it.with.as_ref());
            }
            StatementKind::Extends(path) => self.clause("extends ", Some(path)),
            _ => {}
        }
    }

    fn imported(&mut self, what: &Imported<'_>) {
        match what {
            Imported::Wildcard(name) => self.head("* as", *name),
            Imported::Symbols(symbols) => self.block("{", "}", symbols, |printer, symbol| {
                printer.property_name(&symbol.name);
                printer.alias(symbol.alias);
            }),
            Imported::Skipped => {}
        }
    }

    fn property_name(&mut self, name: &PropertyName<'_>) {
        match &name.kind {
            PropertyNameKind::Identifier(name) => self.word(name),
            PropertyNameKind::String(string) => self.string(string),
            PropertyNameKind::Skipped => {}
        }
    }

    fn string(&mut self, string: &StringLiteral<'_>) {
        let dollars = match string.form {
            StringForm::SingleLine => None,
            StringForm::MultiLine(dollars) => Some(dollars as usize),
        };
        let (open, hole, close) = match dollars {
            None => ("'".to_owned(), "${".to_owned(), "'"),
            Some(count) => {
                // The first line break behind the quotes is not part of the text.
                let dollars = "$".repeat(count);
                (format!("{dollars}'''\n"), format!("{dollars}{{"), "'''")
            }
        };
        self.word(&open);
        let mut expressions = string.expressions.iter();
        for segment in string.segments {
            match dollars {
                None => text::escape(&mut self.out, segment.text),
                Some(_) => self.word(segment.text),
            }
            if let Some(expression) = expressions.next() {
                self.word(&hole);
                self.holes += 1;
                self.expression(expression);
                self.holes -= 1;
                self.word("}");
            }
        }
        self.word(close);
    }

    fn object(&mut self, object: &Object<'_>) {
        self.block("{", "}", object.items, |printer, item| match item {
            ObjectItem::Property(property) => {
                printer.property_name(&property.key);
                printer.word(": ");
                printer.expression(&property.value);
            }
            ObjectItem::Spread(spread) => printer.spread(spread),
            ObjectItem::Resource(resource) => printer.statement(resource),
            ObjectItem::Skipped(_) => {}
        });
    }

    fn spread(&mut self, spread: &Spread<'_>) {
        self.clause("...", Some(&spread.expression));
    }

    fn arguments(&mut self, arguments: &[Expression<'_>]) {
        self.word("(");
        self.list(arguments, Self::expression);
        self.word(")");
    }

    fn expression(&mut self, expression: &Expression<'_>) {
        match &expression.kind {
            ExpressionKind::Null => self.word("null"),
            ExpressionKind::Boolean(value) => self.word(if *value { "true" } else { "false" }),
            ExpressionKind::Integer(value) => self.word(&value.to_string()),
            ExpressionKind::String(string) => self.string(string),
            ExpressionKind::VariableAccess(name) => self.word(name),
            ExpressionKind::Array(items) => {
                self.block("[", "]", items, |printer, item| match item {
                    ArrayItem::Item(item) => printer.expression(item),
                    ArrayItem::Spread(spread) => printer.spread(spread),
                });
            }
            ExpressionKind::Object(object) => self.object(object),
            ExpressionKind::Parenthesized(inner) => {
                self.clause("(", Some(inner));
                self.word(")");
            }
            ExpressionKind::Unary(it) => {
                self.clause(unary(it.operator), Some(&it.operand));
            }
            ExpressionKind::Binary(it) => {
                self.expression(&it.left);
                self.word(" ");
                self.word(binary(it.operator));
                self.clause(" ", Some(&it.right));
            }
            ExpressionKind::Ternary(it) => {
                self.expression(&it.condition);
                self.clause(" ? ", Some(&it.true_expression));
                self.clause(" : ", Some(&it.false_expression));
            }
            ExpressionKind::Lambda(it) => {
                self.word("(");
                self.list(it.parameters, |printer, name| printer.word(name.name));
                self.clause(") => ", Some(&it.body));
            }
            other => self.access_or_body(other),
        }
    }

    fn access_or_body(&mut self, kind: &ExpressionKind<'_>) {
        match kind {
            ExpressionKind::FunctionCall(it) => {
                self.word(it.name.name);
                self.arguments(it.arguments);
            }
            ExpressionKind::InstanceFunctionCall(it) => {
                self.expression(&it.base);
                self.word(".");
                self.word(it.name.name);
                self.arguments(it.arguments);
            }
            ExpressionKind::PropertyAccess(it) => {
                self.expression(&it.base);
                self.word(if it.safe { ".?" } else { "." });
                self.word(it.property.name);
            }
            ExpressionKind::ArrayAccess(it) => {
                self.expression(&it.base);
                self.word(if it.safe { "[?" } else { "[" });
                self.word(if it.from_end { "^" } else { "" });
                self.expression(&it.index);
                self.word("]");
            }
            ExpressionKind::ResourceAccess(it) => {
                self.expression(&it.base);
                self.word("::");
                self.word(it.name.name);
            }
            ExpressionKind::NonNullAssertion(base) => {
                self.expression(base);
                self.word("!");
            }
            ExpressionKind::For(it) => {
                self.word("[for ");
                match it.index {
                    Some(index) => {
                        self.head("(", it.item);
                        self.head(",", index);
                        self.word(")");
                    }
                    None => self.word(it.item.name),
                }
                self.clause(" in ", Some(&it.expression));
                self.clause(": ", Some(&it.body));
                self.word("]");
            }
            ExpressionKind::If(it) => {
                self.clause("if (", Some(&it.condition));
                self.clause(") ", Some(&it.body));
            }
            _ => {}
        }
    }
}

fn unary(operator: UnaryOperator) -> &'static str {
    match operator {
        UnaryOperator::Not => "!",
        UnaryOperator::Minus => "-",
    }
}

fn binary(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::LogicalOr => "||",
        BinaryOperator::LogicalAnd => "&&",
        BinaryOperator::Equals => "==",
        BinaryOperator::NotEquals => "!=",
        BinaryOperator::EqualsInsensitive => "=~",
        BinaryOperator::NotEqualsInsensitive => "!~",
        BinaryOperator::LessThan => "<",
        BinaryOperator::LessThanOrEqual => "<=",
        BinaryOperator::GreaterThan => ">",
        BinaryOperator::GreaterThanOrEqual => ">=",
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Coalesce => "??",
    }
}
