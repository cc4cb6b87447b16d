/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Requests of a client and replies of a device, in any order and at any time: each request has one
 * reply, the device's or the broker's, and a reply that comes after the broker's is late.
 *
 * The input: a byte, odd if the limits may be exceeded, when only the lists are checked; then two
 * bytes for each step, of its kind and its id, or of the time that passes.
 */
#include <string.h>

#include "proxy/ipc/overdue.h"
#include "tests/fuzz/fuzz.h"

#define AFTER_MS 100u

/* A plain list of all requests without a reply of the device's. */
struct model {
    struct {
        uint8_t id;
        bool answered; /* by the broker */
    } requests[LIMIT_OVERDUE_REQUESTS + LIMIT_OVERDUE_REPLIES];
    unsigned n;
    unsigned waiting;
};

static void model_remove(struct model *m, unsigned i)
{
    m->waiting -= !m->requests[i].answered;
    m->n--;
    memmove(&m->requests[i], &m->requests[i + 1], (m->n - i) * sizeof *m->requests);
}

/* Returns true if the device's reply is late. */
static bool model_reply(struct model *m, uint8_t id)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (m->requests[i].id == id) {
            const bool late = m->requests[i].answered;

            model_remove(m, i);
            return late;
        }
    }
    return false;
}

/* The broker answers the oldest that waits. */
static void model_answer(struct model *m, uint16_t id)
{
    unsigned i = 0;

    while (i < m->n && m->requests[i].answered) {
        i++;
    }
    FUZZ_REQUIRE(i < m->n && m->requests[i].id == id);
    m->requests[i].answered = true;
    m->waiting--;
}

static void step_request(struct overdue *o, struct model *m, bool any, uint8_t id, uint64_t at,
                         uint32_t now)
{
    const struct wire_hdr hdr = {.id = id, .command = WIRE_REGION_READ};

    if (!any && (m->waiting == LIMIT_OVERDUE_REQUESTS ||
                 m->n == sizeof m->requests / sizeof *m->requests)) {
        return;
    }
    overdue_note_request(o, &hdr, at, now);
    if (!any) {
        m->requests[m->n].id = id;
        m->requests[m->n].answered = false;
        m->n++;
        m->waiting++;
    }
}

static void step_reply(struct overdue *o, struct model *m, bool any, uint8_t id)
{
    const struct wire_hdr hdr = {.id = id, .command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY};
    const bool late = overdue_is_late(o, &hdr);

    FUZZ_REQUIRE(any || late == model_reply(m, id));
    overdue_note_reply(o, &hdr);
}

static void step_answer(struct overdue *o, struct model *m, bool any, uint32_t now)
{
    struct overdue_request r;

    while ((any || o->n_owed < LIMIT_OVERDUE_REPLIES) && overdue_take(o, now, &r)) {
        FUZZ_REQUIRE(now - r.since_ms >= AFTER_MS / LIMIT_ANSWER_SILENT_PART);
        if (!any) {
            model_answer(m, r.id);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const bool any = n > 0 && p[0] % 2 == 1;
    struct model m = {.n = 0};
    struct overdue o;
    uint32_t now = 0;

    overdue_init(&o, AFTER_MS);
    /* Fewer replies than make a late one stale. */
    for (size_t i = 1; i + 1 < n && i < LIMIT_OVERDUE_STALE; i += 2) {
        switch (p[i] % 4) {
        case 0:
            step_request(&o, &m, any, p[i + 1], i * WIRE_HDR_SIZE, now);
            break;
        case 1:
            step_reply(&o, &m, any, p[i + 1]);
            break;
        case 2:
            now += p[i + 1];
            break;
        default:
            step_answer(&o, &m, any, now);
            break;
        }
        FUZZ_REQUIRE(overdue_is_sound(&o));
        FUZZ_REQUIRE(any || (o.n == m.waiting && o.n_owed == m.n - m.waiting));
        FUZZ_REQUIRE(any || (o.lost == 0 && o.unwatched == 0));
    }
    return 0;
}
