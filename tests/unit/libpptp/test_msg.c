#include <pptp/msg.h>

#include <string.h>

#include "base/wire.h"
#include "libpptp/msg_table.h"
#include "tests/unit/libpptp/golden.h"
#include "tests/unit/suite.h"

Suite *suite_msg(void);

/* Loop tests run once per type. */

START_TEST(golden_decodes)
{
	const struct golden *g = &golden_messages[_i];
	struct pptp_msg msg;
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, g->hex);

	memset(&msg, 0xa5, sizeof(msg));
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, NULL), PPTP_OK);
	ck_assert_mem_eq(&msg, &g->msg, sizeof(msg));
}
END_TEST

START_TEST(golden_encodes)
{
	const struct golden *g = &golden_messages[_i];
	uint8_t want[PPTP_MAX_MESSAGE], got[PPTP_MAX_MESSAGE];
	int len = (int)golden_bytes(want, g->hex);

	memset(got, 0xa5, sizeof(got));
	ck_assert_int_eq(pptp_msg_encode(got, sizeof(got), &g->msg), len);
	ck_assert_mem_eq(got, want, len);
	ck_assert_int_eq(pptp_msg_encode(got, (size_t)len - 1, &g->msg), PPTP_ERR_SHORT);
	for (int i = len; i < PPTP_MAX_MESSAGE; i++)
		ck_assert_uint_eq(got[i], 0xa5);
}
END_TEST

START_TEST(golden_text)
{
	const struct golden *g = &golden_messages[_i];
	char text[512];

	ck_assert_str_eq(pptp_msg_text(text, sizeof(text), &g->msg), g->text);
	for (size_t size = 1; size < 64; size++) {
		memset(text, 'x', sizeof(text));
		pptp_msg_text(text, size, &g->msg);
		ck_assert_uint_lt(strlen(text), size);
		ck_assert_uint_eq(text[size], 'x');
		ck_assert_mem_eq(text, g->text, strlen(text));
	}
}
END_TEST

START_TEST(every_length_but_its_own_is_refused)
{
	uint8_t buf[PPTP_MAX_MESSAGE + 8] = {0};
	size_t len = golden_bytes(buf, golden_messages[_i].hex);
	struct pptp_msg msg;

	for (size_t n = 0; n < sizeof(buf); n++) {
		if (n == len)
			continue;
		put_u16(buf, (uint16_t)len);
		ck_assert_int_eq(pptp_msg_decode(&msg, buf, n, PPTP_LENIENT, NULL), n < len ? PPTP_ERR_SHORT : PPTP_ERR_LENGTH);
		put_u16(buf, (uint16_t)n);
		ck_assert_int_eq(pptp_msg_decode(&msg, buf, n, PPTP_LENIENT, NULL), n < 12 ? PPTP_ERR_SHORT : PPTP_ERR_LENGTH);
	}
}
END_TEST

START_TEST(header_is_checked)
{
	static const struct {
		size_t offset;
		uint8_t value;
		int error;
	} bad[] = {
	    {2, 1, PPTP_ERR_KIND},
	    {3, 2, PPTP_ERR_KIND},
	    {4, 0, PPTP_ERR_MAGIC},
	    {5, 0, PPTP_ERR_MAGIC},
	    {6, 0, PPTP_ERR_MAGIC},
	    {7, 0, PPTP_ERR_MAGIC},
	    {8, 1, PPTP_ERR_TYPE},
	    {9, 0, PPTP_ERR_TYPE},
	    {9, 16, PPTP_ERR_TYPE},
	    {9, 255, PPTP_ERR_TYPE},
	};
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[_i].hex);
	struct pptp_msg msg = {0}, untouched = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		golden_bytes(buf, golden_messages[_i].hex);
		buf[bad[i].offset] = bad[i].value;
		ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, NULL), bad[i].error);
		ck_assert_mem_eq(&msg, &untouched, sizeof(msg));
	}
}
END_TEST

