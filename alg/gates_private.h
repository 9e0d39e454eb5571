/* What the gates' state machine, its accounts and its actions share. */
#ifndef ALG_GATES_PRIVATE_H
#define ALG_GATES_PRIVATE_H

#include "alg/gates.h"
#include "alg/table.h"
#include "base/timerheap.h"

struct client {
	struct table_node node;
	struct addr addr;
	size_t calls;   /* that count against its limit */
	size_t pairs;   /* that point here, the ending ones too */
	size_t orphans; /* of calls, those without a control connection */
	struct client *next_free;
};

enum { TODO_ADD = 1, TODO_READ = 2, TODO_DEL = 4, TODO_GONE = 8 };

struct pair {
	struct table_node node;
	struct theap_node timer; /* always in the heap, so that setting it can't fail */
	struct client *client;
	struct gates_info info;
	struct gate_counters before; /* carried before the kernel's own counters began anew */
	uint8_t todo;
	bool queued;
	bool live;                /* counts against the limits */
	bool reading;             /* an answer is awaited */
	struct pair *prev, *next; /* of all */
	struct pair *queue_next;
};

struct gates {
	const struct mem *mem;
	struct gates_config config;
	size_t slots;
	struct pair *pairs;
	struct client *clients;
	size_t touched_pairs, touched_clients; /* those from here on were never used */
	struct pair *free_pairs;
	struct client *free_clients;
	struct pair *first, *last;
	struct pair *queue_first, *queue_last;
	struct table by_id, by_client;
	struct theap timers;
	uint64_t next_id;
	struct gates_stats stats;
};

enum gates_event {
	EV_ADDED,
	EV_ADD_FAILED,
	EV_TRAFFIC, /* counters have grown */
	EV_SILENT,  /* they have not, and the time is over */
	EV_MISSING, /* the kernel doesn't have the pair */
	EV_END,
	EV_LOST,
	EV_DELETED,
	EV_TIMER,
	GATES_EVENTS,
};

/* The machine, gates_fsm.c. */
void gates_fsm(struct gates *g, struct pair *p, enum gates_event event, uint64_t ts);
void gates_set_state(struct gates *g, struct pair *p, enum gates_state state, uint64_t ts);
/* Ends the client's oldest pair without a control connection; false: there is none. */
bool gates_end_orphan(struct gates *g, const struct client *client, uint64_t ts);

/* Accounts and memory, gates.c. */
struct pair *gates_by_id(const struct gates *g, uint64_t id);
void gates_unaccount(struct gates *g, struct pair *p);

#endif
