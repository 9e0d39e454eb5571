#!/bin/bash
# The gateway's forwarder in user space, without the rest of the gateway: GRE between IPv6 and IPv4, and from IPv4 to IPv4.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 77
alg_topology
masquerade
mark=0x60000000 # nft_marks(): proxy and fixed, of the default mark

# forwarder_start UP DOWN [OPTION...]: with the table that leads these gates' packets to it
forwarder_start() {
  local up=$1 down=$2; shift 2
  rm -f "$work"/fw.in "$work"/fw.out
  mkfifo "$work/fw.in" "$work/fw.out"
  run in_ns "$gw" "$BUILD/tests/e2e/gatectl" -c "$work/alg.conf" divert "$up" "$down" || return 1
  note "+ [$gw] forwarder $* $up $down"
  ip netns exec "$gw" "$BUILD/tests/e2e/forwarder" -m $mark "$@" "$up" "$down" <"$work/fw.in" >"$work/fw.out" 2>"$work/fw.log" &
  forwarder_pid=$!
  exec 5>"$work/fw.in" 6<"$work/fw.out"
  read -r -t 60 answer <&6 && [ "$answer" = ready ]
}
# counters: all that it counted
counters() {
  local line=
  echo >&5
  read -r -t 60 line <&6
  echo "$line"
}
forwarder_stop() {
  exec 5>&- 6<&-
  ok "the forwarder ends" wait_for 5 gone "$forwarder_pid"
  run in_ns "$gw" "$BUILD/tests/e2e/gatectl" -c "$work/alg.conf" nft stop
}

# captured NS TEXT COMMAND...: tcpdump in the namespace has lines with this text while the command runs
captured() {
  local ns=$1 text=$2 pid status=1; shift 2
  : >"$work/cap.txt"; : >"$work/cap.log" # of the time before
  ip netns exec "$ns" tcpdump -ni eth0 -v -l 'proto gre or ip6 proto gre or ip6 proto 44' >"$work/cap.txt" 2>"$work/cap.log" 5>&- &
  pid=$!
  wait_for 5 grep -q listening "$work/cap.log"
  "$@" && wait_for 5 grep -Eq -- "$text" "$work/cap.txt" && status=0
  kill "$pid"; wait "$pid"
  [ $status = 0 ] || { echo "wanted: $text"; cat "$work/cap.txt"; }
  return $status
}

gateway_config alg 'nat64-prefix = "64:ff9b::/96"'
up=fd00:1::2,64:ff9b::c000:201,11,192.0.2.254,192.0.2.1,12
down=192.0.2.1,192.0.2.254,21,64:ff9b::c000:201,fd00:1::2,22
ok "the peers are there" talk <<END
fresh
c in $in1 at fd00:1::2
s in $srv at 192.0.2.1
d in $in2
third in $ext at 192.0.2.3
END
here "the forwarder starts" forwarder_start $up $down

# --- IPv6 to IPv4 ---
to_server="c gre 11 to 64:ff9b::c000:201" to_client="s gre 21 to 192.0.2.254"
ok "IPv6 becomes IPv4, with the other call id and the gateway's address" say "$to_server reaches s as 12 from 192.0.2.254"
ok "and back" say "$to_client reaches c as 22 from 64:ff9b::c000:201"
for size in 1400 1436 1448 1468 1480 1500 2000 4000 9000; do
  ok "$size bytes, IPv6 to IPv4" say "$to_server size $size reaches s as 12"
  ok "$size bytes, IPv4 to IPv6" say "$to_client size $size reaches c as 22"
done
ok "the hop limit counts it as a router, and DF is not set" captured "$srv" 'ttl 63,.* flags \[none\], proto GRE' say "$to_server reaches s as 12"
ok "TTL as well" captured "$in1" 'hlim 63, next-header GRE' say "$to_client reaches c as 22"
ok "what fits no longer leaves in fragments" captured "$in1" 'hlim 63, next-header Fragment' say "$to_client size 1468 reaches c as 22"
soon "both gates counted" '^up 11 [0-9]+ down 12 ' counters
sum=$(counters)

# --- strangers ---
ok "strangers get nowhere" talk <<END
c gre 12 to 64:ff9b::c000:201 misses s
d gre 11 from fd00:2::2 to 64:ff9b::c000:201 misses s
third gre 21 to 192.0.2.254 misses c
s gre 22 to 192.0.2.254 misses c
END
soon "and are counted where they reach it" "^${sum%% short*} short 0 not-gre 0 unknown 2 ttl 0 own 0 send 0\$" counters
is "nobody is told by ICMP" "$(in_ns "$gw" nstat -asz IcmpOutDestUnreachs Icmp6OutParmProblems | awk 'NR > 1 {s += $2} END {print s}')" 0
forwarder_stop

