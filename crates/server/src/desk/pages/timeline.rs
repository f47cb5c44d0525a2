//! What happened, by audit logs: alerts over time, by severity, with what to do next, and how much of the log was read.
//!
//! Who does not see everything sees alerts about objects in their namespaces; what of them names another namespace is left
//! out. What it deliberately leaves out: more than the last alerts, which `seawall audit detect` finds in any log.

use std::collections::BTreeSet;

use audit::detect::{News, Verdict};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use model::Severity;
use report::html::{blocks, chip, words};
use report::{clean, count};

use super::super::request::{Replied, address};
use super::export::{self, Form};
use super::{Content, Frame, Part, SPACE, files, select, shell, time};
use crate::audit::Figures;

/// Columns of the drawing.
const COLUMNS: i64 = 60;
/// Older than this, nothing was looked for, is worth a word.
const STALE: i64 = 300;

/// What is asked for.
struct Filter<'q> {
    severity: Option<Severity>,
    namespace: &'q str,
    detection: &'q str,
    user: &'q str,
}

impl<'q> Filter<'q> {
    fn of(frame: &'q Frame<'_>) -> Self {
        let query = &frame.asked.query;
        Self {
            severity: Severity::parse(query.get("severity")),
            namespace: query.get("namespace"),
            detection: query.get("detection"),
            user: query.get("user"),
        }
    }

    fn wants(&self, one: &Seen) -> bool {
        let alert = &one.news.alert;
        let same = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        self.severity
            .is_none_or(|severity| alert.severity == severity)
            && same(self.namespace, &alert.event.namespace)
            && same(self.detection, &alert.detection)
            && same(self.user, &one.user)
    }

