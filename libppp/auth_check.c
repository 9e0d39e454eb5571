#include "libppp/auth.h"

#include <stdio.h>
#include <string.h>

#include "libppp/mppe_key.h"
#include "libppp/mschap.h"

enum { CHALLENGE_MIN = 8 };

/* ---- NT hash ------------------------------------------------------------------------------------------------- */

/* Takes one character of UTF-8; a byte that starts no valid one stands for itself, as in Latin-1. */
static uint32_t
take_char(const uint8_t **p, size_t *left)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	const uint8_t *s = *p;
	size_t more = s[0] >= 0xf0 && s[0] < 0xf8 ? 3 : s[0] >= 0xe0 && s[0] < 0xf0 ? 2 : s[0] >= 0xc2 && s[0] < 0xe0 ? 1 : 0;
	uint32_t ch = more == 0 ? s[0] : s[0] & (0x3fu >> more);
	bool ok = more < *left;

	for (size_t i = 1; ok && i <= more; i++) {
		ok = (s[i] & 0xc0) == 0x80;
		ch = ch << 6 | (s[i] & 0x3f);
	}
	if (!ok || ch > 0x10ffff || ch < least[more] || (ch >= 0xd800 && ch < 0xe000)) {
		more = 0;
		ch = s[0];
	}
	*p += more + 1;
	*left -= more + 1;
	return ch;
}

static size_t
put_utf16(uint8_t *out, uint32_t ch)
{
	uint32_t unit[2] = {ch, 0};
	size_t units = 1;

	if (ch > 0xffff) {
		unit[0] = 0xd800 | (ch - 0x10000) >> 10;
		unit[1] = 0xdc00 | (ch & 0x3ff);
		units = 2;
	}
	for (size_t i = 0; i < units; i++) {
		out[2 * i] = (uint8_t)unit[i];
		out[2 * i + 1] = (uint8_t)(unit[i] >> 8);
	}
	return 2 * units;
}

void
ppp_nt_hash(const struct ppp_crypto *c, uint8_t out[16], const char *password, size_t len)
{
	uint8_t wide[2 * (PPP_SECRET_MAX + 1)];
	const uint8_t *p = (const uint8_t *)password;
	struct ppp_iov in = {wide, 0};

	/* no character of n bytes gives more than 2 n bytes */
	if (len > PPP_SECRET_MAX)
		len = PPP_SECRET_MAX;
	while (len > 0)
		in.len += put_utf16(wide + in.len, take_char(&p, &len));
	ppp_md4(c, out, &in, 1);
	ppp_wipe(wide, sizeof(wide));
}

/* ---- checks -------------------------------------------------------------------------------------------------- */

static bool
refuse(struct ppp_auth_verdict *v, const char *why)
{
	snprintf(v->message, sizeof(v->message), "%s", why);
	return false;
}

/* Equal and of equal length, in a time that does not depend on the secret's length. */
static bool
same_password(const struct ppp_auth_request *r, const struct ppp_secret *s)
{
	uint8_t a[PPP_SECRET_MAX + 1] = {0}, b[PPP_SECRET_MAX + 1] = {0};
	bool same;

	memcpy(a, r->response, r->response_len);
	memcpy(b, s->data, s->len);
	same = ppp_equal(a, b, sizeof(a)) & (r->response_len == s->len);
	ppp_wipe(a, sizeof(a));
	ppp_wipe(b, sizeof(b));
	return same;
}

static bool
check_pap(const struct ppp_crypto *c, const struct ppp_auth_request *r, const struct ppp_secret *s)
{
	uint8_t hash[16];

	if (r->response_len > PPP_SECRET_MAX)
		return false;
	if (!s->is_nt_hash)
		return same_password(r, s);
	ppp_nt_hash(c, hash, (const char *)r->response, r->response_len);
	return ppp_equal(hash, s->data, sizeof(hash));
}

