/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Parses fault specifications. Pure. */
#include "contrib/edu/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "base/wire/wire_names.h"

enum argument { ARGUMENT_NONE, ARGUMENT_MAY, ARGUMENT_MUST };

static const struct {
    const char *name;
    enum fault_kind kind;
    enum argument argument;
    uint32_t unsaid; /* the argument's default, if it may be left out */
} kinds[] = {
    {"late", FAULT_LATE, ARGUMENT_MUST, 0},
    {"short", FAULT_SHORT, ARGUMENT_NONE, 0},
    {"oversized", FAULT_OVERSIZED, ARGUMENT_MAY, FAULT_OVERSIZED_DEFAULT},
    {"unasked", FAULT_UNASKED, ARGUMENT_NONE, 0},
    {"missing", FAULT_MISSING, ARGUMENT_NONE, 0},
    {"error", FAULT_ERROR, ARGUMENT_MAY, EIO},
    {"exit", FAULT_EXIT, ARGUMENT_NONE, 0},
};

/* Reads a decimal number of n characters, 1 … 2^31 - 1. */
static bool edu_fault_number(const char *p, size_t n, uint32_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || v > INT32_MAX) {
            return false;
        }
        v = 10 * v + (uint64_t)(p[i] - '0');
    }
    *out = (uint32_t)v;
    return n > 0 && v > 0 && v <= INT32_MAX;
}

static uint16_t edu_command_by_name(const char *p, size_t n)
{
    const struct wire_command_info *c;

    for (size_t i = 0; (c = wire_command_at(i)); i++) {
        if (strlen(c->name) == n && memcmp(c->name, p, n) == 0) {
            return (uint16_t)c->code;
        }
    }
    return 0;
}

/* Returns the migration state of this name, or 0. */
static uint32_t edu_state_by_name(const char *p, size_t n)
{
    for (size_t i = 0; wire_mig_states[i].name; i++) {
        const char *const name = wire_mig_states[i].name;

        if (strlen(name) == n && memcmp(name, p, n) == 0) {
            return wire_mig_states[i].value;
        }
    }
    return 0;
}

static bool edu_fault_parse_kind(const char *p, size_t n, const char *argument, struct fault *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != n || memcmp(kinds[i].name, p, n) != 0) {
            continue;
        }
        out->kind = kinds[i].kind;
        out->argument = kinds[i].unsaid;
        if (!argument) {
            return kinds[i].argument != ARGUMENT_MUST;
        }
        return kinds[i].argument != ARGUMENT_NONE &&
               edu_fault_number(argument, strlen(argument), &out->argument);
    }
    return false;
}

int fault_add(struct fault_list *l, const char *spec)
{
    const char *which = strchr(spec, ':');
    const char *argument = which ? strchr(which + 1, ':') : NULL;
    struct fault f = {.kind = FAULT_NONE};
    uint32_t n;
    size_t which_n;

    if (!which ||
        !edu_fault_parse_kind(spec, (size_t)(which - spec), argument ? argument + 1 : NULL, &f)) {
        return -EINVAL;
    }
    which++;
    which_n = argument ? (size_t)(argument - which) : strlen(which);
    if (edu_fault_number(which, which_n, &n)) {
        f.number = n;
    } else {
        f.command = edu_command_by_name(which, which_n);
        f.state = edu_state_by_name(which, which_n);
        if (f.command == 0 && f.state == 0) {
            return -EINVAL;
        }
    }
    if (l->n == FAULTS_MAX) {
        return -ENOSPC;
    }
    l->faults[l->n++] = f;
    return 0;
}

const struct fault *fault_find(const struct fault_list *l, uint64_t number_, uint16_t command,
                               uint32_t state)
{
    for (unsigned i = 0; i < l->n; i++) {
        const struct fault *f = &l->faults[i];

        if (f->number  ? f->number == number_
            : f->state ? f->state == state
                       : f->command == command) {
            return f;
        }
    }
    return NULL;
}
