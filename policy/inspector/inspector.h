/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector: a process without privileges that parses files which a peer could have written.
 *
 * It receives open files over a SEQPACKET pair, in messages of one size, and answers with an
 * inspection: the executable's SHA-256, whether the kernel has measured it, and licence evidence
 * from its ELF notes, its Debian or rpm package and signed envelopes. If it crashes, hangs or
 * breaks the protocol, it is killed and restarted; its waiters get an inspection with that outcome.
 *
 * This header is the caller's side, for one thread with a libevent loop. Only inspector_free
 * blocks: it reaps a killed child. Results are cached by the file's identity (peer_file_id); the
 * least recently used is dropped first.
 *
 *     i = inspector_new(&settings)
 *     if (!(r = inspector_look(i, &peer.exe)))            in the cache?
 *         inspector_ask(i, &peer.exe, &who, 3000, on_done, arg)
 *
 * In the second case on_done is called later.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/evidence/evidence.h"
#include "policy/evidence/evidence_key.h"
#include "policy/peer/peer.h"

/* argv[1] of an inspector: a program that uses this header calls inspector_main() for it. */
#define INSPECTOR_ARG "--inspector"

/* Runs the inspector until its channel closes. Returns the exit status. */
int inspector_main(void);

/* ---- results ---- */

enum inspection_outcome {
    INSPECTION_OK,
    INSPECTION_NO_FILE, /* the executable could not be opened: see peer.unknown */
    INSPECTION_TOO_BIG, /* larger than INSPECTOR_FILE_MAX */
    INSPECTION_CHANGED, /* the file changed while it was read */
    INSPECTION_UNREAD,  /* reading failed: see error */
    INSPECTION_TIMEOUT, /* the inspector took too long */
    INSPECTION_CRASHED, /* the inspector died while inspecting it */
    INSPECTION_UNSOUND, /* the inspector sent an invalid answer */
    INSPECTION_NOBODY,  /* no inspector could be started, or too many requests wait */
    INSPECTION_CREDIT,  /* the asker's inspections exceeded its credit */
    INSPECTION_OUTCOMES,
};

/* Returns the static text of an outcome, for logs. */
const char *inspection_text(enum inspection_outcome o);

#define INSPECTION_SHA256_SIZE 32u

/* Whether IMA, the kernel's Integrity Measurement Architecture, has measured a file's contents. */
enum inspection_ima {
    INSPECTION_IMA_NO_LIST,   /* the kernel has no list of measurements, or we may not read it */
    INSPECTION_IMA_LISTED,    /* a file with this SHA-256 is in it */
    INSPECTION_IMA_ABSENT,    /* no such file is in it */
    INSPECTION_IMA_NO_SHA256, /* it has no SHA-256 digests of files */
    INSPECTION_IMA_BEHIND,    /* it grows faster than it is read, or has not been read yet */
    INSPECTION_IMA_CUT,       /* it has more digests than are kept */
    INSPECTION_IMA_UNREAD,    /* reading it failed */
    INSPECTION_IMA_STATES,
};

/* Returns half a sentence on IMA's list. Static. */
const char *inspection_ima_text(enum inspection_ima s);

/* A value without pointers. Unless outcome is INSPECTION_OK, the members after error are 0. */
struct inspection {
    enum inspection_outcome outcome;
    int error; /* errno for INSPECTION_UNREAD and INSPECTION_NOBODY, otherwise 0 */
    uint8_t sha256[INSPECTION_SHA256_SIZE];
    uint32_t ima;             /* enum inspection_ima */
    uint32_t ima_entry;       /* if it is listed: the first such entry, from 1; otherwise 0 */
    uint32_t ima_pcr;         /* … and the register of the TPM that it extends */
    uint32_t envelopes_other; /* number of valid envelopes for other files */
    struct evidence evidence; /* grades noted, packaged and signed */
};

/*
 * Keeps an inspection that inspector_look or an inspector_done has given, until inspection_release:
 * it is not copied. Returns NULL if out of memory.
 */
const struct inspection *inspection_hold(const struct inspection *r)
    __attribute__((warn_unused_result));

/* NULL is allowed. */
void inspection_release(const struct inspection *r);

/* ---- the inspector ---- */

#define INSPECTOR_KEYS 16u
#define INSPECTOR_ENVELOPES 64u
#define INSPECTOR_ENVELOPE_MAX (1u << 20) /* bytes of one envelope */

/* Bytes of all envelopes, which are read at the inspector's start: about 45 ms for each MiB. */
#define INSPECTOR_ENVELOPES_MAX (8u << 20)

/* Entries of a revocation list, which the inspector gets at its start: 64 KiB. */
#define INSPECTOR_REVOKED 512u

/* Bytes of the reason of a revocation, including the NUL; a longer one is cut. */
#define INSPECTOR_REASON_SIZE 96u

/* Larger executables are not hashed: at 400 MB/s this size takes 1.3 s of the handshake's 4 s. */
#define INSPECTOR_FILE_MAX (512ull << 20)

/*
 * Milliseconds for one slice of a file before its inspector is killed. Time in which it was ready
 * to run and had no CPU does not count, here and below.
 */
#define INSPECTOR_RUN_MS 2000

/* Milliseconds for all slices of a file together: more than a handshake may take. */
#define INSPECTOR_JOB_MS 5000

/*
 * Maximum number of requests waiting at once, for all askers; the next one gets INSPECTION_NOBODY.
 */
#define INSPECTOR_WAITING 2048u

/* A public key that the operator trusts to sign envelopes. */
struct inspector_key {
    struct evidence_key key;
    char name[EVIDENCE_NAME_SIZE]; /* the file's name, for people; printable */
};

