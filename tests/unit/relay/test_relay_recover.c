/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker is killed before or after any of its system calls, and another one goes on from the same
 * mark and sockets: no message is lost or arrives twice, nor does any fd.
 *
 * The worker is a child process. The calls that matter are replaced here by ones that count, and
 * kill their process at the one that the test names.
 */
#define _GNU_SOURCE
#include "proxy/relay/relay_direction.h"

#include <linux/sockios.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/flight.h"
#include "tests/unit/relay/relay_rig.h"

#define FDS 16
#define DATA 65536

/* The memory that outlives a worker. */
struct kept {
    struct relay_mark mark;
    struct sock_post post;
    /* Two for the worker's own queues, and two for those of the worker before it. */
    uint8_t places[4][HELD_PLACE] __attribute__((aligned(HELD_HEAD)));
};

#define PLACES 2u

static struct relay_rig rig;
static struct kept *kept;
static struct relay_mark *mark;

/* ---- a worker that dies ---- */

static unsigned points; /* until this process is killed; 0: it is not */

static void pass_point(void)
{
    if (points > 0 && --points == 0) {
        kill(getpid(), SIGKILL);
    }
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    ssize_t n;

    pass_point();
    n = syscall(SYS_recvmsg, fd, m, flags);
    pass_point();
    return n;
}

int recvmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags, struct timespec *timeout)
{
    int got;

    pass_point();
    got = (int)syscall(SYS_recvmmsg, fd, m, n, flags, timeout);
    pass_point();
    return got;
}

ssize_t recv(int fd, void *p, size_t size, int flags)
{
    ssize_t n;

    pass_point();
    n = syscall(SYS_recvfrom, fd, p, size, flags, NULL, NULL);
    pass_point();
    return n;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    ssize_t n;

    pass_point();
    n = syscall(SYS_sendmsg, fd, m, flags);
    pass_point();
    return n;
}

int sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
    int sent;

    pass_point();
    sent = (int)syscall(SYS_sendmmsg, fd, m, n, flags);
    pass_point();
    return sent;
}

ssize_t send(int fd, const void *p, size_t size, int flags)
{
    ssize_t n;

    pass_point();
    n = syscall(SYS_sendto, fd, p, size, flags, NULL, 0);
    pass_point();
    return n;
}

/* Another worker: all it has of the last one are the mark and the sockets. */
static void begin_worker(void)
{
    const struct wire_takes takes = {.max_data = DATA, .max_bitmap = DATA};

    free(rig.direction.queue);
    queue_pool_deinit(&rig.pool);
    queue_pool_init(&rig.pool);
    queue_pool_share(&rig.pool, kept->places[0], PLACES, PLACES, &kept->post);
    relay_init(&rig.direction, rig.from_fd, rig.to_fd, FDS, &takes, &rig.pool, mark);
}

static void open_rig(void)
{
    kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(kept, MAP_FAILED);
    mark = &kept->mark;
    rig_init(&rig, FDS, DATA);
    begin_worker();
}

static void close_rig(void)
{
    rig_deinit(&rig);
    munmap(kept, sizeof *kept);
}

/* Lets a worker run until that point. Returns false if it has finished before it. */
static bool is_killed_at(unsigned point)
{
    const pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        points = point;
        (void)rig_run(&rig);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
}

static size_t unread(int fd)
{
    int n = 0;

    ck_assert_int_eq(ioctl(fd, SIOCINQ, &n), 0);
    return (size_t)n;
}

/* Moves what the worker held to a place for the next one. */
static void move_held(void)
{
    const unsigned next = PLACES + (mark->place == PLACES + 1);

    ck_assert_uint_le(mark->place, 2 * PLACES);
    memcpy(kept->places[next], kept->places[mark->place - 1], HELD_PLACE);
    held_settle((struct held *)kept->places[next], &kept->post);
    mark->place = next + 1;
}

/* The monitor looks at the kernel's notes, and another worker goes on. */
static enum relay_recovery recover(void)
{
    relay_mark_settle(mark, kept->post.done);
    if (mark->place != 0) {
        move_held();
    }
    return relay_recover(&rig.direction);
}

static bool is_recovered(enum relay_recovery r)
{
    return r <= RELAY_RECOVERED_UNSENT;
}

/* ---- whole messages ---- */

struct sized {
    size_t n;
    unsigned fds;
};

