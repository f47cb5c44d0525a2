//! Sentences that the formats share.

use analysis::compare::connections::{Connection, Exposed, Outside};
use analysis::compare::resources::{Change, Field, What, relative};
use analysis::compare::rights::{Escalated, Right};
use analysis::compare::sight::{Of, Unseen};
use model::finding::{Finding, Outcome};

use super::{Became, Diff, Differs, Side};
use crate::text::{clean, count};

/// Labels named of a set of workloads.
const LABELS: usize = 3;

/// Where a finding is, below what was given.
pub(super) fn place(finding: &Finding, side: &Side) -> String {
    let place = &finding.place;
    if place.live {
        return clean(&place.path).into_owned();
    }
    format!("{}:{}", path(&place.path, side), place.line)
}

/// A path below what was given; the file itself by its own name.
pub(super) fn path(path: &str, side: &Side) -> String {
    let below = relative(path, &side.roots).filter(|path| !path.is_empty());
    clean(&below.unwrap_or_else(|| path.to_owned())).into_owned()
}

/// Which side a finding stands in.
pub(super) fn side_of<'d>(differs: &Differs, diff: &'d Diff<'_>) -> &'d Side {
    match differs.became {
        Became::Mended | Became::WithResource | Became::Resolved | Became::Lost => &diff.old,
        _ => &diff.new,
    }
}

/// What became of it, as people say it.
pub(super) fn became(became: Became) -> String {
    match became {
        Became::New => "new".to_owned(),
        Became::Worse(was) => format!("was {}", was.word()),
        Became::Decided => "was unknown".to_owned(),
        Became::Unwaived => "no longer waived".to_owned(),
        Became::Mended => "mended".to_owned(),
        Became::WithResource => "gone with its resource".to_owned(),
        Became::Better(was) => format!("was {}", was.word()),
        Became::Waived => "waived now".to_owned(),
        Became::Undecided => "failed before, unknown now".to_owned(),
        Became::NewUnknown => "new, unknown".to_owned(),
        Became::Resolved => "was unknown".to_owned(),
        Became::Lost => "failed before, not seen now".to_owned(),
        Became::Unseen => "fails, not seen before".to_owned(),
    }
}

/// The message; why it is unknown, where nothing else is said.
pub(super) fn message(finding: &Finding) -> &str {
    match &finding.outcome {
        Outcome::Unknown { reason, .. } if finding.message.is_empty() => reason,
        _ => &finding.message,
    }
}

/// `ServiceAccount shop/web may get, list secrets in namespace shop`
pub(super) fn right(right: &Right, may: &str) -> String {
    let which = if right.names.is_empty() {
        String::new()
    } else {
        format!(" named {}", right.names.join(", "))
    };
    if right.verbs.is_empty() {
        return format!(
            "{} {} the role {} at {}",
            clean(&right.who),
            if may == "may" { "holds" } else { "held" },
            clean(&right.what),
            clean(&right.within)
        );
    }
    let everything = right.verbs.iter().any(|verb| &**verb == "*");
    let verbs = if everything {
        "do anything to".to_owned()
    } else {
        right.verbs.join(", ")
    };
    let what = match right.what.as_str() {
        "*.*" => "all resources",
        "*" => "all core resources",
        "/*" => "all paths",
        what => what,
    };
    format!(
        "{} {may} {} {}{} in {}",
        clean(&right.who),
        clean(&verbs),
        clean(what),
        clean(&which),
        clean(&right.within)
    )
}

/// `ServiceAccount shop/web in namespace shop: reads Secrets (…), runs commands in pods (…) and 3 more ways`
pub(super) fn escalation(escalated: &Escalated) -> String {
    const WAYS: usize = 3;
    let ways: Vec<String> = escalated
        .how
        .iter()
        .take(WAYS)
        .map(|how| format!("{} ({})", how.title, how.leads_to))
        .collect();
    let left = escalated.how.len() - ways.len();
    let more = if left > 0 {
        format!("; and {}", count(left, "more way"))
    } else {
        String::new()
    };
    format!(
        "{} in {}: {}{more}",
        clean(&escalated.who),
        clean(&escalated.within),
        ways.join("; ")
    )
}

/// `a, b, c and 4 more`
pub(super) fn some(labels: &[String]) -> String {
    let mut words: Vec<String> = labels
        .iter()
        .take(LABELS)
        .map(|label| clean(label).into_owned())
        .collect();
    if labels.len() > words.len() {
        let more = labels.len() - words.len();
        let last = words.pop().unwrap_or_default();
        words.push(format!("{last} and {more} more"));
    }
    words.join(", ")
}

/// `shop/web[Deployment] → data/db[StatefulSet]: TCP 5432`
pub(super) fn connection(connection: &Connection) -> String {
    let doubt = if connection.certain {
        ""
    } else {
        ", unless something that was not given stops it"
    };
    format!(
        "{} → {}: {}{doubt}",
        some(&connection.from),
        some(&connection.to),
        connection.ports
    )
}

