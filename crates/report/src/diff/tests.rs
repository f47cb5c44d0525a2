//! What two estates differ in, and what neither side could see.

use model::finding::{Because, Fingerprint, WaiverNote};

use super::*;
use crate::testing::{finding, in_file};

fn side(findings: Vec<Finding>) -> Side {
    Side {
        name: "x".to_owned(),
        roots: Vec::new(),
        resources: 1,
        findings,
        unread: Vec::new(),
    }
}

fn became(old: Vec<Finding>, new: Vec<Finding>) -> Vec<Became> {
    posture(&mut side(old), &mut side(new), &[], &|_, _| false, false)
        .into_iter()
        .map(|one| one.became)
        .collect()
}

fn unknown() -> Finding {
    Finding {
        outcome: Outcome::Unknown {
            reason: "who knows".into(),
            because: Because::Content,
        },
        ..finding()
    }
}

fn waived() -> Finding {
    Finding {
        waiver: Some(WaiverNote {
            reason: "accepted".into(),
            owner: "us".into(),
            until: None,
            at: "seawall.yaml:1".into(),
        }),
        ..finding()
    }
}

#[test]
fn what_turned_into_what() {
    let one = || vec![finding()];
    let milder = || {
        vec![Finding {
            severity: Severity::Low,
            ..finding()
        }]
    };
    assert_eq!(became(one(), one()), []);
    assert_eq!(became(Vec::new(), one()), [Became::New]);
    assert_eq!(became(one(), Vec::new()), [Became::Mended]);
    assert_eq!(became(milder(), one()), [Became::Worse(Severity::Low)]);
    assert_eq!(
        became(one(), milder()),
        [Became::Better(finding().severity)]
    );
    assert_eq!(became(one(), vec![unknown()]), [Became::Undecided]);
    assert_eq!(became(vec![unknown()], one()), [Became::Decided]);
    assert_eq!(became(Vec::new(), vec![unknown()]), [Became::NewUnknown]);
    assert_eq!(became(vec![unknown()], Vec::new()), [Became::Resolved]);
    assert_eq!(became(one(), vec![waived()]), [Became::Waived]);
    assert_eq!(became(vec![waived()], one()), [Became::Unwaived]);
    assert_eq!(became(vec![waived()], vec![waived()]), []);
    assert_eq!(became(Vec::new(), vec![waived()]), []);
    // Each finding has one counterpart.
    assert_eq!(became(one(), vec![finding(), finding()]), [Became::New]);
    for became in [Became::Undecided, Became::NewUnknown] {
        assert!(!became.is_worse() && !became.is_better(), "{became:?}");
    }
}

#[test]
fn what_one_side_cannot_see_is_neither_better_nor_worse() {
    let became = |old, new, hides: Of| -> Vec<Became> {
        let hidden = |by: Of, _: &ResourceName| by == hides;
        posture(
            &mut side(old),
            &mut side(new),
            &[],
            &hidden,
            hides == Of::Old,
        )
        .into_iter()
        .map(|one| one.became)
        .collect()
    };
    let one = || vec![finding()];
    let absent = || {
        vec![Finding {
            outcome: Outcome::Unknown {
                reason: "Secrets were not asked for".into(),
                because: Because::Absence,
            },
            ..finding()
        }]
    };
    assert_eq!(became(one(), Vec::new(), Of::New), [Became::Lost]);
    assert_eq!(became(one(), Vec::new(), Of::Old), [Became::Mended]);
    assert_eq!(became(Vec::new(), one(), Of::Old), [Became::Unseen]);
    assert_eq!(became(Vec::new(), one(), Of::New), [Became::New]);
    assert_eq!(became(one(), absent(), Of::Old), [Became::Undecided]);
    assert_eq!(became(absent(), one(), Of::Old), [Became::Unseen]);
    assert_eq!(became(absent(), one(), Of::New), [Became::New]);
    assert_eq!(became(absent(), Vec::new(), Of::Old), []);
    assert_eq!(became(Vec::new(), absent(), Of::New), []);
    for became in [Became::Lost, Became::Unseen] {
        assert!(!became.is_worse() && !became.is_better(), "{became:?}");
    }
}

#[test]
fn a_file_that_was_moved_is_no_difference() {
    let moved = |path: &str| {
        let mut finding = in_file(path);
        finding.fingerprint = Fingerprint::of(&[path]);
        vec![finding]
    };
    assert_eq!(became(moved("a.yaml"), moved("b/a.yaml")), []);
}

#[test]
fn what_got_worse_comes_first_and_the_worst_of_it() {
    let of = |severity, id: &str| Finding {
        severity,
        fingerprint: Fingerprint::of(&[id]),
        message: id.to_owned(),
        resource: finding().resource,
        item: Some(id.into()),
        ..finding()
    };
    let gone = vec![of(Severity::Critical, "gone")];
    let new = vec![of(Severity::Low, "low"), of(Severity::High, "high")];
    let order: Vec<String> = posture(&mut side(gone), &mut side(new), &[], &|_, _| false, false)
        .into_iter()
        .map(|one| one.finding.message)
        .collect();
    assert_eq!(order, ["high", "low", "gone"]);
}

