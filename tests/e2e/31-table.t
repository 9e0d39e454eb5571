#!/bin/bash
# The gateway's nftables table, rules and routes, with a relay in the gateway's place. The topology is alg.sh's.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 71
alg_topology
routes_back
N=192.0.2.254 S=192.0.2.1
gatectl() { in_ns "$gw" "$BUILD/tests/e2e/gatectl" "$@"; }
# table LINE...: installs the table of a configuration
table() { printf '%s\n' "$@" >"$work/table.conf"; gatectl -c "$work/table.conf" nft start; }
relay() {
  : >"$work/relay.log"
  spawn relay "$gw" "$BUILD/tests/e2e/relay" 1724 "$@"
  relay_pid=$!
  wait_for 5 logged relay ready
}
# relayed PATTERN: "client dialed destination"; taken COUNT: so many connections were, since the last time
relayed() { wait_for 5 logged relay "$1"; }
taken() { wait_for 5 prints "$1" grep -c : "$work/relay.log" && truncate -s 0 "$work/relay.log"; }
# rp_filter MODE [MARK-COUNTS]
rp_filter() { in_ns "$gw" sysctl -qw net.ipv4.conf.{all,lo,in1,out}.rp_filter="$1" net.ipv4.conf.all.src_valid_mark="${2:-0}"; }
actors() { ends; echo "g1 in $gw"; }
# hello CLIENT SERVER LISTENER ADDRESS SEEN [WORDS]: connects, and bytes go both ways; SEEN is whom the server sees
hello() {
  cat <<END
$(actors)
$1 connects $4
$2 accepts $3 from $5
$1 sends hex 0102030405
$2 gets hex 0102030405
$2 sends hex a1a2a3
$1 gets hex a1a2a3
END
}
gre() { talk <<<"$*"; }
snapshot() { in_ns "$gw" sh -c 'nft list ruleset; ip rule; ip -6 rule; ip route show table all; ip -6 route show table all' | grep -v 'expires\|^multicast'; }

snapshot >"$work/before"
masquerade
ok "the table is installed" table
ok "and read by nft" in_ns "$gw" nft list table inet pptpalg

# --- what no server shall hear --------------------------------------------------------------------------------------
# As yet nobody has a socket for GRE, like a client whose call has just ended: its packets are answered by ICMP.
rules "$srv" 'table inet told { counter errors {}
  chain input { type filter hook input priority filter; icmp code 2 counter name errors; icmpv6 type parameter-problem counter name errors; }; }'
late=("10.1.0.2,$S,100,$N,$S,100" "$S,$N,5,$S,10.1.0.2,6")
late6=("fd00:1::2,2001:db8:1::1,100,2001:db8:1::fe,2001:db8:1::1,100" "2001:db8:1::1,2001:db8:1::fe,5,2001:db8:1::1,fd00:1::2,6")
gatectl add 1 "${late[@]}"; gatectl add 2 "${late6[@]}"
late() { in_ns "$srv" "$BUILD/tests/e2e/gresend" $S $N "$1" && in_ns "$srv" "$BUILD/tests/e2e/gresend" 2001:db8:1::1 2001:db8:1::fe "$1"; }
# told: of how many packets the server hears such an error, when one each for a client and for the box has come, in each family; what is
# answered later has come behind that
told() {
  in_ns "$srv" nft reset counters >/dev/null
  { late 5 && late 4711 && pings "$srv" $N && pings "$srv" 2001:db8:1::fe && pings "$srv" 10.1.0.2 && pings "$srv" fd00:1::2; } >/dev/null || return 1
  in_ns "$srv" nft list counter inet told errors | awk '/packets/ {print $2}'
}
is "no server hears that nobody knows its GRE" "$(told)" 0
in_ns "$gw" nft flush chain inet pptpalg unheard
# The kernel sends so many errors a second, to each host and in all; other tests may have used them up.
heard_all() { heard=$(told); [ "$heard" = 0 ] || [ "$heard" = 4 ] || { sleep 2; false; }; }
wait_for 20 heard_all
if [ "$heard" = 0 ]; then
  pass "as it would without the table # SKIP this kernel knows GRE"
else
  is "as it would without the table" "$heard" 4
fi
gatectl del 1 "${late[@]}" >/dev/null; gatectl del 2 "${late6[@]}" >/dev/null
in_ns "$gw" conntrack -F 2>/dev/null
in_ns "$srv" nft delete table inet told
table

relay 0x20000000

