#include "libppp/lcp.h"

#include "base/timerheap.h"
#include "libppp/link_int.h"

enum lcp_option { OPT_MRU = 1, OPT_ACCM = 2, OPT_AUTH = 3, OPT_MAGIC = 5, OPT_PFC = 7, OPT_ACFC = 8 };

enum { CHAP_MD5 = 0x05, CHAP_MSCHAP = 0x80, CHAP_MSCHAPV2 = 0x81 };

#define DEFAULT_ACCM UINT32_C(0xffffffff)

static const struct ppp_link_config *
config(const struct lcp *lcp)
{
	return &lcp->link->config;
}

static uint32_t
draw_magic(const struct lcp *lcp)
{
	uint32_t magic = 0;

	config(lcp)->random(config(lcp)->random_user, &magic, sizeof(magic));
	return magic != 0 ? magic : 1;
}

/* ---- MRU ---- */

static bool
build_mru(void *user, struct wr *w)
{
	struct lcp *lcp = user;

	wr_u16(w, lcp->mru);
	return lcp->ask_mru;
}

static enum opt_verdict
check_mru(void *user, struct rd *data, struct wr *nak)
{
	struct lcp *lcp = user;
	uint16_t mru = rd_u16(data);

	if (mru < PPP_MIN_MRU) {
		wr_u16(nak, PPP_MIN_MRU);
		return OPT_NAK;
	}
	lcp->peer.mru = mru;
	return OPT_ACK;
}

/* We must take 1500 bytes anyway (RFC 1661 section 6.1), so up to there any suggestion will do. */
static void
nak_mru(void *user, struct rd *data)
{
	struct lcp *lcp = user;
	uint16_t mru = rd_u16(data);

	if (mru >= PPP_MIN_MRU && (mru <= PPP_DEFAULT_MRU || mru <= config(lcp)->mru)) {
		lcp->mru = mru;
		lcp->ask_mru = true;
	}
}

static void
rej_mru(void *user)
{
	struct lcp *lcp = user;

	lcp->ask_mru = false;
	lcp->mru = PPP_DEFAULT_MRU;
}

/* ---- ACCM: a GRE channel escapes nothing, so it is only agreed on ---- */

static bool
build_accm(void *user, struct wr *w)
{
	struct lcp *lcp = user;

	wr_u32(w, lcp->accm);
	return lcp->ask_accm;
}

static enum opt_verdict
check_accm(void *user, struct rd *data, struct wr *nak)
{
	(void)user;
	(void)data;
	(void)nak;
	return OPT_ACK;
}

static void
nak_accm(void *user, struct rd *data)
{
	struct lcp *lcp = user;

	lcp->accm |= rd_u32(data);
}

static void
rej_accm(void *user)
{
	((struct lcp *)user)->ask_accm = false;
}

/* ---- authentication protocol ---- */

/* The methods that an option's value stands for: one, or all of EAP; 0: none that we know. */
static unsigned
methods_of(struct rd *data)
{
	uint16_t proto = rd_u16(data);
	uint8_t algorithm = rd_u8(data);

	if (proto == PPP_PROTO_PAP)
		return PPP_AUTH_PAP;
	if (proto == PPP_PROTO_EAP)
		return PPP_AUTH_EAP_ANY;
	if (proto != PPP_PROTO_CHAP)
		return 0;
	switch (algorithm) {
	case CHAP_MD5:
		return PPP_AUTH_CHAP_MD5;
	case CHAP_MSCHAP:
		return PPP_AUTH_MSCHAP;
	case CHAP_MSCHAPV2:
		return PPP_AUTH_MSCHAPV2;
	default:
		return 0;
	}
}

static void
write_methods(struct wr *w, unsigned methods)
{
	if (methods & PPP_AUTH_EAP_ANY) {
		wr_u16(w, PPP_PROTO_EAP);
	} else if (methods & PPP_AUTH_PAP) {
		wr_u16(w, PPP_PROTO_PAP);
	} else {
		wr_u16(w, PPP_PROTO_CHAP);
		wr_u8(w, methods & PPP_AUTH_MSCHAPV2 ? CHAP_MSCHAPV2 : methods & PPP_AUTH_MSCHAP ? CHAP_MSCHAP : CHAP_MD5);
	}
}

/* The strongest of a set, as one option can ask for it: EAP's methods go together. */
static unsigned
strongest(unsigned set)
{
	unsigned bit = 0;

	for (unsigned b = 1; b <= PPP_AUTH_ALL; b <<= 1) {
		if (set & b)
			bit = b;
	}
	return bit & PPP_AUTH_EAP_ANY ? set & PPP_AUTH_EAP_ANY : bit;
}

