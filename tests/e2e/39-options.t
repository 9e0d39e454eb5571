#!/bin/bash
# Options of pptpalg.conf that no other test sees at work.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 42
alg_topology
masquerade
again() { gateway_stop; : >"$work/alg.log"; gateway_start "$@"; }
flows() { alg_json flows length; }

# --- families, ports, marks ---------------------------------------------------------------------------------------
again 'ipv4 = no'
ok "ipv4 = no: a connection passes" talk <<END
$(ends)
$(connection c1 s1)
END
is "and is not taken" "$(flows)" 0
ok "one of IPv6 is" talk <<END
$(connection c2 s2 2001:db8:1::1 L6)
END
alg_is "so it is" 2 flows length
again 'ipv6 = no'
ok "ipv6 = no: a connection passes" talk <<END
$(ends)
$(connection c1 s1 2001:db8:1::1 L6)
END
is "and is not taken" "$(flows)" 0
again 'mark = 0x100' 'table = 77' 'proxy-port = 1799'
ok "another mark, table and port" one_call 192.0.2.254
like "port" "$(in_ns "$gw" ss -ltnH)" ':1799 '
nok "not the usual one" in_ns "$gw" sh -c 'ss -ltnH | grep ":1724 "'
like "mark and table" "$(ip -n "$gw" rule)" 'fwmark 0x100/0x700 .*lookup 77'

# --- the data path ------------------------------------------------------------------------------------------------
again 'gate-life = "300s"'
ok "gate-life" one_call 192.0.2.254
like "is how long the kernel keeps gates" "$(in_ns "$gw" conntrack -L -p gre 2>/dev/null)" 'gre +47 (29[0-9]|300) '
attached() { grep -o 'event=datapath .*interface=[a-z0-9]*' "$work/alg.log" | grep -o 'interface=.*' | sort -u | tr '\n' ' '; }
again 'datapath = "bpf"' 'bpf-interfaces = {"in1", "out"}'
if [ "$(alg_json status .datapath)" = bpf ]; then
  is "bpf-interfaces" "$(attached)" "interface=in1 interface=out "
else
  pass "bpf-interfaces # SKIP no eBPF here"
fi

# --- protocol -----------------------------------------------------------------------------------------------------
# odd LINE: a request with a value that RFC 2637 does not define, what the server gets of it, and then of what comes behind it
odd() {
  talk <<END
$(ends)
$(connection c1 s1)
c1 sends OCRQ <Call-ID 7> <Bearer 77>
$1
c1 sends EchoRQ <Identifier 5>
s1 gets EchoRQ <Identifier 5>
END
}
again 'protocol = "lenient"'
ok "protocol = lenient: a value that RFC 2637 does not define passes" odd 's1 gets OCRQ <Call-ID ?x> <Bearer 77>'
again 'protocol = "strict"'
ok "strict: it does not" odd 's1 gets nothing'
alg_is "and is counted" 1 counters .violations

# --- NAT64 --------------------------------------------------------------------------------------------------------
address "$gw" out 192.0.2.253/24
again 'nat64-prefix = "64:ff9b::/96"' 'nat64-source = "192.0.2.253"'
ok "nat64-source is what the server sees, of GRE too" talk <<END
$(ends)
c1 connects 64:ff9b::c000:201
c1 sends SCCRQ <Host c1>
s1 accepts L from 192.0.2.253
s1 gets SCCRQ <Host c1>
s1 sends SCCRP
c1 gets SCCRP
$(outgoing c1 7 s1 21)
c1 gre @s1_at_c1 reaches s1 as 21 from 192.0.2.253
END

# --- times --------------------------------------------------------------------------------------------------------
again
say fresh # so that nobody listens
in_ns "$in1" curl -s -m 20 http://192.0.2.1:1723/
like "a client whose server refuses the connection is reset" $? '^(7|5[56])$' # curl's numbers for it; 52 is a plain end
ok "who and why is logged" wait_for 20 logged alg 'event=control-failed flow=[0-9]+ client=10.1.0.2 .* server=192.0.2.1 .*reason="the server refused'
alg_is "and counted" 1 counters .connect_failed
again 'connect-timeout = "500ms"'
in_ns "$srv" nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 1723 drop'
say fresh; say "c1 in $in1"; say "c1 connects 192.0.2.1"
failed() { grep -q 'event=control-failed .*reason="the server did not answer' "$work/alg.log"; }
ok "connect-timeout" wait_for 20 failed
alg_is "is counted" 1 counters .connect_timeouts
in_ns "$srv" nft 'delete table ip t'
again 'adopted-timeout = "1s"' 'poll-interval = "500ms"'
ok "a call" one_call 192.0.2.254
killed=("$gateway_pid" "$(worker "$gateway_pid")")
kill -9 "${killed[@]}"
wait_for 30 gone "${killed[@]}"
soon_is "its gates outlive the gateway" 2 gre_entries
gateway_again
no_gates() { [ "$(gre_entries)" = 0 ]; }
ok "adopted-timeout: and go soon after the next start" wait_for 30 no_gates

# --- the process --------------------------------------------------------------------------------------------------
again 'user = "daemon"' 'control-mode = "0666"' 'log-level = "warning"'
is "user" "$(ps -o user= -p "$(worker "$gateway_pid")")" daemon
is "control-mode" "$(stat -c %a "$work/alg.sock")" 666
ok "anybody may use the socket then" setpriv --reuid 65534 --clear-groups "$pptpctl" -s "$work/alg.sock" alg status
ok "a call" one_call 192.0.2.254
is "log-level = warning: nothing is said of it" "$(grep -cv level=warn "$work/alg.log")" 0
again 'log-level = "info"'
nok "nobody else may use the socket" setpriv --reuid 65534 --clear-groups "$pptpctl" -s "$work/alg.sock" alg status
like "and hears why" "$(setpriv --reuid 65534 --clear-groups "$pptpctl" -s "$work/alg.sock" alg status 2>&1)" 'only its owner and those whom control-mode lets'
gateway_stop; : >"$work/alg.log"
gateway_config alg 'log = "syslog"'
sed -i '/^log-level/d' "$work/alg.conf"
gateway_again
ok "log = syslog" one_call 192.0.2.254
is "says nothing to standard error" "$(cat "$work/alg.log")" ""

# --- trace --------------------------------------------------------------------------------------------------------
trace() { # FILE: which kinds of lines it has, with their levels
  sed -E 's/^[^ ]+ ([a-z]+) ([a-z]+): .*/\1 \2/' "$1" | sort -u | tr '\n' ' '
}
again "trace { file = \"$work/t1\" level = \"notice\" }"
ok "trace: a call" one_call 192.0.2.254
soon_is "level = notice: connections, as others are info or below" "notice connections " trace "$work/t1"
again "trace { file = \"$work/t2\" level = \"verbose\" flags = {\"calls\", \"xlate\"} }"
ok "trace: a call" one_call 192.0.2.254
soon_is "flags: only these" "info calls verbose xlate " trace "$work/t2"
is "a trace is root's alone" "$(stat -c %a "$work/t2")" 600
again "trace { file = \"$work/t3\" flags = {\"messages\"} }"
ok "trace: a call" one_call 192.0.2.254
like "one line for each message, as pptpd traces them" "$(cat "$work/t3")" \
  'Z info messages: flow=1 from=client recv \[PPTP Start-Control-Connection-Request <Version 0100>'
both_ways() { echo "$(grep -c recv "$work/t3") $(grep -c send "$work/t3")"; }
soon_is "received and sent" "4 4" both_ways
gateway_stop
