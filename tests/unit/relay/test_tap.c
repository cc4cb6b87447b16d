/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A tap between real sockets: each message is recorded once, when delivered; losses are counted. */
#define _GNU_SOURCE
#include "proxy/relay/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fdinfo.h"
#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/relay_rig.h"
#include "trace/file/fd.h"
#include "trace/file/snap_length.h"
#include "trace/capture/record.h"

#define SESSION 42

struct tap_rig {
    struct relay_rig p;
    struct tap_host host;
    struct ring_reader *reader;
    struct tap_session *session;
    struct tap *tap;
    uint64_t began_ns;
    uint64_t last; /* number of the last record */
    size_t next;   /* message that the next record must be */
    uint64_t lost; /* that records told of */
    size_t out;    /* bytes of the stream that have come out */
    uint64_t waited_ns;
};

static const struct tap_settings everything = {.on = 1, .payload = UINT32_MAX, .guest = 1};

static void tapped_init(struct tap_rig *r, uint64_t ring, const struct tap_settings *settings)
{
    const int ring_fd = ring_create(ring);
    const int bell_fd = ring_bell_create();

    memset(r, 0, sizeof *r);
    r->host.fdinfo_fd = fdinfo_open();
    ck_assert_int_ge(r->host.fdinfo_fd, 0);
    rig_init(&r->p, 16, 8u << 20);
    ck_assert_int_eq(ring_writer_new_take(&r->host.ring, fcntl(ring_fd, F_DUPFD_CLOEXEC, 0),
                                          fcntl(bell_fd, F_DUPFD_CLOEXEC, 0)),
                     0);
    ck_assert_int_eq(ring_reader_new_take(&r->reader, ring_fd, bell_fd), 0);
    r->session = tap_session_new(SESSION, settings, &r->host);
    ck_assert_ptr_nonnull(r->session);
    r->tap = tap_of(r->session, SIDE_CLIENT, false);
    r->p.direction.tap = r->tap;
    r->began_ns = tap_now(r->session);
}

/* Ends the pipe, which tells the tap what it still holds. */
static void end_pipe(struct tap_rig *r)
{
    relay_deinit(&r->p.direction);
    r->p.direction.tap = NULL;
}

static void tapped_deinit(struct tap_rig *r)
{
    r->p.direction.tap = NULL;
    rig_deinit(&r->p);
    tap_session_free(r->session);
    ring_writer_free(r->host.ring);
    close(r->host.fdinfo_fd);
    ring_reader_free(r->reader);
}

/* The next record; false: there is none. */
static bool next(struct tap_rig *r, struct trace_message *m)
{
    const void *p;
    size_t n;
    const int got = ring_read(r->reader, &p, &n);

    ck_assert_int_ge(got, 0);
    if (got == 0) {
        ring_release(r->reader);
        return false;
    }
    ck_assert(record_get(p, n, m));
    ck_assert_uint_eq(m->session, SESSION);
    ck_assert_uint_eq(m->number, r->last + m->lost + 1);
    ck_assert_uint_ge(m->read_ns, r->began_ns);
    ck_assert_uint_le(m->read_ns + m->passed_ns, tap_now(r->session));
    ck_assert_uint_le(m->waited_ns, m->passed_ns);
    r->waited_ns += m->waited_ns;
    r->last = m->number;
    r->lost += m->lost;
    return true;
}

/* The fds are those that were sent, described. */
static void expect_fds(const struct trace_message *m, const struct fdset *sent)
{
    ck_assert_uint_eq(m->n_fds, sent->n);
    for (unsigned i = 0; i < sent->n; i++) {
        struct stat st;

        ck_assert_int_eq(fstat(sent->fds[i], &st), 0);
        ck_assert_uint_eq(m->fds[i].kind, TRACE_FD_MEMFD);
        ck_assert_uint_eq(m->fds[i].ino, st.st_ino);
        ck_assert_uint_eq(m->fds[i].dev, st.st_dev);
        ck_assert_uint_eq(m->fds[i].flags, 0);
    }
}

