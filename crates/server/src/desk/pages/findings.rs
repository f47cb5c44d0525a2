//! The list of findings: filtered by what stands in the address, a page at a time.

use maud::{Markup, html};
use model::finding::{Finding, Outcome, Severity};
use report::html::words;
use report::{clean, count};

use super::super::request::{Fields, Replied, address};
use super::super::sight::namespace;
use super::export::{self, Form};
use super::{Content, Frame, PAGE, Part, chip, files, resource, select, shell};

/// What is asked for.
struct Filter<'q> {
    severity: Option<Severity>,
    state: &'q str,
    namespace: &'q str,
    guideline: &'q str,
    topic: &'q str,
    text: &'q str,
    words: Vec<String>,
}

impl<'q> Filter<'q> {
    fn of(query: &'q Fields) -> Self {
        let text = query.get("text");
        Self {
            severity: Severity::parse(query.get("severity")),
            state: query.get("state"),
            namespace: query.get("namespace"),
            guideline: query.get("guideline"),
            topic: query.get("topic"),
            text,
            words: text
                .to_lowercase()
                .split_whitespace()
                .take(8)
                .map(str::to_owned)
                .collect(),
        }
    }

    fn fields(&self) -> [(&'static str, &str); 6] {
        [
            ("text", self.text),
            ("severity", self.severity.map_or("", Severity::word)),
            ("state", self.state),
            ("namespace", self.namespace),
            ("guideline", self.guideline),
            ("topic", self.topic),
        ]
    }

    fn takes(&self, finding: &Finding, frame: &Frame<'_>) -> bool {
        let state = match self.state {
            "fail" => finding.counts() && finding.outcome == Outcome::Fail,
            "unknown" => finding.counts() && finding.outcome != Outcome::Fail,
            "aside" => !finding.counts(),
            "all" => true,
            _ => finding.counts(),
        };
        state
            && self
                .severity
                .is_none_or(|severity| severity == finding.severity)
            && match self.namespace {
                "" => true,
                "-" => namespace(&finding.resource).is_none(),
                own => namespace(&finding.resource) == Some(own),
            }
            && (self.guideline.is_empty() || self.guideline == &*finding.guideline.0)
            && (self.topic.is_empty() || is_of(finding, self.topic, frame))
            && (self.words.is_empty() || self.reads(finding, frame))
    }

    /// Whether all words are somewhere in it.
    fn reads(&self, finding: &Finding, frame: &Frame<'_>) -> bool {
        let name = &finding.resource;
        let text = [
            &*finding.message,
            frame.title_of(finding),
            &finding.guideline.0,
            name.kind.name(),
            name.namespace.as_deref().unwrap_or_default(),
            &name.name,
            finding.item.as_deref().unwrap_or_default(),
            &finding.place.route,
        ]
        .join("\n")
        .to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

fn is_of(finding: &Finding, topic: &str, frame: &Frame<'_>) -> bool {
    let guideline = frame.guide().guideline(&finding.guideline.0);
    guideline.is_some_and(|guideline| {
        topic.split_once('/') == Some((&*guideline.chapter, &*guideline.topic))
    })
}

fn found<'f>(frame: &'f Frame<'_>, filter: &Filter<'_>) -> Vec<&'f Finding> {
    let all = frame.sight.findings.iter().map(|finding| &**finding);
    all.filter(|finding| filter.takes(finding, frame)).collect()
}

/// What the filter leaves, as a file.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    let found = found(frame, &Filter::of(&frame.asked.query));
    export::findings(form, frame, &found)
}

