/* Enhanced GRE: the packets of a call, RFC 2637 section 4.
 *
 * The header codec, and a session that keeps both directions of one call: sequence numbers,
 * acknowledgements (piggybacked, delayed, pure), a bounded reorder buffer, and on wish the sliding
 * window with adaptive time-out of sections 4.2 to 4.4. Packets are the caller's: the session holds
 * only pointers to those that wait for an earlier one. No function here allocates but _new(). */
#ifndef PPTP_GRE_H
#define PPTP_GRE_H

#include <pptp/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PPTP_GRE_MAX_HEADER = 16, /* bytes: 8, plus 4 each for sequence and acknowledgement */
	PPTP_GRE_PROTOCOL = 0x880B,
	PPTP_GRE_MAX_REORDER = 512, /* packets */
};

struct pptp_gre_header {
	uint16_t payload_length; /* bytes behind the header */
	uint16_t call_id;        /* the receiver's */
	bool has_sequence;
	bool has_ack;
	uint32_t sequence;
	uint32_t ack;
	size_t header_length; /* bytes: 8, 12 or 16 */
};

/* Reads the header of a GRE packet (without IP header). *h is written only on PPTP_OK. Errors: SHORT
 * (truncated, or payload_length beyond the data), KIND (not version 1 or not protocol 0x880B), FIELD (C, R, s or
 * recursion bits set, K bit clear, flags not zero). Bytes behind the payload are ignored. */
PPTP_API int pptp_gre_decode(struct pptp_gre_header *h, const uint8_t *data, size_t datalen);

/* Writes the header into buf (PPTP_GRE_MAX_HEADER bytes) and returns its length, which the flags give. */
PPTP_API size_t pptp_gre_encode(uint8_t *buf, const struct pptp_gre_header *h);

struct pptp_gre_config {
	uint16_t peer_call_id; /* written into sent packets */
	uint32_t reorder_pkts; /* packets that may wait for an earlier one, 0..512; 0: no reordering, late ones are dropped */
	uint64_t reorder_ns;   /* the longest any of them waits; default 100 ms */
	uint64_t ack_delay_ns; /* the longest an acknowledgement waits for a packet to ride on; default 100 ms */
	uint32_t ack_pkts;     /* received packets that force an acknowledgement at once; at least 1, default 32 */
	uint32_t max_jump;     /* sequence jumps beyond this are counted and dropped until confirmed; reorder_pkts..2^30, default 1 << 20 */
	bool window;           /* sliding window and adaptive time-out (sections 4.2-4.4); default off */
	uint16_t peer_window;  /* packets, from the call's set-up; 0: no limit */
	uint16_t peer_delay;   /* tenths of a second, the call's packet processing delay: first time-out */
};

PPTP_API void pptp_gre_config_init(struct pptp_gre_config *config);

struct pptp_gre_stats {
	uint64_t rx_pkts;  /* payload packets given on */
	uint64_t rx_bytes; /* their payload */
	uint64_t tx_pkts;
	uint64_t tx_bytes;
	uint64_t rx_acks; /* packets with an acknowledgement only */
	uint64_t tx_acks;
	uint64_t lost; /* sequence numbers given up */
	uint64_t duplicate;
	uint64_t late;        /* came after their number was given up */
	uint64_t reordered;   /* waited for an earlier one and then went on */
	uint64_t jumped;      /* refused for a sequence jump */
	uint64_t overrun;     /* refused because the caller had left packets in pptp_gre_next() */
	uint64_t no_payload;  /* sequence number without payload */
	uint64_t no_sequence; /* payload without sequence number: it has no place in the order, so it is dropped */
	uint64_t bad_ack;     /* acknowledged what was never sent */
	uint64_t timeouts;    /* of the sliding window */
	uint64_t window_full; /* times pptp_gre_may_send() said no */
	uint64_t rtt_ns;      /* smoothed, 0: not measured */
};

struct pptp_gre_session;

