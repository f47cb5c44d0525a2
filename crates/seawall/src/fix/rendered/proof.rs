//! Cures of rendered objects that the proof takes back may be made in another way: what was taken back is not tried
//! again, and the next candidate is proved. It leaves out the proof itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::cure::{About, Cure, Left, sort};
use super::super::prove::{Proved, Said, prove};
use super::{Rendered, left};
use crate::commands::judged::Question;

/// How often other candidates are proved.
const AGAIN: usize = 2;

/// What is proved against.
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a Question<'a>,
    pub(crate) was: &'a Said,
    /// Which cures are to be made at all; the others are counted.
    pub(crate) keeps: &'a dyn Fn(&Cure) -> bool,
}

/// Cures, proved.
pub(crate) struct Found {
    pub(crate) cures: Vec<Cure>,
    pub(crate) proved: Proved,
    /// Findings of rendered objects that stay.
    pub(crate) left: Vec<Left>,
    /// Findings whose cures are not to be made.
    pub(crate) held_back: usize,
}

/// A guideline about an object.
type Key = (Arc<str>, String);

fn key(about: &About) -> Key {
    (about.guideline.clone(), about.resource.id())
}

impl Rendered<'_> {
    /// Leads cures of rendered objects to files, and proves them with the others.
    pub(crate) fn proved(
        &self,
        asked: &Asked<'_>,
        mut written: Vec<Cure>,
        rendered: &[Cure],
    ) -> anyhow::Result<Found> {
        // Where nothing is rendered, nothing is tried again: there may be very many.
        let first = if rendered.is_empty() {
            std::mem::take(&mut written)
        } else {
            written.clone()
        };
        let mut refused: Vec<Cure> = Vec::new();
        let mut why: BTreeMap<Key, String> = BTreeMap::new();
        let mut best = self.once(asked, first, rendered, &refused)?;
        for _ in 0..AGAIN {
            let dropped = best.proved.dropped.iter();
            let led: Vec<(&Cure, &String)> = dropped
                .filter_map(|(number, why)| Some((best.cures.get(*number)?, why)))
                .filter(|(cure, _)| cure.rendered_by.is_some())
                .collect();
            if led.is_empty() {
                break;
            }
            for (cure, reason) in &led {
                for about in &cure.cured {
                    why.entry(key(about)).or_insert_with(|| (*reason).clone());
                }
            }
            refused.extend(led.iter().map(|(cure, _)| (*cure).clone()));
            let next = self.once(asked, written.clone(), rendered, &refused)?;
            let better = next.cured() > best.cured();
            if better {
                best = next;
            } else {
                break;
            }
        }
        for left in &mut best.left {
            if let Some(reason) = why.get(&key(&left.about)) {
                left.why.clone_from(reason);
            }
        }
        Ok(best)
    }

    fn once(
        &self,
        asked: &Asked<'_>,
        written: Vec<Cure>,
        rendered: &[Cure],
        refused: &[Cure],
    ) -> anyhow::Result<Found> {
        let led = self.lead(rendered, refused);
        let all = written.into_iter().chain(led.cures);
        let (mut cures, held): (Vec<Cure>, Vec<Cure>) = all.partition(|cure| (asked.keeps)(cure));
        sort(&mut cures);
        let mut proved = prove(asked.question, asked.was, &cures)?;
        let mut left = led.left;
        left.extend(proved.apart(&mut cures));
        Ok(Found {
            cures,
            proved,
            left,
            held_back: held.iter().map(|cure| cure.cured.len()).sum(),
        })
    }
}

impl Found {
    /// How many findings are cured.
    fn cured(&self) -> usize {
        let held = self.proved.held.iter();
        held.filter_map(|number| self.cures.get(*number))
            .map(|cure| cure.cured.len())
            .sum()
    }
}

/// Why findings that nothing else cures stay.
pub(super) fn unled(whole: &str, cure: &Cure, why: Option<String>) -> Vec<Left> {
    let why = why.unwrap_or_else(|| {
        format!(
            "`{whole}` renders it, and no value, patch or source of it was found that changes it"
        )
    });
    left(cure, &why).collect()
}
