#include <errno.h>
#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sys/netlink_impl.h"

struct nl_monitor {
	struct mnl_socket *socket;
	struct event *ev;
	void (*changed)(void *user, unsigned what);
	void *user;
};

static unsigned
what_of(uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return NL_CHANGED_LINK;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return NL_CHANGED_ADDR;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return NL_CHANGED_ROUTE;
	default:
		return 0;
	}
}

static void
readable(evutil_socket_t fd, short events, void *arg)
{
	struct nl_monitor *m = arg;
	char buf[NL_BUFFER] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned what = 0;

	(void)events;
	for (int burst = 0; burst < 64; burst++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			what = NL_CHANGED_LINK | NL_CHANGED_ADDR | NL_CHANGED_ROUTE;
			continue;
		}
		if (n <= 0)
			break;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n))
			what |= what_of(h->nlmsg_type);
	}
	if (what != 0)
		m->changed(m->user, what);
}

struct nl_monitor *
nl_monitor_new(struct event_base *base, void (*changed)(void *user, unsigned what), void *user)
{
	static const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct nl_monitor *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->changed = changed;
	m->user = user;
	m->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->socket != NULL && mnl_socket_bind(m->socket, groups, MNL_SOCKET_AUTOPID) == 0)
		m->ev = event_new(base, mnl_socket_get_fd(m->socket), EV_READ | EV_PERSIST, readable, m);
	if (m->ev == NULL || event_add(m->ev, NULL) != 0) {
		int saved = errno;

		nl_monitor_free(m);
		errno = saved;
		return NULL;
	}
	return m;
}

void
nl_monitor_free(struct nl_monitor *m)
{
	if (m == NULL)
		return;
	if (m->ev != NULL)
		event_free(m->ev);
	if (m->socket != NULL)
		mnl_socket_close(m->socket);
	free(m);
}
