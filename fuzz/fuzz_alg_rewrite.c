/* A control connection through the gateway as a sequence of calls: segments of both sides, answers about gates, clears, hand-overs, as
 * the input decides. Whatever comes: what goes out parses, to the messages that came in but for their ids, in their order; what the
 * gateway says of its own is counted; ids map one to one; nothing is held beyond its bounds, and nothing is left at the end.
 *
 * First byte: bit 0 strict, 1 pass other versions, 2 start at once, 3-5 max_calls - 1. */
#include <pptp/framer.h>

#include <string.h>

#include "alg/rewrite.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

enum { QUEUE = 4096, MAX_OUT = 1024, IDS = 65536 };

/* What a side was told to expect: the digest of each message with its ids blanked. */
struct expected {
	uint32_t digest[QUEUE];
	size_t first, count;
	struct pptp_framer framer;
};

struct world {
	struct fuzz_input in;
	struct alg_rewrite_config config;
	struct alg_rewrite *rw;
	struct mem_failing mem;
	struct expected to[2];
	bool raw;               /* untouched: bytes, not messages */
	uint16_t owner[2][IDS]; /* xid -> id + 1 of those taken */
	uint32_t wanted;
	size_t live;
	bool closed;
};

static uint32_t
digest(const uint8_t *data, size_t len)
{
	const struct pptp_msg_info *info = pptp_msg_info((unsigned)data[8] << 8 | data[9]);
	uint32_t sum = 1;

	for (size_t i = 0; i < len; i++) {
		bool id = info != NULL && ((info->call_id_offset != 0 && i - info->call_id_offset < 2) ||
					      (info->peer_call_id_offset != 0 && i - info->peer_call_id_offset < 2));

		sum = sum * 31 + (id ? 0 : data[i]);
	}
	return sum;
}

/* --- translation ------------------------------------------------------------------- */

static enum alg_why
take(void *user, enum alg_side owner, uint16_t id, uint16_t *xid)
{
	struct world *w = user;

	if (id % 61 == 60)
		return ALG_WHY_NO_ID;
	*xid = (uint16_t)(id * 3 + 1);
	while (*xid == 0 || w->owner[owner][*xid] != 0)
		(*xid)++;
	w->owner[owner][*xid] = (uint16_t)(id + 1) != 0 ? (uint16_t)(id + 1) : 1;
	return ALG_WHY_NONE;
}

static void
give(void *user, enum alg_side owner, uint16_t xid)
{
	struct world *w = user;

	FUZZ_CHECK(w->owner[owner][xid] != 0);
	w->owner[owner][xid] = 0;
}

static bool
claim(void *user, enum alg_side owner, uint16_t id, uint16_t xid)
{
	struct world *w = user;

	FUZZ_CHECK(w->owner[owner][xid] == 0);
	w->owner[owner][xid] = (uint16_t)(id + 1) != 0 ? (uint16_t)(id + 1) : 1;
	return true;
}

static enum alg_why
admit(void *user)
{
	const struct world *w = user;

	return w->live < 6 ? ALG_WHY_NONE : ALG_WHY_TOO_MANY;
}

/* --- what is forwarded ---------------------------------------------------------------- */

static void
expect(struct world *w, enum alg_side to, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	struct expected *e = &w->to[to];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	FUZZ_CHECK(n > 0 && e->count < QUEUE);
	e->digest[(e->first + e->count++) % QUEUE] = digest(buf, (size_t)n);
}

/* The trace tells what the gateway means to send; the bytes must then be that. A message is forwarded as it came, or held, or not. */
static void
on_trace(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded)
{
	uint8_t a[PPTP_MAX_MESSAGE], b[PPTP_MAX_MESSAGE];

	if (received != NULL && forwarded != NULL) {
		int n = pptp_msg_encode(a, sizeof(a), received), m = pptp_msg_encode(b, sizeof(b), forwarded);

		FUZZ_CHECK(n == m && digest(a, (size_t)n) == digest(b, (size_t)m));
	}
	if (forwarded != NULL)
		expect(user, from == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT, forwarded);
}

