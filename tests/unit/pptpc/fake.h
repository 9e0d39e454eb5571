/* A client whose engine, monitor, control connections and netlink are fakes that write down what they are told, so that tunnels are
 * dialed without any system. Control connections hold a real pptp_conn; the test is the server. */
#ifndef TESTS_PPTPC_FAKE_H
#define TESTS_PPTPC_FAKE_H

#include "pptpc/client.h"

struct fake {
	struct client client;
	struct client_config config;
	struct tunnel_command last; /* posted */
	int error;                  /* the monitor's answers */
	bool hold;                  /* the monitor does not answer until fake_answer() */
	bool connects;              /* TCP connections are made; else the test says what becomes of them */
	struct addr gateway;        /* of netlink; family 0: no way */
	bool route_lost;            /* the kernel has dropped our host route */
	bool link_lost;             /* the tunnel's interface was deleted */
	uint16_t call_id;           /* of the last Outgoing-Call-Request */
};

extern struct fake fake;

/* Adds a tunnel with these options ("user bob demand yes"), before fake_start(). */
struct profile *fake_tunnel(const char *name, const char *options);
void fake_start(void);
/* A client with one tunnel with these options besides server and user. */
struct dial *fake_client(const char *options);
void fake_init(void);
void fake_fini(void);
/* What was noted since the last time, e.g. "tcp:192.0.2.1 Start-Control-Connection-Request". */
const char *fake_log(void);
void fake_answer(void);
/* Runs the loop until no name is looked up any more. */
void fake_resolve(struct dial *d);
/* The tunnel's state timer goes off. */
void fake_timer(struct dial *d);
/* A second has passed. */
void fake_tick(struct dial *d);
/* TCP could not be made. */
void fake_unreachable(int error);

/* The server's messages on the last control connection. */
void fake_start_reply(uint8_t result);
void fake_call_reply(uint8_t result, uint8_t error);
void fake_disconnect(uint8_t result);
void fake_stop_reply(void);
void fake_tcp_closed(void);

/* The engine's events. */
void fake_network(struct dial *d);
void fake_up(struct dial *d, bool ipv4, bool ipv6, bool mppe);
void fake_closed(struct dial *d, enum ppp_down down, uint16_t mschap_error, const char *message);
void fake_event(struct dial *d, enum tunnel_event_type type);

/* Runs a command of the control socket with a JSON text; the answer as text: "ROW\nROW\nRESULT" or "error: ...". Static. */
const char *fake_command(const char *name, const char *args);

/* From dial_start() until the call is up. */
void fake_dial_link(struct dial *d);
/* All of it, from dial_start() to up. */
void fake_dial_up(struct dial *d);

#endif