    fn fields(&self) -> [(&'static str, &str); 4] {
        [
            ("severity", self.severity.map_or("", Severity::word)),
            ("namespace", self.namespace),
            ("detection", self.detection),
            ("user", self.user),
        ]
    }
}

/// An alert as somebody sees it.
struct Seen {
    news: News,
    user: String,
    message: String,
}

/// What somebody sees, the newest first.
fn seen(frame: &Frame<'_>) -> Vec<Seen> {
    let sight = frame.sight;
    let alerts = frame.desk.options.shared.trail().alerts().into_iter();
    let shown = alerts.filter(|news| {
        let namespace = &*news.alert.event.namespace;
        sight.is_everything() || !namespace.is_empty() && sight.sees_namespace(namespace)
    });
    let told = |text: &str| (!sight.hides(text)).then(|| clean(text).into_owned());
    shown
        .map(|news| {
            let event = &news.alert.event;
            let (user, message) = (told(&event.user), told(&event.message));
            let title = || {
                let detection = frame.guide().detection(&news.alert.detection);
                detection.map_or_else(String::new, |detection| detection.title.to_string())
            };
            Seen {
                user: user.unwrap_or_else(|| "somebody elsewhere".to_owned()),
                message: message.unwrap_or_else(title),
                news,
            }
        })
        .collect()
}

pub(super) fn page(frame: &Frame<'_>) -> Markup {
    let figures = frame.desk.options.shared.trail().figures();
    let all = seen(frame);
    let filter = Filter::of(frame);
    let found: Vec<&Seen> = all.iter().filter(|one| filter.wants(one)).collect();
    let followed = figures.looked.is_some() || figures.trouble.is_some();
    let part = Part::of(found.len(), frame.asked);
    let body = html! {
        @if !followed && all.is_empty() {
            p { "No audit log is followed, or nothing was read yet." }
            p.help { "With " code { "seawall serve --audit SOURCE" } " detections are asked about a folder of audit logs, a container of a storage account, or an Event Hub." }
        } @else {
            @if frame.sight.is_everything() { (state(frame, &figures)) }
            @if all.is_empty() {
                p.verdict.good { strong { "No alerts." } }
            } @else {
                (choose(&all, &filter))
                (drawn(frame, &found))
                p.found { (count(found.len(), "alert")) @if found.len() < all.len() { " of " (all.len()) } ", the newest first." }
                @if !found.is_empty() { (listed(frame, &found, &part)) }
                (part.turner("/timeline", &filter.fields(), "alert"))
                (files("/timeline", &filter.fields()))
            }
        }
    };
    shell(
        frame,
        &Content {
            title: "Timeline",
            within: "/timeline",
            body,
        },
    )
}

/// How much of the log was read, and what was lost.
fn state(frame: &Frame<'_>, figures: &Figures) -> Markup {
    let ago = |at: Timestamp| time::ago(frame.now - at.as_second());
    let stale = figures
        .looked
        .is_some_and(|at| frame.now - at.as_second() > STALE);
    html! {
        @if let Some(trouble) = &figures.trouble {
            p.notice role="status" { strong { "The audit log cannot be read." } (SPACE) (clean(trouble)) }
        } @else if stale {
            p.notice role="status" { strong { "Nothing was looked for lately." } (SPACE) "What is shown may be all that is known, not all that happened." }
        }
        @if figures.without_reads {
            p.notice role="status" { strong { "Reads are not in the log." } (SPACE) "The category " code { "kube-audit-admin" } " leaves them out: who read Secrets is not known, and who ran commands in pods neither." }
        }
        p.help {
            @if figures.of_another { "Another replica follows the log. " }
            @if let Some(newest) = figures.newest { "The newest event that was read happened " (ago(newest)) ". " }
            @if let Some(looked) = figures.looked { "It was looked for more " (ago(looked)) ". " }
            @if !figures.of_another {
                (count(usize::try_from(figures.events).unwrap_or(usize::MAX), "event")) " read since this replica follows"
                @if figures.cut > 0 { ", " (figures.cut) " of them cut" }
                @if figures.unreadable > 0 { ", " (count(usize::try_from(figures.unreadable).unwrap_or(usize::MAX), "record")) " that nobody can read" }
                @if figures.expired > 0 { ", " (count(usize::try_from(figures.expired).unwrap_or(usize::MAX), "message")) " deleted before anybody read them" }
                @if figures.messages_behind > 0 { ", " (count(usize::try_from(figures.messages_behind).unwrap_or(usize::MAX), "message")) " still to read" }
                @if figures.behind > 0 { ", " (figures.behind / 1024) " KiB still to read" }
                "."
            }
        }
    }
}

fn choose(all: &[Seen], filter: &Filter<'_>) -> Markup {
    let set = |of: &dyn Fn(&Seen) -> String| -> BTreeSet<String> { all.iter().map(of).collect() };
    let namespaces = set(&|one| one.news.alert.event.namespace.to_string());
    let detections = set(&|one| one.news.alert.detection.to_string());
    let users = set(&|one| one.user.clone());
    let choices = |names: &'_ BTreeSet<String>| -> Vec<(String, String)> {
        let named = names.iter().filter(|name| !name.is_empty());
        let named = named.map(|name| (name.clone(), name.clone()));
        std::iter::once((String::new(), "all".to_owned()))
            .chain(named)
            .collect()
    };
    let one = |name: &str, label: &str, chosen: &str, values: &[(String, String)]| {
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(value, title)| (value.as_str(), title.as_str()))
            .collect();
        select(name, label, chosen, &values)
    };
    let mut severities = vec![("", "all")];
    severities.extend(Severity::WORST_FIRST.map(|severity| (severity.word(), severity.word())));
    html! {
        form.filter method="get" action="/timeline" aria-label="Choose alerts" data-submits {
            (select("severity", "Severity", filter.severity.map_or("", Severity::word), &severities))
            (one("namespace", "Namespace", filter.namespace, &choices(&namespaces)))
            (one("detection", "Detection", filter.detection, &choices(&detections)))
            (one("user", "User", filter.user, &choices(&users)))
            button type="submit" { "Show" }
        }
    }
}

