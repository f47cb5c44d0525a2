//! Conditions of a query, and what is known of a statement.
//!
//! Kusto's `bool` has a null, and what `and` makes of it is not what CEL makes of an unknown. So a statement that may
//! be unknown is two conditions that are never null: when it holds, and when it does not. Where neither is true, nobody
//! knows.

/// A condition, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cond {
    Always,
    Never,
    /// A comparison, and the one that says the opposite.
    Is(String, Option<String>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Cond {
    pub(super) fn is(text: impl Into<String>) -> Self {
        Self::Is(text.into(), None)
    }

    pub(super) fn compared(left: &str, equal: bool, right: &str) -> Self {
        let both = [format!("{left} == {right}"), format!("{left} != {right}")];
        let [yes, no] = both;
        if equal {
            Self::Is(yes, Some(no))
        } else {
            Self::Is(no, Some(yes))
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Is(yes, Some(no)) => Self::Is(no, Some(yes)),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::All(more) => {
                    for one in more {
                        push(&mut kept, one);
                    }
                }
                other => push(&mut kept, other),
            }
        }
        one_or(kept, Self::Always, Self::All)
    }

    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Never => {}
                Self::Always => return Self::Always,
                Self::Any(more) => {
                    for one in more {
                        push(&mut kept, one);
                    }
                }
                other => push(&mut kept, other),
            }
        }
        one_or(kept, Self::Never, Self::Any)
    }

    /// How it is written where `and` stands around it.
    pub(super) fn operand(&self) -> String {
        match self {
            Self::Any(_) => format!("({self})"),
            other => other.to_string(),
        }
    }
}

fn push(kept: &mut Vec<Cond>, one: Cond) {
    if !kept.contains(&one) {
        kept.push(one);
    }
}

fn one_or(mut kept: Vec<Cond>, none: Cond, many: fn(Vec<Cond>) -> Cond) -> Cond {
    match kept.len() {
        0 => none,
        1 => kept.pop().unwrap_or(none),
        _ => many(kept),
    }
}

impl std::fmt::Display for Cond {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Always => out.write_str("true"),
            Self::Never => out.write_str("false"),
            Self::Is(text, _) => out.write_str(text),
            Self::Not(inner) => write!(out, "not({inner})"),
            Self::All(parts) => {
                let parts: Vec<String> = parts.iter().map(Self::operand).collect();
                out.write_str(&parts.join(" and "))
            }
            Self::Any(parts) => {
                let written = |part: &Self| match part {
                    Self::All(_) => format!("({part})"),
                    other => other.to_string(),
                };
                let parts: Vec<String> = parts.iter().map(written).collect();
                out.write_str(&parts.join(" or "))
            }
        }
    }
}

/// When a statement holds, and when it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) holds: Cond,
    pub(super) fails: Cond,
}

impl Truth {
    /// A statement of which one knows.
    pub(super) fn known(holds: Cond) -> Self {
        let fails = holds.clone().negated();
        Self { holds, fails }
    }

    /// A statement of which one knows where `known` is true.
    pub(super) fn where_known(known: &Cond, holds: Cond) -> Self {
        let fails = Cond::all([known.clone(), holds.clone().negated()]);
        let holds = Cond::all([known.clone(), holds]);
        Self { holds, fails }
    }

    pub(super) fn is_known(&self) -> bool {
        self.fails == self.holds.clone().negated()
    }

    pub(super) fn negated(self) -> Self {
        Self {
            holds: self.fails,
            fails: self.holds,
        }
    }

    pub(super) fn all(parts: Vec<Self>) -> Self {
        if parts.iter().all(Self::is_known) {
            return Self::known(Cond::all(parts.into_iter().map(|part| part.holds)));
        }
        let (holds, fails): (Vec<Cond>, Vec<Cond>) = parts
            .into_iter()
            .map(|part| (part.holds, part.fails))
            .unzip();
        Self {
            holds: Cond::all(holds),
            fails: Cond::any(fails),
        }
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        if parts.iter().all(Self::is_known) {
            return Self::known(Cond::any(parts.into_iter().map(|part| part.holds)));
        }
        Self::all(parts.into_iter().map(Self::negated).collect()).negated()
    }

    /// One of two, by a third.
    pub(super) fn choice(self, then: Self, otherwise: Self) -> Self {
        if self.is_known() && then.is_known() && otherwise.is_known() {
            return Self::known(Cond::any([
                Cond::all([self.holds, then.holds]),
                Cond::all([self.fails, otherwise.holds]),
            ]));
        }
        Self {
            holds: Cond::any([
                Cond::all([self.holds.clone(), then.holds]),
                Cond::all([self.fails.clone(), otherwise.holds]),
            ]),
            fails: Cond::any([
                Cond::all([self.holds, then.fails]),
                Cond::all([self.fails, otherwise.fails]),
            ]),
        }
    }
}
