/* What a session's link itself carries of IPv6: advertisements of its prefix by the server, taken by the client; echoes by link-local
 * addresses, which the server answers here, since on a shared interface the kernel could not tell whose they are. */
#include <string.h>

#include "tunnel/ra.h"
#include "tunnel/worker.h"

static void
advertise(struct session *s, uint64_t ts)
{
	struct ra_info info = {.prefix = s->ra, .dns = {s->ra_dns[0], s->ra_dns[1]}, .mtu = s->mtu};
	uint8_t buf[RA_MAX];

	memcpy(info.ifid, s->local_ifid, 8);
	tx_own(s, buf, ra_build(buf, &info), ts);
	s->ra_sent_ts = ts;
}

static void
solicit(struct session *s, uint64_t ts)
{
	uint8_t buf[RA_MAX];

	tx_own(s, buf, rs_build(buf, s->local_ifid), ts);
}

/* RFC 4861 section 6.2.4: the first advertisements come faster. */
static void
advertise_on_time(struct session *s, uint64_t ts)
{
	advertise(s, ts);
	if (s->nd_left > 0)
		s->nd_left--;
	s->nd_ts = ts + (s->nd_left > 0 ? TS_S(RA_INITIAL_INTERVAL_S) : TS_S(RA_INTERVAL_S));
}

static void
solicit_on_time(struct session *s, uint64_t ts)
{
	solicit(s, ts);
	s->nd_left--;
	s->nd_ts = s->nd_left > 0 ? ts + TS_S(RA_SOLICIT_INTERVAL_S) : TS_NEVER;
}

void
nd_start(struct session *s, uint64_t ts)
{
	s->nd_ts = TS_NEVER;
	if (s->ra.addr.family == 6) {
		s->nd_left = RA_INITIAL;
		advertise_on_time(s, ts);
	} else if (s->accept_ra) {
		s->nd_left = RA_SOLICITATIONS;
		solicit_on_time(s, ts);
	}
}

void
nd_expire(struct session *s, uint64_t ts)
{
	if (ts < s->nd_ts)
		return;
	s->nd_ts = TS_NEVER;
	if (!s->ipv6_up)
		return;
	if (s->ra.addr.family == 6)
		advertise_on_time(s, ts);
	else if (s->nd_left > 0)
		solicit_on_time(s, ts);
}

/* A peer that solicits without pause gets an answer every three seconds. */
static void
rx_solicitation(struct session *s, uint64_t ts)
{
	if (s->ra.addr.family != 6 || !s->ipv6_up)
		return;
	if (ts - s->ra_sent_ts >= RA_DELAY_NS)
		advertise(s, ts);
	else if (s->nd_ts > s->ra_sent_ts + RA_DELAY_NS)
		s->nd_ts = s->ra_sent_ts + RA_DELAY_NS;
}

/* A peer that changes its mind without pause is heard once a second. */
static void
rx_advertisement(struct session *s, const struct ip_info *ip, const uint8_t *packet, uint64_t ts)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_PREFIX, .session = s->number};

	if (!s->accept_ra || !ra_parse(ip, packet, &event.prefix))
		return;
	s->nd_left = 0;
	s->nd_ts = TS_NEVER;
	if (s->heard_ra.len == event.prefix.len && addr_equal(&s->heard_ra.addr, &event.prefix.addr))
		return;
	if (s->heard_ra.len > 0 && ts - s->heard_ts < TS_S(1))
		return;
	s->heard_ra = event.prefix;
	s->heard_ts = ts;
	worker_post(s->worker, &event);
}

static bool
rx_echo(struct session *s, const struct ip_info *ip, const uint8_t *packet, uint64_t ts)
{
	uint8_t buf[TX_SLOT_BYTES];
	size_t len = s->ra.addr.family == 6 && s->ipv6_up && ip->length <= s->mtu ? echo_build(buf, ip, packet, s->local_ifid) : 0;

	if (len > 0)
		tx_own(s, buf, len, ts);
	return len > 0;
}

bool
nd_rx(struct session *s, const struct ip_info *ip, const uint8_t *packet, uint64_t ts)
{
	switch (nd_classify(ip, packet)) {
	case ND_NONE:
		return rx_echo(s, ip, packet, ts);
	case ND_SOLICITATION:
		rx_solicitation(s, ts);
		break;
	case ND_ADVERTISEMENT:
		rx_advertisement(s, ip, packet, ts);
		break;
	case ND_OTHER:
		break;
	case ND_BAD:
		s->own_bad++;
		count(&s->counters->dropped_bad, 1);
		break;
	}
	return true;
}
