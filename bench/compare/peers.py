"""Installs the programs that seawall is compared with, below the cache, and tells what could not be had.

A program that is on PATH already is taken as it is. Nothing is installed twice.
"""

import os
import re
import shutil
import subprocess
import sys

from measure import run

# Name, package and version: where `latest` was refused there is none to name; and what it is built with beside that.
GO = [
    ("kube-score", "github.com/zegl/kube-score/cmd/kube-score", "v1.20.0"),
    ("kube-linter", "golang.stackrox.io/kube-linter/cmd/kube-linter", "latest"),
    ("trivy", "github.com/aquasecurity/trivy/cmd/trivy", "v0.74.0", "GOEXPERIMENT=jsonv2"),
    ("netpolicy", "github.com/np-guard/netpol-analyzer/cmd/netpolicy", "v1.1.0"),
    ("audit2rbac", "github.com/liggitt/audit2rbac/cmd/audit2rbac", "latest"),
    ("kubectl-who-can", "github.com/aquasecurity/kubectl-who-can/cmd/kubectl-who-can", "latest"),
    ("polaris", "github.com/fairwindsops/polaris", "latest"),
    ("kubescape", "github.com/kubescape/kubescape/v3", "latest"),
    ("terrascan", "github.com/tenable/terrascan/cmd/terrascan", "latest"),
]
PYTHON = [("checkov", "checkov"), ("duckdb", "duckdb")]
WHAT = {
    "kube-score": "manifests",
    "kube-linter": "manifests",
    "trivy": "manifests and templates, by the checks that are built in: those that it would fetch cannot be had",
    "checkov": "manifests and templates",
    "netpolicy": "who can talk to whom (netpol-analyzer)",
    "audit2rbac": "roles from audit logs",
    "kubectl-who-can": "who may do what",
    "polaris": "manifests",
    "kubescape": "manifests",
    "terrascan": "templates",
    "duckdb": "questions about audit logs",
    "jq": "questions about audit logs",
    "oracle-rbac": "Kubernetes' own RBAC authorizer: the truth about rights",
    "oracle-yaml": "sigs.k8s.io/yaml: the truth about manifests",
}


# What a registry's answer tells beside the reason.
NOISE = re.compile(r"reading https?://\S+ |^(go|server response): ")


def install(cache, wanted, offline=False):
    """All peers, by name: `path` and `version`, or `failed` with the reason. `offline`: those that are there."""
    folder = cache / "bench" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    peers = {}
    for name, package, version, *more in GO:
        if name in wanted:
            peers[name] = go(folder, name, package, version, more, offline)
    for name, package in PYTHON:
        if name in wanted:
            peers[name] = python(folder, name, package, offline)
    if "jq" in wanted:
        path = shutil.which("jq")
        peers["jq"] = ({"path": path, "version": run([path, "--version"])[1].strip()} if path
                       else {"failed": "it is a package of the system: `apt-get install jq`"})
    for name in ("oracle-rbac", "oracle-yaml"):
        if name in wanted:
            peers[name] = oracle(cache, name, offline)
    for name, peer in peers.items():
        peer["what"] = WHAT[name]
        print(f"  {name}: {peer.get('version') or 'not to be had: ' + peer['failed']}", file=sys.stderr)
    return peers


def go(folder, name, package, version, more, offline):
    how = " ".join([*more, f"go install {package}@{version}"])
    path = folder / "bin" / name
    if found := shutil.which(name):
        return {"path": found, "version": built(found), "how": how}
    failed = folder / f"{name}.failed"
    if not path.exists() and not failed.exists() and not offline:
        print(f"  {how}", file=sys.stderr)
        env = {**os.environ, "GOBIN": str(path.parent), "GOFLAGS": "-p=1", "CGO_ENABLED": "0",
               **dict(one.split("=", 1) for one in more)}
        try:
            done = subprocess.run(["nice", "-n", "15", "go", "install", f"{package}@{version}"], env=env, cwd=folder,
                                  capture_output=True, text=True)
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        except FileNotFoundError:
            reason = "go is not installed"
        if not path.exists():
            failed.write_text(NOISE.sub("", reason.strip()))
    if path.exists():
        return {"path": str(path), "version": built(path), "how": how}
    return {"failed": failed.read_text() if failed.exists() else "not installed", "how": how}


def built(path):
    """The version of the module that a program was built from."""
    lines = run(["go", "version", "-m", str(path)])[1].splitlines()
    return next((line.split()[2] for line in lines if line.split()[:1] == ["mod"]), "unknown")


def python(folder, name, package, offline):
    how = f"pip install {package}"
    if name == "checkov" and (found := shutil.which(name)):
        return {"path": found, "version": run([found, "--version"])[1].strip(), "how": how}
    venv = folder / name
    interpreter = venv / "bin" / "python"
    if offline and not (venv / "done").exists():
        return {"failed": "not installed", "how": how}
    if not (venv / "done").exists():
        print(f"  {how}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        done = subprocess.run(["nice", "-n", "15", str(interpreter), "-m", "pip", "install", "--quiet", package],
                              capture_output=True, text=True)
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no reason given"])[-1], "how": how}
        (venv / "done").write_text("")
    version = run([str(interpreter), "-c", f"import importlib.metadata as m; print(m.version('{package}'))"])[1].strip()
    path = venv / "bin" / name
    return {"path": str(path if path.exists() else interpreter), "version": version, "how": how}


def oracle(cache, name, offline):
    """A program of `oracle/`, which asks Kubernetes' own code; the tests build the same."""
    source = os.path.join(os.path.dirname(__file__), "..", "..", "oracle", name.removeprefix("oracle-"))
    path = cache / "bin" / name
    how = f"go build ./{name.removeprefix('oracle-')} (in oracle/)"
    if offline and not path.exists():
        return {"failed": "not built", "how": how}
    if not path.exists():
        print(f"  {how}", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        done = run(["nice", "-n", "15", "go", "build", "-p", "1", "-o", str(path), "."], cwd=source)
        if done[0]:
            return {"failed": (done[2].strip().splitlines() or ["no reason given"])[-1], "how": how}
    return {"path": str(path), "version": "Kubernetes of oracle/go.mod", "how": how}
