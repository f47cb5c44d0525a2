//! Values that are not known and of which something is known nevertheless: texts with known
//! ends, and their lengths. They answer what follows for certain; to everything else they are
//! unknown. Regular expressions and the order of texts are left out.

use crate::ast::BinaryOp;
use crate::eval::compare;
use crate::functions::Func;
use crate::library::{Call, Given};
use crate::{Node, Unknown, Val, View};
use std::cmp::Ordering;

/// An unknown value of which something is known.
#[derive(Debug, Clone, Copy)]
pub struct Partial<'a> {
    known: Known<'a>,
    /// Why the rest is unknown.
    pub(crate) why: Unknown,
}

#[derive(Debug, Clone, Copy)]
enum Known<'a> {
    /// A string that begins and ends so; one of them says something, and they do not overlap.
    Ends(&'a str, &'a str),
    /// An integer that is not below this one.
    AtLeast(i64),
}

impl<'a, N: Node<'a>> Val<'a, N> {
    /// What is known of an unknown.
    #[cold]
    pub(crate) fn partial(self) -> Option<Partial<'a>> {
        match self {
            Val::Partial(partial) => Some(*partial),
            Val::Node(node) => match (node.view(), node.known_ends()) {
                (View::Unknown(why), Some((start, end)))
                    if !start.is_empty() || !end.is_empty() =>
                {
                    let known = Known::Ends(start, end);
                    Some(Partial { known, why })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether two values, one of them unknown, are different for certain.
#[cold]
pub(crate) fn differ<'a, N: Node<'a>>(x: Val<'a, N>, y: Val<'a, N>) -> bool {
    match (x.partial(), y.partial()) {
        (Some(a), Some(b)) => match (a.known, b.known) {
            (Known::Ends(a_start, a_end), Known::Ends(b_start, b_end)) => {
                let starts = a_start.starts_with(b_start) || b_start.starts_with(a_start);
                let ends = a_end.ends_with(b_end) || b_end.ends_with(a_end);
                !(starts && ends)
            }
            (Known::AtLeast(_), Known::AtLeast(_)) => false,
            _ => true,
        },
        (Some(partial), None) => partial.excludes(y.resolve()),
        (None, Some(partial)) => partial.excludes(x.resolve()),
        (None, None) => false,
    }
}

impl<'a> Partial<'a> {
    /// Whether it is not this value for certain.
    fn excludes<N: Node<'a>>(self, value: Val<'a, N>) -> bool {
        // Kubernetes' own types cannot be compared with others at all.
        if value.is_bad() || value.is_kubernetes() {
            return false;
        }
        match (self.known, value) {
            (Known::Ends(start, end), Val::Str(text)) => {
                text.len() < start.len() + end.len()
                    || !text.starts_with(start)
                    || !text.ends_with(end)
            }
            (Known::Ends(..), _) => true,
            (Known::AtLeast(least), _) => match compare::<N>(Val::Int(least), value) {
                Some(order) => order == Some(Ordering::Greater),
                None => true,
            },
        }
    }
}

/// What `x op y` gives for certain, one of them unknown.
#[cold]
pub(crate) fn ordering<'a, N: Node<'a>>(
    op: BinaryOp,
    x: Val<'a, N>,
    y: Val<'a, N>,
) -> Option<bool> {
    let (partial, op, value) = match (x.partial(), y.partial()) {
        (Some(partial), None) => (partial, op, y.resolve()),
        (None, Some(partial)) => {
            let turned = match op {
                BinaryOp::Lt => BinaryOp::Gt,
                BinaryOp::Le => BinaryOp::Ge,
                BinaryOp::Gt => BinaryOp::Lt,
                _ => BinaryOp::Le,
            };
            (partial, turned, x.resolve())
        }
        _ => return None,
    };
    let Known::AtLeast(least) = partial.known else {
        return None;
    };
    let order = compare::<N>(Val::Int(least), value)??;
    match op {
        BinaryOp::Gt if order.is_gt() => Some(true),
        BinaryOp::Ge if order.is_ge() => Some(true),
        BinaryOp::Lt if order.is_ge() => Some(false),
        BinaryOp::Le if order.is_gt() => Some(false),
        _ => None,
    }
}

/// What a function gives whose first argument is known in part and the others in full; `None`
/// when that does not decide.
#[cold]
pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let (first @ Val::Partial(partial), rest) = args.split_first()? else {
        return None;
    };
    let bump = c.machine.bump;
    let made = |known| {
        let why = partial.why;
        Val::Partial(bump.alloc(Partial { known, why }))
    };
    let Known::Ends(start, end) = partial.known else {
        return (func == Func::Dyn).then_some(*first);
    };
    c.walk(start.len() + end.len());
    let text = |start: &'a str, end: &'a str| {
        (!start.is_empty() || !end.is_empty()).then(|| made(Known::Ends(start, end)))
    };
    match (func, rest) {
        (Func::Dyn | Func::String, []) => Some(*first),
        (Func::OptionalOf | Func::OptionalOfNonZero, []) => Some(c.machine.some(*first)),
        (Func::Type, []) => Some(Val::Type("string")),
        (Func::Size | Func::SizeOf, []) => {
            let least = start.chars().count() + end.chars().count();
            Some(made(Known::AtLeast(
                i64::try_from(least).unwrap_or(i64::MAX),
            )))
        }
        (Func::LowerAscii, []) => text(
            bump.alloc_str(&start.to_ascii_lowercase()),
            bump.alloc_str(&end.to_ascii_lowercase()),
        ),
        (Func::UpperAscii, []) => text(
            bump.alloc_str(&start.to_ascii_uppercase()),
            bump.alloc_str(&end.to_ascii_uppercase()),
        ),
        // Between the ends there may be nothing but space.
        (Func::Trim, []) => text(start.trim(), end.trim()),
        (Func::StartsWith, [Val::Str(x)]) => {
            let holds = start.starts_with(x);
            (holds || !x.starts_with(start)).then_some(Val::Bool(holds))
        }
        (Func::EndsWith, [Val::Str(x)]) => {
            let holds = end.ends_with(x);
            (holds || !x.ends_with(end)).then_some(Val::Bool(holds))
        }
        (Func::Contains, [Val::Str(x)]) => {
            (start.contains(x) || end.contains(x)).then_some(Val::Bool(true))
        }
        (Func::IsIp | Func::IsCidr, []) => {
            let address = |ch: char| ch.is_ascii_hexdigit() || matches!(ch, '.' | ':' | '/');
            let possible = start.chars().chain(end.chars()).all(address);
            (!possible).then_some(Val::Bool(false))
        }
        _ => None,
    }
}
