//! Estates with one way from an entry to a jewel, and their hardened twins, which have none.

use std::sync::Arc;

use analysis::paths::{Allowed, Efforts, Graph, NodeNo, Wishes};
use analysis::roles::Builtin;
use analysis::{Analyses, Given};
use model::manifest::Form;
use model::{Estate, Resource, Scope};

use crate::estates;

#[path = "planted/across.rs"]
mod across;
#[path = "planted/azure.rs"]
mod azure;
#[path = "planted/guards.rs"]
mod guards;
#[path = "planted/pods.rs"]
mod pods;
#[path = "planted/rights.rs"]
mod rights;

/// An estate and the way in it.
pub(crate) struct Planted {
    /// Manifests.
    pub(crate) yaml: &'static str,
    /// ARM templates.
    pub(crate) templates: &'static [&'static str],
    /// What is held at the start, and what is to be reached: ids of nodes.
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// The kinds of the steps of the cheapest way, in order.
    pub(crate) steps: &'static [&'static str],
    /// Some step of it is a perhaps.
    pub(crate) possible: bool,
    /// Texts that the twin has instead; each occurs once.
    pub(crate) hardened: &'static [(&'static str, &'static str)],
}

impl Planted {
    /// The way is there, and in the twin there is none, not even perhaps.
    pub(crate) fn check(&self) {
        let (graph, from, to) = self.graph(&[]);
        let (from, to) = (from.unwrap(), to.unwrap());
        let efforts = Efforts::default();
        let sure = graph.cheapest(from, to, &efforts, Allowed::SURE);
        assert_eq!(sure.is_none(), self.possible, "whether a sure way is there");
        let possible = || graph.cheapest(from, to, &efforts, Allowed::POSSIBLE);
        let way = sure.or_else(possible).unwrap();
        let kinds: Vec<&str> = way
            .steps
            .iter()
            .filter_map(|step| Some(graph.step(*step)?.edge.id()))
            .filter(|kind| *kind != "implied")
            .collect();
        assert_eq!(kinds, self.steps);
        let (graph, from, to) = self.graph(self.hardened);
        if let (Some(from), Some(to)) = (from, to) {
            let way = graph.cheapest(from, to, &efforts, Allowed::POSSIBLE);
            let kinds: Vec<&str> = way
                .iter()
                .flat_map(|way| &way.steps)
                .filter_map(|step| Some(graph.step(*step)?.edge.id()))
                .collect();
            assert!(way.is_none(), "the twin is reached by {kinds:?}");
        }
    }

    fn graph(&self, edits: &[(&str, &str)]) -> (Graph, Option<NodeNo>, Option<NodeNo>) {
        let mut texts = vec![self.yaml.to_owned()];
        texts.extend(self.templates.iter().map(|text| (*text).to_owned()));
        for (old, new) in edits {
            let count: usize = texts.iter().map(|text| text.matches(old).count()).sum();
            assert_eq!(count, 1, "`{old}` occurs once");
            for text in &mut texts {
                *text = text.replace(old, new);
            }
        }
        let mut resources = estates::yaml(&texts[0]);
        resources.extend(estates::resources(
            texts[1..].iter().map(String::as_str),
            Form::Json,
        ));
        let graph = graph(resources);
        let find = |id: &str| {
            let node = graph.nodes().find(|(node, _)| graph.id(*node) == id);
            node.map(|(node, _)| node)
        };
        let (from, to) = (find(self.from), find(self.to));
        (graph, from, to)
    }
}

/// The graph of a whole estate.
pub(crate) fn graph(resources: Vec<Resource>) -> Graph {
    let mut estate: Estate = estates::estate(Scope::Whole, resources);
    estate.imply_namespaces(&cel::Symbols::default());
    let given = Given {
        kubernetes_minor: 34,
        builtin_objects: Box::new(|| {
            let text = data("default-roles.yaml");
            let documents: Vec<String> = yaml::documents(&text)
                .map(|document| document.text.to_string())
                .collect();
            estates::resources(documents.iter().map(String::as_str), Form::Yaml)
        }),
        builtin_roles: Box::new(|| Arc::new(Builtin::new(data("azure-roles.yaml")))),
        network: analysis::reach::Options::default(),
    };
    let analyses = Analyses::new(&estate, given);
    Graph::build(&analyses, &Wishes::default())
}

fn data(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide/data/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}
