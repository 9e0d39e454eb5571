#include <pptp/callid.h>
