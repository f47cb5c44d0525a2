//! What is there: every object that was read, with what is known of it, filtered and a page at a time.
//!
//! What it deliberately leaves out: one of them (`object`).

use std::collections::{BTreeMap, BTreeSet};

use analysis::Analyses;
use analysis::ask::Subject;
use maud::{Markup, html};
use model::finding::{Finding, Outcome, Severity};
use model::{Ref, Resource};
use report::{clean, count};

use super::super::network::is_sure;
use super::super::powers;
use super::super::request::{Fields, Replied, address};
use super::super::sight::namespace;
use super::export::{self, Form};
use super::overview::worst;
use super::{Content, Frame, PAGE, Part, files, resource, select, shell};

/// What is asked for.
struct Filter<'q> {
    text: &'q str,
    words: Vec<String>,
    kind: &'q str,
    namespace: &'q str,
    with: &'q str,
}

impl<'q> Filter<'q> {
    fn of(query: &'q Fields) -> Self {
        let text = query.get("text");
        let words = text.to_lowercase();
        Self {
            text,
            words: words
                .split_whitespace()
                .take(8)
                .map(str::to_owned)
                .collect(),
            kind: query.get("kind"),
            namespace: query.get("namespace"),
            with: query.get("with"),
        }
    }

    fn fields(&self) -> [(&'static str, &str); 4] {
        [
            ("text", self.text),
            ("kind", self.kind),
            ("namespace", self.namespace),
            ("with", self.with),
        ]
    }

    fn takes(&self, own: &Resource) -> bool {
        (self.kind.is_empty() || own.name.kind.name() == self.kind)
            && (self.namespace.is_empty() || namespace(&own.name) == Some(self.namespace))
            && (self.words.is_empty() || {
                let mut text = own.name.id();
                for (key, value) in labels(own) {
                    text.push('\n');
                    text.push_str(key);
                    text.push('=');
                    text.push_str(value);
                }
                let text = text.to_lowercase();
                self.words.iter().all(|word| text.contains(word))
            })
    }
}

/// All labels of an object.
pub(super) fn labels(object: &Resource) -> impl Iterator<Item = (&str, &str)> {
    let labels = object.object().path(&["metadata", "labels"]);
    let entries = labels.into_iter().flat_map(Ref::entries);
    entries.filter_map(|(key, _, value)| Some((key, value.as_str()?)))
}

/// Labels that say what an object is, whose it is, and what is asked of it (Kubernetes documentation,
/// concepts/overview/working-with-objects/common-labels and reference/labels-annotations-taints).
const TELLING: [&str; 12] = [
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/component",
    "team",
    "owner",
    "environment",
    "env",
    "pod-security.kubernetes.io/enforce",
    "azure.workload.identity/use",
    "node.kubernetes.io/instance-type",
];

fn telling(object: &Resource) -> Vec<String> {
    let own: BTreeMap<&str, &str> = labels(object).collect();
    let known = TELLING.iter().filter_map(|key| Some((key, own.get(key)?)));
    let short = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
    known
        .filter(|(_, value)| **value != &*object.name.name)
        .map(|(key, value)| match *key {
            "pod-security.kubernetes.io/enforce" => format!("pod security {value}"),
            "azure.workload.identity/use" => "workload identity".to_owned(),
            key => format!("{} {value}", short(key)),
        })
        .take(4)
        .collect()
}

/// What is known of objects besides findings; each is found out when it is asked for.
struct Known<'f> {
    frame: &'f Frame<'f>,
    analyses: Analyses<'f>,
    /// By address, on how many ways of attackers a step rests on it.
    on_ways: BTreeMap<String, usize>,
}

impl<'f> Known<'f> {
    fn of(frame: &'f Frame<'f>) -> Self {
        let mut on_ways: BTreeMap<String, usize> = BTreeMap::new();
        let known = frame.desk.known_ways();
        let known = known.filter(|_| frame.sight.is_everything());
        for told in known.iter().flat_map(|ways| &ways.told) {
            let rests = told.deeds.iter().flat_map(|deed| &deed.rests);
            let places: BTreeSet<&String> = rests.filter_map(|(at, _)| at.as_ref()).collect();
            for place in places {
                *on_ways.entry(place.clone()).or_default() += 1;
            }
        }
        Self {
            frame,
            analyses: frame.analyses(),
            on_ways,
        }
    }

