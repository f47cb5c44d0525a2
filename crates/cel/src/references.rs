//! Which parts of its variables a program can read: followed through fields, indices, macros
//! and locals, never less than what any evaluation reads.

use crate::Slot;
use crate::ast::Macro;
use crate::functions::Func;
use crate::ir::{Const, Ir, MacroIr, Op};

/// A path below a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The variable.
    pub root: Slot,
    /// The way down from it.
    pub path: Vec<Step>,
    /// Everything below may be read, not just whether it is there and how many it holds.
    pub whole: bool,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The value of this key.
    Key(Box<str>),
    /// Any item or value.
    Any,
}

/// The number of a place among those of a [`Walk`].
type Place = usize;

/// A variable, a name that was given, or what a step leads to from another place.
struct Found<'i> {
    step: Way<'i>,
    below: Vec<Place>,
    read: Read,
    yielded: Read,
}

/// How a place is come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way<'i> {
    Variable(Slot),
    Local(u16),
    Key(&'i str),
    Any,
}

/// How much of a place is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Read {
    Not,
    /// whether it is there, and how many it holds
    Shape,
    Whole,
}

/// Where a value can come from: it is one of these places, or something made that holds
/// values from `inside`.
#[derive(Debug, Clone, Default)]
struct Origin {
    places: Vec<Place>,
    inside: Option<Box<Self>>,
}

impl Origin {
    fn join(mut self, other: Self) -> Self {
        if self.places.is_empty() {
            self.places = other.places;
        } else {
            for place in other.places {
                if !self.places.contains(&place) {
                    self.places.push(place);
                }
            }
        }
        self.inside = match (self.inside, other.inside) {
            (Some(a), Some(b)) => Some(Box::new(a.join(*b))),
            (a, b) => a.or(b),
        };
        self
    }

    fn holding(inner: Self) -> Self {
        Self {
            places: Vec::new(),
            inside: Some(Box::new(inner)),
        }
    }
}

#[derive(Default)]
struct Walk<'i> {
    locals: Vec<Origin>,
    roots: Vec<Place>,
    found: Vec<Found<'i>>,
}

/// What a program can read, its result included: below variables, and below the names that it was given (its first
/// locals), whose numbers are the roots then.
pub(crate) fn all(ir: &Ir, given: u16) -> (Vec<Reference>, Vec<Reference>) {
    let walk = Walk::through(ir, given);
    let any = |one: &Found<'_>| one.read.max(one.yielded);
    (walk.below_variables(&any), walk.below_locals(&any))
}

/// What it can read below variables apart from its result, and where its result, or what its result holds, can come
/// from.
pub(crate) fn apart(ir: &Ir, given: u16) -> (Vec<Reference>, Vec<Reference>) {
    let walk = Walk::through(ir, given);
    (
        walk.below_variables(&|one| one.read),
        walk.below_variables(&|one| one.yielded),
    )
}

impl<'i> Walk<'i> {
    fn through(ir: &'i Ir, given: u16) -> Self {
        let mut walk = Self::default();
        for local in 0..given {
            let origin = walk.root(Way::Local(local));
            walk.locals.push(origin);
        }
        let result = walk.eval(ir);
        walk.yielded(&result);
        walk
    }

