/* A server whose engine, monitor and control sockets are fakes that write down what they are told, so that sessions and connections
 * run without any system. Control connections hold a real pptp_conn. */
#ifndef TESTS_PPTPD_FAKE_H
#define TESTS_PPTPD_FAKE_H

#include "pptpd/conn.h"
#include "pptpd/server.h"
#include "pptpd/session.h"

struct fake {
	struct server *srv;
	struct config config;
	char log[8192];             /* "post:OPEN ask:TUN kick ..." */
	struct tunnel_command last; /* posted */
	struct tunnel_command last_route;
	bool full;    /* the engine takes no command */
	int error;    /* the monitor's answers */
	bool hold;    /* the monitor does not answer yet */
	size_t asked; /* requests that wait for fake_answer() */
};

extern struct fake fake;

/* mppe allow, auth mschap2, local-ip 10.0.0.1, pool 10.0.0.10-12, shared interface 1. */
void fake_init(void);
void fake_fini(void);
/* What was noted since the last time. */
const char *fake_log(void);
/* A connection from a source (default 192.0.2.7) that has done Start-Control-Connection. */
struct conn *fake_conn(const char *source);
/* The peer asks for a call; the session, or NULL. */
struct session *fake_call(struct conn *c);
/* Runs a session as far as state. user: who logs in. */
struct session *fake_session(struct conn *c, enum session_state state, const char *user);
/* The monitor answers what it holds. */
void fake_answer(void);

#endif
