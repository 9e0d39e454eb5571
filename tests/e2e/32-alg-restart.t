#!/usr/bin/env bash
# shellcheck disable=SC2119,SC2120,SC2317
# pptpalg's restarts: by executing itself, to read its configuration anew, and by the service manager's store.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 39
alg_topology
masquerade
gateway_start 'ageing-timeout = "60s"' 'connect-timeout = "10s"'
# An Outgoing-Call-Request with call id 11 in two parts, cut inside the header's type
first_part=00a80001
second_part=1a2b3c4d0007000$(printf '0000b%04x%08x%08x%08x%08x%04x%04x%04x%04x%0256x' 5 300 100000000 1 1 64 0 0 0 0)
starts() { grep -c event=start "$work/alg.log"; }
started() { [ "$(starts)" = "$1" ] && alg status; }

# --- a new program in the old process -----------------------------------------------------------------------------
ok "calls before the hand-over" two_calls 192.0.2.254
ok "and one that is being set up, and half a message" talk <<END
c1 sends OCRQ <Call-ID 8>
s1 gets OCRQ <Call-ID ?c1b>
d1 sends hex $first_part
END
kill -USR2 "$gateway_pid"
ok "the gateway hands over to itself" wait_for 10 started 2
ok "with the same process id" kill -0 "$gateway_pid"
soon_is "the flows are there" 2 grep -c event=control-restored "$work/alg.log"
is "all gates are there" "$(gre_entries)" 4
ok "data of calls goes on" both_carry 192.0.2.254
ok "calls, control connections and a call that was being set up go on" talk <<END
s1 sends OCRP <Call-ID 23> <Peer-Call-ID @c1b>
c1 gets OCRP <Call-ID ?s1_at_c1> <Peer-Call-ID 8> <Result 1>
$(data c1 8 s1 23 192.0.2.254 | sed 's/@c1_at_s1/@c1b/')
END
ok "half a message that had come is not lost" talk <<END
d1 sends hex $second_part
s2 gets OCRQ <Call-ID ?d1c> <Serial 5>
s2 sends OCRP <Call-ID 25> <Peer-Call-ID @d1c>
d1 gets OCRP <Call-ID ?s2c> <Peer-Call-ID 11> <Result 1>
d1 gre @s2c reaches s2 as 25 from 192.0.2.254
s2 gre @d1c reaches d1 as 11
d1 sends CCRQ <Call-ID 11>
s2 gets CCRQ <Call-ID @d1c>
s2 sends CDN <Call-ID 25>
d1 gets CDN <Call-ID @s2c>
$(outgoing d1 9 s2 24)
$(data d1 9 s2 24)
END
soon_is "the gates of the new calls too" 8 gre_entries
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
ok "a control connection that ends after the hand-over ends with a FIN at the other end" talk <<END
c2 closes
s3 gets end
END

# --- a reload ---------------------------------------------------------------------------------------------------------
n=$(starts)
echo 'max-calls-per-client = many' >>"$work/alg.conf"
kill -HUP "$gateway_pid"
ok "a configuration that is wrong is refused" wait_for 5 logged alg 'event=reload .*result=unchanged .*alg.conf:'
is "and changes nothing" "$(starts)" "$n"
sed -i '$d' "$work/alg.conf"
echo 'max-calls-per-client = 2' >>"$work/alg.conf"
kill -HUP "$gateway_pid"
ok "a right one is taken" wait_for 10 started $((n + 1))
ok "with calls as they were" talk <<END
$(data c1 8 s1 23 192.0.2.254 | sed 's/@c1_at_s1/@c1b/')
END
ok "and the new limit" talk <<END
$(outgoing d1 12 s2 26)
d1 sends OCRQ <Call-ID 13>
d1 gets OCRP <Peer-Call-ID 13> <Result !1>
d1 sends CCRQ <Call-ID 12>
s2 gets CCRQ <Call-ID @d1_at_s2>
s2 sends CDN <Call-ID 26>
d1 gets CDN <Call-ID @s2_at_d1>
END
ok "whose refusal is logged with who and why" wait_for 5 logged alg 'event=call-refused .*client=10.2.0.2 .*reason="too many calls of this client"'
ok "the ended call's gates are gone" wait_for 5 one_left
sed -i '$d' "$work/alg.conf"

ok "the gateway stops" gateway_stop
is "no gates are left" "$(gre_entries)" 0

# --- a lower limit, without the check that a reload brings -----------------------------------------------------------
gateway_again
ok "two calls on a connection" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 21 | sed 's/s1_at_c1/first/; s/c1_at_s1/first_at_s1/')
$(outgoing c1 8 s1 22)
END
cp "$work/alg.conf" "$work/before.conf"
printf 'max-calls = 1\nmax-ids = 10\n' >>"$work/alg.conf"
n=$(starts)
kill -USR2 "$gateway_pid"
ok "a hand-over to a process that may have one only" wait_for 10 started $((n + 1))
ok "ends the other at both ends" talk <<END
c1 gets CDN <Call-ID @first>
s1 gets CCRQ <Call-ID @first_at_s1>
s1 sends CDN <Call-ID 21>
c1 gets nothing
$(data c1 8 s1 22 192.0.2.254)
END
soon_is "and takes its gates away" 2 gre_entries
gateway_stop
mv "$work/before.conf" "$work/alg.conf"

# --- the service manager's store ------------------------------------------------------------------------------------------
spawn store "$gw" "$BUILD/tests/e2e/fdstore" "$pptpalg" -f -c "$work/alg.conf"
store_pid=$!
ok "under a service manager" wait_for 10 alg status
ok "a call" one_call 192.0.2.254
kill -HUP "$store_pid"
restarted() { [ "$(grep -c event=control-restored "$work/store.log")" -ge 1 ] && alg status; }
ok "the service is restarted" wait_for 10 restarted
soon_is "all was in the store: two listeners, two sockets, the state" 5 grep -c '^stored ' "$work/store.log"
emptied() { [ "$(grep '^removed ' "$work/store.log" | sort | tr '\n' ' ')" = 'removed bundle 0 removed f 2 removed l4 1 removed l6 1 removed state 1 ' ]; }
ok "which is emptied" wait_for 5 emptied
ok "its call goes on" talk <<END
$(data c1 7 s1 21 192.0.2.254)
$(outgoing c1 8 s1 22)
END
kill -TERM "$store_pid"
ok "it stops" wait_for 10 gone "$store_pid"
soon_is "no gates are left after that" 0 gre_entries
