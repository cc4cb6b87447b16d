/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The messages of a replacement, step by step. A table has the requests about migration states. */
#include "proxy/worker/device/replace.h"

#include <string.h>

/* As in reattach.c: no request of the client's is under way when it is used. */
#define REPLACE_ID 0xfff1u

/* A request of a step, to one of the processes. */
struct replace_request {
    enum replace_step step;
    bool old;
    uint32_t feature;
    uint32_t flags;
    uint32_t state; /* enum wire_mig_state, of a SET */
};

/* In their order; those about the state's data are in replace_copy. */
static const struct replace_request requests[] = {
    {REPLACE_ASKS_NEW, false, WIRE_FEATURE_MIGRATION, WIRE_FEATURE_GET, 0},
    {REPLACE_ASKS_OLD, true, WIRE_FEATURE_MIGRATION, WIRE_FEATURE_GET, 0},
    {REPLACE_STOPS_OLD, true, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_STOP},
    {REPLACE_STOPS_OLD, true, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_STOP_COPY},
    {REPLACE_RESUMES, false, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_STOP},
    {REPLACE_RESUMES, false, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_RESUMING},
    {REPLACE_LOADS, false, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_STOP},
    {REPLACE_RUNS, false, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_RUNNING},
    {REPLACE_RESTORES, true, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_STOP},
    {REPLACE_RESTORES, true, WIRE_FEATURE_MIG_DEVICE_STATE, WIRE_FEATURE_SET, WIRE_MIG_RUNNING},
};

/* Returns the request of a step, or NULL if it has no more. */
static const struct replace_request *replace_find(enum replace_step step, unsigned at)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (requests[i].step == step && at-- == 0) {
            return &requests[i];
        }
    }
    return NULL;
}

void replace_init(struct replace *r, const struct setup *setup, uint32_t max_fds, uint32_t max_data,
                  bool dry)
{
    memset(r, 0, offsetof(struct replace, message));
    r->setup = setup;
    r->max_fds = max_fds;
    r->part = max_data < LIMIT_REPLACE_PART ? max_data : LIMIT_REPLACE_PART;
    r->part = r->part > 0 ? r->part : 1;
    r->dry = dry;
    r->step = REPLACE_ASKS_NEW;
    r->old_first = true;
}

static void replace_enter(struct replace *r, enum replace_step step)
{
    r->step = step;
    r->at = 0;
}

static void replace_end(struct replace *r, enum replace_outcome outcome)
{
    r->outcome = outcome;
    replace_enter(r, REPLACE_ENDS);
}

void replace_fail(struct replace *r, const struct ipc_difference *d)
{
    if (r->step == REPLACE_RESTORES) {
        replace_end(r, REPLACE_LOST);
        return;
    }
    if (r->step == REPLACE_ENDS) {
        return;
    }
    r->failed = r->step;
    r->difference = *d;
    if (r->runs) {
        replace_end(r, REPLACE_LOST);
        return;
    }
    if (!r->stopped) {
        replace_end(r, REPLACE_REFUSED);
        return;
    }
    /* The new process is not waited for; a reply of the old one must come before anything else. */
    r->waits = r->waits && r->sent_to_old;
    replace_enter(r, REPLACE_RESTORES);
    r->outcome = REPLACE_ROLLED_BACK;
}

void replace_lose(struct replace *r)
{
    if (r->step != REPLACE_RESTORES && r->step != REPLACE_ENDS) {
        r->failed = r->step;
        r->difference = (struct ipc_difference){.what = IPC_DIFFERS_NOT};
    }
    if (r->step != REPLACE_ENDS) {
        replace_end(r, REPLACE_LOST);
    }
}

/* ---- messages ---- */

