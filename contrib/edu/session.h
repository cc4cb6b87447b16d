/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One client of the edu device, from its connection to its end.
 *
 * Requests are answered in the order in which they come, each before the next one is read. The
 * device's own requests are sent after the answers, and it does not block on their replies: they
 * are handled when they come, between the client's commands.
 */
#ifndef POEMD_EDU_SESSION_H
#define POEMD_EDU_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "contrib/edu/channel.h"
#include "contrib/edu/device.h"
#include "contrib/edu/fault.h"
#include "contrib/edu/migration.h"
#include "contrib/edu/negotiate.h"

/*
 * The device's requests that may be unanswered at once; one is the current transfer's, the rest
 * belong to transfers that were given up.
 */
#define SESSION_ASKED_MAX 64

/* Parts common to all clients. All borrowed. */
struct session_setup {
    struct device *device;
    struct migration *migration;
    const struct negotiate_caps *caps;
    struct negotiate_reciter reciter;
    const struct fault_list *faults;
    bool mmap;
};

struct session {
    const struct session_setup *setup;
    struct channel main;
    struct channel twin; /* fd is -1 without a twin socket */
    bool negotiated;
    struct negotiate_result caps;
    uint64_t received; /* messages of the client, with this one */
    uint8_t *out;      /* owned: the message under construction */
    uint16_t next_id;
    uint16_t asked[SESSION_ASKED_MAX]; /* ids of unanswered requests, oldest first */
    unsigned asked_n;
    int64_t hold_until_ms; /* CLOCK_MONOTONIC; 0: no message is held back */
};

/* Takes a connected socket. Returns 0, or -errno after closing fd. */
int session_init_take(struct session *s, const struct session_setup *setup, int fd)
    __attribute__((warn_unused_result));

/* Closes the sockets; device_client_gone releases the client's parts of the device. */
void session_deinit(struct session *s);

/* poll(2) events to wait for on one of the session's channels; may be 0. */
short session_events(const struct session *s, const struct channel *c);

/*
 * Handles the poll(2) events of a channel, for a limited number of its messages. Returns false if
 * the session is over.
 */
bool session_ready(struct session *s, struct channel *c, short revents)
    __attribute__((warn_unused_result));

/* Milliseconds until session_tick must be called; -1: never. */
int session_timeout(const struct session *s);

/* Sends messages whose time of holding back is over. Returns false if the session is over. */
bool session_tick(struct session *s) __attribute__((warn_unused_result));

#endif
