/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Copies of VERSION messages, kept until they may be recorded. */
#include "proxy/worker/greeting/greeting_tap.h"

#include <stdlib.h>
#include <string.h>

void greeting_tap_read(struct greeting_tap *t)
{
    if (t->session && !t->reading) {
        t->reading = true;
        t->in_ns = tap_now(t->session);
    }
}

/* Keeps a copy, or records the message; if it cannot be kept it is recorded at once. */
static void greeting_tap_keep(struct greeting_tap *t, struct trace_message *m,
                              const struct fdset *fds)
{
    const unsigned n_fds = !fds ? 0 : fds->n < LIMIT_FDS_KERNEL ? fds->n : LIMIT_FDS_KERNEL;
    const size_t fds_size = n_fds * sizeof(struct trace_fd);
    uint8_t *const memory = malloc(fds_size + m->kept);

    if (memory) {
        struct trace_fd *const described = (struct trace_fd *)(void *)memory;

        for (unsigned i = 0; i < n_fds; i++) {
            described[i] = tap_describe(t->session, fds->fds[i]);
        }
        memcpy(memory + fds_size, m->data, m->kept);
        m->n_fds = (uint16_t)n_fds;
        m->fds = described;
        m->data = memory + fds_size;
    }
    if (!memory || t->flushed || t->n == GREETING_TAP_MESSAGES) {
        tap_session_record(t->session, m);
        free(memory);
        return;
    }
    t->notes[t->n].message = *m;
    t->notes[t->n].memory = memory;
    t->n++;
}

/* Returns the size in the message's header, or n if that is impossible. */
static uint32_t greeting_tap_size_of(const void *data, size_t n)
{
    struct wire_hdr hdr;

    if (wire_get_hdr(data, n, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT || hdr.size < n) {
        return (uint32_t)n;
    }
    return hdr.size;
}

static uint8_t greeting_tap_leg_of(bool client)
{
    return client ? TRACE_LEG_CLIENT : TRACE_LEG_BACKEND;
}

void greeting_tap_in(struct greeting_tap *t, enum side sender, const void *data, size_t n,
                     const struct fdset *fds, bool stopped)
{
    struct trace_message m;
    uint32_t size;

    if (!t->session || !t->reading || n == 0) {
        return;
    }
    t->reading = false;
    size = greeting_tap_size_of(data, n);
    if (stopped && size < WIRE_HDR_SIZE) {
        size = WIRE_HDR_SIZE;
    }
    m = (struct trace_message){.read_ns = t->in_ns,
                               .passed_ns = tap_now(t->session) - t->in_ns,
                               .size = size,
                               .kept = (uint32_t)n,
                               .missing = stopped ? size - (uint32_t)n : 0,
                               .flags = stopped && size > n ? TRACE_UNDELIVERED : 0,
                               .sender = (uint8_t)sender,
                               .legs = greeting_tap_leg_of(sender == SIDE_CLIENT),
                               .data = data};
    greeting_tap_keep(t, &m, fds);
}

void greeting_tap_out(struct greeting_tap *t, enum side sender, const void *data, size_t n,
                      const struct fdset *fds, bool sent)
{
    struct trace_message m;

    if (!t->session) {
        return;
    }
    m = (struct trace_message){.read_ns = tap_now(t->session),
                               .size = greeting_tap_size_of(data, n),
                               .kept = (uint32_t)n,
                               .sender = (uint8_t)sender,
                               .legs = greeting_tap_leg_of(sender != SIDE_CLIENT),
                               .flags = sent ? TRACE_BROKER : TRACE_BROKER | TRACE_UNDELIVERED,
                               .data = data};
    greeting_tap_keep(t, &m, fds);
}

void greeting_tap_flush(struct greeting_tap *t)
{
    if (t->session && !t->flushed) {
        for (unsigned i = 0; i < t->n; i++) {
            tap_session_record(t->session, &t->notes[i].message);
        }
        t->flushed = true;
    }
    greeting_tap_deinit(t);
}

void greeting_tap_deinit(struct greeting_tap *t)
{
    while (t->n > 0) {
        free(t->notes[--t->n].memory);
    }
}
