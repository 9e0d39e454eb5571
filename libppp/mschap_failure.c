/* The text of MS-CHAP failure packets (RFC 2433 section 6, RFC 2759 section 6). */
#include "libppp/mschap.h"

#include <string.h>

#include "base/text.h"

const char *
mschap_error_text(unsigned error)
{
	switch (error) {
	case PPP_MSE_RESTRICTED_HOURS:
		return "this account may not log in at this time";
	case PPP_MSE_ACCOUNT_DISABLED:
		return "this account is disabled";
	case PPP_MSE_PASSWORD_EXPIRED:
		return "the password has expired; it has to be changed by other means";
	case PPP_MSE_NO_DIALIN:
		return "this account has no permission for remote access";
	case PPP_MSE_WRONG_PASSWORD:
		return "wrong user name or password";
	case PPP_MSE_CHANGING_PASSWORD:
		return "the password could not be changed";
	default:
		return NULL;
	}
}

static int
hex_digit(uint8_t ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

static unsigned
number(const uint8_t *data, size_t datalen)
{
	unsigned n = 0;

	for (size_t i = 0; i < datalen && data[i] >= '0' && data[i] <= '9' && n < 10000; i++)
		n = n * 10 + (data[i] - '0');
	return n <= UINT16_MAX ? n : 0;
}

static void
challenge(struct mschap_failure *f, const uint8_t *data, size_t datalen)
{
	f->challenge_len = 0;
	for (size_t i = 0; i + 1 < datalen && f->challenge_len < sizeof(f->challenge); i += 2) {
		int high = hex_digit(data[i]), low = hex_digit(data[i + 1]);

		if (high < 0 || low < 0)
			return;
		f->challenge[f->challenge_len++] = (uint8_t)(high << 4 | low);
	}
}

static void
message(struct mschap_failure *f, const uint8_t *data, size_t datalen)
{
	struct text t;

	text_init(&t, f->message, sizeof(f->message));
	text_add_untrusted(&t, data, datalen);
}

void
mschap_failure_parse(struct mschap_failure *f, const uint8_t *data, size_t datalen)
{
	size_t i = 0;

	memset(f, 0, sizeof(*f));
	while (i + 2 <= datalen) {
		const uint8_t *value = data + i + 2;
		size_t left = datalen - i - 2;

		if (data[i + 1] == '=' && data[i] == 'M') {
			message(f, value, left);
			return;
		}
		if (data[i + 1] == '=' && data[i] == 'E')
			f->error = (uint16_t)number(value, left);
		else if (data[i + 1] == '=' && data[i] == 'R')
			f->retry = left > 0 && value[0] == '1';
		else if (data[i + 1] == '=' && data[i] == 'C')
			challenge(f, value, left);
		while (i < datalen && data[i] != ' ')
			i++;
		while (i < datalen && data[i] == ' ')
			i++;
	}
	/* no field at all: the whole of it is the text */
	if (f->error == 0 && f->challenge_len == 0)
		message(f, data, datalen);
}