static bool
check_md5(const struct ppp_crypto *c, const struct ppp_auth_request *r, const struct ppp_secret *s, struct ppp_auth_verdict *v)
{
	struct ppp_iov in[] = {{&r->id, 1}, {s->data, s->len}, {r->challenge, r->challenge_len}};
	uint8_t digest[16];

	if (s->is_nt_hash)
		return refuse(v, "only the NT hash of this user's password is known: CHAP with MD5 can't be checked with it");
	if (r->response_len != sizeof(digest) || r->challenge_len < CHALLENGE_MIN)
		return false;
	ppp_md5(c, digest, in, 3);
	return ppp_equal(digest, r->response, sizeof(digest));
}

static bool
check_v1(const struct ppp_crypto *c, const struct ppp_auth_request *r, const struct ppp_secret *s, struct ppp_auth_verdict *v)
{
	uint8_t hash[16], lm[16], expected[24];
	bool ok;

	if (r->response_len != MSCHAP_RESPONSE || r->challenge_len != MSCHAP_V1_CHALLENGE)
		return false;
	if (r->response[MSCHAP_FLAG_AT] != 1)
		return refuse(v, "only a LAN Manager response was given; it is too weak to be taken");
	mschap_secret_hash(c, hash, s);
	mschap_response(c, expected, r->challenge, hash);
	ok = ppp_equal(expected, r->response + MSCHAP_NT_AT, sizeof(expected));
	if (ok) {
		mschap_lm_hash(c, lm, (const char *)s->data, s->len);
		mppe_keys_v1(c, &v->keys, hash, s->is_nt_hash ? NULL : lm, r->challenge);
	}
	ppp_wipe(hash, sizeof(hash));
	ppp_wipe(lm, sizeof(lm));
	return ok;
}

static bool
check_v2_name(const struct ppp_crypto *c, const struct ppp_auth_request *r, const uint8_t hash[16], size_t skip, struct ppp_auth_verdict *v)
{
	const uint8_t *nt_response = r->response + MSCHAP_NT_AT;
	uint8_t challenge[8], expected[24];

	mschap_challenge_hash(c, challenge, r->response, r->challenge, r->name + skip, r->name_len - skip);
	mschap_response(c, expected, challenge, hash);
	if (!ppp_equal(expected, nt_response, sizeof(expected)))
		return false;
	mschap_authenticator_response(c, v->authenticator_response, hash, nt_response, challenge);
	mppe_keys_v2(c, &v->keys, hash, nt_response, true);
	return true;
}

static bool
check_v2(const struct ppp_crypto *c, const struct ppp_auth_request *r, const struct ppp_secret *s, struct ppp_auth_verdict *v)
{
	size_t domain;
	uint8_t hash[16];
	bool ok;

	if (r->response_len != MSCHAP_RESPONSE || r->challenge_len != MSCHAP_V2_CHALLENGE || r->name_len > PPP_NAME_MAX)
		return false;
	domain = mschap_domain(r->name, r->name_len);
	mschap_secret_hash(c, hash, s);
	ok = check_v2_name(c, r, hash, domain, v) || (domain > 0 && check_v2_name(c, r, hash, 0, v));
	ppp_wipe(hash, sizeof(hash));
	return ok;
}

void
ppp_auth_check(
    const struct ppp_crypto *c, const struct ppp_auth_request *request, const struct ppp_secret *secret, struct ppp_auth_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	if (secret->len > PPP_SECRET_MAX || (secret->is_nt_hash && secret->len != 16)) {
		refuse(verdict, "the secret of this user is unusable");
		return;
	}
	switch (request->method) {
	case PPP_AUTH_PAP:
		verdict->ok = check_pap(c, request, secret);
		break;
	case PPP_AUTH_CHAP_MD5:
	case PPP_AUTH_EAP_MD5:
		verdict->ok = check_md5(c, request, secret, verdict);
		break;
	case PPP_AUTH_MSCHAP:
		verdict->ok = check_v1(c, request, secret, verdict);
		break;
	case PPP_AUTH_EAP_MSCHAPV2:
	case PPP_AUTH_MSCHAPV2:
		verdict->ok = check_v2(c, request, secret, verdict);
		break;
	}
	if (!verdict->ok) {
		verdict->mschap_error = PPP_MSE_WRONG_PASSWORD;
		verdict->retry = true;
		if (verdict->message[0] == '\0')
			refuse(verdict, mschap_error_text(PPP_MSE_WRONG_PASSWORD));
	}
}
