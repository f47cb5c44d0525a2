//! Estates that take turns, so that a picture is not a copy of everything.
//!
//! Whoever has a picture keeps it as it is. Nobody has one any more that was followed by another a while ago: it is
//! brought up to what is held now, which is as much work as what changed since. Where all that were are still looked
//! at, another is made of everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::Symbols;
use model::Estate;

use super::super::held::Held;
use super::Picture;

/// How many rest at most.
const RESTING: usize = 2;

/// Pictures that were followed by others.
#[derive(Default)]
pub(super) struct Turns {
    resting: Vec<Resting>,
    /// What was touched between the last picture and the one that is being made.
    touched: BTreeSet<Arc<str>>,
}

struct Resting {
    picture: Arc<Picture>,
    /// Where it may be another than what is held.
    missed: BTreeSet<Arc<str>>,
}

impl Turns {
    /// The estate as it is held, and where it may differ from that of the last picture; at all addresses, where it is
    /// none of those.
    pub(super) fn next(
        &mut self,
        held: &mut Held,
        symbols: &Symbols,
    ) -> (Estate, Option<BTreeSet<Arc<str>>>) {
        let (estate, differs) = self.take(held, symbols);
        // Where a namespace stands that is only named may be another without being touched.
        let moved = differs.clone().unwrap_or_else(|| {
            let namespaces = estate.of_kind("Namespace").iter();
            let named = namespaces.filter_map(|id| estate.get(*id).filter(|own| own.implied));
            named.map(|own| Arc::clone(&own.origin.path)).collect()
        });
        for resting in &mut self.resting {
            resting.missed.extend(moved.iter().map(Arc::clone));
        }
        self.touched.extend(moved);
        (estate, differs)
    }

    fn take(&mut self, held: &mut Held, symbols: &Symbols) -> (Estate, Option<BTreeSet<Arc<str>>>) {
        let touched = held.take_touched();
        for resting in &mut self.resting {
            resting.missed.extend(touched.iter().map(Arc::clone));
        }
        self.touched = touched;
        // What is known to be complete says what namespaces are that are only named.
        let complete = format!("{:?}", held.completeness());
        let most = held.len() / 2 + 1;
        self.resting.retain(|resting| {
            resting.missed.len() < most
                && format!("{:?}", resting.picture.estate.completeness) == complete
        });
        // The newest missed least.
        for at in (0..self.resting.len()).rev() {
            let Resting { picture, missed } = self.resting.remove(at);
            match Arc::try_unwrap(picture) {
                Ok(picture) => {
                    let mut estate = picture.estate;
                    let differs = held.bring_up(&mut estate, missed, symbols);
                    return (estate, Some(differs));
                }
                Err(picture) => self.resting.insert(at, Resting { picture, missed }),
            }
        }
        (held.estate(symbols), None)
    }

    /// A picture was followed by the one that was made last.
    pub(super) fn rest(&mut self, picture: Arc<Picture>) {
        let missed = std::mem::take(&mut self.touched);
        self.resting.push(Resting { picture, missed });
        if self.resting.len() > RESTING {
            self.resting.remove(0);
        }
    }
}
