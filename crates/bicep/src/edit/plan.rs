//! From a change to the one splice that makes it, and what the literal is afterwards.

use std::ops::Range;

use yaml::edit::{Step, Value};

use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, Object, ObjectItem, ObjectProperty, Program,
    StatementKind, print_expression,
};

use super::draft::Splice;
use super::find::{Index, range};
use super::layout::{Holder, Lines};
use super::nearest::{nearest, see_through};
use super::tree::Tree;
use super::{Act, DEPTH, Refusal, write};

/// A text that was read, and the line that messages name.
pub(super) struct At<'p, 'a> {
    pub(super) text: &'a str,
    pub(super) program: &'p Program<'a>,
    pub(super) index: &'p Index<'a>,
    pub(super) line: usize,
}

/// What is to be done for a change.
pub(super) enum Planned {
    /// It is so already.
    Nothing,
    /// One splice; what the literal is then; where it stands.
    Splice(Splice, Tree, Range<usize>),
    /// Several changes from the same place.
    Parts(Vec<(Vec<Step>, Act)>),
}

/// What stands at the end of the way, or where the way ends.
enum End<'a> {
    /// A value.
    There(Expression<'a>),
    /// An object, and the steps that it lacks.
    Lacks(Object<'a>, usize),
    /// An expression that leads no further, and the steps that lead to it.
    Decided(Expression<'a>, usize),
}

pub(super) fn plan(
    at: &At<'_, '_>,
    place: &Range<usize>,
    steps: &[Step],
    act: &Act,
    depth: usize,
) -> Result<Planned, Refusal> {
    if depth > DEPTH {
        return Err(Refusal::Value("what is nested so deeply"));
    }
    let found = at.index.at(place).ok_or(Refusal::NoValue(at.line))?;
    let takes_away = matches!(act, Act::Remove | Act::Replace { .. });
    let (target, steps) = nearest(found, steps, takes_away);
    let (splice, act, steps) = match act {
        Act::Set(value) => match at.walk(target, steps)? {
            End::There(there) if steps.is_empty() && at.is_chosen(&there) => {
                return at.choose(&there, value);
            }
            End::Decided(there, so_far) => {
                let way = steps.get(..so_far).unwrap_or_default();
                return at.choose_any(&there).ok_or_else(|| at.decided(&there, way));
            }
            End::There(there) => match at.set(there, steps, value)? {
                Set::Splice(splice) => (splice, act.clone(), steps),
                Set::Same => return Ok(Planned::Nothing),
                Set::Parts(parts) => return Ok(Planned::Parts(parts)),
            },
            End::Lacks(object, lacking) => (
                at.insert(&object, steps, lacking, value)?,
                act.clone(),
                steps,
            ),
        },
        Act::Add(value) => match at.walk(target, steps)? {
            End::Decided(there, so_far) => {
                return Err(at.decided(&there, steps.get(..so_far).unwrap_or_default()));
            }
            End::There(there) => match at.append(there, steps, value)? {
                Some(splice) => (splice, act.clone(), steps),
                None => return Ok(Planned::Nothing),
            },
            End::Lacks(object, lacking) => {
                let list = Value::List(vec![value.clone()]);
                (
                    at.insert(&object, steps, lacking, &list)?,
                    Act::Set(list),
                    steps,
                )
            }
        },
        Act::Remove => {
            let steps = at.emptied(target, steps)?;
            match at.remove(target, steps)? {
                Some(splice) => (splice, Act::Remove, steps),
                None => return Ok(Planned::Nothing),
            }
        }
        Act::Replace { key, value } => (at.replace(target, steps, key, value)?, act.clone(), steps),
    };
    let mut expected = Tree::of(&target);
    expected.apply(steps, &act).ok_or(Refusal::Unsafe)?;
    Ok(Planned::Splice(splice, expected, range(target.span)))
}

/// What a value is set to: at once, or entry by entry.
enum Set {
    Same,
    Splice(Splice),
    Parts(Vec<(Vec<Step>, Act)>),
}

pub(super) fn lookup<'a>(
    object: &Object<'a>,
    key: &str,
) -> (Option<(usize, &'a ObjectProperty<'a>)>, bool) {
    let mut found = None;
    let mut twice = false;
    for (number, item) in object.items.iter().enumerate() {
        if let ObjectItem::Property(property) = item
            && let Some(own) = property.key.as_str()
            && own.eq_ignore_ascii_case(key)
        {
            twice |= found.is_some();
            found = Some((number, property));
        }
    }
    (found, twice)
}

fn holder(object: &Object<'_>) -> Holder {
    let items = object.items.iter().map(|item| match item {
        ObjectItem::Property(property) => range(property.span),
        ObjectItem::Spread(spread) => range(spread.span),
        ObjectItem::Resource(statement) => range(statement.span),
        ObjectItem::Skipped(span) => range(*span),
    });
    Holder {
        place: range(object.span),
        items: items.collect(),
        space: " ",
    }
}

fn list_holder(list: &Expression<'_>, items: &[ArrayItem<'_>]) -> Holder {
    let items = items.iter().map(|item| match item {
        ArrayItem::Item(item) => range(item.span),
        ArrayItem::Spread(spread) => range(spread.span),
    });
    Holder {
        place: range(list.span),
        items: items.collect(),
        space: "",
    }
}