/* The values that the RFC defines, written out once more: type, offset, width, lowest and highest. */
static const struct bounds {
	uint8_t type, wire, width;
	uint32_t min, max;
	const char *name;
} bounds[] = {
    {1, 16, 4, 0, 3, "Framing"},
    {1, 20, 4, 0, 3, "Bearer"},
    {2, 14, 1, 1, 5, "Result"},
    {2, 15, 1, 0, 6, "Error"},
    {2, 16, 4, 0, 3, "Framing"},
    {2, 20, 4, 0, 3, "Bearer"},
    {3, 12, 1, 1, 3, "Reason"},
    {4, 12, 1, 1, 2, "Result"},
    {4, 13, 1, 0, 6, "Error"},
    {6, 16, 1, 1, 2, "Result"},
    {6, 17, 1, 0, 6, "Error"},
    {7, 24, 4, 1, 3, "Bearer"},
    {7, 28, 4, 1, 3, "Framing"},
    {7, 32, 2, 1, 65535, "Window"},
    {8, 16, 1, 1, 7, "Result"},
    {8, 17, 1, 0, 6, "Error"},
    {9, 16, 4, 1, 3, "Bearer"},
    {10, 16, 1, 1, 3, "Result"},
    {10, 17, 1, 0, 6, "Error"},
    {11, 20, 2, 1, 65535, "Window"},
    {11, 24, 4, 1, 3, "Framing"},
    {13, 14, 1, 1, 4, "Result"},
    {13, 15, 1, 0, 6, "Error"},
};

static void
put_number(uint8_t *p, size_t width, uint32_t v)
{
	if (width == 1)
		p[0] = (uint8_t)v;
	else if (width == 2)
		put_u16(p, (uint16_t)v);
	else
		put_u32(p, v);
}

static void
value_is(const struct bounds *b, uint32_t v, int strict)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[b->type].hex);
	const char *field = NULL;
	struct pptp_msg msg;

	put_number(buf + b->wire, b->width, v);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, &field), PPTP_OK);
	ck_assert_ptr_null(field);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, &field), strict);
	if (strict != PPTP_OK)
		ck_assert_str_eq(field, b->name);
}

START_TEST(values_are_bounded_when_strict)
{
	const struct bounds *b = &bounds[_i];
	uint32_t top = b->width == 1 ? UINT8_MAX : b->width == 2 ? UINT16_MAX : UINT32_MAX;

	value_is(b, b->min, PPTP_OK);
	value_is(b, b->max, PPTP_OK);
	if (b->min > 0)
		value_is(b, b->min - 1, PPTP_ERR_FIELD);
	if (b->max < top) {
		value_is(b, b->max + 1, PPTP_ERR_FIELD);
		value_is(b, top, PPTP_ERR_FIELD);
	}
}
END_TEST

START_TEST(reserved_bytes_are_zero_when_strict)
{
	const struct msg_row *row = msg_row((unsigned)_i);
	struct pptp_msg msg;
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[_i].hex);
	size_t reserved = 0;

	for (size_t f = 0; f < row->nfields; f++) {
		for (size_t i = 0; row->fields[f].kind == FIELD_RESERVED && i < row->fields[f].width; i++, reserved++) {
			uint8_t *p = buf + row->fields[f].wire + i;
			const char *field = NULL;

			*p = 1;
			ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, &field), PPTP_ERR_FIELD);
			ck_assert_str_eq(field, row->fields[f].name);
			ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, NULL), PPTP_OK);
			ck_assert_mem_eq(&msg, &golden_messages[_i].msg, sizeof(msg));
			*p = 0;
		}
	}
	ck_assert_uint_ge(reserved, 2);
}
END_TEST

/* A field table that forgot or doubled a byte would still pass its own round trip. */
START_TEST(fields_cover_the_message_once)
{
	const struct msg_row *row = msg_row((unsigned)_i);
	uint8_t covered[PPTP_MAX_MESSAGE] = {0};

	for (size_t f = 0; f < row->nfields; f++)
		for (size_t i = 0; i < row->fields[f].width; i++)
			covered[row->fields[f].wire + i]++;
	for (size_t i = 10; i < row->info.length; i++)
		ck_assert_msg(covered[i] == 1, "%s byte %zu is in %u fields", row->info.name, i, covered[i]);
}
END_TEST

