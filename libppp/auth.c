#include "libppp/auth.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	unsigned method;
} names[] = {
    /* the first of a method is its name, the others are understood */
    {"pap", PPP_AUTH_PAP},
    {"chap", PPP_AUTH_CHAP_MD5},
    {"eap-md5", PPP_AUTH_EAP_MD5},
    {"mschap", PPP_AUTH_MSCHAP},
    {"eap-mschap2", PPP_AUTH_EAP_MSCHAPV2},
    {"mschap2", PPP_AUTH_MSCHAPV2},
    {"chap-md5", PPP_AUTH_CHAP_MD5},
    {"md5", PPP_AUTH_CHAP_MD5},
    {"mschapv1", PPP_AUTH_MSCHAP},
    {"mschap1", PPP_AUTH_MSCHAP},
    {"ms-chap", PPP_AUTH_MSCHAP},
    {"ms-chap-v1", PPP_AUTH_MSCHAP},
    {"mschap-v1", PPP_AUTH_MSCHAP},
    {"mschap-v2", PPP_AUTH_MSCHAPV2},
    {"mschapv2", PPP_AUTH_MSCHAPV2},
    {"ms-chap-v2", PPP_AUTH_MSCHAPV2},
    {"ms-chapv2", PPP_AUTH_MSCHAPV2},
    {"eap-mschapv2", PPP_AUTH_EAP_MSCHAPV2},
    {"eap-mschap-v2", PPP_AUTH_EAP_MSCHAPV2},
    {"eap-ms-chap-v2", PPP_AUTH_EAP_MSCHAPV2},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *
ppp_auth_name(enum ppp_auth_method method)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (names[i].method == (unsigned)method)
			return names[i].name;
	}
	return "none";
}

unsigned
ppp_auth_parse(const char *name)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (strcasecmp(names[i].name, name) == 0)
			return names[i].method;
	}
	return 0;
}
