#!/bin/bash
# Real clients and a real server through the gateway: pptpc and pptpd with MS-CHAPv2 and MPPE, several behind one address, in both
# families, on the gateway itself, and servers inside.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 52
alg_topology
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11' 'carol * secret 10.0.0.12' 'dave * secret 10.0.0.13' \
  'u1 * secret *' 'u2 * secret *' 'u3 * secret *' 'u4 * secret *' 'u5 * secret *' 'u6 * secret *' 'u7 * secret *' 'u8 * secret *'
size=3000000

translator pptpalg 'poll-interval = "1s"'
server
pptpc_at "$in1" alice alice
pptpc_at "$in2" bob bob
ok "two clients behind one address" wait_for 30 ping_all 10.0.0.1 "$in1" "$in2"
like "the server sees one address" "$(control server --json show sessions | field peer | sort -u)" '^192\.0\.2\.254'
transfer_at "$in1" $size 10.0.0.1 5001 >"$work/first.out" 2>&1 &
first=$!
ok "a transfer by each, at the same time" transfer_at "$in2" $size 10.0.0.1 5002
wait $first; is "both unharmed" $? 0
pptpc_at "$gw" own carol
ok "a client on the gateway itself" wait_for 30 pings "$gw" 10.0.0.1
ok "with a transfer" transfer_at "$gw" $size 10.0.0.1 5003
alg_is "three flows" 3 counters .connections_now
counted=6
[ "${DATAPATH:-}" != user ] || counted=5 # what the gateway's own client sends does not pass the forwarder
alg_is "three pairs of gates that carry data both ways" "6 $counted" flows \
  '[.[] | select(.kind | startswith("gre"))] | "\(length) \(map(select(.packets > 100)) | length)"'
control server kick user=bob >/dev/null
ok "one is kicked by the server" wait_for 30 gone "${pid[bob]}"
ok "one hangs up" stop "${pid[own]}"
ok "the third lives" wait_for 30 pings "$in1" 10.0.0.1
alg_is "and is the only one left" 1 gates 'length / 2'
ok "it is cleared by hand" alg clear "$(alg_json gates '.[0].call')"
ok "the client ends" wait_for 30 gone "${pid[alice]}"
ok "the server has no session" wait_for 30 no_sessions
alg_is "nothing is left" 0 gates 'length / 2'

# --- many --------------------------------------------------------------------------------------------------------------

many() { for i in $(seq 8); do pptpc_at "$in2" "u$i" "u$i"; done; }
many
pptpc_at "$in1" alice alice
sessions() { [ "$(control server --json show sessions | field state | grep -c .)" = "$1" ]; }
ok "eight clients at one address, and another" wait_for 60 sessions 9
each() { local dev; [ "$(tunnels "$in2" | wc -l)" = 8 ] || return 1; for dev in $(tunnels "$in2"); do in_ns "$in2" ping -q -c 1 -W 2 -I "$dev" 10.0.0.1 || return 1; done; }
ok "each has its own way" wait_for 60 each
is "there are eight of them" "$(tunnels "$in2" | wc -l)" 8
alg_is "and two gates for each" 18 gates length
for i in $(seq 8); do kill "${pid[u$i]}"; done
ok "they hang up all at once" wait_for 30 sessions 1
alg_is "and leave the other's gates" 2 gates length
ok "which carry data" wait_for 30 pings "$in1" 10.0.0.1
stop "${pid[alice]}"
stop "$server_pid"

# --- each data path, in both families ------------------------------------------------------------------------------------

# through DATAPATH
through() {
  gateway_stop
  gateway_start "datapath = \"$1\"" 'poll-interval = "1s"'
  if [ "$1" = bpf ] && logged alg 'event=datapath wanted=bpf .*instead=conntrack'; then
    for _ in 1 2 3 4 5 6 7 8; do pass "bpf # SKIP neither this kernel nor this build need have it"; done
    return
  fi
  is "$1: is what it works with" "$(alg_json status .datapath)" "$1"
  server
  pptpc_at "$in1" alice alice
  server_address=2001:db8:1::1
  pptpc_at "$in2" bob bob
  server_address=
  ok "$1: a client by IPv4, and one by IPv6" wait_for 30 ping_all 10.0.0.1 "$in1" "$in2"
  is "$1: the server sees the gateway" "$(control server --json show sessions | field peer | sed 's/[][]//g; s/:1723$//' | sort | tr '\n' ' ')" \
    '192.0.2.254 2001:db8:1::fe '
  transfer_at "$in1" $size 10.0.0.1 5011 >"$work/first.out" 2>&1 &
  first=$!
  ok "$1: a transfer by each" transfer_at "$in2" $size 10.0.0.1 5012
  wait $first; is "$1: both unharmed" $? 0
  alg_is "$1: the gates have counted both" "4 true" flows \
    '[.[] | select(.kind | startswith("gre"))] | "\(length) \(map(.packets > 100) | all)"'
  stop "${pid[alice]}"
  control server kick user=bob >/dev/null
  ok "$1: one hangs up, one is kicked" wait_for 30 gone "${pid[bob]}"
  alg_is "$1: nothing is left" "0 0" counters '"\(.calls_now) \(.connections_now)"'
  stop "$server_pid"
}
through conntrack
through user
through bpf

# --- servers inside, and on the gateway ------------------------------------------------------------------------------------

gateway_stop
gateway_start 'server inside { address = "192.0.2.254"
  to = "10.1.0.2" }'
outside=$srv srv=$in1
server_listen='{"10.1.0.2"}'
server
server_address=192.0.2.254
pptpc_at "$ext" carol carol
pptpc_at "$outside" dave dave
ok "a server inside, two clients outside" wait_for 30 ping_all 10.0.0.1 "$ext" "$outside"
ok "a transfer" transfer_at "$ext" $size 10.0.0.1 5005 "$in1"
stop "${pid[carol]}"; stop "${pid[dave]}"; stop "$server_pid"

srv=$gw
gateway_stop
gateway_start
server_listen='{"10.1.0.1"}'
server
server_address=10.1.0.1
pptpc_at "$in1" alice alice
ok "a server on the gateway itself" wait_for 30 pings "$in1" 10.0.0.1
ok "a transfer" transfer_at "$in1" $size 10.0.0.1 5006 "$gw"
alg_is "which is no flow of the gateway's" 0 counters .connections_now
