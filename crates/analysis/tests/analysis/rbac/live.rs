//! A running API server with its controllers is asked the same: reviews, and whether limited users may make
//! roles and bindings. The built-in roles come from the guide's data, not from the server, so that both are held
//! against each other.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use analysis::ask::{Answer, Attributes, Ground, Requester, ResourceTarget, Target};
use analysis::rbac::resources::Resources;
use analysis::rbac::{PolicyRule, Rbac, RoleKindRef, add_bootstrap, reason};
use model::manifest::Form;
use model::{Resource, Scope};
use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use super::random::{self, NAMESPACES, Objects};
use super::upstream::{attributes, requester, rule};
use crate::estates::{self, Dice, rounds};

const API: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Names and groups of those who sign in.
const USERS: [(&str, &[&str]); 3] = [("u0", &["g0"]), ("u1", &["g1"]), ("u2", &[])];

fn builtin() -> Vec<Resource> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guide/data/default-roles.yaml"
    );
    let text = std::fs::read_to_string(file).unwrap();
    estates::resources(text.split("\n---\n"), Form::Yaml)
}

fn list(server: &ApiServer, kind: &str) -> Vec<Value> {
    let (status, answer) = server
        .request("GET", &format!("{API}/{kind}"), None)
        .unwrap();
    assert_eq!(status, 200, "{answer:#}");
    answer["items"].as_array().unwrap().clone()
}

/// What of a random estate the API server takes.
fn valid(mut objects: Objects) -> Objects {
    let fix_rules = |role: &mut Value, cluster: bool| {
        for rule in role["rules"].as_array_mut().unwrap() {
            let rule = rule.as_object_mut().unwrap();
            let paths = cluster && rule.contains_key("nonResourceURLs");
            let needed: &[&str] = if paths {
                &["verbs", "nonResourceURLs"]
            } else {
                &["verbs", "apiGroups", "resources", "resourceNames"]
            };
            rule.retain(|key, _| needed.contains(&key.as_str()));
            for key in needed {
                let list = rule.entry((*key).to_owned()).or_insert_with(|| json!([]));
                if list.as_array().unwrap().is_empty() && *key != "resourceNames" {
                    *list = json!(["get"]);
                }
            }
            if let Some(urls) = rule.get_mut("nonResourceURLs") {
                // Validation takes `*` only at the end, after a slash that begins.
                let good = ["/healthz", "/healthz/*", "/version", "*", "/api*"];
                urls.as_array_mut()
                    .unwrap()
                    .retain(|url| good.contains(&url.as_str().unwrap()));
                if urls.as_array().unwrap().is_empty() {
                    *urls = json!(["/healthz/*"]);
                }
            }
        }
    };
    objects
        .cluster_roles
        .retain(|role| role["metadata"]["name"] != "cluster-admin");
    objects
        .cluster_roles
        .iter_mut()
        .for_each(|role| fix_rules(role, true));
    objects
        .roles
        .iter_mut()
        .for_each(|role| fix_rules(role, false));
    for role in &mut objects.cluster_roles {
        if role["aggregationRule"]["clusterRoleSelectors"] == json!([]) {
            role.as_object_mut().unwrap().remove("aggregationRule");
        }
    }
    // Roles that nobody made by hand: their rules go into Kubernetes' own.
    if let Some(role) = objects.cluster_roles.first_mut() {
        role["metadata"]["labels"] = json!({"rbac.authorization.k8s.io/aggregate-to-view": "true"});
        role.as_object_mut().unwrap().remove("aggregationRule");
    }
    for binding in objects
        .role_bindings
        .iter_mut()
        .chain(&mut objects.cluster_role_bindings)
    {
        let cluster = binding["metadata"]["namespace"].is_null();
        binding["subjects"]
            .as_array_mut()
            .unwrap()
            .retain(|subject| {
                let kind = subject["kind"].as_str().unwrap();
                ["User", "Group"].contains(&kind)
                    || (kind == "ServiceAccount" && subject["namespace"].is_string())
            });
        let role = &mut binding["roleRef"];
        if role["kind"] == "Robot" || (cluster && role["kind"] == "Role") {
            role["kind"] = "ClusterRole".into();
            role["name"] = "view".into();
        }
    }
    objects
}

