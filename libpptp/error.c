#include <pptp/types.h>

const char *
pptp_strerror(int error)
{
	switch ((enum pptp_error)error) {
	case PPTP_OK:
		return "no error";
	case PPTP_ERR_NOMEM:
		return "out of memory";
	case PPTP_ERR_SHORT:
		return "too short";
	case PPTP_ERR_LENGTH:
		return "wrong length";
	case PPTP_ERR_MAGIC:
		return "wrong magic cookie";
	case PPTP_ERR_KIND:
		return "wrong message kind or version";
	case PPTP_ERR_TYPE:
		return "unknown message type";
	case PPTP_ERR_FIELD:
		return "bad field value";
	case PPTP_ERR_STATE:
		return "not legal in this state";
	case PPTP_ERR_FULL:
		return "output or events full";
	case PPTP_ERR_EXHAUSTED:
		return "no free call id";
	case PPTP_ERR_INVALID:
		return "invalid argument";
	case PPTP_ERR_NOTFOUND:
		return "no such call";
	}
	return "unknown error";
}
