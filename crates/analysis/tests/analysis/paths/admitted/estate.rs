//! Random namespaces, policies and parameters.

use serde_json::{Value, json};

use crate::estates::Dice;

const POLICIES: &str = "admissionregistration.k8s.io/v1";

/// What rules ask of a pod, or of the request. Of some it hangs on what the attacker writes, of others on who asks.
const EXPRESSIONS: &[&str] = &[
    "!object.spec.?hostPID.orValue(false)",
    "!object.spec.?hostNetwork.orValue(false)",
    "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
    "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath) || v.hostPath.path.startsWith('/run/'))",
    "object.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
    "object.spec.?ephemeralContainers.orValue([]).all(c, !c.?securityContext.?privileged.orValue(false))",
    "object.spec.?ephemeralContainers.orValue([]).size() == 0",
    "(object.spec.containers + object.spec.?ephemeralContainers.orValue([])).all(c, \
        c.?securityContext.?capabilities.?add.orValue([]).all(a, a in ['NET_BIND_SERVICE']))",
    "object.spec.containers.all(c, c.image.startsWith('shop.example/'))",
    "object.spec.?ephemeralContainers.orValue([]).all(c, c.image.startsWith('shop.example/'))",
    "object.metadata.?labels[?'team'].orValue('') == 'shop'",
    "object.metadata.?labels[?'team'].orValue('') != 'shop'",
    "has(object.metadata.labels) && 'app' in object.metadata.labels",
    "!has(object.metadata.labels) || !('app' in object.metadata.labels)",
    "object.metadata.labels.app == 'web'",
    "object.spec.serviceAccountName == 'a0'",
    "object.spec.serviceAccountName != 'a0'",
    "!object.spec.?automountServiceAccountToken.orValue(true)",
    "object.spec.volumes.all(v, !has(v.projected))",
    "object.metadata.name.startsWith('web-')",
    "request.name != 'web-1'",
    "request.userInfo.username != 'admin'",
    "request.userInfo.username == 'nobody'",
    "request.operation == 'CREATE'",
    "oldObject == null",
    "oldObject == null || oldObject.spec.containers.size() == object.spec.containers.size()",
    "request.namespace.startsWith('x')",
    "namespaceObject.metadata.?labels[?'env'].orValue('') != 'live'",
    "namespaceObject.metadata.labels.env == 'live'",
    "has(object.spec.containers[0].resources.limits)",
    "object.spec.securityContext.runAsNonRoot == true",
    "object.spec.?securityContext.?runAsNonRoot.orValue(false) == true",
    "object.spec.containers[0].securityContext.readOnlyRootFilesystem == true",
    "object.spec.containers.exists(c, c.name == 'web')",
    "object.spec.dnsPolicy == 'ClusterFirst'",
    "object.spec.nothing == 1",
    "variables.none == true",
    "variables.names.exists(n, n == 'web')",
    "object.kind == 'Pod' && request.kind.kind == 'Pod'",
    "request.subResource == ''",
    "authorizer.group('').resource('nodes').check('get').allowed()",
];

/// The same of parameters.
const OF_PARAMS: &[&str] = &[
    "params.data.open == 'yes'",
    "params == null || params.data.?open.orValue('no') == 'yes'",
    "params != null",
    "object.spec.containers.all(c, c.image.startsWith(params.data.registry))",
    "params.metadata.name == 'rules'",
];

fn labels(dice: &mut Dice, choices: &[(&str, &[&str])]) -> Value {
    let mut labels = json!({});
    for (key, values) in choices {
        if dice.once_in(2) {
            labels[*key] = (*dice.of(values)).into();
        }
    }
    labels
}

