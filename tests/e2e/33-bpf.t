#!/bin/bash
# The eBPF data path: gates in a table at XDP or TCX, and connection tracking behind it for what the table leaves alone.
#
#   +-------+ 10.1.0.0/24        +--------+        192.0.2.0/24 +-------+
#   | $cli  |-- .2 ------ .1 in -|  $gw   |- out .254 ------ .1 | $srv  |
#   +-------+ fd00:1::/64        +--------+   2001:db8:1::/64   +-------+
#
# The client's call id is 7, seen outside as 20007; the server's is 9, seen inside as 30009. Hosts count what reaches them by address,
# call id and TTL; packets whose header checksum is wrong would not get that far.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
gatectl=$BUILD/tests/e2e/gatectl
netns cli; netns gw; netns srv
cli=$ns_prefix-cli gw=$ns_prefix-gw srv=$ns_prefix-srv
cable "$cli" eth0 "$gw" in; cable "$srv" eth0 "$gw" out
address "$cli" eth0 10.1.0.2/24 fd00:1::2/64; address "$gw" in 10.1.0.1/24 fd00:1::1/64
address "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64; address "$gw" out 192.0.2.254/24 2001:db8:1::fe/64
ip -n "$cli" route add default via 10.1.0.1; ip -n "$cli" route add default via fd00:1::1
in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# A box with NAT, and a firewall that lets only known connections through.
in_ns "$gw" nft -f - <<'NFT' || exit 99
table inet box {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "out" meta l4proto != gre masquerade; }
  chain forward { type filter hook forward priority filter; policy drop; ct state established accept; }
}
NFT
for ns in "$cli" "$srv"; do
  in_ns "$ns" nft -f - <<'NFT' || exit 99
table inet seen {
  counter up4 {}; counter down4 {}; counter up6 {}; counter down6 {}; counter other {}; counter slow {}; counter big {}
  chain input {
    type filter hook input priority filter;
    meta l4proto != gre return
    ip ttl != 63 counter name slow
    meta length > 1500 counter name big
    ip saddr 192.0.2.254 ip daddr 192.0.2.1 @th,48,16 9 counter name up4 drop
    ip saddr 192.0.2.1 ip daddr 10.1.0.2 @th,48,16 7 counter name down4 drop
    ip6 saddr 2001:db8:1::fe ip6 daddr 2001:db8:1::1 ip6 hoplimit 63 @th,48,16 9 counter name up6 drop
    ip6 saddr 2001:db8:1::1 ip6 daddr fd00:1::2 ip6 hoplimit 63 @th,48,16 7 counter name down6 drop
    counter name other drop
  }
}
NFT
done

# shellcheck disable=SC2054
gates=(
  10.1.0.2,192.0.2.1,30009,192.0.2.254,192.0.2.1,9 192.0.2.1,192.0.2.254,20007,192.0.2.1,10.1.0.2,7
  fd00:1::2,2001:db8:1::1,30009,2001:db8:1::fe,2001:db8:1::1,9 2001:db8:1::1,2001:db8:1::fe,20007,2001:db8:1::1,fd00:1::2,7
)
# hold LOG [OPTION...]: a process that holds both calls' gates; $holder is its pid
hold() {
  local log=$1; shift
  : >"$work/$log.log"
  spawn "$log" "$gw" "$gatectl" -d bpf "$@" hold 1 "${gates[@]}"
  holder=$!
  wait_for 10 ready_or_gone "$log"
  grep -q '^ready' "$work/$log.log" || { gone $holder || kill $holder; return 1; }
}
ready_or_gone() { grep -q '^ready' "$work/$1.log" || gone $holder; }
release() { kill -TERM "$holder" && wait_for 10 gone "$holder"; }
slay() { disown "$holder"; kill -KILL "$holder"; wait_for 5 gone "$holder"; }
mode() { sed -n "s/.*interface=$2 mode=\([^ ]*\).*/\1/p" "$work/$1.log" | tail -n 1; }

