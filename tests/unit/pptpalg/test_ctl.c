/* The control socket's tables and the list of counters, of a gateway that stands still. */
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/counters.h"
#include "alg/gateway.h"
#include "base/timerheap.h"
#include "sys/clock.h"
#include "tests/unit/pptpalg/source.h"
#include "tests/unit/suite.h"

Suite *suite_ctl(void);

enum { MANY = 10000 };

static struct gateway gw;
static struct config *config;
static struct flow flows[2];
static struct call *calls;
static char dir[32], path[64];
static struct ctl_server *server;
static pthread_t thread;
static int stop_pipe[2];
static struct event *stop_event;

/* --- the gateway ---------------------------------------------------------------------------------------------- */

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert_msg(addr_parse(&a, s), "%s", s);
	return a;
}

static void
make_flow(struct flow *f, uint64_t number, const char *client, const char *ifname)
{
	*f = (struct flow){.gw = &gw,
	    .number = number,
	    .state = FLOW_OPEN,
	    .since = clock_ts(),
	    .client = addr(client),
	    .client_port = 1044,
	    .dialed = addr("192.0.2.1"),
	    .dialed_port = 1723,
	    .server = addr("10.9.9.9"),
	    .server_port = 1799,
	    .external = addr("192.0.2.254"),
	    .external_port = 5000};
	snprintf(f->ifname, sizeof(f->ifname), "%s", ifname);
	snprintf(f->policy, sizeof(f->policy), "office");
	f->end[ALG_CLIENT].bytes = 324;
	f->end[ALG_SERVER].bytes = 188;
	f->next = gw.flows;
	gw.flows = f;
	gw.flows_count++;
}

/* A call in the table of gates; its actions are executed by nobody but this. */
static void
let_in(struct call *c)
{
	const struct gates_owner owner = {.client = c->client, .server = c->server, .conn = c->flow_number, .number = c->ids.number};
	struct gates_action action;

	ck_assert_int_eq(gates_want(gw.gates, &owner, &c->pair, clock_ts()), GATES_OK);
	while (gates_action(gw.gates, &action)) {
		if (action.type == GATES_ADD)
			gates_added(gw.gates, action.info.pair.id, 0, clock_ts());
	}
	c->up = true;
}

/* Each call has carried some packets when its counters are read the next time. */
static void
carry(void)
{
	const struct gate_counters counters = {.up_pkts = 5, .up_bytes = 500, .down_pkts = 7, .down_bytes = 7000000};
	uint64_t later = clock_ts() + TS_S(11);
	struct gates_action action;

	gates_expire(gw.gates, later);
	while (gates_action(gw.gates, &action)) {
		if (action.type == GATES_READ)
			gates_counted(gw.gates, action.info.pair.id, &counters, later);
	}
}

static void
make_call(struct call *c, struct flow *f, uint32_t number, uint16_t id, uint16_t xid)
{
	*c = (struct call){.gw = &gw, .flow = f, .flow_number = f->number, .client = f->client, .dialed = f->dialed};
	c->server = f->server;
	c->external = f->external;
	c->ids = (struct alg_call){.number = number, .client_id = id, .client_xid = xid, .server_id = 22, .server_xid = 22};
	c->pair.up = (struct gate){f->client, f->dialed, 22, f->external, f->server, 22};
	c->pair.down = (struct gate){f->server, f->external, xid, f->dialed, f->client, id};
	snprintf(c->ifname, sizeof(c->ifname), "%s", f->ifname);
	snprintf(c->policy, sizeof(c->policy), "%s", f->policy);
	let_in(c);
	c->next = gw.calls;
	gw.calls = c;
	gw.calls_count++;
	c->flow_next = f->calls;
	f->calls = c;
	f->calls_count++;
}

static void
take_id(const struct call *c, uint16_t id, uint16_t wanted)
{
	const struct xlate_line line = {c->server, c->external};
	const struct xlate_owner owner = {c->client, 1044, id};

	ck_assert_int_eq(xlate_claim(gw.xlate, &line, &owner, wanted, clock_ts()), XLATE_OK);
}

