/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Measures the time an inspector takes. */
#include "policy/inspector/inspector_pace.h"

#include "base/clock.h"
#include "base/helper/heartbeat.h"

unsigned inspector_pace_waited(struct inspector_pace *p, pid_t pid)
{
    struct heartbeat_sample s;
    unsigned ms = 0;

    heartbeat_look(pid, &s);
    if (s.times && s.wait_ns > p->waited_ns) {
        ms = (unsigned)((s.wait_ns - p->waited_ns) / 1000000);
        p->waited_ns = s.wait_ns;
    }
    p->waited_ms += ms;
    return ms;
}

void inspector_pace_begin(struct inspector_pace *p, pid_t pid)
{
    (void)inspector_pace_waited(p, pid);
    p->waited_ms = 0;
    p->begun_ms = (int64_t)clock_ms();
}

unsigned inspector_pace_took(struct inspector_pace *p, pid_t pid)
{
    int64_t ms;

    (void)inspector_pace_waited(p, pid);
    ms = (int64_t)clock_ms() - p->begun_ms - p->waited_ms;
    return ms > 0 ? (unsigned)ms : 0;
}
