/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which faults are injected into a session. */
#include "proxy/monitor/monitor_session_inject.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proxy/config/config_inject.h"
#include "proxy/ipc/session_page.h"
#include "proxy/monitor/monitor_context.h"

bool monitor_session_injects(const struct monitor_session *t)
{
    return t->inject || t->config->inject_rules.n > 0;
}

void monitor_session_injections(const struct monitor_session *t, struct ipc_inject *out)
{
    if (t->inject) {
        *out = *t->inject;
    } else {
        config_inject_of(t->config, out);
    }
}

static void monitor_session_inject_record(const struct monitor_session *t, uid_t uid, pid_t pid)
{
    json_t *const rules = json_array();

    for (uint32_t i = 0; i < t->inject->n; i++) {
        (void)json_array_append_new(rules, json_string(t->inject->rules[i]));
    }
    (void)audit_writer_note(&t->table->context->audit_writer, "injection",
                            json_pack("{s:I,s:s,s:o,s:{s:i,s:i}}", "session", (json_int_t)t->id,
                                      "route", t->config->name, "rules", rules, "by", "uid",
                                      (int)uid, "pid", (int)pid));
}

const char *monitor_session_inject(struct monitor_session *t, const struct ipc_inject *rules,
                                   uid_t uid, pid_t pid)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (t->config->inject != CONFIG_INJECT_ALLOWED) {
        return "its route has no \"inject allowed\"";
    }
    if (!t->inject) {
        t->inject = malloc(sizeof *t->inject);
    }
    if (!t->inject) {
        return "out of memory";
    }
    *t->inject = *rules;
    t->inject->asked = 1;
    log_line(LOG_WARNING, &about, "inject: %u rule%s requested by uid=%u pid=%d", rules->n,
             rules->n == 1 ? "" : "s", (unsigned)uid, (int)pid);
    for (uint32_t i = 0; i < rules->n; i++) {
        log_line(LOG_WARNING, &about, "inject: %s", rules->rules[i]);
    }
    monitor_session_inject_record(t, uid, pid);
    return NULL;
}

void monitor_session_inject_lost(const struct monitor_session *t,
                                 const struct session_page_injections *left)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (left->held) {
        log_line(LOG_ERROR, &about,
                 "cannot go on in another worker: the last one held a message that an injection "
                 "had delayed or changed");
    } else if (left->asked && left->n > 0 && !t->inject) {
        log_line(LOG_WARNING, &about,
                 "the injections that poemctl had put in force are lost with an earlier monitor; "
                 "put them in force again");
    }
}
