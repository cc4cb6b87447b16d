/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a worker counts of a route's messages for the metrics, in memory that it shares with the
 * monitor: by direction and command; and how long requests took, by kinds of commands.
 *
 * A worker's file of session pages (session_page.h) ends with tallies, one for each route whose
 * sessions the worker has, if metrics are configured. The worker adds, and the monitor reads while
 * it does: each number is whole, but two of them may be a message apart. Numbers are as little
 * trusted as any that a worker sends, and only shown; they are sound in any combination.
 *
 * A time is that between the looks at which the relay found a request and its reply, so it contains
 * one passing on. Requests that wait are in a table of the process, of a fixed size, in which a
 * newer request may take another one's place: that one is counted, but not measured.
 */
#ifndef POEMD_PROXY_IPC_TALLY_H
#define POEMD_PROXY_IPC_TALLY_H

#include <stdint.h>

#include "base/limits.h"
#include "base/side.h"
#include "base/wire/wire_command.h"
#include "proxy/ipc/ipc.h"

/* One for each command; those that the specification has not share number 0. */
#define TALLY_COMMANDS ((unsigned)WIRE_COMMAND_CODES)

/* Kinds of commands that take a similar time. */
enum tally_class {
    TALLY_OTHER,
    TALLY_REGION_READ,
    TALLY_REGION_WRITE,
    TALLY_DMA,
    TALLY_MAP,
    TALLY_DEVICE,
    TALLY_MIGRATION,
    TALLY_CLASSES,
};

/* Buckets of times: up to and including the bounds, and one above. */
#define TALLY_BOUNDS 14u
#define TALLY_BUCKETS (TALLY_BOUNDS + 1)

/* In ns, ascending. */
extern const uint64_t tally_bounds[TALLY_BOUNDS];

/* The slowest request of the last LIMIT_EXEMPLAR_NS. */
struct tally_exemplar {
    uint64_t session; /* its number; 0: no exemplar */
    uint64_t record;  /* of the session's verdict in the audit log, plus 1, or 0 */
    uint64_t ns;
    uint64_t at_ns; /* clock_ns when the reply was found */
};

struct tally_times {
    uint64_t buckets[TALLY_BUCKETS];
    uint64_t ns; /* of all */
    struct tally_exemplar slowest;
};

struct tally {
    struct ipc_count by[SIDES][TALLY_COMMANDS]; /* delivered, by the side that sends */
    struct tally_times times[TALLY_CLASSES];
};

/* Returns the index in by. */
static inline unsigned tally_command(uint16_t command)
{
    return wire_command_find(command) ? command : 0;
}

/* Returns the word for a label ("region-read"). Static. */
const char *tally_class_word(enum tally_class class);

/* Returns the bucket of a time. */
unsigned tally_bucket(uint64_t ns);

/* Adds all of more to sum; of exemplars the slower one stays. */
void tally_add(struct tally *sum, const struct tally *more);

/* ---- the worker's part ---- */

/* As in an exemplar. */
struct tally_subject {
    uint64_t session;
    uint64_t record;
};

/* A session's: where it counts. */
struct tally_meter {
    struct tally *tally; /* shared; NULL: nothing is counted */
    const struct tally_subject *subject;
};

/* Notes the time of a look, by clock_ns: requests that it finds begin then, replies end them. */
void tally_look(uint64_t now_ns);

/* So many bytes and fds of a message, or its end, have been delivered. */
static inline void tally_count(const struct tally_meter *m, enum side from, uint16_t command,
                               const struct ipc_count *more)
{
    ipc_count_add(&m->tally->by[from][tally_command(command)], more);
}

/* A message with this header has been delivered on the session's sockets or its twin sockets. */
void tally_time(const struct tally_meter *m, bool twin, enum side from, const struct wire_hdr *hdr);

#endif
