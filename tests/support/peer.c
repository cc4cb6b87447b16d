/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Scripted peers over base/sock and base/wire. Blocking, for tests only.
 */
#define _GNU_SOURCE
#include "tests/support/peer.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/patience.h"

/* A message no test expects to be larger; what claims to be fails instead of being allocated. */
#define MESSAGE_MAX (64u << 20)

const char peer_qemu_json[] =
    "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
    "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, "
    "\"pgsize\": 4096}, \"write_multiple\": true}}";

void message_deinit(struct message *m)
{
    free(m->payload);
    m->payload = NULL;
    fdset_close(&m->fds);
}

static void set_patience(int fd)
{
    const int ms = patience_ms();
    const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
}

int peer_listen(const char *path, int backlog)
{
    const int fd = sock_listen(path, 0666, (uid_t)-1, (gid_t)-1, backlog);

    ck_assert_msg(fd >= 0, "listen at %s: %s", path, strerror(-fd));
    return fd;
}

bool peer_waits(int listen_fd, int ms)
{
    struct pollfd p = {.fd = listen_fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1;
}

int peer_accept(int listen_fd)
{
    int fd;

    ck_assert_msg(peer_waits(listen_fd, patience_ms()), "nobody connects to the backend");
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_msg(fd >= 0, "accept: %s", strerror(errno));
    set_patience(fd);
    return fd;
}

int peer_connect(const char *path)
{
    const int fd = sock_connect(path, false);

    ck_assert_msg(fd >= 0, "connect to %s: %s", path, strerror(-fd));
    set_patience(fd);
    return fd;
}

void peer_send_raw(int fd, const void *p, size_t n, const struct fdset *fds)
{
    const int err = sock_send_all(fd, p, n, fds);

    ck_assert_msg(err == 0, "sending %zu bytes: %s", n, strerror(-err));
}

void peer_send(int fd, struct wire_hdr hdr, const void *payload, size_t n, const struct fdset *fds)
{
    uint8_t *const bytes = malloc(WIRE_HDR_SIZE + n);

    ck_assert_ptr_nonnull(bytes);
    hdr.size = (uint32_t)(WIRE_HDR_SIZE + n);
    wire_put_hdr(bytes, &hdr);
    if (n > 0) {
        memcpy(bytes + WIRE_HDR_SIZE, payload, n);
    }
    peer_send_raw(fd, bytes, WIRE_HDR_SIZE + n, fds);
    free(bytes);
}

void peer_recv(int fd, struct message *m)
{
    uint8_t header[WIRE_HDR_SIZE];
    struct fdset late;
    int err;

    *m = (struct message){.n = 0};
    fdset_init(&late);
    err = sock_recv_all(fd, header, 1, &m->fds);
    ck_assert_msg(err == 0, "waiting for a message: %s", strerror(-err));
    err = sock_recv_all(fd, header + 1, sizeof header - 1, &late);
    ck_assert_msg(err == 0, "in a header: %s", strerror(-err));
    ck_assert_int_eq(wire_get_hdr(header, sizeof header, MESSAGE_MAX, &m->hdr), WIRE_FRAME_OK);
    m->n = m->hdr.size - WIRE_HDR_SIZE;
    m->payload = calloc(1, m->n + 1);
    ck_assert_ptr_nonnull(m->payload);
    err = sock_recv_all(fd, m->payload, m->n, &late);
    ck_assert_msg(err == 0, "in a payload of %zu bytes: %s", m->n, strerror(-err));
    ck_assert_msg(late.n == 0, "%u fds came behind a message's first byte", late.n);
}

int peer_recv_error(int fd, uint16_t id, uint16_t command)
{
    struct message m;
    int err;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.command, command);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY | WIRE_ERROR);
    ck_assert_uint_eq(m.hdr.size, WIRE_HDR_SIZE);
    ck_assert_uint_eq(m.fds.n, 0);
    err = (int)m.hdr.error;
    ck_assert_int_gt(err, 0);
    message_deinit(&m);
    return err;
}

void peer_expect_eof(int fd)
{
    struct fdset fds;
    uint8_t byte;
    int err;

    fdset_init(&fds);
    err = sock_recv_all(fd, &byte, 1, &fds);
    ck_assert_msg(err == -EPIPE || err == -ECONNRESET, "instead of the end: %s",
                  err ? strerror(-err) : "a byte");
    ck_assert_uint_eq(fds.n, 0);
}

void peer_expect_silence(int fd)
{
    uint8_t byte;
    const ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    ck_assert_msg(n < 0 && errno == EAGAIN, "instead of nothing: %s", n == 0 ? "the end" : "bytes");
}

void peer_send_version(int fd, uint16_t id, uint32_t flags, const char *json,
                       const struct fdset *fds)
{
    const struct wire_version number = {0};
    const size_t json_n = json ? strlen(json) + 1 : 0;
    uint8_t *const payload = malloc(sizeof number + json_n);

    ck_assert_ptr_nonnull(payload);
    memcpy(payload, &number, sizeof number);
    if (json) {
        memcpy(payload + sizeof number, json, json_n);
    }
    peer_send(fd, (struct wire_hdr){.id = id, .command = WIRE_VERSION, .flags = flags}, payload,
              sizeof number + json_n, fds);
    free(payload);
}

void peer_recv_version(int fd, uint16_t id, uint32_t flags, const char *json)
{
    const struct wire_version number = {0};
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_VERSION);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_msg(m.hdr.flags == flags, "VERSION with flags %x, error %u, not %x", m.hdr.flags,
                  m.hdr.error, flags);
    ck_assert_uint_eq(m.fds.n, 0);
    ck_assert_uint_ge(m.n, sizeof number);
    ck_assert_mem_eq(m.payload, &number, sizeof number);
    if (json) {
        ck_assert_str_eq((const char *)m.payload + sizeof number, json);
        ck_assert_uint_eq(m.n, sizeof number + strlen(json) + 1);
    } else {
        ck_assert_uint_eq(m.n, sizeof number);
    }
    message_deinit(&m);
}

int peer_memfd(void)
{
    const int fd = memfd_create("poemd-test", MFD_CLOEXEC);

    ck_assert_msg(fd >= 0, "memfd_create: %s", strerror(errno));
    return fd;
}

void peer_memfds(struct fdset *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(fdset_add_take(s, peer_memfd()), 0);
    }
}

bool peer_same_file(int a, int b)
{
    struct stat sa;
    struct stat sb;

    ck_assert_int_eq(fstat(a, &sa), 0);
    ck_assert_int_eq(fstat(b, &sb), 0);
    return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

void peer_expect_same_fds(const struct fdset *sent, const struct fdset *got)
{
    ck_assert_uint_eq(sent->n, got->n);
    for (unsigned i = 0; i < sent->n; i++) {
        ck_assert_msg(peer_same_file(sent->fds[i], got->fds[i]), "fd %u is another", i);
    }
}
