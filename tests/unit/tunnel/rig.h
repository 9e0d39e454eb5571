/* Two engines in a network namespace of their own: raw GRE over the loopback device, real TUN devices, and packet sockets that play
 * the kernel's part, so that neither addresses nor routes are needed. */
#ifndef TESTS_UNIT_TUNNEL_RIG_H
#define TESTS_UNIT_TUNNEL_RIG_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tunnel/engine.h"

enum { RIG_SERVER, RIG_CLIENT, RIG_ENDS, RIG_SESSIONS = 4, RIG_IF = 7, RIG_MTU = 1400 };

struct rig_options {
	unsigned workers; /* of the server; 0: 1 */
	bool unbound;     /* raw sockets without an address: each packet says its source */
	bool family6;     /* outer IPv6 */
	bool shared;      /* the server's interface */
	bool plain;       /* no offloads */
	bool hold;        /* at the client */
	bool mppe;
	bool wrong_password;
	bool ipv6; /* inner */
	bool nat;  /* client: 192.168.99.9 inside */
	bool window;
	bool deaf; /* hears no GRE: is to say so soon */
};

struct rig_end {
	struct tunnel_engine *engine;
	int packet_fd; /* the kernel's side of the interface */
	struct addr outer;
	unsigned workers;
	unsigned barriers; /* workers that answered the last rig_settle() */
	struct tunnel_counters counters[RIG_SESSIONS];
	struct tunnel_event last[TUNNEL_EVENT_DIAL + 1]; /* of each type */
	unsigned seen[TUNNEL_EVENT_DIAL + 1];
};

struct rig {
	struct rig_options options;
	struct ppp_crypto *crypto;
	struct rig_end ends[RIG_ENDS];
};

/* Enters a new network namespace; false when that is not allowed (the test is then to be skipped). */
bool rig_enter(void);
void rig_start(struct rig *r, const struct rig_options *options);
void rig_stop(struct rig *r);
/* Opens session n (0..3) at an end: call ids 100 + n of the server, 200 + n of the client. */
void rig_open(struct rig *r, int end, unsigned n);
/* Opens session n at both ends and waits until it is up at both. Inner addresses: 10.0.0.1 of the server, 10.0.1.n of the client. */
void rig_up(struct rig *r, unsigned n);
void rig_post(struct rig *r, int end, unsigned n, struct tunnel_command *c);
/* Waits until every worker of an end has carried out what was posted to it so far. */
void rig_settle(struct rig *r, int end);
/* Takes what events wait; answers those that want an answer. */
void rig_pump(struct rig *r);
/* Sends an IP packet to an interface as the kernel would; h: NULL for a plain one. */
void rig_inject(struct rig *r, int end, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h);
/* Waits for the next IP packet that comes out of an interface; 0 when none came in timeout_ms. */
size_t rig_receive(struct rig *r, int end, uint8_t *buf, size_t buflen, struct virtio_net_hdr *h, int timeout_ms);
/* The addresses of a session, network order. */
void rig_addresses(unsigned n, uint8_t server[4], uint8_t client[4]);

/* Pumps until the condition holds; fails the test after 40 s. */
#define RIG_UNTIL(rig, condition)                                                                                                          \
	do {                                                                                                                               \
		uint64_t end_ = clock_ts() + TS_S(40);                                                                                     \
		while (!(condition)) {                                                                                                     \
			ck_assert_msg(clock_ts() < end_, "never: " #condition);                                                            \
			rig_pump(rig);                                                                                                     \
		}                                                                                                                          \
	} while (0)

#endif
