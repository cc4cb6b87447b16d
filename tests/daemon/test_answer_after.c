/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Devices that do not answer in time: the client gets an error in their stead, and nothing of what
 * they send later on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/policy_rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/edu/edu_process.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":4194304}}"
/* Long enough for this test to answer in, also on a busy machine. */
#define ANSWER "answer-after 1s\n"
#define LARGE (1u << 20)

/* The client asks for so many bytes, and the device has received it. */
static void ask(const struct pair *p, uint16_t id, uint32_t count)
{
    const struct wire_region_access a = {.count = count};
    struct message m;

    peer_send(p->client_fd, (struct wire_hdr){.id = id, .command = WIRE_REGION_READ}, &a, sizeof a,
              NULL);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    message_deinit(&m);
}

/* The device answers with data that is all id. */
static void answer(const struct pair *p, uint16_t id, uint32_t count, const struct fdset *fds)
{
    const struct wire_region_access a = {.count = count};
    const struct wire_hdr request = {.id = id, .command = WIRE_REGION_READ};
    uint8_t *const data = malloc(sizeof a + count);

    ck_assert_ptr_nonnull(data);
    memcpy(data, &a, sizeof a);
    memset(data + sizeof a, id, count);
    peer_send(p->backend_fd, wire_reply_hdr(&request, 0), data, sizeof a + count, fds);
    free(data);
}

static void expect_overdue(const struct pair *p, uint16_t id)
{
    ck_assert_int_eq(peer_recv_error(p->client_fd, id, WIRE_REGION_READ), ETIMEDOUT);
}

static void expect_answer(const struct pair *p, uint16_t id, uint32_t count)
{
    struct message m;

    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(m.n, sizeof(struct wire_region_access) + count);
    ck_assert_uint_eq(m.payload[m.n - 1], id);
    message_deinit(&m);
}

/* The session is as if nothing had been. */
static void expect_alive(const struct pair *p, uint16_t id)
{
    ask(p, id, 4);
    answer(p, id, 4, NULL);
    expect_answer(p, id, 4);
    pair_ping(p);
}

static void stop_session(struct rig *r, struct pair *p, const char *logged)
{
    pair_close(p);
    rig_await_log(r, logged, NULL, 0);
    rig_stop(r);
}

static const uint32_t sizes[] = {4, 4096, LARGE};

START_TEST(a_late_reply_is_discarded)
{
    struct fdset fds;
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    ask(&p, 7, sizes[_i]);
    expect_overdue(&p, 7);
    rig_await_log(&r, "no reply to command 9 (REGION_READ), id 7, for 1000 ms", NULL, 0);
    fdset_init(&fds);
    peer_memfds(&fds, 2);
    answer(&p, 7, sizes[_i], &fds);
    fdset_close(&fds);
    expect_alive(&p, 8);
    stop_session(&r, &p,
                 "overdue: 1 request was answered in its stead; 1 late reply was discarded");
}
END_TEST

START_TEST(late_replies_are_discarded_in_any_order)
{
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    for (uint16_t id = 1; id <= 5; id++) {
        ask(&p, id, 4);
    }
    for (uint16_t id = 1; id <= 5; id++) {
        expect_overdue(&p, id);
    }
    answer(&p, 4, 4, NULL);
    answer(&p, 1, 4, NULL);
    answer(&p, 5, 4, NULL);
    answer(&p, 2, 4, NULL);
    answer(&p, 3, 4, NULL);
    expect_alive(&p, 6);
    stop_session(&r, &p, "overdue: 5 requests were answered in its stead; 5 late replies");
}
END_TEST

/* A client that waits for one reply after the other may use one id for all. */
START_TEST(an_id_may_be_used_again)
{
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    ask(&p, 7, 4);
    expect_overdue(&p, 7);
    ask(&p, 7, 8);
    answer(&p, 7, 4, NULL);
    answer(&p, 7, 8, NULL);
    /* It may be overdue, too, since the device was silent. */
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 7);
    ck_assert(m.hdr.error == ETIMEDOUT || m.n == sizeof(struct wire_region_access) + 8);
    message_deinit(&m);
    expect_alive(&p, 7);
    stop_session(&r, &p, "overdue: ");
}
END_TEST

