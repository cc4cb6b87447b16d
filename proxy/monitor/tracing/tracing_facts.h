/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a trace says of a session, made of what the monitor knows: FORMAT.trace, section 3. Texts
 * are one line of JSON, to be freed; NULL: no memory.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_FACTS_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_FACTS_H

#include <jansson.h>

#include "proxy/monitor/tracing/tracing_parts.h"

/* Of a session that is given to its worker. */
char *tracing_facts_begun(const struct monitor_session *t) __attribute__((warn_unused_result));

/* Its verdict is known; record: as tracing_session_decided. */
char *tracing_facts_decided(const struct monitor_session *t, const char *verdict,
                            const json_t *record) __attribute__((warn_unused_result));

/* The same facts, and the verdict's number in the audit log. */
char *tracing_facts_recorded(const char *facts, const struct monitor_session *t)
    __attribute__((warn_unused_result));

/* Of one whose capture begins late. */
char *tracing_facts_late(const struct monitor_session *t) __attribute__((warn_unused_result));

/* Adds description and comment to a message. False: they do not fit. */
bool tracing_facts_add(struct tracer_msg *m, const char *facts) __attribute__((warn_unused_result));

/* The record of a capture's end. NULL: no memory. */
json_t *tracing_ended_record(const struct capture *c, const char *why)
    __attribute__((warn_unused_result));

#endif
