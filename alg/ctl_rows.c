#include <stdio.h>

#include "alg/ctl_private.h"
#include "base/timerheap.h"

enum { HOST_TEXT = ADDR_TEXT_MAX + 8 };

void
row_set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

void
row_number(json_t *o, const char *key, uint64_t value)
{
	row_set(o, key, json_integer((json_int_t)value));
}

void
row_text(json_t *o, const char *key, const char *value)
{
	row_set(o, key, ctl_text(value));
}

void
row_addr(json_t *o, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	row_text(o, key, a->family != 0 ? addr_text(a, buf) : "");
}

void
row_endpoint(json_t *o, const char *key, const struct addr *a, uint16_t port)
{
	char buf[ADDR_TEXT_MAX], text[HOST_TEXT];

	addr_text(a, buf);
	if (a->family == 0)
		text[0] = '\0';
	else
		snprintf(text, sizeof(text), a->family == 6 ? "[%s]:%u" : "%s:%u", buf, port);
	row_text(o, key, text);
}

void
row_seconds(json_t *o, const char *key, uint64_t from, uint64_t to)
{
	if (to == TS_NEVER)
		row_set(o, key, json_null());
	else
		row_number(o, key, to > from ? (to - from) / TS_S(1) : 0);
}

/* ---- which rows ---- */

bool
filter_read(struct filter *f, json_t *args, struct ctl_reply *reply)
{
	const char *client = json_string_value(json_object_get(args, "client"));
	const char *server = json_string_value(json_object_get(args, "server"));

	*f = (struct filter){{0}, {0}};
	if (client != NULL && !addr_parse(&f->client, client)) {
		ctl_reply_error(reply, "no address: %.64s", client);
		return false;
	}
	if (server != NULL && !addr_parse(&f->server, server)) {
		ctl_reply_error(reply, "no address: %.64s", server);
		return false;
	}
	return true;
}

bool
filter_passes(const struct filter *f, const struct addr *client, const struct addr *server)
{
	return (f->client.family == 0 || addr_equal(&f->client, client)) && (f->server.family == 0 || addr_equal(&f->server, server));
}
