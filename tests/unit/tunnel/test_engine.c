#include "tunnel/engine.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "sys/clock.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"
#include "tests/unit/tunnel/rig.h"
#include "tunnel/nat.h"
#include "tunnel/segment.h"

Suite *suite_engine(void);

static struct rig rig;
static uint8_t stream[70000], buf[70000], packet[70000];

static void
setup(void)
{
	uint64_t state = 11;

	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (uint8_t)next_random(&state);
	ck_assert(rig_enter());
}

/* A packet of spec (whose addresses are 10.0.0.1 and 10.0.0.2) for session n, from one end. */
static size_t
make(int from, unsigned n, const struct packet_spec *spec, uint8_t *out)
{
	size_t len = packet_make(out, spec);
	uint8_t server[4], client[4];
	struct ip_info ip;

	ck_assert(ip_parse(&ip, out, len));
	rig_addresses(n, server, client);
	nat_source(&ip, out, out + 12, from == RIG_SERVER ? server : client);
	memcpy(server, from == RIG_SERVER ? client : server, 4);
	nat_destination(&ip, out, out + 16, server);
	return len;
}

static struct packet_spec
udp(size_t len)
{
	struct packet_spec s = packet_default(4, 17);

	s.payload = stream;
	s.payloadlen = len;
	return s;
}

/* A packet goes in at one end and comes out as it is at the other. */
static void
check_passes(int from, unsigned n, size_t payloadlen)
{
	struct packet_spec s = udp(payloadlen);
	size_t len = make(from, n, &s, packet);

	rig_inject(&rig, from, packet, len, NULL);
	ck_assert_uint_eq(rig_receive(&rig, !from, buf, sizeof(buf), NULL, 20000), len);
	ck_assert_mem_eq(buf, packet, len);
}

/* A TCP super-packet goes in; the segments that come out, joined or not, are the stream. */
static void
check_super(int from, unsigned n, size_t total)
{
	struct packet_spec s = packet_default(4, 6);
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	    .hdr_len = 40,
	    .gso_size = 1348,
	    .csum_start = 20,
	    .csum_offset = 16};
	size_t got = 0;

	s.flags = IP_TCP_ACK | IP_TCP_PSH;
	s.seq = 5;
	s.payload = stream;
	s.payloadlen = total;
	rig_inject(&rig, from, packet, make(from, n, &s, packet), &h);
	while (got < total) {
		size_t len = rig_receive(&rig, !from, buf, sizeof(buf), &h, 20000);

		ck_assert_uint_gt(len, 40);
		ck_assert_uint_eq(get_u32(buf + 24), 5 + (uint32_t)got);
		ck_assert_mem_eq(buf + 40, stream + got, len - 40);
		ck_assert_uint_eq(plain_sum(0, buf, 20), 0xffff);
		got += len - 40;
	}
	ck_assert_uint_eq(got, total);
}

static const struct rig_options variants[] = {
    {0},
    {.mppe = true},
    {.plain = true},
    {.shared = true, .mppe = true},
    {.shared = true, .workers = 2},
    {.window = true},
    {.mppe = true, .window = true},
    {.family6 = true},
    {.unbound = true},
    {.unbound = true, .family6 = true},
};

START_TEST(data_goes_both_ways)
{
	rig_start(&rig, &variants[_i]);
	rig_up(&rig, 1);
	for (int from = 0; from < RIG_ENDS; from++)
		for (size_t len = 0; len <= 1300; len += 325)
			check_passes(from, 1, len);
	if (!rig.options.plain && !rig.options.window) {
		check_super(RIG_SERVER, 1, 60000);
		check_super(RIG_CLIENT, 1, 60000);
		/* 45 segments and the five above, each way. */
		ck_assert_uint_eq(rig.ends[RIG_SERVER].counters[1].tx_pkts, 50);
		RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].counters[1].rx_pkts == 50);
		ck_assert_uint_eq(rig.ends[RIG_CLIENT].counters[1].rx_bytes, rig.ends[RIG_SERVER].counters[1].tx_bytes);
		ck_assert_uint_eq(rig.ends[RIG_CLIENT].counters[1].gre_lost, 0);
	}
	ck_assert_uint_gt(rig.ends[RIG_SERVER].counters[1].last_rx_ts, 0);
	ck_assert_uint_eq(rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_NO_GRE], 0);
	rig_stop(&rig);
}
END_TEST