static bool
build_auth(void *user, struct wr *w)
{
	struct lcp *lcp = user;

	write_methods(w, lcp->offer);
	lcp->tried |= lcp->offer;
	return lcp->offer != 0;
}

/* Where EAP was in vain, what else there is; but a peer that insists on EAP gets it. That it repeats the same packet, because our Nak
 * was lost, is not insisting. */
static unsigned
allowed_now(struct lcp *lcp, unsigned demand)
{
	unsigned allow = config(lcp)->allow;

	if (!lcp->eap_in_vain)
		return allow;
	if (demand & PPP_AUTH_EAP_ANY) {
		if (lcp->eap_nakked && lcp->fsm.packet->id != lcp->eap_nak_id)
			return allow;
		lcp->eap_nakked = true;
		lcp->eap_nak_id = lcp->fsm.packet->id;
	}
	return allow & ~(unsigned)PPP_AUTH_EAP_ANY;
}

static enum opt_verdict
check_auth(void *user, struct rd *data, struct wr *nak)
{
	struct lcp *lcp = user;
	unsigned demand = methods_of(data), allow = allowed_now(lcp, demand);

	lcp->refused_methods = demand;
	lcp->peer.auth = demand & allow;
	lcp->auth_refused = lcp->peer.auth == 0;
	if (allow == 0)
		return OPT_REJ;
	if (lcp->peer.auth != 0)
		return OPT_ACK;
	write_methods(nak, strongest(allow));
	return OPT_NAK;
}

static void
nak_auth(void *user, struct rd *data)
{
	struct lcp *lcp = user;
	unsigned left = config(lcp)->require & ~lcp->tried;
	unsigned wish = methods_of(data) & left;

	if (lcp->offer == 0)
		return;
	lcp->offer = strongest(wish != 0 ? wish : left);
	if (lcp->offer == 0)
		link_fail(lcp->link, PPP_DOWN_AUTH_REFUSED, 0, "the peer refused every authentication method allowed");
}

static void
rej_auth(void *user)
{
	link_fail(((struct lcp *)user)->link, PPP_DOWN_AUTH_REFUSED, 0, "the peer refused to authenticate");
}

/* ---- magic number (RFC 1661 section 6.4) ---- */

static bool
build_magic(void *user, struct wr *w)
{
	struct lcp *lcp = user;

	wr_u32(w, lcp->magic);
	return lcp->ask_magic;
}

static enum opt_verdict
check_magic(void *user, struct rd *data, struct wr *nak)
{
	struct lcp *lcp = user;
	uint32_t magic = rd_u32(data);

	if (magic != 0 && (!lcp->ask_magic || magic != lcp->magic)) {
		lcp->loops = 0;
		lcp->peer.magic = magic;
		return OPT_ACK;
	}
	if (magic != 0 && ++lcp->loops >= LCP_LOOPS)
		link_fail(lcp->link, PPP_DOWN_LOOPBACK, 0, NULL);
	wr_u32(nak, draw_magic(lcp));
	return OPT_NAK;
}

static void
nak_magic(void *user, struct rd *data)
{
	struct lcp *lcp = user;

	(void)data;
	lcp->magic = draw_magic(lcp);
}

static void
rej_magic(void *user)
{
	struct lcp *lcp = user;

	lcp->ask_magic = false;
	lcp->magic = 0;
}

/* ---- compressed fields ---- */

static bool
build_pfc(void *user, struct wr *w)
{
	(void)w;
	return ((struct lcp *)user)->ask_pfc;
}

static enum opt_verdict
check_pfc(void *user, struct rd *data, struct wr *nak)
{
	struct lcp *lcp = user;

	(void)data;
	(void)nak;
	lcp->peer.pfc = config(lcp)->pfc;
	return lcp->peer.pfc ? OPT_ACK : OPT_REJ;
}

static void
drop_pfc(void *user)
{
	((struct lcp *)user)->ask_pfc = false;
}

static void
nak_pfc(void *user, struct rd *data)
{
	(void)data;
	drop_pfc(user);
}

static bool
build_acfc(void *user, struct wr *w)
{
	(void)w;
	return ((struct lcp *)user)->ask_acfc;
}

static enum opt_verdict
check_acfc(void *user, struct rd *data, struct wr *nak)
{
	struct lcp *lcp = user;

	(void)data;
	(void)nak;
	lcp->peer.acfc = config(lcp)->acfc;
	return lcp->peer.acfc ? OPT_ACK : OPT_REJ;
}

