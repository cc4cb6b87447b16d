/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The text of the configuration, in records: FORMAT.audit, "config". */
#ifndef POEMD_PROXY_MONITOR_FACTS_POLICY_RECORD_H
#define POEMD_PROXY_MONITOR_FACTS_POLICY_RECORD_H

#include "proxy/monitor/facts/audit_writer.h"

/*
 * Maximum number of bytes of the text in one record. JSON escapes need at most six for one, so that
 * these and the presets fit a line (AUDIT_LINE_MAX). LIMIT_CONFIG_FILE bounds the records.
 */
#define POLICY_RECORD_PART 8192u

/* Queues the records of a configuration that was read from a file; of any other, none. */
void policy_record_write(struct audit_writer *w, const struct config *c);

#endif
