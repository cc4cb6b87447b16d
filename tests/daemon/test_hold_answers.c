/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "on backend loss hold": whatever the next process of the device does, and whatever is kept, each
 * request under way is answered once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/hold_rig.h"
#include "tests/support/unit.h"

static const struct wire_region_access access_4 = {.count = 4};

static void end(struct rig *r, struct pair *p)
{
    pair_ping(p);
    pair_close(p);
    rig_stop(r);
}

static void send_read(const struct pair *p, uint16_t id)
{
    peer_send(p->client_fd, hold_rig_command(id, WIRE_REGION_READ), &access_4, sizeof access_4,
              NULL);
}

/*
 * The next process takes its time for what is set up: what is answered meanwhile, since it has
 * waited for too long, is not sent to it, nor is anything that was kept of it.
 */
START_TEST(what_is_answered_during_the_setting_up_is_not_repeated)
{
    const int memory_fd = peer_memfd();
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, "on backend loss hold 60s\nanswer-after 1s\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_set_up_map(&p, 0, memory_fd);
    send_read(&p, 9);
    hold_rig_hear(p.backend_fd, WIRE_REGION_READ, 0, &m);
    message_deinit(&m);
    hold_rig_lose_device(&r, &p);
    send_read(&p, 10);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_hear(p.backend_fd, WIRE_DMA_MAP, 1, &m);
    for (uint16_t id = 9; id <= 10; id++) {
        ck_assert_int_eq(peer_recv_error(p.client_fd, id, WIRE_REGION_READ), EIO);
    }
    hold_rig_agree(p.backend_fd, &m, NULL, 0);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    close(memory_fd);
    end(&r, &p);
}
END_TEST

/* It is larger than all that is kept of requests. */
START_TEST(a_request_that_cannot_be_repeated_gets_an_error)
{
    const size_t n = sizeof access_4 + 65536;
    struct wire_region_access *const write = calloc(1, n);
    struct message m;
    struct pair p;
    struct rig r;

    ck_assert_ptr_nonnull(write);
    write->count = 65536;
    rig_start(&r, "on backend loss hold 60s\nanswer-after never\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    peer_send(p.client_fd, hold_rig_command(9, WIRE_REGION_WRITE), write, n, NULL);
    free(write);
    hold_rig_hear(p.backend_fd, WIRE_REGION_WRITE, 0, &m);
    message_deinit(&m);
    hold_rig_lose_device(&r, &p);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 9, WIRE_REGION_WRITE), EIO);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    end(&r, &p);
}
END_TEST

/* "same-process": the judged process leaves its place to another one, which gets no more. */
START_TEST(another_process_than_the_judged_one_gets_one_message)
{
    const int memory_fd = peer_memfd();
    struct message m;
    struct pair p;
    struct rig r;
    pid_t pid;
    int status;

    rig_start(&r, "on backend loss hold 60s\nanswer-after never\nsame-process end of backend\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_set_up_map(&p, 0, memory_fd);
    hold_rig_set_up_map(&p, 1, memory_fd);
    hold_rig_lose_device(&r, &p);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_hear(p.backend_fd, WIRE_DMA_MAP, 1, &m);
    pid = fork();
    if (pid == 0) {
        const struct wire_hdr reply = wire_reply_hdr(&m.hdr, 0);
        uint8_t bytes[WIRE_HDR_SIZE];

        wire_put_hdr(bytes, &reply);
        _exit(write(p.backend_fd, bytes, sizeof bytes) != sizeof bytes);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    message_deinit(&m);
    rig_await_log(&r, "handed on: its socket is used by process", NULL, 0);
    rig_await_log(&r, "another process of its device is not taken", NULL, 0);
    ck_assert_int_eq(recv(p.backend_fd, &status, sizeof status, 0), 0);
    sock_close(&p.backend_fd);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_expect_map(&p, 0, memory_fd);
    hold_rig_expect_map(&p, 1, memory_fd);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    close(memory_fd);
    end(&r, &p);
}
END_TEST

/* What the worker has reported to the dead monitor, it reports to the next one again. */
START_TEST(a_device_is_lost_while_there_is_no_monitor)
{
    const int memory_fd = peer_memfd();
    struct fdset fds;
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, "on backend loss hold 60s\nanswer-after never\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    ck_assert_int_eq(kill(rig_monitor(&r), SIGSTOP), 0);
    sock_close(&p.backend_fd);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, dup(memory_fd)), 0);
    peer_send(p.client_fd, hold_rig_command(1, WIRE_DMA_MAP), &hold_rig_maps[0],
              sizeof hold_rig_maps[0], &fds);
    fdset_close(&fds);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    message_deinit(&m);
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    rig_await_log(&r, "its device is gone", NULL, 0);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_expect_map(&p, 0, memory_fd);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    close(memory_fd);
    end(&r, &p);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("hold_answers");
    TCase *const c = rig_case(s, "answers");

    tcase_add_test(c, what_is_answered_during_the_setting_up_is_not_repeated);
    tcase_add_test(c, a_request_that_cannot_be_repeated_gets_an_error);
    tcase_add_test(c, a_device_is_lost_while_there_is_no_monitor);
    tcase_add_test(c, another_process_than_the_judged_one_gets_one_message);
    return unit_run(s);
}
