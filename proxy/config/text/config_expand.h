/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What stands for something else in a configuration's words: ${NAME} for a variable's value ("$${"
 * for "${" itself), and within a template %i for its instance, but not in "%%i". Pure.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_EXPAND_H
#define POEMD_PROXY_CONFIG_CONFIG_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "proxy/config/value_fault.h"

#define CONFIG_VARIABLE_NAME 32u

struct config_variable {
    char name[CONFIG_VARIABLE_NAME + 1];
    char *value;
};

struct config_variables {
    size_t n;
    struct config_variable items[LIMIT_CONFIG_VARIABLES];
};

/*
 * Defines a variable, with a copy of its value. Returns 0, -EINVAL with *fault set, or -ENOMEM.
 */
int config_variables_define(struct config_variables *v, const char *name, const char *value,
                            struct value_fault *fault) __attribute__((warn_unused_result));
void config_variables_deinit(struct config_variables *v);

/* An expanded word, with its NUL. */
#define CONFIG_EXPANDED ((size_t)2 * LIMIT_CONFIG_LINE)

/*
 * Expands a word into out. instance is NULL outside of templates, where %i stands for itself.
 * Returns false with *fault set.
 */
bool config_expand(const struct config_variables *v, const char *instance, const char *text,
                   char out[CONFIG_EXPANDED], struct value_fault *fault)
    __attribute__((warn_unused_result));

#endif
