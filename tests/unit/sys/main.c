#include "tests/unit/suite.h"

Suite *suite_args(void);
Suite *suite_clock(void);
Suite *suite_conf(void);
Suite *suite_conf_text(void);
Suite *suite_conf_value(void);
Suite *suite_ctl(void);
Suite *suite_handover(void);
Suite *suite_log(void);
Suite *suite_log_limit(void);
Suite *suite_mbox(void);
Suite *suite_metrics(void);
Suite *suite_netlink(void);
Suite *suite_priv(void);
Suite *suite_priv_allow(void);
Suite *suite_priv_allow_fds(void);
Suite *suite_priv_claim(void);
Suite *suite_priv_program(void);
Suite *suite_priv_resolv(void);
Suite *suite_priv_serve(void);
Suite *suite_priv_undo(void);
Suite *suite_priv_wire(void);
Suite *suite_sockaddr(void);

int
main(void)
{
	static const suite_fn suites[] = {suite_args, suite_clock, suite_conf, suite_conf_text, suite_conf_value, suite_ctl, suite_handover,
	    suite_log, suite_log_limit, suite_mbox, suite_metrics, suite_netlink, suite_priv, suite_priv_allow, suite_priv_allow_fds,
	    suite_priv_claim, suite_priv_program, suite_priv_resolv, suite_priv_serve, suite_priv_undo, suite_priv_wire, suite_sockaddr};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