/* The next record is that message of the stream, whole, delivered. */
static void expect_next(struct tap_rig *r)
{
    const struct rig_message *const sent = &r->p.messages[r->next++];
    struct trace_message m;

    ck_assert(next(r, &m));
    ck_assert_uint_eq(m.size, sent->size);
    ck_assert_uint_eq(m.kept, sent->size < SNAP_LENGTH_MOST ? sent->size : SNAP_LENGTH_MOST);
    ck_assert_int_eq(memcmp(m.data, r->p.bytes + sent->start, m.kept), 0);
    ck_assert_uint_eq(m.sender, SIDE_CLIENT);
    ck_assert_uint_eq(m.legs, TRACE_LEGS);
    ck_assert_uint_eq(m.flags, 0);
    expect_fds(&m, &sent->fds);
}

static void expect_no_more(struct tap_rig *r)
{
    struct trace_message m;

    ck_assert(!next(r, &m));
}

static void expect_all(struct tap_rig *r)
{
    while (r->next < r->p.count) {
        expect_next(r);
    }
    expect_no_more(r);
}

/* ---- every cut ---- */

static const size_t sizes[] = {16, 17, 32, 100, 4095, 4096, 4097, 20000, 262144, 262145, 700000};

#define SIZES ((int)(sizeof sizes / sizeof *sizes))

/* Between two small ones. */
static void add_three(struct tap_rig *r, size_t size)
{
    rig_command(&r->p, 40);
    rig_command(&r->p, size);
    rig_command(&r->p, 24);
}

/* Reads what has come out, which must be the stream. */
static void drain(struct tap_rig *r)
{
    static uint8_t got[65536];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    while ((n = sock_recv(r->p.sink_fd, got, sizeof got, &fds, MSG_DONTWAIT)) > 0) {
        ck_assert_int_eq(memcmp(got, r->p.bytes + r->out, (size_t)n), 0);
        r->out += (size_t)n;
        fdset_close(&fds);
    }
    ck_assert_int_eq(n, -EAGAIN);
}

/* Writes the rest of the stream in pieces of this size, passing it on, until it is out. */
static void write_in(struct tap_rig *r, size_t piece)
{
    while (r->out < r->p.n) {
        const size_t left = r->p.n - r->p.written;
        const size_t n = left < piece ? left : piece;
        const ssize_t went =
            n == 0 ? 0 : sock_send(r->p.source_fd, r->p.bytes + r->p.written, n, NULL, 0);

        ck_assert(went >= 0 || went == -EAGAIN);
        r->p.written += went > 0 ? (size_t)went : 0;
        rig_run(&r->p);
        drain(r);
    }
}

/* Another stream on the same sockets. */
static void restart(struct tap_rig *r)
{
    r->p.received = r->p.count;
    rig_restart(&r->p);
    r->out = 0;
    r->next = 0;
}

START_TEST(in_one_piece)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    add_three(&r, sizes[_i]);
    write_in(&r, 100000);
    expect_all(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(in_small_pieces)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    add_three(&r, sizes[_i]);
    write_in(&r, sizes[_i] > 20000 ? 9973 : 7);
    expect_all(&r);
    ck_assert_uint_gt(r.waited_ns, 0);
    tapped_deinit(&r);
}
END_TEST

