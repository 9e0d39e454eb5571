/* The forwarder on raw sockets. All hosts are addresses of one namespace's loopback: clients, servers, and the gateway between them. */
#include "alg/datapath/user.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/datapath/user_io.h"
#include "sys/gresock.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_user(void);

enum { PATIENCE_MS = 20000, GRE_HEADER = 12, MTU = 1500 };

static struct addr
ip(const char *text)
{
	struct addr a = {0};

	CHECK(addr_parse(&a, text));
	return a;
}

static struct gate
gate(const char *src, const char *dst, uint16_t id, const char *new_src, const char *new_dst, uint16_t new_id)
{
	return (struct gate){ip(src), ip(dst), id, ip(new_src), ip(new_dst), new_id};
}

/* Client 10.0.0.1 dials 10.0.0.2, which stands for server 10.0.0.4; the gateway's address is 10.0.0.3. */
static struct gate_pair
nat44(void)
{
	return (struct gate_pair){
	    1, gate("10.0.0.1", "10.0.0.2", 11, "10.0.0.3", "10.0.0.4", 12), gate("10.0.0.4", "10.0.0.3", 21, "10.0.0.2", "10.0.0.1", 22)};
}

static struct gate_pair
nat64(void)
{
	return (struct gate_pair){2, gate("2001:db8::1", "64:ff9b::a00:4", 11, "10.0.0.3", "10.0.0.4", 12),
	    gate("10.0.0.4", "10.0.0.3", 23, "64:ff9b::a00:4", "2001:db8::1", 24)};
}

static void
network(void)
{
	CHECK(
	    shell("ip link set lo mtu 1500 up && for i in 1 2 3 4; do ip addr add 10.0.0.$i/32 dev lo; done &&"
		  "ip -6 addr add 2001:db8::1 dev lo && ip -6 addr add 2001:db8::4 dev lo && ip -6 route add local 64:ff9b::/96 dev lo && "
		  "ip route add local 198.51.100.0/24 dev lo"));
}

/* --- the forwarder --- */

static struct datapath_user_config config;

static struct datapath *
forwarder(unsigned threads, uint32_t max_gates)
{
	char err[200];
	struct datapath *dp;

	config = (struct datapath_user_config){.max_gates = max_gates, .threads = threads};
	for (uint16_t i = 0; i < threads; i++) {
		config.fd4[i] = gresock_open_transparent(4, NULL, i, (uint16_t)threads, 0, NULL);
		config.fd6[i] = gresock_open_transparent(6, NULL, i, (uint16_t)threads, 0, NULL);
		CHECK(config.fd4[i] >= 0 && config.fd6[i] >= 0);
	}
	dp = datapath_user_open(&config, err, sizeof(err));
	CHECK(dp != NULL);
	return dp;
}

static void
done(struct datapath *dp)
{
	dp->ops->close(dp, false);
	for (unsigned i = 0; i < config.threads; i++)
		CHECK(close(config.fd4[i]) == 0 && close(config.fd6[i]) == 0);
}

static uint64_t
drops(struct datapath *dp, enum datapath_user_drop reason)
{
	struct datapath_user_stats stats;

	datapath_user_stats(dp, &stats);
	return stats.dropped[reason];
}

static bool
drops_soon(struct datapath *dp, enum datapath_user_drop reason, uint64_t wanted)
{
	for (int i = 0; i < PATIENCE_MS && drops(dp, reason) < wanted; i++)
		poll(NULL, 0, 1);
	return drops(dp, reason) == wanted;
}

/* --- ends --- */

struct end {
	struct addr addr;
	int fd;
	struct user_rx *rx;
	struct user_tx *tx;
};

/* Sends from its address to anyone; keeps what is sent to it. */
static struct end
end_at(const char *address)
{
	struct end e = {.addr = ip(address)};

	e.fd = gresock_open_transparent(e.addr.family, &e.addr, 0, 1, 0, NULL);
	CHECK(e.fd >= 0);
	e.rx = user_rx_new(e.fd, e.addr.family);
	e.tx = user_tx_new(e.fd, e.addr.family);
	CHECK(e.rx != NULL && e.tx != NULL);
	return e;
}

static void
end_close(struct end *e)
{
	user_rx_free(e->rx);
	user_tx_free(e->tx);
	close(e->fd);
}

