#include "alg/nft.h"

#include <errno.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/nft_text.h"
#include "alg/nft_watch.h"
#include "sys/log.h"
#include "sys/netlink.h"

/* In one transaction with what follows it: a table is there at every moment, and none is no error. */
#define REPLACE "add table inet pptpalg\ndelete table inet pptpalg\n"

struct nft {
	const struct config *config;
	struct nft_ctx *ctx;
	struct nl *nl;
	bool diverting; /* the table has the chains for it */
};

/* --- the table -------------------------------------------------------------------- */

static bool
run(struct nft *n, const char *text, char *err, size_t errlen)
{
	const char *said;

	if (nft_run_cmd_from_buffer(n->ctx, text) == 0)
		return true;
	said = nft_ctx_get_error_buffer(n->ctx);
	snprintf(
	    err, errlen, "the nftables table can't be made: %.*s", said != NULL ? (int)strcspn(said, "\n") : 0, said != NULL ? said : "");
	return false;
}

typedef size_t text_fn(const struct config *config, char *buf, size_t buflen);

/* All in one transaction; the second text may be NULL. */
static bool
run_texts(struct nft *n, const char *before, text_fn *first, text_fn *second, char *err, size_t errlen)
{
	size_t skip = strlen(before), len = first(n->config, NULL, 0), more = second != NULL ? second(n->config, NULL, 0) : 0;
	char *text = malloc(skip + len + more + 1);
	bool done;

	if (text == NULL) {
		snprintf(err, errlen, "out of memory");
		return false;
	}
	memcpy(text, before, skip);
	first(n->config, text + skip, len + 1);
	if (second != NULL)
		second(n->config, text + skip + len, more + 1);
	done = run(n, text, err, errlen);
	free(text);
	return done;
}

/* A kernel without zones gets along without: see nft_apart_text(). */
static bool
replace_table(struct nft *n, char *err, size_t errlen)
{
	char why[256];

	if (run_texts(n, REPLACE, nft_text, nft_apart_text, why, sizeof(why)))
		return true;
	if (!run_texts(n, REPLACE, nft_text, NULL, err, errlen))
		return false;
	log_event(LOG_LEVEL_WARN, "nftables",
	    "zones=no reason=\"%s\" effect=\"now and then one of a client's many connections to one server fails\"", why);
	return true;
}

/* --- policy routing ----------------------------------------------------------------- */

static struct nl_route
local_route(uint8_t family, uint32_t table)
{
	return (struct nl_route){.dst = {.addr = {.family = family}}, .ifindex = (int)if_nametoindex("lo"), .table = table, .local = true};
}

enum { RULES_MAX = 16 };

struct stale {
	struct nl_rule rules[RULES_MAX];
	size_t count;
};

static bool
note_rule(void *user, const struct nl_rule *rule)
{
	struct stale *s = user;

	s->rules[s->count++] = *rule;
	return s->count == RULES_MAX;
}

/* All of ours, also those of a former configuration with another mark or table. */
static void
unroute(struct nl *nl, uint8_t family)
{
	struct stale s;

	do {
		s.count = 0;
		if (nl_rule_each(nl, family, note_rule, &s) != 0)
			return;
		for (size_t i = 0; i < s.count; i++) {
			struct nl_route route = local_route(family, s.rules[i].table);

			if (route.table != 0)
				nl_route_del(nl, &route);
			if (nl_rule_del(nl, &s.rules[i]) != 0)
				return;
		}
	} while (s.count > 0);
}

enum { RULES = 4 };

/* Packets marked local are this machine's; so are those of its own clients, whose mark has the bit `fixed`, too, when they are sent. For
 * the others a look-up as for sending is one that checks the source of what came in, where net.ipv4.conf.*.src_valid_mark says that
 * the mark counts there as well: it must find the way back, so it goes past the rule, to one that does nothing. */
static void
our_rules(const struct config *c, uint8_t family, struct nl_rule rules[RULES])
{
	struct nft_marks m = nft_marks(c);
	uint32_t all = m.local | m.proxy | m.fixed, first = c->table;

	rules[0] = (struct nl_rule){.family = family, .priority = first, .mark = m.local | m.fixed, .mask = all, .table = c->table};
	rules[1] = (struct nl_rule){.family = family, .priority = first + 1, .mark = m.local, .mask = all, .own = true, .go_to = first + 3};
	rules[2] = (struct nl_rule){.family = family, .priority = first + 2, .mark = m.local, .mask = all, .table = c->table};
	rules[3] = (struct nl_rule){.family = family, .priority = first + 3};
}

static bool
same_rule(const struct nl_rule *a, const struct nl_rule *b)
{
	return a->priority == b->priority && a->mark == b->mark && a->mask == b->mask && a->table == b->table && a->go_to == b->go_to &&
	       a->own == b->own;
}

/* Whether the rules of ours are these, no more: then a gateway that takes over leaves them alone, and no packet misses them. */
static bool
is_routed(struct nl *nl, uint8_t family, const struct nl_rule rules[RULES])
{
	struct stale s = {.count = 0};

	if (nl_rule_each(nl, family, note_rule, &s) != 0 || s.count != RULES)
		return false;
	for (int i = 0; i < RULES; i++)
		if (!same_rule(&s.rules[i], &rules[i]))
			return false;
	return true;
}

