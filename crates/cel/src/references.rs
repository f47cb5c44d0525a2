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

/// Where a value can come from: it is one of these places, or something made that holds
/// values from `inside`.
#[derive(Debug, Clone, Default)]
struct Origin {
    places: Vec<(Slot, Vec<Step>)>,
    inside: Option<Box<Self>>,
}

impl Origin {
    fn join(mut self, other: Self) -> Self {
        for p in other.places {
            if !self.places.contains(&p) {
                self.places.push(p);
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
struct Walk {
    locals: Vec<Origin>,
    found: Vec<Reference>,
}

/// What the program reads, and what its result can be.
pub(crate) fn of(ir: &Ir, given: u16) -> (Vec<Reference>, Vec<Reference>) {
    let mut walk = Walk::default();
    for local in 0..given {
        walk.locals.push(Origin {
            places: vec![(Slot(u16::MAX - local), Vec::new())],
            inside: None,
        });
    }
    let result = walk.eval(ir);
    let mut reads = walk.found;
    tidy(&mut reads);
    let mut last = Walk::default();
    last.whole(&result);
    let mut yields = last.found;
    tidy(&mut yields);
    (reads, yields)
}

/// Both together.
pub(crate) fn merge(reads: &[Reference], yields: &[Reference]) -> Vec<Reference> {
    let mut all: Vec<Reference> = reads.iter().chain(yields).cloned().collect();
    if !yields.is_empty() {
        tidy(&mut all);
    }
    all
}

/// Those below variables, and those below the given locals, which stand in for slots counted
/// down from the highest while references are found.
pub(crate) fn split(all: Vec<Reference>, given: u16) -> (Vec<Reference>, Vec<Reference>) {
    let (variables, mut locals): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|r| u16::MAX - r.root.0 >= given);
    for r in &mut locals {
        r.root = Slot(u16::MAX - r.root.0);
    }
    locals.sort();
    (variables, locals)
}

/// Sorts, and drops what a `whole` reference above already covers.
fn tidy(refs: &mut Vec<Reference>) {
    // What one covers stands right behind it then.
    refs.sort_unstable_by(|a, b| (a.root, &a.path, b.whole).cmp(&(b.root, &b.path, a.whole)));
    refs.dedup_by(|r, kept| {
        let covered = kept.whole && r.path.starts_with(&kept.path);
        r.root == kept.root && (covered || r.path == kept.path)
    });
}

impl Walk {
    fn whole(&mut self, origin: &Origin) {
        for (root, path) in &origin.places {
            self.found.push(Reference {
                root: *root,
                path: path.clone(),
                whole: true,
            });
        }
        if let Some(inner) = &origin.inside {
            self.whole(inner);
        }
    }

    fn shape(&mut self, origin: &Origin) {
        for (root, path) in &origin.places {
            self.found.push(Reference {
                root: *root,
                path: path.clone(),
                whole: false,
            });
        }
    }

    fn step(&mut self, origin: &Origin, step: &Step) -> Origin {
        let mut out = Origin::default();
        for (root, path) in &origin.places {
            let mut path = path.clone();
            path.push(step.clone());
            out.places.push((*root, path));
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
    fn consume(&mut self, ir: &Ir) {
        let o = self.eval(ir);
        self.whole(&o);
    }

    fn eval(&mut self, ir: &Ir) -> Origin {
        match &ir.op {
            Op::Const(_) => Origin::default(),
            Op::Var(slot) | Op::OptVar(slot) | Op::HasVar(slot) => {
                let o = Origin {
                    places: vec![(*slot, Vec::new())],
                    inside: None,
                };
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
                self.step(&base, &Step::Key(key.text.clone()))
            }
            Op::Has(x, key) => {
                let base = self.eval(x);
                self.step(&base, &Step::Key(key.text.clone()));
                Origin::default()
            }
            Op::Index(x, i) | Op::OptIndex(x, i) => {
                self.consume(i);
                let base = self.eval(x);
                match &i.op {
                    Op::Const(Const::Str(s)) => self.step(&base, &Step::Key(s.clone())),
                    _ => self.step(&base, &Step::Any),
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

    fn call(&mut self, func: Func, args: &[Ir]) -> Origin {
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
                self.step(&o, &Step::Any)
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

    fn comprehension(&mut self, m: &MacroIr) -> Origin {
        let target = self.eval(&m.target);
        if matches!(m.kind, Macro::OptMap | Macro::OptFlatMap) {
            self.set(m.local, target);
            let mut out = Origin::default();
            for x in &m.args {
                out = out.join(self.eval(x));
            }
            return out;
        }
        let item = self.step(&target, &Step::Any);
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
