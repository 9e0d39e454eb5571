#!/bin/bash
# pptpalg in front of servers that its clients can't reach without it: IPv6 clients of IPv4 servers (NAT64), and everything through the
# forwarder in user space (datapath = user).
# shellcheck source=tests/e2e/alg.sh disable=SC2119,SC2154
. "$(dirname "$0")/alg.sh"
plan 58
alg_topology
masquerade
size=10000000
nat64=64:ff9b::c000:201

gates() { alg_json gates length; }
# counted: each gate of the call has carried what the transfer needs
counted() { alg_json flows '[.[] | select((.kind | startswith("gre")) and .bytes > '$size')] | length' | grep -qx 2; }
diverted() { in_ns "$gw" sh -c 'nft list set inet pptpalg divert4; nft list set inet pptpalg divert6' | grep -q elements; }
undiverted() { ! diverted; }

# tunnel NAME ADDRESS CLIENT-AS-SEEN: from $cli to there, with data, and away again
tunnel() {
  server_address=$2
  client
  ok "$1: the tunnel is up" up
  soon "$1: the server sees $3" " $3 " control server show sessions
  ok "$1: packets as large as the MTU" in_ns "$cli" ping -q -c 3 -i 0.2 -s "$(($(inner_mtu) - 28))" -M "do" 10.0.0.1
  ok "$1: $size bytes by TCP both ways, unharmed" transfer $size 10.0.0.1
  soon_is "$1: two gates" 2 gates
  ok "$1: both counted" wait_for 5 counted
  ok "$1: GRE is led aside" wait_for 5 diverted
  ok "$1: hang up" stop "$client_pid"
  ok "$1: the server knows" wait_for 5 no_sessions
  ok "$1: the gates are gone" wait_for 5 prints 0 gates
  ok "$1: and no GRE is led aside any more" wait_for 5 undiverted
}
inner_mtu() { ip -n "$cli" link show dev "$(tunnels "$cli")" | grep -o 'mtu [0-9]*' | cut -d' ' -f2; }

server 'listen = {"192.0.2.1"}'
here "the gateway starts, with NAT64" gateway_start 'nat64-prefix = "64:ff9b::/96"' 'poll-interval = "1s"'

ip -n "$in1" -4 addr flush dev eth0 # IPv6 only
cli=$in1
ok "without a gateway there is no way from IPv6 to the server" silent "$in1" $nat64
tunnel NAT64 $nat64 192.0.2.254
stop "$server_pid"

# --- scripted: two IPv6 clients with the same call id, and a server that calls ---
nat64_connection() { connection "$1" "$2" $nat64 L; }
ok "two IPv6 clients and one call id" talk <<END
$(ends)
$(nat64_connection c1 s1)
$(nat64_connection d1 s2)
$(outgoing c1 7 s1 100)
$(outgoing d1 7 s2 101)
c1 gre @s1_at_c1 reaches s1 as 100 from 192.0.2.254
d1 gre @s2_at_d1 reaches s2 as 101 from 192.0.2.254
s1 gre @c1_at_s1 reaches c1 as 7 from $nat64
s2 gre @d1_at_s2 reaches d1 as 7 from $nat64
s1 gre @c1_at_s1 misses d1
s1 gre @c1_at_s1 size 4000 reaches c1 as 7
c1 gre @s1_at_c1 size 4000 reaches s1 as 100
END
isnt "their ids are told apart" "$(tell c1_at_s1)" "$(tell d1_at_s2)"
soon_is "four gates" 4 gates
ok "a call that ends takes its gates with it, and no other" talk <<END
c1 sends CCRQ <Call-ID 7>
s1 gets CCRQ <Call-ID @c1_at_s1>
s1 sends CDN <Call-ID 100>
c1 gets CDN
c1 gre @s1_at_c1 fades from s1
s2 gre @d1_at_s2 reaches d1 as 7
END
soon_is "two gates are left" 2 gates
ip -n "$gw" route add 64:ff9b::/96 dev out
ok "a client on the gateway is refused: its GRE would not pass the forwarder" talk <<END
g in $gw
g knocks $nat64
END
ok "and told why" wait_for 5 logged alg 'event=control-refused .*reason="NAT64 is not for clients on the gateway itself'
ip -n "$gw" route del 64:ff9b::/96 dev out
ip -n "$ext" route add 64:ff9b::/96 via 2001:db8:1::fe
ok "an IPv6 client outside and an IPv4 server inside" talk <<END
I in $in2 at 10.2.0.2
I listens
i in $in2
x in $ext
$(connection x i 64:ff9b::10.2.0.2 I)
$(outgoing x 7 i 55)
x gre @i_at_x reaches i as 55 from 10.2.0.1
i gre @x_at_i reaches x as 7 from 64:ff9b::a02:2
END
say fresh
ok "the gateway ends" gateway_stop
is "nothing of its table is left" "$(in_ns "$gw" nft list tables | grep -c pptpalg)" 0

