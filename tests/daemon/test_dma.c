/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The client's memory and the words of a route that keep it from the backend: what arrives, what is
 * answered by poemd, what is recorded; and backends that do not keep to it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/dma_rig.h"
#include "tests/daemon/policy_rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- what is kept from whom ---- */

START_TEST(withheld_memory_is_asked_for)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "dma withhold");
    rig_session(&r, peer_qemu_json, "{}", &p);
    dma_send_map(p.client_fd, 1, 0x10000, R | W, 1);
    dma_expect_map(p.backend_fd, 1, 0);
    dma_answer(p.backend_fd, 1, WIRE_DMA_MAP, 0);
    dma_expect_command(p.client_fd, 1, WIRE_DMA_MAP);
    dma_ask(p.backend_fd, 2, WIRE_DMA_READ, 0x10000, SIZE);
    dma_ask(p.backend_fd, 3, WIRE_DMA_READ, 0x10001, SIZE);
    dma_ask(p.backend_fd, 4, WIRE_DMA_WRITE, 0x10ff0, 16);
    dma_ask(p.backend_fd, 5, WIRE_DMA_WRITE, 0x10ff1, 16);
    dma_expect_command(p.client_fd, 2, WIRE_DMA_READ);
    dma_expect_command(p.client_fd, 4, WIRE_DMA_WRITE);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 3, WIRE_DMA_READ), EFAULT);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 5, WIRE_DMA_WRITE), EFAULT);
    dma_answer(p.client_fd, 2, WIRE_DMA_READ, 0);
    dma_expect_command(p.backend_fd, 2, WIRE_DMA_READ);
    peer_expect_silence(p.client_fd);
    rig_await_log(&r,
                  "DMA_READ denied: address=0x10001 count=0x1000; allowed near it: "
                  "0x10000-0x10fff",
                  NULL, 0);
    rig_await_log(&r, "tainted: D ", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Each word by itself: whose fd arrives, and that accesses are looked at wherever one is. */
static const struct {
    const char *words;
    const char
        *passes; /* of the maps at 0, 0x1000, 0x2000, 0x3000: 'x', '-' withheld, '!' refused */
} limits[] = {
    {"dma max-bytes 8K", "xx--"},
    {"dma max-bytes 4095", "----"},
    {"dma max-maps 3", "xxx!"},
    {"dma ranges 0x1000-0x2fff", "-xx-"},
    {"dma ranges 0-4095\ndma ranges 0x3000-0xffffffffffffffff", "x--x"},
    {"dma pass\ndma max-maps 2\ndma ranges 0x1000-0x1fff\ndma max-bytes 1G", "-x!!"},
    {"dma withhold\ndma max-maps 3", "---!"},
};

START_TEST(limits_bound_what_is_passed)
{
    struct rig r;
    struct pair p;

    rig_start(&r, limits[_i].words);
    rig_session(&r, peer_qemu_json, "{\"capabilities\":{\"max_msg_fds\":8}}", &p);
    for (uint16_t i = 0; i < 4; i++) {
        const char how = limits[_i].passes[i];

        dma_send_map(p.client_fd, i, i * SIZE, R, 1);
        if (how == '!') {
            ck_assert_int_eq(peer_recv_error(p.client_fd, i, WIRE_DMA_MAP), ENOSPC);
        } else {
            dma_expect_map(p.backend_fd, i, how == 'x');
        }
        dma_ask(p.backend_fd, 9, WIRE_DMA_READ, i * SIZE, 1);
        if (how == '!') {
            ck_assert_int_eq(peer_recv_error(p.backend_fd, 9, WIRE_DMA_READ), EFAULT);
        } else {
            dma_expect_command(p.client_fd, 9, WIRE_DMA_READ);
            dma_answer(p.client_fd, 9, WIRE_DMA_READ, 0);
            dma_expect_command(p.backend_fd, 9, WIRE_DMA_READ);
        }
    }
    peer_expect_silence(p.backend_fd);
    peer_expect_silence(p.client_fd);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(what_is_agreed_binds_as_well)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "dma withhold");
    rig_session(&r, peer_qemu_json, "{\"capabilities\":{\"max_dma_maps\":2}}", &p);
    for (uint16_t i = 0; i < 3; i++) {
        dma_send_map(p.client_fd, i, i * SIZE, R, 0);
    }
    dma_expect_map(p.backend_fd, 0, 0);
    dma_expect_map(p.backend_fd, 1, 0);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 2, WIRE_DMA_MAP), ENOSPC);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Without words everything passes, whatever it reaches for. */
