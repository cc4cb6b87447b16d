/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: audit_storm LOG KEY ROTATE-SIZE FIRST [COUNT]
 *
 * Writes an audit log under load until it is killed, or COUNT records: session-opened records
 * numbered from FIRST in "session", each 31st followed by a verdict. When the log reports records
 * on disk, the greatest number among them goes to standard output, a line each. With a COUNT, each
 * batch is on disk before the next begins: the number of files that a ROTATE-SIZE makes does not
 * depend on the speed of the disk.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/audit_log.h"

/* How far writing may be ahead of the disk without a COUNT. */
#define AHEAD 200
#define BATCH 7

static void die(const char *what)
{
    fprintf(stderr, "audit_storm: %s\n", what);
    exit(EXIT_FAILURE);
}

static void append(struct audit_log *log, uint64_t number)
{
    json_t *const opened = json_pack("{s:I, s:s}", "session", (json_int_t)number, "route", "storm");

    if (!opened || audit_log_append(log, "session-opened", opened, NULL) < 0) {
        die("append");
    }
    json_decref(opened);
}

static void append_verdict(struct audit_log *log, uint64_t number)
{
    json_t *const verdict =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:{}, s:{}}", "session", (json_int_t)number, "route",
                  "storm", "verdict", "allow", "rule", "", "taint", "", "client", "backend");

    if (!verdict || audit_log_append(log, "verdict", verdict, NULL) < 0) {
        die("append");
    }
    json_decref(verdict);
}

/* Tells what is on disk. The number of the append and that of the record go together. */
static uint64_t collect(struct audit_log *log, uint64_t first)
{
    struct pollfd p = {.fd = audit_log_fd(log), .events = POLLIN};
    struct audit_done done;
    uint64_t upto = 0;

    while (poll(&p, 1, -1) < 0) {
        if (errno != EINTR) {
            die("poll");
        }
    }
    while (audit_log_collect(log, &done)) {
        if (done.outcome != AUDIT_DURABLE) {
            die("lost");
        }
        upto = done.upto;
        /* A verdict comes behind each 31st: 32 appends are 31 numbers. */
        printf("%" PRIu64 "\n", first + done.upto - done.upto / 32 - 1);
    }
    fflush(stdout);
    return upto;
}

int main(int argc, char **argv)
{
    struct audit_settings settings;
    struct audit_fault why;
    struct audit_log *log;
    uint64_t appended = 0;
    uint64_t durable = 0;
    uint64_t first;
    uint64_t count;

    if (argc < 5) {
        die("usage: audit_storm LOG KEY ROTATE-SIZE FIRST [COUNT]");
    }
    settings = (struct audit_settings){
        .path = argv[1], .key_path = argv[2], .rotate_size = strtoull(argv[3], NULL, 10)};
    first = strtoull(argv[4], NULL, 10);
    count = argc > 5 ? strtoull(argv[5], NULL, 10) : UINT64_MAX;
    if (audit_log_open(&log, &settings, &why) != AUDIT_OPEN_OK) {
        die(why.text);
    }
    for (uint64_t i = 0; i < count; i++) {
        append(log, first + i);
        appended++;
        if (i % 31 == 30) {
            append_verdict(log, first + i);
            appended++;
        }
        if (i % BATCH > 0 && i + 1 < count) {
            continue;
        }
        audit_log_commit(log);
        while (appended - durable > (count < UINT64_MAX ? 0 : AHEAD)) {
            durable = collect(log, first);
        }
    }
    return audit_log_close(log, NULL) == AUDIT_DURABLE ? EXIT_SUCCESS : EXIT_FAILURE;
}
