/* From what the rooms beneath report to a kind of trouble. */
#include "pptpc/diag.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct trouble
trouble_make(enum trouble_kind kind, const char *detail)
{
	struct trouble t = {.kind = kind};

	snprintf(t.detail, sizeof(t.detail), "%s", detail != NULL ? detail : "");
	return t;
}

/* The peer's words as an appendix to a sentence that also stands without them. */
static struct trouble
make_with_words(enum trouble_kind kind, const char *words)
{
	struct trouble t = {.kind = kind};

	if (kind == TROUBLE_AUTH_METHODS && ppp_auth_parse(words) != 0)
		snprintf(t.detail, sizeof(t.detail), ", %s,", words);
	else if (kind != TROUBLE_AUTH_METHODS && words[0] != '\0')
		snprintf(t.detail, sizeof(t.detail), ": it says '%s'", words);
	return t;
}

struct trouble
trouble_from_lookup(int gai_error)
{
	switch (gai_error) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
		return trouble_make(TROUBLE_NAME_UNKNOWN, NULL);
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
		return trouble_make(TROUBLE_NAME_FAMILY, NULL);
#endif
	case EAI_MEMORY:
		return trouble_make(TROUBLE_MEMORY, NULL);
	default:
		return trouble_make(TROUBLE_NAME_LATER, gai_strerror(gai_error));
	}
}

struct trouble
trouble_from_tcp(int error)
{
	struct trouble t;

	switch (error) {
	case ECONNREFUSED:
		t = trouble_make(TROUBLE_TCP_REFUSED, NULL);
		break;
	case ETIMEDOUT:
		t = trouble_make(TROUBLE_TCP_TIMEOUT, NULL);
		break;
	case ENETUNREACH:
		t = trouble_make(TROUBLE_NO_ROUTE, NULL);
		break;
	case EHOSTUNREACH:
	case EACCES:
	case EPERM:
		t = trouble_make(TROUBLE_TCP_UNREACHABLE, strerror(error));
		break;
	default:
		t = trouble_make(TROUBLE_TCP_FAILED, strerror(error));
		break;
	}
	t.result = error;
	return t;
}

static enum trouble_kind
start_refused(uint8_t result)
{
	if (result == PPTP_START_BAD_VERSION)
		return TROUBLE_CONTROL_VERSION;
	return result == PPTP_START_NOT_AUTHORIZED ? TROUBLE_CONTROL_FORBIDDEN : TROUBLE_CONTROL_REFUSED;
}

static enum trouble_kind
call_refused(uint8_t result, uint8_t error)
{
	if (result == PPTP_OCRP_BUSY)
		return TROUBLE_CALL_BUSY;
	if (result == PPTP_OCRP_DO_NOT_ACCEPT)
		return TROUBLE_CALL_ADMIN;
	if (result == PPTP_OCRP_GENERAL_ERROR && error == PPTP_EC_NO_RESOURCE)
		return TROUBLE_CALL_RESOURCES;
	return TROUBLE_CALL_FAILED;
}

static enum trouble_kind
kind_of_end(const struct pptp_event *e, enum dial_stage stage)
{
	switch (e->end) {
	case PPTP_END_LOCAL:
		return TROUBLE_STOPPED;
	case PPTP_END_REFUSED:
		return stage == STAGE_CONTROL ? start_refused(e->result_code) : call_refused(e->result_code, e->error_code);
	case PPTP_END_TIMEOUT:
		return stage == STAGE_CONTROL ? TROUBLE_CONTROL_SILENT : TROUBLE_CALL_SILENT;
	case PPTP_END_ECHO_TIMEOUT:
		return TROUBLE_ECHO_PPTP;
	case PPTP_END_PROTOCOL:
	case PPTP_END_COLLISION:
		return TROUBLE_CONTROL_PROTOCOL;
	case PPTP_END_TRANSPORT:
		if (stage == STAGE_UP)
			return TROUBLE_TCP_LOST;
		return stage == STAGE_CONTROL ? TROUBLE_CONTROL_CLOSED : TROUBLE_ENDED_EARLY;
	case PPTP_END_NOMEM:
		return TROUBLE_MEMORY;
	case PPTP_END_PEER:
		break;
	}
	return e->type == PPTP_EVENT_CALL_DOWN ? TROUBLE_ENDED_CALL : TROUBLE_ENDED_CONTROL;
}

static const char *
words_of_end(const struct pptp_event *e, enum trouble_kind kind)
{
	switch (kind) {
	case TROUBLE_CONTROL_REFUSED:
		return pptp_result_text(PPTP_START_CONTROL_CONNECTION_REPLY, e->result_code);
	case TROUBLE_CALL_FAILED:
		return e->result_code == PPTP_OCRP_GENERAL_ERROR ? pptp_error_code_text(e->error_code)
								 : pptp_result_text(PPTP_OUTGOING_CALL_REPLY, e->result_code);
	case TROUBLE_ENDED_CALL:
		return pptp_result_text(PPTP_CALL_DISCONNECT_NOTIFY, e->result_code);
	case TROUBLE_CONTROL_PROTOCOL:
		return e->error != 0 ? pptp_strerror(e->error) : e->text;
	case TROUBLE_ENDED_EARLY:
		return ": it closed the TCP connection";
	case TROUBLE_TCP_LOST:
		return "TCP ended without a word from the server";
	default:
		return NULL;
	}
}

