#!/bin/bash
# ./quickstart as the README tells to run it, but for what it installs and builds: the demonstration, a server, a gateway.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 17
alg_topology
masquerade

# --- the demonstration: two clients behind a gateway, with one call id ------------------------------------------------------

# shellcheck disable=SC2016
BUILD=$BUILD bash -c 'echo $$ >"$0"; exec "$1"' "$work/quickstart.pid" "$top/quickstart" >"$work/quickstart.log" 2>&1
is "the demonstration ends well" $? 0
said() { grep -E "$1" "$work/quickstart.log"; }
is "the server has two sessions, of one address" "$(said '^[0-9a-f]+ +(alice|bob) +192\.0\.2\.254 .* up .* MPPE128' | wc -l)" 2
is "ping is answered in both tunnels" "$(said '^3 packets transmitted, 3 received' | wc -l)" 2
is "both carry TCP" "$(said '^    \[(alice|bob)\] \[ *[0-9]+\] .*/sec +receiver' | wc -l)" 2
is "the clients have one call id" "$(said ' gre down .* (192\.168\.[12]\.2) +16384 ' | wc -l)" 2
public() { said '^192\.168\.[12]\.2 +16384 +192\.0\.2\.254 ' | awk '{print $4}' | sort -u; }
is "outside they have two" "$(public | wc -l)" 2
is "no namespace is left" "$(ip netns list | grep -c "^qs$(cat "$work/quickstart.pid")-")" 0
folder=$(said 'control-socket' | head -n 1 | grep -o '/tmp/openpptp\.[^/]*')
nok "nor its folder" test -e "${folder:-/}"

# --- a real gateway -----------------------------------------------------------------------------------------------------------

# started NAME NS OPTION: runs it in the namespace; its process is $started
started() {
  spawn "$1" "$2" env BUILD="$BUILD" "$top/quickstart" "$3"
  started=$!
  wait_for 30 grep -q 'who is connected' "$work/$1.log"
  socket=$(grep -o '/tmp/[^ ]*\.sock' "$work/$1.log" | head -n 1)
}
# ended: the program that it runs is told to end, and it ends as well
ended() { pkill -TERM -P "$started"; wait_for 30 gone "$started"; }

started gateway "$gw" --gateway
ok "a gateway: it starts" wait_for 30 "$pptpctl" -s "$socket" alg status
ok "a gateway: two clients with one call id get their own data" talk <<END
$(ends)
$(connection c1 s1)
$(connection d1 s2)
$(outgoing c1 7 s1 9)
$(outgoing d1 7 s2 10)
$(data c1 7 s1 9)
$(data d1 7 s2 10)
fresh
END
ok "a gateway: it ends" ended
is "a gateway: and everything is as before" "$(in_ns "$gw" nft list tables; ip -n "$gw" rule | grep -c 1723)" $'table inet nat\n0'
nok "a gateway: without its folder" test -e "${socket%/*}"

# --- a real server ------------------------------------------------------------------------------------------------------------

started server "$srv" --server
ok "a server: it starts" wait_for 30 "$pptpctl" -s "$socket" show sessions
sed -n 's/.*user alice, password \([^;]*\);.*/\1/p' "$work/server.log" >"$work/password"
chmod 600 "$work/password"
pptpc_at "$ext" alice alice
ok "a server: the user that it made up gets a tunnel" wait_for 30 in_ns "$ext" ping -q -c 1 -W 1 10.99.0.1
stop "${pid[alice]}"
ok "a server: it ends" ended
nok "a server: without its folder" test -e "${socket%/*}"
