# shellcheck shell=bash disable=SC2120,SC2034
# What every end-to-end test starts with: namespaces, processes, waiting, TAP.
#
#   +-----------+  192.0.2.0/24, 2001:db8:1::/64  +-----------+
#   |  $srv     | 192.0.2.1 ------------ 192.0.2.2 |  $cli     |
#   |  pptpd    | ::1        (veth)        ::2     |  pptpc    |
#   +-----------+                                  +-----------+
#
# Names carry the pid, so runs never collide. Whatever happens, the trap on EXIT ends every process that lives in one
# of our namespaces, removes the namespaces and the folder, and checks that nothing is left. Each command is echoed as a
# TAP comment. Nothing sleeps for luck: wait_for polls a condition and has a limit. What another process does in its own time (a log
# line, a counter, a route, an end) is waited for, never read at once: `soon` and `soon_is`, or `ok ... wait_for`. Many tests run at
# a time, so any process may stand still for seconds: a time that is measured is bounded by what would be wrong, not by what is usual.
#
# Environment: BUILD, the build tree (default: the current folder); KEEP=1 keeps the work folder.
set -u

: "${BUILD:=$PWD}"
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pptpd=$BUILD/pptpd/pptpd
pptpc=$BUILD/pptpc/pptpc
pptpctl=$BUILD/pptpctl/pptpctl
export top pptpd pptpc pptpctl
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

ns_prefix=op$$
namespaces=()
planned=0
count=0
failed=0
work=

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root for network namespaces"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/openpptp-e2e.XXXXXX")
chmod 755 "$work"

note() { printf '# %s\n' "$*"; }

# run COMMAND...: echoes and runs it.
run() { note "+ $*"; "$@"; }

# plan N
plan() { planned=$1; echo "1..$1"; }

# pass NAME / fail NAME
pass() { count=$((count + 1)); printf 'ok %d - %s\n' "$count" "$1"; }
fail() {
  count=$((count + 1)); failed=$((failed + 1)); printf 'not ok %d - %s\n' "$count" "$1"
  for log in "$work"/*.log; do
    [ -s "$log" ] && { note "--- last lines of ${log##*/}"; tail -n "${LOG_LINES:-15}" "$log" | sed 's/^/#   /'; }
  done
  return 0
}

# ok NAME COMMAND...: passes when the command does; its output shows only when it fails.
ok() {
  local name=$1 out; shift
  if out=$("$@" 2>&1); then pass "$name"; else note "command: $*"; printf '%s\n' "$out" | tail -n 20 | sed 's/^/#   /'; fail "$name"; fi
}

# nok NAME COMMAND...: passes when the command fails.
nok() { local name=$1; shift; if "$@" >/dev/null 2>&1; then note "succeeded, but should not: $*"; fail "$name"; else pass "$name"; fi; }

# fails NAME PATTERN COMMAND...: passes when the command fails, and says such a line
fails() {
  local name=$1 pattern=$2 out; shift 2
  if out=$("$@" 2>&1); then note "succeeded, but should not: $*"; fail "$name"; else like "$name" "$out" "$pattern"; fi
}

# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then pass "$1"; else note "got:    $2"; note "wanted: $3"; fail "$1"; fi; }

# isnt NAME GOT OTHER: it is something, and not that
isnt() { if [ -n "$2" ] && [ "$2" != "$3" ]; then pass "$1"; else note "got:    ${2:-nothing}"; fail "$1"; fi; }

# like NAME TEXT PATTERN (extended regular expression)
like() { if grep -Eq -- "$3" <<<"$2"; then pass "$1"; else note "got:    $2"; note "wanted: $3"; fail "$1"; fi; }

# wait_for SECONDS COMMAND...: polls until the command succeeds; its status is the wait's. The seconds are what it may take on an idle
# machine; before it fails, it waits for a minute at least. Not for what is expected to fail.
wait_for() {
  local limit=$((SECONDS + ($1 > 60 ? $1 : 60))); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    command sleep 0.05
  done
}

# milliseconds since the machine started
now_ms() { awk '{printf "%d", $1 * 1000}' /proc/uptime; }

# soon NAME PATTERN COMMAND...: as like, of what the command prints in the end
soon() {
  local name=$1 pattern=$2; shift 2
  wait_for 60 prints_like "$pattern" "$@"
  like "$name" "$("$@" 2>/dev/null)" "$pattern"
}
prints_like() { local pattern=$1; shift; grep -Eq -- "$pattern" <<<"$("$@" 2>/dev/null)"; }

