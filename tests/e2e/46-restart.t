#!/bin/bash
# The gateway goes and comes: handed over to itself or by way of a service manager, killed and started anew, ended for good.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 47
alg_topology
translator pptpalg 'poll-interval = "1s"' 'adopted-timeout = "3s"' 'id-rest = "0"'
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
size=60000000
[ "${E2E_QUICK:-0}" = 1 ] && size=10000000

flow_numbers() { alg_json flows '[.[] | select(.kind == "control up").session] | sort | join(" ")'; }
session_ids() { control server --json show sessions | field session | sort | tr '\n' ' '; }
new_worker() { local w; w=$(worker "$gateway_pid") && [ -n "$w" ] && [ "$w" != "$old_worker" ] && alg status >/dev/null; }
# streaming: a transfer in the background; streamed: its outcome
streaming() {
  transfer_at "$in1" $size 10.0.0.1 "$1" >"$work/stream-$1.out" 2>&1 &
  stream_pid=$!
  wait_for 5 in_ns "$srv" sh -c "ss -tn state established | grep -q :$1"
}
streamed() { wait "$stream_pid"; }

# --- handed over -------------------------------------------------------------------------------------------------------

server 'echo-interval = 1s' 'echo-timeout = 3s' 'lcp-echo-interval = 1s' 'lcp-echo-failures = 3'
pptpc_at "$in1" alice alice echo-interval 1s echo-timeout 3s lcp-echo-interval 1s lcp-echo-failures 3
pptpc_at "$in2" bob bob echo-interval 1s echo-timeout 3s
ok "two tunnels" wait_for 15 ping_all 10.0.0.1 "$in1" "$in2"
sessions=$(session_ids) flows=$(flow_numbers)
for round in 1 2; do
  old_worker=$(worker "$gateway_pid")
  here "a transfer through the tunnel is on its way, round $round" streaming 500$round
  run kill -USR2 "$gateway_pid"
  ok "SIGUSR2: the same process has a new worker" wait_for 10 new_worker
  here "the transfer has gone on, unharmed" streamed
  is "the flows are the same" "$(flow_numbers)" "$flows"
  is "the sessions are the same" "$(session_ids)" "$sessions"
done
alg_is "the gates are known and counted" "4 true" flows '[.[] | select(.kind | startswith("gre"))] | "\(length) \(map(.packets > 0) | all)"'
began=$(now_ms)
passed() { [ "$(now_ms)" -ge $((began + $1)) ]; }
ok "when their echoes' time is long over" wait_for 8 passed 5000
is "both sessions are there" "$(session_ids)" "$sessions"
ok "one hangs up in order" stop "${pid[bob]}"
alg_is "the gateway knows, and its gates are gone" 1 gates 'length / 2'
stop "${pid[alice]}"
alg_is "and so the other" 0 counters .connections_now
is "no gate is left" "$(gre_entries)" 0


ok "a call that is up, one half cleared, one half made, and half a message" talk <<END
$(ends)
T in $ext at 192.0.2.3
T listens
$(connection c1 third 192.0.2.3 T)
$(outgoing c1 8 third 10)
c1 sends CCRQ <Call-ID 8>
third gets CCRQ <Call-ID ?x8>
$(outgoing c1 7 third 9)
c1 sends OCRQ <Call-ID 11>
third gets OCRQ <Call-ID ?x11>
c1 sends hex 001000011a2b3c
END
old_worker=$(worker "$gateway_pid")
run kill -USR2 "$gateway_pid"
ok "are handed over" wait_for 10 new_worker
ok "and go on" talk <<END
$(data c1 7 third 9)
c1 sends hex 4d000500000000002a
third gets EchoRQ <Identifier 42>
third sends OCRP <Call-ID 12> <Peer-Call-ID @x11> + CDN <Call-ID 10>
c1 gets OCRP <Call-ID ?y11> <Peer-Call-ID 11>
c1 gets CDN <Call-ID 10>
c1 gre @y11 reaches third as 12
third gre @x11 reaches c1 as 11
third gre @x8 misses c1
c1 sends CCRQ <Call-ID 7>
third gets CCRQ <Call-ID @c1_at_third>
third sends CDN <Call-ID 9>
c1 gets CDN <Call-ID @third_at_c1>
third gre @c1_at_third misses c1
END
ok "new connections, too" talk <<END
$(connection d1 s1)
$(outgoing d1 7 s1 9)
$(data d1 7 s1 9)
END

# --- killed --------------------------------------------------------------------------------------------------------------

