/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "base/confine/confine_sanitizers.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

bool confine_keeps_eyes(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
    /* clang's way to ask. */
    return __has_feature(address_sanitizer);
#else
    return false;
#endif
}

char **confine_environment(void)
{
    static const char *const kept[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
    static char *out[sizeof kept / sizeof *kept + 1];
    size_t n = 0;

    for (size_t i = 0; confine_keeps_eyes() && i < sizeof kept / sizeof *kept; i++) {
        const size_t len = strlen(kept[i]);

        for (char **e = environ; *e; e++) {
            if (strncmp(*e, kept[i], len) == 0 && (*e)[len] == '=') {
                out[n++] = *e;
            }
        }
    }
    out[n] = NULL;
    return out;
}
