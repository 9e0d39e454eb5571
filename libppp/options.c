#include "libppp/options.h"

#include "libppp/proto.h"

/* One option of a packet whose shape was checked. */
struct opt {
	uint8_t type;
	const uint8_t *whole;
	size_t len; /* with the header */
};

static bool
next_option(struct rd *r, struct opt *o)
{
	if (rd_left(r) < OPT_HEADER)
		return false;
	o->whole = r->p;
	o->type = r->p[0];
	o->len = r->p[1];
	return o->len >= OPT_HEADER && rd_bytes(r, o->len) != NULL;
}

static struct rd
option_data(const struct opt *o)
{
	return rd_init(o->whole + OPT_HEADER, o->len - OPT_HEADER);
}

static const struct opt_row *
find_row(const struct opt_table *t, uint8_t type)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->rows[i].type == type)
			return &t->rows[i];
	}
	return NULL;
}

static bool
fits(const struct opt_row *row, const struct opt *o)
{
	size_t len = o->len - OPT_HEADER;

	return len >= row->min && len <= row->max;
}

bool
opt_valid(const uint8_t *data, size_t datalen)
{
	struct rd r = rd_init(data, datalen);
	struct opt o;

	while (next_option(&r, &o))
		;
	return r.ok && rd_left(&r) == 0;
}

bool
opt_can_judge(const uint8_t *data, size_t datalen)
{
	return datalen <= OPT_REPLY_MAX && opt_valid(data, datalen);
}

/* Starts an option in w and returns where, for end_option(). */
static uint8_t *
begin_option(struct wr *w, uint8_t type)
{
	uint8_t *at = w->p;

	wr_u8(w, type);
	wr_u8(w, 0);
	return at;
}

static void
end_option(struct wr *w, uint8_t *at, bool keep)
{
	if (!keep)
		w->p = at;
	else if (w->ok)
		at[1] = (uint8_t)(w->p - at);
}

void
opt_build(const struct opt_table *t, void *user, struct wr *w)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct opt_row *row = &t->rows[i];
		uint8_t *at;

		if (row->build == NULL)
			continue;
		at = begin_option(w, row->type);
		end_option(w, at, row->build(user, w));
	}
}

/* What a Configure-Request's judgement has come to so far. */
struct judge {
	const struct opt_table *t;
	void *user;
	bool may_nak;
	uint32_t seen; /* rows, by index */
	struct wr nak, rej;
};

static enum opt_verdict
judge_row(struct judge *j, const struct opt_row *row, const struct opt *o)
{
	struct rd data = option_data(o);
	uint8_t *at = begin_option(&j->nak, o->type);
	enum opt_verdict v = row->check(j->user, &data, &j->nak);

	if (v == OPT_NAK && !j->may_nak)
		v = OPT_REJ;
	end_option(&j->nak, at, v == OPT_NAK);
	return v;
}

static void
judge_option(struct judge *j, const struct opt *o)
{
	const struct opt_row *row = find_row(j->t, o->type);
	enum opt_verdict v = OPT_REJ;

	/* no option of these protocols may stand twice in a request (RFC 1661 section 5.1) */
	if (row != NULL && row->check != NULL && fits(row, o) && (j->seen & (UINT32_C(1) << (row - j->t->rows))) == 0) {
		j->seen |= UINT32_C(1) << (row - j->t->rows);
		v = judge_row(j, row, o);
	}
	if (v == OPT_REJ)
		wr_bytes(&j->rej, o->whole, o->len);
}

static void
judge_missing(struct judge *j)
{
	for (size_t i = 0; i < j->t->count; i++) {
		const struct opt_row *row = &j->t->rows[i];
		uint8_t *at;

		if (row->missing == NULL || (j->seen & (UINT32_C(1) << i)) != 0)
			continue;
		at = begin_option(&j->nak, row->type);
		end_option(&j->nak, at, row->missing(j->user, &j->nak));
	}
}

bool
opt_request(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen, bool may_nak, struct opt_reply *reply)
{
	uint8_t nak[OPT_NAK_MAX];
	struct judge j = {t, user, may_nak, 0, wr_init(nak, sizeof(nak)), wr_init(reply->data, sizeof(reply->data))};
	struct rd r = rd_init(data, datalen);
	struct opt o;

	if (!opt_can_judge(data, datalen))
		return false;
	while (next_option(&r, &o))
		judge_option(&j, &o);
	if (may_nak)
		judge_missing(&j);
	if (!j.nak.ok || !j.rej.ok)
		return false;
	if (wr_len(&j.rej) > 0) {
		reply->code = PPP_CONF_REJ;
		reply->len = wr_len(&j.rej);
		return true;
	}
	reply->code = wr_len(&j.nak) > 0 ? PPP_CONF_NAK : PPP_CONF_ACK;
	reply->len = reply->code == PPP_CONF_NAK ? wr_len(&j.nak) : datalen;
	if (reply->len > 0)
		memcpy(reply->data, reply->code == PPP_CONF_NAK ? nak : data, reply->len);
	return true;
}

bool
opt_nak(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen)
{
	struct rd r = rd_init(data, datalen);
	struct opt o;

	if (datalen == 0 || !opt_valid(data, datalen))
		return false;
	while (next_option(&r, &o)) {
		const struct opt_row *row = find_row(t, o.type);
		struct rd d = option_data(&o);

		if (row != NULL && row->on_nak != NULL && fits(row, &o))
			row->on_nak(user, &d);
	}
	return true;
}

static bool
was_requested(const struct opt *o, const uint8_t *request, size_t requestlen)
{
	struct rd r = rd_init(request, requestlen);
	struct opt mine;

	while (next_option(&r, &mine)) {
		if (mine.len == o->len && memcmp(mine.whole, o->whole, o->len) == 0)
			return true;
	}
	return false;
}

bool
opt_reject(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen, const uint8_t *request, size_t requestlen)
{
	struct rd r = rd_init(data, datalen);
	struct opt o;

	if (datalen == 0 || !opt_valid(data, datalen))
		return false;
	while (next_option(&r, &o)) {
		if (!was_requested(&o, request, requestlen))
			return false;
	}
	r = rd_init(data, datalen);
	while (next_option(&r, &o)) {
		const struct opt_row *row = find_row(t, o.type);

		if (row != NULL && row->on_rej != NULL)
			row->on_rej(user);
	}
	return true;
}