static const struct {
    const char *name;
    struct sized messages[8];
    struct sized writes[8];
} streams[] = {
    {"one", {{40, 0}}, {{40, 0}}},
    {"a header alone", {{16, 0}}, {{16, 0}}},
    {"three, a write each", {{40, 0}, {24, 0}, {32, 0}}, {{40, 0}, {24, 0}, {32, 0}}},
    {"three in one", {{40, 0}, {24, 0}, {32, 0}}, {{96, 0}}},
    {"as long as a look", {{LIMIT_PEEK, 0}, {40, 0}}, {{LIMIT_PEEK, 0}, {40, 0}}},
    {"with fds", {{40, 3}}, {{40, 3}}},
    {"with fds, one after the other", {{40, 1}, {40, 2}, {24, 1}}, {{40, 1}, {40, 2}, {24, 1}}},
    {"without fds, with fds, without", {{40, 0}, {24, 2}, {16, 0}}, {{40, 0}, {24, 2}, {16, 0}}},
    {"two without fds, one with, all glued to others",
     {{40, 0}, {24, 0}, {16, 2}, {24, 0}},
     {{40, 0}, {24, 0}, {40, 2}}},
};

static void write_stream(int i)
{
    for (const struct sized *m = streams[i].messages; m->n > 0; m++) {
        rig_command(&rig, m->n);
    }
    for (const struct sized *w = streams[i].writes; w->n > 0; w++) {
        rig_write(&rig, w->n, w->fds);
    }
}

START_TEST(killed_at_any_point_nothing_is_lost_or_doubled)
{
    unsigned sent = 0;
    unsigned unsent = 0;
    unsigned point = 0;
    bool killed;

    do {
        enum relay_recovery r;

        open_rig();
        write_stream(_i);
        killed = is_killed_at(++point);
        /* Without recovery, too, the counts are exact, unless it was sending. */
        ck_assert(mark->step == RELAY_MARK_INTENT ||
                  relay_mark_progress(mark).count.bytes == unread(rig.sink_fd));
        r = recover();
        ck_assert(is_recovered(r));
        sent += r == RELAY_RECOVERED_SENT;
        unsent += r == RELAY_RECOVERED_UNSENT;
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        rig_receive(&rig);
        ck_assert_uint_eq(rig.received, rig.count);
        ck_assert_uint_eq(mark->total.count.messages, rig.count);
        ck_assert_uint_eq(mark->total.count.bytes, rig.n);
        ck_assert_uint_eq(mark->total.taken, rig.n);
        close_rig();
    } while (killed);
    ck_assert_uint_ge(point, 6);
    /* Right before each send, and right after it. */
    ck_assert_uint_eq(sent, unsent);
    ck_assert_uint_ge(sent, 1);
}
END_TEST

/* Each worker dies after a step or two. */
START_TEST(a_worker_after_the_other_dies)
{
    open_rig();
    write_stream(_i);
    for (unsigned point = 1; unread(rig.from_fd) > 0 && is_killed_at(2 + point % 7); point++) {
        const enum relay_recovery r = recover();

        ck_assert(is_recovered(r));
        ck_assert_uint_le(point, 1000);
    }
    begin_worker();
    ck_assert(is_recovered(recover()));
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, rig.count);
    ck_assert_uint_eq(mark->total.count.messages, rig.count);
    close_rig();
}
END_TEST

/* ---- messages that no look shows whole ---- */

static const struct {
    const char *name;
    size_t size;
    struct sized writes[4];
} parts[] = {
    {"longer than a look", 3 * LIMIT_PEEK, {{3 * LIMIT_PEEK, 0}}},
    {"longer than a look, in parts", 3 * LIMIT_PEEK, {{5000, 0}, {8, 0}, {7280, 0}}},
    {"in two parts", 40, {{20, 0}, {20, 0}}},
    {"its header in two parts", 40, {{10, 0}, {30, 0}}},
    {"longer than a queue", LIMIT_QUEUE + 30000, {{100000, 0}, {100000, 0}, {92144, 0}}},
    {"longer than a look, with fds", 3 * LIMIT_PEEK, {{3 * LIMIT_PEEK, 2}}},
    {"in two parts, each with fds", 40, {{20, 1}, {20, 1}}},
};

/* The others come with fds, which only the worker has. */
#define PARTS_WITHOUT_FDS 5

static void write_part(int i, unsigned n)
{
    if (n < sizeof parts[i].writes / sizeof *parts[i].writes && parts[i].writes[n].n > 0) {
        rig_write(&rig, parts[i].writes[n].n, parts[i].writes[n].fds);
    }
}

/* Reads what comes, and compares it with what was written. Returns the bytes so far. */
static size_t drain(size_t n)
{
    static uint8_t got[LIMIT_QUEUE];
    ssize_t more;

    while ((more = recv(rig.sink_fd, got, sizeof got, MSG_DONTWAIT)) > 0) {
        ck_assert_uint_le(n + (size_t)more, rig.n);
        ck_assert_mem_eq(got, rig.bytes + n, (size_t)more);
        n += (size_t)more;
    }
    return n;
}

