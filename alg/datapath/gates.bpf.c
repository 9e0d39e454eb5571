/* The fast path: GRE of known calls is rewritten and sent on before the kernel's IP stack, or connection tracking, sees it.
 *
 * Whatever is not plain goes on to the stack untouched, where it meets connection tracking's gates of the same calls: fragments, IP
 * options and extension headers, a TTL that ends here, other versions of GRE, VLAN tags, frames for another station or longer than
 * their packet, packets that don't fit the next link, next hops that are not resolved, and all that no gate matches. The route is looked up with the addresses
 * that the stack would use: the source as it came (source NAT comes after routing), the destination as it becomes. It is kept with the
 * gate and used for a quarter of a second (GATES_HOP_LIFE), for packets of the same traffic class that are no longer than it allows.
 *
 * The next hop's address on the link is taken as the kernel knows it, which keeps no neighbour alive: once in a while a packet of each
 * call goes through the stack, which asks for the neighbour again when it should.
 *
 * SPDX-License-Identifier: ISC OR GPL-2.0 (the kernel lends route lookups only to programs that name the second). */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf_map.h"

enum {
	FAMILY_IPV4 = 2,
	FAMILY_IPV6 = 10,
	GRE_PROTOCOL_PPP = 0x880b,
	GRE_FIXED = 0xef7f,  /* all but the sequence and acknowledgement bits */
	GRE_WANTED = 0x2001, /* key present, version 1 */
	FRAGMENT = 0xbfff,   /* all but "don't fragment" */
	FLOWINFO = 0x0fffffff,
	DSCP_SHIFT = 2, /* in the octet that also holds ECN */
	PADDED = 46,    /* what frames carry at least */
};

/* RFC 2637 section 4.1, as far as it is always there. */
struct gre {
	__be16 flags, protocol, length, call_id;
};

/* Set before the program is loaded. */
const volatile struct gates_setup setup SEC(GATES_MAP_SETUP) = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gates_slot4);
} gates4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gates_slot6);
} gates6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATES_LINK_SLOTS);
	__type(key, __u32);
	__type(value, struct gates_link);
} links SEC(".maps");

/* A packet, what it becomes, and where it goes: all that is needed of a slot once it is found. */
struct packet {
	__u64 now;
	__u32 ingress, length;
	__u32 state, until; /* of the slot, when it was read; until becomes 0 with a hop that was just looked up */
	__u8 dscp;
	bool at_xdp;
	struct gates_head hop; /* only what belongs to it */
};

#define READ(x) (*(const volatile typeof(x) *)&(x))

static __always_inline bool
gre_is_plain(const struct gre *gre)
{
	return (gre->flags & bpf_htons(GRE_FIXED)) == bpf_htons(GRE_WANTED) && gre->protocol == bpf_htons(GRE_PROTOCOL_PPP);
}

static __always_inline bool
is_plain4(const struct iphdr *ip, const void *end)
{
	const struct gre *gre = (const void *)(ip + 1);

	if ((const void *)(gre + 1) > end || *(const __u8 *)ip != 0x45 || ip->protocol != IPPROTO_GRE)
		return false;
	if ((ip->frag_off & bpf_htons(FRAGMENT)) != 0 || ip->ttl <= 1 || !gre_is_plain(gre))
		return false;
	return bpf_ntohs(ip->tot_len) >= sizeof(*ip) + sizeof(*gre);
}

