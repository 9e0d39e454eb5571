#!/bin/sh
# The shared library exports the functions that the installed headers declare: all of them, and nothing else.
set -eu

srcdir=${srcdir:-.}
lib=libpptp/.libs/libpptp.so
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

grep -ho 'PPTP_API [^(]*(' "$srcdir"/libpptp/pptp/*.h | sed -n 's/.*[ *]\(pptp_[a-z0-9_]*\)($/\1/p' | sort >"$dir/headers"
sed -n 's/^[[:space:]]*\(pptp_[a-z0-9_]*\);$/\1/p' "$srcdir/libpptp/libpptp.map" | sort >"$dir/map"
[ -s "$dir/headers" ] || { echo "no function found in $srcdir/libpptp/pptp/*.h"; exit 1; }

echo "headers and libpptp.map (< only declared, > only in the map):"
diff "$dir/headers" "$dir/map"
[ -e "$lib" ] || { echo "no shared library was built"; exit 77; }

# The rest of nm's names are the version node itself and what the linker adds.
nm -D --defined-only "$lib" | sed -n 's/^[0-9a-f]* [A-Z] \([a-zA-Z0-9_]*\)@@LIBPPTP_0$/\1/p' | sort >"$dir/exports"
nm -D --defined-only "$lib" | grep -v ' A LIBPPTP_0' | grep -v '@@LIBPPTP_0$' >"$dir/other" || :
echo "headers and $lib (< only declared, > only exported):"
diff "$dir/headers" "$dir/exports"
[ ! -s "$dir/other" ] || { echo "exported without a version:"; cat "$dir/other"; exit 1; }
wc -l <"$dir/exports" | sed 's/$/ functions/'
