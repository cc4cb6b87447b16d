/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Real workers alone on their channels, whose monitor is this test: gone, come back, or replaced by
 * one that wants a session in another worker.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/helper/helper_child.h"
#include "base/sock.h"
#include "proxy/config/accounts.h"
#include "proxy/config/config.h"
#include "proxy/config/worker_pool_settings.h"
#include "proxy/ipc/session_page.h"
#include "proxy/ipc/worker_settings.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define LONG_MS 3600000u

/* More sessions than their ends fit into a channel. */
#define MANY 400u
#define SLOTS (MANY + 1u)

/* A worker, and its monitor's side. */
struct orphan {
    pid_t pid;
    int channel_fd;
    int pages_fd;
};

/* A session's sockets: the peers', and the monitor's copies of the broker's. */
struct four {
    int client_fd;
    int backend_fd;
    int kept[2];
};

static int program_fd = -1;
static int settings_fd = -1;

static void prepare(void)
{
    const pid_t monitors[LIMIT_MONITORS] = {getpid()};
    struct config_errors e;
    struct config c;

    config_errors_init(&e);
    ck_assert_int_eq(config_init(&c), 0);
    ck_assert_int_eq(config_single(&c, "/nowhere/l.sock", "/nowhere/b.sock", &e), 0);
    ck_assert_int_eq(config_resolve(&c, &e), 0);
    ck_assert_int_eq(accounts_choose(&c), 0);
    c.log_level = LOG_ERROR;
    c.orphan_ms = LONG_MS;
    settings_fd = worker_pool_settings_write(&c, &c.poem.poem, monitors);
    ck_assert_int_ge(settings_fd, 0);
    config_deinit(&c);
    program_fd = open(POEMD_PATH, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(program_fd, 0);
}

static void clear(void)
{
    sock_close(&program_fd);
    sock_close(&settings_fd);
}

/* ---- the channel ---- */

static void put(const struct orphan *o, const struct ipc_msg *m, const int *fds, unsigned n)
{
    ck_assert_int_eq(ipc_send(o->channel_fd, m, fds, n), 0);
}

/* The worker's next message, without fds. */
static void get_any(const struct orphan *o, struct ipc_msg *m)
{
    struct pollfd p = {.fd = o->channel_fd, .events = POLLIN};
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(poll(&p, 1, patience_ms()), 1);
    ck_assert_int_eq(ipc_recv(o->channel_fd, m, &fds), 1);
    ck_assert_uint_eq(fds.n, 0);
}

/* … which must be such a one. */
static void get(const struct orphan *o, enum ipc_type type, struct ipc_msg *m)
{
    get_any(o, m);
    ck_assert_uint_eq(m->type, type);
}

static void start(struct orphan *o)
{
    const struct session_page_head head = {.slots = SLOTS};
    int fds[] = {settings_fd, -1};
    struct helper_child_plan plan = {
        .name = WORKER_NAME, .arg = WORKER_ARG, .exe_fd = program_fd, .fds = fds, .n_fds = 2};
    struct ipc_msg m;

    o->pages_fd = memfd_create("pages", MFD_CLOEXEC);
    ck_assert_int_ge(o->pages_fd, 0);
    ck_assert_int_eq(ftruncate(o->pages_fd, (off_t)session_page_file_size(SLOTS)), 0);
    ck_assert_int_eq(pwrite(o->pages_fd, &head, sizeof head, 0), sizeof head);
    fds[1] = o->pages_fd;
    o->pid = helper_child_start(&plan, &o->channel_fd);
    ck_assert_int_gt(o->pid, 0);
    get(o, IPC_READY, &m);
}

static void expect_exit(struct orphan *o)
{
    const int status = process_wait(o->pid);

    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sock_close(&o->channel_fd);
    sock_close(&o->pages_fd);
}

static void stop(struct orphan *o)
{
    put(o, &(struct ipc_msg){.type = IPC_QUIT}, NULL, 0);
    expect_exit(o);
}

static void ping(const struct orphan *o, uint32_t orphan_ms)
{
    const struct ipc_msg m = {.type = IPC_PING,
                              .u.ping = {.log_level = LOG_ERROR, .orphan_ms = orphan_ms}};

    put(o, &m, NULL, 0);
}

static void adopt(const struct orphan *o)
{
    put(o, &(struct ipc_msg){.type = IPC_ADOPT, .u.adopt.monitor = (uint32_t)getpid()}, NULL, 0);
}

/* ---- sessions ---- */

static void open_four(struct four *f)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->client_fd = pair[0];
    f->kept[0] = pair[1];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->backend_fd = pair[0];
    f->kept[1] = pair[1];
    ck_assert_int_eq(sock_nonblock(f->kept[0]), 0);
    ck_assert_int_eq(sock_nonblock(f->kept[1]), 0);
}

