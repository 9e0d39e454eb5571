#!/usr/bin/env bash
# shellcheck disable=SC2119,SC2120,SC2317
# What pptpalg's gates live through: a kill of either process or both, and a next start that adopts them, lets them age and can clear
# them; a former process of another version; thousands of connections; each data path.
# shellcheck source=tests/e2e/alg.sh
. "$(dirname "$0")/alg.sh"

plan 72
flows=2000
[ "${E2E_QUICK:-0}" = 1 ] && flows=200
alg_topology
masquerade
gates() { alg_json gates "map(select(.state == \"$1\")) | length"; }
# gates_are NUMBER: the kernel has so many
gates_are() { [ "$(gre_entries)" = "$1" ]; }
# killed PID...: and all of them are gone
killed() { kill -9 "$@" 2>/dev/null; wait_for 5 gone "$@"; }
next_start() { gone "$gateway_pid" || wait_for 5 gone "$gateway_pid"; gateway_again; }

# --- killed -----------------------------------------------------------------------------------------------------------
gateway_start 'poll-interval = "1s"' 'adopted-timeout = "60s"'
for who in worker monitor both; do
  ok "two calls" two_calls
  pids=("$(worker "$gateway_pid")" "$gateway_pid")
  case $who in
  worker) ok "the worker is killed" killed "${pids[0]}" ;;
  monitor) ok "the monitor is killed" killed "${pids[1]}" ;;
  both) ok "both are killed" killed "${pids[@]}" ;;
  esac
  ok "the other process ends by itself" wait_for 5 gone "${pids[@]}"
  soon_is "the gates are there" 4 gre_entries
  ok "and carry data" both_carry
  next_start
  soon_is "the next start has adopted them" 4 gates adopted
  ok "they still carry data" both_carry
  ok "a client that dials anew takes the place of its adopted call, another one does not" talk <<END
c1 in $in1
s1 in $srv
$(connection c1 s1)
$(outgoing c1 7 s1 21)
$(data c1 7 s1 21)
$(data d1 7 s2 22)
END
  ok "whose gates are gone" wait_for 5 gates_are 4
  fails "a call can't be cleared by a wrong name" 'no such call: adopted-0' alg clear adopted-0
  ok "an adopted call is cleared by hand" alg clear "$(alg_json gates 'map(select(.state == "adopted"))[0].call')"
  ok "and takes its gates along" wait_for 5 gates_are 2
  say fresh
  ok "the other ends with its connection" wait_for 5 gates_are 0
done
gateway_stop

# --- adopted gates age ------------------------------------------------------------------------------------------------
gateway_start 'poll-interval = "1s"' 'adopted-timeout = "8s"'
two_calls >/dev/null
killed "$gateway_pid" "$(worker "$gateway_pid")"
next_start
soon_is "two calls adopted" 4 gates adopted
other_is_gone() { one_carries >/dev/null; gates_are 2; }
ok "one that is silent goes, while another carries data" wait_for 20 other_is_gone
ok "which lives on" one_carries
ok "when it is silent, it goes as well" wait_for 8 gates_are 0

# --- another version ---------------------------------------------------------------------------------------------------
two_calls >/dev/null
killed "$gateway_pid" "$(worker "$gateway_pid")"
printf 'PALG\377\377and what the future brings' >"$work/state"
# shellcheck disable=SC2016
spawn alg "$gw" sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=state exec "$@" 3<"$0"' "$work/state" "$pptpalg" -f -c "$work/alg.conf"
gateway_pid=$!
ok "a start with a state of another version" wait_for 5 alg status
ok "which says so" wait_for 5 logged alg 'event=handover error="the state of the former process is of another form'
soon_is "has adopted all gates" 4 gates adopted
ok "which carry data" both_carry
gateway_stop
is "and are gone when it stops" "$(gre_entries)" 0

# shellcheck disable=SC2016
spawn alg "$gw" sh -c 'exec 3<"$0"; dd bs=1 count=3 <&3 >/dev/null 2>&1; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=state exec "$@"' \
  "$work/state" "$pptpalg" -f -c "$work/alg.conf"
