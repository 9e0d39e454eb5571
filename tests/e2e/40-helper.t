#!/bin/bash
# What is wrong with the kernel's own helper, nf_conntrack_pptp, and right with pptpalg: the same conversation through each. With the
# helper the test passes when the conversation fails at the line marked "the defect"; with pptpalg, when it is said to its end.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 26
alg_topology
calls=2060 # more than the helper lets wait: c100 to c$last
last=$((calls + 99))

# --- the conversations --------------------------------------------------------------------------------------------

disconnect() {
  ends; connection c1 s1; outgoing c1 7 s1 9; data c1 7 s1 9
  cat <<'END'
s1 sends CDN <Call-ID 9> <Result 3>
c1 gets CDN <Call-ID @s1_at_c1>                 # the defect
END
}

split_request() {
  ends; connection c1 s1
  cat <<'END'
c1 sends OCRQ <Call-ID 7> split 20
s1 gets OCRQ <Call-ID ?id>
s1 sends OCRP <Call-ID 9> <Peer-Call-ID @id>
c1 gets OCRP <Call-ID ?sid> <Peer-Call-ID 7>    # the defect
c1 sends SLI <Peer-Call-ID @sid>
s1 gets SLI <Peer-Call-ID 9>                    # the defect
s1 gre @id reaches c1 as 7                      # the defect
END
}

coalesced() {
  ends; connection c1 s1
  cat <<'END'
c1 sends EchoRQ <Identifier 5> + OCRQ <Call-ID 7>
s1 gets EchoRQ <Identifier 5>
s1 gets OCRQ <Call-ID ?id>
s1 sends EchoRP <Identifier 5>
c1 gets EchoRP <Identifier 5>
s1 sends OCRP <Call-ID 9> <Peer-Call-ID @id>
c1 gets OCRP <Call-ID ?sid> <Peer-Call-ID 7>
c1 gre @sid reaches s1 as 9
s1 gre @id reaches c1 as 7                      # the defect
END
}

second_call() {
  ends; connection c1 s1; outgoing c1 7 s1 9
  cat <<'END'
c1 sends OCRQ <Call-ID 8>
s1 gets OCRQ <Call-ID ?second>
s1 sends OCRP <Call-ID 10> <Peer-Call-ID @second>
c1 gets OCRP <Call-ID ?sid> <Peer-Call-ID 8>    # the defect
s1 gre @c1_at_s1 reaches c1 as 7                # the defect
s1 gre @second reaches c1 as 8                  # the defect
c1 gre @s1_at_c1 reaches s1 as 9
c1 gre @sid reaches s1 as 10
END
}

before_silence() { ends; connection c1 s1; outgoing c1 7 s1 9; data c1 7 s1 9; }
after_silence() { cat <<'END'; }
c1 sends EchoRQ <Identifier 6>
s1 gets EchoRQ <Identifier 6>
s1 gre @c1_at_s1 reaches c1 as 7                # the defect
c1 gre @s1_at_c1 reaches s1 as 9
END

ipv6() {
  ends; connection c1 s1 2001:db8:1::1 L6; outgoing c1 7 s1 9
  cat <<'END'
c1 gre @s1_at_c1 reaches s1 as 9 from 2001:db8:1::fe
s1 gre @c1_at_s1 reaches c1 as 7                # the defect
END
}

# The client is the PAC: the call is an incoming one, or the server asks for an outgoing one.
client_pac_incoming() {
  ends; connection c1 s1
  cat <<'END'
c1 sends ICRQ <Call-ID 7>
s1 gets ICRQ <Call-ID ?id>
s1 sends ICRP <Call-ID 9> <Peer-Call-ID @id>
c1 gets ICRP <Call-ID ?sid> <Peer-Call-ID 7>
c1 sends ICCN <Peer-Call-ID @sid>
s1 gets ICCN <Peer-Call-ID 9>                   # the defect
s1 gre @id reaches c1 as 7                      # the defect
c1 gre @sid reaches s1 as 9
END
}
client_pac_outgoing() {
  ends; connection c1 s1
  cat <<'END'
s1 sends OCRQ <Call-ID 9>
c1 gets OCRQ <Call-ID ?sid>
c1 sends OCRP <Call-ID 7> <Peer-Call-ID @sid>
s1 gets OCRP <Call-ID ?id> <Peer-Call-ID 9>     # the defect
s1 gre @id reaches c1 as 7                      # the defect
c1 gre @sid reaches s1 as 9
END
}

# Calls that wait for their first packet, until the last one gets it.
crowded() {
  local i one
  one=$(printf 'cX in %s\nsX in %s\n' "$in1" "$srv"; connection cX sX; outgoing cX X sX X)
  ends
  for i in $(seq 100 $last); do printf '%s\n' "${one//X/$i}"; done
  echo "s$last gre @c${last}_at_s$last reaches c$last as $last   # the defect"
}

# On the gateway itself, which lets in only what it knows.
firewall='table inet fw { chain input { type filter hook input priority filter; policy drop;
  iifname "lo" accept; ct state established,related accept; meta l4proto icmpv6 accept; }; }'
