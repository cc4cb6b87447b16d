/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Replaces the device of a session, which serves on, by another process of it: judges that, passes
 * its socket to the worker (proxy/worker/device/session_replace.h), and keeps the one that the
 * session has in the end. The verdict is recorded as "replacement-allowed" or "backend-refused",
 * the outcome as "replacement", with every step's time.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_REPLACE_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_REPLACE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct monitor_session;
struct monitor_session_table;

/* It is over: answer (a new reference) is its outcome; NULL: out of memory. */
typedef void monitor_session_replace_fn(void *arg, json_t *answer);

struct monitor_session_replace_request {
    bool dry_run; /* only find out whether it could work */
    uid_t uid;    /* of the client that asks */
    pid_t pid;
    monitor_session_replace_fn *fn;
    void *arg;
};

/* Call before sessions begin. */
void monitor_session_replace_init(struct monitor_session_table *table);

/*
 * Returns why the device cannot be replaced now, a static text; NULL if nothing is known against
 * it. Whether it supports migration, only an attempt can find out: t->migrates.
 */
const char *monitor_session_replace_lack(const struct monitor_session *t);

/*
 * Begins, with a connection to the other process (taken). Returns NULL, and fn follows once; or the
 * reason why it cannot begin, a static text.
 */
const char *monitor_session_replace_begin_take(struct monitor_session *t, int device_fd,
                                               const struct monitor_session_replace_request *q);

/* The client that has asked is gone: fn is not called. */
void monitor_session_replace_forget(struct monitor_session *t, const void *arg);

#endif
