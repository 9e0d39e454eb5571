/* Control connections through the gateway: pairs of endpoints, each with a rewriter between, at one translation table, with random
 * segments, delays and actions, by seed: test_alg_sim [SEED].
 *
 * All clients are behind one address and talk to one server, and choose the same call ids. What two ends agree on must be what they would without the gateway, and what the gateway holds must be what they agree on. */
#include "tests/sim/sim.h"

#include <pptp/conn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/rewrite.h"
#include "alg/xlate.h"

enum { SEEDS = 300, MAX_STEPS = 400000, PAIRS = 3, MAX_CALLS = 12, IDS = 65536 };

enum call_stage { NONE, ASKED, REQUESTED, UP };

struct call {
	uint8_t stage;
	uint16_t peer_id;
	uint32_t accm; /* of the last Set-Link-Info */
};

struct room;

struct side {
	struct room *room;
	enum alg_side which;
	struct pptp_conn *conn;
	struct pptp_callid_pool *pool;
	struct sim_stream to_gateway, from_gateway;
	struct sim_event timer, actor;
	bool established, closed;
	uint32_t cut_ppm;
	unsigned calls;
	uint8_t next_id; /* see narrow_random() */
	struct call call[IDS];
};

/* One connection through the gateway. */
struct room {
	unsigned number;
	struct sim *sim;
	struct alg_rewrite *rw;
	struct side side[2];
	struct sim_event gates; /* the data path takes its time */
	uint32_t wanted[64];
	size_t nwanted;
	uint32_t fail_ppm, clear_ppm;
	bool ended[2];
	unsigned live; /* calls told and not ended */
	struct alg_call last[MAX_CALLS];
};

static struct room rooms[PAIRS];
static struct xlate *table;

/* --- the gateway -------------------------------------------------------------------- */

/* Lines: towards the server all clients are one address; towards a client, the server is its own address. */
static struct xlate_line
line_of(const struct room *room, enum alg_side owner)
{
	struct addr client = {.family = 4, .bytes = {10, 0, 0, (uint8_t)room->number}};
	struct addr outside = {.family = 4, .bytes = {203, 0, 113, 1}};
	struct addr server = {.family = 4, .bytes = {198, 51, 100, 1}};

	return owner == ALG_CLIENT ? (struct xlate_line){.from = server, .to = outside} : (struct xlate_line){.from = client, .to = server};
}

static enum alg_why
take(void *user, enum alg_side owner, uint16_t id, uint16_t *xid)
{
	struct room *room = user;
	struct xlate_line line = line_of(room, owner);
	struct xlate_owner who = {.addr = line.to, .id = id};

	if (sim_chance(room->sim, 5000))
		return ALG_WHY_TOO_MANY;
	return xlate_take(table, &line, &who, room->sim->ts, xid) == XLATE_OK ? ALG_WHY_NONE : ALG_WHY_NO_ID;
}

static void
give(void *user, enum alg_side owner, uint16_t xid)
{
	struct room *room = user;
	struct xlate_line line = line_of(room, owner);

	SIM_CHECK(room->sim, xlate_give(table, &line, xid, room->sim->ts));
}

static bool
claim(void *user, enum alg_side owner, uint16_t id, uint16_t xid)
{
	struct room *room = user;
	struct xlate_line line = line_of(room, owner);
	struct xlate_owner who = {.addr = line.to, .id = id};

	return xlate_claim(table, &line, &who, xid, room->sim->ts) == XLATE_OK;
}

static struct alg_rewrite_config
config_of(struct room *room)
{
	return (struct alg_rewrite_config){
	    .max_calls = MAX_CALLS, .xlate = {.take = take, .give = give, .claim = claim}, .xlate_user = room};
}

