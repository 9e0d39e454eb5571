#include "pptpd/auth.h"

#include <stdio.h>
#include <string.h>

/* What a refusal says: to our log, and to the peer's user (who must not learn which names exist). */
static const struct {
	const char *log;
	const char *peer;
	uint16_t mschap_error;
} reasons[] = {
    [AUTH_OK] = {"accepted", "", 0},
    [AUTH_UNKNOWN_USER] = {"unknown user", "wrong user name or password", PPP_MSE_WRONG_PASSWORD},
    [AUTH_WRONG_PASSWORD] = {"wrong password", "wrong user name or password", PPP_MSE_WRONG_PASSWORD},
    [AUTH_BAD_SECRET] = {"the method needs the password itself but the users file has its hash", "authentication method unavailable",
	PPP_MSE_NO_DIALIN},
    [AUTH_WRONG_SOURCE] = {"caller address not allowed", "not allowed from this address", PPP_MSE_NO_DIALIN},
    [AUTH_TOO_MANY_SESSIONS] = {"too many sessions of this user", "too many sessions", PPP_MSE_NO_DIALIN},
    [AUTH_METHOD] = {"method not allowed", "authentication method not allowed", PPP_MSE_NO_DIALIN},
};

const char *
auth_reason_text(enum auth_reason reason)
{
	return reasons[reason].log;
}

void
auth_refuse(struct auth_answer *answer, enum auth_reason reason)
{
	ppp_wipe(&answer->verdict, sizeof(answer->verdict));
	answer->reason = reason;
	answer->verdict.ok = false;
	answer->verdict.mschap_error = reasons[reason].mschap_error;
	/* A wrong password may be a typing error; the link's auth-retries says how often. */
	answer->verdict.retry = reason == AUTH_WRONG_PASSWORD || reason == AUTH_UNKNOWN_USER;
	snprintf(answer->verdict.message, sizeof(answer->verdict.message), "%s", reasons[reason].peer);
}

void
auth_limit_sessions(struct auth_answer *answer, unsigned in_use, unsigned default_limit)
{
	unsigned limit = answer->profile.sessions != 0 ? answer->profile.sessions : default_limit;

	if (answer->verdict.ok && limit != 0 && in_use >= limit)
		auth_refuse(answer, AUTH_TOO_MANY_SESSIONS);
}

static const struct user *
find_user(const struct users *users, const char *server_name, const char *name, const char **found_as)
{
	const struct user *u = users_find(users, name, server_name);
	const char *bare = strrchr(name, '\\');

	*found_as = name;
	if (bare == NULL || (u != NULL && strcmp(u->client, "*") != 0))
		return u;
	*found_as = bare + 1;
	return users_find(users, bare + 1, server_name);
}

static bool
source_allowed(const struct user_profile *p, const struct addr *peer)
{
	for (uint8_t i = 0; i < p->from_count; i++) {
		if (prefix_contains(&p->from[i], peer))
			return true;
	}
	return p->from_count == 0;
}

static bool
needs_plain_secret(enum ppp_auth_method method)
{
	return method == PPP_AUTH_CHAP_MD5 || method == PPP_AUTH_EAP_MD5;
}

void
auth_users_decide(const struct ppp_crypto *crypto, const struct users *users, const char *server_name, const struct auth_query *query,
    struct auth_answer *answer)
{
	static const struct ppp_secret nobody = {.data = "no user has this secret", .len = 23};
	const char *name = query->request.name, *found_as;
	const struct user *u = find_user(users, server_name, name, &found_as);

	memset(answer, 0, sizeof(*answer));
	answer->session = query->session;
	answer->id = query->request.id;
	answer->method = query->request.method;
	user_profile_init(&answer->profile);
	snprintf(answer->user, sizeof(answer->user), "%s", u != NULL ? found_as : name);
	ppp_auth_check(crypto, &query->request, u != NULL ? &u->secret : &nobody, &answer->verdict);
	if (u == NULL) {
		auth_refuse(answer, AUTH_UNKNOWN_USER);
		return;
	}
	if (u->secret.is_nt_hash && needs_plain_secret(query->request.method)) {
		auth_refuse(answer, AUTH_BAD_SECRET);
	} else if (!answer->verdict.ok) {
		auth_refuse(answer, AUTH_WRONG_PASSWORD);
	} else if (!source_allowed(&u->profile, &query->peer)) {
		auth_refuse(answer, AUTH_WRONG_SOURCE);
	} else {
		answer->reason = AUTH_OK;
		answer->profile = u->profile;
	}
}
