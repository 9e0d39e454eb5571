/* The options engine: the first byte says what the packet is, the rest is its options. Verdicts must be in shape, Rejects made of
 * the request's own options, Naks bounded. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "libppp/options.h"
#include "libppp/proto.h"

struct world {
	uint8_t value;
	unsigned seen; /* what the rows were given, added up */
};

static bool
build(void *user, struct wr *w)
{
	struct world *x = user;

	wr_u8(w, x->value);
	return x->value & 1;
}

static enum opt_verdict
check(void *user, struct rd *data, struct wr *nak)
{
	struct world *x = user;
	uint8_t first = rd_u8(data);

	x->seen += first;
	wr_u8(nak, first);
	return first % 3 == 0 ? OPT_ACK : first % 3 == 1 ? OPT_NAK : OPT_REJ;
}

static bool
missing(void *user, struct wr *nak)
{
	wr_u8(nak, 1);
	return ((struct world *)user)->value & 2;
}

static void
on_nak(void *user, struct rd *data)
{
	struct world *x = user;

	while (rd_left(data) > 0)
		x->seen += rd_u8(data);
}

static void
on_rej(void *user)
{
	((struct world *)user)->seen++;
}

static const struct opt_row rows[] = {
    {1, 1, 1, build, check, missing, on_nak, on_rej},
    {2, 0, 4, build, check, NULL, on_nak, NULL},
    {3, 2, 253, NULL, check, NULL, on_nak, on_rej},
    {4, 0, 253, NULL, NULL, missing, NULL, NULL},
};
static const struct opt_table table = {rows, sizeof(rows) / sizeof(rows[0])};

static void
judge(struct world *x, const uint8_t *data, size_t len, bool may_nak)
{
	struct opt_reply reply;

	if (!opt_request(&table, x, data, len, may_nak, &reply)) {
		FUZZ_CHECK(!opt_valid(data, len) || len > OPT_REPLY_MAX);
		return;
	}
	FUZZ_CHECK(opt_valid(reply.data, reply.len));
	switch (reply.code) {
	case PPP_CONF_ACK:
		FUZZ_CHECK(reply.len == len && (len == 0 || memcmp(reply.data, data, len) == 0));
		break;
	case PPP_CONF_NAK:
		FUZZ_CHECK(may_nak && reply.len > 0 && reply.len <= OPT_NAK_MAX);
		break;
	case PPP_CONF_REJ:
		FUZZ_CHECK(reply.len > 0 && reply.len <= len);
		/* what we reject, a peer that asked for it takes as a Reject */
		FUZZ_CHECK(opt_reject(&table, x, reply.data, reply.len, data, len));
		break;
	default:
		FUZZ_CHECK(false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	struct fuzz_input in = {data, datalen};
	uint8_t mode = fuzz_u8(&in);
	struct world x = {.value = mode};
	uint8_t request[32];
	struct wr w = wr_init(request, sizeof(request));

	judge(&x, in.p, in.left, mode & 0x80);
	opt_build(&table, &x, &w);
	FUZZ_CHECK(w.ok && opt_valid(request, wr_len(&w)));
	FUZZ_CHECK(opt_nak(&table, &x, in.p, in.left) == (in.left > 0 && opt_valid(in.p, in.left)));
	opt_reject(&table, &x, in.p, in.left, request, wr_len(&w));
	return 0;
}