/// One of everything.
fn diff(guide: &guide::Guide) -> Diff<'_> {
    use analysis::compare::connections::{Connection, Exposed, Outside};
    use analysis::compare::resources::Field;
    use analysis::compare::rights::{Escalated, How, Right};
    let mut live = in_file("/apis/apps/v1/namespaces/shop/deployments/web");
    live.place.live = true;
    live.item = Some("live".into());
    let mut gone = in_file("old/gone.yaml");
    gone.item = Some("gone".into());
    let mut old = side(vec![gone, unknown()]);
    let mut new = side(vec![finding(), live]);
    old.roots = vec!["old".to_owned()];
    new.unread = crate::testing::with_ledger(guide, &[])
        .coverage
        .documents
        .into_iter()
        .filter(|entry| entry.status.incomplete())
        .collect();
    let right = Right {
        who: "ServiceAccount shop/web".to_owned(),
        within: "namespace shop".to_owned(),
        what: "secrets".to_owned(),
        names: vec!["a".into()],
        verbs: vec!["get".into(), "list".into()],
        by: "RoleBinding shop/web to Role shop/web".to_owned(),
    };
    let escalated = Escalated {
        who: right.who.clone(),
        within: right.within.clone(),
        how: vec![How {
            id: "secrets-read",
            title: "reads Secrets",
            leads_to: "has every credential in them",
        }],
    };
    let exposed = Exposed {
        to: "shop/web[Deployment]".to_owned(),
        way: "load balancer",
        through: vec!["Service shop/web".to_owned()],
        internet: true,
        certain: false,
        ports: "TCP 80".to_owned(),
    };
    let change = |what| Change {
        name: (*finding().resource).clone(),
        path: "old/web.yaml".into(),
        line: Some(3),
        what,
    };
    let field = Field {
        route: "spec.replicas".to_owned(),
        old: None,
        new: Some("`2` | <b>".to_owned()),
    };
    Diff {
        guide,
        findings: posture(&mut old, &mut new, &[], &|_, _| false, false),
        resources: vec![
            change(What::Removed),
            change(What::Added),
            change(What::Changed(vec![field], 3)),
        ],
        rights: Rights {
            gained: vec![right.clone()],
            lost: vec![Right {
                verbs: Vec::new(),
                ..right
            }],
            escalations: vec![escalated.clone()],
            no_escalations: vec![escalated],
        },
        connections: Connections {
            opened: vec![Connection {
                from: vec!["a".to_owned(); 9],
                to: vec!["b".to_owned()],
                ports: "TCP 5432".to_owned(),
                certain: true,
            }],
            closed: Vec::new(),
            outside: vec![Outside {
                target: "the internet",
                opened: true,
                from: vec!["a".to_owned()],
                certain: false,
            }],
            exposed: vec![exposed.clone()],
            hidden: vec![exposed],
        },
        unseen: vec![Unseen {
            by: Of::New,
            what: "Ingress".to_owned(),
            count: 2,
            why: "the cluster refused to list Ingresses (403)".to_owned(),
        }],
        old,
        new,
        fail_on: Some(Severity::High),
        as_of: "2026-11-26".to_owned(),
        version: "0.1.0",
    }
}

#[test]
fn json_follows_the_schema() {
    let guide = crate::testing::guide();
    let schema =
        serde_json::from_str(include_str!("../../../../docs/schema/diff-v1.json")).unwrap();
    let value = crate::testing::validated(&schema, &json(&diff(&guide)).unwrap());
    assert_eq!(value["exitCode"], 1);
    assert_eq!(value["findings"].as_array().unwrap().len(), 3);
    assert_eq!(value["resources"][0]["path"], "web.yaml");
    assert!(!value["new"]["unread"].as_array().unwrap().is_empty());
    for (from, to) in [("\"became\"", "\"is\""), ("\"TCP 80\"", "80")] {
        let text = json(&diff(&guide)).unwrap().replacen(from, to, 1);
        let wrong = serde_json::from_str(&text).unwrap();
        assert!(!jsonschema::is_valid(&schema, &wrong), "{from}");
    }
}

#[test]
fn what_trips_the_exit_code() {
    let guide = crate::testing::guide();
    let mut diff = diff(&guide);
    assert_eq!((diff.worse(), diff.exit_code()), ((2, 1, 1), 1));
    diff.fail_on = Some(Severity::Critical);
    assert_eq!(diff.worse(), (2, 0, 0));
    diff.fail_on = None;
    assert_eq!((diff.worse(), diff.exit_code()), ((0, 0, 0), 4));
    diff.new.unread.clear();
    assert_eq!(diff.exit_code(), 0);
}

#[test]
fn a_comment_is_never_too_long() {
    let guide = crate::testing::guide();
    let mut diff = diff(&guide);
    let many: Vec<Finding> = (0..3000)
        .map(|number| {
            let mut finding = in_file(&format!("a-folder/of-many/files/{number}.yaml"));
            finding.fingerprint = Fingerprint::of(&[&number.to_string()]);
            finding.item = Some(number.to_string().into());
            finding
        })
        .collect();
    diff.findings = posture(
        &mut side(Vec::new()),
        &mut side(many),
        &[],
        &|_, _| false,
        false,
    );
    let change = diff.resources.pop().unwrap();
    diff.resources = vec![change; 3000];
    let text = markdown(&diff);
    assert!(text.len() < 65_000, "{}", text.len());
    assert!(text.contains("left out for want of room"));
    assert!(text.contains("Resources: 3000 differences"));
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}

#[test]
fn what_came_from_files_acts_on_nothing() {
    let guide = crate::testing::guide();
    let mut diff = diff(&guide);
    let bad = "x\u{1b}[31m\u{202e}`</details>@team";
    if let Some(one) = diff.findings.first_mut() {
        one.finding.message = bad.to_owned();
    }
    diff.connections.exposed[0].to = bad.to_owned();
    diff.rights.gained[0].who = bad.to_owned();
    let options = crate::terminal::Options {
        width: 80,
        colour: false,
    };
    for out in [text(&diff, options), markdown(&diff)] {
        assert!(
            !out.contains('\u{1b}') && !out.contains('\u{202e}'),
            "{out}"
        );
    }
    assert!(!markdown(&diff).contains("`</details>@team"));
}
