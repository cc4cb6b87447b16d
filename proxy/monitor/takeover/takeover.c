/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The steps of a take-over. */
#define _GNU_SOURCE
#include "proxy/monitor/takeover/takeover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/takeover/takeover_devices.h"
#include "proxy/monitor/takeover/takeover_generations.h"
#include "proxy/monitor/takeover/takeover_keep.h"
#include "proxy/monitor/takeover/takeover_records.h"
#include "proxy/monitor/takeover/takeover_session.h"
#include "proxy/monitor/takeover/takeover_workers.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"

/* Opens the file of an earlier monitor. Sets context->state to NULL if there is none. */
static void takeover_open_kept(struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    const int fd = fdstore_take(context->store, STATE_NAME_FILE);

    context->state = NULL;
    if (fd < 0) {
        return;
    }
    context->state = state_file_open_take(fd);
    if (!context->state) {
        log_error("the state of the earlier monitor cannot be read, so its sessions end: %s",
                  errno == EPROTO ? "it is of another version" : strerror(errno));
    } else if (state_file_unsound(context->state) > 0) {
        log_error("%u records of the earlier monitor's state are damaged, and left out",
                  state_file_unsound(context->state));
    }
    to->resumes = context->state != NULL;
}

/* Notes that this process is the monitor now. */
static void takeover_sign(struct state_head *head)
{
    memmove(head->monitors + 1, head->monitors, (LIMIT_MONITORS - 1) * sizeof *head->monitors);
    head->monitors[0] = getpid();
    head->keeper = getppid();
    head->started_ms = head->started_ms ? head->started_ms : clock_ms();
}

int takeover_open(struct takeover *to, const struct takeover_subject *subject)
{
    struct monitor_context *const context = subject->context;

    *to = (struct takeover){.subject = *subject};
    if (!context->store) {
        return 0;
    }
    takeover_open_kept(to);
    if (!context->state) {
        context->state = state_file_new(context->config->most_sessions);
    }
    if (!context->state) {
        log_error("cannot make the state that outlives the monitor: %s", strerror(errno));
        return -errno;
    }
    to->planned = state_file_head(context->state)->planned ||
                  state_file_head(context->state)->keeper != getppid();
    to->last_worker = state_file_head(context->state)->last_worker;
    to->last_session = state_file_head(context->state)->last_session;
    to->last_refusal = state_file_head(context->state)->last_refusal;
    takeover_sign(state_file_head(context->state));
    memcpy(context->monitors, state_file_head(context->state)->monitors, sizeof context->monitors);
    state_file_write_head(context->state);
    return fdstore_keep(context->store, STATE_NAME_FILE, state_file_fd(context->state));
}

static void takeover_routes(struct takeover *to)
{
    struct state_file *const state = to->subject.context->state;
    struct state_route s;
    uint32_t block = STATE_NO_BLOCK;

    while ((block = state_file_next(state, block, STATE_ROUTE, &s))) {
        struct route *const r = route_find(to->subject.routes, s.name);

        if (!r || r->kept_block != STATE_NO_BLOCK) {
            state_file_drop(state, block);
            continue;
        }
        r->kept_block = block;
        r->self = s.self;
        r->taint = s.taint;
        r->observed = s.observed;
        r->begun = s.begun;
        r->resumed = s.resumed;
        r->overdue = s.overdue;
    }
}

uint64_t takeover_counts(struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    struct monitor_session_table *const sessions = to->subject.sessions;
    const struct state_head *head;

    if (!context->state) {
        return clock_ms();
    }
    takeover_generations_in_force(to);
    head = state_file_head(context->state);
    if (!to->resumes) {
        return head->started_ms;
    }
    sessions->last = head->last_session;
    sessions->resumed = head->resumed;
    sessions->taint = head->taint;
    sessions->observed = head->observed;
    to->subject.workers->last_serial = to->last_worker;
    to->subject.workers->last_refusal = to->last_refusal;
    takeover_routes(to);
    return head->started_ms;
}

void takeover_workers(struct takeover *to)
{
    if (to->resumes) {
        takeover_workers_begin(to);
    }
}

bool takeover_record(struct takeover *to)
{
    if (to->resumes) {
        takeover_records_resumed(to);
        takeover_records_ends(to);
    }
    return to->resumes;
}

/* Has the clients refused that the earlier monitor was refusing. */
static void takeover_refusals(struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    const uint64_t now = clock_ms();
    char name[STATE_NAME_SIZE];
    struct state_refusal s;
    uint32_t block = STATE_NO_BLOCK;

    while ((block = state_file_next(context->state, block, STATE_REFUSAL, &s))) {
        const struct worker_pool_answer how = {
            .err = (int)s.err,
            .ms = s.until_ms > now && s.until_ms - now < UINT16_MAX ? (unsigned)(s.until_ms - now)
                                                                    : 1,
            .heard = s.heard,
            .id = (uint16_t)s.id};
        int fd;

        if (s.number > to->last_refusal) {
            /* One of those that are made here. */
            continue;
        }
        fd = fdstore_take(context->store, state_fds_refusal(s.number, name));
        if (fd >= 0) {
            worker_pool_refuse_take(to->subject.workers, fd, &how);
        }
        state_file_drop(context->state, block);
        fdstore_drop(context->store, name);
    }
}

void takeover_sessions(struct takeover *to, const struct spawn_host *host)
{
    to->host = host;
    if (!to->resumes) {
        return;
    }
    takeover_refusals(to);
    takeover_session_all(to);
    takeover_session_rest(to);
    log_warning("goes on after the end of an earlier monitor: %u session%s relay%s, %u begin%s "
                "anew, %u %s ended",
                to->go_on, to->go_on == 1 ? "" : "s", to->go_on == 1 ? "s" : "", to->anew,
                to->anew == 1 ? "s" : "", to->lost, to->lost == 1 ? "has" : "have");
}

void takeover_end(struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;

    if (!context->store) {
        return;
    }
    takeover_workers_end(to);
    takeover_generations_end(to);
    takeover_devices_end(to);
    state_file_head(context->state)->planned = 0;
    state_file_write_head(context->state);
    children_end_rest(&context->children);
    listener_close_rest(context->store);
    fdstore_drop_rest(context->store);
}

void takeover_forget(struct monitor_context *context)
{
    if (context->state) {
        fdstore_drop(context->store, STATE_NAME_FILE);
        state_file_free(context->state);
        context->state = NULL;
    }
}
