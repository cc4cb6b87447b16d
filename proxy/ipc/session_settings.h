/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a worker treats one session: plain data that the monitor sends with the session.
 */
#ifndef POEMD_PROXY_IPC_SESSION_SETTINGS_H
#define POEMD_PROXY_IPC_SESSION_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sock.h"
#include "policy/rules/rules.h"

/* ---- the recital ---- */

/* Whether the broker recites to clients: in full to those who ask, else the refrain. */
enum config_recite {
    CONFIG_RECITE_WHEN_IT_FITS,
    CONFIG_RECITE_ALWAYS,
    CONFIG_RECITE_NEVER,
};

/* What the route has the backend asked for; a client's challenge is passed on in any case. */
enum reciter_wants {
    RECITER_WANTS_NOTHING,
    RECITER_WANTS_WHO, /* its licence, and who is behind it */
    RECITER_WANTS_RECITAL,
};

/* ---- who uses a socket ---- */

enum sender_check_act {
    SENDER_CHECK_OFF,
    SENDER_CHECK_NOTE, /* only noted, for the first LIMIT_WITNESS_LOOKS looks, with no effect of its
                        * own
                        */
    SENDER_CHECK_TAINT, /* the session is tainted, once, and goes on */
    SENDER_CHECK_END,   /* the session ends */
};

/* Of a session, from the monitor. */
struct sender_check_settings {
    uint32_t act;     /* enum sender_check_act */
    uint32_t parties; /* 1 << enum rules_party: to whom it applies; of the others it is noted */
    struct sock_sender who[RULES_PARTIES]; /* pid 0: it cannot be known, and is none */
};

/* ---- captures ---- */

/* What is kept of a session: travels from the monitor to the worker. */
struct tap_settings {
    uint32_t on;
    uint32_t payload; /* bytes kept of a message's data; UINT32_MAX: all */
    uint32_t guest;   /* 1: of guest memory as much, 0: nothing */
    uint32_t zero;
};

/* ---- memory ---- */

struct dma_span {
    uint64_t first;
    uint64_t last;
};

/* What a route says of DMA; all zero: nothing ("pass"). */
struct dma_settings {
    uint32_t withhold;                        /* 1: no fd of a DMA_MAP goes on */
    uint32_t withhold_file_io;                /* 1: none goes on of one with WIRE_DMA_FILE_IO */
    uint32_t max_maps;                        /* alive; 0: as many as LIMIT_DMA_MAPS */
    uint64_t max_bytes;                       /* of those whose fd goes on; 0: any number */
    uint32_t n_ranges;                        /* 0: everywhere */
    struct dma_span ranges[LIMIT_DMA_RANGES]; /* in which the fd goes on */
};

/* Whether any word is in force that keeps memory from a backend by keeping its fds. */
static inline bool dma_withholds(const struct dma_settings *s)
{
    return s->withhold || s->max_bytes || s->n_ranges;
}

/* Whether any word is in force that has the broker check what a backend asks for. */
static inline bool dma_checks(const struct dma_settings *s)
{
    return dma_withholds(s) || s->withhold_file_io || s->max_maps;
}

#endif
