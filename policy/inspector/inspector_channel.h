/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an inspector and its parent say to each other: messages of one size over a SEQPACKET pair.
 *
 *   parent → inspector   INSPECTOR_ASK and one fd: an executable, for a slot that is free
 *                        INSPECTOR_STEP: goes on with the slot's
 *                        INSPECTOR_TIDY: only closes what is not in slots
 *                        INSPECTOR_PING: while nothing else is under way
 *   inspector → parent   INSPECTOR_READY once; to each ASK and STEP, in order: INSPECTOR_MORE after
 *                        a slice of the file, or INSPECTOR_ANSWER; INSPECTOR_PONG to each PING
 *
 * The parent gives slices to files in turn, so that a large one holds up no other. One ASK or STEP
 * is under way at a time. Each says which slots are in use: the inspector closes all others.
 *
 * What the inspector works with it finds at its start: the channel, a file with a struct
 * inspector_start, and the fds that this names.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_CHANNEL_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "policy/inspector/inspector.h"

#define INSPECTOR_CHANNEL_FD 3
#define INSPECTOR_START_FD 4

/* argv[0], as ps shows it. */
#define INSPECTOR_NAME "poemd: inspector"

/* Fds that the parent hands over: both folders, and envelopes. */
#define INSPECTOR_FDS (2u + INSPECTOR_ENVELOPES)

/* Files that are inspected in turn. 18 KiB of the inspector's memory each. */
#define INSPECTOR_SLOTS 32u

/* Bytes of a file that are read in one go: some 20 ms. */
#define INSPECTOR_SLICE (8u << 20)

/* The inspector's own: standard ones, channel, executables, a database's file and folder. */
#define INSPECTOR_SPARE_FDS (16u + INSPECTOR_SLOTS)

/* Its memory, in bytes: the program, a copyright file or a package's list, JSON of an envelope. */
#define INSPECTOR_MEMORY (512ull << 20)

/* Seconds of CPU time of one inspector's life; it makes room for another well before. */
#define INSPECTOR_CPU 600u

/* Files of the dpkg database and copyright files above this are not read. */
#define INSPECTOR_DPKG_MAX (32u << 20)

struct inspector_start {
    enum log_level log_level;
    uid_t uid; /* whom to become, where the parent is root */
    gid_t gid;
    int32_t dpkg_fd; /* -1: none */
    int32_t doc_fd;
    uint32_t n_keys;
    uint32_t n_envelopes;
    int32_t envelope_fds[INSPECTOR_ENVELOPES];
    char envelope_names[INSPECTOR_ENVELOPES][EVIDENCE_NAME_SIZE];
    struct inspector_key keys[INSPECTOR_KEYS];
};

enum inspector_type {
    INSPECTOR_ASK = 1,
    INSPECTOR_READY,
    INSPECTOR_ANSWER,
    INSPECTOR_STEP,
    INSPECTOR_MORE,
    INSPECTOR_TIDY,
    INSPECTOR_PING,
    INSPECTOR_PONG,
};

struct inspector_question {
    struct peer_file_id id;   /* the file has to be this one still */
    char path[PEER_PATH_MAX]; /* "" where it is unknown; only for finding the package */
};

struct inspector_msg {
    uint32_t type; /* enum inspector_type */
    uint32_t slot; /* of ASK and STEP */
    uint64_t job;
    uint32_t slots; /* from the parent: a bit for each that is in use, this one's included */
    uint32_t zero;
    union {
        struct inspector_question question;
        struct inspection answer;
        uint64_t left; /* of INSPECTOR_MORE: bytes that are still to be read */
    } u;
};

/* Whether an inspection can be an inspector's answer: every value in its range. */
bool inspection_sound(const struct inspection *r) __attribute__((warn_unused_result));

/*
 * Gives up all rights but reading below the two folders (-1: none): own user where we are root, no
 * new privileges, Landlock, limits on fds, memory, CPU time, files and processes. 0 or -errno.
 */
int inspector_sandbox(const struct inspector_start *s) __attribute__((warn_unused_result));

/* Envelopes that are good, and what is wrong with the others. */
struct inspector_claims;

/* What an inspection is made with. */
struct inspector_tools {
    int dpkg_fd;
    int doc_fd;
    const struct inspector_claims *claims;
};

/* Reads the envelopes at the start. NULL: no memory. Lives as long as the process. */
struct inspector_claims *inspector_claims_new(const struct inspector_start *s);

/* Adds what the envelopes say of this digest. */
void inspector_claims_add(const struct inspector_claims *c, struct inspection *r);

/*
 * Adds what the Debian package says that owns the path. md5 is called for the file's own digest
 * once one is needed: 0 or -errno.
 */
typedef int inspector_md5(void *arg, uint8_t out[16]);
void inspector_dpkg_add(const struct inspector_tools *t, const char *path, inspector_md5 *md5,
                        void *arg, struct evidence *e);

/* Reads a whole file (borrowed, n bytes at the most) to *out, to be freed. Bytes or -errno. */
ssize_t inspector_read(int fd, size_t most, char **out) __attribute__((warn_unused_result));

/* ---- one file, in slices: inspector_inspect.c ---- */

/* A file that is being inspected. */
struct inspector_file;

/* Begins with an executable (taken). NULL: no memory. */
struct inspector_file *inspector_file_new_take(int exe_fd, const struct inspector_question *q)
    __attribute__((warn_unused_result));
void inspector_file_free(struct inspector_file *f);

/* Reads a slice. Returns true once *r is filled in; before that *left is what is still to be read.
 */
bool inspector_file_step(struct inspector_file *f, const struct inspector_tools *t,
                         struct inspection *r, uint64_t *left) __attribute__((warn_unused_result));

#endif
