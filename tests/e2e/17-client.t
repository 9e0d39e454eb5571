#!/bin/bash
# What the client does to its machine: default route, split routes, name servers, tables and marks; and its options and control socket.
#
#   $srv 192.0.2.1 ---- 192.0.2.254 $gw (gateway, a second one at .253) 198.51.100.1 ---- 198.51.100.2 $cli
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 47
netns srv; netns cli; netns gw
srv=$ns_prefix-srv cli=$ns_prefix-cli gw=$ns_prefix-gw
cable "$srv" eth0 "$gw" s
cable "$cli" eth0 "$gw" c
address "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64
address "$gw" s 192.0.2.254/24
address "$gw" c 198.51.100.1/24 198.51.100.3/24
address "$cli" eth0 198.51.100.2/24 198.51.100.22/24
in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1
ip -n "$srv" route add 198.51.100.0/24 via 192.0.2.254
ip -n "$cli" route add default via 198.51.100.1
ip -n "$srv" addr add 10.8.0.1/32 dev lo
ip -n "$srv" addr add 203.0.113.5/32 dev lo
printf 'nameserver 198.51.100.1\nsearch example.net\n' >"/etc/netns/$cli/resolv.conf"
resolv() { cat "/etc/netns/$cli/resolv.conf"; }
resolv_before=$(resolv) routes_before=$(ip -n "$cli" route)
as_before() { diff <(printf '%s\n' "$routes_before" "$resolv_before") <(ip -n "$cli" route; resolv); }
route_to() { ip -n "$cli" route get "$1" 2>&1 | head -n 1; }
server 'dns = {"10.0.0.1", "10.0.0.2"}'

# --- default route and name servers ---
client default-route dns ipv6 no
ok "up with a default route" up
soon "everything goes through the tunnel" 'dev pptp' route_to 203.0.113.5
soon "but the server is reached besides" 'via 198\.51\.100\.1 dev eth0' route_to 192.0.2.1
ok "packets to the world go through it" wait_for 5 pings "$cli" 203.0.113.5
soon "the tunnel's name servers are in place" '^nameserver 10\.0\.0\.1' resolv
run ip -n "$cli" route replace 192.0.2.0/24 via 198.51.100.3
run ip -n "$cli" route del 192.0.2.0/24
run ip -n "$cli" route replace default via 198.51.100.3 dev eth0 metric 10
run ip -n "$cli" route del default via 198.51.100.1 dev eth0
ok "the gateway changes: the route to the server follows" wait_for 5 sh -c "ip -n $cli route get 192.0.2.1 | grep -q 'via 198.51.100.3'"
ok "the tunnel survives" wait_for 5 pings "$cli" 10.0.0.1
soon "and still has everything" 'dev pptp' route_to 203.0.113.5
is "it is the same session" "$(value server sessions show counters)" 1
ok "the client ends" stop "$client_pid"
ok "the route to the server is gone" sh -c "! ip -n $cli route | grep -q '^192.0.2.1'"
is "the name servers are restored" "$(resolv)" "$resolv_before"
like "the default route is the new gateway's" "$(route_to 203.0.113.5)" 'via 198\.51\.100\.3'
ip -n "$cli" route replace default via 198.51.100.1; ip -n "$cli" route del default via 198.51.100.3 metric 10

for victim in worker monitor; do
  client default-route dns ipv6 no
  ok "$victim killed: up first" up
  killed=$client_pid client_worker=$(worker "$client_pid")
  [ $victim = monitor ] || killed=$client_worker
  run kill -9 "$killed"
  wait_for 5 gone "$client_pid" "$client_worker"
  if [ $victim = monitor ]; then # nobody is left who may: the next start does it
    client default-route dns ipv6 no
    up
    stop "$client_pid"
  fi
  ok "$victim killed: routes and name servers are restored" wait_for 5 as_before
done

