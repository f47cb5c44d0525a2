//! What a resource or module must wait for: what it names, directly or through variables and
//! existing resources.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::node::{Expr, Node};
use crate::source::Span;
use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, Object, ObjectItem, PropertyNameKind, StatementKind,
    StringLiteral,
};

use super::expr::reads_copy_index;
use super::lower::Env;
use super::reference::{Reference, Target};
use super::template::Template;
use super::unit::{Bound, Symbol, for_of};

/// How many ways through variables are followed for one resource: more would be the same again.
const MAX_PATHS: usize = 5_000;

/// Through how many variables and existing resources one way may lead.
const MAX_PATH: usize = 120;

/// Something that waits or is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Waits {
    On(Target),
    Variable(usize),
}

#[derive(Debug, Clone, Copy)]
struct Dependency<'a> {
    on: Waits,
    /// Which of many.
    index: Option<Expression<'a>>,
    /// Only what the template itself says of a resource is read.
    weak: bool,
}

/// Of everything that is declared, what it names.
#[derive(Debug, Default)]
pub(crate) struct Dependencies<'a> {
    of: BTreeMap<Waits, Vec<Dependency<'a>>>,
    /// What leads to something that is deployed.
    leads: HashSet<Waits>,
}

/// What an expression is the base of.
#[derive(Clone, Copy)]
enum Above<'c, 'a> {
    Nothing,
    Property(&'a str),
    Index(&'c Expression<'a>, &'c Self),
    Method,
}

struct Walker<'t, 's, 'a> {
    template: &'t Template<'s, 'a>,
    all: BTreeMap<Waits, Vec<Dependency<'a>>>,
    current: Waits,
    /// The loops whose names are known in the whole body.
    own_loops: Vec<usize>,
    /// In `parent` or `scope`.
    weak: bool,
}

impl<'a> Template<'_, 'a> {
    pub(crate) fn dependencies(&self) -> Dependencies<'a> {
        let mut walker = Walker {
            template: self,
            all: BTreeMap::new(),
            current: Waits::Variable(usize::MAX),
            own_loops: Vec::new(),
            weak: false,
        };
        for (at, resource) in self.unit.resources.iter().enumerate() {
            if resource.within.is_none() {
                walker.resource(at);
            }
        }
        for (at, module) in self.unit.modules.iter().enumerate() {
            let loops = self.target_loop(Target::Module(at)).into_iter().collect();
            walker.enter(Waits::On(Target::Module(at)), loops);
            walker.decorators(module.statement.decorators);
            walker.body(&module.of.value);
        }
        for (at, variable) in self.unit.variables.iter().enumerate() {
            let own = for_of(&variable.of.value).and_then(|each| self.unit.loop_of(each));
            walker.enter(Waits::Variable(at), own.into_iter().collect());
            walker.expression(&variable.of.value, Above::Nothing);
        }
        let mut found = Dependencies {
            of: walker.all,
            leads: HashSet::new(),
        };
        self.find_leads(&mut found);
        found
    }

    /// Backwards from what is deployed.
    fn find_leads(&self, found: &mut Dependencies<'a>) {
        let mut users: HashMap<Waits, Vec<Waits>> = HashMap::new();
        let mut open = Vec::new();
        for (user, dependencies) in &found.of {
            for dependency in dependencies {
                users.entry(dependency.on).or_default().push(*user);
                if self.ends(dependency) {
                    open.push(*user);
                }
            }
        }
        while let Some(next) = open.pop() {
            if found.leads.insert(next) {
                open.extend(users.get(&next).into_iter().flatten());
            }
        }
    }

    /// Nothing behind this one needs to be named: it is deployed, and waits itself.
    fn ends(&self, dependency: &Dependency<'a>) -> bool {
        match dependency.on {
            Waits::On(Target::Module(_)) => true,
            Waits::On(Target::Resource(at)) => self.unit.resources.get(at).is_some_and(|of| {
                of.of.existing.is_none() || (self.plan.symbolic.get() && !dependency.weak)
            }),
            Waits::Variable(_) => false,
        }
    }

    /// The entries of `dependsOn`.
    pub(crate) fn depends_on(
        self: &Rc<Self>,
        of: Target,
        span: Span,
        all: &Dependencies<'a>,
    ) -> Vec<Node<'a>> {
        let mut finder = Finder {
            template: self,
            all,
            path: Vec::new(),
            steps: 0,
            cut: false,
            found: Vec::new(),
        };
        finder.follow(Waits::On(of), Env::default(), true);
        if finder.cut {
            self.unknown_name(span, "too many ways lead from here to what it waits for");
        }
        let mut found = finder.found;
        let whole: HashSet<Target> = found
            .iter()
            .filter(|end| end.at.is_none())
            .map(|end| end.reference.target)
            .collect();
        let mut seen = HashSet::new();
        found.retain(|end| {
            let at = if whole.contains(&end.reference.target) {
                if end.at.is_some() {
                    return false;
                }
                None
            } else {
                end.at
            };
            seen.insert((end.reference.target, at))
        });
        found.sort_by(|one, other| culture(one.key, other.key));
        found
            .iter()
            .map(|end| self.make().value(self.waits_on(span, &end.reference)))
            .collect()
    }

    fn waits_on(&self, span: Span, reference: &Reference<'a>) -> Expr<'a> {
        if self.plan.symbolic.get()
            || (self.is_collection(reference.target) && reference.index.is_none())
        {
            return self.symbolic(span, reference);
        }
        match reference.target {
            Target::Resource(at) => self.resource_id(span, at, reference.env),
            Target::Module(_) => self.module_id(span, reference),
        }
    }
}

