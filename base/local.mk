noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	base/addr.c base/addr.h \
	base/mem.c base/mem.h \
	base/pkt.h \
	base/serial.h \
	base/text.c base/text.h \
	base/timerheap.c base/timerheap.h \
	base/wire.h
