/* Who may log in: a backend decides each request, now or later, and gives the user's profile with its verdict.
 *
 * Query and answer are plain values that name the session by number, so that a backend may work in another thread and
 * outlive the session that asked. */
#ifndef PPTPD_AUTH_H
#define PPTPD_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "libppp/auth.h"
#include "pptpd/users.h"

enum auth_reason {
	AUTH_OK,
	AUTH_UNKNOWN_USER,
	AUTH_WRONG_PASSWORD,
	AUTH_BAD_SECRET, /* the method can't be checked against the secret at hand */
	AUTH_WRONG_SOURCE,
	AUTH_TOO_MANY_SESSIONS,
	AUTH_METHOD, /* not one of those asked for */
};

/* "unknown user", "wrong password" ...; static. */
const char *auth_reason_text(enum auth_reason reason);

struct auth_query {
	uint64_t session;
	struct addr peer; /* the caller's address */
	struct ppp_auth_request request;
};

struct auth_answer {
	uint64_t session;
	uint8_t id; /* of the request */
	enum ppp_auth_method method;
	enum auth_reason reason;
	char user[PPP_NAME_MAX + 1]; /* as it is to be known: without the domain if the entry has none */
	struct user_profile profile;
	struct ppp_auth_verdict verdict;
};

/* Takes the answer; called in the control thread, from within submit or later. */
typedef void (*auth_answer_fn)(void *user, const struct auth_answer *answer);

struct auth_backend {
	const char *name;
	void *ctx;
	void (*submit)(void *ctx, const struct auth_query *query, auth_answer_fn answer, void *answer_user);
};

/* Decides by a users file: looks the name up, with and without a "DOMAIN\" in front, checks the caller's address and the
 * secret. An unknown name costs as much as a wrong password. */
void auth_users_decide(const struct ppp_crypto *crypto, const struct users *users, const char *server_name, const struct auth_query *query,
    struct auth_answer *answer);

/* Turns an accepting answer into a refusal when the user already has as many sessions as allowed. in_use: sessions
 * now; default_limit is for profiles without one, 0: no limit. */
void auth_limit_sessions(struct auth_answer *answer, unsigned in_use, unsigned default_limit);

/* Makes the answer a refusal; keys and the like are wiped. */
void auth_refuse(struct auth_answer *answer, enum auth_reason reason);

#endif
