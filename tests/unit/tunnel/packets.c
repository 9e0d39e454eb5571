#include "tests/unit/tunnel/packets.h"

#include <string.h>

#include "base/wire.h"

struct packet_spec
packet_default(uint8_t version, uint8_t proto)
{
	return (struct packet_spec){
	    .version = version, .proto = proto, .ttl = 64, .fragment = 0x4000, .sport = 1000, .dport = 2000, .flags = 0x10, .window = 512};
}

uint16_t
plain_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (i & 1) != 0 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t
pseudo(const uint8_t *packet, size_t header, uint8_t proto, size_t len)
{
	uint32_t sum = packet[0] >> 4 == 4 ? plain_sum(0, packet + 12, 8) : plain_sum(0, packet + 8, 32);

	(void)header;
	return plain_sum(sum + proto + (uint32_t)len, NULL, 0);
}

static size_t
make_ip(uint8_t *buf, const struct packet_spec *s, size_t len)
{
	memset(buf, 0, s->version == 4 ? 20 : 40);
	if (s->version == 4) {
		put_u16(buf, (uint16_t)(0x4500 | s->tos));
		put_u16(buf + 2, (uint16_t)(20 + len));
		put_u16(buf + 4, s->id);
		put_u16(buf + 6, s->fragment);
		buf[8] = s->ttl;
		buf[9] = s->proto;
		memcpy(buf + 12, (const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
		put_u16(buf + 10, (uint16_t)~plain_sum(0, buf, 20));
		return 20;
	}
	put_u32(buf, 0x60000000 | (uint32_t)s->tos << 20);
	put_u16(buf + 4, (uint16_t)len);
	buf[6] = s->proto;
	buf[7] = s->ttl;
	buf[8] = buf[24] = 0xfd;
	buf[23] = 1;
	buf[39] = 2;
	return 40;
}

static size_t
transport_header(uint8_t *l4, const struct packet_spec *s)
{
	memset(l4, 0, 20);
	put_u16(l4, s->sport);
	put_u16(l4 + 2, s->dport);
	if (s->proto == 17) {
		put_u16(l4 + 4, (uint16_t)(8 + s->payloadlen));
		return 8;
	}
	put_u32(l4 + 4, s->seq);
	put_u32(l4 + 8, s->ack);
	l4[12] = (uint8_t)((20 + s->optionslen) / 4 << 4);
	l4[13] = s->flags;
	put_u16(l4 + 14, s->window);
	if (s->optionslen > 0)
		memcpy(l4 + 20, s->options, s->optionslen);
	return 20 + s->optionslen;
}

size_t
packet_make(uint8_t *buf, const struct packet_spec *s)
{
	size_t ip = s->version == 4 ? 20 : 40, l4len = 0, len;

	if (s->proto == 6 || s->proto == 17)
		l4len = transport_header(buf + ip, s);
	len = l4len + s->payloadlen;
	if (s->payloadlen > 0)
		memcpy(buf + ip + l4len, s->payload, s->payloadlen);
	make_ip(buf, s, len);
	if (l4len > 0) {
		uint8_t *field = buf + ip + (s->proto == 6 ? 16 : 6);
		uint16_t sum = (uint16_t)~plain_sum(pseudo(buf, ip, s->proto, len), buf + ip, len);

		put_u16(field, s->proto == 17 && sum == 0 ? 0xffff : sum);
	}
	return ip + len;
}

bool
packet_right(const uint8_t *packet, size_t len)
{
	size_t ip = packet[0] >> 4 == 4 ? (size_t)(packet[0] & 15) * 4 : 40;
	uint8_t proto = packet[0] >> 4 == 4 ? packet[9] : packet[6];

	if (packet[0] >> 4 == 4 && (plain_sum(0, packet, ip) != 0xffff || get_u16(packet + 2) != len))
		return false;
	if (packet[0] >> 4 == 6 && get_u16(packet + 4) + 40u != len)
		return false;
	if (proto == 1)
		return plain_sum(0, packet + ip, len - ip) == 0xffff;
	return plain_sum(pseudo(packet, ip, proto, len - ip), packet + ip, len - ip) == 0xffff;
}

uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}
