/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Makes what looks at the parties' files, as far as a configuration needs it: the inspector, and
 * the threads that list mapped code.
 */
#ifndef POEMD_PROXY_MONITOR_INSPECTION_H
#define POEMD_PROXY_MONITOR_INSPECTION_H

#include <stdbool.h>

struct config;
struct inspector;
struct monitor_context;

/*
 * Starts an inspector with the keys, envelopes and revocations of config. Sets *out to NULL if
 * neither a rule nor the audit log depends on the contents of an executable. Logs and skips
 * envelopes that cannot be opened. Returns 0 or -errno.
 */
int inspection_start(struct inspector **out, const struct monitor_context *context,
                     const struct config *config) __attribute__((warn_unused_result));

/*
 * Returns true if after has keys or envelopes that before has not: an executable may have evidence
 * now that it did not have.
 */
bool inspection_gains(const struct config *before, const struct config *after);

/* Returns true if both are inspected with the same keys, envelopes and revocations. */
bool inspection_same(const struct config *a, const struct config *b);

#endif
