/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks the records of the monitor's state file. Pure. */
#include "proxy/monitor/keep/state_record.h"

#include <errno.h>
#include <string.h>

/* The greatest errno of Linux (include/linux/err.h). */
#define STATE_ERRNO_MOST 4095

static bool state_record_text_sound(const char *text, size_t n)
{
    return memchr(text, '\0', n) != NULL;
}

bool state_record_head_sound(const struct state_head *h)
{
    bool sound = h->version == STATE_VERSION && h->planned <= 1 && h->keeper >= 0 && h->tracer >= 0;

    for (unsigned i = 0; i < LIMIT_MONITORS; i++) {
        sound = sound && h->monitors[i] >= 0;
    }
    return sound;
}

static bool state_record_looked_sound(const struct state_looked *l)
{
    return l->pid >= 0 && l->changed <= 1 && l->zero == 0 &&
           state_record_text_sound(l->first, sizeof l->first) &&
           state_record_text_sound(l->last, sizeof l->last);
}

static bool state_record_senders_sound(const struct sender_check_settings *s)
{
    return s->act <= SENDER_CHECK_END && s->parties < 1u << SIDES && s->who[SIDE_CLIENT].pid >= 0 &&
           s->who[SIDE_BACKEND].pid >= 0;
}

static bool state_record_session_sound(const struct state_session *s)
{
    if (s->id == 0 || s->state >= SESSION_DEAD || (s->bits & ~(uint32_t)STATE_BITS) != 0 ||
        s->request_id > UINT16_MAX || s->asked >= REASON_COUNT || s->lost_by >= REASON_COUNT ||
        s->verdict_err < 0 || s->verdict_err > STATE_ERRNO_MOST || s->gone >= 1u << SIDES) {
        return false;
    }
    if (s->suspect_set > 1 || s->suspect_way >= SESSION_PAGE_WAYS || s->device < 0 ||
        s->guard < 0 || s->resumed_from < 0 || (s->device == 0) != (s->guard == 0)) {
        return false;
    }
    return state_record_senders_sound(&s->senders) &&
           state_record_looked_sound(&s->looked[SIDE_CLIENT]) &&
           state_record_looked_sound(&s->looked[SIDE_BACKEND]) &&
           state_record_text_sound(s->route, sizeof s->route);
}

static bool state_record_ended_sound(const struct state_ended *e)
{
    return e->id > 0;
}

static bool state_record_worker_sound(const struct state_worker *w)
{
    return w->serial > 0 && w->number < LIMIT_WORKERS && w->pid >= 0 && w->gone_pid >= 0;
}

static bool state_record_route_sound(const struct state_route *r)
{
    return *r->name && state_record_text_sound(r->name, sizeof r->name);
}

static bool state_record_refusal_sound(const struct state_refusal *r)
{
    return r->number > 0 && r->err <= STATE_ERRNO_MOST && r->heard <= 1 && r->id <= UINT16_MAX;
}

static bool state_record_capture_sound(const struct state_capture *c)
{
    return c->number > 0 && c->configured <= 1 && *c->route &&
           state_record_text_sound(c->route, sizeof c->route);
}

size_t state_record_size(enum state_kind kind)
{
    static const size_t sizes[STATE_KINDS] = {[STATE_SESSION] = sizeof(struct state_session),
                                              [STATE_ENDED] = sizeof(struct state_ended),
                                              [STATE_WORKER] = sizeof(struct state_worker),
                                              [STATE_ROUTE] = sizeof(struct state_route),
                                              [STATE_REFUSAL] = sizeof(struct state_refusal),
                                              [STATE_CAPTURE] = sizeof(struct state_capture)};

    return (unsigned)kind < STATE_KINDS ? sizes[kind] : 0;
}

bool state_record_sound(enum state_kind kind, const void *record)
{
    switch (kind) {
    case STATE_SESSION:
        return state_record_session_sound(record);
    case STATE_ENDED:
        return state_record_ended_sound(record);
    case STATE_WORKER:
        return state_record_worker_sound(record);
    case STATE_ROUTE:
        return state_record_route_sound(record);
    case STATE_REFUSAL:
        return state_record_refusal_sound(record);
    case STATE_CAPTURE:
        return state_record_capture_sound(record);
    default:
        return false;
    }
}
