//! Conditions: their grammar and what they come to.

use analysis::roles::condition::{Asked, Condition, Outcome, ROLE_GIVEN};

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";
const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

/// Delegation constrained to roles, as the portal writes it
/// (learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples, "Constrain roles").
fn constrained() -> String {
    format!(
        "(\n (\n  !(ActionMatches{{'{WRITE}'}})\n )\n OR \n (\n  @Request[{ROLE_GIVEN}] \
         ForAnyOfAnyValues:GuidEquals {{{PULL}}}\n )\n)\nAND\n(\n (\n  !(ActionMatches{{'{DELETE}'}})\n )\n OR \n \
         (\n  @Resource[{ROLE_GIVEN}] ForAnyOfAnyValues:GuidEquals {{{PULL}}}\n )\n)"
    )
}

fn outcome(condition: &str, action: &str, attributes: &[(&str, Option<&str>)]) -> String {
    let condition = Condition::read(condition);
    let names = |id: &str| (id == PULL).then(|| "AcrPull".to_owned());
    match condition.outcome(&Asked { action, attributes }, &names) {
        Outcome::Holds => "holds".to_owned(),
        Outcome::Fails => "fails".to_owned(),
        Outcome::Hangs(rest) => rest.to_string(),
    }
}

#[test]
fn constrained_delegation_is_decided_by_the_role() {
    let condition = constrained();
    assert_eq!(
        outcome(&condition, "Microsoft.Compute/disks/read", &[]),
        "holds"
    );
    assert_eq!(outcome(&condition, WRITE, &[]), "the role is `AcrPull`");
    assert_eq!(
        outcome(
            &condition,
            WRITE,
            &[(ROLE_GIVEN, Some(&PULL.replace('-', "").to_uppercase()))]
        ),
        "holds"
    );
    assert_eq!(
        outcome(&condition, WRITE, &[(ROLE_GIVEN, Some(OWNER))]),
        "fails"
    );
}

#[test]
fn operators_quantifiers_and_both_spellings_of_words() {
    let ask = |condition: &str| {
        let attributes = [("A.b/c:d", Some("Logs-1")), ("A.b/c:gone", None)];
        outcome(condition, "A.b/c/read", &attributes)
    };
    for (condition, wanted) in [
        ("@Request[A.b/c:d] StringEquals 'Logs-1'", "holds"),
        ("@Request[A.b/c:d] StringEquals 'logs-1'", "fails"),
        ("@Request[A.b/c:d] StringEqualsIgnoreCase 'logs-1'", "holds"),
        ("@Request[A.b/c:d] StringNotEquals 'logs-1'", "holds"),
        ("@Request[A.b/c:d] StringLike 'Logs-?'", "holds"),
        ("@Request[A.b/c:d] StringLike 'logs*'", "fails"),
        ("@Request[A.b/c:d] StringStartsWith 'Logs'", "holds"),
        (
            "@Request[A.b/c:d] ForAnyOfAnyValues:StringEquals {'a', 'Logs-1'}",
            "holds",
        ),
        (
            "@Request[A.b/c:d] ForAnyOfAllValues:StringNotEquals {'a', 'Logs-1'}",
            "fails",
        ),
        (
            "@Request[A.b/c:d] ForAnyOfAllValues:StringNotEquals {'a', 'b'}",
            "holds",
        ),
        ("'Logs-1' StringEquals @Request[A.b/c:d]", "holds"),
        (
            "Exists @Request[A.b/c:d] && NOT Exists @Request[A.b/c:gone]",
            "holds",
        ),
        ("@Request[A.b/c:gone] StringEquals ''", "fails"),
        (
            "@Request[A.b/c:gone] StringNotEquals 'x'",
            "`@Request[A.b/c:gone]` is not `x`",
        ),
        ("ActionMatches{'a.B/*/READ'} || ActionMatches{'x'}", "holds"),
        ("SubOperationMatches{'Blob.List'}", "fails"),
        (
            "!(ActionMatches{'A.b/c/read'} AND SubOperationMatches{'Blob.List'})",
            "holds",
        ),
        (
            "@Resource[A.b/x:tag<$key_case_sensitive$>] StringEquals 'it''s'",
            "`@Resource[A.b/x:tag<$key_case_sensitive$>]` is `it's`",
        ),
        (
            "@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z' OR @Request[A.b/c:d] StringEquals 'x'",
            "`@Environment[UtcNow]` DateTimeGreaterThan `2026-01-01T00:00:00.0Z`",
        ),
        (
            "@Principal[A.p] StringEquals @Resource[A.q]",
            "`@Principal[A.p]` StringEquals `@Resource[A.q]`",
        ),
        (
            "@Request[A.b/c:d] Unheard 'x'",
            "`@Request[A.b/c:d]` Unheard `x`",
        ),
        ("what is this", "what is this"),
        ("(ActionMatches{'a'}", "(ActionMatches{'a'}"),
    ] {
        assert_eq!(ask(condition), wanted, "{condition}");
    }
}

#[test]
fn hostile_texts_are_kept_as_they_are() {
    for text in [
        "(".repeat(100_000),
        "!".repeat(100_000),
        "@Request[".to_owned(),
    ] {
        assert!(!Condition::read(&text).is_read());
    }
    let deep = format!("{}ActionMatches{{'a'}}{}", "(".repeat(50), ")".repeat(50));
    assert!(Condition::read(&deep).is_read());
}

#[test]
fn long_lists_are_counted() {
    let list = (0..12)
        .map(|n| format!("{n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!("@Request[{ROLE_GIVEN}] ForAnyOfAllValues:GuidNotEquals {{{list}}}");
    assert_eq!(
        outcome(&text, WRITE, &[]),
        "the role is none of `0`, `1`, `2`, `3` or 8 more"
    );
}
