#!/usr/bin/env bash
# How fast and how lean a stored snapshot is judged: N buckets (100,000), 20 controls over five facts, with the JSON report.
# Prints CPU time of each step and the peak memory; no AWS code is built. Usage: benches/evaluate.sh [RUNS] [BUCKETS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-3} buckets=${2:-100000}
cargo build --release --locked -q -p lastcopy --no-default-features --example many_buckets
bin=${CARGO_TARGET_DIR:-$PWD/target}/release/examples/many_buckets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin" write "$buckets" >"$work/snapshot.jsonl"
echo "snapshot: $(stat -c %s "$work/snapshot.jsonl" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
for run in $(seq "$runs"); do
  /usr/bin/time -f '%U %S %M' -o "$work/time" "$bin" audit "$work/snapshot.jsonl" >"$work/report.json"
  awk -v run="$run" -v report="$(stat -c %s "$work/report.json")" \
    '{ printf "run %d: %.2f CPU s in all, peak %.0f MiB, report %.0f MB\n", run, $1 + $2, $3 / 1024, report / 1e6 }' "$work/time"
done
