#include "pptpd/users.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pptpd/hash.h"
#include "pptpd/words.h"
#include "sys/conf.h"

enum { MAX_ERRORS = 20, MAX_FILE = 64 << 20 };

struct entry {
	struct hash_node node;
	struct user user;
	char names[]; /* client NUL server NUL */
};

struct users {
	struct hash table;
	struct entry **entries;
	size_t count, cap;
};

struct parser {
	const char *name;
	users_error_fn error;
	void *error_user;
	struct users *users;
	struct words words;
	struct word word;
	unsigned errors;
};

void
user_profile_init(struct user_profile *p)
{
	memset(p, 0, sizeof(*p));
	p->session_timeout_ns = UINT64_MAX;
	p->idle_timeout_ns = UINT64_MAX;
}

static bool __attribute__((format(printf, 3, 4))) parse_error(struct parser *p, unsigned line, const char *fmt, ...)
{
	char what[256], text[512];
	va_list ap;

	if (++p->errors > MAX_ERRORS)
		return false;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s:%u: %s", p->name, line, what);
	if (p->error != NULL)
		p->error(p->error_user, text);
	return false;
}

/* ---- values ---- */

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static bool
parse_nt_hash(struct parser *p, struct ppp_secret *secret, const char *hex)
{
	if (strlen(hex) != 32)
		return parse_error(p, p->word.line, "an NT hash has 32 hexadecimal digits, not %zu characters", strlen(hex));
	for (size_t i = 0; i < 16; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return parse_error(p, p->word.line, "the NT hash holds something else than hexadecimal digits");
		secret->data[i] = (uint8_t)(hi << 4 | lo);
	}
	secret->is_nt_hash = true;
	secret->len = 16;
	return true;
}

static bool
parse_secret(struct parser *p, struct ppp_secret *secret)
{
	const struct word *w = &p->word;

	if (!w->quoted && strncmp(w->text, "nthash:", 7) == 0)
		return parse_nt_hash(p, secret, w->text + 7);
	if (!w->quoted && strncmp(w->text, "{NT}", 4) == 0)
		return parse_nt_hash(p, secret, w->text + 4);
	if (!w->quoted && strncmp(w->text, "@/", 2) == 0)
		return parse_error(
		    p, w->line, "a secret in a file of its own (@FILE) is not supported; quote a secret that begins with @/");
	if (w->len > PPP_SECRET_MAX)
		return parse_error(p, w->line, "a secret of %zu bytes; at most %d go", w->len, PPP_SECRET_MAX);
	secret->len = (uint16_t)w->len;
	memcpy(secret->data, w->text, w->len);
	return true;
}

static bool
add_prefix(struct parser *p, struct prefix *list, uint8_t *count, uint8_t max, const char *key, const char *value)
{
	if (*count == max)
		return parse_error(p, p->word.line, "more than %u times %s=", max, key);
	if (!prefix_parse(&list[*count], value))
		return parse_error(p, p->word.line, "%s=%s is no network (like 10.1.0.0/24)", key, value);
	(*count)++;
	return true;
}

static bool
extra_route(struct parser *p, struct user_profile *u, const char *value)
{
	return add_prefix(p, u->routes, &u->routes_count, USER_MAX_ROUTES, "route", value);
}

static bool
extra_from(struct parser *p, struct user_profile *u, const char *value)
{
	return add_prefix(p, u->from, &u->from_count, USER_MAX_FROM, "from", value);
}

static bool
extra_sessions(struct parser *p, struct user_profile *u, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || n == 0 || n > 65535)
		return parse_error(p, p->word.line, "sessions=%s is not a number from 1 to 65535", value);
	u->sessions = (unsigned)n;
	return true;
}

static bool
extra_ifname(struct parser *p, struct user_profile *u, const char *value)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(value);

	if (n == 0 || n >= USER_IFNAME || strspn(value, legal) != n || value[0] == '.')
		return parse_error(p, p->word.line, "ifname=%s is no interface name (1 to 15 letters, digits, - _ .)", value);
	strcpy(u->ifname, value);
	return true;
}

static bool
extra_ipv6(struct parser *p, struct user_profile *u, const char *value)
{
	if (!prefix_parse(&u->v6, value) || u->v6.addr.family != 6 || u->v6.len != 64)
		return parse_error(p, p->word.line, "ipv6=%s is no IPv6 prefix of 64 bits", value);
	return true;
}