START_TEST(many_at_once)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 200; i++) {
            rig_command(&r.p, 16 + (i * 37 + (size_t)round) % 90);
        }
        rig_write(&r.p, r.p.n, 0);
        rig_run(&r.p);
        drain(&r);
        expect_all(&r);
        restart(&r);
    }
    /* All of them have been delivered. */
    end_pipe(&r);
    expect_no_more(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(with_fds)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    for (unsigned i = 0; i < 12; i++) {
        rig_command(&r.p, 20 + i);
        rig_write(&r.p, 20 + i, i % 4);
    }
    rig_run(&r.p);
    drain(&r);
    expect_all(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(with_fds_in_two_parts)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    rig_command(&r.p, 100);
    rig_command(&r.p, 300000);
    rig_write(&r.p, 50, 2);
    rig_write(&r.p, 50, 1);
    rig_run(&r.p);
    drain(&r);
    rig_write(&r.p, 100000, 3);
    rig_run(&r.p);
    write_in(&r, 100000);
    expect_all(&r);
    tapped_deinit(&r);
}
END_TEST

/* ---- slow readers ---- */

/* Nobody reads: the receiver's socket takes some messages, the pipe holds the next. */
static void fill(struct tap_rig *r, size_t size)
{
    while (r->p.written < r->p.n) {
        rig_write(&r->p, size, 0);
        if (rig_run(&r->p) == RELAY_WRITE) {
            return;
        }
    }
    ck_abort_msg("the receiver takes everything");
}

START_TEST(nothing_is_recorded_before_it_is_delivered)
{
    struct tap_rig r;
    struct trace_message m;
    const size_t size = 100000;

    tapped_init(&r, 8u << 20, &everything);
    for (int i = 0; i < 4; i++) {
        rig_command(&r.p, size);
    }
    fill(&r, size);
    while (r.next < r.p.count && next(&r, &m)) {
        ck_assert_uint_eq(m.size, size);
        ck_assert_uint_eq(m.flags, 0);
        r.next++;
    }
    ck_assert_uint_lt(r.next * size, r.p.written);
    drain(&r);
    rig_run(&r.p);
    write_in(&r, size);
    expect_all(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(what_is_held_at_the_end_is_undelivered)
{
    struct tap_rig r;
    struct trace_message m;
    const size_t size = 100000;
    unsigned undelivered = 0;

    tapped_init(&r, 8u << 20, &everything);
    for (int i = 0; i < 4; i++) {
        rig_command(&r.p, size);
    }
    fill(&r, size);
    end_pipe(&r);
    while (next(&r, &m)) {
        const struct rig_message *const sent = &r.p.messages[r.next++];

        ck_assert_uint_eq(m.size, size);
        ck_assert_uint_eq(m.kept, size);
        ck_assert_int_eq(memcmp(m.data, r.p.bytes + sent->start, m.kept), 0);
        undelivered += m.flags == TRACE_UNDELIVERED && m.missing == 0;
    }
    ck_assert_uint_eq(undelivered, 1);
    tapped_deinit(&r);
}
END_TEST

/* Half of a message: small, and one that streams. */
START_TEST(half_a_message_at_the_end)
{
    static const size_t whole[] = {100, 300000};
    static const size_t half[] = {60, 100000};
    struct tap_rig r;
    struct trace_message m;

    tapped_init(&r, 8u << 20, &everything);
    rig_command(&r.p, whole[_i]);
    rig_write(&r.p, half[_i], 0);
    rig_run(&r.p);
    expect_no_more(&r);
    end_pipe(&r);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.size, whole[_i]);
    ck_assert_uint_eq(m.kept, half[_i]);
    ck_assert_uint_eq(m.missing, whole[_i] - half[_i]);
    ck_assert_uint_eq(m.flags, TRACE_UNDELIVERED);
    ck_assert_int_eq(memcmp(m.data, r.p.bytes, m.kept), 0);
    expect_no_more(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(half_a_header)
{
    struct tap_rig r;
    struct trace_message m;

    tapped_init(&r, 8u << 20, &everything);
    rig_command(&r.p, 100);
    rig_write(&r.p, 9, 0);
    rig_run(&r.p);
    end_pipe(&r);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.size - m.missing, 9);
    tapped_deinit(&r);
}
END_TEST

START_TEST(a_bad_frame_is_told)
{
    struct tap_rig r;
    struct trace_message m;
    struct wire_hdr hdr = {.id = 5, .command = WIRE_REGION_READ, .size = 15};
    uint8_t bytes[WIRE_HDR_SIZE];

    tapped_init(&r, 8u << 20, &everything);
    hdr.size = _i ? UINT32_MAX : 15;
    rig_command(&r.p, 40);
    rig_write(&r.p, 40, 0);
    wire_put_hdr(bytes, &hdr);
    ck_assert_int_eq(sock_send(r.p.source_fd, bytes, sizeof bytes, NULL, 0), sizeof bytes);
    ck_assert_int_eq(rig_run(&r.p), RELAY_BAD_FRAME);
    drain(&r);
    expect_next(&r);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.size, _i ? UINT32_MAX : WIRE_HDR_SIZE);
    ck_assert_uint_eq(m.kept, WIRE_HDR_SIZE);
    ck_assert_uint_eq(m.flags, TRACE_UNDELIVERED);
    ck_assert_mem_eq(m.data, bytes, sizeof bytes);
    end_pipe(&r);
    expect_no_more(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(too_many_fds_are_told)
{
    struct tap_rig r;
    struct trace_message m;

    tapped_init(&r, 8u << 20, &everything);
    rig_command(&r.p, 40);
    rig_write(&r.p, 40, 17);
    ck_assert_int_eq(rig_run(&r.p), RELAY_TOO_MANY_FDS);
    end_pipe(&r);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.n_fds, 17);
    ck_assert_uint_eq(m.flags, TRACE_UNDELIVERED);
    expect_no_more(&r);
    tapped_deinit(&r);
}
END_TEST

/* ---- in and out ---- */

START_TEST(a_tap_that_comes_in_between_begins_with_the_next)
{
    struct tap_rig r;

    tapped_init(&r, 8u << 20, &everything);
    r.p.direction.tap = NULL;
    add_three(&r, _i ? 300000 : 1000);
    rig_write(&r.p, 40 + 500, 0);
    rig_run(&r.p);
    r.p.direction.tap = r.tap;
    write_in(&r, 100000);
    /* The one that was under way is not told by half. */
    r.next = 2;
    expect_all(&r);
    ck_assert_uint_eq(tap_session_seen(r.session), 1);
    tapped_deinit(&r);
}
END_TEST

START_TEST(payload_is_cut_as_asked)
{
    static const struct tap_settings little = {.on = 1, .payload = 10};
    struct tap_rig r;
    struct trace_message m;

    tapped_init(&r, 8u << 20, &little);
    rig_message(&r.p, (struct wire_hdr){.command = WIRE_REGION_WRITE}, 32 + 4096);
    rig_message(&r.p, (struct wire_hdr){.command = WIRE_REGION_WRITE}, 32 + 400000);
    rig_message(&r.p, (struct wire_hdr){.command = WIRE_DMA_WRITE}, 32 + 4096);
    write_in(&r, 100000);
    for (int i = 0; i < 3; i++) {
        ck_assert(next(&r, &m));
        ck_assert_uint_eq(m.size, r.p.messages[i].size);
        ck_assert_uint_eq(m.kept, i == 2 ? 32 : 42);
        ck_assert_int_eq(memcmp(m.data, r.p.bytes + r.p.messages[i].start, m.kept), 0);
    }
    tap_session_set(r.session, &everything);
    restart(&r);
    rig_message(&r.p, (struct wire_hdr){.command = WIRE_REGION_WRITE}, 32 + 400000);
    write_in(&r, 100000);
    expect_all(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(what_finds_no_room_is_counted)
{
    struct tap_rig r;
    struct trace_message m;
    unsigned came = 0;

    tapped_init(&r, RING_SIZE_MIN, &everything);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 500; i++) {
            rig_command(&r.p, 120);
        }
        write_in(&r, 4000);
        restart(&r);
        /* Nothing is read but a little, so that there is room at the end of each round. */
        for (int i = 0; i < 20 && next(&r, &m); i++) {
            came++;
        }
        ring_release(r.reader);
    }
    while (next(&r, &m)) {
        came++;
    }
    /* One more, which tells of all that was lost before it. */
    rig_command(&r.p, 16);
    write_in(&r, 16);
    ck_assert(next(&r, &m));
    came++;
    ck_assert_uint_gt(r.lost, 0);
    ck_assert_uint_eq(came + r.lost, 2001);
    ck_assert_uint_eq(tap_session_seen(r.session), 2001);
    tapped_deinit(&r);
}
END_TEST

START_TEST(without_a_ring_all_is_counted)
{
    const struct tap_host none = {.fdinfo_fd = -1};
    struct tap_session *const s = tap_session_new(SESSION, &everything, &none);
    uint8_t bytes[WIRE_HDR_SIZE];
    struct trace_message m = {.size = sizeof bytes, .kept = sizeof bytes, .data = bytes};

    ck_assert_ptr_nonnull(s);
    memset(bytes, 0, sizeof bytes);
    tap_session_record(s, &m);
    tap_session_record(s, &m);
    ck_assert_uint_eq(m.lost, 1);
    ck_assert_uint_eq(tap_session_seen(s), 2);
    tap_session_free(s);
}
END_TEST

START_TEST(one_larger_than_the_ring_takes_is_cut_to_it)
{
    struct tap_rig r;
    struct trace_message m;

    tapped_init(&r, RING_SIZE_MIN, &everything);
    rig_command(&r.p, 200000);
    write_in(&r, 100000);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.size, 200000);
    ck_assert_uint_gt(m.kept, RING_SIZE_MIN / 4);
    ck_assert_uint_lt(m.kept, RING_SIZE_MIN / 2);
    ck_assert_int_eq(memcmp(m.data, r.p.bytes, m.kept), 0);
    tapped_deinit(&r);
}
END_TEST

/* ---- what a gate does ---- */

START_TEST(what_the_broker_keeps_back_and_makes)
{
    struct tap_rig r;
    struct trace_message m;
    struct fdset fds;
    uint8_t bytes[48] = {0};
    const struct wire_hdr hdr = {.command = WIRE_DMA_MAP, .size = sizeof bytes};

    tapped_init(&r, 8u << 20, &everything);
    wire_put_hdr(bytes, &hdr);
    fdset_init(&fds);
    peer_memfds(&fds, 2);
    tap_begin(r.tap);
    tap_read(r.tap, &fds, 0);
    tap_kept_back(r.tap, &hdr, bytes, sizeof bytes);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.legs, TRACE_LEG_CLIENT);
    ck_assert_uint_eq(m.flags, 0);
    ck_assert_uint_eq(m.n_fds, 2);
    ck_assert_uint_eq(m.fds[0].flags, TRACE_FD_WITHHELD);
    ck_assert_uint_eq(m.fds[1].flags, TRACE_FD_WITHHELD);
    /* One that goes on without its fds. */
    tap_begin(r.tap);
    tap_read(r.tap, &fds, 0);
    tap_withheld(r.tap);
    tap_sent(r.tap, bytes, sizeof bytes, sizeof bytes);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.legs, TRACE_LEGS);
    ck_assert_uint_eq(m.n_fds, 2);
    ck_assert_uint_eq(m.fds[0].flags, TRACE_FD_WITHHELD);
    /* An answer of the broker's: in the device's direction, on the client's socket. */
    tap_made(tap_of(r.session, SIDE_BACKEND, true), bytes, WIRE_HDR_SIZE);
    ck_assert(next(&r, &m));
    ck_assert_uint_eq(m.sender, SIDE_BACKEND);
    ck_assert_uint_eq(m.legs, TRACE_LEG_CLIENT);
    ck_assert_uint_eq(m.flags, TRACE_BROKER | TRACE_TWIN);
    ck_assert_uint_eq(m.n_fds, 0);
    expect_no_more(&r);
    fdset_close(&fds);
    tapped_deinit(&r);
}
END_TEST

