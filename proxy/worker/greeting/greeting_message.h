/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A VERSION message while it is read or written, and the checks of its header. */
#ifndef POEMD_PROXY_WORKER_GREETING_MESSAGE_H
#define POEMD_PROXY_WORKER_GREETING_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/sock.h"
#include "base/wire/wire.h"
#include "handshake/version.h"

/* Room enough for most messages: the largest is some hundred times as long. */
#define GREETING_USUAL 512u

/* Size of a header's fault in words. */
#define GREETING_WHY 192u

struct session_page;

struct greeting_message {
    size_t at;   /* bytes read or written so far */
    size_t size; /* … and in all; known once the header has come */
    size_t room;
    uint8_t *data; /* owned; room bytes */
};

/* Makes room for a message of n bytes; keeps its contents. Returns false if out of memory. */
bool greeting_message_room(struct greeting_message *m, size_t n)
    __attribute__((warn_unused_result));

void greeting_message_deinit(struct greeting_message *m);

/*
 * Fills m with a VERSION message, with a header like this one. Returns false if out of memory,
 * since a rewritten message is at most LIMIT_VERSION_ADDED bytes longer than the one read, of size
 * bytes.
 */
bool greeting_message_compose(struct greeting_message *m, size_t size, const struct wire_hdr *like,
                              const struct version_offer *o) __attribute__((warn_unused_result));

/*
 * Judges the complete header of the message that begins a session, or answers request if that is
 * not NULL; fills *hdr in any case. Returns false with the fault in why, including the header's
 * numbers and the limit. "Header", "VFIO_USER_VERSION".
 */
bool greeting_message_judge(const struct greeting_message *m, const struct wire_hdr *request,
                            struct wire_hdr *hdr, char why[static GREETING_WHY])
    __attribute__((warn_unused_result));

/*
 * Sends what is left of m, with fds at its first byte, and notes in page, unless that is NULL, how
 * much the kernel has taken, by way of post. Returns as sock_send does.
 */
ssize_t greeting_message_send(const struct greeting_message *m, int fd, const struct fdset *fds,
                              struct session_page *page, struct sock_post *post)
    __attribute__((warn_unused_result));

#endif
