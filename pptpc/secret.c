#include "pptpc/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "libppp/crypto.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
take_hash(struct ppp_secret *s, const char *hex)
{
	for (size_t i = 0; i < 16; i++) {
		int high = hex_digit(hex[2 * i]), low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		s->data[i] = (uint8_t)(high << 4 | low);
	}
	s->is_nt_hash = true;
	s->len = 16;
	return hex[32] == '\0';
}

static bool
take(struct profile *p, const char *text, size_t len, char *err, size_t errlen)
{
	struct ppp_secret *s = &p->tunnel.link.secret;

	memset(s, 0, sizeof(*s));
	if (len > 5 && memcmp(text, "hash:", 5) == 0) {
		if (take_hash(s, text + 5))
			return true;
		snprintf(err, errlen, "the password begins with hash:, but 32 hexadecimal digits don't follow");
		return false;
	}
	if (len > PPP_SECRET_MAX) {
		snprintf(err, errlen, "the password is longer than %d bytes", PPP_SECRET_MAX);
		return false;
	}
	memcpy(s->data, text, len);
	s->len = (uint16_t)len;
	return true;
}

/* The first line of fd, without its end; -1 with errno. */
static ssize_t
read_line(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		ssize_t n = read(fd, buf + len, 1);

		if (n < 0)
			return -1;
		if (n == 0 || buf[len] == '\n')
			break;
		len++;
	}
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

static bool
load_fd(struct profile *p, int fd, const char *what, char *err, size_t errlen)
{
	char line[2 * PPP_SECRET_MAX];
	ssize_t len = read_line(fd, line, sizeof(line));
	bool ok = false;

	if (len < 0)
		snprintf(err, errlen, "%s: can't read the password: %s", what, strerror(errno));
	else if (len == 0)
		snprintf(err, errlen, "%s: its first line is empty", what);
	else
		ok = take(p, line, (size_t)len, err, errlen);
	ppp_wipe(line, sizeof(line));
	return ok;
}

static bool
load_file(struct profile *p, char *err, size_t errlen)
{
	int fd = open(p->password_file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok = false;

	if (fd < 0) {
		snprintf(err, errlen, "%s: can't read the password: %s", p->password_file, strerror(errno));
		return false;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		snprintf(err, errlen, "%s: others than its owner may read it: chmod 600 %s", p->password_file, p->password_file);
	else
		ok = load_fd(p, fd, p->password_file, err, errlen);
	close(fd);
	return ok;
}

/* Only there to interrupt the read, so that the terminal's echo comes back before the program ends. */
static void
on_interrupt(int number)
{
	(void)number;
}

static bool
ask(struct profile *p, int tty, const struct termios *old, char *err, size_t errlen)
{
	const struct sigaction interrupt = {.sa_handler = on_interrupt};
	struct sigaction old_int, old_term;
	struct termios quiet = *old;
	bool ok;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigaction(SIGINT, &interrupt, &old_int);
	sigaction(SIGTERM, &interrupt, &old_term);
	dprintf(tty, "Password of %s at %s: ", p->user, p->servers.names[0]);
	tcsetattr(tty, TCSAFLUSH, &quiet);
	ok = load_fd(p, tty, "terminal", err, errlen);
	tcsetattr(tty, TCSAFLUSH, old);
	dprintf(tty, "\n");
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	return ok;
}

static bool
prompt(struct profile *p, char *err, size_t errlen)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct termios old;
	bool ok;

	if (tty < 0 || tcgetattr(tty, &old) != 0) {
		if (tty >= 0)
			close(tty);
		snprintf(
		    err, errlen, "no password: give password-file, password-fd or PPTPC_PASSWORD, or start it on a terminal to be asked");
		return false;
	}
	ok = ask(p, tty, &old, err, errlen);
	close(tty);
	return ok;
}

bool
secret_load(struct profile *p, bool by_hand, char *err, size_t errlen)
{
	const char *environment = by_hand ? getenv("PPTPC_PASSWORD") : NULL;
	char what[32];

	if (p->password_set)
		return take(p, p->password, strlen(p->password), err, errlen);
	if (p->password_file[0] != '\0')
		return load_file(p, err, errlen);
	if (p->password_fd >= 0) {
		snprintf(what, sizeof(what), "descriptor %lld", (long long)p->password_fd);
		return load_fd(p, (int)p->password_fd, what, err, errlen);
	}
	if (environment != NULL)
		return take(p, environment, strlen(environment), err, errlen);
	if (by_hand)
		return prompt(p, err, errlen);
	snprintf(err, errlen, "no password: give it password, password-file or password-fd");
	return false;
}

void
secret_scrub_environment(void)
{
	char *value = getenv("PPTPC_PASSWORD");

	if (value == NULL)
		return;
	ppp_wipe(value, strlen(value));
	unsetenv("PPTPC_PASSWORD");
}
