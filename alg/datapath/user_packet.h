/* A GRE packet on its way through the user backend, and the reading of its headers: pure functions over the buffer. */
#ifndef ALG_DATAPATH_USER_PACKET_H
#define ALG_DATAPATH_USER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/user.h"
#include "base/addr.h"

struct user_packet {
	struct addr src, dst;
	uint8_t *gre; /* in the caller's buffer: GRE header, and what follows */
	size_t grelen;
	size_t length; /* of the whole IP packet as it came */
	uint16_t call_id;
	uint8_t hops; /* TTL or hop limit */
	uint8_t tos;  /* or traffic class */
	bool df;      /* IPv4: must not be fragmented */
};

/* Reads a whole IPv4 packet, as a raw socket gives it: true, with all of *p set. Otherwise *why says what is wrong: USER_SHORT or
 * USER_NOT_GRE. */
bool user_packet_ipv4(struct user_packet *p, uint8_t *data, size_t datalen, enum datapath_user_drop *why);

/* Reads GRE without its IP header: sets gre, grelen and call_id only. */
bool user_packet_gre(struct user_packet *p, uint8_t *gre, size_t grelen, enum datapath_user_drop *why);

/* Writes another call id into the packet, and into the buffer. */
void user_packet_set_call_id(struct user_packet *p, uint16_t call_id);

#endif
