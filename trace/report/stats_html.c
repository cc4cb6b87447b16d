/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes the page: stats_page.html with the statistics inserted at its mark. They are inside a
 * script element that is not executed, as JSON without characters that could be markup; the page's
 * script inserts them into the document as text only.
 */
#include <errno.h>
#include <string.h>

#include "trace/report/stats_json.h"
#include "trace/report/stats_page.h"

static const char mark[] = "@DATA@";

/* For json_dump_callback. Escapes characters of markup, which JSON has only within strings. */
static int stats_html_put(const char *p, size_t n, void *arg)
{
    FILE *const f = arg;

    for (size_t i = 0; i < n; i++) {
        if (strchr("<>&", p[i]) && p[i]) {
            fprintf(f, "\\u%04x", (unsigned)p[i]);
        } else {
            fputc(p[i], f);
        }
    }
    return ferror(f) ? -1 : 0;
}

int stats_html(const struct stats *s, const struct stats_about *about, FILE *f)
{
    static const char page[] = {STATS_PAGE 0};
    const char *const at = strstr(page, mark);
    json_t *const o = at ? stats_json(s, about, true) : NULL;
    int err;

    if (!o) {
        return -ENOMEM;
    }
    fwrite(page, 1, (size_t)(at - page), f);
    err = json_dump_callback(o, stats_html_put, f, JSON_ENSURE_ASCII | JSON_COMPACT);
    json_decref(o);
    fputs(at + strlen(mark), f);
    if (ferror(f)) {
        return -EIO;
    }
    return err < 0 ? -ENOMEM : 0;
}
