#!/bin/bash
# Gates in connection tracking: GRE let through and its call ids rewritten, in all the forms that calls have; driven by gatectl, without
# a gateway. The topology is alg.sh's. A pair's words are its up gate and its down gate: SOURCE,DESTINATION,ID,NEW-SOURCE,NEW-DESTINATION,NEW-ID.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 72
alg_topology
routes_back
gatectl() { in_ns "$gw" "$BUILD/tests/e2e/gatectl" "$@"; }
gatectl_fails() { local wanted=$1 got; shift; got=$(gatectl "$@" 2>&1) && return 1; grep -q "$wanted" <<<"$got" || { echo "$got"; return 1; }; }
# gre WHAT...: one command of pptpeer's about GRE
gre() { talk <<<"$*"; }
counters() { gatectl read "$@" 2>&1; }
here "pptpeer is there" talk <<END
c1 in $in1 at 10.1.0.2
d1 in $in2 at 10.2.0.2
c6 in $in1 at fd00:1::2
g1 in $gw
s1 in $srv at 192.0.2.1
s6 in $srv at 2001:db8:1::1
third in $ext at 192.0.2.3
END

acct() { in_ns "$gw" cat /proc/sys/net/netfilter/nf_conntrack_acct; }
in_ns "$gw" sysctl -qw net.netfilter.nf_conntrack_acct=0
: >"$work/plain.conf"
ok "the table is installed" gatectl -c "$work/plain.conf" nft start

# --- two clients, one server, the same ids -------------------------------------------------------------------------
N=192.0.2.254 S=192.0.2.1
one=("10.1.0.2,$S,100,$N,$S,100" "$S,$N,5,$S,10.1.0.2,5")
two=("10.2.0.2,$S,100,$N,$S,200" "$S,$N,6001,$S,10.2.0.2,5")
ok "gates of the first client" gatectl add 1 "${one[@]}"
is "packets are counted from now on" "$(acct)" 1
ok "gates of the second client, which has the same ids" gatectl add 2 "${two[@]}"
ok "adding gates again is no error" gatectl add 1 "${one[@]}"
ok "first client to server" gre c1 gre 100 to $S reaches s1 as 100 from $N
ok "second client to server: the call id changes, the destination doesn't" gre d1 gre 100 to $S reaches s1 as 200 from $N
ok "server to first client" gre s1 gre 5 to $N reaches c1 as 5 from $S
ok "server to second client" gre s1 gre 6001 to $N reaches d1 as 5 from $S
# In portions, for the kernel drops what would make its queue too long; those behind them must be through before.
many() { for _ in 1 2 3 4 5 6 7 8; do gre c1 gre 100 to $S size 100 times 25 reaches s1 as 100 || return 1; done; }
ok "many packets" many
soon_is "each is counted" "up 201 $((96 + 200 * 132)) down 1 96" counters 1 "${one[@]}"
soon_is "the other call's counters" "up 1 96 down 1 96" counters 2 "${two[@]}"
ok "fragments up, put together and cut again" gre d1 gre 100 to $S size 4000 reaches s1 as 200 from $N
ok "fragments down" gre s1 gre 6001 to $N size 4000 reaches d1 as 5
ok "an id that no gate has" gre s1 gre 7777 to $N misses c1
ok "an id that another server's gate has" gre third gre 5 to $N misses c1
is "the last counters come with the end" "$(gatectl del 2 "${two[@]}")" "up 2 $((96 + 4032)) down 2 $((96 + 4032))"
ok "the hole is closed" gre s1 gre 6001 to $N misses d1
ok "the other call goes on" gre s1 gre 5 to $N reaches c1 as 5
ok "removed gates are not read" gatectl_fails ENOENT read 2 "${two[@]}"
ok "removed gates are not removed" gatectl_fails ENOENT del 2 "${two[@]}"
ok "somebody else's tuple is taken" gatectl_fails EEXIST add 3 10.1.0.2,$S,100,$N,$S,300 $S,$N,77,$S,10.1.0.2,5
ok "the half that was possible is gone" gatectl_fails ENOENT del 3 10.1.0.2,$S,9,$N,$S,9 $S,$N,77,$S,10.1.0.2,5
ok "so is what packets would look like when they leave" gatectl_fails EEXIST add 3 10.2.0.2,$S,44,$N,$S,100 $S,$N,78,$S,10.2.0.2,5
ok "families can't be mixed" gatectl_fails NOTSUP add 4 fd00:1::2,64:ff9b::c000:201,7,$N,$S,7 $S,$N,8,64:ff9b::c000:201,fd00:1::2,8
gatectl del 1 "${one[@]}" >/dev/null
is "no entry is left" "$(in_ns "$gw" conntrack -L -p gre 2>/dev/null | grep -c FIXED)$(gatectl_fails ENOENT read 1 "${one[@]}")" 0

