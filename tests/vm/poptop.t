#!/bin/bash
# Our pptpc against poptop and pppd, and what poptop fails of RFC 2637: under a user-mode-linux kernel, since pppd needs /dev/ppp.
cd "$(dirname "$0")/../.." || exit 2
tests/vm/uml-run -t 360 env BUILD="${BUILD:-$PWD}" tests/vm/guest-poptop
status=$?
[ $status -ne 77 ] || { echo "1..0 # SKIP user-mode-linux is not installed"; exit 0; }
exit $status
