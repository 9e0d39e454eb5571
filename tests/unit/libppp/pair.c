#include "tests/unit/libppp/pair.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

static void
rng_fill(void *user, void *buf, size_t len)
{
	uint64_t *s = user;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*s ^= *s << 13;
		*s ^= *s >> 7;
		*s ^= *s << 17;
		p[i] = (uint8_t)(*s >> 32);
	}
}

static void
log_line(struct end *e, const char *mark, const char *line)
{
	int n = snprintf(e->log + e->loglen, END_LOG - e->loglen, "%s%s\n", mark, line);

	if (getenv("PPP_TRACE") != NULL)
		fprintf(stderr, "%p %.3f %s%s\n", (void *)e, (double)*e->now / 1e9, mark, line);
	if (n > 0 && e->loglen + (size_t)n < END_LOG)
		e->loglen += (size_t)n;
}

static void
trace(void *user, bool sent, const char *line)
{
	log_line(user, sent ? "> " : "< ", line);
}

struct addr
v4(const char *text)
{
	struct addr a = {0};

	ck_assert(addr_parse(&a, text));
	return a;
}

struct ppp_secret
secret_of(const char *password)
{
	struct ppp_secret s = {.len = (uint16_t)strlen(password)};

	memcpy(s.data, password, s.len);
	return s;
}

static void
end_init(struct pair *p, struct end *e, const char *name, uint64_t seed)
{
	e->rng = seed;
	e->now = &p->now;
	ppp_link_config_init(&e->lc);
	ppp_bundle_config_init(&e->bc);
	e->lc.crypto = e->bc.crypto = p->crypto;
	e->lc.random = e->bc.random = rng_fill;
	e->lc.random_user = e->bc.random_user = &e->rng;
	e->lc.trace = e->bc.trace = trace;
	e->lc.trace_user = e->bc.trace_user = e;
	e->bc.mppe = PPP_MPPE_DENY;
	snprintf(e->lc.local_name, sizeof(e->lc.local_name), "%s", name);
}

void
pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->now = TS_S(1000);
	p->crypto = test_crypto();
	end_init(p, &p->a, "server", 0x1234567);
	end_init(p, &p->b, "joe", 0x7654321);
	p->a.bc.local_v4 = v4("10.0.0.1");
	p->a.bc.peer_v4 = v4("10.0.0.2");
	p->a.users = p->b.users = secret_of("secret");
	p->a.lc.secret = p->b.lc.secret = secret_of("secret");
}

static void
end_fini(struct end *e)
{
	ppp_link_free(e->link);
	ppp_bundle_free(e->bundle);
}

void
pair_fini(struct pair *p)
{
	end_fini(&p->a);
	end_fini(&p->b);
}

void
pair_authenticate(struct pair *p, unsigned methods)
{
	p->a.lc.require = methods;
	p->b.lc.allow = methods;
}

static void
join(struct end *e)
{
	struct ppp_link_info info;

	if (e->no_bundle)
		return;
	ck_assert_ptr_null(e->bundle);
	ppp_link_info(e->link, &info);
	e->bc.keys = e->keys.valid ? e->keys : info.keys;
	ck_assert_int_eq(ppp_bundle_new(&e->bundle, &e->bc, *e->now), 0);
	ppp_link_join(e->link, e->bundle, *e->now);
}

static void
decide(struct end *e, const struct ppp_auth_request *request)
{
	struct ppp_auth_verdict verdict;

	e->requests++;
	e->request = *request;
	if (e->hold_verdict)
		return;
	ppp_auth_check(e->lc.crypto, request, &e->users, &verdict);
	ppp_link_auth_verdict(e->link, request->id, &verdict, *e->now);
}

void
end_events(struct end *e)
{
	static const char *const names[] = {"none", "lcp-up", "auth-request", "peer-authed", "self-authed", "network", "identification",
	    "down", "ipcp-up", "ipcp-down", "ipv6cp-up", "ipv6cp-down", "mppe-up", "mppe-down", "bundle-failed"};
	struct ppp_event ev;

	while (ppp_link_event(e->link, &ev)) {
		ck_assert_msg(!end_saw(e, PPP_EVENT_DOWN), "event %s after down", names[ev.type]);
		e->seen |= 1u << ev.type;
		log_line(e, "* ", names[ev.type]);
		if (ev.type == PPP_EVENT_NETWORK)
			join(e);
		else if (ev.type == PPP_EVENT_AUTH_REQUEST)
			decide(e, &ev.request);
		else if (ev.type == PPP_EVENT_DOWN)
			e->down = ev;
		else if (ev.type == PPP_EVENT_BUNDLE_FAILED)
			e->failed = ev;
	}
}

