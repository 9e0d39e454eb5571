# Samples, which are test inputs, and units for systemd.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/chap-secrets etc/pptpalg.conf etc/pptpc.conf etc/pptpd.conf
dist_doc_DATA = NEWS README.md SECURITY.md

units = etc/pptpalg.service etc/pptpc.service etc/pptpd.service
EXTRA_DIST += etc/pptpalg.service.in etc/pptpc.service.in etc/pptpd.service.in
CLEANFILES += $(units)
if INSTALL_UNITS
unit_DATA = $(units)
endif
SUFFIXES = .service.in .service
.service.in.service:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's|@sbindir[@]|$(sbindir)|' $< >$@