/* Begins a message with a fixed part; size counts the data behind it, which is there already. */
static enum replace_next replace_ask(struct replace *r, struct reattach_message *m, bool old,
                                     uint16_t command, const void *fixed, size_t n_fixed,
                                     size_t n_data)
{
    r->sent = (struct wire_hdr){
        .id = REPLACE_ID, .command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n_fixed + n_data)};
    wire_put_hdr(r->message, &r->sent);
    memcpy(r->message + WIRE_HDR_SIZE, fixed, n_fixed);
    r->waits = true;
    r->sent_to_old = old;
    r->at++;
    m->bytes = r->message;
    m->n = r->sent.size;
    m->fds = NULL;
    m->n_fds = 0;
    return old ? REPLACE_NEXT_OLD : REPLACE_NEXT_NEW;
}

static enum replace_next replace_feature(struct replace *r, struct reattach_message *m,
                                         const struct replace_request *q)
{
    struct {
        struct wire_feature head;
        struct wire_feature_mig_state state;
    } f = {.head = {.argsz = sizeof f, .flags = q->feature | q->flags},
           .state = {.device_state = q->state}};
    const size_t n = q->flags & WIRE_FEATURE_SET ? sizeof f : sizeof f.head;

    /* An answer to GET has as many bytes as these: flags in place of the state. */
    _Static_assert(sizeof(struct wire_feature_mig_state) == sizeof(struct wire_feature_migration),
                   "argsz is of another size");
    r->stopped = r->stopped || q->step == REPLACE_STOPS_OLD;
    r->runs = r->runs || q->step == REPLACE_RUNS;
    return replace_ask(r, m, q->old, WIRE_DEVICE_FEATURE, &f, n, 0);
}

/* The next part of the state: read from the old process, or written to the new one. */
static enum replace_next replace_copy(struct replace *r, struct reattach_message *m)
{
    const uint32_t n = r->old_first ? r->part : (uint32_t)r->n;
    const struct wire_mig_data d = {.argsz = (uint32_t)sizeof d + n, .size = n};

    return r->old_first ? replace_ask(r, m, true, WIRE_MIG_DATA_READ, &d, sizeof d, 0)
                        : replace_ask(r, m, false, WIRE_MIG_DATA_WRITE, &d, sizeof d, n);
}

/* Sets up the new process, or compares it, or has it trigger interrupts. */
static bool replace_reattach(struct replace *r, struct reattach_message *m)
{
    if (r->at == 0 && r->step == REPLACE_SETS_UP) {
        reattach_init(&r->reattach, r->setup, r->max_fds);
        r->reattach.step = r->dry ? REATTACH_INFOS : REATTACH_MAPS;
        r->reattach.end = r->dry ? REATTACH_CONFIG : REATTACH_KICK;
    } else if (r->at == 0) {
        r->reattach.end = REATTACH_REQUESTS;
    }
    r->at++;
    return reattach_next(&r->reattach, m);
}

/* Makes the next message of the step, or names what else is to be done. */
static enum replace_next replace_make(struct replace *r, struct reattach_message *m)
{
    const struct replace_request *q;

    switch (r->step) {
    case REPLACE_WAITS:
        return REPLACE_NEXT_QUIET;
    case REPLACE_SWAPS:
        return REPLACE_NEXT_SWAP;
    case REPLACE_COPIES:
        return replace_copy(r, m);
    case REPLACE_SETS_UP:
    case REPLACE_KICKS:
        return replace_reattach(r, m) ? REPLACE_NEXT_NEW : REPLACE_NEXT_END;
    default:
        q = replace_find(r->step, r->at);
        return q ? replace_feature(r, m, q) : REPLACE_NEXT_END;
    }
}

enum replace_next replace_next(struct replace *r, struct reattach_message *m)
{
    enum replace_next next;

    if (r->step == REPLACE_RESTORES && r->swapped) {
        return REPLACE_NEXT_BACK;
    }
    if (r->step != REPLACE_ENDS &&
        (r->waits || (r->reattach.waits && r->step != REPLACE_RESTORES))) {
        return REPLACE_NEXT_REPLY;
    }
    while (r->step != REPLACE_ENDS) {
        next = replace_make(r, m);
        if (next != REPLACE_NEXT_END) {
            return next;
        }
        if (r->step == REPLACE_KICKS) {
            replace_end(r, REPLACE_DONE);
        } else if (r->step == REPLACE_RESTORES) {
            replace_end(r, REPLACE_ROLLED_BACK);
        } else if (r->step == REPLACE_SETS_UP && r->dry) {
            replace_end(r, REPLACE_COULD);
        } else {
            replace_enter(r, r->step + 1);
        }
    }
    return REPLACE_NEXT_END;
}

