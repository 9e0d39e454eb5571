/* Two control connections over a byte stream, with programs that do things at random, by seed: test_conn_sim [SEED]. */
#include "tests/sim/sim.h"

#include <pptp/conn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 500, MAX_STEPS = 200000, MAX_EVENTS = 20000, MAX_CALLS = 12, IDS = 65536 };

/* What the program of one side knows of a call, from its own actions and the events. */
enum call_stage { NONE, ASKED, REQUESTED, UP };

struct call {
	uint8_t stage;
	uint16_t peer_id;
};

struct side {
	struct pptp_conn *conn;
	struct pptp_callid_pool *pool;
	struct sim_stream out;
	struct sim_stream *in;
	struct sim_event timer;
	struct sim_event actor;
	uint64_t quiet_from; /* no more actions */
	bool established;
	bool closed;
	bool lazy; /* sometimes leaves events for later */
	uint32_t stop_ppm;
	uint32_t cut_ppm;
	unsigned events;
	unsigned calls; /* not NONE */
	struct call call[IDS];
};

static void
set_stage(struct side *side, uint16_t id, enum call_stage stage)
{
	side->calls += (stage != NONE) - (unsigned)(side->call[id].stage != NONE);
	side->call[id].stage = (uint8_t)stage;
}

static void
on_call_event(struct sim *sim, struct side *side, const struct pptp_event *event)
{
	uint8_t stage = side->call[event->call_id].stage;

	SIM_CHECK(sim, event->call_id != 0);
	switch (event->type) {
	case PPTP_EVENT_CALL_REQUEST:
		SIM_CHECK(sim, stage == NONE && event->call.call_id == event->call_id);
		set_stage(side, event->call_id, REQUESTED);
		break;
	case PPTP_EVENT_CALL_UP:
		SIM_CHECK(sim, stage == ASKED || stage == REQUESTED);
		side->call[event->call_id].peer_id = event->call.peer_call_id;
		set_stage(side, event->call_id, UP);
		break;
	case PPTP_EVENT_CALL_DOWN:
		SIM_CHECK(sim, stage != NONE);
		set_stage(side, event->call_id, NONE);
		break;
	case PPTP_EVENT_LINK_INFO:
	case PPTP_EVENT_WAN_ERROR:
		SIM_CHECK(sim, stage != NONE);
		break;
	default:
		SIM_CHECK(sim, event->type == PPTP_EVENT_CALL_DOWN); /* no other event is a call's */
	}
}

static void
on_event(struct sim *sim, struct side *side, const struct pptp_event *event)
{
	SIM_CHECK(sim, !side->closed);
	SIM_CHECK(sim, ++side->events < MAX_EVENTS);
	switch (event->type) {
	case PPTP_EVENT_ESTABLISHED:
		SIM_CHECK(sim, !side->established);
		side->established = true;
		break;
	case PPTP_EVENT_CLOSED:
		SIM_CHECK(sim, side->calls == 0); /* each had its CALL_DOWN before */
		side->closed = true;
		break;
	default:
		on_call_event(sim, side, event);
		break;
	}
}

static void
flush(struct side *side)
{
	const uint8_t *data;
	size_t n;

	while ((n = pptp_conn_output(side->conn, &data)) > 0) {
		sim_stream_write(&side->out, data, n);
		pptp_conn_sent(side->conn, n);
	}
}

/* Drains output and events, and sets the timer. */
static void
pump(struct sim *sim, struct side *side)
{
	struct pptp_event event;

	flush(side);
	while (pptp_conn_event(side->conn, &event)) {
		on_event(sim, side, &event);
		flush(side);
	}
	if (side->closed)
		sim_stream_end(&side->out);
	sim_set(sim, &side->timer, side->closed ? TS_NEVER : pptp_conn_expiry(side->conn));
}

static void
on_timer(struct sim *sim, void *user)
{
	struct side *side = user;

	pptp_conn_expire(side->conn, sim->ts);
	pump(sim, side);
	SIM_CHECK(sim, side->closed || pptp_conn_expiry(side->conn) > sim->ts);
}

