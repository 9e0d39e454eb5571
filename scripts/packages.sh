# shellcheck shell=bash disable=SC2034
# Debian packages that the project needs, by purpose, and their installation. Sourced by ./quickstart and ./check.

packages_build="build-essential autoconf automake libtool pkg-config libevent-dev libssl-dev libconfuse-dev libjansson-dev
  libmnl-dev libcap-ng-dev libsystemd-dev libnftables-dev libnetfilter-conntrack-dev"
packages_run="iproute2 iputils-ping procps iperf3"
packages_check="check clang clang-format shellcheck mandoc nftables conntrack tcpdump tshark pptpd pptp-linux ppp user-mode-linux kmod
  ethtool xz-utils curl git python3 jq libbpf-dev llvm systemd"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# packages_missing NAME...: those that are not installed, one a line.
packages_missing() {
  local name
  for name; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in ii*) ;; *) echo "$name" ;; esac
  done
}

# packages_install NAME...: installs what is missing, and starts none of the services that come along.
packages_install() {
  local missing policy=/usr/sbin/policy-rc.d ours=
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing, and only root can install them: ${missing[*]}" >&2
    return 1
  fi
  if ! command -v apt-get >/dev/null; then
    echo "This is no Debian: please install what these packages hold, then run again: ${missing[*]}" >&2
    return 1
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && ours=yes
  fi
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get -qq install -y --no-install-recommends "${missing[@]}" >/tmp/openpptp-apt.$$ 2>&1 ||
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >/tmp/openpptp-apt.$$ 2>&1; }; then
    tail -n 20 /tmp/openpptp-apt.$$ >&2
    rm -f /tmp/openpptp-apt.$$ ${ours:+$policy}
    return 1
  fi
  rm -f /tmp/openpptp-apt.$$ ${ours:+$policy}
}

# The package with clang's sanitizer and fuzzer run-time: its name carries clang's version.
packages_clang_runtime() {
  local version
  version=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
  [ -n "$version" ] && echo "libclang-rt-$version-dev"
}

# build_tree FOLDER CONFIGURE-OPTION...: an out-of-tree build, configured once and made.
build_tree() {
  local folder=$1; shift
  [ -x ./configure ] || { say "making configure"; autoreconf -fi >autoreconf.log 2>&1 || { tail -n 20 autoreconf.log; return 1; }; }
  rm -f autoreconf.log
  mkdir -p "$folder"
  if [ ! -f "$folder/config.status" ]; then
    say "configuring $folder"
    (cd "$folder" && ../configure -q "$@" >configure.log 2>&1) || { tail -n 20 "$folder/configure.log"; return 1; }
  fi
  say "building $folder (about a minute the first time)"
  make -C "$folder" -j"$(nproc)" >"$folder/make.log" 2>&1 || { grep -E 'error|warning' "$folder/make.log" | head -n 20; tail -n 20 "$folder/make.log"; return 1; }
}
