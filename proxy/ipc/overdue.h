/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "answer-after": the client's requests that wait for a reply, and the late replies of the device.
 *
 * QEMU gives up a request after 5 s, and a reply with a body that comes later puts it out of step:
 * the device is lost. So the broker answers a request that has waited for too long itself, with an
 * error reply, and discards the device's late one:
 *
 *   waiting   passed on to the device. Its reply ends this; or, at its age, an answer of ours
 *   owed      answered by us: the next reply with its id is discarded
 *
 * A client may use an id again while it is unanswered, and matches replies in their order, as does
 * this. All owed requests are older than all waiting ones.
 *
 * A device that has sent no reply since the last answer of ours is silent: then all requests get a
 * fortieth of the time (LIMIT_ANSWER_SILENT_PART), so that a device that hangs costs its VM one
 * long pause.
 *
 * Beyond LIMIT_OVERDUE_REPLIES the ids of the oldest owed ones are forgotten: as many replies that
 * answer nothing are discarded. Beyond LIMIT_OVERDUE_REQUESTS at once, requests are not watched
 * until all of these are answered.
 *
 * Pure: no memory of its own, no clock. Plain fields of fixed width, so that it can be kept where
 * another process goes on with it: times are of CLOCK_MONOTONIC_COARSE, which all processes share;
 * a process that does not trust the writer checks first, n and n_owed (overdue_is_sound). An entry
 * is complete before it is counted, and noted is set before: a request is not watched, rather than
 * twice, if its worker dies in between.
 */
#ifndef POEMD_PROXY_IPC_OVERDUE_H
#define POEMD_PROXY_IPC_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"

struct overdue_request {
    uint16_t id;
    uint16_t command;
    uint32_t since_ms; /* clock_coarse_ms */
};

struct overdue {
    uint32_t after_ms;  /* 0: nothing is watched */
    uint32_t n;         /* requests that wait, the oldest first, from requests[first] on */
    uint32_t n_owed;    /* late replies, the oldest first */
    uint32_t unwatched; /* requests that wait without an entry; all are younger */
    uint32_t lost;      /* late replies whose ids are forgotten */
    uint16_t silent;    /* 1: no reply has come since the last answer of ours */
    uint16_t replies;   /* … to watched requests since then, up to LIMIT_OVERDUE_STALE */
    uint32_t first;
    uint32_t away_ms;   /* 0, or since when no worker may have looked: clock_coarse_ms */
    uint64_t noted;     /* position behind the last request that was noted */
    uint64_t answered;  /* requests that were answered in the device's stead */
    uint64_t discarded; /* late replies that came, and were not passed on */
    struct overdue_request requests[LIMIT_OVERDUE_REQUESTS];
    uint16_t owed[LIMIT_OVERDUE_REPLIES]; /* ids */
};

/* after_ms: the age at which a request is answered; 0: never. */
void overdue_init(struct overdue *o, uint32_t after_ms);

/* Returns true if the counts fit the arrays. */
bool overdue_is_sound(const struct overdue *o);

/*
 * A message of the client's is about to go on; position counts the bytes that the client sent
 * before it. A message that has been noted before is ignored, so that one that has to wait may be
 * noted each time that it is looked at.
 */
void overdue_note_request(struct overdue *o, const struct wire_hdr *hdr, uint64_t position,
                          uint32_t now_ms);

/*
 * Returns true if a message of the device's must be discarded: the request that it answers has been
 * answered.
 */
bool overdue_is_late(const struct overdue *o, const struct wire_hdr *hdr);

/* A message of the device's goes on, or is discarded if it is late. Call once for each. */
void overdue_note_reply(struct overdue *o, const struct wire_hdr *hdr);

/* The device is gone: its late replies will not come. Requests that wait go on to another one. */
void overdue_forget_owed(struct overdue *o);

/*
 * Returns true if the oldest request has waited for after_ms, so that a reply that comes only now
 * is late.
 */
bool overdue_has_expired(const struct overdue *o, uint32_t now_ms);

/* Returns the time until the next request must be answered, in ms; UINT32_MAX if none waits. */
uint32_t overdue_wait_ms(const struct overdue *o, uint32_t now_ms);

/*
 * Takes the oldest request if it must be answered now, and counts it: its reply is owed from then
 * on. Returns false if there is none.
 */
bool overdue_take(struct overdue *o, uint32_t now_ms, struct overdue_request *out)
    __attribute__((warn_unused_result));

#endif
