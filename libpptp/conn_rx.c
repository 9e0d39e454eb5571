#include <pptp/conn.h>

#include "libpptp/conn_private.h"
#include "libpptp/msg_table.h"

/* A type or a value that PPTP_STRICT doesn't take. The message is well framed, so the stream is still good: a request gets
 * its error, and what can't be answered is left out. Nothing can come of a Start that isn't understood. */
static void
bad_value(struct pptp_conn *conn, const struct pptp_msg *msg, uint64_t ts)
{
	conn->stats.refused++;
	if (conn->state != PPTP_CONN_WAIT_STOP_REPLY)
		conn_refuse(conn, msg, PPTP_EC_BAD_VALUE);
	if (msg->type <= PPTP_START_CONTROL_CONNECTION_REPLY && conn->state < PPTP_CONN_ESTABLISHED)
		conn_fsm(conn, &(struct conn_input){.event = EV_BAD_STREAM, .ts = ts, .error = PPTP_ERR_FIELD});
}

/* Any message shows that the peer is there, and puts off the next Echo-Request; only its own reply ends a pending one. */
static void
seen(struct pptp_conn *conn, uint64_t ts)
{
	conn->stats.rx_messages++;
	if (conn->state == PPTP_CONN_ESTABLISHED && !conn->echo_pending)
		conn->deadline = ts_add(ts, conn->config.echo_interval_ns);
}

static void
handle(struct pptp_conn *conn, const uint8_t *data, size_t datalen, uint64_t ts)
{
	struct pptp_msg msg;

	seen(conn, ts);
	/* The framer has seen to all that can be wrong but for the type. A type of later making is skipped. */
	if (msg_read(&msg, data, datalen) != PPTP_OK) {
		conn->stats.refused++;
		if (conn->config.policy == PPTP_STRICT)
			conn_fsm(conn, &(struct conn_input){.event = EV_BAD_STREAM, .ts = ts, .error = PPTP_ERR_TYPE});
		return;
	}
	if (conn->config.trace != NULL)
		conn->config.trace(conn->config.trace_user, false, &msg);
	if (msg_check(&msg, data, conn->config.policy, NULL) != PPTP_OK)
		bad_value(conn, &msg, ts);
	else
		conn_fsm(conn, &(struct conn_input){.event = msg.type, .ts = ts, .msg = &msg});
}

size_t
pptp_conn_recv(struct pptp_conn *conn, const uint8_t *data, size_t datalen, uint64_t ts)
{
	const uint8_t *first = data, *msg;
	int n = 1;

	while (n > 0 && datalen > 0 && conn->state != PPTP_CONN_CLOSED && conn_has_room(conn) && !conn->question) {
		n = pptp_framer_next(&conn->framer, &data, &datalen, &msg);
		if (n > 0)
			handle(conn, msg, (size_t)n, ts);
		else if (n < 0)
			conn_fsm(conn, &(struct conn_input){.event = EV_BAD_STREAM, .ts = ts, .error = n});
	}
	return (size_t)(data - first);
}
