/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Workers that die while a route keeps its client's memory from the backend: the next one does. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "tests/daemon/dma_rig.h"
#include "tests/daemon/inject.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define POINTS 40u

/* Map 1 without its fd, then unmapping 2; before, between or after them the refusal of 3. */
static void expect_three(int fd)
{
    uint16_t next = 1;
    struct message m;

    for (int i = 0; i < 3; i++) {
        peer_recv(fd, &m);
        ck_assert_uint_eq(m.fds.n, 0);
        if (wire_is_reply(&m.hdr)) {
            ck_assert_uint_eq(m.hdr.id, 3);
            ck_assert_uint_eq(m.hdr.error, EFAULT);
        } else {
            ck_assert_uint_eq(m.hdr.id, next);
            next++;
        }
        message_deinit(&m);
    }
    ck_assert_uint_eq(next, 3);
}

/* A map, accesses and an unmapping; the worker ends at one of its system calls meanwhile. */
static void end_at_point(struct rig *r, const struct pair *p, uint16_t point)
{
    const uint64_t address = (1 + (uint64_t)point) * 0x10000;
    const struct wire_dma_unmap u = {.argsz = sizeof u, .address = address - 0x10000, .size = SIZE};
    struct injection j;

    inject_begin(&j, rig_worker(r));
    dma_send_map(p->client_fd, 1, address, R, 1);
    peer_send(p->client_fd, (struct wire_hdr){.id = 2, .command = WIRE_DMA_UNMAP}, &u, sizeof u,
              NULL);
    dma_ask(p->backend_fd, 3, WIRE_DMA_READ, 0x8, SIZE);
    dma_ask(p->backend_fd, 4, WIRE_DMA_READ, address - 0x10000, SIZE);
    inject_steps(&j, point);
    inject_leave_by(&j, SIGKILL);
    expect_three(p->backend_fd);
    dma_expect_command(p->client_fd, 4, WIRE_DMA_READ);
    dma_answer(p->client_fd, 4, WIRE_DMA_READ, 0);
    dma_expect_command(p->backend_fd, 4, WIRE_DMA_READ);
    rig_await_log(r, "goes on in worker", NULL, 0);
    dma_answer(p->backend_fd, 1, WIRE_DMA_MAP, 0);
    dma_expect_command(p->client_fd, 1, WIRE_DMA_MAP);
    dma_answer(p->backend_fd, 2, WIRE_DMA_UNMAP, 0);
    dma_expect_command(p->client_fd, 2, WIRE_DMA_UNMAP);
}

START_TEST(ended_at_any_system_call_a_worker_gives_away_nothing)
{
    struct rig r;
    struct pair p;

    if (!inject_possible()) {
        puts("skipped: ended_at_any_system_call_a_worker_gives_away_nothing: needs x86-64");
        return;
    }
    rig_start(&r, "dma withhold");
    rig_session(&r, peer_qemu_json, "{}", &p);
    dma_send_map(p.client_fd, 1, 0x10000, R, 1);
    dma_expect_map(p.backend_fd, 1, 0);
    dma_answer(p.backend_fd, 1, WIRE_DMA_MAP, 0);
    dma_expect_command(p.client_fd, 1, WIRE_DMA_MAP);
    for (uint16_t point = 1; point <= POINTS; point++) {
        end_at_point(&r, &p, point);
    }
    /* Only the last map is left. */
    dma_ask(p.backend_fd, 5, WIRE_DMA_READ, POINTS * 0x10000, SIZE);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 5, WIRE_DMA_READ), EFAULT);
    dma_ask(p.backend_fd, 6, WIRE_DMA_READ, (POINTS + 1) * 0x10000, SIZE);
    dma_expect_command(p.client_fd, 6, WIRE_DMA_READ);
    dma_ask(p.backend_fd, 7, WIRE_DMA_WRITE, (POINTS + 1) * 0x10000, 16);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 7, WIRE_DMA_WRITE), EFAULT);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* What was passed counts, and where it may be passed, in the next worker as in the first one. */
START_TEST(limits_bind_the_next_worker)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "dma max-bytes 8K\ndma max-maps 4\ndma ranges 0x1000-0x4fff");
    rig_session(&r, peer_qemu_json, "{\"capabilities\":{\"max_msg_fds\":8}}", &p);
    for (uint16_t i = 0; i < 5; i++) {
        dma_send_map(p.client_fd, i, i * SIZE, R, 1);
        if (i < 4) {
            dma_expect_map(p.backend_fd, i, i == 1 || i == 2);
        } else {
            ck_assert_int_eq(peer_recv_error(p.client_fd, i, WIRE_DMA_MAP), ENOSPC);
        }
        ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
        rig_await_log(&r, "goes on in worker", NULL, 0);
    }
    /* The backend refuses one, which is none. */
    dma_answer(p.backend_fd, 2, WIRE_DMA_MAP, EINVAL);
    dma_expect_command(p.client_fd, 2, WIRE_DMA_MAP);
    ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    dma_send_map(p.client_fd, 6, 4 * SIZE, R, 1);
    dma_expect_map(p.backend_fd, 6, 1);
    dma_ask(p.backend_fd, 7, WIRE_DMA_READ, 2 * SIZE, 1);
    ck_assert_int_eq(peer_recv_error(p.backend_fd, 7, WIRE_DMA_READ), EFAULT);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: dma_resume");
    TCase *const tc = rig_case(suite, "dma_resume");

    tcase_add_test(tc, ended_at_any_system_call_a_worker_gives_away_nothing);
    tcase_add_test(tc, limits_bind_the_next_worker);
    return unit_run(suite);
}
