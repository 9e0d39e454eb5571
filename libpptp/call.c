#include <pptp/conn.h>

#include <string.h>

#include "libpptp/alloc.h"
#include "libpptp/conn_private.h"
#include "libpptp/msg_table.h"

/* --- lists and tables -------------------------------------------------------------- */

void
call_list_remove(struct call_list *list, struct call *call)
{
	*(call->prev != NULL ? &call->prev->next : &list->first) = call->next;
	*(call->next != NULL ? &call->next->prev : &list->last) = call->prev;
	call->prev = call->next = NULL;
}

void
call_list_append(struct call_list *list, struct call *call)
{
	call->prev = list->last;
	call->next = NULL;
	*(list->last != NULL ? &list->last->next : &list->first) = call;
	list->last = call;
}

/* All deadlines are one time-out after they are set, and time doesn't go back: appending keeps the list in order. */
void
call_wait(struct pptp_conn *conn, struct call *call, uint64_t deadline)
{
	if (call->deadline != PPTP_TS_NEVER)
		call_list_remove(&conn->waiting, call);
	call->deadline = deadline;
	if (deadline != PPTP_TS_NEVER)
		call_list_append(&conn->waiting, call);
}

struct call *
call_by_own(const struct pptp_conn *conn, uint16_t id)
{
	struct call *call = conn->by_own[id & (conn->buckets - 1)];

	while (call != NULL && call->info.call_id != id)
		call = call->own_next;
	return call;
}

struct call *
call_by_peer(const struct pptp_conn *conn, uint16_t id)
{
	struct call *call = conn->by_peer[id & (conn->buckets - 1)];

	while (call != NULL && call->info.peer_call_id != id)
		call = call->peer_next;
	return call;
}

int
call_new(struct pptp_conn *conn, enum call_machine machine, uint16_t wanted, struct call **call, uint64_t ts)
{
	struct call *c, **bucket;
	uint16_t id = wanted;
	int error;

	if (conn->allocated >= conn->config.max_calls)
		return PPTP_ERR_EXHAUSTED;
	error = wanted != 0 ? pptp_callid_claim(conn->config.call_ids, wanted, ts) : PPTP_ERR_EXHAUSTED;
	if (error != PPTP_OK)
		error = pptp_callid_take(conn->config.call_ids, &id, ts);
	if (error != PPTP_OK)
		return error;
	c = alloc_zeroed(conn->config.mem, 1, sizeof(*c));
	if (c == NULL) {
		pptp_callid_give(conn->config.call_ids, id, ts);
		return PPTP_ERR_NOMEM;
	}
	c->machine = machine;
	c->info.kind = machine == PNS_OUTGOING || machine == PAC_OUTGOING ? PPTP_OUTGOING : PPTP_INCOMING;
	c->info.call_id = id;
	c->deadline = PPTP_TS_NEVER;
	bucket = &conn->by_own[id & (conn->buckets - 1)];
	c->own_next = *bucket;
	*bucket = c;
	conn->allocated++;
	conn->stats.calls++;
	*call = c;
	return PPTP_OK;
}

void
call_learn_peer_id(struct pptp_conn *conn, struct call *call, uint16_t peer_call_id)
{
	struct call **bucket = &conn->by_peer[peer_call_id & (conn->buckets - 1)];

	call->info.peer_call_id = peer_call_id;
	call->peer_known = true;
	call->peer_next = *bucket;
	*bucket = call;
}

void
call_retire(struct pptp_conn *conn, struct call *call, uint64_t ts)
{
	struct call **own = &conn->by_own[call->info.call_id & (conn->buckets - 1)];
	struct call **peer = &conn->by_peer[call->info.peer_call_id & (conn->buckets - 1)];

	while (*own != call)
		own = &(*own)->own_next;
	*own = call->own_next;
	while (call->peer_known && *peer != call)
		peer = &(*peer)->peer_next;
	if (call->peer_known)
		*peer = call->peer_next;
	call_wait(conn, call, PPTP_TS_NEVER);
	pptp_callid_give(conn->config.call_ids, call->info.call_id, ts);
	call->event_no = ++conn->event_no;
	call_list_append(&conn->ended, call);
	conn->stats.calls--;
}

void
call_end_all(struct pptp_conn *conn, enum pptp_end end, const char *text, uint64_t ts)
{
	for (size_t i = 0; i < conn->buckets; i++) {
		while (conn->by_own[i] != NULL) {
			ending_set(&conn->by_own[i]->ending, end, PPTP_OK, text);
			call_set_state(conn, conn->by_own[i], PPTP_CALL_IDLE, ts);
		}
	}
}

