/* All counters for Prometheus. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/counters.h"
#include "alg/gateway.h"
#include "sys/clock.h"
#include "sys/metrics.h"
#include "sys/sockaddr.h"

enum { NAME = 128, NS_PER_S = 1000000000 };

struct metrics {
	struct gateway *gw;
	struct metrics_server *server;
};

struct walk {
	struct metrics_out *out;
	const char *family; /* the counter's name that was begun last */
};

static void
write_counter(void *user, const struct counter *c)
{
	struct walk *w = user;
	struct metrics_label label = {c->label, c->value_of_label};

	if (w->family == NULL || strcmp(w->family, c->name) != 0) {
		char name[NAME];

		snprintf(name, sizeof(name), "pptpalg_%s", c->name);
		metrics_family(w->out, c->gauge ? METRICS_GAUGE : METRICS_COUNTER, name, c->help);
		w->family = c->name;
	}
	metrics_u64(w->out, c->value, &label, c->label != NULL);
}

static void
write_all(void *user, struct metrics_out *out)
{
	const struct metrics *m = user;
	const struct metrics_label info[] = {{"version", PACKAGE_VERSION}, {"datapath", m->gw->datapath}};
	struct walk walk = {.out = out};

	metrics_family(out, METRICS_GAUGE, "pptpalg_info", "Always 1; what it is about is in the labels");
	metrics_u64(out, 1, info, sizeof(info) / sizeof(info[0]));
	metrics_family(out, METRICS_GAUGE, "pptpalg_uptime_seconds", "Since this process began to serve");
	metrics_u64(out, (clock_ts() - m->gw->started_ts) / NS_PER_S, NULL, 0);
	counters_each(m->gw, write_counter, &walk);
}

struct metrics *
metrics_new(struct gateway *gw, int fd)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		close(fd);
		return NULL;
	}
	m->gw = gw;
	m->server = metrics_server_new(gw->base, fd, write_all, m);
	if (m->server == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	metrics_server_free(m->server);
	free(m);
}

/* ---- the socket ---- */

int
metrics_listen(const struct config *c)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &c->metrics_addr, c->metrics_port);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ss.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 16) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
