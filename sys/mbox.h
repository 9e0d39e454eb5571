/* A mailbox between threads: messages of one fixed size, by value, first in first out, with an eventfd to wait on.
 *
 * Many threads may post; one takes. */
#ifndef SYS_MBOX_H
#define SYS_MBOX_H

#include <stdbool.h>
#include <stddef.h>

struct mbox;

/* msglen: bytes of a message; cap: messages it holds at most. Returns NULL when memory or descriptors ran out. */
struct mbox *mbox_new(size_t msglen, size_t cap);
void mbox_free(struct mbox *m);
/* Copies msg in and wakes the taker; false when cap messages wait. */
bool mbox_post(struct mbox *m, const void *msg);
/* Copies the oldest message out; false when there is none (and the eventfd is then quiet). */
bool mbox_take(struct mbox *m, void *msg);
/* Readable while messages wait. Owned by the mailbox. */
int mbox_fd(const struct mbox *m);

#endif
