/* Numbers for Prometheus, over HTTP on a listening socket: GET /metrics, in its text format (version 0.0.4).
 *
 * Made to be left alone: 16 connections at a time, more wait; one request each, of at most 8 KiB, and 10 s for all of it. */
#ifndef SYS_METRICS_H
#define SYS_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct metrics_server;

/* An answer being written. */
struct metrics_out;

/* Called for each request, from the loop: writes its families, each begun with metrics_family() and followed by its values. */
typedef void (*metrics_fn)(void *user, struct metrics_out *out);

/* Serves fd (listening, non-blocking; owned from then on) on the loop. NULL, with fd closed, when memory ran out. */
struct metrics_server *metrics_server_new(struct event_base *base, int fd, metrics_fn fn, void *user);
/* Not from inside fn. May be NULL. */
void metrics_server_free(struct metrics_server *s);

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_label {
	const char *name;
	const char *value; /* any bytes: what is no UTF-8 is written as \xNN */
};

/* Begins a family. name: letters, digits, '_' and ':'; other bytes become '_', and a counter's gets "_total" behind it unless it has
 * it. help: one sentence. A name must come once in an answer. */
void metrics_family(struct metrics_out *out, enum metrics_type type, const char *name, const char *help);
/* One value of the family, with n labels. For COUNTER and GAUGE. */
void metrics_u64(struct metrics_out *out, uint64_t value, const struct metrics_label *labels, size_t n);
void metrics_double(struct metrics_out *out, double value, const struct metrics_label *labels, size_t n);

/* A histogram's buckets: counts[i] of what is at most bounds[i], but above the bound before; counts[n] of what is above all. */
struct metrics_buckets {
	const double *bounds;   /* n, rising */
	const uint64_t *counts; /* n + 1 */
	size_t n;
	double sum; /* of all that was counted */
};

/* For HISTOGRAM. No label may be named "le". */
void metrics_histogram(struct metrics_out *out, const struct metrics_buckets *buckets, const struct metrics_label *labels, size_t n);

#endif