static void
make_gateway(void)
{
	const struct gates_config gc = {.max_calls = MANY + 10, .max_per_client = MANY + 10, .first_id = 1, .fill = clock_random};
	const struct xlate_config xc = {.limit = 100, .fill = clock_random};

	memset(&gw, 0, sizeof(gw));
	config = config_load_text("t.conf", "");
	ck_assert_ptr_nonnull(config);
	gw.config = config;
	gw.datapath = "conntrack";
	gw.started_ts = clock_ts();
	ck_assert_int_eq(gates_new(&gw.gates, &gc, NULL), 0);
	ck_assert_int_eq(xlate_new(&gw.xlate, &xc, NULL), 0);
	calls = calloc(MANY + 2, sizeof(*calls));
	make_flow(&flows[0], 11, "10.1.0.2", "in1");
	make_flow(&flows[1], 12, "10.2.0.2", "in2");
	make_call(&calls[0], &flows[0], 1, 7, 7);
	make_call(&calls[1], &flows[1], 1, 7, 27565);
	take_id(&calls[0], 7, 7);
	take_id(&calls[1], 7, 27565);
	carry();
	gw.counters.flows = 2;
	gw.counters.calls_up = 2;
	gw.counters.received[ALG_CLIENT] = 40;
	gw.counters.carried.up_pkts = 1000;
}

/* --- its socket, served by a thread ----------------------------------------------------------------------------- */

static void *
run_loop(void *arg)
{
	event_base_loop(gw.base, EVLOOP_NO_EXIT_ON_EMPTY);
	return arg;
}

static void
stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	event_base_loopbreak(gw.base);
}

static void
serve(void)
{
	int fd;

	strcpy(dir, "/tmp/test-alg-ctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	fd = ctl_listen(path, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pipe(stop_pipe), 0);
	gw.base = event_base_new();
	server = ctl_server_new(gw.base, fd, gateway_commands, &gw);
	ck_assert_ptr_nonnull(server);
	stop_event = event_new(gw.base, stop_pipe[0], EV_READ, stop_loop, NULL);
	event_add(stop_event, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void
setup(void)
{
	make_gateway();
	serve();
}

static void
setup_many(void)
{
	make_gateway();
	for (uint32_t i = 0; i < MANY; i++)
		make_call(&calls[2 + i], &flows[i & 1], 2 + i, (uint16_t)(1000 + i), (uint16_t)(1000 + i));
	serve();
}

static void
teardown(void)
{
	ck_assert_int_eq(write(stop_pipe[1], "x", 1), 1);
	pthread_join(thread, NULL);
	event_free(stop_event);
	ctl_server_free(server);
	event_base_free(gw.base);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
	unlink(path);
	rmdir(dir);
	gates_free(gw.gates);
	xlate_free(gw.xlate);
	config_free(config);
	free(calls);
}

static void
collect(void *user, json_t *row)
{
	json_array_append(user, row);
}

/* The final object; rows in *rows. */
static json_t *
ask(const char *command, const char *key, const char *value, json_t **rows)
{
	struct ctl_client *c = ctl_client_open(path, 10000);
	json_t *request = json_pack("{s:s}", "command", command), *got;
	char err[200] = "";

	ck_assert_ptr_nonnull(c);
	if (key != NULL)
		json_object_set_new(request, key, json_string(value));
	*rows = json_array();
	got = ctl_client_call(c, request, collect, *rows, err, sizeof(err));
	ck_assert_msg(got != NULL, "%s", err);
	json_decref(request);
	ctl_client_close(c);
	return got;
}

static void
answers(const char *command, const char *key, const char *value, json_t **rows, json_t **result)
{
	json_t *got = ask(command, key, value, rows);

	ck_assert_msg(json_is_true(json_object_get(got, "ok")), "%s", json_string_value(json_object_get(got, "error")));
	*result = json_incref(json_object_get(got, "result"));
	json_decref(got);
}

/* The row that has this text under this key and that under that. */
static json_t *
row(json_t *rows, const char *key, const char *text, const char *key2, const char *text2)
{
	size_t i;
	json_t *r;

	json_array_foreach(rows, i, r)
	{
		if (strcmp(json_string_value(json_object_get(r, key)), text) == 0 &&
		    strcmp(json_string_value(json_object_get(r, key2)), text2) == 0)
			return r;
	}
	ck_abort_msg("no row with %s %s and %s %s", key, text, key2, text2);
	return NULL;
}

static const char *
text_of(json_t *r, const char *key)
{
	const char *s = json_string_value(json_object_get(r, key));

	ck_assert_msg(s != NULL, "no text %s", key);
	return s;
}

static json_int_t
number_of(json_t *r, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(r, key)), "no number %s", key);
	return json_integer_value(json_object_get(r, key));
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

START_TEST(status)
{
	json_t *rows, *o;

	answers("alg status", NULL, NULL, &rows, &o);
	ck_assert_str_eq(text_of(o, "program"), "pptpalg");
	ck_assert_str_eq(text_of(o, "datapath"), "conntrack");
	ck_assert_str_eq(text_of(o, "nat"), "auto");
	ck_assert_int_eq(number_of(o, "connections"), 2);
	ck_assert_int_eq(number_of(o, "calls"), 2);
	ck_assert_int_eq(number_of(o, "calls_limit"), 10000);
	ck_assert_int_eq(number_of(o, "waiting"), 0);
	ck_assert_int_eq(number_of(o, "ids"), 2);
	ck_assert_int_eq(number_of(o, "ids_limit"), 100);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "refusals")), 0);
	json_decref(rows);
	json_decref(o);
}
END_TEST

