#!/bin/bash
# The unit for systemd: it is valid, its capabilities are enough, and it restarts without loss.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 21
unit=$BUILD/etc/pptpalg.service
setting() { sed -n "s/^$1=//p" "$unit"; }

if command -v systemd-analyze >/dev/null; then
  # A unit file whose program is there; manual pages of a build tree are not installed.
  sed "s|^ExecStart=[^ ]*|ExecStart=$pptpalg|; /^Documentation=/d" "$unit" >"$work/pptpalg.service"
  is "the unit is valid" "$(systemd-analyze verify "$work/pptpalg.service" 2>&1 | grep -F "$work")" ""
else
  pass "the unit is valid # SKIP no systemd-analyze"
fi
is "descriptors of 10,000 connections fit into the store" "$(($(setting FileDescriptorStoreMax) >= 20100))" 1
is "a stop is one, a restart is a hand-over" "$(setting KillMode) $(setting RestartKillSignal) $(setting NotifyAccess)" "mixed SIGUSR2 all"

# Its capabilities, as systemd takes the others away.
caps=-all
for cap in $(setting CapabilityBoundingSet); do cap=${cap#CAP_} caps=$caps,+${cap,,}; done

alg_topology
masquerade
# begin DATAPATH: under the service manager of the tests; $manager
begin() {
  gateway_config alg "datapath = \"$1\"" "trace { file = \"$work/trace.$1\" }"
  : >"$work/alg.log"
  spawn alg "$gw" "$BUILD/tests/e2e/fdstore" setpriv --bounding-set "$caps" --no-new-privs "$pptpalg" -f -c "$work/alg.conf"
  manager=$!
  wait_for 30 alg status
}
restarted() { [ "$(grep -c event=start "$work/alg.log")" = 2 ] && alg status; }
for datapath in conntrack user bpf; do
  here "it starts with the unit's capabilities: $datapath" begin $datapath
  ok "a call carries data" one_call 192.0.2.254
  run kill -HUP "$manager"
  ok "it is restarted" wait_for 30 restarted
  ok "and the call goes on" one_carries 192.0.2.254
  run kill "$manager"
  ok "it stops" wait_for 30 gone "$manager"
  is "and nobody complained of rights" "$(grep -ciE 'not permitted|denied' "$work/alg.log")" 0
done
