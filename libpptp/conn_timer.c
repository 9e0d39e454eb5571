#include <pptp/conn.h>

#include "libpptp/conn_private.h"

/* Calls that ran out of time send a message each. Without room they wait for pptp_conn_sent(); a peer that never reads
 * ends by its Echo. */
static uint64_t
call_expiry(const struct pptp_conn *conn)
{
	return conn->waiting.first != NULL && conn_has_room(conn) ? conn->waiting.first->deadline : PPTP_TS_NEVER;
}

uint64_t
pptp_conn_expiry(const struct pptp_conn *conn)
{
	uint64_t call = call_expiry(conn);

	return call < conn->deadline ? call : conn->deadline;
}

void
pptp_conn_expire(struct pptp_conn *conn, uint64_t ts)
{
	while (call_expiry(conn) <= ts && ts != PPTP_TS_NEVER)
		call_fsm(conn, conn->waiting.first, &(struct call_input){.event = EV_CALL_TIMEOUT, .ts = ts});
	if (conn->deadline <= ts && ts != PPTP_TS_NEVER)
		conn_fsm(conn, &(struct conn_input){.event = EV_TIMEOUT, .ts = ts});
}
