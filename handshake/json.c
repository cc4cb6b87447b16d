/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Strict JSON over jansson. Pure, except that jansson allocates memory. */
#include "handshake/json.h"

#include <stdlib.h>
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
        return "bytes after a NUL in the JSON";
    case JSON_TOO_DEEP:
        return "JSON nested too deeply";
    case JSON_DUPLICATE:
        return "duplicate key in a JSON object";
    case JSON_NOT_OBJECT:
        return "JSON is not an object";
    case JSON_SYNTAX:
        return "not JSON in UTF-8";
    }
    return "?";
}

/*
 * jansson stores 63-bit integers and doubles; it changes or rejects all other numbers. Such numbers
 * are kept as written: as strings of a NUL and the number's text. No string from a peer contains a
 * NUL, since the text cannot contain one and its escape is rejected. In JSON:
 */
#define KEPT_BEFORE "\"\\u0000"
#define KEPT_AFTER "\""
#define KEPT_ROOM (sizeof KEPT_BEFORE - 1 + sizeof KEPT_AFTER - 1)

/* Any number of this many digits fits 63 bits. */
#define DIGITS_SURE 18u

static size_t json_digits_at(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= '0' && p[i] <= '9') {
        i++;
    }
    return i;
}

/*
 * Returns the length of the number at p by JSON's grammar, or 0. Sets *whole if it is an integer.
 */
static size_t json_number_at(const char *p, size_t n, bool *whole)
{
    size_t at = n > 0 && p[0] == '-' ? 1 : 0;
    size_t digits = json_digits_at(p + at, n - at);

    *whole = true;
    if (digits == 0 || (digits > 1 && p[at] == '0')) {
        return 0;
    }
    at += digits;
    if (at < n && p[at] == '.' && (digits = json_digits_at(p + at + 1, n - at - 1)) > 0) {
        at += 1 + digits;
        *whole = false;
    }
    if (at < n && (p[at] == 'e' || p[at] == 'E')) {
        const size_t sign = at + 1 < n && (p[at + 1] == '+' || p[at + 1] == '-') ? 1 : 0;

        digits = json_digits_at(p + at + 1 + sign, n - at - 1 - sign);
        at += digits > 0 ? 1 + sign + digits : 0;
        *whole = digits > 0 ? false : *whole;
    }
    return at;
}

/* Returns the length of a number at p that jansson would change or reject, or 0. */
static size_t json_kept_at(const char *p, size_t n)
{
    bool whole;
    const size_t size = json_number_at(p, n, &whole);
    const bool changed = !whole || size > DIGITS_SURE || (size == 2 && memcmp(p, "-0", 2) == 0);

    return changed ? size : 0;
}

/* The results of scanning a text before jansson parses it. */
struct json_scan {
    const char *p;
    size_t n;
    size_t kept; /* numbers to be kept as written */
    char *out;   /* NULL, or the output, with KEPT_ROOM more bytes for each kept number */
};

static void json_scan_put(struct json_scan *s, const char *p, size_t n)
{
    if (s->out) {
        memcpy(s->out, p, n);
        s->out += n;
    }
}

/* Returns the length of the string from its opening quote, or 0 if it contains an escaped NUL. */
static size_t json_scan_string(const struct json_scan *s, size_t at)
{
    size_t i = at + 1;

    for (; i < s->n && s->p[i] != '"'; i++) {
        if (s->p[i] == '\\') {
            if (s->n - i >= 6 && memcmp(s->p + i, "\\u0000", 6) == 0) {
                return 0;
            }
            i++;
        }
    }
    return (i < s->n ? i + 1 : s->n) - at;
}

/*
 * Checks what jansson cannot: it recurses up to 2,048 levels, a limit that cannot be lowered, so
 * the brackets are counted first. Brackets in strings do not count; jansson rejects malformed
 * strings.
 */
static enum json_outcome json_scan_whole(struct json_scan *s)
{
    unsigned depth = 0;
    size_t step;

