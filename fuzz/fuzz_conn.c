/* A control connection as a sequence of calls: bytes in, time, and what a program does, as the input decides. Whatever
 * comes, the connection's promises hold: output is bounded and well formed, each call that was told ends once, CLOSED is
 * the last event, and no call id or memory is left behind.
 *
 * First byte: bit 0 initiator, 1 strict, 2 accept outgoing, 3 accept incoming, 4 start at once, 5-7 max_calls - 1. */
#include <pptp/conn.h>

#include <string.h>

#include "fuzz/fuzz.h"

enum { IDS = 65536, MAX_OUT = 4096, MS = 1000000 };

struct world {
	struct fuzz_input in;
	struct pptp_callid_pool *pool;
	struct pptp_conn *conn;
	uint64_t ts;
	uint16_t last; /* the call that the next action is about */
	bool closed;
	size_t held; /* allocations */
	uint32_t random;
	size_t live; /* calls told and not yet ended */
	bool call[IDS];
};

static void *
count_calloc(void *user, size_t n, size_t size)
{
	struct world *w = user;

	w->held++;
	return calloc(n, size);
}

static void
count_free(void *user, void *p)
{
	struct world *w = user;

	w->held -= p != NULL;
	free(p);
}

static void
some_random(void *user, void *buf, size_t len)
{
	struct world *w = user;

	for (size_t i = 0; i < len; i++) {
		w->random = w->random * 1664525 + 1013904223;
		((uint8_t *)buf)[i] = (uint8_t)(w->random >> 24);
	}
}

static void
take_output(struct world *w, size_t most)
{
	const uint8_t *data;
	size_t n = pptp_conn_output(w->conn, &data);

	FUZZ_CHECK(n <= MAX_OUT);
	pptp_conn_sent(w->conn, n < most ? n : most);
}

static void
made(struct world *w, uint16_t id)
{
	FUZZ_CHECK(id != 0 && !w->call[id]);
	w->call[id] = true;
	w->live++;
	w->last = id;
}

static void
take_event(struct world *w, const struct pptp_event *e)
{
	FUZZ_CHECK(!w->closed);
	switch (e->type) {
	case PPTP_EVENT_CALL_REQUEST:
		made(w, e->call_id);
		break;
	case PPTP_EVENT_CALL_UP:
	case PPTP_EVENT_LINK_INFO:
	case PPTP_EVENT_WAN_ERROR:
		FUZZ_CHECK(w->call[e->call_id]);
		break;
	case PPTP_EVENT_CALL_DOWN:
		FUZZ_CHECK(w->call[e->call_id]);
		FUZZ_CHECK(memchr(e->text, '\0', sizeof(e->text)) != NULL);
		w->call[e->call_id] = false;
		w->live--;
		break;
	case PPTP_EVENT_CLOSED:
		FUZZ_CHECK(pptp_conn_state(w->conn) == PPTP_CONN_CLOSED);
		w->closed = true;
		break;
	case PPTP_EVENT_ESTABLISHED:
	case PPTP_EVENT_NONE:
		break;
	}
}

static void
take_events(struct world *w, unsigned most)
{
	struct pptp_event e;

	while (most-- > 0 && pptp_conn_event(w->conn, &e))
		take_event(w, &e);
}

/* Real ids are drawn at random, so the fuzzer could not write them: 0xFFFF in a call id field becomes the last call's. */
static void
patch_ids(const struct world *w, uint8_t *data, size_t n)
{
	const struct pptp_msg_info *info = n >= 12 ? pptp_msg_info((unsigned)data[8] << 8 | data[9]) : NULL;
	size_t at[2] = {info != NULL ? info->call_id_offset : 0, info != NULL ? info->peer_call_id_offset : 0};

	for (int i = 0; i < 2; i++) {
		if (at[i] == 0 || at[i] + 2 > n || data[at[i]] != 0xff || data[at[i] + 1] != 0xff)
			continue;
		data[at[i]] = (uint8_t)(w->last >> 8);
		data[at[i] + 1] = (uint8_t)w->last;
	}
}