# --- everything through user space ---
server 'listen = {"192.0.2.1", "2001:db8:1::1"}'
here "the gateway starts, datapath = user" gateway_start 'datapath = "user"' 'nat64-prefix = "64:ff9b::/96"' 'poll-interval = "1s"'
is "it says so" "$(alg_json status .datapath)" user
cli=$in2
tunnel "IPv4, masqueraded" 192.0.2.1 192.0.2.254
is "connection tracking has not seen GRE" "$(gre_entries)" 0
forwarded() { alg_json counters '.forwarder_sent_packets > 1000 and .forwarder_sent_bytes > 2 * '$size; }
soon_is "the forwarder's packets are counted" true forwarded
tunnel "IPv6, masqueraded" 2001:db8:1::1 2001:db8:1::fe

# --- GRE that can't be led aside, since somebody took the set of such GRE away ---
stop "$server_pid"
gateway_stop
here "the gateway starts, for one call" gateway_start 'datapath = "user"' 'max-calls = 1'
ok "which is there" talk <<END
$(ends)
$(connection d1 s1)
$(outgoing d1 7 s1 100)
$(data d1 7 s1 100)
END
in_ns "$in2" sysctl -qw net.ipv4.ip_default_ttl=1
ok "a packet that may go no further ends at the gateway" talk <<END
d1 gre @s1_at_d1 misses s1
END
in_ns "$in2" sysctl -qw net.ipv4.ip_default_ttl=64
used_up() { alg_json counters '.forwarder_dropped_hop_limit_used_up > 0'; }
soon_is "and is counted, with the reason" true used_up
say fresh
soon_is "the call ends and takes its gates along" 0 gates
in_ns "$gw" nft flush chain inet pptpalg divert
here "the set is gone" in_ns "$gw" nft delete set inet pptpalg divert4
# the forwarder has room for 17, as the gates of calls that end take their time
refused() {
  local i
  for i in {1..17}; do
    cat <<END
d1 sends OCRQ <Call-ID $i>
s1 gets OCRQ <Call-ID ?d1_at_s1>
s1 sends OCRP <Call-ID $((100 + i))> <Peer-Call-ID @d1_at_s1>
d1 gets OCRP <Peer-Call-ID $i> <Result 2>
s1 gets CCRQ
s1 sends CDN <Call-ID $((100 + i))>
END
  done
}
ok "calls are refused then" talk <<END
$(ends)
$(connection d1 s1)
$(refused)
END
say fresh
soon_is "and leave no gates" 0 gates
in_ns "$gw" nft add set inet pptpalg divert4 '{ typeof ip saddr . ip daddr . @th,48,16; }'
ok "nor take the forwarder's room from another one" talk <<END
$(ends)
$(connection d1 s1)
$(outgoing d1 7 s1 100)
END
