# shellcheck shell=bash disable=SC2034
# The other side of the tests under a PPP kernel: pptp-linux and poptop, each with pppd.
# shellcheck source=tests/e2e/lib.sh disable=SC2119
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

# end_pppd: ends every pppd under this kernel
# shellcheck disable=SC2046
end_pppd() { kill $(pgrep -x pppd); }

bad_lines='error|time-?out|timed out|no response|malformed|not supported|unknown|discard|ProtRej|CodeRej|out of|warn'

# dial [PPPD-OPTION...]: pptp-linux and pppd in $cli to $server_address, our server's by default, as alice; $pppd_pid.
dial() {
  : >"$work/pppd.log"
  spawn pppd "$cli" pppd pty "/usr/sbin/pptp ${server_address:-192.0.2.1} --nolaunchpppd" nodetach noauth nodefaultroute noipdefault \
    user alice password secret debug "$@"
  pppd_pid=$!
}
mschap2_only=(refuse-eap refuse-pap refuse-chap refuse-mschap)

# restart_server LINE...: with these lines in place of the earlier ones.
restart_server() {
  kill "$server_pid" 2>/dev/null; wait_for 10 gone "$server_pid"
  : >"$work/server.log"
  server "$@"
}

# hang_up: pppd ends and the server has forgotten the session.
hang_up() { stop "$pppd_pid" && wait_for 10 no_sessions; }

# end_client: pptpc ends, and poptop's end of it; the next one begins with an empty log.
end_client() { stop "$client_pid" && wait_for 30 no_ppp "$srv" && : >"$work/client.log"; }

# poptop [PPPD-OPTION...]: poptop and pppd in $srv with these options, for alice and bob; $poptop_pid. Ends an earlier one.
poptop() {
  [ -z "${poptop_pid:-}" ] || stop "$poptop_pid"
  printf '%s\n' 'alice * secret 10.0.0.10' 'bob * secret 10.0.0.11' >"$work/pppd-secrets"
  chmod 600 "$work/pppd-secrets"
  local file
  for file in chap pap; do
    [ -e "/etc/ppp/$file-secrets" ] || : >"/etc/ppp/$file-secrets"
    mountpoint -q "/etc/ppp/$file-secrets" || mount --bind "$work/pppd-secrets" "/etc/ppp/$file-secrets" || exit 99
  done
  : >"$work/pppd.log"
  printf '%s\n' 'name pptpd' auth nobsdcomp nodeflate novj debug "logfile $work/pppd.log" "$@" >"$work/options"
  printf 'option %s\nlocalip 10.0.0.1\nremoteip 10.0.0.10-20\n' "$work/options" >"$work/poptop.conf"
  spawn poptop "$srv" /usr/sbin/pptpd -f -c "$work/poptop.conf" -o "$work/options"
  poptop_pid=$!
  wait_for 10 in_ns "$srv" sh -c "ss -ltn | grep -q :1723" || { fail "poptop starts"; exit 1; }
}

# ppps NS: what interfaces of pppd there are, behind the loopback one, which there always is
ppps() { ip -n "$1" -o link | sed -nE 's/^[0-9]+: (lo|ppp[0-9]+):.*/\1/p' | tr '\n' ' '; }
no_ppp() { prints 'lo ' ppps "$1"; }

# lossy PERCENT|0: both ends of the cable lose so many packets.
lossy() {
  local ns
  for ns in "$srv" "$cli"; do
    if [ "$1" = 0 ]; then in_ns "$ns" tc qdisc del dev eth0 root; else in_ns "$ns" tc qdisc add dev eth0 root netem loss "$1%"; fi || return 1
  done
}

# encoding SIDE: "MPPE128 stateless"
encoding() { control "$1" --json show sessions | tr -d '\n' | sed -n 's/.*"encoding": *"\([^"]*\)".*/\1/p'; }

# detail SIDE NAME: a number or word of the only session
detail() {
  local id
  id=$(control "$1" --json show sessions | tr -d '\n' | sed -n 's/.*"session": *"\{0,1\}\([0-9a-f]*\).*/\1/p')
  control "$1" --json show session "$id" | tr -d '\n' | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# clean NAME FILE...: none of the logs tells of trouble.
clean() {
  local name=$1 found; shift
  found=$(grep -HiE -- "$bad_lines" "$@" | grep -v 'tcflush failed') # pppd's own terminal is gone before it flushes it
  is "$name" "$found" ""
}

# link_local NS: the link-local address of the tunnel in it
link_local() { ip -n "$1" -6 -o addr show scope link | awk '$2 ~ /^p/ {sub("/.*", "", $4); print $4; exit}'; }
