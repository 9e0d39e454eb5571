#!/bin/bash
# What users see of the gateway's restarts: tunnels of real clients carry a transfer across a hand-over, a reload, an upgrade and the
# service manager's restart, by each data path, and lose next to nothing; after a crash they are back. What becomes of each call is
# 32-alg-restart.t's.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 63
alg_topology
users 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11'
size=10000000
[ "${E2E_QUICK:-0}" = 1 ] && size=3000000

flow_numbers() { alg_json flows '[.[] | select(.kind == "control up").session] | sort | join(" ")'; }
session_ids() { control server --json show sessions | field session | sort | tr '\n' ' '; }
starts() { cat "$work/alg.log" "$work/manager.log" 2>/dev/null | grep -c event=start; }
started() { [ "$(starts)" -gt "$before" ] && alg status; }

# two_tunnels: alice by IPv4 and bob by IPv6, whose echoes notice a dead control connection within eight seconds
two_tunnels() {
  wait_for 30 no_sessions
  local echoes='echo-interval 1s echo-timeout 7s lcp-echo-interval 1s lcp-echo-failures 7'
  # shellcheck disable=SC2086
  { pptpc_at "$in1" alice alice $echoes; server_address=2001:db8:1::1 pptpc_at "$in2" bob bob $echoes; }
  ok "$1: two tunnels" wait_for 30 ping_all 10.0.0.1 "$in1" "$in2"
  sessions=$(session_ids) flows=$(flow_numbers)
}

# replaced PORT COMMAND...: the command makes another process serve, while a transfer goes one way through one tunnel and 500 pings a
# second through the other; $served and $carried are how these went, $lost is how many pings had no answer
replaced() {
  local port=$1; shift
  transfer_at "$in1" $size 10.0.0.1 "$port" >"$work/transfer.out" 2>&1 &
  transfer_pid=$!
  wait_for 10 in_ns "$srv" sh -c "ss -tn state established | grep -q :$port"
  : >"$work/ping.log"
  spawn ping "$in2" ping -q -n -i 0.002 -W 1 10.0.0.1
  ping_pid=$!
  before=$(starts)
  run "$@"
  wait_for 30 started; served=$?
  wait $transfer_pid; carried=$?
  kill -INT "$ping_pid"; wait_for 30 gone "$ping_pid"
  lost=$(awk '/packets transmitted/ {print $1 - $4}' "$work/ping.log")
  note "$(grep transmitted "$work/ping.log")"
}
# under_load NAME PORT COMMAND...: that, once. Where other work keeps a server or client from its sockets for too long, pings are lost
# without any restart; then once more, as one that loses them loses them every time.
under_load() {
  local name=$1 port=$2 tries=0; shift 2
  until replaced $((port + 100 * tries)) "$@"; [ "${lost:-999}" -le "${may_lose:-20}" ] || [ $((tries += 1)) = 5 ] ||
    [ "$served$carried" != 00 ]; do :; done
  is "$name: another process serves" "$served" 0
  is "$name: the transfer has gone on, unharmed" "$carried" 0
  ok "$name: of the pings, ${lost:-all} are lost" test "${lost:-999}" -le "${may_lose:-20}"
  is "$name: the flows are the same" "$(flow_numbers)" "$flows"
  is "$name: the sessions are the same" "$(session_ids)" "$sessions"
}

# --- by itself, with each data path -------------------------------------------------------------------------------------

translator none
server 'echo-interval = 1s' 'echo-timeout = 7s' 'lcp-echo-interval = 1s' 'lcp-echo-failures = 7'
port=5000 may_lose=20
for datapath in conntrack user bpf; do
  gateway_stop
  gateway_start "datapath = \"$datapath\"" 'poll-interval = "1s"'
  two_tunnels "$datapath"
  may_lose=20
  [ "$datapath" != user ] || may_lose=60 # what the transfer leaves no room for in a socket that nobody reads meanwhile
  under_load "$datapath, SIGUSR2" $((port += 1)) kill -USR2 "$gateway_pid"
  if [ "$datapath" = conntrack ]; then
    gateway_config alg 'datapath = "conntrack"' 'poll-interval = "1s"' 'max-calls-per-client = 7'
    under_load "reload" $((port += 1)) kill -HUP "$gateway_pid"
    is "reload: what was changed is in force" "$(alg_json status .calls_limit_per_client)" 7
    began=$(now_ms)
    passed() { [ "$(now_ms)" -ge $((began + $1)) ]; }
    ok "when the time of all echoes is over" wait_for 30 passed 8500
    is "the sessions are there" "$(session_ids)" "$sessions"
    ok "one hangs up in order" stop "${pid[bob]}"
    alg_is "and its gates are gone" 2 gates length
  else
    stop "${pid[bob]}"
  fi
  stop "${pid[alice]}"
  alg_is "$datapath: no connection is left" 0 counters .connections_now
done

# --- an upgrade ---------------------------------------------------------------------------------------------------------