    /// Whether it is surely open to the internet; nothing where no way leads there.
    fn exposed(&self, object: &Resource) -> Option<bool> {
        let id = self.frame.sight.picture.estate.number_of(object)?;
        let number = self.analyses.workload(id)?;
        let mut ways = self.analyses.reach().exposures_of(number);
        let first = ways.find(|way| way.to_internet())?;
        Some(is_sure(first) || ways.any(is_sure))
    }

    /// What the rights of its account amount to.
    fn amounts(&self, object: &Resource) -> Vec<(String, String)> {
        let account = if object.name.kind.name() == "ServiceAccount" {
            Some(&*object.name.name)
        } else {
            powers::account(object)
        };
        let (Some(account), Some(namespace)) = (account, object.name.namespace.as_deref()) else {
            return Vec::new();
        };
        let subject = Subject::ServiceAccount {
            namespace: namespace.into(),
            name: account.into(),
        };
        powers::amounts(&self.analyses, self.frame.sight, &subject)
    }

    fn ways(&self, object: &Resource) -> usize {
        let ways = self.on_ways.get(&*object.origin.path);
        ways.copied().unwrap_or_default()
    }

    fn has(&self, with: &str, object: &Resource, findings: &[&Finding]) -> bool {
        match with {
            "findings" => findings.iter().any(|finding| finding.counts()),
            "grave" => worst(findings) >= Some(Severity::High),
            "exposed" => self.exposed(object).is_some(),
            "powers" => !self.amounts(object).is_empty(),
            "paths" => self.ways(object) > 0,
            _ => true,
        }
    }

    /// In a few words each.
    fn said(&self, object: &Resource) -> Vec<String> {
        let mut said = Vec::new();
        match self.exposed(object) {
            Some(true) => said.push("open to the internet".to_owned()),
            Some(false) => said.push("perhaps open to the internet".to_owned()),
            None => {}
        }
        let amounts = self.amounts(object);
        if let Some((first, place)) = amounts.first() {
            let more = amounts.len() - 1;
            said.push(match more {
                0 => format!("{first} {place}"),
                more => format!("{first} {place}, and {more} more"),
            });
        }
        match self.ways(object) {
            0 => {}
            ways => said.push(format!("on {}", count(ways, "attack path"))),
        }
        said
    }
}

/// Those that the filter leaves, the worst first.
fn found<'f>(
    frame: &'f Frame<'_>,
    filter: &Filter<'_>,
    known: &Known<'_>,
    said: &BTreeMap<Box<str>, Vec<&Finding>>,
) -> Vec<&'f Resource> {
    let of = |own: &Resource| said.get(&*own.name.id()).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<&Resource> = frame
        .sight
        .resources()
        .filter(|own| filter.takes(own) && known.has(filter.with, own, of(own)))
        .collect();
    found.sort_by_cached_key(|own| (std::cmp::Reverse(worst(of(own))), own.name.id()));
    found
}

/// What the filter leaves, as a file.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    let filter = Filter::of(&frame.asked.query);
    let (known, said) = (Known::of(frame), by_object(frame));
    let found = found(frame, &filter, &known, &said);
    let rows = found.into_iter().take(export::ROWS).map(|own| {
        let findings = said.get(&*own.name.id()).map_or(&[][..], Vec::as_slice);
        let labels: Vec<String> = labels(own)
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let made = model::ownership::made(own);
        vec![
            own.name.kind.name().to_owned(),
            own.name.namespace.as_deref().unwrap_or_default().to_owned(),
            own.name.name.to_string(),
            own.name.api_version.to_string(),
            labels.join(" "),
            made.map_or_else(String::new, |made| made.by.id()),
            worst(findings).map_or("", Severity::word).to_owned(),
            tally(findings),
            known.said(own).join("; "),
            own.origin.path.to_string(),
        ]
    });
    let head = [
        "kind",
        "namespace",
        "name",
        "apiVersion",
        "labels",
        "madeBy",
        "worst",
        "findings",
        "known",
        "address",
    ];
    export::file(form, "objects", &head, rows)
}

