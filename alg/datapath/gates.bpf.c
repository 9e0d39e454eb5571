/* The fast path: GRE of known calls is rewritten and sent on before the kernel's IP stack, or connection tracking, sees it.
 *
 * Whatever is not plain goes on to the stack untouched, where it meets connection tracking's gates of the same calls: fragments, IP
 * options and extension headers, a TTL that ends here, other versions of GRE, VLAN tags, frames for another station, packets that
 * don't fit the next link, next hops that are not resolved, and all that no gate matches. The route is looked up with the addresses
 * that the stack would use: the source as it came (source NAT comes after routing), the destination as it becomes.
 *
 * At XDP the next hop's address on the link is taken as the kernel knows it, which keeps no neighbour alive: once in a while a packet
 * of each call goes through the stack, which asks for the neighbour again when it should. TCX leaves the next hop to the stack.
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
	FIB_SKIP_NEIGH = 4,  /* BPF_FIB_LOOKUP_SKIP_NEIGH of newer headers */
	FLOWINFO = 0x0fffffff,
};

#define STACK_EVERY_NS (30 * 1000000000ULL)

/* RFC 2637 section 4.1, as far as it is always there. */
struct gre {
	__be16 flags, protocol, length, call_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct gates_key4);
	__type(value, struct gates_value4);
} gates4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct gates_key6);
	__type(value, struct gates_value6);
} gates6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATES_LINKS_MAX);
	__type(key, __u32);
	__type(value, struct gates_link);
} links SEC(".maps");

static __always_inline bool
gre_is_plain(const struct gre *gre)
{
	return (gre->flags & bpf_htons(GRE_FIXED)) == bpf_htons(GRE_WANTED) && gre->protocol == bpf_htons(GRE_PROTOCOL_PPP);
}

/* The gate of a packet whose headers lie before end; NULL: none of ours. */
static __always_inline struct gates_value4 *
find4(const struct iphdr *ip, const void *end)
{
	const struct gre *gre = (const void *)(ip + 1);
	struct gates_key4 key = {};

	if ((const void *)(gre + 1) > end || *(const __u8 *)ip != 0x45 || ip->protocol != IPPROTO_GRE)
		return NULL;
	if ((ip->frag_off & bpf_htons(FRAGMENT)) != 0 || ip->ttl <= 1 || !gre_is_plain(gre))
		return NULL;
	if (bpf_ntohs(ip->tot_len) < sizeof(*ip) + sizeof(*gre))
		return NULL;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.call_id = gre->call_id;
	return bpf_map_lookup_elem(&gates4, &key);
}

static __always_inline struct gates_value6 *
find6(const struct ipv6hdr *ip, const void *end)
{
	const struct gre *gre = (const void *)(ip + 1);
	struct gates_key6 key = {};

	if ((const void *)(gre + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_GRE)
		return NULL;
	if (ip->hop_limit <= 1 || !gre_is_plain(gre))
		return NULL;
	if (bpf_ntohs(ip->payload_len) < sizeof(*gre) || bpf_ntohs(ip->payload_len) > 0xffff - sizeof(*ip))
		return NULL;
	__builtin_memcpy(key.src, &ip->saddr, sizeof(key.src));
	__builtin_memcpy(key.dst, &ip->daddr, sizeof(key.dst));
	key.call_id = gre->call_id;
	return bpf_map_lookup_elem(&gates6, &key);
}

static __always_inline __u32
length4(const struct iphdr *ip)
{
	return bpf_ntohs(ip->tot_len);
}

static __always_inline __u32
length6(const struct ipv6hdr *ip)
{
	return bpf_ntohs(ip->payload_len) + sizeof(*ip);
}

static __always_inline bool
route4(void *ctx, struct bpf_fib_lookup *fib, const struct iphdr *ip, const struct gates_value4 *gate, __u32 flags)
{
	fib->family = FAMILY_IPV4;
	fib->tos = ip->tos;
	fib->tot_len = bpf_ntohs(ip->tot_len);
	fib->ipv4_src = ip->saddr;
	fib->ipv4_dst = gate->new_dst;
	return bpf_fib_lookup(ctx, fib, sizeof(*fib), flags) == BPF_FIB_LKUP_RET_SUCCESS;
}

static __always_inline bool
route6(void *ctx, struct bpf_fib_lookup *fib, const struct ipv6hdr *ip, const struct gates_value6 *gate, __u32 flags)
{
	fib->family = FAMILY_IPV6;
	fib->flowinfo = *(const __be32 *)ip & bpf_htonl(FLOWINFO);
	fib->tot_len = length6(ip);
	__builtin_memcpy(fib->ipv6_src, &ip->saddr, sizeof(fib->ipv6_src));
	__builtin_memcpy(fib->ipv6_dst, gate->new_dst, sizeof(fib->ipv6_dst));
	return bpf_fib_lookup(ctx, fib, sizeof(*fib), flags) == BPF_FIB_LKUP_RET_SUCCESS;
}

/* RFC 1624: the sum of what goes (complemented) and of what comes, folded. A wrong checksum stays wrong. */
static __always_inline void
rewrite4(struct iphdr *ip, const struct gates_value4 *gate)
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
	gre->call_id = gate->new_call_id;
}

static __always_inline void
rewrite6(struct ipv6hdr *ip, const struct gates_value6 *gate)
{
	struct gre *gre = (void *)(ip + 1);

	__builtin_memcpy(&ip->saddr, gate->new_src, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, gate->new_dst, sizeof(ip->daddr));
	ip->hop_limit--;
	gre->call_id = gate->new_call_id;
}