reset_counters() { local ns; for ns in "$cli" "$srv"; do in_ns "$ns" nft reset counters >/dev/null; done; }
# seen NS COUNTER: packets since the last reset
seen() { in_ns "$1" nft list counter inet seen "$2" | awk '/packets/{print $2}'; }
seen_is() { [ "$(seen "$1" "$2")" = "$3" ]; }
# tracked FAMILY: packets that connection tracking counted for gates in this family
tracked() { in_ns "$gw" conntrack -L -f "$1" -p gre 2>/dev/null | grep -o 'packets=[0-9]*' | awk -F= '{n += $2} END {print n + 0}'; }
# passed_by FAMILY BEFORE: connection tracking saw no more of this family since, but for the packet that each gate lets through now and then
passed_by() { [ $(($(tracked "$1") - $2)) -le 4 ]; }
# told LOG LINE: the holder's counters: "up PACKETS BYTES down PACKETS BYTES", of the call in IPv4 (1) or IPv6 (2)
told() {
  local lines
  lines=$(grep -c '^up ' "$work/$1.log")
  kill -USR1 "$holder"
  wait_for 5 sh -c "[ \$(grep -c '^up ' '$work/$1.log') -ge $((lines + 2)) ]"
  grep '^up ' "$work/$1.log" | sed -n "$((lines + $2))p"
}
up4() { in_ns "$cli" "$BUILD/tests/e2e/gresend" "$@" 10.1.0.2 192.0.2.1 30009; }
down4() { in_ns "$srv" "$BUILD/tests/e2e/gresend" "$@" 192.0.2.1 192.0.2.254 20007; }
up6() { in_ns "$cli" "$BUILD/tests/e2e/gresend" "$@" fd00:1::2 2001:db8:1::1 30009; }
down6() { in_ns "$srv" "$BUILD/tests/e2e/gresend" "$@" 2001:db8:1::1 2001:db8:1::fe 20007; }
# every_way COUNT: so many packets each way in each family; passes when all have arrived, rewritten. Fifty at a time: what is too
# much for its queues on a busy machine, the kernel drops.
every_way() {
  local sent n
  reset_counters
  for ((sent = 0; sent < $1; sent += n)); do
    n=$(($1 - sent < 50 ? $1 - sent : 50))
    sent_on $((sent + n)) "$srv" up4 -n $n && sent_on $((sent + n)) "$cli" down4 -n $n &&
      sent_on $((sent + n)) "$srv" up6 -n $n && sent_on $((sent + n)) "$cli" down6 -n $n || return 1
  done
}
# sent_on SUM NS KIND WORD...: sends that kind, and waits until so many have arrived there in all
sent_on() { "$3" "${@:4}" && wait_for 3 seen_is "$2" "$3" "$1"; }

ok4() { pings "$gw" 10.1.0.2 && pings "$gw" 192.0.2.1 && pings "$gw" fd00:1::2 && pings "$gw" 2001:db8:1::1; }
wait_for 10 ok4
if ! hold first -i in -i out && ! grep -q '^ready' "$work/first.log"; then
  if grep -qE 'built without|kernel|CAP_BPF' "$work/first.log"; then
    echo "1..0 # SKIP $(tail -n 1 "$work/first.log")"
    exit 0
  fi
fi
plan 72

# --- TCX: the other ends have no NAPI, so nothing can be sent to them from XDP ---
is "without a way to send from XDP the program is at TCX" "$(mode first in) $(mode first out)" "tcx tcx"
ok "packets arrive both ways, in both families, with other addresses and ids" every_way 100
is "with a TTL one less" "$(seen "$srv" slow) $(seen "$cli" slow)" "0 0"
is "and no others" "$(seen "$srv" other) $(seen "$cli" other)" "0 0"
ok "connection tracking saw none of IPv4" passed_by ipv4 0
ok "nor of IPv6" passed_by ipv6 0
is "the table counted packets and bytes (IPv4)" "$(told first 1)" "up 100 9600 down 100 9600"
is "the table counted packets and bytes (IPv6)" "$(told first 2)" "up 100 11600 down 100 11600"

