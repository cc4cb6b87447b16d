/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by the checks of poemctl doctor. Each looks at one thing on this host, and reports its
 * findings; a check that reports nothing has found all in order.
 */
#ifndef POEMD_CTL_DOCTOR_DOCTOR_H
#define POEMD_CTL_DOCTOR_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "proxy/config/config.h"

enum doctor_level {
    DOCTOR_SKIPPED, /* it could not be looked at */
    DOCTOR_NOTE,    /* it works, with the named disadvantage */
    DOCTOR_WRONG,
};

struct doctor {
    const struct config *config; /* NULL if it could not be loaded */
    const json_t *broker;        /* of the status of a running poemd, or NULL */
    const json_t *sessions;      /* of that poemd; an array */
    json_t *findings;
    const char *check; /* the one that looks now */
    unsigned reported; /* by it */
    bool wrong;
};

/*
 * Adds a finding to the check that looks now. mend is what to do, or "". Foreign text in both must
 * already be escaped.
 */
void doctor_report(struct doctor *d, enum doctor_level level, const char *mend, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

/* ---- the checks ---- */

void doctor_kernel_features(struct doctor *d);
void doctor_kernel_limits(struct doctor *d);
void doctor_host_places(struct doctor *d);
void doctor_host_apparmor(struct doctor *d);
void doctor_access_clients(struct doctor *d);
void doctor_access_devices(struct doctor *d);
void doctor_session_memory(struct doctor *d);

#endif