static void
drop_acfc(void *user)
{
	((struct lcp *)user)->ask_acfc = false;
}

static void
nak_acfc(void *user, struct rd *data)
{
	(void)data;
	drop_acfc(user);
}

static const struct opt_row rows[] = {
    {OPT_MRU, 2, 2, build_mru, check_mru, NULL, nak_mru, rej_mru},
    {OPT_ACCM, 4, 4, build_accm, check_accm, NULL, nak_accm, rej_accm},
    {OPT_AUTH, 2, 32, build_auth, check_auth, NULL, nak_auth, rej_auth},
    {OPT_MAGIC, 4, 4, build_magic, check_magic, NULL, nak_magic, rej_magic},
    {OPT_PFC, 0, 0, build_pfc, check_pfc, NULL, nak_pfc, drop_pfc},
    {OPT_ACFC, 0, 0, build_acfc, check_acfc, NULL, nak_acfc, drop_acfc},
};

/* ---- the automaton's view ---- */

static void
lcp_up(void *user)
{
	link_lcp_up(((struct lcp *)user)->link);
}

static void
lcp_down(void *user)
{
	struct lcp *lcp = user;

	lcp_echo_stop(lcp);
	link_lcp_down(lcp->link);
	if (lcp->fsm.state >= FSM_REQ_SENT)
		lcp_reset_wishes(lcp);
}

static void
lcp_finished(void *user)
{
	link_lcp_finished(((struct lcp *)user)->link);
}

static void
forget_peer(void *user)
{
	((struct lcp *)user)->peer = (struct lcp_peer){.mru = PPP_DEFAULT_MRU};
}

static const struct fsm_ops ops = {
    .proto = PPP_PROTO_LCP,
    .options = {rows, sizeof(rows) / sizeof(rows[0])},
    .up = lcp_up,
    .down = lcp_down,
    .finished = lcp_finished,
    .forget_peer = forget_peer,
    .extra = lcp_extra,
    .echo_reply = lcp_echo_reply,
    .code_rejected = lcp_code_rejected,
};

void
lcp_reset_wishes(struct lcp *lcp)
{
	const struct ppp_link_config *c = config(lcp);

	lcp->mru = c->mru;
	lcp->ask_mru = c->mru != PPP_DEFAULT_MRU;
	lcp->accm = c->accm;
	lcp->ask_accm = c->accm != DEFAULT_ACCM;
	lcp->ask_magic = true;
	lcp->magic = draw_magic(lcp);
	lcp->ask_pfc = c->pfc;
	lcp->ask_acfc = c->acfc;
	lcp->offer = strongest(c->require);
	lcp->tried = 0;
	lcp->loops = 0;
}

/* The restart of RFC 1661 section 4.3 (Down, then Up), which the peer sees as a Configure-Request. What was learned about the peer's
 * wishes stays. */
static void
begin_anew(struct lcp *lcp)
{
	lcp->fsm.passive = false;
	fsm_event(&lcp->fsm, FSM_DOWN);
	fsm_event(&lcp->fsm, FSM_UP);
}

bool
lcp_offer_other_than_eap(struct lcp *lcp)
{
	/* those that the peer Nak'd in favour of EAP are worth another try; EAP, tried, does not come again */
	unsigned left = config(lcp)->require & ~(unsigned)PPP_AUTH_EAP_ANY;

	if (left == 0)
		return false;
	lcp->offer = strongest(left);
	begin_anew(lcp);
	return true;
}

bool
lcp_ask_for_other_than_eap(struct lcp *lcp)
{
	if (lcp->eap_in_vain || (config(lcp)->allow & ~(unsigned)PPP_AUTH_EAP_ANY) == 0)
		return false;
	lcp->eap_in_vain = true;
	/* should the peer rather leave */
	lcp->auth_refused = true;
	lcp->refused_methods = 0;
	begin_anew(lcp);
	return true;
}

void
lcp_init(struct lcp *lcp, struct ppp_link *link)
{
	const struct ppp_link_config *c = &link->config;
	struct fsm_limits limits = {c->restart_ns, c->max_configure, c->max_terminate, c->max_failure};

	*lcp = (struct lcp){.link = link, .echo_expiry = TS_NEVER};
	fsm_init(&lcp->fsm, &ops, lcp, &limits, &link->now);
	lcp->fsm.outq = &link->outq;
	lcp->fsm.passive = c->passive;
	forget_peer(lcp);
}