START_TEST(pass_is_what_it_says)
{
    struct rig r;
    struct pair p;

    rig_start(&r, _i ? "dma pass" : "");
    rig_session(&r, peer_qemu_json, "{\"capabilities\":{\"max_msg_fds\":8}}", &p);
    dma_send_map(p.client_fd, 1, 0x10000, 0, 2);
    dma_expect_map(p.backend_fd, 1, 2);
    dma_ask(p.backend_fd, 2, WIRE_DMA_READ, 0x90000, SIZE);
    dma_expect_command(p.client_fd, 2, WIRE_DMA_READ);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- the other socket ---- */

#define TWIN "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true"

START_TEST(a_twin_socket_is_no_way_round)
{
    struct rig r;
    struct pair p;
    struct pair twin;
    struct fdset fds;
    struct message m;
    int pair[2];

    rig_start(&r, "dma withhold");
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, 1, WIRE_TYPE_COMMAND, TWIN ",\"x\":123456789}}}", NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    message_deinit(&m);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, pair[1]), 0);
    peer_send_version(p.backend_fd, 1, WIRE_TYPE_REPLY, TWIN ",\"fd_index\":0}}}", &fds);
    fdset_close(&fds);
    twin.backend_fd = pair[0];
    peer_recv(p.client_fd, &m);
    twin.client_fd = fdset_steal(&m.fds, 0);
    ck_assert_int_eq(sock_block(twin.client_fd), 0);
    message_deinit(&m);
    /* Maps of one socket permit accesses by the other, and are withheld on both. */
    dma_send_map(p.client_fd, 1, 0x10000, R, 1);
    dma_expect_map(p.backend_fd, 1, 0);
    dma_send_map(twin.client_fd, 2, 0x20000, R, 1);
    dma_expect_map(twin.backend_fd, 2, 0);
    for (int i = 0; i < 2; i++) {
        const struct pair *on = i ? &p : &twin;

        dma_ask(on->backend_fd, 7, WIRE_DMA_READ, 0x30000, 8);
        dma_ask(on->backend_fd, 8, WIRE_DMA_READ, i ? 0x20000 : 0x10000, 8);
        dma_expect_command(on->client_fd, 8, WIRE_DMA_READ);
        ck_assert_int_eq(peer_recv_error(on->backend_fd, 7, WIRE_DMA_READ), EFAULT);
    }
    pair_close(&p);
    pair_close(&twin);
    rig_stop(&r);
}
END_TEST

/* ---- who does not keep to it ---- */

/* Bad requests until poemd takes no more. How many went. */
static unsigned flood(int fd)
{
    const struct wire_dma_access a = {.address = 0x100, .count = 1};
    struct wire_hdr hdr = {.command = WIRE_DMA_READ, .size = WIRE_HDR_SIZE + sizeof a};
    uint8_t bytes[WIRE_HDR_SIZE + sizeof a];
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    unsigned n = 0;

    ck_assert_int_eq(sock_nonblock(fd), 0);
    /* Nothing more for a while: it is stopped. */
    while (poll(&p, 1, 300) == 1) {
        hdr.id = (uint16_t)n;
        wire_put_hdr(bytes, &hdr);
        memcpy(bytes + WIRE_HDR_SIZE, &a, sizeof a);
        if (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes) {
            n++;
        }
    }
    ck_assert_int_eq(sock_block(fd), 0);
    return n;
}

static unsigned count_lines(const struct rig *r, const char *text)
{
    FILE *f = fopen(r->log, "re");
    char line[2048];
    unsigned n = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        n += strstr(line, text) != NULL;
    }
    fclose(f);
    return n;
}