/* Errors: NOMEM, INVALID (reorder_pkts, ack_pkts or max_jump out of its range). The configuration is copied. */
PPTP_API int pptp_gre_session_new(struct pptp_gre_session **s, const struct pptp_gre_config *config, const struct pptp_mem *mem);

/* Frees the session. Take the packets that still wait with pptp_gre_drain() first. NULL is allowed. */
PPTP_API void pptp_gre_session_free(struct pptp_gre_session *s);

/* What the peer told later about itself (Outgoing-Call-Reply, Incoming-Call-Connected). */
PPTP_API void pptp_gre_set_peer(struct pptp_gre_session *s, uint16_t peer_call_id, uint16_t peer_window, uint16_t peer_delay);

enum pptp_gre_verdict {
	PPTP_GRE_DELIVER,  /* in order: the packet is the caller's to use now; then ask pptp_gre_next() */
	PPTP_GRE_HELD,     /* waits: the session has the pointer until pptp_gre_next() or _drain() gives it back */
	PPTP_GRE_ACK_ONLY, /* no payload: nothing to deliver */
	PPTP_GRE_DROP,     /* duplicate, late or refused: counted; the packet is the caller's to free */
};

/* Takes one received packet whose header is *h; pkt is the caller's handle on it, non-NULL. A HELD packet can
 * make the session's buffer overflow its bounds: ask pptp_gre_next() after every verdict.
 *
 * The first packet may carry any number up to max_jump. A number more than max_jump ahead, or behind after a second
 * in which nothing was delivered (a peer that began anew), is refused, but the packet right after it is then taken as
 * the start of a new sequence, unless another was delivered in between. So one forged packet changes nothing. */
PPTP_API enum pptp_gre_verdict pptp_gre_rx(struct pptp_gre_session *s, const struct pptp_gre_header *h, void *pkt, uint64_t ts);

/* The next held packet whose turn has come (its gap was filled, or given up by time or by packets); NULL if none.
 * A gap is given up when a packet that waits behind it has waited reorder_ns, or when a number arrives that is
 * more than reorder_pkts ahead of it. */
PPTP_API void *pptp_gre_next(struct pptp_gre_session *s, uint64_t ts);

/* Takes out any held packet, in order, regardless of its turn; NULL when none is left. */
PPTP_API void *pptp_gre_drain(struct pptp_gre_session *s);

/* Writes the header of a packet with payload_length bytes so that it ends where payload begins: the bytes in front
 * of payload (at least PPTP_GRE_MAX_HEADER) are the caller's headroom. Takes the next sequence number, and
 * carries an acknowledgement when one is owed. Returns the header's length. */
PPTP_API size_t pptp_gre_tx(struct pptp_gre_session *s, uint8_t *payload, uint16_t payload_length, uint64_t ts);

/* Whether the window lets another packet out; always true unless config.window. Nothing is retransmitted: after a
 * time-out (sections 4.2.2 and 4.4) what was under way counts as gone, and half the window is open again. */
PPTP_API bool pptp_gre_may_send(struct pptp_gre_session *s, uint64_t ts);

/* Writes a pure acknowledgement into buf (PPTP_GRE_MAX_HEADER bytes) if one is due at ts; returns its length, 0: none due. */
PPTP_API size_t pptp_gre_ack(struct pptp_gre_session *s, uint8_t *buf, uint64_t ts);

/* When something is due: an acknowledgement, a held packet, the window's time-out. At that time call
 * pptp_gre_expire(), then pptp_gre_next() and pptp_gre_ack() until they have nothing. */
PPTP_API uint64_t pptp_gre_expiry(const struct pptp_gre_session *s);
PPTP_API void pptp_gre_expire(struct pptp_gre_session *s, uint64_t ts);

/* Valid as long as the session; read it in the session's own thread. */
PPTP_API const struct pptp_gre_stats *pptp_gre_stats(const struct pptp_gre_session *s);

#ifdef __cplusplus
}
#endif
#endif
