//! What the graph says of rights is done: random users try each deed on a running API server with its controllers.
//! What the graph claims must succeed, what it does not claim must be refused. Each request is real; those that
//! would change the estate are sent as a dry run, which passes through authorization, admission and the checks of
//! storage like any other.

#[path = "performed/deeds.rs"]
mod deeds;
#[path = "performed/estate.rs"]
mod estate;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use analysis::paths::{Edge, Graph, Node, NodeNo};
use analysis::reach::Options as Network;
use analysis::roles::Builtin;
use analysis::{Analyses, Given};
use model::{Estate, Resource, Scope};
use oracle::{ApiServer, Options};
use serde_json::Value;

use crate::estates::{self, Dice, rounds};
use deeds::Deed;
use estate::{NAMESPACES, USERS};

/// The estate, its graph, and what users hold.
struct Claims<'g> {
    graph: &'g Graph,
}

impl Claims<'_> {
    fn node(&self, id: &str) -> Option<NodeNo> {
        self.graph
            .nodes()
            .map(|(number, _)| number)
            .find(|number| self.graph.id(*number) == id)
    }

    /// What somebody holds by one deed of these kinds: whom they become may do more, in another request.
    fn held(&self, from: &[&str], edges: &[Edge], possible: bool) -> BTreeSet<String> {
        let mut own: BTreeSet<NodeNo> = from.iter().filter_map(|id| self.node(id)).collect();
        self.close(&mut own, &|_, edge| edge == Edge::Implied, possible);
        let mut held = own.clone();
        let counts = |needs: &[NodeNo], edge: Edge| {
            // What is between those who hold a right and what it leads to is part of the deed.
            let one = |need: &NodeNo| {
                own.contains(need) || matches!(self.graph.node(*need), Node::Right(..))
            };
            edge == Edge::Implied
                || (edges.contains(&edge) || edge == Edge::BoundRole) && needs.iter().all(one)
        };
        self.close(&mut held, &counts, possible);
        held.iter().map(|node| self.graph.id(*node)).collect()
    }

    fn close(
        &self,
        held: &mut BTreeSet<NodeNo>,
        counts: &dyn Fn(&[NodeNo], Edge) -> bool,
        possible: bool,
    ) {
        loop {
            let before = held.len();
            for step in self.graph.steps() {
                if counts(step.needs, step.edge)
                    && (possible || step.doubt.is_none())
                    && step.needs.iter().all(|need| held.contains(need))
                {
                    held.insert(step.gives);
                }
            }
            if held.len() == before {
                return;
            }
        }
    }
}

fn with_graph<T>(estate: &Estate, then: impl FnOnce(&Graph) -> T) -> T {
    let analyses = Analyses::new(
        estate,
        Given {
            kubernetes_minor: 34,
            builtin_objects: Box::new(builtin),
            builtin_roles: Box::new(|| Arc::new(Builtin::default())),
            network: Network::default(),
        },
    );
    then(&Graph::build(
        &analyses,
        &analysis::paths::Wishes::default(),
    ))
}

fn builtin() -> Vec<Resource> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guide/data/default-roles.yaml"
    );
    let text = std::fs::read_to_string(file).unwrap();
    estates::resources(text.split("\n---\n"), model::manifest::Form::Yaml)
}

fn start() -> ApiServer {
    let mut options = Options::default().controllers();
    for (user, groups) in USERS {
        options = options.user(user, groups);
    }
    ApiServer::start_with(&options).unwrap()
}

/// Tries every deed as every user; how often the server let one pass, and how often not.
fn try_all(server: &ApiServer, objects: &[Value], seed: u64) -> (usize, usize, Vec<String>) {
    let estate = estates::estate(Scope::Whole, estates::json(objects));
    with_graph(&estate, |graph| {
        let claims = Claims { graph };
        let (mut done, mut refused) = (0, 0);
        let mut wrong = Vec::new();
        for (user, groups) in USERS {
            let mut from = vec![format!("user:{user}")];
            from.extend(groups.iter().map(|group| format!("group:{group}")));
            from.push("group:system:authenticated".to_owned());
            let from: Vec<&str> = from.iter().map(String::as_str).collect();
            let everything = claims.held(&from, &[], false);
            for deed in Deed::all(objects) {
                let begin: Vec<&str> = from
                    .iter()
                    .copied()
                    .chain(deed.given.iter().map(|id| &**id))
                    .collect();
                let held = claims.held(&begin, deed.edges, deed.possible);
                if deed.unless.iter().any(|id| held.contains(id)) {
                    continue;
                }
                let claimed = deed.gives.iter().any(|id| held.contains(id))
                    || everything.contains("right:everything@*")
                    || !deed.namespace.is_empty()
                        && everything.contains(&format!("right:everything@{}", deed.namespace));
                let result = deed.perform(server, server.token_of(user));
                let covered = !claimed && result && deed.may_be_covered;
                if claimed != result && !covered {
                    let title = &deed.title;
                    wrong.push(format!(
                        "seed {seed}: {user}: {title}: the graph says {claimed}, the server {result}"
                    ));
                }
                if result {
                    done += 1;
                } else {
                    refused += 1;
                }
            }
        }
        if !wrong.is_empty() {
            let is_random =
                |one: &&Value| one["metadata"]["name"].as_str().unwrap().starts_with('x');
            wrong.extend(objects.iter().filter(is_random).map(Value::to_string));
        }
        (done, refused, wrong)
    })
}

#[test]
fn what_rights_lead_to_is_what_the_server_lets_pass() {
    let server = start();
    let first = rounds("SEAWALL_PATHS_SERVER_FIRST", 100);
    let (mut done, mut refused, mut wrong) = (0, 0, Vec::new());
    let seeds = rounds("SEAWALL_PATHS_SERVER_SEEDS", 3);
    estate::fixed(&server);
    deeds::every_way_relabels(&server);
    for seed in first..first + seeds {
        let objects = estate::random(&mut Dice(seed));
        estate::create(&server, &objects);
        thread::sleep(Duration::from_millis(1200));
        let mut all = estate::given();
        all.extend(objects.iter().cloned());
        let (more_done, more_refused, differences) = try_all(&server, &all, seed);
        wrong.extend(differences);
        (done, refused) = (done + more_done, refused + more_refused);
        estate::delete(&server, &objects);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{done} deeds done, {refused} refused");
    // Neither all nor none, or the test would show little.
    let seeds = seeds as usize;
    assert!(
        done > 20 * seeds && refused > 20 * seeds,
        "{done} {refused}"
    );
    assert_eq!(NAMESPACES.len(), 2);
}
