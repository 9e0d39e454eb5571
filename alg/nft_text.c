/* The table as text.
 *
 *   prerouting   behind the box's destination NAT: packets of the gateway's transparent sockets are marked `local` and so led home; the
 *                first packet of a control connection goes to the listener (TPROXY), which the rest of the connection follows
 *   output       the same for clients on the box itself: marked, so that their packets are routed again, over lo to prerouting. That a
 *                connection was taken stands in its conntrack mark, for there is no socket to be found on the way out
 *   postrouting  source addresses that shall stay are "translated" to themselves, before the box's own source NAT. That there is a
 *                nat chain at all also makes the kernel translate along conntrack entries (gates)
 *   forward      what is marked `local` and still forwarded lost its routing rule; `unheard`; and `strict`
 *   errors       `unheard` for what the box itself says: see put_unheard()
 *
 * Raw expressions (@th) stand in chains of their own, behind `meta l4proto gre jump`: in one rule with it nft 1.0.6 can't list them. */
#include <stdarg.h>
#include <stdio.h>

#include "alg/ct.h"
#include "alg/nft_text.h"

/* The config's mark is one bit; the two above it are ours as well. */
struct nft_marks
nft_marks(const struct config *config)
{
	return (struct nft_marks){.local = config->mark, .proxy = config->mark << 1, .fixed = config->mark << 2};
}

static uint32_t
all_marks(const struct config *config)
{
	struct nft_marks m = nft_marks(config);

	return m.local | m.proxy | m.fixed;
}

struct out {
	const struct config *config;
	char *buf;
	size_t size, len;
};

static void __attribute__((format(printf, 2, 3))) put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->len < o->size ? o->buf + o->len : NULL, o->len < o->size ? o->size - o->len : 0, fmt, ap);
	va_end(ap);
	o->len += n > 0 ? (size_t)n : 0;
}

/* `what` is "meta mark" or "ct mark". Other bits are the administrator's. */
static void
put_set(struct out *o, const char *what, uint32_t mark)
{
	put(o, " %s set %s & 0x%08x | 0x%08x", what, what, ~all_marks(o->config), mark);
}

static void
put_set_local(struct out *o)
{
	put_set(o, "meta mark", nft_marks(o->config).local);
}

/* What the box's own clients send: `local` for the routing rules (see nft.c), `fixed` since its source shall stay on its way over lo. */
static uint32_t
own_mark(const struct out *o)
{
	return nft_marks(o->config).local | nft_marks(o->config).fixed;
}

static void
put_is_own(struct out *o, const char *what)
{
	put(o, " %s & 0x%08x == 0x%08x", what, all_marks(o->config), own_mark(o));
}

/* --- lists ---------------------------------------------------------------------- */

static void
put_interfaces(struct out *o, const char *match, char names[][IFNAMSIZ], size_t n)
{
	put(o, "%s {", match);
	for (size_t i = 0; i < n; i++)
		put(o, "%s \"%s\"", i > 0 ? "," : "", names[i]);
	put(o, " }");
}

static void
put_ports(struct out *o, const uint16_t *ports, size_t n)
{
	put(o, " {");
	for (size_t i = 0; i < n; i++)
		put(o, "%s %u", i > 0 ? "," : "", ports[i]);
	put(o, " }");
}

static void
put_port(struct out *o, uint16_t port)
{
	if (port != 0)
		put(o, ", %u", port);
}

/* Each port that either end of a taken connection may have. A port that stands there twice is no error. */
static void
put_all_ports(struct out *o)
{
	const struct config *c = o->config;

	put(o, " { %u", c->ports[0]);
	for (size_t i = 1; i < c->ports_count; i++)
		put_port(o, c->ports[i]);
	for (size_t i = 0; i < c->servers_count; i++) {
		put_port(o, c->servers[i].port);
		put_port(o, c->servers[i].to_port);
	}
	put(o, " }");
}

