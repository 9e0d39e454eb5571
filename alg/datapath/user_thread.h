/* One thread of the user backend: receives, looks up, sends. Its gates are added, read and removed by one other thread. */
#ifndef ALG_DATAPATH_USER_THREAD_H
#define ALG_DATAPATH_USER_THREAD_H

#include "alg/datapath/user_gates.h"

struct user_thread;

/* fd4 or fd6 may be -1. stop: the thread ends when it is readable. gates: about how many there will be. NULL with errno. */
struct user_thread *user_thread_start(unsigned number, int fd4, int fd6, int stop, size_t gates);
/* Waits for its end; stop must be readable. NULL is allowed. */
void user_thread_end(struct user_thread *t);

/* As user_gates_*(). A gate found may be read but for its counters. */
struct user_gate *user_thread_find(struct user_thread *t, const struct gate *gate);
void user_thread_add(struct user_thread *t, struct user_gate *gate);
void user_thread_del(struct user_thread *t, struct user_gate *gate);

void user_thread_read(struct user_thread *t, const struct user_gate *gate, uint64_t *pkts, uint64_t *bytes);
/* Adds to the gate's counters. */
void user_thread_count(struct user_thread *t, struct user_gate *gate, uint64_t pkts, uint64_t bytes);
/* Adds this thread's to stats. */
void user_thread_stats(struct user_thread *t, struct datapath_user_stats *stats);

#endif