# --- destination NAT, IPv6, hairpin ----------------------------------------------------------------------------------
dnat=("192.0.2.3,$N,30,192.0.2.3,10.1.0.2,31" "10.1.0.2,192.0.2.3,40,$N,192.0.2.3,41")
ok "a server inside" gatectl add 5 "${dnat[@]}"
ok "in to it" gre third gre 30 to $N reaches c1 as 31 from 192.0.2.3
ok "out of it" gre c1 gre 40 to 192.0.2.3 reaches third as 41 from $N
six=("fd00:1::2,2001:db8:1::1,100,2001:db8:1::fe,2001:db8:1::1,101" "2001:db8:1::1,2001:db8:1::fe,5,2001:db8:1::1,fd00:1::2,6")
ok "IPv6 with translation" gatectl add 6 "${six[@]}"
ok "IPv6 up" gre c6 gre 100 to 2001:db8:1::1 reaches s6 as 101 from 2001:db8:1::fe
ok "IPv6 up, in fragments" gre c6 gre 100 to 2001:db8:1::1 size 3000 reaches s6 as 101 from 2001:db8:1::fe
ok "IPv6 down, in fragments" gre s6 gre 5 to 2001:db8:1::fe size 3000 reaches c6 as 6
ok "IPv6 up, with an extension header" gre c6 gre 100 to 2001:db8:1::1 options reaches s6 as 101 from 2001:db8:1::fe
ok "IPv6 down, with an extension header and in fragments" gre s6 gre 5 to 2001:db8:1::fe options size 3000 reaches c6 as 6
six_route=("fd00:1::2,2001:db8:1::1,200,fd00:1::2,2001:db8:1::1,201" "2001:db8:1::1,fd00:1::2,205,2001:db8:1::1,fd00:1::2,206")
ok "IPv6 without translation of addresses" gatectl add 11 "${six_route[@]}"
for how in "" size\ 3000 options; do
  # shellcheck disable=SC2086
  ok "up${how:+, $how}" gre c6 gre 200 to 2001:db8:1::1 $how reaches s6 as 201 from fd00:1::2
  # shellcheck disable=SC2086
  ok "down${how:+, $how}" gre s6 gre 205 to fd00:1::2 $how reaches c6 as 206 from 2001:db8:1::1
done
is "all were counted" "$(gatectl del 11 "${six_route[@]}" | cut -d' ' -f1,2,4,5)" "up 3 down 3"
hair=("10.1.0.2,$N,9,10.2.0.1,10.2.0.2,10" "10.2.0.2,10.2.0.1,11,$N,10.1.0.2,12")
ok "both addresses change" gatectl add 7 "${hair[@]}"
ok "options of IPv4" gre c1 gre 9 to $N options reaches d1 as 10 from 10.2.0.1
ok "hairpin there" gre c1 gre 9 to $N reaches d1 as 10 from 10.2.0.1
ok "hairpin back" gre d1 gre 11 to 10.2.0.1 reaches c1 as 12 from $N
gatectl del 5 "${dnat[@]}" >/dev/null; gatectl del 6 "${six[@]}" >/dev/null; gatectl del 7 "${hair[@]}" >/dev/null