/* A key or an envelope that the operator trusts no longer. */
struct inspector_revoked {
    uint8_t digest[EVIDENCE_SHA256_SIZE]; /* the key's fingerprint, or the envelope's SHA-256 */
    char reason[INSPECTOR_REASON_SIZE];   /* printable; "" if the list has none */
};

/* The file of an envelope. */
struct inspector_envelope {
    int fd;                        /* open for reading */
    char name[EVIDENCE_NAME_SIZE]; /* printable */
};

/*
 * Reads a public key (PEM; Ed25519, or ECDSA over P-256) at path, at start-up and in tools: it
 * blocks. Returns 0 or -errno (-EINVAL if it is not such a key).
 */
int inspector_key_load(struct inspector_key *k, const char *path)
    __attribute__((warn_unused_result));

/*
 * Opens the file of an envelope, at start-up and in tools. Returns 0, after which the caller closes
 * e->fd, or -errno.
 */
int inspector_envelope_open(struct inspector_envelope *e, const char *path)
    __attribute__((warn_unused_result));

/*
 * Reads a revocation list at path, at start-up and in tools: it blocks. Each line is 64 lower-case
 * hexadecimal digits, the fingerprint of a key or the SHA-256 of an envelope, and a reason after
 * white space, which may be missing. Empty lines, and those that begin with "#", are ignored.
 *
 * out has room for INSPECTOR_REVOKED entries; *n receives their number. Returns 0 or -errno:
 * -EINVAL if line number *line is malformed, -E2BIG if there are more entries.
 */
int inspector_revoked_load(struct inspector_revoked *out, size_t *n, const char *path,
                           unsigned *line) __attribute__((warn_unused_result));

/* Returns the revocation of a key's fingerprint or an envelope's digest among n, or NULL. */
const struct inspector_revoked *inspector_revocation(const struct inspector_revoked *revoked,
                                                     size_t n,
                                                     const uint8_t digest[EVIDENCE_SHA256_SIZE]);

/* All borrowed for the call of inspector_new, which makes copies, also of fds. */
struct inspector_settings {
    struct event_base *base; /* must outlive the inspector */
    int exe_fd;              /* the program to execute as { name, INSPECTOR_ARG } */
    uid_t uid;               /* user to switch to if we are root */
    gid_t gid;
    const char *dpkg_dir; /* NULL for /var/lib/dpkg; "" for no folder */
    const char *doc_dir;  /* NULL for /usr/share/doc; "" for no folder */
    const char *ima_dir;  /* NULL for /sys/kernel/security/ima; "" for no folder */
    const char *rpm_dir;  /* NULL for /usr/lib/sysimage/rpm or /var/lib/rpm; "" for no folder */
    size_t n_keys;
    const struct inspector_key *keys;
    size_t n_envelopes;
    const struct inspector_envelope *envelopes; /* each is read once per inspector process */
    size_t n_revoked;
    const struct inspector_revoked *revoked;
};

struct inspector;

/*
 * Starts an inspector. *out is NULL on error, otherwise the caller calls inspector_free. Returns 0
 * or -errno (-E2BIG if there are more keys, envelopes or revocations than fit). If the child cannot
 * start, it is tried again later; requests then end with INSPECTION_NOBODY or INSPECTION_TIMEOUT.
 */
int inspector_new(struct inspector **out, const struct inspector_settings *s)
    __attribute__((warn_unused_result));

/* Kills the child. Pending requests are dropped without calling done. i may be NULL. */
void inspector_free(struct inspector *i);

/*
 * Returns the cached result for this executable, or NULL. Valid until the next call on the
 * inspector.
 */
const struct inspection *inspector_look(struct inspector *i, const struct peer_exe *exe)
    __attribute__((warn_unused_result));

/*
 * The party for which a file is inspected. Each user on each route has a share of the inspector's
 * time and a credit of bytes (LIMIT_INSPECT_CREDIT): shares take turns, so that none has to wait
 * for another's jobs.
 */
struct inspector_asker {
    uid_t uid;      /* owner of the executable; (uid_t)-1 if unknown */
    uint32_t route; /* a number chosen by the caller */
    bool late;      /* needed only for a record: ranks behind jobs that a verdict waits for */
};

/*
 * Called from the loop, once, never from within inspector_ask. r is valid during the call. The
 * callback may call inspector_ask and inspector_forget, but must not free the inspector.
 */
typedef void inspector_done(const struct inspection *r, void *arg);

/*
 * Requests an inspection of the executable; done is called with the result after at most
 * timeout_ms. exe and who are borrowed for the call (the fd is duplicated). Errors are reported as
 * an outcome. Returns a number for inspector_forget, or 0 if out of memory, in which case done is
 * never called.
 */
uint64_t inspector_ask(struct inspector *i, const struct peer_exe *exe,
                       const struct inspector_asker *who, unsigned timeout_ms, inspector_done *done,
                       void *arg) __attribute__((warn_unused_result));

/* Cancels a request: its done is not called. */
void inspector_forget(struct inspector *i, uint64_t request);

/*
 * Called every LIMIT_BEAT_MS by an owner that wants a child replaced if it hangs between questions
 * (base/helper/heartbeat.h); during a question other time-outs apply. i may be NULL.
 */
void inspector_beat(struct inspector *i);

/* Returns the child's pid, or -1 if there is no child. */
pid_t inspector_pid(const struct inspector *i);

/* Returns whether the child has dropped its privileges and waits for work. */
bool inspector_ready(const struct inspector *i);

#endif
