/* Lines to syslog(3), facility daemon. */
#include "sys/log_backend.h"

#include <syslog.h>

int
log_priority(enum log_level level)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};

	return priorities[level];
}

static bool
syslog_open(const char *ident)
{
	openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return true;
}

static void
syslog_write(const char *ident, enum log_level level, const char *line, size_t len)
{
	(void)ident;
	syslog(log_priority(level), "%.*s", (int)len, line);
}

const struct log_backend log_backend_syslog = {syslog_open, syslog_write};
