/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The poem and its grant as constants. Their bytes come from embed.cmake, which fails unless
 * poem.txt has the digest in poem.txt.sha256.
 */
#include "poem/poem.h"

#include "poem/embedded.h"

static const char text[] = {POEM_EMBEDDED_TEXT '\0'};

const struct poem poem_builtin = {
    .text = text,
    .size = sizeof text - 1,
    .digest = {POEM_EMBEDDED_DIGEST},
    .refrain = "Say this aloud, in freedom's name, and pass.",
};

const char poem_builtin_grant[] = {POEM_EMBEDDED_GRANT '\0'};
