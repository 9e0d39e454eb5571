#!/bin/bash
# Limits and users: what is refused, in which words, what works again afterwards, and a reload that disturbs nobody.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "$0")/lib.sh"
plan 35
topology
address "$cli" eth0 192.0.2.3/24

ended() { gone "$1"; }
news() { tail -n +$((printed + 1)) "$work/server.log"; }
counter() { control server show counters | sed -n "s/^$1  *//p"; }
sessions_are() { [ "$(sessions_count)" = "$1" ]; }
heard() { grep -Eq -- "$1" <(news); }

# open_session NAME USER WORD...: a client of its own, with its words in NAME.log and its pid in pid[NAME].
declare -A pid
open_session() {
  local name=$1
  printed=$(wc -l <"$work/server.log")
  printf 'secret\n' >"$work/password"; chmod 600 "$work/password"
  rm -f "$work/$name.log"
  spawn "$name" "$cli" "$pptpc" -s "$work/$name.sock" 192.0.2.1 user "$2" password-file "$work/password" "${@:3}"
  pid[$name]=$!
}
is_connected() { grep -q '^Connected' "$work/$1.log"; }
connected() { wait_for 10 is_connected "$1"; }
has_address() { control server show sessions | grep -q " $1 "; }

# refused TEXT NAME STATUS WORDS LINE: the client NAME ends with this status and words; the server says LINE.
refused() {
  local status
  wait_for 15 ended "${pid[$2]}"
  wait "${pid[$2]}"
  status=$?
  is "$1: the exit status" $status "$3"
  like "$1: the client's words" "$(cat "$work/$2.log")" "$4"
  ok "$1: the server's words" wait_for 5 heard "$5"
}

users 'alice * secret 10.0.0.10' 'bob * secret *' 'carol * secret * sessions=2' 'dave * secret * from=192.0.2.3' 'eve * secret 10.0.0.11-10.0.0.12'
server 'pool = {"10.0.0.100-10.0.0.101"}' 'sessions-per-user = 1' 'max-sessions = 4' 'calls-per-connection = 1' 'pool-ipv6 = {}'

# --- the user's own limits ------------------------------------------------------------------------------------

open_session a1 alice
ok "a user with an address of his own" connected a1
ok "has it" wait_for 5 has_address 10.0.0.10
open_session a2 alice
refused "sessions-per-user" a2 8 'alice.*\(error 649\)' 'event=auth .*user="alice" method=mschap2 result=refused reason="too many sessions of this user"'
ok "the first session lives" pings "$cli" 10.0.0.1
stop "${pid[a1]}"
wait_for 5 sessions_are 0
open_session a2 alice
ok "after it, the user may come again" connected a2

open_session e1 eve
connected e1
ok "a user with a range of his own has its first address" wait_for 5 has_address 10.0.0.11
stop "${pid[e1]}"

open_session d1 dave
refused "a caller from a wrong address" d1 8 'dave.*\(error 649\)' 'event=auth .*user="dave" .*reason="caller address not allowed"'
open_session d1 dave bind-address 192.0.2.3
ok "the same user from his own address" connected d1
stop "${pid[d1]}"
wait_for 5 sessions_are 1

# --- the pool ---------------------------------------------------------------------------------------------------

open_session c1 carol; connected c1
open_session c2 carol
ok "sessions= in the users file wins" connected c2
soon "the pool is taken" '^ipv4 +2 +2 +0 +0$' control server show pools
open_session b1 bob
refused "an exhausted pool" b1 7 'the address pool is exhausted' 'event=session-down .*user="bob" reason="the address pool is exhausted"'
soon_is "is counted" 1 counter 'pool exhausted'
wait_for 5 sessions_are 3
stop "${pid[c1]}"
wait_for 5 sessions_are 2
open_session b1 bob
ok "a freed address works again" connected b1

# --- sessions in all, calls of one connection ----------------------------------------------------------------------

open_session d1 dave bind-address 192.0.2.3
wait_for 10 ended "${pid[d1]}"
wait_for 5 sessions_are 3
open_session d2 eve
ok "the fourth session of four" connected d2
open_session x1 alice
refused "max-sessions" x1 5 'refused the call: it is busy' 'event=call-refused peer=192\.0\.2\.2 reason="max-sessions is reached"'
soon_is "the others live" 4 sessions_count

stop "${pid[d2]}"
stop "${pid[c2]}"
wait_for 5 sessions_are 2
# shellcheck disable=SC2016
is "calls of one connection: the first is answered, the second refused for want of resources" "$(in_ns "$cli" perl -MIO::Socket::INET -e '
  my $s = IO::Socket::INET->new(PeerAddr => "192.0.2.1:1723") or die "connect: $!";
  sub get { my $n = shift; my $b = ""; while (length($b) < $n) { sysread($s, $b, $n - length($b), length($b)) or die "closed" } return $b; }
  syswrite($s, pack("n2Nn2n2N2n2a64a64", 156, 1, 0x1a2b3c4d, 1, 0, 0x100, 0, 3, 3, 0, 0, "test", "test"));
  get(156);
  for my $call (1, 2) {
    syswrite($s, pack("n2Nn2n2N4n4a64a64", 168, 1, 0x1a2b3c4d, 7, 0, $call, $call, 300, 100000, 3, 3, 64, 0, 0, 0, "", ""));
    my ($type, $result, $error) = unpack("x8nx6CC", get(32));
    print "$type:$result:$error ";
  }')" '8:1:0 8:2:4 '
wait_for 5 sessions_are 2

# --- reload ---------------------------------------------------------------------------------------------------------

control server --json show sessions | grep '"session":' | sort >"$work/before"
printed=$(wc -l <"$work/server.log")
users 'alice * secret 10.0.0.10' 'bob * changed *' 'carol * secret *' 'frank * secret 10.0.0.20'
kill -HUP "$server_pid"
ok "SIGHUP reads the users anew" wait_for 5 heard 'event=reload .*users=4'
is "and drops no session" "$(control server --json show sessions | grep '"session":' | sort)" "$(cat "$work/before")"
open_session f1 frank
ok "a new user is known" connected f1
stop "${pid[f1]}"
stop "${pid[b1]}"
wait_for 5 sessions_are 1
open_session b1 bob
refused "a changed password" b1 8 'Wrong user name or password' 'user="bob" .*reason="wrong password"'

printed=$(wc -l <"$work/server.log")
users 'alice * secret 10.0.0.10' 'bob * secret *' 'broken * secret not-an-address' 'lonely'
control server reload
ok "a bad file: an error with file and line" wait_for 5 heard "error=\"$work/chap-secrets:3: 'not-an-address' is no address"
ok "another for its other bad line" wait_for 5 heard "$work/chap-secrets:4: "
ok "nothing changes" wait_for 5 heard 'event=reload .*unchanged'
open_session f1 frank
ok "who was known is known" connected f1
