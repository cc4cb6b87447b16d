/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Whether one VERSION reply keeps what another has promised. Pure. */
#include <stdio.h>
#include <string.h>

#include "handshake/version.h"

/* The capabilities of more than one level that the specification has: migration, twin_socket. */
#define VERSION_KEEPS_DEPTH 4u

static bool version_keeps_number(const char *name, uint64_t had, uint64_t has)
{
    if (strcmp(name, "pgsizes") == 0) {
        return (had & has) == had;
    }
    return strcmp(name, "pgsize") == 0 ? had == has : has >= had;
}

static bool version_keeps_value(const char *name, const json_t *before, const json_t *now,
                                uint64_t *had, uint64_t *has)
{
    *had = 0;
    *has = 0;
    if (json_u64(before, had)) {
        return (json_u64(now, has) || !now) && version_keeps_number(name, *had, *has);
    }
    if (json_is_boolean(before)) {
        *had = json_is_true(before);
        *has = json_is_true(now);
        return *has >= *had;
    }
    return json_equal(before, now);
}

/* Compares two objects; path has the names of those that they are in. */
/* NOLINTNEXTLINE(misc-no-recursion): depth bounds it. */
static bool version_keeps_object(const json_t *before, const json_t *now, unsigned depth,
                                 char path[VERSION_NAME_SIZE], uint64_t *had, uint64_t *has)
{
    const size_t n = strlen(path);
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)before, name, value)
    {
        const json_t *const other = json_object_get(now, name);

        (void)snprintf(path + n, VERSION_NAME_SIZE - n, "%s%s", n > 0 ? "." : "", name);
        if (json_is_object(value) && depth < VERSION_KEEPS_DEPTH) {
            if (!version_keeps_object(value, other, depth + 1, path, had, has)) {
                return false;
            }
        } else if (!version_keeps_value(name, value, other, had, has)) {
            return false;
        }
        path[n] = '\0';
    }
    return true;
}

bool version_keeps(const json_t *before, const json_t *now, char name[static VERSION_NAME_SIZE],
                   uint64_t *had, uint64_t *has)
{
    name[0] = '\0';
    return version_keeps_object(before, now, 1, name, had, has);
}