static void
make_gre(uint8_t *gre, uint16_t id, uint32_t seq, size_t payload)
{
	const uint8_t header[GRE_HEADER] = {0x30, 1, 0x88, 0x0b, (uint8_t)(payload >> 8), (uint8_t)payload, (uint8_t)(id >> 8), (uint8_t)id,
	    (uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq};

	memcpy(gre, header, sizeof(header));
	for (size_t i = 0; i < payload; i++)
		gre[sizeof(header) + i] = (uint8_t)(seq + i);
}

static uint32_t
seq_of(const struct user_packet *p)
{
	return (uint32_t)p->gre[8] << 24 | (uint32_t)p->gre[9] << 16 | (uint32_t)p->gre[10] << 8 | p->gre[11];
}

struct sent {
	uint16_t id;
	uint32_t seq;
	size_t payload;
	uint8_t hops, tos;
	bool df;
};

static void
send_to(struct end *e, const char *dst, struct sent s)
{
	static uint8_t gre[UINT16_MAX];
	struct user_packet p = {
	    .src = e->addr, .dst = ip(dst), .gre = gre, .grelen = GRE_HEADER + s.payload, .hops = s.hops, .tos = s.tos, .df = s.df};

	make_gre(gre, s.id, s.seq, s.payload);
	CHECK(user_tx_push(e->tx, &p) == 0);
	CHECK(user_tx_flush(e->tx) == 0);
}

/* The next packet, of which the payload must be right. False when none comes in time. */
static bool
next_in(struct end *e, struct user_packet *p, int ms)
{
	enum datapath_user_drop why;
	struct pollfd fd = {.fd = e->fd, .events = POLLIN};
	struct user_rx *rx = e->rx;
	static unsigned left, at;
	static const struct user_rx *whose;

	if (whose != rx || at == left) {
		if (poll(&fd, 1, ms) != 1)
			return false;
		whose = rx;
		left = user_rx_recv(rx);
		at = 0;
		CHECK(left > 0);
	}
	CHECK(user_rx_packet(rx, at++, p, &why));
	for (size_t i = GRE_HEADER; i < p->grelen; i++)
		CHECK(p->gre[i] == (uint8_t)(seq_of(p) + i - GRE_HEADER));
	return true;
}

static struct user_packet
next(struct end *e)
{
	struct user_packet p;

	CHECK(next_in(e, &p, PATIENCE_MS));
	return p;
}

static bool
silent(struct end *e)
{
	struct user_packet p;

	return !next_in(e, &p, 20);
}

static bool
is(const struct addr *a, const char *text)
{
	struct addr b = ip(text);

	return addr_equal(a, &b);
}

/* --- tests --- */

/* Without the forwarder: what reading and writing make of every field. */
static void
io_keeps_all(void)
{
	struct end a4, b4, a6, b6;
	struct user_packet p;

	network();
	a4 = end_at("10.0.0.1");
	b4 = end_at("10.0.0.4");
	a6 = end_at("2001:db8::1");
	b6 = end_at("2001:db8::4");
	send_to(&a4, "10.0.0.4", (struct sent){.id = 7, .seq = 1, .payload = 100, .hops = 9, .tos = 0xb8, .df = true});
	p = next(&b4);
	CHECK(is(&p.src, "10.0.0.1") && is(&p.dst, "10.0.0.4") && p.call_id == 7 && p.hops == 9 && p.tos == 0xb8 && p.df);
	CHECK(p.grelen == GRE_HEADER + 100 && p.length == p.grelen + 20);
	send_to(&a4, "10.0.0.4", (struct sent){.id = 8, .seq = 2, .payload = 1, .hops = 255, .tos = 1});
	p = next(&b4);
	CHECK(p.call_id == 8 && p.hops == 255 && p.tos == 1 && !p.df);
	send_to(&a6, "2001:db8::4", (struct sent){.id = 9, .seq = 3, .payload = 100, .hops = 9, .tos = 0xb8});
	p = next(&b6);
	CHECK(is(&p.src, "2001:db8::1") && is(&p.dst, "2001:db8::4") && p.call_id == 9 && p.hops == 9 && p.tos == 0xb8);
	CHECK(p.grelen == GRE_HEADER + 100 && p.length == p.grelen + 40);
	end_close(&a4);
	end_close(&b4);
	end_close(&a6);
	end_close(&b6);
}

static void
ipv4_both_ways(void)
{
	struct gate_pair pair = nat44();
	struct gate_counters n;
	struct datapath *dp;
	struct end client, server;
	struct user_packet p;

	network();
	dp = forwarder(1, 4);
	client = end_at("10.0.0.1");
	server = end_at("10.0.0.4");
	CHECK(strcmp(dp->ops->name, "user") == 0);
	CHECK(dp->ops->add(dp, &pair) == 0);
	send_to(&client, "10.0.0.2", (struct sent){.id = 11, .seq = 1, .payload = 50, .hops = 64, .tos = 0x20, .df = true});
	p = next(&server);
	CHECK(is(&p.src, "10.0.0.3") && p.call_id == 12 && p.hops == 63 && p.tos == 0x20 && !p.df && seq_of(&p) == 1);
	for (uint32_t i = 0; i < 3; i++) {
		send_to(&server, "10.0.0.3", (struct sent){.id = 21, .seq = i, .payload = 10, .hops = 2});
		p = next(&client);
		CHECK(is(&p.src, "10.0.0.2") && p.call_id == 22 && p.hops == 1 && seq_of(&p) == i);
	}
	CHECK(dp->ops->read(dp, &pair, &n) == 0);
	CHECK(n.up_pkts == 1 && n.up_bytes == 20 + 12 + 50 && n.down_pkts == 3 && n.down_bytes == 3 * (20 + 12 + 10));
	memset(&n, 0, sizeof(n));
	CHECK(dp->ops->del(dp, &pair, &n) == 0);
	CHECK(n.up_pkts == 1 && n.down_pkts == 3);
	send_to(&client, "10.0.0.2", (struct sent){.id = 11, .seq = 1, .payload = 50, .hops = 64});
	CHECK(silent(&server));
	end_close(&client);
	end_close(&server);
	done(dp);
}

static void
ipv6_to_ipv4(void)
{
	struct gate_pair pair = nat64();
	struct datapath *dp;
	struct end client, server;
	struct user_packet p;

	network();
	dp = forwarder(1, 4);
	client = end_at("2001:db8::1");
	server = end_at("10.0.0.4");
	CHECK(dp->ops->add(dp, &pair) == 0);
	send_to(&client, "64:ff9b::a00:4", (struct sent){.id = 11, .seq = 7, .payload = 1300, .hops = 33, .tos = 0x22});
	p = next(&server);
	CHECK(is(&p.src, "10.0.0.3") && p.call_id == 12 && p.hops == 32 && p.tos == 0x22 && !p.df && p.grelen == 1312 && seq_of(&p) == 7);
	send_to(&server, "10.0.0.3", (struct sent){.id = 23, .seq = 8, .payload = 1300, .hops = 33, .tos = 0x22});
	p = next(&client);
	CHECK(is(&p.src, "64:ff9b::a00:4") && p.call_id == 24 && p.hops == 32 && p.tos == 0x22 && seq_of(&p) == 8);
	end_close(&client);
	end_close(&server);
	done(dp);
}

/* Fragments come, and fragments leave, also where only the longer IPv6 header makes them necessary. */
static void
any_size(void)
{
	static const size_t sizes[] = {0, 1448, 1468, 1469, 3000, 9000, 60000, 65503};
	struct gate_pair pair = nat64();
	struct datapath *dp;
	struct end client, server;

	network();
	dp = forwarder(1, 4);
	client = end_at("2001:db8::1");
	server = end_at("10.0.0.4");
	CHECK(dp->ops->add(dp, &pair) == 0);
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct user_packet p;

		if (sizes[i] <= 65535 - 20 - GRE_HEADER) {
			send_to(&client, "64:ff9b::a00:4", (struct sent){.id = 11, .seq = i, .payload = sizes[i], .hops = 64});
			p = next(&server);
			CHECK(p.grelen == GRE_HEADER + sizes[i] && seq_of(&p) == i);
		}
		if (sizes[i] <= 65535 - 20 - GRE_HEADER) {
			send_to(&server, "10.0.0.3", (struct sent){.id = 23, .seq = i, .payload = sizes[i], .hops = 64, .df = i % 2 == 0});
			p = next(&client);
			CHECK(p.grelen == GRE_HEADER + sizes[i] && seq_of(&p) == i);
		}
	}
	/* Longer than IPv4 can carry. */
	send_to(&client, "64:ff9b::a00:4", (struct sent){.id = 11, .seq = 1, .payload = 65510, .hops = 64});
	CHECK(drops_soon(dp, USER_SEND, 1));
	CHECK(silent(&server));
	end_close(&client);
	end_close(&server);
	done(dp);
}

