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

load() { in_ns "$cli" "$BUILD/bench/pptpload" -t 100 "$@" 192.0.2.1 >"$work/load.log" 2>&1; }
# prompt: half of the set-ups of the last load took less than a restart timer's 3 s. A busy machine may lose a packet now and then,
# or stand still itself, but if our ends missed each other's first packets, most would wait.
prompt() { [ "$(sed -n 's/.* median \([0-9]*\)\..*/\1/p' "$work/load.log")" -lt 2500 ]; }

# fifty: they are up, and in the file then
fifty() { control server --json show sessions >"$work/fifty" && [ "$(field state <"$work/fifty" | grep -cx up)" = 50 ]; }
load -n 50 -c 50 -s 10 &
load_pid=$!
ok "fifty sessions are there at the same time" wait_for 10 fifty
is "both workers have some" "$(workers)" "0 1 "
is "fifty different addresses" "$(field address <"$work/fifty" | sort -u | wc -l)" 50
wait "$load_pid"; is "the crowd came up and left in order" $? 0
sed 's/^/# /' "$work/load.log"
ok "they did not wait for restart timers" prompt
ok "no session is left" wait_for 5 no_sessions
ok "no address is left" wait_for 5 prints 0 value server taken show pools

n=1000
[ "${E2E_QUICK:-0}" = 1 ] && n=200
ok "$n sessions come up one after another" load -n $n -c 32
sed 's/^/# /' "$work/load.log"
ok "nor did these wait for restart timers" prompt
ok "no session is left of the second crowd" wait_for 10 no_sessions

conf=()
for i in $(seq 50); do
  conf+=("tunnel t$i { server = {192.0.2.1} user = \"u$i\" password = \"secret\" interface = \"t$i\" table = $((100 + i)) routes = {10.9.$i.0/24} ipv6 = no }")
done
service "${conf[@]}"
ok "one client has fifty tunnels up" wait_for 20 all_are up 50
each_pings() {
  local dev bad=0
  for dev in $(tunnels "$cli"); do in_ns "$cli" ping -q -c 1 -i 0.2 -w 10 -I "$dev" 10.0.0.1 >/dev/null || { echo "no answer through $dev"; bad=1; }; done
  return $bad
}
interfaces() { tunnels "$cli" | wc -l; }
soon_is "it has fifty interfaces" 50 interfaces
ok "each of them carries a ping" each_pings
routes() { ip -n "$cli" route show table all | grep -c 'dev t.* table 1[0-9][0-9]'; }
soon_is "each has the route of its own table" 50 routes
ok "the client ends on SIGTERM" stop "$client_pid"
ok "no interface is left" wait_for 5 no_tunnels "$cli"
ok "the server has no session left" wait_for 5 no_sessions
