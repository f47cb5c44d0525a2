"""The fixtures of Kubernetes' own Pod Security tests: pods that a level allows, and pods that it refuses for one reason.

No rule of a judge is named here. A judge sees what is wrong with a pod when a rule fails that does not fail on the level's
plain pod; it says too much of an allowed pod when one of the rules fails by which it saw what is wrong with the others of
the same control.
"""

import re
import shutil

from measure import TURNS, run

VERSION = "v1.34"


def fixtures(bench):
    """The folder with the fixtures: that of the tests, or made from the Go module as they do."""
    folder = bench.cache / "pss-testdata"
    if not folder.is_dir():
        done = run(["go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission"], cwd=bench.root / "oracle")
        if not done[1].strip():
            run(["go", "mod", "download", "k8s.io/pod-security-admission"], cwd=bench.root / "oracle")
            done = run(["go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission"], cwd=bench.root / "oracle")
        shutil.copytree(f"{done[1].strip()}/test/testdata", folder)
    return folder


def control(file):
    return re.sub(r"(_baseline|_restricted)?\d*\.yaml$", "", file)


def lay(bench):
    """Copies them with a name of its own for each pod, for a judge may join what has one name."""
    folder, cases = bench.folder("pods"), []
    for level in ("baseline", "restricted"):
        for verdict in ("pass", "fail"):
            for source in sorted((fixtures(bench) / level / VERSION / verdict).glob("*.yaml")):
                name = f"{level}-{verdict}-{source.stem.replace('_', '-')}"
                text, count = re.subn(r"^(metadata:\n(?:  .*\n)*?  name: ).*$", rf"\g<1>{name}", source.read_text(),
                                      count=1, flags=re.M)
                if not count:
                    raise ValueError(f"no name in {source}")
                (folder / f"{name}.yaml").write_text(text)
                cases.append({"file": f"{name}.yaml", "level": level, "verdict": verdict, "control": control(source.name),
                              "plain": source.name == "base.yaml"})
    return folder, cases


def measure_all(bench):
    folder, cases = lay(bench)
    tools = {}
    for judge in bench.judges:
        said, taken = judge.judge(".", cwd=folder, turns=TURNS)
        rules = {case["file"]: set(said.rules.get(case["file"], [])) for case in cases}
        plain = {case["level"]: rules[case["file"]] for case in cases if case["plain"]}
        known, rows = {}, []
        for case in cases:
            if case["verdict"] == "fail":
                seen = rules[case["file"]] - plain[case["level"]]
                known.setdefault((case["level"], case["control"]), set()).update(seen)
                rows.append({**case, "right": bool(seen), "rules": sorted(seen)})
        for case in cases:
            of = known.get((case["level"], case["control"]))
            if case["verdict"] == "pass" and of is not None:
                more = rules[case["file"]] & of
                rows.append({**case, "right": not more, "rules": sorted(more)})
        tools[judge.name] = {"cases": rows, "unread": said.unread, "taken": taken}
    return {"version": VERSION, "count": len(cases), "tools": tools}
