/* Configuration text, with options of every kind: what is taken prints to a text that is taken too, and prints the same. */
#include "sys/conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

static cfg_opt_t limits_opts[] = {CFG_INT("sessions", 100, CFGF_NONE), CONF_STR("idle", "15m", conf_check_duration), CFG_END()};
static cfg_opt_t pool_opts[] = {CONF_STR_LIST("ranges", NULL, conf_check_range), CFG_BOOL("proxy-arp", cfg_false, CFGF_NONE), CFG_END()};
static cfg_opt_t opts[] = {
    CONF_STR_LIST("listen", "{0.0.0.0, \"::\"}", conf_check_addr),
    CONF_INT("port", 1723, conf_check_port),
    CONF_STR("name", NULL, NULL),
    CONF_STR_LIST("auth", "{mschap2}", NULL),
    CFG_BOOL("debug", cfg_false, CFGF_NONE),
    CFG_FLOAT("ratio", 0.1, CFGF_NONE),
    CFG_SEC("limits", limits_opts, CFGF_NONE),
    CFG_SEC("pool", pool_opts, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

static char *
printed(cfg_t *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	FUZZ_CHECK(fp != NULL);
	conf_print_to(cfg, fp);
	fclose(fp);
	return text;
}

/* Errors go to stderr, of which the fuzzer has no use. */
static void
be_quiet(void)
{
	static bool done;

	if (!done && getenv("FUZZ_VERBOSE") == NULL) {
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		FUZZ_CHECK(fd >= 0);
		stderr = fdopen(fd, "w");
		FUZZ_CHECK(stderr != NULL);
	}
	done = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	cfg_t *cfg, *again;

	be_quiet();
	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	cfg = conf_parse_text("fuzz", text, opts);
	if (cfg != NULL) {
		char *first = printed(cfg), *second;

		again = conf_parse_text("printed", first, opts);
		FUZZ_CHECK(again != NULL);
		second = printed(again);
		FUZZ_CHECK(strcmp(first, second) == 0);
		free(first);
		free(second);
		cfg_free(again);
		cfg_free(cfg);
	}
	/* Whatever went wrong before, the next text is read from a clean start. */
	cfg = conf_parse_text("clean", "port = 5", opts);
	FUZZ_CHECK(cfg != NULL && cfg_getint(cfg, "port") == 5);
	cfg_free(cfg);
	free(text);
	return 0;
}
