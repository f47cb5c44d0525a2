#!/usr/bin/env python3
"""Writes an estate of roles and bindings: `rights.py ROLES BINDINGS FOLDER`; questions about one: `rights.py
REVIEWS FILE`, a SubjectAccessReview on each line.

The same bytes for the same arguments. A fifth of the roles are ClusterRoles, a tenth of the bindings
ClusterRoleBindings; 200 namespaces, a few hundred users and groups, and as many service accounts as a cluster of
that size has. Rules are what charts bring: one to five, mostly about Kubernetes' own resources, some about custom
ones, some by name, a few with `*`.
"""

import json
import pathlib
import sys

RESOURCES = [
    ("", ["pods", "pods/log", "pods/exec", "services", "configmaps", "secrets", "endpoints", "events",
          "serviceaccounts", "persistentvolumeclaims", "nodes", "namespaces"]),
    ("apps", ["deployments", "deployments/scale", "statefulsets", "daemonsets", "replicasets"]),
    ("batch", ["jobs", "cronjobs"]),
    ("networking.k8s.io", ["ingresses", "networkpolicies"]),
    ("rbac.authorization.k8s.io", ["roles", "rolebindings", "clusterroles"]),
    ("coordination.k8s.io", ["leases"]),
    ("policy", ["poddisruptionbudgets"]),
]
VERBS = [["get"], ["get", "list"], ["get", "list", "watch"], ["create"], ["create", "update", "patch"], ["delete"],
         ["get", "list", "watch", "create", "update", "patch", "delete"], ["update", "patch"], ["*"]]
PER_FILE = 200


class Numbers:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return (z ^ (z >> 31)) % bound

    def of(self, items):
        return items[self.below(len(items))]


def rule(numbers, number):
    kind = numbers.below(20)
    if kind == 0:
        return '- {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}'
    if kind < 4:
        group, resources = f"team{number % 60}.example.com", ["widgets", "widgets/status", "gadgets"]
    else:
        group, resources = numbers.of(RESOURCES)
    chosen = sorted({numbers.of(resources) for _ in range(1 + numbers.below(4))})
    names = ""
    if kind in (4, 5):
        names = f", resourceNames: [object-{numbers.below(50)}, object-{numbers.below(50)}]"
    verbs = ", ".join(f'"{verb}"' if verb == "*" else verb for verb in numbers.of(VERBS))
    return f'- {{apiGroups: ["{group}"], resources: [{", ".join(chosen)}], verbs: [{verbs}]{names}}}'


def role(numbers, number):
    cluster = number % 5 == 0
    head = f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {'ClusterRole' if cluster else 'Role'}\nmetadata:\n"
    head += f"  name: role-{number}\n" + ("" if cluster else f"  namespace: ns-{number % 200}\n")
    return head + "rules:\n" + "\n".join(rule(numbers, number) for _ in range(1 + numbers.below(5))) + "\n"


def subject(numbers, namespace):
    kind = numbers.below(10)
    if kind < 6:
        own = namespace if kind < 5 else numbers.below(200)
        return f"- {{kind: ServiceAccount, name: sa-{numbers.below(30)}, namespace: ns-{own}}}"
    name = f"Group, name: group-{numbers.below(150)}" if kind < 9 else f"User, name: user-{numbers.below(300)}"
    return f"- {{kind: {name}, apiGroup: rbac.authorization.k8s.io}}"


def binding(numbers, number, roles):
    cluster = number % 10 == 0
    namespace = numbers.below(200)
    if cluster or numbers.below(3) == 0:
        ref = f"kind: ClusterRole, name: role-{numbers.below(roles // 5) * 5}"
    else:
        # Of the same namespace, and no multiple of five.
        at = numbers.below(max(1, roles // 200)) * 200 + namespace
        ref = f"kind: Role, name: role-{at if at % 5 else at + 1}"
        namespace = namespace if at % 5 else (namespace + 1) % 200
    head = "apiVersion: rbac.authorization.k8s.io/v1\n"
    head += f"kind: {'ClusterRoleBinding' if cluster else 'RoleBinding'}\nmetadata:\n  name: binding-{number}\n"
    if not cluster:
        head += f"  namespace: ns-{namespace}\n"
    head += f"roleRef: {{apiGroup: rbac.authorization.k8s.io, {ref}}}\nsubjects:\n"
    return head + "\n".join(subject(numbers, namespace) for _ in range(1 + numbers.below(3))) + "\n"


def write(folder, name, documents):
    for at in range(0, len(documents), PER_FILE):
        (folder / f"{name}-{at // PER_FILE:04}.yaml").write_text("---\n".join(documents[at : at + PER_FILE]))


def review(numbers):
    group, resources = numbers.of(RESOURCES)
    resource, _, subresource = numbers.of(resources).partition("/")
    attributes = {"verb": numbers.of(numbers.of(VERBS)), "group": group, "resource": resource,
                  "subresource": subresource, "namespace": f"ns-{numbers.below(200)}"}
    groups = ["system:authenticated", f"group-{numbers.below(150)}", f"group-{numbers.below(150)}"]
    spec = {"user": f"user-{numbers.below(300)}", "groups": groups, "resourceAttributes": attributes}
    return json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec})


def main():
    if len(sys.argv) == 3:
        numbers = Numbers(2)
        lines = "".join(review(numbers) + "\n" for _ in range(int(sys.argv[1])))
        pathlib.Path(sys.argv[2]).write_text(lines)
        return
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    roles, bindings, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    numbers = Numbers(1)
    write(folder, "roles", [role(numbers, number) for number in range(roles)])
    write(folder, "bindings", [binding(numbers, number, roles) for number in range(bindings)])


if __name__ == "__main__":
    main()
