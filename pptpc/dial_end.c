/* Hanging up in the order that peers expect, one step after the other and each for a bounded time; then what comes next. */
#include <stdlib.h>
#include <string.h>

#include "base/timerheap.h"
#include "pptpc/client.h"
#include "pptpc/resolve.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "tunnel/control.h"

/* How long to listen for a reason over GRE once the call is gone, while the link is negotiated, and once it was up. */
#define LAST_WORDS_NS TS_S(1)
#define LAST_WORDS_UP_NS TS_MS(300)
#define STEP_NS TS_S(2)    /* the longest a step waits for the peer */
#define STEADY_NS TS_S(30) /* up for so long: failures before are forgotten */

struct trouble_place
dial_place(const struct dial *d, char *text)
{
	if (d->server.family != 0)
		addr_text(&d->server, text);
	else
		text[0] = '\0';
	return (struct trouble_place){
	    .host = servers_name(&d->servers),
	    .address = text,
	    .port = (uint16_t)d->profile->port,
	    .user = d->profile->user,
	    .allow = d->profile->allow,
	};
}

/* --- the steps -------------------------------------------------------------------------- */

/* The end of the control connection or the call, without a word why. */
static bool
is_vague(enum trouble_kind kind)
{
	return kind == TROUBLE_ENDED_CALL || kind == TROUBLE_ENDED_CONTROL || kind == TROUBLE_ENDED_EARLY || kind == TROUBLE_TCP_LOST;
}

/* When the peer has ended the call, its last words over GRE (a wrong password, say) may still be on their way: they take another
 * path than the control connection, and are worth a moment. The worker listens no longer than until it has heard them. */
static uint64_t
last_words_ns(const struct dial *d)
{
	if (!is_vague(d->trouble.kind))
		return 0;
	return d->was_up ? LAST_WORDS_UP_NS : LAST_WORDS_NS;
}

static void
abort_session(struct dial *d, uint64_t listen_ns)
{
	struct tunnel_command command = {.type = TUNNEL_SESSION_ABORT, .session = d->session, .abort = {.listen_ns = listen_ns}};

	d->session_closing = true;
	d->session_aborted = listen_ns == 0;
	tunnel_post(d->path->engine, 0, &command);
	dial_arm(d, STEP_NS);
}

/* Terminate-Request only makes sense while the call carries it. */
static void
close_session(struct dial *d)
{
	struct tunnel_command command = {.type = TUNNEL_SESSION_CLOSE, .session = d->session};

	if (d->session_closing)
		return;
	if (d->call_id == 0) {
		abort_session(d, last_words_ns(d));
		return;
	}
	d->session_closing = true;
	dial_arm(d, STEP_NS);
	command.close.why = PPP_DOWN_LOCAL;
	strcpy(command.close.reason, d->trouble.kind == TROUBLE_IDLE ? "idle" : "user request");
	tunnel_post(d->path->engine, 0, &command);
}

/* The link knows more than the call that was taken from under it. */
void
dial_refine(struct dial *d, const struct trouble *of_link)
{
	bool telling =
	    of_link->kind != TROUBLE_STOPPED && of_link->kind != TROUBLE_PPP_SILENT && trouble_class(of_link->kind) != RETRY_NETWORK;

	if (is_vague(d->trouble.kind) && telling)
		d->trouble = *of_link;
}

static void
clear_call(struct dial *d)
{
	if (d->call_clearing)
		return;
	d->call_clearing = true;
	dial_arm(d, STEP_NS);
	pptp_call_clear(control_conn(d->control), d->call_id, PPTP_CDN_REQUEST, clock_ts());
	control_kick(d->control);
}

static void
stop_control(struct dial *d)
{
	struct control *c = d->control;

	if (d->control_stopping)
		return;
	d->control_stopping = true;
	dial_arm(d, STEP_NS);
	if (pptp_conn_stop(control_conn(c), PPTP_STOP_LOCAL_SHUTDOWN, clock_ts()) == PPTP_OK) {
		control_kick(c);
		return;
	}
	/* Not even established: nobody waits for a word. */
	d->control = NULL;
	control_free(c);
	dial_hangup_step(d);
}

static void ended(struct dial *d);

void
dial_hangup_step(struct dial *d)
{
	if (d->session != 0)
		close_session(d);
	else if (d->control != NULL && d->call_id != 0)
		clear_call(d);
	else if (d->control != NULL)
		stop_control(d);
	else
		ended(d);
}

void
dial_hangup_timeout(struct dial *d)
{
	struct control *c = d->control;

	if (d->session != 0 && !d->session_aborted) {
		abort_session(d, 0);
		return;
	}
	if (d->session != 0) {
		/* The worker still has the counters, so they are left to it. */
		log_event(LOG_LEVEL_ERROR, "hangup", "tunnel=%s result=worker-silent", d->profile->name);
		d->session = 0;
		d->counters = NULL;
	} else if (d->call_id != 0) {
		d->call_id = 0;
	} else if (c != NULL) {
		d->control = NULL;
		control_free(c);
	}
	dial_hangup_step(d);
}

