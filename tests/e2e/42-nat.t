#!/bin/bash
# Whose addresses the two ends see: the box's own rules followed, or the gateway's modes; servers inside; hairpin; both families.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 50
alg_topology
routes_back
# Addresses outside that lead to the gateway without being its own.
for ns in "$srv" "$ext"; do
  ip -n "$ns" route add 198.51.100.0/24 via 192.0.2.254
  ip -n "$ns" route add 2001:db8:77::/64 via 2001:db8:1::fe
done

# call_from CLIENT SERVER ADDRESS [TO [LISTENER]]: a call that the server sees coming from ADDRESS, with data
call_from() {
  connection "$1" "$2" "${@:4}" | sed "s/^$2 accepts .*/& from $3/"
  outgoing "$1" 16384 "$2" 9
  data "$1" 16384 "$2" 9 "$3"
}
# same_port ADDRESS: a client's next connection has the port that the gateway's own onward connection for it has
same_port() {
  ends
  connection c1 s1 | sed "s/^s1 accepts .*/& from $1 ?port/"
  connection c2 s2 | sed 's/^c2 connects .*/& from @port/'
  outgoing c1 5 s1 9; outgoing c2 6 s2 10
  data c1 5 s1 9 "$1"; data c2 6 s2 10 "$1"
}
# hang_up: both ends are gone, and with them what the gateway had
hang_up() { say fresh; wait_for 30 prints 0 alg_json counters .connections_now; }
# restart LINE...
restart() { gateway_stop; no_rules; gateway_start "$@"; }

# --- no NAT -----------------------------------------------------------------------------------------------------------

restart
ok "auto, and the box has no NAT: addresses stay" talk <<END
$(ends)
$(call_from c1 s1 10.1.0.2)
$(call_from d1 s2 10.2.0.2)
END
is "and ids" "$(tell c1_at_s1) $(tell d1_at_s2)" "16384 16384"
ok "a client that gives an id again knows nothing of the call that had it: the new call takes its place" talk <<END
$(connection c2 s3)
$(outgoing c2 16384 s3 10)
$(data c2 16384 s3 10 10.1.0.2)
END
ok "both ends of the old one are told, and the call of another client with this id is not concerned" talk <<END
c1 gets CDN <Call-ID @s1_at_c1>
s1 gets CCRQ <Call-ID @c1_at_s1>
$(data d1 16384 s2 9 10.2.0.2)
END
ok "IPv6 as well" talk <<END
$(ends)
$(call_from c1 s1 fd00:1::2 2001:db8:1::1 L6)
END
ok "a client that dials from the port of the connection onward" talk < <(same_port 10.1.0.2)
hang_up
gateway_stop
no_rules; masquerade
gateway_start 'nat = "route"'
ok "route: addresses stay, though the box masquerades" talk <<END
$(ends)
$(call_from c1 s1 10.1.0.2)
END
ok "in IPv6, too" talk <<END
$(ends)
$(call_from c1 s1 fd00:1::2 2001:db8:1::1 L6)
END
hang_up

restart 'strict = true'
ok "strict: GRE that is no PPTP passes" talk <<END
$(ends)
c1 in $in1 at 10.1.0.2
c1 gre 7 to 192.0.2.1 version 0 reaches L as 7 from 10.1.0.2
L gre 7 to 10.1.0.2 version 0 reaches c1 as 7 from 192.0.2.1
END
ok "PPTP's passes with a call only" talk <<END
$(ends)
$(call_from c1 s1 10.1.0.2)
c1 gre 4711 misses s1
s1 gre 4711 misses c1
END
hang_up

# --- the box's own rules, followed -------------------------------------------------------------------------------------

gateway_stop
no_rules
rules "$gw" 'table ip nat { chain postrouting { type nat hook postrouting priority srcnat;
  oifname "out" ip saddr 10.2.0.0/24 snat to 198.51.100.9; oifname "out" masquerade; }; }
  table ip6 nat { chain postrouting { type nat hook postrouting priority srcnat; oifname "out" masquerade; }; }'
gateway_start
ok "auto: masquerading" talk <<END
$(ends)
$(call_from c1 s1 192.0.2.254)
END
ok "auto: the box's SNAT to a pool, beside it" talk <<END
$(call_from d1 s2 198.51.100.9)
$(data c1 16384 s1 9)
END
is "the same id is no collision there" "$(tell c1_at_s1) $(tell d1_at_s2)" "16384 16384"
ok "from the port of the connection onward" talk < <(same_port 192.0.2.254)
ok "auto: NAT66" talk <<END
$(ends)
$(call_from c1 s1 2001:db8:1::fe 2001:db8:1::1 L6)
$(connection d1 s2 2001:db8:1::1 L6)
$(outgoing d1 16384 s2 10)
$(data d1 16384 s2 10 2001:db8:1::fe)
$(data c1 16384 s1 9)
END
ok "fragmented GRE over IPv6" talk <<END
c1 gre @s1_at_c1 size 4000 reaches s1 as 9
s1 gre @c1_at_s1 size 4000 reaches c1 as 16384
END
hang_up
gateway_stop

