/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/keeper/keeper_message.h"

#include <limits.h>
#include <string.h>

#include "base/text/numbers.h"

/* Lines without a parameter. */
static const struct {
    const char *line;
    enum keeper_verb verb;
} verbs[] = {
    {"FDSTORE=1", KEEPER_KEEP},      {"FDSTOREREMOVE=1", KEEPER_DROP},
    {"READY=1", KEEPER_READY},       {"STOPPING=1", KEEPER_STOPPING},
    {"FORKING=1", KEEPER_FORKING},   {"FORKING=0", KEEPER_FORKED},
    {"UPGRADE=1", KEEPER_UPGRADE},   {"RELOADING=1", KEEPER_RELOADING},
    {"RELOADED=1", KEEPER_RELOADED}, {"WATCHDOG=1", KEEPER_ALIVE},
};

bool keeper_message_name_sound(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ':') {
            return false;
        }
    }
    return n > 0 && n <= FDSTORE_NAME_MAX;
}

pid_t keeper_message_child(const char *name)
{
    const size_t n = strlen(FDSTORE_CHILD_PREFIX);
    uint64_t pid;

    return strncmp(name, FDSTORE_CHILD_PREFIX, n) == 0 && numbers_decimal(name + n, INT_MAX, &pid)
               ? (pid_t)pid
               : 0;
}

/* Returns what is behind the key, if the line begins with it, or NULL. */
static const char *keeper_message_value(const char *line, size_t n, const char *key)
{
    const size_t size = strlen(key);

    return n >= size && memcmp(line, key, size) == 0 ? line + size : NULL;
}

/* Reads one line. Returns false if it is wrong or comes twice. */
static bool keeper_message_line(struct keeper_message *m, const char *line, size_t n)
{
    const char *value = keeper_message_value(line, n, "FDNAME=");
    const size_t size = value ? (size_t)(line + n - value) : 0;
    enum keeper_verb verb = KEEPER_NOTHING;
    uint64_t pid;

    if (value) {
        if (m->name[0] || !keeper_message_name_sound(value, size)) {
            return false;
        }
        memcpy(m->name, value, size);
        return true;
    }
    value = keeper_message_value(line, n, "COLLECT=");
    if (value) {
        if (!numbers_read(value, (size_t)(line + n - value), INT_MAX, &pid) || pid == 0) {
            return false;
        }
        m->pid = (pid_t)pid;
        verb = KEEPER_COLLECT;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (n == strlen(verbs[i].line) && memcmp(line, verbs[i].line, n) == 0) {
            verb = verbs[i].verb;
        }
    }
    if (verb != KEEPER_NOTHING && m->verb != KEEPER_NOTHING) {
        return false;
    }
    m->verb = verb != KEEPER_NOTHING ? verb : m->verb;
    return true;
}

bool keeper_message_read(struct keeper_message *m, const char *text, size_t n)
{
    const char *const end = text + n;

    memset(m, 0, sizeof *m);
    while (text < end) {
        const char *const newline = memchr(text, '\n', (size_t)(end - text));
        const char *const stop = newline ? newline : end;

        if (!keeper_message_line(m, text, (size_t)(stop - text))) {
            return false;
        }
        text = stop + (newline ? 1 : 0);
    }
    return m->verb != KEEPER_NOTHING &&
           (m->name[0] != '\0') == (m->verb == KEEPER_KEEP || m->verb == KEEPER_DROP);
}
