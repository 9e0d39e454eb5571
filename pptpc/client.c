/* The client as a whole: starts the tunnels, serves the loop, ends. */
#include "pptpc/client.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "libppp/crypto.h"
#include "sys/clock.h"
#include "sys/handover.h"
#include "sys/log.h"
#include "sys/netlink.h"

#define CALL_ID_REST_NS TS_S(30)
#define SECOND_SIGNAL_NS TS_MS(500)

void
client_say(const struct client *c, const char *fmt, ...)
{
	char line[1200];
	va_list ap;

	if (!c->config->by_hand)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printf("%s\n", line);
	fflush(stdout);
}

void
client_warn(const struct dial *d, const char *event, const char *fmt, ...)
{
	char text[512], quoted[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(client_level(d->client), event, "tunnel=%s text=%s", d->profile->name, log_quote(quoted, sizeof(quoted), text));
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	client_say(d->client, "%s.", text);
}

enum log_level
client_level(const struct client *c)
{
	return c->config->by_hand ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
}

/* --- what root prepares ------------------------------------------------------------------ */

static bool
make_directory(const char *path)
{
	char dir[108];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return true;
	*slash = '\0';
	return mkdir(dir, 0755) == 0 || errno == EEXIST;
}

int
client_prepare(void *arg)
{
	struct client_prepared *p = arg;
	const char *path = p->config->control_socket;
	char err[256];

	if (ppp_crypto_new(&p->crypto, err, sizeof(err)) != 0) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"%s\"", err);
		return -1;
	}
	p->control_fd = -1;
	if (path[0] == '\0')
		return 0;
	if (make_directory(path))
		p->control_fd = ctl_listen(path, 0600);
	if (p->control_fd >= 0)
		return 0;
	/* By hand, beside a running service: only its pptpctl is missing. */
	log_event(p->config->by_hand ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "start", "error=\"control socket %s: %s\"", path, strerror(errno));
	return p->config->by_hand ? 0 : -1;
}

static const char *
script_at(const struct client_config *config, size_t i)
{
	const struct profile *p = &config->tunnels[i / 2];

	return i % 2 == 0 ? p->ip_up : p->ip_down;
}

/* The distinct scripts in the order of the configuration have numbers from 0. */
int
client_script(const struct client_config *config, const char *path)
{
	int number = 0;

	if (path[0] == '\0')
		return -1;
	for (size_t i = 0; i < 2 * (size_t)config->count; i++) {
		const char *script = script_at(config, i);
		bool seen = script[0] == '\0';

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(script_at(config, k), script) == 0;
		if (seen)
			continue;
		if (strcmp(script, path) == 0)
			return number;
		number++;
	}
	return -1;
}

/* "pptp%d" as a pattern of what the kernel makes of it. */
static void
interface_pattern(char pattern[64], const char *name)
{
	const char *percent = strstr(name, "%d");

	if (percent == NULL)
		snprintf(pattern, 64, "%s", name);
	else
		snprintf(pattern, 64, "%.*s[0-9]*%s", (int)(percent - name), name, percent + 2);
}

static bool
add_scripts(struct client_policy *p, const struct client_config *config, char *err, size_t errlen)
{
	for (size_t i = 0; i < 2 * (size_t)config->count; i++) {
		const char *script = script_at(config, i);
		int number = client_script(config, script);

		if (number >= PRIV_MAX_SCRIPTS) {
			snprintf(err, errlen, "%s: more than %d different ip-up and ip-down programs", script, PRIV_MAX_SCRIPTS);
			return false;
		}
		if (number >= 0)
			p->policy.scripts[number] = script;
	}
	return true;
}

bool
client_policy_fill(struct client_policy *p, const struct client_config *config, char *err, size_t errlen)
{
	static const enum priv_type types[] = {PRIV_TUN_OPEN, PRIV_LINK_MTU, PRIV_ADDR_ADD, PRIV_ADDR_DEL, PRIV_ROUTE_ADD, PRIV_ROUTE_DEL,
	    PRIV_GRE_OPEN, PRIV_TCP_SOCKET, PRIV_SCRIPT, PRIV_DNS_SET, PRIV_DNS_CLEAR};

	memset(p, 0, sizeof(*p));
	p->policy.user = config->worker;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		p->policy.types[types[i]] = true;
	for (size_t i = 0; i < config->count; i++) {
		interface_pattern(p->patterns[i], config->tunnels[i].interface);
		p->ifnames[i] = p->patterns[i];
	}
	p->policy.ifnames = p->ifnames;
	p->policy.max_queues = 1;
	p->policy.any_route = true;
	p->policy.host_routes = true;
	return add_scripts(p, config, err, errlen);
}

/* --- ends ------------------------------------------------------------------------------------ */

static bool
all_down(const struct client *c)
{
	for (size_t i = 0; i < c->dials_count; i++)
		if (c->dials[i].state != DIAL_DOWN)
			return false;
	return true;
}

