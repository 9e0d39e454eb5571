/* The users file: the format of pppd's chap-secrets, with extras behind the addresses.
 *
 *     client  server  secret  [address ...] [key=value ...]
 *
 * A file is parsed whole into an immutable set of users; a reload parses anew and swaps. */
#ifndef PPTPD_USERS_H
#define PPTPD_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "libppp/auth.h"

enum {
	USER_MAX_RANGES = 8,
	USER_MAX_ROUTES = 5, /* with the user's own addresses they fit struct tunnel_bind's sources */
	USER_MAX_FROM = 8,
	USER_IFNAME = 16,
};

struct user_range {
	uint32_t first, last; /* host order */
};

/* What a user may have, apart from the secret. */
struct user_profile {
	struct user_range v4[USER_MAX_RANGES]; /* fixed addresses, the first free one is taken; count 0: from the pool */
	uint8_t v4_count;
	bool no_v4;                            /* "-" instead of an address: no IPv4 at all */
	struct prefix v6;                      /* fixed IPv6 prefix; family 0: from the pool */
	struct prefix routes[USER_MAX_ROUTES]; /* networks behind the user */
	uint8_t routes_count;
	struct prefix from[USER_MAX_FROM]; /* caller addresses allowed; count 0: any */
	uint8_t from_count;
	unsigned sessions;           /* at once; 0: the server's default */
	char ifname[USER_IFNAME];    /* empty: by pattern */
	uint64_t session_timeout_ns; /* UINT64_MAX: the server's default; 0: none */
	uint64_t idle_timeout_ns;
};

struct user {
	const char *client; /* "*": anybody */
	const char *server; /* "*": any server name */
	struct ppp_secret secret;
	struct user_profile profile;
	unsigned line;
};

struct users;

/* Gets each error as one line, `FILE:LINE: what`. */
typedef void (*users_error_fn)(void *user, const char *line);

/* Parses text of textlen bytes (need not end with NUL). name stands in errors. Returns NULL when there was any error or memory
 * ran out; all errors of the file (at most 20) are reported. The caller frees the result with users_free(). */
struct users *users_parse(const char *name, const char *text, size_t textlen, users_error_fn error, void *error_user);

/* Reads descriptor fd (not closed) to its end, at most 64 MiB, and parses it. */
struct users *users_read(const char *name, int fd, users_error_fn error, void *error_user);

/* Wipes the secrets and frees. NULL is allowed. */
void users_free(struct users *u);

size_t users_count(const struct users *u);
const struct user *users_at(const struct users *u, size_t i);

/* The entry for a client name at a server name: an exact client before "*", then an exact server before "*", then the first in
 * the file. NULL if there is none. Valid as long as the set. */
const struct user *users_find(const struct users *u, const char *client, const char *server);

/* A profile with nothing in it: everything by the server's defaults. */
void user_profile_init(struct user_profile *p);

#endif
