#!/bin/bash
# tshark judges what both ends put on the wire: the control connection, GRE and PPP of whole sessions, in clear and encrypted.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
if ! { command -v tshark && command -v tcpdump; } >/dev/null; then echo "1..0 # SKIP needs tshark and tcpdump"; exit 0; fi
plan 32
topology

# capture NAME: everything on the server's cable, from now on
capture() {
  pcap=$work/$1.pcap
  spawn "tcpdump-$1" "$srv" tcpdump -i eth0 -s 0 -U -B 16384 -Z root -w "$pcap" 'tcp port 1723 or ip proto 47'
  capture_pid=$!
  wait_for 10 grep -q 'listening on' "$work/tcpdump-$1.log"
}
end_capture() { # once the last message, the end of the control connection included, is in the file
  wait_for 20 ends_seen
  kill "$capture_pid"; wait "$capture_pid" 2>/dev/null
}
# both ends' of the control connection: TCP inside of a tunnel in clear has its own, earlier
ends_seen() {
  local end='tcp.port == 1723 && (tcp.flags.fin == 1 || tcp.flags.reset == 1)'
  [ "$(fields "$end && ip.dst == 192.0.2.1" frame.number | wc -l)" -ge 1 ] && [ "$(fields "$end && ip.dst == 192.0.2.2" frame.number | wc -l)" -ge 1 ]
}

# fields FILTER FIELD...: one line a packet, columns by blanks
fields() {
  local filter=$1 f columns=(); shift
  for f; do columns+=(-e "$f"); done
  tshark -r "$pcap" -Y "$filter" -T fields -E separator=' ' "${columns[@]}" 2>>"$work/tshark.log"
}
# list FILTER FIELD: on one line
list() { fields "$@" | tr ',\n' '  ' | sed 's/ $//'; }

# session NAME WORDS-OF-CLIENT...: a session of three pings and some TCP, captured
session() {
  local name=$1; shift
  capture "$name"
  client "$@"
  up 15 || return 1
  in_ns "$cli" ping -q -c 3 -i 0.2 -s 1000 10.0.0.1 >/dev/null && transfer 20000 10.0.0.1 >/dev/null
  call=$(id_of call_id) peer_call=$(id_of peer_call_id)
  stop "$client_pid"; wait_for 10 no_sessions
  end_capture
}
id_of() {
  local id
  id=$(control server --json show sessions | grep -o '"session": *"[0-9a-f]*"' | cut -d'"' -f4)
  control server --json show session "$id" | grep "\"$1\"" | tr -dc 0-9
}

# judge NAME: what must hold for any session
judge() {
  local to_srv='ip.dst == 192.0.2.1' to_cli='ip.dst == 192.0.2.2' odd
  note "$(tshark -r "$pcap" -q -z io,phs 2>/dev/null | sed -n 's/ *frames:/ /p' | tr -s ' \n' ' ')"
  # what TCP had to repeat or to put into order, on a busy machine, is not what is judged here
  is "$1: tshark finds no packet malformed or suspect" \
    "$(fields '_ws.malformed || (_ws.expert.severity >= 0x600000 && !tcp.analysis.flags && tcp.flags.reset != 1)' frame.number _ws.expert.message | head -n 5)" ""
  # after LCP's Terminate either end may be the first to clear the call
  like "$1: the client's control messages, in order" "$(list "pptp && $to_srv" pptp.control_message_type)" '^1 7 15 (12 )?3$'
  is "$1: the server's" "$(list "pptp && $to_cli" pptp.control_message_type)" "2 8 13 4"
  is "$1: version 1.0 and magic" "$(fields 'pptp.protocol_version' pptp.protocol_version pptp.magic_cookie | sort -u)" "256 0x1a2b3c4d"
  is "$1: the reply carries both call ids" "$(fields 'pptp.control_message_type == 8' pptp.call_id pptp.peer_call_id pptp.out_result)" \
    "$call $peer_call 1"
  is "$1: Set-Link-Info names the server's id" "$(list 'pptp.control_message_type == 15' pptp.peer_call_id)" "$call"
  like "$1: Call-Clear-Request names the client's" "$(list 'pptp.control_message_type == 12' pptp.call_id)" "^($peer_call)?\$"
  is "$1: Call-Disconnect-Notify the server's" "$(list 'pptp.control_message_type == 13' pptp.call_id)" "$call"
  is "$1: GRE to the server carries the server's" "$(fields "gre && $to_srv" gre.key.call_id | sort -u)" "$call"
  is "$1: GRE to the client the client's" "$(fields "gre && $to_cli" gre.key.call_id | sort -u)" "$peer_call"
  is "$1: all GRE is of version 1, for PPP, with a key" "$(fields gre gre.flags.version gre.proto gre.flags.key | sort -u)" "1 0x880b 1"
  odd=$(fields gre gre.flags.sequence_number gre.key.payload_length | awk '($1 == 1) != ($2 > 0)' | wc -l)
  is "$1: a sequence number with payload, and only then" "$odd" 0
  odd=$(fields gre gre.flags.ack gre.ack_number | awk '($1 == 1) != ($2 != "")' | wc -l)
  is "$1: an acknowledgement where the flag says so" "$odd" 0
  is "$1: sequence numbers of both ends begin with 0 and have no gap" "$(gaps "$to_srv") $(gaps "$to_cli")" "0 0"
}
# Two processors may swap packets between the sender and the capture.
gaps() { fields "gre.flags.sequence_number == 1 && $1" gre.sequence_number | sort -n | awk '$1 != NR - 1 {n++} END {print n + 0}'; }

server "mppe = allow"
session clear mppe deny; is "a session in clear" $? 0
judge clear
ok "clear: tshark sees the packets inside" test "$(list 'gre && icmp.type == 8' icmp.type | wc -w)" -ge 3

session encrypted mppe require; is "an encrypted session" $? 0
judge encrypted
like "encrypted: CCP agrees on 128 bits, stateless" "$(fields 'ccp && ppp.code == 2' ccp.opt.supported_bits | sort -u)" '^0x01000040$'
