#!/usr/bin/env python3
"""Measures seawall and those of its peers that can be had on the same inputs, and writes the page about it.

    python3 bench/compare [PART…]     parts: pods awkward manifests templates rights reach audit; default: all
    python3 bench/compare --installed [PART…]   the same with those peers that are installed already
    python3 bench/compare --page      writes the page again from bench/comparison.json
    python3 bench/compare --check     says whether page and README are what bench/comparison.json says

Peers are installed below ${SEAWALL_CACHE:-~/.cache/seawall}/bench/peers; what cannot be had is on the page with the
reason. seawall is built by cargo, or the program that SEAWALL names. Needs Python 3.11, Go, cargo, and GNU time.
A part that is not asked for keeps what bench/comparison.json has of it, with its own date.
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys

import access
import awkward
import logs
import manifests
import page
import peers
import pods
import reaching
import templates
from measure import machine, run
from tools import judges

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGES = ["kube-score", "kube-linter", "trivy", "checkov", "polaris", "kubescape", "terrascan"]
# What a part measures, and with whom.
PARTS = {
    "pods": (pods.measure_all, JUDGES),
    "awkward": (awkward.measure_all, [*JUDGES, "oracle-yaml"]),
    "manifests": (manifests.measure_all, JUDGES),
    "templates": (templates.measure_all, JUDGES),
    "rights": (access.measure_all, ["kubectl-who-can", "oracle-rbac", "oracle-yaml"]),
    "reach": (reaching.measure_all, ["netpolicy"]),
    "audit": (logs.measure_all, ["audit2rbac", "duckdb", "jq"]),
}


class Bench:
    """What parts share."""

    root = ROOT

    def __init__(self, wanted, offline):
        self.cache = pathlib.Path(os.environ.get("SEAWALL_CACHE") or pathlib.Path.home() / ".cache" / "seawall")
        self.seawall = self.build()
        self.say("installing")
        self.peers = peers.install(self.cache, wanted, offline)
        self.judges = judges(self.seawall, self.peers)

    def build(self):
        if given := os.environ.get("SEAWALL"):
            return str(pathlib.Path(given).resolve())
        self.say("building seawall")
        subprocess.run(["cargo", "build", "--release", "--quiet", "--bin", "seawall"], cwd=ROOT, check=True)
        return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release" / "seawall")

    def folder(self, name):
        """A folder for inputs. Not below a hidden one, which checkov passes over."""
        top = pathlib.Path(os.environ.get("TMPDIR") or "/tmp") / f"seawall-compare-{os.getuid()}"
        path = top / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    def say(words):
        print(words, file=sys.stderr, flush=True)


def main(arguments):
    if arguments and arguments[0] in ("--page", "--check"):
        written = page.write(ROOT, check=arguments[0] == "--check")
        sys.exit(f"not what bench/comparison.json says: {', '.join(written)}; run `python3 bench/compare --page`"
                 if written and arguments[0] == "--check" else 0)
    if offline := arguments[:1] == ["--installed"]:
        arguments = arguments[1:]
    if unknown := [part for part in arguments if part not in PARTS]:
        sys.exit(f"there is no part `{unknown[0]}`\n\n{__doc__}")
    wanted = arguments or list(PARTS)
    bench = Bench({name for part in wanted for name in PARTS[part][1]}, offline)
    version = run([bench.seawall, "--version"])[1].strip()
    for part in wanted:
        bench.say(f"== {part}")
        before = machine()
        found = PARTS[part][0](bench)
        keep(bench, part, {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "seawall": version,
                           "machine": before, **found})
    for changed in page.write(ROOT):
        bench.say(f"written: {changed}")


def keep(bench, part, found):
    """Puts a part among those that are kept, whoever wrote them meanwhile."""
    kept = ROOT / "bench" / "comparison.json"
    results = json.loads(kept.read_text()) if kept.exists() else {"parts": {}, "peers": {}}
    results["parts"][part] = found
    results["peers"].update({name: {key: value for key, value in peer.items() if key != "path"}
                             for name, peer in bench.peers.items()})
    kept.write_text(clean(json.dumps(results, indent=1, ensure_ascii=False), bench) + "\n")


def clean(text, bench):
    """Names of folders of this machine say nothing to others."""
    for found, shown in [(str(bench.folder("")), "INPUT"), (str(bench.cache), "CACHE"), (bench.seawall, "seawall"),
                         (str(ROOT) + "/", "")]:
        text = text.replace(found, shown)
    return text


main(sys.argv[1:])
