#include "tunnel/coalesce.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"
#include "tunnel/segment.h"

Suite *suite_coalesce(void);

enum { WRITES = 512, SIZE = 1000 };

/* What was written. */
struct log {
	size_t count;
	struct {
		struct virtio_net_hdr h;
		void *to;
		unsigned segments;
		size_t len;
		uint8_t *bytes;
	} writes[WRITES];
};

static void
record(void *user, void *to, const struct virtio_net_hdr *h, struct iovec *iov, unsigned iovcnt, unsigned segments)
{
	struct log *log = user;
	size_t i = log->count++, len = 0;

	ck_assert_uint_lt(i, WRITES);
	for (unsigned k = 1; k < iovcnt; k++)
		len += iov[k].iov_len;
	log->writes[i].h = *h;
	log->writes[i].to = to;
	log->writes[i].segments = segments;
	log->writes[i].len = len;
	log->writes[i].bytes = malloc(len);
	len = 0;
	for (unsigned k = 1; k < iovcnt; k++) {
		memcpy(log->writes[i].bytes + len, iov[k].iov_base, iov[k].iov_len);
		len += iov[k].iov_len;
	}
}

static uint8_t bufs[WRITES][2048];
static uint8_t data[SIZE * 80];
static struct log written;
static struct coalescer c;
static size_t used;

static void
setup(void)
{
	uint64_t state = 5;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)next_random(&state);
	memset(&written, 0, sizeof(written));
	used = 0;
	coalesce_init(&c, record, &written);
}

static void
teardown(void)
{
	for (size_t i = 0; i < written.count; i++)
		free(written.writes[i].bytes);
}

static uint8_t *
add_raw(void *to, size_t len)
{
	struct ip_info ip;

	ck_assert(ip_parse(&ip, bufs[used], len));
	coalesce_add(&c, to, true, &ip, bufs[used]);
	return bufs[used++];
}

static uint8_t *
add(const struct packet_spec *spec)
{
	return add_raw(NULL, packet_make(bufs[used], spec));
}

/* The n-th segment of a stream of SIZE bytes each. */
static struct packet_spec
segment(uint8_t version, unsigned n)
{
	struct packet_spec s = packet_default(version, 6);

	s.id = (uint16_t)n;
	s.seq = 0xfffffc00 + n * SIZE;
	s.payload = data + n * SIZE;
	s.payloadlen = SIZE;
	return s;
}

/* The i-th write, cut again, is exactly these packets. */
static void
check_write(size_t i, const struct packet_spec *specs, size_t count)
{
	uint8_t got[2048], want[2048];
	struct segmenter s;

	ck_assert_uint_lt(i, written.count);
	ck_assert_uint_eq(written.writes[i].segments, count);
	ck_assert(segment_init(&s, written.writes[i].bytes, written.writes[i].len, &written.writes[i].h));
	for (size_t k = 0; k < count; k++) {
		size_t n = packet_make(want, &specs[k]);

		ck_assert_uint_eq(segment_next(&s, got, sizeof(got)), n);
		ck_assert_mem_eq(got, want, n);
	}
	ck_assert_uint_eq(segment_next(&s, got, sizeof(got)), 0);
}

START_TEST(joins_what_follows)
{
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		struct packet_spec specs[5];
		size_t before = written.count;
		const struct virtio_net_hdr *h;

		for (unsigned i = 0; i < 5; i++) {
			specs[i] = segment(version, i);
			if (i == 4) {
				specs[i].payloadlen = 333; /* shorter, odd, and pushed: closes */
				specs[i].flags |= IP_TCP_PSH;
			}
			add(&specs[i]);
		}
		ck_assert_uint_eq(written.count, before);
		coalesce_flush(&c);
		ck_assert_uint_eq(written.count, before + 1);
		check_write(before, specs, 5);
		h = &written.writes[before].h;
		ck_assert_uint_eq(h->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		ck_assert_uint_eq(h->gso_type, version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6);
		ck_assert_uint_eq(h->gso_size, SIZE);
		ck_assert_uint_eq(h->hdr_len, version == 4 ? 40 : 60);
		ck_assert_uint_eq(h->csum_start, version == 4 ? 20 : 40);
		ck_assert_uint_eq(h->csum_offset, 16);
		ck_assert(written.writes[before].len == (version == 4 ? 40u : 60u) + 4333);
	}
}
END_TEST