static size_t
offset_of(const struct msg_row *row, const char *name)
{
	for (size_t f = 0; f < row->nfields; f++)
		if (strcmp(row->fields[f].name, name) == 0)
			return row->fields[f].wire;
	return 0;
}

START_TEST(info_agrees_with_fields)
{
	const struct msg_row *row = msg_row((unsigned)_i);
	const struct pptp_msg_info *info = pptp_msg_info((unsigned)_i);

	ck_assert_ptr_eq(info, &row->info);
	ck_assert_uint_eq(info->call_id_offset, offset_of(row, "Call-ID"));
	ck_assert_uint_eq(info->peer_call_id_offset, offset_of(row, "Peer-Call-ID"));
	ck_assert_mem_eq(golden_messages[_i].text + 6, info->name, strlen(info->name));
	ck_assert_int_eq(row->scope == SCOPE_CONN, row->select == SELECT_NONE);
	if (row->select == SELECT_SENDERS)
		ck_assert_uint_eq(info->call_id_offset, 12);
	if (row->select == SELECT_RECEIVERS)
		ck_assert_uint_ne(info->peer_call_id_offset, 0);
}
END_TEST

START_TEST(info_of_unknown_types)
{
	static const unsigned unknown[] = {0, 16, 17, 255, 65535, UINT32_MAX};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_ptr_null(pptp_msg_info(unknown[i]));
	ck_assert_int_eq(pptp_msg_info(1)->reply, PPTP_START_CONTROL_CONNECTION_REPLY);
	ck_assert_int_eq(pptp_msg_info(8)->reply, 0);
	ck_assert_int_eq(pptp_msg_info(12)->reply, PPTP_CALL_DISCONNECT_NOTIFY);
}
END_TEST

START_TEST(texts_are_strict_behind_their_end)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[PPTP_START_CONTROL_CONNECTION_REQUEST].hex);
	const char *field = NULL;
	struct pptp_msg msg;

	buf[91] = 'z';
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, &field), PPTP_ERR_FIELD);
	ck_assert_str_eq(field, "Host");
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, NULL), PPTP_OK);
	ck_assert_str_eq(msg.start.host_name, "host");
}
END_TEST

START_TEST(number_lengths)
{
	static const uint16_t wrong[] = {0, 2, 4, 64, 65, 255, 65535};
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[PPTP_OUTGOING_CALL_REQUEST].hex);
	struct pptp_msg msg;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put_u16(buf + 36, wrong[i]);
		ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, NULL), PPTP_ERR_FIELD);
		ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, NULL), PPTP_OK);
		ck_assert_str_eq(msg.outgoing_call_request.phone_number, "123");
		ck_assert_uint_eq(msg.outgoing_call_request.phone_number_length, wrong[i]);
	}
	len = golden_bytes(buf, golden_messages[PPTP_INCOMING_CALL_REQUEST].hex);
	put_u16(buf + 26, 2);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, NULL), PPTP_ERR_FIELD);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_LENIENT, NULL), PPTP_OK);
}
END_TEST

START_TEST(texts_without_terminator_end)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[PPTP_CALL_DISCONNECT_NOTIFY].hex);
	struct pptp_msg msg;

	memset(buf + 20, 'q', 128);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, len, PPTP_STRICT, NULL), PPTP_OK);
	ck_assert_uint_eq(strlen(msg.call_disconnect_notify.call_statistics), 128);
}
END_TEST

START_TEST(texts_are_escaped)
{
	struct pptp_msg msg = {.type = PPTP_CALL_DISCONNECT_NOTIFY};
	char text[512];

	memcpy(msg.call_disconnect_notify.call_statistics, "a\"b\\c\n\x1b[31m\xff>", 14);
	pptp_msg_text(text, sizeof(text), &msg);
	ck_assert_ptr_nonnull(strstr(text, "<Statistics \"a\\x22b\\x5cc\\x0a\\x1b[31m\\xff>\">]"));
}
END_TEST

