/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints a subcommand's JSON object. */
#include "ctl/poemctl_json.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/poemctl.h"

int poemctl_json(const char *name, json_t *doc, int code)
{
    const bool ok = doc && json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0;

    json_decref(doc);
    if (!ok) {
        poemctl_error(name, "writing JSON failed");
        return POEMCTL_COULD_NOT;
    }
    putchar('\n');
    return code;
}

json_t *poemctl_json_text(const char *text)
{
    char escaped[4 * 1024 + 1];

    return json_string(log_escape(escaped, sizeof escaped, text, strlen(text)));
}
