/* Runs a fuzz target over files: replay_NAME [FILE...]; without arguments over all of $srcdir/fuzz/corpus/NAME. */
#include "fuzz/fuzz.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

enum { MAX_INPUT = 1 << 20 };

static int
run_file(const char *name)
{
	FILE *f = fopen(name, "rb");
	uint8_t *buf = malloc(MAX_INPUT), *exact;
	size_t n;

	if (f == NULL || buf == NULL) {
		fprintf(stderr, "%s: can't be read\n", name);
		free(buf);
		return 1;
	}
	n = fread(buf, 1, MAX_INPUT, f);
	fclose(f);
	/* A buffer of the very size lets the address sanitizer see the first byte read behind it. */
	exact = malloc(n > 0 ? n : 1);
	if (exact != NULL) {
		memcpy(exact, buf, n);
		LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(buf);
	return exact == NULL;
}

/* Runs the whole corpus; an empty one is a failure, since it tests nothing. */
static int
run_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir"), *name = strstr(program, "replay_");
	char pattern[4096];
	glob_t found;
	int bad = 0;

	snprintf(
	    pattern, sizeof(pattern), "%s/fuzz/corpus/%s/*", srcdir != NULL ? srcdir : ".", name != NULL ? name + strlen("replay_") : "");
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: no files\n", pattern);
		return 1;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		bad += run_file(found.gl_pathv[i]);
	printf("%s: %zu inputs\n", pattern, found.gl_pathc);
	globfree(&found);
	return bad != 0;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int bad = 0;

	if (argc < 2)
		return run_corpus(slash != NULL ? slash + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		bad += run_file(argv[i]);
	return bad != 0;
}
