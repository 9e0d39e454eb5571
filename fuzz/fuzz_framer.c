/* Framer and codec: the first byte + 1 is the length of the pieces in which the stream comes, the rest the stream. Cut or whole, the
 * same messages must come out; what decodes must encode to something that decodes to the same. */
#include <pptp/framer.h>
#include <pptp/msg.h>

#include <string.h>

#include "fuzz/fuzz.h"

static void
check_message(const uint8_t *data, size_t datalen)
{
	struct pptp_msg msg, again;
	uint8_t buf[PPTP_MAX_MESSAGE];
	const char *field = NULL;
	char text[300];
	int n;

	if (pptp_msg_decode(&msg, data, datalen, PPTP_STRICT, &field) == PPTP_OK) {
		/* Strict leaves nothing out, so the bytes come back. */
		n = pptp_msg_encode(buf, sizeof(buf), &msg);
		FUZZ_CHECK(n == (int)datalen && memcmp(buf, data, datalen) == 0);
	}
	if (pptp_msg_decode(&msg, data, datalen, PPTP_LENIENT, NULL) != PPTP_OK)
		return;
	n = pptp_msg_encode(buf, sizeof(buf), &msg);
	FUZZ_CHECK(n == (int)datalen);
	FUZZ_CHECK(pptp_msg_decode(&again, buf, (size_t)n, PPTP_LENIENT, NULL) == PPTP_OK);
	FUZZ_CHECK(memcmp(&again, &msg, sizeof(msg)) == 0);
	FUZZ_CHECK(strlen(pptp_msg_text(text, sizeof(text), &msg)) < sizeof(text));
	for (const char *p = text; *p != '\0'; p++)
		FUZZ_CHECK(*p >= 0x20 && *p < 0x7f);
}

/* A number that stands for the messages of a stream fed in steps of `step` bytes, and for how it ended. */
static uint32_t
digest(const uint8_t *data, size_t datalen, size_t step)
{
	struct pptp_framer f;
	const uint8_t *msg;
	uint32_t sum = 1;
	int n = 0;

	pptp_framer_init(&f);
	while (datalen > 0 && n >= 0) {
		size_t part = step < datalen ? step : datalen, was = part;

		while (n >= 0 && part > 0) {
			n = pptp_framer_next(&f, &data, &part, &msg);
			for (int i = 0; i < n; i++)
				sum = sum * 31 + msg[i];
			if (n > 0)
				check_message(msg, (size_t)n);
		}
		datalen -= was - part;
	}
	return sum * 31 + (uint32_t)f.error;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	if (datalen < 1)
		return 0;
	FUZZ_CHECK(digest(data + 1, datalen - 1, data[0] + 1u) == digest(data + 1, datalen - 1, datalen));
	check_message(data + 1, datalen - 1);
	return 0;
}
