#!/bin/sh
# What `seawall fix` takes beside `seawall assess`: the 10,000 Deployments of `generate.py`.
# See README.md.
#
#   bench/fix.sh [FOLDER]      FOLDER holds the input [default: ~/.cache/seawall/bench]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SEAWALL_CACHE:-$HOME/.cache/seawall}/bench}

cargo build --release --quiet --manifest-path "$here/../Cargo.toml" -p seawall
seawall=${CARGO_TARGET_DIR:-$here/../target}/release/seawall

folder=$cache/fix-10000
[ -d "$folder" ] || python3 "$here/generate.py" deployments 10000 "$folder"
for round in 1 2; do
    for command in "assess --fail-on none" "fix"; do
        # shellcheck disable=SC2086 # a command and its options
        /usr/bin/time -f "$round, $command: %U + %S CPU s, %M KB" \
            "$seawall" $command "$folder" --format json 2>&1 >/dev/null | tail -n 1
    done
done