void
dial_hangup(struct dial *d, const struct trouble *trouble)
{
	if (d->state == DIAL_HANGUP) {
		/* Who wants it to end does not wait for reasons. */
		if (trouble->kind == TROUBLE_STOPPED && d->session != 0 && d->call_id == 0 && !d->session_aborted)
			abort_session(d, 0);
		dial_hangup_step(d);
		return;
	}
	if (d->state == DIAL_DOWN)
		return;
	d->trouble = *trouble;
	resolve_cancel(d->resolve);
	d->resolve = NULL;
	dial_set_state(d, DIAL_HANGUP);
	d->call_clearing = d->control_stopping = false;
	if (d->was_up)
		scripts_down(d, trouble_word(trouble->kind));
	netif_down(d);
	dial_hangup_step(d);
}

void
dial_hangup_kind(struct dial *d, enum trouble_kind kind, const char *detail)
{
	struct trouble t = trouble_make(kind, detail);

	dial_hangup(d, &t);
}

/* --- what comes next ------------------------------------------------------------------------ */

static void
tell(struct dial *d, const char *next, uint64_t wait_ns)
{
	char at[ADDR_TEXT_MAX], sentence[512], advice[512], quoted[600], quoted_advice[600];
	struct trouble_place place = dial_place(d, at);
	unsigned long long seconds = (wait_ns + TS_MS(500)) / TS_S(1);

	trouble_sentence(&d->trouble, &place, sentence, sizeof(sentence));
	trouble_advice(&d->trouble, &place, advice, sizeof(advice));
	client_say(d->client, "%s.", sentence);
	if (advice[0] != '\0')
		client_say(d->client, "%s.", advice);
	if (wait_ns != 0)
		client_say(d->client, "Next attempt in %llu seconds.", seconds);
	log_event(d->trouble.kind == TROUBLE_STOPPED ? LOG_LEVEL_INFO : client_level(d->client), "down",
	    "tunnel=%s reason=%s next=%s retry=%llus text=%s advice=%s", d->profile->name, trouble_word(d->trouble.kind), next, seconds,
	    log_quote(quoted, sizeof(quoted), sentence), log_quote(quoted_advice, sizeof(quoted_advice), advice));
}

static void
go_down(struct dial *d)
{
	tell(d, "down", 0);
	d->wanted = false;
	hostroute_drop(d);
	netif_close(d);
	dial_set_state(d, DIAL_DOWN);
	client_dial_done(d);
}

static void
go_again(struct dial *d)
{
	tell(d, "again", 0);
	d->restart = false;
	hostroute_drop(d);
	dial_set_state(d, DIAL_DOWN);
	dial_start(d);
}

static void
go_standby(struct dial *d)
{
	tell(d, "standby", 0);
	hostroute_drop(d);
	dial_stand_by(d);
}

static void
go_wait(struct dial *d, uint64_t wait_ns)
{
	tell(d, "wait", wait_ns);
	hostroute_drop(d);
	d->retry_ts = clock_ts() + wait_ns;
	dial_set_state(d, DIAL_WAIT);
	dial_arm(d, wait_ns > 0 ? wait_ns : 1);
}

/* Only what another server or address may do better; a wrong password stays wrong. */
static bool
fails_over(const struct dial *d)
{
	enum retry_class why = trouble_class(d->trouble.kind);

	return !d->was_up && (why == RETRY_NETWORK || why == RETRY_REFUSED) && d->trouble.kind != TROUBLE_LOCAL &&
	       d->trouble.kind != TROUBLE_MEMORY;
}

static bool
try_next_server(struct dial *d)
{
	const struct servers before = d->servers;
	struct servers after;
	bool more;

	if (!fails_over(d))
		return false;
	more = servers_addr(&d->servers).family != 0 ? servers_next(&d->servers) : servers_next_name(&d->servers);
	after = d->servers;
	/* The one that failed is still the subject of what is told. */
	d->servers = before;
	if (more) {
		tell(d, "next-server", 0);
		d->servers = after;
		dial_attempt(d);
	}
	return more;
}

static void
retry_later(struct dial *d)
{
	uint32_t random;
	uint64_t wait_ns;

	clock_random(NULL, &random, sizeof(random));
	/* A tunnel that comes up and goes at once has not recovered. */
	if (d->was_up && clock_ts() - d->began_ts >= STEADY_NS)
		backoff_reset(&d->backoff);
	wait_ns = backoff_next(&d->backoff, d->profile, trouble_class(d->trouble.kind), random);
	if (wait_ns == TS_NEVER) {
		go_down(d);
		return;
	}
	go_wait(d, wait_ns);
	servers_restart(&d->servers);
}

static void
ended(struct dial *d)
{
	d->session_closing = d->session_aborted = d->network = false;
	free(d->counters);
	d->counters = NULL;
	d->trouble_unix = clock_unix();
	if (!d->wanted || d->client->stopping)
		go_down(d);
	else if (d->restart)
		go_again(d);
	else if (d->trouble.kind == TROUBLE_IDLE && d->profile->demand)
		go_standby(d);
	else if (!try_next_server(d))
		retry_later(d);
}
