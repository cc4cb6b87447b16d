/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/config/text/config_expand.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proxy/config/config_value.h"

#define SHOWN 72u

static void __attribute__((format(printf, 3, 4)))
config_expand_fault(struct value_fault *f, const char *hint, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    snprintf(f->hint, sizeof f->hint, "%s", hint);
}

/* Returns the length of the name at p. */
static size_t config_expand_name(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || p[n] == '_' || (n > 0 && p[n] == '-')) {
        n++;
    }
    return n;
}

static const struct config_variable *config_variables_find(const struct config_variables *v,
                                                           const char *name, size_t n)
{
    for (size_t i = 0; i < v->n; i++) {
        if (strlen(v->items[i].name) == n && memcmp(v->items[i].name, name, n) == 0) {
            return &v->items[i];
        }
    }
    return NULL;
}

int config_variables_define(struct config_variables *v, const char *name, const char *value,
                            struct value_fault *fault)
{
    const size_t n = config_expand_name(name);
    char shown[SHOWN];

    log_escape(shown, sizeof shown, name, strlen(name));
    if (n == 0 || name[n] || n > CONFIG_VARIABLE_NAME) {
        config_expand_fault(fault,
                            "a variable's name has up to 32 letters, digits, \"_\" and \"-\"",
                            "\"%s\" is not the name of a variable", shown);
        return -EINVAL;
    }
    if (config_variables_find(v, name, n)) {
        config_expand_fault(fault, "choose another name", "the variable \"%s\" is already defined",
                            shown);
        return -EINVAL;
    }
    if (v->n == LIMIT_CONFIG_VARIABLES) {
        config_expand_fault(fault, "", "more than %u variables", LIMIT_CONFIG_VARIABLES);
        return -EINVAL;
    }
    v->items[v->n].value = strdup(value);
    if (!v->items[v->n].value) {
        return -ENOMEM;
    }
    memcpy(v->items[v->n++].name, name, n + 1);
    return 0;
}

void config_variables_deinit(struct config_variables *v)
{
    while (v->n > 0) {
        free(v->items[--v->n].value);
    }
}

/* Reports a variable that is not defined, at p behind its "${". */
static void config_expand_unknown(const struct config_variables *v, const char *p,
                                  struct value_fault *fault)
{
    const size_t n = config_expand_name(p);
    const char *names[LIMIT_CONFIG_VARIABLES];
    const char *near;
    char hint[80];
    char name[SHOWN];

    if (n == 0 || p[n] != '}') {
        config_expand_fault(fault, "write ${NAME}, or $${ for the characters themselves",
                            "\"${\" without a name and \"}\"");
        return;
    }
    log_escape(name, sizeof name, p, n);
    for (size_t i = 0; i < v->n; i++) {
        names[i] = v->items[i].name;
    }
    near = value_nearest(name, names, v->n);
    if (near) {
        snprintf(hint, sizeof hint, "did you mean ${%s}?", near);
    } else {
        snprintf(hint, sizeof hint, "define it above: define NAME VALUE");
    }
    config_expand_fault(fault, hint, "there is no variable \"%s\"", name);
}

/*
 * Returns what the text at p stands for, as *n bytes, and in *used the length of the text. Returns
 * NULL with *fault set.
 */
static const char *config_expand_one(const struct config_variables *v, const char *instance,
                                     const char *p, size_t *n, size_t *used,
                                     struct value_fault *fault)
{
    const struct config_variable *variable;

    *n = *used = 1;
    if (strncmp(p, "$${", 3) == 0) {
        *n = 2;
        *used = 3;
        return p + 1;
    }
    if (strncmp(p, "${", 2) == 0) {
        const size_t name = config_expand_name(p + 2);

        variable = p[2 + name] == '}' ? config_variables_find(v, p + 2, name) : NULL;
        if (!variable) {
            config_expand_unknown(v, p + 2, fault);
            return NULL;
        }
        *n = strlen(variable->value);
        *used = name + 3;
        return variable->value;
    }
    if (strncmp(p, "%%", 2) == 0) {
        *n = *used = 2;
        return p;
    }
    if (instance && strncmp(p, "%i", 2) == 0) {
        *n = strlen(instance);
        *used = 2;
        return instance;
    }
    return p;
}

bool config_expand(const struct config_variables *v, const char *instance, const char *text,
                   char out[CONFIG_EXPANDED], struct value_fault *fault)
{
    size_t at = 0;

    while (*text) {
        size_t used = strcspn(text, "$%");
        size_t n = used;
        const char *const p = n > 0 ? text : config_expand_one(v, instance, text, &n, &used, fault);

        if (!p) {
            return false;
        }
        if (n >= CONFIG_EXPANDED - at) {
            config_expand_fault(fault, "shorten its variables", "the word becomes too long");
            return false;
        }
        memcpy(out + at, p, n);
        at += n;
        text += used;
    }
    out[at] = '\0';
    return true;
}
