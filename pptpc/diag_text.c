/* The table of sentences. */
#include "pptpc/diag.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct trouble_row {
	const char *word;
	enum retry_class retry;
	int status;
	const char *sentence; /* {name} stands for a value: host, at, port, user, methods, detail, result, error, cause */
	const char *advice;
};

static const struct trouble_row rows[TROUBLE_KINDS] = {
    [TROUBLE_NONE] = {"none", RETRY_NEVER, EXIT_STOPPED, "nothing went wrong", ""},
    [TROUBLE_STOPPED] = {"stopped", RETRY_NEVER, EXIT_STOPPED, "ended on request", ""},
    [TROUBLE_KICKED] = {"kicked", RETRY_ENDED, EXIT_STOPPED, "ended by the administrator of this machine", ""},
    [TROUBLE_IDLE] = {"idle", RETRY_NEVER, EXIT_TIMEOUT, "hung up: no traffic for the idle time-out", ""},
    [TROUBLE_SESSION_TIMEOUT] = {"session-timeout", RETRY_ENDED, EXIT_TIMEOUT, "hung up: the session time-out is over", ""},
    [TROUBLE_NAME_UNKNOWN] = {"name-unknown", RETRY_NETWORK, EXIT_NAME, "there is no host named '{host}'",
	"check the spelling of the server's name"},
    [TROUBLE_NAME_LATER] = {"name-later", RETRY_NETWORK, EXIT_NAME, "the name servers don't answer for '{host}': {detail}",
	"check that this machine has a network and that /etc/resolv.conf names a reachable server"},
    [TROUBLE_NAME_TIMEOUT] = {"name-timeout", RETRY_NETWORK, EXIT_NAME, "no name server answered for '{host}' in time",
	"check that this machine has a network and that /etc/resolv.conf names a reachable server"},
    [TROUBLE_NAME_FAMILY] = {"name-family", RETRY_NETWORK, EXIT_NAME, "'{host}' has no address of the wanted family",
	"set family = any, or correct the server's name"},
    [TROUBLE_NO_ROUTE] = {"no-route", RETRY_NETWORK, EXIT_UNREACHABLE, "this machine has no route to {at}",
	"check that the network is up and has a default gateway"},
    [TROUBLE_TCP_REFUSED] = {"tcp-refused", RETRY_NETWORK, EXIT_UNREACHABLE, "nothing listens on {at} port {port}",
	"PPTP is not running there, or a firewall rejects it"},
    [TROUBLE_TCP_TIMEOUT] = {"tcp-timeout", RETRY_NETWORK, EXIT_UNREACHABLE, "{at} does not answer on TCP port {port}",
	"the server is off, its address is wrong, or a firewall on the way drops TCP port {port}"},
    [TROUBLE_TCP_UNREACHABLE] = {"tcp-unreachable", RETRY_NETWORK, EXIT_UNREACHABLE, "{at} can't be reached: {detail}",
	"a router on the way, or this machine's routing table or firewall, has no path to the server"},
    [TROUBLE_TCP_FAILED] = {"tcp-failed", RETRY_NETWORK, EXIT_UNREACHABLE, "the TCP connection to {at} port {port} failed: {detail}", ""},
    [TROUBLE_CONTROL_SILENT] = {"control-silent", RETRY_NETWORK, EXIT_REFUSED,
	"{at} accepted the TCP connection, but did not answer Start-Control-Connection-Request",
	"it is overloaded, or what listens on port {port} is no PPTP server"},
    [TROUBLE_CONTROL_VERSION] = {"control-version", RETRY_REFUSED, EXIT_REFUSED, "the server does not speak version 1 of PPTP", ""},
    [TROUBLE_CONTROL_FORBIDDEN] = {"control-forbidden", RETRY_REFUSED, EXIT_REFUSED,
	"the server refused the control connection: this client is not authorized (result 4)",
	"ask the server's administrator whether your address may connect"},
    [TROUBLE_CONTROL_REFUSED] = {"control-refused", RETRY_REFUSED, EXIT_REFUSED,
	"the server refused the control connection with result {result}: {detail}", ""},
    [TROUBLE_CONTROL_PROTOCOL] = {"control-protocol", RETRY_REFUSED, EXIT_NEGOTIATION, "the server broke the PPTP protocol: {detail}",
	"what listens on port {port} may be no PPTP server"},
    [TROUBLE_CONTROL_CLOSED] = {"control-closed", RETRY_REFUSED, EXIT_REFUSED, "{at} closed the TCP connection before it answered",
	"the server is full, does not let your address in, or what listens on port {port} is no PPTP server"},
    [TROUBLE_CALL_SILENT] = {"call-silent", RETRY_REFUSED, EXIT_REFUSED, "the server did not answer Outgoing-Call-Request",
	"it may be overloaded"},
    [TROUBLE_CALL_BUSY] = {"call-busy", RETRY_REFUSED, EXIT_REFUSED, "the server refused the call: it is busy (result 4)",
	"all its lines are taken: try later"},
    [TROUBLE_CALL_ADMIN] = {"call-forbidden", RETRY_REFUSED, EXIT_REFUSED,
	"the server refused the call: it is administratively prohibited (result 7)",
	"ask the server's administrator; it may allow only some addresses or phone numbers"},
    [TROUBLE_CALL_RESOURCES] = {"call-resources", RETRY_REFUSED, EXIT_REFUSED,
	"the server refused the call: it has no resources left for another one (result {result}, error {error})",
	"its address pool or session limit is used up: try later"},
    [TROUBLE_CALL_FAILED] = {"call-refused", RETRY_REFUSED, EXIT_REFUSED,
	"the server refused the call with result {result}, error {error}, cause {cause}: {detail}", ""},
    [TROUBLE_GRE_BLOCKED] = {"gre-blocked", RETRY_NETWORK, EXIT_GRE,
	"the control connection is up but no GRE arrives: something on the way blocks IP protocol 47 ({detail})",
	"allow protocol 47 (GRE) in the firewalls of this machine, of {at} and in between; a NAT router needs its PPTP "
	"pass-through switched on, and may pass only one client at a time"},
    [TROUBLE_GRE_LOCAL] = {"gre-local", RETRY_NETWORK, EXIT_GRE,
	"this machine refuses to send GRE: its own firewall blocks IP protocol 47 ({detail})",
	"allow protocol 47 (GRE) out to {at}; `nft list ruleset` shows the rules"},
    [TROUBLE_GRE_SOURCE] = {"gre-source", RETRY_NETWORK, EXIT_GRE,
	"GRE for this call comes from another address than {at}, and is dropped ({detail})",
	"the server has several addresses and answers from the wrong one: dial that one, or have its routing corrected"},
    [TROUBLE_PPP_SILENT] = {"ppp-silent", RETRY_NETWORK, EXIT_NEGOTIATION,
	"GRE arrives, but the server does not answer PPP's Configure-Request",
	"our GRE may not reach it (IP protocol 47 blocked in one direction), or its PPP part does not start"},
    [TROUBLE_LCP_FAILED] = {"lcp-failed", RETRY_REFUSED, EXIT_NEGOTIATION, "the two sides could not agree on the PPP link (LCP)", ""},
    [TROUBLE_LOOPBACK] = {"loopback", RETRY_NETWORK, EXIT_NEGOTIATION, "the line is looped back: our own packets return", ""},
    [TROUBLE_AUTH_METHODS] = {"auth-methods", RETRY_AUTH, EXIT_AUTH,
	"the server asks for an authentication method{detail} that is not allowed here (only {methods})",
	"add the server's method to allow, if you trust it: pap, chap and mschap1 show the password, or nearly so, to whoever listens"},
    [TROUBLE_AUTH_WRONG] = {"auth-wrong", RETRY_AUTH, EXIT_AUTH, "wrong user name or password for '{user}'{detail}",
	"check both; some servers want the name as DOMAIN\\user"},
    [TROUBLE_AUTH_HOURS] = {"auth-hours", RETRY_AUTH, EXIT_AUTH, "'{user}' may not log in at this hour (error 646){detail}", ""},
    [TROUBLE_AUTH_DISABLED] = {"auth-disabled", RETRY_AUTH, EXIT_AUTH, "the account '{user}' is disabled (error 647){detail}", ""},
    [TROUBLE_AUTH_EXPIRED] = {"auth-expired", RETRY_AUTH, EXIT_AUTH, "the password of '{user}' has expired (error 648){detail}",
	"change it by another way first: it can't be changed over PPTP here"},
    [TROUBLE_AUTH_NO_DIALIN] = {"auth-no-dialin", RETRY_AUTH, EXIT_AUTH, "'{user}' has no permission to dial in (error 649){detail}",
	"ask the server's administrator for it"},
    [TROUBLE_AUTH_CHANGE] = {"auth-change", RETRY_AUTH, EXIT_AUTH,
	"the server could not change the password of '{user}' (error 709){detail}", ""},
    [TROUBLE_AUTH_SILENT] = {"auth-silent", RETRY_REFUSED, EXIT_AUTH, "the server did not finish the authentication in time",
	"its RADIUS or directory server may not answer"},
    [TROUBLE_AUTH_PEER] = {"auth-peer", RETRY_AUTH, EXIT_AUTH, "the server's own credentials were refused here", ""},
    [TROUBLE_NOT_GENUINE] = {"not-genuine", RETRY_AUTH, EXIT_AUTH,
	"the server is not genuine: it could not prove that it knows the password of '{user}'",
	"somebody may stand in for the server: don't send it the password by another method"},
    [TROUBLE_ENCRYPTION] = {"encryption", RETRY_ENCRYPTION, EXIT_ENCRYPTION,
	"encryption is required here, but the server refused it or broke it{detail}",
	"have MPPE-128 enabled on the server; or accept mppe-bits 128,56,40, or, with all traffic in clear, mppe allow"},
    [TROUBLE_ENCRYPTION_WANTED] = {"encryption-wanted", RETRY_ENCRYPTION, EXIT_ENCRYPTION,
	"the server requires encryption of a kind that is not allowed here: {detail}",
	"set mppe to require or allow, and mppe-bits to what the server wants"},
    [TROUBLE_NO_NETWORK] = {"no-network", RETRY_REFUSED, EXIT_NEGOTIATION, "the server would carry neither IPv4 nor IPv6 with us{detail}",
	"its address pool may be used up, or it refuses the address that was asked for"},
    [TROUBLE_ENDED_EARLY] = {"ended-early", RETRY_REFUSED, EXIT_NEGOTIATION, "the server hung up during the negotiation{detail}", ""},
    [TROUBLE_ENDLESS] = {"endless", RETRY_REFUSED, EXIT_NEGOTIATION, "the server negotiates PPP without coming to an end",
	"its PPP may be broken"},
    [TROUBLE_ECHO_PPTP] = {"echo-pptp", RETRY_NETWORK, EXIT_LOST,
	"the connection is lost: the server does not answer PPTP Echo-Requests any more", ""},
    [TROUBLE_ECHO_LCP] = {"echo-lcp", RETRY_NETWORK, EXIT_LOST,
	"the connection is lost: the server does not answer LCP Echo-Requests any more",
	"if this comes back again and again, a firewall on the way forgets GRE after a while: shorten lcp-echo-interval"},
    [TROUBLE_ENDED_PPP] = {"ended-ppp", RETRY_ENDED, EXIT_ENDED, "the server hung up{detail}", ""},
    [TROUBLE_ENDED_CALL] = {"ended-call", RETRY_ENDED, EXIT_ENDED,
	"the server ended the call: {detail} (result {result}, error {error}, cause {cause})", ""},
    [TROUBLE_ENDED_CONTROL] = {"ended-control", RETRY_ENDED, EXIT_ENDED, "the server closed the control connection", ""},
    [TROUBLE_TCP_LOST] = {"tcp-lost", RETRY_NETWORK, EXIT_LOST, "the control connection broke: {detail}", ""},
    [TROUBLE_LOCAL] = {"local", RETRY_NETWORK, EXIT_LOCAL, "{detail}", ""},
    [TROUBLE_MEMORY] = {"memory", RETRY_NETWORK, EXIT_LOCAL, "memory ran out", ""},
};

