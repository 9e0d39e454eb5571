/* What the control thread asks of a worker. */
#include <unistd.h>

#include "libppp/crypto.h"
#include "tunnel/worker.h"

static void
on_session(struct worker *w, const struct tunnel_command *c, uint64_t ts)
{
	struct session *s = session_find(w, c->session);

	/* It may have ended meanwhile: its TUNNEL_EVENT_CLOSED is on its way. */
	if (s == NULL || s->down)
		return;
	switch (c->type) {
	case TUNNEL_SESSION_PEER:
		session_peer(s, c->peer.call_id, c->peer.window, c->peer.delay, ts);
		break;
	case TUNNEL_SESSION_AUTH:
		ppp_link_auth_verdict(s->link, c->auth.id, &c->auth.verdict, ts);
		break;
	case TUNNEL_SESSION_BIND:
		session_bind(s, &c->bind, ts);
		break;
	case TUNNEL_SESSION_CLOSE:
		session_close(s, c->close.why, c->close.reason, ts);
		break;
	case TUNNEL_SESSION_ABORT:
		session_abort(s, c->abort.listen_ns, ts);
		break;
	default:
		return;
	}
	worker_touch(w, s);
}

void
command_run(struct worker *w, const struct tunnel_command *c, uint64_t ts)
{
	switch (c->type) {
	case TUNNEL_IF_ADD:
		iface_add(w, &c->iface);
		break;
	case TUNNEL_IF_DEL:
		iface_remove(w, c->iface.id);
		break;
	case TUNNEL_SESSION_OPEN:
		session_open(w, c->session, &c->open, ts);
		break;
	case TUNNEL_SESSION_PEER:
	case TUNNEL_SESSION_AUTH:
	case TUNNEL_SESSION_BIND:
	case TUNNEL_SESSION_CLOSE:
	case TUNNEL_SESSION_ABORT:
		on_session(w, c, ts);
		break;
	case TUNNEL_ROUTE_ADD:
		(void)fib_set(w->fib, c->route.if_id, &c->route.dst, c->route.call_id);
		break;
	case TUNNEL_ROUTE_DEL:
		(void)fib_remove(w->fib, c->route.if_id, &c->route.dst, c->route.call_id);
		break;
	case TUNNEL_STOP:
		w->stop = true;
		break;
	}
}
