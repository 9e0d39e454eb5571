/* Packets of the automaton's protocols, as events. */
#include "libppp/fsm.h"

enum { HEADER = 4 };

/* The request that was acknowledged last, in Opened: our Ack was lost. RFC 1661 section 4.1 would negotiate anew, which on
 * a lossy path takes down what just came up, again and again. A peer that means it says so more than FSM_REPEATS times. */
static bool
repeats_acked(struct fsm *f, const struct fsm_packet *p)
{
	if (f->state != FSM_OPENED || !f->acked_valid || p->id != f->acked_id || p->len != f->acked_len)
		return false;
	return memcmp(p->data, f->acked, p->len) == 0 && f->repeats++ < FSM_REPEATS;
}

/* Max-Failure turns Naks into Rejects; a peer that does not take those either would have us reply for ever. */
static bool
replied_enough(const struct fsm *f)
{
	return f->state >= FSM_REQ_SENT && f->state < FSM_OPENED && f->naks_sent >= f->limits.max_failure + 2 * f->limits.max_configure;
}

static void
on_configure_request(struct fsm *f, const struct fsm_packet *p)
{
	bool may_nak = f->naks_sent < f->limits.max_failure;
	struct opt_reply reply;

	/* what is discarded must change nothing */
	if (!opt_can_judge(p->data, p->len)) {
		f->rx_bad++;
		return;
	}
	if (repeats_acked(f, p)) {
		fsm_send(f, PPP_CONF_ACK, p->id, p->data, p->len);
		return;
	}
	if (f->request_early && f->state == FSM_REQ_SENT && f->request_open)
		fsm_event(f, FSM_TO_PLUS);
	f->request_early = false;
	if (f->ops->forget_peer != NULL)
		f->ops->forget_peer(f->user);
	if (!opt_request(&f->ops->options, f->user, p->data, p->len, may_nak, &reply)) {
		f->rx_bad++;
		return;
	}
	f->reply = &reply;
	if (reply.code != PPP_CONF_ACK && replied_enough(f))
		fsm_event(f, FSM_TO_MINUS);
	else
		fsm_event(f, reply.code == PPP_CONF_ACK ? FSM_RCR_PLUS : FSM_RCR_MINUS);
	f->reply = NULL;
}

/* Is it the answer to our last request? One that was answered already is not asked for any more. */
static bool
answers_request(struct fsm *f, const struct fsm_packet *p)
{
	if (f->state < FSM_REQ_SENT || (f->request_open && p->id == f->request_id))
		return true;
	f->rx_bad++;
	return false;
}

static void
on_configure_ack(struct fsm *f, const struct fsm_packet *p)
{
	if (!answers_request(f, p))
		return;
	if (f->state >= FSM_REQ_SENT && (p->len != f->request_len || memcmp(p->data, f->request, p->len) != 0)) {
		f->rx_bad++;
		return;
	}
	f->request_open = false;
	fsm_event(f, FSM_RCA);
}

/* Naks and Rejects restart our counter, so a peer that never has enough is stopped here. */
static void
on_refused(struct fsm *f)
{
	f->request_open = false;
	if (f->state >= FSM_REQ_SENT && f->state < FSM_OPENED && ++f->naks_rcvd > 2 * f->limits.max_configure)
		fsm_event(f, FSM_TO_MINUS);
	else
		fsm_event(f, FSM_RCN);
}

static void
on_configure_nak(struct fsm *f, const struct fsm_packet *p)
{
	if (!answers_request(f, p))
		return;
	if (f->state >= FSM_REQ_SENT && !opt_nak(&f->ops->options, f->user, p->data, p->len)) {
		f->rx_bad++;
		return;
	}
	on_refused(f);
}

static void
on_configure_reject(struct fsm *f, const struct fsm_packet *p)
{
	if (!answers_request(f, p))
		return;
	if (f->state >= FSM_REQ_SENT && !opt_reject(&f->ops->options, f->user, p->data, p->len, f->request, f->request_len)) {
		f->rx_bad++;
		return;
	}
	on_refused(f);
}

static void
on_terminate_request(struct fsm *f, const struct fsm_packet *p)
{
	(void)p;
	fsm_event(f, FSM_RTR);
}

static void
on_terminate_ack(struct fsm *f, const struct fsm_packet *p)
{
	(void)p;
	fsm_event(f, FSM_RTA);
}

static void
on_code_reject(struct fsm *f, const struct fsm_packet *p)
{
	if (p->len == 0) {
		f->rx_bad++;
		return;
	}
	if (p->data[0] >= PPP_CONF_REQ && p->data[0] <= PPP_CODE_REJ) {
		fsm_event(f, FSM_RXJ_MINUS);
		return;
	}
	if (f->ops->code_rejected != NULL)
		f->ops->code_rejected(f->user, p->data[0]);
	fsm_event(f, FSM_RXJ_PLUS);
}

static void (*const handlers[])(struct fsm *f, const struct fsm_packet *p) = {
    [PPP_CONF_REQ] = on_configure_request,
    [PPP_CONF_ACK] = on_configure_ack,
    [PPP_CONF_NAK] = on_configure_nak,
    [PPP_CONF_REJ] = on_configure_reject,
    [PPP_TERM_REQ] = on_terminate_request,
    [PPP_TERM_ACK] = on_terminate_ack,
    [PPP_CODE_REJ] = on_code_reject,
};

void
fsm_input(struct fsm *f, const uint8_t *packet, size_t len)
{
	struct fsm_packet p;
	size_t length;

	if (f->state <= FSM_STARTING)
		return;
	if (len < HEADER || (length = get_u16(packet + 2)) < HEADER || length > len) {
		f->rx_bad++;
		return;
	}
	p = (struct fsm_packet){packet[0], packet[1], packet + HEADER, length - HEADER};
	f->packet = &p;
	if (p.code >= PPP_CONF_REQ && p.code <= PPP_CODE_REJ)
		handlers[p.code](f, &p);
	else if (f->ops->extra == NULL || !f->ops->extra(f->user, &p))
		fsm_event(f, FSM_RUC);
	f->packet = NULL;
}
