/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Opens the files of captures step by step, while the monitor's loop goes on. */
#include "proxy/monitor/tracing/tracing_open.h"

#include <errno.h>

#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/tracing/tracing_file.h"

/* Zero, so that the next step comes in the loop's next turn. */
static const struct timeval tracing_step_time = {.tv_usec = 0};

void tracing_open_cancel(struct capture *c)
{
    tracing_file_free(c->opening);
    c->opening = NULL;
    if (c->step) {
        event_free(c->step);
        c->step = NULL;
    }
}

static void tracing_open_step(evutil_socket_t fd, short what, void *arg)
{
    struct capture *c = arg;
    const int got = tracing_file_step(c->opening);

    (void)fd;
    (void)what;
    if (got == -EINPROGRESS) {
        (void)evtimer_add(c->step, &tracing_step_time);
        return;
    }
    tracing_open_cancel(c);
    c->opened(c, c->opens_first, got);
}

void tracing_open(struct capture *c, bool first, tracing_opened_fn *opened)
{
    tracing_open_cancel(c);
    c->opens_first = first;
    c->opened = opened;
    c->opening = tracing_file_new(c->path, c->how.keep);
    c->step = evtimer_new(c->tracing->context->base, tracing_open_step, c);
    if (!c->opening || !c->step || evtimer_add(c->step, &tracing_step_time) < 0) {
        tracing_open_cancel(c);
        opened(c, first, -ENOMEM);
    }
}
