/* greflood: PPTP's GRE faster than any gateway can take it, cycling over calls, so that the gateway is what is measured.
 *
 *     greflood [-c CPU] [-n CALLS] [-m ROW] [-i FIRST-ID] [-l BYTES] [-r RATE] [-s SECONDS] INTERFACE NEXT-HOP-MAC SOURCE DESTINATION
 *     greflood -d xdp|tcx INTERFACE
 *
 * Frames are made in the kernel, by a program that is run on pages and not on socket buffers (BPF_PROG_TEST_RUN with live frames,
 * Linux 5.18), and go straight to the interface. On a veth the other end must have NAPI: GRO on, or a program at XDP. BYTES is the
 * length of GRE's payload. Prints the frames offered and in how many seconds; what does not fit the other end is lost.
 *
 * ROW frames of a call come one after the other (1). RATE is in frames a second, the default as many as can be made: then those that don't
 * fit are many, and their way back to the pool of frames gets in the way of those that come back from the receiver.
 *
 * -d: the other end. Drops GRE that comes to INTERFACE, at XDP or at TCX, until it is killed. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libgen.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "bench/greflood_plan.h"

enum { BATCH = 256, FRAME_MAX = 1600, IPV4_LEN = 20, IPV6_LEN = 40, GRE_LEN = 12, LIVE_FRAMES = 2 };

/* BPF_TCX_INGRESS, which older headers don't have. */
enum { TCX_INGRESS = 46 };

struct options {
	const char *interface, *mac, *source, *destination, *drop;
	unsigned cpu, calls, row, first_id, payload, rate;
	double seconds;
	bool pinned, ipv6;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void
on_alarm(int number)
{
	(void)number;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- the frame --- */

static void
put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static unsigned
ipv4_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < IPV4_LEN; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void
own_mac(const char *interface, uint8_t mac[ETH_ALEN])
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		die(interface);
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

static bool
build_ip(const struct options *o, uint8_t *ip)
{
	if (o->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, GRE_LEN + o->payload);
		ip[6] = IPPROTO_GRE;
		ip[7] = 64;
		return inet_pton(AF_INET6, o->source, ip + 8) == 1 && inet_pton(AF_INET6, o->destination, ip + 24) == 1;
	}
	ip[0] = 0x45;
	put16(ip + 2, IPV4_LEN + GRE_LEN + o->payload);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = IPPROTO_GRE;
	if (inet_pton(AF_INET, o->source, ip + 12) != 1 || inet_pton(AF_INET, o->destination, ip + 16) != 1)
		return false;
	put16(ip + 10, ipv4_sum(ip));
	return true;
}

static bool
build(const struct options *o, struct plan *plan)
{
	uint8_t *h = plan->header, *gre = h + (o->ipv6 ? PLAN_GRE_IPV6 : PLAN_GRE_IPV4);

	plan->ifindex = if_nametoindex(o->interface);
	plan->ipv6 = o->ipv6;
	plan->calls = o->calls;
	plan->row = o->row;
	plan->first_id = o->first_id;
	plan->train_ns = o->rate != 0 ? UINT64_C(1000000000) * PLAN_TRAIN / o->rate : 0;
	if (sscanf(o->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &h[0], &h[1], &h[2], &h[3], &h[4], &h[5]) != ETH_ALEN)
		return false;
	own_mac(o->interface, h + ETH_ALEN);
	put16(h + 12, o->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	put16(gre, 0x3001); /* key, sequence number, version 1 */
	put16(gre + 2, 0x880b);
	put16(gre + 4, o->payload);
	return build_ip(o, h + ETH_HLEN);
}

/* --- the kernel's part --- */

static struct bpf_object *
load(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 20);
	struct bpf_object *object;

	if (n < 0)
		die("/proc/self/exe");
	path[n] = '\0';
	snprintf(path + strlen(dirname(path)), 20, "/greflood.bpf.o");
	object = bpf_object__open_file(path, NULL);
	if (object == NULL)
		die(path);
	if (bpf_object__load(object) != 0)
		die("greflood: the kernel doesn't take the program");
	return object;
}

static int
program(struct bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

/* One call to the kernel, as its beginning and its end take a grace period each; a signal ends it. */
static void
flood(const struct options *o, int fd)
{
	uint8_t frame[FRAME_MAX] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame,
	    .data_size_in = ETH_HLEN + (o->ipv6 ? IPV6_LEN : IPV4_LEN) + GRE_LEN + o->payload, .repeat = INT32_MAX, .flags = LIVE_FRAMES,
	    .batch_size = BATCH);
	struct itimerval end = {.it_value = {(time_t)o->seconds, (suseconds_t)((o->seconds - (double)(time_t)o->seconds) * 1e6)}};

	signal(SIGALRM, on_alarm);
	if (setitimer(ITIMER_REAL, &end, NULL) != 0 || (bpf_prog_test_run_opts(fd, &run) != 0 && errno != EINTR))
		die("greflood: live frames");
}

static int
send_all(const struct options *o)
{
	struct plan plan = {0};
	struct bpf_object *object = load();
	uint32_t zero = 0;
	double began;
	int map = bpf_map__fd(bpf_object__find_map_by_name(object, "plans"));

	if (!build(o, &plan)) {
		fprintf(stderr, "greflood: a bad address among %s %s %s\n", o->mac, o->source, o->destination);
		return 1;
	}
	if (bpf_map_update_elem(map, &zero, &plan, BPF_ANY) != 0)
		die("greflood: plan");
	began = now();
	flood(o, program(object, "greflood"));
	if (bpf_map_lookup_elem(map, &zero, &plan) != 0)
		die("greflood: plan");
	printf("%llu %.4f\n", plan.offered, now() - began);
	bpf_object__close(object);
	return 0;
}

/* The system call itself, as libbpf of some distributions doesn't know TCX. */
static int
attach_tcx(int fd, uint32_t ifindex)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)fd;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = TCX_INGRESS;
	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int