/// One end of one way.
struct End<'a> {
    key: &'a str,
    /// Where the index is written.
    at: Option<(u32, u32)>,
    reference: Reference<'a>,
}

struct Finder<'t, 's, 'a> {
    template: &'t Rc<Template<'s, 'a>>,
    all: &'t Dependencies<'a>,
    path: Vec<Waits>,
    steps: usize,
    /// There was more than is followed.
    cut: bool,
    found: Vec<End<'a>>,
}

impl<'a> Finder<'_, '_, 'a> {
    fn follow(&mut self, from: Waits, env: Env<'a>, every_copy: bool) {
        let all = self.all;
        for dependency in all.of.get(&from).into_iter().flatten() {
            self.steps += 1;
            if self.steps > MAX_PATHS || self.path.len() > MAX_PATH {
                self.cut = true;
                return;
            }
            if self.path.contains(&dependency.on) {
                continue;
            }
            let ends = self.template.ends(dependency);
            if ends || all.leads.contains(&dependency.on) {
                self.step(dependency, ends, env, every_copy);
            }
        }
    }

    fn step(&mut self, dependency: &Dependency<'a>, ends: bool, env: Env<'a>, every_copy: bool) {
        let template = self.template;
        let index = dependency.index.map(|index| template.expr(&index, env));
        let copies = index.is_some_and(|index| reads_copy_index(&index));
        let inner = match (dependency.on, index) {
            (Waits::On(target), Some(index)) => template.indexed(target, index, env).env,
            (Waits::Variable(at), Some(index)) => {
                let own = template
                    .unit
                    .variables
                    .get(at)
                    .and_then(|variable| for_of(&variable.of.value))
                    .and_then(|each| template.unit.loop_of(each));
                own.map_or(env, |own| env.with(template.make(), own, index))
            }
            (_, None) => env,
        };
        if ends {
            let Waits::On(target) = dependency.on else {
                return;
            };
            // An index that only holds in another loop says nothing here.
            let index = index.filter(|_| !copies || every_copy);
            let reference = Reference {
                target,
                index,
                env: if index.is_some() {
                    inner
                } else {
                    Env::default()
                },
            };
            self.found.push(End {
                key: self.key(target),
                at: index
                    .and(dependency.index)
                    .map(|index| (index.span.start, index.span.end)),
                reference,
            });
            return;
        }
        self.path.push(dependency.on);
        self.follow(dependency.on, inner, every_copy && copies);
        self.path.pop();
    }

    fn key(&self, target: Target) -> &'a str {
        match target {
            Target::Resource(at) => self.template.symbolic_name(at),
            Target::Module(at) => self
                .template
                .unit
                .modules
                .get(at)
                .map_or("", |module| module.of.name.name),
        }
    }
}

