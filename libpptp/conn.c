#include <pptp/conn.h>

#include <string.h>

#include "libpptp/alloc.h"
#include "libpptp/conn_private.h"
#include "libpptp/msg_table.h"

#define SECONDS(s) ((uint64_t)(s)*UINT64_C(1000000000))

enum { DEFAULT_TIMEOUT_S = 60, DEFAULT_MAX_CALLS = 64, NAME_MAX_LEN = 64 };

const char *
pptp_end_text(enum pptp_end end)
{
	switch (end) {
	case PPTP_END_LOCAL:
		return "this side asked for it";
	case PPTP_END_PEER:
		return "peer ended it";
	case PPTP_END_REFUSED:
		return "peer refused";
	case PPTP_END_TIMEOUT:
		return "no reply in time";
	case PPTP_END_ECHO_TIMEOUT:
		return "no Echo-Reply in time";
	case PPTP_END_PROTOCOL:
		return "peer broke the protocol";
	case PPTP_END_COLLISION:
		return "gave way to the peer's connection";
	case PPTP_END_TRANSPORT:
		return "TCP connection ended";
	case PPTP_END_NOMEM:
		return "out of memory";
	}
	return "unknown";
}

void
pptp_conn_config_init(struct pptp_conn_config *config)
{
	*config = (struct pptp_conn_config){
	    .policy = PPTP_LENIENT,
	    .max_calls = DEFAULT_MAX_CALLS,
	    .framing_capabilities = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC,
	    .bearer_capabilities = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL,
	    .host_name = "",
	    .vendor_name = "",
	    .start_timeout_ns = SECONDS(DEFAULT_TIMEOUT_S),
	    .reply_timeout_ns = SECONDS(DEFAULT_TIMEOUT_S),
	    .echo_interval_ns = SECONDS(DEFAULT_TIMEOUT_S),
	    .echo_timeout_ns = SECONDS(DEFAULT_TIMEOUT_S),
	};
}

static size_t
bucket_count(uint16_t max_calls)
{
	size_t n = 1;

	while (n < max_calls && n < CALL_HASH)
		n *= 2;
	return n;
}

static bool
copy_name(char to[65], const char *from)
{
	size_t len = from != NULL ? strnlen(from, NAME_MAX_LEN + 1) : 0;

	if (len > NAME_MAX_LEN)
		return false;
	if (len > 0)
		memcpy(to, from, len);
	return true;
}

static void
set_default(uint64_t *ns)
{
	if (*ns == 0)
		*ns = SECONDS(DEFAULT_TIMEOUT_S);
}

/* Copies the configuration with zeros made defaults. */
static bool
take_config(struct pptp_conn *c, const struct pptp_conn_config *config)
{
	c->config = *config;
	if (!copy_name(c->host_name, config->host_name) || !copy_name(c->vendor_name, config->vendor_name))
		return false;
	c->config.host_name = c->host_name;
	c->config.vendor_name = c->vendor_name;
	if (c->config.framing_capabilities == 0)
		c->config.framing_capabilities = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC;
	if (c->config.bearer_capabilities == 0)
		c->config.bearer_capabilities = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL;
	set_default(&c->config.start_timeout_ns);
	set_default(&c->config.reply_timeout_ns);
	set_default(&c->config.echo_interval_ns);
	set_default(&c->config.echo_timeout_ns);
	return true;
}

int
pptp_conn_new(struct pptp_conn **conn, const struct pptp_conn_config *config, bool initiator, uint64_t ts)
{
	size_t buckets = bucket_count(config->max_calls);
	struct pptp_conn *c;

	if (config->call_ids == NULL || config->max_calls == 0)
		return PPTP_ERR_INVALID;
	c = alloc_zeroed(config->mem, 1, sizeof(*c) + 2 * buckets * sizeof(c->hash[0]));
	if (c == NULL)
		return PPTP_ERR_NOMEM;
	if (!take_config(c, config)) {
		alloc_free(config->mem, c);
		return PPTP_ERR_INVALID;
	}
	c->initiator = initiator;
	c->buckets = buckets;
	c->by_own = c->hash;
	c->by_peer = c->hash + buckets;
	pptp_framer_init(&c->framer);
	conn_set_state(c, PPTP_CONN_IDLE, ts);
	*conn = c;
	return PPTP_OK;
}

void
pptp_conn_free(struct pptp_conn *conn, uint64_t ts)
{
	struct call *call;

	if (conn == NULL)
		return;
	call_end_all(conn, PPTP_END_LOCAL, "", ts);
	while ((call = conn->ended.first) != NULL) {
		call_list_remove(&conn->ended, call);
		alloc_free(conn->config.mem, call);
	}
	alloc_free(conn->config.mem, conn);
}

enum pptp_conn_state
pptp_conn_state(const struct pptp_conn *conn)
{
	return conn->state;
}

void
pptp_conn_stats(const struct pptp_conn *conn, struct pptp_conn_stats *stats)
{
	*stats = conn->stats;
}

uint64_t
ts_add(uint64_t ts, uint64_t ns)
{
	return ts > PPTP_TS_NEVER - ns ? PPTP_TS_NEVER : ts + ns;
}

void
ending_set(struct call_ending *ending, enum pptp_end end, int error, const char *text)
{
	*ending = (struct call_ending){.end = end, .error = error};
	memcpy(ending->text, text, strnlen(text, sizeof(ending->text) - 1));
}

/* --- what the program does ------------------------------------------------- */

int
pptp_conn_start(struct pptp_conn *conn, uint64_t ts)
{
	if (!conn_has_room(conn))
		return PPTP_ERR_FULL;
	return conn_fsm(conn, &(struct conn_input){.event = EV_START, .ts = ts});
}

