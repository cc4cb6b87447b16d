/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes a page with its data at its mark. */
#include "base/page.h"

#include <errno.h>
#include <string.h>

static const char mark[] = "@DATA@";

/* For json_dump_callback. Escapes characters of markup, which JSON has only within strings. */
static int page_put(const char *p, size_t n, void *arg)
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

int page_write(const char *page, const json_t *data, FILE *f)
{
    const char *const at = strstr(page, mark);
    int err;

    if (!at) {
        return -EIO;
    }
    fwrite(page, 1, (size_t)(at - page), f);
    err = json_dump_callback(data, page_put, f, JSON_ENSURE_ASCII | JSON_COMPACT);
    fputs(at + strlen(mark), f);
    if (ferror(f)) {
        return -EIO;
    }
    return err < 0 ? -ENOMEM : 0;
}
