#!/bin/bash
# The life of gates: until their first packet, in silence, at the end of a call and of a control connection, and the limits on them.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 81
alg_topology

# --- time ----------------------------------------------------------------------------------------------------------
# Waiting is pptpeer's (`gets nothing MS`), so that a busy machine stretches both what is measured and what it is measured by.

translator pptpalg 'ageing-timeout = "5s"' 'idle-timeout = "4s"' 'poll-interval = "500ms"' 'keep-with-control = false' 'strict = true'
ok "a call without data" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
END
alg_is "has two gates that wait" "ageing ageing" gates 'map(.state) | join(" ")'
ok "after their ageing time the call is ended, at both ends" talk <<END
c1 gets CDN <Call-ID @s1_at_c1>
s1 gets CCRQ <Call-ID @c1_at_s1>
END
alg_is "the gates are gone" 0 gates 'length / 2'
alg_is "for this reason" 1 counters '[to_entries[] | select(.key | startswith("gates_ended_no_packet")).value] | add'
ok "what the server answers stays here; the connection is still good" talk <<END
s1 sends CDN <Call-ID 9>
c1 gets nothing
$(outgoing c1 8 s1 10)
END
ok "not before their time; the first packet in time makes them active" talk <<END
c1 gets nothing 2000
$(data c1 8 s1 10)
END
alive() { for _ in {1..9}; do printf '%s\n' "$1" 'c1 gets nothing 600'; done; }
ok "data of either direction keeps both, for longer than the idle time" talk <<END
$(alive 's1 gre @c1_at_s1 reaches c1 as 8')
$(alive 'c1 gre @s1_at_c1 reaches s1 as 10')
END
alg_is "they are active" "active active" gates 'map(.state) | join(" ")'
ok "an idle call is ended, at both ends, not before its time" talk <<END
c1 gre @s1_at_c1 reaches s1 as 10
c1 gets nothing 1500
c1 gets CDN <Call-ID @s1_at_c1>
s1 gets CCRQ <Call-ID @c1_at_s1>
END
alg_is "its gates are gone" 0 gates 'length / 2'
alg_is "for this reason" 1 counters '[to_entries[] | select(.key | test("gates_ended_no_packet.*idle")).value] | add'
ok "and pass nothing" talk <<END
s1 gre @c1_at_s1 misses c1
c1 gre @s1_at_c1 misses s1
END
say fresh

# What goes past connection tracking, by eBPF, counts as well.
translator pptpalg 'datapath = bpf' 'ageing-timeout = "20s"' 'idle-timeout = "4s"' 'poll-interval = "500ms"' 'keep-with-control = false'
if [ "$(alg_json status .datapath)" = bpf ]; then
  ok "data by eBPF keeps a call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
$(alive 's1 gre @c1_at_s1 reaches c1 as 7')
END
  is "connection tracking saw none of it" "$(in_ns "$gw" conntrack -L -p gre 2>/dev/null | grep -o 'packets=[0-9]*' | awk -F= '{n += $2} END {print n}')" 0
  ok "it ends when it is idle" talk <<END
c1 gets CDN <Call-ID @s1_at_c1>
END
else
  for _ in 1 2 3; do pass "eBPF # SKIP neither this kernel nor this build need have it"; done
fi
say fresh

# --- control connections that end ---------------------------------------------------------------------------------

gateway_stop; gateway_start 'poll-interval = "500ms"'
# lost NAME COMMAND...: a call with data, then these commands; the other end hears of it and the gates are gone, long before they are idle
lost() {
  local name=$1; shift
  ok "$name" talk < <(ends; connection c1 s1; outgoing c1 7 s1 9; data c1 7 s1 9; printf '%s\n' "$@")
  alg_is "$name: no gate is left" 0 gates 'length / 2'
  ok "$name: nothing passes" talk <<<'s1 gre @c1_at_s1 misses c1'
}
lost "the client resets" 'c1 resets' 's1 gets end'
lost "the client closes" 'c1 closes' 's1 gets end'
lost "the server resets" 's1 resets' 'c1 gets end'
lost "the server closes" 's1 closes' 'c1 gets end'
if [ "$(alg_json status .datapath)" = user ]; then
  for _ in 1 2 3; do pass "no monitor # SKIP gates are the worker's own"; done
else
  ok "a call" talk < <(ends; connection c1 s1; outgoing c1 7 s1 9; data c1 7 s1 9)
  run kill -STOP "$gateway_pid"
  ok "nobody hears that a call is over while its gates are there" talk <<END
