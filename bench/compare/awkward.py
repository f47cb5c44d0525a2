"""Files that are awkward to read: does a judge see the privileged container in them, or say that it could not read them?

Each case holds a privileged container that Kubernetes would run, something that nobody can read, or both. What
Kubernetes makes of the text is asked of sigs.k8s.io/yaml, where its program is here.
"""

import json
import re
import subprocess

SEEN, TOLD = "privileged", "not readable"

POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
  - name: app
    image: example.azurecr.io/web:1.2.3
    securityContext:
      privileged: true
"""
BROKEN = "a: [1\nb: 2\n"
INLINE = ("{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {containers: [{name: app, "
          "image: example.azurecr.io/web:1.2.3, securityContext: {privileged: true}}]}}")
JSON = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
                   "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1.2.3",
                                            "securityContext": {"privileged": True}}]}}, indent=1) + "\n"


def value(text):
    return POD.replace("privileged: true", f"privileged: {text}")


def item(text, indent="  "):
    return "- " + text.rstrip("\n").replace("\n", "\n" + indent) + "\n"


def workload(version, kind, spec, indent):
    body = POD.split("spec:\n")[1].rstrip("\n")
    pad = " " * indent
    inner = pad + "metadata: {labels: {app: web}}\n" + pad + "spec:\n"
    inner += "".join(f"{pad}{line}\n" for line in body.split("\n"))
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\n{spec}{inner}"


LIST = "apiVersion: v1\nkind: List\nitems:\n"
TEMPLATE = "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n"

# What it is, the file's name, its text, and what an honest judge says of it.
CASES = [
    ("a plain Pod", "plain.yaml", POD, {SEEN}),
    ("Deployment", "deployment.yaml", workload("apps/v1", "Deployment", TEMPLATE, 4), {SEEN}),
    ("CronJob", "cronjob.yaml",
     workload("batch/v1", "CronJob", "spec:\n  schedule: '@daily'\n  jobTemplate:\n    spec:\n      template:\n", 8), {SEEN}),
    ("ReplicationController", "controller.yaml", workload("v1", "ReplicationController", "spec:\n  template:\n", 4), {SEEN}),
    ("PodTemplate", "podtemplate.yaml", workload("v1", "PodTemplate", "template:\n", 2), {SEEN}),
    ("init container", "init.yaml", POD.replace("  containers:\n", "  containers:\n  - {name: a, image: b}\n  initContainers:\n"), {SEEN}),
    ("ephemeral container", "ephemeral.yaml",
     POD.replace("  containers:\n", "  containers:\n  - {name: a, image: b}\n  ephemeralContainers:\n"), {SEEN}),
    ("List", "list.yaml", LIST + item(POD), {SEEN}),
    ("List whose kind stands last", "list-last.yaml", "items:\n" + item(POD) + "kind: List\napiVersion: v1\n", {SEEN}),
    ("PodList", "podlist.yaml", "apiVersion: v1\nkind: PodList\nitems:\n"
     + item(POD.replace("apiVersion: v1\nkind: Pod\n", "")), {SEEN}),
    ("List in a List", "list-in-list.yaml", LIST + item(LIST + item(POD)), {SEEN}),
    ("List with one item that is none", "list-broken.yaml", LIST + "- kind: Pod\n" + item(POD), {SEEN, TOLD}),
    ("JSON in .yaml", "json.yaml", JSON, {SEEN}),
    ("JSON in .json", "object.json", JSON, {SEEN}),
    ("JSON, two objects in a row", "stream.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n' + JSON, {SEEN}),
    ("YAML in .json", "yaml.json", POD, {SEEN}),
    ("file ending .yml", "ending.yml", POD, {SEEN}),
    ("flow style on the marker's line", "marker.yaml", "a: b\n--- " + INLINE + "\n", {SEEN}),
    ("Windows line ends", "crlf.yaml", POD.replace("\n", "\r\n"), {SEEN}),
    ("byte order mark", "bom.yaml", "\ufeff" + POD, {SEEN}),
    ("UTF-16", "utf16.yaml", POD.encode("utf-16"), {SEEN}),
    ("UTF-16 without a mark", "utf16le.yaml", POD.encode("utf-16-le"), {TOLD}),
    ("Latin-1", "latin1.yaml", POD.replace("  namespace: shop\n", "  namespace: shop\n  annotations: {a: caf\xe9}\n").encode("latin-1"), {TOLD}),
    ("no line end at the end", "no-end.yaml", POD.rstrip("\n"), {SEEN}),
    ("`yes`, a boolean of YAML 1.1", "yes.yaml", value("yes"), {SEEN}),
    ("`on`", "on.yaml", value("on"), {SEEN}),
    ("`True`", "capital.yaml", value("True"), {SEEN}),
    ("`!!bool true`", "tagged.yaml", value("!!bool true"), {SEEN}),
    ("`\"true\"`, which the API server refuses", "quoted.yaml", value('"true"'), {TOLD}),
    ("`1`, which it refuses too", "number.yaml", value("1"), {TOLD}),
    ("the same key twice, the last counts", "twice.yaml", value("false\n      privileged: true"), {SEEN}),
    ("escaped key", "escaped.yaml", POD.replace("privileged:", '"privil\\u0065ged":'), {SEEN}),
    ("`? key`", "question.yaml", POD.replace("privileged: true", "? privileged\n      : true"), {SEEN}),
    ("anchor and alias of a value", "alias.yaml", "x: &t true\n" + value("*t"), {SEEN}),
    ("merge key", "merge.yaml", "x: &s {privileged: true}\n" + POD.replace("      privileged: true", "      <<: *s"), {SEEN}),
    ("merge key that is overridden", "merge-over.yaml",
     "x: &s {privileged: false}\n" + POD.replace("      privileged: true", "      <<: *s\n      privileged: true"), {SEEN}),
    ("kind by an alias", "kind-alias.yaml", "x: &k Pod\n" + POD.replace("kind: Pod", "kind: *k"), {SEEN}),
    ("comment first, marker second", "comment.yaml", "# kind: ConfigMap\n---\n" + POD, {SEEN}),
    ("`%YAML 1.1`", "directive.yaml", "%YAML 1.1\n---\n" + POD, {SEEN}),
    ("empty documents before it", "empty.yaml", "---\n---\n# nothing\n---\n" + POD, {SEEN}),
    ("`---` inside a block of text", "block.yaml", POD.replace(
        "  namespace: shop\n", "  namespace: shop\n  annotations:\n    note: |\n      a\n      ---\n      kind: ConfigMap\n"), {SEEN}),
    ("braces in quotes, no template", "braces.yaml", POD.replace(
        "  namespace: shop\n", "  namespace: shop\n  annotations: {note: \"{{ $labels.pod }}\"}\n"), {SEEN}),
    ("after a broken document", "after-broken.yaml", BROKEN + "---\n" + POD, {SEEN, TOLD}),
    ("before a broken document", "before-broken.yaml", POD + "---\n" + BROKEN, {SEEN, TOLD}),
    ("before what is no YAML at all", "garbage.yaml", POD + "---\n\tsome words: and: more\n", {SEEN, TOLD}),
    ("a tab in the indentation", "tabs.yaml", POD.replace("      privileged", "\t\t\tprivileged"), {TOLD}),
    ("unrendered Helm template", "helm.yaml", POD.replace("name: web", "name: {{ .Values.name }}"), {TOLD}),
    ("unrendered Helm template with a condition", "helm-if.yaml",
     POD.replace("spec:\n", "{{- if .Values.on }}\nspec:\n").rstrip("\n") + "\n{{- end }}\n", {TOLD}),
    ("beside an unrendered document", "helm-beside.yaml", "a: {{ .Values.x }}\n---\n" + POD, {SEEN, TOLD}),
    ("no apiVersion", "no-version.yaml", POD.replace("apiVersion: v1\n", ""), {TOLD}),
    ("no kind", "no-kind.yaml", POD.replace("kind: Pod\n", ""), {TOLD}),
    ("containers is a map, not a list", "map.yaml", POD.replace("  - name: app\n    image", "    name: app\n    image"), {TOLD}),
    ("a JSON object that is cut off", "cut.json", JSON[:-20], {TOLD}),
]


def outcome(said, judge, file):
    """What a judge said of one file: seen, told, both or nothing."""
    words = set()
    if judge.privileged & set(said.rules.get(file, [])):
        words.add(SEEN)
    told = [text for about, text in said.unread.items() if about == file or (about == "" and judge.quick)]
    if not judge.quick:
        # It was given all files at once: only what names this one is about it.
        told += [line for line in said.beside.splitlines() if re.search(rf"(^|[\s/'\"]){re.escape(file)}\b", line)]
    if told:
        words.add(TOLD)
    return {"said": sorted(words), "exit": said.exit if judge.quick else "", "text": " ".join(" ".join(told).split())[:300]}


def right(expected, said):
    """Whether nothing that should have been said was passed over in silence."""
    if expected == {SEEN}:
        # Whoever says that he cannot read a file that Kubernetes reads is honest, if of no help.
        return "right" if SEEN in said else ("told" if TOLD in said else "silent")
    if expected == {TOLD}:
        return "right" if said else "silent"
    return "right" if expected <= set(said) else ("half" if said else "silent")


def truth(oracle, text):
    """What sigs.k8s.io/yaml, which kubectl reads with, makes of a file with one document."""
    data = text if isinstance(text, bytes) else text.encode()
    if b"\n---" in data or data.startswith(b"---"):
        return "several documents"
    done = subprocess.run([oracle], input=b"%d\n%s" % (len(data), data), capture_output=True)
    answer = json.loads(done.stdout.splitlines()[0])
    if "error" in answer:
        return "an error"
    return "privileged: true" if '"privileged":true' in json.dumps(answer["json"], separators=(",", ":")) else "no boolean"


def measure_all(bench):
    folder = bench.folder("awkward")
    oracle = bench.peers.get("oracle-yaml", {}).get("path")
    for _, file, text, _ in CASES:
        path = folder / file
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    all_at_once = {judge.name: judge.judge(".", cwd=folder)[0] for judge in bench.judges if not judge.quick}
    rows = []
    for what, file, text, expected in CASES:
        row = {"what": what, "file": file, "expected": sorted(expected), "tools": {}}
        row["kubernetes"] = truth(oracle, text) if oracle else "not asked"
        for judge in bench.judges:
            said = all_at_once.get(judge.name) or judge.judge(file, cwd=folder)[0]
            told = outcome(said, judge, file)
            told["verdict"] = right(expected, told["said"])
            row["tools"][judge.name] = told
        rows.append(row)
    return {"cases": rows, "together": sorted(all_at_once)}
