noinst_LTLIBRARIES += sys/libsys.la
sys_libsys_la_SOURCES = \
	sys/clock.c sys/clock.h \
	sys/args.c sys/args.h \
	sys/conf.c sys/conf.h \
	sys/conf_check.c \
	sys/conf_print.c \
	sys/conf_text.c sys/conf_text.h \
	sys/conf_value.c \
	sys/ctl.h \
	sys/ctl_client.c \
	sys/ctl_server.c \
	sys/ctl_text.c \
	sys/gresock.c sys/gresock.h \
	sys/handover.c sys/handover.h \
	sys/log.c sys/log.h \
	sys/log_backend.h \
	sys/log_limit.c sys/log_limit.h \
	sys/log_stderr.c \
	sys/log_syslog.c \
	sys/mbox.c sys/mbox.h \
	sys/metrics.c sys/metrics.h \
	sys/metrics_text.c sys/metrics_impl.h \
	sys/netlink.c sys/netlink.h \
	sys/netlink_impl.h \
	sys/netlink_monitor.c \
	sys/netlink_route.c \
	sys/netlink_rule.c \
	sys/netlink_watch.c \
	sys/priv.h sys/priv_core.h \
	sys/priv_allow.c \
	sys/priv_claim.c \
	sys/priv_core.c \
	sys/priv_dns.c \
	sys/priv_do.c \
	sys/priv_drop.c \
	sys/priv_monitor.c \
	sys/priv_resolv.c \
	sys/priv_script.c \
	sys/priv_start.c \
	sys/priv_undo.c \
	sys/priv_wire.c \
	sys/priv_worker.c \
	sys/tunq.c sys/tunq.h \
	sys/sockaddr.c sys/sockaddr.h \
	sys/utf8.c sys/utf8.h
if HAVE_SYSTEMD
sys_libsys_la_SOURCES += sys/log_journal.c
else
sys_libsys_la_SOURCES += sys/log_journal_none.c
endif
sys_libsys_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS) $(MNL_CFLAGS) $(CAPNG_CFLAGS) $(SYSTEMD_CFLAGS)
sys_libsys_la_LIBADD = libbase.la $(EVENT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) $(MNL_LIBS) $(CAPNG_LIBS) $(SYSTEMD_LIBS)
