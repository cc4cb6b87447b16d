/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: audit_write LOG KEY ROTATE-SIZE HOST
 *
 * Appends records to an audit log with the real writer: each line of standard input is a JSON list
 * of an event's name and its fields, such as ["verdict", {"session": 1, …}]. HOST is the object
 * "host" of every record. Closes the log, which seals it.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/audit_log.h"

/* Records that wait for the disk. */
#define BATCH 500

static void die(const char *what)
{
    fprintf(stderr, "audit_write: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Returns the number of the append. */
static uint64_t append(struct audit_log *log, const char *line)
{
    uint64_t number;
    const char *event;
    json_t *fields;
    json_t *const record = json_loads(line, 0, NULL);

    if (!record || json_unpack(record, "[s, o]", &event, &fields) < 0) {
        die("not a record");
    }
    if (audit_log_append(log, event, fields, &number) < 0) {
        die("append");
    }
    json_decref(record);
    return number;
}

/* Waits until all records up to this number of append are on disk. */
static void settle(struct audit_log *log, uint64_t number)
{
    struct pollfd p = {.fd = audit_log_fd(log), .events = POLLIN};
    struct audit_done done = {.upto = 0};

    audit_log_commit(log);
    while (done.upto < number) {
        if (poll(&p, 1, -1) < 0 && errno != EINTR) {
            die("poll");
        }
        while (audit_log_collect(log, &done)) {
            if (done.outcome != AUDIT_DURABLE) {
                die("lost");
            }
        }
    }
}

int main(int argc, char **argv)
{
    static char line[AUDIT_LINE_MAX + 2];
    struct audit_settings settings;
    struct audit_fault why;
    struct audit_log *log;
    unsigned n = 0;

    if (argc != 5) {
        die("usage: audit_write LOG KEY ROTATE-SIZE HOST");
    }
    settings = (struct audit_settings){.path = argv[1],
                                       .key_path = argv[2],
                                       .rotate_size = strtoull(argv[3], NULL, 10),
                                       .host = json_loads(argv[4], 0, NULL)};
    if (!settings.host || audit_log_open(&log, &settings, &why) != AUDIT_OPEN_OK) {
        die("cannot open the log");
    }
    while (fgets(line, sizeof line, stdin)) {
        const uint64_t number = append(log, line);

        if (++n % BATCH == 0) {
            settle(log, number);
        }
    }
    json_decref(settings.host);
    return audit_log_close(log, NULL) == AUDIT_DURABLE ? EXIT_SUCCESS : EXIT_FAILURE;
}
