/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A recorded session played again: the client's part against a device (replay_client.c), or the
 * device's part for a client (replay_device.c). What came of it is a result, which the caller
 * tells.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_H
#define POEMD_CTL_REPLAY_REPLAY_H

#include "ctl/replay/replay_objects.h"
#include "trace/replay/replay_compare.h"

/* Findings that are kept word for word; all are counted. */
#define REPLAY_FINDINGS_MAX 100u

enum replay_finding_kind {
    REPLAY_DIFFERS,    /* a message is not as it was recorded */
    REPLAY_MISSING,    /* … did not come */
    REPLAY_UNASKED,    /* a reply came that nobody had asked for */
    REPLAY_UNEXPECTED, /* a command came that was not recorded */
    REPLAY_ENDED,      /* the other side went, or broke the framing, before the end */
};

struct replay_finding {
    enum replay_finding_kind kind;
    const struct replay_message *recorded; /* NULL: none */
    const struct replay_message *request;  /* that it answers; NULL: none */
    struct replay_difference difference;
    uint16_t command; /* of what came or did not */
    char text[256];   /* printable */
};

struct replay_settings {
    const struct replay_script *script;
    const struct replay_masks *masks;
    const char *path; /* of the socket */
    unsigned leg;     /* TRACE_LEG_*: which the script is of */
    int timeout_ms;   /* without any progress; -1: none (replay_device alone) */
    bool fast;        /* the client's pauses are left out */
};

struct replay_result {
    bool could_not; /* why says why: nothing is known then */
    char why[512];
    uint64_t sent;
    uint64_t came;
    uint64_t compared;
    uint64_t equal;
    uint64_t masked;
    uint64_t in_part;  /* of those compared: so many of which the trace kept a part only */
    uint64_t repeated; /* replay_device: answers given again, there being no further ones */
    uint64_t found;    /* findings, kept or not */
    unsigned n_findings;
    struct replay_finding findings[REPLAY_FINDINGS_MAX];
    struct replay_objects objects;
};

/* A result in which nothing is known yet, and its end. */
void replay_result_init(struct replay_result *r);
void replay_result_deinit(struct replay_result *r);

/* Counts a finding; the place to fill in, or NULL where no more are kept. */
struct replay_finding *replay_finding_add(struct replay_result *r, enum replay_finding_kind kind,
                                          const struct replay_message *recorded,
                                          const struct replay_message *request);

/* Says why it could not be played. Returns false. */
bool replay_could_not(struct replay_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* That a message cannot be sent, having been kept in part, and what would help; returns out. */
const char *replay_not_whole_text(const struct replay_message *m, char *out, size_t size);

/* The same as why it could not be played. Returns false. */
bool replay_not_whole(struct replay_result *r, const struct replay_message *m);

/* Adds a message's fds to set, made anew. False: it could not, said. */
bool replay_fds(struct replay_result *r, const struct replay_message *m, uint16_t without,
                struct fdset *set);

/* The bound of the messages that come: what any client takes, or the largest that was recorded. */
uint32_t replay_max_size(const struct replay_script *s);

/* Plays the client to the device that listens at settings->path. */
void replay_client(const struct replay_settings *settings, struct replay_result *out);

/*
 * Plays the device to the first client that connects to settings->path, until it goes or stop_fd
 * (-1: none) can be read. Calls ready when one can connect.
 */
void replay_device(const struct replay_settings *settings, int stop_fd, void (*ready)(void *arg),
                   void *arg, struct replay_result *out);

#endif
