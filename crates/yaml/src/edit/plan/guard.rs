//! What must not change by the way: anchors that are used elsewhere, keys that stand twice,
//! keys that are taken. It leaves out what changes (`operations`).

use std::collections::HashSet;

use super::Plan;
use crate::edit::layout::{Form, Found, PlaceId};
use crate::edit::refusal::Refusal;
use crate::edit::{Shared, Step, route_text, same_key};

impl Plan<'_> {
    pub(super) fn renamed_to(&self, map: PlaceId, key: &str, any_case: bool) -> bool {
        let renamed = self
            .renamed
            .get(&map)
            .map(Vec::as_slice)
            .unwrap_or_default();
        renamed.iter().any(|(own, place)| {
            // What was undone does not count.
            let change = self.changes.get(place);
            let holds = change.is_some_and(|change| change.key.as_ref() == Some(own));
            holds && same_key(own, key, any_case)
        })
    }

    /// Whether a change inside a place is one elsewhere too.
    pub(super) fn guard_inside(&mut self, id: PlaceId) -> Result<bool, Refusal> {
        let mut shared = false;
        if self.anchors.is_empty() {
            return Ok(shared);
        }
        let mut at = Some(id);
        while let Some(place) = at {
            if self.layout.uses.contains_key(&place) {
                let uses = self.use_lines(place);
                if !self.options.follow {
                    return Err(Refusal::Shared {
                        route: route_text(&self.steps_to(place)),
                        anchor: self.anchor_name(place),
                        line: self.anchor_line(place),
                        uses,
                    });
                }
                shared |= place == id;
                let anchor = self.anchor_name(place);
                self.shared.extend(uses.into_iter().map(|line| Shared {
                    line,
                    anchor: anchor.clone(),
                }));
            }
            at = self.layout.get(place).and_then(|p| p.parent).map(|p| p.0);
        }
        Ok(shared)
    }

    pub(crate) fn steps_to(&self, id: PlaceId) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some((parent, slot)) = self.layout.get(at).and_then(|place| place.parent) {
            let key = self
                .layout
                .child(parent, slot)
                .and_then(|child| child.key.as_ref());
            steps.push(match key {
                Some(key) => Step::Key((&*key.text).into()),
                None => Step::Index(slot as usize),
            });
            at = parent;
        }
        steps.reverse();
        steps
    }

    pub(super) fn within(&self, outer: PlaceId, id: PlaceId) -> bool {
        let mut at = Some(id);
        while let Some(place) = at {
            if place == outer {
                return true;
            }
            at = self.layout.get(place).and_then(|p| p.parent).map(|p| p.0);
        }
        false
    }

    /// Refuses to let an anchor go that is used elsewhere.
    pub(super) fn guard_gone(&self, id: PlaceId, with_own: bool) -> Result<(), Refusal> {
        let Some(span) = self.layout.get(id).map(|place| place.span) else {
            return Ok(());
        };
        let from = self
            .anchors
            .partition_point(|(start, _)| *start < span.start);
        let inside = self.anchors.get(from..).unwrap_or_default();
        for (_, anchored) in inside.iter().take_while(|(start, _)| *start <= span.end) {
            if !self.within(id, *anchored) || (*anchored == id && !with_own) {
                continue;
            }
            let uses = self
                .layout
                .uses
                .get(anchored)
                .map(Vec::as_slice)
                .unwrap_or_default();
            if uses.iter().any(|alias| !self.within(id, *alias)) {
                return Err(Refusal::Anchor {
                    anchor: self.anchor_name(*anchored),
                    line: self.anchor_line(*anchored),
                    uses: self.use_lines(*anchored),
                });
            }
        }
        Ok(())
    }

    pub(super) fn guard_form(&self, id: PlaceId) -> Result<(), Refusal> {
        let pair = self
            .layout
            .get(id)
            .is_some_and(|place| place.form == Form::Pair);
        let twice = self
            .layout
            .repeated
            .get(&id)
            .and_then(|found| found.first());
        if let Some((key, first, again)) = twice {
            return Err(Refusal::Twice {
                key: key.clone(),
                first: self.line(*first),
                again: self.line(*again),
            });
        }
        if pair {
            return Err(Refusal::Form {
                what: "this map has no braces of its own",
                line: self.place_line(id),
            });
        }
        Ok(())
    }

    /// Whether a key stands twice in a YAML map.
    pub(super) fn has_twice(&self, id: PlaceId) -> bool {
        let Some(place) = self.layout.get(id) else {
            return false;
        };
        let mut seen = HashSet::with_capacity(place.children.len());
        let mut keys = place.children.iter().filter_map(|child| child.key.as_ref());
        !keys.all(|key| seen.insert(&*key.text))
    }

    pub(super) fn anchor_name(&self, id: PlaceId) -> String {
        let span = self.layout.get(id).and_then(|place| place.anchor);
        let text = span.and_then(|s| self.lines.text.get(s.start as usize + 1..s.end as usize));
        text.unwrap_or_default().to_owned()
    }

    pub(super) fn anchor_line(&self, id: PlaceId) -> u32 {
        let span = self.layout.get(id).and_then(|place| place.anchor);
        self.line(span.map_or(0, |span| span.start))
    }

    pub(super) fn use_lines(&self, id: PlaceId) -> Vec<u32> {
        let uses = self.layout.uses.get(&id).map(Vec::as_slice);
        let uses = uses.unwrap_or_default().iter();
        uses.map(|alias| self.place_line(*alias)).collect()
    }

    pub(super) fn guard_free(
        &mut self,
        map: PlaceId,
        key: &str,
        same: bool,
    ) -> Result<(), Refusal> {
        let any_case = self.options.any_case && !same;
        let line = match self.layout.find(map, key, any_case) {
            Found::Once(slot) => self.layout.child(map, slot).map(|child| child.lead),
            Found::Twice(first, _) => Some(first),
            Found::Nothing => {
                let added = self.changes.get(&map).map(|change| change.added.as_slice());
                let mut added = added.unwrap_or_default().iter();
                let renamed = self.renamed_to(map, key, any_case);
                let taken = renamed || added.any(|(own, _)| own.as_deref() == Some(key));
                taken.then(|| self.layout.get(map).map_or(0, |place| place.span.start))
            }
        };
        match line {
            Some(at) => Err(Refusal::Taken {
                key: key.to_owned(),
                line: self.line(at),
            }),
            None => Ok(()),
        }
    }
}
