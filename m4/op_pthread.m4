# AX_OP_PTHREAD: threads of the C library, which newer ones hold in libc itself.
AC_DEFUN([AX_OP_PTHREAD], [
	AC_SEARCH_LIBS([pthread_create], [pthread], [], [AC_MSG_ERROR([no POSIX threads])])
])
