//! Ways over rights: what subjects come to by roles, tokens, names and labels.

use super::Planted;

/// The dashboard may list Secrets of its namespace; an old token of the deployer lies in one; the deployer creates
/// pods in a namespace where nothing is enforced, and from its nodes the operator is taken.
#[test]
fn an_old_token_leads_to_root_on_nodes() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Pod
metadata: {name: board, namespace: tools}
spec:
  serviceAccountName: board
  containers: [{name: board, image: tools.example/board:1}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: board, namespace: tools}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: tools}
---
apiVersion: v1
kind: Secret
metadata: {name: deployer-token, namespace: tools, annotations: {kubernetes.io/service-account.name: deployer}}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: board, namespace: tools}
rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: board, namespace: tools}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: board}
subjects: [{kind: ServiceAccount, name: board, namespace: tools}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deployer}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployer}
subjects: [{kind: ServiceAccount, name: deployer, namespace: tools}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}",
        templates: &[],
        from: "workload:tools/board[Pod]",
        to: "pool:",
        steps: &[
            "pod-service-account",
            "secret-read",
            "token-secret",
            "pod-create",
            "pod-create-node",
        ],
        possible: false,
        hardened: &[(
            "labels: {team: shop}",
            "labels: {pod-security.kubernetes.io/enforce: restricted}",
        ),
        ("image: tools.example/board:1}", "image: tools.example/board:1, securityContext: {seccompProfile: {type: RuntimeDefault}, allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}}}"),
        ("spec:\n  serviceAccountName: board", "spec:\n  runtimeClassName: kata\n  serviceAccountName: board")],
    }
    .check();
}

/// A support engineer acts as the account of the pipeline, which binds `edit`, and `edit` runs pods as the account
/// of the platform, which is cluster-admin.
#[test]
fn a_supporter_binds_their_way_up() {
    Planted {
        yaml: "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: support, namespace: platform}
rules: [{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate], resourceNames: [pipeline]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: support, namespace: platform}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: support}
subjects: [{kind: User, name: sue, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: pipeline, namespace: platform}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: platform, namespace: platform}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: binder}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create]}
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind], resourceNames: [edit]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: pipeline, namespace: platform}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: binder}
subjects: [{kind: ServiceAccount, name: pipeline, namespace: platform}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: platform}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: platform, namespace: platform}]",
        templates: &[],
        from: "user:sue",
        to: "right:everything@*",
        steps: &["impersonate", "role-bind", "pod-create", "bound-role"],
        possible: false,
        hardened: &[("resourceNames: [edit]", "resourceNames: [view]")],
    }
    .check();
}

/// A team lead may label their namespace and create Jobs; Pod Security is turned off first.
#[test]
fn a_label_opens_the_namespace() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: lead, namespace: shop}
rules:
- {apiGroups: [''], resources: [namespaces], verbs: [patch], resourceNames: [shop]}
- {apiGroups: [batch], resources: [jobs], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lead, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: lead}
subjects: [{kind: Group, name: leads, apiGroup: rbac.authorization.k8s.io}]",
        templates: &[],
        from: "group:leads",
        to: "pool:",
        steps: &["namespace-label", "pod-create", "namespace-label"],
        possible: false,
        hardened: &[(
            "verbs: [patch], resourceNames: [shop]",
            "verbs: [get], resourceNames: [shop]",
        )],
    }
    .check();
}

/// One team may change a role, another is bound to it: whoever has both has everything. One alone has not.
#[test]
fn a_role_is_widened_for_another() {
    let yaml = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: keeper}
rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [patch, escalate], resourceNames: [viewer]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: keeper}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: keeper}
subjects: [{kind: ServiceAccount, name: keeper, namespace: ops}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer}
rules: [{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create], resourceNames: [keeper]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer}
subjects: [{kind: User, name: vera, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: keeper, namespace: ops}";
    Planted {
        yaml,
        templates: &[],
        from: "user:vera",
        to: "right:everything@*",
        steps: &["token-request", "role-escalate"],
        possible: false,
        hardened: &[("resourceNames: [keeper]", "resourceNames: [nobody]")],
    }
    .check();
}

/// The monitoring agent asks for and approves certificates, and so becomes a member of the administrators.
#[test]
fn a_certificate_makes_an_administrator() {
    Planted {
        yaml: "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: agent, namespace: monitoring}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      serviceAccountName: agent
      containers: [{name: agent, image: monitoring.example/agent:1}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: agent, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agent}
rules:
- {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create]}
- {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}
- {apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve], resourceNames: [kubernetes.io/*]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{kind: ServiceAccount, name: agent, namespace: monitoring}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: admins, apiGroup: rbac.authorization.k8s.io}]",
        templates: &[],
        from: "sa:monitoring/agent",
        to: "right:everything@*",
        steps: &[
            "certificate-sign",
            "certificate-sign",
            "certificate-sign",
            "bound-role",
        ],
        possible: false,
        hardened: &[("[kubernetes.io/*]", "[kubernetes.io/kubelet-serving]")],
    }
    .check();
}

/// Whoever does not sign in may read one Secret, which is the token of an account that runs commands in the pod of
/// the operator.
#[test]
fn nobody_at_all_becomes_the_operator() {
    Planted {
        yaml: "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: public, namespace: ops}
rules: [{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [bootstrap]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: public, namespace: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: public}
subjects: [{kind: Group, name: 'system:unauthenticated', apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: v1
kind: Secret
metadata: {name: bootstrap, namespace: ops, annotations: {kubernetes.io/service-account.name: helper}}
type: kubernetes.io/service-account-token
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: helper, namespace: ops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: helper, namespace: ops}
rules: [{apiGroups: [''], resources: [pods/exec], verbs: [get], resourceNames: [operator-0]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: helper, namespace: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: helper}
subjects: [{kind: ServiceAccount, name: helper}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: operator, namespace: ops}
spec:
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec:
      serviceAccountName: operator
      containers: [{name: operator, image: ops.example/operator:1}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]",
        templates: &[],
        from: "api-server",
        to: "right:everything@*",
        steps: &[
            "anonymous-binding",
            "secret-read",
            "token-secret",
            "pod-exec",
            "pod-service-account",
            "bound-role",
        ],
        possible: false,
        hardened: &[("'system:unauthenticated'", "operators")],
    }
    .check();
}
