/* A link's events until the program takes them: a bounded ring, plus a place of its own for the last one, Down. */
#ifndef LIBPPP_EVENTS_H
#define LIBPPP_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/link.h"

/* A program that drains after each call sees at most a handful; RESERVE of them are kept from what a peer can repeat. */
enum { EVENTS_MAX = 8, EVENTS_RESERVE = 4 };

struct event_slot {
	enum ppp_event_type type;
	enum ppp_down down;
	uint16_t mschap_error;
	char message[PPP_MESSAGE_MAX + 1];
};

struct events {
	struct event_slot ring[EVENTS_MAX];
	unsigned head, count;
	struct event_slot last; /* PPP_EVENT_DOWN, behind all of the ring; type NONE: not yet */
	bool last_taken;
	uint64_t lost;
};

/* Appends one and returns it, to be filled; NULL when it is full. */
struct event_slot *events_push(struct events *e, enum ppp_event_type type, const char *message);
/* The Down event; the first one counts. */
void events_down(struct events *e, enum ppp_down down, uint16_t mschap_error, const char *message);
bool events_take(struct events *e, struct event_slot *slot);

#endif
