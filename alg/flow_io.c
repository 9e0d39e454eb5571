/* Bytes of both TCP connections. What the rewriter can't take yet stays in the kernel's buffers, from where it is only peeked at until it
 * is taken: nothing is held here, and a hand-over loses nothing. */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/flow.h"
#include "sys/clock.h"

enum { READ_BYTES = 2048, READ_ROUNDS = 8 };

static enum alg_side
other_side(enum alg_side side)
{
	return side == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT;
}

/* --- writing --------------------------------------------------------------------------- */

/* Sends what there is for an end; true: something went out. */
static bool
flush(struct flow *f, enum alg_side side)
{
	struct flow_end *end = &f->end[side];
	const uint8_t *data;
	size_t len = alg_rewrite_output(f->rw, side, &data);
	ssize_t n;

	if (len == 0 || f->closing_gates > 0)
		return false;
	n = end->shut ? (ssize_t)len : send(end->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		event_add(end->write, NULL);
		return false;
	}
	if (n < 0) {
		flow_fail(f, "the %s is lost: %s", flow_side_text(side), strerror(errno));
		return false;
	}
	alg_rewrite_sent(f->rw, side, (size_t)n);
	if ((size_t)n < len)
		event_add(end->write, NULL);
	return n > 0;
}

/* When one end sends no more, and all it sent has gone on, the other end hears of it. */
static void
pass_end(struct flow *f, enum alg_side to)
{
	struct flow_end *end = &f->end[to];
	const uint8_t *data;

	if (end->shut || (!f->ending && !f->end[other_side(to)].eof) || alg_rewrite_output(f->rw, to, &data) > 0)
		return;
	end->shut = true;
	shutdown(end->fd, SHUT_WR);
}

static void
finish(struct flow *f)
{
	pass_end(f, ALG_CLIENT);
	pass_end(f, ALG_SERVER);
	if (f->end[ALG_CLIENT].eof && f->end[ALG_SERVER].eof && f->end[ALG_CLIENT].shut && f->end[ALG_SERVER].shut)
		flow_fsm(f, FLOW_E_DRAINED);
}

/* True: something moved, so that the rewriter may have room again. */
static bool
pump(struct flow *f)
{
	bool moved = false, again = true;

	while (again && f->rw != NULL) {
		again = flow_events(f);
		for (int side = 0; side < 2 && f->rw != NULL; side++)
			again |= flush(f, (enum alg_side)side);
		moved |= again;
	}
	if (f->rw != NULL)
		finish(f);
	return moved;
}

static void
resume(struct flow *f)
{
	for (int side = 0; side < 2 && f->rw != NULL; side++)
		if (f->end[side].full)
			flow_read_on(f, (enum alg_side)side);
}

void
flow_pump(struct flow *f)
{
	if (f->rw == NULL || f->gw->handing_over)
		return;
	pump(f);
	resume(f);
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	struct flow_end *end = arg;

	(void)fd, (void)what;
	flow_pump(end->flow);
}

/* --- reading ------------------------------------------------------------------------------ */

/* No PPTP peer closes its half of a control connection and goes on: the calls are over, however long the other end keeps its own. */
static void
end_of_stream(struct flow *f, enum alg_side side)
{
	struct flow_end *end = &f->end[side];

	end->eof = true;
	event_del(end->read);
	if (f->state == FLOW_OPEN && f->reason[0] == '\0')
		snprintf(f->reason, sizeof(f->reason), "closed by the %s", flow_side_text(side));
	flow_fsm(f, FLOW_E_END);
	if (f->rw != NULL && !f->untouched)
		alg_rewrite_transport_closed(f->rw, side);
	flow_pump(f);
}

/* Takes off the socket what the rewriter took; true: go on. */
static bool
take(struct flow *f, enum alg_side side, const uint8_t *data, size_t len)
{
	struct flow_end *end = &f->end[side];
	uint8_t rest[READ_BYTES];
	size_t taken = alg_rewrite_recv(f->rw, side, data, len);
	bool moved;

	if (taken > 0 && recv(end->fd, rest, taken, MSG_DONTWAIT) != (ssize_t)taken) {
		flow_fail(f, "the %s is lost", flow_side_text(side));
		return false;
	}
	end->bytes += taken;
	f->heard = taken > 0 ? clock_ts() : f->heard;
	moved = pump(f) || taken > 0;
	if (f->rw == NULL)
		return false;
	if (moved)
		resume(f);
	if (moved || taken == len)
		return true;
	end->full = true;
	event_del(end->read);
	return false;
}

/* Before the server is reached, data waits; only an end counts. */
static void
early(struct flow *f, ssize_t n)
{
	struct flow_end *end = &f->end[ALG_CLIENT];

	event_del(end->read);
	end->full = true; /* so that a reset behind the data is found out */
	if (n == 0)
		flow_fsm(f, FLOW_E_END);
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct flow_end *end = arg;
	struct flow *f = end->flow;
	uint8_t buf[READ_BYTES];

	(void)what;
	for (int i = 0; i < READ_ROUNDS && f->state != FLOW_CLOSED; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (n < 0) {
			flow_fail(f, "the %s is lost: %s", flow_side_text(end->side), strerror(errno));
			return;
		}
		if (f->rw == NULL) {
			early(f, n);
			return;
		}
		if (n == 0) {
			end_of_stream(f, end->side);
			return;
		}
		if (!take(f, end->side, buf, (size_t)n))
			return;
	}
}

/* --- descriptors ------------------------------------------------------------------------------ */

bool
flow_watch(struct flow *f, enum alg_side side)
{
	struct flow_end *end = &f->end[side];

	if (end->read == NULL)
		end->read = event_new(f->gw->base, end->fd, EV_READ | EV_PERSIST, on_read, end);
	if (end->write == NULL)
		end->write = event_new(f->gw->base, end->fd, EV_WRITE, on_write, end);
	return end->read != NULL && end->write != NULL;
}

void
flow_read_on(struct flow *f, enum alg_side side)
{
	struct flow_end *end = &f->end[side];

	end->full = false;
	if (!end->eof)
		event_add(end->read, NULL);
}

void
flow_check_ends(struct flow *f)
{
	for (int side = 0; side < 2; side++) {
		struct pollfd p = {.fd = f->end[side].full ? f->end[side].fd : -1};

		if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR) != 0) {
			flow_fail(f, "the %s is lost", flow_side_text((enum alg_side)side));
			return;
		}
	}
}

void
flow_close_end(struct flow *f, enum alg_side side, bool reset)
{
	struct flow_end *end = &f->end[side];

	if (end->read != NULL)
		event_free(end->read);
	if (end->write != NULL)
		event_free(end->write);
	end->read = end->write = NULL;
	if (end->fd >= 0 && reset)
		flow_reset(end->fd);
	else if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}
