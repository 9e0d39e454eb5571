/* What one process leaves to the next, which must take nothing of it for granted.
 *
 * First byte: bit 0: a rewriter's state, else flows and calls. What is taken is saved as the same bytes again; and a rewriter that was made
 * of anything at all goes on like one. */
#include <string.h>

#include "alg/handover.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

enum { IDS = 65536, STATE = 16384 };

struct ids {
	bool taken[2][IDS];
	size_t count;
};

/* --- a rewriter ------------------------------------------------------------------------------ */

static enum alg_why
take(void *user, enum alg_side owner, uint16_t id, uint16_t *xid)
{
	struct ids *ids = user;

	for (*xid = id; *xid == 0 || ids->taken[owner][*xid]; (*xid)++)
		continue;
	ids->taken[owner][*xid] = true;
	ids->count++;
	return ALG_WHY_NONE;
}

static void
give(void *user, enum alg_side owner, uint16_t xid)
{
	struct ids *ids = user;

	FUZZ_CHECK(ids->taken[owner][xid]);
	ids->taken[owner][xid] = false;
	ids->count--;
}

static bool
claim(void *user, enum alg_side owner, uint16_t id, uint16_t xid)
{
	struct ids *ids = user;

	(void)id;
	if (xid == 0 || ids->taken[owner][xid])
		return false;
	ids->taken[owner][xid] = true;
	ids->count++;
	return true;
}

static void
drain(struct alg_rewrite *rw)
{
	struct alg_event e;
	const uint8_t *out;

	for (int i = 0; i < 200 && alg_rewrite_event(rw, &e); i++) {
		FUZZ_CHECK(memchr(e.text, '\0', sizeof(e.text)) != NULL);
		if (e.type == ALG_EVENT_GATES_WANTED)
			alg_rewrite_gates(rw, e.call.number, e.call.number % 2 == 0);
	}
	for (int side = 0; side < 2; side++)
		alg_rewrite_sent(rw, (enum alg_side)side, alg_rewrite_output(rw, (enum alg_side)side, &out));
}

/* Each message from each side, about ids that calls may well have. */
static void
go_on(struct alg_rewrite *rw)
{
	struct alg_call calls[4];
	size_t count = alg_rewrite_calls(rw, calls, 4);

	drain(rw);
	for (size_t i = 0; i < count && i < 4; i++)
		alg_rewrite_gates(rw, calls[i].number, true);
	for (unsigned type = 15; type > 0; type--) {
		const struct pptp_msg_info *info = pptp_msg_info(type);
		uint8_t buf[PPTP_MAX_MESSAGE] = {0, (uint8_t)info->length, 0, 1, 0x1A, 0x2B, 0x3C, 0x4D, 0, (uint8_t)type};

		for (int side = 0; side < 2; side++) {
			const struct alg_call *c = &calls[type % 4];

			if (info->call_id_offset != 0 && count > type % 4)
				put_u16(buf + info->call_id_offset, side == 0 ? c->client_id : c->server_id);
			if (info->peer_call_id_offset != 0 && count > type % 4)
				put_u16(buf + info->peer_call_id_offset, side == 0 ? c->server_xid : c->client_xid);
			FUZZ_CHECK(alg_rewrite_recv(rw, (enum alg_side)side, buf, info->length) <= info->length);
			drain(rw);
		}
	}
	for (size_t i = 0; i < count && i < 4; i++)
		alg_rewrite_clear(rw, calls[i].number, ALG_WHY_ADMIN);
	drain(rw);
	alg_rewrite_transport_closed(rw, ALG_SERVER);
	drain(rw);
}

static void
rewriter(struct fuzz_input *in)
{
	static uint8_t again[STATE];
	static struct ids ids;
	struct mem_failing mem;
	const struct alg_rewrite_config config = {.mem = &mem.mem,
	    .max_calls = 8,
	    .xlate = {.take = take, .give = give, .claim = claim},
	    .xlate_user = &ids,
	    .policy = PPTP_LENIENT};
	struct alg_rewrite *rw;

	memset(&ids, 0, sizeof(ids));
	mem_failing_init(&mem, 0);
	if (alg_rewrite_load(&rw, &config, in->p, in->left) == 0) {
		FUZZ_CHECK(in->left > STATE || alg_rewrite_save(rw, again, sizeof(again)) == in->left);
		FUZZ_CHECK(in->left > STATE || memcmp(again, in->p, in->left) == 0);
		go_on(rw);
		alg_rewrite_free(rw);
	}
	FUZZ_CHECK(ids.count == 0 && mem.held == 0);
}

/* --- flows and calls ---------------------------------------------------------------------------- */

/* Bytes behind an IPv4 address or a text don't count, so what was written once is what is compared. */
static bool
flow_again(struct rd *r, struct wr *out)
{
	struct flow f;
	enum flow_state state;

	memset(&f, 0, sizeof(f));
	handover_get_flow(r, &f, &state);
	if (!r->ok)
		return false;
	f.state = state;
	handover_put_flow(out, &f);
	return out->ok;
}

static bool
call_again(struct rd *r, struct wr *out)
{
	struct handover_call c;

	memset(&c, 0, sizeof(c));
	handover_get_call(r, &c);
	if (!r->ok)
		return false;
	handover_put_call(out, &c);
	return out->ok;
}

static void
twice(struct rd *r, bool (*again)(struct rd *r, struct wr *out))
{
	uint8_t first[1024], second[1024];
	struct wr w1 = wr_init(first, sizeof(first)), w2 = wr_init(second, sizeof(second));
	struct rd r1;

	if (!again(r, &w1))
		return;
	r1 = rd_init(first, wr_len(&w1));
	FUZZ_CHECK(again(&r1, &w2) && rd_left(&r1) == 0);
	FUZZ_CHECK(wr_len(&w1) == wr_len(&w2) && memcmp(first, second, wr_len(&w1)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	struct fuzz_input in = {data, datalen};

	if ((fuzz_u8(&in) & 1) != 0) {
		rewriter(&in);
	} else {
		struct rd r = rd_init(in.p, in.left);

		twice(&r, flow_again);
		while (r.ok && rd_left(&r) > 0)
			twice(&r, call_again);
	}
	return 0;
}
