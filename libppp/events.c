#include "libppp/events.h"

#include <stdio.h>
#include <string.h>

static void
set_slot(struct event_slot *s, enum ppp_event_type type, const char *message)
{
	*s = (struct event_slot){.type = type};
	snprintf(s->message, sizeof(s->message), "%s", message != NULL ? message : "");
}

struct event_slot *
events_push(struct events *e, enum ppp_event_type type, const char *message)
{
	unsigned room = type == PPP_EVENT_IDENTIFICATION ? EVENTS_MAX - EVENTS_RESERVE : EVENTS_MAX;
	struct event_slot *s;

	if (e->last.type != PPP_EVENT_NONE || e->count >= room) {
		e->lost++;
		return NULL;
	}
	s = &e->ring[(e->head + e->count++) % EVENTS_MAX];
	set_slot(s, type, message);
	return s;
}

void
events_down(struct events *e, enum ppp_down down, uint16_t mschap_error, const char *message)
{
	if (e->last.type != PPP_EVENT_NONE)
		return;
	set_slot(&e->last, PPP_EVENT_DOWN, message);
	e->last.down = down;
	e->last.mschap_error = mschap_error;
}

bool
events_take(struct events *e, struct event_slot *slot)
{
	if (e->count > 0) {
		*slot = e->ring[e->head];
		e->head = (e->head + 1) % EVENTS_MAX;
		e->count--;
		return true;
	}
	if (e->last.type == PPP_EVENT_NONE || e->last_taken)
		return false;
	*slot = e->last;
	e->last_taken = true;
	return true;
}
