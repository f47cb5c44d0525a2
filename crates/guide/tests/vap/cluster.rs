//! An API server that takes objects as they are written, and the few requests that tests make.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use guide::front_matter;
use model::kinds;
use oracle::{ApiServer, Options, User};
use serde_json::{Value, json};

/// The version that `cargo xtask setup` builds.
pub(crate) const SERVER: u8 = 34;

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// The server and what is known of it.
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    namespaces: RefCell<BTreeSet<String>>,
    resources: RefCell<BTreeMap<String, BTreeMap<String, String>>>,
}

/// What came back from a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Messages of policies: policy, text.
    pub(crate) policies: Vec<(String, String)>,
    /// Other warnings.
    pub(crate) warnings: Vec<String>,
}

impl Cluster {
    /// Nothing changes an object before it is judged, and nothing but policies refuses it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with users.
    pub(crate) fn start_with(users: &[User]) -> Self {
        let plugins = "ServiceAccount,PodSecurity,RuntimeClass,Priority,DefaultTolerationSeconds,\
             TaintNodesByCondition,LimitRanger,DefaultStorageClass,DefaultIngressClass,ResourceQuota,\
             PersistentVolumeClaimResize,CertificateApproval,CertificateSigning,CertificateSubjectRestriction,\
             ClusterTrustBundleAttest";
        let options = Options::default()
            .controllers_named(&["validatingadmissionpolicy-status-controller"])
            .flag(&format!(
                "--disable-admission-plugins={}",
                plugins.replace(' ', "")
            ))
            .flag("--runtime-config=api/all=true")
            .flag("--feature-gates=AllBeta=true");
        let options = users.iter().fold(options, |options, user| {
            let groups: Vec<&str> = user.groups.iter().map(String::as_str).collect();
            options.user(&user.name, &groups)
        });
        let server = ApiServer::start_with(&options).unwrap();
        Self {
            server,
            namespaces: RefCell::default(),
            resources: RefCell::default(),
        }
    }

    pub(crate) fn create(&self, path: &str, object: &Value) {
        let (status, answer) = self.server.request("POST", path, Some(object)).unwrap();
        assert_eq!(status, 201, "{answer:#}\n{object:#}");
    }

    pub(crate) fn namespace(&self, name: &str, labels: Option<&Value>) {
        if self.namespaces.borrow_mut().insert(name.to_owned()) {
            let object =
                json!({"metadata": {"name": name, "labels": labels.unwrap_or(&json!({}))}});
            let (status, answer) = self
                .server
                .request("POST", "/api/v1/namespaces", Some(&object))
                .unwrap();
            assert!([201, 409].contains(&status), "{answer:#}");
        }
    }

    /// Creates a policy and its binding.
    pub(crate) fn add(&self, policy: &Value, binding: &Value) {
        self.create(POLICIES, policy);
        self.create(BINDINGS, binding);
    }

