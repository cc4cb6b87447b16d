/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captured routes, from both ends.
 */
#define _GNU_SOURCE
#include "tests/daemon/trace_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* The end of the names of packed files. */
static const char *suffix = "";

const char *trace_rig_file(unsigned n)
{
    char name[32];

    if (n > 0) {
        snprintf(name, sizeof name, "r.pcapng%s.%u", suffix, n);
    } else {
        snprintf(name, sizeof name, "r.pcapng%s", suffix);
    }
    return unit_path(name);
}

static void start(struct rig *r, const char *file_statements, const char *file, const char *words)
{
    char path[RIG_PATH];

    /* Before other paths take its place. */
    snprintf(path, sizeof path, "%s", file);
    rig_init(r);
    rig_configure(r,
                  "workers 1\n%s\nroute r {\n    listen %s\n    backend %s\n"
                  "    recite to client never\n    trace %s %s\n}\n",
                  file_statements, r->listen, r->backend, path, words);
    rig_launch(r);
}

void trace_rig_start(struct rig *r, const char *file_statements, const char *trace_words)
{
    suffix = strstr(trace_words, "pack zstd") ? ".zst" : "";
    start(r, file_statements, trace_rig_file(0), trace_words);
}

void trace_rig_start_at(struct rig *r, const char *file)
{
    start(r, "", file, "");
}

void trace_rig_stop(struct rig *r)
{
    rig_terminate(r);
    rig_deinit(r);
}

/* The child of this name; 0: there is none. */
static pid_t child_called(const struct rig *r, const char *name)
{
    pid_t pids[RIG_WORKERS];
    const size_t n = rig_workers(r, pids);

    for (size_t i = 0; i < n; i++) {
        char path[64];
        char comm[32] = "";
        int fd;

        snprintf(path, sizeof path, "/proc/%ld/comm", (long)pids[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)!read(fd, comm, sizeof comm - 1);
            close(fd);
        }
        if (strncmp(comm, name, strlen(name)) == 0) {
            return pids[i];
        }
    }
    return 0;
}

static pid_t await_child(const struct rig *r, const char *name)
{
    const struct patience patience = patience_begin();
    pid_t pid;

    while ((pid = child_called(r, name)) == 0) {
        ck_assert_msg(patience_again(&patience), "there is no %s", name);
    }
    return pid;
}

pid_t trace_rig_tracer(const struct rig *r)
{
    return await_child(r, "poemd-tracer");
}

pid_t trace_rig_worker(const struct rig *r)
{
    return await_child(r, "poemd-worker");
}

/* ---- streams ---- */

void trace_rig_stream(struct stream *s, unsigned n, uint16_t command, size_t payload)
{
    stream_init(s);
    for (unsigned i = 0; i < n; i++) {
        stream_add(s, (struct wire_hdr){.id = (uint16_t)i, .command = command}, NULL, payload, 0);
    }
}

void trace_rig_pass(const struct pair *p, const struct stream *s)
{
    flow_pass(s, p->client_fd, p->backend_fd, FLOW_GLUED, 0);
}

/* ---- reading ---- */

/* The number of the session's last message is kept at its user pointer. */
static void count(struct trace_sums *sums, const struct trace_item *item)
{
    const uint64_t last = (uint64_t)(uintptr_t)item->session->user;

    sums->messages++;
    sums->lost += item->message.lost;
    if (item->message.number <= last) {
        ck_abort_msg("message %llu behind %llu", (unsigned long long)item->message.number,
                     (unsigned long long)last);
    }
    item->session->user = (void *)(uintptr_t)item->message.number;
}

static void note_session(struct trace_sums *sums, const struct trace_session *s)
{
    ck_assert_int_lt(snprintf(sums->comment, sizeof sums->comment, "%s", s->comment),
                     sizeof sums->comment);
    ck_assert_int_lt(snprintf(sums->ending, sizeof sums->ending, "%s", s->ending),
                     sizeof sums->ending);
}

struct trace_sums trace_rig_read(const char *path, trace_rig_fn *fn, void *arg)
{
    struct trace_sums sums = {.outcome = TRACE_FAILED};
    struct trace_session *sessions[64];
    struct trace_item item;
    struct trace_reader *r = trace_reader_new_take(open(path, O_RDONLY | O_CLOEXEC));

    ck_assert_ptr_nonnull(r);
    while ((sums.outcome = trace_reader_next(r, &item)) <= TRACE_STATISTICS) {
        if (sums.outcome == TRACE_SESSION) {
            ck_assert_uint_lt(sums.sessions, 64);
            sessions[sums.sessions++] = item.session;
        } else if (sums.outcome == TRACE_MESSAGE) {
            count(&sums, &item);
            if (fn) {
                fn(&item, arg);
            }
        }
    }
    for (unsigned i = 0; i < sums.sessions; i++) {
        sums.seen += sessions[i]->seen;
        sums.all_lost += sessions[i]->lost;
        sums.over += sessions[i]->over;
        note_session(&sums, sessions[i]);
    }
    snprintf(sums.section, sizeof sums.section, "%s", trace_reader_section(r));
    if (sums.outcome != TRACE_END && sums.outcome != TRACE_CUT_OFF) {
        ck_abort_msg("%s: %s", path, trace_reader_why(r));
    }
    trace_reader_free(r);
    return sums;
}

void trace_rig_await(const char *path, uint64_t messages)
{
    const struct patience patience = patience_begin();

    while (trace_rig_read(path, NULL, NULL).messages < messages) {
        ck_assert_msg(patience_again(&patience), "%s never has %llu messages", path,
                      (unsigned long long)messages);
    }
}
