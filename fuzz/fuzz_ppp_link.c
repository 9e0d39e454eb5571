/* A PPP link with its bundle: the first two bytes choose the configuration, then come calls in any order: frames as bytes, frames
 * made of what it sent itself (answers are how one gets anywhere), time, verdicts, data, close. Nothing but DOWN comes last, data
 * in clear never passes where encryption is required, and memory stays what it was. */
#include <string.h>

#include "base/mem.h"
#include "base/timerheap.h"
#include "base/wire.h"
#include "fuzz/fuzz.h"
#include "libppp/bundle.h"
#include "libppp/crypto.h"
#include "libppp/link.h"

enum { FRAME_MAX = PPP_MAX_CONTROL + PPP_MAX_OVERHEAD, KEPT = 8 };

struct world {
	struct fuzz_input in;
	struct ppp_link *link;
	struct ppp_bundle *bundle;
	struct ppp_bundle_config bc;
	struct ppp_auth_request request;
	bool asked, down;
	uint64_t ts;
	uint8_t kept[KEPT][FRAME_MAX]; /* the last frames that it sent */
	size_t keptlen[KEPT];
	unsigned sent;
};

static const struct ppp_crypto *
crypto(void)
{
	static struct ppp_crypto *c;
	char err[200];

	if (c == NULL && ppp_crypto_new(&c, err, sizeof(err)) != 0)
		exit(77);
	return c;
}

static void
fill(void *user, void *buf, size_t len)
{
	uint32_t *seed = user;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(*seed >> 24);
	}
}

static void
look(void *user, bool sent, const char *line)
{
	(void)user, (void)sent;
	FUZZ_CHECK(line[0] == '[');
	for (; *line != '\0'; line++)
		FUZZ_CHECK(*line >= ' ' && *line <= '~');
}

static void
join(struct world *w)
{
	struct ppp_link_info info;

	FUZZ_CHECK(w->bundle == NULL);
	ppp_link_info(w->link, &info);
	if (!w->bc.keys.valid)
		w->bc.keys = info.keys;
	if (ppp_bundle_new(&w->bundle, &w->bc, w->ts) == 0)
		ppp_link_join(w->link, w->bundle, w->ts);
}

static void
drain(struct world *w)
{
	struct ppp_event ev;
	size_t len;

	while (ppp_link_event(w->link, &ev)) {
		FUZZ_CHECK(!w->down);
		if (ev.type == PPP_EVENT_NETWORK)
			join(w);
		if (ev.type == PPP_EVENT_DOWN)
			w->down = true;
		if (ev.type == PPP_EVENT_AUTH_REQUEST) {
			w->asked = true;
			w->request = ev.request;
			FUZZ_CHECK(ev.request.name[ev.request.name_len] == '\0');
		}
	}
	while ((len = ppp_link_output(w->link, w->kept[w->sent % KEPT], FRAME_MAX)) > 0)
		w->keptlen[w->sent++ % KEPT] = len;
}

static void
receive(struct world *w, const uint8_t *data, size_t len)
{
	uint8_t frame[2048], *payload;
	struct ppp_bundle_info info;
	size_t payloadlen;
	bool clear;

	if (len > sizeof(frame))
		len = sizeof(frame);
	memcpy(frame, data, len);
	clear = len >= 2 && frame[0] == 0x00 && frame[1] == 0x21;
	if (ppp_link_rx(w->link, frame, len, w->ts, &payload, &payloadlen) == PPP_RX_IP) {
		FUZZ_CHECK(payload >= frame && payload + payloadlen <= frame + len && w->bundle != NULL);
		FUZZ_CHECK(!clear || w->bc.mppe != PPP_MPPE_REQUIRE);
		ppp_bundle_info(w->bundle, &info);
		FUZZ_CHECK(info.ipv4_up && (w->bc.mppe != PPP_MPPE_REQUIRE || info.mppe_up));
	}
}

/* One of its own frames, with another code, and here and there another byte. */
static void
answer(struct world *w)
{
	uint8_t frame[FRAME_MAX], which = fuzz_u8(&w->in), code = fuzz_u8(&w->in), at = fuzz_u8(&w->in), value = fuzz_u8(&w->in);
	size_t len = w->keptlen[which % KEPT];
	size_t header;

	memcpy(frame, w->kept[which % KEPT], len);
	header = len > 2 && frame[0] == 0xff ? 4 : 2;
	if (len < header + 4)
		return;
	if (code != 0)
		frame[header] = code;
	if (at != 0 && header + at < len)
		frame[header + at] = value;
	receive(w, frame, len);
}

