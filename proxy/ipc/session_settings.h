/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A worker's settings for one session: plain data that the monitor sends with the session. */
#ifndef POEMD_PROXY_IPC_SESSION_SETTINGS_H
#define POEMD_PROXY_IPC_SESSION_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sock.h"
#include "policy/rules/rules.h"

/* ---- the recital ---- */

/* Whether to recite to clients: in full to those that ask, otherwise the refrain. */
enum config_recite {
    CONFIG_RECITE_WHEN_IT_FITS,
    CONFIG_RECITE_ALWAYS,
    CONFIG_RECITE_NEVER,
};

/* The route's question to the backend; a client's challenge is passed on in any case. */
enum reciter_wants {
    RECITER_WANTS_NOTHING,
    RECITER_WANTS_WHO, /* its licence, and the servers behind it */
    RECITER_WANTS_RECITAL,
};

/* ---- checks of senders ---- */

enum sender_check_act {
    SENDER_CHECK_OFF,
    SENDER_CHECK_NOTE,  /* only noted, for the first LIMIT_WITNESS_LOOKS looks, without an effect of
                         * its own */
    SENDER_CHECK_TAINT, /* taints the session, once */
    SENDER_CHECK_END,   /* ends the session */
};

/* Of a session, from the monitor. */
struct sender_check_settings {
    uint32_t act;                  /* enum sender_check_act */
    uint32_t parties;              /* bits 1 << enum side: to which act applies; others are noted */
    struct sock_sender who[SIDES]; /* pid 0: unknown, matches no sender */
};

/* ---- captures ---- */

/* How much of a session's messages to keep, sent from the monitor to the worker. */
struct tap_settings {
    uint32_t on;
    uint32_t payload; /* bytes of a message's data to keep; UINT32_MAX: all */
    uint32_t guest;   /* 1: as much of guest memory; 0: nothing of it */
    uint32_t zero;
};

/* Extends tap to keep at least as much as more does. */
static inline void session_settings_add_tap(struct tap_settings *tap,
                                            const struct tap_settings *more)
{
    tap->on |= more->on;
    tap->payload = more->payload > tap->payload ? more->payload : tap->payload;
    tap->guest |= more->guest;
}

/* ---- memory ---- */

struct dma_span {
    uint64_t first;
    uint64_t last;
};

/* A route's "dma" statements; all zero: "pass". */
struct dma_settings {
    uint32_t withhold;                        /* 1: no fd of a DMA_MAP is passed on */
    uint32_t withhold_file_io;                /* 1: no fd of a DMA_MAP with WIRE_DMA_FILE_IO is */
    uint32_t max_maps;                        /* live ones; 0: LIMIT_DMA_MAPS */
    uint64_t max_bytes;                       /* of maps with their fd passed on; 0: unlimited */
    uint32_t n_ranges;                        /* 0: everywhere */
    struct dma_span ranges[LIMIT_DMA_RANGES]; /* in which fds are passed on */
};

/* Returns true if any statement keeps memory from a backend by withholding fds. */
static inline bool session_settings_withhold_dma(const struct dma_settings *s)
{
    return s->withhold || s->max_bytes || s->n_ranges;
}

/* Returns true if any statement makes the broker check a backend's requests. */
static inline bool session_settings_check_dma(const struct dma_settings *s)
{
    return session_settings_withhold_dma(s) || s->withhold_file_io || s->max_maps;
}

#endif
