/* Makes one frame of greflood's: the kernel runs it over and over and sends what it leaves.
 *
 * The whole header is written each time, as a frame comes back from the receiver the way it arrived there.
 *
 * SPDX-License-Identifier: ISC OR GPL-2.0 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "greflood_plan.h"

enum { GRE = 47, WAIT_MAX = 2000 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plans SEC(".maps");

/* Waits for the next train's time, but not longer than the kernel may be kept. */
static __always_inline void
pace(struct plan *plan)
{
	__u64 now = bpf_ktime_get_ns();

	if (now > plan->next + 8 * plan->train_ns)
		plan->next = now;
	for (int i = 0; i < WAIT_MAX && now < plan->next; i++)
		now = bpf_ktime_get_ns();
	plan->next += plan->train_ns;
}

SEC("xdp")
int
greflood(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct plan *plan = bpf_map_lookup_elem(&plans, &zero);
	__u8 *frame = (void *)(long)ctx->data, *gre;

	if (plan == NULL || frame + PLAN_HEADER > (__u8 *)(long)ctx->data_end)
		return XDP_DROP;
	if (plan->train_ns != 0 && plan->offered % PLAN_TRAIN == 0)
		pace(plan);
	__builtin_memcpy(frame, plan->header, PLAN_HEADER);
	gre = frame + (plan->ipv6 ? PLAN_GRE_IPV6 : PLAN_GRE_IPV4);
	*(__be16 *)(gre + PLAN_CALL_ID) = bpf_htons((__u16)(plan->first_id + plan->call));
	*(__be32 *)(gre + PLAN_SEQUENCE) = bpf_htonl(plan->sequence);
	plan->offered++;
	plan->sequence++;
	if (++plan->sent >= plan->row) {
		plan->sent = 0;
		if (++plan->call == plan->calls)
			plan->call = 0;
	}
	return (int)bpf_redirect(plan->ifindex, 0);
}

/* Whatever else comes is the stack's, which must answer for its addresses. */
static __always_inline bool
is_gre(const __u8 *frame, const __u8 *end)
{
	if (frame + PLAN_HEADER > end)
		return false;
	if (frame[12] == 0x08 && frame[13] == 0x00)
		return frame[23] == GRE;
	return frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == GRE;
}

SEC("xdp")
int
gredrop_xdp(struct xdp_md *ctx)
{
	return is_gre((const void *)(long)ctx->data, (const void *)(long)ctx->data_end) ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int
gredrop_tcx(struct __sk_buff *skb)
{
	return is_gre((const void *)(long)skb->data, (const void *)(long)skb->data_end) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char greflood_license[] SEC("license") = "Dual BSD/GPL";