own_client() {
  ends | grep -v '^c1 '
  echo "c1 in $gw"
  connection c1 s1; outgoing c1 7 s1 9
  cat <<'END'
s1 gre @c1_at_s1 reaches c1 as 7                # the defect
c1 gre @s1_at_c1 reaches s1 as 9 from 192.0.2.254
END
}

call() { ends; connection c1 s1; outgoing c1 7 s1 9; data c1 7 s1 9 | sed 's/$/  # the defect/'; }

# --- the two judges ------------------------------------------------------------------------------------------------

# has_defect NAME: what stands on standard input fails where it is marked. Only there it is not waited for long: a slow machine has no
# defects.
hasty() { sed -E 's/^.*# the defect.*$/patience 800\n&\npatience 20000/'; }
has_defect() {
  local said
  if said=$(hasty | talk); then note "no defect shows"; fail "helper: $1"; return; fi
  note "$(tr '\n' ' ' <<<"$said")"
  like "helper: $1" "$said" '# the defect'
}
is_right() { ok "pptpalg: $1" talk; }

# time_of SERVER-END CLIENT-END: microseconds for 3,000 packets from the server to this call; the best of twenty, as others work here, too
time_of() {
  local began took best=999999999 id
  id=$(tell "$2_at_$1") || return 1
  for _ in {1..20}; do
    began=${EPOCHREALTIME/./}
    in_ns "$srv" "$BUILD/tests/e2e/spoof" gre 192.0.2.1 192.0.2.254 "$id" 1 1 3000 || return 1
    took=$((${EPOCHREALTIME/./} - began))
    [ $took -ge $best ] || best=$took
  done
  echo "$best"
}

short_life() { in_ns "$gw" sysctl -qw net.netfilter.nf_conntrack_gre_timeout=1 net.netfilter.nf_conntrack_gre_timeout_stream=1; }
long_life() { in_ns "$gw" sysctl -qw net.netfilter.nf_conntrack_gre_timeout=30 net.netfilter.nf_conntrack_gre_timeout_stream=180; }
gre_forgotten() { [ "$(in_ns "$gw" conntrack -L -p gre 2>/dev/null | wc -l)" = 0 ]; }
passed() { [ "$(now_ms)" -ge "$1" ]; }
# silence: until the kernel has forgotten GRE, but at most 1.5 s
silence() { local until; until=$(($(now_ms) + 1500)); wait_for 5 eval 'gre_forgotten || passed '$until; }

# converse JUDGE: every conversation but the crowd's
converse() {
  "$1" "1. the server's Call-Disconnect-Notify names the server's own id" < <(disconnect)
  "$1" "2. an Outgoing-Call-Request in two segments" < <(split_request)
  "$1" "3. Echo-Request and Outgoing-Call-Request in one segment" < <(coalesced)
  "$1" "4. two calls on one connection have two ids" < <(second_call)
  short_life
  talk < <(before_silence)
  silence
  "$1" "5. silent for longer than conntrack remembers GRE, then data from the server" < <(after_silence)
  long_life
  "$1" "7. IPv6" < <(ipv6)
  "$1" "8. the client is the PAC, of an incoming call" < <(client_pac_incoming)
  "$1" "8. the client is the PAC, of an outgoing call" < <(client_pac_outgoing)
}

# crowd JUDGE: the last of many calls, then $few and $many
crowd() {
  talk < <(call)
  few=$(time_of s1 c1)
  in_ns "$gw" conntrack -D -p tcp >/dev/null 2>&1 # with it, what the helper expects
  "$1" "9. $calls calls wait for their first packet, and the last one gets it" < <(crowded)
  many=$(time_of s2000 c2000)
  note "3000 packets: ${few:-no} us with one call, ${many:-no} us with $calls"
}

# --- the kernel's helper ---------------------------------------------------------------------------------------------

# without NAME...: the kernel has no helper
without() { local name; for name; do pass "helper: $name # SKIP no nf_conntrack_pptp"; done; }

translator none
has_defect "10. nothing works without a rule" < <(call)
if translator helper; then
  converse has_defect
  crowd has_defect
  # What slows down the one call but for a while is not the helper.
  much_slower() {
    [ "${many:-0}" -le $((2 * few)) ] || return 0
    translator helper
    talk < <(call) && few=$(time_of s1 c1)
    return 1
  }
  ok "helper: 6. GRE is at least twice as slow with $calls calls" wait_for 60 much_slower
  rules "$gw" "$firewall"
  has_defect "10. a client on the gateway needs a rule of its own" < <(own_client)
else
  converse without
  without "9." "6." "10."
fi

# --- pptpalg -----------------------------------------------------------------------------------------------------------

translator pptpalg 'max-connections-per-source = 5000' 'max-calls-per-client = 5000' 'max-half-open = 5000'
is_right "10. no rule is needed" < <(call)
converse is_right
crowd is_right
# What slows it down but for a while is not the calls.
hardly_slower() { [ "${many:-999999999}" -lt $((2 * few)) ] || { many=$(time_of s2000 c2000); false; }; }
ok "pptpalg: 6. GRE is not twice as slow with $calls calls" wait_for 60 hardly_slower
rules "$gw" "$firewall"
is_right "10. a client on the gateway needs no rule either" < <(own_client)
ok "pptpalg ends" gateway_stop
is "and leaves no gate" "$(gre_entries)" 0
