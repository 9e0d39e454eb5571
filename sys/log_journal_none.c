/* Built without libsystemd: there is no journal to write to. */
#include "sys/log_backend.h"

static bool
journal_open(const char *ident)
{
	(void)ident;
	return false;
}

static void
journal_write(const char *ident, enum log_level level, const char *line, size_t len)
{
	log_backend_stderr.write(ident, level, line, len);
}

const struct log_backend log_backend_journal = {journal_open, journal_write};