/* It asks for more than it has declared: how much, is forgotten with the late reply. */
START_TEST(a_late_reply_is_no_measure_for_the_next)
{
    static const char small[] = "{\"capabilities\":{\"max_data_xfer_size\":4096}}";
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, small, CAPS, &p);
    ask(&p, 7, 8192);
    expect_overdue(&p, 7);
    answer(&p, 7, sizes[_i], NULL);
    ask(&p, 7, 16384);
    answer(&p, 7, 16384, NULL);
    expect_answer(&p, 7, 16384);
    expect_alive(&p, 7);
    stop_session(&r, &p, "overdue: 1 request was");
}
END_TEST

START_TEST(half_a_reply_is_none)
{
    const struct wire_region_access a = {.count = 4};
    struct wire_hdr hdr = {.id = 7, .command = WIRE_REGION_READ};
    uint8_t bytes[WIRE_HDR_SIZE + sizeof a + 4];
    struct pair p;
    struct rig r;

    hdr = wire_reply_hdr(&hdr, sizeof a + 4);
    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, &a, sizeof a);
    memset(bytes + WIRE_HDR_SIZE + sizeof a, 7, 4);
    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    ask(&p, 7, 4);
    peer_send_raw(p.backend_fd, bytes, (size_t)_i, NULL);
    expect_overdue(&p, 7);
    peer_send_raw(p.backend_fd, bytes + _i, sizeof bytes - (size_t)_i, NULL);
    expect_alive(&p, 8);
    stop_session(&r, &p, "1 late reply was discarded");
}
END_TEST

/* What does not fit into its socket waits in the broker; the request behind it in the client's. */
START_TEST(a_device_may_read_as_late_as_it_answers)
{
    const uint32_t size = LIMIT_QUEUE - 4096;
    const struct wire_region_access write = {.count = size};
    const struct wire_region_access read = {.count = 4};
    uint8_t *const data = calloc(1, sizeof write + size);
    struct message m;
    struct pair p;
    struct rig r;

    ck_assert_ptr_nonnull(data);
    memcpy(data, &write, sizeof write);
    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    peer_send(p.client_fd,
              (struct wire_hdr){.id = 6, .command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY},
              data, sizeof write + size, NULL);
    for (uint16_t id = 7; id < 9; id++) {
        peer_send(p.client_fd, (struct wire_hdr){.id = id, .command = WIRE_REGION_READ}, &read,
                  sizeof read, NULL);
        expect_overdue(&p, id);
    }
    for (uint16_t id = 6; id < 9; id++) {
        peer_recv(p.backend_fd, &m);
        ck_assert_uint_eq(m.hdr.id, id);
        message_deinit(&m);
    }
    answer(&p, 7, 4, NULL);
    answer(&p, 8, 4, NULL);
    expect_alive(&p, 9);
    free(data);
    stop_session(&r, &p, "overdue: 2 requests were answered in its stead; 2 late replies");
}
END_TEST

/* Its worker is killed while the request waits, or while its late reply is awaited. */
START_TEST(another_worker_answers_as_well)
{
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    ask(&p, 7, 4);
    if (_i == 1) {
        expect_overdue(&p, 7);
    }
    rig_await_rest(rig_worker(&r));
    ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    if (_i == 0) {
        expect_overdue(&p, 7);
    }
    answer(&p, 7, 4, NULL);
    expect_alive(&p, 8);
    stop_session(&r, &p,
                 "overdue: 1 request was answered in its stead; 1 late reply was discarded");
}
END_TEST

START_TEST(what_the_device_asks_is_not_answered_by_the_broker)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    peer_send(p.backend_fd, (struct wire_hdr){.id = 7, .command = WIRE_DMA_READ}, &a, sizeof a,
              NULL);
    peer_recv(p.client_fd, &m);
    message_deinit(&m);
    /* This one is older by the time that it is answered. */
    ask(&p, 7, 4);
    expect_overdue(&p, 7);
    peer_expect_silence(p.backend_fd);
    answer(&p, 7, 4, NULL);
    expect_alive(&p, 8);
    stop_session(&r, &p, "overdue: 1 request was");
}
END_TEST

