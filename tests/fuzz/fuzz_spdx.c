/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licence expressions: whatever the bytes are, either they are refused at a place inside them, in
 * printable ASCII, or what they mean can be written, read again and judged, and stays the same.
 */
#include <string.h>

#include "policy/spdx/spdx.h"
#include "tests/fuzz/fuzz.h"

static struct spdx first, again;
static char canonical[SPDX_CANONICAL_SIZE], canonical_again[SPDX_CANONICAL_SIZE];

static void check_printable(const char *text)
{
    for (; *text; text++) {
        FUZZ_REQUIRE(*text >= 0x20 && *text < 0x7f);
    }
}

static void check_error(const struct spdx_error *why, enum spdx_outcome o, size_t n)
{
    FUZZ_REQUIRE(why->outcome == o);
    FUZZ_REQUIRE(why->at <= n && why->length <= n - why->at);
    FUZZ_REQUIRE(why->text[0] != '\0' && spdx_outcome_name(o)[0] != '\0');
    check_printable(why->text);
    check_printable(why->hint);
}

static void check_shape(const struct spdx *e)
{
    FUZZ_REQUIRE(e->n_terms > 0 && e->n_terms <= LIMIT_SPDX_TERMS);
    FUZZ_REQUIRE(e->n_nodes == 2 * e->n_terms - 1);
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct spdx_node *n = &e->nodes[i];

        if (n->kind == SPDX_TERM) {
            FUZZ_REQUIRE(n->left < e->n_terms);
        } else {
            FUZZ_REQUIRE(n->left < n->right && n->right < i);
        }
    }
}

static void check_verdict(const struct spdx *e, const struct spdx_verdict *v)
{
    char line[200];
    char whole[SPDX_WHOLE_SIZE];

    FUZZ_REQUIRE(v->n_terms == e->n_terms && v->decisive < e->n_terms);
    FUZZ_REQUIRE(v->parts[v->decisive] == SPDX_TAKEN && v->terms[v->decisive] == v->compat);
    FUZZ_REQUIRE(v->version == 2 || v->version == 3);
    check_printable(spdx_verdict_text(v, e, line, sizeof line));
    FUZZ_REQUIRE(strlen(line) < sizeof line);
    check_printable(spdx_whole_text(e, v->target, whole, sizeof whole));
    FUZZ_REQUIRE(whole[strlen(whole) - 1] == '.');
    FUZZ_REQUIRE(v->compat != SPDX_COMPATIBLE || !spdx_proprietary(e));
}

/*
 * What was written anew is the same expression; where it is within the limits: short identifiers
 * that are replaced by longer ones may take it past LIMIT_SPDX_TEXT.
 */
static void check_again(size_t n, enum spdx_lookup lookup)
{
    struct spdx_error why;

    if (n > LIMIT_SPDX_TEXT) {
        return;
    }
    FUZZ_REQUIRE(spdx_parse(&again, canonical, n, lookup, &why) == SPDX_OK);
    check_shape(&again);
    FUZZ_REQUIRE(again.n_terms == first.n_terms);
    FUZZ_REQUIRE(spdx_canonical(&again, canonical_again, sizeof canonical_again) == n);
    FUZZ_REQUIRE(strcmp(canonical, canonical_again) == 0);
}

static void check_judged(bool compare)
{
    enum spdx_compat compat[SPDX_TARGETS];
    struct spdx_verdict v, w;

    for (int t = 0; t < SPDX_TARGETS; t++) {
        spdx_judge(&first, (enum spdx_target)t, &v);
        check_verdict(&first, &v);
        compat[t] = v.compat;
        if (compare) {
            spdx_judge(&again, (enum spdx_target)t, &w);
            FUZZ_REQUIRE(w.compat == v.compat);
        }
    }
    FUZZ_REQUIRE(compat[SPDX_WITH_GPL_2_0_OR_LATER] >= compat[SPDX_WITH_GPL_2_0_ONLY]);
    FUZZ_REQUIRE(compat[SPDX_WITH_GPL_2_0_OR_LATER] >= compat[SPDX_WITH_GPL_3_0_OR_LATER]);
}

static void check(const char *p, size_t n, enum spdx_lookup lookup)
{
    struct spdx_error why;
    const enum spdx_outcome o = spdx_parse(&first, p, n, lookup, &why);
    size_t length;

    if (o != SPDX_OK) {
        check_error(&why, o, n);
        return;
    }
    check_shape(&first);
    length = spdx_canonical(&first, canonical, sizeof canonical);
    FUZZ_REQUIRE(length == strlen(canonical) && length < sizeof canonical);
    check_printable(canonical);
    check_again(length, lookup);
    check_judged(length <= LIMIT_SPDX_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    check((const char *)p, n, SPDX_LISTED);
    check((const char *)p, n, SPDX_ANY);
    return 0;
}
