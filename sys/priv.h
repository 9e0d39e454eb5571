/* Privilege separation: a monitor process keeps root and does a few typed things; the worker process, which parses what
 * peers send, asks it for them over a socket pair and has no privileges.
 *
 *     monitor (root) <---- struct priv_request, SOCK_SEQPACKET ---- worker (user, no capabilities)
 *          + descriptors
 *                     ----- struct priv_reply + descriptors ----->
 *
 * Each request type has its own allow-check against the policy that was set from the configuration before the worker
 * existed; a request that fails it is refused and logged. The monitor keeps a list of what it did to the system
 * (routes, addresses, neighbours, resolver) and undoes it when asked, when the worker ends however it ends, and at its own end.
 * When the monitor ends, the worker sees the socket close and ends too. */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"

struct event_base;

enum priv_type {
	PRIV_TUN_OPEN,  /* make a TUN interface, up, with an MTU; reply: ifindex, ifname, one descriptor a queue */
	PRIV_LINK_MTU,  /* set an own interface's MTU */
	PRIV_ADDR_ADD,  /* put an address on an own interface */
	PRIV_ADDR_DEL,  /* what is not there any more is no error, here and below; only own things can be deleted: ENOENT */
	PRIV_ROUTE_ADD, /* a route onto an own interface, or a host route to a server through gateway/ifindex; takes the place of an own
	                 * one with that destination, metric and table; EEXIST if that one is somebody else's */
	PRIV_ROUTE_DEL,
	PRIV_PROXY_ADD, /* proxy ARP/ND entry for an address, on the interface whose subnet holds it */
	PRIV_PROXY_DEL,
	PRIV_GRE_OPEN,   /* raw GRE socket of a family with filter for one shard; reply: descriptor */
	PRIV_TCP_LISTEN, /* listening socket; reply: descriptor */
	PRIV_TCP_SOCKET, /* unconnected TCP socket with mark or device; reply: descriptor */
	PRIV_FILE_OPEN,  /* a configured file, read only, by its number; reply: descriptor */
	PRIV_SCRIPT,     /* run a configured script with an environment, now or when the worker ends; reply at once */
	PRIV_DNS_SET,    /* resolvers for an own interface */
	PRIV_DNS_CLEAR,
	PRIV_PROGRAM, /* what only this program has: its own bytes, for the policy's hook; the one type that takes descriptors along */
	PRIV_TYPES,
};

enum {
	PRIV_IFNAME = 16,
	PRIV_MAX_FDS = 64,  /* with a reply */
	PRIV_SEND_FDS = 32, /* with a request */
	PRIV_PROGRAM_BYTES = 2048,
	PRIV_ENV_BYTES = 4096,
	PRIV_MAX_DNS = 4,
	PRIV_MAX_FILES = 8,
	PRIV_MAX_SCRIPTS = 4,
};

enum priv_script_when {
	PRIV_SCRIPT_NOW,     /* and forget what is kept under the key */
	PRIV_SCRIPT_AT_EXIT, /* keep it under the key (not 0; replaces what is there), run it when the worker ends, however it ends */
};

/* The program's own bytes. Only the first len of them are sent. */
struct priv_bytes {
	uint16_t len;
	uint8_t data[PRIV_PROGRAM_BYTES];
};

struct priv_request {
	enum priv_type type;
	union {
		struct {
			char name[PRIV_IFNAME]; /* may hold one "%d" */
			uint16_t queues;
			uint32_t mtu;
			bool vnet_hdr; /* with offloads, as far as the kernel has them */
			bool tap;      /* Ethernet frames (for bridging) */
		} tun;
		struct {
			int ifindex;
			uint32_t mtu;
		} link;
		struct {
			int ifindex;
			struct addr local;
			struct addr peer; /* family 0: none */
			uint8_t prefix_len;
		} addr;
		struct {
			struct prefix dst;
			struct addr gateway; /* family 0: onto the interface */
			struct addr source;  /* preferred; family 0: none */
			int ifindex;
			uint32_t metric;
			uint32_t table; /* 0: main */
		} route;
		struct {
			struct addr addr;
		} proxy;
		struct {
			uint8_t family;   /* 4 or 6 */
			struct addr bind; /* family 0: any */
			uint16_t shard;   /* keeps packets with call id % shards == shard */
			uint16_t shards;
			uint32_t mark;            /* 0: none */
			char ifname[PRIV_IFNAME]; /* bind to a device; empty: none */
			bool transparent;         /* may send from any address: gresock_open_transparent() */
		} gre;
		struct {
			struct addr bind; /* LISTEN: where; SOCKET: source, family 4 or 6 (all-zero bytes: any) */
			uint16_t port;    /* SOCKET: 0: the kernel chooses one when it connects */
			uint32_t mark;
			char ifname[PRIV_IFNAME];
			bool transparent; /* LISTEN: takes what TPROXY leads to it; SOCKET: bind may be nobody's or a foreign address */
		} tcp;
		struct {
			uint8_t number; /* index into the policy's files */
		} file;
		struct {
			uint8_t number; /* index into the policy's scripts */
			enum priv_script_when
			    when; /* ip-up registers its ip-down AT_EXIT; running that NOW under the same key unregisters it */
			/* 0: none. Scripts of one key run one after the other, in their order. */
			uint64_t key;
			uint16_t envlen;
			char env[PRIV_ENV_BYTES]; /* NAME=value strings, each with its NUL: see priv_env_add() */
		} script;
		struct {
			char ifname[PRIV_IFNAME];
			struct addr servers[PRIV_MAX_DNS];
			char domain[128]; /* search domain; empty: all names go there */
		} dns;
		struct priv_bytes program;
	};
};