impl<'a> Walker<'_, '_, 'a> {
    fn enter(&mut self, of: Waits, loops: Vec<usize>) {
        self.current = of;
        self.own_loops = loops;
        self.weak = false;
        self.all.entry(of).or_default();
    }

    fn decorators(&mut self, decorators: &[crate::syntax::Decorator<'a>]) {
        for decorator in decorators {
            self.expression(&decorator.expression, Above::Nothing);
        }
    }

    fn resource(&mut self, at: usize) {
        let unit = Rc::clone(&self.template.unit);
        let Some(resource) = unit.resources.get(at) else {
            return;
        };
        let before = (self.current, self.own_loops.clone());
        let target = Target::Resource(at);
        let mut loops = before.1.clone();
        if resource.within.is_none() {
            loops.clear();
        }
        loops.extend(self.template.target_loop(target));
        self.enter(Waits::On(target), loops);
        if let Some(parent) = self.template.ancestors(at).last() {
            self.add(Dependency {
                on: Waits::On(Target::Resource(parent.resource)),
                index: parent.index,
                weak: true,
            });
        }
        self.decorators(resource.statement.decorators);
        self.body(&resource.of.value);
        (self.current, self.own_loops) = before;
    }

    fn body(&mut self, value: &Expression<'a>) {
        match value.kind {
            ExpressionKind::Object(object) => self.object(&object, true),
            ExpressionKind::If(condition) => {
                self.expression(&condition.condition, Above::Nothing);
                self.body(&condition.body);
            }
            ExpressionKind::For(each) => {
                self.expression(&each.expression, Above::Nothing);
                self.body(&each.body);
            }
            _ => self.expression(value, Above::Nothing),
        }
    }

    fn add(&mut self, dependency: Dependency<'a>) {
        let place = |of: &Dependency<'a>| of.index.map(|index| index.span);
        let all = self.all.entry(self.current).or_default();
        let known = all.iter().any(|known| {
            known.on == dependency.on
                && known.weak == dependency.weak
                && place(known) == place(&dependency)
        });
        if !known {
            all.push(dependency);
        }
    }

    fn object(&mut self, object: &Object<'a>, body: bool) {
        for item in object.items {
            match item {
                ObjectItem::Property(property) => {
                    if let PropertyNameKind::String(string) = property.key.kind {
                        self.string(&string);
                    }
                    let weak = body && matches!(property.key.as_str(), Some("parent" | "scope"));
                    self.weak |= weak;
                    self.expression(&property.value, Above::Nothing);
                    self.weak &= !weak;
                }
                ObjectItem::Spread(spread) => self.expression(&spread.expression, Above::Nothing),
                ObjectItem::Resource(statement) => {
                    if let StatementKind::Resource(_) = statement.kind
                        && let Some(at) = self.template.unit.resource_of(statement)
                    {
                        self.resource(at);
                    }
                }
                ObjectItem::Skipped(_) => {}
            }
        }
    }

    fn string(&mut self, string: &StringLiteral<'a>) {
        for expression in string.expressions {
            self.expression(expression, Above::Nothing);
        }
    }

    fn expressions(&mut self, all: &[Expression<'a>]) {
        for expression in all {
            self.expression(expression, Above::Nothing);
        }
    }

    fn expression(&mut self, expression: &Expression<'a>, above: Above<'_, 'a>) {
        match expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Integer(_)
            | ExpressionKind::Skipped => {}
            ExpressionKind::String(string) => self.string(&string),
            ExpressionKind::Array(items) => {
                for item in items {
                    match item {
                        ArrayItem::Item(item) => self.expression(item, Above::Nothing),
                        ArrayItem::Spread(spread) => {
                            self.expression(&spread.expression, Above::Nothing);
                        }
                    }
                }
            }
            ExpressionKind::Object(object) => self.object(&object, false),
            ExpressionKind::For(each) => self.expressions(&[each.expression, each.body]),
            ExpressionKind::If(of) => self.expressions(&[of.condition, of.body]),
            ExpressionKind::Parenthesized(inner) => self.expression(inner, Above::Nothing),
            ExpressionKind::NonNullAssertion(inner) => self.expression(inner, above),
            ExpressionKind::VariableAccess(name) => match self.template.named(expression, name) {
                Some(Symbol::Variable(at)) => {
                    self.found(Waits::Variable(at), self.is_many(at), above);
                }
                Some(Symbol::Resource(at)) => self.target(Target::Resource(at), above),
                Some(Symbol::Module(at)) => self.target(Target::Module(at), above),
                _ => {}
            },
            ExpressionKind::ResourceAccess(access) => {
                match self.template.plain_reference(expression) {
                    Some(target) => self.target(target, above),
                    None => self.expression(&access.base, Above::Nothing),
                }
            }
            ExpressionKind::FunctionCall(call) => self.expressions(call.arguments),
            ExpressionKind::InstanceFunctionCall(call) => {
                self.expression(&call.base, Above::Method);
                self.expressions(call.arguments);
            }
            ExpressionKind::PropertyAccess(access) => {
                self.expression(&access.base, Above::Property(access.property.name));
            }
            ExpressionKind::ArrayAccess(access) => {
                self.expression(&access.base, Above::Index(&access.index, &above));
                self.expression(&access.index, Above::Nothing);
            }
            ExpressionKind::Unary(unary) => self.expression(&unary.operand, Above::Nothing),
            ExpressionKind::Binary(binary) => self.expressions(&[binary.left, binary.right]),
            ExpressionKind::Ternary(of) => {
                self.expressions(&[of.condition, of.true_expression, of.false_expression]);
            }
            ExpressionKind::Lambda(lambda) => self.expression(&lambda.body, Above::Nothing),
        }
    }

    fn is_many(&self, variable: usize) -> bool {
        self.template
            .unit
            .variables
            .get(variable)
            .is_some_and(|variable| for_of(&variable.of.value).is_some())
    }

    fn target(&mut self, target: Target, above: Above<'_, 'a>) {
        self.found(
            Waits::On(target),
            self.template.is_collection(target),
            above,
        );
    }

    fn found(&mut self, on: Waits, many: bool, above: Above<'_, 'a>) {
        let index = match above {
            Above::Index(index, _) if many && self.is_known(index) => Some(*index),
            _ => None,
        };
        let weak = match on {
            Waits::On(Target::Resource(at)) => {
                self.template.resource_type(at).extension.is_none()
                    && (self.weak || only_names(above, many))
            }
            _ => false,
        };
        self.add(Dependency { on, index, weak });
    }

    /// All names in an index are known in the whole body.
    fn is_known(&self, index: &Expression<'a>) -> bool {
        let range = index.span.start..index.span.end;
        let lambda = self
            .template
            .unit
            .bound
            .range(range.clone())
            .any(|(_, bound)| matches!(bound, Bound::Lambda(_)));
        !lambda
            && self
                .template
                .unit
                .free_loops(range)
                .iter()
                .all(|of| self.own_loops.contains(of))
    }
}

/// Only what the template itself says of a resource is read: its id, its name, its type; or a
/// function, which Azure waits for by itself.
fn only_names(above: Above<'_, '_>, many: bool) -> bool {
    match above {
        Above::Nothing => false,
        Above::Property(name) => matches!(name, "id" | "name" | "type" | "apiVersion"),
        Above::Method => true,
        Above::Index(index, above) => match index.as_str() {
            Some(name) => matches!(name, "id" | "name" | "type" | "apiVersion"),
            None => many && only_names(*above, many),
        },
    }
}

/// The order of .NET's culture: signs, digits, letters whatever their case; small before large
/// where nothing else differs.
pub(crate) fn culture(one: &str, other: &str) -> Ordering {
    let rank = |letter: char| {
        let class = if letter.is_alphabetic() {
            2
        } else if letter.is_numeric() {
            1
        } else {
            0
        };
        let sign = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$".find(letter);
        (
            class,
            sign.unwrap_or(usize::MAX),
            letter.to_lowercase().next(),
        )
    };
    one.chars()
        .map(rank)
        .cmp(other.chars().map(rank))
        .then_with(|| {
            let case = |letter: char| letter.is_uppercase();
            one.chars().map(case).cmp(other.chars().map(case))
        })
}
