/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Addresses that are not paths. */
#include "base/sock_path.h"

#include <ctype.h>
#include <stddef.h>

const char *sock_path_fault(const char *text)
{
    const char *p = text;

    if (text[0] == '@') {
        return "abstract sockets are not supported: give the path of a socket, or ./ and the name "
               "for a file of this name";
    }
    while (isalnum((unsigned char)*p) || *p == '-' || *p == '_') {
        p++;
    }
    if (p > text && *p == ':') {
        return "a socket is given by its path alone, without a prefix or a number: for a file of "
               "this name write ./ before it";
    }
    for (p = text; *p; p++) {
        if (iscntrl((unsigned char)*p)) {
            return "a socket's path has no control characters";
        }
    }
    return NULL;
}
