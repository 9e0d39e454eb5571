#include <pptp/msg.h>

#include <string.h>

#include "base/wire.h"
#include "libpptp/msg_table.h"

enum { KIND_CONTROL = 1 }; /* PPTP message type, section 1.4 */

static uint32_t
wire_number(const uint8_t *p, size_t width)
{
	return width == 1 ? p[0] : width == 2 ? get_u16(p) : get_u32(p);
}

uint32_t
msg_number(const struct pptp_msg *msg, const struct field *f)
{
	const uint8_t *p = msg_field(msg, f);
	uint16_t v16;
	uint32_t v32;

	if (f->width == 1)
		return p[0];
	if (f->width == 2) {
		memcpy(&v16, p, sizeof(v16));
		return v16;
	}
	memcpy(&v32, p, sizeof(v32));
	return v32;
}

static void
store_number(uint8_t *to, size_t width, uint32_t v)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;

	memcpy(to, width == 1 ? (void *)&v8 : width == 2 ? (void *)&v16 : (void *)&v, width);
}

static void
read_field(struct pptp_msg *msg, const struct field *f, const uint8_t *data)
{
	uint8_t *to = (uint8_t *)msg + f->offset;

	if (f->kind == FIELD_RESERVED)
		return;
	if (f->kind == FIELD_TEXT)
		memcpy(to, data + f->wire, strnlen((const char *)data + f->wire, f->width));
	else
		store_number(to, f->width, wire_number(data + f->wire, f->width));
}

int
msg_read(struct pptp_msg *msg, const uint8_t *data, size_t datalen)
{
	const struct msg_row *row;

	if (datalen < MSG_HEADER)
		return PPTP_ERR_SHORT;
	if (get_u32(data + 4) != PPTP_MAGIC_COOKIE)
		return PPTP_ERR_MAGIC;
	if (get_u16(data + 2) != KIND_CONTROL)
		return PPTP_ERR_KIND;
	if (get_u16(data) != datalen)
		return get_u16(data) > datalen ? PPTP_ERR_SHORT : PPTP_ERR_LENGTH;
	row = msg_row(get_u16(data + 8));
	if (row == NULL)
		return PPTP_ERR_TYPE;
	if (datalen != row->info.length)
		return PPTP_ERR_LENGTH;
	memset(msg, 0, sizeof(*msg));
	msg->type = (enum pptp_msg_type)get_u16(data + 8);
	for (size_t i = 0; i < row->nfields; i++)
		read_field(msg, &row->fields[i], data);
	return PPTP_OK;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static bool
text_ok(const struct pptp_msg *msg, const struct field *f, const uint8_t *data)
{
	size_t len = strnlen((const char *)data + f->wire, f->width);
	struct field length = {.width = 2, .offset = f->length};

	if (f->length != 0 && msg_number(msg, &length) != len)
		return false;
	return all_zero(data + f->wire + len, f->width - len);
}

static bool
field_ok(const struct pptp_msg *msg, const struct field *f, const uint8_t *data)
{
	uint32_t v;

	if (f->kind == FIELD_RESERVED)
		return all_zero(data + f->wire, f->width);
	if (f->kind == FIELD_TEXT)
		return text_ok(msg, f, data);
	v = msg_number(msg, f);
	return v >= f->min && v <= f->max;
}

int
msg_check(const struct pptp_msg *msg, const uint8_t *data, enum pptp_policy policy, const char **field)
{
	const struct msg_row *row = msg_row(msg->type);

	if (policy != PPTP_STRICT)
		return PPTP_OK;
	for (size_t i = 0; i < row->nfields; i++) {
		if (field_ok(msg, &row->fields[i], data))
			continue;
		if (field != NULL)
			*field = row->fields[i].name;
		return PPTP_ERR_FIELD;
	}
	return PPTP_OK;
}

int
pptp_msg_decode(struct pptp_msg *msg, const uint8_t *data, size_t datalen, enum pptp_policy policy, const char **field)
{
	struct pptp_msg got;
	int error = msg_read(&got, data, datalen);

	if (error == PPTP_OK)
		error = msg_check(&got, data, policy, field);
	if (error == PPTP_OK)
		*msg = got;
	return error;
}

static void
write_field(uint8_t *buf, const struct pptp_msg *msg, const struct field *f)
{
	uint8_t *to = buf + f->wire;
	const uint8_t *from = msg_field(msg, f);

	if (f->kind == FIELD_RESERVED)
		return;
	if (f->kind == FIELD_TEXT)
		memcpy(to, from, strnlen((const char *)from, f->width));
	else if (f->width == 1)
		to[0] = from[0];
	else if (f->width == 2)
		put_u16(to, (uint16_t)msg_number(msg, f));
	else
		put_u32(to, msg_number(msg, f));
}

int
pptp_msg_encode(uint8_t *buf, size_t buflen, const struct pptp_msg *msg)
{
	const struct msg_row *row = msg_row(msg->type);

	if (row == NULL)
		return PPTP_ERR_TYPE;
	if (buflen < row->info.length)
		return PPTP_ERR_SHORT;
	memset(buf, 0, row->info.length);
	put_u16(buf, row->info.length);
	put_u16(buf + 2, KIND_CONTROL);
	put_u32(buf + 4, PPTP_MAGIC_COOKIE);
	put_u16(buf + 8, (uint16_t)msg->type);
	for (size_t i = 0; i < row->nfields; i++)
		write_field(buf, msg, &row->fields[i]);
	return row->info.length;
}
