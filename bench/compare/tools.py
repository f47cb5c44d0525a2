"""How each judge of manifests and templates is called, and how its report is read.

A judge says which of its rules fail in which file, and what it could not read.
"""

import json
import os
import re
import tempfile
from dataclasses import dataclass, field

from measure import measure

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
    beside: str = ""

    def fails(self, file, rule):
        self.rules.setdefault(os.path.normpath(file), []).append(rule)

    def below(self, folder):
        """Rules that fail in a folder."""
        inside = os.path.normpath(folder) + os.sep
        return {rule for file, rules in self.rules.items() if file.startswith(inside) for rule in rules}


class Judge:
    """What all have in common."""

    # Whether it starts fast enough to be started for each file.
    quick = True

    def __init__(self, path):
        self.path = str(path)

    def judge(self, folder, framework="manifests", cwd=None, turns=1):
        """What it says of a folder or file, and what that took."""
        with tempfile.TemporaryDirectory() as kept:
            out, err = os.path.join(kept, "out"), os.path.join(kept, "err")
            taken = measure(self.command(folder, framework, self.report, cwd), cwd, turns=turns, into=out, errors=err)
            with open(out, errors="replace") as said, open(err, errors="replace") as beside:
                said, beside = said.read(), beside.read()
        found = Said(exit=taken["exit"])
        try:
            report = json.loads(said)
        except ValueError:
            report = None
        if report is None:
            found.unread[""] = beside.strip() or said.strip() or "no report"
        else:
            self.read(report, found, folder, cwd)
            self.listen(beside, found, folder, cwd)
        found.beside = beside
        return found, taken

    report = "json"

    def listen(self, beside, said, folder, cwd):
        """What it says beside its report of what it could not read."""
        if told := trouble(beside):
            said.unread.setdefault("", told)


class Seawall(Judge):
    name = "seawall"
    privileged = {"pss-privileged"}
    reads = {"manifests", "bicep", "arm", "terraform"}

    def command(self, folder, framework="manifests", report="terminal", cwd=None):
        return [self.path, "assess", folder, "--fail-on", "none", "--format", report]

    def read(self, report, said, folder, cwd):
        for finding in report["findings"]:
            if finding["verdict"] == "fail" and finding["locations"]:
                said.fails(finding["locations"][0]["path"], finding["guideline"])
        for document in report["coverage"]["documents"]:
            if document["status"] in ("unreadable", "unresolved"):
                said.unread.setdefault(document["path"], f"{document['status']}: {document['reason']}")


class KubeScore(Judge):
    name = "kube-score"
    privileged = {"container-security-context-privileged"}
    reads = {"manifests"}

    def command(self, folder, framework="manifests", report="ci", cwd=None):
        """It takes files, not folders."""
        top = os.path.join(cwd or ".", folder)
        files = [folder] if os.path.isfile(top) else sorted(
            os.path.join(folder, os.path.relpath(os.path.join(at, file), top))
            for at, _, files in os.walk(top) for file in files if file.endswith((".yaml", ".yml", ".json")))
        return [self.path, "score", "--output-format", report, *files]

    def read(self, report, said, folder, cwd):
        for one in report:
            for check in one["checks"] or []:
                if not check["skipped"] and check["grade"] < 10:
                    # The name is given back absolute.
                    file = os.path.relpath(os.path.join(cwd or ".", one["file_name"]), cwd or ".")
                    said.fails(file, check["check"]["id"])


class Checkov(Judge):
    name = "checkov"
    privileged = {"CKV_K8S_16"}
    reads = {"manifests", "bicep", "arm", "terraform"}
    quick = False

    def command(self, folder, framework="manifests", report="cli", cwd=None):
        which = "kubernetes" if framework == "manifests" else framework
        kind = "--file" if os.path.isfile(os.path.join(cwd or ".", folder)) else "--directory"
        return [self.path, "--framework", which, "--skip-download", "--compact", "--output", report, kind, folder]

    def read(self, reports, said, folder, cwd):
        top = os.path.join(cwd or ".", folder)
        below = os.path.dirname(folder) if os.path.isfile(top) else folder
        for report in reports if isinstance(reports, list) else [reports]:
            results = report.get("results", {})
            for check in results.get("failed_checks", []):
                said.fails(os.path.join(below, check["file_path"].lstrip("/")), check["check_id"])
            for file in results.get("parsing_errors", []):
                said.unread[os.path.relpath(os.path.join(cwd or ".", file), cwd or ".")] = "listed as a parsing error"


class Trivy(Judge):
    name = "trivy"
    privileged = {"KSV-0017", "KSV017"}
    reads = {"manifests", "arm", "terraform"}

    def command(self, folder, framework="manifests", report="table", cwd=None):
        which = {"manifests": "kubernetes", "arm": "azure-arm"}.get(framework, framework)
        # Its checks are those that are built in: there is no cache that could hold others.
        return [self.path, "config", "--skip-check-update", "--skip-version-check", "--disable-telemetry", "--cache-dir",
                os.devnull, "--misconfig-scanners", which, "--format", report, folder]

    def read(self, report, said, folder, cwd):
        alone = os.path.isfile(os.path.join(cwd or ".", folder))
        for result in report.get("Results") or []:
            for one in result.get("Misconfigurations") or []:
                if one["Status"] == "FAIL":
                    said.fails(folder if alone else os.path.join(folder, result["Target"]), one["ID"])

    def listen(self, beside, said, folder, cwd):
        """Lines are a time, a level, a message and values. That it scanned nothing at all it says by a count alone."""
        alone = os.path.isfile(os.path.join(cwd or ".", folder))
        for line in beside.splitlines():
            level, _, told = line.partition("\t")[2].partition("\t")
            if told == "Detected config files\tnum=0":
                said.unread.setdefault("", told.replace("\t", " "))
            elif level in ("WARN", "ERROR", "FATAL") and "Falling back to embedded checks" not in told:
                named = re.search(r'file_path="([^"]*)"', told)
                said.unread.setdefault("" if alone or not named else os.path.normpath(os.path.join(folder, named[1])),
                                       told.replace("\t", " "))


def trouble(err):
    """The first line that says that something could not be read."""
    lines = [line.strip() for line in err.splitlines()]
    return next((line for line in lines if TROUBLE.search(line)), "")


def judges(seawall, peers):
    """Those that are here."""
    return [Seawall(seawall)] + [kind(peers[kind.name]["path"]) for kind in (KubeScore, Checkov, Trivy)
                                 if "path" in peers.get(kind.name, {})]
