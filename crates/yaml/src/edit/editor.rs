//! All edits of one text: documents are read when first edited, once; edits are proved
//! together when all are known. It leaves out how they are found (`plan`, `emit`).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ParseError;
use crate::{Raw, documents, json};

use super::emit::{self, Piece};
use super::layout::{self, Layout};
use super::layout_json;
use super::lines::Lines;
use super::nest::{self, Nest};
use super::plan::{Effect, Plan};
use super::refusal::Refusal;
use super::style::Style;
use super::tree::{NodeId, Tree};
use super::whole::Removed;
use super::{Edit, Format, Operation, Options, Shared, Step};

/// One call of [`Editor::apply`] that was possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// 0-based, counting the calls that were possible
    pub number: usize,
    /// whether the text has to change for it
    pub changes: bool,
    /// what changes besides, see [`Options::follow`]
    pub shared: Vec<Shared>,
}

/// What became of all calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// in order, not overlapping
    pub edits: Vec<Edit>,
    /// calls that turned out not to be safe, by their number; the edits are without them
    pub refused: Vec<(usize, Refusal)>,
    /// documents were removed and none is left; then the edits leave nothing of the text
    pub emptied: bool,
}

/// The operations of one call, and what each does to the values.
#[derive(Debug, Clone)]
struct Batch {
    number: usize,
    operations: Vec<Operation>,
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct Document<'t> {
    plan: Plan<'t>,
    style: Style,
    root: NodeId,
    batches: Vec<Batch>,
}

/// Edits one text.
#[derive(Debug)]
pub struct Editor<'t> {
    text: &'t str,
    options: Options,
    raws: Vec<Raw<'t>>,
    documents: BTreeMap<u32, Document<'t>>,
    /// documents that go, whatever else is done to them
    removed: Removed,
    /// values that go deeper, with the numbers of their calls
    nests: BTreeMap<u32, Vec<(usize, Nest)>>,
    calls: usize,
    /// how the file is written where a document does not show it
    shown: Option<Style>,
}

/// Documents that are looked at for a file's style.
const LOOKED_AT: usize = 20;
/// How often parts of a document's edits are tried when all of them together are not safe.
const TRIES: usize = 64;

impl<'t> Editor<'t> {
    /// Nothing is read yet but where documents begin.
    #[must_use]
    pub fn new(text: &'t str, options: Options) -> Self {
        let raws = raws(text, options.format);
        Self {
            text,
            options,
            raws,
            documents: BTreeMap::new(),
            removed: Removed::default(),
            nests: BTreeMap::new(),
            calls: 0,
            shown: None,
        }
    }

    /// Plans operations on one document, all or none of them.
    ///
    /// # Errors
    /// When one of them is not possible or not wanted; nothing is planned then.
    pub fn apply(&mut self, document: u32, operations: &[Operation]) -> Result<Applied, Refusal> {
        if let [Operation::Remove { route, .. }] = operations
            && route.is_empty()
        {
            return self.remove(document);
        }
        if operations
            .iter()
            .any(|op| matches!(op, Operation::Nest { .. }))
        {
            return self.nest(document, operations);
        }
        let open = self.open(document)?;
        let (effects, shared) = open.plan.apply(operations)?;
        let changes = effects.iter().any(|effect| *effect != Effect::Nothing);
        let number = self.calls;
        self.calls += 1;
        if changes && let Some(open) = self.documents.get_mut(&document) {
            open.batches.push(Batch {
                number,
                operations: operations.to_vec(),
                effects,
            });
        }
        Ok(Applied {
            number,
            changes,
            shared,
        })
    }

    /// Plans operations of which some move values deeper.
    fn nest(&mut self, document: u32, operations: &[Operation]) -> Result<Applied, Refusal> {
        let raw = self.raw(document)?;
        let nests: Vec<Nest> = operations.iter().filter_map(Nest::of).collect();
        for nest in &nests {
            nest.made(self.part(&raw), &raw, &self.options)?;
        }
        let others = operations.iter().filter(|op| Nest::of(op).is_none());
        let others: Vec<Operation> = others.cloned().collect();
        let applied = self.apply(document, &others)?;
        let own = self.nests.entry(document).or_default();
        own.extend(nests.into_iter().map(|nest| (applied.number, nest)));
        Ok(Applied {
            changes: true,
            ..applied
        })
    }

