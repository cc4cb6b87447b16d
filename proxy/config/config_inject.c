/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks and copies rules for faults on purpose. Pure except for memory. */
#include "proxy/config/config_inject.h"

#include <stdio.h>
#include <string.h>

#include "trace/decode/injection.h"

static bool config_inject_is_rule(const char *text, char *why, size_t size)
{
    struct injection rule;

    if (!injection_read(&rule, text, why, size)) {
        return false;
    }
    injection_deinit(&rule);
    return true;
}

bool config_inject_read(const char *text, struct ipc_inject *out, char *why, size_t size)
{
    memset(out, 0, sizeof *out);
    while (*text) {
        const size_t n = strcspn(text, "\n");

        if (out->n == LIMIT_INJECT_RULES || n > LIMIT_INJECT_TEXT) {
            snprintf(why, size, "at most %u rules of %u characters", LIMIT_INJECT_RULES,
                     LIMIT_INJECT_TEXT);
            return false;
        }
        memcpy(out->rules[out->n], text, n);
        if (!config_inject_is_rule(out->rules[out->n], why, size)) {
            return false;
        }
        out->n++;
        text += n + (text[n] == '\n');
    }
    return true;
}

void config_inject_check(const struct config_route *r, struct config_errors *e)
{
    char why[192];

    for (size_t i = 0; i < r->inject_rules.n; i++) {
        const struct config_text *const rule = &r->inject_rules.items[i];

        if (r->inject != CONFIG_INJECT_ALLOWED) {
            config_errors_add(e, rule->at, "add \"inject allowed\"",
                              "the route does not allow to inject faults");
        }
        if (rule->text && !config_inject_is_rule(rule->text, why, sizeof why)) {
            config_errors_add(e, rule->at, "poemctl-trace-inject(1) describes rules", "%s", why);
        }
    }
}

void config_inject_of(const struct config_route *r, struct ipc_inject *out)
{
    memset(out, 0, sizeof *out);
    for (; out->n < r->inject_rules.n && out->n < LIMIT_INJECT_RULES; out->n++) {
        snprintf(out->rules[out->n], sizeof out->rules[out->n], "%s",
                 r->inject_rules.items[out->n].text);
    }
}
