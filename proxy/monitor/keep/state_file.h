/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's state file: a file in memory, which its keeper holds as well, so that the next
 * monitor goes on from it if this one dies.
 *
 * A head, then blocks of one size: each has a record (state_record.h) and a text, which goes on in
 * further blocks. A block, and the part of the head that changes, does not cross a page of memory,
 * and is written by one system call, which a signal cannot interrupt within a page. So a record is
 * as it was before or after a write, never a mixture, whenever the monitor dies.
 *
 * A text is complete before its block refers to it. Blocks that are not referred to are freed when
 * the file is opened. The memory of unused blocks is given back.
 */
#ifndef POEMD_PROXY_MONITOR_KEEP_STATE_FILE_H
#define POEMD_PROXY_MONITOR_KEEP_STATE_FILE_H

#include "proxy/monitor/keep/state_record.h"

#define STATE_BLOCK_SIZE 1024u

/* The longest text of a record, in bytes: facts with many packages or licences are not kept. */
#define STATE_TEXT_MAX 8192u

/* No block; blocks are numbered from 1. */
#define STATE_NO_BLOCK 0u

struct state_file;

/* Makes a file with room for so many sessions. Returns NULL with errno set. */
struct state_file *state_file_new(unsigned sessions) __attribute__((warn_unused_result));

/*
 * Opens the file of a monitor that has ended; takes fd. Blocks that are not sound are freed.
 * Returns NULL with errno set: EPROTO if it is not such a file, or one of another version.
 */
struct state_file *state_file_open_take(int fd) __attribute__((warn_unused_result));

/* NULL is allowed. The file itself lives on with the keeper. */
void state_file_free(struct state_file *f);

/* Returns its fd, borrowed. */
int state_file_fd(const struct state_file *f);

/* Returns the number of blocks that were freed when it was opened, since they were not sound. */
unsigned state_file_unsound(const struct state_file *f);

/* Returns its head, which the caller may change before state_file_write_head. */
struct state_head *state_file_head(struct state_file *f);

/* Writes the head; an error is logged. */
void state_file_write_head(struct state_file *f);

/* Adds a record of this kind. Returns its block, or STATE_NO_BLOCK if there is no room (logged). */
uint32_t state_file_add(struct state_file *f, enum state_kind kind, const void *record)
    __attribute__((warn_unused_result));

/* Replaces the record of a block, which keeps its kind and text. An error is logged. */
void state_file_put(struct state_file *f, uint32_t block, const void *record);

/* Replaces kind, record and text of a block. Returns false if there is no room: it is unchanged. */
bool state_file_change(struct state_file *f, uint32_t block, enum state_kind kind,
                       const void *record, const char *text) __attribute__((warn_unused_result));

/* Replaces the text of a block. Returns false if it is too long or there is no room. */
bool state_file_put_text(struct state_file *f, uint32_t block, const char *text)
    __attribute__((warn_unused_result));

/* Returns the text of a block, to be freed by the caller; NULL: it has none, or out of memory. */
char *state_file_text(const struct state_file *f, uint32_t block)
    __attribute__((warn_unused_result));

/* Frees a block. STATE_NO_BLOCK is allowed. */
void state_file_drop(struct state_file *f, uint32_t block);

/*
 * Reads the next record of this kind behind a block (STATE_NO_BLOCK: the first one). Returns its
 * block, or STATE_NO_BLOCK if there is none.
 */
uint32_t state_file_next(const struct state_file *f, uint32_t block, enum state_kind kind,
                         void *record);

#endif
