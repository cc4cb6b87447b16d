/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Text that is built in a buffer of fixed size, whole or not at all. Pure. */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_TEXT_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct evidence_text {
    char *out; /* NUL-terminated once something was put; size bytes */
    size_t size;
    size_t n;
    bool full; /* something did not fit: nothing more is put */
};

void evidence_text_put(struct evidence_text *t, const char *s);

#endif
