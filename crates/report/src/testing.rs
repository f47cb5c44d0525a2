//! A small guide and a handful of findings that the tests of all formats share.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use guide::{Guide, VerdictWord};
use model::coverage::{Coverage, DocumentEntry, NotAssessed, Status};
use model::finding::{
    Because, Evidence, Finding, Fingerprint, GuidelineId, Location, Outcome, Safety, Severity,
    WaiverNote,
};
use model::kinds::Kind;
use model::resource::ResourceName;

use crate::assessment::{Assessment, Sink, Summary};
use crate::enables::Attack;

const PRIVILEGED: &str = r#"---
id: no-privileged
title: Containers are not privileged
severity: critical
aspect: pods
principles: [minimise-attack-surface, least-privilege]
applies: workload
cost: { monthly: 0, effort_days: 0.5, upkeep_hours: 0, breaks: "agents that manage the node: storage, network, security sensors" }
frameworks: { pods: privileged }
references:
  - { url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/", seen: 2026-11-23 }
---
A privileged container gets every Linux capability and every device of the node, and the filters
that normally stand between a container and the kernel are switched off. Whoever breaks into it
owns the node.

Drivers may need this.

```cel
object.kind != "Never"
```
> a container is privileged

```fix unsafe
set object.securityContext.privileged to false
```
## Examples
```yaml bad
kind: Never
```
```yaml good
kind: Pod
```
"#;

const TAGS: &str = r#"---
id: image-tag
title: Images are named by digest or version, so that what was tested is what runs, on every node and after every restart
severity: high
aspect: images
principles: [secure-defaults]
applies: workload
cost: { monthly: 0, effort_days: 2, upkeep_hours: 1 }
frameworks: { pods: [images, seccomp] }
---
`latest` is another image tomorrow.

```cel
object.kind != "Never"
```
> an image has no version

```fix safe
set object.image to "x"
add "ALL" to object.securityContext.capabilities.drop
```
## Examples
```yaml bad
kind: Never
```
```yaml good
kind: Pod
```
"#;

const DENY: &str = r#"---
id: default-deny
title: Namespaces start from denied traffic
severity: medium
aspect: network-isolation
principles: [secure-defaults, defense-in-depth]
applies: Namespace
cost: { monthly: 12.5, effort_days: 1, upkeep_hours: 0, breaks: "**what nobody declared**" }
---
Where nothing is denied, one broken pod reaches all others.

```cel
object.kind != "Never"
```
> namespace `{object.metadata.name}` has no policy that denies traffic

## Examples
```yaml bad
kind: Never
```
```yaml good
kind: Pod
```
"#;

const POLICIES: &str = r#"framework: pods
title: "Pod rules"
version: "1.34"
source: { url: "https://example.org/", seen: 2026-11-23 }
controls:
- { id: privileged, title: Containers are not privileged }
- { id: images, title: Images have versions }
- { id: seccomp, title: Seccomp is not switched off }
- { id: windows, title: Windows containers do not run as host processes }
"#;

/// Three guidelines and a framework.
pub(crate) fn guide() -> Guide {
    let (guide, errors) = Guide::load(
        [
            ("frameworks/pods.yaml", POLICIES),
            ("workloads/pod-security/no-privileged.md", PRIVILEGED),
            ("workloads/images/image-tag.md", TAGS),
            ("cluster/network/default-deny.md", DENY),
        ]
        .into_iter(),
    );
    assert!(errors.is_empty(), "{errors:?}");
    guide
}

/// All guidelines of [`guide`].
pub(crate) fn selected() -> Vec<GuidelineId> {
    ["default-deny", "image-tag", "no-privileged"]
        .into_iter()
        .map(id)
        .collect()
}

pub(crate) fn id(word: &str) -> GuidelineId {
    GuidelineId(Arc::from(word))
}

fn resource(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Arc<ResourceName> {
    let api_version = if group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{group}/v1")
    };
    Arc::new(ResourceName {
        kind: Kind::Kubernetes {
            group: group.into(),
            kind: kind.into(),
        },
        api_version: api_version.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
    })
}

fn location(path: &str, line: u32, source: &str, column: u32) -> Location {
    let end_column = u32::try_from(source.chars().count()).unwrap() + 1;
    Location {
        path: Arc::from(path),
        live: false,
        line,
        column,
        end_line: line,
        end_column,
        route: "spec.template.spec.containers[0].securityContext.privileged".to_owned(),
        source: source.into(),
        note: None,
    }
}

/// A privileged container in a file.
pub(crate) fn in_file(path: &str) -> Finding {
    Finding {
        guideline: id("no-privileged"),
        severity: Severity::Critical,
        outcome: Outcome::Fail,
        message: "container `app` is privileged".to_owned(),
        resource: resource("apps", "Deployment", Some("shop"), "web"),
        object: None,
        item: Some("app".into()),
        check: None,
        provider_managed: false,
        fingerprint: Fingerprint::of(&["no-privileged", path]),
        place: location(path, 12, "          privileged: true", 11),
        more_places: Vec::new(),
        evidence: vec![Evidence {
            route: "spec.template.spec.containers[0].securityContext.privileged".to_owned(),
            value: "true".to_owned(),
        }],
        fix: Some(Safety::Unsafe),
        remedy: None,
        waiver: None,
        in_baseline: false,
        root_cause: None,
    }
}

/// The plainest finding.
pub(crate) fn finding() -> Finding {
    in_file("deploy/web.yaml")
}

fn image(number: u32, cause: Option<&str>) -> Finding {
    let source = "        image: example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest # set by the pipeline";
    let mut place = location(
        &format!("charts/shop/templates/s{}.yaml", number % 3),
        40 + number,
        source,
        16,
    );
    place.end_column = 88;
    place.route = "spec.template.spec.containers[0].image".to_owned();
    let mut defaults = location("charts/shop/values.yaml", 7, "  tag: latest", 8);
    defaults.note = Some("the value comes from here".into());
    Finding {
        guideline: id("image-tag"),
        severity: Severity::High,
        message: "image `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest` has no version".to_owned(),
        resource: resource("apps", "Deployment", Some("shop"), &format!("s{number}")),
        object: None,
        fingerprint: Fingerprint::of(&["image-tag", &number.to_string()]),
        place,
        more_places: cause.map(|_| defaults).into_iter().collect(),
        evidence: vec![Evidence { route: "spec.template.spec.containers[0].image".to_owned(), value: "\"…:latest\"".to_owned() }],
        fix: Some(Safety::Safe),
        root_cause: cause.map(Into::into),
        ..finding()
    }
}

fn denied(name: &str, outcome: Outcome) -> Finding {
    let mut place = location("deploy/namespaces.yaml", 3, "metadata: { name: shop }", 1);
    place.route = "metadata".to_owned();
    Finding {
        guideline: id("default-deny"),
        severity: Severity::Medium,
        message: match &outcome {
            Outcome::Fail => format!("namespace `{name}` has no policy that denies traffic"),
            Outcome::Unknown { reason, .. } => format!("cannot be said: {reason}"),
        },
        outcome,
        resource: resource("", "Namespace", None, name),
        object: None,
        item: None,
        fingerprint: Fingerprint::of(&["default-deny", name]),
        place,
        evidence: Vec::new(),
        fix: None,
        ..finding()
    }
}

/// Every kind of finding once or more, in the order of the input.
pub(crate) fn findings() -> Vec<Finding> {
    let mut findings: Vec<Finding> = (0..6)
        .map(|number| {
            image(
                number,
                Some("chart default values `charts/shop/values.yaml:7`"),
            )
        })
        .collect();
    findings.push(image(6, None));
    let absence = Outcome::Unknown {
        reason: "what was given may not be everything".into(),
        because: Because::Absence,
    };
    findings.push(denied("shop", absence.clone()));
    findings.push(denied("pay", absence));
    findings.push(denied(
        "ops",
        Outcome::Unknown {
            reason: "depends on parameter `networkPolicy` of `main.bicep`".into(),
            because: Because::Content,
        },
    ));
    findings.push(denied("dev", Outcome::Fail));
    findings.push(finding());
    let mut waived = in_file("deploy/agent.yaml");
    waived.waiver = Some(WaiverNote {
        reason: "=sensor, needs the kernel".into(),
        owner: "sec@example.org".into(),
        until: Some("2027-01-31".into()),
        at: "seawall.yaml:12".into(),
    });
    findings.push(waived);
    let mut known = in_file("deploy/old.yaml");
    known.in_baseline = true;
    findings.push(known);
    let mut managed = in_file("live/kube-proxy.yaml");
    managed.provider_managed = true;
    findings.push(managed);
    findings
}

fn entry(
    path: &str,
    line: u32,
    status: Status,
    kind: Option<&str>,
    reason: Option<&str>,
    help: Option<&str>,
) -> DocumentEntry {
    DocumentEntry {
        live: false,
        path: Arc::from(path),
        index: 0,
        line,
        status,
        kind: kind.map(Into::into),
        namespace: None,
        name: kind.map(|_| "web".into()),
        reason: reason.map(Into::into),
        help: help.map(Into::into),
    }
}

/// The totals that belong to the findings.
pub(crate) fn assessment<'g>(guide: &'g Guide, findings: &[Finding]) -> Assessment<'g> {
    let mut summary = Summary {
        resources: 12,
        guidelines: 3,
        ..Summary::default()
    };
    for finding in findings {
        summary.add(finding);
    }
    summary.verdicts.fail = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Fail)
        .count();
    summary.verdicts.pass = 20;
    Assessment {
        guide,
        summary,
        coverage: Coverage {
            documents: vec![entry(
                "deploy/web.yaml",
                1,
                Status::Assessed,
                Some("Deployment"),
                None,
                None,
            )],
            files: 7,
            ..Coverage::default()
        },
        subject: vec!["deploy".to_owned(), "charts/shop".to_owned()],
        kubernetes_minor: 34,
        as_of: "2026-12-01".to_owned(),
        fail_on: Some(Severity::High),
        fail_on_unknown: false,
        whole: false,
        files_only: true,
        framework: None,
        attack: Attack::default(),
        old_facts: Vec::new(),
        parts: Vec::new(),
        trend: None,
        site: None,
        version: "0.1.0",
    }
}

