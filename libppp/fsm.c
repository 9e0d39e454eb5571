#include "libppp/fsm.h"

#include "base/timerheap.h"

#define I0 FSM_INITIAL
#define S1 FSM_STARTING
#define C2 FSM_CLOSED
#define S3 FSM_STOPPED
#define C4 FSM_CLOSING
#define S5 FSM_STOPPING
#define R6 FSM_REQ_SENT
#define A7 FSM_ACK_RCVD
#define A8 FSM_ACK_SENT
#define O9 FSM_OPENED
#define NO                                                                                                                                 \
	{                                                                                                                                  \
		FSM_ILLEGAL, 0                                                                                                             \
	}
#define TLD FSM_TLD
#define IRC FSM_IRC
#define ZRC FSM_ZRC
#define SCR FSM_SCR
#define STR FSM_STR
#define SCA FSM_SCA
#define SCN FSM_SCN
#define STA FSM_STA
#define SCJ FSM_SCJ
#define SER FSM_SER
#define TLS FSM_TLS
#define TLU FSM_TLU
#define TLF FSM_TLF

/* RFC 1661 section 4.1: a row for each event, a column for each state. The restart option (r) is not taken: Open in an
 * open state does nothing. The marks p (passive) and x (crossed connections) change no cell. */
/* clang-format off */
static const struct fsm_cell table[FSM_EVENTS][FSM_STATES] = {
/*               Initial    Starting      Closed        Stopped                Closing    Stopping   Req-Sent      Ack-Rcvd      Ack-Sent      Opened */
[FSM_UP]        = {{0, C2},   {IRC|SCR, R6}, NO,           NO,                    NO,        NO,        NO,           NO,           NO,           NO},
[FSM_DOWN]      = {NO,        NO,            {0, I0},      {TLS, S1},             {0, I0},   {0, S1},   {0, S1},      {0, S1},      {0, S1},      {TLD, S1}},
[FSM_OPEN]      = {{TLS, S1}, {0, S1},       {IRC|SCR, R6},{0, S3},               {0, S5},   {0, S5},   {0, R6},      {0, A7},      {0, A8},      {0, O9}},
[FSM_CLOSE]     = {{0, I0},   {TLF, I0},     {0, C2},      {0, C2},               {0, C4},   {0, C4},   {IRC|STR, C4},{IRC|STR, C4},{IRC|STR, C4},{TLD|IRC|STR, C4}},
[FSM_TO_PLUS]   = {NO,        NO,            NO,           NO,                    {STR, C4}, {STR, S5}, {SCR, R6},    {SCR, R6},    {SCR, A8},    NO},
[FSM_TO_MINUS]  = {NO,        NO,            NO,           NO,                    {TLF, C2}, {TLF, S3}, {TLF, S3},    {TLF, S3},    {TLF, S3},    NO},
[FSM_RCR_PLUS]  = {NO,        NO,            {STA, C2},    {IRC|SCR|SCA, A8},     {0, C4},   {0, S5},   {SCA, A8},    {SCA|TLU, O9},{SCA, A8},    {TLD|SCR|SCA, A8}},
[FSM_RCR_MINUS] = {NO,        NO,            {STA, C2},    {IRC|SCR|SCN, R6},     {0, C4},   {0, S5},   {SCN, R6},    {SCN, A7},    {SCN, R6},    {TLD|SCR|SCN, R6}},
[FSM_RCA]       = {NO,        NO,            {STA, C2},    {STA, S3},             {0, C4},   {0, S5},   {IRC, A7},    {SCR, R6},    {IRC|TLU, O9},{TLD|SCR, R6}},
[FSM_RCN]       = {NO,        NO,            {STA, C2},    {STA, S3},             {0, C4},   {0, S5},   {IRC|SCR, R6},{SCR, R6},    {IRC|SCR, A8},{TLD|SCR, R6}},
[FSM_RTR]       = {NO,        NO,            {STA, C2},    {STA, S3},             {STA, C4}, {STA, S5}, {STA, R6},    {STA, R6},    {STA, R6},    {TLD|ZRC|STA, S5}},
[FSM_RTA]       = {NO,        NO,            {0, C2},      {0, S3},               {TLF, C2}, {TLF, S3}, {0, R6},      {0, R6},      {0, A8},      {TLD|SCR, R6}},
[FSM_RUC]       = {NO,        NO,            {SCJ, C2},    {SCJ, S3},             {SCJ, C4}, {SCJ, S5}, {SCJ, R6},    {SCJ, A7},    {SCJ, A8},    {SCJ, O9}},
[FSM_RXJ_PLUS]  = {NO,        NO,            {0, C2},      {0, S3},               {0, C4},   {0, S5},   {0, R6},      {0, R6},      {0, A8},      {0, O9}},
[FSM_RXJ_MINUS] = {NO,        NO,            {TLF, C2},    {TLF, S3},             {TLF, C2}, {TLF, S3}, {TLF, S3},    {TLF, S3},    {TLF, S3},    {TLD|IRC|STR, S5}},
[FSM_RXR]       = {NO,        NO,            {0, C2},      {0, S3},               {0, C4},   {0, S5},   {0, R6},      {0, A7},      {0, A8},      {SER, O9}},
};
/* clang-format on */

struct fsm_cell
fsm_cell(enum fsm_state state, enum fsm_event event)
{
	return table[event][state];
}

const char *
fsm_state_name(enum fsm_state state)
{
	static const char *const names[FSM_STATES] = {
	    "Initial", "Starting", "Closed", "Stopped", "Closing", "Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened"};

	return names[state];
}

