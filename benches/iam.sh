#!/usr/bin/env bash
# How fast the IAM engine answers: who-can over 5,000 principals with three actions, from a snapshot and from the output of
# `aws iam get-account-authorization-details`; and `iam simulate` over 20,000 requests.
# Prints CPU seconds and peak memory of each run; the machine may be noisy. Usage: benches/iam.sh [RUNS]
# REQUESTS=FILE measures with other requests.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
cargo build --release --locked -q
cargo build --release --locked -q -p lastcopy-iam --example bench
bin=${CARGO_TARGET_DIR:-$PWD/target}/release/lastcopy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 benches/iam.py snapshot 5000 >"$work/snapshot.jsonl"
python3 benches/iam.py details 10000 >"$work/details.json"
requests=${REQUESTS:-$work/requests.jsonl}
[ -n "${REQUESTS:-}" ] || python3 benches/iam.py requests 20000 >"$requests"

measure() { # NAME INPUT COMMAND...
  local name=$1 input=$2
  shift 2
  for _ in $(seq "$runs"); do
    /usr/bin/time -f '%U %S %M' -o "$work/time" "$@" >"$work/out" || true
    awk -v name="$name" -v bytes="$(stat -c %s "$input")" \
      'END { cpu = $1 + $2; printf "| %s | %.1f MB | %.2f | %.1f | %.0f |\n", name, bytes / 1e6, cpu, bytes / 1e6 / (cpu > 0 ? cpu : 0.005), $3 / 1024 }' "$work/time"
  done
}

echo "| work | input | CPU s | MB/CPU s | peak MiB |"
echo "|---|---|---|---|---|"
# Three actions: s3:DeleteObjectVersion, s3:DeleteObjectAnnotation, s3:DeleteObjectVersionAnnotation.
measure "who-can, 5,000 principals × 3 actions" "$work/snapshot.jsonl" \
  "$bin" who-can 's3:DeleteObject*n' acme-documents --snapshot "$work/snapshot.jsonl"
measure "who-can, 10,000 principals, AWS CLI output" "$work/details.json" \
  "$bin" who-can s3:DeleteObject acme-documents --authorization-details "$work/details.json" --bucket-policy none
measure "iam simulate" "$requests" "$bin" iam simulate --requests "$requests"
"${bin%/*}/examples/bench"