# --- split routes ---
client routes 10.8.0.0/16,203.0.113.0/24 metric 77 ipv6 no
ok "up with split routes" up
soon "the first network" '10\.8\.0\.0/16 dev pptp.* metric 77' ip -n "$cli" route
soon "the second network" '203\.0\.113\.0/24 dev pptp.* metric 77' ip -n "$cli" route
ok "packets reach it" wait_for 5 pings "$cli" 203.0.113.5
like "the rest does not" "$(route_to 8.8.8.8)" 'via 198\.51\.100\.1'
is "the name servers are untouched" "$(resolv)" "$resolv_before"
stop "$client_pid"
ok "nothing of them is left" wait_for 3 as_before

# --- table, mark, bound address ---
run ip -n "$cli" route add 192.0.2.0/24 via 198.51.100.3 table 99
run ip -n "$cli" rule add fwmark 7 table 99
client routes 10.8.0.0/16 table 88 mark 7 bind-address 198.51.100.22 ipv6 no
ok "up with a table, a mark and a bound address" up
soon "the server sees the bound address" '198\.51\.100\.22' control server show sessions
soon "routes are in the table" '10\.8\.0\.0/16 dev pptp' ip -n "$cli" route show table 88
nok "and not in the main one" sh -c "ip -n $cli route | grep -q 10.8.0.0/16"
session=$(value server session show sessions)
run ip -n "$cli" rule add fwmark 7 table 98 priority 100
run ip -n "$cli" route add unreachable 192.0.2.0/24 table 98
ok "outer packets carry the mark: its table rules them" silent "$cli" 10.0.0.1
run ip -n "$cli" rule del priority 100
ok "and the tunnel goes on" wait_for 5 pings "$cli" 10.0.0.1
is "which is the same one" "$(value server session show sessions)" "$session"
stop "$client_pid"
soon_is "the table is empty again" "" ip -n "$cli" route show table 88

# --- -n and -nv ---
ok "-n accepts right options" in_ns "$cli" "$pptpc" -n 192.0.2.1 user alice
fails "-n refuses an unknown one" 'no option "colour"' in_ns "$cli" "$pptpc" -n 192.0.2.1 user alice colour blue
in_ns "$cli" "$pptpc" -nv 192.0.2.1 user alice default-route >"$work/printed.conf" 2>&1
chmod 600 "$work/printed.conf"
ok "what -nv prints is a configuration" in_ns "$cli" "$pptpc" -n -c "$work/printed.conf"
is "that prints to itself" "$(in_ns "$cli" "$pptpc" -nv -c "$work/printed.conf" | grep -v '^#')" "$(grep -v '^#' "$work/printed.conf")"

# --- several tunnels, and their control ---
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
control server reload >/dev/null
wait_for 5 logged server 'event=reload .*users=2'
service \
  'tunnel one { server = {192.0.2.1} user = "alice" password = "secret" interface = "one" table = 101 routes = {10.8.0.0/16} }' \
  'tunnel two { server = {192.0.2.1} user = "bob" password = "secret" interface = "two" table = 102 routes = {10.8.0.0/16} auto = no }'
tunnel_is() { control client --json show sessions | tr -d '\n' | grep -Eq "\"tunnel\": *\"$1\"[^}]*\"state\": *\"$2\""; }
ok "the one with auto comes up" wait_for 10 tunnel_is one up
ok "the other waits to be told" wait_for 5 tunnel_is two down
ok "pptpctl connect" control client connect two
ok "it comes up" wait_for 10 tunnel_is two up
soon "pptpctl show tells both" 'two +bob .*10\.0\.0\.11' control client show sessions
ok "pptpctl disconnect" control client disconnect one
ok "that one goes down" wait_for 5 tunnel_is one down
ok "and stays down, while the other stays up" wait_for 5 sh -c "ip netns exec $cli ping -q -c 2 -I two 10.0.0.1 && ! ip -n $cli link show one"
fails "an unknown tunnel is an error" 'no such tunnel: three' control client connect three
ok "the service ends" stop "$client_pid"
ok "and leaves nothing" wait_for 3 as_before
