/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose: what a client gets in the place of a device's reply, what trace and log show
 * of it, and what is left of it when a worker dies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/control_rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":4194304}}"
#define RULE(text) "inject allowed\ninject rule \"" text "\"\n"
#define READS " command=REGION_READ"
#define COUNT 8u
/* More than a look shows, so that the relay holds the message. */
#define LARGE 65536u

/* The device answers a read, which has reached it. */
static void device_answers(const struct pair *p, uint16_t id, uint32_t count)
{
    const struct wire_region_access a = {.count = count};
    const struct wire_hdr request = {.id = id, .command = WIRE_REGION_READ};
    uint8_t *const data = malloc(sizeof a + count);
    struct message m;

    ck_assert_ptr_nonnull(data);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    message_deinit(&m);
    memcpy(data, &a, sizeof a);
    memset(data + sizeof a, id, count);
    peer_send(p->backend_fd, wire_reply_hdr(&request, 0), data, sizeof a + count, NULL);
    free(data);
}

static void client_asks(const struct pair *p, uint16_t id, uint32_t count)
{
    const struct wire_region_access a = {.count = count};

    peer_send(p->client_fd, (struct wire_hdr){.id = id, .command = WIRE_REGION_READ}, &a, sizeof a,
              NULL);
}

static void read_once(const struct pair *p, uint16_t id, uint32_t count)
{
    client_asks(p, id, count);
    device_answers(p, id, count);
}

/* The next message to the client is the reply as the device has sent it. */
static void expect_reply(const struct pair *p, uint16_t id, uint32_t count)
{
    struct message m;

    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(m.n, sizeof(struct wire_region_access) + count);
    ck_assert_uint_eq(m.payload[sizeof(struct wire_region_access)], id);
    ck_assert_uint_eq(m.payload[m.n - 1], id);
    message_deinit(&m);
}

/* The session is as if nothing had been. */
static void expect_alive(const struct pair *p)
{
    read_once(p, 99, COUNT);
    expect_reply(p, 99, COUNT);
}

static void begin(struct rig *r, struct pair *p, const char *statements)
{
    rig_start(r, statements);
    rig_session(r, CAPS, CAPS, p);
}

static void end(struct rig *r, struct pair *p)
{
    pair_close(p);
    rig_await_log(r, "injected: 1 fault in all", NULL, 0);
    rig_stop(r);
}

static const uint32_t sizes[] = {COUNT, LARGE};

START_TEST(a_reply_is_an_error_instead)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("error=EIO count=1" READS));
    read_once(&p, 7, sizes[_i]);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 7, WIRE_REGION_READ), EIO);
    rig_await_log(&r, "injected: error: reply to command 9 (REGION_READ), id 7", NULL, 0);
    rig_await_log(&r, "F", NULL, 0);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(a_reply_is_dropped)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("drop count=1" READS));
    read_once(&p, 7, sizes[_i]);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(a_reply_comes_twice)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("duplicate count=1" READS));
    read_once(&p, 7, sizes[_i]);
    expect_reply(&p, 7, sizes[_i]);
    expect_reply(&p, 7, sizes[_i]);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(a_reply_is_too_short)
{
    struct message m;
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("short=20 count=1" READS));
    read_once(&p, 7, sizes[_i]);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 7);
    ck_assert_uint_eq(m.n, 20);
    ck_assert_uint_eq(m.payload[19], 7);
    message_deinit(&m);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(bytes_are_changed)
{
    const size_t at = sizeof(struct wire_region_access) + 1;
    struct message m;
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("change=17:dead count=1 from=backend" READS));
    read_once(&p, 7, sizes[_i]);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof(struct wire_region_access) + sizes[_i]);
    ck_assert_uint_eq(m.payload[at - 1], 7);
    ck_assert_uint_eq(m.payload[at], 0xde);
    ck_assert_uint_eq(m.payload[at + 1], 0xad);
    ck_assert_uint_eq(m.payload[at + 2], 7);
    message_deinit(&m);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

/* A request that asks for more than the client has declared is judged as ever, if late. */
START_TEST(a_request_is_delayed_with_what_follows)
{
    static const char small[] = "{\"capabilities\":{\"max_data_xfer_size\":4096}}";
    struct pair p;
    struct rig r;

    rig_start(&r, RULE("delay=50ms count=1 from=client" READS));
    rig_session(&r, small, CAPS, &p);
    client_asks(&p, 7, 8192);
    client_asks(&p, 8, COUNT);
    device_answers(&p, 7, 8192);
    device_answers(&p, 8, COUNT);
    expect_reply(&p, 7, 8192);
    expect_reply(&p, 8, COUNT);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(a_delayed_reply_comes_before_the_next)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("delay=50ms count=1 from=backend" READS));
    read_once(&p, 7, sizes[_i]);
    read_once(&p, 8, COUNT);
    expect_reply(&p, 7, sizes[_i]);
    expect_reply(&p, 8, COUNT);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(the_session_is_closed)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("close count=1 from=backend" READS));
    read_once(&p, 7, COUNT);
    pair_expect_end(&p);
    rig_await_log(&r, "ended: reason=injected", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* The fds of a message go with what is in its place. */
START_TEST(a_delayed_message_keeps_its_fds)
{
    const struct wire_dma_map map = {
        .argsz = sizeof map, .flags = WIRE_DMA_READABLE, .address = 0x1000, .size = 0x1000};
    struct fdset fds;
    struct message m;
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("delay=20ms count=1 command=DMA_MAP"));
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send(p.client_fd, (struct wire_hdr){.id = 7, .command = WIRE_DMA_MAP}, &map, sizeof map,
              &fds);
    fdset_close(&fds);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_MAP);
    ck_assert_uint_eq(m.fds.n, 1);
    message_deinit(&m);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