/* Whether another prefix of the list holds this one: nft takes no overlaps. Of equal ones the first stays. */
static bool
is_covered(const struct prefix *list, size_t count, size_t i)
{
	for (size_t j = 0; j < count; j++)
		if (j != i && prefix_contains(&list[j], &list[i].addr) &&
		    (list[j].len < list[i].len || (list[j].len == list[i].len && j < i)))
			return true;
	return false;
}

static bool
has_family(const struct prefix *list, size_t count, uint8_t family)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].addr.family == family)
			return true;
	return count == 0;
}

/* Those of the family; nothing where they are no restriction beyond it. */
static void
put_prefixes(struct out *o, const char *match, const struct prefix *list, size_t count, uint8_t family)
{
	char text[ADDR_TEXT_MAX];
	const char *before = " {";

	for (size_t i = 0; i < count; i++)
		if (list[i].addr.family == family && list[i].len == 0)
			return;
	for (size_t i = 0; i < count; i++) {
		if (list[i].addr.family != family || is_covered(list, count, i))
			continue;
		if (before[1] == '{')
			put(o, " %s", match);
		put(o, "%s %s", before, prefix_text(&list[i], text));
		before = ",";
	}
	if (before[0] == ',')
		put(o, " }");
}

/* --- policies -------------------------------------------------------------------- */

static bool
any_address(const struct config_policy *p)
{
	return p->sources_count == 0 && p->destinations_count == 0 && p->inside.addr.family == 0;
}

static bool
family_possible(const struct config_policy *p, uint8_t family)
{
	return has_family(p->sources, p->sources_count, family) && has_family(p->destinations, p->destinations_count, family) &&
	       (p->inside.addr.family == 0 || p->inside.addr.family == family);
}

static void
put_addresses(struct out *o, const struct config_policy *p, uint8_t family)
{
	bool v4 = family == 4;

	put(o, " meta nfproto %s", v4 ? "ipv4" : "ipv6");
	put_prefixes(o, v4 ? "ip saddr" : "ip6 saddr", p->sources, p->sources_count, family);
	put_prefixes(o, v4 ? "ip saddr" : "ip6 saddr", &p->inside, p->inside.addr.family != 0 ? 1 : 0, family);
	put_prefixes(o, v4 ? "ct original ip daddr" : "ct original ip6 daddr", p->destinations, p->destinations_count, family);
}

/* family 0: any */
static void
put_policy(struct out *o, const struct config_policy *p, uint8_t family, const char *take)
{
	put(o, "\t\tmeta l4proto tcp");
	if (p->interfaces_count > 0)
		put_interfaces(o, " iifname", (char(*)[IFNAMSIZ])p->interfaces, p->interfaces_count);
	if (p->ports_count > 0) {
		put(o, " ct original proto-dst");
		put_ports(o, p->ports, p->ports_count);
	}
	if (family != 0)
		put_addresses(o, p, family);
	if (p->action == ACTION_PASS)
		put(o, " return\n");
	else
		put(o, " goto %s\n", take);
}

/* The policies in their order up to the last that lets connections pass; all others take them. */
static void
put_policies(struct out *o, bool own, const char *take)
{
	const struct config *c = o->config;
	size_t count = c->policies_count;

	while (count > 0 && c->policies[count - 1].action != ACTION_PASS)
		count--;
	for (size_t i = 0; i < count; i++) {
		const struct config_policy *p = &c->policies[i];

		if (own && p->interfaces_count > 0)
			continue; /* the box's own clients come in by no interface */
		if (any_address(p)) {
			put_policy(o, p, 0, take);
			continue;
		}
		for (uint8_t family = 4; family <= 6; family += 2)
			if (family_possible(p, family))
				put_policy(o, p, family, take);
	}
	put(o, "\t\tgoto %s\n", take);
}

/* --- chains ------------------------------------------------------------------------ */

static void
put_families(struct out *o)
{
	if (!o->config->ipv4)
		put(o, "\t\tmeta nfproto ipv4 return\n");
	if (!o->config->ipv6)
		put(o, "\t\tmeta nfproto ipv6 return\n");
}