/* ---- with a gate to memory ---- */

static void send_map(const struct pair *p, uint16_t id, uint64_t address)
{
    const struct wire_dma_map map = {.argsz = sizeof map,
                                     .flags = WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE,
                                     .address = address,
                                     .size = 0x1000};
    struct message m;

    peer_send(p->client_fd, (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP}, &map, sizeof map,
              NULL);
    peer_recv(p->backend_fd, &m);
    message_deinit(&m);
    ck_assert_int_eq(peer_recv_error(p->client_fd, id, WIRE_DMA_MAP), ETIMEDOUT);
}

static void device_reads(const struct pair *p, uint16_t id, uint64_t address)
{
    const struct wire_dma_access a = {.address = address, .count = 4};

    peer_send(p->backend_fd, (struct wire_hdr){.id = id, .command = WIRE_DMA_READ}, &a, sizeof a,
              NULL);
}

START_TEST(a_late_map_is_one)
{
    const struct wire_hdr map = {.command = WIRE_DMA_MAP};
    struct wire_hdr hdr;
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, ANSWER "dma max-maps 8");
    rig_session(&r, CAPS, CAPS, &p);
    send_map(&p, 1, 0x1000);
    send_map(&p, 2, 0x2000);
    /* It accepts the first, and refuses the second. */
    hdr = wire_reply_hdr(&map, 0);
    hdr.id = 1;
    peer_send(p.backend_fd, hdr, NULL, 0, NULL);
    hdr = wire_error_hdr(&map, ENOMEM);
    hdr.id = 2;
    peer_send(p.backend_fd, hdr, NULL, 0, NULL);
    device_reads(&p, 3, 0x1000);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
    message_deinit(&m);
    device_reads(&p, 4, 0x2000);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 4, WIRE_DMA_READ), EFAULT);
    expect_alive(&p, 8);
    stop_session(&r, &p, "overdue: 2 requests were answered in its stead; 2 late replies were");
}
END_TEST

/* ---- in traces and records ---- */

struct seen {
    unsigned asked;
    unsigned made;
    unsigned late;
};

static void see(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    struct seen *const s = arg;
    struct wire_hdr hdr;

    ck_assert_int_eq(wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    if (hdr.command != WIRE_REGION_READ || hdr.id != 7) {
        return;
    }
    if (m->sender == SIDE_CLIENT) {
        ck_assert_uint_eq(m->legs, TRACE_LEGS);
        s->asked++;
    } else if (m->flags == TRACE_BROKER) {
        ck_assert_uint_eq(m->legs, TRACE_LEG_CLIENT);
        ck_assert_uint_eq(m->size, WIRE_HDR_SIZE);
        ck_assert_uint_eq(hdr.error, ETIMEDOUT);
        s->made++;
    } else {
        ck_assert_uint_eq(m->legs, TRACE_LEG_BACKEND);
        ck_assert_uint_eq(m->flags, 0);
        ck_assert_uint_eq(m->size, WIRE_HDR_SIZE + sizeof(struct wire_region_access) + sizes[1]);
        s->late++;
    }
}

START_TEST(a_trace_shows_both_replies)
{
    struct seen s = {0};
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "\n    " ANSWER);
    rig_session(&r, CAPS, CAPS, &p);
    ask(&p, 7, sizes[1]);
    expect_overdue(&p, 7);
    answer(&p, 7, sizes[1], NULL);
    expect_alive(&p, 8);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    trace_rig_read(trace_rig_file(0), see, &s);
    ck_assert_uint_eq(s.asked, 1);
    ck_assert_uint_eq(s.made, 1);
    ck_assert_uint_eq(s.late, 1);
}
END_TEST

/* The number in the record of a session's end; -1: it has none. */
static json_int_t recorded_overdue(const char *file)
{
    FILE *const f = fopen(file, "re");
    json_int_t n = -2;
    char *line = NULL;
    size_t size = 0;

    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *const event = json_string_value(json_object_get(o, "event"));
        const json_t *const overdue = json_object_get(o, "overdue");

        if (event && strcmp(event, "session-ended") == 0) {
            n = overdue ? json_integer_value(overdue) : -1;
        }
        json_decref(o);
    }
    free(line);
    fclose(f);
    return n;
}

