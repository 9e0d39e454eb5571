/* The parts of pptpeer: words and variables (pptpeer.c), control connections (pptpeer_tcp.c), GRE (pptpeer_gre.c),
 * PPP (pptpeer_ppp.c). */
#ifndef TESTS_E2E_PPTPEER_H
#define TESTS_E2E_PPTPEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <pptp/framer.h>

#include "base/addr.h"

enum { NAME = 32, MAX_WORDS = 128, MAX_ENDS = 16384, MAX_QUEUE = 16384 };

/* A network namespace, with the raw sockets that hear GRE in it. */
struct ns {
	char name[64];
	int fd;
	int gre4, gre6;
};

/* One end of a control connection, or a listener. */
struct end {
	char name[NAME];
	struct ns *ns;
	int fd; /* -1: none */
	struct addr local, remote;
	uint16_t remote_port;
	struct pptp_framer framer;
	uint8_t in[4096];
	size_t in_at, in_len;
	uint8_t out[MAX_QUEUE];
	size_t out_len;
	uint32_t sequence; /* of the next PPP frame */
};

/* A line's words, consumed from the front. */
struct words {
	char *w[MAX_WORDS];
	size_t n, at;
};

extern int patience_ms;

/* All return false after fail(). */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What `print` answers with. */
void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The next word; NULL at the line's end. */
const char *next_word(struct words *w);
/* Takes the next word if it is this one. */
bool take_word(struct words *w, const char *word);
/* A number, or @VARIABLE. */
bool get_number(const char *word, uint32_t *v);
bool next_number(struct words *w, uint32_t *v);
/* Compares with NUMBER, @VARIABLE or !EITHER; ?VARIABLE keeps the value. */
bool matches(const char *what, const char *wanted, uint32_t v);

struct end *find_end(const char *name);

int64_t now_ms(void);
/* False: the time is over. */
bool wait_fd(int fd, short events, int64_t until_ms);
/* A socket in a namespace. */
int ns_socket(const struct ns *ns, int family, int type, int protocol);
bool next_addr(struct words *w, struct addr *a);

bool tcp_listens(struct end *e, struct words *w);
bool tcp_accepts(struct end *e, struct words *w);
bool tcp_connects(struct end *e, struct words *w);
bool tcp_knocks(struct end *e, struct words *w);
bool tcp_sends(struct end *e, struct words *w);
bool tcp_stuffs(struct end *e, struct words *w);
bool tcp_gets(struct end *e, struct words *w);
bool tcp_closes(struct end *e, struct words *w);
bool tcp_resets(struct end *e, struct words *w);

bool gre_open(struct ns *ns);
bool gre_sends(struct end *e, struct words *w);

bool ppp_sends(struct end *e, struct words *w);
bool ppp_hears(struct end *e, struct words *w);

#endif