/// An assessment whose ledger has an entry of every kind.
pub(crate) fn with_ledger<'g>(guide: &'g Guide, findings: &[Finding]) -> Assessment<'g> {
    let mut assessment = assessment(guide, findings);
    assessment.coverage.documents.extend([
        entry(
            "deploy/broken file.yaml",
            14,
            Status::Unreadable,
            None,
            Some("did not find expected `,` or `]`"),
            Some("mend the line, or leave the file out with `--exclude`"),
        ),
        entry(
            "charts/shop/Chart.yaml",
            0,
            Status::Unresolved,
            None,
            Some("`helm` is not installed"),
            Some("install helm, or render the chart and assess its output"),
        ),
        entry(
            "deploy/widget.yaml",
            1,
            Status::UnknownKind,
            Some("Widget.example.com"),
            Some("no guideline knows this kind"),
            None,
        ),
    ]);
    assessment.coverage.guidelines.push(NotAssessed {
        guideline: id("registry-private"),
        needs: "Azure resources (`--azure`)".into(),
    });
    assessment
}

/// A writer that the test reads afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page(Rc<RefCell<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs findings through a sink and returns what it wrote.
pub(crate) fn written<S: Sink>(
    new: impl FnOnce(Box<dyn Write>) -> S,
    findings: &[Finding],
    assessment: &Assessment<'_>,
) -> String {
    let page = Page::default();
    let mut sink = new(Box::new(page.clone()));
    for finding in findings {
        sink.finding(finding, assessment.guide).unwrap();
        let word = if finding.outcome == Outcome::Fail {
            VerdictWord::Fail
        } else {
            VerdictWord::Unknown
        };
        sink.verdict(&finding.guideline, &finding.resource, word)
            .unwrap();
    }
    sink.finish(assessment).unwrap();
    drop(sink);
    let bytes = page.0.take();
    String::from_utf8(bytes).unwrap()
}

