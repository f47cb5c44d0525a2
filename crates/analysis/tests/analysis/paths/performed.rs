//! What the graph says of rights is done: random users, accounts of pods and whoever does not sign in try each deed
//! on a running API server with its controllers. What the graph claims must succeed, what it does not claim must be
//! refused. Each request is real; those that would change the estate are sent as a dry run, which passes through
//! authorization, admission and the checks of storage like any other.
//!
//! | performed | kinds of steps |
//! |---|---|
//! | to its end, and the token, certificate or name is used | impersonate, token-request, token-secret, certificate-sign, federated-identity (as far as the cluster: issuer, subject, audience), pod-service-account, anonymous-binding, namespace-label |
//! | written, as a dry run | pod-create, pod-create-node, pod-debug, pod-patch, persistent-volume, role-bind, role-escalate, role-aggregation, webhook-write, crd-conversion, dns-config, service-redirect, network-open, operator-resource, pod-steal, bound-role |
//! | read | secret-read |
//! | authorized: there is no kubelet to carry it out | pod-exec, pod-forward, kubelet-proxy |
//! | [`super::admitted`] | pod-create, pod-create-node, pod-debug, host-network, host-path-read, namespace-label, admission-removal, by what admission lets pass |
//!
//! Left out are kinds that rest on a node, the network, a registry or Azure.

#[path = "performed/deeds.rs"]
mod deeds;
#[path = "performed/estate.rs"]
mod estate;

use std::collections::{BTreeMap, BTreeSet};
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
use deeds::{Deed, tokens};
pub(super) use estate::path_of;
use estate::{ACCOUNT, NAMESPACES, USERS};

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

pub(super) fn with_graph<T>(estate: &Estate, then: impl FnOnce(&Graph) -> T) -> T {
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
    let mut options = Options::default()
        .controllers()
        .signing()
        .flag("--authorization-mode=Node");
    for (user, groups) in USERS {
        options = options.user(user, groups);
    }
    ApiServer::start_with(&options).unwrap()
}

/// Somebody who tries.
struct Actor {
    name: String,
    token: String,
    /// What is theirs from the beginning.
    own: Vec<String>,
}

/// Users, accounts of pods, and whoever does not sign in.
fn actors(server: &ApiServer) -> Vec<Actor> {
    let mut all: Vec<Actor> = USERS
        .iter()
        .map(|(user, groups)| {
            let mut own = vec![format!("user:{user}")];
            own.extend(groups.iter().map(|group| format!("group:{group}")));
            own.push("group:system:authenticated".to_owned());
            Actor {
                name: (*user).to_owned(),
                token: server.token_of(user).to_owned(),
                own,
            }
        })
        .collect();
    all.extend(NAMESPACES.iter().map(|namespace| Actor {
        name: format!("{namespace}/{ACCOUNT}"),
        token: tokens::of_pod(server, namespace, "p0", ACCOUNT),
        own: vec![format!("sa:{namespace}/{ACCOUNT}")],
    }));
    all.push(Actor {
        name: "nobody".to_owned(),
        token: String::new(),
        own: vec!["user:system:anonymous".to_owned()],
    });
    all
}

/// What becomes of one estate.
#[derive(Default)]
struct Tally {
    /// How often each kind of deed was let pass, and how often not.
    of: BTreeMap<String, (usize, usize)>,
    wrong: Vec<String>,
}

/// Tries every deed as everybody.
fn try_all(server: &ApiServer, objects: &[Value], seed: u64, tally: &mut Tally) {
    let mut resources = estates::json(objects);
    resources.extend(estates::azure(&estate::azure()));
    let estate = estates::estate(Scope::Whole, resources);
    let before = tally.wrong.len();
    with_graph(&estate, |graph| {
        let claims = Claims { graph };
        // Code in the pod is its account; whoever reaches the API server is somebody where a binding says so.
        for namespace in NAMESPACES {
            let pod = format!("workload:{namespace}/p0[Pod]");
            let held = claims.held(&[&pod], &[Edge::PodServiceAccount], false);
            assert!(held.contains(&format!("sa:{namespace}/{ACCOUNT}")));
        }
        let anybody = objects.iter().any(|object| {
            let subjects = object["subjects"].to_string();
            subjects.contains("system:anonymous") || subjects.contains("system:unauthenticated")
        });
        let held = claims.held(&["api-server"], &[Edge::AnonymousBinding], false);
        assert_eq!(held.contains("user:system:anonymous"), anybody);
        for actor in actors(server) {
            let from: Vec<&str> = actor.own.iter().map(String::as_str).collect();
            try_as(server, &claims, &actor, &from, seed, tally);
        }
    });
    if tally.wrong.len() > before {
        let is_random = |one: &&Value| one["metadata"]["name"].as_str().unwrap().starts_with('x');
        let random = objects.iter().filter(is_random).map(Value::to_string);
        tally.wrong.extend(random);
    }
}

fn try_as(
    server: &ApiServer,
    claims: &Claims<'_>,
    actor: &Actor,
    from: &[&str],
    seed: u64,
    tally: &mut Tally,
) {
    let everything = claims.held(from, &[], false);
    for deed in Deed::all() {
        let begin: Vec<&str> = from
            .iter()
            .copied()
            .chain(deed.given.iter().map(|id| &**id))
            .collect();
        let held = claims.held(&begin, deed.edges, deed.possible);
        // What somebody is already, they need not become.
        let is_already = deed.gives.iter().any(|id| actor.own.contains(id));
        if is_already || deed.unless.iter().any(|id| held.contains(id)) {
            continue;
        }
        let claimed = deed.gives.iter().any(|id| held.contains(id))
            || everything.contains("right:everything@*")
            || !deed.namespace.is_empty()
                && everything.contains(&format!("right:everything@{}", deed.namespace));
        let result = deed.perform(server, &actor.token);
        let covered = !claimed && result && deed.may_be_covered;
        if claimed != result && !covered {
            let (title, name) = (&deed.title, &actor.name);
            tally.wrong.push(format!(
                "seed {seed}: {name}: {title}: the graph says {claimed}, the server {result}"
            ));
        }
        let (done, refused) = tally.of.entry(deed.title).or_default();
        if result {
            *done += 1;
        } else {
            *refused += 1;
        }
    }
}

#[test]
fn what_rights_lead_to_is_what_the_server_lets_pass() {
    let server = start();
    let first = rounds("SEAWALL_PATHS_SERVER_FIRST", 100);
    let seeds = rounds("SEAWALL_PATHS_SERVER_SEEDS", 2);
    let mut tally = Tally::default();
    estate::fixed(&server);
    deeds::every_way_relabels(&server);
    tokens::are_what_they_say(&server);
    for seed in first..first + seeds {
        let objects = estate::random(&mut Dice(seed));
        estate::create(&server, &objects);
        thread::sleep(Duration::from_millis(1200));
        let mut all = estate::given();
        all.extend(objects.iter().cloned());
        try_all(&server, &all, seed, &mut tally);
        estate::delete(&server, &objects);
    }
    for (title, (done, refused)) in &tally.of {
        println!("{title}: {done} done, {refused} refused");
    }
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    let done: usize = tally.of.values().map(|(done, _)| done).sum();
    let refused: usize = tally.of.values().map(|(_, refused)| refused).sum();
    println!("{done} deeds done, {refused} refused");
    // Neither all nor none, or the test would show little.
    let seeds = seeds as usize;
    assert!(
        done > 20 * seeds && refused > 20 * seeds,
        "{done} {refused}"
    );
    assert_eq!(NAMESPACES.len(), 2);
}
