#include <pptp/framer.h>

#include <string.h>

#include "base/wire.h"
#include "libpptp/msg_table.h"

void
pptp_framer_init(struct pptp_framer *f)
{
	*f = (struct pptp_framer){0};
}

/* The message's length, or why the stream can't be followed. Judges as many bytes as there are in their order, so that a
 * stream which is not PPTP's ends at its first wrong byte, however it was cut into segments. */
static int
header_length(const uint8_t *h, size_t len)
{
	static const uint8_t fixed[] = {0x00, 0x01, 0x1A, 0x2B, 0x3C, 0x4D};
	const struct pptp_msg_info *info;
	unsigned length;

	if (len < 2)
		return PPTP_ERR_SHORT;
	length = get_u16(h);
	if (length < MSG_HEADER || length > PPTP_MAX_MESSAGE)
		return PPTP_ERR_LENGTH;
	for (size_t i = 2; i < len && i < 2 + sizeof(fixed); i++)
		if (h[i] != fixed[i - 2])
			return i < 4 ? PPTP_ERR_KIND : PPTP_ERR_MAGIC;
	if (len < MSG_HEADER)
		return PPTP_ERR_SHORT;
	info = pptp_msg_info(get_u16(h + 8));
	if (info != NULL && length != info->length)
		return PPTP_ERR_LENGTH;
	return (int)length;
}

static size_t
take(struct pptp_framer *f, size_t want, const uint8_t **data, size_t *datalen)
{
	size_t n = want - f->len < *datalen ? want - f->len : *datalen;

	if (n == 0)
		return f->len;
	memcpy(f->buf + f->len, *data, n);
	f->len += n;
	*data += n;
	*datalen -= n;
	return f->len;
}

int
pptp_framer_next(struct pptp_framer *f, const uint8_t **data, size_t *datalen, const uint8_t **msg)
{
	int length;

	if (f->error != PPTP_OK)
		return f->error;
	take(f, f->len < MSG_HEADER ? MSG_HEADER : f->len, data, datalen);
	length = header_length(f->buf, f->len);
	if (length == PPTP_ERR_SHORT)
		return 0;
	if (length < 0)
		return f->error = length;
	if (take(f, (size_t)length, data, datalen) < (size_t)length)
		return 0;
	f->len = 0;
	*msg = f->buf;
	return length;
}