# --- connections that are taken -----------------------------------------------------------------------------------
for mode in 0 1 2 "1 1"; do
  # shellcheck disable=SC2086
  rp_filter $mode
  ok "a connection goes by way of the relay, and comes from the box's address (rp_filter $mode)" talk < <(hello c1 s1 L $S $N)
  ok "which knows its ends" relayed "^10.1.0.2:[0-9]+ $S:1723 $S:1723 "
  is "one connection" "$(taken 1 && echo 1)" 1
done
talk < <(hello c1 s1 L $S $N)
ports() { in_ns "$gw" ss -tnH state established "src 10.1.0.2" | awk '{print $3}' | sed 's/.*://'; }
one_port() { port=$(ports) && [ "$(wc -w <<<"$port")" = 1 ]; } # those of before may be on their way out
wait_for 5 one_port
like "what the server sees of it" "$(gatectl lookup 10.1.0.2 "$port" $S 1723)" "^$N [0-9]+ $S 1723$"
nok "no such connection" gatectl lookup 10.1.0.2 1 $S 1723
ok "IPv6" talk < <(hello c1 s1 L6 2001:db8:1::1 2001:db8:1::fe)
ok "IPv6, known" relayed "^fd00:1::2#[0-9]+ 2001:db8:1::1#1723 2001:db8:1::1#1723 "
truncate -s 0 "$work/relay.log"

# --- the same without the rule: not a reset, but silence ------------------------------------------------------------
talk < <(hello c1 s1 L $S $N)
ok "the table is replaced under a connection" table
ok "which goes on" talk <<<$'c1 sends hex 11\ns1 gets hex 11\ns1 sends hex 22\nc1 gets hex 22'
in_ns "$gw" ip rule del pref 1725
ok "packets that lost their rule" talk <<<$'c1 sends hex 1234\ns1 gets nothing 300'
in_ns "$gw" ip rule add pref 1725 fwmark 0x10000000/0x70000000 lookup 1723 proto 80
ok "are not answered with a reset: the connection goes on" talk <<<$'s1 gets hex 1234\ns1 sends hex 77\nc1 gets hex 77'
truncate -s 0 "$work/relay.log"

# --- connections that are not ------------------------------------------------------------------------------------------
ok "another port" talk < <(actors; printf '%s\n' "M in $srv at $S" 'M listens 1800' "c1 connects $S 1800" "s2 accepts M from $N" 'c1 sends hex 01' 's2 gets hex 01')
ok "is not taken" taken 0
ok "a server on the box itself" talk < <(actors; printf '%s\n' "G in $gw at $N" 'G listens' "c1 connects $N" 'g1 accepts G from 10.1.0.2')
ok "is not taken either" taken 0
nok "the relay's own port on the box is closed" talk < <(actors; echo "c1 connects $N 1724")
table 'own-connections = no'
ok "no connections of the box itself when told so" talk < <(hello g1 s1 L $S $N)
ok "(none)" taken 0
table 'interfaces = {"in2"}'
ok "connections from another interface" talk < <(hello c1 s1 L $S $N)
ok "are not taken" taken 0
ok "connections from the interface" talk < <(hello d1 s1 L $S $N)
ok "are" taken 1
table 'policy a { source = {10.1.0.2/32, 10.1.0.0/24, "fd00:1:0:1::/64"} destination = {192.0.2.0/29} action = pass }' \
  'policy b { interface = {in2} source = {10.2.0.0/16} }' 'policy c { port = {1723} action = pass }'
ok "passed by policy" talk < <(hello c1 s1 L $S $N)
ok "(none taken)" taken 0
ok "the policy before" talk < <(hello d1 s1 L $S $N)
ok "(taken)" taken 1
ok "IPv6 meets the last policy" talk < <(hello c1 s1 L6 2001:db8:1::1 2001:db8:1::fe)
ok "(none)" taken 0

# --- the box's destination NAT, and ours --------------------------------------------------------------------------------
table
rules "$gw" 'table ip inward { chain prerouting { type nat hook prerouting priority dstnat; iifname "out" tcp dport 1723 dnat to 10.1.0.2; }; }'
ok "through the box's destination NAT" talk < <(actors; cat <<END
I in $in1 at 10.1.0.2
I listens
third connects $N
c1 accepts I from 192.0.2.3
third sends hex 0a
c1 gets hex 0a
END
)
ok "is taken behind it, with what was dialed" relayed "^192.0.2.3:[0-9]+ $N:1723 10.1.0.2:1723 "
in_ns "$gw" nft delete table ip inward
table 'ports = {1723, 2000}' "server s { address = $N port = 2000 to = 10.1.0.2 to-port = 1723 }"
talk < <(actors; echo "third connects $N 2000") >/dev/null
ok "a server's address and port are taken, though they are the box's" relayed "^192.0.2.3:[0-9]+ $N:2000 $N:2000 "

