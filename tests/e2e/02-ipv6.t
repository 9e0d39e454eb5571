#!/bin/bash
# IPv6 outside, both families inside; a server on several addresses answers from the one that was called.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 31
topology
address "$srv" eth0 192.0.2.11/24 2001:db8:1::11/64

# session_up ADDRESS: dials it; the tunnel carries IPv4 then.
session_up() {
  server_address=$1
  client routes 2001:db8:2::/48
  ok "a tunnel to $1" up
}

# answers_from ADDRESS: every packet from the server's side during a ping came from there.
answers_from() {
  local from
  : >"$work/tcpdump.log"
  in_ns "$cli" tcpdump -ni eth0 -l -c 3 -Q in 'ip proto 47 or ip6 proto 47' >"$work/gre.txt" 2>>"$work/tcpdump.log" &
  wait_for 5 grep -q listening "$work/tcpdump.log"
  wait_for 10 pings_and_gone $!
  from=$(grep -o '[^ ]* > ' "$work/gre.txt" | sort -u | tr -d ' >' | tr '\n' ' ')
  is "GRE comes from $1 only" "$from" "$1 "
}
pings_and_gone() { pings "$cli" 10.0.0.1; gone "$1"; }

# hang_up: and the server knows.
hang_up() {
  stop "$client_pid"
  wait_for 5 no_sessions
}

server 'listen = {"192.0.2.1", "192.0.2.11", "2001:db8:1::1", "2001:db8:1::11"}'
is "it listens on all four addresses" "$(in_ns "$srv" ss -Hltn sport = :1723 | awk '{print $4}' | sort | tr '\n' ' ')" \
  '192.0.2.11:1723 192.0.2.1:1723 [2001:db8:1::11]:1723 [2001:db8:1::1]:1723 '

for address in 192.0.2.11 2001:db8:1::1 2001:db8:1::11; do
  session_up "$address"
  soon "the server shows the address that was called" "local +$address\$" control server show session "$(session_id)"
  soon "the client too" " $address " control client show sessions
  answers_from "$address"
  hang_up
done

server_address=2001:db8:1::1
session_up 2001:db8:1::1
soon "the caller is known by its IPv6 address" ' 2001:db8:1::2 ' control server show sessions
ok "large packets pass, up to the MTU" in_ns "$cli" ping -q -c 3 -i 0.2 -s 1348 -M "do" 10.0.0.1
ok "IPv4 from the server" wait_for 5 pings "$srv" 10.0.0.10
size=4000000
ok "$size bytes by TCP over IPv4, both ways, unharmed" transfer $size 10.0.0.1
ok "the client has an address of the IPv6 pool" wait_for 10 has_ipv6
ok "IPv6 from the client" wait_for 5 pings "$cli" 2001:db8:2:ffff::1
ok "IPv6 from the server" wait_for 5 pings "$srv" "$(inner_ipv6)"
# The server's end of the link has its identifier's address, though the interface that all share has none.
router() { in_ns "$cli" ping -c 1 -w 5 ff02::2%pptp0 | grep -o 'fe80:[0-9a-f:]*%pptp0' | head -n 1; }
found() { [ -n "$(router)" ]; }
ok "the routers' group of the link is answered" wait_for 5 found
ok "from the server's link-local address, which is answered, too" wait_for 5 pings "$cli" "$(router)"
ok "$size bytes by TCP over IPv6, both ways, unharmed" transfer $size 2001:db8:2:ffff::1 9
nok "an address outside of the prefix can't be forged" in_ns "$cli" ping -q -c 2 -i 0.2 -W 1 -I 2001:db8:1::2 2001:db8:2:ffff::1
soon "and is counted" '^dropped spoofed +2$' control server show session "$(session_id)"
hang_up

# IPv6 alone, and a server whose addresses are wildcards.
stop "$server_pid"
server 'listen = {"0.0.0.0", "::"}'
server_address=2001:db8:1::11
client routes 2001:db8:2::/48 ipv4 no
ok "a tunnel of IPv6 alone" wait_for 15 pings "$cli" 2001:db8:2:ffff::1
hang_up
session_up 192.0.2.11
answers_from 192.0.2.11
hang_up
session_up 2001:db8:1::11
answers_from 2001:db8:1::11
hang_up