void
client_dial_done(struct dial *d)
{
	struct client *c = d->client;

	if (c->config->by_hand)
		c->status = trouble_exit(d->trouble.kind);
	if (all_down(c) && (c->stopping || c->config->by_hand))
		event_base_loopexit(c->base, NULL);
}

void
client_stop(struct client *c)
{
	if (c->stopping) {
		/* A terminal's interrupt comes twice: from the terminal, and from the monitor that passes it on. */
		if (clock_ts() - c->stop_ts >= SECOND_SIGNAL_NS)
			event_base_loopbreak(c->base);
		return;
	}
	c->stopping = true;
	c->stop_ts = clock_ts();
	for (size_t i = 0; i < c->dials_count; i++)
		dial_stop(&c->dials[i]);
	if (all_down(c))
		event_base_loopexit(c->base, NULL);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct client *c = arg;

	(void)what;
	log_event(LOG_LEVEL_INFO, "stop", "signal=%d", (int)number);
	client_stop(c);
}

static void
on_monitor_lost(void *user)
{
	struct client *c = user;

	log_event(LOG_LEVEL_ERROR, "stop", "error=\"the monitor process is gone\"");
	c->status = EXIT_LOCAL;
	event_base_loopbreak(c->base);
}

/* --- the network's changes ---------------------------------------------------------------------- */

static void
on_network_change(void *user, unsigned what)
{
	struct client *c = user;

	for (size_t i = 0; i < c->dials_count; i++) {
		if ((what & NL_CHANGED_LINK) != 0)
			netif_check(&c->dials[i]);
		hostroute_check(&c->dials[i]);
	}
}

/* --- start ------------------------------------------------------------------------------------------ */

static bool
watch_signals(struct client *c)
{
	static const int numbers[2] = {SIGTERM, SIGINT};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (size_t i = 0; i < 2; i++) {
		c->signals[i] = evsignal_new(c->base, numbers[i], on_signal, c);
		if (c->signals[i] == NULL || event_add(c->signals[i], NULL) != 0)
			return false;
	}
	return true;
}

static void
number_placeholders(struct client *c)
{
	uint8_t last = 7;

	for (size_t i = 0; i < c->dials_count; i++)
		if (profile_needs_placeholder(c->dials[i].profile))
			c->dials[i].netif.placeholder = addr_v4((const uint8_t[4]){192, 0, 0, last--});
}

static bool
make_dials(struct client *c)
{
	c->dials = calloc(c->config->count, sizeof(*c->dials));
	if (c->dials == NULL)
		return false;
	for (unsigned i = 0; i < c->config->count; i++) {
		c->dials_count = i + 1;
		if (dial_init(&c->dials[i], c, i) != 0)
			return false;
	}
	number_placeholders(c);
	for (size_t i = 0; i < c->dials_count; i++) {
		c->dials[i].path = data_path(c, c->dials[i].profile);
		if (c->dials[i].path == NULL)
			return false;
	}
	return true;
}

static bool
start(struct client *c, struct client_prepared *prepared)
{
	c->base = event_base_new();
	c->nl = nl_open();
	if (c->base == NULL || c->nl == NULL || !watch_signals(c))
		return false;
	c->monitor = nl_monitor_new(c->base, on_network_change, c);
	if (c->monitor == NULL || pptp_callid_pool_new(&c->call_ids, CALL_ID_REST_NS, clock_random, NULL, NULL) != PPTP_OK)
		return false;
	if (prepared->control_fd >= 0)
		c->ctl = ctl_server_new(c->base, prepared->control_fd, client_commands, c);
	if (!make_dials(c))
		return false;
	return priv_attach(c->priv, c->base, on_monitor_lost, c) == 0;
}

static void
finish(struct client *c)
{
	for (size_t i = 0; i < c->dials_count; i++)
		dial_fini(&c->dials[i]);
	data_free(c);
	free(c->dials);
	ctl_server_free(c->ctl);
	nl_monitor_free(c->monitor);
	nl_close(c->nl);
	for (size_t i = 0; i < 2; i++)
		if (c->signals[i] != NULL)
			event_free(c->signals[i]);
	priv_free(c->priv);
	pptp_callid_pool_free(c->call_ids);
	if (c->base != NULL)
		event_base_free(c->base);
	ppp_crypto_free(c->crypto);
}

int
client_run(const struct client_config *config, struct priv *priv, struct client_prepared *prepared, bool trace)
{
	struct client c = {.config = config, .priv = priv, .crypto = prepared->crypto, .trace = trace, .next_session = 1};

	c.started_ts = clock_ts();
	if (gethostname(c.host_name, sizeof(c.host_name) - 1) != 0)
		strcpy(c.host_name, "pptpc");
	if (start(&c, prepared)) {
		handover_notify("READY=1\nSTATUS=Tunnels: pptpctl show sessions");
		for (size_t i = 0; i < c.dials_count; i++)
			if (c.dials[i].profile->autostart || config->by_hand)
				dial_start(&c.dials[i]);
		event_base_dispatch(c.base);
	} else {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"the client can't start\"");
		c.status = EXIT_LOCAL;
	}
	finish(&c);
	return c.status;
}