static void
check_sent(struct world *w, enum alg_side to, const uint8_t *data, size_t len)
{
	struct expected *e = &w->to[to];
	struct pptp_msg msg;
	uint8_t again[PPTP_MAX_MESSAGE];
	const uint8_t *p;
	int n;

	while (len > 0 && (n = pptp_framer_next(&e->framer, &data, &len, &p)) != 0) {
		FUZZ_CHECK(n > 0 && e->count > 0);
		FUZZ_CHECK(pptp_msg_decode(&msg, p, (size_t)n, PPTP_LENIENT, NULL) == PPTP_OK);
		n = pptp_msg_encode(again, sizeof(again), &msg);
		FUZZ_CHECK(digest(again, (size_t)n) == e->digest[e->first]);
		e->first = (e->first + 1) % QUEUE;
		e->count--;
	}
}

static void
take_events(struct world *w, unsigned most)
{
	struct alg_event e;

	while (most-- > 0 && alg_rewrite_event(w->rw, &e)) {
		FUZZ_CHECK(!w->closed && memchr(e.text, '\0', sizeof(e.text)) != NULL);
		w->live += e.type == ALG_EVENT_CALL_NEW;
		if (e.type == ALG_EVENT_CALL_END)
			FUZZ_CHECK(w->live-- > 0);
		if (e.type == ALG_EVENT_GATES_WANTED)
			w->wanted = e.call.number;
		w->raw |= e.type == ALG_EVENT_UNTOUCHED;
		w->closed |= e.type == ALG_EVENT_CLOSED;
	}
}

static void
drain(struct world *w, enum alg_side to, size_t most)
{
	const uint8_t *data;
	size_t n;

	if (w->config.other_version == ALG_VERSION_PASS)
		take_events(w, 100); /* whether these are messages still */
	n = alg_rewrite_output(w->rw, to, &data);
	FUZZ_CHECK(n <= MAX_OUT);
	n = n < most ? n : most;
	if (!w->raw)
		check_sent(w, to, data, n);
	alg_rewrite_sent(w->rw, to, n);
}

/* Each id of a side stands for one call, and each xid too. */
static void
check_calls(const struct world *w)
{
	struct alg_call c[8];
	size_t n = alg_rewrite_calls(w->rw, c, 8);

	FUZZ_CHECK(n <= 8 && n <= w->config.max_calls);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			FUZZ_CHECK(c[i].number != c[j].number);
			FUZZ_CHECK(c[i].client_xid == 0 || c[i].client_xid != c[j].client_xid);
			FUZZ_CHECK(c[i].server_xid == 0 || c[i].server_xid != c[j].server_xid);
			FUZZ_CHECK(c[i].client_xid == 0 || c[j].client_xid == 0 || c[i].client_id != c[j].client_id);
			FUZZ_CHECK(c[i].server_xid == 0 || c[j].server_xid == 0 || c[i].server_id != c[j].server_id);
		}
}

/* --- what the input does ------------------------------------------------------------------ */

static void
feed(struct world *w, enum alg_side from, const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);

	FUZZ_CHECK(exact != NULL);
	memcpy(exact, p, n);
	FUZZ_CHECK(alg_rewrite_recv(w->rw, from, exact, n) <= n);
	free(exact);
}

/* A message that is well formed but for what the input puts into its ids and result, so that the fuzzer gets far. */
static void
feed_message(struct world *w, enum alg_side from)
{
	unsigned type = fuzz_u8(&w->in) % 15 + 1u;
	const struct pptp_msg_info *info = pptp_msg_info(type);
	uint8_t buf[PPTP_MAX_MESSAGE] = {0, (uint8_t)info->length, 0, 1, 0x1A, 0x2B, 0x3C, 0x4D, 0, (uint8_t)type};

	if (type <= PPTP_START_CONTROL_CONNECTION_REPLY)
		buf[12] = 1;
	if (type == PPTP_START_CONTROL_CONNECTION_REPLY)
		buf[14] = 1;
	if (info->call_id_offset != 0)
		buf[info->call_id_offset + 1] = fuzz_u8(&w->in);
	if (info->peer_call_id_offset != 0)
		buf[info->peer_call_id_offset + 1] = fuzz_u8(&w->in);
	if (type == PPTP_OUTGOING_CALL_REPLY || type == PPTP_INCOMING_CALL_REPLY)
		buf[16] = fuzz_u8(&w->in) % 4;
	feed(w, from, buf, info->length);
}

