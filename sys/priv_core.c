#include "sys/priv_core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/netlink.h"

static const char *
type_name(enum priv_type type)
{
	static const char *const names[PRIV_TYPES] = {"tun-open", "link-mtu", "addr-add", "addr-del", "route-add", "route-del", "proxy-add",
	    "proxy-del", "gre-open", "tcp-listen", "tcp-socket", "file-open", "script", "dns-set", "dns-clear", "program"};

	return (unsigned)type < PRIV_TYPES ? names[type] : "unknown";
}

bool
priv_core_init(struct priv_core *core, const struct priv_policy *policy)
{
	*core = (struct priv_core){.policy = *policy};
	core->nl = nl_open();
	core->undo = priv_undo_new();
	core->scripts = priv_scripts_new(
	    policy->scripts_at_once != 0 ? policy->scripts_at_once : 8, policy->script_timeout_s != 0 ? policy->script_timeout_s : 60);
	core->dns = priv_dns_new(policy->resolv_conf);
	if (core->nl != NULL && core->undo != NULL && core->scripts != NULL && core->dns != NULL) {
		if (policy->host_routes)
			priv_drop_stale_routes(core->nl);
		return true;
	}
	log_event(LOG_LEVEL_ERROR, "monitor", "error=\"%m\"");
	priv_core_fini(core);
	return false;
}

void
priv_core_fini(struct priv_core *core)
{
	struct priv_deed deed;

	/* Resolvers first: nobody should ask a server that can't be reached any more. Scripts last: they see the system clean. */
	priv_dns_free(core->dns);
	while (core->undo != NULL && priv_undo_pop(core->undo, &deed)) {
		int error = priv_deed_undo(core->nl, &deed);

		if (error != 0)
			log_event(LOG_LEVEL_WARN, "undo", "request=%s error=\"%s\"", type_name(deed.type), strerror(error));
	}
	priv_unclaim_all(&core->claims);
	while (core->ndp_count > 0)
		nl_proxy_ndp(core->ndp_ifs[--core->ndp_count], false, NULL);
	if (core->scripts != NULL)
		priv_scripts_finish(core->scripts);
	priv_scripts_free(core->scripts);
	priv_undo_free(core->undo);
	nl_close(core->nl);
	free(core->ifs);
	*core = (struct priv_core){0};
}

/* A worker gone mad must not fill the log: the first ones, then powers of two. */
static void
log_refusal(struct priv_core *core, const struct priv_request *r, int error)
{
	unsigned n = ++core->refused;

	if (n <= 100 || (n & (n - 1)) == 0)
		log_event(LOG_LEVEL_WARN, "refused", "request=%s reason=\"%s\" count=%u", type_name(r->type), strerror(error), n);
}

void
priv_core_end(struct priv_core *core, int status)
{
	if (core->policy.program.end != NULL)
		core->policy.program.end(core->policy.program.user, status);
}

static int
check(struct priv_core *core, const void *request, size_t len, const struct priv_given *given, struct priv_request *r)
{
	if (!priv_request_decode(r, request, len))
		return EINVAL;
	if (given->cut)
		return EMFILE;
	if (given->count > 0 && r->type != PRIV_PROGRAM)
		return EINVAL;
	return priv_allow(core, r);
}

void
priv_core_handle(struct priv_core *core, const void *request, size_t len, const struct priv_given *given, struct priv_reply *reply,
    int fds[PRIV_MAX_FDS])
{
	const struct priv_program *program = &core->policy.program;
	struct priv_request r;

	*reply = (struct priv_reply){0};
	reply->error = check(core, request, len, given, &r);
	if (reply->error != 0) {
		for (size_t i = 0; i < given->count; i++)
			close(given->fds[i]);
		log_refusal(core, &r, reply->error);
		return;
	}
	errno = 0;
	if (r.type == PRIV_PROGRAM)
		reply->error = program->handle(program->user, r.program.data, r.program.len, given->fds, given->count, reply, fds);
	else
		reply->error = priv_do(core, &r, reply, fds);
	if (reply->error != 0) {
		log_event(LOG_LEVEL_DEBUG, "monitor", "request=%s error=\"%s\"", type_name(r.type), strerror(reply->error));
		reply->fds = 0;
	}
}
