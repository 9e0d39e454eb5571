#!/usr/bin/env bash
# shellcheck disable=SC2119,SC2120,SC2317
# pptpalg's restarts: by executing itself, by the service manager's store, and after a kill.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 30
alg_topology
masquerade
gateway_start 'ageing-timeout = "60s"' 'connect-timeout = "10s"'
starts() { grep -c event=start "$work/alg.log"; }
started() { [ "$(starts)" = "$1" ] && alg status; }

# --- a new program in the old process -----------------------------------------------------------------------------
ok "calls before the hand-over" talk <<END
$(ends)
$(connection c1 s1)
$(connection d1 s2)
$(outgoing c1 7 s1 21)
$(outgoing d1 7 s2 22)
$(data c1 7 s1 21 192.0.2.254)
$(data d1 7 s2 22 192.0.2.254)
c1 sends OCRQ <Call-ID 8>
s1 gets OCRQ <Call-ID ?c1b>
END
kill -USR2 "$gateway_pid"
ok "the gateway hands over to itself" wait_for 10 started 2
ok "with the same process id" kill -0 "$gateway_pid"
is "the flows are there" "$(grep -c event=control-restored "$work/alg.log")" 2
is "all gates are there" "$(gre_entries)" 4
ok "calls, control connections and a call that was being set up go on" talk <<END
$(data c1 7 s1 21 192.0.2.254)
$(data d1 7 s2 22 192.0.2.254)
s1 sends OCRP <Call-ID 23> <Peer-Call-ID @c1b>
c1 gets OCRP <Call-ID ?s1_at_c1> <Peer-Call-ID 8> <Result 1>
$(data c1 8 s1 23 192.0.2.254 | sed 's/@c1_at_s1/@c1b/')
$(outgoing d1 9 s2 24)
$(data d1 9 s2 24)
END
is "the gates of the new calls too" "$(gre_entries)" 8
ok "a new client is served" talk <<END
$(connection c2 s3)
END
for _ in 1 2 3; do
  n=$(starts)
  kill -USR2 "$gateway_pid"
  ok "once more" wait_for 10 started $((n + 1))
done
ok "data still goes on" talk <<END
$(data d1 9 s2 24)
END
one_left() { [ "$(gre_entries)" = 6 ]; }
ok "a call that ends after the hand-over is ended at both ends" talk <<END
d1 sends CCRQ <Call-ID 9>
s2 gets CCRQ <Call-ID @d1_at_s2>
s2 sends CDN <Call-ID 24>
d1 gets CDN <Call-ID @s2_at_d1>
END
ok "and takes its gates along" wait_for 5 one_left

# --- killed ---------------------------------------------------------------------------------------------------------
pids=$(in_ns "$gw" pgrep -x pptpalg)
# shellcheck disable=SC2086
kill -9 $pids
# shellcheck disable=SC2086
wait_for 5 gone $pids
is "gates outlive a kill" "$(gre_entries)" 6
ok "and carry data" talk <<END
$(data d1 7 s2 22 192.0.2.254 | sed 's/@s2_at_d1/22/' | head -n 1)
END
gateway_again
is "the next start adopts them" "$(grep -o 'event=adopt gates=[0-9]*' "$work/alg.log")" "event=adopt gates=3"
ok "a client that dials anew, and both ends' ids of before, take the place of its adopted call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 21)
$(data c1 7 s1 21 192.0.2.254)
END
ok "another client's call gets another id than that of an adopted call" talk <<END
$(connection d1 s2)
d1 sends OCRQ <Call-ID 8>
s2 gets OCRQ <Call-ID ?d1_at_s2>
s2 sends OCRP <Call-ID 40> <Peer-Call-ID @d1_at_s2>
d1 gets OCRP <Call-ID ?s2_at_d1> <Peer-Call-ID 8> <Result 1>
$(data d1 8 s2 40 192.0.2.254)
END
nok "which is so" [ "$(tell d1_at_s2)" = 8 ]
gates_now() { [ "$(gre_entries)" = 8 ]; }
ok "the old call's gates are gone" wait_for 5 gates_now
adopted() { "$pptpctl" -s "$work/alg.sock" --json alg gates | tr -d ' \n' | grep -o '"adopted"' | wc -l; }
is "adopted gates are shown as such" "$(adopted)" 4
ok "the gateway stops" gateway_stop
is "no gates are left" "$(gre_entries)" 0

# --- the service manager's store ------------------------------------------------------------------------------------------
spawn store "$gw" "$BUILD/tests/e2e/fdstore" "$pptpalg" -f -c "$work/alg.conf"
store_pid=$!
ok "under a service manager" wait_for 10 alg status
ok "a call" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 21)
$(data c1 7 s1 21 192.0.2.254)
END
kill -HUP "$store_pid"
restarted() { [ "$(grep -c event=control-restored "$work/store.log")" -ge 1 ] && alg status; }
ok "the service is restarted" wait_for 10 restarted
ok "its call goes on" talk <<END
$(data c1 7 s1 21 192.0.2.254)
$(outgoing c1 8 s1 22)
END
kill -TERM "$store_pid"
ok "it stops" wait_for 10 gone "$store_pid"
is "no gates are left after that" "$(gre_entries)" 0
