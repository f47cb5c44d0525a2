#!/bin/sh
# What the graph of attacks takes: generated estates of 25,000 to 250,000 pods, the graph, and every entry and
# jewel. See README.md.
#
#   bench/paths.sh [FOLDER]      FOLDER holds the input [default: ~/.cache/seawall/bench]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SEAWALL_CACHE:-$HOME/.cache/seawall}/bench}
target=${CARGO_TARGET_DIR:-$here/../target}

cargo build --release --quiet --manifest-path "$here/../Cargo.toml" -p seawall-analysis --example paths

for pods in 2500 25000 250000; do
    folder=$cache/paths-$pods
    [ -f "$folder/seawall.yaml" ] || python3 "$here/paths.py" "$pods" "$folder"
    echo "$pods pods"
    /usr/bin/time -f "in all %U + %S CPU s, %M KB" "$target/release/examples/paths" "$folder"
done