static bool
extra_session_timeout(struct parser *p, struct user_profile *u, const char *value)
{
	return conf_duration(value, &u->session_timeout_ns) ||
	       parse_error(p, p->word.line, "session-timeout=%s is no duration (like 8h)", value);
}

static bool
extra_idle_timeout(struct parser *p, struct user_profile *u, const char *value)
{
	return conf_duration(value, &u->idle_timeout_ns) ||
	       parse_error(p, p->word.line, "idle-timeout=%s is no duration (like 15m)", value);
}

static const struct extra {
	const char *key;
	bool (*parse)(struct parser *p, struct user_profile *u, const char *value);
} extras[] = {
    {"route", extra_route},
    {"from", extra_from},
    {"sessions", extra_sessions},
    {"ifname", extra_ifname},
    {"ipv6", extra_ipv6},
    {"session-timeout", extra_session_timeout},
    {"idle-timeout", extra_idle_timeout},
};

static bool
parse_address(struct parser *p, struct user_profile *u)
{
	const char *text = p->word.text;
	struct user_range r;

	if (strcmp(text, "*") == 0)
		return true;
	if (strcmp(text, "-") == 0) {
		u->no_v4 = true;
		return true;
	}
	if (strchr(text, ':') != NULL)
		return extra_ipv6(p, u, text);
	if (!conf_range(text, &r.first, &r.last))
		return parse_error(p, p->word.line, "'%s' is no address, * or -, nor a known key=value", text);
	if (u->v4_count == USER_MAX_RANGES)
		return parse_error(p, p->word.line, "more than %d addresses", USER_MAX_RANGES);
	u->v4[u->v4_count++] = r;
	return true;
}

/* A word behind the secret. */
static bool
parse_extra(struct parser *p, struct user_profile *u)
{
	const char *eq = strchr(p->word.text, '=');
	size_t n = eq != NULL ? (size_t)(eq - p->word.text) : 0;

	if (eq == NULL)
		return parse_address(p, u);
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
		if (strlen(extras[i].key) == n && memcmp(extras[i].key, p->word.text, n) == 0)
			return extras[i].parse(p, u, eq + 1);
	}
	return parse_error(p, p->word.line, "unknown key '%.*s'", (int)(n < 64 ? n : 64), p->word.text);
}

/* ---- lines ---- */

/* Takes the next word if it stands on the same line. The word behind the line's last one is left in p->word. */
static bool
same_line(struct parser *p, bool *more)
{
	*more = words_next(&p->words, &p->word);
	if (*more && p->words.err != NULL)
		parse_error(p, p->word.line, "%s", p->words.err);
	return *more && !p->word.first;
}

static struct entry *
entry_new(const char *client, const char *server, unsigned line)
{
	size_t n = strlen(client) + 1, m = strlen(server) + 1;
	struct entry *e = calloc(1, sizeof(*e) + n + m);

	if (e == NULL)
		return NULL;
	memcpy(e->names, client, n);
	memcpy(e->names + n, server, m);
	e->user.client = e->names;
	e->user.server = e->names + n;
	e->user.line = line;
	user_profile_init(&e->user.profile);
	return e;
}

static bool
users_append(struct users *u, struct entry *e)
{
	if (u->count == u->cap) {
		size_t cap = u->cap > 0 ? 2 * u->cap : 64;
		struct entry **entries = realloc(u->entries, cap * sizeof(struct entry *));

		if (entries == NULL)
			return false;
		u->entries = entries;
		u->cap = cap;
	}
	u->entries[u->count++] = e;
	return true;
}

/* Reads the words of one line behind its first, which is the client. Returns whether there is another line. */
static bool
parse_line(struct parser *p)
{
	char client[PPP_NAME_MAX + 1], server[PPP_NAME_MAX + 1];
	unsigned line = p->word.line, before = p->errors;
	struct entry *e;
	bool more = true;

	if (p->word.len > PPP_NAME_MAX)
		parse_error(p, line, "a client name of %zu bytes; at most %d go", p->word.len, PPP_NAME_MAX);
	snprintf(client, sizeof(client), "%.*s", PPP_NAME_MAX, p->word.text);
	if (!same_line(p, &more)) {
		parse_error(p, line, "'%s' has no server and no secret", client);
		return more;
	}
	if (p->word.len > PPP_NAME_MAX)
		parse_error(p, line, "a server name of %zu bytes; at most %d go", p->word.len, PPP_NAME_MAX);
	snprintf(server, sizeof(server), "%.*s", PPP_NAME_MAX, p->word.text);
	if (!same_line(p, &more)) {
		parse_error(p, line, "'%s' has no secret", client);
		return more;
	}
	e = entry_new(client, server, line);
	if (e == NULL || !users_append(p->users, e)) {
		free(e);
		parse_error(p, line, "out of memory");
		return false;
	}
	parse_secret(p, &e->user.secret);
	while (same_line(p, &more))
		parse_extra(p, &e->user.profile);
	return more && (p->errors == before || p->errors <= MAX_ERRORS);
}