bool
end_saw(const struct end *e, enum ppp_event_type type)
{
	return (e->seen & (1u << type)) != 0;
}

void
end_open(struct end *e)
{
	ck_assert_int_eq(ppp_link_new(&e->link, &e->lc, *e->now), 0);
	ppp_link_open(e->link, *e->now);
}

/* One frame at a time and in turns, as a network would have it. */
static bool
carry(struct pair *p, struct end *from, struct end *to)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t len, payloadlen;

	end_events(from);
	len = ppp_link_output(from->link, frame, sizeof(frame));
	if (len == 0)
		return false;
	p->frames++;
	if (p->pass != NULL && !p->pass(p, to, frame, len))
		return true;
	ppp_link_rx(to->link, frame, len, p->now, &payload, &payloadlen);
	end_events(to);
	return true;
}

void
pair_settle(struct pair *p)
{
	unsigned limit = p->frames + 2000;
	bool more = true;

	while (more) {
		more = carry(p, &p->a, &p->b);
		more |= carry(p, &p->b, &p->a);
		ck_assert_msg(p->frames < limit, "they never stop talking:\n%s", p->a.log);
	}
}

void
pair_open(struct pair *p)
{
	end_open(&p->a);
	end_open(&p->b);
	pair_settle(p);
}

void
pair_run(struct pair *p, uint64_t ns)
{
	uint64_t end = p->now + ns;

	for (;;) {
		uint64_t x = ppp_link_expiry(p->a.link), y = ppp_link_expiry(p->b.link);
		uint64_t next = x < y ? x : y;

		pair_settle(p);
		if (next > end)
			break;
		if (next > p->now)
			p->now = next;
		ppp_link_expire(p->a.link, p->now);
		ppp_link_expire(p->b.link, p->now);
		pair_settle(p);
	}
	p->now = end;
}

void
end_drain(struct end *e)
{
	uint8_t frame[FRAME_MAX];

	end_events(e);
	while (ppp_link_output(e->link, frame, sizeof(frame)) > 0)
		end_events(e);
}

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t
hex_bytes(const char *hex, uint8_t *buf, size_t buflen)
{
	size_t n = 0;

	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		ck_assert(n < buflen && nibble(hex[0]) >= 0 && nibble(hex[1]) >= 0);
		buf[n++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
		hex++;
	}
	return n;
}

enum ppp_rx_kind
end_rx_hex(struct end *e, const char *hex)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t payloadlen, len = hex_bytes(hex, frame, sizeof(frame));
	enum ppp_rx_kind kind = ppp_link_rx(e->link, frame, len, *e->now, &payload, &payloadlen);

	end_events(e);
	return kind;
}

const char *
end_tx_hex(struct end *e)
{
	static char hex[2 * FRAME_MAX + 1];
	uint8_t frame[FRAME_MAX];
	size_t len = ppp_link_output(e->link, frame, sizeof(frame));

	hex[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", frame[i]);
	return hex;
}

bool
pair_ping(struct pair *p, struct end *from, struct end *to, size_t len)
{
	uint8_t buf[PKT_HEADROOM + 2000], copy[2000], *payload;
	struct pkt pkt;
	size_t payloadlen;

	pkt_init(&pkt, buf, sizeof(buf), PKT_HEADROOM);
	for (size_t i = 0; i < len; i++)
		copy[i] = (uint8_t)(i * 7 + len);
	memcpy(pkt.data, copy, len);
	pkt.len = len;
	if (!ppp_link_tx(from->link, &pkt, PPP_PROTO_IP, p->now))
		return false;
	if (ppp_link_rx(to->link, pkt.data, pkt.len, p->now, &payload, &payloadlen) != PPP_RX_IP)
		return false;
	return payloadlen == len && memcmp(payload, copy, len) == 0;
}
