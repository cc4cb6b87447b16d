/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Replaces a running device by another process of it, by the migration states of both: which
 * message goes to which of them, and what they must answer. proxy/ipc/replace_step.h lists the
 * steps.
 *
 * The new process is set up before the old one is stopped (reattach.h), so that most failures cost
 * no more than a pause. Each change of state is one of the arcs that every device has. If a step
 * fails after the old process was first asked to stop, it is set to RUNNING again: it loses
 * nothing, since it has been sent nothing else meanwhile. That ends when the new process is sent
 * RUNNING, unless it replies with an error: it may have answered requests and written memory, so
 * the old one's state is of the past, and the device is lost. Interrupts are set up before
 * RESUMING, since libvfio-user takes no SET_IRQS in STOP.
 *
 * The state is passed on part by part, and never kept. Pure: no socket, no clock. Neither process
 * is trusted: replies are checked in their size, and a state that does not end is ended by the
 * owner's limit of time (replace_fail).
 *
 * Specification: "VFIO_USER_DEVICE_FEATURE", "VFIO_USER_MIG_DATA_READ", "VFIO_USER_MIG_DATA_WRITE".
 */
#ifndef POEMD_PROXY_WORKER_REPLACE_H
#define POEMD_PROXY_WORKER_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/replace_step.h"
#include "proxy/relay/setup/reattach.h"
#include "proxy/relay/setup/setup.h"

/* The largest message in either direction: a part of the state. */
#define REPLACE_MESSAGE_MAX (WIRE_HDR_SIZE + sizeof(struct wire_mig_data) + LIMIT_REPLACE_PART)

struct replace {
    const struct setup *setup; /* borrowed; must not change from REPLACE_ASKS_OLD on */
    uint32_t max_fds;          /* that the new process takes with a message */
    uint32_t part;             /* bytes of state in one message */
    bool dry;                  /* asks and compares only */
    enum replace_step step;
    unsigned at;      /* messages of this step that were sent */
    bool waits;       /* for the reply to sent, … */
    bool sent_to_old; /* … of the old process */
    bool stopped;     /* the old process has been asked to stop */
    bool swapped;     /* the client's messages go to the new one */
    bool runs;        /* … which may run, and have changed what the old one's state stands for */
    bool old_first;   /* the next part is to be read, not written */
    enum replace_outcome outcome;
    enum replace_step failed; /* the step of the first failure */
    struct ipc_difference difference;
    struct reattach reattach;
    struct wire_hdr sent;
    uint64_t bytes; /* of state that the new process has taken */
    size_t n;       /* of message */
    uint8_t message[REPLACE_MESSAGE_MAX];
};

/* What the owner must do now. */
enum replace_next {
    REPLACE_NEXT_REPLY, /* wait for a reply */
    REPLACE_NEXT_OLD,   /* send the message to the old process … */
    REPLACE_NEXT_NEW,   /* … to the new one */
    REPLACE_NEXT_QUIET, /* hold the client's requests; when none is under way: replace_quiet */
    REPLACE_NEXT_SWAP,  /* exchange the sockets, then call replace_swapped */
    REPLACE_NEXT_BACK,  /* exchange them again, then call replace_swapped */
    REPLACE_NEXT_END,   /* release the client's requests: r->outcome */
};

/*
 * The record must not be given up. max_fds is at least 1; max_data is the smaller
 * max_data_xfer_size of both processes and the client. dry: for a dry run.
 */
void replace_init(struct replace *r, const struct setup *setup, uint32_t max_fds, uint32_t max_data,
                  bool dry);

/*
 * Returns the next action; for the first two of sending, with *m, which is valid until the reply.
 */
enum replace_next replace_next(struct replace *r, struct reattach_message *m)
    __attribute__((warn_unused_result));

/* No request is under way. Call after REPLACE_NEXT_QUIET. */
void replace_quiet(struct replace *r);

/* The sockets are exchanged. Call after REPLACE_NEXT_SWAP and REPLACE_NEXT_BACK. */
void replace_swapped(struct replace *r);

/*
 * A reply to the last message has come: n bytes of payload behind hdr. If it is not the one that
 * was asked for, or an error, the replacement fails.
 */
void replace_reply(struct replace *r, const struct wire_hdr *hdr, const uint8_t *payload, size_t n);

/*
 * It fails in this step, with d: time is over, or a process is gone. Where the old process cannot
 * go on, the outcome is REPLACE_LOST.
 */
void replace_fail(struct replace *r, const struct ipc_difference *d);

/* The old process is gone, in whatever step: the outcome is REPLACE_LOST. */
void replace_lose(struct replace *r);

#endif