static void
feed(struct world *w)
{
	uint8_t buf[256], *exact;
	size_t n, taken;
	const uint8_t *p = fuzz_bytes(&w->in, fuzz_u8(&w->in), &n);

	memcpy(buf, p, n);
	patch_ids(w, buf, n);
	exact = malloc(n > 0 ? n : 1);
	FUZZ_CHECK(exact != NULL);
	memcpy(exact, buf, n);
	taken = pptp_conn_recv(w->conn, exact, n, w->ts);
	FUZZ_CHECK(taken <= n);
	free(exact);
}

static void
open_call(struct world *w, bool offer)
{
	struct pptp_call_params params = {.recv_window = fuzz_u8(&w->in), .called_number = "123"};
	uint16_t id;
	int error = offer ? pptp_call_offer(w->conn, &params, &id, w->ts) : pptp_call_open(w->conn, &params, &id, w->ts);

	if (error != PPTP_OK)
		return;
	made(w, id);
}

static void
pass_time(struct world *w)
{
	w->ts += (uint64_t)fuzz_u16(&w->in) * 10 * MS;
	for (int i = 0; pptp_conn_expiry(w->conn) <= w->ts; i++) {
		FUZZ_CHECK(i < 1000);
		pptp_conn_expire(w->conn, w->ts);
	}
}

static void
step(struct world *w)
{
	struct pptp_wan_error_notify counts = {.crc_errors = 1};

	switch (fuzz_u8(&w->in) % 16) {
	case 0:
	case 1:
	case 2:
		feed(w);
		break;
	case 3:
		pass_time(w);
		break;
	case 4:
		take_output(w, fuzz_u16(&w->in));
		break;
	case 5:
		take_events(w, fuzz_u8(&w->in));
		break;
	case 6:
		pptp_conn_start(w->conn, w->ts);
		break;
	case 7:
		pptp_conn_stop(w->conn, PPTP_STOP_NONE, w->ts);
		break;
	case 8:
		open_call(w, false);
		break;
	case 9:
		open_call(w, true);
		break;
	case 10:
		pptp_call_accept(w->conn, w->last, NULL, w->ts);
		break;
	case 11:
		pptp_call_reject(w->conn, w->last, PPTP_OCRP_BUSY, PPTP_EC_NONE, w->ts);
		break;
	case 12:
		pptp_call_clear(w->conn, w->last, PPTP_CDN_REQUEST, w->ts);
		break;
	case 13:
		pptp_call_set_link_info(w->conn, w->last, 0xffffffff, 0, w->ts);
		break;
	case 14:
		pptp_call_wan_error(w->conn, w->last, &counts, w->ts);
		break;
	default:
		w->last = fuzz_u16(&w->in);
		break;
	}
}

static void
finish(struct world *w)
{
	struct pptp_conn_stats stats;
	size_t taken, resting;

	pptp_conn_transport_closed(w->conn, w->ts);
	take_events(w, IDS);
	FUZZ_CHECK(w->closed);
	pptp_conn_stats(w->conn, &stats);
	FUZZ_CHECK(stats.calls == 0);
	FUZZ_CHECK(w->live == 0);
	pptp_conn_free(w->conn, w->ts);
	FUZZ_CHECK(w->held == 0);
	pptp_callid_count(w->pool, w->ts, &taken, &resting);
	FUZZ_CHECK(taken == 0);
	pptp_callid_pool_free(w->pool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static struct world w;
	struct pptp_conn_config config;
	struct pptp_mem mem = {.user = &w, .calloc = count_calloc, .free = count_free};
	uint8_t how;

	memset(&w, 0, sizeof(w));
	w.in = (struct fuzz_input){data, datalen};
	how = fuzz_u8(&w.in);
	FUZZ_CHECK(pptp_callid_pool_new(&w.pool, 60000 * (uint64_t)MS, some_random, &w, NULL) == PPTP_OK);
	pptp_conn_config_init(&config);
	config.call_ids = w.pool;
	config.mem = &mem;
	config.policy = (how & 2) != 0 ? PPTP_STRICT : PPTP_LENIENT;
	config.accept_outgoing_calls = (how & 4) != 0;
	config.accept_incoming_calls = (how & 8) != 0;
	config.max_calls = (uint16_t)((how >> 5) + 1);
	FUZZ_CHECK(pptp_conn_new(&w.conn, &config, (how & 1) != 0, 0) == PPTP_OK);
	if ((how & 16) != 0)
		pptp_conn_start(w.conn, 0);
	while (w.in.left > 0)
		step(&w);
	finish(&w);
	return 0;
}
