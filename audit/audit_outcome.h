/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* How a log is opened, and the results of opening it and of writing to it. */
#ifndef POEMD_AUDIT_AUDIT_OUTCOME_H
#define POEMD_AUDIT_AUDIT_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* All members are borrowed for the call of audit_log_open. */
struct audit_settings {
    const char *path;     /* of the log; rotated files and torn ends are kept beside it */
    const char *key_path; /* PEM, Ed25519; KEY_PATH.pub beside it contains its name (section 6) */
    uint64_t rotate_size; /* a file of this many bytes is rotated; 0 for never */
    json_t *host;         /* a member of every record (audit_host.h); may be NULL */
    bool accept_loss; /* opens the log even if sealed records are missing, and records the loss */
};

/* The result of opening. */
enum audit_open {
    AUDIT_OPEN_OK,
    AUDIT_OPEN_KEY,       /* the key cannot be read, is not an Ed25519 key, or others may read it */
    AUDIT_OPEN_BUSY,      /* another process writes this log */
    AUDIT_OPEN_WRONG_KEY, /* the log was sealed with another key */
    AUDIT_OPEN_TAMPERED,  /* the log does not verify: poemd never appends to such a log */
    AUDIT_OPEN_LOSS,      /* a checkpoint of our own key covers more records than exist: see
                             accept_loss */
    AUDIT_OPEN_SYSTEM,    /* a system call failed, or out of memory: see error */
};

struct audit_fault {
    int error;      /* errno, or 0 if no system call failed */
    char text[512]; /* printable; names the file and the remedy */
};

/* The fate of records. */
enum audit_outcome {
    AUDIT_DURABLE, /* on disk */
    AUDIT_FULL, /* lost: no room (disk, quota, file size). The log is unchanged, and the next batch
                   may succeed, in which case it begins with a records-lost record */
    AUDIT_BROKEN, /* lost, and the log's state is unknown, or another process changed the file: all
                     later records are lost as well until the log is closed and opened again */
};

struct audit_done {
    uint64_t upto; /* number of the last append that this result covers */
    uint64_t seq;  /* for AUDIT_DURABLE: the "seq" of that append's record; the records of the other
                      appends covered directly precede it */
    enum audit_outcome outcome;
    int error; /* errno of a loss. For durable records: 0, or the reason why a new file that was due
                  could not be begun; the log continues in the old one and tries again */
    const char *
        touched; /* AUDIT_BROKEN: how another process changed the file; NULL if unchanged. Static */
};

#endif
