#!/bin/sh
# Measures seawall and, where it is installed, checkov on folders of Azure templates (Bicep, ARM
# JSON, Terraform), in one run: processor seconds and peak memory. Reports go to /dev/null.
#
#   sh bench/templates.sh FOLDER…
set -eu
[ $# -gt 0 ] || { echo "usage: sh bench/templates.sh FOLDER…" >&2; exit 2; }
cd "$(dirname "$0")/.."
cargo build --release --quiet
seawall="${CARGO_TARGET_DIR:-target}/release/seawall"

measure() { # TOOL FOLDER COMMAND…
    tool=$1 folder=$2
    shift 2
    times=$(mktemp)
    /usr/bin/time -o "$times" -f '%U %S %M' "$@" >/dev/null 2>&1 || true
    tail -n 1 "$times" | awk -v tool="$tool" -v folder="$folder" \
        '{ printf "| %s | %s | %.2f | %d |\n", folder, tool, $1 + $2, $3 / 1024 }'
    rm -f "$times"
}

echo '| folder | tool | CPU s | peak MB |'
echo '|---|---|---:|---:|'
for folder in "$@"; do
    measure seawall "$(basename "$folder")" "$seawall" assess "$folder"
    if command -v checkov >/dev/null; then
        measure checkov "$(basename "$folder")" \
            checkov --directory "$folder" --framework bicep arm terraform --quiet --compact
    fi
done
