#include "libppp/auth_fsm.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth_trace(void);

static void
assert_trace(enum ppp_proto proto, const char *hex, const char *expected)
{
	uint8_t packet[256];
	char line[400];
	struct text t;

	text_init(&t, line, sizeof(line));
	auth_trace(&t, proto, packet, unhex(packet, sizeof(packet), hex));
	ck_assert_str_eq(line, expected);
}

START_TEST(pap)
{
	assert_trace(PPP_PROTO_PAP, "01070010 036a6f65 06736563726574 99", "PAP AuthReq id=7 name=\"joe\" <password hidden>");
	assert_trace(PPP_PROTO_PAP, "02070007 026869", "PAP AuthAck id=7 message=\"hi\"");
	assert_trace(PPP_PROTO_PAP, "03070004", "PAP AuthNak id=7");
	assert_trace(PPP_PROTO_PAP, "09070004", "PAP code=9 id=7");
}
END_TEST

START_TEST(chap)
{
	assert_trace(PPP_PROTO_CHAP, "0101000a 020aff 737276", "CHAP Challenge id=1 <0aff> name=\"srv\"");
	assert_trace(PPP_PROTO_CHAP, "0201000a 020aff 6a6f65", "CHAP Response id=1 <2 bytes hidden> name=\"joe\"");
	assert_trace(PPP_PROTO_CHAP, "03010008 533d3031", "CHAP Success id=1 message=\"S=01\"");
	assert_trace(PPP_PROTO_CHAP, "04010009 453d363931", "CHAP Failure id=1 message=\"E=691\"");
	assert_trace(PPP_PROTO_CHAP, "07010006 abcd", "CHAP ChangePassword3 id=1 <2 bytes hidden>");
	assert_trace(PPP_PROTO_CHAP, "02010006 0900", "CHAP Response id=1 <malformed>");
	assert_trace(PPP_PROTO_CHAP, "08010004", "CHAP code=8 id=1");
}
END_TEST

START_TEST(eap)
{
	assert_trace(PPP_PROTO_EAP, "01020005 01", "EAP Request id=2 Identity");
	assert_trace(PPP_PROTO_EAP, "02020008 016a6f65", "EAP Response id=2 Identity name=\"joe\"");
	assert_trace(PPP_PROTO_EAP, "01020007 026869", "EAP Request id=2 Notification message=\"hi\"");
	assert_trace(PPP_PROTO_EAP, "02020007 031a04", "EAP Response id=2 Nak <type 26> <type 4>");
	assert_trace(PPP_PROTO_EAP, "01020008 040207ff", "EAP Request id=2 MD5 <07ff>");
	assert_trace(PPP_PROTO_EAP, "02020008 040207ff", "EAP Response id=2 MD5 <2 bytes hidden>");
	assert_trace(PPP_PROTO_EAP, "0102000d 1a0105 0008 0107 7372", "EAP Request id=2 MSCHAPv2-Challenge <07> name=\"sr\"");
	assert_trace(PPP_PROTO_EAP, "0202000d 1a0205 0008 0107 6a6f", "EAP Response id=2 MSCHAPv2-Response <1 bytes hidden> name=\"jo\"");
	assert_trace(PPP_PROTO_EAP, "0102000b 1a0305 0006 6f6b", "EAP Request id=2 MSCHAPv2-Success message=\"ok\"");
	assert_trace(PPP_PROTO_EAP, "02020006 1a03", "EAP Response id=2 MSCHAPv2-Success");
	assert_trace(PPP_PROTO_EAP, "02020006 1a07", "EAP Response id=2 MSCHAPv2 opcode=7");
	assert_trace(PPP_PROTO_EAP, "01020005 0d", "EAP Request id=2 type=13");
	assert_trace(PPP_PROTO_EAP, "03020004", "EAP Success id=2");
	assert_trace(PPP_PROTO_EAP, "04020004", "EAP Failure id=2");
	assert_trace(PPP_PROTO_EAP, "05020004", "EAP code=5 id=2");
}
END_TEST

START_TEST(malformed)
{
	assert_trace(PPP_PROTO_EAP, "", "c227 <malformed, 0 bytes>");
	assert_trace(PPP_PROTO_PAP, "010100", "c023 <malformed, 3 bytes>");
	assert_trace(PPP_PROTO_CHAP, "01010003", "c223 <malformed, 4 bytes>");
	assert_trace(PPP_PROTO_CHAP, "01010005", "c223 <malformed, 4 bytes>");
}
END_TEST

START_TEST(garbage)
{
	static const enum ppp_proto protos[] = {PPP_PROTO_PAP, PPP_PROTO_CHAP, PPP_PROTO_EAP};
	uint32_t seed = 44;

	for (int round = 0; round < 20000; round++) {
		size_t len = test_random(&seed) % 64;
		uint8_t *packet = malloc(len);
		char line[80];
		struct text t;

		test_random_fill(&seed, packet, len);
		if (len >= 5) {
			packet[0] &= 7;
			packet[2] = 0;
			packet[3] = (uint8_t)(round % 5 == 0 ? packet[3] & 63 : len);
			packet[4] = round % 2 == 0 ? 26 : packet[4] & 7;
		}
		text_init(&t, line, sizeof(line));
		auth_trace(&t, protos[round % 3], packet, len);
		ck_assert_uint_eq(strlen(line), t.len);
		free(packet);
	}
}
END_TEST

Suite *
suite_auth_trace(void)
{
	Suite *s = suite_create("libppp/auth_trace");
	TCase *tc = tcase_create("auth_trace");

	tcase_add_test(tc, pap);
	tcase_add_test(tc, chap);
	tcase_add_test(tc, eap);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, garbage);
	suite_add_tcase(s, tc);
	return s;
}
