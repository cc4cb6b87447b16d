/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's file of session pages (proxy/ipc/session_page.h), as the monitor has it: which slots
 * are used, and what is in them once the worker has died.
 *
 * It lives as long as its worker, or a session that still has a slot in it. The file is sparse: an
 * unused slot takes no memory.
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_PAGES_H
#define POEMD_PROXY_MONITOR_WORKER_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/session_page.h"

struct fdstore;
struct state_file;
struct state_worker;

struct worker_pages {
    int fd;
    uint64_t serial;       /* of the worker's process; 0: none yet */
    uint32_t kept_block;   /* the process's record in the state file, or STATE_NO_BLOCK */
    struct fdstore *store; /* that has the file, too */
    struct state_file *state;
    unsigned refs; /* the worker, and each used slot */
    uint32_t n;    /* slots */
    uint32_t tallies;
    uint32_t first; /* no slot below it is free */
    uint32_t used;
    uint32_t landed[LIMIT_HELD]; /* by places for other workers' bytes: 1 + the slot; 0: free */
    uint32_t *chunks;            /* owned; by chunks for other workers' logs: 1 + the slot; 0: free;
                                  * NULL: all are free */
    uint64_t slots[];            /* bits: used */
};

/*
 * Makes a file with n slots and so many tallies, sealed in its size. Returns NULL with errno set if
 * it cannot.
 */
struct worker_pages *worker_pages_new(uint32_t n, uint32_t tallies)
    __attribute__((warn_unused_result));

/*
 * Keeps the file, and the process's record, for the next monitor, until it is freed. state may be
 * NULL.
 */
void worker_pages_keep(struct worker_pages *p, struct fdstore *store, struct state_file *state,
                       const struct state_worker *record);

/* The process has changed, for example ended. */
void worker_pages_keep_again(struct worker_pages *p, const struct state_worker *record);

/* The worker is gone: frees the file once no slot is used. NULL is allowed. */
void worker_pages_release(struct worker_pages *p);

/*
 * Makes it of the file of an earlier monitor's worker, whose record is in the block; takes fd. Call
 * worker_pages_adopted once its slots have been claimed. Returns NULL if it is not such a file, or
 * out of memory.
 */
struct worker_pages *worker_pages_adopt_take(int fd, uint64_t serial, struct fdstore *store,
                                             struct state_file *state, uint32_t block)
    __attribute__((warn_unused_result));

/* No more slots are claimed: the file lives as long as those that were. */
void worker_pages_adopted(struct worker_pages *p);

/* Takes this slot. Returns false if there is no such slot, or it is taken. */
bool worker_pages_claim(struct worker_pages *p, uint32_t slot) __attribute__((warn_unused_result));

/* Returns a free slot, or SESSION_PAGE_NO_SLOT if there is none. */
uint32_t worker_pages_take(struct worker_pages *p) __attribute__((warn_unused_result));

/* Gives a slot back, which may be SESSION_PAGE_NO_SLOT. May free p. */
void worker_pages_give_back(struct worker_pages *p, uint32_t slot);

/* Reads a slot. Returns false if it cannot be read. */
bool worker_pages_read(const struct worker_pages *p, uint32_t slot, struct session_page *out)
    __attribute__((warn_unused_result));

/* Writes a slot, before its worker knows it. Returns false if it cannot be written. */
bool worker_pages_write(const struct worker_pages *p, uint32_t slot, const struct session_page *in)
    __attribute__((warn_unused_result));

/*
 * Copies the bytes that a dead worker held in a place, which may be any number, to one of another
 * worker, for the session in that slot; post is the kernel's note of the dead worker's last call.
 * Returns the number of the new place, or 0 if the bytes are not sound, or all places are in use.
 */
uint32_t worker_pages_move(const struct worker_pages *from, uint32_t place,
                           const struct sock_post *post, struct worker_pages *to, uint32_t slot)
    __attribute__((warn_unused_result));

/*
 * Copies the log that a dead worker's page has (proxy/ipc/gate_entry.h), which may be any number,
 * to the chunks of another worker, for the session in that slot; the dead worker's last send had
 * sent so many bytes. Sets *log to the copy. Returns false if it cannot be a log, or all chunks are
 * in use.
 */
bool worker_pages_move_log(const struct worker_pages *from, uint64_t *log, uint32_t sent,
                           struct worker_pages *to, uint32_t slot)
    __attribute__((warn_unused_result));

/* The session in that slot goes on, with a log of its worker's own: its chunks are free. */
void worker_pages_moved_log(struct worker_pages *p, uint32_t slot);

/* Returns the head: the session that the worker was handling, and its last send; zeroed if none. */
struct session_page_head worker_pages_head(const struct worker_pages *p);

#endif
