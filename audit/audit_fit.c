/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Cuts records that are too long for a line. Each step halves the largest list or text, so that a
 * record keeps all of its members, and the beginning of each.
 */
#include "audit/audit_fit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Shorter texts are not cut: that would gain little. */
#define FIT_TEXT_LEAST 64u

/* Deeper than any record. */
#define FIT_DEPTH 8u

/* The largest list or text found so far, and the object that contains it. */
struct fit_largest {
    json_t *in;
    const char *key;
    size_t size;
};

static size_t fit_size(const json_t *v)
{
    return json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

static bool fit_can_be_cut(const json_t *v, size_t size)
{
    return json_is_array(v) ? json_array_size(v) > 0 : json_is_string(v) && size > FIT_TEXT_LEAST;
}

/* Searches for a value larger than *l, also in objects within lists. */
/* NOLINTNEXTLINE(misc-no-recursion): depth bounds it. */
static void fit_search(json_t *o, unsigned depth, struct fit_largest *l)
{
    const char *key;
    json_t *v;
    size_t i;

    if (depth == 0) {
        return;
    }
    json_array_foreach(o, i, v)
    {
        fit_search(v, depth - 1, l);
    }
    json_object_foreach(o, key, v)
    {
        const size_t size = fit_size(v);

        if (size > l->size && fit_can_be_cut(v, size)) {
            *l = (struct fit_largest){.in = o, .key = key, .size = size};
        }
        fit_search(v, depth - 1, l);
    }
}

/* Adds to the count of omitted elements of one member of the object. */
static int fit_count(json_t *in, const char *key, size_t more)
{
    json_t *omitted = json_object_get(in, "omitted");

    if (!json_is_object(omitted) && json_object_set_new(in, "omitted", json_object()) < 0) {
        return -1;
    }
    omitted = json_object_get(in, "omitted");
    return json_object_set_new(
        omitted, key,
        json_integer(json_integer_value(json_object_get(omitted, key)) + (json_int_t)more));
}

/*
 * Returns the first half of a text, followed by "...". Texts of the log are ASCII, and cut as such.
 */
static json_t *fit_half(const json_t *text, size_t *gone)
{
    static const char dots[] = "...";
    const char *const s = json_string_value(text);
    size_t keep = json_string_length(text) / 2;
    char *out;
    json_t *made;

    while (keep > 0 && ((unsigned char)s[keep] & 0xc0) == 0x80) {
        keep--;
    }
    *gone = json_string_length(text) - keep;
    out = malloc(keep + sizeof dots);
    if (!out) {
        return NULL;
    }
    memcpy(out, s, keep);
    memcpy(out + keep, dots, sizeof dots);
    made = json_string(out);
    free(out);
    return made;
}

static int fit_cut(const struct fit_largest *l)
{
    json_t *const v = json_object_get(l->in, l->key);
    size_t gone = 0;

    if (json_is_string(v)) {
        json_t *const half = fit_half(v, &gone);

        /*
         * The following set call may free the old text and its key, so the count is updated first.
         */
        if (!half || fit_count(l->in, l->key, gone) < 0) {
            json_decref(half);
            return -1;
        }
        return json_object_set_new(l->in, l->key, half);
    }
    for (const size_t keep = json_array_size(v) / 2; json_array_size(v) > keep; gone++) {
        if (json_array_remove(v, json_array_size(v) - 1) < 0) {
            return -1;
        }
    }
    return fit_count(l->in, l->key, gone);
}

char *audit_fit(json_t *o, size_t max, int *too_long)
{
    *too_long = 0;
    for (;;) {
        struct fit_largest l = {.in = NULL};
        char *const text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

        if (!text || strlen(text) <= max) {
            return text;
        }
        free(text);
        fit_search(o, FIT_DEPTH, &l);
        if (!l.in) {
            *too_long = 1;
            return NULL;
        }
        if (fit_cut(&l) < 0) {
            return NULL;
        }
    }
}
