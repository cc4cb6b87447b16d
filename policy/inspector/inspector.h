/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector: a process without rights that reads what a peer could have written.
 *
 * It is handed open files over a SEQPACKET pair, in messages of one size, and answers with an
 * inspection: the executable's SHA-256, its fs-verity digest, and licence evidence from its ELF
 * notes, its Debian package and signed envelopes. One that crashes, hangs or lies out of turn is
 * killed and started again; whoever waited for it gets an inspection that says so.
 *
 * This header is the caller's side, for one thread with a libevent loop: nothing here blocks, but
 * inspector_free, which reaps a killed child. Answers are kept by the file's identity
 * (peer_file_id), the least used forgotten first.
 *
 *     i = inspector_new(&settings)
 *     if (!(r = inspector_look(i, &peer.exe)))            known already?
 *         inspector_ask(i, &peer.exe, &who, 3000, on_done, arg)   else
 * inspect_ask_on_done is called later
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/evidence/evidence.h"
#include "policy/peer/peer.h"

/* argv[1] of an inspector: a program that uses this header calls inspector_main() on it. */
#define INSPECTOR_ARG "--inspector"

/* The inspector's whole life. Returns the exit status. */
int inspector_main(void);

/* ---- what is found out ---- */

enum inspection_outcome {
    INSPECTION_OK,
    INSPECTION_NO_FILE, /* the executable could not be opened: peer.unknown says why */
    INSPECTION_TOO_BIG, /* above INSPECTOR_FILE_MAX */
    INSPECTION_CHANGED, /* its bytes changed while they were read */
    INSPECTION_UNREAD,  /* reading failed: error */
    INSPECTION_TIMEOUT, /* the inspector took too long */
    INSPECTION_CRASHED, /* … died over it */
    INSPECTION_UNSOUND, /* … answered what cannot be an answer */
    INSPECTION_NOBODY,  /* no inspector could be started, or too many wait */
    INSPECTION_CREDIT,  /* the asker has had too much inspected lately */
    INSPECTION_OUTCOMES,
};

/* Text of an outcome, for logs. Static. */
const char *inspection_text(enum inspection_outcome o);

#define INSPECTION_SHA256_SIZE 32u
#define INSPECTION_VERITY_MAX 64u

/* A value without pointers. Where outcome is not INSPECTION_OK, it knows nothing else. */
struct inspection {
    enum inspection_outcome outcome;
    int error; /* errno of INSPECTION_UNREAD and INSPECTION_NOBODY; else 0 */
    uint8_t sha256[INSPECTION_SHA256_SIZE];
    uint32_t verity_size;      /* bytes of the fs-verity digest; 0: the file has none */
    uint32_t verity_algorithm; /* 1 SHA-256, 2 SHA-512 (linux/fsverity.h) */
    uint8_t verity[INSPECTION_VERITY_MAX];
    uint32_t envelopes_other; /* envelopes that are good and speak of other files */
    struct evidence evidence; /* grades packaged and signed */
};

/* ---- the inspector ---- */

#define INSPECTOR_KEYS 16u
#define INSPECTOR_ENVELOPES 64u
#define INSPECTOR_ENVELOPE_MAX 65536u /* bytes of one */
#define INSPECTOR_KEY_SIZE 32u        /* Ed25519, raw */

/* An executable above this is not hashed: at 400 MB/s it takes 1.3 s of the handshake's 4. */
#define INSPECTOR_FILE_MAX (512ull << 20)

/*
 * One slice of a file may take this long, in ms, before its inspector is killed. Time in which it
 * was ready to run and had no CPU does not count, here and below.
 */
#define INSPECTOR_RUN_MS 2000

/* All slices of a file together may take this long, in ms: more than a handshake's time. */
#define INSPECTOR_JOB_MS 5000

/* Requests waiting at once, of all askers; the next is INSPECTION_NOBODY. */
#define INSPECTOR_WAITING 2048u

/* Answers kept: about 14 KiB each. */
#define INSPECTOR_CACHE 128u