START_TEST(the_number_is_in_the_record)
{
    struct policy_rig p;
    struct pair pair;
    char file[RIG_PATH];
    char key[RIG_PATH];

    policy_init(&p);
    snprintf(file, sizeof file, "%s", unit_path("audit.log"));
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    ck_assert_int_eq(policy_tool(&p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                           "--name", "test", key, NULL}),
                     0);
    snprintf(p.global, sizeof p.global, "audit %s key %s\n", file, key);
    policy_launch(&p, ANSWER);
    rig_session_at(p.listen, p.rig.backend_fd, CAPS, CAPS, &pair);
    for (uint16_t id = 0; id < (uint16_t)_i; id++) {
        ask(&pair, id, 4);
        expect_overdue(&pair, id);
    }
    pair_close(&pair);
    policy_stop(&p);
    ck_assert_int_eq(recorded_overdue(file), _i ? _i : -1);
}
END_TEST

/* ---- a real device ---- */

START_TEST(a_device_process_that_is_late_lives_on)
{
    const char *const options[] = {"--fault", "late:2:1500", "--no-mmap", NULL};
    const struct wire_region_access a = {.count = 4};
    unsigned right = 0;
    struct message m;
    struct edu edu;
    struct rig r;
    int fd;

    edu_start(&edu, "edu", options);
    rig_init(&r);
    rig_configure(&r, "workers 1\nroute r {\nlisten %s\nbackend %s\n" ANSWER "}\n", r.listen,
                  edu.path);
    rig_launch(&r);
    fd = peer_connect(r.listen);
    peer_send_version(fd, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
    peer_recv(fd, &m);
    message_deinit(&m);
    for (uint16_t id = 2; right < 5; id++) {
        peer_send(fd, (struct wire_hdr){.id = id, .command = WIRE_REGION_READ}, &a, sizeof a, NULL);
        peer_recv(fd, &m);
        ck_assert_uint_eq(m.hdr.id, id);
        ck_assert(id > 2 || (m.hdr.flags & WIRE_ERROR));
        ck_assert_uint_eq(m.hdr.error, m.hdr.flags & WIRE_ERROR ? ETIMEDOUT : 0);
        right += !(m.hdr.flags & WIRE_ERROR);
        message_deinit(&m);
    }
    rig_await_log(&r, "no reply to command 9 (REGION_READ), id 2", NULL, 0);
    close(fd);
    rig_await_log(&r, "late repl", NULL, 0);
    rig_terminate(&r);
    rig_deinit(&r);
    edu_stop(&edu);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("answer after");
    TCase *tc;

    policy_client_main(argc, argv);
    tc = rig_case(s, "overdue");
    tcase_add_loop_test(tc, a_late_reply_is_discarded, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tc, late_replies_are_discarded_in_any_order);
    tcase_add_test(tc, an_id_may_be_used_again);
    tcase_add_loop_test(tc, half_a_reply_is_none, WIRE_HDR_SIZE - 1, WIRE_HDR_SIZE + 2);
    tcase_add_loop_test(tc, a_late_reply_is_no_measure_for_the_next, 0, 2);
    tcase_add_test(tc, a_device_may_read_as_late_as_it_answers);
    tcase_add_loop_test(tc, another_worker_answers_as_well, 0, 2);
    tcase_add_test(tc, what_the_device_asks_is_not_answered_by_the_broker);
    tcase_add_test(tc, a_late_map_is_one);
    tcase_add_test(tc, a_trace_shows_both_replies);
    tcase_add_test(tc, a_device_process_that_is_late_lives_on);
    if (rig_wrapped()) {
        puts("skipped: test_answer_after, record: valgrind has no pidfd_open, which an inspector "
             "needs");
        return unit_run(s);
    }
    tcase_add_loop_test(tc, the_number_is_in_the_record, 0, 3);
    return unit_run(s);
}
