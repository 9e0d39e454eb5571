/* Cases of calls. */
#include "base/wire.h"
#include "tests/conform/conform.h"

#include <string.h>

enum { ID = 0x4711 };

void
case_call(struct conform *c)
{
	uint16_t server_id;
	struct peer p;

	if (begin_call(&p, c, ID, &server_id) && server_id == 0)
		conform_fail(c, "the server's call id is 0");
	peer_close(&p);
}

void
case_two_calls(struct conform *c)
{
	uint16_t first, second;
	struct peer p;

	if (begin_call(&p, c, ID, &first) && open_call(&p, ID + 1, &second) && first == second)
		conform_fail(c, "both calls have id %u", first);
	peer_close(&p);
}

void
case_call_ids(struct conform *c)
{
	enum { N = 6 };
	uint16_t ids[N];
	bool even_steps = true;

	for (size_t i = 0; i < N; i++) {
		struct peer p;
		bool good = begin_call(&p, c, ID, &ids[i]);

		peer_close(&p);
		if (!good)
			return;
	}
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i; j++)
			if (ids[i] == ids[j])
				conform_fail(c, "id %u was given again %zu calls later", ids[i], i - j);
	for (size_t i = 2; i < N; i++)
		even_steps = even_steps && (uint16_t)(ids[i] - ids[i - 1]) == (uint16_t)(ids[1] - ids[0]);
	if (even_steps)
		conform_fail(c, "ids can be guessed: %u %u %u ...", ids[0], ids[1], ids[2]);
	conform_note(c, "ids %u %u %u %u ...", ids[0], ids[1], ids[2], ids[3]);
}

void
case_same_call_id(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, ID, 0);
	uint16_t server_id;
	bool closed;
	struct peer p;

	if (begin_call(&p, c, ID, &server_id)) {
		peer_send_msg(&p, &msg);
		expect_echo_or_close(&p, "a second request with the same call id", &closed);
	}
	peer_close(&p);
	expect_alive(c, "a second request with the same call id");
}

/* Sends a request and wants any Outgoing-Call-Reply. */
static void
want_reply(struct conform *c, const struct pptp_msg *request, const char *what)
{
	struct pptp_msg msg;
	struct peer p;

	if (begin(&p, c)) {
		peer_send_msg(&p, request);
		if (expect_msg(&p, &msg, PPTP_OUTGOING_CALL_REPLY))
			conform_note(c, "result %u, error %u", msg.outgoing_call_reply.result_code, msg.outgoing_call_reply.error_code);
	}
	peer_close(&p);
	expect_alive(c, what);
}

void
case_window_zero(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, ID, 0);

	msg.outgoing_call_request.packet_recv_window_size = 0;
	want_reply(c, &msg, "window 0");
}

void
case_odd_framing(struct conform *c)
{
	static const uint32_t types[] = {0, 0x80, 0xffffffff};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !c->failed; i++) {
		struct pptp_msg msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, ID, 0);

		msg.outgoing_call_request.framing_type = types[i];
		want_reply(c, &msg, "an odd framing type");
		msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, ID, 0);
		msg.outgoing_call_request.bearer_type = types[i];
		want_reply(c, &msg, "an odd bearer type");
	}
}

void
case_incoming_call(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_INCOMING_CALL_REQUEST, ID, 0);
	struct peer p;

	if (begin(&p, c)) {
		peer_send_msg(&p, &msg);
		if (expect_msg(&p, &msg, PPTP_INCOMING_CALL_REPLY)) {
			if (msg.incoming_call_reply.peer_call_id != ID)
				conform_fail(c, "Peer's Call ID is %u, not our %u", msg.incoming_call_reply.peer_call_id, ID);
			conform_note(c, "result %u", msg.incoming_call_reply.result_code);
			expect_echo(&p, "Incoming-Call-Reply");
		}
	}
	peer_close(&p);
	expect_alive(c, "Incoming-Call-Request");
}

void
case_incoming_reply_unasked(struct conform *c)
{
	static const enum pptp_msg_type types[] = {
	    PPTP_INCOMING_CALL_REPLY, PPTP_INCOMING_CALL_CONNECTED, PPTP_OUTGOING_CALL_REPLY, PPTP_START_CONTROL_CONNECTION_REPLY};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !c->failed; i++) {
		const char *name = pptp_msg_info(types[i])->name;
		uint16_t server_id;
		bool closed;
		struct peer p;

		if (begin_call(&p, c, ID, &server_id)) {
			struct pptp_msg msg = make_msg(types[i], ID, server_id);

			peer_send_msg(&p, &msg);
			expect_echo_or_close(&p, name, &closed);
		}
		peer_close(&p);
		expect_alive(c, name);
	}
}