/// Alerts by time, stacked by severity; the table has them one by one.
fn drawn(frame: &Frame<'_>, found: &[&Seen]) -> Markup {
    let times = || {
        found
            .iter()
            .map(|one| one.news.alert.event.at / 1_000_000)
            .filter(|at| *at > 0)
    };
    let Some((first, last)) = times().min().zip(times().max()) else {
        return html! {};
    };
    let end = frame.now.max(last);
    let length = (end - first + 1).max(COLUMNS);
    let column = |at: i64| ((at - first) * COLUMNS / length).clamp(0, COLUMNS - 1);
    let mut columns: Vec<[usize; 4]> = vec![[0; 4]; usize::try_from(COLUMNS).unwrap_or_default()];
    for one in found {
        let alert = &one.news.alert;
        let at = alert.event.at / 1_000_000;
        let place = usize::try_from(column(at)).unwrap_or_default();
        let row = Severity::WORST_FIRST
            .iter()
            .position(|own| *own == alert.severity);
        let cell = columns
            .get_mut(place)
            .zip(row)
            .and_then(|(cells, row)| cells.get_mut(row));
        if let Some(cell) = cell.filter(|_| at > 0) {
            *cell += 1;
        }
    }
    let most = columns
        .iter()
        .map(|cells| cells.iter().sum::<usize>())
        .max()
        .unwrap_or(1)
        .max(1);
    let moment = |at: i64| Timestamp::from_second(at).unwrap_or_default();
    let each = SignedDuration::from_secs(length / COLUMNS);
    html! {
        figure.line.times {
            svg viewBox="0 -4 1200 212" preserveAspectRatio="none" role="img"
                aria-label={ "Alerts over time by severity, from " (moment(first).strftime("%-d %B %Y, %H:%M UTC")) " until now, at most " (most) " in " (each.as_mins().max(1)) " minutes; the table below has each" } {
                line.axis x1="0" x2="1200" y1="200" y2="200" {}
                @for (index, cells) in columns.iter().enumerate() {
                    @for (row, severity) in Severity::WORST_FIRST.iter().enumerate() {
                        @let own = cells.get(row).copied().unwrap_or_default();
                        // The worst stands at the bottom, where it is easiest to compare.
                        @let below: usize = cells.iter().take(row).sum();
                        @if own > 0 {
                            rect class=(severity.word()) x=(index * 20 + 2) width="16"
                                y=(200 - (below + own) * 190 / most) height=((own * 190 / most).max(3)) {}
                        }
                    }
                }
            }
            figcaption {
                span.from { (time::moment(moment(first))) }
                span.legend { @for severity in Severity::WORST_FIRST {
                    span class=(severity.word()) { (severity.word()) " " (found.iter().filter(|one| one.news.alert.severity == severity).count()) }
                } }
                span.to { "now; the highest is " (most) }
            }
        }
    }
}

fn listed(frame: &Frame<'_>, found: &[&Seen], part: &Part) -> Markup {
    html! {
        table.cards.alerts {
            caption.unseen { "Alerts" }
            thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Who" } th scope="col" { "Object" } } }
            tbody { @for one in found.iter().skip(part.first()).take(part.size) { (row(frame, one)) } }
        }
    }
}

