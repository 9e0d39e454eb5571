/* What the authentication machines share: packet headers, codes, and bounded copies of names. Internal to libppp. */
#ifndef LIBPPP_AUTH_WIRE_H
#define LIBPPP_AUTH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/wire.h"
#include "libppp/auth_fsm.h"

enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };
enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE, CHAP_CHANGE_V1, CHAP_CHANGE_V2, CHAP_CHANGE_V3 };
enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };
enum { EAP_TYPE_IDENTITY = 1, EAP_TYPE_NOTIFICATION, EAP_TYPE_NAK, EAP_TYPE_MD5, EAP_TYPE_MSCHAPV2 = 26 };
enum { EAP_MS_CHALLENGE = 1, EAP_MS_RESPONSE, EAP_MS_SUCCESS, EAP_MS_FAILURE, EAP_MS_CHANGE_PASSWORD = 7 };

enum { MD5_CHALLENGE = 16, MD5_RESPONSE = 16 };

/* A control packet: data is what its length field holds behind the header; padding is gone. */
struct auth_packet {
	uint8_t code;
	uint8_t id;
	struct rd data;
};

static inline bool
auth_packet(struct auth_packet *p, const uint8_t *packet, size_t packetlen)
{
	struct rd r = rd_init(packet, packetlen);
	uint16_t len;

	p->code = rd_u8(&r);
	p->id = rd_u8(&r);
	len = rd_u16(&r);
	if (!r.ok || len < 4)
		return false;
	p->data = rd_sub(&r, len - 4u);
	return p->data.ok;
}

/* The rest of r as a name. A NUL in it is refused: it would be one name to the hash and another to the user file. */
static inline bool
auth_name(char name[PPP_NAME_MAX + 1], uint16_t *namelen, struct rd *r)
{
	size_t len = rd_left(r);
	const uint8_t *p = rd_bytes(r, len);

	if (p == NULL || len > PPP_NAME_MAX || memchr(p, '\0', len) != NULL)
		return false;
	memcpy(name, p, len);
	name[len] = '\0';
	*namelen = (uint16_t)len;
	return true;
}

static inline void
wr_name(struct wr *w, const char *name)
{
	wr_bytes(w, name, strnlen(name, PPP_NAME_MAX));
}

/* The header of EAP-MSCHAPv2 in a reply that starts at w; eap_ms_end() fills in its length (draft-kamath-pppext-eap-mschapv2). */
static inline void
eap_ms_begin(struct wr *w, uint8_t opcode, uint8_t ms_id)
{
	wr_u8(w, EAP_TYPE_MSCHAPV2);
	wr_u8(w, opcode);
	wr_u8(w, ms_id);
	wr_u16(w, 0);
}

static inline void
eap_ms_end(struct wr *w)
{
	if (w->ok)
		put_u16(w->base + 3, (uint16_t)(wr_len(w) - 1));
}

/* The strongest method of a set; 0 of none. */
static inline unsigned
auth_best(unsigned methods)
{
	return methods == 0 ? 0 : 1u << (31 - __builtin_clz(methods));
}

/* The EAP type of a method; 0: it is not one of EAP. */
static inline uint8_t
eap_type(unsigned method)
{
	return method == PPP_AUTH_EAP_MD5 ? EAP_TYPE_MD5 : method == PPP_AUTH_EAP_MSCHAPV2 ? EAP_TYPE_MSCHAPV2 : 0;
}

/* authr.c, for authr_eap.c */
void authr_reply(struct authr *a, const struct wr *w, uint8_t code, uint8_t id);
void authr_transmit(struct authr *a, uint64_t ts);
void authr_challenge(struct authr *a, size_t len);
void authr_success_text(const struct ppp_auth_verdict *v, struct wr *w);
void authr_failure_text(struct authr *a, const struct ppp_auth_verdict *v, struct wr *w);
enum authr_result authr_close(struct authr *a, enum authr_result result);
/* authr_eap.c */
void authr_eap_start(struct authr *a, uint64_t ts);
enum authr_result authr_eap_rx(struct authr *a, struct auth_packet *p, uint64_t ts);
enum authr_result authr_eap_verdict(struct authr *a, const struct ppp_auth_verdict *v, uint64_t ts);
enum authr_result authr_eap_end(struct authr *a);

/* authe.c, for authe_eap.c */
void authe_send(struct authe *e);
void authe_reply(struct authe *e, const struct wr *w, uint8_t code, uint8_t id);
bool authe_md5(struct authe *e, uint8_t out[MD5_RESPONSE], uint8_t id, const uint8_t *challenge, size_t len);
void authe_mschapv2(struct authe *e, uint8_t response[49], const uint8_t challenge[16]);
bool authe_genuine(struct authe *e, const uint8_t *text, size_t len);
void authe_close(struct authe *e);
enum authe_result authe_accept(struct authe *e);
enum authe_result authe_reject(struct authe *e);
void authe_failure(struct authe *e, const uint8_t *text, size_t len);
/* authe_eap.c */
enum authe_result authe_eap_rx(struct authe *e, struct auth_packet *p, uint64_t ts);

#endif
