/* A simulator room: a virtual clock, events, lossy packet links and byte streams, all decided by one seed.
 *
 * Packets and bytes are opaque, so that any protocol engine can live in it. The same seed gives the same
 * run, to the bit. A broken invariant ends the program with the seed in its message (SIM_CHECK). Running
 * out of memory ends it too. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/timerheap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim {
	struct theap events;
	uint64_t ts;   /* virtual time, ns */
	uint64_t seed; /* as given, for messages */
	uint64_t random;
	uint64_t steps; /* events that ran */
};

void sim_init(struct sim *sim, uint64_t seed);
void sim_fini(struct sim *sim);

/* Ends the program with "NAME: seed N, t=...: what broke". */
_Noreturn void sim_fail(const struct sim *sim, const char *file, int line, const char *what);
#define SIM_CHECK(sim, cond)                                                                                                               \
	do {                                                                                                                               \
		if (!(cond))                                                                                                               \
			sim_fail((sim), __FILE__, __LINE__, #cond);                                                                        \
	} while (0)

/* --- decisions -------------------------------------------------------------- */

uint64_t sim_u64(struct sim *sim);
/* One of low..high, both included. */
uint64_t sim_range(struct sim *sim, uint64_t low, uint64_t high);
/* True in ppm cases of a million. */
bool sim_chance(struct sim *sim, uint32_t ppm);
/* Has the form of a pptp_random_fn; user is the struct sim. */
void sim_fill(void *user, void *buf, size_t len);

/* --- events ------------------------------------------------------------------ */

/* Embedded in its owner's object, zeroed before first use. It runs once a setting; it may set itself again. */
struct sim_event {
	struct theap_node node;
	void (*run)(struct sim *sim, void *user);
	void *user;
};

/* Makes the event run at ts (not before now); TS_NEVER takes it out. Events of one time run in no promised order. */
void sim_set(struct sim *sim, struct sim_event *event, uint64_t ts);

/* Runs events in order of time until none is left at or before `until`; the clock then shows the last
 * event's time, or `until` unless that is TS_NEVER. A runaway simulation (more than max_steps events) fails. */
void sim_run(struct sim *sim, uint64_t until, uint64_t max_steps);

/* --- packets ------------------------------------------------------------------ */

struct sim_link_config {
	uint32_t loss_ppm;
	uint32_t duplicate_ppm;
	uint64_t delay_ns;
	uint64_t jitter_ns; /* added to the delay, 0..jitter_ns; packets overtake each other within it */
	bool in_order;      /* jitter, but no overtaking */
};

typedef void (*sim_packet_fn)(struct sim *sim, void *user, const uint8_t *data, size_t datalen);

/* One direction. The counters add up: sent + duplicated = lost + delivered + under way. */
struct sim_link {
	struct sim *sim;
	struct sim_link_config config;
	sim_packet_fn deliver;
	void *user;
	uint64_t last_ts;
	uint64_t sent;
	uint64_t lost;
	uint64_t duplicated;
	uint64_t delivered;
	uint64_t under_way;
};

void sim_link_init(struct sim_link *link, struct sim *sim, const struct sim_link_config *config, sim_packet_fn deliver, void *user);
/* Copies the packet and sends it on its way. */
void sim_link_send(struct sim_link *link, const void *data, size_t datalen);

/* --- byte streams --------------------------------------------------------------- */

/* One direction of a TCP-like stream: nothing is lost, bytes come in order, in pieces and after times that
 * the seed decides. The reader may take fewer bytes than offered; the rest is offered again later. */
struct sim_stream_config {
	uint64_t delay_ns;
	uint64_t jitter_ns;
	size_t max_segment; /* bytes that arrive at once, 1..max_segment by chance */
};

/* Returns how many bytes it took. */
typedef size_t (*sim_stream_fn)(struct sim *sim, void *user, const uint8_t *data, size_t datalen);
typedef void (*sim_eof_fn)(struct sim *sim, void *user);

struct sim_stream {
	struct sim *sim;
	struct sim_stream_config config;
	sim_stream_fn deliver;
	sim_eof_fn eof; /* runs once, after the last byte or the cut */
	void *user;
	struct sim_event event;
	uint8_t *data;
	size_t len;
	size_t cap;
	bool closing;
	bool closed;
};

void sim_stream_init(
    struct sim_stream *stream, struct sim *sim, const struct sim_stream_config *config, sim_stream_fn deliver, sim_eof_fn eof, void *user);
void sim_stream_fini(struct sim_stream *stream);
/* Bytes written after the end was written, or after a cut, are dropped. */
void sim_stream_write(struct sim_stream *stream, const void *data, size_t datalen);
/* The end of the stream follows its bytes. */
void sim_stream_end(struct sim_stream *stream);
/* The connection breaks: bytes under way are gone, the end is seen soon. */
void sim_stream_cut(struct sim_stream *stream);

#endif