old_worker=$(worker "$gateway_pid")
run kill -9 "$gateway_pid" "$old_worker"
wait_for 5 gone "$gateway_pid" "$old_worker"
ok "killed: the control connections end" talk <<END
d1 gets end
s1 gets end
c1 gets end
third gets end
END
ok "killed: the calls' data goes on" talk <<END
$(data d1 7 s1 9 192.0.2.254)
c1 gre @y11 reaches third as 12
third gre @x11 reaches c1 as 11
END
gateway_again
alg_is "the next one adopts the gates" "4 true" gates '"\(length) \(map(.state == "adopted") | all)"'
ok "data goes on" talk <<END
$(data d1 7 s1 9 192.0.2.254)
c1 gre @y11 reaches third as 12
third gre @x11 reaches c1 as 11
END
ok "a new call gets none of their ids" talk <<END
d2 in $in2
$(connection d2 s2)
$(outgoing d2 7 s2 9)
$(data d2 7 s2 9)
$(data d1 7 s1 9)
END
nok "it does not" test "$(tell d1_at_s1)" = "$(tell d2_at_s2)"
ok "while they carry data, they stay" talk <<END
$(data d1 7 s1 9)
c1 gre @y11 reaches third as 12
END
alg_is "adopted gates without data go after their time" 1 gates 'length / 2'
ok "they are gone" talk <<END
third gre @x11 misses c1
s1 gre @d1_at_s1 misses d1
$(data d2 7 s2 9)
END

# A client that comes back with the id that it had.
old_worker=$(worker "$gateway_pid")
run kill -9 "$gateway_pid" "$old_worker"
wait_for 5 gone "$gateway_pid" "$old_worker"
gateway_again
ok "a client comes back with the same call id" talk <<END
d2 gets end
s2 gets end
$(connection d2 s2)
$(outgoing d2 7 s2 9)
$(data d2 7 s2 9)
END

# --- ended ---------------------------------------------------------------------------------------------------------------

table() { in_ns "$gw" nft list tables | grep -c pptpalg; }
rule() { in_ns "$gw" sh -c 'ip rule; ip -6 rule' | grep -c fwmark; }
is "while it runs it has a table" "$(table)" 1
ok "SIGTERM ends it" gateway_stop
is "and no gate stays" "$(gre_entries)" 0
is "no table" "$(table)" 0
is "no routing rule" "$(rule)" 0
like "the box's own rules are as they were" "$(in_ns "$gw" nft list tables)" 'table inet nat'
ok "the control connections are closed" talk <<END
d2 gets end
s2 gets end
END
ok "a new start after that works" gateway_again
ok "with calls" talk <<END
$(connection d2 s2)
$(outgoing d2 7 s2 9)
$(data d2 7 s2 9)
END
gateway_stop
say fresh

# --- by way of a service manager --------------------------------------------------------------------------------------

# managed: pptpalg under a service manager as small as can be; $manager_pid
managed() {
  spawn manager "$gw" "$BUILD/tests/e2e/fdstore" "$pptpalg" -f -c "$work/alg.conf"
  manager_pid=$!
  wait_for 10 alg status
}
starts() { grep -c '^started' "$work/manager.log"; }
restarted() { [ "$(starts)" -gt "$1" ] && alg status >/dev/null; }
here "the gateway under a service manager" managed
ok "tells that it is ready" wait_for 5 logged manager '^ready'
pptpc_at "$in1" alice alice echo-interval 1s echo-timeout 3s
ok "a tunnel" wait_for 15 pings "$in1" 10.0.0.1
sessions=$(session_ids) flows=$(flow_numbers)
here "a transfer is on its way" streaming 5003
before=$(starts)
run kill -HUP "$manager_pid"
ok "a restart: another process serves" wait_for 10 restarted "$before"
here "the transfer has gone on, unharmed" streamed
is "the flows are the same" "$(flow_numbers)" "$flows"
is "the sessions are the same" "$(session_ids)" "$sessions"
gateway_process() { awk '/^started/ {p = $2} END {print p}' "$work/manager.log"; }
killed=$(gateway_process)
before=$(starts)
run kill -9 "$killed"
ok "killed: the service manager starts another one" wait_for 10 restarted "$before"
ok "the client, whose control connection is gone, ends" wait_for 10 gone "${pid[alice]}"
pptpc_at "$in1" alice2 alice
ok "a new tunnel" wait_for 15 pings "$in1" 10.0.0.1
stop "${pid[alice2]}"
ok "it is stopped in order" stop "$manager_pid"
is "no gate stays" "$(gre_entries)" 0
