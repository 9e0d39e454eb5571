#include "tests/unit/alg/gw.h"

#include <check.h>
#include <pptp/framer.h>
#include <string.h>

#include "base/wire.h"

static const char *const names[] = {
    "?", "SCCRQ", "SCCRP", "STOPRQ", "STOPRP", "ECHORQ", "ECHORP", "OCRQ", "OCRP", "ICRQ", "ICRP", "ICCN", "CCR", "CDN", "WEN", "SLI"};

static const char *const whys[ALG_WHYS] = {"none", "cleared", "stopped", "no", "transport", "admin", "no-id", "too-many", "no-memory",
    "gates", "sequence", "malformed", "version", "aged", "idle", "crowded"};

static enum alg_why
take(void *user, enum alg_side owner, uint16_t id, uint16_t *xid)
{
	struct gw *g = user;

	if (g->take_fails != ALG_WHY_NONE)
		return g->take_fails;
	g->taken++;
	*xid = (uint16_t)(g->same ? id : id + (owner == ALG_CLIENT ? CLIENT_PLUS : SERVER_PLUS));
	return ALG_WHY_NONE;
}

static void
give(void *user, enum alg_side owner, uint16_t xid)
{
	struct gw *g = user;

	(void)owner;
	(void)xid;
	ck_assert_int_gt(g->taken, 0);
	g->taken--;
}

static bool
claim(void *user, enum alg_side owner, uint16_t id, uint16_t xid)
{
	struct gw *g = user;
	uint16_t want;

	if (take(user, owner, id, &want) != ALG_WHY_NONE)
		return false;
	if (want == xid)
		return true;
	g->taken--;
	return false;
}

static enum alg_why
admit(void *user)
{
	const struct gw *g = user;

	return g->admit_fails;
}

static int
result_of(const struct pptp_msg *msg)
{
	switch (msg->type) {
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		return msg->start.result_code;
	case PPTP_OUTGOING_CALL_REPLY:
		return msg->outgoing_call_reply.result_code;
	case PPTP_INCOMING_CALL_REPLY:
		return msg->incoming_call_reply.result_code;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		return msg->call_disconnect_notify.result_code;
	default:
		return -1;
	}
}

static void
message_word(struct text *t, char to, const uint8_t *data, const struct pptp_msg *msg)
{
	const struct pptp_msg_info *info = pptp_msg_info(msg->type);

	text_addf(t, "%s%c%s", t->len > 0 ? " " : "", to, names[msg->type]);
	if (info->call_id_offset != 0)
		text_addf(t, ":%u", get_u16(data + info->call_id_offset));
	if (info->peer_call_id_offset != 0)
		text_addf(t, "/%u", get_u16(data + info->peer_call_id_offset));
	if (result_of(msg) >= 0)
		text_addf(t, "=%d", result_of(msg));
}

static void
trace(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded)
{
	struct gw *g = user;

	text_addf(&g->trace, "%s%c%s>%s", g->trace.len > 0 ? " " : "", from == ALG_CLIENT ? 'c' : 's',
	    received != NULL ? names[received->type] : "", forwarded != NULL ? names[forwarded->type] : "");
}

void
gw_init(struct gw *g)
{
	memset(g, 0, sizeof(*g));
	mem_failing_init(&g->failing, 0);
	text_init(&g->trace, g->traced, sizeof(g->traced));
	g->config = (struct alg_rewrite_config){
	    .mem = &g->failing.mem,
	    .policy = PPTP_LENIENT,
	    .other_version = ALG_VERSION_REFUSE,
	    .max_calls = 8,
	    .xlate = {take, give, claim, admit},
	    .xlate_user = g,
	    .trace = trace,
	    .trace_user = g,
	};
}

void
gw_open(struct gw *g)
{
	ck_assert_int_eq(alg_rewrite_new(&g->rw, &g->config), 0);
}

void
gw_free(struct gw *g)
{
	alg_rewrite_free(g->rw);
	ck_assert_int_eq(g->taken, 0);
	ck_assert_uint_eq(g->failing.held, 0);
}

size_t
gw_feed(struct gw *g, enum alg_side from, const void *data, size_t len)
{
	return alg_rewrite_recv(g->rw, from, data, len);
}

void
gw_send(struct gw *g, enum alg_side from, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(gw_feed(g, from, buf, (size_t)n), n);
}