START_TEST(flows_have_a_row_each_way)
{
	json_t *rows, *o, *r;

	answers("alg flows", NULL, NULL, &rows, &o);
	ck_assert_uint_eq(json_array_size(rows), 8);
	r = row(rows, "session", "12", "kind", "control up");
	ck_assert_str_eq(text_of(r, "from"), "10.2.0.2:1044");
	ck_assert_str_eq(text_of(r, "to"), "192.0.2.1:1723");
	ck_assert_str_eq(text_of(r, "new_from"), "192.0.2.254:5000");
	ck_assert_str_eq(text_of(r, "new_to"), "10.9.9.9:1799");
	ck_assert_str_eq(text_of(r, "interface"), "in2");
	ck_assert_int_eq(number_of(r, "bytes"), 324);
	ck_assert(json_is_null(json_object_get(r, "call_id")));
	r = row(rows, "session", "12", "kind", "control down");
	ck_assert_str_eq(text_of(r, "from"), "10.9.9.9:1799");
	ck_assert_str_eq(text_of(r, "new_to"), "10.2.0.2:1044");
	ck_assert_int_eq(number_of(r, "bytes"), 188);
	r = row(rows, "session", "12.1", "kind", "gre down");
	ck_assert_str_eq(text_of(r, "from"), "10.9.9.9");
	ck_assert_str_eq(text_of(r, "to"), "192.0.2.254");
	ck_assert_int_eq(number_of(r, "call_id"), 27565);
	ck_assert_str_eq(text_of(r, "new_from"), "192.0.2.1");
	ck_assert_str_eq(text_of(r, "new_to"), "10.2.0.2");
	ck_assert_int_eq(number_of(r, "new_call_id"), 7);
	ck_assert_int_eq(number_of(r, "packets"), 7);
	ck_assert_int_eq(number_of(r, "bytes"), 7000000);
	ck_assert_str_eq(text_of(r, "policy"), "office");
	ck_assert_str_eq(text_of(r, "state"), "active");
	ck_assert_int_le(number_of(r, "timeout_s"), 1811);
	ck_assert_int_ge(number_of(r, "timeout_s"), 1700);
	json_decref(rows);
	json_decref(o);
}
END_TEST

START_TEST(gates)
{
	json_t *rows, *o, *r;

	answers("alg gates", NULL, NULL, &rows, &o);
	ck_assert_uint_eq(json_array_size(rows), 4);
	r = row(rows, "call", "12.1", "direction", "down");
	ck_assert_str_eq(text_of(r, "flags"), "snat,dnat,id");
	ck_assert_int_eq(number_of(r, "references"), 2);
	r = row(rows, "call", "11.1", "direction", "up");
	ck_assert_str_eq(text_of(r, "flags"), "snat,dnat");
	ck_assert_str_eq(text_of(r, "zone"), "in1");
	ck_assert_int_le(number_of(r, "age_s"), 100);
	json_decref(rows);
	json_decref(o);
}
END_TEST

