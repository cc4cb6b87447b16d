/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A session's taps: set and removed at the monitor's request, at any time of its life. */
#include "base/log.h"
#include "proxy/worker/session.h"

void session_tap_channels(struct session *s)
{
    struct tap_session *const t = s->tap;

    if (s->channels) {
        channel_pair_tap(s->channels, t ? tap_of(t, SIDE_CLIENT, false) : NULL,
                         t ? tap_of(t, SIDE_BACKEND, false) : NULL);
    }
    if (s->twin) {
        channel_pair_tap(s->twin, t ? tap_of(t, SIDE_CLIENT, true) : NULL,
                         t ? tap_of(t, SIDE_BACKEND, true) : NULL);
    }
}

void session_tap_own(struct session *s, enum side sender, const uint8_t *bytes, size_t n,
                     const int *fds, unsigned n_fds)
{
    struct trace_fd described[LIMIT_FDS_KERNEL];
    struct trace_message m = {.size = (uint32_t)n,
                              .kept = (uint32_t)n,
                              .sender = (uint8_t)sender,
                              .legs = TRACE_LEG_BACKEND,
                              .flags = sender == SIDE_CLIENT ? TRACE_BROKER : 0,
                              .fds = described,
                              .data = bytes};

    if (s->tap) {
        while (m.n_fds < n_fds && m.n_fds < LIMIT_FDS_KERNEL) {
            described[m.n_fds] = tap_describe(s->tap, fds[m.n_fds]);
            m.n_fds++;
        }
        m.read_ns = tap_now(s->tap);
        tap_session_record(s->tap, &m);
    }
}

static void session_tap_begin(struct session *s, const struct tap_settings *settings)
{
    s->tap = tap_session_new(s->id, settings, &s->host->tap_host);
    if (!s->tap) {
        log_line(LOG_ERROR, &(struct log_subject){.session = s->id}, "cannot be captured: %s",
                 "out of memory");
    }
    if (s->tap && s->guard) {
        tap_session_keep(s->tap, &s->guard->page->captured);
    }
    session_tap_channels(s);
}

static void session_tap_end(struct session *s)
{
    struct tap_session *const t = s->tap;

    if (s->greeting) {
        greeting_untap(s->greeting);
    }
    s->tap = NULL;
    session_tap_channels(s);
    tap_session_free(t);
}

void session_tap(struct session_host *h, uint64_t id, const struct tap_settings *settings)
{
    struct session *const s = session_of(h, id);

    if (!s || s->state == SESSION_DEAD) {
        return;
    }
    if (settings->on && s->tap) {
        tap_session_set(s->tap, settings);
    } else if (settings->on) {
        session_tap_begin(s, settings);
    } else if (s->tap) {
        session_tap_end(s);
    }
}
