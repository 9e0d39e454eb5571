/* Copies of packets that can't go on at once. */
#include <stdlib.h>
#include <string.h>

#include "tunnel/worker.h"

struct parcel *
parcel_new(const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint16_t call_id)
{
	struct parcel *p = malloc(sizeof(*p) + len);

	if (p == NULL)
		return NULL;
	p->next = NULL;
	p->call_id = call_id;
	p->h = *h;
	p->len = (uint32_t)len;
	memcpy(p->bytes, packet, len);
	return p;
}

void
parcel_queue_init(struct parcel_queue *q)
{
	*q = (struct parcel_queue){0};
	q->tail = &q->head;
}

void
parcel_put(struct parcel_queue *q, struct parcel *p)
{
	p->next = NULL;
	*q->tail = p;
	q->tail = &p->next;
	q->count++;
	q->bytes += p->len;
}

struct parcel *
parcel_take(struct parcel_queue *q)
{
	struct parcel *p = q->head;

	if (p == NULL)
		return NULL;
	q->head = p->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->count--;
	q->bytes -= p->len;
	return p;
}

void
parcel_queue_clear(struct parcel_queue *q)
{
	struct parcel *p;

	while ((p = parcel_take(q)) != NULL)
		free(p);
}
