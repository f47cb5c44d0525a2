//! Edits of configurations that make a resource in Azure what it should be: the argument that
//! says it is set, added or removed, and every other byte stays as it is. New lines are as
//! `terraform fmt` leaves them.
//!
//! A property may be said far from its resource: by a variable's default, a file of variables, a
//! local value. The literal that it comes from is edited there; in a downloaded module, which
//! nobody edits, the call gets an argument; so does it where a module of one's own must stay as
//! it is for others. What is computed is never overwritten.
//!
//! Every edit is proved before it is handed out: the configuration is evaluated again with the
//! new texts, each property must be as wanted, and every other property of every resource as it
//! was. What fails is refused with the reason.
//!
//! Left out: the JSON syntax of Terraform (values in `.tfvars.json` are edited), plans and state.

mod add;
mod body;
mod expr;
mod find;
mod lines;
mod parses;
mod pieces;
mod prove;
mod render;
mod reverse;
mod settle;

use std::collections::BTreeMap;
use std::rc::Rc;

use bicep::addition::Addition;
use bicep::declaration::Declare;
use bicep::deployment::Resource;
use bicep::source::{Sources, Span};
use bicep::value::Value;
use bumpalo::Bump;
use hcl_edit::parser::Error;
use hcl_edit::structure::Body;
use yaml::edit::{Edit, Operation, Step};

use crate::arm::{self, Mapped};
use crate::files::Files;
use crate::output::Reading;
use crate::reading::{self, Options};
use crate::table::Table;
use find::{Deed, Finder, deeds};
use parses::Parses;
use pieces::{Moves, Pieces};

/// What is wanted of one resource.
#[derive(Debug, Clone)]
pub struct Wanted<'w> {
    /// Its type in Azure.
    pub kind: &'w str,
    /// Its name in Azure.
    pub name: &'w str,
    /// The file and the offset of its declaration, when they are known; a byte order mark does
    /// not count.
    pub place: Option<(&'w str, usize)>,
    /// What is done to it; routes begin at the resource.
    pub operations: &'w [Operation],
    /// Where its parent may hold it, where that is possible.
    pub within: Option<Within<'w>>,
    /// Only the files of the root module may change: a module that others call too gets what is wanted from its call.
    pub at_call: bool,
}

/// The list of a parent in which a resource may stand.
#[derive(Debug, Clone, Copy)]
pub struct Within<'w> {
    /// The parent's type.
    pub kind: &'w str,
    /// The property of the parent.
    pub list: &'w str,
    /// The item has no `properties` of its own.
    pub flat: bool,
}

/// What is written besides what is wanted of resources.
#[derive(Debug, Clone)]
pub enum More<'w> {
    /// A new resource.
    Resource(&'w Addition),
    /// How a variable is declared, whose block begins at an offset of a file.
    Variable(&'w str, usize, Declare),
}

/// What a configuration is read with.
#[derive(Clone, Copy)]
pub struct Input<'i> {
    /// Files.
    pub files: &'i dyn Files,
    /// What azurerm's arguments are in Azure.
    pub table: &'i Table,
    /// The folder of the root module.
    pub folder: &'i str,
    /// What is given beside it.
    pub options: &'i Options<'i>,
}

/// Edits of the files of one or more configurations.
#[derive(Debug, Default)]
pub struct Editor {
    files: Texts,
    /// What stands for ids of additions, and where they are.
    fresh: Vec<(String, String)>,
}

/// What became of a wish: the files that changed for it (none where all was so already), or why
/// it was refused.
pub type Outcome = Result<Vec<String>, String>;

/// Whether something could be done, or why not.
type Done = Result<(), String>;

/// What became of wishes that were tried together.
#[derive(Debug, Default)]
struct Tried {
    /// by their numbers
    told: Vec<(usize, Outcome)>,
    /// groups that are to be tried by themselves, the last one first
    rest: Vec<Vec<usize>>,
}

/// The texts that were read for editing, by path, and what was parsed.
#[derive(Debug, Clone, Default)]
struct Texts {
    by_path: BTreeMap<String, Text>,
    parses: Rc<Parses>,
}

/// A file's text.
#[derive(Debug, Clone)]
struct Text {
    pieces: Pieces,
    /// Bytes of the file before it: a byte order mark.
    before: usize,
    /// How many edits had been made when the configuration was evaluated.
    read: usize,
}