# --- IPv4 to IPv4, beside the box's own masquerade ---
up=10.1.0.2,192.0.2.1,11,192.0.2.254,192.0.2.1,12
down=192.0.2.1,192.0.2.254,21,192.0.2.1,10.1.0.2,22
in_ns "$gw" conntrack -F >/dev/null 2>&1
ok "an IPv4 client" talk <<END
fresh
c in $in1 at 10.1.0.2
s in $srv at 192.0.2.1
END
here "the forwarder starts again" forwarder_start $up $down -t 2
ok "IPv4 to IPv4, there and back, in one piece and in several" talk <<END
c gre 11 to 192.0.2.1 reaches s as 12 from 192.0.2.254
s gre 21 to 192.0.2.254 reaches c as 22 from 192.0.2.1
c gre 11 to 192.0.2.1 size 4000 reaches s as 12 from 192.0.2.254
s gre 21 to 192.0.2.254 size 4000 reaches c as 22 from 192.0.2.1
END
is "the kernel's connection tracking knows nothing of it" "$(gre_entries)" 0
forwarder_stop

# --- IPv6 to IPv6, with another address and without ---
c6=fd00:1::2 s6=2001:db8:1::1
routes_back
ok "IPv6 on both sides" talk <<END
fresh
c in $in1 at $c6
s in $srv at $s6
END
for n6 in 2001:db8:1::fe $c6; do
  here "the forwarder starts, and the server sees $n6" forwarder_start "$c6,$s6,11,$n6,$s6,12" "$s6,$n6,21,$s6,$c6,22"
  for how in "" "size 1400" "size 4000" options "options size 4000"; do
    ok "up${how:+, $how}" say "c gre 11 to $s6 $how reaches s as 12 from $n6"
    ok "down${how:+, $how}" say "s gre 21 to $n6 $how reaches c as 22 from $s6"
  done
  ok "other ids go their own way" say "c gre 12 to $s6 reaches s as 12"
  ok "also with options, in fragments" say "c gre 12 to $s6 options size 4000 reaches s as 12"
  forwarder_stop
done

# --- a smaller MTU on the way to an IPv6 client ---
netns far
far=$ns_prefix-far
cable "$in1" eth1 "$far" eth0
for end in "$in1 eth1" "$far eth0"; do ip -n "${end% *}" link set dev "${end#* }" mtu 1300; done
address "$in1" eth1 fd00:8::1/64
address "$far" eth0 fd00:8::2/64
ip -n "$far" route add default via fd00:8::1
ip -n "$gw" route add fd00:8::/64 via fd00:1::2
in_ns "$in1" sysctl -qw net.ipv6.conf.all.forwarding=1
ok "a client behind a smaller MTU" talk <<END
fresh
c in $far at fd00:8::2
s in $srv at 192.0.2.1
END
up=fd00:8::2,64:ff9b::c000:201,11,192.0.2.254,192.0.2.1,12
down=192.0.2.1,192.0.2.254,21,64:ff9b::c000:201,fd00:8::2,22
here "the forwarder starts once more" forwarder_start $up $down
small() { say 's gre 21 to 192.0.2.254 size 400 reaches c as 22'; }
# lost SIZE: a packet that does not arrive; passes SIZE: one that does, once its sender has heard of the way's MTU
lost() { say "s gre 21 to 192.0.2.254 size $1 misses c"; }
passes() { lost "$1" || [[ $answer == *"reaches c with call id 22 "* ]]; }
ok "small packets pass" small
ok "the first that is too large is lost" lost 1400
ok "the next knows the way's MTU" wait_for 5 passes 1400
ok "from the client they came in fragments anyway" say 'c gre 11 to 64:ff9b::c000:201 size 1400 reaches s as 12'
in_ns "$gw" ip -6 route flush cache
ok "a packet is lost again" lost 4000
ok "also when what was too large was a fragment" wait_for 5 passes 4000
forwarder_stop

# --- a smaller MTU on the way to an IPv4 server, and a firewall that keeps away what tells of it: connection tracking knows no such GRE ---
cable "$srv" eth1 "$far" eth1
for end in "$srv" "$far"; do ip -n "$end" link set dev eth1 mtu 1300; done
address "$srv" eth1 198.51.100.1/24
address "$far" eth1 198.51.100.2/24
ip -n "$far" route add default via 198.51.100.1
ip -n "$gw" route add 198.51.100.0/24 via 192.0.2.1
in_ns "$srv" sysctl -qw net.ipv4.ip_forward=1
rules "$gw" 'table inet firewall { chain input { type filter hook input priority filter; ct state invalid drop; }; }'
ok "a server behind a smaller MTU" talk <<END
fresh
c in $in1 at fd00:1::2
s in $far at 198.51.100.2
END
up=fd00:1::2,64:ff9b::c633:6402,11,192.0.2.254,198.51.100.2,12
down=198.51.100.2,192.0.2.254,21,64:ff9b::c633:6402,fd00:1::2,22
here "the forwarder starts a last time" forwarder_start $up $down
ok "what is too large arrives in fragments" say "c gre 11 to 64:ff9b::c633:6402 size 1400 reaches s as 12"
forwarder_stop
