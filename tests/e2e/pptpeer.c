/* pptpeer - scripted PPTP peers: any number of them, each in a network namespace of its choice, driven line by line.
 *
 * Reads commands from standard input and answers each with one line on standard output, `ok` or `fail: REASON`. What the ends send and
 * get is traced on standard error in libpptp's grammar.
 *
 *   script N                                       the next N lines are commands with one answer: `ok`, or of the first that fails,
 *                                                  `fail: line N: REASON`; those behind it are not done
 *   END in NAMESPACE [at ADDRESS]                  makes an end; the address is its own, for listening, dialing and GRE
 *   END listens [PORT]                             1723 unless told otherwise
 *   END accepts LISTENER [from ADDRESS [PORT]]     the next connection; from whom it must be
 *   END connects ADDRESS [PORT] [from PORT]
 *   END knocks ADDRESS [PORT]                      the same, but it is refused, or let in and turned out at once
 *   END sends MESSAGE... [+ MESSAGE...] [split N...] | bytewise | later
 *       MESSAGE is a name of RFC 2637 or its short form (OCRQ) and fields, as <Call-ID 7>; the fields Length, Kind, Magic and Type are
 *       the header's. `hex DIGITS` and `noise BYTES SEED` are messages, too. + puts several into one segment; split cuts what is sent
 *       behind so many bytes into segments of their own, each waits for the one before to be acknowledged; later keeps it for the
 *       next `sends`, in one segment.
 *   END stuffs MESSAGE...                          again and again, until nothing more goes out
 *   END gets MESSAGE <Field VALUE>...              the very next message, with these fields
 *   END gets hex DIGITS | nothing [MS] | end       these bytes; silence; the connection's end
 *   END closes | resets                            FIN; RST
 *   END gre ID [from ADDRESS] [to ADDRESS] [size N] [times N] [version N] [options]
 *       [reaches END as ID [from ADDRESS]] | [misses END] | [fades from END]
 *       a GRE packet with this call id, by default between the ends' addresses, and what becomes of it; PPTP's is of version 1;
 *       `options`: with an extension header (IPv4: options) before it;
 *       it fades when this packet or one of those sent after it misses
 *   END ppp ID FRAME                               a PPP frame in hexadecimal digits, from its address and flags on, over GRE with this
 *       call id to the connection's other end, IPv4 only; a closed one's, too
 *   END hears BEGINNING [answers ID BEGINNING]     the next PPP frame that begins so; it goes back with another beginning
 *   print VALUE...    patience MS                  answers with values; how long to wait
 *   pause MS                                       lets time pass, where that is what is tested
 *   forget END        fresh                        resets its connection and forgets it; all ends, and variables
 *
 * A VALUE is a number or @variable. Where something is compared, !VALUE is anything else, and ?variable keeps it. */
#include "tests/e2e/pptpeer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_VARIABLES = 16384, MAX_NAMESPACES = 32, LINE = 65536 };

int patience_ms = 20000;

static struct {
	char name[NAME];
	uint32_t v;
} variables[MAX_VARIABLES];
static size_t variables_count;
static struct ns namespaces[MAX_NAMESPACES];
static size_t namespaces_count;
static struct end *ends[MAX_ENDS];
static size_t ends_count;
static char reply[1024];

/* --- saying ------------------------------------------------------------------------------------------------------ */

bool
fail(const char *format, ...)
{
	va_list ap;
	int n = snprintf(reply, sizeof(reply), "fail: ");

	va_start(ap, format);
	vsnprintf(reply + n, sizeof(reply) - (size_t)n, format, ap);
	va_end(ap);
	return false;
}

void
answer(const char *format, ...)
{
	size_t n = strlen(reply);
	va_list ap;

	va_start(ap, format);
	vsnprintf(reply + n, sizeof(reply) - n, format, ap);
	va_end(ap);
}

