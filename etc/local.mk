EXTRA_DIST += etc/pptpd.conf etc/chap-secrets etc/pptpd.service