void replace_quiet(struct replace *r)
{
    if (r->step == REPLACE_WAITS) {
        replace_enter(r, REPLACE_ASKS_OLD);
    }
}

void replace_swapped(struct replace *r)
{
    r->swapped = !r->swapped;
    if (r->step == REPLACE_SWAPS) {
        replace_enter(r, REPLACE_RUNS);
    }
}

/* ---- replies ---- */

/* The answer to a part: the state's bytes become the next message's. */
static bool replace_take_part(struct replace *r, const uint8_t *payload, size_t n)
{
    struct wire_mig_data d;

    if (!wire_get(payload, n, &d, sizeof d) || d.size > r->part || d.size > n - sizeof d) {
        return false;
    }
    if (d.size == 0) {
        replace_enter(r, REPLACE_LOADS);
        return true;
    }
    memcpy(r->message + WIRE_HDR_SIZE + sizeof d, payload + sizeof d, d.size);
    r->n = d.size;
    r->old_first = false;
    return true;
}

/* Judges a reply that is not an error. Returns what is wrong with it. */
static enum ipc_differs replace_judge(struct replace *r, const uint8_t *payload, size_t n)
{
    struct wire_feature_migration f;

    if (r->step == REPLACE_ASKS_NEW || r->step == REPLACE_ASKS_OLD) {
        return n >= sizeof(struct wire_feature) + sizeof f &&
                       wire_get(payload + sizeof(struct wire_feature),
                                n - sizeof(struct wire_feature), &f, sizeof f) &&
                       (f.flags & WIRE_MIGRATION_STOP_COPY)
                   ? IPC_DIFFERS_NOT
                   : IPC_DIFFERS_MIGRATION;
    }
    if (r->step != REPLACE_COPIES) {
        return IPC_DIFFERS_NOT;
    }
    if (!r->old_first) {
        r->bytes += r->n;
        r->old_first = true;
        return IPC_DIFFERS_NOT;
    }
    return replace_take_part(r, payload, n) ? IPC_DIFFERS_NOT : IPC_DIFFERS_STRAY;
}

/* Returns the state that the last message has set, or 0. */
static uint32_t replace_state(const struct replace *r)
{
    const struct replace_request *const q = r->at > 0 ? replace_find(r->step, r->at - 1) : NULL;

    return q ? q->state : 0;
}

static void replace_reply_own(struct replace *r, const struct wire_hdr *hdr, const uint8_t *payload,
                              size_t n)
{
    struct ipc_difference d = {
        .command = hdr->command, .had = r->sent.command, .has = hdr->command};
    /* To what was asked before the failure, and to STOP, which it may have reached already. */
    const bool any = r->step == REPLACE_RESTORES && r->at < 2;

    if (!r->waits || hdr->id != r->sent.id || hdr->command != r->sent.command) {
        d.what = IPC_DIFFERS_STRAY;
    } else if (!any && (hdr->flags & WIRE_ERROR)) {
        d = (struct ipc_difference){.what = IPC_DIFFERS_ERROR,
                                    .command = hdr->command,
                                    .index = replace_state(r),
                                    .has = hdr->error};
        r->runs = false;
    } else if (!any) {
        d.what = replace_judge(r, payload, n);
    }
    r->waits = false;
    if (d.what != IPC_DIFFERS_NOT) {
        replace_fail(r, &d);
    }
}

void replace_reply(struct replace *r, const struct wire_hdr *hdr, const uint8_t *payload, size_t n)
{
    if (r->step != REPLACE_SETS_UP && r->step != REPLACE_KICKS) {
        replace_reply_own(r, hdr, payload, n);
    } else if (!reattach_reply(&r->reattach, hdr, payload, n)) {
        replace_fail(r, &r->reattach.difference);
    }
}
