/* Lines to systemd's journal. */
#include "sys/log_backend.h"

#include <systemd/sd-journal.h>
#include <unistd.h>

static bool
journal_open(const char *ident)
{
	(void)ident;
	return access("/run/systemd/journal/socket", F_OK) == 0;
}

static void
journal_write(const char *ident, enum log_level level, const char *line, size_t len)
{
	/* When the journal can't be reached any more, the line is not lost. */
	if (sd_journal_send("MESSAGE=%.*s", (int)len, line, "PRIORITY=%d", log_priority(level), "SYSLOG_IDENTIFIER=%s", ident, NULL) < 0)
		log_backend_stderr.write(ident, level, line, len);
}

const struct log_backend log_backend_journal = {journal_open, journal_write};
