//! From code in a pod to the node, and on.

use super::Planted;

const CLUSTER: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [{
    "type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
    "identity": {"type": "SystemAssigned"},
    "properties": {
      "servicePrincipalProfile": {"clientId": "11111111-2222-3333-4444-555555555555"},
      "identityProfile": {"kubeletidentity": {"objectId": "aaaaaaaa-0000-0000-0000-000000000001"}},
      "networkProfile": {"networkPlugin": "azure", "networkPolicy": "calico", "podLinkLocalAccess": "IMDS"},
      "agentPoolProfiles": [
        {"name": "sys", "mode": "System", "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"]},
        {"name": "user", "mode": "User"}
      ]
    }
  }]
}"#;

/// A build agent on the user pool starts containers through the runtime's socket; the operator's DaemonSet, which is
/// cluster-admin, has a pod on the same node.
#[test]
fn a_socket_leads_to_the_operator_beside_it() {
    Planted {
        yaml: "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: ci, namespace: build}
spec:
  selector: {matchLabels: {app: ci}}
  template:
    metadata: {labels: {app: ci}}
    spec:
      automountServiceAccountToken: false
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: ci
        image: build.example/ci:1
        volumeMounts: [{name: run, mountPath: /run/containerd, readOnly: true}]
      volumes: [{name: run, hostPath: {path: /var/run/containerd/containerd.sock}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: operator, namespace: ops}
spec:
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec:
      serviceAccountName: operator
      tolerations: [{operator: Exists}]
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      containers: [{name: operator, image: ops.example/operator:1}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: build}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: ops}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:build/ci[Deployment]",
        to: "right:everything@*",
        steps: &["runtime-socket", "node-tokens", "bound-role"],
        possible: false,
        hardened: &[(
            "hostPath: {path: /var/run/containerd/containerd.sock}",
            "emptyDir: {}",
        )],
    }
    .check();
}

/// The same operator runs on the system pool only, which ordinary pods do not come to.
#[test]
fn a_taint_keeps_the_operator_apart() {
    let planted = Planted {
        yaml: "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  containers: [{name: web, image: shop.example/web:1, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata: {name: operator, namespace: ops}
spec:
  serviceAccountName: operator
  nodeSelector: {kubernetes.azure.com/mode: user}
  tolerations: [{key: CriticalAddonsOnly, operator: Exists}]
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers: [{name: operator, image: ops.example/operator:1}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: ops}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:shop/web[Pod]",
        to: "right:everything@*",
        steps: &["container-escape-mount", "node-tokens", "bound-role"],
        possible: false,
        hardened: &[("mode: user}", "mode: system}")],
    };
    planted.check();
}

