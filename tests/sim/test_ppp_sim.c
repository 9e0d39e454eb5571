/* Two PPP stacks over GRE sessions over bad links, by seed: test_ppp_sim [SEED].
 *
 * They must come up and pass data intact, or go down with a reason that fits on both sides; and give back all memory. */
#include "base/mem.h"
#include "base/wire.h"
#include "libppp/bundle.h"
#include "libppp/crypto.h"
#include "libppp/link.h"
#include "tests/sim/sim.h"

#include <pptp/gre.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, DATA_LEN = 200, MAX_STEPS = 400000, FRAME_MAX = PPP_MAX_CONTROL + PPP_MAX_OVERHEAD, HEADROOM = PKT_HEADROOM };

struct frame {
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

struct stack {
	struct ppp_link *link;
	struct ppp_bundle *bundle;
	struct ppp_link_config lc;
	struct ppp_bundle_config bc;
	struct ppp_secret users;
	struct pptp_gre_session *gre;
	struct sim_link *out;
	struct sim_event timer, sender;
	struct mem_failing mem;
	bool ip_up, mppe_up, down, finishing;
	enum ppp_down why;
	struct ppp_event request; /* that waits for its verdict */
	struct sim_event verdict;
	uint64_t verdict_delay;
	uint32_t sent, received, next;
};

static const struct ppp_crypto *crypto;

static void settle(struct sim *sim, struct stack *s);

static void
send_frame(struct sim *sim, struct stack *s, const uint8_t *frame, size_t len)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER + FRAME_MAX];
	size_t header;

	memcpy(buf + PPTP_GRE_MAX_HEADER, frame, len);
	header = pptp_gre_tx(s->gre, buf + PPTP_GRE_MAX_HEADER, (uint16_t)len, sim->ts);
	sim_link_send(s->out, buf + PPTP_GRE_MAX_HEADER - header, header + len);
}

static void
on_network(struct sim *sim, struct stack *s)
{
	struct ppp_link_info info;

	SIM_CHECK(sim, s->bundle == NULL);
	ppp_link_info(s->link, &info);
	s->bc.keys = info.keys;
	SIM_CHECK(sim, ppp_bundle_new(&s->bundle, &s->bc, sim->ts) == 0);
	ppp_link_join(s->link, s->bundle, sim->ts);
}

static void
on_event(struct sim *sim, struct stack *s, const struct ppp_event *ev)
{
	SIM_CHECK(sim, !s->down);
	switch (ev->type) {
	case PPP_EVENT_AUTH_REQUEST:
		s->request = *ev;
		sim_set(sim, &s->verdict, sim->ts + s->verdict_delay);
		break;
	case PPP_EVENT_NETWORK:
		on_network(sim, s);
		break;
	case PPP_EVENT_IPCP_UP:
	case PPP_EVENT_IPCP_DOWN:
		s->ip_up = ev->type == PPP_EVENT_IPCP_UP;
		SIM_CHECK(sim, !s->ip_up || s->bc.mppe != PPP_MPPE_REQUIRE || s->mppe_up);
		if (s->ip_up)
			sim_set(sim, &s->sender, sim->ts);
		break;
	case PPP_EVENT_MPPE_UP:
	case PPP_EVENT_MPPE_DOWN:
		s->mppe_up = ev->type == PPP_EVENT_MPPE_UP;
		break;
	case PPP_EVENT_DOWN:
		s->down = true;
		s->ip_up = false;
		s->why = ev->down;
		SIM_CHECK(sim, ev->down != PPP_DOWN_NONE && ev->message[0] != '\0');
		break;
	default:
		break;
	}
}

/* Everything that waits: GRE's packets, control frames, events; then the timers. */
static void
settle(struct sim *sim, struct stack *s)
{
	uint8_t frame[FRAME_MAX], ack[PPTP_GRE_MAX_HEADER];
	uint64_t ppp, gre;
	struct ppp_event ev;
	size_t len;
	bool more = true;

	while (more) {
		more = false;
		while (ppp_link_event(s->link, &ev)) {
			on_event(sim, s, &ev);
			more = true;
		}
		while ((len = ppp_link_output(s->link, frame, sizeof(frame))) > 0)
			send_frame(sim, s, frame, len);
	}
	len = pptp_gre_ack(s->gre, ack, sim->ts);
	if (len > 0)
		sim_link_send(s->out, ack, len);
	ppp = ppp_link_expiry(s->link);
	gre = pptp_gre_expiry(s->gre);
	sim_set(sim, &s->timer, ppp < gre ? ppp : gre);
}

