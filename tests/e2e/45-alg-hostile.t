#!/bin/bash
# Hostile peers on either side of the gateway: noise, crowds that say nothing, GRE for nobody, messages about others' calls. A proper
# client must not notice, and the gateway must stay small.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 66
alg_topology
translator pptpalg 'other-version = "refuse"' 'handshake-timeout = "6s"' 'max-connections-per-source = 2000' 'id-rest = "0"'
counter() { alg_json counters ".$1"; }
flows() { alg_json counters .connections_now; }
memory() { awk '/VmRSS/ {print $2}' "/proc/$(worker "$gateway_pid")/status"; }

# --- messages about others' calls, and messages that are none -------------------------------------------------------

ok "a call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
END
before=$(counter violations)
ok "another client speaks of it in all ways it can" talk <<END
$(connection d1 s2)
d1 sends CCRQ <Call-ID 7>
d1 sends CDN <Call-ID 7>
d1 sends CDN <Call-ID @c1_at_s1>
d1 sends SLI <Peer-Call-ID 9>
d1 sends WEN <Peer-Call-ID @s1_at_c1>
d1 sends OCRP <Call-ID 1> <Peer-Call-ID 9>
s2 gets nothing
END
ok "another server, too" talk <<END
X in $ext at 192.0.2.3
X listens
$(connection d2 third 192.0.2.3 X | sed "1i d2 in $in2")
third sends CDN <Call-ID 9>
third sends CCRQ <Call-ID @c1_at_s1>
third sends SLI <Peer-Call-ID @c1_at_s1>
third sends OCRP <Call-ID 9> <Peer-Call-ID 7>
d2 gets nothing
END
alg_is "each is counted as a violation" $((before + 10)) counters .violations
ok "the call does not notice" talk <<END
$(data c1 7 s1 9)
c1 gets nothing
s1 gets nothing
END
ok "TCP from a third address, with the connection's ports, changes nothing" talk <<END
x in $ext
x connects 192.0.2.1
x sends SCCRQ + CDN <Call-ID 9>
$(data c1 7 s1 9)
END

ok "GRE with its ids from others does not get in, from outside or from inside" talk <<END
x gre @c1_at_s1 from 192.0.2.3 to 192.0.2.254 misses c1
d1 gre @s1_at_c1 to 192.0.2.1 misses s1
$(data c1 7 s1 9)
END

# broken NAME MESSAGE: the connection ends at both ends, when the client says it and when the server does
broken() {
  ok "$1" talk <<END
$(ends)
$(connection c1 s1)
$(connection c2 s2)
c1 sends $2
c1 gets end
s1 gets end
s2 sends $2
s2 gets end
c2 gets end
END
}
broken "length 0" "OCRQ <Call-ID 8> <Length 0>"
broken "length 11" "OCRQ <Call-ID 8> <Length 11>"
broken "length 65535" "EchoRQ <Length 65535>"
broken "another type's length" "EchoRQ <Length 20>"
broken "a wrong magic cookie" "EchoRQ <Magic 0x1a2b3c4e>"
broken "a wrong kind" "EchoRQ <Kind 2>"
ok "an unknown type is refused, and no more" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
c1 sends EchoRQ <Type 99>
c1 sends EchoRQ <Identifier 5>
s1 gets EchoRQ <Identifier 5>
$(data c1 7 s1 9)
END

ok "a client that says a byte now and then has the handshake's time, and no more" talk <<END
n in $in2
m in $srv
n connects 192.0.2.1
m accepts L
n sends hex 00
n gets nothing 700
n sends hex 9c
n gets nothing 700
n sends hex 00
n gets nothing 700
n sends hex 01
n gets end
m gets end
$(data c1 7 s1 9)
END

