/* Every number that the gateway counts, listed once: `pptpctl alg counters` and the Prometheus exporter show the same. */
#ifndef ALG_COUNTERS_H
#define ALG_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "alg/datapath/datapath.h"

struct gateway;

struct counter {
	const char *name;  /* "calls_refused" */
	const char *help;  /* one sentence without a full stop */
	bool gauge;        /* it can go down; else it counts from the start of this process */
	const char *label; /* NULL: none; else several in a row have the same name, and a value each */
	const char *value_of_label;
	uint64_t value;
};

/* Calls fn for each; those of one name follow each other. */
void counters_each(const struct gateway *gw, void (*fn)(void *user, const struct counter *c), void *user);

/* *sum grows by *c. */
void counters_add(struct gate_counters *sum, const struct gate_counters *c);

#endif
