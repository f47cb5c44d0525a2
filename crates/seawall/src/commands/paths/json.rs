//! `seawall.paths/v1`.

use serde_json::{Value, json};

use super::*;
use crate::commands::attack::Place;

pub(super) fn write(answer: &Answer<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let graph = answer.graph;
    let paths: Vec<Value> = answer
        .pairs
        .iter()
        .flat_map(|pair| pair.ways.iter().map(move |way| path(answer, pair, way)))
        .collect();
    let entries: Vec<Value> = answer
        .totals
        .iter()
        .map(|(kind, (all, sure, possible))| {
            json!({"kind": kind.id(), "entries": all, "sure": sure, "possible": possible})
        })
        .collect();
    let chokes: Vec<Value> = answer
        .chokes
        .iter()
        .map(|choke| {
            json!({
                "measure": ::guide::measures::id(answer.scene.guide, choke.measure),
                "title": ::guide::measures::title(answer.scene.guide, choke.measure),
                "pairs": choke.parts,
                "steps": choke.steps,
            })
        })
        .collect();
    let jewels: Vec<Value> = graph
        .jewels
        .iter()
        .map(|jewel| {
            json!({
                "id": graph.id(jewel.node),
                "kind": jewel.kind,
                "title": &*jewel.title,
                "weight": jewel.weight,
            })
        })
        .collect();
    let value = json!({
        "schema": "seawall.paths/v1",
        "tool": {"name": "seawall", "version": env!("CARGO_PKG_VERSION")},
        "asOf": answer.scene.as_of,
        "paths": paths,
        "entries": entries,
        "jewels": jewels,
        "pairs": {"sure": answer.counts.0, "possible": answer.counts.1},
        "ways": {"sure": answer.ways.sure, "possible": answer.ways.possible},
        "notShown": answer.left_out,
        "administrators": answer.administrators.iter().map(|node| graph.id(*node)).collect::<Vec<_>>(),
        "blastRadius": answer.radius.as_ref().map(|radius| blast(graph, radius)),
        "chokePoints": chokes,
        "gaps": graph.gaps.iter().map(|gap| &**gap).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn blast(graph: &Graph, radius: &radius::Radius) -> Value {
    let kinds: Vec<Value> = radius
        .kinds
        .iter()
        .map(|kind| json!({"kind": kind.id, "sure": kind.sure, "possible": kind.possible}))
        .collect();
    json!({"from": graph.id(radius.from), "holds": kinds})
}

fn path(answer: &Answer<'_>, pair: &Pair, way: &Way) -> Value {
    let graph = answer.graph;
    let entry = pair.entry.and_then(|entry| graph.entries.get(entry));
    let jewel = pair.jewel.and_then(|jewel| graph.jewels.get(jewel));
    let steps: Vec<Value> = way
        .steps
        .iter()
        .filter_map(|step| graph.step(*step))
        .filter(|step| step.edge != Edge::Implied)
        .map(|step| {
            let cut_by: Vec<String> = answer
                .cut_by
                .get(&step.number)
                .into_iter()
                .flatten()
                .map(|measure| ::guide::measures::id(answer.scene.guide, *measure))
                .collect();
            let from: Vec<String> = step.needs.iter().map(|need| graph.id(*need)).collect();
            json!({
                "edge": step.edge.id(),
                "from": from,
                "to": graph.id(step.gives),
                "evidence": step.evidence.iter().map(|one| evidence(answer, one)).collect::<Vec<_>>(),
                "cutBy": cut_by,
                "doubt": step.doubt,
            })
        })
        .collect();
    json!({
        "entry": {
            "id": graph.id(pair.from),
            "title": graph.title(pair.from),
            "kind": entry.map(|entry| entry.kind.id()),
            "because": entry.map(|entry| &*entry.because),
            "doubt": entry.and_then(|entry| entry.doubt.as_deref()),
        },
        "jewel": {
            "id": graph.id(pair.to),
            "title": jewel.map_or_else(|| graph.title(pair.to), |jewel| jewel.title.to_string()),
            "kind": jewel.map(|jewel| jewel.kind),
        },
        "steps": steps,
        "cost": way.cost,
        "certainty": if way.possible { "possible" } else { "sure" },
        "sameFrom": pair.alike.iter().map(|node| graph.id(*node)).collect::<Vec<_>>(),
        "more": pair.more,
    })
}

fn evidence(answer: &Answer<'_>, evidence: &analysis::paths::Evidence) -> Value {
    let place: Option<Place> = answer.scene.place(answer.analyses, evidence);
    json!({
        "says": &*evidence.says,
        "object": place.as_ref().map(|place| &place.object),
        "path": place.as_ref().map(|place| &place.path),
        "line": place.and_then(|place| place.line),
    })
}
