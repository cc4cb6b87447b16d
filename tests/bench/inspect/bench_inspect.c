/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: bench-inspect-files < FILES
 *
 * Measures how long it takes to inspect executables. Each line of FILES is a package, a tab, and
 * the path of a file that it owns. Prints a line of nanoseconds for each file, in its order:
 *
 *     cold     the file's pages are dropped before, and nothing is known of it
 *     ready    the same without the time in which the inspector was ready to run and had no CPU
 *     warm     the same question again
 *     cached   another inspector, which knows nothing of the file; the kernel has its pages
 *     cpu      CPU time of that inspector
 *     hash, package, copyright, notes   CPU time of the steps
 *
 * "package" includes reading the copyright file. The first line has the CPU time for the index of
 * dpkg's lists. "-" stands for a file that could not be inspected.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/helper/heartbeat.h"
#include "policy/evidence/debian/evidence_copyright.h"
#include "policy/evidence/evidence_elf.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_hash.h"
#include "policy/inspector/inspector_index.h"
#include "tests/bench/bench.h"

#define FILES 16384u

/* Milliseconds that an answer may take. */
#define PATIENCE_MS 60000u

enum column { COLD, READY, WARM, CACHED, CPU, HASH, PACKAGE, COPYRIGHT, NOTES, COLUMNS };

struct measured {
    char *package;
    char *path;
    uint64_t ns[COLUMNS]; /* 0 if it failed */
};

static struct measured files[FILES];
static size_t n_files;

/* Nanoseconds of CPU time that a process has used. */
static uint64_t bench_inspect_cpu(pid_t pid)
{
    struct timespec ts;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) < 0) {
        bench_die("the clock of a process", -errno);
    }
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Nanoseconds in which a process was ready to run and had no CPU. */
static uint64_t bench_inspect_waited(pid_t pid)
{
    struct heartbeat_sample s;

    heartbeat_look(pid, &s);
    return s.times ? s.wait_ns : 0;
}

static void bench_inspect_read_files(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    while (n_files < FILES && (n = getline(&line, &size, stdin)) > 0) {
        char *const tab = strchr(line, '\t');

        line[n - 1] = '\0';
        if (!tab) {
            bench_die("a line without a tab", 0);
        }
        *tab = '\0';
        files[n_files].package = strdup(line);
        files[n_files].path = strdup(tab + 1);
        if (!files[n_files].package || !files[n_files].path) {
            bench_die("reading the files", -ENOMEM);
        }
        n_files++;
    }
    free(line);
}

/* ---- whole inspections ---- */

struct reply {
    struct event_base *base;
    enum inspection_outcome outcome;
};

static void bench_inspect_on_done(const struct inspection *r, void *arg)
{
    struct reply *const reply = arg;

    reply->outcome = r->outcome;
    event_base_loopbreak(reply->base);
}

static uint64_t bench_inspect_ask(struct inspector *i, struct event_base *base,
                                  const struct peer_exe *exe, uint32_t route)
{
    /* Each file has a share of its own, so that no credit is used up. */
    const struct inspector_asker who = {.uid = 0, .route = route};
    struct reply reply = {.base = base, .outcome = INSPECTION_OUTCOMES};
    const uint64_t begun = bench_now();

    if (!inspector_look(i, exe)) {
        if (!inspector_ask(i, exe, &who, PATIENCE_MS, bench_inspect_on_done, &reply)) {
            bench_die("asking", -ENOMEM);
        }
        event_base_dispatch(base);
    } else {
        reply.outcome = INSPECTION_OK;
    }
    return reply.outcome == INSPECTION_OK ? bench_now() - begun : 0;
}

static bool bench_inspect_open(struct peer_exe *exe, const char *path)
{
    memset(exe, 0, sizeof *exe);
    exe->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (exe->fd < 0 || peer_file_id_get(exe->fd, &exe->id) < 0) {
        return false;
    }
    snprintf(exe->path, sizeof exe->path, "%s", path);
    return true;
}

static struct inspector *bench_inspect_start(struct event_base *base, int self_fd)
{
    const struct inspector_settings settings = {
        .base = base, .exe_fd = self_fd, .uid = 65534, .gid = 65534};
    struct inspector *i;
    const int err = inspector_new(&i, &settings);

    if (err) {
        bench_die("starting an inspector", err);
    }
    while (!inspector_ready(i)) {
        event_base_loop(base, EVLOOP_ONCE);
    }
    return i;
}

