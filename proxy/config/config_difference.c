/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares the values of statements where the table of statements has them. */
#include "proxy/config/config_difference.h"

#include <stdio.h>
#include <string.h>

#include "proxy/config/config_index.h"

/* Where the elements of a statement that can be repeated are: a count and a pointer. */
static const struct {
    const char *word;
    const char *second;
    size_t n;
    size_t list;
    size_t size;
} lists[] = {
    {"trust-key", NULL, offsetof(struct config, trust_keys.n),
     offsetof(struct config, trust_keys.items), sizeof(struct config_text)},
    {"envelope", NULL, offsetof(struct config, envelopes.n),
     offsetof(struct config, envelopes.items), sizeof(struct config_text)},
    {"allow", NULL, offsetof(struct config_route, n_allow), offsetof(struct config_route, allow),
     sizeof(struct config_allow)},
    {"licence", NULL, offsetof(struct config_route, n_licence),
     offsetof(struct config_route, licence), sizeof(struct config_licence)},
    {"code", NULL, offsetof(struct config_route, n_code), offsetof(struct config_route, code),
     sizeof(struct config_code)},
    {"executable", NULL, offsetof(struct config_route, n_executable),
     offsetof(struct config_route, executable), sizeof(struct config_executable)},
    {"assign", NULL, offsetof(struct config_route, n_assign), offsetof(struct config_route, assign),
     sizeof(struct config_assign)},
    {"inject", "rule", offsetof(struct config_route, inject_rules.n),
     offsetof(struct config_route, inject_rules.items), sizeof(struct config_text)},
    {"dma", "ranges", offsetof(struct config_route, dma_ranges.n),
     offsetof(struct config_route, dma_ranges.items), sizeof(struct config_text)},
};

static const void *config_difference_field(const void *target, size_t offset)
{
    return (const char *)target + offset;
}

static bool config_difference_of_arg(const struct config_arg *a, const void *one, const void *other)
{
    const char *texts[2];
    unsigned numbers[2];

    if (a->to == CONFIG_NO_TARGET) {
        return false;
    }
    /* A choice is the number of its word, which is not one of value_read's kinds. */
    if (a->kind != VALUE_CHOICE && a->kind != VALUE_CHOICES && value_is_text(a->kind)) {
        memcpy(&texts[0], config_difference_field(one, a->to), sizeof *texts);
        memcpy(&texts[1], config_difference_field(other, a->to), sizeof *texts);
        return texts[0] && texts[1] ? strcmp(texts[0], texts[1]) != 0 : texts[0] != texts[1];
    }
    memcpy(&numbers[0], config_difference_field(one, a->to), sizeof *numbers);
    memcpy(&numbers[1], config_difference_field(other, a->to), sizeof *numbers);
    return numbers[0] != numbers[1];
}

static bool config_difference_of_args(const struct config_word *w, const void *one,
                                      const void *other)
{
    for (const struct config_arg *a = w->args; a < w->args + CONFIG_ARGS && a->name; a++) {
        if (config_difference_of_arg(a, one, other)) {
            return true;
        }
    }
    return false;
}

static bool config_difference_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Compares two blocks' statements of one row. */
static bool config_difference_of_row(const struct config_word *w, const void *one,
                                     const void *other)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        size_t n[2];
        const char *at[2];

        if (strcmp(lists[i].word, w->word) != 0 ||
            !config_difference_same(lists[i].second, w->second)) {
            continue;
        }
        memcpy(&n[0], config_difference_field(one, lists[i].n), sizeof *n);
        memcpy(&n[1], config_difference_field(other, lists[i].n), sizeof *n);
        memcpy(&at[0], config_difference_field(one, lists[i].list), sizeof *at);
        memcpy(&at[1], config_difference_field(other, lists[i].list), sizeof *at);
        for (size_t k = 0; n[0] == n[1] && k < n[0]; k++) {
            if (config_difference_of_args(w, at[0] + k * lists[i].size,
                                          at[1] + k * lists[i].size)) {
                return true;
            }
        }
        return n[0] != n[1];
    }
    return config_difference_of_args(w, one, other);
}

static struct config_place config_difference_place(const struct config_word *w, const void *target)
{
    struct config_place at = {0, 0};

