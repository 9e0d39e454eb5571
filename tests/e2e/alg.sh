# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# What the tests of the gateway (40 and up) share, on top of faults.sh: namespaces, translation, scripted peers.
#
#   +-------+  10.1.0.0/24          +----------+                          +--------+
#   | $in1  |--.2 -------- .1 in1 --|   $gw    |                   .1 ----|  $srv  |
#   +-------+  fd00:1::/64          |          |  192.0.2.0/24     |      +--------+
#                                   | pptpalg, |-- .254 ---- $wan -+
#   +-------+  10.2.0.0/24          | NAT      |  2001:db8:1::/64  |      +--------+
#   | $in2  |--.2 -------- .1 in2 --|          |  ::fe             .3 ----|  $ext  |   another host outside
#   +-------+  fd00:2::/64          +----------+                          +--------+
#
# $wan is a bridge. With `alg_topology two` there is a second gateway behind the first, $gw2, which has its place on the bridge, and
# 10.9.0.0/24 between them.
# shellcheck source=tests/e2e/faults.sh
. "$(dirname "${BASH_SOURCE[0]}")/faults.sh"
pptpalg=$BUILD/pptpalg/pptpalg
[ -x "$pptpalg" ] || pptpalg=$BUILD/alg/pptpalg
pptpeer=$BUILD/tests/e2e/pptpeer

# plug NS IF ADDR...: an interface on the bridge
plug() {
  local ns=$1 dev=$2; shift 2
  plugs=$((${plugs:-0} + 1))
  cable "$ns" "$dev" "$wan" "p$plugs"
  ip -n "$wan" link set dev "p$plugs" master br0
  address "$ns" "$dev" "$@"
}

router() { in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_acct=1; }

alg_topology() {
  local n
  for n in in1 in2 gw wan srv ext; do netns $n; done
  in1=$ns_prefix-in1 in2=$ns_prefix-in2 gw=$ns_prefix-gw wan=$ns_prefix-wan srv=$ns_prefix-srv ext=$ns_prefix-ext
  cli=$in1
  ip -n "$wan" link add br0 type bridge && ip -n "$wan" link set dev br0 up || exit 99
  for n in 1 2; do
    cable "$ns_prefix-in$n" eth0 "$gw" in$n
    address "$ns_prefix-in$n" eth0 10.$n.0.2/24 fd00:$n::2/64
    address "$gw" in$n 10.$n.0.1/24 fd00:$n::1/64
    ip -n "$ns_prefix-in$n" route add default via 10.$n.0.1
    ip -n "$ns_prefix-in$n" route add default via fd00:$n::1
    # Else 10.0.0.1 answers by the default route, before the tunnel is up, where the server is the gateway itself.
    ip -n "$ns_prefix-in$n" route add unreachable 10.0.0.0/24
  done
  plug "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64
  plug "$ext" eth0 192.0.2.3/24 2001:db8:1::3/64
  router "$gw"
  if [ "${1:-}" = two ]; then
    netns gw2
    gw2=$ns_prefix-gw2
    cable "$gw" out "$gw2" in
    address "$gw" out 10.9.0.2/24 fd00:9::2/64
    address "$gw2" in 10.9.0.1/24 fd00:9::1/64
    ip -n "$gw" route add default via 10.9.0.1
    ip -n "$gw" route add default via fd00:9::1
    plug "$gw2" out 192.0.2.254/24 2001:db8:1::fe/64
    router "$gw2"
  else
    plug "$gw" out 192.0.2.254/24 2001:db8:1::fe/64
  fi
  peer_start
}

# routes_back: the hosts outside know the way to the networks inside, for route mode
routes_back() {
  local ns n
  for ns in "$srv" "$ext"; do
    for n in 1 2; do
      ip -n "$ns" route add 10.$n.0.0/24 via 192.0.2.254
      ip -n "$ns" route add fd00:$n::/64 via 2001:db8:1::fe
    done
  done
}

# --- the box's own rules ------------------------------------------------------------------------------------------

# rules NS TEXT: nftables
rules() { note "+ [$1] nft: $(tr -s ' \n' ' ' <<<"$2")"; in_ns "$1" nft -f - <<<"$2"; }

# masquerade [NS]: what leaves by `out` gets the gateway's address, in both families
masquerade() {
  rules "${1:-$gw}" 'table inet nat { chain postrouting { type nat hook postrouting priority srcnat; oifname "out" masquerade; }; }'
}