/// What a way leads to, for people.
fn called(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    if out.is_empty() {
        "the value".to_owned()
    } else {
        format!("`{out}`")
    }
}

/// An expression on one line that is not too long.
fn shown(expression: &Expression<'_>) -> String {
    const LONGEST: usize = 60;
    let printed = print_expression(expression);
    let words: Vec<&str> = printed.split_whitespace().collect();
    let text = words.join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST - 1).collect();
    format!("{start}…")
}

impl At<'_, '_> {
    fn lines(&self) -> Lines<'_, '_> {
        Lines::new(self.text, self.program)
    }

    fn not(&self, steps: &[Step], wanted: &'static str) -> Refusal {
        Refusal::Kind {
            what: called(steps),
            wanted,
            line: self.line,
        }
    }

    /// Why an expression is not edited.
    pub(super) fn decided(&self, expression: &Expression<'_>, steps: &[Step]) -> Refusal {
        let what = called(steps);
        let variable = |name: &str| {
            self.program.statements.iter().find_map(|statement| {
                let StatementKind::Variable(variable) = statement.kind else {
                    return None;
                };
                (variable.name.name == name).then_some(variable.value)
            })
        };
        match expression.inner().kind {
            ExpressionKind::VariableAccess(name) if variable(name).is_none() => Refusal::Open {
                what,
                name: name.to_owned(),
                line: self.line,
            },
            ExpressionKind::VariableAccess(name) => Refusal::Decided {
                what: format!("{what} is `{name}`, which"),
                expression: variable(name).as_ref().map(shown).unwrap_or_default(),
                line: self.line,
            },
            _ => Refusal::Decided {
                what,
                expression: shown(expression),
                line: self.line,
            },
        }
    }

