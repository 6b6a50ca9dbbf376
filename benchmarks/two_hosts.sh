#!/usr/bin/env bash
# A sweep over two network namespaces that stand for two hosts: the scheduler, the driver and one
# worker on the first, a second worker on the other, with nothing but a cable between them.
#
#     sudo benchmarks/two_hosts.sh SWEEP [PYTHON]
#
# Needs root and `ip`. The second worker runs in an empty folder: scenario data reach it through
# the scheduler only.
set -euo pipefail
sweep=$(realpath "$1")
python=${2:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH=$root
folder=$(mktemp -d)
a=planner-a-$$ b=planner-b-$$
started=()

tidy() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
}
trap tidy EXIT

ip netns add "$a"
ip netns add "$b"
ip link add veth-a netns "$a" type veth peer name veth-b netns "$b"
ip -n "$a" addr add 10.77.0.1/24 dev veth-a
ip -n "$b" addr add 10.77.0.2/24 dev veth-b
for side in "$a" "$b"; do ip -n "$side" link set lo up; done
ip -n "$a" link set veth-a up
ip -n "$b" link set veth-b up

start() {  # namespace, folder, then what follows python -m
  local where=$1 in=$2
  shift 2
  mkdir -p "$in"
  (cd "$in" && exec ip netns exec "$where" "$python" -m "$@") >"$in/log" 2>&1 &
  started+=($!)
}
common=(--no-dashboard)
start "$a" "$folder/scheduler" distributed.cli.dask_scheduler --host 10.77.0.1 --port 8786 "${common[@]}"
start "$a" "$folder/first" distributed.cli.dask_worker tcp://10.77.0.1:8786 --host 10.77.0.1 \
  --nthreads 1 --local-directory "$folder/first" "${common[@]}"
start "$b" "$folder/second" distributed.cli.dask_worker tcp://10.77.0.1:8786 --host 10.77.0.2 \
  --nthreads 1 --local-directory "$folder/second" "${common[@]}"
for _ in $(seq 120); do
  [ "$(grep -c 'Register worker' "$folder/scheduler/log" 2>/dev/null)" = 2 ] && break
  sleep 0.5
done

bytes() { ip netns exec "$a" cat /sys/class/net/veth-a/statistics/tx_bytes; }
before=$(bytes)
(cd "$root" && ip netns exec "$a" "$python" -m planner sweep "$sweep" --out "$folder/out" \
  --scheduler tcp://10.77.0.1:8786 --quiet)
after=$(bytes)
"$python" - "$folder/out/results.jsonl" $((after - before)) <<'PYTHON'
import collections, json, sys
lines = [json.loads(line) for line in open(sys.argv[1])][1:]  # after the mark
shares = collections.Counter(line["process"] for line in lines)
status = collections.Counter(line["status"] for line in lines)
print(f"{len(lines)} cases, {dict(status)}; by worker process: {sorted(shares.values())}")
print(f"{sys.argv[2]} bytes over the cable to the second host, the base included")
PYTHON
