#include "sys/mbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mbox {
	pthread_mutex_t lock;
	int fd;
	bool signalled; /* the eventfd is readable */
	size_t msglen, cap;
	size_t head, count; /* the oldest message, and how many wait */
	uint8_t *ring;      /* cap messages; pages that no burst ever reached stay untouched, because an empty ring starts over at 0 */
};

struct mbox *
mbox_new(size_t msglen, size_t cap)
{
	struct mbox *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->msglen = msglen;
	m->cap = cap;
	m->ring = calloc(cap, msglen);
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->ring == NULL || m->fd < 0 || pthread_mutex_init(&m->lock, NULL) != 0) {
		if (m->fd >= 0)
			close(m->fd);
		free(m->ring);
		free(m);
		return NULL;
	}
	return m;
}

void
mbox_free(struct mbox *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->lock);
	close(m->fd);
	free(m->ring);
	free(m);
}

static void
signal_set(struct mbox *m, bool on)
{
	uint64_t value = 1;

	if (m->signalled == on)
		return;
	/* Neither can fail: the counter is 0 or 1, and only changes under the lock. */
	if ((on ? write(m->fd, &value, sizeof(value)) : read(m->fd, &value, sizeof(value))) == (ssize_t)sizeof(value))
		m->signalled = on;
}

bool
mbox_post(struct mbox *m, const void *msg)
{
	bool room;

	pthread_mutex_lock(&m->lock);
	room = m->count < m->cap;
	if (room) {
		memcpy(m->ring + (m->head + m->count) % m->cap * m->msglen, msg, m->msglen);
		m->count++;
		signal_set(m, true);
	}
	pthread_mutex_unlock(&m->lock);
	return room;
}

bool
mbox_take(struct mbox *m, void *msg)
{
	bool any;

	pthread_mutex_lock(&m->lock);
	any = m->count > 0;
	if (any) {
		memcpy(msg, m->ring + m->head * m->msglen, m->msglen);
		m->head = (m->head + 1) % m->cap;
		if (--m->count == 0)
			m->head = 0;
	} else {
		signal_set(m, false);
	}
	pthread_mutex_unlock(&m->lock);
	return any;
}

int
mbox_fd(const struct mbox *m)
{
	return m->fd;
}