START_TEST(translations)
{
	json_t *rows, *o, *r;

	answers("alg xlate", NULL, NULL, &rows, &o);
	ck_assert_int_eq(number_of(o, "used"), 2);
	ck_assert_int_eq(number_of(o, "limit"), 100);
	ck_assert_int_eq(number_of(o, "failed"), 0);
	ck_assert_uint_eq(json_array_size(rows), 2);
	r = row(rows, "owner", "10.2.0.2", "peer", "10.9.9.9");
	ck_assert_int_eq(number_of(r, "id"), 7);
	ck_assert_str_eq(text_of(r, "public"), "192.0.2.254");
	ck_assert_int_eq(number_of(r, "public_id"), 27565);
	ck_assert_int_eq(number_of(r, "source_port"), 1044);
	json_decref(rows);
	json_decref(o);
}
END_TEST

/* Either end of a translation may be asked for as either. */
START_TEST(translations_of_one_address)
{
	static const struct {
		const char *key, *address;
		size_t rows;
	} asked[] = {{"client", "10.2.0.2", 1}, {"server", "10.9.9.9", 2}, {"client", "10.9.9.9", 2}, {"server", "10.3.0.2", 0}};
	json_t *rows, *o;

	answers("alg xlate", asked[_i].key, asked[_i].address, &rows, &o);
	ck_assert_uint_eq(json_array_size(rows), asked[_i].rows);
	ck_assert_int_eq(number_of(o, "used"), 2);
	json_decref(rows);
	json_decref(o);
}
END_TEST

START_TEST(resources_have_owners)
{
	json_t *rows, *o, *r;

	answers("alg resources", NULL, NULL, &rows, &o);
	ck_assert_uint_eq(json_array_size(rows), 8);
	r = row(rows, "group", "12", "resource", "12");
	ck_assert_str_eq(text_of(r, "kind"), "connection");
	ck_assert_str_eq(text_of(r, "owner"), "10.2.0.2");
	r = row(rows, "group", "12", "resource", "12.1");
	ck_assert_str_eq(text_of(r, "kind"), "call");
	ck_assert_str_eq(text_of(r, "state"), "up");
	r = row(rows, "group", "12", "resource", "12.1 down");
	ck_assert_str_eq(text_of(r, "kind"), "gate");
	ck_assert_str_eq(text_of(r, "owner"), "10.9.9.9");
	json_decref(rows);
	json_decref(o);
}
END_TEST

START_TEST(counters)
{
	json_t *rows, *o;

	answers("alg counters", NULL, NULL, &rows, &o);
	ck_assert_int_eq(number_of(o, "connections_now"), 2);
	ck_assert_int_eq(number_of(o, "connections"), 2);
	ck_assert_int_eq(number_of(o, "messages_received_client"), 40);
	ck_assert_int_eq(number_of(o, "gates_added"), 2);
	ck_assert_int_eq(number_of(o, "gates_refused_too_many_calls_of_this_client"), 0);
	/* Of calls that have ended, and of those that live. */
	ck_assert_int_eq(number_of(o, "gre_packets_up"), 1010);
	ck_assert_int_eq(number_of(o, "gre_bytes_down"), 14000000);
	json_decref(rows);
	json_decref(o);
}
END_TEST

struct check_walk {
	char last[64];
	char seen[4096];
};

