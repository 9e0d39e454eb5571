#include "tests/unit/suite.h"

Suite *suite_auth(void);
Suite *suite_auth_check(void);
Suite *suite_auth_chap(void);
Suite *suite_auth_eap(void);
Suite *suite_auth_fsm(void);
Suite *suite_auth_mschap(void);
Suite *suite_auth_trace(void);
Suite *suite_ccp(void);
Suite *suite_crypto(void);
Suite *suite_fsm(void);
Suite *suite_lcp(void);
Suite *suite_link(void);
Suite *suite_link_eap(void);
Suite *suite_link_early(void);
Suite *suite_mppe(void);
Suite *suite_mppe_key(void);
Suite *suite_mppe_stateful(void);
Suite *suite_mschap(void);
Suite *suite_ncp(void);
Suite *suite_options(void);
Suite *suite_outq(void);
Suite *suite_rc4(void);
Suite *suite_trace(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_auth,
	    suite_auth_check,
	    suite_auth_chap,
	    suite_auth_eap,
	    suite_auth_fsm,
	    suite_auth_mschap,
	    suite_auth_trace,
	    suite_ccp,
	    suite_crypto,
	    suite_fsm,
	    suite_lcp,
	    suite_link,
	    suite_link_eap,
	    suite_link_early,
	    suite_mppe,
	    suite_mppe_key,
	    suite_mppe_stateful,
	    suite_mschap,
	    suite_ncp,
	    suite_options,
	    suite_outq,
	    suite_rc4,
	    suite_trace,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
