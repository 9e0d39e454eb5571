#!/bin/bash
# Hostile peers: crowds that say nothing, half messages, noise, forged GRE, and a server that runs out of descriptors. A proper
# client must not notice.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 35
topology
address "$cli" eth0 192.0.2.66/24
ip -n "$srv" addr add 10.8.0.1/32 dev lo
spoof() { in_ns "$cli" "$BUILD/tests/e2e/spoof" "$@"; }
counter() { value server "$1" show counters; }
session_value() { value server "$1" show session "$(value server session show sessions)"; }
# comes_up: a new client is connected while the others are still there, before the handshake's time drives them out
comes_up() {
  local began
  began=$(now_ms)
  client
  up 10 || return 1
  note "up after $(($(now_ms) - began)) ms, beside $(counter half_open_now)"
  above 100 counter half_open_now
}

# --- TCP ---
server 'handshake-timeout = 10s' 'max-connections-per-source = 5000'
spawn idle "$cli" "$BUILD/tests/e2e/spoof" idle 192.0.2.1 1723 1000
idle_pid=$!
ok "a thousand connections that say nothing are made" wait_for 10 logged idle ready
here "a client still connects at once" comes_up
ok "the silent ones are bounded" test "$(counter half_open_now)" -le 256
ok "and gone after the handshake's time" wait_for 8 prints 0 counter half_open_now
stop "$client_pid"; run kill "$idle_pid"
spawn half "$cli" "$BUILD/tests/e2e/spoof" half 192.0.2.1 1723 200
half_pid=$!
ok "two hundred with half a message" wait_for 10 logged half ready
here "a client still connects at once" comes_up
ok "half messages end with the handshake's time" wait_for 8 prints 0 counter half_open_now
run kill "$half_pid"
ok "noise on the control port" spoof junk 192.0.2.1 1723 500
ok "the tunnel is unharmed" pings "$cli" 10.0.0.1
ok "no connection of them is left" wait_for 8 prints 1 counter connections_now

# --- GRE ---
call_id=$(session_value call_id) peer_call_id=$(session_value peer_call_id)
before=$(counter gre_wrong_source)
ok "GRE with the right call id from a wrong source" spoof gre 192.0.2.66 192.0.2.1 "$call_id" 1 1 1000
# Some may be lost where so many come at once.
counted() { above $((${before:-0} + 900)) counter gre_wrong_source || { spoof gre 192.0.2.66 192.0.2.1 "$call_id" 1 1 100; false; }; }
ok "is counted" wait_for 3 counted
is "and none of it reaches the session" "$(session_value gre_bad) $(session_value dropped_bad)" "0 0"
size=20000000
[ "${E2E_QUICK:-0}" = 1 ] && size=2000000
(while spoof gre 192.0.2.66 192.0.2.1 "$call_id" 1 1 500 && spoof flood 192.0.2.66 192.0.2.1 500; do command sleep 0.01; done) 2>/dev/null &
flood_pid=$!
ok "a transfer under a flood of wrong sources and unknown call ids is unharmed" transfer $size 10.0.0.1
kill "$flood_pid"; wait "$flood_pid" 2>/dev/null
ok "unknown call ids are counted" wait_for 5 above 100 counter gre_unknown_call

# From the right address, sequence numbers: a repeated one, one far behind, and jumps ahead. A blind attacker can do that much.
ok "replayed and old sequence numbers from the right address" spoof gre 192.0.2.2 192.0.2.1 "$call_id" 1 0 500
ok "do no harm" wait_for 10 pings "$cli" 10.0.0.1
ok "jumps of the sequence number ahead, to and fro" spoof gre 192.0.2.2 192.0.2.1 "$call_id" 4000000000 123456789 200
ok "end, and data goes on" wait_for 10 pings "$cli" 10.0.0.1
ok "both ways, and unharmed" transfer 1000000 10.0.0.1
is "it is the same session" "$(value server sessions_up show counters)" 2
ok "the same against the client" in_ns "$srv" "$BUILD/tests/e2e/spoof" gre 192.0.2.1 192.0.2.2 "$peer_call_id" 4000000000 123456789 200
ok "ends, and data goes on" wait_for 10 pings "$cli" 10.0.0.1
note "server: $(control server --json show session "$(value server session show sessions)" | tr -d ' \n')"
stop "$client_pid"
wait_for 5 no_sessions

