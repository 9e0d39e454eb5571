/* LCP's codes above 7: Protocol-Reject, Echo, Discard (RFC 1661 section 5.7-5.9), Identification, Time-Remaining (RFC 1570). */
#include <string.h>

#include "base/text.h"
#include "base/timerheap.h"
#include "libppp/lcp.h"
#include "libppp/link_int.h"

enum { MAGIC_LEN = 4, REJECTS_PER_SECOND = 8 };

static bool
is_loop(const struct lcp *lcp, const struct fsm_packet *p)
{
	return lcp->magic != 0 && p->len >= MAGIC_LEN && get_u32(p->data) == lcp->magic;
}

static void
on_echo_reply(struct lcp *lcp, const struct fsm_packet *p)
{
	uint64_t now = lcp->link->now;

	if (lcp->fsm.state != FSM_OPENED || p->len < MAGIC_LEN || p->id != lcp->echo_id || lcp->echo_sent == TS_NEVER)
		return;
	lcp->echo_rtt = now > lcp->echo_sent ? now - lcp->echo_sent : 1;
	lcp->echo_sent = TS_NEVER;
}

static void
on_protocol_reject(struct lcp *lcp, const struct fsm_packet *p)
{
	if (lcp->fsm.state != FSM_OPENED || p->len < 2) {
		lcp->fsm.rx_bad++;
		return;
	}
	link_protocol_rejected(lcp->link, get_u16(p->data));
}

static void
on_identification(struct lcp *lcp, const struct fsm_packet *p)
{
	char message[PPP_MESSAGE_MAX + 1];
	struct text t;

	if (p->len < MAGIC_LEN)
		return;
	text_init(&t, message, sizeof(message));
	text_add_untrusted(&t, p->data + MAGIC_LEN, p->len - MAGIC_LEN);
	events_push(&lcp->link->events, PPP_EVENT_IDENTIFICATION, message);
}

bool
lcp_extra(void *user, const struct fsm_packet *p)
{
	struct lcp *lcp = user;

	switch (p->code) {
	case PPP_PROTO_REJ:
		on_protocol_reject(lcp, p);
		return true;
	case PPP_ECHO_REQ:
		if (lcp->fsm.state == FSM_OPENED && is_loop(lcp, p))
			link_fail(lcp->link, PPP_DOWN_LOOPBACK, 0, NULL);
		else
			fsm_event(&lcp->fsm, FSM_RXR);
		return true;
	case PPP_ECHO_REP:
		on_echo_reply(lcp, p);
		fsm_event(&lcp->fsm, FSM_RXR);
		return true;
	case PPP_DISCARD_REQ:
		fsm_event(&lcp->fsm, FSM_RXR);
		return true;
	case PPP_IDENT:
		on_identification(lcp, p);
		return true;
	case PPP_TIME_REMAINING:
		return true;
	default:
		return false;
	}
}

/* Send-Echo-Reply: only to a Request, with our magic number in place of the peer's. */
void
lcp_echo_reply(void *user, const struct fsm_packet *p)
{
	struct lcp *lcp = user;
	uint8_t data[OPT_REPLY_MAX];

	if (p->code != PPP_ECHO_REQ || p->len < MAGIC_LEN || p->len > sizeof(data))
		return;
	memcpy(data, p->data, p->len);
	put_u32(data, lcp->magic);
	fsm_send(&lcp->fsm, PPP_ECHO_REP, p->id, data, p->len);
}

void
lcp_code_rejected(void *user, uint8_t code)
{
	struct lcp *lcp = user;

	if (code != PPP_ECHO_REQ)
		return;
	lcp->echo_unsupported = true;
	lcp_echo_stop(lcp);
}

void
lcp_send_identification(struct lcp *lcp)
{
	const char *s = lcp->link->config.identification;
	uint8_t data[MAGIC_LEN + sizeof(lcp->link->config.identification)];
	size_t len = strnlen(s, sizeof(lcp->link->config.identification));

	if (len == 0)
		return;
	put_u32(data, lcp->magic);
	memcpy(data + MAGIC_LEN, s, len);
	fsm_send(&lcp->fsm, PPP_IDENT, lcp->fsm.next_id++, data, MAGIC_LEN + len);
}

void
lcp_reject_protocol(struct lcp *lcp, unsigned proto, const uint8_t *info, size_t len)
{
	uint64_t second = lcp->link->now / TS_S(1);
	uint8_t data[OPT_REPLY_MAX];
	size_t room = lcp->peer.mru - 6;

	if (lcp->fsm.state != FSM_OPENED)
		return;
	if (second != lcp->reject_second)
		lcp->rejects = 0;
	lcp->reject_second = second;
	if (lcp->rejects >= REJECTS_PER_SECOND)
		return;
	lcp->rejects++;
	if (room > sizeof(data) - 2)
		room = sizeof(data) - 2;
	if (len > room)
		len = room;
	put_u16(data, (uint16_t)proto);
	memcpy(data + 2, info, len);
	fsm_send(&lcp->fsm, PPP_PROTO_REJ, lcp->fsm.next_id++, data, len + 2);
}

void
lcp_echo_start(struct lcp *lcp)
{
	uint64_t interval = lcp->link->config.echo_interval_ns;

	lcp->echo_unheard = 0;
	lcp->echo_mark = lcp->link->now;
	lcp->echo_sent = TS_NEVER;
	lcp->echo_expiry = interval > 0 && !lcp->echo_unsupported ? lcp->link->now + interval : TS_NEVER;
}

void
lcp_echo_stop(struct lcp *lcp)
{
	lcp->echo_expiry = TS_NEVER;
}

static void
send_echo_request(struct lcp *lcp)
{
	uint8_t data[MAGIC_LEN];

	put_u32(data, lcp->magic);
	lcp->echo_id = lcp->fsm.next_id++;
	lcp->echo_sent = lcp->link->now;
	lcp->echo_mark = lcp->link->now;
	lcp->echo_unheard++;
	fsm_send(&lcp->fsm, PPP_ECHO_REQ, lcp->echo_id, data, sizeof(data));
}

/* Packets that came since count as much as replies, so the data path only notes the time and this timer looks at it. */
void
lcp_echo_expire(struct lcp *lcp)
{
	const struct ppp_link *link = lcp->link;
	uint64_t interval = link->config.echo_interval_ns;

	if (lcp->echo_expiry > link->now)
		return;
	if (link->last_rx >= lcp->echo_mark)
		lcp->echo_unheard = 0;
	if (link->last_rx + interval > link->now) {
		lcp->echo_expiry = link->last_rx + interval;
		return;
	}
	if (lcp->echo_unheard >= link->config.echo_failures) {
		link_fail(lcp->link, PPP_DOWN_ECHO, 0, NULL);
		return;
	}
	send_echo_request(lcp);
	lcp->echo_expiry = link->now + interval;
}