static size_t
on_bytes(struct sim *sim, void *user, const uint8_t *data, size_t datalen)
{
	struct side *side = user;
	size_t done = pptp_conn_recv(side->conn, data, datalen, sim->ts);

	SIM_CHECK(sim, done <= datalen);
	if (side->lazy && done == datalen && sim_chance(sim, 500000)) {
		flush(side);
		return done;
	}
	pump(sim, side);
	while (!side->closed && done < datalen) {
		size_t n = pptp_conn_recv(side->conn, data + done, datalen - done, sim->ts);

		pump(sim, side);
		SIM_CHECK(sim, n > 0 || side->closed); /* drained, it takes more */
		done += n;
	}
	return side->closed ? datalen : done;
}

static void
on_eof(struct sim *sim, void *user)
{
	struct side *side = user;

	pump(sim, side);
	if (!side->closed)
		pptp_conn_transport_closed(side->conn, sim->ts);
	pump(sim, side);
	SIM_CHECK(sim, side->closed);
}

/* --- what the programs do -------------------------------------------------------- */

/* A call in this stage, or 0. */
static uint16_t
pick(struct sim *sim, const struct side *side, enum call_stage stage)
{
	uint32_t id = (uint32_t)sim_range(sim, 1, IDS - 1);

	if (side->calls == 0)
		return 0;
	for (uint32_t i = 0; i < IDS; i++, id++)
		if (side->call[id % IDS].stage == stage)
			return (uint16_t)(id % IDS);
	return 0;
}

static void
act_call(struct sim *sim, struct side *side)
{
	uint16_t id = 0;
	int error =
	    sim_chance(sim, 500000) ? pptp_call_open(side->conn, NULL, &id, sim->ts) : pptp_call_offer(side->conn, NULL, &id, sim->ts);

	SIM_CHECK(sim, error == PPTP_OK || error == PPTP_ERR_STATE || error == PPTP_ERR_FULL || error == PPTP_ERR_EXHAUSTED);
	if (error != PPTP_OK)
		return;
	SIM_CHECK(sim, id != 0 && side->call[id].stage == NONE);
	set_stage(side, id, ASKED);
}

static void
act_answer(struct sim *sim, struct side *side)
{
	uint16_t id = pick(sim, side, REQUESTED);
	int error;

	if (id == 0)
		return;
	if (sim_chance(sim, 700000))
		error = pptp_call_accept(side->conn, id, NULL, sim->ts);
	else
		error = pptp_call_reject(side->conn, id, 2, PPTP_EC_NO_RESOURCE, sim->ts);
	SIM_CHECK(sim, error == PPTP_OK || error == PPTP_ERR_STATE || error == PPTP_ERR_FULL || error == PPTP_ERR_NOTFOUND);
}

static void
act_clear(struct sim *sim, struct side *side)
{
	uint16_t id = pick(sim, side, (enum call_stage)sim_range(sim, ASKED, UP));

	if (id != 0)
		pptp_call_clear(side->conn, id, PPTP_CDN_REQUEST, sim->ts);
	pptp_call_clear(side->conn, (uint16_t)sim_u64(sim), PPTP_CDN_REQUEST, sim->ts); /* most likely unknown */
}

static void
act_tell(struct sim *sim, struct side *side)
{
	struct pptp_wan_error_notify counts = {.crc_errors = 1};
	uint16_t id = pick(sim, side, UP);

	if (id == 0)
		return;
	pptp_call_set_link_info(side->conn, id, 0xffffffff, 0, sim->ts);
	pptp_call_wan_error(side->conn, id, &counts, sim->ts);
}

static void
on_action(struct sim *sim, void *user)
{
	struct side *side = user;
	uint64_t what = sim_range(sim, 0, 9);

	if (side->closed || sim->ts >= side->quiet_from)
		return;
	if (sim_chance(sim, side->stop_ppm))
		pptp_conn_stop(side->conn, PPTP_STOP_LOCAL_SHUTDOWN, sim->ts);
	else if (sim_chance(sim, side->cut_ppm)) {
		sim_stream_cut(&side->out);
		sim_stream_cut(side->in);
	} else if (what < 4)
		act_call(sim, side);
	else if (what < 7)
		act_answer(sim, side);
	else if (what < 9)
		act_clear(sim, side);
	else
		act_tell(sim, side);
	pump(sim, side);
	sim_set(sim, &side->actor, sim->ts + sim_range(sim, 0, TS_MS(300)));
}

/* --- a run ------------------------------------------------------------------------- */

