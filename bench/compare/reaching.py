"""Who can talk to whom: all ordered pairs of workloads of generated estates."""

import sys

from measure import measure, run

# Workloads and policies; netpol-analyzer gets those that it ends.
SIZES = [(100, 50), (300, 150), (1000, 500), (5000, 2500)]


def measure_all(bench):
    rows, given_up = [], False
    for workloads, policies in SIZES:
        folder = bench.folder(f"reach/{workloads}-{policies}")
        run([sys.executable, bench.root / "bench" / "reach.py", str(workloads), str(policies), folder])
        bench.say(f"{workloads} workloads, {policies} policies")
        out = bench.folder("reach") / "pairs.csv"
        row = {"workloads": workloads, "policies": policies,
               "seawall": measure([bench.seawall, "reach", "--whole", "--expand", folder], into=out)}
        with out.open() as lines:
            row["rows"] = sum(1 for _ in lines) - 1
        peer = bench.peers.get("netpolicy", {}).get("path")
        if peer and not given_up:
            row["netpol-analyzer"] = measure([peer, "list", "--quiet", "--output", "csv", "--dirpath", folder], into=out)
            given_up = row["netpol-analyzer"]["ended"]
        rows.append(row)
    return {"rows": rows}
