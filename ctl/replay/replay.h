/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Replays a recorded session: plays the client to a device (replay_client.c), or the device to a
 * client (replay_device.c). Both return a result for the caller to print.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_H
#define POEMD_CTL_REPLAY_REPLAY_H

#include "ctl/replay/replay_objects.h"
#include "trace/replay/replay_compare.h"

/* Findings that are kept with their text; all are counted. */
#define REPLAY_FINDINGS_MAX 100u

enum replay_finding_kind {
    REPLAY_DIFFERS,    /* a message differs from the recorded one */
    REPLAY_MISSING,    /* a recorded message did not come */
    REPLAY_UNASKED,    /* a reply came without a request */
    REPLAY_UNEXPECTED, /* a command came that was not recorded */
    REPLAY_ENDED,      /* the other side left, or broke the framing, before the end */
};

struct replay_finding {
    enum replay_finding_kind kind;
    const struct replay_message *recorded; /* NULL if none */
    const struct replay_message *request;  /* that it answers; NULL if none */
    struct replay_difference difference;
    uint16_t command; /* of the message in question */
    char text[256];   /* printable */
};

struct replay_settings {
    const struct replay_script *script;
    const struct replay_masks *masks;
    const char *path; /* of the socket */
    unsigned leg;     /* TRACE_LEG_*: the script's */
    int timeout_ms;   /* without progress; -1 if none (replay_device only) */
    bool fast;        /* leave out the client's pauses */
};

struct replay_result {
    bool could_not; /* the replay failed, see why; the rest is meaningless */
    char why[512];
    uint64_t sent;
    uint64_t came;
    uint64_t compared;
    uint64_t equal;
    uint64_t masked;
    uint64_t in_part;  /* of those compared: recorded only in part */
    uint64_t repeated; /* replay_device: replies sent again, since no further ones were recorded */
    uint64_t found;    /* findings, kept or only counted */
    unsigned n_findings;
    struct replay_finding findings[REPLAY_FINDINGS_MAX];
    struct replay_objects objects;
};

/* Initialises an empty result, and releases one. */
void replay_result_init(struct replay_result *r);
void replay_result_deinit(struct replay_result *r);

/* Counts a finding. Returns it for the caller to fill in, or NULL if no more are kept. */
struct replay_finding *replay_finding_add(struct replay_result *r, enum replay_finding_kind kind,
                                          const struct replay_message *recorded,
                                          const struct replay_message *request);

/* Sets the reason why the session could not be replayed. Returns false. */
bool replay_could_not(struct replay_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Explains that a message cannot be sent because it was not kept whole, and how to capture all of
 * it; returns out.
 */
const char *replay_not_whole_text(const struct replay_message *m, char *out, size_t size);

/*
 * Adds newly made files for a message's fds to set. Returns false, with the reason set, on failure.
 */
bool replay_fds(struct replay_result *r, const struct replay_message *m, uint16_t without,
                struct fdset *set);

/*
 * Returns the largest message to accept: as large as any client accepts, or as the largest recorded
 * one.
 */
uint32_t replay_max_size(const struct replay_script *s);

/* Plays the client to the device that listens at settings->path. */
void replay_client(const struct replay_settings *settings, struct replay_result *out);

/*
 * Plays the device to the first client that connects to settings->path, until it leaves or stop_fd
 * (-1 if none) becomes readable. Calls ready once a client can connect.
 */
void replay_device(const struct replay_settings *settings, int stop_fd, void (*ready)(void *arg),
                   void *arg, struct replay_result *out);

/*
 * Checks, before anything is sent, that the trace has every message that the client sent. Returns
 * false if not; out says why.
 */
bool replay_can_play(const struct replay_settings *settings, struct replay_result *out);

#endif