pub(super) fn page(frame: &Frame<'_>) -> Markup {
    let filter = Filter::of(&frame.asked.query);
    let found = found(frame, &filter);
    let part = Part::of(found.len(), frame.asked);
    let shown: Vec<&Finding> = found
        .iter()
        .copied()
        .skip(part.first())
        .take(PAGE)
        .collect();
    let body = html! {
        (form(frame, &filter))
        p.found role="status" { (count(found.len(), "finding")) @if part.pages > 1 { ", the worst first; page " (part.number) " of " (part.pages) } }
        @if found.is_empty() {
            p { "No finding is like that. " a href="/findings?state=all" { "Show all" } }
        } @else {
            (table(frame, &shown, "Findings"))
        }
        (part.turner("/findings", &filter.fields(), "finding"))
        (files("/findings", &filter.fields()))
    };
    shell(
        frame,
        &Content {
            title: "Findings",
            within: "/findings",
            body,
        },
    )
}

/// Rows with a link to each.
pub(super) fn table(frame: &Frame<'_>, findings: &[&Finding], caption: &str) -> Markup {
    html! {
        table.cards.found {
            caption.unseen { (caption) }
            thead { tr { th scope="col" { "Severity" } th scope="col" { "Finding" } th scope="col" { "Object" } } }
            tbody {
                @for finding in findings {
                    tr {
                        td data-label="Severity" { (chip(finding)) }
                        th scope="row" {
                            a href={ "/findings/" (finding.fingerprint) } { (frame.title_of(finding)) }
                            p.message { (words(&finding.message)) }
                        }
                        td data-label="Object" {
                            (resource(&finding.resource))
                            @if let Some(item) = &finding.item { span.item { (if item.bytes().all(|byte| byte.is_ascii_digit()) { "item " } else { "in " }) (clean(item)) } }
                        }
                    }
                }
            }
        }
    }
}

fn form(frame: &Frame<'_>, filter: &Filter<'_>) -> Markup {
    let namespaces = frame.sight.namespaces();
    let mut places = vec![("", "all")];
    if frame.sight.is_everything() {
        places.push(("-", "none (cluster, Azure)"));
    }
    places.extend(namespaces.iter().map(|name| (&**name, &**name)));
    let severities: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(Severity::WORST_FIRST.map(|severity| (severity.word(), severity.word())))
        .collect();
    let states = [
        ("", "what counts"),
        ("fail", "fail"),
        ("unknown", "unknown"),
        ("aside", "not counted"),
        ("all", "all"),
    ];
    let narrowed = [
        (
            "guideline",
            filter.guideline,
            guideline_title(frame, filter.guideline),
        ),
        ("topic", filter.topic, topic_title(frame, filter.topic)),
    ];
    html! {
        form.filter method="get" action="/findings" role="search" aria-label="Filter findings" data-submits {
            label.search { "Search" input type="search" name="text" value=(clean(filter.text)) maxlength="200" placeholder="name, guideline, words" autocomplete="off"; }
            (select("severity", "Severity", filter.severity.map_or("", Severity::word), &severities))
            (select("state", "State", filter.state, &states))
            (select("namespace", "Namespace", filter.namespace, &places))
            @for (name, value, _) in &narrowed { @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
            button type="submit" { "Show" }
        }
        @for (name, value, title) in &narrowed {
            @if !value.is_empty() {
                p.narrowed { "Only " strong { (clean(title)) } ". " a href=(without(filter, name)) { "Show others too" } }
            }
        }
    }
}

fn without(filter: &Filter<'_>, name: &str) -> String {
    let fields: Vec<_> = filter
        .fields()
        .into_iter()
        .filter(|(own, _)| *own != name)
        .collect();
    address("/findings", &fields)
}

fn guideline_title<'f>(frame: &'f Frame<'_>, id: &'f str) -> &'f str {
    let guideline = frame.guide().guideline(id);
    guideline.map_or(id, |guideline| &guideline.title)
}

fn topic_title<'f>(frame: &'f Frame<'_>, id: &'f str) -> &'f str {
    let topic = id
        .split_once('/')
        .and_then(|(chapter, topic)| frame.guide().topic(chapter, topic));
    topic.map_or(id, |topic| &topic.title)
}