/* A public key that the operator trusts to sign envelopes. */
struct inspector_key {
    uint8_t bytes[INSPECTOR_KEY_SIZE];
    char name[EVIDENCE_NAME_SIZE]; /* a file's name, for people; printable */
};

/* An envelope's file. */
struct inspector_envelope {
    int fd;                        /* open for reading */
    char name[EVIDENCE_NAME_SIZE]; /* printable */
};

/*
 * Reads a public key (PEM, Ed25519) at path, for start-up and tools: it blocks. 0, or -errno
 * (-EINVAL: it is no such key).
 */
int inspector_key_load(struct inspector_key *k, const char *path)
    __attribute__((warn_unused_result));

/* Opens an envelope's file, for start-up and tools. 0, k->fd being the caller's to close, or
 * -errno. */
int inspector_envelope_open(struct inspector_envelope *e, const char *path)
    __attribute__((warn_unused_result));

/* All borrowed for the call of inspector_new, which makes copies (of fds, too). */
struct inspector_settings {
    struct event_base *base; /* must outlive the inspector */
    int exe_fd;              /* the program to execute as { name, INSPECTOR_ARG } */
    uid_t uid;               /* whom to become, where we are root */
    gid_t gid;
    const char *dpkg_dir; /* NULL: /var/lib/dpkg; "" for none */
    const char *doc_dir;  /* NULL: /usr/share/doc; "" for none */
    size_t n_keys;
    const struct inspector_key *keys;
    size_t n_envelopes;
    const struct inspector_envelope *envelopes; /* each is read once in an inspector's life */
};

struct inspector;

/*
 * Starts an inspector. *out is to be freed; NULL on error. 0 or -errno (-E2BIG: more keys or
 * envelopes than fit). A child that cannot start is tried again; requests then end with
 * INSPECTION_NOBODY or _TIMEOUT.
 */
int inspector_new(struct inspector **out, const struct inspector_settings *s)
    __attribute__((warn_unused_result));

/* Kills the child. What waits is forgotten: its done is not called. NULL is allowed. */
void inspector_free(struct inspector *i);

/* The answer kept for this executable, or NULL. Valid until the next call on the inspector. */
const struct inspection *inspector_look(struct inspector *i, const struct peer_exe *exe)
    __attribute__((warn_unused_result));

/*
 * For whom a file is inspected. Each user on each route has a share of the inspector's time and a
 * credit of bytes (LIMIT_INSPECT_CREDIT): shares take turns, so that none waits for another's.
 */
struct inspector_asker {
    uid_t uid;      /* whose executable it is; (uid_t)-1: unknown */
    uint32_t route; /* a number of the caller's */
    bool late;      /* only a record wants it: goes behind what a verdict waits for */
};

/*
 * Called from the loop, once, never from within inspector_ask. r is valid during the call. It may
 * ask and forget, and must not free the inspector.
 */
typedef void inspector_done(const struct inspection *r, void *arg);

/*
 * Has the executable inspected; done is called with what came of it at the latest after timeout_ms.
 * exe and who are borrowed for the call (the fd is copied). Cannot fail: what goes wrong is an
 * outcome. Returns a number for inspector_forget; 0: there was no memory, and done is never called.
 */
uint64_t inspector_ask(struct inspector *i, const struct peer_exe *exe,
                       const struct inspector_asker *who, unsigned timeout_ms, inspector_done *done,
                       void *arg) __attribute__((warn_unused_result));

/* The asker is no more: its done is not called. */
void inspector_forget(struct inspector *i, uint64_t request);

/*
 * To be called every LIMIT_BEAT_MS by an owner that wants a child which hangs between questions
 * replaced (base/heartbeat.h); over a question it has its time. NULL is allowed.
 */
void inspector_beat(struct inspector *i);

/* The child's pid, -1 where there is none. */
pid_t inspector_pid(const struct inspector *i);

/* Whether the child has given up its rights and waits for work. */
bool inspector_ready(const struct inspector *i);

#endif