pub(super) fn list(frame: &Frame<'_>) -> Markup {
    let filter = Filter::of(&frame.asked.query);
    let (known, said) = (Known::of(frame), by_object(frame));
    let found = found(frame, &filter, &known, &said);
    let part = Part::of(found.len(), frame.asked);
    let fields = filter.fields();
    let body = html! {
        (form(frame, &filter))
        p.found role="status" { (count(found.len(), "object")) @if part.pages > 1 { ", the worst first; page " (part.number) " of " (part.pages) } }
        @if !found.is_empty() {
            table.cards.found.objects {
                caption.unseen { "Objects" }
                thead { tr { th scope="col" { "Worst" } th scope="col" { "Object" } th scope="col" { "What is known of it" } th scope="col" { "Findings" } } }
                tbody {
                    @for own in found.iter().skip(part.first()).take(PAGE) {
                        @let findings = said.get(&*own.name.id()).map_or(&[][..], Vec::as_slice);
                        (row(&known, own, findings))
                    }
                }
            }
        }
        (part.turner("/objects", &fields, "object"))
        (files("/objects", &fields))
    };
    shell(
        frame,
        &Content {
            title: "Objects",
            within: "/objects",
            body,
        },
    )
}

fn row(known: &Known<'_>, own: &Resource, findings: &[&Finding]) -> Markup {
    let made = model::ownership::made(own);
    html! {
        tr {
            td data-label="Worst" { (worst_chip(findings)) }
            th scope="row" {
                a href=(address("/object", &[("at", &own.origin.path)])) { (resource(&own.name)) }
                @let telling = telling(own);
                @if !telling.is_empty() { span.item { (clean(&telling.join(", "))) } }
            }
            td data-label="Known" {
                @let said = known.said(own);
                @if !said.is_empty() { ul.bare { @for one in &said { li { (clean(one)) } } } }
                @if let Some(made) = &made { span.item { "made by " (clean(made.by.kind.name())) " " (clean(&made.by.name)) } }
                @if own.provider_managed { span.item { "kept by AKS" } }
            }
            td data-label="Findings" { (tally(findings)) }
        }
    }
}

fn form(frame: &Frame<'_>, filter: &Filter<'_>) -> Markup {
    let kinds: BTreeSet<&str> = frame
        .sight
        .resources()
        .map(|own| own.name.kind.name())
        .collect();
    let all_kinds: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(kinds.iter().map(|kind| (*kind, *kind)))
        .collect();
    let namespaces = frame.sight.namespaces();
    let places: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(namespaces.iter().map(|name| (&**name, &**name)))
        .collect();
    let mut with = vec![
        ("", "all"),
        ("findings", "findings"),
        ("grave", "critical or high findings"),
        ("exposed", "a way in from the internet"),
        ("powers", "far-reaching rights"),
    ];
    if frame.sight.is_everything() {
        with.push(("paths", "a part in attack paths"));
    }
    html! {
        form.filter method="get" action="/objects" role="search" aria-label="Filter objects" data-submits {
            label.search { "Search" input type="search" name="text" value=(clean(filter.text)) maxlength="200" placeholder="name, label" autocomplete="off"; }
            (select("kind", "Kind", filter.kind, &all_kinds))
            (select("namespace", "Namespace", filter.namespace, &places))
            (select("with", "With", filter.with, &with))
            button type="submit" { "Show" }
        }
    }
}

/// Findings by the id of what they are about.
fn by_object<'f>(frame: &'f Frame<'_>) -> BTreeMap<Box<str>, Vec<&'f Finding>> {
    let mut said: BTreeMap<Box<str>, Vec<&Finding>> = BTreeMap::new();
    for finding in &frame.sight.findings {
        said.entry(finding.resource.id().into())
            .or_default()
            .push(finding);
    }
    said
}

fn worst_chip(findings: &[&Finding]) -> Markup {
    match worst(findings) {
        Some(severity) => report::html::chip(severity),
        None => html! { span.chip.quiet { "–" } },
    }
}

pub(super) fn tally(findings: &[&Finding]) -> String {
    let number =
        |takes: &dyn Fn(&Finding) -> bool| findings.iter().filter(|finding| takes(finding)).count();
    let mut parts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .map(|severity| {
            let fails = number(&|finding| {
                finding.counts()
                    && finding.outcome == Outcome::Fail
                    && finding.severity == *severity
            });
            (fails, severity.word())
        })
        .chain([
            (
                number(&|finding| finding.counts() && finding.outcome != Outcome::Fail),
                "unknown",
            ),
            (number(&|finding| !finding.counts()), "not counted"),
        ])
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if parts.is_empty() {
        parts.push("none".to_owned());
    }
    parts.join(", ")
}