/* A worker dies at a point after each part that is written; the next one goes on from there. */
START_TEST(bytes_that_a_dead_worker_held_are_not_lost)
{
    unsigned held = 0;
    unsigned point = 0;
    bool killed;

    do {
        size_t n = 0;

        open_rig();
        rig_message(&rig, (struct wire_hdr){.command = WIRE_DEVICE_GET_REGION_IO_FDS},
                    parts[_i].size);
        rig_command(&rig, 40);
        killed = false;
        point++;
        for (unsigned i = 0; rig.written < parts[_i].size; i++) {
            write_part(_i, i);
            killed = is_killed_at(point) || killed;
            held += mark->place != 0;
            n = drain(n);
            begin_worker();
            ck_assert(is_recovered(recover()));
            (void)rig_run(&rig);
            n = drain(n);
        }
        rig_write(&rig, 40, 0);
        while (n < rig.n) {
            ck_assert_int_eq(rig_run(&rig), RELAY_READ);
            n = drain(n);
        }
        ck_assert_uint_eq(mark->total.count.messages, 2);
        ck_assert_uint_eq(mark->total.count.bytes, rig.n);
        ck_assert_uint_eq(mark->total.taken, rig.n);
        ck_assert_uint_eq(mark->place, 0);
        rig_expect_nothing(&rig);
        close_rig();
    } while (killed);
    ck_assert_uint_ge(held, 1);
}
END_TEST

/*
 * A message arrives once, never half of it, and never without its fds. One that came in parts may
 * be lost, which is known.
 */
START_TEST(fds_that_a_dead_worker_held_are_known_to_be_lost)
{
    unsigned lost = 0;
    unsigned point = 0;
    bool killed;

    do {
        enum relay_recovery r;

        open_rig();
        rig_command(&rig, parts[_i].size);
        for (unsigned i = 0; rig.written < parts[_i].size; i++) {
            write_part(_i, i);
        }
        killed = is_killed_at(++point);
        r = recover();
        if (r == RELAY_RECOVERY_LOST) {
            ck_assert_uint_ne(mark->place, 0);
            lost++;
        } else {
            ck_assert_int_eq(rig_run(&rig), RELAY_READ);
            rig_receive(&rig);
            ck_assert_uint_eq(rig.received, 1);
        }
        close_rig();
    } while (killed);
    ck_assert_int_eq(lost > 0, parts[_i].writes[1].n > 0);
}
END_TEST

/* ---- receivers that take nothing, or a part ---- */

static void narrow(void)
{
    const int small = 1;

    ck_assert_int_eq(setsockopt(rig.to_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

/* Sends until the receiver takes nothing more. */
static void fill(void)
{
    do {
        rig_command(&rig, 1000);
        rig_write(&rig, 1000, 0);
    } while (rig_run(&rig) == RELAY_READ);
}

START_TEST(what_the_receiver_does_not_take_stays_with_the_sender)
{
    open_rig();
    narrow();
    fill();
    ck_assert_ptr_null(rig.direction.queue);
    ck_assert_uint_eq(mark->step, RELAY_MARK_IDLE);
    ck_assert_uint_eq(mark->place, 0);
    ck_assert_uint_eq(unread(rig.from_fd), rig.written - unread(rig.sink_fd));
    ck_assert_uint_eq(mark->total.taken, unread(rig.sink_fd));
    /* So the next worker has it, and the fds that come next. */
    rig_command(&rig, 40);
    rig_write(&rig, 40, 2);
    begin_worker();
    ck_assert_int_eq(recover(), RELAY_RECOVERED);
    while (rig.received < rig.count) {
        uint8_t got[1000];
        const size_t size = rig.messages[rig.received].size;

        (void)rig_run(&rig);
        if (size == 40) {
            rig_receive(&rig);
            continue;
        }
        ck_assert_int_eq(recv(rig.sink_fd, got, size, 0), (ssize_t)size);
        ck_assert_mem_eq(got, rig.bytes + rig.messages[rig.received].start, size);
        rig.received++;
    }
    close_rig();
}
END_TEST

START_TEST(fds_that_cannot_be_in_flight_stay_with_the_sender)
{
    struct flight flight;

    open_rig();
    rig_command(&rig, 40);
    rig_write(&rig, 40, 2);
    flight_fill(&flight);
    ck_assert_int_eq(rig_run(&rig), RELAY_PAUSE);
    ck_assert_ptr_null(rig.direction.queue);
    ck_assert_uint_eq(mark->step, RELAY_MARK_IDLE);
    ck_assert_uint_eq(unread(rig.from_fd), 40);
    flight_empty(&flight);
    begin_worker();
    ck_assert_int_eq(recover(), RELAY_RECOVERED);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    close_rig();
}
END_TEST

/* Killed when a part has been sent: exactly that part is taken, and the rest follows. */
START_TEST(a_message_sent_in_part_is_finished_by_the_next_worker)
{
    uint8_t got[2 * LIMIT_PEEK];
    unsigned parts_seen = 0;
    unsigned point = 0;
    bool killed;

    do {
        size_t n = 0;

        open_rig();
        narrow();
        rig_command(&rig, 1000);
        rig_write(&rig, 1000, 0);
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        rig_command(&rig, LIMIT_PEEK);
        rig_write(&rig, LIMIT_PEEK, 0);
        killed = is_killed_at(++point);
        parts_seen += mark->step == RELAY_MARK_INTENT && kept->post.done > 0;
        begin_worker();
        ck_assert(is_recovered(recover()));
        while (n < rig.n) {
            const ssize_t more = recv(rig.sink_fd, got + n, sizeof got - n, 0);

            n += more > 0 ? (size_t)more : 0;
            ck_assert_int_ne(rig_run(&rig), RELAY_TO_ERROR);
        }
        ck_assert_mem_eq(got, rig.bytes, rig.n);
        rig_expect_nothing(&rig);
        ck_assert_uint_eq(mark->total.count.messages, 2);
        ck_assert_uint_eq(mark->total.count.bytes, rig.n);
        close_rig();
    } while (killed);
    ck_assert_uint_ge(parts_seen, 1);
}
END_TEST

/* ---- marks that a direction does not write ---- */

static const struct relay_mark unsound[] = {
    {.version = RELAY_MARK_VERSION + 1},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_STEPS},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_SENT, .intent = 0},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_SENT, .intent = LIMIT_PEEK + 1},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_SENT, .intent = 40, .intent_messages = 3},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_POSTED, .intent = 40, .intent_fds = 1000},
    {.version = RELAY_MARK_VERSION, .step = RELAY_MARK_INTENT, .intent = 40},
    {.version = RELAY_MARK_VERSION, .left = 16, .hdr = {.size = 16}},
    {.version = RELAY_MARK_VERSION, .place = 1},
    {.version = RELAY_MARK_VERSION, .place = 2 * PLACES + 1},
    {.version = RELAY_MARK_VERSION, .verdict = 200},
    {.version = RELAY_MARK_VERSION, .piece = 200},
};

