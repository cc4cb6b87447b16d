/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Decides about messages by rules, and holds their replacements. */
#include "proxy/relay/injector.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Bytes of a message that a filter looks at: the writes of a REGION_WRITE_MULTI. */
#define INJECTOR_LOOKS 4096u

struct injector *injector_new(const struct ipc_inject *rules, uint64_t session, const char *route,
                              struct session_page_injections *page, injector_fn *fn, void *arg,
                              char *why, size_t size)
{
    struct injector *const j = calloc(1, sizeof *j);

    if (!j) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    j->page = page;
    j->fn = fn;
    j->arg = arg;
    j->session = (struct trace_session){
        .number = session, .name = "", .description = "", .comment = "", .ending = ""};
    snprintf(j->session.route, sizeof j->session.route, "%s", route);
    for (; j->n < rules->n; j->n++) {
        if (!injection_read(&j->rules[j->n], rules->rules[j->n], why, size)) {
            injector_free(j);
            return NULL;
        }
    }
    return j;
}

void injector_free(struct injector *j)
{
    for (unsigned i = 0; j && i < j->n; i++) {
        injection_deinit(&j->rules[i]);
    }
    free(j);
}

void injector_way_init(struct injector_way *w, struct session_page_injections *page,
                       enum session_page_way way, uint64_t taken)
{
    *w = (struct injector_way){.page = page, .way = way, .decided = taken};
    fdset_init(&w->fds);
}

/* Notes in the page whether the worker alone has something. */
static void injector_set_held(struct injector_way *w, bool held)
{
    const unsigned bit = 1u << w->way;
    const uint8_t before = w->page->held;

    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint8_t *)&w->page->held = (uint8_t)(held ? before | bit : before & ~bit);
    atomic_signal_fence(memory_order_seq_cst);
}

void injector_way_drop(struct injector_way *w)
{
    free(w->made);
    w->made = NULL;
    w->made_start = 0;
    w->made_end = 0;
    w->due_ns = 0;
    w->hit = NULL;
    fdset_close(&w->fds);
    if (w->page && w->page->held & 1u << w->way) {
        injector_set_held(w, false);
    }
}

void injector_way_set(struct injector_way *w, struct injector *j)
{
    w->injector = j;
    w->hit = NULL;
    injector_set_held(w, w->made != NULL);
}

void injector_way_redirect(struct injector_way *w, uint64_t taken)
{
    if (w->made_start > 0) {
        injector_way_drop(w);
    }
    w->hit = NULL;
    w->decided = taken;
}

/* Returns the first rule that is to be carried out; every rule sees the message. */
static const struct injection *injector_find(struct injector_way *w, uint64_t position,
                                             const struct trace_message *m, unsigned *number)
{
    struct injector *const j = w->injector;
    const struct injection *found = NULL;

    for (unsigned i = 0; i < j->n; i++) {
        if (injection_applies(&j->rules[i], j->page->times[i], position << 2 | w->way, &j->session,
                              m) &&
            !found) {
            found = &j->rules[i];
            *number = i;
        }
    }
    return found;
}

static enum side injector_from(const struct injector_way *w)
{
    return session_page_from(w->way);
}

bool injector_decide(struct injector_way *w, uint64_t position, const struct wire_hdr *hdr,
                     const uint8_t *bytes, size_t n, unsigned n_fds)
{
    struct injector *const j = w->injector;
    unsigned number = 0;
    struct trace_message m = {.read_ns = (uint64_t)clock_time_ns(),
                              .size = hdr->size,
                              .sender = (uint8_t)injector_from(w),
                              .legs = TRACE_LEGS,
                              .n_fds = (uint16_t)n_fds,
                              .data = bytes};

    if (!j || position < w->decided || w->hit) {
        return position == w->decided && w->hit;
    }
    m.session = j->session.number;
    n = n < hdr->size ? n : hdr->size;
    m.kept = (uint32_t)(n < INJECTOR_LOOKS ? n : INJECTOR_LOOKS);
    m.flags = w->way >= SESSION_PAGE_TWIN_TO_BACKEND ? TRACE_TWIN : 0;
    w->hit = injector_find(w, position, &m, &number);
    if (!w->hit) {
        w->decided = position + hdr->size;
        return false;
    }
    if (injection_room(w->hit, hdr->size) > 0) {
        injector_set_held(w, true);
    }
    if (j->page->times[number] < UINT16_MAX) {
        *(volatile uint16_t *)&j->page->times[number] = (uint16_t)(j->page->times[number] + 1);
    }
    j->done++;
    w->decided = position;
    j->fn(j->arg, injector_from(w), hdr, w->hit);
    return true;
}

enum injector_outcome injector_make(struct injector_way *w, const struct wire_hdr *hdr,
                                    const uint8_t *bytes, size_t n, struct fdset *fds)
{
    const struct injection *const rule = w->hit;
    size_t room;

    if (!rule) {
        return INJECTOR_GOES_ON;
    }
    w->hit = NULL;
    w->decided += hdr->size;
    if (rule->action == INJECTION_CLOSE) {
        return INJECTOR_CLOSES;
    }
    n = n < hdr->size ? n : hdr->size;
    room = injection_room(rule, hdr->size);
    if (room == 0) {
        return INJECTOR_GOES_ON;
    }
    w->made = malloc(room);
    if (!w->made) {
        return INJECTOR_NO_MEMORY;
    }
    w->made_start = 0;
    w->made_end = injection_make(rule, bytes, n, w->made);
    w->due_ns = rule->action == INJECTION_DELAY ? clock_ns() + UINT64_C(1000) * rule->number : 0;
    if (rule->action != INJECTION_ERROR && rule->action != INJECTION_SHORT) {
        w->fds = *fds;
        fdset_init(fds);
    }
    return INJECTOR_GOES_ON;
}

uint64_t injector_wait_us(const struct injector_way *w)
{
    const uint64_t now = w->due_ns > 0 ? clock_ns() : 0;

    return w->due_ns > now ? (w->due_ns - now + 999) / 1000 : 0;
}

void injector_sent(struct injector_way *w, size_t n)
{
    w->made_start += n;
    fdset_close(&w->fds);
    if (w->made_start >= w->made_end) {
        injector_way_drop(w);
    }
}