# --- call ids ---
ids=()
for _ in $(seq 12); do
  client; up 5; ids+=("$(session_value call_id)"); stop "$client_pid"; wait_for 5 no_sessions
done
note "call ids: ${ids[*]}"
steps=$(printf '%s\n' "${ids[@]}" | awk 'NR > 1 {print $1 - last} {last = $1}' | sort -u | wc -l)
[ "$steps" -ge 9 ]; is "call ids don't follow a rule that could be guessed" $? 0
is "none came twice" "$(printf '%s\n' "${ids[@]}" | sort -u | wc -l)" 12
stop "$server_pid"

# --- calls on which nobody speaks ---
server 'max-sessions = 4'
# shellcheck disable=SC2016
spawn strangers "$cli" perl -MIO::Socket::INET -e '
  my $s = IO::Socket::INET->new(PeerAddr => "192.0.2.1:1723") or die "connect: $!";
  sub get { my $n = shift; my $b = ""; while (length($b) < $n) { sysread($s, $b, $n - length($b), length($b)) or die "closed" } return $b; }
  $| = 1;
  syswrite($s, pack("n2Nn2n2N2n2a64a64", 156, 1, 0x1a2b3c4d, 1, 0, 0x100, 0, 3, 3, 0, 0, "test", "test"));
  get(156);
  for my $call (1 .. 4) {
    syswrite($s, pack("n2Nn2n2N4n4a64a64", 168, 1, 0x1a2b3c4d, 7, 0, $call, $call, 300, 100000, 3, 3, 64, 0, 0, 0, "", ""));
    get(32);
  }
  print "ready\n";
  sleep 60;'
strangers_pid=$!
ok "four calls on which nobody speaks take all of max-sessions" wait_for 10 logged strangers ready
client
ok "a client comes up all the same" up 10
ok "in the place of the oldest" wait_for 5 prints 1 value server strangers_dropped show counters
run kill "$strangers_pid"
stop "$client_pid"; stop "$server_pid"

# --- descriptors ---
up_or_gone() { pings "$cli" 10.0.0.1 || gone "$client_pid"; }
recovers() { local n; for n in 1 2 3 4 5; do client; wait_for 5 up_or_gone; gone "$client_pid" || return 0; done; return 1; }
poor() { (ulimit -n 64; server 'handshake-timeout = 4s' && echo "$server_pid" >"$work/poor.pid"); }
ok "a server with 64 descriptors starts" poor
server_pid=$(cat "$work/poor.pid")
spawn idle2 "$cli" "$BUILD/tests/e2e/spoof" idle 192.0.2.1 1723 200
idle_pid=$!
wait_for 10 logged idle2 ready
descriptors() { find "/proc/$(worker "$server_pid")/fd" -mindepth 1 | wc -l; }
ok "they are used up" wait_for 10 above 39 descriptors
note "its worker has $(descriptors) descriptors open"
cpu() { awk '{print $14 + $15}' "/proc/$(worker "$server_pid")/stat"; }
busy=$(cpu); began=$(now_ms)
wait_for 5 sh -c "[ \$(awk '{printf \"%d\", \$1 * 1000}' /proc/uptime) -ge $((began + 1000)) ]"
# In hundredths of a second, of those that went by: not half of them.
[ $((($(cpu) - busy) * 10 * 2)) -lt $(($(now_ms) - began)) ]; is "it does not spin on what it can't accept" $? 0
ok "it survives 200 connections" kill -0 "$server_pid"
run kill "$idle_pid"
here "and recovers: a client comes up" recovers
stop "$client_pid"
ok "it ends in order" stop "$server_pid"
ok "and leaves no interface" wait_for 5 no_tunnels "$srv"
