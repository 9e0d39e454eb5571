#include <cap-ng.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/priv_core.h"

static bool
failed(const char *what)
{
	log_event(LOG_LEVEL_ERROR, "privileges", "step=%s error=\"%m\"", what);
	return false;
}

/* Every step is checked: a setuid() that fails under a process limit once left daemons running as root (CVE-2006-2194). */
static bool
change_ids(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (setgroups(0, NULL) != 0)
		return failed("setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return failed("setresgid");
	if (setresuid(uid, uid, uid) != 0)
		return failed("setresuid");
	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid)
		return failed("getresuid");
	if (getresgid(&gr, &ge, &gs) != 0 || gr != gid || ge != gid || gs != gid)
		return failed("getresgid");
	return true;
}

bool
priv_drop(unsigned uid, unsigned gid, const char *dir)
{
	if (dir != NULL && (chroot(dir) != 0 || chdir("/") != 0))
		return failed("chroot");
	/* The bounding set needs a capability to be cleared, so it goes first. */
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return failed("bounding set");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return failed("ambient set");
	if (!change_ids(uid, gid))
		return false;
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return failed("capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return failed("dumpable");
	if (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_BOTH) != CAPNG_NONE || setuid(0) == 0)
		return failed("check");
	return true;
}
