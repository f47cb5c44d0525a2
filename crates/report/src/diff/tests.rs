use model::finding::{Fingerprint, WaiverNote};

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
    posture(&mut side(old), &mut side(new), &[])
        .into_iter()
        .map(|one| one.became)
        .collect()
}

fn unknown() -> Finding {
    Finding {
        outcome: Outcome::Unknown {
            reason: "who knows".into(),
            from_absence: false,
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
    let order: Vec<String> = posture(&mut side(gone), &mut side(new), &[])
        .into_iter()
        .map(|one| one.finding.message)
        .collect();
    assert_eq!(order, ["high", "low", "gone"]);
}