struct trouble
trouble_from_pptp(const struct pptp_event *event, enum dial_stage stage)
{
	enum trouble_kind kind = kind_of_end(event, stage);
	struct trouble t = trouble_make(kind, words_of_end(event, kind));

	t.result = event->result_code;
	t.error = event->error_code;
	t.cause = event->cause_code;
	return t;
}

static enum trouble_kind
auth_rejected(uint16_t mschap_error)
{
	switch (mschap_error) {
	case PPP_MSE_RESTRICTED_HOURS:
		return TROUBLE_AUTH_HOURS;
	case PPP_MSE_ACCOUNT_DISABLED:
		return TROUBLE_AUTH_DISABLED;
	case PPP_MSE_PASSWORD_EXPIRED:
		return TROUBLE_AUTH_EXPIRED;
	case PPP_MSE_NO_DIALIN:
		return TROUBLE_AUTH_NO_DIALIN;
	case PPP_MSE_CHANGING_PASSWORD:
		return TROUBLE_AUTH_CHANGE;
	default:
		return TROUBLE_AUTH_WRONG;
	}
}

/* pppd says in its Terminate-Request what it missed. */
static bool
wants_encryption(const char *message)
{
	return message != NULL && (strstr(message, "MPPE") != NULL || strcasestr(message, "encrypt") != NULL);
}

/* The same after a log-in that failed. Where the packet that refused it is lost, this is all there is, and the account must not be
 * locked by attempts that follow. */
static bool
refuses_login(const char *message)
{
	return message != NULL && (strcasestr(message, "authentication") != NULL || strcasestr(message, "login") != NULL ||
				      strcasestr(message, "password") != NULL);
}

static enum trouble_kind
peer_terminated(const char *message, enum dial_stage stage)
{
	if (stage == STAGE_UP)
		return TROUBLE_ENDED_PPP;
	if (refuses_login(message))
		return TROUBLE_AUTH_WRONG;
	return wants_encryption(message) ? TROUBLE_ENCRYPTION_WANTED : TROUBLE_ENDED_EARLY;
}

static enum trouble_kind
kind_of_down(enum ppp_down down, uint16_t mschap_error, const char *message, enum dial_stage stage, bool gre_seen)
{
	switch (down) {
	case PPP_DOWN_NONE:
	case PPP_DOWN_LOCAL:
		return TROUBLE_STOPPED;
	case PPP_DOWN_PEER:
		return peer_terminated(message, stage);
	case PPP_DOWN_NO_REPLY:
		return gre_seen ? TROUBLE_PPP_SILENT : TROUBLE_GRE_BLOCKED;
	case PPP_DOWN_LCP_FAILED:
		return strcmp(message, LINK_UNANSWERED) == 0 ? TROUBLE_PPP_SILENT : TROUBLE_LCP_FAILED;
	case PPP_DOWN_ECHO:
		return TROUBLE_ECHO_LCP;
	case PPP_DOWN_LOOPBACK:
		return TROUBLE_LOOPBACK;
	case PPP_DOWN_AUTH_REFUSED:
		return TROUBLE_AUTH_METHODS;
	case PPP_DOWN_AUTH_FAILED:
		return TROUBLE_AUTH_PEER;
	case PPP_DOWN_AUTH_REJECTED:
		return auth_rejected(mschap_error);
	case PPP_DOWN_AUTH_TIMEOUT:
		return TROUBLE_AUTH_SILENT;
	case PPP_DOWN_PEER_NOT_GENUINE:
		return TROUBLE_NOT_GENUINE;
	case PPP_DOWN_ENCRYPTION:
		return TROUBLE_ENCRYPTION;
	case PPP_DOWN_NO_NETWORK:
		return TROUBLE_NO_NETWORK;
	case PPP_DOWN_NOMEM:
		break;
	}
	return TROUBLE_MEMORY;
}

struct trouble
trouble_from_ppp(enum ppp_down down, uint16_t mschap_error, const char *message, enum dial_stage stage, bool gre_seen)
{
	/* The link's own text for a silent peer is not the peer's words. */
	const char *words = message != NULL && strcmp(message, ppp_down_text(down)) != 0 ? message : "";
	enum trouble_kind kind = kind_of_down(down, mschap_error, words, stage, gre_seen);
	struct trouble t = kind == TROUBLE_ENCRYPTION_WANTED ? trouble_make(kind, words) : make_with_words(kind, words);

	t.result = down;
	t.error = mschap_error;
	return t;
}
