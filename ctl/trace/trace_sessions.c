/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A growing list of sessions. */
#define _DEFAULT_SOURCE
#include "ctl/trace/trace_sessions.h"

#include <stdlib.h>

bool trace_sessions_add(struct trace_sessions *s, struct trace_session *session)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 16;
        struct trace_session **grown = reallocarray(s->session, room, sizeof *grown);

        if (!grown) {
            return false;
        }
        s->session = grown;
        s->room = room;
    }
    s->session[s->n++] = session;
    return true;
}

void trace_sessions_deinit(struct trace_sessions *s)
{
    free(s->session);
    *s = (struct trace_sessions){.session = NULL};
}
