//! Who can talk to whom in an example, drawn: found out as `seawall reach` finds it out.

use analysis::reach::{Conn, End, Facts, Reach, Verdict, Workload};
use guide::guideline::{Example, Expectation};
use guide::{Guide, Guideline, examples, facts};
use maud::{Markup, html};

/// Workloads of an example that are drawn.
const MOST: usize = 3;

/// A line of the drawing.
struct Way {
    from: String,
    to: String,
    passes: Verdict,
    /// Over which ports, or on what it hangs.
    says: String,
}

/// The first bad and the first good example as drawings; nothing where a guideline is not about who talks to whom.
pub(super) fn section(guide: &Guide, guideline: &Guideline) -> Markup {
    let policies = |example: &&Example| {
        let mut files = example.files.iter();
        files.any(|file| file.text.contains("NetworkPolicy"))
    };
    if &*guideline.aspect != "network-isolation"
        || !guideline.examples.iter().any(|own| policies(&own))
    {
        return html! {};
    }
    let first = |wanted| {
        let mut own = guideline.examples.iter();
        own.find(|example| example.expectation == wanted)
    };
    let drawn = [
        ("Not like this", "bad", first(Expectation::Bad)),
        ("But like this", "good", first(Expectation::Good)),
    ]
    .map(|(title, class, example)| {
        let ways = example.map_or_else(Vec::new, |example| ways(guide, example));
        (title, class, ways)
    });
    html! {
        @if drawn.iter().all(|(.., ways)| !ways.is_empty()) {
            section aria-labelledby="network" {
                h2 #network { "Who can talk to whom in these examples" }
                @for (title, class, ways) in &drawn {
                    figure.source.network.(*class) {
                        figcaption { strong { (title) } }
                        ul.hops { @for way in ways { (hop(way)) } }
                    }
                }
            }
        }
    }
}

fn hop(way: &Way) -> Markup {
    let class = match way.passes {
        Verdict::Yes => "hop open-way",
        Verdict::No => "hop parted",
        Verdict::Unknown => "hop perhaps",
    };
    html! {
        li class=(class) {
            span.held { span.node { (way.from) } }
            span.deed { span { (way.says) } }
            span.held { span.node { (way.to) } }
        }
    }
}

fn ways(guide: &Guide, example: &Example) -> Vec<Way> {
    let Ok((setting, estate, _)) = examples::estate_of(guide, example) else {
        return Vec::new();
    };
    let analyses = facts::analyses(guide, &setting, &estate);
    let reach = analyses.reach();
    let mut ways = Vec::new();
    for workload in reach.workloads().iter().take(MOST) {
        let end = reach.end_of(workload);
        ways.push(between(
            "a pod of another namespace",
            End::Stranger,
            (name(workload), end),
            reach,
        ));
        for other in reach.workloads().iter().take(MOST) {
            if (&other.namespace, &other.name) != (&workload.namespace, &workload.name) {
                ways.push(between(
                    &name(other),
                    reach.end_of(other),
                    (name(workload), end),
                    reach,
                ));
            }
        }
        ways.extend(outward(&name(workload), reach.facts(workload)));
    }
    ways
}

fn name(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

fn between(from: &str, source: End, (to, target): (String, End), reach: &Reach) -> Way {
    let conn = reach.conn(source, target);
    Way {
        from: from.to_owned(),
        to,
        passes: passes(&conn),
        says: said(&conn),
    }
}

fn passes(conn: &Conn) -> Verdict {
    if !conn.sure.is_empty() {
        Verdict::Yes
    } else if conn.may.is_empty() {
        Verdict::No
    } else {
        Verdict::Unknown
    }
}

fn said(conn: &Conn) -> String {
    match passes(conn) {
        Verdict::Yes => conn.sure.to_string(),
        Verdict::No => "closed".to_owned(),
        Verdict::Unknown => format!("perhaps {}", conn.may),
    }
}

fn outward(from: &str, facts: &Facts) -> Vec<Way> {
    [
        ("the internet", &facts.internet),
        ("the metadata service", &facts.metadata),
        ("kubelets of other nodes", &facts.kubelet),
    ]
    .map(|(to, answer)| Way {
        from: from.to_owned(),
        to: to.to_owned(),
        passes: answer.verdict(),
        says: match answer.verdict() {
            Verdict::Yes => answer.conn.sure.to_string(),
            Verdict::No => "closed".to_owned(),
            Verdict::Unknown => "not known".to_owned(),
        },
    })
    .into()
}
