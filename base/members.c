/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Objects from tables of members. */
#include "base/members.h"

#include <stdbool.h>

json_t members_omitted;

json_t *members_object(const struct member *members)
{
    json_t *const o = json_object();
    bool ok = o != NULL;

    for (const struct member *m = members; m->name; m++) {
        if (m->value != &members_omitted) {
            /* Takes the value even on failure. */
            ok = json_object_set_new(o, m->name, m->value) == 0 && ok;
        }
    }
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

json_t *members_array(json_t *const *values, size_t n)
{
    json_t *const a = json_array();
    bool ok = a != NULL;

    for (size_t i = 0; i < n; i++) {
        ok = json_array_append_new(a, values[i]) == 0 && ok;
    }
    if (!ok) {
        json_decref(a);
        return NULL;
    }
    return a;
}

json_t *members_number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

json_t *members_optional(const char *text)
{
    return text ? json_string(text) : &members_omitted;
}

json_t *members_text(const char *text)
{
    return text ? json_string(text) : json_null();
}