static void
side_init(struct sim *sim, struct side *side, struct side *peer, bool initiator)
{
	static const size_t segments[] = {1, 7, 100, 1460, 20000};
	struct sim_stream_config stream = {.delay_ns = TS_MS(sim_range(sim, 0, 100)), .jitter_ns = TS_MS(sim_range(sim, 0, 50))};
	struct pptp_conn_config config;

	memset(side, 0, sizeof(*side));
	stream.max_segment = segments[sim_range(sim, 0, 4)];
	if (stream.max_segment == 1)
		stream.delay_ns = stream.jitter_ns = TS_US(10); /* each byte costs a delay */
	sim_stream_init(&side->out, sim, &stream, on_bytes, on_eof, peer);
	side->in = &peer->out;
	side->timer = (struct sim_event){.run = on_timer, .user = side};
	side->actor = (struct sim_event){.run = on_action, .user = side};
	side->quiet_from = TS_S(20);
	side->lazy = sim_chance(sim, 300000);
	side->stop_ppm = sim_chance(sim, 300000) ? 20000 : 0;
	side->cut_ppm = sim_chance(sim, 300000) ? 20000 : 0;
	SIM_CHECK(sim, pptp_callid_pool_new(&side->pool, TS_S(1), sim_fill, sim, NULL) == PPTP_OK);
	pptp_conn_config_init(&config);
	config.call_ids = side->pool;
	config.max_calls = MAX_CALLS;
	config.accept_outgoing_calls = sim_chance(sim, 900000);
	config.accept_incoming_calls = sim_chance(sim, 900000);
	config.local_addr[3] = initiator ? 1 : 2;
	config.peer_addr[3] = initiator ? 2 : 1;
	SIM_CHECK(sim, pptp_conn_new(&side->conn, &config, initiator, sim->ts) == PPTP_OK);
}

static void
side_free(struct sim *sim, struct side *side)
{
	size_t taken, resting;

	SIM_CHECK(sim, side->closed && side->calls == 0);
	SIM_CHECK(sim, pptp_conn_state(side->conn) == PPTP_CONN_CLOSED);
	pptp_callid_count(side->pool, sim->ts, &taken, &resting);
	SIM_CHECK(sim, taken == 0);
	pptp_conn_free(side->conn, sim->ts);
	pptp_callid_pool_free(side->pool);
	sim_stream_fini(&side->out);
}

/* After two minutes without actions everything is answered or given up: what is up here is up there. */
static unsigned
check_agreement(struct sim *sim, const struct side *side, const struct side *peer)
{
	unsigned up = 0;

	for (uint32_t id = 0; id < IDS; id++) {
		const struct call *call = &side->call[id];

		if (call->stage != UP)
			continue;
		up++;
		SIM_CHECK(sim, peer->call[call->peer_id].stage == UP);
		SIM_CHECK(sim, peer->call[call->peer_id].peer_id == id);
	}
	return up;
}

static unsigned
run(uint64_t seed)
{
	static struct side a, b;
	struct sim sim;
	unsigned up;

	sim_init(&sim, seed);
	side_init(&sim, &a, &b, true);
	side_init(&sim, &b, &a, false);
	SIM_CHECK(&sim, pptp_conn_start(a.conn, sim.ts) == PPTP_OK);
	pump(&sim, &a);
	pump(&sim, &b);
	sim_set(&sim, &a.actor, sim_range(&sim, 0, TS_S(1)));
	sim_set(&sim, &b.actor, sim_range(&sim, 0, TS_S(1)));
	sim_run(&sim, TS_S(20 + 140), MAX_STEPS);
	SIM_CHECK(&sim, a.closed == b.closed);
	up = check_agreement(&sim, &a, &b);
	SIM_CHECK(&sim, check_agreement(&sim, &b, &a) == up);
	if (!a.closed && !b.closed) {
		struct side *one = sim_chance(&sim, 500000) ? &a : &b;

		SIM_CHECK(&sim, pptp_conn_stop(one->conn, PPTP_STOP_NONE, sim.ts) == PPTP_OK);
		pump(&sim, one);
	}
	sim_run(&sim, sim.ts + TS_S(200), MAX_STEPS);
	side_free(&sim, &a);
	side_free(&sim, &b);
	sim_fini(&sim);
	return up;
}

int
main(int argc, char **argv)
{
	unsigned up = 0;

	if (argc > 1) {
		run(strtoull(argv[1], NULL, 0));
		return 0;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		up += run(seed);
	printf("%d seeds, %u calls were up in the end\n", SEEDS, up);
	return up == 0; /* then nothing was tested */
}
