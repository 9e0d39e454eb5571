/* What the monitor opens or runs for a worker: sockets, files, scripts, the program's own requests. */
#include <errno.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/allow_rig.h"

Suite *suite_priv_allow_fds(void);

static void
listen_on(struct priv_request *r, enum priv_type type, const char *bind, uint16_t port)
{
	r->type = type;
	r->tcp.bind = addr_of(bind);
	r->tcp.port = port;
}

static void
ask_gre(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_GRE_OPEN;
	r->gre.family = 4;
	r->gre.shards = 2;
	r->gre.shard = 1;
}

static void
ask_gre_with_too_many_shards(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_GRE_OPEN;
	r->gre.family = 6;
	r->gre.shards = 257;
}

static void
ask_gre_when_off(struct priv_request *r, struct priv_policy *p)
{
	p->types[PRIV_GRE_OPEN] = false;
	r->type = PRIV_GRE_OPEN;
	r->gre.family = 4;
	r->gre.shards = 1;
}

static void
ask_transparent_gre(struct priv_request *r, struct priv_policy *p)
{
	p->transparent = true;
	ask_gre(r, p);
	r->gre.transparent = true;
}

static void
ask_transparent_gre_when_off(struct priv_request *r, struct priv_policy *p)
{
	ask_gre(r, p);
	r->gre.transparent = true;
}

static void
ask_marked_gre(struct priv_request *r, struct priv_policy *p)
{
	p->marks = 0x60;
	ask_gre(r, p);
	r->gre.mark = 0x40;
}

static void
ask_gre_with_foreign_mark(struct priv_request *r, struct priv_policy *p)
{
	p->marks = 0x60;
	ask_gre(r, p);
	r->gre.mark = 0x41;
}

static void
ask_socket_with_foreign_mark(struct priv_request *r, struct priv_policy *p)
{
	p->marks = 0x60;
	listen_on(r, PRIV_TCP_SOCKET, "0.0.0.0", 0);
	r->tcp.mark = 1;
}

static void
ask_transparent_listener(struct priv_request *r, struct priv_policy *p)
{
	p->transparent = true;
	listen_on(r, PRIV_TCP_LISTEN, "0.0.0.0", 1723);
	r->tcp.transparent = true;
}

static void
ask_transparent_listener_when_off(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_LISTEN, "0.0.0.0", 1723);
	r->tcp.transparent = true;
}

static void
ask_transparent_listener_below(struct priv_request *r, struct priv_policy *p)
{
	p->transparent = true;
	listen_on(r, PRIV_TCP_LISTEN, "0.0.0.0", 1722);
	r->tcp.transparent = true;
}

static void
ask_transparent_socket(struct priv_request *r, struct priv_policy *p)
{
	p->transparent = true;
	listen_on(r, PRIV_TCP_SOCKET, "192.0.2.1", 0);
	r->tcp.transparent = true;
}

static void
ask_transparent_socket_when_off(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_SOCKET, "192.0.2.1", 0);
	r->tcp.transparent = true;
}

static void
ask_program_without_a_hook(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_PROGRAM;
}

static int
do_nothing(void *user, const uint8_t *data, size_t len, const int *in_fds, size_t in_count, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	(void)user, (void)data, (void)len, (void)in_fds, (void)in_count, (void)reply, (void)fds;
	return 0;
}

static void
ask_program(struct priv_request *r, struct priv_policy *p)
{
	p->program.handle = do_nothing;
	r->type = PRIV_PROGRAM;
}

static void
ask_program_when_off(struct priv_request *r, struct priv_policy *p)
{
	p->program.handle = do_nothing;
	p->types[PRIV_PROGRAM] = false;
	r->type = PRIV_PROGRAM;
}

static void
ask_listen_on_the_port(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_LISTEN, "0.0.0.0", 1723);
}

static void
ask_listen_below(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_LISTEN, "::", 1722);
}

static void
ask_listen_above(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_LISTEN, "::", 1725);
}

static void
ask_listen_on_port_0(struct priv_request *r, struct priv_policy *p)
{
	p->tcp_port_min = 0;
	listen_on(r, PRIV_TCP_LISTEN, "::", 0);
}

static void
ask_tcp_socket(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_SOCKET, "0.0.0.0", 0);
}

static void
ask_tcp_socket_from_a_reserved_port(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	listen_on(r, PRIV_TCP_SOCKET, "0.0.0.0", 1023);
}

static void
ask_file(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_FILE_OPEN;
}

static void
ask_file_that_is_not_configured(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_FILE_OPEN;
	r->file.number = 1;
}

static void
ask_file_beyond_the_table(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_FILE_OPEN;
	r->file.number = PRIV_MAX_FILES;
}

static void
ask_script(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_SCRIPT;
	r->script.number = 1;
}

static void
ask_script_that_is_not_configured(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_SCRIPT;
	r->script.number = 0;
}

static void
ask_script_beyond_the_table(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_SCRIPT;
	r->script.number = PRIV_MAX_SCRIPTS;
}

static const struct allow_row rows[] = {
    {"gre", ask_gre, 0},
    {"gre with too many shards", ask_gre_with_too_many_shards, EPERM},
    {"gre when off", ask_gre_when_off, EPERM},
    {"listen on the port", ask_listen_on_the_port, 0},
    {"listen below", ask_listen_below, EPERM},
    {"listen above", ask_listen_above, EPERM},
    {"listen on port 0", ask_listen_on_port_0, EPERM},
    {"tcp socket", ask_tcp_socket, 0},
    {"tcp socket from a reserved port", ask_tcp_socket_from_a_reserved_port, EPERM},
    {"transparent gre", ask_transparent_gre, 0},
    {"transparent gre when off", ask_transparent_gre_when_off, EPERM},
    {"marked gre", ask_marked_gre, 0},
    {"gre with foreign mark", ask_gre_with_foreign_mark, EPERM},
    {"socket with foreign mark", ask_socket_with_foreign_mark, EPERM},
    {"transparent listener", ask_transparent_listener, 0},
    {"transparent listener when off", ask_transparent_listener_when_off, EPERM},
    {"transparent listener below", ask_transparent_listener_below, EPERM},
    {"transparent socket", ask_transparent_socket, 0},
    {"transparent socket when off", ask_transparent_socket_when_off, EPERM},
    {"program without a hook", ask_program_without_a_hook, EPERM},
    {"program", ask_program, 0},
    {"program when off", ask_program_when_off, EPERM},
    {"file", ask_file, 0},
    {"file that is not configured", ask_file_that_is_not_configured, EPERM},
    {"file beyond the table", ask_file_beyond_the_table, EPERM},
    {"script", ask_script, 0},
    {"script that is not configured", ask_script_that_is_not_configured, EPERM},
    {"script beyond the table", ask_script_beyond_the_table, EPERM},
};

START_TEST(each_descriptor_against_the_policy)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		allow_check(&rows[i]);
}
END_TEST

START_TEST(refused_descriptors_over_the_socket)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		allow_check_over_socket(&rows[i]);
}
END_TEST

Suite *
suite_priv_allow_fds(void)
{
	Suite *s = suite_create("priv_allow_fds");
	TCase *t = tcase_create("priv_allow_fds");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, each_descriptor_against_the_policy);
	tcase_add_test(t, refused_descriptors_over_the_socket);
	suite_add_tcase(s, t);
	return s;
}
