//! Images as JSON, `seawall.images/v1`: the same as the text, in the same order.

use model::finding::Outcome;
use serde_json::{Value, json};

use super::Answer;
use super::rank::{Picture, User};

pub(super) fn write(answer: &Answer) -> anyhow::Result<String> {
    let unread = answer
        .unread
        .iter()
        .map(|(what, why, help)| json!({ "what": what, "reason": why, "help": help }));
    let value = json!({
        "schema": "seawall.images/v1",
        "asOf": answer.day,
        "images": answer.pictures.iter().map(picture).collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

fn picture(one: &Picture) -> Value {
    let signatures = one.signatures.as_ref().map(|all| {
        let all = all.iter().map(|own| {
            json!({
                "kind": own.kind,
                "outcome": own.outcome,
                "signer": own.signer,
                "why": own.why,
            })
        });
        all.collect::<Vec<_>>()
    });
    let attestations = one.attestations.as_ref().map(|all| {
        let all = all.iter().map(|own| {
            json!({
                "about": own.kind,
                "outcome": own.outcome,
                "signer": own.signer,
                "why": own.why,
                "builder": own.builder,
            })
        });
        all.collect::<Vec<_>>()
    });
    let findings = one.findings.iter().map(|finding| {
        json!({
            "guideline": &*finding.guideline.0,
            "severity": finding.severity.word(),
            "verdict": if finding.outcome == Outcome::Fail { "fail" } else { "unknown" },
            "message": finding.message,
        })
    });
    json!({
        "name": one.name,
        "digest": one.digest,
        "platforms": one.platforms,
        "size": one.size,
        "created": one.created,
        "user": one.user,
        "unknown": one.unknown,
        "signatures": signatures,
        "attestations": attestations,
        "vulnerabilities": one.vulnerable.map(|found| json!({
            "critical": found.critical,
            "high": found.high,
            "others": found.others,
            "fixable": found.fixable,
            "excused": found.excused,
        })),
        "exposed": one.exposed(),
        "root": one.root(),
        "jewels": one.jewels(),
        "usedBy": one.users.iter().map(user).collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn user(one: &User) -> Value {
    let exposed = match one.exposed {
        Some(true) => "yes",
        Some(false) => "perhaps",
        None => "no",
    };
    json!({
        "workload": one.name,
        "exposed": exposed,
        "root": one.root,
        "jewels": one.jewels,
    })
}