/* Which new connections may be taken at all: to a configured server, or to the ports and not to the box itself. */
static void
put_destinations(struct out *o, const char *choose)
{
	const struct config *c = o->config;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < c->servers_count; i++) {
		const struct config_server *s = &c->servers[i];

		put(o, "\t\t%s daddr %s tcp dport", s->address.family == 4 ? "ip" : "ip6", addr_text(&s->address, text));
		put_ports(o, s->port != 0 ? &s->port : c->ports, s->port != 0 ? 1 : c->ports_count);
		put(o, " goto %s\n", choose);
	}
	put(o, "\t\ttcp dport !=");
	put_ports(o, c->ports, c->ports_count);
	put(o, " return\n\t\tfib daddr type local return\n\t\tgoto %s\n", choose);
}

static void
put_prerouting(struct out *o)
{
	const struct config *c = o->config;

	put(o, "\tchain prerouting {\n\t\ttype filter hook prerouting priority dstnat + 10; policy accept;\n");
	put(o, "\t\tmeta l4proto tcp jump control\n\t}\n\tchain control {\n");
	/* A new connection goes to the listener even if an old one with the same ends has left a socket in TIME-WAIT. Here no `socket
	 * wildcard 0`: it breaks off at the half-open socket that the handshake's last packet is for. */
	put(o, "\t\ttcp dport");
	put_all_ports(o);
	put(o, " tcp flags & (syn | ack) != syn socket transparent 1");
	put_set_local(o);
	/* Where connection tracking has given it another port on its way in, for that was another's, there is no socket by this one. */
	put(o, " accept\n\t\ttcp flags & (syn | ack) != syn ct direction original ct mark & 0x%08x == 0x%08x ct status snat", all_marks(c),
	    nft_marks(c).local);
	put_set_local(o);
	/* Nor has a connection a socket before its SYN cookie comes back: that is for the listener to know. */
	put(o,
	    " accept\n\t\ttcp flags & (syn | ack) != syn ct direction original ct mark & 0x%08x == 0x%08x meta l4proto tcp tproxy to :%u",
	    all_marks(c), nft_marks(c).local, c->proxy_port);
	put_set_local(o);
	put(o, " accept\n\t\ttcp sport");
	put_all_ports(o);
	put(o, " tcp dport != %u socket transparent 1", c->proxy_port); /* but the listener's, whose address is any */
	put_set_local(o);
	/* By other ports go those that a former configuration let in. */
	put(o, " accept\n\t\tct direction reply ct mark & 0x%08x == 0x%08x socket transparent 1", all_marks(c), nft_marks(c).proxy);
	put_set_local(o);
	put(o, " accept\n\t\ttcp flags & (fin | syn | rst | ack) != syn return\n");
	/* Nobody shall reach the listener by its own port. */
	put(o, "\t\ttcp dport %u fib daddr type local reject with tcp reset\n", c->proxy_port);
	if (c->own_connections) {
		put(o, "\t\tiif lo");
		put_is_own(o, "meta mark");
		put(o, " goto take\n");
	}
	put(o, "\t\tiif lo return\n");
	if (c->interfaces_count > 0) {
		put_interfaces(o, "\t\tiifname !=", (char(*)[IFNAMSIZ])c->interfaces, c->interfaces_count);
		put(o, " return\n");
	}
	put_families(o);
	put_destinations(o, "choose");
	put(o, "\t}\n");
}

/* Without a listener tproxy ends its rule, and nothing is marked. */
static void
put_take(struct out *o)
{
	put(o, "\tchain take {\n\t\tiif != lo meta l4proto tcp tproxy to :%u", o->config->proxy_port);
	put_set(o, "ct mark", nft_marks(o->config).local);
	put_set_local(o);
	put(o, " accept\n\t\tmeta l4proto tcp tproxy to :%u", o->config->proxy_port);
	put_set_local(o);
	put(o, " accept\n\t}\n\tchain choose {\n");
	put_policies(o, false, "take");
	put(o, "\t}\n");
}

static void
put_own_take(struct out *o)
{
	put(o, "\tchain own_take {\n\t\t");
	put_set(o, "ct mark", own_mark(o));
	put_set(o, "meta mark", own_mark(o));
	put(o, " accept\n\t}\n\tchain own_choose {\n");
	put_policies(o, true, "own_take");
	put(o, "\t}\n");
}