    fn below_variables(&self, how: &dyn Fn(&Found<'i>) -> Read) -> Vec<Reference> {
        self.below(how, |way| match way {
            Way::Variable(slot) => Some(slot),
            _ => None,
        })
    }

    fn below_locals(&self, how: &dyn Fn(&Found<'i>) -> Read) -> Vec<Reference> {
        self.below(how, |way| match way {
            Way::Local(local) => Some(Slot(local)),
            _ => None,
        })
    }

    fn below(
        &self,
        how: &dyn Fn(&Found<'i>) -> Read,
        root: impl Fn(Way<'i>) -> Option<Slot>,
    ) -> Vec<Reference> {
        let (mut path, mut all) = (Vec::new(), Vec::new());
        for at in self.sorted(&self.roots) {
            if let Some(root) = self.found.get(at).and_then(|found| root(found.step)) {
                self.list(at, root, how, &mut path, &mut all);
            }
        }
        all
    }

    /// Lists a place and those below it, in order, without what lies below one that is read as a whole.
    fn list(
        &self,
        at: Place,
        root: Slot,
        how: &dyn Fn(&Found<'i>) -> Read,
        path: &mut Vec<Step>,
        into: &mut Vec<Reference>,
    ) {
        let Some(found) = self.found.get(at) else {
            return;
        };
        let read = how(found);
        if read != Read::Not {
            into.push(Reference {
                root,
                path: path.clone(),
                whole: read == Read::Whole,
            });
        }
        if read == Read::Whole {
            return;
        }
        for below in self.sorted(&found.below) {
            path.push(match self.found.get(below).map(|found| found.step) {
                Some(Way::Key(key)) => Step::Key(key.into()),
                _ => Step::Any,
            });
            self.list(below, root, how, path, into);
            path.pop();
        }
    }

    fn sorted(&self, places: &[Place]) -> Vec<Place> {
        let mut sorted = places.to_vec();
        sorted.sort_unstable_by_key(|at| self.found.get(*at).map(|found| found.step));
        sorted
    }

    /// The place of a variable or of a name that was given.
    fn root(&mut self, way: Way<'i>) -> Origin {
        let known = self.at(&self.roots, way);
        let at = known.unwrap_or_else(|| {
            let at = self.place(way);
            self.roots.push(at);
            at
        });
        Origin {
            places: vec![at],
            inside: None,
        }
    }

    /// The one of these places that is come to this way.
    fn at(&self, places: &[Place], way: Way<'i>) -> Option<Place> {
        let same = |at: &Place| self.found.get(*at).is_some_and(|found| found.step == way);
        places.iter().copied().find(same)
    }

    fn place(&mut self, step: Way<'i>) -> Place {
        self.found.push(Found {
            step,
            below: Vec::new(),
            read: Read::Not,
            yielded: Read::Not,
        });
        self.found.len() - 1
    }

    fn read(&mut self, origin: &Origin, read: Read) {
        for at in &origin.places {
            if let Some(found) = self.found.get_mut(*at) {
                found.read = found.read.max(read);
            }
        }
    }

    fn whole(&mut self, origin: &Origin) {
        self.read(origin, Read::Whole);
        if let Some(inner) = &origin.inside {
            self.whole(inner);
        }
    }

    fn yielded(&mut self, origin: &Origin) {
        for at in &origin.places {
            if let Some(found) = self.found.get_mut(*at) {
                found.yielded = Read::Whole;
            }
        }
        if let Some(inner) = &origin.inside {
            self.yielded(inner);
        }
    }

    fn shape(&mut self, origin: &Origin) {
        self.read(origin, Read::Shape);
    }

    fn step(&mut self, origin: &Origin, way: Way<'i>) -> Origin {
        let mut out = Origin::default();
        for at in &origin.places {
            let below = self.found.get(*at).map_or(&[][..], |found| &found.below);
            let to = self.at(below, way).unwrap_or_else(|| {
                let to = self.place(way);
                if let Some(found) = self.found.get_mut(*at) {
                    found.below.push(to);
                }
                to
            });
            out.places.push(to);
        }
        self.shape(&out);
        match &origin.inside {
            Some(inner) => out.join((**inner).clone()),
            None => out,
        }
    }

    fn set(&mut self, at: u16, origin: Origin) {
        let at = at as usize;
        if self.locals.len() <= at {
            self.locals.resize(at + 1, Origin::default());
        }
        if let Some(place) = self.locals.get_mut(at) {
            *place = origin;
        }
    }

    /// Evaluates, and says that everything below the result is read.
    fn consume(&mut self, ir: &'i Ir) {
        let o = self.eval(ir);
        self.whole(&o);
    }

    fn eval(&mut self, ir: &'i Ir) -> Origin {
        match &ir.op {
            Op::Const(_) => Origin::default(),
            Op::Var(slot) | Op::OptVar(slot) | Op::HasVar(slot) => {
                let o = self.root(Way::Variable(*slot));
                self.shape(&o);
                match ir.op {
                    Op::HasVar(_) => Origin::default(),
                    Op::OptVar(_) => Origin::holding(o.clone()).join(o),
                    _ => o,
                }
            }
            Op::Local(at) => self.locals.get(*at as usize).cloned().unwrap_or_default(),
            Op::Field(x, key) | Op::OptField(x, key) | Op::IndexKey(x, key) => {
                let base = self.eval(x);
                self.step(&base, Way::Key(&key.text))
            }
            Op::Has(x, key) => {
                let base = self.eval(x);
                self.step(&base, Way::Key(&key.text));
                Origin::default()
            }
            Op::Index(x, i) | Op::OptIndex(x, i) => {
                self.consume(i);
                let base = self.eval(x);
                match &i.op {
                    Op::Const(Const::Str(s)) => self.step(&base, Way::Key(s)),
                    _ => self.step(&base, Way::Any),
                }
            }
            Op::Ternary(xs) => {
                let [c, a, b] = &**xs;
                self.consume(c);
                let a = self.eval(a);
                a.join(self.eval(b))
            }
            Op::List(items) => {
                let inner = items
                    .iter()
                    .fold(Origin::default(), |o, (_, x)| o.join(self.eval(x)));
                Origin::holding(inner)
            }
            Op::Map(entries) => {
                let mut inner = Origin::default();
                for (_, k, v) in entries {
                    self.consume(k);
                    inner = inner.join(self.eval(v));
                }
                Origin::holding(inner)
            }
            Op::Arith(crate::ast::BinaryOp::Add, xs) => {
                // Lists keep their items' origins; anything else is only looked at where it stands.
                let [a, b] = &**xs;
                let a = self.eval(a);
                a.join(self.eval(b))
            }
            Op::In(xs) => {
                let [x, range] = &**xs;
                self.consume(x);
                self.consume(range);
                Origin::default()
            }
            Op::Call(func, args) => self.call(*func, args),
            Op::Macro(m) => self.comprehension(m),
            Op::Bind(at, values, body) => {
                for (i, v) in (0_u16..).zip(values) {
                    let o = self.eval(v);
                    self.set(at + i, o);
                }
                self.eval(body)
            }
            _ => {
                let mut parts = Vec::new();
                ir.children(&mut |x| parts.push(x));
                for x in parts {
                    self.consume(x);
                }
                Origin::default()
            }
        }
    }

    fn call(&mut self, func: Func, args: &'i [Ir]) -> Origin {
        match (func, args) {
            (Func::Size | Func::SizeOf, [x]) => {
                let o = self.eval(x);
                // The size of a string is the string; who keeps a scalar's place keeps it.
                self.shape(&o);
                Origin::default()
            }
            (Func::OrValue | Func::Or, [a, b]) => {
                let a = self.eval(a);
                a.join(self.eval(b))
            }
            (Func::Dyn | Func::OptionalOf | Func::Value | Func::Reverse, [x]) => self.eval(x),
            (Func::First | Func::Last, [x]) => {
                let o = self.eval(x);
                self.step(&o, Way::Any)
            }
            (Func::HasValue, [x]) => {
                self.eval(x);
                Origin::default()
            }
            _ => {
                // The result may hold what was given.
                let mut inner = Origin::default();
                for x in args {
                    let o = self.eval(x);
                    self.whole(&o);
                    inner = inner.join(o);
                }
                inner.clone().join(Origin::holding(inner))
            }
        }
    }

    fn comprehension(&mut self, m: &'i MacroIr) -> Origin {
        let target = self.eval(&m.target);
        if matches!(m.kind, Macro::OptMap | Macro::OptFlatMap) {
            self.set(m.local, target);
            let mut out = Origin::default();
            for x in &m.args {
                out = out.join(self.eval(x));
            }
            return out;
        }
        let item = self.step(&target, Way::Any);
        if m.two {
            self.set(m.local, Origin::default());
            self.set(m.local + 1, item.clone());
        } else {
            self.set(m.local, item.clone());
        }
        let mut last = Origin::default();
        let count = m.args.len();
        for (i, x) in m.args.iter().enumerate() {
            let o = self.eval(x);
            if i + 1 == count
                && matches!(
                    m.kind,
                    Macro::Map
                        | Macro::TransformList
                        | Macro::TransformMap
                        | Macro::TransformMapEntry
                )
            {
                last = o;
            } else {
                self.whole(&o);
            }
        }
        match m.kind {
            Macro::Filter | Macro::SortBy => Origin::holding(item),
            Macro::Map | Macro::TransformList | Macro::TransformMap => Origin::holding(last),
            Macro::TransformMapEntry => last,
            _ => Origin::default(),
        }
    }
}
