#include "tests/unit/sys/allow_rig.h"

#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/capture.h"
#include "tests/unit/sys/netns.h"

struct priv_policy
allow_policy(void)
{
	static const char *const ifnames[] = {"pptp[0-9]*", "u-*", NULL};
	static struct prefix addresses[2];
	struct priv_policy p = {.user = "nobody",
	    .ifnames = ifnames,
	    .max_queues = 4,
	    .addresses = addresses,
	    .addresses_count = 2,
	    .tcp_port_min = 1723,
	    .tcp_port_max = 1724,
	    .files = {"/etc/hostname"},
	    .scripts = {NULL, "/bin/true"}};

	addresses[0] = prefix_of("10.0.0.0/8");
	addresses[1] = prefix_of("2001:db8::/32");
	for (size_t i = 0; i < PRIV_TYPES; i++)
		p.types[i] = true;
	return p;
}

void
allow_core_init(struct priv_core *core, const struct priv_policy *p)
{
	static struct priv_own_if own[1];

	CHECK(priv_core_init(core, p));
	own[0].ifindex = ALLOW_OWN;
	CHECK(if_indextoname(ALLOW_OWN, own[0].name) != NULL);
	core->ifs = own;
	core->ifs_count = core->ifs_room = 1;
}

void
allow_core_fini(struct priv_core *core)
{
	core->ifs = NULL;
	priv_core_fini(core);
}

int
allow_over_socket(const struct priv_policy *p, const void *message, size_t len)
{
	struct priv_answer answer = {.reply.error = -1};
	struct priv_core core;
	int fds[2];
	pid_t worker;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	CHECK(send(fds[1], message, len, 0) == (ssize_t)len);
	worker = fork();
	if (worker == 0) {
		struct pollfd pfd = {.fd = fds[1], .events = POLLIN};

		close(fds[0]);
		poll(&pfd, 1, 20000);
		_exit(0);
	}
	allow_core_init(&core, p);
	CHECK(priv_monitor_run(&core, fds[0], worker, NULL) == 0);
	CHECK(recv(fds[1], &answer, sizeof(answer), MSG_DONTWAIT) == (ssize_t)priv_answer_len(&answer));
	close(fds[0]);
	close(fds[1]);
	allow_core_fini(&core);
	return answer.reply.error;
}

void
allow_check(const struct allow_row *row)
{
	struct priv_policy p = allow_policy();
	struct priv_request r = {0};
	struct priv_core core;
	int got;

	row->make(&r, &p);
	allow_core_init(&core, &p);
	got = priv_allow(&core, &r);
	ck_assert_msg(got == row->want, "%s: %d", row->what, got);
	allow_core_fini(&core);
}

void
allow_check_over_socket(const struct allow_row *row)
{
	struct priv_policy p = allow_policy();
	struct priv_message m = {.seq = 7};
	const char *log;
	int got;

	row->make(&m.request, &p);
	if (row->want == 0)
		return; /* it would be done */
	capture_begin();
	got = allow_over_socket(&p, &m, offsetof(struct priv_message, request) + priv_request_len(&m.request));
	log = capture_end();
	ck_assert_msg(got == row->want, "%s: %d", row->what, got);
	ck_assert_msg(strstr(log, "event=refused request=") != NULL, "%s: %s", row->what, log);
}
