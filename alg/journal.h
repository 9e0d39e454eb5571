/* The journal of gates: a file of fixed-size records, mapped into the worker, so that gates survive their process.
 *
 * A record is written when its gates are about to be added, and cleared when they are gone: after `kill -9` the next process finds here
 * all that may be left in the kernel, adopts what is, and ages it. The file lives where it ends with the machine (/run). */
#ifndef ALG_JOURNAL_H
#define ALG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/datapath.h"
#include "alg/gates.h"

struct journal_record {
	struct gate_pair pair;
	struct gates_owner owner;
	uint16_t client_id, client_xid, server_id, server_xid;
	uint64_t since_wall; /* seconds of the wall clock */
	bool user;           /* in the user backend, so gone with the process */
};

struct journal;

/* Takes fd over (read and write, empty or a former process's), for up to max records. NULL with errno; a file that is no journal of
 * this version is begun anew, *discarded tells so. */
struct journal *journal_open(int fd, size_t max, bool *discarded);
void journal_close(struct journal *j);

/* Calls fn for each record there is, as left by the former process. Records that don't make sense (checksum) are skipped and cleared. */
void journal_each(struct journal *j, void (*fn)(void *user, const struct journal_record *record), void *user);

/* Puts or replaces the record of pair.id; ENOSPC when full. Constant time. */
int journal_put(struct journal *j, const struct journal_record *record);
/* Unknown ids are ignored. */
void journal_clear(struct journal *j, uint64_t pair_id);

/* Above every pair id this file ever saw: what gates_config.first_id must start from. */
uint64_t journal_next_id(const struct journal *j);

#endif
