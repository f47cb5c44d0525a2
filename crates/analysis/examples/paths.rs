//! Times the graph of attacks: `paths FOLDER` reads the manifests (`*.yaml`) and ARM templates (`*.json`) of a
//! folder, builds the graph and asks for every entry and every jewel. See `bench/paths.sh`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for measuring stops where it cannot go on"
)]

use std::sync::Arc;
use std::time::Instant;

use analysis::paths::{Allowed, Efforts, Graph, Wishes};
use analysis::roles::Builtin;
use analysis::{Analyses, Given};
use cel::Symbols;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::{Estate, Origin, Resource, Scope};

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let started = Instant::now();
    let symbols = Symbols::default();
    let (managed, defaults) = (Managed::default(), model::azure::Defaults::default());
    let reader = Reader {
        symbols: &symbols,
        wants: &analysis::paths::reads,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(Scope::Whole);
    let read = |path: &str, text: &str, index: u32, form: Form| -> Vec<Resource> {
        let origin = Origin {
            path: path.into(),
            index,
            rendered_by: None,
            live: false,
        };
        reader.read(text, form, 1, &origin).resources
    };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        if name.ends_with("cluster.yaml") {
            for (index, raw) in yaml::documents(&text).enumerate() {
                for resource in read(&name, &raw.text, index as u32, Form::Yaml) {
                    estate.add(resource);
                }
            }
        } else if name.ends_with(".json") {
            for resource in read(&name, &text, 0, Form::Json) {
                estate.add(resource);
            }
        }
    }
    estate.imply_namespaces(&symbols);
    let data = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide/data/");
        std::fs::read_to_string(format!("{folder}{name}")).unwrap()
    };
    let (roles, defaults) = (data("azure-roles.yaml"), data("default-roles.yaml"));
    println!(
        "{} objects read in {:?}",
        estate.resources().len(),
        started.elapsed()
    );
    let given = Given {
        kubernetes_minor: 34,
        builtin_objects: Box::new(|| {
            yaml::documents(&defaults)
                .flat_map(|raw| read("built in", &raw.text, raw.index, Form::Yaml))
                .collect()
        }),
        builtin_roles: Box::new(|| Arc::new(Builtin::new(roles.clone()))),
        network: analysis::reach::Options::default(),
    };
    let analyses = Analyses::new(&estate, given);
    let at = Instant::now();
    analyses.reach();
    println!("reach {:?}", at.elapsed());
    let at = Instant::now();
    analyses.escalations();
    println!("rights {:?}", at.elapsed());
    let at = Instant::now();
    let graph = Graph::build(&analyses, &Wishes::default());
    let (nodes, steps) = graph.size();
    println!("graph {:?}: {nodes} nodes, {steps} steps", at.elapsed());
    for (word, allowed) in [("sure", Allowed::SURE), ("possible", Allowed::POSSIBLE)] {
        let at = Instant::now();
        let spread = graph.spread(allowed);
        println!(
            "{word} {:?}: {} entries, {} jewels, {} pairs",
            at.elapsed(),
            graph.entries.len(),
            graph.jewels.len(),
            spread.pairs().count()
        );
    }
    let efforts = Efforts::default();
    for (word, allowed) in [("sure", Allowed::SURE), ("possible", Allowed::POSSIBLE)] {
        let at = Instant::now();
        let (mut ways, mut entries) = (0, 0);
        for entry in &graph.entries {
            let held = graph.derive(&[entry.node], &efforts, allowed);
            entries += 1;
            ways += graph
                .jewels
                .iter()
                .filter_map(|jewel| graph.way(&held, jewel.node))
                .count();
            if at.elapsed().as_secs() > 20 {
                break;
            }
        }
        println!(
            "{word} {:?}: {ways} cheapest ways of {entries} entries, one after the other",
            at.elapsed()
        );
    }
}
