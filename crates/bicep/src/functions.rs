//! The functions of the template language.
//!
//! The list is that of
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions> and of
//! the official compiler's `sys` and `az` namespaces. Functions whose arguments decide what is
//! evaluated at all (`if`, `and`, lambdas, …) get expressions, all others values. A function that
//! needs a value which is open says so, and the call becomes an unknown with the call's text.

pub(crate) mod array;
pub(crate) mod cidr;
pub(crate) mod convert;
pub(crate) mod date;
pub(crate) mod format;
pub(crate) mod hash;
pub(crate) mod lambda;
pub(crate) mod logical;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod resource;
pub(crate) mod scope;
pub(crate) mod string;
pub(crate) mod uri;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::evaluate::compare::kind_name;
use crate::evaluate::engine::{Engine, Env};
use crate::evaluate::text::MAX_STRING;
use crate::evaluate::weight::MAX_SIZE;
use crate::node::Expr;
use crate::source::Span;
use crate::value::{Data, Field, Shape, Value};

/// Why a call has no value.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It needs a value that is open.
    Open,
    /// Azure would refuse it.
    Error(String),
    /// It takes more than one evaluation may.
    Exhausted,
}

impl Fault {
    pub(crate) fn error<T>(message: impl Into<String>) -> Result<T, Self> {
        Err(Self::Error(message.into()))
    }
}

/// What a call comes to.
pub(crate) type Outcome<'a> = Result<Value<'a>, Fault>;

/// A call whose arguments are not evaluated yet.
pub(crate) struct Call<'e, 'a> {
    pub(crate) engine: &'e Engine<'a>,
    pub(crate) env: Env<'a>,
    pub(crate) span: Span,
    pub(crate) name: &'a str,
    pub(crate) exprs: &'a [Expr<'a>],
}

/// A call with its values.
pub(crate) struct Args<'e, 'a> {
    pub(crate) engine: &'e Engine<'a>,
    pub(crate) env: Env<'a>,
    pub(crate) span: Span,
    /// As it is documented.
    pub(crate) name: &'static str,
    pub(crate) values: &'e [Value<'a>],
}

type Plain = for<'e, 'a> fn(&Args<'e, 'a>) -> Outcome<'a>;
type Special = for<'e, 'a> fn(&Call<'e, 'a>) -> Outcome<'a>;

#[derive(Clone, Copy)]
enum Run {
    Plain(Plain),
    Special(Special),
}

#[derive(Clone, Copy)]
pub(crate) struct Function {
    name: &'static str,
    min: usize,
    max: usize,
    /// What is known of the result's type when an argument is open.
    shape: Shape,
    run: Run,
}

/// Any number of arguments.
pub(crate) const ANY: usize = usize::MAX;

/// A function of values.
pub(crate) const fn plain(
    name: &'static str,
    min: usize,
    max: usize,
    shape: Shape,
    run: Plain,
) -> Function {
    Function {
        name,
        min,
        max,
        shape,
        run: Run::Plain(run),
    }
}

/// A function of expressions.
pub(crate) const fn special(name: &'static str, min: usize, max: usize, run: Special) -> Function {
    Function {
        name,
        min,
        max,
        shape: Shape::Any,
        run: Run::Special(run),
    }
}

fn table() -> &'static HashMap<String, Function> {
    static TABLE: OnceLock<HashMap<String, Function>> = OnceLock::new();
    TABLE.get_or_init(|| {
        [
            array::FUNCTIONS,
            cidr::FUNCTIONS,
            convert::FUNCTIONS,
            date::FUNCTIONS,
            hash::FUNCTIONS,
            lambda::FUNCTIONS,
            logical::FUNCTIONS,
            number::FUNCTIONS,
            object::FUNCTIONS,
            resource::FUNCTIONS,
            scope::FUNCTIONS,
            string::FUNCTIONS,
            uri::FUNCTIONS,
        ]
        .into_iter()
        .flatten()
        .map(|function| (function.name.to_ascii_lowercase(), *function))
        .collect()
    })
}

/// The names of all functions as they are documented, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = table().values().map(|function| function.name).collect();
    names.sort_unstable();
    names
}

fn find(name: &str) -> Option<&'static Function> {
    let mut lower = [0_u8; 64];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let lower = std::str::from_utf8(lower).ok()?;
    table().get(lower)
}

/// Calls a function.
pub(crate) fn call<'a>(call: &Call<'_, 'a>) -> Outcome<'a> {
    let engine = call.engine;
    let Some(function) = find(call.name) else {
        if call
            .name
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("list"))
        {
            return resource::list(call);
        }
        let hint = crate::evaluate::near::hint(call.name, names().into_iter());
        return Fault::error(format!("there is no function `{}`{hint}", call.name));
    };
    let count = call.exprs.len();
    if count < function.min || count > function.max {
        return Fault::error(wrong_count(function, count));
    }
    match function.run {
        Run::Special(run) => run(call),
        Run::Plain(run) => {
            let mut few = [Value {
                span: call.span,
                data: Data::Null,
            }; 6];
            let many: Vec<Value<'a>>;
            let values: &[Value<'a>] = if let Some(slots) = few.get_mut(..count) {
                for (slot, expr) in slots.iter_mut().zip(call.exprs) {
                    *slot = engine.expr(call.env, expr);
                }
                slots
            } else {
                many = call
                    .exprs
                    .iter()
                    .map(|expr| engine.expr(call.env, expr))
                    .collect();
                &many
            };
            let args = Args {
                engine,
                env: call.env,
                span: call.span,
                name: function.name,
                values,
            };
            if !engine.spend_on(values) {
                return Err(Fault::Exhausted);
            }
            match run(&args) {
                Err(Fault::Open) => {
                    Ok(engine.opaque(call.span, function.name, values, function.shape))
                }
                Err(Fault::Error(message)) => {
                    Fault::error(format!("`{}`: {message}", function.name))
                }
                done => done,
            }
        }
    }
}

