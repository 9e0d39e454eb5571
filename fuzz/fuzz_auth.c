/* The authenticator and the authenticatee of a link, fed with a sequence of packets of any kind, time and verdicts.
 *
 * Input: method set, sides, then steps {what, ...}. Packets that the two machines send each other are at hand too, so that
 * the fuzzer gets past challenges that it can't compute: a step may carry the last one over, whole, cut or with a byte
 * changed. */
#include <string.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "fuzz/fuzz.h"
#include "libppp/auth_fsm.h"
#include "libppp/mschap.h"

enum { FRAME = 2048, RESTART_S = 3, TRANSMITS = 4 };

struct state {
	struct authr r;
	struct authe e;
	struct outq r_out, e_out;
	struct ppp_secret ours, theirs;
	uint64_t now;
	uint8_t counter;
	bool asked;
};

static struct ppp_crypto *crypto;

static void
count_up(void *user, void *buf, size_t len)
{
	uint8_t *counter = user;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (*counter)++;
}

static void
init(struct state *s, uint8_t flags)
{
	struct auth_config config = {
	    .crypto = crypto,
	    .random = count_up,
	    .random_user = &s->counter,
	    .name = "server",
	    .secret = &s->theirs,
	    .out = &s->r_out,
	    .restart_ns = TS_S(RESTART_S),
	    .max_transmit = TRANSMITS,
	    .retries = flags & 3,
	};

	memset(s, 0, sizeof(*s));
	outq_init(&s->r_out);
	outq_init(&s->e_out);
	memcpy(s->ours.data, "secret", 6);
	s->ours.len = 6;
	s->theirs = s->ours;
	if ((flags & 4) != 0)
		s->theirs.data[0] = 'x';
	if ((flags & 8) != 0) {
		ppp_nt_hash(crypto, s->ours.data, "secret", 6);
		s->ours.len = 16;
		s->ours.is_nt_hash = true;
	}
	authr_init(&s->r, &config);
	config.name = "HOME\\joe";
	config.out = &s->e_out;
	authe_init(&s->e, &config);
}

static void
on_authr(struct state *s, enum authr_result result)
{
	FUZZ_CHECK(result != AUTHR_ACCEPTED || s->r.state == AUTHR_OPEN);
	FUZZ_CHECK(result != AUTHR_REQUEST || s->r.state == AUTHR_DECIDE);
	FUZZ_CHECK(result < AUTHR_REFUSED || s->r.state == AUTHR_CLOSED);
	FUZZ_CHECK(s->r.request.name_len <= PPP_NAME_MAX && s->r.request.name[s->r.request.name_len] == '\0');
	FUZZ_CHECK(s->r.request.response_len <= PPP_SECRET_MAX);
	if (result == AUTHR_REQUEST)
		s->asked = true;
	if (result == AUTHR_NO_METHOD)
		authr_give_up(&s->r);
}

static void
on_authe(struct state *s, enum authe_result result)
{
	FUZZ_CHECK(result != AUTHE_ACCEPTED || s->e.state == AUTHE_OPEN);
	FUZZ_CHECK(result < AUTHE_REJECTED || s->e.state == AUTHE_CLOSED);
	FUZZ_CHECK(memchr(s->e.message, '\0', sizeof(s->e.message)) != NULL);
}

/* In memory of exactly its size, so that a read behind it is seen. */
static void
give(struct state *s, bool to_r, enum ppp_proto proto, const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len);

	FUZZ_CHECK(exact != NULL || len == 0);
	if (len > 0)
		memcpy(exact, packet, len);
	if (to_r)
		on_authr(s, authr_rx(&s->r, proto, exact, len, s->now));
	else
		on_authe(s, authe_rx(&s->e, proto, exact, len, s->now));
	free(exact);
}

