#!/bin/sh
# How quick and how large the watch of `seawall serve` is: a real API server with 20,000 objects, of which one after
# the other changes. See README.md.
#
#   bench/watch.sh [OBJECTS [ROUNDS]]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cargo run --release --quiet --manifest-path "$here/../Cargo.toml" -p seawall-server --example watch -- \
    "${1:-20000}" "${2:-20}"