gateway_pid=$!
ok "a start with a state of which three have died" wait_for 5 alg status
ok "does not touch it" wait_for 5 logged alg 'event=handover error="3 processes have ended while they took over'
gateway_stop

# --- thousands ---------------------------------------------------------------------------------------------------------
# Two starts of the service manager's fail where it is told so: by an error in the file, and after everything was taken.
gateway_config alg 'max-connections-per-source = 0' 'max-half-open = 0' 'poll-interval = "1s"'
sed '$ a nat = nonsense' "$work/alg.conf" >"$work/wrong.conf"
sed 's,^control-socket.*,control-socket = "/nonexistent/folder/sock",' "$work/alg.conf" >"$work/unable.conf"
# shellcheck disable=SC2016
spawn manager "$gw" "$BUILD/tests/e2e/fdstore" sh -c 'cd "$0"
  for c in wrong unable alg; do ! [ "$c" = alg ] && ! rm "$c" 2>/dev/null || exec "$1" -f -c "$c.conf"; done' "$work" "$pptpalg"
manager_pid=$!
ok "a gateway under a service manager" wait_for 10 alg status
many() {
  ends
  for ((i = 0; i < flows; i++)); do
    printf 'n%d in %s\nm%d in %s\nn%d connects 192.0.2.1\nm%d accepts L\n' $i "$in1" $i "$srv" $i $i
  done
}
many >"$work/many"
ok "$flows connections" talk <"$work/many"
alg_is "are known" "$flows" counters .connections_now
last=$((flows - 1))
# the n-th connection's beginning and a call
call_of() {
  printf '%s sends SCCRQ\n%s gets SCCRQ\n%s sends SCCRP\n%s gets SCCRP <Result 1>\n' "n$1" "m$1" "m$1" "n$1"
  outgoing "n$1" $((3000 + $1)) "m$1" $((100 + $1))
  data "n$1" $((3000 + $1)) "m$1" $((100 + $1))
}
ok "calls on the first and the last" talk <<END
$(call_of 0)
$(call_of $last)
END
# restored STARTS CALLS
restored() {
  [ "$(grep -c "event=start version" "$work/manager.log")" = "$1" ] &&
    logged manager "event=handover restored-flows=$flows restored-calls=$2 lost-flows=0" && alg status
}
kill -HUP "$(awk '/^started/ {p = $2} END {print p}' "$work/manager.log")"
ok "all go over to the process that has read the configuration anew" wait_for 20 restored 2 2
ok "calls go on, and new ones are made" talk <<END
$(data n0 3000 m0 100)
$(data n$last $((3000 + last)) m$last $((100 + last)))
$(call_of 1)
$(call_of $((flows / 2)))
END
touch "$work/wrong" "$work/unable"
kill -HUP "$manager_pid"
ok "and to one that the service manager starts, though two starts fail" wait_for 30 restored 3 4
is "which they did" "$(grep -cE '^ended [0-9]+ exit 1' "$work/manager.log")" 2
ok "calls go on" talk <<END
$(data n0 3000 m0 100)
$(data n$last $((3000 + last)) m$last $((100 + last)))
END
say fresh
ok "all end" wait_for 20 gates_are 0
run kill -TERM "$manager_pid"
ok "and the gateway" wait_for 20 gone "$manager_pid"

# --- other data paths --------------------------------------------------------------------------------------------------
# survives NAME: calls on this data path over a hand-over
survives() {
  ok "$1: two calls" two_calls
  starts=$(grep -c event=start "$work/alg.log")
  anew() { [ "$(grep -c event=start "$work/alg.log")" -gt "$starts" ] && alg status; }
  kill -USR2 "$gateway_pid"
  ok "$1: the gateway hands over to itself" wait_for 10 anew
  ok "$1: data goes on" both_carry
  alg_is "$1: and is counted on" 8 flows '[.[] | select(.kind | startswith("gre")) | .packets] | add'
  say fresh
  alg_is "$1: the calls end" 0 gates length
  gateway_stop
}
gateway_start 'datapath = "user"' 'poll-interval = "1s"'
survives user
fails "user: no table is left" 'No such file' in_ns "$gw" nft list table inet pptpalg
gateway_start 'datapath = "bpf"' 'poll-interval = "1s"'
survives "$(alg_json status .datapath)"