/* Two workers, two queues, sessions of both: whichever queue the kernel picks, the packet finds its worker. */
START_TEST(sessions_of_several_workers_share_an_interface)
{
	const struct rig_options o = {.shared = true, .workers = 2};
	uint64_t handed = 0;

	rig_start(&rig, &o);
	/* One interface of one client can't bind several sessions: so only the server's side of the others is looked at. */
	rig_up(&rig, 0);
	for (uint16_t port = 0; port < 40; port++) {
		struct packet_spec s = udp(100);
		size_t len;

		s.sport = port;
		len = make(RIG_SERVER, 0, &s, packet);
		rig_inject(&rig, RIG_SERVER, packet, len, NULL);
		ck_assert_uint_eq(rig_receive(&rig, RIG_CLIENT, buf, sizeof(buf), NULL, 20000), len);
		ck_assert_mem_eq(buf, packet, len);
	}
	for (unsigned w = 0; w < 2; w++)
		handed += tunnel_worker_counters(rig.ends[RIG_SERVER].engine, w)->tun_handed_over;
	ck_assert_uint_gt(handed, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(what_has_no_session_is_counted)
{
	const struct rig_options o = {.shared = true};
	struct packet_spec s = udp(10);

	rig_start(&rig, &o);
	rig_up(&rig, 0);
	rig_inject(&rig, RIG_SERVER, packet, make(RIG_SERVER, 3, &s, packet), NULL);
	RIG_UNTIL(&rig, tunnel_worker_counters(rig.ends[RIG_SERVER].engine, 0)->tun_no_route == 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(spoofed_sources_are_dropped)
{
	const struct rig_options o = {0};
	struct packet_spec s = udp(10);

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	rig_inject(&rig, RIG_CLIENT, packet, make(RIG_CLIENT, 2, &s, packet), NULL);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].counters[1].dropped_spoofed == 1);
	check_passes(RIG_CLIENT, 1, 5);
	ck_assert_uint_eq(rig.ends[RIG_SERVER].counters[1].rx_pkts, 1);
	rig_stop(&rig);
}
END_TEST

static void
send_gre(const char *from, uint8_t last, uint16_t call)
{
	uint8_t gre[] = {0x30, 0x01, 0x88, 0x0b, 0, 4, (uint8_t)(call >> 8), (uint8_t)call, 0, 0, 0, last, 0xff, 3, 0xc0, 0x21};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)}, source = to;
	struct addr a;
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);

	ck_assert(addr_parse(&a, from));
	memcpy(&source.sin_addr, a.bytes, 4);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	ck_assert_int_eq(sendto(fd, gre, sizeof(gre), 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)sizeof(gre));
	gre[0] |= 0x80; /* a checksum is not allowed */
	ck_assert_int_eq(sendto(fd, gre, sizeof(gre), 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)sizeof(gre));
	close(fd);
}

/* The right call id from a wrong address, an unknown call id, and what is no enhanced GRE. */
START_TEST(foreign_gre_is_counted_and_dropped)
{
	const struct rig_options o = {0};
	const struct tunnel_worker_counters *w;
	uint64_t unknown; /* the client may have been first to speak */

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	w = tunnel_worker_counters(rig.ends[RIG_SERVER].engine, 0);
	send_gre("127.0.0.3", 200, 101);
	RIG_UNTIL(&rig, w->gre_wrong_source == 1 && w->gre_bad == 1);
	unknown = w->gre_unknown_call;
	send_gre("127.0.0.2", 200, 999);
	RIG_UNTIL(&rig, w->gre_unknown_call == unknown + 1 && w->gre_bad == 2);
	check_passes(RIG_CLIENT, 1, 5);
	rig_stop(&rig);
}
END_TEST

/* A route leads the tunnel's own packets into it. */
START_TEST(own_gre_does_not_go_round)
{
	const struct rig_options o = {0};
	struct packet_spec s = packet_default(4, 47);
	size_t len;

	s.payload = stream;
	s.payloadlen = 40;
	rig_start(&rig, &o);
	rig_up(&rig, 1);
	len = packet_make(packet, &s);
	memcpy(packet + 12, rig.ends[RIG_CLIENT].outer.bytes, 4);
	memcpy(packet + 16, rig.ends[RIG_SERVER].outer.bytes, 4);
	rig_inject(&rig, RIG_CLIENT, packet, len, NULL);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].counters[1].dropped_queue == 1);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].counters[1].tx_pkts, 0);
	check_passes(RIG_CLIENT, 1, 5);
	/* Another's GRE is data. */
	packet[15]++;
	rig_inject(&rig, RIG_CLIENT, packet, len, NULL);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].counters[1].tx_pkts == 2);
	rig_stop(&rig);
}
END_TEST

