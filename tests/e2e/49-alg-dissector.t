#!/bin/bash
# tshark judges both sides of the gateway: the same conversation on either, but for call ids, and GRE with the ids that were agreed on.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
if ! { command -v tshark && command -v tcpdump; } >/dev/null; then echo "1..0 # SKIP needs tshark and tcpdump"; exit 0; fi
plan 30
alg_topology
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'

# capture NAME NS: everything on that host's cable, from now on, in $work/NAME.pcap
captures=()
capture() {
  spawn "tcpdump-$1" "$2" tcpdump -i eth0 -s 0 -U -Z root -w "$work/$1.pcap" 'tcp port 1723 or ip proto 47'
  captures+=($!)
  wait_for 30 grep -q 'listening on' "$work/tcpdump-$1.log"
}
# What TCP had to say twice counts once.
once='!tcp.analysis.retransmission && !tcp.analysis.fast_retransmission && !tcp.analysis.spurious_retransmission'
# fields NAME FILTER FIELD...: one line a packet, columns by bars; more than one message in a packet gives columns with commas
fields() {
  local name=$1 filter=$2 f columns=(); shift 2
  for f; do columns+=(-e "$f"); done
  tshark -r "$work/$name.pcap" -Y "($filter) && $once" -T fields -E 'separator=|' "${columns[@]}" 2>>"$work/tshark.log"
}
# list NAME FILTER FIELD: on one line
list() { fields "$@" | tr ',\n' '  ' | sed 's/ $//'; }
# said NAME FILTER: every field of every message but for call ids; it doesn't matter which messages share a packet. A
# Call-Clear-Request ends at the gateway if the call does at that moment, so it counts as not said.
said() {
  tshark -r "$work/$1.pcap" -Y "($2) && $once" -O pptp 2>>"$work/tshark.log" | grep '^    ' | grep -vi 'call id' |
    awk 'function message() { if (!clear) printf "%s", text; text = ""; clear = 0 }
      /^ *Length:/ {message()} /Call-Clear-Request/ {clear = 1} {text = text $0 "\n"} END {message()}'
}
fins() { fields "$1" 'tcp.flags.fin == 1' frame.number | wc -l; }

# dial NS NAME: pptpc with the call id that the other one has, too
declare -A dialed
dial() {
  printf 'secret\n' >"$work/password"; chmod 600 "$work/password"
  spawn "$2" "$1" "$pptpc" -s "$work/$2.sock" 192.0.2.1 user "$2" password-file "$work/password" call-id 16384 retry no
  dialed[$2]=$!
  wait_for 30 pings "$1" 10.0.0.1
}
# gate CLIENT up|down FIELD: of the gate of the client's call
gate() { alg_json gates "client=$1" ".[] | select(.direction == \"$2\") | .$3"; }

masquerade
gateway_start 'random-ids = yes' 'strict = yes'
server
capture alice "$in1"; capture bob "$in2"; capture outside "$srv"
here "one client has a tunnel" dial "$in1" alice
here "another one, too" dial "$in2" bob
# as each end knows them; c: the client's, s: the server's; cx, sx: as the other end has it
declare -A id
for user in alice bob; do
  net=10.1.0; ns=$in1; [ $user = alice ] || { net=10.2.0; ns=$in2; }
  in_ns "$ns" ping -q -c 3 -i 0.2 -s 1000 10.0.0.1 >/dev/null
  id[$user,c]=$(gate $net.2 down new_call_id) id[$user,cx]=$(gate $net.2 down call_id)
  id[$user,s]=$(gate $net.2 up new_call_id) id[$user,sx]=$(gate $net.2 up call_id)
  id[$user,port]=$(alg_json flows ".[] | select(.kind == \"control up\" and (.from | startswith(\"$net.\"))) | .new_from | split(\":\")[1]")
done
stop "${dialed[alice]}"; stop "${dialed[bob]}"
wait_for 30 no_sessions
both_fins() { [ "$(fins outside)" -ge 4 ] && [ "$(fins alice)" -ge 2 ] && [ "$(fins bob)" -ge 2 ]; }
wait_for 30 both_fins
kill "${captures[@]}"; wait "${captures[@]}" 2>/dev/null

