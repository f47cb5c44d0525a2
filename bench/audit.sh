#!/bin/sh
# Audit logs: reading, learning and all detections on one thread, beside one rule in DuckDB (PyPI) and jq over the same
# files, in one run. See README.md.
#
#   sh bench/audit.sh [FOLDER [EVENTS]]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-$HOME/.cache/seawall/bench/audit}
events=${2:-200000}
cargo build --release --quiet -p seawall-audit --example speed
speed=${CARGO_TARGET_DIR:-target}/release/examples/speed
test -f "$folder/envelope.jsonl" || "$speed" write "$folder" "$events"
venv=$HOME/.cache/seawall/bench/venv
test -x "$venv/bin/python" || python3 -m venv "$venv"
"$venv/bin/python" -c 'import duckdb' 2>/dev/null || "$venv/bin/pip" install --quiet duckdb
exec "$venv/bin/python" bench/audit.py "$speed" "$folder"