# helper_start [NS]: the kernel's own helper, nf_conntrack_pptp, for what comes in; 1 if the kernel has none
helper_start() {
  rules "${1:-$gw}" 'table ip helper {
    ct helper pptp { type "pptp" protocol tcp; }
    chain prerouting { type filter hook prerouting priority filter; tcp dport 1723 ct helper set "pptp"; }
  }'
}

# no_rules [NS]: neither rules nor memory of connections
no_rules() { in_ns "${1:-$gw}" nft flush ruleset; in_ns "${1:-$gw}" conntrack -F >/dev/null 2>&1; true; }

# gre_entries [NS]: how many gates the kernel's connection tracking has; a stray packet's entry is not assured
gre_entries() { in_ns "${1:-$gw}" sh -c 'conntrack -L -p gre; conntrack -L -f ipv6 -p gre' 2>/dev/null | grep -c ASSURED; }

# --- pptpalg ------------------------------------------------------------------------------------------------------

# gateway_config NAME LINE...: writes $work/NAME.conf
gateway_config() {
  local name=$1; shift
  {
    printf 'control-socket = "%s"\nstate-dir = "%s"\nlog-level = "debug"\n' "$work/$name.sock" "$work/$name.state"
    [ -z "${DATAPATH:-}" ] || printf 'datapath = "%s"\n' "$DATAPATH"
    printf '%s\n' "$@"
  } >"$work/$name.conf"
  mkdir -p "$work/$name.state"
}

# gateway_start LINE...: pptpalg in $gw with the base configuration and these lines; $gateway_pid is its monitor.
gateway_start() {
  gateway_config alg "$@"
  gateway_again
}
# gateway_again: as it was configured last
gateway_again() {
  spawn alg "$gw" "$pptpalg" -f -c "$work/alg.conf"
  gateway_pid=$!
  wait_for 30 alg status || { fail "the gateway starts"; exit 1; }
}
gateway_stop() { [ -n "${gateway_pid:-}" ] || return 0; stop "$gateway_pid"; gateway_pid=; }

# second_gateway_start LINE...: the same in $gw2
second_gateway_start() {
  gateway_config alg2 "$@"
  spawn alg2 "$gw2" "$pptpalg" -f -c "$work/alg2.conf"
  gateway2_pid=$!
  wait_for 30 "$pptpctl" -s "$work/alg2.sock" alg status || { fail "the second gateway starts"; return 1; }
}

# alg WORD...: pptpctl alg; alg_json WORD... FILTER: what jq makes of it
alg() { "$pptpctl" -s "$work/alg.sock" alg "$@"; }
alg_json() { "$pptpctl" -s "$work/alg.sock" --json alg "${@:1:$#-1}" 2>/dev/null | jq -rc "${!#}"; }
# alg_is NAME WANTED WORD... FILTER: in the end it is that
alg_is() {
  local name=$1 wanted=$2 limit=$((SECONDS + 30)) got; shift 2
  until got=$(alg_json "$@") && [ "$got" = "$wanted" ] || [ "$SECONDS" -ge "$limit" ]; do command sleep 0.05; done
  is "$name" "$got" "$wanted"
}

# translator helper|pptpalg|none [LINE...]: masquerade in $gw, and what reads PPTP there; what was there before ends
translator() {
  local which=$1; shift
  gateway_stop
  no_rules
  masquerade
  case $which in
  helper) helper_start ;;
  pptpalg) gateway_start "$@" ;;
  esac
}

# --- scripted peers -------------------------------------------------------------------------------------------------

peer_start() {
  mkfifo "$work/peer.in" "$work/peer.out"
  "$pptpeer" <"$work/peer.in" >"$work/peer.out" 2>"$work/peer.log" &
  peer_pid=$!
  exec 7>"$work/peer.in" 8<"$work/peer.out"
}

# say LINE: one command of pptpeer's; its answer in $answer
say() {
  printf '%s\n' "$1" >&7
  answer='fail: pptpeer does not answer'
  read -r -t 120 answer <&8
  [[ $answer == ok* ]]
}