static void
add_methods(struct text *t, unsigned methods)
{
	const char *between = "";

	for (unsigned bit = PPP_AUTH_MSCHAPV2; bit != 0; bit >>= 1) {
		if (methods & bit) {
			text_addf(t, "%s%s", between, ppp_auth_name((enum ppp_auth_method)bit));
			between = ", ";
		}
	}
}

/* The host as it was named, with its address if that says more. */
static void
add_at(struct text *t, const struct trouble_place *place)
{
	if (place->address[0] == '\0' || strcmp(place->host, place->address) == 0)
		text_addf(t, "%s", place->host);
	else
		text_addf(t, "%s (%s)", place->host, place->address);
}

static void
add_value(struct text *out, const char *name, size_t len, const struct trouble *t, const struct trouble_place *place)
{
	if (strncmp(name, "host", len) == 0)
		text_addf(out, "%s", place->host);
	else if (strncmp(name, "at", len) == 0)
		add_at(out, place);
	else if (strncmp(name, "port", len) == 0)
		text_addf(out, "%u", place->port);
	else if (strncmp(name, "user", len) == 0)
		text_addf(out, "%s", place->user);
	else if (strncmp(name, "methods", len) == 0)
		add_methods(out, place->allow);
	else if (strncmp(name, "detail", len) == 0)
		text_addf(out, "%s", t->detail);
	else if (strncmp(name, "result", len) == 0)
		text_addf(out, "%d", t->result);
	else if (strncmp(name, "error", len) == 0)
		text_addf(out, "%d", t->error);
	else
		text_addf(out, "%d", t->cause);
}