/* ---- fds ---- */

static void expect_kind(int fd, enum trace_fd_kind kind, int access)
{
    struct trace_fd d;
    struct stat st;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    d = trace_fd_describe(fd, -1);
    ck_assert_uint_eq(d.kind, kind);
    ck_assert_uint_eq(d.access, (unsigned)access);
    ck_assert_uint_eq(d.dev, kind == TRACE_FD_EVENTFD ? 0 : st.st_dev);
    ck_assert_uint_eq(d.ino, kind == TRACE_FD_EVENTFD ? 0 : st.st_ino);
    ck_assert_uint_eq(d.size, (uint64_t)st.st_size);
    close(fd);
}

START_TEST(an_eventfd_has_its_number_by_whichever_fd)
{
    struct tap_rig r;
    const int one = eventfd(0, EFD_CLOEXEC);
    const int same = fcntl(one, F_DUPFD_CLOEXEC, 0);
    const int other = eventfd(0, EFD_CLOEXEC);

    tapped_init(&r, 65536, &everything);
    ck_assert_uint_ne(tap_describe(r.session, one).ino, 0);
    ck_assert_uint_eq(tap_describe(r.session, same).ino, tap_describe(r.session, one).ino);
    ck_assert_uint_ne(tap_describe(r.session, other).ino, tap_describe(r.session, one).ino);
    ck_assert_uint_eq(tap_describe(r.session, other).dev, 0);
    close(one);
    close(same);
    close(other);
    end_pipe(&r);
    tapped_deinit(&r);
}
END_TEST