    /// Moves values deeper in documents that were edited otherwise. Where that is not possible, the document stays as it
    /// is.
    fn deepen(&self, outcome: &mut Outcome, calls: &BTreeMap<u32, Vec<usize>>) {
        for (document, nests) in &self.nests {
            let Ok(raw) = self.raw(*document) else {
                continue;
            };
            let is_refused =
                |number: &usize| outcome.refused.iter().any(|(other, _)| other == number);
            let nests: Vec<&(usize, Nest)> = nests
                .iter()
                .filter(|(number, _)| !is_refused(number))
                .collect();
            if nests.is_empty() || self.removed.has(*document) {
                continue;
            }
            let (start, part) = (raw.offset as usize, self.part(&raw));
            let own = |edit: &Edit| edit.start >= start && edit.end <= start + part.len();
            let local = outcome
                .edits
                .iter()
                .filter(|edit| own(edit))
                .map(|edit| Edit {
                    start: edit.start - start,
                    end: edit.end - start,
                    text: edit.text.clone(),
                });
            let edited = super::apply(part, &local.collect::<Vec<_>>());
            let made = nests.iter().try_fold(edited, |text, (_, nest)| {
                nest.made(&text, &raw, &self.options)
            });
            outcome.edits.retain(|edit| !own(edit));
            match made {
                Ok(after) => outcome.edits.push(nest::edit(part, &after, start)),
                Err(refusal) => {
                    let others = calls.get(document).into_iter().flatten().copied();
                    let numbers: BTreeSet<usize> = nests
                        .iter()
                        .map(|(number, _)| *number)
                        .chain(others)
                        .collect();
                    outcome
                        .refused
                        .extend(numbers.into_iter().map(|number| (number, refusal.clone())));
                }
            }
        }
        outcome.edits.sort_by_key(|edit| (edit.start, edit.end));
    }

    fn remove(&mut self, document: u32) -> Result<Applied, Refusal> {
        let raw = self.raw(document)?;
        self.removed.add(&raw)?;
        let number = self.calls;
        self.calls += 1;
        Ok(Applied {
            number,
            changes: true,
            shared: Vec::new(),
        })
    }

    /// The steps to the map or list whose text begins at an offset of the text, for callers that
    /// know a place and no route.
    ///
    /// # Errors
    /// When the document cannot be read, or no map or list begins there.
    pub fn route_to(&mut self, document: u32, offset: usize) -> Result<Vec<Step>, Refusal> {
        let start = self.raw(document)?.offset as usize;
        let at = offset
            .checked_sub(start)
            .and_then(|at| u32::try_from(at).ok());
        let open = self.open(document)?;
        at.and_then(|at| open.plan.route_to(at))
            .ok_or_else(|| Refusal::Missing(format!("byte {offset}")))
    }

