# shellcheck shell=bash disable=SC2034
# What the tests of crowds, losses, crashes and diagnoses (10 and up) share, on top of lib.sh.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# field KEY: the values of a key in the JSON on standard input, one a line, without quotes
field() { tr -d '\n' | grep -oE "\"$1\": *(\"[^\"]*\"|[^,}]*)" | sed -E 's/^"[^"]*": *//; s/^"(.*)"$/\1/'; }

# value SIDE KEY WORD...: the first value of a key in what `pptpctl WORD...` shows
value() { local side=$1 key=$2; shift 2; control "$side" --json "$@" 2>/dev/null | field "$key" | head -n 1; }

# here NAME COMMAND...: as ok, but in this shell, so that what the command sets stays
here() { local name=$1; shift; if "$@"; then pass "$name"; else note "command: $*"; fail "$name"; fi; }

# above NUMBER COMMAND...: the command prints more than that
above() { local floor=$1 got; shift; got=$("$@" 2>/dev/null); [ -n "$got" ] && [ "$got" -gt "$floor" ]; }

# state TUNNEL STATE / no_tunnel_is STATE: what the client says about its tunnels
states() { control client --json show sessions 2>/dev/null | field state | sort | uniq -c | awk '{printf "%s%s=%s", n++ ? " " : "", $2, $1}'; }
all_are() { local n; n=$(control client --json show sessions 2>/dev/null | field state | grep -cx "$1"); [ "$n" = "$2" ]; }

# worker PID: the unprivileged child of a monitor
worker() { pgrep -P "$1" | head -n 1; }

# faulty_topology WORD...: server and client with the bridge `impair` between them, which takes these words; $impair_pid.
#
#   $srv eth0 192.0.2.1 ---- a [$mid: impair] b ---- 192.0.2.2 eth0 $cli
faulty_topology() {
  netns srv; netns cli; netns mid
  srv=$ns_prefix-srv cli=$ns_prefix-cli mid=$ns_prefix-mid
  cable "$srv" eth0 "$mid" a
  cable "$cli" eth0 "$mid" b
  address "$srv" eth0 192.0.2.1/24 2001:db8:1::1/64
  address "$cli" eth0 192.0.2.2/24 2001:db8:1::2/64
  offloads_off
  spawn impair "$mid" "$BUILD/tests/e2e/impair" a b "$@"
  impair_pid=$!
  wait_for 5 logged impair ready || { fail "impair starts"; return 1; }
}

# Packet sockets see packets as sent: without this, TCP segments of 64 KiB with no checksum.
offloads_off() {
  local ns
  for ns in "$srv" "$cli"; do in_ns "$ns" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1; done
}

# service LINE...: starts `pptpc -c FILE` in $cli with these lines as its configuration; $client_pid is its monitor.
service() {
  {
    printf 'control-socket = "%s"\nlog-level = "debug"\n' "$work/pptpc.sock"
    printf '%s\n' "$@"
  } >"$work/pptpc.conf"
  chmod 600 "$work/pptpc.conf"
  spawn client "$cli" "$pptpc" -c "$work/pptpc.conf"
  client_pid=$!
  wait_for 10 control client status || { fail "the client's service starts"; return 1; }
}

# foreground WORD...: pptpc in $cli until it ends; its words in $words, its status in $status
foreground() {
  note "+ [$cli] pptpc $*"
  words=$(ip netns exec "$cli" timeout "${limit:-60}" "$pptpc" -s "" "$@" 2>&1 </dev/null); status=$?
  printf '%s\n' "$words" | sed 's/^/#   /'
}
