"""Audit logs: one question (who ran how many commands in pods) in DuckDB and jq, beside seawall's work on the same file."""

import collections
import csv
import json

from measure import measure, run

EVENTS = 200_000
# jq's rate does not hang on the length of the log: it gets a part.
PART = 40_000

DUCKDB = """
import duckdb, sys
connection = duckdb.connect(config={"threads": 1})
connection.execute("SET enable_progress_bar = false")
for row in connection.execute(sys.argv[1].replace("FILE", sys.argv[2])).fetchall():
    print(*row, sep=",")
"""
FIELDS = ("{verb: 'VARCHAR', user: 'STRUCT(username VARCHAR)', "
          "objectRef: 'STRUCT(resource VARCHAR, subresource VARCHAR)'}")
SQL = {
    "raw.jsonl": f"""SELECT "user".username, count(*) FROM read_json('FILE', format='newline_delimited', columns={FIELDS})
        WHERE objectRef.resource = 'pods' AND objectRef.subresource = 'exec' GROUP BY 1""",
    "envelope.jsonl": """WITH events AS (SELECT from_json(properties.log, '{"user": {"username": "VARCHAR"},
            "objectRef": {"resource": "VARCHAR", "subresource": "VARCHAR"}}') AS event
            FROM read_json('FILE', format='newline_delimited', columns={properties: 'STRUCT(log VARCHAR)'}))
        SELECT event."user".username, count(*) FROM events
        WHERE event.objectRef.resource = 'pods' AND event.objectRef.subresource = 'exec' GROUP BY 1""",
}
JQ = {
    "raw.jsonl": 'select(.objectRef.resource == "pods" and .objectRef.subresource == "exec") | .user.username',
    "envelope.jsonl": ".properties.log | fromjson | "
                      'select(.objectRef.resource == "pods" and .objectRef.subresource == "exec") | .user.username',
}
NAMES = {"raw.jsonl": "as the API server writes them", "envelope.jsonl": "in AKS's envelopes"}


def write(bench):
    """The log, by the generator of the audit crate. None where it can not be built."""
    folder = bench.cache / "bench" / "audit"
    if not all((folder / name).exists() for name in SQL):
        bench.say("the generator of audit logs is built")
        done = run(["cargo", "run", "--release", "--quiet", "-p", "seawall-audit", "--example", "speed", "--", "write",
                    folder, str(EVENTS)], cwd=bench.root)
        if done[0]:
            raise RuntimeError(f"the log could not be made: {done[2].strip()[-300:]}")
    return folder


def counts(rows):
    return dict(sorted((user, int(count)) for user, count in rows))


def measure_all(bench):
    folder, work, logs = write(bench), bench.folder("logs"), []
    for name in SQL:
        log, out = folder / name, work / "out.csv"
        with log.open("rb") as lines:
            events = sum(1 for _ in lines)
        bench.say(f"audit log {NAMES[name]}: {events} events")
        one = {"log": NAMES[name], "file": name, "events": events, "mb": log.stat().st_size / 1e6, "tools": {}}
        answers, tools = {}, one["tools"]
        threads = ["--threads", "1"]
        quiet = ["--format", f"json={work / 'alerts.json'}", "--fail-on", "none"]
        tools["seawall audit detect"] = {"does": "all detections", **measure(
            [bench.seawall, "audit", "detect", *threads, *quiet, log])}
        tools["seawall audit learn"] = {"does": "roles of all identities", **measure(
            [bench.seawall, "audit", "learn", *threads, log])}
        alerts = json.loads((work / "alerts.json").read_text())["alerts"]
        said = collections.Counter(alert["user"] for alert in alerts if alert["detection"] == "exec-into-pod")
        answers["seawall audit detect"] = counts(said.items())
        if peer := bench.peers.get("duckdb", {}).get("path"):
            tools["duckdb"] = {"does": "the question", **measure([peer, "-c", DUCKDB, SQL[name], log], into=out)}
            if tools["duckdb"]["exit"]:
                # What ended with an error says nothing about speed.
                del tools["duckdb"]
                bench.peers["duckdb"]["failed"] = "its program ended with an error here"
            else:
                with out.open() as lines:
                    answers["duckdb"] = counts(csv.reader(lines))
        if peer := bench.peers.get("jq", {}).get("path"):
            part = work / "part.jsonl"
            with log.open("rb") as lines, part.open("wb") as some:
                some.writelines(line for _, line in zip(range(PART), lines))
            taken = measure([peer, "-r", JQ[name], part], into=out)
            tools["jq"] = {"does": f"the question, of {PART:,} events", "events": PART, **taken}
        one["answers"] = {who: {"users": len(said), "commands": sum(said.values())} for who, said in answers.items()}
        one["differ"] = len({json.dumps(said) for said in answers.values()}) > 1
        logs.append(one)
    return {"logs": logs}
