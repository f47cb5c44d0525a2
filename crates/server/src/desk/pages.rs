//! Pages: what each has around its content, and which there are.
//!
//! All state is in the address, so that a page can be kept, sent and reloaded, and works without the script.
//! Everything from the cluster is escaped. What it deliberately leaves out: who may see what (`sight`).

mod coverage;
mod decisions;
mod declared;
mod drift;
mod export;
mod finding;
mod findings;
mod guideline;
mod map;
mod object;
mod objects;
mod overview;
mod paths;
mod time;
mod timeline;
mod waivers;

use std::sync::Arc;

use analysis::Analyses;
use guide::Guide;
use maud::{Markup, PreEscaped, html};
use model::finding::Finding;
use model::resource::ResourceName;
use report::html::{BASE_STYLE, Head, STYLE, Style};
use report::{clean, count};

use super::Desk;
use super::request::{Asked, Replied, address};
use super::rights::{Extent, NAMESPACES};
use super::sight::Sight;
use super::ways::Ways;

pub(super) use self::export::Form;

/// A few lines that save a click; every page is complete without them.
pub(super) const SCRIPT: &str = include_str!("pages/desk.js");

/// The style sheet: that of reports, and what is beside it here.
pub(super) fn style() -> String {
    format!("{BASE_STYLE}{STYLE}{}", include_str!("pages/desk.css"))
}

/// What a page is made from.
pub(super) struct Frame<'f> {
    pub(super) desk: &'f Desk,
    pub(super) sight: &'f Sight,
    pub(super) who: &'f str,
    pub(super) asked: &'f Asked,
    /// In seconds since 1970.
    pub(super) now: i64,
}

impl Frame<'_> {
    fn guide(&self) -> &Guide {
        &self.desk.options.guide
    }

    /// What follows from the estate as of the last pass; each is made when it is asked for, and kept by nobody.
    fn analyses(&self) -> Analyses<'_> {
        let picture = &self.sight.picture;
        guide::facts::analyses(self.guide(), &picture.setting, &picture.estate)
    }

    /// The ways of attackers, for who may see everything; nothing while they are being looked for.
    fn ways(&self) -> Option<Arc<Ways>> {
        self.desk.ways(&self.sight.picture)
    }

    /// Whether there is a page about what is at an address.
    fn has_object(&self, at: &str) -> bool {
        let object = self.desk.options.shared.object(at);
        object.is_some_and(|object| self.sight.sees(&object.name))
    }

    fn title_of<'s>(&'s self, finding: &'s Finding) -> &'s str {
        let guideline = self.guide().guideline(&finding.guideline.0);
        guideline.map_or(&*finding.guideline.0, |guideline| &guideline.title)
    }
}

/// The page at an address; nothing where there is none, or nothing that this person may see.
pub(super) fn page(frame: &Frame<'_>) -> Option<Markup> {
    let path = &*frame.asked.path;
    match path {
        "/" => return Some(overview::page(frame)),
        "/findings" => return Some(findings::page(frame)),
        "/objects" => return Some(objects::list(frame)),
        "/object" => return object::page(frame),
        "/map" => return Some(map::page(frame)),
        "/decisions" => return decisions::page(frame),
        "/drift" => return drift::page(frame),
        "/timeline" => return Some(timeline::page(frame)),
        "/waivers" => return Some(waivers::page(frame)),
        "/coverage" => return coverage::page(frame),
        "/paths" => return paths::list(frame),
        _ => {}
    }
    if let Some(print) = path.strip_prefix("/findings/") {
        return finding::page(frame, print);
    }
    if let Some(id) = path.strip_prefix("/paths/") {
        return paths::one(frame, id);
    }
    guideline::page(frame, path.strip_prefix("/guide/")?)
}

/// A list as a file; nothing where there is none, or nothing that this person may see.
pub(super) fn list(frame: &Frame<'_>, path: &str, form: Form) -> Option<Replied> {
    match path {
        "/findings" => findings::file(frame, form),
        "/objects" => objects::file(frame, form),
        "/map" => map::file(frame, form),
        "/decisions" => decisions::file(frame, form),
        "/drift" => drift::file(frame, form),
        "/timeline" => timeline::file(frame, form),
        "/history" => overview::file(frame, form),
        _ => None,
    }
}