pub(super) fn outside(outside: &Outside) -> String {
    let doubt = if outside.certain {
        ""
    } else {
        ", unless something that was not given stops it"
    };
    let verb = match (outside.opened, outside.from.len()) {
        (true, 1) => "reaches",
        (true, _) => "reach",
        (false, 1) => "no longer reaches",
        (false, _) => "no longer reach",
    };
    format!("{} {verb} {}{doubt}", some(&outside.from), outside.target)
}

pub(super) fn exposed(exposed: &Exposed) -> String {
    let from = match (exposed.internet, exposed.certain) {
        (true, true) => "from the internet",
        (true, false) => "perhaps from the internet",
        (false, _) => "from the cluster's network",
    };
    let through: Vec<String> = exposed
        .through
        .iter()
        .map(|one| clean(one).into_owned())
        .collect();
    let through = if through.is_empty() {
        String::new()
    } else {
        format!(" ({})", through.join(", "))
    };
    format!(
        "{} {from} by {}{through}: {}",
        clean(&exposed.to),
        exposed.way,
        exposed.ports
    )
}

/// `+ RoleBinding shop/x`, and below it what differs.
pub(super) fn change(change: &Change) -> (char, String) {
    let mark = match change.what {
        What::Added => '+',
        What::Removed => '-',
        What::Changed(..) => '~',
    };
    let name = &change.name;
    let words = match name.namespace.as_deref() {
        Some(namespace) => format!(
            "{} {}/{}",
            clean(name.kind.name()),
            clean(namespace),
            clean(&name.name)
        ),
        None => format!("{} {}", clean(name.kind.name()), clean(&name.name)),
    };
    (mark, words)
}

/// `spec.replicas: 1 → 2`
pub(super) fn field(field: &Field) -> String {
    let route = clean(&field.route);
    match (&field.old, &field.new) {
        (Some(old), Some(new)) => format!("{route}: {} → {}", clean(old), clean(new)),
        (None, Some(new)) => format!("{route}: added {}", clean(new)),
        (Some(old), None) => format!("{route}: removed {}", clean(old)),
        (None, None) => route.into_owned(),
    }
}

/// Where a resource that differs stands; nothing for what is live.
pub(super) fn change_place(change: &Change, diff: &Diff<'_>) -> Option<String> {
    let side = if change.what == What::Removed {
        &diff.old
    } else {
        &diff.new
    };
    let line = change.line?;
    Some(format!("{}:{line}", path(&change.path, side)))
}

/// `a, b and c`
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `2 findings, 1 escalation and …` got worse; why the exit code is what it is.
pub(super) fn exit_reason(diff: &Diff<'_>) -> String {
    let (findings, escalations, exposed) = diff.worse();
    let mut parts = Vec::new();
    for (number, one) in [
        (findings, "finding"),
        (escalations, "escalation"),
        (exposed, "way"),
    ] {
        if number > 0 {
            parts.push(match (one, number) {
                ("way", 1) => "1 way in from the internet".to_owned(),
                ("way", _) => format!("{number} ways in from the internet"),
                _ => count(number, one),
            });
        }
    }
    match (diff.exit_code(), diff.fail_on) {
        (1, Some(floor)) => format!("{} at or above {} got worse", listed(&parts), floor.word()),
        (4, _) => format!(
            "nothing got worse in what could be read; {} could not be",
            count(diff.old.unread.len() + diff.new.unread.len(), "part")
        ),
        (_, None) => "what got worse does not fail this run".to_owned(),
        (_, Some(floor)) => format!("nothing at or above {} got worse", floor.word()),
    }
}

/// `4 Secret: only in a.snap; b.snap does not say: Secrets were not asked for`
pub(super) fn unseen(unseen: &Unseen, diff: &Diff<'_>) -> String {
    let (by, other) = match unseen.by {
        Of::Old => (&diff.old, &diff.new),
        Of::New => (&diff.new, &diff.old),
    };
    format!(
        "{} {}: only in {}; {} cannot say: {}",
        unseen.count,
        clean(&unseen.what),
        clean(&other.name),
        clean(&by.name),
        clean(&unseen.why)
    )
}

/// `worse 3, better 1, unknown now 2`
pub(super) fn sums(diff: &Diff<'_>) -> String {
    let of = |wanted: fn(Became) -> bool| {
        diff.findings
            .iter()
            .filter(|one| wanted(one.became))
            .count()
    };
    let parts = [
        (of(Became::is_worse), "worse"),
        (of(Became::is_better), "better"),
        (
            of(|became| {
                matches!(
                    became,
                    Became::Undecided | Became::NewUnknown | Became::Lost
                )
            }),
            "unknown now",
        ),
        (of(|became| became == Became::Unseen), "not seen before"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if words.is_empty() {
        "findings: no difference".to_owned()
    } else {
        format!("findings: {}", words.join(", "))
    }
}