    fn open(&mut self, document: u32) -> Result<&mut Document<'t>, Refusal> {
        if !self.documents.contains_key(&document) {
            let read = self.read(document)?;
            self.documents.insert(document, read);
        }
        let open = self.documents.get_mut(&document);
        open.ok_or(Refusal::NoDocument(document))
    }

    fn raw(&self, document: u32) -> Result<Raw<'t>, Refusal> {
        let raw = self.raws.get(document as usize);
        raw.cloned().ok_or(Refusal::NoDocument(document))
    }

    /// The part of the text that a document is.
    fn part(&self, raw: &Raw<'t>) -> &'t str {
        let start = raw.offset as usize;
        self.text
            .get(start..start + raw.text.len())
            .unwrap_or_default()
    }

    fn read(&mut self, document: u32) -> Result<Document<'t>, Refusal> {
        let raw = self.raw(document)?;
        let text = self.part(&raw);
        let (tree, root) = values(text, &raw, &self.options)?;
        let (layout, is_json) = places(text, &raw, &self.options)?;
        let lines = Lines::new(text, is_json);
        let style = Style::of(&layout, &lines, is_json);
        let style = self.shown(style);
        let plan = Plan::new(layout, tree, root, lines, raw.line, self.options.clone());
        Ok(Document {
            plan,
            style,
            root,
            batches: Vec::new(),
        })
    }

    /// Completes what a document shows of its style by what the file shows.
    fn shown(&mut self, style: Style) -> Style {
        if style.json || (style.step.is_some() && style.list.is_some()) {
            return style;
        }
        if self.shown.is_none() {
            let mut found = Style::default();
            for raw in self
                .raws
                .iter()
                .filter(|raw| !raw.empty && !raw.json)
                .take(LOOKED_AT)
            {
                let text = self.part(raw);
                if let Ok((layout, false)) = places(text, raw, &self.options) {
                    let lines = Lines::new(text, false);
                    found = found.or(&Style::of(&layout, &lines, false));
                }
                if found.step.is_some() && found.list.is_some() {
                    break;
                }
            }
            self.shown = Some(found);
        }
        match &self.shown {
            Some(shown) => style.or(shown),
            None => style,
        }
    }

    /// The edits of all calls, proved.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        if !self.removed.is_empty() && self.removed.all(&self.raws) {
            return Outcome {
                edits: vec![Edit {
                    start: 0,
                    end: self.text.len(),
                    text: String::new(),
                }],
                emptied: true,
                ..Outcome::default()
            };
        }
        let mut outcome = Outcome::default();
        let mut calls = BTreeMap::new();
        for (number, mut document) in std::mem::take(&mut self.documents) {
            if document.batches.is_empty() || self.removed.has(number) {
                continue;
            }
            let Ok(raw) = self.raw(number) else { continue };
            let proved = self.prove(&raw, &mut document);
            let batches = document.batches;
            if self.nests.contains_key(&number) {
                let own: Vec<usize> = batches.iter().map(|batch| batch.number).collect();
                calls.insert(number, own);
            }
            match proved {
                Ok(edits) => outcome.edits.extend(edits),
                Err(refusal) if batches.len() == 1 => {
                    outcome
                        .refused
                        .extend(batches.iter().map(|b| (b.number, refusal.clone())));
                }
                Err(_) => self.search(&raw, &batches, &mut outcome),
            }
        }
        self.deepen(&mut outcome, &calls);
        if !self.removed.is_empty() {
            outcome
                .edits
                .extend(self.removed.edits(&self.raws, self.text));
            outcome.edits.sort_by_key(|edit| (edit.start, edit.end));
        }
        if !self.others_stay(&outcome.edits) {
            let refused = (0..self.calls).map(|call| (call, Refusal::Unsafe));
            outcome = Outcome {
                refused: refused.collect(),
                ..Outcome::default()
            };
        }
        outcome.refused.sort_by_key(|(call, _)| *call);
        outcome
    }

    /// The edits of one document, if they do what they should.
    fn prove(&self, raw: &Raw<'t>, document: &mut Document<'t>) -> Result<Vec<Edit>, Refusal> {
        let text = self.part(raw);
        let pieces = emit::pieces(&document.plan, &document.style)?;
        let edited = edited(text, &pieces);
        let mut expected = std::mem::take(&mut document.plan.tree);
        for batch in &document.batches {
            for (operation, effect) in batch.operations.iter().zip(&batch.effects) {
                let shared = *effect == Effect::ChangesShared;
                if *effect != Effect::Nothing {
                    let any_case = self.options.any_case;
                    let applied = expected.apply(document.root, operation, shared, any_case);
                    applied.ok_or(Refusal::Unsafe)?;
                }
            }
        }
        let mut after = raw.clone();
        if self.options.format == Format::Documents {
            // A map that was emptied reads as JSON.
            after.json = documents(&edited).next().is_some_and(|raw| raw.json);
        }
        let (found, root) = values(&edited, &after, &self.options).map_err(|_| Refusal::Unsafe)?;
        if !expected.same(document.root, &found, root) {
            return Err(Refusal::Unsafe);
        }
        let offset = raw.offset as usize;
        let edits = pieces.into_iter().map(|piece| Edit {
            start: offset + piece.start,
            end: offset + piece.end,
            text: piece.text,
        });
        Ok(edits.collect())
    }

    /// Finds out which calls are not safe, and makes the edits of the others.
    fn search(&self, raw: &Raw<'t>, batches: &[Batch], outcome: &mut Outcome) {
        let mut kept: Vec<Batch> = Vec::new();
        let mut best = Vec::new();
        let mut waiting = vec![batches];
        let mut tries = 0;
        while let Some(next) = waiting.pop() {
            let mut with = kept.clone();
            with.extend_from_slice(next);
            tries += 1;
            let proved = if tries > TRIES {
                Err(Refusal::Unsafe)
            } else {
                self.again(raw, &with)
            };
            match proved {
                Ok(edits) => {
                    kept = with;
                    best = edits;
                }
                Err(_) if next.len() > 1 && tries <= TRIES => {
                    let (first, second) = next.split_at(next.len() / 2);
                    waiting.push(second);
                    waiting.push(first);
                }
                Err(refusal) => {
                    let refused = next.iter().map(|batch| (batch.number, refusal.clone()));
                    outcome.refused.extend(refused);
                }
            }
        }
        outcome.edits.extend(best);
    }

    fn again(&self, raw: &Raw<'t>, batches: &[Batch]) -> Result<Vec<Edit>, Refusal> {
        let text = self.part(raw);
        let (tree, root) = values(text, raw, &self.options)?;
        let (layout, is_json) = places(text, raw, &self.options)?;
        let lines = Lines::new(text, is_json);
        let style = Style::of(&layout, &lines, is_json);
        let style = self
            .shown
            .as_ref()
            .map_or(style.clone(), |shown| style.or(shown));
        let mut plan = Plan::new(layout, tree, root, lines, raw.line, self.options.clone());
        let mut done = Vec::with_capacity(batches.len());
        for batch in batches {
            let (effects, _) = plan.apply(&batch.operations)?;
            done.push(Batch {
                effects,
                ..batch.clone()
            });
        }
        let mut document = Document {
            plan,
            style,
            root,
            batches: done,
        };
        self.prove(raw, &mut document)
    }

    /// Whether the edited text has the same documents, and every other one unchanged.
    fn others_stay(&self, edits: &[Edit]) -> bool {
        if edits.is_empty() || self.options.format != Format::Documents {
            return true;
        }
        let text = super::apply(self.text, edits);
        if !self.removed.is_empty() {
            return self.removed.others_stay(&self.raws, &text, edits);
        }
        let mut after = documents(&text);
        let mut edits = edits.iter().peekable();
        for raw in &self.raws {
            let end = raw.offset as usize + raw.text.len();
            let mut changed = false;
            while edits.next_if(|edit| edit.end <= end).is_some() {
                changed = true;
            }
            let Some(new) = after.next() else {
                return false;
            };
            let same = new.text == raw.text && new.json == raw.json;
            if !same && (!changed || new.empty) {
                return false;
            }
        }
        after.next().is_none()
    }
}

