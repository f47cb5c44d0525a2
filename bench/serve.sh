#!/bin/sh
# The webhook under load: one review in process, then an open loop over TLS with 500 connections, at rising rates,
# client and server on this machine. Needs openssl for a certificate. See README.md.
#
#   bench/serve.sh [RATE…]       [default: 250 500 1000 2000 4000]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../target}
[ $# -gt 0 ] || set -- 250 500 1000 2000 4000

cd "$here/.."
cargo build --release --quiet -p seawall
cargo build --release --quiet -p seawall-server --example gate --example load
"$target/release/examples/gate"

folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
server=
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/tls.key" -out "$folder/ca.crt" 2>/dev/null
cp "$folder/ca.crt" "$folder/tls.crt"
cd "$folder"
"$target/release/seawall" serve --no-watch --cert-dir "$folder" --listen 127.0.0.1:18443 --drain 0 2>"$folder/log" &
server=$!
until grep -q '"serving"' "$folder/log"; do sleep 0.2; done
sleep 3
for rate in "$@"; do
    "$target/release/examples/load" 127.0.0.1:18443 "$folder/ca.crt" "$rate" 20
    grep VmHWM "/proc/$server/status"
done
