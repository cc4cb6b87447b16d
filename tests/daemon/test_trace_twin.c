/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures of sessions with twin sockets: what passes on either is in the file, told apart, in the
 * one order of the session's numbers.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/daemon/trace_rig.h"
#include "tests/daemon/twin_rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "trace/file/snap_length.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"

/* Both sockets, both directions: [sender][twin]. */
struct passed {
    struct stream streams[SIDES][2];
    size_t next[SIDES][2];
    unsigned versions;
    uint64_t twin_sockets[2]; /* inodes: the backend's own, what the client got for it */
};

/* The backend's reply brings its end of the twin socket; the broker's has the broker's own. */
static void take_version(struct passed *p, const struct trace_message *m)
{
    const bool reply = p->versions >= 2;

    ck_assert_uint_eq(m->flags & TRACE_TWIN, 0);
    ck_assert_uint_eq(m->n_fds, reply);
    if (reply) {
        ck_assert_uint_eq(m->fds[0].kind, TRACE_FD_SOCKET);
        p->twin_sockets[p->versions - 2] = m->fds[0].ino;
    }
    p->versions++;
}

static void take(const struct trace_item *item, void *arg)
{
    const struct trace_message *const m = &item->message;
    const bool twin = (m->flags & TRACE_TWIN) != 0;
    struct passed *const p = arg;
    const struct stream *s;
    const struct stream_message *want;
    /* A packet has room for its fds or for data. */
    const uint32_t most = SNAP_LENGTH_MOST - TRACE_CAPTURE_FD_SIZE * m->n_fds;

    ck_assert_uint_eq(m->lost, 0);
    if (p->versions < TRACE_RIG_VERSIONS) {
        take_version(p, m);
        return;
    }
    s = &p->streams[m->sender][twin];
    ck_assert_uint_lt(p->next[m->sender][twin], s->count);
    want = &s->messages[p->next[m->sender][twin]++];
    ck_assert_uint_eq(m->flags, twin ? TRACE_TWIN : 0);
    ck_assert_uint_eq(m->legs, TRACE_LEGS);
    ck_assert_uint_eq(m->size, want->size);
    ck_assert_uint_eq(m->kept, want->size < most ? want->size : most);
    ck_assert_int_eq(memcmp(m->data, s->bytes + want->start, m->kept), 0);
    ck_assert_uint_eq(m->n_fds, want->fds.n);
    for (unsigned i = 0; i < m->n_fds; i++) {
        struct stat st;

        ck_assert_int_eq(fstat(want->fds.fds[i], &st), 0);
        ck_assert_uint_eq(m->fds[i].ino, st.st_ino);
    }
}

static void fill(struct passed *p)
{
    for (int sender = 0; sender < SIDES; sender++) {
        for (int twin = 0; twin < 2; twin++) {
            struct stream *const s = &p->streams[sender][twin];

            stream_init(s);
            /* No two streams have a message in common. */
            for (uint16_t i = 0; i < 100; i++) {
                const uint16_t id = (uint16_t)(i * 4 + sender * 2 + twin);

                stream_add(s, (struct wire_hdr){.id = id, .command = WIRE_DEVICE_RESET}, NULL,
                           i * 7u, i % 20 == 3 ? 5 : 0);
            }
            stream_add(s, (struct wire_hdr){.command = WIRE_REGION_WRITE}, NULL, 16 + 700000, 1);
        }
    }
}

static void pass(const struct passed *p, const struct twins *t)
{
    struct flow flows[2 * SIDES];
    size_t n = 0;

    for (int sender = 0; sender < SIDES; sender++) {
        for (int twin = 0; twin < 2; twin++) {
            const struct pair *const fds = twin ? &t->twin : &t->main;
            const bool up = sender == SIDE_CLIENT;

            flows[n++] = (struct flow){.stream = &p->streams[sender][twin],
                                       .from_fd = up ? fds->client_fd : fds->backend_fd,
                                       .to_fd = up ? fds->backend_fd : fds->client_fd,
                                       .cut = FLOW_GLUED};
        }
    }
    flow_run(flows, n);
}

START_TEST(both_sockets_are_captured)
{
    struct passed p = {.versions = 0};
    struct trace_sums sums;
    struct twins t;
    struct rig r;

    fill(&p);
    trace_rig_start(&r, "", "payload all");
    twin_rig_begin(&r, &t);
    pass(&p, &t);
    twin_rig_end(&t);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), take, &p);
    ck_assert_int_eq(sums.outcome, TRACE_END);
    ck_assert_uint_eq(sums.all_lost, 0);
    ck_assert_uint_eq(sums.over, 1);
    ck_assert_uint_ne(p.twin_sockets[0], p.twin_sockets[1]);
    for (int sender = 0; sender < SIDES; sender++) {
        for (int twin = 0; twin < 2; twin++) {
            ck_assert_uint_eq(p.next[sender][twin], p.streams[sender][twin].count);
            stream_deinit(&p.streams[sender][twin]);
        }
    }
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace: twin sockets");
    TCase *const tc = rig_case(s, "twin sockets");

    tcase_add_test(tc, both_sockets_are_captured);
    return unit_run(s);
}
