//! What was used, whatever the order and however the log is divided.

use std::collections::BTreeSet;

use audit::learn::{Grant, Identity, Learned, Limits, compose};

use crate::made::folded;

/// Numbers that look random and are the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// A record with all that learning reads.
pub(crate) fn record(
    id: usize,
    user: &str,
    verb: &str,
    (namespace, resource, name): (&str, &str, &str),
    (code, decision): (u16, &str),
) -> String {
    let namespace = match namespace {
        "" => String::new(),
        namespace => format!("\"namespace\":\"{namespace}\","),
    };
    let name = match name {
        "" => String::new(),
        name => format!("\"name\":\"{name}\","),
    };
    let annotations = match decision {
        "" => String::new(),
        word => format!(",\"annotations\":{{\"authorization.k8s.io/decision\":\"{word}\"}}"),
    };
    let (hour, minute, second) = (id / 3600 % 24, id / 60 % 60, id % 60);
    let time = format!("2026-11-26T{hour:02}:{minute:02}:{second:02}.000000Z");
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"a-{id}\",\
         \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/{resource}?{id}\",\"verb\":\"{verb}\",\
         \"user\":{{\"username\":\"{user}\",\"groups\":[\"system:authenticated\"]}},\
         \"objectRef\":{{\"resource\":\"{resource}\",{namespace}{name}\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":{code}}},\"requestReceivedTimestamp\":\"{time}\",\
         \"stageTimestamp\":\"{time}\"{annotations}}}"
    )
}

pub(crate) fn learn(files: &[&[u8]], threads: usize, limits: Limits) -> Learned {
    let names: Vec<String> = (0..files.len()).map(|at| format!("{at}.log")).collect();
    let named: Vec<(&str, &[u8])> = names
        .iter()
        .map(String::as_str)
        .zip(files.iter().copied())
        .collect();
    folded(&named, threads, || Learned::new(limits)).0
}

/// Grants a line for each rule.
pub(crate) fn lines(grants: &[Grant]) -> Vec<String> {
    let text = |set: &BTreeSet<Box<str>>| set.iter().cloned().collect::<Vec<_>>().join(",");
    let mut lines = Vec::new();
    for grant in grants {
        for rule in &grant.rules {
            let place = grant.namespace.as_deref().unwrap_or("*");
            let what = match rule.urls.is_empty() {
                true => format!("{}/{}", text(&rule.groups), text(&rule.resources)),
                false => text(&rule.urls),
            };
            let names = match rule.names.is_empty() {
                true => String::new(),
                false => format!(" [{}]", text(&rule.names)),
            };
            lines.push(format!("{place}: {} {what}{names}", text(&rule.verbs)));
        }
    }
    lines
}

fn rules(identity: &Identity) -> Vec<String> {
    lines(&compose(&identity.atoms(), false))
}

/// Everything that is told of everybody.
fn told(learned: &Learned) -> Vec<String> {
    let identities = learned.identities();
    identities
        .iter()
        .map(|(name, identity)| {
            format!(
                "{name} {} {:?} {:?} {:?} {:?} {:?} {:?}",
                identity.requests,
                identity.first,
                identity.last,
                identity.days,
                identity.groups,
                identity.atoms(),
                identity.denied()
            )
        })
        .collect()
}

#[test]
fn order_and_division_make_no_difference() {
    let mut numbers = Numbers(7);
    let users = ["alice", "bob", "system:serviceaccount:shop:web"];
    let verbs = ["get", "list", "watch", "create", "delete", "patch"];
    let resources = ["pods", "secrets", "configmaps"];
    let mut records: Vec<String> = (0..3000)
        .map(|id| {
            let namespace = format!("ns-{}", numbers.below(14));
            let name = format!("n-{}", numbers.below(13));
            let verb = verbs[numbers.below(verbs.len())];
            let name = if matches!(verb, "list" | "create") {
                ""
            } else {
                &name
            };
            let answer = match numbers.below(5) {
                0 => (403, "forbid"),
                1 => (403, "allow"),
                2 => (404, ""),
                _ => (200, "allow"),
            };
            let object = (namespace.as_str(), resources[numbers.below(3)], name);
            record(id, users[numbers.below(3)], verb, object, answer)
        })
        .collect();
    let limits = Limits::default();
    let expected = told(&learn(&[records.join("\n").as_bytes()], 1, limits));
    assert_eq!(expected.len(), 3);
    for round in 0..12 {
        numbers.shuffle(&mut records);
        let mut parts: Vec<String> = Vec::new();
        let mut at = 0;
        while at < records.len() {
            let to = (at + 1 + numbers.below(900)).min(records.len());
            parts.push(records[at..to].join("\n"));
            at = to;
        }
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let again = told(&learn(&parts, 1 + round % 3, limits));
        assert!(again == expected, "round {round}");
    }
}

