//! Random estates and questions. Words are few, so that they meet often, and every corner of the evaluation
//! is among them.

use serde_json::{Value, json};

use crate::estates::Dice;

pub(crate) const NAMESPACES: [&str; 3] = ["n0", "n1", "n2"];
const USERS: [&str; 5] = [
    "u0",
    "u1",
    "u2",
    "system:serviceaccount:n0:s0",
    "system:serviceaccount:n1:s1",
];
const GROUPS: [&str; 6] = [
    "g0",
    "g1",
    "system:authenticated",
    "system:serviceaccounts",
    "system:serviceaccounts:n0",
    "system:masters",
];
const ACCOUNTS: [&str; 2] = ["s0", "s1"];
const VERBS: [&str; 9] = [
    "get",
    "list",
    "create",
    "delete",
    "bind",
    "escalate",
    "impersonate",
    "*",
    "deletecollection",
];
const API_GROUPS: [&str; 5] = ["", "apps", "rbac.authorization.k8s.io", "example.com", "*"];
const RESOURCES: [&str; 16] = [
    "pods",
    "pods/exec",
    "pods/log",
    "pods/*",
    "secrets",
    "deployments",
    "deployments/scale",
    "*/scale",
    "*/*",
    "*",
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "serviceaccounts/token",
    "*/exec",
];
const NAMES: [&str; 5] = ["a", "b", "r0", "c0", ""];
const URLS: [&str; 9] = [
    "/healthz",
    "/healthz/*",
    "/api*",
    "/api/*/x",
    "*",
    "/**",
    "/version",
    "/",
    "healthz",
];
pub(crate) const PATHS: [&str; 9] = [
    "/healthz",
    "/healthz/",
    "/healthz/ping",
    "/api",
    "/apis",
    "/api/*/x",
    "/version",
    "/",
    "",
];

/// Everything of one estate, as API objects.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) roles: Vec<Value>,
    pub(crate) cluster_roles: Vec<Value>,
    pub(crate) role_bindings: Vec<Value>,
    pub(crate) cluster_role_bindings: Vec<Value>,
}

impl Objects {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.cluster_roles
            .iter()
            .chain(&self.roles)
            .chain(&self.cluster_role_bindings)
            .chain(&self.role_bindings)
    }

    pub(crate) fn question(&self) -> Value {
        json!({"estate": {
            "roles": self.roles,
            "clusterRoles": self.cluster_roles,
            "roleBindings": self.role_bindings,
            "clusterRoleBindings": self.cluster_role_bindings,
        }})
    }
}

/// One to three of a list.
fn some(dice: &mut Dice, list: &[&str]) -> Vec<String> {
    (0..=dice.below(3))
        .map(|_| (*dice.of(list)).to_owned())
        .collect()
}

pub(crate) fn rule(dice: &mut Dice) -> Value {
    let mut rule = json!({"verbs": some(dice, &VERBS)});
    let kind = dice.below(8);
    if kind < 7 {
        rule["apiGroups"] = some(dice, &API_GROUPS).into();
        rule["resources"] = some(dice, &RESOURCES).into();
        if dice.once_in(4) {
            rule["resourceNames"] = some(dice, &NAMES).into();
        }
    }
    // Both at once is what the API server refuses; its evaluator has an answer all the same.
    if kind >= 6 {
        rule["nonResourceURLs"] = some(dice, &URLS).into();
    }
    // Lists that are missing or empty.
    if dice.once_in(20) {
        let key = *dice.of(&["verbs", "apiGroups", "resources"]);
        rule[key] = json!([]);
    }
    rule
}

fn rules(dice: &mut Dice) -> Vec<Value> {
    (0..dice.below(4)).map(|_| rule(dice)).collect()
}

fn meta(kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name},
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn selector(dice: &mut Dice, layer: usize) -> Value {
    let key = format!("layer{layer}");
    match dice.below(6) {
        0 => json!({"matchLabels": {key: "x"}}),
        1 => json!({"matchLabels": {key: "y"}}),
        2 => json!({"matchExpressions": [{"key": key, "operator": "Exists"}]}),
        3 => json!({"matchExpressions": [{"key": key, "operator": "In", "values": ["x", "z"]}]}),
        4 => {
            json!({"matchLabels": {key: "x"}, "matchExpressions": [{"key": "extra", "operator": "DoesNotExist"}]})
        }
        _ => json!({"matchExpressions": [
            {"key": key, "operator": "Exists"}, {"key": key, "operator": "NotIn", "values": ["y"]}]}),
    }
}

