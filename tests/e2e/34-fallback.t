#!/bin/bash
# A kernel that has no connection tracking to be programmed: datapath = auto forwards in user space and says why, conntrack does not start.
# shellcheck source=tests/e2e/alg.sh disable=SC2154,SC2016
. "$(dirname "$0")/alg.sh"
plan 9
alg_topology
masquerade
gateway_config alg 'poll-interval = "1s"'

# without_conntrack LOG: the program, where the kernel's settings of connection tracking are not to be seen
without_conntrack() {
  spawn "$1" "$gw" sh -c 'mount -t tmpfs none /proc/sys/net/netfilter && exec "$0" "$@"' "$pptpalg" -f -c "$work/alg.conf"
  gateway_pid=$!
}
without_conntrack alg
ok "the gateway starts without connection tracking" wait_for 10 alg status
is "its data path is user space" "$(alg_json status .datapath)" user
soon "the log says why" 'level=warning event=datapath wanted=auto error="the kernel has no connection tracking: .*" instead=user' words_of alg
ok "a call goes through" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 100)
$(data c1 7 s1 100 192.0.2.254)
END
alg_is "by gates in user space" 2 gates length
is "the kernel has none" "$(gre_entries)" 0
gateway_stop

echo 'datapath = "conntrack"' >>"$work/alg.conf"
without_conntrack alg2
ok "where conntrack is asked for it does not start" wait_for 5 gone "$gateway_pid"
gateway_pid=
like "and says why" "$(cat "$work/alg2.log")" 'level=error event=datapath wanted=conntrack error="the kernel has no connection tracking'
is "no table is left" "$(in_ns "$gw" nft list tables | grep -c pptpalg)" 0
