#!/bin/bash
# What the gateway shows of its work: tables as text and JSON, the trace, metrics, its log.
# shellcheck source=tests/e2e/alg.sh disable=SC2119
. "$(dirname "$0")/alg.sh"
plan 65
alg_topology
trace=$work/trace/alg.trace
mkdir "$work/trace"
translator pptpalg 'poll-interval = "1s"' 'idle-timeout = "100s"' 'keep-with-control = false' 'metrics = "127.0.0.1:9323"' \
  'server inside { address = "192.0.2.254"
  to = "10.1.0.2" }' \
  'policy two { source = {"10.2.0.0/24"} }' \
  "trace { file = \"$trace\"
  size = \"10k\"
  files = 3
  level = \"verbose\"
  flags = {\"all\"} }"

ok "two calls outwards with the same id, one inwards" talk <<END
$(ends)
I in $in1 at 10.1.0.2
I listens
i in $in1
x in $ext
$(connection c1 s1)
$(connection d1 s2)
$(outgoing c1 7 s1 9)
$(outgoing d1 7 s2 10)
$(data c1 7 s1 9)
$(data c1 7 s1 9)
d1 gre @s2_at_d1 size 100 reaches s2 as 10
$(connection x i 192.0.2.254 I)
$(outgoing x 7 i 9)
END
xid=$(tell d1_at_s2)

# --- columns ------------------------------------------------------------------------------------------------------------

keys() { alg_json "$1" "${2:-.[0]} | keys_unsorted | join(\" \")"; }
is "flows: every column" "$(keys flows)" \
  "session kind from to call_id new_from new_to new_call_id interface packets bytes timeout_s state policy"
is "gates: every column" "$(keys gates)" \
  "call direction from to call_id new_from new_to new_call_id age_s flags zone references state timeout_s"
is "xlate: every column" "$(keys xlate .rows[0]), $(keys xlate .)" \
  "owner id public public_id peer source_port time_s, used limit failed resting rows"
is "resources: every column" "$(keys resources)" "group resource kind owner state age_s"
heading() { alg "$1" | grep "^$2  " | tr -s ' '; }
is "flows as text" "$(heading flows session)" \
  "session kind from to call id new from new to new call id interface packets bytes timeout state policy"
is "gates as text" "$(heading gates call)" "call direction from to call id new from new to new call id age flags zone references state timeout"
is "xlate as text" "$(heading xlate owner)" "owner id public public id peer source port time"
is "resources as text" "$(heading resources group)" "group resource kind owner state age"
# Another reader of JSON than the one that all else here is read with.
parsed() {
  local table
  for table in status flows gates xlate resources counters; do
    "$pptpctl" -s "$work/alg.sock" --json alg $table | python3 -c 'import json, sys; json.load(sys.stdin)' || return 1
  done
}
if command -v python3 >/dev/null; then ok "all of them are JSON to Python, too" parsed; else pass "JSON # SKIP no Python"; fi
ok "what there is, is told" grep -q 'clear connection NUMBER' <(alg help)
fails "what there is not, is an error" 'no such command: "nonsense"' alg nonsense

# --- flows --------------------------------------------------------------------------------------------------------------

one() { alg_json flows "[.[] | select($1)][0] | $2"; }
flow() { one ".kind == \"$1\" and (.session | startswith(\"$2\"))" "$3"; }
# What the gates have carried is asked for now and then.
carried() { echo "$(flow "gre up" 1. .packets) $(flow "gre down" 1. .packets) $(flow "gre up" 2. .packets)"; }
wait_for 30 prints "2 2 1" carried
is "flow: the control connection, up" "$(flow "control up" 1 '[.from, .to, .new_from, .new_to] | map(sub(":[0-9]+$"; "")) | join(" ")')" \
  "10.1.0.2 192.0.2.1 192.0.2.254 192.0.2.1"
is "flow: its ports are those of both ends" "$(flow "control down" 1 '[.from, .to] | map(sub(".*:"; "")) | join(" ")')" \
  "1723 $(flow "control up" 1 '.new_from | sub(".*:"; "")')"
is "flow: interface, state and policy" "$(flow "control up" 1 '"\(.interface) \(.state) \(.policy)"')" "in1 open default"
is "flow: interface and state of the way back" "$(flow "control down" 1 '"\(.interface) \(.state)"') $(flow "gre down" 1. .interface)" "out open out"
is "flow: bytes of the control connection" "$(flow "control up" 1 .bytes) $(flow "control down" 1 .bytes)" "324 188"
is "flow: the policy that matches" "$(flow "control up" 2 .policy)" two
is "flow: GRE up" "$(flow "gre up" 1. '"\(.from) \(.to) \(.call_id) \(.new_from) \(.new_to) \(.new_call_id)"')" \
  "10.1.0.2 192.0.2.1 9 192.0.2.254 192.0.2.1 9"
is "flow: GRE down, translated" "$(flow "gre down" 2. '"\(.from) \(.to) \(.call_id) \(.new_from) \(.new_to) \(.new_call_id)"')" \
  "192.0.2.1 192.0.2.254 $xid 192.0.2.1 10.2.0.2 7"
is "flow: packets and bytes, IP header included" "$(flow "gre up" 1. '"\(.packets) \(.bytes)"')" "2 192"
is "flow: the same down" "$(flow "gre down" 1. '"\(.packets) \(.bytes)"')" "2 192"
is "flow: and of the other call" "$(flow "gre up" 2. '"\(.packets) \(.bytes)"') $(flow "gre down" 2. .packets)" "1 132 0"
within() { [ "$1" -gt "$2" ] && [ "$1" -le "$3" ]; }
ok "flow: the time that is left" within "$(flow "gre up" 1. .timeout_s)" 30 100
is "flow: the server inside" "$(flow "control up" 3 '[.from, .to, .new_from, .new_to] | map(sub(":[0-9]+$"; "")) | join(" ")')" \
  "192.0.2.3 192.0.2.254 192.0.2.3 10.1.0.2"
is "flows of one client" "$("$pptpctl" -s "$work/alg.sock" --json alg flows client=10.2.0.2 | jq length)" 4
is "flows of one server" "$("$pptpctl" -s "$work/alg.sock" --json alg flows server=10.1.0.2 | jq length)" 4
like "as text" "$(alg flows)" '1\.[0-9]+ +gre up +10\.1\.0\.2 +192\.0\.2\.1 +9 '

# --- gates, translations, resources -------------------------------------------------------------------------------------

user=
[ "${DATAPATH:-}" != user ] || user=,user
gate() { alg_json gates "[.[] | select(.direction == \"$1\" and (.call | startswith(\"$2\")))][0] | $3"; }
is "gate: up" "$(gate up 2. '"\(.from) \(.to) \(.call_id) \(.flags) \(.zone) \(.references) \(.state)"')" "10.2.0.2 192.0.2.1 10 snat$user in2 2 active"
is "gate: down, with the hole and what becomes of it" "$(gate down 2. '"\(.from) \(.to) \(.call_id) \(.new_to) \(.new_call_id) \(.flags)"')" \
  "192.0.2.1 192.0.2.254 $xid 10.2.0.2 7 dnat,id$user"
is "gate: down, the zone that it comes from, and who refers to it" "$(gate down 2. '"\(.zone) \(.references) \(.state)"')" "out 2 active"
ok "gate: until when the first packet must come" within "$(gate up 3. .timeout_s)" 30 120
ok "gate: until when it may be idle" within "$(gate up 1. .timeout_s)" 30 100
is "gate: one without data waits" "$(gate up 3. .state)" ageing
like "gate: age" "$(gate up 1. .age_s)" '^[0-9]+$'
like "as text" "$(alg gates)" "2\.[0-9]+ +down +192\.0\.2\.1 +192\.0\.2\.254 +$xid "
is "translation: owner, id, public address and id" \
  "$(alg_json xlate '[.rows[] | select(.owner == "10.2.0.2")][0] | "\(.owner) \(.id) \(.public) \(.public_id) \(.peer)"')" \
  "10.2.0.2 7 192.0.2.254 $xid 192.0.2.1"
like "translation: source port and time" "$(alg_json xlate '[.rows[] | select(.owner == "10.2.0.2")][0] | "\(.source_port) \(.time_s)"')" '^[1-9][0-9]+ [0-9]+$'
is "translation: used, limit, failed" "$(alg_json xlate '"\(.used) \(.limit) \(.failed)"')" "6 20000 0"
like "as text" "$(alg xlate)" "10\.2\.0\.2 +7 +192\.0\.2\.254 +$xid"
is "resources: a group with a connection, a call and two gates" \
  "$(alg_json resources '[.[] | select(.group == "1")] | map(.kind) | join(" ")')" "connection call gate gate"
is "resources: with their owners" "$(alg_json resources '[.[] | select(.group == "1")] | map(.owner) | join(" ")')" \
  "10.1.0.2 10.1.0.2 10.1.0.2 192.0.2.1"
is "status" "$(alg_json status '"\(.program) \(.datapath) \(.connections) \(.calls) \(.waiting)"')" "pptpalg ${DATAPATH:-conntrack} 3 3 1"
like "as text" "$(alg status)" 'calls +3'
is "counters" "$(alg_json counters '"\(.connections) \(.calls) \(.gates_added) \(.ids_taken) \(.violations)"')" "3 3 3 6 0"
is "messages, each received and forwarded" "$(alg_json counters '"\(.messages_received_client) \(.messages_received_server) \(.messages_forwarded)"')" "6 6 12"

# --- metrics --------------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2016
metrics() {
  in_ns "$gw" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9323; printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3' | tr -d '\r' | sed '1,/^$/d'
}
metrics >"$work/metrics"
value='-?[0-9.]+(e[+-]?[0-9]+)?|\+Inf|NaN'
is "metrics: no line that Prometheus can't read" \
  "$(grep -vE "^(# (HELP|TYPE) pptpalg_[a-z_]+ .+|pptpalg_[a-z_]+(\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\})? ($value))$" "$work/metrics")" ""
is "metrics: a type for each" "$(grep -c '^# TYPE' "$work/metrics")" "$(grep -v '^#' "$work/metrics" | sed 's/[{ ].*//' | sort -u | wc -l)"
ok "metrics: as many as there are counters" test "$(grep -vc '^#' "$work/metrics")" -ge "$(alg_json counters length)"
like "metrics: calls" "$(cat "$work/metrics")" '^pptpalg_calls_now 3$'
like "metrics: with labels" "$(cat "$work/metrics")" '^pptpalg_messages_received(_total)?\{from="client"\} 6$'
like "metrics: with types" "$(cat "$work/metrics")" '^# TYPE pptpalg_calls_now gauge$'

# --- trace ------------------------------------------------------------------------------------------------------------------

traces() { cat "$trace"* | grep -Eq "$1"; } # by now there may be another file
ok "trace: a message as received" wait_for 30 traces '\[PPTP Outgoing-Call-Request <Call-ID 7>'
ok "trace: and as forwarded" wait_for 30 traces "\[PPTP Outgoing-Call-Request <Call-ID $xid>"
files() { find "$work/trace" -type f | wc -l; }
echoes() { for i in $(seq 300); do printf 'c1 sends EchoRQ <Identifier %d>\ns1 gets EchoRQ\n' "$i"; done; }
talk < <(echoes)
ok "trace: there are as many files as there may be" wait_for 30 prints 3 files
sizes() { find "$work/trace" -type f -size +12k | wc -l; }
is "trace: none is larger than it may be" "$(sizes)" 0
ok "trace: the latest is the first" wait_for 30 grep -q 'Echo-Request <Identifier 0000012[bc]>' "$trace"

# --- log ----------------------------------------------------------------------------------------------------------------------

like "log: a connection, with both ends" "$(cat "$work/alg.log")" 'event=control-up .*client=10\.1\.0\.2 .*server=192\.0\.2\.1'
like "log: a call with its ids" "$(grep event=call-up "$work/alg.log")" "client=10\.2\.0\.2 .*client-id=7 client-xid=$xid server-id=10 server-xid=10"
say fresh

# --- less of a trace -------------------------------------------------------------------------------------------------------

# traced LEVEL FLAG PATTERN: of a conversation with a violation in it
traced() {
  gateway_stop
  rm -f "$trace"*
  gateway_start "trace { file = \"$trace\"
    level = \"$1\"
    flags = {\"$2\"} }"
  ok "trace of $2 at level $1: a conversation" talk <<END
$(ends)
$(connection c1 s1)
$(outgoing c1 7 s1 9)
c1 sends CCRQ <Call-ID 99>
$(data c1 7 s1 9)
fresh
END
  wait_for 30 prints 0 alg_json counters .connections_now
  gateway_stop
  like "trace of $2 at level $1: has this, and nothing else" \
    "$(grep -oE '(error|warning|notice|info|verbose) [a-z]+:' "$trace" | sort -u | tr '\n' ' ')" "$3"
}
traced verbose messages '^info messages: warning messages: $'
traced warning all '^warning messages: $'
traced verbose calls '^info calls: $'