/// ClusterRoles in layers: each may select those of the layer below, and says so before or after it.
fn cluster_roles(dice: &mut Dice) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0..7 {
        let layer = if number < 4 { 0 } else { number - 3 };
        // Names that sort against the layers.
        let mut role = meta("ClusterRole", "", &format!("c{}", (number * 3) % 7));
        role["rules"] = rules(dice).into();
        if dice.below(3) > 0 {
            let mut labels = json!({format!("layer{layer}"): *dice.of(&["x", "y", "z"])});
            if dice.once_in(3) {
                labels["extra"] = "1".into();
            }
            role["metadata"]["labels"] = labels;
        }
        if layer > 0 && dice.below(4) > 0 {
            let selectors: Vec<Value> = (0..dice.below(3))
                .map(|_| selector(dice, layer - 1))
                .collect();
            role["aggregationRule"] = json!({"clusterRoleSelectors": selectors});
        }
        all.push(role);
    }
    // So that the built-in roles seem to be there, and a "no" is one.
    let mut admin = meta("ClusterRole", "", "cluster-admin");
    admin["rules"] = json!([
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]}]);
    all.push(admin);
    all
}

fn subject(dice: &mut Dice) -> Value {
    match dice.below(10) {
        0..=3 => json!({"kind": "User", "name": *dice.of(&USERS)}),
        4..=5 => json!({"kind": "Group", "name": *dice.of(&GROUPS)}),
        6..=7 => {
            json!({"kind": "ServiceAccount", "name": *dice.of(&ACCOUNTS), "namespace": *dice.of(&NAMESPACES)})
        }
        8 => json!({"kind": "ServiceAccount", "name": *dice.of(&ACCOUNTS)}),
        _ => json!({"kind": *dice.of(&["Robot", "user", ""]), "name": *dice.of(&USERS)}),
    }
}