# --- the gateway's own modes -------------------------------------------------------------------------------------------

no_rules; masquerade
gateway_start 'policy one { source = {"10.1.0.0/24"}
  nat = "static"
  inside = "10.1.0.0/24"
  outside = {"198.51.100.0/24"} }' \
  'policy six { source = {"fd00:1::/64"}
  nat = "static"
  inside = "fd00:1::/64"
  outside = {"2001:db8:77::/64"} }' \
  'policy many { source = {"10.2.0.0/24"}
  destination = {"192.0.2.1"}
  nat = "pool"
  outside = {"198.51.100.200", "198.51.100.208/30"} }' \
  'policy others { source = {"10.2.0.0/24"}
  nat = "interface" }'
ok "static: one to one" talk <<END
$(ends)
$(call_from c1 s1 198.51.100.2)
END
ok "static, IPv6" talk <<END
$(ends)
$(call_from c1 s1 2001:db8:77::2 2001:db8:1::1 L6)
END
hang_up
ok "a pool" talk <<END
$(ends)
$(connection d1 s2)
$(outgoing d1 16384 s2 9)
$(data d1 16384 s2 9)
END
pooled=$(alg_json flows '[.[] | select(.kind == "control down")][0].to | split(":")[0]')
like "with an address of its own" "$pooled" '^198\.51\.100\.(200|208|209|210|211)$'
hang_up
ok "the same one each time" talk <<END
$(ends)
$(call_from d1 s2 "$pooled")
END
ok "another pool for another destination: the interface's" talk <<END
$(ends)
X in $ext at 192.0.2.3
X listens
$(call_from d1 third 192.0.2.254 192.0.2.3 X)
END
alg_is "which the flow tells" "others" flows '.[0].policy'
hang_up

# Several clients of one address; ids are told apart.
restart 'policy pool { nat = "pool"
  outside = {"198.51.100.7"} }'
ok "a pool of one address for two clients with the same id" talk <<END
$(ends)
$(call_from c1 s1 198.51.100.7)
$(connection d1 s2)
$(outgoing d1 16384 s2 10)
$(data d1 16384 s2 10 198.51.100.7)
$(data c1 16384 s1 9)
END
is "the first keeps its own" "$(tell c1_at_s1)" 16384
isnt "the second does not" "$(tell d1_at_s2)" 16384
ok "IPv6 has no address in the pool and is refused" talk <<END
$(ends)
c1 knocks 2001:db8:1::1
END
hang_up

# --- servers inside ------------------------------------------------------------------------------------------------------

# inside_call PEER ADDRESS PORT SERVER LISTENER ID [FROM]: the host outside calls a server inside
inside_call() {
  cat <<END
$1 connects $2 $3
$4 accepts $5${7:+ from $7}
$1 sends SCCRQ
$4 gets SCCRQ
$4 sends SCCRP
$1 gets SCCRP
$(outgoing "$1" 16384 "$4" "$6")
$1 gre @$4_at_$1 reaches $4 as $6
$4 gre @$1_at_$4 reaches $1 as 16384 from $2
END
}
# second_inside: another server behind another port, with the id of the first one
second_inside() {
  cat <<END
x2 connects 192.0.2.254 1733
i2 accepts I2 from 192.0.2.3
x2 sends SCCRQ
i2 gets SCCRQ
i2 sends SCCRP
x2 gets SCCRP
$(outgoing x2 16385 i2 5)
x2 gre @i2_at_x2 reaches i2 as 5
i2 gre @x2_at_i2 reaches x2 as 16385 from 192.0.2.254
x1 gre @i1_at_x1 reaches i1 as 5
END
}
inside() {
  ends
  cat <<END
I1 in $in1 at 10.1.0.2
I1 listens
I2 in $in2 at 10.2.0.2
I2 listens
i1 in $in1
i2 in $in2
x1 in $ext
x2 in $ext
END
}
servers=('ports = {1723, 1733}' 'server first { address = "192.0.2.254"
  port = 1723
  to = "10.1.0.2" }' 'server second { address = "192.0.2.254"
  port = 1733
  to = "10.2.0.2"
  to-port = 1723 }' 'server six { address = "2001:db8:1::fe"
  to = "fd00:1::2" }')
