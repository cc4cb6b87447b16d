/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Fits the refrain into a reply with little room: PROTOCOL.poem, section 5. Pure, except that
 * jansson allocates memory.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/json.h"
#include "handshake/recital.h"

/* A capability that may be removed at its default value. */
struct optional {
    bool in_migration; /* a member of "migration", not of "capabilities" */
    const char *key;
    json_int_t number; /* its default; 0 if not a number: see recital_fit_is_default */
};

static const struct optional optionals[] = {
    {false, "max_data_xfer_size", 1048576},
    {false, "max_dma_maps", 65535},
    {false, "pgsizes", 4096},
    {false, "write_multiple", 0},
    {false, "twin_socket", 0},
    {true, "pgsize", 4096},
    {true, "max_bitmap_size", 268435456},
};

#define OPTIONALS (sizeof optionals / sizeof *optionals)

/* The objects from which members can be removed. */
struct places {
    json_t *capabilities;
    json_t *migration;
};

static json_t *recital_fit_place_of(const struct optional *o, const struct places *p)
{
    return o->in_migration ? p->migration : p->capabilities;
}

static bool recital_fit_is_default(const struct optional *o, const json_t *value)
{
    if (o->number > 0) {
        return json_is_integer(value) && json_integer_value(value) == o->number;
    }
    if (strcmp(o->key, "twin_socket") == 0) {
        return json_object_size(value) == 1 && json_is_false(json_object_get(value, "supported"));
    }
    return json_is_false(value);
}

static size_t recital_fit_size_of(const json_t *value)
{
    char *const text = json_text(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const size_t n = text ? strlen(text) : 0;

    free(text);
    return n;
}

/* Computes the bytes saved by removing each member that has its default value; 0 for the others. */
static void recital_fit_weigh(const struct places *p, size_t weights[OPTIONALS])
{
    for (size_t i = 0; i < OPTIONALS; i++) {
        const struct optional *o = &optionals[i];
        const json_t *value = json_object_get(recital_fit_place_of(o, p), o->key);

        /* "key":value and the comma beside it */
        weights[i] =
            recital_fit_is_default(o, value) ? strlen(o->key) + 4 + recital_fit_size_of(value) : 0;
    }
}

/*
 * Returns the bytes saved by removing the members of the set, or 0 if one of them cannot be
 * removed.
 */
static size_t recital_fit_saving(const struct places *p, const size_t weights[OPTIONALS],
                                 unsigned set, unsigned *count)
{
    size_t left_capabilities = json_object_size(p->capabilities);
    size_t left_migration = json_object_size(p->migration);
    size_t saved = 0;

    *count = 0;
    for (size_t i = 0; i < OPTIONALS; i++) {
        if (!(set & 1u << i)) {
            continue;
        }
        if (weights[i] == 0) {
            return 0;
        }
        saved += weights[i];
        ++*count;
        *(optionals[i].in_migration ? &left_migration : &left_capabilities) -= 1;
        /* The last member of an object has no comma. */
        if ((optionals[i].in_migration ? left_migration : left_capabilities) == 0) {
            saved--;
        }
    }
    return saved;
}

/*
 * Returns the set that saves at least this much: of the sets with the fewest members, the one that
 * saves least. Returns 0 if there is none.
 */
static unsigned recital_fit_choose(const struct places *p, size_t least)
{
    size_t weights[OPTIONALS];
    size_t best_saved = 0;
    unsigned best_count = OPTIONALS + 1;
    unsigned best = 0;

    recital_fit_weigh(p, weights);
    for (unsigned set = 1; set < 1u << OPTIONALS; set++) {
        unsigned count;
        const size_t saved = recital_fit_saving(p, weights, set, &count);

        if (saved >= least && (count < best_count || (count == best_count && saved < best_saved))) {
            best = set;
            best_count = count;
            best_saved = saved;
        }
    }
    return best;
}

/* Removes members until the reply fits. Returns false, without changes, if that is impossible. */
static bool recital_fit_make_fit(json_t *reply, size_t room)
{
    struct places p = {.capabilities = json_object_get(reply, "capabilities")};
    const size_t size = recital_fit_size_of(reply) + 1;
    unsigned set;

    if (size <= room) {
        return true;
    }
    p.migration = json_object_get(p.capabilities, "migration");
    set = recital_fit_choose(&p, size - room);
    for (size_t i = 0; i < OPTIONALS; i++) {
        if (set & 1u << i) {
            (void)json_object_del(recital_fit_place_of(&optionals[i], &p), optionals[i].key);
        }
    }
    return set != 0;
}

enum recital_fit recital_fit(json_t *reply, size_t room, const char *refrain)
{
    const bool had_capabilities = json_object_get(reply, "capabilities") != NULL;
    json_t *capabilities;

    if (refrain && refrain[0] != '\0') {
        capabilities = recital_capabilities(reply);
        if (json_object_set_new(capabilities, "poem", json_string(refrain)) < 0) {
            return RECITAL_FITS_NO_MEMORY;
        }
        if (recital_fit_make_fit(reply, room)) {
            return RECITAL_FITS;
        }
        (void)json_object_del(capabilities, "poem");
        if (!had_capabilities) {
            (void)json_object_del(reply, "capabilities");
        }
    }
    return recital_fit_make_fit(reply, room) ? RECITAL_FITS_NOT : RECITAL_FITS_NOTHING;
}
