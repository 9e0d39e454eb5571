/* Makes one frame of greflood's: the kernel runs it over and over and sends what it leaves.
 *
 * The whole header is written each time, as a frame comes back from the receiver the way it arrived there.
 *
 * SPDX-License-Identifier: ISC OR GPL-2.0 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "greflood_plan.h"

enum { GRE = 47 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plans SEC(".maps");

SEC("xdp")
int
greflood(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct plan *plan = bpf_map_lookup_elem(&plans, &zero);
	__u8 *frame = (void *)(long)ctx->data, *gre;

	if (plan == NULL || frame + PLAN_HEADER > (__u8 *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy(frame, plan->header, PLAN_HEADER);
	gre = frame + (plan->ipv6 ? PLAN_GRE_IPV6 : PLAN_GRE_IPV4);
	*(__be16 *)(gre + PLAN_CALL_ID) = bpf_htons((__u16)(plan->first_id + plan->call));
	*(__be32 *)(gre + PLAN_SEQUENCE) = bpf_htonl(plan->sequence);
	if (++plan->call == plan->calls) {
		plan->call = 0;
		plan->sequence++;
	}
	return (int)bpf_redirect(plan->ifindex, 0);
}

/* Whatever else comes is the stack's, which must answer for its addresses. */
SEC("xdp")
int
gredrop(struct xdp_md *ctx)
{
	const __u8 *frame = (void *)(long)ctx->data;

	if (frame + PLAN_HEADER > (__u8 *)(long)ctx->data_end)
		return XDP_PASS;
	if (frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == GRE)
		return XDP_DROP;
	return frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == GRE ? XDP_DROP : XDP_PASS;
}

char greflood_license[] SEC("license") = "Dual BSD/GPL";
