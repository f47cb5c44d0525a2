//! A cluster as AKS would be for what is generated: admission plug-ins, the controllers that quotas and accounts need,
//! the runtime class of sandboxes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use oracle::{ApiServer, Options};
use serde_json::{Value, json};

/// Object ids of the sample intent's Entra groups.
pub(crate) const ADMINISTRATORS: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const DEPLOYERS: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const READERS: &str = "33333333-3333-3333-3333-333333333333";

const CONTROLLERS: [&str; 4] = [
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "validatingadmissionpolicy-status-controller",
];

pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    resources: RefCell<BTreeMap<String, BTreeMap<String, String>>>,
    /// Kinds that were asked for and are not served: those of add-ons.
    pub(crate) missing: RefCell<BTreeSet<String>>,
}

/// Status and message.
pub(crate) type Answer = (u16, String);

impl Cluster {
    pub(crate) fn start() -> Self {
        let options = Options::default()
            .controllers_named(&CONTROLLERS)
            .user("administrator", &[ADMINISTRATORS])
            .user("deployer", &[DEPLOYERS])
            .user("reader", &[READERS]);
        let cluster = Self {
            server: ApiServer::start_with(&options).unwrap(),
            resources: RefCell::default(),
            missing: RefCell::default(),
        };
        // AKS makes them where a pool has sandboxes: https://learn.microsoft.com/azure/aks/use-pod-sandboxing. The others
        // are older names, and one that isolates nothing.
        for (name, handler) in [
            ("kata-vm-isolation", "kata"),
            ("kata-mshv-vm-isolation", "kata"),
            ("kata-cc-isolation", "kata-cc"),
            ("runc", "runc"),
        ] {
            cluster.made(
                &json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
                "metadata": {"name": name}, "handler": handler}),
            );
        }
        cluster
    }

    /// The collection of a kind: `None`, and noted, when the server does not serve it.
    fn path(&self, object: &Value) -> Option<String> {
        let api_version = object["apiVersion"].as_str().unwrap();
        let kind = object["kind"].as_str().unwrap();
        let prefix = if api_version.contains('/') {
            format!("/apis/{api_version}")
        } else {
            format!("/api/{api_version}")
        };
        let mut known = self.resources.borrow_mut();
        let kinds = known.entry(api_version.to_owned()).or_insert_with(|| {
            let (_, list) = self.server.request("GET", &prefix, None).unwrap();
            let resources = list["resources"].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            resources
                .iter()
                .filter(|resource| !text(&resource["name"]).contains('/'))
                .map(|resource| (text(&resource["kind"]), text(&resource["name"])))
                .collect()
        });
        let Some(name) = kinds.get(kind) else {
            self.missing
                .borrow_mut()
                .insert(format!("{kind} {api_version}"));
            return None;
        };
        Some(match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("{prefix}/namespaces/{namespace}/{name}"),
            None => format!("{prefix}/{name}"),
        })
    }

    /// Server-side apply, as the pipeline does it; an unknown field is an error. `None`: the kind is not served.
    pub(crate) fn apply(&self, object: &Value) -> Option<Answer> {
        let path = self.path(object)?;
        let name = object["metadata"]["name"].as_str().unwrap();
        let path =
            format!("{path}/{name}?fieldManager=environment&force=true&fieldValidation=Strict");
        Some(self.ask("APPLY", &path, object))
    }

    /// Creates it, or only says what would become of it. `None`: the kind is not served.
    pub(crate) fn create(&self, object: &Value, dry: bool) -> Option<Answer> {
        let path = self.path(object)?;
        let path = if dry {
            format!("{path}?dryRun=All")
        } else {
            path
        };
        Some(self.ask("POST", &path, object))
    }

    pub(crate) fn made(&self, object: &Value) {
        let (status, message) = self.create(object, false).unwrap();
        assert_eq!(status, 201, "{message}\n{object:#}");
    }

    fn ask(&self, method: &str, path: &str, object: &Value) -> Answer {
        let (status, answer) = self.server.request(method, path, Some(object)).unwrap();
        let message = answer["message"].as_str().unwrap_or_default();
        (status, message.to_owned())
    }

    /// As somebody who signed in.
    pub(crate) fn as_user(
        &self,
        user: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let token = self.server.token_of(user).to_owned();
        let (status, answer) = self.server.request_as(&token, method, path, body).unwrap();
        let message = answer["message"]
            .as_str()
            .map_or_else(|| answer.to_string(), str::to_owned);
        (status, message)
    }

    /// Policies take effect in the order in which they were made: the last one has the marks.
    pub(crate) fn settle(&self) {
        let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "zz-last"}, "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "validations": [{"expression": "object.metadata.name != 'zz-last'"}],
        }});
        let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "zz-last"}, "spec": {"policyName": "zz-last", "validationActions": ["Deny"]}});
        self.made(&policy);
        self.made(&binding);
        let map = json!({"metadata": {"name": "zz-last"}});
        let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
        let in_force = |status: u16, _: &Value| status == 422;
        let (status, answer) = self
            .server
            .eventually("POST", path, Some(&map), in_force)
            .unwrap();
        assert_eq!(status, 422, "{answer:#}");
    }

    /// Waits until the controller has counted what a namespace's quota bounds: before that, admission refuses all of it.
    pub(crate) fn counted(&self, namespace: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/resourcequotas/bounds");
        let done = |_: u16, quota: &Value| quota["status"]["hard"].is_object();
        let (_, quota) = self.server.eventually("GET", &path, None, done).unwrap();
        assert!(done(200, &quota), "{quota:#}");
    }
}
