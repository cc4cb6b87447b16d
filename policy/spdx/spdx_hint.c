/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finds the identifier that an unlisted name stands for. Pure. */
#include "policy/spdx/spdx_hint.h"

#include <stdio.h>
#include <string.h>

#include "base/text/edit_distance.h"
#include "policy/spdx/spdx_list.h"

/*
 * Names in common use that have one meaning, without a "+". Absent on purpose: names of a family
 * whose members differ ("BSD", "Apache", "MPL", "Artistic", "Python").
 */
static const struct {
    const char *name, *id;
} also_known[] = {
    {"apache2", "Apache-2.0"},
    {"apachev2", "Apache-2.0"},
    {"asl2.0", "Apache-2.0"},
    {"bsd-2", "BSD-2-Clause"},
    {"bsd2", "BSD-2-Clause"},
    {"bsd-3", "BSD-3-Clause"},
    {"bsd3", "BSD-3-Clause"},
    {"boost", "BSL-1.0"},
    {"expat", "MIT"},
    /* A program that names no version may be used under any that has been published. */
    {"agpl", "AGPL-3.0-or-later"},
    {"gpl", "GPL-1.0-or-later"},
    {"lgpl", "LGPL-2.0-or-later"},
    {"agplv3", "AGPL-3.0-only"},
    {"agpl3", "AGPL-3.0-only"},
    {"agpl-3", "AGPL-3.0-only"},
    {"gpl2", "GPL-2.0-only"},
    {"gpl-2", "GPL-2.0-only"},
    {"gplv2", "GPL-2.0-only"},
    {"gplv2.0", "GPL-2.0-only"},
    {"gpl3", "GPL-3.0-only"},
    {"gpl-3", "GPL-3.0-only"},
    {"gplv3", "GPL-3.0-only"},
    {"gplv3.0", "GPL-3.0-only"},
    {"lgpl2", "LGPL-2.0-only"},
    {"lgpl-2", "LGPL-2.0-only"},
    {"lgplv2", "LGPL-2.0-only"},
    {"lgpl2.1", "LGPL-2.1-only"},
    {"lgplv2.1", "LGPL-2.1-only"},
    {"lgpl3", "LGPL-3.0-only"},
    {"lgpl-3", "LGPL-3.0-only"},
    {"lgplv3", "LGPL-3.0-only"},
    {"mpl2", "MPL-2.0"},
    {"mpl-2", "MPL-2.0"},
    {"mplv2", "MPL-2.0"},
    {"cc0", "CC0-1.0"},
};

#define REFER_TO_TEXT "it has no identifier: LicenseRef-NAME, after the text that the program has"
#define SAY_PROPRIETARY "a licence that is proprietary is written LicenseRef-proprietary"

/* Names that look like an identifier and mean something else, or that no identifier has. */
static const struct {
    const char *name, *advice;
} advised[] = {
    {"later", "\"or later\" is a part of the identifier: GPL-2.0-or-later"},
    {"newer", "\"or newer\" is a part of the identifier: GPL-2.0-or-later"},
    {"unlicensed", "npm's word for a program that nobody may use: LicenseRef-proprietary"},
    {"unlicenced", "npm's word for a program that nobody may use: LicenseRef-proprietary"},
    {"proprietary", SAY_PROPRIETARY},
    {"commercial", SAY_PROPRIETARY},
    {"closed", SAY_PROPRIETARY},
    {"public-domain", REFER_TO_TEXT},
    {"pd", REFER_TO_TEXT},
};

/* A part of a name between hyphens. */
struct hint_part {
    const char *p;
    size_t n;
};

/* Takes the next part off a name, which becomes shorter. */
static struct hint_part spdx_hint_part(struct hint_part *name)
{
    const char *end = memchr(name->p, '-', name->n);
    const struct hint_part part = {name->p, end ? (size_t)(end - name->p) : name->n};
    const size_t taken = part.n + (end ? 1 : 0);

    name->p += taken;
    name->n -= taken;
    return part;
}

static bool spdx_hint_has_digit(struct hint_part part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] >= '0' && part.p[i] <= '9') {
            return true;
        }
    }
    return false;
}

/* Returns the part's size without a ".0" at its end: versions 2 and 2.0 are the same. */
static size_t spdx_hint_version_size(struct hint_part part)
{
    return part.n > 2 && memcmp(part.p + part.n - 2, ".0", 2) == 0 ? part.n - 2 : part.n;
}

