#!/bin/bash
# Authentication: every method, every refusal, in the words of both sides.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 109
topology

long=$(printf '%0255d' 0 | tr 0 x)
# The NT hash of "secret".
users 'alice * secret 10.0.0.10' \
  'hashed * nthash:878d8014606cda29677a44efa1353fc7 *' \
  'hashed2 * {NT}878D8014606CDA29677A44EFA1353FC7 *' \
  '"CORP\\dora" * dorasecret *' \
  'locked * secret * from=203.0.113.0/24' \
  "long * $long *" \
  'blank * "two words # and a hash" *' \
  'elsewhere otherserver secret *'

# password TEXT: what the next client uses
password() { printf '%s\n' "$1" >"$work/pw"; chmod 600 "$work/pw"; }

# dial USER PASSWORD WORD...: starts a client; its words go to a log of its own.
dial() {
  user=$1
  password "$2"
  shift 2
  rm -f "$work/client.log"
  printed=$(wc -l <"$work/server.log")
  password_file=$work/pw client "$@"
}

# The server's lines since the last dial.
news() { tail -n +$((printed + 1)) "$work/server.log"; }
auth_line() { news | grep ' event=auth '; }
news_of() { news | grep -q " event=$1 "; }
methods() { echo "$(control server show session "$(session_id)" | grep -E '^method') / $(control client show session 1 | grep -E '^method')"; }
ended() { gone "$client_pid"; }

# works USER PASSWORD METHOD WORD...: a session comes up, both sides show the method, and there is one line about it.
works() {
  local name=$1 method=$3
  dial "$1" "$2" "${@:4}"
  ok "$name by $method: a tunnel" up 10
  soon "$name by $method: both sides show it" "^method +$method / method +$method\$" methods
  soon "$name by $method: one line of the log" "peer=192\.0\.2\.2 user=\"[^\"]*\" method=$method result=ok" auth_line
  wait_for 5 news_of session-up
  stop "$client_pid"
  wait_for 5 no_sessions
}

# refused NAME STATUS SENTENCE LINE: the client of the last dial ends with this status and sentence, the server logs one line like that.
refused() {
  local status
  wait_for 15 ended
  wait "$client_pid"
  status=$?
  is "$1: the exit status" "$status" "$2"
  like "$1: the client's words" "$(cat "$work/client.log")" "$3"
  if [ -n "$4" ]; then
    soon "$1: the server's line" " event=auth session=[0-9a-f]+ peer=192\.0\.2\.2 $4" auth_line
    is "$1: is the only one" "$(auth_line | grep -c .)" 1
  fi
  wait_for 5 no_sessions
}

# --- every method, of a server that offers all and a client that allows one -------------------------------------

server 'auth = {pap, chap, mschap, mschap2, eap-md5, eap-mschap2}' 'mppe = allow'
for method in pap chap eap-md5; do
  works alice secret $method allow $method mppe deny
  like "alice by $method: no keys, so in clear" "$(news)" 'event=session-up .* encoding="none"'
done
for method in mschap mschap2 eap-mschap2; do
  works alice secret $method allow $method
  like "alice by $method: encrypted" "$(news)" 'event=session-up .* encoding="MPPE128 stateless"'
done
works alice secret mschap2 allow "pap, chap, mschap2, eap-md5"

# --- users and passwords of all kinds ---------------------------------------------------------------------------

works hashed secret mschap2
works hashed2 secret eap-mschap2 allow eap-mschap2
works hashed secret pap allow pap mppe deny
works 'CORP\dora' dorasecret mschap2
works 'CORP\alice' secret mschap2
works long "$long" mschap2
works long "$long" pap allow pap mppe deny
works blank 'two words # and a hash' chap allow chap mppe deny

# --- refusals ---------------------------------------------------------------------------------------------------

for method in pap chap mschap mschap2 eap-md5 eap-mschap2; do
  dial alice wrong allow $method mppe allow
  refused "a wrong password by $method" 8 'Wrong user name or password for .alice.' \
    "user=\"alice\" method=$method result=refused reason=\"wrong password\""
  soon "the session's end has the true reason" ' event=session-down .* reason="the peer failed to authenticate" ' news
done
dial nobody secret
refused "an unknown user" 8 'Wrong user name or password for .nobody.' 'user="nobody" method=mschap2 result=refused reason="unknown user"'
dial 'x" result=ok y="' secret
refused "a name that forges a log line" 8 'Wrong user name or password' 'user="x\\x22 result=ok y=\\x22" method=mschap2 result=refused'
dial elsewhere secret
refused "a user of another server" 8 'Wrong user name or password' 'user="elsewhere" method=mschap2 result=refused reason="unknown user"'
dial locked secret
refused "a caller from elsewhere" 8 '.locked. has no permission to dial in \(error 649\)' \
  'user="locked" method=mschap2 result=refused reason="caller address not allowed"'
dial hashed secret allow chap mppe deny
refused "a method that a hash does not serve" 8 'Wrong user name or password' \
  'user="hashed" method=chap result=refused reason="the method needs the password itself'

# --- nothing in common ------------------------------------------------------------------------------------------

stop "$server_pid"
server 'auth = {mschap2}'
dial alice secret allow "pap, chap" mppe allow
refused "no method in common" 8 'The server asks for an authentication method, mschap2, that is not allowed here \(only chap, pap\)' \
  'user="" method=none result=refused'
soon "the password was not sent" '^auth ok +0$' control server show counters

# --- EAP agreed on, but none of its methods: CHAP comes next ------------------------------------------------------

stop "$server_pid"
server 'auth = {eap-mschap2, mschap}'
works alice secret mschap allow "eap-md5, mschap"