/// Files as they are with the edits so far.
struct Edited<'e> {
    files: &'e dyn Files,
    texts: &'e Texts,
}

impl Files for Edited<'_> {
    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        self.files.list(folder)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match self.texts.by_path.get(path) {
            Some(text) => Ok(text.pieces.text.as_bytes().to_vec()),
            None => self.files.read(path),
        }
    }

    fn body(&self, path: &str, text: &str) -> Result<Rc<Body>, Error> {
        self.texts.parses.body(path, text)
    }
}

/// A configuration as it was evaluated.
struct State<'a> {
    sources: Sources<'a>,
    reading: Reading<'a>,
    mapped: Mapped<'a>,
    encoded: BTreeMap<&'a str, Value<'a>>,
    /// The edits that had been made by then, by file.
    moves: BTreeMap<String, Moves>,
}

impl<'a> State<'a> {
    fn of(arena: &'a Bump, input: &Input<'a>, texts: &Texts) -> Self {
        let files = Edited {
            files: input.files,
            texts,
        };
        let mut sources = Sources::default();
        let (reading, encoded) = reading::evaluated(
            arena,
            &files,
            &mut sources,
            input.folder,
            input.options,
            Some(input.table),
        );
        let mapped = arm::map(arena, input.table, &reading, &encoded);
        Self {
            sources,
            reading,
            mapped,
            encoded,
            moves: texts
                .by_path
                .iter()
                .map(|(path, text)| (path.clone(), text.pieces.moves()))
                .collect(),
        }
    }

    /// The number of the resource that is meant: one of that name, the one declared at the place where there are
    /// several; where a name is not known, the one that is declared there.
    fn meant(&self, wanted: &Wanted<'_>) -> Option<usize> {
        let resources = &self.mapped.resources;
        let of_kind = |at: &usize| {
            let resource = resources.get(*at);
            resource.is_some_and(|resource| resource.kind.eq_ignore_ascii_case(wanted.kind))
        };
        let named = |at: &&usize| {
            let resource = resources.get(**at);
            resource.is_some_and(|resource| resource.name == wanted.name)
        };
        let placed = |at: &&usize| {
            let span = resources.get(**at).map(|resource| resource.span);
            wanted.place.zip(span).is_some_and(|((path, start), span)| {
                let moves = self.moves.get(path).map(Vec::as_slice);
                let start = pieces::moved(start, moves.unwrap_or_default());
                self.path(span) == Some(path) && span.start as usize == start
            })
        };
        let all: Vec<usize> = (0..resources.len()).filter(of_kind).collect();
        let both = all.iter().find(|at| named(at) && placed(at));
        both.or_else(|| all.iter().find(named))
            .or_else(|| all.iter().find(placed))
            .copied()
    }

    /// For a resource that stands in a list of its parent: the parent's name, and what is done, from there.
    fn of_parent(&self, wanted: &Wanted<'_>) -> Option<(String, Vec<Operation>)> {
        let within = wanted.within.filter(|_| self.meant(wanted).is_none())?;
        let (parent, own) = wanted.name.rsplit_once('/')?;
        let holds = |resource: &Resource<'_>| {
            let list = resource.body.get("properties")?.get(within.list)?;
            let mut items = list.items().iter();
            items.position(|item| item.get("name").and_then(Value::as_str) == Some(own))
        };
        let all = self.mapped.resources.iter();
        let parents = all.filter(|resource| resource.kind.eq_ignore_ascii_case(within.kind));
        let mut parents = parents.filter_map(|resource| Some((resource, holds(resource)?)));
        // A name that is not known is written otherwise here.
        let (holder, at) = match parents
            .clone()
            .find(|(resource, _)| resource.name == parent)
        {
            Some(named) => named,
            None => parents.next().filter(|_| parents.next().is_none())?,
        };
        let moved = |operation: &Operation| {
            let mut operation = operation.clone();
            let (Operation::Set { route, .. }
            | Operation::Add { route, .. }
            | Operation::Remove { route, .. }
            | Operation::Rename { route, .. }
            | Operation::Replace { route, .. }
            | Operation::Nest { route, .. }) = &mut operation;
            let own = usize::from(within.flat && route.first() == Some(&Step::from("properties")));
            let mut way = vec![
                Step::from("properties"),
                Step::from(within.list),
                Step::Index(at),
            ];
            way.extend(route.drain(..).skip(own));
            *route = way;
            operation
        };
        let operations = wanted.operations.iter().map(moved).collect();
        Some((holder.name.to_owned(), operations))
    }

    fn path(&self, span: Span) -> Option<&'a str> {
        self.sources.get(span.file).map(|source| source.name)
    }
}