static size_t spdx_hint_count(struct hint_part part, char letter)
{
    size_t n = 0;

    for (size_t i = 0; i < part.n; i++) {
        n += (part.p[i] | 0x20) == (letter | 0x20);
    }
    return n;
}

/* Returns whether two parts have the same letters, in any order. */
static bool spdx_hint_same_letters(struct hint_part a, struct hint_part b)
{
    for (size_t i = 0; i < a.n; i++) {
        if (spdx_hint_count(a, a.p[i]) != spdx_hint_count(b, a.p[i])) {
            return false;
        }
    }
    return a.n == b.n;
}

/*
 * Returns whether one part may be a misspelling of the other. Versions and numbers must agree. In a
 * short word only the order may be wrong: MPL and PPL, NC and ND are different words. A longer one
 * keeps its first letter: Artistic and ClArtistic are two licences.
 */
static bool spdx_hint_part_alike(struct hint_part a, struct hint_part b)
{
    if (spdx_hint_has_digit(a) || spdx_hint_has_digit(b)) {
        const size_t n = spdx_hint_version_size(a);

        return n == spdx_hint_version_size(b) && edit_distance(a.p, n, b.p, n) == 0;
    }
    if (a.n < 5 || b.n < 5) {
        return spdx_hint_same_letters(a, b);
    }
    return (a.p[0] | 0x20) == (b.p[0] | 0x20) && edit_distance(a.p, a.n, b.p, b.n) <= 2;
}

static bool spdx_hint_alike(struct hint_part name, struct hint_part id)
{
    while (name.n > 0 && id.n > 0) {
        const struct hint_part a = spdx_hint_part(&name);
        const struct hint_part b = spdx_hint_part(&id);

        if (!spdx_hint_part_alike(a, b)) {
            return false;
        }
    }
    return name.n == 0 && id.n == 0;
}

static const char *spdx_hint_id_at(size_t i, bool exception)
{
    if (exception) {
        return spdx_exception_at((int)i)->id;
    }
    return spdx_licence_at((int)i)->deprecated ? "" : spdx_licence_at((int)i)->id;
}

/* Returns the only identifier that is close to a name, or NULL. */
static const char *spdx_hint_nearest(const char *p, size_t n, bool exception)
{
    const size_t count = exception ? spdx_list_exceptions() : spdx_list_licences();
    const char *nearest = NULL;
    size_t least = n < 6 ? 2 : 3; /* smaller distances are close enough */
    bool only = false;

    for (size_t i = 0; n <= EDIT_DISTANCE_MAX && i < count; i++) {
        const char *id = spdx_hint_id_at(i, exception);
        const size_t m = strlen(id);

        if (m <= EDIT_DISTANCE_MAX &&
            spdx_hint_alike((struct hint_part){p, n}, (struct hint_part){id, m})) {
            const size_t d = edit_distance(p, n, id, m);

            only = d < least || (only && d > least);
            if (d < least) {
                least = d;
                nearest = id;
            }
        }
    }
    return only ? nearest : NULL;
}

static const char *spdx_hint_known(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof also_known / sizeof *also_known; i++) {
        if (spdx_list_compare(p, n, also_known[i].name) == 0) {
            return also_known[i].id;
        }
    }
    return NULL;
}

static const char *spdx_hint_advice(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof advised / sizeof *advised; i++) {
        if (spdx_list_compare(p, n, advised[i].name) == 0) {
            return advised[i].advice;
        }
    }
    return NULL;
}

/* Writes an identifier with the meaning of a "+" behind the name. */
static void spdx_hint_write(char *out, size_t size, const char *id, bool plus)
{
    const int at = spdx_list_licence(id, strlen(id));
    const struct spdx_licence *l = at >= 0 ? spdx_licence_at(at) : NULL;

    if (plus && l && l->or_later >= 0) {
        l = spdx_licence_at(l->or_later);
        plus = false;
    }
    snprintf(out, size, "is %s%s meant?", l ? l->id : id, plus && l && !l->is_or_later ? "+" : "");
}

bool spdx_hint(const char *p, size_t n, bool exception, bool plus, char *out, size_t size)
{
    const char *const advice = exception ? NULL : spdx_hint_advice(p, n);
    const char *id = exception || advice ? NULL : spdx_hint_known(p, n);

    if (advice) {
        snprintf(out, size, "%s", advice);
        return true;
    }
    if (!id) {
        id = spdx_hint_nearest(p, n, exception);
    }
    if (id) {
        spdx_hint_write(out, size, id, plus);
    }
    return id != NULL;
}
