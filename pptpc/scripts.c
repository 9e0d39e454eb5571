/* What ip-up and ip-down are told. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pptpc/client.h"
#include "sys/clock.h"
#include "sys/log.h"

struct environment {
	char *buf;
	size_t len;
};

static void __attribute__((format(printf, 3, 4))) add(struct environment *e, const char *name, const char *fmt, ...)
{
	size_t room = PRIV_ENV_BYTES - e->len;
	int n = snprintf(e->buf + e->len, room, "%s=", name), m;
	va_list ap;

	if (n < 0 || (size_t)n >= room)
		return;
	va_start(ap, fmt);
	m = vsnprintf(e->buf + e->len + n, room - (size_t)n, fmt, ap);
	va_end(ap);
	if (m >= 0 && (size_t)(n + m) < room)
		e->len += (size_t)(n + m) + 1;
}

static void
add_addr(struct environment *e, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	add(e, name, "%s", a->family != 0 ? addr_text(a, text) : "");
}

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
add_end(struct environment *e, const struct dial *d, const char *reason)
{
	add(e, "PPTP_REASON", "%s", reason);
	add(e, "PPTP_CONNECT_TIME", "%" PRIu64, (clock_ts() - d->began_ts) / 1000000000);
	if (d->counters == NULL)
		return;
	add(e, "PPTP_BYTES_SENT", "%" PRIu64, load(&d->counters->tx_bytes));
	add(e, "PPTP_BYTES_RCVD", "%" PRIu64, load(&d->counters->rx_bytes));
	add(e, "PPTP_PACKETS_SENT", "%" PRIu64, load(&d->counters->tx_pkts));
	add(e, "PPTP_PACKETS_RCVD", "%" PRIu64, load(&d->counters->rx_pkts));
}

uint16_t
scripts_environment(const struct dial *d, const char *reason, char env[PRIV_ENV_BYTES])
{
	struct environment e = {.buf = env};
	char encoding[32];

	add(&e, "PPTP_EVENT", "%s", reason == NULL ? "ip-up" : "ip-down");
	add(&e, "PPTP_TUNNEL", "%s", d->profile->name);
	add(&e, "PPTP_SESSION", "%" PRIx64, d->script_key);
	add(&e, "PPTP_IFNAME", "%s", d->netif.name);
	add(&e, "PPTP_USER", "%s", d->profile->user);
	add_addr(&e, "PPTP_PEER", &d->server);
	add_addr(&e, "PPTP_LOCAL", &d->outer);
	add_addr(&e, "PPTP_LOCAL_IP", &d->bundle.local_v4);
	add_addr(&e, "PPTP_REMOTE_IP", &d->bundle.peer_v4);
	add_addr(&e, "PPTP_DNS1", &d->bundle.dns[0]);
	add_addr(&e, "PPTP_DNS2", &d->bundle.dns[1]);
	add(&e, "PPTP_METHOD", "%s", d->link.self_method != 0 ? ppp_auth_name((enum ppp_auth_method)d->link.self_method) : "none");
	add(&e, "PPTP_ENCODING", "%s", ppp_encoding_text(&d->bundle, encoding));
	add(&e, "PPTP_MTU", "%u", d->link.mtu);
	if (reason != NULL)
		add_end(&e, d, reason);
	return (uint16_t)e.len;
}

static void
run(struct dial *d, const char *path, const char *reason, enum priv_script_when when)
{
	int number = client_script(d->client->config, path);
	struct priv_request request = {.type = PRIV_SCRIPT};

	if (number < 0)
		return;
	request.script.number = (uint8_t)number;
	request.script.when = when;
	request.script.key = d->script_key;
	request.script.envlen = scripts_environment(d, reason, request.script.env);
	if (priv_send(d->client->priv, &request, NULL, NULL) != 0)
		log_event(LOG_LEVEL_WARN, "script", "tunnel=%s error=\"%s\"", d->profile->name, priv_refusal(d->client->priv));
}

void
scripts_up(struct dial *d)
{
	d->script_key = d->session;
	run(d, d->profile->ip_up, NULL, PRIV_SCRIPT_NOW);
	/* Should this process die, the monitor runs ip-down for it. */
	run(d, d->profile->ip_down, "died", PRIV_SCRIPT_AT_EXIT);
}

void
scripts_down(struct dial *d, const char *reason)
{
	run(d, d->profile->ip_down, reason, PRIV_SCRIPT_NOW);
}