/// A namespace with its labels, what is in it, and a pod.
pub(super) fn namespace(dice: &mut Dice, name: &str) -> Vec<Value> {
    let level = dice.below(7);
    let mut own = labels(
        dice,
        &[("team", &["shop", "bank"]), ("env", &["live", "test"])],
    );
    let pss = |rest: &str| format!("pod-security.kubernetes.io/{rest}");
    match level {
        0 => own[pss("enforce")] = "baseline".into(),
        1 => own[pss("enforce")] = "restricted".into(),
        2 => own[pss("enforce")] = "privileged".into(),
        3 => own[pss("warn")] = "restricted".into(),
        _ => {}
    }
    if dice.once_in(3) {
        own[pss("enforce-version")] = (*dice.of(&["latest", "v1.24", "v1.34"])).into();
    }
    if dice.once_in(4) {
        own[pss("audit")] = "baseline".into();
    }
    let meta = |name: &str| json!({"name": name});
    let within = |of: &str| json!({"name": of, "namespace": name});
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": within("a0")}),
    ];
    if dice.once_in(2) {
        let open = *dice.of(&["yes", "no"]);
        let mut rules = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": within("rules"),
            "data": {"open": open, "registry": dice.of(&["shop.example/", "other.example/"])}});
        rules["metadata"]["labels"] = labels(dice, &[("kind", &["rules"])]);
        all.push(rules);
    }
    let mut pod = super::pods::tame(name);
    pod["metadata"] = within("p0");
    pod["metadata"]["labels"] = labels(
        dice,
        &[("team", &["shop", "bank"]), ("app", &["web", "db"])],
    );
    pod["spec"]["serviceAccountName"] = (*dice.of(&["a0", "default"])).into();
    if dice.once_in(2) {
        pod["spec"]["containers"][0]["name"] = meta("web")["name"].clone();
    }
    if dice.once_in(3) {
        let container = &mut pod["spec"]["containers"][0];
        container["securityContext"]
            .as_object_mut()
            .unwrap()
            .remove("readOnlyRootFilesystem");
        container.as_object_mut().unwrap().remove("resources");
    }
    all.push(pod);
    all
}

fn selector(dice: &mut Dice, keys: &[(&str, &[&str])]) -> Value {
    let (key, values) = *dice.of(keys);
    match dice.below(6) {
        0 => json!({"matchLabels": {key: dice.of(values)}}),
        1 => json!({"matchExpressions": [{"key": key, "operator": "Exists"}]}),
        2 => json!({"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}),
        3 => {
            json!({"matchExpressions": [{"key": key, "operator": "In", "values": [dice.of(values)]}]})
        }
        4 => {
            json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [dice.of(values)]}]})
        }
        _ => json!({}),
    }
}

fn rule(dice: &mut Dice) -> Value {
    let resources: &[&str] = match dice.below(9) {
        0 => &["pods"],
        1 => &["pods/ephemeralcontainers"],
        2 => &["*"],
        3 => &["*/*"],
        4 => &["pods/*"],
        5 => &["configmaps"],
        _ => &["pods", "pods/ephemeralcontainers"],
    };
    let operations: &[&str] = match dice.below(6) {
        0 => &["CREATE"],
        1 => &["UPDATE"],
        2 => &["*"],
        _ => &["CREATE", "UPDATE"],
    };
    let mut rule = json!({
        "apiGroups": [dice.of(&["", "", "", "*", "apps"])],
        "apiVersions": [dice.of(&["v1", "v1", "v1", "*", "v2"])],
        "operations": operations, "resources": resources,
    });
    if dice.once_in(4) {
        rule["scope"] = (*dice.of(&["Namespaced", "*", "Cluster"])).into();
    }
    if dice.once_in(8) {
        rule["resourceNames"] = json!([dice.of(&["p0", "web-1"])]);
    }
    rule
}

