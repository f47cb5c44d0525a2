#!/bin/sh
# What `seawall reach` takes: generated estates, every pair of workloads as csv, and the text that
# people read first. See README.md.
#
#   bench/reach.sh [FOLDER]      FOLDER holds the input [default: ~/.cache/seawall/bench]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SEAWALL_CACHE:-$HOME/.cache/seawall}/bench}

cargo build --release --quiet --manifest-path "$here/../Cargo.toml" -p seawall
seawall=${CARGO_TARGET_DIR:-$here/../target}/release/seawall

for size in "1000 500" "5000 2500"; do
    folder=$cache/reach-$(echo "$size" | tr ' ' '-')
    # shellcheck disable=SC2086 # two numbers
    python3 "$here/reach.py" $size "$folder"
    for what in "--expand" "--format text"; do
        # shellcheck disable=SC2086 # an option and its value
        /usr/bin/time -f "$size, $what: %U + %S CPU s, %M KB" \
            "$seawall" reach --whole $what "$folder" 2>&1 >/dev/null | tail -n 1
    done
    first=$("$seawall" reach --whole --expand "$folder" 2>/dev/null | cksum)
    again=$("$seawall" reach --whole --expand "$folder" 2>/dev/null | cksum)
    [ "$first" = "$again" ] || echo "$size: two runs differ"
done
