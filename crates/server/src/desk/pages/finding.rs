//! One finding: what was found, where, what decided, why it matters, how to mend it.

use std::collections::BTreeSet;

use maud::{Markup, html};
use model::finding::{Finding, Outcome};
use model::kinds::Kind;
use report::html::{about, source, words};
use report::{clean, count, shell_word};

use super::super::request::address;
use super::{Content, Frame, chip, declared, resource, shell, time};

pub(super) fn page(frame: &Frame<'_>, print: &str) -> Option<Markup> {
    let finding = frame
        .sight
        .findings
        .iter()
        .find(|finding| finding.fingerprint.to_string() == print)?;
    let guideline = frame.guide().guideline(&finding.guideline.0);
    let checks: BTreeSet<usize> = finding.check.into_iter().collect();
    let alike = frame
        .sight
        .findings
        .iter()
        .filter(|other| other.guideline == finding.guideline)
        .count();
    let body = html! {
        p.lead { (chip(finding)) " " (words(&finding.message)) }
        dl.facts.boxed {
            div { dt { "Object" } dd {
                @if frame.has_object(&finding.place.path) { a href=(address("/object", &[("at", &finding.place.path)])) { (resource(&finding.resource)) } } @else { (resource(&finding.resource)) }
            } }
            @if let Some(item) = &finding.item { div { dt { "Item" } dd { (clean(item)) } } }
            div { dt { "Guideline" } dd { a href={ "/guide/" (finding.guideline) } { code { (finding.guideline) } } } }
            div { dt { "Severity" } dd { (finding.severity.word()) } }
        }
        @if let Some(waiver) = &finding.waiver { (waived(frame, waiver)) }
        @if let Outcome::Unknown { reason, .. } = &finding.outcome { p.notice { "It is not known: " (words(reason)) "." } }
        section aria-labelledby="where" {
            h2 #where { "Where" }
            @for place in finding.places() { (source(place)) }
            @if let Some(command) = command(finding) {
                p.help { "To look at it:" }
                pre tabindex="0" { code { (command) } }
            }
            @if !finding.evidence.is_empty() {
                h3 { "What decided" }
                ul.evidence { @for evidence in &finding.evidence { li { code { (clean(&evidence.route)) } " = " code.value { (clean(&evidence.value)) } } } }
            }
            @if let Some(cause) = &finding.root_cause { p.help { "Same cause as others: " (words(cause)) } }
        }
        (declared::of_finding(frame, finding))
        @if let Some(guideline) = guideline {
            section.guideline aria-labelledby="why" {
                h2 #why { "Why, and how to mend it" }
                (about(guideline, &checks, frame.guide()))
            }
        }
        @if alike > 1 {
            p { a href=(address("/findings", &[("guideline", &finding.guideline.0), ("state", "all")])) { "All " (count(alike, "finding")) " of this guideline" } }
        }
    };
    Some(shell(
        frame,
        &Content {
            title: frame.title_of(finding),
            within: "/findings",
            body,
        },
    ))
}

fn waived(frame: &Frame<'_>, waiver: &model::finding::WaiverNote) -> Markup {
    html! {
        p.notice {
            "Accepted: " (words(&waiver.reason))
            @if !waiver.owner.is_empty() { " (" (clean(&waiver.owner)) ")" }
            @if let Some(until) = &waiver.until { ", until " (clean(until)) ", which " (time::until(until, frame.now).1) }
            " – " code { (clean(&waiver.at)) }
        }
    }
}

/// What shows the object in a terminal.
fn command(finding: &Finding) -> Option<String> {
    let name = &finding.resource;
    let Kind::Kubernetes { group, kind } = &name.kind else {
        return None;
    };
    if !finding.place.live || name.name.is_empty() {
        return None;
    }
    let kind = if group.is_empty() {
        kind.to_lowercase()
    } else {
        format!("{}.{group}", kind.to_lowercase())
    };
    let mut command = format!(
        "kubectl get {} {}",
        shell_word(&kind),
        shell_word(&name.name)
    );
    if let Some(namespace) = &name.namespace {
        command.push_str(" --namespace ");
        command.push_str(&shell_word(namespace));
    }
    command.push_str(" --output yaml");
    Some(command)
}
