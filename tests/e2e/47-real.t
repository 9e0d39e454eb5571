#!/bin/bash
# Real clients and a real server through the gateway: pptpc and pptpd with MS-CHAPv2 and MPPE, several behind one address, in both
# families, on the gateway itself, and servers inside.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 31
alg_topology
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11' 'carol * secret 10.0.0.12' 'dave * secret 10.0.0.13'
size=3000000

translator pptpalg 'poll-interval = "1s"'
server
pptpc_at "$in1" alice alice
pptpc_at "$in2" bob bob
ok "two clients behind one address" wait_for 15 ping_all 10.0.0.1 "$in1" "$in2"
like "the server sees one address" "$(control server --json show sessions | field peer | sort -u)" '^192\.0\.2\.254'
transfer_at "$in1" $size 10.0.0.1 5001 >"$work/first.out" 2>&1 &
first=$!
ok "a transfer by each, at the same time" transfer_at "$in2" $size 10.0.0.1 5002
wait $first; is "both unharmed" $? 0
pptpc_at "$gw" own carol
ok "a client on the gateway itself" wait_for 15 pings "$gw" 10.0.0.1
ok "with a transfer" transfer_at "$gw" $size 10.0.0.1 5003
alg_is "three flows" 3 counters .connections_now
alg_is "three pairs of gates that carry data both ways" "6 true" flows \
  '[.[] | select(.kind | startswith("gre"))] | "\(length) \(map(.packets > 100) | all)"'
control server kick user=bob >/dev/null
ok "one is kicked by the server" wait_for 10 gone "${pid[bob]}"
ok "one hangs up" stop "${pid[own]}"
ok "the third lives" pings "$in1" 10.0.0.1
alg_is "and is the only one left" 1 gates 'length / 2'
ok "it is cleared by hand" alg clear "$(alg_json gates '.[0].call')"
ok "the client ends" wait_for 10 gone "${pid[alice]}"
ok "the server has no session" wait_for 5 no_sessions
alg_is "nothing is left" 0 gates 'length / 2'

# --- IPv6 ---------------------------------------------------------------------------------------------------------------

server_address=2001:db8:1::1
pptpc_at "$in1" alice alice
pptpc_at "$in2" bob bob
server_address=
ok "two clients behind one IPv6 address" wait_for 15 ping_all 10.0.0.1 "$in1" "$in2"
like "the server sees one address" "$(control server --json show sessions | field peer | sort -u)" '^\[?2001:db8:1::fe'
ok "a transfer" transfer_at "$in2" $size 10.0.0.1 5004
stop "${pid[alice]}"; stop "${pid[bob]}"
ok "both hang up" wait_for 5 no_sessions
stop "$server_pid"

# --- servers inside, and on the gateway ------------------------------------------------------------------------------------

gateway_stop
gateway_start 'server inside { address = "192.0.2.254"
  to = "10.1.0.2" }'
outside=$srv srv=$in1
ip -n "$in1" addr add 192.0.2.1/32 dev lo # what lib.sh's server listens on
ip -n "$in1" addr add 2001:db8:1::1/128 dev lo nodad
server 'listen = {"10.1.0.2"}'
server_address=192.0.2.254
pptpc_at "$ext" carol carol
pptpc_at "$outside" dave dave
server_address=
ok "a server inside, two clients outside" wait_for 15 ping_all 10.0.0.1 "$ext" "$outside"
ok "a transfer" transfer_at "$ext" $size 10.0.0.1 5005 "$in1"
stop "${pid[carol]}"; stop "${pid[dave]}"; stop "$server_pid"
ip -n "$in1" addr del 192.0.2.1/32 dev lo
ip -n "$in1" addr del 2001:db8:1::1/128 dev lo

srv=$gw
ip -n "$gw" addr add 192.0.2.1/32 dev lo
ip -n "$gw" addr add 2001:db8:1::1/128 dev lo nodad
gateway_stop
gateway_start
server 'listen = {"10.1.0.1"}'
ip -n "$gw" addr del 192.0.2.1/32 dev lo
server_address=10.1.0.1
pptpc_at "$in1" alice alice
server_address=
ok "a server on the gateway itself" wait_for 15 pings "$in1" 10.0.0.1
ok "a transfer" transfer_at "$in1" $size 10.0.0.1 5006 "$gw"
alg_is "which is no flow of the gateway's" 0 counters .connections_now
