/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The scripted server of the client's suites: a socket pair of which the test holds both ends.
 */
#define _GNU_SOURCE
#include "tests/unit/client/client_script.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/sock.h"

struct client c;
int server_fd;

static void open_pair(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    client_init_take(&c, fds[0], SOON_MS);
    server_fd = fds[1];
}

static void close_pair(void)
{
    client_deinit(&c);
    sock_close(&server_fd);
}

/* ---- the script ---- */

struct fdset some_fds(unsigned n)
{
    struct fdset s;

    fdset_init(&s);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(fdset_add_take(&s, eventfd(i, EFD_CLOEXEC)), 0);
    }
    return s;
}

void lay_raw(int fd, const void *p, size_t n, unsigned n_fds)
{
    struct fdset fds = some_fds(n_fds);

    ck_assert_int_eq(sock_send_all(fd, p, n, &fds), 0);
    fdset_close(&fds);
}

/* A message by its header, size being made right. */
void lay_on(int fd, struct wire_hdr h, const void *p, size_t n, unsigned n_fds)
{
    uint8_t raw[512];

    ck_assert_uint_le(WIRE_HDR_SIZE + n, sizeof raw);
    h.size = (uint32_t)(WIRE_HDR_SIZE + n);
    wire_put_hdr(raw, &h);
    if (n > 0) {
        memcpy(raw + WIRE_HDR_SIZE, p, n);
    }
    lay_raw(fd, raw, WIRE_HDR_SIZE + n, n_fds);
}

void lay_reply(uint16_t id, unsigned command, const void *p, size_t n, unsigned n_fds)
{
    lay_on(server_fd,
           (struct wire_hdr){.id = id, .command = (uint16_t)command, .flags = WIRE_TYPE_REPLY}, p,
           n, n_fds);
}

void lay_error(uint16_t id, unsigned command, uint32_t error)
{
    lay_on(server_fd,
           (struct wire_hdr){.id = id,
                             .command = (uint16_t)command,
                             .flags = WIRE_TYPE_REPLY | WIRE_ERROR,
                             .error = error},
           NULL, 0, 0);
}

/* What the client sent: one message; its payload to p. Returns the payload's size. */
size_t sent_on(int fd, struct wire_hdr *h, void *p, size_t room)
{
    uint8_t raw[WIRE_HDR_SIZE];
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(sock_recv_all(fd, raw, sizeof raw, &fds), 0);
    ck_assert_int_eq(wire_get_hdr(raw, sizeof raw, UINT32_MAX, h), WIRE_FRAME_OK);
    ck_assert_uint_le(h->size - WIRE_HDR_SIZE, room);
    if (h->size > WIRE_HDR_SIZE) {
        ck_assert_int_eq(sock_recv_all(fd, p, h->size - WIRE_HDR_SIZE, &fds), 0);
    }
    fdset_close(&fds);
    return h->size - WIRE_HDR_SIZE;
}

bool nothing_sent(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

TCase *script_case(Suite *s, const char *name)
{
    TCase *tc = unit_case(s, name);

    /* Teardowns run backwards: the pair is closed before the fds are compared. */
    tcase_add_checked_fixture(tc, open_pair, close_pair);
    return tc;
}
