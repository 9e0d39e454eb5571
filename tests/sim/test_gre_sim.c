/* Two GRE sessions exchange packets over bad links, by seed: test_gre_sim [SEED]. */
#include "base/wire.h"
#include "libpptp/gre_private.h"
#include "tests/sim/sim.h"

#include <pptp/gre.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 1000, PACKETS = 400, PAYLOAD = 8, MAX_STEPS = 100000 };

struct host {
	struct pptp_gre_session *session;
	struct pptp_gre_config config;
	struct sim_link *out;
	struct sim_event timer;
	struct sim_event sender;
	uint64_t interval_ns;
	bool blocked; /* the window is full */
	uint32_t sent;
	uint32_t next;  /* what may be delivered next: this or a later one */
	uint32_t first; /* the first that was received, and delivered */
	uint32_t first_delivered;
	bool begun;
	uint64_t delivered;
	uint64_t received; /* payload packets that came in */
};

/* A received packet that the session may hold. */
struct packet {
	uint32_t index;
};

static void
arm(struct sim *sim, struct host *host)
{
	sim_set(sim, &host->timer, pptp_gre_expiry(host->session));
}

static void
consume(struct sim *sim, struct host *host, struct packet *packet)
{
	SIM_CHECK(sim, packet->index >= host->next);
	if (host->delivered++ == 0)
		host->first_delivered = packet->index;
	host->next = packet->index + 1;
	free(packet);
}

/* All that is due: held packets, then an acknowledgement. */
static void
settle(struct sim *sim, struct host *host)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER];
	struct packet *packet;
	size_t len;

	while ((packet = pptp_gre_next(host->session, sim->ts)) != NULL)
		consume(sim, host, packet);
	SIM_CHECK(sim, host->session->held <= host->config.reorder_pkts);
	len = pptp_gre_ack(host->session, buf, sim->ts);
	if (len > 0)
		sim_link_send(host->out, buf, len);
	SIM_CHECK(sim, pptp_gre_ack(host->session, buf, sim->ts) == 0);
	if (host->blocked)
		sim_set(sim, &host->sender, sim->ts);
	arm(sim, host);
}

static void
on_packet(struct sim *sim, void *user, const uint8_t *data, size_t datalen)
{
	struct host *host = user;
	struct pptp_gre_header h;
	struct packet *packet = calloc(1, sizeof(*packet));

	SIM_CHECK(sim, packet != NULL);
	SIM_CHECK(sim, pptp_gre_decode(&h, data, datalen) == PPTP_OK);
	if (h.payload_length > 0) {
		packet->index = get_u32(data + h.header_length);
		if (host->received++ == 0)
			host->first = packet->index;
	}
	switch (pptp_gre_rx(host->session, &h, packet, sim->ts)) {
	case PPTP_GRE_DELIVER:
		consume(sim, host, packet);
		break;
	case PPTP_GRE_HELD:
		break;
	case PPTP_GRE_ACK_ONLY:
	case PPTP_GRE_DROP:
		free(packet);
		break;
	}
	settle(sim, host);
}

static void
on_timer(struct sim *sim, void *user)
{
	struct host *host = user;

	pptp_gre_expire(host->session, sim->ts);
	settle(sim, host);
	SIM_CHECK(sim, pptp_gre_expiry(host->session) > sim->ts);
}

static void
on_send(struct sim *sim, void *user)
{
	struct host *host = user;
	uint8_t buf[PPTP_GRE_MAX_HEADER + PAYLOAD] = {0};
	uint8_t *payload = buf + PPTP_GRE_MAX_HEADER;
	uint64_t wait_ns = host->interval_ns;

	host->blocked = !pptp_gre_may_send(host->session, sim->ts);
	if (!host->blocked) {
		size_t len;

		put_u32(payload, host->sent);
		len = pptp_gre_tx(host->session, payload, PAYLOAD, sim->ts);
		sim_link_send(host->out, payload - len, len + PAYLOAD);
		if (host->sent++ == 0)
			wait_ns = TS_MS(500); /* nothing overtakes the first one: see pptp_gre_rx() */
	}
	if (host->sent < PACKETS && !host->blocked)
		sim_set(sim, &host->sender, sim->ts + wait_ns);
	arm(sim, host);
}

static uint64_t
one_of(struct sim *sim, const uint64_t *values, size_t count)
{
	return values[sim_range(sim, 0, count - 1)];
}
#define ONE_OF(sim, ...) one_of((sim), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void
host_init(struct sim *sim, struct host *host, struct sim_link *out)
{
	*host = (struct host){.out = out, .interval_ns = TS_US(ONE_OF(sim, 100, 1000, 10000))};
	pptp_gre_config_init(&host->config);
	host->config.reorder_pkts = (uint32_t)ONE_OF(sim, 0, 1, 3, 64, 512);
	host->config.reorder_ns = TS_MS(ONE_OF(sim, 0, 5, 100));
	host->config.ack_delay_ns = TS_MS(ONE_OF(sim, 0, 20, 100, 500));
	host->config.ack_pkts = (uint32_t)ONE_OF(sim, 1, 2, 32);
	host->config.window = sim_chance(sim, 300000);
	host->config.peer_window = (uint16_t)ONE_OF(sim, 0, 1, 3, 64);
	host->timer = (struct sim_event){.run = on_timer, .user = host};
	host->sender = (struct sim_event){.run = on_send, .user = host};
	SIM_CHECK(sim, pptp_gre_session_new(&host->session, &host->config, NULL) == PPTP_OK);
	sim_set(sim, &host->sender, sim_range(sim, 0, TS_MS(10)));
}