/* How many denials the log tells of: each line of one, and those that it says had none. */
static unsigned long count_denials(const struct rig *r)
{
    FILE *f = fopen(r->log, "re");
    char line[2048];
    unsigned long n = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        const char *const more = strstr(line, "allowed near it: nothing; ");
        const char *const rest = strstr(line, "leg=backend: ");

        n += strstr(line, "DMA_READ denied") != NULL;
        if (more) {
            n += strtoul(strstr(more, "; ") + 2, NULL, 10);
        } else if (strstr(line, "more accesses were denied")) {
            n += strtoul(rest + strlen("leg=backend: "), NULL, 10);
        }
    }
    fclose(f);
    return n;
}

/* One that reads nothing is stopped; others are served; what it is owed it gets. */
START_TEST(a_backend_that_floods_and_never_reads)
{
    struct rig r;
    struct pair p;
    struct pair other;
    unsigned n;

    rig_start(&r, "dma withhold\nsessions 2");
    rig_session(&r, peer_qemu_json, "{}", &other);
    rig_session(&r, peer_qemu_json, "{}", &p);
    n = flood(p.backend_fd);
    ck_assert_uint_gt(n, 0);
    pair_ping(&other);
    if (rig_measurable()) {
        ck_assert_int_le(process_anon_kib(rig_worker(&r)), r.worker_kib + RIG_SLACK_KIB);
    }
    switch (_i) {
    case 0:
        for (unsigned i = 0; i < n; i++) {
            ck_assert_int_eq(peer_recv_error(p.backend_fd, (uint16_t)i, WIRE_DMA_READ), EFAULT);
        }
        pair_ping(&p);
        break;
    case 1:
        sock_close(&p.backend_fd);
        peer_expect_eof(p.client_fd);
        break;
    case 2:
        sock_close(&p.client_fd);
        break;
    default:
        break;
    }
    pair_ping(&other);
    /* The log does not grow with it. */
    ck_assert_uint_le(count_lines(&r, "DMA_READ denied"), n / 100);
    ck_assert_uint_le(count_lines(&r, "more accesses were denied"), 1);
    ck_assert_uint_eq(count_lines(&r, "tainted: D"), 1);
    sock_close(&p.client_fd);
    sock_close(&p.backend_fd);
    pair_close(&other);
    rig_settle(&r);
    if (_i == 0) {
        /* But nothing is kept from who reads it. */
        ck_assert_uint_eq(count_denials(&r), n);
    }
    rig_stop(&r);
}
END_TEST

/* A worker that dies leaves all that waits in it to the next one. */
START_TEST(a_worker_is_killed_meanwhile)
{
    struct rig r;
    struct pair p;
    unsigned n;

    rig_start(&r, "dma withhold");
    rig_session(&r, peer_qemu_json, "{}", &p);
    n = flood(p.backend_fd);
    ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(peer_recv_error(p.backend_fd, (uint16_t)i, WIRE_DMA_READ), EFAULT);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- the record ---- */

struct audited {
    struct policy_rig p;
    char file[RIG_PATH];
    char pub[RIG_PATH + 4];
};

static void audited_start(struct audited *a, const char *statements)
{
    char key[RIG_PATH];

    policy_init(&a->p);
    snprintf(a->file, sizeof a->file, "%s", unit_path("audit.log"));
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    snprintf(a->pub, sizeof a->pub, "%s.pub", key);
    ck_assert_int_eq(policy_tool(&a->p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                              "--name", "test", key, NULL}),
                     0);
    snprintf(a->p.global, sizeof a->p.global, "audit %s key %s\n", a->file, key);
    policy_launch(&a->p, statements);
}

/* Ends poemd, whose log verifies, and reads all ranges of it, and the last session's taint. */
static json_t *audited_stop(struct audited *a, const char *how, char taint[16])
{
    json_t *all = json_array();
    FILE *f;
    char *line = NULL;
    size_t size = 0;

    rig_settle(&a->p.rig);
    rig_terminate(&a->p.rig);
    ck_assert_int_eq(policy_tool(&a->p, (const char *const[]){policy_poemctl(), "audit", "verify",
                                                              a->file, "--key", a->pub, NULL}),
                     0);
    f = fopen(a->file, "re");
    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        json_t *o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *event = json_string_value(json_object_get(o, "event"));

        if (strcmp(event, "memory-exported") == 0) {
            ck_assert_str_eq(json_string_value(json_object_get(o, "how")), how);
            ck_assert_str_eq(json_string_value(json_object_get(o, "route")), "p");
            json_array_extend(all, json_object_get(o, "ranges"));
        } else if (strcmp(event, "session-ended") == 0) {
            snprintf(taint, 16, "%s %s", json_string_value(json_object_get(o, "taint")),
                     json_string_value(json_object_get(o, "observed")));
        }
        json_decref(o);
    }
    free(line);
    fclose(f);
    rig_deinit(&a->p.rig);
    return all;
}

