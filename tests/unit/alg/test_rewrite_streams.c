/* Whole conversations as TCP brings them: whatever is cut or joined on the way, each end gets the other's messages as they were said, byte
 * for byte, but for the ids. */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite_streams(void);

enum { STEPS = 80, CALLS = 8, STREAM = STEPS * PPTP_MAX_MESSAGE, CONVERSATIONS = 2000 };

/* --- a conversation ----------------------------------------------------------------------- */

/* What an end says, at once or when it has heard something. */
struct step {
	enum alg_side from;
	int after; /* the step that it answers, or -1 */
	size_t end;
};

struct script_call {
	bool incoming;
	int stage, last; /* last: its step said last, or -1 */
	enum alg_side turn;
};

struct talk {
	uint64_t seed;
	struct step steps[STEPS];
	int count;
	struct script_call calls[CALLS];
	uint8_t said[2][STREAM], heard[2][STREAM]; /* by whom, and what the other one shall hear of it */
	size_t len[2];
	size_t fed[2], sent[2]; /* sent: to whom */
};

static uint64_t
draw(struct talk *t, uint64_t below)
{
	uint64_t z = t->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static uint16_t
plus(enum alg_side side)
{
	return side == ALG_CLIENT ? CLIENT_PLUS : SERVER_PLUS;
}

/* n: the number of the call, from which its ids follow. Returns the step. */
static int
put(struct talk *t, enum alg_side from, unsigned type, int n, int after)
{
	enum alg_side to = from == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT;
	uint16_t mine = (uint16_t)(10 + n), theirs = (uint16_t)(20 + n);
	struct pptp_msg msg = gw_msg(type, mine, (uint16_t)(theirs + plus(to)));
	const struct pptp_msg_info *info = pptp_msg_info(type);
	uint8_t *said = t->said[from] + t->len[from], *heard = t->heard[from] + t->len[from];

	if (from == ALG_SERVER)
		msg = gw_msg(type, theirs, (uint16_t)(mine + plus(to)));
	ck_assert_int_lt(t->count, STEPS);
	ck_assert_int_eq(pptp_msg_encode(said, PPTP_MAX_MESSAGE, &msg), info->length);
	memcpy(heard, said, info->length);
	if (info->call_id_offset != 0)
		put_u16(heard + info->call_id_offset, (uint16_t)(get_u16(said + info->call_id_offset) + plus(from)));
	if (info->peer_call_id_offset != 0)
		put_u16(heard + info->peer_call_id_offset, (uint16_t)(get_u16(said + info->peer_call_id_offset) - plus(to)));
	t->len[from] += info->length;
	t->steps[t->count] = (struct step){.from = from, .after = after, .end = t->len[from]};
	return t->count++;
}

/* A call's life, a message at a time; false at its end. The server is the PAC. */
static bool
go_on(struct talk *t, int n)
{
	static const struct {
		enum alg_side from;
		unsigned type;
	} outgoing[] = {{ALG_CLIENT, OCRQ}, {ALG_SERVER, OCRP}, {ALG_CLIENT, SLI}, {ALG_SERVER, WEN}, {ALG_CLIENT, CCR}, {ALG_SERVER, CDN}},
	  incoming[] = {
	      {ALG_SERVER, ICRQ}, {ALG_CLIENT, ICRP}, {ALG_SERVER, ICCN}, {ALG_CLIENT, SLI}, {ALG_CLIENT, CCR}, {ALG_SERVER, CDN}};
	struct script_call *c = &t->calls[n];

	if (c->stage == 6 || t->count > STEPS - 4)
		return false;
	if (c->incoming)
		c->last = put(t, incoming[c->stage].from, incoming[c->stage].type, n, c->last);
	else
		c->last = put(t, outgoing[c->stage].from, outgoing[c->stage].type, n, c->last);
	c->stage++;
	return true;
}

static void
echo(struct talk *t, int after)
{
	enum alg_side from = draw(t, 2) == 0 ? ALG_CLIENT : ALG_SERVER;
	int asked = put(t, from, ECHORQ, 0, after);

	put(t, from == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT, ECHORP, 0, asked);
}

static void
invent(struct talk *t, uint64_t seed)
{
	int begun, live = 1 + (int)(seed % CALLS);

	memset(t, 0, sizeof(*t));
	t->seed = seed;
	begun = put(t, ALG_SERVER, SCCRP, 0, put(t, ALG_CLIENT, SCCRQ, 0, -1));
	for (int n = 0; n < live; n++)
		t->calls[n] = (struct script_call){.incoming = draw(t, 3) == 0, .last = begun};
	for (int idle = 0; idle < 20 && t->count < STEPS - 4;) {
		if (draw(t, 8) == 0)
			echo(t, begun);
		else if (!go_on(t, (int)draw(t, (uint64_t)live)))
			idle++;
	}
}

/* --- the way ----------------------------------------------------------------------------------- */

/* Up to where an end may speak: it says nothing before it has heard what it answers. */
static size_t
may_say(const struct talk *t, enum alg_side side)
{
	size_t end = 0;

	for (int i = 0; i < t->count; i++) {
		const struct step *s = &t->steps[i], *a = s->after >= 0 ? &t->steps[s->after] : NULL;

		if (s->from != side)
			continue;
		if (a != NULL && a->from != side && t->sent[side] < a->end)
			break;
		end = s->end;
	}
	return end;
}

static void
feed(struct talk *t, struct gw *g, enum alg_side from, size_t most)
{
	size_t n = may_say(t, from) - t->fed[from];

	if (n == 0)
		return;
	n = n > most ? 1 + draw(t, most) : 1 + draw(t, n);
	t->fed[from] += gw_feed(g, from, t->said[from] + t->fed[from], n);
}

static void
drain(struct talk *t, struct gw *g, enum alg_side to, size_t most)
{
	enum alg_side from = to == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT;
	const uint8_t *data;
	size_t n = alg_rewrite_output(g->rw, to, &data);

	if (n == 0)
		return;
	n = n > most ? 1 + draw(t, most) : n;
	/* Not by libcheck's asserts, which write to a pipe each time. */
	if (t->sent[to] + n > t->fed[from] || memcmp(data, t->heard[from] + t->sent[to], n) != 0)
		ck_abort_msg("byte %zu or after it to end %d", t->sent[to], to);
	alg_rewrite_sent(g->rw, to, n);
	t->sent[to] += n;
}

static void
take_event(struct gw *g, unsigned *begun, unsigned *ended)
{
	struct alg_event e;

	if (!alg_rewrite_event(g->rw, &e))
		return;
	if (e.type == ALG_EVENT_VIOLATION || e.type == ALG_EVENT_CLOSED || e.type == ALG_EVENT_CALL_REFUSED)
		ck_abort_msg("%s", e.text);
	*begun += e.type == ALG_EVENT_CALL_NEW;
	*ended += e.type == ALG_EVENT_CALL_END;
	if (e.type == ALG_EVENT_GATES_WANTED)
		alg_rewrite_gates(g->rw, e.call.number, true);
}

/* Through a new process, with all that is half done. */
static void
hand_over(struct gw *g)
{
	static uint8_t state[8192];
	size_t n = alg_rewrite_save(g->rw, state, sizeof(state));

	ck_assert_uint_gt(n, 0);
	alg_rewrite_free(g->rw);
	ck_assert_int_eq(alg_rewrite_load(&g->rw, &g->config, state, n), 0);
}

static bool
all_said(const struct talk *t)
{
	return t->sent[ALG_CLIENT] == t->len[ALG_SERVER] && t->sent[ALG_SERVER] == t->len[ALG_CLIENT];
}

static void
carry(struct talk *t, struct gw *g, bool restarts)
{
	static const size_t sizes[] = {1, 3, 20, 200, 2000};
	size_t most = sizes[draw(t, 5)], out = sizes[draw(t, 5)];
	unsigned begun = 0, ended = 0, live = 0;

	for (int i = 0; i < 200000 && !all_said(t); i++) {
		enum alg_side side = draw(t, 2) == 0 ? ALG_CLIENT : ALG_SERVER;
		uint64_t what = draw(t, 64);

		if (what < 30)
			feed(t, g, side, most);
		else if (what < 50)
			drain(t, g, side, out);
		else if (what < 63 || !restarts)
			take_event(g, &begun, &ended);
		else
			hand_over(g);
	}
	ck_assert(all_said(t));
	for (int i = 0; i < 100; i++)
		take_event(g, &begun, &ended);
	for (int n = 0; n < CALLS; n++)
		live += t->calls[n].stage > 0 && t->calls[n].stage < 6;
	ck_assert_uint_eq(begun - ended, live);
	ck_assert_uint_eq(alg_rewrite_calls(g->rw, NULL, 0), live);
}

static void
converse(uint64_t seed, enum pptp_policy policy, bool restarts)
{
	static struct talk t;
	struct gw g;

	invent(&t, seed);
	gw_init(&g);
	g.config.trace = NULL;
	g.config.policy = policy;
	gw_open(&g);
	carry(&t, &g, restarts);
	gw_free(&g);
}

START_TEST(however_it_is_cut)
{
	for (uint64_t seed = 0; seed < CONVERSATIONS; seed++)
		converse(seed, seed % 2 == 0 ? PPTP_LENIENT : PPTP_STRICT, false);
}
END_TEST

START_TEST(however_often_the_process_changes)
{
	for (uint64_t seed = 0; seed < CONVERSATIONS / 5; seed++)
		converse(seed << 20, PPTP_LENIENT, true);
}
END_TEST

Suite *
suite_rewrite_streams(void)
{
	Suite *s = suite_create("alg/rewrite_streams");
	TCase *t = tcase_create("streams");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, however_it_is_cut);
	tcase_add_test(t, however_often_the_process_changes);
	suite_add_tcase(s, t);
	return s;
}