/* Inspects all files with a new inspector. */
static void bench_inspect_whole(bool drop)
{
    static struct peer_exe exe;
    struct event_base *const base = event_base_new();
    const int self_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct inspector *const i = bench_inspect_start(base, self_fd);

    for (size_t k = 0; k < n_files; k++) {
        struct measured *const m = &files[k];
        uint64_t cpu;
        uint64_t waited;

        if (bench_inspect_open(&exe, m->path)) {
            if (drop) {
                (void)posix_fadvise(exe.fd, 0, 0, POSIX_FADV_DONTNEED);
            }
            cpu = bench_inspect_cpu(inspector_pid(i));
            waited = bench_inspect_waited(inspector_pid(i));
            m->ns[drop ? COLD : CACHED] = bench_inspect_ask(i, base, &exe, (uint32_t)k);
            if (drop) {
                waited = bench_inspect_waited(inspector_pid(i)) - waited;
                m->ns[READY] = m->ns[COLD] > waited ? m->ns[COLD] - waited : 0;
            }
            m->ns[CPU] = bench_inspect_cpu(inspector_pid(i)) - cpu;
            m->ns[WARM] = bench_inspect_ask(i, base, &exe, (uint32_t)k);
        }
        if (exe.fd >= 0) {
            close(exe.fd);
        }
    }
    inspector_free(i);
    event_base_free(base);
    close(self_fd);
}

/* ---- steps ---- */

static ssize_t bench_inspect_read_at(void *arg, uint64_t offset, void *out, size_t n)
{
    return pread(*(const int *)arg, out, n, (off_t)offset) == (ssize_t)n ? (ssize_t)n : -1;
}

static int bench_inspect_md5(void *arg, uint8_t out[16])
{
    const struct inspector_hash *const h = arg;

    memcpy(out, h->md5, INSPECTOR_MD5_SIZE);
    return 0;
}

static void bench_inspect_copyright(struct measured *m)
{
    static struct evidence_copyrights c;
    char path[4096];
    char *text = NULL;
    uint64_t begun;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/usr/share/doc/%s/copyright", m->package);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : inspector_read(fd, INSPECTOR_DPKG_MAX, &text);
    begun = bench_inspect_cpu(0);
    if (n >= 0 && evidence_copyright_read(&c, text, (size_t)n) != EVIDENCE_COPYRIGHT_NO_MEMORY) {
        m->ns[COPYRIGHT] = bench_inspect_cpu(0) - begun;
    }
    free(text);
    if (fd >= 0) {
        close(fd);
    }
}

static void bench_inspect_one_by_one(const struct inspector_tools *t, struct measured *m,
                                     struct peer_exe *exe)
{
    static struct evidence e;
    struct inspector_hash *const h = inspector_hash_get(&exe->id, true);
    uint64_t begun = bench_inspect_cpu(0);

    while (h && inspector_hash_step(h, exe->fd) == 0) {
    }
    m->ns[HASH] = bench_inspect_cpu(0) - begun;
    evidence_init(&e);
    begun = bench_inspect_cpu(0);
    (void)evidence_elf(&e, bench_inspect_read_at, &exe->fd);
    m->ns[NOTES] = bench_inspect_cpu(0) - begun;
    if (h && h->done) {
        begun = bench_inspect_cpu(0);
        inspector_dpkg_add(t, 0, m->path, bench_inspect_md5, h, &e);
        m->ns[PACKAGE] = bench_inspect_cpu(0) - begun;
    }
    inspector_hash_release(h);
    bench_inspect_copyright(m);
}

static void bench_inspect_steps(void)
{
    static struct peer_exe exe;
    struct inspector_tools t = {.rpm_fd = -1};
    uint64_t begun = bench_inspect_cpu(0);
    int r = 0;

    t.dpkg_fd = open("/var/lib/dpkg", O_PATH | O_DIRECTORY | O_CLOEXEC);
    t.doc_fd = open("/usr/share/doc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    t.index = inspector_index_new(t.dpkg_fd);
    while (t.index && r == 0) {
        r = inspector_index_step(t.index, 1);
    }
    if (r <= 0) {
        bench_die("the dpkg database", r);
    }
    printf("%" PRIu64 "\n", bench_inspect_cpu(0) - begun);
    for (size_t k = 0; k < n_files; k++) {
        if (bench_inspect_open(&exe, files[k].path)) {
            bench_inspect_one_by_one(&t, &files[k], &exe);
        }
        if (exe.fd >= 0) {
            close(exe.fd);
        }
    }
    inspector_index_free(t.index);
    close(t.dpkg_fd);
    close(t.doc_fd);
}

static void bench_inspect_print(void)
{
    for (size_t k = 0; k < n_files; k++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            if (files[k].ns[c] > 0) {
                printf("%" PRIu64 "%c", files[k].ns[c], c + 1 < COLUMNS ? '\t' : '\n');
            } else {
                printf("-%c", c + 1 < COLUMNS ? '\t' : '\n');
            }
        }
        free(files[k].package);
        free(files[k].path);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], INSPECTOR_ARG) == 0) {
        return inspector_main();
    }
    bench_inspect_read_files();
    bench_inspect_whole(true);
    bench_inspect_whole(false);
    bench_inspect_steps();
    bench_inspect_print();
    return 0;
}
