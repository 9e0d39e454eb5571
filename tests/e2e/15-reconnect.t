#!/bin/bash
# Coming back: after the server's restart, to another server, to another address of a name; giving up where it is right; ending in every phase.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 26
topology
address "$srv" eth0 192.0.2.11/24
printf '192.0.2.77 vpn.example.org\n192.0.2.11 vpn.example.org\n192.0.2.1 vpn.example.org\n' >"/etc/netns/$cli/hosts"

server
client retry retry-network 300ms retry-ended 300ms retry-max 2s lcp-echo-interval 1s lcp-echo-failures 2
up
worker_before=$(worker "$client_pid")
stop "$server_pid"
ok "the server is gone: the client waits" wait_for 5 logged client 'Next attempt in'
ok "and tries again" wait_for 10 sh -c "[ \$(grep -c 'Connecting to' $work/client.log) -ge 3 ]"
server
ok "the server is back: so is the tunnel" up 10
is "it is the same client" "$(worker "$client_pid")" "$worker_before"
killed=("$server_pid" "$(worker "$server_pid")")
run kill -9 "${killed[@]}"
wait_for 5 gone "${killed[@]}"
server
ok "the server crashed and is back: so is the tunnel" up 15
ok "one interface only" wait_for 5 prints 1 sh -c "ip -n $cli -o link show type tun | wc -l"
before=$(value server sessions_up show counters)
ok "pptpctl kick: the tunnel goes" wait_for 5 control server kick user=alice
ok "and comes back" wait_for 10 above "$before" value server sessions_up show counters
up
ok "the client ends" stop "$client_pid"
ok "nothing is left of it" wait_for 5 no_tunnels "$cli"

# --- several servers, several addresses ---
: >"$work/client.log"
server_address=192.0.2.77,192.0.2.11,192.0.2.1 client retry connect-timeout 5s
ok "fail-over: the third server is taken when two don't answer" up 15
like "in their order" "$(grep -o 'Connecting to [0-9.]*' "$work/client.log" | tr '\n' ' ')" '192\.0\.2\.77 .*192\.0\.2\.11 .*192\.0\.2\.1 '
stop "$client_pid"
: >"$work/client.log"
server_address=vpn.example.org client retry connect-timeout 5s
ok "a name with several addresses: the one that answers is taken" up 15
soon "of those that the name has" '192\.0\.2\.1$' value client peer show sessions
stop "$client_pid"

# --- giving up ---
printf 'wrong\n' >"$work/wrong"; chmod 600 "$work/wrong"
: >"$work/client.log"
foreground 192.0.2.1 user alice password-file "$work/wrong" retry
is "a wrong password is not tried again" "$status" 8
foreground 192.0.2.11 user alice password-file "$work/password" retry attempts 3 retry-network 200ms
is "attempts are limited" "$(grep -c 'Connecting to' <<<"$words")" 3
is "and the status is that of the last failure" "$status" 4

# --- SIGTERM in every phase ---
# prompt NAME CONDITION...: SIGTERM once the condition holds; the end before any time-out of what was under way, the shortest of which
# are ten seconds; two are for a mute server
prompt() {
  local name=$1 began; shift
  wait_for 5 "$@" || { note "never came to: $name"; fail "SIGTERM while $name"; stop "$client_pid"; return; }
  began=$(now_ms)
  stop "$client_pid"
  note "took $(($(now_ms) - began)) ms"
  [ $(($(now_ms) - began)) -lt 8000 ]; is "SIGTERM while $name" $? 0
}
printf 'nameserver 192.0.2.77\n' >"/etc/netns/$cli/resolv.conf"
spawn mute "$srv" "$BUILD/tests/e2e/spoof" mute 192.0.2.11 1723
wait_for 5 sh -c "ip netns exec $srv ss -Htln | grep -q 192.0.2.11:1723"
state_is() { [ "$(value client state show sessions)" = "$1" ]; }
server_address=nowhere.example.org client
prompt "the name is looked up" state_is resolving
: >"/etc/netns/$cli/resolv.conf"
in_ns "$srv" nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 1724 drop; add rule ip t in meta l4proto gre drop'
client port 1724
prompt "TCP connects" state_is connecting
server_address=192.0.2.11 client
prompt "the server says nothing" state_is connecting
client
prompt "PPP is negotiated" state_is negotiating
in_ns "$srv" nft 'delete table ip t'
server_address=192.0.2.1 client port 1725 retry retry-network 60s
prompt "it waits for the next attempt" state_is waiting
client demand routes 10.7.0.0/16
prompt "it stands by" state_is standby
client
prompt "it is up" state_is up
client
ok "after all that the server still works" up
kill -INT "$client_pid"
ok "SIGINT ends it as well" wait_for 5 gone "$client_pid"
