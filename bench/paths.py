#!/usr/bin/env python3
"""Writes an estate for `seawall paths`: `paths.py PODS FOLDER`; the same bytes for the same arguments.

As a live cluster lists it: ten pods to a Deployment, each with its owners, on nodes of three pools; ten Deployments
to a namespace; a service account for each Deployment, roles and bindings as charts bring them (readers of Secrets,
operators that create pods, an ingress controller, a deployer for each team), one DaemonSet with the node's disk in
each fiftieth namespace; network policies in two of three namespaces; Pod Security labels of all three levels, and
policies of admission that refuse privileged pods and images from elsewhere; Flux, Argo CD, External Secrets and
cert-manager with the rights their charts bring, their resources, and people who may write those; an AKS cluster with
an identity for one account of every second namespace, federated to it, roles on vaults, and the vault's secrets
mounted.
"""

import json
import pathlib
import sys

SUB = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUB}/resourceGroups/rg-big"


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


def guid(number):
    return f"00000000-0000-4000-8000-{number:012x}"


def obj(api, kind, name, namespace=None, **rest):
    meta = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    meta.update(rest.pop("metadata", {}))
    return {"apiVersion": api, "kind": kind, "metadata": meta, **rest}


RBAC = "rbac.authorization.k8s.io"


def binding(name, namespace, role, subjects):
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    ref = {"apiGroup": RBAC, "kind": role[0], "name": role[1]}
    return obj(f"{RBAC}/v1", kind, name, namespace, roleRef=ref, subjects=subjects)


def account(namespace, name):
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def pod_spec(name, number, dice, daemon):
    container = {
        "name": "main",
        "image": f"big.azurecr.io/{name}:{number % 7}",
        "ports": [{"containerPort": 8080}],
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"{name}-db", "key": "password"}}}],
    }
    spec = {"serviceAccountName": name, "containers": [container]}
    if daemon:
        container["securityContext"] = {"privileged": True}
        container["volumeMounts"] = [{"name": "root", "mountPath": "/host"}]
        spec["volumes"] = [{"name": "root", "hostPath": {"path": "/"}}]
    elif dice.below(4) == 0:
        spec["automountServiceAccountToken"] = False
    return spec