static __always_inline void
count(struct gates_count *c, __u32 bytes)
{
	__sync_fetch_and_add(&c->pkts, 1);
	__sync_fetch_and_add(&c->bytes, bytes);
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
	const struct gates_link *link = bpf_map_lookup_elem(&links, &ifindex);

	return link != NULL && is_same_mac(eth->h_dest, link->mac);
}

static __always_inline bool
is_turn_of_stack(struct gates_count *c)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	if (now < c->due)
		return false;
	c->due = now + STACK_EVERY_NS;
	return true;
}

static __always_inline int
send_xdp(struct ethhdr *eth, const struct bpf_fib_lookup *fib)
{
	__builtin_memcpy(eth->h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib->smac, ETH_ALEN);
	return (int)bpf_redirect(fib->ifindex, 0);
}

static __always_inline bool
can_send(__u32 ifindex)
{
	const struct gates_link *link = bpf_map_lookup_elem(&links, &ifindex);

	return link != NULL && link->sends;
}

static __always_inline int
xdp_ipv4(struct xdp_md *ctx, struct ethhdr *eth, const void *end)
{
	struct iphdr *ip = (void *)(eth + 1);
	struct gates_value4 *gate = find4(ip, end);
	struct bpf_fib_lookup fib = {.ifindex = ctx->ingress_ifindex, .l4_protocol = IPPROTO_GRE};
	__u32 length;

	if (gate == NULL || !is_for_us(eth, ctx->ingress_ifindex) || is_turn_of_stack(&gate->count))
		return XDP_PASS;
	length = length4(ip);
	if (length > (__u32)((const __u8 *)end - (const __u8 *)ip) || !route4(ctx, &fib, ip, gate, 0) || !can_send(fib.ifindex))
		return XDP_PASS;
	count(&gate->count, length);
	rewrite4(ip, gate);
	return send_xdp(eth, &fib);
}

static __always_inline int
xdp_ipv6(struct xdp_md *ctx, struct ethhdr *eth, const void *end)
{
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct gates_value6 *gate = find6(ip, end);
	struct bpf_fib_lookup fib = {.ifindex = ctx->ingress_ifindex, .l4_protocol = IPPROTO_GRE};
	__u32 length;

	if (gate == NULL || !is_for_us(eth, ctx->ingress_ifindex) || is_turn_of_stack(&gate->count))
		return XDP_PASS;
	length = length6(ip);
	if (length > (__u32)((const __u8 *)end - (const __u8 *)ip) || !route6(ctx, &fib, ip, gate, 0) || !can_send(fib.ifindex))
		return XDP_PASS;
	count(&gate->count, length);
	rewrite6(ip, gate);
	return send_xdp(eth, &fib);
}

SEC("xdp")
int
gates_xdp(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return xdp_ipv4(ctx, eth, end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return xdp_ipv6(ctx, eth, end);
	return XDP_PASS;
}

static __always_inline int
tcx_ipv4(struct __sk_buff *skb, struct ethhdr *eth, const void *end)
{
	struct iphdr *ip = (void *)(eth + 1);
	struct gates_value4 *gate = find4(ip, end);
	struct bpf_fib_lookup fib = {.ifindex = skb->ingress_ifindex, .l4_protocol = IPPROTO_GRE};
	struct bpf_redir_neigh hop = {};
	__u32 length;

	if (gate == NULL)
		return TC_ACT_UNSPEC;
	length = length4(ip);
	if (length + sizeof(*eth) > skb->len || !route4(skb, &fib, ip, gate, FIB_SKIP_NEIGH))
		return TC_ACT_UNSPEC;
	count(&gate->count, length);
	rewrite4(ip, gate);
	hop.nh_family = fib.family;
	__builtin_memcpy(hop.ipv6_nh, fib.ipv6_dst, sizeof(hop.ipv6_nh));
	return (int)bpf_redirect_neigh(fib.ifindex, &hop, sizeof(hop), 0);
}

static __always_inline int
tcx_ipv6(struct __sk_buff *skb, struct ethhdr *eth, const void *end)
{
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct gates_value6 *gate = find6(ip, end);
	struct bpf_fib_lookup fib = {.ifindex = skb->ingress_ifindex, .l4_protocol = IPPROTO_GRE};
	struct bpf_redir_neigh hop = {};
	__u32 length;

	if (gate == NULL)
		return TC_ACT_UNSPEC;
	length = length6(ip);
	if (length + sizeof(*eth) > skb->len || !route6(skb, &fib, ip, gate, FIB_SKIP_NEIGH))
		return TC_ACT_UNSPEC;
	count(&gate->count, length);
	rewrite6(ip, gate);
	hop.nh_family = fib.family;
	__builtin_memcpy(hop.ipv6_nh, fib.ipv6_dst, sizeof(hop.ipv6_nh));
	return (int)bpf_redirect_neigh(fib.ifindex, &hop, sizeof(hop), 0);
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
	struct ethhdr *eth;
	void *end;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return TC_ACT_UNSPEC;
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present || !pull(skb))
		return TC_ACT_UNSPEC;
	eth = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if ((void *)(eth + 1) > end)
		return TC_ACT_UNSPEC;
	return skb->protocol == bpf_htons(ETH_P_IP) ? tcx_ipv4(skb, eth, end) : tcx_ipv6(skb, eth, end);
}

char gates_license[] SEC("license") = "Dual BSD/GPL";
