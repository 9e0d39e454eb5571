#!/bin/bash
# Dial on demand: the first packet dials and is not lost, silence hangs up, the next packet dials again; with and without a fixed address.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 26
topology

stands_by() { [ "$(value client state show sessions)" = standby ]; }
is_up() { [ "$(value client state show sessions)" = up ]; }
answers() { in_ns "$cli" ping -q -c 3 -i 0.3 -W 30 "$1" | grep -q ' 3 received'; }

server
ip -n "$srv" addr add 10.8.0.1/32 dev lo
for kind in fixed dynamic; do
  if [ $kind = fixed ]; then own=(address 10.0.0.10); else own=(); fi
  client demand "${own[@]}" routes 10.0.0.1/32,10.8.0.0/16 idle-timeout 6s ipv6 no interface dial0
  ok "$kind address: it waits" wait_for 5 stands_by
  ok "$kind address: the interface is there before" ip -n "$cli" link show dial0
  soon "$kind address: and its routes" '10\.8\.0\.0/16 dev dial0' ip -n "$cli" route
  ok "$kind address: the server knows nothing yet" no_sessions
  ok "$kind address: the first ping dials, and all three are answered" answers 10.8.0.1
  ok "$kind address: it is up" wait_for 5 is_up
  ok "$kind address: silence hangs up" wait_for 8 stands_by
  ok "$kind address: on the server too" wait_for 3 no_sessions
  like "$kind address: interface and routes are still there" "$(ip -n "$cli" route)" '10\.8\.0\.0/16 dev dial0'
  ok "$kind address: a TCP connection dials, and works" transfer 100000 10.0.0.1
  ok "$kind address: the server sees the address it gave" wait_for 5 sessions_match server '"address": *"10\.0\.0\.10"'
  ok "$kind address: it ends on SIGTERM" stop "$client_pid"
  ok "$kind address: no interface is left" wait_for 5 no_tunnels "$cli"
done