is "both have one id at home" "${id[alice,c]} ${id[bob,c]}" "16384 16384"
[ "${id[alice,cx]}" != "${id[bob,cx]}" ] && [ "${id[alice,cx]}" != 16384 ] && [ "${id[bob,cx]}" != 16384 ]
is "and ids of their own outside (${id[alice,cx]}, ${id[bob,cx]})" $? 0

# carried NAME SENT RECEIVED: what was received is what was sent, as it was sent; at most the last four came when the call had ended
carried() {
  local sent received
  sent=$(wc -l <<<"$2") received=$(wc -l <<<"$3")
  note "$received of $sent packets"
  if [ "$received" -ge 8 ] && [ "$received" -ge $((sent - 4)) ]; then is "$1" "$3" "$(head -n "$received" <<<"$2")"; else fail "$1"; fi
}

# judge USER ADDRESS
judge() {
  local user=$1 address=$2 side
  local c=${id[$1,c]} cx=${id[$1,cx]} s=${id[$1,s]} sx=${id[$1,sx]} outside="tcp.port == ${id[$1,port]}"
  local gre=(gre.sequence_number gre.ack_number gre.key.payload_length)
  for side in "$user" outside; do
    is "$user: tshark finds no packet malformed or suspect, $side" \
      "$(fields "$side" '_ws.malformed || _ws.expert.severity >= 0x600000' frame.number _ws.expert.message | head -n 5)" ""
  done
  is "$user: the client says the same on both sides" "$(said outside "pptp && ip.dst == 192.0.2.1 && $outside")" \
    "$(said "$user" "pptp && ip.src == $address")"
  is "$user: and the server" "$(said outside "pptp && ip.src == 192.0.2.1 && $outside")" "$(said "$user" "pptp && ip.dst == $address")"
  like "$user: something was said" "$(list "$user" "pptp && ip.src == $address" pptp.control_message_type)" '^1 7 15 (12 )?3$'
  is "$user: the request's id inside and outside" "$(list "$user" 'pptp.control_message_type == 7' pptp.call_id) $(
    list outside "pptp.control_message_type == 7 && $outside" pptp.call_id)" "$c $cx"
  is "$user: the reply's ids" "$(fields "$user" 'pptp.control_message_type == 8' pptp.call_id pptp.peer_call_id) $(
    fields outside "pptp.control_message_type == 8 && $outside" pptp.call_id pptp.peer_call_id)" "$sx|$c $s|$cx"
  is "$user: Set-Link-Info's" "$(list "$user" 'pptp.control_message_type == 15' pptp.peer_call_id) $(
    list outside "pptp.control_message_type == 15 && $outside" pptp.peer_call_id)" "$sx $s"
  is "$user: Call-Disconnect-Notify's" "$(list "$user" 'pptp.control_message_type == 13' pptp.call_id) $(
    list outside "pptp.control_message_type == 13 && $outside" pptp.call_id)" "$sx $s"
  is "$user: the ids of GRE inside" "$(fields "$user" "gre && ip.src == $address" gre.key.call_id | sort -u) $(
    fields "$user" "gre && ip.dst == $address" gre.key.call_id | sort -u)" "$sx $c"
  carried "$user: GRE to the server goes through as it is, with the server's id" \
    "$(fields "$user" "gre && ip.src == $address" "${gre[@]}")" "$(fields outside "gre && ip.dst == 192.0.2.1 && gre.key.call_id == $s" "${gre[@]}")"
  carried "$user: and to the client" \
    "$(fields outside "gre && ip.src == 192.0.2.1 && gre.key.call_id == $cx" "${gre[@]}")" "$(fields "$user" "gre && ip.dst == $address" "${gre[@]}")"
}
judge alice 10.1.0.2
judge bob 10.2.0.2
is "GRE outside has these ids and no other" "$(fields outside gre gre.key.call_id | sort -u | tr '\n' ' ')" \
  "$(printf '%s\n' "${id[alice,s]}" "${id[bob,s]}" "${id[alice,cx]}" "${id[bob,cx]}" | sort -u | tr '\n' ' ')"
is "all of it is of version 1, for PPP, with a key" "$(fields outside gre gre.flags.version gre.proto gre.flags.key | sort -u)" "1|0x880b|1"