static void expect_range(const json_t *all, size_t i, const char *address, const char *flags,
                         const char *how)
{
    const json_t *const r = json_array_get(all, i);

    ck_assert_str_eq(json_string_value(json_object_get(r, "address")), address);
    ck_assert_str_eq(json_string_value(json_object_get(r, "size")), "0x1000");
    ck_assert_str_eq(json_string_value(json_object_get(r, "flags")), flags);
    ck_assert_str_eq(json_string_value(json_object_get(r, "how")), how);
}

static void unmap(const struct pair *p, uint16_t id, uint64_t address)
{
    const struct wire_dma_unmap u = {.argsz = sizeof u, .address = address, .size = SIZE};

    peer_send(p->client_fd, (struct wire_hdr){.id = id, .command = WIRE_DMA_UNMAP}, &u, sizeof u,
              NULL);
    dma_expect_command(p->backend_fd, id, WIRE_DMA_UNMAP);
    dma_answer(p->backend_fd, id, WIRE_DMA_UNMAP, 0);
    dma_expect_command(p->client_fd, id, WIRE_DMA_UNMAP);
}

/* If a worker dies, ranges may be in the record twice. */
static void drop_repeated(json_t *all)
{
    for (size_t i = json_array_size(all); i-- > 1;) {
        for (size_t before = 0; before < i; before++) {
            if (json_equal(json_array_get(all, before), json_array_get(all, i))) {
                json_array_remove(all, i);
                break;
            }
        }
    }
}

START_TEST(what_is_exported_is_in_the_record)
{
    struct audited a;
    struct pair p;
    json_t *all;
    char taint[16];
    const bool withhold = _i % 2 == 1;
    const bool killed = _i >= 2;
    pid_t pids[RIG_WORKERS];

    audited_start(&a, withhold ? "dma withhold\ndma max-maps 2" : "");
    rig_session_at(a.p.listen, a.p.rig.backend_fd, peer_qemu_json,
                   "{\"capabilities\":{\"max_msg_fds\":8}}", &p);
    dma_send_map(p.client_fd, 1, 0x10000, R | W, 1);
    dma_expect_map(p.backend_fd, 1, !withhold);
    dma_send_map(p.client_fd, 2, 0xffffffff00000000, R, 0);
    dma_expect_map(p.backend_fd, 2, 0);
    if (killed) {
        /* The inspector is the last of them. */
        ck_assert_uint_ge(rig_workers(&a.p.rig, pids), 1);
        ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
        rig_await_log(&a.p.rig, "goes on in worker", NULL, 0);
    }
    unmap(&p, 3, 0x10000);
    dma_send_map(p.client_fd, 4, 0x20000, W, 1);
    dma_expect_map(p.backend_fd, 4, !withhold);
    dma_send_map(p.client_fd, 5, 0x30000, 0, 1);
    if (withhold) {
        ck_assert_int_eq(peer_recv_error(p.client_fd, 5, WIRE_DMA_MAP), ENOSPC);
        dma_ask(p.backend_fd, 6, WIRE_DMA_READ, 0x20000, 1);
        ck_assert_int_eq(peer_recv_error(p.backend_fd, 6, WIRE_DMA_READ), EFAULT);
    } else {
        dma_expect_map(p.backend_fd, 5, 1);
    }
    pair_close(&p);
    all = audited_stop(&a, withhold ? "withhold" : "pass", taint);
    if (killed) {
        drop_repeated(all);
    }
    ck_assert_uint_eq(json_array_size(all), 5);
    expect_range(all, 0, "0x10000", "rw", withhold ? "withheld" : "passed");
    expect_range(all, 1, "0xffffffff00000000", "r", "without");
    expect_range(all, 2, "0x10000", "-", "unmapped");
    expect_range(all, 3, "0x20000", "w", withhold ? "withheld" : "passed");
    expect_range(all, 4, "0x30000", "-", withhold ? "refused" : "passed");
    ck_assert_int_eq(strchr(taint, 'D') != NULL, withhold);
    json_decref(all);
}
END_TEST

