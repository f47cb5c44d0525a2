#!/bin/sh
# The webhook under load: one review in process, then an open loop over TLS with 500 connections, at rising rates,
# client and server on this machine; beside a watch of a real API server where OBJECTS says how many objects it has.
# Needs openssl for a certificate. See README.md.
#
#   [OBJECTS=20000] bench/serve.sh [RATE…]       [default: 250 500 1000 2000 4000]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../target}
[ $# -gt 0 ] || set -- 250 500 1000 2000 4000

cd "$here/.."
cargo build --release --quiet -p seawall
cargo build --release --quiet -p seawall-server --example gate --example load --example watch
"$target/release/examples/gate"

folder=$(mktemp -d)
trap 'kill $server $open 2>/dev/null || true; rm -rf "$folder"' EXIT
server= open= watch=--no-watch
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/tls.key" -out "$folder/ca.crt" 2>/dev/null
cp "$folder/ca.crt" "$folder/tls.crt"
cd "$folder"
if [ -n "${OBJECTS:-}" ]; then
    # The API server lives as long as this pipe is open.
    mkfifo lives
    "$target/release/examples/watch" "$OBJECTS" 0 <lives >objects &
    api=$!
    sleep 100000 >lives &
    open=$!
    until grep -q '^kubeconfig: ' objects; do
        kill -0 $api
        sleep 1
    done
    head -1 objects
    KUBECONFIG=$(sed -n 's/^kubeconfig: //p' objects)
    export KUBECONFIG
    watch=
fi
"$target/release/seawall" serve $watch --cert-dir "$folder" --listen 127.0.0.1:18443 --drain 0 2>"$folder/log" &
server=$!
# Whichever ends instead ends this too, and its log says why.
wait_for() {
    until grep -q "$1" "$folder/log"; do
        kill -0 $server || { cat "$folder/log" >&2; exit 1; }
        sleep 0.2
    done
}
wait_for '"serving"'
[ -n "$watch" ] || wait_for '"passed over everything"'
sleep 3
grep VmHWM "/proc/$server/status"
for rate in "$@"; do
    "$target/release/examples/load" 127.0.0.1:18443 "$folder/ca.crt" "$rate" 20
    grep VmHWM "/proc/$server/status"
done
