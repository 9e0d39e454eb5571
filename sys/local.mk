noinst_LTLIBRARIES += sys/libsys.la
sys_libsys_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PTHREAD_CFLAGS)
sys_libsys_la_LIBADD = libbase.la
sys_libsys_la_SOURCES = \
	sys/gresock.c sys/gresock.h \
	sys/tunq.c sys/tunq.h
