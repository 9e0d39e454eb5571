dist_man_MANS += man/libpptp.3
dist_man_MANS += man/pptpd.8 man/pptpd.conf.5 man/pptpctl.8
dist_man_MANS += man/pptpc.8 man/pptpc.conf.5
dist_man_MANS += man/pptpalg.8 man/pptpalg.conf.5
