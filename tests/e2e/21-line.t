#!/bin/bash
# What happens to a client's machine: killed monitors, interfaces that go and come back, gateways outside of every subnet, routes that are
# there already. And what stands in pptpc's way is said by name.
#
#   $srv 192.0.2.1 ---- 192.0.2.254 $gw 198.51.100.1 ---- 198.51.100.2 eth0 $cli
#                                       203.0.113.1 ------ 203.0.113.2 wwan0, of a higher metric
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 29
netns srv; netns cli; netns gw
srv=$ns_prefix-srv cli=$ns_prefix-cli gw=$ns_prefix-gw
cable "$srv" eth0 "$gw" s
cable "$cli" eth0 "$gw" c
address "$srv" eth0 192.0.2.1/24
address "$gw" s 192.0.2.254/24
address "$gw" c 198.51.100.1/24
address "$cli" eth0 198.51.100.2/24
in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1
in_ns "$cli" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip -n "$srv" route add default via 192.0.2.254
ip -n "$cli" route add default via 198.51.100.1
ip -n "$srv" addr add 10.8.0.1/32 dev lo
printf 'nameserver 198.51.100.1\n' >"/etc/netns/$cli/resolv.conf"
state_is() { [ "$(value client state show sessions)" = "$1" ]; }
modem() {
  cable "$cli" wwan0 "$gw" m
  address "$gw" m 203.0.113.1/24
  address "$cli" wwan0 203.0.113.2/24
  ip -n "$cli" route add default via 203.0.113.1 dev wwan0 metric 500
}
users 'alice * secret *' # what a dead line leaves at the server keeps no address from the next call
server_listen='{"192.0.2.1"}' server 'dns = {"10.0.0.1"}'

# --- the monitor is killed: the next start cleans, whatever it is to do ---
client default-route dns ipv6 no
ok "up with a default route" up
client_worker=$(worker "$client_pid")
run kill -9 "$client_pid"
wait_for 5 gone "$client_pid" "$client_worker"
like "killed: the route to the server is still there" "$(ip -n "$cli" route)" '^192\.0\.2\.1 via 198\.51\.100\.1'
foreground 198.51.100.77 user alice password-file "$work/password" connect-timeout 500ms
nok "the next start, of something else, removes it" sh -c "ip -n $cli route | grep -q '^192.0.2.1 '"
is "and restores the name servers" "$(cat "/etc/netns/$cli/resolv.conf")" 'nameserver 198.51.100.1'
client default-route ipv6 no
up
foreground 198.51.100.77 user alice password-file "$work/password" connect-timeout 500ms
like "but not what a living one needs" "$(ip -n "$cli" route)" '^192\.0\.2\.1 via 198\.51\.100\.1'

# --- the tunnel's interface is deleted ---
stop "$client_pid"
: >"$work/client.log"
client routes 10.8.0.0/16 ipv6 no retry retry-network 200ms
up
run ip -n "$cli" link del "$(tunnels "$cli")"
ok "the interface is deleted: it is said" wait_for 10 logged client 'deleted the interface pptp0'
ok "and the tunnel comes back with its routes" wait_for 30 pings "$cli" 10.8.0.1
stop "$client_pid"
client demand routes 10.8.0.0/16 ipv6 no
wait_for 10 state_is standby
wait_for 10 sh -c "ip -n $cli route | grep -q 10.8.0.0/16"
run ip -n "$cli" link del "$(tunnels "$cli")"
soon "deleted while it waits for packets: it is made again" '10\.8\.0\.0/16 dev pptp' ip -n "$cli" route
ok "and a packet dials" wait_for 30 pings "$cli" 10.8.0.1
stop "$client_pid"