/* A new process takes over, now and then: the old one's ids are given back before the new one claims them. */
static void
hand_over(struct room *room)
{
	struct alg_rewrite_config config = config_of(room);
	static uint8_t buf[8192];
	size_t n = alg_rewrite_save(room->rw, buf, sizeof(buf));

	SIM_CHECK(room->sim, n > 0);
	alg_rewrite_free(room->rw);
	SIM_CHECK(room->sim, alg_rewrite_load(&room->rw, &config, buf, n) == 0);
}

static void
on_gateway_event(struct room *room, const struct alg_event *event)
{
	switch (event->type) {
	case ALG_EVENT_CALL_NEW:
		room->live++;
		break;
	case ALG_EVENT_CALL_END:
		SIM_CHECK(room->sim, room->live > 0);
		room->live--;
		break;
	case ALG_EVENT_GATES_WANTED:
		SIM_CHECK(room->sim, room->nwanted < 64);
		room->wanted[room->nwanted++] = event->call.number;
		if (room->nwanted == 1)
			sim_set(room->sim, &room->gates, room->sim->ts + sim_range(room->sim, 0, TS_MS(20)));
		break;
	case ALG_EVENT_VIOLATION:
		fprintf(stderr, "%s\n", event->text);
		SIM_CHECK(room->sim, event->type != ALG_EVENT_VIOLATION); /* two well-behaved ends */
		break;
	default:
		SIM_CHECK(room->sim, event->type == ALG_EVENT_CALL_REFUSED);
	}
}

static void
pump_gateway(struct room *room)
{
	struct alg_event event;
	const uint8_t *data;
	size_t n;

	for (int i = 0; i < 2; i++)
		while ((n = alg_rewrite_output(room->rw, (enum alg_side)i, &data)) > 0) {
			sim_stream_write(&room->side[i].from_gateway, data, n);
			alg_rewrite_sent(room->rw, (enum alg_side)i, n);
		}
	while (alg_rewrite_event(room->rw, &event))
		on_gateway_event(room, &event);
	for (int i = 0; i < 2; i++)
		if (alg_rewrite_output(room->rw, (enum alg_side)i, &data) > 0) {
			pump_gateway(room);
			return;
		}
}

static size_t
on_gateway_bytes(struct sim *sim, void *user, const uint8_t *data, size_t datalen)
{
	struct side *side = user;
	size_t done = 0, n;

	if (sim_chance(sim, 20000))
		hand_over(side->room);
	do {
		n = alg_rewrite_recv(side->room->rw, side->which, data + done, datalen - done);
		done += n;
		pump_gateway(side->room);
	} while (n > 0 && done < datalen);
	return done;
}

static void
on_gateway_eof(struct sim *sim, void *user)
{
	struct side *side = user;
	struct room *room = side->room;

	(void)sim;
	alg_rewrite_transport_closed(room->rw, side->which);
	pump_gateway(room);
	sim_stream_end(&room->side[ALG_CLIENT].from_gateway);
	sim_stream_end(&room->side[ALG_SERVER].from_gateway);
}

static void
on_gates(struct sim *sim, void *user)
{
	struct room *room = user;
	bool ok = !sim_chance(sim, room->fail_ppm);

	alg_rewrite_gates(room->rw, room->wanted[0], ok);
	memmove(room->wanted, room->wanted + 1, --room->nwanted * sizeof(room->wanted[0]));
	if (room->nwanted > 0)
		sim_set(sim, &room->gates, sim->ts + sim_range(sim, 0, TS_MS(20)));
	pump_gateway(room);
}

/* --- the ends ------------------------------------------------------------------------- */

static void
set_stage(struct side *side, uint16_t id, enum call_stage stage)
{
	side->calls += (stage != NONE) - (unsigned)(side->call[id].stage != NONE);
	side->call[id].stage = (uint8_t)stage;
}