fn wrong_count(function: &Function, count: usize) -> String {
    let Function { name, min, max, .. } = function;
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    let takes = if max == min {
        format!("{min} {}", plural(*min))
    } else if *max == ANY {
        format!("at least {min} {}", plural(*min))
    } else {
        format!("{min} to {max} arguments")
    };
    format!("`{name}` takes {takes}, not {count}")
}

impl<'a> Call<'_, 'a> {
    /// The value of an argument; `null` where there is none.
    pub(crate) fn eval(&self, at: usize) -> Value<'a> {
        match self.exprs.get(at) {
            Some(expr) => self.engine.expr(self.env, expr),
            None => Value {
                span: self.span,
                data: Data::Null,
            },
        }
    }

    /// The same, where it may never be evaluated.
    pub(crate) fn guess(&self, at: usize) -> Value<'a> {
        let _guess = self.engine.guess();
        self.eval(at)
    }

    pub(crate) fn value(&self, data: Data<'a>) -> Value<'a> {
        Value {
            span: self.span,
            data,
        }
    }
}

impl<'a> Args<'_, 'a> {
    /// An argument; `null` where there is none.
    pub(crate) fn get(&self, at: usize) -> Value<'a> {
        self.values.get(at).copied().unwrap_or(Value {
            span: self.span,
            data: Data::Null,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, data: Data<'a>) -> Value<'a> {
        Value {
            span: self.span,
            data,
        }
    }

    pub(crate) fn bool(&self, value: bool) -> Outcome<'a> {
        Ok(self.value(Data::Bool(value)))
    }

    pub(crate) fn int(&self, value: i64) -> Outcome<'a> {
        Ok(self.value(Data::Int(value)))
    }

    pub(crate) fn text(&self, text: &str) -> Outcome<'a> {
        self.fits_text(text.len())?;
        Ok(self.value(Data::Str(self.engine.bump.alloc_str(text))))
    }

    /// Counts parts that are looked at or made.
    pub(crate) fn spend(&self, parts: usize) -> Result<(), Fault> {
        if self.engine.spend(parts) {
            Ok(())
        } else {
            Err(Fault::Exhausted)
        }
    }

    /// Whether a list of this length may be made.
    pub(crate) fn fits(&self, length: usize) -> Result<(), Fault> {
        if length as u64 > MAX_SIZE {
            return Fault::error(format!("a list of {length} items is too long"));
        }
        self.spend(length)
    }

    /// Whether a string of this length may be made.
    pub(crate) fn fits_text(&self, length: usize) -> Result<(), Fault> {
        if length > MAX_STRING {
            return Fault::error("the string is too long");
        }
        self.spend(length / 4)
    }

    pub(crate) fn list(&self, items: &[Value<'a>]) -> Outcome<'a> {
        self.fits(items.len())?;
        Ok(self.value(Data::Array(self.engine.bump.alloc_slice_copy(items))))
    }

    /// Fails: an argument has the wrong type.
    pub(crate) fn mismatch<T>(&self, at: usize, expected: &str) -> Result<T, Fault> {
        let found = kind_name(&self.get(at));
        Fault::error(format!(
            "argument {} must be {expected}, not {found}",
            at + 1
        ))
    }

    pub(crate) fn as_str(&self, at: usize) -> Result<&'a str, Fault> {
        match self.get(at).data {
            Data::Str(text) => Ok(text),
            Data::Unknown(_) => Err(Fault::Open),
            _ => self.mismatch(at, "a string"),
        }
    }

    pub(crate) fn as_int(&self, at: usize) -> Result<i64, Fault> {
        match self.get(at).data {
            Data::Int(int) => Ok(int),
            Data::Float(float) if float.fract() == 0.0 => Ok(float as i64),
            Data::Unknown(_) => Err(Fault::Open),
            _ => self.mismatch(at, "a whole number"),
        }
    }

    pub(crate) fn as_array(&self, at: usize) -> Result<&'a [Value<'a>], Fault> {
        match self.get(at).data {
            Data::Array(items) => Ok(items),
            Data::Unknown(_) => Err(Fault::Open),
            _ => self.mismatch(at, "a list"),
        }
    }

    pub(crate) fn as_object(&self, at: usize) -> Result<&'a [Field<'a>], Fault> {
        match self.get(at).data {
            Data::Object(fields) => Ok(fields),
            Data::Unknown(_) => Err(Fault::Open),
            _ => self.mismatch(at, "an object"),
        }
    }

    /// An unknown in an operator's words.
    pub(crate) fn operator(&self, operator: &str, shape: Shape) -> Outcome<'a> {
        let mut text = String::new();
        for (at, value) in self.values.iter().enumerate() {
            if at > 0 {
                text.push(' ');
                text.push_str(operator);
                text.push(' ');
            }
            text.push_str(&self.engine.operand(value));
        }
        Ok(self.engine.opened(self.span, &text, shape, self.values))
    }

    /// An unknown with the call's text.
    pub(crate) fn opaque(&self, shape: Shape) -> Value<'a> {
        self.engine.opaque(self.span, self.name, self.values, shape)
    }
}
