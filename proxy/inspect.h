/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl inspect, in its parts: what it found, and the two forms in which that is shown.
 */
#ifndef POEMD_PROXY_INSPECT_H
#define POEMD_PROXY_INSPECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policy/inspector.h"
#include "policy/peer.h"

struct inspect {
    const char *what; /* the file, pid or socket that was named */
    bool process;     /* it is one's that runs: peer has its facts */
    struct peer peer;
    struct inspection inspection;
};

void inspect_text(const struct inspect *i, FILE *to);

/* The whole as one object, "poemd-inspect/1"; NULL: no memory. */
json_t *inspect_json(const struct inspect *i);

/* n bytes as hexadecimal digits with a NUL to out (2 n + 1 bytes). Returns out. */
const char *inspect_hex(const void *p, size_t n, char *out);

#endif
