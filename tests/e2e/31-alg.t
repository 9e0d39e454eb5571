#!/usr/bin/env bash
# shellcheck disable=SC2119,SC2120,SC2317
# pptpalg's first proof: two clients with the same call id behind masquerade, scripted and real, and nothing left behind.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 23
alg_topology
masquerade
gateway_start

ok "two clients of one server with the same call id each get their own data" two_calls 192.0.2.254
soon_is "two calls have four gates" 4 gre_entries
no_gates() { [ "$(gre_entries)" = 0 ]; }
say fresh
ok "lost control connections take the gates along" wait_for 5 no_gates

# --- what came before the call ------------------------------------------------------------------------------------
strays() { in_ns "$gw" conntrack -L -p gre 2>/dev/null | grep -vc ASSURED; }
ok "GRE with a call's ids before the call: the box's own translation knows it" talk <<END
$(ends)
c1 gre 31 to 192.0.2.1 reaches s1 as 31 from 192.0.2.254
s1 gre 17 to 192.0.2.254 misses c1
END
soon_is "which makes two entries of connection tracking" 2 strays
ok "the call is set up nevertheless" talk <<END
$(connection c1 s1)
$(outgoing c1 17 s1 31)
$(data c1 17 s1 31 192.0.2.254)
END
is "its ids are as they were" "$(tell c1_at_s1) $(tell s1_at_c1)" "17 31"
soon_is "and the strays are gone" 0 strays
say fresh
ok "the call ends" wait_for 5 no_gates

# --- silence -----------------------------------------------------------------------------------------------------
gateway_stop
gateway_start 'control-timeout = "5s"'
ok "two control connections, one with a call" talk <<END
$(ends)
$(connection c1 s1)
$(connection d1 s2)
$(outgoing d1 7 s2 22)
END
ok "when both are silent, the one without a call ends" talk <<END
c1 gets end
s1 gets end
$(data d1 7 s2 22)
$(outgoing d1 8 s2 23)
END
alg_is "which is counted" 1 counters .control_timeouts
ok "and logged with who and why" wait_for 5 logged alg 'event=control-down .* client=10.1.0.2 .*reason="no call, and no message for 5 s"'
say fresh
gateway_stop
gateway_start

# --- real ends ---------------------------------------------------------------------------------------------------
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
server
# dial NAME NS USER
dial() {
  printf 'secret\n' >"$work/password"; chmod 600 "$work/password"
  spawn "$1" "$2" "$pptpc" -s "$work/$1.sock" 192.0.2.1 user "$3" password-file "$work/password"
}
dial one "$in1" alice
one=$!
dial two "$in2" bob
ok "a real tunnel of the first client" wait_for 15 pings "$in1" 10.0.0.1
ok "a real tunnel of the second" wait_for 15 pings "$in2" 10.0.0.1
ok "a client ends" stop "$one"
two_left() { [ "$(gre_entries)" = 2 ]; }
ok "its gates go, the other's stay" wait_for 5 two_left
ok "the other's tunnel goes on" wait_for 5 pings "$in2" 10.0.0.1

ok "the gateway stops" gateway_stop
is "no gates are left" "$(gre_entries)" 0
fails "no table is left" 'No such file' in_ns "$gw" nft list table inet pptpalg

# --- beside the kernel's helper ----------------------------------------------------------------------------------
stop "$server_pid"
helper_start || note "this kernel has no helper"
gateway_again
ok "where a rule still calls the kernel's helper, two clients with the same call id get their own data, too" two_calls 192.0.2.254
soon "which the gateway has warned of" "event=machine .*kernel's PPTP helper" words_of alg
