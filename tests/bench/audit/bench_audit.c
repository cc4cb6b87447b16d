/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: bench-audit FOLDER [RECORDS]
 *
 * What the audit log costs on the disk that FOLDER is on: how long until a record is on disk,
 * beside a write and fdatasync alone; how many are written a second when they come all at once; how
 * long it takes to verify them. RECORDS is 10,000 unless told. It leaves nothing behind.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_key.h"
#include "audit/audit_log.h"
#include "audit/audit_verify.h"
#include "tests/bench/bench.h"

#define ALONE 300u
#define RUNS 7u

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static double median_us(uint64_t *ns, size_t n)
{
    const size_t middle = n / 2;

    qsort(ns, n, sizeof *ns, compare);
    return (double)ns[middle] / 1e3;
}

/* A verdict as the broker writes it, with a fair number of facts: about 500 bytes. */
static json_t *new_verdict(uint64_t session)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:{s:i, s:i, s:{s:s, s:s}}, s:{s:i, s:{s:s, s:s}},"
                     " s:[{s:s, s:s, s:s}]}",
                     "session", (json_int_t)session, "route", "nvme0", "verdict", "allow", "rule",
                     "poemd.conf:12", "taint", "-", "client", "pid", 4720, "uid", 1000, "exe",
                     "path", "/usr/bin/qemu-system-x86_64", "sha256",
                     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328", "backend",
                     "pid", 4701, "exe", "path", "/usr/libexec/nvme-device", "sha256",
                     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "evidence",
                     "of", "backend", "grade", "packaged", "licence", "GPL-2.0-or-later");
}

static void append(struct audit_log *log, uint64_t i)
{
    json_t *const o = new_verdict(i);

    if (!o || audit_log_append(log, "verdict", o, NULL) < 0) {
        bench_die("appending", 0);
    }
    json_decref(o);
}

/* Waits until all up to that append are on disk, which no call before has waited for. */
static void settle(struct audit_log *log, uint64_t upto)
{
    struct pollfd p = {.fd = audit_log_fd(log), .events = POLLIN};
    struct audit_done done = {.upto = 0};

    audit_log_commit(log);
    while (done.upto < upto) {
        if (poll(&p, 1, -1) != 1) {
            bench_die("waiting for the disk", 0);
        }
        while (audit_log_collect(log, &done)) {
            if (done.outcome != AUDIT_DURABLE) {
                bench_die("writing", -done.error);
            }
        }
    }
}

static struct audit_log *open_log(const char *path, const char *key)
{
    struct audit_fault why;
    struct audit_log *log;

    if (audit_log_open(&log, &(struct audit_settings){.path = path, .key_path = key}, &why) !=
        AUDIT_OPEN_OK) {
        bench_die(why.text, 0);
    }
    return log;
}

/* A record of a log's size, written and synced alone. */
static void measure_disk(const char *path)
{
    static const char text[900];
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    uint64_t ns[ALONE];

    if (fd < 0) {
        bench_die(path, 0);
    }
    for (size_t i = 0; i < ALONE; i++) {
        const uint64_t from = bench_now();

        if (pwrite(fd, text, sizeof text, (off_t)(i * sizeof text)) != sizeof text ||
            fdatasync(fd) < 0) {
            bench_die("the disk", 0);
        }
        ns[i] = bench_now() - from;
    }
    close(fd);
    unlink(path);
    printf("%-42s %9.0f us, median of %u\n", "write and fdatasync alone", median_us(ns, ALONE),
           ALONE);
}

static void measure_alone(const char *path, const char *key)
{
    struct audit_log *const log = open_log(path, key);
    uint64_t ns[ALONE];

    for (size_t i = 0; i < ALONE; i++) {
        const uint64_t from = bench_now();

        append(log, i);
        settle(log, i + 1);
        ns[i] = bench_now() - from;
    }
    (void)audit_log_close(log, NULL);
    unlink(path);
    printf("%-42s %9.0f us, median of %u\n", "a verdict on disk, with its checkpoint",
           median_us(ns, ALONE), ALONE);
}

static void measure_many(const char *path, const char *key, uint64_t n)
{
    struct audit_log *const log = open_log(path, key);
    const uint64_t from = bench_now();
    double s;

    for (uint64_t i = 0; i < n; i++) {
        append(log, i);
        if (i % 100 == 99 || i + 1 == n) {
            settle(log, i + 1);
        }
    }
    s = (double)(bench_now() - from) / 1e9;
    (void)audit_log_close(log, NULL);
    printf("%-42s %9.0f a second\n", "verdicts on disk, 100 at once", (double)n / s);
}

static void measure_verify(const char *path, const struct audit_vkey *key)
{
    const struct audit_question q = {.files = &path, .n = 1, .key = key};
    struct audit_result r;
    uint64_t ns[RUNS];

    for (size_t i = 0; i < RUNS; i++) {
        const uint64_t from = bench_now();

        if (audit_verify(&q, &r) != AUDIT_INTACT) {
            bench_die(r.text, 0);
        }
        ns[i] = bench_now() - from;
    }
    printf("verifying %-8" PRIu64 "%-24s %9.1f ms, median of %u\n", r.size, " records",
           median_us(ns, RUNS) / 1e3, RUNS);
}

/* The same with as many checkpoints as records: the worst that a log can be. */
static void measure_worst(const char *path, const char *key_path, const struct audit_vkey *key,
                          uint64_t n)
{
    struct audit_log *log;

    unlink(path);
    log = open_log(path, key_path);
    for (uint64_t i = 0; i < n / 2; i++) {
        append(log, i);
        settle(log, i + 1);
    }
    (void)audit_log_close(log, NULL);
    printf("each second one a checkpoint: ");
    measure_verify(path, key);
}

int main(int argc, char **argv)
{
    const uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
    struct audit_vkey vkey;
    char folder[512];
    char path[600];
    char key[600];
    char pub[600];
    char why[512];

    if (argc < 2 || n < 2) {
        fprintf(stderr, "usage: bench-audit FOLDER [RECORDS]\n");
        return 2;
    }
    snprintf(folder, sizeof folder, "%s/bench-audit.XXXXXX", argv[1]);
    if (!mkdtemp(folder)) {
        bench_die(folder, 0);
    }
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(pub, sizeof pub, "%s/key.pub", folder);
    if (audit_key_generate(key, "example.org/bench", &vkey, why, sizeof why) < 0) {
        bench_die(why, 0);
    }
    measure_disk(path);
    measure_alone(path, key);
    measure_many(path, key, n);
    measure_verify(path, &vkey);
    measure_worst(path, key, &vkey, n);
    unlink(path);
    unlink(key);
    unlink(pub);
    rmdir(folder);
    return 0;
}
