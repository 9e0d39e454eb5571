# The library's code is a convenience library, so that tests see what the shared one hides.
noinst_LTLIBRARIES += libpptp/libpptp_core.la
lib_LTLIBRARIES += libpptp/libpptp.la

libpptp_libpptp_core_la_SOURCES = \
	libpptp/alloc.h \
	libpptp/call.c \
	libpptp/call_fsm.c \
	libpptp/call_msg.c \
	libpptp/callid.c \
	libpptp/conn.c \
	libpptp/conn_fsm.c \
	libpptp/conn_private.h \
	libpptp/conn_rx.c \
	libpptp/conn_timer.c \
	libpptp/error.c \
	libpptp/framer.c \
	libpptp/gre_header.c \
	libpptp/gre_private.h \
	libpptp/gre_rx.c \
	libpptp/gre_tx.c \
	libpptp/gre_window.c \
	libpptp/msg.c \
	libpptp/msg_table.c libpptp/msg_table.h \
	libpptp/msg_text.c \
	libpptp/quirks.c
libpptp_libpptp_core_la_LIBADD = libbase.la

libpptp_libpptp_la_SOURCES =
libpptp_libpptp_la_LIBADD = libpptp/libpptp_core.la
libpptp_libpptp_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -Wl,--version-script=$(srcdir)/libpptp/libpptp.map
EXTRA_libpptp_libpptp_la_DEPENDENCIES = libpptp/libpptp.map
EXTRA_DIST += libpptp/libpptp.map

pptpincludedir = $(includedir)/pptp
pptpinclude_HEADERS = \
	libpptp/pptp/callid.h \
	libpptp/pptp/conn.h \
	libpptp/pptp/framer.h \
	libpptp/pptp/gre.h \
	libpptp/pptp/msg.h \
	libpptp/pptp/pptp.h \
	libpptp/pptp/types.h

pkgconfig_DATA = libpptp/libpptp.pc
