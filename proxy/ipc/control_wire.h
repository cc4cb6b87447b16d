/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What poemctl and the monitor say to each other on the control socket, which is SOCK_SEQPACKET.
 *
 *   poemctl   one struct control_request, with an fd where the table of control.c says so
 *   poemd     answers: a struct control_answer, and one JSON object, in a packet; the last one of
 *             them is marked
 *
 * The request has one size and no text that must be parsed, so that the monitor needs no parser
 * for it. Both are programs of one machine: integers are its own. Another version of poemd is told
 * by "version", and answered by CONTROL_REFUSED alone.
 *
 * With CONTROL_HOLD the connection stays after the first answer: the capture that was started ends
 * when the client closes it, or shuts down its sending; the last answer comes when it has ended.
 */
#ifndef POEMD_PROXY_IPC_CONTROL_WIRE_H
#define POEMD_PROXY_IPC_CONTROL_WIRE_H

#include <stdint.h>

#include "base/limits.h"

#define CONTROL_MAGIC 0x6d656f70u /* "poem" */
#define CONTROL_VERSION 1u

enum control_type {
    CONTROL_STATUS = 1,
    CONTROL_SESSIONS,    /* route: of this one; "": of all */
    CONTROL_SESSION_END, /* number: of the session. "end": its number, and the result: "ended",
                            "ending" (its worker is asked, and has LIMIT_END_MS), "already over" */
    CONTROL_TRACE_START, /* number: of the session, or route; an fd to write to; all below */
    CONTROL_TRACE_STOP,  /* number: of the capture */
    CONTROL_TRACE_DUMP,  /* … */
    CONTROL_TRACE_LIST,
    CONTROL_TYPES,
};

#define CONTROL_HOLD 1u /* of CONTROL_TRACE_START */

#define CONTROL_FILTER 511u

struct control_request {
    uint32_t magic;
    uint32_t version;
    uint32_t type;  /* enum control_type */
    uint32_t flags; /* CONTROL_HOLD */
    uint64_t number;
    uint32_t payload;           /* bytes kept, or as CONFIG_PAYLOAD_* */
    uint32_t memory_mib;        /* a flight recorder of so much; 0: none */
    char route[LIMIT_NAME + 1]; /* texts end in NUL */
    char filter[CONTROL_FILTER + 1];
    char zero[7];
};

/* The same bytes on both sides: there is no padding. */
_Static_assert(sizeof(struct control_request) == 32 + LIMIT_NAME + 1 + CONTROL_FILTER + 1 + 7,
               "control_request has padding");

enum control_status {
    CONTROL_OK,
    CONTROL_NO,      /* well asked; "error" says what there is not */
    CONTROL_REFUSED, /* "error" says why: who asks, or how */
    CONTROL_FAILED,  /* "error" says what could not be done */
    CONTROL_STATUSES,
};

struct control_answer {
    uint32_t magic;
    uint32_t status; /* enum control_status */
    uint32_t last;   /* 1: nothing follows */
    uint32_t zero;
    /* one JSON object, to the packet's end */
};

#endif
