/* Data planes: one worker with its GRE sockets for all tunnels whose outer packets are marked and bound alike. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pptpc/client.h"
#include "sys/log.h"

static void
trace_ppp(void *user, uint64_t session, const char *line)
{
	(void)user;
	log_event(LOG_LEVEL_TRACE, "ppp", "session=%" PRIx64 " %s", session, line);
}

static struct dial *
dial_of(struct client *c, const struct path *path, const struct tunnel_event *event)
{
	for (size_t i = 0; i < c->dials_count; i++) {
		struct dial *d = &c->dials[i];
		bool meant =
		    event->type == TUNNEL_EVENT_DIAL ? event->if_id == d->index + 1 : event->session == d->session && d->session != 0;

		if (d->path == path && meant)
			return d;
	}
	return NULL;
}

static void
on_events(evutil_socket_t fd, short what, void *arg)
{
	struct path *path = arg;
	struct tunnel_event event;

	(void)fd;
	(void)what;
	while (tunnel_take_event(path->engine, &event)) {
		struct dial *d = dial_of(path->client, path, &event);

		if (d != NULL)
			dial_engine_event(d, &event);
	}
}

static int
open_gre(struct client *c, const struct profile *p, uint8_t family)
{
	struct priv_request request = {.type = PRIV_GRE_OPEN};

	request.gre.family = family;
	request.gre.shards = 1;
	request.gre.mark = p->mark;
	return priv_call_fd(c->priv, &request);
}

static bool
start(struct path *path, const struct profile *p)
{
	struct client *c = path->client;
	struct tunnel_engine_config config = {.workers = 1, .crypto = c->crypto};

	config.gre_fd[0][0] = open_gre(c, p, 4);
	if (config.gre_fd[0][0] < 0) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"raw GRE socket: %s\"", strerror(errno));
		return false;
	}
	/* A machine without IPv6 dials IPv4 servers. */
	config.gre_fd[0][1] = open_gre(c, p, 6);
	memcpy(path->gre_fd, config.gre_fd[0], sizeof(path->gre_fd));
	config.gre_pktinfo[0] = config.gre_pktinfo[1] = true;
	config.trace = c->trace ? trace_ppp : NULL;
	path->engine = tunnel_engine_new(&config);
	if (path->engine == NULL)
		return false;
	path->event = event_new(c->base, tunnel_event_fd(path->engine), EV_READ | EV_PERSIST, on_events, path);
	return path->event != NULL && event_add(path->event, NULL) == 0;
}

static void
path_free(struct path *path)
{
	if (path->event != NULL)
		event_free(path->event);
	if (path->engine != NULL)
		tunnel_engine_free(path->engine);
	free(path);
}

struct path *
data_path(struct client *c, const struct profile *p)
{
	struct path *path;

	for (size_t i = 0; i < c->paths_count; i++)
		if (c->paths[i]->mark == p->mark && strcmp(c->paths[i]->ifname, p->bind_interface) == 0)
			return c->paths[i];
	path = calloc(1, sizeof(*path));
	if (path == NULL)
		return NULL;
	path->client = c;
	path->mark = p->mark;
	memcpy(path->ifname, p->bind_interface, sizeof(path->ifname));
	if (!start(path, p)) {
		path_free(path);
		return NULL;
	}
	return c->paths[c->paths_count++] = path;
}

/* Not SO_BINDTODEVICE: an interface that goes and comes back (PPPoE, a modem) has another number then, and one that is not there yet must
 * not keep the program from its start. */
bool
data_bind(const struct path *path)
{
	uint32_t wire = path->ifname[0] != '\0' ? htonl(if_nametoindex(path->ifname)) : 0;

	if (path->ifname[0] == '\0')
		return true;
	if (wire == 0 || setsockopt(path->gre_fd[0], IPPROTO_IP, IP_UNICAST_IF, &wire, sizeof(wire)) != 0)
		return false;
	return path->gre_fd[1] < 0 || setsockopt(path->gre_fd[1], IPPROTO_IPV6, IPV6_UNICAST_IF, &wire, sizeof(wire)) == 0;
}

void
data_free(struct client *c)
{
	while (c->paths_count > 0)
		path_free(c->paths[--c->paths_count]);
}