void
fsm_init(struct fsm *f, const struct fsm_ops *ops, void *user, const struct fsm_limits *limits, const uint64_t *now)
{
	*f = (struct fsm){.ops = ops, .user = user, .limits = *limits, .now = now, .expiry = TS_NEVER, .next_id = 1};
}

void
fsm_send(struct fsm *f, uint8_t code, uint8_t id, const void *data, size_t len)
{
	struct wr *w;

	if (f->outq == NULL)
		return;
	if (len > OPT_REPLY_MAX)
		len = OPT_REPLY_MAX;
	w = outq_begin(f->outq, f->ops->proto, code, id);
	wr_bytes(w, data, len);
	outq_end(f->outq);
}

static void
start_timer(struct fsm *f)
{
	f->expiry = *f->now + f->limits.restart_ns;
}

static void
init_restart_count(struct fsm *f)
{
	bool ending = f->state == FSM_CLOSING || f->state == FSM_STOPPING;

	f->restarts = ending ? f->limits.max_terminate : f->limits.max_configure;
}

static void
count_transmission(struct fsm *f)
{
	if (f->restarts > 0)
		f->restarts--;
	start_timer(f);
}

/* A retransmission keeps its identifier, so that a late answer to the first one still counts; anything else is new. */
static void
send_configure_request(struct fsm *f, bool again)
{
	struct wr w = wr_init(f->request, sizeof(f->request));

	if (!again || f->request_len == 0)
		f->request_id = f->next_id++;
	opt_build(&f->ops->options, f->user, &w);
	f->request_len = (uint8_t)wr_len(&w);
	f->request_open = true;
	fsm_send(f, PPP_CONF_REQ, f->request_id, f->request, f->request_len);
	count_transmission(f);
}

static void
send_terminate_request(struct fsm *f)
{
	fsm_send(f, PPP_TERM_REQ, f->next_id++, f->reason, strlen(f->reason));
	count_transmission(f);
}

static void
remember_acked(struct fsm *f)
{
	f->acked_valid = f->reply->len <= sizeof(f->acked);
	if (!f->acked_valid)
		return;
	f->acked_id = f->packet->id;
	f->acked_len = (uint8_t)f->reply->len;
	memcpy(f->acked, f->reply->data, f->reply->len);
}

static void
send_reply(struct fsm *f, bool ack)
{
	if (f->reply == NULL || f->packet == NULL)
		return;
	f->acked_valid = false;
	if (ack) {
		f->naks_sent = 0;
		remember_acked(f);
	} else if (f->naks_sent < UINT16_MAX) {
		f->naks_sent++;
	}
	fsm_send(f, f->reply->code, f->packet->id, f->reply->data, f->reply->len);
}

static void
send_terminate_ack(struct fsm *f)
{
	fsm_send(f, PPP_TERM_ACK, f->packet != NULL ? f->packet->id : f->next_id++, NULL, 0);
}

/* The rejected packet is repeated with its header (RFC 1661 section 5.6), which stands in front of its data. */
static void
send_code_reject(struct fsm *f)
{
	if (f->packet != NULL)
		fsm_send(f, PPP_CODE_REJ, f->next_id++, f->packet->data - 4, f->packet->len + 4);
}

/* The only place that assigns the state. */
static void
fsm_set_state(struct fsm *f, enum fsm_state state)
{
	f->state = state;
	if (state < FSM_CLOSING || state == FSM_OPENED)
		f->expiry = TS_NEVER;
}

static void
perform_sends(struct fsm *f, unsigned actions, enum fsm_event event)
{
	if (actions & FSM_IRC)
		init_restart_count(f);
	if (actions & FSM_ZRC) {
		f->restarts = 0;
		start_timer(f);
	}
	if (actions & FSM_SCR)
		send_configure_request(f, event == FSM_TO_PLUS);
	if (actions & FSM_STR)
		send_terminate_request(f);
	if (actions & (FSM_SCA | FSM_SCN))
		send_reply(f, (actions & FSM_SCA) != 0);
	if (actions & FSM_STA)
		send_terminate_ack(f);
	if (actions & FSM_SCJ)
		send_code_reject(f);
	if ((actions & FSM_SER) && f->ops->echo_reply != NULL)
		f->ops->echo_reply(f->user, f->packet);
}

bool
fsm_event(struct fsm *f, enum fsm_event event)
{
	struct fsm_cell cell = table[event][f->state];

	if (cell.actions & FSM_ILLEGAL)
		return false;
	if (event == FSM_UP) {
		f->naks_sent = 0;
		f->naks_rcvd = 0;
		if (f->passive && f->state == FSM_STARTING)
			cell = (struct fsm_cell){0, FSM_STOPPED};
	}
	fsm_set_state(f, cell.next);
	if (cell.actions & FSM_TLD) {
		f->ops->down(f->user);
		/* it may have ended all this, by another event */
		if (f->state != cell.next)
			return true;
	}
	perform_sends(f, cell.actions, event);
	/* at most one of these stands in a cell, and last: it may come back here */
	if (cell.actions & FSM_TLU) {
		f->naks_rcvd = 0;
		f->repeats = 0;
		f->ops->up(f->user);
	}
	if (cell.actions & FSM_TLF)
		f->ops->finished(f->user);
	return true;
}

void
fsm_expire(struct fsm *f)
{
	if (f->expiry <= *f->now)
		fsm_event(f, f->restarts > 0 ? FSM_TO_PLUS : FSM_TO_MINUS);
}

void
fsm_was_early(struct fsm *f)
{
	f->request_early = f->state == FSM_REQ_SENT && f->request_open;
}

void
fsm_rejected(struct fsm *f)
{
	fsm_event(f, FSM_RXJ_MINUS);
}
