/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The parts of the control socket's answers, as described in poemctl-status(1), poemctl-sessions(1)
 * and poemctl-trace(1). All return new references, or NULL if out of memory.
 */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_JSON_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_JSON_H

#include <jansson.h>

struct control_subject;
struct monitor_session;
struct route;

/* The broker itself, including workers and audit log: {"broker": {…}}. */
json_t *control_broker(const struct control_subject *m) __attribute__((warn_unused_result));

/* {"route": {…}} */
json_t *control_route(const struct route *r) __attribute__((warn_unused_result));

/* {"session": {…}} */
json_t *control_session(const struct monitor_session *t) __attribute__((warn_unused_result));

#endif