static __always_inline bool
is_plain6(const struct ipv6hdr *ip, const void *end)
{
	const struct gre *gre = (const void *)(ip + 1);

	if ((const void *)(gre + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_GRE)
		return false;
	if (ip->hop_limit <= 1 || !gre_is_plain(gre))
		return false;
	return bpf_ntohs(ip->payload_len) >= sizeof(*gre) && bpf_ntohs(ip->payload_len) <= 0xffff - sizeof(*ip);
}

static __always_inline bool
is_of4(const void *a_slot, const void *header)
{
	const struct gates_slot4 *slot = a_slot;
	const struct iphdr *ip = header;
	const struct gre *gre = (const void *)(ip + 1);

	return slot->src == ip->saddr && slot->dst == ip->daddr && slot->head.call_id == gre->call_id;
}

static __always_inline bool
is_same_ipv6(const __be32 *a, const __be32 *b)
{
	return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
}

static __always_inline bool
is_of6(const void *a_slot, const void *header)
{
	const struct gates_slot6 *slot = a_slot;
	const struct ipv6hdr *ip = header;
	const struct gre *gre = (const void *)(ip + 1);

	return slot->head.call_id == gre->call_id && is_same_ipv6(slot->src, ip->saddr.s6_addr32) &&
	       is_same_ipv6(slot->dst, ip->daddr.s6_addr32);
}

/* The slot that seems to be the packet's, from its home on; NULL: none. Slots begin with their heads. */
static __always_inline void *
find(void *map, __u32 mask, __u32 home, const void *ip, bool (*is_of)(const void *slot, const void *ip))
{
	__u32 far = 0;

	for (__u32 i = 0; i < GATES_REACH; i++) {
		__u32 at = (home + i) & mask;
		struct gates_head *head = bpf_map_lookup_elem(map, &at);

		if (head == NULL)
			return NULL;
		if (is_of(head, ip))
			return head;
		if (i == 0)
			far = (head->state & GATES_FAR) >> GATES_FAR_SHIFT;
		if (i >= far)
			return NULL;
	}
	return NULL;
}

static __always_inline struct gates_slot4 *
find4(const struct iphdr *ip)
{
	const struct gre *gre = (const void *)(ip + 1);

	return find(&gates4, setup.mask4, gates_hash(&setup.seed, &ip->saddr, &ip->daddr, 1, gre->call_id), ip, is_of4);
}

static __always_inline struct gates_slot6 *
find6(const struct ipv6hdr *ip)
{
	const struct gre *gre = (const void *)(ip + 1);

	return find(&gates6, setup.mask6, gates_hash(&setup.seed, ip->saddr.s6_addr32, ip->daddr.s6_addr32, 4, gre->call_id), ip, is_of6);
}

/* To be called before a slot's gate and hop are read. An addition that tells what was there is a full barrier; the compiler must not
 * see that nothing is added. False: the slot is no gate's. */
static __always_inline bool
begin(struct gates_head *head, struct packet *p)
{
	__u32 nothing = 0;

	asm volatile("" : "+r"(nothing));
	p->until = READ(head->until);
	p->state = __sync_fetch_and_add(&head->state, nothing);
	return (p->state & GATES_LIVE) != 0;
}

/* Whether the slot is still the gate's that it was. */
static __always_inline bool
is_same_gate(const struct gates_head *head, const struct packet *p)
{
	return ((READ(head->state) ^ p->state) & ~GATES_FAR) == 0;
}

/* Counts the packet, by a barrier again. False: the gate or its hop changed while it was read. */
static __always_inline bool
end_with_count(struct gates_head *head, const struct packet *p)
{
	__u64 before;

	__sync_fetch_and_add(&head->bytes, p->length);
	before = __sync_fetch_and_add(&head->pkts, 1);
	asm volatile("" : : "r"(before));
	return is_same_gate(head, p) && (p->until == 0 || READ(head->until) == p->until);
}

static __always_inline void
copy_mac(void *to, const void *from)
{
	__u16 *t = to;
	const __u16 *f = from;

	t[0] = f[0];
	t[1] = f[1];
	t[2] = f[2];
}

static __always_inline bool
is_hop_known(const struct gates_head *head, struct packet *p)
{
	if ((p->until & 1) != 0 || p->until - gates_ticks(p->now) - 1 >= GATES_HOP_LIFE)
		return false;
	p->hop.ifindex = head->ifindex;
	p->hop.from_xdp = head->from_xdp;
	copy_mac(p->hop.dmac, head->dmac);
	copy_mac(p->hop.smac, head->smac);
	return head->dscp == p->dscp && p->length <= head->mtu;
}

static __always_inline const struct gates_link *
find_link(__u32 ifindex)
{
	__u32 at = ifindex % GATES_LINK_SLOTS;
	const struct gates_link *link = bpf_map_lookup_elem(&links, &at);

	return link != NULL && link->ifindex == ifindex ? link : NULL;
}

/* Keeps the hop for the packets that follow, unless another CPU is at it or the slot has become another gate's. */
static __always_inline void
keep_hop(struct gates_head *head, const struct packet *p)
{
	__u32 before = READ(head->until), until = 0;

	if ((before & 1) != 0 || __sync_val_compare_and_swap(&head->until, before, before | 1) != before)
		return;
	if (is_same_gate(head, p)) {
		head->ifindex = p->hop.ifindex;
		head->mtu = p->hop.mtu;
		head->dscp = p->dscp;
		head->from_xdp = p->hop.from_xdp;
		copy_mac(head->dmac, p->hop.dmac);
		copy_mac(head->smac, p->hop.smac);
		until = (gates_ticks(p->now) + GATES_HOP_LIFE) & ~1U;
	}
	(void)__sync_lock_test_and_set(&head->until, until);
}

/* What XDP could have sent and did not, it meant for the stack. */
static __always_inline bool
is_for_hook(const struct packet *p)
{
	if (p->at_xdp)
		return p->hop.from_xdp;
	return !p->hop.from_xdp || find_link(p->ingress) == NULL;
}

static __always_inline bool
is_turn_of_stack(struct gates_head *head, const struct packet *p)
{
	__u8 now = gates_turns(p->now);

	if ((__u8)(head->turn - now - 1) < GATES_TURN_LIFE)
		return false;
	head->turn = now + GATES_TURN_LIFE;
	return true;
}

/* Takes the hop from a route that was found. False: the packet is another hook's, or the stack's. Only the hook that sends keeps hops,
 * so that none hides from it that one has become old, which is when turns are looked at. */
static __always_inline bool
use_route(struct gates_head *head, struct packet *p, const struct bpf_fib_lookup *fib)
{
	const struct gates_link *link = find_link(fib->ifindex);

	p->until = 0;
	p->hop.ifindex = fib->ifindex;
	p->hop.mtu = fib->mtu_result;
	p->hop.from_xdp = link != NULL && link->sends;
	copy_mac(p->hop.dmac, fib->dmac);
	copy_mac(p->hop.smac, fib->smac);
	if (!is_for_hook(p) || is_turn_of_stack(head, p))
		return false;
	keep_hop(head, p);
	return true;
}

static __always_inline bool
route4(void *ctx, struct gates_head *head, struct packet *p, const struct iphdr *ip, const struct gates_slot4 *gate)
{
	struct bpf_fib_lookup fib = {.family = FAMILY_IPV4, .l4_protocol = IPPROTO_GRE, .ifindex = p->ingress};

	if (is_hop_known(head, p))
		return is_for_hook(p);
	fib.tos = ip->tos;
	fib.tot_len = (__u16)p->length;
	fib.ipv4_src = ip->saddr;
	fib.ipv4_dst = gate->new_dst;
	return bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) == BPF_FIB_LKUP_RET_SUCCESS && use_route(head, p, &fib);
}

