#include "tests/unit/suite.h"

Suite *suite_bpf_table(void);
Suite *suite_config(void);
Suite *suite_conntrack(void);
Suite *suite_ct(void);
Suite *suite_ctl(void);
Suite *suite_journal(void);
Suite *suite_monitor(void);
Suite *suite_machine(void);
Suite *suite_nft(void);
Suite *suite_nft_text(void);
Suite *suite_policy(void);
Suite *suite_reload(void);
Suite *suite_trace(void);
Suite *suite_user(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_bpf_table,
	    suite_config,
	    suite_conntrack,
	    suite_ct,
	    suite_ctl,
	    suite_journal,
	    suite_monitor,
	    suite_machine,
	    suite_nft,
	    suite_nft_text,
	    suite_policy,
	    suite_reload,
	    suite_trace,
	    suite_user,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