struct pptp_msg
gw_msg(unsigned type, uint16_t call_id, uint16_t peer_call_id)
{
	struct pptp_msg msg = {.type = (enum pptp_msg_type)type};
	const struct pptp_msg_info *info = pptp_msg_info(type);
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n;

	switch (msg.type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		msg.start = (struct pptp_start){.protocol_version = PPTP_VERSION_1, .result_code = 1, .host_name = "host"};
		msg.start.result_code = msg.type == PPTP_START_CONTROL_CONNECTION_REPLY;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REQUEST:
		msg.stop_request.reason = PPTP_STOP_NONE;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REPLY:
		msg.stop_reply.result_code = 1;
		break;
	case PPTP_ECHO_REPLY:
		msg.echo.result_code = 1;
		break;
	case PPTP_OUTGOING_CALL_REQUEST:
		msg.outgoing_call_request.framing_type = msg.outgoing_call_request.bearer_type = 3;
		msg.outgoing_call_request.packet_recv_window_size = 64;
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		msg.outgoing_call_reply.result_code = 1;
		break;
	case PPTP_INCOMING_CALL_REQUEST:
		msg.incoming_call_request.bearer_type = 3;
		break;
	case PPTP_INCOMING_CALL_REPLY:
		msg.incoming_call_reply.result_code = 1;
		break;
	case PPTP_INCOMING_CALL_CONNECTED:
		msg.incoming_call_connected.framing_type = 3;
		msg.incoming_call_connected.packet_recv_window_size = 64;
		break;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		msg.call_disconnect_notify.result_code = 4;
		break;
	default:
		break;
	}
	n = pptp_msg_encode(buf, sizeof(buf), &msg);
	ck_assert_int_eq(n, info->length);
	if (info->call_id_offset != 0)
		put_u16(buf + info->call_id_offset, call_id);
	if (info->peer_call_id_offset != 0)
		put_u16(buf + info->peer_call_id_offset, peer_call_id);
	ck_assert_int_eq(pptp_msg_decode(&msg, buf, (size_t)n, PPTP_STRICT, NULL), PPTP_OK);
	return msg;
}

void
gw_say(struct gw *g, enum alg_side from, unsigned type, uint16_t call_id, uint16_t peer_call_id)
{
	struct pptp_msg msg = gw_msg(type, call_id, peer_call_id);

	gw_send(g, from, &msg);
}

static void
event_word(struct text *t, const struct alg_event *e)
{
	static const char *const words[] = {"", "NEW", "GATES", "END", "REFUSED", "VIOLATION", "UNTOUCHED", "CLOSED"};

	text_addf(t, "%s%s", t->len > 0 ? " " : "", words[e->type]);
	if (e->call.number != 0)
		text_addf(t, "#%u", (unsigned)e->call.number);
	if (e->why != ALG_WHY_NONE)
		text_addf(t, ":%s", whys[e->why]);
}

static void
drain(struct gw *g, enum alg_side to)
{
	const uint8_t *data, *p, *msg;
	size_t n = alg_rewrite_output(g->rw, to, &data), left = n;
	struct pptp_framer f;
	int len;

	pptp_framer_init(&f);
	ck_assert_uint_le(g->nbytes[to] + n, sizeof(g->bytes[to]));
	if (n > 0)
		memcpy(g->bytes[to] + g->nbytes[to], data, n);
	g->nbytes[to] += n;
	for (p = data; left > 0 && (len = pptp_framer_next(&f, &p, &left, &msg)) > 0;) {
		struct pptp_msg m;

		if (pptp_msg_decode(&m, msg, (size_t)len, PPTP_LENIENT, NULL) == PPTP_OK)
			message_word(&g->text, to == ALG_CLIENT ? '<' : '>', msg, &m);
	}
	if (f.len > 0 || f.error != PPTP_OK)
		text_addf(&g->text, "%sBYTES", g->text.len > 0 ? " " : "");
	alg_rewrite_sent(g->rw, to, n);
}

const char *
gw_line(struct gw *g)
{
	const uint8_t *data;

	text_init(&g->text, g->line, sizeof(g->line));
	do {
		drain(g, ALG_CLIENT);
		drain(g, ALG_SERVER);
		while (alg_rewrite_event(g->rw, &g->last))
			event_word(&g->text, &g->last);
	} while (alg_rewrite_output(g->rw, ALG_CLIENT, &data) + alg_rewrite_output(g->rw, ALG_SERVER, &data) > 0);
	return g->line;
}

void
gw_start(struct gw *g)
{
	gw_say(g, ALG_CLIENT, SCCRQ, 0, 0);
	gw_say(g, ALG_SERVER, SCCRP, 0, 0);
	ck_assert_str_eq(gw_line(g), "<SCCRP=1 >SCCRQ");
}

void
gw_call(struct gw *g)
{
	gw_say(g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_str_eq(gw_line(g), g->same ? ">OCRQ:5 NEW#1" : ">OCRQ:1005 NEW#1");
	gw_say(g, ALG_SERVER, OCRP, 7, g->same ? 5 : 1005);
	ck_assert_str_eq(gw_line(g), "GATES#1");
	alg_rewrite_gates(g->rw, 1, true);
	ck_assert_str_eq(gw_line(g), g->same ? "<OCRP:7/5=1" : "<OCRP:2007/5=1");
}

void
gw_incoming(struct gw *g)
{
	gw_say(g, ALG_SERVER, ICRQ, 7, 0);
	ck_assert_str_eq(gw_line(g), "<ICRQ:2007 NEW#1");
	gw_say(g, ALG_CLIENT, ICRP, 5, 2007);
	ck_assert_str_eq(gw_line(g), "GATES#1");
	alg_rewrite_gates(g->rw, 1, true);
	ck_assert_str_eq(gw_line(g), ">ICRP:1005/7=1");
	gw_say(g, ALG_SERVER, ICCN, 0, 1005);
	ck_assert_str_eq(gw_line(g), "<ICCN/5");
}
