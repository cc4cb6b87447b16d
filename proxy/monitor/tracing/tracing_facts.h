/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Descriptions of sessions in traces, made of the monitor's facts: FORMAT.trace, section 3. Each is
 * one line of JSON, which the caller frees, or NULL if out of memory.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_FACTS_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_FACTS_H

#include <jansson.h>

#include "proxy/monitor/tracing/tracing_capture.h"

/* Describes a session with its verdict. */
char *tracing_facts_decided(const struct monitor_session *t, const struct verdict_facts *f)
    __attribute__((warn_unused_result));

/* Returns the same facts with the verdict's number in the audit log. */
char *tracing_facts_recorded(const char *facts, const struct monitor_session *t)
    __attribute__((warn_unused_result));

/* Describes a session with all that is known of it so far. */
char *tracing_facts_known(const struct monitor_session *t) __attribute__((warn_unused_result));

/* Adds description and comment to a message. Returns false if they do not fit. */
bool tracing_facts_add(struct tracer_msg *m, const char *facts) __attribute__((warn_unused_result));

/* Returns the record of a capture's end, or NULL if out of memory. */
json_t *tracing_ended_record(const struct capture *c, const char *why)
    __attribute__((warn_unused_result));

#endif
