#!/usr/bin/env bash
# Many connections of one client to one server: the ports that the kernel gives the gateway's connections onward, from the client's own
# address, are also ports of the client's. To connection tracking they must not be one, whether the address stays or is translated.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
ctlload=$BUILD/bench/ctlload

plan 8
alg_topology
routes_back
spawn serve "$srv" "$ctlload" serve 192.0.2.1
wait_for 5 grep -q ^ready "$work/serve.log"

all_connected() { grep -q '^calls 24 failed 0' "$work/$1.log"; }
tcp_entries() { in_ns "$gw" conntrack -L -p tcp 2>/dev/null | grep -c dport=1723; }

ports=40000
for nat in route auto; do
  if [ $nat = auto ]; then no_rules; masquerade; fi
  # So few ports that nearly all are taken on both sides.
  for ns in "$in1" "$gw"; do in_ns "$ns" sysctl -qw net.ipv4.ip_local_port_range="$ports $((ports + 31))"; done
  ports=$((ports + 32))
  gateway_start "nat = $nat"
  spawn $nat "$in1" "$ctlload" dial -n 24 -w 1 -g 192.0.2.1
  dialer=$!
  ok "nat = $nat: all of a client's connections are made, with a call each" wait_for 10 all_connected $nat
  is "and each is two to connection tracking" "$(tcp_entries)" 48
  ok "they live until the client ends them" stop "$dialer"
  like "without a failure" "$(cat "$work/$nat.log")" 'at the end: calls 24 failed 0'
  gateway_stop
done
