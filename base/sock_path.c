/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Addresses that are not paths. */
#include "base/sock_path.h"

#include <ctype.h>
#include <stddef.h>

const char *sock_path_fault(const char *text)
{
    const char *p = text;

    if (text[0] == '@') {
        return "abstract sockets are not supported: give a socket's path; for a file of this name, "
               "put ./ before it";
    }
    while (isalnum((unsigned char)*p) || *p == '-' || *p == '_') {
        p++;
    }
    if (p > text && *p == ':') {
        return "give a socket's path alone, without a prefix or a number; for a file of this name, "
               "put ./ before it";
    }
    for (p = text; *p; p++) {
        if (iscntrl((unsigned char)*p)) {
            return "a socket's path must not contain control characters";
        }
    }
    return NULL;
}