# settle: until no next hop is used any more that was found before
settle() { sleep 0.3; }
# misses NS COUNTER COMMAND...: what the command sends goes through connection tracking, not the table, and arrives
misses() {
  local ns=$1 counter=$2 before; shift 2
  before=$(($(tracked ipv4) + $(tracked ipv6)))
  reset_counters
  "$@"
  wait_for 3 seen_is "$ns" "$counter" 1 && [ $(($(tracked ipv4) + $(tracked ipv6))) -eq $((before + 1)) ]
}
ok "fragments go through connection tracking, and arrive whole" misses "$srv" up4 up4 -s 3000
is "as one big packet" "$(seen "$srv" big)" 1
ok "a packet with IP options too" misses "$srv" up4 up4 -o
ok "a GRE header with more bits than PPTP's too" misses "$srv" up4 up4 -f 0x3801
ok "fragments the other way" misses "$cli" down4 down4 -s 3000
ok "fragments of IPv6" misses "$srv" up6 up6 -s 3000
is "they all are in the sum that is told" "$(told first 1 | awk '{print $2, $5}')" "103 101"

expired() { in_ns "$cli" nstat -asz "$1" | awk -v n="$1" '$1 == n {print $2}'; }
before=$(expired IcmpInTimeExcds) tracked_before=$(tracked ipv4)
reset_counters
up4 -t 1
answered() { above "$before" expired "$1"; }
ok "a TTL that ends here is answered by the stack" wait_for 3 answered IcmpInTimeExcds
is "and goes no further" "$(seen "$srv" up4)" 0
is "and is none of the table's" "$(told first 1 | awk '{print $2}')" "$((103 + $(tracked ipv4) - tracked_before))"

ip -n "$gw" link set out mtu 1280; ip -n "$srv" link set eth0 mtu 1280
settle
before=$(expired IcmpInDestUnreachs)
reset_counters
up4 -s 1350 -d
ok "a packet too big for the next link is answered by the stack" wait_for 3 answered IcmpInDestUnreachs
is "and goes no further" "$(seen "$srv" up4)" 0
ok "without the don't-fragment bit" up4 -s 1350
ok "it arrives in fragments" wait_for 3 seen_is "$srv" up4 1
ip -n "$gw" link set out mtu 1500; ip -n "$srv" link set eth0 mtu 1500