static void
decide(struct world *w)
{
	struct ppp_secret secret = {.len = 6, .data = "secret"};
	struct ppp_auth_verdict v;
	uint8_t how = fuzz_u8(&w->in);

	if (!w->asked)
		return;
	ppp_auth_check(crypto(), &w->request, &secret, &v);
	if (how & 1)
		v.ok = true;
	v.retry = how & 2;
	ppp_link_auth_verdict(w->link, how & 4 ? how : w->request.id, &v, w->ts);
}

static void
send(struct world *w)
{
	uint8_t buf[PKT_HEADROOM + 300] = {0};
	enum ppp_proto proto = fuzz_u8(&w->in) & 1 ? PPP_PROTO_IPV6 : PPP_PROTO_IP;
	struct ppp_bundle_info info;
	struct pkt p;

	pkt_init(&p, buf, sizeof(buf), fuzz_u8(&w->in) % PKT_HEADROOM);
	p.len = fuzz_u8(&w->in);
	if (!ppp_link_tx(w->link, &p, proto, w->ts))
		return;
	ppp_bundle_info(w->bundle, &info);
	FUZZ_CHECK(proto == PPP_PROTO_IP ? info.ipv4_up : info.ipv6_up);
	FUZZ_CHECK(w->bc.mppe != PPP_MPPE_REQUIRE || info.mppe_up);
	FUZZ_CHECK(p.data >= p.head && p.data + p.len <= p.end);
}

static void
step(struct world *w)
{
	const uint8_t *data;
	size_t len;

	switch (fuzz_u8(&w->in) % 8) {
	case 0:
		data = fuzz_bytes(&w->in, fuzz_u8(&w->in), &len);
		receive(w, data, len);
		break;
	case 1:
		data = fuzz_bytes(&w->in, fuzz_u16(&w->in) % 2048, &len);
		receive(w, data, len);
		break;
	case 2:
	case 3:
		answer(w);
		break;
	case 4:
		w->ts += TS_MS(100) * fuzz_u8(&w->in);
		if (ppp_link_expiry(w->link) <= w->ts)
			ppp_link_expire(w->link, w->ts);
		break;
	case 5:
		decide(w);
		break;
	case 6:
		send(w);
		break;
	default:
		/* rarely, for nothing comes after it */
		if (fuzz_u8(&w->in) == 0x77)
			ppp_link_close(w->link, PPP_DOWN_LOCAL, NULL, w->ts);
		else if (fuzz_u8(&w->in) == 0x78)
			ppp_link_lower_down(w->link, w->ts);
		break;
	}
}

static void
configure(struct world *w, struct ppp_link_config *lc, uint32_t *seed)
{
	uint8_t a = fuzz_u8(&w->in), b = fuzz_u8(&w->in);

	ppp_link_config_init(lc);
	ppp_bundle_config_init(&w->bc);
	lc->crypto = w->bc.crypto = crypto();
	lc->random = w->bc.random = fill;
	lc->random_user = w->bc.random_user = seed;
	lc->trace = w->bc.trace = look;
	lc->require = a & 0x40 ? a & PPP_AUTH_ALL : 0;
	lc->allow = a & 0x80 ? PPP_AUTH_ALL : 0;
	lc->secret = (struct ppp_secret){.len = 6, .data = "secret"};
	lc->passive = b & 0x80;
	memcpy(lc->local_name, "fuzz", 5);
	w->bc.mppe = (enum ppp_mppe_policy)((b & 3) % 3);
	w->bc.mppe_stateless = b & 4;
	w->bc.ipv6 = b & 8;
	w->bc.request_dns = b & 16;
	w->bc.keys.valid = b & 32;
	if (b & 64) {
		addr_parse(&w->bc.local_v4, "10.0.0.1");
		addr_parse(&w->bc.peer_v4, "10.0.0.2");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	struct world w = {.in = {data, datalen}, .ts = TS_S(1)};
	struct ppp_link_config lc;
	struct mem_failing mem;
	uint32_t seed = 1;

	mem_failing_init(&mem, 0);
	configure(&w, &lc, &seed);
	lc.mem = w.bc.mem = &mem.mem;
	FUZZ_CHECK(ppp_link_new(&w.link, &lc, w.ts) == 0);
	ppp_link_open(w.link, w.ts);
	drain(&w);
	for (unsigned n = 0; w.in.left > 0 && n < 2000; n++) {
		step(&w);
		drain(&w);
	}
	FUZZ_CHECK(mem.held <= 4);
	ppp_link_free(w.link);
	ppp_bundle_free(w.bundle);
	FUZZ_CHECK(mem.held == 0);
	return 0;
}