# noisy END OTHER N: END says noise on connections that have or have not begun well
noise() {
  local i
  for i in $(seq 60); do
    printf 'n in %s\nm in %s\nn connects 192.0.2.1\nm accepts L\n' "$in2" "$srv"
    [ $((i % 3)) = 0 ] || printf 'n sends SCCRQ\nm gets SCCRQ\n'
    [ $((i % 3)) = 1 ] && printf 'm sends SCCRP\nn gets SCCRP\n'
    printf '%s sends noise %d %d\n' "$1" $((i * 29)) "$i"
    printf '%s closes\n%s resets\nforget n\nforget m\n' "$2" "$1"
  done
}
ok "noise from clients" talk < <(noise n m)
ok "noise from servers" talk < <(noise m n)
ok "the call does not notice" talk <<END
$(data c1 7 s1 9)
c1 gets nothing
s1 gets nothing
END
alg_is "no connection of them is left" 1 counters .connections_now
say fresh

# --- peers that never read, and one that wants too much ----------------------------------------------------------------

ok "a call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
END
small=$(memory)
ok "a client that sends without end to a server that never reads is stopped" talk <<END
$(connection d1 s2)
d1 stuffs EchoRQ <Identifier 7>
END
ok "and a server to a client" talk <<END
d2 in $in2
$(connection d2 s3)
s3 stuffs EchoRQ <Identifier 7>
END
ok "by TCP: nothing is kept in the gateway ($small kB, $(memory) kB)" test "$(memory)" -lt $((small + 4096))
ok "others are served" talk <<END
$(data c1 7 s1 9)
n in $in2
m in $srv
$(connection n m)
forget d1
forget d2
m sends SCCRP
END
ids=$(alg_json xlate .used)
# A request for each of 1000 calls that nobody answers.
wants() { for i in $(seq 1000); do echo "n sends OCRQ <Call-ID $i>"; done; }
ok "a client that wants a thousand calls" talk < <(wants)
ok "has no more of them than it may" wait_for 30 above 900 counter calls_refused
alg_is "and of call ids" $((ids + 64)) xlate .used
ok "a call of another still comes up" talk < <(outgoing c1 8 s1 10; data c1 8 s1 10)
say 'forget n'
alg_is "its ids come back" $((ids + 2)) xlate .used
alg_is "no connection of all these is left" 1 counters .connections_now
ok "the log has each refusal, until there are too many" wait_for 30 logged alg 'event=call-refused .*client=10\.2\.0\.2 .*reason='
# And five a second behind them.
refusals() { local n; n=$(grep -c event=call-refused "$work/alg.log"); [ "$n" -ge 100 ] && [ "$n" -lt 400 ]; }
ok "which is a hundred at once" refusals
say fresh

# --- the border between worker and monitor ---------------------------------------------------------------------------

status=$(cat "/proc/$(worker "$gateway_pid")/status")
like "the worker is not root" "$status" '^Uid:	[1-9][0-9]*	[1-9]'
like "it has no capabilities" "$status" '^CapPrm:	0{16}$'
like "and can't get any" "$status" '^NoNewPrivs:	1$'
like "nor by a program with some" "$status" '^CapBnd:	0{16}$'

# --- a real client and server from here ----------------------------------------------------------------------------

users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
server 'max-connections-per-source = 20000' 'max-half-open = 20000'
client
ok "a tunnel through the gateway" up
small=$(memory)
# comes_up NS: another client is connected
comes_up() {
  local began cli=$1
  began=$(now_ms)
  spawn client2 "$cli" "$pptpc" -s "$work/pptpc2.sock" 192.0.2.1 user bob password-file "$work/password"
  client2_pid=$!
  wait_for 60 pings "$cli" 10.0.0.1 || return 1
  note "up after $(($(now_ms) - began)) ms"
}
n=10000
[ "${E2E_QUICK:-0}" = 1 ] && n=2000
spawn mute "$ext" "$BUILD/tests/e2e/spoof" mute 192.0.2.3 1723
wait_for 30 logged mute ready
spawn idle "$in2" "$BUILD/tests/e2e/spoof" idle 192.0.2.3 1723 $n
idle_pid=$!
ok "$n connections that say nothing" wait_for 120 logged idle ready
here "a client with the same address connects all the same" comes_up "$in2"
stop "$client2_pid"
ok "the silent ones are bounded" test "$(counter half_open_now)" -le 1024
ok "and so is the gateway's memory ($small kB, $(memory) kB)" test "$(memory)" -lt $((small + 32768))
ok "and they go after the handshake's time" wait_for 60 prints 0 counter half_open_now
run kill "$idle_pid"
ok "the tunnel is as it was" wait_for 30 pings "$in1" 10.0.0.1

