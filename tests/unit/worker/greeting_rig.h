/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One greeting between a client and a backend that the test plays, all in one process.
 */
#ifndef POEMD_TESTS_UNIT_WORKER_GREETING_RIG_H
#define POEMD_TESTS_UNIT_WORKER_GREETING_RIG_H

#include "proxy/worker/greeting/greeting.h"

/* The id of every VERSION message that the rig sends. */
#define RIG_ID 0x1234

/* QEMU's request (peer_qemu_json) as the backend must get it. */
extern const char rig_qemu_anew[];

/* A backend's reply as it is written, and as the client must get it. */
#define RIG_REPLY "{ \"capabilities\": { \"max_msg_fds\": 8, \"new\": [1] } }"
#define RIG_REPLY_ANEW "{\"capabilities\":{\"max_msg_fds\":8,\"new\":[1]}}"

struct greeting_rig {
    struct event_base *base;
    struct greeting *greeting;
    int client;       /* the client's end */
    int backend;      /* the backend's end; -1: there is none */
    uint16_t command; /* of the client's request, by which it is answered: WIRE_VERSION */
    enum greeting_news news;
    unsigned n_news;
    unsigned heard; /* how often a request has begun: no news of its own */
};

void rig_begin(struct greeting_rig *r);

/* A greeting that refuses with err, without a backend. */
void rig_begin_refusing(struct greeting_rig *r, int err);

void rig_finish(struct greeting_rig *r);

/* Lets happen what can. */
void rig_settle(struct greeting_rig *r);

/* … which must be just this news, or none. */
void rig_expect_news(struct greeting_rig *r, enum greeting_news news);
void rig_expect_no_news(struct greeting_rig *r);

/*
 * … which must be a failure for this reason; the client must have been told err, or nothing where
 * err is 0. Frees the greeting; both ends must be closed then.
 */
void rig_expect_failure(struct greeting_rig *r, enum session_reason reason, int err,
                        bool by_backend);

/* Sends QEMU's request, and receives it at the backend's end. */
void rig_request(struct greeting_rig *r);

/* Sends the backend's reply; the evidence must be there then. */
void rig_reply(struct greeting_rig *r);

/*
 * Writes a whole VERSION message of version 0.0 to p (room bytes): n bytes at data behind the
 * numbers. Returns its size.
 */
size_t rig_version(void *p, size_t room, uint32_t flags, const void *data, size_t n);

#endif