START_TEST(unknown_type_has_text_and_no_bytes)
{
	struct pptp_msg msg = {.type = (enum pptp_msg_type)99};
	uint8_t buf[PPTP_MAX_MESSAGE];
	char text[64];

	ck_assert_str_eq(pptp_msg_text(text, sizeof(text), &msg), "[PPTP type 99]");
	ck_assert_int_eq(pptp_msg_encode(buf, sizeof(buf), &msg), PPTP_ERR_TYPE);
}
END_TEST

START_TEST(words)
{
	ck_assert_str_eq(pptp_result_text(PPTP_START_CONTROL_CONNECTION_REPLY, 5), "protocol version not supported");
	ck_assert_str_eq(pptp_result_text(PPTP_OUTGOING_CALL_REPLY, 4), "busy");
	ck_assert_str_eq(pptp_result_text(PPTP_CALL_DISCONNECT_NOTIFY, 1), "lost carrier");
	ck_assert_str_eq(pptp_result_text(PPTP_CALL_DISCONNECT_NOTIFY, 5), "unknown");
	ck_assert_str_eq(pptp_result_text(PPTP_ECHO_REQUEST, 1), "unknown");
	ck_assert_str_eq(pptp_result_text((enum pptp_msg_type)77, 1), "unknown");
	ck_assert_str_eq(pptp_error_code_text(4), "no resource");
	ck_assert_str_eq(pptp_error_code_text(7), "unknown");
	for (int e = 0; e >= PPTP_ERR_NOTFOUND; e--)
		ck_assert_str_ne(pptp_strerror(e), "unknown error");
	ck_assert_str_eq(pptp_strerror(-999), "unknown error");
}
END_TEST

START_TEST(quirks_name_known_messages)
{
	size_t count;
	const struct pptp_quirk *q = pptp_quirks(&count);

	ck_assert_uint_gt(count, 5);
	for (size_t i = 0; i < count; i++) {
		bool known = strcmp(q[i].message, "every message") == 0;

		for (unsigned t = 1; t <= MSG_TYPES; t++)
			known = known || strcmp(q[i].message, pptp_msg_info(t)->name) == 0;
		ck_assert_msg(known, "quirk %zu: no message %s", i, q[i].message);
		ck_assert_uint_gt(strlen(q[i].peer), 0);
		ck_assert_uint_gt(strlen(q[i].what), 0);
	}
}
END_TEST

Suite *
suite_msg(void)
{
	Suite *s = suite_create("libpptp/msg");
	TCase *golden = tcase_create("golden");
	TCase *values = tcase_create("values");
	TCase *texts = tcase_create("texts");

	tcase_add_loop_test(golden, golden_decodes, 1, 16);
	tcase_add_loop_test(golden, golden_encodes, 1, 16);
	tcase_add_loop_test(golden, golden_text, 1, 16);
	tcase_add_loop_test(golden, every_length_but_its_own_is_refused, 1, 16);
	tcase_add_loop_test(golden, header_is_checked, 1, 16);
	tcase_add_loop_test(golden, fields_cover_the_message_once, 1, 16);
	tcase_add_loop_test(golden, info_agrees_with_fields, 1, 16);
	tcase_add_test(golden, info_of_unknown_types);
	suite_add_tcase(s, golden);
	tcase_add_loop_test(values, values_are_bounded_when_strict, 0, sizeof(bounds) / sizeof(bounds[0]));
	tcase_add_loop_test(values, reserved_bytes_are_zero_when_strict, 1, 16);
	tcase_add_test(values, texts_are_strict_behind_their_end);
	tcase_add_test(values, number_lengths);
	tcase_add_test(values, texts_without_terminator_end);
	suite_add_tcase(s, values);
	tcase_add_test(texts, texts_are_escaped);
	tcase_add_test(texts, unknown_type_has_text_and_no_bytes);
	tcase_add_test(texts, words);
	tcase_add_test(texts, quirks_name_known_messages);
	suite_add_tcase(s, texts);
	return s;
}
