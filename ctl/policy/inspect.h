/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Parts of poemctl inspect: its findings, and the two forms in which it prints them. */
#ifndef POEMD_CTL_POLICY_INSPECT_H
#define POEMD_CTL_POLICY_INSPECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policy/inspector/inspector.h"
#include "policy/peer/peer.h"
#include "policy/peer/peer_code.h"
#include "policy/rules/rules.h"

struct inspect {
    const char *what; /* the file, pid or socket of the command line */
    bool process;     /* a running process: peer has its facts */
    bool wants_code;  /* inspect_ask is to look at the code that the process has mapped */
    struct peer peer;
    struct inspection inspection;
    struct peer_code code;           /* if wanted: what the process has mapped */
    const struct inspection **found; /* by item of the code; held, or NULL */
    struct rules_mapped mapped;      /* both, for rules */
};

/* Releases what inspect_ask has found; the peer stays. */
void inspect_deinit(struct inspect *i);

/*
 * Has the executable of i->peer inspected into i->inspection and, if i->wants_code, all files whose
 * code the process has mapped into i->code and i->found, by an inspector with the keys, envelopes
 * and revocations of trust (all borrowed; its other members are ignored). Waits some seconds for
 * each file at most. Returns 0, or -errno if no inspector could be started. The caller calls
 * inspect_deinit. A program that calls this must pass INSPECTOR_ARG on to inspector_main.
 */
int inspect_ask(struct inspect *i, const struct inspector_settings *trust)
    __attribute__((warn_unused_result));

void inspect_text(const struct inspect *i, FILE *to);

/* Returns all as one object, "poemd-inspect/1"; NULL if memory runs out. */
json_t *inspect_json(const struct inspect *i);

#endif