restart "${servers[@]}"
ok "a server inside" talk <<END
$(inside)
$(inside_call x1 192.0.2.254 1723 i1 I1 5 192.0.2.3)
END
is "its id stays where it can" "$(tell i1_at_x1)" 5
ok "another behind another port of the address, with the same id for the same client" talk < <(second_inside)
isnt "gets another id" "$(tell i2_at_x2)" 5
ok "the server's Set-Link-Info, WAN-Error-Notify and Call-Disconnect-Notify have it" talk <<END
x2 sends SLI <Peer-Call-ID @i2_at_x2>
i2 gets SLI <Peer-Call-ID 5>
i2 sends WEN <Peer-Call-ID @x2_at_i2>
x2 gets WEN <Peer-Call-ID 16385>
i2 sends CDN <Call-ID 5>
x2 gets CDN <Call-ID @i2_at_x2>
END
ok "an incoming call, which it asks for" talk <<END
i1 sends ICRQ <Call-ID 6>
x1 gets ICRQ <Call-ID ?sid>
x1 sends ICRP <Call-ID 16386> <Peer-Call-ID @sid>
i1 gets ICRP <Call-ID ?cid> <Peer-Call-ID 6>
i1 sends ICCN <Peer-Call-ID @cid>
x1 gets ICCN <Peer-Call-ID 16386>
x1 gre @sid reaches i1 as 6
i1 gre @cid reaches x1 as 16386 from 192.0.2.254
END
ok "a server inside, IPv6" talk <<END
$(inside)
I6 in $in1 at fd00:1::2
I6 listens
$(inside_call x1 2001:db8:1::fe 1723 i1 I6 5 2001:db8:1::3)
END
ok "hairpin: the server and its client in one network, by the address outside" talk <<END
$(inside)
H in $in1 at 10.1.0.2
$(inside_call c1 192.0.2.254 1723 i1 I1 5 10.1.0.1)
END
ok "hairpin, IPv6" talk <<END
$(inside)
H in $in1 at fd00:1::2
H listens
$(inside_call c1 2001:db8:1::fe 1723 i1 H 5 fd00:1::1)
END
ok "from another network inside it is no hairpin" talk <<END
$(inside)
$(inside_call d1 192.0.2.254 1723 i1 I1 5 10.2.0.2)
END
hang_up
gateway_stop
masquerade
gateway_start "${servers[@]}"
ok "a client inside while a client outside calls inside" talk <<END
$(inside)
$(inside_call x1 192.0.2.254 1723 i1 I1 5 192.0.2.3)
$(call_from c1 s1 192.0.2.254)
i1 gre @x1_at_i1 reaches x1 as 16384
END
hang_up
gateway_stop

no_rules
rules "$gw" 'table ip nat {
  chain prerouting { type nat hook prerouting priority dstnat; iifname "out" ip daddr 192.0.2.254 tcp dport 1723 dnat to 10.1.0.2; }
  chain postrouting { type nat hook postrouting priority srcnat; oifname "out" masquerade; }; }'
rules "$gw" 'add rule ip nat prerouting iifname "out" ip daddr 192.0.2.254 tcp dport 1733 dnat to 10.2.0.2:1723'
gateway_start 'ports = {1723, 1733}'
ok "the box's own DNAT" talk <<END
$(inside)
$(inside_call x1 192.0.2.254 1723 i1 I1 5 192.0.2.3)
END
alg_is "the flow tells who was dialed and who it is" "192.0.2.254:1723 10.1.0.2:1723" flows '.[0] | "\(.to) \(.new_to)"'
ok "two servers behind it, with one id for one client" talk < <(second_inside)
isnt "the second gets another" "$(tell i2_at_x2)" 5
hang_up

rules "$gw" 'flush table ip nat; table ip nat {
  chain prerouting { type nat hook prerouting priority dstnat; iifname "out" ip daddr 192.0.2.254 meta l4proto {tcp, gre} dnat to 10.1.0.2; }; }'
in_ns "$gw" conntrack -F >/dev/null 2>&1
ok "gates win over a rule that sends all GRE elsewhere" talk <<END
$(inside)
$(call_from c1 s1 10.1.0.2)
$(inside_call x1 192.0.2.254 1723 i1 I1 5 192.0.2.3)
END
hang_up
gateway_stop

# --- who may -------------------------------------------------------------------------------------------------------------

no_rules; masquerade
gateway_start 'ports = {1723, 1733}' 'interfaces = {"in1", "in2"}' \
  'policy nobody { source = {"10.1.0.66"}
  action = "refuse" }' \
  'policy notthere { destination = {"192.0.2.3", "2001:db8:1::3"}
  action = "refuse" }' \
  'policy plain { interface = {"in2"}
  port = {1733}
  action = "pass" }' \
  'policy second { interface = {"in2"}
  nat = "route" }'
address "$in1" eth0 10.1.0.66/24
ok "refused by source" talk <<END
$(ends)
b in $in1 at 10.1.0.66
b knocks 192.0.2.1
END
ok "refused by destination" talk <<END
X in $ext at 192.0.2.3
X listens
c1 knocks 192.0.2.3
END
alg_is "both are counted" 2 counters .connections_refused_policy
ok "passed by port and interface" talk <<END
P in $srv at 192.0.2.1
P listens 1733
d1 connects 192.0.2.1 1733
s1 accepts P from 192.0.2.254
d1 sends hex 0001
s1 gets hex 0001
END
alg_is "without a flow" 0 counters .connections_now
ok "NAT by interface" talk <<END
$(ends)
$(call_from d1 s1 10.2.0.2)
$(call_from c1 s2 192.0.2.254)
END
ok "an interface that is none of ours is left alone" talk <<END
$(inside)
G in $gw at 192.0.2.254
x1 connects 10.1.0.2
i1 accepts I1 from 192.0.2.3
x1 sends hex 00
i1 gets hex 00
END
