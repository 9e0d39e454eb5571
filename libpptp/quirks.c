#include <pptp/msg.h>

/* What PPTP_LENIENT takes that the RFC does not define. Rows named "any" are not one product's: they are what more than
 * one peer does, or what costs nothing to take. */
static const struct pptp_quirk quirks[] = {
    {"any", "every message", "reserved fields that are not zero: ignored"},
    {"any", "every message", "bytes behind the NUL of a text field: ignored"},
    {"any", "every message", "result and error codes that are not defined: taken as a failure"},
    {"any", "Start-Control-Connection-Reply", "result 0: taken as 1, connected"},
    {"any", "Start-Control-Connection-Request", "framing and bearer bits that are not defined: ignored"},
    {"any", "Outgoing-Call-Request", "window 0: no limit"},
    {"any", "Outgoing-Call-Request", "phone number length beyond 64, or not the number's: the number ends at its NUL or after 64 bytes"},
    {"any", "Outgoing-Call-Request", "framing or bearer type 0 or with bits that are not defined: taken as it is"},
    {"any", "Incoming-Call-Request", "number lengths beyond 64, or not the numbers': as for phone numbers"},
    {"any", "Incoming-Call-Connected", "window 0: no limit"},
    {"any", "Call-Disconnect-Notify", "result 0: the call ended"},
    {"any", "Set-Link-Info", "peer's call id 0 or the sender's own: taken for that call, or for the connection's only one"},
    {"accel-ppp", "Call-Disconnect-Notify", "carries the receiver's call id: found by that, where it is the connection's only call"},
    {"accel-ppp", "Stop-Control-Connection-Request", "reason 0: taken as 1, no particular reason"},
    {"Windows", "Call-Clear-Request", "sent by a PAC to end the call: answered with Call-Disconnect-Notify"},
    {"Windows", "Set-Link-Info", "sent by a PAC, or at teardown: given to the program"},
};

const struct pptp_quirk *
pptp_quirks(size_t *count)
{
	*count = sizeof(quirks) / sizeof(quirks[0]);
	return quirks;
}