# soon_is NAME WANTED COMMAND...: as is, of what the command prints in the end
soon_is() {
  local name=$1 wanted=$2; shift 2
  wait_for 60 prints "$wanted" "$@"
  is "$name" "$("$@" 2>/dev/null)" "$wanted"
}
# prints TEXT COMMAND...: the command prints exactly that
prints() { local wanted=$1; shift; [ "$("$@" 2>/dev/null)" = "$wanted" ]; }

# netns NAME: makes a namespace with loopback up and prints its full name.
netns() {
  local ns=$ns_prefix-$1
  ip netns add "$ns" && ip -n "$ns" link set lo up || exit 99
  ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=0 net.ipv4.ping_group_range='0 2147483647' \
    net.ipv6.conf.default.accept_dad=0 2>/dev/null
  mkdir -p "/etc/netns/$ns"
  : >"/etc/netns/$ns/resolv.conf"
  namespaces+=("$ns")
}

# in NS COMMAND...
in_ns() { local ns=$1; shift; ip netns exec "$ns" "$@"; }

# cable NS1 IF1 NS2 IF2: a veth pair between two namespaces, up; with the IPv6 addresses and routes that the kernel gives in its own time
cable() {
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" || exit 99
  ip -n "$1" link set dev "$2" up; ip -n "$3" link set dev "$4" up
  wait_for 20 linked "$1" "$2" && wait_for 20 linked "$3" "$4" || exit 99
}
linked() {
  [ ! -e /proc/sys/net/ipv6 ] || [[ $(ip -n "$1" -6 -o addr show dev "$2" scope link) =~ fe80: && $(ip -n "$1" -6 route show table local dev "$2") =~ fe80: ]]
}

# address NS IF ADDR/LEN...
address() {
  local ns=$1 dev=$2 a; shift 2
  for a in "$@"; do
    case $a in *:*) ip -n "$ns" addr add "$a" dev "$dev" nodad ;; *) ip -n "$ns" addr add "$a" dev "$dev" ;; esac || exit 99
  done
}

# spawn LOGNAME NS COMMAND...: starts a process in a namespace; its output goes to $work/LOGNAME.log, behind that of an earlier one with
# this name; $! is its pid.
declare -A earlier
spawn() {
  local log=$work/$1.log ns=$2
  earlier[$1]=$(stat -c %s "$log" 2>/dev/null)
  shift 2
  note "+ [$ns] $*"
  ip netns exec "$ns" "$@" >>"$log" 2>&1 </dev/null 7>&- 8>&- & # the two of alg.sh are nobody else's
}

# words_of LOGNAME: what the process that was started last with this name has said, and none before it
words_of() { tail -c +$((${earlier[$1]:-0} + 1)) "$work/$1.log"; }
# logged LOGNAME PATTERN: it has said such a line
logged() { words_of "$1" | grep -Eq -- "$2"; }

pids_in() { ip netns pids "$1" 2>/dev/null; }

# gone PID...: none of them is alive.
gone() { local p; for p; do kill -0 "$p" 2>/dev/null && return 1; done; return 0; }

# stop PID: SIGTERM, and true when it ended.
stop() { kill "$1" 2>/dev/null; wait_for 10 gone "$1"; }

# topology: the picture above, in $srv and $cli.
topology() {
  netns srv; netns cli
  srv=$ns_prefix-srv cli=$ns_prefix-cli
  cable "$srv" eth0 "$cli" eth0
  address "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64
  address "$cli" eth0 192.0.2.2/24 2001:db8:1::2/64
}

