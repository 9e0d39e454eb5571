#!/bin/bash
# A server's last words over GRE come behind the end of its control connection, as they do when the two take different ways through
# it: pptpc still says why it was turned away. The server is a script; what it says and when is the test.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 20
topology
peer_start

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
# packet CODE ID [TEXT]: of LCP or CHAP, in digits
packet() { printf '%02x%02x%04x%s' "$1" "$2" $((4 + ${#3})) "$(hex "$3")"; }
failure=ff03c223$(packet 4 0x42 'E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Access denied')
terminates=ff03c021$(packet 5 9 'MPPE required but not available')

listens() {
  cat <<END
fresh
patience 20000
L in $srv at 192.0.2.1
L listens
s in $srv
END
}
# the call is up, and the client waits for what its password is worth
challenged() {
  cat <<END
s accepts L
s gets SCCRQ
s sends SCCRP
s gets OCRQ <Call-ID ?c>
s sends OCRP <Call-ID 77> <Peer-Call-ID @c>
s gets SLI
s hears ff03c02101 answers @c ff03c02102
s ppp @c ff03c021010100090305c22381
s hears ff03c0210201
s ppp @c ff03c223014200181000112233445566778899aabbccddeeff737276
s hears ff03c2230242
END
}

# ends_with STATUS WORDS: what the client ends with, and what it says
ends_with() {
  ok "$1: it ends" wait_for 30 gone "$client_pid"
  wait "$client_pid"; is "$1: exit status" $? "$2"
  like "$1: says why" "$(cat "$work/client.log")" "$3"
}

# turned_away NAME STATUS WORDS LINE...: after the client's answer to the challenge the server's script ends with these lines
turned_away() {
  local name=$1 status=$2 words=$3; shift 3
  : >"$work/client.log"
  talk < <(listens)
  client retry no
  ok "$name: the script" talk < <(challenged; printf '%s\n' "$@")
  ends_with "$name" "$status" "$words"
}

turned_away "TCP ends first, then the password is wrong" 8 'rong user name or password for .alice' \
  's closes' 'pause 100' "s ppp @c $failure"
turned_away "the call ends first, then the password is wrong" 8 'rong user name or password for .alice' \
  's sends CDN <Call-ID 77> <Result 3>' 's closes' 'pause 100' "s ppp @c $failure"
turned_away "the control connection is stopped first, then the password is wrong" 8 'rong user name or password for .alice' \
  's sends StopCCRQ <Reason 3>' 'pause 100' "s ppp @c $failure"
turned_away "TCP ends first, then the link is terminated" 9 'MPPE required|requires encryption' \
  's closes' 'pause 100' "s ppp @c $terminates"
turned_away "TCP ends and no words follow" 7 'hung up during the negotiation: it closed the TCP connection' 's closes'
