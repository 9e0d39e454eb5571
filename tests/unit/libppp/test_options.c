#include "libppp/options.h"

#include <string.h>

#include "libppp/proto.h"
#include "tests/unit/suite.h"

Suite *suite_options(void);

/* A protocol with a number (1), a flag (2), a blob of 2 to 5 bytes (3), and one option that is never asked for (4). */
struct thing {
	uint8_t number, wish;
	bool flag, ask_flag, must_have;
	unsigned naks, rejs;
	size_t bloblen;
};

static bool
build_number(void *user, struct wr *w)
{
	wr_u8(w, ((struct thing *)user)->wish);
	return true;
}

static enum opt_verdict
check_number(void *user, struct rd *data, struct wr *nak)
{
	struct thing *t = user;

	t->number = rd_u8(data);
	wr_u8(nak, 42);
	return t->number == 42 ? OPT_ACK : t->number > 100 ? OPT_REJ : OPT_NAK;
}

static bool
missing_number(void *user, struct wr *nak)
{
	wr_u8(nak, 42);
	return ((struct thing *)user)->must_have;
}

static void
nak_number(void *user, struct rd *data)
{
	struct thing *t = user;

	t->naks++;
	t->wish = rd_u8(data);
}

static void
rej_number(void *user)
{
	((struct thing *)user)->rejs++;
}

static bool
build_flag(void *user, struct wr *w)
{
	(void)w;
	return ((struct thing *)user)->ask_flag;
}

static enum opt_verdict
check_flag(void *user, struct rd *data, struct wr *nak)
{
	(void)data, (void)nak;
	((struct thing *)user)->flag = true;
	return OPT_ACK;
}

static enum opt_verdict
check_blob(void *user, struct rd *data, struct wr *nak)
{
	(void)nak;
	((struct thing *)user)->bloblen = rd_left(data);
	return OPT_ACK;
}

static const struct opt_row rows[] = {
    {1, 1, 1, build_number, check_number, missing_number, nak_number, rej_number},
    {2, 0, 0, build_flag, check_flag, NULL, NULL, NULL},
    {3, 2, 5, NULL, check_blob, NULL, NULL, NULL},
    {4, 0, 255 - OPT_HEADER, NULL, NULL, NULL, NULL, NULL},
};
static const struct opt_table table = {rows, 4};

static struct thing thing;
static struct opt_reply reply;

static void
setup(void)
{
	thing = (struct thing){.wish = 7};
	memset(&reply, 0xee, sizeof(reply));
}

static bool
request(const char *data, size_t len, bool may_nak)
{
	return opt_request(&table, &thing, (const uint8_t *)data, len, may_nak, &reply);
}

#define REQUEST(s) request(s, sizeof(s) - 1, true)
#define REPLY_IS(c, s) (reply.code == (c) && reply.len == sizeof(s) - 1 && memcmp(reply.data, s, sizeof(s) - 1) == 0)

START_TEST(test_ack_repeats_the_request)
{
	ck_assert(REQUEST("\x02\x02\x01\x03\x2a\x03\x07\x01\x02\x03\x04\x05"));
	ck_assert(REPLY_IS(PPP_CONF_ACK, "\x02\x02\x01\x03\x2a\x03\x07\x01\x02\x03\x04\x05"));
	ck_assert(thing.flag);
	ck_assert_uint_eq(thing.bloblen, 5);
	ck_assert(REQUEST(""));
	ck_assert(REPLY_IS(PPP_CONF_ACK, ""));
}
END_TEST

START_TEST(test_nak_and_reject)
{
	ck_assert(REQUEST("\x02\x02\x01\x03\x05"));
	ck_assert(REPLY_IS(PPP_CONF_NAK, "\x01\x03\x2a"));
	/* a Reject goes before a Nak, and holds only what is rejected */
	ck_assert(REQUEST("\x63\x04zz\x01\x03\x05\x04\x02\x02\x02"));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x63\x04zz\x04\x02"));
	ck_assert(REQUEST("\x01\x03\xf0"));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x01\x03\xf0"));
}
END_TEST

START_TEST(test_lengths_of_a_row)
{
	ck_assert(REQUEST("\x01\x02"));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x01\x02"));
	ck_assert(REQUEST("\x01\x04\x2a\x00\x02\x03\x00\x03\x03\x00"));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x01\x04\x2a\x00\x02\x03\x00\x03\x03\x00"));
}
END_TEST

START_TEST(test_duplicates_are_rejected)
{
	ck_assert(REQUEST("\x01\x03\x2a\x02\x02\x01\x03\x2b"));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x01\x03\x2b"));
}
END_TEST

START_TEST(test_missing)
{
	thing.must_have = true;
	ck_assert(REQUEST("\x02\x02"));
	ck_assert(REPLY_IS(PPP_CONF_NAK, "\x01\x03\x2a"));
	ck_assert(REQUEST("\x01\x03\x2a"));
	ck_assert(REPLY_IS(PPP_CONF_ACK, "\x01\x03\x2a"));
	/* past Max-Failure there is no more asking */
	ck_assert(request("\x02\x02", 2, false));
	ck_assert(REPLY_IS(PPP_CONF_ACK, "\x02\x02"));
	ck_assert(request("\x01\x03\x05", 3, false));
	ck_assert(REPLY_IS(PPP_CONF_REJ, "\x01\x03\x05"));
}
END_TEST