static bool
are_routed(const struct nft *n)
{
	struct nl_rule rules[RULES];
	bool routed = true;

	for (uint8_t family = 4; family <= (n->config->ipv6 ? 6 : 4); family += 2) {
		our_rules(n->config, family, rules);
		routed = routed && is_routed(n->nl, family, rules);
	}
	return routed;
}

static int
route(struct nft *n, uint8_t family)
{
	struct nl_route r = local_route(family, n->config->table);
	struct nl_rule rules[RULES];

	our_rules(n->config, family, rules);
	if (!is_routed(n->nl, family, rules))
		unroute(n->nl, family);
	if (nl_route_replace(n->nl, &r) != 0)
		return errno;
	/* The last first: it must be there for another to go to it. */
	for (int i = RULES - 1; i >= 0; i--)
		if (nl_rule_add(n->nl, &rules[i]) != 0 && errno != EEXIST)
			return errno;
	return 0;
}

static bool
route_both(struct nft *n, char *err, size_t errlen)
{
	const struct config *c = n->config;
	int error = route(n, 4);

	if (error != 0) {
		snprintf(err, errlen, "the routing rule of mark 0x%x and table %u can't be made: %s", c->mark, c->table, strerror(error));
		return false;
	}
	if (!c->ipv6)
		return true;
	error = route(n, 6);
	/* A box without IPv6 is no reason not to start. */
	if (error != 0)
		log_event(LOG_LEVEL_WARN, "routing-rule",
		    "family=ipv6 result=failed reason=\"%s\" effect=\"no IPv6 connections are taken\"", strerror(error));
	return true;
}

/* --- start and end ------------------------------------------------------------------- */

static void
nft_free(struct nft *n)
{
	if (n->ctx != NULL)
		nft_ctx_free(n->ctx);
	nl_close(n->nl);
	free(n);
}

static bool
open_all(struct nft *n, char *err, size_t errlen)
{
	n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	n->nl = nl_open();
	if (n->ctx == NULL || n->nl == NULL || nft_ctx_buffer_error(n->ctx) != 0 || nft_ctx_buffer_output(n->ctx) != 0) {
		snprintf(err, errlen, "netlink can't be reached: %s", strerror(errno));
		return false;
	}
	return true;
}

struct nft *
nft_start(const struct config *config, char *err, size_t errlen)
{
	struct nft *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	n->config = config;
	/* Routes first: once the table marks packets they must have a way home. */
	if (!open_all(n, err, errlen) || !route_both(n, err, errlen) || !replace_table(n, err, errlen)) {
		if (n->nl != NULL) {
			unroute(n->nl, 4);
			unroute(n->nl, 6);
		}
		nft_free(n);
		return NULL;
	}
	return n;
}

int
nft_restore(struct nft *n)
{
	bool gone = nft_is_gone() == ENOENT;
	char err[256] = "";

	if (!gone && are_routed(n))
		return 0;
	n->diverting = n->diverting && !gone;
	if (!route_both(n, err, sizeof(err)) || (gone && !replace_table(n, err, sizeof(err)))) {
		log_event(LOG_LEVEL_ERROR, gone ? "nftables" : "routing-rule", "action=restore result=failed reason=\"%s\"", err);
		return EIO;
	}
	if (gone)
		log_event(LOG_LEVEL_WARN, "nftables",
		    "table=pptpalg action=restore result=ok reason=\"somebody took it away, as nft flush ruleset does\"");
	else
		log_event(LOG_LEVEL_WARN, "routing-rule",
		    "action=restore result=ok reason=\"somebody took one away, as systemd-networkd does with those of others\"");
	return gone ? ENOENT : 0;
}

void
nft_stop(struct nft *n, bool keep)
{
	char err[256];

	if (n == NULL)
		return;
	if (!keep) {
		if (!run(n, REPLACE, err, sizeof(err)))
			log_event(LOG_LEVEL_WARN, "nftables", "table=pptpalg action=delete result=failed reason=\"%s\"", err);
		unroute(n->nl, 4);
		unroute(n->nl, 6);
	}
	nft_free(n);
}

/* --- GRE to raw sockets ----------------------------------------------------------------- */

static int
element(struct nft *n, const char *verb, const struct gate *gate)
{
	char text[256], err[256], src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s element inet pptpalg divert%d { %s . %s . %u }\n", verb, gate->src.family == 4 ? 4 : 6,
	    addr_text(&gate->src, src), addr_text(&gate->dst, dst), gate->call_id);
	if (run(n, text, err, sizeof(err)))
		return 0;
	log_event(LOG_LEVEL_WARN, "nftables", "action=%s set=divert src=%s dst=%s call_id=%u result=failed reason=\"%s\"", verb, src, dst,
	    gate->call_id, err);
	return EIO;
}

int
nft_divert(struct nft *n, const struct gate *gate)
{
	char err[256];

	if (!n->diverting && !run_texts(n, "", nft_divert_text, NULL, err, sizeof(err))) {
		log_event(LOG_LEVEL_WARN, "nftables", "action=divert result=failed reason=\"%s\"", err);
		return EIO;
	}
	n->diverting = true;
	return element(n, "add", gate);
}

int
nft_divert_end(struct nft *n, const struct gate *gate)
{
	return n->diverting ? element(n, "delete", gate) : ENOENT;
}
