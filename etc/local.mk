EXTRA_DIST += etc/pptpd.conf etc/chap-secrets etc/pptpd.service
EXTRA_DIST += etc/pptpc.conf etc/pptpc.service
EXTRA_DIST += etc/pptpalg.conf etc/pptpalg.service