attach_xdp(int fd, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int link = bpf_link_create(fd, (int)ifindex, BPF_XDP, &opts);

	errno = -link;
	return link;
}

static int
drop_all(const struct options *o)
{
	struct bpf_object *object = load();
	uint32_t ifindex = if_nametoindex(o->interface);
	bool xdp = strcmp(o->drop, "xdp") == 0;

	if ((xdp ? attach_xdp(program(object, "gredrop_xdp"), ifindex) : attach_tcx(program(object, "gredrop_tcx"), ifindex)) < 0)
		die(o->interface);
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}

/* --- the command line --- */

static int
usage(void)
{
	fprintf(stderr, "usage: greflood [-c CPU] [-n CALLS] [-m ROW] [-i FIRST-ID] [-l BYTES] [-r RATE] [-s SECONDS] INTERFACE "
			"NEXT-HOP-MAC SOURCE DESTINATION\n"
			"       greflood -d xdp|tcx INTERFACE\n");
	return 2;
}

static bool
parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:n:m:i:l:r:s:d:")) != -1) {
		if (c == '?')
			return false;
		if (c == 's')
			o->seconds = atof(optarg);
		else if (c == 'd')
			o->drop = optarg;
		else
			*(c == 'c'     ? &o->cpu
			    : c == 'n' ? &o->calls
			    : c == 'm' ? &o->row
			    : c == 'i' ? &o->first_id
			    : c == 'r' ? &o->rate
				       : &o->payload) = (unsigned)atoi(optarg);
		o->pinned = o->pinned || c == 'c';
	}
	if (argc - optind != (o->drop != NULL ? 1 : 4) || o->calls == 0 || o->first_id + o->calls > 65536 || o->payload > 1400)
		return false;
	o->interface = argv[optind];
	if (o->drop != NULL)
		return true;
	o->mac = argv[optind + 1];
	o->source = argv[optind + 2];
	o->destination = argv[optind + 3];
	o->ipv6 = strchr(o->source, ':') != NULL;
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = {.calls = 1, .row = 1, .first_id = 1, .payload = 64, .seconds = 1};

	if (!parse(&o, argc, argv))
		return usage();
	if (o.pinned) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(o.cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			die("greflood: CPU");
	}
	return o.drop != NULL ? drop_all(&o) : send_all(&o);
}