int
pptp_conn_stop(struct pptp_conn *conn, enum pptp_stop_reason reason, uint64_t ts)
{
	if (!conn_has_room(conn))
		return PPTP_ERR_FULL;
	return conn_fsm(conn, &(struct conn_input){.event = EV_STOP, .ts = ts, .reason = (uint8_t)reason});
}

void
pptp_conn_yield(struct pptp_conn *conn, uint64_t ts)
{
	conn_fsm(conn, &(struct conn_input){.event = EV_YIELD, .ts = ts});
}

void
pptp_conn_transport_closed(struct pptp_conn *conn, uint64_t ts)
{
	conn_fsm(conn, &(struct conn_input){.event = EV_TCP_CLOSED, .ts = ts});
}

bool
pptp_collision_won(const uint8_t local_addr[16], const uint8_t peer_addr[16])
{
	return memcmp(local_addr, peer_addr, 16) > 0;
}

/* --- output ------------------------------------------------------------------ */

bool
conn_has_room(const struct pptp_conn *conn)
{
	return CONN_OUT - conn->out_len >= PPTP_MAX_MESSAGE && conn->note_count < CONN_NOTES;
}

void
conn_send(struct pptp_conn *conn, const struct pptp_msg *msg)
{
	int n;

	if (conn->out_first + conn->out_len + PPTP_MAX_MESSAGE > CONN_OUT) {
		memmove(conn->out, conn->out + conn->out_first, conn->out_len);
		conn->out_first = 0;
	}
	n = pptp_msg_encode(conn->out + conn->out_first + conn->out_len, CONN_OUT - conn->out_first - conn->out_len, msg);
	if (n < 0)
		return;
	conn->out_len += (size_t)n;
	conn->stats.tx_messages++;
	if (conn->config.trace != NULL)
		conn->config.trace(conn->config.trace_user, true, msg);
}

size_t
pptp_conn_output(const struct pptp_conn *conn, const uint8_t **data)
{
	*data = conn->out + conn->out_first;
	return conn->out_len;
}

void
pptp_conn_sent(struct pptp_conn *conn, size_t n)
{
	if (n > conn->out_len)
		n = conn->out_len;
	conn->out_len -= n;
	conn->out_first = conn->out_len > 0 ? conn->out_first + n : 0;
}

/* --- events ------------------------------------------------------------------ */

struct note *
conn_note(struct pptp_conn *conn, enum pptp_event_type type, struct call *call)
{
	struct note *note = &conn->notes[(conn->note_first + conn->note_count++) % CONN_NOTES];

	*note = (struct note){.event_no = ++conn->event_no, .type = type, .call = call};
	conn->question = conn->question || (conn->config.in_order && type == PPTP_EVENT_CALL_REQUEST);
	return note;
}

static void
set_ending(struct pptp_event *event, const struct call_ending *ending)
{
	event->end = ending->end;
	event->error = ending->error;
	event->result_code = ending->result_code;
	event->error_code = ending->error_code;
	event->cause_code = ending->cause_code;
	memcpy(event->text, ending->text, sizeof(event->text));
}

static void
take_note(struct pptp_conn *conn, struct pptp_event *event)
{
	const struct note *note = &conn->notes[conn->note_first];

	conn->note_first = (conn->note_first + 1) % CONN_NOTES;
	conn->note_count--;
	event->type = note->type;
	conn->question = conn->question && note->type != PPTP_EVENT_CALL_REQUEST;
	if (note->call != NULL)
		event->call_id = note->call->info.call_id;
	switch (note->type) {
	case PPTP_EVENT_ESTABLISHED:
		event->peer = conn->peer;
		break;
	case PPTP_EVENT_CALL_REQUEST:
	case PPTP_EVENT_CALL_UP:
		/* The state that the event is about; the call may be further by now. */
		event->call = note->call->info;
		event->call.state = note->type == PPTP_EVENT_CALL_UP ? PPTP_CALL_ESTABLISHED : PPTP_CALL_WAIT_ANSWER;
		break;
	case PPTP_EVENT_LINK_INFO:
		event->link_info = note->link_info;
		break;
	case PPTP_EVENT_WAN_ERROR:
		event->wan_error = note->wan_error;
		break;
	case PPTP_EVENT_CALL_DOWN:
	case PPTP_EVENT_CLOSED:
	case PPTP_EVENT_NONE:
		break;
	}
}

static void
take_ended(struct pptp_conn *conn, struct pptp_event *event)
{
	struct call *call = conn->ended.first;

	event->type = PPTP_EVENT_CALL_DOWN;
	event->call_id = call->info.call_id;
	event->call = call->info;
	set_ending(event, &call->ending);
	call_list_remove(&conn->ended, call);
	alloc_free(conn->config.mem, call);
	conn->allocated--;
}

bool
pptp_conn_event(struct pptp_conn *conn, struct pptp_event *event)
{
	uint64_t noted = conn->note_count > 0 ? conn->notes[conn->note_first].event_no : UINT64_MAX;
	uint64_t ended = conn->ended.first != NULL ? conn->ended.first->event_no : UINT64_MAX;

	memset(event, 0, sizeof(*event));
	if (noted < ended) {
		take_note(conn, event);
	} else if (ended < noted) {
		take_ended(conn, event);
	} else if (conn->state == PPTP_CONN_CLOSED && !conn->closed_told) {
		conn->closed_told = true;
		event->type = PPTP_EVENT_CLOSED;
		set_ending(event, &conn->ending);
	}
	return event->type != PPTP_EVENT_NONE;
}
