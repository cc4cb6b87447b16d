/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures of a real poemd: what the peers saw is what is in the file; what is asked for is what is
 * kept; nothing that goes wrong with a capture harms a session.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/realize.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"
#include "trace/file/snap_length.h"

/* ---- a recorded realize ---- */

/* Passes message i of the record; what came with it is in the set. */
static void pass_message(const struct pair *p, size_t i, struct fdset *sent)
{
    const struct realize_message *const m = &realize[i];
    struct message got;

    fdset_init(sent);
    peer_memfds(sent, m->fds);
    peer_send(m->to_backend ? p->client_fd : p->backend_fd, m->hdr, m->payload, m->n, sent);
    peer_recv(m->to_backend ? p->backend_fd : p->client_fd, &got);
    ck_assert_uint_eq(got.n, m->n);
    message_deinit(&got);
}

struct realized {
    size_t next;        /* of the record */
    unsigned versions;  /* seen */
    struct fdset *sent; /* with each message */
};

static void expect_version(const struct trace_message *m, unsigned i)
{
    static const struct {
        uint8_t sender;
        uint8_t legs;
        uint8_t flags;
    } want[TRACE_RIG_VERSIONS] = {{SIDE_CLIENT, TRACE_LEG_CLIENT, 0},
                                  {SIDE_CLIENT, TRACE_LEG_BACKEND, TRACE_BROKER},
                                  {SIDE_BACKEND, TRACE_LEG_BACKEND, 0},
                                  {SIDE_BACKEND, TRACE_LEG_CLIENT, TRACE_BROKER}};

    ck_assert_uint_eq(m->sender, want[i].sender);
    ck_assert_uint_eq(m->legs, want[i].legs);
    ck_assert_uint_eq(m->flags, want[i].flags);
    ck_assert_uint_eq(m->kept, m->size);
    ck_assert_uint_gt(m->size, WIRE_HDR_SIZE);
}

/* The packet is the record's next message, to the byte and the fd. */
static void expect_message(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    struct realized *const done = arg;
    const struct realize_message *want;
    struct wire_hdr hdr;

    ck_assert_uint_eq(m->lost, 0);
    if (done->versions < TRACE_RIG_VERSIONS) {
        expect_version(m, done->versions++);
        return;
    }
    want = &realize[done->next];
    ck_assert_uint_eq(m->sender, want->to_backend ? SIDE_CLIENT : SIDE_BACKEND);
    ck_assert_uint_eq(m->legs, TRACE_LEGS);
    ck_assert_uint_eq(m->flags, 0);
    ck_assert_uint_eq(m->size, WIRE_HDR_SIZE + want->n);
    ck_assert_uint_eq(m->kept, m->size);
    ck_assert_int_eq(wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.id, want->hdr.id);
    ck_assert_uint_eq(hdr.command, want->hdr.command);
    ck_assert_uint_eq(hdr.flags, want->hdr.flags);
    ck_assert(want->n == 0 || memcmp(m->data + WIRE_HDR_SIZE, want->payload, want->n) == 0);
    ck_assert_uint_eq(m->n_fds, want->fds);
    for (unsigned i = 0; i < m->n_fds; i++) {
        struct stat st;

        ck_assert_int_eq(fstat(done->sent[done->next].fds[i], &st), 0);
        ck_assert_uint_eq(m->fds[i].kind, TRACE_FD_MEMFD);
        ck_assert_uint_eq(m->fds[i].access, O_RDWR);
        ck_assert_uint_eq(m->fds[i].dev, st.st_dev);
        ck_assert_uint_eq(m->fds[i].ino, st.st_ino);
        ck_assert_uint_eq(m->fds[i].size, (uint64_t)st.st_size);
    }
    if (want->fds > 0 && want->hdr.command == WIRE_DMA_MAP) {
        ck_assert_ptr_nonnull(item->comment);
        ck_assert_ptr_nonnull(strstr(item->comment, "unseen: guest memory 0x"));
    }
    done->next++;
}

