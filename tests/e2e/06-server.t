#!/bin/bash
# What a server does for its sessions: scripts, interfaces, routes, proxy ARP, time-outs, kicks, MSS and MTU.
#
#   $far 10.9.0.2 --- 10.9.0.1 $cli 192.0.2.2 --- 192.0.2.1 $srv 10.0.0.1 --- 10.0.0.200 $lan
#
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 45
topology
netns lan; netns far
lan=$ns_prefix-lan far=$ns_prefix-far
cable "$srv" eth1 "$lan" eth0
cable "$cli" eth1 "$far" eth0
address "$srv" eth1 10.0.0.1/24
address "$lan" eth0 10.0.0.200/24
address "$cli" eth1 10.9.0.1/24
address "$far" eth0 10.9.0.2/24
ip -n "$lan" route add 10.9.0.0/24 via 10.0.0.1
ip -n "$far" route add default via 10.9.0.1
in_ns "$srv" sysctl -qw net.ipv4.ip_forward=1
in_ns "$cli" sysctl -qw net.ipv4.ip_forward=1

news() { tail -n +$((printed + 1)) "$work/server.log"; }
heard() { grep -Eq -- "$1" <(news); }
restart() { stop "$server_pid"; server "$@"; }

# open_session NAME USER WORD...: a client of its own, its words in NAME.log and its pid in pid[NAME]; waits until it is connected.
declare -A pid
is_connected() { grep -q '^Connected' "$work/$1.log"; }
open_session() {
  printf 'secret\n' >"$work/password"; chmod 600 "$work/password"
  rm -f "$work/$1.log"
  printed=$(wc -l <"$work/server.log")
  spawn "$1" "$cli" "$pptpc" -s "$work/$1.sock" 192.0.2.1 user "$2" password-file "$work/password" "${@:3}"
  pid[$1]=$!
  wait_for 10 is_connected "$1" || fail "$2 connects"
}
ended() { gone "${pid[$1]}"; }
# closed NAME: its exit status, when it has ended
closed() { wait_for 15 ended "$1"; wait "${pid[$1]}"; }

cat >"$work/script" <<'SCRIPT'
#!/bin/sh
env | grep ^PPTP_ >"$0.$PPTP_EVENT.$$"
mv "$0.$PPTP_EVENT.$$" "$0.$PPTP_EVENT.$PPTP_USER"
SCRIPT
chmod 755 "$work/script"

users 'alice * secret 10.0.0.10 route=10.9.0.0/24' 'bob * secret *' 'named * secret * ifname=office0' \
  'lazy * secret * idle-timeout=2s' 'brief * secret * session-timeout=2s'

# --- check and print ------------------------------------------------------------------------------------------------

rules=("ip-up = \"$work/script\"" "ip-down = \"$work/script\"" 'proxy-arp = true' 'pool-ipv6 = {}')
server "${rules[@]}"
ok "pptpd -n takes the file" "$pptpd" -n -c "$work/pptpd.conf"
"$pptpd" -nv -c "$work/pptpd.conf" >"$work/print1.conf"
"$pptpd" -nv -c "$work/print1.conf" >"$work/print2.conf"
is "pptpd -nv prints what reads back to the same" "$(cat "$work/print2.conf")" "$(cat "$work/print1.conf")"
like "with what was set" "$(cat "$work/print1.conf")" "ip-up *= *\"$work/script\""
echo 'no-such-key = 1' >>"$work/print2.conf"
nok "pptpd -n refuses an unknown key" "$pptpd" -n -c "$work/print2.conf"
like "and names file and line" "$("$pptpd" -n -c "$work/print2.conf" 2>&1)" "print2\.conf:$(wc -l <"$work/print2.conf"): .*no-such-key"

# --- one interface for all, routes, proxy ARP, scripts ------------------------------------------------------------

open_session a alice routes 10.0.0.0/24
ok "ip-up has run" wait_for 5 test -f "$work/script.ip-up.alice"
environment=$(sort "$work/script.ip-up.alice" | tr '\n' ' ')
like "with the session" "$environment" "PPTP_EVENT=ip-up .*PPTP_SESSION=$(session_id) "
like "with user and addresses" "$environment" 'PPTP_LOCAL=192.0.2.1 PPTP_LOCAL_IP=10.0.0.1 .*PPTP_PEER=192.0.2.2 .*PPTP_REMOTE_IP=10.0.0.10 .*PPTP_USER=alice'
like "with what was agreed" "$environment" 'PPTP_ENCODING=MPPE128 stateless PPTP_EVENT=ip-up PPTP_IFNAME=pptp0 .*PPTP_METHOD=mschap2 PPTP_MTU=1396'

open_session b bob routes 10.0.0.0/24 table 77
pooled=$(control server show sessions | awk '$2 == "bob" {print $4}')
ip -n "$cli" rule add from "$pooled" lookup 77
is "two sessions share one interface" "$(tunnels "$srv")" pptp0
ok "the server reaches the network behind the user" wait_for 5 pings "$srv" 10.9.0.2
ok "a machine in the server's LAN reaches the client by proxy ARP" wait_for 5 pings "$lan" 10.0.0.10
soon "which the server answers for" '10\.0\.0\.10 dev eth1' ip -n "$srv" neigh show proxy
ok "and so the one with an address of the pool" wait_for 5 pings "$lan" "$pooled"
ok "networks behind both reach each other" wait_for 5 pings "$far" 10.0.0.200

# --- MSS and MTU ----------------------------------------------------------------------------------------------------

