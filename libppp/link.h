/* A PPP link: LCP and authentication over one call (RFC 1661, 1334, 1994, 2433, 2759, 3748).
 *
 * Sans-I/O like the rest: feed frames with ppp_link_rx(), let time pass with ppp_link_expire(), then drain
 * ppp_link_output() and ppp_link_event(). The network protocols belong to a bundle (bundle.h), which the program
 * makes and joins the link to once PPP_EVENT_NETWORK came: with one link or, later, several. Joined, frames of the
 * bundle's control protocols come out of the link's output, and its timers are in the link's expiry. */
#ifndef LIBPPP_LINK_H
#define LIBPPP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/pkt.h"
#include "libppp/auth.h"
#include "libppp/proto.h"

struct ppp_bundle;
struct ppp_link;

/* RFC 1661 section 3.2 */
enum ppp_phase {
	PPP_PHASE_DEAD,
	PPP_PHASE_ESTABLISH,
	PPP_PHASE_AUTHENTICATE,
	PPP_PHASE_NETWORK,
	PPP_PHASE_TERMINATE,
};

/* Why a link went down, for logs, accounting and the client's advice. */
enum ppp_down {
	PPP_DOWN_NONE,
	PPP_DOWN_LOCAL,         /* ppp_link_close() */
	PPP_DOWN_PEER,          /* Terminate-Request from the peer: text has its data */
	PPP_DOWN_NO_REPLY,      /* no frame at all came: GRE is blocked on the way, or the peer is mute */
	PPP_DOWN_LCP_FAILED,    /* LCP did not converge */
	PPP_DOWN_ECHO,          /* Echo-Replies stopped */
	PPP_DOWN_LOOPBACK,      /* our own magic number came back */
	PPP_DOWN_AUTH_REFUSED,  /* the peer refused to authenticate, or refused every method allowed */
	PPP_DOWN_AUTH_FAILED,   /* the peer's credentials were refused by us */
	PPP_DOWN_AUTH_REJECTED, /* ours were refused by the peer: text has its message, mschap_error its code */
	PPP_DOWN_AUTH_TIMEOUT,
	PPP_DOWN_PEER_NOT_GENUINE, /* MS-CHAPv2: the peer's authenticator response is wrong */
	PPP_DOWN_ENCRYPTION,       /* encryption required, but the peer refused it or broke it */
	PPP_DOWN_NO_NETWORK,       /* no network protocol could be agreed on */
	PPP_DOWN_NOMEM,
};

/* The message with PPP_DOWN_LCP_FAILED when the peer talks, but answered none of our Configure-Requests: they may not reach it. */
#define LINK_UNANSWERED "no answer to Configure-Request"

/* A sentence for people ("wrong user name or password"); static. */
const char *ppp_down_text(enum ppp_down down);

struct ppp_link_config {
	const struct mem *mem;
	const struct ppp_crypto *crypto;
	void (*random)(void *user, void *buf, size_t len);
	void *random_user;

	uint16_t mru;     /* bytes we ask to receive; default 1400 */
	uint16_t mtu_max; /* bytes of our packets at most, whatever the peer's MRU; default 1400 */
	uint32_t accm;    /* asked for; default 0 (a GRE channel needs none) */
	bool pfc;         /* ask for and accept; default true */
	bool acfc;
	bool passive; /* wait for the peer's Configure-Request before sending ours, but for restart_ns only */

	unsigned require;                  /* methods the peer may authenticate with, bit set; 0: it need not */
	unsigned allow;                    /* methods we authenticate with when asked; 0: none */
	char local_name[PPP_NAME_MAX + 1]; /* our name in challenges, and as user name */
	struct ppp_secret secret;          /* our password when the peer asks for authentication */
	uint8_t auth_retries;              /* wrong answers tolerated before the link ends; default 0 */

	uint64_t restart_ns;       /* RFC 1661 section 4.6; default 3 s */
	uint8_t max_configure;     /* default 10 */
	uint8_t max_terminate;     /* default 2 */
	uint8_t max_failure;       /* default 5 */
	uint64_t auth_timeout_ns;  /* for the whole phase; default 30 s. A link that is not through with authentication after this time and
	                            * that of max_configure requests ends, however often its peer begins anew */
	uint64_t echo_interval_ns; /* of LCP Echo-Requests when nothing was received since; 0: none; default 30 s */
	uint8_t echo_failures;     /* unanswered ones that end the link; default 4 */
	char identification[65];   /* sent in LCP Identification (RFC 1570); empty: not sent */

	/* Sees each control frame as a line: `[LCP ConfReq id=1 <mru 1400> <auth MSCHAP-v2> <magic 0a1b2c3d>]`;
	 * passwords and keys never show. NULL: none. */
	void (*trace)(void *user, bool sent, const char *line);
	void *trace_user;
};

void ppp_link_config_init(struct ppp_link_config *config);