/// Everybody who signs in may write roles and bindings; what they may give is the question.
fn writers() -> [Value; 2] {
    let subjects: Vec<Value> = USERS
        .iter()
        .map(|(user, _)| json!({"kind": "User", "name": user}))
        .collect();
    [
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "writer"},
            "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "verbs": ["create"],
                "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "writers"}, "subjects": subjects,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "writer"}}),
    ]
}

fn start() -> ApiServer {
    let mut options = Options::default().controllers();
    for (user, groups) in USERS {
        options = options.user(user, groups);
    }
    let server = ApiServer::start_with(&options).unwrap();
    for namespace in NAMESPACES {
        let object = json!({"metadata": {"name": namespace}});
        let (status, answer) = server
            .request("POST", "/api/v1/namespaces", Some(&object))
            .unwrap();
        assert_eq!(status, 201, "{answer:#}");
    }
    server
}

fn create(server: &ApiServer, object: &Value) {
    let path = path_of(object);
    let (mut status, mut answer) = server.request("POST", &path, Some(object)).unwrap();
    if status == 409 {
        // The controller may apply to a role that was just deleted, which makes it again.
        let name = object["metadata"]["name"].as_str().unwrap();
        server
            .request("DELETE", &format!("{path}/{name}"), None)
            .unwrap();
        (status, answer) = server.request("POST", &path, Some(object)).unwrap();
    }
    assert_eq!(status, 201, "{object}\n{answer:#}");
}

/// The path of an object's kind in its namespace.
fn path_of(object: &Value) -> String {
    let kind = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{API}/namespaces/{namespace}/{kind}"),
        None => format!("{API}/{kind}"),
    }
}

/// Waits until the controller has nothing left to aggregate and the authorizer has seen it all.
fn settle(server: &ApiServer) -> Vec<Value> {
    let mut before = list(server, "clusterroles");
    loop {
        thread::sleep(Duration::from_millis(700));
        let now = list(server, "clusterroles");
        if now == before {
            return now;
        }
        before = now;
    }
}

/// The rules as sets, since neither their order nor that of their words is said anywhere.
fn rules_of(role: &Value) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = role["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .map(rule)
        .collect();
    for rule in &mut rules {
        for list in [
            &mut rule.verbs,
            &mut rule.groups,
            &mut rule.resources,
            &mut rule.names,
            &mut rule.urls,
        ] {
            list.sort();
        }
    }
    rules.sort();
    rules
}

/// Name, what it holds but for times and managers.
fn facts(objects: &[Value]) -> BTreeMap<String, Value> {
    objects
        .iter()
        .map(|object| {
            let meta = &object["metadata"];
            let id = format!("{}/{}", meta["namespace"].as_str().unwrap_or_default(), meta["name"].as_str().unwrap());
            let said = json!({
                "labels": meta["labels"],
                "roleRef": object["roleRef"],
                "subjects": object["subjects"],
                "aggregates": object["aggregationRule"],
                "rules": if object["aggregationRule"].is_null() {
                    json!(rules_of(object).iter().map(|rule| format!("{rule:?}")).collect::<Vec<_>>())
                } else {
                    Value::Null // what the controller makes of them is another matter
                },
            });
            (id, said)
        })
        .collect()
}

fn to_json(value: model::Ref<'_>) -> Value {
    if let Some(text) = value.as_str() {
        text.into()
    } else if value.is_list() {
        value.items().map(to_json).collect()
    } else {
        Value::Object(
            value
                .entries()
                .map(|(key, _, value)| (key.to_owned(), to_json(value)))
                .collect(),
        )
    }
}

#[test]
fn the_built_in_roles_are_those_of_a_new_server() {
    let server = ApiServer::start().unwrap();
    resources_are_those_that_are_served(&server);
    let ours = builtin();
    for kind in ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"] {
        let given: Vec<Value> = ours
            .iter()
            .filter(|resource| resource.name.kind.name() == kind)
            .map(|resource| to_json(resource.object()))
            .collect();
        let real = list(&server, &format!("{}s", kind.to_lowercase()));
        let (given, real) = (facts(&given), facts(&real));
        assert_eq!(
            given.keys().collect::<Vec<_>>(),
            real.keys().collect::<Vec<_>>()
        );
        for (id, said) in &real {
            assert_eq!(&given[id], said, "{kind} {id}");
        }
    }
}

