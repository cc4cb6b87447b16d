/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Masks: parses them from the command line, and applies them to messages. */
#define _GNU_SOURCE
#include "trace/replay/replay_mask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text/numbers.h"
#include "base/wire/wire_command.h"

#define TERMS "command=NAME region=N offset=A[..B] bytes=A[..B]"

/* ---- parsing ---- */

static bool replay_mask_refuse(char *why, size_t size, const char *what, const char *at, size_t n)
{
    char shown[80];

    snprintf(why, size, "mask: %s \"%s\"; a mask is made of %s", what,
             log_escape(shown, sizeof shown, at, n), TERMS);
    return false;
}

/* Reads A..B, or A alone. */
static bool replay_mask_read_range(const char *at, size_t n, struct replay_range *out)
{
    const char *const dots = memmem(at, n, "..", 2);
    const size_t first_n = dots ? (size_t)(dots - at) : n;

    out->said = true;
    if (!numbers_read(at, first_n, UINT64_MAX, &out->first)) {
        return false;
    }
    out->last = out->first;
    return !dots || (numbers_read(dots + 2, n - first_n - 2, UINT64_MAX, &out->last) &&
                     out->last >= out->first);
}

static bool replay_mask_read_command(const char *at, size_t n, uint32_t *out)
{
    const struct wire_command_info *info;
    uint64_t number;

    for (size_t i = 0; (info = wire_command_at(i)); i++) {
        if (strlen(info->name) == n && strncasecmp(info->name, at, n) == 0) {
            *out = info->code;
            return true;
        }
    }
    if (!numbers_read(at, n, UINT16_MAX, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool replay_mask_read_region(const char *at, size_t n, uint32_t *out)
{
    uint64_t number;

    if (!numbers_read(at, n, UINT32_MAX, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* Reads values separated by commas. */
static bool replay_mask_read_values(const char *at, size_t n,
                                    bool (*read)(const char *, size_t, uint32_t *), uint32_t *out,
                                    unsigned *count)
{
    while (*count < REPLAY_MASK_VALUES) {
        const char *const comma = memchr(at, ',', n);
        const size_t one = comma ? (size_t)(comma - at) : n;

        if (!read(at, one, &out[*count])) {
            return false;
        }
        ++*count;
        if (!comma) {
            return true;
        }
        at += one + 1;
        n -= one + 1;
    }
    return false;
}

static bool replay_mask_read_term(struct replay_mask *m, const char *at, size_t n, char *why,
                                  size_t size)
{
    const char *const equals = memchr(at, '=', n);
    const size_t name_n = equals ? (size_t)(equals - at) + 1 : 0;
    const char *const value = at + name_n;
    const size_t value_n = n - name_n;
    bool ok;

    if (name_n == 8 && memcmp(at, "command=", 8) == 0) {
        ok = replay_mask_read_values(value, value_n, replay_mask_read_command, m->commands,
                                     &m->n_commands);
    } else if (name_n == 7 && memcmp(at, "region=", 7) == 0) {
        ok = replay_mask_read_values(value, value_n, replay_mask_read_region, m->regions,
                                     &m->n_regions);
    } else if (name_n == 7 && memcmp(at, "offset=", 7) == 0) {
        ok = replay_mask_read_range(value, value_n, &m->offset);
    } else if (name_n == 6 && memcmp(at, "bytes=", 6) == 0) {
        ok = replay_mask_read_range(value, value_n, &m->bytes);
    } else {
        return replay_mask_refuse(why, size, "unknown term", at, n);
    }
    return ok || replay_mask_refuse(why, size, "invalid value", at, n);
}

bool replay_mask_add(struct replay_masks *m, const char *text, char *why, size_t size)
{
    struct replay_mask mask = {.n_commands = 0};
    bool any = false;

    if (m->n == REPLAY_MASKS_MAX) {
        snprintf(why, size, "more than %u masks", REPLAY_MASKS_MAX);
        return false;
    }
    for (;;) {
        size_t n;

        text += strspn(text, " ");
        n = strcspn(text, " ");
        if (n == 0) {
            break;
        }
        if (!replay_mask_read_term(&mask, text, n, why, size)) {
            return false;
        }
        any = true;
        text += n;
    }
    if (!any) {
        return replay_mask_refuse(why, size, "there are no terms in", "", 0);
    }
    m->masks[m->n++] = mask;
    return true;
}

/* ---- applying ---- */

static bool replay_mask_among(const uint32_t *values, unsigned n, uint32_t v)
{
    for (unsigned i = 0; i < n; i++) {
        if (values[i] == v) {
            return true;
        }
    }
    return n == 0;
}

static bool replay_mask_within(const struct replay_range *r, uint64_t v)
{
    return !r->said || (v >= r->first && v <= r->last);
}

/* Returns true if the mask applies to messages like this one. */
static bool replay_mask_speaks(const struct replay_mask *m, const struct replay_about *about)
{
    if (!replay_mask_among(m->commands, m->n_commands, about->command)) {
        return false;
    }
    if (m->n_regions > 0 &&
        (!about->has_region || !replay_mask_among(m->regions, m->n_regions, about->region))) {
        return false;
    }
    return !m->offset.said || about->has_data;
}

bool replay_mask_all(const struct replay_masks *m, const struct replay_about *about)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct replay_mask *const mask = &m->masks[i];

        if (!mask->offset.said && !mask->bytes.said && replay_mask_speaks(mask, about)) {
            return true;
        }
    }
    return false;
}

static bool replay_mask_covers(const struct replay_mask *m, const struct replay_about *about,
                               uint32_t i)
{
    if (!replay_mask_speaks(m, about) || !replay_mask_within(&m->bytes, i)) {
        return false;
    }
    if (!m->offset.said) {
        return true;
    }
    return i >= about->data_from &&
           replay_mask_within(&m->offset, about->offset + (i - about->data_from));
}

bool replay_mask_byte(const struct replay_masks *m, const struct replay_about *about, uint32_t i)
{
    for (unsigned k = 0; k < m->n; k++) {
        if (replay_mask_covers(&m->masks[k], about, i)) {
            return true;
        }
    }
    return false;
}
