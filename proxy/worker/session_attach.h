/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sets up a new process of a device on its socket, with what reattach.c makes. Requests
 * of the device meanwhile are answered with EBUSY: its client does not know of it yet.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_ATTACH_H
#define POEMD_PROXY_WORKER_SESSION_ATTACH_H

#include <event2/event.h>
#include <stdbool.h>

#include "proxy/ipc/ipc.h"
#include "proxy/relay/setup/setup.h"

struct sender_check;
struct session_attach;

/*
 * The device is set up; or refused, with the difference (IPC_DIFFERS_NOT: it has closed its socket
 * or sent bytes that are not a message). Called once, and never from session_attach_new; may free
 * it.
 */
typedef void session_attach_fn(void *arg, const struct ipc_difference *refused);

/*
 * Borrows the socket, which is non-blocking, and the record, which must not change, but for
 * requests that are answered before they are sent to the device. Returns NULL if out of memory.
 */
struct session_attach *session_attach_new(struct event_base *base, int fd,
                                          const struct setup *setup, uint32_t max_fds,
                                          session_attach_fn *fn, void *arg)
    __attribute__((warn_unused_result));

/* NULL is allowed. */
void session_attach_free(struct session_attach *a);

/*
 * Checks the senders of replies, so that a process in the place of the judged one gets no more than
 * the first message. check is borrowed; NULL: not.
 */
void session_attach_check_senders(struct session_attach *a, struct sender_check *check);

/* Returns true if requests of the client are being sent to the device, or have been. */
bool session_attach_repeats(const struct session_attach *a);

/* Returns what the device was given. */
struct ipc_attached session_attach_result(const struct session_attach *a);

struct fdset;
struct reattach;

/*
 * Returns false, with r->difference, if the reply must come with the memory that the client has
 * mapped, and does not. fds came with it.
 */
bool session_attach_same_memory(struct reattach *r, const struct wire_hdr *hdr,
                                const struct fdset *fds);

#endif