ok "$n SYNs that nobody answers" in_ns "$in2" "$BUILD/tests/e2e/spoof" syn 10.2.0.0 192.0.2.1 1723 $n
here "a client connects all the same" comes_up "$in2"
stop "$client2_pid"
spawn half "$in2" "$BUILD/tests/e2e/spoof" half 192.0.2.1 1723 300
half_pid=$!
ok "three hundred with half a message" wait_for 30 logged half ready
here "a client with the same address connects all the same" comes_up "$in2"
stop "$client2_pid"
ok "they end with the handshake's time, though they have begun to speak" wait_for 30 prints 0 counter half_open_now
run kill "$half_pid"
ok "noise by chance on the control port" in_ns "$in2" "$BUILD/tests/e2e/spoof" junk 192.0.2.1 1723 500
ok "no connection of them is left" wait_for 30 prints 1 flows
# Of each kind a hundred at once, and five a second behind them.
noted=$(grep -cE 'event=control-(up|down|failed|refused)' "$work/alg.log")
ok "the log has $noted lines of all these" test "$noted" -lt $((400 + 20 * SECONDS))
ok "and tells how many it left out" wait_for 30 logged alg 'event=log-suppressed of=control-failed lines=[0-9]+'

# TCP from outside in the names of both ends, with the connection's own ports.
port=$(alg_json flows '.[] | select(.kind == "control up").new_from' | sed 's/.*://')
ok "TCP in the server's name: RST and Call-Disconnect-Notify" \
  in_ns "$ext" "$BUILD/tests/e2e/spoof" inject 192.0.2.1 1723 192.0.2.254 "$port" 1000
ok "TCP in the gateway's name" in_ns "$ext" "$BUILD/tests/e2e/spoof" inject 192.0.2.254 "$port" 192.0.2.1 1723 1000
ok "the tunnel does not notice" wait_for 30 pings "$in1" 10.0.0.1
alg_is "nor its control connection" 1 counters .connections_now

# --- GRE ----------------------------------------------------------------------------------------------------------------

rules "$in1" 'table ip heard { chain input { type filter hook input priority filter; meta l4proto gre ip saddr 192.0.2.3 counter; }; }'
heard() { in_ns "$in1" nft -j list table ip heard | jq '[.. | .counter? // empty | .packets] | add'; }
ok "GRE with unknown ids, from outside" in_ns "$ext" "$BUILD/tests/e2e/spoof" flood 192.0.2.3 192.0.2.254 50000
ok "and in the server's name" in_ns "$ext" "$BUILD/tests/e2e/spoof" flood 192.0.2.1 192.0.2.254 20000
(while in_ns "$ext" "$BUILD/tests/e2e/spoof" flood 192.0.2.3 192.0.2.254 2000; do :; done) 7>&- 8>&- 2>/dev/null &
flood_pid=$!
ok "a transfer meanwhile is unharmed" transfer 2000000 10.0.0.1
kill "$flood_pid"; wait "$flood_pid" 2>/dev/null
is "none of it came through" "$(heard)" 0
ok "the tunnel lives" wait_for 30 pings "$in1" 10.0.0.1
ok "and a new one comes up" comes_up "$in2"
ok "the gateway ends in order" gateway_stop
is "and leaves no gate" "$(gre_entries)" 0
no_rules; masquerade
gateway_start 'strict = true'
ok "where unknown GRE is dropped, a flood from inside" in_ns "$in2" "$BUILD/tests/e2e/spoof" flood 10.2.0.2 192.0.2.1 20000
is "leaves nothing in the kernel's table" "$(in_ns "$gw" conntrack -L -p gre 2>/dev/null | grep -c .)" 0
