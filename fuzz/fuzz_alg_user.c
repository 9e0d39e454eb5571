/* The gateway's forwarder: the first bytes choose gates, then come packets, IPv4 or IPv6. What leaves is what came, but for addresses,
 * hops and the call id; what doesn't leave is untouched. */
#include <string.h>

#include "alg/datapath/user_gates.h"
#include "fuzz/fuzz.h"

enum { GATES = 4, MAX_PACKET = 2048, CALL_ID_AT = 6 };

struct world {
	struct user_gates gates;
	struct user_gate gate[GATES];
	uint64_t pkts;
};

/* Few different ones, so that packets meet gates. */
static struct addr
address(uint8_t choice)
{
	const uint8_t v4[4] = {10, 0, 0, choice & 3}, v6[16] = {0x20, 1, [15] = choice & 3};

	return (choice & 0x80) != 0 ? addr_v6(v6) : addr_v4(v4);
}

static void
add_gate(struct world *w, struct user_gate *g, struct fuzz_input *in)
{
	uint8_t from = fuzz_u8(in), to = fuzz_u8(in), kind = fuzz_u8(in);

	*g = (struct user_gate){.gate = {address(from & 0x83), address((from & 0x80) | (from >> 2 & 3)), kind & 3, address(to & 0x83),
				    address((to & 0x80) | (to >> 2 & 3)), fuzz_u16(in)}};
	g->own = (kind & 0x80) != 0;
	if (user_gates_find(&w->gates, &g->gate.src, &g->gate.dst, g->gate.call_id) == NULL)
		user_gates_add(&w->gates, g);
}

static bool
read_packet(struct user_packet *p, uint8_t kind, uint8_t *data, size_t len, enum datapath_user_drop *why)
{
	if ((kind & 1) == 0)
		return user_packet_ipv4(p, data, len, why);
	*p =
	    (struct user_packet){.src = address(0x80 | kind >> 1), .dst = address(0x80 | kind >> 3), .hops = kind >> 5, .length = len + 40};
	return user_packet_gre(p, data, len, why);
}

static void
check_left(const struct user_packet *was, const struct user_packet *p, const uint8_t *before, const uint8_t *data, size_t len)
{
	size_t at = (size_t)(p->gre - data) + CALL_ID_AT;

	FUZZ_CHECK(p->gre == was->gre && p->grelen == was->grelen && p->length == was->length && p->tos == was->tos);
	FUZZ_CHECK(p->hops > 0 && p->hops == was->hops - 1);
	FUZZ_CHECK(at + 2 <= len);
	FUZZ_CHECK(memcmp(before, data, at) == 0 && memcmp(before + at + 2, data + at + 2, len - at - 2) == 0);
	FUZZ_CHECK(p->call_id == (data[at] << 8 | data[at + 1]));
}

static void
packet(struct world *w, uint8_t kind, const uint8_t *before, size_t len)
{
	uint8_t *data = malloc(len > 0 ? len : 1); /* exactly as long as it is */
	enum datapath_user_drop why = USER_DROPS;
	struct user_packet p, was;

	if (data == NULL)
		return;
	memcpy(data, before, len);
	if (read_packet(&p, kind, data, len, &why)) {
		FUZZ_CHECK(p.gre >= data && p.gre + p.grelen <= data + len && p.grelen >= CALL_ID_AT + 2);
		was = p;
		if (user_gates_apply(&w->gates, &p, &why)) {
			w->pkts++;
			check_left(&was, &p, before, data, len);
			free(data);
			return;
		}
		FUZZ_CHECK(why == USER_UNKNOWN || why == USER_OWN || why == USER_TTL);
		w->pkts += why == USER_OWN;
	} else {
		FUZZ_CHECK(why == USER_SHORT || why == USER_NOT_GRE);
	}
	FUZZ_CHECK(memcmp(before, data, len) == 0);
	free(data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static const uint64_t key[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543211)};
	struct fuzz_input in = {data, datalen};
	struct world w = {.pkts = 0};
	uint64_t counted = 0;

	if (!user_gates_init(&w.gates, GATES, key, NULL))
		return 0;
	for (size_t i = 0; i < GATES; i++)
		add_gate(&w, &w.gate[i], &in);
	while (in.left > 0) {
		uint8_t kind = fuzz_u8(&in);
		size_t len, want = fuzz_u16(&in) % MAX_PACKET;
		const uint8_t *bytes = fuzz_bytes(&in, want, &len);

		packet(&w, kind, bytes, len);
	}
	for (size_t i = 0; i < GATES; i++)
		counted += w.gate[i].pkts;
	FUZZ_CHECK(counted == w.pkts);
	user_gates_fini(&w.gates);
	return 0;
}
