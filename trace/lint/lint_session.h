/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by the files lint_*.c: the state of a session, and the message that is judged.
 */
#ifndef POEMD_TRACE_LINT_LINT_SESSION_H
#define POEMD_TRACE_LINT_LINT_SESSION_H

#include <jansson.h>

#include "trace/decode/decode.h"
#include "trace/lint/lint.h"
#include "trace/lint/lint_maps.h"

#define LINT_REGIONS 64u
#define LINT_IRQS 16u
#define LINT_POSTED 256u

struct lint_region {
    bool known;
    uint32_t flags;
    uint64_t size;
};

struct lint_irq {
    bool known;
    uint32_t flags;
    uint32_t count;
};

/* A request with No_reply. */
struct lint_posted {
    bool used;
    bool twin;
    uint8_t sender;
    uint16_t id;
    uint16_t command;
};

/* The other party's limits as the VERSION exchange gave them to a sender. */
struct lint_limits {
    bool known;
    uint32_t max_msg_fds;
    struct wire_takes takes;
};

/* A message that its sender began and did not finish, judged when the session is over. */
struct lint_incomplete {
    bool known;
    uint64_t number;
    uint64_t read_ns;
    uint64_t asked_ns;   /* of a reply: when its request was read; else 0 */
    uint64_t stopped_ns; /* when the session ended */
    uint32_t size;
    uint32_t missing;
    uint16_t id;
    uint16_t command;
};

/*
 * A reply without a request so far. A request that is relayed in pieces is recorded when its last
 * byte has gone: a device that answers before has its reply recorded first.
 */
#define LINT_EARLY 8u
struct lint_early {
    bool known;
    bool twin;
    uint8_t sender;
    uint16_t id;
    uint16_t command;
    uint64_t number;
    uint64_t read_ns;
};

/* The larger part of a session's state, freed when it is over. */
struct lint_device {
    struct pci_config config; /* of the last reply that had it whole */
    struct lint_region region[LINT_REGIONS];
    struct lint_irq irq[LINT_IRQS];
    struct lint_early early[LINT_EARLY];
    struct lint_posted posted[LINT_POSTED];
    unsigned next_posted;
};

struct lint_session {
    struct lint_device *device; /* NULL: it is over */
    bool partial;               /* not all messages were captured */
    bool over;
    bool closed[SIDES]; /* the session ended since this side closed or died; known if over */
    struct lint_incomplete incomplete[SIDES][2]; /* on the main and on the twin sockets */
    bool asked;                                  /* VERSION was requested */
    bool answered;                               /* VERSION was answered without error */
    uint64_t number;                             /* of the last message */
    uint64_t last_answered[SIDES];               /* number of the latest answered request */
    struct lint_limits limits[SIDES];            /* those that bind the sender */
    struct wire_version proposed;                /* by the client, or by the broker for it */
    json_t *capabilities;                        /* proposed with it; NULL if none, or not seen */
    bool write_multiple;
    uint64_t max_dma_maps;
    uint64_t page; /* smallest size that may be mapped */
    bool info_known;
    struct wire_device_info info;
    bool maps_known;
    struct lint_maps maps;
    bool state_known;
    uint32_t state; /* enum wire_mig_state */
    uint32_t found[LINT_CODES];
};

/* The message that is judged. */
struct lint_at {
    struct lint *lint;
    struct trace_session *session;
    struct lint_session *known;
    struct decode_view v;
    const struct wire_command_info *info; /* NULL: unknown command */
    const struct trace_request *request;  /* of a reply: the request that it answers */
};

/* Reports a finding about the message's sender. */
void lint_say(const struct lint_at *at, enum lint_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Counts a finding, and calls the lint's function for it unless there were too many. */
void lint_report(struct lint *l, struct lint_session *known, const struct lint_finding *f);

/* The section of the specification that a finding about a command refers to. */
const char *lint_section_of(enum lint_code code, uint16_t command);

/* Effects of a DMA_MAP request on the maps; remembered as its tag. */
#define LINT_TAG_MAPPED 1u
#define LINT_TAG_OVERLAP 2u

/* Judges a request; returns the tag to remember with it. */
uint64_t lint_request(struct lint_at *at);

/* Judges a reply to at->request, and learns from it. */
void lint_reply(struct lint_at *at);

/* The largest reply that at->request asked for; 0: not known. */
uint32_t lint_asked(const struct lint_at *at);

/* Judge what a peer sent in VERSION; learn also from what the broker made. */
void lint_version_request(struct lint_at *at);
void lint_version_reply(struct lint_at *at);

/* Returns the profile that the lint judges by. */
enum profile lint_profile_of(const struct lint *l);

/* Judge a peer's message by the profile; at->request is set for replies. */
void lint_profile_request(const struct lint_at *at);
void lint_profile_reply(const struct lint_at *at);
void lint_profile_version(const struct lint_at *at, const json_t *json);

/*
 * Remembers a reply without a request, if its request may still be recorded. Returns false if it is
 * not remembered.
 */
bool lint_early_keep(const struct lint_at *at);

/* Returns true if a request's reply was recorded before it: then it waits for no other. */
bool lint_early_take(const struct lint_at *at);

/* Reports all remembered replies: their requests have not come. */
void lint_early_over(struct lint *l, const struct trace_session *s);

/* Remembers a message that its sender did not finish; request may be NULL. */
void lint_silence_incomplete(struct lint_at *at, const struct trace_request *request);

/* The session is over: judges such messages, and learns which side closed. */
void lint_silence_over(struct lint *l, struct trace_session *s);

/* Judges a request that still waits at the end; arg is the lint. */
void lint_silence_unanswered(const struct trace_request *r, void *arg);

/* Reports the request of a reply that the broker sent in the stead of a silent device. */
void lint_silence_in_stead(const struct lint_at *at, const struct trace_request *r);

/* Returns false for messages that the broker itself sent. */
static inline bool lint_judged(const struct lint_at *at)
{
    return !(at->v.m->flags & TRACE_BROKER);
}

/* Sets the migration state that the device has entered. */
void lint_set_state(struct lint_session *s, uint32_t state);

/* Returns "BAR0", or "region 42" in out. */
const char *lint_region_text(uint32_t region, char out[static 24]);

#endif
