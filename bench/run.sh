#!/bin/sh
# Runs seawall and the other tools that are installed over the same generated input, one after
# the other, and prints what each took. See README.md.
#
#   bench/run.sh [FOLDER]      FOLDER holds the input [default: ~/.cache/seawall/bench]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SEAWALL_CACHE:-$HOME/.cache/seawall}/bench}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cargo build --release --quiet --manifest-path "$here/../Cargo.toml" -p seawall
seawall=${CARGO_TARGET_DIR:-$here/../target}/release/seawall

input() { # set amount
    folder=$cache/$1-$2
    if [ "$(cat "$folder.by" 2>/dev/null)" != "$(cksum <"$here/generate.py")" ]; then
        rm -rf "$folder"
        python3 "$here/generate.py" "$1" "$2" "$folder"
        cksum <"$here/generate.py" >"$folder.by"
    fi
}

# measure TOOL INPUT COMMAND…: a tool's own exit code says what it found, so it is not ours.
measure() {
    tool=$1
    what=$2
    shift 2
    /usr/bin/time -f '%U %S %M %e' -o "$out/time" "$@" >/dev/null 2>"$out/err" || true
    tail -n 1 "$out/time" | awk -v tool="$tool" -v what="$what" \
        '{ printf "%s\t%s\t%.2f\t%.0f\t%.2f\n", what, tool, $1 + $2, $3 / 1024, $4 }' >>"$out/rows"
}

has() { command -v "$1" >/dev/null 2>&1; }

judge() { # name folder: every tool that reads a folder of manifests
    measure seawall "$1" "$seawall" assess "$2" --fail-on none
    if has kube-score; then
        measure kube-score "$1" sh -c 'find "$1" -name "*.yaml" -print0 | sort -z | xargs -0 kube-score score' sh "$2"
    fi
    if has kube-linter; then
        measure kube-linter "$1" kube-linter lint "$2"
    fi
}

input deployments 1000
input deployments 10000
input deployments 100000
input crds 50
sed '/^---$/,$d' "$cache/deployments-1000/deployments-00000.yaml" >"$cache/one.yaml"

judge "1 Deployment" "$cache/one.yaml"
judge "1,000 Deployments" "$cache/deployments-1000"
if has checkov; then
    # Nothing is fetched or sent. It passes over folders below a hidden one, so it gets a copy.
    cp -r "$cache/deployments-1000" "$out/copy"
    measure checkov "1,000 Deployments" checkov --quiet --compact --framework kubernetes \
        --skip-download --directory "$out/copy"
fi
judge "10,000 Deployments" "$cache/deployments-10000"
measure seawall "100,000 Deployments" "$seawall" assess "$cache/deployments-100000" --fail-on none
measure seawall "50 MB of CRDs" "$seawall" assess "$cache/crds-50" --fail-on none
if has kube-linter; then
    measure kube-linter "50 MB of CRDs" kube-linter lint "$cache/crds-50"
fi

echo "Date: $(date -u +%F). Cores: $(nproc). seawall $("$seawall" --version | cut -d' ' -f2)$(
    has kube-score && printf ', kube-score %s' "$(kube-score version | cut -d' ' -f3 | tr -d ,)"
)$(has kube-linter && printf ', kube-linter %s' "$(kube-linter version)"
)$(has checkov && printf ', checkov %s' "$(checkov --version)")."
echo
echo "| input | tool | CPU s | peak MB | wall s | CPU, times seawall's | memory, times seawall's |"
echo "|---|---|---:|---:|---:|---:|---:|"
awk -F'\t' '
    $2 == "seawall" { cpu[$1] = $3 + 0; mb[$1] = $4 + 0 }
    {
        more = cpu[$1] ? sprintf("%.1f", $3 / cpu[$1]) : "–"
        larger = mb[$1] ? sprintf("%.1f", $4 / mb[$1]) : "–"
        printf "| %s | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, more, larger
    }' "$out/rows"