# --- the line goes, and with it the way to the server: what is left leads into the tunnel ---
client default-route ipv6 no
up
run ip -n "$cli" link set eth0 down
route_into() { ip -n "$cli" route get 192.0.2.1 | grep -q 'dev pptp'; }
ok "the line is down: only the tunnel leads to the server" wait_for 5 route_into
in_ns "$cli" ping -q -c 20 -i 0.01 -W 1 10.0.0.1
run ip -n "$cli" link set eth0 up
run ip -n "$cli" route add default via 198.51.100.1
ok "the line is back: the same call goes on" wait_for 30 pings "$cli" 10.0.0.1
is "in one session" "$(value client session show sessions)" 1
stop "$client_pid"

# --- pptpctl ---
service 'tunnel one { server = {192.0.2.1} user = "alice" password = "secret" ipv6 = no retry = no }' \
  'tunnel two { server = {192.0.2.1} user = "alice" password = "secret" ipv6 = no auto = no demand = yes interface = "two" }'
wait_for 20 state_is up
control client disconnect one
ok "disconnect and connect without waiting: the last word counts" control client connect one
tunnel_is() { control client --json show sessions | tr -d '\n' | grep -Eq "\"tunnel\": *\"$1\"[^}]*\"state\": *\"$2\""; }
ok "it comes up" wait_for 30 tunnel_is one up
control client disconnect one
wait_for 10 tunnel_is one down
control client connect two
wait_for 10 tunnel_is two standby
control client connect two
ok "connect dials a tunnel that waits for packets" wait_for 30 tunnel_is two up
stop "$client_pid"

# --- bind-interface ---
: >"$work/client.log"
client bind-interface wwan0 routes 10.8.0.0/16 ipv6 no retry retry-network 300ms retry-max 500ms echo-interval 1s echo-timeout 1s
ok "an interface that is not there is said by name" wait_for 10 logged client 'There is no interface wwan0 \(bind-interface\)'
modem
ok "when it comes the tunnel does" wait_for 30 pings "$cli" 10.8.0.1
soon_is "from its address" 203.0.113.2 value server peer show sessions
in_ns "$gw" nft 'add table ip t; add chain ip t f { type filter hook prerouting priority 0; }; add rule ip t f iifname "c" meta l4proto gre counter'
pings "$cli" 10.8.0.1
like "GRE goes that way, too" "$(in_ns "$gw" nft list table ip t)" 'packets 0 '
run ip -n "$cli" link del wwan0
ok "it goes: so does the tunnel" wait_for 30 sh -c "[ \$(grep -c 'There is no interface wwan0' $work/client.log) -ge 2 ]"
modem
ok "it comes back under another number: so does the tunnel" wait_for 60 pings "$cli" 10.8.0.1
like "and its GRE" "$(in_ns "$gw" nft list table ip t)" 'packets 0 '
stop "$client_pid"
foreground 192.0.2.1 user alice password-file "$work/password" bind-address 198.51.100.99
is "an address that is not this machine's: exit status" "$status" 2
like "and is said" "$words" '198\.51\.100\.99 is no address of this machine \(bind-address\)'

# --- a gateway that no subnet holds, as providers of virtual machines have them ---
ip -n "$cli" addr flush dev eth0
address "$cli" eth0 198.51.100.2/32
ip -n "$cli" route add default via 198.51.100.1 dev eth0 onlink
client default-route ipv6 no
ok "up by a gateway that is said to be on the link" up
soon "the server is reached besides the tunnel" 'via 198\.51\.100\.1 dev eth0' ip -n "$cli" route get 192.0.2.1
ok "and the tunnel stays" wait_for 5 pings "$cli" 10.8.0.1
stop "$client_pid"

# --- a route that is there already ---
run ip -n "$cli" route add 10.8.0.0/16 dev lo metric 5
: >"$work/client.log"
client routes 10.8.0.0/16,10.9.0.0/16 metric 5 ipv6 no
up
ok "a route that is there already is said" wait_for 10 logged client 'This machine has a route to 10\.8\.0\.0/16 already, which stays'
stop "$client_pid"
soon "and is still there afterwards" '^10\.8\.0\.0/16 dev lo .*metric 5' ip -n "$cli" route