/* An IP packet: number, then bytes that follow from it. What comes out must be what went in, in order, never twice. */
static void
check_data(struct sim *sim, struct stack *s, const uint8_t *data, size_t len)
{
	uint32_t number = len >= 4 ? get_u32(data) : 0;

	SIM_CHECK(sim, len == DATA_LEN);
	for (size_t i = 4; i < len; i++)
		SIM_CHECK(sim, data[i] == (uint8_t)(number * 7 + i));
	SIM_CHECK(sim, number >= s->next);
	s->next = number + 1;
	s->received++;
}

static void
deliver(struct sim *sim, struct stack *s, struct frame *f)
{
	uint8_t *payload;
	size_t len;

	switch (ppp_link_rx(s->link, f->bytes, f->len, sim->ts, &payload, &len)) {
	case PPP_RX_IP:
		check_data(sim, s, payload, len);
		break;
	case PPP_RX_IPV6:
		SIM_CHECK(sim, false);
		break;
	case PPP_RX_CONTROL:
	case PPP_RX_DROP:
		break;
	}
	free(f);
	settle(sim, s);
}

static void
on_packet(struct sim *sim, void *user, const uint8_t *data, size_t datalen)
{
	struct stack *s = user;
	struct pptp_gre_header h;
	struct frame *f = calloc(1, sizeof(*f));

	SIM_CHECK(sim, f != NULL);
	SIM_CHECK(sim, pptp_gre_decode(&h, data, datalen) == PPTP_OK && h.payload_length <= FRAME_MAX);
	f->len = h.payload_length;
	memcpy(f->bytes, data + h.header_length, f->len);
	switch (pptp_gre_rx(s->gre, &h, f, sim->ts)) {
	case PPTP_GRE_DELIVER:
		deliver(sim, s, f);
		break;
	case PPTP_GRE_HELD:
		break;
	case PPTP_GRE_ACK_ONLY:
	case PPTP_GRE_DROP:
		free(f);
		break;
	}
	while ((f = pptp_gre_next(s->gre, sim->ts)) != NULL)
		deliver(sim, s, f);
	settle(sim, s);
}

static void
on_timer(struct sim *sim, void *user)
{
	struct stack *s = user;
	struct frame *f;

	pptp_gre_expire(s->gre, sim->ts);
	while ((f = pptp_gre_next(s->gre, sim->ts)) != NULL)
		deliver(sim, s, f);
	ppp_link_expire(s->link, sim->ts);
	settle(sim, s);
}

static void
on_sender(struct sim *sim, void *user)
{
	struct stack *s = user;
	uint8_t buf[HEADROOM + DATA_LEN];
	struct pkt p;

	if (!s->ip_up || s->finishing)
		return;
	pkt_init(&p, buf, sizeof(buf), HEADROOM);
	p.len = DATA_LEN;
	put_u32(p.data, s->sent);
	for (size_t i = 4; i < DATA_LEN; i++)
		p.data[i] = (uint8_t)(s->sent * 7 + i);
	SIM_CHECK(sim, ppp_link_tx(s->link, &p, PPP_PROTO_IP, sim->ts));
	s->sent++;
	send_frame(sim, s, p.data, p.len);
	settle(sim, s);
	sim_set(sim, &s->sender, sim->ts + TS_MS(sim_range(sim, 1, 200)));
}

static void
on_verdict(struct sim *sim, void *user)
{
	struct stack *s = user;
	struct ppp_auth_verdict verdict;

	ppp_auth_check(crypto, &s->request.request, &s->users, &verdict);
	ppp_link_auth_verdict(s->link, s->request.request.id, &verdict, sim->ts);
	settle(sim, s);
}

/* ---- a run ---- */

static struct ppp_secret
secret(const char *text)
{
	struct ppp_secret s = {.len = (uint16_t)strlen(text)};

	memcpy(s.data, text, s.len);
	return s;
}

static void
configure(struct sim *sim, struct stack *s, const char *name)
{
	ppp_link_config_init(&s->lc);
	ppp_bundle_config_init(&s->bc);
	mem_failing_init(&s->mem, 0);
	s->lc.mem = s->bc.mem = &s->mem.mem;
	s->lc.crypto = s->bc.crypto = crypto;
	s->lc.random = s->bc.random = sim_fill;
	s->lc.random_user = s->bc.random_user = sim;
	s->lc.pfc = sim_chance(sim, 500000);
	s->lc.acfc = sim_chance(sim, 500000);
	s->lc.echo_interval_ns = TS_S(10);
	s->lc.secret = secret("Tr0ub4dor&3");
	s->users = secret("Tr0ub4dor&3");
	snprintf(s->lc.local_name, sizeof(s->lc.local_name), "%s", name);
	s->bc.mppe = (enum ppp_mppe_policy)sim_range(sim, 0, 2);
	s->bc.mppe_bits = (unsigned)sim_range(sim, 1, 7);
	s->bc.mppe_stateless = sim_chance(sim, 700000);
	s->verdict_delay = TS_MS(sim_range(sim, 0, 4000));
}