/* Of one name come in a row, and have different labels: Prometheus takes no others. */
static void
check_counter(void *user, const struct counter *c)
{
	struct check_walk *w = user;
	char name[64], whole[256];

	snprintf(name, sizeof(name), " %s ", c->name);
	snprintf(whole, sizeof(whole), "%s/%s", c->name, c->label != NULL ? c->value_of_label : "");
	if (strcmp(w->last, name) != 0) {
		ck_assert_msg(strstr(w->seen, name) == NULL, "%s stands there twice", c->name);
		strcat(w->seen, name);
	} else {
		ck_assert_msg(c->label != NULL, "%s has no label", whole);
	}
	ck_assert_msg(c->help[0] != '\0' && c->help[strlen(c->help) - 1] != '.', "%s", c->name);
	ck_assert_uint_eq(strspn(c->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(c->name));
	strcpy(w->last, name);
}

START_TEST(counters_fit_prometheus)
{
	struct check_walk w = {"", ""};

	counters_each(&gw, check_counter, &w);
	ck_assert_ptr_nonnull(strstr(w.seen, " gates_ended "));
}
END_TEST

/* The manual has a list entry for each, behind .Cm, with others or alone. */
static void
look_up_counter(void *user, const struct counter *c)
{
	const char *at = user;
	size_t len = strlen(c->name);

	while ((at = strstr(at, c->name)) != NULL && (at[-1] != ' ' || (at[len] != ' ' && at[len] != '\n')))
		at += len;
	ck_assert_msg(at != NULL, "pptpalg(8) does not explain %s", c->name);
}

START_TEST(the_manual_has_all_counters)
{
	const char *metrics = strstr(read_source("man/pptpalg.8"), "\n.Ss Metrics\n");

	ck_assert_ptr_nonnull(metrics);
	counters_each(&gw, look_up_counter, strstr(metrics, "\n.It Cm "));
}
END_TEST

static void
rows_are(const char *command, const char *key, const char *value, size_t wanted)
{
	json_t *rows, *o;

	answers(command, key, value, &rows, &o);
	ck_assert_msg(json_array_size(rows) == wanted, "%s with %s %s: %zu rows", command, key, value, json_array_size(rows));
	json_decref(rows);
	json_decref(o);
}

START_TEST(rows_of_one_host)
{
	rows_are("alg flows", "client", "10.2.0.2", 4);
	rows_are("alg flows", "client", "10.2.0.3", 0);
	rows_are("alg flows", "server", "10.9.9.9", 8);
	rows_are("alg gates", "client", "10.1.0.2", 2);
	rows_are("alg xlate", "client", "10.1.0.2", 1);
	rows_are("alg resources", "client", "10.1.0.2", 4);
	rows_are("alg resources", "server", "10.1.0.2", 0);
}
END_TEST

static const struct {
	const char *command, *key, *value, *error;
} wrongs[] = {
    {"alg flows", "client", "nobody", "no address: nobody"},
    {"alg gates", "server", "1.2.3", "no address: 1.2.3"},
    {"alg clear", NULL, NULL, "the call's name or the connection's number is missing"},
    {"alg clear", "call", "13.1", "no such call: 13.1"},
    {"alg clear", "connection", "x", "no such connection: x"},
    {"alg clear", "connection", "", "no such connection: "},
};

START_TEST(errors)
{
	json_t *rows, *got = ask(wrongs[_i].command, wrongs[_i].key, wrongs[_i].value, &rows);

	ck_assert(json_is_false(json_object_get(got, "ok")));
	ck_assert_str_eq(text_of(got, "error"), wrongs[_i].error);
	json_decref(rows);
	json_decref(got);
}
END_TEST

/* The largest table goes through the socket's limits in one piece. */
START_TEST(ten_thousand_calls)
{
	rows_are("alg flows", NULL, NULL, 2 * MANY + 8);
	rows_are("alg gates", NULL, NULL, 2 * MANY + 4);
	rows_are("alg resources", NULL, NULL, 3 * MANY + 8);
}
END_TEST

Suite *
suite_ctl(void)
{
	Suite *s = suite_create("pptpalg/ctl");
	TCase *t = tcase_create("few"), *many = tcase_create("many");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, status);
	tcase_add_test(t, flows_have_a_row_each_way);
	tcase_add_test(t, gates);
	tcase_add_test(t, translations);
	tcase_add_loop_test(t, translations_of_one_address, 0, 4);
	tcase_add_test(t, resources_have_owners);
	tcase_add_test(t, counters);
	tcase_add_test(t, counters_fit_prometheus);
	tcase_add_test(t, the_manual_has_all_counters);
	tcase_add_test(t, rows_of_one_host);
	tcase_add_loop_test(t, errors, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(many, setup_many, teardown);
	tcase_set_timeout(many, 300);
	tcase_add_test(many, ten_thousand_calls);
	suite_add_tcase(s, many);
	return s;
}
