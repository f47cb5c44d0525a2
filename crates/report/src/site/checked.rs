//! When the facts of a page were checked: the days on which its sources were last seen.

use guide::guideline::Reference;
use maud::{Markup, html};

use super::Site;

/// The oldest and the newest day of a page's sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checked {
    days: Option<(String, String)>,
    sources: usize,
    whole: bool,
}

impl Checked {
    /// By the references that a page rests on.
    pub(super) fn by<'r>(references: impl IntoIterator<Item = &'r Reference>) -> Self {
        let mut checked = Self::default();
        for reference in references {
            checked.add(&reference.seen);
        }
        checked
    }

    fn add(&mut self, day: &str) {
        self.sources += 1;
        let (first, last) = self
            .days
            .get_or_insert_with(|| (day.to_owned(), day.to_owned()));
        if day < first.as_str() {
            day.clone_into(first);
        }
        if day > last.as_str() {
            day.clone_into(last);
        }
    }

    /// The same; where there is no reference, by another's.
    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.days.is_some() { self } else { other() }
    }

    /// By everything that the guide rests on, for pages that list much of it.
    pub(super) fn whole(site: &Site<'_>) -> Self {
        let guide = site.guide;
        let topics = guide.topics.iter().flat_map(|topic| &topic.references);
        let guidelines = guide.guidelines.iter().flat_map(|own| &own.references);
        let edges = guide.edge_pages.values().flat_map(|edge| &edge.references);
        let detections = guide.detections.iter().flat_map(|own| &own.references);
        let frameworks = guide
            .frameworks
            .iter()
            .filter_map(|own| own.source.as_ref());
        let all = topics
            .chain(guidelines)
            .chain(edges)
            .chain(detections)
            .chain(frameworks);
        Self {
            whole: true,
            ..Self::by(all)
        }
    }
}

/// The line below a page's text.
pub(super) fn line(checked: &Checked) -> Markup {
    let day = |day: &str| html! { time datetime=(day) { (day) } };
    html! {
        p.checked {
            @match &checked.days {
                None => "The facts of this page are not dated.",
                Some((first, last)) => {
                    @if checked.whole { "Facts of the guide checked " } @else { "Facts checked " }
                    @if first == last { "on " (day(first)) } @else { "between " (day(first)) " and " (day(last)) }
                    ", against " (crate::text::count(checked.sources, "source")) "."
                }
            }
        }
    }
}