static void close_four(struct four *f)
{
    sock_close(&f->client_fd);
    sock_close(&f->backend_fd);
    sock_close(&f->kept[0]);
    sock_close(&f->kept[1]);
}

static struct ipc_msg beginning(enum ipc_type type, uint64_t id)
{
    return (struct ipc_msg){.type = type,
                            .session = id,
                            .u.begin = {.handshake_ms = LONG_MS,
                                        .drain_ms = LONG_MS,
                                        .stall_ms = LONG_MS,
                                        .recite = CONFIG_RECITE_NEVER,
                                        .slot = (uint32_t)id - 1,
                                        .route = "r"}};
}

static void begin(const struct orphan *o, uint64_t id, struct four *f)
{
    const struct ipc_msg m = beginning(IPC_SESSION, id);

    open_four(f);
    put(o, &m, f->kept, 2);
}

static void lead_to_relaying(const struct orphan *o, uint64_t id, const struct four *f)
{
    struct ipc_msg m;

    peer_send_version(f->client_fd, 1, WIRE_TYPE_COMMAND, "{}", NULL);
    get(o, IPC_HEARD, &m);
    peer_recv_version(f->backend_fd, 1, WIRE_TYPE_COMMAND, "{}");
    peer_send_version(f->backend_fd, 1, WIRE_TYPE_REPLY, "{}", NULL);
    get(o, IPC_EVIDENCE, &m);
    put(o, &(struct ipc_msg){.type = IPC_VERDICT, .session = id}, NULL, 0);
    peer_recv_version(f->client_fd, 1, WIRE_TYPE_REPLY, "{}");
}

static void expect_lives(const struct four *f)
{
    const struct pair p = {.client_fd = f->client_fd, .backend_fd = f->backend_fd};

    pair_ping(&p);
}

/* ---- */

START_TEST(it_relays_without_a_monitor_and_reports_to_the_next_one)
{
    struct orphan o;
    struct four f;
    struct ipc_msg m;

    start(&o);
    begin(&o, 1, &f);
    lead_to_relaying(&o, 1, &f);
    ping(&o, LONG_MS);
    expect_lives(&f);
    /* The next monitor finds the answer to the last one's ping before the list. */
    adopt(&o);
    get(&o, IPC_PONG, &m);
    get(&o, IPC_ADOPTED, &m);
    ck_assert(ipc_adopted_sound(&m.u.adopted));
    ck_assert_uint_eq(m.u.adopted.n, 1);
    ck_assert_uint_eq(m.u.adopted.last, 1);
    ck_assert_uint_eq(m.u.adopted.held[0].session, 1);
    ck_assert_uint_eq(m.u.adopted.held[0].state, SESSION_RELAYING);
    expect_lives(&f);
    put(&o, &(struct ipc_msg){.type = IPC_END, .session = 1}, NULL, 0);
    get(&o, IPC_ENDED, &m);
    ck_assert_uint_eq(m.u.ended.reason, REASON_OPERATOR);
    ck_assert_uint_eq(m.u.ended.to_backend.messages, 2);
    close_four(&f);
    stop(&o);
}
END_TEST

