#!/bin/bash
# What went wrong, in words that tell what to do, and by exit status; and the password shows nowhere.
# shellcheck source=tests/e2e/faults.sh disable=SC2119
. "$(dirname "$0")/faults.sh"
plan 35
faulty_topology
printf 'secret\n' >"$work/password"; printf 'not-the-Secret\n' >"$work/wrong"
chmod 600 "$work"/password "$work"/wrong
alice=(user alice password-file "$work/password")

# tells NAME STATUS PATTERN
tells() {
  is "$1: exit status" "$status" "$2"
  like "$1: says so" "$words" "$3"
}

foreground 192.0.2.1 "${alice[@]}"
tells "TCP is refused" 4 'Nothing listens on 192\.0\.2\.1 port 1723'

in_ns "$srv" nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 1723 drop'
foreground 192.0.2.1 "${alice[@]}" connect-timeout 2s
tells "no answer" 4 'does not answer on TCP port 1723'
in_ns "$srv" nft 'delete table ip t'

foreground 203.0.113.1 "${alice[@]}"
tells "no route" 4 'no route to 203\.0\.113\.1'

printf '192.0.2.1 vpn.example.org\n' >"/etc/netns/$cli/hosts"
printf 'hosts: files\n' >"/etc/netns/$cli/nsswitch.conf"
foreground no-such-name.example.org "${alice[@]}"
tells "the name is unknown" 3 'no host named .no-such-name.example.org'
rm "/etc/netns/$cli/nsswitch.conf"
printf 'nameserver 192.0.2.99\n' >"/etc/netns/$cli/resolv.conf"
foreground no-such-name.example.org "${alice[@]}" connect-timeout 2s
tells "no name server answers" 3 'name server'
: >"/etc/netns/$cli/resolv.conf"

server 'max-sessions = 2' 'lcp-restart = 500ms' 'lcp-max-configure = 40'
run kill -USR1 "$impair_pid"
foreground 192.0.2.1 "${alice[@]}" gre-timeout 2s
tells "GRE is blocked on the way" 6 'he control connection is up but no GRE arrives: something on the way blocks IP protocol 47'
run kill -USR2 "$impair_pid"
in_ns "$cli" nft 'add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out meta l4proto gre reject'
foreground 192.0.2.1 "${alice[@]}" gre-timeout 2s
tells "GRE is blocked by this machine" 6 'IP protocol 47'
in_ns "$cli" nft 'delete table ip t'

foreground 192.0.2.1 user alice password-file "$work/wrong"
tells "the password is wrong" 8 'rong user name or password for .alice'
foreground 192.0.2.1 user mallory password-file "$work/password"
tells "the user is unknown" 8 'rong user name or password for .mallory'
soon "the server's log has a line for fail2ban" 'event=auth .*peer=192\.0\.2\.2 user="alice" method=mschap2 result=(refused|failed|bad|denied)' \
  words_of server
foreground 192.0.2.1 "${alice[@]}" allow pap
tells "no method that could encrypt" 1 'none of the methods in allow gives keys'
foreground 192.0.2.1 "${alice[@]}" mppe deny
tells "the server requires encryption" 9 'requires encryption'

stop "$server_pid"
server 'mppe = deny'
foreground 192.0.2.1 "${alice[@]}"
tells "the server refuses encryption" 9 'ncryption is required here'
stop "$server_pid"

users 'alice * secret *' 'bob * secret *'
server 'pool = {"10.0.0.100"}' 'max-connections-per-source = 2'
client mppe require
up
foreground 192.0.2.1 user bob password-file "$work/password" ipv6 no
tells "the server's pool is used up" 7 'neither IPv4 nor IPv6|address pool'
stop "$server_pid"; stop "$client_pid"

server 'accept-outgoing-calls = no' 'accept-incoming-calls = yes'
foreground 192.0.2.1 "${alice[@]}"
tells "the call is refused" 5 'refused the call'
stop "$server_pid"

# --- secrets ---
server 'trace = yes'
client
up
ok "the tunnel with everything logged is up" wait_for 5 pings "$cli" 10.0.0.1
secretive() {
  local pid
  for pid in $(pids_in "$srv") $(pids_in "$cli"); do
    tr '\0' '\n' <"/proc/$pid/cmdline" | grep "$1" && return 1
    tr '\0' '\n' <"/proc/$pid/environ" | grep "$1" && return 1
  done
  return 0
}
stop "$client_pid"
printf 'Xyzzy%s\n' $$ >"$work/secret-file"; chmod 600 "$work/secret-file"
printf 'alice * Xyzzy%s *\n' $$ >"$work/chap-secrets"
control server reload >/dev/null
wait_for 5 logged server 'event=reload .*users=1'
password_file=$work/secret-file client
up
ok "a password shows in no process's arguments or environment" secretive "Xyzzy$$"
stop "$client_pid"
spawn debug "$cli" env PPTPC_PASSWORD="Xyzzy$$" "$pptpc" -d -s "$work/pptpc.sock" 192.0.2.1 user alice
debug_pid=$!
ok "the client takes it from the environment" up 10
ok "and takes it away from there" sh -c "! tr '\\0' '\\n' <'/proc/$(worker "$debug_pid")/environ' | grep -q Xyzzy$$"
in_ns "$cli" "$pptpc" -nv 192.0.2.1 user alice password-file "$work/secret-file" >"$work/nv.log" 2>&1
PPTPC_PASSWORD="Xyzzy$$" in_ns "$cli" "$pptpc" -nv 192.0.2.1 user alice >>"$work/nv.log" 2>&1
printf 'tunnel "x" { server = {192.0.2.1} user = "a" password = "Xyzzy%s" }\n' $$ >"$work/file.conf"; chmod 600 "$work/file.conf"
in_ns "$cli" "$pptpc" -nv -c "$work/file.conf" >>"$work/nv.log" 2>&1
stop "$debug_pid"
nok "no log, and no -nv, shows a password" grep -l "Xyzzy$$" "$work"/*.log
like "but -nv shows the rest" "$(cat "$work/nv.log")" 'password *= *"\(hidden\)"'