START_TEST(an_impossible_mark_is_refused)
{
    open_rig();
    *mark = unsound[_i];
    ck_assert_int_eq(relay_recover(&rig.direction), RELAY_RECOVERY_UNSOUND);
    *mark = (struct relay_mark){.version = 0};
    close_rig();
}
END_TEST

/* The sizes in the sender's bytes are not trusted either. */
START_TEST(a_front_with_a_header_of_no_size_does_no_harm)
{
    const uint8_t zeroes[40] = {0};

    open_rig();
    ck_assert_int_eq(send(rig.source_fd, zeroes, sizeof zeroes, 0), sizeof zeroes);
    *mark = (struct relay_mark){.version = RELAY_MARK_VERSION,
                                .step = RELAY_MARK_SENT,
                                .intent = sizeof zeroes,
                                .intent_messages = 1};
    ck_assert_int_eq(relay_recover(&rig.direction), RELAY_RECOVERED);
    ck_assert_uint_eq(unread(rig.from_fd), 0);
    ck_assert_int_eq(send(rig.source_fd, zeroes, sizeof zeroes, 0), sizeof zeroes);
    mark->step = RELAY_MARK_POSTED;
    ck_assert_int_eq(relay_recover(&rig.direction), RELAY_RECOVERY_LOST);
    close_rig();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay_recover");
    TCase *tc = unit_case(s, "whole messages");

    tcase_add_loop_test(tc, killed_at_any_point_nothing_is_lost_or_doubled, 0,
                        sizeof streams / sizeof streams[0]);
    tcase_add_loop_test(tc, a_worker_after_the_other_dies, 0, sizeof streams / sizeof streams[0]);
    tc = unit_case(s, "parts");
    tcase_add_loop_test(tc, bytes_that_a_dead_worker_held_are_not_lost, 0, PARTS_WITHOUT_FDS);
    tcase_add_loop_test(tc, fds_that_a_dead_worker_held_are_known_to_be_lost, PARTS_WITHOUT_FDS,
                        sizeof parts / sizeof parts[0]);
    tc = unit_case(s, "receivers");
    tcase_add_test(tc, what_the_receiver_does_not_take_stays_with_the_sender);
    tcase_add_test(tc, fds_that_cannot_be_in_flight_stay_with_the_sender);
    tcase_add_test(tc, a_message_sent_in_part_is_finished_by_the_next_worker);
    tc = unit_case(s, "marks");
    tcase_add_loop_test(tc, an_impossible_mark_is_refused, 0, sizeof unsound / sizeof unsound[0]);
    tcase_add_test(tc, a_front_with_a_header_of_no_size_does_no_harm);
    return unit_run(s);
}