/* Connections of the box's own that a former configuration let in go on, whatever this one says of new ones. */
static void
put_output(struct out *o)
{
	put(o, "\tchain output {\n\t\ttype route hook output priority -90; policy accept;\n");
	put(o, "\t\tmeta mark & 0x%08x != 0 return\n\t\tmeta l4proto tcp jump own\n\t}\n", nft_marks(o->config).proxy);
	put(o, "\tchain own {\n\t\tct direction original");
	put_is_own(o, "ct mark");
	put_set(o, "meta mark", own_mark(o));
	put(o, " accept\n");
	if (o->config->own_connections) {
		put(o, "\t\ttcp flags & (fin | syn | rst | ack) != syn return\n");
		put_families(o);
		put_destinations(o, "own_choose");
	}
	put(o, "\t}\n");
}

static void
put_postrouting(struct out *o)
{
	uint32_t fixed = nft_marks(o->config).fixed; /* of its own clients, too */
	uint32_t proxy = nft_marks(o->config).proxy;

	put(o, "\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat - 10; policy accept;\n");
	put(o, "\t\tmeta l4proto tcp meta mark & 0x%08x != 0", proxy);
	put_set(o, "ct mark", proxy);
	put(o, "\n");
	put(o, "\t\tmeta nfproto ipv4 meta mark & 0x%08x != 0 snat ip to ip saddr\n", fixed);
	put(o, "\t\tmeta nfproto ipv6 meta mark & 0x%08x != 0 snat ip6 to ip6 saddr\n", fixed);
	put(o, "\t}\n");
}

/* A packet for a call that has just ended meets a host without a socket for it, the client or the box itself, whose kernel then says by
 * ICMP that it does not know the protocol. To a server like poptop, which has a connected raw socket for each call, that is an error of all
 * calls with this address, which it ends: everybody's behind one NAT. The call's own end is told by its control connection. */
static void
put_unheard(struct out *o)
{
	put(o, "\tchain unheard4 {\n\t\t@th,136,8 47 @th,224,32 & 0x0007ffff == 0x0001880b drop\n\t}\n");
	put(o, "\tchain unheard6 {\n\t\t@th,112,8 47 @th,384,32 & 0x0007ffff == 0x0001880b drop\n\t}\n");
	put(o, "\tchain unheard {\n\t\ticmp type destination-unreachable icmp code 2 jump unheard4\n");
	put(o, "\t\ticmpv6 type parameter-problem icmpv6 code 1 jump unheard6\n\t}\n");
	put(o, "\tchain errors {\n\t\ttype filter hook output priority filter; policy accept;\n");
	put(o, "\t\tmeta l4proto { icmp, icmpv6 } jump unheard\n\t}\n");
}

static void
put_forward(struct out *o)
{
	struct nft_marks m = nft_marks(o->config);

	put(o, "\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n");
	put(o, "\t\tmeta mark & 0x%08x == 0x%08x drop\n", m.local | m.proxy, m.local);
	put(o, "\t\tmeta l4proto { icmp, icmpv6 } jump unheard\n");
	if (o->config->strict)
		put(o, "\t\tmeta l4proto gre jump strict\n\t}\n\tchain strict {\n\t\t" NFT_PPTP_GRE
		       " ct state new,invalid,untracked counter drop\n");
	put(o, "\t}\n");
}

size_t
nft_text(const struct config *config, char *buf, size_t buflen)
{
	struct out o = {.config = config, .buf = buf, .size = buflen};

	put(&o, "table inet pptpalg {\n");
	put_take(&o);
	put_prerouting(&o);
	if (config->own_connections)
		put_own_take(&o);
	put_output(&o);
	put_postrouting(&o);
	put_unheard(&o);
	put_forward(&o);
	put(&o, "}\n");
	return o.len;
}

/* A path to an IPv6 client with a smaller MTU: the router there tells the server's NAT64 address, which is nobody's. Led home, the kernel
 * learns it for the forwarder's packets. In the error lies the packet (8 bytes on), or its fragment (40 more). */
