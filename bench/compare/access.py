"""Who may do what: answers to SubjectAccessReviews beside those of Kubernetes' own authorizer about the same roles.

The authorizer is the truth here, and no rival in speed: it is asked over lists as its tests use them, not over the
API server's caches.
"""

import json
import subprocess
import sys

from measure import measure, run

# Roles, bindings, reviews.
SIZES = [(100, 200, 20000), (10000, 20000, 2000)]
LISTS = {"Role": "roles", "ClusterRole": "clusterRoles", "RoleBinding": "roleBindings",
         "ClusterRoleBinding": "clusterRoleBindings"}


def estate(bench, folder):
    """All objects of a folder, made JSON by sigs.k8s.io/yaml."""
    found = {name: [] for name in LISTS.values()}
    texts = [text.encode() for file in sorted(folder.glob("*.yaml")) for text in file.read_text().split("---\n")]
    framed = b"".join(b"%d\n%s" % (len(text), text) for text in texts)
    done = subprocess.run([bench.peers["oracle-yaml"]["path"]], input=framed, capture_output=True, check=True)
    for line in done.stdout.splitlines():
        one = json.loads(line)["json"]
        found[LISTS[one["kind"]]].append(one)
    return found


def measure_all(bench):
    rows = []
    for roles, bindings, count in SIZES:
        folder = bench.folder(f"rights/{roles}-{bindings}")
        reviews = bench.folder("rights") / f"reviews-{count}.jsonl"
        generate = bench.root / "bench" / "rights.py"
        run([sys.executable, generate, str(roles), str(bindings), folder])
        run([sys.executable, generate, str(count), reviews])
        bench.say(f"{roles} roles, {bindings} bindings, {count} reviews")
        answers = bench.folder("rights") / "answers.jsonl"
        command = [bench.seawall, "can", "--whole", "--reviews", reviews, folder]
        taken = measure(command, into=answers)
        row = {"roles": roles, "bindings": bindings, "reviews": count, "seawall": taken}
        if all("path" in bench.peers.get(name, {}) for name in ("oracle-rbac", "oracle-yaml")):
            asked = bench.folder("rights") / "questions.jsonl"
            with asked.open("w") as out:
                out.write(json.dumps({"estate": estate(bench, folder)}) + "\n")
                for line in reviews.read_text().splitlines():
                    out.write(json.dumps({"review": json.loads(line)["spec"]}) + "\n")
            said = bench.folder("rights") / "said.jsonl"
            row["kubernetes"] = measure(["sh", "-c", 'exec "$0" <"$1"', bench.peers["oracle-rbac"]["path"], asked],
                                        turns=1, into=said)
            theirs = [json.loads(line).get("allowed") for line in said.read_text().splitlines()[1:]]
            ours = [json.loads(line)["status"]["allowed"] for line in answers.read_text().splitlines()]
            row["compared"] = len(theirs)
            row["differ"] = sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))
            row["allowed"] = sum(theirs)
        rows.append(row)
    return {"rows": rows}