fn binding(dice: &mut Dice, namespace: &str, name: &str) -> Value {
    let kind = if namespace.is_empty() {
        "ClusterRoleBinding"
    } else {
        "RoleBinding"
    };
    let mut binding = meta(kind, namespace, name);
    let role = match dice.below(12) {
        0 => json!({"kind": "Robot", "name": "c0"}),
        1 if dice.once_in(3) => json!({"kind": "ClusterRole", "name": "cluster-admin"}),
        // In a ClusterRoleBinding, or of another namespace, there is no such Role.
        2..=6 => json!({"kind": "Role", "name": format!("r{}", dice.below(4))}),
        _ => json!({"kind": "ClusterRole", "name": format!("c{}", dice.below(8))}),
    };
    binding["roleRef"] = role;
    binding["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io".into();
    let subjects: Vec<Value> = (0..dice.below(4)).map(|_| subject(dice)).collect();
    binding["subjects"] = subjects.into();
    binding
}

pub(crate) fn objects(dice: &mut Dice) -> Objects {
    let mut objects = Objects {
        cluster_roles: cluster_roles(dice),
        ..Objects::default()
    };
    for namespace in NAMESPACES {
        for number in 0..3 {
            if dice.below(4) > 0 {
                let mut role = meta("Role", namespace, &format!("r{number}"));
                role["rules"] = rules(dice).into();
                objects.roles.push(role);
            }
        }
        for number in 0..dice.below(5) {
            objects
                .role_bindings
                .push(binding(dice, namespace, &format!("b{number}")));
        }
    }
    for number in 0..dice.below(6) {
        objects
            .cluster_role_bindings
            .push(binding(dice, "", &format!("b{number}")));
    }
    objects
}

/// The spec of a SubjectAccessReview.
pub(crate) fn review(dice: &mut Dice, objects: &Objects) -> Value {
    let aimed = if dice.below(4) > 0 {
        aim(dice, objects)
    } else {
        None
    };
    match aimed {
        Some(aimed) if dice.once_in(3) => aimed,
        Some(aimed) => spoil(dice, aimed),
        None => anything(dice),
    }
}

fn requester(dice: &mut Dice) -> (String, Vec<String>) {
    let user = if dice.once_in(3) {
        format!(
            "system:serviceaccount:{}:{}",
            dice.of(&NAMESPACES),
            dice.of(&ACCOUNTS)
        )
    } else {
        (*dice.of(&USERS)).to_owned()
    };
    let mut groups: Vec<String> = (0..dice.below(3))
        .map(|_| (*dice.of(&GROUPS)).to_owned())
        .collect();
    // Would make every answer yes.
    if !dice.once_in(10) {
        groups.retain(|group| group != "system:masters");
    }
    (user, groups)
}

fn anything(dice: &mut Dice) -> Value {
    let (user, groups) = requester(dice);
    let verb = *dice.of(&["get", "list", "create", "delete", "bind", "watch", "*"]);
    if dice.once_in(5) {
        return json!({"user": user, "groups": groups,
            "nonResourceAttributes": {"path": *dice.of(&PATHS), "verb": verb}});
    }
    let resource = *dice.of(&RESOURCES);
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    json!({"user": user, "groups": groups, "resourceAttributes": {
        "verb": verb,
        "group": *dice.of(&API_GROUPS),
        "resource": resource,
        "subresource": subresource,
        "namespace": *dice.of(&["n0", "n1", "n2", "", "n9"]),
        "name": *dice.of(&["", "a", "b", "r0", "z"]),
    }})
}

/// A request that a rule of a role allows to a subject of a binding of it (when the rule can match at all, and
/// its role was not changed by aggregation).
fn aim(dice: &mut Dice, objects: &Objects) -> Option<Value> {
    let bindings: Vec<&Value> = objects
        .role_bindings
        .iter()
        .chain(&objects.cluster_role_bindings)
        .collect();
    if bindings.is_empty() {
        return None;
    }
    let binding = *dice.of(&bindings);
    let namespace = binding["metadata"]["namespace"]
        .as_str()
        .unwrap_or_default();
    let name = binding["roleRef"]["name"].as_str()?;
    let roles: Vec<&Value> = if binding["roleRef"]["kind"] == "Role" {
        objects
            .roles
            .iter()
            .filter(|role| role["metadata"]["namespace"] == namespace)
            .collect()
    } else {
        objects.cluster_roles.iter().collect()
    };
    let role = roles
        .into_iter()
        .find(|role| role["metadata"]["name"] == name)?;
    let rules = role["rules"].as_array().filter(|rules| !rules.is_empty())?;
    let rule = dice.of(rules);
    let subjects = binding["subjects"]
        .as_array()
        .filter(|subjects| !subjects.is_empty())?;
    let subject = dice.of(subjects);
    let who = subject["name"].as_str()?;
    let (user, groups) = match subject["kind"].as_str()? {
        "Group" => ("u9".to_owned(), vec![who.to_owned()]),
        "ServiceAccount" => {
            let own = subject["namespace"].as_str().unwrap_or(namespace);
            (format!("system:serviceaccount:{own}:{who}"), Vec::new())
        }
        _ => (who.to_owned(), Vec::new()),
    };
    let mut pick = |key: &str, wild: &str| -> Option<String> {
        let list = rule[key].as_array().filter(|list| !list.is_empty())?;
        let text = dice.of(list).as_str()?;
        Some(if text == "*" {
            wild.to_owned()
        } else {
            text.to_owned()
        })
    };
    let verb = pick("verbs", "watch")?;
    if let Some(url) = pick("nonResourceURLs", "/anything") {
        let path = url.replace('*', "x");
        return Some(
            json!({"user": user, "groups": groups, "nonResourceAttributes": {"path": path, "verb": verb}}),
        );
    }
    let resource = pick("resources", "things")?;
    let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
    let resource = if resource == "*" { "things" } else { resource };
    let name = pick("resourceNames", "").unwrap_or_default();
    let group = pick("apiGroups", "other.io")?;
    Some(
        json!({"user": user, "groups": groups, "resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": if namespace.is_empty() { *dice.of(&["", "n0", "n1"]) } else { namespace },
            "name": name,
        }}),
    )
}