# --- a smaller MTU behind the gateway: who sent too much is told, by an error that speaks of what it sent ------------------
netns far
far=$ns_prefix-far
cable "$srv" eth1 "$far" eth0
for end in "$srv eth1" "$far eth0"; do ip -n "${end% *}" link set dev "${end#* }" mtu 1300; done
address "$srv" eth1 198.51.100.1/24 2001:db8:2::1/64
address "$far" eth0 198.51.100.2/24 2001:db8:2::2/64
ip -n "$far" route add default via 198.51.100.1; ip -n "$far" route add default via 2001:db8:2::1
ip -n "$gw" route add 198.51.100.0/24 via $S; ip -n "$gw" route add 2001:db8:2::/64 via 2001:db8:1::1
in_ns "$srv" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# mtu NS DESTINATION: what the namespace has learned of the way there
mtu() { ip -n "$1" route get "$2" | grep -o 'mtu [0-9]*'; }
# too_big NS SOURCE DESTINATION ID SIZE
too_big() { in_ns "$1" "$BUILD/tests/e2e/gresend" -d -s "$5" "$2" "$3" "$4"; }
# learns NS SOURCE DESTINATION ID SIZE: what it has learned when it has sent such a packet
learns() { too_big "$@" && mtu "$1" "$3"; }
behind=("10.1.0.2,198.51.100.3,50,$N,198.51.100.2,51" "198.51.100.2,$N,52,198.51.100.3,10.1.0.2,53")
behind6=("fd00:1::2,2001:db8:2::3,50,2001:db8:1::fe,2001:db8:2::2,51" "2001:db8:2::2,2001:db8:1::fe,52,2001:db8:2::3,fd00:1::2,53")
ok "gates whose addresses and ids all change" gatectl add 12 "${behind[@]}"
ok "of IPv6, too" gatectl add 13 "${behind6[@]}"
ok "a packet too big for a link behind" too_big "$in1" 10.1.0.2 198.51.100.3 50 1300
soon_is "its sender knows the way to the address that it sent to" "mtu 1300" learns "$in1" 10.1.0.2 198.51.100.3 50 1300
ok "one of IPv6" too_big "$in1" fd00:1::2 2001:db8:2::3 50 1300
soon_is "its sender, too" "mtu 1300" learns "$in1" fd00:1::2 2001:db8:2::3 50 1300
ip -n "$gw" link set dev in1 mtu 1280
ok "a packet too big for the gateway's own link to the client" too_big "$far" 198.51.100.2 $N 52 1258
soon_is "its sender, too" "mtu 1280" learns "$far" 198.51.100.2 $N 52 1258
ok "one of IPv6" too_big "$far" 2001:db8:2::2 2001:db8:1::fe 52 1240
soon_is "its sender, too" "mtu 1280" learns "$far" 2001:db8:2::2 2001:db8:1::fe 52 1240
ip -n "$gw" link set dev in1 mtu 1500
gatectl del 12 "${behind[@]}" >/dev/null; gatectl del 13 "${behind6[@]}" >/dev/null

# --- route mode, behind a firewall that lets only established connections pass -----------------------------------------
rules "$gw" 'table inet firewall { chain forward { type filter hook forward priority filter; policy drop; ct state established accept; }; }'
route=("10.1.0.2,$S,70,10.1.0.2,$S,71" "$S,10.1.0.2,80,$S,10.1.0.2,81")
ok "without gates nothing passes" gre c1 gre 70 to $S misses s1
ok "gates that change ids only, where a stray came first" gatectl add 8 "${route[@]}"
ok "are a hole in it" gre c1 gre 70 to $S reaches s1 as 71 from 10.1.0.2
ok "of either direction" gre s1 gre 80 to 10.1.0.2 reaches c1 as 81 from $S
gatectl del 8 "${route[@]}" >/dev/null
ok "and closed with them" gre c1 gre 70 to $S misses s1
in_ns "$gw" nft delete table inet firewall

# --- strays -------------------------------------------------------------------------------------------------------------
masquerade
ok "a stray is let out by the box" gre d1 gre 500 to $S reaches s1 as 500 from $N
ok "a stray from the server" gre s1 gre 600 to $N misses c1
stray=("10.1.0.2,$S,500,$N,$S,500" "$S,$N,600,$S,10.1.0.2,5")
ok "gates take both places, that of what it looks like outside, too" gatectl add 9 "${stray[@]}"
ok "up, after the stray" gre c1 gre 500 to $S reaches s1 as 500 from $N
ok "down, after the stray" gre s1 gre 600 to $N reaches c1 as 5
gatectl del 9 "${stray[@]}" >/dev/null

# --- life ---------------------------------------------------------------------------------------------------------------
short=("10.1.0.2,$S,900,$N,$S,901" "$S,$N,902,$S,10.1.0.2,903")
gatectl -l 10 add 10 "${short[@]}"
spawn reader "$gw" "$BUILD/tests/e2e/gatectl" -l 10 -r 13 read 10 "${short[@]}"
reader=$!
wait_for 3 logged reader up
ok "a packet early in a short life" gre c1 gre 900 to $S reaches s1 as 901
wait_for 20 gone $reader
ok "which reading renews" gre c1 gre 900 to $S reaches s1 as 901
is "counters go on through renewal" "$(tail -n 1 "$work/reader.log")" "up 1 96 down 0 0"
unread() { gre c1 gre 900 to $S reaches s1 as 900; }
ok "gates that nobody reads end" wait_for 20 unread