static __always_inline bool
route6(void *ctx, struct gates_head *head, struct packet *p, const struct ipv6hdr *ip, const struct gates_slot6 *gate)
{
	struct bpf_fib_lookup fib = {.family = FAMILY_IPV6, .l4_protocol = IPPROTO_GRE, .ifindex = p->ingress};

	if (is_hop_known(head, p))
		return is_for_hook(p);
	fib.flowinfo = *(const __be32 *)ip & bpf_htonl(FLOWINFO);
	fib.tot_len = (__u16)p->length;
	__builtin_memcpy(fib.ipv6_src, &ip->saddr, sizeof(fib.ipv6_src));
	__builtin_memcpy(fib.ipv6_dst, gate->new_dst, sizeof(fib.ipv6_dst));
	return bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) == BPF_FIB_LKUP_RET_SUCCESS && use_route(head, p, &fib);
}

/* RFC 1624: the sum of what goes (complemented) and of what comes, folded. A wrong checksum stays wrong. */
static __always_inline void
rewrite4(struct iphdr *ip, const struct gates_slot4 *gate)
{
	struct gre *gre = (void *)(ip + 1);
	__be16 *ttl = (void *)&ip->ttl;
	__u64 sum = (__u16)~ip->check;

	sum += (__u32)~ip->saddr + (__u64)(__u32)~ip->daddr + (__u16) ~*ttl;
	ip->saddr = gate->new_src;
	ip->daddr = gate->new_dst;
	ip->ttl--;
	sum += ip->saddr + (__u64)ip->daddr + *ttl;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (__sum16)~sum;
	gre->call_id = gate->head.new_call_id;
}

static __always_inline void
rewrite6(struct ipv6hdr *ip, const struct gates_slot6 *gate)
{
	struct gre *gre = (void *)(ip + 1);

	__builtin_memcpy(&ip->saddr, gate->new_src, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, gate->new_dst, sizeof(ip->daddr));
	ip->hop_limit--;
	gre->call_id = gate->head.new_call_id;
}

/* Whether the frame, which has room for so much, has just the packet and Ethernet's padding. With more it might be too long for the next
 * link, as nobody looks at more than the packet's length. */
static __always_inline bool
fills(__u32 length, __u32 room)
{
	return length == room || (length < room && room <= PADDED);
}

