/* What people and scripts hear of a session. */
#include "pptpd/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sys/clock.h"
#include "sys/log.h"

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
session_log_auth(const struct session *s, const char *user, enum ppp_auth_method method, bool ok, const char *reason)
{
	char peer[ADDR_TEXT_MAX], name[4 * PPP_NAME_MAX + 3];

	if (ok)
		s->srv->counters.auth_ok++;
	else
		s->srv->counters.auth_refused++;
	log_event(LOG_LEVEL_INFO, "auth", "session=%" PRIx64 " peer=%s user=%s method=%s result=%s reason=\"%s\"", s->id,
	    addr_text(&s->peer, peer), log_quote(name, sizeof(name), user), method != 0 ? ppp_auth_name(method) : "none",
	    ok ? "ok" : "refused", reason);
}

void
session_log_up(const struct session *s)
{
	char peer[ADDR_TEXT_MAX], v4[ADDR_TEXT_MAX], v6[ADDR_TEXT_MAX], name[4 * PPP_NAME_MAX + 3];

	log_event(LOG_LEVEL_INFO, "session-up",
	    "session=%" PRIx64
	    " peer=%s user=%s address=%s ipv6=%s ifname=%s encoding=\"%s\" mtu=%u mru=%u call=%u peer_call=%u setup=%" PRIu64 "ms",
	    s->id, addr_text(&s->peer, peer), log_quote(name, sizeof(name), s->user), addr_text(&s->v4, v4),
	    s->v6.addr.family != 0 ? prefix_text(&s->v6, v6) : "none", s->ifname, s->encoding, s->mtu, s->mru, s->call.call_id,
	    s->call.peer_call_id, (s->up_ts - s->created_ts) / 1000000);
}

void
session_log_down(const struct session *s)
{
	char peer[ADDR_TEXT_MAX], name[4 * PPP_NAME_MAX + 3], reason[4 * SESSION_REASON_MAX];
	uint64_t since = s->was_up ? s->up_ts : clock_ts();

	if (!s->authed && !log_may(&s->srv->limits.session_down, "session-down"))
		return;
	log_event(LOG_LEVEL_INFO, "session-down",
	    "session=%" PRIx64 " peer=%s user=%s reason=%s duration=%" PRIu64 "s rx_bytes=%" PRIu64 " tx_bytes=%" PRIu64 " rx_pkts=%" PRIu64
	    " tx_pkts=%" PRIu64 " lost=%" PRIu64,
	    s->id, addr_text(&s->peer, peer), log_quote(name, sizeof(name), s->user), log_quote(reason, sizeof(reason), s->reason),
	    (clock_ts() - since) / 1000000000, load(&s->counters->rx_bytes), load(&s->counters->tx_bytes), load(&s->counters->rx_pkts),
	    load(&s->counters->tx_pkts), load(&s->counters->gre_lost));
}

/* ---- scripts ---- */

static void __attribute__((format(printf, 3, 4))) env_add(struct priv_request *req, const char *name, const char *fmt, ...)
{
	char value[1280];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	priv_env_add(req, name, value);
}

/* A name may be what a peer chose (the entry "*"): nothing but printable characters goes to a shell script. */
static void
env_add_user(struct priv_request *req, const char *user)
{
	char buf[4 * PPP_NAME_MAX + 1];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add_untrusted(&t, user, strlen(user));
	env_add(req, "PPTP_USER", "%s", buf);
}

static void
env_add_addr(struct priv_request *req, const char *name, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	env_add(req, name, "%s", a->family != 0 ? addr_text(a, buf) : "");
}

static void
env_add_end(struct priv_request *req, const struct session *s)
{
	env_add(req, "PPTP_REASON", "%s", s->reason);
	env_add(req, "PPTP_CONNECT_TIME", "%" PRIu64, (clock_ts() - s->up_ts) / 1000000000);
	env_add(req, "PPTP_BYTES_SENT", "%" PRIu64, load(&s->counters->tx_bytes));
	env_add(req, "PPTP_BYTES_RCVD", "%" PRIu64, load(&s->counters->rx_bytes));
	env_add(req, "PPTP_PACKETS_SENT", "%" PRIu64, load(&s->counters->tx_pkts));
	env_add(req, "PPTP_PACKETS_RCVD", "%" PRIu64, load(&s->counters->rx_pkts));
}

static void
env_add_session(struct priv_request *req, const struct session *s)
{
	const struct config *c = s->srv->config;
	char prefix[ADDR_TEXT_MAX];

	env_add(req, "PPTP_EVENT", "%s", req->script.number == SERVER_SCRIPT_UP ? "ip-up" : "ip-down");
	env_add(req, "PPTP_SESSION", "%" PRIx64, s->id);
	env_add(req, "PPTP_IFNAME", "%s", s->ifname);
	env_add_user(req, s->user);
	env_add_addr(req, "PPTP_PEER", &s->peer);
	env_add_addr(req, "PPTP_LOCAL", &s->local);
	env_add_addr(req, "PPTP_LOCAL_IP", s->v4.family != 0 ? &c->local_v4 : &s->v4);
	env_add_addr(req, "PPTP_REMOTE_IP", &s->v4);
	env_add(req, "PPTP_IPV6_PREFIX", "%s", s->v6.addr.family != 0 ? prefix_text(&s->v6, prefix) : "");
	env_add(req, "PPTP_METHOD", "%s", s->authed ? ppp_auth_name(s->method) : "none");
	env_add(req, "PPTP_ENCODING", "%s", s->encoding);
	env_add(req, "PPTP_MTU", "%u", s->mtu);
}

static void
run(const struct session *s, const struct priv_request *req)
{
	if (priv_send(s->srv->priv, req, NULL, NULL) != 0)
		log_event(LOG_LEVEL_WARN, "script", "session=%" PRIx64 " error=\"%s\"", s->id, priv_refusal(s->srv->priv));
}

void
session_script_up(const struct session *s)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_SCRIPT;
	req.script.number = SERVER_SCRIPT_UP;
	req.script.key = s->id;
	env_add_session(&req, s);
	if (s->srv->config->ip_up != NULL)
		run(s, &req);
	if (s->srv->config->ip_down == NULL)
		return;
	/* Should this process die, the monitor runs ip-down for it. */
	req.script.number = SERVER_SCRIPT_DOWN;
	req.script.when = PRIV_SCRIPT_AT_EXIT;
	req.script.envlen = 0;
	env_add_session(&req, s);
	env_add(&req, "PPTP_REASON", "%s", "the server died");
	run(s, &req);
}

void
session_script_down(const struct session *s)
{
	struct priv_request req;

	if (s->srv->config->ip_down == NULL)
		return;
	memset(&req, 0, sizeof(req));
	req.type = PRIV_SCRIPT;
	req.script.number = SERVER_SCRIPT_DOWN;
	req.script.when = PRIV_SCRIPT_NOW;
	req.script.key = s->id;
	env_add_session(&req, s);
	env_add_end(&req, s);
	run(s, &req);
}
