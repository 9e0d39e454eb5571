#include "libppp/trace.h"

#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_trace(void);

static const struct {
	unsigned proto;
	const char *hex, *text;
} cases[] = {
    {0xc021, "0101001f 01040578 02060a0b0c0d 0305c22381 05060a1b2c3d 0702 0802 0203",
	"[LCP ConfReq id=1 <mru 1400> <asyncmap 0a0b0c0d> <auth MSCHAP-v2> <magic 0a1b2c3d> <pcomp> <accomp> <malformed>]"},
    {0xc021, "0201001b 0304c023 0304c227 0305c22305 0305c22380 0305c22377",
	"[LCP ConfAck id=1 <auth PAP> <auth EAP> <auth CHAP-md5> <auth MSCHAP-v1> <auth CHAP-77>]"},
    {0xc021, "0401001b 0d0306 110405dc 1202 1305010203 0404c025 6305aabbcc",
	"[LCP ConfRej id=1 <callback 06> <mrru 1500> <ssnhf> <endpoint 010203> <4 c025> <99 aabbcc>]"},
    {0xc021, "03010007 0703aa", "[LCP ConfNak id=1 <7 aa>]"},
    {0xc021, "0505000a 6279650a2200", "[LCP TermReq id=5 \"bye\\x0a\\x22\"]"},
    {0xc021, "06050004", "[LCP TermAck id=5]"},
    {0xc021, "07050008 63010004", "[LCP CodeRej id=5 code=99]"},
    {0xc021, "08050008 80570101", "[LCP ProtoRej id=5 <8057>]"},
    {0xc021, "09ff0008 deadbeef", "[LCP EchoReq id=255 <magic deadbeef>]"},
    {0xc021, "0aff0008 deadbeef", "[LCP EchoRep id=255 <magic deadbeef>]"},
    {0xc021, "0c01000d deadbeef 4d5352415300", "[LCP Ident id=1 <magic deadbeef> \"MSRAS\"]"},
    {0xc021, "63010004", "[LCP code=99 id=1]"},
    {0xc021, "0101", "[LCP malformed, 2 bytes]"},
    {0xc021, "01010003", "[LCP malformed, 4 bytes]"},
    {0xc021, "01010009 0104", "[LCP malformed, 6 bytes]"},
    {0x8021, "0101001c 0206002d0f01 03060a000001 810608080808 840601020304",
	"[IPCP ConfReq id=1 <compress 002d0f01> <addr 10.0.0.1> <dns1 8.8.8.8> <wins2 1.2.3.4>]"},
    {0x8057, "0101000e 010a0001000200ff0003", "[IPV6CP ConfReq id=1 <addr 1:2:ff:3>]"},
    {0x80fd, "0101000a 120601000040", "[CCP ConfReq id=1 <mppe +H -M +S -L -D -C>]"},
    {0x80fd, "0101000a 1206000000b1", "[CCP ConfReq id=1 <mppe -H +M -S +L +D +C>]"},
    {0x80fd, "0e010004", "[CCP ResetReq id=1]"},
    {0x8207, "0e010004", "[PPP protocol 8207, 4 bytes]"},
};

START_TEST(test_lines)
{
	char line[TRACE_LINE_MAX];
	uint8_t packet[100];
	struct text t;

	size_t len = hex_bytes(cases[_i].hex, packet, sizeof(packet));

	/* the length field tells what is padding */
	text_init(&t, line, sizeof(line));
	trace_packet(&t, cases[_i].proto, packet, len);
	ck_assert_str_eq(line, cases[_i].text);
}
END_TEST

START_TEST(test_never_shows_passwords)
{
	static const char *const packets[] = {"0101 0011 036a6f65 08 68756e7465723232", "0201 0010 08 68756e7465723232 6a6f65"};
	static const unsigned protos[] = {PPP_PROTO_PAP, PPP_PROTO_CHAP};

	for (int i = 0; i < 2; i++) {
		char line[TRACE_LINE_MAX];
		uint8_t packet[100];
		struct text t;
		size_t len = hex_bytes(packets[i], packet, sizeof(packet));

		text_init(&t, line, sizeof(line));
		trace_packet(&t, protos[i], packet, len);
		ck_assert_ptr_null(strstr(line, "hunter22"));
		ck_assert_ptr_null(strstr(line, "68756e74"));
		ck_assert_ptr_nonnull(strstr(line, "joe"));
	}
}
END_TEST

/* Of any bytes: one line, printable, ended. */
START_TEST(test_any_bytes)
{
	static const unsigned protos[] = {0xc021, 0x8021, 0x8057, 0x80fd, 0xc023, 0xc223, 0xc227, 1};
	uint32_t seed = 5;

	for (unsigned round = 0; round < 8000; round++) {
		uint8_t packet[1500];
		char line[TRACE_LINE_MAX];
		size_t len = round % 7 == 0 ? sizeof(packet) : round % 90;
		struct text t;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			packet[i] = (uint8_t)(seed >> 24);
		}
		if (len >= 4) {
			packet[0] &= 15;
			packet[2] = (uint8_t)(len >> 8);
			packet[3] = (uint8_t)len;
		}
		text_init(&t, line, sizeof(line));
		trace_packet(&t, protos[round % 8], packet, len);
		ck_assert_uint_lt(strlen(line), sizeof(line));
		for (const char *c = line; *c != '\0'; c++)
			ck_assert(*c >= ' ' && *c <= '~');
	}
}
END_TEST

Suite *
suite_trace(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");

	tcase_add_loop_test(t, test_lines, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, test_never_shows_passwords);
	tcase_add_test(t, test_any_bytes);
	suite_add_tcase(s, t);
	return s;
}