START_TEST(too_big_is_told_or_cut)
{
	const struct rig_options o = {.mppe = true};
	struct packet_spec s = udp(1372); /* 1400 bytes: the interface's MTU, but MPPE leaves less */
	uint32_t mtu;
	size_t len;

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	mtu = rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_UP].up.link.mtu;
	ck_assert_uint_lt(mtu, 1400);
	rig_inject(&rig, RIG_CLIENT, packet, make(RIG_CLIENT, 1, &s, packet), NULL);
	len = rig_receive(&rig, RIG_CLIENT, buf, sizeof(buf), NULL, 20000);
	ck_assert_uint_eq(len, 576);
	ck_assert_mem_eq(buf + 20, ((const uint8_t[]){3, 4}), 2);
	ck_assert_uint_eq(get_u16(buf + 26), mtu);
	ck_assert_mem_eq(buf + 28, packet, 500);
	s.fragment = 0; /* may be cut */
	rig_inject(&rig, RIG_CLIENT, packet, make(RIG_CLIENT, 1, &s, packet), NULL);
	len = rig_receive(&rig, RIG_SERVER, buf, sizeof(buf), NULL, 20000);
	ck_assert_uint_gt(len, 1300);
	ck_assert_uint_eq(get_u16(buf + 6), 0x2000);
	ck_assert_mem_eq(buf + 20, packet + 20, len - 20);
	ck_assert_uint_eq(20 + 1400 - len, rig_receive(&rig, RIG_SERVER, buf, sizeof(buf), NULL, 20000));
	rig_stop(&rig);
}
END_TEST

START_TEST(syn_is_clamped)
{
	const struct rig_options o = {0};
	struct packet_spec s = packet_default(4, 6);
	size_t len;

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	s.flags = IP_TCP_SYN;
	s.options = (const uint8_t[]){2, 4, 0x05, 0xb4};
	s.optionslen = 4;
	for (int from = 0; from < RIG_ENDS; from++) {
		rig_inject(&rig, from, packet, make(from, 1, &s, packet), NULL);
		len = rig_receive(&rig, !from, buf, sizeof(buf), NULL, 20000);
		ck_assert_uint_eq(len, 44);
		ck_assert_uint_eq(get_u16(buf + 42), RIG_MTU - 40);
		ck_assert(packet_right(buf, len));
	}
	rig_stop(&rig);
}
END_TEST

/* Packets wait for the session that they ask for, and keep their order. */
START_TEST(held_packets_follow_a_dial)
{
	const struct rig_options o = {.hold = true, .mppe = true};
	size_t len;

	rig_start(&rig, &o);
	for (size_t i = 0; i < 3; i++) {
		struct packet_spec s = udp(100 + i);

		rig_inject(&rig, RIG_CLIENT, packet, make(RIG_CLIENT, 1, &s, packet), NULL);
	}
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_DIAL] == 1);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_DIAL].if_id, RIG_IF);
	rig_up(&rig, 1);
	for (size_t i = 0; i < 3; i++) {
		struct packet_spec s = udp(100 + i);

		len = make(RIG_CLIENT, 1, &s, packet);
		ck_assert_uint_eq(rig_receive(&rig, RIG_SERVER, buf, sizeof(buf), NULL, 20000), len);
		ck_assert_mem_eq(buf, packet, len);
	}
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_DIAL], 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_inside_address_stands_for_the_assigned_one)
{
	const struct rig_options o = {.nat = true};
	static const uint8_t inside[4] = {192, 168, 99, 9};
	struct packet_spec s = udp(77);
	struct ip_info ip;
	size_t len;

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	len = make(RIG_CLIENT, 1, &s, packet);
	memcpy(buf, packet, len);
	ck_assert(ip_parse(&ip, buf, len) && nat_source(&ip, buf, packet + 12, inside));
	rig_inject(&rig, RIG_CLIENT, buf, len, NULL);
	ck_assert_uint_eq(rig_receive(&rig, RIG_SERVER, buf, sizeof(buf), NULL, 20000), len);
	ck_assert_mem_eq(buf, packet, len);
	len = make(RIG_SERVER, 1, &s, packet);
	rig_inject(&rig, RIG_SERVER, packet, len, NULL);
	ck_assert_uint_eq(rig_receive(&rig, RIG_CLIENT, buf, sizeof(buf), NULL, 20000), len);
	ck_assert_mem_eq(buf + 16, inside, 4);
	ck_assert(packet_right(buf, len));
	rig_stop(&rig);
}
END_TEST