/// The way to what is shown as files.
fn files(path: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        p.files { "All of it as " a href=(address(&format!("{path}.csv"), fields)) { "CSV" } " or " a href=(address(&format!("{path}.json"), fields)) { "JSON" } }
    }
}

/// A page's own part.
struct Content<'c> {
    /// The heading, also in the browser's tab.
    title: &'c str,
    /// Which entry of the navigation it belongs to.
    within: &'c str,
    body: Markup,
}

fn document(title: &str, class: &str, body: &Markup) -> Markup {
    let more = html! {
        link rel="icon" href="data:,";
        script src="/script.js" defer {}
    };
    page_of(title, &more, class, body)
}

fn page_of(title: &str, more: &Markup, class: &str, body: &Markup) -> Markup {
    let title = format!("{title} · seawall");
    let head = Head {
        title: &title,
        policy: None,
        style: Style::At("/style.css"),
    };
    report::html::document(&head, more, Some(class), body)
}

fn shell(frame: &Frame<'_>, content: &Content<'_>) -> Markup {
    let everything = frame.sight.is_everything();
    let entries = [
        ("/", "Overview", true),
        ("/findings", "Findings", true),
        ("/objects", "Objects", true),
        ("/map", "Reachability", true),
        ("/paths", "Attack paths", everything),
        ("/decisions", "Decisions", everything),
        ("/timeline", "Timeline", true),
        ("/drift", "Drift", everything),
        ("/waivers", "Waivers", true),
        ("/coverage", "Coverage", everything),
    ];
    document(
        content.title,
        "desk",
        &html! {
                a.skip href="#content" { "Skip to the content" }
                header {
                    div.bar {
                        p.brand { a href="/" { "seawall" } }
                        form.out method="post" action="/sign-out" {
                            span.who { (clean(frame.who)) }
                            button type="submit" { "Sign out" }
                        }
                    }
                    nav aria-label="Dashboard" {
                        ul {
                            @for (path, title, shown) in entries {
                                @if shown {
                                    li { a href=(path) aria-current=[(path == content.within).then_some(if path == frame.asked.path { "page" } else { "true" })] { (title) } }
                                }
                            }
                        }
                    }
                }
                main #content tabindex="-1" {
                    h1 { (content.title) }
                    (content.body)
                }
                footer { p { (known(frame)) } }
        },
    )
}

/// As of when something is shown, and for whom.
fn known(frame: &Frame<'_>) -> Markup {
    let picture = &frame.sight.picture;
    html! {
        @if picture.number > 0 {
            "What objects say alone is as of now; what they say together is as of "
            (time::moment(picture.at)) " (" (time::ago(frame.now - picture.at.as_second())) "). "
        }
        @if let Extent::Namespaces(own) = &frame.sight.extent {
            @if own.is_empty() {
                "You may list pods in no namespace, so nothing is shown."
            } @else {
                "You see what is in " (count(own.len(), "namespace")) ", those where you may list pods."
                @if own.len() >= NAMESPACES { " No more than " (NAMESPACES) " are looked at." }
            }
        } @else {
            "You may list the pods of all namespaces, so you see everything."
        }
    }
}

/// Where to begin.
pub(super) fn sign_in(desk: &Desk, said: &str) -> Markup {
    document(
        "Sign in",
        "desk alone",
        &html! {
                main #content {
                    p.brand { "seawall" }
                    h1 { "Sign in" }
                    @if !said.is_empty() { p.said role="alert" { (clean(said)) } }
                    @if desk.relying.is_some() {
                        p { a.button href="/sign-in/issuer" { "Sign in with your account" } }
                        p.or { "or with" }
                    }
                    form.sign-in method="post" action="/sign-in" {
                        label for="token" { "A token of the cluster" }
                        textarea #token name="token" rows="5" required autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="how" {}
                        button type="submit" { "Sign in" }
                    }
                    div #how.help {
                        p { "A service account's, for instance:" }
                        pre tabindex="0" { code { "kubectl create token NAME --namespace NAMESPACE" } }
                        p { "It is shown to the API server once and not kept. You see the namespaces in which its owner may list pods." }
                    }
                }
        },
    )
}