static const char *
fill(const char *pattern, const struct trouble *t, const struct trouble_place *place, char *buf, size_t size)
{
	struct text out;

	text_init(&out, buf, size);
	while (*pattern != '\0') {
		size_t plain = strcspn(pattern, "{");

		text_addf(&out, "%.*s", (int)plain, pattern);
		pattern += plain;
		if (*pattern == '{') {
			size_t len = strcspn(pattern, "}");

			add_value(&out, pattern + 1, len - 1, t, place);
			pattern += len + 1;
		}
	}
	return buf;
}

/* As a sentence of its own; a host's name at its beginning stays as it is. */
static const char *
begin(const char *pattern, char *buf)
{
	bool ours = (pattern[0] >= 'a' && pattern[0] <= 'z') || strcmp(pattern, "{detail}") == 0;

	if (ours && buf[0] >= 'a' && buf[0] <= 'z')
		buf[0] = (char)(buf[0] - 'a' + 'A');
	return buf;
}

const char *
trouble_sentence(const struct trouble *t, const struct trouble_place *place, char *buf, size_t size)
{
	fill(rows[t->kind].sentence, t, place, buf, size);
	return begin(rows[t->kind].sentence, buf);
}

const char *
trouble_advice(const struct trouble *t, const struct trouble_place *place, char *buf, size_t size)
{
	fill(rows[t->kind].advice, t, place, buf, size);
	return begin(rows[t->kind].advice, buf);
}

enum retry_class
trouble_class(enum trouble_kind kind)
{
	return rows[kind].retry;
}

int
trouble_exit(enum trouble_kind kind)
{
	return rows[kind].status;
}

const char *
trouble_word(enum trouble_kind kind)
{
	return rows[kind].word;
}
