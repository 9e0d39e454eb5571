#include "tests/unit/libppp/auth_pair.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "tests/unit/libppp/util.h"

void
auth_pair_init(struct auth_pair *p, uint8_t retries)
{
	struct auth_config config = {
	    .crypto = test_crypto(),
	    .random = test_random_fill,
	    .random_user = &p->seed,
	    .name = "server",
	    .secret = &p->e_secret,
	    .out = &p->r_out,
	    .restart_ns = TS_S(RESTART),
	    .max_transmit = TRANSMITS,
	    .retries = retries,
	};

	memset(p, 0, sizeof(*p));
	p->seed = 20260101;
	p->e_secret = test_password("secret");
	p->r_secret = test_password("secret");
	outq_init(&p->r_out);
	outq_init(&p->e_out);
	authr_init(&p->r, &config);
	config.name = "joe";
	config.out = &p->e_out;
	authe_init(&p->e, &config);
}

void
auth_pair_start(struct auth_pair *p, unsigned r_methods, unsigned e_methods)
{
	authe_start(&p->e, e_methods, p->now);
	authr_start(&p->r, r_methods, p->now);
	auth_pair_settle(p);
}

void
auth_pair_decide(struct auth_pair *p)
{
	struct ppp_auth_verdict v;
	enum authr_result result;

	ppp_auth_check(test_crypto(), &p->r.request, &p->r_secret, &v);
	result = authr_verdict(&p->r, p->r.request.id, &v, p->now);
	if (result != AUTHR_NONE)
		p->r_result = result;
	auth_pair_settle(p);
}

static void
on_authr(struct auth_pair *p, enum authr_result result)
{
	if (result == AUTHR_NONE)
		return;
	p->r_result = result;
	if (result != AUTHR_REQUEST)
		return;
	p->requests++;
	if (!p->hold)
		auth_pair_decide(p);
}

static void
on_authe(struct auth_pair *p, enum authe_result result)
{
	if (result != AUTHE_NONE)
		p->e_result = result;
}

enum authr_result
auth_to_r(struct auth_pair *p, enum ppp_proto proto, const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len);
	enum authr_result result;

	if (len > 0)
		memcpy(exact, packet, len);
	result = authr_rx(&p->r, proto, exact, len, p->now);
	free(exact);
	return result;
}

enum authe_result
auth_to_e(struct auth_pair *p, enum ppp_proto proto, const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len);
	enum authe_result result;

	if (len > 0)
		memcpy(exact, packet, len);
	result = authe_rx(&p->e, proto, exact, len, p->now);
	free(exact);
	return result;
}

enum authr_result
auth_hex_to_r(struct auth_pair *p, enum ppp_proto proto, const char *hex)
{
	uint8_t packet[512];

	return auth_to_r(p, proto, packet, unhex(packet, sizeof(packet), hex));
}

enum authe_result
auth_hex_to_e(struct auth_pair *p, enum ppp_proto proto, const char *hex)
{
	uint8_t packet[512];

	return auth_to_e(p, proto, packet, unhex(packet, sizeof(packet), hex));
}

static bool
lost(int *keep, int *lose)
{
	if (*keep > 0) {
		(*keep)--;
		return false;
	}
	if (*lose == 0)
		return false;
	(*lose)--;
	return true;
}

static bool
carry_r(struct auth_pair *p)
{
	size_t len = outq_take(&p->r_out, p->last_r, sizeof(p->last_r));

	if (len == 0)
		return false;
	p->last_r_len = len;
	p->r_sent++;
	if (!lost(&p->keep_r, &p->lose_r))
		on_authe(p, auth_to_e(p, get_u16(p->last_r), p->last_r + 2, len - 2));
	return true;
}

static bool
carry_e(struct auth_pair *p)
{
	size_t len = outq_take(&p->e_out, p->last_e, sizeof(p->last_e));

	if (len == 0)
		return false;
	p->last_e_len = len;
	p->e_sent++;
	if (!lost(&p->keep_e, &p->lose_e))
		on_authr(p, auth_to_r(p, get_u16(p->last_e), p->last_e + 2, len - 2));
	return true;
}

void
auth_pair_settle(struct auth_pair *p)
{
	unsigned frames = 0;

	while (carry_r(p) || carry_e(p))
		ck_assert_uint_lt(++frames, 100);
}

void
auth_pair_run(struct auth_pair *p, uint64_t ns)
{
	uint64_t end = p->now + ns;

	for (;;) {
		uint64_t r = authr_expiry(&p->r), e = authe_expiry(&p->e), next = r < e ? r : e;

		if (next > end)
			break;
		p->now = next;
		on_authr(p, authr_expire(&p->r, p->now));
		on_authe(p, authe_expire(&p->e, p->now));
		auth_pair_settle(p);
	}
	p->now = end;
}

struct auth_pair *
auth_pair_started(struct auth_pair *p, enum ppp_auth_method method)
{
	auth_pair_init(p, 0);
	auth_pair_start(p, method, method);
	return p;
}

void
auth_pair_assert_agreed(const struct auth_pair *p, enum ppp_auth_method method)
{
	ck_assert_int_eq(p->r_result, AUTHR_ACCEPTED);
	ck_assert_int_eq(p->e_result, AUTHE_ACCEPTED);
	ck_assert_int_eq(p->r.method, method);
	ck_assert_int_eq(p->e.method, method);
	ck_assert_str_eq(p->r.request.name, "joe");
	ck_assert_int_eq(p->r.keys.valid, (method & PPP_AUTH_MSCHAP_ANY) != 0);
	ck_assert_int_eq(p->e.keys.valid, p->r.keys.valid);
	ck_assert_mem_eq(p->r.keys.send, p->e.keys.recv, 16);
	ck_assert_mem_eq(p->r.keys.recv, p->e.keys.send, 16);
	ck_assert_mem_eq(p->r.keys.lm_key, p->e.keys.lm_key, 8);
	ck_assert_uint_eq(authr_expiry(&p->r), TS_NEVER);
	ck_assert_uint_eq(authe_expiry(&p->e), TS_NEVER);
}
