//! Edits of Bicep texts: a value of an object or a list is set, added, removed or replaced, and
//! every other byte stays as it is: comments, order, line breaks, indentation. What is new follows
//! the style around it.
//!
//! A change starts at a place: that of a literal, or of the statement of a resource, as
//! [`crate::value::Value`] has it. From there steps lead on.
//!
//! Every edit is proved before the next is made: the new text is read again, the literal is what
//! the old one was with the change applied, without regard to the text, and every expression
//! outside of it is still there, at its place. What cannot be seen through (a condition, a call, a
//! name) is refused, never overwritten. It leaves out what a file comes to: names are not followed.
//!
//! ```
//! use bicep::edit::{Act, Change, Editor, Form};
//! use yaml::edit::{Value, apply};
//! let text = "var pool = {\n  name: 'web' // the shop\n  size: 3\n}\n";
//! let object = text.find('{').unwrap()..text.rfind('}').unwrap() + 1;
//! let mut editor = Editor::new(text, Form::Template);
//! editor.apply(&[Change {
//!     place: object,
//!     steps: &["security".into(), "fips".into()],
//!     act: Act::Set(Value::Bool(true)),
//! }])?;
//! assert_eq!(
//!     apply(text, &editor.finish()),
//!     "var pool = {\n  name: 'web' // the shop\n  size: 3\n  security: {\n    fips: true\n  }\n}\n"
//! );
//! # Ok::<(), bicep::edit::Refusal>(())
//! ```

mod add;
mod choice;
mod draft;
mod find;
mod layout;
mod nearest;
mod plan;
mod tree;
mod write;

use std::ops::Range;

use bumpalo::Bump;
use yaml::edit::{Edit, Step, Value};

use crate::addition::{Addition, elsewhere};
use crate::declaration::Declare;
use crate::source::FileId;
use crate::syntax::{self, Program};

use draft::{Draft, Splice};
use find::Index;
use plan::Planned;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// a `.bicep` file
    Template,
    /// a `.bicepparam` file
    Parameters,
}

/// What is done at the end of the way.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The value becomes this; objects on its way are made. Of an object that stands there
    /// already, only what differs changes.
    Set(Value),
    /// This is appended to the list, unless it stands there.
    Add(Value),
    /// The entry goes, and what it leaves empty on the way.
    Remove,
    /// The entry goes, and this one comes in its place.
    Replace {
        /// the key
        key: String,
        /// its value
        value: Value,
    },
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'c> {
    /// Where a literal or a statement stands, in bytes of the text as it was given.
    pub place: Range<usize>,
    /// The way on from there. Items are counted as in the text as it was given.
    pub steps: &'c [Step],
    /// What is done there.
    pub act: Act,
}

/// Why a change is not made. Lines are those of the text as it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// no literal stands there
    #[error("line {0}: what stands there is no value that can be edited")]
    NoValue(usize),
    /// a value is decided by an expression
    #[error("line {line}: {what} is decided by `{expression}`")]
    Decided {
        /// which value
        what: String,
        /// the expression
        expression: String,
        /// where
        line: usize,
    },
    /// a name stands there
    #[error("line {line}: {what} is `{name}`, which has no value here: give it one")]
    Open {
        /// which value
        what: String,
        /// the name
        name: String,
        /// where
        line: usize,
    },
    /// a key that stands twice
    #[error("line {line}: `{key}` stands twice")]
    Twice {
        /// the key
        key: String,
        /// where
        line: usize,
    },
    /// a step into what is no object or list
    #[error("line {line}: {what} is not {wanted}")]
    Kind {
        /// which value
        what: String,
        /// what would be needed
        wanted: &'static str,
        /// where
        line: usize,
    },
    /// nothing stands at the end of the way
    #[error("line {0}: nothing stands there")]
    Missing(usize),
    /// a value that Bicep has no literal for
    #[error("Bicep has no literal for {0}")]
    Value(&'static str),
    /// an earlier change replaced the place
    #[error("an earlier change of the file replaces what it is about")]
    Overwritten,
    /// the edited text would not say what it should
    #[error("the text could not be edited safely")]
    Unsafe,
}

/// Values deeper than this are none that anybody sets.
const DEPTH: usize = 50;