/// Somebody came back from the issuer. The way on begins here, so that the browser sends the cookie along that only
/// this site's own pages send (`SameSite=Strict`).
pub(super) fn arrived() -> Markup {
    let more = html! {
        meta http-equiv="refresh" content="0; url=/";
        link rel="icon" href="data:,";
    };
    let body = html! { main #content { h1 { "Signed in" } p { a href="/" { "Go on" } } } };
    page_of("Signed in", &more, "desk alone", &body)
}

/// Nothing is at an address, or nothing for this person: the two look alike.
pub(super) fn missing(frame: &Frame<'_>) -> Markup {
    shell(
        frame,
        &Content {
            title: "Nothing here",
            within: "",
            body: html! { p { "There is no such page, it is about something that is gone, or you may not see it." } },
        },
    )
}

/// `shop/web` after its kind, with a link to what is said of it where it is a live object.
fn resource(name: &ResourceName) -> Markup {
    html! {
        span.kind { (clean(name.kind.name())) } " "
        span.name { @if let Some(namespace) = &name.namespace { (clean(namespace)) "/" wbr; } (clean(&name.name)) }
    }
}

/// Why a finding does not count, or whether it fails.
const fn state(finding: &Finding) -> &'static str {
    if finding.waiver.is_some() {
        "waived"
    } else if finding.in_baseline {
        "baseline"
    } else if finding.provider_managed {
        "kept by AKS"
    } else {
        finding.outcome.word()
    }
}

/// The severity, and the state of what does not simply fail.
fn chip(finding: &Finding) -> Markup {
    let state = state(finding);
    html! {
        (report::html::chip(finding.severity))
        @match state {
            "fail" => {},
            "unknown" => { " " span.chip.unknown { "unknown" } },
            _ => { " " span.chip.quiet { (state) } },
        }
    }
}

/// Entries of a list that fit on a page.
const PAGE: usize = 50;

/// Which part of a list a page shows.
struct Part {
    /// From 1.
    number: usize,
    pages: usize,
    all: usize,
    size: usize,
}

impl Part {
    fn of(all: usize, asked: &Asked) -> Self {
        Self::of_size(all, asked, PAGE)
    }

    fn of_size(all: usize, asked: &Asked, size: usize) -> Self {
        let pages = all.div_ceil(size).max(1);
        let number = asked.query.get("page").parse().unwrap_or(1);
        Self {
            number: std::cmp::Ord::clamp(number, 1, pages),
            pages,
            all,
            size,
        }
    }

    const fn first(&self) -> usize {
        (self.number - 1) * self.size
    }

    /// The way to the others. `fields` are those of the filter.
    fn turner(&self, path: &str, fields: &[(&str, &str)], one: &str) -> Markup {
        let link = |number: usize| {
            let number = number.to_string();
            let mut fields = fields.to_vec();
            fields.push(("page", &number));
            address(path, &fields)
        };
        html! {
            @if self.pages > 1 {
                nav.turner aria-label="Pages" {
                    @if self.number > 1 { a rel="prev" href=(link(self.number - 1)) { "Previous" } }
                    span { "Page " (self.number) " of " (self.pages) ", " (count(self.all, one)) }
                    @if self.number < self.pages { a rel="next" href=(link(self.number + 1)) { "Next" } }
                }
            }
        }
    }
}

/// A choice of a filter: its name, label, and values with what they are called.
fn select(name: &str, label: &str, chosen: &str, values: &[(&str, &str)]) -> Markup {
    let known = values.iter().any(|(value, _)| *value == chosen);
    html! {
        label { (label)
            select name=(name) {
                @for (value, title) in values { option value=(value) selected[*value == chosen] { (clean(title)) } }
                // Whatever else the address says stays said.
                @if !known { option value=(chosen) selected { (clean(chosen)) } }
            }
        }
    }
}

/// A space that `html!` does not drop.
const SPACE: PreEscaped<&str> = PreEscaped(" ");
