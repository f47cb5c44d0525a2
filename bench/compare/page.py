"""Writes bench/COMPARISON.md, its plots, and the lines about it in README.md, all from bench/comparison.json."""

import json

import plot
from manifests import SETS

OPEN, CLOSE = "<!-- from bench/comparison.json -->", "<!-- end -->"
ORDER = ["seawall", "kube-score", "kube-linter", "checkov", "trivy"]


def number(value):
    if value < 0.01:
        return "0.00"
    if value < 10:
        return f"{value:.2f}"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def ratio(theirs, ours):
    return f"{theirs / max(ours, 0.01):.1f}" if theirs < 100 * max(ours, 0.01) else f"{theirs / max(ours, 0.01):,.0f}"


def bold(words, when):
    return f"**{words}**" if when else str(words)


def cpu(taken):
    return ("> " if taken["ended"] else "") + number(taken["cpu"])


def table(head, rows, right=0):
    """Columns from `right` on are numbers."""
    marks = ["---" if at < right or not right else "---:" for at in range(len(head))]
    lines = [head, marks, *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines) + "\n"


def in_order(tools):
    return sorted(tools, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def when(part):
    machine = part["machine"]
    return (f"Measured on {part['date']}: {part['seawall']}, {machine['cores']} cores ({machine['cpu']}), "
            f"{machine['memoryGB']} GB; load at the start {machine['load']}.\n\n")


class Page:
    def __init__(self, results):
        self.results = results
        self.parts = results["parts"]
        self.plots = {}
        # What seawall is better and worse at, by the numbers.
        self.wins, self.losses = [], []

    def versus(self, what, ours, theirs, who, unit, less=True):
        if ours == theirs:
            return
        line = f"{what}: {who} {theirs} {unit}".rstrip() + f", seawall {ours} {unit}".rstrip()
        value = lambda words: float(str(words).replace(",", "").replace("> ", "").rstrip("%"))
        better = value(ours) < value(theirs) if less else value(ours) > value(theirs)
        (self.wins if better else self.losses).append(line)

    def picture(self, name, svg, alt):
        self.plots[name] = svg
        return f"![{alt}](plots/{name}.svg)\n\n"

    # --- parts ---

    def manifests(self):
        part = self.parts["manifests"]
        text = ("Folders of generated Deployments (2.3 KB each, three containers, every fourth hardened) and of "
                "CustomResourceDefinitions (`bench/generate.py`). Every judge uses all rules that it has on by default, "
                "and its report goes nowhere. Processor seconds (user and system) and the largest memory, by GNU time, "
                "the median of three turns (of one, where a turn takes more than 4 CPU s).\n\n") + when(part)
        rows, groups = [], []
        for name, *_ in SETS:
            those = {row["tool"]: row for row in part["rows"] if row["input"] == name and "cpu" in row}
            if "seawall" not in those:
                continue
            ours = those["seawall"]
            drawn = []
            for tool in in_order(those):
                row = those[tool]
                rows.append([name, tool, bold(cpu(row), tool != "seawall" and row["cpu"] < ours["cpu"]),
                             bold(f"{row['mb']:.0f}", tool != "seawall" and row["mb"] < ours["mb"]),
                             ratio(row["cpu"], ours["cpu"]), ratio(row["mb"], ours["mb"]), row["turns"], row["load"]])
                drawn.append((tool, row["cpu"], f"{cpu(row)} s, {row['mb']:.0f} MB"))
                if tool != "seawall":
                    self.versus(name, cpu(ours), cpu(row), tool, "CPU s")
                    self.versus(f"{name}, memory", f"{ours['mb']:.0f}", f"{row['mb']:.0f}", tool, "MB")
            groups.append((name, drawn))
        skipped = [f"{row['input']} to {row['tool']}" for row in part["rows"] if "skipped" in row]
        text += self.picture("manifests", plot.bars("Processor seconds (logarithmic, less is better)", groups),
                             "bars: processor seconds of each judge for each input; the same numbers as in the table")
        text += table(["input", "judge", "CPU s", "peak MB", "CPU, times seawall's", "memory, times seawall's", "turns",
                       "load"], rows, 2)
        if skipped:
            text += "Not given in this run: " + ", ".join(skipped) + ".\n\n"
        return "Manifests: speed and memory", text

    def pods(self):
        part = self.parts["pods"]
        text = (f"{part['count']} Pods: the fixtures of Kubernetes' own Pod Security tests, `baseline` and `restricted` at "
                f"{part['version']}, each with a name of its own. Upstream says of each whether its level allows it. "
                "No rule of a judge is named here: a judge *sees* what is wrong with a refused Pod when a rule fails "
                "that does not fail for the level's plain Pod, and *says too much* of an allowed one when a rule fails "
                "by which it saw what is wrong with refused ones of the same control. Saying too much may be meant "
                "(a rule may be stricter than the standard); passing over what the standard refuses is not. A rule that is "
                "stricter than a level fails its plain Pod too and cannot tell its Pods apart: whoever wants a seccomp "
                "profile everywhere passes over three of `baseline` here, and would have told people of them.\n\n") + when(part)
        rows, drawn, missed = [], [], {}
        base = part["tools"]["seawall"]
        for tool in in_order(part["tools"]):
            said = part["tools"][tool]
            bad = [case for case in said["cases"] if case["verdict"] == "fail"]
            good = [case for case in said["cases"] if case["verdict"] == "pass"]
            seen, over = sum(case["right"] for case in bad), sum(not case["right"] for case in good)
            taken = said["taken"]
            rows.append([tool, f"{seen} of {len(bad)}", bold(len(bad) - seen, tool == "seawall" and seen < len(bad)),
                         bold(f"{over} of {len(good)}", tool == "seawall" and over), cpu(taken), f"{taken['mb']:.0f}",
                         ratio(taken["cpu"], base["taken"]["cpu"])])
            drawn.append((tool, (seen, 0, len(bad) - seen)))
            for case in bad:
                if not case["right"]:
                    missed.setdefault((case["level"], case["control"]), {}).setdefault(tool, []).append(case["file"])
            if tool != "seawall":
                ours = sum(case["right"] for case in base["cases"] if case["verdict"] == "fail")
                self.versus(f"Pod Security: refused Pods seen, of {len(bad)}", ours, seen, tool, "Pods", less=False)
        text += self.picture("pods", plot.shares("Refused Pods: is the reason seen?", drawn, ["seen", "", "passed over"]),
                             "bars: refused Pods whose reason each judge sees or passes over")
        text += table(["judge", "seen", "passed over", "said too much", "CPU s", "peak MB", "CPU, times seawall's"], rows, 1)
        tools = in_order(part["tools"])
        text += "Passed over, by control:\n\n"
        text += table(["level", "control", *tools], [[level, control, *(len(by.get(tool, [])) or "" for tool in tools)]
                                                     for (level, control), by in sorted(missed.items())], 2)
        text += self.unread({tool: said["unread"] for tool, said in part["tools"].items()})
        return "Pod Security: truth", text

    def unread(self, tools):
        lines = [f"- {tool}: {' '.join(' '.join(said.values()).split())[:200]}" for tool, said in tools.items() if said]
        return "What judges said they could not read or do:\n\n" + "\n".join(lines) + "\n\n" if lines else ""

    def awkward(self):
        part = self.parts["awkward"]
        text = ("Each file is given alone. It holds a privileged container that Kubernetes would run, something that "
                "nobody can read as Kubernetes does, or both. Right is: the container is seen by the judge's own rule "
                "about privileged containers, and what cannot be read is said (in the report, beside it, or by a parsing "
                "error listed). *Only said so*: Kubernetes reads the file, the judge cannot and says so. *Half*: of two "
                "things one is passed over. *Silent*: nothing is said, and the file looks fine.\n\n")
        if part.get("together"):
            if "trivy" in part["cases"][0]["tools"]:
                text += ("trivy gets each file alone, and then counts what it takes for none of its own. Of several at once it "
                         "names few of those, so *only said so* is more than people see who give it a folder.\n\n")
            text += (f"{', '.join(part['together'])} would start for seconds for each file, so it gets all at once; what names a "
                     "file is about that file.\n\n")
        text += when(part)
        tools = in_order(part["cases"][0]["tools"])
        words = {"right": "right", "told": "only said so", "half": "half", "silent": "silent"}
        rows, counts = [], {tool: dict.fromkeys(words, 0) for tool in tools}
        for case in part["cases"]:
            cells = []
            for tool in tools:
                verdict = case["tools"][tool]["verdict"]
                counts[tool][verdict] += 1
                bad = verdict != "right" if tool == "seawall" else verdict in ("silent", "half")
                cells.append(bold(words[verdict], bad))
            rows.append([case["what"], f"`{case['file']}`", " and ".join(case["expected"]),
                         case.get("kubernetes", ""), *cells])
        drawn = [(tool, (counts[tool]["right"], counts[tool]["told"], counts[tool]["half"] + counts[tool]["silent"]))
                 for tool in tools]
        text += self.picture("awkward", plot.shares(f"{len(rows)} awkward files", drawn,
                                                    ["right", "only said so", "half or silent"]),
                             "bars: awkward files that each judge gets right, refuses openly, or passes over")
        text += table(["judge", *words.values()], [[tool, *counts[tool].values()] for tool in tools], 1)
        text += table(["what", "file", "to be said", "sigs.k8s.io/yaml reads", *tools], rows)
        notes = []
        for case in part["cases"]:
            for tool in tools:
                said = case["tools"][tool]
                if said["verdict"] in ("half", "silent"):
                    shown = f"`{said['text'][:110]}`" if said["text"] else "nothing"
                    notes.append(f"| `{case['file']}` | {tool} | {said['exit']} | {', '.join(said['said']) or 'nothing'} | "
                                 + shown.replace("|", "\\|") + " |\n")
        if notes:
            text += ("<details><summary>What they print where they are silent or say half</summary>\n\n"
                     "| file | judge | exit code | said | beside the report |\n|---|---|---|---|---|\n"
                     + "".join(notes) + "\n</details>\n\n")
        for tool in tools:
            if tool != "seawall":
                self.versus(f"Awkward files right, of {len(rows)}", counts["seawall"]["right"], counts[tool]["right"],
                            tool, "files", less=False)
        return "Awkward files: is it said what could not be read?", text

    def templates(self):
        part = self.parts["templates"]
        first = part["languages"][0]
        text = (f"One posture of a cluster, a registry and a vault, {first['settings']} settings, written in "
                f"{sum(one['ways'] for one in part['languages'])} ways (`bench/compare/posture.py`), each with a good and "
                "a bad twin. What a judge has rules for is learned from the plain literals, each setting bad alone. "
                "Of those settings alone it is asked: a rule must fail for the bad twin of every way, and must not for "
                "the good one. So a judge is never blamed for a rule that it does not have; how many settings it has one "
                "for is in the table. All files of a language are given at once.\n\n") + when(part)
        rows, drawn, details = [], [], ""
        for one in part["languages"]:
            base = one["tools"]["seawall"]["taken"]
            tools = in_order(one["tools"])
            for tool in tools:
                said = one["tools"][tool]
                asked = 2 * sum(way["of"] for way in said["ways"])
                missed = sum(len(way["missed"]) for way in said["ways"])
                false = sum(len(way["false"]) for way in said["ways"])
                known = sum(1 for about in said["rules"].values() if about)
                taken = said["taken"]
                mine = tool == "seawall"
                rows.append([one["language"], tool, f"{known} of {one['settings']}", f"{asked - missed - false} of {asked}",
                             bold(missed, mine and missed), bold(false, mine and false), said["unreadCount"],
                             bold(cpu(taken), not mine and taken["cpu"] < base["cpu"]), f"{taken['mb']:.0f}",
                             ratio(taken["cpu"], base["cpu"])])
                drawn.append((f"{tool}, {one['language']}", (asked - missed - false, 0, missed + false)))
                if not mine:
                    self.versus(f"{one['language']}, {one['ways']} ways", cpu(base), cpu(taken), tool, "CPU s")
                    if asked:
                        ours = one["tools"]["seawall"]
                        total = 2 * sum(way["of"] for way in ours["ways"])
                        wrong = sum(len(way["missed"]) + len(way["false"]) for way in ours["ways"])
                        self.versus(f"{one['language']}: verdicts right", f"{100 * (1 - wrong / total):.0f}%",
                                    f"{100 * (1 - (missed + false) / asked):.0f}%", tool, "", less=False)
            cells = [[way["way"], *(self.way(one["tools"][tool]["ways"][at], tool) for tool in tools)]
                     for at, way in enumerate(one["tools"]["seawall"]["ways"])]
            details += f"{one['language']}, wrong verdicts by way (missed, wrongly reported; of twice so many settings):\n\n"
            details += table(["way", *tools], cells)
        text += self.picture("templates", plot.shares("Verdicts about the settings that a judge has a rule for", drawn,
                                                      ["right", "", "wrong"]),
                             "bars: right and wrong verdicts of each judge in each language")
        text += table(["language", "judge", "settings with a rule", "right", "missed", "wrongly reported",
                       "files said unread", "CPU s", "peak MB", "CPU, times seawall's"], rows, 2)
        return "Templates: truth and speed", text + details

    @staticmethod
    def way(way, tool):
        if not way["of"]:
            return "no rule"
        wrong = len(way["missed"]) + len(way["false"])
        return bold(f"{len(way['missed'])}, {len(way['false'])} of {way['of']}", wrong) if wrong else "right"

    def rights(self):
        part = self.parts["rights"]
        text = ("`seawall can --reviews` and Kubernetes' own RBAC authorizer answer the same SubjectAccessReviews about "
                "the same roles and bindings (`bench/rights.py`). The authorizer is the truth here and no rival in "
                "speed: it goes through plain lists, not the API server's caches; its seconds say what asking it "
                "offline would take. Reading the files is part of seawall's time, not of the authorizer's, which gets "
                "them as one JSON object.\n\n") + when(part)
        rows = []
        for row in part["rows"]:
            other = row.get("kubernetes")
            rows.append([f"{row['roles']:,}", f"{row['bindings']:,}", f"{row['reviews']:,}",
                         bold(row["differ"], row["differ"]) if other else "not asked", row.get("allowed", ""),
                         cpu(row["seawall"]), f"{row['seawall']['mb']:.0f}",
                         cpu(other) if other else "", f"{other['mb']:.0f}" if other else ""])
        text += table(["roles", "bindings", "reviews", "answers that differ", "allowed", "seawall CPU s", "peak MB",
                       "authorizer CPU s", "peak MB"], rows, 0) .replace("|---|", "|---:|")
        return "Rights: truth", text

    def reach(self):
        part = self.parts["reach"]
        text = ("`seawall reach --expand` on estates of `bench/reach.py`: a row for each ordered pair of workloads between "
                "which anything may pass.\n\n") + when(part)
        rows = []
        for row in part["rows"]:
            other = row.get("netpol-analyzer")
            rows.append([f"{row['workloads']:,}", f"{row['policies']:,}", f"{row['rows']:,}", cpu(row["seawall"]),
                         f"{row['seawall']['mb']:.0f}", cpu(other) if other else "not run",
                         f"{other['mb']:.0f}" if other else ""])
            if other:
                self.versus(f"Reachability of {row['workloads']} workloads", cpu(row["seawall"]), cpu(other),
                            "netpol-analyzer", "CPU s")
        text += table(["workloads", "policies", "rows", "seawall CPU s", "peak MB", "netpol-analyzer CPU s", "peak MB"],
                      rows, 0)
        return "Who can talk to whom", text

    def audit(self):
        part = self.parts["audit"]
        text = ("A log by the generator of `crates/audit/examples/speed.rs`. DuckDB (one thread) and jq answer one question, "
                "who ran how many commands in pods; `audit detect` asks all detections about every event, `audit learn` "
                "learns the roles of all identities. Each is a program started anew, starting included. The answer to the "
                "question is among what `audit detect` says (`exec-into-pod`).\n\n") + when(part)
        rows, groups = [], []
        for log in part["logs"]:
            base = log["tools"].get("duckdb")
            drawn = []
            for tool, taken in log["tools"].items():
                events = taken.get("events", log["events"])
                speed = events / max(taken["cpu"], 0.01)
                rows.append([f"{log['events']:,} events {log['log']}, {log['mb']:.0f} MB", tool, taken["does"], cpu(taken),
                             f"{taken['mb']:.0f}", f"{speed:,.0f}",
                             f"{speed / (base.get('events', log['events']) / base['cpu']):.2f}" if base else ""])
                drawn.append((tool, 1e6 / speed, f"{speed:,.0f} events/s, {taken['mb']:.0f} MB"))
            groups.append((log["log"], drawn))
            if base:
                for tool in ("seawall audit detect", "seawall audit learn"):
                    self.versus(f"Audit log {log['log']}, `{tool}` beside one question in DuckDB",
                                cpu(log["tools"][tool]), cpu(base), "DuckDB", "CPU s")
                self.versus(f"Audit log {log['log']}, memory of `seawall audit detect`",
                            f"{log['tools']['seawall audit detect']['mb']:.0f}", f"{base['mb']:.0f}", "DuckDB", "MB")
        text += self.picture("audit", plot.bars("Processor seconds for a million events (logarithmic, less is better)", groups),
                             "bars: processor seconds of each for a million events")
        text += table(["log", "program", "does", "CPU s", "peak MB", "events a CPU second", "of DuckDB's"], rows, 3)
        for log in part["logs"]:
            said = "; ".join(f"{who} {answer['commands']} commands of {answer['users']} users"
                             for who, answer in log["answers"].items())
            text += (f"Answers, {log['log']}: {said}"
                     + (": only one was asked.\n\n" if len(log["answers"]) < 2 else ": **they differ**.\n\n" if log["differ"] else ": the same for each user.\n\n"))
        return "Audit logs", text

    # --- the page ---

    def write(self):
        sections = [getattr(self, name)() for name in
                    ("manifests", "pods", "awkward", "templates", "rights", "reach", "audit") if name in self.parts]
        text = ("# seawall beside others\n\nWritten by `python3 bench/compare`, which installs the peers, runs everything on "
                "the same inputs, and writes this page and [comparison.json](comparison.json), which "
                "also names each command. No number is written by hand. Where a peer does better than seawall, or "
                "seawall is wrong, the cell is **bold**. Each part says when it was measured and how "
                "busy the machine was: other work changes seconds more than it changes ratios.\n\n## In short\n\nWhere seawall loses:\n\n")
        text += "".join(f"- **{line}**\n" for line in self.losses) or "- nowhere in what was measured\n"
        text += "\nWhere it wins:\n\n" + "".join(f"- {line}\n" for line in self.wins)
        text += "\nNot measured here: how good a judge's advice is, and what its rules are about. A judge that sees what " \
                "seawall does not even ask about gets no credit on this page.\n\n## Peers\n\n"
        rows = [[name, peer["what"], peer.get("version", ""), f"`{peer['how']}`" if "how" in peer else "",
                 "**no**: " + peer["failed"] if "failed" in peer else ""]
                for name, peer in sorted(self.results["peers"].items())]
        text += table(["program", "for", "version", "installed by", "could not be had"], rows)
        for title, body in sections:
            text += f"## {title}\n\n{body}"
        return text.rstrip() + "\n"

    def readme(self):
        """The lines of README.md."""
        lines = []
        if "manifests" in self.parts:
            rows = {(row["input"], row["tool"]): row for row in self.parts["manifests"]["rows"] if "cpu" in row}
            ours = rows[("10,000 Deployments", "seawall")]
            others = [f"{tool} {ratio(row['cpu'], ours['cpu'])} times that" for (name, tool), row in rows.items()
                      if name == "10,000 Deployments" and tool != "seawall"]
            lines.append(f"- 10,000 Deployments: {cpu(ours)} CPU s and {ours['mb']:.0f} MB"
                         + (f" ({', '.join(others)})" if others else ""))
        for name, what in (("pods", "refused Pods of Kubernetes' Pod Security fixtures seen"),
                           ("awkward", "awkward files read as Kubernetes does, or named as not readable")):
            if name in self.parts:
                counts = self.counts(name)
                ours, total = counts.pop("seawall")
                lines.append(f"- {ours} of {total} {what}"
                             + "".join(f"; {tool} {count}" for tool, (count, _) in counts.items()))
        if "templates" in self.parts:
            counts = {}
            for one in self.parts["templates"]["languages"]:
                for tool, said in one["tools"].items():
                    asked = 2 * sum(way["of"] for way in said["ways"])
                    wrong = sum(len(way["missed"]) + len(way["false"]) for way in said["ways"])
                    right, total = counts.get(tool, (0, 0))
                    counts[tool] = right + asked - wrong, total + asked
            lines.append("- Verdicts that are right about one posture of Azure resources however it is written: "
                         + ", ".join(f"{tool} {right} of {total}" for tool, (right, total) in counts.items() if total))
        return "\n".join(lines) + "\n"

    def counts(self, name):
        part = self.parts[name]
        if name == "awkward":
            tools = in_order(part["cases"][0]["tools"])
            return {tool: (sum(case["tools"][tool]["verdict"] == "right" for case in part["cases"]), len(part["cases"]))
                    for tool in tools}
        found = {}
        for tool in in_order(part["tools"]):
            bad = [case for case in part["tools"][tool]["cases"] if case["verdict"] == "fail"]
            found[tool] = sum(case["right"] for case in bad), len(bad)
        return found


def write(root, check=False):
    """Writes what is not as it should be, or only names it."""
    page = Page(json.loads((root / "bench" / "comparison.json").read_text()))
    files = {"bench/COMPARISON.md": page.write()}
    files |= {f"bench/plots/{name}.svg": svg for name, svg in page.plots.items()}
    readme = (root / "README.md").read_text()
    if OPEN in readme:
        before, rest = readme.split(OPEN, 1)
        files["README.md"] = before + OPEN + "\n" + page.readme() + CLOSE + rest.split(CLOSE, 1)[1]
    changed = []
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_text() != text:
            changed.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    return changed