/* Addresses that are nobody's here, as with a client and a server that are elsewhere; call ids change all the same. */
static void
foreign_addresses(void)
{
	struct gate_pair pair = {3, gate("198.51.100.1", "198.51.100.2", 1, "198.51.100.1", "10.0.0.4", 2),
	    gate("10.0.0.4", "198.51.100.1", 3, "198.51.100.2", "198.51.100.1", 4)};
	struct datapath *dp;
	struct end client, server;
	struct user_packet p;

	network();
	dp = forwarder(1, 4);
	client = end_at("198.51.100.1");
	server = end_at("10.0.0.4");
	CHECK(dp->ops->add(dp, &pair) == 0);
	send_to(&client, "198.51.100.2", (struct sent){.id = 1, .seq = 1, .payload = 10, .hops = 64});
	p = next(&server);
	CHECK(is(&p.src, "198.51.100.1") && p.call_id == 2);
	send_to(&server, "198.51.100.1", (struct sent){.id = 3, .seq = 1, .payload = 10, .hops = 64});
	p = next(&client);
	CHECK(p.call_id == 3); /* its own copy, as it is on this machine */
	p = next(&client);
	CHECK(is(&p.src, "198.51.100.2") && p.call_id == 4);
	end_close(&client);
	end_close(&server);
	done(dp);
}

