"""How each judge of manifests and templates is called, and how its report is read.

A judge says which of its rules fail in which file, and what it could not read.
"""

import json
import os
import re
from dataclasses import dataclass, field

from measure import run

# Words that say that something could not be read, in what a program says beside its report.
TROUBLE = re.compile(r"error|fail|invalid|unable|cannot|could not|can't|unknown|skip|warn|no resources|not found", re.I)


@dataclass
class Said:
    """What a judge said of some files."""

    # Rules that fail, by file; the same rule as often as it fails.
    rules: dict = field(default_factory=dict)
    # What it says could not be read: text, by file ("" where it names none).
    unread: dict = field(default_factory=dict)
    exit: int = 0

    def fails(self, file, rule):
        self.rules.setdefault(os.path.normpath(file), []).append(rule)

    def below(self, folder):
        """Rules that fail in a folder."""
        inside = os.path.normpath(folder) + os.sep
        return {rule for file, rules in self.rules.items() if file.startswith(inside) for rule in rules}


class Seawall:
    name = "seawall"
    privileged = {"pss-privileged"}
    reads = {"manifests", "bicep", "arm", "terraform"}

    def __init__(self, path):
        self.path = str(path)

    def command(self, folder, framework="manifests", report="json"):
        return [self.path, "assess", folder, "--fail-on", "none", "--format", report]

    def judge(self, folder, framework="manifests", cwd=None):
        code, out, err = run(self.command(folder, framework), cwd)
        said = Said(exit=code)
        try:
            report = json.loads(out)
        except ValueError:
            said.unread[""] = err.strip()
            return said
        for finding in report["findings"]:
            if finding["verdict"] == "fail" and finding["locations"]:
                said.fails(finding["locations"][0]["path"], finding["guideline"])
        for document in report["coverage"]["documents"]:
            if document["status"] in ("unreadable", "unresolved"):
                said.unread.setdefault(document["path"], f"{document['status']}: {document['reason']}")
        return said


class KubeScore:
    name = "kube-score"
    privileged = {"container-security-context-privileged"}
    reads = {"manifests"}

    def __init__(self, path):
        self.path = str(path)

    def files(self, folder, cwd=None):
        top = os.path.join(cwd or ".", folder)
        if os.path.isfile(top):
            return [folder]
        return sorted(os.path.join(folder, os.path.relpath(os.path.join(at, file), top))
                      for at, _, files in os.walk(top) for file in files if file.endswith((".yaml", ".json")))

    def command(self, folder, framework="manifests", report="ci", cwd=None):
        return [self.path, "score", "--output-format", report, *self.files(folder, cwd)]

    def judge(self, folder, framework="manifests", cwd=None):
        code, out, err = run(self.command(folder, report="json", cwd=cwd), cwd)
        said = Said(exit=code)
        try:
            objects = json.loads(out)
        except ValueError:
            objects = None
        if objects is None:
            said.unread[""] = (err.strip() or out.strip() or f"exit code {code} and no report")
            return said
        if trouble(err):
            said.unread[""] = trouble(err)
        for one in objects:
            for check in one["checks"]:
                if not check["skipped"] and check["grade"] < 10:
                    said.fails(one["file_name"], check["check"]["id"])
        return said


class Checkov:
    name = "checkov"
    privileged = {"CKV_K8S_16"}
    reads = {"manifests", "bicep", "arm", "terraform"}

    def __init__(self, path):
        self.path = str(path)

    def command(self, folder, framework="manifests", report="cli", cwd=None):
        which = {"manifests": ["kubernetes"], "all": ["bicep", "arm", "terraform"]}.get(framework, [framework])
        kind = "--file" if os.path.isfile(os.path.join(cwd or ".", folder)) else "--directory"
        return [self.path, "--framework", *which, "--skip-download", "--compact", "--output", report, kind, folder]

    def judge(self, folder, framework="manifests", cwd=None):
        code, out, err = run(self.command(folder, framework, "json", cwd), cwd)
        said = Said(exit=code)
        try:
            reports = json.loads(out)
        except ValueError:
            said.unread[""] = err.strip() or out.strip()
            return said
        if os.path.isfile(os.path.join(cwd or ".", folder)):
            folder = os.path.dirname(folder)
        for report in reports if isinstance(reports, list) else [reports]:
            results = report.get("results", {})
            for check in results.get("failed_checks", []):
                said.fails(os.path.join(folder, check["file_path"].lstrip("/")), check["check_id"])
            for file in results.get("parsing_errors", []):
                said.unread[file] = "listed as a parsing error"
        if trouble(err):
            said.unread.setdefault("", trouble(err))
        return said


class Trivy:
    name = "trivy"
    privileged = {"KSV-0017", "KSV017", "AVD-KSV-0017"}
    reads = {"manifests", "arm", "terraform"}

    def __init__(self, path, cache):
        self.path = str(path)
        self.cache = str(cache)

    def command(self, folder, framework="manifests", report="table", cwd=None):
        which = {"manifests": "kubernetes", "arm": "azure-arm", "all": "azure-arm,terraform"}.get(framework, framework)
        return [self.path, "config", "--cache-dir", self.cache, "--skip-check-update", "--skip-version-check",
                "--disable-telemetry", "--misconfig-scanners", which, "--format", report, folder]

    def judge(self, folder, framework="manifests", cwd=None):
        code, out, err = run(self.command(folder, framework, "json"), cwd)
        said = Said(exit=code)
        try:
            report = json.loads(out)
        except ValueError:
            said.unread[""] = err.strip()
            return said
        alone = os.path.isfile(os.path.join(cwd or ".", folder))
        for result in report.get("Results") or []:
            for one in result.get("Misconfigurations") or []:
                if one["Status"] == "FAIL":
                    target = folder if alone else os.path.join(folder, result["Target"])
                    said.fails(target, one["ID"])
        if trouble(err):
            said.unread[""] = trouble(err)
        return said


def trouble(err):
    """The first line that says that something could not be read."""
    lines = [line.strip() for line in err.splitlines()]
    return next((line for line in lines if TROUBLE.search(line)), "")


def judges(seawall, peers, cache):
    """Those that are here."""
    found = [Seawall(seawall)]
    for kind in (KubeScore, Checkov, Trivy):
        peer = peers.get(kind.name, {})
        if "path" in peer:
            found.append(kind(peer["path"], cache / "bench" / "peers" / "trivy-cache") if kind is Trivy
                         else kind(peer["path"]))
    return found
