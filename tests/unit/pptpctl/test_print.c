/* Tables and values for people. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/pptpctl/daemon.h"
#include "tests/unit/suite.h"

Suite *suite_print(void);

START_TEST(columns_are_as_wide_as_they_must_be)
{
	ck_assert_str_eq(printed(print_table, "[{\"user\": \"al\", \"n\": 5}, {\"user\": \"robert\", \"n\": 1000}]"), "user       n\n"
														      "al         5\n"
														      "robert  1000\n");
	/* A heading may be the widest; a column of texts ends without blanks. */
	ck_assert_str_eq(printed(print_table, "[{\"a_long_name\": 1, \"text\": \"x\"}, {\"a_long_name\": 2, \"text\": \"longer\"}]"),
	    "a long name  text\n"
	    "          1  x\n"
	    "          2  longer\n");
}
END_TEST

START_TEST(rows_may_differ_in_their_keys)
{
	ck_assert_str_eq(printed(print_table, "[{\"a\": 1}, {\"b\": \"x\", \"a\": 22}, {\"b\": null}]"), " a  b\n"
													 " 1  -\n"
													 "22  x\n"
													 " -  -\n");
	/* One text makes the column a text column. */
	ck_assert_str_eq(printed(print_table, "[{\"a\": 1, \"z\": 0}, {\"a\": \"none\", \"z\": 0}]"), "a     z\n"
												      "1     0\n"
												      "none  0\n");
}
END_TEST

START_TEST(nothing_for_no_rows)
{
	ck_assert_str_eq(printed(print_table, "[]"), "");
	ck_assert_str_eq(printed(print_object, "{}"), "");
}
END_TEST

START_TEST(at_most_as_many_columns_as_there_is_room_for)
{
	const char *text;
	json_t *rows = json_pack("[{}]");
	char key[16], *json;

	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "k%02d", i);
		json_object_set_new(json_array_get(rows, 0), key, json_integer(i));
	}
	json = json_dumps(rows, 0);
	text = printed(print_table, json);
	ck_assert_ptr_nonnull(strstr(text, "k31\n"));
	ck_assert_ptr_null(strstr(text, "k32"));
	free(json);
	json_decref(rows);
}
END_TEST

static const struct {
	const char *json, *text;
} values[] = {
    {"{\"time_s\": 0}", "time  0s\n"},
    {"{\"time_s\": 59}", "time  59s\n"},
    {"{\"time_s\": 60}", "time  1m00s\n"},
    {"{\"time_s\": 3599}", "time  59m59s\n"},
    {"{\"time_s\": 3600}", "time  1h00m\n"},
    {"{\"time_s\": 86399}", "time  23h59m\n"},
    {"{\"time_s\": 90000}", "time  1d01h\n"},
    {"{\"rx_bytes\": 999}", "rx  999\n"},
    {"{\"rx_bytes\": 1000}", "rx  1.0K\n"},
    {"{\"rx_bytes\": 1500000}", "rx  1.5M\n"},
    {"{\"rx_bytes\": 9223372036854775807}", "rx  9223.4P\n"},
    {"{\"since_unix\": 0}", "since  1970-01-01 00:00:00\n"},
    {"{\"last_seen_unix\": 1700000000}", "last seen  2023-11-14 22:13:20\n"},
    {"{\"on\": true}", "on  yes\n"},
    {"{\"on\": false}", "on  no\n"},
    {"{\"what\": null}", "what  -\n"},
    {"{\"what\": \"\"}", "what  -\n"},
    {"{\"list\": [1]}", "list  -\n"},
    {"{\"rate\": 1.5}", "rate  -\n"},
    {"{\"packets\": 123456}", "packets  123456\n"},
    {"{\"_s\": 5}", " s  5\n"}, /* a unit alone is a name */
    {"{\"a\": 1, \"long_key\": \"x\"}", "a         1\nlong key  x\n"},
    /* A terminal must not obey what a peer calls itself: ESC, newline, DEL, and CSI in one character. */
    {"{\"user\": \"\\u001b[2Jjoe\\nroot\\u007f\\u009b1m\\u00e9\"}", "user  ?[2Jjoe?root???1m\xc3\xa9\n"},
};

START_TEST(values_for_people)
{
	setenv("TZ", "UTC", 1);
	tzset();
	ck_assert_str_eq(printed(print_object, values[_i].json), values[_i].text);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
	char json[1024] = "{\"text\": \"";
	const char *text;

	memset(json + strlen(json), 'x', 600);
	strcat(json, "\"}");
	text = printed(print_object, json);
	ck_assert_uint_eq(strlen(text), strlen("text  ") + 255 + 1);
}
END_TEST

START_TEST(json_is_json)
{
	ck_assert_str_eq(printed(print_json, "{\"a\":[1,\"\\u00e9\"]}"), "{\n  \"a\": [\n    1,\n    \"\xc3\xa9\"\n  ]\n}\n");
	ck_assert_str_eq(printed(print_json, "3"), "3\n");
}
END_TEST

Suite *
suite_print(void)
{
	Suite *s = suite_create("print");
	TCase *t = tcase_create("print");

	tcase_add_test(t, columns_are_as_wide_as_they_must_be);
	tcase_add_test(t, rows_may_differ_in_their_keys);
	tcase_add_test(t, nothing_for_no_rows);
	tcase_add_test(t, at_most_as_many_columns_as_there_is_room_for);
	tcase_add_loop_test(t, values_for_people, 0, (int)(sizeof(values) / sizeof(values[0])));
	tcase_add_test(t, a_long_text_is_cut);
	tcase_add_test(t, json_is_json);
	suite_add_tcase(s, t);
	return s;
}
