/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Turns a device's output into lines of the log. Reads a pipe, writes to the log. */
#include "proxy/monitor/devices/output.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"

/* Bytes read in one turn. */
#define TURN 16384u

/* Pause in reading a device that is above its rate: about 1.6 MB/s are discarded then. */
static const struct timeval pause_time = {.tv_usec = 10000};

/* Returns true if a line may be logged now. The allowance is renewed every second. */
static bool output_may_log(struct output *o)
{
    const uint64_t now = clock_ms();

    if (now - o->rate->since_ms >= 1000) {
        o->rate->left = LIMIT_OUTPUT_RATE;
        o->rate->since_ms = now;
    }
    if (o->rate->left == 0) {
        return false;
    }
    o->rate->left--;
    return true;
}

static void output_write_lost(struct output *o)
{
    const struct log_subject about = {.route = o->route, .leg = "backend"};

    if (o->lost > 0) {
        log_line(LOG_WARNING, &about, "pid=%ld: %" PRIu64 " lines of its output are left out",
                 (long)o->pid, o->lost);
        o->lost = 0;
    }
}

static void output_end_line(struct output *o)
{
    const struct log_subject about = {.route = o->route, .leg = "backend"};
    char shown[2 * LIMIT_OUTPUT_LINE];

    if (o->n > 0 && output_may_log(o)) {
        output_write_lost(o);
        log_escape(shown, sizeof shown, o->line, o->n);
        log_line(LOG_INFO, &about, "pid=%ld wrote: %s%s", (long)o->pid, shown, o->cut ? "..." : "");
    } else if (o->n > 0) {
        o->lost++;
    }
    o->n = 0;
    o->cut = false;
}

static void output_add(struct output *o, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            output_end_line(o);
        } else if (o->n < sizeof o->line) {
            o->line[o->n++] = p[i];
        } else {
            o->cut = true;
        }
    }
}

/* Reads for one turn. Returns false at the end of the output. */
static bool output_read_some(struct output *o)
{
    char bytes[TURN];
    const ssize_t n = read(o->fd, bytes, sizeof bytes);

    if (n > 0) {
        output_add(o, bytes, (size_t)n);
    }
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void output_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct output *o = arg;

    (void)fd;
    (void)what;
    if (!output_read_some(o)) {
        event_del(&o->readable);
    } else if (o->lost > 0) {
        event_del(&o->readable);
        event_add(&o->resume, &pause_time);
    }
}

static void output_on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct output *o = arg;

    (void)fd;
    (void)what;
    event_add(&o->readable, NULL);
}

int output_init_take(struct output *o, struct event_base *base, int fd, const char *route,
                     pid_t pid, struct output_rate *rate)
{
    *o = (struct output){.fd = fd, .route = route, .pid = pid, .rate = rate};
    if (event_assign(&o->readable, base, fd, EV_READ | EV_PERSIST, output_on_readable, o) < 0 ||
        evtimer_assign(&o->resume, base, output_on_resume, o) < 0 ||
        event_add(&o->readable, NULL) < 0) {
        sock_close(&o->fd);
        return -ENOMEM;
    }
    return 0;
}

void output_deinit(struct output *o)
{
    if (o->fd < 0) {
        return;
    }
    event_del(&o->readable);
    event_del(&o->resume);
    (void)output_read_some(o);
    output_end_line(o);
    output_write_lost(o);
    sock_close(&o->fd);
}