/* The interface that the packet, made ready, leaves by; 0: it is the stack's. */
static __always_inline __u32
forward4(void *ctx, struct packet *p, struct iphdr *ip, const void *end, __u32 room)
{
	struct gates_slot4 *slot;
	struct gates_slot4 gate;

	if (!is_plain4(ip, end) || !fills(bpf_ntohs(ip->tot_len), room))
		return 0;
	slot = find4(ip);
	if (slot == NULL || !begin(&slot->head, p))
		return 0;
	gate = *slot;
	p->length = bpf_ntohs(ip->tot_len);
	p->dscp = ip->tos >> DSCP_SHIFT;
	if (!is_of4(&gate, ip) || !route4(ctx, &slot->head, p, ip, &gate))
		return 0;
	if (!end_with_count(&slot->head, p))
		return 0;
	rewrite4(ip, &gate);
	return p->hop.ifindex;
}

static __always_inline __u32
forward6(void *ctx, struct packet *p, struct ipv6hdr *ip, const void *end, __u32 room)
{
	struct gates_slot6 *slot;
	struct gates_slot6 gate;

	if (!is_plain6(ip, end) || !fills(bpf_ntohs(ip->payload_len) + sizeof(*ip), room))
		return 0;
	slot = find6(ip);
	if (slot == NULL || !begin(&slot->head, p))
		return 0;
	gate = *slot;
	p->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	p->dscp = bpf_ntohs(*(const __be16 *)ip) >> (4 + DSCP_SHIFT) & 0x3f;
	if (!is_of6(&gate, ip) || !route6(ctx, &slot->head, p, ip, &gate))
		return 0;
	if (!end_with_count(&slot->head, p))
		return 0;
	rewrite6(ip, &gate);
	return p->hop.ifindex;
}

static __always_inline __u32
forward(void *ctx, struct packet *p, struct ethhdr *eth, const void *end, __u32 room)
{
	__u32 ifindex;

	p->now = bpf_ktime_get_coarse_ns();
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		ifindex = forward4(ctx, p, (void *)(eth + 1), end, room);
	else
		ifindex = forward6(ctx, p, (void *)(eth + 1), end, room);
	if (ifindex != 0) {
		copy_mac(eth->h_dest, p->hop.dmac);
		copy_mac(eth->h_source, p->hop.smac);
	}
	return ifindex;
}

static __always_inline bool
is_same_mac(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b && *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

/* Whether the frame is for this station: at XDP those for others come along too. */
static __always_inline bool
is_for_us(const struct ethhdr *eth, __u32 ifindex)
{
	const struct gates_link *link = find_link(ifindex);

	return link != NULL && is_same_mac(eth->h_dest, link->mac);
}

SEC("xdp")
int
gates_xdp(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct packet p = {.ingress = ctx->ingress_ifindex, .at_xdp = true};
	__u32 ifindex;

	if ((void *)(eth + 1) > end || (eth->h_proto != bpf_htons(ETH_P_IP) && eth->h_proto != bpf_htons(ETH_P_IPV6)))
		return XDP_PASS;
	if (!is_for_us(eth, ctx->ingress_ifindex))
		return XDP_PASS;
	ifindex = forward(ctx, &p, eth, end, (__u32)((const char *)end - (const char *)(eth + 1)));
	return ifindex == 0 ? XDP_PASS : (int)bpf_redirect(ifindex, 0);
}

/* Some drivers leave the headers outside of what a program can touch. */
static __always_inline bool
pull(struct __sk_buff *skb)
{
	__u32 wanted = sizeof(struct ethhdr) + sizeof(struct ipv6hdr) + sizeof(struct gre);

	if (skb->data_end - skb->data >= wanted || skb->data_end - skb->data >= skb->len)
		return true;
	return bpf_skb_pull_data(skb, wanted < skb->len ? wanted : skb->len) == 0;
}

SEC("tc")
int
gates_tcx(struct __sk_buff *skb)
{
	struct packet p = {.ingress = skb->ingress_ifindex};
	struct ethhdr *eth;
	void *end;
	__u32 ifindex;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return TC_ACT_UNSPEC;
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present || !pull(skb))
		return TC_ACT_UNSPEC;
	eth = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if ((void *)(eth + 1) > end || eth->h_proto != skb->protocol)
		return TC_ACT_UNSPEC;
	ifindex = forward(skb, &p, eth, end, skb->len - sizeof(*eth));
	return ifindex == 0 ? TC_ACT_UNSPEC : (int)bpf_redirect(ifindex, 0);
}

char gates_license[] SEC("license") = "Dual BSD/GPL";