#[test]
fn denied_is_no_need_and_admission_is_no_denial() {
    let text = [
        record(1, "eve", "get", ("shop", "secrets", "db"), (403, "forbid")),
        record(2, "eve", "get", ("shop", "secrets", "db"), (403, "forbid")),
        record(3, "eve", "list", ("shop", "secrets", ""), (403, "")),
        record(4, "eve", "create", ("shop", "pods", "p"), (403, "allow")),
        record(5, "eve", "get", ("shop", "pods", "gone"), (404, "")),
    ]
    .join("\n");
    let learned = learn(&[text.as_bytes()], 1, Limits::default());
    let eve = &learned.identities()["eve"];
    assert_eq!(rules(eve), ["shop: create /pods", "shop: get /pods [gone]"]);
    let (denied, more) = eve.denied();
    let denied: Vec<String> = denied
        .iter()
        .map(|one| format!("{} {} {} {}", one.count, one.verb, one.what, one.namespace))
        .collect();
    assert_eq!(denied, ["2 get secrets shop", "1 list secrets shop"]);
    assert_eq!((eve.denied_requests, more), (3, 0));
}

#[test]
fn limits_are_kept_and_told() {
    let mut records = Vec::new();
    for number in 0..5 {
        let name = format!("n{number}");
        let namespace = format!("ns{number}");
        records.push(record(
            number,
            "a",
            "get",
            ("shop", "secrets", &name),
            (200, ""),
        ));
        records.push(record(
            100 + number,
            "a",
            "get",
            (&namespace, "pods", "one"),
            (200, ""),
        ));
        records.push(record(
            200 + number,
            "a",
            "patch",
            (&namespace, "pods", &name),
            (200, ""),
        ));
    }
    let text = records.join("\n");
    let of = |names, namespaces| {
        let limits = Limits { names, namespaces };
        let learned = learn(&[text.as_bytes()], 1, limits);
        rules(learned.identities()["a"])
    };
    assert_eq!(
        of(4, 4),
        ["*: patch /pods", "*: get /pods [one]", "shop: get /secrets"]
    );
    let wide = of(5, 5);
    assert!(
        wide.contains(&"shop: get /secrets [n0,n1,n2,n3,n4]".to_owned()),
        "{wide:?}"
    );
    assert_eq!(wide.len(), 11);
    let learned = learn(
        &[text.as_bytes()],
        1,
        Limits {
            names: 4,
            namespaces: 4,
        },
    );
    let atoms = learned.identities()["a"].atoms();
    let of = |verb: &str, namespace: Option<&str>| {
        let found = atoms
            .iter()
            .find(|atom| &*atom.verb == verb && atom.namespace.as_deref() == namespace)
            .unwrap();
        (found.any_name, found.everywhere, found.count)
    };
    assert_eq!(of("get", Some("shop")), (true, false, 5));
    assert_eq!(of("get", None), (false, true, 5));
    assert_eq!(of("patch", None), (true, true, 5));
}

#[test]
fn what_the_cluster_wide_role_holds_is_not_said_again() {
    let text = [
        record(1, "a", "list", ("", "pods", ""), (200, "")),
        record(2, "a", "list", ("shop", "pods", ""), (200, "")),
        record(3, "a", "get", ("", "pods", "x"), (200, "")),
        record(4, "a", "get", ("shop", "pods", "x"), (200, "")),
        record(5, "a", "get", ("shop", "pods", "y"), (200, "")),
    ]
    .join("\n");
    let learned = learn(&[text.as_bytes()], 1, Limits::default());
    let identities = learned.identities();
    assert_eq!(
        rules(identities["a"]),
        ["*: list /pods", "*: get /pods [x]", "shop: get /pods [y]"]
    );
    let wide = compose(&identities["a"].atoms(), true);
    assert_eq!(lines(&wide), ["*: get,list,watch /pods"]);
}
