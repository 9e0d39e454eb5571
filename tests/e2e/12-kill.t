#!/bin/bash
# Sudden ends: kill -9 of each process on each side, and a network that goes silent. Nothing may be left on either side, and a
# new start works at once.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 51
faulty_topology
keepalives=('lcp-echo-interval = 1s' 'lcp-echo-failures = 2' 'echo-interval = 1s' 'echo-timeout = 2s')
client_keepalives=(lcp-echo-interval 1s lcp-echo-failures 2 echo-interval 1s echo-timeout 2s)

# picture NS: what a tunnel must not change for good
picture() {
  tunnels "$1"
  ip -n "$1" -4 route show table all
  ip -n "$1" -6 route show table all | grep -v -e fe80: -e ff00:
  ip -n "$1" -o addr show scope global | awk '{print $2, $4}'
  [ "$1" = "$srv" ] || cat "/etc/netns/$1/resolv.conf"
}
# as_before NS PICTURE
as_before() { diff <(printf '%s\n' "$2") <(picture "$1"); }

both_up() {
  server "${keepalives[@]}"
  client routes 10.77.0.0/16 dns "${client_keepalives[@]}"
  up || return 1
  server_worker=$(worker "$server_pid") client_worker=$(worker "$client_pid")
  wait_for 5 sh -c "ip -n $cli route | grep -q 10.77.0.0/16"
}

before_srv=$(picture "$srv") before_cli=$(picture "$cli")
for victim in monitor worker both; do
  here "client's $victim killed: first a tunnel is up" both_up
  case $victim in
  monitor) killed=("$client_pid") ;;
  worker) killed=("$client_worker") ;;
  *) killed=("$client_pid" "$client_worker") ;;
  esac
  run kill -9 "${killed[@]}"
  ok "client's $victim killed: the server forgets the session" wait_for 6 no_sessions
  ok "client's $victim killed: its address is free" wait_for 3 prints 0 value server taken show pools
  ok "client's $victim killed: no process of it is left" wait_for 5 gone "$client_pid" "$client_worker"
  ok "client's $victim killed: no interface, address or route of it" wait_for 5 as_before "$cli" "$before_cli"
  client "${client_keepalives[@]}"
  ok "client's $victim killed: a new one comes up at once" up 5
  stop "$client_pid"; stop "$server_pid"
done

for victim in monitor worker both; do
  here "server's $victim killed: first a tunnel is up" both_up
  case $victim in
  monitor) killed=("$server_pid") ;;
  worker) killed=("$server_worker") ;;
  *) killed=("$server_pid" "$server_worker") ;;
  esac
  run kill -9 "${killed[@]}"
  ok "server's $victim killed: the client notices and ends" wait_for 6 gone "$client_pid" "$client_worker"
  ok "server's $victim killed: the client says so" wait_for 5 logged client 'control connection|connection is lost'
  ok "server's $victim killed: the client leaves nothing" wait_for 5 as_before "$cli" "$before_cli"
  ok "server's $victim killed: no process of it is left" wait_for 5 gone "$server_pid" "$server_worker"
  ok "server's $victim killed: the server leaves nothing" wait_for 5 as_before "$srv" "$before_srv"
  here "server's $victim killed: a new pair works at once" both_up
  stop "$client_pid"; stop "$server_pid"
done

# Both at once, in order: what a terminal's Ctrl-C does, and pkill.
server 'shutdown-timeout = 3s'
client
up 10
client_worker=$(worker "$client_pid")
run kill -STOP "$client_worker" # so that the farewell takes its time
began=$(now_ms)
run kill -INT "$(worker "$server_pid")" "$server_pid"
ok "SIGINT to both of the server's processes ends it" wait_for 10 gone "$server_pid"
[ $(($(now_ms) - began)) -ge 1000 ]; is "but not before its client has had time to say farewell" $? 0
run kill -CONT "$client_worker"
wait_for 10 gone "$client_pid"

# Somebody deletes the interface: a server without it could only pretend.
server; client; up 10
run ip -n "$srv" link del pptp0
status=
ended() { gone "$server_pid" || return 1; wait "$server_pid"; status=$?; }
wait_for 10 ended
is "the shared interface deleted: the server ends with an error, for its service manager to start it anew" "$status" 1
soon "and says why" 'event=interface ifname=pptp0 error="it was deleted"' cat "$work/server.log"
wait_for 10 gone "$client_pid"
server 'interface = per-session'; client; up 10
run ip -n "$srv" link del ppptp0
ok "a session's interface deleted: that session ends" wait_for 10 logged server 'event=session-down .*reason="its interface was deleted"'
wait_for 10 gone "$client_pid"
stop "$server_pid"

# Silence: nothing arrives any more, in either direction, and nobody says so.
silence() {
  local began=$(($(now_ms)))
  run ip -n "$mid" link set dev a down; run ip -n "$mid" link set dev b down
  wait_for 12 gone "$client_pid" || return 1
  took_client=$(($(now_ms) - began))
  wait_for 12 no_sessions || return 1
  took_server=$(($(now_ms) - began))
  note "client noticed after $took_client ms, server within $took_server ms"
}
both_up
here "a silent network: both sides notice" silence
# Three seconds of echoes, not TCP's minutes.
[ "$took_client" -lt 30000 ]; is "the client noticed by its echoes" $? 0
[ "$took_server" -lt 30000 ]; is "the server as well" $? 0
run ip -n "$mid" link set dev a up; run ip -n "$mid" link set dev b up
wait_for 10 pings "$cli" 192.0.2.1
ok "a silent network: the client leaves nothing" wait_for 5 as_before "$cli" "$before_cli"
client "${client_keepalives[@]}"
ok "the network is back: a new tunnel comes up" up 10
stop "$client_pid"; stop "$server_pid"
server # with its long keepalives, so that it is the client who notices first, and by GRE
client lcp-echo-interval 1s lcp-echo-failures 2
up 10
run kill -USR1 "$impair_pid"
ok "only GRE falls silent: the client notices by LCP's echo" wait_for 8 gone "$client_pid"
soon "and says so" 'does not answer LCP Echo-Requests' words_of client