    for (size_t at = 0; at < s->n; at += step) {
        const char c = s->p[at];
        const bool number = (c >= '0' && c <= '9') || c == '-';
        bool whole;

        step = 1;
        if (c == '"') {
            step = json_scan_string(s, at);
            if (step == 0) {
                return JSON_SYNTAX;
            }
        } else if (number && (step = json_kept_at(s->p + at, s->n - at)) > 0) {
            s->kept++;
            json_scan_put(s, KEPT_BEFORE, sizeof KEPT_BEFORE - 1);
            json_scan_put(s, s->p + at, step);
            json_scan_put(s, KEPT_AFTER, sizeof KEPT_AFTER - 1);
            continue;
        } else if (number) {
            step = json_number_at(s->p + at, s->n - at, &whole);
            step = step > 0 ? step : 1;
        } else if (c == '{' || c == '[') {
            if (++depth > LIMIT_JSON_DEPTH) {
                return JSON_TOO_DEEP;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
        json_scan_put(s, s->p + at, step);
    }
    return JSON_OK;
}

static enum json_outcome json_from_error(const json_error_t *error)
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

/*
 * Parses a text. Accepts any value, so that a non-object can be distinguished from a syntax error.
 */
static enum json_outcome json_load(const char *text, size_t n, json_t **out)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    struct json_scan s = {.p = text, .n = n};
    char *wrapped = NULL;
    json_error_t error;
    enum json_outcome o = json_scan_whole(&s);

    if (o != JSON_OK) {
        return o;
    }
    if (s.kept > 0) {
        wrapped = malloc(n + s.kept * KEPT_ROOM);
        if (!wrapped) {
            return JSON_NO_MEMORY;
        }
        s.out = wrapped;
        (void)json_scan_whole(&s);
        text = wrapped;
        n = (size_t)(s.out - wrapped);
    }
    *out = json_loadb(text, n, flags, &error);
    free(wrapped);
    return *out ? JSON_OK : json_from_error(&error);
}

enum json_outcome json_read(const void *p, size_t n, json_t **out)
{
    const char *text = p;
    enum json_outcome o;
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
    o = json_load(text, len, out);
    if (o == JSON_OK && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return JSON_NOT_OBJECT;
    }
    return o;
}

bool json_is_kept(const json_t *value)
{
    return json_string_length(value) > 0 && json_string_value(value)[0] == '\0';
}

bool json_u64(const json_t *value, uint64_t *out)
{
    const char *digits = json_string_value(value);
    const size_t n = json_string_length(value);

    if (json_is_integer(value)) {
        *out = (uint64_t)json_integer_value(value);
        return json_integer_value(value) >= 0;
    }
    if (!json_is_kept(value) || json_digits_at(digits + 1, n - 1) != n - 1) {
        return false;
    }
    /* If the number is too large, strtoull returns the maximum. */
    *out = strtoull(digits + 1, NULL, 10);
    return true;
}

/* Removes the marks around kept numbers. */
static void json_unwrap(char *text)
{
    bool string = false;
    bool kept = false;
    char *to = text;

    for (const char *p = text; *p; p++) {
        if (!string && strncmp(p, KEPT_BEFORE, sizeof KEPT_BEFORE - 1) == 0) {
            kept = true;
            string = true;
            p += sizeof KEPT_BEFORE - 2;
            continue;
        }
        if (*p == '"') {
            string = !string;
            if (kept) {
                kept = false;
                continue;
            }
        } else if (*p == '\\' && string) {
            *to++ = *p++;
        }
        *to++ = *p;
    }
    *to = '\0';
}

char *json_text(const json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags);

    if (text) {
        json_unwrap(text);
    }
    return text;
}

size_t json_write(const json_t *value, void *out, size_t size)
{
    char *text = json_text(value, JSON_COMPACT);
    const size_t n = text ? strlen(text) + 1 : 0;
    const bool fits = n > 0 && n <= size;

    if (fits) {
        memcpy(out, text, n);
    }
    free(text);
    return fits ? n : 0;
}