START_TEST(fds_are_told_apart)
{
    int pair[2];
    int fd = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const uint64_t seven = 7;
    uint64_t got;

    ck_assert_int_eq(ftruncate(fd, 12345), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    ck_assert_uint_eq(trace_fd_describe(fd, -1).seals, F_SEAL_SHRINK);
    expect_kind(fd, TRACE_FD_MEMFD, O_RDWR);
    fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_eq(write(fd, &seven, sizeof seven), sizeof seven);
    ck_assert_uint_eq(trace_fd_describe(fd, -1).kind, TRACE_FD_EVENTFD);
    /* It counts on as if nobody had looked. */
    ck_assert_int_eq(read(fd, &got, sizeof got), sizeof got);
    ck_assert_uint_eq(got, 7);
    expect_kind(fd, TRACE_FD_EVENTFD, O_RDWR);
    expect_kind(open(unit_path("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), TRACE_FD_FILE,
                O_WRONLY);
    expect_kind(open("/dev/null", O_RDONLY | O_CLOEXEC), TRACE_FD_DEVICE, O_RDONLY);
    expect_kind(epoll_create1(EPOLL_CLOEXEC), TRACE_FD_OTHER, O_RDWR);
    expect_kind(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), TRACE_FD_OTHER, O_RDWR);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    expect_kind(pair[0], TRACE_FD_SOCKET, O_RDWR);
    close(pair[1]);
    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    expect_kind(pair[0], TRACE_FD_PIPE, O_RDONLY);
    expect_kind(pair[1], TRACE_FD_PIPE, O_WRONLY);
    ck_assert_uint_eq(trace_fd_describe(-1, -1).kind, TRACE_FD_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("tap");
    TCase *tc = unit_case(s, "cuts");

    tcase_add_loop_test(tc, in_one_piece, 0, SIZES);
    tcase_add_loop_test(tc, in_small_pieces, 0, SIZES);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, with_fds);
    tcase_add_test(tc, with_fds_in_two_parts);
    tc = unit_case(s, "slow readers, and the end");
    tcase_add_test(tc, nothing_is_recorded_before_it_is_delivered);
    tcase_add_test(tc, what_is_held_at_the_end_is_undelivered);
    tcase_add_loop_test(tc, half_a_message_at_the_end, 0, 2);
    tcase_add_test(tc, half_a_header);
    tcase_add_loop_test(tc, a_bad_frame_is_told, 0, 2);
    tcase_add_test(tc, too_many_fds_are_told);
    tc = unit_case(s, "in and out");
    tcase_add_loop_test(tc, a_tap_that_comes_in_between_begins_with_the_next, 0, 2);
    tcase_add_test(tc, payload_is_cut_as_asked);
    tcase_add_test(tc, what_finds_no_room_is_counted);
    tcase_add_test(tc, without_a_ring_all_is_counted);
    tcase_add_test(tc, one_larger_than_the_ring_takes_is_cut_to_it);
    tcase_add_test(tc, what_the_broker_keeps_back_and_makes);
    tc = unit_case(s, "fds");
    tcase_add_test(tc, fds_are_told_apart);
    tcase_add_test(tc, an_eventfd_has_its_number_by_whichever_fd);
    return unit_run(s);
}
