#include <pptp/msg.h>

#include <string.h>

#include "base/text.h"
#include "libpptp/msg_table.h"

static void
add_field(struct text *t, const struct pptp_msg *msg, const struct field *f)
{
	const uint8_t *p = msg_field(msg, f);

	switch (f->kind) {
	case FIELD_RESERVED:
		break;
	case FIELD_TEXT:
		text_addf(t, " <%s \"", f->name);
		text_add_untrusted(t, p, f->width);
		text_addf(t, "\">");
		break;
	case FIELD_HEX:
		text_addf(t, " <%s %0*x>", f->name, f->width * 2, msg_number(msg, f));
		break;
	case FIELD_DEC:
		text_addf(t, " <%s %u>", f->name, msg_number(msg, f));
		break;
	}
}

const char *
pptp_msg_text(char *buf, size_t size, const struct pptp_msg *msg)
{
	const struct msg_row *row = msg_row(msg->type);
	struct text t;

	text_init(&t, buf, size);
	if (row == NULL) {
		text_addf(&t, "[PPTP type %u]", (unsigned)msg->type);
		return buf;
	}
	text_addf(&t, "[PPTP %s", row->info.name);
	for (size_t i = 0; i < row->nfields; i++)
		add_field(&t, msg, &row->fields[i]);
	text_addf(&t, "]");
	return buf;
}

static const char *
word(const char *const *words, unsigned code)
{
	for (unsigned i = 0; words != NULL && words[i] != NULL; i++)
		if (i == code)
			return words[i];
	return "unknown";
}

const char *
pptp_result_text(enum pptp_msg_type type, unsigned result_code)
{
	const struct msg_row *row = msg_row(type);

	return word(row != NULL ? row->results : NULL, result_code);
}

const char *
pptp_error_code_text(unsigned error_code)
{
	static const char *const words[] = {
	    "none", "not connected", "bad format", "bad value", "no resource", "bad call id", "PAC error", NULL};

	return word(words, error_code);
}