struct priv_reply {
	int error; /* 0 or an errno; EPERM: the allow-check refused it */
	int ifindex;
	char ifname[PRIV_IFNAME];
	uint32_t offloads; /* TUN_F_* that the kernel took; 0 without vnet_hdr */
	bool vnet_hdr;
	uint16_t fds; /* descriptors that came with it */
	struct priv_bytes program;
};

/* A program's own part of the monitor. Both functions run in the monitor (with priv_start_inline: in the one process there is).
 * What the program opened for them before priv_start() is in the worker as well: its `prepare` closes it there. */
struct priv_program {
	void *user;
	/* Checks a request and does it. data: any bytes that the worker sent; in_fds, at most PRIV_SEND_FDS of close-on-exec, are its
	 * own from then on, whatever it returns. Fills reply->program, which goes to the worker in any case, and, if it returns 0,
	 * reply->fds with as many fds, which are closed when the worker has its own. Returns 0 or an errno; EPERM: refused. */
	int (*handle)(void *user, const uint8_t *data, size_t len, const int *in_fds, size_t in_count, struct priv_reply *reply,
	    int fds[PRIV_MAX_FDS]);
	/* The worker has ended, its last request was handled, and nothing is undone yet. May be NULL; need not return. status: what
	 * the monitor is about to exit with. */
	void (*end)(void *user, int status);
};

/* What the monitor will do at all. Copied at fork. Patterns and paths live as long as the process. */
struct priv_policy {
	const char *user;           /* the worker's; must exist */
	const char *chroot_dir;     /* NULL: an empty directory is not needed */
	bool types[PRIV_TYPES];     /* requests accepted at all */
	const char *const *ifnames; /* fnmatch(3) patterns of interfaces it may make, NULL-terminated */
	uint16_t max_queues;
	const struct prefix *addresses; /* local and peer addresses, and routes, lie in these; count 0: anywhere */
	size_t addresses_count;
	bool any_route;                      /* routes onto own interfaces may have any destination */
	bool transparent;                    /* sockets with addresses that are not the machine's own */
	uint32_t marks;                      /* bits that a socket's mark may have; 0: any */
	bool host_routes;                    /* full-length routes through other interfaces are allowed (client) */
	uint16_t tcp_port_min, tcp_port_max; /* of listeners */
	const char *files[PRIV_MAX_FILES];
	const char *scripts[PRIV_MAX_SCRIPTS];
	unsigned script_timeout_s; /* then it is killed; 0: 60 */
	unsigned scripts_at_once;  /* the others wait in line; 0: 8 */
	const char
	    *resolv_conf; /* PRIV_DNS_SET edits this file; NULL: systemd-resolved, resolvconf or /etc/resolv.conf, whichever is in use */
	struct priv_program program; /* handle NULL: no requests of this kind */
};

/* Appends NAME=value to request->script.env. False when it has no room, or the name isn't PPTP_ and capitals, digits and underscores.
 * Control characters in value become spaces. */
bool priv_env_add(struct priv_request *request, const char *name, const char *value);

struct priv;

/* Forks the worker; call it before there are threads. Raises the limit of open files. In the worker it returns a handle with privileges already dropped (user, groups, capabilities,
 * no_new_privs, chroot if asked) as soon as `prepare` (which still runs as root, in the worker, e.g. to load the crypto
 * provider) returned 0. The monitor never returns from here: it serves until the worker ends, undoes what it did, passes
 * SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 on to the worker, and exits with the worker's status (128 + N when signal N
 * killed it). When the monitor dies, the worker gets SIGTERM. Returns NULL, with a logged reason, on errors before the fork. */
struct priv *priv_start(const struct priv_policy *policy, int (*prepare)(void *user), void *user);

/* Same interface without a second process, for tests and for `user = root`: requests are checked and done in place. */
struct priv *priv_start_inline(const struct priv_policy *policy);

/* What policy->user asks for: "root" is `prepare` and priv_start_inline(), everybody else priv_start(). */
struct priv *priv_start_as_user(const struct priv_policy *policy, int (*prepare)(void *user), void *user);

void priv_free(struct priv *p);

/* fds belong to the callee from then on. Called from the event loop, in the order of the requests. */
typedef void (*priv_reply_fn)(void *user, const struct priv_reply *reply, const int *fds);

/* Serves replies on the loop, so that priv_send() can be used. lost: the monitor has gone. */
int priv_attach(struct priv *p, struct event_base *base, void (*lost)(void *user), void *user);

/* Sends a request; fn (may be NULL) gets the reply later. Never blocks: requests queue in order, at most 65,536, beyond
 * which -1 is returned. */
int priv_send(struct priv *p, const struct priv_request *request, priv_reply_fn fn, void *user);
/* The same with count (at most PRIV_SEND_FDS) descriptors, for PRIV_PROGRAM. They stay the caller's, who may close them at once. -1
 * also when there is no descriptor left for the copies. */
int priv_send_fds(struct priv *p, const struct priv_request *request, const int *fds, size_t count, priv_reply_fn fn, void *user);
/* Why priv_send() refuses, for the log: "the monitor is gone" once it is, else "the monitor is overloaded"; static. */
const char *priv_refusal(const struct priv *p);

/* Sends a request and waits for its reply: at start-up, and at the end. Requests before it are answered first, and their functions
 * called from here. Returns 0, or -1 with reply->error set. fds has room for PRIV_MAX_FDS. */
int priv_call(struct priv *p, const struct priv_request *request, struct priv_reply *reply, int *fds);
/* The same for a request whose reply is one descriptor: that, or -1 with errno. */
int priv_call_fd(struct priv *p, const struct priv_request *request);
/* The same with descriptors, as in priv_send_fds(). */
int priv_call_fds(struct priv *p, const struct priv_request *request, const int *send, size_t count, struct priv_reply *reply, int *fds);

#endif
