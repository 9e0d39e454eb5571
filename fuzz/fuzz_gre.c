/* GRE: the first byte chooses the configuration, then come calls of a session in any order: received packets (as bytes, or with
 * numbers near the expected one), time, sent packets, acknowledgements, next and drain. Every packet given in comes out exactly once. */
#include "libpptp/gre_private.h"

#include <pptp/gre.h>

#include <string.h>

#include "fuzz/fuzz.h"

enum { MAX_PACKETS = 4096 };

struct world {
	struct pptp_gre_session *s;
	struct fuzz_input in;
	uint64_t ts;
	size_t held; /* packets that the session has */
	size_t made;
	uint8_t packets[MAX_PACKETS]; /* 1: with the session, 2: back */
	bool careless;                /* does not ask for what is due */
};

static void
give_back(struct world *w, void *pkt)
{
	uint8_t *state = pkt;

	FUZZ_CHECK(*state == 1);
	*state = 2;
	w->held--;
}

static void
next_all(struct world *w)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER];
	void *pkt;

	while ((pkt = pptp_gre_next(w->s, w->ts)) != NULL)
		give_back(w, pkt);
	FUZZ_CHECK(w->held <= w->s->reorder_pkts);
	if (pptp_gre_ack(w->s, buf, w->ts) != 0)
		FUZZ_CHECK(pptp_gre_ack(w->s, buf, w->ts) == 0);
}

static void
rx(struct world *w, const struct pptp_gre_header *h)
{
	uint64_t pkts = pptp_gre_stats(w->s)->rx_pkts;
	uint8_t *pkt;

	if (w->made == MAX_PACKETS)
		return;
	pkt = &w->packets[w->made++];
	*pkt = 1;
	w->held++;
	switch (pptp_gre_rx(w->s, h, pkt, w->ts)) {
	case PPTP_GRE_HELD:
		FUZZ_CHECK(h->has_sequence && h->payload_length > 0);
		FUZZ_CHECK(pptp_gre_stats(w->s)->rx_pkts == pkts);
		break;
	case PPTP_GRE_DELIVER:
		FUZZ_CHECK(h->has_sequence && h->payload_length > 0);
		FUZZ_CHECK(pptp_gre_stats(w->s)->rx_pkts == pkts + 1);
		FUZZ_CHECK(w->s->rx_next == h->sequence + 1);
		give_back(w, pkt);
		break;
	case PPTP_GRE_ACK_ONLY:
		FUZZ_CHECK(h->payload_length == 0);
		give_back(w, pkt);
		break;
	case PPTP_GRE_DROP:
		FUZZ_CHECK(pptp_gre_stats(w->s)->rx_pkts == pkts);
		give_back(w, pkt);
		break;
	}
	FUZZ_CHECK(w->held == w->s->held + (w->s->beyond.pkt != NULL));
	if (!w->careless)
		next_all(w);
}

static void
rx_near(struct world *w)
{
	uint8_t bits = fuzz_u8(&w->in);
	struct pptp_gre_header h = {
	    .payload_length = (bits & 1) != 0 ? 100 : 0,
	    .has_sequence = (bits & 2) != 0,
	    .has_ack = (bits & 4) != 0,
	    .sequence = w->s->rx_next + (uint32_t)(int8_t)fuzz_u8(&w->in) * ((bits & 8) != 0 ? 16U : 1U),
	    .ack = w->s->tx_next + (uint32_t)(int8_t)(bits & 0xf0) / 16,
	};

	rx(w, &h);
}

static void
rx_bytes(struct world *w)
{
	struct pptp_gre_header h;
	uint8_t again[PPTP_GRE_MAX_HEADER];
	size_t n;
	const uint8_t *data = fuzz_bytes(&w->in, PPTP_GRE_MAX_HEADER, &n);

	if (pptp_gre_decode(&h, data, n) != PPTP_OK)
		return;
	FUZZ_CHECK(h.header_length + h.payload_length <= n);
	FUZZ_CHECK(pptp_gre_encode(again, &h) == h.header_length);
	FUZZ_CHECK(memcmp(again, data, h.header_length) == 0);
	rx(w, &h);
}

static void
tx(struct world *w)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER + 1] = {0};
	struct pptp_gre_header h;
	uint32_t seq = w->s->tx_next;
	size_t n;

	if (!pptp_gre_may_send(w->s, w->ts))
		return;
	n = pptp_gre_tx(w->s, buf + PPTP_GRE_MAX_HEADER, 1, w->ts);
	FUZZ_CHECK(pptp_gre_decode(&h, buf + PPTP_GRE_MAX_HEADER - n, n + 1) == PPTP_OK);
	FUZZ_CHECK(h.header_length == n && h.has_sequence && h.sequence == seq);
	FUZZ_CHECK(w->s->ack_owed == 0);
	FUZZ_CHECK(!w->s->window.on || w->s->tx_next - w->s->tx_una <= w->s->window.size);
}

/* Time passes, to the next expiry or by a leap. */
static void
pass(struct world *w)
{
	uint8_t how = fuzz_u8(&w->in);
	uint64_t due = pptp_gre_expiry(w->s);

	if (how >= 128)
		w->ts += (uint64_t)(how - 127) * 20000000;
	else if (due != PPTP_TS_NEVER && due > w->ts)
		w->ts = due;
	pptp_gre_expire(w->s, w->ts);
	next_all(w);
	FUZZ_CHECK(pptp_gre_expiry(w->s) > w->ts);
}

static void
step(struct world *w)
{
	void *pkt;

	switch (fuzz_u8(&w->in) % 8) {
	case 0:
	case 1:
	case 2:
		rx_near(w);
		break;
	case 3:
		rx_bytes(w);
		break;
	case 4:
		tx(w);
		break;
	case 5:
		pass(w);
		break;
	case 6:
		next_all(w);
		break;
	case 7:
		pkt = pptp_gre_drain(w->s);
		if (pkt != NULL)
			give_back(w, pkt);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static const uint32_t reorder[] = {0, 1, 2, 3, 4, 7, 64, 512};
	static struct world w;
	struct pptp_gre_config config;
	uint8_t choice;
	void *pkt;

	memset(&w, 0, sizeof(w));
	w.in = (struct fuzz_input){.p = data, .left = datalen};
	choice = fuzz_u8(&w.in);
	pptp_gre_config_init(&config);
	config.reorder_pkts = reorder[choice & 7];
	config.window = (choice & 8) != 0;
	config.peer_window = choice & 16 ? 5 : 1;
	config.max_jump = choice & 32 ? 1024 : 1U << 20;
	w.careless = (choice & 64) != 0;
	FUZZ_CHECK(pptp_gre_session_new(&w.s, &config, NULL) == PPTP_OK);
	if ((choice & 128) != 0)
		w.s->tx_next = w.s->tx_una = 0xfffffff0;
	while (w.in.left > 0)
		step(&w);
	while ((pkt = pptp_gre_drain(w.s)) != NULL)
		give_back(&w, pkt);
	FUZZ_CHECK(w.held == 0);
	pptp_gre_session_free(w.s);
	return 0;
}
