#include "tests/unit/pptpalg/source.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char file[65536];

const char *
read_source(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", srcdir != NULL ? srcdir : ".", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(file, 1, sizeof(file) - 1, f);
	ck_assert_uint_lt(n, sizeof(file) - 1);
	file[n] = '\0';
	fclose(f);
	return file;
}
