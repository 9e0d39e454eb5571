#include "tests/unit/sys/priv_rig.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "tests/unit/sys/netns.h"

static char dir[] = "/tmp/test-priv-XXXXXX";

const char *
rig_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *fp = fopen(path, "w");

	CHECK(fp != NULL && fputs(text, fp) >= 0 && fclose(fp) == 0 && chmod(path, mode) == 0);
}

struct priv_policy
rig_set_up(void)
{
	static const char *const ifnames[] = {"pptp*", NULL};
	static char file[128], good[128], slow[128], resolv[128];
	struct priv_policy p = {.user = "nobody",
	    .ifnames = ifnames,
	    .max_queues = 4,
	    .any_route = true,
	    .host_routes = true,
	    .tcp_port_min = 1,
	    .tcp_port_max = 65535,
	    .files = {file, "/nonexistent/x", "/etc"},
	    .scripts = {good, slow, "/nonexistent/y"},
	    .script_timeout_s = 5,
	    .scripts_at_once = 2,
	    .resolv_conf = resolv};

	log_set_level(LOG_LEVEL_ERROR);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	CHECK(mkdtemp(dir) != NULL && chmod(dir, 0711) == 0);
	strcpy(file, rig_path("secrets"));
	strcpy(good, rig_path("good"));
	strcpy(slow, rig_path("slow"));
	strcpy(resolv, rig_path("resolv.conf"));
	write_file(file, "s3cret\n", 0600);
	write_file(good,
	    "#!/bin/sh\nD=${0%/*} N=$PPTP_N\nenv | sort > $D/env.$N.tmp\nls -l /proc/self/fd > $D/fds.$N\nid -u > $D/uid.$N\ncat > "
	    "$D/stdin.$N\n"
	    "mv $D/env.$N.tmp $D/env.$N\n",
	    0755);
	write_file(slow, "#!/bin/sh\necho $$ > ${0%/*}/slow.pid\nsleep 60 & wait\n", 0755);
	write_file(resolv, "nameserver 192.0.2.53\noptions edns0", 0644);
	for (size_t i = 0; i < PRIV_TYPES; i++)
		p.types[i] = true;
	CHECK(shell("ip link set lo up && ip link add eth0 type veth peer name far && ip link set far up && ip link set eth0 up"));
	CHECK(shell(
	    "ip addr add 192.0.2.10/24 dev eth0 && ip addr add 2001:db8::10/64 dev eth0 nodad && ip route add default via 192.0.2.1"));
	return p;
}

void
rig_tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(shell(command));
}

int
rig_run(const struct priv_policy *policy, void (*worker)(struct priv *p))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct priv *p = priv_start(policy, NULL, NULL);

		CHECK(p != NULL);
		worker(p);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

struct priv_reply
rig_call(struct priv *p, const struct priv_request *r, int *fds)
{
	struct priv_reply reply;
	int own_fds[PRIV_MAX_FDS];
	int result = priv_call(p, r, &reply, fds != NULL ? fds : own_fds);

	CHECK(result == (reply.error == 0 ? 0 : -1));
	return reply;
}

int
rig_tun(struct priv *p, const char *name, uint16_t queues, int *fds)
{
	struct priv_request r = {.type = PRIV_TUN_OPEN, .tun.queues = queues, .tun.mtu = 1400};
	struct priv_reply reply;

	snprintf(r.tun.name, sizeof(r.tun.name), "%s", name);
	reply = rig_call(p, &r, fds);
	CHECK(reply.error == 0 && reply.fds == queues && reply.ifindex > 0);
	CHECK((int)if_nametoindex(reply.ifname) == reply.ifindex);
	return reply.ifindex;
}

bool
rig_file_has(const char *name, const char *what)
{
	char command[256];

	snprintf(command, sizeof(command), "grep -q '%s' %s", what, rig_path(name));
	return shell(command);
}

bool
rig_resolv_is_original(void)
{
	char text[200] = "";
	int fd = open(rig_path("resolv.conf"), O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	return strcmp(text, "nameserver 192.0.2.53\noptions edns0") == 0;
}
