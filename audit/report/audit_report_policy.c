/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Joins the parts of configurations. A configuration is known by its digest; one that is in force
 * again is listed once, with the last time at which it was read.
 */
#include "audit/report/audit_report_policy.h"

#include <string.h>

#include "base/members.h"

static const char *audit_report_policy_text(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_t *audit_report_policy_find(const json_t *policies, const char *sha256)
{
    json_t *policy;
    size_t i;

    json_array_foreach(policies, i, policy)
    {
        if (strcmp(audit_report_policy_text(policy, "sha256"), sha256) == 0) {
            return policy;
        }
    }
    return NULL;
}

static json_t *audit_report_policy_new(const json_t *record)
{
    json_t *const presets = json_object_get(record, "presets");
    json_t *const total = json_object_get(record, "lines-total");

    return members_object((const struct member[]){
        {"sha256", json_string(audit_report_policy_text(record, "sha256"))},
        {"first_seen", json_string(audit_report_policy_text(record, "time"))},
        {"last_seen", json_string(audit_report_policy_text(record, "time"))},
        {"lines_total", json_is_integer(total) ? json_incref(total) : json_integer(0)},
        {"lines", json_array()},
        {"presets", json_is_object(presets) ? json_incref(presets) : json_object()},
        {NULL, NULL}});
}

/* Appends the lines of a part that continues the ones before it, and no others. */
static bool audit_report_policy_join(json_t *policy, const json_t *record)
{
    json_t *const lines = json_object_get(policy, "lines");
    const json_int_t from = json_integer_value(json_object_get(record, "from"));
    json_t *line;
    size_t i;

    if (from != (json_int_t)json_array_size(lines) + 1) {
        return true;
    }
    json_array_foreach(json_object_get(record, "lines"), i, line)
    {
        if (json_array_size(lines) < AUDIT_REPORT_LINES && json_is_string(line) &&
            json_array_append(lines, line) < 0) {
            return false;
        }
    }
    return true;
}

bool audit_report_policy_add(json_t *policies, size_t most, const json_t *record)
{
    json_t *policy = audit_report_policy_find(policies, audit_report_policy_text(record, "sha256"));

    if (!policy && json_array_size(policies) >= most) {
        return true;
    }
    if (!policy) {
        policy = audit_report_policy_new(record);
        if (json_array_append_new(policies, policy) < 0) {
            return false;
        }
    }
    return json_object_set_new(policy, "last_seen",
                               json_string(audit_report_policy_text(record, "time"))) == 0 &&
           audit_report_policy_join(policy, record);
}
