#!/bin/bash
# Encryption: each key length and mode, what both sides may insist on, and that nothing passes in clear then.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 51
topology

size=4000000
[ "${E2E_QUICK:-0}" = 1 ] && size=400000
ended() { gone "$client_pid"; }

# tunnel NAME MPPE-WORD...: a fresh client with these words; it carries a ping.
tunnel() {
  rm -f "$work/client.log"
  client "${@:2}"
  ok "$1: a tunnel" up 10
}
hang_up() { stop "$client_pid"; wait_for 5 no_sessions; }

# encoding TEXT: both sides show it
shows() {
  soon "$1: the server shows it" "  $1  " control server show sessions
  soon "$1: the client shows it" "  $1  " control client show sessions
}

# restart LINE...: a server with other rules, whose log begins anew
restart() { stop "$server_pid"; : >"$work/server.log"; server "$@"; }
# dial WORD...: a client of which the server's log has said nothing yet
dial() {
  rm -f "$work/client.log"
  printed=$(wc -l <"$work/server.log")
  client "$@"
}
ended_with() { tail -n +$((printed + 1)) "$work/server.log" | grep session-down; }

# inject NUMBER: an echo request from 10.0.0.10 to 10.0.0.1 in clear, in GRE of the running session, NUMBER packets ahead.
# shellcheck disable=SC2016
inject() {
  local call packets
  call=$(control server show session "$(session_id)" | awk '/^call id/ {print $3}')
  packets=$(control server show session "$(session_id)" | awk '/^gre rx/ {print $3}')
  in_ns "$cli" perl -MSocket -e '
    my ($call, $seq) = @ARGV;
    sub sum { my $s = 0; $s += $_ for unpack("n*", $_[0]); $s = ($s >> 16) + ($s & 0xffff) while $s >> 16; return ~$s & 0xffff; }
    my $icmp = pack("C2n3A8", 8, 0, 0, 0x4f50, 1, "in clear");
    substr($icmp, 2, 2) = pack("n", sum($icmp));
    my $ip = pack("C2n3C2n", 0x45, 0, 20 + length($icmp), 1, 0, 64, 1, 0) . inet_aton("10.0.0.10") . inet_aton("10.0.0.1");
    substr($ip, 10, 2) = pack("n", sum($ip));
    my $ppp = pack("n2", 0xff03, 0x0021) . $ip . $icmp;
    socket(my $s, PF_INET, SOCK_RAW, 47) or die "socket: $!";
    my $gre = pack("n4N", 0x3001, 0x880b, length($ppp), $call, $seq) . $ppp;
    send($s, $gre, 0, pack_sockaddr_in(0, inet_aton("192.0.2.1"))) or die "send: $!";' "$call" $((packets + $1))
}
counter() { control server show session "$(session_id)" | sed -n "s/^$1  *//p"; }
counted() { [ "$(counter "$1")" = "$2" ]; }
# What the server's host hears of it, whatever else goes through the tunnel.
in_ns "$srv" nft 'add table ip t; add counter ip t clear; add chain ip t in { type filter hook input priority 0; }; add rule ip t in icmp id 0x4f50 counter name clear'
heard_in_clear() { in_ns "$srv" nft list counter ip t clear | awk '/packets/ {print $2}'; }

# --- every kind -------------------------------------------------------------------------------------------------

server 'mppe-bits = {128, 56, 40}' 'mppe-mode = "any"'
for bits in 128 56 40; do
  tunnel "MPPE$bits stateless" mppe-bits $bits mppe-mode stateless
  shows "MPPE$bits stateless"
  ok "MPPE$bits stateless: $size bytes by TCP, both ways, unharmed" transfer $size 10.0.0.1
  hang_up
done
restart 'mppe-bits = {128, 56, 40}' 'mppe-mode = "stateful"'
for bits in 128 56 40; do
  tunnel "MPPE$bits stateful" mppe-bits $bits mppe-mode stateful
  shows "MPPE$bits stateful"
  ok "MPPE$bits stateful: $size bytes by TCP, both ways, unharmed" transfer $size 10.0.0.1
  hang_up
done
restart 'mppe-bits = {128, 56, 40}' 'mppe-mode = "any"'
tunnel "stateless wins where both are possible" mppe-bits 128 mppe-mode stateful
shows "MPPE128 stateless"
hang_up
tunnel "a client that takes any gets the strongest" mppe-bits 40,128,56 ipv6 no
shows "MPPE128 stateless"

# --- nothing in clear -----------------------------------------------------------------------------------------

inject 100
ok "a packet in clear is refused" wait_for 5 counted 'dropped clear' 1
is "and goes nowhere" "$(heard_in_clear)" 0
hang_up

# --- not wanted, not to be had -----------------------------------------------------------------------------------

restart 'mppe = "deny"'
tunnel "a server that denies, a client that allows" mppe allow ipv6 no
shows "none"
ok "$size bytes by TCP in clear, both ways, unharmed" transfer $size 10.0.0.1
inject 100
ok "a packet in clear is taken there" wait_for 5 prints 1 heard_in_clear
hang_up

dial
wait_for 15 ended; wait "$client_pid"
is "a server that denies, a client that requires: the exit status" $? 9
like "the client's words" "$(cat "$work/client.log")" 'Encryption is required here, but the server refused it'
soon "the server's words" 'user="alice" reason="[^"]*encryption' ended_with
wait_for 5 no_sessions

restart 'mppe = "require"' 'mppe-bits = {128}'
dial mppe deny
wait_for 15 ended; wait "$client_pid"
is "a server that requires, a client that denies: the exit status" $? 9
like "the client's words" "$(cat "$work/client.log")" 'The server requires encryption'
soon "the server's words" 'user="alice" reason="[^"]*encryption is required' ended_with
wait_for 5 no_sessions

dial mppe-bits 40
wait_for 15 ended; wait "$client_pid"
is "a server that requires 128 bits, a client that knows only 40: the exit status" $? 9
soon "the server's words" 'user="alice" reason="[^"]*encryption' ended_with
wait_for 5 no_sessions

restart 'mppe = "allow"' 'mppe-bits = {128}'
tunnel "a server that allows, a client that denies" mppe deny
shows "none"
hang_up
tunnel "a server that allows, a client that requires" mppe require
shows "MPPE128 stateless"
hang_up