/* --- which call a message is about ---------------------------------------------------- */

/* Call-Disconnect-Notify carries the PAC's id (section 2.13), which we don't know of a call that we cleared and that the PAC never
 * replied to: then it is the one that has waited longest. */
static struct call *
cleared_early(const struct pptp_conn *conn)
{
	struct call *call = conn->waiting.first;

	while (call != NULL && (call->info.state != PPTP_CALL_WAIT_DISCONNECT || call->peer_known))
		call = call->next;
	return call;
}

static struct call *
only_call(const struct pptp_conn *conn)
{
	for (size_t i = 0; conn->stats.calls == 1 && i < conn->buckets; i++)
		if (conn->by_own[i] != NULL)
			return conn->by_own[i];
	return NULL;
}

/* Set-Link-Info and WAN-Error-Notify change no state, so a guess does no harm: some peers send their own id, or 0. */
static struct call *
guess_notified(const struct pptp_conn *conn, uint16_t id)
{
	struct call *call = call_by_peer(conn, id);

	return call != NULL ? call : id == 0 ? only_call(conn) : NULL;
}

/* A peer that names calls by our ids has one call a connection, as far as such peers are known. Where there are several, ours of one
 * may be the peer's of another, told or not yet, and a wrong guess would end a call that nobody wanted to end. */
static struct call *
select_disconnected(const struct pptp_conn *conn, uint16_t id)
{
	struct call *call = call_by_peer(conn, id);

	if (call == NULL)
		call = cleared_early(conn);
	if (call == NULL && conn->config.policy == PPTP_LENIENT && conn->stats.calls == 1)
		call = call_by_own(conn, id);
	return call;
}

struct call *
call_select(const struct pptp_conn *conn, const struct pptp_msg *msg)
{
	bool lenient = conn->config.policy == PPTP_LENIENT;
	struct call *call;

	switch (msg->type) {
	case PPTP_OUTGOING_CALL_REPLY:
		return call_by_own(conn, msg->outgoing_call_reply.peer_call_id);
	case PPTP_INCOMING_CALL_REPLY:
		return call_by_own(conn, msg->incoming_call_reply.peer_call_id);
	case PPTP_INCOMING_CALL_CONNECTED:
		return call_by_own(conn, msg->incoming_call_connected.peer_call_id);
	case PPTP_CALL_CLEAR_REQUEST:
		return call_by_peer(conn, msg->call_clear_request.call_id);
	case PPTP_CALL_DISCONNECT_NOTIFY:
		return select_disconnected(conn, msg->call_disconnect_notify.call_id);
	case PPTP_WAN_ERROR_NOTIFY:
		call = call_by_own(conn, msg->wan_error_notify.peer_call_id);
		return call == NULL && lenient ? guess_notified(conn, msg->wan_error_notify.peer_call_id) : call;
	case PPTP_SET_LINK_INFO:
		call = call_by_own(conn, msg->set_link_info.peer_call_id);
		return call == NULL && lenient ? guess_notified(conn, msg->set_link_info.peer_call_id) : call;
	default:
		return NULL;
	}
}

/* --- calls of the peer ------------------------------------------------------------------ */

/* Answers a request that makes no call. */
static void
deny(struct pptp_conn *conn, const struct pptp_msg *msg, uint16_t peer_call_id)
{
	struct call none = {
	    .machine = msg->type == PPTP_OUTGOING_CALL_REQUEST ? PAC_OUTGOING : PNS_INCOMING,
	    .info = {.peer_call_id = peer_call_id},
	};

	call_send_reply(
	    conn, &none, msg->type == PPTP_OUTGOING_CALL_REQUEST ? PPTP_OCRP_DO_NOT_ACCEPT : PPTP_ICRP_DO_NOT_ACCEPT, PPTP_EC_NONE);
}

void
call_requested(struct pptp_conn *conn, const struct pptp_msg *msg, uint64_t ts)
{
	bool outgoing = msg->type == PPTP_OUTGOING_CALL_REQUEST;
	uint16_t peer_call_id = outgoing ? msg->outgoing_call_request.call_id : msg->incoming_call_request.call_id;
	struct call *call;

	conn->stats.refused++;
	if (!(outgoing ? conn->config.accept_outgoing_calls : conn->config.accept_incoming_calls)) {
		deny(conn, msg, peer_call_id);
		return;
	}
	/* An id names one call; the one that has it goes on undisturbed. */
	if (call_by_peer(conn, peer_call_id) != NULL) {
		conn_refuse(conn, msg, PPTP_EC_BAD_CALL_ID);
		return;
	}
	if (call_new(conn, outgoing ? PAC_OUTGOING : PNS_INCOMING, 0, &call, ts) != PPTP_OK) {
		conn_refuse(conn, msg, PPTP_EC_NO_RESOURCE);
		return;
	}
	conn->stats.refused--;
	call_learn_peer_id(conn, call, peer_call_id);
	call_fsm(conn, call, &(struct call_input){.event = msg->type, .ts = ts, .msg = msg});
}

