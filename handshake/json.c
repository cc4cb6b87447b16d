/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Strict JSON over jansson. Pure but for jansson's own allocations.
 */
#include "handshake/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

const char *json_outcome_text(enum json_outcome o)
{
    switch (o) {
    case JSON_OK:
        return "ok";
    case JSON_NO_MEMORY:
        return "out of memory";
    case JSON_TOO_LONG:
        return "JSON longer than the limit";
    case JSON_NO_NUL:
        return "JSON does not end in NUL";
    case JSON_NUL_INSIDE:
        return "bytes behind a NUL inside the JSON";
    case JSON_TOO_DEEP:
        return "JSON nested too deeply";
    case JSON_DUPLICATE:
        return "JSON object names a key twice";
    case JSON_NOT_OBJECT:
        return "JSON is no object";
    case JSON_SYNTAX:
        return "not JSON in UTF-8, or a number out of range";
    }
    return "?";
}

/*
 * jansson recurses up to 2,048 levels, and there is no telling it less: so the brackets are counted
 * before it sees them. Brackets in strings do not count; a malformed string is jansson's to refuse.
 */
static bool too_deep(const char *p, size_t n)
{
    unsigned depth = 0;
    bool string = false;

    for (size_t i = 0; i < n; i++) {
        if (string) {
            if (p[i] == '\\') {
                i++;
            } else if (p[i] == '"') {
                string = false;
            }
        } else if (p[i] == '"') {
            string = true;
        } else if (p[i] == '{' || p[i] == '[') {
            if (++depth > LIMIT_JSON_DEPTH) {
                return true;
            }
        } else if ((p[i] == '}' || p[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static enum json_outcome from_error(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return JSON_NO_MEMORY;
    case json_error_duplicate_key:
        return JSON_DUPLICATE;
    case json_error_stack_overflow:
        return JSON_TOO_DEEP;
    default:
        return JSON_SYNTAX;
    }
}

enum json_outcome json_read(const void *p, size_t n, json_t **out)
{
    const char *text = p;
    json_error_t error;
    size_t len;

    *out = NULL;
    if (n > LIMIT_VERSION_JSON) {
        return JSON_TOO_LONG;
    }
    if (n == 0 || text[n - 1] != '\0') {
        return JSON_NO_NUL;
    }
    len = strlen(text);
    for (size_t i = len; i < n; i++) {
        if (text[i] != '\0') {
            return JSON_NUL_INSIDE;
        }
    }
    if (too_deep(text, len)) {
        return JSON_TOO_DEEP;
    }
    /* Any value is decoded, so that "no object" can be told from "not JSON". */
    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!*out) {
        return from_error(&error);
    }
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return JSON_NOT_OBJECT;
    }
    return JSON_OK;
}

size_t json_write(const json_t *value, void *out, size_t size)
{
    char *to = out;
    size_t n = json_dumpb(value, to, size, JSON_COMPACT);

    if (n == 0 || n >= size) {
        return 0;
    }
    to[n] = '\0';
    return n + 1;
}
