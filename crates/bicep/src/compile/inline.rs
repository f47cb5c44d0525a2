//! Which variables are written out where they are used. Azure evaluates variables before anything
//! is deployed, so what reads a resource cannot be one.
//!
//! The official compiler decides while it walks over a declaration, and a later part of it may
//! overrule an earlier one; the same is done here.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, Object, ObjectItem, PropertyAccess, PropertyNameKind,
};

use super::reference::Target;
use super::template::Template;
use super::unit::Symbol;

/// Functions whose results are only known while resources are deployed.
const RUNTIME: [&str; 5] = [
    "reference",
    "toLogicalZone",
    "toLogicalZones",
    "toPhysicalZone",
    "toPhysicalZones",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    No,
    Yes,
    /// Only names are read so far; whole resources no longer count.
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Variable(usize),
    Resource(usize),
}

struct Decider<'t, 's, 'a> {
    template: &'t Template<'s, 'a>,
    decisions: HashMap<Of, Decision>,
    current: Option<Of>,
}

impl Template<'_, '_> {
    /// The variables that are written out, and the existing resources that are left out.
    pub(crate) fn symbols_to_inline(&self) -> (HashSet<usize>, HashSet<usize>) {
        let mut decider = Decider {
            template: self,
            decisions: HashMap::new(),
            current: None,
        };
        for at in 0..self.unit.variables.len() {
            decider.variable(at);
        }
        for (at, resource) in self.unit.resources.iter().enumerate() {
            if resource.within.is_none() {
                decider.resource(at);
            }
        }
        let mut found = (HashSet::new(), HashSet::new());
        #[expect(
            clippy::iter_over_hash_type,
            reason = "goes from sets into sets: the order is nowhere seen"
        )]
        for (of, decision) in decider.decisions {
            match of {
                _ if decision != Decision::Yes => {}
                Of::Variable(at) => {
                    found.0.insert(at);
                }
                Of::Resource(at) => {
                    found.1.insert(at);
                }
            }
        }
        found
    }
}

impl<'a> Decider<'_, '_, 'a> {
    fn decision(&self, of: Of) -> Option<Decision> {
        self.decisions.get(&of).copied()
    }

    fn decide(&mut self, decision: Decision) {
        if let Some(current) = self.current {
            self.decisions.insert(current, decision);
        }
    }

    /// Nothing is looked for, or it was found.
    fn is_done(&self) -> bool {
        match self.current {
            None => true,
            Some(current) => self.decision(current) == Some(Decision::Yes),
        }
    }

    fn variable(&mut self, at: usize) {
        let unit = Rc::clone(&self.template.unit);
        let of = Of::Variable(at);
        let Some(variable) = unit.variables.get(at) else {
            return;
        };
        if self.decisions.contains_key(&of) {
            return;
        }
        let before = self.current.replace(of);
        self.decisions.insert(of, Decision::No);
        if let Some(_deeper) = self.template.session.deeper(variable.of.value.span) {
            self.expression(&variable.of.value);
        }
        self.current = before;
    }

    fn resource(&mut self, at: usize) {
        let unit = Rc::clone(&self.template.unit);
        let of = Of::Resource(at);
        let Some(resource) = unit.resources.get(at) else {
            return;
        };
        if self.decisions.contains_key(&of) {
            return;
        }
        let azure = self.template.resource_type(at).extension.is_none();
        let plain_body = match resource.of.value.kind {
            ExpressionKind::Object(object) => Some(object),
            _ => None,
        };
        if resource.of.existing.is_none() || !azure {
            self.decisions.insert(of, Decision::Skip);
        } else {
            self.decisions.insert(of, Decision::No);
            if self.is_behind_hidden(at) {
                self.decisions.insert(of, Decision::Yes);
            } else {
                let before = self.current.replace(of);
                if let Some(_deeper) = self.template.session.deeper(resource.statement.span) {
                    for property in plain_body.into_iter().flat_map(super::value::properties) {
                        let left_out = matches!(
                            property.key.as_str(),
                            Some("dependsOn" | "parent" | "scope")
                        );
                        if !left_out {
                            self.expression(&property.value);
                        }
                    }
                }
                self.current = before;
            }
        }
        let nested: Vec<_> = unit.nested(at).map(|(number, _)| number).collect();
        if plain_body.is_some() {
            for number in nested {
                self.resource(number);
            }
        }
    }

    /// A child or an extension of an existing resource that is itself left out.
    fn is_behind_hidden(&mut self, at: usize) -> bool {
        let unit = Rc::clone(&self.template.unit);
        let mut hidden = false;
        for ancestor in self.template.ancestors(at) {
            let existing = unit
                .resources
                .get(ancestor.resource)
                .is_some_and(|above| above.of.existing.is_some());
            if existing {
                self.resource(ancestor.resource);
                hidden |= self.decision(Of::Resource(ancestor.resource)) == Some(Decision::Yes);
            } else {
                hidden = false;
            }
        }
        let scope = unit
            .resources
            .get(at)
            .and_then(|resource| resource.property("scope"))
            .and_then(|scope| {
                let base = match scope.kind {
                    ExpressionKind::ArrayAccess(access) => access.base,
                    _ => scope,
                };
                self.template.plain_reference(&base)
            });
        if let Some(Target::Resource(scope)) = scope {
            let kind = self.template.resource_type(scope).name;
            let is_scope = kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups")
                || kind.eq_ignore_ascii_case("Microsoft.Management/managementGroups");
            if !is_scope {
                self.resource(scope);
                hidden |= self.decision(Of::Resource(scope)) == Some(Decision::Yes);
            }
        }
        hidden
    }