void
case_clear(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_CALL_CLEAR_REQUEST, ID, 0);
	uint16_t server_id;
	struct peer p;

	if (begin_call(&p, c, ID, &server_id)) {
		peer_send_msg(&p, &msg);
		if (expect_msg(&p, &msg, PPTP_CALL_DISCONNECT_NOTIFY)) {
			if (msg.call_disconnect_notify.call_id != server_id)
				conform_fail(c, "call id %u instead of the server's %u", msg.call_disconnect_notify.call_id, server_id);
			if (msg.call_disconnect_notify.result_code != PPTP_CDN_REQUEST)
				conform_fail(c, "result %u instead of 4 (request)", msg.call_disconnect_notify.result_code);
			expect_echo(&p, "Call-Disconnect-Notify");
		}
	}
	peer_close(&p);
}

void
case_clear_wrong_id(struct conform *c)
{
	static const uint16_t wrong[] = {ID + 1, 0, 0xffff};
	uint16_t server_id;
	struct peer p;

	if (begin_call(&p, c, ID, &server_id)) {
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]) && !c->failed; i++) {
			struct pptp_msg msg = make_msg(PPTP_CALL_CLEAR_REQUEST, wrong[i], 0);
			struct pptp_msg echo = make_msg(PPTP_ECHO_REQUEST, 0, 0);

			peer_send_msg(&p, &msg);
			peer_send_msg(&p, &echo);
			expect_msg(&p, &msg, PPTP_ECHO_REPLY); /* and no Call-Disconnect-Notify before it */
		}
	}
	peer_close(&p);
}

void
case_clear_behind_call(struct conform *c)
{
	uint8_t buf[2 * PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_OUTGOING_CALL_REQUEST, ID, 0);
	struct pptp_msg msg;
	struct peer p;

	len += make_bytes(buf + len, PPTP_CALL_CLEAR_REQUEST, ID, 0);
	if (begin(&p, c)) {
		peer_send(&p, buf, len);
		if (expect_msg(&p, &msg, PPTP_OUTGOING_CALL_REPLY))
			expect_msg(&p, &msg, PPTP_CALL_DISCONNECT_NOTIFY);
	}
	peer_close(&p);
	expect_alive(c, "Call-Clear-Request right behind Outgoing-Call-Request");
}

void
case_disconnect_our_id(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_CALL_DISCONNECT_NOTIFY, ID, 0);
	uint16_t server_id;
	bool closed;
	struct peer p;

	memset(msg.call_disconnect_notify.call_statistics, 's', sizeof(msg.call_disconnect_notify.call_statistics) - 1);
	if (begin_call(&p, c, ID, &server_id)) {
		peer_send_msg(&p, &msg);
		if (expect_echo_or_close(&p, "Call-Disconnect-Notify", &closed))
			conform_note(c, closed ? "connection closed" : "connection lives on");
	}
	peer_close(&p);
	expect_alive(c, "Call-Disconnect-Notify");
}

/* The message about our call, about none, and about an unknown one does no harm. */
static void
want_harmless(struct conform *c, enum pptp_msg_type type)
{
	uint16_t server_id;
	struct peer p;

	if (begin_call(&p, c, ID, &server_id)) {
		const uint16_t ids[] = {server_id, (uint16_t)(server_id + 1), 0};

		for (size_t i = 0; i < 3; i++) {
			struct pptp_msg msg = make_msg(type, 0, ids[i]);

			peer_send_msg(&p, &msg);
			if (!expect_echo(&p, i == 0 ? pptp_msg_info(type)->name : "the same for an unknown call"))
				break;
		}
	}
	peer_close(&p);
	expect_alive(c, pptp_msg_info(type)->name);
}

void
case_set_link_info(struct conform *c)
{
	want_harmless(c, PPTP_SET_LINK_INFO);
}

void
case_wan_error(struct conform *c)
{
	want_harmless(c, PPTP_WAN_ERROR_NOTIFY);
}

void
case_many_calls(struct conform *c)
{
	enum { N = 500 };
	unsigned connected = 0, answered = 0;
	struct pptp_msg msg;
	struct peer p;

	if (begin(&p, c)) {
		for (uint16_t i = 1; i <= N; i++) {
			msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, i, 0);
			peer_send_msg(&p, &msg);
			if (!expect_msg(&p, &msg, PPTP_OUTGOING_CALL_REPLY))
				break;
			answered++;
			connected += msg.outgoing_call_reply.result_code == PPTP_OCRP_CONNECTED;
		}
	}
	peer_close(&p);
	expect_alive(c, "many calls on one connection");
	conform_note(c, "%u of %u requests answered, %u connected", answered, N, connected);
}