fn row(frame: &Frame<'_>, one: &Seen) -> Markup {
    let alert = &one.news.alert;
    let event = &alert.event;
    let detection = frame.guide().detection(&alert.detection);
    let at = Timestamp::from_microsecond(event.at)
        .ok()
        .filter(|_| event.at > 0);
    let next = detection.map(|detection| &*detection.next);
    html! {
        tr id=(one.news.id) {
            td data-label="When" { @if let Some(at) = at { (time::moment(at)) } @else { "at no known time" } }
            td data-label="What" {
                (chip(alert.severity)) @if alert.verdict == Verdict::Unknown { " " span.chip.unknown { "unknown" } } " "
                strong { (detection.map_or(&*alert.detection, |detection| &detection.title)) }
                p { @if alert.verdict == Verdict::Unknown { "Perhaps, the record was cut: " } (words(&one.message)) @if alert.times > 1 { " (" (alert.times) " or more)" } }
                details {
                    summary { "What to do next" }
                    @if let Some(next) = next { div.prose { (blocks(next)) } }
                    p { "Audit id " code { (clean(&event.audit_id)) } ", verb " code { (clean(&event.verb)) }
                        @if let Some(detection) = detection { @if !detection.mitre.is_empty() { ", ATT&CK " (detection.mitre.join(", ")) } } ". "
                        code { "seawall explain " (alert.detection) } " says more." }
                    @if frame.sight.is_everything() { p { a href="/paths" { "Attack paths" } " tell what whoever did it may reach from there." } }
                }
            }
            td data-label="Who" { (who(frame, &one.user)) }
            td data-label="Object" { (object(frame, one)) }
        }
    }
}

fn who(frame: &Frame<'_>, user: &str) -> Markup {
    let account = user
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    let at = account
        .map(|(namespace, name)| format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}"));
    html! {
        @match at.filter(|at| frame.has_object(at)) {
            Some(at) => a href=(address("/object", &[("at", &at)])) { (user) },
            None => (user),
        }
    }
}

/// Where objects of a resource stand in the API, for those that alerts are about.
fn folder(resource: &str) -> Option<&'static str> {
    Some(match resource {
        "pods" | "secrets" | "configmaps" | "services" | "serviceaccounts" | "nodes"
        | "namespaces" => "/api/v1",
        "deployments" | "daemonsets" | "statefulsets" | "replicasets" => "/apis/apps/v1",
        "jobs" | "cronjobs" => "/apis/batch/v1",
        "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" => {
            "/apis/rbac.authorization.k8s.io/v1"
        }
        "networkpolicies" | "ingresses" => "/apis/networking.k8s.io/v1",
        _ => return None,
    })
}

fn object(frame: &Frame<'_>, one: &Seen) -> Markup {
    let event = &one.news.alert.event;
    let shown = clean(&event.object);
    let (resource, name) = event.object.split_once(' ').unwrap_or((&event.object, ""));
    let resource = resource.split('/').next().unwrap_or_default();
    let namespace = &*event.namespace;
    let short = name.rsplit('/').next().unwrap_or_default();
    let at = folder(resource)
        .filter(|_| !short.is_empty())
        .map(|folder| {
            if namespace.is_empty() || resource == "namespaces" {
                format!("{folder}/{resource}/{short}")
            } else {
                format!("{folder}/namespaces/{namespace}/{resource}/{short}")
            }
        });
    html! {
        @match at.filter(|at| frame.has_object(at)) {
            Some(at) => a href=(address("/object", &[("at", &at)])) { (shown) },
            None => (shown),
        }
    }
}

/// The alerts of a filter as a file.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    let all = seen(frame);
    let filter = Filter::of(frame);
    let rows = all.iter().filter(|one| filter.wants(one)).map(|one| {
        let alert = &one.news.alert;
        let event = &alert.event;
        [
            audit::time::shown(event.at),
            alert.severity.word().to_owned(),
            alert.detection.to_string(),
            alert.verdict.word().to_owned(),
            one.user.clone(),
            event.verb.to_string(),
            event.object.to_string(),
            event.namespace.to_string(),
            one.message.clone(),
            event.audit_id.to_string(),
            one.news.id.to_string(),
        ]
        .to_vec()
    });
    let head = [
        "time",
        "severity",
        "detection",
        "verdict",
        "user",
        "verb",
        "object",
        "namespace",
        "message",
        "auditID",
        "id",
    ];
    export::file(form, "timeline", &head, rows.take(export::ROWS))
}
