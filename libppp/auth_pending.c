/* Stands in, by weak symbols, for the authentication machines of auth_fsm.h where those are not linked: nobody is accepted. */
#include "base/timerheap.h"
#include "libppp/auth_fsm.h"

#define WEAK __attribute__((weak))

WEAK void
authr_init(struct authr *a, const struct auth_config *config)
{
	*a = (struct authr){.config = *config};
}

WEAK void
authr_start(struct authr *a, unsigned methods, uint64_t ts)
{
	(void)ts;
	a->methods = methods;
}

WEAK void
authr_stop(struct authr *a)
{
	a->methods = 0;
}

WEAK enum authr_result
authr_rx(struct authr *a, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts)
{
	(void)a, (void)proto, (void)packet, (void)packetlen, (void)ts;
	return AUTHR_NONE;
}

WEAK enum authr_result
authr_verdict(struct authr *a, uint8_t id, const struct ppp_auth_verdict *verdict, uint64_t ts)
{
	(void)a, (void)id, (void)verdict, (void)ts;
	return AUTHR_NONE;
}

WEAK uint64_t
authr_expiry(const struct authr *a)
{
	(void)a;
	return TS_NEVER;
}

WEAK enum authr_result
authr_expire(struct authr *a, uint64_t ts)
{
	(void)a, (void)ts;
	return AUTHR_NONE;
}

WEAK void
authe_init(struct authe *e, const struct auth_config *config)
{
	*e = (struct authe){.config = *config};
}

WEAK void
authe_start(struct authe *e, unsigned methods, uint64_t ts)
{
	(void)ts;
	e->methods = methods;
}

WEAK void
authe_stop(struct authe *e)
{
	e->methods = 0;
}

WEAK enum authe_result
authe_rx(struct authe *e, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts)
{
	(void)e, (void)proto, (void)packet, (void)packetlen, (void)ts;
	return AUTHE_NONE;
}

WEAK enum authe_result
authe_network_seen(struct authe *e)
{
	(void)e;
	return AUTHE_NONE;
}

WEAK uint64_t
authe_expiry(const struct authe *e)
{
	(void)e;
	return TS_NEVER;
}

WEAK enum authe_result
authe_expire(struct authe *e, uint64_t ts)
{
	(void)e, (void)ts;
	return AUTHE_NONE;
}

WEAK void
auth_trace(struct text *t, enum ppp_proto proto, const uint8_t *packet, size_t packetlen)
{
	(void)packet;
	text_addf(t, "protocol %04x, %zu bytes", (unsigned)proto, packetlen);
}

WEAK enum ppp_proto
ppp_auth_proto(enum ppp_auth_method method)
{
	if (method == PPP_AUTH_PAP)
		return PPP_PROTO_PAP;
	return method == PPP_AUTH_EAP_MD5 || method == PPP_AUTH_EAP_MSCHAPV2 ? PPP_PROTO_EAP : PPP_PROTO_CHAP;
}