static void
strangers(void)
{
	struct gate_pair pair = nat44();
	struct datapath *dp;
	struct end client, server, other;

	network();
	dp = forwarder(1, 4);
	client = end_at("10.0.0.1");
	server = end_at("10.0.0.4");
	other = end_at("198.51.100.1");
	CHECK(dp->ops->add(dp, &pair) == 0);
	send_to(&client, "10.0.0.2", (struct sent){.id = 12, .hops = 64}); /* another call */
	send_to(&client, "10.0.0.3", (struct sent){.id = 11, .hops = 64}); /* another destination */
	send_to(&other, "10.0.0.2", (struct sent){.id = 11, .hops = 64});  /* another source */
	CHECK(drops_soon(dp, USER_UNKNOWN, 3));
	send_to(&client, "10.0.0.2", (struct sent){.id = 11, .hops = 1});
	CHECK(drops_soon(dp, USER_TTL, 1));
	CHECK(silent(&server));
	end_close(&client);
	end_close(&server);
	end_close(&other);
	done(dp);
}

/* Both sockets' filters and the forwarder see packets that are nearly PPTP's. */
static void
not_pptp(void)
{
	static const uint8_t noise[][8] = {{0x20, 0, 0x88, 0x0b, 0, 0, 0, 11}, {0x30, 1, 0x08, 0, 0, 0, 0, 11}, {0}};
	struct gate_pair pair = nat44();
	struct datapath *dp;
	struct end client, server;

	network();
	dp = forwarder(1, 4);
	client = end_at("10.0.0.1");
	server = end_at("10.0.0.4");
	CHECK(dp->ops->add(dp, &pair) == 0);
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		uint8_t copy[8];
		struct user_packet p = {.src = client.addr, .dst = ip("10.0.0.2"), .gre = copy, .grelen = sizeof(copy), .hops = 64};

		memcpy(copy, noise[i], sizeof(copy));
		user_tx_push(client.tx, &p);
		CHECK(user_tx_flush(client.tx) == 0);
	}
	{
		uint8_t cut[8] = {0x30, 1, 0x88, 0x0b, 0, 9, 0, 11}; /* more payload than there is */
		struct user_packet p = {.src = client.addr, .dst = ip("10.0.0.2"), .gre = cut, .grelen = sizeof(cut), .hops = 64};

		user_tx_push(client.tx, &p);
		CHECK(user_tx_flush(client.tx) == 0);
	}
	CHECK(drops_soon(dp, USER_SHORT, 1));
	CHECK(drops(dp, USER_NOT_GRE) == 0); /* those ended in the kernel */
	CHECK(silent(&server));
	end_close(&client);
	end_close(&server);
	done(dp);
}