START_TEST(a_client_in_its_handshake_gets_an_error)
{
    struct orphan o;
    struct four f;
    struct ipc_msg m;

    start(&o);
    begin(&o, 1, &f);
    peer_send_version(f.client_fd, 1, WIRE_TYPE_COMMAND, "{}", NULL);
    peer_recv_version(f.backend_fd, 1, WIRE_TYPE_COMMAND, "{}");
    get(&o, IPC_HEARD, &m);
    adopt(&o);
    ck_assert_int_eq(peer_recv_error(f.client_fd, 1, WIRE_VERSION), ECONNABORTED);
    get(&o, IPC_ADOPTED, &m);
    get(&o, IPC_ENDED, &m);
    ck_assert_uint_eq(m.u.ended.reason, REASON_MONITOR_GONE);
    ck_assert_uint_eq(m.u.ended.err, ECONNABORTED);
    close_four(&f);
    stop(&o);
}
END_TEST

/* Takes ends until the whole list has come too. Returns the number of sessions that relay. */
static unsigned collect_ends(const struct orphan *o, bool ended[MANY])
{
    unsigned ends = 0;
    unsigned relaying = 0;
    bool last = false;

    while (ends < MANY || !last) {
        struct ipc_msg m;

        get_any(o, &m);
        if (m.type == IPC_ENDED) {
            ck_assert_uint_eq(m.u.ended.reason, REASON_CLIENT_GONE);
            ck_assert(m.session >= 1 && m.session <= MANY && !ended[m.session - 1]);
            ended[m.session - 1] = true;
            ends++;
            continue;
        }
        ck_assert_uint_eq(m.type, IPC_ADOPTED);
        ck_assert(ipc_adopted_sound(&m.u.adopted));
        for (uint32_t i = 0; i < m.u.adopted.n; i++) {
            /* The end of one that is dead follows. */
            relaying += m.u.adopted.held[i].state == SESSION_RELAYING;
            ck_assert(m.u.adopted.held[i].session > MANY ||
                      !ended[m.u.adopted.held[i].session - 1]);
        }
        last = m.u.adopted.last;
    }
    return relaying;
}

/* The reports of ends wait, each session's once; all else goes on. */
START_TEST(a_full_channel_stops_nothing)
{
    static bool ended[MANY];
    struct orphan o;
    struct four f;
    struct four many;

    memset(ended, 0, sizeof ended);
    start(&o);
    begin(&o, MANY + 1, &f);
    lead_to_relaying(&o, MANY + 1, &f);
    for (unsigned i = 0; i < MANY; i++) {
        begin(&o, i + 1, &many);
        sock_close(&many.client_fd);
        peer_expect_eof(many.backend_fd);
        close_four(&many);
    }
    expect_lives(&f);
    adopt(&o);
    ck_assert_uint_eq(collect_ends(&o, ended), 1);
    expect_lives(&f);
    close_four(&f);
    stop(&o);
}
END_TEST

/* ---- no monitor comes back ---- */

START_TEST(in_the_end_it_ends_its_sessions)
{
    struct orphan o;
    struct four f;
    struct ipc_msg m;

    start(&o);
    begin(&o, 1, &f);
    lead_to_relaying(&o, 1, &f);
    ping(&o, LIMIT_ORPHAN_LEAST_MS);
    get(&o, IPC_PONG, &m);
    get(&o, IPC_ENDED, &m);
    ck_assert_uint_eq(m.u.ended.reason, REASON_MONITOR_GONE);
    sock_close(&f.kept[0]);
    sock_close(&f.kept[1]);
    peer_expect_eof(f.client_fd);
    peer_expect_eof(f.backend_fd);
    close_four(&f);
    expect_exit(&o);
}
END_TEST

