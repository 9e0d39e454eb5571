#include "tests/unit/suite.h"

Suite *suite_backoff(void);
Suite *suite_client(void);
Suite *suite_cmdline(void);
Suite *suite_conffile(void);
Suite *suite_diag(void);
Suite *suite_dial(void);
Suite *suite_line(void);
Suite *suite_option(void);
Suite *suite_resolve(void);
Suite *suite_routeplan(void);
Suite *suite_scripts(void);
Suite *suite_secret(void);
Suite *suite_servers(void);
Suite *suite_status(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_backoff,
	    suite_client,
	    suite_cmdline,
	    suite_conffile,
	    suite_diag,
	    suite_dial,
	    suite_line,
	    suite_option,
	    suite_resolve,
	    suite_routeplan,
	    suite_scripts,
	    suite_secret,
	    suite_servers,
	    suite_status,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