START_TEST(the_prefix_is_advertised)
{
	const struct rig_options o = {.ipv6 = true, .mppe = true};
	struct prefix want;

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_PREFIX] > 0);
	ck_assert(prefix_parse(&want, "2001:db8:1::/64"));
	ck_assert(addr_equal(&rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_PREFIX].prefix.addr, &want.addr));
	/* What the link says to itself is no user's data. */
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].counters[1].rx_pkts, 0);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].counters[1].last_rx_ts, 0);
	rig_stop(&rig);
}
END_TEST

/* The server's end of the link has an address though its interface has none. */
START_TEST(the_link_answers_echoes)
{
	const struct rig_options o = {.ipv6 = true, .mppe = true, .shared = true};
	uint8_t request[40 + 8 + 100] = {0x60, [5] = 108, [6] = 58, [7] = 64, [8] = 0xfe, [9] = 0x80, [23] = 7, [40] = 128};

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	request[24] = 0xfe;
	request[25] = 0x80;
	memcpy(request + 32, rig.ends[RIG_SERVER].last[TUNNEL_EVENT_UP].up.bundle.local_ifid, 8);
	put_u16(request + 42, (uint16_t)~plain_sum(108 + 58, request + 8, sizeof(request) - 8));
	rig_inject(&rig, RIG_CLIENT, request, sizeof(request), NULL);
	ck_assert_uint_eq(rig_receive(&rig, RIG_CLIENT, buf, sizeof(buf), NULL, 20000), sizeof(request));
	ck_assert_uint_eq(buf[40], 129);
	ck_assert_mem_eq(buf + 8, request + 24, 16);
	ck_assert_mem_eq(buf + 24, request + 8, 16);
	ck_assert(packet_right(buf, sizeof(request)));
	rig_stop(&rig);
}
END_TEST

START_TEST(a_close_reaches_the_peer)
{
	const struct rig_options o = {0};
	struct tunnel_command c = {.type = TUNNEL_SESSION_CLOSE, .close = {.why = PPP_DOWN_LOCAL, .reason = "kicked"}};

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	rig_post(&rig, RIG_SERVER, 1, &c);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_CLOSED] == 1 && rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_int_eq(rig.ends[RIG_SERVER].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_LOCAL);
	ck_assert_int_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_PEER);
	ck_assert_ptr_nonnull(strstr(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].message, "kicked"));
	/* The call id is free again. */
	rig_up(&rig, 1);
	check_passes(RIG_SERVER, 1, 9);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_close_does_not_wait_for_a_mute_peer)
{
	const struct rig_options o = {0};
	struct tunnel_command abort_it = {.type = TUNNEL_SESSION_ABORT};
	struct tunnel_command close_it = {.type = TUNNEL_SESSION_CLOSE, .close = {.why = PPP_DOWN_LOCAL, .reason = ""}};
	uint64_t start;

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	rig_post(&rig, RIG_CLIENT, 1, &abort_it);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	start = clock_ts();
	rig_post(&rig, RIG_SERVER, 1, &close_it);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_uint_lt(clock_ts() - start, TS_S(20));
	ck_assert_int_eq(rig.ends[RIG_SERVER].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_LOCAL);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_wrong_password_closes_both)
{
	const struct rig_options o = {.mppe = true, .wrong_password = true};

	rig_start(&rig, &o);
	rig_open(&rig, RIG_SERVER, 1);
	rig_open(&rig, RIG_CLIENT, 1);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_CLOSED] == 1 && rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_int_eq(rig.ends[RIG_SERVER].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_AUTH_FAILED);
	ck_assert_int_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_AUTH_REJECTED);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].mschap_error, PPP_MSE_WRONG_PASSWORD);
	rig_stop(&rig);
}
END_TEST