/// A log agent may read logs and write below `/var/log`: it reads the token of the operator on its node.
#[test]
fn logs_lead_to_a_token() {
    Planted {
        yaml: "\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: logs, namespace: logging}
spec:
  selector: {matchLabels: {app: logs}}
  template:
    metadata: {labels: {app: logs}}
    spec:
      serviceAccountName: logs
      tolerations: [{operator: Exists}]
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: logs
        image: logging.example/logs:1
        volumeMounts: [{name: logs, mountPath: /var/log}]
      volumes: [{name: logs, hostPath: {path: /var/log}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: logs, namespace: logging}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: logs}
rules: [{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: logs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: logs}
subjects: [{kind: ServiceAccount, name: logs, namespace: logging}]
---
apiVersion: v1
kind: Pod
metadata: {name: operator, namespace: ops}
spec:
  serviceAccountName: operator
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers: [{name: operator, image: ops.example/operator:1}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: logging}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:logging/logs[DaemonSet]",
        to: "right:everything@*",
        steps: &[
            "pod-service-account",
            "var-log-symlink",
            "var-log-symlink",
            "node-tokens",
            "bound-role",
        ],
        possible: false,
        hardened: &[(
            "mountPath: /var/log}",
            "mountPath: /var/log, readOnly: true}",
        )],
    }
    .check();
}

/// A backup reads all of `/var/lib`, read-only: the kubelet's credential reads the Secret that a pod beside it names.
#[test]
fn a_backup_reads_what_the_kubelet_may() {
    Planted {
        yaml: "\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: backup, namespace: ops}
spec:
  selector: {matchLabels: {app: backup}}
  template:
    metadata: {labels: {app: backup}}
    spec:
      automountServiceAccountToken: false
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: backup
        image: ops.example/backup:1
        volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
      volumes: [{name: data, hostPath: {path: /var/lib}}]
---
apiVersion: v1
kind: Pod
metadata: {name: pay, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: pay
    image: shop.example/pay:1
    env: [{name: KEY, valueFrom: {secretKeyRef: {name: pay, key: key}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: ops}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:ops/backup[DaemonSet]",
        to: "secret:shop/pay",
        steps: &["host-path-read", "node-tokens"],
        possible: false,
        hardened: &[("readOnly: true}", "readOnly: true, subPath: postgresql}")],
    }
    .check();
}

/// A claim that is bound to the root of the node, in a namespace that enforces `restricted`.
#[test]
fn a_volume_passes_by_pod_security() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: data}
spec: {hostPath: {path: /}, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: data, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: web
    image: shop.example/web:1
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:shop/web[Pod]",
        to: "pool:user",
        steps: &["persistent-volume"],
        possible: false,
        hardened: &[(
            "hostPath: {path: /}",
            "csi: {driver: disk.csi.azure.com, volumeHandle: d}",
        )],
    }
    .check();
}

/// Who makes volumes for the cluster and works in one namespace takes the nodes, whatever the namespace enforces.
#[test]
fn a_maker_of_volumes_takes_the_nodes() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: storage}
rules: [{apiGroups: [''], resources: [persistentvolumes], verbs: [create, get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: storage}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: storage}
subjects: [{kind: Group, name: storage-team, apiGroup: rbac.authorization.k8s.io}, {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: developer, namespace: shop}
rules:
- {apiGroups: [''], resources: [pods, services], verbs: [create, delete, get]}
- {apiGroups: [''], resources: [persistentvolumeclaims], verbs: [create, get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: developer, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: developer}
subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]",
        templates: &[CLUSTER],
        from: "user:jane",
        to: "pool:sys",
        steps: &[
            "persistent-volume",
            "persistent-volume",
            "pod-create",
            "persistent-volume",
        ],
        possible: false,
        hardened: &[(
            "resources: [persistentvolumeclaims], verbs: [create, get]",
            "resources: [persistentvolumeclaims], verbs: [get]",
        )],
    }
    .check();
}

/// A pod in the node's network asks for the kubelet's identity past a policy that closes everything and past the
/// cluster's own setting.
#[test]
fn the_nodes_network_is_beyond_policies() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: net}
spec:
  hostNetwork: true
  automountServiceAccountToken: false
  nodeSelector: {kubernetes.azure.com/agentpool: user}
  securityContext: {runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers: [{name: proxy, image: net.example/proxy:1}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: net}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:net/proxy[Pod]",
        to: "entra:aaaaaaaa-0000-0000-0000-000000000001",
        steps: &["host-network", "node-identity"],
        possible: false,
        hardened: &[("hostNetwork: true", "hostNetwork: false")],
    }
    .check();
}

/// A pod with a network of its own asks for it where egress is let out to everything.
#[test]
fn open_egress_gives_the_kubelets_identity() {
    Planted {
        yaml: "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers: [{name: web, image: shop.example/web:1}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [168.63.129.16/32]}}], ports: [{port: 80}, {port: 443}]}]",
        templates: &[CLUSTER],
        from: "workload:shop/web[Deployment]",
        to: "entra:aaaaaaaa-0000-0000-0000-000000000001",
        steps: &["imds-identity", "node-identity"],
        possible: false,
        hardened: &[("ports: [{port: 80}, {port: 443}]", "ports: [{port: 443}]")],
    }
    .check();
}

/// The secret of the service principal that the cluster acts as lies on the nodes.
#[test]
fn a_certificate_mount_shows_the_service_principal() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Pod
metadata: {name: certs, namespace: ops}
spec:
  automountServiceAccountToken: false
  nodeSelector: {kubernetes.azure.com/agentpool: user}
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: certs
    image: ops.example/certs:1
    volumeMounts: [{name: certs, mountPath: /certs, readOnly: true}]
  volumes: [{name: certs, hostPath: {path: /etc/kubernetes}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: ops}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:ops/certs[Pod]",
        to: "entra:{client id 11111111-2222-3333-4444-555555555555}",
        steps: &["host-path-read", "node-service-principal"],
        possible: false,
        hardened: &[("11111111-2222-3333-4444-555555555555", "msi")],
    }
    .check();
}

/// A sandbox keeps a privileged container in, and not what mounts files of the node.
#[test]
fn a_sandbox_with_a_hole_is_none() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Pod
metadata: {name: run, namespace: tenants}
spec:
  automountServiceAccountToken: false
  runtimeClassName: kata-vm-isolation
  nodeSelector: {kubernetes.azure.com/agentpool: user}
  containers:
  - name: run
    image: tenants.example/run:1
    volumeMounts: [{name: bin, mountPath: /host-bin}]
  volumes: [{name: bin, hostPath: {path: /usr/local}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: tenants}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}",
        templates: &[CLUSTER],
        from: "workload:tenants/run[Pod]",
        to: "pool:user",
        steps: &["host-path-write"],
        possible: false,
        hardened: &[(
            "mountPath: /host-bin}",
            "mountPath: /host-bin, readOnly: true}",
        )],
    }
    .check();
}
