#include "libppp/trace.h"

#include "base/wire.h"
#include "libppp/auth_fsm.h"
#include "libppp/bundle_int.h"
#include "libppp/link_int.h"

enum { HEADER = 4 };

/* ---- options ---- */

struct option_text {
	uint16_t proto;
	uint8_t type;
	uint8_t len; /* of the data; 0xff: any */
	const char *name;
	void (*value)(struct text *t, const uint8_t *data, size_t len); /* NULL: the name says all */
};

static void
decimal(struct text *t, const uint8_t *data, size_t len)
{
	(void)len;
	text_addf(t, " %u", get_u16(data));
}

static void
hex(struct text *t, const uint8_t *data, size_t len)
{
	text_addf(t, " ");
	text_add_hex(t, data, len);
}

static void
address(struct text *t, const uint8_t *data, size_t len)
{
	(void)len;
	text_addf(t, " %u.%u.%u.%u", data[0], data[1], data[2], data[3]);
}

static void
ifid(struct text *t, const uint8_t *data, size_t len)
{
	(void)len;
	text_addf(t, " %x:%x:%x:%x", get_u16(data), get_u16(data + 2), get_u16(data + 4), get_u16(data + 6));
}

static void
chap_algorithm(struct text *t, uint8_t algorithm)
{
	if (algorithm == 0x05)
		text_addf(t, " CHAP-md5");
	else if (algorithm == 0x80)
		text_addf(t, " MSCHAP-v1");
	else if (algorithm == 0x81)
		text_addf(t, " MSCHAP-v2");
	else
		text_addf(t, " CHAP-%02x", algorithm);
}

static void
auth_protocol(struct text *t, const uint8_t *data, size_t len)
{
	if (len < 2)
		hex(t, data, len);
	else if (get_u16(data) == PPP_PROTO_PAP)
		text_addf(t, " PAP");
	else if (get_u16(data) == PPP_PROTO_EAP)
		text_addf(t, " EAP");
	else if (get_u16(data) == PPP_PROTO_CHAP && len >= 3)
		chap_algorithm(t, data[2]);
	else
		hex(t, data, len);
}

static void
mppe(struct text *t, const uint8_t *data, size_t len)
{
	uint32_t v = get_u32(data);

	(void)len;
	text_addf(t, " %cH %cM %cS %cL %cD %cC", v & 0x01000000 ? '+' : '-', v & 0x80 ? '+' : '-', v & 0x40 ? '+' : '-',
	    v & 0x20 ? '+' : '-', v & 0x10 ? '+' : '-', v & 0x01 ? '+' : '-');
}

static const struct option_text options[] = {
    {PPP_PROTO_LCP, 1, 2, "mru", decimal},
    {PPP_PROTO_LCP, 2, 4, "asyncmap", hex},
    {PPP_PROTO_LCP, 3, 0xff, "auth", auth_protocol},
    {PPP_PROTO_LCP, 5, 4, "magic", hex},
    {PPP_PROTO_LCP, 7, 0, "pcomp", NULL},
    {PPP_PROTO_LCP, 8, 0, "accomp", NULL},
    {PPP_PROTO_LCP, 13, 0xff, "callback", hex},
    {PPP_PROTO_LCP, 17, 2, "mrru", decimal},
    {PPP_PROTO_LCP, 18, 0, "ssnhf", NULL},
    {PPP_PROTO_LCP, 19, 0xff, "endpoint", hex},
    {PPP_PROTO_IPCP, 2, 0xff, "compress", hex},
    {PPP_PROTO_IPCP, 3, 4, "addr", address},
    {PPP_PROTO_IPCP, 129, 4, "dns1", address},
    {PPP_PROTO_IPCP, 130, 4, "wins1", address},
    {PPP_PROTO_IPCP, 131, 4, "dns2", address},
    {PPP_PROTO_IPCP, 132, 4, "wins2", address},
    {PPP_PROTO_IPV6CP, 1, 8, "addr", ifid},
    {PPP_PROTO_CCP, 18, 4, "mppe", mppe},
};

static const struct option_text *
find_option(unsigned proto, uint8_t type, size_t len)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option_text *o = &options[i];

		if (o->proto == proto && o->type == type && (o->len == 0xff || o->len == len))
			return o;
	}
	return NULL;
}

static void
add_option(struct text *t, unsigned proto, uint8_t type, const uint8_t *data, size_t len)
{
	const struct option_text *o = find_option(proto, type, len);

	if (o == NULL) {
		text_addf(t, " <%u", type);
		if (len > 0)
			hex(t, data, len);
	} else {
		text_addf(t, " <%s", o->name);
		if (o->value != NULL)
			o->value(t, data, len);
	}
	text_addf(t, ">");
}