static void
bookkeeping(void)
{
	struct gate_pair one = nat44(), same_id = nat44(), two = nat64(), three, crossed;
	struct gate_counters n = {5, 500, 6, 600};
	struct datapath_user_stats stats;
	struct datapath *dp;

	network();
	dp = forwarder(2, 2);
	CHECK(dp->ops->read(dp, &one, &n) == ENOENT && n.up_pkts == 0);
	CHECK(dp->ops->del(dp, &one, &n) == ENOENT);
	CHECK(dp->ops->add(dp, &one) == 0);
	CHECK(dp->ops->add(dp, &one) == 0);
	same_id.up.new_call_id++;
	CHECK(dp->ops->add(dp, &same_id) == EEXIST);
	three = one;
	three.id = 3;
	CHECK(dp->ops->add(dp, &three) == EEXIST);
	CHECK(dp->ops->del(dp, &three, &n) == ENOENT);
	three.up.call_id++; /* half of it is taken */
	CHECK(dp->ops->add(dp, &three) == EEXIST);
	three.down.call_id++;
	crossed = three;
	crossed.down = crossed.up;
	CHECK(dp->ops->add(dp, &crossed) == EEXIST);
	CHECK(dp->ops->add(dp, &two) == 0);
	CHECK(dp->ops->add(dp, &three) == ENOSPC);
	datapath_user_stats(dp, &stats);
	CHECK(stats.gates == 4);
	n = (struct gate_counters){5, 500, 6, 600};
	CHECK(datapath_user_resume(dp, &two, &n) == 0);
	CHECK(datapath_user_resume(dp, &three, &n) == ENOENT);
	CHECK(dp->ops->del(dp, &two, &n) == 0);
	CHECK(n.up_pkts == 5 && n.up_bytes == 500 && n.down_pkts == 6 && n.down_bytes == 600);
	CHECK(dp->ops->add(dp, &three) == 0);
	CHECK(dp->ops->read(dp, &three, &n) == 0 && n.up_pkts == 0);
	CHECK(dp->ops->del(dp, &three, &n) == 0);
	CHECK(dp->ops->del(dp, &one, &n) == 0);
	datapath_user_stats(dp, &stats);
	CHECK(stats.gates == 0);
	done(dp);
}

static void
own_address_only_counts(void)
{
	struct gate_pair pair = {4, gate("198.51.100.1", "10.0.0.1", 1, "198.51.100.1", "10.0.0.1", 1),
	    gate("10.0.0.1", "198.51.100.1", 2, "10.0.0.1", "198.51.100.1", 2)};
	struct datapath *dp;
	struct end outside, inside;
	struct user_packet p;

	network();
	dp = forwarder(1, 4);
	outside = end_at("198.51.100.1");
	inside = end_at("10.0.0.1");
	CHECK(dp->ops->add(dp, &pair) == 0);
	send_to(&outside, "10.0.0.1", (struct sent){.id = 1, .seq = 3, .payload = 8, .hops = 64});
	CHECK(drops_soon(dp, USER_OWN, 1));
	p = next(&inside);
	CHECK(seq_of(&p) == 3 && p.hops == 64);
	CHECK(silent(&inside));
	end_close(&outside);
	end_close(&inside);
	done(dp);
}

/* Call ids of both threads, with and without DF by turns: each call's packets come in their order. */
static void
order_is_kept(void)
{
	enum { COUNT = 2000, CALLS = 4 };
	uint32_t expected[CALLS] = {0};
	struct datapath *dp;
	struct end client, server;

	network();
	dp = forwarder(2, CALLS);
	client = end_at("10.0.0.1");
	server = end_at("10.0.0.4");
	for (uint16_t i = 0; i < CALLS; i++) {
		struct gate_pair pair = nat44();

		pair.id = i;
		pair.up.call_id = pair.up.new_call_id = i;
		pair.down.call_id = i;
		if (i == 0) { /* this one keeps DF as it comes */
			pair.up.dst = pair.up.new_dst;
			pair.up.new_src = pair.up.src;
		}
		CHECK(dp->ops->add(dp, &pair) == 0);
	}
	for (uint32_t i = 0; i < COUNT; i++)
		for (uint16_t call = 1; call < CALLS; call++)
			send_to(&client, "10.0.0.2", (struct sent){.id = call, .seq = i, .payload = 4, .hops = 64, .df = i % 3 == 0});
	for (uint32_t i = 0; i < COUNT * (CALLS - 1); i++) {
		struct user_packet p = next(&server);

		CHECK(p.call_id > 0 && p.call_id < CALLS);
		CHECK(seq_of(&p) == expected[p.call_id]++);
	}
	end_close(&client);
	end_close(&server);
	done(dp);
}