#[test]
fn a_running_server_gives_the_same_answers() {
    let server = start();
    let seeds = rounds("SEAWALL_RBAC_SERVER_SEEDS", 2);
    let (mut yes, mut given) = (0, 0);
    for seed in 0..seeds {
        let (more_yes, more_given) = one_estate(&server, 7_000 + seed);
        (yes, given) = (yes + more_yes, given + more_given);
    }
    // Neither all yes nor all no, or the test would show little.
    let seeds = seeds as usize;
    assert!(
        yes > 10 * seeds && yes < 390 * seeds,
        "{yes} of {} are yes",
        400 * seeds
    );
    assert!(
        given > 5 * seeds && given < 195 * seeds,
        "{given} of {} were allowed",
        200 * seeds
    );
}

/// How many reviews were allowed, and how many writes.
fn one_estate(server: &ApiServer, seed: u64) -> (usize, usize) {
    let mut dice = Dice(seed);
    let objects = valid(random::objects(&mut dice));
    let writers = writers();
    for object in objects.all().chain(&writers) {
        create(server, object);
    }
    let real_roles = settle(server);

    // Files, and what every cluster has.
    let mut estate = estates::estate(Scope::Whole, estates::json(objects.all().chain(&writers)));
    add_bootstrap(&mut estate, builtin());
    let rbac = Rbac::new(&estate);
    let real_view = real_roles
        .iter()
        .find(|role| role["metadata"]["name"] == "view")
        .unwrap();
    let mut ours = rbac.rules_of_cluster_role("view").unwrap();
    for rule in &mut ours {
        for list in [
            &mut rule.verbs,
            &mut rule.groups,
            &mut rule.resources,
            &mut rule.names,
            &mut rule.urls,
        ] {
            list.sort();
        }
    }
    ours.sort();
    assert_eq!(ours, rules_of(real_view), "seed {seed}");

    let mut yes = 0;
    for _ in 0..400 {
        let spec = random::review(&mut dice, &objects);
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let (status, answer) = server.request("POST", path, Some(&review)).unwrap();
        assert_eq!(status, 201, "{answer:#}");
        let answer = &answer["status"];
        let ours = rbac.can(&requester(&spec), &attributes(&spec));
        let allowed = answer["allowed"] == true;
        let said = reason(&ours, &estate);
        let agrees = match &ours {
            Answer::Yes(_) => allowed && said.is_empty() == answer["reason"].is_null(),
            Answer::No(Ground::Complete) => {
                // In which order the server's cache lists bindings is not said.
                let parts = |text: &str| {
                    let inner = text
                        .trim_start_matches("RBAC: ")
                        .trim_matches(['[', ']'])
                        .to_owned();
                    inner
                        .split(", ")
                        .map(str::to_owned)
                        .collect::<BTreeSet<_>>()
                };
                let ours = rbac.missing_roles(&requester(&spec), &attributes(&spec));
                let theirs = answer["reason"].as_str().unwrap_or_default();
                !allowed && parts(theirs) == parts(&ours.unwrap_or_default())
            }
            _ => false,
        };
        assert!(
            agrees,
            "seed {seed}: {spec}\nserver {answer}\nours {ours:?}"
        );
        yes += usize::from(allowed);
    }
    let given = (0..200)
        .filter(|_| one_write(server, &rbac, &mut dice, &objects))
        .count();

    for object in objects.all().chain(&writers) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{}/{name}", path_of(object));
        assert_eq!(server.request("DELETE", &path, None).unwrap().0, 200);
    }
    settle(server);
    (yes, given)
}

