#include "tunnel/engine.h"

const char *
tunnel_counter(const struct tunnel_counters *c, size_t i, uint64_t *value)
{
	const struct {
		const char *name;
		const _Atomic uint64_t *value;
	} rows[] = {
	    {"rx_pkts", &c->rx_pkts},
	    {"tx_pkts", &c->tx_pkts},
	    {"gre_rx", &c->gre_rx},
	    {"gre_lost", &c->gre_lost},
	    {"gre_duplicate", &c->gre_duplicate},
	    {"gre_late", &c->gre_late},
	    {"gre_reordered", &c->gre_reordered},
	    {"gre_bad", &c->gre_bad},
	    {"dropped_clear", &c->dropped_clear},
	    {"dropped_spoofed", &c->dropped_spoofed},
	    {"dropped_bad", &c->dropped_bad},
	    {"dropped_queue", &c->dropped_queue},
	    {"mppe_resets", &c->mppe_resets},
	};

	if (i >= sizeof(rows) / sizeof(rows[0]))
		return NULL;
	*value = atomic_load_explicit(rows[i].value, memory_order_relaxed);
	return rows[i].name;
}