static void
check_frame(const uint8_t *frame, size_t len)
{
	char line[200];
	struct text t;

	FUZZ_CHECK(len >= 6 && get_u16(frame + 4) == len - 2);
	text_init(&t, line, sizeof(line));
	auth_trace(&t, get_u16(frame), frame + 2, len - 2);
	FUZZ_CHECK(strstr(line, "secret") == NULL);
}

/* Carries the next frame of one machine to the other, perhaps harmed. */
static void
carry(struct state *s, struct fuzz_input *in, bool to_r)
{
	uint8_t frame[FRAME], harm = fuzz_u8(in);
	size_t len = outq_take(to_r ? &s->e_out : &s->r_out, frame, sizeof(frame));

	if (len == 0)
		return;
	check_frame(frame, len);
	if ((harm & 1) != 0)
		frame[2 + fuzz_u8(in) % (len - 2)] ^= fuzz_u8(in);
	if ((harm & 2) != 0)
		len -= fuzz_u8(in) % (len - 2);
	give(s, to_r, get_u16(frame), frame + 2, len - 2);
}

static void
raw(struct state *s, struct fuzz_input *in, bool to_r)
{
	static const enum ppp_proto protos[] = {PPP_PROTO_PAP, PPP_PROTO_CHAP, PPP_PROTO_EAP, PPP_PROTO_LCP};
	uint8_t what = fuzz_u8(in), packet[260];
	size_t len;
	const uint8_t *p = fuzz_bytes(in, fuzz_u8(in), &len);

	if (len > 0)
		memcpy(packet, p, len);
	/* most with an id and a length that pass */
	if (len >= 4 && (what & 4) == 0) {
		packet[1] = to_r ? s->r.id : s->e.id;
		put_u16(packet + 2, (uint16_t)len);
	}
	auth_trace(&(struct text){.buf = (char[80]){0}, .size = 80}, protos[what & 3], packet, len);
	give(s, to_r, protos[what & 3], packet, len);
}

static void
decide(struct state *s, uint8_t how)
{
	struct ppp_auth_verdict v;

	if (!s->asked)
		return;
	ppp_auth_check(crypto, &s->r.request, &s->ours, &v);
	if ((how & 1) != 0)
		v.ok = false;
	memset(v.message, 'm', how % (PPP_MESSAGE_MAX + 1));
	on_authr(s, authr_verdict(&s->r, (uint8_t)(s->r.request.id + ((how & 6) == 6)), &v, s->now));
}

static void
pass_time(struct state *s)
{
	uint64_t r = authr_expiry(&s->r), e = authe_expiry(&s->e), next = r < e ? r : e;

	if (next == TS_NEVER)
		return;
	s->now = next;
	on_authr(s, authr_expire(&s->r, s->now));
	on_authe(s, authe_expire(&s->e, s->now));
	FUZZ_CHECK(authr_expiry(&s->r) > s->now && authe_expiry(&s->e) > s->now);
}

static void
start(struct state *s, uint8_t which)
{
	static const unsigned sets[] = {PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MD5,
	    PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_ANY};

	s->asked = false;
	authr_start(&s->r, sets[which & 7], s->now);
	authe_start(&s->e, sets[which >> 3 & 7], s->now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	struct fuzz_input in = {data, datalen};
	static struct state s;
	char err[200];

	if (crypto == NULL)
		FUZZ_CHECK(ppp_crypto_new(&crypto, err, sizeof(err)) == 0);
	init(&s, fuzz_u8(&in));
	start(&s, fuzz_u8(&in));
	while (in.left > 0) {
		uint8_t step = fuzz_u8(&in);

		if (step < 0xa0)
			carry(&s, &in, step & 1);
		else if (step < 0xd0)
			raw(&s, &in, step & 1);
		else if (step < 0xe8)
			decide(&s, fuzz_u8(&in));
		else if (step < 0xf8)
			pass_time(&s);
		else if (step < 0xfc)
			on_authe(&s, authe_network_seen(&s.e));
		else
			start(&s, fuzz_u8(&in));
	}
	return 0;
}
