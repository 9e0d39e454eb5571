#!/bin/bash
# GRE that is not PPTP's is none of the gateway's business: tunnels of version 0 through the box and to the box itself go on beside calls
# between the same hosts, whether strict or not.
# shellcheck source=tests/e2e/alg.sh disable=SC2154
. "$(dirname "$0")/alg.sh"
plan 45
alg_topology
masquerade
N=192.0.2.254 S=192.0.2.1 E=192.0.2.3

# everybody: the ends, with connections to come
everybody() {
  cat <<END
$(ends)
LE in $ext at $E
LE listens
c1 in $in1 at 10.1.0.2
d1 in $in2 at 10.2.0.2
c6 in $in1 at fd00:1::2
s1 in $srv at $S
s6 in $srv at 2001:db8:1::1
e1 in $ext at $E
g1 in $gw at $N
END
}
# tunnels_pass WHEN: a packet each way
tunnels_pass() {
  ok "$1: a tunnel through the box" talk <<END
c1 gre 3 to $S version 0 reaches s1 as 3 from $N
s1 gre 4 to $N version 0 reaches c1 as 4 from $S
END
  ok "$1: in IPv6" talk <<END
c6 gre 3 to 2001:db8:1::1 version 0 reaches s6 as 3 from 2001:db8:1::fe
s6 gre 4 to 2001:db8:1::fe version 0 reaches c6 as 4 from 2001:db8:1::1
END
  ok "$1: a tunnel of the box itself" talk <<END
g1 gre 3 to $E version 0 reaches e1 as 3 from $N
e1 gre 4 to $N version 0 reaches g1 as 4 from $E
END
}
# beside ID: data of the two calls
beside() {
  data c1 "$1" s1 "$1" $N
  data d1 "$1" e1 "$1" $N
}
# calls ID: between the very hosts that have tunnels. Call ids of 0 are the worst, for that is how other GRE looks to connection tracking.
calls() {
  cat <<END
$(connection c1 s1)
$(outgoing c1 "$1" s1 "$1")
$(connection d1 e1 $E LE)
$(outgoing d1 "$1" e1 "$1")
$(beside "$1")
END
}
talk < <(everybody)
tunnels_pass "before"
for strict in false true; do
  here "the gateway starts, strict = $strict" gateway_start "strict = $strict" 'poll-interval = "1s"'
  tunnels_pass "strict = $strict"
  for id in 7 0; do
    ok "strict = $strict: calls beside them, with ids of $id" talk < <(everybody; calls $id)
    tunnels_pass "calls of $id"
    ok "calls go on as well" talk < <(beside $id)
  done
  if $strict; then
    ok "PPTP's GRE that is of no call is dropped" say "c1 gre 999 to $S misses s1"
  else
    ok "PPTP's GRE that is of no call passes" say "c1 gre 999 to $S reaches s1 as 999"
  fi
  talk < <(everybody)
  ok "the calls are gone" wait_for 5 prints 0 alg_json gates length
  in_ns "$gw" conntrack -F >/dev/null 2>&1
  talk <<<"c1 gre 3 to $S version 0 reaches s1 as 3 from $N"
  # A tunnel begins while calls are up, and the other way round: both were had.
  ok "calls with ids of 0, and new tunnels" talk < <(calls 0)
  in_ns "$gw" conntrack -L -p gre 2>/dev/null | sed 's/^/# /'
  tunnels_pass "begun behind calls"
  talk < <(everybody)
  ok "the gateway ends" gateway_stop
  in_ns "$gw" conntrack -F >/dev/null 2>&1
done
