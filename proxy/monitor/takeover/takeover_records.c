/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which records of ends are in the log is looked up there: the earlier monitor may not know it. */
#define _GNU_SOURCE
#include "proxy/monitor/takeover/takeover_records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_line.h"
#include "base/log.h"
#include "base/members.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "proxy/monitor/keep/ended_record.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"

/* Files of a log that are read at most: a record on its way was in the newest two. */
#define FILES_MOST 4

void takeover_records_resumed(const struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    struct state_session s;
    uint32_t block = STATE_NO_BLOCK;
    unsigned relaying = 0;

    while ((block = state_file_next(context->state, block, STATE_SESSION, &s))) {
        relaying += s.state == SESSION_RELAYING;
    }
    (void)audit_writer_note(
        &context->audit_writer, "broker-resumed",
        json_pack("{s:s,s:i,s:i,s:s,s:i}", "version", POEMD_VERSION, "pid", (int)getpid(), "from",
                  (int)state_file_head(context->state)->monitors[1], "reason",
                  to->planned ? "restarted" : "monitor-died", "sessions", (int)relaying));
}

/* ---- ends ---- */

/* The ends that the log has, and where it begins. */
struct takeover_log {
    json_t *ended;    /* an object; its keys are the numbers of sessions */
    uint64_t least;   /* records before this one do not matter */
    uint64_t first;   /* the number of the first record read */
    char before[512]; /* the file before this one, or "" */
};

static const char *takeover_records_key(uint64_t session, char out[24])
{
    snprintf(out, 24, "%" PRIu64, session);
    return out;
}

static void takeover_records_read_line(struct takeover_log *log, const char *line, bool first)
{
    json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    const char *const event = json_string_value(json_object_get(o, "event"));
    const json_t *const seq = json_object_get(o, "seq");
    const json_t *const session = json_object_get(o, "session");
    char key[24];

    if (first && json_is_integer(seq)) {
        log->first = (uint64_t)json_integer_value(seq);
    }
    if (first && event && strcmp(event, AUDIT_ROTATED) == 0 &&
        json_is_string(json_object_get(o, "file"))) {
        snprintf(log->before, sizeof log->before, "%s",
                 json_string_value(json_object_get(o, "file")));
    }
    if (event && strcmp(event, "session-ended") == 0 && json_is_integer(session) &&
        json_is_integer(seq) && (uint64_t)json_integer_value(seq) >= log->least) {
        (void)json_object_set_new(log->ended,
                                  takeover_records_key((uint64_t)json_integer_value(session), key),
                                  json_true());
    }
    json_decref(o);
}

/* Reads one file of the log. Returns false if it cannot be read. */
static bool takeover_records_read_file(struct takeover_log *log, const char *path)
{
    FILE *const f = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    bool first = true;

    *log->before = '\0';
    while (f && getline(&line, &room, f) > 0) {
        if (first || strstr(line, "\"session-ended\"")) {
            takeover_records_read_line(log, line, first);
        }
        first = false;
    }
    free(line);
    if (f) {
        fclose(f);
    }
    return f != NULL;
}

/* Reads the newest files, as far back as the first record that matters. */
static void takeover_records_read(struct takeover_log *log, const char *path)
{
    const char *const slash = strrchr(path, '/');
    char *file = strdup(path);

    for (int i = 0; i < FILES_MOST && file && takeover_records_read_file(log, file) &&
                    *log->before && log->first > log->least;
         i++) {
        char *next = NULL;

        if (asprintf(&next, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, log->before) < 0) {
            next = NULL;
        }
        free(file);
        file = next;
    }
    free(file);
}

/* Returns the number before which no record of an end can be missing; 0 ends: UINT64_MAX. */
static uint64_t takeover_records_least(const struct state_file *state)
{
    uint64_t least = UINT64_MAX;
    struct state_ended e;
    uint32_t block = STATE_NO_BLOCK;

    while ((block = state_file_next(state, block, STATE_ENDED, &e))) {
        least = e.least < least ? e.least : least;
    }
    return least;
}

/* Records an end that the log does not have; its block goes with it. */
static void takeover_records_again(const struct takeover *to, uint32_t block,
                                   const struct state_ended *e)
{
    struct monitor_context *const context = to->subject.context;
    char *const text = state_file_text(context->state, block);
    json_t *const fields = text ? json_loads(text, 0, NULL) : NULL;

    free(text);
    ended_record_write_take(&to->subject.sessions->ended, &context->audit_writer, context->state,
                            e->id, block, fields);
}

void takeover_records_ends(const struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    struct takeover_log log = {.ended = json_object(),
                               .least = takeover_records_least(context->state)};
    struct state_ended e;
    uint32_t block = STATE_NO_BLOCK;
    char key[24];

    if (log.least != UINT64_MAX && audit_writer_on(&context->audit_writer)) {
        takeover_records_read(&log, context->config->audit_file);
    }
    while ((block = state_file_next(context->state, block, STATE_ENDED, &e))) {
        if (audit_writer_on(&context->audit_writer) &&
            !json_object_get(log.ended, takeover_records_key(e.id, key))) {
            takeover_records_again(to, block, &e);
        } else {
            state_file_drop(context->state, block);
        }
    }
    json_decref(log.ended);
}

void takeover_records_lost_take(const struct takeover *to, uint32_t block,
                                const struct state_session *s)
{
    struct monitor_context *const context = to->subject.context;
    char letters[TAINT_COUNT + 1];
    json_t *const fields =
        json_pack("{s:I,s:s,s:s,s:s,s:o}", "session", (json_int_t)s->id, "route", s->route,
                  "reason", session_reason_word(REASON_MONITOR_GONE), "taint",
                  taint_text(s->taint, letters), "taints", verdict_facts_taints(s->taint_of));

    if (s->bits & STATE_OPENED) {
        ended_record_write_take(&to->subject.sessions->ended, &context->audit_writer,
                                context->state, s->id, block, fields);
    } else {
        json_decref(fields);
        state_file_drop(context->state, block);
    }
}