/* Gates come and go while packets flow: under a thread sanitizer or not, nothing breaks, and what stays is served. */
static void
changes_under_load(void)
{
	struct gate_pair stays = nat44(), goes = nat64();
	struct gate_counters n;
	struct datapath *dp;
	struct end client, server;

	network();
	dp = forwarder(1, 4);
	client = end_at("10.0.0.1");
	server = end_at("10.0.0.4");
	CHECK(dp->ops->add(dp, &stays) == 0);
	for (uint32_t i = 0; i < 2000; i++) {
		send_to(&client, "10.0.0.2", (struct sent){.id = 11, .seq = i, .payload = 4, .hops = 64});
		CHECK(dp->ops->add(dp, &goes) == 0);
		CHECK(dp->ops->read(dp, &stays, &n) == 0);
		CHECK(dp->ops->del(dp, &goes, &n) == 0);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		struct user_packet p = next(&server);

		CHECK(seq_of(&p) == i);
	}
	CHECK(dp->ops->read(dp, &stays, &n) == 0 && n.up_pkts == 2000);
	end_close(&client);
	end_close(&server);
	done(dp);
}

static void
one_family(void)
{
	struct gate_pair four = nat44(), mixed = nat64();
	char err[200] = "";
	struct datapath_user_config c = {.max_gates = 4, .threads = 1, .fd4 = {-1}, .fd6 = {-1}};
	struct datapath *dp;

	network();
	c.fd4[0] = gresock_open_transparent(4, NULL, 0, 1, 0, NULL);
	dp = datapath_user_open(&c, err, sizeof(err));
	CHECK(dp != NULL);
	CHECK(dp->ops->add(dp, &mixed) == ENOTSUP);
	CHECK(dp->ops->add(dp, &four) == 0);
	four.id = 9;
	four.up.new_dst = mixed.up.src; /* a mixture within one side */
	CHECK(dp->ops->add(dp, &four) == ENOTSUP);
	dp->ops->close(dp, true);
	CHECK(close(c.fd4[0]) == 0);
}

static void
cannot_start(void)
{
	char err[200] = "";
	struct datapath_user_config none = {0}, many = {.max_gates = 1, .threads = DATAPATH_USER_THREADS + 1};
	struct datapath_user_config wrong = {.max_gates = 1, .threads = 1, .fd4 = {-1}, .fd6 = {0}};
	int pipes[2];

	CHECK(datapath_user_open(&none, err, sizeof(err)) == NULL && err[0] != '\0');
	CHECK(datapath_user_open(&many, err, sizeof(err)) == NULL);
	CHECK(pipe(pipes) == 0);
	wrong.fd6[0] = pipes[0];
	CHECK(datapath_user_open(&wrong, err, sizeof(err)) == NULL);
	CHECK(strstr(err, "Socket operation on non-socket") != NULL);
}

static void (*const bodies[])(void) = {
    io_keeps_all,
    ipv4_both_ways,
    ipv6_to_ipv4,
    any_size,
    foreign_addresses,
    strangers,
    not_pptp,
    bookkeeping,
    own_address_only_counts,
    order_is_kept,
    changes_under_load,
    one_family,
    cannot_start,
};

START_TEST(in_a_namespace)
{
	in_netns(bodies[_i]);
}
END_TEST

START_TEST(texts)
{
	for (int i = 0; i < USER_DROPS; i++)
		ck_assert_uint_gt(strlen(datapath_user_drop_text((enum datapath_user_drop)i)), 3);
	ck_assert_uint_ge(datapath_user_threads(), 1);
	ck_assert_uint_le(datapath_user_threads(), DATAPATH_USER_THREADS);
}
END_TEST

Suite *
suite_user(void)
{
	Suite *s = suite_create("alg/datapath/user");
	TCase *t = tcase_create("forwarder");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, in_a_namespace, 0, sizeof(bodies) / sizeof(bodies[0]));
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	return s;
}