START_TEST(a_realize_is_in_the_file_as_it_passed)
{
    struct fdset *const sent = calloc(realize_count, sizeof *sent);
    struct realized done = {.next = 2, .sent = sent};
    struct trace_sums sums;
    struct stat st;
    struct pair p;
    struct rig r;

    ck_assert_ptr_nonnull(sent);
    trace_rig_start(&r, "", "payload all");
    rig_session(&r, peer_qemu_json, "{}", &p);
    for (size_t i = 2; i < realize_count; i++) {
        pass_message(&p, i, &sent[i]);
    }
    pair_close(&p);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), expect_message, &done);
    ck_assert_uint_eq(done.next, realize_count);
    ck_assert_int_eq(sums.outcome, TRACE_END);
    ck_assert_uint_eq(sums.sessions, 1);
    ck_assert_uint_eq(sums.over, 1);
    ck_assert_uint_eq(sums.seen, realize_count - 2 + TRACE_RIG_VERSIONS);
    ck_assert_uint_eq(sums.all_lost, 0);
    ck_assert_str_eq(sums.section, "{\"poemd-trace\":1,\"payload\":\"all\"}");
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"session\":1,\"route\":\"r\""));
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"verdict\":\"allow\""));
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"backend\":{"));
    ck_assert_ptr_null(strstr(sums.comment, "late"));
    ck_assert_ptr_nonnull(strstr(sums.ending, "{\"ended\":\""));
    ck_assert_int_eq(stat(trace_rig_file(0), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    for (size_t i = 0; i < realize_count; i++) {
        fdset_close(&sent[i]);
    }
    free(sent);
}
END_TEST

START_TEST(poemd_trace_does_the_same)
{
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    rig_init(&r);
    rig_launch_args(&r,
                    (const char *const[]){"--listen", r.listen, "--backend", r.backend, "--workers",
                                          "1", "--trace", trace_rig_file(0), NULL});
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    pair_close(&p);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    ck_assert_uint_eq(sums.messages, TRACE_RIG_VERSIONS + 2);
    ck_assert_uint_eq(sums.over, 1);
}
END_TEST

/* ---- streams ---- */

struct walked {
    const struct stream *stream;
    size_t next;
};

/* The packet is the stream's next message, behind VERSION. */
static void expect_stream(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    struct walked *const w = arg;

    if (m->number <= TRACE_RIG_VERSIONS) {
        return;
    }
    const struct stream_message *const want =
        &w->stream->messages[m->number - TRACE_RIG_VERSIONS - 1];

    ck_assert_uint_eq(m->kept, want->size < SNAP_LENGTH_MOST ? want->size : SNAP_LENGTH_MOST);
    if (m->size != want->size || memcmp(m->data, w->stream->bytes + want->start, m->kept) != 0) {
        ck_abort_msg("message %llu is another", (unsigned long long)m->number);
    }
    w->next++;
}

START_TEST(large_messages_stream_through)
{
    struct stream s;
    struct walked w = {.stream = &s};
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    stream_init(&s);
    for (size_t i = 0; i < 6; i++) {
        stream_add(&s, (struct wire_hdr){.command = WIRE_REGION_WRITE}, NULL, 16 + i * 200000, 0);
    }
    trace_rig_start(&r, "", "payload all");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_pass(&p, &s);
    pair_close(&p);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), expect_stream, &w);
    ck_assert_uint_eq(w.next, 6);
    ck_assert_uint_eq(sums.all_lost, 0);
    stream_deinit(&s);
}
END_TEST

static void expect_kept(const struct trace_item *item, void *arg)
{
    unsigned *const n = arg;

    if (item->message.number > TRACE_RIG_VERSIONS) {
        ck_assert_uint_eq(item->message.size, WIRE_HDR_SIZE + 200);
        ck_assert_uint_eq(item->message.kept,
                          WIRE_HDR_SIZE + sizeof(struct wire_region_access) + 5);
        ++*n;
    }
}

START_TEST(payload_is_cut)
{
    struct stream s;
    struct trace_sums sums;
    struct pair p;
    struct rig r;
    unsigned n = 0;

    trace_rig_stream(&s, 3, WIRE_REGION_WRITE, 200);
    trace_rig_start(&r, "", "payload 5");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_pass(&p, &s);
    pair_close(&p);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), expect_kept, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(sums.section, "{\"poemd-trace\":1,\"payload\":5}");
    stream_deinit(&s);
}
END_TEST

static void expect_reset(const struct trace_item *item, void *arg)
{
    struct wire_hdr hdr;

    (void)arg;
    ck_assert_int_eq(wire_get_hdr(item->message.data, item->message.kept, UINT32_MAX, &hdr),
                     WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.command, WIRE_DEVICE_RESET);
}

