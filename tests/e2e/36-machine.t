#!/bin/bash
# What the gateway says of a machine whose set-up spoils its work, and that each of these does what is said.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 47
alg_topology
masquerade

# says NAME PATTERN: the log of the gateway that runs, which ends then
says() { like "$1" "$(grep event=machine "$work/alg.log")" "$2"; }
again() { gateway_stop; : >"$work/alg.log"; gateway_start "$@"; }
cannot() { local name=$1 patience=1500; shift; nok "$name" "$@"; }

# --- one transaction ---------------------------------------------------------------------------------------------
spawn monitor "$gw" nft monitor
monitor_pid=$!
# transactions: how many nft has seen that were about the gateway's table
listens() { in_ns "$gw" nft "add table ip probe; delete table ip probe"; grep -q probe "$work/monitor.log"; }
transactions() { awk '/table inet pptpalg/ {ours = 1} /^# new generation/ {n += ours; ours = 0} END {print n + 0}' "$work/monitor.log"; }
wait_for 10 listens
gateway_start
wait_for 5 prints 1 transactions
is "the table comes in one transaction" "$(transactions)" 1
gateway_stop
wait_for 5 prints 2 transactions
is "and goes in one" "$(transactions)" 2
stop "$monitor_pid"

again
is "nothing is said of a machine that is well" "$(grep -c event=machine "$work/alg.log")" 0
ok "and a call carries data" one_call 192.0.2.254

# --- another gateway -------------------------------------------------------------------------------------------
gateway_config other
second=$(in_ns "$gw" timeout 60 "$pptpalg" -f -c "$work/other.conf" 2>&1)
is "a second gateway does not start" $? 1
like "and says why" "$second" 'error="another pptpalg runs on this machine'
gateway_config other 'proxy-port = 1799' 'mark = 0x100' 'table = 99'
second=$(in_ns "$gw" timeout 60 "$pptpalg" -f -c "$work/other.conf" 2>&1)
is "nor does one whose options are others" $? 1
like "for the same reason" "$second" 'error="another pptpalg runs on this machine'
ok "the first goes on undisturbed" one_call 192.0.2.254
is "with its table" "$(in_ns "$gw" nft list table inet pptpalg | grep -c 'tproxy to :1799')" 0
unprivileged=$(setpriv --reuid 65534 --clear-groups "$pptpalg" -f -c "$work/other.conf" 2>&1)
is "one that is not started as root does not start" $? 1
like "and says so" "$unprivileged" 'error="pptpalg must be started as root'

gateway_stop
gateway_config other 'user = "nobody-of-this-name"'
stranger=$(in_ns "$gw" timeout 60 "$pptpalg" -f -c "$work/other.conf" 2>&1)
is "one whose worker would be nobody does not start" $? 1
like "and says who" "$stranger" "reason=\"the worker's user does not exist\" user=nobody-of-this-name"
is "it leaves no table" "$(in_ns "$gw" nft list tables | grep pptpalg)" ""
is "and no rules" "$(ip -n "$gw" rule | grep -c 1723)" 0

# --- forwarding -------------------------------------------------------------------------------------------------
run in_ns "$gw" sysctl -qw net.ipv4.ip_forward=0
again
says "a machine that does not forward" 'does not forward IPv4" effect="calls come up, but none of their data gets through"'
ok "and so it is: the call comes up" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 21)
END
ok "without data" talk <<<'c1 gre @s1_at_c1 misses s1'
run in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1

# --- a bridge ---------------------------------------------------------------------------------------------------
if in_ns "$gw" test -e /proc/sys/net/bridge; then
  in_ns "$gw" ip link add br0 type bridge
  in_ns "$gw" ip addr del 10.1.0.1/24 dev in1
  in_ns "$gw" ip link set dev in1 master br0
  in_ns "$gw" ip link set dev br0 up
  address "$gw" br0 10.1.0.1/24
  run in_ns "$gw" sysctl -qw net.bridge.bridge-nf-call-iptables=1
  again
  says "a bridge whose packets meet the IP rules" 'bridge-nf-call-iptables is 1, and br0 is a bridge" effect="control connections .*hang"'
  cannot "and so it is: nobody connects" one_call 192.0.2.254
  run in_ns "$gw" sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
  again
  is "not said without that" "$(grep -c event=machine "$work/alg.log")" 0
  ok "and a client behind the bridge gets its call" one_call 192.0.2.254
else
  for name in "a bridge" "it hangs" "not said" "a call"; do pass "$name # SKIP this kernel has no br_netfilter"; done
fi

# --- routing rules ----------------------------------------------------------------------------------------------
run ip -n "$gw" route add default dev out table 100
run ip -n "$gw" rule add priority 500 iif br0 lookup 100
run ip -n "$gw" rule add priority 501 iif in1 lookup 100
again
says "routing rules that come before the gateway's" '2 routing rules of IPv4, from priority 500 on, come before the gateway'
cannot "and so it is: nobody connects" one_call 192.0.2.254
again 'table = 400'
is "not said of a lower table" "$(grep -c event=machine "$work/alg.log")" 0
ok "with which all is well" one_call 192.0.2.254
ip -n "$gw" rule del priority 500; ip -n "$gw" rule del priority 501

# --- the kernel's helper ----------------------------------------------------------------------------------------
if helper_start 2>/dev/null; then
  rules "$gw" 'table ip helper { chain output { type filter hook output priority filter; tcp dport 1723 ct helper set "pptp"; }; }'
  again
  says "the kernel's helper" "has the kernel's PPTP helper"
  cannot "and so it is: two calls with one id don't get their own data" two_calls 192.0.2.254
  run in_ns "$gw" nft delete table ip helper
  again
  is "not said without it" "$(grep -c event=machine "$work/alg.log")" 0
  ok "and two calls get it" two_calls 192.0.2.254
else
  for name in "the helper" "two calls" "not said" "two calls"; do pass "$name # SKIP this kernel has no PPTP helper"; done
fi
ok "the gateway stops" gateway_stop

# --- rules loaded anew ------------------------------------------------------------------------------------------
restores() { grep -c 'event=nftables table=pptpalg action=restore result=ok' "$work/alg.log"; }
for datapath in conntrack user; do
  again "datapath = \"$datapath\""
  ok "a call, by $datapath" one_call 192.0.2.254
  run in_ns "$gw" nft flush ruleset
  ok "the table is back at once when all rules are flushed" wait_for 30 prints 1 restores
  masquerade
  ok "the call goes on" talk <<END
$(data c1 7 s1 21 192.0.2.254)
c1 sends EchoRQ <Identifier 5>
s1 gets EchoRQ <Identifier 5>
$(outgoing c1 8 s1 22)
$(data c1 8 s1 22 192.0.2.254)
END
  rules "$gw" 'flush ruleset
    table inet nat { chain postrouting { type nat hook postrouting priority srcnat; oifname "out" masquerade; }; }'
  ok "and when they are replaced" wait_for 30 prints 2 restores
  ok "and new calls come up" one_call 192.0.2.254
done
# As systemd-networkd does with all that it does not know when it starts.
our_rules() { ip -n "$gw" "-$1" rule | grep -cE '^172[3-6]:'; }
for family in 4 6; do
  note "+ [$gw] ip -$family rule del priority 1723, 1724, 1725, 1726"
  printf 'rule del priority %d\n' 1723 1724 1725 1726 | ip -n "$gw" -$family -batch -
  ok "routing rules of IPv$family are back when they are taken away" wait_for 30 prints 4 our_rules $family
  ok "and new calls come up" one_call
done
ok "and the log says so" logged alg 'event=routing-rule action=restore result=ok'
gateway_stop
