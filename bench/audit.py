"""One run of everything that reads the same audit log, on one thread each, in turns; processor seconds of the fastest turn.

DuckDB and jq answer one question, who ran how many commands in pods; seawall asks every detection about every event.
"""

import os
import re
import resource
import shutil
import subprocess
import sys

import duckdb

TURNS = 3
# jq is slow, and its rate does not hang on the length of the log.
JQ_LINES = 40_000

EVENT = """{
  verb: 'VARCHAR', user: 'STRUCT(username VARCHAR)',
  objectRef: 'STRUCT(resource VARCHAR, subresource VARCHAR)', responseStatus: 'STRUCT(code INTEGER)'
}"""

QUERIES = {
    "raw.jsonl": f"""
        SELECT "user".username, count(*) FROM read_json('FILE', format='newline_delimited', columns={EVENT})
        WHERE objectRef.resource = 'pods' AND objectRef.subresource = 'exec' GROUP BY 1""",
    "envelope.jsonl": """
        WITH logs AS (SELECT properties.log AS log FROM read_json('FILE', format='newline_delimited',
                             columns={properties: 'STRUCT(log VARCHAR)'})),
             events AS (SELECT from_json(log, '{"verb": "VARCHAR", "user": {"username": "VARCHAR"},
                        "objectRef": {"resource": "VARCHAR", "subresource": "VARCHAR"}}') AS event FROM logs)
        SELECT event."user".username, count(*) FROM events
        WHERE event.objectRef.resource = 'pods' AND event.objectRef.subresource = 'exec' GROUP BY 1""",
}

JQ = {
    "raw.jsonl": 'select(.objectRef.subresource == "exec") | .user.username',
    "envelope.jsonl": '.properties.log | fromjson | select(.objectRef.subresource == "exec") | .user.username',
}


def spent(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def by_duckdb(path):
    connection = duckdb.connect(config={"threads": 1})
    before = spent(resource.RUSAGE_SELF)
    rows = connection.execute(QUERIES[os.path.basename(path)].replace("FILE", path)).fetchall()
    return spent(resource.RUSAGE_SELF) - before, sum(count for _, count in rows)


def by_jq(path):
    part = path + ".part"
    with open(path, "rb") as lines, open(part, "wb") as out:
        for _ in range(JQ_LINES):
            out.write(lines.readline())
    before = spent(resource.RUSAGE_CHILDREN)
    run = subprocess.run(["jq", "-r", JQ[os.path.basename(path)], part], stdout=subprocess.PIPE, check=True)
    size = os.path.getsize(part)
    os.remove(part)
    return spent(resource.RUSAGE_CHILDREN) - before, run.stdout.count(b"\n"), size


def by_seawall(speed, path):
    run = subprocess.run([speed, path], stdout=subprocess.PIPE, check=True, text=True)
    found = {}
    for line in run.stdout.splitlines():
        match = re.search(r"(read|learn|detect|search) +(\d+) events +(\d+) found +([\d.]+) s", line)
        if match:
            found[match[1]] = float(match[4]), int(match[2]), int(match[3])
        if line.startswith("VmHWM"):
            found["memory"] = int(line.split()[1]) / 1024
    return found


def main(speed, folder):
    for name in QUERIES:
        path = os.path.join(folder, name)
        size = os.path.getsize(path)
        best = {}
        for _ in range(TURNS):
            for what, value in by_seawall(speed, path).items():
                best[what] = min(best.get(what, value), value)
            best["duckdb"] = min(best.get("duckdb", (1e9, 0)), by_duckdb(path))
        events = best["detect"][1]
        print(f"{name}: {events} events, {size / 1e6:.0f} MB; seawall's memory {best.pop('memory'):.0f} MB")
        base = best["duckdb"][0]
        for what in ["duckdb", "read", "learn", "detect", "search"]:
            seconds = best[what][0]
            print(f"  {what:7} {seconds:6.2f} s {events / seconds:10,.0f} events/s {size / seconds / 1e9:5.2f} GB/s"
                  f"  {base / seconds:5.2f} x DuckDB")
        if best["search"][2] != best["duckdb"][1]:
            sys.exit(f"answers differ: {best['search'][2]} and {best['duckdb'][1]} commands")
        if shutil.which("jq"):
            seconds, _, part = by_jq(path)
            print(f"  jq      {seconds:6.2f} s of {JQ_LINES} events {part / seconds / 1e9:17.2f} GB/s")


main(*sys.argv[1:])
