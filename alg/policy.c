#include "alg/policy.h"

#include <string.h>

/* ---- which policy ---- */

static bool
matches_prefix(const struct prefix *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (prefix_contains(&list[i], a))
			return true;
	}
	return count == 0;
}

static bool
matches_interface(const struct config_policy *p, const struct policy_query *query)
{
	for (size_t i = 0; i < p->interfaces_count; i++) {
		if (!query->own && strcmp(p->interfaces[i], query->ifname) == 0)
			return true;
	}
	return p->interfaces_count == 0;
}

static bool
matches_port(const struct config_policy *p, uint16_t port)
{
	for (size_t i = 0; i < p->ports_count; i++) {
		if (p->ports[i] == port)
			return true;
	}
	return p->ports_count == 0;
}

static bool
matches_addresses(const struct config_policy *p, const struct addr *client, const struct addr *dialed)
{
	return matches_prefix(p->sources, p->sources_count, client) &&
	       (p->inside.addr.family == 0 || prefix_contains(&p->inside, client)) &&
	       matches_prefix(p->destinations, p->destinations_count, dialed);
}

static bool
matches(const struct config_policy *p, const struct policy_query *query)
{
	return matches_addresses(p, &query->client, &query->dialed) && matches_interface(p, query) && matches_port(p, query->dialed_port);
}

/* A policy for some interfaces or ports only leaves the others to those behind it. */
bool
policy_may_proxy(const struct config *config, const struct addr *client, const struct addr *dialed)
{
	for (size_t i = 0; i < config->policies_count; i++) {
		const struct config_policy *p = &config->policies[i];

		if (!matches_addresses(p, client, dialed))
			continue;
		if (p->action == ACTION_PROXY)
			return true;
		if (p->interfaces_count == 0 && p->ports_count == 0)
			return false;
	}
	return true;
}

/* ---- whom to connect to ---- */

static const struct config_server *
server_at(const struct config *config, const struct addr *dialed, uint16_t port)
{
	for (size_t i = 0; i < config->servers_count; i++) {
		const struct config_server *s = &config->servers[i];

		if (addr_equal(&s->address, dialed) && (s->port == 0 || s->port == port))
			return s;
	}
	return NULL;
}

/* "This" network, loopback, and everything from multicast up: an IPv6 client could otherwise dial the gateway's own loopback. */
static bool
is_nobody(const struct addr *v4)
{
	return v4->bytes[0] == 0 || v4->bytes[0] == 127 || v4->bytes[0] >= 224;
}

/* The box's own destination NAT has been done already when a connection comes here, and wins. */
static void
find_server(const struct config *config, const struct policy_query *query, struct policy_verdict *verdict)
{
	bool translated = !addr_equal(&query->dst, &query->dialed) || query->dst_port != query->dialed_port;
	const struct config_server *s = translated ? NULL : server_at(config, &query->dialed, query->dialed_port);

	verdict->server = query->dst;
	verdict->server_port = query->dst_port;
	if (s != NULL) {
		verdict->server = s->to;
		verdict->server_port = s->to_port != 0 ? s->to_port : query->dst_port;
	} else if (config->nat64_prefix.addr.family == 6 && prefix_contains(&config->nat64_prefix, &query->dst)) {
		verdict->server = addr_v4(query->dst.bytes + 12);
		verdict->nat64 = true;
	}
}

/* ---- from which address ---- */