s1 sends CDN <Call-ID 9>
c1 gets nothing 500
END
  run kill -CONT "$gateway_pid"
  ok "but when they are gone" talk <<END
c1 gets CDN <Call-ID @s1_at_c1>
s1 gre @c1_at_s1 misses c1
END
fi
say fresh
gateway_stop; gateway_start 'ageing-timeout = "2s"' 'idle-timeout = "1s"' 'poll-interval = "500ms"' 'keepalive = "1s"'
ok "while the control connection lives, silence ends no call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
END
ok "data goes on after that" talk <<END
c1 gets nothing 2500
s1 gre @c1_at_s1 reaches c1 as 7
c1 gre @s1_at_c1 reaches s1 as 9
END
run ip -n "$in1" link set dev eth0 down
ok "a client that is gone without a word is noticed" talk <<END
patience 60000
s1 gets end
END
alg_is "its gates are gone" 0 gates 'length / 2'
run ip -n "$in1" link set dev eth0 up
ip -n "$in1" route add default via 10.1.0.1; address "$in1" eth0 fd00:1::2/64; ip -n "$in1" route add default via fd00:1::1
say fresh

gateway_stop; gateway_start 'linger = "1h"' 'max-calls-per-client = 1'
ok "a client that dials anew needs no second place" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
c1 resets
s1 gets end
$(connection c2 s2)
$(outgoing c2 8 s2 10)
$(data c2 8 s2 10)
END
alg_is "the gates that lingered are gone" "active active" gates 'map(.state) | join(" ")'
say fresh

gateway_stop; gateway_start 'linger = "6s"' 'poll-interval = "1s"'
ok "with a time to linger, data goes on for a while after the control connection" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
c1 resets
s1 gets end
s1 gre @c1_at_s1 reaches c1 as 7
END
alg_is "the gates say so" "lingering lingering" gates 'map(.state) | join(" ")'
alg_is "then they go" 0 gates 'length / 2'
ok "and no data passes" talk <<<'s1 gre @c1_at_s1 misses c1'

# --- by hand ----------------------------------------------------------------------------------------------------------

ok "two calls on a connection" talk <<END
$(ends)
$(connection c1 s1)
$(sed 's/s1_at_c1/first/; s/c1_at_s1/first_at_s1/g' <<<"$(outgoing c1 7 s1 9)")
END
first=$(alg_json gates '.[0].call')
ok "and the second" talk < <(outgoing c1 8 s1 10)
ok "one is cleared by hand" alg clear "$first"
ok "both ends hear of it, and the other call lives" talk <<END
c1 gets CDN <Call-ID @first>
s1 gets CCRQ <Call-ID @first_at_s1>
s1 sends CDN <Call-ID 9>
c1 gets nothing
$(data c1 8 s1 10)
END
alg_is "one is left" 1 gates 'length / 2'
fails "a call that is not there can't be cleared" 'no such call: ' alg clear "$first"
ok "the whole connection is cleared by hand" alg clear connection "$(alg_json flows '.[0].session')"
ok "both ends hear of it" talk <<END
c1 gets end
s1 gets end
END

# --- gates removed by others -----------------------------------------------------------------------------------------

ok "a call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9)
END
run in_ns "$gw" conntrack -D -p gre >/dev/null 2>&1
if [ "${DATAPATH:-}" = user ]; then
  pass "gates that somebody removed # SKIP nobody else can"
else
  # Both at once, or one after the other if they were looked at in between.
  ok "gates that somebody removed are put back" wait_for 30 above 0 alg_json counters .gates_restored
  wait_for 30 prints 2 gre_entries
fi
ok "and data goes on" talk < <(data c1 7 s1 9)
say fresh

# --- limits ------------------------------------------------------------------------------------------------------------

