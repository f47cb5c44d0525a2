"""Folders of generated manifests: what each judge takes for them."""

import sys

from measure import load, measure, run

# A set of bench/generate.py, and who gets it: those that would work for minutes do not.
SETS = [
    ("1 Deployment", "deployments", 1, {"seawall", "kube-score", "checkov", "trivy"}),
    ("1,000 Deployments", "deployments", 1000, {"seawall", "kube-score", "checkov", "trivy"}),
    ("10,000 Deployments", "deployments", 10000, {"seawall", "kube-score"}),
    ("50 MB of CRDs", "crds", 50, {"seawall", "kube-score", "trivy"}),
]


def measure_all(bench):
    rows = []
    for name, kind, amount, who in SETS:
        folder = bench.folder(f"manifests/{kind}-{amount}")
        run([sys.executable, bench.root / "bench" / "generate.py", kind, str(amount), folder])
        for judge in bench.judges:
            if judge.name not in who:
                rows.append({"input": name, "tool": judge.name, "skipped": True})
                continue
            bench.say(f"{name}: {judge.name}")
            rows.append({"input": name, "tool": judge.name, "load": load(), **measure(judge.command(".", cwd=folder), cwd=folder)})
    return {"rows": rows}