static bool
users_index(struct users *u)
{
	if (!hash_init(&u->table, u->count * 2))
		return false;
	for (size_t i = u->count; i > 0; i--) {
		struct entry *e = u->entries[i - 1];

		hash_add(&u->table, &e->node, hash_bytes(0, e->user.client, strlen(e->user.client)));
	}
	return true;
}

struct users *
users_parse(const char *name, const char *text, size_t textlen, users_error_fn error, void *error_user)
{
	struct parser p = {.name = name, .error = error, .error_user = error_user};
	bool more;

	p.users = calloc(1, sizeof(*p.users));
	if (p.users == NULL)
		return NULL;
	words_init(&p.words, text, textlen);
	more = words_next(&p.words, &p.word);
	if (more && p.words.err != NULL)
		parse_error(&p, p.word.line, "%s", p.words.err);
	while (more)
		more = parse_line(&p);
	ppp_wipe(&p.word, sizeof(p.word));
	if (p.errors == 0 && users_index(p.users))
		return p.users;
	users_free(p.users);
	return NULL;
}

/* ---- files ---- */

/* Everything that fd gives, in *text of *cap bytes; the length, or -1 with errno. */
static ssize_t
read_all(int fd, char **text, size_t *cap)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0) {
		if (len == *cap) {
			char *bigger = *cap < MAX_FILE ? malloc(*cap * 2 + 4096) : NULL;

			if (bigger == NULL) {
				errno = *cap < MAX_FILE ? ENOMEM : EFBIG;
				return -1;
			}
			if (len > 0)
				memcpy(bigger, *text, len);
			ppp_wipe(*text, len);
			free(*text);
			*text = bigger;
			*cap = *cap * 2 + 4096;
		}
		n = read(fd, *text + len, *cap - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : (ssize_t)len;
}

struct users *
users_read(const char *name, int fd, users_error_fn error, void *error_user)
{
	char *text = NULL, line[512];
	size_t cap = 0;
	ssize_t n = read_all(fd, &text, &cap);
	struct users *u = NULL;

	if (n >= 0) {
		u = users_parse(name, text, (size_t)n, error, error_user);
	} else {
		snprintf(line, sizeof(line), "%s: %s", name, strerror(errno));
		error(error_user, line);
	}
	if (text != NULL)
		ppp_wipe(text, cap);
	free(text);
	return u;
}

void
users_free(struct users *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->count; i++) {
		ppp_wipe(&u->entries[i]->user.secret, sizeof(u->entries[i]->user.secret));
		free(u->entries[i]);
	}
	free(u->entries);
	hash_fini(&u->table);
	free(u);
}

size_t
users_count(const struct users *u)
{
	return u->count;
}

const struct user *
users_at(const struct users *u, size_t i)
{
	return &u->entries[i]->user;
}

static const struct user *
find_client(const struct users *u, const char *client, const char *server)
{
	uint64_t hash = hash_bytes(0, client, strlen(client));
	const struct user *any = NULL;

	for (struct hash_node *n = hash_first(&u->table, hash); n != NULL; n = hash_next(n)) {
		const struct user *user = &HASH_ENTRY(n, struct entry, node)->user;

		if (strcmp(user->client, client) != 0)
			continue;
		if (strcmp(user->server, server) == 0)
			return user;
		if (any == NULL && strcmp(user->server, "*") == 0)
			any = user;
	}
	return any;
}

const struct user *
users_find(const struct users *u, const char *client, const char *server)
{
	const struct user *user = strcmp(client, "*") != 0 ? find_client(u, client, server) : NULL;

	return user != NULL ? user : find_client(u, "*", server);
}