/* As fast as a client can, far more than any channel or queue holds: all of it, and no more room.
 */
START_TEST(thousands_of_ranges)
{
    enum { MAPS = 20000 };
    struct audited a;
    struct pair p;
    json_t *all;
    char taint[16];

    audited_start(&a, "");
    rig_session_at(a.p.listen, a.p.rig.backend_fd, peer_qemu_json, "{}", &p);
    for (unsigned sent = 0, got = 0; got < MAPS;) {
        struct pollfd fds[2] = {{.fd = p.client_fd, .events = sent < MAPS ? POLLOUT : 0},
                                {.fd = p.backend_fd, .events = POLLIN}};

        ck_assert_int_gt(poll(fds, 2, -1), 0);
        if (fds[0].revents & POLLOUT) {
            dma_send_map(p.client_fd, (uint16_t)sent, (uint64_t)sent * SIZE, R, 0);
            sent++;
        }
        if (fds[1].revents & POLLIN) {
            dma_expect_map(p.backend_fd, (uint16_t)got, 0);
            got++;
        }
    }
    pair_close(&p);
    all = audited_stop(&a, "pass", taint);
    ck_assert_uint_eq(json_array_size(all), MAPS);
    for (size_t i = 0; i < MAPS; i++) {
        char address[20];

        snprintf(address, sizeof address, "0x%zx", i * SIZE);
        expect_range(all, i, address, "r", "without");
    }
    json_decref(all);
    ck_assert_ptr_null(strchr(taint, 'A'));
}
END_TEST

/* A path past every proxy that the backend opens is recorded, and is not a fault. */
START_TEST(a_bar_that_is_mapped_is_observed)
{
    struct audited a;
    struct pair p;
    struct fdset fds;
    json_t *all;
    char taint[16];

    audited_start(&a, "");
    rig_session_at(a.p.listen, a.p.rig.backend_fd, peer_qemu_json, "{}", &p);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send(p.backend_fd,
              (struct wire_hdr){
                  .id = 1, .command = WIRE_DEVICE_GET_REGION_INFO, .flags = WIRE_TYPE_REPLY},
              "", 0, &fds);
    fdset_close(&fds);
    dma_expect_command(p.client_fd, 1, WIRE_DEVICE_GET_REGION_INFO);
    rig_await_log(&a.p.rig, "observed: M ", NULL, 0);
    pair_close(&p);
    all = audited_stop(&a, "pass", taint);
    ck_assert_uint_eq(json_array_size(all), 0);
    ck_assert_ptr_nonnull(strstr(taint, " M"));
    json_decref(all);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("dma");
    TCase *tc;

    policy_client_main(argc, argv);
    tc = rig_case(s, "words");
    tcase_set_tags(tc, RIG_VALGRIND);
    tcase_add_test(tc, withheld_memory_is_asked_for);
    tcase_add_test(tc, what_is_agreed_binds_as_well);
    tcase_add_loop_test(tc, pass_is_what_it_says, 0, 2);
    tcase_add_test(tc, a_twin_socket_is_no_way_round);
    tc = rig_case(s, "limits");
    tcase_add_loop_test(tc, limits_bound_what_is_passed, 0, sizeof limits / sizeof *limits);
    tc = rig_case(s, "abuse");
    tcase_add_loop_test(tc, a_backend_that_floods_and_never_reads, 0, 3);
    tcase_add_test(tc, a_worker_is_killed_meanwhile);
    if (rig_wrapped()) {
        puts("skipped: test_dma, record: valgrind has no pidfd_open, which an inspector needs");
        return unit_run(s);
    }
    tc = rig_case(s, "record");
    tcase_add_loop_test(tc, what_is_exported_is_in_the_record, 0, 4);
    tcase_add_test(tc, thousands_of_ranges);
    tcase_add_test(tc, a_bar_that_is_mapped_is_observed);
    return unit_run(s);
}
