#!/bin/bash
# Two gateways in a row, both with NAT and both with pptpalg.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 9
alg_topology two
masquerade; masquerade "$gw2"
gateway_start
second_gateway_start
address "$gw2" in 10.9.0.77/24
own_id=16384
[ "${DATAPATH:-}" != user ] || own_id=7 # where it can't be translated
ok "scripted: two clients behind the first and one behind the second, all with the same call id" talk <<END
$(ends)
m in $gw at 10.9.0.2
$(connection c1 s1)
$(connection d1 s2)
$(connection m s3)
$(outgoing c1 16384 s1 1)
$(outgoing d1 16384 s2 2)
$(outgoing m $own_id s3 3)
$(data c1 16384 s1 1 192.0.2.254)
$(data d1 16384 s2 2 192.0.2.254)
$(data m $own_id s3 3 192.0.2.254)
s1 sends CDN <Call-ID 1>
c1 gets CDN <Call-ID @s1_at_c1>
s1 gre @c1_at_s1 fades from c1
$(data d1 16384 s2 2)
END
ok "IPv6, twice NAT66" talk <<END
$(ends)
$(connection c1 s1 2001:db8:1::1 L6)
$(outgoing c1 7 s1 9)
$(data c1 7 s1 9 2001:db8:1::fe)
END
say fresh
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
server
pptpc_at "$in1" alice alice
pptpc_at "$in2" bob bob
ok "real: two clients" wait_for 30 ping_all 10.0.0.1 "$in1" "$in2"
ok "a transfer" transfer_at "$in1" 3000000 10.0.0.1 5001
ok "and by the other" transfer_at "$in2" 3000000 10.0.0.1 5002
run kill -USR2 "$gateway_pid" "$gateway2_pid"
ok "both gateways are replaced: the tunnels go on" transfer_at "$in1" 3000000 10.0.0.1 5003
stop "${pid[alice]}"; stop "${pid[bob]}"
ok "both hang up" wait_for 30 no_sessions
ok "the gateways end" stop "$gateway_pid"
stop "$gateway2_pid"
is "and no gate is left" "$(gre_entries) $(gre_entries "$gw2")" "0 0"
