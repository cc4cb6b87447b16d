/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints the JSON of poemctl's subcommands. */
#include "ctl/poemctl_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/poemctl.h"
#include "handshake/json.h"

int poemctl_json_write(const json_t *value, size_t flags, FILE *f)
{
    char *text = json_text(value, flags | JSON_ENSURE_ASCII);

    /* jansson escapes control characters except DEL, which terminals may act on. */
    for (const char *p = text; p && *p; p++) {
        if (*p == 0x7f) {
            fputs("\\u007f", f);
        } else {
            fputc(*p, f);
        }
    }
    if (!text) {
        return -1;
    }
    free(text);
    return ferror(f) ? -1 : 0;
}

int poemctl_json(const char *name, json_t *doc, int code)
{
    const bool ok = doc && poemctl_json_write(doc, JSON_INDENT(2), stdout) == 0;

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