gateway_stop
mkdir "$work/sbin"
cp "$pptpalg" "$work/sbin/pptpalg"
gateway_config alg 'datapath = "conntrack"'
spawn alg "$gw" "$work/sbin/pptpalg" -f -c "$work/alg.conf"
gateway_pid=$!
wait_for 30 alg status
two_tunnels upgrade
upgrade() { cp "$pptpalg" "$work/sbin/pptpalg.new" && mv "$work/sbin/pptpalg.new" "$work/sbin/pptpalg" && kill -USR2 "$gateway_pid"; }
under_load upgrade 5010 upgrade
is "upgrade: it is the new file that runs" "$(stat -L -c %i "/proc/$gateway_pid/exe")" "$(stat -c %i "$work/sbin/pptpalg")"

run rm "$work/sbin/pptpalg"
under_load "file gone" 5020 kill -USR2 "$gateway_pid"

# --- crashes -------------------------------------------------------------------------------------------------------------

stop "${pid[alice]}"; stop "${pid[bob]}"
wait_for 30 prints 0 gre_entries
: >"$work/alice.log"
pptpc_at "$in1" alice alice retry retry-network 300ms retry-ended 300ms retry-max 2s
ok "a tunnel that comes back by itself" wait_for 30 pings "$in1" 10.0.0.1
# rests COMMAND...: the client does nothing meanwhile. What it dials while there is no gateway is the box's own affair.
rests() {
  local w; w=$(worker "${pid[alice]}")
  sessions=$(session_ids)
  kill -STOP "$w"
  "$@"
  kill -CONT "$w"
}
# The old gates would still carry data, until the client wakes up and sees that its control connection is gone.
back() { local now; now=$(session_ids); [ -n "$now" ] && [ "$now" != "$sessions" ] && pings "$in1" 10.0.0.1; }
killed() {
  run kill -9 "$@"
  wait_for 30 gone "$gateway_pid" "$@"
  gates=$(gre_entries)
  gateway_again
}
rests killed "$(worker "$gateway_pid")"
is "the worker is killed: so the monitor ends, and the gates stay" "$gates" 2
ok "the tunnel is back" wait_for 60 back
rests killed "$gateway_pid" "$(worker "$gateway_pid")"
is "both are killed: the gates of both calls stay" "$gates" 4
ok "the tunnel is back" wait_for 60 back
gateway_stop
stop "${pid[alice]}"

# --- by way of a service manager ------------------------------------------------------------------------------------

spawn manager "$gw" "$BUILD/tests/e2e/fdstore" "$pptpalg" -f -c "$work/alg.conf"
manager_pid=$!
ok "the gateway under a service manager" wait_for 30 logged manager '^ready'
two_tunnels "service manager"
under_load "service manager's restart" 5011 kill -HUP "$manager_pid"
stop "${pid[bob]}"; stop "${pid[alice]}"
: >"$work/alice.log"
pptpc_at "$in1" alice alice retry retry-network 300ms retry-ended 300ms retry-max 2s
ok "a tunnel" wait_for 30 pings "$in1" 10.0.0.1
crashed() {
  before=$(starts)
  run kill -9 "$(awk '/^started/ {p = $2} END {print p}' "$work/manager.log")"
  ok "killed: the service manager starts another one" wait_for 30 started
}
rests crashed
ok "the tunnel is back" wait_for 60 back
stop "${pid[alice]}"
ok "it is stopped in order" stop "$manager_pid"
is "no gate stays" "$(gre_entries)" 0
stop "$server_pid"

# --- in the middle of everything ---------------------------------------------------------------------------------------

gateway_start 'id-rest = "0"'
ok "a call that is up, one half cleared, one half made, and half a message" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 8 s1 10)
c1 sends CCRQ <Call-ID 8>
s1 gets CCRQ <Call-ID ?x8>
$(outgoing c1 7 s1 9)
c1 sends OCRQ <Call-ID 11>
s1 gets OCRQ <Call-ID ?x11>
c1 sends hex 001000011a2b3c
END
before=$(starts)
run kill -USR2 "$gateway_pid"
ok "are handed over" wait_for 30 started
ok "and go on" talk <<END
$(data c1 7 s1 9)
c1 sends hex 4d000500000000002a
s1 gets EchoRQ <Identifier 42>
s1 sends OCRP <Call-ID 12> <Peer-Call-ID @x11> + CDN <Call-ID 10>
c1 gets OCRP <Call-ID ?y11> <Peer-Call-ID 11>
c1 gets CDN <Call-ID 10>
c1 gre @y11 reaches s1 as 12
s1 gre @x11 reaches c1 as 11
s1 gre @x8 fades from c1
c1 sends CCRQ <Call-ID 7>
s1 gets CCRQ <Call-ID @c1_at_s1>
s1 sends CDN <Call-ID 9>
c1 gets CDN <Call-ID @s1_at_c1>
s1 gre @c1_at_s1 fades from c1
END
say fresh