cleanup() {
  local status=$? ns pid left=
  trap '' EXIT INT TERM
  for ns in "${namespaces[@]}"; do
    for pid in $(pids_in "$ns"); do kill -TERM "$pid" 2>/dev/null; done
  done
  for ns in "${namespaces[@]}"; do
    SECONDS=0
    until no_pids "$ns" || [ $SECONDS -ge 20 ]; do command sleep 0.05; done
    for pid in $(pids_in "$ns"); do kill -KILL "$pid" 2>/dev/null; done
    wait_for 5 no_pids "$ns" || left="$left process in $ns"
    ip netns del "$ns" 2>/dev/null
    rm -rf "/etc/netns/$ns"
  done
  if grep -qE 'ERROR: (Address|Leak|Undefined)Sanitizer|runtime error:' "$work"/*.log 2>/dev/null; then
    note "a sanitizer complained:"; grep -hE -A 30 'Sanitizer|runtime error:' "$work"/*.log | head -n 80 | sed 's/^/#   /'
    failed=$((failed + 1))
  fi
  if ip netns list 2>/dev/null | grep -q "^$ns_prefix-"; then left="$left namespace"; fi
  [ -z "$left" ] || { note "left behind:$left"; failed=$((failed + 1)); }
  if [ "${KEEP:-0}" = 1 ]; then note "kept: $work"; else rm -rf "$work"; fi
  if [ "$planned" -gt 0 ] && [ "$count" -ne "$planned" ]; then note "planned $planned tests but ran $count"; failed=$((failed + 1)); fi
  [ "$failed" -eq 0 ] && [ "$status" -eq 0 ] || exit 1
  exit 0
}
no_pids() { [ -z "$(pids_in "$1")" ]; }
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- a server and a client -------------------------------------------------------------------------------------

# users LINE...: writes the users file. Without arguments: alice with the password "secret", address 10.0.0.10.
users() {
  [ $# -gt 0 ] || set -- 'alice * secret 10.0.0.10'
  printf '%s\n' "$@" >"$work/chap-secrets"
  chmod 600 "$work/chap-secrets"
}

# server [NAME=]VALUE-LINE...: starts pptpd in $srv with the base configuration and these lines on top; $server_pid is its monitor.
server() {
  [ -f "$work/chap-secrets" ] || users
  cat >"$work/pptpd.conf" <<CONF
listen = ${server_listen:-{\"192.0.2.1\", \"2001:db8:1::1\"\}}
users = "$work/chap-secrets"
local-ip = "10.0.0.1"
local-ipv6 = "2001:db8:2:ffff::1"
pool = {"10.0.0.100-10.0.0.199"}
pool-ipv6 = {"2001:db8:2::/56"}
control-socket = "$work/pptpd.sock"
log-level = "debug"
CONF
  printf '%s\n' "$@" >>"$work/pptpd.conf"
  spawn server "$srv" "$pptpd" -f -c "$work/pptpd.conf"
  server_pid=$!
  wait_for 10 control server status || { fail "the server starts"; return 1; }
}

# client WORD...: starts pptpc in $cli to 192.0.2.1 as alice with these words on top; $client_pid is its monitor.
client() {
  printf 'secret\n' >"$work/password"; chmod 600 "$work/password"
  spawn client "$cli" "$pptpc" -s "$work/pptpc.sock" "${server_address:-192.0.2.1}" user "${user:-alice}" password-file "${password_file:-$work/password}" \
    "$@"
  client_pid=$!
}

# control server|client WORD...: pptpctl
control() {
  local socket=$work/pptpd.sock side=$1; shift
  [ "$side" = server ] || socket=$work/pptpc.sock
  "$pptpctl" -s "$socket" "$@"
}

# json_is SIDE FILTER-EXPRESSION: the sessions, one JSON object a line, of which one matches the pattern
sessions_match() { control "$1" --json show sessions | tr -d '\n' | grep -Eq -- "$2"; }

# sessions_count: nothing where the server does not answer
sessions_count() { local list; list=$(control server --json show sessions 2>/dev/null) && grep -c '"user"' <<<"$list"; }
no_sessions() { [ "$(sessions_count)" = 0 ]; }

# pings NS ADDRESS: it answers, if not to the first packet, then to one of the next five seconds
pings() { in_ns "$1" ping -q -c 1 -i 0.2 -w 5 "$2"; }
# silent NS ADDRESS: no answer
silent() { ! in_ns "$1" ping -q -c 2 -i 0.2 -W 1 "$2"; }

# has_ipv6: the client has an address of the IPv6 pool
has_ipv6() { ip -n "$cli" -6 -o addr show scope global | grep -q ' 2001:db8:2:'; }

inner_ipv6() { ip -n "$cli" -6 -o addr show scope global | grep -o '2001:db8:2:[0-9a-f:]*' | head -n 1; }

# session_id: of the server's first session
session_id() { control server --json show sessions | grep -o '"session": *"[^"]*' | head -n 1 | cut -d'"' -f4; }

# up: the tunnel carries a ping to the server's inner address
up() { wait_for "${1:-15}" pings "$cli" 10.0.0.1; }

# transfer BYTES ADDRESS [SEED]: a checked TCP stream both ways between $cli and the server's ADDRESS inside
transfer() {
  local pid status
  in_ns "$srv" "$BUILD/tests/e2e/blob" serve "$2" 5001 "$1" "${3:-7}" >"$work/blob-server.log" 2>&1 &
  pid=$!
  wait_for 5 in_ns "$srv" sh -c "ss -ltn | grep -q :5001" || return 1
  in_ns "$cli" "$BUILD/tests/e2e/blob" connect "$2" 5001 "$1" "${3:-7}" >"$work/blob-client.log" 2>&1
  status=$?
  wait "$pid" || status=1
  cat "$work/blob-server.log" "$work/blob-client.log"
  return $status
}

# tunnels NS: names of the TUN interfaces in a namespace
tunnels() { ip -n "$1" -o link show type tun 2>/dev/null | awk -F': ' '{print $2}'; }
no_tunnels() { [ -z "$(tunnels "$1")" ]; }
