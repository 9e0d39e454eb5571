/* PPP protocol numbers and frame limits (RFC 1661, RFC 1662, and the assigned numbers of each protocol). */
#ifndef LIBPPP_PROTO_H
#define LIBPPP_PROTO_H

enum ppp_proto {
	PPP_PROTO_IP = 0x0021,
	PPP_PROTO_MP = 0x003d,
	PPP_PROTO_IPV6 = 0x0057,
	PPP_PROTO_COMP = 0x00fd,
	PPP_PROTO_IPCP = 0x8021,
	PPP_PROTO_IPV6CP = 0x8057,
	PPP_PROTO_CCP = 0x80fd,
	PPP_PROTO_LCP = 0xc021,
	PPP_PROTO_PAP = 0xc023,
	PPP_PROTO_CHAP = 0xc223,
	PPP_PROTO_EAP = 0xc227,
};

/* RFC 1661 section 5; the rest belongs to LCP (8..13, RFC 1570) and CCP (14, 15, RFC 1962). */
enum ppp_code {
	PPP_CONF_REQ = 1,
	PPP_CONF_ACK,
	PPP_CONF_NAK,
	PPP_CONF_REJ,
	PPP_TERM_REQ,
	PPP_TERM_ACK,
	PPP_CODE_REJ,
	PPP_PROTO_REJ,
	PPP_ECHO_REQ,
	PPP_ECHO_REP,
	PPP_DISCARD_REQ,
	PPP_IDENT,
	PPP_TIME_REMAINING,
	PPP_RESET_REQ,
	PPP_RESET_ACK,
};

enum {
	PPP_DEFAULT_MRU = 1500,
	PPP_MIN_MRU = 128,
	PPP_MAX_CONTROL = 1500, /* bytes of the longest control frame that is sent */
	PPP_MPPE_OVERHEAD = 4,  /* MPPE's header and the inner protocol */
	PPP_MAX_OVERHEAD = 8,   /* address, control, protocol 00fd, MPPE, protocol */
};

#endif
