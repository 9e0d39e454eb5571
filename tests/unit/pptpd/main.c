#include "tests/unit/suite.h"

Suite *suite_auth(void);
Suite *suite_config(void);
Suite *suite_conn(void);
Suite *suite_hash(void);
Suite *suite_pool(void);
Suite *suite_session(void);
Suite *suite_users(void);
Suite *suite_words(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_auth, suite_config, suite_conn, suite_hash, suite_pool, suite_session, suite_users, suite_words};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
