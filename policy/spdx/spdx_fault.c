/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Describes the fault in a licence expression and its correction. Pure; the text is foreign, so
 * quotations from it are escaped and cut.
 */
#include "policy/spdx/spdx_fault.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "policy/spdx/spdx_hint.h"
#include "policy/spdx/spdx_list.h"

struct saying {
    const char *name;
    const char *what; /* follows the faulty bytes, if those are quoted */
    const char *hint;
};

static const struct saying sayings[] = {
    [SPDX_OK] = {"ok", "", ""},
    [SPDX_EMPTY] = {"empty", "there is no licence",
                    "the smallest expression is an identifier: MIT"},
    [SPDX_TOO_LONG] = {"too-long", "", ""},
    [SPDX_TOO_MANY] = {"too-many", " is one licence too many", ""},
    [SPDX_TOO_DEEP] = {"too-deep", "parentheses nested too deeply", ""},
    [SPDX_BAD_BYTE] = {"bad-byte", " is not allowed in a licence expression",
                       "letters, digits, \"-\", \".\", \"+\", parentheses and spaces, on one line"},
    [SPDX_BAD_OPERATOR] = {"bad-operator", " is not an operator",
                           "AND, OR and WITH, in letters all upper or all lower case"},
    [SPDX_BAD_PLUS] = {"bad-plus", " does not directly follow a listed licence",
                       "\"or later\" is written without a space: Apache-2.0+"},
    [SPDX_BAD_REFERENCE] = {"bad-reference", " is not a valid reference",
                            "LicenseRef-NAME, or DocumentRef-NAME:LicenseRef-NAME; the prefixes "
                            "in this case; NAME of letters, digits, \"-\" and \".\""},
    [SPDX_EXPECTED_LICENCE] = {"expected-licence", " was found where a licence is expected", ""},
    [SPDX_EXPECTED_OPERATOR] = {"expected-operator", " was found where an operator is expected",
                                "join licences by AND or OR; an identifier has no spaces"},
    [SPDX_EXPECTED_ADDITION] = {"expected-addition", " was found where an exception is expected",
                                "after WITH: an exception of the SPDX list, or AdditionRef-NAME"},
    [SPDX_BAD_WITH] = {"bad-with", " does not follow a single licence",
                       "an exception is added to one licence at a time, and only one to each"},
    [SPDX_BAD_SPECIAL] = {"bad-special", " is allowed only alone or with AND", ""},
    [SPDX_UNCLOSED] = {"unclosed", " has no \")\"", ""},
    [SPDX_UNOPENED] = {"unopened", " has no \"(\"", ""},
    [SPDX_UNLISTED_LICENCE] = {"unlisted-licence", " is not on the SPDX licence list",
                               "a licence that is not listed is written LicenseRef-NAME"},
    [SPDX_UNLISTED_ADDITION] = {"unlisted-addition", " is not on the SPDX list of exceptions",
                                "one that is not listed is written AdditionRef-NAME"},
};

const char *spdx_outcome_name(enum spdx_outcome o)
{
    return sayings[o].name;
}

/* Quotes the faulty bytes, cut at 60 characters, or writes a substitute at the text's end. */
static void spdx_fault_quote(char *out, size_t size, enum spdx_outcome o, const char *p, size_t n)
{
    char escaped[64];

    if (o == SPDX_TOO_LONG) {
        snprintf(out, size, "longer than %u bytes", (unsigned)LIMIT_SPDX_TEXT);
    } else if (o == SPDX_EMPTY || o == SPDX_TOO_DEEP) {
        out[0] = '\0';
    } else if (n == 0) {
        snprintf(out, size, "the end");
    } else {
        snprintf(out, size, "\"%s\"", log_escape(escaped, sizeof escaped, p, n));
    }
}

/* Adds a hint from the list, if there is one. p has a NUL or another byte behind its n. */
static void spdx_fault_advise(struct spdx_error *why, const char *p, size_t n)
{
    const bool exception = why->outcome == SPDX_UNLISTED_ADDITION;

    if (why->outcome == SPDX_EXPECTED_LICENCE && spdx_list_exception(p, n) >= 0) {
        snprintf(why->hint, sizeof why->hint, "an exception is added to a licence by WITH");
    } else if (why->outcome == SPDX_EXPECTED_ADDITION && n > 0 && spdx_list_licence(p, n) >= 0) {
        snprintf(why->hint, sizeof why->hint, "another licence is joined by AND or OR");
    } else if (why->outcome == SPDX_UNLISTED_LICENCE || exception) {
        (void)spdx_hint(p, n, exception, p[n] == '+', why->hint, sizeof why->hint);
    }
}

enum spdx_outcome spdx_fault(struct spdx_error *why, enum spdx_outcome o, const char *text,
                             size_t at, size_t n)
{
    const struct saying *s = &sayings[o];
    char quoted[80];

    *why = (struct spdx_error){.outcome = o, .at = at, .length = n};
    spdx_fault_quote(quoted, sizeof quoted, o, text + (o == SPDX_TOO_LONG ? 0 : at), n);
    snprintf(why->text, sizeof why->text, "%s%s", quoted, s->what);
    snprintf(why->hint, sizeof why->hint, "%s", s->hint);
    if (n > 0) {
        spdx_fault_advise(why, text + at, n);
    }
    return o;
}
