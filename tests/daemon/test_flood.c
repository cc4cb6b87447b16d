/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * More clients than there is room for, while a session relays: nothing grows, and its messages go
 * on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/fdcount.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define CLIENTS 1100

/* What each client does once it is connected. */
enum manner {
    SILENT,  /* nothing, and stays */
    ASKING,  /* sends VERSION, and stays */
    GARBAGE, /* sends bytes that are no header, and stays */
    GOING,   /* closes again */
};

/* The process that floods. */
struct flood {
    const struct rig *rig;
    enum manner manner;
    int done_fd; /* a byte goes here when all are connected */
    int hold_fd; /* … and all stay until this one ends */
};

static void raise_limit(void)
{
    struct rlimit l;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
    l.rlim_cur = l.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
    ck_assert_msg(l.rlim_max > CLIENTS + 64, "%d fds cannot be opened here", CLIENTS);
}

/* A client is refused or closed; both may happen before it has said anything. */
static void misbehave(int fd, enum manner manner)
{
    static const char junk[64];
    const struct wire_hdr version = {.command = WIRE_VERSION, .size = WIRE_HDR_SIZE + 4};
    uint8_t bytes[WIRE_HDR_SIZE + 4] = {0};

    wire_put_hdr(bytes, &version);
    if (manner == ASKING) {
        (void)!send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (manner == GARBAGE) {
        (void)!send(fd, junk, sizeof junk, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (manner == GOING) {
        close(fd);
    }
}

static void flood(void *arg)
{
    const struct flood *const f = arg;
    char byte = 0;

    raise_limit();
    for (int i = 0; i < CLIENTS; i++) {
        misbehave(peer_connect(f->rig->listen), f->manner);
    }
    ck_assert_int_eq(write(f->done_fd, "\n", 1), 1);
    (void)!read(f->hold_fd, &byte, 1);
}

/* What a worker may have during a flood: a session, those being refused, and some between. */
static void expect_bounded(const struct rig *r)
{
    const int monitor = fdcount_of(rig_monitor(r));
    const int worker = fdcount_of(rig_worker(r));

    ck_assert_msg(monitor <= r->monitor_fds + LIMIT_ACCEPTS + LIMIT_REFUSALS_KEPT,
                  "the monitor has %d fds", monitor);
    ck_assert_msg(worker <= r->worker_fds + 2 + LIMIT_REFUSALS + 4, "the worker has %d fds",
                  worker);
}

/*
 * Waits until all who have connected so far have been accepted, and refused since p has the only
 * session: a connection behind theirs is answered, or closed. Before that one of them would get the
 * session that p gives up.
 */
static void flood_await_refused(const struct rig *r, const struct pair *p)
{
    int fd = peer_connect(r->listen);

    misbehave(fd, ASKING);
    ck_assert_msg(peer_waits(fd, patience_ms()), "a client is not refused");
    sock_close(&fd);
    pair_ping(p);
}

/* All clients at once, from another process, while this one's session keeps asking. */
START_TEST(clients_at_once)
{
    struct rig r;
    struct pair p;
    struct flood f = {.rig = &r, .manner = (enum manner)_i};
    int done[2];
    int hold[2];
    pid_t pid;
    struct pollfd ended;

    rig_start(&r, "");
    rig_session(&r, peer_qemu_json, "{}", &p);
    ck_assert_int_eq(pipe(done), 0);
    ck_assert_int_eq(pipe(hold), 0);
    f.done_fd = done[1];
    f.hold_fd = hold[0];
    pid = process_fork(flood, &f);
    close(done[1]);
    close(hold[0]);
    ended = (struct pollfd){.fd = done[0], .events = POLLIN};
    while (poll(&ended, 1, 0) == 0) {
        pair_ping(&p);
        expect_bounded(&r);
    }
    ck_assert_msg(ended.revents & POLLIN, "the flooding process failed");
    for (int i = 0; i < 100; i++) {
        pair_ping(&p);
    }
    expect_bounded(&r);
    close(done[0]);
    close(hold[1]);
    /* The child's copy of the other end holds it no longer than it lives. */
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    (void)process_wait(pid);
    flood_await_refused(&r, &p);
    pair_close(&p);
    rig_await_log(&r, "-closed ", NULL, 0);
    rig_settle(&r);
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* One after the other: each is told at once, and no backend hears of any. */
START_TEST(each_is_told)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, peer_qemu_json, "{}", &p);
    for (uint16_t i = 0; i < CLIENTS; i++) {
        int fd = peer_connect(r.listen);

        peer_send_version(fd, i, WIRE_TYPE_COMMAND, i % 2 ? peer_qemu_json : NULL, NULL);
        ck_assert_int_eq(peer_recv_error(fd, i, WIRE_VERSION), EBUSY);
        peer_expect_eof(fd);
        sock_close(&fd);
        if (i % 50 == 0) {
            pair_ping(&p);
        }
    }
    ck_assert(!peer_waits(r.backend_fd, 0));
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Its VERSION is answered EBUSY. */
static void expect_told(int fd)
{
    peer_send_version(fd, 1, WIRE_TYPE_COMMAND, NULL, NULL);
    ck_assert_int_eq(peer_recv_error(fd, 1, WIRE_VERSION), EBUSY);
    close(fd);
}

/*
 * As many as may wait for their refusal do; of one more, the first is closed, unanswered. They come
 * a few at a time, since what goes to the worker too fast for it is closed as well: one that has
 * been told shows that those before it have come there.
 */
START_TEST(the_oldest_gives_way)
{
    int fds[LIMIT_REFUSALS + 1];
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, peer_qemu_json, "{}", &p);
    for (int i = 0; i < LIMIT_REFUSALS; i++) {
        if (i % 8 == 7) {
            expect_told(peer_connect(r.listen));
        }
        fds[i] = peer_connect(r.listen);
    }
    fds[LIMIT_REFUSALS] = peer_connect(r.listen);
    peer_expect_eof(fds[0]);
    close(fds[0]);
    for (int i = 1; i <= LIMIT_REFUSALS; i++) {
        expect_told(fds[i]);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- queues that are full ---- */

/* Fills the accept queue of a socket. Returns how many connections that took, in fds. */
static size_t fill_queue(const char *path, int *fds, size_t room)
{
    size_t n = 0;
    int fd;

    while ((fd = sock_connect(path, true)) >= 0) {
        ck_assert_uint_lt(n, room);
        fds[n++] = fd;
    }
    ck_assert_int_eq(fd, -EAGAIN);
    return n;
}

/*
 * The monitor stands still and its accept queue is full: a session that has its worker does not
 * notice. Afterwards everybody is served.
 */
START_TEST(poemds_own_queue_is_full)
{
    static int fds[4096];
    struct rig r;
    struct pair p;
    pid_t monitor;
    size_t n;

    rig_start(&r, "");
    rig_session(&r, peer_qemu_json, "{}", &p);
    monitor = rig_monitor(&r);
    /* The keeper would replace a monitor that stands still. */
    ck_assert_int_eq(kill(r.daemon, SIGSTOP), 0);
    ck_assert_int_eq(kill(monitor, SIGSTOP), 0);
    n = fill_queue(r.listen, fds, sizeof fds / sizeof *fds);
    ck_assert_uint_ge(n, LIMIT_BACKLOG);
    for (int i = 0; i < 100; i++) {
        pair_ping(&p);
    }
    ck_assert_int_eq(kill(monitor, SIGCONT), 0);
    ck_assert_int_eq(kill(r.daemon, SIGCONT), 0);
    for (size_t i = 0; i < n; i++) {
        close(fds[i]);
    }
    flood_await_refused(&r, &p);
    pair_close(&p);
    rig_await_log(&r, "-closed ", NULL, 0);
    rig_settle(&r);
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/*
 * The backend never accepts and its queue is full: its client is told when the handshake's time is
 * over, and meanwhile other routes go on. When it accepts again in time, the client is served.
 */
START_TEST(the_backends_queue_is_full)
{
    int fds[16];
    struct rig r;
    struct pair p;
    struct pair served;
    struct message m;
    char listen[RIG_PATH];
    size_t n;
    int full_fd;

    rig_init(&r);
    snprintf(listen, sizeof listen, "%s", unit_path("full.sock"));
    full_fd = peer_listen(unit_path("full-backend.sock"), 0);
    rig_configure(&r,
                  "workers 1\n"
                  "route r {\n    listen %s\n    backend %s\n}\n"
                  "route full {\n    listen %s\n    backend %s\n%s\n}\n",
                  r.listen, r.backend, listen, unit_path("full-backend.sock"),
                  rig_short_handshake());
    rig_launch(&r);
    rig_measure(&r, 1);
    rig_session(&r, peer_qemu_json, "{}", &p);
    n = fill_queue(unit_path("full-backend.sock"), fds, sizeof fds / sizeof *fds);
    served.client_fd = peer_connect(listen);
    peer_send_version(served.client_fd, 4, WIRE_TYPE_COMMAND, "{}", NULL);
    pair_ping(&p);
    ck_assert_int_eq(peer_recv_error(served.client_fd, 4, WIRE_VERSION), ETIMEDOUT);
    peer_expect_eof(served.client_fd);
    sock_close(&served.client_fd);
    pair_ping(&p);

    served.client_fd = peer_connect(listen);
    peer_send_version(served.client_fd, 5, WIRE_TYPE_COMMAND, "{}", NULL);
    pair_ping(&p);
    for (size_t i = 0; i < n; i++) {
        close(peer_accept(full_fd));
        close(fds[i]);
    }
    served.backend_fd = peer_accept(full_fd);
    peer_recv(served.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 5);
    message_deinit(&m);
    peer_send_version(served.backend_fd, 5, WIRE_TYPE_REPLY, "{}", NULL);
    peer_recv_version(served.client_fd, 5, WIRE_TYPE_REPLY, "{}");
    pair_ping(&served);
    pair_ping(&p);
    pair_close(&served);
    pair_close(&p);
    close(full_fd);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: flood");
    TCase *const tc = rig_case(suite, "flood");

    tcase_add_loop_test(tc, clients_at_once, SILENT, GOING + 1);
    tcase_add_test(tc, each_is_told);
    tcase_add_test(tc, the_oldest_gives_way);
    tcase_add_test(tc, poemds_own_queue_is_full);
    tcase_add_test(tc, the_backends_queue_is_full);
    return unit_run(suite);
}