# refused CLIENT ID SERVER: the call is refused by the gateway, and the server hears nothing of it
refused() {
  printf '%s\n' "$1 sends OCRQ <Call-ID $2>" "$1 gets OCRP <Peer-Call-ID $2> <Result !1>" "$3 gets nothing"
}
gateway_stop
gateway_start 'max-calls = 5' 'max-calls-per-client = 2' 'max-calls-per-connection = 3' 'poll-interval = "1s"'
ok "more calls of a client than it may have are refused" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 1 s1 11)
$(data c1 1 s1 11)
$(outgoing c1 2 s1 12)
$(data c1 2 s1 12)
$(refused c1 3 s1)
END
alg_is "and counted, with the client that met it" "1 10.1.0.2" status '.refusals[] | select(.refused | contains("client")) | "\(.count) \(.last_client)"'
ok "another client is not concerned" talk <<END
$(connection d1 s2)
$(outgoing d1 1 s2 21)
$(outgoing d1 2 s2 22)
END
# told CLIENT REASON: the log says who was refused, and why
told() { ok "and logged, with who and why" wait_for 30 logged alg "event=call-refused .*client=$1 .*reason=\"$2\""; }
told 10.1.0.2 "too many calls of this client"
alg_is "five calls at most, four now" "4 5" status '"\(.calls) \(.calls_limit)"'
ok "the fifth is let in, the sixth is not" talk <<END
$(data d1 2 s2 22)
x1 in $gw
$(connection x1 s3)
$(outgoing x1 3 s3 31)
$(refused x1 4 s3)
END
alg_is "for want of calls" 1 counters .gates_refused_too_many_calls
told 192.0.2.254 "too many calls"
say fresh
wait_for 30 prints 0 alg_json counters .calls_now

gateway_stop
gateway_start 'max-calls-per-connection = 3' 'max-waiting = 2' 'poll-interval = "1s"'
ok "more gates that wait for their first packet than there may be" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 1 s1 11)
$(outgoing c1 2 s1 12)
$(refused c1 3 s1)
END
alg_is "it is counted" 1 counters .gates_refused_too_many_gates_wait_for_their_first_packet
told 10.1.0.2 "too many gates wait for their first packet"
ok "data makes room" talk <<END
s1 gre @c1_at_s1 reaches c1 as 2
END
alg_is "as soon as it is seen" 1 counters .waiting_now
ok "for another call" talk < <(outgoing c1 3 s1 13)
ok "more calls on one connection than there may be" talk < <(refused c1 4 s1)
alg_is "it is counted" 2 counters .calls_refused
told 10.1.0.2 "too many calls on one connection"
ok "an end makes room" talk <<END
c1 sends CCRQ <Call-ID 3>
s1 gets CCRQ <Call-ID @c1_at_s1>
s1 sends CDN <Call-ID 13>
c1 gets CDN
$(outgoing c1 5 s1 15)
END
say fresh

gateway_stop
gateway_start 'max-calls = 1' 'max-ids = 2' 'id-rest = "0"'
ok "a call that nobody has answered counts for its client" talk <<END
$(ends)
$(connection c1 s1)
c1 sends OCRQ <Call-ID 1>
s1 gets OCRQ <Call-ID ?c1_at_s1>
$(refused c1 2 s1)
$(connection c2 s2)
$(refused c2 1 s2)
END
alg_is "each is refused" 2 counters .gates_refused_too_many_calls_of_this_client
ok "more call ids than there may be" talk <<END
$(connection d1 s3)
d1 sends OCRQ <Call-ID 1>
s3 gets OCRQ
x1 in $gw
s4 in $srv
$(connection x1 s4)
$(refused x1 3 s4)
END
told 192.0.2.254 "no translated call id free"
ok "a reply whose id finds no place ends the call, too" talk <<END
s1 sends OCRP <Call-ID 5> <Peer-Call-ID @c1_at_s1>
c1 gets OCRP <Peer-Call-ID 1> <Result !1>
s1 gets CCRQ <Call-ID @c1_at_s1>
END
told 10.1.0.2 "no translated call id free"
alg_is "the table of translations says so" "1 2 2" xlate '"\(.used) \(.limit) \(.failed)"'
say fresh

gateway_stop
gateway_start 'max-connections-per-source = 2' 'max-connections = 3'
ok "more connections of a client than there may be" talk <<END
$(ends)
c3 in $in1
d3 in $in2
$(connection c1 s1)
$(connection c2 s2)
c3 knocks 192.0.2.1
$(connection d1 s3)
d3 knocks 192.0.2.1
END
alg_is "is counted" 2 counters .connections_refused_too_many
ok "and logged, with who and why" wait_for 30 logged alg 'event=control-refused client=10\.1\.0\.2 .*reason="max-connections-per-source is reached"'
ok "for either limit" wait_for 30 logged alg 'event=control-refused client=10\.2\.0\.2 .*reason="max-connections is reached"'