static void
on_event(struct sim *sim, struct side *side, const struct pptp_event *event)
{
	struct call *call = &side->call[event->call_id];

	SIM_CHECK(sim, !side->closed);
	switch (event->type) {
	case PPTP_EVENT_ESTABLISHED:
		side->established = true;
		break;
	case PPTP_EVENT_CALL_REQUEST:
		set_stage(side, event->call_id, REQUESTED);
		break;
	case PPTP_EVENT_CALL_UP:
		SIM_CHECK(sim, call->stage == ASKED || call->stage == REQUESTED);
		call->peer_id = event->call.peer_call_id;
		call->accm = 0;
		set_stage(side, event->call_id, UP);
		break;
	case PPTP_EVENT_CALL_DOWN:
		set_stage(side, event->call_id, NONE);
		break;
	case PPTP_EVENT_LINK_INFO:
		call->accm = event->link_info.send_accm;
		break;
	case PPTP_EVENT_CLOSED:
		side->closed = true;
		break;
	default:
		break;
	}
}

static void
pump(struct side *side)
{
	struct pptp_event event;
	const uint8_t *data;
	size_t n;

	do {
		while ((n = pptp_conn_output(side->conn, &data)) > 0) {
			sim_stream_write(&side->to_gateway, data, n);
			pptp_conn_sent(side->conn, n);
		}
		n = pptp_conn_event(side->conn, &event);
		if (n > 0)
			on_event(side->room->sim, side, &event);
	} while (n > 0);
	if (side->closed)
		sim_stream_end(&side->to_gateway);
	sim_set(side->room->sim, &side->timer, side->closed ? TS_NEVER : pptp_conn_expiry(side->conn));
}

static void
on_timer(struct sim *sim, void *user)
{
	struct side *side = user;

	pptp_conn_expire(side->conn, sim->ts);
	pump(side);
}

static size_t
on_bytes(struct sim *sim, void *user, const uint8_t *data, size_t datalen)
{
	struct side *side = user;
	size_t done = 0, n;

	do {
		n = pptp_conn_recv(side->conn, data + done, datalen - done, sim->ts);
		done += n;
		pump(side);
	} while (n > 0 && done < datalen);
	return side->closed ? datalen : done;
}

static void
on_eof(struct sim *sim, void *user)
{
	struct side *side = user;

	if (!side->closed)
		pptp_conn_transport_closed(side->conn, sim->ts);
	pump(side);
	SIM_CHECK(sim, side->closed);
}

static uint16_t
pick(struct sim *sim, const struct side *side, enum call_stage stage)
{
	uint32_t id = (uint32_t)sim_range(sim, 1, IDS - 1);

	for (uint32_t i = 0; side->calls > 0 && i < IDS; i++, id++)
		if (side->call[id % IDS].stage == stage)
			return (uint16_t)(id % IDS);
	return 0;
}

static void
on_action(struct sim *sim, void *user)
{
	struct side *side = user;
	uint64_t what = sim_range(sim, 0, 9);
	uint16_t id = 0;

	if (side->closed || sim->ts >= TS_S(10))
		return;
	if (sim_chance(sim, side->cut_ppm)) {
		sim_stream_cut(&side->to_gateway);
		sim_stream_cut(&side->from_gateway);
	} else if (what < 4) {
		if ((what < 2 ? pptp_call_open : pptp_call_offer)(side->conn, NULL, &id, sim->ts) == PPTP_OK)
			set_stage(side, id, ASKED);
	} else if (what < 8) {
		id = pick(sim, side, REQUESTED);
		if (id != 0 && sim_chance(sim, 800000))
			pptp_call_accept(side->conn, id, NULL, sim->ts);
		else if (id != 0)
			pptp_call_reject(side->conn, id, 2, PPTP_EC_NO_RESOURCE, sim->ts);
	} else if (what < 9) {
		id = pick(sim, side, (enum call_stage)sim_range(sim, ASKED, UP));
		if (id != 0)
			pptp_call_clear(side->conn, id, PPTP_CDN_REQUEST, sim->ts);
	} else if (sim_chance(sim, side->room->clear_ppm)) {
		struct alg_call calls[MAX_CALLS];
		size_t n = alg_rewrite_calls(side->room->rw, calls, MAX_CALLS);

		if (n > 0)
			alg_rewrite_clear(side->room->rw, calls[sim_range(sim, 0, n - 1)].number, ALG_WHY_ADMIN);
		pump_gateway(side->room);
	}
	pump(side);
	sim_set(sim, &side->actor, sim->ts + sim_range(sim, 0, TS_MS(200)));
}

