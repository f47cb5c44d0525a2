//! What a test asks of its API server beyond the default.

/// Someone who may sign in with a token.
#[derive(Clone, Debug)]
pub struct User {
    /// The name that Kubernetes sees, for instance `jane`.
    pub name: String,
    /// The groups besides `system:authenticated`.
    pub groups: Vec<String>,
}

/// How a test's API server differs from the default: RBAC on, `admin` in
/// `system:masters`, no controllers.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) users: Vec<User>,
    pub(crate) controllers: Vec<String>,
    pub(crate) signs: bool,
    pub(crate) audit: bool,
    pub(crate) flags: Vec<String>,
}

/// The controllers that authorization and admission need: aggregated
/// ClusterRoles, `default` service accounts, namespaces that end.
const CONTROLLERS: [&str; 6] = [
    "clusterrole-aggregation-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "validatingadmissionpolicy-status-controller",
];

impl Options {
    /// Adds a user, who signs in with [`ApiServer::token_of`](crate::ApiServer::token_of).
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        self.users.push(User {
            name: name.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
        });
        self
    }

    /// Starts kube-controller-manager with the controllers that authorization
    /// and admission need, and turns ServiceAccount admission on.
    #[must_use]
    pub fn controllers(self) -> Self {
        self.controllers_named(&CONTROLLERS)
    }

    /// Starts kube-controller-manager with these controllers (`*`: all that run
    /// by default).
    #[must_use]
    pub fn controllers_named(mut self, names: &[&str]) -> Self {
        self.controllers = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Trusts the client certificates of an authority of its own, and has the
    /// controller that signs with it, where there are controllers.
    #[must_use]
    pub fn signing(mut self) -> Self {
        self.signs = true;
        self
    }

    /// Writes an audit event of every request, bodies included, to
    /// [`ApiServer::audit_log`](crate::ApiServer::audit_log).
    #[must_use]
    pub fn audit(mut self) -> Self {
        self.audit = true;
        self
    }

    /// Adds a flag of kube-apiserver, for instance
    /// `--runtime-config=api/all=true`.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }
}