START_TEST(in_the_end_a_full_channel_is_not_waited_for)
{
    struct orphan o;
    struct four f;
    struct four many;

    start(&o);
    begin(&o, MANY + 1, &f);
    lead_to_relaying(&o, MANY + 1, &f);
    ping(&o, LIMIT_ORPHAN_LEAST_MS);
    for (unsigned i = 0; i < MANY; i++) {
        begin(&o, i + 1, &many);
        sock_close(&many.client_fd);
        peer_expect_eof(many.backend_fd);
        close_four(&many);
    }
    sock_close(&f.kept[0]);
    sock_close(&f.kept[1]);
    peer_expect_eof(f.client_fd);
    close_four(&f);
    expect_exit(&o);
}
END_TEST

/* ---- another worker ---- */

static void copy_page(const struct orphan *from, const struct orphan *to)
{
    uint8_t page[SESSION_PAGE_SIZE];

    ck_assert_int_eq(pread(from->pages_fd, page, sizeof page, SESSION_PAGE_HEAD), sizeof page);
    ck_assert_int_eq(pwrite(to->pages_fd, page, sizeof page, SESSION_PAGE_HEAD), sizeof page);
}

static void expect_counts(const struct orphan *o, uint64_t messages)
{
    struct ipc_msg m;

    put(o, &(struct ipc_msg){.type = IPC_COUNT}, NULL, 0);
    get(o, IPC_COUNTS, &m);
    ck_assert_uint_eq(m.u.counts.n, 1);
    ck_assert_uint_eq(m.u.counts.counted[0].to_backend.messages, messages);
    ck_assert_uint_eq(m.u.counts.counted[0].to_client.messages, messages);
}

#define MOVES 20u

START_TEST(a_session_moves_between_workers_under_way)
{
    struct orphan o[2];
    struct four f;
    struct ipc_msg m;

    start(&o[0]);
    start(&o[1]);
    begin(&o[0], 1, &f);
    lead_to_relaying(&o[0], 1, &f);
    for (unsigned i = 0; i < MOVES; i++) {
        const struct orphan *const from = &o[i % 2];
        const struct orphan *const to = &o[1 - i % 2];
        const struct wire_hdr hdr = {.id = (uint16_t)i, .command = WIRE_DEVICE_RESET};
        struct message got;

        put(from, &(struct ipc_msg){.type = IPC_HAND_OVER, .session = 1}, NULL, 0);
        peer_send(f.client_fd, hdr, NULL, 0, NULL);
        get(from, IPC_HANDED_OVER, &m);
        copy_page(from, to);
        m = beginning(IPC_RESUME, 1);
        put(to, &m, f.kept, 2);
        get(to, IPC_RESUMED, &m);
        ck_assert_uint_eq(m.u.resumed.doubt, IPC_DOUBT_NONE);
        peer_recv(f.backend_fd, &got);
        ck_assert_uint_eq(got.hdr.id, i);
        message_deinit(&got);
        peer_send(f.backend_fd,
                  (struct wire_hdr){
                      .id = (uint16_t)i, .flags = WIRE_TYPE_REPLY, .command = WIRE_DEVICE_RESET},
                  NULL, 0, NULL);
        peer_recv(f.client_fd, &got);
        ck_assert_uint_eq(got.hdr.id, i);
        message_deinit(&got);
    }
    expect_counts(&o[MOVES % 2], MOVES);
    close_four(&f);
    get(&o[MOVES % 2], IPC_ENDED, &m);
    stop(&o[0]);
    stop(&o[1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("daemon: workers without their monitor");
    TCase *tc = rig_case(s, "orphan");

    tcase_add_checked_fixture(tc, prepare, clear);
    tcase_add_test(tc, it_relays_without_a_monitor_and_reports_to_the_next_one);
    tcase_add_test(tc, a_client_in_its_handshake_gets_an_error);
    tcase_add_test(tc, a_full_channel_stops_nothing);
    tcase_add_test(tc, in_the_end_it_ends_its_sessions);
    tcase_add_test(tc, in_the_end_a_full_channel_is_not_waited_for);
    tcase_add_test(tc, a_session_moves_between_workers_under_way);
    return unit_run(s);
}