/* --- a run ------------------------------------------------------------------------------- */

/* What it draws depends on how often it was asked only, so all clients choose the same ids, and the servers too. */
static void
narrow_random(void *user, void *buf, size_t len)
{
	struct side *side = user;

	memset(buf, 0x40, len);
	((uint8_t *)buf)[0] = side->next_id++;
}

static void
side_init(struct room *room, enum alg_side which)
{
	static const size_t segments[] = {1, 7, 100, 1460, 20000};
	struct sim *sim = room->sim;
	struct side *side = &room->side[which];
	struct sim_stream_config stream = {.delay_ns = TS_US(10), .jitter_ns = TS_US(10), .max_segment = segments[sim_range(sim, 0, 4)]};
	struct pptp_conn_config config;

	if (stream.max_segment > 1)
		stream.delay_ns = TS_MS(sim_range(sim, 0, 100));
	memset(side, 0, sizeof(*side));
	side->room = room;
	side->which = which;
	sim_stream_init(&side->to_gateway, sim, &stream, on_gateway_bytes, on_gateway_eof, side);
	sim_stream_init(&side->from_gateway, sim, &stream, on_bytes, on_eof, side);
	side->timer = (struct sim_event){.run = on_timer, .user = side};
	side->actor = (struct sim_event){.run = on_action, .user = side};
	side->cut_ppm = sim_chance(sim, 200000) ? 10000 : 0;
	SIM_CHECK(sim, pptp_callid_pool_new(&side->pool, TS_S(1), narrow_random, side, NULL) == PPTP_OK);
	pptp_conn_config_init(&config);
	config.call_ids = side->pool;
	config.policy = PPTP_STRICT; /* lenient ends guess which call is meant, and with such ids guess wrong */
	config.max_calls = MAX_CALLS;
	config.accept_outgoing_calls = config.accept_incoming_calls = true;
	SIM_CHECK(sim, pptp_conn_new(&side->conn, &config, which == ALG_CLIENT, sim->ts) == PPTP_OK);
	sim_set(sim, &side->actor, sim_range(sim, 0, TS_S(1)));
}

static void
room_init(struct sim *sim, struct room *room, unsigned number)
{
	struct alg_rewrite_config config;

	memset(room, 0, offsetof(struct room, side));
	room->number = number;
	room->sim = sim;
	room->nwanted = 0;
	room->live = 0;
	room->gates = (struct sim_event){.run = on_gates, .user = room};
	room->fail_ppm = sim_chance(sim, 300000) ? 200000 : 0;
	room->clear_ppm = sim_chance(sim, 300000) ? 300000 : 0;
	config = config_of(room);
	SIM_CHECK(sim, alg_rewrite_new(&room->rw, &config) == 0);
	side_init(room, ALG_CLIENT);
	side_init(room, ALG_SERVER);
	SIM_CHECK(sim, pptp_conn_start(room->side[ALG_CLIENT].conn, sim->ts) == PPTP_OK);
	pump(&room->side[ALG_CLIENT]);
	pump(&room->side[ALG_SERVER]);
}

static const struct alg_call *
gateways_call(const struct room *room, uint16_t client_id)
{
	static struct alg_call calls[MAX_CALLS];
	size_t n = alg_rewrite_calls(room->rw, calls, MAX_CALLS);

	for (size_t i = 0; i < n; i++)
		if (calls[i].client_id == client_id)
			return &calls[i];
	return NULL;
}