/* What the kernel is to finish the checksum from: the pseudo-header's sum with the whole length. */
START_TEST(leaves_the_pseudo_header_sum)
{
	struct packet_spec a = segment(4, 0), b = segment(4, 1);
	const uint8_t *p;

	add(&a);
	add(&b);
	coalesce_flush(&c);
	p = written.writes[0].bytes;
	ck_assert_uint_eq(get_u16(p + 36), plain_sum((uint32_t)plain_sum(0, p + 12, 8) + 6 + 2020, NULL, 0));
	ck_assert_uint_eq(plain_sum(0, p, 20), 0xffff);
}
END_TEST

typedef void (*change_fn)(struct packet_spec *s);

static void
other_ack(struct packet_spec *s)
{
	s->ack++;
}
static void
other_tos(struct packet_spec *s)
{
	s->tos = 3;
}
static void
other_ttl(struct packet_spec *s)
{
	s->ttl--;
}
static void
other_df(struct packet_spec *s)
{
	s->fragment = 0;
}
static void
other_seq(struct packet_spec *s)
{
	s->seq++;
}
static void
other_port(struct packet_spec *s)
{
	s->sport++;
}
static void
longer(struct packet_spec *s)
{
	s->payloadlen++;
}
static void
with_fin(struct packet_spec *s)
{
	s->flags |= IP_TCP_FIN;
}
static void
with_cwr(struct packet_spec *s)
{
	s->flags |= IP_TCP_CWR;
}
static void
with_urg(struct packet_spec *s)
{
	s->flags |= 0x20;
}
static void
without_ack(struct packet_spec *s)
{
	s->flags = 0;
}
static void
empty(struct packet_spec *s)
{
	s->payloadlen = 0;
}
static void
options(struct packet_spec *s)
{
	s->options = (const uint8_t *)"\1\1\1\1", s->optionslen = 4;
}

START_TEST(never_joins_what_differs)
{
	static const change_fn changes[] = {other_ack, other_tos, other_ttl, other_df, other_seq, other_port, longer, with_fin, with_cwr,
	    with_urg, without_ack, empty, options};
	struct packet_spec specs[2] = {segment(4, 0), segment(4, 1)};

	changes[_i](&specs[1]);
	add(&specs[0]);
	add(&specs[1]);
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 2);
	check_write(0, &specs[0], 1);
	check_write(1, &specs[1], 1);
	ck_assert_uint_eq(written.writes[0].h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(written.writes[0].h.flags, 0);
}
END_TEST

START_TEST(a_push_or_a_short_one_closes)
{
	struct packet_spec specs[4];

	for (unsigned i = 0; i < 4; i++)
		specs[i] = segment(4, i);
	specs[1].flags |= IP_TCP_PSH;
	for (unsigned i = 0; i < 4; i++)
		add(&specs[i]);
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 2);
	check_write(0, specs, 2);
	check_write(1, specs + 2, 2);
}
END_TEST

START_TEST(a_wrong_checksum_passes_as_it_is)
{
	struct packet_spec specs[3] = {segment(4, 0), segment(4, 1), segment(4, 2)};
	uint8_t want[2048];
	size_t len;

	add(&specs[0]);
	len = packet_make(bufs[used], &specs[1]);
	bufs[used][100] ^= 0x40;
	memcpy(want, bufs[used], len);
	add_raw(NULL, len);
	add(&specs[2]);
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 3);
	ck_assert_uint_eq(written.writes[1].len, len);
	ck_assert_mem_eq(written.writes[1].bytes, want, len);
	ck_assert_uint_eq(written.writes[1].h.flags, 0);

	/* The same for the IPv4 header's. */
	len = packet_make(bufs[used], &specs[1]);
	bufs[used][10] ^= 1;
	add_raw(NULL, len);
	ck_assert_uint_eq(written.count, 4);
}
END_TEST

START_TEST(fragments_and_udp_pass_at_once)
{
	struct packet_spec specs[2] = {segment(4, 0), packet_default(4, 17)};

	specs[0].fragment = 0x2000;
	specs[1].payload = data;
	specs[1].payloadlen = 77;
	add(&specs[0]);
	ck_assert_uint_eq(written.count, 1);
	add(&specs[1]);
	ck_assert_uint_eq(written.count, 2);
	check_write(1, &specs[1], 1);
}
END_TEST

START_TEST(flows_and_interfaces_stay_apart)
{
	struct packet_spec specs[2] = {segment(4, 0), segment(4, 1)};
	int other;

	for (unsigned i = 0; i < 2; i++) {
		add_raw(NULL, packet_make(bufs[used], &specs[i]));
		add_raw(&other, packet_make(bufs[used], &specs[i]));
	}
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 2);
	check_write(0, specs, 2);
	check_write(1, specs, 2);
	ck_assert_ptr_eq(written.writes[1].to, &other);
}
END_TEST

