#!/bin/bash
# poptop, pptp-linux and pppd through our gateway. They run under a user-mode-linux kernel, since pppd needs /dev/ppp; pptpalg runs on
# this machine's kernel, between two interfaces of that one:
#
#   user-mode-linux                       this machine                                    user-mode-linux
#   $cli  192.168.1.2 -- tap1 192.168.1.1  $gw   192.0.2.254 out (bridge) -- tap2 -------- 192.0.2.1 $srv
#   pptp-linux            $in2 10.2.0.2 --------/ pptpalg, NAT     |                       poptop
#                         pptpc                                    +---- 192.0.2.5 $srv, pptpd
#
# The guest writes a number and what it wants of this side as words into a file; ask_loop() does it and answers with a file of that number.
# ALG_TRANSLATOR=helper runs it through the kernel's helper instead, to see what is the gateway's doing.
cd "$(dirname "$0")/../.." || exit 2
export BUILD="${BUILD:-$PWD}"
if ! command -v linux.uml >/dev/null; then echo "1..0 # SKIP user-mode-linux is not installed"; exit 0; fi
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. tests/e2e/alg.sh

# --- what the guest may ask for ----------------------------------------------------------------------------------

# second_client ID: pptpc behind the gateway, as bob, with that call id
second_client() {
  cli=$in2 user=bob client call-id "$1" routes 10.0.0.0/24 retry no
  wait_for 60 pings "$in2" 10.0.0.1
}
second_pings() { wait_for 30 pings "$in2" 10.0.0.1; }
second_stops() { stop "$client_pid"; }
second_is_gone() { wait_for 40 gone "$client_pid"; }
second_log() { cat "$work/client.log"; }
second_transfers() { # BYTES: from and to the guest's blob server
  in_ns "$in2" "$BUILD/tests/e2e/blob" connect 10.0.0.1 5001 "$1" 7
}
server_sessions() { sessions_count; }
server_log() { cat "$work/server.log"; }
# down FILTER: of the gates towards the clients, in JSON; their call_id is outside, new_call_id inside
down() { alg_json gates "map(select(.direction == \"down\")) | $1"; }
conntrack_entries() { gre_entries || true; }

# ask_loop: until the guest ends
ask_loop() {
  local words
  while kill -0 "$guest_pid" 2>/dev/null; do
    [ -e "$work/ask/ask" ] || { command sleep 0.05; continue; }
    mapfile -t words <"$work/ask/ask"
    rm "$work/ask/ask"
    # No subshell: what a command starts stays known.
    "${words[@]:1}" >"$work/ask/output" 2>&1
    printf '%d\n' $? | cat - "$work/ask/output" >"$work/ask/new-answer"
    mv "$work/ask/new-answer" "$work/ask/answer-${words[0]}"
  done
}

# --- the topology ----------------------------------------------------------------------------------------------------

for name in in2 gw srv; do netns $name; done
in2=$ns_prefix-in2 gw=$ns_prefix-gw srv=$ns_prefix-srv
for name in tap1 tap2; do
  ip -n "$gw" tuntap add dev $name mode tap || exit 99
  # The guest's device takes frames of an Ethernet's size.
  in_ns "$gw" ethtool -K $name tx off tso off gso off gro off >/dev/null 2>&1
  ip -n "$gw" link set dev $name up
done
ip -n "$gw" link add out type bridge && ip -n "$gw" link set dev out up && ip -n "$gw" link set dev tap2 master out || exit 99
cable "$srv" eth0 "$gw" psrv
in_ns "$srv" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1
ip -n "$gw" link set dev psrv master out
cable "$in2" eth0 "$gw" in2
in_ns "$in2" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1
address "$gw" tap1 192.168.1.1/24
address "$gw" out 192.0.2.254/24
address "$gw" in2 10.2.0.1/24
address "$in2" eth0 10.2.0.2/24
address "$srv" eth0 192.0.2.5/24 2001:db8:1::1/64
ip -n "$in2" route add default via 10.2.0.1
router "$gw"
if [ "${ALG_TRANSLATOR:-pptpalg}" = pptpalg ] && [ ! -x "$pptpalg" ]; then echo "1..0 # SKIP pptpalg is not built"; exit 0; fi
translator "${ALG_TRANSLATOR:-pptpalg}"
server 'listen = {"192.0.2.5"}'

mkdir "$work/ask"
echo 1 >"$work/ask/number"
: >"$work/guest.tap" # tail wants it to be there
ip netns exec "$gw" tests/vm/uml-run -t 360 -i tap1 -i tap2 env BUILD="$BUILD" ASK="$work/ask" tests/vm/guest-alg >>"$work/guest.tap" 2>&1 </dev/null &
guest_pid=$!
tail -n +1 -f --pid="$guest_pid" "$work/guest.tap" &
shown_pid=$!
ask_loop
wait "$guest_pid"; status=$?
wait "$shown_pid"
[ $status -eq 0 ] || failed=1
[ $status -eq 0 ] || for log in alg client server; do
  note "--- this machine's $log.log"
  tail -n 40 "$work/$log.log" | sed 's/^/#   /'
done