/// Edits one text.
#[derive(Debug, Clone)]
pub struct Editor<'t> {
    form: Form,
    draft: Draft<'t>,
    /// Items of lists that are gone: the place, the way to the list from there, and the number that each had.
    gone: Vec<(Range<usize>, Vec<Step>, usize)>,
    /// What stands for ids of additions, and their symbolic names.
    fresh: Vec<(String, String)>,
}

impl<'t> Editor<'t> {
    /// Without a byte order mark.
    #[must_use]
    pub fn new(text: &'t str, form: Form) -> Self {
        Self {
            form,
            draft: Draft::new(text),
            gone: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// Makes changes, all or none of them; whether the text is another one then.
    ///
    /// # Errors
    /// When one of them is not possible; nothing is changed then.
    pub fn apply(&mut self, changes: &[Change<'_>]) -> Result<bool, Refusal> {
        let before = self.clone();
        let mut changed = false;
        for change in changes {
            match self.one(change) {
                Ok(done) => changed |= done,
                Err(refusal) => {
                    *self = before;
                    return Err(refusal);
                }
            }
        }
        Ok(changed)
    }

    /// Adds a resource behind the one that it stands beside, and gives its symbolic name. `file` is what additions call
    /// the text.
    ///
    /// # Errors
    /// When it cannot be said there; nothing is changed then.
    pub fn add(&mut self, addition: &Addition, file: &str) -> Result<String, String> {
        if let Some((target, leaves)) = addition.patch()? {
            let place = target.place_in(file).ok_or_else(|| elsewhere(target))?;
            let changes: Vec<Change<'_>> = leaves
                .iter()
                .map(|(steps, value)| Change {
                    place: place.clone(),
                    steps,
                    act: Act::Set(value.clone()),
                })
                .collect();
            let done = self.apply(&changes);
            done.map_err(|refusal| refusal.to_string())?;
            return Ok(target.name.to_string());
        }
        let (splice, symbol) = {
            let bump = Bump::new();
            let text = self.draft.text();
            let (program, problems) = read(&bump, text, self.form);
            let place = |place: &Range<usize>| self.draft.moved(place);
            let planned = add::plan(text, &program, addition, file, &place)?;
            let new = planned.splice.applied(text);
            let (after, wrong) = read(&bump, &new, self.form);
            // What stood there stands there still, and the new statement is the only other one.
            let before = Index::new(&program);
            let moved: Vec<_> = before
                .outside(&(0..0))
                .map(|(place, kind)| (planned.splice.moved(&place), kind))
                .collect();
            let after_all = Index::new(&after);
            let mut rest = after_all.outside(&(0..0));
            let kept = moved.into_iter().all(|(place, kind)| {
                rest.any(|(own, is)| (Some(own), is) == (place.clone(), kind))
            });
            drop(rest);
            let one_more = after.statements.len() == program.statements.len() + 1;
            if wrong > problems || !one_more || !kept || !add::stands(&after, &planned) {
                return Err(Refusal::Unsafe.to_string());
            }
            (planned.splice, planned.symbol)
        };
        self.draft.splice(splice);
        self.fresh.push((addition.fresh(), symbol.clone()));
        Ok(symbol)
    }

    /// Changes how a parameter is declared, whose name stands at a place of the text as it was given; whether the text
    /// is another one then.
    ///
    /// # Errors
    /// When it is not declared there; nothing is changed then.
    pub fn declare(&mut self, place: &Range<usize>, act: Declare) -> Result<bool, Refusal> {
        let line = self.draft.line_of(place);
        let place = self.draft.moved(place).ok_or(Refusal::Overwritten)?;
        let splice = {
            let bump = Bump::new();
            let text = self.draft.text();
            let (program, problems) = read(&bump, text, self.form);
            let splice = add::declare(text, &program, &place, act).ok_or(Refusal::NoValue(line))?;
            let Some(splice) = splice else {
                return Ok(false);
            };
            let new = splice.applied(text);
            let (after, wrong) = read(&bump, &new, self.form);
            if wrong > problems || after.statements.len() != program.statements.len() {
                return Err(Refusal::Unsafe);
            }
            splice
        };
        self.draft.splice(splice);
        Ok(true)
    }

    /// Makes a change whose way counts items as they were in the text that was given.
    fn one(&mut self, change: &Change<'_>) -> Result<bool, Refusal> {
        let mut steps = change.steps.to_vec();
        for (number, step) in steps.iter_mut().enumerate() {
            let Step::Index(at) = step else { continue };
            let list = change.steps.get(..number).unwrap_or_default();
            let gone = self.gone.iter();
            let gone = gone.filter(|(place, way, _)| *place == change.place && way == list);
            let mut before = 0;
            for (_, _, index) in gone {
                if index == at {
                    let takes = change.act == Act::Remove && number + 1 == change.steps.len();
                    return if takes {
                        Ok(false)
                    } else {
                        Err(Refusal::Overwritten)
                    };
                }
                before += usize::from(index < at);
            }
            *at -= before;
        }
        let changed = self.change(
            &Change {
                place: change.place.clone(),
                steps: &steps,
                act: change.act.clone(),
            },
            0,
        )?;
        if let ([list @ .., Step::Index(at)], Act::Remove, true) =
            (change.steps, &change.act, changed)
        {
            self.gone.push((change.place.clone(), list.to_vec(), *at));
        }
        Ok(changed)
    }

    /// All changes as edits of the text as it was given: in order, not overlapping.
    #[must_use]
    pub fn finish(self) -> Vec<Edit> {
        let mut edits = self.draft.edits();
        for edit in &mut edits {
            for (mark, symbol) in &self.fresh {
                if edit.text.contains(mark) {
                    edit.text = edit
                        .text
                        .replace(&format!("'{mark}':"), &format!("'${{{symbol}.id}}':"))
                        .replace(&format!("'{mark}'"), &format!("{symbol}.id"));
                }
            }
        }
        edits
    }

    fn change(&mut self, change: &Change<'_>, depth: usize) -> Result<bool, Refusal> {
        let place = self.draft.moved(&change.place);
        let place = place.ok_or(Refusal::Overwritten)?;
        let planned = {
            let bump = Bump::new();
            let text = self.draft.text();
            let (program, problems) = read(&bump, text, self.form);
            let index = Index::new(&program);
            let at = plan::At {
                text,
                program: &program,
                index: &index,
                line: self.draft.line_of(&change.place),
            };
            let planned = plan::plan(&at, &place, change.steps, &change.act, depth)?;
            if let Planned::Splice(splice, expected, target) = &planned {
                prove(&at, self.form, problems, splice, expected, target)?;
            }
            planned
        };
        match planned {
            Planned::Nothing => Ok(false),
            Planned::Splice(splice, ..) => {
                self.draft.splice(splice);
                Ok(true)
            }
            Planned::Parts(parts) => {
                let mut changed = false;
                for (steps, act) in &parts {
                    let part = Change {
                        place: change.place.clone(),
                        steps,
                        act: act.clone(),
                    };
                    changed |= self.change(&part, depth + 1)?;
                }
                Ok(changed)
            }
        }
    }
}

/// Reads a text: its tree, and how much of it is wrong.
fn read<'a>(bump: &'a Bump, text: &'a str, form: Form) -> (Program<'a>, usize) {
    let (program, problems) = match form {
        Form::Template => syntax::parse(bump, text, FileId(0)),
        Form::Parameters => syntax::parse_parameters(bump, text, FileId(0)),
    };
    (program, problems.len())
}

/// Whether the text with a splice says what it should, and nothing else says anything else.
fn prove(
    at: &plan::At<'_, '_>,
    form: Form,
    problems: usize,
    splice: &Splice,
    expected: &tree::Tree,
    target: &Range<usize>,
) -> Result<(), Refusal> {
    let new = splice.applied(at.text);
    let bump = Bump::new();
    let (program, wrong) = read(&bump, &new, form);
    let index = Index::new(&program);
    let moved = splice.moved(target).ok_or(Refusal::Unsafe)?;
    let before = at.index.outside(target);
    let before = before.map(|(place, kind)| (splice.moved(&place), kind));
    let after = index.outside(&moved);
    let same_outside = before.eq(after.map(|(place, kind)| (Some(place), kind)));
    let statements = program.statements.len() == at.program.statements.len();
    if wrong > problems || !statements || !same_outside {
        return Err(Refusal::Unsafe);
    }
    let found = index.literal(&moved).ok_or(Refusal::Unsafe)?;
    if tree::Tree::of(&found) == *expected {
        Ok(())
    } else {
        Err(Refusal::Unsafe)
    }
}