START_TEST(a_filter_keeps_what_it_wants)
{
    struct stream s;
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    stream_init(&s);
    for (unsigned i = 0; i < 30; i++) {
        stream_add(&s,
                   (struct wire_hdr){.id = (uint16_t)i,
                                     .command = i % 3 ? WIRE_REGION_READ : WIRE_DEVICE_RESET},
                   NULL, 16, 0);
    }
    trace_rig_start(&r, "", "filter \"command=device_reset from=client\"");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_pass(&p, &s);
    pair_close(&p);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), expect_reset, NULL);
    ck_assert_uint_eq(sums.messages, 10);
    /* What was not wanted has passed, and is not lost. */
    ck_assert_uint_eq(sums.seen, TRACE_RIG_VERSIONS + 30);
    ck_assert_uint_eq(sums.lost + sums.all_lost, 0);
    ck_assert_ptr_nonnull(strstr(sums.section, "\"filter\":\"command=device_reset from=client\""));
    stream_deinit(&s);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(a_refused_session_is_captured)
{
    struct trace_sums sums;
    struct rig r;
    int fd;

    trace_rig_start(&r, "", "");
    fd = peer_connect(r.listen);
    peer_send_version(fd, 9, WIRE_TYPE_COMMAND, "{\"capabilities\":", NULL);
    ck_assert_int_eq(peer_recv_error(fd, 9, WIRE_VERSION), EINVAL);
    peer_expect_eof(fd);
    close(fd);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    /* What the client sent, and what it was told. */
    ck_assert_uint_eq(sums.messages, 2);
    ck_assert_str_eq(sums.ending, "{\"ended\":\"version-malformed\"}");
}
END_TEST

/* ---- what the broker does itself ---- */

struct gated {
    unsigned withheld; /* maps whose fd did not go on */
    unsigned denied;   /* requests of the device's that did not */
    unsigned answered; /* … and the broker's answers to them */
};

static void see_gate(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    struct gated *const g = arg;
    struct wire_hdr hdr;

    ck_assert_int_eq(wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    if (hdr.command == WIRE_DMA_MAP && !wire_is_reply(&hdr)) {
        ck_assert_uint_eq(m->legs, TRACE_LEGS);
        ck_assert_uint_eq(m->n_fds, 1);
        ck_assert_uint_eq(m->fds[0].kind, TRACE_FD_MEMFD);
        ck_assert_uint_eq(m->fds[0].flags, TRACE_FD_WITHHELD);
        ck_assert_ptr_null(item->comment);
        g->withheld++;
    } else if (hdr.command == WIRE_DMA_READ) {
        ck_assert_uint_eq(m->legs, TRACE_LEG_BACKEND);
        g->denied += m->sender == SIDE_BACKEND && m->flags == 0;
        g->answered += m->sender == SIDE_CLIENT && m->flags == TRACE_BROKER;
    }
}

START_TEST(what_is_withheld_and_what_is_answered_by_the_broker)
{
    const struct wire_dma_map map = {.argsz = sizeof map,
                                     .flags = WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE,
                                     .address = 0x1000,
                                     .size = 0x1000};
    const struct wire_dma_access outside = {.address = 0x100000, .count = 4};
    struct gated g = {0};
    struct message m;
    struct fdset fds;
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "\n    dma withhold");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send(p.client_fd, (struct wire_hdr){.id = 1, .command = WIRE_DMA_MAP}, &map, sizeof map,
              &fds);
    fdset_close(&fds);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.fds.n, 0);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, 0), NULL, 0, NULL);
    message_deinit(&m);
    peer_recv(p.client_fd, &m);
    message_deinit(&m);
    peer_send(p.backend_fd, (struct wire_hdr){.id = 2, .command = WIRE_DMA_READ}, &outside,
              sizeof outside, NULL);
    ck_assert_int_ne(peer_recv_error(p.backend_fd, 2, WIRE_DMA_READ), 0);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    trace_rig_stop(&r);
    ck_assert_uint_eq(trace_rig_read(trace_rig_file(0), see_gate, &g).all_lost, 0);
    ck_assert_uint_eq(g.withheld, 1);
    ck_assert_uint_eq(g.denied, 1);
    ck_assert_uint_eq(g.answered, 1);
}
END_TEST

/* ---- what does not fit ---- */

/*
 * The tracer is stopped, the ring of 1 MiB runs full: each message is in the file, or it is counted
 * as lost, once. The monitor is stopped as well, which would kill a tracer that hangs, and the
 * keeper, which would kill the monitor.
 */