# frame COUNT BYTES: packets of 32 bytes to the server in frames that have so many behind them
mac=$(in_ns "$gw" cat /sys/class/net/in/address) from=$(in_ns "$cli" cat /sys/class/net/eth0/ifindex)
# shellcheck disable=SC2016
frame() {
  in_ns "$cli" perl -MSocket -e '
    my ($mac, $from, $count, $behind) = @ARGV;
    my $ip = pack("C2n3C2n", 0x45, 0, 32, 1, 0, 64, 47, 0) . inet_aton("10.1.0.2") . inet_aton("192.0.2.1");
    my $sum = 0;
    $sum += $_ for unpack("n*", $ip);
    substr($ip, 10, 2) = pack("n", ~(($sum >> 16) + ($sum & 0xffff)) & 0xffff);
    my $frame = pack("H12 H12 n", $mac =~ s/://gr, "020000000001", 0x0800) . $ip . pack("n4N", 0x3001, 0x880b, 0, 30009, 1) . "x" x $behind;
    socket(my $s, 17, SOCK_RAW, 0) or die "socket: $!";
    send($s, $frame, 0, pack("Snlx2CCx8", 17, 0x0800, $from, 0, 6)) or die "send: $!" for 1..$count;' "$mac" "$from" "$@"
}
ok "a frame longer than its packet goes through connection tracking, which cuts it" misses "$srv" up4 frame 1 1400
before=$(tracked ipv4)
reset_counters
frame 10 14
ok "frames that are padded, as Ethernet does, arrive, too" wait_for 3 seen_is "$srv" up4 10
ok "by the table" passed_by ipv4 "$before"

reset_counters
in_ns "$cli" "$BUILD/tests/e2e/gresend" -n 10 10.1.0.2 192.0.2.1 30010
in_ns "$cli" "$BUILD/tests/e2e/gresend" -n 10 -f 0x2000 10.1.0.2 192.0.2.1 30009
up4
ok "a known call after strangers" wait_for 3 seen_is "$srv" up4 1
is "whom the firewall kept out" "$(seen "$srv" other)" 0

# --- routes and neighbours that change: they are followed within a quarter of a second ---
cable "$srv" eth1 "$gw" side
address "$srv" eth1 198.51.100.1/24; address "$gw" side 198.51.100.254/24
in_ns "$srv" nft -f - <<'NFT' || exit 99
table inet by {
  counter eth0 {}; counter eth1 {}
  chain input { type filter hook input priority filter - 1; ip protocol gre iifname "eth0" counter name eth0; ip protocol gre iifname "eth1" counter name eth1; }
}
NFT
wait_for 5 pings "$gw" 198.51.100.1
by() { in_ns "$srv" nft list counter inet by "$1" | awk '/packets/{print $2}'; }
by_is() { [ "$(by eth0) $(by eth1)" = "$1" ]; }
before=$(tracked ipv4)
reset_counters
up4 -n 50
ok "packets take the route there is" wait_for 3 by_is "50 0"
run ip -n "$gw" route add 192.0.2.1/32 via 198.51.100.1
settle
up4 -n 50
ok "when it changes, they take the new one" wait_for 3 by_is "50 50"
run ip -n "$gw" route del 192.0.2.1/32
settle
up4 -n 50
ok "and the old one again" wait_for 3 by_is "100 50"
run ip -n "$srv" link set eth0 address 02:00:5e:10:00:01
run ip -n "$gw" neigh replace 192.0.2.1 lladdr 02:00:5e:10:00:01 dev out nud reachable
settle
up4 -n 50
ok "a next hop with another address on the link gets them, too" wait_for 3 by_is "150 50"
ok "all by the table" passed_by ipv4 "$before"
run ip -n "$gw" route add blackhole 192.0.2.1/32
settle
up4 -n 50
is "and without a route nobody" "$(by eth0) $(by eth1)" "150 50"
run ip -n "$gw" route del blackhole 192.0.2.1/32
run ip -n "$gw" neigh flush dev out
ip -n "$gw" link del side
wait_for 10 ok4
settle

# --- the end of gates and of processes ---
sum=$(told first 1)
ok "the gates are removed" release
is "with their last counters" "$(grep '^up ' "$work/first.log" | tail -n 2 | head -n 1)" "$sum"
reset_counters
up4 -n 5; down4 -n 5
is "and nothing passes any more" "$(seen "$srv" up4) $(seen "$cli" down4)" "0 0"
run in_ns "$gw" conntrack -F 2>/dev/null

here "gates that go while packets come" hold going -i in -i out
reset_counters
spawn sender "$cli" "$BUILD/tests/e2e/gresend" -n 2000000 10.1.0.2 192.0.2.1 30009
sender=$!
flows() { [ "$(seen "$srv" up4)" -gt 1000 ]; }
wait_for 5 flows
ok "the gates are removed" release
stop "$sender"
passed=$(seen "$srv" up4) counted=$(grep '^up ' "$work/going.log" | tail -n 2 | awk 'NR == 1 {print $2}')
# A packet that is on another CPU in this very moment may be missing.
ok "with what has passed in their last counters ($passed of $counted)" test "$counted" -ge "$((passed - 1))" -a "$passed" -gt 1000
is "and nothing came half rewritten" "$(seen "$srv" other) $(seen "$srv" slow)" "0 0"
run in_ns "$gw" conntrack -F 2>/dev/null

# Sixteen slots for 128 gates: what finds no place is connection tracking's.
here "more gates than the table takes" hold crowd -i in -i out -m 1 -n 64
reset_counters
crowd() { local i; for i in $(seq 0 63); do in_ns "$cli" "$BUILD/tests/e2e/gresend" -n 2 10.1.0.2 192.0.2.1 $((30009 + i)) || return 1; done; }
crowd
# Their ids count up at both ends, and those that the hosts don't know are counted as others.
all_there() { [ $(($(seen "$srv" up4) + $(seen "$srv" other))) -eq 128 ]; }
ok "all of them let their packets through" wait_for 5 all_there
is "and have counted them" "$(told crowd 1 | awk '{print $2}')" 128
slow=$(tracked ipv4)
ok "some by the table, most by connection tracking ($slow)" test "$slow" -ge 96 -a "$slow" -le 126
ok "the gates are removed" release
run in_ns "$gw" conntrack -F 2>/dev/null

here "gates again" hold second -i in -i out
slay
ok "a killed process takes only its speed along: data goes through connection tracking" every_way 20
is "all of it" "$(tracked ipv4) $(tracked ipv6)" "40 40"
here "the next process takes the gates over" hold third -i in -i out
ok "packets pass" every_way 20
ok "by the table" passed_by ipv4 40
is "on top of what was counted" "$(told third 1 | awk '{print $2, $5}')" "40 40"

# --- somebody else removes the gates ---
run in_ns "$gw" conntrack -D -p gre >/dev/null 2>&1
kill -USR1 "$holder"
ok "gates that connection tracking lost are said to be gone" wait_for 5 grep -q 'ENOENT' "$work/third.log"
wait_for 5 gone "$holder"
in_ns "$gw" conntrack -F 2>/dev/null

# --- XDP ---
run in_ns "$cli" ethtool -K eth0 gro on; run in_ns "$srv" ethtool -K eth0 gro on
here "gates, now that the other ends can take frames of XDP" hold fourth -i in -i out
is "are at XDP, with TCX behind it" "$(mode fourth in) $(mode fourth out)" "xdp,tcx xdp,tcx"
ok "packets arrive both ways, in both families, with other addresses and ids" every_way 500
is "with a TTL one less" "$(seen "$srv" slow) $(seen "$cli" slow)" "0 0"

all_counted() { [ "$(told fourth 1 | awk '{print $2 + $5}')" = 1000 ] && [ "$(tracked ipv4)" -le 4 ]; }
ok "all of them are counted, few by connection tracking" wait_for 5 all_counted
ok "fragments go through connection tracking" misses "$srv" up4 up4 -s 3000
ok "IP options too" misses "$srv" up4 up4 -o
first=$holder
run ip -n "$gw" tuntap add tun0 mode tun; run ip -n "$gw" link set tun0 up
: >"$work/fifth.log"
spawn fifth "$gw" "$gatectl" -d bpf hold 1 "${gates[@]}"
holder=$!
ok "a second process finds its place taken" wait_for 10 grep -q '^ready' "$work/fifth.log"
like "leaves the other's program alone and is at TCX" "$(grep 'interface=in' "$work/fifth.log")" 'mode=tcx xdp="another program is at XDP"'
is "an interface without Ethernet, and the loopback one, are left alone" "$(grep -cE 'interface=(tun0|lo)' "$work/fifth.log")" 0
slay
holder=$first
run in_ns "$srv" ethtool -K eth0 gro off
no_more() { kill -USR1 "$holder"; grep -q 'interface=out xdp_sends=no' "$work/fourth.log"; }
ok "that an other end takes frames of XDP no more is noticed" wait_for 10 no_more
ok "and packets go on by TCX" every_way 50

# --- an interface goes, and comes back ---
run ip -n "$gw" link del out
cable "$srv" eth0 "$gw" out
address "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64; address "$gw" out 192.0.2.254/24 2001:db8:1::fe/64
wait_for 10 ok4
# noticed PATTERN: at one of its looks at the interfaces
noticed() { kill -USR1 "$holder"; grep -q "$1" "$work/fourth.log"; }
ok "an interface that has gone is noticed" wait_for 15 noticed 'interface=out mode=none reason=gone'
came_back() { kill -USR1 "$holder"; [ "$(grep -c 'interface=out mode=[xt]' "$work/fourth.log")" -ge 2 ]; }
ok "and that it came back" wait_for 15 came_back
before=$(tracked ipv4)
ok "packets go on" every_way 50
ok "past connection tracking, as before" passed_by ipv4 "$before"

at_xdp() { ip -n "$gw" -d link show | grep -c 'prog/xdp'; }
is "until here programs are at XDP" "$(at_xdp)" 2
ok "the gates are removed" release
is "and the programs" "$(at_xdp)" 0
