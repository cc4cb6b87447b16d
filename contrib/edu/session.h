/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One client of the edu device, from its connection to its end.
 *
 * Requests are answered in the order in which they come, each before the next is looked at. The
 * device's own requests are sent after the answers and waited for by nobody: their replies are
 * taken when they come, between the client's commands.
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

/* The device's requests that may be unanswered at a time; one is the transfer's, the rest are of
 * transfers given up. */
#define SESSION_ASKED_MAX 64

/* What stays the same from client to client. All borrowed. */
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
    struct channel twin; /* fd -1 where there is none */
    bool negotiated;
    struct negotiate_result caps;
    uint64_t received; /* messages of the client's, this one included */
    uint8_t *out;      /* owned: the message being made */
    uint16_t next_id;
    uint16_t asked[SESSION_ASKED_MAX]; /* ids of unanswered requests, oldest first */
    unsigned asked_n;
    int64_t hold_until_ms; /* CLOCK_MONOTONIC; 0: nothing is held back */
};

/* Takes a connected socket. 0 or -errno; fd is closed then. */
int session_init_take(struct session *s, const struct session_setup *setup, int fd)
    __attribute__((warn_unused_result));

/* Closes the sockets; what of the device belongs to the client is left to device_client_gone. */
void session_deinit(struct session *s);

/* poll(2) events to wait for on a channel of the session's; 0 if none now. */
short session_events(const struct session *s, const struct channel *c);

/*
 * Does what poll(2) says can be done on a channel, a bounded number of messages of it. False: the
 * session is over.
 */
bool session_ready(struct session *s, struct channel *c, short revents)
    __attribute__((warn_unused_result));

/* Milliseconds until session_tick must be called; -1: never. */
int session_timeout(const struct session *s);

/* Lets go what has been held back long enough. False: the session is over. */
bool session_tick(struct session *s) __attribute__((warn_unused_result));

#endif