/* The limit is longer than the test may take: the end comes with the reason. */
START_TEST(an_abort_that_listens_ends_with_the_reason)
{
	const struct rig_options o = {.mppe = true, .wrong_password = true};
	struct tunnel_command abort_it = {.type = TUNNEL_SESSION_ABORT, .abort = {.listen_ns = TS_S(3600)}};

	rig_start(&rig, &o);
	rig_open(&rig, RIG_CLIENT, 1);
	rig_post(&rig, RIG_CLIENT, 1, &abort_it);
	rig_settle(&rig, RIG_CLIENT);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED], 0);
	rig_open(&rig, RIG_SERVER, 1);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_int_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_AUTH_REJECTED);
	ck_assert_uint_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].mschap_error, PPP_MSE_WRONG_PASSWORD);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_abort_that_listens_ends_in_time_and_on_demand)
{
	const struct rig_options o = {0};
	struct tunnel_command abort_it = {.type = TUNNEL_SESSION_ABORT, .abort = {.listen_ns = TS_MS(20)}};

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	rig_post(&rig, RIG_CLIENT, 1, &abort_it);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_int_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].down, PPP_DOWN_PEER);
	ck_assert_str_eq(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].message, "the call ended");

	abort_it.abort.listen_ns = TS_S(3600);
	rig_post(&rig, RIG_SERVER, 1, &abort_it);
	rig_settle(&rig, RIG_SERVER);
	ck_assert_uint_eq(rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_CLOSED], 0);
	abort_it.abort.listen_ns = 0;
	rig_post(&rig, RIG_SERVER, 1, &abort_it);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].seen[TUNNEL_EVENT_CLOSED] == 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(blocked_gre_is_said)
{
	const struct rig_options o = {.deaf = true};

	rig_start(&rig, &o);
	rig_open(&rig, RIG_CLIENT, 1);
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_NO_GRE] == 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(what_cannot_open_closes)
{
	const struct rig_options o = {0};
	struct tunnel_command del = {.type = TUNNEL_IF_DEL, .iface.id = RIG_IF};

	rig_start(&rig, &o);
	rig_up(&rig, 1);
	rig_open(&rig, RIG_CLIENT, 1); /* the call id is in use */
	RIG_UNTIL(&rig, rig.ends[RIG_CLIENT].seen[TUNNEL_EVENT_CLOSED] == 1);
	ck_assert_ptr_nonnull(strstr(rig.ends[RIG_CLIENT].last[TUNNEL_EVENT_CLOSED].message, "in use"));
	/* A session whose interface went away survives what the peer sends. */
	rig_post(&rig, RIG_SERVER, 1, &del);
	struct packet_spec s = udp(10);
	uint64_t bad = rig.ends[RIG_SERVER].counters[1].dropped_bad;
	rig_inject(&rig, RIG_CLIENT, packet, make(RIG_CLIENT, 1, &s, packet), NULL);
	RIG_UNTIL(&rig, rig.ends[RIG_SERVER].counters[1].dropped_bad > bad || rig.ends[RIG_SERVER].counters[1].rx_pkts > 0);
	rig_stop(&rig);
}
END_TEST

Suite *
suite_engine(void)
{
	Suite *s = suite_create("engine");
	TCase *tc = tcase_create("engine");

	suite_add_tcase(s, tc);
	/* What needs a namespace, raw sockets and TUN devices runs as root only. */
	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0)
		return s;
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, data_goes_both_ways, 0, sizeof(variants) / sizeof(variants[0]));
	tcase_add_test(tc, sessions_of_several_workers_share_an_interface);
	tcase_add_test(tc, what_has_no_session_is_counted);
	tcase_add_test(tc, spoofed_sources_are_dropped);
	tcase_add_test(tc, foreign_gre_is_counted_and_dropped);
	tcase_add_test(tc, own_gre_does_not_go_round);
	tcase_add_test(tc, too_big_is_told_or_cut);
	tcase_add_test(tc, syn_is_clamped);
	tcase_add_test(tc, held_packets_follow_a_dial);
	tcase_add_test(tc, an_inside_address_stands_for_the_assigned_one);
	tcase_add_test(tc, the_prefix_is_advertised);
	tcase_add_test(tc, the_link_answers_echoes);
	tcase_add_test(tc, a_close_reaches_the_peer);
	tcase_add_test(tc, a_close_does_not_wait_for_a_mute_peer);
	tcase_add_test(tc, a_wrong_password_closes_both);
	tcase_add_test(tc, an_abort_that_listens_ends_with_the_reason);
	tcase_add_test(tc, an_abort_that_listens_ends_in_time_and_on_demand);
	tcase_add_test(tc, blocked_gre_is_said);
	tcase_add_test(tc, what_cannot_open_closes);
	return s;
}