    /// Policies take effect in the order in which they were made: the last one has the marks.
    pub(crate) fn settle(&self, mark: &str) {
        let policy = json!({"metadata": {"name": mark}, "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "validations": [{"expression": format!("object.metadata.name != '{mark}'")}],
        }});
        let binding = json!({"metadata": {"name": mark}, "spec": {"policyName": mark, "validationActions": ["Deny"]}});
        self.add(&policy, &binding);
        let map = json!({"metadata": {"name": mark}});
        let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
        let (status, answer) = self
            .server
            .eventually("POST", path, Some(&map), |status, _| status == 422)
            .unwrap();
        assert_eq!(status, 422, "{answer:#}");
    }

    /// What the server's type checker says of a policy whose versions are named.
    pub(crate) fn type_warnings(&self, name: &str) -> Vec<Value> {
        let done = |_: u16, policy: &Value| policy["status"]["observedGeneration"].is_number();
        let (_, policy) = self
            .server
            .eventually("GET", &format!("{POLICIES}/{name}"), None, done)
            .unwrap();
        assert!(done(200, &policy), "{policy:#}");
        policy["status"]["typeChecking"]["expressionWarnings"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// The collection of a kind: `None` when the server does not serve it.
    pub(crate) fn path(&self, object: &Value) -> Option<String> {
        let api_version = object["apiVersion"].as_str()?;
        let prefix = if api_version.contains('/') {
            format!("/apis/{api_version}")
        } else {
            format!("/api/{api_version}")
        };
        let mut known = self.resources.borrow_mut();
        let kinds = known.entry(api_version.to_owned()).or_insert_with(|| {
            let (_, list) = self.server.request("GET", &prefix, None).unwrap();
            let resources = list["resources"].as_array().cloned().unwrap_or_default();
            let own = |resource: &&Value| {
                resource["name"]
                    .as_str()
                    .is_some_and(|name| !name.contains('/'))
            };
            let pair = |resource: &Value| {
                Some((
                    resource["kind"].as_str()?.to_owned(),
                    resource["name"].as_str()?.to_owned(),
                ))
            };
            resources.iter().filter(own).filter_map(pair).collect()
        });
        let name = kinds.get(object["kind"].as_str()?)?;
        Some(match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("{prefix}/namespaces/{namespace}/{name}"),
            None => format!("{prefix}/{name}"),
        })
    }

    /// A definition for every kind among the objects that the server does not know by itself.
    pub(crate) fn define(&self, objects: &[Value]) {
        let mut made = BTreeSet::new();
        for object in objects {
            let Some((api_version, kind)) =
                object["apiVersion"].as_str().zip(object["kind"].as_str())
            else {
                continue;
            };
            let (group, version) = kinds::split_api_version(api_version);
            let known = !kinds::builtin_groups(kind).is_empty() || !group.contains('.');
            if known || !made.insert((group.to_owned(), kind.to_owned())) {
                continue;
            }
            let lower = kind.to_lowercase();
            // `gateways`, `azureidentities`, `secretproviderclasses`
            let plural = match lower.strip_suffix('y') {
                Some(stem) if !stem.ends_with('a') => format!("{stem}ies"),
                _ if lower.ends_with('s') => format!("{lower}es"),
                _ => format!("{lower}s"),
            };
            let crd = json!({"metadata": {"name": format!("{plural}.{group}"), "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}, "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "singular": lower, "kind": kind},
                "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            }});
            self.create(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                &crd,
            );
            let served =
                |status: u16, list: &Value| status == 200 && list.to_string().contains(kind);
            self.server
                .eventually("GET", &format!("/apis/{api_version}"), None, served)
                .unwrap();
        }
    }

    /// Asks what would become of an object; `who` tells policies apart that listen to a name.
    pub(crate) fn judge(&self, object: &Value, who: &str) -> Option<Answer> {
        let path = self.path(object)?;
        let pod = object["kind"] == "Pod" && object["spec"]["ephemeralContainers"].is_array();
        Some(if pod {
            self.judge_ephemeral(&path, object, who)
        } else {
            self.send("POST", &path, object, who)
        })
    }

    /// Ephemeral containers come through a subresource of a pod that exists.
    fn judge_ephemeral(&self, path: &str, object: &Value, who: &str) -> Answer {
        let mut pod = object.clone();
        let containers = pod["spec"]
            .as_object_mut()
            .unwrap()
            .remove("ephemeralContainers")
            .unwrap();
        let (status, made) = self.server.request("POST", path, Some(&pod)).unwrap();
        if status != 201 {
            return Answer {
                status,
                body: made,
                policies: Vec::new(),
                warnings: Vec::new(),
            };
        }
        let mut changed = made.clone();
        changed["spec"]["ephemeralContainers"] = containers;
        let one = format!("{path}/{}", made["metadata"]["name"].as_str().unwrap());
        let answer = self.send("PUT", &format!("{one}/ephemeralcontainers"), &changed, who);
        let now = json!({"gracePeriodSeconds": 0});
        self.server.request("DELETE", &one, Some(&now)).unwrap();
        answer
    }

    pub(crate) fn send(&self, method: &str, path: &str, object: &Value, who: &str) -> Answer {
        let path = format!("{path}?dryRun=All&fieldManager={who}");
        let (status, body, all) = self
            .server
            .request_warned(method, &path, Some(object))
            .unwrap();
        let (mut policies, mut warnings) = (Vec::new(), Vec::new());
        for warning in all {
            match parse(&warning) {
                Some(found) => policies.push(found),
                None => warnings.push(warning),
            }
        }
        Answer {
            status,
            body,
            policies,
            warnings,
        }
    }
}

/// Policy and message of `Validation failed for ValidatingAdmissionPolicy 'P' with binding 'B': M`.
fn parse(warning: &str) -> Option<(String, String)> {
    let rest = warning.strip_prefix("Validation failed for ValidatingAdmissionPolicy '")?;
    let (policy, rest) = rest.split_once("' with binding '")?;
    let (_, message) = rest.split_once("': ")?;
    Some((policy.to_owned(), message.to_owned()))
}

/// The documents of a YAML text.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for raw in yaml::documents(text) {
        if let Ok(doc) = front_matter::read(&raw.text, 1) {
            found.push(guide::setting::to_json(doc.root()));
        }
    }
    found
}
