/* All of libpptp, for programs outside this tree. */
#ifndef PPTP_PPTP_H
#define PPTP_PPTP_H

#include <pptp/callid.h>
#include <pptp/conn.h>
#include <pptp/framer.h>
#include <pptp/gre.h>
#include <pptp/msg.h>
#include <pptp/types.h>

#endif