# watch_syns NS: keeps the first SYN that arrives in NS.syn
watch_syns() {
  : >"$work/$1.tcpdump" # of the time before
  ip netns exec "$1" tcpdump -ni eth0 -Q in -l -c 1 'tcp[tcpflags] & tcp-syn != 0' >"$work/$1.syn" 2>>"$work/$1.tcpdump" &
  watcher[$1]=$!
  wait_for 5 grep -q listening "$work/$1.tcpdump"
}
declare -A watcher
# mss_is TEXT MSS: a connection from far to the LAN; what each end hears of the other's MSS
mss_is() {
  local listener
  watch_syns "$lan"
  watch_syns "$far"
  ip netns exec "$lan" "$BUILD/tests/e2e/blob" serve 10.0.0.200 5002 1000 3 >/dev/null 2>&1 &
  listener=$!
  wait_for 5 in_ns "$lan" sh -c 'ss -ltn | grep -q :5002'
  in_ns "$far" "$BUILD/tests/e2e/blob" connect 10.0.0.200 5002 1000 3 >/dev/null 2>&1
  wait "$listener"
  wait_for 5 gone "${watcher[$lan]}" "${watcher[$far]}"
  like "$1, in the SYN that enters the LAN" "$(cat "$work/$lan.syn")" "Flags \[S\].*[[]mss $2,"
  like "$1, in the answer to it" "$(cat "$work/$far.syn")" "Flags \[S\.\].*[[]mss $2,"
}
mss_is "MSS is what fits the tunnel" 1356
ok "a packet of the tunnel's MTU passes" in_ns "$lan" ping -q -c 3 -i 0.2 -W 20 -s 1368 -M "do" 10.9.0.2
like "a larger one is answered with ICMP too big" "$(in_ns "$lan" ping -c 3 -i 0.2 -W 20 -s 1372 -M "do" 10.9.0.2 2>&1)" 'mtu ?= ?1396'
like "from the other side as well" "$(in_ns "$far" ping -c 3 -i 0.2 -W 20 -s 1372 -M "do" 10.0.0.200 2>&1)" 'mtu ?= ?1396'
ok "one that may be fragmented passes" in_ns "$lan" ping -q -c 3 -i 0.2 -W 20 -s 1372 -M dont 10.0.0.10
ok "a very large one, too" in_ns "$far" ping -q -c 3 -i 0.2 -W 20 -s 6000 -M dont 10.0.0.200

# --- kicks and time-outs --------------------------------------------------------------------------------------------

ok "a session is kicked by its number" control server kick "$(control server show sessions | awk '$2 == "bob" {print $1}')"
closed b
is "its client ends" $? 11
like "and says why" "$(cat "$work/b.log")" 'The server hung up.*kicked by the administrator'
ok "the other by its user" control server kick user=alice
closed a
wait_for 5 test -f "$work/script.ip-down.alice"
environment=$(sort "$work/script.ip-down.alice" | tr '\n' ' ')
like "ip-down has the reason and the caller" "$environment" 'PPTP_PEER=192.0.2.2 PPTP_REASON=kicked by the administrator PPTP_REMOTE_IP='
like "and the bytes" "$environment" 'PPTP_BYTES_RCVD=[1-9][0-9]{3,} PPTP_BYTES_SENT=[1-9][0-9]{3,} PPTP_CONNECT_TIME=[0-9]+ '
soon_is "no proxy ARP is left" "" ip -n "$srv" neigh show proxy
soon_is "no route is left" "" ip -n "$srv" route show 10.9.0.0/24
wait_for 5 no_sessions
open_session a alice
ok "a third by its address" control server kick address=10.0.0.10
closed a
ok "no session is left" wait_for 5 no_sessions
fails "nobody to kick is an error" 'no such session' control server kick user=alice

begin=$(now_ms)
open_session l lazy
closed l
is "an idle session ends" $? 11
ok "by the time-out, not before" test $(($(now_ms) - begin)) -ge 2000
soon "the server says why" 'event=session-down .*user="lazy" reason="idle time-out' news
open_session s brief
in_ns "$cli" ping -q -i 0.3 -w 60 10.0.0.1 >/dev/null 2>&1 &
pinger=$!
closed s
is "a busy session ends by its own time-out" $? 11
soon "the server says why" 'event=session-down .*user="brief" reason="session time-out' news
kill $pinger; wait $pinger 2>/dev/null

# --- an interface each, and no clamping ------------------------------------------------------------------------------

restart 'interface = "per-session"' 'mss = "off"' 'pool-ipv6 = {}'
open_session a alice routes 10.0.0.0/24 mss off
open_session n named
interfaces() { tunnels "$srv" | sort | tr '\n' ' '; }
soon_is "each session has an interface, one its user's own" 'office0 ppptp0 ' interfaces
soon "which pptpctl shows" ' named .* office0 ' control server show sessions
soon "whose address is at its end" 'inet 10\.0\.0\.1 peer 10\.0\.0\.1[0-9]+/32' ip -n "$srv" -o addr show dev office0
ok "the server reaches the network behind the user" wait_for 5 pings "$srv" 10.9.0.2
for ns in "$far" "$lan"; do ip -n "$ns" route flush cache; done # the path's MTU was learnt
mss_is "MSS is left alone on request" 1460
stop "${pid[n]}"
is_gone() { [ "$(tunnels "$srv")" = ppptp0 ]; }
ok "an interface goes with its session" wait_for 5 is_gone