/// A limited user makes a role or a binding: allowed or refused as we say.
fn one_write(server: &ApiServer, rbac: &Rbac, dice: &mut Dice, objects: &Objects) -> bool {
    let (user, groups) = *dice.of(&USERS);
    let who = Requester {
        user,
        groups: groups.iter().map(|group| Cow::Borrowed(*group)).collect(),
        object_id: None,
    }
    .with_implied_groups();
    let namespace = *dice.of(&["", "n0", "n1", "n2"]);
    let mut body =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "new"}});
    let (kind, resource, passes) = if dice.once_in(2) {
        let mut role = random::bind(dice)["roleRef"].clone();
        if namespace.is_empty() {
            role["kind"] = "ClusterRole".into();
        }
        let kind = if role["kind"] == "Role" {
            RoleKindRef::Role
        } else {
            RoleKindRef::ClusterRole
        };
        let passes = rbac
            .may_bind(&who, kind, role["name"].as_str().unwrap(), namespace)
            .passes();
        body["roleRef"] = role;
        body["subjects"] =
            json!([{"kind": "User", "name": "x", "apiGroup": "rbac.authorization.k8s.io"}]);
        if namespace.is_empty() {
            ("ClusterRoleBinding", "clusterrolebindings", passes)
        } else {
            ("RoleBinding", "rolebindings", passes)
        }
    } else {
        let asked = random::write(dice, objects);
        let mut role = json!({"rules": asked["rules"]});
        let aggregates = namespace.is_empty() && asked["aggregates"] == true;
        if aggregates {
            body["aggregationRule"] =
                json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
        }
        let wrapper = Objects {
            cluster_roles: if namespace.is_empty() {
                vec![json!({"metadata": {"name": "0"}, "rules": []}), role.take()]
            } else {
                vec![]
            },
            roles: if namespace.is_empty() {
                vec![]
            } else {
                vec![role.take()]
            },
            ..Objects::default()
        };
        let fixed = valid(wrapper);
        let role = fixed.roles.first().or(fixed.cluster_roles.get(1)).unwrap();
        let rules: Vec<PolicyRule> = role["rules"].as_array().unwrap().iter().map(rule).collect();
        body["rules"] = role["rules"].clone();
        let passes = rbac
            .may_write_role(&who, namespace, "", &rules, aggregates)
            .passes();
        if namespace.is_empty() {
            ("ClusterRole", "clusterroles", passes)
        } else {
            ("Role", "roles", passes)
        }
    };
    body["kind"] = kind.into();
    let create = Attributes {
        verb: "create",
        target: Target::Resource(ResourceTarget {
            group: "rbac.authorization.k8s.io",
            version: "v1",
            resource,
            namespace,
            ..ResourceTarget::default()
        }),
    };
    let allowed = passes && rbac.can(&who, &create).is_yes();
    let path = if namespace.is_empty() {
        format!("{API}/{resource}?dryRun=All")
    } else {
        format!("{API}/namespaces/{namespace}/{resource}?dryRun=All")
    };
    let (status, answer) = server
        .request_as(server.token_of(user), "POST", &path, Some(&body))
        .unwrap();
    // A binding whose role is not there is refused with "not found".
    assert!(
        [201, 403, 404].contains(&status),
        "{status} {body}\n{answer:#}"
    );
    assert_eq!(
        status == 201,
        allowed,
        "{user} {namespace} {body}\nserver: {status} {}",
        answer["message"]
    );
    allowed
}

/// Everything that a new server serves is in the table, as it is there.
fn resources_are_those_that_are_served(server: &ApiServer) {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guide/data/kubernetes-resources.txt"
    );
    let table = Resources::parse(&std::fs::read_to_string(file).unwrap());
    let (_, groups) = server.request("GET", "/apis", None).unwrap();
    let mut served = 0;
    let versions = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| {
            let versions = group["versions"].as_array().unwrap();
            versions
                .iter()
                .map(|version| format!("/apis/{}", version["groupVersion"].as_str().unwrap()))
        });
    for path in std::iter::once("/api/v1".to_owned()).chain(versions) {
        let group = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "apis", group, _] => group.to_owned(),
            _ => String::new(),
        };
        let (_, list) = server.request("GET", &path, None).unwrap();
        for resource in list["resources"].as_array().unwrap() {
            let name = resource["name"].as_str().unwrap();
            let word = match name.split_once('/') {
                _ if group.is_empty() => name.to_owned(),
                Some((name, sub)) => format!("{name}.{group}/{sub}"),
                None => format!("{name}.{group}"),
            };
            let named = table.find(&word).unwrap();
            assert_eq!(
                named.cluster_scoped,
                Some(resource["namespaced"] == false),
                "{word}"
            );
            for verb in resource["verbs"].as_array().unwrap() {
                assert!(
                    named.verbs.contains(&verb.as_str().unwrap()),
                    "{word} {verb}"
                );
            }
            for short in resource["shortNames"].as_array().into_iter().flatten() {
                let short = format!("{}.{group}", short.as_str().unwrap());
                if !group.is_empty() {
                    assert_eq!(&*table.find(&short).unwrap().resource, name);
                }
            }
            served += 1;
        }
    }
    assert!(served > 100, "{served}");
}