/* ---- in a trace ---- */

struct seen {
    unsigned devices;
    unsigned brokers;
};

static void see(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    struct seen *const s = arg;
    struct wire_hdr hdr;

    ck_assert_int_eq(wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    if (hdr.command != WIRE_REGION_READ || hdr.id != 7 || m->sender != SIDE_BACKEND) {
        return;
    }
    if (m->flags & TRACE_BROKER) {
        ck_assert_uint_eq(m->legs, TRACE_LEG_CLIENT);
        ck_assert_uint_eq(m->size, WIRE_HDR_SIZE + 20);
        s->brokers++;
    } else {
        ck_assert_uint_eq(m->legs, TRACE_LEG_BACKEND);
        s->devices++;
    }
}

START_TEST(a_trace_shows_both_messages)
{
    struct seen s = {0};
    struct message m;
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "\n" RULE("short=20 count=1" READS));
    rig_session(&r, CAPS, CAPS, &p);
    read_once(&p, 7, COUNT);
    peer_recv(p.client_fd, &m);
    message_deinit(&m);
    expect_alive(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    trace_rig_read(trace_rig_file(0), see, &s);
    ck_assert_uint_eq(s.devices, 1);
    ck_assert_uint_eq(s.brokers, 1);
}
END_TEST

/* ---- after a worker's death ---- */

static void kill_worker(struct rig *r)
{
    const pid_t worker = rig_worker(r);

    rig_await_rest(worker);
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
}

START_TEST(the_next_worker_goes_on_counting)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("error=5 count=2" READS));
    read_once(&p, 7, COUNT);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 7, WIRE_REGION_READ), EIO);
    kill_worker(&r);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    read_once(&p, 8, COUNT);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 8, WIRE_REGION_READ), EIO);
    expect_alive(&p);
    pair_close(&p);
    rig_await_log(&r, "injected: 2 faults in all", NULL, 0);
    rig_stop(&r);
}
END_TEST

START_TEST(what_a_worker_alone_held_is_reported_as_lost)
{
    struct pair p;
    struct rig r;

    begin(&r, &p, RULE("delay=60s from=backend" READS));
    read_once(&p, 7, COUNT);
    rig_await_log(&r, "injected: delay: reply to", NULL, 0);
    kill_worker(&r);
    rig_await_log(&r, "the last one held a message that an injection had delayed or changed", NULL,
                  0);
    pair_expect_end(&p);
    rig_stop(&r);
}
END_TEST

/* ---- by an operator ---- */

static struct control_request asked(const char *rules)
{
    struct control_request q = control_request_of(CONTROL_TRACE_INJECT);

    q.number = 2;
    snprintf(q.filter, sizeof q.filter, "%s", rules);
    return q;
}

START_TEST(an_operator_injects_and_stops)
{
    struct control_request q = asked("error=ENOSPC" READS);
    struct pair p;
    struct rig r;

    control_rig_start(&r, "", "inject allowed\n");
    rig_session(&r, CAPS, CAPS, &p);
    expect_alive(&p);
    json_decref(control_answer_to(&q));
    rig_await_log(&r, "1 rule in force", NULL, 0);
    read_once(&p, 7, COUNT);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 7, WIRE_REGION_READ), ENOSPC);
    q = asked("");
    json_decref(control_answer_to(&q));
    rig_await_log(&r, "0 rules in force", NULL, 0);
    expect_alive(&p);
    end(&r, &p);
}
END_TEST

START_TEST(an_operator_is_refused)
{
    const struct control_request right = asked("drop");
    const struct control_request wrong = asked("drip");
    struct pair p;
    struct rig r;

    control_rig_start(&r, "", _i == 0 ? "" : "inject allowed\n");
    rig_session(&r, CAPS, CAPS, &p);
    if (_i == 0) {
        control_expect(&right, CONTROL_NO, "its route has no \"inject allowed\"");
    } else {
        control_expect(&wrong, CONTROL_REFUSED, "a rule begins with delay=");
    }
    expect_alive(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inject");
    TCase *tc = rig_case(s, "inject");

    tcase_add_loop_test(tc, a_reply_is_an_error_instead, 0, 2);
    tcase_add_loop_test(tc, a_reply_is_dropped, 0, 2);
    tcase_add_loop_test(tc, a_reply_comes_twice, 0, 2);
    tcase_add_loop_test(tc, a_reply_is_too_short, 0, 2);
    tcase_add_loop_test(tc, bytes_are_changed, 0, 2);
    tcase_add_test(tc, a_request_is_delayed_with_what_follows);
    tcase_add_loop_test(tc, a_delayed_reply_comes_before_the_next, 0, 2);
    tcase_add_test(tc, the_session_is_closed);
    tcase_add_test(tc, a_delayed_message_keeps_its_fds);
    tcase_add_test(tc, a_trace_shows_both_messages);
    tcase_add_test(tc, the_next_worker_goes_on_counting);
    tcase_add_test(tc, what_a_worker_alone_held_is_reported_as_lost);
    tcase_add_test(tc, an_operator_injects_and_stops);
    tcase_add_loop_test(tc, an_operator_is_refused, 0, 2);
    return unit_run(s);
}
