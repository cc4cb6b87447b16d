/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* JSON objects as tables of their members, in the order in which they are printed. */
#ifndef POEMD_BASE_MEMBERS_H
#define POEMD_BASE_MEMBERS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct member {
    const char *name;
    json_t *value;
};

/* The value of an omitted member. */
extern json_t members_omitted;

/*
 * Makes an object of the members, which end with a row without a name, and takes the references to
 * their values. Returns NULL if out of memory, which is also assumed if a value is NULL.
 */
json_t *members_object(const struct member *members) __attribute__((warn_unused_result));

/* Makes an array of n values, in the same way. */
json_t *members_array(json_t *const *values, size_t n) __attribute__((warn_unused_result));

/* Makes an integer. Returns NULL if out of memory. */
json_t *members_number(uint64_t n) __attribute__((warn_unused_result));

/* Makes a string, or omits the member for NULL. Returns NULL if out of memory. */
json_t *members_optional(const char *text) __attribute__((warn_unused_result));

/* Makes a string, or null for NULL. Returns NULL if out of memory. */
json_t *members_text(const char *text) __attribute__((warn_unused_result));

#endif
