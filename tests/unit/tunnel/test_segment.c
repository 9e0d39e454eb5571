#include "tunnel/segment.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "sys/tunq.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"

Suite *suite_segment(void);

static const uint8_t timestamps[12] = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};
static uint8_t stream[70000];

static void
fill_stream(void)
{
	uint64_t state = 3;

	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (uint8_t)next_random(&state);
}

static struct virtio_net_hdr
gso(uint8_t type, uint16_t size)
{
	/* hdr_len is wrong on purpose: it is not to be trusted. */
	return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = type, .hdr_len = 7, .gso_size = size};
}

/* Cuts the super-packet of spec and compares each piece, byte for byte, with the packet that it should be. */
static void
check_tcp(struct packet_spec spec, uint16_t size)
{
	static uint8_t super[70000], piece[2048], want[2048];
	size_t len = packet_make(super, &spec), done = 0, n;
	struct virtio_net_hdr h = gso(spec.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6, size);
	struct segmenter s;

	ck_assert(segment_init(&s, super, len, &h));
	ck_assert_uint_eq(segment_max(&s), len < s.headers + size ? len : s.headers + size);
	for (uint16_t i = 0; (n = segment_next(&s, piece, sizeof(piece))) > 0; i++) {
		struct packet_spec one = spec;
		size_t left = spec.payloadlen - done;

		one.id = (uint16_t)(spec.id + i);
		one.seq = spec.seq + (uint32_t)done;
		one.payload = spec.payload + done;
		one.payloadlen = left < size ? left : size;
		if (left > size)
			one.flags &= (uint8_t) ~(IP_TCP_FIN | IP_TCP_PSH);
		if (i > 0)
			one.flags &= (uint8_t)~IP_TCP_CWR;
		ck_assert_uint_eq(n, packet_make(want, &one));
		ck_assert_mem_eq(piece, want, n);
		done += one.payloadlen;
	}
	ck_assert_uint_eq(done, spec.payloadlen);
	ck_assert_uint_eq(segment_next(&s, piece, sizeof(piece)), 0);
}

START_TEST(cuts_tcp_exactly)
{
	fill_stream();
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		struct packet_spec spec = packet_default(version, 6);
		static const size_t lengths[] = {1, 999, 1348, 1349, 2696, 4001, 60001};

		spec.id = 0xfffe;
		spec.seq = UINT32_MAX - 3000;
		spec.tos = 2; /* ECT(0) */
		spec.flags = IP_TCP_ACK | IP_TCP_PSH | IP_TCP_FIN | IP_TCP_CWR;
		spec.options = timestamps;
		spec.optionslen = sizeof(timestamps);
		spec.payload = stream;
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			spec.payloadlen = lengths[i];
			check_tcp(spec, 1348);
			check_tcp(spec, 333);
		}
	}
}
END_TEST

START_TEST(cuts_udp_exactly)
{
	fill_stream();
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		struct packet_spec spec = packet_default(version, 17);
		uint8_t super[8192], piece[2048], want[2048];
		struct virtio_net_hdr h = gso(TUNQ_GSO_UDP_L4, 1001);
		struct segmenter s;
		size_t n, done = 0;

		spec.payload = stream;
		spec.payloadlen = 4500;
		ck_assert(segment_init(&s, super, packet_make(super, &spec), &h));
		for (uint16_t i = 0; (n = segment_next(&s, piece, sizeof(piece))) > 0; i++) {
			struct packet_spec one = spec;

			one.id = i;
			one.payload = stream + done;
			one.payloadlen = 4500 - done < 1001 ? 4500 - done : 1001;
			ck_assert_uint_eq(n, packet_make(want, &one));
			ck_assert_mem_eq(piece, want, n);
			done += one.payloadlen;
		}
		ck_assert_uint_eq(done, 4500);
	}
}
END_TEST

START_TEST(finishes_a_partial_checksum)
{
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		struct packet_spec spec = packet_default(version, 17);
		uint8_t packet[256], want[256], got[256];
		uint16_t ip = version == 4 ? 20 : 40;
		struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = ip, .csum_offset = 6};
		struct segmenter s;
		size_t len;

		spec.payload = (const uint8_t *)"odd";
		spec.payloadlen = 3;
		len = packet_make(want, &spec);
		memcpy(packet, want, len);
		/* What the kernel leaves: the sum of the pseudo-header. */
		put_u16(packet + ip + 6,
		    plain_sum((version == 4 ? plain_sum(0, packet + 12, 8) : plain_sum(0, packet + 8, 32)) + 17 + 11, NULL, 0));
		ck_assert(segment_init(&s, packet, len, &h));
		ck_assert_uint_eq(segment_next(&s, got, sizeof(got)), len);
		ck_assert_mem_eq(got, want, len);
		ck_assert_uint_eq(segment_next(&s, got, sizeof(got)), 0);
	}
}
END_TEST

START_TEST(plain_packets_pass_unchanged)
{
	struct packet_spec spec = packet_default(4, 6);
	struct virtio_net_hdr h = {0};
	uint8_t packet[256], got[256];
	struct segmenter s;
	size_t len = packet_make(packet, &spec);

	packet[20 + 16] ^= 1; /* a wrong checksum is not ours to mend */
	ck_assert(segment_init(&s, packet, len, &h));
	ck_assert_uint_eq(segment_max(&s), len);
	ck_assert_uint_eq(segment_next(&s, got, sizeof(got)), len);
	ck_assert_mem_eq(got, packet, len);
	ck_assert(segment_init(&s, packet, len, &h));
	ck_assert_uint_eq(segment_next(&s, got, len - 1), 0);
}
END_TEST

START_TEST(headers_that_contradict_are_refused)
{
	struct packet_spec spec = packet_default(4, 6);
	struct virtio_net_hdr h = gso(VIRTIO_NET_HDR_GSO_TCPV6, 100);
	uint8_t packet[256];
	size_t len = packet_make(packet, &spec);
	struct segmenter s;

	ck_assert(!segment_init(&s, packet, len, &h));
	h = gso(VIRTIO_NET_HDR_GSO_TCPV4, 0);
	ck_assert(!segment_init(&s, packet, len, &h));
	h = gso(TUNQ_GSO_UDP_L4, 100);
	ck_assert(!segment_init(&s, packet, len, &h));
	h = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 30};
	ck_assert(!segment_init(&s, packet, len, &h));
	h = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 4, .csum_offset = 2};
	ck_assert(!segment_init(&s, packet, len, &h));
	h = gso(VIRTIO_NET_HDR_GSO_TCPV4, 100);
	packet[20 + 12] = 0xf0;
	ck_assert(!segment_init(&s, packet, len, &h));
	ck_assert(!segment_init(&s, packet, 19, &h));
}
END_TEST

Suite *
suite_segment(void)
{
	Suite *s = suite_create("segment");
	TCase *tc = tcase_create("segment");

	tcase_add_test(tc, cuts_tcp_exactly);
	tcase_add_test(tc, cuts_udp_exactly);
	tcase_add_test(tc, finishes_a_partial_checksum);
	tcase_add_test(tc, plain_packets_pass_unchanged);
	tcase_add_test(tc, headers_that_contradict_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