    for (const struct config_arg *a = w->args; a < w->args + CONFIG_ARGS && a->name; a++) {
        /* An element of a list, and each choice of several, has a place of its own. */
        if (a->place != CONFIG_NO_PLACE && !w->begin && a->kind != VALUE_CHOICES && !at.line) {
            memcpy(&at, config_difference_field(target, a->place), sizeof at);
        }
    }
    return at;
}

/* These are also compared by their contents, which are in other files. */
static bool config_difference_of_contents(const char *word, const struct config *one,
                                          const struct config *other)
{
    if (strcmp(word, "poem") == 0) {
        return memcmp(one->poem.poem.digest, other->poem.poem.digest,
                      sizeof one->poem.poem.digest) != 0;
    }
    if (strcmp(word, "envelope") == 0) {
        /* A list of another length differs by its statements. */
        return one->envelopes.n == other->envelopes.n && one->envelope_ids && other->envelope_ids &&
               memcmp(one->envelope_ids, other->envelope_ids,
                      one->envelopes.n * sizeof *one->envelope_ids) != 0;
    }
    if (strcmp(word, "trust-key") == 0) {
        for (size_t i = 0; one->n_trusted == other->n_trusted && i < one->n_trusted; i++) {
            if (memcmp(one->trusted[i].key.fingerprint, other->trusted[i].key.fingerprint,
                       sizeof one->trusted[i].key.fingerprint) != 0) {
                return true;
            }
        }
        return one->n_trusted != other->n_trusted;
    }
    if (strcmp(word, "revoked") == 0) {
        for (size_t i = 0; one->n_revoked == other->n_revoked && i < one->n_revoked; i++) {
            if (memcmp(one->revoked[i].digest, other->revoked[i].digest,
                       sizeof one->revoked[i].digest) != 0) {
                return true;
            }
        }
        return one->n_revoked != other->n_revoked;
    }
    return false;
}

bool config_difference_in(const struct config_route *before, const struct config_route *after,
                          const char *word)
{
    bool differs = false;

    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *const w = config_word_at(i);

        if (w->context == CONTEXT_ROUTE && strcmp(w->word, word) == 0) {
            differs = differs || config_difference_of_row(w, before, after);
        }
    }
    return differs;
}

static void config_difference_of_routes(const struct config_route *before,
                                        const struct config_route *after, config_difference_fn *fn,
                                        void *arg)
{
    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *const w = config_word_at(i);

        if (w->context == CONTEXT_ROUTE && config_difference_of_row(w, before, after)) {
            fn(&(struct config_difference){.kind = CONFIG_DIFFERENCE_WORD,
                                           .route = after->name,
                                           .word = w,
                                           .at = config_difference_place(w, after)},
               arg);
        }
    }
}

void config_differences(const struct config *before, const struct config *after,
                        config_difference_fn *fn, void *arg)
{
    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *const w = config_word_at(i);

        if (w->context == CONTEXT_FILE && w->opens == CONTEXT_NONE &&
            (config_difference_of_row(w, before, after) ||
             config_difference_of_contents(w->word, before, after))) {
            fn(&(struct config_difference){.kind = CONFIG_DIFFERENCE_WORD,
                                           .word = w,
                                           .at = config_difference_place(w, after)},
               arg);
        }
    }
    for (size_t i = 0; i < after->n_routes; i++) {
        const struct config_route *const r = &after->routes[i];
        const struct config_route *const old = config_route_find(before, r->name);

        if (old) {
            config_difference_of_routes(old, r, fn, arg);
        } else {
            fn(&(struct config_difference){.kind = CONFIG_DIFFERENCE_ADDED,
                                           .route = r->name,
                                           .at = r->at},
               arg);
        }
    }
    for (size_t i = 0; i < before->n_routes; i++) {
        if (!config_route_find(after, before->routes[i].name)) {
            fn(&(struct config_difference){.kind = CONFIG_DIFFERENCE_GONE,
                                           .route = before->routes[i].name},
               arg);
        }
    }
}

const char *config_difference_word(const struct config_word *row, char out[64])
{
    snprintf(out, 64, "%s%s%s", row->word, row->second ? " " : "", row->second ? row->second : "");
    return out;
}
