/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a session from a trace: chooses it, copies its messages, completes the script. */
#define _GNU_SOURCE
#include "ctl/replay/replay_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/log.h"
#include "ctl/poemctl.h"
#include "ctl/trace/trace_source.h"

bool replay_read_choice(struct replay_reading *r, const char *action, const char *text)
{
    r->one_session = true;
    if (!cli_number(text, 0, UINT64_MAX, &r->session)) {
        poemctl_error(action, "--session: the number of a session, as in trace show");
        return false;
    }
    return true;
}

static void replay_read_choose(struct replay_reading *r, const struct trace_session *s)
{
    r->chosen = true;
    r->session = s->number;
    r->script.session = s->number;
    log_escape(r->route, sizeof r->route, s->route, strlen(s->route));
}

static void replay_read_take(struct replay_reading *r, const struct trace_item *item)
{
    const struct trace_session *const s = item->session;
    int err;

    if (r->one_session && s->number != r->session) {
        return;
    }
    if (!r->chosen) {
        replay_read_choose(r, s);
    } else if (s->number != r->session) {
        snprintf(r->why, sizeof r->why,
                 "the trace has several sessions, %" PRIu64 " and %" PRIu64
                 " among them: choose one with --session",
                 r->session, s->number);
        return;
    }
    err = replay_script_add(&r->script, &item->message);
    if (err == -EFBIG) {
        snprintf(r->why, sizeof r->why,
                 "the session is too large to replay; cut out a part with trace extract");
    } else if (err) {
        snprintf(r->why, sizeof r->why, "%s", strerror(-err));
    }
}

/* Reads the trace. A trace that is cut off is replayed up to there. */
static int replay_read_all(struct trace_source *source, struct replay_reading *r)
{
    enum trace_outcome outcome = TRACE_SESSION;
    struct trace_item item;

    while (r->why[0] == '\0' &&
           (outcome = trace_reader_next(source->reader, &item)) <= TRACE_STATISTICS) {
        if (outcome == TRACE_MESSAGE) {
            replay_read_take(r, &item);
        }
    }
    if (r->why[0] == '\0') {
        const int code = trace_source_ended(source, outcome);

        if (code != POEMCTL_YES && outcome != TRACE_CUT_OFF) {
            return code;
        }
        if (!r->chosen) {
            snprintf(r->why, sizeof r->why, "%s",
                     r->one_session ? "the trace has no message of that session"
                                    : "the trace has no message");
        } else {
            (void)!replay_script_finish(&r->script, r->leg, r->why, sizeof r->why);
        }
    }
    return r->why[0] == '\0' ? POEMCTL_YES : POEMCTL_COULD_NOT;
}

int replay_read(struct replay_reading *r, const char *action, const char *file)
{
    struct trace_source source;
    int code;

    replay_script_init(&r->script);
    code = trace_source_open(&source, action, file, NULL);
    if (code == POEMCTL_YES) {
        code = replay_read_all(&source, r);
        if (r->why[0] != '\0') {
            (void)poemctl_could_not(action, file, r->why);
        }
    }
    trace_source_close(&source);
    return code;
}