/* --- what the program does ---------------------------------------------------------------- */

static bool
number_fits(const char *s)
{
	return s == NULL || strnlen(s, 65) <= 64;
}

static bool
params_ok(const struct pptp_call_params *p)
{
	return p == NULL || (number_fits(p->called_number) && number_fits(p->calling_number) && number_fits(p->subaddress));
}

static int
open_call(struct pptp_conn *conn, enum call_machine machine, const struct pptp_call_params *params, uint16_t *call_id, uint64_t ts)
{
	struct call *call;
	int error;

	if (!params_ok(params))
		return PPTP_ERR_INVALID;
	if (conn->state != PPTP_CONN_ESTABLISHED)
		return PPTP_ERR_STATE;
	if (!conn_has_room(conn))
		return PPTP_ERR_FULL;
	error = call_new(conn, machine, params != NULL ? params->call_id : 0, &call, ts);
	if (error != PPTP_OK)
		return error;
	*call_id = call->info.call_id;
	return call_fsm(conn, call, &(struct call_input){.event = EV_CALL_OPEN, .ts = ts, .params = params});
}

int
pptp_call_open(struct pptp_conn *conn, const struct pptp_call_params *params, uint16_t *call_id, uint64_t ts)
{
	return open_call(conn, PNS_OUTGOING, params, call_id, ts);
}

int
pptp_call_offer(struct pptp_conn *conn, const struct pptp_call_params *params, uint16_t *call_id, uint64_t ts)
{
	return open_call(conn, PAC_INCOMING, params, call_id, ts);
}

/* Finds the call and runs the program's event through its machine. */
static int
act(struct pptp_conn *conn, uint16_t call_id, const struct call_input *in)
{
	struct call *call = call_by_own(conn, call_id);

	if (call == NULL)
		return PPTP_ERR_NOTFOUND;
	if (!conn_has_room(conn))
		return PPTP_ERR_FULL;
	return call_fsm(conn, call, in);
}

int
pptp_call_accept(struct pptp_conn *conn, uint16_t call_id, const struct pptp_call_params *params, uint64_t ts)
{
	return act(conn, call_id, &(struct call_input){.event = EV_CALL_ACCEPT, .ts = ts, .params = params});
}

int
pptp_call_reject(struct pptp_conn *conn, uint16_t call_id, uint8_t result_code, uint8_t error_code, uint64_t ts)
{
	if (result_code == PPTP_OCRP_CONNECTED)
		return PPTP_ERR_INVALID;
	return act(
	    conn, call_id, &(struct call_input){.event = EV_CALL_REJECT, .ts = ts, .result_code = result_code, .error_code = error_code});
}

int
pptp_call_clear(struct pptp_conn *conn, uint16_t call_id, uint8_t result_code, uint64_t ts)
{
	return act(conn, call_id, &(struct call_input){.event = EV_CALL_CLEAR, .ts = ts, .result_code = result_code});
}

int
pptp_call_set_link_info(struct pptp_conn *conn, uint16_t call_id, uint32_t send_accm, uint32_t receive_accm, uint64_t ts)
{
	struct pptp_msg msg = {
	    .type = PPTP_SET_LINK_INFO,
	    .set_link_info = {.send_accm = send_accm, .receive_accm = receive_accm},
	};

	return act(conn, call_id, &(struct call_input){.event = EV_CALL_LINK_INFO, .ts = ts, .msg = &msg});
}

int
pptp_call_wan_error(struct pptp_conn *conn, uint16_t call_id, const struct pptp_wan_error_notify *counts, uint64_t ts)
{
	struct pptp_msg msg = {.type = PPTP_WAN_ERROR_NOTIFY, .wan_error_notify = *counts};

	return act(conn, call_id, &(struct call_input){.event = EV_CALL_WAN_ERROR, .ts = ts, .msg = &msg});
}

int
pptp_call_info(const struct pptp_conn *conn, uint16_t call_id, struct pptp_call_info *info)
{
	const struct call *call = call_by_own(conn, call_id);

	if (call == NULL)
		return PPTP_ERR_NOTFOUND;
	*info = call->info;
	return PPTP_OK;
}