impl Editor {
    /// Edits the files of a configuration; what became of each wish, in their order.
    pub fn apply(&mut self, input: &Input<'_>, wishes: &[Wanted<'_>]) -> Vec<Outcome> {
        let arena = Bump::new();
        let before = State::of(&arena, input, &self.files);
        let moved: Vec<_> = wishes
            .iter()
            .map(|wanted| before.of_parent(wanted))
            .collect();
        let wishes: Vec<Wanted<'_>> = wishes
            .iter()
            .zip(&moved)
            .map(|(wanted, moved)| match (moved, wanted.within) {
                (Some((name, operations)), Some(within)) => Wanted {
                    kind: within.kind,
                    name,
                    place: None,
                    operations,
                    within: None,
                    at_call: wanted.at_call,
                },
                _ => wanted.clone(),
            })
            .collect();
        drop(before);
        let mut outcomes: Vec<Outcome> = wishes.iter().map(|_| Ok(Vec::new())).collect();
        let mut tell = |at: usize, outcome: Outcome| {
            if let Some(own) = outcomes.get_mut(at) {
                *own = outcome;
            }
        };
        // All at once, which is how most configurations are proved; then fewer at a time.
        let mut groups: Vec<Vec<usize>> = vec![(0..wishes.len()).collect()];
        while let Some(group) = groups.pop() {
            if let [at] = group.as_slice()
                && let Some(wanted) = wishes.get(*at)
            {
                tell(*at, self.alone(input, wanted));
                continue;
            }
            let tried = self.together(input, &wishes, &group);
            for (at, outcome) in tried.told {
                tell(at, outcome);
            }
            groups.extend(tried.rest);
        }
        outcomes
    }

    /// Edits for several wishes and proves them together, or leaves everything as it is.
    fn together(&mut self, input: &Input<'_>, wishes: &[Wanted<'_>], group: &[usize]) -> Tried {
        let arena = Bump::new();
        let before = self.state(&arena, input);
        let start = self.files.clone();
        let mut allowed = prove::Allowed::default();
        let (mut done, mut tried) = (Vec::new(), Tried::default());
        for at in group {
            let Some(wanted) = wishes.get(*at) else {
                continue;
            };
            match self.one(input, &before, wanted, &mut allowed) {
                (Ok(paths), _) => done.push((*at, wanted, paths)),
                // A dynamic block came in, and evaluating it may say more.
                (Err(_), true) => tried.rest.push(vec![*at]),
                (Err(why), false) => tried.told.push((*at, Err(why))),
            }
        }
        if done.is_empty() {
            return tried;
        }
        let after = State::of(&arena, input, &self.files);
        let (good, bad): (Vec<_>, Vec<_>) = done
            .iter()
            .partition(|(_, wanted, _)| prove::holds(&after, wanted).is_ok());
        if bad.is_empty() && prove::same(&before, &after, &allowed).is_ok() {
            let told = done.into_iter().map(|(at, _, paths)| (at, Ok(paths)));
            tried.told.extend(told);
            return tried;
        }
        self.files = start;
        let numbers = |some: &[&(usize, _, _)]| some.iter().map(|(at, _, _)| *at).collect();
        // The last is tried first.
        if good.is_empty() || bad.is_empty() {
            let numbers: Vec<usize> = done.iter().map(|(at, _, _)| *at).collect();
            let (first, second) = numbers.split_at(numbers.len().div_ceil(2));
            tried.rest.push(second.to_vec());
            tried.rest.push(first.to_vec());
        } else {
            tried.rest.push(numbers(&bad));
            tried.rest.push(numbers(&good));
        }
        tried.rest.retain(|group| !group.is_empty());
        tried
    }

    /// Evaluates the texts as they are: places mean them from now on.
    fn state<'a>(&mut self, arena: &'a Bump, input: &Input<'a>) -> State<'a> {
        for text in self.files.by_path.values_mut() {
            text.read = text.pieces.mark();
        }
        State::of(arena, input, &self.files)
    }

    /// Edits for one wish and proves it, or leaves everything as it is.
    fn alone(&mut self, input: &Input<'_>, wanted: &Wanted<'_>) -> Outcome {
        let arena = Bump::new();
        let before = self.state(&arena, input);
        let start = self.files.clone();
        let mut allowed = prove::Allowed::default();
        let done = self
            .steps(&arena, input, &before, wanted, &mut allowed)
            .and_then(|()| {
                let after = State::of(&arena, input, &self.files);
                prove::holds(&after, wanted)?;
                prove::same(&before, &after, &allowed)
            });
        if let Err(why) = done {
            self.files = start;
            return Err(why);
        }
        Ok(self.changed(&start))
    }

    /// Edits for one wish, property by property: each may be said in what the one before it
    /// brought in.
    fn steps<'a>(
        &mut self,
        arena: &'a Bump,
        input: &Input<'a>,
        before: &State<'a>,
        wanted: &Wanted<'_>,
        allowed: &mut prove::Allowed,
    ) -> Done {
        for (number, deed) in all_deeds(wanted)?.iter().enumerate() {
            let again;
            let state = if number == 0 {
                before
            } else {
                again = self.state(arena, input);
                &again
            };
            let at = meant(state, wanted, input)?;
            Finder::new(input, state, &mut self.files, allowed)
                .with(wanted)
                .deed(at, deed)?;
        }
        Ok(())
    }

    /// The files that are others than before.
    fn changed(&self, before: &Texts) -> Vec<String> {
        let mark = |text: Option<&Text>| text.map_or(0, |text| text.pieces.mark());
        let files = self.files.by_path.iter();
        files
            .filter(|(path, text)| mark(Some(text)) > mark(before.by_path.get(*path)))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Edits for one wish, or leaves everything as it is; whether a dynamic block came in.
    fn one<'a>(
        &mut self,
        input: &Input<'a>,
        state: &State<'a>,
        wanted: &Wanted<'_>,
        allowed: &mut prove::Allowed,
    ) -> (Outcome, bool) {
        let (start, permitted) = (self.files.clone(), allowed.clone());
        let mut finder = Finder::new(input, state, &mut self.files, allowed).with(wanted);
        let done = meant(state, wanted, input).and_then(|at| {
            let deeds = all_deeds(wanted)?;
            deeds.iter().try_for_each(|deed| finder.deed(at, deed))
        });
        let switched = finder.switched;
        if let Err(why) = done {
            self.files = start;
            *allowed = permitted;
            return (Err(why), switched);
        }
        (Ok(self.changed(&start)), switched)
    }

    /// The edits of each file that changes, in order and not overlapping.
    #[must_use]
    pub fn finish(self) -> BTreeMap<String, Vec<Edit>> {
        let files = self.files.by_path.into_iter().map(|(path, text)| {
            let mut edits = text.pieces.edits();
            for edit in &mut edits {
                for (mark, address) in &self.fresh {
                    let mark = format!("\"{mark}\"");
                    edit.text = edit.text.replace(&mark, &format!("{address}.id"));
                }
                edit.start += text.before;
                edit.end += text.before;
            }
            (path, edits)
        });
        files.filter(|(_, edits)| !edits.is_empty()).collect()
    }
}

fn all_deeds(wanted: &Wanted<'_>) -> Result<Vec<Deed>, String> {
    let each = wanted.operations.iter().map(deeds);
    Ok(each.collect::<Result<Vec<_>, String>>()?.concat())
}

/// The number of the resource that is meant.
fn meant(state: &State<'_>, wanted: &Wanted<'_>, input: &Input<'_>) -> Result<usize, String> {
    state.meant(wanted).ok_or_else(|| {
        format!(
            "`{}` of {} is not in `{}`",
            wanted.name, wanted.kind, input.folder
        )
    })
}

/// A route for people: `properties.networkProfile.networkPlugin`.
fn route_text(route: &[Step]) -> String {
    let mut text = String::new();
    for step in route {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Index(at) => text.push_str(&format!("[{at}]")),
        }
    }
    text
}