/// Findings whose every text tries to write to the terminal.
pub(crate) fn hostile() -> Vec<Finding> {
    let bad = "a\u{1b}[2J\u{7}\u{9b}31m\u{202e}`*_<b>@someone|\r\n\tb";
    let mut findings = findings();
    for finding in &mut findings {
        finding.message = bad.to_owned();
        finding.item = Some(bad.into());
        finding.place.path = Arc::from(bad);
        finding.place.source = bad.into();
        finding.place.route = bad.to_owned();
        finding.place.column = 3;
        finding.root_cause = Some(bad.into());
        finding.resource = resource(bad, bad, Some(bad), bad);
        finding.evidence = vec![Evidence {
            route: bad.to_owned(),
            value: bad.to_owned(),
        }];
        if let Outcome::Unknown { reason, .. } = &mut finding.outcome {
            *reason = bad.into();
        }
        if let Some(waiver) = &mut finding.waiver {
            waiver.reason = bad.into();
            waiver.owner = bad.into();
        }
    }
    findings
}

/// Holds a report against a JSON Schema and gives it as a value.
pub(crate) fn validated(schema: &serde_json::Value, text: &str) -> serde_json::Value {
    let validator = jsonschema::validator_for(schema).unwrap();
    let instance: serde_json::Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    instance
}