# talk: commands on standard input until one fails, which is shown
talk() {
  local lines line=
  mapfile -t lines < <(grep -v '^ *$')
  printf 'script %d\n' ${#lines[@]} >&7
  printf '%s\n' "${lines[@]}" >&7
  answer='fail: pptpeer does not answer'
  read -r -t 300 answer <&8
  [[ $answer != ok* ]] || return 0
  line=${answer#fail: line }
  [ "$line" = "$answer" ] || printf '%s\n' "${lines[${line%%:*} - 1]}"
  printf '%s\n' "$answer"
  return 1
}

# tell WHAT: the value of a variable of pptpeer's
tell() { say "print @$1" && printf '%s\n' "${answer#ok }"; }

# The usual beginnings, for talk. ends: everybody is there, forgetting what was before. What must come may take its time; where a
# conversation is to fail, $patience is how long it is waited for.
ends() {
  cat <<END
fresh
patience ${patience:-20000}
L in $srv at 192.0.2.1
L listens
L6 in $srv at 2001:db8:1::1
L6 listens
c1 in $in1
c2 in $in1
d1 in $in2
s1 in $srv
s2 in $srv
s3 in $srv
third in $ext at 192.0.2.3
END
}
# connection CLIENT SERVER [ADDRESS [LISTENER]]: TCP and Start-Control-Connection
connection() {
  cat <<END
$1 connects ${3:-192.0.2.1}
$1 sends SCCRQ <Host $1>
$2 accepts ${4:-L}
$2 gets SCCRQ <Host $1>
$2 sends SCCRP <Host $2>
$1 gets SCCRP <Host $2> <Result 1>
END
}
# outgoing CLIENT ID SERVER ID: an outgoing call; in @CLIENT_at_SERVER and @SERVER_at_CLIENT the ids as the other end sees them
outgoing() {
  cat <<END
$1 sends OCRQ <Call-ID $2>
$3 gets OCRQ <Call-ID ?$1_at_$3>
$3 sends OCRP <Call-ID $4> <Peer-Call-ID @$1_at_$3>
$1 gets OCRP <Call-ID ?$3_at_$1> <Peer-Call-ID $2> <Result 1>
END
}
# data CLIENT ID SERVER ID [ADDRESS]: GRE both ways; ADDRESS is the client's as the server sees it
data() {
  cat <<END
$1 gre @$3_at_$1 reaches $3 as $4${5:+ from $5}
$3 gre @$1_at_$3 reaches $1 as $2
END
}
# The usual conversations, with data both ways: one_call [ADDRESS] is c1's at s1, two_calls [ADDRESS] are that and d1's at s2, which has
# the same call id; one_carries [ADDRESS] and both_carry [ADDRESS]: their data once more. ADDRESS is the clients' as the server sees it.
one_call() { talk < <(ends; connection c1 s1; outgoing c1 7 s1 21; data c1 7 s1 21 "$@"); }
one_carries() { talk < <(data c1 7 s1 21 "$@"); }
two_calls() {
  talk < <(ends; connection c1 s1; connection d1 s2; outgoing c1 7 s1 21; outgoing d1 7 s2 22; data c1 7 s1 21 "$@"; data d1 7 s2 22 "$@")
}
both_carry() { talk < <(data c1 7 s1 21 "$@"; data d1 7 s2 22 "$@"); }

# --- real clients and servers -----------------------------------------------------------------------------------------

# pptpc_at NS NAME USER [WORD...]: a client with a control socket of its own; its pid in pid[NAME], its words in NAME.log
declare -A pid
pptpc_at() {
  local ns=$1 name=$2 as=$3; shift 3
  [ -f "$work/password" ] || (umask 077; printf 'secret\n' >"$work/password")
  spawn "$name" "$ns" "$pptpc" -s "$work/$name.sock" "${server_address:-192.0.2.1}" user "$as" password-file "$work/password" "$@"
  pid[$name]=$!
}

# transfer_at CLIENT-NS BYTES ADDRESS PORT [SERVER-NS]: a checked TCP stream both ways between there and ADDRESS inside
transfer_at() {
  local server status name=blob-$4 ns=${5:-$srv}
  in_ns "$ns" "$BUILD/tests/e2e/blob" serve "$3" "$4" "$2" 7 >"$work/$name-server.log" 2>&1 7>&- 8>&- &
  server=$!
  wait_for 30 in_ns "$ns" sh -c "ss -ltn | grep -q :$4" || return 1
  in_ns "$1" "$BUILD/tests/e2e/blob" connect "$3" "$4" "$2" 7 >"$work/$name-client.log" 2>&1
  status=$?
  wait "$server" || status=1
  cat "$work/$name-server.log" "$work/$name-client.log"
  return $status
}

# ping_all ADDRESS NS...: the address answers each of them
ping_all() { local to=$1 ns; shift; for ns; do pings "$ns" "$to" || return 1; done; }
