/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The protocol of poemctl and the monitor on the control socket, which is SOCK_SEQPACKET.
 *
 *   poemctl   one struct control_request, with an fd if the table of control_dispatch.c asks for it
 *   poemd     answers: a struct control_answer, and one JSON object, in a packet; the last one is
 *             marked
 *
 * The request has one size and no text that must be parsed, so that the monitor needs no parser for
 * it. Both programs run on one machine, so integers are in its byte order. A different version of
 * poemctl is recognized by "version", and gets only CONTROL_REFUSED.
 *
 * With CONTROL_HOLD the connection stays open after the first answer: the capture that was started
 * ends when the client closes it, or shuts down its sending; the last answer follows when it has
 * ended.
 */
#ifndef POEMD_PROXY_IPC_CONTROL_WIRE_H
#define POEMD_PROXY_IPC_CONTROL_WIRE_H

#include <stdint.h>

#include "base/limits.h"

#define CONTROL_MAGIC 0x6d656f70u /* "poem" */
#define CONTROL_VERSION 1u

enum control_type {
    CONTROL_STATUS = 1,
    CONTROL_SESSIONS,    /* route: its sessions; "": all */
    CONTROL_SESSION_END, /* number: the session's. Answers "end": its number, and the result:
                          * "ended", "ending" (by its worker, within LIMIT_END_MS), or "already
                          * over" */
    CONTROL_TRACE_START, /* number: the session's, or route; an fd to write to; all below */
    CONTROL_TRACE_STOP,  /* number: the capture's */
    CONTROL_TRACE_DUMP,  /* … */
    CONTROL_TRACE_LIST,
    CONTROL_RELOAD, /* answers as in proxy/monitor/reload/reload_answer.h */
    CONTROL_STOP,   /* answers "stop" with the number of "sessions" left; the connection then ends
                     * with poemd */
    CONTROL_SESSION_DETACH, /* number: the session's, whose device counts as lost. Answers "detach":
                             * its number */
    CONTROL_UPGRADE, /* answers "upgrade" with its "outcome": "refused", and then each "line" of the
                      * reason; or "checked", and the connection ends with the monitor. As the file
                      * from which poemd was started … */
    CONTROL_UPGRADE_TO, /* … or another program: an fd of it. Only for root and poemd's own user */
    CONTROL_REPLACE,    /* number: the session's; an fd connected to another process of its device.
                      * Answers "replacement", as recorded in the audit log. Only for root and
                      * poemd's own user */
    CONTROL_TRACE_INJECT, /* number: the session's; filter: rules, one on each line; "": not any
                           * more. Answers "inject": their number */
    CONTROL_TYPES,
};

#define CONTROL_HOLD 1u /* of CONTROL_TRACE_START */
#define CONTROL_DRY_RUN \
    2u /* of CONTROL_RELOAD: only show what would change …; of CONTROL_REPLACE:
                             * only find out whether it could work */
#define CONTROL_END_DENIED 4u /* … or end the sessions that the new rules deny */
#define CONTROL_DRAIN 8u      /* of CONTROL_STOP: wait for the sessions */

#define CONTROL_FILTER 511u

struct control_request {
    uint32_t magic;
    uint32_t version;
    uint32_t type;  /* enum control_type */
    uint32_t flags; /* CONTROL_HOLD … */
    uint64_t number;
    uint32_t payload;           /* bytes to keep, or CONFIG_PAYLOAD_* */
    uint32_t memory_mib;        /* size of a flight recorder; 0: not a flight recorder */
    char route[LIMIT_NAME + 1]; /* texts end in NUL */
    char filter[CONTROL_FILTER + 1];
    char zero[7];
};

/* The same bytes on both sides: there is no padding. */
_Static_assert(sizeof(struct control_request) == 32 + LIMIT_NAME + 1 + CONTROL_FILTER + 1 + 7,
               "control_request has padding");

enum control_status {
    CONTROL_OK,
    CONTROL_NO,      /* a valid request; "error" names the missing object */
    CONTROL_REFUSED, /* "error" gives the reason: no permission, or an invalid request */
    CONTROL_FAILED,  /* "error" describes the failure */
    CONTROL_STATUSES,
};

struct control_answer {
    uint32_t magic;
    uint32_t status; /* enum control_status */
    uint32_t last;   /* 1: nothing follows */
    uint32_t zero;
    /* followed by one JSON object, up to the packet's end */
};

#endif
