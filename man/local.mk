dist_man_MANS += man/libpptp.3
