/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The facts by which a session was decided, kept while it lives, so that other rules can be tried
 * on it. A relaying session must be small: the facts are packed, to some hundred bytes, and the
 * inspections of executables are shared with the inspector's cache.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_KEPT_FACTS_H
#define POEMD_PROXY_MONITOR_FACTS_KEPT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/rules/rules.h"
#include "proxy/config/config.h"

struct kept_facts;

/* Copies the facts; holds the inspections. Mapped code is not kept. NULL if out of memory. */
struct kept_facts *kept_facts_new(const struct rules_known known[SIDES])
    __attribute__((warn_unused_result));

/* NULL is allowed. */
void kept_facts_free(struct kept_facts *k);

enum kept_verdict {
    KEPT_WOULD_PASS, /* allowed, perhaps with taint */
    KEPT_WOULD_DENY,
    KEPT_NOT_KNOWN, /* the rules ask what was not asked when the session began */
};

/*
 * Decides by other rules as if the session began on this day (UTC). Signed evidence whose key is
 * not among the keys of config, or that its list revokes, does not count. *why is the verdict's
 * reason, or names what is not known. k may be NULL: nothing is known.
 */
enum kept_verdict kept_facts_try(const struct kept_facts *k, const struct rules *rules,
                                 const struct config *config, uint32_t today,
                                 char why[RULES_TEXT_SIZE]);

#endif