/// To what a policy or a binding applies.
fn constraints(dice: &mut Dice, of_policy: bool) -> Value {
    let mut all = json!({});
    if of_policy || dice.once_in(5) {
        all["resourceRules"] = (0..1 + dice.below(2)).map(|_| rule(dice)).collect();
    }
    if dice.once_in(6) {
        all["excludeResourceRules"] = json!([rule(dice)]);
    }
    if dice.once_in(3) {
        let keys: &[(&str, &[&str])] = &[("team", &["shop", "bank"]), ("env", &["live", "test"])];
        all["namespaceSelector"] = selector(dice, keys);
    }
    if dice.once_in(5) {
        let keys: &[(&str, &[&str])] = &[("team", &["shop", "bank"]), ("app", &["web", "db"])];
        all["objectSelector"] = selector(dice, keys);
    }
    if dice.once_in(3) {
        all["matchPolicy"] = (*dice.of(&["Exact", "Equivalent"])).into();
    }
    all
}

fn expression(dice: &mut Dice, params: bool) -> &'static str {
    if params && dice.once_in(2) {
        dice.of::<&str>(OF_PARAMS)
    } else {
        dice.of::<&str>(EXPRESSIONS)
    }
}

/// A policy and its bindings.
pub(super) fn policy(dice: &mut Dice, name: &str, namespaces: &[String]) -> Vec<Value> {
    let params = dice.once_in(3);
    let validations: Vec<Value> = (0..1 + dice.below(2))
        .map(|_| json!({"expression": expression(dice, params)}))
        .collect();
    let mut spec = json!({
        "failurePolicy": dice.of(&["Fail", "Fail", "Ignore"]),
        "matchConstraints": constraints(dice, true),
        "variables": [
            {"name": "containers", "expression": "object.spec.containers + object.spec.?ephemeralContainers.orValue([])"},
            {"name": "names", "expression": "variables.containers.map(c, c.name)"},
            {"name": "none", "expression": "object.spec.?ephemeralContainers.orValue([]).size() == 0"},
        ],
        "validations": validations,
    });
    if dice.once_in(3) {
        let conditions: Vec<Value> = (0..1 + dice.below(2))
            .map(|number| json!({"name": format!("c{number}"), "expression": condition(dice, params)}))
            .collect();
        spec["matchConditions"] = conditions.into();
    }
    if params {
        spec["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    }
    let mut all = vec![
        json!({"apiVersion": POLICIES, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}),
    ];
    for number in 0..[1, 1, 1, 2, 0][dice.below(5)] {
        let actions: &[&str] = match dice.below(8) {
            0 => &["Warn"],
            1 => &["Audit"],
            2 => &["Warn", "Audit"],
            3 => &["Deny", "Audit"],
            _ => &["Deny"],
        };
        let mut spec = json!({"policyName": name, "validationActions": actions});
        if dice.once_in(2) {
            spec["matchResources"] = constraints(dice, false);
        }
        if params && !dice.once_in(5) || dice.once_in(12) {
            spec["paramRef"] = reference(dice, namespaces);
        }
        all.push(
            json!({"apiVersion": POLICIES, "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": format!("{name}-{number}")}, "spec": spec}),
        );
    }
    all
}

/// Variables are not there yet.
fn condition(dice: &mut Dice, params: bool) -> &'static str {
    loop {
        let one = expression(dice, params);
        if !one.contains("variables.") && !one.contains("namespaceObject") {
            return one;
        }
    }
}

fn reference(dice: &mut Dice, namespaces: &[String]) -> Value {
    let mut reference = json!({"parameterNotFoundAction": dice.of(&["Allow", "Deny"])});
    if dice.once_in(3) {
        reference["selector"] = if dice.once_in(2) {
            json!({"matchLabels": {"kind": "rules"}})
        } else {
            json!({"matchExpressions": [{"key": "kind", "operator": "DoesNotExist"}]})
        };
    } else {
        reference["name"] = (*dice.of(&["rules", "rules", "missing"])).into();
    }
    if dice.once_in(2) {
        reference["namespace"] = dice.of(namespaces).as_str().into();
    }
    reference
}