static void
start(struct sim *sim, struct stack *s, struct sim_link *out)
{
	struct pptp_gre_config gre;

	pptp_gre_config_init(&gre);
	gre.reorder_pkts = (uint32_t)sim_range(sim, 0, 32);
	SIM_CHECK(sim, pptp_gre_session_new(&s->gre, &gre, NULL) == PPTP_OK);
	s->out = out;
	s->timer.run = on_timer;
	s->sender.run = on_sender;
	s->verdict.run = on_verdict;
	s->timer.user = s->sender.user = s->verdict.user = s;
	SIM_CHECK(sim, ppp_link_new(&s->link, &s->lc, sim->ts) == 0);
	ppp_link_open(s->link, sim->ts);
	settle(sim, s);
}

static void
finish(struct sim *sim, struct stack *s)
{
	struct frame *f;

	while ((f = pptp_gre_drain(s->gre)) != NULL)
		free(f);
	pptp_gre_session_free(s->gre);
	ppp_link_free(s->link);
	ppp_bundle_free(s->bundle);
	SIM_CHECK(sim, s->mem.held == 0);
}

struct tally {
	unsigned up, down;
	uint64_t packets;
};

/* The links are good again and nothing new is sent: what is up passes everything now. */
static void
check_end(struct sim *sim, struct stack *a, struct stack *b, struct tally *t)
{
	SIM_CHECK(sim, a->down == b->down);
	if (a->down) {
		t->down++;
		return;
	}
	t->up++;
	SIM_CHECK(sim, a->ip_up && b->ip_up);
	SIM_CHECK(sim, a->mppe_up == b->mppe_up);
	SIM_CHECK(sim, a->received > 0 && b->received > 0);
	SIM_CHECK(sim, a->received <= b->sent && b->received <= a->sent);
	t->packets += a->received + b->received;
}

static void
close_one(struct sim *sim, struct stack *a, struct stack *b)
{
	if (a->down)
		return;
	ppp_link_close(a->link, PPP_DOWN_LOCAL, "the end", sim->ts);
	settle(sim, a);
	sim_run(sim, sim->ts + TS_S(10), MAX_STEPS);
	SIM_CHECK(sim, a->down && a->why == PPP_DOWN_LOCAL);
	SIM_CHECK(sim, b->down && b->why == PPP_DOWN_PEER);
}

static void
run(uint64_t seed, struct tally *t)
{
	struct stack a = {0}, b = {0};
	struct sim_link ab, ba;
	struct sim_link_config bad, good = {.delay_ns = TS_MS(5)};
	struct sim sim;

	sim_init(&sim, seed);
	bad = (struct sim_link_config){
	    .loss_ppm = (uint32_t)sim_range(&sim, 0, 250000),
	    .duplicate_ppm = (uint32_t)sim_range(&sim, 0, 200000),
	    .delay_ns = TS_MS(sim_range(&sim, 0, 300)),
	    .jitter_ns = TS_MS(sim_range(&sim, 0, 60)),
	};
	configure(&sim, &a, "server");
	configure(&sim, &b, "joe");
	a.lc.require = 1u << sim_range(&sim, 0, 5);
	b.lc.allow = sim_chance(&sim, 900000) ? PPP_AUTH_ALL : (unsigned)sim_range(&sim, 0, PPP_AUTH_ALL);
	if (sim_chance(&sim, 50000))
		b.lc.secret = secret("wrong");
	addr_parse(&a.bc.local_v4, "10.0.0.1");
	addr_parse(&a.bc.peer_v4, "10.0.0.2");
	sim_link_init(&ab, &sim, &bad, on_packet, &b);
	sim_link_init(&ba, &sim, &bad, on_packet, &a);
	start(&sim, &a, &ab);
	start(&sim, &b, &ba);
	sim_run(&sim, sim.ts + TS_S(120), MAX_STEPS);
	ab.config = ba.config = good;
	sim_run(&sim, sim.ts + TS_S(120), MAX_STEPS);
	check_end(&sim, &a, &b, t);
	a.finishing = b.finishing = true;
	close_one(&sim, &a, &b);
	finish(&sim, &a);
	finish(&sim, &b);
	sim_fini(&sim);
}

int
main(int argc, char **argv)
{
	struct ppp_crypto *c;
	struct tally t = {0};
	char err[200];

	if (ppp_crypto_new(&c, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		return 77;
	}
	crypto = c;
	if (argc > 1) {
		run(strtoull(argv[1], NULL, 0), &t);
	} else {
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			run(seed, &t);
	}
	printf("%u up, %u down, %llu packets\n", t.up, t.down, (unsigned long long)t.packets);
	ppp_crypto_free(c);
	return argc > 1 || t.up > SEEDS / 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
