/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Records of ends that wait for the disk. */
#include "proxy/monitor/keep/ended_record.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>

#include "proxy/monitor/facts/audit_writer.h"
#include "proxy/monitor/keep/state_file.h"

struct ended_record {
    TAILQ_ENTRY(ended_record) link;
    struct ended_records *records;
    struct audit_writer_wait written;
    struct state_file *state;
    uint32_t block;
};

/* On disk, or lost for a reason that has been logged. */
static void ended_record_on_written(void *arg, bool durable)
{
    struct ended_record *const r = arg;

    (void)durable;
    state_file_drop(r->state, r->block);
    TAILQ_REMOVE(r->records, r, link);
    free(r);
}

/* Keeps the fields in the session's block. Returns false if that cannot be done. */
static bool ended_record_keep(const struct audit_writer *w, struct state_file *state, uint64_t id,
                              uint32_t block, const json_t *fields)
{
    const struct state_ended e = {.id = id, .least = audit_log_size(w->log)};
    char *const text = fields ? json_dumps(fields, JSON_COMPACT) : NULL;
    const bool kept = text && state_file_change(state, block, STATE_ENDED, &e, text);

    free(text);
    return kept;
}

void ended_record_write_take(struct ended_records *records, struct audit_writer *w,
                             struct state_file *state, uint64_t id, uint32_t block, json_t *fields)
{
    struct ended_record *r = NULL;

    if (block != STATE_NO_BLOCK && audit_writer_on(w) &&
        ended_record_keep(w, state, id, block, fields)) {
        r = calloc(1, sizeof *r);
    }
    if (!r) {
        if (state) {
            state_file_drop(state, block);
        }
        (void)audit_writer_note(w, "session-ended", fields);
        return;
    }
    r->records = records;
    r->state = state;
    r->block = block;
    TAILQ_INSERT_TAIL(records, r, link);
    if (!audit_writer_await(w, "session-ended", fields, &r->written, ended_record_on_written, r)) {
        ended_record_on_written(r, false);
    }
}

void ended_record_free_all(struct ended_records *records)
{
    struct ended_record *r;

    while ((r = TAILQ_FIRST(records))) {
        TAILQ_REMOVE(records, r, link);
        free(r);
    }
}
