/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * rpm's License tags as SPDX expressions. Pure. Fedora's packages use SPDX expressions since 2022;
 * before, and in RHEL 9 and older, they used names of Fedora's own ("Callaway" names), some of
 * which stood for a whole family of licences. Those stay unknown: the tag does not say which one.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "policy/evidence/evidence_rpm.h"
#include "policy/spdx/spdx.h"

/* Longer names are sentences. */
#define NAME_SIZE 64u

/*
 * Fedora's old names that are not SPDX identifiers. Searched linearly: a tag has a few names.
 * "LGPLv2+" stood for 2.0 and 2.1 alike; both permit "2.1 or later".
 */
static const struct {
    const char *fedora;
    const char *spdx; /* NULL for a name of several licences */
} names[] = {
    {"AFL", NULL},
    {"AGPLv1", "AGPL-1.0-only"},
    {"AGPLv3", "AGPL-3.0-only"},
    {"AGPLv3+", "AGPL-3.0-or-later"},
    {"AGPLv3 with exceptions", NULL},
    {"APSL 2.0", "APSL-2.0"},
    {"Artistic", NULL},
    {"Artistic 2.0", "Artistic-2.0"},
    {"Artistic clarified", "ClArtistic"},
    {"ASL 1.0", "Apache-1.0"},
    {"ASL 1.1", "Apache-1.1"},
    {"ASL 2.0", "Apache-2.0"},
    {"Boost", "BSL-1.0"},
    {"BSD", NULL},
    {"BSD Protection", "BSD-Protection"},
    {"BSD with advertising", NULL},
    {"BSD with attribution", "BSD-3-Clause-Attribution"},
    {"CC0", "CC0-1.0"},
    {"CC-BY", NULL},
    {"CC-BY-SA", NULL},
    {"CDDL", NULL},
    {"CeCILL", NULL},
    {"Copyright only", NULL},
    {"CPL", "CPL-1.0"},
    {"Distributable", NULL},
    {"ECL 1.0", "ECL-1.0"},
    {"ECL 2.0", "ECL-2.0"},
    {"EFL 2.0", "EFL-2.0"},
    {"EPL", "EPL-1.0"},
    {"EUPL 1.1", "EUPL-1.1"},
    {"Freely redistributable without restriction", NULL},
    {"GFDL", NULL},
    {"GPL", NULL},
    {"GPL+", "GPL-1.0-or-later"},
    {"GPL+ with exceptions", NULL},
    {"GPLv1", "GPL-1.0-only"},
    {"GPLv2", "GPL-2.0-only"},
    {"GPLv2+", "GPL-2.0-or-later"},
    {"GPLv2 with exceptions", NULL},
    {"GPLv2+ with exceptions", NULL},
    {"GPLv3", "GPL-3.0-only"},
    {"GPLv3+", "GPL-3.0-or-later"},
    {"GPLv3 with exceptions", NULL},
    {"GPLv3+ with exceptions", NULL},
    {"IBM", "IPL-1.0"},
    {"Intel ACPI", "Intel-ACPI"},
    {"LBNL BSD", "BSD-3-Clause-LBNL"},
    {"LGPL", NULL},
    {"LGPLv2", NULL},
    {"LGPLv2+", "LGPL-2.1-or-later"},
    {"LGPLv2 with exceptions", NULL},
    {"LGPLv2+ with exceptions", NULL},
    {"LGPLv3", "LGPL-3.0-only"},
    {"LGPLv3+", "LGPL-3.0-or-later"},
    {"LGPLv3 with exceptions", NULL},
    {"LGPLv3+ with exceptions", NULL},
    {"LPL", "LPL-1.02"},
    {"LPPL", NULL},
    {"MIT with advertising", NULL},
    {"MPLv1.0", "MPL-1.0"},
    {"MPLv1.1", "MPL-1.1"},
    {"MPLv2.0", "MPL-2.0"},
    {"OFL", NULL},
    {"OpenLDAP", NULL},
    {"OSL 1.0", "OSL-1.0"},
    {"OSL 1.1", "OSL-1.1"},
    {"OSL 2.0", "OSL-2.0"},
    {"OSL 2.1", "OSL-2.1"},
    {"OSL 3.0", "OSL-3.0"},
    {"PHP", NULL},
    {"Public Domain", NULL},
    {"Python", NULL},
    {"QPL", "QPL-1.0"},
    {"Redistributable, no modification permitted", NULL},
    {"SPL", "SPL-1.0"},
    {"UCD", NULL},
    {"W3C", NULL},
    {"ZPLv2.0", "ZPL-2.0"},
    {"ZPLv2.1", "ZPL-2.1"},
};

/* A tag that is converted from left to right. */
struct rpm_tag {
    const char *at;
    char *out; /* the expression so far, not canonical */
    size_t n;
    char *why;
    unsigned depth;               /* of parentheses */
    char joins[LIMIT_SPDX_DEPTH]; /* at each depth: 'a' for "and", 'o' for "or", 0 for neither */
};

static bool evidence_rpm_tag_fault(const struct rpm_tag *t, const char *fault, const char *name)
{
    char text[EVIDENCE_DETAIL_SIZE];

    snprintf(text, sizeof text, "its License tag %s%s", fault, name);
    log_escape(t->why, EVIDENCE_DETAIL_SIZE, text, strlen(text));
    return false;
}