# --- a source address that stays -----------------------------------------------------------------------------------------
table
address "$gw" out 192.0.2.253/24 2001:db8:1::fd/64
kill $relay_pid; wait_for 5 gone $relay_pid
relay 0x20000000 192.0.2.253
ok "a source of ours is not safe from masquerading" talk < <(hello c1 s1 L $S $N)
kill $relay_pid; wait_for 5 gone $relay_pid
relay 0x60000000 192.0.2.253
ok "unless it is marked so" talk < <(hello c1 s1 L $S 192.0.2.253)
kill $relay_pid; wait_for 5 gone $relay_pid
relay 0x60000000 2001:db8:1::fd
ok "of IPv6, too" talk < <(hello c1 s1 L6 2001:db8:1::1 2001:db8:1::fd)
kill $relay_pid; wait_for 5 gone $relay_pid
ok "without a relay connections go their own way" talk < <(hello c1 s1 L $S $N)

# --- clients on the box ---------------------------------------------------------------------------------------------------
ip -n "$gw" addr del 192.0.2.253/24 dev out; ip -n "$gw" addr del 2001:db8:1::fd/64 dev out
table 'own-connections = yes'
relay 0x20000000
for mode in 0 1 2 "1 1"; do
  # shellcheck disable=SC2086
  rp_filter $mode
  ok "a client on the box goes by way of the relay (rp_filter $mode)" talk < <(hello g1 s1 L $S $N)
  ok "which knows its ends" relayed "^$N:[0-9]+ $S:1723 $S:1723 "
  truncate -s 0 "$work/relay.log"
done
ok "IPv6 of a client on the box" talk < <(hello g1 s1 L6 2001:db8:1::1 2001:db8:1::fe)
ok "(taken)" taken 1

# --- strict ------------------------------------------------------------------------------------------------------------------
actors() { printf '%s\n' fresh "c1 in $in1 at 10.1.0.2" "s1 in $srv at $S" "g1 in $gw"; }
talk < <(actors)
ok "GRE of no gate passes" gre c1 gre 3 to $S reaches s1 as 3
in_ns "$gw" conntrack -F 2>/dev/null
table 'strict = yes'
ok "unless strict" gre c1 gre 3 to $S misses s1
gatectl add 1 10.1.0.2,$S,100,$N,$S,100 $S,$N,5,$S,10.1.0.2,6
ok "GRE of a gate passes" gre c1 gre 100 to $S reaches s1 as 100
ok "GRE to the box itself, too" gre s1 gre 44 to $N reaches g1 as 44
ok "GRE that is not PPTP's is none of our business" gre c1 gre 3 to $S version 0 reaches s1 as 3

# --- GRE to raw sockets ---------------------------------------------------------------------------------------------------------
gatectl -c "$work/table.conf" divert 10.1.0.2,$S,300,10.1.0.2,$S,300 fd00:1::2,64:ff9b::c000:201,301,fd00:1::2,64:ff9b::c000:201,301
ok "GRE comes to the box's own sockets" gre c1 gre 300 to $S reaches g1 as 300 from 10.1.0.2
ok "and not to where it is addressed" gre c1 gre 300 to $S misses s1
ok "in fragments" gre c1 gre 300 to $S size 3000 reaches g1 as 300
ok "of IPv6, in fragments" gre c1 gre 301 from fd00:1::2 to 64:ff9b::c000:201 size 3000 reaches g1 as 301
ok "other call ids don't" gre c1 gre 100 to $S reaches s1 as 100
is "it is not tracked" "$(in_ns "$gw" sh -c 'conntrack -L -p gre; conntrack -f ipv6 -L -p gre' 2>/dev/null | grep -c 'dstkey=0x12[cd]')" 0

# --- the end -----------------------------------------------------------------------------------------------------------------------
kill $relay_pid
table 'mark = 0x100' 'table = 77'
is "another mark and table leave nothing of the first" "$(in_ns "$gw" ip rule | grep -c 1723)$(in_ns "$gw" ip route show table 1723 2>/dev/null)" 0
gatectl -c "$work/table.conf" nft stop
in_ns "$gw" nft delete table inet nat
ok "nothing is left" diff "$work/before" <(snapshot)
