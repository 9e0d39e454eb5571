#!/bin/bash
# pptpd passes every conformance case, over IPv4 and over IPv6. The tool's own TAP lines are passed on.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/../e2e/lib.sh"
topology
server "max-connections-per-source = 2000" "max-half-open = 1000" "handshake-timeout = 10s"
for address in 192.0.2.1 2001:db8:1::1; do
  note "pptp-conform against $address"
  in_ns "$cli" "$BUILD/tests/conform/pptp-conform" -t 20 --tap "$address" >"$work/conform.tap" 2>"$work/conform.log"
  status=$?
  while IFS= read -r line; do
    case $line in
    "ok "*) pass "${line#ok * - } ($address)" ;;
    "not ok "*) fail "${line#not ok * - } ($address)" ;;
    "#"*) echo "$line" ;;
    esac
  done <"$work/conform.tap"
  is "pptp-conform ends well ($address)" $status 0
done
ok "the server is still there" control server status
echo "1..$count"
