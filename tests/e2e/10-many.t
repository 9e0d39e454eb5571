#!/bin/bash
# A crowd: fifty sessions at once, from fifty connections and from one client with fifty tunnels.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 17
topology
users '* * secret *'
server 'workers = 2' 'max-half-open = 1000' 'pool = {"10.1.0.0/16"}'

# workers: the numbers of the data plane's workers that have sessions
workers() {
  local id
  control server --json show sessions 2>/dev/null | field session | while read -r id; do
    control server --json show session "$id" 2>/dev/null | field worker
  done | sort -u | tr '\n' ' '
}

load() { in_ns "$cli" "$BUILD/bench/pptpload" "$@" 192.0.2.1 >"$work/load.log" 2>&1; }
# longest: the longest set-up of the last load in whole milliseconds
longest() { sed -n 's/.*longest \([0-9]*\)\..*/\1/p' "$work/load.log"; }
most() { sed -n 's/.* 99% \([0-9]*\)\..*/\1/p' "$work/load.log"; }

# fifty: they are up, and in the file then
fifty() { control server --json show sessions >"$work/fifty" && [ "$(field state <"$work/fifty" | grep -cx up)" = 50 ]; }
load -n 50 -c 50 -s 8 &
load_pid=$!
ok "fifty sessions are there at the same time" wait_for 10 fifty
is "both workers have some" "$(workers)" "0 1 "
is "fifty different addresses" "$(field address <"$work/fifty" | sort -u | wc -l)" 50
wait "$load_pid"; is "the crowd came up and left in order" $? 0
sed 's/^/# /' "$work/load.log"
[ "$(longest)" -lt 2500 ]; is "none waited for a restart timer" $? 0
ok "no session is left" wait_for 5 no_sessions
ok "no address is left" prints 0 value server taken show pools

n=1000
[ "${E2E_QUICK:-0}" = 1 ] && n=200
ok "$n sessions come up one after another" load -n $n -c 32 -t 10
sed 's/^/# /' "$work/load.log"
# A busy machine may lose a packet of one in so many.
[ "$(most)" -lt 2500 ]; is "they did not wait for restart timers" $? 0
ok "no session is left of the second crowd" wait_for 10 no_sessions

conf=()
for i in $(seq 50); do
  conf+=("tunnel t$i { server = {192.0.2.1} user = \"u$i\" password = \"secret\" interface = \"t$i\" table = $((100 + i)) routes = {10.9.$i.0/24} ipv6 = no }")
done
service "${conf[@]}"
ok "one client has fifty tunnels up" wait_for 20 all_are up 50
each_pings() {
  local dev bad=0
  for dev in $(tunnels "$cli"); do in_ns "$cli" ping -q -c 1 -W 2 -I "$dev" 10.0.0.1 >/dev/null || { echo "no answer through $dev"; bad=1; }; done
  return $bad
}
is "it has fifty interfaces" "$(tunnels "$cli" | wc -l)" 50
ok "each of them carries a ping" each_pings
is "each has the route of its own table" "$(ip -n "$cli" route show table all | grep -c 'dev t.* table 1[0-9][0-9]')" 50
ok "the client ends on SIGTERM" stop "$client_pid"
ok "no interface is left" no_tunnels "$cli"
ok "the server has no session left" wait_for 5 no_sessions