static void
add_options(struct text *t, unsigned proto, struct rd r)
{
	while (rd_left(&r) >= OPT_HEADER) {
		uint8_t type = rd_u8(&r), len = rd_u8(&r);
		const uint8_t *data = len >= OPT_HEADER ? rd_bytes(&r, len - OPT_HEADER) : NULL;

		if (data == NULL) {
			text_addf(t, " <malformed>");
			return;
		}
		add_option(t, proto, type, data, len - OPT_HEADER);
	}
}

/* ---- the rest of a packet, by code ---- */

static void
add_message(struct text *t, struct rd r)
{
	if (rd_left(&r) == 0)
		return;
	text_addf(t, " \"");
	text_add_untrusted(t, r.p, rd_left(&r));
	text_addf(t, "\"");
}

static void
add_magic(struct text *t, struct rd *r)
{
	if (rd_left(r) >= 4)
		text_addf(t, " <magic %08x>", rd_u32(r));
}

static void
add_data(struct text *t, unsigned proto, uint8_t code, struct rd r)
{
	switch (code) {
	case PPP_CONF_REQ:
	case PPP_CONF_ACK:
	case PPP_CONF_NAK:
	case PPP_CONF_REJ:
		add_options(t, proto, r);
		break;
	case PPP_TERM_REQ:
	case PPP_TERM_ACK:
		add_message(t, r);
		break;
	case PPP_CODE_REJ:
		text_addf(t, " code=%u", rd_u8(&r));
		break;
	case PPP_PROTO_REJ:
		text_addf(t, " <%04x>", rd_u16(&r));
		break;
	case PPP_ECHO_REQ:
	case PPP_ECHO_REP:
	case PPP_DISCARD_REQ:
	case PPP_TIME_REMAINING:
		add_magic(t, &r);
		break;
	case PPP_IDENT:
		add_magic(t, &r);
		add_message(t, r);
		break;
	default:
		break;
	}
}

static const char *
protocol_name(unsigned proto)
{
	switch (proto) {
	case PPP_PROTO_LCP:
		return "LCP";
	case PPP_PROTO_IPCP:
		return "IPCP";
	case PPP_PROTO_IPV6CP:
		return "IPV6CP";
	case PPP_PROTO_CCP:
		return "CCP";
	default:
		return NULL;
	}
}

static void
add_code(struct text *t, uint8_t code)
{
	static const char *const names[] = {NULL, "ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej", "ProtoRej",
	    "EchoReq", "EchoRep", "Discard", "Ident", "TimeRemaining", "ResetReq", "ResetAck"};

	if (code > 0 && code < sizeof(names) / sizeof(names[0]))
		text_addf(t, " %s", names[code]);
	else
		text_addf(t, " code=%u", code);
}

static void
add_configuration_packet(struct text *t, unsigned proto, const uint8_t *packet, size_t len)
{
	struct rd r = rd_init(packet, len);
	uint8_t code = rd_u8(&r), id = rd_u8(&r);
	size_t length = rd_u16(&r);

	text_addf(t, "%s", protocol_name(proto));
	if (!r.ok || length < HEADER || length > len) {
		text_addf(t, " malformed, %zu bytes", len);
		return;
	}
	r = rd_sub(&r, length - HEADER);
	add_code(t, code);
	text_addf(t, " id=%u", id);
	add_data(t, proto, code, r);
}

void
trace_packet(struct text *t, unsigned proto, const uint8_t *packet, size_t len)
{
	text_addf(t, "[");
	if (proto == PPP_PROTO_PAP || proto == PPP_PROTO_CHAP || proto == PPP_PROTO_EAP)
		auth_trace(t, (enum ppp_proto)proto, packet, len);
	else if (protocol_name(proto) != NULL)
		add_configuration_packet(t, proto, packet, len);
	else
		text_addf(t, "PPP protocol %04x, %zu bytes", proto, len);
	text_addf(t, "]");
}

void
trace_frame(struct ppp_link *link, bool sent, unsigned proto, const uint8_t *packet, size_t len)
{
	const struct ppp_bundle *b = proto < 0xc000 ? link->bundle : NULL;
	char line[TRACE_LINE_MAX];
	struct text t;

	if (b != NULL ? b->config.trace == NULL : link->config.trace == NULL)
		return;
	text_init(&t, line, sizeof(line));
	trace_packet(&t, proto, packet, len);
	if (b != NULL)
		b->config.trace(b->config.trace_user, sent, line);
	else
		link->config.trace(link->config.trace_user, sent, line);
}
