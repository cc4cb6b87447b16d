/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit records of sessions' ends, which outlive the monitor until they are on disk: each end
 * is recorded once, whenever the monitor dies.
 */
#ifndef POEMD_PROXY_MONITOR_KEEP_ENDED_RECORD_H
#define POEMD_PROXY_MONITOR_KEEP_ENDED_RECORD_H

#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

struct ended_record;
struct audit_writer;
struct state_file;
TAILQ_HEAD(ended_records, ended_record);

/*
 * Records the end of a session; takes fields and its block of the state file, which may be
 * STATE_NO_BLOCK. records has those that are not on disk yet.
 */
void ended_record_write_take(struct ended_records *records, struct audit_writer *w,
                             struct state_file *state, uint64_t id, uint32_t block, json_t *fields);

/* Forgets those that are not on disk; call it once the log is closed. */
void ended_record_free_all(struct ended_records *records);

#endif
