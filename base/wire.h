/* Bounded reading and writing of network-order wire bytes.
 *
 * A reader or writer that runs past its end turns `ok` false and stays so; reads then give zeros and
 * writes do nothing. A codec reads or writes all its fields and looks at `ok` once. Nothing here
 * allocates; the caller owns the memory and keeps it alive. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool ok;
};

struct wr {
	uint8_t *base;
	uint8_t *p;
	uint8_t *end;
	bool ok;
};

static inline uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t
get_u32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* data may be NULL when datalen is 0. */
static inline struct rd
rd_init(const uint8_t *data, size_t datalen)
{
	const uint8_t *p = data != NULL ? data : (const uint8_t *)"";

	return (struct rd){p, p + datalen, true};
}

static inline size_t
rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* The next n bytes, which stay in the input; NULL (and ok = false) when there are fewer. */
static inline const uint8_t *
rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (!r->ok || rd_left(r) < n) {
		r->ok = false;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p != NULL ? p[0] : 0;
}

static inline uint16_t
rd_u16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p != NULL ? get_u16(p) : 0;
}

static inline uint32_t
rd_u32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p != NULL ? get_u32(p) : 0;
}

static inline uint64_t
rd_u64(struct rd *r)
{
	uint64_t high = rd_u32(r);

	return high << 32 | rd_u32(r);
}

/* A reader over the next n bytes of r, which r then has behind it. */
static inline struct rd
rd_sub(struct rd *r, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	return p != NULL ? rd_init(p, n) : (struct rd){r->p, r->p, false};
}

static inline struct wr
wr_init(uint8_t *buf, size_t buflen)
{
	return (struct wr){buf, buf, buf + buflen, true};
}

static inline size_t
wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->base);
}

/* Room for n bytes, which count as written; NULL (and ok = false) when there is less. */
static inline uint8_t *
wr_room(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (!w->ok || (size_t)(w->end - w->p) < n) {
		w->ok = false;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_room(w, 1);

	if (p != NULL)
		p[0] = v;
}

static inline void
wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_room(w, 2);

	if (p != NULL)
		put_u16(p, v);
}

static inline void
wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_room(w, 4);

	if (p != NULL)
		put_u32(p, v);
}

static inline void
wr_u64(struct wr *w, uint64_t v)
{
	wr_u32(w, (uint32_t)(v >> 32));
	wr_u32(w, (uint32_t)v);
}

static inline void
wr_bytes(struct wr *w, const void *data, size_t datalen)
{
	uint8_t *p = wr_room(w, datalen);

	if (p != NULL && datalen > 0)
		memcpy(p, data, datalen);
}

static inline void
wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL && n > 0)
		memset(p, 0, n);
}

#endif