START_TEST(what_finds_no_room_is_counted)
{
    struct stream s;
    struct walked w = {.stream = &s};
    struct trace_sums sums;
    struct pair p;
    struct rig r;
    pid_t monitor;
    pid_t tracer;

    trace_rig_stream(&s, 20000, WIRE_DEVICE_SET_IRQS, 100);
    trace_rig_start(&r, "trace-buffer 1", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    tracer = trace_rig_tracer(&r);
    monitor = rig_monitor(&r);
    ck_assert_int_eq(kill(r.daemon, SIGSTOP), 0);
    ck_assert_int_eq(kill(monitor, SIGSTOP), 0);
    ck_assert_int_eq(kill(tracer, SIGSTOP), 0);
    trace_rig_pass(&p, &s);
    pair_ping(&p);
    ck_assert_int_eq(kill(tracer, SIGCONT), 0);
    ck_assert_int_eq(kill(monitor, SIGCONT), 0);
    ck_assert_int_eq(kill(r.daemon, SIGCONT), 0);
    if (_i) {
        /* More comes when there is room again: the first of it tells what was lost. */
        trace_rig_await(trace_rig_file(0), 1000);
        pair_ping(&p);
    }
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, &w);
    ck_assert_uint_gt(sums.all_lost, 0);
    ck_assert_uint_gt(sums.messages, 1000);
    ck_assert_uint_eq(sums.seen, TRACE_RIG_VERSIONS + 20000 + (_i ? 4 : 2));
    ck_assert_uint_eq(sums.messages + sums.all_lost, sums.seen);
    if (_i) {
        ck_assert_uint_eq(sums.lost, sums.all_lost);
    } else {
        ck_assert_uint_le(sums.lost, sums.all_lost);
    }
    stream_deinit(&s);
}
END_TEST

/* ---- who dies ---- */

START_TEST(a_worker_killed_leaves_nothing_out)
{
    struct stream s;
    struct walked w = {.stream = &s};
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    trace_rig_stream(&s, 5000, WIRE_DEVICE_SET_IRQS, 100);
    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_pass(&p, &s);
    rig_await_rest(trace_rig_worker(&r));
    ck_assert_int_eq(kill(trace_rig_worker(&r), SIGKILL), 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    /* Another worker goes on with the capture. */
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, &w);
    ck_assert_int_eq(sums.outcome, TRACE_END);
    ck_assert_uint_eq(sums.sessions, 1);
    ck_assert_uint_eq(sums.over, 1);
    ck_assert_uint_eq(sums.messages, TRACE_RIG_VERSIONS + 5000 + 2);
    ck_assert_uint_eq(sums.all_lost, 0);
    stream_deinit(&s);
}
END_TEST

/* ---- disks ---- */

START_TEST(a_device_that_is_full_ends_the_capture_and_nothing_else)
{
    char line[256];
    struct pair p;
    struct rig r;

    trace_rig_start_at(&r, "/dev/full");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    rig_await_log(&r, "capture 1 ended: disk full", line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "warning"));
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    trace_rig_stop(&r);
}
END_TEST

/* A disk of its own for the test, of 2 MiB. False: who runs it may not make one. */
static bool make_disk(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    /* Seen by this process and its children alone, and gone with them. */
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("disk", path, "tmpfs", 0, "size=2m") == 0;
}

START_TEST(a_full_disk_leaves_a_gap_until_there_is_room)
{
    struct trace_sums sums;
    struct stream s;
    struct pair p;
    struct rig r;
    char path[RIG_PATH];
    char ballast[RIG_PATH];
    uint64_t had;
    int fd;

    snprintf(path, sizeof path, "%s", unit_path("disk"));
    if (!make_disk(path)) {
        return;
    }
    snprintf(ballast, sizeof ballast, "%s", unit_path("disk/ballast"));
    fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(posix_fallocate(fd, 0, (2 << 20) - 65536), 0);
    close(fd);
    snprintf(path, sizeof path, "%s", unit_path("disk/t.pcapng"));
    trace_rig_stream(&s, 8000, WIRE_DEVICE_SET_IRQS, 100);
    trace_rig_start_at(&r, path);
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_pass(&p, &s);
    rig_await_log(&r, "capture 1: disk full: messages are lost until", NULL, 0);
    rig_await_rest(trace_rig_tracer(&r));
    had = trace_rig_read(path, NULL, NULL).messages;
    ck_assert_int_eq(unlink(ballast), 0);
    /* The tracer tries again when something passes. */
    do {
        pair_ping(&p);
    } while (trace_rig_read(path, NULL, NULL).messages == had);
    rig_await_log(&r, "capture 1: there is room again", NULL, 0);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(path, NULL, NULL);
    ck_assert_int_eq(sums.outcome, TRACE_END);
    ck_assert_uint_gt(sums.messages, 200);
    ck_assert_uint_gt(sums.lost, 0);
    ck_assert_uint_eq(sums.over, 1);
    ck_assert_uint_eq(sums.messages + sums.lost, sums.seen);
    stream_deinit(&s);
}
END_TEST