static uint64_t
hash(const struct addr *a, uint64_t seed)
{
	uint64_t h = seed;

	/* FNV-1a, and a finish that spreads neighbours (splitmix64). No key: a client keeps its address when the gateway restarts. */
	for (size_t i = 0; i < addr_len(a); i++)
		h = (h ^ a->bytes[i]) * UINT64_C(0x100000001b3);
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

static unsigned
host_bits(const struct prefix *p)
{
	return (unsigned)addr_len(&p->addr) * 8 - p->len;
}

/* The n-th address, of the first 2^64. */
static struct addr
nth(const struct prefix *p, uint64_t n)
{
	struct addr a = p->addr;
	size_t len = addr_len(&a);

	for (size_t i = 0; i < 8 && i < len; i++)
		a.bytes[len - 1 - i] |= (uint8_t)(n >> (8 * i));
	return a;
}

static uint64_t
low_bits(uint64_t n, unsigned bits)
{
	return bits >= 64 ? n : n & ((UINT64_C(1) << bits) - 1);
}

/* How much of a pool a prefix is. Beyond 2^32 addresses all count alike: nobody has so many clients. */
static uint64_t
weight(const struct prefix *p)
{
	unsigned bits = host_bits(p);

	return UINT64_C(1) << (bits > 32 ? 32 : bits);
}

static bool
pool_source(const struct config_policy *p, const struct addr *client, struct policy_verdict *verdict)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < p->outside_count; i++)
		total += p->outside[i].addr.family == verdict->server.family ? weight(&p->outside[i]) : 0;
	if (total == 0) {
		verdict->reason = "the pool has no address of the server's family";
		return false;
	}
	at = hash(client, UINT64_C(0xcbf29ce484222325)) % total;
	for (size_t i = 0; i < p->outside_count; i++) {
		const struct prefix *out = &p->outside[i];
		uint64_t n = out->addr.family == verdict->server.family ? weight(out) : 0;

		if (at >= n) {
			at -= n;
			continue;
		}
		if (host_bits(out) > 32)
			at = low_bits(hash(client, at), host_bits(out));
		/* The first address of an IPv6 network is its routers' (RFC 4291, section 2.6.1). */
		if (at == 0 && out->addr.family == 6 && host_bits(out) > 1)
			at = 1;
		verdict->source = nth(out, at);
		return true;
	}
	return false;
}

static bool
static_source(const struct config_policy *p, const struct addr *client, struct policy_verdict *verdict)
{
	const struct prefix *out = &p->outside[0];
	struct addr network = *client;
	size_t len = addr_len(client);

	if (out->addr.family != verdict->server.family) {
		verdict->reason = "the outside address is not of the server's family";
		return false;
	}
	addr_mask(&network, p->inside.len);
	verdict->source = out->addr;
	for (size_t i = 0; i < len; i++)
		verdict->source.bytes[i] |= client->bytes[i] ^ network.bytes[i];
	return true;
}

/* A client's own address is of no use towards a server of the other family. */
static void
nat64_source(const struct config *config, struct policy_verdict *verdict)
{
	bool fixed = config->nat64_source.family != 0;

	verdict->nat = NAT_INTERFACE;
	verdict->source_kind = fixed ? SOURCE_FIXED : SOURCE_INTERFACE;
	verdict->source = config->nat64_source;
}

/* Whether there is one. */
static bool
find_source(const struct config *config, const struct config_policy *p, const struct policy_query *query, struct policy_verdict *verdict)
{
	verdict->source_kind = SOURCE_FIXED;
	if (verdict->nat == NAT_POOL)
		return pool_source(p, &query->client, verdict);
	if (verdict->nat == NAT_STATIC)
		return static_source(p, &query->client, verdict);
	if (verdict->nat64) {
		nat64_source(config, verdict);
		return true;
	}
	if (verdict->nat == NAT_INTERFACE) {
		verdict->source_kind = SOURCE_INTERFACE;
		return true;
	}
	verdict->source_kind = verdict->nat == NAT_AUTO ? SOURCE_CLIENT : SOURCE_FIXED;
	verdict->source = query->client;
	return true;
}

void
policy_decide(const struct config *config, const struct policy_query *query, struct policy_verdict *verdict)
{
	const struct config_policy *p = NULL;

	for (size_t i = 0; i < config->policies_count && p == NULL; i++) {
		if (matches(&config->policies[i], query))
			p = &config->policies[i];
	}
	*verdict = (struct policy_verdict){
	    .action = p != NULL ? p->action : ACTION_PROXY,
	    .policy = p != NULL ? p->name : "default",
	    .nat = p != NULL ? p->nat : config->nat,
	};
	find_server(config, query, verdict);
	if (verdict->action != ACTION_PROXY)
		return;
	/* The gateway's own connections have one of its addresses already. */
	if (query->own)
		verdict->nat = NAT_AUTO;
	if (verdict->nat64 && is_nobody(&verdict->server)) {
		verdict->action = ACTION_REFUSE;
		verdict->reason = "the IPv4 address in the dialed address is nobody's";
	} else if (verdict->nat64 && query->own) { /* its GRE would not pass the forwarder */
		verdict->action = ACTION_REFUSE;
		verdict->reason = "NAT64 is not for clients on the gateway itself: dial the IPv4 address";
	} else if (!find_source(config, p, query, verdict)) {
		verdict->action = ACTION_REFUSE;
	}
}