    fn all(&mut self, all: &[Expression<'a>]) {
        for expression in all {
            self.expression(expression);
        }
    }

    fn object(&mut self, object: &Object<'a>) {
        for item in object.items {
            match item {
                ObjectItem::Property(property) => {
                    if let PropertyNameKind::String(string) = property.key.kind {
                        self.all(string.expressions);
                    }
                    self.expression(&property.value);
                }
                ObjectItem::Spread(spread) => self.expression(&spread.expression),
                ObjectItem::Resource(_) | ObjectItem::Skipped(_) => {}
            }
        }
    }

    fn expression(&mut self, expression: &Expression<'a>) {
        match expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Integer(_)
            | ExpressionKind::Skipped => {}
            ExpressionKind::String(string) => self.all(string.expressions),
            ExpressionKind::Array(items) => {
                for item in items {
                    match item {
                        ArrayItem::Item(item) => self.expression(item),
                        ArrayItem::Spread(spread) => self.expression(&spread.expression),
                    }
                }
            }
            ExpressionKind::Object(object) => self.object(&object),
            ExpressionKind::For(each) => self.all(&[each.expression, each.body]),
            ExpressionKind::If(of) => self.all(&[of.condition, of.body]),
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.expression(inner);
            }
            ExpressionKind::VariableAccess(name) => self.name(expression, name),
            ExpressionKind::FunctionCall(call) => {
                self.call(call.name.name, None);
                if call.name.name != "nameof" {
                    self.all(call.arguments);
                }
            }
            ExpressionKind::InstanceFunctionCall(call) => {
                self.call(call.name.name, Some(&call.base));
                if call.name.name != "nameof" {
                    self.expression(&call.base);
                    self.all(call.arguments);
                }
            }
            ExpressionKind::PropertyAccess(access) => self.property(access),
            ExpressionKind::ArrayAccess(access) => self.all(&[access.base, access.index]),
            ExpressionKind::ResourceAccess(access) => self.expression(&access.base),
            ExpressionKind::Unary(unary) => self.expression(&unary.operand),
            ExpressionKind::Binary(binary) => self.all(&[binary.left, binary.right]),
            ExpressionKind::Ternary(of) => {
                self.all(&[of.condition, of.true_expression, of.false_expression]);
            }
            ExpressionKind::Lambda(lambda) => self.expression(&lambda.body),
        }
    }

    fn name(&mut self, expression: &Expression<'a>, name: &str) {
        if self.is_done() {
            return;
        }
        match self.template.named(expression, name) {
            Some(Symbol::Variable(at)) => {
                self.variable(at);
                let inner = self.decision(Of::Variable(at));
                let yes = inner == Some(Decision::Yes) || self.is_done();
                self.decide(if yes { Decision::Yes } else { Decision::No });
            }
            Some(Symbol::Resource(_) | Symbol::Module(_)) => {
                let current = self.current.and_then(|current| self.decision(current));
                if current != Some(Decision::Skip) {
                    self.decide(Decision::Yes);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, name: &str, base: Option<&Expression<'a>>) {
        if self.is_done() {
            return;
        }
        if self.template.unit.symbols.contains_key(name) && base.is_none() {
            return;
        }
        let on_resource = base.is_some_and(|base| {
            let base = match base.inner().kind {
                ExpressionKind::ArrayAccess(access) => access.base,
                ExpressionKind::NonNullAssertion(inner) => *inner,
                _ => base.inner(),
            };
            self.template.plain_reference(&base).is_some()
        });
        let runtime = RUNTIME.contains(&name)
            || name
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("list"))
            || (on_resource && name != "getSecret");
        self.decide(if runtime { Decision::Yes } else { Decision::No });
    }

    fn property(&mut self, access: &PropertyAccess<'a>) {
        if self.is_done() {
            return;
        }
        let base = match access.base.kind {
            ExpressionKind::NonNullAssertion(inner) => *inner,
            _ => access.base,
        };
        let mut symbol = base;
        while let ExpressionKind::ArrayAccess(inner) = symbol.kind {
            symbol = inner.base;
        }
        let target = match symbol.kind {
            ExpressionKind::VariableAccess(name) => match self.template.named(&symbol, name) {
                Some(Symbol::Resource(at)) => Some(Target::Resource(at)),
                Some(Symbol::Module(at)) => Some(Target::Module(at)),
                _ => None,
            },
            ExpressionKind::ResourceAccess(_) => self.template.plain_reference(&symbol),
            _ => None,
        };
        let name = access.property.name;
        let skip = match target {
            Some(Target::Resource(at)) => match name {
                "id" | "name" => {
                    self.resource(at);
                    self.decision(Of::Resource(at)) != Some(Decision::Yes)
                }
                _ => matches!(name, "type" | "apiVersion"),
            },
            Some(Target::Module(_)) => name == "name",
            None => {
                self.expression(&access.base);
                return;
            }
        };
        self.decide(if skip { Decision::Skip } else { Decision::Yes });
    }
}
