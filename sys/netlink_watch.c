#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/netlink_impl.h"

int
nl_watch_open(int bus, const int *groups, size_t n)
{
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus), error;
	bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;

	for (size_t i = 0; i < n && ok; i++)
		ok = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) == 0;
	if (ok || fd < 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool
any_of(const char *buf, size_t len, bool (*fn)(const struct nlmsghdr *h))
{
	const struct nlmsghdr *h = (const void *)buf;
	int left = (int)len;
	bool found = false;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		found = found || fn(h);
	return found;
}

bool
nl_watch_read(int fd, bool (*fn)(const struct nlmsghdr *h))
{
	union {
		struct nlmsghdr align;
		char bytes[NL_BUFFER];
	} buf;
	bool found = false;
	ssize_t n;

	while ((n = recv(fd, buf.bytes, sizeof(buf), 0)) > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR))) {
		/* Where some were lost, it may have been among them. */
		if (n < 0)
			found = found || errno == ENOBUFS;
		else if (any_of(buf.bytes, (size_t)n, fn))
			found = true;
	}
	return found;
}
