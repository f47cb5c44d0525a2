//! The ValidatingWebhookConfiguration that leads an API server here.
//!
//! Its namespace selectors are those that AKS's Admissions Enforcer writes into every configuration
//! (Azure/AKS#1771), so that nothing changes them back and forth. What it deliberately leaves out: sending it;
//! `sources::cluster` does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::kinds::Kind;
use report::config::Config;
use serde_json::{Value, json};
use sources::cluster::kinds::WANTED;

use crate::admission::{Gate, Half};

/// The name of the configuration.
pub const NAME: &str = "seawall";
/// Where an API server has configurations.
pub const CONFIGURATIONS: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// What an API server labels a namespace with: its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Seconds that an API server waits.
const TIMEOUT: u32 = 5;

/// How API servers reach the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Through a Service in the cluster.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// At an address (`https://seawall.example:8443`), for a webhook outside of the cluster.
    Url(String),
}

/// What the configuration says besides the guidelines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// How the webhook is reached.
    pub way: Way,
    /// The authorities to trust, as PEM; none: somebody else writes them (cert-manager's injector).
    pub trusted: Option<String>,
    /// Namespaces that are left alone, besides `kube-system`.
    pub exclude: Vec<String>,
    /// The Certificate (`namespace/name`) whose authority cert-manager's injector writes from now on, over what is
    /// trusted at the beginning (<https://cert-manager.io/docs/concepts/ca-injector/>).
    pub injected_from: Option<String>,
}

/// The namespaces that are left alone: its own, and those of the configuration.
#[must_use]
pub fn excluded(own: &str, config: &Config) -> Vec<String> {
    let mut exclude = vec![own.to_owned()];
    exclude.extend(config.serve.exclude.iter().map(|name| name.to_string()));
    exclude
}

/// What the control plane and nodes write to stay alive: a webhook that is away or strict must not stop them. Of
/// Secrets nothing is judged that a webhook should be sent their values for; they are not in the table.
const LEFT_ALONE: [&str; 6] = [
    "nodes",
    // What was read of a node is told, not refused.
    "nodereadings",
    "endpointslices",
    "certificatesigningrequests",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
];

/// The configuration: one webhook for what fails closed and one for what fails open, each where some guideline asks.
#[must_use]
pub fn configuration(gate: &Gate<'_>, installed: &Installed) -> Value {
    let webhooks: Vec<Value> = [
        (Half::Closed, "closed", "Fail"),
        (Half::Open, "open", "Ignore"),
    ]
    .into_iter()
    .filter_map(|(half, word, policy)| webhook(gate, installed, half, word, policy))
    .collect();
    let mut metadata = json!({
        "name": NAME,
        "labels": { "app.kubernetes.io/name": "seawall", "app.kubernetes.io/managed-by": "seawall" }
    });
    if let (Some(from), Some(metadata)) = (&installed.injected_from, metadata.as_object_mut()) {
        let annotations = json!({ "cert-manager.io/inject-ca-from": from });
        metadata.insert("annotations".to_owned(), annotations);
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": webhooks,
    })
}

fn webhook(
    gate: &Gate<'_>,
    installed: &Installed,
    half: Half,
    word: &str,
    policy: &str,
) -> Option<Value> {
    let rules = rules(gate, half);
    if rules.is_empty() {
        return None;
    }
    // Of a dry run nobody needs to wait for an answer.
    let policy = if gate.fails_closed(half) {
        policy
    } else {
        "Ignore"
    };
    let path = format!("/validate/{word}");
    let mut client = match &installed.way {
        Way::Service {
            namespace,
            name,
            port,
        } => json!({
            "service": { "namespace": namespace, "name": name, "path": path, "port": port }
        }),
        Way::Url(url) => json!({ "url": format!("{}{path}", url.trim_end_matches('/')) }),
    };
    if let (Some(trusted), Some(client)) = (&installed.trusted, client.as_object_mut()) {
        client.insert("caBundle".to_owned(), bundle(trusted).into());
    }
    let mut left_alone = vec!["kube-system".to_owned()];
    left_alone.extend(installed.exclude.iter().cloned());
    left_alone.sort();
    left_alone.dedup();
    Some(json!({
        "name": format!("{word}.seawall.dev"),
        "clientConfig": client,
        "rules": rules,
        "failurePolicy": policy,
        "matchPolicy": "Equivalent",
        "namespaceSelector": {
            "matchExpressions": [
                { "key": "control-plane", "operator": "NotIn", "values": ["true"] },
                { "key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"] },
                { "key": NAME_LABEL, "operator": "NotIn", "values": left_alone },
            ]
        },
        // What the API server writes itself while it starts (its own ClusterRoles): it must not need a webhook for
        // that, which may need the API server (k8s.io/apiserver/pkg/authentication/user, `APIServerUser`).
        "matchConditions": [{
            "name": "not-the-api-server-itself",
            "expression": "request.userInfo.username != 'system:apiserver'",
        }],
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT,
        "admissionReviewVersions": ["v1"],
    }))
}

