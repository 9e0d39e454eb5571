#!/bin/bash
# SIGHUP: a good configuration comes into force with all connections and calls kept, a bad one changes nothing and says why.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 47
alg_topology
masquerade
gateway_start

# configure LINE...: in the place of what was there
configure() { gateway_config alg "$@"; }
answers=0
# reload: SIGHUP, until the gateway has answered it in its log
answered() { [ "$(grep -c 'event=reload' "$work/alg.log")" -gt "$answers" ]; }
reload() {
  answers=$(grep -c 'event=reload' "$work/alg.log")
  run kill -HUP "$gateway_pid"
  wait_for 30 answered
}
# The process that goes on in the old one's place is there when it has said so.
starts() { grep -c event=start "$work/alg.log"; }
started() { [ "$(starts)" -ge "$1" ] && alg status; }
reloaded() {
  local n; n=$(starts)
  reload && wait_for 30 started $((n + 1))
}
last() { grep event=reload "$work/alg.log" | tail -n 1; }

ok "two calls" two_calls 192.0.2.254
goes_on() {
  both_carry 192.0.2.254 && talk <<END
c1 sends EchoRQ <Identifier 5>
s1 gets EchoRQ <Identifier 5>
s1 sends EchoRQ <Identifier 6>
c1 gets EchoRQ <Identifier 6>
END
}

# --- bad ones ------------------------------------------------------------------------------------------------------
configure 'nat = masquerade'
ok "a value that there is not" reload
like "is told by file and line" "$(last)" "file=\"$work/alg.conf\" result=unchanged error=\"$work/alg.conf:4: option 'nat'"
configure 'no-such-option = 1' 'max-calls = 5'
ok "an unknown option" reload
like "too" "$(last)" "alg.conf:4: no such option 'no-such-option'"
printf 'policy x {\n' >"$work/alg.conf"
ok "a file that breaks off" reload
like "too" "$(last)" 'result=unchanged'
rm "$work/alg.conf"
ok "a file that is not there" reload
like "too" "$(last)" 'result=unchanged error=".*No such file'
for option in 'mark = 0x20000000' 'table = 99' 'proxy-port = 1799' 'datapath = "user"' 'state-dir = "/tmp"'; do
  configure "$option"
  [[ $option != state-dir* ]] || sed -i '0,/^state-dir/{/^state-dir/d}' "$work/alg.conf"
  ok "what connections would not survive is refused: ${option%% *}" reload
  like "and named" "$(last)" "option '${option%% *}' can't change while calls are to be kept"
done
configure 'max-calls = 1' 'max-ids = 2'
ok "fewer calls than there are" reload
like "would be lost" "$(last)" "option 'max-calls': 2 calls are up, and would be lost"
ok "calls have not noticed any of it" goes_on
is "the process is the one that was" "$(starts)" 1

# --- good ones -----------------------------------------------------------------------------------------------------
configure 'max-calls-per-client = 1' 'policy no { source = {"10.2.0.0/24"}
  action = "refuse" }' 'metrics = "127.0.0.1:9323"' "trace { file = \"$work/trace\" }"
ok "a good one" reloaded
like "is said to be" "$(grep event=reload "$work/alg.log" | tail -n 1)" 'result=ok flows=2 calls=2'
ok "the process id stays" kill -0 "$gateway_pid"
is "connections and calls were taken over" "$(alg_json status '"\(.took_over) \(.connections) \(.calls)"')" "true 2 2"
ok "and go on" goes_on
ok "a policy is in force" talk <<END
d2 in $in2
d2 knocks 192.0.2.1
END
ok "a limit is in force" talk <<END
c1 sends OCRQ <Call-ID 8>
c1 gets OCRP <Peer-Call-ID 8> <Result !1>
s1 gets nothing
END
like "so are metrics" "$(in_ns "$gw" curl -s http://127.0.0.1:9323/metrics)" '^pptpalg_calls_now 2$'
ok "so is the trace" wait_for 30 grep -q 'from=client recv \[PPTP Echo-Request' "$work/trace"
configure 'ports = {1800}' 'max-connections = 1'
ok "other ports, and fewer connections than there are" reloaded
run ip -n "$gw" route add blackhole 10.99.0.0/24 # else the kernel goes by the ways that it remembers
ok "calls go on as they are" goes_on
configure
ok "and back again" reloaded
ok "a client that was refused is let in" talk <<END
$(connection d2 s3)
END
ok "a client on the gateway itself" talk <<END
o1 in $gw
s4 in $srv
$(connection o1 s4)
END
configure 'own-connections = no'
ok "own connections are to be taken no longer" reloaded
run ip -n "$gw" route del blackhole 10.99.0.0/24
ok "but those that there are go on" talk <<END
o1 sends EchoRQ <Identifier 7>
s4 gets EchoRQ <Identifier 7>
s4 sends EchoRQ <Identifier 8>
o1 gets EchoRQ <Identifier 8>
END
ok "calls still go on" goes_on
ok "the gateway stops" gateway_stop
is "no gates are left" "$(gre_entries)" 0

# --- under a service manager ---------------------------------------------------------------------------------------
configure
spawn store "$gw" "$BUILD/tests/e2e/fdstore" "$pptpalg" -f -c "$work/alg.conf"
store_pid=$!
wait_for 30 alg status
ok "a call under a service manager" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 21)
END
configure 'idle-timeout = "77s"'
kept=$(grep -oE '^started [0-9]+' "$work/store.log" | tail -n 1 | cut -d' ' -f2)
run kill -HUP "$kept"
ok "it reads the new configuration" wait_for 30 prints 77 alg_json status .idle_timeout_s
is "in the same process" "$(grep -cE '^(ended|started)' "$work/store.log") $(kill -0 "$kept" && echo alive)" "1 alive"
ok "and the call goes on" one_carries 192.0.2.254
run kill -TERM "$store_pid"
ok "it stops" wait_for 30 gone "$store_pid"