    fn walk<'a>(&self, from: Expression<'a>, steps: &[Step]) -> Result<End<'a>, Refusal> {
        let mut at = from;
        for (number, step) in steps.iter().enumerate() {
            let so_far = steps.get(..number).unwrap_or_default();
            at = see_through(at);
            at = match (at.kind, step) {
                (ExpressionKind::Object(object), Step::Key(key)) => {
                    let (found, twice) = lookup(&object, key);
                    if twice {
                        return Err(Refusal::Twice {
                            key: key.to_string(),
                            line: self.line,
                        });
                    }
                    match found {
                        Some((_, property)) => property.value,
                        None => return Ok(End::Lacks(object, number)),
                    }
                }
                (ExpressionKind::Array(items), Step::Index(index)) => match items.get(*index) {
                    Some(ArrayItem::Item(item)) => *item,
                    Some(ArrayItem::Spread(spread)) => {
                        return Err(self.decided(&spread.expression, so_far));
                    }
                    None => return Err(Refusal::Missing(self.line)),
                },
                (ExpressionKind::Null, Step::Key(_)) => return Err(self.not(so_far, "an object")),
                (_, step) if Tree::of(&at).is_plain() => {
                    let wanted = match step {
                        Step::Key(_) => "an object",
                        Step::Index(_) => "a list",
                    };
                    return Err(self.not(so_far, wanted));
                }
                _ => return Ok(End::Decided(at, number)),
            };
        }
        Ok(End::There(see_through(at)))
    }

    /// Replaces a literal.
    fn set(&self, there: Expression<'_>, steps: &[Step], value: &Value) -> Result<Set, Refusal> {
        let old = Tree::of(&there);
        let new = Tree::of_value(value);
        let new = new.ok_or(Refusal::Value("a number of this kind"))?;
        if old.same(&new) {
            return Ok(Set::Same);
        }
        if let (ExpressionKind::Object(object), Value::Map(entries)) = (there.kind, value)
            && !entries.is_empty()
        {
            return self.parts(&object, steps, entries).map(Set::Parts);
        }
        if !old.is_plain() {
            return Err(self.decided(&there, steps));
        }
        let place = range(there.span);
        let lines = self.lines();
        let holder = Holder {
            place: place.clone(),
            items: Vec::new(),
            space: "",
        };
        let style = lines.style(&holder);
        Ok(Set::Splice(Splice {
            start: place.start,
            end: place.end,
            text: write::value(value, lines.indent(place.start), &style)?,
        }))
    }

    /// An object that becomes another one: what differs changes.
    fn parts(
        &self,
        object: &Object<'_>,
        steps: &[Step],
        entries: &[(String, Value)],
    ) -> Result<Vec<(Vec<Step>, Act)>, Refusal> {
        let way = |key: &str| {
            let mut way = steps.to_vec();
            way.push(Step::from(key));
            way
        };
        let mut parts = Vec::new();
        for item in object.items {
            let ObjectItem::Property(property) = item else {
                let whole = Expression {
                    kind: ExpressionKind::Object(*object),
                    span: object.span,
                };
                return Err(self.decided(&whole, steps));
            };
            let key = property.key.as_str().unwrap_or_default();
            if !entries.iter().any(|(new, _)| new.eq_ignore_ascii_case(key)) {
                parts.push((way(key), Act::Remove));
            }
        }
        // First what comes, so that the object is not emptied on the way.
        let new = entries
            .iter()
            .map(|(key, value)| (way(key), Act::Set(value.clone())));
        Ok(new.chain(parts).collect())
    }

    /// Adds an entry to an object, with the objects that the way still lacks.
    fn insert(
        &self,
        object: &Object<'_>,
        steps: &[Step],
        lacking: usize,
        value: &Value,
    ) -> Result<Splice, Refusal> {
        let mut missing = steps.get(lacking..).unwrap_or_default().iter();
        let Some(Step::Key(key)) = missing.next() else {
            return Err(Refusal::Missing(self.line));
        };
        let mut whole = value.clone();
        for step in missing.rev() {
            let Step::Key(key) = step else {
                return Err(Refusal::Missing(self.line));
            };
            whole = Value::Map(vec![(key.to_string(), whole)]);
        }
        let last = object
            .items
            .iter()
            .rposition(|item| !matches!(item, ObjectItem::Resource(_)));
        let gap = self.lines().gap(&holder(object), last);
        let entry = write::entry(key, &whole, &gap.indent, &gap.style)?;
        Ok(gap.filled(&entry))
    }

    /// Appends to a list what is not in it.
    fn append(
        &self,
        there: Expression<'_>,
        steps: &[Step],
        value: &Value,
    ) -> Result<Option<Splice>, Refusal> {
        let ExpressionKind::Array(items) = there.kind else {
            return Err(if Tree::of(&there).is_plain() {
                self.not(steps, "a list")
            } else {
                self.decided(&there, steps)
            });
        };
        let new = Tree::of_value(value);
        let new = new.ok_or(Refusal::Value("a number of this kind"))?;
        let there_already = items
            .iter()
            .any(|item| matches!(item, ArrayItem::Item(item) if Tree::of(item).same(&new)));
        if there_already {
            return Ok(None);
        }
        let gap = self
            .lines()
            .gap(&list_holder(&there, items), items.len().checked_sub(1));
        let item = write::value(value, &gap.indent, &gap.style)?;
        Ok(Some(gap.filled(&item)))
    }

    /// The way to what goes: up to the object that would be left empty, and no further than the
    /// first step.
    fn emptied<'s>(&self, from: Expression<'_>, steps: &'s [Step]) -> Result<&'s [Step], Refusal> {
        let mut kept = steps;
        while let [parents @ .., Step::Key(key)] = kept
            && let [.., Step::Key(_)] = parents
            && let End::There(parent) = self.walk(from, parents)?
            && let ExpressionKind::Object(object) = parent.kind
            && object.items.len() == 1
            && lookup(&object, key).0.is_some()
        {
            kept = parents;
        }
        Ok(kept)
    }

    fn remove(&self, from: Expression<'_>, steps: &[Step]) -> Result<Option<Splice>, Refusal> {
        let Some((last, parents)) = steps.split_last() else {
            return Err(Refusal::Missing(self.line));
        };
        let parent = match self.walk(from, parents)? {
            End::There(parent) => parent,
            End::Lacks(..) => return Ok(None),
            End::Decided(there, so_far) => {
                let way = parents.get(..so_far).unwrap_or_default();
                return Err(self.decided(&there, way));
            }
        };
        let (holder, at) = match (parent.kind, last) {
            (ExpressionKind::Object(object), Step::Key(key)) => match lookup(&object, key) {
                (Some(_), true) => {
                    return Err(Refusal::Twice {
                        key: key.to_string(),
                        line: self.line,
                    });
                }
                (Some((at, _)), false) => (holder(&object), at),
                (None, _) => return Ok(None),
            },
            (ExpressionKind::Array(items), Step::Index(at)) => (list_holder(&parent, items), *at),
            _ => return Err(self.decided(&parent, parents)),
        };
        let splice = self.lines().without(&holder, at);
        splice.map(Some).ok_or(Refusal::Missing(self.line))
    }

    fn replace(
        &self,
        from: Expression<'_>,
        steps: &[Step],
        key: &str,
        value: &Value,
    ) -> Result<Splice, Refusal> {
        let Some((Step::Key(old), parents)) = steps.split_last() else {
            return Err(Refusal::Missing(self.line));
        };
        let End::There(parent) = self.walk(from, parents)? else {
            return Err(Refusal::Missing(self.line));
        };
        let ExpressionKind::Object(object) = parent.kind else {
            return Err(self.decided(&parent, parents));
        };
        let (Some((_, property)), false) = lookup(&object, old) else {
            return Err(Refusal::Missing(self.line));
        };
        if !key.eq_ignore_ascii_case(old) && lookup(&object, key).0.is_some() {
            return Err(Refusal::Twice {
                key: key.to_owned(),
                line: self.line,
            });
        }
        let lines = self.lines();
        let place = range(property.span);
        let mut style = lines.style(&holder(&object));
        style.flat = !lines.begins_line(place.start);
        let text = write::entry(key, value, lines.indent(place.start), &style)?;
        Ok(Splice {
            start: place.start,
            end: place.end,
            text,
        })
    }
}
