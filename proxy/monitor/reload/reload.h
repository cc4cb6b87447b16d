/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reload: another configuration for a running monitor, on SIGHUP or on request at the control
 * socket.
 *
 *   reload_job.c     a thread reads and checks the file with all that it names, and opens new
 *                    sockets: it may block, the loop does not. Any error: nothing changes.
 *   reload_apply.c   from the loop: makes all that can fail, then, within one turn, changes over.
 *   reload_try.c     which running sessions the rules would deny, some at each turn of the loop.
 *
 * New sessions get the new words; running ones, and those in their handshake, keep the
 * configuration under which they began (generation.h).
 */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_H

#include "proxy/monitor/reload/reload_request.h"

struct generation;
struct reload;
struct spawn;

/* Returns NULL if out of memory. */
struct reload *reload_new(const struct reload_subject *subject) __attribute__((warn_unused_result));

/* Drops a reload that is under way; call once sessions have ended. NULL is allowed. */
void reload_free(struct reload *r);

/*
 * Begins. done is called later, from the loop. Returns NULL, or why it cannot begin (static): none
 * is begun, and done is not called.
 */
const char *reload_begin(struct reload *r, const struct reload_request *q, reload_done_fn *done,
                         void *arg) __attribute__((warn_unused_result));

/* Returns true if one is under way. */
bool reload_is_busy(const struct reload *r);

/*
 * Ends devices that an earlier monitor has started, by another command, as their sessions end.
 * Returns false if out of memory.
 */
bool reload_retire(struct reload *r, struct spawn *retired, struct generation *g)
    __attribute__((warn_unused_result));

/* The broker stops: devices of earlier configurations end as soon as their sessions have. */
void reload_stop(struct reload *r);

/* Frees what earlier configurations have left behind, once it is not used any more. */
void reload_beat(struct reload *r);

#endif
