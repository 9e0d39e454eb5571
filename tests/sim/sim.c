#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
sim_init(struct sim *sim, uint64_t seed)
{
	*sim = (struct sim){.seed = seed, .random = seed};
	theap_init(&sim->events);
}

void
sim_fini(struct sim *sim)
{
	theap_fini(&sim->events);
}

void
sim_fail(const struct sim *sim, const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: seed %llu, t=%.6fs: %s\n", file, line, (unsigned long long)sim->seed, (double)sim->ts / 1e9, what);
	abort();
}

/* --- decisions -------------------------------------------------------------- */

/* SplitMix64: any seed, also 0, gives a good sequence. */
uint64_t
sim_u64(struct sim *sim)
{
	uint64_t z = sim->random += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint64_t
sim_range(struct sim *sim, uint64_t low, uint64_t high)
{
	return low + sim_u64(sim) % (high - low + 1);
}

bool
sim_chance(struct sim *sim, uint32_t ppm)
{
	return sim_u64(sim) % 1000000 < ppm;
}

void
sim_fill(void *user, void *buf, size_t len)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(sim_u64(user) >> 24);
}

/* --- events ------------------------------------------------------------------ */

void
sim_set(struct sim *sim, struct sim_event *event, uint64_t ts)
{
	if (ts < sim->ts)
		ts = sim->ts;
	SIM_CHECK(sim, theap_set(&sim->events, &event->node, ts));
}

void
sim_run(struct sim *sim, uint64_t until, uint64_t max_steps)
{
	struct theap_node *node;

	while ((node = theap_pop(&sim->events, until)) != NULL) {
		struct sim_event *event = (struct sim_event *)node; /* its first member */

		sim->ts = node->ts;
		SIM_CHECK(sim, ++sim->steps <= max_steps);
		event->run(sim, event->user);
	}
	if (until != TS_NEVER)
		sim->ts = until;
}

/* --- packets ------------------------------------------------------------------ */

struct packet {
	struct sim_event event;
	struct sim_link *link;
	size_t datalen;
	uint8_t data[];
};

static void
arrive(struct sim *sim, void *user)
{
	struct packet *p = user;

	p->link->under_way--;
	p->link->delivered++;
	p->link->deliver(sim, p->link->user, p->data, p->datalen);
	free(p);
}

static void
launch(struct sim_link *link, const void *data, size_t datalen)
{
	struct sim *sim = link->sim;
	uint64_t ts = sim->ts + link->config.delay_ns + sim_range(sim, 0, link->config.jitter_ns);
	struct packet *p = calloc(1, sizeof(*p) + datalen);

	SIM_CHECK(sim, p != NULL);
	if (link->config.in_order && ts <= link->last_ts)
		ts = link->last_ts + 1;
	link->last_ts = ts;
	p->event.run = arrive;
	p->event.user = p;
	p->link = link;
	p->datalen = datalen;
	memcpy(p->data, data, datalen);
	link->under_way++;
	sim_set(sim, &p->event, ts);
}

void
sim_link_init(struct sim_link *link, struct sim *sim, const struct sim_link_config *config, sim_packet_fn deliver, void *user)
{
	*link = (struct sim_link){.sim = sim, .config = *config, .deliver = deliver, .user = user};
}

void
sim_link_send(struct sim_link *link, const void *data, size_t datalen)
{
	link->sent++;
	if (sim_chance(link->sim, link->config.loss_ppm))
		link->lost++;
	else
		launch(link, data, datalen);
	if (sim_chance(link->sim, link->config.duplicate_ppm)) {
		link->duplicated++;
		launch(link, data, datalen);
	}
}

/* --- byte streams --------------------------------------------------------------- */

static void
schedule(struct sim_stream *stream)
{
	struct sim *sim = stream->sim;

	if (stream->event.node.pos == 0 && !stream->closed && (stream->len > 0 || stream->closing))
		sim_set(sim, &stream->event, sim->ts + stream->config.delay_ns + sim_range(sim, 0, stream->config.jitter_ns));
}

static void
stream_event(struct sim *sim, void *user)
{
	struct sim_stream *stream = user;
	size_t n = sim_range(sim, 1, stream->config.max_segment);
	size_t taken;

	if (stream->len == 0) {
		stream->closed = true;
		stream->eof(sim, stream->user);
		return;
	}
	n = n < stream->len ? n : stream->len;
	taken = stream->deliver(sim, stream->user, stream->data, n);
	SIM_CHECK(sim, taken <= n);
	if (taken > stream->len) /* it was cut by the reader */
		taken = stream->len;
	memmove(stream->data, stream->data + taken, stream->len - taken);
	stream->len -= taken;
	schedule(stream);
}

void
sim_stream_init(
    struct sim_stream *stream, struct sim *sim, const struct sim_stream_config *config, sim_stream_fn deliver, sim_eof_fn eof, void *user)
{
	*stream = (struct sim_stream){.sim = sim, .config = *config, .deliver = deliver, .eof = eof, .user = user};
	stream->event.run = stream_event;
	stream->event.user = stream;
}

void
sim_stream_fini(struct sim_stream *stream)
{
	sim_set(stream->sim, &stream->event, TS_NEVER);
	free(stream->data);
}

void
sim_stream_write(struct sim_stream *stream, const void *data, size_t datalen)
{
	if (stream->closing || datalen == 0)
		return;
	if (stream->len + datalen > stream->cap) {
		stream->cap = 2 * (stream->len + datalen);
		stream->data = realloc(stream->data, stream->cap);
		SIM_CHECK(stream->sim, stream->data != NULL);
	}
	memcpy(stream->data + stream->len, data, datalen);
	stream->len += datalen;
	schedule(stream);
}

void
sim_stream_end(struct sim_stream *stream)
{
	stream->closing = true;
	schedule(stream);
}

void
sim_stream_cut(struct sim_stream *stream)
{
	stream->len = 0;
	sim_stream_end(stream);
}
