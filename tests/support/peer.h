/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One end of a vfio-user connection, played by a test: single messages, one at a time.
 *
 * Sockets are blocking, with time-outs so generous that one which strikes means that something is
 * missing. Whatever goes otherwise than asked fails the test, with the line that asked.
 */
#ifndef POEMD_TESTS_SUPPORT_PEER_H
#define POEMD_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

/* A message that was received; owns its payload and its fds. */
struct message {
    struct wire_hdr hdr;
    uint8_t *payload; /* n bytes and one NUL more, so that JSON can be compared as text */
    size_t n;
    struct fdset fds;
};

void message_deinit(struct message *m);

/* ---- sockets ---- */

/* Listens at path as a backend does. Returns the fd. */
int peer_listen(const char *path, int backlog);

/* Takes the next connection of the listening socket. */
int peer_accept(int listen_fd);

/* Whether a connection waits there now, or comes within ms milliseconds. */
bool peer_waits(int listen_fd, int ms);

/* Connects to path. */
int peer_connect(const char *path);

/* ---- messages ---- */

/* Sends raw bytes, fds (may be NULL, kept) with the first of them. */
void peer_send_raw(int fd, const void *p, size_t n, const struct fdset *fds);

/* Sends hdr with n payload bytes by one sendmsg where it goes; hdr's size is made 16 + n. */
void peer_send(int fd, struct wire_hdr hdr, const void *payload, size_t n, const struct fdset *fds);

/*
 * Receives one message, header and rest each read exactly. Its fds must come with its first byte:
 * others fail the test.
 */
void peer_recv(int fd, struct message *m);

/* Receives a message that must be the error reply to a command: a header alone. Returns its errno.
 */
int peer_recv_error(int fd, uint16_t id, uint16_t command);

/* Fails unless the next thing from the peer is the end of its stream. A reset counts as one. */
void peer_expect_eof(int fd);

/* Fails where anything, also an end, has come already. */
void peer_expect_silence(int fd);

/* ---- VERSION ---- */

/* The capabilities that QEMU 11.1 sends, its spacing included. */
extern const char peer_qemu_json[];

/* Sends a VERSION message of version 0.0; flags as in a header; json NULL: no version data. */
void peer_send_version(int fd, uint16_t id, uint32_t flags, const char *json,
                       const struct fdset *fds);

/* Receives one that must be VERSION with these flags and without fds; its JSON must be as told. */
void peer_recv_version(int fd, uint16_t id, uint32_t flags, const char *json);

/* ---- fds ---- */

/* A new memfd whose inode tells it from every other. */
int peer_memfd(void);

/* Adds n new memfds to the set. */
void peer_memfds(struct fdset *s, unsigned n);

/* Whether both are the same file. */
bool peer_same_file(int a, int b);

/* Fails unless both sets hold the same files in the same order. */
void peer_expect_same_fds(const struct fdset *sent, const struct fdset *got);

#endif
