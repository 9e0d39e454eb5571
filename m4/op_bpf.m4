# OP_BPF: whether the gateway's eBPF data path is built. Sets HAVE_BPF, BPF_CLANG, BPF_STRIP, BPF_CPPFLAGS and libbpf's flags.
AC_DEFUN([OP_BPF], [
	AC_ARG_WITH([bpf], [AS_HELP_STRING([--with-bpf=auto|yes|no], [the gateway's eBPF data path: needs clang and libbpf (default auto)])],
		[], [with_bpf=auto])
	have_bpf=no
	AS_IF([test "x$with_bpf" != xno], [
		AC_CHECK_PROGS([BPF_CLANG], [clang])
		AC_CHECK_PROGS([BPF_STRIP], [llvm-strip], [:])
		PKG_CHECK_MODULES([BPF], [libbpf >= 1.0], [have_libbpf=yes], [have_libbpf=no])
		# clang for BPF doesn't know where Debian keeps asm/types.h.
		BPF_CPPFLAGS=
		bpf_multiarch=`$CC -print-multiarch 2>/dev/null`
		AS_IF([test -n "$bpf_multiarch"], [BPF_CPPFLAGS="-idirafter /usr/include/$bpf_multiarch"])
		AC_MSG_CHECKING([whether clang compiles eBPF programs])
		bpf_compiles=no
		AS_IF([test -n "$BPF_CLANG" && test "x$have_libbpf" = xyes], [
			cat >conftest.bpf.c <<'BPF_EOF'
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("tc") int test(struct __sk_buff *skb) { struct bpf_redir_neigh hop = {}; return bpf_redirect_neigh(skb->ifindex, &hop, sizeof(hop), 0); }
BPF_EOF
			AS_IF([$BPF_CLANG -O2 -g -target bpf -mcpu=v3 $BPF_CPPFLAGS $BPF_CFLAGS -c conftest.bpf.c -o conftest.bpf.o >&AS_MESSAGE_LOG_FD 2>&1],
				[bpf_compiles=yes])
			rm -f conftest.bpf.c conftest.bpf.o
		])
		AC_MSG_RESULT([$bpf_compiles])
		have_bpf=$bpf_compiles
		AS_IF([test "x$with_bpf" = xyes && test "x$have_bpf" = xno],
			[AC_MSG_ERROR([--with-bpf needs clang with its BPF target, and libbpf 1.0 or later with headers])])
	])
	AC_SUBST([BPF_CPPFLAGS])
	AM_CONDITIONAL([HAVE_BPF], [test "x$have_bpf" = xyes])
])