/// Changes one thing.
fn spoil(dice: &mut Dice, mut review: Value) -> Value {
    match dice.below(9) {
        0 => review["user"] = (*dice.of(&USERS)).into(),
        1 => review["groups"] = json!([*dice.of(&GROUPS[..5])]),
        _ if review["nonResourceAttributes"].is_object() => {
            let key = *dice.of(&["path", "verb"]);
            let value = if key == "path" {
                *dice.of(&PATHS)
            } else {
                *dice.of(&VERBS)
            };
            review["nonResourceAttributes"][key] = value.into();
        }
        at => {
            let (key, value) = match at {
                2 => ("verb", *dice.of(&VERBS)),
                3 => ("group", *dice.of(&API_GROUPS)),
                4 => (
                    "resource",
                    *dice.of(&["pods", "secrets", "deployments", "roles", "*"]),
                ),
                5 => ("subresource", *dice.of(&["", "exec", "scale", "log", "*"])),
                6 => ("namespace", *dice.of(&["", "n0", "n1", "n2"])),
                _ => ("name", *dice.of(&["", "a", "b", "r0"])),
            };
            review["resourceAttributes"][key] = value.into();
        }
    }
    review
}

/// Who binds what, where.
pub(crate) fn bind(dice: &mut Dice) -> Value {
    let (user, groups) = requester(dice);
    let namespace = *dice.of(&["", "n0", "n1", "n2"]);
    let role = if namespace.is_empty() || dice.once_in(2) {
        json!({"kind": "ClusterRole", "name": format!("c{}", dice.below(8))})
    } else {
        json!({"kind": "Role", "name": format!("r{}", dice.below(4))})
    };
    let mut role = role;
    role["apiGroup"] = "rbac.authorization.k8s.io".into();
    json!({"user": user, "groups": groups, "namespace": namespace, "roleRef": role})
}

/// Who writes a role with what: rules that somebody was given, one thing spoiled, or any.
pub(crate) fn write(dice: &mut Dice, objects: &Objects) -> Value {
    let (user, groups) = requester(dice);
    let namespace = *dice.of(&["", "n0", "n1"]);
    let given: Vec<&Value> = objects
        .cluster_roles
        .iter()
        .chain(&objects.roles)
        .flat_map(|role| role["rules"].as_array().unwrap())
        .collect();
    let rules: Vec<Value> = (0..dice.below(3))
        .map(|_| match dice.below(3) {
            0 if !given.is_empty() => (*dice.of(&given)).clone(),
            1 if !given.is_empty() => narrowed(dice, &given),
            _ => rule(dice),
        })
        .collect();
    json!({"user": user, "groups": groups, "namespace": namespace,
        "name": *dice.of(&["", "r0", "c0", "a"]), "rules": rules, "aggregates": dice.once_in(4)})
}

/// A rule with less in it: one verb, a name, a subresource.
fn narrowed(dice: &mut Dice, given: &[&Value]) -> Value {
    let mut rule = (*dice.of(given)).clone();
    match dice.below(4) {
        0 => rule["verbs"] = json!([*dice.of(&["get", "list", "create"])]),
        1 if rule["resources"].is_array() => {
            rule["resources"] = json!([*dice.of(&["pods", "pods/exec", "x/scale"])])
        }
        2 if rule["resources"].is_array() => rule["resourceNames"] = json!([*dice.of(&NAMES)]),
        _ if rule["nonResourceURLs"].is_array() => {
            rule["nonResourceURLs"] = json!([*dice.of(&PATHS)])
        }
        _ => {}
    }
    rule
}

/// Everybody whom a random estate may name, each alone: a user without groups, or a user without rights in one
/// group.
pub(crate) fn everybody() -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = USERS
        .iter()
        .map(|user| ((*user).to_owned(), vec![]))
        .collect();
    for namespace in NAMESPACES {
        for account in ACCOUNTS {
            let user = format!("system:serviceaccount:{namespace}:{account}");
            if !USERS.contains(&user.as_str()) {
                all.push((user, vec![]));
            }
        }
    }
    all.extend(
        GROUPS
            .iter()
            .map(|group| ("nobody".to_owned(), vec![(*group).to_owned()])),
    );
    all
}