fn raws(text: &str, format: Format) -> Vec<Raw<'_>> {
    if format == Format::Documents {
        return documents(text).collect();
    }
    vec![Raw {
        text: text.into(),
        offset: 0,
        line: 1,
        index: 0,
        empty: false,
        json: true,
    }]
}

fn unreadable(error: ParseError) -> Refusal {
    Refusal::Unreadable(Box::new(error))
}

/// The values of a document.
fn values(text: &str, raw: &Raw<'_>, options: &Options) -> Result<(Tree, NodeId), Refusal> {
    let mut tree = Tree::default();
    let limits = &options.limits;
    let lenient = options.format == Format::Jsonc;
    let root = if options.format == Format::Documents {
        let raw = Raw {
            text: text.into(),
            ..raw.clone()
        };
        raw.parse(limits, &mut tree).map_err(unreadable)?
    } else {
        let options = json::Options { lenient };
        Some(json::parse(text, options, limits, &mut tree).map_err(unreadable)?)
    };
    root.map(|root| (tree, root)).ok_or(Refusal::Empty)
}

/// Where everything stands in a document, and whether it is JSON.
pub(super) fn places<'t>(
    text: &'t str,
    raw: &Raw<'_>,
    options: &Options,
) -> Result<(Layout<'t>, bool), Refusal> {
    let lenient = options.format == Format::Jsonc;
    if raw.json {
        let read = json::Options { lenient };
        match layout_json::json(text, read, &options.limits) {
            Ok(layout) => return Ok((layout, true)),
            Err(error) if options.format != Format::Documents => return Err(unreadable(error)),
            // `kubectl` tries YAML next.
            Err(_) => {}
        }
    }
    let layout = layout::yaml(text)
        .map_err(|problem| unreadable(ParseError::new(problem, text, raw.line)))?;
    Ok((layout, false))
}

fn edited(text: &str, pieces: &[Piece]) -> String {
    let mut out = String::with_capacity(text.len() + pieces.len() * 32);
    let mut at = 0;
    for piece in pieces {
        out.push_str(text.get(at..piece.start).unwrap_or_default());
        out.push_str(&piece.text);
        at = piece.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
