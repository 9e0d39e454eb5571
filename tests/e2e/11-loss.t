#!/bin/bash
# A network that drops, duplicates and swaps one packet in a hundred: streams stay whole with both kinds of MPPE, and the counters tell.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 24
faulty_topology drop=1 dup=1 swap=1 seed=11
size=4000000
[ "${E2E_QUICK:-0}" = 1 ] && size=1000000

session() { control "$1" --json show sessions | field session | head -n 1; }
counter() { value "$1" "$2" show session "$(session "$1")"; }
# in_the_end SIDE COUNTER: it counts that, if not by now, then after some more data: which packets are struck is chance
in_the_end() { above 0 counter "$1" "$2" || { transfer 200000 10.0.0.1 && false; }; }

for name in stateless stateful; do
  server "mppe-mode = $name"
  client mppe-mode $name
  ok "$name: the tunnel comes up" up 20
  is "$name: so it is negotiated" "$(value client encoding show sessions)" "MPPE128 $name"
  [ $name = stateless ] || size=1000000 # each loss costs a stateful stream what is on the way
  ok "$name: $size bytes both ways, unharmed" transfer $size 10.0.0.1
  sed 's/^/# /' "$work"/blob-*.log
  for side in server client; do
    ok "$name: the $side counts what was lost" wait_for 60 in_the_end $side gre_lost
    ok "$name: the $side counts what came twice" wait_for 60 in_the_end $side gre_duplicate
    ok "$name: the $side puts swapped packets into order" wait_for 60 in_the_end $side gre_reordered
    note "$side: lost $(counter $side gre_lost), duplicate $(counter $side gre_duplicate), reordered $(counter $side gre_reordered)," \
      "late $(counter $side gre_late), resets $(counter $side mppe_resets), undecipherable $(counter $side dropped_bad)"
  done
  if [ $name = stateful ]; then ok "stateful: lost packets made resets" wait_for 60 in_the_end client mppe_resets; fi
  if [ $name = stateless ]; then is "stateless: no reset was needed" "$(counter client mppe_resets)" 0; fi
  ok "$name: data goes on" wait_for 5 pings "$cli" 10.0.0.1
  is "$name: it is still the first session" "$(value server sessions show counters)" 1
  stop "$client_pid"; stop "$server_pid"
done