/* What is up at the client is up at the server and in the gateway, and each id is what its reader takes it for. */
static unsigned
check_agreement(struct room *room)
{
	struct side *client = &room->side[ALG_CLIENT], *server = &room->side[ALG_SERVER];
	unsigned up = 0, server_up = 0;

	for (uint32_t id = 0; id < IDS; id++) {
		const struct alg_call *call;

		server_up += server->call[id].stage == UP;
		if (client->call[id].stage != UP)
			continue;
		up++;
		call = gateways_call(room, (uint16_t)id);
		SIM_CHECK(room->sim, call != NULL);
		SIM_CHECK(room->sim, client->call[id].peer_id == call->server_xid);
		SIM_CHECK(room->sim, server->call[call->server_id].stage == UP);
		SIM_CHECK(room->sim, server->call[call->server_id].peer_id == call->client_xid);
		/* Set-Link-Info finds the same call, where the client is the PNS, to whom RFC 2637 leaves it. */
		if (call->incoming != (call->requester == ALG_SERVER))
			continue;
		SIM_CHECK(room->sim, pptp_call_set_link_info(client->conn, (uint16_t)id, 0x10000 + id, 0, room->sim->ts) == PPTP_OK);
		pump(client);
	}
	SIM_CHECK(room->sim, up == server_up);
	SIM_CHECK(room->sim, alg_rewrite_calls(room->rw, NULL, 0) == room->live);
	return up;
}

static void
check_link_info(struct room *room)
{
	struct side *client = &room->side[ALG_CLIENT], *server = &room->side[ALG_SERVER];

	for (uint32_t id = 0; id < IDS; id++)
		if (client->call[id].stage == UP) {
			const struct alg_call *call = gateways_call(room, (uint16_t)id);

			SIM_CHECK(room->sim,
			    call->incoming != (call->requester == ALG_SERVER) || server->call[call->server_id].accm == 0x10000 + id);
		}
}

static void
room_free(struct room *room)
{
	SIM_CHECK(room->sim, room->side[0].closed && room->side[1].closed);
	SIM_CHECK(room->sim, room->live == 0 && alg_rewrite_calls(room->rw, NULL, 0) == 0);
	for (int i = 0; i < 2; i++) {
		struct side *side = &room->side[i];

		pptp_conn_free(side->conn, room->sim->ts);
		pptp_callid_pool_free(side->pool);
		sim_stream_fini(&side->to_gateway);
		sim_stream_fini(&side->from_gateway);
	}
	alg_rewrite_free(room->rw);
}

static unsigned
run(uint64_t seed)
{
	struct xlate_config config = {.limit = 1000, .rest_ns = TS_S(60), .fill = sim_fill};
	struct xlate_stats stats;
	struct sim sim;
	unsigned up = 0;

	sim_init(&sim, seed);
	config.fill_user = &sim;
	SIM_CHECK(&sim, xlate_new(&table, &config, NULL) == 0);
	for (unsigned i = 0; i < PAIRS; i++)
		room_init(&sim, &rooms[i], i);
	sim_run(&sim, TS_S(10 + 140), MAX_STEPS);
	for (unsigned i = 0; i < PAIRS; i++)
		up += check_agreement(&rooms[i]);
	sim_run(&sim, sim.ts + TS_S(10), MAX_STEPS);
	for (unsigned i = 0; i < PAIRS; i++) {
		check_link_info(&rooms[i]);
		if (!rooms[i].side[0].closed)
			SIM_CHECK(&sim, pptp_conn_stop(rooms[i].side[0].conn, PPTP_STOP_NONE, sim.ts) == PPTP_OK);
		pump(&rooms[i].side[0]);
	}
	sim_run(&sim, sim.ts + TS_S(200), MAX_STEPS);
	for (unsigned i = 0; i < PAIRS; i++)
		room_free(&rooms[i]);
	xlate_stats(table, &stats);
	SIM_CHECK(&sim, stats.used == 0);
	xlate_free(table);
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