static struct sim_link_config
link_config(struct sim *sim)
{
	return (struct sim_link_config){
	    .loss_ppm = (uint32_t)ONE_OF(sim, 0, 0, 10000, 300000),
	    .duplicate_ppm = (uint32_t)ONE_OF(sim, 0, 10000, 500000),
	    .delay_ns = TS_MS(ONE_OF(sim, 0, 10, 200)),
	    .jitter_ns = TS_US(ONE_OF(sim, 0, 300, 4000, 50000)),
	    .in_order = sim_chance(sim, 300000),
	};
}

/* Numbers that wrap: both sides begin shortly before 2^32. */
static void
begin_before_wrap(struct host *sender, struct host *receiver)
{
	sender->session->tx_next = sender->session->tx_una = UINT32_MAX - PACKETS / 2;
	receiver->session->rx_next = sender->session->tx_next;
	receiver->session->started = true;
	receiver->session->rx_slow = false;
	receiver->begun = true;
}

/* The number from which the receiver counts losses. */
static uint32_t
start_of(const struct host *receiver)
{
	if (receiver->begun || receiver->first_delivered == 0)
		return 0;
	return receiver->first <= receiver->config.reorder_pkts ? 1 : receiver->first;
}

/* Whether the link's disorder is within what the receiver sorts out. */
static bool
is_gentle(const struct sim_link *link, const struct host *sender, const struct host *receiver)
{
	uint64_t jitter = link->config.in_order ? 0 : link->config.jitter_ns;

	return link->lost == 0 && jitter / sender->interval_ns < receiver->config.reorder_pkts + (jitter == 0) &&
	       jitter <= receiver->config.reorder_ns;
}

static void
check(struct sim *sim, const struct sim_link *link, const struct host *sender, const struct host *receiver, const struct sim_link *back)
{
	const struct pptp_gre_stats *st = pptp_gre_stats(receiver->session);

	SIM_CHECK(sim, sender->sent == PACKETS);
	SIM_CHECK(sim, link->sent + link->duplicated == link->lost + link->delivered);
	SIM_CHECK(sim, link->sent == pptp_gre_stats(sender->session)->tx_pkts + pptp_gre_stats(sender->session)->tx_acks);
	SIM_CHECK(sim, st->rx_pkts == receiver->delivered && st->rx_bytes == PAYLOAD * st->rx_pkts);
	SIM_CHECK(sim, receiver->received == st->rx_pkts + st->duplicate + st->late);
	SIM_CHECK(sim, link->delivered == receiver->received + st->rx_acks);
	SIM_CHECK(sim, st->rx_pkts + st->lost == receiver->next - start_of(receiver));
	SIM_CHECK(sim, st->jumped + st->overrun + st->no_payload + st->no_sequence + st->bad_ack == 0);
	SIM_CHECK(sim, receiver->session->held == 0 && receiver->session->ack_owed == 0);
	if (is_gentle(link, sender, receiver))
		SIM_CHECK(sim, st->lost == 0 && st->late == 0 && st->rx_pkts == PACKETS);
	if (link->config.duplicate_ppm == 0 && st->lost <= GRE_LOST_RUNS) /* beyond, late ones may be taken for copies */
		SIM_CHECK(sim, st->duplicate == 0);
	if (link->lost == 0 && back->lost == 0)
		SIM_CHECK(sim, sender->session->tx_una == sender->session->tx_next);
}

static void
run(uint64_t seed)
{
	struct sim_link_config config;
	struct sim_link ab, ba;
	struct host a, b;
	struct sim sim;

	sim_init(&sim, seed);
	host_init(&sim, &a, &ab);
	host_init(&sim, &b, &ba);
	config = link_config(&sim);
	sim_link_init(&ab, &sim, &config, on_packet, &b);
	config = link_config(&sim);
	sim_link_init(&ba, &sim, &config, on_packet, &a);
	if (sim_chance(&sim, 500000)) {
		begin_before_wrap(&a, &b);
		begin_before_wrap(&b, &a);
	}
	sim_run(&sim, TS_NEVER, MAX_STEPS);
	check(&sim, &ab, &a, &b, &ba);
	check(&sim, &ba, &b, &a, &ab);
	pptp_gre_session_free(a.session);
	pptp_gre_session_free(b.session);
	sim_fini(&sim);
}

int
main(int argc, char **argv)
{
	if (argc > 1) {
		run(strtoull(argv[1], NULL, 0));
		return 0;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		run(seed);
	printf("%d seeds of %d packets each way\n", SEEDS, PACKETS);
	return 0;
}
