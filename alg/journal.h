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

enum { JOURNAL_MAX = 1 << 21 }; /* records of a file */

/* Takes fd over (read and write, empty or a former process's), for up to max records. Room on the disk is had at once, so that writing
 * to the mapping can't fail later; nobody may truncate the file while it is open. NULL with errno, and fd closed: EINVAL (max is 0 or
 * above JOURNAL_MAX, or it is no regular file), ENOSPC, ENOMEM or mmap(2)'s. A file that is no journal of this version is begun anew,
 * *discarded tells so; so are records that don't make sense (checksum): they are cleared. */
struct journal *journal_open(int fd, size_t max, bool *discarded);
void journal_close(struct journal *j);

/* Calls fn for each record there is: before the first journal_put(), those that the former process left, which may be more than max.
 * fn may clear the record it is given, and no other. */
void journal_each(struct journal *j, void (*fn)(void *user, const struct journal_record *record), void *user);
/* How many there are. */
size_t journal_count(const struct journal *j);

/* Puts or replaces the record of pair.id (below 2^63), whose gates have addresses of family 4 or 6; ENOSPC when full, else 0. However the process
 * ends, the former or the new one is there. Constant time. */
int journal_put(struct journal *j, const struct journal_record *record);
/* Unknown ids are ignored. Constant time. */
void journal_clear(struct journal *j, uint64_t pair_id);

/* Above every pair id this file ever saw: what gates_config.first_id must start from. At least 1. */
uint64_t journal_next_id(const struct journal *j);

#endif