/* ---- files ---- */

START_TEST(a_file_that_is_there_gets_a_number)
{
    struct pair p;
    struct rig r;
    int fd = open(trace_rig_file(0), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    char text[8] = "";

    ck_assert_int_eq(write(fd, "mine", 4), 4);
    close(fd);
    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    trace_rig_stop(&r);
    ck_assert_uint_eq(trace_rig_read(trace_rig_file(0), NULL, NULL).messages, TRACE_RIG_VERSIONS);
    fd = open(trace_rig_file(1), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(fd, text, sizeof text), 4);
    ck_assert_str_eq(text, "mine");
    close(fd);
}
END_TEST

struct numbered {
    uint64_t last;
};

static void expect_following(const struct trace_item *item, void *arg)
{
    struct numbered *const n = arg;

    ck_assert_uint_eq(item->message.number, n->last + 1);
    n->last = item->message.number;
}

START_TEST(a_large_file_is_followed_by_another)
{
    struct numbered n = {0};
    struct stream s;
    struct pair p;
    struct rig r;
    unsigned files = 0;
    unsigned over = 0;

    trace_rig_stream(&s, 4000, WIRE_DEVICE_SET_IRQS, 500);
    trace_rig_start(&r, "", "rotate 1 pack no");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    for (unsigned i = 0; i < 3; i++) {
        trace_rig_pass(&p, &s);
        /* The next file is there once something of it is. */
        for (struct patience patience = patience_begin();
             access(trace_rig_file(i + 1), F_OK) < 0;) {
            ck_assert(patience_again(&patience));
            pair_ping(&p);
        }
    }
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    trace_rig_stop(&r);
    /* Every message once, in order, over all of them. */
    while (access(trace_rig_file(files + 1), F_OK) == 0) {
        const struct trace_sums sums =
            trace_rig_read(trace_rig_file(++files), expect_following, &n);

        ck_assert_int_eq(sums.outcome, TRACE_END);
        over += sums.over;
    }
    ck_assert_uint_ge(files, 3);
    over += trace_rig_read(trace_rig_file(0), expect_following, &n).over;
    ck_assert_uint_eq(over, 1);
    ck_assert_uint_ge(n.last, TRACE_RIG_VERSIONS + 3 * 4000);
    stream_deinit(&s);
}
END_TEST

/* ---- nothing is left ---- */

START_TEST(sessions_come_and_go)
{
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "");
    rig_measure(&r, 2);
    for (int i = 0; i < 40; i++) {
        rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
        pair_ping(&p);
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
    }
    rig_settle(&r);
    trace_rig_stop(&r);
    ck_assert_uint_eq(trace_rig_read(trace_rig_file(0), NULL, NULL).over, 41);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace");
    TCase *tc = rig_case(s, "what passed");

    tcase_add_test(tc, a_realize_is_in_the_file_as_it_passed);
    tcase_add_test(tc, poemd_trace_does_the_same);
    tcase_add_test(tc, large_messages_stream_through);
    tcase_add_test(tc, payload_is_cut);
    tcase_add_test(tc, a_filter_keeps_what_it_wants);
    tcase_add_test(tc, a_refused_session_is_captured);
    tcase_add_test(tc, what_is_withheld_and_what_is_answered_by_the_broker);
    tcase_add_loop_test(tc, what_finds_no_room_is_counted, 0, 2);
    tc = rig_case(s, "who dies");
    tcase_add_test(tc, a_worker_killed_leaves_nothing_out);
    tc = rig_case(s, "files");
    tcase_add_test(tc, a_device_that_is_full_ends_the_capture_and_nothing_else);
    tcase_add_test(tc, a_full_disk_leaves_a_gap_until_there_is_room);
    tcase_add_test(tc, a_file_that_is_there_gets_a_number);
    tcase_add_test(tc, a_large_file_is_followed_by_another);
    tc = rig_case(s, "nothing is left");
    tcase_add_test(tc, sessions_come_and_go);
    return unit_run(s);
}