static void
put_too_big(struct out *o)
{
	put(o, "\tchain too_big {\n");
	for (int i = 0; i < 2; i++) {
		put(o, i == 0 ? "\t\t@th,112,8 47" : "\t\t@th,112,8 44 @th,384,8 47");
		put_set_local(o);
		put(o, " notrack\n");
	}
	put(o, "\t}\n");
}

size_t
nft_apart_text(const struct config *config, char *buf, size_t buflen)
{
	struct out o = {.config = config, .buf = buf, .size = buflen};

	put(&o, "table inet pptpalg {\n\tchain apart {\n\t\ttype filter hook output priority raw; policy accept;\n");
	put(&o, "\t\tmeta l4proto tcp meta mark & 0x%08x != 0 ct original zone set %d\n\t}\n}\n", nft_marks(config).proxy, CT_ZONE);
	return o.len;
}

/* IPv6 options before a fragment header: what connection tracking puts together from such fragments has its transport header at GRE, but
 * for the kernel's local delivery the options are still to be read, and it reads GRE as options. So the first fragment's mark (`proxy`, which
 * nothing that comes in has) tells of it, and what goes home then begins with GRE right away. */
#define WITH_OPTIONS "ip6 nexthdr { 43, 60 }"

static void
put_options_found(struct out *o)
{
	put(o,
	    "\tchain options {\n\t\ttype filter hook prerouting priority raw - 150; policy accept;\n\t\t" WITH_OPTIONS " frag nexthdr gre");
	put_set(o, "meta mark", nft_marks(o->config).proxy);
	put(o, "\n\t}\n");
}

static void
put_with_options(struct out *o)
{
	put(o, "\t\t" WITH_OPTIONS " meta mark & 0x%08x == 0x%08x", all_marks(o->config), nft_marks(o->config).proxy);
}

static void
put_is_diverted(struct out *o, int family)
{
	const char *ip = family == 4 ? "ip" : "ip6";

	put(o, NFT_PPTP_GRE " %s saddr . %s daddr . @th,48,16 @divert%d", ip, ip, family);
}

static void
put_divert(struct out *o)
{
	put(o, "\tchain divert {\n");
	put_with_options(o);
	put(o, " ");
	put_is_diverted(o, 6);
	put(o, " ip6 nexthdr set 47\n");
	for (int family = 4; family <= 6; family += 2) {
		put(o, "\t\t");
		put_is_diverted(o, family);
		put_set_local(o);
		put(o, " notrack\n");
	}
	put(o, "\t}\n");
}

size_t
nft_divert_text(const struct config *config, char *buf, size_t buflen)
{
	struct out o = {.config = config, .buf = buf, .size = buflen};
	const struct prefix *nat64 = &config->nat64_prefix;
	char text[ADDR_TEXT_MAX];

	put(&o, "table inet pptpalg {\n");
	for (int i = 0; i < 2; i++)
		put(&o, "\tset divert%d {\n\t\ttypeof %s saddr . %s daddr . @th,48,16\n\t}\n", i == 0 ? 4 : 6, i == 0 ? "ip" : "ip6",
		    i == 0 ? "ip" : "ip6");
	put_divert(&o);
	put_options_found(&o);
	if (nat64->addr.family != 0)
		put_too_big(&o);
	put(&o, "\tchain gre_in {\n\t\ttype filter hook prerouting priority raw; policy accept;\n\t\tmeta l4proto gre jump divert\n");
	put_with_options(&o);
	put_set(&o, "meta mark", 0);
	put(&o, "\n");
	if (nat64->addr.family != 0)
		put(&o, "\t\tip6 daddr %s icmpv6 type packet-too-big jump too_big\n", prefix_text(nat64, text));
	put(&o, "\t}\n\tchain gre_out {\n\t\ttype filter hook output priority raw; policy accept;\n");
	put(&o, "\t\tmeta l4proto gre meta mark & 0x%08x != 0 notrack\n\t}\n}\n", nft_marks(config).proxy);
	return o.len;
}
