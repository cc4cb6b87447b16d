/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts the silence of child processes, and reads the two files of /proc that excuse it. */
#define _GNU_SOURCE
#include "base/helper/heartbeat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/numbers.h"

/* Beats come with the loop's own jitter: a sum this near to a limit counts as having reached it. */
#define SLACK_MS (LIMIT_BEAT_MS / 2)

void heartbeat_start(struct heartbeat *h, uint64_t now_ms)
{
    *h = (struct heartbeat){.asked = true, .starting = true, .beat_ms = now_ms};
}

void heartbeat_heard(struct heartbeat *h)
{
    h->asked = false;
    h->starting = false;
    h->missed = 0;
    h->silent_ms = 0;
    h->held_ms = 0;
}

bool heartbeat_late(const struct heartbeat *h)
{
    return h->missed > 0;
}

/* Returns the growth of a time from one sample to the next, in ms. */
static uint64_t heartbeat_growth(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000000 : 0;
}

/* Returns the milliseconds of the last beat in which the process could have answered. */
static unsigned heartbeat_counted(const struct heartbeat *h, uint64_t now_ms,
                                  const struct heartbeat_sample *s)
{
    const uint64_t passed = now_ms - h->beat_ms;
    const uint64_t beat = passed < LIMIT_BEAT_MS ? passed : LIMIT_BEAT_MS;
    uint64_t lost;

    if (!s->times || !h->last.times) {
        return (unsigned)beat;
    }
    if (s->state == 'R') {
        const uint64_t ran = heartbeat_growth(h->last.ran_ns, s->ran_ns);

        return (unsigned)(ran < beat ? ran : beat);
    }
    lost = heartbeat_growth(h->last.wait_ns, s->wait_ns);
    return (unsigned)(lost < beat ? beat - lost : 0);
}

enum heartbeat_news heartbeat_beat(struct heartbeat *h, uint64_t now_ms,
                                   const struct heartbeat_sample *s)
{
    const unsigned limit = h->starting ? LIMIT_START_MS : LIMIT_SILENT_MS;
    enum heartbeat_news news = HEARTBEAT_ASK;

    if (h->asked) {
        *(s->state == 'D' ? &h->held_ms : &h->silent_ms) += heartbeat_counted(h, now_ms, s);
        h->missed++;
        news = h->silent_ms + SLACK_MS >= limit || h->held_ms + SLACK_MS >= LIMIT_HELD_MS
                   ? HEARTBEAT_HUNG
                   : HEARTBEAT_WAIT;
    }
    h->asked = true;
    h->beat_ms = now_ms;
    h->last = *s;
    return news;
}

/* Reads the beginning of a file of the process, as text. Returns false if it cannot be read. */
static bool heartbeat_read(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

void heartbeat_look(pid_t pid, struct heartbeat_sample *s)
{
    uint64_t times[2] = {0};
    char text[256];
    const char *name_end;

    memset(s, 0, sizeof *s);
    /* "RAN WAITED SLICES", the first two in nanoseconds. */
    if (heartbeat_read(pid, "schedstat", text, sizeof text)) {
        s->times = numbers_series(text, " ", times, 2) == 2;
        s->ran_ns = times[0];
        s->wait_ns = times[1];
    }
    /* "PID (NAME) STATE ...", where the name may have any character. */
    if (heartbeat_read(pid, "stat", text, sizeof text)) {
        name_end = strrchr(text, ')');
        if (name_end && name_end[1] == ' ') {
            s->state = name_end[2];
        }
    }
}
