#include "sys/conf_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_conf_text(void);

static void
check_clean(const char *in, const char *want)
{
	struct conf_text_error error = {0};
	char *got = conf_text_clean(in, strlen(in), &error);

	ck_assert_msg(got != NULL, "refused: %s", error.what);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(comments_become_blanks_and_lines_stay)
{
	check_clean("", "");
	check_clean("a = 1 # one\nb = 2\n", "a = 1      \nb = 2\n");
	check_clean("// x\na = 1", "    \na = 1");
	check_clean("a /* b\n * c */ = 1", "a     \n        = 1");
	check_clean("a = /**/ 1", "a =      1");
}
END_TEST

START_TEST(strings_and_words_stay)
{
	check_clean("a = \"x # y // z /* w\"", "a = \"x # y // z /* w\"");
	check_clean("a = 'x # y \\' z'", "a = 'x # y \\' z'");
	check_clean("url = http://h/x", "url = http://h/x");
	check_clean("a += {1, 2}\r\n", "a += {1, 2}\r\n");
	check_clean("a = \"q\\\"q\\n\\101\\x41\"", "a = \"q\\\"q\\n\\101\\x41\"");
}
END_TEST

START_TEST(environment_is_not_read)
{
	check_clean("a = \"${HOME}\"", "a = \"\\${HOME}\"");
	check_clean("a = '${HOME}'", "a = '${HOME}'");
	check_clean("a = $HOME", "a = $HOME");
}
END_TEST

START_TEST(refusals_name_the_line)
{
	static const struct {
		const char *text;
		int line;
	} rows[] = {
	    {"a = \"x", 1},
	    {"\na = \"x\ny\n", 2},
	    {"a = 'x", 1},
	    {"a = 'x\\", 1},
	    {"a = \"x\\", 1},
	    {"\n\n/* x", 3},
	    {"/*/", 1},
	    {"a = 1\ns {\nt {\n}\n", 2},
	    {"a = b*c", 1},
	    {"# x\na = ${HOME}", 2},
	    {"a = x+y", 1},
	    {"a = x\001", 1},
	    {"a = \"\\9\"", 1},
	    {"a = \"\\400\"", 1},
	    {"a = \"\\1234\"", 1},
	    {"a = \"\\0\"", 1},
	    {"a = \"\\x00\"", 1},
	    {"a = \"\\x0\"", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_text_error error = {0};

		ck_assert_msg(conf_text_clean(rows[i].text, strlen(rows[i].text), &error) == NULL, "row %zu was taken", i);
		ck_assert_int_eq(error.line, rows[i].line);
		ck_assert_uint_gt(strlen(error.what), 10);
	}
}
END_TEST

START_TEST(binary_is_refused)
{
	struct conf_text_error error;

	ck_assert_ptr_null(conf_text_clean("a = 1\0", 6, &error));
}
END_TEST

Suite *
suite_conf_text(void)
{
	Suite *s = suite_create("conf_text");
	TCase *t = tcase_create("conf_text");

	tcase_add_test(t, comments_become_blanks_and_lines_stay);
	tcase_add_test(t, strings_and_words_stay);
	tcase_add_test(t, environment_is_not_read);
	tcase_add_test(t, refusals_name_the_line);
	tcase_add_test(t, binary_is_refused);
	suite_add_tcase(s, t);
	return s;
}
