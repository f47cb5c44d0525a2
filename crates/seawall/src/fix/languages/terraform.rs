//! Terraform configurations. A property may be said in another file than its resource, so cures are written into all
//! files of a configuration at once; `terraform::edit` proves them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bicep::addition::is_unfinished;
use model::kinds::Kind;
use model::remedy::Addition;
use sources::{More, Options, Wanted, Within, edit_configurations};
use yaml::edit::{Edit, Operation};

use super::UNFINISHED;
use crate::fix::cure::{Cure, Numbered, Way};

/// What became of cures of configurations.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// By file, in order and not overlapping.
    pub(crate) edits: BTreeMap<Arc<str>, Vec<Edit>>,
    /// Which cures changed which file, by their numbers.
    pub(crate) by: BTreeMap<Arc<str>, BTreeSet<usize>>,
    /// Cures that could not be written, by their number, and why.
    pub(crate) refused: Vec<(usize, String)>,
}

/// Whether a cure changes a Terraform configuration.
pub(crate) fn is_terraform(cure: &Cure) -> bool {
    let is_one = |path: &str| path.ends_with(".tf") || path.ends_with(".tf.json");
    let mut places = cure.changes.iter().flat_map(|change| &change.written);
    let mut added = cure.added.iter().filter_map(Addition::file);
    places.any(|written| is_one(&written.path)) || added.any(is_one)
}

/// Writes cures into the files of their configurations.
pub(crate) fn edit(cures: &[Numbered<'_>], options: &Options) -> Written {
    let mut written = Written::default();
    let mut operations: Vec<(Numbered<'_>, Vec<Operation>)> = Vec::new();
    for (number, cure) in cures {
        match ::guide::remedy::operations(&cure.changes) {
            Ok(done) => operations.push(((*number, cure), done)),
            Err(why) => written.refused.push((*number, why)),
        }
    }
    let mut by_folder: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    for ((number, cure), operations) in &operations {
        let Asked {
            wishes,
            numbers,
            more,
            besides,
        } = by_folder.entry(&cure.origin).or_default();
        let mut declares = false;
        for path in cure.files() {
            let Some(declared) = cure.declares_in(path) else {
                break;
            };
            declares = true;
            for (act, place) in declared {
                more.push(More::Variable(path, place.start, act));
                besides.push(*number);
            }
        }
        if declares {
            continue;
        }
        match (cure.added.is_empty(), operations.is_empty()) {
            (true, _) => {}
            (false, true) => {
                for addition in &cure.added {
                    more.push(More::Resource(addition));
                    besides.push(*number);
                }
                continue;
            }
            (false, false) => {
                let why = "what is changed and what is added are not proved together in Terraform";
                written.refused.push((*number, why.to_owned()));
                continue;
            }
        }
        match wanted(cure, operations) {
            Some(wanted) => {
                wishes.push(wanted);
                numbers.push(*number);
            }
            None => written
                .refused
                .push((*number, "the resource has no name in Azure".to_owned())),
        }
    }
    let (mut wishes, mut numbers) = (Vec::new(), Vec::new());
    for (folder, asked) in by_folder {
        wishes.push((folder, asked.wishes, asked.more));
        numbers.push([asked.numbers, asked.besides].concat());
    }
    let (edits, outcomes) = match edit_configurations(&wishes, options) {
        Ok(granted) => granted,
        Err(why) => {
            let all = numbers.into_iter().flatten();
            written
                .refused
                .extend(all.map(|number| (number, why.clone())));
            return written;
        }
    };
    let mut done = BTreeSet::new();
    for (number, outcome) in numbers
        .into_iter()
        .flatten()
        .zip(outcomes.into_iter().flatten())
    {
        match outcome {
            Ok(paths) => {
                done.insert(number);
                for path in paths {
                    written.by.entry(path.into()).or_default().insert(number);
                }
            }
            Err(why) => written.refused.push((number, why)),
        }
    }
    let unfinished = edits.values().flatten();
    let unfinished = unfinished.map(|edit| &*edit.text).any(is_unfinished);
    let mut torn = written.refused.clone();
    torn.retain(|(number, _)| done.contains(number));
    if unfinished {
        let with_more = cures.iter().filter(|(number, cure)| {
            cure.added.len() > 1 && !torn.iter().any(|(own, _)| own == number)
        });
        let with_more: Vec<_> = with_more.collect();
        let others = with_more.iter();
        torn.extend(others.map(|(number, _)| (*number, UNFINISHED.to_owned())));
    }
    if !torn.is_empty() {
        // Of what could be written in part nothing stays.
        let whole = |(number, _): &&Numbered<'_>| !torn.iter().any(|(own, _)| own == number);
        let rest: Vec<Numbered<'_>> = cures.iter().filter(whole).copied().collect();
        let mut again = edit(&rest, options);
        again.refused.extend(torn);
        return again;
    }
    written.edits = edits
        .into_iter()
        .map(|(path, edits)| (path.into(), edits))
        .collect();
    written
}

/// What is asked of one configuration.
#[derive(Default)]
struct Asked<'c> {
    wishes: Vec<Wanted<'c>>,
    /// The cures of the wishes.
    numbers: Vec<usize>,
    more: Vec<More<'c>>,
    /// The cures of these.
    besides: Vec<usize>,
}

fn wanted<'w>(cure: &'w Cure, operations: &'w [Operation]) -> Option<Wanted<'w>> {
    let about = cure.cured.first()?;
    let name = cure.other.as_ref().unwrap_or(&about.resource);
    let Kind::Azure(kind) = &name.kind else {
        return None;
    };
    let written = cure
        .changes
        .first()
        .and_then(|change| change.written.first());
    let place = written
        .filter(|written| written.steps == 0 && !written.published)
        .map(|written| (&*written.path, written.span.start as usize));
    Some(Wanted {
        kind,
        name: &name.name,
        place,
        operations,
        within: model::azure::inline(kind).map(|inline| Within {
            kind: inline.parent,
            list: inline.list,
            flat: inline.flat,
        }),
        at_call: cure.way == Way::Call,
    })
}
