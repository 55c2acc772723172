#!/usr/bin/env bash
# How fast and how lean the audit of live accounts is: 1,000 buckets, five facts each, 30 ms for every answer.
# Prints ratios of one run; the machine may be noisy. Usage: benches/live.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5} buckets=1000 latency=30 ceiling=64

cargo build --release --locked -q
cargo build --release --locked -q -p lastcopy-demo --example serve
bin=$PWD/target/release/lastcopy
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

target/release/examples/serve 0 "$buckets" "$latency" >"$work/url" &
server=$!
for _ in $(seq 50); do [ -s "$work/url" ] && break; sleep 0.1; done

cat >"$work/policy.yaml" <<'P'
lastcopy: v1
name: five-facts
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { account: production } }
  - { id: current, check: s3-bucket-no-current-expiry, scope: { account: production } }
  - { id: encrypted, check: s3-bucket-encryption, scope: { account: production } }
  - { id: owned, check: s3-bucket-ownership, scope: { account: production } }
  - { id: tls, check: s3-bucket-tls-only, scope: { account: production } }
P

export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=AKIADEMOPRODUCTION00 AWS_SECRET_ACCESS_KEY=demo-production-secret-key HOME=$work
AWS_ENDPOINT_URL=$(cat "$work/url")
echo "| run | calls | wall s | wall ÷ (calls × ${latency} ms ÷ ${ceiling}) | CPU s | peak MiB |"
echo "|---|---|---|---|---|---|"
for run in $(seq "$runs"); do
  /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$bin" audit -q --format json "$work/policy.yaml" >"$work/report.json" || true
  python3 - "$work" "$latency" "$ceiling" "$run" <<'P'
import json, sys
work, latency, ceiling, run = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
wall, user, system, peak = map(float, open(f"{work}/time").read().split()[-4:])
calls = sum(json.load(open(f"{work}/report.json"))["calls"].values())
ideal = calls * latency / 1000 / ceiling
print(f"| {run} | {calls} | {wall:.2f} | {wall / ideal:.2f} | {user + system:.2f} | {peak / 1024:.1f} |")
P
done
python3 -c 'import json,sys; print("calls:", json.load(open(sys.argv[1]))["calls"])' "$work/report.json"

echo
python3 - "$bin" <<'P'
import os, subprocess, sys, time
times = []
for _ in range(20):
    began = time.perf_counter()
    subprocess.run([sys.argv[1], "--version"], stdout=subprocess.DEVNULL, check=True)
    times.append((time.perf_counter() - began) * 1000)
times.sort()
print(f"--version: median {times[10]:.1f} ms of 20; binary {os.path.getsize(sys.argv[1]) / 1e6:.1f} MB")
P