START_TEST(test_malformed)
{
	ck_assert(!REQUEST("\x01"));
	ck_assert(!REQUEST("\x01\x00"));
	ck_assert(!REQUEST("\x01\x01"));
	ck_assert(!REQUEST("\x01\x04\x2a"));
	ck_assert(!REQUEST("\x02\x02\x01\x03\x2a\x02"));
	ck_assert(!REQUEST("\x02\x02\x01\xff\x2a"));
	ck_assert_uint_eq(thing.number, 0); /* no row has seen anything of them */
	ck_assert(!opt_valid((const uint8_t *)"\x01\x00", 2));
	ck_assert(opt_valid((const uint8_t *)"", 0));
}
END_TEST

START_TEST(test_long_requests)
{
	uint8_t big[OPT_REPLY_MAX + 2];

	for (size_t i = 0; i < sizeof(big); i += 2) {
		big[i] = 0x77;
		big[i + 1] = 2;
	}
	ck_assert(opt_request(&table, &thing, big, OPT_REPLY_MAX, true, &reply));
	ck_assert_uint_eq(reply.code, PPP_CONF_REJ);
	ck_assert_uint_eq(reply.len, OPT_REPLY_MAX);
	ck_assert_int_eq(memcmp(reply.data, big, OPT_REPLY_MAX), 0);
	ck_assert(!opt_request(&table, &thing, big, OPT_REPLY_MAX + 2, true, &reply));
}
END_TEST

START_TEST(test_build)
{
	uint8_t buf[16];
	struct wr w = wr_init(buf, sizeof(buf));

	opt_build(&table, &thing, &w);
	ck_assert_uint_eq(wr_len(&w), 3);
	ck_assert_int_eq(memcmp(buf, "\x01\x03\x07", 3), 0);
	thing.ask_flag = true;
	w = wr_init(buf, sizeof(buf));
	opt_build(&table, &thing, &w);
	ck_assert_uint_eq(wr_len(&w), 5);
	ck_assert_int_eq(memcmp(buf, "\x01\x03\x07\x02\x02", 5), 0);
	w = wr_init(buf, 4);
	opt_build(&table, &thing, &w);
	ck_assert(!w.ok);
}
END_TEST

static bool
reject(const char *data, size_t len)
{
	return opt_reject(&table, &thing, (const uint8_t *)data, len, (const uint8_t *)"\x01\x03\x07\x02\x02", 5);
}

START_TEST(test_answers_to_us)
{
	ck_assert(opt_nak(&table, &thing, (const uint8_t *)"\x01\x03\x09\x55\x03\x01\x02\x02", 8));
	ck_assert_uint_eq(thing.wish, 9);
	ck_assert(opt_nak(&table, &thing, (const uint8_t *)"\x01\x02", 2)); /* of a length that the row can't have */
	ck_assert_uint_eq(thing.naks, 1);
	ck_assert(!opt_nak(&table, &thing, (const uint8_t *)"\x01\x09\x02", 3));
	ck_assert(!opt_nak(&table, &thing, (const uint8_t *)"", 0));
	ck_assert(reject("\x01\x03\x07", 3));
	ck_assert_uint_eq(thing.rejs, 1);
	ck_assert(!reject("\x01\x03\x08", 3)); /* not as we asked */
	ck_assert(!reject("\x02\x02\x03\x02", 4));
	ck_assert(!reject("\x02", 1));
	ck_assert(!reject("", 0));
	ck_assert_uint_eq(thing.rejs, 1);
}
END_TEST

/* Whatever the bytes: a verdict or none, and what is rejected was in the request. */
START_TEST(test_garbage)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t data[40];
		size_t len = round % sizeof(data);

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (uint8_t)(seed >> 24) & (round & 1 ? 0xff : 0x07);
		}
		if (!opt_request(&table, &thing, data, len, round & 2, &reply))
			continue;
		ck_assert(opt_valid(data, len));
		ck_assert(opt_valid(reply.data, reply.len));
		ck_assert_uint_le(reply.len, reply.code == PPP_CONF_NAK ? 3 : len);
		opt_nak(&table, &thing, data, len);
		opt_reject(&table, &thing, data, len, data, len);
	}
}
END_TEST

Suite *
suite_options(void)
{
	Suite *s = suite_create("options");
	TCase *t = tcase_create("options");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_ack_repeats_the_request);
	tcase_add_test(t, test_nak_and_reject);
	tcase_add_test(t, test_lengths_of_a_row);
	tcase_add_test(t, test_duplicates_are_rejected);
	tcase_add_test(t, test_missing);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_long_requests);
	tcase_add_test(t, test_build);
	tcase_add_test(t, test_answers_to_us);
	tcase_add_test(t, test_garbage);
	suite_add_tcase(s, t);
	return s;
}
