#!/bin/bash
# The main job: MS-CHAPv2 and MPPE-128, ping, 100 MB each way, IPv6 inside, and nothing left afterwards.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 19
topology
before=$(ip -n "$cli" route; ip -n "$cli" addr | grep inet)

server
client routes 2001:db8:2::/48
ok "the tunnel carries a ping" up
soon "the server shows user and encoding" 'alice.*MPPE128 stateless' control server show sessions
soon "the server shows the caller's address" '192\.0\.2\.2' control server show sessions
soon "the client shows its state and encoding" 'up.*MPPE128 stateless' control client show sessions
like "the client got its fixed address" "$(ip -n "$cli" -o addr)" '10\.0\.0\.10'
ok "large packets pass, up to the MTU" in_ns "$cli" ping -q -c 3 -i 0.2 -s 1368 -M "do" 10.0.0.1
size=100000000
[ "${E2E_QUICK:-0}" = 1 ] && size=10000000
ok "$size bytes by TCP, both ways, unharmed" transfer $size 10.0.0.1
sed 's/^/# /' "$work"/blob-*.log
ok "the client has an address of the IPv6 pool" wait_for 10 has_ipv6
inside=$(ip -n "$cli" -6 -o addr show dev "$(tunnels "$cli")" scope global | awk '{print $4; exit}' | cut -d/ -f1)
ok "the server reaches it" wait_for 10 pings "$srv" "$inside"
ok "it reaches the server" wait_for 10 pings "$cli" 2001:db8:2:ffff::1

counts() { [ "$(control "$1" --json show sessions | tr -d ' \n' | grep -o '"rx_bytes":[0-9]*' | head -n 1 | cut -d: -f2)" -gt $size ]; }
ok "the client counts the bytes it received" wait_for 5 counts client
ok "the server counts the bytes it received" wait_for 5 counts server

ok "the client ends on SIGTERM" stop "$client_pid"
ok "the server forgets the session at once" wait_for 5 no_sessions
soon "the server's log says who and how long" 'event=session-down .*user="alice"' words_of server
ok "no interface of the client is left" wait_for 5 no_tunnels "$cli"
is "routes and addresses of the client are as before" "$(ip -n "$cli" route; ip -n "$cli" addr | grep inet)" "$before"
ok "the server ends on SIGTERM" stop "$server_pid"
ok "no interface of the server is left" wait_for 5 no_tunnels "$srv"