enum ppp_event_type {
	PPP_EVENT_NONE,
	PPP_EVENT_LCP_UP,         /* LCP opened */
	PPP_EVENT_AUTH_REQUEST,   /* decide it, then ppp_link_auth_verdict(): request */
	PPP_EVENT_PEER_AUTHED,    /* we accepted the peer */
	PPP_EVENT_SELF_AUTHED,    /* the peer accepted us: message */
	PPP_EVENT_NETWORK,        /* authentication is done both ways: join a bundle now */
	PPP_EVENT_IDENTIFICATION, /* the peer's LCP Identification: message, escaped */
	PPP_EVENT_DOWN,           /* last event of a link: down, message, mschap_error */
	/* of bundles */
	PPP_EVENT_IPCP_UP, /* read ppp_bundle_info() */
	PPP_EVENT_IPCP_DOWN,
	PPP_EVENT_IPV6CP_UP,
	PPP_EVENT_IPV6CP_DOWN,
	PPP_EVENT_MPPE_UP,
	PPP_EVENT_MPPE_DOWN,
	PPP_EVENT_BUNDLE_FAILED, /* nothing more can come of it: down, message */
};

struct ppp_event {
	enum ppp_event_type type;
	enum ppp_down down;
	uint16_t mschap_error;
	union {
		struct ppp_auth_request request;
		char message[PPP_MESSAGE_MAX + 1];
	};
};

/* Makes a link in phase Dead. Returns 0, or -1 when memory ran out. The configuration is copied; crypto must outlive it. */
int ppp_link_new(struct ppp_link **link, const struct ppp_link_config *config, uint64_t ts);

/* Frees it, wiping secrets, and takes it out of its bundle. NULL is allowed. */
void ppp_link_free(struct ppp_link *link);

/* The call is up: LCP starts (events Up and Open of RFC 1661). */
void ppp_link_open(struct ppp_link *link, uint64_t ts);
/* Terminates in order: Terminate-Request with reason as data, then PPP_EVENT_DOWN. reason may be NULL. */
void ppp_link_close(struct ppp_link *link, enum ppp_down why, const char *reason, uint64_t ts);
/* The call is gone: PPP_EVENT_DOWN at once, nothing is sent. */
void ppp_link_lower_down(struct ppp_link *link, uint64_t ts);

enum ppp_rx_kind {
	PPP_RX_CONTROL, /* taken by the machine: look at output, events and expiry */
	PPP_RX_IP,      /* *payload is an IPv4 packet for the interface */
	PPP_RX_IPV6,
	PPP_RX_DROP, /* not for us: counted in ppp_bundle_info() */
};

/* Takes one frame as it stood behind the GRE header: with or without address and control, protocol compressed or not.
 * MPPE data is decrypted in place, and *payload points into the frame. A frame that is malformed, unexpected,
 * or in clear although encryption is required, is dropped. */
enum ppp_rx_kind ppp_link_rx(struct ppp_link *link, uint8_t *frame, size_t framelen, uint64_t ts, uint8_t **payload, size_t *payloadlen);

/* Makes p, an IP packet of protocol proto, into a frame for the link: encrypts in place and pushes the PPP headers into
 * its headroom (at least PPP_MAX_OVERHEAD). False, with p unusable, when it can't go: protocol not up, encryption
 * required but not up. */
bool ppp_link_tx(struct ppp_link *link, struct pkt *p, enum ppp_proto proto, uint64_t ts);

/* Writes the next control frame into buf, which has room for PPP_MAX_CONTROL + PPP_MAX_OVERHEAD bytes;
 * returns its length, 0: none waits. */
size_t ppp_link_output(struct ppp_link *link, uint8_t *buf, size_t buflen);

/* Takes the next event of the link or its bundle; false when there is none. */
bool ppp_link_event(struct ppp_link *link, struct ppp_event *event);

uint64_t ppp_link_expiry(const struct ppp_link *link);
void ppp_link_expire(struct ppp_link *link, uint64_t ts);

/* Answers PPP_EVENT_AUTH_REQUEST, whenever it is decided. Ignored when the link has moved on (id differs). */
void ppp_link_auth_verdict(struct ppp_link *link, uint8_t id, const struct ppp_auth_verdict *verdict, uint64_t ts);

/* Joins the link to a bundle, whose control protocols then start. The bundle must outlive the link or the link's free. */
void ppp_link_join(struct ppp_link *link, struct ppp_bundle *bundle, uint64_t ts);

struct ppp_link_info {
	enum ppp_phase phase;
	uint16_t mru;         /* ours, as agreed */
	uint16_t peer_mru;    /* the peer's, as agreed */
	uint16_t mtu;         /* min(peer_mru, mtu_max): bytes of an IP packet, MPPE's 4 bytes already subtracted when in use */
	bool pfc, acfc;       /* agreed for what we send */
	unsigned peer_method; /* the method the peer authenticated with; 0: none */
	unsigned self_method; /* the method we authenticated with; 0: none */
	char peer_name[PPP_NAME_MAX + 1];
	struct ppp_mppe_keys keys;       /* of the authentication that gave keys */
	uint64_t echo_rtt_ns;            /* 0: not measured */
	uint64_t rx_control, tx_control; /* frames */
};

/* Whether the link knows why it ends, or has ended: nothing that the peer still says changes that. */
bool ppp_link_is_over(const struct ppp_link *link);

void ppp_link_info(const struct ppp_link *link, struct ppp_link_info *info);

#endif