static bool evidence_rpm_tag_put(struct rpm_tag *t, const char *text)
{
    const int n = snprintf(t->out + t->n, LIMIT_SPDX_TEXT - t->n, "%s", text);

    if (n < 0 || (size_t)n >= LIMIT_SPDX_TEXT - t->n) {
        return evidence_rpm_tag_fault(t, "is too long", "");
    }
    t->n += (size_t)n;
    return true;
}

/*
 * Copies the next word or parenthesis. Returns false at the end; a word that is too long is cut,
 * and so becomes a name that is not known.
 */
static bool evidence_rpm_tag_word(const char **at, char word[NAME_SIZE])
{
    const char *p = *at;
    size_t n = 0;

    while (isspace((unsigned char)*p)) {
        p++;
    }
    if (*p == '(' || *p == ')') {
        word[n++] = *p++;
    } else {
        while (*p && !isspace((unsigned char)*p) && *p != '(' && *p != ')') {
            word[n] = *p++;
            n += n < NAME_SIZE - 1;
        }
    }
    word[n] = '\0';
    *at = p;
    return n > 0;
}

static bool evidence_rpm_tag_joins(const char *word)
{
    return strcasecmp(word, "and") == 0 || strcasecmp(word, "or") == 0;
}

/* Copies the words up to the next operator or parenthesis, with one space between them. */
static void evidence_rpm_tag_name(struct rpm_tag *t, char name[NAME_SIZE])
{
    const char *next = t->at;
    char word[NAME_SIZE];
    size_t n = 0;

    name[0] = '\0';
    while (evidence_rpm_tag_word(&next, word) && !strchr("()", word[0]) &&
           !evidence_rpm_tag_joins(word)) {
        const int m = snprintf(name + n, NAME_SIZE - n, "%s%s", n > 0 ? " " : "", word);

        n = (size_t)m < NAME_SIZE - n ? n + (size_t)m : NAME_SIZE - 1;
        t->at = next;
    }
}

static bool evidence_rpm_is_spdx(const char *text, struct spdx *e)
{
    struct spdx_error why;

    return spdx_parse(e, text, strlen(text), SPDX_LISTED, &why) == SPDX_OK;
}

/* Converts one name. */
static bool evidence_rpm_tag_licence(struct rpm_tag *t, struct spdx *e)
{
    char name[NAME_SIZE];

    evidence_rpm_tag_name(t, name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].fedora, name) == 0) {
            return names[i].spdx ? evidence_rpm_tag_put(t, names[i].spdx)
                                 : evidence_rpm_tag_fault(
                                       t, "has a name that stood for several licences: ", name);
        }
    }
    return evidence_rpm_is_spdx(name, e) ? evidence_rpm_tag_put(t, name)
                                         : evidence_rpm_tag_fault(t, "has an unknown name: ", name);
}

/* Without parentheses, "A and B or C" was written with either meaning. */
static bool evidence_rpm_tag_operator(struct rpm_tag *t, const char *word)
{
    const char join = (char)tolower((unsigned char)word[0]);
    char *const joins = &t->joins[t->depth];

    if (*joins && *joins != join) {
        return evidence_rpm_tag_fault(
            t, "joins names by AND and OR without parentheses: their order is unclear", "");
    }
    *joins = join;
    return evidence_rpm_tag_put(t, join == 'a' ? " AND " : " OR ");
}

static bool evidence_rpm_tag_bracket(struct rpm_tag *t, char bracket)
{
    if (bracket == '(' && t->depth + 1 < LIMIT_SPDX_DEPTH) {
        t->joins[++t->depth] = '\0';
        return evidence_rpm_tag_put(t, " (");
    }
    if (bracket == ')' && t->depth > 0) {
        t->depth--;
        return evidence_rpm_tag_put(t, ") ");
    }
    return evidence_rpm_tag_fault(t, "has too many parentheses", "");
}

static bool evidence_rpm_tag_convert(struct rpm_tag *t, struct spdx *e)
{
    const char *next = t->at;
    char word[NAME_SIZE];
    bool ok = true;

    while (ok && evidence_rpm_tag_word(&next, word)) {
        if (strchr("()", word[0])) {
            t->at = next;
            ok = evidence_rpm_tag_bracket(t, word[0]);
        } else if (evidence_rpm_tag_joins(word)) {
            t->at = next;
            ok = evidence_rpm_tag_operator(t, word);
        } else {
            ok = evidence_rpm_tag_licence(t, e);
        }
        next = t->at;
    }
    return ok;
}

bool evidence_rpm_expression(const char *tag, char out[EVIDENCE_LICENCE_SIZE],
                             char why[EVIDENCE_DETAIL_SIZE])
{
    static struct spdx expression; /* too large for the stack */
    static char text[LIMIT_SPDX_TEXT];
    struct rpm_tag t = {.at = tag, .out = text};

    t.why = why;
    text[0] = '\0';
    if (!evidence_rpm_is_spdx(tag, &expression)) {
        if (!evidence_rpm_tag_convert(&t, &expression)) {
            return false;
        }
        if (!evidence_rpm_is_spdx(text, &expression)) {
            return evidence_rpm_tag_fault(&t, "is not an expression: ", tag);
        }
    }
    if (spdx_canonical(&expression, out, EVIDENCE_LICENCE_SIZE) >= EVIDENCE_LICENCE_SIZE) {
        return evidence_rpm_tag_fault(&t, "is too long", "");
    }
    return true;
}