static void
start(struct world *w)
{
	static const uint8_t types[] = {0, 1}; /* as feed_message() reads them */
	struct fuzz_input in = w->in;

	for (int side = 0; side < 2; side++) {
		w->in = (struct fuzz_input){types + side, 1};
		feed_message(w, (enum alg_side)side);
	}
	w->in = in;
}

static void
hand_over(struct world *w)
{
	static uint8_t buf[8192], again[8192];
	size_t n = alg_rewrite_save(w->rw, buf, sizeof(buf));

	FUZZ_CHECK(n > 0);
	alg_rewrite_free(w->rw);
	FUZZ_CHECK(alg_rewrite_load(&w->rw, &w->config, buf, n) == 0);
	FUZZ_CHECK(alg_rewrite_save(w->rw, again, sizeof(again)) == n && memcmp(buf, again, n) == 0);
}

static void
step(struct world *w)
{
	uint8_t what = fuzz_u8(&w->in);
	enum alg_side side = (what & 16) != 0 ? ALG_SERVER : ALG_CLIENT;
	const uint8_t *p;
	size_t n;

	switch (what % 16) {
	case 0:
		p = fuzz_bytes(&w->in, fuzz_u8(&w->in), &n);
		feed(w, side, p, n);
		break;
	case 1:
		drain(w, side, fuzz_u16(&w->in));
		break;
	case 2:
		take_events(w, fuzz_u8(&w->in));
		break;
	case 3:
		alg_rewrite_gates(w->rw, w->wanted, true);
		break;
	case 4:
		alg_rewrite_gates(w->rw, w->wanted, false);
		break;
	case 5:
		alg_rewrite_clear(w->rw, fuzz_u8(&w->in), ALG_WHY_ADMIN);
		break;
	case 6:
		hand_over(w);
		break;
	case 7:
		if (fuzz_u8(&w->in) == 1)
			alg_rewrite_transport_closed(w->rw, side);
		break;
	case 8:
		drain(w, ALG_CLIENT, MAX_OUT);
		drain(w, ALG_SERVER, MAX_OUT);
		take_events(w, 100);
		break;
	default:
		feed_message(w, side);
		break;
	}
	if (!w->raw && w->live <= 8)
		check_calls(w);
}

static void
finish(struct world *w)
{
	alg_rewrite_transport_closed(w->rw, ALG_CLIENT);
	for (int i = 0; i < 100; i++) {
		take_events(w, 100);
		drain(w, ALG_CLIENT, MAX_OUT);
		drain(w, ALG_SERVER, MAX_OUT);
	}
	FUZZ_CHECK(w->live == 0 && alg_rewrite_calls(w->rw, NULL, 0) == 0);
	FUZZ_CHECK(w->raw || w->to[0].count + w->to[1].count == 0);
	alg_rewrite_free(w->rw);
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < IDS; i++)
			FUZZ_CHECK(w->owner[side][i] == 0);
	FUZZ_CHECK(w->mem.held == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static struct world w;
	uint8_t how;

	memset(&w, 0, sizeof(w));
	w.in = (struct fuzz_input){data, datalen};
	how = fuzz_u8(&w.in);
	mem_failing_init(&w.mem, 0);
	w.config = (struct alg_rewrite_config){
	    .mem = &w.mem.mem,
	    .policy = (how & 1) != 0 ? PPTP_STRICT : PPTP_LENIENT,
	    .other_version = (how & 2) != 0 ? ALG_VERSION_PASS : ALG_VERSION_REFUSE,
	    .max_calls = (uint16_t)((how >> 3 & 7) + 1),
	    .xlate = {.take = take, .give = give, .claim = claim, .admit = admit},
	    .xlate_user = &w,
	    .trace = on_trace,
	    .trace_user = &w,
	};
	FUZZ_CHECK(alg_rewrite_new(&w.rw, &w.config) == 0);
	if ((how & 4) != 0)
		start(&w);
	while (w.in.left > 0)
		step(&w);
	finish(&w);
	return 0;
}