def namespace_objects(index, dice, pods_left, nodes):
    ns = f"team-{index}"
    out = [obj("v1", "Namespace", ns, metadata={"labels": {"team": f"t{index % 20}"}})]
    if index % 3:
        out.append(obj("networking.k8s.io/v1", "NetworkPolicy", "closed", ns, spec={
            "podSelector": {}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {}}]}]}))
    level = {0: "baseline", 1: "restricted", 2: "baseline"}.get(index % 4)
    if index % 50 == 0:
        level = "privileged"
    if level:
        out[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = level
    if index % 10 == 3:
        out.append(obj("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "team", ns, spec={
            "serviceAccountName": f"app-{index}-2", "interval": "10m", "path": "./", "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "team"}}))
    if index % 10 == 7:
        out.append(obj("argoproj.io/v1alpha1", "Application", ns, "argocd", spec={
            "project": "default", "destination": {"namespace": ns, "server": "https://kubernetes.default.svc"},
            "source": {"repoURL": f"https://git.example/{ns}", "path": "."}}))
    if index % 6 == 2:
        out.append(obj("external-secrets.io/v1", "ExternalSecret", "db", ns, spec={
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"}, "target": {"name": f"app-{index}-1-db"},
            "data": [{"secretKey": "password", "remoteRef": {"key": "db"}}]}))
    for number in range(10):
        if pods_left <= 0:
            break
        name = f"app-{index}-{number}"
        daemon = index % 50 == 0 and number == 0
        spec = pod_spec(name, number, dice, daemon)
        labels = {"app": name}
        federated = number == 5 and index % 2 == 0
        if federated:
            labels["azure.workload.identity/use"] = "true"
            spec["volumes"] = [{"name": "vault", "csi": {
                "driver": "secrets-store.csi.k8s.io", "readOnly": True,
                "volumeAttributes": {"secretProviderClass": "vault"}}}]
            spec["containers"][0]["volumeMounts"] = [{"name": "vault", "mountPath": "/vault"}]
            out.append(obj("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "vault", ns, spec={
                "provider": "azure", "parameters": {
                    "keyvaultName": f"kv-{index - index % 8}", "clientID": guid(100000 + index), "tenantId": guid(1),
                    "objects": "array:\n- |\n  objectName: db\n  objectType: secret\n"}}))
        kind = "DaemonSet" if daemon else "Deployment"
        client = {"annotations": {"azure.workload.identity/client-id": guid(100000 + index)}} if federated else {}
        out.append(obj("v1", "ServiceAccount", name, ns, metadata=client))
        out.append(obj("v1", "Secret", f"{name}-db", ns, type="Opaque"))
        out.append(obj("apps/v1", kind, name, ns, spec={
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}))
        if number == 1:
            out.append(obj("v1", "Service", name, ns, spec={
                "type": "LoadBalancer" if index % 10 == 0 else "ClusterIP", "selector": labels,
                "ports": [{"port": 80, "targetPort": 8080}]}))
        owner = [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": guid(1), "controller": True}]
        if not daemon:
            rs = f"{name}-7d4b9"
            out.append(obj("apps/v1", "ReplicaSet", rs, ns, metadata={"ownerReferences": owner}, spec={
                "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}))
            owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": rs, "uid": guid(2), "controller": True}]
        for replica in range(min(10, pods_left)):
            pods_left -= 1
            out.append(obj("v1", "Pod", f"{name}-7d4b9-{replica}", ns,
                           metadata={"labels": labels, "ownerReferences": owner},
                           spec={**spec, "nodeName": nodes[dice.below(len(nodes))]},
                           status={"phase": "Running", "podIP": f"10.{index % 250}.{number}.{replica + 1}"}))
        if number == 2:
            out.append(binding(name, ns, ("ClusterRole", "edit"), [account(ns, name)]))
        elif number == 3:
            out.append(obj(f"{RBAC}/v1", "Role", name, ns, rules=[
                {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]))
            out.append(binding(name, ns, ("Role", name), [account(ns, name)]))
        elif number == 4 and index % 25 == 0:
            out.append(binding(name, None, ("ClusterRole", "operator"), [account(ns, name)]))
    out.append(binding("deployers", ns, ("ClusterRole", "admin"), [
        {"kind": "Group", "apiGroup": RBAC, "name": guid(500000 + index % 20)}]))
    return out, pods_left


def operators():
    """Controllers with wide rights, who may feed them, and what admission refuses."""
    out = []

    def controller(namespace, name, rules=None, role=None):
        labels = {"app": name}
        out.append(obj("v1", "ServiceAccount", name, namespace))
        out.append(obj("apps/v1", "Deployment", name, namespace, spec={
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": name,
                "containers": [{"name": "main", "image": f"big.azurecr.io/{name}:1"}]}}}))
        if rules:
            out.append(obj(f"{RBAC}/v1", "ClusterRole", name, rules=rules))
        out.append(binding(name, None, ("ClusterRole", role or name), [account(namespace, name)]))

    for namespace in ["flux-system", "argocd", "external-secrets", "cert-manager"]:
        out.append(obj("v1", "Namespace", namespace))
    controller("flux-system", "kustomize-controller", role="cluster-admin")
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    controller("argocd", "argocd-application-controller", [everything])
    controller("external-secrets", "external-secrets", [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch", "create", "update", "patch"]},
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}])
    controller("cert-manager", "cert-manager", [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch", "create", "update"]},
        {"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"], "verbs": ["get", "update"]}])
    out.append(obj(f"{RBAC}/v1", "ClusterRole", "feeds-flux", rules=[
        {"apiGroups": ["kustomize.toolkit.fluxcd.io"], "resources": ["kustomizations"], "verbs": ["create", "update"]}]))
    out.append(obj(f"{RBAC}/v1", "Role", "feeds-argo", "argocd", rules=[
        {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["create", "update", "patch"]}]))
    group = {"kind": "Group", "apiGroup": RBAC, "name": guid(500000)}
    out.append(binding("feeds-flux", None, ("ClusterRole", "feeds-flux"), [group]))
    out.append(binding("feeds-argo", "argocd", ("Role", "feeds-argo"), [group]))

    def policy(name, expression, namespaces):
        out.append(obj("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", name, spec={
            "failurePolicy": "Fail", "validations": [{"expression": expression}],
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"]}]}}))
        out.append(obj("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", name, spec={
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": namespaces}}))

    policy("no-privileged", "object.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
           {"matchExpressions": [{"key": "team", "operator": "In", "values": [f"t{number}" for number in range(1, 10)]}]})
    policy("own-registry", "object.spec.containers.all(c, c.image.startsWith('big.azurecr.io/'))",
           {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]})
    return out


def azure(namespaces):
    resources = []

    def add(kind, name, properties, version="2024-01-01", **rest):
        resources.append({"type": kind, "apiVersion": version, "name": name, "location": "westeurope",
                          "properties": properties, **rest})

    add("Microsoft.ContainerService/managedClusters", "big", {
        "kubernetesVersion": "1.34", "disableLocalAccounts": False,
        "aadProfile": {"managed": True, "enableAzureRBAC": False},
        "oidcIssuerProfile": {"enabled": True}, "securityProfile": {"workloadIdentity": {"enabled": True}},
        "networkProfile": {"networkPlugin": "azure", "networkPolicy": "cilium", "networkDataplane": "cilium"},
        "agentPoolProfiles": [{"name": name, "mode": mode, "count": 3, "osType": "Linux"}
                              for name, mode in [("system", "System"), ("user", "User"), ("batch", "User")]],
    }, version="2025-05-01", identity={"type": "SystemAssigned"})
    for index in range(0, namespaces, 2):
        name = f"id-{index}"
        add("Microsoft.ManagedIdentity/userAssignedIdentities", name, {"principalId": guid(100000 + index)}, "2023-01-31")
        add("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", f"{name}/fic", {
            "issuer": "[reference(resourceId('Microsoft.ContainerService/managedClusters', 'big'), '2025-05-01').oidcIssuerProfile.issuerURL]",
            "subject": f"system:serviceaccount:team-{index}:app-{index}-5",
            "audiences": ["api://AzureADTokenExchange"]}, "2023-01-31")
        if index % 8 == 0:
            vault = f"kv-{index}"
            add("Microsoft.KeyVault/vaults", vault, {
                "tenantId": guid(1), "enableRbacAuthorization": True, "sku": {"family": "A", "name": "standard"}}, "2023-07-01")
        add("Microsoft.Authorization/roleAssignments", guid(200000 + index), {
            "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6",
            "principalId": guid(100000 + index), "principalType": "ServicePrincipal"}, "2022-04-01",
            scope=f"Microsoft.KeyVault/vaults/kv-{index - index % 8}")
    return {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": resources}


def main():
    pods, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    dice = Numbers(7)
    namespaces = max(1, -(-pods // 100))
    nodes, left = [], pods
    with open(folder / "cluster.yaml", "w") as out:

        def write(objects):
            for one in objects:
                out.write(json.dumps(one, separators=(",", ":")) + "\n---\n")

        for number in range(max(3, pods // 50)):
            pool = ["system", "user", "batch"][number % 3]
            nodes.append(f"aks-{pool}-{number}")
            write([obj("v1", "Node", nodes[-1], metadata={"labels": {
                "kubernetes.azure.com/agentpool": pool, "kubernetes.io/os": "linux"}}, spec={})])
        write([
            obj(f"{RBAC}/v1", "ClusterRole", "operator", rules=[
                {"apiGroups": [""], "resources": ["pods", "serviceaccounts/token"], "verbs": ["create", "get", "list"]},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}]),
            binding("ops", None, ("ClusterRole", "cluster-admin"), [account("team-0", "app-0-9")]),
        ] + operators())
        for index in range(namespaces):
            objects, left = namespace_objects(index, dice, left, nodes)
            write(objects)
    (folder / "azure.json").write_text(json.dumps(azure(namespaces), indent=1))
    (folder / "seawall.yaml").write_text("whole: true\n")


main()