/// Brings the webhooks of a configuration that is there up to what guidelines ask for now: which kinds are sent, how a
/// webhook fails, and which namespaces are left alone. How it is reached, whom to trust, and whatever others changed
/// stays as it is. Whether anything became another.
pub fn renew(there: &mut Value, gate: &Gate<'_>, exclude: Vec<String>) -> bool {
    let nowhere = Installed {
        way: Way::Url(String::new()),
        trusted: None,
        exclude,
        injected_from: None,
    };
    let mut wanted = configuration(gate, &nowhere);
    let wanted = wanted.get_mut("webhooks").map(Value::take);
    let (Some(Value::Array(wanted)), Some(Value::Array(webhooks))) =
        (wanted, there.get_mut("webhooks"))
    else {
        return false;
    };
    let next: Vec<Value> = wanted
        .into_iter()
        .filter_map(|wanted| renewed(webhooks, wanted))
        .collect();
    let another = next != *webhooks;
    *webhooks = next;
    another
}

/// A webhook as it is to be, beside those that there are.
fn renewed(webhooks: &[Value], mut wanted: Value) -> Option<Value> {
    let own = webhooks
        .iter()
        .find(|other| other.get("name") == wanted.get("name"));
    let Some(own) = own else {
        let client = webhooks.first()?.get("clientConfig")?;
        let path = wanted.pointer("/clientConfig/url").and_then(Value::as_str);
        let client = led_to(client, path?)?;
        *wanted.get_mut("clientConfig")? = client;
        return Some(wanted);
    };
    let mut own = own.clone();
    for key in ["rules", "failurePolicy"] {
        *own.get_mut(key)? = wanted.get_mut(key)?.take();
    }
    let left_alone = |webhook: &Value| {
        let expressions = webhook.pointer("/namespaceSelector/matchExpressions")?;
        let mut expressions = expressions.as_array()?.iter();
        expressions
            .find(|one| one.get("key").and_then(Value::as_str) == Some(NAME_LABEL))
            .cloned()
    };
    if left_alone(&own) != left_alone(&wanted) {
        *own.get_mut("namespaceSelector")? = wanted.get_mut("namespaceSelector")?.take();
    }
    Some(own)
}

/// How another webhook of the same server is reached: by the path of its own.
fn led_to(client: &Value, path: &str) -> Option<Value> {
    let mut client = client.clone();
    if let Some(service) = client.get_mut("service").and_then(Value::as_object_mut) {
        service.insert("path".to_owned(), path.into());
        return Some(client);
    }
    let url = client.get("url")?.as_str()?;
    let url = url
        .strip_suffix("/validate/closed")
        .or_else(|| url.strip_suffix("/validate/open"))?;
    let url = format!("{url}{path}");
    client.as_object_mut()?.insert("url".to_owned(), url.into());
    Some(client)
}

/// The authorities as a configuration holds them.
#[must_use]
pub fn bundle(trusted: &str) -> String {
    STANDARD.encode(trusted)
}

/// What is sent: the kinds that guidelines of a half are about, a rule for each group.
fn rules(gate: &Gate<'_>, half: Half) -> Vec<Value> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for wanted in WANTED {
        let kind = Kind::Kubernetes {
            group: wanted.group.into(),
            kind: wanted.kind.into(),
        };
        if LEFT_ALONE.contains(&wanted.resource) || !gate.is_asked_about(half, &kind) {
            continue;
        }
        let mut resources = vec![wanted.resource.to_owned()];
        if wanted.resource == "pods" {
            // Containers that are added to a pod later; the review holds the whole pod.
            resources.push("pods/ephemeralcontainers".to_owned());
        }
        match groups.iter_mut().find(|(group, _)| *group == wanted.group) {
            Some((_, known)) => known.extend(resources),
            None => groups.push((wanted.group, resources)),
        }
    }
    groups
        .into_iter()
        .map(|(group, resources)| {
            json!({
                "apiGroups": [group],
                "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"],
                "resources": resources,
                "scope": "*",
            })
        })
        .collect()
}
