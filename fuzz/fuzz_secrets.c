/* The users file: any text either parses, or at least one error says why not; what parses can be found by name. */
#include <stddef.h>
#include <stdint.h>

#include "fuzz/fuzz.h"
#include "pptpd/users.h"

static void
count_error(void *user, const char *line)
{
	(void)line;
	++*(unsigned *)user;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	unsigned errors = 0;
	struct users *u = users_parse("f", (const char *)data, datalen, count_error, &errors);

	FUZZ_CHECK((errors == 0) == (u != NULL));
	for (size_t i = 0; u != NULL && i < users_count(u); i++) {
		const struct user *one = users_at(u, i);

		FUZZ_CHECK(users_find(u, one->client, one->server) != NULL);
		FUZZ_CHECK(one->secret.len <= PPP_SECRET_MAX && one->profile.routes_count <= USER_MAX_ROUTES);
	}
	users_free(u);
	return 0;
}
