/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl inspect, in its parts: what it found, and the two forms in which that is shown.
 */
#ifndef POEMD_CTL_POLICY_INSPECT_H
#define POEMD_CTL_POLICY_INSPECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policy/inspector/inspector.h"
#include "policy/peer/peer.h"

struct inspect {
    const char *what; /* the file, pid or socket that was named */
    bool process;     /* it is one's that runs: peer has its facts */
    struct peer peer;
    struct inspection inspection;
};

/*
 * Has the executable of i->peer inspected into i->inspection, by an inspector that trusts the keys
 * and knows the envelopes (all borrowed). Waits, at most some seconds. 0, or -errno: there is no
 * inspector. A program that calls this hands INSPECTOR_ARG to inspector_main.
 */
int inspect_ask(struct inspect *i, size_t n_keys, const struct inspector_key *keys,
                size_t n_envelopes, const struct inspector_envelope *envelopes)
    __attribute__((warn_unused_result));

void inspect_text(const struct inspect *i, FILE *to);

/* The whole as one object, "poemd-inspect/1"; NULL: no memory. */
json_t *inspect_json(const struct inspect *i);

#endif
