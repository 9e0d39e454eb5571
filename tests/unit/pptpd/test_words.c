#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpd/words.h"
#include "tests/unit/suite.h"

/* All words of a text as one line: "1^one 1two 2^three", the line's number, ^ for a line's first, q for quoted, ! for bad. */
static const char *
all(const char *text, size_t len)
{
	static char out[8192];
	struct words w;
	static struct word word;
	size_t n = 0;

	out[0] = '\0';
	words_init(&w, text, len);
	while (words_next(&w, &word) && n + WORD_MAX < sizeof(out))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%u%s%s%s%.40s", n > 0 ? " " : "", word.line, word.first ? "^" : "",
		    word.quoted ? "q" : "", w.err != NULL ? "!" : "", word.text);
	return out;
}

static const char *
words_of(const char *text)
{
	return all(text, strlen(text));
}

START_TEST(words_and_lines)
{
	ck_assert_str_eq(words_of(""), "");
	ck_assert_str_eq(words_of("\n \t\r\n# nothing\n"), "");
	ck_assert_str_eq(words_of("one two\nthree"), "1^one 1two 2^three");
	ck_assert_str_eq(words_of("# c\n  one # two\n\nthree\r\n"), "2^one 4^three");
	ck_assert_str_eq(words_of("one \\\n two\nthree"), "1^one 2two 3^three");
	ck_assert_str_eq(words_of("a#b c"), "1^a");
}
END_TEST

START_TEST(quotes)
{
	ck_assert_str_eq(words_of("\"a b\" 'c d'"), "1^qa b 1qc d");
	ck_assert_str_eq(words_of("\"a 'b'\" '\"'"), "1^qa 'b' 1q\"");
	ck_assert_str_eq(words_of("a\"b c\"d"), "1^qab cd");
	ck_assert_str_eq(words_of("\"\""), "1^q");
	ck_assert_str_eq(words_of("\"#\""), "1^q#");
	ck_assert_str_eq(words_of("\"open\nnext"), "1^q!open 2^next");
	ck_assert_str_eq(words_of("'open"), "1^q!open");
}
END_TEST

START_TEST(escapes)
{
	ck_assert_str_eq(words_of("a\\ b \\# \\\"q\\\""), "1^a b 1# 1\"q\"");
	ck_assert_str_eq(words_of("\\x41\\102\\x4 \\s\\t|"), "1^AB\x04 1 \t|");
	ck_assert_str_eq(words_of("DOMAIN\\\\user"), "1^DOMAIN\\user");
	ck_assert_str_eq(words_of("\\xzz"), "1^xzz");
	ck_assert_str_eq(words_of("end\\"), "1^end");
	ck_assert_str_eq(words_of("a\\0b c"), "1^!ab 1c");
	ck_assert_str_eq(all("a\0b c", 5), "1^!ab 1c");
}
END_TEST

START_TEST(words_of_any_length)
{
	static const size_t lengths[] = {1, 255, 256, WORD_MAX - 1, WORD_MAX, WORD_MAX + 1, 100000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i];
		char *text = malloc(len + 3);
		static struct word word;
		struct words w;

		word = (struct word){.len = 0};
		memset(text, 'x', len);
		memcpy(text + len, " y", 3);
		words_init(&w, text, len + 2);
		ck_assert(words_next(&w, &word));
		ck_assert((w.err != NULL) == (len > WORD_MAX));
		ck_assert_uint_eq(word.len, len < WORD_MAX ? len : WORD_MAX);
		ck_assert(words_next(&w, &word));
		ck_assert_str_eq(word.text, "y");
		ck_assert_ptr_null(w.err);
		free(text);
	}
}
END_TEST

Suite *suite_words(void);

Suite *
suite_words(void)
{
	Suite *s = suite_create("pptpd/words");
	TCase *t = tcase_create("words");

	tcase_add_test(t, words_and_lines);
	tcase_add_test(t, quotes);
	tcase_add_test(t, escapes);
	tcase_add_test(t, words_of_any_length);
	suite_add_tcase(s, t);
	return s;
}