START_TEST(more_flows_than_slots_lose_nothing)
{
	for (unsigned n = 0; n < 2; n++)
		for (unsigned flow = 0; flow < COALESCE_SLOTS + 4; flow++) {
			struct packet_spec s = segment(4, n);

			s.sport = (uint16_t)(s.sport + flow);
			add(&s);
		}
	coalesce_flush(&c);
	unsigned segments = 0;
	for (size_t i = 0; i < written.count; i++)
		segments += written.writes[i].segments;
	ck_assert_uint_eq(segments, 2 * (COALESCE_SLOTS + 4));
}
END_TEST

START_TEST(stays_below_64_kib)
{
	for (unsigned i = 0; i < 80; i++) {
		struct packet_spec s = segment(4, i);

		add(&s);
	}
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 2);
	ck_assert_uint_eq(written.writes[0].segments, COALESCE_PKTS);
	ck_assert_uint_le(written.writes[0].len, 65535);
}
END_TEST

/* Identifications that do not count up may collide once fragments exist. */
START_TEST(identification_counts_where_fragments_may_be)
{
	struct packet_spec specs[3] = {segment(4, 0), segment(4, 1), segment(4, 2)};

	for (unsigned i = 0; i < 3; i++)
		specs[i].fragment = 0;
	specs[2].id = 99;
	for (unsigned i = 0; i < 3; i++)
		add(&specs[i]);
	coalesce_flush(&c);
	ck_assert_uint_eq(written.count, 2);
	check_write(0, specs, 2);
}
END_TEST

/* Super-packets cut, joined again as they come, cut again: the stream is the same, whatever sizes and flags. */
START_TEST(random_round_trips)
{
	uint64_t state = 77 + (uint64_t)_i;

	for (int round = 0; round < 40; round++) {
		static uint8_t super[70000], out[70000];
		struct packet_spec spec = packet_default(next_random(&state) % 2 != 0 ? 4 : 6, 6);
		struct virtio_net_hdr h = {.gso_type = spec.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6};
		struct segmenter s;
		size_t got = 0, n, headers = spec.version == 4 ? 40 : 60;

		h.gso_size = (uint16_t)(1 + next_random(&state) % 1400);
		spec.seq = next_random(&state);
		spec.flags = next_random(&state) % 2 != 0 ? IP_TCP_ACK : IP_TCP_ACK | IP_TCP_PSH;
		spec.payload = data;
		spec.payloadlen = 1 + next_random(&state) % ((size_t)h.gso_size * 40 < 60000 ? (size_t)h.gso_size * 40 : 60000);
		teardown();
		written.count = used = 0;
		ck_assert(segment_init(&s, super, packet_make(super, &spec), &h));
		while ((n = segment_next(&s, bufs[used], sizeof(bufs[0]))) > 0)
			add_raw(NULL, n);
		coalesce_flush(&c);
		for (size_t i = 0; i < written.count; i++) {
			ck_assert_uint_eq(get_u32(written.writes[i].bytes + headers - 16), spec.seq + (uint32_t)got);
			memcpy(out + got, written.writes[i].bytes + headers, written.writes[i].len - headers);
			got += written.writes[i].len - headers;
		}
		ck_assert_uint_eq(got, spec.payloadlen);
		ck_assert_mem_eq(out, data, got);
		ck_assert_uint_eq(written.count, 1);
	}
}
END_TEST

Suite *
suite_coalesce(void)
{
	Suite *s = suite_create("coalesce");
	TCase *tc = tcase_create("coalesce");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, joins_what_follows);
	tcase_add_test(tc, leaves_the_pseudo_header_sum);
	tcase_add_loop_test(tc, never_joins_what_differs, 0, 13);
	tcase_add_test(tc, a_push_or_a_short_one_closes);
	tcase_add_test(tc, a_wrong_checksum_passes_as_it_is);
	tcase_add_test(tc, fragments_and_udp_pass_at_once);
	tcase_add_test(tc, flows_and_interfaces_stay_apart);
	tcase_add_test(tc, more_flows_than_slots_lose_nothing);
	tcase_add_test(tc, stays_below_64_kib);
	tcase_add_test(tc, identification_counts_where_fragments_may_be);
	tcase_add_loop_test(tc, random_round_trips, 0, 5);
	suite_add_tcase(s, tc);
	return s;
}
