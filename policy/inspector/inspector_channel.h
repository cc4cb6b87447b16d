/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The protocol between an inspector and its parent: messages of one size over a SEQPACKET pair.
 *
 *   parent → inspector   INSPECTOR_ASK and one fd: an executable, for a slot that is free
 *                        INSPECTOR_STEP: continues with the slot's file
 *                        INSPECTOR_TIDY: only closes files without a slot
 *                        INSPECTOR_PING: only while idle
 *   inspector → parent   INSPECTOR_READY once; to each ASK and STEP, in order: INSPECTOR_MORE after
 *                        a slice of the file, or INSPECTOR_ANSWER; INSPECTOR_PONG to each PING
 *
 * The parent gives slices to files in turn, so that a large file delays no other. One ASK or STEP
 * is in progress at a time. Each names the slots in use: the inspector closes all others.
 *
 * The inspector inherits everything it needs: the channel, a file with a struct inspector_start,
 * and the fds that this struct names.
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
#define INSPECTOR_NAME "poemd-inspect"

/* Fds that the parent passes: three folders, the list of IMA and the envelopes. */
#define INSPECTOR_FDS (4u + INSPECTOR_ENVELOPES)

/* Files that are inspected in turn. Each takes 18 KiB of the inspector's memory. */
#define INSPECTOR_SLOTS 32u

/* Bytes of a file that are read at once: about 20 ms. */
#define INSPECTOR_SLICE (8u << 20)

/*
 * The inspector's own fds: standard streams, channel, executables, a file and a folder of a
 * database.
 */
#define INSPECTOR_SPARE_FDS (16u + INSPECTOR_SLOTS)

/*
 * The inspector's memory limit in bytes: the program, a copyright file or a package's list, an
 * envelope's JSON.
 */
#define INSPECTOR_MEMORY (512ull << 20)

/* CPU seconds in the life of one inspector; it is replaced well before. */
#define INSPECTOR_CPU 600u

/* Larger files of the dpkg database, and larger copyright files, are not read. */
#define INSPECTOR_DPKG_MAX (32u << 20)

struct inspector_start {
    enum log_level log_level;
    uid_t uid; /* user to switch to if the parent is root */
    gid_t gid;
    int32_t dpkg_fd; /* -1 if there is none */
    int32_t doc_fd;
    int32_t rpm_fd;
    int32_t ima_fd; /* the list */
    uint32_t n_keys;
    uint32_t n_envelopes;
    uint32_t n_revoked;
    int32_t envelope_fds[INSPECTOR_ENVELOPES];
    char envelope_names[INSPECTOR_ENVELOPES][EVIDENCE_NAME_SIZE];
    struct inspector_key keys[INSPECTOR_KEYS];
    struct inspector_revoked revoked[INSPECTOR_REVOKED];
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
    struct peer_file_id id;   /* must still be the file's identity */
    char path[PEER_PATH_MAX]; /* "" if unknown; used only to find the package */
};

struct inspector_msg {
    uint32_t type; /* enum inspector_type */
    uint32_t slot; /* of ASK and STEP */
    uint64_t job;
    uint32_t slots; /* from the parent: one bit per slot in use, including `slot` */
    uint32_t zero;
    union {
        struct inspector_question question;
        struct inspection answer;
        uint64_t left; /* of INSPECTOR_MORE: bytes still to be read */
    } u;
};

/*
 * Returns whether an inspection is a possible answer of an inspector: every value is in its range.
 */
bool inspection_sound(const struct inspection *r) __attribute__((warn_unused_result));

/*
 * Drops all privileges except for reading below the folders (-1 for none): switches to its own
 * user if root, sets no_new_privs, Landlock, and limits on fds, memory, CPU time, files and
 * processes. Returns 0 or -errno.
 */
int inspector_sandbox(const struct inspector_start *s) __attribute__((warn_unused_result));

struct inspector_ima;

/* The valid envelopes, and the errors of the others. */
struct inspector_claims;

struct inspector_index;

/* The inputs of an inspection, besides the file. */
struct inspector_tools {
    int dpkg_fd;
    int doc_fd;
    int rpm_fd;
    struct inspector_index *index; /* of the lists below dpkg_fd */
    struct inspector_ima *ima;
    const struct inspector_claims *claims;
};

/* Reads the envelopes at the start. Returns NULL if out of memory. Lives as long as the process. */
struct inspector_claims *inspector_claims_new(const struct inspector_start *s);

/* Adds the envelopes' evidence for this digest. */
void inspector_claims_add(const struct inspector_claims *c, struct inspection *r);

/* Writes the MD5 of the file being inspected. Returns 0 or -errno. */
typedef int inspector_md5(void *arg, uint8_t out[16]);

/*
 * Adds the evidence of the Debian package that owns the path. err is 0 if the index is complete,
 * otherwise the -errno that it failed with. md5 is called if a package owns the path.
 */
void inspector_dpkg_add(const struct inspector_tools *t, int err, const char *path,
                        inspector_md5 *md5, void *arg, struct evidence *e);

/*
 * Adds the evidence of the rpm package that owns the path. sha256 is the file's own digest; md5 is
 * called as above, for packages of rpm before 4.6.
 */
void inspector_rpm_add(const struct inspector_tools *t, const char *path,
                       const uint8_t sha256[INSPECTION_SHA256_SIZE], inspector_md5 *md5, void *arg,
                       struct evidence *e);

/*
 * Reads a whole file (borrowed, at most `most` bytes) to *out, to be freed. Returns the number of
 * bytes or -errno.
 */
ssize_t inspector_read(int fd, size_t most, char **out) __attribute__((warn_unused_result));

/*
 * Opens a file below a folder for reading, without blocking. Returns an fd, which the caller
 * closes, or -errno: -EXDEV if a link leads out of the folder.
 */
int inspector_open_below(int dir_fd, const char *name) __attribute__((warn_unused_result));

/* ---- one file, in slices: inspector_inspect.c ---- */

/* A file being inspected. */
struct inspector_file;

/* Begins to inspect an executable and takes ownership of exe_fd. Returns NULL if out of memory. */
struct inspector_file *inspector_file_new_take(int exe_fd, const struct inspector_question *q)
    __attribute__((warn_unused_result));
void inspector_file_free(struct inspector_file *f);

/*
 * Reads a slice. Returns true once *r is set; until then *left is the number of bytes still to be
 * read.
 */
bool inspector_file_step(struct inspector_file *f, const struct inspector_tools *t,
                         struct inspection *r, uint64_t *left) __attribute__((warn_unused_result));

/* Sets an inspection that contains only its outcome. */
void inspection_nothing(struct inspection *r, enum inspection_outcome outcome, int error);

/* Makes a copy of an inspection that can be held, for inspection_release. NULL if out of memory. */
const struct inspection *inspection_new(const struct inspection *r)
    __attribute__((warn_unused_result));

#endif
