/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a held session has, and its answers to the client in the device's stead, from what is kept.
 * For session_hold.c; others use session_hold.h.
 */
#ifndef POEMD_PROXY_WORKER_DEVICE_SESSION_HOLD_ANSWER_H
#define POEMD_PROXY_WORKER_DEVICE_SESSION_HOLD_ANSWER_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handshake/version.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/setup/setup.h"

struct greeting;
struct session;
struct session_attach;

enum hold_state { HOLD_RELAYS, HOLD_WAITS, HOLD_GREETS, HOLD_SETS_UP };

struct session_hold {
    struct session *session;
    struct setup *setup;
    struct version_offer promised; /* to the client, by the first process */
    uint8_t *request;              /* the client's VERSION, owned */
    size_t request_size;
    uint32_t answer_ms; /* 0: requests wait without a limit */
    enum hold_state state;
    bool may;           /* be held */
    bool ready;         /* the new process is set up, and the client has answers to take */
    bool expired;       /* a request has been answered with an error since the loss */
    uint32_t failed;    /* requests that were */
    uint32_t missed;    /* requests in a row without a reply, while it relays … */
    uint64_t missed_at; /* … since the device had sent this many bytes */
    uint32_t lost_ms;   /* clock_coarse_ms of the loss */
    uint32_t allowed_ms;
    uint32_t unsent; /* bits 1 << enum ipc_type, in the order of session_hold_report */
    struct ipc_lost lost;
    struct ipc_attached attached;
    struct ipc_detached detached;
    struct greeting *greeting; /* of the new process, or a finished one */
    struct session_attach *attach;
    int backend_fd;   /* of the new process, from the verdict until it is set up */
    uint8_t *answers; /* owned; that the client has not taken yet, or NULL */
    size_t answers_start;
    size_t answers_end;
    struct event client_writable;
    struct event due;   /* when the next request is answered with an error */
    struct event limit; /* of VERSION, or the setting up */
};

/* Sets the timer; 0 ms count as 1. */
void session_hold_set(struct event *e, uint32_t ms);

/*
 * Answers all requests that can be answered, or are due, as far as there is room, if the session is
 * held. May end the session.
 */
void session_hold_answer_now(struct session_hold *h);

/*
 * Answers all that waits with an error, and hangs up. QEMU reads the end, and goes on waiting for a
 * reply all the same; so it must not send another request in between.
 */
void session_hold_fail_all(struct session_hold *h);

#endif