void
trace(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* --- words and variables ----------------------------------------------------------------------------------------- */

const char *
next_word(struct words *w)
{
	return w->at < w->n ? w->w[w->at++] : NULL;
}

bool
take_word(struct words *w, const char *word)
{
	if (w->at == w->n || strcmp(w->w[w->at], word) != 0)
		return false;
	w->at++;
	return true;
}

static uint32_t *
variable(const char *name)
{
	for (size_t i = variables_count; i-- > 0;) /* what is new is asked for */
		if (strcmp(variables[i].name, name) == 0)
			return &variables[i].v;
	return NULL;
}

static bool
set_variable(const char *name, uint32_t v)
{
	uint32_t *known = variable(name);

	if (known == NULL) {
		if (variables_count == MAX_VARIABLES)
			return fail("too many variables");
		snprintf(variables[variables_count].name, NAME, "%s", name);
		known = &variables[variables_count++].v;
	}
	*known = v;
	return true;
}

bool
get_number(const char *word, uint32_t *v)
{
	const uint32_t *known;
	char *end;

	if (word == NULL)
		return fail("a number is missing");
	if (word[0] == '@') {
		known = variable(word + 1);
		if (known == NULL)
			return fail("no variable %s", word + 1);
		*v = *known;
		return true;
	}
	*v = (uint32_t)strtoul(word, &end, 0);
	return (end != word && *end == '\0') || fail("%s is no number", word);
}

bool
next_number(struct words *w, uint32_t *v)
{
	return get_number(next_word(w), v);
}

bool
matches(const char *what, const char *wanted, uint32_t v)
{
	bool other = wanted != NULL && wanted[0] == '!';
	uint32_t want;

	if (wanted != NULL && wanted[0] == '?')
		return set_variable(wanted + 1, v);
	if (!get_number(other ? wanted + 1 : wanted, &want))
		return false;
	return (v == want) != other || fail(other ? "%s is %u" : "%s is %u, not %u", what, v, want);
}

bool
next_addr(struct words *w, struct addr *a)
{
	const char *word = next_word(w);

	return (word != NULL && addr_parse(a, word)) || fail("%s is no address", word != NULL ? word : "nothing");
}

/* Cuts a line at blanks; what stands in <> is one word, without them. '#' begins a comment. */
static void
cut(struct words *w, char *line)
{
	w->n = w->at = 0;
	for (char *p = line; w->n < MAX_WORDS;) {
		char end;

		p += strspn(p, " \t\r\n");
		if (*p == '\0' || *p == '#')
			return;
		end = *p == '<' ? '>' : ' ';
		if (end == '>')
			*p = '\001'; /* marks a field */
		w->w[w->n++] = p;
		p += end == '>' ? strcspn(p, ">\n") : strcspn(p, " \t\r\n");
		if (*p != '\0')
			*p++ = '\0';
	}
}

/* --- sockets ------------------------------------------------------------------------------------------------------ */

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
wait_fd(int fd, short events, int64_t until_ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int64_t left = until_ms - now_ms();

	return poll(&pfd, 1, left > 0 ? (int)left : 0) > 0;
}

int
ns_socket(const struct ns *ns, int family, int type, int protocol)
{
	int fd;

	if (setns(ns->fd, CLONE_NEWNET) < 0)
		return -1;
	fd = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, protocol);
	if (fd >= 0 && family == 6 && type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	return fd;
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

struct end *
find_end(const char *name)
{
	for (size_t i = ends_count; name != NULL && i-- > 0;)
		if (strcmp(ends[i]->name, name) == 0)
			return ends[i];
	fail("no end %s", name != NULL ? name : "is named");
	return NULL;
}

static struct ns *
find_ns(const char *name)
{
	struct ns *ns = &namespaces[namespaces_count];
	char path[128];

	for (size_t i = 0; i < namespaces_count; i++)
		if (strcmp(namespaces[i].name, name) == 0)
			return &namespaces[i];
	if (namespaces_count == MAX_NAMESPACES)
		return NULL;
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	ns->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ns->fd < 0 || !gre_open(ns))
		return NULL;
	namespaces_count++;
	return ns;
}

/* END in NAMESPACE [at ADDRESS] */
static bool
make_end(const char *name, struct words *w)
{
	const char *where = next_word(w);
	struct ns *ns = where != NULL ? find_ns(where) : NULL;
	struct end *e;

	if (ns == NULL)
		return fail("no namespace %s", where != NULL ? where : "is named");
	if (ends_count == MAX_ENDS || (e = calloc(1, sizeof(*e))) == NULL)
		return fail("too many ends");
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->ns = ns;
	e->fd = -1;
	ends[ends_count++] = e;
	return !take_word(w, "at") || next_addr(w, &e->local);
}

static void
drop(struct end *e)
{
	if (e->fd >= 0) {
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
		close(e->fd);
	}
	free(e);
}

static bool
forget(const char *name)
{
	struct end *e = find_end(name);
	size_t i = 0;

	if (e == NULL)
		return false;
	while (ends[i] != e)
		i++;
	ends[i] = ends[--ends_count];
	drop(e);
	return true;
}

static bool
fresh(void)
{
	while (ends_count > 0)
		drop(ends[--ends_count]);
	variables_count = 0;
	patience_ms = 20000;
	return true;
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

static bool
print(struct words *w)
{
	uint32_t v;

	while (w->at < w->n) {
		if (!next_number(w, &v))
			return false;
		answer(" %u", v);
	}
	return true;
}

static bool
patience(struct words *w)
{
	uint32_t v = 0;

	if (!next_number(w, &v))
		return false;
	patience_ms = (int)v;
	return true;
}

/* For a race whose winner the script decides. */
static bool
let_pass(struct words *w)
{
	uint32_t ms;

	return next_number(w, &ms) && usleep(ms * 1000) == 0;
}

static const struct {
	const char *verb;
	bool (*run)(struct end *e, struct words *w);
} verbs[] = {{"listens", tcp_listens}, {"accepts", tcp_accepts}, {"connects", tcp_connects}, {"knocks", tcp_knocks}, {"sends", tcp_sends},
    {"stuffs", tcp_stuffs}, {"gets", tcp_gets}, {"closes", tcp_closes}, {"resets", tcp_resets}, {"gre", gre_sends}, {"ppp", ppp_sends},
    {"hears", ppp_hears}};

static bool
command(struct words *w)
{
	const char *name = next_word(w), *verb;
	struct end *e;

	if (name == NULL || strcmp(name, "fresh") == 0)
		return name == NULL || fresh();
	if (strcmp(name, "print") == 0)
		return print(w);
	if (strcmp(name, "patience") == 0)
		return patience(w);
	if (strcmp(name, "pause") == 0)
		return let_pass(w);
	if (strcmp(name, "forget") == 0)
		return forget(next_word(w));
	if (take_word(w, "in"))
		return make_end(name, w);
	e = find_end(name);
	verb = next_word(w);
	for (size_t i = 0; e != NULL && verb != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			return verbs[i].run(e, w) && (w->at == w->n || fail("what is %s?", w->w[w->at]));
	return e != NULL && fail("%s can't do that", name);
}

static bool
command_line(char *line)
{
	struct words w;

	strcpy(reply, "ok");
	cut(&w, line);
	return command(&w);
}

/* Lines behind one that failed are read, but not done. */
static void
script(long lines)
{
	static char line[LINE];
	char failed[sizeof(reply)] = "";
	long at = 0;

	while (at < lines && fgets(line, sizeof(line), stdin) != NULL) {
		at++;
		if (failed[0] == '\0' && !command_line(line))
			snprintf(failed, sizeof(failed), "fail: line %ld: %.900s", at, reply + strlen("fail: "));
	}
	strcpy(reply, failed[0] != '\0' ? failed : "ok");
}

int
main(void)
{
	static char line[LINE];
	struct rlimit files = {20000, 20000};

	setrlimit(RLIMIT_NOFILE, &files);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strncmp(line, "script ", strlen("script ")) == 0)
			script(strtol(line + strlen("script "), NULL, 10));
		else
			command_line(line);
		puts(reply);
		fflush(stdout);
	}
	fresh();
	return 0;
}
