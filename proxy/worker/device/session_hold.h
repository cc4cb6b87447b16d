/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session whose device is gone ("on backend loss hold"): answers in its stead, and goes on with
 * another process of the device.
 *
 *   RELAYS   what passes is noted (proxy/relay/setup/setup.h)
 *   WAITS    the device is gone, the monitor looks for another process. Requests are answered from
 *            what is kept; others wait for "answer-after", and then get EIO; later ones get it at
 *            once
 *   GREETS   VERSION is exchanged with the new process, which gets nothing else before its verdict
 *   SETS_UP  it is given what was set up (proxy/relay/setup/reattach.h); the client waits
 *
 * From SETS_UP it is RELAYS again; from GREETS and SETS_UP it falls back to WAITS if the process
 * fails, is denied, or promises less than its predecessor.
 */
#ifndef POEMD_PROXY_WORKER_DEVICE_SESSION_HOLD_H
#define POEMD_PROXY_WORKER_DEVICE_SESSION_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/worker/greeting/greeting.h"
#include "proxy/worker/session.h"

struct session_hold;

/*
 * Returns the state of a new session on a route with "hold", or "mappable"; NULL if out of
 * memory. resumed: it goes on from another worker, which had the record.
 */
struct session_hold *session_hold_new(struct session *s, const struct ipc_session *settings,
                                      bool resumed) __attribute__((warn_unused_result));

/* Stops all events, and answers what waits with an error. Call when the session ends. */
void session_hold_stop(struct session_hold *h);

/* Closes what it still has. NULL is allowed. */
void session_hold_free(struct session_hold *h);

/* The device's first process has answered VERSION: keeps its promises, before we add our own. */
void session_hold_promised(struct session_hold *h, const struct version_offer *reply);

/* Its handshake is done: keeps the client's request. */
void session_hold_greeted(struct session_hold *h, struct greeting *g);

/* Notes what passes on the session's channel pair from now on. */
void session_hold_watch(struct session_hold *h);

/*
 * The device is gone, for this reason. Returns false if the session cannot be held, and must end.
 * NULL is allowed.
 */
bool session_hold_lose(struct session_hold *h, enum session_reason reason);

/* Returns true if the device is gone, and the session held. NULL is allowed. */
bool session_hold_holds(const struct session_hold *h);

/*
 * A request has been answered in the device's stead. Returns true if the device has missed so many
 * in a row that it counts as lost.
 */
bool session_hold_missed(struct session_hold *h, uint16_t id) __attribute__((warn_unused_result));

/* The client's messages have been taken while no device is there: answers them. */
void session_hold_answer(struct session_hold *h);

/* Another process of the device, from the monitor; takes its socket. */
void session_hold_attach_take(struct session_host *host, uint64_t id,
                              const struct ipc_session *settings, int backend_fd);

/* The device counts as lost, for an operator. */
void session_hold_detach(struct session_host *host, uint64_t id);

/* Returns true if the verdict was for a new process of the device, which it concerns now. */
bool session_hold_decide(struct session_hold *h, int err, enum session_reason reason);

/*
 * Another monitor has taken over, which knows nothing of a loss: a process that was being set up is
 * given up, and the loss reported again.
 */
void session_hold_repeat(struct session_hold *h);

/* Returns true if the session is held if its device is lost. */
bool session_hold_may(const struct session_hold *h);

/* Returns the client's VERSION request, of n bytes; borrowed. */
const uint8_t *session_hold_request(const struct session_hold *h, size_t *n);

/*
 * Returns true if another process promises no less in its VERSION reply than the client has been
 * promised; if not, with the difference.
 */
bool session_hold_agrees(const struct session_hold *h, const struct version_offer *now,
                         struct ipc_difference *d);

/* Sends the monitor what is due. Returns false if the channel is full. */
bool session_hold_report(struct session_hold *h) __attribute__((warn_unused_result));

/* Returns enum setup_lack: why the session could not be held now. NULL: SETUP_KEPT. */
uint32_t session_hold_lack(const struct session_hold *h);

#endif
