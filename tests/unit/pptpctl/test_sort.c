/* Rows in the order that people look for them. */
#include <stdlib.h>

#include "pptpctl/pptpctl.h"
#include "tests/unit/suite.h"

Suite *suite_sort(void);

/* Rows {"key": before[i], "n": i} are sorted by key; what comes out, as text. */
static const struct {
	const char *before, *after;
} texts[] = {
    {"[]", "[]"},
    {"[\"x\"]", "[\"x\"]"},
    /* connections with their calls, those without one behind them */
    {"[\"10\", \"2\", \"adopted-7\", \"10.1\", \"2.10\", \"2.9\", \"1\", \"adopted-10\"]",
	"[\"1\", \"2\", \"2.9\", \"2.10\", \"10\", \"10.1\", \"adopted-7\", \"adopted-10\"]"},
    {"[\"10.0.0.10\", \"9.9.9.9\", \"10.0.0.9\", \"fd00::2\"]", "[\"9.9.9.9\", \"10.0.0.9\", \"10.0.0.10\", \"fd00::2\"]"},
    /* only the first words count */
    {"[\"1.1 up\", \"1.1 down\", \"1\"]", "[\"1\", \"1.1 up\", \"1.1 down\"]"},
    {"[\"18446744073709551616\", \"99999999999999999999999\", \"18446744073709551615\"]",
	"[\"18446744073709551615\", \"18446744073709551616\", \"99999999999999999999999\"]"},
    {"[\"007\", \"6\", \"8\", \"a\", \"\"]", "[\"\", \"6\", \"007\", \"8\", \"a\"]"},
    {"[30, 4, -1, null]", "[-1, null, 4, 30]"},
};

static json_t *
sorted(const char *values)
{
	static const char *const keys[] = {"key", NULL};
	json_t *in = json_loads(values, 0, NULL), *rows = json_array(), *out = json_array(), *value;
	size_t i;

	ck_assert_ptr_nonnull(in);
	json_array_foreach(in, i, value) json_array_append_new(rows, json_pack("{s:O, s:i}", "key", value, "n", (int)i));
	sort_rows(rows, keys);
	json_array_foreach(rows, i, value) json_array_append(out, json_object_get(value, "key"));
	json_decref(in);
	json_decref(rows);
	return out;
}

START_TEST(by_one_key)
{
	json_t *out = sorted(texts[_i].before), *wanted = json_loads(texts[_i].after, 0, NULL);
	char *text = json_dumps(out, 0);

	ck_assert_ptr_nonnull(wanted);
	ck_assert_msg(json_equal(out, wanted), "%s", text);
	free(text);
	json_decref(out);
	json_decref(wanted);
}
END_TEST

START_TEST(by_two_keys)
{
	static const char *const keys[] = {"owner", "id", NULL};
	json_t *rows = json_pack("[{s:s,s:i},{s:s,s:i},{s:s,s:i}]", "owner", "b", "id", 1, "owner", "a", "id", 10, "owner", "a", "id", 9);

	sort_rows(rows, keys);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 0), "id")), 9);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 1), "id")), 10);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 2), "id")), 1);
	json_decref(rows);
}
END_TEST

START_TEST(what_is_equal_stays)
{
	static const char *const keys[] = {"session", NULL}, *const none[] = {NULL};
	enum { ROWS = 3000 };
	json_t *rows = json_array();

	for (int i = 0; i < ROWS; i++)
		json_array_append_new(rows, json_pack("{s:s, s:i}", "session", i % 2 != 0 ? "1" : "2", "n", i));
	sort_rows(rows, none);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 1), "n")), 1);
	sort_rows(rows, keys);
	ck_assert_uint_eq(json_array_size(rows), ROWS);
	for (int i = 0; i < ROWS / 2; i++) {
		ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, i), "n")), 2 * i + 1);
		ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, ROWS / 2 + i), "n")), 2 * i);
	}
	json_decref(rows);
	sort_rows(NULL, keys);
}
END_TEST

Suite *
suite_sort(void)
{
	Suite *s = suite_create("sort");
	TCase *tc = tcase_create("sort");

	tcase_add_loop_test(tc, by_one_key, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tc, by_two_keys);
	tcase_add_test(tc, what_is_equal_stays);
	suite_add_tcase(s, tc);
	return s;
}
