/* Cases of the control connection itself: Start, Echo, Stop, and messages in the wrong state. */
#include "base/wire.h"
#include "tests/conform/conform.h"

#include <stdio.h>

void
case_start(struct conform *c)
{
	struct peer p;

	if (begin(&p, c))
		expect_echo(&p, "Start-Control-Connection-Reply");
	peer_close(&p);
}

void
case_reconnect(struct conform *c)
{
	enum { N = 300 };
	unsigned unanswered = 0;

	for (unsigned i = 0; i < N && !c->failed; i++) {
		struct pptp_msg msg = make_msg(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
		struct peer p;

		if (peer_open(&p, c)) {
			peer_send_msg(&p, &msg);
			unanswered += peer_recv(&p, &msg, c->timeout_ms) != GOT_MESSAGE || msg.type != PPTP_START_CONTROL_CONNECTION_REPLY;
		}
		peer_close(&p);
	}
	if (unanswered > 0)
		conform_fail(c, "%u of %u connections were not answered", unanswered, N);
}

void
case_wrong_version(struct conform *c)
{
	static const uint16_t versions[] = {0x0000, 0x0001, 0x0200, 0xffff};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && !c->failed; i++) {
		struct pptp_msg msg = make_msg(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
		struct peer p;

		msg.start.protocol_version = versions[i];
		if (peer_open(&p, c)) {
			peer_send_msg(&p, &msg);
			if (expect_msg(&p, &msg, PPTP_START_CONTROL_CONNECTION_REPLY) && msg.start.result_code != PPTP_START_BAD_VERSION)
				conform_fail(c, "version %04x answered with result %u, not 5", versions[i], msg.start.result_code);
		}
		peer_close(&p);
	}
	expect_alive(c, "wrong protocol versions");
}

void
case_second_start(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct peer p;
	bool closed = false;

	if (begin(&p, c)) {
		peer_send_msg(&p, &msg);
		if (expect_echo_or_close(&p, "a second Start-Control-Connection-Request", &closed))
			conform_note(c, closed ? "refused, connection closed" : "connection lives on");
	}
	peer_close(&p);
	expect_alive(c, "a second Start-Control-Connection-Request");
}

void
case_types_before_start(struct conform *c)
{
	for (unsigned type = 1; type <= 15 && !c->failed; type++) {
		struct pptp_msg msg = make_msg((enum pptp_msg_type)type, 7, 7);
		struct peer p;

		if (type == PPTP_START_CONTROL_CONNECTION_REQUEST)
			continue;
		if (peer_open(&p, c)) {
			peer_send_msg(&p, &msg);
			if (peer_recv(&p, &msg, 150) == GOT_MESSAGE && msg.type == PPTP_OUTGOING_CALL_REPLY &&
			    msg.outgoing_call_reply.result_code == PPTP_OCRP_CONNECTED)
				conform_fail(c, "a call was connected before Start-Control-Connection-Request");
		}
		peer_close(&p);
		expect_alive(c, pptp_msg_info(type)->name);
	}
}

void
case_types_without_call(struct conform *c)
{
	unsigned closings = 0;

	for (unsigned type = 1; type <= 15 && !c->failed; type++) {
		struct pptp_msg msg = make_msg((enum pptp_msg_type)type, 7, 7);
		struct peer p;
		bool closed = false;

		if (type == PPTP_START_CONTROL_CONNECTION_REQUEST || type == PPTP_STOP_CONTROL_CONNECTION_REQUEST ||
		    type == PPTP_OUTGOING_CALL_REQUEST || type == PPTP_ECHO_REQUEST)
			continue; /* legal, or a case of its own */
		if (begin(&p, c)) {
			peer_send_msg(&p, &msg);
			expect_echo_or_close(&p, pptp_msg_info(type)->name, &closed);
			closings += closed;
		}
		peer_close(&p);
		expect_alive(c, pptp_msg_info(type)->name);
	}
	conform_note(c, "connection closed for %u of 11 types", closings);
}

void
case_echo(struct conform *c)
{
	static const uint32_t ids[] = {0, 1, 0x12345678, 0xffffffff};
	struct peer p;

	if (begin(&p, c)) {
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			struct pptp_msg msg = make_msg(PPTP_ECHO_REQUEST, 0, 0);

			msg.echo.identifier = ids[i];
			peer_send_msg(&p, &msg);
			if (!expect_msg(&p, &msg, PPTP_ECHO_REPLY))
				break;
			if (msg.echo.identifier != ids[i])
				conform_fail(c, "identifier %08x answered with %08x", ids[i], msg.echo.identifier);
			if (msg.echo.result_code != 1 || msg.echo.error_code != 0)
				conform_fail(c, "result %u, error %u instead of 1, 0", msg.echo.result_code, msg.echo.error_code);
		}
	}
	peer_close(&p);
}

void
case_stop(struct conform *c)
{
	struct pptp_msg msg = make_msg(PPTP_STOP_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct peer p;

	if (begin(&p, c)) {
		peer_send_msg(&p, &msg);
		if (expect_msg(&p, &msg, PPTP_STOP_CONTROL_CONNECTION_REPLY)) {
			if (msg.stop_reply.result_code != 1)
				conform_fail(c, "Stop-Control-Connection-Reply with result %u", msg.stop_reply.result_code);
			expect_close(&p, "Stop-Control-Connection-Reply");
		}
	}
	peer_close(&p);
}

void
case_stop_bad_reason(struct conform *c)
{
	static const uint8_t reasons[] = {0, 4, 255};

	for (size_t i = 0; i < sizeof(reasons) && !c->failed; i++) {
		struct pptp_msg msg = make_msg(PPTP_STOP_CONTROL_CONNECTION_REQUEST, 0, 0);
		uint8_t buf[PPTP_MAX_MESSAGE];
		size_t len = make_bytes(buf, PPTP_STOP_CONTROL_CONNECTION_REQUEST, 0, 0);
		struct peer p;
		enum got got;

		buf[12] = reasons[i];
		if (begin(&p, c)) {
			peer_send(&p, buf, len);
			got = peer_recv(&p, &msg, c->timeout_ms);
			if (got != GOT_CLOSE && (got != GOT_MESSAGE || msg.type != PPTP_STOP_CONTROL_CONNECTION_REPLY))
				conform_fail(c, "reason %u: neither a reply nor the end of the connection", reasons[i]);
		}
		peer_close(&p);
	}
	expect_alive(c, "invalid stop reasons");
}
