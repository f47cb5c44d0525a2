//! How a document is written: widths of indentation, quotes, blanks. What is most frequent
//! counts; of equals, the smaller width.

use crate::scan::Style as Scalar;

use super::layout::{Child, Form, Kind, Layout, Place, PlaceId};
use super::lines::Lines;

#[derive(Debug, Clone, Default)]
pub(crate) struct Style {
    /// blanks by which a map stands deeper than the map it is in
    pub(crate) step: Option<usize>,
    /// blanks by which `- ` stands deeper than the key
    pub(crate) list: Option<usize>,
    /// short lists stand in brackets more often than on lines of their own
    pub(crate) flat: Option<bool>,
    /// single quotes are more frequent
    pub(crate) single: bool,
    /// brackets: what one level is indented by, if anything is on lines of its own
    pub(crate) unit: Option<String>,
    /// brackets: what stands between `:` and a value
    pub(crate) colon: Option<String>,
    /// brackets: what stands between `,` and the next item of the same line
    pub(crate) comma: Option<String>,
    /// the document is JSON
    pub(crate) json: bool,
}

#[derive(Default)]
struct Counts {
    steps: [u32; 17],
    lists: [u32; 17],
    single: u32,
    double: u32,
    flat: u32,
    tall: u32,
}

fn most(counts: &[u32]) -> Option<usize> {
    let best = counts.iter().copied().max().filter(|count| *count > 0)?;
    counts.iter().position(|count| *count == best)
}

impl Style {
    pub(crate) fn of(layout: &Layout<'_>, lines: &Lines<'_>, json: bool) -> Self {
        let mut counts = Counts::default();
        let mut style = Self {
            json,
            ..Self::default()
        };
        for place in &layout.places {
            match place.kind {
                Kind::Scalar(Scalar::Single) => counts.single += 1,
                Kind::Scalar(Scalar::Double) => counts.double += 1,
                _ => {}
            }
            if is_short(layout, place) {
                match place.form {
                    Form::Flow
                        if lines.same(place.span.start as usize, place.span.end as usize) =>
                    {
                        counts.flat += 1;
                    }
                    Form::Flow | Form::Pair => {}
                    Form::Block => counts.tall += 1,
                }
            }
            if place.form == Form::Flow {
                style.brackets(place, lines);
            } else if let Some((is_map, deeper)) = depth(layout, lines, place) {
                let table = if is_map {
                    &mut counts.steps
                } else {
                    &mut counts.lists
                };
                if let Some(count) = table.get_mut(deeper) {
                    *count += 1;
                }
            }
        }
        style.single = counts.single > counts.double;
        style.flat = (counts.flat + counts.tall > 0).then_some(counts.flat > counts.tall);
        style.step = most(&counts.steps);
        style.list = most(&counts.lists);
        style
    }

    /// The first brackets that show something count.
    fn brackets(&mut self, place: &Place<'_>, lines: &Lines<'_>) {
        for (slot, child) in place.children.iter().enumerate() {
            if self.unit.is_none() && lines.first_on_line(child.lead as usize) {
                let own = lines.indentation(child.lead as usize);
                let outer = lines.indentation(place.span.start as usize);
                self.unit = own
                    .strip_prefix(outer)
                    .filter(|u| !u.is_empty())
                    .map(str::to_owned);
            }
            if self.colon.is_none()
                && let (Some(after), Some(_)) = (child.after, &child.key)
            {
                self.colon = blanks(lines, after as usize);
            }
            let followed = slot + 1 < place.children.len();
            if self.comma.is_none()
                && let (Some(comma), true) = (child.comma, followed)
            {
                self.comma = blanks(lines, comma as usize + 1);
            }
            if self.unit.is_some() && self.colon.is_some() && self.comma.is_some() {
                return;
            }
        }
    }

    /// The widths that others show where this document shows none.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        self.step = self.step.or(other.step);
        self.list = self.list.or(other.list);
        self.flat = self.flat.or(other.flat);
        self
    }

    pub(crate) fn step(&self) -> usize {
        self.step.unwrap_or(2).max(1)
    }

    /// As `kubectl` writes lists unless the file does otherwise.
    pub(crate) fn list(&self) -> usize {
        self.list.unwrap_or(0)
    }

    pub(crate) fn colon(&self) -> &str {
        self.colon.as_deref().unwrap_or(" ")
    }

    pub(crate) fn comma(&self) -> &str {
        match (&self.comma, &self.colon) {
            (Some(comma), _) => comma,
            (None, Some(colon)) if colon.is_empty() => "",
            _ => " ",
        }
    }
}

/// More items than these are no short list.
pub(crate) const SHORT: usize = 8;

/// Whether it is a list of a few scalars that no brackets stand around.
fn is_short(layout: &Layout<'_>, place: &Place<'_>) -> bool {
    let in_block = place.parent.is_some_and(|(parent, _)| {
        layout
            .get(parent)
            .is_some_and(|parent| parent.form == Form::Block)
    });
    let is_scalar = |child: &Child<'_>| {
        layout
            .get(child.place)
            .is_some_and(|place| matches!(place.kind, Kind::Scalar(_)))
    };
    in_block
        && place.kind == Kind::List
        && (1..=SHORT).contains(&place.children.len())
        && place.children.iter().all(is_scalar)
}

/// The blanks at a place, if something follows them on the line.
fn blanks(lines: &Lines<'_>, at: usize) -> Option<String> {
    let end = lines.skip(at);
    if end >= lines.end(at) {
        return None;
    }
    let text = lines.text.get(at..end)?;
    (text.len() <= 4).then(|| text.to_owned())
}

/// How much deeper a collection without brackets stands than the map it is in.
fn depth(layout: &Layout<'_>, lines: &Lines<'_>, place: &Place<'_>) -> Option<(bool, usize)> {
    let (parent, slot) = place.parent?;
    let outer = layout.get(parent)?;
    let child = outer.children.get(slot as usize)?;
    let first = place.children.first()?;
    if outer.kind != Kind::Map || lines.same(first.lead as usize, child.lead as usize) {
        return None;
    }
    let deeper = column(lines, place)?.checked_sub(lines.column(child.lead as usize))?;
    Some((place.kind == Kind::Map, deeper))
}

/// The column of a collection without brackets.
pub(crate) fn column(lines: &Lines<'_>, place: &Place<'_>) -> Option<usize> {
    let first = place.children.first()?;
    Some(lines.column(first.lead as usize))
}

/// How much deeper the maps or lists in a map stand, if one does.
pub(crate) fn siblings(
    layout: &Layout<'_>,
    lines: &Lines<'_>,
    map: PlaceId,
    is_map: bool,
) -> Option<usize> {
    let children = &layout.get(map)?.children;
    children.iter().find_map(|child| {
        let place = layout.get(child.place)?;
        if place.form != Form::Block {
            return None;
        }
        let (kind, deeper) = depth(layout, lines, place)?;
        (kind == is_map).then_some(deeper)
    })
}
